/*
 * test_db_leases.c: what 0006-leases.sql promises: who is a node, what it gets
 * and returns, fencing, and the races between two sessions.
 */
#include <check.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "db/queries.h"
#include "db/value.h"
#include "flusher/node.h"
#include "tests/db/pg_fixture.h"
#include "tests/unit/run.h"

#define DATABASE "leases_test"
#define JOURNAL(n) (UINT64_C(100) + (n))
#define SEGMENT(n) (UINT64_C(1000) + (n))
#define CREDIT INT64_C(1000000)

static struct pg_server *server;
static struct db *owner, *admin, *one, *two;
static struct node node1, node2;
static int64_t customer_id;

static void
must(struct db *db, const char *sql)
{
	ck_assert_msg(db_script(db, sql) == DB_OK, "%s: %s", sql,
	    db_message(db));
}

static void
must_fail(struct db *db, const char *sql, const char *sqlstate)
{
	ck_assert_msg(db_script(db, sql) != DB_OK, "was allowed: %s", sql);
	ck_assert_msg(strcmp(db_sqlstate(db), sqlstate) == 0,
	    "%s: %s, not %s (%s)", sql, db_sqlstate(db), sqlstate,
	    db_message(db));
}

static int64_t
number(const char *sql)
{
	struct db_rows *rows;
	int64_t n;

	ck_assert_msg(db_query(owner, sql, NULL, 0, &rows) == DB_OK, "%s: %s",
	    sql, db_message(owner));
	ck_assert_int_eq(db_rows_count(rows), 1);
	n = db_get_int(rows, 0, 0);
	db_rows_free(&rows);
	return n;
}

static int64_t
home(void)
{
	return number("SELECT home_nano FROM youyun.purse");
}

static int64_t
unspent(int node)
{
	char sql[160];

	snprintf(sql, sizeof(sql), "SELECT coalesce(sum(granted_nano -"
	    " spent_nano), 0)::bigint FROM youyun.lease WHERE node_id = %d",
	    node);
	return number(sql);
}

static enum node_verdict
attach(struct db *db, const char *name, uint64_t journal, uint64_t segment,
    struct node *node)
{
	ck_assert_msg(node_attach(db, name, journal, segment, node) == DB_OK,
	    "%s", db_message(db));
	return node->verdict;
}

static void
set_up(void)
{
	pg_fresh_database(server, DATABASE);
	owner = pg_connect(server, "youyun_owner", DATABASE);
	admin = pg_connect(server, "youyun_admin", DATABASE);
	one = pg_connect(server, "youyun_flusher", DATABASE);
	two = pg_connect(server, "youyun_flusher", DATABASE);
	ck_assert_int_eq(q_customer_add(admin, "a", NULL, NULL, NULL,
	    &customer_id), DB_OK);
	ck_assert_int_eq(customer_id, 1);
}

static void
tear_down(void)
{
	db_close(&owner);
	db_close(&admin);
	db_close(&one);
	db_close(&two);
}

static void
credit(const char *key)
{
	struct credit c = { .key = key, .customer_id = customer_id,
		.amount_nano = CREDIT, .source = "external", .actor = "x" };
	struct credit_receipt receipt;

	ck_assert_int_eq(q_credit(admin, &c, &receipt), DB_OK);
}

/* Both are up, the credit is at home. */
static void
two_nodes(void)
{
	int64_t id;

	ck_assert_int_eq(q_node_add(admin, "node2", &id), DB_OK);
	ck_assert_int_eq(id, 2);
	ck_assert_int_eq(attach(one, "node1", JOURNAL(1), SEGMENT(1), &node1),
	    NODE_OURS);
	ck_assert_int_eq(attach(two, "2", JOURNAL(2), SEGMENT(2), &node2),
	    NODE_OURS);
	ck_assert_int_eq(node2.up, 2);
	credit("k");
	ck_assert_int_eq(home(), CREDIT);
}

struct refill {
	int64_t given, target, elsewhere;
};

