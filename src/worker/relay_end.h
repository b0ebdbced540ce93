/*
 * relay_end.h: how an answer ends, well or not, and what that costs.
 * Layer: worker (private).
 * Written by: relay.c and front.c.
 */
#ifndef WORKER_RELAY_END_H
#define WORKER_RELAY_END_H

#include <stdbool.h>

#include "upstream/failure.h"
#include "wire/error.h"

struct call;

/* The upstream's answer is complete. */
void	relay_end(struct call *call);
/* The exchange failed and is gone. */
void	relay_end_failed(struct call *call, enum upstream_failure failure);
/* A stream's money is gone: mid_event, for what was delivered so far. */
void	relay_end_for_money(struct call *call, bool mid_event);
/* What comes next must not be delivered: it is on one of the operator's lists.
 * mid_event as above. */
void	relay_end_blocked(struct call *call, bool mid_event);
/* Its customer was cut off; also where it only waits. */
void	relay_end_suspended(struct call *call);
/* It doesn't wait for money any more: what it has must do. */
void	relay_stop_waiting(struct call *call);
/* We ran out of memory for it. */
void	relay_end_broken(struct call *call);
/* What the upstream says is not of its protocol, or too long to translate. */
void	relay_end_untranslated(struct call *call);
/* Nothing came that the client could have seen: free, and an error. */
void	relay_fail(struct call *call, enum wire_error error);
/* An answer of 2xx that is nothing but an error so far: it has used nothing. */
bool	relay_only_an_error(struct call *call);
/* No client waits for the rest, and the upstream is done: settles. */
void	relay_over(struct call *call);

#endif
