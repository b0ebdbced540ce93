/* refund and adjust: money back, and corrections. */
#include "admin/admin.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "admin/args.h"
#include "admin/booking.h"
#include "admin/calls.h"
#include "admin/report.h"
#include "admin/words.h"
#include "base/clock.h"
#include "base/money.h"
#include "conf/settings.h"
#include "db/queries.h"

#define TAKING_WAIT_MS 5000
#define TAKING_PAUSE_MS 50

static const struct opt refund_options[] = {
	{ "amount", "AMOUNT", "a part of the fee; default: all that is left",
	  false },
	{ "key", "KEY", "idempotency key: the same key books once, however "
	  "often it is sent", false },
	{ NULL, NULL, NULL, false }
};

struct refund_job {
	struct refund refund;
	struct refund_receipt receipt;
	struct call_record record;
	char customer[128];
	int found;
};

static bool
keep_call(const struct call_row *row, void *arg)
{
	struct refund_job *job = arg;

	job->found++;
	job->record = row->record;
	snprintf(job->customer, sizeof job->customer, "%s", row->customer);
	return true;
}

static enum admin_exit
find_call(struct admin *admin, const char *word, struct refund_job *job)
{
	uint8_t id[RECORD_ID_BYTES];
	struct call_filter filter;
	enum admin_exit status;

	memset(&filter, 0, sizeof filter);
	filter.limit = 2;
	if (!request_id_parse(word, id)) {
		complain("\"%s\" is no request id", word);
		hint("x-request-id of an answer is one; \"youyunctl calls\" "
		    "lists them");
		return ADMIN_USAGE;
	}
	request_id_filter(&filter, id);
	status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_database_failed(admin, q_call_each(admin->db,
		    &filter, keep_call, job), "look the call up");
	if (status != ADMIN_OK)
		return status;
	if (job->found == 0) {
		complain("there is no call %s", word);
		hint("records are deleted when their time is over: "
		    "\"youyunctl retention list\"");
		return ADMIN_NOT_FOUND;
	}
	if (job->found > 1) {
		complain("there are several calls %s", word);
		hint("\"youyunctl verify\" says more");
		return ADMIN_REFUSED;
	}
	job->refund.started_us = job->record.started_us;
	job->refund.request_id = job->record.request_id;
	return ADMIN_OK;
}

static enum db_result
refund_body(struct db *db, void *arg)
{
	struct refund_job *job = arg;

	return q_refund(db, &job->refund, &job->receipt);
}

static void
print_refund(const struct admin *admin, const struct refund_job *job)
{
	char amount[MONEY_TEXT_BYTES], balance[MONEY_TEXT_BYTES];
	char id[RECORD_ID_TEXT_BYTES];
	struct record *record;

	if (admin->json) {
		record_id_format(job->record.request_id, id);
		record = record_open();
		record_number(record, "customer_id", NULL,
		    (int64_t)job->record.account_id);
		record_text(record, "request_id", NULL, id);
		record_number(record, "transaction", NULL,
		    job->receipt.transaction_id);
		record_money(record, "amount", NULL,
		    job->receipt.amount_nano);
		record_text(record, "key", NULL, job->refund.key);
		record_flag(record, "booked_now", NULL, job->receipt.fresh);
		record_money(record, "balance", NULL,
		    job->receipt.balance_nano);
		record_print(&record, admin);
		return;
	}
	money_format(job->receipt.amount_nano, 2, amount);
	money_format(job->receipt.balance_nano, 2, balance);
	say(admin, "%s %s %s %s as booking %lld; the balance is %s %s",
	    job->receipt.fresh ? "gave back" : "had been given back already:",
	    job->customer, amount, admin->settings->currency,
	    (long long)job->receipt.transaction_id, balance,
	    admin->settings->currency);
}

static enum admin_exit
run_refund(struct admin *admin, const struct args *args)
{
	char room[BOOKING_KEY_BYTES];
	struct refund_job job;
	enum admin_exit status;
	enum db_result result;

	memset(&job, 0, sizeof job);
	status = booking_reason(admin);
	if (status == ADMIN_OK && args_has(args, "amount"))
		status = booking_amount(args_get(args, "amount"), "a refund",
		    &job.refund.amount_nano);
	if (status == ADMIN_OK)
		status = booking_key(args, room, &job.refund.key);
	if (status == ADMIN_OK)
		status = find_call(admin, args->word[0], &job);
	if (status != ADMIN_OK)
		return status;
	job.refund.actor = admin->actor;
	job.refund.reason = admin->reason;
	result = booking_run(admin, refund_body, &job);
	if (result == DB_ERROR && strcmp(db_sqlstate(admin->db), "YY003") == 0)
		return booking_refund_failed(admin, &job.record);
	if (result != DB_OK)
		return booking_failed(admin, result, job.customer,
		    job.refund.key, "book the refund");
	print_refund(admin, &job);
	return ADMIN_OK;
}

static const struct opt adjust_options[] = {
	{ "key", "KEY", "idempotency key: the same key books once, however "
	  "often it is sent", false },
	{ NULL, NULL, NULL, false }
};

struct adjust_job {
	struct adjustment adjustment;
	struct adjustment_receipt receipt;
};

static enum db_result
adjust_body(struct db *db, void *arg)
{
	struct adjust_job *job = arg;

	return q_adjust(db, &job->adjustment, &job->receipt);
}

