/* code: top-up codes, their batches, and what became of them. */
#include "admin/code.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "admin/check.h"
#include "admin/options.h"
#include "admin/page.h"
#include "admin/report.h"
#include "base/bytes.h"
#include "base/topup_code.h"
#include "db/queries.h"
#include "db/queries_topup.h"

static const struct opt list_options[] = {
	{ "state", "STATE", "of a batch's codes: unused, used, expired, "
	  "revoked", false },
	PAGE_OPTIONS,
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
	struct report *report = page_row(arg, "%" PRId64, row->id);

	if (report == NULL)
		return false;
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
	struct report *report = page_row(arg, "%" PRId64, row->id);

	if (report == NULL)
		return false;
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

struct codes {
	const char *batch, *state;
};

static enum admin_exit
read_codes(struct admin *admin, struct page *page, void *arg)
{
	const struct codes *codes = arg;
	enum db_result result;
	int64_t after;
	enum admin_exit status = page_number(page, &after);

	if (status != ADMIN_OK)
		return status;
	result = q_code_each(admin->db, codes->batch, codes->state, after,
	    PAGE_ASKED(page), code_row, page);
	return result == DB_NONE ? no_batch(codes->batch) :
	    admin_database_failed(admin, result, "list the codes");
}

static enum admin_exit
read_batches(struct admin *admin, struct page *page, void *arg)
{
	int64_t after;
	enum admin_exit status = page_number(page, &after);

	(void)arg;
	return status != ADMIN_OK ? status : admin_database_failed(admin,
	    q_code_batch_each(admin->db, after, PAGE_ASKED(page), batch_row,
	    page), "list the batches");
}

static enum admin_exit
run_list(struct admin *admin, const struct args *args)
{
	static const char *const states[] = { "unused", "used", "expired",
		"revoked", NULL };
	static const struct page_list batches = { .name = "batches",
		.columns = batch_columns, .empty = "There is no batch." };
	static const struct page_list list = { .name = "codes",
		.columns = code_columns, .empty = "No code fits." };
	struct codes codes = { .state = NULL };
	struct page page;
	enum admin_exit status;

	status = option_word(args, "state", states, &codes.state);
	if (status == ADMIN_OK && codes.state != NULL && args->words == 0) {
		complain("--state %s: it goes with a batch", codes.state);
		status = ADMIN_USAGE;
	}
	if (status == ADMIN_OK)
		status = page_take(args, &page);
	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	if (args->words == 0)
		return page_print(admin, &page, &batches, read_batches, NULL);
	codes.batch = args->word[0];
	return page_print(admin, &page, &list, read_codes, &codes);
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
