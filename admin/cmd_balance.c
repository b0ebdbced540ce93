/* balance and ledger: what customers have, and how it came to be. */
#include "admin/admin.h"

#include <stdio.h>
#include <string.h>

#include "admin/args.h"
#include "admin/check.h"
#include "admin/options.h"
#include "admin/report.h"
#include "admin/words.h"
#include "base/currency.h"
#include "db/queries.h"

#define LIMIT_USUAL 50
#define LIMIT_MAX INT64_C(1000000)

static const struct report_column balance_columns[] = {
	{ "customer_id", "ID", REPORT_NUMBER, false },
	{ "customer", "CUSTOMER", REPORT_TEXT, false },
	{ "credited", "CREDITED", REPORT_MONEY, true },
	{ "spent", "SPENT", REPORT_MONEY, true },
	{ "balance", "BALANCE", REPORT_MONEY, false },
	{ "promotional", "PROMOTIONAL", REPORT_MONEY, true },
	{ "expiring", "EXPIRES NEXT", REPORT_MONEY, true },
	{ "expires_at", "AT (UTC)", REPORT_TIME, true },
	{ NULL, NULL, REPORT_TEXT, false }
};

static bool
balance_row(const struct customer_row *row, void *arg)
{
	struct report *report = arg;

	report_number(report, row->id);
	report_text(report, row->name);
	report_money(report, row->granted_nano);
	report_money(report, row->spent_nano);
	report_money(report, row->granted_nano - row->spent_nano);
	report_money(report, row->promotional_nano);
	if (row->expires_us != 0)
		report_money(report, row->expiring_nano);
	else
		report_none(report);
	report_time(report, row->expires_us);
	return true;
}

static enum admin_exit
run_balance(struct admin *admin, const struct args *args)
{
	struct report *report;
	enum admin_exit status;
	int64_t id;

	id = 0;
	status = admin_database(admin);
	if (status == ADMIN_OK && args->words == 1)
		status = admin_customer(admin, args->word[0], &id);
	if (status != ADMIN_OK)
		return status;
	report = report_list("balances", balance_columns);
	status = admin_database_failed(admin, q_customer_each(admin->db, id,
	    balance_row, report), "read the balances");
	if (status == ADMIN_OK)
		report_print(&report, admin, "There is no customer yet; "
		    "\"youyunctl customer add NAME\" adds one.");
	else
		report_discard(&report);
	return status;
}

static const struct report_column ledger_columns[] = {
	{ "at", "TIME (UTC)", REPORT_TIME, true },
	{ "transaction", "BOOKING", REPORT_NUMBER, false },
	{ "kind", "KIND", REPORT_TEXT, false },
	{ "customer_id", NULL, REPORT_NUMBER, false },
	{ "account", "ACCOUNT", REPORT_TEXT, false },
	{ "calls", "CALLS", REPORT_NUMBER, true },
	{ "amount", "AMOUNT", REPORT_MONEY, false },
	{ "balance", "BALANCE", REPORT_MONEY, false },
	{ "actor", "BY", REPORT_TEXT, true },
	{ "reason", "REASON", REPORT_TEXT, true },
	{ "key", NULL, REPORT_TEXT, false },
	{ "expires_at", "EXPIRES", REPORT_TIME, true },
	{ "request_id", NULL, REPORT_ID, false },
	{ "package", NULL, REPORT_TEXT, false },
	{ "price", NULL, REPORT_TEXT, false },
	{ "currency", NULL, REPORT_TEXT, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

struct ledger_listing {
	struct report *report;
	bool with_balance;
};

/* The call that is given back, or what was bought. */
static void
add_cause(struct report *report, const struct ledger_row *row)
{
	char id[RECORD_ID_TEXT_BYTES], price[CURRENCY_TEXT_BYTES];

	if (row->request_id != NULL) {
		record_id_format(row->request_id, id);
		report_id(report, id);
	} else {
		report_none(report);
	}
	if (row->package[0] == '\0') {
		report_none(report);
		report_none(report);
		report_none(report);
		return;
	}
	currency_format(row->price_minor, row->currency, price);
	report_text(report, row->package);
	report_text(report, price);
	report_text(report, row->currency);
}

static bool
ledger_row(const struct ledger_row *row, void *arg)
{
	struct ledger_listing *l = arg;

	report_time(l->report, row->at_us);
	report_number(l->report, row->transaction_id);
	report_text(l->report, row->kind);
	report_number(l->report, row->customer_id);
	report_text(l->report, row->account);
	if (strcmp(row->kind, "calls") == 0)
		report_number(l->report, row->calls);
	else
		report_none(l->report);
	report_money(l->report, row->amount_nano);
	if (l->with_balance && row->customers)
		report_money(l->report, row->balance_nano);
	else
		report_none(l->report);
	report_text(l->report, row->actor);
	report_text(l->report, row->reason);
	report_text(l->report, row->idempotency_key);
	report_time(l->report, row->expires_us);
	add_cause(l->report, row);
	return true;
}

static const struct opt ledger_options[] = {
	{ "limit", "COUNT", "the latest so many bookings; default 50", false },
	{ NULL, NULL, NULL, false }
};

static enum admin_exit
run_ledger(struct admin *admin, const struct args *args)
{
	struct ledger_listing l;
	enum admin_exit status;
	int64_t id, limit;

	id = 0;
	limit = LIMIT_USUAL;
	status = option_number(args, "limit", LIMIT_MAX, &limit);
	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status == ADMIN_OK && args->words == 1)
		status = admin_customer(admin, args->word[0], &id);
	if (status != ADMIN_OK)
		return status;
	l.report = report_list("postings", ledger_columns);
	l.with_balance = id != 0;
	status = admin_database_failed(admin, q_ledger_each(admin->db, id,
	    limit, ledger_row, &l), "read the ledger");
	if (status == ADMIN_OK)
		report_print(&l.report, admin, "Nothing has been booked yet.");
	else
		report_discard(&l.report);
	return status;
}

const struct verb verbs_balance[] = {
	{ "balance", NULL, "[CUSTOMER]", 0, 1,
	  "show what customers have left",
	  "balance acme", NULL, run_balance },
	{ "ledger", NULL, "[CUSTOMER]", 0, 1,
	  "show the double-entry bookings behind a balance",
	  "ledger acme --limit 20", ledger_options, run_ledger },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
