/*
 * fuzz_json_scan.c: the scanner, its strings and numbers; and the incremental
 * reader has to take what the scanner takes.
 */
#include "http/json_pull.h"
#include "http/json_scan.h"
#include "tests/fuzz/fuzz.h"

static const struct json_node root_only[] = { JSON_NODE("", 0, 0, 0) };

static void
report(void *context, const struct json_pull_value *value)
{
	(void)context;
	(void)value;
}

static void
check_string(const char *text, size_t len)
{
	char *to = malloc(len + 1), *again = malloc(len * 6 + 2);
	char *back = malloc(len * 3 + 1);
	size_t n, m;

	if (to == NULL || again == NULL || back == NULL)
		abort();
	if (json_scan_string_copy(text, len, to, len + 1, &n) ==
	    JSON_STRING_OK) {
		again[0] = '"';
		m = json_escape(to, n, again + 1, len * 6);
		fuzz_check(m <= len * 6, "escape is too long");
		again[m + 1] = '"';
		/* Invalid UTF-8 is replaced, three bytes for one. */
		fuzz_check(json_scan_string_copy(again, m + 2, back,
		    len * 3 + 1, &m) == JSON_STRING_OK, "escape is no string");
		fuzz_check(m >= n, "escape lost something");
	}
	free(to);
	free(again);
	free(back);
}

static void
check_value(const char *text, const struct json_want *want)
{
	size_t len = want->value_end - want->value_start;
	char *value = fuzz_copy(text + want->value_start, len);
	struct json_extent extent;
	enum json_scan_result result;
	uint64_t number;

	fuzz_check(len > 0, "empty value");
	if (want->type == JSON_STRING)
		check_string(value, len);
	if (want->type == JSON_NUMBER &&
	    json_scan_u64(value, len, &number))
		fuzz_check(number <= INT64_MAX, "number");
	result = json_scan(value, len, NULL, 0, &extent);
	fuzz_check(result == (want->type == JSON_OBJECT ? JSON_SCAN_OK :
	    JSON_SCAN_NOT_OBJECT), "a value is no text of its own");
	free(value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_want wants[] = { JSON_WANT("model"), JSON_WANT("stream"),
		JSON_WANT("n") };
	struct json_extent extent;
	struct json_pull pull;
	enum json_scan_result result;
	char *text = fuzz_copy(data, size);
	size_t i;

	result = json_scan(text, size, wants, 3, &extent);
	fuzz_check(extent.error_at <= size, "error is outside");
	json_pull_init(&pull, root_only, report, NULL);
	if (result == JSON_SCAN_OK) {
		fuzz_check(text[extent.start] == '{' &&
		    text[extent.end - 1] == '}', "extent");
		fuzz_check(json_pull_feed(&pull, text, size) ==
		    JSON_PULL_DONE, "the readers differ");
		for (i = 0; i < 3; i++)
			if (wants[i].count > 0)
				check_value(text, &wants[i]);
	}
	free(text);
	return 0;
}
