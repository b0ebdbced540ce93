/*
 * top: what goes on now, redrawn in place; with --once a single look.  Names
 * come from the database; without it there are numbers, and all else works.
 */
#include "admin/admin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "admin/args.h"
#include "admin/channel_health.h"
#include "admin/check.h"
#include "admin/options.h"
#include "admin/report.h"
#include "admin/screen.h"
#include "admin/terminal.h"
#include "admin/top.h"
#include "base/bytes.h"
#include "base/money.h"
#include "conf/settings.h"
#include "db/queries.h"
#include "shm/segment.h"

#define INTERVAL_S 2
#define INTERVAL_MAX_S 3600
#define FIRST_MS 500		/* people don't like to wait */
#define ROWS 10
#define ROWS_MAX 1000
/* Lines around the rows of the two tables. */
#define FRAME_LINES 8
#define NAME_WIDTH 24
#define NAME_BYTES 512
/* Names kept; then they are looked up again. */
#define NAMES_MAX 4096
/* For people: money to a ten-thousandth. */
#define SHOWN_NANO 100000

static const struct opt top_options[] = {
	{ "once", NULL, "look for one interval, print, and end", false },
	{ "interval", "SECONDS", "how long between two looks (2)", false },
	{ "rows", "N", "customers and channels at most (10)", false },
	{ NULL, NULL, NULL, false }
};

struct name {
	uint64_t id;
	char text[NAME_BYTES];
};

struct names {
	struct name *name;
	size_t n;
};

struct view {
	struct admin *admin;
	struct top *top;
	int64_t interval_s;
	int64_t rows;
	bool once;
	struct names customers;
	struct names channels;
};

static const char *
name_of(const struct names *names, uint64_t id, char *number, size_t size)
{
	for (size_t i = 0; i < names->n; i++)
		if (names->name[i].id == id)
			return names->name[i].text;
	snprintf(number, size, "#%llu", (unsigned long long)id);
	return number;
}

static bool
remember(int64_t id, const char *text, void *arg)
{
	struct names *names = arg;
	struct name *grown;

	if (names->n == NAMES_MAX)
		names->n = 0;
	grown = realloc(names->name, (names->n + 1) * sizeof(*names->name));
	if (grown == NULL)
		return false;
	names->name = grown;
	names->name[names->n].id = (uint64_t)id;
	snprintf(names->name[names->n].text,
	    sizeof(names->name[names->n].text), "%s", text);
	names->n++;
	return true;
}

/* Those that will be shown and aren't known yet. */
static void
look_up(struct view *view, enum complete_what what,
    const struct top_lines *lines, struct names *names)
{
	int64_t ids[ROWS_MAX];
	char number[32];
	size_t n = 0;

	for (size_t i = 0; i < lines->n && (int64_t)i < view->rows; i++)
		if (name_of(names, lines->line[i].id, number,
		    sizeof(number)) == number)
			ids[n++] = (int64_t)lines->line[i].id;
	if (n > 0)
		(void)!q_name_each(view->admin->db, what, ids, n, remember,
		    names);
}

static void
look_names_up(struct view *view, const struct top_look *look)
{
	if (view->admin->db == NULL)
		return;
	look_up(view, COMPLETE_CUSTOMER, &look->customers, &view->customers);
	look_up(view, COMPLETE_CHANNEL, &look->channels, &view->channels);
}

static const char *
money(int64_t nano, char *text)
{
	money_format(nano - nano % SHOWN_NANO, 4, text);
	return text;
}

static const char *
rate(int64_t n, int64_t interval_ms, char *text)
{
	int64_t tenths = top_rate_tenths(n, interval_ms);

	snprintf(text, MONEY_TEXT_BYTES, "%lld.%lld",
	    (long long)(tenths / 10), (long long)(tenths % 10));
	return text;
}

static bool
draw_head(struct buf *out, const struct top_look *look)
{
	char calls[MONEY_TEXT_BYTES], failed[MONEY_TEXT_BYTES];
	char tokens[MONEY_TEXT_BYTES], fees[MONEY_TEXT_BYTES];
	char held[MONEY_TEXT_BYTES];

	return buf_printf(out, "%s calls/s (%s failed)   %s tokens/s   "
	    "%s money/s\n", rate(look->total.calls, look->interval_ms, calls),
	    rate(look->total.failed, look->interval_ms, failed),
	    rate(look->total.tokens, look->interval_ms, tokens),
	    money(top_rate_nano(look->total.fee_nano, look->interval_ms),
	    fees)) &&
	    buf_printf(out, "%lld open, %s held   %lld connections   "
	    "%u workers\n", (long long)look->total.open,
	    money(look->total.held_nano, held), (long long)look->connections,
	    (unsigned)look->workers) &&
	    buf_printf(out, "ring %lld of %lld   journal %lld records, %lld "
	    "bytes waiting   database %s   flusher %s%s\n",
	    (long long)look->ring_most, (long long)look->ring_records,
	    (long long)look->journal_waiting,
	    (long long)look->journal_bytes,
	    look->database_up ? "up" : "AWAY",
	    look->flusher_beats ? "up" : "AWAY",
	    look->stops != 0 ? "   NEW CALLS ARE REFUSED (see status)" : "");
}

