#include "flusher/policy_load.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/address.h"
#include "db/value.h"
#include "shm/catalogue.h"

#define IN_USE \
	" (SELECT 1 FROM youyun.api_key k WHERE k.policy_id = p.id" \
	"  AND k.status = 0 UNION ALL" \
	"  SELECT 1 FROM youyun.customer c WHERE c.policy_id = p.id)"

static enum db_result
load_policies(struct db *db, struct catalogue *c)
{
	struct db_rows *rows;
	enum db_result result;
	uint32_t i;

	result = db_query(db, "SELECT p.id FROM youyun.policy p WHERE EXISTS"
	    IN_USE " ORDER BY p.id", NULL, 0, &rows);
	if (result != DB_OK)
		return result;
	c->policies = (uint32_t)db_rows_count(rows);
	c->policy = calloc(c->policies + 1U, sizeof(*c->policy));
	for (i = 0; c->policy != NULL && i < c->policies; i++)
		c->policy[i].policy_id = (uint32_t)db_get_int(rows, i, 0);
	db_rows_free(&rows);
	return c->policy == NULL ? DB_ERROR : DB_OK;
}

/* One of the three lists of all policies. */
struct list {
	const char *sql;		/* rows (policy, text), in that order */
	size_t each;
	void (*put)(void *element, const char *text);
	/* In struct catalogue_policy, uint32_t. */
	size_t first_at, count_at;
};

static uint32_t *
member(struct catalogue_policy *p, size_t at)
{
	return (uint32_t *)(void *)((char *)p + at);
}

/* Elements as rows; *array_r is set if there is memory. */
static enum db_result
load_list(struct db *db, const struct list *list, struct catalogue *c,
    void **array_r, uint32_t *count_r)
{
	struct catalogue_policy *p = c->policy, *end = p + c->policies;
	struct db_rows *rows;
	enum db_result result;
	uint32_t i, n, id;

	result = db_query(db, list->sql, NULL, 0, &rows);
	if (result != DB_OK)
		return result;
	n = (uint32_t)db_rows_count(rows);
	*array_r = calloc(n + 1U, list->each);
	for (i = 0; *array_r != NULL && i < n; i++) {
		id = (uint32_t)db_get_int(rows, i, 0);
		while (p < end && p->policy_id < id)
			p++;
		/* All is of one snapshot: each row has its policy. */
		assert(p < end && p->policy_id == id);
		if ((*member(p, list->count_at))++ == 0)
			*member(p, list->first_at) = i;
		list->put((char *)*array_r + i * list->each,
		    db_get_text(rows, i, 1));
	}
	*count_r = n;
	db_rows_free(&rows);
	return *array_r == NULL ? DB_ERROR : DB_OK;
}

static void
put_model(void *element, const char *text)
{
	struct catalogue_name *model = element;

	snprintf(model->name, sizeof(model->name), "%s", text);
}

static void
put_network(void *element, const char *text)
{
	struct catalogue_network *net = element;

	/* One that can't be read is one that nobody is in. */
	if (!address_network_parse(text, net->ip, &net->bits))
		net->bits = UINT32_MAX;
}

static void
put_region(void *element, const char *text)
{
	struct catalogue_region *region = element;

	snprintf(region->name, sizeof(region->name), "%s", text);
}

#define ROWS(column) "SELECT p.id, x::text FROM youyun.policy p," \
	" unnest(p." column ") x WHERE EXISTS" IN_USE " ORDER BY p.id, x"
#define LIST(column, element, put, n) { ROWS(column), \
	sizeof(struct element), put, \
	offsetof(struct catalogue_policy, first_##n), \
	offsetof(struct catalogue_policy, n##s) }
static const struct list models = LIST("models", catalogue_name, put_model,
    model);
static const struct list networks = LIST("addresses", catalogue_network,
    put_network, network);
static const struct list regions = LIST("regions", catalogue_region,
    put_region, region);

enum db_result
policy_load(struct db *db, struct catalogue *c)
{
	void *model = NULL, *network = NULL, *region = NULL;
	enum db_result result = load_policies(db, c);

	if (result == DB_OK)
		result = load_list(db, &models, c, &model, &c->policy_models);
	c->policy_model = model;
	if (result == DB_OK)
		result = load_list(db, &networks, c, &network,
		    &c->policy_networks);
	c->policy_network = network;
	if (result == DB_OK)
		result = load_list(db, &regions, c, &region,
		    &c->policy_regions);
	c->policy_region = region;
	return result;
}
