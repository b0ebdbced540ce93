/*
 * test_db_schema.c: migrations, what the tables refuse, who may do what.
 */
#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "db/migrate.h"
#include "db/queries.h"
#include "db/transaction.h"
#include "db/value.h"
#include "tests/db/pg_fixture.h"
#include "tests/unit/run.h"

#define DATABASE "schema_test"

static struct pg_server *server;
static struct db *owner, *admin, *flusher, *portal;

static void
set_up(void)
{
	pg_fresh_database(server, DATABASE);
	owner = pg_connect(server, "youyun_owner", DATABASE);
	admin = pg_connect(server, "youyun_admin", DATABASE);
	flusher = pg_connect(server, "youyun_flusher", DATABASE);
	portal = pg_connect(server, "youyun_portal", DATABASE);
}

static void
tear_down(void)
{
	db_close(&owner);
	db_close(&admin);
	db_close(&flusher);
	db_close(&portal);
}

static int64_t
number(struct db *db, const char *sql)
{
	struct db_rows *rows;
	int64_t n;

	ck_assert_msg(db_query(db, sql, NULL, 0, &rows) == DB_OK, "%s: %s",
	    sql, db_message(db));
	n = db_get_int(rows, 0, 0);
	db_rows_free(&rows);
	return n;
}

static void
must_fail(struct db *db, const char *sql, const char *sqlstate)
{
	enum db_result result = db_script(db, sql);

	ck_assert_msg(result != DB_OK, "was allowed: %s", sql);
	ck_assert_msg(strcmp(db_sqlstate(db), sqlstate) == 0,
	    "%s: %s, not %s (%s)", sql, db_sqlstate(db), sqlstate,
	    db_message(db));
}

static void
must_work(struct db *db, const char *sql)
{
	ck_assert_msg(db_script(db, sql) == DB_OK, "%s: %s", sql,
	    db_message(db));
}

static int64_t
customer(const char *name)
{
	int64_t id;

	ck_assert_int_eq(q_customer_add(admin, name, NULL, NULL, NULL, &id),
	    DB_OK);
	return id;
}

static struct credit
credit_of(const char *key, int64_t customer_id, int64_t nano)
{
	return (struct credit) { .key = key, .customer_id = customer_id,
		.amount_nano = nano, .source = "external", .actor = "alice",
		.reason = "paid" };
}

START_TEST(test_migrating_twice_applies_nothing_more)
{
	int applied = -1, version;

	ck_assert_int_eq(db_migrate(owner, &applied), DB_OK);
	ck_assert_int_eq(applied, 0);
	ck_assert_int_eq(db_schema_version(flusher, &version), DB_OK);
	ck_assert_int_eq(version, db_schema_wanted());
}
END_TEST

START_TEST(test_a_newer_or_changed_schema_is_refused)
{
	must_work(owner, "UPDATE youyun.schema_version SET content = 1"
	    " WHERE version = 2");
	ck_assert_int_eq(db_migrate(owner, NULL), DB_CONFLICT);
	ck_assert_ptr_nonnull(strstr(db_message(owner), "0002-ledger"));
	must_work(owner, "INSERT INTO youyun.schema_version"
	    " (version, name, content) VALUES (9999, 'later', 1)");
	ck_assert_int_eq(db_migrate(owner, NULL), DB_CONFLICT);
	ck_assert_ptr_nonnull(strstr(db_message(owner), "9999"));
}
END_TEST

START_TEST(test_every_table_and_column_says_its_purpose)
{
	struct db_rows *rows;

	ck_assert_int_eq(db_query(owner,
	    "SELECT c.relname || coalesce('.' || a.attname, '') AS what"
	    " FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid"
	    "  AND a.attnum > 0 AND NOT a.attisdropped"
	    " WHERE c.relnamespace = 'youyun'::regnamespace"
	    " AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
	    " AND (coalesce(obj_description(c.oid, 'pg_class'), '')"
	    "   !~ 'Operator: (controller|processor)'"
	    "  OR coalesce(col_description(c.oid, a.attnum), '')"
	    "   !~ 'Operator: (controller|processor)')", NULL, 0, &rows),
	    DB_OK);
	ck_assert_msg(db_rows_count(rows) == 0, "%s has no comment",
	    db_rows_count(rows) == 0 ? "" : db_get_text(rows, 0, 0));
	db_rows_free(&rows);
}
END_TEST

