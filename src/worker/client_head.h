/*
 * client_head.h: what is used of a request's head, found in one pass.
 * Layer: worker (private).
 * Written by: client_head_read(); every value is borrowed from the connection
 * and stays as long as its request.
 */
#ifndef WORKER_CLIENT_HEAD_H
#define WORKER_CLIENT_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct MHD_Connection;

#define CLIENT_HEAD_BETAS 4
#define CLIENT_HEAD_QUERIES 12

struct client_query {
	struct span name;
	struct span value;		/* unescaped */
};

struct client_head {
	/* Customer's keys, wherever they stood; they must agree. */
	struct span key;
	bool has_key;
	bool keys_differ;

	/* To the upstream, if it speaks that protocol; p NULL when absent. */
	struct span accept;
	struct span anthropic_version;
	struct span anthropic_beta[CLIENT_HEAD_BETAS];
	uint32_t anthropic_betas;
	struct span openai_beta;
	struct span idempotency_key;
	struct span session_id;		/* for us, see attempt.c */
	bool receipt;			/* likewise, see receipt.h */
	/* Members of the query that some route passes on. */
	struct client_query query[CLIENT_HEAD_QUERIES];
	uint32_t queries;

	struct span content_type;
	struct span user_agent;
	bool has_content_length;
	bool bad_content_length;
	uint64_t content_length;
	bool chunked;			/* any Transfer-Encoding at all */
	bool encoded;			/* Content-Encoding but identity */
	bool expect;			/* it waits before it sends the body */
	bool upgrade;			/* it wants another protocol */
	bool has_goog_api_key;		/* as a header or as ?key= */
};

void	client_head_read(struct MHD_Connection *connection,
	    struct client_head *head_r);

/* For it and for tests: one header (or, with is_query, one argument). */
void	client_head_add(struct client_head *head, bool is_query,
	    struct span name, struct span value);

/* application/json, with or without parameters. */
bool	client_head_is_json(const struct client_head *head);
/* multipart/form-data; its boundary isn't looked at. */
bool	client_head_is_form(const struct client_head *head);

#endif
