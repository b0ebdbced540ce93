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
/* "pepper HEX\nseal HEX\n" */
#define FILE_LEN (7 + HEX_LEN + 1 + 5 + HEX_LEN + 1)

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

/* A line "name HEX\n" at *text; *text moves behind it. */
static bool
take_line(const char **text, const char *name, uint8_t secret_r[SECRET_BYTES])
{
	char hex[HEX_LEN + 1];
	size_t len = strlen(name);
	bool ok;

	if (strncmp(*text, name, len) != 0 || (*text)[len] != ' ')
		return false;
	*text += len + 1;
	if (strlen(*text) < HEX_LEN + 1 || (*text)[HEX_LEN] != '\n')
		return false;
	memcpy(hex, *text, HEX_LEN);
	hex[HEX_LEN] = '\0';
	ok = hex_decode(hex, secret_r, SECRET_BYTES);
	bytes_scrub(hex, sizeof(hex));
	*text += HEX_LEN + 1;
	return ok;
}

static enum secret_result
read_all(int fd, char text_r[FILE_LEN + 2])
{
	size_t len = 0;

	/* A byte more than there may be, to see that there is no more. */
	while (len < FILE_LEN + 1) {
		ssize_t n = read(fd, text_r + len, FILE_LEN + 1 - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return SECRET_IO;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	text_r[len] = '\0';
	return len == FILE_LEN && strlen(text_r) == len ? SECRET_OK :
	    SECRET_BAD;
}

enum secret_result
secrets_read(const char *path, struct secrets *secrets_r)
{
	char text[FILE_LEN + 2];
	const char *p = text;
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
	if (result == SECRET_OK &&
	    (!take_line(&p, "pepper", secrets_r->pepper) ||
	    !take_line(&p, "seal", secrets_r->seal) || *p != '\0')) {
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

enum secret_result
secrets_create(const char *path, struct secrets *secrets_r)
{
	char hex[2][HEX_LEN + 1], text[FILE_LEN + 1];
	int fd, len, saved_errno;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (fd < 0)
		return SECRET_IO;
	protect(secrets_r);
	bytes_random(secrets_r->pepper, SECRET_BYTES);
	bytes_random(secrets_r->seal, SECRET_BYTES);
	hex_encode(secrets_r->pepper, SECRET_BYTES, hex[0]);
	hex_encode(secrets_r->seal, SECRET_BYTES, hex[1]);
	len = snprintf(text, sizeof(text), "pepper %s\nseal %s\n", hex[0],
	    hex[1]);
	if (len == FILE_LEN && write_all(fd, text, FILE_LEN) &&
	    fsync(fd) == 0 && sync_directory_of(path)) {
		bytes_scrub(hex, sizeof(hex));
		bytes_scrub(text, sizeof(text));
		close(fd);
		return SECRET_OK;
	}
	/* Half a file would be taken for the real one next time. */
	saved_errno = errno;
	unlink(path);
	close(fd);
	secrets_scrub(secrets_r);
	bytes_scrub(hex, sizeof(hex));
	bytes_scrub(text, sizeof(text));
	errno = saved_errno;
	return SECRET_IO;
}

void
secrets_scrub(struct secrets *secrets)
{
	bytes_scrub(secrets, sizeof(*secrets));
}
