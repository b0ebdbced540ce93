#include "master/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/bytes.h"
#include "conf/settings.h"

#define PEM_MAX_BYTES (1024 * 1024)

char *
pem_read_text(const char *path, bool secret, const char **why_r)
{
	char *text = NULL;
	struct stat st;
	size_t len = 0;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) != 0) {
		*why_r = strerror(errno);
		goto out;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > PEM_MAX_BYTES) {
		*why_r = "not a file of text";
		goto out;
	}
	if (secret && (st.st_mode & S_IRWXO) != 0) {
		*why_r = "others may read it; take that away with chmod o=";
		goto out;
	}
	text = malloc((size_t)st.st_size + 1);
	if (text == NULL) {
		*why_r = strerror(errno);
		goto out;
	}
	while (len < (size_t)st.st_size) {
		ssize_t n = read(fd, text + len, (size_t)st.st_size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	text[len] = '\0';
out:
	if (fd >= 0)
		close(fd);
	return text;
}

/* There is nobody to ask for a passphrase. */
static int
no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return 0;
}

static void
check_pair(const struct settings *settings, const char *file,
    const struct pem_pair *pair, struct conf_report *report)
{
	BIO *bio;
	X509 *certificate = NULL;
	EVP_PKEY *key = NULL;

	bio = BIO_new_mem_buf(pair->certificate, -1);
	if (bio != NULL)
		certificate = PEM_read_bio_X509(bio, NULL, no_passphrase,
		    NULL);
	BIO_free(bio);
	bio = BIO_new_mem_buf(pair->key, -1);
	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	if (certificate == NULL)
		conf_mistake(report, file, 0, "tls_certificate",
		    "%s: no PEM certificate in it", settings->tls_certificate);
	if (key == NULL)
		conf_mistake(report, file, 0, "tls_key",
		    "%s: no PEM key without a passphrase in it",
		    settings->tls_key);
	if (certificate != NULL && key != NULL &&
	    X509_check_private_key(certificate, key) != 1)
		conf_mistake(report, file, 0, "tls_key",
		    "%s: not the key of the first certificate in %s",
		    settings->tls_key, settings->tls_certificate);
	X509_free(certificate);
	EVP_PKEY_free(key);
	ERR_clear_error();
}

bool
pem_read(const struct settings *settings, const char *file,
    struct pem_pair *pair_r, struct conf_report *report)
{
	unsigned before = report->mistakes;
	const char *why;

	pair_r->certificate = pem_read_text(settings->tls_certificate, false,
	    &why);
	if (pair_r->certificate == NULL)
		conf_mistake(report, file, 0, "tls_certificate", "%s: %s",
		    settings->tls_certificate, why);
	pair_r->key = pem_read_text(settings->tls_key, true, &why);
	if (pair_r->key == NULL)
		conf_mistake(report, file, 0, "tls_key", "%s: %s",
		    settings->tls_key, why);
	if (report->mistakes == before)
		check_pair(settings, file, pair_r, report);
	if (report->mistakes == before)
		return true;
	pem_free(pair_r);
	return false;
}

void
pem_free(struct pem_pair *pair)
{
	if (pair->key != NULL)
		bytes_scrub(pair->key, strlen(pair->key));
	free(pair->key);
	free(pair->certificate);
	*pair = (struct pem_pair){ NULL, NULL };
}

bool
pem_equal(const struct pem_pair *a, const struct pem_pair *b)
{
	return strcmp(a->certificate, b->certificate) == 0 &&
	    strcmp(a->key, b->key) == 0;
}
