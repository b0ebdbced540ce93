/*
 * test_db_queries.c: what the administrator's tool asks and tells.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "db/queries.h"
#include "db/queries_audit.h"
#include "db/queries_verify.h"
#include "db/transaction.h"
#include "db/value.h"
#include "flusher/batch.h"
#include "tests/db/pg_fixture.h"
#include "tests/unit/run.h"

#define DATABASE "queries_test"

static struct pg_server *server;
static struct db *admin;

static void
set_up(void)
{
	pg_fresh_database(server, DATABASE);
	admin = pg_connect(server, "youyun_admin", DATABASE);
}

static void
tear_down(void)
{
	db_close(&admin);
}

static int64_t
customer(const char *name)
{
	int64_t id;

	ck_assert_int_eq(q_customer_add(admin, name, NULL, "who", "what", &id),
	    DB_OK);
	return id;
}

static int64_t
credit(const char *key, int64_t customer_id, int64_t nano)
{
	struct credit c = { .key = key, .customer_id = customer_id,
		.amount_nano = nano, .source = "external", .actor = "x" };
	struct credit_receipt receipt;

	ck_assert_int_eq(q_credit(admin, &c, &receipt), DB_OK);
	return receipt.transaction_id;
}

/* Books n calls of one nano each, as the flusher does. */
static void
calls(int64_t customer_id, uint64_t first, uint32_t n)
{
	struct db *db = pg_connect(server, "youyun_flusher", DATABASE);
	static struct journal_frame frame[100];
	struct batch b = { .node = 1, .journal_id = 9, .frame = frame,
		.frames = n };
	uint64_t mark;
	uint32_t i;

	memset(frame, 0, sizeof(frame));
	for (i = 0; i < n; i++) {
		frame[i].seq = first + i;
		frame[i].incarnation = 1;
		memcpy(frame[i].record.request_id, &frame[i].seq, 8);
		frame[i].record.started_us = clock_wall().us + i;
		frame[i].record.account_id = (uint64_t)customer_id;
		frame[i].record.fee_nano = 1;
	}
	ck_assert_int_eq(batch_apply(db, &b, &mark), DB_OK);
	db_close(&db);
}

struct seen {
	int n;
	int64_t a[16], b[16];
	char text[16][64];
};

static bool
see_customer(const struct customer_row *r, void *arg)
{
	struct seen *s = arg;

	s->a[s->n] = r->granted_nano;
	s->b[s->n] = r->keys;
	snprintf(s->text[s->n++], 64, "%.20s %.20s %.20s", r->name, r->group,
	    r->contact);
	return true;
}

START_TEST(test_customers_groups_and_keys)
{
	struct seen s = { 0 };
	uint8_t digest[32] = { 1 };
	int64_t a = customer("a"), id, key;
	struct customer_filter all = { .status = -1 };

	ck_assert_int_eq(q_customer_add(admin, "a", NULL, NULL, NULL, &id),
	    DB_CONFLICT);
	ck_assert_int_eq(q_customer_add(admin, "c", "nope", NULL, NULL, &id),
	    DB_NONE);
	ck_assert_int_eq(q_group_set(admin, "vip", 900000, &id), DB_OK);
	ck_assert_int_eq(q_customer_set(admin, a, -1, "vip", NULL, "n"),
	    DB_OK);
	ck_assert_int_eq(q_customer_set(admin, a, -1, "nope", NULL, NULL),
	    DB_NONE);
	ck_assert_int_eq(q_customer_set(admin, a, 1, NULL, "new", NULL),
	    DB_OK);
	ck_assert_int_eq(q_key_add(admin, a, "k", digest, "sk",
	    0, KEY_SCOPE_CALLS,
	    &key),
	    DB_OK);
	ck_assert_int_eq(q_key_add(admin, a, "k", digest, "sk",
	    0, KEY_SCOPE_CALLS,
	    &key),
	    DB_CONFLICT);
	digest[0] = 2;
	ck_assert_int_eq(q_key_add(admin, 99, "k", digest, "sk",
	    0, KEY_SCOPE_CALLS,
	    &id),
	    DB_NONE);
	credit("k1", a, 70);
	ck_assert_int_eq(q_customer_list(admin, &all, see_customer, &s), DB_OK);
	ck_assert_int_eq(s.n, 1);
	ck_assert_str_eq(s.text[0], "a vip new");
	ck_assert_int_eq(s.a[0], 70);
	ck_assert_int_eq(s.b[0], 1);
	ck_assert_int_eq(q_key_revoke(admin, 1), DB_OK);
	ck_assert_int_eq(q_key_revoke(admin, 1), DB_CONFLICT);
	ck_assert_int_eq(q_key_revoke(admin, 999), DB_NONE);
	ck_assert_int_eq(q_customer_find(admin, "a", &id), DB_OK);
	ck_assert_int_eq(id, a);
	ck_assert_int_eq(q_customer_find(admin, "1", &id), DB_OK);
	ck_assert_int_eq(q_customer_find(admin, "zz", &id), DB_NONE);
}
END_TEST

