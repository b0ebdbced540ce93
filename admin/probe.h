/*
 * probe.h: one request to a channel's upstream, to see whether it works.
 * Layer: admin.  Blocking, with a deadline; TLS and its checks as workers do
 * them.
 * Written by: one caller.
 */
#ifndef ADMIN_PROBE_H
#define ADMIN_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct probe {
	/* in */
	const char *host;
	int port;
	bool tls;
	const char *path;	/* with its query, if any */
	const char *headers;	/* complete lines, with the credential */
	const char *ca;		/* PEM; "": the system's */
	const char *proxy_host;	/* "": none */
	int proxy_port;
	const char *proxy_auth;	/* "user:password"; "": none */
	int timeout_ms;
	/* out */
	char address[64];	/* the one that answered */
	char tls_version[32];
	char tls_cipher[64];
	int64_t connect_us;	/* durations, each from the start */
	int64_t tls_us;
	int64_t answer_us;	/* the status line was there */
	int status;
	char why[256];		/* when it failed: at which step and how */
};

/* True when an HTTP status came back, whatever it is. */
bool	probe_run(struct probe *probe) __attribute__((warn_unused_result));

#endif
