#include "flusher/batch.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/money.h"
#include "db/call_columns.h"
#include "db/transaction.h"
#include "db/value.h"

#define COPY_CHUNK_BYTES 65536
#define KEY_TEXT_BYTES 64

/* What one customer owes in this batch; parallel arrays for unnest(). */
struct debts {
	uint32_t n;
	int64_t *customer;
	int64_t *fee;
	int64_t *uncollected;
	int64_t *last_seq;
	int64_t *calls;
	int64_t *booking;	/* ledger_transaction.id */
	int64_t *left;		/* late: what can still be booked */
	bool late;		/* the node was fenced meanwhile */
	char (*key)[KEY_TEXT_BYTES];
	const char **keys;
	uint32_t *slot;		/* open addressing over customer */
	uint32_t slots;
};

struct run {
	const struct batch *whole;
	uint64_t mark;		/* afterwards */
	struct debts debts;
};

static void
debts_free(struct debts *d)
{
	free(d->customer);
	free(d->fee);
	free(d->uncollected);
	free(d->last_seq);
	free(d->calls);
	free(d->booking);
	free(d->left);
	free(d->key);
	free(d->keys);
	free(d->slot);
	memset(d, 0, sizeof(*d));
}

static bool
debts_make(struct debts *d, uint32_t max)
{
	memset(d, 0, sizeof(*d));
	for (d->slots = 16; d->slots < 2 * max; d->slots *= 2)
		;
	d->customer = calloc(max, sizeof(*d->customer));
	d->fee = calloc(max, sizeof(*d->fee));
	d->uncollected = calloc(max, sizeof(*d->uncollected));
	d->last_seq = calloc(max, sizeof(*d->last_seq));
	d->calls = calloc(max, sizeof(*d->calls));
	d->booking = calloc(max, sizeof(*d->booking));
	d->left = calloc(max, sizeof(*d->left));
	d->key = calloc(max, sizeof(*d->key));
	d->keys = calloc(max, sizeof(*d->keys));
	d->slot = calloc(d->slots, sizeof(*d->slot));
	if (d->customer != NULL && d->fee != NULL && d->uncollected != NULL &&
	    d->last_seq != NULL && d->calls != NULL && d->booking != NULL &&
	    d->left != NULL && d->key != NULL && d->keys != NULL && d->slot != NULL)
		return true;
	debts_free(d);
	return false;
}

/* The place of a customer; a new one if it has none.  Slots hold place + 1. */
static uint32_t
debts_place(struct debts *d, int64_t customer)
{
	uint64_t hash = (uint64_t)customer * UINT64_C(0x9e3779b97f4a7c15);
	uint32_t at = (uint32_t)(hash >> 32) & (d->slots - 1);

	while (d->slot[at] != 0) {
		if (d->customer[d->slot[at] - 1] == customer)
			return d->slot[at] - 1;
		at = (at + 1) & (d->slots - 1);
	}
	d->customer[d->n] = customer;
	d->slot[at] = ++d->n;
	return d->n - 1;
}

static bool
owes(const struct call_record *r)
{
	return r->fee_nano != 0 || r->uncollected_nano != 0;
}

/*
 * Records were written by workers.  One that can't be a settled call's is not
 * booked: without an account there was no hold, and a hold's fee is never
 * negative.
 */
static struct call_record
sane(const struct journal_frame *f, uint16_t node, bool say)
{
	struct call_record r = f->record;

	/* A worker may not know its node's number yet; a journal has one. */
	r.node = node;
	if (r.fee_nano < 0 || r.uncollected_nano < 0 ||
	    (owes(&r) && (r.account_id == 0 || r.account_id > INT64_MAX))) {
		if (say)
			log_error("the journal has a fee that no call can "
			    "have; it was taken as zero: seq=%" PRIu64
			    " account=%" PRIu64 " fee_nano=%" PRId64
			    " uncollected_nano=%" PRId64, f->seq,
			    r.account_id, r.fee_nano, r.uncollected_nano);
		r.fee_nano = 0;
		r.uncollected_nano = 0;
	}
	/* What nobody paid is cut to what can be added up. */
	if (r.uncollected_nano > MONEY_AMOUNT_MAX)
		r.uncollected_nano = MONEY_AMOUNT_MAX;
	return r;
}