START_TEST(test_a_name_goes_before_a_number)
{
	int64_t first = customer("2"), second = customer("x"), id;

	ck_assert_int_eq(q_customer_find(admin, "2", &id), DB_OK);
	ck_assert_int_eq(id, first);
	ck_assert_int_ne(id, second);
}
END_TEST

static bool
see_price(const struct price_row *r, void *arg)
{
	struct seen *s = arg;

	s->a[s->n] = r->price.nano[USAGE_CACHE_READ];
	s->b[s->n++] = r->current;
	return true;
}

START_TEST(test_of_the_prices_the_latest_effective_holds)
{
	struct price price;
	struct seen s = { 0 };
	int64_t model, id, hour = INT64_C(3600000000), now = clock_wall().us;

	price_clear(&price);
	price.nano[USAGE_INPUT] = price.nano[USAGE_OUTPUT] = 10;
	ck_assert_int_eq(q_model_put(admin, "m", -1, &model), DB_OK);
	ck_assert_int_eq(q_price_add(admin, model, now - hour, &price, "x",
	    &id), DB_OK);
	price.nano[USAGE_CACHE_READ] = 3;
	ck_assert_int_eq(q_price_add(admin, model, now + hour, &price, "x",
	    &id), DB_OK);
	price.nano[USAGE_CACHE_READ] = 2;
	ck_assert_int_eq(q_price_add(admin, model, now - hour / 2, &price, "x",
	    &id), DB_OK);
	ck_assert_int_eq(q_price_each(admin, "m", see_price, &s), DB_OK);
	ck_assert_int_eq(s.n, 3);
	ck_assert_int_eq(s.a[0], PRICE_UNSET);
	ck_assert(!s.b[0] && s.b[1] && !s.b[2]);
	ck_assert_int_eq(s.a[1], 2);
	price.nano[USAGE_INPUT] = PRICE_MAX_NANO + 1;
	ck_assert_int_eq(q_price_add(admin, model, 0, &price, "x", &id),
	    DB_ERROR);
	ck_assert_int_eq(q_price_add(admin, 99, 0, &price, "x", &id), DB_ERROR);
}
END_TEST

static bool
see_channel(const struct channel_row *r, void *arg)
{
	struct seen *s = arg;

	s->a[s->n] = r->slot;
	s->b[s->n] = r->bounds.max_concurrent;
	snprintf(s->text[s->n++], 64, "%.20s %d %d", r->name, (int)r->status,
	    (int)r->priority);
	return true;
}

