/* subprocessor: the companies that receive data of customers' calls. */
#include "admin/admin.h"

#include <stdio.h>
#include <string.h>

#include "admin/args.h"
#include "admin/check.h"
#include "admin/options.h"
#include "admin/rows.h"
#include "base/clock.h"
#include "conf/settings.h"
#include "db/queries_agreement.h"

#define REGIONS_MAX 16
#define ENTITY_MAX_BYTES 200

static const struct opt add_options[] = {
	{ "entity", "TEXT", "the legal entity", false },
	{ "purpose", "TEXT", "what it does with the data", false },
	{ "region", "TEXT", "where it processes them; repeat it for more",
	  true },
	{ "country", "CODE", "where its seat is: DE, CN, US …", false },
	{ NULL, NULL, NULL, false }
};

static const struct report_column columns[] = {
	{ "id", NULL, REPORT_NUMBER, false },
	{ "name", "NAME", REPORT_TEXT, false },
	{ "entity", "ENTITY", REPORT_TEXT, false },
	{ "purpose", "PURPOSE", REPORT_TEXT, true },
	{ "regions", "REGIONS", REPORT_TEXT, false },
	{ "country", "COUNTRY", REPORT_TEXT, false },
	{ "state", "STATE", REPORT_ID, false },
	{ "announced", NULL, REPORT_TIME, false },
	{ "valid_from", "VALID FROM", REPORT_TIME, false },
	{ "ended", "ENDED", REPORT_TIME, true },
	{ "channels", "CHANNELS", REPORT_TEXT, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

struct job {
	struct subprocessor s;
	const char *region[REGIONS_MAX];
	int64_t days;
	int64_t id, valid_from_us, told;
};

static bool
take_regions(const struct args *args, struct job *job)
{
	const char *text;

	while ((text = args_nth(args, "region", (int)job->s.n_regions)) !=
	    NULL) {
		if (job->s.n_regions == REGIONS_MAX || text[0] == '\0' ||
		    strlen(text) > 31 || check_text(text) != NULL) {
			complain("--region \"%s\": allowed are %d, of 1 to 31 "
			    "bytes each", text, REGIONS_MAX);
			return false;
		}
		job->region[job->s.n_regions++] = text;
	}
	job->s.regions = job->region;
	return job->s.n_regions > 0 ||
	    option_missing("region") == ADMIN_OK;
}

static enum admin_exit
check_add(const struct args *args, struct job *job)
{
	const char *why;

	job->s.name = args->word[0];
	why = check_name(job->s.name);
	if (why != NULL) {
		complain("\"%s\": %s", job->s.name, why);
		return ADMIN_USAGE;
	}
	if (option_text(args, "entity", &job->s.entity) != ADMIN_OK ||
	    option_text(args, "purpose", &job->s.purpose) != ADMIN_OK ||
	    !take_regions(args, job))
		return ADMIN_USAGE;
	if (job->s.entity == NULL || job->s.entity[0] == '\0')
		return option_missing("entity");
	if (job->s.purpose == NULL || job->s.purpose[0] == '\0')
		return option_missing("purpose");
	if (strlen(job->s.entity) > ENTITY_MAX_BYTES) {
		complain("--entity: at most %d bytes", ENTITY_MAX_BYTES);
		return ADMIN_USAGE;
	}
	job->s.country = args_get(args, "country");
	if (job->s.country != NULL && strlen(job->s.country) == 2 &&
	    strspn(job->s.country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 2)
		return ADMIN_OK;
	complain("--country %s: allowed are two capital letters, such as DE",
	    job->s.country != NULL ? job->s.country : "is missing");
	return ADMIN_USAGE;
}

static enum db_result
add_body(struct db *db, void *arg)
{
	struct job *job = arg;

	return q_subprocessor_add(db, &job->s, job->days, &job->id,
	    &job->valid_from_us, &job->told);
}

static enum admin_exit
run_add(struct admin *admin, const struct args *args)
{
	char at[WALL_TEXT_BYTES];
	struct job job;
	struct record *record;
	enum admin_exit status;
	enum db_result result;

	memset(&job, 0, sizeof job);
	status = check_add(args, &job);
	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	job.days = admin->settings->subprocessor_notice_days;
	result = admin_change(admin, add_body, &job);
	if (result == DB_CONFLICT) {
		complain("there is a sub-processor \"%s\" already",
		    job.s.name);
		hint("one that changes is another: customers must be told");
		return ADMIN_REFUSED;
	}
	if (result != DB_OK)
		return admin_database_failed(admin, result,
		    "add the sub-processor");
	if (admin->json) {
		record = record_open();
		record_number(record, "id", NULL, job.id);
		record_time(record, "valid_from", NULL, job.valid_from_us);
		record_number(record, "told", NULL, job.told);
		record_print(&record, admin);
	}
	time_format_short(job.valid_from_us, at);
	say(admin, "added %s and told %lld customers; it may receive data from "
	    "%s on", job.s.name, (long long)job.told, at);
	return ADMIN_OK;
}

static enum db_result
end_body(struct db *db, void *arg)
{
	return q_subprocessor_end(db, arg);
}

static enum admin_exit
no_such(const char *name)
{
	complain("there is no sub-processor \"%s\"", name);
	hint("\"youyunctl subprocessor list\" shows them");
	return ADMIN_NOT_FOUND;
}

static enum admin_exit
run_end(struct admin *admin, const struct args *args)
{
	enum admin_exit status = admin_database(admin);
	enum db_result result;
	char name[NAME_MAX_BYTES + 1];

	if (status != ADMIN_OK)
		return status;
	if (strlen(args->word[0]) > NAME_MAX_BYTES)
		return no_such(args->word[0]);
	snprintf(name, sizeof name, "%s", args->word[0]);
	result = admin_change(admin, end_body, name);
	if (result == DB_NONE)
		return no_such(name);
	if (result != DB_OK)
		return admin_database_failed(admin, result,
		    "end the sub-processor");
	say(admin, "%s has ended; its channels get no more calls", name);
	return ADMIN_OK;
}

static enum admin_exit
run_list(struct admin *admin, const struct args *args)
{
	enum admin_exit status = admin_database(admin);
	struct db_rows *rows = NULL;

	(void)args;
	return status != ADMIN_OK ? status : rows_print(admin,
	    q_subprocessor_list(admin->db, &rows), &rows, "subprocessors",
	    columns, "list the sub-processors", "There is no sub-processor "
	    "yet; \"youyunctl subprocessor add NAME\" adds one.");
}

const struct verb verbs_subprocessor[] = {
	{ "subprocessor", "add", "NAME", 1, 1,
	  "register a company that will receive data, and tell all customers",
	  "subprocessor add example-ai --entity \"Example AI GmbH\" --purpose "
	  "\"answers to prompts\" --region eu --country DE", add_options,
	  run_add },
	{ "subprocessor", "list", "", 0, 0,
	  "list them, with their channels",
	  "subprocessor list", NULL, run_list },
	{ "subprocessor", "end", "NAME", 1, 1,
	  "send nothing more to it",
	  "subprocessor end example-ai", NULL, run_end },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
