#include "admin/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/bytes.h"
#include "base/clock.h"

#define ANSWER_BYTES 512
#define PROXY_AUTH_BYTES 512

struct session {
	struct probe *probe;
	struct mono_time start;
	int fd;
	SSL_CTX *ctx;
	SSL *ssl;
};

static int64_t
elapsed_us(const struct session *s)
{
	return mono_diff_us(clock_mono(), s->start);
}

/* Waits for the socket, never beyond the deadline. */
static bool
wait_for(const struct session *s, short events)
{
	struct pollfd pfd = { .fd = s->fd, .events = events };
	int64_t left_ms;

	left_ms = s->probe->timeout_ms - elapsed_us(s) / 1000;
	if (left_ms > 0 && poll(&pfd, 1, (int)left_ms) == 1)
		return true;
	snprintf(s->probe->why, sizeof s->probe->why,
	    "no answer within %d ms", s->probe->timeout_ms);
	return false;
}

static int
dial_port(const struct probe *p)
{
	return p->proxy_host[0] != '\0' ? p->proxy_port : p->port;
}

static bool
connect_one(struct session *s, const struct addrinfo *ai)
{
	struct probe *p = s->probe;
	socklen_t len;
	int error;

	s->fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0);
	if (s->fd < 0) {
		snprintf(p->why, sizeof p->why, "socket: %s",
		    strerror(errno));
		return false;
	}
	getnameinfo(ai->ai_addr, ai->ai_addrlen, p->address,
	    sizeof p->address, NULL, 0, NI_NUMERICHOST);
	error = connect(s->fd, ai->ai_addr, ai->ai_addrlen) == 0 ? 0 : errno;
	if (error == EINPROGRESS) {
		if (!wait_for(s, POLLOUT))
			goto fail;
		len = sizeof error;
		getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	}
	if (error == 0) {
		p->connect_us = elapsed_us(s);
		return true;
	}
	snprintf(p->why, sizeof p->why, "connecting to %s%s port %d: %s",
	    p->proxy_host[0] != '\0' ? "the proxy " : "", p->address,
	    dial_port(p), strerror(error));
fail:
	close(s->fd);
	s->fd = -1;
	return false;
}

static bool
connect_any(struct session *s)
{
	const struct probe *p = s->probe;
	const char *host = p->proxy_host[0] != '\0' ? p->proxy_host : p->host;
	struct addrinfo hints, *list, *ai;
	char port[16];
	int error;
	bool ok;

	memset(&hints, 0, sizeof hints);
	hints.ai_socktype = SOCK_STREAM;
	snprintf(port, sizeof port, "%d", dial_port(p));
	error = getaddrinfo(host, port, &hints, &list);
	if (error != 0) {
		snprintf(s->probe->why, sizeof s->probe->why,
		    "looking %.150s up: %s", host, gai_strerror(error));
		return false;
	}
	ok = false;
	for (ai = list; ai != NULL && !ok; ai = ai->ai_next)
		ok = connect_one(s, ai);
	freeaddrinfo(list);
	return ok;
}

