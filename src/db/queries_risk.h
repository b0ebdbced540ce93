/*
 * queries_risk.h: rules that look at how keys and customers are used.
 * Layer: db.
 * Written by: as queries.h has it, whose rules hold here.
 */
#ifndef DB_QUERIES_RISK_H
#define DB_QUERIES_RISK_H

#include "db/queries.h"

/* As risk_rule.action numbers them; each does what those before it do. */
enum risk_action {
	RISK_OFF,
	RISK_NOTE,
	RISK_NOTIFY,
	RISK_LIMIT,
	RISK_SUSPEND
};
#define RISK_ACTIONS 5

/* In a change -1 leaves a member as it is. */
struct risk_rule_row {
	int64_t id;
	const char *kind;
	bool of_key;
	int64_t action;			/* enum risk_action */
	int64_t threshold;
	int64_t minimum;		/* -1: the rule has none */
	int64_t window_minutes;		/* -1: likewise */
	int64_t cooldown_minutes;
};

Q_RESULT q_risk_rule_each(struct db *db,
	    bool (*each)(const struct risk_rule_row *, void *), void *arg);
/* By its kind.  DB_NONE: there is no such rule. */
Q_RESULT q_risk_rule_set(struct db *db, const struct risk_rule_row *rule);

/* What a rule sees now of a customer or of one of its keys. */
struct risk_look_row {
	const char *kind;
	int64_t key_id;			/* 0: of the customer */
	const char *hint;		/* the key's looks; "": none */
	int64_t seen, usual, bound;
	bool compared;			/* false: nothing to compare with yet */
	int64_t rung_us;		/* when it last rang; 0: never */
};
/* Of at most `keys` keys, those used last. */
Q_RESULT q_risk_look_each(struct db *db, int64_t customer_id, int64_t keys,
	    bool (*each)(const struct risk_look_row *, void *), void *arg);

/* Instead of those that are there. */
Q_RESULT q_risk_regions_set(struct db *db, const char *const *networks,
	    const char *const *regions, size_t n);
Q_RESULT q_risk_regions_count(struct db *db, int64_t *n_r);

#endif
