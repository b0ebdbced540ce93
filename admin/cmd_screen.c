/* screen: lists of words and patterns that calls are searched for. */
#include "admin/admin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/args.h"
#include "admin/check.h"
#include "admin/report.h"
#include "admin/text_file.h"
#include "base/text_match.h"
#include "conf/settings.h"
#include "db/queries.h"
#include "db/queries_bounds.h"
#include "shm/catalogue.h"

#define MISTAKES_SHOWN 20

static const char *const prefixes[TEXT_MATCH_KINDS] = {
	[TEXT_MATCH_WORD] = "", [TEXT_MATCH_TEXT] = "text:",
	[TEXT_MATCH_PATTERN] = "pattern:"
};

/*
 * set
 */
static const struct opt set_options[] = {
	{ "action", "flag|block", "what becomes of a call in which something "
	  "of the list is found; a new list flags", false },
	{ "answers", "yes|no", "whether answers are searched too", false },
	{ "group", "GROUP", "only calls of this group; may be repeated",
	  true },
	{ "all-groups", NULL, "calls of all groups, as at first", false },
	{ "disable", NULL, "search for it no more", false },
	{ "enable", NULL, "search for it again", false },
	{ NULL, NULL, NULL, false }
};

struct screen_change {
	const char *name;
	int64_t action, answers, status, id;
	const char *group[ARGS_MAX];
	int groups;
	bool sets_groups, no_group;
};

static enum db_result
set_body(struct db *db, void *arg)
{
	struct screen_change *c = arg;
	enum db_result result;

	result = q_screen_set(db, c->name, c->action, c->answers, c->status,
	    &c->id);
	if (result != DB_OK || !c->sets_groups)
		return result;
	result = q_screen_groups_set(db, c->id, c->group, (size_t)c->groups);
	c->no_group = result == DB_NONE;
	return result;
}

/* The place of the option's value in `words`, or -1; -2: it is none. */
static int64_t
one_of(const struct args *args, const char *option, const char *no,
    const char *yes)
{
	const char *text = args_get(args, option);

	if (text == NULL)
		return -1;
	if (strcmp(text, no) == 0)
		return 0;
	if (strcmp(text, yes) == 0)
		return 1;
	complain("--%s %s: allowed are %s and %s", option, text, no, yes);
	return -2;
}

static bool
take_change(const struct args *args, struct screen_change *c)
{
	const char *why = check_name(args->word[0]), *text;

	memset(c, 0, sizeof(*c));
	c->name = args->word[0];
	if (why != NULL) {
		complain("\"%s\": %s", c->name, why);
		return false;
	}
	c->action = one_of(args, "action", "flag", "block");
	c->answers = one_of(args, "answers", "no", "yes");
	if (c->action < -1 || c->answers < -1)
		return false;
	c->status = args_has(args, "disable") ? 1 :
	    args_has(args, "enable") ? 0 : -1;
	if (args_has(args, "disable") && args_has(args, "enable")) {
		complain("--disable and --enable contradict each other");
		return false;
	}
	for (; (text = args_nth(args, "group", c->groups)) != NULL;
	    c->groups++)
		c->group[c->groups] = text;
	c->sets_groups = c->groups > 0 || args_has(args, "all-groups");
	if (c->groups > 0 && args_has(args, "all-groups")) {
		complain("--group and --all-groups contradict each other");
		return false;
	}
	return true;
}

static enum admin_exit
run_set(struct admin *admin, const struct args *args)
{
	enum admin_exit status;
	enum db_result result;
	struct screen_change c;
	struct record *record;

	if (!take_change(args, &c))
		return ADMIN_USAGE;
	status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	result = admin_change(admin, set_body, &c);
	if (c.no_group) {
		complain("one of the groups doesn't exist");
		hint("\"youyunctl group list\" shows them");
		return ADMIN_NOT_FOUND;
	}
	if (result == DB_ERROR && strcmp(db_sqlstate(admin->db), "YY010") ==
	    0) {
		complain("%d lists are active already",
		    CATALOGUE_SCREENS);
		hint("disable one, or put its entries into another");
		return ADMIN_REFUSED;
	}
	if (result != DB_OK)
		return admin_database_failed(admin, result, "set the list");
	if (admin->json) {
		record = record_open();
		record_number(record, "id", NULL, c.id);
		record_text(record, "name", NULL, c.name);
		record_print(&record, admin);
	}
	say(admin, "list %s is set; \"youyunctl screen list\" shows it",
	    c.name);
	return ADMIN_OK;
}

