#include "db/fetch.h"
#include "db/queries.h"
#include "db/queries_agreement.h"

enum db_result
q_request_add(struct db *db, const struct data_request *q, int64_t *id_r)
{
	struct db_param p[] = { db_int_or_null(q->customer_id),
		db_text(q->kind), db_time_or_null(q->received_us),
		db_time_or_null(q->due_us), db_text(q->subject),
		db_text(q->text), db_text(q->proof) };

	return db_fetch_int(db,
	    "SELECT youyun.request_add($1, $2, $3, $4, $5, $6, $7)", p, 7,
	    id_r);
}

enum db_result
q_request_answer(struct db *db, int64_t id, const char *text, bool refused,
    const char *proof)
{
	struct db_param p[] = { db_int(id), db_text(text), db_bool(refused),
		db_text(proof) };

	return db_query(db, "SELECT youyun.request_answer($1, $2, $3, $4)", p,
	    4, NULL);
}

enum db_result
q_request_list(struct db *db, bool all, int64_t customer_id,
    int64_t after, int64_t limit, struct db_rows **rows_r)
{
	struct db_param p[] = { db_bool(all), db_int(customer_id),
		db_int(after), db_int(limit) };

	return db_query(db, "SELECT q.id, q.customer_id, c.name, q.kind,"
	    " q.received, q.due, CASE WHEN q.outcome IS NOT NULL"
	    "  THEN q.outcome WHEN q.due < now() THEN 'overdue'"
	    "  ELSE 'open' END, q.subject, q.text, q.proof, q.actor,"
	    " q.answered, q.answer FROM youyun.data_request q"
	    " LEFT JOIN youyun.customer c ON c.id = q.customer_id"
	    " WHERE ($1 OR q.answered IS NULL)"
	    " AND ($2 = 0 OR q.customer_id = $2)"
	    " AND ($3 = 0 OR (q.due, q.id) > (SELECT x.due, x.id"
	    "  FROM youyun.data_request x WHERE x.id = $3))"
	    " ORDER BY q.due, q.id LIMIT $4", p, 4, rows_r);
}
