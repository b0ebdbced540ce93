/*
 * choose.h: which channel, and which of its credentials, an attempt goes by.
 * Layer: worker (private).
 * Written by: nobody; reads the view and the segment.
 *
 * Channels that serve the model by the protocol and are open to the group are
 * looked at in the order of their priority.  The first priority with one that
 * is fit (its breaker lets calls through, it is within its limits, a
 * credential is neither refused nor resting) is the one chosen from: with an
 * affinity by rendezvous, so that the same affinity meets the same credential
 * for as long as it is fit and moves no other when it isn't; else the less
 * loaded of two that were drawn by weight.
 *
 * Where none serves the model by the protocol, those that the call can be
 * translated for take their place.
 */
#ifndef WORKER_CHOOSE_H
#define WORKER_CHOOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "wire/route.h"

struct catalogue_model;
struct catalogue_view;
struct policy_pair;
struct shm;
struct view_channel;
struct view_credential;

/* Where a call has been already, and isn't sent again. */
#define TRIED_MAX 12
#define TRIED_WHOLE_CHANNEL UINT32_MAX
struct tried {
	uint32_t n;
	struct {
		uint32_t slot;
		uint32_t credential;	/* or TRIED_WHOLE_CHANNEL */
	} at[TRIED_MAX];
};
/* False: there is no room for more, so let there be no more attempts. */
bool	tried_add(struct tried *tried, uint32_t slot, uint32_t credential)
	    __attribute__((warn_unused_result));
bool	tried_has(const struct tried *tried, uint32_t slot,
	    uint32_t credential);

struct choice_ask {
	const struct catalogue_view *view;
	const struct shm *shm;
	const struct catalogue_model *model;
	enum wire_protocol protocol;
	enum wire_route route;		/* for what may be translated */
	uint64_t group_id;
	const struct policy_pair *policies;
	uint64_t channel_id;		/* the only one that will do; 0: any */
	uint64_t affinity;		/* 0: none */
	uint64_t random;
	struct mono_time now;
	int64_t wall_us;		/* when the call began */
	const struct tried *tried;
};

struct choice {
	const struct view_channel *channel;
	const struct view_credential *credential;
	const char *upstream_name;
	bool others;		/* there is somewhere else to go */
	/* When there is no choice: how long until there may be one. */
	int64_t wait_ms;
};

enum choice_result {
	CHOICE_MADE,
	CHOICE_NO_ROUTE,	/* nothing serves it by such a protocol */
	CHOICE_NO_REGION,	/* … in a region that the policies allow */
	CHOICE_NO_CHANNEL,	/* none is up */
	CHOICE_BUSY,		/* limits, or they were told to wait */
	CHOICE_REFUSED		/* every credential was refused */
};
enum choice_result choose(const struct choice_ask *ask,
	    struct choice *choice_r) __attribute__((warn_unused_result));

/*
 * For a rendezvous: the lowest score wins, each with a chance in proportion to
 * its weight.  Pure.
 */
uint64_t choose_score(uint64_t affinity, uint64_t id, uint32_t weight);

#endif
