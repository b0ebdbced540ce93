/*
 * test_worker_choose.c: the choice of a channel and a credential; what an
 * upstream's answer asks for; the allowance of retries.
 */
#include "http/response_head.h"
#include "tests/unit/run.h"
#include "tests/unit/view_fixture.h"
#include "worker/attempt.h"
#include "worker/choose.h"
#include "worker/policy.h"

#define SEAT 1
#define NOW_MS 1000000
#define DRAWS 20000

static const struct channel_policy policy = { .failures = 1, .percent = 100,
	.open_ms = 500, .refused_ms = 60000 };
static struct tried tried;
static struct choice_ask ask;
static struct policy_pair policies;
static struct choice got;

/* A generator that is the same in every run (Steele et al., 2014). */
static uint64_t
next_random(void)
{
	static uint64_t state = 20261125;
	uint64_t x = state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* n channels of priority 0 and weight 1 for the first model. */
static struct catalogue
some(uint32_t n)
{
	struct catalogue c = make();

	for (uint32_t i = 0; i < n; i++) {
		char name[16];

		add_channel(&c, WIRE_OPENAI, 0, 1);
		snprintf(name, sizeof(name), "up-%u", (unsigned)i);
		add_route(&c, 0, i, name);
	}
	return c;
}

static void
begin(struct catalogue *c)
{
	take(c);
	memset(&tried, 0, sizeof(tried));
	ask = (struct choice_ask){ .view = view, .shm = shm,
	    .policies = &policies,
		.model = model(0), .protocol = WIRE_OPENAI,
		.now = { NOW_MS * INT64_C(1000000) }, .tried = &tried };
}

/* The slot that is chosen. */
static uint32_t
slot_of(uint64_t random)
{
	ask.random = random;
	ck_assert_int_eq(choose(&ask, &got), CHOICE_MADE);
	return got.channel->channel->slot;
}

static void
take_out(uint32_t slot)
{
	channel_failed(shm, slot, 0, NOW_MS, &policy, CHANNEL_FAULT_CONNECT,
	    0);
}

START_TEST(test_the_lowest_priority_number_is_chosen_from)
{
	struct catalogue c = make();

	add_channel(&c, WIRE_OPENAI, 5, 1);
	add_channel(&c, WIRE_OPENAI, 1, 1);
	add_channel(&c, WIRE_ANTHROPIC, 0, 1);
	add_route(&c, 0, 2, "two");
	add_route(&c, 0, 1, "one");
	add_route(&c, 0, 0, "zero");
	begin(&c);
	for (int i = 0; i < 100; i++)
		ck_assert_uint_eq(slot_of(next_random()), 1);
	ck_assert_str_eq(got.upstream_name, "one");
	ck_assert(got.others);
	take_out(1);
	ck_assert_uint_eq(slot_of(0), 0);
	ck_assert(!got.others);
	ask.protocol = WIRE_GEMINI;
	ck_assert_int_eq(choose(&ask, &got), CHOICE_NO_ROUTE);
	ask.model = model(3);
	ask.protocol = WIRE_OPENAI;
	ck_assert_int_eq(choose(&ask, &got), CHOICE_NO_ROUTE);
}
END_TEST

START_TEST(test_other_protocols_serve_only_what_their_own_does_not)
{
	struct catalogue c = make();

	add_channel(&c, WIRE_OPENAI, 9, 1);
	add_channel(&c, WIRE_ANTHROPIC, 0, 1);
	add_channel(&c, WIRE_GEMINI, 1, 1);
	for (uint32_t i = 0; i < 3; i++)
		add_route(&c, 0, i, "up");
	add_route(&c, 1, 1, "up");
	add_route(&c, 1, 2, "up");
	begin(&c);
	ask.route = WIRE_ROUTE_CHAT_COMPLETIONS;
	ck_assert_uint_eq(slot_of(0), 0);
	ck_assert(!got.others);
	/* It is out, but it is the one. */
	take_out(0);
	ck_assert_int_eq(choose(&ask, &got), CHOICE_NO_CHANNEL);
	ask.model = model(1);
	ck_assert_uint_eq(slot_of(0), 1);
	ck_assert(got.others);
	take_out(1);
	ck_assert_uint_eq(slot_of(0), 2);
	ck_assert(!got.others);
	/* Not by every route. */
	ask.route = WIRE_ROUTE_EMBEDDINGS;
	ck_assert_int_eq(choose(&ask, &got), CHOICE_NO_ROUTE);
	/* What is kept by a channel that doesn't serve it is no reason to go
	 * to another of the same protocol. */
	ask.route = WIRE_ROUTE_RESPONSES;
	ask.model = model(0);
	ask.channel_id = 12345;
	ck_assert_uint_eq(slot_of(0), 2);
}
END_TEST

START_TEST(test_a_channel_without_responses_serves_them_if_none_has_them)
{
	struct catalogue c = make();

	add_channel(&c, WIRE_OPENAI, 0, 1);
	add_channel(&c, WIRE_OPENAI, 1, 1);
	c.channel[0].translates_responses = 1;
	add_route(&c, 0, 0, "up");
	add_route(&c, 0, 1, "up");
	add_route(&c, 1, 0, "up");
	begin(&c);
	ask.route = WIRE_ROUTE_RESPONSES;
	ck_assert_uint_eq(slot_of(0), 1);
	ask.route = WIRE_ROUTE_CHAT_COMPLETIONS;
	ck_assert_uint_eq(slot_of(0), 0);
	ask.model = model(1);
	ask.route = WIRE_ROUTE_RESPONSES;
	ck_assert_uint_eq(slot_of(0), 0);
}
END_TEST

START_TEST(test_idle_channels_are_drawn_by_weight)
{
	struct catalogue c = some(3);
	unsigned n[3] = { 0, 0, 0 };

	c.channel[0].weight = 6;
	c.channel[1].weight = 3;
	c.channel[2].weight = 0;	/* counts as one */
	begin(&c);
	for (int i = 0; i < DRAWS; i++)
		n[slot_of(next_random())]++;
	ck_assert_uint_ge(n[0], DRAWS * 57 / 100);
	ck_assert_uint_le(n[0], DRAWS * 63 / 100);
	ck_assert_uint_ge(n[1], DRAWS * 27 / 100);
	ck_assert_uint_le(n[1], DRAWS * 33 / 100);
	ck_assert_uint_ge(n[2], DRAWS * 8 / 100);
}
END_TEST

START_TEST(test_of_two_the_less_loaded_for_its_weight_is_chosen)
{
	struct catalogue c = some(2);

	c.channel[0].weight = 3;
	begin(&c);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(channel_take(shm, SEAT, 0, 0, 0, ask.now),
		    CHANNEL_TAKEN);
	ck_assert_int_eq(channel_take(shm, SEAT, 1, 0, 0, ask.now),
	    CHANNEL_TAKEN);
	/* Four by three are more than one by one. */
	for (int i = 0; i < 100; i++)
		ck_assert_uint_eq(slot_of(next_random()), 1);
	ck_assert_int_eq(channel_take(shm, SEAT, 1, 0, 0, ask.now),
	    CHANNEL_TAKEN);
	for (int i = 0; i < 100; i++)
		ck_assert_uint_eq(slot_of(next_random()), 0);
}
END_TEST

START_TEST(test_what_was_tried_is_not_chosen_again)
{
	struct catalogue c = some(2);

	add_credential(&c, 1);
	begin(&c);
	ck_assert(tried_add(&tried, 0, TRIED_WHOLE_CHANNEL));
	ck_assert_uint_eq(slot_of(0), 1);
	ck_assert(got.others);
	ck_assert(tried_add(&tried, 1, got.credential->key.credential));
	ck_assert_uint_eq(slot_of(0), 1);
	ck_assert(!tried_has(&tried, 1, got.credential->key.credential));
	ck_assert(!got.others);
	ck_assert(tried_add(&tried, 1, got.credential->key.credential));
	ck_assert_int_eq(choose(&ask, &got), CHOICE_NO_CHANNEL);
	while (tried.n < TRIED_MAX)
		ck_assert(tried_add(&tried, 1, 0));
	ck_assert(!tried_add(&tried, 1, 0));
}
END_TEST

START_TEST(test_groups_go_by_what_is_open_to_them)
{
	struct catalogue c = some(2);

	c.grants = 1;
	c.grant[0] = (struct catalogue_grant){ .group_id = 7, .channel = 0 };
	begin(&c);
	ask.group_id = 8;
	for (int i = 0; i < 50; i++)
		ck_assert_uint_eq(slot_of(next_random()), 1);
	ck_assert(!got.others);
	ask.group_id = 7;
	(void)slot_of(0);
	ck_assert(got.others);
}
END_TEST

START_TEST(test_it_says_why_there_is_no_channel_and_for_how_long)
{
	struct catalogue c = some(1);
	struct channel_credential_key key;

	c.channel[0].max_concurrent = 1;
	begin(&c);
	(void)slot_of(0);
	key = got.credential->key;
	channel_credential_rest(shm, &key, NOW_MS + 700, 429);
	ck_assert_int_eq(choose(&ask, &got), CHOICE_BUSY);
	ck_assert_int_eq(got.wait_ms, 700);
	ask.now.ns += 700 * INT64_C(1000000);
	ck_assert_int_eq(channel_take(shm, SEAT, 0, 1, 0, ask.now),
	    CHANNEL_TAKEN);
	ck_assert_int_eq(choose(&ask, &got), CHOICE_BUSY);
	channel_leave(shm, SEAT, 0);
	(void)slot_of(0);
	channel_credential_refused(shm, &key, 0, NOW_MS + 700, &policy, 401);
	ck_assert_int_eq(choose(&ask, &got), CHOICE_REFUSED);
	ck_assert_int_eq(got.wait_ms, 60000);
	take_out(0);
	ask.now.ns -= 700 * INT64_C(1000000);
	ck_assert_int_eq(choose(&ask, &got), CHOICE_NO_CHANNEL);
	ck_assert_int_eq(got.wait_ms, 500);
}
END_TEST

START_TEST(test_an_affinity_stays_where_it_is)
{
	struct catalogue c = some(3);
	uint64_t affinity, moved = 0, on_failed = 0;
	uint32_t before[1000];

	for (uint32_t i = 0; i < 3; i++)
		add_credential(&c, i);
	begin(&c);
	for (affinity = 1; affinity <= 1000; affinity++) {
		ask.affinity = affinity;
		(void)slot_of(next_random());
		before[affinity - 1] = (uint32_t)got.credential->credential_id;
		(void)slot_of(next_random());
		ck_assert_uint_eq(got.credential->credential_id,
		    before[affinity - 1]);
	}
	/* One falls out: only what was there moves, and it comes back. */
	take_out(1);
	for (affinity = 1; affinity <= 1000; affinity++) {
		ask.affinity = affinity;
		ck_assert_uint_ne(slot_of(0), 1);
		if (got.credential->credential_id == before[affinity - 1])
			continue;
		moved++;
		on_failed += before[affinity - 1] == 501 ||
		    before[affinity - 1] == 504;
	}
	ck_assert_uint_eq(moved, on_failed);
	ck_assert_uint_gt(moved, 200);
	ask.now.ns += 500 * INT64_C(1000000);
	for (affinity = 1; affinity <= 1000; affinity++) {
		ask.affinity = affinity;
		(void)slot_of(0);
		ck_assert_uint_eq(got.credential->credential_id,
		    before[affinity - 1]);
	}
}
END_TEST

START_TEST(test_affinities_are_spread_by_weight)
{
	struct catalogue c = some(3);
	unsigned n[3] = { 0, 0, 0 };

	c.channel[0].weight = 6;
	c.channel[1].weight = 3;
	/* Two credentials don't make a channel's share larger. */
	add_credential(&c, 2);
	begin(&c);
	for (int i = 0; i < DRAWS; i++) {
		ask.affinity = next_random() | 1;
		n[slot_of(0)]++;
	}
	ck_assert_uint_ge(n[0], DRAWS * 57 / 100);
	ck_assert_uint_le(n[0], DRAWS * 63 / 100);
	ck_assert_uint_ge(n[1], DRAWS * 27 / 100);
	ck_assert_uint_le(n[1], DRAWS * 33 / 100);
	ck_assert_uint_ge(n[2], DRAWS * 8 / 100);
}
END_TEST

static struct response_head
head_of(const char *headers)
{
	struct response_head head;
	char text[512];
	size_t used;
	int len = snprintf(text, sizeof(text), "HTTP/1.1 429 x\r\n%s\r\n",
	    headers);

	response_head_init(&head);
	ck_assert_int_eq(response_head_feed(&head, text, (size_t)len, &used),
	    HTTP_DONE);
	return head;
}

START_TEST(test_retry_after_is_read_in_all_its_forms)
{
	static const struct {
		const char *headers;
		int status;
		int64_t ms;
	} all[] = {
		{ "", 429, 1000 },
		{ "", 529, 0 },
		{ "Retry-After: 7\r\n", 429, 7000 },
		{ "Retry-After: 7\r\n", 503, 7000 },
		{ "Retry-After: 7\r\n", 500, 0 },
		{ "Retry-After: 7\r\nretry-after-ms: 250\r\n", 429, 250 },
		{ "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n", 429,
		  12000 },
		{ "Retry-After: Sun, 06 Nov 1994 08:49:00 GMT\r\n", 429, 0 },
		{ "Retry-After: soon\r\n", 429, 1000 },
		{ "Retry-After: 100000\r\n", 429, 60000 },
	};
	/* 1994-11-06 08:49:25 */
	struct wall_time now = { INT64_C(784111765) * 1000000 };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct response_head head = head_of(all[i].headers);

		ck_assert_int_eq(attempt_rest_ms(all[i].status, &head, now,
		    60000), all[i].ms);
	}
}
END_TEST

