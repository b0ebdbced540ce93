#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "conf/settings.h"
#include "db/value.h"
#include "flusher/directory_internal.h"
#include "shm/directory.h"
#include "shm/hold.h"
#include "shm/limit.h"
#include "shm/refill.h"
#include "shm/segment.h"

void
pending_add(struct directory *d, struct pending *p, int64_t id)
{
	if (p->n != 0 && p->id[p->n - 1] == id)
		return;
	if (p->n == PENDING_MAX)
		d->reload_all = true;
	else
		p->id[p->n++] = id;
}

bool
directory_learn(struct directory *d)
{
	uint32_t slot, n = account_count(d->config.shm);
	struct account_view view;

	for (slot = 0; slot < n; slot++)
		if (account_read(d->config.shm, slot, &view) &&
		    !accounts_add(d->accounts, view.account_id, slot))
			return false;
	return true;
}

static void
say_full(struct directory *d, const char *setting)
{
	if (!d->full_said)
		log_error("the segment is full, some customers or keys don't "
		    "work; raise %s and start the service again", setting);
	d->full_said = true;
}

static uint32_t
slot_of(struct directory *d, uint64_t customer_id)
{
	uint32_t slot = accounts_find(d->accounts, customer_id);

	if (slot != ACCOUNT_NONE)
		return slot;
	if (account_add(d->config.shm, customer_id, &slot) != DIRECTORY_OK) {
		say_full(d, "max_accounts");
		return ACCOUNT_NONE;
	}
	if (!accounts_add(d->accounts, customer_id, slot))
		log_error("could not remember an account: out of memory");
	return slot;
}

/* Three columns from there on. */
static struct limit_rates
rates_of(const struct db_rows *r, int column)
{
	return (struct limit_rates){
		.requests = (uint32_t)db_get_int(r, 0, column),
		.tokens = (uint64_t)db_get_int(r, 0, column + 1),
		.concurrent = (uint32_t)db_get_int(r, 0, column + 2),
	};
}

/* Four columns from there on. */
static void
take_caps(struct directory *d, enum limit_level level, uint32_t slot,
    const struct db_rows *r, int column)
{
	struct budget_new item = { .level = level, .slot = slot,
		.id = db_get_int(r, 0, 0), .caps = {
		.nano = { db_get_int(r, 0, column),
		    db_get_int(r, 0, column + 1) },
		.total_nano = db_get_int(r, 0, column + 2),
		.total_tokens = (uint64_t)db_get_int(r, 0, column + 3),
		} };

	budget_note(&d->budgets, d->config.shm, &item);
}

/* A limited customer's, whatever else holds. */
static void
take_status(struct directory *d, enum account_status status,
    struct limit_rates *rates)
{
	const struct settings *s = d->config.settings;

	if (status != ACCOUNT_LIMITED)
		return;
	if (rates->requests == 0 ||
	    rates->requests > s->limited_requests_per_minute)
		rates->requests = s->limited_requests_per_minute;
	if (rates->concurrent == 0 ||
	    rates->concurrent > s->limited_concurrent)
		rates->concurrent = s->limited_concurrent;
}

/* In the order of customer.keep_address. */
static uint32_t
minimise_of(int64_t keep_address, bool keep_agent)
{
	static const uint32_t address[] = { 0, RECORD_ADDRESS_NETWORK,
		RECORD_ADDRESS_NONE };

	return address[keep_address] | (keep_agent ? 0 : RECORD_AGENT_NONE);
}

static bool
take_account(const struct db_rows *r, void *arg)
{
	struct directory *d = arg;
	struct limit_rates rates = rates_of(r, 5);
	int64_t id = db_get_int(r, 0, 0);
	uint32_t slot = slot_of(d, (uint64_t)id);
	struct account_view view = {
		.status = (enum account_status)db_get_int(r, 0, 1),
		.group_id = (uint64_t)db_get_int(r, 0, 2),
		.policy = (uint32_t)db_get_int(r, 0, 8),
		.cut = db_get_bool(r, 0, 9),
		.minimise = minimise_of(db_get_int(r, 0, 14),
		    db_get_bool(r, 0, 15)),
	};

	if (slot == ACCOUNT_NONE)
		return true;
	if (hold_grant(d->config.shm, slot, db_get_int(r, 0, 3)) != HOLD_OK)
		pending_add(d, &d->short_of, id);
	refill_know(d->config.shm, slot, db_get_int(r, 0, 4), -1);
	take_status(d, view.status, &rates);
	/* Before what may be used is what for. */
	limit_set(d->config.shm, LIMIT_ACCOUNT, slot, &rates);
	take_caps(d, LIMIT_ACCOUNT, slot, r, 10);
	account_set(d->config.shm, slot, &view);
	return true;
}

