/*
 * test_worker_view.c: the catalogue's index and the choice of a channel.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "base/secret.h"
#include "conf/settings.h"
#include "tests/unit/run.h"
#include "tests/unit/shm_fixture.h"
#include "upstream/endpoint.h"
#include "worker/catalogue_view.h"

#define MODELS 40
#define CHANNELS 4

static struct secrets secrets = { .pepper = "p", .seal = "s" };
static struct settings settings;
static struct shm *shm;
static struct loop *loop;
static struct upstream_client *client;
static struct catalogue_view *view;

static struct catalogue_channel *
add_channel(struct catalogue *c, enum wire_protocol protocol,
    uint32_t priority, uint32_t weight)
{
	struct catalogue_channel *channel = &c->channel[c->channels];

	channel->channel_id = 100 + c->channels;
	channel->slot = c->channels++;
	channel->protocol = (uint16_t)protocol;
	channel->port = 9;
	channel->priority = priority;
	channel->weight = weight;
	snprintf(channel->name, sizeof(channel->name), "c%u",
	    (unsigned)channel->slot);
	strcpy(channel->host, "localhost");
	channel->credential_bytes = SEAL_OVERHEAD + 4;
	ck_assert(secret_seal(&secrets, channel->name, "cred", 4,
	    channel->credential));
	return channel;
}

static void
add_route(struct catalogue *c, uint32_t model, uint32_t channel,
    const char *name)
{
	struct catalogue_route *route = &c->route[c->routes++];

	route->model = model;
	route->channel = channel;
	strcpy(route->upstream_name, name);
}

static struct catalogue
make(void)
{
	struct catalogue c = { .models = MODELS };

	c.model = calloc(MODELS, sizeof(*c.model));
	c.group = calloc(1, sizeof(*c.group));
	c.channel = calloc(CHANNELS, sizeof(*c.channel));
	c.route = calloc(MODELS, sizeof(*c.route));
	for (uint32_t i = 0; i < MODELS; i++) {
		c.model[i].model_id = 1000 + i;
		snprintf(c.model[i].name, sizeof(c.model[i].name),
		    "model-%u", (unsigned)i);
	}
	return c;
}

static void
take(struct catalogue *c)
{
	ck_assert_int_eq(catalogue_publish(shm, c), CATALOGUE_OK);
	catalogue_free(c);
	view_refresh(&view, shm, &secrets, &settings, client);
	ck_assert_ptr_nonnull(view);
}

static void
setup(void)
{
	static const struct shm_sizes sizes = {
		.seats = 2, .holds_per_seat = 8, .ring_records = 16,
		.accounts = 16, .keys = 16, .channels = 8,
		.catalogue_bytes = 1 << 20
	};

	settings_default(&settings);
	shm = fixture_segment(&sizes);
	loop = loop_open();
	client = upstream_client_open(loop, NULL);
	ck_assert_ptr_nonnull(client);
}

static void
teardown(void)
{
	view_free(&view);
	upstream_client_close(&client);
	loop_close(&loop);
	shm_close(&shm);
}

static const struct catalogue_model *
model(uint32_t i)
{
	return &view_catalogue(view)->model[i];
}

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

START_TEST(test_view_chooses_by_protocol_and_priority)
{
	struct catalogue c = make();
	const struct view_channel *channel;
	const char *name;

	add_channel(&c, WIRE_OPENAI, 5, 1);
	add_channel(&c, WIRE_OPENAI, 1, 1);
	add_channel(&c, WIRE_ANTHROPIC, 0, 1);
	add_route(&c, 3, 2, "three");
	add_route(&c, 3, 1, "one");
	add_route(&c, 3, 0, "zero");
	take(&c);
	ck_assert_int_eq(view_choose(view, model(3), WIRE_OPENAI, UINT32_MAX,
	    &channel, &name), VIEW_CHOSEN);
	ck_assert_uint_eq(channel->channel->channel_id, 101);
	ck_assert_str_eq(name, "one");
	ck_assert_str_eq(channel->credential, "Bearer cred");
	ck_assert_int_eq(view_choose(view, model(3), WIRE_ANTHROPIC, 0,
	    &channel, &name), VIEW_CHOSEN);
	ck_assert_str_eq(channel->credential, "cred");
	ck_assert_int_eq(view_choose(view, model(4), WIRE_OPENAI, 0,
	    &channel, &name), VIEW_NO_ROUTE);
	ck_assert_int_eq(view_choose(view, model(3), WIRE_GEMINI, 0,
	    &channel, &name), VIEW_NO_ROUTE);
}
END_TEST

START_TEST(test_view_spreads_by_weight)
{
	struct catalogue c = make();
	const struct view_channel *channel;
	const char *name;
	unsigned heavy = 0;

	add_channel(&c, WIRE_OPENAI, 1, 3);
	add_channel(&c, WIRE_OPENAI, 1, 0);	/* counts as one */
	add_route(&c, 0, 0, "heavy");
	add_route(&c, 0, 1, "light");
	take(&c);
	for (uint32_t i = 0; i < 1000; i++) {
		ck_assert_int_eq(view_choose(view, model(0), WIRE_OPENAI,
		    i * (UINT32_MAX / 1000), &channel, &name), VIEW_CHOSEN);
		heavy += strcmp(name, "heavy") == 0;
	}
	ck_assert_uint_ge(heavy, 749);
	ck_assert_uint_le(heavy, 751);
}
END_TEST