START_TEST(test_no_column_is_numeric_or_floating)
{
	ck_assert_int_eq(number(owner, "SELECT count(*) FROM"
	    " information_schema.columns WHERE table_schema = 'youyun' AND"
	    " data_type IN ('numeric', 'real', 'double precision', 'money')"),
	    0);
}
END_TEST

START_TEST(test_postings_that_are_not_zero_sum_are_refused)
{
	customer("a");
	must_fail(owner, "BEGIN;"
	    " INSERT INTO youyun.ledger_transaction (kind, customer_id,"
	    "  idempotency_key, actor) VALUES ('credit', 1, 'k', 'x');"
	    " INSERT INTO youyun.posting SELECT currval("
	    "  'youyun.ledger_transaction_id_seq'), id, 5"
	    "  FROM youyun.ledger_account WHERE customer_id = 1;"
	    " COMMIT;", "23514");
	ck_assert_int_eq(number(owner, "SELECT count(*)"
	    " FROM youyun.posting"), 0);
}
END_TEST

START_TEST(test_a_closed_booking_takes_no_more_postings)
{
	struct credit c = credit_of("k", customer("a"), 100);
	struct credit_receipt receipt;

	ck_assert_int_eq(q_credit(admin, &c, &receipt), DB_OK);
	must_fail(owner, "INSERT INTO youyun.posting"
	    " SELECT 1, id, CASE kind WHEN 'revenue' THEN 7 ELSE -7 END"
	    " FROM youyun.ledger_account"
	    " WHERE kind IN ('revenue', 'uncollected')", "23001");
}
END_TEST

START_TEST(test_ledger_prices_calls_and_audit_are_append_only)
{
	static const char *const tables[] = { "posting", "ledger_transaction",
		"audit", "price", "call" };
	static const char *const changes[] = {
		"UPDATE youyun.posting SET amount_nano = 1",
		"UPDATE youyun.ledger_transaction SET reason = 'other'",
		"UPDATE youyun.audit SET actor = 'other'",
		"UPDATE youyun.price SET input_nano = 1",
		"UPDATE youyun.call SET fee_nano = 0"
	};
	struct credit c = credit_of("k", customer("a"), 100);
	struct credit_receipt receipt;
	char sql[100];
	size_t i;

	ck_assert_int_eq(q_credit(admin, &c, &receipt), DB_OK);
	must_work(owner, "INSERT INTO youyun.model (name) VALUES ('m');"
	    "INSERT INTO youyun.price (model_id, created_by)"
	    " VALUES (1, 'x');"
	    "INSERT INTO youyun.call SELECT now(), gen_random_uuid(), 1, 1,"
	    " NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0,"
	    " 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, NULL, ''");
	for (i = 0; i < 5; i++) {
		snprintf(sql, sizeof(sql), "DELETE FROM youyun.%s", tables[i]);
		must_fail(owner, sql, "23001");
		must_fail(owner, changes[i], "23001");
		snprintf(sql, sizeof(sql), "TRUNCATE youyun.%s CASCADE",
		    tables[i]);
		must_fail(owner, sql, "23001");
	}
}
END_TEST

