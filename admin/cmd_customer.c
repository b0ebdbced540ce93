/* customer: who buys access. */
#include "admin/admin.h"

#include <stdio.h>
#include <string.h>

#include "admin/args.h"
#include "admin/check.h"
#include "admin/options.h"
#include "admin/page.h"
#include "admin/report.h"
#include "admin/words.h"
#include "base/money.h"
#include "db/queries.h"
#include "shm/directory.h"

static const struct report_column columns[] = {
	{ "id", "ID", REPORT_NUMBER, false },
	{ "name", "CUSTOMER", REPORT_TEXT, false },
	{ "status", "STATUS", REPORT_TEXT, false },
	{ "group", "GROUP", REPORT_TEXT, true },
	{ "keys", "KEYS", REPORT_NUMBER, true },
	{ "credited", "CREDITED", REPORT_MONEY, true },
	{ "spent", "SPENT", REPORT_MONEY, true },
	{ "balance", "BALANCE", REPORT_MONEY, false },
	{ "created", NULL, REPORT_TIME, false },
	{ "contact", NULL, REPORT_TEXT, false },
	{ "note", NULL, REPORT_TEXT, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

static bool
list_row(const struct customer_row *row, void *arg)
{
	struct report *report = page_row(arg, "%s/%s",
	    account_status_name(row->status), row->name);

	if (report == NULL)
		return false;
	report_number(report, row->id);
	report_text(report, row->name);
	report_text(report, account_status_name(row->status));
	report_text(report, row->group);
	report_number(report, row->keys);
	report_money(report, row->granted_nano);
	report_money(report, row->spent_nano);
	report_money(report, row->granted_nano - row->spent_nano);
	report_time(report, row->created_us);
	report_text(report, row->contact);
	report_text(report, row->note);
	return true;
}

static const char *const status_words[] = { "active", "limited", "suspended",
	"closed", NULL };

static const struct opt list_options[] = {
	{ "status", "STATUS", "active, limited, suspended or closed", false },
	PAGE_OPTIONS,
	{ NULL, NULL, NULL, false }
};

/* In enum account_status; -1: none. */
static int
status_number(const char *word, size_t len)
{
	for (int i = 0; status_words[i] != NULL; i++)
		if (strlen(status_words[i]) == len &&
		    strncmp(status_words[i], word, len) == 0)
			return i;
	return -1;
}

enum admin_exit
customer_page(const struct page *page, struct customer_filter *filter)
{
	const char *slash;

	filter->limit = PAGE_ASKED(page);
	if (page->after == NULL)
		return ADMIN_OK;
	slash = strchr(page->after, '/');
	if (slash == NULL)
		return page_not_a_cursor(page);
	filter->after_status = status_number(page->after,
	    (size_t)(slash - page->after));
	filter->after_name = slash + 1;
	return filter->after_status < 0 ? page_not_a_cursor(page) : ADMIN_OK;
}

static enum admin_exit
read_page(struct admin *admin, struct page *page, void *arg)
{
	struct customer_filter *filter = arg;
	enum admin_exit status = customer_page(page, filter);

	return status != ADMIN_OK ? status : admin_database_failed(admin,
	    q_customer_list(admin->db, filter, list_row, page),
	    "list the customers");
}

static enum admin_exit
run_list(struct admin *admin, const struct args *args)
{
	static const struct page_list list = { .name = "customers",
		.columns = columns, .empty = "There is no such customer; "
		"\"youyunctl customer add NAME\" adds one." };
	struct customer_filter filter = { .status = -1 };
	const char *word = NULL;
	enum admin_exit status;
	struct page page;

	status = option_word(args, "status", status_words, &word);
	if (status == ADMIN_OK)
		status = page_take(args, &page);
	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	if (word != NULL)
		filter.status = status_number(word, strlen(word));
	return page_print(admin, &page, &list, read_page, &filter);
}

static bool
show_row(const struct customer_row *row, void *arg)
{
	struct record *record = arg;
	char multiplier[MONEY_TEXT_BYTES];

	ppm_format((uint32_t)row->multiplier_ppm, multiplier);
	record_number(record, "id", "Number", row->id);
	record_text(record, "name", "Customer", row->name);
	record_text(record, "status", "Status",
	    account_status_name(row->status));
	record_text(record, "group", "Group", row->group);
	record_text(record, "multiplier", "Multiplier", multiplier);
	record_text(record, "contact", "Contact", row->contact);
	record_text(record, "note", "Note", row->note);
	record_time(record, "created", "Created", row->created_us);
	record_money(record, "credited", "Credited", row->granted_nano);
	record_money(record, "spent", "Spent", row->spent_nano);
	record_money(record, "balance", "Balance",
	    row->granted_nano - row->spent_nano);
	record_number(record, "keys", "Active keys", row->keys);
	return true;
}

/* In the order of customer.keep_address. */
static const char *const keep_words[] = { "full", "network", "none", NULL };

/* In the order of customer.risk. */
static const char *const risk_words[] = { "normal", "watched", "trusted",
	NULL };

static void
show_more(struct record *record, const struct customer_more *more)
{
	record_text(record, "language", "Language", more->language);
	if (more->low_balance_nano > 0)
		record_money(record, "low_balance", "Told below",
		    more->low_balance_nano);
	else
		record_none(record, "low_balance", "Told below");
	record_text(record, "risk", "Risk", risk_words[more->risk]);
	record_text(record, "keep_address", "Addresses kept",
	    keep_words[more->keep_address]);
	record_text(record, "keep_user_agent", "User agents kept",
	    more->keep_agent ? "yes" : "no");
}

static enum admin_exit
run_show(struct admin *admin, const struct args *args)
{
	struct customer_more more;
	struct record *record;
	enum admin_exit status;
	enum db_result result;
	int64_t id;

	status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_customer(admin, args->word[0], &id);
	if (status != ADMIN_OK)
		return status;
	record = record_open();
	result = q_customer_one(admin->db, id, show_row, record);
	if (result == DB_OK)
		result = q_customer_more(admin->db, id, &more);
	status = admin_database_failed(admin, result, "show the customer");
	if (status == ADMIN_OK)
		show_more(record, &more);
	if (status == ADMIN_OK)
		record_print(&record, admin);
	else
		record_discard(&record);
	return status;
}

static const struct opt add_options[] = {
	{ "group", "GROUP", "whose multiplier applies; default: \"default\"",
	  false },
	{ "contact", "TEXT", "how to reach the customer", false },
	{ "note", "TEXT", "a remark of your own", false },
	{ NULL, NULL, NULL, false }
};

struct customer_new {
	const char *name, *group, *contact, *note;
	int64_t id;
};

static enum db_result
add_body(struct db *db, void *arg)
{
	struct customer_new *c = arg;

	return q_customer_add(db, c->name, c->group, c->contact, c->note,
	    &c->id);
}

static enum admin_exit
check_texts(const struct args *args)
{
	static const char *const name[] = { "contact", "note" };
	const char *text, *why;
	size_t i;

	for (i = 0; i < sizeof name / sizeof name[0]; i++) {
		text = args_get(args, name[i]);
		why = text != NULL ? check_text(text) : NULL;
		if (why != NULL) {
			complain("--%s: %s", name[i], why);
			return ADMIN_USAGE;
		}
	}
	return ADMIN_OK;
}

static enum admin_exit
no_group(const char *group)
{
	complain("there is no group \"%s\"", group);
	hint("\"youyunctl group list\" shows them, \"youyunctl group set %s "
	    "--multiplier 1\" makes it", group);
	return ADMIN_NOT_FOUND;
}

static enum admin_exit
run_add(struct admin *admin, const struct args *args)
{
	struct customer_new c;
	struct record *record;
	enum admin_exit status;
	enum db_result result;
	const char *why;

	memset(&c, 0, sizeof c);
	c.name = args->word[0];
	c.group = args_get(args, "group");
	c.contact = args_has(args, "contact") ? args_get(args, "contact") : "";
	c.note = args_has(args, "note") ? args_get(args, "note") : "";
	why = check_name(c.name);
	if (why != NULL) {
		complain("\"%s\": %s", c.name, why);
		return ADMIN_USAGE;
	}
	status = check_texts(args);
	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	result = admin_change(admin, add_body, &c);
	if (result == DB_NONE)
		return no_group(c.group != NULL ? c.group : "default");
	if (result == DB_CONFLICT) {
		complain("there is a customer \"%s\" already", c.name);
		hint("\"youyunctl customer show %s\" shows it", c.name);
		return ADMIN_REFUSED;
	}
	if (result != DB_OK)
		return admin_database_failed(admin, result,
		    "add the customer");
	if (admin->json) {
		record = record_open();
		record_number(record, "id", NULL, c.id);
		record_text(record, "name", NULL, c.name);
		record_print(&record, admin);
	}
	say(admin, "added customer %s, number %lld; \"youyunctl credit\" gives "
	    "it money, \"youyunctl key add\" a key", c.name, (long long)c.id);
	return ADMIN_OK;
}

static const struct opt set_options[] = {
	{ "group", "GROUP", "whose multiplier applies", false },
	{ "contact", "TEXT", "how to reach the customer", false },
	{ "note", "TEXT", "a remark of your own", false },
	{ "language", "LANGUAGE", "of mail to the customer: en, zh or de",
	  false },
	{ "low-balance", "AMOUNT", "tell the customer below it; 0: never",
	  false },
	{ "keep-address", "WHAT", "what calls' records have of the address: "
	  "full, network or none", false },
	{ "keep-user-agent", "YES", "whether they have the user agent: yes or "
	  "no", false },
	{ "risk", "WHAT", "how much rules watch the customer: normal, watched "
	  "or trusted", false },
	{ NULL, NULL, NULL, false }
};

struct customer_change {
	int64_t id, status;
	/* -1: as it is. */
	int64_t low_nano, keep_address, keep_agent, risk;
	const char *group, *contact, *note, *language;
	bool cuts, cut;			/* whether open calls end */
};

static enum db_result
set_body(struct db *db, void *arg)
{
	const struct customer_change *c = arg;
	enum db_result result = DB_OK;

	/* Before the status, with which it is told. */
	if (c->cuts)
		result = q_customer_cut(db, c->id, c->cut);
	if (result == DB_OK && c->language != NULL)
		result = q_customer_language_set(db, c->id, c->language);
	if (result == DB_OK && c->low_nano >= 0)
		result = q_customer_low_balance_set(db, c->id, c->low_nano);
	if (result == DB_OK && c->risk >= 0)
		result = q_customer_risk_set(db, c->id, c->risk);
	if (result == DB_OK && (c->keep_address >= 0 || c->keep_agent >= 0))
		result = q_customer_keep_set(db, c->id, c->keep_address,
		    c->keep_agent);
	return result != DB_OK ? result : q_customer_set(db, c->id, c->status,
	    c->group, c->contact, c->note);
}

static enum admin_exit
change(struct admin *admin, const char *who, struct customer_change *c,
    const char *done)
{
	enum admin_exit status;
	enum db_result result;
	struct record *record;

	status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_customer(admin, who, &c->id);
	if (status != ADMIN_OK)
		return status;
	result = admin_change(admin, set_body, c);
	if (result == DB_NONE && c->group != NULL)
		return no_group(c->group);
	if (result != DB_OK)
		return admin_database_failed(admin, result,
		    "change the customer");
	if (admin->json) {
		record = record_open();
		record_number(record, "id", NULL, c->id);
		record_print(&record, admin);
	}
	say(admin, "customer %s %s", who, done);
	return ADMIN_OK;
}

static const struct customer_change no_change = { .status = -1,
	.low_nano = -1, .keep_address = -1, .keep_agent = -1, .risk = -1 };

/* Which of the words an option names; -1: it wasn't given. */
static enum admin_exit
take_word(const struct args *args, const char *name, const char *const *words,
    int64_t *which_r)
{
	const char *word = NULL;
	enum admin_exit status = option_word(args, name, words, &word);

	*which_r = -1;
	for (int i = 0; word != NULL && *which_r < 0; i++)
		if (words[i] == word)
			*which_r = i;
	return status;
}

static enum admin_exit
take_more(const struct args *args, struct customer_change *c)
{
	static const char *const languages[] = { "en", "zh", "de", NULL };
	static const char *const no_yes[] = { "no", "yes", NULL };
	enum admin_exit status;
	int64_t language;

	c->language = args_get(args, "language");
	status = take_word(args, "language", languages, &language);
	if (status == ADMIN_OK)
		status = take_word(args, "keep-address", keep_words,
		    &c->keep_address);
	if (status == ADMIN_OK)
		status = take_word(args, "keep-user-agent", no_yes,
		    &c->keep_agent);
	if (status == ADMIN_OK)
		status = take_word(args, "risk", risk_words, &c->risk);
	if (status == ADMIN_OK)
		status = option_cap(args, "low-balance", &c->low_nano);
	return status;
}

static enum admin_exit
run_set(struct admin *admin, const struct args *args)
{
	struct customer_change c = no_change;
	enum admin_exit status;

	c.group = args_get(args, "group");
	c.contact = args_get(args, "contact");
	c.note = args_get(args, "note");
	status = take_more(args, &c);
	if (status != ADMIN_OK)
		return status;
	if (c.group == NULL && c.contact == NULL && c.note == NULL &&
	    c.language == NULL && c.low_nano < 0 && c.keep_address < 0 &&
	    c.keep_agent < 0 && c.risk < 0) {
		complain("nothing to change was given");
		hint("\"youyunctl customer set --help\" lists what can be");
		return ADMIN_USAGE;
	}
	status = check_texts(args);
	return status != ADMIN_OK ? status :
	    change(admin, args->word[0], &c, "changed");
}

static const struct opt suspend_options[] = {
	{ "now", NULL, "end the calls that are going on, too", false },
	{ NULL, NULL, NULL, false }
};

static enum admin_exit
run_suspend(struct admin *admin, const struct args *args)
{
	struct customer_change c = no_change;

	c.status = ACCOUNT_SUSPENDED;
	c.cuts = true;
	c.cut = args_has(args, "now");
	return change(admin, args->word[0], &c, c.cut ?
	    "suspended: its calls are refused with 403, and open ones end" :
	    "suspended: its calls are refused with 403");
}

static enum admin_exit
run_resume(struct admin *admin, const struct args *args)
{
	struct customer_change c = no_change;

	c.status = ACCOUNT_ACTIVE;
	c.cuts = true;
	return change(admin, args->word[0], &c, "active");
}

static enum admin_exit
run_restrict(struct admin *admin, const struct args *args)
{
	struct customer_change c = no_change;

	c.status = ACCOUNT_LIMITED;
	c.cuts = true;
	return change(admin, args->word[0], &c,
	    "limited: it may make few calls");
}

const struct verb verbs_customer[] = {
	{ "customer", "add", "NAME", 1, 1,
	  "add a customer, with no money and no key yet",
	  "customer add acme --contact ops@acme.example", add_options,
	  run_add },
	{ "customer", "list", "", 0, 0,
	  "list the customers with their balances",
	  "customer list --status suspended", list_options, run_list },
	{ "customer", "show", "CUSTOMER", 1, 1,
	  "show one customer",
	  "customer show acme", NULL, run_show },
	{ "customer", "set", "CUSTOMER", 1, 1,
	  "change a customer's group, contact, and what is kept of calls",
	  "customer set acme --group wholesale", set_options, run_set },
	{ "customer", "suspend", "CUSTOMER", 1, 1,
	  "refuse a customer's calls from now on",
	  "customer suspend acme --now --reason \"key leaked\"",
	  suspend_options, run_suspend },
	{ "customer", "restrict", "CUSTOMER", 1, 1,
	  "let a customer make few calls only, from now on",
	  "customer restrict acme --reason \"spends five times the usual\"",
	  NULL, run_restrict },
	{ "customer", "resume", "CUSTOMER", 1, 1,
	  "accept a suspended or limited customer's calls again",
	  "customer resume acme", NULL, run_resume },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
