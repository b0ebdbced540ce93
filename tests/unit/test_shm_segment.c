/*
 * test_shm_segment.c: segment, seats, directory, rings.
 */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/unit/run.h"
#include "tests/unit/shm_fixture.h"

START_TEST(test_segment_is_found_again_with_its_sizes)
{
	struct shm *made = NULL, *found = NULL;

	ck_assert_int_eq(shm_create(fixture_name(), &fixture_sizes, &made),
	    SHM_OK);
	ck_assert_uint_eq(shm_stops(made), SHM_STOP_LOADING);
	ck_assert_int_eq(shm_attach(fixture_name(), false, &found), SHM_OK);
	ck_assert(shm_sizes_equal(shm_sizes(found), &fixture_sizes));
	ck_assert_uint_eq(shm_incarnation(found), shm_incarnation(made));
	shm_go(made, SHM_STOP_LOADING);
	shm_stop(found, SHM_STOP_BUDGET);
	ck_assert_uint_eq(shm_stops(made), SHM_STOP_BUDGET);
	shm_gauge_set(made, SHM_GAUGE_KEYS, 7);
	ck_assert_uint_eq(shm_gauge(found, SHM_GAUGE_KEYS), 7);
	shm_remove(fixture_name());
	shm_close(&made);
	shm_close(&found);
	ck_assert_ptr_null(found);
	ck_assert_int_eq(shm_attach(fixture_name(), false, &found),
	    SHM_ABSENT);
}
END_TEST