/* A row of each, made as they are made. */
static void
one_of_each(void)
{
	struct credit c = credit_of("k", customer("a"), 100);
	struct package_row k = { .name = "p", .amount_nano = 5,
		.currency = "EUR" };
	struct credit_receipt receipt;
	struct refund r = { .key = "r", .started_us = 1700000000000000,
		.request_id = (const uint8_t[16]) { 7 }, .actor = "x",
		.reason = "y" };
	struct refund_receipt back;
	int64_t id;

	ck_assert_int_eq(q_credit(admin, &c, &receipt), DB_OK);
	ck_assert_int_eq(q_package_add(admin, &k, &id), DB_OK);
	c.key = "k2";
	ck_assert_int_eq(q_credit_by_package(admin, &c, "p", &receipt),
	    DB_OK);
	must_work(owner, "INSERT INTO youyun.model (name) VALUES ('m');"
	    "INSERT INTO youyun.price (model_id, created_by)"
	    " VALUES (1, 'x');"
	    "BEGIN; INSERT INTO youyun.ledger_transaction (kind, customer_id,"
	    " idempotency_key, actor, calls) VALUES ('calls', 1, 'c', 'f', 1);"
	    "INSERT INTO youyun.posting SELECT (SELECT max(id) FROM"
	    " youyun.ledger_transaction), id, CASE kind WHEN 'revenue' THEN 9"
	    " ELSE -9 END FROM youyun.ledger_account WHERE kind IN ('revenue',"
	    " 'customer_prepaid') AND expires_at IS NULL;"
	    "UPDATE youyun.lease SET spent_nano = 9;"
	    "INSERT INTO youyun.call SELECT to_timestamp(1700000000),"
	    " '07000000-0000-0000-0000-000000000000', 1, 1, (SELECT max(id)"
	    " FROM youyun.ledger_transaction), 1, NULL, NULL, NULL, NULL, NULL,"
	    " 9, 0, 9, 0, 0, 0, 0, 0,"
	    " 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, NULL, ''; COMMIT");
	ck_assert_msg(q_refund(admin, &r, &back) == DB_OK, "%s",
	    db_message(admin));
	ck_assert_int_eq(back.amount_nano, 9);
	ck_assert_int_eq(back.balance_nano, 105);
}

START_TEST(test_no_role_can_change_what_was_booked)
{
	static const char *const tables[][2] = {
		{ "posting", "amount_nano = 1" },
		{ "ledger_transaction", "reason = 'x'" },
		{ "ledger_account", "expires_at = now()" },
		{ "receipt", "price_minor = 1" },
		{ "refund", "amount_nano = 1" },
		{ "audit", "actor = 'x'" },
		{ "price", "input_nano = 1" },
		{ "call", "fee_nano = 0" },
		{ "call_other", "fee_nano = 0" }
	};
	struct db *const roles[] = { owner, admin, flusher, portal };
	const char *state;
	char sql[120];
	size_t i, k;

	one_of_each();
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (k = 0; k < sizeof(roles) / sizeof(roles[0]); k++) {
			state = roles[k] == owner ? "23001" : "42501";
			snprintf(sql, sizeof(sql), "UPDATE youyun.%s SET %s",
			    tables[i][0], tables[i][1]);
			must_fail(roles[k], sql, state);
			snprintf(sql, sizeof(sql), "DELETE FROM youyun.%s",
			    tables[i][0]);
			must_fail(roles[k], sql, state);
			snprintf(sql, sizeof(sql), "TRUNCATE youyun.%s"
			    " CASCADE", tables[i][0]);
			must_fail(roles[k], sql, state);
		}
	for (k = 1; k < sizeof(roles) / sizeof(roles[0]); k++) {
		must_fail(roles[k], "UPDATE youyun.pot SET left_nano = 1",
		    "42501");
		must_fail(roles[k], "SELECT youyun.money_moves(1, 1)",
		    "42501");
		must_fail(roles[k], "INSERT INTO youyun.refund VALUES (1,"
		    " now(), gen_random_uuid(), 1)", "42501");
		must_fail(roles[k], "UPDATE youyun.taking SET state = 0",
		    "42501");
	}
	must_fail(admin, "SELECT youyun.expire(1::smallint, 1, 1)", "42501");
	must_fail(flusher, "SELECT youyun.adjust('k9', 1, 1, 'x', 'x')",
	    "42501");
}
END_TEST

