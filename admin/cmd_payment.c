/* payment: what providers' bridges told of, to compare with their own lists. */
#include "admin/admin.h"

#include <inttypes.h>

#include "admin/args.h"
#include "admin/options.h"
#include "admin/page.h"
#include "admin/report.h"
#include "db/queries.h"
#include "db/queries_topup.h"

static const struct opt list_options[] = {
	{ "customer", "CUSTOMER", "of this customer", false },
	{ "since", "TIME", "from then on: 2026-11-01, or 7d for the last seven "
	  "days", false },
	PAGE_OPTIONS,
	{ NULL, NULL, NULL, false }
};

static const struct report_column columns[] = {
	{ "booking", "BOOKING", REPORT_NUMBER, false },
	{ "received", "RECEIVED", REPORT_TIME, false },
	{ "payment", "PAYMENT", REPORT_ID, false },
	{ "customer_id", NULL, REPORT_NUMBER, false },
	{ "customer", "CUSTOMER", REPORT_TEXT, false },
	{ "amount", "AMOUNT", REPORT_MONEY, false },
	{ "currency", "CURRENCY", REPORT_TEXT, true },
	{ "method", "METHOD", REPORT_TEXT, true },
	{ NULL, NULL, REPORT_TEXT, false }
};

static bool
list_row(const struct payment_row *row, void *arg)
{
	struct report *report = page_row(arg, "%" PRId64,
	    row->transaction_id);

	if (report == NULL)
		return false;

	report_number(report, row->transaction_id);
	report_time(report, row->received_us);
	report_id(report, row->id);
	report_number(report, row->customer_id);
	report_text(report, row->customer);
	report_money(report, row->amount_nano);
	report_text(report, row->currency);
	report_text(report, row->method);
	return true;
}

struct filter {
	int64_t customer_id, since_us;
};

static enum admin_exit
read_page(struct admin *admin, struct page *page, void *arg)
{
	const struct filter *f = arg;
	int64_t after;
	enum admin_exit status = page_number(page, &after);

	return status != ADMIN_OK ? status : admin_database_failed(admin,
	    q_payment_each(admin->db, f->customer_id, f->since_us, after,
	    PAGE_ASKED(page), list_row, page), "list the payments");
}

static enum admin_exit
run_list(struct admin *admin, const struct args *args)
{
	static const struct page_list list = { .name = "payments",
		.columns = columns, .empty = "No payment fits." };
	struct filter f = { .since_us = 0 };
	struct page page;
	enum admin_exit status = page_take(args, &page);

	if (status == ADMIN_OK)
		status = option_time(args, "since", &f.since_us);
	if (status == ADMIN_OK)
		status = option_customer(admin, args, &f.customer_id);
	return status != ADMIN_OK ? status :
	    page_print(admin, &page, &list, read_page, &f);
}

const struct verb verbs_payment[] = {
	{ "payment", "list", "", 0, 0,
	  "list payments that were told of, the latest first",
	  "payment list --since 7d", list_options, run_list },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