static enum admin_exit
refused(const struct admin *admin, const char *who, int64_t available_nano)
{
	char text[MONEY_TEXT_BYTES];

	money_format(available_nano, 2, text);
	complain("only %s %s of %s can be taken", text,
	    admin->settings->currency, who);
	hint("the rest is spent, or held by calls that are going on");
	return ADMIN_REFUSED;
}

/* The gateway has to give the money up first; what it answers is looked for
 * here. */
static enum admin_exit
wait_for_taking(struct admin *admin, const char *who, struct adjust_job *job)
{
	struct mono_time began = clock_mono();
	struct taking_row row = { .state = TAKING_ASKED };
	enum db_result result = DB_OK;
	enum admin_exit status;

	while (result == DB_OK && row.state == TAKING_ASKED &&
	    mono_diff_ms(clock_mono(), began) < TAKING_WAIT_MS) {
		poll(NULL, 0, TAKING_PAUSE_MS);
		result = q_taking(admin->db, job->receipt.taking_id, &row);
	}
	if (result == DB_OK && row.state == TAKING_ASKED) {
		result = q_taking_give_up(admin->db, job->receipt.taking_id,
		    &row.state);
		/* It may have been answered in the last moment. */
		if (result == DB_OK)
			result = q_taking(admin->db, job->receipt.taking_id,
			    &row);
	}
	status = admin_database_failed(admin, result, "take the money");
	if (status != ADMIN_OK)
		return status;
	switch (row.state) {
	case TAKING_BOOKED:
		job->receipt.transaction_id = row.transaction_id;
		job->receipt.balance_nano = row.balance_nano;
		return ADMIN_OK;
	case TAKING_REFUSED:
		return refused(admin, who, row.available_nano);
	case TAKING_ASKED:
	case TAKING_GIVEN_UP:
		break;
	}
	complain("the gateway did not answer, nothing was changed");
	hint("money is taken out of the running gateway first: is youyund "
	    "up?  \"youyunctl status\" says more");
	return ADMIN_FAILED;
}

static void
print_adjustment(const struct admin *admin, const char *who,
    const struct adjust_job *job)
{
	char amount[MONEY_TEXT_BYTES], balance[MONEY_TEXT_BYTES];
	struct record *record;

	if (admin->json) {
		record = record_open();
		record_number(record, "customer_id", NULL,
		    job->adjustment.customer_id);
		record_number(record, "transaction", NULL,
		    job->receipt.transaction_id);
		record_money(record, "amount", NULL,
		    job->adjustment.amount_nano);
		record_text(record, "key", NULL, job->adjustment.key);
		record_flag(record, "booked_now", NULL, job->receipt.fresh);
		record_money(record, "balance", NULL,
		    job->receipt.balance_nano);
		record_print(&record, admin);
		return;
	}
	money_format(job->adjustment.amount_nano, 2, amount);
	money_format(job->receipt.balance_nano, 2, balance);
	say(admin, "%s %s by %s %s as booking %lld; the balance is %s %s",
	    job->receipt.fresh ? "adjusted" : "had been adjusted already:",
	    who, amount, admin->settings->currency,
	    (long long)job->receipt.transaction_id, balance,
	    admin->settings->currency);
}

static enum admin_exit
check_adjustment(const struct args *args, struct adjustment *a)
{
	enum money_result money;

	money = money_parse(args->word[1], &a->amount_nano);
	if (money != MONEY_OK) {
		complain("\"%s\": %s", args->word[1], money_explain(money));
		return ADMIN_USAGE;
	}
	if (a->amount_nano < -MONEY_AMOUNT_MAX) {
		complain("\"%s\": %s", args->word[1],
		    money_explain(MONEY_TOO_LARGE));
		return ADMIN_USAGE;
	}
	if (a->amount_nano == 0) {
		complain("an adjustment can't be zero");
		return ADMIN_USAGE;
	}
	return ADMIN_OK;
}

static enum admin_exit
run_adjust(struct admin *admin, const struct args *args)
{
	char room[BOOKING_KEY_BYTES];
	struct adjust_job job;
	enum admin_exit status;
	enum db_result result;

	memset(&job, 0, sizeof job);
	status = booking_reason(admin);
	if (status == ADMIN_OK)
		status = check_adjustment(args, &job.adjustment);
	if (status == ADMIN_OK)
		status = booking_key(args, room, &job.adjustment.key);
	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_customer(admin, args->word[0],
		    &job.adjustment.customer_id);
	if (status != ADMIN_OK)
		return status;
	job.adjustment.actor = admin->actor;
	job.adjustment.reason = admin->reason;
	result = booking_run(admin, adjust_body, &job);
	if (result != DB_OK)
		return booking_failed(admin, result, args->word[0],
		    job.adjustment.key, "book the adjustment");
	if (job.receipt.taking_id != 0)
		status = wait_for_taking(admin, args->word[0], &job);
	if (status == ADMIN_OK)
		print_adjustment(admin, args->word[0], &job);
	return status;
}

const struct verb verbs_refund[] = {
	{ "refund", NULL, "CALL", 1, 1,
	  "give a call's fee back, or a part of it",
	  "refund req_0192f3a4b5c67d8e9fa0b1c2d3e4f506 "
	  "--reason \"provider outage\"", refund_options, run_refund },
	{ "adjust", NULL, "CUSTOMER AMOUNT", 2, 2,
	  "correct a balance, upwards or downwards",
	  "adjust acme -12.50 --reason \"chargeback of invoice 42\"",
	  adjust_options, run_adjust },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