enum db_result
directory_load_accounts(struct directory *d, const struct pending *ids)
{
	struct db_param p[] = { db_int(d->node.id),
		db_int((int64_t)shm_incarnation(d->config.shm)),
		ids == NULL ? db_int_array(NULL, 0) :
		    db_int_array(ids->id, ids->n) };

	p[2].null = ids == NULL;
	return db_query_each(d->db,
	    "SELECT c.id, c.status, c.group_id,"
	    " coalesce(l.granted_nano - CASE WHEN l.incarnation = $2"
	    "  THEN l.spent_before_nano ELSE l.spent_nano END, 0),"
	    " p.home_nano + coalesce((SELECT sum(o.granted_nano -"
	    "   o.spent_nano) FROM youyun.lease o"
	    "  WHERE o.customer_id = c.id AND o.node_id <> $1), 0)::bigint,"
	    " coalesce(m.requests, e.requests, 0)::bigint,"
	    " coalesce(m.tokens, e.tokens, 0),"
	    " coalesce(m.concurrent, e.concurrent, 0)::bigint,"
	    " coalesce(c.policy_id, 0)::bigint,"
	    " c.cut AND c.status = 2,"
	    " coalesce(m.day_nano, e.day_nano, 0),"
	    " coalesce(m.month_nano, e.month_nano, 0), 0::bigint, 0::bigint,"
	    " c.keep_address::bigint, c.keep_agent"
	    " FROM youyun.customer c"
	    " LEFT JOIN youyun.rate_limit m ON m.scope = 1"
	    "  AND m.object_id = c.id AND (m.requests > 0 OR m.tokens > 0"
	    "  OR m.concurrent > 0 OR m.day_nano > 0 OR m.month_nano > 0)"
	    " LEFT JOIN youyun.rate_limit e ON e.scope = 3"
	    "  AND e.object_id = c.group_id"
	    " JOIN youyun.purse p ON p.customer_id = c.id"
	    " LEFT JOIN youyun.lease l"
	    "  ON l.customer_id = c.id AND l.node_id = $1"
	    " WHERE $3::bigint[] IS NULL OR c.id = ANY ($3)",
	    p, 3, take_account, d);
}

static bool
take_key(const struct db_rows *r, void *arg)
{
	struct directory *d = arg;
	struct key_view view = { .key_id = (uint64_t)db_get_int(r, 0, 0) };
	struct limit_rates rates = rates_of(r, 5);
	uint32_t slot;
	const uint8_t *digest;
	size_t len;

	view.account = accounts_find(d->accounts,
	    (uint64_t)db_get_int(r, 0, 1));
	digest = db_get_bytes(r, 0, 2, &len);
	view.status = db_get_int(r, 0, 3) == KEY_ACTIVE ? KEY_ACTIVE :
	    KEY_REVOKED;
	view.expires_us = db_get_time(r, 0, 4);
	view.policy = (uint32_t)db_get_int(r, 0, 8);
	/* Its customer is not here (or newer than our last look, then both
	 * are named by a notification that is yet to be read). */
	if (view.account == ACCOUNT_NONE || len != KEY_DIGEST_BYTES)
		return true;
	if (key_put(d->config.shm, digest, &view, &slot) != DIRECTORY_OK)
		say_full(d, "max_keys");
	else {
		limit_set(d->config.shm, LIMIT_KEY, slot, &rates);
		take_caps(d, LIMIT_KEY, slot, r, 9);
	}
	return true;
}

enum db_result
directory_load_keys(struct directory *d, const struct pending *ids)
{
	struct db_param p = ids == NULL ? db_int_array(NULL, 0) :
	    db_int_array(ids->id, ids->n);

	p.null = ids == NULL;
	return db_query_each(d->db,
	    "SELECT k.id, k.customer_id, k.digest, k.status, k.expires_at,"
	    " youyun.limit_least(m.requests, o.requests),"
	    " youyun.limit_least(m.tokens, o.tokens),"
	    " youyun.limit_least(m.concurrent, o.concurrent),"
	    " coalesce(k.policy_id, 0)::bigint,"
	    " youyun.limit_least(m.day_nano, o.day_nano),"
	    " youyun.limit_least(m.month_nano, o.month_nano),"
	    " youyun.limit_least(m.total_nano, o.total_nano),"
	    " youyun.limit_least(m.total_tokens, o.total_tokens)"
	    " FROM youyun.api_key k"
	    " LEFT JOIN youyun.rate_limit m ON m.scope = 0"
	    "  AND m.object_id = k.id"
	    " LEFT JOIN youyun.rate_limit o ON o.scope = 4"
	    "  AND o.object_id = k.id"
	    " WHERE $1::bigint[] IS NULL OR k.id = ANY ($1)",
	    &p, 1, take_key, d);
}

static bool
take_group(const struct db_rows *r, void *arg)
{
	struct directory *d = arg;
	struct limit_rates rates = rates_of(r, 1);
	uint32_t slot = limit_group_put(d->config.shm,
	    (uint64_t)db_get_int(r, 0, 0));

	if (slot == LIMIT_NONE && !d->full_said) {
		log_error("more than %d groups have limits; those of the "
		    "others don't hold", LIMIT_GROUPS);
		d->full_said = true;
	} else if (slot != LIMIT_NONE) {
		limit_set(d->config.shm, LIMIT_GROUP, slot, &rates);
		take_caps(d, LIMIT_GROUP, slot, r, 4);
	}
	return true;
}

enum db_result
directory_load_group_limits(struct directory *d)
{
	return db_query_each(d->db, "SELECT object_id, requests::bigint,"
	    " tokens, concurrent::bigint, day_nano, month_nano, 0::bigint,"
	    " 0::bigint FROM youyun.rate_limit"
	    " WHERE scope = 2", NULL, 0, take_group, d);
}