START_TEST(test_bookings_stay_with_their_customer_and_have_postings)
{
	customer("a");
	customer("b");
	must_fail(owner, "BEGIN; INSERT INTO youyun.ledger_transaction (kind,"
	    " customer_id, idempotency_key, actor) VALUES ('credit', 1, 'k',"
	    " 'x'); COMMIT", "23514");
	must_fail(owner, "BEGIN; INSERT INTO youyun.ledger_transaction (kind,"
	    " customer_id, idempotency_key, actor) VALUES ('credit', 1, 'k',"
	    " 'x'); INSERT INTO youyun.posting SELECT (SELECT max(id) FROM"
	    " youyun.ledger_transaction), id, CASE kind WHEN 'external' THEN"
	    " -5 ELSE 5 END FROM youyun.ledger_account WHERE kind = 'external'"
	    " OR (customer_id = 2 AND kind = 'customer_prepaid'); COMMIT",
	    "23514");
}
END_TEST

START_TEST(test_money_moves_never_below_zero_and_says_what_there_is)
{
	struct credit c = credit_of("k", customer("a"), 100);
	struct credit_receipt receipt;

	ck_assert_int_eq(q_credit(admin, &c, &receipt), DB_OK);
	must_fail(owner, "SELECT youyun.money_moves(1, -101)", "YY003");
	ck_assert_ptr_nonnull(strstr(db_message(owner), "only 100 "));
	must_work(owner, "SELECT youyun.money_moves(1, -100)");
	must_fail(owner, "SELECT youyun.money_moves(7, 1)", "P0002");
}
END_TEST

START_TEST(test_functions_refuse_what_makes_no_sense)
{
	static const char *const bad[][2] = {
		{ "credit('', 1, 1, 'external', 'x', '')", "22023" },
		{ "credit(' k', 1, 1, 'external', 'x', '')", "22023" },
		{ "credit('calls:1', 1, 1, 'external', 'x', '')", "22023" },
		{ "credit('k', 1, 1, 'external', ' ', '')", "22023" },
		{ "credit('k', 1, 1, 'external', 'x', '', now())", "22023" },
		{ "credit('k', 1, 1, 'external', 'x', '', NULL, 0)", "22023" },
		{ "credit('k', 1, 9223372036854775807, 'external', 'x', '')",
		    "22003" },
		{ "adjust('k', 1, 1, 'x', ' ')", "YY004" },
		{ "adjust('k', 1, 0, 'x', 'y')", "22023" },
		{ "adjust('k', 9, 1, 'x', 'y')", "P0002" },
		{ "adjust('k', 9, -1, 'x', 'y')", "P0002" },
		{ "refund('k', now(), gen_random_uuid(), 1, 'x', '')",
		    "YY004" },
		{ "refund('k', now(), gen_random_uuid(), 1, 'x', 'y')",
		    "P0002" },
		{ "refund('k', now(), gen_random_uuid(), -1, 'x', 'y')",
		    "22023" },
		{ "credit_by_package('k', 1, 'none', 'x', '')", "P0002" }
	};
	struct credit c = credit_of("first", customer("a"), 100);
	struct credit_receipt receipt;
	char sql[160];
	size_t i;

	ck_assert_int_eq(q_credit(admin, &c, &receipt), DB_OK);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(sql, sizeof(sql), "SELECT youyun.%s", bad[i][0]);
		must_fail(admin, sql, bad[i][1]);
	}
	ck_assert_int_eq(number(owner, "SELECT count(*)"
	    " FROM youyun.ledger_transaction"), 1);
	ck_assert_int_eq(number(owner, "SELECT count(*)"
	    " FROM youyun.taking"), 0);
}
END_TEST

