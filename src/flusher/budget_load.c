#include "flusher/budget_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/spent.h"
#include "db/value.h"

static bool
grow(struct budget_news *news)
{
	uint32_t max = news->max == 0 ? 64 : news->max * 2;
	struct budget_new *item = realloc(news->item, max * sizeof(*item));

	if (item == NULL)
		return false;
	news->item = item;
	news->max = max;
	return true;
}

void
budget_note(struct budget_news *news, struct shm *shm,
    const struct budget_new *item)
{
	if (!budget_has_caps(&item->caps) ||
	    budget_is_counted(shm, item->level, item->slot)) {
		budget_set(shm, item->level, item->slot, &item->caps);
		return;
	}
	if (news->n == news->max && !grow(news)) {
		log_error("could not load a cap of spending: out of memory");
		return;
	}
	news->item[news->n++] = *item;
}

struct loading {
	struct budget_news *news;
	struct shm *shm;
	struct budget_time now;
};

static void
begin(struct loading *l, const struct budget_new *item,
    const struct budget_use *use)
{
	/* One that an attempt before this began has counted since. */
	if (budget_is_counted(l->shm, item->level, item->slot) ||
	    budget_begin(l->shm, item->level, item->slot, &l->now, use))
		budget_set(l->shm, item->level, item->slot, &item->caps);
	else if (!l->news->full_said) {
		log_error("there are more caps of spending than the segment "
		    "has room for, some don't hold; raise max_budgets and "
		    "start the service again");
		l->news->full_said = true;
	}
}

static bool
take(const struct db_rows *r, void *arg)
{
	struct loading *l = arg;
	struct budget_use use = {
		.nano = { db_get_int(r, 0, 1), db_get_int(r, 0, 2) },
		.total = { db_get_int(r, 0, 3),
		    (uint64_t)db_get_int(r, 0, 4) },
	};

	begin(l, &l->news->item[db_get_int(r, 0, 0)], &use);
	return true;
}

/* A key's all days; of the others this month's. */
static const char *const queries[] = {
	[LIMIT_KEY] = " JOIN youyun.api_key k ON k.id = x.id"
	    " LEFT JOIN youyun.usage_day u ON u.customer_id = k.customer_id"
	    " AND u.key_id = x.id",
	[LIMIT_ACCOUNT] = " LEFT JOIN youyun.usage_day u"
	    " ON u.customer_id = x.id AND u.day >= t.month",
	[LIMIT_GROUP] = " LEFT JOIN youyun.usage_day u"
	    " ON u.group_id = x.id AND u.day >= t.month",
	[LIMIT_CHANNEL] = " LEFT JOIN youyun.usage_day u"
	    " ON u.channel_id = x.id AND u.day >= t.month",
};

static enum db_result
load_level(struct loading *l, enum limit_level level, struct db *db,
    uint16_t node, int64_t *place, int64_t *id)
{
	/* By our own clock, as workers' days are. */
	struct db_param p[4] = { [2] = db_int(node),
		[3] = db_time(clock_wall().us) };
	char sql[1024];
	uint32_t n = 0;

	for (uint32_t i = 0; i < l->news->n; i++)
		if (l->news->item[i].level == level) {
			place[n] = i;
			id[n++] = l->news->item[i].id;
		}
	if (n == 0)
		return DB_OK;
	p[0] = db_int_array(place, n);
	p[1] = db_int_array(id, n);
	snprintf(sql, sizeof(sql), "SELECT x.place," SPENT_COLUMNS " FROM"
	    SPENT_DAYS("$4") " CROSS JOIN unnest($1::bigint[], $2::bigint[])"
	    "  AS x(place, id)%s AND u.node_id = $3 GROUP BY x.place",
	    queries[level]);
	return db_query_each(db, sql, p, 4, take, l);
}

enum db_result
budget_load(struct budget_news *news, struct shm *shm, struct db *db,
    uint16_t node)
{
	struct loading l = { news, shm, budget_time(clock_wall().us) };
	enum db_result result = DB_OK;
	int64_t *place, *id;

	if (news->n == 0)
		return DB_OK;
	place = calloc(news->n, sizeof(*place));
	id = calloc(news->n, sizeof(*id));
	if (place == NULL || id == NULL) {
		log_error("could not load caps of spending: out of memory");
		result = DB_ERROR;
	}
	for (int level = 0; level < LIMIT_LEVELS && result == DB_OK; level++)
		if (queries[level] != NULL)
			result = load_level(&l, (enum limit_level)level, db,
			    node, place, id);
	if (result == DB_OK)
		news->n = 0;
	free(place);
	free(id);
	return result;
}

void
budget_news_free(struct budget_news *news)
{
	free(news->item);
	memset(news, 0, sizeof(*news));
}
