/*
 * key limit, customer limit, group limit: requests and tokens a minute, calls
 * at once, spending.  Without an option they tell what holds.
 */
#include "admin/admin.h"

#include <stdio.h>
#include <string.h>

#include "admin/args.h"
#include "admin/check.h"
#include "admin/key.h"
#include "admin/options.h"
#include "admin/report.h"
#include "db/queries.h"
#include "db/queries_bounds.h"
#include "shm/limit.h"

#define TOKENS_TOTAL_MAX INT64_C(1000000000000000)

#define LIMIT_OPTIONS \
	{ "requests", "N", "calls a minute; 0: no limit", false }, \
	{ "tokens", "N", "tokens a minute, of input and output; 0: no limit", \
	  false }, \
	{ "concurrent", "N", "calls at once; 0: no limit", false }, \
	{ "day", "AMOUNT", "what a day's calls (UTC) may cost; 0: no limit", \
	  false }, \
	{ "month", "AMOUNT", "what a month's calls (UTC) may cost; 0: no " \
	  "limit", false }

static const struct opt limit_options[] = {
	LIMIT_OPTIONS,
	{ NULL, NULL, NULL, false }
};
static const struct opt key_options[] = {
	LIMIT_OPTIONS,
	{ "total", "AMOUNT", "what the key's calls may cost in all; 0: no "
	  "limit", false },
	{ "total-tokens", "N", "tokens that the key may use in all; 0: no "
	  "limit", false },
	{ NULL, NULL, NULL, false }
};
static const struct opt group_options[] = {
	LIMIT_OPTIONS,
	{ "each", NULL, "for each customer of the group that has no limits of "
	  "its own, not for all of them together", false },
	{ NULL, NULL, NULL, false }
};

struct limit_change {
	enum limit_scope scope;
	int64_t id;
	const char *what;		/* for people */
	struct limit_row row;
};

static enum db_result
limit_body(struct db *db, void *arg)
{
	struct limit_change *c = arg;

	return q_limit_set(db, c->scope, c->id, &c->row);
}

static enum admin_exit
take_limit(const struct args *args, const char *name, int64_t most,
    int64_t *limit_r)
{
	const char *text = args_get(args, name);

	*limit_r = -1;
	if (text == NULL)
		return ADMIN_OK;
	if (strcmp(text, "0") == 0) {
		*limit_r = 0;
		return ADMIN_OK;
	}
	if (check_number(text, limit_r) && *limit_r <= most)
		return ADMIN_OK;
	complain("--%s %s: allowed are 0 (no limit) to %lld", name, text,
	    (long long)most);
	return ADMIN_USAGE;
}

static enum admin_exit
take_limits(const struct args *args, struct limit_row *row)
{
	enum admin_exit status;

	status = take_limit(args, "requests", LIMIT_REQUESTS_MAX,
	    &row->requests);
	if (status == ADMIN_OK)
		status = take_limit(args, "tokens", LIMIT_TOKENS_MAX,
		    &row->tokens);
	if (status == ADMIN_OK)
		status = take_limit(args, "concurrent", LIMIT_CONCURRENT_MAX,
		    &row->concurrent);
	if (status == ADMIN_OK)
		status = option_cap(args, "day", &row->day_nano);
	if (status == ADMIN_OK)
		status = option_cap(args, "month", &row->month_nano);
	if (status == ADMIN_OK)
		status = option_cap(args, "total", &row->total_nano);
	if (status == ADMIN_OK)
		status = take_limit(args, "total-tokens", TOKENS_TOTAL_MAX,
		    &row->total_tokens);
	return status;
}

static void
show_limit(struct record *record, const char *key, const char *label,
    int64_t limit)
{
	if (limit > 0)
		record_number(record, key, label, limit);
	else
		record_none(record, key, label);
}

static void
show_cap(struct record *record, const char *key, const char *label,
    int64_t nano)
{
	if (nano > 0)
		record_money(record, key, label, nano);
	else
		record_none(record, key, label);
}

static void
show_caps(struct record *record, enum limit_scope scope,
    const struct limit_row *row, const struct spent_row *spent)
{
	show_cap(record, "day", "May cost a day", row->day_nano);
	if (scope != LIMIT_OF_MEMBERS)
		record_money(record, "spent_today", "Spent today",
		    spent->day_nano);
	show_cap(record, "month", "May cost a month", row->month_nano);
	if (scope != LIMIT_OF_MEMBERS)
		record_money(record, "spent_this_month", "Spent this month",
		    spent->month_nano);
	if (scope != LIMIT_OF_KEY)
		return;
	show_cap(record, "total", "May cost in all", row->total_nano);
	record_money(record, "spent", "Spent in all", spent->total_nano);
	show_limit(record, "total_tokens", "Tokens in all",
	    row->total_tokens);
	record_number(record, "used_tokens", "Tokens used",
	    spent->total_tokens);
}