START_TEST(test_channels_take_the_lowest_free_slot)
{
	struct channel_row c = { .name = "one", .protocol = 1, .host = "h",
		.port = 443, .tls = true, .weight = 1 };
	struct channel_bounds b = { .max_concurrent = 4, .region = "eu" };
	struct seen s = { 0 };
	int64_t id;

	ck_assert_int_eq(q_channel_add(admin, &c, 2, &id), DB_OK);
	ck_assert_int_eq(q_channel_add(admin, &c, 2, &id), DB_CONFLICT);
	c.name = "two";
	ck_assert_int_eq(q_channel_add(admin, &c, 2, &id), DB_OK);
	c.name = "three";
	ck_assert_int_eq(q_channel_add(admin, &c, 2, &id), DB_NONE);
	ck_assert_int_eq(q_channel_find(admin, "two", &id), DB_OK);
	ck_assert_int_eq(q_channel_set(admin, id, 1, 5, -1), DB_OK);
	ck_assert_int_eq(q_channel_bounds_set(admin, id, &b), DB_OK);
	b.max_concurrent = -1;
	b.region = NULL;
	ck_assert_int_eq(q_channel_bounds_set(admin, id, &b), DB_OK);
	ck_assert_int_eq(q_channel_reset(admin, id), DB_OK);
	ck_assert_int_eq(q_channel_reset(admin, 99), DB_NONE);
	ck_assert_int_eq(q_channel_set(admin, 99, 1, 5, -1), DB_NONE);
	ck_assert_int_eq(q_channel_each(admin, 0, see_channel, &s), DB_OK);
	ck_assert_int_eq(s.n, 2);
	ck_assert_str_eq(s.text[0], "one 0 0");
	ck_assert_str_eq(s.text[1], "two 1 5");
	ck_assert_int_eq(s.a[0], 0);
	ck_assert_int_eq(s.a[1], 1);
	ck_assert_int_eq(s.b[0], 0);
	ck_assert_int_eq(s.b[1], 4);
}
END_TEST

static bool
see_credential(const struct channel_credential_row *r, void *arg)
{
	struct seen *s = arg;

	s->a[s->n] = r->slot;
	s->b[s->n] = r->edition;
	snprintf(s->text[s->n++], 64, "%.20s %d %d", r->name, (int)r->status,
	    (int)r->sealed_bytes);
	return true;
}

START_TEST(test_a_channel_has_up_to_eight_credentials)
{
	struct channel_row c = { .name = "one", .protocol = 1, .host = "h",
		.port = 443, .weight = 1 };
	struct channel_credential_row cr = { .sealed = "abcd",
		.sealed_bytes = 4 };
	struct seen s = { 0 }, later = { 0 };
	char name[] = "key0";
	int64_t id;

	ck_assert_int_eq(q_channel_add(admin, &c, 2, &cr.channel_id), DB_OK);
	cr.name = name;
	for (int i = 0; i < 8; i++, name[3]++) {
		ck_assert_int_eq(q_channel_credential_next(admin, &cr.id),
		    DB_OK);
		ck_assert_int_eq(q_channel_credential_add(admin, &cr), DB_OK);
	}
	ck_assert_int_eq(q_channel_credential_next(admin, &cr.id), DB_OK);
	ck_assert_int_eq(q_channel_credential_add(admin, &cr), DB_NONE);
	ck_assert_int_eq(q_channel_credential_find(admin, cr.channel_id,
	    "key3", &id), DB_OK);
	ck_assert_int_eq(q_channel_credential_remove(admin, id), DB_OK);
	name[3] = '2';
	ck_assert_int_eq(q_channel_credential_add(admin, &cr), DB_CONFLICT);
	name[3] = '9';
	ck_assert_int_eq(q_channel_credential_add(admin, &cr), DB_OK);
	ck_assert_int_eq(q_channel_credential_each(admin, 0, see_credential,
	    &s), DB_OK);
	ck_assert_int_eq(s.n, 8);
	ck_assert_str_eq(s.text[3], "key9 0 4");
	ck_assert_int_eq(s.a[3], 3);
	/* Another key, another edition; another status, the same. */
	ck_assert_int_eq(q_channel_credential_set(admin, cr.id, NULL, 0, 1),
	    DB_OK);
	ck_assert_int_eq(q_channel_credential_find(admin, cr.channel_id, NULL,
	    &id), DB_OK);
	ck_assert_int_eq(q_channel_credential_set(admin, id, "xy", 2, -1),
	    DB_OK);
	ck_assert_int_eq(q_channel_credential_each(admin, cr.channel_id,
	    see_credential, &later), DB_OK);
	ck_assert_str_eq(later.text[0], "key0 0 2");
	ck_assert_int_ne(later.b[0], s.b[0]);
	ck_assert_str_eq(later.text[3], "key9 1 4");
	ck_assert_int_eq(later.b[3], s.b[3]);
}
END_TEST

