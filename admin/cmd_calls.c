/* calls: the records of what was called, newest last. */
#include "admin/admin.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "admin/access.h"
#include "admin/args.h"
#include "admin/calls.h"
#include "admin/check.h"
#include "admin/options.h"
#include "admin/page.h"
#include "admin/report.h"
#include "admin/words.h"
#include "base/bytes.h"
#include "base/money.h"
#include "db/queries.h"
#include "wire/error.h"

bool
request_id_parse(const char *text, uint8_t id_r[RECORD_ID_BYTES])
{
	char hex[2 * RECORD_ID_BYTES + 1];
	size_t len;

	/* As customers see it, or as the tables have it. */
	if (strncmp(text, "req_", 4) == 0)
		text += 4;
	for (len = 0; *text != '\0'; text++) {
		if (*text == '-')
			continue;
		if (len == sizeof hex - 1)
			return false;
		hex[len++] = *text;
	}
	hex[len] = '\0';
	return hex_decode(hex, id_r, RECORD_ID_BYTES);
}

void
request_id_filter(struct call_filter *filter,
    const uint8_t id[RECORD_ID_BYTES])
{
	filter->request_id = id;
	if (id[6] >> 4 != 7)
		return;
	/* A call's start and its id are of one reading of the clock; what is
	 * cut off here is below a millisecond. */
	filter->since_us = record_id_us(id) - 1000;
	filter->until_us = record_id_us(id) + 1000;
}

