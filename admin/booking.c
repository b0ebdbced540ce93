#include "admin/booking.h"

#include <stdio.h>
#include <string.h>

#include "admin/args.h"
#include "admin/check.h"
#include "base/bytes.h"
#include "base/money.h"
#include "db/queries.h"

#define TRIES 3
#define CONNECT_TIMEOUT_S 5
#define KEY_MAX_BYTES 200

static const char *
check_key(const char *key)
{
	size_t len;

	len = strlen(key);
	if (len == 0)
		return "a key can't be empty";
	if (len > KEY_MAX_BYTES)
		return "a key has at most 200 bytes";
	if (key[0] == ' ' || key[len - 1] == ' ')
		return "a key neither begins nor ends with a space";
	if (strncmp(key, "calls:", 6) == 0 || strncmp(key, "expiry:", 7) == 0)
		return "keys that begin with calls: or expiry: are the "
		    "gateway's own";
	return check_text(key);
}

enum admin_exit
booking_key(const struct args *args, char room[BOOKING_KEY_BYTES],
    const char **key_r)
{
	char hex[33];
	uint8_t random[16];
	const char *why;

	*key_r = args_get(args, "key");
	if (*key_r == NULL) {
		bytes_random(random, sizeof random);
		hex_encode(random, sizeof random, hex);
		snprintf(room, BOOKING_KEY_BYTES, "youyunctl-%s", hex);
		*key_r = room;
		return ADMIN_OK;
	}
	why = check_key(*key_r);
	if (why == NULL)
		return ADMIN_OK;
	complain("--key: %s", why);
	return ADMIN_USAGE;
}

enum admin_exit
booking_amount(const char *text, const char *what, int64_t *nano_r)
{
	enum money_result money;

	money = money_parse(text, nano_r);
	if (money != MONEY_OK) {
		complain("\"%s\": %s", text, money_explain(money));
		return ADMIN_USAGE;
	}
	if (*nano_r <= 0) {
		complain("%s must be above zero", what);
		return ADMIN_USAGE;
	}
	return ADMIN_OK;
}

enum admin_exit
booking_reason(const struct admin *admin)
{
	if (admin->reason[strspn(admin->reason, " ")] != '\0')
		return ADMIN_OK;
	complain("--reason TEXT is missing");
	hint("the reason stays with the booking, for ever");
	return ADMIN_USAGE;
}

enum db_result
booking_run(struct admin *admin, admin_body *body, void *arg)
{
	enum db_result result;
	int tries;

	for (tries = 0; tries < TRIES; tries++) {
		if (tries > 0 && db_connect(admin->db, CONNECT_TIMEOUT_S) !=
		    DB_OK)
			continue;
		result = admin_change(admin, body, arg);
		if (result != DB_UNKNOWN)
			return result;
	}
	return DB_UNKNOWN;
}

enum admin_exit
booking_failed(struct admin *admin, enum db_result result, const char *who,
    const char *key, const char *doing)
{
	const char *state;
	enum admin_exit status;

	state = db_sqlstate(admin->db);
	if (result == DB_CONFLICT) {
		complain("the key \"%s\" was used for another booking", key);
		hint("a key stands for one booking with all that it says; "
		    "take a new one for a new booking");
		return ADMIN_REFUSED;
	}
	if (result == DB_ERROR && strcmp(state, "YY002") == 0) {
		complain("the customer %s is closed", who);
		return ADMIN_REFUSED;
	}
	if (result == DB_ERROR && strcmp(state, "YY025") == 0) {
		complain("calls that were booked together with it are deleted, "
		    "so its refund can't be computed any more");
		hint("\"youyunctl adjust\" gives money without naming a call");
		return ADMIN_REFUSED;
	}
	if (result == DB_ERROR && strcmp(state, "YY006") == 0) {
		complain("the package isn't sold any more");
		hint("\"youyunctl package list\" shows those that are");
		return ADMIN_REFUSED;
	}
	if (result == DB_ERROR && strcmp(state, "22003") == 0) {
		complain("the customer %s would have more than can be kept",
		    who);
		return ADMIN_REFUSED;
	}
	if (result == DB_ERROR && strcmp(state, "22023") == 0) {
		complain("%s", db_message(admin->db));
		return ADMIN_USAGE;
	}
	status = admin_database_failed(admin, result, doing);
	if (result == DB_UNKNOWN)
		hint("sending it again with --key %s books it once", key);
	return status;
}

enum admin_exit
booking_refund_failed(struct admin *admin, const struct call_record *record)
{
	char fee[MONEY_TEXT_BYTES], back[MONEY_TEXT_BYTES];
	char left[MONEY_TEXT_BYTES];
	enum admin_exit status;
	int64_t refunded;

	status = admin_database_failed(admin, q_refunded(admin->db,
	    record->request_id, &refunded), "read the refunds");
	if (status != ADMIN_OK)
		return status;
	money_format(record->fee_nano, 2, fee);
	money_format(refunded, 2, back);
	money_format(record->fee_nano - refunded, 2, left);
	if (record->fee_nano == 0)
		complain("nothing was charged for that call");
	else
		complain("of its fee of %s %s was given back already: at most "
		    "%s is left", fee, back, left);
	return ADMIN_REFUSED;
}
