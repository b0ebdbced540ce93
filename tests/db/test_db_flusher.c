/*
 * test_db_flusher.c: calls to PostgreSQL, and PostgreSQL's changes to the
 * segment.
 */
#include "shm/catalogue.h"
#include "tests/db/flusher_fixture.h"
#include "tests/unit/run.h"

START_TEST(test_calls_are_billed_to_the_nano)
{
	start_flusher();
	wait_for(loaded, 5000, "the directory is loaded");
	ck_assert_int_eq(available(), 10 * UNIT);
	calls(2500);
	must_be_exact(10 * UNIT);
	ck_assert_int_eq(stop_flusher(), 0);
	ck_assert_uint_eq(shm_gauge(shm, SHM_GAUGE_APPLIED_SEQ), 2500);
}
END_TEST

static struct catalogue seen;

static bool
look(bool (*right)(const struct catalogue *))
{
	bool ok;

	if (catalogue_copy(shm, &seen) != CATALOGUE_OK)
		return false;
	ok = right(&seen);
	catalogue_free(&seen);
	return ok;
}

static bool
revoked(void)
{
	struct key_view view;

	return key_find(shm, digest, &view) && view.status == KEY_REVOKED;
}

static bool
second_key(void)
{
	uint8_t other[32] = { 43 };
	struct key_view view;

	return key_find(shm, other, &view);
}

static bool
suspended(void)
{
	struct account_view view;

	return account_read(shm, account(), &view) &&
	    view.status == ACCOUNT_SUSPENDED;
}

static bool
is_priced(const struct catalogue *c)
{
	return c->models == 1 && strcmp(c->model[0].name, "m") == 0 &&
	    c->model[0].price.nano[USAGE_INPUT] == 5 &&
	    c->model[0].price.nano[USAGE_CACHE_READ] ==
	    PRICE_UNSET && c->model[0].price.version == 1;
}

static bool
priced(void)
{
	return look(is_priced);
}

static bool
has_vip(const struct catalogue *c)
{
	return c->groups == 2 && c->group[1].multiplier_ppm == 1250000;
}

static bool
grouped(void)
{
	return look(has_vip);
}

static bool
has_channel(const struct catalogue *c)
{
	return c->channels == 1 && strcmp(c->channel[0].host, "127.0.0.1") ==
	    0 && c->channel[0].addresses == 1 &&
	    c->channel[0].address[0].ip[12] == 127 &&
	    c->channel[0].max_per_minute == 60 && c->credentials == 1 &&
	    c->credential[0].channel == 0 && c->credential[0].bytes == 3 &&
	    c->grants == 1 && c->routes == 1 &&
	    strcmp(c->route[0].upstream_name, "up-m") == 0;
}

static bool
channelled(void)
{
	return look(has_channel);
}

START_TEST(test_changes_are_in_the_segment_within_100_ms)
{
	struct channel_row channel = { .name = "up", .protocol = 1,
		.host = "127.0.0.1", .port = 443, .tls = true, .weight = 1 };
	struct channel_credential_row credential = { .name = "main",
		.sealed = "abc", .sealed_bytes = 3 };
	struct channel_bounds bounds = { .max_per_minute = 60 };
	const char *group = "default";
	struct price price;
	uint8_t other[32] = { 43 };
	int64_t id, model, ch;

	price_clear(&price);
	price.nano[USAGE_INPUT] = price.nano[USAGE_OUTPUT] = 5;
	start_flusher();
	wait_for(loaded, 5000, "the directory is loaded");
	nap_ms(100);	/* it is idle, and asleep as deeply as it gets */
	credit("second", UNIT);
	wait_for(credited, 100, "a credit");
	ck_assert_int_eq(q_key_add(admin, customer_id, "", other, "sk",
	    0, KEY_SCOPE_CALLS,
	    &id), DB_OK);
	wait_for(second_key, 100, "a new key");
	ck_assert_int_eq(q_model_put(admin, "m", 1000, &model), DB_OK);
	ck_assert_int_eq(q_price_add(admin, model, 0, &price, "x", &id),
	    DB_OK);
	wait_for(priced, 100, "a price");
	ck_assert_int_eq(q_group_set(admin, "vip", 1250000, &id), DB_OK);
	wait_for(grouped, 100, "a group");
	ck_assert_int_eq(q_channel_add(admin, &channel, 8, &ch), DB_OK);
	credential.channel_id = ch;
	ck_assert_int_eq(q_channel_credential_next(admin, &credential.id),
	    DB_OK);
	ck_assert_int_eq(q_channel_credential_add(admin, &credential), DB_OK);
	ck_assert_int_eq(q_channel_groups_set(admin, ch, &group, 1), DB_OK);
	ck_assert_int_eq(q_channel_bounds_set(admin, ch, &bounds), DB_OK);
	ck_assert_int_eq(q_channel_model_put(admin, ch, model, "up-m"),
	    DB_OK);
	wait_for(channelled, 100, "a channel");
	ck_assert_int_eq(q_customer_set(admin, customer_id, 2, NULL, NULL,
	    NULL), DB_OK);
	wait_for(suspended, 100, "a suspension");
	ck_assert_int_eq(q_key_revoke(admin, 1), DB_OK);
	wait_for(revoked, 100, "a revocation");
}
END_TEST

