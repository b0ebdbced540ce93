#include "admin/attest_certificate.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define DAY_S 86400

static bool
add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	bool ok = e != NULL && X509_add_ext(cert, e, -1) == 1;

	X509_EXTENSION_free(e);
	return ok;
}

static bool
fill(X509 *cert, EVP_PKEY *key)
{
	X509_NAME *name = X509_get_subject_name(cert);

	return X509_set_version(cert, X509_VERSION_3) == 1 &&
	    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1 &&
	    X509_gmtime_adj(X509_getm_notBefore(cert), -DAY_S / 24) != NULL &&
	    X509_gmtime_adj(X509_getm_notAfter(cert), DAY_S) != NULL &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"youyun attest", -1, -1, 0) == 1 &&
	    X509_set_issuer_name(cert, name) == 1 &&
	    X509_set_pubkey(cert, key) == 1 &&
	    add_extension(cert, NID_basic_constraints, "critical,CA:TRUE") &&
	    add_extension(cert, NID_subject_alt_name, "IP:127.0.0.1") &&
	    X509_sign(cert, key, EVP_sha256()) > 0;
}

static bool
write_pem(X509 *cert, char *pem)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int n = 0;

	if (bio != NULL && PEM_write_bio_X509(bio, cert) == 1)
		n = BIO_read(bio, pem, ATTEST_PEM_BYTES - 1);
	BIO_free(bio);
	if (n <= 0 || n >= ATTEST_PEM_BYTES - 1)
		return false;
	pem[n] = '\0';
	return true;
}

SSL_CTX *
attest_certificate_make(char pem[ATTEST_PEM_BYTES])
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	bool ok;

	ok = key != NULL && cert != NULL && ctx != NULL && fill(cert, key) &&
	    write_pem(cert, pem) &&
	    SSL_CTX_use_certificate(ctx, cert) == 1 &&
	    SSL_CTX_use_PrivateKey(ctx, key) == 1;
	EVP_PKEY_free(key);
	X509_free(cert);
	if (!ok) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}
