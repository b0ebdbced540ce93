/*
 * shm_fixture.h: a small segment for a test, gone when the test is.
 * Layer: tests.
 * Written by: the test that includes it.
 */
#ifndef TESTS_SHM_FIXTURE_H
#define TESTS_SHM_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shm/directory.h"
#include "shm/hold.h"
#include "shm/ring.h"
#include "shm/seat.h"
#include "shm/segment.h"

#define FIXTURE_HOLDS 8
#define FIXTURE_RING 16
#define UNIT INT64_C(1000000000)

static const struct shm_sizes fixture_sizes = {
	.seats = 4, .holds_per_seat = FIXTURE_HOLDS,
	.ring_records = FIXTURE_RING, .accounts = 16, .keys = 100,
	.channels = 8, .catalogue_bytes = 1 << 20
};

static inline const char *
fixture_name(void)
{
	static char name[SHM_NAME_MAX];

	(void)snprintf(name, sizeof(name), "/youyun-test-%ld", (long)getpid());
	return name;
}

/* A fresh segment, its name removed at once: nothing stays behind. */
static inline struct shm *
fixture_segment(const struct shm_sizes *sizes)
{
	struct shm *shm = NULL;

	if (shm_create(fixture_name(), sizes, &shm) != SHM_OK) {
		perror("cannot make a segment");
		exit(99);
	}
	shm_remove(fixture_name());
	return shm;
}

/* An active account with that much money; its slot. */
static inline uint32_t
fixture_account(struct shm *shm, uint64_t account_id, int64_t nano)
{
	uint32_t account = ACCOUNT_NONE;

	if (account_add(shm, account_id, &account) != DIRECTORY_OK ||
	    hold_grant(shm, account, nano) != HOLD_OK)
		exit(99);
	account_set(shm, account, &(struct account_view){ .group_id = 1 });
	return account;
}

static inline int64_t
fixture_available(const struct shm *shm, uint32_t account)
{
	struct account_view view;

	return account_read(shm, account, &view) ? view.available_nano : -1;
}

/* 1 nano a token for input, 2 for output, once over. */
static inline struct hold_terms
fixture_terms(void)
{
	struct hold_terms terms;

	memset(&terms, 0, sizeof(terms));
	price_clear(&terms.price);
	terms.price.nano[USAGE_INPUT] = 1000000;
	terms.price.nano[USAGE_OUTPUT] = 2000000;
	terms.price.version = 1;
	terms.multiplier_ppm = MULTIPLIER_ONE_PPM;
	return terms;
}

static inline struct call_record
fixture_draft(uint64_t number)
{
	struct call_record draft;

	memset(&draft, 0, sizeof(draft));
	memcpy(draft.request_id, &number, sizeof(number));
	draft.account_id = 1;
	return draft;
}

#endif
