/*
 * relay.h: the upstream's answer on its way to the client.
 * Layer: worker (private).
 * Written by: one thread; called by the exchange and by libmicrohttpd.
 *
 *	exchange ─► meter ─► filter ─► call->relay ─► libmicrohttpd
 *
 * A stream's bytes leave in the turn in which they came.  An unstreamed answer
 * is kept until it is complete and settled, if it fits the relay buffer; a
 * longer one flows, but its last byte waits for the settlement.  One that is
 * translated never flows; translated.h takes the filter's place.  With strict
 * durability every answer flows, and the last byte waits for the record.
 */
#ifndef WORKER_RELAY_H
#define WORKER_RELAY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "upstream/failure.h"
#include "wire/error.h"

struct call;
struct exchange_handlers;

/* What exchanges of calls call; arg is the struct call. */
extern const struct exchange_handlers relay_handlers;

/* libmicrohttpd's content reader; arg is the struct call. */
ssize_t	relay_read(void *arg, uint64_t position, char *buf, size_t max);

/* A stream that was parked: its money came, or won't. */
void	relay_refilled(struct call *call);

/* The client closed, stalled or was cut off: by on_client_abort. */
void	relay_client_gone(struct call *call);
/* The worker's time is over. */
void	relay_abort(struct call *call);

/* What only the operator can mend, of the call's channel; not once a call. */
void	relay_warn(struct call *call, const char *what, const char *name);

/* What the client is told when an exchange fails before anything came. */
enum wire_error relay_failure_error(enum upstream_failure failure);

/*
 * What the client is told for an upstream's status that isn't 2xx; NONE: the
 * upstream's own answer, which is about the request.
 */
enum wire_error relay_status_error(int status);

#endif
