/*
 * bill: one call's fee, step by step, out of its record; and what a
 * customer's months came to.
 */
#include "admin/admin.h"

#include <stdio.h>
#include <string.h>

#include "admin/access.h"
#include "admin/args.h"
#include "admin/bill.h"
#include "admin/calls.h"
#include "admin/explain.h"
#include "admin/page.h"
#include "admin/prices.h"
#include "admin/report.h"
#include "admin/words.h"
#include "base/money.h"
#include "conf/settings.h"
#include "db/queries.h"
#include "db/value.h"

static bool
keep_call(const struct call_row *row, void *arg)
{
	struct bill *b = arg;

	b->found++;
	b->record = row->record;
	snprintf(b->model, sizeof b->model, "%s", row->model);
	snprintf(b->other_model, sizeof b->other_model, "%s",
	    row->other_model);
	snprintf(b->customer, sizeof b->customer, "%s", row->customer);
	return true;
}

static void
add_head(struct record *record, const struct bill *b,
    const struct admin *admin)
{
	char id[RECORD_ID_TEXT_BYTES];

	record_id_format(b->record.request_id, id);
	record_text(record, "request_id", "Call", id);
	record_time(record, "started_at", "Time (UTC)",
	    b->record.started_us);
	record_text(record, "customer", "Customer", b->customer);
	record_text(record, "model", "Model", b->model);
	record_number(record, "price_version", "Price version",
	    (int64_t)b->record.price_version);
	record_text(record, "currency", "Currency",
	    admin->settings->currency);
}

static enum admin_exit
free_call(struct record *record, const struct admin *admin, struct bill *b)
{
	add_head(record, b, admin);
	record_money(record, "charged", "Charged", b->record.fee_nano);
	record_line(record, "Nothing was used, so nothing was charged.");
	b->agrees = b->record.fee_nano == 0;
	return ADMIN_OK;
}

/* True when the book agrees with the arithmetic. */
static bool
add_outcome(struct record *record, const struct bill *b, int64_t fee,
    bool marked)
{
	const struct call_record *r = &b->record;
	bool agrees;

	agrees = r->fee_nano >= 0 && r->uncollected_nano >= 0 &&
	    (__int128)r->fee_nano + r->uncollected_nano == fee &&
	    marked == ((r->flags & RECORD_UNPRICED) != 0);
	record_money(record, "fee", NULL, fee);
	record_money(record, "charged", "Charged", r->fee_nano);
	record_money(record, "uncollected", r->uncollected_nano != 0 ?
	    "Above what was held, not collected" : NULL, r->uncollected_nano);
	record_flag(record, "agrees", NULL, agrees);
	return agrees;
}

static enum admin_exit
explain(struct record *record, const struct admin *admin, struct bill *b,
    const struct price *price, const struct price *other)
{
	struct fee_terms terms = { price, other, b->record.multiplier_ppm };
	struct usage usage;
	const char *why;
	int64_t fee;
	bool marked;

	/* Checks what comes from outside before it is computed with. */
	why = prices_fee(&b->record, price, other, terms.multiplier_ppm, &fee,
	    &marked);
	if (why != NULL) {
		complain("the call can't be billed: %s", why);
		return ADMIN_FAILED;
	}
	add_head(record, b, admin);
	record_line(record, "%s", "");
	record_get_usage(&b->record, &usage);
	if (explain_fee(record, &usage, &terms, b->other_model[0] != '\0' ?
	    b->other_model : NULL, &fee, &marked) == FEE_UNPRICED)
		fee = b->record.held_nano;
	b->agrees = add_outcome(record, b, fee, marked);
	return ADMIN_OK;
}

static enum admin_exit
explain_by(struct record *record, const struct admin *admin, struct bill *b,
    const struct prices *prices)
{
	const struct priced *price, *other;
	uint64_t missing;

	price = prices_find(prices, b->record.price_version);
	other = NULL;
	missing = price == NULL ? b->record.price_version : 0;
	if (b->record.other_price_version != 0) {
		other = prices_find(prices, b->record.other_price_version);
		if (other == NULL)
			missing = b->record.other_price_version;
	}
	if (missing != 0 || price == NULL) {
		complain("there is no price version %llu",
		    (unsigned long long)missing);
		return ADMIN_FAILED;
	}
	return explain(record, admin, b, &price->price,
	    other != NULL ? &other->price : NULL);
}

