/* screen moderation: who is asked about calls before they are forwarded. */
#include "admin/admin.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "admin/args.h"
#include "admin/check.h"
#include "admin/report.h"
#include "db/queries.h"
#include "db/queries_bounds.h"
#include "shm/catalogue.h"

#define TIMEOUT_LEAST_MS 50
#define TIMEOUT_MOST_MS 60000

static const struct opt set_options[] = {
	{ "group", "GROUP", "only calls of this group, instead of what is set "
	  "for all", false },
	{ "channel", "CHANNEL", "which is asked, of the OpenAI protocol",
	  false },
	{ "model", "MODEL", "by the provider's name of it", false },
	{ "action", "flag|block", "what becomes of a call that is judged "
	  "unfit; at first it is flagged", false },
	{ "fail", "open|closed", "without an answer calls are forwarded, as at "
	  "first, or refused", false },
	{ "timeout", "TIME", "how long an answer is waited for; at first 2s",
	  false },
	{ NULL, NULL, NULL, false }
};

static const struct opt off_options[] = {
	{ "group", "GROUP", "what is set for this group; what is set for all "
	  "is for it, too, then", false },
	{ NULL, NULL, NULL, false }
};

struct search {
	const char *name;
	bool found;
};

static bool
search_group(const struct group_row *row, void *arg)
{
	struct search *s = arg;

	s->found = s->found || strcmp(row->name, s->name) == 0;
	return true;
}

static enum admin_exit
group_exists(struct admin *admin, const char *group)
{
	struct search s = { group, group == NULL };
	enum admin_exit status = admin_database(admin);

	if (status == ADMIN_OK && group != NULL)
		status = admin_database_failed(admin, q_group_each(admin->db,
		    search_group, &s), "look the group up");
	if (status == ADMIN_OK && !s.found) {
		complain("there is no group \"%s\"", group);
		hint("\"youyunctl group list\" shows them all");
		return ADMIN_NOT_FOUND;
	}
	return status;
}

/* -1: not given; -2: neither. */
static int64_t
one_of(const struct args *args, const char *option, const char *no,
    const char *yes)
{
	const char *text = args_get(args, option);

	if (text == NULL)
		return -1;
	if (strcmp(text, no) == 0)
		return 0;
	if (strcmp(text, yes) == 0)
		return 1;
	complain("--%s %s: allowed are %s and %s", option, text, no, yes);
	return -2;
}

static bool
take_row(const struct args *args, struct moderation_row *row)
{
	const char *text = args_get(args, "timeout"), *why;

	row->group = args_get(args, "group");
	row->channel = args_get(args, "channel");
	row->model = args_get(args, "model");
	row->action = one_of(args, "action", "flag", "block");
	row->closed = one_of(args, "fail", "open", "closed");
	row->timeout_ms = -1;
	if (row->action < -1 || row->closed < -1)
		return false;
	if (text != NULL && (!check_duration(text, &row->timeout_ms) ||
	    row->timeout_ms < TIMEOUT_LEAST_MS ||
	    row->timeout_ms > TIMEOUT_MOST_MS)) {
		complain("--timeout %s: allowed are 50ms to 60s", text);
		return false;
	}
	why = row->model != NULL ? check_model(row->model) : NULL;
	if (why == NULL && row->model != NULL &&
	    strchr(row->model, '*') != NULL)
		why = "a pattern is no model that could be asked";
	if (why != NULL)
		complain("--model %s: %s", row->model, why);
	return why == NULL;
}

struct change {
	struct moderation_row row;
	int64_t channel_id;		/* 0: as it is */
};

static enum db_result
set_body(struct db *db, void *arg)
{
	const struct change *c = arg;

	return q_moderation_set(db, &c->row, c->channel_id);
}

static enum admin_exit
set_failed(struct admin *admin, enum db_result result)
{
	if (result == DB_NONE) {
		complain("nothing is set there yet: --channel and --model are "
		    "missing");
		return ADMIN_USAGE;
	}
	if (result == DB_ERROR && strcmp(db_sqlstate(admin->db), "YY038") ==
	    0) {
		complain("a channel of another protocol than openai cannot "
		    "moderate");
		return ADMIN_REFUSED;
	}
	return admin_database_failed(admin, result, "set the moderation");
}

static enum admin_exit
run_set(struct admin *admin, const struct args *args)
{
	struct change c = { .channel_id = 0 };
	enum admin_exit status;

	if (!take_row(args, &c.row))
		return ADMIN_USAGE;
	status = group_exists(admin, c.row.group);
	if (status == ADMIN_OK && c.row.channel != NULL)
		status = admin_channel(admin, c.row.channel, &c.channel_id);
	if (status != ADMIN_OK)
		return status;
	status = set_failed(admin, admin_change(admin, set_body, &c));
	if (status == ADMIN_OK)
		say(admin, "moderation is set; \"youyunctl screen moderation "
		    "show\" shows it");
	return status;
}

static const struct report_column columns[] = {
	{ "group", "GROUP", REPORT_TEXT, false },
	{ "channel", "CHANNEL", REPORT_TEXT, false },
	{ "model", "MODEL", REPORT_TEXT, false },
	{ "action", "ACTION", REPORT_TEXT, false },
	{ "fail", "WITHOUT AN ANSWER", REPORT_TEXT, false },
	{ "timeout_ms", "TIMEOUT MS", REPORT_NUMBER, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

static bool
show_row(const struct moderation_row *row, void *arg)
{
	struct report *report = arg;

	report_text(report, row->group[0] != '\0' ? row->group : "all");
	report_text(report, row->channel);
	report_text(report, row->model);
	report_text(report, row->action == SCREEN_BLOCK ? "block" : "flag");
	report_text(report, row->closed ? "closed" : "open");
	report_number(report, row->timeout_ms);
	return true;
}

static enum admin_exit
run_show(struct admin *admin, const struct args *args)
{
	struct report *report;
	enum admin_exit status;

	(void)args;
	status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	report = report_list("moderation", columns);
	status = admin_database_failed(admin, q_moderation_each(admin->db,
	    show_row, report), "show the moderation");
	if (status == ADMIN_OK)
		report_print(&report, admin, "Calls are not moderated.");
	else
		report_discard(&report);
	return status;
}

static enum db_result
off_body(struct db *db, void *arg)
{
	return q_moderation_remove(db, *(const char **)arg);
}

static enum admin_exit
run_off(struct admin *admin, const struct args *args)
{
	const char *group = args_get(args, "group");
	enum admin_exit status = group_exists(admin, group);
	enum db_result result;

	if (status != ADMIN_OK)
		return status;
	result = admin_change(admin, off_body, &group);
	if (result == DB_NONE) {
		complain("nothing is set there");
		return ADMIN_NOT_FOUND;
	}
	if (result != DB_OK)
		return admin_database_failed(admin, result,
		    "end the moderation");
	say(admin, "moderation is off");
	return ADMIN_OK;
}

const struct verb verbs_moderation[] = {
	{ "screen", "moderation set", "", 0, 0,
	  "have a provider judge requests before they are forwarded",
	  "screen moderation set --channel main --model omni-moderation-latest "
	  "--action block", set_options, run_set },
	{ "screen", "moderation show", "", 0, 0,
	  "show who is asked, for which groups",
	  "screen moderation show", NULL, run_show },
	{ "screen", "moderation off", "", 0, 0,
	  "ask nobody any more",
	  "screen moderation off", off_options, run_off },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
