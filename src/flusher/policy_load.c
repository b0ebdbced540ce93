#include "flusher/policy_load.h"

#include <stdlib.h>
#include <string.h>

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

/* Rows come in the policies' order: the next row is of the policy that the
 * last one was of, or of a later one. */
static struct catalogue_policy *
policy_of(struct catalogue *c, struct catalogue_policy *p,
    const struct db_rows *rows, uint32_t i)
{
	while (p < c->policy + c->policies &&
	    p->policy_id < (uint32_t)db_get_int(rows, i, 0))
		p++;
	return p < c->policy + c->policies &&
	    p->policy_id == (uint32_t)db_get_int(rows, i, 0) ? p : NULL;
}

static void
put_text(char *to, size_t size, const char *from)
{
	size_t n = strnlen(from, size - 1);

	memcpy(to, from, n);
	to[n] = '\0';
}

static enum db_result
load_models(struct db *db, struct catalogue *c)
{
	struct catalogue_policy *p = c->policy, *of;
	struct db_rows *rows;
	enum db_result result;
	uint32_t i, n;

	result = db_query(db, "SELECT p.id, m FROM youyun.policy p,"
	    " unnest(p.models) m WHERE EXISTS" IN_USE " ORDER BY p.id, m",
	    NULL, 0, &rows);
	if (result != DB_OK)
		return result;
	n = (uint32_t)db_rows_count(rows);
	c->policy_model = calloc(n + 1U, sizeof(*c->policy_model));
	for (i = 0; c->policy_model != NULL && i < n; i++) {
		of = policy_of(c, p, rows, i);
		if (of == NULL)
			break;
		p = of;
		if (p->models++ == 0)
			p->first_model = i;
		put_text(c->policy_model[i].name, MODEL_NAME_BYTES,
		    db_get_text(rows, i, 1));
		c->policy_models++;
	}
	db_rows_free(&rows);
	return c->policy_model == NULL ? DB_ERROR : DB_OK;
}

static enum db_result
load_regions(struct db *db, struct catalogue *c)
{
	struct catalogue_policy *p = c->policy, *of;
	struct db_rows *rows;
	enum db_result result;
	uint32_t i, n;

	result = db_query(db, "SELECT p.id, r FROM youyun.policy p,"
	    " unnest(p.regions) r WHERE EXISTS" IN_USE " ORDER BY p.id, r",
	    NULL, 0, &rows);
	if (result != DB_OK)
		return result;
	n = (uint32_t)db_rows_count(rows);
	c->policy_region = calloc(n + 1U, sizeof(*c->policy_region));
	for (i = 0; c->policy_region != NULL && i < n; i++) {
		of = policy_of(c, p, rows, i);
		if (of == NULL)
			break;
		p = of;
		if (p->regions++ == 0)
			p->first_region = i;
		put_text(c->policy_region[i].name, CHANNEL_REGION_BYTES,
		    db_get_text(rows, i, 1));
		c->policy_regions++;
	}
	db_rows_free(&rows);
	return c->policy_region == NULL ? DB_ERROR : DB_OK;
}

static enum db_result
load_networks(struct db *db, struct catalogue *c)
{
	struct catalogue_policy *p = c->policy, *of;
	struct catalogue_network *net;
	struct db_rows *rows;
	enum db_result result;
	uint32_t i, n;

	result = db_query(db, "SELECT p.id, a::text FROM youyun.policy p,"
	    " unnest(p.addresses) a WHERE EXISTS" IN_USE " ORDER BY p.id, a",
	    NULL, 0, &rows);
	if (result != DB_OK)
		return result;
	n = (uint32_t)db_rows_count(rows);
	c->policy_network = calloc(n + 1U, sizeof(*c->policy_network));
	for (i = 0; c->policy_network != NULL && i < n; i++) {
		of = policy_of(c, p, rows, i);
		net = &c->policy_network[i];
		/* One that can't be read is one that nobody is in. */
		if (!address_network_parse(db_get_text(rows, i, 1), net->ip,
		    &net->bits))
			net->bits = UINT32_MAX;
		if (of == NULL)
			break;
		p = of;
		if (p->networks++ == 0)
			p->first_network = i;
		c->policy_networks++;
	}
	db_rows_free(&rows);
	return c->policy_network == NULL ? DB_ERROR : DB_OK;
}

enum db_result
policy_load(struct db *db, struct catalogue *c)
{
	enum db_result result = load_policies(db, c);

	if (result == DB_OK)
		result = load_models(db, c);
	if (result == DB_OK)
		result = load_networks(db, c);
	return result == DB_OK ? load_regions(db, c) : result;
}
