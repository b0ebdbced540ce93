/*
 * call.h: one call, from its head to its settlement.
 * Layer: worker (private).
 * Written by: the rooms of the worker, each its part; one thread.
 *
 *	            ┌──────────► REFUSED ───────────┐  the body is swallowed
 *	 head ──► BODY ──► WAITING ──► ANSWERING ◄──┘
 *	            │         │            │
 *	            │         ├────────────┴──► DRAINING   client gone, the
 *	            │         │            │       │       upstream is read on
 *	            └─────────┴────────────┴───────┴──► OVER
 *
 * A call has up to three holders: the client's connection (`client`), the
 * exchange with the upstream (`exchange`) and a response of libmicrohttpd that
 * points into its buffer (`lent`).  It returns to the free list when all have
 * let go.  `settled` turns true once and for all calls: with the hold's
 * settlement, or with the record of a refusal.
 */
#ifndef WORKER_CALL_H
#define WORKER_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "shm/answer.h"
#include "shm/catalogue.h"
#include "shm/hold.h"
#include "shm/record.h"
#include "wire/error.h"
#include "wire/filter.h"
#include "wire/form.h"
#include "wire/meter.h"
#include "wire/request.h"
#include "wire/route.h"
#include "wire/splice.h"
#include "worker/attempt.h"
#include "worker/client_head.h"
#include "worker/limits.h"
#include "worker/policy.h"
#include "worker/spending.h"

struct client;
struct exchange;
struct moderation;
struct portal_answer;
struct screening;
struct translated;
struct wire_receipt;
struct worker;

enum call_state {
	CALL_BODY,	/* the body is coming (or there is none) */
	CALL_REFUSED,	/* `error` is decided, the body still coming */
	CALL_WAITING,	/* upstream has it, or who moderates; the client got
			 * nothing yet */
	CALL_ANSWERING,	/* `answer` is decided; maybe upstream feeds it */
	CALL_DRAINING,	/* no client; upstream's answer is metered */
	CALL_OVER	/* money done, upstream done */
};

enum call_answer {
	ANSWER_NONE,
	ANSWER_ERROR,	/* ours: `error` */
	ANSWER_WHOLE,	/* all of it is in `relay` */
	ANSWER_FLOW	/* passes through `relay` */
};

#define CALL_CONTENT_TYPE_BYTES 128
/* A chunk's size in hexadecimal, and its line's end. */
#define CALL_CHUNK_LINE_BYTES 20

struct call {
	struct call *next;		/* open calls, or the free list */
	struct call *prev;
	struct worker *worker;
	struct client *client;		/* NULL: gone */
	struct exchange *exchange;	/* NULL: none, or over */
	bool lent;			/* a response points into relay */

	enum call_state state;
	enum call_answer answer;
	bool queued;			/* libmicrohttpd has the answer */
	bool recorded;			/* `record` went to the ring */
	bool settled;

	/* The request. */
	struct client_head head;	/* borrowed from the connection */
	const struct wire_route_info *route;	/* NULL: none found */
	struct wire_path path;		/* borrowed likewise */
	enum wire_protocol protocol;
	char id[RECORD_ID_TEXT_BYTES];
	struct mono_time started;
	struct buf body;
	struct wire_request request;
	enum wire_error error;		/* of ours, or NONE */
	enum wire_error recorded_error;	/* if another is to be recorded */
	char param[WIRE_MODEL_BYTES];	/* what `error` is about */
	uint64_t limit;			/* likewise */
	uint32_t retry_after_s;

	uint32_t key_slot;		/* valid once authenticated */
	struct policy_pair policies;	/* likewise */
	struct call_limits limits;
	struct call_spending spending;

	/* The money. */
	uint32_t account;		/* slot; ACCOUNT_NONE */
	uint64_t group_id;
	uint32_t hold;			/* HOLD_NONE before and after */
	struct hold_terms terms;
	struct usage besides;		/* what it may use besides tokens */
	uint64_t input_tokens;		/* estimated */

