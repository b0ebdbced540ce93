#include "db/fetch.h"
#include "db/queries.h"

struct pass {
	bool (*each)(const struct ledger_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	size_t len;
	struct ledger_row row = {
		.transaction_id = db_get_int(r, 0, 0),
		.kind = db_get_text(r, 0, 1),
		.customer_id = db_get_int(r, 0, 2),
		.account = db_get_text(r, 0, 3),
		.amount_nano = db_get_int(r, 0, 4),
		.calls = db_get_int(r, 0, 5),
		.idempotency_key = db_get_text(r, 0, 6),
		.actor = db_get_text(r, 0, 7),
		.reason = db_get_text(r, 0, 8),
		.at_us = db_get_time(r, 0, 9),
		.customers = db_get_bool(r, 0, 10),
		.expires_us = db_get_time(r, 0, 11),
		.package = db_get_text(r, 0, 13),
		.price_minor = db_get_int(r, 0, 14),
		.currency = db_get_text(r, 0, 15),
		.balance_nano = db_get_int(r, 0, 16),
		.nth = db_get_int(r, 0, 17),
	};

	if (!db_null(r, 0, 12))
		row.request_id = db_get_bytes(r, 0, 12, &len);
	return pass->each(&row, pass->arg);
}

#define COLUMNS \
    "SELECT t.id, t.kind, t.customer_id, a.kind, p.amount_nano, t.calls," \
    " t.idempotency_key, t.actor, t.reason, t.at," \
    " a.customer_id IS NOT NULL, a.expires_at, f.request_id, e.package," \
    " e.price_minor, e.currency,"
#define TABLES \
    " FROM t JOIN youyun.posting p ON p.transaction_id = t.id" \
    " JOIN youyun.ledger_account a ON a.id = p.account_id" \
    " LEFT JOIN youyun.refund f ON f.transaction_id = t.id" \
    " LEFT JOIN youyun.receipt e ON e.transaction_id = t.id"
/* A customer's pots in the order of spending, then the others. */
#define ORDER \
    " ORDER BY t.id, a.customer_id NULLS LAST, CASE WHEN a.customer_id IS" \
    "  NOT NULL THEN coalesce(a.expires_at, 'infinity') END," \
    "  CASE WHEN a.customer_id IS NOT NULL THEN" \
    "  a.kind = 'customer_prepaid' END, a.id"

/* The running balance is what there is now, or was before the booking that the
 * page is behind, less what came later; of all the customer's pots, after the
 * last of them.  Forward it is what there was, and what came since. */
#define PAGE(customer, than, order) \
    "WITH t AS (SELECT x.*, row_number() OVER (ORDER BY x.id" order ") AS nth" \
    "  FROM (SELECT * FROM youyun.ledger_transaction" \
    "  WHERE " customer " AND ($2 = 0 OR id " than " $2)" \
    "  ORDER BY id" order " LIMIT $1) x)"
#define OF_CUSTOMER "customer_id = $3"
#define BALANCE(sum) \
    " CASE WHEN a.customer_id IS NULL THEN 0 ELSE (" sum ")::bigint END," \
    " t.nth"
#define MOVED(frame) \
    " coalesce(sum(p.amount_nano) FILTER (WHERE a.customer_id IS NOT NULL)" \
    " OVER (" frame "), 0)"

static const char of_customer[] =
    PAGE(OF_CUSTOMER, "<", " DESC") ", now AS (SELECT CASE WHEN $2 = 0"
    "  THEN (SELECT coalesce(sum(left_nano), 0)::bigint FROM youyun.pot"
    "  WHERE customer_id = $3) ELSE $4 END AS total) "
    COLUMNS BALANCE("now.total -" MOVED("ORDER BY t.id DESC"
    " GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"))
    TABLES ", now" ORDER;

static const char of_customer_forward[] =
    PAGE(OF_CUSTOMER, ">", "")
    COLUMNS BALANCE("$4::bigint +" MOVED("ORDER BY t.id GROUPS BETWEEN"
    " UNBOUNDED PRECEDING AND CURRENT ROW"))
    TABLES ORDER;

static const char of_all[] =
    PAGE("true", "<", " DESC") COLUMNS " 0::bigint, t.nth" TABLES ORDER;

static const char of_all_forward[] =
    PAGE("true", ">", "") COLUMNS " 0::bigint, t.nth" TABLES ORDER;

enum db_result
q_ledger_list(struct db *db, const struct ledger_filter *f,
    bool (*each)(const struct ledger_row *, void *), void *arg)
{
	struct db_param p[] = { db_int(f->limit), db_int(f->after),
		db_int(f->customer_id), db_int(f->after_nano) };
	struct pass pass = { each, arg };

	if (f->customer_id == 0)
		return db_query_each(db, f->forward ? of_all_forward : of_all,
		    p, 2, take, &pass);
	return db_query_each(db, f->forward ? of_customer_forward :
	    of_customer, p, 4, take, &pass);
}
