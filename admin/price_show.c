/* price show: what holds for a model, and what a call would cost. */
#include "admin/price_show.h"

#include <stdio.h>
#include <string.h>

#include "admin/check.h"
#include "admin/explain.h"
#include "admin/price_text.h"
#include "admin/prices.h"
#include "admin/report.h"
#include "base/money.h"
#include "conf/settings.h"
#include "db/queries.h"

const struct opt price_show_options[] = {
	{ "input", "COUNT", "tokens in at the full price", false },
	{ "output", "COUNT", "tokens out", false },
	{ "cache-read", "COUNT", "tokens in from a cache", false },
	{ "cache-write-5m", "COUNT", "tokens written to a short-lived cache",
	  false },
	{ "cache-write-1h", "COUNT", "tokens written to a long-lived cache",
	  false },
	{ "input-audio", "COUNT", "audio tokens in", false },
	{ "output-audio", "COUNT", "audio tokens out", false },
	{ "input-image", "COUNT", "image tokens in", false },
	{ "output-image", "COUNT", "image tokens out", false },
	{ "images", "COUNT", "images made", false },
	{ "calls", "COUNT", "calls; default: 1", false },
	{ "milliseconds", "COUNT", "of audio", false },
	{ "characters", "COUNT", "of text to be spoken", false },
	{ "tool-calls", "COUNT", "calls of the provider's tools", false },
	{ "cache-read-audio", "COUNT", "audio tokens in from a cache", false },
	{ "tier", "TIER", "standard, flex, scale, priority, fast, ultrafast, "
	  "batch or other", false },
	{ "speed", "SPEED", "normal or fast", false },
	{ "region", "REGION", "global, us, eu or other", false },
	{ "image-size", "SIZE", "of the images, like 1024x1536", false },
	{ "image-quality", "QUALITY", "low, medium or high", false },
	{ "other-model", "MODEL", "that did a part of the call", false },
	{ "other-input", "COUNT", "tokens of that part", false },
	{ "other-output", "COUNT", "likewise", false },
	{ "other-cache-read", "COUNT", "likewise", false },
	{ "other-cache-write-5m", "COUNT", "likewise", false },
	{ "other-cache-write-1h", "COUNT", "likewise", false },
	{ "group", "GROUP", "by this group's multiplier; default: once",
	  false },
	{ "channel", "CHANNEL", "what this channel's provider charges instead",
	  false },
	{ "at", "TIME", "as it holds then; default: now", false },
	{ NULL, NULL, NULL, false }
};

struct shown {
	const char *name;		/* as asked for */
	struct usage usage;
	bool asked;			/* for a fee */
	int64_t at_us;
	uint32_t multiplier_ppm;
	struct price price, other;
	bool has_price, has_other;
	char model[MODEL_NAME_BYTES];	/* whose row it is */
	int64_t effective_us;
};

static enum admin_exit
read_count(const struct args *args, const char *prefix, const char *name,
    struct shown *shown, uint64_t *count_r)
{
	char option[PRICE_TEXT_BYTES], *p;
	const char *text;
	int64_t number;

	snprintf(option, sizeof option, "%s%s", prefix, name);
	for (p = option; *p != '\0'; p++)
		if (*p == '_')
			*p = '-';
	text = args_get(args, option);
	if (text == NULL)
		return ADMIN_OK;
	number = 0;
	if (strcmp(text, "0") != 0 && (!check_number(text, &number) ||
	    (uint64_t)number > USAGE_COUNT_MAX)) {
		complain("--%s %s: allowed are 0 to 1000000000", option, text);
		return ADMIN_USAGE;
	}
	*count_r = (uint64_t)number;
	shown->asked = true;
	return ADMIN_OK;
}

