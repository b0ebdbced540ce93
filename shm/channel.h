/*
 * channel.h: what all workers know together of a channel and its credentials:
 * health, load, limits, latency.
 * Layer: shm.  Argued in shm/PROTOCOL.
 * Written by: workers, each word by itself, without locks; the flusher forgets
 * what is about a credential that was replaced.
 *
 * A channel is named by its slot, a credential by its slot in the channel and
 * its edition: what is reported about another edition than the one that is
 * there is dropped.  Times are monotonic.
 */
#ifndef SHM_CHANNEL_H
#define SHM_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "shm/breaker.h"

struct catalogue;
struct shm;

/* What was wrong with a channel the last time. */
enum channel_fault {
	CHANNEL_FAULT_NONE = 0,
	CHANNEL_FAULT_ADDRESS,		/* its host is not resolved */
	CHANNEL_FAULT_CONNECT,
	CHANNEL_FAULT_TLS,
	CHANNEL_FAULT_PROXY,
	CHANNEL_FAULT_SILENT,		/* no answer in time */
	CHANNEL_FAULT_CUT,		/* it broke off */
	CHANNEL_FAULT_BAD_ANSWER,	/* not HTTP, or not readable */
	CHANNEL_FAULT_STATUS,		/* 5xx */
	CHANNEL_FAULTS
};
/* "connect", "tls" …; "none". */
const char *channel_fault_name(enum channel_fault fault);

/* When a breaker opens, and for how long; from the settings. */
struct channel_policy {
	uint32_t failures;	/* in a row; 0: never */
	uint32_t percent;	/* of the calls of CHANNEL_WINDOW_MS */
	uint32_t open_ms;	/* at first; doubled with each failed probe */
	uint32_t refused_ms;	/* a refused credential's, likewise */
};
#define CHANNEL_WINDOW_MS 10000
#define CHANNEL_WINDOW_CALLS 20		/* fewer say nothing about a rate */
/* 403s in a row that count as a refused credential: one may be about the
 * request alone. */
#define CHANNEL_FORBIDDEN_MAX 3

struct channel_credential_key {
	uint32_t slot;		/* the channel's */
	uint32_t credential;	/* < CHANNEL_CREDENTIALS */
	uint64_t edition;
};

/*
 * Looking, before a choice: relaxed loads only.
 */
bool	channel_passes(const struct shm *shm, uint32_t slot, int64_t now_ms);
/* *until_ms_r: when it will pass again, if not now; *refused_r: because the
 * provider refused it. */
bool	channel_credential_passes(const struct shm *shm,
	    const struct channel_credential_key *key, int64_t now_ms,
	    int64_t *until_ms_r, bool *refused_r);
int64_t	channel_until_ms(const struct shm *shm, uint32_t slot);
/* Calls open now, in all workers: the sum of what each seat says. */
uint32_t channel_open(const struct shm *shm, uint32_t slot);
/* Until the next call fits the rate; 0: now. */
int64_t	channel_rate_wait_ms(const struct shm *shm, uint32_t slot,
	    uint32_t per_minute, struct mono_time now);

/*
 * This node's part of a limit that is the channel's as a whole: by how many
 * nodes are up, at least one; 0, no limit, stays 0.  The parts add up to no
 * more than the limit unless there are more nodes than it.
 */
uint32_t channel_share(const struct shm *shm, uint32_t limit);

/*
 * Taking part.  channel_take() counts a call in, within the limits (0: none),
 * never above them in all workers together; when two come for the last place
 * at once, both may be sent away.  A tenth of per_minute may come at once.
 * Every CHANNEL_TAKEN is followed by one channel_leave() of the same seat; a
 * dead worker's are forgotten with its seat.
 */
enum channel_take {
	CHANNEL_TAKEN,
	CHANNEL_CROWDED,	/* max_concurrent */
	CHANNEL_HURRIED		/* max_per_minute */
};
enum channel_take channel_take(struct shm *shm, uint32_t seat, uint32_t slot,
	    uint32_t concurrent, uint32_t per_minute, struct mono_time now)
	    __attribute__((warn_unused_result));