static bool
second_price(const struct catalogue *c)
{
	return c->models == 1 && c->model[0].price.version == 2;
}

static bool
repriced(void)
{
	return look(second_price);
}

START_TEST(test_a_price_takes_effect_at_its_time)
{
	struct price price;
	int64_t id, model, due = clock_wall().us + 700000;

	price_clear(&price);
	price.nano[USAGE_INPUT] = price.nano[USAGE_OUTPUT] = 5;
	ck_assert_int_eq(q_model_put(admin, "m", 0, &model), DB_OK);
	ck_assert_int_eq(q_price_add(admin, model, 0, &price, "x", &id),
	    DB_OK);
	ck_assert_int_eq(q_price_add(admin, model, due, &price, "x", &id),
	    DB_OK);
	start_flusher();
	wait_for(loaded, 600, "the directory is loaded");
	wait_for(repriced, 1500, "the new price");
	ck_assert_int_ge(clock_wall().us, due);
	ck_assert_int_lt(clock_wall().us, due + 100000);
}
END_TEST

static int64_t
priced_model(const char *name, int64_t nano)
{
	struct price price;
	int64_t model, id;

	ck_assert_int_eq(q_model_put(admin, name, 0, &model), DB_OK);
	if (nano < 0)
		return model;
	price_clear(&price);
	price.nano[USAGE_INPUT] = nano;
	ck_assert_int_eq(q_price_add(admin, model, 0, &price, "x", &id),
	    DB_OK);
	return model;
}

/* The name that a channel's upstream knows a model by; NULL: no route. */
static const char *
route_of(const struct catalogue *c, uint32_t model, uint64_t channel_id)
{
	for (uint32_t i = 0; i < c->routes; i++)
		if (c->route[i].model == model && c->channel[
		    c->route[i].channel].channel_id == channel_id)
			return c->route[i].upstream_name;
	return NULL;
}

static bool
has_patterns(const struct catalogue *c)
{
	if (c->models != 5 || c->overrides != 4)
		return false;
	ck_assert_int_eq(c->model[0].price.nano[USAGE_INPUT], 1);
	ck_assert_int_eq(c->model[1].price.nano[USAGE_INPUT], 2);
	/* By the longer pattern; of its own; by none. */
	ck_assert_int_eq(c->model[2].price.nano[USAGE_INPUT], 2);
	ck_assert_int_eq(c->model[3].price.nano[USAGE_INPUT], 4);
	ck_assert_int_eq(c->model[4].price.nano[USAGE_INPUT], PRICE_UNSET);
	/* Channel 1 serves "gpt-*", channel 2 "gpt-4o" by another name. */
	ck_assert_str_eq(route_of(c, 0, 1), "openai/*");
	ck_assert_str_eq(route_of(c, 1, 1), "openai/4o*");
	ck_assert_str_eq(route_of(c, 2, 1), "openai/4o-mini");
	ck_assert_str_eq(route_of(c, 3, 2), "exact");
	ck_assert_str_eq(route_of(c, 3, 1), "openai/4o");
	ck_assert_ptr_null(route_of(c, 4, 1));
	ck_assert_ptr_null(route_of(c, 2, 2));
	for (uint32_t i = 0; i < c->overrides; i++)
		ck_assert_uint_eq(c->override[i].multiplier_ppm,
		    c->override[i].model == 3 ? 7 : 8);
	return true;
}

