/* code: top-up codes, their batches, and what became of them. */
#include "admin/code.h"

#include <stdio.h>
#include <string.h>

#include "admin/check.h"
#include "admin/options.h"
#include "admin/report.h"
#include "base/bytes.h"
#include "base/topup_code.h"
#include "db/queries.h"
#include "db/queries_topup.h"

#define LIMIT_USUAL 50
#define LIMIT_MAX 10000

static const struct opt list_options[] = {
	{ "state", "STATE", "of a batch's codes: unused, used, expired, "
	  "revoked", false },
	{ "after", "ID", "go on behind this number, the last one shown",
	  false },
	{ "limit", "COUNT", "so many at most; default 50", false },
	{ NULL, NULL, NULL, false }
};

static const struct report_column batch_columns[] = {
	{ "id", "NO", REPORT_NUMBER, false },
	{ "batch", "BATCH", REPORT_TEXT, false },
	{ "amount", "AMOUNT", REPORT_MONEY, false },
	{ "package", "PACKAGE", REPORT_TEXT, false },
	{ "source", "SOURCE", REPORT_TEXT, true },
	{ "days", "DAYS", REPORT_NUMBER, true },
	{ "codes", "CODES", REPORT_NUMBER, false },
	{ "used", "USED", REPORT_NUMBER, false },
	{ "revoked", "REVOKED", REPORT_NUMBER, false },
	{ "expires", "EXPIRES", REPORT_TIME, false },
	{ "created", NULL, REPORT_TIME, false },
	{ "created_by", NULL, REPORT_TEXT, false },
	{ "all_revoked", NULL, REPORT_TIME, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

static bool
batch_row(const struct code_batch_row *row, void *arg)
{
	struct report *report = arg;

	report_number(report, row->id);
	report_text(report, row->name);
	if (row->amount_nano != 0)
		report_money(report, row->amount_nano);
	else
		report_none(report);
	if (row->package[0] != '\0')
		report_text(report, row->package);
	else
		report_none(report);
	report_text(report, row->source);
	if (row->validity_days != 0)
		report_number(report, row->validity_days);
	else
		report_none(report);
	report_number(report, row->codes);
	report_number(report, row->used);
	report_number(report, row->revoked);
	report_time(report, row->expires_us);
	report_time(report, row->created_us);
	report_text(report, row->created_by);
	report_time(report, row->revoked_us);
	return true;
}

static const struct report_column code_columns[] = {
	{ "id", "NO", REPORT_NUMBER, false },
	{ "looks", "LOOKS LIKE", REPORT_TEXT, false },
	{ "batch", NULL, REPORT_TEXT, false },
	{ "state", "STATE", REPORT_TEXT, false },
	{ "used_at", "USED", REPORT_TIME, false },
	{ "customer_id", NULL, REPORT_NUMBER, false },
	{ "customer", "BY", REPORT_TEXT, false },
	{ "booking", "BOOKING", REPORT_NUMBER, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

static bool
code_row(const struct code_row *row, void *arg)
{
	struct report *report = arg;

	report_number(report, row->id);
	report_text(report, row->hint);
	report_text(report, row->batch);
	report_text(report, row->state);
	report_time(report, row->used_us);
	if (row->customer_id == 0) {
		report_none(report);
		report_none(report);
		report_none(report);
		return true;
	}
	report_number(report, row->customer_id);
	report_text(report, row->customer);
	report_number(report, row->transaction_id);
	return true;
}

static enum admin_exit
no_batch(const char *name)
{
	complain("there is no batch \"%s\"", name);
	hint("\"youyunctl code list\" shows them all");
	return ADMIN_NOT_FOUND;
}

static enum admin_exit
list_codes(struct admin *admin, const char *batch, const char *state,
    int64_t after, int64_t limit)
{
	struct report *report = report_list("codes", code_columns);
	enum db_result result;
	enum admin_exit status;

	result = q_code_each(admin->db, batch, state, after, limit, code_row,
	    report);
	status = result == DB_NONE ? no_batch(batch) :
	    admin_database_failed(admin, result, "list the codes");
	if (status == ADMIN_OK)
		report_print(&report, admin, "No code fits.");
	else
		report_discard(&report);
	return status;
}

static enum admin_exit
run_list(struct admin *admin, const struct args *args)
{
	static const char *const states[] = { "unused", "used", "expired",
		"revoked" };
	const char *state = args_get(args, "state");
	struct report *report;
	enum admin_exit status;
	int64_t after = 0, limit = LIMIT_USUAL;
	bool known = state == NULL;

	for (int i = 0; i < 4 && !known; i++)
		known = strcmp(state, states[i]) == 0;
	if (!known || (state != NULL && args->words == 0)) {
		complain("--state %s: %s", state, known ?
		    "it goes with a batch" :
		    "allowed are unused, used, expired and revoked");
		return ADMIN_USAGE;
	}
	status = option_number(args, "after", INT64_MAX, &after);
	if (status == ADMIN_OK)
		status = option_number(args, "limit", LIMIT_MAX, &limit);
	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	if (args->words == 1)
		return list_codes(admin, args->word[0], state, after, limit);
	report = report_list("batches", batch_columns);
	status = admin_database_failed(admin, q_code_batch_each(admin->db,
	    after, limit, batch_row, report), "list the batches");
	if (status == ADMIN_OK)
		report_print(&report, admin, "There is no batch.");
	else
		report_discard(&report);
	return status;
}

static const struct opt revoke_options[] = {
	{ "id", "ID", "the code with this number in \"code list\"", false },
	{ NULL, NULL, NULL, false }
};

struct revoke_job {
	const char *batch;
	int64_t id;
	bool by_digest;
	uint8_t digest[KEY_DIGEST_BYTES];
	struct code_revoked done;
};

static enum db_result
revoke_body(struct db *db, void *arg)
{
	struct revoke_job *job = arg;

	return q_code_revoke(db, job->batch, job->id,
	    job->by_digest ? job->digest : NULL, &job->done);
}

/* What reads as a code is one: its checksum is no accident. */
static enum admin_exit
take_revoked(struct admin *admin, const struct args *args,
    struct revoke_job *job)
{
	char code[TOPUP_CODE_TEXT_BYTES];
	struct key_hasher *hasher;
	enum admin_exit status;

	if ((args->words == 1) == args_has(args, "id")) {
		complain("a batch, a code or --id ID is wanted");
		return ADMIN_USAGE;
	}
	if (args->words == 0) {
		if (check_number(args_get(args, "id"), &job->id))
			return ADMIN_OK;
		complain("--id %s: allowed is a number above zero",
		    args_get(args, "id"));
		return ADMIN_USAGE;
	}
	if (!topup_code_read(args->word[0], code)) {
		job->batch = args->word[0];
		return ADMIN_OK;
	}
	status = admin_hasher(admin, &hasher);
	if (status != ADMIN_OK)
		return status;
	topup_code_digest(hasher, code, job->digest);
	key_hasher_close(&hasher);
	bytes_scrub(code, sizeof code);
	job->by_digest = true;
	return ADMIN_OK;
}

static enum admin_exit
revoke_failed(struct admin *admin, enum db_result result,
    const struct revoke_job *job)
{
	if (result == DB_NONE && job->batch != NULL)
		return no_batch(job->batch);
	if (result == DB_NONE) {
		complain("there is no such code");
		return ADMIN_NOT_FOUND;
	}
	if (result == DB_ERROR && strcmp(db_sqlstate(admin->db), "YY011") ==
	    0) {
		complain("the code was used already");
		hint("\"youyunctl adjust\" takes money back");
		return ADMIN_REFUSED;
	}
	return admin_database_failed(admin, result, "revoke");
}

static enum admin_exit
run_revoke(struct admin *admin, const struct args *args)
{
	struct record *record;
	struct revoke_job job;
	enum admin_exit status;
	enum db_result result;

	memset(&job, 0, sizeof job);
	status = admin_database(admin);
	if (status == ADMIN_OK)
		status = take_revoked(admin, args, &job);
	if (status != ADMIN_OK)
		return status;
	if (job.batch != NULL && !admin_confirm(admin, "Revoke all unused "
	    "codes of the batch?"))
		return ADMIN_REFUSED;
	result = admin_change(admin, revoke_body, &job);
	if (result != DB_OK)
		return revoke_failed(admin, result, &job);
	if (admin->json) {
		record = record_open();
		record_text(record, "batch", NULL, job.done.batch);
		record_number(record, "revoked", NULL, job.done.unused);
		record_number(record, "used", NULL, job.done.used);
		record_print(&record, admin);
	} else if (job.batch == NULL)
		say(admin, "revoked one code of batch %s", job.done.batch);
	else
		say(admin, "revoked batch %s: %lld codes were unused, %lld "
		    "had been used and stay booked", job.done.batch,
		    (long long)job.done.unused, (long long)job.done.used);
	return ADMIN_OK;
}

const struct verb verbs_code[] = {
	{ "code", "create", "", 0, 0,
	  "make top-up codes, and print them once",
	  "code create --amount 20 --count 100 --expires 365d --batch spring",
	  code_create_options, code_create },
	{ "code", "list", "[BATCH]", 0, 1,
	  "list the batches of codes, or the codes of one",
	  "code list spring --state used", list_options, run_list },
	{ "code", "revoke", "[BATCH|CODE]", 0, 1,
	  "revoke a batch of codes, or one code",
	  "code revoke spring --reason \"sold by mistake\"", revoke_options,
	  run_revoke },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
