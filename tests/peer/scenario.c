#include <stdlib.h>
#include <string.h>

#include "tests/peer/scenario.h"

#define WORD_BYTES 8
#define WORDS_MAX 4000000

struct named {
	const char *name;
	struct peer_scenario scenario;
};

#define RAW(input, output) { .usage = PEER_USAGE_RAW, \
	.said = { input, output } }

static const struct named by_name[] = {
	{ "demo", { .gap_ms = 30 } },
	{ "fast", { 0 } },
	{ "bytes1", { .one_byte = true } },
	{ "slow-chunks", { .gap_ms = 150, .words = 8 } },
	{ "slow-error", { .first_ms = 300, .status = 500 } },
	{ "never", { .fault = PEER_FAULT_NEVER } },
	{ "cut-before-head", { .fault = PEER_FAULT_CUT_BEFORE_HEAD } },
	{ "cut-mid-head", { .fault = PEER_FAULT_CUT_MID_HEAD } },
	{ "cut-mid-body", { .fault = PEER_FAULT_CUT_MID_BODY } },
	{ "cut-mid-stream", { .fault = PEER_FAULT_CUT_MID_STREAM } },
	{ "cut-mid-event", { .fault = PEER_FAULT_CUT_MID_EVENT } },
	{ "reset", { .fault = PEER_FAULT_RESET } },
	{ "reset-mid-stream", { .fault = PEER_FAULT_RESET_MID_STREAM } },
	{ "bad-framing", { .fault = PEER_FAULT_BAD_FRAMING } },
	{ "two-lengths", { .fault = PEER_FAULT_TWO_LENGTHS } },
	{ "bad-chunk", { .fault = PEER_FAULT_BAD_CHUNK } },
	{ "bad-status-line", { .fault = PEER_FAULT_BAD_STATUS_LINE } },
	{ "huge-head", { .fault = PEER_FAULT_HUGE_HEAD } },
	{ "gzip-answer", { .fault = PEER_FAULT_GZIP } },
	{ "stray", { .fault = PEER_FAULT_STRAY } },
	{ "until-close", { .fault = PEER_FAULT_UNTIL_CLOSE } },
	{ "interim", { .fault = PEER_FAULT_INTERIM } },
	{ "trailers", { .fault = PEER_FAULT_TRAILERS } },
	{ "error-event", { .fault = PEER_FAULT_ERROR_EVENT } },
	{ "not-json", { .fault = PEER_FAULT_NOT_JSON } },
	{ "mute", { .fault = PEER_FAULT_MUTE } },
	{ "error-first", { .fault = PEER_FAULT_ERROR_FIRST } },
	{ "cut-after-head", { .fault = PEER_FAULT_CUT_AFTER_HEAD } },
	{ "no-usage", { .usage = PEER_USAGE_NONE } },
	{ "usage-null", { .usage = PEER_USAGE_NULL } },
	{ "negative-usage", { .usage = PEER_USAGE_NEGATIVE } },
	{ "absurd-usage", { .usage = PEER_USAGE_ABSURD } },
	{ "usage-every-chunk", { .usage = PEER_USAGE_EVERY_CHUNK } },
	{ "usage-on-choices-chunk", { .usage = PEER_USAGE_ON_CHOICES } },
	{ "usage-first-frame", { .usage = PEER_USAGE_FIRST } },
	{ "usage-shrinking", { .usage = PEER_USAGE_SHRINKING } },
	{ "usage-after-the-end", { .usage = PEER_USAGE_LATE } },
	{ "usage-1e308", RAW("1e308", "1e308") },
	{ "usage-2-to-63", RAW("9223372036854775808",
	    "9223372036854775808") },
	{ "usage-2-to-64", RAW("18446744073709551616",
	    "18446744073709551616") },
	{ "usage-strings", RAW("\"12\"", "\"12\"") },
	{ "usage-floats", RAW("12.0", "2.7e1") },
	{ "usage-fractions", RAW("11.5", "26.5") },
	{ "usage-zeros", RAW("0", "0") },
	{ "usage-nulls", RAW("null", "null") },
	{ "usage-in-error", { .usage = PEER_USAGE_IN_ERROR,
	    .status = 400 } },
	{ "empty-body", { .fault = PEER_FAULT_EMPTY } },
	{ "cache-write", { .write_5m_tokens = 1000, .write_1h_tokens = 300 } },
	{ "echo", { .echo = true } },
	{ "crlf", { .crlf = true } },
	{ "comments", { .comments = true } },
	{ "no-done", { .no_done = true } },
	{ "close-after", { .close_after = true } },
	{ "half-keepalive", { .half_keepalive = true } },
};

