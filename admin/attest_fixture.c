#include "admin/attest_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/channel.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/money.h"
#include "conf/settings.h"
#include "db/queries.h"
#include "db/queries_attest.h"
#include "shm/catalogue.h"
#include "shm/directory.h"
#include "wire/route.h"

#define HOST "127.0.0.1"
#define NOTE "for youyunctl attest"
#define CREDENTIAL_NAME "main"
/* Should nobody be left to revoke it. */
#define KEY_LIFE_S 600
#define TOTAL_MS 20000
/* Per million tokens; and what the customer has at the least, and is given. */
#define PRICE_NANO (MONEY_NANO_PER_UNIT / 100)
#define BALANCE_MIN_NANO (MONEY_NANO_PER_UNIT / 2)
#define CREDIT_NANO MONEY_NANO_PER_UNIT
#define SLOTS_MAX INT64_C(32767)
#define OUTPUT_TOKENS_MAX 4096

struct enable {
	struct admin *admin;
	struct fixture *fixture;
};

static const struct {
	const char *channel, *model;
	enum wire_protocol protocol;
} parts[FIXTURE_CHANNELS] = {
	{ FIXTURE_NAME "-openai", FIXTURE_MODEL, WIRE_OPENAI },
	{ FIXTURE_NAME "-anthropic", FIXTURE_MODEL_TRANSLATED, WIRE_ANTHROPIC }
};

enum admin_exit
fixture_key(struct admin *admin, struct fixture *f, char key[API_KEY_LEN + 1])
{
	struct key_hasher *hasher;
	enum admin_exit status = admin_secrets(admin, &f->secrets);

	if (status == ADMIN_OK)
		status = admin_hasher(admin, &hasher);
	if (status != ADMIN_OK)
		return status;
	api_key_make(key);
	api_key_hint(key, f->hint);
	key_hasher_digest(hasher, key, API_KEY_LEN, f->digest);
	key_hasher_close(&hasher);
	return ADMIN_OK;
}

static bool
keep_balance(const struct customer_row *row, void *arg)
{
	*(int64_t *)arg = row->granted_nano - row->spent_nano;
	return true;
}

/* Once for a key, so that a repeated transaction books once. */
static enum db_result
put_credit(struct db *db, const struct enable *e)
{
	struct fixture *f = e->fixture;
	struct credit_receipt receipt;
	int64_t balance = 0;
	char key[64];
	struct credit credit = { .key = key, .customer_id = f->customer_id,
		.amount_nano = CREDIT_NANO, .source = "promotional",
		.actor = e->admin->actor, .reason = NOTE };
	enum db_result result;

	result = q_customer_one(db, f->customer_id, keep_balance, &balance);
	if (result != DB_OK || balance >= BALANCE_MIN_NANO)
		return result;
	snprintf(key, sizeof(key), "attest-%lld", (long long)f->since_us);
	return q_credit(db, &credit, &receipt);
}

static enum db_result
put_customer(struct db *db, struct enable *e)
{
	struct fixture *f = e->fixture;
	enum db_result result;
	int64_t group_id;

	result = q_group_set(db, FIXTURE_NAME, MULTIPLIER_ONE_PPM, &group_id);
	if (result == DB_OK)
		result = q_customer_find(db, FIXTURE_NAME, &f->customer_id);
	if (result == DB_NONE)
		result = q_customer_add(db, FIXTURE_NAME, FIXTURE_NAME, "",
		    NOTE, &f->customer_id);
	else if (result == DB_OK)
		result = q_customer_set(db, f->customer_id, ACCOUNT_ACTIVE,
		    FIXTURE_NAME, NULL, NULL);
	if (result == DB_OK)
		result = put_credit(db, e);
	if (result == DB_OK)
		result = q_key_add(db, f->customer_id, "attest", f->digest,
		    f->hint, clock_wall().us + INT64_C(1000000) * KEY_LIFE_S,
		    KEY_SCOPE_CALLS, &f->key_id);
	return result;
}

static bool
note_current(const struct price_row *row, void *arg)
{
	if (row->current)
		*(bool *)arg = true;
	return true;
}

static enum db_result
put_model(struct db *db, const struct enable *e, const char *name,
    int64_t *id_r)
{
	enum db_result result;
	struct price price;
	int64_t version;
	bool priced = false;

	result = q_model_put(db, name, OUTPUT_TOKENS_MAX, id_r);
	if (result == DB_OK)
		result = q_price_each(db, name, note_current, &priced);
	if (result != DB_OK || priced)
		return result;
	price_clear(&price);
	price.nano[USAGE_INPUT] = price.nano[USAGE_OUTPUT] = PRICE_NANO;
	return q_price_add(db, *id_r, 0, &price, e->admin->actor, &version);
}

