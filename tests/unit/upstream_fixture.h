/*
 * upstream_fixture.h: a loop, a client, an upstream, a server, and calls.
 * Layer: tests.
 * Written by: the test that owns it.
 */
#ifndef TESTS_UPSTREAM_FIXTURE_H
#define TESTS_UPSTREAM_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/loop.h"
#include "shm/catalogue.h"
#include "upstream/endpoint.h"
#include "upstream/exchange.h"
#include "upstream_cert.h"
#include "upstream_server.h"

#define UPSTREAM_HOST "upstream.test"

struct fixture {
	struct server server;
	struct authority ca;
	struct loop *loop;
	struct upstream_client *client;
	struct upstream *upstream;
	struct upstream_config config;
	struct catalogue_address address[CHANNEL_ADDRESSES];
	const struct upstream_stats *stats;
};

/* Where a call cancels itself. */
enum cancel_at {
	CANCEL_NEVER,
	CANCEL_ON_SENT,
	CANCEL_ON_HEAD,
	CANCEL_ON_BODY,
	CANCEL_ON_END
};

struct call {
	struct fixture *fixture;
	struct exchange *x;
	/* To be set before call_start(), or left. */
	const char *method;		/* POST */
	const char *target;		/* /call */
	struct span body[EXCHANGE_BODY_SPANS];
	size_t spans;
	uint64_t more_bytes;		/* to be appended; 0: it is not open */
	bool discard;			/* the answer */
	size_t take_max;		/* at most, each time; 0: all */
	enum cancel_at cancel_at;
	/* What happened. */
	struct buf head;
	struct buf answer;
	int status;
	int sents, heads, bodies, ends, fails, rooms;
	size_t offered_bytes;		/* by the last on_body */
	enum upstream_failure failure;
	bool retried;
};

/* Prepares f->config and the server's TLS; change them before fixture_open().
 * The server's certificate is for UPSTREAM_HOST and 127.0.0.1. */
void	fixture_init(struct fixture *f, bool tls, void (*serve)(struct peer *));
void	fixture_open(struct fixture *f);
/* Checks as well that nothing is left behind. */
void	fixture_close(struct fixture *f);

struct catalogue_address address_v4(int a, int b, int c, int d);

void	call_start(struct fixture *f, struct call *c);
/* Until it ended or failed. */
void	call_finish(struct call *c);
/* Start, finish, and the answer is exactly this. */
void	call_expect(struct fixture *f, int status, const char *answer);
void	call_expect_failure(struct fixture *f, enum upstream_failure failure);
void	call_free(struct call *c);

/* Turns the loop for about so long. */
void	turn_for(struct fixture *f, int ms);
/* Turns the loop until the server tells. */
void	turn_until_told(struct fixture *f);

#endif
