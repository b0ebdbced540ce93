#include "upstream/tunnel.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/evp.h>

#include "base/bytes.h"
#include "http/response_head.h"
#include "upstream/connection.h"
#include "upstream/endpoint_state.h"

#define PEEK_BYTES 1024

struct tunnel {
	size_t sent;
	struct response_head head;
};

static char *
encode(const char *auth)
{
	size_t len = strlen(auth);
	char *text = malloc(4 * (len / 3 + 1) + 1);

	if (text != NULL)
		EVP_EncodeBlock((unsigned char *)text,
		    (const unsigned char *)auth, (int)len);
	return text;
}

char *
tunnel_request(const char *host, uint16_t port, const char *auth,
    size_t *len_r)
{
	bool v6 = strchr(host, ':') != NULL;
	bool with_auth = auth != NULL && auth[0] != '\0';
	char *basic = with_auth ? encode(auth) : NULL;
	char *request = NULL, where[CHANNEL_HOST_BYTES + 16];
	int n;

	*len_r = 0;
	if (with_auth && basic == NULL)
		return NULL;
	snprintf(where, sizeof(where), "%s%s%s:%u", v6 ? "[" : "", host,
	    v6 ? "]" : "", (unsigned)port);
	n = asprintf(&request, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s%s%s\r\n",
	    where, where, with_auth ? "Proxy-Authorization: Basic " : "",
	    with_auth ? basic : "", with_auth ? "\r\n" : "");
	if (basic != NULL) {
		bytes_scrub(basic, strlen(basic));
		free(basic);
	}
	if (n < 0)
		return NULL;
	*len_r = (size_t)n;
	return request;
}

void
tunnel_request_free(char **request, size_t len)
{
	if (*request == NULL)
		return;
	bytes_scrub(*request, len);
	free(*request);
	*request = NULL;
}

struct tunnel *
tunnel_new(void)
{
	struct tunnel *t = calloc(1, sizeof(*t));

	if (t != NULL)
		response_head_init(&t->head);
	return t;
}

void
tunnel_free(struct tunnel **tunnel)
{
	free(*tunnel);
	*tunnel = NULL;
}

static enum tunnel_result
send_request(struct tunnel *t, struct connection *c)
{
	const struct upstream *up = c->upstream;

	while (t->sent < up->tunnel_len && c->writable) {
		ssize_t n = send(c->watch.fd, up->tunnel + t->sent,
		    up->tunnel_len - t->sent, MSG_NOSIGNAL);

		if (n >= 0)
			t->sent += (size_t)n;
		else if (errno == EAGAIN)
			c->writable = false;
		else if (errno != EINTR)
			return TUNNEL_BROKEN;
	}
	return t->sent == up->tunnel_len ? TUNNEL_OPEN : TUNNEL_AGAIN;
}

/* Looked at first and then taken no further than the head: what follows it
 * belongs to the upstream's connection. */
static enum tunnel_result
read_head(struct tunnel *t, struct connection *c)
{
	char bytes[PEEK_BYTES];
	enum http_result result = HTTP_MORE;
	size_t used;
	ssize_t n;

	while (c->readable && result == HTTP_MORE) {
		n = recv(c->watch.fd, bytes, sizeof(bytes), MSG_PEEK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			c->readable = false;
			break;
		}
		if (n <= 0)
			return TUNNEL_BROKEN;
		result = response_head_feed(&t->head, bytes, (size_t)n, &used);
		if (recv(c->watch.fd, bytes, used, 0) != (ssize_t)used)
			return TUNNEL_BROKEN;
	}
	if (result == HTTP_MORE)
		return TUNNEL_AGAIN;
	return result == HTTP_DONE && t->head.status >= 200 &&
	    t->head.status <= 299 ? TUNNEL_OPEN : TUNNEL_REFUSED;
}

enum tunnel_result
tunnel_run(struct tunnel *t, struct connection *c)
{
	enum tunnel_result result = send_request(t, c);

	return result == TUNNEL_OPEN ? read_head(t, c) : result;
}
