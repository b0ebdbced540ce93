#include "db/fetch.h"
#include "db/queries.h"
#include "db/queries_support.h"

enum db_result
q_ticket_answer(struct db *db, int64_t ticket, const char *text, bool close)
{
	struct db_param p[] = { db_int(ticket), db_text(text),
		db_bool(close) };

	return db_query(db, "SELECT youyun.ticket_answer($1, $2, $3)", p, 3,
	    NULL);
}

enum db_result
q_ticket_refunded(struct db *db, int64_t ticket, int64_t transaction_id)
{
	struct db_param p[] = { db_int(ticket), db_int(transaction_id) };

	return db_query(db, "SELECT youyun.ticket_refunded($1, $2)", p, 2,
	    NULL);
}
