/*
 * health.h: is the process alive, and does it take calls?
 * Layer: worker (private).
 * Written by: nobody.
 */
#ifndef WORKER_HEALTH_H
#define WORKER_HEALTH_H

#include <stdbool.h>

struct MHD_Connection;
struct call;

/* 200 whenever it is answered at all. */
bool	health_answer(struct call *call, struct MHD_Connection *connection)
	    __attribute__((warn_unused_result));
/* 200 when new calls are taken, else 503. */
bool	ready_answer(struct call *call, struct MHD_Connection *connection)
	    __attribute__((warn_unused_result));

/* What some clients ask for before their first call. */
bool	hello_answer(struct call *call, struct MHD_Connection *connection)
	    __attribute__((warn_unused_result));

#endif
