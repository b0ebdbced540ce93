/* credit: money for a customer, booked once; and what expires of it. */
#include "admin/admin.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/args.h"
#include "admin/booking.h"
#include "admin/check.h"
#include "admin/report.h"
#include "base/clock.h"
#include "base/money.h"
#include "conf/settings.h"
#include "db/queries.h"

#define DAYS_MAX 36500
#define EXPIRE_WAIT_MS 10000
#define EXPIRE_PAUSE_MS 100

static const struct opt options[] = {
	{ "key", "KEY", "idempotency key: the same key books once, however "
	  "often it is sent", false },
	{ "source", "SOURCE", "external (a payment; the default), "
	  "promotional or adjustment", false },
	{ "expires", "TIME", "when what is left of it expires: a date, or 90d; "
	  "default: never", false },
	{ "package", "NAME", "instead of an amount: what this package gives",
	  false },
	{ NULL, NULL, NULL, false }
};

struct credit_job {
	struct credit credit;
	const char *package;
	struct credit_receipt receipt;
};

static enum db_result
credit_body(struct db *db, void *arg)
{
	struct credit_job *job = arg;

	if (job->package != NULL)
		return q_credit_by_package(db, &job->credit, job->package,
		    &job->receipt);
	return q_credit(db, &job->credit, &job->receipt);
}

/* Days stay days, so that the same words with the same key are the same
 * booking tomorrow. */
static enum admin_exit
check_expiry(const char *text, struct credit *credit)
{
	char days[8], unit;
	size_t len;

	len = strlen(text);
	unit = len > 0 ? text[len - 1] : '\0';
	if (unit == 'd' && len < sizeof days) {
		memcpy(days, text, len - 1);
		days[len - 1] = '\0';
		if (check_number(days, &credit->valid_days) &&
		    credit->valid_days <= DAYS_MAX)
			return ADMIN_OK;
	} else if (unit != 's' && unit != 'm' && unit != 'h' &&
	    strcmp(text, "now") != 0 &&
	    check_time_ahead(text, &credit->expires_us)) {
		if (credit->expires_us > clock_wall().us)
			return ADMIN_OK;
		complain("--expires %s: that is over", text);
		return ADMIN_USAGE;
	}
	complain("--expires %s: allowed are 2026-11-23, 2026-11-23T17:00:00Z, "
	    "or days from now such as 90d", text);
	return ADMIN_USAGE;
}

static enum admin_exit
check_amount(const struct args *args, struct credit_job *job)
{
	struct credit *credit = &job->credit;
	enum admin_exit status;

	job->package = args_get(args, "package");
	if (job->package != NULL) {
		if (args->words == 1 && !args_has(args, "source") &&
		    !args_has(args, "expires"))
			return ADMIN_OK;
		complain("a package says itself how much it is, where it "
		    "comes from and when it expires");
		return ADMIN_USAGE;
	}
	if (args->words == 1) {
		complain("credit: too few words: the amount is missing");
		hint("\"credit CUSTOMER AMOUNT\", or --package NAME");
		return ADMIN_USAGE;
	}
	status = booking_amount(args->word[1], "a credit",
	    &credit->amount_nano);
	if (status != ADMIN_OK)
		return status;
	credit->source = args_has(args, "source") ?
	    args_get(args, "source") : "external";
	if (strcmp(credit->source, "external") != 0 &&
	    strcmp(credit->source, "promotional") != 0 &&
	    strcmp(credit->source, "adjustment") != 0) {
		complain("--source %s: allowed are external, promotional, "
		    "adjustment", credit->source);
		return ADMIN_USAGE;
	}
	return args_has(args, "expires") ?
	    check_expiry(args_get(args, "expires"), credit) : ADMIN_OK;
}

static bool
keep_package(const struct package_row *row, void *arg)
{
	struct credit *credit = arg;

	credit->amount_nano = row->amount_nano + row->bonus_nano;
	return true;
}

/* It must be there; how much it is, is for the message. */
static enum admin_exit
find_package(struct admin *admin, struct credit_job *job)
{
	enum admin_exit status;

	if (job->package == NULL)
		return ADMIN_OK;
	status = admin_database_failed(admin, q_package_each(admin->db,
	    job->package, keep_package, &job->credit), "read the packages");
	if (status == ADMIN_OK && job->credit.amount_nano == 0) {
		complain("there is no package \"%s\"", job->package);
		hint("\"youyunctl package list\" shows them all");
		status = ADMIN_NOT_FOUND;
	}
	return status;
}

static void
print_receipt(const struct admin *admin, const char *who,
    const struct credit_job *job)
{
	char amount[MONEY_TEXT_BYTES], balance[MONEY_TEXT_BYTES];
	struct record *record;

	if (admin->json) {
		record = record_open();
		record_number(record, "customer_id", NULL,
		    job->credit.customer_id);
		record_number(record, "transaction", NULL,
		    job->receipt.transaction_id);
		record_money(record, "amount", NULL, job->credit.amount_nano);
		if (job->package != NULL)
			record_text(record, "package", NULL, job->package);
		record_text(record, "key", NULL, job->credit.key);
		record_flag(record, "booked_now", NULL, job->receipt.fresh);
		record_money(record, "balance", NULL,
		    job->receipt.balance_nano);
		record_print(&record, admin);
		return;
	}
	money_format(job->credit.amount_nano, 2, amount);
	money_format(job->receipt.balance_nano, 2, balance);
	say(admin, "%s %s %s %s as booking %lld; the balance is %s %s",
	    job->receipt.fresh ? "credited" : "had been credited already:",
	    who, amount, admin->settings->currency,
	    (long long)job->receipt.transaction_id, balance,
	    admin->settings->currency);
}