/*
 * list, export
 */
static const struct report_column columns[] = {
	{ "id", "ID", REPORT_NUMBER, false },
	{ "name", "LIST", REPORT_TEXT, false },
	{ "action", "ACTION", REPORT_TEXT, false },
	{ "answers", "ANSWERS", REPORT_FLAG, false },
	{ "groups", "GROUPS", REPORT_TEXT, false },
	{ "entries", "ENTRIES", REPORT_NUMBER, false },
	{ "status", "STATUS", REPORT_TEXT, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

static bool
list_row(const struct screen_row *row, void *arg)
{
	struct report *report = arg;

	report_number(report, row->id);
	report_text(report, row->name);
	report_text(report, row->action == SCREEN_BLOCK ? "block" : "flag");
	report_flag(report, row->answers);
	report_text(report, row->groups[0] != '\0' ? row->groups : "all");
	report_number(report, row->entries);
	report_text(report, row->status == 0 ? "active" : "disabled");
	return true;
}

static enum admin_exit
run_list(struct admin *admin, const struct args *args)
{
	struct report *report;
	enum admin_exit status;

	(void)args;
	status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	report = report_list("lists", columns);
	status = admin_database_failed(admin, q_screen_each(admin->db,
	    list_row, report), "list the lists");
	if (status == ADMIN_OK)
		report_print(&report, admin, "Calls are not screened.");
	else
		report_discard(&report);
	return status;
}

static bool
print_entry(const struct screen_entry_row *row, void *arg)
{
	uint64_t *n = arg;

	++*n;
	return printf("%s%s%s\n", prefixes[row->kind % TEXT_MATCH_KINDS],
	    row->kind == TEXT_MATCH_WORD ? "" : " ", row->text) > 0;
}

struct find_list {
	const char *name;
	int64_t id;
};

static bool
find_row(const struct screen_row *row, void *arg)
{
	struct find_list *find = arg;

	if (strcmp(row->name, find->name) == 0)
		find->id = row->id;
	return true;
}

static enum admin_exit
find_list(struct admin *admin, const char *name, int64_t *id_r)
{
	struct find_list find = { name, 0 };
	enum admin_exit status;

	status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_database_failed(admin, q_screen_each(admin->db,
		    find_row, &find), "look for the list");
	if (status == ADMIN_OK && find.id == 0) {
		complain("there is no list \"%s\"", name);
		hint("\"youyunctl screen list\" shows them; \"screen set\" "
		    "makes one");
		status = ADMIN_NOT_FOUND;
	}
	*id_r = find.id;
	return status;
}

static enum admin_exit
run_export(struct admin *admin, const struct args *args)
{
	enum admin_exit status;
	uint64_t n = 0;
	int64_t id;

	status = find_list(admin, args->word[0], &id);
	if (status != ADMIN_OK)
		return status;
	return admin_database_failed(admin, q_screen_entry_each(admin->db,
	    args->word[0], print_entry, &n), "read the list");
}

/*
 * import
 */
struct import {
	const char *name, *file;
	int64_t id, without;		/* the list, if it isn't wanted */
	char *text;
	/* The file's, then those of the database. */
	struct text_match_entry *entry;
	int64_t *kind;
	const char **word;
	char **kept;			/* texts of the latter */
	size_t n, room, own;
	unsigned mistakes;
	bool no_memory;
};

static void
mistake(struct import *im, unsigned line, const char *why)
{
	if (im->mistakes++ < MISTAKES_SHOWN)
		complain("%s:%u: it %s", im->file, line, why);
}

static bool
grow(struct import *im)
{
	size_t room = im->room == 0 ? 1024 : im->room * 2;
	void *entry, *kept;

	if (im->n < im->room)
		return true;
	entry = realloc(im->entry, room * sizeof(*im->entry));
	if (entry != NULL)
		im->entry = entry;
	kept = realloc(im->kept, room * sizeof(*im->kept));
	if (kept != NULL)
		im->kept = kept;
	if (entry == NULL || kept == NULL) {
		im->no_memory = true;
		return false;
	}
	im->room = room;
	return true;
}

static void
take_line(struct import *im, unsigned line, char *p)
{
	struct text_match_entry *e;
	enum text_match_result result;
	size_t len;
	int kind;

	p += strspn(p, " \t");
	len = strlen(p);
	while (len > 0 && strchr(" \t\r", p[len - 1]) != NULL)
		p[--len] = '\0';
	if (len == 0 || p[0] == '#' || !grow(im))
		return;
	for (kind = TEXT_MATCH_KINDS - 1; kind > TEXT_MATCH_WORD; kind--)
		if (strncmp(p, prefixes[kind], strlen(prefixes[kind])) == 0)
			break;
	p += strlen(prefixes[kind]);
	p += strspn(p, " \t");
	e = &im->entry[im->n];
	*e = (struct text_match_entry){ p, (uint8_t)kind, 0 };
	result = text_match_check(e);
	if (result != TEXT_MATCH_OK) {
		mistake(im, line, text_match_explain(result));
		return;
	}
	im->kept[im->n++] = NULL;
}

static void
take_lines(struct import *im)
{
	unsigned line = 1;
	char *p = im->text, *end;

	for (; p != NULL; p = end, line++) {
		end = strchr(p, '\n');
		if (end != NULL)
			*end++ = '\0';
		take_line(im, line, p);
	}
	im->own = im->n;
}

static bool
keep_entry(const struct screen_entry_row *row, void *arg)
{
	struct import *im = arg;
	char *text;

	if (row->list_id == im->without)
		return true;
	text = strdup(row->text);
	if (text == NULL || !grow(im)) {
		free(text);
		im->no_memory = true;
		return false;
	}
	im->kept[im->n] = text;
	im->entry[im->n++] = (struct text_match_entry){ text,
		(uint8_t)row->kind, 1 };
	return true;
}

/* name NULL: of all active lists. */
static enum admin_exit
keep_entries(struct admin *admin, struct import *im, const char *name)
{
	enum admin_exit status = admin_database_failed(admin,
	    q_screen_entry_each(admin->db, name, keep_entry, im),
	    "read the lists");

	if (status != ADMIN_OK || !im->no_memory)
		return status;
	complain("there is no memory for the lists");
	return ADMIN_FAILED;
}

static void
import_free(struct import *im)
{
	for (size_t i = 0; i < im->n; i++)
		free(im->kept[i]);
	free(im->kept);
	free(im->entry);
	free(im->kind);
	free(im->word);
	free(im->text);
}

/* The list, and the file as it is. */
static enum admin_exit
import_open(struct admin *admin, const struct args *args, struct import *im)
{
	enum admin_exit status;

	memset(im, 0, sizeof(*im));
	im->name = args->word[0];
	im->file = args->word[1];
	status = find_list(admin, im->name, &im->id);
	if (status == ADMIN_OK && (im->text = text_file_read(im->file)) ==
	    NULL)
		status = ADMIN_FAILED;
	return status;
}

/* With the other lists, which it must be built together with. */
static enum admin_exit
try_build(struct admin *admin, struct import *im)
{
	uint64_t room = admin->settings->catalogue_bytes;
	enum text_match_result result;
	enum admin_exit status;
	size_t bytes, bad;
	void *block;

	im->without = im->id;
	status = keep_entries(admin, im, NULL);
	if (status != ADMIN_OK)
		return status;
	result = text_match_build(im->entry, im->n, &block, &bytes, &bad);
	if (result != TEXT_MATCH_OK) {
		complain("%s: \"%s\" %s", im->file, bad < im->n ?
		    im->entry[bad].text : "the whole",
		    text_match_explain(result));
		hint("nothing was changed");
		return ADMIN_REFUSED;
	}
	free(block);
	if (bytes < room / 2)
		return ADMIN_OK;
	complain("all lists together take %zu bytes of the %" PRIu64 " that "
	    "catalogue_bytes leaves to them and everything else", bytes,
	    room);
	hint("raise catalogue_bytes and restart the service first; nothing "
	    "was changed");
	return ADMIN_REFUSED;
}

static enum db_result
import_body(struct db *db, void *arg)
{
	struct import *im = arg;

	return q_screen_entries_set(db, im->name, im->kind, im->word,
	    im->own);
}

static enum admin_exit
import(struct admin *admin, struct import *im)
{
	enum admin_exit status;
	enum db_result result;

	take_lines(im);
	if (im->mistakes > MISTAKES_SHOWN)
		complain("%s: %u more mistakes", im->file,
		    im->mistakes - MISTAKES_SHOWN);
	if (im->mistakes > 0) {
		hint("nothing was changed");
		return ADMIN_USAGE;
	}
	status = try_build(admin, im);
	if (status != ADMIN_OK)
		return status;
	im->kind = calloc(im->own + 1, sizeof(*im->kind));
	im->word = calloc(im->own + 1, sizeof(*im->word));
	if (im->kind == NULL || im->word == NULL) {
		complain("there is no memory for the list");
		return ADMIN_FAILED;
	}
	for (size_t i = 0; i < im->own; i++) {
		im->kind[i] = im->entry[i].kind;
		im->word[i] = im->entry[i].text;
	}
	result = admin_change(admin, import_body, im);
	if (result != DB_OK)
		return admin_database_failed(admin, result,
		    "import the list");
	say(admin, "list %s has %zu entries", im->name, im->own);
	return ADMIN_OK;
}

static enum admin_exit
run_import(struct admin *admin, const struct args *args)
{
	struct import im;
	enum admin_exit status = import_open(admin, args, &im);

	if (status == ADMIN_OK)
		status = import(admin, &im);
	import_free(&im);
	return status;
}

/*
 * test
 */
/* Which of n entries are in the text: by halves, for most are not. */
static enum admin_exit
search(struct admin *admin, const struct import *im,
    const struct text_match_entry *entry, size_t n, int64_t *found)
{
	enum text_match_result result;
	enum admin_exit status;
	struct text_search s = { .found = 0 };
	struct text_match match;
	size_t bytes, bad;
	void *block;

	result = text_match_build(entry, n, &block, &bytes, &bad);
	if (result == TEXT_MATCH_OK) {
		if (text_match_open(block, bytes, &match)) {
			text_search_begin(&s);
			text_search_feed(&match, &s, im->text,
			    strlen(im->text));
			text_search_break(&match, &s);
		}
		free(block);
		if (s.found == 0)
			return ADMIN_OK;
	} else if (n <= 1) {
		complain("an entry %s", text_match_explain(result));
		return ADMIN_FAILED;
	}
	if (n == 1) {
		++*found;
		say(admin, "found: %s%s%s", prefixes[entry->kind],
		    entry->kind == TEXT_MATCH_WORD ? "" : " ", entry->text);
		return ADMIN_OK;
	}
	status = search(admin, im, entry, n / 2, found);
	return status == ADMIN_OK ? search(admin, im, entry + n / 2,
	    n - n / 2, found) : status;
}

static enum admin_exit
run_test(struct admin *admin, const struct args *args)
{
	struct import im;
	struct record *record;
	enum admin_exit status = import_open(admin, args, &im);
	int64_t found = 0;

	if (status == ADMIN_OK)
		status = keep_entries(admin, &im, im.name);
	if (status == ADMIN_OK)
		status = search(admin, &im, im.entry, im.n, &found);
	import_free(&im);
	if (status != ADMIN_OK)
		return status;
	if (admin->json) {
		record = record_open();
		record_number(record, "found", NULL, found);
		record_print(&record, admin);
	}
	if (found == 0)
		say(admin, "nothing of the list is in it");
	return found == 0 ? ADMIN_OK : ADMIN_REFUSED;
}

const struct verb verbs_screen[] = {
	{ "screen", "set", "NAME", 1, 1,
	  "make a list to screen calls for, or change it",
	  "screen set weapons --action block --answers yes --group public",
	  set_options, run_set },
	{ "screen", "list", "", 0, 0,
	  "list the lists",
	  "screen list", NULL, run_list },
	{ "screen", "import", "NAME FILE", 2, 2,
	  "replace a list's entries by those of a file, one a line",
	  "screen import weapons weapons.txt", NULL, run_import },
	{ "screen", "export", "NAME", 1, 1,
	  "print a list's entries, as import reads them",
	  "screen export weapons", NULL, run_export },
	{ "screen", "test", "NAME FILE", 2, 2,
	  "say what of a list is in a text; exit status 4 if something is",
	  "screen test weapons mail.txt", NULL, run_test },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
