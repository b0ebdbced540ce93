/*
 * trust.h: the certificate authorities that upstreams are verified against.
 * Layer: upstream.
 * Written by: whoever starts a worker, before the sandbox closes.
 *
 * Everything is read into memory at once: OpenSSL's own default lookup opens
 * files of its directory while it verifies, which a worker may not.
 */
#ifndef UPSTREAM_TRUST_H
#define UPSTREAM_TRUST_H

#include <stdbool.h>
#include <stddef.h>

struct x509_store_st;		/* OpenSSL's X509_STORE */
struct upstream_trust;

/*
 * The system's authorities: OpenSSL's default file (SSL_CERT_FILE overrides)
 * and where that has none, its default directory (SSL_CERT_DIR).  Returned,
 * caller frees; NULL when memory is short.  An empty store is no error here,
 * see upstream_trust_count(); every verification against it then fails.
 * Also initialises OpenSSL, with its configuration file, and the time zone.
 */
struct upstream_trust *upstream_trust_load(void);
void	upstream_trust_free(struct upstream_trust **trust);

/* Certificates in the store. */
size_t	upstream_trust_count(const struct upstream_trust *trust);

/* Borrowed; for endpoint.c. */
struct x509_store_st *upstream_trust_store(const struct upstream_trust *trust);

/* A store of the certificates in pem.  Returned, caller frees with
 * X509_STORE_free(); NULL when there is none in it or one is broken. */
struct x509_store_st *upstream_trust_parse(const char *pem, size_t len);

#endif
