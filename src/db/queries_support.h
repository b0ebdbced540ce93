/*
 * queries_support.h: queries of security events and of tickets.
 * Layer: db.
 * Written by: as queries.h has it, whose rules hold here.
 */
#ifndef DB_QUERIES_SUPPORT_H
#define DB_QUERIES_SUPPORT_H

#include "db/queries.h"

/*
 * Security events
 */
struct event_row {
	int64_t id;
	int64_t at_us;
	const char *kind;
	int64_t severity;		/* 0 note, 1 low, 2 high, 3 urgent */
	int64_t customer_id;		/* 0: nobody's */
	const char *customer;
	int64_t key_id;			/* 0: by none */
	const char *address;		/* "": not told */
	const char *detail;		/* JSON */
};

struct event_filter {
	const char *kind;		/* NULL: all */
	int64_t customer_id;		/* 0: all */
	int64_t since_us;		/* 0: since ever */
	int64_t before;			/* ids below it; 0: all */
	int64_t after;			/* ids above it */
	int64_t limit;
};

/* The newest first; oldest_first: for those who follow. */
Q_RESULT q_event_each(struct db *db, const struct event_filter *filter,
	    bool oldest_first, bool (*each)(const struct event_row *, void *),
	    void *arg);

/*
 * Tickets
 */
struct ticket_row {
	int64_t id;
	int64_t customer_id;
	const char *customer;
	const char *subject;
	int64_t state;			/* 0 open, 1 answered, 2 closed */
	int64_t created_us, changed_us;
	int64_t messages;
	int64_t call_started_us;	/* 0: about no call */
	const uint8_t *request_id;	/* NULL: about no call */
};
/* In order, above `after`; state -1: all; customer_id 0: everybody's; id 0:
 * all, else that one. */
Q_RESULT q_ticket_each(struct db *db, int64_t id, int64_t customer_id,
	    int64_t state, int64_t after, int64_t limit,
	    bool (*each)(const struct ticket_row *, void *), void *arg);

struct ticket_message_row {
	int64_t id;
	bool operator;			/* who wrote it */
	const char *actor;
	int64_t at_us;
	const char *text;
};
Q_RESULT q_ticket_message_each(struct db *db, int64_t ticket,
	    bool (*each)(const struct ticket_message_row *, void *),
	    void *arg);

struct ticket_file_row {
	int64_t id;
	int64_t message_id;
	const char *name;		/* the customer's, not for paths */
	int64_t type;			/* 1 PNG, 2 JPEG, 3 PDF, 4 text */
	int64_t bytes;
	const void *content;		/* NULL unless asked for */
	size_t len;
};
Q_RESULT q_ticket_file_each(struct db *db, int64_t ticket, bool content,
	    bool (*each)(const struct ticket_file_row *, void *), void *arg);

struct ticket_refund_row {
	int64_t transaction_id;
	int64_t amount_nano;
	int64_t at_us;
};
Q_RESULT q_ticket_refund_each(struct db *db, int64_t ticket,
	    bool (*each)(const struct ticket_refund_row *, void *), void *arg);

/* text NULL: closes only.  DB_NONE: no such ticket; DB_ERROR with "YY014": it
 * is closed. */
Q_RESULT q_ticket_answer(struct db *db, int64_t ticket, const char *text,
	    bool close);
/* After q_refund() of its call, in the same transaction. */
Q_RESULT q_ticket_refunded(struct db *db, int64_t ticket,
	    int64_t transaction_id);

#endif
