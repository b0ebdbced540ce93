/* ticket refund: the fee of the call that a ticket is about. */
#include "admin/ticket.h"

#include <stdio.h>
#include <string.h>

#include "admin/bill.h"
#include "admin/booking.h"
#include "admin/report.h"
#include "base/money.h"
#include "conf/settings.h"
#include "db/queries.h"
#include "db/queries_support.h"

const struct opt ticket_refund_options[] = {
	{ "amount", "AMOUNT", "a part of the fee; default: all that is left",
	  false },
	{ "key", "KEY", "idempotency key: the same key books once, however "
	  "often it is sent", false },
	{ NULL, NULL, NULL, false }
};

struct refund_job {
	struct ticket ticket;
	struct bill bill;
	struct refund refund;
	struct refund_receipt receipt;
};

static enum db_result
refund_body(struct db *db, void *arg)
{
	struct refund_job *job = arg;
	enum db_result result;

	result = q_refund(db, &job->refund, &job->receipt);
	if (result != DB_OK)
		return result;
	return q_ticket_refunded(db, job->ticket.id,
	    job->receipt.transaction_id);
}

/* The call with its fee, before anything is booked. */
static enum admin_exit
add_call(struct admin *admin, struct refund_job *job, struct record *record)
{
	char id[RECORD_ID_TEXT_BYTES];
	enum admin_exit status;

	if (!job->ticket.has_call) {
		complain("ticket %lld is about no call",
		    (long long)job->ticket.id);
		hint("\"youyunctl refund\" takes a call, \"youyunctl adjust\" "
		    "corrects a balance");
		return ADMIN_REFUSED;
	}
	record_id_format(job->ticket.request_id, id);
	record_number(record, "ticket", "Ticket", job->ticket.id);
	status = bill_add(admin, id, record, &job->bill);
	return status != ADMIN_OK || job->bill.agrees ? status :
	    bill_judge(&job->bill);
}

static bool
confirm(const struct admin *admin, const struct refund_job *job)
{
	char amount[MONEY_TEXT_BYTES] = "all that is left", question[256];

	if (job->refund.amount_nano != 0)
		money_format(job->refund.amount_nano, 2, amount);
	snprintf(question, sizeof question, "Give %s of this fee back to %s?",
	    amount, job->ticket.customer);
	return admin_confirm(admin, question);
}

static enum admin_exit
book(struct admin *admin, struct refund_job *job)
{
	enum db_result result = booking_run(admin, refund_body, job);

	if (result == DB_ERROR && strcmp(db_sqlstate(admin->db), "YY003") == 0)
		return booking_refund_failed(admin, &job->bill.record);
	if (result != DB_OK)
		return booking_failed(admin, result, job->ticket.customer,
		    job->refund.key, "book the refund");
	return ADMIN_OK;
}

static void
tell(const struct admin *admin, const struct refund_job *job,
    struct record **record)
{
	char amount[MONEY_TEXT_BYTES], balance[MONEY_TEXT_BYTES];

	if (admin->json) {
		record_number(*record, "transaction", NULL,
		    job->receipt.transaction_id);
		record_money(*record, "amount", NULL,
		    job->receipt.amount_nano);
		record_text(*record, "key", NULL, job->refund.key);
		record_flag(*record, "booked_now", NULL, job->receipt.fresh);
		record_money(*record, "balance", NULL,
		    job->receipt.balance_nano);
		record_print(record, admin);
		return;
	}
	money_format(job->receipt.amount_nano, 2, amount);
	money_format(job->receipt.balance_nano, 2, balance);
	say(admin, "\n%s %s %s %s as booking %lld; the balance is %s %s",
	    job->receipt.fresh ? "gave back" : "had been given back already:",
	    job->ticket.customer, amount, admin->settings->currency,
	    (long long)job->receipt.transaction_id, balance,
	    admin->settings->currency);
}

static enum admin_exit
take(struct admin *admin, const struct args *args,
    char room[BOOKING_KEY_BYTES], struct refund_job *job)
{
	enum admin_exit status = booking_reason(admin);

	if (status == ADMIN_OK && args_has(args, "amount"))
		status = booking_amount(args_get(args, "amount"), "a refund",
		    &job->refund.amount_nano);
	if (status == ADMIN_OK)
		status = booking_key(args, room, &job->refund.key);
	if (status == ADMIN_OK)
		status = ticket_find(admin, args->word[0], &job->ticket);
	job->refund.started_us = job->ticket.call_started_us;
	job->refund.request_id = job->ticket.request_id;
	job->refund.actor = admin->actor;
	job->refund.reason = admin->reason;
	return status;
}

enum admin_exit
ticket_refund(struct admin *admin, const struct args *args)
{
	char room[BOOKING_KEY_BYTES];
	struct record *record;
	struct refund_job job;
	enum admin_exit status;

	memset(&job, 0, sizeof job);
	status = take(admin, args, room, &job);
	if (status != ADMIN_OK)
		return status;
	record = record_open();
	status = add_call(admin, &job, record);
	if (status == ADMIN_OK && !admin->json)
		record_print(&record, admin);
	if (status == ADMIN_OK && !confirm(admin, &job))
		status = ADMIN_REFUSED;
	if (status == ADMIN_OK)
		status = book(admin, &job);
	if (status == ADMIN_OK)
		tell(admin, &job, &record);
	if (record != NULL)
		record_discard(&record);
	return status;
}
