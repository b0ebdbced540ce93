#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/call_columns.h"
#include "db/cursor.h"
#include "db/internal.h"
#include "db/transaction.h"
#include "db/verify.h"

#define PROGRESS_CALLS 20000

/* Side by side; each by an index, so that the server sorts nothing. */
static const char bookings_sql[] =
    "SELECT t.id, t.kind, t.customer_id, t.calls::bigint, t.at, t.asked,"
    " e.transaction_id IS NOT NULL, coalesce(e.amount_nano, 0),"
    " coalesce(e.bonus_nano, 0), f.transaction_id IS NOT NULL,"
    " coalesce(f.amount_nano, 0), coalesce(a.customer_id, 0),"
    " coalesce(a.calls, 0), coalesce(a.fee_nano, 0),"
    " coalesce(a.uncollected_nano, 0) FROM youyun.ledger_transaction t"
    " LEFT JOIN youyun.receipt e ON e.transaction_id = t.id"
    " LEFT JOIN youyun.refund f ON f.transaction_id = t.id"
    " LEFT JOIN youyun.call_archive a ON a.ledger_transaction_id = t.id"
    " ORDER BY t.id";
static const char postings_sql[] =
    "SELECT transaction_id, account_id, amount_nano FROM youyun.posting"
    " ORDER BY transaction_id, account_id";
static const char calls_sql[] =
    "SELECT " CALL_COLUMNS " FROM youyun.call"
    " ORDER BY ledger_transaction_id, journal_seq";

/* A planner's guess may be a sort that fills the disk. */
static const char plan_sql[] =
    "SET LOCAL enable_sort = off; SET LOCAL jit = off;"
    "SET LOCAL enable_hashjoin = off";
static const char plan_reset_sql[] =
    "SET LOCAL enable_sort = on; SET LOCAL enable_hashjoin = on";

struct streams {
	struct verify_state *v;
	struct db_cursor bookings, postings, calls;
	uint64_t last_journal, last_seq;	/* of the call before */
	int64_t last_booking;
};

static void
say_call(struct verify_state *v, const char *rule, const struct db_cursor *c,
    int64_t found, int64_t expected, const char *why)
{
	char object[48], *p = object;
	const uint8_t *id;
	size_t len, i;

	id = db_get_bytes(c->rows, c->row, 1, &len);
	p += sprintf(p, "call:");
	for (i = 0; i < len; i++)
		p += sprintf(p, "%s%02x", i == 4 || i == 6 || i == 8 ||
		    i == 10 ? "-" : "", id[i]);
	verify_say(v, rule, object, found, expected, why);
}

/* What a record says by itself.  False: a breach was told. */
static bool
check_record(struct streams *s, const struct call_row *row)
{
	const struct call_record *r = &row->record;
	struct verify_state *v = s->v;
	bool agrees = true;

	if (v->hooks->call != NULL)
		agrees = v->hooks->call(row, v->hooks->arg);
	if ((r->fee_nano != 0 || r->uncollected_nano != 0) &&
	    r->group_id != 0 && !verify_multiplier(v, (int64_t)r->group_id,
	    r->multiplier_ppm)) {
		say_call(v, "multiplier", &s->calls, r->multiplier_ppm, 0,
		    "its group never had that multiplier");
		agrees = false;
	}
	if ((int64_t)row->journal_seq > verify_mark(v, row->journal_id)) {
		say_call(v, "journal", &s->calls, (int64_t)row->journal_seq,
		    verify_mark(v, row->journal_id),
		    "its journal was not applied that far");
		agrees = false;
	}
	return agrees;
}

/* One record, whatever booking it names. */
static enum db_result
take_call(struct streams *s, struct call_sums *sums, int64_t customer_id)
{
	struct verify_state *v = s->v;
	struct call_row row = { .customer = "", .model = "", .channel = "",
		.key_hint = "" };
	const struct call_record *r = &row.record;
	struct owner *o;
	bool owes, again;

	call_columns_read(s->calls.rows, s->calls.row, &row.record,
	    &row.journal_id, &row.journal_seq, &row.transaction_id);
	owes = r->fee_nano != 0 || r->uncollected_nano != 0;
	again = v->calls != 0 && row.transaction_id == s->last_booking &&
	    row.transaction_id != 0 && row.journal_id == s->last_journal &&
	    row.journal_seq == s->last_seq;
	if (again) {
		say_call(v, "twice", &s->calls, r->fee_nano, 0,
		    "a call that is there twice");
		sums->named = true;
	} else if (!check_record(s, &row)) {
		sums->named = true;
	}
	if (owes && customer_id != (int64_t)r->account_id) {
		say_call(v, "unbooked", &s->calls, r->fee_nano, 0,
		    row.transaction_id == 0 ? "a call with a fee and no "
		    "booking" : "its booking isn't there or another's");
		sums->named = true;
	}
	sums->fee += r->fee_nano;
	sums->owed += r->uncollected_nano;
	sums->calls += owes;
	o = verify_owner(v, (int64_t)r->account_id);
	if (o != NULL)
		o->fees += r->fee_nano;
	s->last_booking = row.transaction_id;
	s->last_journal = row.journal_id;
	s->last_seq = row.journal_seq;
	if (++v->calls % PROGRESS_CALLS == 0 && v->hooks->progress != NULL)
		v->hooks->progress(v->calls, v->hooks->arg);
	return again ? DB_OK : verify_once(v, r->request_id);
}

