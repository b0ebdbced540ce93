/*
 * tls.h: an upstream's TLS settings and the sessions to resume.
 * Layer: upstream, private to it.
 * Written by: the upstream that owns the struct.
 */
#ifndef UPSTREAM_TLS_H
#define UPSTREAM_TLS_H

#include <stdbool.h>
#include <stddef.h>

struct ssl_st;
struct ssl_ctx_st;
struct ssl_session_st;
struct x509_store_st;

/* A TLS 1.3 ticket serves one connection; a server gives two a connection. */
#define TLS_SESSIONS 8

struct tls {
	struct ssl_ctx_st *ctx;
	char *server_name;		/* NULL: an address, no SNI */
	size_t sessions;
	struct ssl_session_st *session[TLS_SESSIONS];	/* the newest last */
};

/*
 * host: a name or an address, which certificates must be for.  store is shared
 * (a reference is taken); NULL trusts nobody.  False when memory is short;
 * tls is then empty.
 */
bool	tls_init(struct tls *tls, const char *host,
	    struct x509_store_st *store) __attribute__((warn_unused_result));
void	tls_fini(struct tls *tls);

/* A client's end, with SNI, verification and, if there is one, a session.
 * Caller sets its BIO.  NULL when memory is short. */
struct ssl_st *tls_open(struct tls *tls);

#endif
