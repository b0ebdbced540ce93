/* balance and ledger: what customers have, and how it came to be. */
#include "admin/admin.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "admin/args.h"
#include "admin/check.h"
#include "admin/options.h"
#include "admin/page.h"
#include "admin/report.h"
#include "admin/words.h"
#include "base/currency.h"
#include "base/money.h"
#include "db/queries.h"

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
	struct report *report = page_row(arg, "%s/%s",
	    account_status_name(row->status), row->name);

	if (report == NULL)
		return false;

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

struct balance_list {
	struct customer_filter filter;
	int64_t id;			/* 0: all */
};

static enum admin_exit
read_balances(struct admin *admin, struct page *page, void *arg)
{
	struct balance_list *b = arg;
	enum admin_exit status = customer_page(page, &b->filter);

	return status != ADMIN_OK ? status : admin_database_failed(admin,
	    b->id != 0 ? q_customer_one(admin->db, b->id, balance_row, page) :
	    q_customer_list(admin->db, &b->filter, balance_row, page),
	    "read the balances");
}

static enum admin_exit
run_balance(struct admin *admin, const struct args *args)
{
	static const struct page_list list = { .name = "balances",
		.columns = balance_columns, .empty = "There is no customer; "
		"\"youyunctl customer add NAME\" adds one." };
	struct balance_list b = { .filter = { .status = -1 } };
	struct page page;
	enum admin_exit status = page_take(args, &page);

	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status == ADMIN_OK && args->words == 1)
		status = admin_customer(admin, args->word[0], &b.id);
	return status != ADMIN_OK ? status :
	    page_print(admin, &page, &list, read_balances, &b);
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

/* Pages go back from the last booking, with --all they go forward.  Either
 * way a page's cursor is the booking that it ends with and the balance there:
 * "1234" of all, "1234:56.78" of one customer. */
struct ledger_listing {
	struct ledger_filter filter;
	struct page *page;
	int64_t booking;		/* whose postings come */
	int64_t balance_nano;		/* what is left after it */
	int64_t moved_nano;		/* by it */
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

static void
add_posting(struct report *report, const struct ledger_row *row,
    bool with_balance)
{
	report_time(report, row->at_us);
	report_number(report, row->transaction_id);
	report_text(report, row->kind);
	report_number(report, row->customer_id);
	report_text(report, row->account);
	if (strcmp(row->kind, "calls") == 0)
		report_number(report, row->calls);
	else
		report_none(report);
	report_money(report, row->amount_nano);
	if (with_balance && row->customers)
		report_money(report, row->balance_nano);
	else
		report_none(report);
	report_text(report, row->actor);
	report_text(report, row->reason);
	report_text(report, row->idempotency_key);
	report_time(report, row->expires_us);
	add_cause(report, row);
}

/* A booking that was read in full. */
static void
end_booking(struct ledger_listing *l)
{
	char balance[MONEY_TEXT_BYTES];

	if (l->booking == 0)
		return;
	money_format(l->filter.forward ? l->balance_nano :
	    l->balance_nano - l->moved_nano, 2, balance);
	if (l->filter.customer_id != 0)
		snprintf(l->page->next, sizeof l->page->next,
		    "%" PRId64 ":%s", l->booking, balance);
	else
		snprintf(l->page->next, sizeof l->page->next, "%" PRId64,
		    l->booking);
}

static bool
ledger_row(const struct ledger_row *row, void *arg)
{
	struct ledger_listing *l = arg;

	/* The one more than was asked for: forward it comes last. */
	if (row->nth > l->page->limit) {
		l->page->more = true;
		return !l->filter.forward;
	}
	if (row->transaction_id != l->booking) {
		/* Back, the first that comes is where the page ends. */
		if (l->filter.forward || l->page->rows == 1)
			end_booking(l);
		l->page->rows++;
		l->booking = row->transaction_id;
		l->moved_nano = 0;
	}
	if (row->customers) {
		l->balance_nano = row->balance_nano;
		l->moved_nano += row->amount_nano;
	}
	add_posting(l->page->report, row, l->filter.customer_id != 0);
	return true;
}

/* False: that is no cursor. */
static bool
take_cursor(struct ledger_listing *l, const char *after)
{
	char id[24];
	size_t len = strcspn(after, ":");

	if (len >= sizeof id)
		return false;
	memcpy(id, after, len);
	id[len] = '\0';
	if (!check_number(id, &l->filter.after))
		return false;
	if (l->filter.customer_id == 0)
		return after[len] == '\0';
	return after[len] == ':' &&
	    money_parse(after + len + 1, &l->filter.after_nano) == MONEY_OK;
}

static enum admin_exit
read_ledger(struct admin *admin, struct page *page, void *arg)
{
	struct ledger_listing *l = arg;
	enum admin_exit status;

	l->page = page;
	l->booking = 0;
	l->filter.limit = PAGE_ASKED(page);
	if (page->after != NULL && !take_cursor(l, page->after))
		return page_not_a_cursor(page);
	status = admin_database_failed(admin, q_ledger_list(admin->db,
	    &l->filter, ledger_row, l), "read the ledger");
	if (l->filter.forward || page->rows == 1)
		end_booking(l);
	return status;
}

static enum admin_exit
run_ledger(struct admin *admin, const struct args *args)
{
	static const struct page_list list = { .name = "postings",
		.columns = ledger_columns,
		.empty = "Nothing has been booked." };
	struct ledger_listing l = { .page = NULL };
	struct page page;
	enum admin_exit status = page_take(args, &page);

	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status == ADMIN_OK && args->words == 1)
		status = admin_customer(admin, args->word[0],
		    &l.filter.customer_id);
	l.filter.forward = page.all;
	return status != ADMIN_OK ? status :
	    page_print(admin, &page, &list, read_ledger, &l);
}

static const struct opt page_options[] = {
	PAGE_OPTIONS,
	{ NULL, NULL, NULL, false }
};

const struct verb verbs_balance[] = {
	{ "balance", NULL, "[CUSTOMER]", 0, 1,
	  "show what customers have left",
	  "balance acme", page_options, run_balance },
	{ "ledger", NULL, "[CUSTOMER]", 0, 1,
	  "show the double-entry bookings behind a balance",
	  "ledger acme --limit 20", page_options, run_ledger },
	{ "ledger", "list", "[CUSTOMER]", 0, 1,
	  "the same as ledger CUSTOMER",
	  "ledger list acme", page_options, run_ledger },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