void	channel_leave(struct shm *shm, uint32_t seat, uint32_t slot);
/* Master, flusher: nothing of that seat is open any more. */
void	channel_forget_seat(struct shm *shm, uint32_t seat);

/* The breakers' words; probe tokens as in breaker.h. */
enum breaker_entry channel_enter(struct shm *shm, uint32_t slot,
	    int64_t now_ms, uint32_t probe_ms, uint64_t *probe_r)
	    __attribute__((warn_unused_result));
enum breaker_entry channel_credential_enter(struct shm *shm,
	    const struct channel_credential_key *key, int64_t now_ms,
	    uint32_t probe_ms, uint64_t *probe_r)
	    __attribute__((warn_unused_result));

/*
 * What became of it.  channel_answered(): the first byte of a good answer came
 * after first_byte_ms (below 0: an answer that says nothing about speed).
 * channel_failed(): true when this opened the breaker.
 */
void	channel_answered(struct shm *shm, uint32_t slot, uint64_t probe,
	    int64_t now_ms, int64_t first_byte_ms);
bool	channel_failed(struct shm *shm, uint32_t slot, uint64_t probe,
	    int64_t now_ms, const struct channel_policy *policy,
	    enum channel_fault fault, int status);
void	channel_given_up(struct shm *shm, uint32_t slot, uint64_t probe,
	    int64_t now_ms);

void	channel_credential_used(struct shm *shm,
	    const struct channel_credential_key *key, uint64_t probe);
/* 401, 402 or 403.  True: it is out from now on. */
bool	channel_credential_refused(struct shm *shm,
	    const struct channel_credential_key *key, uint64_t probe,
	    int64_t now_ms, const struct channel_policy *policy, int status);
/* Retry-After: not before until_ms. */
void	channel_credential_rest(struct shm *shm,
	    const struct channel_credential_key *key, int64_t until_ms,
	    int status);
void	channel_credential_given_up(struct shm *shm,
	    const struct channel_credential_key *key, uint64_t probe,
	    int64_t now_ms);

/*
 * Flusher, before it publishes: forgets what is about other channels, other
 * editions of credentials, or from before a reset by hand.
 */
void	channel_sync(struct shm *shm, const struct catalogue *catalogue);

/*
 * For people and metrics.
 */
#define CHANNEL_LATENCIES 20
/* A bucket's upper bound in milliseconds; INT64_MAX for the last. */
int64_t	channel_latency_bound_ms(uint32_t bucket);
/* The latency that percent of the answers were within, by interpolation; -1:
 * there is none. */
int64_t	channel_latency_percentile_ms(
	    const uint64_t latency[CHANNEL_LATENCIES], uint32_t percent);

struct channel_view {
	uint64_t channel_id;
	struct breaker_view breaker;
	uint32_t failures;		/* in a row */
	uint32_t window_calls, window_failures; /* of the last seconds */
	uint64_t answers, faults;	/* since the segment was made */
	uint64_t opened;		/* how often the breaker was */
	enum channel_fault fault;	/* the last one */
	int status;			/* of it, if CHANNEL_FAULT_STATUS */
	int64_t fault_us;		/* wall clock; 0: none */
	uint32_t open;
	uint64_t latency[CHANNEL_LATENCIES];
};
struct channel_credential_view {
	uint64_t edition;
	struct breaker_view breaker;
	int status;			/* that it was refused by, or sent to
					 * rest by; 0: neither */
	int64_t rest_until_ms;		/* past: it doesn't rest */
	uint64_t uses, refusals, rests;
};
/* False: no such slot. */
bool	channel_read(const struct shm *shm, uint32_t slot, int64_t now_ms,
	    struct channel_view *view_r) __attribute__((warn_unused_result));
bool	channel_credential_read(const struct shm *shm, uint32_t slot,
	    uint32_t credential, struct channel_credential_view *view_r)
	    __attribute__((warn_unused_result));

#endif
