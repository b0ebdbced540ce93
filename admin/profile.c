#include "admin/profile.h"

#include <assert.h>
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/settings.h"

#define BILLING STAFF_BIT(STAFF_BILLING)
#define SUPPORT STAFF_BIT(STAFF_SUPPORT)
#define AUDITOR STAFF_BIT(STAFF_AUDITOR)
#define ALL (BILLING | SUPPORT | AUDITOR)

/* verb NULL: all of the noun that are not named themselves. */
static const struct rule {
	const char *noun;
	const char *verb;
	uint32_t profiles;
} rules[] = {
	{ "help", NULL, ALL },
	{ "status", NULL, ALL },
	{ "top", NULL, ALL },
	{ "complete", NULL, ALL },
	{ "customer", "list", ALL },
	{ "customer", "show", ALL },
	{ "customer", "set", SUPPORT },
	{ "customer", "suspend", SUPPORT },
	{ "customer", "resume", SUPPORT },
	{ "customer", "login", SUPPORT | AUDITOR },
	{ "customer", "password-reset", SUPPORT },
	{ "customer", "totp-remove", SUPPORT },
	{ "invitation", "list", ALL },
	{ "customer", "restrict", SUPPORT },
	{ "key", "list", ALL },
	{ "key", "show-hint", ALL },
	{ "key", "revoke", SUPPORT },
	{ "key", "suspend", SUPPORT },
	{ "key", "resume", SUPPORT },
	/* The database lets owners alone change them. */
	{ "customer", "limit", ALL },
	{ "key", "limit", ALL },
	{ "group", "limit", ALL },
	{ "customer", "allow", ALL },
	{ "key", "allow", ALL },
	{ "group", "list", ALL },
	{ "group", "overrides", ALL },
	{ "screen", "list", SUPPORT | AUDITOR },
	{ "screen", "moderation show", SUPPORT | AUDITOR },
	{ "price", "list", ALL },
	{ "price", "history", ALL },
	{ "price", "show", ALL },
	{ "price", "export", ALL },
	{ "cost", "list", BILLING | AUDITOR },
	{ "cost", "history", BILLING | AUDITOR },
	{ "cost", "export", BILLING | AUDITOR },
	{ "channel", "list", AUDITOR },
	{ "channel", "show", AUDITOR },
	{ "channel", "credential list", AUDITOR },
	{ "subprocessor", "list", ALL },
	{ "incident", "list", SUPPORT | AUDITOR },
	{ "incident", "show", SUPPORT | AUDITOR },
	{ "incident", "register", SUPPORT | AUDITOR },
	{ "request", "list", SUPPORT | AUDITOR },
	{ "request", NULL, SUPPORT },
	{ "retention", "list", SUPPORT | AUDITOR },
	{ "retention", "report", SUPPORT | AUDITOR },
	{ "hold", "list", SUPPORT | AUDITOR },
	{ "compliance", NULL, AUDITOR },
	{ "event", NULL, SUPPORT | AUDITOR },
	{ "risk", "list", SUPPORT | AUDITOR },
	{ "risk", "show", SUPPORT | AUDITOR },
	{ "audit", NULL, AUDITOR },
	{ "call", NULL, ALL },
	{ "calls", NULL, ALL },
	{ "bill", NULL, ALL },
	{ "margin", NULL, BILLING | AUDITOR },
	{ "balance", NULL, ALL },
	{ "ledger", NULL, ALL },
	{ "credit", NULL, BILLING },
	{ "adjust", NULL, BILLING },
	{ "refund", NULL, BILLING },
	{ "package", "list", ALL },
	{ "package", NULL, BILLING },
	{ "code", "list", BILLING | AUDITOR },
	{ "code", NULL, BILLING },
	{ "payment", "list", ALL },
	/* Who gives money back reads why. */
	{ "ticket", "list", ALL },
	{ "ticket", "show", ALL },
	{ "ticket", "answer", SUPPORT },
	{ "ticket", "close", SUPPORT },
	{ "ticket", "refund", BILLING },
	{ "node", "list", ALL },
	{ "verify", NULL, AUDITOR },
	{ NULL, NULL, 0 }
};

enum db_role
profile_role(enum staff_profile profile)
{
	switch (profile) {
	case STAFF_OWNER:
		return DB_ROLE_ADMIN;
	case STAFF_BILLING:
		return DB_ROLE_BILLING;
	case STAFF_SUPPORT:
		return DB_ROLE_SUPPORT;
	case STAFF_AUDITOR:
		return DB_ROLE_AUDITOR;
	}
	assert(!"staff_profile");
	return DB_ROLE_AUDITOR;
}

