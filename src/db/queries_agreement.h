/*
 * queries_agreement.h: queries of what the operator owes its customers for
 * their data: sub-processors, incidents, requests, closings, the report.
 * Layer: db.
 * Written by: as queries.h has it, whose rules hold here.
 *
 * Those that list hand their rows over whole (db_rows_free() them); the
 * comment names the columns in their order, and each list is short.
 */
#ifndef DB_QUERIES_AGREEMENT_H
#define DB_QUERIES_AGREEMENT_H

#include "db/queries.h"
#include "db/value.h"

/*
 * Sub-processors
 */
struct subprocessor {
	const char *name;
	const char *entity;
	const char *purpose;
	const char *const *regions;
	size_t n_regions;
	const char *country;		/* ISO 3166-1, "DE" */
};
/* Announces it, too: told_r is to how many.  DB_CONFLICT: name taken. */
Q_RESULT q_subprocessor_add(struct db *db, const struct subprocessor *s,
	    int64_t notice_days, int64_t *id_r, int64_t *valid_from_us_r,
	    int64_t *told_r);
/* DB_NONE: there is none of that name. */
Q_RESULT q_subprocessor_end(struct db *db, const char *name);
/* id, name, entity, purpose, regions, country, state (announced, active,
 * ended), announced, valid from, ended, channels ("a,b"; NULL). */
Q_RESULT q_subprocessor_list(struct db *db, struct db_rows **rows_r);
/* NULL: none any more.  DB_NONE: there is none of that name. */
Q_RESULT q_channel_subprocessor_set(struct db *db, int64_t channel_id,
	    const char *name);

#endif
