/*
 * test_worker_view.c: a worker's copy of the catalogue, and what it opens.
 */
#include "tests/unit/run.h"
#include "tests/unit/view_fixture.h"
#include "worker/policy.h"

static const struct policy_pair everything;

START_TEST(test_view_finds_every_model_by_its_exact_name)
{
	struct catalogue c = make();

	take(&c);
	for (uint32_t i = 0; i < MODELS; i++) {
		char name[MODEL_NAME_BYTES];
		int len = snprintf(name, sizeof(name), "model-%u",
		    (unsigned)i);

		ck_assert_ptr_eq(view_model(view, name, (size_t)len),
		    model(i));
	}
	ck_assert_ptr_null(view_model(view, "model-4x", 8));
	ck_assert_ptr_null(view_model(view, "Model-4", 7));
	ck_assert_ptr_null(view_model(view, "model-", 6));
	ck_assert_ptr_null(view_model(view, "", 0));
}
END_TEST

/* The one channel of the one model. */
static const struct view_channel *
only_channel(void)
{
	uint32_t first, end;

	view_routes(view, model(0), &first, &end);
	ck_assert_uint_eq(end - first, 1);
	return view_route_channel(view, first);
}

START_TEST(test_view_has_the_credentials_as_headers_want_them)
{
	struct catalogue c = make();

	add_channel(&c, WIRE_OPENAI, 0, 1);
	add_credential(&c, 0);
	add_route(&c, 0, 0, "a");
	take(&c);
	ck_assert(view_usable(only_channel()));
	ck_assert_uint_eq(only_channel()->credentials, 2);
	ck_assert_str_eq(only_channel()->credential[1].value, "Bearer cred");
	ck_assert_uint_eq(only_channel()->credential[1].key.credential, 1);
	c = make();
	add_channel(&c, WIRE_ANTHROPIC, 0, 1);
	add_route(&c, 0, 0, "a");
	take(&c);
	ck_assert_str_eq(only_channel()->credential[0].value, "cred");
}
END_TEST

START_TEST(test_view_has_no_use_for_what_is_disabled_or_sealed_elsewhere)
{
	struct catalogue c = make();

	add_channel(&c, WIRE_OPENAI, 0, 1)->status = CHANNEL_DISABLED;
	add_route(&c, 0, 0, "disabled");
	take(&c);
	ck_assert(!view_usable(only_channel()));
	c = make();
	/* Sealed for another channel: moved between rows. */
	strcpy(add_channel(&c, WIRE_OPENAI, 0, 1)->name, "other");
	add_route(&c, 0, 0, "moved");
	take(&c);
	ck_assert(!view_usable(only_channel()));
	c = make();
	/* Sealed as another credential of the same channel. */
	add_channel(&c, WIRE_OPENAI, 0, 1);
	c.credential[0].credential_id++;
	add_route(&c, 0, 0, "moved");
	take(&c);
	ck_assert(!view_usable(only_channel()));
	ck_assert(view_serves(view, model(0), WIRE_OPENAI, 0,
	    &everything));
	c = make();
	add_channel(&c, WIRE_OPENAI, 0, 1);
	c.credential[0].status = CHANNEL_DISABLED;
	add_route(&c, 0, 0, "none");
	take(&c);
	ck_assert(!view_usable(only_channel()));
}
END_TEST

/* A worker that leaves after a rotation goes on with what it has opened. */
START_TEST(test_view_keeps_what_is_sealed_anew_by_a_newer_key)
{
	struct secrets newer = secrets;
	struct catalogue c;
	char context[CHANNEL_CONTEXT_BYTES];

	secrets_seal_by(&newer, secrets_add_seal(&newer));
	for (int edition = 0; edition < 3; edition++) {
		c = make();
		add_channel(&c, WIRE_OPENAI, 0, 1);
		add_route(&c, 0, 0, "a");
		catalogue_credential_context(c.channel[0].name,
		    c.credential[0].credential_id, context);
		if (edition > 0)
			ck_assert(secret_seal(&newer, context, "CRED", 4,
			    c.credential[0].sealed));
		if (edition > 1)	/* another one, not the same anew */
			c.credential[0].edition++;
		take(&c);
		ck_assert_int_eq(view_usable(only_channel()), edition < 2);
		if (edition < 2)
			ck_assert_str_eq(only_channel()->credential[0].value,
			    "Bearer cred");
	}
	/* A text that is damaged is not kept. */
	c = make();
	add_channel(&c, WIRE_OPENAI, 0, 1);
	add_route(&c, 0, 0, "a");
	take(&c);
	ck_assert(view_usable(only_channel()));
	c = make();
	add_channel(&c, WIRE_OPENAI, 0, 1);
	c.credential[0].sealed[20] ^= 1;
	add_route(&c, 0, 0, "a");
	take(&c);
	ck_assert(!view_usable(only_channel()));
}
END_TEST

