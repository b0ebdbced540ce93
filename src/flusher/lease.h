/*
 * lease.h: what this node may spend: asked for, granted, returned.
 * Layer: flusher.
 * Written by: the directory thread.
 *
 * In the database a lease grows before the segment is granted, and shrinks
 * after the segment was reduced; shm/LEASES argues that nothing more is needed.
 * After any failure here the connection is dropped, and the load that follows
 * the next one brings the segment to what the database says.
 */
#ifndef FLUSHER_LEASE_H
#define FLUSHER_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "db/connection.h"
#include "flusher/node.h"

struct leases;
struct settings;
struct shm;

/* Both are borrowed.  NULL: no memory. */
struct leases *leases_open(struct shm *shm, const struct settings *settings);
void	leases_close(struct leases **leases);

/* Takes what workers asked for, and carries out what is due of it and of the
 * recalls. */
enum db_result leases_turn(struct leases *leases, struct db *db,
	    const struct node *node) __attribute__((warn_unused_result));
/* Until leases_turn() has something to do by itself; INT_MAX: nothing. */
int	leases_due_ms(const struct leases *leases);

/* More came home; slot ACCOUNT_NONE: of many accounts. */
void	leases_news(struct leases *leases, uint32_t slot);
/* Another node lacks it. */
void	leases_recall(struct leases *leases, uint32_t slot, uint64_t customer,
	    int64_t nano);

/* A node alone takes all that is at home: before a load.  *n_r: of how many
 * customers. */
enum db_result leases_take_all(struct db *db, const struct node *node,
	    int64_t *n_r) __attribute__((warn_unused_result));
/* A node that isn't alone returns what is more than its part: after a load. */
enum db_result leases_return_surplus(struct leases *leases, struct db *db,
	    const struct node *node) __attribute__((warn_unused_result));

#endif
