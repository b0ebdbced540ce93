/*
 * bill: one call's fee, step by step, every digit shown.  A product of tokens
 * and price is exact to 10^-15, with the multiplier to 10^-21 of a unit; only
 * the last line is rounded.
 */
#include "admin/admin.h"

#include <stdio.h>
#include <string.h>

#include "admin/args.h"
#include "admin/calls.h"
#include "admin/prices.h"
#include "admin/report.h"
#include "admin/words.h"
#include "base/fee.h"
#include "base/money.h"
#include "conf/settings.h"
#include "db/queries.h"

/* Decimals of a product: nano is 9, a million of tokens 6, ppm 6 more. */
#define LINE_PLACES 15
#define TOTAL_PLACES 21
#define EXACT_BYTES 64

struct bill {
	struct call_record record;
	char model[128];
	char customer[130];
	int found;
};

/* v / 10^places as a decimal, with at least two places kept. */
static void
exact_format(__int128 v, int places, char text_r[EXACT_BYTES])
{
	char digit[48];
	int n, len, i, keep;

	n = 0;
	do {
		digit[n++] = (char)('0' + (int)(v % 10));
		v /= 10;
	} while (v > 0 || n <= places);
	keep = places;
	while (keep > 2 && digit[places - keep] == '0')
		keep--;
	len = 0;
	for (i = n - 1; i >= places - keep; i--) {
		if (i == places - 1)
			text_r[len++] = '.';
		text_r[len++] = digit[i];
	}
	text_r[len] = '\0';
}

static bool
keep_call(const struct call_row *row, void *arg)
{
	struct bill *b = arg;

	b->found++;
	b->record = row->record;
	snprintf(b->model, sizeof b->model, "%s", row->model);
	snprintf(b->customer, sizeof b->customer, "%s", row->customer);
	return true;
}

