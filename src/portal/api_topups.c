/* Credit: codes that customers redeem, and what came in so far. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include <microhttpd.h>

#include "base/bytes.h"
#include "base/currency.h"
#include "base/topup_code.h"
#include "conf/heritage.h"
#include "db/value.h"
#include "portal/request.h"
#include "portal/route.h"
#include "portal/server.h"

#define CODE_MAX_BYTES 64

static const char *const nothing[] = { NULL };

/* As my_code_redeem() has them. */
enum outcome {
	OUTCOME_BOOKED,
	OUTCOME_UNKNOWN,
	OUTCOME_USED,
	OUTCOME_USED_BY_ONESELF,
	OUTCOME_EXPIRED,
	OUTCOME_REVOKED,
	OUTCOME_TOO_MANY
};

#define TOPUPS "SELECT id, at, by, amount_nano, promotional_nano," \
	" expires_at, package, price_minor, price_currency, payment, method," \
	" code FROM youyun.my_topup"

static struct json_object *
text_or_null(const struct db_rows *rows, size_t i, int column)
{
	return db_null(rows, i, column) ? NULL :
	    json_text(db_get_text(rows, i, column));
}

static struct json_object *
topup_json(const struct db_rows *rows, size_t i)
{
	struct json_object *o = json_object_new_object();
	char price[CURRENCY_TEXT_BYTES];

	put_int(o, "id", db_get_int(rows, i, 0));
	put(o, "at", json_time(db_get_time(rows, i, 1)));
	put(o, "by", json_text(db_get_text(rows, i, 2)));
	put(o, "amount", json_amount(db_get_int(rows, i, 3)));
	put(o, "promotional", json_amount(db_get_int(rows, i, 4)));
	put(o, "expires_at", json_time(db_get_time(rows, i, 5)));
	put(o, "package", text_or_null(rows, i, 6));
	if (!db_null(rows, i, 7)) {
		currency_format(db_get_int(rows, i, 7),
		    db_get_text(rows, i, 8), price);
		put(o, "price", json_text(price));
	} else
		put(o, "price", NULL);
	put(o, "price_currency", text_or_null(rows, i, 8));
	put(o, "payment", text_or_null(rows, i, 9));
	put(o, "method", text_or_null(rows, i, 10));
	put(o, "code", text_or_null(rows, i, 11));
	return o;
}

void
run_topups(struct request *r)
{
	static const char *const known[] = { "after", "limit", NULL };
	struct db_param p[2];
	struct db_rows *rows;
	enum db_result result;

	if (!query_only(r, known) || !query_page(r, true, p))
		return;
	result = db_query(r->db, TOPUPS " WHERE id < $1 LIMIT $2", p, 2,
	    &rows);
	if (result == DB_OK)
		answer_page(r, "topups", rows, p, topup_json);
	else
		answer_database(r, result);
}

/* The exceptions that a booking raises. */
static void
not_booked(struct request *r, enum db_result result)
{
	const char *state = db_sqlstate(r->db);

	if (result == DB_ERROR && strcmp(state, "YY006") == 0)
		answer_problem(r, 409, "package_not_sold", "code",
		    "The package of that code isn't sold now. The code stays"
		    " good; ask the operator.");
	else if (result == DB_ERROR && strcmp(state, "YY002") == 0)
		answer_problem(r, 403, "account_closed", NULL,
		    "The account is closed.");
	else if (result == DB_ERROR && strcmp(state, "22003") == 0)
		answer_problem(r, 409, "balance_full", NULL,
		    "The account can't hold as much.");
	else
		answer_database(r, result);
}