static const struct report_column columns[] = {
	{ "started_at", "TIME (UTC)", REPORT_TIME, true },
	{ "request_id", "REQUEST", REPORT_ID, false },
	{ "customer_id", NULL, REPORT_NUMBER, false },
	{ "customer", "CUSTOMER", REPORT_TEXT, true },
	{ "key_id", NULL, REPORT_NUMBER, false },
	{ "key_hint", NULL, REPORT_TEXT, false },
	{ "model", "MODEL", REPORT_TEXT, false },
	{ "channel", NULL, REPORT_TEXT, false },
	{ "credential_id", NULL, REPORT_NUMBER, false },
	{ "attempts", NULL, REPORT_NUMBER, false },
	{ "route", NULL, REPORT_TEXT, false },
	{ "protocol", NULL, REPORT_TEXT, false },
	{ "status", "STATUS", REPORT_NUMBER, false },
	{ "upstream_status", NULL, REPORT_NUMBER, false },
	{ "error", "ERROR", REPORT_TEXT, true },
	{ "flags", NULL, REPORT_TEXT, false },
	{ "screen_list", NULL, REPORT_NUMBER, false },
	{ "moderation", NULL, REPORT_TEXT, false },
	{ "input", "IN", REPORT_NUMBER, true },
	{ "output", "OUT", REPORT_NUMBER, true },
	{ "cache_read", "CACHED", REPORT_NUMBER, true },
	{ "cache_write_5m", NULL, REPORT_NUMBER, false },
	{ "cache_write_1h", NULL, REPORT_NUMBER, false },
	{ "input_audio", NULL, REPORT_NUMBER, false },
	{ "output_audio", NULL, REPORT_NUMBER, false },
	{ "input_image", NULL, REPORT_NUMBER, false },
	{ "output_image", NULL, REPORT_NUMBER, false },
	{ "images", NULL, REPORT_NUMBER, false },
	{ "calls", NULL, REPORT_NUMBER, false },
	{ "milliseconds", NULL, REPORT_NUMBER, false },
	{ "characters", NULL, REPORT_NUMBER, false },
	{ "tool_calls", NULL, REPORT_NUMBER, false },
	{ "cache_read_audio", NULL, REPORT_NUMBER, false },
	{ "other_model", NULL, REPORT_TEXT, false },
	{ "other_tokens", NULL, REPORT_NUMBER, false },
	{ "tier", NULL, REPORT_TEXT, false },
	{ "speed", NULL, REPORT_TEXT, false },
	{ "region", NULL, REPORT_TEXT, false },
	{ "reasoning", NULL, REPORT_NUMBER, false },
	{ "fee", "FEE", REPORT_MONEY, false },
	{ "uncollected", NULL, REPORT_MONEY, false },
	{ "held", NULL, REPORT_MONEY, false },
	{ "multiplier", NULL, REPORT_TEXT, false },
	{ "price_version", NULL, REPORT_NUMBER, false },
	{ "transaction", NULL, REPORT_NUMBER, false },
	{ "request_bytes", NULL, REPORT_NUMBER, false },
	{ "answer_bytes", NULL, REPORT_NUMBER, false },
	{ "queue_ms", NULL, REPORT_NUMBER, false },
	{ "first_byte_ms", NULL, REPORT_NUMBER, false },
	{ "total_ms", "MS", REPORT_NUMBER, true },
	{ "address", NULL, REPORT_TEXT, false },
	{ "agent", NULL, REPORT_TEXT, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

static void
number_or_none(struct report *report, uint64_t number)
{
	if (number != 0)
		report_number(report, (int64_t)number);
	else
		report_none(report);
}

static void
text_or_none(struct report *report, const char *text)
{
	if (text[0] != '\0')
		report_text(report, text);
	else
		report_none(report);
}

static void
add_who(struct report *report, const struct call_row *row)
{
	const struct call_record *r = &row->record;
	char id[RECORD_ID_TEXT_BYTES];

	record_id_format(r->request_id, id);
	report_time(report, r->started_us);
	report_id(report, id);
	number_or_none(report, r->account_id);
	text_or_none(report, row->customer);
	number_or_none(report, r->key_id);
	text_or_none(report, row->key_hint);
	text_or_none(report, row->model);
	text_or_none(report, row->channel);
	number_or_none(report, r->credential_id);
	report_number(report, r->attempts);
}

static void
add_outcome(struct report *report, const struct call_record *r)
{
	char flags[FLAGS_TEXT_BYTES];

	record_flags_format(r->flags, flags);
	report_text(report, route_name(r->route));
	report_text(report,
	    wire_protocol_name((enum wire_protocol)r->protocol));
	report_number(report, r->status);
	number_or_none(report, r->upstream_status);
	if (r->error != 0)
		report_text(report,
		    wire_error_name((enum wire_error)r->error));
	else
		report_none(report);
	text_or_none(report, flags);
	number_or_none(report, r->screen_list_id);
	text_or_none(report, moderation_name(r->moderation));
}

static void
add_usage(struct report *report, const struct call_row *row)
{
	const struct call_record *r = &row->record;
	int64_t other;
	int i;

	for (i = 0; i < USAGE_DIMS; i++)
		report_number(report, (int64_t)r->count[i]);
	text_or_none(report, row->other_model);
	for (other = 0, i = 0; i < USAGE_OTHER_DIMS; i++)
		other += r->other_count[i];
	report_number(report, other);
	report_text(report, usage_tier_name(r->tier));
	report_text(report, usage_speed_name(r->speed));
	report_text(report, usage_region_name(r->region));
}

static void
add_money(struct report *report, const struct call_row *row)
{
	const struct call_record *r = &row->record;
	char multiplier[MONEY_TEXT_BYTES];

	report_number(report, (int64_t)r->reasoning);
	report_money(report, r->fee_nano);
	report_money(report, r->uncollected_nano);
	report_money(report, r->held_nano);
	ppm_format(r->multiplier_ppm, multiplier);
	report_text(report, multiplier);
	number_or_none(report, r->price_version);
	number_or_none(report, (uint64_t)row->transaction_id);
}

static bool
call_row(const struct call_row *row, void *arg)
{
	const struct call_record *r = &row->record;
	char id[2 * RECORD_ID_BYTES + 1];
	struct report *report;
	char address[ADDRESS_TEXT_BYTES], agent[RECORD_AGENT_BYTES + 1];

	hex_encode(r->request_id, RECORD_ID_BYTES, id);
	report = page_row(arg, "%" PRId64 "_%s", r->started_us, id);
	if (report == NULL)
		return false;
	add_who(report, row);
	add_outcome(report, r);
	add_usage(report, row);
	add_money(report, row);
	report_number(report, (int64_t)r->request_bytes);
	report_number(report, (int64_t)r->answer_bytes);
	report_number(report, r->queue_ms);
	report_number(report, r->first_byte_ms);
	report_number(report, r->total_ms);
	address_format(r->address, address);
	report_text(report, address);
	memcpy(agent, r->agent, RECORD_AGENT_BYTES);
	agent[RECORD_AGENT_BYTES] = '\0';
	text_or_none(report, agent);
	return true;
}

static const struct opt options[] = {
	{ "customer", "CUSTOMER", "of this customer", false },
	{ "since", "TIME", "from then on: 2026-11-23, or 2h for the last two "
	  "hours", false },
	{ "request", "ID", "the one with this x-request-id", false },
	PAGE_OPTIONS,
	{ NULL, NULL, NULL, false }
};

static enum admin_exit
make_filter(struct admin *admin, const struct args *args,
    struct call_filter *filter, uint8_t *id)
{
	enum admin_exit status;
	const char *text;

	memset(filter, 0, sizeof *filter);
	status = option_time(args, "since", &filter->since_us);
	if (status != ADMIN_OK)
		return status;
	text = args_get(args, "request");
	if (text != NULL) {
		if (!request_id_parse(text, id)) {
			complain("--request %s: it is no request id", text);
			hint("x-request-id of an answer is one");
			return ADMIN_USAGE;
		}
		request_id_filter(filter, id);
	}
	return option_customer(admin, args, &filter->customer_id);
}

static bool
keep_customer(const struct call_row *row, void *arg)
{
	snprintf(arg, ACCESS_WHO_BYTES, "%s", row->customer);
	return true;
}

/* One call is one customer's; whose, it says itself. */
static enum admin_exit
note_access(struct admin *admin, const struct call_filter *filter)
{
	struct call_filter one = *filter;
	char customer[ACCESS_WHO_BYTES] = "";
	enum admin_exit status;

	one.limit = 1;
	status = admin_database_failed(admin, q_call_each(admin->db, &one,
	    keep_customer, customer), "read the call");
	return status == ADMIN_OK && customer[0] != '\0' ?
	    access_customer(admin, customer) : status;
}

/* "1732600000000000_" and the id's 32 digits. */
static bool
take_cursor(const char *text, struct call_filter *filter)
{
	char id[2 * RECORD_ID_BYTES + 1];
	int used = 0;

	return sscanf(text, "%" SCNd64 "_%32[0-9a-f]%n", &filter->after_us,
	    id, &used) == 2 && text[used] == '\0' && filter->after_us > 0 &&
	    hex_decode(id, filter->after_id, RECORD_ID_BYTES);
}

static enum admin_exit
read_page(struct admin *admin, struct page *page, void *arg)
{
	struct call_filter *filter = arg;

	filter->limit = PAGE_ASKED(page);
	if (page->after != NULL && !take_cursor(page->after, filter))
		return page_not_a_cursor(page);
	return admin_database_failed(admin, q_call_each(admin->db, filter,
	    call_row, page), "list the calls");
}

static enum admin_exit
run_calls(struct admin *admin, const struct args *args)
{
	static const struct page_list list = { .name = "calls",
		.columns = columns, .empty = "No call fits.  A call is here "
		"some milliseconds after its end.", .newest_last = true };
	uint8_t id[RECORD_ID_BYTES];
	struct call_filter filter;
	struct page page;
	enum admin_exit status = page_take(args, &page);

	if (status == ADMIN_OK)
		status = make_filter(admin, args, &filter, id);
	if (status == ADMIN_OK && filter.request_id != NULL)
		status = note_access(admin, &filter);
	if (status != ADMIN_OK)
		return status;
	filter.forward = page.all;
	return page_print(admin, &page, &list, read_page, &filter);
}

/* All that is known of one, a line a member. */
static void
print_call(struct admin *admin, struct report **report)
{
	struct json_object *rows = report_take_json(report);
	struct record *record = record_open();
	char label[64];
	size_t i;

	json_object_object_foreach(json_object_array_get_idx(rows, 0), key,
	    value) {
		for (i = 0; key[i] != '\0' && i < sizeof label - 1; i++)
			label[i] = key[i] == '_' ? ' ' : key[i];
		label[i] = '\0';
		if (value == NULL)
			record_none(record, key, label);
		else if (json_object_is_type(value, json_type_int))
			record_number(record, key, label,
			    json_object_get_int64(value));
		else
			record_text(record, key, label,
			    json_object_get_string(value));
	}
	json_object_put(rows);
	record_print(&record, admin);
}

static enum admin_exit
run_show(struct admin *admin, const struct args *args)
{
	struct page page = { .limit = 1 };
	struct call_filter filter = { .limit = 1 };
	uint8_t id[RECORD_ID_BYTES];
	enum admin_exit status;

	if (!request_id_parse(args->word[0], id)) {
		complain("\"%s\" is no request id", args->word[0]);
		hint("x-request-id of an answer is one");
		return ADMIN_USAGE;
	}
	request_id_filter(&filter, id);
	status = admin_database(admin);
	if (status == ADMIN_OK)
		status = note_access(admin, &filter);
	if (status != ADMIN_OK)
		return status;
	page.report = report_list("calls", columns);
	status = admin_database_failed(admin, q_call_each(admin->db, &filter,
	    call_row, &page), "read the call");
	if (status == ADMIN_OK && page.rows == 0) {
		complain("there is no call %s", args->word[0]);
		hint("a call is there some milliseconds after its end");
		status = ADMIN_NOT_FOUND;
	}
	if (status == ADMIN_OK)
		print_call(admin, &page.report);
	else
		report_discard(&page.report);
	return status;
}

const struct verb verbs_calls[] = {
	{ "call", "list", "", 0, 0,
	  "list calls, the newest last",
	  "call list --customer acme --since 2h", options, run_calls },
	{ "call", "show", "CALL", 1, 1,
	  "show all that is kept of a call, by its x-request-id",
	  "call show req_0192f0c1a2b37cdea0b1c2d3e4f50617", NULL, run_show },
	{ "calls", NULL, "", 0, 0,
	  "the same as call list",
	  "calls --customer acme --since 2h", options, run_calls },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
