/* A customer's own keys.  One is in an answer in full once, when it is made. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/bytes.h"
#include "base/secret.h"
#include "conf/heritage.h"
#include "db/value.h"
#include "portal/request.h"
#include "portal/route.h"
#include "portal/server.h"
#include "shm/catalogue.h"
#include "shm/directory.h"

#define NAME_MAX_BYTES 64
#define OVERLAP_MAX_S (366 * 86400)

static const char *const nothing[] = { NULL };

static struct json_object *
key_json(const struct db_rows *rows, size_t i)
{
	struct json_object *o = json_object_new_object();
	int64_t status = db_get_int(rows, i, 3);

	put_int(o, "id", db_get_int(rows, i, 0));
	put(o, "name", json_text(db_get_text(rows, i, 1)));
	put(o, "looks", json_text(db_get_text(rows, i, 2)));
	put(o, "status", json_text(status == KEY_ACTIVE ? "active" :
	    status == KEY_SUSPENDED ? "suspended" : "revoked"));
	put(o, "scope", json_text(db_get_int(rows, i, 7) == 1 ? "account" :
	    "calls"));
	put(o, "expires_at", json_time(db_get_time(rows, i, 4)));
	put(o, "created", json_time(db_get_time(rows, i, 5)));
	put(o, "revoked", json_time(db_get_time(rows, i, 6)));
	put(o, "models", json_lines(db_get_text(rows, i, 8)));
	put(o, "addresses", json_lines(db_get_text(rows, i, 9)));
	put(o, "regions", json_lines(db_get_text(rows, i, 10)));
	put(o, "last_used", json_time(db_get_time(rows, i, 11)));
	return o;
}

#define KEYS "SELECT id, name, hint, status::bigint, expires_at, created," \
	" revoked, scope::bigint, array_to_string(models, E'\n')," \
	" array_to_string(addresses, E'\n')," \
	" array_to_string(regions, E'\n'), last_used FROM youyun.my_key"

void
run_keys(struct request *r)
{
	static const char *const known[] = { "after", "limit", NULL };
	struct db_param p[2];
	struct db_rows *rows;
	enum db_result result;

	if (!query_only(r, known) || !query_page(r, false, p))
		return;
	result = db_query(r->db, KEYS " WHERE id > $1 LIMIT $2", p,
	    2, &rows);
	if (result == DB_OK)
		answer_page(r, "keys", rows, p, key_json);
	else
		answer_database(r, result);
}

/* One key's JSON; NULL: the answer is set. */
static struct json_object *
find_key(struct request *r, int64_t id)
{
	struct db_param p = db_int(id);
	struct json_object *o = NULL;
	struct db_rows *rows;
	enum db_result result;

	result = db_query(r->db, KEYS " WHERE id = $1", &p, 1, &rows);
	if (result != DB_OK) {
		answer_database(r, result);
		return NULL;
	}
	if (db_rows_count(rows) == 1)
		o = key_json(rows, 0);
	else
		answer_database(r, DB_NONE);
	db_rows_free(&rows);
	return o;
}

void
run_key(struct request *r)
{
	struct json_object *o;
	int64_t id;

	if (!query_only(r, nothing) || !part_number(r, 0, &id))
		return;
	o = find_key(r, id);
	if (o != NULL)
		answer_json(r, 200, o);
}

/* As request_int(), with what a key's own functions refuse. */
static bool
number_of(struct request *r, const char *sql, const struct db_param *p,
    size_t n, int64_t *number_r)
{
	if (request_int(r, sql, p, n, number_r))
		return true;
	if (strcmp(db_sqlstate(r->db), "YY017") == 0)
		answer_problem(r, 409, "revoked", NULL,
		    "The key is revoked or suspended and stays as it is.");
	else if (strcmp(db_sqlstate(r->db), "YY010") == 0)
		answer_problem(r, 409, "too_many_keys", NULL,
		    "There are 1000 keys already; revoke one first.");
	return false;
}