START_TEST(test_view_reads_the_operators_headers)
{
	struct catalogue c = make();

	strcpy(add_channel(&c, WIRE_OPENAI, 0, 1)->headers,
	    "OpenAI-Organization: org-1\nHost: evil\nx-a:b\n");
	add_route(&c, 0, 0, "a");
	take(&c);
	ck_assert_uint_eq(only_channel()->headers, 2);
	ck_assert_mem_eq(only_channel()->header[0].name.p,
	    "OpenAI-Organization", 19);
	ck_assert_uint_eq(only_channel()->header[0].value.len, 5);
	ck_assert_mem_eq(only_channel()->header[1].value.p, "b", 1);
}
END_TEST

START_TEST(test_view_opens_a_channel_to_its_groups_alone)
{
	struct catalogue c = make();

	add_channel(&c, WIRE_OPENAI, 0, 1);
	add_channel(&c, WIRE_OPENAI, 0, 1);
	add_route(&c, 0, 0, "open");
	add_route(&c, 1, 1, "closed");
	c.grants = 2;
	c.grant[0] = (struct catalogue_grant){ .group_id = 7, .channel = 1 };
	c.grant[1] = (struct catalogue_grant){ .group_id = 9, .channel = 1 };
	take(&c);
	ck_assert(view_serves(view, model(0), WIRE_OPENAI, 8,
	    &everything));
	ck_assert(view_serves(view, model(1), WIRE_OPENAI, 7,
	    &everything));
	ck_assert(view_serves(view, model(1), WIRE_OPENAI, 9,
	    &everything));
	ck_assert(!view_serves(view, model(1), WIRE_OPENAI, 8,
	    &everything));
}
END_TEST

START_TEST(test_view_keeps_an_upstream_that_did_not_change)
{
	struct catalogue c = make();
	struct upstream *before;

	add_channel(&c, WIRE_OPENAI, 0, 1);
	add_route(&c, 0, 0, "a");
	take(&c);
	before = only_channel()->upstream;
	c = make();
	add_channel(&c, WIRE_OPENAI, 7, 1);
	add_route(&c, 0, 0, "b");
	take(&c);
	ck_assert_ptr_eq(only_channel()->upstream, before);
	c = make();
	strcpy(add_channel(&c, WIRE_OPENAI, 7, 1)->host, "127.0.0.1");
	add_route(&c, 0, 0, "c");
	take(&c);
	ck_assert_ptr_nonnull(only_channel()->upstream);
	ck_assert_str_eq(upstream_host(only_channel()->upstream),
	    "127.0.0.1:9");
}
END_TEST

START_TEST(test_view_opens_another_upstream_for_another_proxy)
{
	struct catalogue c = make();
	struct catalogue_channel *ch = add_channel(&c, WIRE_OPENAI, 0, 1);
	struct upstream *before;

	add_route(&c, 0, 0, "a");
	take(&c);
	before = only_channel()->upstream;
	c = make();
	ch = add_channel(&c, WIRE_OPENAI, 0, 1);
	strcpy(ch->proxy_host, "127.0.0.1");
	ch->proxy_port = 3128;
	add_route(&c, 0, 0, "a");
	take(&c);
	ck_assert_ptr_nonnull(only_channel()->upstream);
	ck_assert_ptr_ne(only_channel()->upstream, before);
}
END_TEST

START_TEST(test_view_knows_groups)
{
	struct catalogue c = make();
	uint32_t ppm = 0;

	c.groups = 1;
	c.group[0].group_id = 8;
	c.group[0].multiplier_ppm = 1337;
	take(&c);
	ck_assert(view_multiplier(view, 8, model(0), &ppm));
	ck_assert_uint_eq(ppm, 1337);
	ck_assert(!view_multiplier(view, 9, model(0), &ppm));
}
END_TEST

START_TEST(test_view_prefers_a_groups_multiplier_for_the_model)
{
	struct catalogue c = make();
	uint32_t ppm = 0;

	c.groups = 1;
	c.group[0].group_id = 8;
	c.group[0].multiplier_ppm = 1337;
	c.override = calloc(2, sizeof(*c.override));
	c.overrides = 2;
	c.override[0] = (struct catalogue_override) { .group_id = 7,
		.model = 3, .multiplier_ppm = 1 };
	c.override[1] = (struct catalogue_override) { .group_id = 8,
		.model = 3, .multiplier_ppm = 2 };
	take(&c);
	ck_assert(view_multiplier(view, 8, model(3), &ppm));
	ck_assert_uint_eq(ppm, 2);
	ck_assert(view_multiplier(view, 8, model(2), &ppm));
	ck_assert_uint_eq(ppm, 1337);
	ck_assert(view_multiplier(view, 8, model(MODELS - 1), &ppm));
	ck_assert_uint_eq(ppm, 1337);
}
END_TEST

static uint64_t
id_of(const char *name)
{
	const struct catalogue_model *m = view_model(view, name,
	    strlen(name));

	return m != NULL ? m->model_id : 0;
}

