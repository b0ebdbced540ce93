/*
 * receipt.h: tells clients what their calls cost.
 * Layer: worker (private).
 * Written by: the call's own thread.
 *
 * An unstreamed answer that is settled before its head leaves has the fee in
 * the header X-Youyun-Fee.  A stream has it, if the client asked by
 * "X-Youyun-Receipt: yes", as wire/receipt.h says.
 */
#ifndef WORKER_RECEIPT_H
#define WORKER_RECEIPT_H

#include <stdbool.h>
#include <stddef.h>

struct call;
struct MHD_Response;

/* A stream begins.  call->broken: memory is short. */
void	receipt_begin(struct call *call);
void	receipt_forget(struct call *call);

/* What was appended to call->relay behind `before` passes through it; no-op
 * without one, as what follows. */
void	receipt_pass(struct call *call, size_t before);
/* The call is settled; over: nothing more will come. */
void	receipt_give(struct call *call, bool over);
/* It won't be told: what is held leaves as it is. */
void	receipt_drop(struct call *call);

/* We end the stream: what is held does not leave, nor would its frame be
 * complete.  Whether the client is within an event, given whether the upstream
 * is. */
bool	receipt_abandon(struct call *call, bool mid_event)
	    __attribute__((warn_unused_result));

/* False: memory is short. */
bool	receipt_add_header(const struct call *call,
	    struct MHD_Response *response) __attribute__((warn_unused_result));

#endif