static bool
see_way(const struct channel_row *r, void *arg)
{
	struct seen *s = arg;

	s->a[s->n] = r->proxy_port;
	snprintf(s->text[s->n++], 64, "%.20s %.20s", r->proxy_host, r->groups);
	return true;
}

START_TEST(test_channels_have_groups_and_a_proxy)
{
	static const char *const groups[] = { "vip", "default", "nobody" };
	struct channel_row c = { .name = "one", .protocol = 1, .host = "h",
		.port = 443, .weight = 1 };
	struct seen s = { 0 };
	int64_t id, group;

	ck_assert_int_eq(q_channel_add(admin, &c, 2, &id), DB_OK);
	ck_assert_int_eq(q_group_set(admin, "vip", 1000000, &group), DB_OK);
	ck_assert_int_eq(q_channel_groups_set(admin, id, groups, 3), DB_NONE);
	ck_assert_int_eq(q_channel_groups_set(admin, id, groups, 2), DB_OK);
	ck_assert_int_eq(q_channel_proxy_set(admin, id, "p", 3128, "s", 1),
	    DB_OK);
	ck_assert_int_eq(q_channel_each(admin, id, see_way, &s), DB_OK);
	ck_assert_str_eq(s.text[0], "p default,vip");
	ck_assert_int_eq(s.a[0], 3128);
	ck_assert_int_eq(q_channel_groups_set(admin, id, groups, 1), DB_OK);
	ck_assert_int_eq(q_channel_proxy_set(admin, id, "q", 8080, NULL, 0),
	    DB_OK);
	ck_assert_int_eq(q_channel_each(admin, id, see_way, &s), DB_OK);
	ck_assert_str_eq(s.text[1], "q vip");
	ck_assert_int_eq(q_channel_groups_set(admin, id, NULL, 0), DB_OK);
	ck_assert_int_eq(q_channel_proxy_set(admin, id, NULL, 0, NULL, 0),
	    DB_OK);
	ck_assert_int_eq(q_channel_each(admin, id, see_way, &s), DB_OK);
	ck_assert_str_eq(s.text[2], " ");
}
END_TEST

static bool
see_ledger(const struct ledger_row *r, void *arg)
{
	struct seen *s = arg;

	s->a[s->n] = r->amount_nano;
	s->b[s->n] = r->balance_nano;
	snprintf(s->text[s->n++], 64, "%s %s %d", r->kind, r->account,
	    (int)r->calls);
	return true;
}

START_TEST(test_the_ledger_runs_a_balance)
{
	struct seen s = { 0 };
	int64_t a = customer("a"), b = customer("b"), third;
	struct ledger_filter f = { .customer_id = a, .limit = 100 };

	credit("k1", a, 100);
	credit("k2", b, 1000);
	calls(a, 1, 30);
	third = credit("k3", a, 50);
	calls(a, 31, 20);
	ck_assert_int_eq(q_ledger_list(admin, &f, see_ledger, &s), DB_OK);
	ck_assert_int_eq(s.n, 8);
	ck_assert_str_eq(s.text[0], "credit customer_prepaid 0");
	ck_assert_str_eq(s.text[1], "credit external 0");
	ck_assert_str_eq(s.text[2], "calls customer_prepaid 30");
	ck_assert_str_eq(s.text[3], "calls revenue 30");
	ck_assert_int_eq(s.b[0], 100);
	ck_assert_int_eq(s.b[1], 0);
	ck_assert_int_eq(s.b[2], 70);
	ck_assert_int_eq(s.b[4], 120);
	ck_assert_int_eq(s.b[6], 100);
	ck_assert_int_eq(s.a[6], -20);
	/* The last ones only, with the same balances. */
	memset(&s, 0, sizeof(s));
	f.limit = 2;
	ck_assert_int_eq(q_ledger_list(admin, &f, see_ledger, &s), DB_OK);
	ck_assert_int_eq(s.n, 4);
	ck_assert_int_eq(s.b[0], 120);
	ck_assert_int_eq(s.b[2], 100);
	/* The page before, by what there was before the booking. */
	memset(&s, 0, sizeof(s));
	f.after = third;
	f.after_nano = 70;
	ck_assert_int_eq(q_ledger_list(admin, &f, see_ledger, &s), DB_OK);
	ck_assert_int_eq(s.n, 4);
	ck_assert_int_eq(s.b[0], 100);
	ck_assert_int_eq(s.b[2], 70);
	/* And forward, from the first on and behind one. */
	memset(&s, 0, sizeof(s));
	f = (struct ledger_filter){ .customer_id = a, .limit = 3,
		.forward = true };
	ck_assert_int_eq(q_ledger_list(admin, &f, see_ledger, &s), DB_OK);
	ck_assert_int_eq(s.n, 6);
	ck_assert_int_eq(s.b[0], 100);
	ck_assert_int_eq(s.b[2], 70);
	ck_assert_int_eq(s.b[4], 120);
	memset(&s, 0, sizeof(s));
	f.after = third;
	f.after_nano = 120;
	ck_assert_int_eq(q_ledger_list(admin, &f, see_ledger, &s), DB_OK);
	ck_assert_int_eq(s.n, 2);
	ck_assert_int_eq(s.b[0], 100);
	f = (struct ledger_filter){ .limit = 5 };
	memset(&s, 0, sizeof(s));
	ck_assert_int_eq(q_ledger_list(admin, &f, see_ledger, &s), DB_OK);
	ck_assert_int_eq(s.n, 10);
}
END_TEST

