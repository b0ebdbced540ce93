/* Deadlines, pauses and cancels; plain (0) and over TLS (1). */
#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "run.h"
#include "upstream_fixture.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define LARGE_BYTES (1 << 20)

static struct fixture f;

static void
serve_never(struct peer *p)
{
	(void)p;
}

START_TEST(test_time_limits_the_handshake)
{
	fixture_init(&f, true, serve_never);
	f.server.no_handshake = true;
	f.config.timeouts.connect_ms = 50;
	fixture_open(&f);
	call_expect_failure(&f, UPSTREAM_TIMEOUT_CONNECT);
	ck_assert_uint_eq(f.stats->connects, 1);
	fixture_close(&f);
}
END_TEST

/*
 * An address that answers no SYN: somebody listens, but the queue is full.
 * fd: the listener and those that fill the queue.
 */
#define HOLE_FDS 6

static void
open_hole(int fd[HOLE_FDS], struct catalogue_address *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
	    .sin_port = htons(f.server.port) };

	*address = address_v4(127, 0, 0, 9);
	memcpy(&in.sin_addr, address->ip + 12, 4);
	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(fd[0], (struct sockaddr *)&in, sizeof(in)), 0);
	ck_assert_int_eq(listen(fd[0], 0), 0);
	for (int i = 1; i < HOLE_FDS; i++) {
		fd[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fd[i], (struct sockaddr *)&in, sizeof(in));
	}
	turn_for(&f, 50);
}

static void
close_hole(int fd[HOLE_FDS])
{
	for (int i = 0; i < HOLE_FDS; i++)
		close(fd[i]);
}

START_TEST(test_time_limits_connecting)
{
	int hole[HOLE_FDS];

	fixture_init(&f, _i, serve_never);
	f.config.timeouts.connect_ms = 100;
	fixture_open(&f);
	open_hole(hole, &f.address[0]);
	ck_assert(upstream_update(f.upstream, &f.config));
	call_expect_failure(&f, UPSTREAM_TIMEOUT_CONNECT);
	ck_assert_uint_eq(f.stats->connects, 0);
	close_hole(hole);
	fixture_close(&f);
}
END_TEST

static void
serve_ok(struct peer *p)
{
	if (peer_request(p))
		peer_say(p, OK_HEAD "Content-Length: 2\r\n\r\nok");
}

/* And the next call begins with the address that answered. */
START_TEST(test_time_goes_on_beside_an_address_that_is_silent)
{
	struct mono_time before = clock_mono(), between;
	int hole[HOLE_FDS];

	fixture_init(&f, _i, serve_ok);
	f.config.idle_max = 0;
	fixture_open(&f);
	open_hole(hole, &f.address[0]);
	f.address[1] = address_v4(127, 0, 0, 1);
	f.config.addresses = 2;
	ck_assert(upstream_update(f.upstream, &f.config));
	call_expect(&f, 200, "ok");
	between = clock_mono();
	ck_assert_int_ge(mono_diff_ms(between, before), 250);
	call_expect(&f, 200, "ok");
	ck_assert_int_lt(mono_diff_ms(clock_mono(), between), 250);
	ck_assert_uint_eq(f.stats->connects, 2);
	close_hole(hole);
	fixture_close(&f);
}
END_TEST

static void
serve_silence(struct peer *p)
{
	peer_request(p);
	peer_wait(p);
}

START_TEST(test_time_limits_the_wait_for_the_head)
{
	fixture_init(&f, _i, serve_silence);
	f.config.timeouts.first_byte_ms = 50;
	fixture_open(&f);
	call_expect_failure(&f, UPSTREAM_TIMEOUT_FIRST_BYTE);
	ck_assert_uint_eq(f.stats->idle, 0);
	fixture_close(&f);
}
END_TEST