static enum admin_exit
find_call(struct admin *admin, const char *word, struct bill *b)
{
	uint8_t id[RECORD_ID_BYTES];
	struct call_filter filter;
	enum admin_exit status;

	memset(b, 0, sizeof *b);
	memset(&filter, 0, sizeof filter);
	filter.limit = 2;
	if (strcmp(word, "last") == 0) {
		filter.limit = 1;
	} else if (request_id_parse(word, id)) {
		request_id_filter(&filter, id);
	} else {
		complain("\"%s\" is no request id", word);
		hint("x-request-id of an answer is one; \"last\" is the "
		    "latest call");
		return ADMIN_USAGE;
	}
	status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_database_failed(admin, q_call_each(admin->db,
		    &filter, keep_call, b), "read the call");
	if (status != ADMIN_OK || b->found > 0)
		return status;
	complain("there is no call %s", word);
	hint("a call is there some milliseconds after its end");
	return ADMIN_NOT_FOUND;
}

enum admin_exit
bill_add(struct admin *admin, const char *word, struct record *record,
    struct bill *b)
{
	struct prices *prices;
	enum db_result result;
	enum admin_exit status;

	status = find_call(admin, word, b);
	if (status != ADMIN_OK)
		return status;
	if (!prices_used(&b->record))
		return free_call(record, admin, b);
	prices = prices_load(admin->db, &result);
	if (prices == NULL) {
		if (result != DB_OK)
			return admin_database_failed(admin, result,
			    "read the prices");
		complain("out of memory");
		return ADMIN_FAILED;
	}
	status = explain_by(record, admin, b, prices);
	prices_free(&prices);
	return status;
}

enum admin_exit
bill_judge(const struct bill *b)
{
	if (b->agrees)
		return ADMIN_OK;
	complain("the record says something else than the arithmetic");
	hint("\"youyunctl verify\" looks for more");
	return ADMIN_FAILED;
}

static enum admin_exit
run_bill(struct admin *admin, const struct args *args)
{
	struct record *record = record_open();
	enum admin_exit status;
	struct bill b;

	status = bill_add(admin, args->word[0], record, &b);
	if (status == ADMIN_OK)
		status = access_customer(admin, b.customer);
	if (status != ADMIN_OK) {
		record_discard(&record);
		return status;
	}
	record_print(&record, admin);
	return bill_judge(&b);
}

static const struct report_column month_columns[] = {
	{ "month", "MONTH", REPORT_ID, false },
	{ "credited", "CREDITED", REPORT_MONEY, false },
	{ "calls", "CALLS", REPORT_MONEY, false },
	{ "change", "CHANGE", REPORT_MONEY, false },
	{ "bookings", "BOOKINGS", REPORT_NUMBER, true },
	{ NULL, NULL, REPORT_TEXT, false }
};

/* "2026-11" */
static bool
is_month(const char *text)
{
	return strlen(text) == 7 && text[4] == '-' &&
	    strspn(text, "0123456789") == 4 &&
	    strspn(text + 5, "0123456789") == 2 &&
	    strncmp(text + 5, "01", 2) >= 0 && strncmp(text + 5, "12", 2) <= 0;
}

static enum admin_exit
read_months(struct admin *admin, struct page *page, void *arg)
{
	const int64_t *customer_id = arg;
	struct db_rows *rows = NULL;
	struct report *report;
	enum db_result result;

	if (page->after != NULL && !is_month(page->after))
		return page_not_a_cursor(page);
	result = q_bill_list(admin->db, *customer_id, page->after,
	    PAGE_ASKED(page), &rows);
	if (result != DB_OK)
		return admin_database_failed(admin, result, "list the bills");
	for (size_t i = 0; i < db_rows_count(rows); i++) {
		report = page_row(page, "%s", db_get_text(rows, i, 0));
		if (report == NULL)
			break;
		report_id(report, db_get_text(rows, i, 0));
		for (int c = 1; c < 4; c++)
			report_money(report, db_get_int(rows, i, c));
		report_number(report, db_get_int(rows, i, 4));
	}
	db_rows_free(&rows);
	return ADMIN_OK;
}

static enum admin_exit
run_list(struct admin *admin, const struct args *args)
{
	static const struct page_list list = { .name = "bills",
		.columns = month_columns, .empty = "Nothing has been booked." };
	struct page page;
	int64_t customer_id = 0;
	enum admin_exit status = page_take(args, &page);

	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_customer(admin, args->word[0], &customer_id);
	return status != ADMIN_OK ? status :
	    page_print(admin, &page, &list, read_months, &customer_id);
}

static const struct opt page_options[] = {
	PAGE_OPTIONS,
	{ NULL, NULL, NULL, false }
};

const struct verb verbs_bill[] = {
	{ "bill", NULL, "CALL", 1, 1,
	  "explain a call's fee; CALL is its x-request-id, or \"last\"",
	  "bill last", NULL, run_bill },
	{ "bill", "show", "CALL", 1, 1,
	  "the same as bill CALL",
	  "bill show last", NULL, run_bill },
	{ "bill", "list", "CUSTOMER", 1, 1,
	  "list a customer's bills by month, the latest first",
	  "bill list acme", page_options, run_list },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