static enum db_result
refill_as(struct db *db, const struct node *node, int64_t need, int64_t rate,
    int64_t floor, struct refill *r)
{
	struct db_param p[] = { db_int(node->id), db_int(node->session),
		db_int_array(&customer_id, 1), db_int_array(&need, 1),
		db_int_array(&rate, 1), db_int_array(&floor, 1), db_int(10) };
	struct db_rows *rows;
	enum db_result result;

	result = db_query(db, "SELECT given_nano, target_nano, elsewhere_nano"
	    " FROM youyun.lease_refill($1, $2, $3, $4, $5, $6, $7)", p, 7,
	    &rows);
	if (result != DB_OK)
		return result;
	ck_assert_int_eq(db_rows_count(rows), 1);
	*r = (struct refill) { db_get_int(rows, 0, 0), db_get_int(rows, 0, 1),
		db_get_int(rows, 0, 2) };
	db_rows_free(&rows);
	return DB_OK;
}

static struct refill
refill(struct db *db, const struct node *node, int64_t need, int64_t rate,
    int64_t floor)
{
	struct refill r;

	ck_assert_msg(refill_as(db, node, need, rate, floor, &r) == DB_OK,
	    "%s", db_message(db));
	return r;
}

static enum db_result
give(struct db *db, const struct node *node, int64_t nano)
{
	struct db_param p[] = { db_int(node->id), db_int(node->session),
		db_int_array(&customer_id, 1), db_int_array(&nano, 1) };

	return db_query(db, "SELECT youyun.lease_return($1, $2, $3, $4)", p, 4,
	    NULL);
}

/* What of it was booked; -1: refused. */
static int64_t
spend(struct db *db, int node, uint64_t segment, int64_t fee, bool *late_r)
{
	int64_t seq = 1, booked;
	struct db_param p[] = { db_int(node), db_int((int64_t)segment),
		db_int_array(&customer_id, 1), db_int_array(&fee, 1),
		db_int_array(&seq, 1) };
	struct db_rows *rows;

	if (db_query(db, "SELECT booked_nano, late FROM youyun.lease_spend("
	    "$1, $2, $3, $4, $5)", p, 5, &rows) != DB_OK)
		return -1;
	booked = db_get_int(rows, 0, 0);
	*late_r = db_get_bool(rows, 0, 1);
	db_rows_free(&rows);
	return booked;
}

static bool
told(struct db *db, const char *wanted)
{
	char payload[DB_NOTIFY_BYTES];
	int tries;

	for (tries = 0; tries < 200; tries++) {
		ck_assert_int_eq(db_consume(db), DB_OK);
		while (db_notification(db, payload))
			if (strcmp(payload, wanted) == 0)
				return true;
		(void)poll(NULL, 0, 5);
	}
	return false;
}

START_TEST(test_an_instance_is_a_node_by_its_journal_and_segment)
{
	struct node n;

	ck_assert_int_eq(attach(one, "node9", 1, 1, &n), NODE_UNKNOWN);
	ck_assert_int_eq(attach(one, "node1", 1, 11, &n), NODE_OURS);
	ck_assert_int_eq(n.id, 1);
	ck_assert_int_eq(n.up, 1);
	/* By its number too, and again after a lost connection. */
	ck_assert_int_eq(attach(two, "1", 1, 11, &node2), NODE_OURS);
	ck_assert_int_eq(node2.session, n.session + 1);
	/* Another one: at once, and with another journal for ever. */
	ck_assert_int_eq(attach(two, "node1", 1, 12, &node2), NODE_TAKEN);
	ck_assert_int_eq(attach(two, "node1", 2, 12, &node2), NODE_TAKEN);
	must(owner, "UPDATE youyun.node_state SET beat = beat - interval"
	    " '1 minute'");
	ck_assert_int_eq(attach(two, "node1", 2, 12, &node2), NODE_TAKEN);
	ck_assert_int_eq(attach(two, "node1", 1, 12, &node2), NODE_OURS);
	/* A journal is one node's for ever. */
	must(owner, "INSERT INTO youyun.node (id, name) VALUES (2, 'b')");
	ck_assert_int_eq(attach(one, "b", 1, 13, &n), NODE_TAKEN);
	/* Released, it is free for anybody. */
	must(two, "SELECT youyun.node_release(1, 3)");
	ck_assert_int_eq(attach(two, "node1", 5, 15, &node2), NODE_OURS);
}
END_TEST

