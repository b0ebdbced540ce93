/*
 * journal: whether its files are whole, and mending them.  The files belong
 * to the service user, so the command becomes that user first.
 */
#include "admin/admin.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "admin/args.h"
#include "admin/check.h"
#include "admin/profile.h"
#include "admin/progress.h"
#include "admin/report.h"
#include "conf/embedded.h"
#include "conf/service.h"
#include "conf/settings.h"
#include "db/queries.h"
#include "flusher/journal_check.h"

#define CONNECT_TIMEOUT_S 2
#define FLAWS_SHOWN 100

static const struct report_column flaw_columns[] = {
	{ "file", "FILE", REPORT_ID, false },
	{ "offset", "OFFSET", REPORT_NUMBER, false },
	{ "flaw", "WHAT", REPORT_TEXT, false },
	{ "first", "FIRST", REPORT_NUMBER, false },
	{ "records", "RECORDS", REPORT_NUMBER, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

struct journal_command {
	struct admin *admin;
	struct journal_survey survey;
	int lock_fd;
	bool runs;		/* youyund, or what it left */
	bool mark_known;
	int64_t mark;		/* the database has all up to here */
	bool repaired;
};

/* Held, it keeps youyund from starting meanwhile. */
static bool
take_lock(struct journal_command *c)
{
	char path[SETTING_PATH_BYTES + 32];

	snprintf(path, sizeof path, "%s/lock", c->admin->settings->state_dir);
	c->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    0644);
	if (c->lock_fd < 0) {
		complain("cannot open %s: %s", path, strerror(errno));
		return false;
	}
	c->runs = flock(c->lock_fd, LOCK_EX | LOCK_NB) != 0;
	return true;
}

static bool
take_mark(const struct mark_row *row, void *arg)
{
	struct journal_command *c = arg;

	if (row->journal_id == c->survey.journal_id &&
	    row->node_id == (int64_t)c->survey.node) {
		c->mark_known = true;
		c->mark = row->seq;
	}
	return true;
}

/* If it answers: what it has already can't be lost. */
static void
ask_database(struct journal_command *c)
{
	char conninfo[EMBEDDED_TEXT_BYTES];
	struct admin *admin = c->admin;

	if (!database_conninfo(admin->settings,
	    profile_role(admin->profile), "youyunctl",
	    conninfo, sizeof conninfo))
		return;
	admin->db = db_open(conninfo);
	if (admin->db != NULL &&
	    db_connect(admin->db, CONNECT_TIMEOUT_S) == DB_OK &&
	    q_mark_each(admin->db, take_mark, c) != DB_OK)
		c->mark_known = false;
}

static enum admin_exit
begin(struct journal_command *c, struct admin *admin)
{
	struct service_user user;
	enum admin_exit status;

	memset(c, 0, sizeof *c);
	c->admin = admin;
	c->lock_fd = -1;
	status = admin_settings(admin);
	if (status == ADMIN_OK)
		status = admin_service_user(admin, &user);
	if (status != ADMIN_OK)
		return status;
	if (!service_user_become(&user)) {
		complain("cannot become %s: %s", user.name, strerror(errno));
		return ADMIN_FAILED;
	}
	return take_lock(c) ? ADMIN_OK : ADMIN_FAILED;
}

static void
end(struct journal_command *c)
{
	journal_survey_free(&c->survey);
	if (c->lock_fd >= 0)
		(void)close(c->lock_fd);
}

static enum admin_exit
survey(struct journal_command *c)
{
	char why[JOURNAL_WHY_BYTES];

	switch (journal_survey(&file_ops_real,
	    c->admin->settings->journal_dir, &c->survey, why)) {
	case JOURNAL_OK:
	case JOURNAL_CORRUPT:
		ask_database(c);
		return ADMIN_OK;
	case JOURNAL_IO:
	case JOURNAL_FULL:
	case JOURNAL_FAILED:
		break;
	}
	complain("cannot read the journal: %s", why);
	return ADMIN_FAILED;
}

static const char *
kind_name(enum journal_flaw_kind kind)
{
	switch (kind) {
	case FLAW_HEADER:
		return "damaged header";
	case FLAW_FRAMES:
		return "damaged records";
	case FLAW_MISSING:
		return "missing records";
	case FLAW_STRANGE:
		return "another journal's file";
	}
	return "unknown";
}

static struct report *
list_flaws(const struct journal_survey *s)
{
	struct report *list = report_list("flaws", flaw_columns);
	char name[64];
	uint32_t i;

	for (i = 0; i < s->flaws && i < FLAWS_SHOWN; i++) {
		const struct journal_flaw *f = &s->flaw[i];

		snprintf(name, sizeof name, "%016" PRIx64 JOURNAL_SUFFIX,
		    f->file);
		report_id(list, name);
		report_number(list, (int64_t)f->offset);
		report_text(list, kind_name(f->kind));
		if (f->records != 0)
			report_number(list, (int64_t)f->first_seq);
		else
			report_none(list);
		report_number(list, (int64_t)f->records);
	}
	return list;
}

/* Of what is lost, what the database has anyway. */
static int64_t
lost_but_applied(const struct journal_command *c)
{
	const struct journal_survey *s = &c->survey;
	int64_t n = 0, first, last;
	uint32_t i;

	for (i = 0; i < s->flaws; i++) {
		first = (int64_t)s->flaw[i].first_seq;
		last = first + (int64_t)s->flaw[i].records - 1;
		if (last > c->mark)
			last = c->mark;
		if (s->flaw[i].records != 0 && last >= first)
			n += last - first + 1;
	}
	return n;
}

static void
add_mark(struct record *record, const struct journal_command *c)
{
	int64_t last = (int64_t)c->survey.last_seq;

	if (!c->mark_known) {
		record_none(record, "applied_seq", "In the database, up to");
		record_line(record, "  (it doesn't answer, or knows nothing "
		    "of this journal)");
		return;
	}
	record_number(record, "applied_seq", "In the database, up to",
	    c->mark);
	record_number(record, "lost_but_applied", "  of the lost ones",
	    lost_but_applied(c));
	if (c->mark > last)
		record_line(record, "The database has records after the "
		    "journal's last: youyunctl journal repair --up-to %" PRId64,
		    c->mark);
}

static void
print(struct journal_command *c)
{
	const struct journal_survey *s = &c->survey;
	struct report *list = list_flaws(s);
	struct record *record = record_open();
	char id[24];

	snprintf(id, sizeof id, "%016" PRIx64, s->journal_id);
	record_flag(record, "ok", NULL, s->flaws == 0);
	record_flag(record, "repaired", NULL, c->repaired);
	record_text(record, "journal_dir", "Journal",
	    c->admin->settings->journal_dir);
	record_text(record, "journal_id", "  its id", id);
	record_number(record, "files", "Files", s->files);
	record_number(record, "first", "First record", (int64_t)s->first_seq);
	record_number(record, "last", "Last record", (int64_t)s->last_seq);
	record_number(record, "whole", "Records kept", (int64_t)s->whole);
	record_number(record, "lost", "Records lost", (int64_t)s->lost);
	record_number(record, "lost_before", "Given up by earlier repairs",
	    (int64_t)s->lost_before);
	record_number(record, "torn", "Never promised, cut by a start",
	    (int64_t)s->torn);
	add_mark(record, c);
	if (c->runs)
		record_line(record, "youyund runs: what it is just writing "
		    "is not counted.");
	if (c->admin->json) {
		record_list(record, &list);
		record_print(&record, c->admin);
		return;
	}
	record_print(&record, c->admin);
	if (report_empty(list)) {
		report_discard(&list);
		puts("The journal is whole.");
	} else {
		putchar('\n');
		report_print(&list, c->admin, "");
	}
	fflush(stdout);
}

static enum admin_exit
run_check(struct admin *admin, const struct args *args)
{
	struct journal_command c;
	enum admin_exit status;

	(void)args;
	status = begin(&c, admin);
	if (status == ADMIN_OK) {
		progress_begin("reading the journal", 0);
		status = survey(&c);
		progress_end();
	}
	if (status == ADMIN_OK) {
		print(&c);
		if (c.survey.flaws != 0) {
			complain("the journal is damaged");
			hint("with youyund stopped, \"youyunctl journal "
			    "repair\" keeps what is whole");
			status = ADMIN_FAILED;
		}
	}
	end(&c);
	return status;
}

/* Records that nobody has any more are money: never without being told. */
static bool
is_wanted(const struct journal_command *c)
{
	char question[160];

	if (!c->admin->yes && !isatty(STDIN_FILENO)) {
		complain("nothing was changed: there is no terminal to ask");
		hint("--yes repairs without asking");
		return false;
	}
	snprintf(question, sizeof question, "Give up %" PRIu64 " record%s "
	    "and keep %" PRIu64 "?", c->survey.lost, c->survey.lost == 1 ?
	    "" : "s", c->survey.whole);
	if (admin_confirm(c->admin, question))
		return true;
	complain("nothing was changed");
	return false;
}

static enum admin_exit
mend(struct journal_command *c)
{
	char why[JOURNAL_WHY_BYTES];

	if (c->survey.flaws == 0) {
		print(c);
		return ADMIN_OK;
	}
	if (!c->admin->json)
		print(c);
	if (!is_wanted(c))
		return ADMIN_REFUSED;
	if (journal_repair(&file_ops_real, c->admin->settings->journal_dir,
	    &c->survey, why) != JOURNAL_OK) {
		complain("the repair failed: %s", why);
		hint("what was mended stays so; the rest is as it was");
		return ADMIN_FAILED;
	}
	c->repaired = true;
	if (c->admin->json)
		print(c);
	say(c->admin, "repaired; the files as they were are kept as "
	    "*.damaged in %s", c->admin->settings->journal_dir);
	return ADMIN_OK;
}

static enum admin_exit
extend(struct journal_command *c, const char *text)
{
	int64_t seq;

	if (text == NULL)
		return ADMIN_OK;
	if (!check_number(text, &seq) ||
	    !journal_survey_extend(&c->survey, (uint64_t)seq)) {
		complain("--up-to %s: not a number that can follow %" PRIu64,
		    text, c->survey.last_seq);
		return ADMIN_USAGE;
	}
	return ADMIN_OK;
}

static enum admin_exit
run_repair(struct admin *admin, const struct args *args)
{
	struct journal_command c;
	enum admin_exit status;

	status = begin(&c, admin);
	if (status == ADMIN_OK && c.runs) {
		complain("youyund runs on this journal");
		hint("stop it first, and wait until all its processes ended");
		status = ADMIN_REFUSED;
	}
	if (status == ADMIN_OK)
		status = survey(&c);
	if (status == ADMIN_OK)
		status = extend(&c, args_get(args, "up-to"));
	if (status == ADMIN_OK)
		status = mend(&c);
	end(&c);
	return status;
}

static const struct opt repair_options[] = {
	{ "up-to", "NUMBER", "numbers up to this one are used up: the "
	  "database has their records", false },
	{ NULL, NULL, NULL, false }
};

const struct verb verbs_journal[] = {
	{ "journal", "check", "", 0, 0,
	  "look whether every record of the journal can be read",
	  "journal check", NULL, run_check },
	{ "journal", "repair", "", 0, 0,
	  "keep what is whole of a damaged journal; youyund must be stopped",
	  "journal repair", repair_options, run_repair },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
