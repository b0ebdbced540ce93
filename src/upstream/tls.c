#include "upstream/tls.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* Every SSL of ctx is of this one upstream, hence of the same host and CA:
 * a session can't bring a verification that another upstream did. */
static int
new_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls *tls = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if (!SSL_SESSION_is_resumable(session))
		return 0;
	if (tls->sessions == TLS_SESSIONS) {
		SSL_SESSION_free(tls->session[0]);
		memmove(&tls->session[0], &tls->session[1],
		    (TLS_SESSIONS - 1) * sizeof(tls->session[0]));
		tls->sessions--;
	}
	tls->session[tls->sessions++] = session;
	return 1;
}

/* Returned, caller frees; NULL when there is none. */
static SSL_SESSION *
take_session(struct tls *tls)
{
	while (tls->sessions > 0) {
		SSL_SESSION *session = tls->session[tls->sessions - 1];

		if (!SSL_SESSION_is_resumable(session)) {
			SSL_SESSION_free(session);
			tls->sessions--;
			continue;
		}
		if (SSL_SESSION_get_protocol_version(session) >=
		    TLS1_3_VERSION)
			/* Used twice it would link the two connections. */
			tls->sessions--;
		else if (!SSL_SESSION_up_ref(session))
			return NULL;
		return session;
	}
	return NULL;
}

static bool
is_address(const char *host)
{
	struct in6_addr in6;

	return inet_pton(AF_INET, host, &in6) == 1 ||
	    inet_pton(AF_INET6, host, &in6) == 1;
}

static bool
verify_host(struct tls *tls, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(tls->ctx);

	if (is_address(host))
		return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
	X509_VERIFY_PARAM_set_hostflags(param,
	    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	tls->server_name = strdup(host);
	return tls->server_name != NULL &&
	    X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}

bool
tls_init(struct tls *tls, const char *host, X509_STORE *store)
{
	/* Without it a server that speaks both would choose HTTP/2. */
	static const unsigned char alpn[] = "\x08http/1.1";
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	*tls = (struct tls){ .ctx = ctx };
	if (ctx == NULL)
		goto fail;
	SSL_CTX_set_app_data(ctx, tls);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	if (!SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) ||
	    SSL_CTX_set_alpn_protos(ctx, alpn, sizeof(alpn) - 1) != 0 ||
	    !verify_host(tls, host))
		goto fail;
	if (store != NULL && !X509_STORE_up_ref(store))
		goto fail;
	if (store != NULL)
		SSL_CTX_set_cert_store(ctx, store);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_NO_COMPRESSION | SSL_OP_CLEANSE_PLAINTEXT);
	/* An idle connection holds no record buffers; and a request's pieces
	 * are gathered again, elsewhere, when a record didn't go out. */
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS |
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* One read a record instead of two: its header and its body. */
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT |
	    SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, new_session);
	return true;
fail:
	ERR_clear_error();
	tls_fini(tls);
	return false;
}

void
tls_fini(struct tls *tls)
{
	while (tls->sessions > 0)
		SSL_SESSION_free(tls->session[--tls->sessions]);
	SSL_CTX_free(tls->ctx);
	free(tls->server_name);
	*tls = (struct tls){ 0 };
}

SSL *
tls_open(struct tls *tls)
{
	SSL *ssl = SSL_new(tls->ctx);
	SSL_SESSION *session;

	if (ssl == NULL)
		goto fail;
	SSL_set_connect_state(ssl);
	if (tls->server_name != NULL &&
	    !SSL_set_tlsext_host_name(ssl, tls->server_name))
		goto fail;
	session = take_session(tls);
	if (session != NULL) {
		/* Failing only costs a full handshake. */
		(void)SSL_set_session(ssl, session);
		SSL_SESSION_free(session);
	}
	return ssl;
fail:
	ERR_clear_error();
	SSL_free(ssl);
	return NULL;
}
