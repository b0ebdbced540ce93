#include "worker/park.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/loop.h"
#include "conf/heritage.h"
#include "conf/settings.h"
#include "shm/refill.h"
#include "worker/call.h"
#include "worker/context.h"
#include "worker/relay.h"

/* How often parked calls are looked at; nobody else's turn is longer for it. */
#define LOOK_MS 2
/* Answers may have been to somebody who asked before us, and others may take
 * what came for us: so many until it is given up. */
#define SHORTS_MAX 2
#define ANSWERS_MAX 8

struct parking {
	struct loop_timer timer;	/* first: see look() */
	struct worker *worker;
	struct call *calls;		/* linked by parked_next */
};

/* Back to where it stopped; it may park again. */
static void
wake(struct call *call)
{
	park_forget(call);
	if (call->hold == HOLD_NONE)
		call_wake(call);
	else
		relay_refilled(call);
}

static bool
is_over(const struct call *call, struct mono_time now)
{
	struct refill_view view;

	return now.ns >= call->park_due.ns ||
	    !refill_read(call->worker->shm, call->account, &view) ||
	    view.answers != call->park_answers;
}

static void
look(struct loop_timer *t)
{
	struct parking *p = (struct parking *)(void *)t;
	struct mono_time now = loop_now(p->worker->loop);
	struct call *call, *next;

	/* Whoever parks again comes to the front: it isn't met again. */
	for (call = p->calls; call != NULL; call = next) {
		next = call->parked_next;
		if (is_over(call, now))
			wake(call);
	}
	if (p->calls != NULL)
		loop_arm(p->worker->loop, t, mono_add_ms(now, LOOK_MS));
}

struct parking *
park_open(struct worker *worker)
{
	struct parking *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->worker = worker;
	p->timer.fire = look;
	return p;
}

void
park_close(struct parking **parking)
{
	if (*parking == NULL)
		return;
	loop_disarm((*parking)->worker->loop, &(*parking)->timer);
	free(*parking);
	*parking = NULL;
}

static void
ask(struct call *call, int64_t nano)
{
	struct worker *w = call->worker;
	uint64_t one = 1;

	/* Who waits rings even if others asked before: one of them may have
	 * died in between. */
	if ((refill_ask(w->shm, call->account, nano) || nano > 0) &&
	    w->heritage->wake_fd > 0)
		(void)!write(w->heritage->wake_fd, &one, sizeof(one));
}

static void
park(struct call *call)
{
	struct parking *p = call->worker->parking;

	call->parked = true;
	call->parked_prev = NULL;
	call->parked_next = p->calls;
	if (p->calls != NULL)
		p->calls->parked_prev = call;
	p->calls = call;
	if (!loop_armed(&p->timer))
		loop_arm(p->worker->loop, &p->timer,
		    mono_add_ms(loop_now(p->worker->loop), LOOK_MS));
}

/* Nothing to wait for, or less than is needed with all that is known of. */
static bool
is_short(const struct refill_view *view, int64_t nano)
{
	int64_t all;

	return view->elsewhere_nano <= 0 ||
	    (!__builtin_add_overflow(view->available_nano,
	    view->elsewhere_nano, &all) && all < nano);
}

/* True: what is known is the end of it. */
static bool
has_waited(struct call *call, const struct refill_view *view,
    struct mono_time now)
{
	if (now.ns >= call->park_due.ns)
		return true;
	if (view->answers == call->park_answers)
		return false;
	call->park_tries++;
	return call->park_tries >= (view->verdict == REFILL_SHORT ?
	    SHORTS_MAX : ANSWERS_MAX);
}

enum park_result
park_wait(struct call *call, int64_t nano, int64_t least)
{
	struct mono_time now = loop_now(call->worker->loop);
	struct refill_view view;
	bool begun = call->park_due.ns != 0;

	park_forget(call);
	if (!refill_read(call->worker->shm, call->account, &view) ||
	    is_short(&view, least))
		return PARK_SHORT;
	if (!begun) {
		call->park_tries = 0;
		call->park_due = mono_add_ms(now,
		    call->worker->settings->refill_timeout_ms);
	} else if (has_waited(call, &view, now))
		return view.verdict == REFILL_SHORT ? PARK_SHORT :
		    PARK_NO_ANSWER;
	if (!begun || view.answers != call->park_answers) {
		call->park_answers = view.answers;
		ask(call, nano);
	}
	park(call);
	return PARK_WAITS;
}

void
park_done(struct call *call)
{
	park_forget(call);
	call->park_due.ns = 0;
}

void
park_forget(struct call *call)
{
	if (!call->parked)
		return;
	call->parked = false;
	if (call->parked_prev != NULL)
		call->parked_prev->parked_next = call->parked_next;
	else
		call->worker->parking->calls = call->parked_next;
	if (call->parked_next != NULL)
		call->parked_next->parked_prev = call->parked_prev;
}

void
park_in_time(struct call *call, int64_t nano)
{
	struct refill_view view;

	if (!refill_read(call->worker->shm, call->account, &view))
		return;
	if (view.available_nano < view.low_nano ||
	    (nano > 0 && !is_short(&view, nano)))
		ask(call, nano);
}
