/*
 * auth.h: who asks, by a key or a session.
 * Layer: portal.
 * Written by: the request's thread.
 */
#ifndef PORTAL_AUTH_H
#define PORTAL_AUTH_H

#include <stdbool.h>

struct request;

/*
 * Within the request's transaction: finds the caller and lets the transaction
 * see that customer's data.  False: refused, the answer is set.  A public
 * route needs nobody.
 */
bool	portal_authenticate(struct request *request)
	    __attribute__((warn_unused_result));

/* In another transaction of the same request: for the caller that was found. */
bool	auth_see_own(struct request *request)
	    __attribute__((warn_unused_result));

#endif