START_TEST(test_retries_are_a_part_of_the_calls)
{
	int64_t allowance = retry_start(20);
	int taken = 0;

	while (retry_take(&allowance))
		taken++;
	ck_assert_int_eq(taken, RETRY_BURST);
	for (int i = 0; i < 100; i++)
		retry_allow(&allowance, 20);
	for (taken = 0; retry_take(&allowance); taken++)
		continue;
	ck_assert_int_eq(taken, RETRY_BURST);
	for (taken = 0; taken < 50; taken++) {
		for (int i = 0; i < 5; i++)
			retry_allow(&allowance, 20);
		ck_assert(retry_take(&allowance));
		ck_assert(!retry_take(&allowance));
	}
	allowance = retry_start(0);
	ck_assert(!retry_take(&allowance));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("worker choose");
	TCase *tcase = tcase_create("choose");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase,
	    test_the_lowest_priority_number_is_chosen_from);
	tcase_add_test(tcase,
	    test_other_protocols_serve_only_what_their_own_does_not);
	tcase_add_test(tcase,
	    test_a_channel_without_responses_serves_them_if_none_has_them);
	tcase_add_test(tcase, test_idle_channels_are_drawn_by_weight);
	tcase_add_test(tcase,
	    test_of_two_the_less_loaded_for_its_weight_is_chosen);
	tcase_add_test(tcase, test_what_was_tried_is_not_chosen_again);
	tcase_add_test(tcase, test_groups_go_by_what_is_open_to_them);
	tcase_add_test(tcase,
	    test_it_says_why_there_is_no_channel_and_for_how_long);
	tcase_add_test(tcase, test_an_affinity_stays_where_it_is);
	tcase_add_test(tcase, test_affinities_are_spread_by_weight);
	tcase_add_test(tcase, test_retry_after_is_read_in_all_its_forms);
	tcase_add_test(tcase, test_retries_are_a_part_of_the_calls);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