START_TEST(test_an_earlier_session_is_refused)
{
	struct refill r;

	two_nodes();
	r = refill(one, &node1, 100, 0, 0);
	ck_assert_int_gt(r.given, 0);
	node2 = node1;
	ck_assert_int_eq(attach(two, "node1", JOURNAL(1), SEGMENT(1), &node2),
	    NODE_OURS);
	ck_assert_int_eq(refill_as(one, &node1, 1, 0, 0, &r), DB_ERROR);
	ck_assert_str_eq(db_sqlstate(one), "YY005");
	ck_assert_int_eq(give(one, &node1, 1), DB_ERROR);
	ck_assert_str_eq(db_sqlstate(one), "YY005");
	ck_assert_int_eq(node_beat(one, &node1), DB_CONFLICT);
	must_fail(one, "SELECT youyun.lease_take_all(1, 1)", "YY005");
	ck_assert_int_eq(node_beat(two, &node2), DB_OK);
	ck_assert_int_eq(give(two, &node2, 1), DB_OK);
}
END_TEST

START_TEST(test_what_arrives_goes_to_a_node_that_is_alone)
{
	int64_t id;

	/* The only one there is has it even before it ever came. */
	credit("a");
	ck_assert_int_eq(unspent(1), CREDIT);
	/* Of several, one that is up alone. */
	ck_assert_int_eq(q_node_add(admin, "node2", &id), DB_OK);
	ck_assert_int_eq(db_listen(two), DB_OK);
	credit("b");
	ck_assert_int_eq(home(), CREDIT);
	ck_assert(told(two, "purse:1"));
	ck_assert_int_eq(attach(two, "node2", JOURNAL(2), SEGMENT(2), &node2),
	    NODE_OURS);
	credit("c");
	ck_assert(told(two, "lease:2:1"));
	/* With what was at home; what the other never took, too, when it asks
	 * for all. */
	ck_assert_int_eq(unspent(2), 2 * CREDIT);
	must(two, "SELECT youyun.lease_take_all(2, 1)");
	ck_assert_int_eq(unspent(2), 3 * CREDIT);
	ck_assert_int_eq(unspent(1) + home(), 0);
}
END_TEST

START_TEST(test_a_lease_is_the_least_that_serves)
{
	struct refill r;

	two_nodes();
	/* 10 % at most of what it spends, ... */
	r = refill(one, &node1, 0, CREDIT, 0);
	ck_assert_int_eq(r.given, CREDIT / 10);
	ck_assert_int_eq(r.target, CREDIT / 10);
	ck_assert_int_eq(r.elsewhere, CREDIT - CREDIT / 10);
	ck_assert_int_eq(give(one, &node1, CREDIT / 10), DB_OK);
	r = refill(one, &node1, 0, 777, 0);
	ck_assert_int_eq(r.given, 777);
	/* ... a few calls' holds at least, ... */
	r = refill(two, &node2, 10, 0, 200000);
	ck_assert_int_eq(r.given, 200000);
	/* ... unless that is a large part, and always what the call needs. */
	r = refill(two, &node2, 0, 0, CREDIT);
	ck_assert_int_eq(r.given, CREDIT / 4);
	r = refill(two, &node2, 500000, 0, 0);
	ck_assert_int_eq(r.given, 500000);
	r = refill(two, &node2, CREDIT, 0, 0);
	ck_assert_int_eq(r.given, CREDIT - 777 - 950000);
	ck_assert_int_eq(r.elsewhere, 777);
	ck_assert_int_eq(home(), 0);
}
END_TEST

START_TEST(test_a_node_that_lacks_money_gets_the_others)
{
	struct refill r;

	two_nodes();
	r = refill(one, &node1, CREDIT, 0, 0);
	ck_assert_int_eq(r.given, CREDIT);
	ck_assert_int_eq(db_listen(one), DB_OK);
	ck_assert_int_eq(db_listen(two), DB_OK);
	r = refill(two, &node2, 300, 0, 0);
	ck_assert_int_eq(r.given, 0);
	ck_assert_int_eq(r.elsewhere, CREDIT);
	ck_assert(told(one, "recall:1:1:300"));
	ck_assert_int_eq(give(one, &node1, 300), DB_OK);
	ck_assert(told(two, "purse:1"));
	r = refill(two, &node2, 300, 0, 0);
	ck_assert_int_eq(r.given, 300);
}
END_TEST

