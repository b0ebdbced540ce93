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

/*
 * Incidents.  DB_ERROR with "YY030": it is closed.
 */
struct incident {
	int64_t id;			/* 0: a new one */
	const char *kind;		/* NULL, 0: as it is, as are: */
	int64_t since_us, until_us;
	const char *what, *impact, *taken, *planned, *recommended;
	bool close;
};
Q_RESULT q_incident_put(struct db *db, const struct incident *incident,
	    int64_t *id_r);

struct incident_scope {
	const int64_t *keys, *channels, *customers;
	size_t n_keys, n_channels, n_customers;
	bool by_calls;			/* of these keys and channels */
};
/* affected_r: how many customers. */
Q_RESULT q_incident_scope(struct db *db, int64_t id,
	    const struct incident_scope *scope, int64_t *affected_r);
/* again: also who was told.  "YY031": nobody is affected so far. */
Q_RESULT q_incident_notify(struct db *db, int64_t id, bool again,
	    int64_t *told_r);
/* id, kind, state (open, closed), opened, opened by, since, until, closed,
 * affected, their calls, told, first told, last told, mailed, mail given up,
 * what, impact, taken, planned, recommended, scope (JSON).  id 0: all, by
 * number, those above `after`; limit 0: all of them. */
Q_RESULT q_incident_list(struct db *db, int64_t id, bool open_only,
	    int64_t after, int64_t limit, struct db_rows **rows_r);
/* Whom it affects, and the log of what they were told: customer's id and name,
 * calls, told at, by whom, mail (none, waiting, sent, given up), mail at. */
Q_RESULT q_incident_deliveries(struct db *db, int64_t id,
	    struct db_rows **rows_r);

/*
 * Requests about data
 */
struct data_request {
	int64_t customer_id;		/* 0: nobody who is known */
	const char *kind;
	int64_t received_us, due_us;	/* 0: now, 30 days later */
	const char *subject, *text, *proof;	/* NULL: "" */
};
Q_RESULT q_request_add(struct db *db, const struct data_request *request,
	    int64_t *id_r);
/* proof NULL: as it was.  DB_NONE: no such request; "YY032": answered. */
Q_RESULT q_request_answer(struct db *db, int64_t id, const char *text,
	    bool refused, const char *proof);
/* id, customer's id and name, kind, received, due, state (open, overdue, done,
 * refused), subject, text, proof, by, answered, answer; what is due first
 * comes first, behind `after`. */
Q_RESULT q_request_list(struct db *db, bool all, int64_t customer_id,
	    int64_t after, int64_t limit, struct db_rows **rows_r);

/*
 * The copy of a customer's data (export/export.h), and the end of an account
 */
/* Within a transaction: the views my_… show that customer's. */
Q_RESULT q_as_customer(struct db *db, int64_t customer_id);
/* For the audit trail. */
Q_RESULT q_export_note(struct db *db, int64_t customer_id);

/* "YY034": it is closing or closed already. */
Q_RESULT q_closing_begin(struct db *db, int64_t customer_id, int64_t days,
	    int64_t *due_us_r);
/* "YY035": it isn't in its time of grace. */
Q_RESULT q_closing_cancel(struct db *db, int64_t customer_id);
Q_RESULT q_closing_hasten(struct db *db, int64_t customer_id);
/* A piece of it: "grace", "money", "more", "done", "busy", "none". */
#define CLOSING_STEP_BYTES 8
Q_RESULT q_closing_step(struct db *db, int64_t customer_id,
	    char step_r[CLOSING_STEP_BYTES]);
/* state (grace, cancelled, erasing, erased), asked, due, ended, certificate
 * (JSON); of the last closing, so none or one. */
Q_RESULT q_closing(struct db *db, int64_t customer_id,
	    struct db_rows **rows_r);

/*
 * The report: what the database can say to a clause ("1" to "13")
 */
struct compliance_fact {
	const char *name, *value;
	const char *gap;		/* NULL: there is none */
};
Q_RESULT q_compliance_each(struct db *db, const char *clause,
	    bool (*each)(const struct compliance_fact *, void *), void *arg);
/* A run of verify, for it. */
Q_RESULT q_verify_note(struct db *db, int64_t calls, int64_t breaches);

#endif
