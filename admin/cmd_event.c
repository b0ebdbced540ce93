/* event: what refusals, rules and staff found worth knowing for security. */
#include "admin/admin.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "admin/args.h"
#include "admin/options.h"
#include "admin/page.h"
#include "admin/report.h"
#include "base/clock.h"
#include "db/queries.h"
#include "db/queries_support.h"

#define LIMIT_MOST 100000
#define WATCH_MS 500
#define WATCH_BACK 256

static const char *const severities[] = { "note", "low", "high", "urgent" };

static const struct report_column columns[] = {
	{ "id", "EVENT", REPORT_NUMBER, false },
	{ "at", "TIME (UTC)", REPORT_TIME, false },
	{ "severity", "SEVERITY", REPORT_TEXT, false },
	{ "kind", "KIND", REPORT_TEXT, false },
	{ "customer_id", NULL, REPORT_NUMBER, false },
	{ "customer", "CUSTOMER", REPORT_TEXT, false },
	{ "key_id", "KEY", REPORT_NUMBER, true },
	{ "address", "ADDRESS", REPORT_TEXT, true },
	{ "detail", "DETAIL", REPORT_TEXT, true },
	{ NULL, NULL, REPORT_TEXT, false }
};

static const struct opt list_options[] = {
	{ "kind", "KIND", "only of this kind", false },
	{ "customer", "CUSTOMER", "only this customer's", false },
	{ "since", "TIME", "only from then on", false },
	PAGE_OPTIONS,
	{ NULL, NULL, NULL, false }
};

static const struct opt watch_options[] = {
	{ "kind", "KIND", "only of this kind", false },
	{ "customer", "CUSTOMER", "only this customer's", false },
	{ NULL, NULL, NULL, false }
};

static const char *
severity_name(int64_t severity)
{
	return severity >= 0 && severity < 4 ? severities[severity] : "urgent";
}

static bool
list_row(const struct event_row *row, void *arg)
{
	struct report *report = page_row(arg, "%" PRId64, row->id);

	if (report == NULL)
		return false;

	report_number(report, row->id);
	report_time(report, row->at_us);
	report_text(report, severity_name(row->severity));
	report_text(report, row->kind);
	if (row->customer_id != 0) {
		report_number(report, row->customer_id);
		report_text(report, row->customer);
	} else {
		report_none(report);
		report_none(report);
	}
	if (row->key_id != 0)
		report_number(report, row->key_id);
	else
		report_none(report);
	report_text(report, row->address);
	report_text(report, row->detail);
	return true;
}

static enum admin_exit
take_filter(struct admin *admin, const struct args *args,
    struct event_filter *f)
{
	enum admin_exit status;

	f->kind = args_get(args, "kind");
	status = option_time(args, "since", &f->since_us);
	return status == ADMIN_OK ?
	    option_customer(admin, args, &f->customer_id) : status;
}

static enum admin_exit
read_page(struct admin *admin, struct page *page, void *arg)
{
	struct event_filter *f = arg;
	enum admin_exit status = page_number(page, &f->before);

	f->limit = PAGE_ASKED(page);
	return status != ADMIN_OK ? status : admin_database_failed(admin,
	    q_event_each(admin->db, f, false, list_row, page),
	    "list the events");
}

static enum admin_exit
run_list(struct admin *admin, const struct args *args)
{
	static const struct page_list list = { .name = "events",
		.columns = columns, .empty = "There is no such event." };
	struct event_filter f = { .limit = 0 };
	struct page page;
	enum admin_exit status = page_take(args, &page);

	if (status == ADMIN_OK)
		status = take_filter(admin, args, &f);
	return status != ADMIN_OK ? status :
	    page_print(admin, &page, &list, read_page, &f);
}

/* Events are numbered as they are written, not as they are committed: one that
 * comes late has a number that others have passed.  So the last few are looked
 * at again, and those that were shown are kept in mind. */
struct watch {
	struct admin *admin;
	struct event_filter filter;
	int64_t last;			/* the highest so far */
	int64_t shown[WATCH_BACK];
	bool first;			/* only how far they go */
};

static void
print_row(const struct watch *w, const struct event_row *row)
{
	char text[WALL_TEXT_BYTES];
	struct record *record;

	if (!w->admin->json) {
		wall_format((struct wall_time){ row->at_us }, text);
		printf("%s %s %s %s %s %s\n", text,
		    severity_name(row->severity), row->kind, row->customer,
		    row->address, row->detail);
		return;
	}
	record = record_open();
	record_number(record, "id", NULL, row->id);
	record_time(record, "at", NULL, row->at_us);
	record_text(record, "severity", NULL, severity_name(row->severity));
	record_text(record, "kind", NULL, row->kind);
	record_text(record, "customer", NULL, row->customer);
	record_text(record, "address", NULL, row->address);
	record_text(record, "detail", NULL, row->detail);
	record_print(&record, w->admin);
}

static bool
watch_row(const struct event_row *row, void *arg)
{
	struct watch *w = arg;
	int64_t *shown = &w->shown[row->id % WATCH_BACK];

	if (row->id > w->last)
		w->last = row->id;
	if (!w->first && *shown != row->id)
		print_row(w, row);
	*shown = row->id;
	return true;
}

static enum admin_exit
look(struct admin *admin, struct watch *w)
{
	w->filter.after = w->last > WATCH_BACK ? w->last - WATCH_BACK : 0;
	return admin_database_failed(admin, q_event_each(admin->db,
	    &w->filter, true, watch_row, w), "look for events");
}

static enum admin_exit
run_watch(struct admin *admin, const struct args *args)
{
	struct watch w = { .admin = admin, .first = true };
	enum admin_exit status = take_filter(admin, args, &w.filter);
	struct timespec pause = { 0, WATCH_MS * 1000000 };

	if (status != ADMIN_OK)
		return status;
	/* What has been is for event list. */
	w.filter.limit = WATCH_BACK;
	status = admin_database_failed(admin, q_event_each(admin->db,
	    &w.filter, false, watch_row, &w), "look for events");
	w.first = false;
	w.filter.limit = LIMIT_MOST;
	say(admin, "Waiting for events; ^C ends it.");
	while (status == ADMIN_OK && fflush(stdout) == 0 && !ferror(stdout)) {
		(void)nanosleep(&pause, NULL);
		status = look(admin, &w);
	}
	return status;
}

const struct verb verbs_event[] = {
	{ "event", "list", "", 0, 0,
	  "list security events, the newest first",
	  "event list --customer acme --since 7d", list_options, run_list },
	{ "event", "watch", "", 0, 0,
	  "print security events as they come",
	  "event watch --kind customer_suspended", watch_options, run_watch },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
