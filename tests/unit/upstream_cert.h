/*
 * upstream_cert.h: authorities and certificates made at test time.
 * Layer: tests.
 * Written by: the fixture that owns them.
 */
#ifndef TESTS_UPSTREAM_CERT_H
#define TESTS_UPSTREAM_CERT_H

#include <openssl/evp.h>
#include <openssl/x509.h>

struct authority {
	EVP_PKEY *key;
	X509 *cert;
	char *pem;		/* NUL-terminated */
	size_t pem_bytes;
};

/* Ends the test when something fails, as all below. */
void	authority_make(struct authority *ca, const char *name);
void	authority_free(struct authority *ca);

/* alt: as in openssl.cnf, "DNS:a.test,IP:127.0.0.1".  Caller frees both. */
void	authority_issue(const struct authority *ca, const char *alt,
	    EVP_PKEY **key_r, X509 **cert_r);

#endif
