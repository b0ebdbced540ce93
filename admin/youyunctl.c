/*
 * youyunctl: the administrator's command.  Finds the command in the tables,
 * sorts its words and options, runs it; everything else is in cmd_*.c.
 */
#include <errno.h>
#include <locale.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/admin.h"
#include "admin/args.h"
#include "admin/check.h"
#include "admin/help.h"
#include "admin/progress.h"
#include "admin/suggest.h"
#include "base/log.h"

const struct verb *const verb_tables[] = {
	verbs_init, verbs_customer, verbs_closing, verbs_login,
	verbs_invitation, verbs_credit, verbs_refund, verbs_package,
	verbs_code, verbs_payment, verbs_ticket, verbs_key, verbs_group,
	verbs_limit, verbs_allow, verbs_screen, verbs_moderation, verbs_price,
	verbs_cost, verbs_channel, verbs_credential, verbs_subprocessor,
	verbs_incident, verbs_request, verbs_retention, verbs_hold,
	verbs_compliance, verbs_calls, verbs_bill, verbs_margin,
	verbs_balance, verbs_node, verbs_verify, verbs_attest, verbs_status,
	verbs_top, verbs_event, verbs_risk, verbs_audit, verbs_secret,
	verbs_journal, verbs_complete, verbs_help,
	NULL
};

const struct opt common_options[] = {
	{ "config", "FILE", "read this configuration (also -c FILE)", false },
	{ "json", NULL, "print JSON for scripts", false },
	{ "yes", NULL, "don't ask (also -y)", false },
	{ "actor", "NAME", "who does this, for the audit trail", false },
	{ "profile", "PROFILE", "as owner, billing, support or auditor", false },
	{ "reason", "TEXT", "why, for the audit trail", false },
	{ "help", NULL, "explain the command (also -h)", false },
	{ NULL, NULL, NULL, false }
};

