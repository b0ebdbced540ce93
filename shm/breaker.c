/*
 * breaker.c: see breaker.h.
 *
 * All orders are relaxed: the word says nothing about any other memory.
 */
#include "shm/breaker.h"

#define LEVEL_MAX 20u

static uint64_t
make(enum breaker_state state, uint32_t level, int64_t until_ms)
{
	return (uint64_t)until_ms << 8 | (uint64_t)level << 2 |
	    (uint64_t)state;
}

static struct breaker_view
take_apart(uint64_t word)
{
	struct breaker_view view = { BREAKER_CLOSED, 0, 0 };

	switch (word & 3) {
	case BREAKER_OPEN:
		view.state = BREAKER_OPEN;
		break;
	case BREAKER_PROBING:
		view.state = BREAKER_PROBING;
		break;
	case BREAKER_CLOSED:
		return view;
	}
	view.level = (uint32_t)(word >> 2 & 63);
	view.until_ms = (int64_t)(word >> 8);
	return view;
}

static bool
swap(_Atomic uint64_t *word, uint64_t from, uint64_t to)
{
	return atomic_compare_exchange_strong_explicit(word, &from, to,
	    memory_order_relaxed, memory_order_relaxed);
}

struct breaker_view
breaker_read(const _Atomic uint64_t *word)
{
	return take_apart(atomic_load_explicit(word, memory_order_relaxed));
}

bool
breaker_passes(const _Atomic uint64_t *word, int64_t now_ms)
{
	struct breaker_view view = breaker_read(word);

	return view.state == BREAKER_CLOSED || now_ms >= view.until_ms;
}

enum breaker_entry
breaker_enter(_Atomic uint64_t *word, int64_t now_ms, uint32_t probe_ms,
    uint64_t *probe_r)
{
	uint64_t before = atomic_load_explicit(word, memory_order_relaxed);
	struct breaker_view view = take_apart(before);
	uint64_t after;

	*probe_r = 0;
	if (view.state == BREAKER_CLOSED)
		return BREAKER_PASS;
	if (now_ms < view.until_ms)
		return BREAKER_OUT;
	/* Later than any time that stood here, so that no token comes twice. */
	after = make(BREAKER_PROBING, view.level,
	    now_ms + (probe_ms > 0 ? probe_ms : 1));
	if (!swap(word, before, after))
		return BREAKER_OUT;	/* somebody else was let through */
	*probe_r = after;
	return BREAKER_PROBE;
}

bool
breaker_trip(_Atomic uint64_t *word, int64_t now_ms, uint32_t open_ms)
{
	return swap(word, 0, make(BREAKER_OPEN, 0, now_ms + open_ms));
}

bool
breaker_probe_succeeded(_Atomic uint64_t *word, uint64_t probe)
{
	uint64_t now = atomic_load_explicit(word, memory_order_relaxed);

	/* A probe that took longer than it may and was followed by another is
	 * as good a proof. */
	return probe != 0 && take_apart(now).state == BREAKER_PROBING &&
	    swap(word, now, 0);
}

bool
breaker_probe_failed(_Atomic uint64_t *word, uint64_t probe, int64_t now_ms,
    uint32_t open_ms)
{
	uint32_t level = take_apart(probe).level;
	int64_t wait_ms;

	if (probe == 0)
		return false;
	if (level < LEVEL_MAX)
		level++;
	wait_ms = (int64_t)open_ms << level;
	/* What is longer than the limit to begin with stays so. */
	if (wait_ms > BREAKER_OPEN_MAX_MS)
		wait_ms = open_ms > BREAKER_OPEN_MAX_MS ? open_ms :
		    BREAKER_OPEN_MAX_MS;
	return swap(word, probe, make(BREAKER_OPEN, level, now_ms + wait_ms));
}

void
breaker_probe_given_up(_Atomic uint64_t *word, uint64_t probe, int64_t now_ms)
{
	if (probe != 0)
		(void)swap(word, probe, make(BREAKER_OPEN,
		    take_apart(probe).level, now_ms));
}
