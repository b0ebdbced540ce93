/* The file that holds the installation's secrets. */
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

#define HEX_LEN (2 * SECRET_BYTES)
/* "pepper HEX\n", and so many "seal 255 HEX\n". */
#define FILE_MOST (7 + HEX_LEN + 1 + SEAL_KEYS * (9 + HEX_LEN + 1))

/* Best effort: RLIMIT_MEMLOCK may be small, and the pages stay usable. */
static void
protect(struct secrets *secrets)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = (uintptr_t)secrets & ~(page - 1);
	uintptr_t to = (uintptr_t)(secrets + 1);
	int saved_errno = errno;

	(void)mlock((void *)from, to - from);
	(void)madvise((void *)from, to - from, MADV_DONTDUMP);
	errno = saved_errno;
}

/* "HEX\n" at *text; *text moves behind it. */
static bool
take_secret(const char **text, uint8_t secret_r[SECRET_BYTES])
{
	char hex[HEX_LEN + 1];
	bool ok;

	if (strlen(*text) < HEX_LEN + 1 || (*text)[HEX_LEN] != '\n')
		return false;
	memcpy(hex, *text, HEX_LEN);
	hex[HEX_LEN] = '\0';
	ok = hex_decode(hex, secret_r, SECRET_BYTES);
	bytes_scrub(hex, sizeof(hex));
	*text += HEX_LEN + 1;
	return ok;
}

static bool
take_word(const char **text, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*text, word, len) != 0)
		return false;
	*text += len;
	return true;
}

/* "seal ID HEX\n" */
static bool
take_seal(const char **text, struct secrets *s)
{
	struct seal_key *to = &s->seal[s->seals];
	unsigned id = 0;

	if (s->seals == SEAL_KEYS || !take_word(text, "seal "))
		return false;
	for (; **text >= '0' && **text <= '9' && id <= UINT8_MAX; (*text)++)
		id = id * 10 + (unsigned)(**text - '0');
	if (id == 0 || id > UINT8_MAX ||
	    secrets_find_seal(s, (uint8_t)id) >= 0 ||
	    !take_word(text, " ") || !take_secret(text, to->key))
		return false;
	to->id = (uint8_t)id;
	s->seals++;
	return true;
}

static bool
parse(const char *text, struct secrets *secrets_r)
{
	memset(secrets_r, 0, sizeof(*secrets_r));
	if (!take_word(&text, "pepper ") ||
	    !take_secret(&text, secrets_r->pepper))
		return false;
	do
		if (!take_seal(&text, secrets_r))
			return false;
	while (*text != '\0');
	return true;
}

static enum secret_result
read_all(int fd, char text_r[FILE_MOST + 2])
{
	size_t len = 0;

	/* A byte more than there may be, to see that there is no more. */
	while (len < FILE_MOST + 1) {
		ssize_t n = read(fd, text_r + len, FILE_MOST + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return SECRET_IO;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	text_r[len] = '\0';
	return len <= FILE_MOST && strlen(text_r) == len ? SECRET_OK :
	    SECRET_BAD;
}

enum secret_result
secrets_read(const char *path, struct secrets *secrets_r)
{
	char text[FILE_MOST + 2];
	enum secret_result result;
	struct stat st;
	int fd;

	/* O_NONBLOCK: a pipe of that name must not hold up a start. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? SECRET_MISSING : SECRET_IO;
	if (fstat(fd, &st) != 0) {
		result = SECRET_IO;
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		result = SECRET_BAD;
		goto out;
	}
	/* A group may read it (the service's), the world may not. */
	if ((st.st_mode & (S_IRWXO | S_IWGRP)) != 0) {
		result = SECRET_OPEN_TO_OTHERS;
		goto out;
	}
	protect(secrets_r);
	result = read_all(fd, text);
	if (result == SECRET_OK && !parse(text, secrets_r)) {
		secrets_scrub(secrets_r);
		result = SECRET_BAD;
	}
	bytes_scrub(text, sizeof(text));
out:
	close(fd);
	return result;
}

/* The name itself must survive a crash as well. */
static bool
sync_directory_of(const char *path)
{
	char copy[PATH_MAX];
	bool ok;
	int fd;

	if (strlen(path) >= sizeof(copy)) {
		errno = ENAMETOOLONG;
		return false;
	}
	strcpy(copy, path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ok = fsync(fd) == 0;
	close(fd);
	return ok;
}

static bool
write_all(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

/* What is in text is a secret; its length. */
static size_t
format(const struct secrets *s, char text_r[FILE_MOST + 1])
{
	char hex[HEX_LEN + 1];
	int len;

	hex_encode(s->pepper, SECRET_BYTES, hex);
	len = snprintf(text_r, FILE_MOST + 1, "pepper %s\n", hex);
	for (int i = 0; i < s->seals; i++) {
		hex_encode(s->seal[i].key, SECRET_BYTES, hex);
		len += snprintf(text_r + len, FILE_MOST + 1 - (size_t)len,
		    "seal %u %s\n", (unsigned)s->seal[i].id, hex);
	}
	bytes_scrub(hex, sizeof(hex));
	return (size_t)len;
}

static bool
write_out(int fd, const struct secrets *s)
{
	char text[FILE_MOST + 1];
	size_t len = format(s, text);
	bool ok = write_all(fd, text, len) && fsync(fd) == 0;

	bytes_scrub(text, sizeof(text));
	return ok;
}

enum secret_result
secrets_create(const char *path, struct secrets *secrets_r)
{
	int fd, saved_errno;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd < 0)
		return SECRET_IO;
	protect(secrets_r);
	memset(secrets_r, 0, sizeof(*secrets_r));
	bytes_random(secrets_r->pepper, SECRET_BYTES);
	secrets_r->seals = 1;
	secrets_r->seal[0].id = 1;
	bytes_random(secrets_r->seal[0].key, SECRET_BYTES);
	if (write_out(fd, secrets_r) && sync_directory_of(path)) {
		close(fd);
		return SECRET_OK;
	}
	/* Half a file would be taken for the real one next time. */
	saved_errno = errno;
	unlink(path);
	close(fd);
	secrets_scrub(secrets_r);
	errno = saved_errno;
	return SECRET_IO;
}

/* As the one that it will replace has them. */
static bool
take_after(int fd, const char *path)
{
	struct stat is, was;

	return stat(path, &was) == 0 && fstat(fd, &is) == 0 &&
	    ((is.st_uid == was.st_uid && is.st_gid == was.st_gid) ||
	    fchown(fd, was.st_uid, was.st_gid) == 0) &&
	    fchmod(fd, was.st_mode & 0777) == 0;
}

enum secret_result
secrets_replace(const char *path, const struct secrets *secrets)
{
	char next[PATH_MAX];
	int fd, saved_errno;

	if ((size_t)snprintf(next, sizeof(next), "%s.new", path) >=
	    sizeof(next)) {
		errno = ENAMETOOLONG;
		return SECRET_IO;
	}
	/* What one that was killed left is nothing's only copy. */
	if (unlink(next) != 0 && errno != ENOENT)
		return SECRET_IO;
	fd = open(next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd < 0)
		return SECRET_IO;
	if (take_after(fd, path) && write_out(fd, secrets) &&
	    rename(next, path) == 0) {
		close(fd);
		return sync_directory_of(path) ? SECRET_OK : SECRET_IO;
	}
	saved_errno = errno;
	unlink(next);
	close(fd);
	errno = saved_errno;
	return SECRET_IO;
}

void
secrets_scrub(struct secrets *secrets)
{
	bytes_scrub(secrets, sizeof(*secrets));
}