void
complain(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	progress_clear();
	fputs("youyunctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void
hint(const char *fmt, ...)
{
	va_list ap;

	progress_clear();
	fputs("  hint: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void
say(const struct admin *admin, const char *fmt, ...)
{
	va_list ap;

	if (admin->json)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

/* The person behind sudo, else the one logged in, else the account. */
static const char *
login_name(void)
{
	const struct passwd *pw;
	const char *name;

	name = getenv("SUDO_USER");
	if (name != NULL && check_name(name) == NULL)
		return name;
	name = getlogin();
	if (name != NULL && check_name(name) == NULL)
		return name;
	pw = getpwuid(getuid());
	return pw != NULL && check_name(pw->pw_name) == NULL ? pw->pw_name :
	    "unknown";
}

static enum admin_exit
take_common(struct admin *admin, const struct args *args)
{
	const char *why;

	if (args_has(args, "config"))
		admin->config_path = args_get(args, "config");
	admin->json = admin->json || args_has(args, "json");
	admin->yes = admin->yes || args_has(args, "yes");
	if (args_has(args, "actor")) {
		admin->actor = args_get(args, "actor");
		why = check_name(admin->actor);
		if (why != NULL) {
			complain("--actor: %s", why);
			return ADMIN_USAGE;
		}
	}
	if (args_has(args, "profile"))
		admin->profile_wanted = args_get(args, "profile");
	if (args_has(args, "reason")) {
		admin->reason = args_get(args, "reason");
		why = check_text(admin->reason);
		if (why != NULL) {
			complain("--reason: %s", why);
			return ADMIN_USAGE;
		}
	}
	return ADMIN_OK;
}

static enum admin_exit
unknown_noun(const char *noun)
{
	struct suggest s;
	const struct verb *const *t;

	complain("there is no command \"%s\"", noun);
	suggest_start(&s, noun);
	for (t = verb_tables; *t != NULL; t++)
		for (const struct verb *v = *t; v->noun != NULL; v++)
			suggest_try(&s, v->noun);
	if (suggest_best(&s) != NULL)
		hint("did you mean \"%s\"?", suggest_best(&s));
	else
		hint("\"youyunctl help\" lists the commands");
	return ADMIN_USAGE;
}

static enum admin_exit
unknown_verb(const char *noun, const char *typed)
{
	struct suggest s;
	const struct verb *const *t;

	complain("\"%s\" has no command \"%s\"", noun, typed);
	suggest_start(&s, typed);
	for (t = verb_tables; *t != NULL; t++)
		for (const struct verb *v = *t; v->noun != NULL; v++)
			if (strcmp(v->noun, noun) == 0 && v->verb != NULL)
				suggest_try(&s, v->verb);
	if (suggest_best(&s) != NULL)
		hint("did you mean \"%s %s\"?", noun, suggest_best(&s));
	else
		hint("\"youyunctl help %s\" lists them", noun);
	return ADMIN_USAGE;
}

static const struct verb *
find_noun(const char *noun)
{
	const struct verb *const *t;

	for (t = verb_tables; *t != NULL; t++)
		for (const struct verb *v = *t; v->noun != NULL; v++)
			if (strcmp(v->noun, noun) == 0)
				return v;
	return NULL;
}

/* A command of two words, "credential add", is two arguments. */
static bool
is_typed(const char *verb, int argc, char *const *argv, int *used_r)
{
	const char *space = strchr(verb, ' ');
	size_t first = space != NULL ? (size_t)(space - verb) : strlen(verb);

	*used_r = space != NULL ? 2 : 1;
	return argc >= *used_r && strlen(argv[0]) == first &&
	    strncmp(argv[0], verb, first) == 0 &&
	    (space == NULL || strcmp(argv[1], space + 1) == 0);
}

static const struct verb *
find_verb(const char *noun, int argc, char *const *argv, int *used_r)
{
	const struct verb *const *t;

	for (t = verb_tables; *t != NULL; t++)
		for (const struct verb *v = *t; v->noun != NULL; v++)
			if (strcmp(v->noun, noun) == 0 && v->verb != NULL &&
			    is_typed(v->verb, argc, argv, used_r))
				return v;
	return NULL;
}

static enum admin_exit
run(struct admin *admin, const struct verb *v, int argc, char *const *argv)
{
	char error[ARGS_ERROR_BYTES];
	struct args *args;
	enum admin_exit status;

	args = malloc(sizeof *args);
	if (args == NULL) {
		complain("out of memory");
		return ADMIN_FAILED;
	}
	status = ADMIN_USAGE;
	if (args_parse(argc, argv, v->options, common_options, -1, args, NULL,
	    error) != ARGS_OK) {
		complain("%s", error);
		help_usage(v, stderr);
	} else if (args_has(args, "help")) {
		help_verb(v);
		status = ADMIN_OK;
	} else if (take_common(admin, args) != ADMIN_OK) {
		/* said already */
	} else if (args->words < v->args_min || args->words > v->args_max) {
		complain("%s%s%s: too %s words", v->noun,
		    v->verb != NULL ? " " : "", v->verb != NULL ? v->verb : "",
		    args->words < v->args_min ? "few" : "many");
		help_usage(v, stderr);
	} else {
		admin->running = v;
		admin->args = args;
		status = v->run(admin, args);
		admin->args = NULL;
	}
	free(args);
	return status;
}

/* Which command is it?  rest: the words from the noun on. */
static enum admin_exit
dispatch(struct admin *admin, int argc, char *const *argv)
{
	const struct verb *v, *w;
	int used;

	v = find_noun(argv[0]);
	if (v == NULL)
		return unknown_noun(argv[0]);
	if (v->verb == NULL) {
		/* "credit CUSTOMER", but also "credit expire". */
		w = find_verb(argv[0], argc - 1, argv + 1, &used);
		if (w != NULL)
			return run(admin, w, argc - 1 - used,
			    argv + 1 + used);
		return run(admin, v, argc - 1, argv + 1);
	}
	if (argc < 2) {
		complain("\"%s\" needs a command after it", argv[0]);
		help_noun(argv[0], stderr);
		return ADMIN_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help_noun(argv[0], stdout);
		return ADMIN_OK;
	}
	v = find_verb(argv[0], argc - 1, argv + 1, &used);
	if (v == NULL)
		return unknown_verb(argv[0], argv[1]);
	return run(admin, v, argc - 1 - used, argv + 1 + used);
}

static enum admin_exit
start(struct admin *admin, int argc, char *const *argv)
{
	char error[ARGS_ERROR_BYTES];
	struct args *args;
	enum admin_exit status;
	int rest;

	args = malloc(sizeof *args);
	if (args == NULL) {
		complain("out of memory");
		return ADMIN_FAILED;
	}
	status = ADMIN_USAGE;
	if (args_parse(argc, argv, NULL, common_options, 0, args, &rest,
	    error) != ARGS_OK) {
		complain("%s", error);
		hint("\"youyunctl help\" lists the commands and options");
	} else if (args_has(args, "help")) {
		help_all();
		status = ADMIN_OK;
	} else if (take_common(admin, args) != ADMIN_OK) {
		/* said already */
	} else if (rest == argc) {
		complain("no command was given");
		hint("\"youyunctl help\" lists them");
	} else {
		status = dispatch(admin, argc - rest, argv + rest);
	}
	free(args);
	return status;
}

int
main(int argc, char **argv)
{
	struct admin admin = {
		.config_path = YOUYUN_CONFDIR "/youyun.conf",
		.reason = ""
	};
	enum admin_exit status;

	/* For the width of names on the terminal; numbers stay in "C". */
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	log_open("youyunctl", LOG_TARGET_STDERR, LOG_LEVEL_WARNING);
	admin.actor = login_name();
	status = start(&admin, argc - 1, argv + 1);
	if (admin.db != NULL)
		db_close(&admin.db);
	free(admin.settings);
	if (fflush(stdout) != 0 && errno != EPIPE && status == ADMIN_OK) {
		complain("cannot write the output: %s", strerror(errno));
		status = ADMIN_FAILED;
	}
	return (int)status;
}
