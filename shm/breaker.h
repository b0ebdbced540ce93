/*
 * breaker.h: a circuit breaker in one word, shared by all workers.
 * Layer: shm.  Private to shm/ but for the names of its states.
 * Written by: every worker, by compare-and-swap of the whole word.
 *
 *	CLOSED ──trip──► OPEN ──its time has come, one caller──► PROBING
 *	   ▲               ▲                                        │
 *	   │               └── the probe failed: longer, or it was ─┤
 *	   │                   given up: at once                    │
 *	   └────────────────── the probe succeeded ─────────────────┘
 *
 * Nobody is waited for: a probe has a time of its own, after which the next
 * caller is let through as another probe, whatever became of the first.  Who
 * holds the probe has the word that it stored as a token; every change of the
 * word takes the token's meaning away.
 */
#ifndef SHM_BREAKER_H
#define SHM_BREAKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum breaker_state {
	BREAKER_CLOSED = 0,	/* calls pass */
	BREAKER_OPEN = 1,	/* they don't, until a time */
	BREAKER_PROBING = 2	/* one is on its way */
};

enum breaker_entry {
	BREAKER_PASS,
	BREAKER_PROBE,		/* pass, and report with *probe_r */
	BREAKER_OUT
};

/* The word: state, how often it was opened in a row, and a monotonic time in
 * milliseconds.  All zero: closed. */
struct breaker_view {
	enum breaker_state state;
	uint32_t level;
	int64_t until_ms;
};
struct breaker_view breaker_read(const _Atomic uint64_t *word);

/* Would breaker_enter() let a call through?  One relaxed load. */
bool	breaker_passes(const _Atomic uint64_t *word, int64_t now_ms);

/* probe_ms: how long a probe may take before another is let through. */
enum breaker_entry breaker_enter(_Atomic uint64_t *word, int64_t now_ms,
	    uint32_t probe_ms, uint64_t *probe_r)
	    __attribute__((warn_unused_result));

/* CLOSED becomes OPEN for open_ms; anything else stays.  True: it was this
 * call that opened it. */
bool	breaker_trip(_Atomic uint64_t *word, int64_t now_ms, uint32_t open_ms);

/* The probe's outcome; nothing happens if probe is 0, or not the current one
 * (but for a success, which closes whatever probe is current).  failed opens for open_ms doubled with every level, up to
 * BREAKER_OPEN_MAX_MS; given up: the next caller probes.  True: done. */
#define BREAKER_OPEN_MAX_MS 300000
bool	breaker_probe_succeeded(_Atomic uint64_t *word, uint64_t probe);
bool	breaker_probe_failed(_Atomic uint64_t *word, uint64_t probe,
	    int64_t now_ms, uint32_t open_ms);
void	breaker_probe_given_up(_Atomic uint64_t *word, uint64_t probe,
	    int64_t now_ms);

#endif