START_TEST(test_credit_books_once_for_a_key)
{
	int64_t id = customer("a");
	struct credit c = credit_of("order-7", id, 1500);
	struct credit_receipt first, again;

	ck_assert_int_eq(q_credit(admin, &c, &first), DB_OK);
	ck_assert(first.fresh);
	ck_assert_int_eq(first.balance_nano, 1500);
	ck_assert_int_eq(q_credit(admin, &c, &again), DB_OK);
	ck_assert(!again.fresh);
	ck_assert_int_eq(again.transaction_id, first.transaction_id);
	ck_assert_int_eq(again.balance_nano, 1500);
	ck_assert_int_eq(number(owner, "SELECT granted_nano FROM youyun.lease"),
	    1500);
	ck_assert_int_eq(number(owner, "SELECT sum(amount_nano)::bigint"
	    " FROM youyun.posting JOIN youyun.ledger_account a"
	    " ON a.id = account_id WHERE kind = 'external'"), -1500);

	/* The same key for something else. */
	c.amount_nano = 1501;
	ck_assert_int_eq(q_credit(admin, &c, &again), DB_CONFLICT);
	c.amount_nano = 1500;
	c.source = "promotional";
	ck_assert_int_eq(q_credit(admin, &c, &again), DB_CONFLICT);
	c.source = "external";
	c.customer_id = customer("b");
	ck_assert_int_eq(q_credit(admin, &c, &again), DB_CONFLICT);
	ck_assert_int_eq(number(owner, "SELECT sum(granted_nano)::bigint"
	    " FROM youyun.lease"), 1500);
}
END_TEST

START_TEST(test_credit_refuses_nobody_nothing_and_the_closed)
{
	int64_t id = customer("a");
	struct credit c = credit_of("k", 12345, 10);
	struct credit_receipt receipt;

	ck_assert_int_eq(q_credit(admin, &c, &receipt), DB_NONE);
	c.customer_id = id;
	c.amount_nano = 0;
	ck_assert_int_eq(q_credit(admin, &c, &receipt), DB_ERROR);
	c.amount_nano = -5;
	ck_assert_int_eq(q_credit(admin, &c, &receipt), DB_ERROR);
	c.amount_nano = 5;
	c.source = "revenue";
	ck_assert_int_eq(q_credit(admin, &c, &receipt), DB_ERROR);
	c.source = "external";
	ck_assert_int_eq(q_customer_set(admin, id, 3, NULL, NULL, NULL),
	    DB_OK);
	ck_assert_int_eq(q_credit(admin, &c, &receipt), DB_ERROR);
	ck_assert_str_eq(db_sqlstate(admin), "YY002");
	ck_assert_int_eq(number(owner, "SELECT count(*)"
	    " FROM youyun.ledger_transaction"), 0);
}
END_TEST

START_TEST(test_spending_more_than_granted_is_refused)
{
	customer("a");
	must_fail(flusher, "SELECT youyun.lease_spend(1, 7, '{1}', '{1}',"
	    " '{1}')", "23514");
}
END_TEST

START_TEST(test_roles_can_do_their_own_work_only)
{
	customer("a");
	must_fail(admin, "INSERT INTO youyun.posting VALUES (1, 1, 1)",
	    "42501");
	must_fail(admin, "UPDATE youyun.lease SET granted_nano = 1", "42501");
	must_fail(admin, "DELETE FROM youyun.customer", "42501");
	must_fail(admin, "UPDATE youyun.price SET input_nano = 1", "42501");
	must_fail(admin, "INSERT INTO youyun.audit (actor, action, object)"
	    " VALUES ('x', 'x', 'x')", "42501");
	must_fail(flusher, "UPDATE youyun.lease SET granted_nano = 1",
	    "42501");
	must_fail(flusher, "UPDATE youyun.lease SET spent_nano = 1", "42501");
	must_fail(flusher, "SELECT youyun.money_moves(1, 1)", "42501");
	must_fail(flusher, "SELECT youyun.node_fence(1, 'x', 'x')", "42501");
	must_fail(flusher, "SELECT contact FROM youyun.customer", "42501");
	must_fail(flusher, "UPDATE youyun.api_key SET status = 0", "42501");
	must_fail(flusher, "SELECT youyun.credit('k', 1, 1, 'external', 'x',"
	    " 'x')", "42501");
	must_fail(flusher, "INSERT INTO youyun.customer (name) VALUES ('x')",
	    "42501");
	must_fail(flusher, "DELETE FROM youyun.journal_mark", "42501");
	must_fail(portal, "SELECT digest FROM youyun.api_key", "42501");
	must_fail(portal, "SELECT credential FROM youyun.channel_credential",
	    "42501");
	must_fail(portal, "SELECT note FROM youyun.customer", "42501");
	must_fail(portal, "INSERT INTO youyun.call DEFAULT VALUES", "42501");
	must_fail(portal, "SELECT youyun.credit('k', 1, 1, 'external', 'x',"
	    " 'x')", "42501");
	must_fail(portal, "SELECT id FROM youyun.customer", "42501");
	must_fail(portal, "SELECT * FROM youyun.call", "42501");
	must_fail(portal, "SELECT * FROM youyun.posting", "42501");
	must_work(portal, "SELECT * FROM youyun.my_account");
}
END_TEST