/* As much of a name as there is room for, by columns of the terminal. */
static bool
draw_name(struct buf *out, const char *name)
{
	char cut[NAME_BYTES];
	size_t width;

	snprintf(cut, sizeof(cut), "%s", name);
	while ((width = text_width(cut)) > NAME_WIDTH) {
		size_t len = strlen(cut);

		/* Not in the middle of a character. */
		do
			cut[--len] = '\0';
		while (len > 0 && ((unsigned char)name[len] & 0xc0) == 0x80);
	}
	return buf_printf(out, "%s%*s", cut, (int)(NAME_WIDTH - width), "");
}

static bool
draw_lines(struct buf *out, const struct view *view,
    const struct top_lines *lines, const struct names *names, bool customers,
    int64_t interval_ms)
{
	char a[MONEY_TEXT_BYTES], b[MONEY_TEXT_BYTES], c[MONEY_TEXT_BYTES];
	char d[MONEY_TEXT_BYTES], e[MONEY_TEXT_BYTES], number[32];
	bool ok;

	ok = buf_printf(out, "\n%-*s %8s %8s %10s %12s %6s", NAME_WIDTH,
	    customers ? "CUSTOMER" : "CHANNEL", "CALLS/S", "FAILED/S",
	    "TOKENS/S", "MONEY/S", "OPEN") &&
	    (!customers || buf_printf(out, " %12s %14s", "HELD",
	    "AVAILABLE")) && buf_append(out, "\n", 1);
	for (size_t i = 0; ok && i < lines->n && (int64_t)i < view->rows;
	    i++) {
		const struct top_line *l = &lines->line[i];

		ok = draw_name(out, name_of(names, l->id, number,
		    sizeof(number))) &&
		    buf_printf(out, " %8s %8s %10s %12s %6lld",
		    rate(l->calls, interval_ms, a),
		    rate(l->failed, interval_ms, b),
		    rate(l->tokens, interval_ms, c),
		    money(top_rate_nano(l->fee_nano, interval_ms), d),
		    (long long)l->open);
		if (ok && customers)
			ok = buf_printf(out, " %12s", money(l->held_nano,
			    d)) && buf_printf(out, " %14s",
			    money(l->available_nano, e));
		ok = ok && buf_append(out, "\n", 1);
	}
	return ok;
}

static bool
draw(struct buf *out, const struct view *view, const struct top_look *look)
{
	return draw_head(out, look) &&
	    draw_lines(out, view, &look->customers, &view->customers, true,
	    look->interval_ms) &&
	    draw_lines(out, view, &look->channels, &view->channels, false,
	    look->interval_ms) &&
	    (look->missed == 0 || buf_printf(out, "\n%lld calls were too many "
	    "to look at; take a shorter --interval\n",
	    (long long)look->missed));
}

static void
put(struct json_object *o, const char *key, int64_t n)
{
	json_object_object_add(o, key, json_object_new_int64(n));
}

static void
put_money(struct json_object *o, const char *key, int64_t nano)
{
	char text[MONEY_TEXT_BYTES];

	money_format(nano, 2, text);
	json_object_object_add(o, key, json_object_new_string(text));
}

static void
put_line(struct json_object *o, const struct top_line *line)
{
	put(o, "calls", line->calls);
	put(o, "failed", line->failed);
	put(o, "tokens", line->tokens);
	put_money(o, "fees", line->fee_nano);
	put(o, "open", line->open);
}

static struct json_object *
lines_json(const struct view *view, const struct top_lines *lines,
    const struct names *names, bool customers)
{
	struct json_object *array = json_object_new_array(), *o;
	char number[32];

	for (size_t i = 0; i < lines->n && (int64_t)i < view->rows; i++) {
		const struct top_line *l = &lines->line[i];

		o = json_object_new_object();
		put(o, "id", (int64_t)l->id);
		json_object_object_add(o, "name", json_object_new_string(
		    name_of(names, l->id, number, sizeof(number))));
		put_line(o, l);
		if (customers) {
			put_money(o, "held", l->held_nano);
			put_money(o, "available", l->available_nano);
		}
		json_object_array_add(array, o);
	}
	return array;
}