/* False when the customer's sums would pass 2^63. */
static bool
add_debt(struct debts *d, uint32_t at, const struct call_record *r)
{
	int64_t fee, uncollected, both;

	if (!money_add(d->fee[at], r->fee_nano, &fee) ||
	    !money_add(d->uncollected[at], r->uncollected_nano,
	    &uncollected) || !money_add(fee, uncollected, &both))
		return false;
	d->fee[at] = fee;
	d->uncollected[at] = uncollected;
	d->calls[at]++;
	return true;
}

/* Adds up what is owed; returns how many of the n frames could be added up
 * together, at least one. */
static uint32_t
collect(struct run *run, const struct journal_frame *frame, uint32_t n)
{
	struct debts *d = &run->debts;
	struct call_record r;
	uint32_t i, k, at;

	for (i = 0; i < n; i++) {
		r = sane(&frame[i], run->whole->node, true);
		if (!owes(&r))
			continue;
		at = debts_place(d, (int64_t)r.account_id);
		if (!add_debt(d, at, &r))
			break;
		d->last_seq[at] = (int64_t)frame[i].seq;
	}
	for (k = 0; k < d->n; k++) {
		snprintf(d->key[k], sizeof(d->key[k]), "calls:%016" PRIx64
		    ":%" PRIu64 ":%" PRId64, run->whole->journal_id,
		    frame[0].seq, d->customer[k]);
		d->keys[k] = d->key[k];
	}
	return i;
}

static enum db_result
book(struct db *db, struct debts *d)
{
	struct db_param p[] = { db_int_array(d->customer, d->n),
		db_text_array(d->keys, d->n), db_int_array(d->calls, d->n) };
	struct db_rows *rows;
	enum db_result result;
	size_t i;

	result = db_query(db,
	    "INSERT INTO youyun.ledger_transaction (kind, customer_id,"
	    " idempotency_key, actor, calls)"
	    " SELECT 'calls', c, k, 'flusher', n"
	    " FROM unnest($1, $2, $3) AS u(c, k, n)"
	    " RETURNING id, idempotency_key", p, 3, &rows);
	if (result != DB_OK)
		return result;
	/* In which order rows come back is nobody's promise. */
	for (i = 0; i < db_rows_count(rows); i++) {
		const char *key = db_get_text(rows, i, 1);

		d->booking[debts_place(d, strtoll(strrchr(key, ':') + 1, NULL,
		    10))] = db_get_int(rows, i, 0);
	}
	db_rows_free(&rows);
	return DB_OK;
}

/* Bookings of a customer are numbered in the order of their effects: nobody
 * else books for these customers from here on. */
static enum db_result
lock_pots(struct db *db, const struct debts *d)
{
	struct db_param p = db_int_array(d->customer, d->n);

	return db_query(db, "SELECT youyun.ledger_lock($1)", &p, 1, NULL);
}

/* A fee comes out of the customer's pots in their order.  Pots that have less
 * than that leave a booking that isn't zero-sum, which is refused. */
static enum db_result
post(struct db *db, const struct debts *d)
{
	struct db_param p[] = { db_int_array(d->booking, d->n),
		db_int_array(d->customer, d->n), db_int_array(d->fee, d->n),
		db_int_array(d->uncollected, d->n) };

	return db_query(db,
	    "WITH u AS (SELECT * FROM unnest($1::bigint[], $2::bigint[],"
	    "  $3::bigint[], $4::bigint[]) AS u(t, c, fee, owed)),"
	    " q AS (SELECT u.t, u.fee, p.account_id, p.left_nano,"
	    "  sum(p.left_nano) OVER (PARTITION BY p.customer_id ORDER BY"
	    "  p.expires_at, p.paid, p.account_id) - p.left_nano AS before"
	    "  FROM u JOIN youyun.pot p ON p.customer_id = u.c"
	    "  WHERE p.left_nano > 0)"
	    " INSERT INTO youyun.posting (transaction_id, account_id,"
	    "  amount_nano)"
	    " SELECT q.t, q.account_id,"
	    "  -least(q.left_nano, q.fee - q.before)::bigint"
	    "  FROM q WHERE q.before < q.fee"
	    " UNION ALL SELECT u.t, a.id, -u.owed FROM u"
	    "  JOIN youyun.ledger_account a ON a.kind = 'uncollected'"
	    "  WHERE u.owed <> 0"
	    " UNION ALL SELECT u.t, a.id, u.fee + u.owed FROM u"
	    "  JOIN youyun.ledger_account a ON a.kind = 'revenue'",
	    p, 4, NULL);
}

