/* risk: rules that look at how keys and customers are used. */
#include "admin/admin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/args.h"
#include "admin/check.h"
#include "admin/options.h"
#include "admin/report.h"
#include "admin/text_file.h"
#include "base/address.h"
#include "base/money.h"
#include "db/queries.h"
#include "db/queries_risk.h"

#define MISTAKES_SHOWN 20
#define KEYS_SHOWN 20
#define MINUTE_MS 60000
#define COOLDOWN_MAX_MS (INT64_C(525600) * MINUTE_MS)
#define WINDOW_MAX_MS (INT64_C(10080) * MINUTE_MS)
#define THRESHOLD_MAX 1000000
#define REGION_BYTES 33

/* In the order of enum risk_action. */
static const char *const actions[] = { "off", "note", "notify", "limit",
	"suspend", NULL };

/* What the numbers of a rule count. */
static const struct unit {
	const char *kind, *threshold;
	bool money;
} units[] = {
	{ "spend_spike", "% of usual", true },
	{ "error_spike", "% of usual", false },
	{ "many_addresses", "addresses", false },
	{ "key_shared", "networks", false },
	{ "new_region", "days of use", false },
	{ "new_agent", "days of use", false },
	{ "dormant_key", "days unused", false },
};

static const struct unit *
unit_of(const char *kind)
{
	static const struct unit none = { "", "", false };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(units[i].kind, kind) == 0)
			return &units[i];
	return &none;
}

static void
amount_text(const struct unit *unit, int64_t amount, char *text, size_t size)
{
	char money[MONEY_TEXT_BYTES];

	if (unit->money) {
		money_format(amount, 2, money);
		snprintf(text, size, "%s", money);
	} else
		snprintf(text, size, "%" PRId64, amount);
}

/*
 * list
 */