static enum admin_exit
read_counts(const struct args *args, struct shown *shown)
{
	enum admin_exit status;
	int i;

	shown->usage.count[USAGE_CALLS] = 1;
	status = ADMIN_OK;
	for (i = 0; status == ADMIN_OK && i < USAGE_DIMS; i++)
		status = read_count(args, "", usage_dims[i].name, shown,
		    &shown->usage.count[i]);
	for (i = 0; status == ADMIN_OK && i < USAGE_OTHER_DIMS; i++)
		status = read_count(args, "other-", usage_dims[i].name, shown,
		    &shown->usage.other.count[i]);
	return status;
}

/* One of an enum's names; absent leaves *number_r as it is. */
static enum admin_exit
read_name(const struct args *args, const char *option,
    const char *(*name)(unsigned int), uint8_t *number_r)
{
	const char *text;
	unsigned int i;

	text = args_get(args, option);
	if (text == NULL)
		return ADMIN_OK;
	for (i = 0; name(i) != NULL; i++)
		if (strcmp(name(i), text) == 0) {
			*number_r = (uint8_t)i;
			return ADMIN_OK;
		}
	complain("--%s %s: unknown", option, text);
	hint("\"youyunctl help price show\" lists them");
	return ADMIN_USAGE;
}

static enum admin_exit
read_ways(const struct args *args, struct shown *shown)
{
	struct usage *u = &shown->usage;
	enum admin_exit status;
	const char *text;

	status = read_name(args, "tier", usage_tier_name, &u->tier);
	if (status == ADMIN_OK)
		status = read_name(args, "speed", usage_speed_name, &u->speed);
	if (status == ADMIN_OK)
		status = read_name(args, "region", usage_region_name,
		    &u->region);
	if (status == ADMIN_OK)
		status = read_name(args, "image-quality", image_quality_name,
		    &u->image_quality);
	text = args_get(args, "image-size");
	if (status == ADMIN_OK && text != NULL &&
	    !image_size_read(text, &u->image_width, &u->image_height)) {
		complain("--image-size %s: allowed is a size like 1024x1536",
		    text);
		return ADMIN_USAGE;
	}
	text = args_get(args, "at");
	if (status == ADMIN_OK && text != NULL &&
	    !check_time(text, &shown->at_us) &&
	    !check_time_ahead(text, &shown->at_us)) {
		complain("--at %s: allowed are " CHECK_TIME_ALLOWED, text);
		return ADMIN_USAGE;
	}
	return status;
}

static bool
take_row(const struct price_row *row, void *arg)
{
	struct shown *shown = arg;

	shown->price = row->price;
	shown->effective_us = row->effective_us;
	shown->has_price = true;
	snprintf(shown->model, sizeof shown->model, "%s", row->model);
	return true;
}

static bool
take_other(const struct price_row *row, void *arg)
{
	struct shown *shown = arg;

	shown->other = row->price;
	shown->has_other = true;
	return true;
}

static enum admin_exit
find_costs(struct admin *admin, const char *channel, const char *other,
    struct shown *shown)
{
	const struct price *cost;
	enum admin_exit status;
	enum db_result result;
	struct prices *costs;
	int64_t channel_id, at_us;

	status = admin_channel(admin, channel, &channel_id);
	if (status != ADMIN_OK)
		return status;
	costs = costs_load(admin->db, &result);
	if (costs == NULL)
		return admin_database_failed(admin, result != DB_OK ? result :
		    DB_ERROR, "read the costs");
	at_us = shown->at_us;
	if (at_us == 0 && !check_time("now", &at_us))
		at_us = INT64_MAX;
	cost = costs_at(costs, (uint64_t)channel_id, shown->name, at_us);
	if (cost != NULL) {
		shown->price = *cost;
		shown->has_price = true;
	}
	cost = other == NULL ? NULL :
	    costs_at(costs, (uint64_t)channel_id, other, at_us);
	if (cost != NULL) {
		shown->other = *cost;
		shown->has_other = true;
	}
	prices_free(&costs);
	return ADMIN_OK;
}