/* sudo says who asked for it; it sets that itself, whatever was there. */
struct profile_person
profile_person(const struct admin *admin)
{
	const char *sudo = getenv("SUDO_USER");
	const struct passwd *pw;
	struct profile_person person = { .name = "unknown" };
	uid_t uid = geteuid();

	if (sudo != NULL && sudo[0] != '\0' && strcmp(sudo, "root") != 0) {
		person.name = sudo;
		return person;
	}
	pw = getpwuid(uid);
	if (pw != NULL)
		person.name = pw->pw_name;
	person.owner = uid == 0 ||
	    strcmp(person.name, admin->settings->user) == 0;
	return person;
}

/* Otherwise anybody would name themselves owner in a file of their own. */
static bool
config_is_roots(const struct admin *admin)
{
	struct stat st;

	if (stat(admin->config_path, &st) == 0 && st.st_uid == 0 &&
	    (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return true;
	complain("%s must be root's, and for nobody else to write to",
	    admin->config_path);
	hint("its setting staff says who may do what");
	return false;
}

static bool
choose_among(struct admin *admin, const char *who, uint32_t bits)
{
	if (admin->profile_wanted != NULL) {
		if ((bits & STAFF_BIT(admin->profile)) != 0)
			return true;
		complain("%s is not %s here", who, admin->profile_wanted);
		hint("the setting staff in %s says who is what",
		    admin->config_path);
		return false;
	}
	for (int i = 0; i < STAFF_PROFILES; i++)
		if ((bits & STAFF_BIT(i)) != 0) {
			admin->profile = (enum staff_profile)i;
			return true;
		}
	complain("%s is not among the staff", who);
	hint("the setting staff in %s says who is", admin->config_path);
	return false;
}

enum admin_exit
profile_choose(struct admin *admin)
{
	struct profile_person person = profile_person(admin);
	const char *staff = admin->settings->staff;
	uint32_t bits = STAFF_BIT(STAFF_OWNER) | ALL;

	admin->profile = STAFF_OWNER;
	if (admin->profile_wanted != NULL && !staff_profile_find(
	    admin->profile_wanted, &admin->profile)) {
		complain("--profile %s: allowed are owner, billing, support "
		    "and auditor", admin->profile_wanted);
		return ADMIN_USAGE;
	}
	if (staff[0] == '\0' || person.owner)
		return choose_among(admin, person.name, bits) ? ADMIN_OK :
		    ADMIN_REFUSED;
	if (!config_is_roots(admin))
		return ADMIN_REFUSED;
	bits = staff_profiles(staff, person.name);
	if ((bits & STAFF_BIT(STAFF_OWNER)) != 0)
		bits |= ALL;
	if (!choose_among(admin, person.name, bits))
		return ADMIN_REFUSED;
	if (strcmp(admin->actor, person.name) != 0 &&
	    (bits & STAFF_BIT(STAFF_OWNER)) == 0) {
		complain("--actor %s: you are %s", admin->actor, person.name);
		return ADMIN_REFUSED;
	}
	return ADMIN_OK;
}

/* The rule of the verb itself before that of its noun. */
static uint32_t
profiles_of(const struct verb *verb)
{
	const struct rule *r, *general = NULL;

	for (r = rules; r->noun != NULL; r++) {
		if (strcmp(r->noun, verb->noun) != 0)
			continue;
		if (r->verb == NULL)
			general = r;
		else if (verb->verb != NULL &&
		    strcmp(r->verb, verb->verb) == 0)
			return r->profiles;
	}
	return general != NULL ? general->profiles : 0;
}

bool
profile_allows(const struct admin *admin, const struct verb *verb)
{
	uint32_t bits = profiles_of(verb);

	if (admin->profile == STAFF_OWNER ||
	    (bits & STAFF_BIT(admin->profile)) != 0)
		return true;
	complain("\"%s%s%s\" is not for %s", verb->noun,
	    verb->verb != NULL ? " " : "", verb->verb != NULL ? verb->verb :
	    "", staff_profile_name(admin->profile));
	for (int i = STAFF_BILLING; i < STAFF_PROFILES; i++)
		if ((bits & STAFF_BIT(i)) != 0)
			hint("it is for %s, and for owner",
			    staff_profile_name((enum staff_profile)i));
	if (bits == 0)
		hint("it is for owner");
	return false;
}
