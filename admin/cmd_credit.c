/* credit: money for a customer, booked once. */
#include "admin/admin.h"

#include <stdio.h>
#include <string.h>

#include "admin/args.h"
#include "admin/check.h"
#include "admin/report.h"
#include "base/bytes.h"
#include "base/money.h"
#include "conf/settings.h"
#include "db/queries.h"

#define TRIES 3
#define CONNECT_TIMEOUT_S 5
#define KEY_MAX_BYTES 200

static const struct opt options[] = {
	{ "key", "KEY", "idempotency key: the same key books once, however "
	  "often it is sent", false },
	{ "source", "SOURCE", "external (a payment; the default), "
	  "promotional or adjustment", false },
	{ NULL, NULL, NULL, false }
};

struct credit_job {
	struct credit credit;
	struct credit_receipt receipt;
};

static enum db_result
credit_body(struct db *db, void *arg)
{
	struct credit_job *job = arg;

	return q_credit(db, &job->credit, &job->receipt);
}

static enum admin_exit
check_credit(const struct args *args, struct credit *credit)
{
	enum money_result money;
	const char *why;

	money = money_parse(args->word[1], &credit->amount_nano);
	if (money != MONEY_OK) {
		complain("\"%s\": %s", args->word[1], money_explain(money));
		return ADMIN_USAGE;
	}
	if (credit->amount_nano <= 0) {
		complain("a credit must be above zero");
		return ADMIN_USAGE;
	}
	credit->source = args_has(args, "source") ?
	    args_get(args, "source") : "external";
	if (strcmp(credit->source, "external") != 0 &&
	    strcmp(credit->source, "promotional") != 0 &&
	    strcmp(credit->source, "adjustment") != 0) {
		complain("--source %s: allowed are external, promotional, "
		    "adjustment", credit->source);
		return ADMIN_USAGE;
	}
	credit->key = args_get(args, "key");
	why = credit->key == NULL ? NULL : credit->key[0] == '\0' ?
	    "a key can't be empty" : strlen(credit->key) > KEY_MAX_BYTES ?
	    "a key has at most 200 bytes" : check_text(credit->key);
	if (why != NULL) {
		complain("--key: %s", why);
		return ADMIN_USAGE;
	}
	return ADMIN_OK;
}

/* The key makes it safe to send again when an answer was lost. */
static enum db_result
book(struct admin *admin, struct credit_job *job)
{
	enum db_result result;
	int tries;

	for (tries = 0; tries < TRIES; tries++) {
		if (tries > 0 && db_connect(admin->db, CONNECT_TIMEOUT_S) !=
		    DB_OK)
			continue;
		result = admin_change(admin, credit_body, job);
		if (result != DB_UNKNOWN)
			return result;
	}
	return DB_UNKNOWN;
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
	char key[48], hex[33];
	uint8_t random[16];
	struct credit_job job;
	enum admin_exit status;
	enum db_result result;

	memset(&job, 0, sizeof job);
	status = check_credit(args, &job.credit);
	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_customer(admin, args->word[0],
		    &job.credit.customer_id);
	if (status != ADMIN_OK)
		return status;
	if (job.credit.key == NULL) {
		bytes_random(random, sizeof random);
		hex_encode(random, sizeof random, hex);
		snprintf(key, sizeof key, "youyunctl-%s", hex);
		job.credit.key = key;
	}
	job.credit.actor = admin->actor;
	job.credit.reason = admin->reason;
	result = book(admin, &job);
	if (result == DB_CONFLICT) {
		complain("the key \"%s\" was used for another booking",
		    job.credit.key);
		hint("a key stands for one customer, amount and source; take "
		    "a new one for a new credit");
		return ADMIN_REFUSED;
	}
	if (result == DB_ERROR && strcmp(db_sqlstate(admin->db), "YY002") == 0) {
		complain("the customer %s is closed", args->word[0]);
		return ADMIN_REFUSED;
	}
	if (result != DB_OK) {
		status = admin_database_failed(admin, result,
		    "book the credit");
		if (result == DB_UNKNOWN)
			hint("sending it again with --key %s books it once",
			    job.credit.key);
		return status;
	}
	print_receipt(admin, args->word[0], &job);
	return ADMIN_OK;
}

const struct verb verbs_credit[] = {
	{ "credit", NULL, "CUSTOMER AMOUNT", 2, 2,
	  "give a customer money to spend",
	  "credit acme 100 --key invoice-2026-0042 --reason \"bank transfer\"",
	  options, run_credit },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
