#include "db/fetch.h"
#include "db/queries.h"
#include "db/queries_bounds.h"

static struct db_param
list(const char *const *texts, size_t n)
{
	struct db_param p = db_text_array(texts, n);

	p.null = texts == NULL;
	return p;
}

enum db_result
q_policy_set(struct db *db, enum policy_owner owner, int64_t id,
    const struct policy_lists *l)
{
	struct db_param p[] = { db_int(id), list(l->models, l->n_models),
		list(l->networks, l->n_networks),
		list(l->regions, l->n_regions) };

	return db_change(db, owner == POLICY_OF_KEY ?
	    "UPDATE youyun.api_key SET policy_id ="
	    " youyun.policy_change(policy_id, $2, $3, $4) WHERE id = $1"
	    " RETURNING id" :
	    "UPDATE youyun.customer SET policy_id ="
	    " youyun.policy_change(policy_id, $2, $3, $4) WHERE id = $1"
	    " RETURNING id", p, 4);
}

struct pass {
	bool (*each)(const struct policy_row *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct policy_row row = {
		.models = db_get_text(r, 0, 0),
		.networks = db_get_text(r, 0, 1),
		.regions = db_get_text(r, 0, 2),
	};

	return pass->each(&row, pass->arg);
}

#define LISTS \
	"SELECT coalesce(array_to_string(p.models, ','), '')," \
	" coalesce(array_to_string(p.addresses, ','), '')," \
	" coalesce(array_to_string(p.regions, ','), '')"

enum db_result
q_policy(struct db *db, enum policy_owner owner, int64_t id,
    bool (*each)(const struct policy_row *, void *), void *arg)
{
	struct db_param p = db_int(id);
	struct pass pass = { each, arg };

	return db_query_each(db, owner == POLICY_OF_KEY ?
	    LISTS " FROM youyun.api_key k LEFT JOIN youyun.policy p"
	    " ON p.id = k.policy_id WHERE k.id = $1" :
	    LISTS " FROM youyun.customer c LEFT JOIN youyun.policy p"
	    " ON p.id = c.policy_id WHERE c.id = $1", &p, 1, take, &pass);
}
