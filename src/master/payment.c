#include "master/payment.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/bytes.h"
#include "conf/settings.h"
#include "master/pem.h"

static const char *
read_secrets(const char *path, struct payment_keys *keys)
{
	const char *why = NULL;
	char *text = pem_read_text(path, true, &why);

	if (text == NULL)
		return why;
	if (payment_secrets_parse(keys, text, strlen(text), &why))
		why = NULL;
	bytes_scrub(text, strlen(text));
	free(text);
	return why;
}

static const char *
read_public_key(const char *path, struct payment_keys *keys)
{
	const char *why = NULL;
	char *text = pem_read_text(path, false, &why);
	size_t len = sizeof(keys->public_key);
	EVP_PKEY *key = NULL;
	BIO *bio;

	if (text == NULL)
		return why;
	bio = BIO_new_mem_buf(text, -1);
	if (bio != NULL)
		key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	keys->has_public_key = key != NULL &&
	    EVP_PKEY_get_id(key) == EVP_PKEY_ED25519 &&
	    EVP_PKEY_get_raw_public_key(key, keys->public_key, &len) == 1 &&
	    len == sizeof(keys->public_key);
	if (!keys->has_public_key)
		why = "no Ed25519 public key in PEM; make one with openssl "
		    "pkey -pubout";
	EVP_PKEY_free(key);
	BIO_free(bio);
	ERR_clear_error();
	free(text);
	return why;
}

bool
payment_read(const struct settings *settings, const char *file,
    struct payment_keys *keys_r, struct conf_report *report)
{
	unsigned before = report->mistakes;
	const char *why;

	memset(keys_r, 0, sizeof(*keys_r));
	if (settings->payment_secret_file[0] != '\0') {
		why = read_secrets(settings->payment_secret_file, keys_r);
		if (why != NULL)
			conf_mistake(report, file, 0, "payment_secret_file",
			    "%s: %s", settings->payment_secret_file, why);
	}
	if (settings->payment_public_key[0] != '\0') {
		why = read_public_key(settings->payment_public_key, keys_r);
		if (why != NULL)
			conf_mistake(report, file, 0, "payment_public_key",
			    "%s: %s", settings->payment_public_key, why);
	}
	if (report->mistakes == before)
		return true;
	bytes_scrub(keys_r, sizeof(*keys_r));
	return false;
}
