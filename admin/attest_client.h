/*
 * attest_client.h: a customer's connection to this installation's own
 * listener: HTTP/1.1 over TLS, blocking, with deadlines.
 * Layer: admin.
 * Written by: one caller.
 */
#ifndef ADMIN_ATTEST_CLIENT_H
#define ADMIN_ATTEST_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/clock.h"

struct settings;

struct attest_client {
	int fd;			/* -1: not connected */
	void *ctx, *ssl;	/* SSL_CTX, SSL; NULL without TLS */
	struct mono_time until;
	int status;		/* of the answer */
	struct buf answer;	/* head and body as they came */
	char why[160];		/* when something failed */
};

/* To the first address that the settings listen on, the loopback one where
 * they say any.  The certificate is not checked: it is our own listener, and
 * what is sent was made up.  attest_client_close() it in any case. */
bool	attest_client_open(struct attest_client *client,
	    const struct settings *settings, int timeout_ms)
	    __attribute__((warn_unused_result));
void	attest_client_close(struct attest_client *client);

bool	attest_client_send(struct attest_client *client, const void *bytes,
	    size_t len) __attribute__((warn_unused_result));
/*
 * Reads an answer: to its end, or (wanted not NULL) until it has these bytes.
 * False: it didn't come in time, or the connection was closed before its end.
 */
bool	attest_client_read(struct attest_client *client, const char *wanted)
	    __attribute__((warn_unused_result));
/* Our port, and theirs. */
bool	attest_client_ports(const struct attest_client *client, int *own_r,
	    int *peer_r) __attribute__((warn_unused_result));

#endif
