/* group: customers that pay the same multiple of the price. */
#include "admin/admin.h"

#include <string.h>

#include "admin/args.h"
#include "admin/check.h"
#include "admin/report.h"
#include "base/money.h"
#include "base/price.h"
#include "db/queries.h"

static const struct opt set_options[] = {
	{ "multiplier", "FACTOR", "every fee is multiplied by it, like 1.25; "
	  "up to six decimals", false },
	{ NULL, NULL, NULL, false }
};

struct group_change {
	const char *name;
	uint32_t ppm;
	int64_t id;
};

static enum db_result
set_body(struct db *db, void *arg)
{
	struct group_change *g = arg;

	return q_group_set(db, g->name, g->ppm, &g->id);
}

static enum admin_exit
check_group(const struct args *args, struct group_change *g)
{
	enum money_result parsed;
	const char *why, *text;

	g->name = args->word[0];
	why = check_name(g->name);
	if (why != NULL) {
		complain("\"%s\": %s", g->name, why);
		return ADMIN_USAGE;
	}
	text = args_get(args, "multiplier");
	if (text == NULL) {
		complain("--multiplier FACTOR is missing");
		return ADMIN_USAGE;
	}
	parsed = ppm_parse(text, &g->ppm);
	if (parsed != MONEY_OK || g->ppm > MULTIPLIER_MAX_PPM) {
		complain("--multiplier %s: %s", text, parsed != MONEY_OK ?
		    money_explain(parsed) : "allowed are 0 to 1000");
		return ADMIN_USAGE;
	}
	return ADMIN_OK;
}

static enum admin_exit
run_set(struct admin *admin, const struct args *args)
{
	char text[MONEY_TEXT_BYTES];
	struct group_change g;
	struct record *record;
	enum admin_exit status;
	enum db_result result;

	memset(&g, 0, sizeof g);
	status = check_group(args, &g);
	if (status == ADMIN_OK && g.ppm == 0 &&
	    !admin_confirm(admin, "With the multiplier 0 the group's calls "
	    "are free.  Go on?"))
		status = ADMIN_REFUSED;
	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	result = admin_change(admin, set_body, &g);
	if (result != DB_OK)
		return admin_database_failed(admin, result, "set the group");
	ppm_format(g.ppm, text);
	if (admin->json) {
		record = record_open();
		record_number(record, "id", NULL, g.id);
		record_text(record, "name", NULL, g.name);
		record_text(record, "multiplier", NULL, text);
		record_print(&record, admin);
	}
	say(admin, "group %s pays %s times the price", g.name, text);
	return ADMIN_OK;
}

