/* price, cost: what a model costs from some time on, the customers or us. */
#include "admin/admin.h"

#include <inttypes.h>
#include <string.h>

#include "admin/args.h"
#include "admin/check.h"
#include "admin/page.h"
#include "admin/price_file.h"
#include "admin/price_options.h"
#include "admin/price_show.h"
#include "admin/price_text.h"
#include "admin/report.h"
#include "admin/suggest.h"
#include "base/clock.h"
#include "base/money.h"
#include "conf/settings.h"
#include "db/queries.h"

#define PAST_ALLOWED_US INT64_C(60000000)
#define OUTPUT_TOKENS_MAX INT64_C(1000000000)

static const struct opt set_options[] = {
	PRICE_OPTIONS,
	{ "max-output-tokens", "COUNT", "the most one answer can have; what a "
	  "call without max_tokens is held for", false },
	{ "from", "TIME", "from when on; default: now", false },
	{ NULL, NULL, NULL, false }
};

static const struct opt cost_options[] = {
	PRICE_OPTIONS,
	{ "from", "TIME", "from when on, also in the past; default: now",
	  false },
	{ NULL, NULL, NULL, false }
};

struct price_new {
	const char *channel;		/* NULL: a price, not a cost */
	int64_t channel_id;
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
	if (p->channel != NULL)
		return q_cost_add(db, p->channel_id, model_id,
		    p->effective_us, &p->price, p->actor, &p->version);
	return q_price_add(db, model_id, p->effective_us, &p->price, p->actor,
	    &p->version);
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
	/* What a provider charges is known when its invoice comes. */
	if (p->channel != NULL && check_time(text, &p->effective_us))
		return ADMIN_OK;
	if (!check_time_ahead(text, &p->effective_us)) {
		complain("--from %s: allowed are " CHECK_TIME_ALLOWED, text);
		return ADMIN_USAGE;
	}
	if (p->channel == NULL && p->effective_us < clock_wall().us - PAST_ALLOWED_US) {
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
	char text[PRICE_SUMMARY_BYTES], when[WALL_TEXT_BYTES];
	struct record *record;

	if (admin->json) {
		record = record_open();
		record_text(record, "model", NULL, p->model);
		if (p->channel != NULL)
			record_text(record, "channel", NULL, p->channel);
		record_number(record, "version", NULL, p->version);
		record_print(&record, admin);
		return;
	}
	price_summary(&p->price, 0, text);
	if (p->effective_us != 0)
		time_format_short(p->effective_us, when);
	say(admin, "%s costs%s%s: %s (%s) from %s%s; %s version %lld",
	    p->model, p->channel != NULL ? " us at " : "",
	    p->channel != NULL ? p->channel : "", text,
	    admin->settings->currency,
	    p->effective_us != 0 ? when : "now on",
	    p->effective_us != 0 ? " UTC on" : "",
	    p->channel != NULL ? "cost" : "price", (long long)p->version);
}

/* words: the model, or a channel before it. */
static enum admin_exit
set(struct admin *admin, const struct args *args, bool cost)
{
	struct price_new p;
	enum admin_exit status;
	enum db_result result;
	const char *why;

	memset(&p, 0, sizeof p);
	p.channel = cost ? args->word[0] : NULL;
	p.model = args->word[cost];
	p.actor = admin->actor;
	why = check_model(p.model);
	if (why != NULL) {
		complain("\"%s\": %s", p.model, why);
		return ADMIN_USAGE;
	}
	status = price_options_read(args, &p.price);
	if (status == ADMIN_OK)
		status = check_rest(args, &p);
	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status == ADMIN_OK && cost)
		status = admin_channel(admin, p.channel, &p.channel_id);
	if (status != ADMIN_OK)
		return status;
	result = admin_change(admin, set_body, &p);
	if (result != DB_OK)
		return admin_database_failed(admin, result, "set the price");
	print_set(admin, &p);
	return ADMIN_OK;
}

static enum admin_exit
run_set(struct admin *admin, const struct args *args)
{
	return set(admin, args, false);
}

