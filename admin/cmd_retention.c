/* retention: what is deleted when; hold: of whom nothing is. */
#include "admin/admin.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "admin/args.h"
#include "admin/check.h"
#include "admin/options.h"
#include "admin/page.h"
#include "admin/report.h"
#include "db/queries.h"
#include "db/queries_retention.h"

#define DAYS_MAX 36500
#define LATER_TRIES 10
#define LATER_S 1

/*
 * list, set
 */
static const struct report_column columns[] = {
	{ "name", "WHAT", REPORT_TEXT, false },
	{ "days", "DAYS", REPORT_NUMBER, false },
	{ "least", "AT LEAST", REPORT_NUMBER, false },
	{ "purpose", "FOR", REPORT_TEXT, true },
	{ NULL, NULL, REPORT_TEXT, false }
};

static bool
list_row(const struct retention_row *row, void *arg)
{
	struct report *report = arg;

	report_text(report, row->name);
	report_number(report, row->days);
	report_number(report, row->least);
	report_text(report, row->purpose);
	return true;
}

static enum admin_exit
run_list(struct admin *admin, const struct args *args)
{
	struct report *report;
	enum admin_exit status;

	(void)args;
	status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	report = report_list("retention", columns);
	status = admin_database_failed(admin, q_retention_each(admin->db,
	    list_row, report), "list what is kept how long");
	if (status == ADMIN_OK)
		report_print(&report, admin, "Nothing is deleted.");
	else
		report_discard(&report);
	return status;
}

struct retention_change {
	const char *name;
	int64_t days, least;
	bool found;
};

static bool
find_row(const struct retention_row *row, void *arg)
{
	struct retention_change *c = arg;

	if (strcmp(row->name, c->name) == 0) {
		c->found = true;
		c->least = row->least;
	}
	return true;
}

static enum db_result
set_body(struct db *db, void *arg)
{
	const struct retention_change *c = arg;

	return q_retention_set(db, c->name, c->days);
}

static enum admin_exit
check_days(struct admin *admin, const char *text, struct retention_change *c)
{
	enum admin_exit status;

	status = admin_database_failed(admin, q_retention_each(admin->db,
	    find_row, c), "look up how long it is kept");
	if (status != ADMIN_OK)
		return status;
	if (!c->found) {
		complain("\"%s\": nothing is kept by that name", c->name);
		hint("\"youyunctl retention list\" shows what is");
		return ADMIN_NOT_FOUND;
	}
	if (check_number(text, &c->days) && c->days >= c->least &&
	    c->days <= DAYS_MAX)
		return ADMIN_OK;
	complain("%s: allowed are %" PRId64 " to %d days for %s", text,
	    c->least, DAYS_MAX, c->name);
	return ADMIN_USAGE;
}

static enum admin_exit
run_set(struct admin *admin, const struct args *args)
{
	struct retention_change c = { .name = args->word[0] };
	struct record *record;
	enum admin_exit status;

	status = admin_database(admin);
	if (status == ADMIN_OK)
		status = check_days(admin, args->word[1], &c);
	if (status == ADMIN_OK)
		status = admin_database_failed(admin, admin_change(admin,
		    set_body, &c), "set how long it is kept");
	if (status != ADMIN_OK)
		return status;
	if (admin->json) {
		record = record_open();
		record_text(record, "name", NULL, c.name);
		record_number(record, "days", NULL, c.days);
		record_print(&record, admin);
	}
	say(admin, "%s are kept for %lld days; older ones are deleted within "
	    "the hour", c.name, (long long)c.days);
	return ADMIN_OK;
}

/*
 * run
 */
static enum db_result
step_body(struct db *db, void *arg)
{
	return q_retention_step(db, arg);
}

