/*
 * queries_audit.h: the audit trail and its chain.
 * Layer: db.
 * Written by: as queries.h has it, whose rules hold here.
 */
#ifndef DB_QUERIES_AUDIT_H
#define DB_QUERIES_AUDIT_H

#include "db/queries.h"

#define AUDIT_HASH_BYTES 32

struct audit_row {
	int64_t id;
	int64_t at_us;
	const char *actor;
	const char *role;
	const char *action;
	const char *object;
	const char *reason;
	const char *change;		/* JSON */
};

struct audit_filter {
	const char *object;		/* "customer:5"; NULL: any */
	int64_t since_us;		/* 0: any time */
	int64_t before;			/* entries before this one; 0: all */
	int64_t limit;
};
/* The newest first. */
Q_RESULT q_audit_list(struct db *db, const struct audit_filter *filter,
	    bool (*each)(const struct audit_row *, void *), void *arg);

struct access_row {
	const char *actor, *reason;
	const char *kind;		/* customer, key, ticket, incident, all */
	const char *who;		/* by name or number; NULL for all */
	const char *detail;		/* JSON: the command */
};
/* That somebody reads a customer's data. */
Q_RESULT q_access_note(struct db *db, const struct access_row *row);

/* An entry where it stands in the chain.  Hashes are AUDIT_HASH_BYTES each, or
 * NULL where they are not of that size. */
struct audit_link_row {
	int64_t seq;
	int64_t audit_id;
	const uint8_t *detail, *leaf, *chain;
	bool there;			/* else `entry` is empty */
	struct audit_row entry;
};
/* Links what isn't yet. */
Q_RESULT q_audit_seal(struct db *db);
/* All of the chain, in its order. */
Q_RESULT q_audit_link_each(struct db *db,
	    bool (*each)(const struct audit_link_row *, void *), void *arg);
/* At most so many links behind one, with seq and leaf alone. */
Q_RESULT q_audit_leaf_each(struct db *db, int64_t after, int64_t limit,
	    bool (*each)(const struct audit_link_row *, void *), void *arg);
/* The number of the last link; 0: there is none. */
Q_RESULT q_audit_last_link(struct db *db, int64_t *seq_r);
/* How many entries are in no link. */
Q_RESULT q_audit_unlinked(struct db *db, int64_t *entries_r);

#endif
