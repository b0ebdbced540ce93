#include "admin/access.h"

#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "admin/args.h"
#include "base/secret.h"
#include "db/queries_audit.h"

/* Where a command has its subject.  What has none is about all customers. */
enum where {
	ALL,
	WORD,		/* its first word, if there is one */
	OPTION,		/* --customer, if it is given */
	OBJECT,		/* --object customer:5 */
	LATER		/* access_customer() says */
};

static const struct reading {
	const char *noun;
	const char *verb;
	enum where where;
	const char *kind;	/* of the subject; access_note() */
	bool sets;		/* with an option it changes something, which
				 * is audited as such */
} readings[] = {
	{ "customer", "list", ALL, "all", false },
	{ "customer", "show", WORD, "customer", false },
	{ "customer", "login", WORD, "customer", false },
	{ "customer", "certificate", WORD, "customer", false },
	{ "customer", "limit", WORD, "customer", true },
	{ "customer", "allow", WORD, "customer", true },
	{ "key", "list", WORD, "customer", false },
	{ "key", "show-hint", WORD, "key", false },
	{ "key", "limit", WORD, "key", true },
	{ "key", "allow", WORD, "key", true },
	{ "calls", NULL, OPTION, "customer", false },
	{ "call", "list", OPTION, "customer", false },
	{ "call", "show", LATER, NULL, false },
	{ "bill", "show", LATER, NULL, false },
	{ "bill", "list", WORD, "customer", false },
	{ "bill", NULL, LATER, NULL, false },
	{ "margin", NULL, OPTION, "customer", false },
	{ "balance", NULL, WORD, "customer", false },
	{ "ledger", NULL, WORD, "customer", false },
	{ "ledger", "list", WORD, "customer", false },
	{ "invitation", "list", ALL, "all", false },
	{ "code", "list", ALL, "all", false },
	{ "payment", "list", OPTION, "customer", false },
	{ "ticket", "list", OPTION, "customer", false },
	{ "ticket", "show", WORD, "ticket", false },
	{ "request", "list", OPTION, "customer", false },
	{ "incident", "show", WORD, "incident", false },
	{ "incident", "register", ALL, "all", false },
	{ "event", "list", OPTION, "customer", false },
	{ "event", "watch", OPTION, "customer", false },
	{ "hold", "list", ALL, "all", false },
	{ "risk", "show", WORD, "customer", false },
	{ "audit", "list", OBJECT, "customer", false },
	{ "audit", "export", ALL, "all", false },
	{ "compliance", "report", ALL, "all", false },
	{ "top", NULL, ALL, "all", false },
	{ NULL, NULL, ALL, NULL, false }
};

static const struct reading *
reading_of(const struct verb *v)
{
	const struct reading *r = readings;

	for (; r->noun != NULL; r++)
		if (strcmp(r->noun, v->noun) == 0 && (r->verb == NULL) ==
		    (v->verb == NULL) && (r->verb == NULL ||
		    strcmp(r->verb, v->verb) == 0))
			return r;
	return NULL;
}

static bool
is_own(const struct verb *v, const struct opt *opt)
{
	for (const struct opt *o = v->options; o != NULL && o->name != NULL;
	    o++)
		if (o == opt)
			return true;
	return false;
}

static bool
has_own(const struct admin *admin)
{
	for (int i = 0; i < admin->args->options; i++)
		if (is_own(admin->running, admin->args->option[i].opt))
			return true;
	return false;
}

/* Names of files are of the machine, a customer's is the subject, and where a
 * page begins can be a name, too. */
static bool
is_filter(const struct admin *admin, const struct opt *opt)
{
	return is_own(admin->running, opt) &&
	    strcmp(opt->name, "customer") != 0 &&
	    strcmp(opt->name, "after") != 0 &&
	    strcmp(opt->name, "save") != 0;
}

/* The command and what it was narrowed by. */
static struct json_object *
detail_of(const struct admin *admin)
{
	const struct verb *v = admin->running;
	const struct args *args = admin->args;
	struct json_object *o = json_object_new_object();
	char command[64];

	snprintf(command, sizeof(command), "%s%s%s", v->noun,
	    v->verb != NULL ? " " : "", v->verb != NULL ? v->verb : "");
	json_object_object_add(o, "command", json_object_new_string(command));
	for (int i = 0; i < args->options; i++)
		if (is_filter(admin, args->option[i].opt))
			json_object_object_add(o, args->option[i].opt->name,
			    json_object_new_string(args->option[i].value));
	return o;
}

static enum db_result
note(struct admin *admin, const char *kind, const char *who)
{
	struct json_object *detail = detail_of(admin);
	struct access_row row = { .actor = admin->actor,
		.reason = admin->reason, .kind = kind, .who = who,
		.detail = json_object_to_json_string_ext(detail,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE) };
	enum db_result result = q_access_note(admin->db, &row);

	json_object_put(detail);
	return result;
}

static const char *
subject_of(const struct admin *admin, const struct reading *r)
{
	static const char customer[] = "customer:";
	const char *object;

	switch (r->where) {
	case ALL:
	case LATER:
		break;
	case WORD:
		return admin->args->words > 0 ? admin->args->word[0] : NULL;
	case OPTION:
		return args_get(admin->args, "customer");
	case OBJECT:
		object = args_get(admin->args, "object");
		if (object != NULL && strncmp(object, customer,
		    sizeof(customer) - 1) == 0)
			return object + sizeof(customer) - 1;
		break;
	}
	return NULL;
}

enum db_result
access_begin(struct admin *admin)
{
	const struct reading *r = admin->running != NULL &&
	    admin->args != NULL ? reading_of(admin->running) : NULL;
	const char *who;

	if (r == NULL || (r->sets && has_own(admin)))
		return DB_OK;
	/* One call is one customer's. */
	if (r->where == LATER || args_has(admin->args, "request"))
		return DB_OK;
	who = subject_of(admin, r);
	/* A whole key, which the command refuses. */
	if (who != NULL && api_key_plausible(who, strlen(who)))
		return DB_OK;
	return note(admin, who != NULL ? r->kind : "all", who);
}

enum admin_exit
access_customer(struct admin *admin, const char *who)
{
	return admin_database_failed(admin, note(admin, "customer", who),
	    "note the access");
}