START_TEST(test_what_is_spent_can_not_be_returned)
{
	bool late;

	two_nodes();
	(void)refill(one, &node1, 1000, 0, 0);
	ck_assert_int_eq(spend(one, 1, SEGMENT(1), 400, &late), 400);
	ck_assert(!late);
	ck_assert_int_eq(give(one, &node1, 601), DB_ERROR);
	ck_assert_str_eq(db_sqlstate(one), "23514");
	ck_assert_int_eq(give(one, &node1, 600), DB_OK);
	ck_assert_int_eq(spend(one, 1, SEGMENT(1), 1, &late), -1);
	ck_assert_str_eq(db_sqlstate(one), "23514");
}
END_TEST

START_TEST(test_home_and_leases_are_what_was_booked)
{
	two_nodes();
	must_fail(owner, "UPDATE youyun.purse SET home_nano = home_nano + 1",
	    "23514");
	must_fail(owner, "UPDATE youyun.purse SET moved_nano = 0", "23514");
	(void)refill(one, &node1, 1000, 0, 0);
	must_fail(owner, "UPDATE youyun.lease SET granted_nano ="
	    " granted_nano - 1", "23514");
	must_fail(owner, "UPDATE youyun.purse SET home_nano = -1", "23514");
}
END_TEST

START_TEST(test_a_stopped_nodes_rest_is_anybodys)
{
	struct refill r;

	two_nodes();
	(void)refill(one, &node1, CREDIT, 0, 0);
	must(one, "SELECT youyun.node_release(1, 1)");
	r = refill(two, &node2, 0, 0, 0);
	ck_assert_int_eq(r.given, CREDIT);	/* it is alone, too */
	ck_assert_int_eq(unspent(1), 0);
	/* Its segment is still there after all: it gets what its lease has. */
	ck_assert_int_eq(attach(one, "node1", JOURNAL(1), SEGMENT(1), &node1),
	    NODE_OURS);
	ck_assert_int_eq(refill(one, &node1, 0, 0, 0).target, 0);
}
END_TEST

START_TEST(test_a_gone_nodes_lease_is_nobodys)
{
	struct refill r;

	two_nodes();
	(void)refill(one, &node1, 1000, 0, 0);
	must(owner, "UPDATE youyun.node_state SET beat = beat - interval"
	    " '1 minute' WHERE node_id = 1");
	r = refill(two, &node2, CREDIT, 0, 0);
	ck_assert_int_eq(r.given, CREDIT - 1000);
	ck_assert_int_eq(r.elsewhere, 0);
	ck_assert_int_eq(unspent(1), 1000);
}
END_TEST

