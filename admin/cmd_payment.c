/* payment: what providers' bridges told of, to compare with their own lists. */
#include "admin/admin.h"

#include "admin/args.h"
#include "admin/options.h"
#include "admin/report.h"
#include "db/queries.h"
#include "db/queries_topup.h"

#define LIMIT_USUAL 50
#define LIMIT_MAX 1000000

static const struct opt list_options[] = {
	{ "customer", "CUSTOMER", "of this customer", false },
	{ "since", "TIME", "from then on: 2026-11-01, or 7d for the last seven "
	  "days", false },
	{ "after", "BOOKING", "go on behind this booking, the last one shown",
	  false },
	{ "limit", "COUNT", "so many at most; default 50", false },
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
	struct report *report = arg;

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
	int64_t customer_id, since_us, after, limit;
};

static enum admin_exit
take_filter(struct admin *admin, const struct args *args, struct filter *f)
{
	enum admin_exit status;

	*f = (struct filter){ .limit = LIMIT_USUAL };
	status = option_time(args, "since", &f->since_us);
	if (status == ADMIN_OK)
		status = option_number(args, "after", INT64_MAX, &f->after);
	if (status == ADMIN_OK)
		status = option_number(args, "limit", LIMIT_MAX, &f->limit);
	return status == ADMIN_OK ?
	    option_customer(admin, args, &f->customer_id) : status;
}

static enum admin_exit
run_list(struct admin *admin, const struct args *args)
{
	struct filter f;
	struct report *report;
	enum admin_exit status;

	status = take_filter(admin, args, &f);
	if (status != ADMIN_OK)
		return status;
	report = report_list("payments", columns);
	status = admin_database_failed(admin, q_payment_each(admin->db,
	    f.customer_id, f.since_us, f.after, f.limit, list_row, report),
	    "list the payments");
	if (status == ADMIN_OK)
		report_print(&report, admin, "No payment fits.");
	else
		report_discard(&report);
	return status;
}

const struct verb verbs_payment[] = {
	{ "payment", "list", "", 0, 0,
	  "list payments that were told of, the latest first",
	  "payment list --since 7d", list_options, run_list },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
