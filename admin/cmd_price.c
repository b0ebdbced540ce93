/* price: what a model costs, per million tokens, from some time on. */
#include "admin/admin.h"

#include <string.h>

#include "admin/args.h"
#include "admin/check.h"
#include "admin/report.h"
#include "admin/suggest.h"
#include "base/clock.h"
#include "base/fee.h"
#include "base/money.h"
#include "conf/settings.h"
#include "db/queries.h"

#define PAST_ALLOWED_US INT64_C(60000000)
#define OUTPUT_TOKENS_MAX INT64_C(1000000000)

static const struct opt set_options[] = {
	{ "input", "PRICE", "per million input tokens", false },
	{ "output", "PRICE", "per million output tokens", false },
	{ "cache-read", "PRICE", "input served from a cache; default: as input",
	  false },
	{ "cache-write-5m", "PRICE", "input written to a short-lived cache; "
	  "default: as input", false },
	{ "cache-write-1h", "PRICE", "input written to a long-lived cache; "
	  "default: as input", false },
	{ "max-output-tokens", "COUNT", "the most one answer can have; what a "
	  "call without max_tokens is held for", false },
	{ "from", "TIME", "from when on; default: now", false },
	{ NULL, NULL, NULL, false }
};

struct price_new {
	const char *model;
	const char *actor;
	struct price price;
	int64_t max_output_tokens;
	int64_t effective_us;
	int64_t version;
};

static enum db_result
set_body(struct db *db, void *arg)
{
	struct price_new *p = arg;
	enum db_result result;
	int64_t model_id;

	result = q_model_put(db, p->model, p->max_output_tokens, &model_id);
	if (result != DB_OK)
		return result;
	return q_price_add(db, model_id, p->effective_us, &p->price, p->actor,
	    &p->version);
}

static enum admin_exit
check_prices(const struct args *args, struct price *price)
{
	static const char *const option[USAGE_DIMS_STORED] = {
		[USAGE_INPUT] = "input",
		[USAGE_OUTPUT] = "output",
		[USAGE_CACHE_READ] = "cache-read",
		[USAGE_CACHE_WRITE_5M] = "cache-write-5m",
		[USAGE_CACHE_WRITE_1H] = "cache-write-1h"
	};
	enum money_result parsed;
	const char *text;
	int i;

	for (i = 0; i < USAGE_SLOTS; i++)
		price->nano_per_million[i] = PRICE_UNSET;
	for (i = 0; i < USAGE_DIMS_STORED; i++) {
		text = args_get(args, option[i]);
		if (text == NULL && i <= USAGE_OUTPUT) {
			complain("--%s PRICE is missing", option[i]);
			hint("prices are per million tokens; 0 is a price");
			return ADMIN_USAGE;
		}
		if (text == NULL)
			continue;
		parsed = money_parse(text, &price->nano_per_million[i]);
		if (parsed != MONEY_OK) {
			complain("--%s %s: %s", option[i], text,
			    money_explain(parsed));
			return ADMIN_USAGE;
		}
		if (price->nano_per_million[i] < 0 ||
		    price->nano_per_million[i] > PRICE_MAX_NANO) {
			complain("--%s %s: allowed are 0 to 1000000",
			    option[i], text);
			return ADMIN_USAGE;
		}
	}
	return ADMIN_OK;
}

static enum admin_exit
check_rest(const struct args *args, struct price_new *p)
{
	const char *text;

	p->max_output_tokens = -1;
	text = args_get(args, "max-output-tokens");
	if (text != NULL && (!check_number(text, &p->max_output_tokens) ||
	    p->max_output_tokens > OUTPUT_TOKENS_MAX)) {
		complain("--max-output-tokens %s: allowed are 1 to 1000000000",
		    text);
		return ADMIN_USAGE;
	}
	text = args_get(args, "from");
	if (text == NULL || strcmp(text, "now") == 0)
		return ADMIN_OK;
	if (!check_time_ahead(text, &p->effective_us)) {
		complain("--from %s: allowed are " CHECK_TIME_ALLOWED, text);
		return ADMIN_USAGE;
	}
	if (p->effective_us < clock_wall().us - PAST_ALLOWED_US) {
		complain("--from %s is in the past", text);
		hint("what was billed stays billed; correct it with "
		    "\"youyunctl credit --source adjustment\"");
		return ADMIN_USAGE;
	}
	return ADMIN_OK;
}

static void
print_set(const struct admin *admin, const struct price_new *p)
{
	char in[MONEY_TEXT_BYTES], out[MONEY_TEXT_BYTES];
	char when[WALL_TEXT_BYTES];
	struct record *record;

	if (admin->json) {
		record = record_open();
		record_text(record, "model", NULL, p->model);
		record_number(record, "version", NULL, p->version);
		record_print(&record, admin);
		return;
	}
	money_format(p->price.nano_per_million[USAGE_INPUT], 2, in);
	money_format(p->price.nano_per_million[USAGE_OUTPUT], 2, out);
	if (p->effective_us != 0)
		time_format_short(p->effective_us, when);
	say(admin, "%s costs %s in, %s out per million tokens (%s) from %s%s; "
	    "price version %lld", p->model, in, out,
	    admin->settings->currency,
	    p->effective_us != 0 ? when : "now on",
	    p->effective_us != 0 ? " UTC on" : "", (long long)p->version);
}

