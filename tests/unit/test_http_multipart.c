/*
 * test_http_multipart.c: parts of forms, in pieces of every size, and what is
 * no form.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "http/multipart.h"
#include "tests/unit/run.h"

#define TYPE "multipart/form-data; boundary=XyZ"
#define PART(disposition, content) "--XyZ\r\nContent-Disposition: " \
	disposition "\r\n\r\n" content "\r\n"
#define FIELD(name, content) PART("form-data; name=\"" name "\"", content)
#define END "--XyZ--"

static struct multipart parts;
static char log_text[4096];
static size_t log_len;

static void
note(const char *text, size_t len)
{
	ck_assert_uint_lt(log_len + len, sizeof(log_text));
	memcpy(log_text + log_len, text, len);
	log_len += len;
	log_text[log_len] = '\0';
}

/* The whole as text: "name=content;", "name!=content;" for a file, "." for
 * the end, "?" for what is bad. */
static void
read_steps(const char *body, size_t len, size_t step)
{
	size_t at = 0, n, used;
	struct span data;

	ck_assert(multipart_init(&parts,
	    (struct span){ TYPE, sizeof(TYPE) - 1 }));
	log_len = 0;
	log_text[0] = '\0';
	while (at < len) {
		n = len - at < step ? len - at : step;
		switch (multipart_next(&parts, body + at, n, &used, &data)) {
		case MULTIPART_MORE:
			ck_assert_uint_gt(used, 0);
			break;
		case MULTIPART_PART:
			note(parts.name, strlen(parts.name));
			note(parts.is_file ? "!=" : "=",
			    parts.is_file ? 2 : 1);
			break;
		case MULTIPART_DATA:
			note(data.p, data.len);
			break;
		case MULTIPART_END:
			note(";", 1);
			break;
		case MULTIPART_DONE:
			note(".", 1);
			ck_assert_uint_eq(at + used, len);
			break;
		case MULTIPART_BAD:
			note("?", 1);
			return;
		}
		at += used;
	}
}

static void
check(const char *body, const char *want)
{
	for (size_t step = 1; step <= strlen(body); step++) {
		read_steps(body, strlen(body), step);
		ck_assert_msg(strcmp(log_text, want) == 0, "%s: %s, not %s",
		    body, log_text, want);
	}
}

START_TEST(test_multipart_gives_parts_and_their_content)
{
	check(FIELD("model", "whisper-1") PART("form-data; name=\"file\"; "
	    "filename=\"a b.mp3\"\r\nContent-Type: audio/mpeg",
	    "\r\n--Xy\r\r\n-XyZ\r\n--XyY") FIELD("n", "") END,
	    "model=whisper-1;file!=\r\n--Xy\r\r\n-XyZ\r\n--XyY;n=;.");
	check(PART("form-data; NAME=plain; filename*=UTF-8''x", "y") END,
	    "plain!=y;.");
}
END_TEST

START_TEST(test_multipart_refuses_what_readers_could_differ_on)
{
	static const char *const bodies[] = {
		"preamble\r\n" FIELD("a", "b") END,
		"--XyZ \r\nContent-Disposition: form-data; name=a\r\n\r\n",
		"--XyZ\nContent-Disposition: form-data; name=a\n\n",
		"--XyZ\r\nContent-Type: text/plain\r\n\r\n",
		PART("form-data; name=\"a\"; name=\"b\"", "c"),
		PART("form-data; name=\"mod\\el\"", "c"),
		PART("form-data; name*=UTF-8''model", "c"),
		PART("form-data; name=\"a\"\r\nContent-Disposition: "
		    "form-data; name=\"b\"", "c"),
		PART("form-data; name=\"a\"\r\nContent-Transfer-Encoding: "
		    "base64", "c"),
		PART("form-data;\r\n name=\"a\"", "c"),
		PART("attachment; name=\"a\"", "c"),
		PART("form-data", "c"),
		FIELD("a", "b") "--XyZ-x",
	};

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		read_steps(bodies[i], strlen(bodies[i]), 3);
		ck_assert_msg(strchr(log_text, '?') != NULL, "%s: %s",
		    bodies[i], log_text);
	}
}
END_TEST

START_TEST(test_multipart_bounds_its_heads)
{
	char body[6000];
	int n = snprintf(body, sizeof(body), "--XyZ\r\nX: ");

	memset(body + n, 'x', 2000);
	read_steps(body, (size_t)n + 2000, 100);
	ck_assert_str_eq(log_text, "?");
	n = snprintf(body, sizeof(body), "--XyZ\r\n");
	for (int i = 0; i < 70; i++)
		n += snprintf(body + n, sizeof(body) - (size_t)n,
		    "X-Header-%d: %050d\r\n", i, i);
	read_steps(body, (size_t)n, 1000);
	ck_assert_str_eq(log_text, "?");
}
END_TEST

START_TEST(test_multipart_needs_one_fit_boundary)
{
	static const char *const bad[] = { "multipart/form-data",
		"multipart/form-data; boundary=", "multipart/form-data; "
		"boundary=a; boundary=b",
		"multipart/form-data; boundary=\"a\r\"",
		"multipart/form-data; boundary=\"a\"b",
		"multipart/form-data; boundary=\"a ", "multipart/form-data; "
		"boundary=aaaaaaaaaabbbbbbbbbbaaaaaaaaaabbbbbbbbbbaaaaaaaaaa"
		"bbbbbbbbbbaaaaaaaaaab" };
	static const char *const good[] = { TYPE, "multipart/form-data;"
		"charset=utf-8;boundary=\"a b'(c)\"",
		"multipart/form-data ; BOUNDARY=x ;" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!multipart_init(&parts,
		    (struct span){ bad[i], strlen(bad[i]) }), "%s", bad[i]);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(multipart_init(&parts,
		    (struct span){ good[i], strlen(good[i]) }), "%s", good[i]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("http/multipart");
	TCase *tcase = tcase_create("all");

	tcase_add_test(tcase, test_multipart_gives_parts_and_their_content);
	tcase_add_test(tcase,
	    test_multipart_refuses_what_readers_could_differ_on);
	tcase_add_test(tcase, test_multipart_bounds_its_heads);
	tcase_add_test(tcase, test_multipart_needs_one_fit_boundary);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
