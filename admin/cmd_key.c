/*
 * key: what customers call with.  A key exists in full once, on the terminal
 * of whoever made it; what is kept is its HMAC.
 */
#include "admin/admin.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "admin/args.h"
#include "admin/check.h"
#include "admin/key.h"
#include "admin/page.h"
#include "admin/report.h"
#include "admin/words.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/secret.h"
#include "db/queries.h"
#include "shm/directory.h"

#define OVERLAP_MAX_S (366 * 86400)

static const struct opt add_options[] = {
	{ "name", "NAME", "what the customer calls the key", false },
	{ "expires", "TIME", "refuse it from then on: 2027-01-31, or 90d for "
	  "in ninety days", false },
	{ "scope", "SCOPE", "calls, or account: for the customer's own API, "
	  "too", false },
	{ NULL, NULL, NULL, false }
};

struct key_new {
	int64_t customer_id;
	const char *name;
	uint8_t digest[KEY_DIGEST_BYTES];
	char hint[API_KEY_HINT_BYTES];
	int64_t expires_us;
	enum key_scope scope;
	int64_t id;
};

static enum db_result
add_body(struct db *db, void *arg)
{
	struct key_new *k = arg;

	return q_key_add(db, k->customer_id, k->name, k->digest, k->hint,
	    k->expires_us, k->scope, &k->id);
}

static enum admin_exit
check_new(const struct args *args, struct key_new *k)
{
	const char *why, *expires, *scope;

	k->name = args_has(args, "name") ? args_get(args, "name") : "";
	why = k->name[0] != '\0' ? check_name(k->name) : NULL;
	if (why != NULL) {
		complain("--name: %s", why);
		return ADMIN_USAGE;
	}
	scope = args_get(args, "scope");
	if (scope != NULL && strcmp(scope, "account") == 0) {
		k->scope = KEY_SCOPE_ACCOUNT;
	} else if (scope != NULL && strcmp(scope, "calls") != 0) {
		complain("--scope %s: allowed are calls and account", scope);
		return ADMIN_USAGE;
	}
	expires = args_get(args, "expires");
	if (expires == NULL)
		return ADMIN_OK;
	if (!check_time_ahead(expires, &k->expires_us)) {
		complain("--expires %s: allowed are " CHECK_TIME_ALLOWED,
		    expires);
		return ADMIN_USAGE;
	}
	if (k->expires_us <= clock_wall().us) {
		complain("--expires %s is in the past", expires);
		return ADMIN_USAGE;
	}
	return ADMIN_OK;
}

static void
print_new(const struct admin *admin, const struct key_new *k, const char *key,
    const char *customer)
{
	struct record *record;

	if (admin->json) {
		record = record_open();
		record_number(record, "id", NULL, k->id);
		if (k->customer_id != 0)
			record_number(record, "customer_id", NULL,
			    k->customer_id);
		record_text(record, "key", NULL, key);
		record_text(record, "hint", NULL, k->hint);
		record_time(record, "expires", NULL, k->expires_us);
		record_print(&record, admin);
		return;
	}
	printf("%s\n", key);
	say(admin, "This is key %lld of %s.  It won't be shown again.",
	    (long long)k->id, customer);
}

/* A new key's text, to be scrubbed; k gets its digest and looks. */
static enum admin_exit
make_key(struct admin *admin, struct key_new *k, char key[API_KEY_LEN + 1])
{
	struct key_hasher *hasher;
	enum admin_exit status = admin_hasher(admin, &hasher);

	if (status != ADMIN_OK)
		return status;
	api_key_make(key);
	api_key_hint(key, k->hint);
	key_hasher_digest(hasher, key, API_KEY_LEN, k->digest);
	key_hasher_close(&hasher);
	return ADMIN_OK;
}

