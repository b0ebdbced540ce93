/* incident: what happened to customers' data, whom it affects, who was told. */
#include "admin/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/args.h"
#include "admin/check.h"
#include "admin/options.h"
#include "admin/page.h"
#include "admin/rows.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/csv.h"
#include "db/queries_agreement.h"

#define TEXT_MOST 2000
#define CSV_MAX_BYTES (UINT64_C(256) << 20)

#define INCIDENT_OPTIONS \
	{ "kind", "KIND", "disclosure, loss, alteration, outage, intrusion or " \
	  "other", false }, \
	{ "since", "TIME", "from when on it happened", false }, \
	{ "until", "TIME", "until when", false }, \
	{ "what", "TEXT", "what happened", false }, \
	{ "impact", "TEXT", "what it means for customers", false }, \
	{ "taken", "TEXT", "measures that were taken", false }, \
	{ "planned", "TEXT", "measures that are planned", false }, \
	{ "recommended", "TEXT", "what customers should do", false }

static const struct opt put_options[] = {
	INCIDENT_OPTIONS,
	{ NULL, NULL, NULL, false }
};

static const struct opt scope_options[] = {
	{ "key", "ID", "who called by this key; repeat it for more", true },
	{ "channel", "CHANNEL", "who called through this channel; repeat it "
	  "for more", true },
	{ "customer", "CUSTOMER", "this customer; repeat it for more", true },
	{ "calls", NULL, "whoever called at that time", false },
	{ NULL, NULL, NULL, false }
};

static const struct opt notify_options[] = {
	{ "again", NULL, "tell those again who were told", false },
	{ NULL, NULL, NULL, false }
};

static const struct opt list_options[] = {
	{ "open", NULL, "only those that are open", false },
	PAGE_OPTIONS,
	{ NULL, NULL, NULL, false }
};

static const struct opt register_options[] = {
	{ "csv", NULL, "as comma-separated values", false },
	{ NULL, NULL, NULL, false }
};

