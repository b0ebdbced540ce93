/*
 * Making top-up codes.  A code exists in full once, on the terminal of whoever
 * made it; what is kept is its HMAC.
 */
#include "admin/code.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/booking.h"
#include "admin/check.h"
#include "admin/report.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/money.h"
#include "base/topup_code.h"
#include "db/queries.h"
#include "db/queries_topup.h"

#define CODES_MAX 10000
#define DAYS_MAX 36500

const struct opt code_create_options[] = {
	{ "amount", "AMOUNT", "what each code gives", false },
	{ "package", "PACKAGE", "or what this package gives, with its receipt",
	  false },
	{ "count", "COUNT", "how many codes; 1 to 10000", false },
	{ "expires", "TIME", "refuse them from then on: 2027-12-31, or 90d",
	  false },
	{ "batch", "NAME", "what they are called together", false },
	{ "source", "SOURCE", "of an amount: external (sold; the default) or "
	  "promotional", false },
	{ "days", "DAYS", "of an amount: what is left expires after so many",
	  false },
	{ "csv", NULL, "a line a code, with its batch, for a spreadsheet",
	  false },
	{ NULL, NULL, NULL, false }
};

struct create_job {
	struct code_batch batch;
	char (*code)[TOPUP_CODE_TEXT_BYTES];
	char (*digest)[2 * KEY_DIGEST_BYTES + 1];
	char (*hint)[TOPUP_CODE_HINT_BYTES];
	const char **texts;		/* digests, then hints */
	int64_t id;
};

static enum admin_exit
take_what(const struct args *args, struct create_job *job)
{
	const char *amount = args_get(args, "amount");
	const char *source = args_get(args, "source");
	const char *days = args_get(args, "days");

	job->batch.package = args_get(args, "package");
	job->batch.source = source != NULL ? source : "external";
	if ((amount == NULL) == (job->batch.package == NULL)) {
		complain("one of --amount and --package is wanted");
		return ADMIN_USAGE;
	}
	if (amount == NULL && (source != NULL || days != NULL)) {
		complain("--%s: it goes with --amount; a package has its own",
		    source != NULL ? "source" : "days");
		return ADMIN_USAGE;
	}
	if (strcmp(job->batch.source, "external") != 0 &&
	    strcmp(job->batch.source, "promotional") != 0) {
		complain("--source %s: allowed are external and promotional",
		    source);
		return ADMIN_USAGE;
	}
	if (days != NULL && (!check_number(days,
	    &job->batch.validity_days) ||
	    job->batch.validity_days > DAYS_MAX)) {
		complain("--days %s: allowed are 1 to %d", days, DAYS_MAX);
		return ADMIN_USAGE;
	}
	return amount == NULL ? ADMIN_OK : booking_amount(amount, "a code",
	    &job->batch.amount_nano);
}

static enum admin_exit
take_batch(const struct args *args, struct create_job *job)
{
	static const char *const needed[] = { "count", "expires", "batch" };
	char code[TOPUP_CODE_TEXT_BYTES];
	const char *text, *why;
	int64_t count;

	for (int i = 0; i < 3; i++)
		if (!args_has(args, needed[i])) {
			complain("--%s is missing", needed[i]);
			return ADMIN_USAGE;
		}
	text = args_get(args, "count");
	if (!check_number(text, &count) || count > CODES_MAX) {
		complain("--count %s: allowed are 1 to %d", text, CODES_MAX);
		return ADMIN_USAGE;
	}
	job->batch.codes = (size_t)count;
	text = args_get(args, "expires");
	if (!check_time_ahead(text, &job->batch.expires_us)) {
		complain("--expires %s: allowed are " CHECK_TIME_ALLOWED,
		    text);
		return ADMIN_USAGE;
	}
	if (job->batch.expires_us <= clock_wall().us) {
		complain("--expires %s is in the past", text);
		return ADMIN_USAGE;
	}
	job->batch.name = args_get(args, "batch");
	why = check_name(job->batch.name);
	/* "code revoke" takes either. */
	if (why == NULL && topup_code_read(job->batch.name, code))
		why = "it reads as a code itself";
	if (why == NULL)
		return ADMIN_OK;
	complain("--batch: %s", why);
	return ADMIN_USAGE;
}

static void
free_codes(struct create_job *job)
{
	size_t n = job->batch.codes;

	if (job->code != NULL)
		bytes_scrub(job->code, n * sizeof job->code[0]);
	free(job->code);
	free(job->digest);
	free(job->hint);
	free(job->texts);
}

static bool
make_codes(struct create_job *job, struct key_hasher *hasher)
{
	uint8_t digest[KEY_DIGEST_BYTES];
	size_t n = job->batch.codes;

	job->code = calloc(n, sizeof job->code[0]);
	job->digest = calloc(n, sizeof job->digest[0]);
	job->hint = calloc(n, sizeof job->hint[0]);
	job->texts = calloc(2 * n, sizeof job->texts[0]);
	if (job->code == NULL || job->digest == NULL || job->hint == NULL ||
	    job->texts == NULL)
		return false;
	for (size_t i = 0; i < n; i++) {
		topup_code_make(job->code[i]);
		topup_code_hint(job->code[i], job->hint[i]);
		topup_code_digest(hasher, job->code[i], digest);
		hex_encode(digest, sizeof digest, job->digest[i]);
		job->texts[i] = job->digest[i];
		job->texts[n + i] = job->hint[i];
	}
	job->batch.digests = job->texts;
	job->batch.hints = job->texts + n;
	return true;
}