/* What could not be booked of a late fee is owed, and nobody pays it. */
static bool
take_booked(struct debts *d, const struct db_rows *rows)
{
	int64_t booked;
	uint32_t at;
	size_t i;

	for (i = 0; i < db_rows_count(rows); i++) {
		at = debts_place(d, db_get_int(rows, i, 0));
		booked = db_get_int(rows, i, 1);
		d->late = db_get_bool(rows, i, 2);
		if (booked < 0 || booked > d->fee[at])
			return false;
		d->uncollected[at] += d->fee[at] - booked;
		d->fee[at] = d->left[at] = booked;
	}
	return true;
}

/* Before the postings, which need to know what can be booked. */
static enum db_result
spend(struct db *db, struct run *run, uint64_t incarnation)
{
	struct debts *d = &run->debts;
	struct db_param p[] = { db_int(run->whole->node),
		db_int((int64_t)incarnation), db_int_array(d->customer, d->n),
		db_int_array(d->fee, d->n), db_int_array(d->last_seq, d->n) };
	struct db_rows *rows;
	enum db_result result;

	result = db_query(db, "SELECT customer_id, booked_nano, late"
	    " FROM youyun.lease_spend($1, $2, $3, $4, $5)", p, 5, &rows);
	if (result != DB_OK)
		return result;
	if (db_rows_count(rows) != d->n || !take_booked(d, rows))
		result = DB_ERROR;
	db_rows_free(&rows);
	if (d->late)
		log_warning("calls came after the node was fenced; what can't "
		    "be booked any more stands as uncollected: node=%d",
		    run->whole->node);
	return result;
}

/* The same walk over a late batch's records gives each its part. */
static void
charge(struct debts *d, struct call_record *r)
{
	int64_t fee = r->fee_nano;
	uint32_t at;

	if (!d->late || !owes(r))
		return;
	at = debts_place(d, (int64_t)r->account_id);
	r->flags |= RECORD_LATE;
	if (fee > d->left[at])
		r->fee_nano = d->left[at];
	d->left[at] -= r->fee_nano;
	r->uncollected_nano += fee - r->fee_nano;
}

static enum db_result
copy_calls(struct db *db, struct run *run, const struct journal_frame *frame,
    uint32_t n)
{
	uint8_t *chunk = malloc(COPY_CHUNK_BYTES);
	struct call_record r;
	enum db_result result;
	size_t used;
	uint32_t i;

	if (chunk == NULL)
		return DB_ERROR;
	result = db_copy_begin(db, "COPY youyun.call (" CALL_COLUMNS
	    ") FROM STDIN (FORMAT binary)");
	used = call_copy_header(chunk);
	for (i = 0; i < n && result == DB_OK; i++) {
		if (frame[i].type == FRAME_LOST)
			continue;
		r = sane(&frame[i], run->whole->node, false);
		charge(&run->debts, &r);
		used += call_copy_row(&r, run->whole->journal_id,
		    frame[i].seq, !owes(&r) ? 0 :
		    run->debts.booking[debts_place(&run->debts,
		    (int64_t)r.account_id)], chunk + used);
		if (used + CALL_COPY_ROW_MAX_BYTES + CALL_COPY_TRAILER_BYTES >
		    COPY_CHUNK_BYTES) {
			result = db_copy_data(db, chunk, used);
			used = 0;
		}
	}
	if (result == DB_OK) {
		used += call_copy_trailer(chunk + used);
		result = db_copy_data(db, chunk, used);
	}
	if (result == DB_OK)
		result = db_copy_end(db);
	free(chunk);
	return result;
}

static enum db_result
move_mark(struct db *db, const struct batch *b, uint64_t seq,
    uint64_t incarnation)
{
	struct db_param p[] = { db_int(b->node), db_int((int64_t)b->journal_id),
		db_int((int64_t)seq), db_int((int64_t)incarnation) };

	return db_query(db, "UPDATE youyun.journal_mark SET seq = $3,"
	    " incarnation = $4, changed = now()"
	    " WHERE node_id = $1 AND journal_id = $2", p, 4, NULL);
}

/* The mark's row, locked: nobody else applies this journal meanwhile. */
static enum db_result
lock_mark(struct db *db, const struct batch *b, uint64_t *mark_r)
{
	struct db_param p[] = { db_int(b->node),
		db_int((int64_t)b->journal_id) };
	struct db_rows *rows;
	enum db_result result;

	result = db_query(db, "INSERT INTO youyun.journal_mark"
	    " (node_id, journal_id, seq, incarnation) VALUES ($1, $2, 0, 0)"
	    " ON CONFLICT DO NOTHING", p, 2, NULL);
	if (result == DB_OK)
		result = db_query(db, "SELECT seq FROM youyun.journal_mark"
		    " WHERE node_id = $1 AND journal_id = $2 FOR UPDATE", p, 2,
		    &rows);
	if (result != DB_OK)
		return result;
	assert(db_rows_count(rows) == 1);
	*mark_r = (uint64_t)db_get_int(rows, 0, 0);
	db_rows_free(&rows);
	return DB_OK;
}

