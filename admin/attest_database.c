#include "admin/attest_database.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/attest_files.h"
#include "base/bytes.h"
#include "conf/embedded.h"
#include "conf/settings.h"
#include "db/queries_attest.h"
#include "db/transaction.h"

#define CONNECT_TIMEOUT_S 5
#define PIECES (CANARIES * CANARY_FORMS * 2)
#define COLUMNS_MAX 1024
#define NAME_BYTES 140

static struct db *
connect_to(const char *conninfo)
{
	struct db *db = db_open(conninfo);

	if (db == NULL) {
		complain("out of memory");
	} else if (db_connect(db, CONNECT_TIMEOUT_S) != DB_OK) {
		complain("the database can't be reached: %s",
		    db_message(db));
		db_close(&db);
	}
	return db;
}

static bool
failed(const struct db *db, const char *doing)
{
	complain("cannot %s: %s", doing, db_message(db));
	return false;
}

static enum db_result
begin_body(struct db *db, void *arg)
{
	struct attest_database *d = arg;

	return q_attest_transaction(db, &d->since);
}

bool
attest_database_open(struct admin *admin, struct attest_database *d)
{
	char conninfo[EMBEDDED_TEXT_BYTES];

	memset(d, 0, sizeof(*d));
	if (!database_conninfo(admin->settings, DB_ROLE_OWNER, "youyunctl",
	    conninfo, sizeof(conninfo))) {
		complain("the setting database is too long");
		return false;
	}
	d->owner = connect_to(conninfo);
	bytes_scrub(conninfo, sizeof(conninfo));
	if (d->owner == NULL)
		return false;
	if (database_is_embedded(admin->settings)) {
		if (!embedded_bootstrap_conninfo(admin->settings, "postgres",
		    conninfo, sizeof(conninfo)))
			return false;
		d->super = connect_to(conninfo);
		if (d->super == NULL)
			return false;
	}
	switch (q_attest_lock(d->owner)) {
	case DB_OK:
		break;
	case DB_CONFLICT:
		complain("attest is being run already");
		return false;
	default:
		return failed(d->owner, "lock the database");
	}
	return db_transaction(d->owner, DB_READ_COMMITTED, begin_body, d) ==
	    DB_OK || failed(d->owner, "begin a transaction");
}

struct plant {
	const char *text;
	char bytes[CANARY_FORM_BYTES];
	size_t len;
};

static enum db_result
plant_body(struct db *db, void *arg)
{
	const struct plant *p = arg;

	return q_attest_plant(db, p->text, p->bytes, p->len);
}

static enum db_result
unplant_body(struct db *db, void *arg)
{
	(void)arg;
	return q_attest_unplant(db);
}

bool
attest_database_plant(struct attest_database *d, const char *text)
{
	struct plant plant = { .text = text };

	plant.len = canary_form(text, FORM_UTF16LE, plant.bytes);
	/* If the answer is lost it may be there all the same. */
	d->planted = true;
	return db_transaction(d->owner, DB_READ_COMMITTED, plant_body,
	    &plant) == DB_OK || failed(d->owner, "make the control table");
}

/* Copies: the connection is needed while the columns are gone through. */
struct columns {
	size_t n;
	struct {
		char table[NAME_BYTES], column[NAME_BYTES];
		bool is_bytes;
	} at[COLUMNS_MAX];
};

static bool
keep_column(const struct attest_column_row *row, void *arg)
{
	struct columns *c = arg;

	if (c->n == COLUMNS_MAX)
		return false;
	snprintf(c->at[c->n].table, NAME_BYTES, "%s", row->table);
	snprintf(c->at[c->n].column, NAME_BYTES, "%s", row->column);
	c->at[c->n++].is_bytes = row->is_bytes;
	return true;
}

/* What is searched for: in text as it is, in bytes by their hex digits. */
struct texts {
	const char *text[PIECES];
	int canary[PIECES];
	enum canary_form form[PIECES];
	size_t n;
	char room[PIECES][2 * CANARY_FORM_BYTES + 1];
	struct scan *scan;
};

static void
make_texts(struct texts *t, struct scan *scan, bool bytes)
{
	t->n = 0;
	t->scan = scan;
	for (int i = 0; i < PIECES; i++) {
		int canary = i / 2 / CANARY_FORMS;
		enum canary_form form =
		    (enum canary_form)(i / 2 % CANARY_FORMS);
		struct span p = search_piece(scan->search, canary, form,
		    i % 2);

		/* Text can't have zeros. */
		if (!bytes && (form == FORM_UTF16LE || form == FORM_UTF16BE))
			continue;
		if (bytes)
			hex_encode(p.p, p.len, t->room[t->n]);
		else
			snprintf(t->room[t->n], sizeof(t->room[0]), "%.*s",
			    (int)p.len, p.p);
		t->canary[t->n] = canary;
		t->form[t->n] = form;
		t->text[t->n] = t->room[t->n];
		t->n++;
	}
}

static bool
note_text(int64_t index, void *arg)
{
	struct texts *t = arg;

	if (index >= 0 && (size_t)index < t->n)
		scan_found(t->scan, t->canary[index], t->form[index]);
	return true;
}

static bool
search_columns(struct attest_database *d, const struct columns *c,
    struct texts *texts, struct texts *bytes)
{
	for (size_t i = 0; i < c->n; i++) {
		struct attest_column_row row = { c->at[i].table,
			c->at[i].column, c->at[i].is_bytes };
		struct texts *t = row.is_bytes ? bytes : texts;

		if (t->scan->stopped != NULL && t->scan->stopped())
			return false;
		scan_target(t->scan, AREA_DATABASE, "%s.%s", row.table,
		    row.column);
		if (q_attest_search(d->owner, &row, d->since, t->text, t->n,
		    note_text, t) != DB_OK)
			return failed(d->owner, "search the database");
	}
	return true;
}

static bool
scan_columns(struct attest_database *d, struct scan *scan)
{
	struct columns *c = calloc(1, sizeof(*c));
	struct texts *texts = calloc(2, sizeof(*texts));
	bool ok = c != NULL && texts != NULL;

	if (!ok) {
		complain("out of memory");
	} else if (q_attest_column_each(d->owner, keep_column, c) != DB_OK) {
		ok = failed(d->owner, "list the columns");
	} else {
		make_texts(&texts[0], scan, false);
		make_texts(&texts[1], scan, true);
		ok = search_columns(d, c, &texts[0], &texts[1]);
	}
	free(c);
	free(texts);
	return ok;
}

bool
attest_database_scan(struct admin *admin, struct attest_database *d,
    struct scan *scan, int64_t since_s)
{
	char path[EMBEDDED_TEXT_BYTES];

	if (!scan_columns(d, scan))
		return false;
	if (d->super == NULL)
		return true;
	if (q_checkpoint(d->super) != DB_OK)
		return failed(d->super, "write the database to its files");
	if (!embedded_data_dir(admin->settings, path, sizeof(path)))
		return false;
	files_scan(scan, AREA_CLUSTER, path, since_s, NULL);
	return true;
}

void
attest_database_close(struct attest_database *d)
{
	if (d->planted && db_transaction(d->owner, DB_READ_COMMITTED,
	    unplant_body, NULL) != DB_OK)
		(void)failed(d->owner, "remove the control table");
	db_close(&d->owner);
	db_close(&d->super);
}
