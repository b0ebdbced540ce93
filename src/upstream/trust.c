#include "upstream/trust.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

struct upstream_trust {
	X509_STORE *store;
	size_t count;
};

/* False when a certificate couldn't be parsed; *count_r: those added. */
static bool
add_all(X509_STORE *store, BIO *bio, size_t *count_r)
{
	X509 *cert;
	unsigned long err;

	*count_r = 0;
	ERR_clear_error();
	while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		int added = X509_STORE_add_cert(store, cert);

		X509_free(cert);
		if (!added)
			return false;
		++*count_r;
	}
	err = ERR_peek_last_error();
	ERR_clear_error();
	/* That is how the end of the input looks. */
	return ERR_GET_LIB(err) == ERR_LIB_PEM &&
	    ERR_GET_REASON(err) == PEM_R_NO_START_LINE;
}

static void
add_file(struct upstream_trust *trust, const char *path)
{
	BIO *bio = BIO_new_file(path, "r");
	size_t count;

	ERR_clear_error();
	if (bio == NULL)
		return;
	/* A broken one costs only those after it; the count tells. */
	if (!add_all(trust->store, bio, &count))
		ERR_clear_error();
	trust->count += count;
	BIO_free(bio);
}

/* The hashed names only: the others are the same certificates again. */
static bool
hashed_name(const char *name)
{
	return strlen(name) >= 10 && strspn(name, "0123456789abcdef") == 8 &&
	    name[8] == '.' && name[9] >= '0' && name[9] <= '9';
}

static void
add_directory(struct upstream_trust *trust, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		char file[PATH_MAX];
		int n;

		if (!hashed_name(entry->d_name))
			continue;
		n = snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		if (n > 0 && (size_t)n < sizeof(file))
			add_file(trust, file);
	}
	closedir(dir);
}

/* Not for a process that runs with more rights than its caller. */
static const char *
setting(const char *variable, const char *otherwise)
{
	const char *value = secure_getenv(variable);

	return value != NULL && value[0] != '\0' ? value : otherwise;
}

struct upstream_trust *
upstream_trust_load(void)
{
	struct upstream_trust *trust;

	if (!OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG |
	    OPENSSL_INIT_LOAD_SSL_STRINGS, NULL))
		return NULL;
	/* Verifying compares dates; the first gmtime_r() of a process reads
	 * the time zone's file, unless that was done. */
	tzset();
	trust = calloc(1, sizeof(*trust));
	if (trust == NULL)
		return NULL;
	trust->store = X509_STORE_new();
	if (trust->store == NULL) {
		free(trust);
		return NULL;
	}
	add_file(trust, setting(X509_get_default_cert_file_env(),
	    X509_get_default_cert_file()));
	if (trust->count == 0)
		add_directory(trust, setting(X509_get_default_cert_dir_env(),
		    X509_get_default_cert_dir()));
	return trust;
}

void
upstream_trust_free(struct upstream_trust **trust)
{
	if (*trust == NULL)
		return;
	X509_STORE_free((*trust)->store);
	free(*trust);
	*trust = NULL;
}

size_t
upstream_trust_count(const struct upstream_trust *trust)
{
	return trust->count;
}

X509_STORE *
upstream_trust_store(const struct upstream_trust *trust)
{
	return trust->store;
}

X509_STORE *
upstream_trust_parse(const char *pem, size_t len)
{
	X509_STORE *store = NULL;
	BIO *bio = NULL;
	size_t count;

	if (len > INT_MAX)
		return NULL;
	bio = BIO_new_mem_buf(pem, (int)len);
	store = X509_STORE_new();
	if (bio == NULL || store == NULL ||
	    !add_all(store, bio, &count) || count == 0) {
		X509_STORE_free(store);
		store = NULL;
	}
	BIO_free(bio);
	ERR_clear_error();
	return store;
}
