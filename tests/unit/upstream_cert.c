#include "upstream_cert.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

static X509 *
bare_cert(EVP_PKEY *key, const char *name, long serial)
{
	X509 *cert = X509_new();
	X509_NAME *subject;

	ck_assert_ptr_nonnull(cert);
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	X509_set_pubkey(cert, key);
	subject = X509_get_subject_name(cert);
	ck_assert_int_eq(X509_NAME_add_entry_by_txt(subject, "CN",
	    MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0), 1);
	return cert;
}

static void
extend(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	ck_assert_ptr_nonnull(ext);
	ck_assert_int_eq(X509_add_ext(cert, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

void
authority_make(struct authority *ca, const char *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;

	ca->key = EVP_EC_gen("P-256");
	ck_assert_ptr_nonnull(ca->key);
	ca->cert = bare_cert(ca->key, name, 1);
	X509_set_issuer_name(ca->cert, X509_get_subject_name(ca->cert));
	extend(ca->cert, NID_basic_constraints, "critical,CA:TRUE");
	extend(ca->cert, NID_key_usage, "critical,keyCertSign,cRLSign");
	ck_assert_int_gt(X509_sign(ca->cert, ca->key, EVP_sha256()), 0);
	ck_assert_int_eq(PEM_write_bio_X509(bio, ca->cert), 1);
	n = BIO_get_mem_data(bio, &text);
	ca->pem = strndup(text, (size_t)n);
	ca->pem_bytes = (size_t)n;
	BIO_free(bio);
}

void
authority_free(struct authority *ca)
{
	EVP_PKEY_free(ca->key);
	X509_free(ca->cert);
	free(ca->pem);
}

void
authority_issue(const struct authority *ca, const char *alt, EVP_PKEY **key_r,
    X509 **cert_r)
{
	*key_r = EVP_EC_gen("P-256");
	ck_assert_ptr_nonnull(*key_r);
	*cert_r = bare_cert(*key_r, "an upstream", 2);
	X509_set_issuer_name(*cert_r, X509_get_subject_name(ca->cert));
	extend(*cert_r, NID_subject_alt_name, alt);
	ck_assert_int_gt(X509_sign(*cert_r, ca->key, EVP_sha256()), 0);
}