static bool
see_call(const struct call_row *r, void *arg)
{
	struct seen *s = arg;

	s->a[s->n++] = (int64_t)r->journal_seq;
	return s->n < 5;
}

START_TEST(test_calls_are_filtered_and_ordered)
{
	struct call_filter f = { .limit = 3 };
	struct seen s = { 0 };
	int64_t a = customer("a");

	credit("k1", a, 100);
	calls(a, 1, 10);
	ck_assert_int_eq(q_call_each(admin, &f, see_call, &s), DB_OK);
	ck_assert_int_eq(s.n, 3);
	ck_assert_int_eq(s.a[0], 10);
	memset(&s, 0, sizeof(s));
	f.oldest_first = true;
	ck_assert_int_eq(q_call_each(admin, &f, see_call, &s), DB_OK);
	ck_assert_int_eq(s.a[0], 8);
	ck_assert_int_eq(s.a[2], 10);
	/* Stopped early, and the connection is still good. */
	memset(&s, 0, sizeof(s));
	f.limit = 0;
	f.customer_id = a;
	ck_assert_int_eq(q_call_each(admin, &f, see_call, &s), DB_OK);
	ck_assert_int_eq(s.n, 5);
	memset(&s, 0, sizeof(s));
	f.customer_id = 99;
	ck_assert_int_eq(q_call_each(admin, &f, see_call, &s), DB_OK);
	ck_assert_int_eq(s.n, 0);
	f.customer_id = 0;
	f.since_us = clock_wall().us + 60000000;
	ck_assert_int_eq(q_call_each(admin, &f, see_call, &s), DB_OK);
	ck_assert_int_eq(s.n, 0);
}
END_TEST

static bool
see_breach(const struct breach_row *r, void *arg)
{
	struct seen *s = arg;

	snprintf(s->text[s->n++ % 16], 64, "%s", r->rule);
	return true;
}

/* Changes something behind the triggers' backs: is this rule broken now? */
static void
must_notice(const char *change, const char *rule)
{
	struct db *super = pg_connect(server, "postgres", DATABASE);
	struct seen s = { 0 };
	int i, found = 0;

	ck_assert_int_eq(q_verify_each(admin, see_breach, &s), DB_OK);
	ck_assert_msg(s.n == 0, "before: %s", s.text[0]);
	ck_assert_msg(db_script(super, change) == DB_OK, "%s: %s", change,
	    db_message(super));
	ck_assert_int_eq(q_verify_each(admin, see_breach, &s), DB_OK);
	for (i = 0; i < s.n; i++)
		found += strcmp(s.text[i], rule) == 0;
	ck_assert_msg(found != 0, "not noticed: %s", rule);
	db_close(&super);
}

#define BEHIND "SET session_replication_role = replica;"