static enum admin_exit
run_run(struct admin *admin, const struct args *args)
{
	char did[RETENTION_STEP_BYTES] = "more";
	struct record *record;
	enum admin_exit status;
	int64_t steps = -1;
	int tries = 0;

	(void)args;
	status = admin_database(admin);
	while (status == ADMIN_OK && strcmp(did, "none") != 0 &&
	    tries < LATER_TRIES) {
		status = admin_database_failed(admin, admin_change(admin,
		    step_body, did), "delete what was kept long enough");
		if (strcmp(did, "later") == 0) {
			tries++;
			(void)nanosleep(&(struct timespec){ LATER_S, 0 },
			    NULL);
		} else {
			tries = 0;
			steps++;
		}
	}
	if (status != ADMIN_OK)
		return status;
	if (tries > 0) {
		complain("somebody reads calls that are to be deleted");
		hint("the gateway tries again by itself");
		return ADMIN_FAILED;
	}
	if (admin->json) {
		record = record_open();
		record_number(record, "deletions", NULL, steps);
		record_print(&record, admin);
	}
	say(admin, steps == 0 ? "nothing was to be deleted" :
	    "%lld deletions; \"youyunctl retention report\" shows them",
	    (long long)steps);
	return ADMIN_OK;
}

/*
 * report
 */
static const struct opt page_options[] = {
	PAGE_OPTIONS,
	{ NULL, NULL, NULL, false }
};

