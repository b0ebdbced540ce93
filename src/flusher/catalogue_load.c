#include "flusher/catalogue_load.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "db/price_columns.h"
#include "db/transaction.h"
#include "db/value.h"
#include "flusher/policy_load.h"
#include "flusher/resolver.h"
#include "flusher/screen_load.h"
#include "shm/budget.h"

struct load {
	int64_t now_us;
	uint32_t max_slots;
	struct catalogue *c;
	const struct catalogue *former;
	int64_t next_price_us;
};

/* Zeroed, never NULL for want of elements. */
static void *
elements(uint32_t n, size_t size)
{
	return calloc(n == 0 ? 1 : n, size);
}

static void
put_text(char *to, size_t size, const char *from)
{
	size_t n = strlen(from);

	if (n >= size)
		n = size - 1;
	memcpy(to, from, n);
	to[n] = '\0';
}

static enum db_result
load_models(struct db *db, struct load *l)
{
	struct db_param now = db_time(l->now_us);
	struct catalogue *c = l->c;
	struct catalogue_model *m;
	struct db_rows *rows;
	enum db_result result;
	uint32_t i;

	result = db_query(db,
	    "SELECT " DB_PRICE_COLUMNS ", m.id, m.name, m.max_output_tokens,"
	    " m.created FROM youyun.model m"
	    " LEFT JOIN LATERAL (SELECT q.* FROM youyun.model_match x"
	    "  CROSS JOIN LATERAL (SELECT * FROM youyun.price q"
	    "   WHERE q.model_id = x.match_id AND q.effective_from <= $1"
	    "   ORDER BY q.effective_from DESC, q.id DESC LIMIT 1) q"
	    "  WHERE x.model_id = m.id ORDER BY x.rank DESC LIMIT 1) p ON true"
	    " ORDER BY m.id", &now, 1, &rows);
	if (result != DB_OK)
		return result;
	c->models = (uint32_t)db_rows_count(rows);
	c->model = elements(c->models, sizeof(*c->model));
	for (i = 0; c->model != NULL && i < c->models; i++) {
		m = &c->model[i];
		/* Without a price row all is unset, and refused. */
		db_get_price(rows, i, 0, &m->price);
		m->model_id = (uint64_t)db_get_int(rows, i,
		    DB_PRICE_COLUMN_COUNT);
		put_text(m->name, sizeof(m->name), db_get_text(rows, i,
		    DB_PRICE_COLUMN_COUNT + 1));
		m->max_output_tokens = (uint64_t)db_get_int(rows, i,
		    DB_PRICE_COLUMN_COUNT + 2);
		m->created_us = db_get_time(rows, i,
		    DB_PRICE_COLUMN_COUNT + 3);
	}
	db_rows_free(&rows);
	return c->model == NULL ? DB_ERROR : DB_OK;
}

static enum db_result
load_next_price(struct db *db, struct load *l)
{
	struct db_param now = db_time(l->now_us);
	struct db_rows *rows;
	enum db_result result;

	/* Of a sub-processor likewise, which its channels wait for. */
	result = db_query(db, "SELECT least("
	    "(SELECT min(effective_from) FROM youyun.price"
	    "  WHERE effective_from > $1),"
	    " (SELECT min(valid_from) FROM youyun.subprocessor"
	    "  WHERE valid_from > $1))", &now, 1, &rows);
	if (result != DB_OK)
		return result;
	l->next_price_us = db_get_time(rows, 0, 0);
	db_rows_free(&rows);
	return DB_OK;
}

static enum db_result
load_groups(struct db *db, struct load *l)
{
	struct catalogue *c = l->c;
	struct db_rows *rows;
	enum db_result result;
	uint32_t i;

	result = db_query(db, "SELECT id, multiplier_ppm"
	    " FROM youyun.customer_group ORDER BY id", NULL, 0, &rows);
	if (result != DB_OK)
		return result;
	c->groups = (uint32_t)db_rows_count(rows);
	c->group = elements(c->groups, sizeof(*c->group));
	for (i = 0; c->group != NULL && i < c->groups; i++) {
		c->group[i].group_id = (uint64_t)db_get_int(rows, i, 0);
		c->group[i].multiplier_ppm = (uint32_t)db_get_int(rows, i, 1);
	}
	db_rows_free(&rows);
	return c->group == NULL ? DB_ERROR : DB_OK;
}

/* The proxy's columns, from `column` on; NULL without one. */
static void
read_proxy(const struct db_rows *rows, uint32_t i, int column,
    struct catalogue_channel *ch)
{
	const void *auth;
	size_t len;