/* Calls up to booking `id`; those before it name one that isn't there. */
static enum db_result
take_calls(struct streams *s, int64_t id, int64_t customer_id,
    struct call_sums *sums)
{
	struct db_cursor *c = &s->calls;
	struct call_sums lost = { 0 };
	enum db_result result = DB_OK;
	int64_t names;

	while (result == DB_OK && c->rows != NULL && !s->v->stopped) {
		names = db_null(c->rows, c->row, 4) ? INT64_MAX :
		    db_get_int(c->rows, c->row, 4);
		if (names > id)
			break;
		result = names == id && id != INT64_MAX ?
		    take_call(s, sums, customer_id) : take_call(s, &lost, 0);
		if (result == DB_OK)
			result = db_cursor_next(c);
	}
	return result;
}

static enum db_result
take_postings(struct streams *s, int64_t id)
{
	struct db_cursor *c = &s->postings;
	struct verify_state *v = s->v;
	enum db_result result = DB_OK;
	struct booking stray = { .kind = "" };
	struct posting *more;

	v->postings = 0;
	while (result == DB_OK && c->rows != NULL && !v->stopped &&
	    db_get_int(c->rows, c->row, 0) <= id) {
		more = verify_room(v->posting, v->postings, &v->posting_room,
		    sizeof(*more));
		if (more == NULL) {
			db_say(v->db, "out of memory");
			return DB_ERROR;
		}
		v->posting = more;
		stray.id = db_get_int(c->rows, c->row, 0);
		v->posting[v->postings] = (struct posting) {
			.account_id = db_get_int(c->rows, c->row, 1),
			.nano = db_get_int(c->rows, c->row, 2) };
		if (stray.id == id)
			v->postings++;
		else
			verify_say_posting(v, &stray,
			    v->posting[v->postings].account_id,
			    v->posting[v->postings].nano, 0,
			    "its booking isn't there");
		result = db_cursor_next(c);
	}
	return result;
}

/* Sums of the booking's calls that retention has deleted. */
static void
take_archive(struct streams *s, struct call_sums *sums)
{
	const struct db_cursor *c = &s->bookings;
	struct owner *o = verify_owner(s->v, db_get_int(c->rows, c->row, 11));

	sums->calls = db_get_int(c->rows, c->row, 12);
	sums->fee = db_get_int(c->rows, c->row, 13);
	sums->owed = db_get_int(c->rows, c->row, 14);
	if (o != NULL)
		o->fees += db_get_int(c->rows, c->row, 13);
}

static enum db_result
take_booking(struct streams *s)
{
	const struct db_cursor *c = &s->bookings;
	struct call_sums sums = { 0 };
	enum db_result result;
	struct booking b = {
		.id = db_get_int(c->rows, c->row, 0),
		.kind = db_get_text(c->rows, c->row, 1),
		.customer_id = db_get_int(c->rows, c->row, 2),
		.calls = db_get_int(c->rows, c->row, 3),
		.at_us = db_get_time(c->rows, c->row, 4),
		.asked = db_get_text(c->rows, c->row, 5),
		.has_receipt = db_get_bool(c->rows, c->row, 6),
		.amount_nano = db_get_int(c->rows, c->row, 7),
		.bonus_nano = db_get_int(c->rows, c->row, 8),
		.has_refund = db_get_bool(c->rows, c->row, 9),
		.refund_nano = db_get_int(c->rows, c->row, 10)
	};

	take_archive(s, &sums);
	result = take_postings(s, b.id);
	if (result == DB_OK)
		result = take_calls(s, b.id, strcmp(b.kind, "calls") == 0 ?
		    b.customer_id : 0, &sums);
	if (result == DB_OK && !s->v->stopped)
		verify_booking(s->v, &b, &sums);
	return result == DB_OK ? db_cursor_next(&s->bookings) : result;
}