static enum db_result
create_body(struct db *db, void *arg)
{
	struct create_job *job = arg;

	return q_code_batch_add(db, &job->batch, &job->id);
}

static enum admin_exit
create_failed(struct admin *admin, enum db_result result,
    const struct create_job *job)
{
	const char *state = db_sqlstate(admin->db);
	enum admin_exit status;

	if (result == DB_CONFLICT) {
		complain("there is a batch \"%s\" already", job->batch.name);
		return ADMIN_REFUSED;
	}
	if (result == DB_NONE) {
		complain("there is no package \"%s\"", job->batch.package);
		hint("\"youyunctl package list\" shows them all");
		return ADMIN_NOT_FOUND;
	}
	if (result == DB_ERROR && strcmp(state, "YY006") == 0) {
		complain("package \"%s\" isn't sold any more",
		    job->batch.package);
		return ADMIN_REFUSED;
	}
	status = admin_database_failed(admin, result, "make the codes");
	if (result == DB_UNKNOWN)
		hint("if \"youyunctl code list\" has the batch, revoke it: "
		    "nobody knows its codes");
	return status;
}

/* RFC 4180; a name may have a comma in it, or look like a formula. */
static void
print_cell(const char *text)
{
	printf(",\"%s", strchr("=+-@", text[0]) != NULL ? "'" : "");
	for (; *text != '\0'; text++) {
		if (*text == '"')
			putchar('"');
		putchar(*text);
	}
	putchar('"');
}

static void
print_csv(const struct create_job *job)
{
	char amount[MONEY_TEXT_BYTES] = "", expires[WALL_TEXT_BYTES];
	struct wall_time t = { job->batch.expires_us };

	if (job->batch.package == NULL)
		money_format(job->batch.amount_nano, 2, amount);
	wall_format(t, expires);
	printf("code,batch,amount,package,expires\r\n");
	for (size_t i = 0; i < job->batch.codes; i++) {
		printf("%s", job->code[i]);
		print_cell(job->batch.name);
		printf(",%s", amount);
		if (job->batch.package != NULL)
			print_cell(job->batch.package);
		else
			putchar(',');
		printf(",%s\r\n", expires);
	}
}

static const struct report_column new_columns[] = {
	{ "code", "CODE", REPORT_ID, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

static void
print_json(const struct admin *admin, const struct create_job *job)
{
	struct record *record = record_open();
	struct report *codes = report_list("codes", new_columns);

	record_number(record, "batch_id", NULL, job->id);
	record_text(record, "batch", NULL, job->batch.name);
	if (job->batch.package == NULL)
		record_money(record, "amount", NULL, job->batch.amount_nano);
	else
		record_text(record, "package", NULL, job->batch.package);
	record_time(record, "expires", NULL, job->batch.expires_us);
	for (size_t i = 0; i < job->batch.codes; i++)
		report_id(codes, job->code[i]);
	record_list(record, &codes);
	record_print(&record, admin);
}

static void
print_codes(const struct admin *admin, const struct args *args,
    const struct create_job *job)
{
	if (admin->json) {
		print_json(admin, job);
		return;
	}
	if (args_has(args, "csv")) {
		print_csv(job);
		return;
	}
	for (size_t i = 0; i < job->batch.codes; i++)
		printf("%s\n", job->code[i]);
	say(admin, "These are the %zu codes of batch %s.  They won't be shown "
	    "again.", job->batch.codes, job->batch.name);
}

static enum admin_exit
create(struct admin *admin, const struct args *args, struct create_job *job,
    struct key_hasher *hasher)
{
	enum db_result result;

	if (!make_codes(job, hasher)) {
		complain("out of memory");
		return ADMIN_FAILED;
	}
	result = admin_change(admin, create_body, job);
	if (result != DB_OK)
		return create_failed(admin, result, job);
	print_codes(admin, args, job);
	if (fflush(stdout) == 0)
		return ADMIN_OK;
	complain("the codes could not be written: revoke the batch %s",
	    job->batch.name);
	return ADMIN_FAILED;
}

enum admin_exit
code_create(struct admin *admin, const struct args *args)
{
	struct key_hasher *hasher;
	struct create_job job;
	enum admin_exit status;

	memset(&job, 0, sizeof job);
	if (admin->json && args_has(args, "csv")) {
		complain("--csv and --json are two forms of one answer");
		return ADMIN_USAGE;
	}
	status = take_what(args, &job);
	if (status == ADMIN_OK)
		status = take_batch(args, &job);
	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_hasher(admin, &hasher);
	if (status != ADMIN_OK)
		return status;
	status = create(admin, args, &job, hasher);
	key_hasher_close(&hasher);
	free_codes(&job);
	return status;
}
