/*
 * verify: does every amount follow from what it was made of?  Fees from the
 * counts and the price's version; bookings, pots, balances and leases from
 * each other; the segment's balances from the ledger's.  The database is read
 * in one snapshot, in memory that doesn't grow with the calls.
 */
#include "admin/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/args.h"
#include "admin/calls.h"
#include "admin/check.h"
#include "admin/options.h"
#include "admin/prices.h"
#include "admin/progress.h"
#include "admin/report.h"
#include "admin/verify.h"
#include "admin/words.h"
#include "base/money.h"
#include "db/queries.h"
#include "db/queries_agreement.h"
#include "db/queries_verify.h"
#include "db/transaction.h"

#define SHOWN_USUAL 20
#define SHOWN_MAX INT64_C(100000)

static const struct report_column columns[] = {
	{ "rule", "RULE", REPORT_ID, false },
	{ "object", "WHERE", REPORT_ID, false },
	{ "found", "FOUND", REPORT_MONEY, false },
	{ "expected", "EXPECTED", REPORT_MONEY, false },
	{ "why", "WHY", REPORT_TEXT, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

void
verify_breach(struct verify *v, const char *rule, const char *object,
    int64_t found_nano, int64_t expected_nano, const char *why)
{
	v->breaches++;
	if (v->breaches > v->shown)
		return;
	report_id(v->list, rule);
	report_id(v->list, object);
	report_money(v->list, found_nano);
	report_money(v->list, expected_nano);
	report_text(v->list, why);
}

static void
call_breach(struct verify *v, const struct call_record *r, const char *rule,
    int64_t found_nano, int64_t expected_nano, const char *why)
{
	char object[RECORD_ID_TEXT_BYTES + 8], id[RECORD_ID_TEXT_BYTES];

	record_id_format(r->request_id, id);
	snprintf(object, sizeof object, "call:%s", id);
	verify_breach(v, rule, object, found_nano, expected_nano, why);
}

/* The other model's price, if the record names one; false: it isn't there. */
static bool
find_other(const struct verify *v, const struct call_record *r,
    const struct price **other_r)
{
	const struct priced *priced;

	*other_r = NULL;
	if (r->other_price_version == 0)
		return true;
	priced = prices_find(v->prices, r->other_price_version);
	if (priced != NULL)
		*other_r = &priced->price;
	return priced != NULL;
}

static void
check_fee(struct verify *v, const struct call_row *row)
{
	const struct call_record *r = &row->record;
	const struct priced *priced;
	const struct price *other;
	const char *why;
	int64_t owed, fee;
	bool marked;

	if (!money_add(r->fee_nano, r->uncollected_nano, &owed)) {
		call_breach(v, r, "fee", r->fee_nano, 0,
		    "fee and uncollected are larger than any amount");
		return;
	}
	if (!prices_used(r)) {
		if (owed != 0)
			call_breach(v, r, "fee", owed, 0, "nothing was used");
		return;
	}
	priced = prices_find(v->prices, r->price_version);
	if (priced == NULL || !find_other(v, r, &other)) {
		call_breach(v, r, "price", owed, 0,
		    "there is no such price version");
		return;
	}
	if (!prices_fit(v->prices, priced, r->model_id))
		call_breach(v, r, "price", owed, 0,
		    "the price version is another model's");
	why = prices_fee(r, &priced->price, other, r->multiplier_ppm, &fee,
	    &marked);
	if (why != NULL)
		call_breach(v, r, "fee", owed, 0, why);
	else if (fee != owed)
		call_breach(v, r, "fee", owed, fee,
		    "not counts x prices x multipliers");
	else if (marked != ((r->flags & RECORD_UNPRICED) != 0))
		call_breach(v, r, "marked", owed, fee, marked ?
		    "used what has no price, and doesn't say so" :
		    "says that it used what has no price");
	v->fees++;
}

/* False when it told of a breach. */
static bool
check_call(const struct call_row *row, void *arg)
{
	struct verify *v = arg;
	const struct call_record *r = &row->record;
	int64_t before;

	before = v->breaches;
	v->calls++;
	check_fee(v, row);
	if (r->fee_nano > r->held_nano)
		call_breach(v, r, "held", r->fee_nano, r->held_nano,
		    "charged more than was held");
	/* What came after its node was fenced is booked as far as it goes. */
	if (r->uncollected_nano != 0 && r->fee_nano != r->held_nano &&
	    (r->flags & RECORD_LATE) == 0)
		call_breach(v, r, "held", r->fee_nano, r->held_nano,
		    "not all that was held was charged, yet some was not "
		    "collected");
	return v->breaches == before;
}

static bool
take_breach(const struct breach_row *row, void *arg)
{
	char object[RECORD_ID_TEXT_BYTES + 8], id[RECORD_ID_TEXT_BYTES];
	uint8_t request_id[RECORD_ID_BYTES];
	const char *name;

	/* The database's form of a call's id is not the one people know. */
	name = row->object;
	if (strncmp(name, "call:", 5) == 0 &&
	    request_id_parse(name + 5, request_id)) {
		record_id_format(request_id, id);
		snprintf(object, sizeof object, "call:%s", id);
		name = object;
	}
	verify_breach(arg, row->rule, name, row->found_nano,
	    row->expected_nano, row->why);
	return true;
}

static void
show_progress(int64_t calls, void *arg)
{
	(void)arg;
	progress_set(calls);
}

/* One snapshot: what is compared belongs together. */
static enum db_result
snapshot(struct db *db, void *arg)
{
	struct verify *v = arg;
	struct verify_hooks hooks = { .breach = take_breach,
		.call = check_call, .progress = show_progress, .arg = v };
	enum db_result result;
	int64_t estimate = 0;

	/* It may be run again after a conflict. */
	v->calls = v->fees = v->breaches = 0;
	if (v->list != NULL)
		report_discard(&v->list);
	v->list = report_list("breaches", columns);
	prices_free(&v->prices);
	v->prices = prices_load(db, &result);
	if (v->prices == NULL)
		return result != DB_OK ? result : DB_ERROR;
	progress_begin("calls", 0);
	result = q_call_estimate(db, &estimate);
	progress_total(estimate);
	if (result == DB_OK)
		result = q_verify(db, &hooks);
	if (result == DB_OK)
		result = q_totals(db, &v->totals);
	progress_end();
	return result;
}

static void
add_segment(struct record *record, const struct verify *v)
{
	char text[MONEY_TEXT_BYTES];

	record_flag(record, "segment", NULL, v->segment.present);
	if (!v->segment.present) {
		record_line(record, "The segment isn't there (youyund is "
		    "down), so only the database was checked.");
		return;
	}
	record_number(record, "segment_accounts", "Segment's accounts",
	    v->segment.accounts);
	record_number(record, "segment_agree", "  agree to the nano",
	    v->segment.agree);
	record_number(record, "segment_busy", "  in the middle of calls",
	    v->segment.busy);
	record_money(record, "segment_unapplied", NULL,
	    v->segment.unapplied_nano);
	if (v->segment.busy > 0) {
		money_format(v->segment.unapplied_nano, 2, text);
		record_line(record, "  their fees not yet in the database: "
		    "%s", text);
	}
}

static void
print(struct admin *admin, struct verify *v)
{
	struct record *record;

	record = record_open();
	record_flag(record, "ok", NULL, v->breaches == 0);
	record_number(record, "calls", "Calls read", v->calls);
	record_number(record, "fees", "Fees recomputed", v->fees);
	record_number(record, "customers", "Customers", v->totals.customers);
	record_number(record, "transactions", "Bookings",
	    v->totals.transactions);
	record_money(record, "credited", "Credited", v->totals.granted_nano);
	record_money(record, "spent", "Spent", v->totals.spent_nano);
	record_money(record, "fee_sum", "Fees of all calls",
	    v->totals.fee_nano);
	record_money(record, "uncollected", "Not collected",
	    v->totals.uncollected_nano);
	add_segment(record, v);
	record_number(record, "breaches_count", "Breaches", v->breaches);
	if (admin->json) {
		record_list(record, &v->list);
		record_print(&record, admin);
		return;
	}
	record_print(&record, admin);
	if (v->breaches == 0) {
		report_discard(&v->list);
		puts("Everything agrees, to the nano.");
		return;
	}
	putchar('\n');
	report_print(&v->list, admin, "");
	fflush(stdout);
	if (v->breaches > v->shown)
		complain("the first %lld of %lld breaches are shown",
		    (long long)v->shown, (long long)v->breaches);
}

static const struct opt options[] = {
	{ "limit", "COUNT", "name at most so many breaches; default 20",
	  false },
	{ NULL, NULL, NULL, false }
};

static enum db_result
note_body(struct db *db, void *arg)
{
	const struct verify *v = arg;

	return q_verify_note(db, v->calls, v->breaches);
}

/* For those who ask when it ran last. */
static void
note(struct admin *admin, struct verify *v)
{
	if (admin_change(admin, note_body, v) != DB_OK)
		complain("cannot note the run: %s", db_message(admin->db));
}

static enum admin_exit
verify(struct admin *admin, struct verify *v)
{
	enum admin_exit status;
	enum db_result result;

	status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	result = db_transaction(admin->db, DB_SNAPSHOT, snapshot, v);
	if (result != DB_OK)
		return admin_database_failed(admin, result,
		    "read the database");
	status = verify_segment(admin, v);
	if (status != ADMIN_OK)
		return status;
	print(admin, v);
	note(admin, v);
	if (v->breaches == 0)
		return ADMIN_OK;
	complain("%lld breach%s found", (long long)v->breaches,
	    v->breaches == 1 ? " was" : "es were");
	return ADMIN_FAILED;
}

static enum admin_exit
run_verify(struct admin *admin, const struct args *args)
{
	struct verify v;
	enum admin_exit status;

	memset(&v, 0, sizeof v);
	v.shown = SHOWN_USUAL;
	status = option_number(args, "limit", SHOWN_MAX, &v.shown);
	if (status != ADMIN_OK)
		return status;
	status = verify(admin, &v);
	if (v.list != NULL)
		report_discard(&v.list);
	prices_free(&v.prices);
	return status;
}

const struct verb verbs_verify[] = {
	{ "verify", NULL, "", 0, 0,
	  "recompute every fee and balance, and compare",
	  "verify", options, run_verify },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
