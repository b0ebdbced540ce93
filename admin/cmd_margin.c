/*
 * margin: what calls brought in, and what they cost upstream.  The cost is
 * computed from the record by the same arithmetic as the fee, with the row of
 * costs that held for the channel and the model when the call began.
 */
#include "admin/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/args.h"
#include "admin/check.h"
#include "admin/options.h"
#include "admin/prices.h"
#include "admin/progress.h"
#include "admin/report.h"
#include "admin/words.h"
#include "base/money.h"
#include "db/queries.h"
#include "db/transaction.h"

#define LIMIT_USUAL 50
#define LIMIT_MAX INT64_C(1000000)
#define NAME_BYTES 160
#define PERCENT_BYTES 32

enum margin_by { BY_CALL, BY_MODEL, BY_CUSTOMER, BY_CHANNEL, BY_WAYS };
static const char *const by_names[BY_WAYS] = { "call", "model", "customer",
	"channel" };

/* A line of the answer. */
struct line {
	uint64_t id;
	char name[NAME_BYTES];
	int64_t calls;
	int64_t unknown;		/* calls whose cost isn't known */
	int64_t fee_nano;		/* of all calls */
	int64_t known_fee_nano;		/* of those whose cost is known */
	int64_t uncollected_nano;
	int64_t cost_nano;
};

struct margin {
	enum margin_by by;
	struct call_filter filter;
	struct prices *costs;
	struct line total;
	struct line *line;		/* by id, but in order BY_CALL */
	size_t lines;
	size_t room;
	bool overflow;			/* more than any amount, or memory */
};

/* What the call cost us; false: nobody said. */
static bool
cost_of(const struct margin *m, const struct call_row *row, int64_t *nano_r)
{
	const struct call_record *r = &row->record;
	const struct price *cost, *other;
	struct fee_terms terms;
	struct usage usage;

	*nano_r = 0;
	cost = costs_at(m->costs, r->channel_id, row->model, r->started_us);
	if (cost == NULL)
		return false;
	other = row->other_model[0] == '\0' ? NULL : costs_at(m->costs,
	    r->channel_id, row->other_model, r->started_us);
	record_get_usage(r, &usage);
	usage_clamp(&usage);
	terms = (struct fee_terms) { cost, other, MULTIPLIER_ONE_PPM };
	return fee_compute(&usage, &terms, nano_r, NULL) == FEE_OK;
}

static struct line *
insert(struct margin *m, size_t at)
{
	struct line *more;

	if (m->lines == m->room) {
		m->room = m->room == 0 ? 64 : m->room * 2;
		more = realloc(m->line, m->room * sizeof *more);
		if (more == NULL) {
			m->overflow = true;
			return NULL;
		}
		m->line = more;
	}
	memmove(&m->line[at + 1], &m->line[at],
	    (m->lines++ - at) * sizeof *m->line);
	memset(&m->line[at], 0, sizeof m->line[at]);
	return &m->line[at];
}

