/* A provider's key and certificates, from files or the terminal. */
#include "admin/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/bytes.h"

/* Ctrl-C at the prompt: the terminal must get its echo back first. */
static volatile sig_atomic_t caught;

static void
catch(int signo)
{
	caught = signo;
}

/* Unbuffered, so that the key is in no buffer of the library's. */
static ssize_t
read_some(int fd, char *p, size_t size)
{
	size_t len;
	ssize_t n;

	for (len = 0; len < size; len += (size_t)n) {
		n = read(fd, p + len, size - len);
		if (n < 0 && errno == EINTR && caught == 0) {
			n = 0;
			continue;
		}
		if (n < 0)
			return -1;
		if (n == 0 || memchr(p + len, '\n', (size_t)n) != NULL) {
			len += (size_t)n;
			break;
		}
	}
	return (ssize_t)len;
}

static ssize_t
read_terminal(char *p, size_t size)
{
	struct sigaction interrupt, before;
	struct termios now, quiet;
	ssize_t len;

	if (tcgetattr(STDIN_FILENO, &now) != 0)
		return read_some(STDIN_FILENO, p, size);
	memset(&interrupt, 0, sizeof interrupt);
	interrupt.sa_handler = catch;
	sigaction(SIGINT, &interrupt, &before);
	quiet = now;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	fputs("The provider's key (not shown): ", stderr);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	len = read_some(STDIN_FILENO, p, size);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &now);
	fputc('\n', stderr);
	sigaction(SIGINT, &before, NULL);
	if (caught != 0)
		raise(SIGINT);
	return len;
}

bool
credential_read(const char *path, char credential_r[CREDENTIAL_BYTES])
{
	const char *from;
	ssize_t len;
	size_t i;
	int fd;

	from = path == NULL || strcmp(path, "-") == 0 ? "standard input" :
	    path;
	if (from != path) {
		len = isatty(STDIN_FILENO) ?
		    read_terminal(credential_r, CREDENTIAL_BYTES) :
		    read_some(STDIN_FILENO, credential_r, CREDENTIAL_BYTES);
	} else {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		len = fd >= 0 ? read_some(fd, credential_r, CREDENTIAL_BYTES) :
		    -1;
		if (fd >= 0)
			close(fd);
	}
	if (len < 0) {
		complain("cannot read the credential from %s: %s", from,
		    strerror(errno));
		return false;
	}
	for (i = 0; i < (size_t)len && credential_r[i] != '\n' &&
	    credential_r[i] != '\r'; i++)
		if (credential_r[i] <= ' ' || credential_r[i] > '~') {
			complain("the credential from %s has a character that "
			    "no header can carry", from);
			return false;
		}
	if (i == 0 || i == CREDENTIAL_BYTES) {
		complain("the credential from %s is %s", from, i == 0 ?
		    "empty" : "too long");
		return false;
	}
	bytes_scrub(credential_r + i, CREDENTIAL_BYTES - i);
	return true;
}

bool
ca_read(const char *path, char *ca_r, size_t size)
{
	X509 *cert;
	size_t len;
	FILE *f;
	BIO *bio;
	int n;

	f = fopen(path, "re");
	if (f == NULL) {
		complain("cannot read %s: %s", path, strerror(errno));
		return false;
	}
	len = fread(ca_r, 1, size, f);
	fclose(f);
	if (len == size) {
		complain("%s is larger than %zu bytes", path, size - 1);
		hint("give only the certificate that signed the upstream's");
		return false;
	}
	ca_r[len] = '\0';
	bio = BIO_new_mem_buf(ca_r, (int)len);
	for (n = 0; bio != NULL &&
	    (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL; n++)
		X509_free(cert);
	BIO_free(bio);
	ERR_clear_error();
	if (n > 0)
		return true;
	complain("%s holds no PEM certificate", path);
	return false;
}