/* A family: the name's prefix is followed by one or two numbers. */
struct family {
	const char *prefix;
	const char *pattern;
	unsigned numbers;
	void (*fill)(struct peer_scenario *scenario, const unsigned long *n);
};

static void
fill_status(struct peer_scenario *scenario, const unsigned long *n)
{
	scenario->status = n[0] >= 200 && n[0] <= 599 ? (int)n[0] : 500;
}

static void
fill_slow_first(struct peer_scenario *scenario, const unsigned long *n)
{
	scenario->first_ms = (unsigned)n[0];
}

static void
fill_cached(struct peer_scenario *scenario, const unsigned long *n)
{
	scenario->cached_tokens = (long)n[0];
}

static void
fill_long(struct peer_scenario *scenario, const unsigned long *n)
{
	scenario->words = n[0];
}

static void
fill_over(struct peer_scenario *scenario, const unsigned long *n)
{
	scenario->words = n[0];
	scenario->over = true;
}

static void
fill_drip(struct peer_scenario *scenario, const unsigned long *n)
{
	scenario->words = n[0];
	scenario->gap_ms = (unsigned)n[1];
}

static void
fill_big(struct peer_scenario *scenario, const unsigned long *n)
{
	scenario->words = n[0] / WORD_BYTES;
	scenario->words_per_piece = 128;
	scenario->over = true;
}

static const struct family families[] = {
	{ "status-", "status-N", 1, fill_status },
	{ "slow-first-", "slow-first-MS", 1, fill_slow_first },
	{ "cached-", "cached-N", 1, fill_cached },
	{ "long-", "long-N", 1, fill_long },
	{ "over-", "over-N", 1, fill_over },
	{ "drip-", "drip-N-MS", 2, fill_drip },
	{ "big-", "big-BYTES", 1, fill_big },
};

static bool
family_match(const struct family *family, const char *model,
    struct peer_scenario *scenario)
{
	size_t skip = strlen(family->prefix);
	unsigned long n[2] = { 0, 0 };
	char *end;

	if (strncmp(model, family->prefix, skip) != 0)
		return false;
	model += skip;
	for (unsigned i = 0; i < family->numbers; i++) {
		if (i > 0 && *model++ != '-')
			return false;
		n[i] = strtoul(model, &end, 10);
		if (end == model)
			return false;
		model = end;
	}
	if (*model != '\0')
		return false;
	family->fill(scenario, n);
	if (scenario->words == 0 && family->fill != fill_status &&
	    family->fill != fill_slow_first && family->fill != fill_cached)
		scenario->words = 1;
	if (scenario->words > WORDS_MAX)
		scenario->words = WORDS_MAX;
	return true;
}

bool
peer_scenario_find(const char *model, struct peer_scenario *scenario_r)
{
	for (size_t i = 0; i < sizeof(by_name) / sizeof(by_name[0]); i++) {
		if (strcmp(model, by_name[i].name) == 0) {
			*scenario_r = by_name[i].scenario;
			return true;
		}
	}
	memset(scenario_r, 0, sizeof(*scenario_r));
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		if (family_match(&families[i], model, scenario_r))
			return true;
	}
	return false;
}

void
peer_scenario_list(void (*each)(const char *name, void *arg), void *arg)
{
	for (size_t i = 0; i < sizeof(by_name) / sizeof(by_name[0]); i++)
		each(by_name[i].name, arg);
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		each(families[i].pattern, arg);
}