static enum db_result
read_ledger(struct verify_state *v)
{
	struct streams s = { .v = v };
	struct call_sums rest = { 0 };
	enum db_result result;

	result = db_script(v->db, plan_sql);
	if (result == DB_OK)
		result = db_cursor_open(&s.bookings, v->db, "verify_bookings",
		    bookings_sql);
	if (result == DB_OK)
		result = db_cursor_open(&s.postings, v->db, "verify_postings",
		    postings_sql);
	if (result == DB_OK)
		result = db_cursor_open(&s.calls, v->db, "verify_calls",
		    calls_sql);
	while (result == DB_OK && s.bookings.rows != NULL && !v->stopped)
		result = take_booking(&s);
	if (result == DB_OK)
		result = take_postings(&s, INT64_MAX);
	if (result == DB_OK)
		result = take_calls(&s, INT64_MAX, 0, &rest);
	db_cursor_close(&s.bookings);
	db_cursor_close(&s.postings);
	db_cursor_close(&s.calls);
	if (result == DB_OK)
		result = verify_suspects(v);
	return result == DB_OK ? db_script(v->db, plan_reset_sql) : result;
}

static void
compare_pots(struct verify_state *v)
{
	char object[40];
	uint32_t i;

	for (i = 0; i < v->accounts; i++) {
		struct account *a = &v->account[i];

		if (a->customer_id == 0 || a->nano == a->stored_nano)
			continue;
		snprintf(object, sizeof(object), "pot:%" PRId64, a->id);
		verify_say(v, "pot", object, a->stored_nano, a->nano,
		    "not the sum of the account's postings");
	}
}

/* One row if it can only be that one. */
static void
say_lease(struct verify_state *v, const char *rule, const struct owner *o,
    __int128 found, __int128 expected, const char *why)
{
	char object[64];

	if (o->leases == 1)
		snprintf(object, sizeof(object), "lease:%" PRId64 ":%" PRId64,
		    o->node, o->customer_id);
	else
		snprintf(object, sizeof(object), "customer:%" PRId64,
		    o->customer_id);
	verify_say(v, rule, object, found, expected, why);
}

static void
compare_leases(struct verify_state *v)
{
	char object[40];
	__int128 total;
	uint32_t i, k;

	for (i = 0; i < v->owners; i++) {
		const struct owner *o = &v->owner[i];

		if (o->granted_nano != o->in)
			say_lease(v, "granted", o, o->granted_nano, o->in,
			    "at home and granted to the nodes, against all "
			    "bookings but those of calls");
		if (o->granted_nano != o->moved_nano)
			say_lease(v, "lent", o, o->granted_nano,
			    o->moved_nano, "at home and granted to the nodes, "
			    "against the purse");
		if (o->spent_nano != o->fees)
			say_lease(v, "spent", o, o->spent_nano, o->fees,
			    "spent by the nodes, against its calls' fees");
		for (total = 0, k = 0; k < o->pots; k++)
			total += v->account[v->order[o->first + k]].nano;
		if (total == (__int128)o->granted_nano - o->spent_nano)
			continue;
		snprintf(object, sizeof(object), "customer:%" PRId64,
		    o->customer_id);
		verify_say(v, "balance", object, total,
		    (__int128)o->granted_nano - o->spent_nano,
		    "the ledger, against granted less spent");
	}
}

/*
 * What needs no order.  Each query is for what breaks the rule: object, found,
 * expected.  Prices are compared with what the audit trail says was set, but
 * for the form of times there.
 */
