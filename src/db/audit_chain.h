/*
 * audit_chain.h: the audit trail's chain and tree, computed from its entries.
 * Layer: db.
 * Written by: its owner.
 *
 * A leaf is SHA-256 of 0x00 and the entry's texts as netstrings; the chain's
 * next is SHA-256 of the chain before and the leaf; the root is the Merkle tree
 * head over the leaves (RFC 6962, section 2.1).  An anchor of the root and the
 * number of leaves, kept outside, fixes all entries up to there.
 */
#ifndef DB_AUDIT_CHAIN_H
#define DB_AUDIT_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "db/queries_audit.h"

#define AUDIT_TREE_HEIGHT 63

/* An anchor: leaves, root in hexadecimal, time. */
#define AUDIT_ANCHOR_FORMAT "youyun-audit size=%" PRId64 " root=%s at=%s"
#define AUDIT_ANCHOR_BYTES 192

struct audit_chain {
	int64_t last_seq;	/* as links say */
	int64_t leaves;		/* that were seen */
	int64_t latest_us;	/* of the entries' times */
	uint8_t chain[AUDIT_HASH_BYTES];
	/* Roots of the whole subtrees so far, the largest first. */
	uint8_t tree[AUDIT_TREE_HEIGHT][AUDIT_HASH_BYTES];
	int trees;
};

enum audit_fault {
	AUDIT_SOUND,
	AUDIT_ERASED,		/* reason and change were blanked: no fault */
	AUDIT_GAP,		/* a link is missing before this one */
	AUDIT_REMOVED,		/* the entry is gone */
	AUDIT_CHANGED,		/* the entry is not what was linked */
	AUDIT_BROKEN,		/* it doesn't follow from those before */
	AUDIT_CLOCK		/* it is of an earlier time */
};

/* How far entries' times may go back in the chain: transactions are linked
 * when they have ended, and have the time of their beginning. */
#define AUDIT_CLOCK_US (INT64_C(3600) * 1000000)

/* Zero at first.  Adds a link; after a fault the chain goes on from what the
 * link says, so that the next fault is found, too. */
enum audit_fault audit_chain_add(struct audit_chain *chain,
	    const struct audit_link_row *link);
/* Adds a leaf without looking at anything else. */
void	audit_chain_grow(struct audit_chain *chain, const uint8_t *leaf);
/* The tree's root by now. */
void	audit_chain_root(const struct audit_chain *chain,
	    uint8_t root_r[AUDIT_HASH_BYTES]);
const char *audit_fault_text(enum audit_fault fault);

#endif
