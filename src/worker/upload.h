/*
 * upload.h: a request that is a form goes upstream while it comes in.
 * Layer: worker (private).
 * Written by: request.c, for libmicrohttpd's upload callbacks.
 *
 *	first bytes ─► call->body ─► model known ─► admit, forward
 *	the rest    ─► checked ─► the exchange's window ─► upstream
 *
 * A form is kept until its model is known and it has shown some of what else
 * costs money, UPLOAD_LOOK_BYTES, or whole if it is shorter than that.  What
 * costs more and comes later is held for before the last bytes leave, for no
 * upstream works on half a form.
 */
#ifndef WORKER_UPLOAD_H
#define WORKER_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>

struct call;

#define UPLOAD_LOOK_BYTES	65536
/* A model that doesn't come within this is refused. */
#define UPLOAD_MODEL_BYTES	1048576
/* Of the exchange's window, for the lines of chunks around the last bytes. */
#define UPLOAD_SPARE_BYTES	64

/* The head is complete.  False: refused. */
bool	upload_begin(struct call *call) __attribute__((warn_unused_result));

/*
 * A piece: *taken_r bytes of it; 0: the connection was suspended until there
 * is room.  False: refused (call->error), the rest is not wanted.
 */
bool	upload_take(struct call *call, const char *p, size_t len,
	    size_t *taken_r) __attribute__((warn_unused_result));

/* All of it came.  False: refused; if it was parked, then it is called again
 * when the call is woken. */
bool	upload_end(struct call *call) __attribute__((warn_unused_result));

/* It won't come whole: nobody worked on it, and nothing is charged. */
void	upload_abort(struct call *call);

#endif
