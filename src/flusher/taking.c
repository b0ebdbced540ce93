/*
 * Taking money away from customers: adjustments that were asked for, and
 * credit that has expired.  Only what is neither spent nor held here can be
 * taken, and the database doesn't know that: calls that it has not heard of
 * yet will still be booked.  So the segment comes first, then the booking.
 * In between the segment has less than the lease, never more; whatever cuts
 * us off there, the next load brings it back to what the lease says.
 */
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "db/value.h"
#include "flusher/directory_internal.h"
#include "shm/directory.h"
#include "shm/hold.h"
#include "shm/refill.h"
#include "shm/segment.h"

/* Until it is looked at again whether more came home. */
#define AGAIN_MS 20

struct want {
	int64_t taking_id;	/* 0: an expiry */
	int64_t customer_id;
	int64_t amount_nano;
	int64_t target_nano;	/* what the segment is granted by the lease */
	int64_t balance_nano;	/* granted less what is booked as spent */
};

/* As directory_load_accounts() reckons it. */
#define LEASE \
	" coalesce(l.granted_nano - CASE WHEN l.incarnation = $2" \
	"  THEN l.spent_before_nano ELSE l.spent_nano END, 0)," \
	" coalesce(l.granted_nano - l.spent_nano, 0)"

/* Of several nodes the first that is up does it for all. */
#define FIRST \
	" AND $1 = (SELECT min(s.node_id) FROM youyun.node_state s" \
	"  WHERE youyun.node_is_up(s))"

/* The next after the last one.  One at a time: what is taken changes what the
 * lease says of the next. */
static enum db_result
ask(struct directory *d, const char *sql, struct want *w)
{
	struct db_param p[] = { db_int(d->node.id),
		db_int((int64_t)shm_incarnation(d->config.shm)),
		db_int(d->last_want) };
	struct db_rows *rows;
	enum db_result result;

	result = db_query(d->db, sql, p, 3, &rows);
	if (result != DB_OK)
		return result;
	if (db_rows_count(rows) == 0)
		result = DB_NONE;
	else
		*w = (struct want) {
			.taking_id = db_get_int(rows, 0, 0),
			.customer_id = db_get_int(rows, 0, 1),
			.amount_nano = db_get_int(rows, 0, 2),
			.target_nano = db_get_int(rows, 0, 3),
			.balance_nano = db_get_int(rows, 0, 4)
		};
	db_rows_free(&rows);
	return result;
}

/* What the account could spend now; the grant is brought up to the lease
 * before.  0 also when a reduction is waiting for money that is held. */
static int64_t
spare(struct directory *d, const struct want *w, uint32_t *slot_r)
{
	struct account_view view;

	*slot_r = accounts_find(d->accounts, (uint64_t)w->customer_id);
	if (*slot_r == ACCOUNT_NONE ||
	    hold_grant(d->config.shm, *slot_r, w->target_nano) != HOLD_OK ||
	    !account_read(d->config.shm, *slot_r, &view))
		return 0;
	return view.available_nano;
}

static enum db_result
refuse(struct directory *d, const struct want *w, int64_t available)
{
	struct db_param p[] = { db_int(w->taking_id), db_int(available) };

	return db_query(d->db, "SELECT youyun.taking_refuse($1, $2)", p, 2,
	    NULL);
}

static enum db_result
book(struct directory *d, const struct want *w, int64_t amount)
{
	struct db_param p[] = { db_int(d->node.id),
		db_int(w->taking_id != 0 ? w->taking_id : w->customer_id),
		db_int(amount) };

	if (w->taking_id != 0)
		return db_query(d->db,
		    "SELECT youyun.taking_book($1::smallint, $2)", p, 2,
		    NULL);
	return db_query(d->db, "SELECT youyun.expire($1::smallint, $2, $3)",
	    p, 3, NULL);
}

/*
 * What the lease lacks may be at home or with other nodes: asked for as by a
 * call that waits.  False: it was, and this is the end of it.
 */