/* The line of an id, made if need be; NULL: no memory. */
static struct line *
line_of(struct margin *m, uint64_t id, const char *name)
{
	size_t low, high, mid;
	struct line *line;

	low = 0;
	high = m->lines;
	while (low < high) {
		mid = low + (high - low) / 2;
		if (m->line[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < m->lines && m->line[low].id == id)
		return &m->line[low];
	line = insert(m, low);
	if (line != NULL) {
		line->id = id;
		snprintf(line->name, sizeof line->name, "%s",
		    name[0] != '\0' ? name : "-");
	}
	return line;
}

static void
add(struct margin *m, struct line *line, const struct call_record *r,
    int64_t cost_nano, bool known)
{
	line->calls++;
	line->unknown += !known;
	if (!money_add(line->fee_nano, r->fee_nano, &line->fee_nano) ||
	    !money_add(line->uncollected_nano, r->uncollected_nano,
	    &line->uncollected_nano) ||
	    !money_add(line->cost_nano, cost_nano, &line->cost_nano) ||
	    !money_add(line->known_fee_nano, known ? r->fee_nano : 0,
	    &line->known_fee_nano))
		m->overflow = true;
}

static bool
take_call(const struct call_row *row, void *arg)
{
	struct margin *m = arg;
	const struct call_record *r = &row->record;
	char id[RECORD_ID_TEXT_BYTES];
	struct line *line;
	int64_t cost_nano;
	bool known;

	/* What was refused, or failed before anything was used. */
	if (!prices_used(r) && r->fee_nano == 0)
		return true;
	known = cost_of(m, row, &cost_nano);
	line = NULL;
	switch (m->by) {
	case BY_CALL:
		record_id_format(r->request_id, id);
		line = insert(m, m->lines);
		if (line != NULL)
			snprintf(line->name, sizeof line->name, "%s", id);
		break;
	case BY_MODEL:
		line = line_of(m, r->model_id, row->model);
		break;
	case BY_CUSTOMER:
		line = line_of(m, r->account_id, row->customer);
		break;
	case BY_CHANNEL:
		line = line_of(m, r->channel_id, row->channel);
		break;
	case BY_WAYS:
		break;
	}
	if (line == NULL)
		return false;
	add(m, line, r, cost_nano, known);
	add(m, &m->total, r, cost_nano, known);
	progress_set(m->total.calls);
	return !m->overflow;
}

/* One snapshot: costs and calls that belong together. */
static enum db_result
snapshot(struct db *db, void *arg)
{
	struct margin *m = arg;
	enum db_result result;

	/* It may be run again after a conflict. */
	m->lines = 0;
	m->overflow = false;
	memset(&m->total, 0, sizeof m->total);
	prices_free(&m->costs);
	m->costs = costs_load(db, &result);
	if (m->costs == NULL)
		return result != DB_OK ? result : DB_ERROR;
	progress_begin("calls", m->filter.limit);
	result = q_call_each(db, &m->filter, take_call, m);
	progress_end();
	return result;
}

static const struct report_column columns[] = {
	{ "name", "", REPORT_ID, false },
	{ "calls", "CALLS", REPORT_NUMBER, false },
	{ "fee", "CHARGED", REPORT_MONEY, false },
	{ "cost", "COST", REPORT_MONEY, false },
	{ "margin", "MARGIN", REPORT_MONEY, false },
	{ "percent", "%", REPORT_TEXT, false },
	{ "uncollected", NULL, REPORT_MONEY, false },
	{ "cost_unknown", "COST UNKNOWN", REPORT_NUMBER, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

/* Of what is known: tenths of a per cent, towards zero. */
static void
percent_format(const struct line *line, char text_r[PERCENT_BYTES])
{
	__int128 tenths;
	int64_t n;

	if (line->known_fee_nano == 0) {
		snprintf(text_r, PERCENT_BYTES, "-");
		return;
	}
	tenths = ((__int128)line->known_fee_nano - line->cost_nano) * 1000 /
	    line->known_fee_nano;
	n = tenths < -INT64_C(1000000000) ? -INT64_C(1000000000) :
	    (int64_t)tenths;
	snprintf(text_r, PERCENT_BYTES, "%s%lld.%lld", n < 0 ? "-" : "",
	    (long long)(n < 0 ? -n : n) / 10, (long long)(n < 0 ? -n : n) %
	    10);
}

static void
add_line(struct report *report, const char *name, const struct line *line)
{
	char percent[PERCENT_BYTES];

	percent_format(line, percent);
	report_id(report, name);
	report_number(report, line->calls);
	report_money(report, line->fee_nano);
	report_money(report, line->cost_nano);
	report_money(report, line->known_fee_nano - line->cost_nano);
	report_text(report, percent);
	report_money(report, line->uncollected_nano);
	report_number(report, line->unknown);
}

static const struct opt options[] = {
	{ "by", "WHAT", "call, model, customer or channel; default: model",
	  false },
	{ "since", "TIME", "calls from then on: 2026-11-01, or 7d; default: "
	  "30d", false },
	{ "until", "TIME", "calls up to then; default: now", false },
	{ "customer", "CUSTOMER", "of this customer", false },
	{ "limit", "COUNT", "the latest so many calls; default: 50 by call, "
	  "else all", false },
	{ NULL, NULL, NULL, false }
};

static enum admin_exit
read_options(const struct args *args, struct margin *m)
{
	enum admin_exit status;
	const char *text;
	int i;

	m->by = BY_MODEL;
	text = args_get(args, "by");
	for (i = 0; text != NULL && i < BY_WAYS; i++)
		if (strcmp(by_names[i], text) == 0) {
			m->by = (enum margin_by)i;
			text = NULL;
		}
	if (text != NULL) {
		complain("--by %s: allowed are call, model, customer and "
		    "channel", text);
		return ADMIN_USAGE;
	}
	m->filter.oldest_first = m->by == BY_CALL;
	m->filter.limit = m->by == BY_CALL ? LIMIT_USUAL : 0;
	if (!check_time("30d", &m->filter.since_us))
		m->filter.since_us = 0;
	status = option_number(args, "limit", LIMIT_MAX, &m->filter.limit);
	if (status == ADMIN_OK)
		status = option_time(args, "since", &m->filter.since_us);
	return status == ADMIN_OK ?
	    option_time(args, "until", &m->filter.until_us) : status;
}

static void
print(struct admin *admin, struct margin *m)
{
	struct report *report;
	size_t i;

	report = report_list("margins", columns);
	for (i = 0; i < m->lines; i++)
		add_line(report, m->line[i].name, &m->line[i]);
	if (m->lines > 0)
		add_line(report, "total", &m->total);
	report_print(&report, admin, "No call was made in that time.");
	if (m->total.unknown > 0 && !admin->json)
		say(admin, "For %lld call%s no cost is set, so they are in no "
		    "margin; \"youyunctl cost set\" sets one.",
		    (long long)m->total.unknown,
		    m->total.unknown == 1 ? "" : "s");
}

static enum admin_exit
run_margin(struct admin *admin, const struct args *args)
{
	enum admin_exit status;
	enum db_result result;
	struct margin m;
	const char *who;

	memset(&m, 0, sizeof m);
	status = read_options(args, &m);
	if (status == ADMIN_OK)
		status = admin_database(admin);
	who = args_get(args, "customer");
	if (status == ADMIN_OK && who != NULL)
		status = admin_customer(admin, who, &m.filter.customer_id);
	if (status != ADMIN_OK)
		return status;
	result = db_transaction(admin->db, DB_SNAPSHOT, snapshot, &m);
	if (m.overflow) {
		complain("out of memory, or a sum is larger than any amount");
		status = ADMIN_FAILED;
	} else {
		status = admin_database_failed(admin, result,
		    "read the calls");
	}
	if (status == ADMIN_OK)
		print(admin, &m);
	prices_free(&m.costs);
	free(m.line);
	return status;
}

const struct verb verbs_margin[] = {
	{ "margin", NULL, "", 0, 0,
	  "show what calls brought in, cost upstream, and left",
	  "margin --by channel --since 7d", options, run_margin },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
