/*
 * bill.h: a call's record and its fee, step by step, for a record that is
 * being written.
 * Layer: admin.
 * Written by: nobody.
 */
#ifndef ADMIN_BILL_H
#define ADMIN_BILL_H

#include <stdbool.h>

#include "admin/admin.h"
#include "base/price.h"
#include "shm/catalogue.h"
#include "shm/record.h"

struct record;

struct bill {
	struct call_record record;
	char model[MODEL_NAME_BYTES];
	char other_model[MODEL_NAME_BYTES];
	char customer[130];
	int found;
	bool agrees;		/* the book with the arithmetic */
};

/*
 * Finds the call (its x-request-id, or "last") and adds what it was charged
 * for.  On anything but ADMIN_OK the reason has been printed and nothing was
 * added.
 */
enum admin_exit	bill_add(struct admin *admin, const char *word,
	    struct record *record, struct bill *bill_r)
	    __attribute__((warn_unused_result));

/* After the record was printed: ADMIN_FAILED, in words, when they disagree. */
enum admin_exit	bill_judge(const struct bill *bill)
	    __attribute__((warn_unused_result));

#endif
