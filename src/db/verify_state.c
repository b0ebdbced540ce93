#include "db/verify.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "db/internal.h"
#include "db/value.h"

/* Room for 10^7 request ids with hardly a false alarm; beyond that they only
 * cost time. */
#define BLOOM_BITS (UINT64_C(1) << 28)
#define BLOOM_PROBES 4
#define SUSPECTS_MAX 32768
#define UUID_TEXT_BYTES 37

static int64_t
cut(__int128 nano)
{
	if (nano > INT64_MAX)
		return INT64_MAX;
	return nano < INT64_MIN ? INT64_MIN : (int64_t)nano;
}

void
verify_say(struct verify_state *v, const char *rule, const char *object,
    __int128 found, __int128 expected, const char *why)
{
	struct breach_row row = { .rule = rule, .object = object,
		.found_nano = cut(found), .expected_nano = cut(expected),
		.why = why };

	if (!v->stopped && !v->hooks->breach(&row, v->hooks->arg))
		v->stopped = true;
}

void
verify_say_posting(struct verify_state *v, const struct booking *b,
    int64_t account_id, __int128 found, __int128 expected, const char *why)
{
	char object[64];

	snprintf(object, sizeof(object), "posting:%" PRId64 ":%" PRId64,
	    b->id, account_id);
	verify_say(v, "posting", object, found, expected, why);
}

void *
verify_room(void *array, uint32_t n, uint32_t *room, size_t size)
{
	uint32_t more = *room == 0 ? 64 : 2 * *room;
	void *bigger;

	if (n < *room)
		return array;
	bigger = realloc(array, more * size);
	if (bigger != NULL)
		*room = more;
	return bigger;
}