/* A repair made them and told how many; here is when they were passed. */
static void
say_lost(const struct journal_frame *frame, uint32_t n)
{
	uint64_t first = 0, lost = 0;
	uint32_t i;

	for (i = 0; i < n; i++)
		if (frame[i].type == FRAME_LOST && lost++ == 0)
			first = frame[i].seq;
	if (lost != 0)
		log_warning("calls that a repair of the journal gave up are "
		    "left out: first=%" PRIu64 " calls=%" PRIu64, first, lost);
}

/* Frames of one incarnation; *n_r becomes how many were applied. */
static enum db_result
apply_frames(struct db *db, struct run *run, const struct journal_frame *frame,
    uint32_t *n_r)
{
	enum db_result result = DB_OK;

	if (!debts_make(&run->debts, *n_r)) {
		log_error("could not apply the journal: out of memory");
		return DB_ERROR;
	}
	*n_r = collect(run, frame, *n_r);
	if (run->debts.n != 0) {
		result = lock_pots(db, &run->debts);
		if (result == DB_OK)
			result = spend(db, run, frame[0].incarnation);
		if (result == DB_OK)
			result = book(db, &run->debts);
		if (result == DB_OK)
			result = post(db, &run->debts);
	}
	if (result == DB_OK)
		result = copy_calls(db, run, frame, *n_r);
	debts_free(&run->debts);
	return result;
}

static uint32_t
same_incarnation(const struct journal_frame *frame, uint32_t n)
{
	uint32_t i = 1;

	while (i < n && frame[i].incarnation == frame[0].incarnation)
		i++;
	return i;
}

static enum db_result
body(struct db *db, void *arg)
{
	struct run *run = arg;
	const struct batch *b = run->whole;
	const struct journal_frame *frame = b->frame;
	uint32_t n = b->frames, part;
	uint64_t last = frame[n - 1].seq;
	enum db_result result;

	result = lock_mark(db, b, &run->mark);
	if (result != DB_OK || run->mark >= last)
		return result;
	if (run->mark + 1 < frame[0].seq) {
		log_error("the database is behind the journal, records are "
		    "missing; was it restored from a backup? mark=%" PRIu64
		    " journal=%" PRIu64, run->mark, frame[0].seq);
		return DB_ERROR;
	}
	n -= (uint32_t)(run->mark + 1 - frame[0].seq);
	say_lost(&frame[b->frames - n], n);
	frame += run->mark + 1 - frame[0].seq;
	for (; n != 0 && result == DB_OK; frame += part, n -= part) {
		part = same_incarnation(frame, n);
		result = apply_frames(db, run, frame, &part);
	}
	if (result == DB_OK)
		result = move_mark(db, b, last, frame[-1].incarnation);
	if (result == DB_OK)
		run->mark = last;
	return result;
}

enum db_result
batch_apply(struct db *db, const struct batch *batch, uint64_t *mark_r)
{
	struct run run = { .whole = batch };
	enum db_result result;

	assert(batch->frames != 0);
	result = db_transaction(db, DB_READ_COMMITTED, body, &run);
	if (result == DB_OK)
		*mark_r = run.mark;
	return result;
}

enum db_result
batch_mark(struct db *db, uint16_t node, uint64_t journal_id,
    uint64_t *mark_r)
{
	struct db_param p[] = { db_int(node), db_int((int64_t)journal_id) };
	struct db_rows *rows;
	enum db_result result;

	result = db_query(db, "SELECT coalesce(max(seq), 0)"
	    " FROM youyun.journal_mark WHERE node_id = $1 AND journal_id = $2",
	    p, 2, &rows);
	if (result != DB_OK)
		return result;
	*mark_r = (uint64_t)db_get_int(rows, 0, 0);
	db_rows_free(&rows);
	return DB_OK;
}

enum db_result
batch_partitions(struct db *db)
{
	struct db_param now = db_time(clock_wall().us);

	return db_query(db, "SELECT youyun.call_partitions_ensure($1)", &now,
	    1, NULL);
}
