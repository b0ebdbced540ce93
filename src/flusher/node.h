/*
 * node.h: which node of the database this instance is.
 * Layer: flusher.
 * Written by: nobody; the database keeps it, see shm/LEASES.
 */
#ifndef FLUSHER_NODE_H
#define FLUSHER_NODE_H

#include <stdint.h>

#include "db/connection.h"

/* As node_attach() of the schema numbers them. */
enum node_verdict {
	NODE_OURS = 0,
	NODE_FENCED = 1,
	NODE_TAKEN = 2,
	NODE_UNKNOWN = 3
};

struct node {
	enum node_verdict verdict;
	uint16_t id;		/* 0: unknown */
	int64_t session;	/* of this connection */
	uint32_t up;		/* nodes that are, this one among them */
};

/* First of all after connecting: what an earlier connection asked for and
 * hasn't been done yet never will be. */
enum db_result node_attach(struct db *db, const char *name,
	    uint64_t journal_id, uint64_t incarnation, struct node *node_r)
	    __attribute__((warn_unused_result));

/* A sign of life; node->up is what it tells.  DB_CONFLICT: this instance isn't
 * the node any more. */
enum db_result node_beat(struct db *db, struct node *node)
	    __attribute__((warn_unused_result));

/* With every call applied and nothing to be granted any more: the leases' rest
 * is anybody's.  Connects by itself and gives up soon. */
void	node_release(const char *conninfo, uint16_t id, int64_t session);

/* What to say of a verdict, and what to do. */
void	node_say(enum node_verdict verdict, const char *name);

#endif