	uint64_t covered_tokens;	/* of output, that money is held for */
	uint64_t ceiling_tokens;	/* of output, more can't come */
	uint64_t progress_tokens;	/* output when last told the hold */
	uint64_t progress_input;	/* likewise, of what was read */
	uint32_t progress_marks;
	bool exhausted;			/* the last extension failed */
	bool told_billable;
	struct call_record record;

	/* For its record to be durable, see durable.h. */
	struct call *wait_next, *wait_prev;
	uint64_t record_end;		/* the ring's position behind it */
	struct mono_time wait_until;
	bool awaits;			/* the last byte is held back */
	bool unrecorded;		/* in vain: to be broken off */

	/* Waiting for money from home, see park.h. */
	struct call *parked_next;
	struct call *parked_prev;
	bool parked;
	uint32_t park_tries;
	uint64_t park_answers;		/* the account's, when it asked */
	struct mono_time park_due;	/* ns 0: it doesn't wait */
	/* Answers that the upstream keeps; see answers.h. */
	struct answer_view stored;	/* the one that was asked about */
	bool is_stored;			/* there is one */
	bool noted;			/* the one that is made was put down */
	uint8_t stored_digest[ANSWER_DIGEST_BYTES];
	uint8_t noted_digest[ANSWER_DIGEST_BYTES];

	/* The upstream's side. */
	struct attempt attempt;
	const struct wire_route_info *upstream_route;
	struct translated *translated;	/* NULL: they speak the same */
	struct portal_answer *portal;	/* NULL: it isn't the portal's */
	char upstream_model[MODEL_NAME_BYTES]; /* if not as configured */
	struct buf upstream_head;
	struct wire_splice splice;
	bool renamed;			/* body has the upstream's model */
	bool uploading;			/* the exchange waits for the rest */
	bool upload_chunked;		/* … whose length nobody knows */
	char chunk_line[CALL_CHUNK_LINE_BYTES];
	bool upstream_ok;		/* it answered with 2xx */
	bool upstream_over;		/* nothing more comes */
	bool paused;			/* it waits for the client */
	bool waits;			/* a stream that waits for money */
	bool waits_mid_event;		/* where it stood before */
	bool waits_ended;		/* the upstream has said all */
	size_t withheld;		/* end of `relay` without money yet */
	uint64_t drained_bytes;
	bool screens;			/* the answer is text to be searched */
	struct screening *screening;	/* see screen.h; NULL: none */
	struct moderation *moderation;	/* see moderate.h; NULL: none */
	bool unread;			/* a form, for want of memory */
	uint64_t unscreened;		/* the catalogue that has no list for
					 * it, or with which its request
					 * passed */

	/* The answer. */
	int status;
	char content_type[CALL_CONTENT_TYPE_BYTES];
	bool streamed;			/* it comes bit by bit */
	bool events;			/* … as text/event-stream */
	bool metered;			/* meter was begun */
	bool filtered;			/* the usage frame is ours alone */
	bool wants_receipt;
	struct wire_receipt *receipt;	/* NULL: nobody asked */
	int64_t fee_nano;		/* of a settled call */
	bool broken;			/* must not look complete */
	bool has_length;
	uint64_t length;
	uint64_t delivered_bytes;	/* of the body, to libmicrohttpd */
	struct buf relay;
	struct wire_meter meter;
	struct wire_form form;		/* these last: rarely touched */
	struct wire_filter filter;
};

/* NULL when memory is short.  The call is the client's. */
struct call *call_begin(struct worker *worker, struct client *client)
	    __attribute__((warn_unused_result));

/* Frees the call when nobody holds it any more. */
void	call_release(struct call *call);
/* At the worker's end. */
void	call_free_all(struct worker *worker);

/* A refusal is decided: nothing was or will be charged for it. */
void	call_refuse(struct call *call, enum wire_error error);
void	call_refuse_about(struct call *call, enum wire_error error,
	    const char *param);

/* There is something new for the connection: run it in this turn. */
void	call_wake(struct call *call);
/* The loop's time. */
struct mono_time call_now(const struct call *call);

/* The request's body and the upstream's head are needed no more. */
void	call_forget_request(struct call *call);

#endif