struct told {
	enum db_result result;
	int64_t id;
};

static enum db_result
add_with_reason(struct db *db, void *arg)
{
	struct told *t = arg;

	if ((t->result = db_actor(db, "bob", "ticket 7")) == DB_OK)
		t->result = q_customer_add(db, "b", NULL, "b@b", NULL, &t->id);
	return t->result;
}

START_TEST(test_changes_are_audited_with_actor_and_reason)
{
	struct told told;
	uint8_t digest[32] = { 1 };
	int64_t id;

	ck_assert_int_eq(db_transaction(admin, DB_READ_COMMITTED,
	    add_with_reason, &told), DB_OK);
	ck_assert_int_eq(number(owner, "SELECT count(*) FROM youyun.audit"
	    " WHERE actor = 'bob' AND reason = 'ticket 7' AND role ="
	    " 'youyun_admin' AND action = 'customer.insert'"
	    " AND object = 'customer:1' AND change ->> 'contact' = 'b@b'"), 1);
	/* The next transaction has no actor of the last one. */
	ck_assert_int_eq(q_key_add(admin, told.id, "", digest, "sk",
	    0, KEY_SCOPE_CALLS,
	    &id),
	    DB_OK);
	ck_assert_int_eq(number(owner, "SELECT count(*) FROM youyun.audit"
	    " WHERE action = 'api_key.insert' AND actor = 'youyun_admin'"
	    " AND change ->> 'digest' = '(changed)'"), 1);
}
END_TEST

START_TEST(test_a_days_partition_is_made_once)
{
	static const char ensure[] = "SELECT youyun.call_partition_ensure("
	    "'2031-07-31 23:59:59.9+00')::int::bigint";

	ck_assert_int_eq(number(flusher, ensure), 1);
	ck_assert_int_eq(number(flusher, ensure), 0);
	ck_assert_int_eq(number(owner, "SELECT count(*) FROM pg_class"
	    " WHERE oid = 'youyun.call_20310731'::regclass"), 1);
	must_work(owner, "INSERT INTO youyun.call SELECT '2031-07-31 00:00+00',"
	    " gen_random_uuid(), 1, 1,"
	    " NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0,"
	    " 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, NULL, ''");
	ck_assert_int_eq(number(owner, "SELECT count(*)"
	    " FROM youyun.call_20310731"), 1);
	ck_assert_int_eq(number(owner, "SELECT count(*)"
	    " FROM youyun.call_other"), 0);
}
END_TEST

static void
must_hear(struct db *db, const char *what)
{
	struct pollfd p = { .fd = db_socket(db), .events = POLLIN };
	char payload[DB_NOTIFY_BYTES];
	int tries;

	for (tries = 0; tries < 50; tries++) {
		ck_assert_int_eq(db_consume(db), DB_OK);
		while (db_notification(db, payload))
			if (strcmp(payload, what) == 0)
				return;
		(void)poll(&p, 1, 100);
	}
	ck_abort_msg("nothing was heard of %s", what);
}

