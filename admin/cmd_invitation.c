/* invitation: who may register, in which group, with which credit. */
#include "admin/admin.h"

#include <inttypes.h>
#include <string.h>

#include "admin/args.h"
#include "admin/booking.h"
#include "admin/check.h"
#include "admin/options.h"
#include "admin/page.h"
#include "admin/report.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/secret.h"
#include "base/topup_code.h"
#include "db/queries.h"
#include "db/queries_login.h"

#define USES_MAX 100000
#define DAYS_MAX 36500

static const struct opt create_options[] = {
	{ "group", "GROUP", "of who registers with it; default: \"default\"",
	  false },
	{ "credit", "AMOUNT", "promotional credit; default: none", false },
	{ "days", "DAYS", "what is left of it expires after so many", false },
	{ "expires", "TIME", "refuse it from then on; default: 30d", false },
	{ "uses", "COUNT", "how many may register with it; default: 1",
	  false },
	{ "note", "TEXT", "a remark of your own", false },
	{ NULL, NULL, NULL, false }
};

struct create_job {
	struct invitation_new new;
	char code[TOPUP_CODE_TEXT_BYTES];
	char hint[TOPUP_CODE_HINT_BYTES];
	uint8_t digest[KEY_DIGEST_BYTES];
	int64_t id;
};

static enum admin_exit
take_numbers(const struct args *args, struct create_job *job)
{
	const char *credit = args_get(args, "credit");
	const char *expires = args_get(args, "expires");
	enum admin_exit status = ADMIN_OK;

	if (credit != NULL)
		status = booking_amount(credit, "an invitation",
		    &job->new.credit_nano);
	if (status == ADMIN_OK)
		status = option_number(args, "days", DAYS_MAX,
		    &job->new.validity_days);
	if (status == ADMIN_OK)
		status = option_number(args, "uses", USES_MAX,
		    &job->new.uses);
	if (status != ADMIN_OK)
		return status;
	if (job->new.validity_days != 0 && credit == NULL) {
		complain("--days: it goes with --credit");
		return ADMIN_USAGE;
	}
	if (!check_time_ahead(expires != NULL ? expires : "30d",
	    &job->new.expires_us)) {
		complain("--expires %s: allowed are " CHECK_TIME_ALLOWED,
		    expires);
		return ADMIN_USAGE;
	}
	if (job->new.expires_us > clock_wall().us)
		return ADMIN_OK;
	complain("--expires %s is in the past", expires);
	return ADMIN_USAGE;
}

static enum admin_exit
take_create(const struct args *args, struct create_job *job)
{
	const char *why;

	job->new.uses = 1;
	job->new.group = args_has(args, "group") ? args_get(args, "group") :
	    "default";
	job->new.note = args_has(args, "note") ? args_get(args, "note") : "";
	job->new.digest = job->digest;
	job->new.hint = job->hint;
	why = check_text(job->new.note);
	if (why != NULL) {
		complain("--note: %s", why);
		return ADMIN_USAGE;
	}
	return take_numbers(args, job);
}

static enum admin_exit
make_code(struct admin *admin, struct create_job *job)
{
	struct key_hasher *hasher;
	enum admin_exit status = admin_hasher(admin, &hasher);

	if (status != ADMIN_OK)
		return status;
	topup_code_make(job->code);
	topup_code_hint(job->code, job->hint);
	key_hasher_digest_of(hasher, "invitation", job->code, job->digest);
	key_hasher_close(&hasher);
	return ADMIN_OK;
}

static enum db_result
create_body(struct db *db, void *arg)
{
	struct create_job *job = arg;

	return q_invitation_add(db, &job->new, &job->id);
}

static enum admin_exit
create(struct admin *admin, struct create_job *job)
{
	struct record *record;
	enum db_result result;

	result = admin_change(admin, create_body, job);
	if (result == DB_NONE) {
		complain("there is no group \"%s\"", job->new.group);
		hint("\"youyunctl group list\" shows them");
		return ADMIN_NOT_FOUND;
	}
	if (result != DB_OK)
		return admin_database_failed(admin, result,
		    "make the invitation");
	if (admin->json) {
		record = record_open();
		record_number(record, "id", NULL, job->id);
		record_text(record, "code", NULL, job->code);
		record_number(record, "uses", NULL, job->new.uses);
		record_time(record, "expires", NULL, job->new.expires_us);
		record_print(&record, admin);
	} else
		say(admin, "%s\nThis is invitation %lld.  It won't be shown "
		    "again.", job->code, (long long)job->id);
	return ADMIN_OK;
}

