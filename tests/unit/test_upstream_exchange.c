/* One exchange over a real socket, plain (0) and over TLS (1). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "upstream_fixture.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define OK_2 OK_HEAD "Content-Length: 2\r\n\r\nok"

static struct fixture f;

static void
serve_once(struct peer *p)
{
	if (peer_request(p))
		peer_say(p, OK_2);
	peer_wait(p);
}

START_TEST(test_exchange_sends_the_request_as_one_piece)
{
	struct peer *p = &f.server.peer[0];
	struct call c = { .spans = 3, .body = { { "{\"a\":", 5 }, { "", 0 },
	    { "1}", 2 } } };

	fixture_init(&f, _i, serve_once);
	f.config.base_path = "/v1beta/";
	fixture_open(&f);
	call_start(&f, &c);
	call_finish(&c);
	ck_assert_int_eq(c.ends, 1);
	ck_assert_int_eq(c.sents, 1);
	ck_assert_uint_eq(p->body_bytes, 7);
	ck_assert_str_eq(p->body, "{\"a\":1}");
	ck_assert_ptr_eq(strstr(p->head, "POST /v1beta/call HTTP/1.1\r\n"
	    "Host: " UPSTREAM_HOST ":"), p->head);
	/* One record, or one segment: head and body together. */
	ck_assert_uint_eq(p->first_read_bytes, c.head.len + 7);
	call_free(&c);
	fixture_close(&f);
}
END_TEST

static void
serve_one_byte_chunks(struct peer *p)
{
	static const char answer[] = OK_HEAD
	    "Transfer-Encoding: chunked\r\n\r\n"
	    "1;x=y\r\na\r\n5\r\nbcdef\r\n00A\r\n0123456789\r\n"
	    "0\r\nT: v\r\n\r\n";

	while (peer_request(p))
		for (size_t i = 0; i < sizeof(answer) - 1; i++)
			peer_send(p, answer + i, 1);
}

START_TEST(test_exchange_takes_chunks_of_one_byte_pieces)
{
	fixture_init(&f, _i, serve_one_byte_chunks);
	fixture_open(&f);
	call_expect(&f, 200, "abcdef0123456789");
	call_expect(&f, 200, "abcdef0123456789");
	ck_assert_int_eq(atomic_load(&f.server.connections), 1);
	fixture_close(&f);
}
END_TEST