START_TEST(test_fencing_brings_home_and_books_late_what_it_can)
{
	struct refill r;
	int64_t came;
	bool late;

	two_nodes();
	(void)refill(one, &node1, 1000, 0, 0);
	ck_assert_int_eq(spend(one, 1, SEGMENT(1), 100, &late), 100);
	ck_assert_int_eq(q_node_fence(admin, 1, "me", "lost", &came), DB_OK);
	ck_assert_int_eq(came, 900);
	ck_assert_int_eq(home(), CREDIT - 100);
	ck_assert_int_eq(q_node_fence(admin, 1, "me", "", &came),
	    DB_CONFLICT);
	ck_assert_int_eq(attach(one, "node1", JOURNAL(1), SEGMENT(1), &node1),
	    NODE_FENCED);
	ck_assert_int_eq(attach(one, "node1", JOURNAL(7), SEGMENT(7), &node1),
	    NODE_FENCED);
	/* As far as it is at home, and as far as it came home. */
	ck_assert_int_eq(spend(one, 1, SEGMENT(1), 600, &late), 600);
	ck_assert(late);
	ck_assert_int_eq(spend(one, 1, SEGMENT(1), 600, &late), 300);
	ck_assert_int_eq(spend(one, 1, SEGMENT(1), 600, &late), 0);
	ck_assert_int_eq(home(), CREDIT - 1000);
	/* Its number can be used again, its segment can't. */
	ck_assert_int_eq(q_node_admit(admin, 1, "me", ""), DB_OK);
	ck_assert_int_eq(q_node_admit(admin, 1, "me", ""), DB_CONFLICT);
	ck_assert_int_eq(attach(one, "node1", JOURNAL(1), SEGMENT(1), &node1),
	    NODE_FENCED);
	ck_assert_int_eq(attach(one, "node1", JOURNAL(1), SEGMENT(3), &node1),
	    NODE_OURS);
	r = refill(one, &node1, 50, 0, 0);
	ck_assert_int_eq(r.target, 50);
	/* In time for the new one, late for the old one, who is not given
	 * anything by that. */
	ck_assert_int_eq(spend(one, 1, SEGMENT(3), 20, &late), 20);
	ck_assert(!late);
	ck_assert_int_eq(spend(one, 1, SEGMENT(1), 5, &late), 0);
	ck_assert(late);
	ck_assert_int_eq(refill(one, &node1, 0, 0, 0).target, 50);
}
END_TEST

START_TEST(test_a_late_fee_leaves_the_new_segments_grant_alone)
{
	int64_t came;
	bool late;

	two_nodes();
	(void)refill(one, &node1, 1000, 0, 0);
	ck_assert_int_eq(q_node_fence(admin, 1, "me", "", &came), DB_OK);
	ck_assert_int_eq(q_node_admit(admin, 1, "me", ""), DB_OK);
	ck_assert_int_eq(attach(one, "node1", JOURNAL(1), SEGMENT(3), &node1),
	    NODE_OURS);
	ck_assert_int_eq(refill(one, &node1, 50, 0, 0).target, 50);
	ck_assert_int_eq(spend(one, 1, SEGMENT(1), 10, &late), 10);
	ck_assert_int_eq(refill(one, &node1, 0, 0, 0).target, 50);
	ck_assert_int_eq(spend(one, 1, SEGMENT(3), 20, &late), 20);
	ck_assert_int_eq(spend(one, 1, SEGMENT(1), 10, &late), 10);
	ck_assert_int_eq(refill(one, &node1, 0, 0, 0).target, 50);
}
END_TEST

START_TEST(test_late_fees_stop_at_what_is_at_home)
{
	int64_t came;
	bool late;

	two_nodes();
	(void)refill(one, &node1, 1000, 0, 0);
	(void)refill(two, &node2, CREDIT - 1100, 0, 0);
	ck_assert_int_eq(q_node_fence(admin, 1, "me", "", &came), DB_OK);
	(void)refill(two, &node2, 0, 0, 0);	/* alone: takes it all */
	ck_assert_int_eq(home(), 0);
	ck_assert_int_eq(spend(one, 1, SEGMENT(1), 5, &late), 0);
	ck_assert(late);
	ck_assert_int_eq(unspent(2), CREDIT);
}
END_TEST

static void
moves(int64_t nano, const char *sqlstate)
{
	char sql[100];

	snprintf(sql, sizeof(sql), "SELECT youyun.money_moves(1, %" PRId64 ")",
	    nano);
	if (sqlstate == NULL)
		must(owner, sql);
	else
		must_fail(owner, sql, sqlstate);
}

START_TEST(test_money_leaves_from_home_only)
{
	two_nodes();
	(void)refill(one, &node1, 600000, 0, 0);
	moves(-400001, "YY003");
	ck_assert_ptr_nonnull(strstr(db_message(owner), "400000"));
	moves(-1000, NULL);
	ck_assert_int_eq(give(one, &node1, 101000), DB_OK);
	moves(-500000, NULL);
	ck_assert_int_eq(home(), 0);
	ck_assert_int_eq(unspent(1), 499000);
	moves(-1, "YY003");
	/* What a stopped node has left counts as home. */
	must(one, "SELECT youyun.node_release(1, 1)");
	moves(-499000, NULL);
	ck_assert_int_eq(unspent(1), 0);
}
END_TEST

