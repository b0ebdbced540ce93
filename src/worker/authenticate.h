/*
 * authenticate.h: whose call it is, and whether the call may be made.
 * Layer: worker (private).
 * Written by: nobody; reads the directory.
 */
#ifndef WORKER_AUTHENTICATE_H
#define WORKER_AUTHENTICATE_H

#include <stdbool.h>

struct call;

/*
 * By the head alone, before the body comes.  Fills in the call's account,
 * group and the record's ids; false: refused (call_refuse).
 */
bool	authenticate(struct call *call) __attribute__((warn_unused_result));

#endif
