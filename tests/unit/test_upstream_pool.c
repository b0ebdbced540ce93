/* Connections that are kept, lost, retried, updated and retired; plain (0) and
 * over TLS (1). */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "upstream_fixture.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define OK_2 OK_HEAD "Content-Length: 2\r\n\r\nok"

static struct fixture f;

static void
serve_ok(struct peer *p)
{
	while (peer_request(p))
		peer_say(p, OK_2);
}

START_TEST(test_pool_keeps_one_connection_for_calls_in_a_row)
{
	fixture_init(&f, _i, serve_ok);
	fixture_open(&f);
	for (int i = 0; i < 50; i++)
		call_expect(&f, 200, "ok");
	ck_assert_int_eq(atomic_load(&f.server.connections), 1);
	ck_assert_int_eq(atomic_load(&f.server.requests), 50);
	ck_assert_uint_eq(f.stats->exchanges, 50);
	ck_assert_uint_eq(f.stats->connects, 1);
	ck_assert_uint_eq(f.stats->pool_hits, 49);
	ck_assert_uint_eq(f.stats->handshakes, (unsigned)_i);
	ck_assert_uint_eq(f.stats->idle, 1);
	ck_assert_uint_eq(f.stats->failures, 0);
	fixture_close(&f);
}
END_TEST

static void
serve_when_told(struct peer *p)
{
	while (peer_request(p)) {
		peer_tell(p);
		peer_wait(p);
		peer_say(p, OK_2);
	}
}

START_TEST(test_pool_keeps_no_more_than_it_may)
{
	struct call c[3] = { { 0 } };

	fixture_init(&f, _i, serve_when_told);
	f.config.idle_max = 2;
	fixture_open(&f);
	for (int i = 0; i < 3; i++)
		call_start(&f, &c[i]);
	for (int i = 0; i < 3; i++)
		turn_until_told(&f);
	ck_assert_uint_eq(f.stats->active, 3);
	for (int i = 0; i < 3; i++)
		sem_post(&f.server.gate);
	for (int i = 0; i < 3; i++) {
		call_finish(&c[i]);
		ck_assert_int_eq(c[i].ends, 1);
		call_free(&c[i]);
	}
	ck_assert_uint_eq(f.stats->active, 0);
	ck_assert_uint_eq(f.stats->idle, 2);
	fixture_close(&f);
}
END_TEST

START_TEST(test_pool_closes_what_was_idle_for_too_long)
{
	fixture_init(&f, _i, serve_ok);
	f.config.idle_keep_ms = 40;
	fixture_open(&f);
	call_expect(&f, 200, "ok");
	ck_assert_uint_eq(f.stats->idle, 1);
	turn_for(&f, 100);
	ck_assert_uint_eq(f.stats->idle, 0);
	ck_assert_uint_eq(f.stats->pool_closed, 0);
	call_expect(&f, 200, "ok");
	ck_assert_int_eq(atomic_load(&f.server.connections), 2);
	fixture_close(&f);
}
END_TEST

static void
serve_one_each(struct peer *p)
{
	if (peer_request(p))
		peer_say(p, OK_2);
	peer_wait(p);
}

START_TEST(test_pool_notices_that_the_peer_closed)
{
	fixture_init(&f, _i, serve_one_each);
	fixture_open(&f);
	call_expect(&f, 200, "ok");
	ck_assert_uint_eq(f.stats->idle, 1);
	sem_post(&f.server.gate);
	server_wait_over(&f.server, 0);
	turn_for(&f, 20);
	ck_assert_uint_eq(f.stats->idle, 0);
	ck_assert_uint_eq(f.stats->pool_closed, 1);
	call_expect(&f, 200, "ok");
	ck_assert_uint_eq(f.stats->retried, 0);
	fixture_close(&f);
}
END_TEST

/* The first request of the 2nd and later connections is answered; the second
 * request of any is read and then the connection closed without a word. */
static void
serve_close_on_second(struct peer *p)
{
	if (!peer_request(p))
		return;
	peer_say(p, OK_2);
	peer_request(p);
}

static void
serve_reset_on_second(struct peer *p)
{
	serve_close_on_second(p);
	peer_reset(p);
}

START_TEST(test_pool_retries_once_when_no_byte_of_answer_came)
{
	fixture_init(&f, _i & 1,
	    _i & 2 ? serve_reset_on_second : serve_close_on_second);
	fixture_open(&f);
	call_expect(&f, 200, "ok");
	for (unsigned i = 1; i <= 3; i++) {
		struct call c = { .spans = 1, .body = { { "again", 5 } } };

		call_start(&f, &c);
		call_finish(&c);
		ck_assert_int_eq(c.ends, 1);
		ck_assert_int_eq(c.sents, 1);
		ck_assert(c.retried);
		ck_assert_uint_eq(f.stats->retried, i);
		call_free(&c);
	}
	ck_assert_int_eq(atomic_load(&f.server.connections), 4);
	ck_assert_uint_eq(f.stats->exchanges, 4);
	fixture_close(&f);
}
END_TEST

