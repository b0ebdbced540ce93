/* A row of a price file: its members, read and written. */
#include "admin/price_file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/check.h"
#include "admin/price_text.h"
#include "base/clock.h"

#define PAST_ALLOWED_US INT64_C(60000000)
#define OUTPUT_TOKENS_MAX INT64_C(1000000000)

/* Besides the fields of struct price. */
static const char *const first_names[] = { "model", "from",
	"max_output_tokens", "free", "images" };
static const char *const first_cost_names[] = { "channel", "model", "from",
	"free", "images" };
#define FIRST_NAMES 5

void
price_mistake(struct price_file *file, unsigned int line, const char *fmt, ...)
{
	va_list ap;

	file->mistakes++;
	fflush(stdout);
	fprintf(stderr, "%s:%u: ", file->name, line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

struct price_entry *
price_entry_add(struct price_file *file, unsigned int line)
{
	struct price_entry *e;

	if (file->entries == file->room) {
		file->room = file->room == 0 ? 64 : file->room * 2;
		e = realloc(file->entry, file->room * sizeof *e);
		if (e == NULL)
			return NULL;
		file->entry = e;
	}
	e = &file->entry[file->entries++];
	memset(e, 0, sizeof *e);
	price_clear(&e->price);
	e->max_output_tokens = -1;
	e->line = line;
	return e;
}

static const struct price_field *
field_of(const char *name)
{
	int i;

	for (i = 0; i < PRICE_FIELDS_N; i++)
		if (strcmp(price_fields[i].name, name) == 0)
			return &price_fields[i];
	return NULL;
}

const char *
price_member_name(bool costs, size_t n)
{
	if (n < FIRST_NAMES)
		return costs ? first_cost_names[n] : first_names[n];
	return n < FIRST_NAMES + PRICE_FIELDS_N ?
	    price_fields[n - FIRST_NAMES].name : NULL;
}

bool
price_name_known(const struct price_file *file, const char *name)
{
	const char *known;
	size_t i;

	for (i = 0; (known = price_member_name(file->costs, i)) != NULL; i++)
		if (strcmp(known, name) == 0)
			return true;
	return false;
}

static const char *
read_from(const struct price_file *file, struct price_entry *e,
    const char *text)
{
	if (strcmp(text, "now") == 0)
		return NULL;
	if (!check_time(text, &e->from_us))
		return "allowed are " CHECK_TIME_ALLOWED;
	if (!file->costs && e->from_us < clock_wall().us - PAST_ALLOWED_US)
		return "it is in the past";
	return NULL;
}

static const char *
read_free(struct price_entry *e, const char *text)
{
	if (strcmp(text, "true") == 0)
		e->price.flags |= PRICE_FREE;
	else if (strcmp(text, "false") != 0)
		return "allowed are true and false";
	return NULL;
}

static const char *
read_member(struct price_file *file, struct price_entry *e, const char *name,
    const char *text)
{
	const char *why;

	if (strcmp(name, "model") == 0) {
		why = check_model(text);
		if (why == NULL)
			snprintf(e->model, sizeof e->model, "%s", text);
		return why;
	}
	if (strcmp(name, "channel") == 0) {
		if (strlen(text) >= sizeof e->channel)
			return "no channel has so long a name";
		snprintf(e->channel, sizeof e->channel, "%s", text);
		return NULL;
	}
	if (strcmp(name, "from") == 0)
		return read_from(file, e, text);
	if (strcmp(name, "free") == 0)
		return read_free(e, text);
	if (strcmp(name, "images") == 0)
		return price_images_read(&e->price, text);
	if (strcmp(name, "max_output_tokens") == 0)
		return check_number(text, &e->max_output_tokens) &&
		    e->max_output_tokens <= OUTPUT_TOKENS_MAX ? NULL :
		    "allowed are 1 to 1000000000";
	return price_field_read(&e->price, field_of(name), text);
}

void
price_entry_read(struct price_file *file, struct price_entry *e,
    const char *name, const char *text)
{
	const char *why;

	if (text[0] == '\0')
		return;
	why = read_member(file, e, name, text);
	if (why != NULL)
		price_mistake(file, e->line, "%s: %s: %s", name, text, why);
}

static bool
same_place(const struct price_entry *a, const struct price_entry *b)
{
	return strcmp(a->model, b->model) == 0 &&
	    strcmp(a->channel, b->channel) == 0 && a->from_us == b->from_us;
}

void
price_entry_end(struct price_file *file, struct price_entry *e)
{
	const char *why;
	size_t i;

	if (e->model[0] == '\0')
		price_mistake(file, e->line, "model: is missing");
	if (file->costs && e->channel[0] == '\0')
		price_mistake(file, e->line, "channel: is missing");
	why = price_check(&e->price);
	if (why != NULL)
		price_mistake(file, e->line, "%s", why);
	for (i = 0; i + 1 < file->entries; i++)
		if (e->model[0] != '\0' && same_place(&file->entry[i], e)) {
			price_mistake(file, e->line, "%s is there already, in "
			    "line %u", e->model, file->entry[i].line);
			return;
		}
}

void
price_member_write(const struct price_entry *e, const char *name,
    char text_r[PRICE_MEMBER_BYTES])
{
	char text[PRICE_TEXT_BYTES];
	struct wall_time t;

	text_r[0] = '\0';
	if (strcmp(name, "model") == 0) {
		snprintf(text_r, PRICE_MEMBER_BYTES, "%s", e->model);
	} else if (strcmp(name, "channel") == 0) {
		snprintf(text_r, PRICE_MEMBER_BYTES, "%s", e->channel);
	} else if (strcmp(name, "from") == 0) {
		t.us = e->from_us;
		if (e->from_us != 0)
			wall_format(t, text_r);
	} else if (strcmp(name, "max_output_tokens") == 0) {
		if (e->max_output_tokens > 0)
			snprintf(text_r, PRICE_MEMBER_BYTES, "%lld",
			    (long long)e->max_output_tokens);
	} else if (strcmp(name, "free") == 0) {
		if ((e->price.flags & PRICE_FREE) != 0)
			snprintf(text_r, PRICE_MEMBER_BYTES, "true");
	} else if (strcmp(name, "images") == 0) {
		price_images_write(&e->price, text_r);
	} else {
		price_field_write(&e->price, field_of(name), text);
		snprintf(text_r, PRICE_MEMBER_BYTES, "%s", text);
	}
}