START_TEST(test_view_passes_over_what_cannot_be_used)
{
	struct catalogue c = make();
	const struct view_channel *channel;
	const char *name;

	add_channel(&c, WIRE_OPENAI, 0, 1)->status = CHANNEL_DISABLED;
	/* Sealed for another channel: moved between rows. */
	strcpy(add_channel(&c, WIRE_OPENAI, 0, 1)->name, "other");
	add_route(&c, 0, 0, "disabled");
	add_route(&c, 0, 1, "sealed");
	take(&c);
	ck_assert_int_eq(view_choose(view, model(0), WIRE_OPENAI, 0,
	    &channel, &name), VIEW_NO_CHANNEL);
	ck_assert(view_serves(view, model(0), WIRE_OPENAI));
}
END_TEST

START_TEST(test_view_keeps_an_upstream_that_did_not_change)
{
	struct catalogue c = make();
	const struct view_channel *channel;
	struct upstream *before;
	const char *name;

	add_channel(&c, WIRE_OPENAI, 0, 1);
	add_route(&c, 0, 0, "a");
	take(&c);
	ck_assert_int_eq(view_choose(view, model(0), WIRE_OPENAI, 0,
	    &channel, &name), VIEW_CHOSEN);
	before = channel->upstream;
	c = make();
	add_channel(&c, WIRE_OPENAI, 7, 1);
	add_route(&c, 0, 0, "b");
	take(&c);
	ck_assert_int_eq(view_choose(view, model(0), WIRE_OPENAI, 0,
	    &channel, &name), VIEW_CHOSEN);
	ck_assert_ptr_eq(channel->upstream, before);
	ck_assert_str_eq(name, "b");
	c = make();
	strcpy(add_channel(&c, WIRE_OPENAI, 7, 1)->host, "127.0.0.1");
	add_route(&c, 0, 0, "c");
	take(&c);
	ck_assert_int_eq(view_choose(view, model(0), WIRE_OPENAI, 0,
	    &channel, &name), VIEW_CHOSEN);
	ck_assert_ptr_nonnull(channel->upstream);
	ck_assert_str_eq(upstream_host(channel->upstream), "127.0.0.1:9");
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
	tcase_add_test(tcase, test_view_chooses_by_protocol_and_priority);
	tcase_add_test(tcase, test_view_spreads_by_weight);
	tcase_add_test(tcase, test_view_passes_over_what_cannot_be_used);
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
