#include "db/fetch.h"
#include "db/queries.h"
#include "db/queries_risk.h"

struct pass {
	bool (*each)(const struct risk_rule_row *, void *);
	bool (*each_look)(const struct risk_look_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct risk_rule_row row = {
		.id = db_get_int(r, 0, 0),
		.kind = db_get_text(r, 0, 1),
		.of_key = db_get_bool(r, 0, 2),
		.action = db_get_int(r, 0, 3),
		.threshold = db_get_int(r, 0, 4),
		.minimum = db_get_int(r, 0, 5),
		.window_minutes = db_get_int(r, 0, 6),
		.cooldown_minutes = db_get_int(r, 0, 7),
	};

	return pass->each(&row, pass->arg);
}

enum db_result
q_risk_rule_each(struct db *db,
    bool (*each)(const struct risk_rule_row *, void *), void *arg)
{
	struct pass pass = { each, NULL, arg };

	return db_query_each(db, "SELECT id::bigint, kind, of_key,"
	    " action::bigint, threshold, coalesce(minimum, -1),"
	    " coalesce(window_minutes, -1)::bigint, cooldown_minutes::bigint"
	    " FROM youyun.risk_rule ORDER BY id", NULL, 0, take, &pass);
}

enum db_result
q_risk_rule_set(struct db *db, const struct risk_rule_row *rule)
{
	struct db_param p[] = { db_text(rule->kind), db_int(rule->action),
		db_int(rule->threshold), db_int(rule->minimum),
		db_int(rule->window_minutes), db_int(rule->cooldown_minutes) };

	return db_change(db, "UPDATE youyun.risk_rule r SET"
	    " action = CASE WHEN $2 < 0 THEN r.action ELSE $2 END,"
	    " threshold = CASE WHEN $3 < 0 THEN r.threshold ELSE $3 END,"
	    " minimum = CASE WHEN $4 < 0 THEN r.minimum ELSE $4 END,"
	    " window_minutes = CASE WHEN $5 < 0 THEN r.window_minutes"
	    "  ELSE $5 END,"
	    " cooldown_minutes = CASE WHEN $6 < 0 THEN r.cooldown_minutes"
	    "  ELSE $6 END"
	    " WHERE r.kind = $1 RETURNING r.id", p, 6);
}

static bool
take_look(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct risk_look_row row = {
		.kind = db_get_text(r, 0, 0),
		.key_id = db_get_int(r, 0, 1),
		.hint = db_get_text(r, 0, 2),
		.seen = db_get_int(r, 0, 3),
		.usual = db_get_int(r, 0, 4),
		.compared = db_get_bool(r, 0, 5),
		.bound = db_get_int(r, 0, 6),
		.rung_us = db_get_time(r, 0, 7),
	};

	return pass->each_look(&row, pass->arg);
}

enum db_result
q_risk_look_each(struct db *db, int64_t customer_id, int64_t keys,
    bool (*each)(const struct risk_look_row *, void *), void *arg)
{
	struct db_param p[] = { db_int(customer_id), db_int(keys) };
	struct pass pass = { NULL, each, arg };

	return db_query_each(db, "SELECT l.kind, coalesce(l.key_id, 0),"
	    " coalesce((SELECT k.hint FROM youyun.api_key k"
	    "  WHERE k.id = l.key_id), ''), l.seen, coalesce(l.usual, 0),"
	    " l.usual IS NOT NULL, l.bound, (SELECT g.at"
	    "  FROM youyun.risk_rung g WHERE g.customer_id = $1"
	    "  AND g.key_id = coalesce(l.key_id, 0)"
	    "  AND g.rule_id = l.rule_id)"
	    " FROM youyun.risk_look($1, ARRAY(SELECT k.id"
	    "  FROM youyun.api_key k JOIN youyun.key_use u ON u.key_id = k.id"
	    "  WHERE k.customer_id = $1 ORDER BY u.last_used DESC LIMIT $2)) l"
	    " ORDER BY coalesce(l.key_id, 0), l.rule_id", p, 2, take_look,
	    &pass);
}

enum db_result
q_risk_regions_set(struct db *db, const char *const *networks,
    const char *const *regions, size_t n)
{
	struct db_param p[] = { db_text_array(networks, n),
		db_text_array(regions, n) };
	enum db_result result;

	result = db_query(db, "DELETE FROM youyun.risk_region", NULL, 0,
	    NULL);
	if (result != DB_OK)
		return result;
	result = db_query(db, "INSERT INTO youyun.risk_region (network, region)"
	    " SELECT network(n.network::inet), n.region"
	    " FROM unnest($1::text[], $2::text[]) AS n(network, region)"
	    " ON CONFLICT DO NOTHING", p, 2, NULL);
	if (result != DB_OK)
		return result;
	return db_query(db, "SELECT youyun.risk_regions_audit()", NULL, 0,
	    NULL);
}

enum db_result
q_risk_regions_count(struct db *db, int64_t *n_r)
{
	return db_fetch_int(db, "SELECT count(*) FROM youyun.risk_region",
	    NULL, 0, n_r);
}