static enum account_kind
kind_of(const char *name)
{
	static const char *const names[] = {
		[KIND_PREPAID] = "customer_prepaid",
		[KIND_PROMOTIONAL] = "customer_promotional",
		[KIND_REVENUE] = "revenue", [KIND_UNCOLLECTED] = "uncollected",
		[KIND_ADJUSTMENT] = "adjustment",
		[KIND_GIVEN] = "promotional", [KIND_EXTERNAL] = "external",
		[KIND_EXPIRED] = "expired"
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return (enum account_kind)i;
	return KIND_OTHER;
}

static bool
take_account(const struct db_rows *r, void *arg)
{
	struct verify_state *v = arg;
	struct account *a, *more;

	more = verify_room(v->account, v->accounts, &v->account_room,
	    sizeof(*more));
	v->failed = more == NULL;
	if (v->failed)
		return false;
	v->account = more;
	a = &v->account[v->accounts++];
	*a = (struct account) {
		.id = db_get_int(r, 0, 0),
		.kind = kind_of(db_get_text(r, 0, 1)),
		.customer_id = db_get_int(r, 0, 2),
		.expires_us = db_null(r, 0, 3) ? INT64_MAX :
		    db_get_time(r, 0, 3),
		.stored_nano = db_get_int(r, 0, 4)
	};
	return true;
}

static bool
take_owner(const struct db_rows *r, void *arg)
{
	struct verify_state *v = arg;
	struct owner *o, *more;

	more = verify_room(v->owner, v->owners, &v->owner_room,
	    sizeof(*more));
	v->failed = more == NULL;
	if (v->failed)
		return false;
	v->owner = more;
	o = &v->owner[v->owners++];
	*o = (struct owner) {
		.customer_id = db_get_int(r, 0, 0),
		.granted_nano = db_get_int(r, 0, 1),
		.spent_nano = db_get_int(r, 0, 2),
		.leases = db_get_int(r, 0, 3),
		.node = db_get_int(r, 0, 4),
		.moved_nano = db_get_int(r, 0, 5)
	};
	return true;
}

static bool
take_multiplier(const struct db_rows *r, void *arg)
{
	struct verify_state *v = arg;
	struct multiplier *more;

	more = verify_room(v->multiplier, v->multipliers, &v->multiplier_room,
	    sizeof(*more));
	v->failed = more == NULL;
	if (v->failed)
		return false;
	v->multiplier = more;
	v->multiplier[v->multipliers++] = (struct multiplier) {
		db_get_int(r, 0, 0), db_get_int(r, 0, 1) };
	return true;
}

static bool
take_mark(const struct db_rows *r, void *arg)
{
	struct verify_state *v = arg;
	struct mark *more;

	more = verify_room(v->mark, v->marks, &v->mark_room,
	    sizeof(*more));
	v->failed = more == NULL;
	if (v->failed)
		return false;
	v->mark = more;
	v->mark[v->marks++] = (struct mark) { (uint64_t)db_get_int(r, 0, 0),
		db_get_int(r, 0, 1) };
	return true;
}

/* The order of spending; by customer before that. */
static int
by_turn(const void *p, const void *q, void *arg)
{
	const struct account *account = arg;
	const struct account *a = &account[*(const uint32_t *)p];
	const struct account *b = &account[*(const uint32_t *)q];

	if (a->customer_id != b->customer_id)
		return a->customer_id < b->customer_id ? -1 : 1;
	if (a->expires_us != b->expires_us)
		return a->expires_us < b->expires_us ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind == KIND_PROMOTIONAL ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

static bool
line_up(struct verify_state *v)
{
	struct owner *o;
	uint32_t i;

	v->order = calloc(v->accounts + 1, sizeof(*v->order));
	if (v->order == NULL)
		return false;
	for (i = 0; i < v->accounts; i++)
		if (v->account[i].customer_id != 0)
			v->order[v->pots++] = i;
		else
			v->of_kind[v->account[i].kind] = v->account[i].id;
	qsort_r(v->order, v->pots, sizeof(*v->order), by_turn, v->account);
	for (i = v->pots; i-- > 0;) {
		o = verify_owner(v, v->account[v->order[i]].customer_id);
		if (o == NULL)
			continue;
		o->first = i;
		o->pots++;
	}
	return true;
}

/* What customers may spend, at home and on loan, and have spent. */
static const char accounts_sql[] =
    "SELECT a.id, a.kind, a.customer_id, a.expires_at, p.left_nano"
    " FROM youyun.ledger_account a"
    " LEFT JOIN youyun.pot p ON p.account_id = a.id ORDER BY a.id";
static const char owners_sql[] =
    "SELECT c.id, coalesce(m.granted_nano, 0), coalesce(m.spent_nano, 0),"
    " coalesce(l.n, 0)::bigint, coalesce(l.node, 0)::bigint,"
    " coalesce(p.moved_nano, 0) FROM youyun.customer c"
    " LEFT JOIN youyun.customer_money m ON m.customer_id = c.id"
    " LEFT JOIN youyun.purse p ON p.customer_id = c.id"
    " LEFT JOIN (SELECT customer_id, count(*) n, min(node_id) node"
    "  FROM youyun.lease GROUP BY 1) l"
    "  ON l.customer_id = c.id ORDER BY c.id";
/* The first group was made before there was an audit trail.  A multiplier for
 * some model is one of its group's. */
static const char multipliers_sql[] =
    "SELECT g, m FROM (SELECT 1::bigint, 1000000::bigint"
    " UNION SELECT id, multiplier_ppm FROM youyun.customer_group"
    " UNION SELECT split_part(object, ':', 2)::bigint,"
    "  (change ->> 'multiplier_ppm')::bigint FROM youyun.audit"
    "  WHERE action IN ('customer_group.insert', 'customer_group.update')"
    "  AND change ? 'multiplier_ppm'"
    " UNION SELECT group_id, multiplier_ppm FROM youyun.group_model"
    " UNION SELECT (i.change ->> 'group_id')::bigint,"
    "  (x.change ->> 'multiplier_ppm')::bigint FROM youyun.audit x"
    "  JOIN youyun.audit i ON i.object = x.object"
    "  AND i.action = 'group_model.insert'"
    "  WHERE x.action IN ('group_model.insert', 'group_model.update')"
    "  AND x.change ? 'multiplier_ppm') AS u(g, m) ORDER BY g, m";
static const char marks_sql[] =
    "SELECT journal_id, max(seq) FROM youyun.journal_mark GROUP BY 1"
    " ORDER BY 1";

enum db_result
verify_load(struct verify_state *v)
{
	static const struct {
		const char *sql;
		bool (*take)(const struct db_rows *, void *);
	} parts[] = { { accounts_sql, take_account },
		{ owners_sql, take_owner },
		{ multipliers_sql, take_multiplier },
		{ marks_sql, take_mark } };
	enum db_result result = DB_OK;
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]) &&
	    result == DB_OK; i++)
		result = db_query_each(v->db, parts[i].sql, NULL, 0,
		    parts[i].take, v);
	if (result != DB_OK)
		return result;
	v->bloom = calloc(BLOOM_BITS / 64, sizeof(*v->bloom));
	v->suspect = calloc(SUSPECTS_MAX, sizeof(*v->suspect));
	if (!v->failed && v->bloom != NULL && v->suspect != NULL &&
	    line_up(v))
		return DB_OK;
	db_say(v->db, "out of memory");
	return DB_ERROR;
}

