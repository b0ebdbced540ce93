#include "flusher/screen_load.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text_match.h"
#include "db/value.h"
#include "shm/catalogue.h"

static_assert(CATALOGUE_SCREENS == TEXT_MATCH_LISTS, "a bit for each list");

static enum db_result
load_lists(struct db *db, struct catalogue *c)
{
	struct db_rows *rows;
	enum db_result result;

	/* The edition is of all lists: which are active gives them their
	 * bits. */
	result = db_query(db, "SELECT l.id, l.action, l.answers,"
	    " (SELECT max(edition) FROM youyun.screen_list)"
	    " FROM youyun.screen_list l WHERE l.status = 0"
	    " ORDER BY l.id LIMIT 64", NULL, 0, &rows);
	if (result != DB_OK)
		return result;
	c->screens = (uint32_t)db_rows_count(rows);
	c->screen = calloc(CATALOGUE_SCREENS, sizeof(*c->screen));
	for (uint32_t i = 0; c->screen != NULL && i < c->screens; i++) {
		c->screen[i].list_id = (uint32_t)db_get_int(rows, i, 0);
		c->screen[i].action = (uint16_t)db_get_int(rows, i, 1);
		c->screen[i].answers = db_get_bool(rows, i, 2);
		c->screen_edition = (uint64_t)db_get_int(rows, i, 3);
	}
	db_rows_free(&rows);
	return c->screen == NULL ? DB_ERROR : DB_OK;
}

static uint32_t
place_of(const struct catalogue *c, int64_t list_id)
{
	uint32_t i;

	for (i = 0; i < c->screens && c->screen[i].list_id != list_id; i++)
		;
	return i;
}

static enum db_result
load_groups(struct db *db, struct catalogue *c)
{
	uint64_t for_some = 0, bit;
	struct db_rows *rows;
	enum db_result result;
	size_t i;
	uint32_t g, at;

	result = db_query(db, "SELECT list_id, group_id"
	    " FROM youyun.screen_group", NULL, 0, &rows);
	if (result != DB_OK)
		return result;
	for (i = 0; i < db_rows_count(rows); i++) {
		at = place_of(c, db_get_int(rows, i, 0));
		if (at == c->screens)
			continue;
		bit = UINT64_C(1) << at;
		for_some |= bit;
		for (g = 0; g < c->groups; g++)
			if (c->group[g].group_id ==
			    (uint64_t)db_get_int(rows, i, 1))
				c->group[g].screens |= bit;
	}
	db_rows_free(&rows);
	for (at = 0; at < c->screens; at++)
		for (g = 0; g < c->groups; g++)
			if ((for_some >> at & 1) == 0)
				c->group[g].screens |= UINT64_C(1) << at;
	return DB_OK;
}

static enum db_result
build(const struct db_rows *rows, struct catalogue *c)
{
	size_t n = db_rows_count(rows), bytes, bad, used = 0;
	void *block;
	struct text_match_entry *entry = calloc(n + 1, sizeof(*entry));
	enum text_match_result result;
	uint32_t at;

	if (entry == NULL)
		return DB_ERROR;
	for (size_t i = 0; i < n; i++) {
		at = place_of(c, db_get_int(rows, i, 0));
		if (at == c->screens)
			continue;
		entry[used].list = (uint8_t)at;
		entry[used].kind = (uint8_t)db_get_int(rows, i, 1);
		entry[used++].text = db_get_text(rows, i, 2);
	}
	result = text_match_build(entry, used, &block, &bytes, &bad);
	free(entry);
	if (result != TEXT_MATCH_OK) {
		log_error("the lists to screen for can't be built, the former "
		    "ones stay: an entry %s; hint=youyunctl screen list",
		    text_match_explain(result));
		return DB_CONFLICT;
	}
	/* What is too large for 32 bits fits no bank either. */
	c->screen_block = block;
	c->screen_bytes = bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
	return DB_OK;
}

static bool
keep_block(const struct catalogue *former, struct catalogue *c)
{
	c->screen_block = malloc(former->screen_bytes + 1);
	if (c->screen_block == NULL)
		return false;
	if (former->screen_bytes > 0)
		memcpy(c->screen_block, former->screen_block,
		    former->screen_bytes);
	c->screen_bytes = former->screen_bytes;
	c->screen_edition = former->screen_edition;
	return true;
}

static enum db_result
load_block(struct db *db, const struct catalogue *former, struct catalogue *c)
{
	struct db_rows *rows;
	enum db_result result;

	if (former->screen_edition == c->screen_edition)
		return keep_block(former, c) ? DB_OK : DB_ERROR;
	result = db_query(db, "SELECT e.list_id, e.kind, e.text"
	    " FROM youyun.screen_entry e JOIN youyun.screen_list l"
	    "  ON l.id = e.list_id WHERE l.status = 0", NULL, 0, &rows);
	if (result != DB_OK)
		return result;
	result = build(rows, c);
	db_rows_free(&rows);
	if (result != DB_CONFLICT)
		return result;
	/* The bits of the former block are those of the former lists. */
	c->screens = former->screens;
	if (former->screens > 0)
		memcpy(c->screen, former->screen,
		    former->screens * sizeof(*c->screen));
	return keep_block(former, c) ? DB_OK : DB_ERROR;
}

static enum db_result
load_moderation(struct db *db, struct catalogue *c)
{
	struct catalogue_moderation *m;
	struct db_rows *rows;
	enum db_result result;

	result = db_query(db, "SELECT coalesce(group_id, 0), channel_id, model,"
	    " action, closed, timeout_ms FROM youyun.moderation", NULL, 0,
	    &rows);
	if (result != DB_OK)
		return result;
	c->moderations = (uint32_t)db_rows_count(rows);
	c->moderation = calloc(c->moderations + 1, sizeof(*c->moderation));
	for (uint32_t i = 0; c->moderation != NULL && i < c->moderations;
	    i++) {
		m = &c->moderation[i];
		m->group_id = (uint64_t)db_get_int(rows, i, 0);
		/* A channel that must not receive anything isn't there. */
		m->channel = CATALOGUE_NO_CHANNEL;
		for (uint32_t k = 0; k < c->channels; k++)
			if (c->channel[k].channel_id ==
			    (uint64_t)db_get_int(rows, i, 1))
				m->channel = k;
		/* The table's CHECK says that it fits. */
		strncpy(m->model, db_get_text(rows, i, 2),
		    sizeof(m->model) - 1);
		m->action = (uint16_t)db_get_int(rows, i, 3);
		m->closed = db_get_bool(rows, i, 4);
		m->timeout_ms = (uint32_t)db_get_int(rows, i, 5);
	}
	db_rows_free(&rows);
	return c->moderation == NULL ? DB_ERROR : DB_OK;
}

enum db_result
screen_load(struct db *db, const struct catalogue *former,
    struct catalogue *c)
{
	enum db_result result;

	result = load_lists(db, c);
	if (result == DB_OK)
		result = load_block(db, former, c);
	if (result == DB_OK)
		result = load_groups(db, c);
	return result == DB_OK ? load_moderation(db, c) : result;
}