static const struct {
	const char *answer;
	enum upstream_failure failure;
} broken[] = {
	{ "", UPSTREAM_CLOSED_BEFORE_HEAD },
	{ "HTTP/1.1 200 O", UPSTREAM_CLOSED_BEFORE_HEAD },
	{ "HTTP/1.1 100 Continue\r\n\r\n", UPSTREAM_CLOSED_BEFORE_HEAD },
	{ "SSH-2.0-OpenSSH\r\n\r\n", UPSTREAM_BAD_HEAD },
	{ "HTTP/1.1 101 Switching\r\n\r\n", UPSTREAM_BAD_HEAD },
	{ OK_HEAD "A: b\r\n c\r\n\r\n", UPSTREAM_BAD_HEAD },
	{ OK_HEAD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "0\r\n\r\n", UPSTREAM_BAD_FRAMING },
	{ OK_HEAD "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
	    "0\r\n\r\n", UPSTREAM_BAD_FRAMING },
	{ OK_HEAD "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
	    UPSTREAM_BAD_FRAMING },
	{ OK_HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
	    UPSTREAM_BAD_FRAMING },
	{ OK_HEAD "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
	    UPSTREAM_BAD_FRAMING },
	{ OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n",
	    UPSTREAM_BAD_FRAMING },
	{ OK_HEAD "Content-Length: 5\r\n\r\nab", UPSTREAM_CUT },
	{ OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nab", UPSTREAM_CUT },
	{ OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
	    UPSTREAM_CUT },
	{ OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n",
	    UPSTREAM_CUT },
};
#define BROKEN (sizeof(broken) / sizeof(broken[0]))

static const char *broken_answer;

static void
serve_broken(struct peer *p)
{
	if (peer_request(p))
		peer_say(p, broken_answer);
}

static void
serve_broken_and_cut(struct peer *p)
{
	serve_broken(p);
	peer_cut(p);
}

/* With a proper goodbye (0, 1) and without (2, 3): no answer is whole. */
START_TEST(test_exchange_fails_on_broken_answers)
{
	for (size_t i = 0; i < BROKEN; i++) {
		broken_answer = broken[i].answer;
		fixture_init(&f, _i & 1,
		    _i & 2 ? serve_broken_and_cut : serve_broken);
		fixture_open(&f);
		call_expect_failure(&f, broken[i].failure);
		ck_assert_int_eq(atomic_load(&f.server.connections), 1);
		fixture_close(&f);
	}
}
END_TEST

START_TEST(test_exchange_takes_an_answer_that_ends_by_close)
{
	broken_answer = OK_HEAD "Content-Type: text/plain\r\n\r\nto the end";
	fixture_init(&f, _i, serve_broken);
	fixture_open(&f);
	call_expect(&f, 200, "to the end");
	call_expect(&f, 200, "to the end");
	ck_assert_int_eq(atomic_load(&f.server.connections), 2);
	fixture_close(&f);
}
END_TEST

START_TEST(test_exchange_calls_a_tls_cut_no_end)
{
	broken_answer = OK_HEAD "\r\nto the cut";
	fixture_init(&f, true, serve_broken_and_cut);
	fixture_open(&f);
	call_expect_failure(&f, UPSTREAM_CUT);
	fixture_close(&f);
}
END_TEST

static void
serve_interim(struct peer *p)
{
	while (peer_request(p)) {
		peer_say(p, "HTTP/1.1 100 Continue\r\n\r\n");
		peer_say(p, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
		peer_say(p, "HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\n"
		    "new");
	}
}

START_TEST(test_exchange_skips_interim_answers)
{
	fixture_init(&f, _i, serve_interim);
	fixture_open(&f);
	call_expect(&f, 201, "new");
	call_expect(&f, 201, "new");
	ck_assert_int_eq(atomic_load(&f.server.connections), 1);
	fixture_close(&f);
}
END_TEST

static void
serve_no_body(struct peer *p)
{
	static const char *const answer[] = {
		OK_HEAD "Content-Length: 1000\r\n\r\n",	/* to HEAD */
		"HTTP/1.1 204 No Content\r\n\r\n",
		OK_HEAD "Content-Length: 0\r\n\r\n",
		OK_HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	};

	for (size_t i = 0; i < 4 && peer_request(p); i++)
		peer_say(p, answer[i]);
	peer_request(p);
}

START_TEST(test_exchange_ends_at_once_without_a_body)
{
	struct call c = { .method = "HEAD" };

	fixture_init(&f, _i, serve_no_body);
	fixture_open(&f);
	call_start(&f, &c);
	call_finish(&c);
	ck_assert_int_eq(c.ends, 1);
	ck_assert_int_eq(c.bodies, 0);
	call_free(&c);
	call_expect(&f, 204, "");
	call_expect(&f, 200, "");
	call_expect(&f, 200, "");
	ck_assert_int_eq(atomic_load(&f.server.connections), 1);
	fixture_close(&f);
}
END_TEST

static size_t head_bytes;

static void
serve_large_head(struct peer *p)
{
	char line[128];

	memset(line, 'v', sizeof(line));
	memcpy(line, "x-filler: ", 10);
	memcpy(line + 126, "\r\n", 2);
	while (peer_request(p)) {
		peer_say(p, OK_HEAD);
		for (size_t n = 0; n < head_bytes; n += sizeof(line))
			peer_send(p, line, sizeof(line));
		peer_say(p, "Content-Length: 2\r\n\r\nok");
	}
}

START_TEST(test_exchange_takes_a_large_head_and_refuses_a_huge_one)
{
	head_bytes = 30000;
	fixture_init(&f, _i, serve_large_head);
	fixture_open(&f);
	call_expect(&f, 200, "ok");
	head_bytes = 1 << 20;
	call_expect_failure(&f, UPSTREAM_BAD_HEAD);
	fixture_close(&f);
}
END_TEST

#define UPLOAD_BYTES (5 << 20)

static void
serve_echo(struct peer *p)
{
	char head[128];

	while (peer_request(p)) {
		snprintf(head, sizeof(head), OK_HEAD
		    "Content-Length: %zu\r\n\r\n", p->body_bytes);
		peer_say(p, head);
		peer_send(p, p->body, p->body_bytes);
	}
}

/* Pieces around the size of a record, twice over one connection. */
START_TEST(test_exchange_uploads_and_downloads_megabytes_in_order)
{
	static const size_t len[] = { 1, 16383, 16384, 16385, 100, 40000, 7,
	    16384 * 3, UPLOAD_BYTES };
	char *data = malloc(2 * UPLOAD_BYTES);

	for (size_t i = 0; i < 2 * UPLOAD_BYTES; i++)
		data[i] = (char)(i * 2654435761u >> 24);
	fixture_init(&f, _i, serve_echo);
	fixture_open(&f);
	for (int round = 0; round < 2; round++) {
		struct call c = { .spans = 9 };
		size_t total = 0;

		for (size_t i = 0; i < 9; i++) {
			c.body[i] = (struct span){ data + total, len[i] };
			total += len[i];
		}
		call_start(&f, &c);
		call_finish(&c);
		ck_assert_int_eq(c.ends, 1);
		ck_assert_uint_eq(c.answer.len, total);
		ck_assert_mem_eq(buf_head(&c.answer), data, total);
		call_free(&c);
	}
	ck_assert_int_eq(atomic_load(&f.server.connections), 1);
	free(data);
	fixture_close(&f);
}
END_TEST

#define MORE_BYTES (3u << 20)

START_TEST(test_exchange_takes_a_body_bit_by_bit)
{
	struct peer *p = &f.server.peer[0];
	struct call c = { .spans = 1, .body = { { "0123", 4 } },
	    .more_bytes = MORE_BYTES };
	struct mono_time end = mono_add_ms(clock_mono(), 20000);
	char piece[7919];
	size_t left = MORE_BYTES, n;

	fixture_init(&f, _i, serve_once);
	fixture_open(&f);
	call_start(&f, &c);
	while (left > 0) {
		n = exchange_room(c.x);
		if (n > sizeof(piece))
			n = sizeof(piece);
		if (n > left)
			n = left;
		for (size_t i = 0; i < n; i++)
			piece[i] = (char)((MORE_BYTES - left + i) % 251);
		ck_assert(exchange_append(c.x, piece, n));
		left -= n;
		if (n == 0)
			loop_turn(f.loop, 10);
		ck_assert(clock_mono().ns < end.ns);
	}
	ck_assert_int_gt(c.rooms, 0);
	ck_assert_int_eq(c.sents + c.heads, 0);
	exchange_close(c.x);
	call_finish(&c);
	ck_assert_int_eq(c.ends, 1);
	ck_assert_int_eq(c.sents, 1);
	ck_assert_uint_eq(p->body_bytes, 4 + MORE_BYTES);
	ck_assert_mem_eq(p->body, "0123", 4);
	for (n = 0; n < MORE_BYTES; n++)
		if (p->body[4 + n] != (char)(n % 251))
			break;
	ck_assert_uint_eq(n, MORE_BYTES);
	call_free(&c);
	fixture_close(&f);
}
END_TEST

static void
serve_refusal(struct peer *p)
{
	if (!peer_head(p))
		return;
	peer_say(p, "HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig");
	peer_wait(p);
}

START_TEST(test_exchange_delivers_an_early_answer)
{
	char *data = calloc(1, 4 * UPLOAD_BYTES);
	struct call c = { .spans = 1,
	    .body = { { data, 4 * UPLOAD_BYTES } } };

	fixture_init(&f, _i, serve_refusal);
	fixture_open(&f);
	call_start(&f, &c);
	call_finish(&c);
	ck_assert_int_eq(c.ends, 1);
	ck_assert_int_eq(c.status, 413);
	ck_assert_int_eq(c.sents, 0);
	ck_assert_uint_eq(c.answer.len, 3);
	/* Half a request is no place to begin the next one. */
	ck_assert_uint_eq(f.stats->idle, 0);
	call_free(&c);
	free(data);
	fixture_close(&f);
}
END_TEST

static void
serve_refusal_and_reset(struct peer *p)
{
	if (!peer_head(p))
		return;
	peer_tell(p);
	peer_wait(p);
	peer_say(p, "HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno");
	peer_reset(p);
	peer_tell(p);
}

/* Nothing was read by us before the reset; the answer is still there, or lost
 * with the reset: then it is a failure, but never a hang or a retry. */
START_TEST(test_exchange_survives_a_reset_while_sending)
{
	char *data = calloc(1, 4 * UPLOAD_BYTES);
	struct call c = { .spans = 1,
	    .body = { { data, 4 * UPLOAD_BYTES } } };

	fixture_init(&f, _i, serve_refusal_and_reset);
	fixture_open(&f);
	call_start(&f, &c);
	turn_until_told(&f);
	sem_post(&f.server.gate);
	sem_wait(&f.server.news);
	call_finish(&c);
	if (c.ends > 0)
		ck_assert_int_eq(c.status, 401);
	else
		ck_assert(c.failure == UPSTREAM_SEND ||
		    c.failure == UPSTREAM_CLOSED_BEFORE_HEAD);
	ck_assert_uint_eq(f.stats->retried, 0);
	call_free(&c);
	free(data);
	fixture_close(&f);
}
END_TEST

static Suite *
suite(void)
{
	Suite *s = suite_create("upstream exchange");
	TCase *tc = tcase_create("exchange");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc,
	    test_exchange_sends_the_request_as_one_piece, 0, 2);
	tcase_add_loop_test(tc,
	    test_exchange_takes_chunks_of_one_byte_pieces, 0, 2);
	tcase_add_loop_test(tc, test_exchange_takes_a_body_bit_by_bit, 0, 2);
	tcase_add_loop_test(tc, test_exchange_fails_on_broken_answers, 0, 4);
	tcase_add_loop_test(tc,
	    test_exchange_takes_an_answer_that_ends_by_close, 0, 2);
	tcase_add_test(tc, test_exchange_calls_a_tls_cut_no_end);
	tcase_add_loop_test(tc, test_exchange_skips_interim_answers, 0, 2);
	tcase_add_loop_test(tc,
	    test_exchange_ends_at_once_without_a_body, 0, 2);
	tcase_add_loop_test(tc,
	    test_exchange_takes_a_large_head_and_refuses_a_huge_one, 0, 2);
	tcase_add_loop_test(tc,
	    test_exchange_uploads_and_downloads_megabytes_in_order, 0, 2);
	tcase_add_loop_test(tc, test_exchange_delivers_an_early_answer, 0, 2);
	tcase_add_loop_test(tc,
	    test_exchange_survives_a_reset_while_sending, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return run_suite(suite());
}