static enum admin_exit
run_cost_set(struct admin *admin, const struct args *args)
{
	return set(admin, args, true);
}

#define TITLE_NANO REPORT_MONEY
#define TITLE_PPM REPORT_TEXT
#define TITLE_COUNT REPORT_NUMBER
#define COLUMN(kind, member, name) { name, NULL, TITLE_##kind, false },
/* Scripts get every field apart, people in one column what is set. */
#define COLUMNS \
	{ "model", "MODEL", REPORT_TEXT, false }, \
	{ "version", "VERSION", REPORT_NUMBER, true }, \
	{ "from", "FROM (UTC)", REPORT_TIME, true }, \
	{ "current", "NOW", REPORT_FLAG, true }, \
	PRICE_FIELDS(COLUMN) \
	{ "images", NULL, REPORT_TEXT, false }, \
	{ "free", NULL, REPORT_FLAG, false }, \
	{ "max_output_tokens", NULL, REPORT_NUMBER, false }, \
	{ "summary", "PRICES", REPORT_ID, false }, \
	{ "set_by", NULL, REPORT_TEXT, false }, \
	{ "set_at", NULL, REPORT_TIME, false }, \
	{ NULL, NULL, REPORT_TEXT, false }

static const struct report_column columns[] = { COLUMNS };
static const struct report_column cost_columns[] = {
	{ "channel", "CHANNEL", REPORT_TEXT, false },
	COLUMNS
};

struct price_listing {
	struct price_filter filter;
	bool costs;
	struct page *page;
};

static const struct opt page_options[] = {
	PAGE_OPTIONS,
	{ NULL, NULL, NULL, false }
};

static void
add_fields(struct report *report, const struct price *price)
{
	char text[PRICE_TEXT_BYTES], images[PRICE_IMAGES_BYTES];
	const struct price_field *field;
	int64_t value;
	int i;

	for (i = 0; i < PRICE_FIELDS_N; i++) {
		field = &price_fields[i];
		value = price_get(price, field);
		price_field_write(price, field, text);
		if (value == PRICE_UNSET)
			report_none(report);
		else if (field->kind == PRICE_FIELD_NANO)
			report_money(report, value);
		else if (field->kind == PRICE_FIELD_PPM)
			report_text(report, text);
		else
			report_number(report, value);
	}
	price_images_write(price, images);
	if (images[0] != '\0')
		report_text(report, images);
	else
		report_none(report);
	report_flag(report, (price->flags & PRICE_FREE) != 0);
}