static bool
wait_for_more(struct directory *d, const struct want *w, uint32_t slot)
{
	struct refill_view view;

	if (d->node.up <= 1 || slot == ACCOUNT_NONE ||
	    !refill_read(d->config.shm, slot, &view))
		return false;
	if (d->asked_for == w->taking_id &&
	    view.answers != d->asked_answers && w->taking_id != 0)
		return false;
	if (d->asked_for != w->taking_id || w->taking_id == 0) {
		d->asked_for = w->taking_id;
		d->asked_answers = view.answers;
		(void)refill_ask(d->config.shm, slot, w->amount_nano);
	}
	if (w->taking_id != 0)
		d->taking_due = mono_add_ms(clock_mono(), AGAIN_MS);
	return true;
}

static enum db_result
take(struct directory *d, const struct want *w)
{
	int64_t amount = w->amount_nano, available, under_way;
	enum db_result result;
	uint32_t slot;

	available = spare(d, w, &slot);
	if (available < amount && wait_for_more(d, w, slot) &&
	    w->taking_id != 0)
		return DB_OK;
	if (w->taking_id == 0) {
		/* What is held, or spent and not booked, is to come out of
		 * what has expired, which is first in the order. */
		under_way = w->balance_nano - available;
		amount -= under_way < amount ? under_way : amount;
		if (amount > available)
			amount = available;
		if (amount <= 0)
			return DB_OK;
	}
	if (available < amount || hold_grant(d->config.shm, slot,
	    w->target_nano - amount) != HOLD_OK)
		return w->taking_id != 0 ? refuse(d, w, available) : DB_OK;
	result = book(d, w, amount);
	/* It may have booked less, or nothing: back to what the lease says. */
	pending_add(d, &d->customers, w->customer_id);
	if (result == DB_OK || result == DB_AWAY || result == DB_UNKNOWN)
		return result;
	/* One that can't be booked doesn't keep the others from theirs. */
	log_error("could not book what was taken: customer=%" PRId64
	    " taking=%" PRId64 " amount_nano=%" PRId64 " why=%s",
	    w->customer_id, w->taking_id, amount, db_message(d->db));
	return DB_OK;
}

/* Each once: what can't be taken now is left for the next time. */
static enum db_result
take_all(struct directory *d, const char *sql)
{
	enum db_result result;
	struct want w;

	d->last_want = 0;
	while ((result = ask(d, sql, &w)) == DB_OK) {
		result = take(d, &w);
		if (result != DB_OK)
			return result;
		d->last_want = w.taking_id != 0 ? w.taking_id : w.customer_id;
	}
	return result == DB_NONE ? DB_OK : result;
}

enum db_result
directory_take(struct directory *d)
{
	d->takings = false;
	return take_all(d,
	    "SELECT t.id, t.customer_id, t.amount_nano," LEASE
	    " FROM youyun.taking t LEFT JOIN youyun.lease l"
	    "  ON l.customer_id = t.customer_id AND l.node_id = $1"
	    " WHERE t.state = 0 AND t.id > $3" FIRST
	    " ORDER BY t.id LIMIT 1");
}

/* The pieces are 0028-agreement.sql's, small enough for nobody to wait. */
enum db_result
directory_close(struct directory *d, bool *more_r)
{
	struct db_param p = db_int(d->node.id);
	struct db_rows *rows;
	enum db_result result;

	*more_r = false;
	result = db_query(d->db, "SELECT youyun.closing_next($1)", &p, 1,
	    &rows);
	if (result == DB_OK) {
		*more_r = strcmp(db_get_text(rows, 0, 0), "more") == 0;
		db_rows_free(&rows);
	} else if (result != DB_AWAY && result != DB_UNKNOWN) {
		/* Nobody's calls wait for it. */
		log_error("could not go on closing accounts: why=%s",
		    db_message(d->db));
		result = DB_OK;
	}
	return result;
}

enum db_result
directory_expire(struct directory *d)
{
	return take_all(d,
	    "SELECT 0::bigint, e.customer_id, e.left_nano," LEASE
	    " FROM youyun.expired_left(NULL) e LEFT JOIN youyun.lease l"
	    "  ON l.customer_id = e.customer_id AND l.node_id = $1"
	    " WHERE e.customer_id > $3" FIRST
	    " ORDER BY e.customer_id LIMIT 1");
}
