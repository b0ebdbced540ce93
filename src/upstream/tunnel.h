/*
 * tunnel.h: the way through an HTTP proxy, by CONNECT (RFC 9110, 9.3.6).
 * Layer: upstream, private to it.
 * Written by: the connection that owns the struct.
 *
 * Before TLS, a request goes out and a head comes back; with 2xx the
 * connection is the upstream's own from the next byte on.
 */
#ifndef UPSTREAM_TUNNEL_H
#define UPSTREAM_TUNNEL_H

#include <stddef.h>
#include <stdint.h>

struct connection;
struct tunnel;

/*
 * The request for a tunnel to host:port; auth is "user:password", "" or NULL
 * for none.  Returned, caller frees with tunnel_request_free(), which scrubs;
 * NULL when memory is short.
 */
char	*tunnel_request(const char *host, uint16_t port, const char *auth,
	    size_t *len_r);
void	tunnel_request_free(char **request, size_t len);

enum tunnel_result {
	TUNNEL_OPEN,
	TUNNEL_AGAIN,		/* wait for the next event */
	TUNNEL_REFUSED,		/* the proxy said no, or nothing of sense */
	TUNNEL_BROKEN		/* it closed */
};

/* NULL when memory is short; caller frees. */
struct tunnel *tunnel_new(void);
void	tunnel_free(struct tunnel **tunnel);
/* Sends and reads as far as it goes; reads no byte behind the head. */
enum tunnel_result tunnel_run(struct tunnel *tunnel, struct connection *c);

#endif
