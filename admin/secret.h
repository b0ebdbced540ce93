/*
 * secret.h: the sealing keys, in the secrets file and in the database, and
 * what running processes have of them.
 * Layer: admin.
 * Written by: its owner.
 */
#ifndef ADMIN_SECRET_H
#define ADMIN_SECRET_H

#include "admin/admin.h"
#include "admin/args.h"
#include "base/secret.h"
#include "db/queries_secret.h"

#define SEAL_KEYS_EVER 256

struct seal_state {
	struct secrets secrets;		/* the file; seal_close() scrubs */
	char path[4096];		/* where it is */
	struct seal_key_row key[SEAL_KEYS_EVER]; /* the newest first */
	size_t keys;
	int64_t others;			/* nodes beside this one */
};

/* Connects, takes the lock that one may have, and reads both. */
enum admin_exit	seal_open(struct admin *admin, const char *file,
	    struct seal_state *state_r) __attribute__((warn_unused_result));
/* Reads the database's side again. */
enum admin_exit	seal_read(struct admin *admin, struct seal_state *state)
	    __attribute__((warn_unused_result));
void	seal_close(struct seal_state *state);
/* NULL: the database doesn't know it. */
const struct seal_key_row *seal_known(const struct seal_state *state,
	    int64_t id);
/* How much other keys have sealed; not ours included. */
int64_t	seal_others(const struct seal_state *state, uint8_t id);
/* The newest that the database has in use; 0: none. */
uint8_t	seal_newest(const struct seal_state *state);
/* Writes the file and has it told where that fails. */
enum admin_exit	seal_write(const struct seal_state *state)
	    __attribute__((warn_unused_result));

/* Workers of this machine that run, and how many of them have the key. */
struct seal_workers {
	bool running;
	uint32_t workers, having;
};
void	seal_workers(const struct admin *admin, uint8_t id,
	    struct seal_workers *workers_r);
/* Has youyund read the secrets again, and waits until its workers have this
 * key.  Without youyund there is nothing to do. */
enum admin_exit	seal_spread(struct admin *admin, uint8_t id)
	    __attribute__((warn_unused_result));

/* The verb, and its options. */
extern const struct opt seal_rotate_options[];
enum admin_exit	seal_rotate(struct admin *admin, const struct args *args);

#endif