static enum admin_exit
find(struct admin *admin, const struct args *args, struct shown *shown)
{
	const char *channel, *other, *group;
	enum admin_exit status;
	enum db_result result;
	int64_t ppm;

	channel = args_get(args, "channel");
	other = args_get(args, "other-model");
	group = args_get(args, "group");
	status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	if (channel != NULL)
		return find_costs(admin, channel, other, shown);
	result = q_price_match(admin->db, shown->name, shown->at_us, take_row,
	    shown);
	if (result == DB_OK && other != NULL)
		result = q_price_match(admin->db, other, shown->at_us,
		    take_other, shown);
	if (result != DB_OK)
		return admin_database_failed(admin, result, "read the price");
	if (group == NULL)
		return ADMIN_OK;
	result = q_multiplier(admin->db, group, shown->name, &ppm);
	if (result == DB_NONE) {
		complain("there is no group \"%s\"", group);
		hint("\"youyunctl group list\" shows them all");
		return ADMIN_NOT_FOUND;
	}
	shown->multiplier_ppm = (uint32_t)ppm;
	return admin_database_failed(admin, result, "read the multiplier");
}

static void
add_row(struct record *record, const struct shown *shown)
{
	char text[PRICE_TEXT_BYTES], images[PRICE_IMAGES_BYTES];
	int i;

	record_text(record, "model", "Model", shown->name);
	if (shown->model[0] != '\0')
		record_text(record, "priced_as",
		    strcmp(shown->model, shown->name) != 0 ? "Priced as" :
		    NULL, shown->model);
	record_number(record, "version", "Version",
	    (int64_t)shown->price.version);
	if (shown->effective_us != 0)
		record_time(record, "from", "From (UTC)",
		    shown->effective_us);
	record_flag(record, "free", (shown->price.flags & PRICE_FREE) != 0 ?
	    "Free" : NULL, (shown->price.flags & PRICE_FREE) != 0);
	for (i = 0; i < PRICE_FIELDS_N; i++) {
		price_field_write(&shown->price, &price_fields[i], text);
		if (text[0] != '\0')
			record_text(record, price_fields[i].name,
			    price_fields[i].name, text);
	}
	price_images_write(&shown->price, images);
	if (images[0] != '\0')
		record_text(record, "images", "images", images);
}

static void
add_fee(struct record *record, const struct admin *admin,
    const struct args *args, const struct shown *shown)
{
	struct fee_terms terms = { &shown->price,
		shown->has_other ? &shown->other : NULL,
		shown->multiplier_ppm };
	bool marked;
	int64_t fee;

	record_line(record, "%s", "");
	record_text(record, "currency", "Currency",
	    admin->settings->currency);
	if (explain_fee(record, &shown->usage, &terms,
	    args_get(args, "other-model"), &fee, &marked) == FEE_UNPRICED)
		record_none(record, "fee", "Fee");
	else
		record_money(record, "fee", "Fee", fee);
	if (marked)
		record_line(record, "Some of it has no price of its own: its "
		    "record would be marked unpriced.");
}

enum admin_exit
price_show_run(struct admin *admin, const struct args *args)
{
	struct record *record;
	enum admin_exit status;
	struct shown shown;
	const char *why;

	memset(&shown, 0, sizeof shown);
	shown.name = args->word[0];
	shown.multiplier_ppm = MULTIPLIER_ONE_PPM;
	why = check_model(shown.name);
	if (why != NULL) {
		complain("\"%s\": %s", shown.name, why);
		return ADMIN_USAGE;
	}
	status = read_counts(args, &shown);
	if (status == ADMIN_OK)
		status = read_ways(args, &shown);
	if (status == ADMIN_OK)
		status = find(admin, args, &shown);
	if (status != ADMIN_OK)
		return status;
	if (!shown.has_price)
		return price_no_model(admin, shown.name);
	record = record_open();
	add_row(record, &shown);
	if (shown.asked)
		add_fee(record, admin, args, &shown);
	record_print(&record, admin);
	return ADMIN_OK;
}
