/* payment: what providers' bridges told of, to compare with their own lists. */
#include "admin/admin.h"

#include "admin/args.h"
#include "admin/check.h"
#include "admin/report.h"
#include "db/queries.h"

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
	const char *text = args_get(args, "since");
	enum admin_exit status;

	*f = (struct filter){ .limit = LIMIT_USUAL };
	if (text != NULL && !check_time(text, &f->since_us)) {
		complain("--since %s: allowed are " CHECK_TIME_ALLOWED, text);
		return ADMIN_USAGE;
	}
	text = args_get(args, "after");
	if (text != NULL && !check_number(text, &f->after)) {
		complain("--after %s: allowed is a number above zero", text);
		return ADMIN_USAGE;
	}
	text = args_get(args, "limit");
	if (text != NULL && (!check_number(text, &f->limit) ||
	    f->limit > LIMIT_MAX)) {
		complain("--limit %s: allowed are 1 to %d", text, LIMIT_MAX);
		return ADMIN_USAGE;
	}
	status = admin_database(admin);
	text = args_get(args, "customer");
	if (status == ADMIN_OK && text != NULL)
		status = admin_customer(admin, text, &f->customer_id);
	return status;
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