/* A key's text, to be scrubbed, and what is kept of it. */
struct new_key {
	char text[API_KEY_LEN + 1];
	char hint[API_KEY_HINT_BYTES];
	uint8_t digest[KEY_DIGEST_BYTES];
};

static bool
make_key(struct request *r, struct new_key *k)
{
	struct key_hasher *hasher =
	    key_hasher_open(&r->portal->heritage->secrets);

	if (hasher == NULL) {
		answer_database(r, DB_AWAY);
		return false;
	}
	api_key_make(k->text);
	api_key_hint(k->text, k->hint);
	key_hasher_digest(hasher, k->text, API_KEY_LEN, k->digest);
	key_hasher_close(&hasher);
	return true;
}

/* What it may do; NULL as a list: absent. */
struct lists {
	const char **models, **addresses, **regions;
	size_t n_models, n_addresses, n_regions;
};

static void
lists_free(struct lists *l)
{
	free(l->models);
	free(l->addresses);
	free(l->regions);
}

static bool
is_model(const char *text)
{
	const char *star = strchr(text, '*');

	return star == NULL || star[1] == '\0';
}

static bool
take_lists(struct request *r, struct lists *l)
{
	uint8_t ip[16];
	uint32_t bits;

	memset(l, 0, sizeof(*l));
	if (!body_texts(r, "models", POLICY_MODELS, MODEL_NAME_BYTES - 1,
	    &l->models, &l->n_models) ||
	    !body_texts(r, "addresses", POLICY_NETWORKS, 49, &l->addresses,
	    &l->n_addresses) ||
	    !body_texts(r, "regions", POLICY_REGIONS,
	    CHANNEL_REGION_BYTES - 1, &l->regions, &l->n_regions))
		return false;
	for (size_t i = 0; i < l->n_models; i++)
		if (!is_model(l->models[i])) {
			answer_problem(r, 400, "bad_member", "models",
			    "A * stands at the end of a name only.");
			return false;
		}
	for (size_t i = 0; i < l->n_addresses; i++)
		if (!address_network_parse(l->addresses[i], ip, &bits)) {
			answer_problem(r, 400, "bad_member", "addresses",
			    "Wanted are addresses and networks such as "
			    "192.0.2.0/24 and 2001:db8::/32.");
			return false;
		}
	return true;
}

static bool
set_lists(struct request *r, int64_t id, const struct lists *l)
{
	struct db_param p[4] = { db_int(id),
		db_text_array(l->models, l->n_models),
		db_text_array(l->addresses, l->n_addresses),
		db_text_array(l->regions, l->n_regions) };
	int64_t n;

	if (l->models == NULL && l->addresses == NULL && l->regions == NULL)
		return true;
	p[1].null = l->models == NULL;
	p[2].null = l->addresses == NULL;
	p[3].null = l->regions == NULL;
	return number_of(r, "SELECT youyun.my_key_allow($1, $2, $3, $4)", p,
	    4, &n);
}

static bool
add_key(struct request *r, const char *name, int64_t scope,
    int64_t expires_us, struct new_key *k, int64_t *id_r)
{
	struct db_param p[5];

	if (!make_key(r, k))
		return false;
	p[0] = db_text(name);
	p[1] = db_bytes(k->digest, sizeof(k->digest));
	p[2] = db_text(k->hint);
	p[3] = db_time_or_null(expires_us);
	p[4] = db_int(scope);
	return number_of(r, "SELECT youyun.my_key_create($1, $2, $3, $4, $5)",
	    p, 5, id_r);
}

static void
answer_new(struct request *r, int64_t id, const struct new_key *k)
{
	struct json_object *o = find_key(r, id);

	if (o == NULL)
		return;
	put(o, "key", json_text(k->text));
	answer_json(r, 201, o);
}

