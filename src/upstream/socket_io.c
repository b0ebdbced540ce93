#include "upstream/socket_io.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "upstream/client.h"
#include "upstream/connection.h"
#include "upstream/endpoint_state.h"
#include "upstream/exchange.h"

/* Head and spans. */
#define IOVECS (EXCHANGE_BODY_SPANS + 1)

static enum connection_result
receive(struct connection *c, char *p, size_t len, size_t *n_r)
{
	ssize_t n;

	*n_r = 0;
	if (!c->readable)
		return CONNECTION_AGAIN;
	do
		n = recv(c->watch.fd, p, len, 0);
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		/* A short read emptied the socket (epoll(7)); what comes
		 * after it raises an event.  Only an end seen before the
		 * read doesn't. */
		if ((size_t)n < len && !c->hung_up)
			c->readable = false;
		*n_r = (size_t)n;
		return CONNECTION_OK;
	}
	if (n == 0) {
		c->eof = true;
		return CONNECTION_EOF;
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK) {
		c->readable = false;
		return CONNECTION_AGAIN;
	}
	c->broken = true;
	return CONNECTION_BROKEN;
}

static enum connection_result
transmit(struct connection *c, struct iovec *iov, size_t iovs, size_t *n_r)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = iovs };
	size_t len = 0;
	ssize_t n;

	*n_r = 0;
	if (c->send_broken)
		return CONNECTION_BROKEN;
	if (!c->writable)
		return CONNECTION_AGAIN;
	for (size_t i = 0; i < iovs; i++)
		len += iov[i].iov_len;
	do
		n = sendmsg(c->watch.fd, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0) {
		if ((size_t)n < len)
			c->writable = false;
		*n_r = (size_t)n;
		return n > 0 ? CONNECTION_OK : CONNECTION_AGAIN;
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK) {
		c->writable = false;
		return CONNECTION_AGAIN;
	}
	/* An answer may be waiting that says why. */
	c->send_broken = true;
	c->readable = true;
	return CONNECTION_BROKEN;
}

static int
bio_read(BIO *bio, char *p, size_t len, size_t *n_r)
{
	struct connection *c = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	switch (receive(c, p, len, n_r)) {
	case CONNECTION_OK:
		return 1;
	case CONNECTION_AGAIN:
		BIO_set_retry_read(bio);
		return 0;
	case CONNECTION_EOF:
	case CONNECTION_BROKEN:
	case CONNECTION_TLS:
	case CONNECTION_TLS_VERIFY:
	case CONNECTION_PROXY:
		break;
	}
	return 0;
}

static int
bio_write(BIO *bio, const char *p, size_t len, size_t *n_r)
{
	struct connection *c = BIO_get_data(bio);
	/* sendmsg() doesn't change it. */
	struct iovec iov = { .iov_base = (void *)(uintptr_t)p, .iov_len = len };

	BIO_clear_retry_flags(bio);
	if (transmit(c, &iov, 1, n_r) == CONNECTION_OK)
		return 1;
	/* When broken as well: so OpenSSL still reads the early answer that
	 * may be there.  c->send_broken tells. */
	BIO_set_retry_write(bio);
	return 0;
}

static long
bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
	struct connection *c = BIO_get_data(bio);

	(void)num;
	(void)ptr;
	switch (cmd) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_EOF:
		return c->eof;
	default:
		return 0;
	}
}

/* Made once and kept for ever. */
static BIO_METHOD *
method(void)
{
	static BIO_METHOD *m;
	BIO_METHOD *fresh;

	if (m != NULL)
		return m;
	fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK,
	    "upstream");
	if (fresh == NULL)
		return NULL;
	if (!BIO_meth_set_read_ex(fresh, bio_read) ||
	    !BIO_meth_set_write_ex(fresh, bio_write) ||
	    !BIO_meth_set_ctrl(fresh, bio_ctrl)) {
		BIO_meth_free(fresh);
		return NULL;
	}
	return m = fresh;
}

bool
socket_io_attach(struct connection *c)
{
	BIO_METHOD *m = method();
	BIO *bio = m == NULL ? NULL : BIO_new(m);

	if (bio == NULL)
		return false;
	BIO_set_data(bio, c);
	BIO_set_init(bio, 1);
	SSL_set_bio(c->ssl, bio, bio);
	return true;
}

static enum connection_result
tls_result(struct connection *c, int ret)
{
	switch (SSL_get_error(c->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		return CONNECTION_AGAIN;
	case SSL_ERROR_WANT_WRITE:
		return c->send_broken ? CONNECTION_BROKEN : CONNECTION_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		c->eof = true;
		return CONNECTION_EOF;
	}
	c->tls_failed = true;
	ERR_clear_error();
	return c->broken || c->eof ? CONNECTION_BROKEN : CONNECTION_TLS;
}

enum connection_result
connection_handshake(struct connection *c)
{
	struct upstream_stats *stats = &c->upstream->client->stats;
	enum connection_result result;
	int ret;

	ERR_clear_error();
	ret = SSL_do_handshake(c->ssl);
	if (ret == 1) {
		stats->handshakes++;
		if (SSL_session_reused(c->ssl))
			stats->resumed++;
		c->state = CONNECTION_OPEN;
		return CONNECTION_OK;
	}
	result = tls_result(c, ret);
	if (result == CONNECTION_TLS &&
	    SSL_get_verify_result(c->ssl) != X509_V_OK)
		return CONNECTION_TLS_VERIFY;
	return result;
}

enum connection_result
connection_recv(struct connection *c, char *p, size_t len, size_t *n_r)
{
	int ret;

	if (c->ssl == NULL)
		return receive(c, p, len, n_r);
	*n_r = 0;
	/* A clean end is remembered by OpenSSL, a failure is final. */
	if (c->tls_failed)
		return CONNECTION_BROKEN;
	ERR_clear_error();
	ret = SSL_read_ex(c->ssl, p, len, n_r);
	return ret == 1 ? CONNECTION_OK : tls_result(c, ret);
}

enum connection_result
connection_send(struct connection *c, const struct span *span, size_t spans,
    size_t *n_r)
{
	struct iovec iov[IOVECS];
	int ret;

	assert(spans > 0 && spans <= IOVECS);
	*n_r = 0;
	if (c->ssl == NULL) {
		for (size_t i = 0; i < spans; i++) {
			iov[i].iov_base = (void *)(uintptr_t)span[i].p;
			iov[i].iov_len = span[i].len;
		}
		return transmit(c, iov, spans, n_r);
	}
	assert(spans == 1 && span->len <= BUFFER_BYTES);
	if (c->send_broken || c->tls_failed)
		return CONNECTION_BROKEN;
	ERR_clear_error();
	ret = SSL_write_ex(c->ssl, span->p, span->len, n_r);
	if (ret == 1)
		return CONNECTION_OK;
	switch (tls_result(c, ret)) {
	case CONNECTION_OK:
	case CONNECTION_AGAIN:
		return CONNECTION_AGAIN;
	case CONNECTION_EOF:
	case CONNECTION_BROKEN:
	case CONNECTION_TLS:
	case CONNECTION_TLS_VERIFY:
	case CONNECTION_PROXY:
		break;
	}
	c->send_broken = true;
	return CONNECTION_BROKEN;
}
