/*
 * attest_upstream.h: a provider in a child process, on a loopback address,
 * that answers, by TLS, as the canary in a prompt says.
 * Layer: admin.
 * Written by: attest_upstream_start(); the child shares nothing with us.
 */
#ifndef ADMIN_ATTEST_UPSTREAM_H
#define ADMIN_ATTEST_UPSTREAM_H

#include <stdbool.h>
#include <sys/types.h>

#include "admin/attest_canary.h"
#include "admin/attest_certificate.h"

struct attest_upstream {
	pid_t pid;
	int port;
	char ca[ATTEST_PEM_BYTES];	/* what to trust */
};

/* False with errno.  Dies with its parent. */
bool	attest_upstream_start(struct attest_upstream *upstream_r,
	    const struct canaries *canaries)
	    __attribute__((warn_unused_result));
void	attest_upstream_stop(struct attest_upstream *upstream);

/* The text of a prompt or an answer: the canary several times, as it is and
 * escaped, at least so many bytes.  Appends; false: no memory. */
struct buf;
bool	canary_text(struct buf *b, const char *canary, size_t bytes)
	    __attribute__((warn_unused_result));

#endif