	put_text(ch->proxy_host, sizeof(ch->proxy_host),
	    db_get_text(rows, i, column));
	ch->proxy_port = (uint16_t)db_get_int(rows, i, column + 1);
	auth = db_get_bytes(rows, i, column + 2, &len);
	if (len > sizeof(ch->proxy_auth))
		len = 0;	/* the table's CHECK says it can't be */
	ch->proxy_auth_bytes = (uint16_t)len;
	if (len > 0)
		memcpy(ch->proxy_auth, auth, len);
}

static void
read_bounds(const struct db_rows *rows, uint32_t i, int column,
    struct catalogue_channel *ch)
{
	uint32_t *const member[] = { &ch->connect_ms, &ch->first_byte_ms,
		&ch->first_token_ms, &ch->idle_ms, &ch->total_ms,
		&ch->max_concurrent, &ch->max_per_minute, &ch->resets };

	for (size_t m = 0; m < sizeof(member) / sizeof(member[0]); m++)
		*member[m] = (uint32_t)db_get_int(rows, i, column + (int)m);
}

static void
read_channel(const struct db_rows *rows, uint32_t i,
    struct catalogue_channel *ch)
{
	ch->channel_id = (uint64_t)db_get_int(rows, i, 0);
	ch->slot = (uint32_t)db_get_int(rows, i, 1);
	put_text(ch->name, sizeof(ch->name), db_get_text(rows, i, 2));
	ch->protocol = (uint16_t)db_get_int(rows, i, 3);
	put_text(ch->host, sizeof(ch->host), db_get_text(rows, i, 4));
	ch->port = (uint16_t)db_get_int(rows, i, 5);
	ch->tls = db_get_bool(rows, i, 6);
	put_text(ch->base_path, sizeof(ch->base_path),
	    db_get_text(rows, i, 7));
	put_text(ch->ca, sizeof(ch->ca), db_get_text(rows, i, 8));
	ch->ca_bytes = (uint32_t)strlen(ch->ca);
	ch->priority = (uint32_t)db_get_int(rows, i, 9);
	ch->weight = (uint32_t)db_get_int(rows, i, 10);
	ch->status = (uint16_t)db_get_int(rows, i, 11);
	put_text(ch->region, sizeof(ch->region), db_get_text(rows, i, 12));
	put_text(ch->entity, sizeof(ch->entity), db_get_text(rows, i, 13));
	put_text(ch->headers, sizeof(ch->headers), db_get_text(rows, i, 14));
	read_bounds(rows, i, 15, ch);
	read_proxy(rows, i, 23, ch);
	ch->translates_responses = db_get_bool(rows, i, 26);
	ch->max_tokens = (uint64_t)db_get_int(rows, i, 27);
	ch->max_nano[BUDGET_DAY] = db_get_int(rows, i, 28);
	ch->max_nano[BUDGET_MONTH] = db_get_int(rows, i, 29);
}

static enum db_result
load_channels(struct db *db, struct load *l)
{
	struct db_param now = db_time(l->now_us);
	struct catalogue *c = l->c;
	struct db_rows *rows;
	enum db_result result;
	uint32_t i, n;

	/* Without those whose sub-processor must not receive anything. */
	result = db_query(db, "SELECT c.id, slot, c.name, protocol, c.host,"
	    " c.port, tls, base_path, ca, priority, weight, status, region,"
	    " c.entity, headers, connect_ms, first_byte_ms, first_token_ms,"
	    " idle_ms, total_ms, max_concurrent, max_per_minute, resets,"
	    " p.host, p.port, p.credential, translates_responses,"
	    " max_tokens_per_minute, max_day_nano, max_month_nano"
	    " FROM youyun.channel c"
	    " LEFT JOIN youyun.channel_proxy p ON p.channel_id = c.id"
	    " LEFT JOIN youyun.subprocessor s ON s.id = c.subprocessor_id"
	    " WHERE s.id IS NULL OR (s.valid_from <= $1"
	    "  AND coalesce(s.ended > $1, true))"
	    " ORDER BY c.id", &now, 1, &rows);
	if (result != DB_OK)
		return result;
	n = (uint32_t)db_rows_count(rows);
	c->channel = elements(n, sizeof(*c->channel));
	for (i = 0; c->channel != NULL && i < n; i++) {
		if ((uint64_t)db_get_int(rows, i, 1) >= l->max_slots) {
			log_warning("a channel is left out, its slot is not "
			    "below max_channels: channel=%s slot=%" PRId64,
			    db_get_text(rows, i, 2), db_get_int(rows, i, 1));
			continue;
		}
		read_channel(rows, i, &c->channel[c->channels++]);
	}
	db_rows_free(&rows);
	return c->channel == NULL ? DB_ERROR : DB_OK;
}