static const struct report_column log_columns[] = {
	{ "id", "ID", REPORT_NUMBER, false },
	{ "at", "TIME (UTC)", REPORT_TIME, false },
	{ "name", "WHAT", REPORT_TEXT, false },
	{ "until", "DAY", REPORT_TEXT, false },
	{ "rows", "DELETED", REPORT_NUMBER, false },
	{ "held", "ON HOLD", REPORT_NUMBER, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

static bool
log_row(const struct retention_log_row *row, void *arg)
{
	struct report *report = page_row(arg, "%" PRId64, row->id);

	if (report == NULL)
		return false;
	report_number(report, row->id);
	report_time(report, row->at_us);
	report_text(report, row->name);
	report_text(report, row->until);
	report_number(report, row->rows);
	report_number(report, row->held);
	return true;
}

static enum admin_exit
read_log(struct admin *admin, struct page *page, void *arg)
{
	int64_t before;
	enum admin_exit status = page_number(page, &before);

	(void)arg;
	return status != ADMIN_OK ? status : admin_database_failed(admin,
	    q_retention_log_each(admin->db, before, PAGE_ASKED(page), log_row,
	    page), "list what was deleted");
}

static enum admin_exit
run_report(struct admin *admin, const struct args *args)
{
	static const struct page_list list = { .name = "deletions",
		.columns = log_columns,
		.empty = "Nothing has been deleted yet." };
	struct page page;
	enum admin_exit status = page_take(args, &page);

	if (status == ADMIN_OK)
		status = admin_database(admin);
	return status != ADMIN_OK ? status :
	    page_print(admin, &page, &list, read_log, NULL);
}

const struct verb verbs_retention[] = {
	{ "retention", "list", "", 0, 0,
	  "list what is kept how long",
	  "retention list", NULL, run_list },
	{ "retention", "set", "WHAT DAYS", 2, 2,
	  "say how long something is kept",
	  "retention set calls 180", NULL, run_set },
	{ "retention", "run", "", 0, 0,
	  "delete now what was kept long enough",
	  "retention run", NULL, run_run },
	{ "retention", "report", "", 0, 0,
	  "tell what was deleted when",
	  "retention report", page_options, run_report },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};

/*
 * hold
 */
struct hold_change {
	int64_t customer_id, id;
	const char *reason;
};

static enum db_result
place_body(struct db *db, void *arg)
{
	struct hold_change *c = arg;

	return q_hold_place(db, c->customer_id, c->reason, &c->id);
}

static enum db_result
lift_body(struct db *db, void *arg)
{
	const struct hold_change *c = arg;

	return q_hold_lift(db, c->customer_id);
}

static enum admin_exit
run_place(struct admin *admin, const struct args *args)
{
	struct hold_change c = { .reason = admin->reason };
	struct record *record;
	enum admin_exit status;
	enum db_result result;

	if (c.reason[0] == '\0')
		return option_missing("reason");
	status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_customer(admin, args->word[0], &c.customer_id);
	if (status != ADMIN_OK)
		return status;
	result = admin_change(admin, place_body, &c);
	if (result == DB_CONFLICT) {
		complain("customer %s is on hold already", args->word[0]);
		return ADMIN_REFUSED;
	}
	if (result != DB_OK)
		return admin_database_failed(admin, result, "place the hold");
	if (admin->json) {
		record = record_open();
		record_number(record, "id", NULL, c.id);
		record_print(&record, admin);
	}
	say(admin, "customer %s is on hold: nothing of it is deleted",
	    args->word[0]);
	return ADMIN_OK;
}

static enum admin_exit
run_lift(struct admin *admin, const struct args *args)
{
	struct hold_change c = { .reason = NULL };
	enum admin_exit status;
	enum db_result result;

	status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_customer(admin, args->word[0], &c.customer_id);
	if (status != ADMIN_OK)
		return status;
	result = admin_change(admin, lift_body, &c);
	if (result == DB_NONE) {
		complain("customer %s is not on hold", args->word[0]);
		return ADMIN_REFUSED;
	}
	if (result != DB_OK)
		return admin_database_failed(admin, result, "lift the hold");
	say(admin, "customer %s is not on hold any more", args->word[0]);
	return ADMIN_OK;
}

static const struct report_column hold_columns[] = {
	{ "id", "HOLD", REPORT_NUMBER, false },
	{ "customer_id", NULL, REPORT_NUMBER, false },
	{ "customer", "CUSTOMER", REPORT_TEXT, false },
	{ "placed", "PLACED (UTC)", REPORT_TIME, false },
	{ "placed_by", "BY", REPORT_TEXT, true },
	{ "lifted", "LIFTED", REPORT_TIME, false },
	{ "lifted_by", NULL, REPORT_TEXT, false },
	{ "reason", "REASON", REPORT_TEXT, true },
	{ NULL, NULL, REPORT_TEXT, false }
};

static bool
hold_row(const struct hold_row *row, void *arg)
{
	struct report *report = page_row(arg, "%" PRId64, row->id);

	if (report == NULL)
		return false;
	report_number(report, row->id);
	report_number(report, row->customer_id);
	report_text(report, row->customer);
	report_time(report, row->placed_us);
	report_text(report, row->placed_by);
	report_time(report, row->lifted_us);
	report_text(report, row->lifted_by);
	report_text(report, row->reason);
	return true;
}

static enum admin_exit
read_holds(struct admin *admin, struct page *page, void *arg)
{
	int64_t before;
	enum admin_exit status = page_number(page, &before);

	(void)arg;
	return status != ADMIN_OK ? status : admin_database_failed(admin,
	    q_hold_each(admin->db, before, PAGE_ASKED(page), hold_row, page),
	    "list the holds");
}

static enum admin_exit
run_holds(struct admin *admin, const struct args *args)
{
	static const struct page_list list = { .name = "holds",
		.columns = hold_columns, .empty = "No customer is on hold." };
	struct page page;
	enum admin_exit status = page_take(args, &page);

	if (status == ADMIN_OK)
		status = admin_database(admin);
	return status != ADMIN_OK ? status :
	    page_print(admin, &page, &list, read_holds, NULL);
}

const struct verb verbs_hold[] = {
	{ "hold", "place", "CUSTOMER", 1, 1,
	  "delete nothing of a customer until the hold is lifted",
	  "hold place acme --reason \"case 12 O 345/26\"", NULL, run_place },
	{ "hold", "lift", "CUSTOMER", 1, 1,
	  "let a customer's data be deleted again",
	  "hold lift acme --reason \"case closed\"", NULL, run_lift },
	{ "hold", "list", "", 0, 0,
	  "list who is on hold, and who was",
	  "hold list", page_options, run_holds },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