static const struct report_column columns[] = {
	{ "id", "ID", REPORT_NUMBER, false },
	{ "name", "GROUP", REPORT_TEXT, false },
	{ "multiplier", "MULTIPLIER", REPORT_TEXT, false },
	{ "customers", "CUSTOMERS", REPORT_NUMBER, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

static bool
list_row(const struct group_row *row, void *arg)
{
	struct report *report = arg;
	char text[MONEY_TEXT_BYTES];

	ppm_format((uint32_t)row->multiplier_ppm, text);
	report_number(report, row->id);
	report_text(report, row->name);
	report_text(report, text);
	report_number(report, row->customers);
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
	report = report_list("groups", columns);
	status = admin_database_failed(admin, q_group_each(admin->db,
	    list_row, report), "list the groups");
	if (status == ADMIN_OK)
		report_print(&report, admin, "There is no group.");
	else
		report_discard(&report);
	return status;
}

static const struct opt override_options[] = {
	{ "multiplier", "FACTOR", "instead of the group's, for this model or "
	  "pattern; a longer pattern goes before, an exact name first", false },
	{ "remove", NULL, "the group's multiplier again", false },
	{ NULL, NULL, NULL, false }
};

struct override {
	const char *group, *model;
	uint32_t ppm;
	bool remove;
};

static enum db_result
override_body(struct db *db, void *arg)
{
	struct override *o = arg;

	return o->remove ? q_group_model_remove(db, o->group, o->model) :
	    q_group_model_set(db, o->group, o->model, o->ppm);
}

static enum admin_exit
check_override(const struct args *args, struct override *o)
{
	enum money_result parsed;
	const char *text;

	o->group = args->word[0];
	o->model = args->word[1];
	o->remove = args_has(args, "remove");
	text = args_get(args, "multiplier");
	if ((text != NULL) == o->remove) {
		complain("either --multiplier FACTOR or --remove is needed");
		return ADMIN_USAGE;
	}
	if (o->remove)
		return ADMIN_OK;
	parsed = ppm_parse(text, &o->ppm);
	if (parsed != MONEY_OK || o->ppm > MULTIPLIER_MAX_PPM) {
		complain("--multiplier %s: %s", text, parsed != MONEY_OK ?
		    money_explain(parsed) : "allowed are 0 to 1000");
		return ADMIN_USAGE;
	}
	return ADMIN_OK;
}

static enum admin_exit
run_override(struct admin *admin, const struct args *args)
{
	char text[MONEY_TEXT_BYTES];
	enum admin_exit status;
	enum db_result result;
	struct override o;

	memset(&o, 0, sizeof o);
	status = check_override(args, &o);
	if (status == ADMIN_OK && !o.remove && o.ppm == 0 &&
	    !admin_confirm(admin, "With the multiplier 0 the group's calls "
	    "to this model are free.  Go on?"))
		status = ADMIN_REFUSED;
	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	result = admin_change(admin, override_body, &o);
	if (result == DB_NONE) {
		complain(o.remove ? "there is no override for group \"%s\" "
		    "and model \"%s\"" : "there is no group \"%s\", or no "
		    "model \"%s\"", o.group, o.model);
		hint("\"youyunctl group overrides\" and \"youyunctl price "
		    "list\" show them all");
		return ADMIN_NOT_FOUND;
	}
	if (result != DB_OK)
		return admin_database_failed(admin, result,
		    "set the override");
	ppm_format(o.ppm, text);
	if (o.remove)
		say(admin, "group %s pays for %s as for any other model",
		    o.group, o.model);
	else
		say(admin, "group %s pays %s times the price of %s", o.group,
		    text, o.model);
	return ADMIN_OK;
}

static const struct report_column override_columns[] = {
	{ "group", "GROUP", REPORT_TEXT, false },
	{ "model", "MODEL", REPORT_TEXT, false },
	{ "multiplier", "MULTIPLIER", REPORT_TEXT, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

static bool
override_row(const struct group_model_row *row, void *arg)
{
	struct report *report = arg;
	char text[MONEY_TEXT_BYTES];

	ppm_format((uint32_t)row->multiplier_ppm, text);
	report_text(report, row->group);
	report_text(report, row->model);
	report_text(report, text);
	return true;
}

static enum admin_exit
run_overrides(struct admin *admin, const struct args *args)
{
	struct report *report;
	enum admin_exit status;

	status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	report = report_list("overrides", override_columns);
	status = admin_database_failed(admin, q_group_model_each(admin->db,
	    args->words == 1 ? args->word[0] : NULL, override_row, report),
	    "list the overrides");
	if (status == ADMIN_OK)
		report_print(&report, admin, "Every group has one multiplier "
		    "for all models.");
	else
		report_discard(&report);
	return status;
}

const struct verb verbs_group[] = {
	{ "group", "set", "NAME", 1, 1,
	  "make a group, or change its multiplier",
	  "group set wholesale --multiplier 0.85", set_options, run_set },
	{ "group", "list", "", 0, 0,
	  "list the groups",
	  "group list", NULL, run_list },
	{ "group", "override", "NAME MODEL", 2, 2,
	  "give a group a multiplier of its own for a model or pattern",
	  "group override wholesale \"gpt-4o*\" --multiplier 0.9",
	  override_options, run_override },
	{ "group", "overrides", "[NAME]", 0, 1,
	  "list those multipliers",
	  "group overrides", NULL, run_overrides },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