static const struct report_column columns[] = {
	{ "rule", "RULE", REPORT_TEXT, false },
	{ "about", "ABOUT", REPORT_TEXT, true },
	{ "action", "ACTION", REPORT_TEXT, false },
	{ "threshold", "THRESHOLD", REPORT_NUMBER, false },
	{ "unit", "", REPORT_TEXT, false },
	{ "minimum", "AT LEAST", REPORT_TEXT, false },
	{ "window_minutes", "WITHIN MIN", REPORT_NUMBER, true },
	{ "cooldown_minutes", "STILL FOR MIN", REPORT_NUMBER, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

static bool
list_row(const struct risk_rule_row *row, void *arg)
{
	const struct unit *unit = unit_of(row->kind);
	struct report *report = arg;
	char text[MONEY_TEXT_BYTES];

	report_text(report, row->kind);
	report_text(report, row->of_key ? "key" : "customer");
	report_text(report, actions[row->action % RISK_ACTIONS]);
	report_number(report, row->threshold);
	report_text(report, unit->threshold);
	if (row->minimum >= 0) {
		amount_text(unit, row->minimum, text, sizeof(text));
		report_text(report, text);
	} else
		report_none(report);
	if (row->window_minutes >= 0)
		report_number(report, row->window_minutes);
	else
		report_none(report);
	report_number(report, row->cooldown_minutes);
	return true;
}

static enum admin_exit
run_list(struct admin *admin, const struct args *args)
{
	struct report *report;
	enum admin_exit status;
	int64_t networks = 0;

	(void)args;
	status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	report = report_list("rules", columns);
	status = admin_database_failed(admin, q_risk_rule_each(admin->db,
	    list_row, report), "list the rules");
	if (status == ADMIN_OK)
		status = admin_database_failed(admin, q_risk_regions_count(
		    admin->db, &networks), "count the networks");
	if (status != ADMIN_OK) {
		report_discard(&report);
		return status;
	}
	report_print(&report, admin, "There is no rule.");
	if (networks == 0)
		say(admin, "new_region finds nothing: no networks are loaded, "
		    "see \"youyunctl risk regions --help\"");
	return ADMIN_OK;
}

/*
 * set
 */
static const struct opt set_options[] = {
	{ "action", "ACTION", "what is done: off, note, notify, limit or "
	  "suspend; each does what those before it do", false },
	{ "threshold", "N", "above how many it rings; of a spike, above how "
	  "many percent of the usual", false },
	{ "minimum", "N", "a spike has at least so much: an amount of "
	  "spend_spike, calls of error_spike", false },
	{ "window", "TIME", "within which addresses and networks are counted, "
	  "such as 24h", false },
	{ "cooldown", "TIME", "how long the rule is still about the same "
	  "customer or key, such as 12h", false },
	{ NULL, NULL, NULL, false }
};

static enum db_result
set_body(struct db *db, void *arg)
{
	return q_risk_rule_set(db, arg);
}

/* "24h", "7d"; whole minutes. */
static enum admin_exit
take_minutes(const struct args *args, const char *name, int64_t most_ms,
    int64_t *minutes_r)
{
	const char *text = args_get(args, name);
	int64_t ms, days;
	char number[8];
	size_t len;

	*minutes_r = -1;
	if (text == NULL)
		return ADMIN_OK;
	len = strlen(text);
	if (len >= 2 && len <= sizeof(number) && text[len - 1] == 'd') {
		memcpy(number, text, len - 1);
		number[len - 1] = '\0';
		if (check_number(number, &days) && days <= most_ms / 86400000) {
			*minutes_r = days * 1440;
			return ADMIN_OK;
		}
	} else if (check_duration(text, &ms) && ms <= most_ms &&
	    ms % MINUTE_MS == 0) {
		*minutes_r = ms / MINUTE_MS;
		return ADMIN_OK;
	}
	complain("--%s %s: allowed are whole minutes such as 90m, 24h and 7d, "
	    "up to %" PRId64 "d", name, text, most_ms / 86400000);
	return ADMIN_USAGE;
}

static enum admin_exit
take_minimum(const struct args *args, const struct unit *unit,
    int64_t *minimum_r)
{
	const char *text = args_get(args, "minimum");

	*minimum_r = -1;
	if (text == NULL)
		return ADMIN_OK;
	if (unit->money)
		return option_cap(args, "minimum", minimum_r);
	if (strcmp(unit->kind, "error_spike") != 0) {
		complain("--minimum: %s has none", unit->kind);
		return ADMIN_USAGE;
	}
	return option_number(args, "minimum", THRESHOLD_MAX, minimum_r);
}

static enum admin_exit
take_rule(const struct args *args, const struct unit *unit,
    struct risk_rule_row *row)
{
	const char *action = NULL;
	enum admin_exit status;

	*row = (struct risk_rule_row){ .kind = unit->kind, .action = -1,
		.threshold = -1 };
	status = option_word(args, "action", actions, &action);
	for (int i = 0; action != NULL && i < RISK_ACTIONS; i++)
		if (actions[i] == action)
			row->action = i;
	if (status == ADMIN_OK)
		status = option_number(args, "threshold", THRESHOLD_MAX,
		    &row->threshold);
	if (status == ADMIN_OK)
		status = take_minimum(args, unit, &row->minimum);
	if (status == ADMIN_OK)
		status = take_minutes(args, "window", WINDOW_MAX_MS,
		    &row->window_minutes);
	if (status == ADMIN_OK)
		status = take_minutes(args, "cooldown", COOLDOWN_MAX_MS,
		    &row->cooldown_minutes);
	if (status == ADMIN_OK && row->window_minutes >= 0 &&
	    strcmp(unit->kind, "many_addresses") != 0 &&
	    strcmp(unit->kind, "key_shared") != 0) {
		complain("--window: %s has none", unit->kind);
		status = ADMIN_USAGE;
	}
	if (status == ADMIN_OK && args->options == 0) {
		complain("nothing to change was given");
		hint("\"youyunctl risk set --help\" lists what can be");
		status = ADMIN_USAGE;
	}
	return status;
}

static enum admin_exit
run_set(struct admin *admin, const struct args *args)
{
	const struct unit *unit = unit_of(args->word[0]);
	struct risk_rule_row row;
	struct record *record;
	enum admin_exit status;

	if (unit->kind[0] == '\0') {
		complain("there is no rule \"%s\"", args->word[0]);
		hint("\"youyunctl risk list\" shows them");
		return ADMIN_NOT_FOUND;
	}
	status = take_rule(args, unit, &row);
	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_database_failed(admin, admin_change(admin,
		    set_body, &row), "set the rule");
	if (status != ADMIN_OK)
		return status;
	if (admin->json) {
		record = record_open();
		record_text(record, "rule", NULL, unit->kind);
		record_print(&record, admin);
	}
	say(admin, "rule %s is set; \"youyunctl risk list\" shows it",
	    unit->kind);
	return ADMIN_OK;
}

/*
 * show
 */
static const struct report_column look_columns[] = {
	{ "rule", "RULE", REPORT_TEXT, false },
	{ "key_id", NULL, REPORT_NUMBER, false },
	{ "key", "KEY", REPORT_TEXT, false },
	{ "seen", "SEEN", REPORT_TEXT, false },
	{ "usual", "USUAL", REPORT_TEXT, true },
	{ "bound", "RINGS ABOVE", REPORT_TEXT, false },
	{ "rings", "RINGS", REPORT_FLAG, false },
	{ "rung", "LAST RANG", REPORT_TIME, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

static bool
look_row(const struct risk_look_row *row, void *arg)
{
	const struct unit *unit = unit_of(row->kind);
	bool spike = strstr(row->kind, "_spike") != NULL;
	struct report *report = arg;
	char text[MONEY_TEXT_BYTES];

	report_text(report, row->kind);
	if (row->key_id != 0)
		report_number(report, row->key_id);
	else
		report_none(report);
	report_text(report, row->hint);
	amount_text(unit, row->seen, text, sizeof(text));
	report_text(report, text);
	if (spike && row->compared) {
		amount_text(unit, row->usual, text, sizeof(text));
		report_text(report, text);
	} else
		report_none(report);
	if (row->compared) {
		amount_text(unit, row->bound, text, sizeof(text));
		report_text(report, text);
	} else
		report_none(report);
	report_flag(report, row->compared && row->seen > row->bound);
	report_time(report, row->rung_us);
	return true;
}

static enum admin_exit
run_show(struct admin *admin, const struct args *args)
{
	struct report *report;
	enum admin_exit status;
	int64_t id;

	status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_customer(admin, args->word[0], &id);
	if (status != ADMIN_OK)
		return status;
	report = report_list("looks", look_columns);
	status = admin_database_failed(admin, q_risk_look_each(admin->db, id,
	    KEYS_SHOWN, look_row, report), "look at the customer");
	if (status == ADMIN_OK)
		report_print(&report, admin, "There is nothing to look at.");
	else
		report_discard(&report);
	return status;
}

/*
 * regions
 */
struct regions {
	const char *file;
	char *text;
	const char **network, **region;
	size_t n;
	unsigned mistakes;
};

static void
mistake(struct regions *g, unsigned line, const char *why)
{
	if (g->mistakes++ < MISTAKES_SHOWN)
		complain("%s:%u: %s", g->file, line, why);
}

static bool
is_region(const char *text)
{
	size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789 _.-");

	return len > 0 && text[len] == '\0' && len < REGION_BYTES;
}

static char *
trim(char *p)
{
	size_t len;

	p += strspn(p, " \t\"");
	len = strlen(p);
	while (len > 0 && strchr(" \t\r\"", p[len - 1]) != NULL)
		p[--len] = '\0';
	return p;
}

static void
take_line(struct regions *g, unsigned line, char *p)
{
	char *comma;
	uint32_t bits;
	uint8_t ip[16];

	p += strspn(p, " \t\r");
	if (*p == '\0' || *p == '#' || (line == 1 &&
	    strncmp(p, "network,", strlen("network,")) == 0))
		return;
	comma = strchr(p, ',');
	if (comma == NULL) {
		mistake(g, line, "a line is a network, a comma and a region, "
		    "such as \"192.0.2.0/24,DE\"");
		return;
	}
	*comma = '\0';
	p = trim(p);
	comma = trim(comma + 1);
	if (!address_network_parse(p, ip, &bits))
		mistake(g, line, "that is no network such as 192.0.2.0/24 or "
		    "2001:db8::/32");
	else if (!is_region(comma))
		mistake(g, line, "a region has up to 32 letters, digits, "
		    "blanks, \"_\", \".\" and \"-\"");
	else {
		g->network[g->n] = p;
		g->region[g->n++] = comma;
	}
}

static bool
take_lines(struct regions *g)
{
	char *p, *end;
	size_t lines = 1;
	unsigned line = 1;

	for (p = g->text; *p != '\0'; p++)
		lines += *p == '\n';
	g->network = calloc(lines, sizeof(*g->network));
	g->region = calloc(lines, sizeof(*g->region));
	if (g->network == NULL || g->region == NULL)
		return false;
	for (p = g->text; p != NULL; p = end, line++) {
		end = strchr(p, '\n');
		if (end != NULL)
			*end++ = '\0';
		take_line(g, line, p);
	}
	return true;
}

static enum db_result
regions_body(struct db *db, void *arg)
{
	const struct regions *g = arg;

	return q_risk_regions_set(db, g->network, g->region, g->n);
}

static enum admin_exit
load(struct admin *admin, struct regions *g)
{
	enum admin_exit status;
	struct record *record;

	if (!take_lines(g)) {
		complain("there is no memory for the networks");
		return ADMIN_FAILED;
	}
	if (g->mistakes > MISTAKES_SHOWN)
		complain("%s: and %u mistakes more", g->file,
		    g->mistakes - MISTAKES_SHOWN);
	if (g->mistakes > 0) {
		hint("nothing was changed");
		return ADMIN_USAGE;
	}
	status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_database_failed(admin, admin_change(admin,
		    regions_body, g), "load the networks");
	if (status != ADMIN_OK)
		return status;
	if (admin->json) {
		record = record_open();
		record_number(record, "networks", NULL, (int64_t)g->n);
		record_print(&record, admin);
	}
	say(admin, "%zu networks are loaded", g->n);
	return ADMIN_OK;
}

static enum admin_exit
run_regions(struct admin *admin, const struct args *args)
{
	struct regions g = { .file = args->word[0] };
	enum admin_exit status = ADMIN_FAILED;

	g.text = text_file_read(g.file);
	if (g.text != NULL)
		status = load(admin, &g);
	free(g.text);
	free(g.network);
	free(g.region);
	return status;
}

const struct verb verbs_risk[] = {
	{ "risk", "list", "", 0, 0,
	  "list the rules that look at how keys and customers are used",
	  "risk list", NULL, run_list },
	{ "risk", "set", "RULE", 1, 1,
	  "say when a rule rings, and what is done then",
	  "risk set key_shared --threshold 8 --action suspend", set_options,
	  run_set },
	{ "risk", "show", "CUSTOMER", 1, 1,
	  "tell what the rules see of a customer and its keys",
	  "risk show acme", NULL, run_show },
	{ "risk", "regions", "FILE", 1, 1,
	  "load where networks are, for the rule new_region",
	  "risk regions networks.csv", NULL, run_regions },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