static enum admin_exit
run_set(struct admin *admin, const struct args *args)
{
	struct price_new p;
	enum admin_exit status;
	enum db_result result;
	const char *why;

	memset(&p, 0, sizeof p);
	p.model = args->word[0];
	p.actor = admin->actor;
	why = check_model(p.model);
	if (why != NULL) {
		complain("\"%s\": %s", p.model, why);
		return ADMIN_USAGE;
	}
	status = check_prices(args, &p.price);
	if (status == ADMIN_OK)
		status = check_rest(args, &p);
	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	result = admin_change(admin, set_body, &p);
	if (result != DB_OK)
		return admin_database_failed(admin, result, "set the price");
	print_set(admin, &p);
	return ADMIN_OK;
}

static const struct report_column columns[] = {
	{ "model", "MODEL", REPORT_TEXT, false },
	{ "version", "VERSION", REPORT_NUMBER, false },
	{ "from", "FROM (UTC)", REPORT_TIME, false },
	{ "current", "HOLDS NOW", REPORT_FLAG, false },
	{ "input", "INPUT", REPORT_MONEY, false },
	{ "output", "OUTPUT", REPORT_MONEY, false },
	{ "cache_read", "CACHE READ", REPORT_MONEY, false },
	{ "cache_write_5m", "WRITE 5M", REPORT_MONEY, false },
	{ "cache_write_1h", "WRITE 1H", REPORT_MONEY, false },
	{ "set_by", NULL, REPORT_TEXT, false },
	{ "set_at", NULL, REPORT_TIME, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

struct price_listing {
	struct report *report;
	bool all;
	int64_t rows;
};

static bool
list_row(const struct price_row *row, void *arg)
{
	struct price_listing *listing = arg;
	struct report *report = listing->report;
	int i;

	if (!listing->all && !row->current)
		return true;
	listing->rows++;
	report_text(report, row->model);
	report_number(report, (int64_t)row->price.version);
	report_time(report, row->effective_us);
	report_flag(report, row->current);
	for (i = 0; i < USAGE_DIMS_STORED; i++)
		if (row->price.nano_per_million[i] == PRICE_UNSET)
			report_none(report);
		else
			report_money(report, row->price.nano_per_million[i]);
	report_text(report, row->created_by);
	report_time(report, row->created_us);
	return true;
}

static bool
try_model(const struct model_row *row, void *arg)
{
	suggest_try(arg, row->name);
	return true;
}

static enum admin_exit
no_model(struct admin *admin, const char *model)
{
	struct suggest s;

	complain("there is no price for a model \"%s\"", model);
	suggest_start(&s, model);
	if (q_model_each(admin->db, try_model, &s) == DB_OK &&
	    suggest_best(&s) != NULL && strcmp(suggest_best(&s), model) != 0)
		hint("did you mean \"%s\"?", suggest_best(&s));
	else
		hint("\"youyunctl price list\" shows them all");
	return ADMIN_NOT_FOUND;
}

static enum admin_exit
list(struct admin *admin, const char *model, bool all)
{
	struct price_listing listing;
	enum admin_exit status;

	status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	listing.report = report_list("prices", columns);
	listing.all = all;
	listing.rows = 0;
	status = admin_database_failed(admin, q_price_each(admin->db, model,
	    list_row, &listing), "list the prices");
	if (status == ADMIN_OK && model != NULL && listing.rows == 0)
		status = no_model(admin, model);
	if (status == ADMIN_OK)
		report_print(&listing.report, admin, "There is no price yet; "
		    "\"youyunctl price set MODEL --input … --output …\" sets "
		    "one.");
	else
		report_discard(&listing.report);
	return status;
}

static enum admin_exit
run_list(struct admin *admin, const struct args *args)
{
	return list(admin, args->words == 1 ? args->word[0] : NULL, false);
}

static enum admin_exit
run_history(struct admin *admin, const struct args *args)
{
	return list(admin, args->words == 1 ? args->word[0] : NULL, true);
}

const struct verb verbs_price[] = {
	{ "price", "set", "MODEL", 1, 1,
	  "set what a model costs per million tokens",
	  "price set claude-sonnet --input 3 --output 15 --cache-read 0.3",
	  set_options, run_set },
	{ "price", "list", "[MODEL]", 0, 1,
	  "list the prices that hold now",
	  "price list", NULL, run_list },
	{ "price", "history", "[MODEL]", 0, 1,
	  "list all prices that ever held or will hold",
	  "price history claude-sonnet", NULL, run_history },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
