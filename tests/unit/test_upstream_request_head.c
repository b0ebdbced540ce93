/* The head that goes up, and what may not be in it. */
#include <check.h>
#include <string.h>

#include "base/bytes.h"
#include "base/loop.h"
#include "run.h"
#include "upstream/endpoint.h"
#include "upstream/failure.h"
#include "upstream/request_head.h"

static struct loop *loop;
static struct upstream_client *client;
static struct upstream *up;
static struct buf out;

static struct span
text(const char *s)
{
	return (struct span){ s, strlen(s) };
}

static void
setup(void)
{
	struct upstream_config config = { .host = "api.test", .port = 8080,
	    .base_path = "/p/" };

	loop = loop_open();
	client = upstream_client_open(loop, NULL);
	ck_assert_int_eq(upstream_open(client, &config, &up),
	    UPSTREAM_OPEN_OK);
	buf_init(&out, 4096);
}

static void
teardown(void)
{
	buf_free(&out);
	upstream_retire(&up);
	upstream_client_close(&client);
	loop_close(&loop);
}

START_TEST(test_request_head_is_rendered)
{
	const struct request_header header[] = {
		{ text("authorization"), text("Bearer k") },
		{ text("X-Empty"), text("") },
		{ text("x-tab"), text("a\tb \xc3\xa4") },
	};
	static const char want[] = "POST /p/v1/x?a=b HTTP/1.1\r\n"
	    "Host: api.test:8080\r\nauthorization: Bearer k\r\nX-Empty: \r\n"
	    "x-tab: a\tb \xc3\xa4\r\nContent-Length: 12345678901\r\n\r\n";

	ck_assert(request_head_render(&out, up, "POST", text("/v1/x?a=b"),
	    header, 3, UINT64_C(12345678901)));
	ck_assert_uint_eq(out.len, sizeof(want) - 1);
	ck_assert_mem_eq(buf_head(&out), want, out.len);
}
END_TEST

START_TEST(test_request_head_without_a_body_has_no_length)
{
	static const char want[] = "GET /p/ HTTP/1.1\r\n"
	    "Host: api.test:8080\r\n\r\n";

	ck_assert(request_head_render(&out, up, "GET", text("/"), NULL, 0,
	    REQUEST_NO_BODY));
	ck_assert_uint_eq(out.len, sizeof(want) - 1);
	ck_assert_mem_eq(buf_head(&out), want, out.len);
}
END_TEST

START_TEST(test_request_head_lets_nothing_be_smuggled)
{
	static const struct {
		const char *method, *target, *name, *value;
	} bad[] = {
		{ "GET ", "/", "a", "b" }, { "", "/", "a", "b" },
		{ "GET\r\nX:", "/", "a", "b" },
		{ "GET", "", "a", "b" }, { "GET", "x", "a", "b" },
		{ "GET", "/ HTTP/1.1\r\nX: y", "a", "b" },
		{ "GET", "/a b", "a", "b" }, { "GET", "/a\x7f", "a", "b" },
		{ "GET", "/", "", "b" }, { "GET", "/", "a b", "b" },
		{ "GET", "/", "a:", "b" }, { "GET", "/", "a\r\nx", "b" },
		{ "GET", "/", "\xc3\xa4", "b" },
		{ "GET", "/", "a", "b\r\nc: d" }, { "GET", "/", "a", "b\nc" },
		{ "GET", "/", "a", "b\rc" }, { "GET", "/", "a", "b\x01" },
		{ "GET", "/", "a", "\x7f" },
	};

	ck_assert(buf_append(&out, "before", 6));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct request_header header = { text(bad[i].name),
		    text(bad[i].value) };

		ck_assert_msg(!request_head_render(&out, up, bad[i].method,
		    text(bad[i].target), &header, 1, 0), "case %zu", i);
		ck_assert_uint_eq(out.len, 6);
	}
	/* NUL too, which no C string shows. */
	ck_assert(!request_head_render(&out, up, "GET",
	    (struct span){ "/\0a", 3 }, NULL, 0, 0));
	ck_assert(!request_head_render(&out, up, "GET", text("/"),
	    &(struct request_header){ text("a"), { "b\0", 2 } }, 1, 0));
	ck_assert(!request_head_render(&out, up, "GET", text("/"),
	    &(struct request_header){ { "a\0", 2 }, text("b") }, 1, 0));
}
END_TEST

START_TEST(test_request_head_that_does_not_fit_changes_nothing)
{
	struct buf small;

	buf_init(&small, 40);
	ck_assert(!request_head_render(&small, up, "GET", text("/longer"),
	    NULL, 0, 7));
	ck_assert_uint_eq(small.len, 0);
	buf_free(&small);
}
END_TEST

START_TEST(test_failures_have_different_names)
{
	for (int i = 0; i < UPSTREAM_FAILURES; i++)
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(
			    upstream_failure_name((enum upstream_failure)i),
			    upstream_failure_name((enum upstream_failure)j));
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("upstream request head");
	TCase *tc = tcase_create("request head");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_request_head_is_rendered);
	tcase_add_test(tc, test_request_head_without_a_body_has_no_length);
	tcase_add_test(tc, test_request_head_lets_nothing_be_smuggled);
	tcase_add_test(tc,
	    test_request_head_that_does_not_fit_changes_nothing);
	tcase_add_test(tc, test_failures_have_different_names);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return run_suite(suite());
}
