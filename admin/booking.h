/*
 * booking.h: what the commands that move money share.
 * Layer: admin.
 * Written by: nobody; one command at a time.
 */
#ifndef ADMIN_BOOKING_H
#define ADMIN_BOOKING_H

#include <stdint.h>

#include "admin/admin.h"

struct call_record;

/* A key that is made takes so much room. */
#define BOOKING_KEY_BYTES 48

/*
 * --key, checked; without one a random one is made in room.  *key_r is
 * borrowed from either.
 */
enum admin_exit	booking_key(const struct args *args,
	    char room[BOOKING_KEY_BYTES], const char **key_r)
	    __attribute__((warn_unused_result));

/* An amount above zero; what: "a credit". */
enum admin_exit	booking_amount(const char *text, const char *what,
	    int64_t *nano_r) __attribute__((warn_unused_result));

/* --reason must be given. */
enum admin_exit	booking_reason(const struct admin *admin)
	    __attribute__((warn_unused_result));

/* As admin_change(), repeated when an answer was lost: the key makes that
 * safe. */
enum db_result	booking_run(struct admin *admin, admin_body *body, void *arg)
	    __attribute__((warn_unused_result));

/* Prints what went wrong; who: the customer, as typed.  doing: "book the
 * credit". */
enum admin_exit	booking_failed(struct admin *admin, enum db_result result,
	    const char *who, const char *key, const char *doing);

/* "YY003": why so much of a call's fee can't be given back, in its amounts. */
enum admin_exit	booking_refund_failed(struct admin *admin,
	    const struct call_record *record);

#endif