/* Both arrays are sorted by id. */
static uint32_t
model_index(const struct catalogue *c, uint64_t id)
{
	uint32_t low = 0, high = c->models, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (c->model[mid].model_id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < c->models && c->model[low].model_id == id ? low :
	    UINT32_MAX;
}

static uint32_t
channel_index(const struct catalogue *c, uint64_t id)
{
	uint32_t i;

	for (i = 0; i < c->channels; i++)
		if (c->channel[i].channel_id == id)
			return i;
	return UINT32_MAX;
}

static bool
read_credential(const struct db_rows *rows, uint32_t i,
    struct catalogue_credential *cr)
{
	const void *sealed;
	size_t len;

	cr->credential_id = (uint64_t)db_get_int(rows, i, 1);
	cr->slot = (uint16_t)db_get_int(rows, i, 2);
	cr->status = (uint16_t)db_get_int(rows, i, 3);
	cr->edition = (uint64_t)db_get_int(rows, i, 4);
	sealed = db_get_bytes(rows, i, 5, &len);
	/* The table's CHECKs say that neither can be. */
	if (len > sizeof(cr->sealed) || cr->slot >= CHANNEL_CREDENTIALS)
		return false;
	cr->bytes = (uint32_t)len;
	memcpy(cr->sealed, sealed, len);
	return true;
}

static enum db_result
load_credentials(struct db *db, struct load *l)
{
	struct catalogue *c = l->c;
	struct catalogue_credential *cr;
	struct db_rows *rows;
	enum db_result result;
	uint32_t i, n;

	/* By channel id, which is the channels' own order. */
	result = db_query(db, "SELECT channel_id, id, slot, status, edition,"
	    " credential FROM youyun.channel_credential"
	    " ORDER BY channel_id, slot", NULL, 0, &rows);
	if (result != DB_OK)
		return result;
	n = (uint32_t)db_rows_count(rows);
	c->credential = elements(n, sizeof(*c->credential));
	for (i = 0; c->credential != NULL && i < n; i++) {
		cr = &c->credential[c->credentials];
		cr->channel = channel_index(c, (uint64_t)db_get_int(rows, i,
		    0));
		if (read_credential(rows, i, cr) && cr->channel != UINT32_MAX)
			c->credentials++;
	}
	db_rows_free(&rows);
	return c->credential == NULL ? DB_ERROR : DB_OK;
}

static enum db_result
load_grants(struct db *db, struct load *l)
{
	struct catalogue *c = l->c;
	struct catalogue_grant *g;
	struct db_rows *rows;
	enum db_result result;
	uint32_t i, n;

	result = db_query(db, "SELECT channel_id, group_id"
	    " FROM youyun.channel_group ORDER BY channel_id, group_id", NULL,
	    0, &rows);
	if (result != DB_OK)
		return result;
	n = (uint32_t)db_rows_count(rows);
	c->grant = elements(n, sizeof(*c->grant));
	for (i = 0; c->grant != NULL && i < n; i++) {
		g = &c->grant[c->grants];
		g->channel = channel_index(c, (uint64_t)db_get_int(rows, i,
		    0));
		g->group_id = (uint64_t)db_get_int(rows, i, 1);
		if (g->channel != UINT32_MAX)
			c->grants++;
	}
	db_rows_free(&rows);
	return c->grant == NULL ? DB_ERROR : DB_OK;
}

static enum db_result
load_routes(struct db *db, struct load *l)
{
	struct catalogue *c = l->c;
	struct catalogue_route *r;
	struct db_rows *rows;
	enum db_result result;
	uint32_t i, n;

	/* By model id, which is the models' own order, then priority.  Of what
	 * a channel has for a model the closest match counts; what a pattern's
	 * star stands for goes into the star of the upstream's name. */
	result = db_query(db, "SELECT r.channel_id, r.model_id, r.name"
	    " FROM (SELECT DISTINCT ON (x.channel_id, y.model_id)"
	    "  x.channel_id, y.model_id, CASE WHEN y.model_id = y.match_id"
	    "  OR right(x.upstream_name, 1) <> '*' THEN x.upstream_name"
	    "  ELSE left(x.upstream_name, -1) || substr(m.name,"
	    "   length(n.name)) END AS name"
	    "  FROM youyun.channel_model x"
	    "  JOIN youyun.model_match y ON y.match_id = x.model_id"
	    "  JOIN youyun.model m ON m.id = y.model_id"
	    "  JOIN youyun.model n ON n.id = y.match_id"
	    "  ORDER BY x.channel_id, y.model_id, y.rank DESC) r"
	    " JOIN youyun.channel h ON h.id = r.channel_id"
	    " ORDER BY r.model_id, h.priority, h.id", NULL, 0, &rows);
	if (result != DB_OK)
		return result;
	n = (uint32_t)db_rows_count(rows);
	c->route = elements(n, sizeof(*c->route));
	for (i = 0; c->route != NULL && i < n; i++) {
		r = &c->route[c->routes];
		r->channel = channel_index(c, (uint64_t)db_get_int(rows, i,
		    0));
		r->model = model_index(c, (uint64_t)db_get_int(rows, i, 1));
		put_text(r->upstream_name, sizeof(r->upstream_name),
		    db_get_text(rows, i, 2));
		if (r->channel != UINT32_MAX && r->model != UINT32_MAX)
			c->routes++;
	}
	db_rows_free(&rows);
	return c->route == NULL ? DB_ERROR : DB_OK;
}

static enum db_result
load_overrides(struct db *db, struct load *l)
{
	struct catalogue *c = l->c;
	struct catalogue_override *o;
	struct db_rows *rows;
	enum db_result result;
	uint32_t i, n;

	result = db_query(db, "SELECT DISTINCT ON (y.model_id, x.group_id)"
	    " y.model_id, x.group_id, x.multiplier_ppm"
	    " FROM youyun.group_model x"
	    " JOIN youyun.model_match y ON y.match_id = x.model_id"
	    " ORDER BY y.model_id, x.group_id, y.rank DESC", NULL, 0, &rows);
	if (result != DB_OK)
		return result;
	n = (uint32_t)db_rows_count(rows);
	c->override = elements(n, sizeof(*c->override));
	for (i = 0; c->override != NULL && i < n; i++) {
		o = &c->override[c->overrides];
		o->model = model_index(c, (uint64_t)db_get_int(rows, i, 0));
		o->group_id = (uint64_t)db_get_int(rows, i, 1);
		o->multiplier_ppm = (uint32_t)db_get_int(rows, i, 2);
		if (o->model != UINT32_MAX)
			c->overrides++;
	}
	db_rows_free(&rows);
	return c->override == NULL ? DB_ERROR : DB_OK;
}

static enum db_result
load_screens(struct db *db, struct load *l)
{
	return screen_load(db, l->former, l->c);
}

static enum db_result
load_policies(struct db *db, struct load *l)
{
	return policy_load(db, l->c);
}

static enum db_result
body(struct db *db, void *arg)
{
	static enum db_result (*const parts[])(struct db *, struct load *) = {
		load_models, load_next_price, load_groups, load_channels,
		load_credentials, load_grants, load_routes, load_overrides,
		load_screens, load_policies
	};
	struct load *l = arg;
	enum db_result result = DB_OK;
	size_t i;

	catalogue_free(l->c);	/* of a try before */
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]) && result == DB_OK;
	    i++)
		result = parts[i](db, l);
	return result;
}

