/*
 * flusher_fixture.h: a flusher as a process, on a real segment, journal and
 * server, with calls made as a worker makes them.
 * Layer: tests.
 * Written by: the test that includes it.
 */
#ifndef TESTS_FLUSHER_FIXTURE_H
#define TESTS_FLUSHER_FIXTURE_H

#include <check.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "conf/heritage.h"
#include "conf/settings.h"
#include "db/queries.h"
#include "db/queries_verify.h"
#include "flusher/flusher.h"
#include "shm/directory.h"
#include "shm/hold.h"
#include "shm/ring.h"
#include "shm/seat.h"
#include "shm/segment.h"
#include "tests/db/pg_fixture.h"

#define FIXTURE_DATABASE "flusher_test"
#define UNIT INT64_C(1000000000)

static struct pg_server *server;
static struct db *admin;
static struct shm *shm;
static struct settings settings;
static char dir[64];
static pid_t flusher;
static uint32_t seat;
static struct hold_book *book;
static int64_t customer_id;
static uint8_t digest[32] = { 42 };
static uint64_t call_number;
static int64_t expected_calls, expected_fees;

static inline void
nap_ms(int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

static inline void
make_segment(void)
{
	static const struct shm_sizes sizes = { .seats = 4,
		.holds_per_seat = 64, .ring_records = 1024, .accounts = 64,
		.keys = 256, .channels = 8, .catalogue_bytes = 1 << 20 };
	char name[SHM_NAME_MAX];
	uint64_t generation;

	snprintf(name, sizeof(name), "/youyun-test-%ld", (long)getpid());
	ck_assert_int_eq(shm_create(name, &sizes, &shm), SHM_OK);
	shm_remove(name);
	shm_stop(shm, SHM_STOP_LOADING);
	seat = seat_assign(shm, &generation);
	seat_occupy(shm, seat, getpid());
	book = hold_book_open(shm, seat);
	ck_assert_ptr_nonnull(book);
}

static inline void
start_flusher(void)
{
	static struct heritage h;
	char log[100];

	h.settings = &settings;
	h.shm = shm;

	h.parent_fd = -1;
	h.seat = SEAT_FLUSHER;
	flusher = fork();
	ck_assert_int_ge(flusher, 0);
	if (flusher != 0)
		return;
	snprintf(log, sizeof(log), "%s/flusher.log", dir);
	(void)!freopen(log, "a", stderr);
	log_open("flusher", LOG_TARGET_STDERR, LOG_LEVEL_NOTICE);
	exit(flusher_main(&h));
}

static inline void
kill_flusher(void)
{
	int status;

	kill(flusher, SIGKILL);
	waitpid(flusher, &status, 0);
	flusher = 0;
}

/* As the master does: workers first.  Its exit status. */
static inline int
stop_flusher(void)
{
	int status;

	seat_bury(shm, seat);
	kill(flusher, SIGTERM);
	ck_assert_int_eq(waitpid(flusher, &status, 0), flusher);
	flusher = 0;
	return status;
}

static inline void
give_up(const char *what, int ms)
{
	char command[100];

	snprintf(command, sizeof(command), "cat %s/flusher.log >&2", dir);
	(void)!system(command);
	ck_abort_msg("%s: not within %d ms", what, ms);
}

static inline void
wait_for(bool (*done)(void), int ms, const char *what)
{
	struct mono_time began = clock_mono();

	while (!done()) {
		if (mono_diff_ms(clock_mono(), began) > ms)
			give_up(what, ms);
		nap_ms(1);
	}
}

static inline bool
loaded(void)
{
	return (shm_stops(shm) & SHM_STOP_LOADING) == 0;
}

static inline void
credit(const char *key, int64_t nano)
{
	struct credit c = { .key = key, .customer_id = customer_id,
		.amount_nano = nano, .source = "external", .actor = "x" };
	struct credit_receipt receipt;

	ck_assert_msg(q_credit(admin, &c, &receipt) == DB_OK, "%s",
	    db_message(admin));
}

static inline void
set_up(void)
{
	char conninfo[PG_CONNINFO_BYTES];
	int64_t id;

	pg_fresh_database(server, FIXTURE_DATABASE);
	admin = pg_connect(server, "youyun_admin", FIXTURE_DATABASE);
	snprintf(dir, sizeof(dir), "/tmp/youyun-flusher-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	settings_default(&settings);
	pg_conninfo(server, "youyun_flusher", FIXTURE_DATABASE, conninfo);
	snprintf(settings.database, sizeof(settings.database), "%s", conninfo);
	snprintf(settings.journal_dir, sizeof(settings.journal_dir), "%s",
	    dir);
	settings.journal_segment_bytes = 4 << 20;
	settings.journal_budget_bytes = 64 << 20;
	ck_assert_int_eq(q_customer_add(admin, "a", NULL, NULL, NULL,
	    &customer_id), DB_OK);
	ck_assert_int_eq(q_key_add(admin, customer_id, "", digest, "sk",
	    0, KEY_SCOPE_CALLS,
	    &id), DB_OK);
	credit("first", 10 * UNIT);
	make_segment();
}

static inline void
tear_down(void)
{
	char command[100];

	if (flusher > 0)
		kill_flusher();
	hold_book_close(&book);
	shm_close(&shm);
	db_close(&admin);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static inline uint32_t
account(void)
{
	struct key_view view;

	return key_find(shm, digest, &view) ? view.account : ACCOUNT_NONE;
}

static inline int64_t
available(void)
{
	struct account_view view;

	return account_read(shm, account(), &view) ? view.available_nano : -1;
}

static inline struct hold_terms
terms(void)
{
	struct hold_terms t;
	int i;

	memset(&t, 0, sizeof(t));
	for (i = 0; i < USAGE_SLOTS; i++)
		t.price.nano[i] = i < 2 ? 1000000 : PRICE_UNSET;
	t.multiplier_ppm = MULTIPLIER_ONE_PPM;
	return t;
}

static inline struct call_record
draft(void)
{
	struct call_record r;
	uint64_t n = ++call_number;

	memset(&r, 0, sizeof(r));
	memcpy(r.request_id, &n, sizeof(n));
	r.started_us = clock_wall().us;
	r.account_id = (uint64_t)customer_id;
	r.status = 200;
	r.node = 1;
	return r;
}

/* A call with this fee; waits while there is no room, as a client would. */
static inline void
call(int64_t fee)
{
	struct call_record r = draft();
	struct hold_terms t = terms();
	enum hold_result result;
	uint32_t hold;
	int tries = 0;

	while ((result = hold_reserve(book, account(), fee + 100, &r, &t,
	    &hold)) == HOLD_BUSY) {
		if (tries++ > 10000)
			give_up("room for a call", 10000);
		nap_ms(1);
	}
	ck_assert_int_eq(result, HOLD_OK);
	hold_settle(book, hold, fee, &r);
}

/* n calls with fees 1, 2, 3 … */
static inline void
calls(int n)
{
	int i;

	for (i = 1; i <= n; i++) {
		call(i);
		expected_calls++;
		expected_fees += i;
	}
}

/* While nobody empties the ring: not more than fit. */
static inline void
calls_unattended(int n)
{
	int room = (int)ring_space(shm, seat) - 10;

	if (room > 0)
		calls(n < room ? n : room);
}

static inline bool
all_booked(void)
{
	struct totals t;

	if (db_connect(admin, 5) != DB_OK || q_totals(admin, &t) != DB_OK)
		return false;
	return t.calls == expected_calls;
}

static inline bool
breach(const struct breach_row *row, void *arg)
{
	(void)arg;
	ck_abort_msg("%s: %s has %lld, not %lld", row->rule, row->object,
	    (long long)row->found_nano, (long long)row->expected_nano);
	return true;
}

static inline void
must_be_exact(int64_t credits)
{
	struct totals t;

	wait_for(all_booked, 20000, "all calls are in the database");
	ck_assert_int_eq(q_totals(admin, &t), DB_OK);
	ck_assert_int_eq(t.fee_nano, expected_fees);
	ck_assert_int_eq(t.spent_nano, expected_fees);
	ck_assert_int_eq(q_verify_each(admin, breach, NULL), DB_OK);
	ck_assert_int_eq(available(), credits - expected_fees);
}

static inline bool
credited(void)
{
	return available() == 11 * UNIT - expected_fees;
}

#endif