static const struct report_column line_columns[] = {
	{ "dimension", "", REPORT_TEXT, false },
	{ "tokens", "TOKENS", REPORT_NUMBER, false },
	{ "price_per_million", "PRICE/10^6", REPORT_MONEY, false },
	{ "priced_as", NULL, REPORT_TEXT, false },
	{ "amount", "AMOUNT", REPORT_TEXT, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

/* One row for each dimension that was used; returns their exact sum. */
static __int128
add_lines(const struct bill *b, const struct price *price,
    struct report *lines, struct record *record)
{
	char amount[EXACT_BYTES], per_million[MONEY_TEXT_BYTES], name[48];
	__int128 product, sum;
	enum usage_dim d;
	int64_t nano;
	bool own;
	int i;

	sum = 0;
	for (i = 0; i < USAGE_DIMS_STORED; i++) {
		d = (enum usage_dim)i;
		if (b->record.count[d] == 0)
			continue;
		nano = fee_price_of(price, d);
		own = price->nano_per_million[d] != PRICE_UNSET;
		product = (__int128)b->record.count[d] * nano;
		sum += product;
		exact_format(product, LINE_PLACES, amount);
		money_format(nano, 2, per_million);
		report_text(lines, usage_dim_name(d));
		report_number(lines, (int64_t)b->record.count[d]);
		report_money(lines, nano);
		report_text(lines, usage_dim_name(own ? d : USAGE_INPUT));
		report_text(lines, amount);
		snprintf(name, sizeof name, "%s%s", usage_dim_name(d),
		    own ? "" : " (as input)");
		record_line(record, "  %-24s %12llu x %12s / 10^6 = %s", name,
		    (unsigned long long)b->record.count[d], per_million,
		    amount);
	}
	return sum;
}

static void
add_head(struct record *record, const struct bill *b,
    const struct admin *admin)
{
	char id[REQUEST_ID_TEXT_BYTES];

	request_id_format(b->record.request_id, id);
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

/* True when the book agrees with the arithmetic. */
static bool
add_sums(struct record *record, const struct bill *b, __int128 sum,
    int64_t fee)
{
	char exact[EXACT_BYTES], factor[MONEY_TEXT_BYTES];
	char text[MONEY_TEXT_BYTES];
	bool agrees;

	exact_format(sum, LINE_PLACES, exact);
	record_text(record, "sum", NULL, exact);
	record_line(record, "  %-56s = %s", "sum", exact);
	ppm_format(b->record.multiplier_ppm, factor);
	record_text(record, "multiplier", NULL, factor);
	exact_format(sum * b->record.multiplier_ppm, TOTAL_PLACES, exact);
	record_text(record, "exact", NULL, exact);
	record_line(record, "  %-24s %12s   %12s         = %s",
	    "x group's multiplier", "", factor, exact);
	money_format(fee, 9, text);
	record_line(record, "  %-56s = %s",
	    "rounded half to even, to the nano", text);
	agrees = b->record.fee_nano >= 0 && b->record.uncollected_nano >= 0 &&
	    (__int128)b->record.fee_nano + b->record.uncollected_nano == fee;
	record_money(record, "fee", NULL, fee);
	record_money(record, "charged", "Charged", b->record.fee_nano);
	record_money(record, "uncollected",
	    b->record.uncollected_nano != 0 ?
	    "Above what was held, not collected" : NULL,
	    b->record.uncollected_nano);
	record_flag(record, "agrees", NULL, agrees);
	return agrees;
}

static enum admin_exit
free_call(struct admin *admin, const struct bill *b)
{
	struct record *record;

	record = record_open();
	add_head(record, b, admin);
	record_money(record, "charged", "Charged", b->record.fee_nano);
	record_line(record, "Nothing was used, so nothing was charged.");
	record_print(&record, admin);
	return b->record.fee_nano == 0 ? ADMIN_OK : ADMIN_FAILED;
}

static enum admin_exit
explain(struct admin *admin, const struct bill *b, const struct price *price)
{
	struct record *record;
	struct report *lines;
	const char *why;
	__int128 sum;
	int64_t fee;
	bool agrees;

	why = prices_fee(price, b->record.count, b->record.multiplier_ppm,
	    &fee);
	if (why != NULL) {
		complain("the call can't be billed: %s", why);
		return ADMIN_FAILED;
	}
	record = record_open();
	lines = report_list("lines", line_columns);
	add_head(record, b, admin);
	record_line(record, "%s", "");
	sum = add_lines(b, price, lines, record);
	record_list(record, &lines);
	agrees = add_sums(record, b, sum, fee);
	record_print(&record, admin);
	if (agrees)
		return ADMIN_OK;
	complain("the record says something else than the arithmetic");
	hint("\"youyunctl verify\" looks for more");
	return ADMIN_FAILED;
}

static bool
used_anything(const struct call_record *r)
{
	int i;

	for (i = 0; i < USAGE_SLOTS; i++)
		if (r->count[i] != 0)
			return true;
	return false;
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

static enum admin_exit
run_bill(struct admin *admin, const struct args *args)
{
	const struct price *price;
	struct prices *prices;
	enum db_result result;
	enum admin_exit status;
	struct bill b;

	status = find_call(admin, args->word[0], &b);
	if (status != ADMIN_OK)
		return status;
	if (!used_anything(&b.record))
		return free_call(admin, &b);
	prices = prices_load(admin->db, &result);
	if (prices == NULL) {
		if (result != DB_OK)
			return admin_database_failed(admin, result,
			    "read the prices");
		complain("out of memory");
		return ADMIN_FAILED;
	}
	price = prices_find(prices, b.record.price_version, NULL);
	if (price != NULL) {
		status = explain(admin, &b, price);
	} else {
		complain("there is no price version %llu",
		    (unsigned long long)b.record.price_version);
		status = ADMIN_FAILED;
	}
	prices_free(&prices);
	return status;
}

const struct verb verbs_bill[] = {
	{ "bill", NULL, "CALL", 1, 1,
	  "explain a call's fee; CALL is its x-request-id, or \"last\"",
	  "bill last", NULL, run_bill },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