enum db_result
catalogue_load(struct db *db, int64_t now_us, uint32_t max_slots,
    const struct catalogue *former, struct catalogue *catalogue_r,
    int64_t *next_price_us_r)
{
	struct load l = { now_us, max_slots, catalogue_r, former, 0 };
	enum db_result result;

	memset(catalogue_r, 0, sizeof(*catalogue_r));
	result = db_transaction(db, DB_SNAPSHOT, body, &l);
	if (result != DB_OK)
		catalogue_free(catalogue_r);
	*next_price_us_r = l.next_price_us;
	return result;
}

bool
catalogue_resolve(struct catalogue *c, struct resolver *resolver)
{
	struct catalogue_address address[CHANNEL_ADDRESSES];
	struct catalogue_channel *ch;
	bool changed = false;
	uint32_t i, n;

	for (i = 0; i < c->channels; i++) {
		ch = &c->channel[i];
		n = resolver_look_up(resolver, ch->proxy_port != 0 ?
		    ch->proxy_host : ch->host, address);
		if (n == ch->addresses && memcmp(address, ch->address,
		    n * sizeof(address[0])) == 0)
			continue;
		memcpy(ch->address, address, n * sizeof(address[0]));
		ch->addresses = n;
		changed = true;
	}
	resolver_sweep(resolver);
	return changed;
}