START_TEST(test_what_a_node_took_out_is_booked_out)
{
	two_nodes();
	(void)refill(one, &node1, 600000, 0, 0);
	/* As a booking of the flusher's does it, in one transaction. */
	must(owner, "SELECT set_config('youyun.session', '1', false)");
	must(owner, "BEGIN; SELECT youyun.money_comes_home(1::smallint, 1,"
	    " 500000); SELECT youyun.money_moves(1, -500000); COMMIT");
	ck_assert_int_eq(unspent(1), 100000);
	ck_assert_int_eq(home(), 400000);
	must(owner, "SELECT set_config('youyun.session', '0', false)");
	must_fail(owner, "SELECT youyun.money_comes_home(1::smallint, 1, 1)",
	    "YY005");
}
END_TEST

/* Something in another session, which may have to wait. */
struct meanwhile {
	pthread_t thread;
	void (*what)(struct db *db);
	struct db *db;
	_Atomic bool done;
};

static void *
do_it(void *arg)
{
	struct meanwhile *m = arg;

	m->what(m->db);
	atomic_store(&m->done, true);
	return NULL;
}

static void
begin(struct meanwhile *m, struct db *db, void (*what)(struct db *))
{
	m->what = what;
	m->db = db;
	atomic_store(&m->done, false);
	ck_assert_int_eq(pthread_create(&m->thread, NULL, do_it, m), 0);
	(void)poll(NULL, 0, 150);
}

static struct node again;

static void
attach_again(struct db *db)
{
	(void)attach(db, "node1", JOURNAL(1), SEGMENT(1), &again);
}

START_TEST(test_attaching_waits_for_a_return_under_way)
{
	struct meanwhile m;

	two_nodes();
	(void)refill(one, &node1, 1000, 0, 0);
	must(one, "BEGIN");
	ck_assert_int_eq(give(one, &node1, 1000), DB_OK);
	begin(&m, two, attach_again);
	ck_assert(!atomic_load(&m.done));
	must(one, "COMMIT");
	pthread_join(m.thread, NULL);
	ck_assert_int_eq(again.verdict, NODE_OURS);
	/* What it loads now is what is left; what was sent later is void. */
	ck_assert_int_eq(refill(two, &again, 0, 0, 0).target, 0);
	ck_assert_int_eq(give(one, &node1, 0), DB_ERROR);
}
END_TEST

static void
fence_it(struct db *db)
{
	int64_t came;

	ck_assert_int_eq(q_node_fence(db, 1, "me", "", &came), DB_OK);
}

START_TEST(test_fencing_waits_for_a_batch_and_sees_it)
{
	struct meanwhile m;
	bool late;

	two_nodes();
	(void)refill(one, &node1, 1000, 0, 0);
	must(one, "BEGIN");
	ck_assert_int_eq(spend(one, 1, SEGMENT(1), 400, &late), 400);
	begin(&m, admin, fence_it);
	ck_assert(!atomic_load(&m.done));
	must(one, "COMMIT");
	pthread_join(m.thread, NULL);
	ck_assert_int_eq(home(), CREDIT - 400);
}
END_TEST

static int64_t raced;

static void
spend_meanwhile(struct db *db)
{
	bool late;

	raced = spend(db, 1, SEGMENT(1), 400, &late);
}

START_TEST(test_a_batch_that_meets_fencing_is_tried_again)
{
	struct meanwhile m;
	bool late;

	two_nodes();
	(void)refill(one, &node1, 1000, 0, 0);
	must(admin, "BEGIN");
	fence_it(admin);
	begin(&m, one, spend_meanwhile);
	ck_assert(!atomic_load(&m.done));
	must(admin, "COMMIT");
	pthread_join(m.thread, NULL);
	ck_assert_int_eq(raced, -1);
	ck_assert_str_eq(db_sqlstate(one), "40001");
	ck_assert_int_eq(spend(one, 1, SEGMENT(1), 400, &late), 400);
	ck_assert(late);
}
END_TEST

/* A node with a little segment of its own: it spends, asks and returns. */
struct player {
	pthread_t thread;
	struct db *db;
	struct node *node;
	unsigned seed;
	int64_t spent;
};