static void
create(struct request *r, const struct lists *l)
{
	const char *name, *scope;
	struct new_key k;
	int64_t expires_us, id;

	if (!body_text(r, "name", false, 0, NAME_MAX_BYTES, &name) ||
	    !body_text(r, "scope", false, 1, 16, &scope) ||
	    !body_time(r, "expires_at", &expires_us))
		return;
	if (scope != NULL && strcmp(scope, "calls") != 0 &&
	    strcmp(scope, "account") != 0) {
		answer_problem(r, 400, "bad_member", "scope",
		    "Allowed are calls and account.");
		return;
	}
	if (add_key(r, name != NULL ? name : "", scope != NULL &&
	    strcmp(scope, "account") == 0, expires_us, &k, &id) &&
	    set_lists(r, id, l))
		answer_new(r, id, &k);
	bytes_scrub(&k, sizeof(k));
}

void
run_key_create(struct request *r)
{
	static const char *const known[] = { "name", "scope", "expires_at",
		"models", "addresses", "regions", NULL };
	struct lists l = { 0 };

	if (query_only(r, nothing) && body_only(r, known) &&
	    take_lists(r, &l))
		create(r, &l);
	lists_free(&l);
}

static void
change(struct request *r, int64_t id, const struct lists *l)
{
	struct json_object *o;
	struct db_param p[4];
	const char *name;
	int64_t expires_us, n;

	if (!body_text(r, "name", false, 0, NAME_MAX_BYTES, &name) ||
	    !body_time(r, "expires_at", &expires_us))
		return;
	p[0] = db_int(id);
	p[1] = db_text(name);
	p[2] = db_bool(body_has(r, "expires_at"));
	p[3] = db_time_or_null(expires_us);
	if (!number_of(r, "SELECT youyun.my_key_change($1, $2, $3, $4)", p, 4,
	    &n) || !set_lists(r, id, l) || (o = find_key(r, id)) == NULL)
		return;
	if (n == 1) {
		answer_json(r, 200, o);
		return;
	}
	json_object_put(o);
	answer_problem(r, 409, "revoked", NULL,
	    "The key is revoked or suspended and stays as it is.");
}

void
run_key_change(struct request *r)
{
	static const char *const known[] = { "name", "expires_at", "models",
		"addresses", "regions", NULL };
	struct lists l = { 0 };
	int64_t id;

	if (query_only(r, nothing) && part_number(r, 0, &id) &&
	    body_only(r, known) && take_lists(r, &l))
		change(r, id, &l);
	lists_free(&l);
}

void
run_key_rotate(struct request *r)
{
	static const char *const known[] = { "overlap_s", NULL };
	int64_t id, fresh, overlap_s = 0;
	struct db_param p[4];
	struct new_key k;

	if (!query_only(r, nothing) || !part_number(r, 0, &id) ||
	    !body_only(r, known) ||
	    !body_number(r, "overlap_s", 0, OVERLAP_MAX_S, &overlap_s) ||
	    !make_key(r, &k))
		return;
	p[0] = db_int(id);
	p[1] = db_bytes(k.digest, sizeof(k.digest));
	p[2] = db_text(k.hint);
	p[3] = db_int(overlap_s);
	if (number_of(r, "SELECT youyun.my_key_rotate($1, $2, $3, $4)", p, 4,
	    &fresh))
		answer_new(r, fresh, &k);
	bytes_scrub(&k, sizeof(k));
}

void
run_key_revoke(struct request *r)
{
	struct json_object *o;
	struct db_param p;
	int64_t id, n;

	if (!query_only(r, nothing) || !part_number(r, 0, &id))
		return;
	p = db_int(id);
	/* Revoking again is no mistake. */
	if (!number_of(r, "SELECT youyun.my_key_revoke($1)", &p, 1, &n))
		return;
	o = find_key(r, id);
	if (o != NULL)
		answer_json(r, 200, o);
}
