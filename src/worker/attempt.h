/*
 * attempt.h: a call's attempts: one channel and credential after another until
 * something reaches the client.
 * Layer: worker (private).
 * Written by: one thread; relay.c says what happens, this decides what it
 * means for the channel, and whether the call goes elsewhere.
 *
 *	attempt_first ──► note ──► answered ──► (cut) ──► over
 *	                   │
 *	                   └─ attempt_again ──► note …
 *
 * A call has one hold and one settlement, whatever its attempts.  Nothing is
 * sent again once a byte of an answer could have reached the client.
 */
#ifndef WORKER_ATTEMPT_H
#define WORKER_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "shm/channel.h"
#include "upstream/failure.h"
#include "wire/error.h"
#include "worker/choose.h"

struct call;
struct catalogue_model;
struct response_head;
struct settings;
struct view_channel;
struct view_credential;
struct worker;

/* Within struct call. */
struct attempt {
	struct tried tried;
	uint64_t affinity;		/* 0: none */
	struct channel_credential_key key;
	uint64_t probe;			/* of the channel's breaker; or 0 */
	uint64_t credential_probe;
	struct mono_time began;
	int64_t wait_ms;		/* until a channel that had just no
					 * room has some; 0: unknown */
	bool open;			/* counted into its channel */
	bool sent;			/* the request's bytes are the call's */
	bool answered;
	bool noted;			/* its end was reported */
	bool others;			/* there was somewhere else to go */
	bool may_go_on;			/* it failed in a way that may be mended
					 * elsewhere */
	bool whole_channel;		/* not by another credential of it */
};

/* Where the call would go now, for admission.  False: refused. */
bool	attempt_choose(struct call *call, const struct catalogue_model *model,
	    struct choice *choice_r) __attribute__((warn_unused_result));

/* With its hold.  choice NULL: as it is now.  False: refused, and the hold is
 * voided. */
bool	attempt_first(struct call *call, const struct catalogue_model *model,
	    const struct choice *choice) __attribute__((warn_unused_result));

/*
 * Before the first: takes part in a channel for something else than the call
 * itself, by any credential that will do, without a part in what calls may use
 * and cost there.  What is noted then is noted of that channel.  False: it is
 * full or out.  _over leaves it, and no trace of it in the call.
 */
bool	attempt_besides(struct call *call, const struct view_channel *channel,
	    const struct view_credential **credential_r)
	    __attribute__((warn_unused_result));
void	attempt_besides_over(struct call *call);

/* The channel that the call would take part in has room in so long. */
void	attempt_may_wait(struct call *call, int64_t ms);

/* The upstream has the request; it may be forgotten, now or later. */
void	attempt_sent(struct call *call);
/* A head came.  Reports what it says about channel and credential. */
void	attempt_note_status(struct call *call, int status,
	    const struct response_head *head);
/* It failed, or its answer can't be used. */
void	attempt_note_failure(struct call *call, enum upstream_failure failure);
/* The first byte of a good answer is here. */
void	attempt_answered(struct call *call);
/* Something is about to reach the client: there will be no other attempt. */
void	attempt_commit(struct call *call);

/* After a note: tries elsewhere.  False: this was the last attempt.  True: the
 * former exchange is gone and another is on its way; or the call was refused
 * for a reason of our own. */
bool	attempt_again(struct call *call) __attribute__((warn_unused_result));

/* The exchange is gone.  Any number of times. */
void	attempt_over(struct call *call);

/*
 * A worker's allowance of further attempts: each call adds retry_percent, each
 * further attempt takes 100; RETRY_BURST of them may be saved up.
 */
#define RETRY_BURST 10
void	retry_allow(int64_t *allowance, uint32_t percent);
bool	retry_take(int64_t *allowance);
int64_t	retry_start(uint32_t percent);

/*
 * How long an answer asks to be left alone, in ms; 0: it doesn't.  At most
 * max_ms.
 */
int64_t	attempt_rest_ms(int status, const struct response_head *head,
	    struct wall_time now, int64_t max_ms);

#endif