static void *
play(void *arg)
{
	struct player *p = arg;
	uint64_t segment = SEGMENT(p->node->id);
	int64_t available = 0, nano;
	struct refill r;
	bool late;
	int i;

	for (i = 0; i < 300; i++) {
		nano = rand_r(&p->seed) % 9000 + 1;
		switch (rand_r(&p->seed) % 3) {
		case 0:
			if (refill_as(p->db, p->node, nano, nano, 0, &r) ==
			    DB_OK)
				available += r.given;
			break;
		case 1:
			if (nano > available)
				nano = available;
			if (give(p->db, p->node, nano) == DB_OK)
				available -= nano;
			break;
		default:
			if (nano > available)
				nano = available;
			ck_assert_int_eq(spend(p->db, p->node->id, segment,
			    nano, &late), nano);
			available -= nano;
			p->spent += nano;
			break;
		}
	}
	return (void *)(intptr_t)available;
}

START_TEST(test_nodes_that_race_for_one_customer_stay_exact)
{
	struct player p[2] = { { .db = NULL } };
	void *left[2];
	unsigned seed = (unsigned)time(NULL);
	struct db *mine = owner;
	int i;

	printf("seed %u\n", seed);
	two_nodes();
	owner = pg_connect(server, "youyun_owner", DATABASE);
	for (i = 0; i < 2; i++) {
		p[i].db = i == 0 ? one : two;
		p[i].node = i == 0 ? &node1 : &node2;
		p[i].seed = seed + (unsigned)i;
		ck_assert_int_eq(pthread_create(&p[i].thread, NULL, play,
		    &p[i]), 0);
	}
	for (i = 0; i < 60; i++) {
		(void)!db_script(mine, "SELECT youyun.money_moves(1, 500)");
		(void)!db_script(mine, "SELECT youyun.money_moves(1, -500)");
	}
	for (i = 0; i < 2; i++)
		pthread_join(p[i].thread, &left[i]);
	ck_assert_int_eq(unspent(1), (int64_t)(intptr_t)left[0]);
	ck_assert_int_eq(unspent(2), (int64_t)(intptr_t)left[1]);
	ck_assert_int_eq(number("SELECT moved_nano FROM youyun.purse"),
	    home() + unspent(1) + unspent(2) + p[0].spent + p[1].spent);
	db_close(&mine);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("db_leases");
	TCase *tc = tcase_create("leases");
	int status;

	server = pg_server_start();
	if (server == NULL)
		return PG_SKIP;
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc,
	    test_an_instance_is_a_node_by_its_journal_and_segment);
	tcase_add_test(tc, test_an_earlier_session_is_refused);
	tcase_add_test(tc, test_what_arrives_goes_to_a_node_that_is_alone);
	tcase_add_test(tc, test_a_lease_is_the_least_that_serves);
	tcase_add_test(tc, test_a_node_that_lacks_money_gets_the_others);
	tcase_add_test(tc, test_what_is_spent_can_not_be_returned);
	tcase_add_test(tc, test_home_and_leases_are_what_was_booked);
	tcase_add_test(tc, test_a_stopped_nodes_rest_is_anybodys);
	tcase_add_test(tc, test_a_gone_nodes_lease_is_nobodys);
	tcase_add_test(tc, test_fencing_brings_home_and_books_late_what_it_can);
	tcase_add_test(tc, test_a_late_fee_leaves_the_new_segments_grant_alone);
	tcase_add_test(tc, test_late_fees_stop_at_what_is_at_home);
	tcase_add_test(tc, test_money_leaves_from_home_only);
	tcase_add_test(tc, test_what_a_node_took_out_is_booked_out);
	tcase_add_test(tc, test_attaching_waits_for_a_return_under_way);
	tcase_add_test(tc, test_fencing_waits_for_a_batch_and_sees_it);
	tcase_add_test(tc, test_a_batch_that_meets_fencing_is_tried_again);
	tcase_add_test(tc, test_nodes_that_race_for_one_customer_stay_exact);
	suite_add_tcase(suite, tc);
	status = run_suite(suite);
	pg_server_stop(&server);
	return status;
}