static enum admin_exit
run_create(struct admin *admin, const struct args *args)
{
	struct create_job job;
	enum admin_exit status;

	memset(&job, 0, sizeof job);
	status = take_create(args, &job);
	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status == ADMIN_OK)
		status = make_code(admin, &job);
	if (status == ADMIN_OK)
		status = create(admin, &job);
	bytes_scrub(&job, sizeof job);
	return status;
}

static const struct opt list_options[] = {
	PAGE_OPTIONS,
	{ NULL, NULL, NULL, false }
};

static const struct report_column columns[] = {
	{ "id", "NO", REPORT_NUMBER, false },
	{ "looks", "LOOKS LIKE", REPORT_TEXT, false },
	{ "group", "GROUP", REPORT_TEXT, false },
	{ "credit", "CREDIT", REPORT_MONEY, false },
	{ "days", "DAYS", REPORT_NUMBER, true },
	{ "uses", "USES", REPORT_NUMBER, false },
	{ "used", "USED", REPORT_NUMBER, false },
	{ "state", "STATE", REPORT_TEXT, false },
	{ "expires", "EXPIRES", REPORT_TIME, false },
	{ "note", "NOTE", REPORT_TEXT, true },
	{ "created", NULL, REPORT_TIME, false },
	{ "created_by", NULL, REPORT_TEXT, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

static bool
list_row(const struct invitation_row *row, void *arg)
{
	struct report *report = page_row(arg, "%" PRId64, row->id);

	if (report == NULL)
		return false;

	report_number(report, row->id);
	report_text(report, row->hint);
	report_text(report, row->group);
	report_money(report, row->credit_nano);
	if (row->validity_days != 0)
		report_number(report, row->validity_days);
	else
		report_none(report);
	report_number(report, row->uses);
	report_number(report, row->used);
	report_text(report, row->state);
	report_time(report, row->expires_us);
	report_text(report, row->note);
	report_time(report, row->created_us);
	report_text(report, row->created_by);
	return true;
}

static enum admin_exit
read_page(struct admin *admin, struct page *page, void *arg)
{
	int64_t after;
	enum admin_exit status = page_number(page, &after);

	(void)arg;
	return status != ADMIN_OK ? status : admin_database_failed(admin,
	    q_invitation_each(admin->db, after, PAGE_ASKED(page), list_row,
	    page), "list the invitations");
}

static enum admin_exit
run_list(struct admin *admin, const struct args *args)
{
	static const struct page_list list = { .name = "invitations",
		.columns = columns, .empty = "There is no invitation; "
		"\"youyunctl invitation create\" makes one." };
	struct page page;
	enum admin_exit status = page_take(args, &page);

	if (status == ADMIN_OK)
		status = admin_database(admin);
	return status != ADMIN_OK ? status :
	    page_print(admin, &page, &list, read_page, NULL);
}

struct revoke_job {
	int64_t id, left;
};

static enum db_result
revoke_body(struct db *db, void *arg)
{
	struct revoke_job *job = arg;

	return q_invitation_revoke(db, job->id, &job->left);
}

static enum admin_exit
run_revoke(struct admin *admin, const struct args *args)
{
	struct record *record;
	struct revoke_job job;
	enum admin_exit status;
	enum db_result result;

	if (!check_number(args->word[0], &job.id)) {
		complain("\"%s\": allowed is an invitation's number",
		    args->word[0]);
		return ADMIN_USAGE;
	}
	status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	result = admin_change(admin, revoke_body, &job);
	if (result == DB_NONE) {
		complain("there is no invitation %s", args->word[0]);
		hint("\"youyunctl invitation list\" shows them");
		return ADMIN_NOT_FOUND;
	}
	if (result != DB_OK)
		return admin_database_failed(admin, result,
		    "revoke the invitation");
	if (admin->json) {
		record = record_open();
		record_number(record, "id", NULL, job.id);
		record_number(record, "left", NULL, job.left);
		record_print(&record, admin);
	} else
		say(admin, "revoked invitation %lld; %lld could still have "
		    "registered with it", (long long)job.id,
		    (long long)job.left);
	return ADMIN_OK;
}

const struct verb verbs_invitation[] = {
	{ "invitation", "create", "", 0, 0,
	  "make a code that lets its holders register, and print it once",
	  "invitation create --credit 5 --days 30 --uses 10 --expires 14d",
	  create_options, run_create },
	{ "invitation", "list", "", 0, 0,
	  "list the invitations, the latest first",
	  "invitation list", list_options, run_list },
	{ "invitation", "revoke", "NUMBER", 1, 1,
	  "refuse an invitation from now on",
	  "invitation revoke 7 --reason \"posted in public\"", NULL,
	  run_revoke },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