/* Closed before the request was sent, and unknown to the loop. */
START_TEST(test_pool_retries_when_the_peer_had_closed)
{
	struct call c = { 0 };

	fixture_init(&f, _i, serve_one_each);
	fixture_open(&f);
	call_expect(&f, 200, "ok");
	sem_post(&f.server.gate);
	server_wait_over(&f.server, 0);
	call_start(&f, &c);
	call_finish(&c);
	ck_assert_int_eq(c.ends, 1);
	ck_assert(c.retried);
	ck_assert_uint_eq(f.stats->retried, 1);
	call_free(&c);
	fixture_close(&f);
}
END_TEST

static void
serve_first_only(struct peer *p)
{
	if (!peer_request(p))
		return;
	if (p->nth == 0)
		peer_say(p, OK_2);
	peer_request(p);
}

START_TEST(test_pool_retries_no_more_than_once)
{
	fixture_init(&f, _i, serve_first_only);
	f.config.timeouts.first_byte_ms = 200;
	fixture_open(&f);
	call_expect(&f, 200, "ok");
	/* The fresh connection gets no answer either, until the time is up. */
	call_expect_failure(&f, UPSTREAM_TIMEOUT_FIRST_BYTE);
	ck_assert_uint_eq(f.stats->retried, 1);
	ck_assert_int_eq(atomic_load(&f.server.connections), 2);
	fixture_close(&f);
}
END_TEST

static void
serve_half_head_on_second(struct peer *p)
{
	if (!peer_request(p))
		return;
	peer_say(p, OK_2);
	if (peer_request(p))
		peer_say(p, "H");
}

START_TEST(test_pool_retries_nothing_that_began_to_be_answered)
{
	fixture_init(&f, _i, serve_half_head_on_second);
	fixture_open(&f);
	call_expect(&f, 200, "ok");
	call_expect_failure(&f, UPSTREAM_CLOSED_BEFORE_HEAD);
	ck_assert_uint_eq(f.stats->retried, 0);
	fixture_close(&f);
}
END_TEST

static const char *unfit[] = {
	OK_HEAD "Connection: close\r\nContent-Length: 2\r\n\r\nok",
	"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
	OK_2 "HTTP/1.1 200 OK\r\n",	/* more than was asked for */
};
static size_t unfit_now;

static void
serve_unfit(struct peer *p)
{
	if (peer_request(p))
		peer_say(p, unfit[unfit_now]);
	peer_request(p);
}

START_TEST(test_pool_takes_no_connection_that_is_unfit)
{
	for (unfit_now = 0; unfit_now < 3; unfit_now++) {
		fixture_init(&f, _i, serve_unfit);
		fixture_open(&f);
		call_expect(&f, 200, "ok");
		ck_assert_uint_eq(f.stats->idle, 0);
		fixture_close(&f);
	}
}
END_TEST

static void
serve_unasked(struct peer *p)
{
	if (peer_request(p))
		peer_say(p, OK_2);
	peer_wait(p);
	peer_say(p, OK_2);
	peer_request(p);
}

START_TEST(test_pool_drops_a_connection_that_speaks_unasked)
{
	fixture_init(&f, _i, serve_unasked);
	fixture_open(&f);
	call_expect(&f, 200, "ok");
	ck_assert_uint_eq(f.stats->idle, 1);
	sem_post(&f.server.gate);
	turn_for(&f, 50);
	ck_assert_uint_eq(f.stats->idle, 0);
	fixture_close(&f);
}
END_TEST

START_TEST(test_upstream_update_keeps_the_pool)
{
	struct upstream_config other;

	fixture_init(&f, _i, serve_ok);
	fixture_open(&f);
	call_expect(&f, 200, "ok");
	other = f.config;
	other.timeouts.total_ms = 1234;
	other.base_path = "/other";
	other.addresses = 0;
	ck_assert(upstream_update(f.upstream, &other));
	ck_assert_str_eq(upstream_base_path(f.upstream), "/other");
	ck_assert_uint_eq(f.stats->idle, 1);
	call_expect(&f, 200, "ok");
	ck_assert_int_eq(atomic_load(&f.server.connections), 1);
	other.idle_max = 0;
	ck_assert(upstream_update(f.upstream, &other));
	ck_assert_uint_eq(f.stats->idle, 0);
	call_expect_failure(&f, UPSTREAM_NO_ADDRESS);

	other = f.config;
	other.host = "else.test";
	ck_assert(!upstream_update(f.upstream, &other));
	other = f.config;
	other.port++;
	ck_assert(!upstream_update(f.upstream, &other));
	other = f.config;
	other.tls = !other.tls;
	ck_assert(!upstream_update(f.upstream, &other));
	other = f.config;
	other.ca = "another";
	other.ca_bytes = 7;
	ck_assert(!upstream_update(f.upstream, &other));
	other = f.config;
	other.base_path = "no slash";
	ck_assert(!upstream_update(f.upstream, &other));
	fixture_close(&f);
}
END_TEST