static bool
list_row(const struct price_row *row, void *arg)
{
	struct price_listing *listing = arg;
	struct report *report = page_row(listing->page, "%" PRIu64,
	    row->price.version);
	char summary[PRICE_SUMMARY_BYTES];

	if (report == NULL)
		return false;
	if (listing->costs)
		report_text(report, row->channel);
	report_text(report, row->model);
	report_number(report, (int64_t)row->price.version);
	report_time(report, row->effective_us);
	report_flag(report, row->current);
	add_fields(report, &row->price);
	if (row->max_output_tokens != 0)
		report_number(report, row->max_output_tokens);
	else
		report_none(report);
	price_summary(&row->price, 0, summary);
	report_id(report, summary);
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

enum admin_exit
price_no_model(struct admin *admin, const char *model)
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
read_page(struct admin *admin, struct page *page, void *arg)
{
	struct price_listing *l = arg;
	enum admin_exit status = page_number(page, &l->filter.after);

	if (status != ADMIN_OK)
		return status;
	l->page = page;
	l->filter.limit = PAGE_ASKED(page);
	status = admin_database_failed(admin, l->costs ?
	    q_cost_list(admin->db, &l->filter, list_row, l) :
	    q_price_list(admin->db, &l->filter, list_row, l),
	    l->costs ? "list the costs" : "list the prices");
	if (status == ADMIN_OK && l->filter.model != NULL && page->rows == 0)
		return price_no_model(admin, l->filter.model);
	return status;
}

static enum admin_exit
list(struct admin *admin, const struct args *args, bool current)
{
	static const struct page_list prices = { .name = "prices",
		.columns = columns, .empty = "There is no price yet; "
		"\"youyunctl price set MODEL --input … --output …\" sets "
		"one." };
	struct price_listing l = { .filter = { .current = current } };
	struct page page;
	enum admin_exit status = page_take(args, &page);

	if (args->words == 1)
		l.filter.model = args->word[0];
	if (status == ADMIN_OK)
		status = admin_database(admin);
	return status != ADMIN_OK ? status :
	    page_print(admin, &page, &prices, read_page, &l);
}

static enum admin_exit
run_list(struct admin *admin, const struct args *args)
{
	return list(admin, args, true);
}

static enum admin_exit
run_history(struct admin *admin, const struct args *args)
{
	return list(admin, args, false);
}

static enum admin_exit
list_costs(struct admin *admin, const struct args *args, bool current)
{
	static const struct page_list costs = { .name = "costs",
		.columns = cost_columns, .empty = "There is no cost yet; "
		"\"youyunctl cost set CHANNEL MODEL --input … --output …\" "
		"sets one." };
	struct price_listing l = { .filter = { .current = current },
		.costs = true };
	struct page page;
	enum admin_exit status = page_take(args, &page);

	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status == ADMIN_OK && args->words == 1)
		status = admin_channel(admin, args->word[0],
		    &l.filter.channel_id);
	return status != ADMIN_OK ? status :
	    page_print(admin, &page, &costs, read_page, &l);
}

static enum admin_exit
run_cost_list(struct admin *admin, const struct args *args)
{
	return list_costs(admin, args, true);
}

static enum admin_exit
run_cost_history(struct admin *admin, const struct args *args)
{
	return list_costs(admin, args, false);
}

const struct verb verbs_price[] = {
	{ "price", "set", "MODEL", 1, 1,
	  "set what a model costs, per million tokens and otherwise",
	  "price set claude-sonnet --input 3 --output 15 --cache-read 0.3",
	  set_options, run_set },
	{ "price", "list", "[MODEL]", 0, 1,
	  "list the prices that hold now",
	  "price list", page_options, run_list },
	{ "price", "history", "[MODEL]", 0, 1,
	  "list all prices that ever held or will hold",
	  "price history claude-sonnet", page_options, run_history },
	{ "price", "show", "MODEL", 1, 1,
	  "show what holds for a model, and reckon a call's fee step by step",
	  "price show gpt-4o --input 1200 --output 30 --tier flex",
	  price_show_options, price_show_run },
	{ "price", "import", "FILE", 1, 1,
	  "set many prices at once, all or none, from CSV or JSON",
	  "price import prices.csv", price_import_options,
	  price_import_run },
	{ "price", "export", "[FILE]", 0, 1,
	  "write the prices that hold and will hold, as CSV or JSON",
	  "price export prices.csv", price_export_options,
	  price_export_run },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};

const struct verb verbs_cost[] = {
	{ "cost", "set", "CHANNEL MODEL", 2, 2,
	  "set what a channel's provider charges us for a model",
	  "cost set openai \"gpt-4o*\" --input 2.5 --output 10",
	  cost_options, run_cost_set },
	{ "cost", "list", "[CHANNEL]", 0, 1,
	  "list the costs that hold now",
	  "cost list", page_options, run_cost_list },
	{ "cost", "history", "[CHANNEL]", 0, 1,
	  "list all costs that ever held or will hold",
	  "cost history openai", page_options, run_cost_history },
	{ "cost", "import", "FILE", 1, 1,
	  "set many costs at once, all or none, from CSV or JSON",
	  "cost import costs.csv", price_import_options,
	  cost_import_run },
	{ "cost", "export", "[FILE]", 0, 1,
	  "write the costs that hold and will hold, as CSV or JSON",
	  "cost export costs.csv", price_export_options,
	  cost_export_run },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
