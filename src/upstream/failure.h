/*
 * failure.h: why an exchange with an upstream failed.
 * Layer: upstream.
 * Written by: nobody; values only.
 */
#ifndef UPSTREAM_FAILURE_H
#define UPSTREAM_FAILURE_H

enum upstream_failure {
	UPSTREAM_NO_ADDRESS,		/* the host isn't resolved */
	UPSTREAM_CONNECT,		/* refused or unreachable, all of them */
	UPSTREAM_TLS,			/* handshake or record failed */
	UPSTREAM_TLS_VERIFY,		/* the certificate isn't the host's */
	UPSTREAM_SEND,			/* broke while sending, no answer */
	UPSTREAM_TIMEOUT_CONNECT,
	UPSTREAM_TIMEOUT_FIRST_BYTE,	/* sent, but no head came */
	UPSTREAM_TIMEOUT_IDLE,		/* nothing sent or received for long */
	UPSTREAM_TIMEOUT_TOTAL,
	UPSTREAM_CLOSED_BEFORE_HEAD,
	UPSTREAM_BAD_HEAD,		/* not HTTP, or too large */
	UPSTREAM_BAD_FRAMING,		/* ambiguous or broken body framing */
	UPSTREAM_CUT,			/* closed in the middle of the body */
	UPSTREAM_PROXY,			/* the proxy made no tunnel */
	UPSTREAM_MEMORY			/* or no descriptor left */
};
#define UPSTREAM_FAILURES (UPSTREAM_MEMORY + 1)

/* A constant for logs and metrics, such as "timeout_connect". */
const char *upstream_failure_name(enum upstream_failure failure);

#endif