static enum admin_exit
run_credit(struct admin *admin, const struct args *args)
{
	char room[BOOKING_KEY_BYTES];
	struct credit_job job;
	enum admin_exit status;
	enum db_result result;

	memset(&job, 0, sizeof job);
	status = check_amount(args, &job);
	if (status == ADMIN_OK)
		status = booking_key(args, room, &job.credit.key);
	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_customer(admin, args->word[0],
		    &job.credit.customer_id);
	if (status == ADMIN_OK)
		status = find_package(admin, &job);
	if (status != ADMIN_OK)
		return status;
	job.credit.actor = admin->actor;
	job.credit.reason = admin->reason;
	result = booking_run(admin, credit_body, &job);
	if (result != DB_OK)
		return booking_failed(admin, result, args->word[0],
		    job.credit.key, "book the credit");
	print_receipt(admin, args->word[0], &job);
	return ADMIN_OK;
}

static const struct report_column expired_columns[] = {
	{ "customer_id", "ID", REPORT_NUMBER, false },
	{ "customer", "CUSTOMER", REPORT_TEXT, false },
	{ "due", "EXPIRED", REPORT_MONEY, false },
	{ "booked", "BOOKED OUT", REPORT_MONEY, false },
	{ "left", "STILL THERE", REPORT_MONEY, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

struct due {
	int64_t customer_id;
	char *customer;
	int64_t due_nano;
	int64_t left_nano;
};

struct dues {
	struct due *due;
	size_t n, room;
	bool failed;
	int64_t left;		/* customers */
};

static bool
first_due(const struct expired_row *row, void *arg)
{
	struct dues *d = arg;
	struct due *more;

	if (d->n == d->room) {
		d->room = d->room == 0 ? 64 : d->room * 2;
		more = realloc(d->due, d->room * sizeof *more);
		if (more == NULL) {
			d->failed = true;
			return false;
		}
		d->due = more;
	}
	d->due[d->n].customer_id = row->customer_id;
	d->due[d->n].due_nano = row->left_nano;
	d->due[d->n].customer = strdup(row->customer);
	d->failed = d->due[d->n++].customer == NULL;
	return !d->failed;
}

static int
by_customer(const void *a, const void *b)
{
	const struct due *x = a, *y = b;

	return x->customer_id < y->customer_id ? -1 :
	    x->customer_id > y->customer_id;
}

static bool
still_due(const struct expired_row *row, void *arg)
{
	struct dues *d = arg;
	struct due key = { .customer_id = row->customer_id }, *found;

	found = bsearch(&key, d->due, d->n, sizeof key, by_customer);
	if (found != NULL) {
		found->left_nano = row->left_nano;
		d->left++;
	}
	return true;
}

/* Asks, then looks until nothing is left or patience is. */
static enum db_result
expire(struct admin *admin, struct dues *d)
{
	struct mono_time began;
	enum db_result result;
	size_t i;

	result = q_expired_each(admin->db, first_due, d);
	if (result != DB_OK || d->failed || d->n == 0)
		return result;
	began = clock_mono();
	result = q_expire_ask(admin->db);
	do {
		poll(NULL, 0, EXPIRE_PAUSE_MS);
		for (i = 0; i < d->n; i++)
			d->due[i].left_nano = 0;
		d->left = 0;
		if (result == DB_OK)
			result = q_expired_each(admin->db, still_due, d);
	} while (result == DB_OK && d->left != 0 &&
	    mono_diff_ms(clock_mono(), began) < EXPIRE_WAIT_MS);
	return result;
}

static enum admin_exit
run_expire(struct admin *admin, const struct args *args)
{
	struct report *report;
	enum admin_exit status;
	struct dues d;
	size_t i;

	(void)args;
	memset(&d, 0, sizeof d);
	status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_database_failed(admin, expire(admin, &d),
		    "book out what expired");
	if (status == ADMIN_OK && d.failed) {
		complain("out of memory");
		status = ADMIN_FAILED;
	}
	if (status == ADMIN_OK) {
		report = report_list("expired", expired_columns);
		for (i = 0; i < d.n; i++) {
			report_number(report, d.due[i].customer_id);
			report_text(report, d.due[i].customer);
			report_money(report, d.due[i].due_nano);
			report_money(report, d.due[i].due_nano -
			    d.due[i].left_nano);
			report_money(report, d.due[i].left_nano);
		}
		report_print(&report, admin, "Nothing that has expired is "
		    "left.");
	}
	if (status == ADMIN_OK && d.left != 0) {
		complain("expired credit of %lld customer%s is still there",
		    (long long)d.left, d.left == 1 ? "" : "s");
		hint("open calls hold it, or youyund is down; youyund books "
		    "it out as soon as it can be");
		status = ADMIN_FAILED;
	}
	for (i = 0; i < d.n; i++)
		free(d.due[i].customer);
	free(d.due);
	return status;
}

const struct verb verbs_credit[] = {
	{ "credit", NULL, "CUSTOMER [AMOUNT]", 1, 2,
	  "give a customer money to spend",
	  "credit acme 100 --key invoice-2026-0042 --reason \"bank transfer\"",
	  options, run_credit },
	{ "credit", "expire", "", 0, 0,
	  "book out now what has expired",
	  "credit expire", NULL, run_expire },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