static void
print_json(const struct view *view, const struct top_look *look)
{
	struct json_object *o = json_object_new_object();

	put(o, "interval_ms", look->interval_ms);
	put_line(o, &look->total);
	put_money(o, "held", look->total.held_nano);
	put(o, "missed", look->missed);
	put(o, "connections", look->connections);
	put(o, "workers", look->workers);
	put(o, "ring", look->ring_most);
	put(o, "ring_records", look->ring_records);
	put(o, "journal_waiting", look->journal_waiting);
	put(o, "journal_bytes", look->journal_bytes);
	json_object_object_add(o, "database",
	    json_object_new_boolean(look->database_up));
	json_object_object_add(o, "flusher",
	    json_object_new_boolean(look->flusher_beats));
	json_object_object_add(o, "refusing",
	    json_object_new_boolean(look->stops != 0));
	json_object_object_add(o, "customers", lines_json(view,
	    &look->customers, &view->customers, true));
	json_object_object_add(o, "channels", lines_json(view,
	    &look->channels, &view->channels, false));
	json_print(o);
	fflush(stdout);
}

/* How many rows of each table a terminal of that height has room for. */
static int64_t
rows_of(int height, int64_t wanted)
{
	int64_t room = (height - FRAME_LINES) / 2;

	if (room < 1)
		room = 1;
	return wanted < room ? wanted : room;
}

static bool
show(struct view *view, struct screen *screen)
{
	const struct top_look *look = top_look(view->top);
	int64_t rows = view->rows;
	struct buf out;
	bool ok;

	if (screen != NULL)
		view->rows = rows_of(screen_height(screen), rows);
	look_names_up(view, look);
	if (view->admin->json) {
		print_json(view, look);
		return true;
	}
	buf_init(&out, 1 << 20);
	ok = draw(&out, view, look);
	if (!ok)
		complain("out of memory");
	else if (screen != NULL)
		screen_draw(screen, buf_head(&out), out.len);
	else
		fwrite(buf_head(&out), 1, out.len, stdout);
	buf_free(&out);
	view->rows = rows;
	return ok && fflush(stdout) == 0;
}

static enum admin_exit
watch(struct view *view)
{
	struct screen *screen = NULL;
	int64_t pause_ms = FIRST_MS;
	bool ok = true;

	if (!view->once && !view->admin->json && isatty(STDOUT_FILENO)) {
		screen = screen_open();
		if (screen == NULL) {
			complain("the terminal can't be used: %s",
			    strerror(errno));
			return ADMIN_FAILED;
		}
	}
	do {
		if (screen == NULL || pause_ms > view->interval_s * 1000)
			pause_ms = view->interval_s * 1000;
		if (!screen_pause(screen, pause_ms))
			break;
		pause_ms = view->interval_s * 1000;
		ok = show(view, screen);
	} while (ok && !view->once);
	screen_close(&screen);
	return ok ? ADMIN_OK : ADMIN_FAILED;
}

static enum admin_exit
run_top(struct admin *admin, const struct args *args)
{
	struct view view = { .admin = admin, .interval_s = INTERVAL_S,
		.rows = ROWS, .once = args_has(args, "once") };
	enum admin_exit status;
	struct shm *shm;

	status = option_number(args, "interval", INTERVAL_MAX_S,
	    &view.interval_s);
	if (status == ADMIN_OK)
		status = option_number(args, "rows", ROWS_MAX, &view.rows);
	if (status == ADMIN_OK)
		status = admin_settings(admin);
	if (status != ADMIN_OK)
		return status;
	shm = health_open(admin);
	if (shm == NULL) {
		complain("there is no segment to look at");
		hint("is youyund up?  Are you root or the service user?");
		return ADMIN_FAILED;
	}
	/* Only names come from there. */
	(void)!admin_database_try(admin);
	view.top = top_open(shm);
	if (view.top == NULL)
		complain("out of memory");
	status = view.top != NULL ? watch(&view) : ADMIN_FAILED;
	top_close(&view.top);
	health_close(&shm);
	free(view.customers.name);
	free(view.channels.name);
	return status;
}

const struct verb verbs_top[] = {
	{ "top", NULL, "", 0, 0,
	  "show what goes on now: calls, tokens and money a second",
	  "top --once", top_options, run_top },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