/* As q_incident_list() has them. */
static const struct report_column columns[] = {
	{ "id", "ID", REPORT_NUMBER, false },
	{ "kind", "KIND", REPORT_ID, false },
	{ "state", "STATE", REPORT_ID, false },
	{ "opened", "OPENED", REPORT_TIME, false },
	{ "opened_by", NULL, REPORT_TEXT, false },
	{ "since", "SINCE", REPORT_TIME, true },
	{ "until", "UNTIL", REPORT_TIME, true },
	{ "closed", NULL, REPORT_TIME, false },
	{ "affected", "AFFECTED", REPORT_NUMBER, false },
	{ "calls", NULL, REPORT_NUMBER, false },
	{ "told", "TOLD", REPORT_NUMBER, false },
	{ "first_told", NULL, REPORT_TIME, false },
	{ "last_told", NULL, REPORT_TIME, false },
	{ "mailed", "MAILED", REPORT_NUMBER, true },
	{ "mail_given_up", NULL, REPORT_NUMBER, false },
	{ "what", "WHAT", REPORT_TEXT, false },
	{ "impact", NULL, REPORT_TEXT, false },
	{ "taken", NULL, REPORT_TEXT, false },
	{ "planned", NULL, REPORT_TEXT, false },
	{ "recommended", NULL, REPORT_TEXT, false },
	{ "scope", NULL, REPORT_TEXT, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

/* The same, with a title for all. */
static const struct report_column members[] = {
	{ "id", "Number", REPORT_NUMBER, false },
	{ "kind", "Kind", REPORT_TEXT, false },
	{ "state", "State", REPORT_TEXT, false },
	{ "opened", "Opened", REPORT_TIME, false },
	{ "opened_by", "  by", REPORT_TEXT, false },
	{ "since", "Since", REPORT_TIME, false },
	{ "until", "Until", REPORT_TIME, false },
	{ "closed", "Closed", REPORT_TIME, false },
	{ "affected", "Customers affected", REPORT_NUMBER, false },
	{ "calls", "  by calls", REPORT_NUMBER, false },
	{ "told", "Customers told", REPORT_NUMBER, false },
	{ "first_told", "  first", REPORT_TIME, false },
	{ "last_told", "  last", REPORT_TIME, false },
	{ "mailed", "Mails sent", REPORT_NUMBER, false },
	{ "mail_given_up", "  given up", REPORT_NUMBER, false },
	{ "what", "What happened", REPORT_TEXT, false },
	{ "impact", "Impact", REPORT_TEXT, false },
	{ "taken", "Measures taken", REPORT_TEXT, false },
	{ "planned", "  planned", REPORT_TEXT, false },
	{ "recommended", "Recommended", REPORT_TEXT, false },
	{ "scope", "Scope", REPORT_TEXT, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

static const struct report_column delivery_columns[] = {
	{ "customer_id", NULL, REPORT_NUMBER, false },
	{ "customer", "CUSTOMER", REPORT_TEXT, false },
	{ "calls", "CALLS", REPORT_NUMBER, false },
	{ "told", "TOLD", REPORT_TIME, false },
	{ "by", "BY", REPORT_TEXT, false },
	{ "mail", "MAIL", REPORT_ID, false },
	{ "mail_at", "MAIL AT", REPORT_TIME, true },
	{ NULL, NULL, REPORT_TEXT, false }
};

static enum admin_exit
failed(struct admin *admin, enum db_result result, int64_t id,
    const char *doing)
{
	const char *state = result == DB_ERROR ? db_sqlstate(admin->db) : "";

	if (result == DB_NONE) {
		complain("there is no incident %lld", (long long)id);
		hint("\"youyunctl incident list\" shows them");
		return ADMIN_NOT_FOUND;
	}
	if (strcmp(state, "YY030") == 0) {
		complain("incident %lld is closed", (long long)id);
		return ADMIN_REFUSED;
	}
	if (strcmp(state, "YY031") == 0) {
		complain("incident %lld affects nobody so far", (long long)id);
		hint("\"youyunctl incident scope %lld\" finds whom it affects",
		    (long long)id);
		return ADMIN_REFUSED;
	}
	if (strcmp(state, "23514") == 0) {
		complain("--until can't be before --since");
		return ADMIN_USAGE;
	}
	return admin_database_failed(admin, result, doing);
}

static bool
take_incident(const struct args *args, struct incident *i)
{
	static const char *const kinds[] = { "disclosure", "loss",
		"alteration", "outage", "intrusion", "other", NULL };
	const struct {
		const char *name, **text;
	} texts[] = { { "what", &i->what }, { "impact", &i->impact },
		{ "taken", &i->taken }, { "planned", &i->planned },
		{ "recommended", &i->recommended } };

	for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
		if (option_lines(args, texts[k].name, TEXT_MOST,
		    texts[k].text) != ADMIN_OK)
			return false;
	return option_word(args, "kind", kinds, &i->kind) == ADMIN_OK &&
	    option_time(args, "since", &i->since_us) == ADMIN_OK &&
	    option_time(args, "until", &i->until_us) == ADMIN_OK;
}

static bool
take_number(const char *word, int64_t *id_r)
{
	if (check_number(word, id_r))
		return true;
	complain("\"%s\": an incident's number is wanted", word);
	return false;
}

struct putting {
	struct incident incident;
	int64_t number;
};

static enum db_result
put_body(struct db *db, void *arg)
{
	struct putting *p = arg;

	return q_incident_put(db, &p->incident, &p->number);
}

static enum admin_exit
run_put(struct admin *admin, const struct args *args, bool close)
{
	struct putting p = { .incident.close = close };
	struct incident *i = &p.incident;
	enum admin_exit status;
	enum db_result result;
	bool fresh = args->words == 0;

	if ((!fresh && !take_number(args->word[0], &i->id)) ||
	    !take_incident(args, i))
		return ADMIN_USAGE;
	if (fresh && (i->kind == NULL || i->what == NULL))
		return option_missing(i->kind == NULL ? "kind" : "what");
	if (!fresh && !close && args->options == 0) {
		complain("nothing to change was given");
		return ADMIN_USAGE;
	}
	status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	result = admin_change(admin, put_body, &p);
	if (result != DB_OK)
		return failed(admin, result, i->id, "write the incident down");
	done_print(admin, "id", p.number, "%s incident %lld", fresh ? "opened" :
	    close ? "closed" : "changed", (long long)p.number);
	return ADMIN_OK;
}

/* A new one, or what is known of one. */
static enum admin_exit
run_open(struct admin *admin, const struct args *args)
{
	return run_put(admin, args, false);
}

static enum admin_exit
run_close(struct admin *admin, const struct args *args)
{
	return run_put(admin, args, true);
}

struct scoping {
	int64_t id, affected;
	int64_t key[ARGS_MAX], channel[ARGS_MAX], customer[ARGS_MAX];
	struct incident_scope scope;
};

static enum admin_exit
take_scope(struct admin *admin, const struct args *args, struct scoping *s)
{
	enum admin_exit status = admin_database(admin);
	struct incident_scope *o = &s->scope;
	const char *text;

	*o = (struct incident_scope){ .keys = s->key,
		.channels = s->channel, .customers = s->customer };
	for (; status == ADMIN_OK && (text = args_nth(args, "key",
	    (int)o->n_keys)) != NULL; o->n_keys++)
		if (!check_number(text, &s->key[o->n_keys])) {
			complain("--key %s: a key's number is wanted", text);
			status = ADMIN_USAGE;
		}
	for (; status == ADMIN_OK && (text = args_nth(args, "channel",
	    (int)o->n_channels)) != NULL; o->n_channels++)
		status = admin_channel(admin, text,
		    &s->channel[o->n_channels]);
	for (; status == ADMIN_OK && (text = args_nth(args, "customer",
	    (int)o->n_customers)) != NULL; o->n_customers++)
		status = admin_customer(admin, text,
		    &s->customer[o->n_customers]);
	o->by_calls = o->n_keys + o->n_channels > 0 ||
	    args_has(args, "calls");
	return status;
}

static enum db_result
scope_body(struct db *db, void *arg)
{
	struct scoping *s = arg;

	return q_incident_scope(db, s->id, &s->scope, &s->affected);
}

static enum admin_exit
run_scope(struct admin *admin, const struct args *args)
{
	struct scoping *s;
	enum admin_exit status;
	enum db_result result;

	if (args->options == 0) {
		complain("nothing to find them by was given");
		hint("--key, --channel, --customer or --calls");
		return ADMIN_USAGE;
	}
	s = calloc(1, sizeof *s);
	if (s == NULL || !take_number(args->word[0], &s->id)) {
		free(s);
		return s == NULL ? ADMIN_FAILED : ADMIN_USAGE;
	}
	status = take_scope(admin, args, s);
	if (status == ADMIN_OK) {
		result = admin_change(admin, scope_body, s);
		if (result != DB_OK)
			status = failed(admin, result, s->id,
			    "find whom it affects");
		else
			done_print(admin, "affected", s->affected, "incident "
			    "%lld affects %lld customers", (long long)s->id,
			    (long long)s->affected);
	}
	free(s);
	return status;
}

struct telling {
	int64_t id, told;
	bool again;
};

static enum db_result
notify_body(struct db *db, void *arg)
{
	struct telling *t = arg;

	return q_incident_notify(db, t->id, t->again, &t->told);
}

static enum admin_exit
run_notify(struct admin *admin, const struct args *args)
{
	struct telling t = { .again = args_has(args, "again") };
	enum admin_exit status;
	enum db_result result;

	if (!take_number(args->word[0], &t.id))
		return ADMIN_USAGE;
	status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	result = admin_change(admin, notify_body, &t);
	if (result != DB_OK)
		return failed(admin, result, t.id, "tell the customers");
	done_print(admin, "told", t.told, "told %lld customers; \"youyunctl "
	    "incident show %lld\" shows what became of the mail",
	    (long long)t.told, (long long)t.id);
	return ADMIN_OK;
}

static enum admin_exit
read_page(struct admin *admin, struct page *page, void *arg)
{
	const bool *open_only = arg;
	struct db_rows *rows = NULL;
	int64_t after;
	enum admin_exit status = page_number(page, &after);

	return status != ADMIN_OK ? status : rows_page(admin, page,
	    q_incident_list(admin->db, 0, *open_only, after, PAGE_ASKED(page),
	    &rows), &rows, columns, "list the incidents");
}

static enum admin_exit
run_list(struct admin *admin, const struct args *args)
{
	static const struct page_list list = { .name = "incidents",
		.columns = columns, .empty = "There is no incident." };
	bool open_only = args_has(args, "open");
	struct page page;
	enum admin_exit status = page_take(args, &page);

	if (status == ADMIN_OK)
		status = admin_database(admin);
	return status != ADMIN_OK ? status :
	    page_print(admin, &page, &list, read_page, &open_only);
}

static enum admin_exit
run_show(struct admin *admin, const struct args *args)
{
	struct record *record;
	struct report *list;
	struct db_rows *rows = NULL, *told = NULL;
	enum admin_exit status;
	enum db_result result;
	int64_t id;

	if (!take_number(args->word[0], &id))
		return ADMIN_USAGE;
	status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	result = q_incident_list(admin->db, id, false, 0, 0, &rows);
	if (result == DB_OK && db_rows_count(rows) == 0) {
		db_rows_free(&rows);
		result = DB_NONE;
	}
	if (result == DB_OK)
		result = q_incident_deliveries(admin->db, id, &told);
	if (result != DB_OK) {
		db_rows_free(&rows);
		return failed(admin, result, id, "show the incident");
	}
	record = record_open();
	record_add_row(record, members, rows);
	list = report_list("customers", delivery_columns);
	report_add_rows(list, delivery_columns, told);
	db_rows_free(&rows);
	db_rows_free(&told);
	if (admin->json)
		record_list(record, &list);
	record_print(&record, admin);
	if (!admin->json) {
		putchar('\n');
		report_print(&list, admin, "It affects nobody so far.");
	}
	return ADMIN_OK;
}

static bool
csv_value(struct buf *out, const struct db_rows *rows, size_t i, int c)
{
	char at[WALL_TEXT_BYTES];

	if (db_null(rows, i, c))
		return true;
	switch (columns[c].kind) {
	case REPORT_NUMBER:
	case REPORT_MONEY:
	case REPORT_FLAG:
		return buf_printf(out, "%lld",
		    (long long)db_get_int(rows, i, c));
	case REPORT_TIME:
		wall_format((struct wall_time){ db_get_time(rows, i, c) }, at);
		return csv_cell(out, at);
	case REPORT_TEXT:
	case REPORT_ID:
		break;
	}
	return csv_cell(out, db_get_text(rows, i, c));
}

static bool
write_csv(struct buf *out, const struct db_rows *rows)
{
	bool ok = true;

	for (int c = 0; ok && columns[c].key != NULL; c++)
		ok = buf_printf(out, "%s%s", c > 0 ? "," : "",
		    columns[c].key);
	ok = ok && buf_printf(out, "\r\n");
	for (size_t i = 0; ok && i < db_rows_count(rows); i++) {
		for (int c = 0; ok && columns[c].key != NULL; c++)
			ok = (c == 0 || buf_printf(out, ",")) &&
			    csv_value(out, rows, i, c);
		ok = ok && buf_printf(out, "\r\n");
	}
	return ok;
}

/* For the authority: all of them, in full. */
static enum admin_exit
run_register(struct admin *admin, const struct args *args)
{
	enum admin_exit status = admin_database(admin);
	struct db_rows *rows = NULL;
	enum db_result result;
	struct buf out;
	bool ok;

	if (status != ADMIN_OK)
		return status;
	result = q_incident_list(admin->db, 0, false, 0, 0, &rows);
	if (result != DB_OK || !args_has(args, "csv")) {
		bool json = admin->json;

		admin->json = true;
		status = rows_print(admin, result, &rows, "incidents", columns,
		    "read the register", "");
		admin->json = json;
		return status;
	}
	buf_init(&out, CSV_MAX_BYTES);
	ok = write_csv(&out, rows);
	db_rows_free(&rows);
	if (ok)
		fwrite(buf_head(&out), 1, out.len, stdout);
	else
		complain("out of memory");
	buf_free(&out);
	return ok ? ADMIN_OK : ADMIN_FAILED;
}

const struct verb verbs_incident[] = {
	{ "incident", "open", "", 0, 0,
	  "write down that something happened to customers' data",
	  "incident open --kind disclosure --since 2h --what \"a key leaked\" "
	  "--recommended \"make new keys\"", put_options, run_open },
	{ "incident", "set", "ID", 1, 1,
	  "change what is known of it",
	  "incident set 3 --taken \"the key was revoked\"", put_options,
	  run_open },
	{ "incident", "scope", "ID", 1, 1,
	  "find whom it affects, by the calls of its time",
	  "incident scope 3 --channel main", scope_options, run_scope },
	{ "incident", "notify", "ID", 1, 1,
	  "tell them, by a notice and by mail",
	  "incident notify 3", notify_options, run_notify },
	{ "incident", "close", "ID", 1, 1,
	  "close it; it doesn't change any more",
	  "incident close 3 --taken \"all keys were replaced\"", put_options,
	  run_close },
	{ "incident", "list", "", 0, 0,
	  "list the incidents",
	  "incident list --open", list_options, run_list },
	{ "incident", "show", "ID", 1, 1,
	  "show one, and who was told when and by what mail",
	  "incident show 3", NULL, run_show },
	{ "incident", "register", "", 0, 0,
	  "print all of them in full, as JSON or CSV, for the authority",
	  "incident register --csv", register_options, run_register },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
