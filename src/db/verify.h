/*
 * verify.h: what q_verify() knows while it reads the ledger.
 * Layer: db; q_verify.c, verify_state.c and verify_booking.c.
 * Written by: one caller.
 *
 * Bookings, their postings and their calls are read side by side in the order
 * of the bookings' numbers, and every pot is reckoned anew on the way.  What
 * is kept grows with customers and their pots, never with calls or bookings.
 */
#ifndef DB_VERIFY_H
#define DB_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/queries.h"
#include "db/queries_verify.h"

enum account_kind {
	KIND_PREPAID, KIND_PROMOTIONAL, KIND_REVENUE, KIND_UNCOLLECTED,
	KIND_ADJUSTMENT, KIND_GIVEN, KIND_EXTERNAL, KIND_EXPIRED, KIND_OTHER
};

struct account {
	int64_t id;
	int64_t customer_id;	/* 0: not a customer's */
	int64_t expires_us;	/* INT64_MAX: never */
	int64_t stored_nano;	/* pot.left_nano */
	__int128 nano;		/* the sum of its postings so far */
	enum account_kind kind;
	bool overdrawn;		/* and said so */
};

struct owner {
	int64_t customer_id;
	int64_t granted_nano;	/* at home, and all leases together */
	int64_t moved_nano;	/* as the purse says */
	int64_t spent_nano;
	int64_t leases;
	int64_t node;		/* of one of them */
	__int128 in;		/* by bookings other than of calls */
	__int128 fees;		/* of all records */
	uint32_t first, pots;	/* in verify_state.order */
	bool muddled;		/* its pots were wrong before: say it once */
};

struct posting {
	int64_t account_id;
	int64_t nano;
	bool seen;		/* compared with what it should be */
};

struct multiplier {
	int64_t group_id;
	int64_t ppm;
};

struct mark {
	uint64_t journal_id;
	int64_t seq;
};

/* A booking, as its row says. */
struct booking {
	int64_t id;
	const char *kind;
	int64_t customer_id;
	int64_t calls;
	int64_t at_us;
	const char *asked;
	bool has_receipt, has_refund;
	int64_t amount_nano, bonus_nano;	/* the receipt's */
	int64_t refund_nano;
};

/* What its calls come to. */
struct call_sums {
	__int128 fee, owed;
	int64_t calls;		/* with a fee or something uncollected */
	bool named;		/* one of them is a breach already */
};

struct verify_state {
	struct db *db;
	const struct verify_hooks *hooks;
	bool stopped;		/* the hook wants no more */
	bool failed;		/* no memory */
	struct account *account;	/* by id */
	uint32_t accounts, account_room;
	int64_t of_kind[KIND_OTHER + 1]; /* accounts that are no customer's */
	uint32_t *order;	/* pots by customer and order of spending */
	uint32_t pots;
	struct owner *owner;	/* by customer_id */
	uint32_t owners, owner_room;
	struct multiplier *multiplier; /* that groups ever had */
	uint32_t multipliers, multiplier_room;
	struct mark *mark;
	uint32_t marks, mark_room;
	struct posting *posting;	/* of the booking at hand */
	uint32_t postings, posting_room;
	uint64_t *bloom;	/* of request ids seen */
	uint8_t (*suspect)[16];	/* perhaps seen before */
	uint32_t suspects;
	int64_t calls;
};

/* Tells of a breach; amounts that don't fit are cut. */
void	verify_say(struct verify_state *v, const char *rule,
	    const char *object, __int128 found, __int128 expected,
	    const char *why);
void	verify_say_posting(struct verify_state *v, const struct booking *b,
	    int64_t account_id, __int128 found, __int128 expected,
	    const char *why);

/* verify_state.c */
enum db_result verify_load(struct verify_state *v)
	    __attribute__((warn_unused_result));
void	verify_free(struct verify_state *v);
struct account *verify_account(struct verify_state *v, int64_t id);
struct owner *verify_owner(struct verify_state *v, int64_t customer_id);
bool	verify_multiplier(const struct verify_state *v, int64_t group_id,
	    int64_t ppm);
/* 0: there is no such journal. */
int64_t	verify_mark(const struct verify_state *v, uint64_t journal_id);
/* Remembers a request id; looks closer at those that may be twice. */
enum db_result verify_once(struct verify_state *v, const uint8_t id[16])
	    __attribute__((warn_unused_result));
enum db_result verify_suspects(struct verify_state *v)
	    __attribute__((warn_unused_result));
/* At least one more element of size bytes; NULL: no memory. */
void	*verify_room(void *array, uint32_t n, uint32_t *room, size_t size);

/* verify_booking.c: v->posting are its postings, complete.  Books them into
 * the pots. */
void	verify_booking(struct verify_state *v, const struct booking *b,
	    const struct call_sums *sums);

#endif