/* What was refused stays counted. */
static void
refuse(struct request *r, enum outcome outcome, int64_t booking,
    int64_t wait_s)
{
	char seconds[24];

	r->keep = true;
	switch (outcome) {
	case OUTCOME_UNKNOWN:
		answer_problem(r, 404, "unknown_code", "code",
		    "There is no such code.");
		return;
	case OUTCOME_USED:
		answer_problem(r, 409, "code_used", "code",
		    "The code was used already.");
		return;
	case OUTCOME_USED_BY_ONESELF:
		answer_problem(r, 409, "code_used", "code",
		    "You used the code already: it is booking %lld.",
		    (long long)booking);
		return;
	case OUTCOME_EXPIRED:
		answer_problem(r, 410, "code_expired", "code",
		    "The code has expired.");
		return;
	case OUTCOME_REVOKED:
		answer_problem(r, 410, "code_revoked", "code",
		    "The code was revoked; ask whom you have it from.");
		return;
	case OUTCOME_TOO_MANY:
		snprintf(seconds, sizeof(seconds), "%lld", (long long)wait_s);
		answer_header(r, "Retry-After", seconds);
		answer_problem(r, 429, "too_many_wrong_codes", NULL,
		    "Too many codes were wrong; wait %s seconds.", seconds);
		return;
	case OUTCOME_BOOKED:
		break;
	}
	r->keep = false;
	answer_database(r, DB_ERROR);
}

static void
answer_booked(struct request *r, int64_t booking)
{
	struct db_param p = db_int(booking);
	struct json_object *o;
	struct db_rows *rows;
	enum db_result result;

	result = db_query(r->db, TOPUPS " WHERE id = $1", &p, 1, &rows);
	if (result != DB_OK) {
		answer_database(r, result);
		return;
	}
	if (db_rows_count(rows) == 1) {
		o = topup_json(rows, 0);
		answer_json(r, 201, o);
	} else
		answer_database(r, DB_ERROR);
	db_rows_free(&rows);
}

static bool
digest_of(struct request *r, const char *typed,
    uint8_t digest_r[KEY_DIGEST_BYTES])
{
	char code[TOPUP_CODE_TEXT_BYTES];
	struct key_hasher *hasher;

	/* A typing error is no guess and needs no look. */
	if (!topup_code_read(typed, code)) {
		answer_problem(r, 400, "bad_code", "code",
		    "That is no code: something in it is missing or was"
		    " mistyped.");
		return false;
	}
	hasher = key_hasher_open(&r->portal->heritage->secrets);
	if (hasher != NULL)
		topup_code_digest(hasher, code, digest_r);
	else
		answer_database(r, DB_AWAY);
	bytes_scrub(code, sizeof(code));
	if (hasher == NULL)
		return false;
	key_hasher_close(&hasher);
	return true;
}

void
run_topup(struct request *r)
{
	static const char *const known[] = { "code", NULL };
	uint8_t digest[KEY_DIGEST_BYTES];
	int64_t outcome, booking, wait_s;
	const char *typed;
	struct db_param p[3];
	struct db_rows *rows;
	enum db_result result;

	if (!query_only(r, nothing) || !body_only(r, known) ||
	    !body_text(r, "code", true, 1, CODE_MAX_BYTES, &typed) ||
	    !digest_of(r, typed, digest))
		return;
	p[0] = db_bytes(digest, sizeof(digest));
	p[1] = db_int_or_null(r->caller.key_id);
	p[2] = db_text(MHD_lookup_connection_value(r->connection,
	    MHD_HEADER_KIND, "x-forwarded-for"));
	result = db_query(r->db, "SELECT outcome, booking, wait_s"
	    " FROM youyun.my_code_redeem($1, $2, $3::text::inet)", p, 3,
	    &rows);
	bytes_scrub(digest, sizeof(digest));
	if (result != DB_OK) {
		not_booked(r, result);
		return;
	}
	outcome = db_get_int(rows, 0, 0);
	booking = db_get_int(rows, 0, 1);
	wait_s = db_get_int(rows, 0, 2);
	db_rows_free(&rows);
	if (outcome == OUTCOME_BOOKED)
		answer_booked(r, booking);
	else
		refuse(r, (enum outcome)outcome, booking, wait_s);
}