static bool
patterned(void)
{
	return look(has_patterns);
}

START_TEST(test_patterns_price_route_and_multiply_what_they_fit)
{
	struct channel_row channel = { .name = "all", .protocol = 1,
		.host = "127.0.0.1", .port = 443, .weight = 1 };
	int64_t all, exact, id;

	all = priced_model("gpt-*", 1);
	(void)priced_model("gpt-4o*", 2);
	(void)priced_model("gpt-4o-mini", -1);
	exact = priced_model("gpt-4o", 4);
	(void)priced_model("claude", -1);
	ck_assert_int_eq(q_channel_add(admin, &channel, 8, &id), DB_OK);
	ck_assert_int_eq(q_channel_model_put(admin, id, all, "openai/*"),
	    DB_OK);
	channel.name = "one";
	ck_assert_int_eq(q_channel_add(admin, &channel, 8, &id), DB_OK);
	ck_assert_int_eq(q_channel_model_put(admin, id, exact, "exact"),
	    DB_OK);
	ck_assert_int_eq(q_group_model_set(admin, "default", "gpt-*", 8),
	    DB_OK);
	ck_assert_int_eq(q_group_model_set(admin, "default", "gpt-4o", 7),
	    DB_OK);
	start_flusher();
	wait_for(patterned, 5000, "the patterns");
}
END_TEST

START_TEST(test_a_host_name_is_resolved)
{
	struct channel_row channel = { .name = "up", .protocol = 1,
		.host = "localhost", .port = 443, .weight = 1 };
	struct mono_time began;
	int64_t id;
	bool known = false;

	ck_assert_int_eq(q_channel_add(admin, &channel, 8, &id), DB_OK);
	start_flusher();
	began = clock_mono();
	while (!known && mono_diff_ms(clock_mono(), began) < 5000) {
		if (catalogue_copy(shm, &seen) == CATALOGUE_OK) {
			known = seen.channels == 1 &&
			    seen.channel[0].addresses > 0;
			catalogue_free(&seen);
		}
		nap_ms(5);
	}
	ck_assert(known);
}
END_TEST

START_TEST(test_idle_it_uses_hardly_any_cpu)
{
	char path[64], line[512], *p;
	unsigned long user = 0, system_ticks = 0;
	FILE *file;

	start_flusher();
	wait_for(loaded, 5000, "the directory is loaded");
	nap_ms(3000);
	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)flusher);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(line, sizeof(line), file));
	fclose(file);
	p = strrchr(line, ')');
	ck_assert_int_eq(sscanf(p, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u"
	    " %*u %lu %lu", &user, &system_ticks), 2);
	/* In 3 s: less than 5 %, with the load itself. */
	ck_assert_int_lt((int64_t)(user + system_ticks) * 1000 /
	    sysconf(_SC_CLK_TCK), 150);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("db_flusher");
	TCase *tc = tcase_create("flusher");
	int status;

	server = pg_server_start();
	if (server == NULL)
		return PG_SKIP;
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, test_calls_are_billed_to_the_nano);
	tcase_add_test(tc, test_changes_are_in_the_segment_within_100_ms);
	tcase_add_test(tc, test_a_price_takes_effect_at_its_time);
	tcase_add_test(tc,
	    test_patterns_price_route_and_multiply_what_they_fit);
	tcase_add_test(tc, test_a_host_name_is_resolved);
	tcase_add_test(tc, test_idle_it_uses_hardly_any_cpu);
	suite_add_tcase(suite, tc);
	status = run_suite(suite);
	pg_server_stop(&server);
	return status;
}
