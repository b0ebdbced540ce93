/*
 * attest_certificate.h: a certificate for one run, on 127.0.0.1.
 * Layer: admin.
 * Written by: attest_certificate_make().
 */
#ifndef ADMIN_ATTEST_CERTIFICATE_H
#define ADMIN_ATTEST_CERTIFICATE_H

#include <stdbool.h>

#include <openssl/ssl.h>

#define ATTEST_PEM_BYTES 2048

/*
 * Signs itself, is good for a day; its key is in the context alone.  Returned,
 * SSL_CTX_free() it; NULL: OpenSSL failed.  pem_r: what to trust.
 */
SSL_CTX	*attest_certificate_make(char pem_r[ATTEST_PEM_BYTES]);

#endif