START_TEST(test_each_change_of_the_directory_is_told)
{
	struct channel_row channel = { .name = "up", .protocol = 1,
		.host = "localhost", .port = 443, .weight = 1,
		.base_path = "/x" };
	struct credit c = credit_of("k", 1, 5);
	struct credit_receipt receipt;
	uint8_t digest[32] = { 2 };
	struct price price = { .version = 0 };
	int64_t id;

	ck_assert_int_eq(db_listen(flusher), DB_OK);
	customer("a");
	must_hear(flusher, "customer:1");
	ck_assert_int_eq(q_key_add(admin, 1, "", digest, "sk",
	    0, KEY_SCOPE_CALLS,
	    &id), DB_OK);
	must_hear(flusher, "key:1");
	ck_assert_int_eq(q_credit(admin, &c, &receipt), DB_OK);
	must_hear(flusher, "lease:1:1");
	ck_assert_int_eq(q_group_set(admin, "vip", 900000, &id), DB_OK);
	must_hear(flusher, "group:2");
	ck_assert_int_eq(q_model_put(admin, "m", -1, &id), DB_OK);
	must_hear(flusher, "model:1");
	ck_assert_int_eq(q_price_add(admin, 1, 0, &price, "x", &id), DB_OK);
	must_hear(flusher, "price:1");
	ck_assert_int_eq(q_channel_add(admin, &channel, 4, &id), DB_OK);
	must_hear(flusher, "channel:1");
	ck_assert_int_eq(q_channel_model_put(admin, 1, 1, "up-m"), DB_OK);
	must_hear(flusher, "channel:1");
	/* Spending is not told: it comes from the one who listens. */
	must_work(flusher, "SELECT youyun.lease_spend(1, 7, '{1}', '{1}',"
	    " '{1}')");
	must_work(owner, "SELECT pg_notify('youyun', 'end')");
	{
		char payload[DB_NOTIFY_BYTES];
		int tries = 0;

		for (;;) {
			ck_assert_int_eq(db_consume(flusher), DB_OK);
			if (db_notification(flusher, payload)) {
				ck_assert_str_ne(payload, "lease:1:1");
				if (strcmp(payload, "end") == 0)
					break;
			}
			ck_assert_int_lt(tries++, 100000000);
		}
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("db_schema");
	TCase *tc = tcase_create("schema");
	int status;

	server = pg_server_start();
	if (server == NULL)
		return PG_SKIP;
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, test_migrating_twice_applies_nothing_more);
	tcase_add_test(tc, test_a_newer_or_changed_schema_is_refused);
	tcase_add_test(tc, test_every_table_and_column_says_its_purpose);
	tcase_add_test(tc, test_no_column_is_numeric_or_floating);
	tcase_add_test(tc, test_postings_that_are_not_zero_sum_are_refused);
	tcase_add_test(tc, test_a_closed_booking_takes_no_more_postings);
	tcase_add_test(tc,
	    test_ledger_prices_calls_and_audit_are_append_only);
	tcase_add_test(tc, test_no_role_can_change_what_was_booked);
	tcase_add_test(tc,
	    test_bookings_stay_with_their_customer_and_have_postings);
	tcase_add_test(tc,
	    test_money_moves_never_below_zero_and_says_what_there_is);
	tcase_add_test(tc, test_functions_refuse_what_makes_no_sense);
	tcase_add_test(tc, test_credit_books_once_for_a_key);
	tcase_add_test(tc, test_credit_refuses_nobody_nothing_and_the_closed);
	tcase_add_test(tc, test_spending_more_than_granted_is_refused);
	tcase_add_test(tc, test_roles_can_do_their_own_work_only);
	tcase_add_test(tc, test_changes_are_audited_with_actor_and_reason);
	tcase_add_test(tc, test_a_days_partition_is_made_once);
	tcase_add_test(tc, test_each_change_of_the_directory_is_told);
	suite_add_tcase(suite, tc);
	status = run_suite(suite);
	pg_server_stop(&server);
	return status;
}
