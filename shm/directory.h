/*
 * directory.h: customers' keys and accounts, by digest, in constant time.
 * Layer: shm.  Open addressing, linear probing, at most half full.  Entries
 * are added and changed, never moved or removed.
 * Written by: the flusher alone (one writer); read by workers, lock-free.
 *
 * An entry becomes visible by one release store of its state, after all else
 * of it is written; a writer that dies before has added nothing.  Every member
 * that changes later on is an atomic of its own, and no two of them need to
 * agree with each other.
 */
#ifndef SHM_DIRECTORY_H
#define SHM_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/secret.h"

struct shm;

#define ACCOUNT_NONE UINT32_MAX

/* What may be done; stored in the database by the same numbers. */
enum account_status {
	ACCOUNT_ACTIVE = 0,
	ACCOUNT_LIMITED = 1,
	ACCOUNT_SUSPENDED = 2,
	ACCOUNT_CLOSED = 3
};

enum key_status {
	KEY_ACTIVE = 0,
	KEY_REVOKED = 1,
	KEY_SUSPENDED = 2	/* the segment has it as revoked */
};

/* A copy of an entry, as a worker takes it. */
struct key_view {
	uint64_t key_id;
	uint32_t slot;			/* its own; ignored by key_put() */
	uint32_t account;		/* slot */
	enum key_status status;
	int64_t expires_us;		/* wall clock; 0: never */
	uint32_t policy;		/* 0: none */
};

struct account_view {
	uint64_t account_id;
	uint64_t group_id;
	enum account_status status;
	int64_t available_nano;		/* a glance; only hold.h decides */
	int64_t granted_nano;		/* ever, to this node */
	uint32_t policy;		/* 0: none */
	bool cut;			/* calls that go on are to end */
	uint32_t minimise;	/* RECORD_ADDRESS_…, RECORD_AGENT_NONE */
};

enum directory_result {
	DIRECTORY_OK,
	DIRECTORY_FULL
};

/* Worker. */
bool	key_find(const struct shm *shm, const uint8_t digest[KEY_DIGEST_BYTES],
	    struct key_view *view_r) __attribute__((warn_unused_result));
bool	account_read(const struct shm *shm, uint32_t account,
	    struct account_view *view_r) __attribute__((warn_unused_result));

/* Flusher: adds the key or changes the one that is there.  slot_r may be
 * NULL. */
enum directory_result	key_put(struct shm *shm,
	    const uint8_t digest[KEY_DIGEST_BYTES], const struct key_view *view,
	    uint32_t *slot_r) __attribute__((warn_unused_result));

/* Flusher: a new account, with nothing granted; *account_r is its slot. */
enum directory_result	account_add(struct shm *shm, uint64_t account_id,
	    uint32_t *account_r) __attribute__((warn_unused_result));
/* Flusher: all but the money, which moves only by hold_grant(); account_id and
 * available_nano of the view are ignored.  Counts SHM_GAUGE_CUTS up when the
 * account is cut off now. */
void	account_set(struct shm *shm, uint32_t account,
	    const struct account_view *view);

uint32_t account_count(const struct shm *shm);
uint32_t key_count(const struct shm *shm);

#endif
