/*
 * queries_bounds.h: what bounds keys, customers and groups: queries of
 * limits, policies and lists to screen for.
 * Layer: db.
 * Written by: as queries.h has it, whose rules hold here.
 */
#ifndef DB_QUERIES_BOUNDS_H
#define DB_QUERIES_BOUNDS_H

#include "db/queries.h"

/*
 * Limits of use; 0: none
 */
enum limit_scope {			/* rate_limit.scope */
	LIMIT_OF_KEY = 0,
	LIMIT_OF_CUSTOMER = 1,
	LIMIT_OF_GROUP = 2,		/* as a whole */
	LIMIT_OF_MEMBERS = 3	/* of each customer without its own */
};

struct limit_row {
	int64_t requests;		/* a minute */
	int64_t tokens;			/* a minute */
	int64_t concurrent;
	int64_t day_nano;		/* caps of spending, from here on */
	int64_t month_nano;
	int64_t total_nano;		/* of keys only */
	int64_t total_tokens;		/* likewise */
};

/* -1 leaves a member as it is.  DB_NONE: no such key, customer, group. */
Q_RESULT q_limit_set(struct db *db, enum limit_scope scope, int64_t object_id,
	    const struct limit_row *limit);
/* All 0 where there are none. */
Q_RESULT q_limit(struct db *db, enum limit_scope scope, int64_t object_id,
	    struct limit_row *limit_r);

/* What was spent by now, as far as calls have ended. */
struct spent_row {
	int64_t day_nano;		/* today, this month (UTC) */
	int64_t month_nano;
	int64_t total_nano;		/* of keys only */
	int64_t total_tokens;
};
/* All 0 of LIMIT_OF_MEMBERS. */
Q_RESULT q_limit_spent(struct db *db, enum limit_scope scope,
	    int64_t object_id, struct spent_row *spent_r);

/*
 * Policies: what keys and customers may do
 */
enum policy_owner {
	POLICY_OF_KEY,
	POLICY_OF_CUSTOMER
};

/* An empty list allows all; NULL as a list leaves it as it is. */
struct policy_lists {
	const char *const *models;
	size_t n_models;
	const char *const *networks;	/* "192.0.2.0/24", "2001:db8::/32" */
	size_t n_networks;
	const char *const *regions;
	size_t n_regions;
};

struct policy_row {
	const char *models;		/* "a,b"; "": all */
	const char *networks;
	const char *regions;
};

/* DB_NONE: no such key or customer. */
Q_RESULT q_policy_set(struct db *db, enum policy_owner owner, int64_t id,
	    const struct policy_lists *lists);
/* One row. */
Q_RESULT q_policy(struct db *db, enum policy_owner owner, int64_t id,
	    bool (*each)(const struct policy_row *, void *), void *arg);

/*
 * Lists that calls are screened for
 */
struct screen_row {
	int64_t id;
	const char *name;
	int64_t action;			/* enum screen_action */
	bool answers;
	int64_t status;			/* 0 active, 1 disabled */
	const char *groups;		/* "a,b"; "": all */
	int64_t entries;
};

struct screen_entry_row {
	int64_t list_id;
	int64_t kind;			/* enum text_match_kind */
	const char *text;
};

/* Makes the list or changes it; -1 leaves a member as it is (a new one flags
 * requests and is active).  SQLSTATE YY010: there are as many as may be. */
Q_RESULT q_screen_set(struct db *db, const char *name, int64_t action,
	    int64_t answers, int64_t status, int64_t *id_r);
/* No groups: for all.  DB_NONE: there is no such group. */
Q_RESULT q_screen_groups_set(struct db *db, int64_t id,
	    const char *const *groups, size_t n);
/* Instead of those that are there.  DB_NONE: no such list. */
Q_RESULT q_screen_entries_set(struct db *db, const char *name,
	    const int64_t *kinds, const char *const *texts, size_t n);
Q_RESULT q_screen_each(struct db *db,
	    bool (*each)(const struct screen_row *, void *), void *arg);
/* Of one list, in order; NULL: of all that are active. */
Q_RESULT q_screen_entry_each(struct db *db, const char *name,
	    bool (*each)(const struct screen_entry_row *, void *), void *arg);

/*
 * Who is asked about calls before they are forwarded
 */
struct moderation_row {
	const char *group;		/* a name; "", or NULL: all others */
	const char *channel;
	const char *model;
	int64_t action;			/* enum screen_action */
	int64_t closed;
	int64_t timeout_ms;
};

/* Of one group, which is there, or of all without one of their own (group
 * NULL).  The row's channel doesn't matter.  0, NULL and -1 leave a member as
 * it is, or as usual.  DB_NONE: there was none, and channel or model is
 * missing.  SQLSTATE YY038: a channel of another protocol. */
Q_RESULT q_moderation_set(struct db *db, const struct moderation_row *row,
	    int64_t channel_id);
/* DB_NONE: there was none. */
Q_RESULT q_moderation_remove(struct db *db, const char *group);
Q_RESULT q_moderation_each(struct db *db,
	    bool (*each)(const struct moderation_row *, void *), void *arg);

#endif
