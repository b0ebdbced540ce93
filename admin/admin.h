/*
 * admin.h: what every command of youyunctl is given, and how it ends.
 * Layer: admin.
 * Written by: main, before the command runs; the command opens what it needs.
 */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/staff.h"
#include "db/connection.h"

struct args;
struct key_hasher;
struct opt;
struct secrets;
struct service_user;
struct settings;

/* Exit codes; scripts rely on them, and the man page lists them. */
enum admin_exit {
	ADMIN_OK = 0,
	ADMIN_FAILED = 1,	/* it was tried and did not work */
	ADMIN_USAGE = 2,	/* what was typed makes no sense */
	ADMIN_NOT_FOUND = 3,	/* no such customer, key, channel, … */
	ADMIN_REFUSED = 4,	/* a conflict, or a rule forbids it */
	ADMIN_DATABASE_AWAY = 5	/* PostgreSQL can't be reached */
};

struct admin {
	const char *config_path;
	bool json;
	bool yes;		/* don't ask */
	const char *actor;	/* who; for the audit row */
	const char *reason;	/* why; "" when nothing was said */
	const char *profile_wanted;	/* --profile; NULL: none */
	enum staff_profile profile;	/* admin_settings() */
	const struct verb *running;
	const struct args *args;	/* the running verb's */
	struct settings *settings;	/* admin_settings() */
	struct db *db;			/* admin_database() */
};

/* One command.  The tables of cmd_*.c end with a row whose noun is NULL. */
struct verb {
	const char *noun;
	const char *verb;	/* NULL: the noun alone is the command */
	const char *arguments;	/* "CUSTOMER AMOUNT"; options are added */
	int args_min;
	int args_max;
	const char *summary;	/* one line */
	const char *example;	/* what follows "youyunctl " */
	const struct opt *options;	/* NULL: none */
	enum admin_exit (*run)(struct admin *admin, const struct args *args);
};

extern const struct verb verbs_init[];
extern const struct verb verbs_customer[];
extern const struct verb verbs_login[];	/* customer login, … */
extern const struct verb verbs_invitation[];
extern const struct verb verbs_closing[];	/* customer close … export */
extern const struct verb verbs_credit[];
extern const struct verb verbs_refund[];
extern const struct verb verbs_package[];
extern const struct verb verbs_code[];
extern const struct verb verbs_payment[];
extern const struct verb verbs_ticket[];
extern const struct verb verbs_key[];
extern const struct verb verbs_group[];
extern const struct verb verbs_limit[];
extern const struct verb verbs_allow[];	/* customer, key allow */
extern const struct verb verbs_screen[];
extern const struct verb verbs_moderation[];
extern const struct verb verbs_price[];
extern const struct verb verbs_cost[];
extern const struct verb verbs_channel[];
extern const struct verb verbs_credential[];	/* channel credential … */
extern const struct verb verbs_subprocessor[];
extern const struct verb verbs_incident[];
extern const struct verb verbs_request[];
extern const struct verb verbs_retention[];
extern const struct verb verbs_hold[];
extern const struct verb verbs_compliance[];
extern const struct verb verbs_calls[];
extern const struct verb verbs_secret[];
extern const struct verb verbs_audit[];
extern const struct verb verbs_event[];
extern const struct verb verbs_risk[];
extern const struct verb verbs_bill[];
extern const struct verb verbs_margin[];
extern const struct verb verbs_balance[];
extern const struct verb verbs_node[];
extern const struct verb verbs_verify[];
extern const struct verb verbs_attest[];
extern const struct verb verbs_status[];
extern const struct verb verbs_top[];
extern const struct verb verbs_journal[];
extern const struct verb verbs_complete[];
extern const struct verb verbs_help[];

/* All of them, in the order of `youyunctl help`; ends with NULL. */
extern const struct verb *const verb_tables[];

/* "youyunctl: …" on standard error; PostgreSQL's wording, one line. */
void	complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* What to do about it: "  hint: …". */
void	hint(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Progress and results for people; nothing with --json. */
void	say(const struct admin *admin, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/*
 * Opened once, closed by main.  On anything but ADMIN_OK the reason has been
 * printed.  admin_database() connects as youyun_admin.
 */
enum admin_exit	admin_settings(struct admin *admin)
	    __attribute__((warn_unused_result));
enum admin_exit	admin_database(struct admin *admin)
	    __attribute__((warn_unused_result));
/* For what is also of use without: false, and that it is away isn't told. */
bool	admin_database_try(struct admin *admin);
/* The caller scrubs. */
enum admin_exit	admin_secrets(struct admin *admin, struct secrets *secrets_r)
	    __attribute__((warn_unused_result));

/* For digests of what customers are given; key_hasher_close() it. */
enum admin_exit	admin_hasher(struct admin *admin,
	    struct key_hasher **hasher_r) __attribute__((warn_unused_result));

/* Whose files the service's are; admin_settings() first. */
enum admin_exit	admin_service_user(struct admin *admin,
	    struct service_user *user_r) __attribute__((warn_unused_result));

/*
 * One transaction as that actor, with that reason: admin_database() first.
 * body is as for db_transaction().
 */
typedef enum db_result admin_body(struct db *db, void *arg);
enum db_result	admin_change(struct admin *admin, admin_body *body, void *arg)
	    __attribute__((warn_unused_result));

/* What a database result that the command has no words of its own for comes
 * to; prints it.  doing: "add the customer". */
enum admin_exit	admin_database_failed(struct admin *admin,
	    enum db_result result, const char *doing);

/* By name or number.  ADMIN_NOT_FOUND suggests one. */
enum admin_exit	admin_customer(struct admin *admin, const char *who,
	    int64_t *id_r) __attribute__((warn_unused_result));
enum admin_exit	admin_channel(struct admin *admin, const char *who,
	    int64_t *id_r) __attribute__((warn_unused_result));

/* Asks on the terminal unless --yes; a script without a terminal is not
 * asked.  False: don't. */
bool	admin_confirm(const struct admin *admin, const char *question);

#endif