static bool
trust(struct session *s)
{
	X509_STORE *store;
	X509 *cert;
	BIO *bio;
	int n;

	if (s->probe->ca[0] == '\0')
		return SSL_CTX_set_default_verify_paths(s->ctx) == 1;
	bio = BIO_new_mem_buf(s->probe->ca, -1);
	store = SSL_CTX_get_cert_store(s->ctx);
	n = 0;
	while (bio != NULL &&
	    (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		n += X509_STORE_add_cert(store, cert);
		X509_free(cert);
	}
	BIO_free(bio);
	ERR_clear_error();
	return n > 0;
}

static bool
tls_open(struct session *s)
{
	unsigned char ip[16];
	bool is_ip;

	s->ctx = SSL_CTX_new(TLS_client_method());
	if (s->ctx == NULL || !trust(s)) {
		snprintf(s->probe->why, sizeof s->probe->why,
		    "TLS: the certificates to trust can't be read");
		return false;
	}
	SSL_CTX_set_min_proto_version(s->ctx, TLS1_2_VERSION);
	SSL_CTX_set_verify(s->ctx, SSL_VERIFY_PEER, NULL);
	s->ssl = SSL_new(s->ctx);
	if (s->ssl == NULL)
		return false;
	is_ip = inet_pton(AF_INET, s->probe->host, ip) == 1 ||
	    inet_pton(AF_INET6, s->probe->host, ip) == 1;
	if (is_ip)
		return X509_VERIFY_PARAM_set1_ip_asc(
		    SSL_get0_param(s->ssl), s->probe->host) == 1 &&
		    SSL_set_fd(s->ssl, s->fd) == 1;
	return SSL_set_tlsext_host_name(s->ssl, s->probe->host) == 1 &&
	    SSL_set1_host(s->ssl, s->probe->host) == 1 &&
	    SSL_set_fd(s->ssl, s->fd) == 1;
}

/* What to do after an SSL call that returned r; false: it failed. */
static bool
tls_wait(struct session *s, int r, const char *step)
{
	char reason[160];
	long verified;

	switch (SSL_get_error(s->ssl, r)) {
	case SSL_ERROR_WANT_READ:
		return wait_for(s, POLLIN);
	case SSL_ERROR_WANT_WRITE:
		return wait_for(s, POLLOUT);
	default:
		break;
	}
	verified = SSL_get_verify_result(s->ssl);
	if (verified != X509_V_OK)
		snprintf(reason, sizeof reason, "%s",
		    X509_verify_cert_error_string(verified));
	else if (ERR_peek_error() != 0)
		snprintf(reason, sizeof reason, "%s",
		    ERR_reason_error_string(ERR_peek_error()));
	else
		snprintf(reason, sizeof reason, "the connection was closed");
	snprintf(s->probe->why, sizeof s->probe->why, "%s: %s", step, reason);
	return false;
}

static bool
tls_handshake(struct session *s)
{
	int r;

	if (!s->probe->tls)
		return true;
	if (!tls_open(s)) {
		if (s->probe->why[0] == '\0')
			snprintf(s->probe->why, sizeof s->probe->why,
			    "TLS can't be set up");
		return false;
	}
	while ((r = SSL_connect(s->ssl)) != 1)
		if (!tls_wait(s, r, "TLS"))
			return false;
	s->probe->tls_us = elapsed_us(s);
	snprintf(s->probe->tls_version, sizeof s->probe->tls_version, "%s",
	    SSL_get_version(s->ssl));
	snprintf(s->probe->tls_cipher, sizeof s->probe->tls_cipher, "%s",
	    SSL_get_cipher_name(s->ssl));
	return true;
}

static bool
send_all(struct session *s, const char *p, size_t len)
{
	ssize_t n;
	int r;

	while (len > 0) {
		if (s->ssl != NULL) {
			r = SSL_write(s->ssl, p, (int)len);
			if (r <= 0) {
				if (!tls_wait(s, r, "sending"))
					return false;
				continue;
			}
			n = r;
		} else {
			n = send(s->fd, p, len, MSG_NOSIGNAL);
			if (n < 0 && errno == EAGAIN) {
				if (!wait_for(s, POLLOUT))
					return false;
				continue;
			}
			if (n < 0) {
				snprintf(s->probe->why, sizeof s->probe->why,
				    "sending: %s", strerror(errno));
				return false;
			}
		}
		p += n;
		len -= (size_t)n;
	}
	return true;
}

/* Up to the status line; the rest of the answer is nobody's business. */
static bool
read_status(struct session *s)
{
	char answer[ANSWER_BYTES];
	size_t len;
	ssize_t n;

	len = 0;
	for (;;) {
		if (s->ssl != NULL) {
			n = SSL_read(s->ssl, answer + len,
			    (int)(sizeof answer - 1 - len));
			if (n <= 0) {
				if (!tls_wait(s, (int)n, "reading"))
					return false;
				continue;
			}
		} else {
			n = recv(s->fd, answer + len, sizeof answer - 1 - len,
			    0);
			if (n < 0 && errno == EAGAIN) {
				if (!wait_for(s, POLLIN))
					return false;
				continue;
			}
			if (n <= 0) {
				snprintf(s->probe->why, sizeof s->probe->why,
				    "reading: %s", n == 0 ?
				    "the connection was closed" :
				    strerror(errno));
				return false;
			}
		}
		len += (size_t)n;
		answer[len] = '\0';
		if (len >= 12)
			break;
	}
	s->probe->answer_us = elapsed_us(s);
	if (sscanf(answer, "HTTP/1.%*1[01] %3d", &s->probe->status) == 1 &&
	    s->probe->status >= 100)
		return true;
	snprintf(s->probe->why, sizeof s->probe->why,
	    "the answer is not HTTP/1.1");
	return false;
}

/* Byte by byte, for what follows the head is the upstream's. */
static bool
read_tunnel_head(struct session *s)
{
	char head[ANSWER_BYTES * 8];
	size_t len = 0;
	ssize_t n;

	do {
		if (!wait_for(s, POLLIN))
			return false;
		n = recv(s->fd, head + len, 1, 0);
		if (n < 0 && errno == EAGAIN)
			continue;
		if (n <= 0 || len == sizeof head - 2) {
			snprintf(s->probe->why, sizeof s->probe->why,
			    "the proxy closed the connection");
			return false;
		}
		head[++len] = '\0';
	} while (len < 4 || strcmp(head + len - 4, "\r\n\r\n") != 0);
	if (sscanf(head, "HTTP/1.%*1[01] %3d", &s->probe->status) == 1 &&
	    s->probe->status >= 200 && s->probe->status <= 299)
		return true;
	snprintf(s->probe->why, sizeof s->probe->why,
	    "the proxy answered with %d", s->probe->status);
	s->probe->status = 0;
	return false;
}

static bool
tunnel(struct session *s)
{
	struct probe *p = s->probe;
	char basic[4 * PROXY_AUTH_BYTES / 3 + 8] = "";
	size_t len = strlen(p->proxy_auth);
	struct buf request;
	bool ok, v6 = strchr(p->host, ':') != NULL;

	if (p->proxy_host[0] == '\0')
		return true;
	buf_init(&request, 8192);
	if (len <= PROXY_AUTH_BYTES)
		EVP_EncodeBlock((unsigned char *)basic,
		    (const unsigned char *)p->proxy_auth, (int)len);
	ok = buf_printf(&request, "CONNECT %s%s%s:%d HTTP/1.1\r\n"
	    "Host: %s%s%s:%d\r\n", v6 ? "[" : "", p->host, v6 ? "]" : "",
	    p->port, v6 ? "[" : "", p->host, v6 ? "]" : "", p->port);
	if (ok && len > 0)
		ok = buf_printf(&request, "Proxy-Authorization: Basic %s\r\n",
		    basic);
	ok = ok && buf_append(&request, "\r\n", 2) &&
	    send_all(s, buf_head(&request), request.len) &&
	    read_tunnel_head(s);
	bytes_scrub(basic, sizeof basic);
	buf_free(&request);
	return ok;
}

static bool
talk(struct session *s)
{
	struct probe *p = s->probe;
	struct buf request;
	bool ok, v6;

	v6 = strchr(p->host, ':') != NULL;
	buf_init(&request, 8192);
	ok = buf_printf(&request, "GET %s HTTP/1.1\r\nHost: %s%s%s",
	    p->path, v6 ? "[" : "", p->host, v6 ? "]" : "");
	if (ok && p->port != (p->tls ? 443 : 80))
		ok = buf_printf(&request, ":%d", p->port);
	ok = ok && buf_printf(&request, "\r\nUser-Agent: youyunctl\r\n"
	    "Accept: application/json\r\nConnection: close\r\n%s\r\n",
	    p->headers);
	if (!ok)
		snprintf(p->why, sizeof p->why, "the request is too long");
	ok = ok && send_all(s, buf_head(&request), request.len) &&
	    read_status(s);
	buf_free(&request);
	return ok;
}

bool
probe_run(struct probe *probe)
{
	struct session s = {
		.probe = probe, .start = clock_mono(), .fd = -1
	};
	bool ok;

	ERR_clear_error();
	ok = connect_any(&s) && tunnel(&s) && tls_handshake(&s) && talk(&s);
	if (s.ssl != NULL)
		SSL_free(s.ssl);
	if (s.ctx != NULL)
		SSL_CTX_free(s.ctx);
	if (s.fd >= 0)
		close(s.fd);
	return ok;
}