static enum admin_exit
run_add(struct admin *admin, const struct args *args)
{
	char key[API_KEY_LEN + 1];
	struct key_new k;
	enum admin_exit status;
	enum db_result result;

	memset(&k, 0, sizeof k);
	status = check_new(args, &k);
	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_customer(admin, args->word[0], &k.customer_id);
	if (status == ADMIN_OK)
		status = make_key(admin, &k, key);
	if (status != ADMIN_OK)
		return status;
	result = admin_change(admin, add_body, &k);
	if (result == DB_OK)
		print_new(admin, &k, key, args->word[0]);
	else
		status = admin_database_failed(admin, result, "add the key");
	bytes_scrub(key, sizeof key);
	return status;
}

static const struct report_column columns[] = {
	{ "id", "KEY", REPORT_NUMBER, false },
	{ "hint", "LOOKS LIKE", REPORT_TEXT, false },
	{ "name", "NAME", REPORT_TEXT, false },
	{ "customer_id", NULL, REPORT_NUMBER, false },
	{ "customer", "CUSTOMER", REPORT_TEXT, false },
	{ "status", "STATUS", REPORT_TEXT, false },
	{ "scope", "SCOPE", REPORT_TEXT, true },
	{ "created", "CREATED", REPORT_TIME, false },
	{ "expires", "EXPIRES", REPORT_TIME, false },
	{ "revoked", NULL, REPORT_TIME, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

static bool
list_row(const struct key_row *row, void *arg)
{
	struct report *report = page_row(arg, "%" PRId64, row->id);

	if (report == NULL)
		return false;

	report_number(report, row->id);
	report_text(report, row->hint);
	report_text(report, row->name);
	report_number(report, row->customer_id);
	report_text(report, row->customer);
	report_text(report, key_status_name(row->status));
	report_text(report, row->scope == KEY_SCOPE_ACCOUNT ? "account" :
	    "calls");
	report_time(report, row->created_us);
	report_time(report, row->expires_us);
	report_time(report, row->revoked_us);
	return true;
}

static const struct opt list_options[] = {
	PAGE_OPTIONS,
	{ NULL, NULL, NULL, false }
};

static enum admin_exit
read_page(struct admin *admin, struct page *page, void *arg)
{
	const int64_t *customer_id = arg;
	int64_t after;
	enum admin_exit status = page_number(page, &after);

	return status != ADMIN_OK ? status : admin_database_failed(admin,
	    q_key_list(admin->db, *customer_id, after, PAGE_ASKED(page),
	    list_row, page), "list the keys");
}

static enum admin_exit
run_list(struct admin *admin, const struct args *args)
{
	static const struct page_list list = { .name = "keys",
		.columns = columns, .empty = "There is no key; "
		"\"youyunctl key add CUSTOMER\" adds one." };
	struct page page;
	int64_t customer_id = 0;
	enum admin_exit status = page_take(args, &page);

	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status == ADMIN_OK && args->words == 1)
		status = admin_customer(admin, args->word[0], &customer_id);
	return status != ADMIN_OK ? status :
	    page_print(admin, &page, &list, read_page, &customer_id);
}

/* A key by its number or by what it looks like ("sk-yy-AbCd…WxYz"). */
struct key_search {
	const char *hint;
	int64_t id;		/* 0: by hint */
	int found;
	int64_t found_id;
	struct record *record;	/* NULL: not wanted */
};

static bool
search_row(const struct key_row *row, void *arg)
{
	struct key_search *s = arg;

	s->found++;
	s->found_id = row->id;
	if (s->record == NULL || s->found > 1)
		return true;
	record_number(s->record, "id", "Key", row->id);
	record_text(s->record, "hint", "Looks like", row->hint);
	record_text(s->record, "name", "Name", row->name);
	record_text(s->record, "customer", "Customer", row->customer);
	record_text(s->record, "status", "Status",
	    key_status_name(row->status));
	return true;
}

static enum admin_exit
search(struct admin *admin, const char *word, struct key_search *s)
{
	enum admin_exit status;

	s->hint = word;
	if (!check_number(word, &s->id))
		s->id = 0;
	if (s->id == 0 && api_key_plausible(word, strlen(word))) {
		complain("that is a whole key; on a command line others can "
		    "read it");
		hint("name it by its number from \"youyunctl key list\", and "
		    "consider revoking it");
		return ADMIN_USAGE;
	}
	status = admin_database_failed(admin, q_key_find(admin->db, s->id,
	    s->hint, search_row, s), "look the key up");
	if (status != ADMIN_OK)
		return status;
	if (s->found == 1)
		return ADMIN_OK;
	complain(s->found == 0 ? "there is no key %s" :
	    "several keys look like %s", word);
	hint("\"youyunctl key list\" shows their numbers");
	return s->found == 0 ? ADMIN_NOT_FOUND : ADMIN_REFUSED;
}

enum admin_exit
admin_key(struct admin *admin, const char *word, int64_t *id_r)
{
	struct key_search s;
	enum admin_exit status;

	memset(&s, 0, sizeof s);
	status = search(admin, word, &s);
	*id_r = s.found_id;
	return status;
}

static const struct opt rotate_options[] = {
	{ "overlap", "TIME", "how long the former key works on, such as 24h; "
	  "without it, not at all", false },
	{ NULL, NULL, NULL, false }
};

struct key_turn {
	struct key_new fresh;
	int64_t former_id, overlap_s;
};

static enum db_result
rotate_body(struct db *db, void *arg)
{
	struct key_turn *t = arg;

	return q_key_rotate(db, t->former_id, t->fresh.digest, t->fresh.hint,
	    t->overlap_s, &t->fresh.id);
}

static enum admin_exit
check_overlap(const struct args *args, int64_t *overlap_s)
{
	const char *text = args_get(args, "overlap");
	int64_t now = clock_wall().us, until;

	*overlap_s = 0;
	if (text == NULL)
		return ADMIN_OK;
	if (!check_time_ahead(text, &until)) {
		complain("--overlap %s: allowed are " CHECK_TIME_ALLOWED,
		    text);
		return ADMIN_USAGE;
	}
	*overlap_s = (until - now + 999999) / 1000000;
	if (*overlap_s >= 1 && *overlap_s <= OVERLAP_MAX_S)
		return ADMIN_OK;
	complain("--overlap %s: allowed are a second to a year", text);
	return ADMIN_USAGE;
}

static enum admin_exit
run_rotate(struct admin *admin, const struct args *args)
{
	char key[API_KEY_LEN + 1];
	struct key_turn t;
	enum admin_exit status;
	enum db_result result;

	memset(&t, 0, sizeof t);
	status = check_overlap(args, &t.overlap_s);
	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_key(admin, args->word[0], &t.former_id);
	if (status == ADMIN_OK)
		status = make_key(admin, &t.fresh, key);
	if (status != ADMIN_OK)
		return status;
	result = admin_change(admin, rotate_body, &t);
	if (result == DB_OK)
		print_new(admin, &t.fresh, key, "the same customer");
	else if (result == DB_ERROR && strcmp(db_sqlstate(admin->db),
	    "YY017") == 0) {
		complain("key %lld is revoked or suspended",
		    (long long)t.former_id);
		status = ADMIN_REFUSED;
	} else
		status = admin_database_failed(admin, result,
		    "rotate the key");
	bytes_scrub(key, sizeof key);
	return status;
}

static enum db_result
revoke_body(struct db *db, void *arg)
{
	const struct key_search *s = arg;

	return q_key_revoke(db, s->found_id);
}

static enum admin_exit
run_revoke(struct admin *admin, const struct args *args)
{
	struct key_search s;
	struct record *record;
	enum admin_exit status;
	enum db_result result;

	memset(&s, 0, sizeof s);
	status = admin_database(admin);
	if (status == ADMIN_OK)
		status = search(admin, args->word[0], &s);
	if (status != ADMIN_OK)
		return status;
	if (!admin_confirm(admin, "Revoke the key for good?"))
		return ADMIN_REFUSED;
	result = admin_change(admin, revoke_body, &s);
	if (result == DB_CONFLICT) {
		complain("key %lld was revoked already",
		    (long long)s.found_id);
		return ADMIN_REFUSED;
	}
	if (result != DB_OK)
		return admin_database_failed(admin, result, "revoke the key");
	if (admin->json) {
		record = record_open();
		record_number(record, "id", NULL, s.found_id);
		record_text(record, "status", NULL, "revoked");
		record_print(&record, admin);
	}
	say(admin, "revoked key %lld: its calls are refused with 401",
	    (long long)s.found_id);
	return ADMIN_OK;
}

struct key_pause {
	int64_t id;
	bool suspend;
};

static enum db_result
suspend_body(struct db *db, void *arg)
{
	const struct key_pause *p = arg;

	return q_key_suspend(db, p->id, p->suspend);
}

static enum admin_exit
suspend(struct admin *admin, const struct args *args, bool yes)
{
	struct key_pause p = { .suspend = yes };
	struct record *record;
	enum admin_exit status;
	enum db_result result;

	status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_key(admin, args->word[0], &p.id);
	if (status != ADMIN_OK)
		return status;
	result = admin_change(admin, suspend_body, &p);
	if (result == DB_CONFLICT) {
		complain("key %lld is not %s", (long long)p.id,
		    yes ? "active" : "suspended");
		hint("\"youyunctl key show-hint %lld\" tells what it is",
		    (long long)p.id);
		return ADMIN_REFUSED;
	}
	if (result != DB_OK)
		return admin_database_failed(admin, result, yes ?
		    "suspend the key" : "resume the key");
	if (admin->json) {
		record = record_open();
		record_number(record, "id", NULL, p.id);
		record_text(record, "status", NULL,
		    key_status_name(yes ? KEY_SUSPENDED : KEY_ACTIVE));
		record_print(&record, admin);
	}
	say(admin, yes ? "suspended key %lld: its calls are refused with 401" :
	    "key %lld is active again", (long long)p.id);
	return ADMIN_OK;
}

static enum admin_exit
run_suspend(struct admin *admin, const struct args *args)
{
	return suspend(admin, args, true);
}

static enum admin_exit
run_resume(struct admin *admin, const struct args *args)
{
	return suspend(admin, args, false);
}

static enum admin_exit
run_show_hint(struct admin *admin, const struct args *args)
{
	struct key_search s;
	enum admin_exit status;

	memset(&s, 0, sizeof s);
	status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	s.record = record_open();
	status = search(admin, args->word[0], &s);
	if (status == ADMIN_OK)
		record_print(&s.record, admin);
	else
		record_discard(&s.record);
	return status;
}

const struct verb verbs_key[] = {
	{ "key", "add", "CUSTOMER", 1, 1,
	  "make a key and print it, this once",
	  "key add acme --name laptop --expires 90d", add_options, run_add },
	{ "key", "list", "[CUSTOMER]", 0, 1,
	  "list keys by what may be shown of them",
	  "key list acme", list_options, run_list },
	{ "key", "revoke", "KEY", 1, 1,
	  "refuse a key for good, by its number or looks",
	  "key revoke 7 --reason \"found in a public repository\"", NULL,
	  run_revoke },
	{ "key", "suspend", "KEY", 1, 1,
	  "refuse a key until it is resumed",
	  "key suspend 7 --reason \"used from many networks\"", NULL,
	  run_suspend },
	{ "key", "resume", "KEY", 1, 1,
	  "accept a suspended key again",
	  "key resume 7 --reason \"the customer's own machines\"", NULL,
	  run_resume },
	{ "key", "rotate", "KEY", 1, 1,
	  "make a key in the place of another, with the same rights",
	  "key rotate 7 --overlap 24h", rotate_options, run_rotate },
	{ "key", "show-hint", "KEY", 1, 1,
	  "tell whose a key is, by its number or looks",
	  "key show-hint 7", NULL, run_show_hint },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
