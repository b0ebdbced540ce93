/* What a payment provider's bridge tells: money that came in. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include <microhttpd.h>

#include "base/clock.h"
#include "base/money.h"
#include "base/payment.h"
#include "conf/heritage.h"
#include "conf/settings.h"
#include "db/value.h"
#include "portal/request.h"
#include "portal/route.h"
#include "portal/server.h"

#define ID_MAX_BYTES 128
#define METHOD_MAX_BYTES 32

static const char *const nothing[] = { NULL };

struct payment {
	const char *id;
	int64_t customer_id;
	int64_t amount_nano;
	const char *currency;
	const char *method;
};

static const char *
header(struct request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
	    name);
}

bool
payment_is_signed(struct request *r)
{
	const struct heritage *h = r->portal->heritage;
	const char *signature = header(r, "x-youyun-signature");
	const char *timestamp = header(r, "x-youyun-timestamp");
	int64_t window_s = h->settings->payment_window_ms / 1000;

	if (!payment_keys_any(&h->payment))
		answer_problem(r, 503, "payments_off", NULL,
		    "Payment notifications are not set up here: neither"
		    " payment_secret_file nor payment_public_key is set.");
	else if (signature == NULL)
		answer_problem(r, 401, "no_signature", "x-youyun-signature",
		    "The header is missing.");
	else if (timestamp == NULL)
		answer_problem(r, 401, "no_timestamp", "x-youyun-timestamp",
		    "The header is missing.");
	else if (!payment_signed(&h->payment, signature, timestamp,
	    r->body.len > 0 ? buf_head(&r->body) : "", r->body.len))
		answer_problem(r, 401, "bad_signature", "x-youyun-signature",
		    "The signature is not that of timestamp, point and body.");
	else if (!payment_timely(timestamp, clock_wall().us / 1000000,
	    window_s))
		answer_problem(r, 401, "bad_timestamp", "x-youyun-timestamp",
		    "It is more than %" PRId64 " seconds from now; sign it"
		    " again.", window_s);
	else
		return true;
	return false;
}

static bool
take_customer(struct request *r, struct payment *p)
{
	struct json_object *o;

	if (!json_object_object_get_ex(r->json, "customer", &o)) {
		answer_problem(r, 400, "missing_member", "customer",
		    "The member is missing.");
		return false;
	}
	if (json_object_is_type(o, json_type_int))
		p->customer_id = json_object_get_int64(o);
	if (p->customer_id > 0)
		return true;
	answer_problem(r, 400, "bad_member", "customer",
	    "The account's number is wanted, an integer above zero.");
	return false;
}

static bool
take_amount(struct request *r, struct payment *p)
{
	const char *text;
	enum money_result money;

	if (!body_text(r, "amount", true, 1, MONEY_TEXT_BYTES, &text))
		return false;
	money = money_parse(text, &p->amount_nano);
	if (money == MONEY_OK && p->amount_nano > 0)
		return true;
	answer_problem(r, 400, "bad_member", "amount", "%s.",
	    money != MONEY_OK ? money_explain(money) :
	    "An amount above zero is wanted");
	return false;
}

static bool
is_of(const char *text, const char *allowed)
{
	return text[strspn(text, allowed)] == '\0';
}

static bool
take_payment(struct request *r, struct payment *p)
{
	static const char *const known[] = { "id", "customer", "amount",
		"currency", "method", NULL };
	const char *currency = r->portal->heritage->settings->currency;

	if (!body_only(r, known) ||
	    !body_text(r, "id", true, 1, ID_MAX_BYTES, &p->id) ||
	    !take_customer(r, p) || !take_amount(r, p) ||
	    !body_text(r, "currency", true, 1, 15, &p->currency) ||
	    !body_text(r, "method", true, 1, METHOD_MAX_BYTES, &p->method))
		return false;
	for (const char *c = p->id; *c != '\0'; c++)
		if (*c < 0x21 || *c > 0x7e) {
			answer_problem(r, 400, "bad_member", "id",
			    "Wanted are 1 to 128 visible ASCII characters.");
			return false;
		}
	if (strcmp(p->currency, currency) != 0) {
		answer_problem(r, 400, "bad_member", "currency",
		    "All amounts here are in %s.", currency);
		return false;
	}
	if (!is_of(p->method, "abcdefghijklmnopqrstuvwxyz0123456789_.-") ||
	    strchr("_.-", p->method[0]) != NULL) {
		answer_problem(r, 400, "bad_member", "method",
		    "Wanted are small letters and digits, and \"_\", \".\" or"
		    " \"-\" between them.");
		return false;
	}
	return true;
}

static void
not_booked(struct request *r, enum db_result result)
{
	const char *state = db_sqlstate(r->db);

	if (result == DB_NONE)
		answer_problem(r, 404, "no_customer", "customer",
		    "There is no such account.");
	else if (result == DB_CONFLICT)
		answer_problem(r, 409, "other_content", "id",
		    "That payment was told with other contents before.");
	else if (result == DB_ERROR && strcmp(state, "YY002") == 0)
		answer_problem(r, 409, "account_closed", "customer",
		    "The account is closed; give the payment back.");
	else if (result == DB_ERROR && strcmp(state, "22003") == 0)
		answer_problem(r, 409, "balance_full", "amount",
		    "The account can't hold as much.");
	else
		answer_database(r, result);
}

/* The same, however often it is told. */
static void
answer_booked(struct request *r, const struct payment *p, int64_t booking,
    int64_t at_us)
{
	struct json_object *o = json_object_new_object();

	put(o, "id", json_text(p->id));
	put_int(o, "customer", p->customer_id);
	put(o, "amount", json_amount(p->amount_nano));
	put(o, "currency", json_text(p->currency));
	put(o, "method", json_text(p->method));
	put_int(o, "booking", booking);
	put(o, "at", json_time(at_us));
	answer_json(r, 200, o);
}

void
run_payment(struct request *r)
{
	struct payment p = { 0 };
	struct db_param param[5];
	struct db_rows *rows;
	enum db_result result;
	int64_t booking, at_us;

	if (!query_only(r, nothing) || !body_parse(r) || !take_payment(r, &p))
		return;
	param[0] = db_text(p.id);
	param[1] = db_int(p.customer_id);
	param[2] = db_int(p.amount_nano);
	param[3] = db_text(p.currency);
	param[4] = db_text(p.method);
	result = db_query(r->db, "SELECT booking, at"
	    " FROM youyun.payment_book($1, $2, $3, $4, $5)", param, 5, &rows);
	if (result != DB_OK) {
		not_booked(r, result);
		return;
	}
	booking = db_get_int(rows, 0, 0);
	at_us = db_get_time(rows, 0, 1);
	db_rows_free(&rows);
	answer_booked(r, &p, booking, at_us);
}