START_TEST(test_view_finds_the_longest_pattern_that_fits)
{
	struct catalogue c = make();
	char name[MODEL_NAME_BYTES];

	strcpy(c.model[0].name, "gpt-4o*");
	strcpy(c.model[1].name, "gpt-4o-mini*");
	strcpy(c.model[2].name, "gpt-4o-mini-x");
	take(&c);
	ck_assert_uint_eq(id_of("gpt-4o"), 1000);
	ck_assert_uint_eq(id_of("gpt-4o-2024"), 1000);
	ck_assert_uint_eq(id_of("gpt-4o-min"), 1000);
	ck_assert_uint_eq(id_of("gpt-4o-mini"), 1001);
	ck_assert_uint_eq(id_of("gpt-4o-mini-y"), 1001);
	ck_assert_uint_eq(id_of("gpt-4o-mini-x"), 1002);
	ck_assert_uint_eq(id_of("gpt-4"), 0);
	/* A pattern is nobody's model. */
	ck_assert_uint_eq(id_of("gpt-4o*"), 0);
	memset(name, 'y', sizeof(name));
	memcpy(name, "gpt-4o-", 7);
	ck_assert_ptr_eq(view_model(view, name, MODEL_NAME_BYTES - 1),
	    model(0));
	ck_assert_ptr_null(view_model(view, name, MODEL_NAME_BYTES));
}
END_TEST

START_TEST(test_a_star_matches_whatever_nothing_else_does)
{
	struct catalogue c = make();

	strcpy(c.model[5].name, "*");
	take(&c);
	ck_assert_uint_eq(id_of("anything"), 1005);
	ck_assert_uint_eq(id_of("model-4"), 1004);
}
END_TEST

START_TEST(test_upstream_names_take_what_the_star_stands_for)
{
	struct catalogue_model pattern = { .name = "gpt-4o*" };
	struct catalogue_model exact = { .name = "gpt-4o" };
	char name[MODEL_NAME_BYTES], large[MODEL_NAME_BYTES];

	ck_assert(view_upstream_name(&pattern, "openai/gpt-4o*",
	    "gpt-4o-mini", 11, name));
	ck_assert_str_eq(name, "openai/gpt-4o-mini");
	ck_assert(view_upstream_name(&pattern, "one", "gpt-4o-mini", 11,
	    name));
	ck_assert_str_eq(name, "one");
	ck_assert(view_upstream_name(&exact, "gpt-4o-2024", "gpt-4o", 6,
	    name));
	ck_assert_str_eq(name, "gpt-4o-2024");
	ck_assert(!view_upstream_name(&pattern, "*", "gpt-4o", 6, name));
	memset(large, 'x', sizeof(large));
	memcpy(large, "gpt-4o", 6);
	ck_assert(!view_upstream_name(&pattern, "openai/gpt-4o*", large,
	    sizeof(large) - 1, name));
}
END_TEST

START_TEST(test_another_model_is_found_by_its_providers_name)
{
	struct catalogue c = make();

	add_channel(&c, WIRE_ANTHROPIC, 0, 1);
	add_route(&c, 3, 0, "claude-x-20260101");
	take(&c);
	ck_assert_ptr_eq(view_model_upstream(view, 100, "claude-x-20260101"),
	    model(3));
	ck_assert_ptr_eq(view_model_upstream(view, 100, "model-7"), model(7));
	ck_assert_ptr_null(view_model_upstream(view, 100, "claude-y"));
	ck_assert_ptr_null(view_model_upstream(view, 101,
	    "claude-x-20260101"));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("worker view");
	TCase *tcase = tcase_create("view");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_view_finds_every_model_by_its_exact_name);
	tcase_add_test(tcase,
	    test_view_has_the_credentials_as_headers_want_them);
	tcase_add_test(tcase,
	    test_view_has_no_use_for_what_is_disabled_or_sealed_elsewhere);
	tcase_add_test(tcase,
	    test_view_keeps_what_is_sealed_anew_by_a_newer_key);
	tcase_add_test(tcase, test_view_reads_the_operators_headers);
	tcase_add_test(tcase, test_view_opens_a_channel_to_its_groups_alone);
	tcase_add_test(tcase,
	    test_view_opens_another_upstream_for_another_proxy);
	tcase_add_test(tcase,
	    test_view_keeps_an_upstream_that_did_not_change);
	tcase_add_test(tcase, test_view_knows_groups);
	tcase_add_test(tcase,
	    test_view_prefers_a_groups_multiplier_for_the_model);
	tcase_add_test(tcase, test_view_finds_the_longest_pattern_that_fits);
	tcase_add_test(tcase,
	    test_a_star_matches_whatever_nothing_else_does);
	tcase_add_test(tcase,
	    test_upstream_names_take_what_the_star_stands_for);
	tcase_add_test(tcase,
	    test_another_model_is_found_by_its_providers_name);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