START_TEST(test_upstream_retired_ends_what_runs)
{
	struct call c = { 0 };

	fixture_init(&f, _i, serve_when_told);
	fixture_open(&f);
	call_start(&f, &c);
	turn_until_told(&f);
	upstream_retire(&f.upstream);
	ck_assert_ptr_null(f.upstream);
	sem_post(&f.server.gate);
	call_finish(&c);
	ck_assert_int_eq(c.ends, 1);
	ck_assert_uint_eq(f.stats->idle, 0);
	call_free(&c);
	fixture_close(&f);
}
END_TEST

START_TEST(test_dial_goes_on_to_the_next_address)
{
	fixture_init(&f, _i, serve_ok);
	/* Nobody listens on the others. */
	f.address[0] = address_v4(127, 0, 0, 3);
	f.address[1] = (struct catalogue_address){ .ip = { [15] = 1 } };
	f.address[2] = address_v4(127, 0, 0, 1);
	f.config.addresses = 3;
	fixture_open(&f);
	call_expect(&f, 200, "ok");
	ck_assert_uint_eq(f.stats->connects, 1);
	/* With no addresses but dead ones it fails. */
	f.config.addresses = 2;
	f.config.idle_max = 0;
	ck_assert(upstream_update(f.upstream, &f.config));
	call_expect_failure(&f, UPSTREAM_CONNECT);
	f.config.addresses = 0;
	ck_assert(upstream_update(f.upstream, &f.config));
	call_expect_failure(&f, UPSTREAM_NO_ADDRESS);
	ck_assert_uint_eq(f.stats->failures, 2);
	fixture_close(&f);
}
END_TEST

START_TEST(test_upstream_refuses_bad_hosts_and_paths)
{
	static const char *const host[] = { "", "a b", "a\r\nb", "a/b", "[",
	    "[::1", "::g", "a:80", "user@host" };
	static const char *const path[] = { "v1", "/a b", "/a\r\n", "/a?b",
	    "/a#b", "/\x80" };
	struct upstream *up;

	fixture_init(&f, _i, serve_ok);
	fixture_open(&f);
	for (size_t i = 0; i < sizeof(host) / sizeof(host[0]); i++) {
		f.config.host = host[i];
		ck_assert_int_eq(upstream_open(f.client, &f.config, &up),
		    UPSTREAM_OPEN_BAD_HOST);
		ck_assert_ptr_null(up);
	}
	f.config.host = "[::1]";
	for (size_t i = 0; i < sizeof(path) / sizeof(path[0]); i++) {
		f.config.base_path = path[i];
		ck_assert_int_eq(upstream_open(f.client, &f.config, &up),
		    UPSTREAM_OPEN_BAD_PATH);
	}
	f.config.base_path = "";
	f.config.port = _i ? 443 : 80;
	ck_assert_int_eq(upstream_open(f.client, &f.config, &up),
	    UPSTREAM_OPEN_OK);
	ck_assert_str_eq(upstream_host(up), "[::1]");
	upstream_retire(&up);
	fixture_close(&f);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("upstream pool");
	TCase *tc = tcase_create("pool");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc,
	    test_pool_keeps_one_connection_for_calls_in_a_row, 0, 2);
	tcase_add_loop_test(tc, test_pool_keeps_no_more_than_it_may, 0, 2);
	tcase_add_loop_test(tc,
	    test_pool_closes_what_was_idle_for_too_long, 0, 2);
	tcase_add_loop_test(tc, test_pool_notices_that_the_peer_closed, 0, 2);
	tcase_add_loop_test(tc,
	    test_pool_retries_once_when_no_byte_of_answer_came, 0, 4);
	tcase_add_loop_test(tc,
	    test_pool_retries_when_the_peer_had_closed, 0, 2);
	tcase_add_loop_test(tc, test_pool_retries_no_more_than_once, 0, 2);
	tcase_add_loop_test(tc,
	    test_pool_retries_nothing_that_began_to_be_answered, 0, 2);
	tcase_add_loop_test(tc,
	    test_pool_takes_no_connection_that_is_unfit, 0, 2);
	tcase_add_loop_test(tc,
	    test_pool_drops_a_connection_that_speaks_unasked, 0, 2);
	tcase_add_loop_test(tc, test_upstream_update_keeps_the_pool, 0, 2);
	tcase_add_loop_test(tc, test_upstream_retired_ends_what_runs, 0, 2);
	tcase_add_loop_test(tc, test_dial_goes_on_to_the_next_address, 0, 2);
	tcase_add_loop_test(tc,
	    test_upstream_refuses_bad_hosts_and_paths, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return run_suite(suite());
}