/* Sealed anew: the provider takes anything, but a call has to have one. */
static enum db_result
put_credential(struct db *db, const struct fixture *f, const char *channel,
    int64_t channel_id)
{
	char context[CHANNEL_CONTEXT_BYTES];
	uint8_t sealed[CHANNEL_CREDENTIAL_BYTES];
	size_t len = strlen(f->credential);
	struct channel_credential_row row = { .name = CREDENTIAL_NAME,
		.channel_id = channel_id, .sealed = sealed,
		.sealed_bytes = len + SEAL_OVERHEAD };
	enum db_result result;
	bool fresh;

	result = q_channel_credential_find(db, channel_id, NULL, &row.id);
	fresh = result == DB_NONE;
	if (fresh)
		result = q_channel_credential_next(db, &row.id);
	if (result != DB_OK)
		return result;
	catalogue_credential_context(channel, (uint64_t)row.id, context);
	if (!secret_seal(&f->secrets, context, f->credential, len, sealed))
		return DB_ERROR;
	return fresh ? q_channel_credential_add(db, &row) :
	    q_channel_credential_set(db, row.id, sealed, row.sealed_bytes,
	    CHANNEL_ACTIVE);
}

static enum db_result
find_channel(struct db *db, const struct enable *e, int part, int64_t *id)
{
	uint32_t most = e->admin->settings->max_channels;
	struct channel_row row = { .name = parts[part].channel,
		.protocol = parts[part].protocol, .host = HOST,
		.port = e->fixture->port, .tls = true, .weight = 1,
		.status = CHANNEL_DISABLED };
	enum db_result result;

	result = q_channel_find(db, parts[part].channel, id);
	return result != DB_NONE ? result : q_channel_add(db, &row,
	    most < SLOTS_MAX ? most : SLOTS_MAX, id);
}

static enum db_result
put_channel(struct db *db, const struct enable *e, int part)
{
	static const char *const groups[] = { FIXTURE_NAME };
	static const struct channel_bounds bounds = { .connect_ms = -1,
		.first_byte_ms = FIXTURE_SILENCE_MS, .first_token_ms = -1,
		.idle_ms = FIXTURE_SILENCE_MS, .total_ms = TOTAL_MS,
		.max_concurrent = 0, .max_per_minute = 0,
		.max_tokens = 0, .max_day_nano = 0, .max_month_nano = 0,
		.translates_responses = -1 };
	struct fixture *f = e->fixture;
	int64_t *id = &f->channel_id[part], model_id;
	enum db_result result;

	result = find_channel(db, e, part, id);
	if (result == DB_OK)
		result = q_channel_address_set(db, *id, HOST, f->port, f->ca);
	if (result == DB_OK)
		result = put_credential(db, f, parts[part].channel, *id);
	if (result == DB_OK)
		result = q_channel_bounds_set(db, *id, &bounds);
	if (result == DB_OK)
		result = q_channel_groups_set(db, *id, groups, 1);
	if (result == DB_OK)
		result = put_model(db, e, parts[part].model, &model_id);
	if (result == DB_OK)
		result = q_channel_model_put(db, *id, model_id,
		    parts[part].model);
	if (result == DB_OK)
		result = q_channel_reset(db, *id);
	if (result == DB_OK)
		result = q_channel_set(db, *id, CHANNEL_ACTIVE, -1, -1);
	return result;
}

static enum db_result
enable_body(struct db *db, void *arg)
{
	struct enable *e = arg;
	enum db_result result = put_customer(db, e);

	for (int i = 0; result == DB_OK && i < FIXTURE_CHANNELS; i++)
		result = put_channel(db, e, i);
	return result;
}

enum admin_exit
fixture_enable(struct admin *admin, struct fixture *f)
{
	struct enable e = { admin, f };

	f->since_us = clock_wall().us;
	return admin_database_failed(admin, admin_change(admin, enable_body,
	    &e), "make attest's channels and customer");
}

static enum db_result
reset_body(struct db *db, void *arg)
{
	const struct fixture *f = arg;
	enum db_result result = DB_OK;

	for (int i = 0; result == DB_OK && i < FIXTURE_CHANNELS; i++)
		result = q_channel_reset(db, f->channel_id[i]);
	return result;
}

enum admin_exit
fixture_reset(struct admin *admin, struct fixture *f)
{
	return admin_database_failed(admin, admin_change(admin, reset_body,
	    f), "reset attest's channels");
}

static enum db_result
disable_body(struct db *db, void *arg)
{
	const struct fixture *f = arg;
	enum db_result result = DB_OK;

	for (int i = 0; result == DB_OK && i < FIXTURE_CHANNELS; i++)
		result = q_channel_set(db, f->channel_id[i],
		    CHANNEL_DISABLED, -1, -1);
	if (result == DB_OK)
		result = q_key_revoke(db, f->key_id);
	return result;
}

enum admin_exit
fixture_disable(struct admin *admin, struct fixture *f)
{
	secrets_scrub(&f->secrets);
	if (f->key_id == 0)
		return ADMIN_OK;
	return admin_database_failed(admin, admin_change(admin, disable_body,
	    f), "switch attest's channels off");
}