static const struct {
	const char *rule, *why, *sql;
} first[] = {
	{ "price", "not what the audit trail says was set",
	    "SELECT 'price:' || p.id, 0::bigint, 0::bigint"
	    " FROM youyun.price p LEFT JOIN youyun.audit a"
	    "  ON a.object = 'price:' || p.id AND a.action = 'price.insert'"
	    " WHERE a.id IS NULL OR EXISTS (SELECT 1"
	    "  FROM jsonb_each(a.change) k WHERE k.key NOT IN"
	    "  ('effective_from', 'created')"
	    "  AND to_jsonb(p) -> k.key IS DISTINCT FROM k.value)"
	    " OR (a.change ->> 'effective_from')::timestamptz"
	    "  <> p.effective_from ORDER BY p.id" },
}, last[] = {
	{ "bill", "not the sum of the month's postings",
	    "SELECT 'bill:' || coalesce(b.customer_id, r.customer_id) || ':'"
	    "  || to_char(coalesce(b.month, r.month), 'YYYY-MM'),"
	    "  coalesce(b.change_nano, 0), coalesce(r.change_nano, 0)"
	    " FROM youyun.bill_month b FULL JOIN youyun.bill_month_reckoned r"
	    "  ON r.customer_id = b.customer_id AND r.month = b.month"
	    " WHERE b IS DISTINCT FROM (r.customer_id, r.month,"
	    "  r.credited_nano, r.calls_nano, r.change_nano, r.bookings,"
	    "  r.first_id, r.last_id)::youyun.bill_month"
	    " ORDER BY coalesce(b.customer_id, r.customer_id),"
	    "  coalesce(b.month, r.month)" },
	{ "refund", "more was given back than the call's fee",
	    "SELECT 'transaction:' || r.transaction_id,"
	    " r.so_far::bigint, coalesce(k.fee_nano, a.fee_nano, 0)"
	    " FROM (SELECT f.*, sum(f.amount_nano) OVER (PARTITION BY"
	    "  f.request_id ORDER BY f.transaction_id) AS so_far"
	    "  FROM youyun.refund f) r LEFT JOIN youyun.call k"
	    "  ON k.started_at = r.started_at AND k.request_id = r.request_id"
	    " LEFT JOIN youyun.call_archive_refunded a"
	    "  ON a.request_id = r.request_id"
	    " WHERE r.so_far > coalesce(k.fee_nano, a.fee_nano, 0)"
	    " ORDER BY r.transaction_id" },
	{ "refund", "it goes to other pots than the fee came from",
	    "SELECT 'transaction:' || r.transaction_id, x.found, x.expected"
	    " FROM (SELECT f.transaction_id, t.at, t.customer_id,"
	    "  k.ledger_transaction_id AS booking, f.amount_nano,"
	    "  k.fee_nano - coalesce(sum(f.amount_nano) OVER (PARTITION BY"
	    "  f.request_id ORDER BY f.transaction_id"
	    "  ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)"
	    "  + (SELECT coalesce(sum(c.fee_nano), 0) FROM youyun.call c"
	    "  WHERE c.ledger_transaction_id = k.ledger_transaction_id"
	    "  AND c.journal_seq < k.journal_seq) AS past"
	    "  FROM youyun.refund f JOIN youyun.ledger_transaction t"
	    "   ON t.id = f.transaction_id JOIN youyun.call k"
	    "   ON k.started_at = f.started_at"
	    "   AND k.request_id = f.request_id"
	    "   WHERE NOT EXISTS (SELECT 1 FROM youyun.call_archive g"
	    "   WHERE g.ledger_transaction_id = k.ledger_transaction_id)) r"
	    " CROSS JOIN LATERAL (SELECT coalesce(p.amount_nano, 0) AS found,"
	    "  coalesce(e.amount_nano, 0) AS expected"
	    "  FROM youyun.refund_parts(r.booking, (r.past - r.amount_nano)"
	    "   ::bigint, r.past::bigint, r.at) e"
	    "  FULL JOIN (SELECT q.* FROM youyun.posting q"
	    "   JOIN youyun.ledger_account a ON a.id = q.account_id"
	    "   WHERE q.transaction_id = r.transaction_id"
	    "   AND a.customer_id IS NOT NULL) p"
	    "   ON p.account_id = e.account_id"
	    "  WHERE p.amount_nano IS DISTINCT FROM e.amount_nano LIMIT 1) x"
	    " ORDER BY r.transaction_id" },
};

struct pass {
	struct verify_state *v;
	const char *rule, *why;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *p = arg;

	verify_say(p->v, p->rule, db_get_text(r, 0, 0), db_get_int(r, 0, 1),
	    db_get_int(r, 0, 2), p->why);
	return !p->v->stopped;
}

static enum db_result
ask(struct verify_state *v, const char *rule, const char *why,
    const char *sql)
{
	struct pass pass = { v, rule, why };

	return v->stopped ? DB_OK : db_query_each(v->db, sql, NULL, 0, take,
	    &pass);
}

static enum db_result
body(struct db *db, void *arg)
{
	struct verify_state v = { .db = db, .hooks = arg };
	enum db_result result;
	size_t i;

	result = verify_load(&v);
	for (i = 0; i < sizeof(first) / sizeof(first[0]) && result == DB_OK;
	    i++)
		result = ask(&v, first[i].rule, first[i].why, first[i].sql);
	if (result == DB_OK)
		result = read_ledger(&v);
	if (result == DB_OK) {
		compare_pots(&v);
		compare_leases(&v);
	}
	for (i = 0; i < sizeof(last) / sizeof(last[0]) && result == DB_OK;
	    i++)
		result = ask(&v, last[i].rule, last[i].why, last[i].sql);
	verify_free(&v);
	return result;
}

enum db_result
q_verify(struct db *db, const struct verify_hooks *hooks)
{
	return body(db, (void *)(uintptr_t)hooks);
}

enum db_result
q_verify_each(struct db *db, bool (*each)(const struct breach_row *, void *),
    void *arg)
{
	struct verify_hooks hooks = { .breach = each, .arg = arg };

	if (db->in_transaction)
		return q_verify(db, &hooks);
	return db_transaction(db, DB_SNAPSHOT, body, &hooks);
}
