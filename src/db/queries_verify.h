/*
 * queries_verify.h: what youyunctl verify holds against each other.
 * Layer: db.
 * Written by: as queries.h has it, whose rules hold here.
 */
#ifndef DB_QUERIES_VERIFY_H
#define DB_QUERIES_VERIFY_H

#include "db/queries.h"

/*
 * What must hold.  Rows are read in the order of bookings, in memory that
 * doesn't grow with calls; the first that doesn't agree is named first.  Fees
 * themselves are recomputed by the caller, in the hook.
 */
struct breach_row {
	const char *rule;		/* "zero-sum", "balance" … static */
	const char *object;		/* "transaction:7", "customer:5" */
	int64_t found_nano;
	int64_t expected_nano;
	const char *why;		/* static */
};

struct verify_hooks {
	/* False: enough. */
	bool (*breach)(const struct breach_row *row, void *arg);
	/* Every record; names are "".  False: it told of a breach of its own,
	 * and its booking's sums are not held against it.  NULL: none. */
	bool (*call)(const struct call_row *row, void *arg);
	void (*progress)(int64_t calls, void *arg);	/* now and then; NULL */
	void *arg;
};

/*
 * By rule, with the object it names:
 * price		price: not what the audit trail says was set
 * multiplier		call: its group never had that multiplier
 * journal		call: beyond what its journal's mark says was applied
 * twice		call: is there twice
 * unbooked		call: has a fee and no booking, or another's
 * batch		transaction: not the sum, or the number, of its calls
 * posting		posting:BOOKING:ACCOUNT: not what its booking makes
 * zero-sum, empty	transaction
 * content, refund	transaction: not what was asked for; more than the fee
 * below-zero		posting: after which an account has less than nothing
 * pot			pot:ACCOUNT: not the sum of its postings
 * granted, spent	lease:NODE:CUSTOMER (or customer, of several leases):
 *			not the sum of its bookings, of its calls' fees
 * lent			lease (or customer): home and leases aren't the purse
 * balance		customer: the ledger isn't granted less spent
 *
 * q_verify() belongs into one DB_SNAPSHOT transaction, q_verify_each() makes
 * one if there is none.
 */
Q_RESULT q_verify(struct db *db, const struct verify_hooks *hooks);
Q_RESULT q_verify_each(struct db *db,
	    bool (*each)(const struct breach_row *, void *), void *arg);

#endif
