/*
 * segment: stands in for a running gateway's segment, so that youyunctl can
 * be held against balances that are right, and against some that aren't.
 *
 *	segment CONFIG ID=NANO[/HELD]...
 *
 * Makes the segment of that configuration with those accounts, prints
 * "ready", keeps the flusher's heartbeat going, and removes it when standard
 * input ends.  A line "stop" sets all reasons to refuse calls.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/settings.h"
#include "shm/directory.h"
#include "shm/hold.h"
#include "shm/seat.h"
#include "shm/segment.h"

#define BEAT_MS 50

static const struct shm_sizes sizes = {
	.seats = 4, .holds_per_seat = 8, .ring_records = 16, .accounts = 64,
	.keys = 100, .channels = 8, .catalogue_bytes = 1 << 20
};

static void __attribute__((noreturn))
fail(const char *what)
{
	fprintf(stderr, "segment: %s\n", what);
	exit(1);
}

static void
read_name(const char *path, char *name_r)
{
	struct conf_report report;
	struct settings *settings;

	settings = malloc(sizeof *settings);
	conf_report_init(&report);
	if (settings == NULL || !settings_read(path, settings, &report))
		fail("the configuration can't be read");
	settings_segment_name(settings, name_r);
	conf_report_free(&report);
	free(settings);
}

static void
add_account(struct shm *shm, struct hold_book *book, const char *text)
{
	struct hold_terms terms;
	struct call_record draft;
	uint32_t account, hold;
	uint64_t id;
	int64_t nano, held;

	held = 0;
	if (sscanf(text, "%" SCNu64 "=%" SCNd64 "/%" SCNd64, &id, &nano,
	    &held) < 2)
		fail("an account is ID=NANO[/HELD]");
	if (account_add(shm, id, &account) != DIRECTORY_OK ||
	    hold_grant(shm, account, nano) != HOLD_OK)
		fail("no room for the account");
	account_set(shm, account, &(struct account_view){ .group_id = 1 });
	if (held == 0)
		return;
	memset(&draft, 0, sizeof draft);
	memset(&terms, 0, sizeof terms);
	if (hold_reserve(book, account, held, &draft, &terms, &hold) !=
	    HOLD_OK)
		fail("the hold was refused");
}

int
main(int argc, char **argv)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	char name[SEGMENT_NAME_BYTES], line[64];
	struct hold_book *book;
	struct shm *shm;
	uint64_t generation;
	uint32_t seat;
	int i;

	if (argc < 2)
		fail("usage: segment CONFIG ID=NANO[/HELD]...");
	read_name(argv[1], name);
	if (shm_create(name, &sizes, &shm) != SHM_OK)
		fail("the segment can't be made");
	seat = seat_assign(shm, &generation);
	seat_occupy(shm, seat, getpid());
	seat_set(shm, seat, SEAT_BEAT_NS, (uint64_t)clock_mono().ns);
	seat_add(shm, seat, SEAT_CALLS, 7);
	book = hold_book_open(shm, seat);
	for (i = 2; i < argc; i++)
		add_account(shm, book, argv[i]);
	shm_gauge_set(shm, SHM_GAUGE_DATABASE_UP, 1);
	shm_gauge_set(shm, SHM_GAUGE_FLUSHER_BEAT_NS,
	    (uint64_t)clock_mono().ns);
	shm_go(shm, SHM_STOP_LOADING);
	puts("ready");
	fflush(stdout);
	for (;;) {
		if (poll(&in, 1, BEAT_MS) > 0) {
			if (read(STDIN_FILENO, line, sizeof line) <= 0)
				break;
			shm_stop(shm, SHM_STOP_LOADING | SHM_STOP_JOURNAL |
			    SHM_STOP_BUDGET | SHM_STOP_FLUSHER);
			puts("stopped");
			fflush(stdout);
		}
		shm_gauge_set(shm, SHM_GAUGE_FLUSHER_BEAT_NS,
		    (uint64_t)clock_mono().ns);
	}
	hold_book_close(&book);
	shm_remove(name);
	shm_close(&shm);
	return 0;
}