void
verify_free(struct verify_state *v)
{
	free(v->account);
	free(v->order);
	free(v->owner);
	free(v->multiplier);
	free(v->mark);
	free(v->posting);
	free(v->bloom);
	free(v->suspect);
}

struct account *
verify_account(struct verify_state *v, int64_t id)
{
	uint32_t low = 0, high = v->accounts, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (v->account[mid].id == id)
			return &v->account[mid];
		if (v->account[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

struct owner *
verify_owner(struct verify_state *v, int64_t customer_id)
{
	uint32_t low = 0, high = v->owners, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (v->owner[mid].customer_id == customer_id)
			return &v->owner[mid];
		if (v->owner[mid].customer_id < customer_id)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

bool
verify_multiplier(const struct verify_state *v, int64_t group_id, int64_t ppm)
{
	uint32_t i;

	for (i = 0; i < v->multipliers; i++)
		if (v->multiplier[i].group_id == group_id &&
		    v->multiplier[i].ppm == ppm)
			return true;
	return false;
}

int64_t
verify_mark(const struct verify_state *v, uint64_t journal_id)
{
	uint32_t i;

	for (i = 0; i < v->marks; i++)
		if (v->mark[i].journal_id == journal_id)
			return v->mark[i].seq;
	return 0;
}

static void
uuid_text(const uint8_t id[16], char *text)
{
	int i;

	for (i = 0; i < 16; i++)
		text += sprintf(text, "%s%02x", i == 4 || i == 6 || i == 8 ||
		    i == 10 ? "-" : "", id[i]);
}

static bool
take_twice(const struct db_rows *r, void *arg)
{
	char object[64];

	snprintf(object, sizeof(object), "call:%s", db_get_text(r, 0, 0));
	verify_say(arg, "twice", object, db_get_int(r, 0, 1),
	    db_get_int(r, 0, 2), "a call that is there twice");
	return true;
}

enum db_result
verify_suspects(struct verify_state *v)
{
	const char **text = calloc(v->suspects + 1, sizeof(*text));
	char (*room)[UUID_TEXT_BYTES] = calloc(v->suspects + 1, sizeof(*room));
	enum db_result result = DB_ERROR;
	struct db_param p;
	uint32_t i;

	if (text == NULL || room == NULL) {
		db_say(v->db, "out of memory");
	} else if (v->suspects == 0) {
		result = DB_OK;
	} else {
		for (i = 0; i < v->suspects; i++) {
			uuid_text(v->suspect[i], room[i]);
			text[i] = room[i];
		}
		p = db_text_array(text, v->suspects);
		result = db_query_each(v->db, "SELECT request_id::text,"
		    " least(sum(fee_nano), 9223372036854775807)::bigint,"
		    " min(fee_nano) FROM youyun.call"
		    " WHERE request_id = ANY ($1::uuid[])"
		    " GROUP BY request_id HAVING count(*) > 1", &p, 1,
		    take_twice, v);
		v->suspects = 0;
	}
	free(text);
	free(room);
	return result;
}

enum db_result
verify_once(struct verify_state *v, const uint8_t id[16])
{
	XXH128_hash_t h = XXH3_128bits(id, 16);
	bool seen = true;
	uint64_t bit;
	int i;

	for (i = 0; i < BLOOM_PROBES; i++) {
		bit = (h.low64 + (uint64_t)i * (h.high64 | 1)) % BLOOM_BITS;
		if ((v->bloom[bit / 64] >> bit % 64 & 1) == 0)
			seen = false;
		v->bloom[bit / 64] |= UINT64_C(1) << bit % 64;
	}
	if (!seen)
		return DB_OK;
	memcpy(v->suspect[v->suspects++], id, 16);
	return v->suspects == SUSPECTS_MAX ? verify_suspects(v) : DB_OK;
}
