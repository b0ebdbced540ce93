#include "db/fetch.h"
#include "db/queries.h"
#include "db/queries_support.h"

struct ticket_pass {
	bool (*each)(const struct ticket_row *, void *);
	void *arg;
};

static bool
take_ticket(const struct db_rows *r, void *arg)
{
	const struct ticket_pass *pass = arg;
	struct ticket_row row = {
		.id = db_get_int(r, 0, 0),
		.customer_id = db_get_int(r, 0, 1),
		.customer = db_get_text(r, 0, 2),
		.subject = db_get_text(r, 0, 3),
		.state = db_get_int(r, 0, 4),
		.created_us = db_get_time(r, 0, 5),
		.changed_us = db_get_time(r, 0, 6),
		.messages = db_get_int(r, 0, 7),
		.call_started_us = db_get_time(r, 0, 8),
	};
	size_t len;

	if (!db_null(r, 0, 9)) {
		row.request_id = db_get_bytes(r, 0, 9, &len);
		if (len != RECORD_ID_BYTES)
			row.request_id = NULL;
	}
	return pass->each(&row, pass->arg);
}

enum db_result
q_ticket_each(struct db *db, int64_t id, int64_t customer_id, int64_t state,
    int64_t after, int64_t limit,
    bool (*each)(const struct ticket_row *, void *), void *arg)
{
	struct db_param p[] = { db_int(id), db_int(customer_id),
		db_int(state), db_int(after), db_int(limit) };
	struct ticket_pass pass = { each, arg };

	return db_query_each(db,
	    "SELECT t.id, t.customer_id, c.name, t.subject, t.state,"
	    " t.created, t.changed, (SELECT count(*)"
	    " FROM youyun.ticket_message m WHERE m.ticket_id = t.id),"
	    " t.call_started_at,"
	    " decode(replace(t.call_request_id::text, '-', ''), 'hex')"
	    " FROM youyun.ticket t"
	    " JOIN youyun.customer c ON c.id = t.customer_id"
	    " WHERE ($1 = 0 OR t.id = $1) AND ($2 = 0 OR t.customer_id = $2)"
	    " AND ($3 = -1 OR t.state = $3) AND t.id > $4"
	    " ORDER BY t.id LIMIT $5", p, 5, take_ticket, &pass);
}

struct message_pass {
	bool (*each)(const struct ticket_message_row *, void *);
	void *arg;
};

static bool
take_message(const struct db_rows *r, void *arg)
{
	const struct message_pass *pass = arg;
	struct ticket_message_row row = {
		.id = db_get_int(r, 0, 0),
		.operator = db_get_int(r, 0, 1) == 1,
		.actor = db_get_text(r, 0, 2),
		.at_us = db_get_time(r, 0, 3),
		.text = db_get_text(r, 0, 4),
	};

	return pass->each(&row, pass->arg);
}

enum db_result
q_ticket_message_each(struct db *db, int64_t ticket,
    bool (*each)(const struct ticket_message_row *, void *), void *arg)
{
	struct db_param p = db_int(ticket);
	struct message_pass pass = { each, arg };

	return db_query_each(db, "SELECT id, author, actor, at, text"
	    " FROM youyun.ticket_message WHERE ticket_id = $1 ORDER BY id",
	    &p, 1, take_message, &pass);
}

struct file_pass {
	bool (*each)(const struct ticket_file_row *, void *);
	void *arg;
};

static bool
take_file(const struct db_rows *r, void *arg)
{
	const struct file_pass *pass = arg;
	struct ticket_file_row row = {
		.id = db_get_int(r, 0, 0),
		.message_id = db_get_int(r, 0, 1),
		.name = db_get_text(r, 0, 2),
		.type = db_get_int(r, 0, 3),
		.bytes = db_get_int(r, 0, 4),
	};

	if (!db_null(r, 0, 5))
		row.content = db_get_bytes(r, 0, 5, &row.len);
	return pass->each(&row, pass->arg);
}

enum db_result
q_ticket_file_each(struct db *db, int64_t ticket, bool content,
    bool (*each)(const struct ticket_file_row *, void *), void *arg)
{
	struct db_param p[] = { db_int(ticket), db_bool(content) };
	struct file_pass pass = { each, arg };

	return db_query_each(db, "SELECT f.id, f.message_id, f.name, f.type,"
	    " octet_length(f.content), CASE WHEN $2 THEN f.content END"
	    " FROM youyun.ticket_message m"
	    " JOIN youyun.ticket_file f ON f.message_id = m.id"
	    " WHERE m.ticket_id = $1 ORDER BY f.message_id, f.id", p, 2,
	    take_file, &pass);
}

struct refund_pass {
	bool (*each)(const struct ticket_refund_row *, void *);
	void *arg;
};

static bool
take_refund(const struct db_rows *r, void *arg)
{
	const struct refund_pass *pass = arg;
	struct ticket_refund_row row = {
		.transaction_id = db_get_int(r, 0, 0),
		.amount_nano = db_get_int(r, 0, 1),
		.at_us = db_get_time(r, 0, 2),
	};

	return pass->each(&row, pass->arg);
}

enum db_result
q_ticket_refund_each(struct db *db, int64_t ticket,
    bool (*each)(const struct ticket_refund_row *, void *), void *arg)
{
	struct db_param p = db_int(ticket);
	struct refund_pass pass = { each, arg };

	return db_query_each(db, "SELECT k.transaction_id, r.amount_nano,"
	    " b.at FROM youyun.ticket_refund k"
	    " JOIN youyun.refund r ON r.transaction_id = k.transaction_id"
	    " JOIN youyun.ledger_transaction b ON b.id = k.transaction_id"
	    " WHERE k.ticket_id = $1 ORDER BY k.transaction_id", &p, 1,
	    take_refund, &pass);
}
