/* Text out of JSON's strings, in pieces of any size. */
#include "http/json_text.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "tests/unit/run.h"

static const char *const skipped[] = { "id", "model", "role", NULL };

static void
on_text(void *context, const char *text, size_t len)
{
	ck_assert(buf_append(context, text, len));
}

static void
on_end(void *context)
{
	ck_assert(buf_append(context, "|", 1));
}

static const struct json_text_handlers handlers = { on_text, on_end };

static void
reads(const char *json, bool events, const char *expected)
{
	size_t len = strlen(json), n;
	struct json_text j;
	struct buf out;

	for (size_t piece = 1; piece <= len; piece = piece < 12 ? piece + 1 :
	    piece * 2) {
		buf_init(&out, 1 << 16);
		json_text_init(&j, skipped, events, &handlers, &out);
		for (size_t i = 0; i < len; i += n) {
			n = len - i < piece ? len - i : piece;
			json_text_feed(&j, json + i, n);
		}
		ck_assert(buf_append(&out, "", 1));
		ck_assert_msg(strcmp(buf_head(&out), expected) == 0,
		    "pieces of %zu: \"%s\" instead of \"%s\"", piece,
		    buf_head(&out), expected);
		buf_free(&out);
	}
}

START_TEST(values_are_text_and_names_are_not)
{
	reads("{\"model\":\"gpt\",\"messages\":[{\"role\":\"user\","
	    "\"content\":\"one two\"},{\"role\":\"user\",\"content\":"
	    "[{\"type\":\"three\"},\"four\"]}],\"n\":5}", false,
	    "one two|three|four|");
	reads("[\"a\",{\"id\":\"b\",\"c\":[\"d\",{\"e\":\"f\"},\"g\"],"
	    "\"h\":{}},\"i\"]", false, "a|d|f|g|i|");
	reads("{\"a long name that is never left out\":\"x\"}", false, "x|");
	reads("\"root\"", false, "root|");
}
END_TEST

START_TEST(escapes_are_resolved)
{
	reads("{\"a\":\"\\\"q\\\\ \\/ \\n\\t\\u0041\\u00e9\\u4e2d\"}", false,
	    "\"q\\ / \n\tA\xc3\xa9\xe4\xb8\xad|");
	reads("{\"a\":\"\\ud83d\\ude00 \\ude00 \\ud83d x\"}", false,
	    "\xf0\x9f\x98\x80   x|");
	reads("{\"mo\\u0064el\":\"left out\"}", false, "");
	reads("{\"a\":\"bo\\u006db\"}", false, "bomb|");
}
END_TEST

/* As long as the string is over, escapes do not matter. */
START_TEST(what_is_left_out_ends_where_it_ends)
{
	reads("{\"id\":\"a\\\"b\\\\\",\"x\":\"y\"}", false, "y|");
	reads("{\"id\":[\"not this\"],\"x\":\"y\"}", false, "y|");
	reads("{\"id\":{\"x\":\"z\"},\"x\":\"y\"}", false, "z|y|");
}
END_TEST

START_TEST(encoded_data_is_no_text)
{
	char json[600], run[300];

	memset(run, 'x', sizeof(run));
	run[JSON_TEXT_RUN_BYTES] = '\0';
	snprintf(json, sizeof(json), "{\"u\":\"data:image/png;base64,%s\","
	    "\"v\":\"y\"}", run);
	reads(json, false, "data:image/png;base64,||y|");
	snprintf(json, sizeof(json), "{\"u\":\"%s and more\"}", run);
	reads(json, false, "| and more|");
	run[JSON_TEXT_RUN_BYTES - 1] = '\0';
	snprintf(json, sizeof(json), "{\"u\":\"a %s b\"}", run);
	snprintf(run, sizeof(run), "a ");
	memset(run + 2, 'x', JSON_TEXT_RUN_BYTES - 1);
	snprintf(run + 2 + JSON_TEXT_RUN_BYTES - 1, 8, " b|");
	reads(json, false, run);
}
END_TEST

START_TEST(events_begin_anew_on_each_line)
{
	reads("event: x\ndata: {\"id\":\"1\",\"delta\":\"ba\"}\n\n"
	    ": it's \" only a comment\n"
	    "data: {\"id\":\"1\",\"delta\":\"d\"}\n\ndata: [DONE]\n\n", true,
	    "ba| only a comment|d|");
	reads("data: {\"delta\":\"cut off\ndata: {\"delta\":\"next\"}\n",
	    true, "cut off|next|");
}
END_TEST

START_TEST(depth_is_no_limit)
{
	char json[4 * 1000 + 20];
	size_t n = 0;

	for (int i = 0; i < 1000; i++)
		json[n++] = '[';
	n += (size_t)sprintf(json + n, "\"deep\"");
	for (int i = 0; i < 1000; i++)
		json[n++] = ']';
	json[n] = '\0';
	reads(json, false, "deep|");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("json_text");
	TCase *t = tcase_create("all");

	tcase_add_test(t, values_are_text_and_names_are_not);
	tcase_add_test(t, escapes_are_resolved);
	tcase_add_test(t, what_is_left_out_ends_where_it_ends);
	tcase_add_test(t, encoded_data_is_no_text);
	tcase_add_test(t, events_begin_anew_on_each_line);
	tcase_add_test(t, depth_is_no_limit);
	suite_add_tcase(s, t);
	return run_suite(s);
}