START_TEST(test_segment_refuses_what_is_not_ours)
{
	struct shm *shm = NULL;
	uint64_t version = 99;
	int fd;

	fd = shm_open(fixture_name(), O_RDWR | O_CREAT | O_EXCL, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(shm_attach(fixture_name(), false, &shm), SHM_FOREIGN);
	ck_assert_int_eq(ftruncate(fd, 1 << 20), 0);
	ck_assert_int_eq(shm_attach(fixture_name(), false, &shm), SHM_FOREIGN);
	close(fd);
	ck_assert_int_eq(shm_create(fixture_name(), &fixture_sizes, &shm),
	    SHM_OK);
	shm_close(&shm);
	fd = shm_open(fixture_name(), O_RDWR, 0);
	ck_assert_int_eq(fchmod(fd, 0622), 0);
	ck_assert_int_eq(shm_attach(fixture_name(), false, &shm), SHM_OWNER);
	ck_assert_int_eq(fchmod(fd, 0600), 0);
	ck_assert_int_eq(pwrite(fd, &version, 4, 8), 4);
	ck_assert_int_eq(shm_attach(fixture_name(), false, &shm), SHM_FOREIGN);
	close(fd);
	shm_remove(fixture_name());
}
END_TEST

START_TEST(test_segment_refuses_impossible_sizes)
{
	struct shm_sizes sizes = fixture_sizes;
	struct shm *shm = NULL;

	sizes.ring_records = 24;	/* not a power of two */
	ck_assert_int_eq(shm_create(fixture_name(), &sizes, &shm), SHM_SIZES);
	sizes.ring_records = FIXTURE_HOLDS;	/* no room to spare */
	ck_assert_int_eq(shm_create(fixture_name(), &sizes, &shm), SHM_SIZES);
	sizes = fixture_sizes;
	sizes.seats = 1;
	ck_assert_int_eq(shm_create(fixture_name(), &sizes, &shm), SHM_SIZES);
	ck_assert_ptr_null(shm);
}
END_TEST

START_TEST(test_a_million_keys_fit)
{
	struct shm_sizes sizes = fixture_sizes;
	uint8_t digest[KEY_DIGEST_BYTES];
	struct key_view view, seen;
	struct secrets secrets;
	struct key_hasher *hasher;
	struct shm *shm;
	char key[32];
	uint32_t i;

	sizes.keys = 1000000;
	shm = fixture_segment(&sizes);
	memset(&secrets, 7, sizeof(secrets));
	hasher = key_hasher_open(&secrets);
	memset(&view, 0, sizeof(view));
	for (i = 0; i < sizes.keys; i++) {
		snprintf(key, sizeof(key), "sk-%u", i);
		key_hasher_digest(hasher, key, strlen(key), digest);
		view.key_id = i + 1;
		view.account = i % 16;
		ck_assert_int_eq(key_put(shm, digest, &view, NULL), DIRECTORY_OK);
	}
	ck_assert_uint_eq(key_count(shm), sizes.keys);
	for (i = 0; i < sizes.keys; i += 997) {
		snprintf(key, sizeof(key), "sk-%u", i);
		key_hasher_digest(hasher, key, strlen(key), digest);
		ck_assert(key_find(shm, digest, &seen));
		ck_assert_uint_eq(seen.key_id, i + 1);
		ck_assert_uint_eq(seen.account, i % 16);
	}
	key_hasher_digest(hasher, "sk-none", 7, digest);
	ck_assert(!key_find(shm, digest, &seen));
	ck_assert_int_eq(key_put(shm, digest, &view, NULL), DIRECTORY_FULL);
	key_hasher_close(&hasher);
	shm_close(&shm);
}
END_TEST

START_TEST(test_a_key_changes_in_place)
{
	struct shm *shm = fixture_segment(&fixture_sizes);
	uint8_t digest[KEY_DIGEST_BYTES] = { 1, 2, 3 };
	struct key_view view = { .key_id = 5, .account = 3 }, seen;

	ck_assert_int_eq(key_put(shm, digest, &view, NULL), DIRECTORY_OK);
	view.status = KEY_REVOKED;
	view.expires_us = 99;
	ck_assert_int_eq(key_put(shm, digest, &view, NULL), DIRECTORY_OK);
	ck_assert_uint_eq(key_count(shm), 1);
	ck_assert(key_find(shm, digest, &seen));
	ck_assert_int_eq(seen.status, KEY_REVOKED);
	ck_assert_int_eq(seen.expires_us, 99);
	shm_close(&shm);
}
END_TEST

START_TEST(test_accounts_are_added_until_full)
{
	struct shm *shm = fixture_segment(&fixture_sizes);
	struct account_view view;
	uint32_t account, i;

	for (i = 0; i < fixture_sizes.accounts; i++)
		ck_assert_uint_eq(fixture_account(shm, i + 1, UNIT), i);
	ck_assert_int_eq(account_add(shm, 99, &account), DIRECTORY_FULL);
	ck_assert_uint_eq(account_count(shm), fixture_sizes.accounts);
	account_set(shm, 4, &(struct account_view){ .group_id = 77,
	    .status = ACCOUNT_SUSPENDED, .policy = 9, .cut = true });
	ck_assert(account_read(shm, 4, &view));
	ck_assert_uint_eq(view.account_id, 5);
	ck_assert_uint_eq(view.group_id, 77);
	ck_assert_int_eq(view.status, ACCOUNT_SUSPENDED);
	ck_assert_int_eq(view.available_nano, UNIT);
	ck_assert(!account_read(shm, 1000000, &view));
	shm_close(&shm);
}
END_TEST

START_TEST(test_a_seat_lives_dies_and_is_free_again)
{
	struct shm *shm = fixture_segment(&fixture_sizes);
	uint64_t first, generation;
	uint32_t seat, i;
	pid_t pid;

	seat = seat_assign(shm, &first);
	ck_assert_uint_ne(seat, SEAT_FLUSHER);
	seat_occupy(shm, seat, getpid());
	ck_assert_uint_eq(seat_bury_absent(shm), 1);
	ck_assert_int_eq(seat_state(shm, seat), SEAT_LIVE);
	for (i = 0; i < fixture_sizes.seats - 2; i++)
		ck_assert_uint_ne(seat_assign(shm, &generation), SEAT_NONE);
	ck_assert_uint_eq(seat_assign(shm, &generation), SEAT_NONE);
	seat_free(shm, seat);	/* not before it is dead */
	ck_assert_int_eq(seat_state(shm, seat), SEAT_LIVE);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		seat_occupy(shm, seat, getpid());
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_uint_eq(seat_bury_absent(shm), 0);
	ck_assert_int_eq(seat_state(shm, seat), SEAT_DEAD);
	seat_free(shm, seat);
	ck_assert_uint_eq(seat_assign(shm, &generation), seat);
	ck_assert_uint_eq(generation, first + 1);
	shm_close(&shm);
}
END_TEST

START_TEST(test_a_process_that_cannot_be_looked_up_is_not_dead)
{
	struct shm *shm = fixture_segment(&fixture_sizes);
	struct rlimit usual, none;
	uint64_t generation;
	uint32_t seat, unseen;
	pid_t pid;

	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	seat = seat_assign(shm, &generation);
	seat_occupy(shm, seat, getpid());
	unseen = seat_assign(shm, &generation);
	/* No descriptor is left to open /proc with. */
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &usual), 0);
	none = usual;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	seat_occupy(shm, unseen, getpid());
	ck_assert_uint_eq(seat_bury_absent(shm), 2);
	ck_assert_int_eq(seat_state(shm, seat), SEAT_LIVE);
	ck_assert_int_eq(seat_state(shm, unseen), SEAT_LIVE);
	/* And a dead one is still known to be dead. */
	seat_occupy(shm, unseen, pid);
	ck_assert_uint_eq(seat_bury_absent(shm), 1);
	ck_assert_int_eq(seat_state(shm, unseen), SEAT_DEAD);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &usual), 0);
	shm_close(&shm);
}
END_TEST

