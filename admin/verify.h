/*
 * verify.h: the state of one `youyunctl verify`.
 * Layer: admin.
 * Written by: cmd_verify.c (the database), verify_segment.c (the segment).
 */
#ifndef ADMIN_VERIFY_H
#define ADMIN_VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "admin/admin.h"
#include "db/queries.h"

struct prices;
struct report;

/* What comparing the segment's balances came to. */
struct verify_segment {
	bool present;
	int64_t accounts;
	int64_t agree;		/* balance = available + held, exactly */
	int64_t busy;		/* has calls open, or fees on their way */
	int64_t unapplied_nano;	/* those fees, over all accounts */
};

struct verify {
	int64_t shown;		/* breaches to name */
	int64_t breaches;
	int64_t calls;
	int64_t fees;
	struct report *list;
	struct prices *prices;
	struct totals totals;
	struct verify_segment segment;
};

void	verify_breach(struct verify *v, const char *rule, const char *object,
	    int64_t found_nano, int64_t expected_nano, const char *why);

/*
 * Compares each account of a segment that is there with the ledger.  Calls go
 * on meanwhile: it waits a moment for accounts to come to rest.  An account
 * has too much money in the segment, or too little though nothing is on its
 * way: a breach.
 */
enum admin_exit	verify_segment(struct admin *admin, struct verify *v)
	    __attribute__((warn_unused_result));

#endif