static const struct {
	const char *rule;
	const char *change;
} tampering[] = {
	{ "zero-sum", "UPDATE youyun.posting SET amount_nano = amount_nano + 1"
	    " WHERE transaction_id = 1 AND amount_nano > 0" },
	{ "empty", "DELETE FROM youyun.posting WHERE transaction_id = 2" },
	{ "granted", "UPDATE youyun.lease SET granted_nano = 101" },
	{ "granted", "UPDATE youyun.purse SET home_nano = home_nano + 1" },
	{ "lent", "UPDATE youyun.purse SET moved_nano = moved_nano + 1" },
	{ "spent", "UPDATE youyun.lease SET spent_nano = spent_nano + 1" },
	{ "spent", "DELETE FROM youyun.call WHERE journal_seq = 3" },
	{ "balance", "UPDATE youyun.posting SET amount_nano = 2 * amount_nano"
	    " WHERE transaction_id = 1" },
	{ "batch", "UPDATE youyun.call SET fee_nano = 2 WHERE journal_seq ="
	    " 4" },
	{ "batch", "UPDATE youyun.ledger_transaction SET calls = 9"
	    " WHERE kind = 'calls'" },
	{ "unbooked", "UPDATE youyun.call SET ledger_transaction_id = NULL"
	    " WHERE journal_seq = 4" },
	{ "twice", "UPDATE youyun.call SET request_id = (SELECT request_id"
	    " FROM youyun.call WHERE journal_seq = 2) WHERE journal_seq = 4" },
	{ "below-zero", "UPDATE youyun.posting SET amount_nano ="
	    " 100 * amount_nano WHERE transaction_id = 2" },
};

START_TEST(test_verify_notices_each_kind_of_tampering)
{
	char change[512];
	int64_t a = customer("a");

	credit("k1", a, 100);
	calls(a, 1, 10);
	snprintf(change, sizeof(change), BEHIND "%s", tampering[_i].change);
	must_notice(change, tampering[_i].rule);
}
END_TEST

static bool
see_audit(const struct audit_row *r, void *arg)
{
	struct seen *s = arg;

	snprintf(s->text[s->n++], 64, "%s %s", r->action, r->object);
	return true;
}

START_TEST(test_totals_marks_accounts_and_audit)
{
	struct audit_filter latest = { .limit = 2 };
	struct totals t;
	struct seen s = { 0 };
	int64_t a = customer("a");

	credit("k1", a, 100);
	calls(a, 1, 10);
	ck_assert_int_eq(q_totals(admin, &t), DB_OK);
	ck_assert_int_eq(t.customers, 1);
	ck_assert_int_eq(t.calls, 10);
	ck_assert_int_eq(t.transactions, 2);
	ck_assert_int_eq(t.granted_nano, 100);
	ck_assert_int_eq(t.spent_nano, 10);
	ck_assert_int_eq(q_audit_list(admin, &latest, see_audit, &s), DB_OK);
	ck_assert_int_eq(s.n, 2);
	ck_assert_str_eq(s.text[1], "customer.insert customer:1");
	ck_assert_str_eq(s.text[0], "credit customer:1");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("db_queries");
	TCase *tc = tcase_create("queries");
	int status;

	server = pg_server_start();
	if (server == NULL)
		return PG_SKIP;
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, test_customers_groups_and_keys);
	tcase_add_test(tc, test_a_name_goes_before_a_number);
	tcase_add_test(tc, test_of_the_prices_the_latest_effective_holds);
	tcase_add_test(tc, test_channels_take_the_lowest_free_slot);
	tcase_add_test(tc, test_a_channel_has_up_to_eight_credentials);
	tcase_add_test(tc, test_channels_have_groups_and_a_proxy);
	tcase_add_test(tc, test_the_ledger_runs_a_balance);
	tcase_add_test(tc, test_calls_are_filtered_and_ordered);
	tcase_add_loop_test(tc, test_verify_notices_each_kind_of_tampering, 0,
	    sizeof(tampering) / sizeof(tampering[0]));
	tcase_add_test(tc, test_totals_marks_accounts_and_audit);
	suite_add_tcase(suite, tc);
	status = run_suite(suite);
	pg_server_stop(&server);
	return status;
}