START_TEST(test_counters_are_a_seats_own)
{
	struct shm *shm = fixture_segment(&fixture_sizes);

	seat_add(shm, 1, SEAT_CALLS, 5);
	seat_add(shm, 1, SEAT_CALLS, -2);
	seat_set(shm, 2, SEAT_CALLS, 9);
	ck_assert_uint_eq(seat_get(shm, 1, SEAT_CALLS), 3);
	ck_assert_uint_eq(seat_get(shm, 2, SEAT_CALLS), 9);
	shm_close(&shm);
}
END_TEST

START_TEST(test_ring_gives_back_in_order_and_only_what_was_published)
{
	struct shm *shm = fixture_segment(&fixture_sizes);
	struct call_record seen[FIXTURE_RING], *r;
	uint64_t from = 0, n, i, written = 0, read = 0;

	for (i = 0; i < 100; i++) {
		while (ring_space(shm, 1) > 0 && written < 1000) {
			r = ring_next(shm, 1);
			*r = fixture_draft(written++);
			ring_publish(shm, 1);
		}
		ck_assert_ptr_null(ring_next(shm, 1));
		ck_assert_uint_eq(ring_read(shm, 1, from, seen, 3), 3);
		n = ring_read(shm, 1, from, seen, FIXTURE_RING);
		ck_assert_uint_eq(n, FIXTURE_RING);
		for (n = 0; n < 7; n++) {
			struct call_record want = fixture_draft(read++);

			ck_assert_mem_eq(&seen[n], &want, sizeof(want));
		}
		from += 7;
		ring_release(shm, 1, from);
	}
	/* A position that never was: nothing, rather than rubbish. */
	ck_assert_uint_eq(ring_read(shm, 1, from + 10000, seen, 1), 0);
	ck_assert_uint_eq(ring_read(shm, 1, 0, seen, 1), 0);
	shm_close(&shm);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("shm_segment");
	TCase *tc = tcase_create("segment");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_segment_is_found_again_with_its_sizes);
	tcase_add_test(tc, test_segment_refuses_what_is_not_ours);
	tcase_add_test(tc, test_segment_refuses_impossible_sizes);
	tcase_add_test(tc, test_a_million_keys_fit);
	tcase_add_test(tc, test_a_key_changes_in_place);
	tcase_add_test(tc, test_accounts_are_added_until_full);
	tcase_add_test(tc, test_a_seat_lives_dies_and_is_free_again);
	tcase_add_test(tc,
	    test_a_process_that_cannot_be_looked_up_is_not_dead);
	tcase_add_test(tc, test_counters_are_a_seats_own);
	tcase_add_test(tc,
	    test_ring_gives_back_in_order_and_only_what_was_published);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
