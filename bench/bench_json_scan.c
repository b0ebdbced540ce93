/*
 * bench_json_scan.c: what reading a request's body costs, alone; beside it,
 * as yardsticks of this machine, a memchr() over the same bytes and a json-c
 * parse; and what screening it for a thousand words adds.
 *
 *	bench_json_scan [rounds]
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text_match.h"
#include "http/json_pull.h"
#include "http/json_text.h"
#include "wire/meter.h"
#include "wire/request.h"

#define BODY_MAX (1200 * 1024)

static char body[BODY_MAX];
static size_t body_len;

static double
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static void
add(const char *text)
{
	size_t len = strlen(text);

	memcpy(body + body_len, text, len);
	body_len += len;
}

/* Prose of about len bytes, escape_every bytes apart an escaped newline. */
static void
add_prose(size_t len, size_t escape_every)
{
	static const char words[] = "the quick brown fox jumps over it, ";
	size_t i;

	for (i = 0; i < len; i++) {
		if (escape_every > 0 && i % escape_every == escape_every - 1) {
			add("\\n");
			i++;
		} else
			body[body_len++] = words[i % (sizeof(words) - 1)];
	}
}

/* A chat request of messages that are message_bytes long. */
static void
make_body(size_t total, size_t message_bytes, size_t escape_every)
{
	body_len = 0;
	add("{\"model\":\"gpt-5\",\"stream\":true,\"max_tokens\":1024,"
	    "\"messages\":[");
	while (body_len + message_bytes + 64 < total) {
		add("{\"role\":\"user\",\"content\":\"");
		add_prose(message_bytes, escape_every);
		add("\"},");
	}
	add("{\"role\":\"user\",\"content\":\"\"}],\"temperature\":0.7}");
}

static void
run_request(void)
{
	struct wire_request req;
	struct wire_fault fault;

	if (!wire_request_scan(WIRE_ROUTE_CHAT_COMPLETIONS, body, body_len,
	    &req, &fault))
		abort();
}

static void
run_memchr(void)
{
	/* The compiler must not know that the body is what it was. */
	__asm__ __volatile__("" : : : "memory");
	if (memchr(body, '\x01', body_len) != NULL)
		abort();
}

static void
run_json_c(void)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object = json_tokener_parse_ex(tokener, body,
	    (int)body_len);

	if (object == NULL)
		abort();
	json_object_put(object);
	json_tokener_free(tokener);
}

static void
run_meter(void)
{
	struct wire_meter meter;

	wire_meter_init(&meter, WIRE_ROUTE_CHAT_COMPLETIONS, false);
	wire_meter_feed(&meter, body, body_len);
	if (!meter.finished)
		abort();
}

/* Screening: the body's strings, searched for a thousand words. */
#define WORDS 1000
static struct text_match match;

static void
make_match(void)
{
	static struct text_match_entry entry[WORDS];
	static char word[WORDS][16];
	size_t bytes, bad;
	void *block;

	for (int i = 0; i < WORDS; i++) {
		snprintf(word[i], sizeof(word[i]), "%c%c%c%d",
		    'a' + i % 26, 'a' + i / 3 % 26, 'a' + i / 7 % 26, i);
		entry[i] = (struct text_match_entry){ word[i],
		    TEXT_MATCH_WORD, 0 };
	}
	if (text_match_build(entry, WORDS, &block, &bytes, &bad) !=
	    TEXT_MATCH_OK || !text_match_open(block, bytes, &match))
		abort();
}

static void
on_text(void *context, const char *text, size_t len)
{
	text_search_feed(&match, context, text, len);
}

static void
on_end(void *context)
{
	text_search_break(&match, context);
}

static void
run_screen(void)
{
	static const struct json_text_handlers handlers = { on_text, on_end };
	static const char *const skipped[] = { "model", "role", NULL };
	struct text_search search;
	struct json_text json;

	text_search_begin(&search);
	json_text_init(&json, skipped, false, &handlers, &search);
	json_text_feed(&json, body, body_len);
	if (search.found != 0)
		abort();
}

static int
compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The median of nine runs of some rounds each. */
static double
measure(void (*run)(void), long rounds)
{
	double took[9], start;
	size_t i;
	long n;

	run();
	for (i = 0; i < 9; i++) {
		start = now_ns();
		for (n = 0; n < rounds; n++)
			run();
		took[i] = (now_ns() - start) / (double)rounds;
	}
	qsort(took, 9, sizeof(took[0]), compare);
	return took[4];
}

static void
show(const char *name, long rounds)
{
	double scan = measure(run_request, rounds);
	double chr = measure(run_memchr, rounds);
	double json_c = measure(run_json_c, rounds / 20 + 1);
	double meter = measure(run_meter, rounds);

	double screen = measure(run_screen, rounds / 20 + 1);

	printf("%-28s %8zu %12.0f %12.0f %12.0f %12.0f %8.1f %12.0f\n", name,
	    body_len, scan, meter, chr, json_c, json_c / scan, screen);
}

int
main(int argc, char **argv)
{
	long rounds = argc > 1 ? atol(argv[1]) : 2000;

	make_match();
	printf("%-28s %8s %12s %12s %12s %12s %8s %12s\n", "ns a body",
	    "bytes", "scan", "meter", "memchr", "json-c", "ratio",
	    "screening");
	make_body(2160, 640, 0);
	show("2 KB, 3 messages", rounds * 10);
	make_body(102400, 25000, 0);
	show("100 KB, 4 messages", rounds);
	make_body(102400, 25000, 40);
	show("100 KB, escapes", rounds);
	make_body(102400, 90, 0);
	show("100 KB, 900 messages", rounds);
	make_body(1048576, 1000000, 0);
	show("1 MB, 1 string", rounds / 20 + 1);
	return 0;
}