static void
serve_half_head(struct peer *p)
{
	peer_request(p);
	peer_say(p, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n");
	peer_wait(p);
}

START_TEST(test_time_limits_a_head_that_stops_half_way)
{
	fixture_init(&f, _i, serve_half_head);
	f.config.timeouts.first_byte_ms = 50;
	fixture_open(&f);
	call_expect_failure(&f, UPSTREAM_TIMEOUT_FIRST_BYTE);
	fixture_close(&f);
}
END_TEST

static void
serve_half_body(struct peer *p)
{
	peer_request(p);
	peer_say(p, OK_HEAD "Content-Length: 10\r\n\r\nhalf");
	peer_wait(p);
}

START_TEST(test_time_limits_a_body_that_stops_half_way)
{
	fixture_init(&f, _i, serve_half_body);
	f.config.timeouts.idle_ms = 50;
	fixture_open(&f);
	call_expect_failure(&f, UPSTREAM_TIMEOUT_IDLE);
	fixture_close(&f);
}
END_TEST

static void
serve_deaf(struct peer *p)
{
	peer_wait(p);
}

START_TEST(test_time_limits_sending_that_stops)
{
	char *data = calloc(1, 16 * LARGE_BYTES);
	struct call c = { .spans = 1, .body = { { data, 16 * LARGE_BYTES } } };

	fixture_init(&f, _i, serve_deaf);
	f.config.timeouts.idle_ms = 100;
	fixture_open(&f);
	call_start(&f, &c);
	call_finish(&c);
	ck_assert_int_eq(c.fails, 1);
	ck_assert_int_eq(c.sents, 0);
	ck_assert_int_eq(c.failure, UPSTREAM_TIMEOUT_IDLE);
	call_free(&c);
	free(data);
	fixture_close(&f);
}
END_TEST

static void
serve_drip(struct peer *p)
{
	peer_request(p);
	peer_say(p, OK_HEAD "Content-Length: 1000\r\n\r\n");
	for (int i = 0; i < 1000; i++) {
		struct timespec ms = { .tv_nsec = 2000000 };

		peer_say(p, ".");
		nanosleep(&ms, NULL);
		if (sem_trywait(&p->server->gate) == 0)
			break;
	}
}

/* Never idle, but too long. */
START_TEST(test_time_limits_the_whole)
{
	struct call c = { 0 };

	fixture_init(&f, _i, serve_drip);
	f.config.timeouts.idle_ms = 1500;
	f.config.timeouts.total_ms = 200;
	fixture_open(&f);
	call_start(&f, &c);
	call_finish(&c);
	ck_assert_int_eq(c.failure, UPSTREAM_TIMEOUT_TOTAL);
	ck_assert_int_gt(c.bodies, 3);
	call_free(&c);
	fixture_close(&f);
}
END_TEST

static void
serve_endless(struct peer *p)
{
	char *data = calloc(1, LARGE_BYTES);

	peer_request(p);
	peer_say(p, OK_HEAD "\r\n");
	while (sem_trywait(&p->server->gate) != 0)
		peer_send(p, data, LARGE_BYTES);
	free(data);
}

START_TEST(test_time_limits_an_answer_that_never_lets_up)
{
	struct call c = { 0 };

	fixture_init(&f, _i, serve_endless);
	f.config.timeouts.total_ms = 200;
	fixture_open(&f);
	c.discard = true;
	call_start(&f, &c);
	call_finish(&c);
	ck_assert_int_eq(c.failure, UPSTREAM_TIMEOUT_TOTAL);
	ck_assert_int_gt(c.bodies, 16);
	call_free(&c);
	fixture_close(&f);
}
END_TEST

/* Progress moves the deadline: ten times as long as idle_ms is fine. */
START_TEST(test_time_lets_a_slow_answer_go_on)
{
	struct call c = { 0 };

	fixture_init(&f, _i, serve_drip);
	f.config.timeouts.idle_ms = 150;
	f.config.timeouts.first_byte_ms = 150;
	fixture_open(&f);
	call_start(&f, &c);
	call_finish(&c);
	ck_assert_int_eq(c.ends, 1);
	ck_assert_uint_eq(c.answer.len, 1000);
	call_free(&c);
	fixture_close(&f);
}
END_TEST

static void
serve_large(struct peer *p)
{
	static const char head[] = OK_HEAD "Content-Length: 1048576\r\n\r\n";
	char *data = malloc(LARGE_BYTES);

	for (size_t i = 0; i < LARGE_BYTES; i++)
		data[i] = (char)(i % 251);
	while (peer_request(p)) {
		peer_say(p, head);
		peer_send(p, data, LARGE_BYTES);
	}
	free(data);
}

static void
serve_large_chunked(struct peer *p)
{
	char *data = malloc(LARGE_BYTES);

	for (size_t i = 0; i < LARGE_BYTES; i++)
		data[i] = (char)(i % 251);
	while (peer_request(p)) {
		peer_say(p, OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
		    "80000\r\n");
		peer_send(p, data, LARGE_BYTES / 2);
		peer_say(p, "\r\n80000\r\n");
		peer_send(p, data + LARGE_BYTES / 2, LARGE_BYTES / 2);
		peer_say(p, "\r\n0\r\n\r\n");
	}
	free(data);
}

/* Odd bites of an answer, by length (0, 1) and chunked (2, 3). */
START_TEST(test_pause_loses_and_doubles_nothing)
{
	struct call c = { .take_max = 4099 };

	fixture_init(&f, _i & 1, _i & 2 ? serve_large_chunked : serve_large);
	fixture_open(&f);
	call_start(&f, &c);
	call_finish(&c);
	ck_assert_int_eq(c.ends, 1);
	ck_assert_uint_eq(c.answer.len, LARGE_BYTES);
	for (size_t i = 0; i < LARGE_BYTES; i++)
		if (buf_head(&c.answer)[i] != (char)(i % 251))
			ck_abort_msg("wrong at %zu", i);
	call_free(&c);
	/* And the connection is where it should be. */
	c = (struct call){ 0 };
	call_start(&f, &c);
	call_finish(&c);
	ck_assert_uint_eq(c.answer.len, LARGE_BYTES);
	ck_assert_int_eq(atomic_load(&f.server.connections), 1);
	call_free(&c);
	fixture_close(&f);
}
END_TEST

START_TEST(test_pause_stops_reading_and_the_idle_clock_not_the_total)
{
	struct call c = { .take_max = 1 };

	fixture_init(&f, _i, serve_large);
	f.config.timeouts.idle_ms = 40;
	f.config.timeouts.first_byte_ms = 1000;
	f.config.timeouts.total_ms = 700;
	fixture_open(&f);
	call_start(&f, &c);
	while (c.bodies == 0)
		loop_turn(f.loop, 10);
	turn_for(&f, 200);
	ck_assert_int_eq(c.fails, 0);
	ck_assert_int_eq(c.bodies, 1);
	ck_assert_uint_eq(c.answer.len, 1);
	/* The rest of the same bytes comes again, and only that. */
	exchange_resume(c.x);
	ck_assert_int_eq(c.bodies, 1);
	turn_for(&f, 20);
	ck_assert_int_eq(c.bodies, 2);
	ck_assert_uint_eq(c.answer.len, 2);
	ck_assert_mem_eq(buf_head(&c.answer), "\0\1", 2);
	turn_for(&f, 700);
	ck_assert_int_eq(c.fails, 1);
	ck_assert_int_eq(c.failure, UPSTREAM_TIMEOUT_TOTAL);
	call_free(&c);
	fixture_close(&f);
}
END_TEST

/* A cancelled call calls no handler, and the next call is as ever. */
static void
cancel_and_go_on(struct call *c)
{
	int ends = c->ends, fails = c->fails, bodies = c->bodies;
	struct call next = { 0 };

	exchange_cancel(&c->x);
	ck_assert_ptr_null(c->x);
	ck_assert_uint_eq(f.stats->active, 0);
	turn_for(&f, 20);
	ck_assert_int_eq(c->ends, ends);
	ck_assert_int_eq(c->fails, fails);
	ck_assert_int_eq(c->bodies, bodies);
	call_start(&f, &next);
	call_finish(&next);
	ck_assert_int_eq(next.ends, 1);
	ck_assert_uint_eq(next.answer.len, LARGE_BYTES);
	call_free(&next);
	call_free(c);
	*c = (struct call){ 0 };
}

START_TEST(test_cancel_from_outside_in_every_state)
{
	char *data = calloc(1, 16 * LARGE_BYTES);
	struct call c = { 0 };

	fixture_init(&f, _i, serve_large);
	fixture_open(&f);
	/* Connecting. */
	call_start(&f, &c);
	cancel_and_go_on(&c);
	/* Just written to a pooled connection. */
	ck_assert_uint_eq(f.stats->idle, 1);
	call_start(&f, &c);
	cancel_and_go_on(&c);
	/* After so many turns: handshake, sending, waiting, reading. */
	for (int turns = 1; turns < 12; turns++) {
		ck_assert(upstream_update(f.upstream,
		    &(struct upstream_config){ .host = UPSTREAM_HOST,
		    .port = f.config.port, .tls = _i, .base_path = "",
		    .ca = f.config.ca, .ca_bytes = f.config.ca_bytes,
		    .address = f.address, .addresses = 1,
		    .timeouts = f.config.timeouts }));
		c.take_max = 100;
		if (turns % 2) {
			c.spans = 1;
			c.body[0] = (struct span){ data, 16 * LARGE_BYTES };
		}
		call_start(&f, &c);
		for (int i = 0; i < turns; i++)
			loop_turn(f.loop, 5);
		cancel_and_go_on(&c);
	}
	/* Nothing there. */
	exchange_cancel(&c.x);
	free(data);
	fixture_close(&f);
}
END_TEST

START_TEST(test_cancel_from_each_handler)
{
	static const enum cancel_at at[] = { CANCEL_ON_SENT, CANCEL_ON_HEAD,
	    CANCEL_ON_BODY, CANCEL_ON_END };

	fixture_init(&f, _i & 1, serve_large);
	fixture_open(&f);
	for (size_t i = 0; i < 4; i++) {
		struct call c = { .cancel_at = at[i],
		    .take_max = _i & 2 ? 5 : 0 };

		call_start(&f, &c);
		if (at[i] == CANCEL_ON_END) {
			c.take_max = 0;
			call_finish(&c);
			ck_assert_int_eq(c.ends, 1);
			call_free(&c);
			continue;
		}
		while (c.x != NULL)
			loop_turn(f.loop, 10);
		ck_assert_int_eq(c.heads, at[i] >= CANCEL_ON_HEAD);
		ck_assert_int_eq(c.bodies, at[i] >= CANCEL_ON_BODY);
		ck_assert_int_eq(c.ends + c.fails, 0);
		cancel_and_go_on(&c);
	}
	fixture_close(&f);
}
END_TEST

START_TEST(test_cancel_of_a_call_that_could_not_connect)
{
	struct call c = { 0 };

	fixture_init(&f, _i, serve_never);
	fixture_open(&f);
	f.config.addresses = 0;
	ck_assert(upstream_update(f.upstream, &f.config));
	call_start(&f, &c);
	exchange_cancel(&c.x);
	turn_for(&f, 20);
	ck_assert_int_eq(c.fails, 0);
	call_free(&c);
	fixture_close(&f);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("upstream time");
	TCase *tc = tcase_create("time");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_time_limits_the_handshake);
	tcase_add_loop_test(tc, test_time_limits_connecting, 0, 2);
	tcase_add_loop_test(tc,
	    test_time_goes_on_beside_an_address_that_is_silent, 0, 2);
	tcase_add_loop_test(tc, test_time_limits_the_wait_for_the_head, 0, 2);
	tcase_add_loop_test(tc,
	    test_time_limits_a_head_that_stops_half_way, 0, 2);
	tcase_add_loop_test(tc,
	    test_time_limits_a_body_that_stops_half_way, 0, 2);
	tcase_add_loop_test(tc, test_time_limits_sending_that_stops, 0, 2);
	tcase_add_loop_test(tc, test_time_limits_the_whole, 0, 2);
	tcase_add_loop_test(tc,
	    test_time_limits_an_answer_that_never_lets_up, 0, 2);
	tcase_add_loop_test(tc, test_time_lets_a_slow_answer_go_on, 0, 2);
	tcase_add_loop_test(tc, test_pause_loses_and_doubles_nothing, 0, 4);
	tcase_add_loop_test(tc,
	    test_pause_stops_reading_and_the_idle_clock_not_the_total, 0, 2);
	tcase_add_loop_test(tc,
	    test_cancel_from_outside_in_every_state, 0, 2);
	tcase_add_loop_test(tc, test_cancel_from_each_handler, 0, 4);
	tcase_add_loop_test(tc,
	    test_cancel_of_a_call_that_could_not_connect, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return run_suite(suite());
}