static enum admin_exit
show(struct admin *admin, const struct limit_change *c)
{
	struct record *record;
	struct spent_row spent;
	struct limit_row row;
	enum admin_exit status;

	status = admin_database_failed(admin, q_limit(admin->db, c->scope,
	    c->id, &row), "read the limits");
	if (status == ADMIN_OK)
		status = admin_database_failed(admin, q_limit_spent(admin->db,
		    c->scope, c->id, &spent), "read what was spent");
	if (status != ADMIN_OK)
		return status;
	record = record_open();
	record_number(record, "id", NULL, c->id);
	record_line(record, "Limits of %s", c->what);
	show_limit(record, "requests", "Calls a minute", row.requests);
	show_limit(record, "tokens", "Tokens a minute", row.tokens);
	show_limit(record, "concurrent", "Calls at once", row.concurrent);
	show_caps(record, c->scope, &row, &spent);
	record_print(&record, admin);
	return ADMIN_OK;
}

static enum admin_exit
show_or_set(struct admin *admin, struct limit_change *c)
{
	enum admin_exit status = ADMIN_OK;

	if (c->row.requests >= 0 || c->row.tokens >= 0 ||
	    c->row.concurrent >= 0 || c->row.day_nano >= 0 ||
	    c->row.month_nano >= 0 || c->row.total_nano >= 0 ||
	    c->row.total_tokens >= 0)
		status = admin_database_failed(admin, admin_change(admin,
		    limit_body, c), "set the limits");
	return status == ADMIN_OK ? show(admin, c) : status;
}

static enum admin_exit
run_key(struct admin *admin, const struct args *args)
{
	struct limit_change c = { .scope = LIMIT_OF_KEY, .what = "the key" };
	enum admin_exit status;

	status = take_limits(args, &c.row);
	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_key(admin, args->word[0], &c.id);
	return status == ADMIN_OK ? show_or_set(admin, &c) : status;
}

static enum admin_exit
run_customer(struct admin *admin, const struct args *args)
{
	struct limit_change c = { .scope = LIMIT_OF_CUSTOMER,
		.what = args->word[0] };
	enum admin_exit status;

	status = take_limits(args, &c.row);
	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_customer(admin, args->word[0], &c.id);
	return status == ADMIN_OK ? show_or_set(admin, &c) : status;
}

struct group_search {
	const char *name;
	int64_t number;			/* 0: by name */
	int64_t id;
};

static bool
search_group(const struct group_row *row, void *arg)
{
	struct group_search *s = arg;

	if (strcmp(row->name, s->name) == 0 ||
	    (s->number != 0 && row->id == s->number && s->id == 0))
		s->id = row->id;
	return true;
}

static enum admin_exit
run_group(struct admin *admin, const struct args *args)
{
	struct limit_change c = { .scope = args_has(args, "each") ?
		LIMIT_OF_MEMBERS : LIMIT_OF_GROUP };
	struct group_search s = { .name = args->word[0] };
	char what[160];
	enum admin_exit status;

	status = take_limits(args, &c.row);
	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	if (!check_number(s.name, &s.number))
		s.number = 0;
	status = admin_database_failed(admin, q_group_each(admin->db,
	    search_group, &s), "look the group up");
	if (status != ADMIN_OK)
		return status;
	if (s.id == 0) {
		complain("there is no group \"%s\"", s.name);
		hint("\"youyunctl group list\" shows them all");
		return ADMIN_NOT_FOUND;
	}
	c.id = s.id;
	snprintf(what, sizeof what, c.scope == LIMIT_OF_MEMBERS ?
	    "each customer of %s" : "%s as a whole", s.name);
	c.what = what;
	return show_or_set(admin, &c);
}

const struct verb verbs_limit[] = {
	{ "customer", "limit", "CUSTOMER", 1, 1,
	  "set or show how much a customer may use",
	  "customer limit acme --requests 600 --month 500", limit_options,
	  run_customer },
	{ "key", "limit", "KEY", 1, 1,
	  "set or show how much a key may use",
	  "key limit 7 --tokens 100000 --total 25.00", key_options, run_key },
	{ "group", "limit", "GROUP", 1, 1,
	  "set or show how much a group, or each of its customers, may use",
	  "group limit free --each --requests 60 --concurrent 3",
	  group_options, run_group },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
