/*
 * channel.h: what the commands about channels share.
 * Layer: admin.
 * Written by: the command that is running.
 */
#ifndef ADMIN_CHANNEL_H
#define ADMIN_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admin/admin.h"
#include "admin/args.h"
#include "admin/url.h"
#include "base/secret.h"
#include "db/queries.h"
#include "shm/catalogue.h"

/* A provider's key in full, 0-terminated; sealed it still fits the segment, as
 * does a proxy's. */
#define CREDENTIAL_BYTES (CHANNEL_CREDENTIAL_BYTES - SEAL_OVERHEAD + 1)

struct channel_name {
	char name[MODEL_NAME_BYTES];
	const char *upstream;
	bool priced;
};

struct channel_change {
	struct channel_row row;
	struct url url;
	char name[CHANNEL_NAME_BYTES];
	char ca[CHANNEL_CA_BYTES];
	char headers[CHANNEL_HEADERS_BYTES];
	bool sets_credential;		/* to what is in: */
	char credential[CREDENTIAL_BYTES];
	char proxy_auth[CREDENTIAL_BYTES];	/* "": none */
	bool sets_proxy;
	struct url proxy;		/* host "": none */
	const char *subprocessor;	/* NULL: as it is; "none" */
	bool no_subprocessor;		/* there is none of that name */
	bool sets_groups;
	int groups;
	const char *group[ARGS_MAX];
	struct secrets secrets;
	int64_t slots;
	bool added;		/* what is found missing now is a group */
	int models;
	struct channel_name *model;
	int removed;
	const char *remove[ARGS_MAX];
};

/*
 * The first line of a file; with NULL or "-" from the terminal (without
 * echo) or standard input.  Prints what is wrong.  The caller scrubs.
 */
bool	credential_read(const char *path, char credential_r[CREDENTIAL_BYTES])
	    __attribute__((warn_unused_result));
/* PEM certificates, at least one. */
bool	ca_read(const char *path, char *ca_r, size_t size)
	    __attribute__((warn_unused_result));

/* What add and set have in common: regions, headers, limits, the proxy … */
#define CHANNEL_BOUND_OPTIONS \
	{ "group", "GROUP", "only this group's calls may go by it; repeat it " \
	  "for more", true }, \
	{ "all-groups", NULL, "all groups' calls may go by it", false }, \
	{ "region", "TEXT", "where the provider processes what is sent", \
	  false }, \
	{ "entity", "TEXT", "the legal entity that processes it", false }, \
	{ "purpose", "TEXT", "what the channel is for", false }, \
	{ "subprocessor", "NAME", "who receives what is sent there; \"none\" " \
	  "for not said", false }, \
	{ "header", "HEADER", "\"Name: value\", added to every request " \
	  "there; these replace all former ones, \"\" removes them", true }, \
	{ "proxy", "URL", "http://host:port of an HTTP proxy to go through; " \
	  "\"none\" for none", false }, \
	{ "proxy-credential-file", "FILE", "its first line is user:password " \
	  "for the proxy", false }, \
	{ "connect-timeout", "DURATION", "for a connection; \"default\" is " \
	  "the setting's, as in the following", false }, \
	{ "first-byte-timeout", "DURATION", "for the answer's head", false }, \
	{ "first-token-timeout", "DURATION", "for a stream's first byte, " \
	  "before another channel is tried", false }, \
	{ "idle-timeout", "DURATION", "for a silence inside an answer", \
	  false }, \
	{ "total-timeout", "DURATION", "for a whole call", false }, \
	{ "max-concurrent", "COUNT", "calls at once; 0 is no limit", false }, \
	{ "max-per-minute", "COUNT", "calls a minute; 0 is no limit", false }, \
	{ "max-tokens-per-minute", "COUNT", "tokens of input and output; 0 is " \
	  "no limit", false }, \
	{ "max-per-day", "AMOUNT", "what its calls of a day (UTC) may be " \
	  "charged; 0 is no limit", false }, \
	{ "max-per-month", "AMOUNT", "likewise of a month", false }, \
	{ "responses", "HOW", "native, or translated to chat completions", \
	  false }

/* Reads those options, and the files that they name, into the change; what was
 * not given stays as it is.  The caller scrubs. */
enum admin_exit	channel_take_bounds(const struct args *args,
	    struct channel_change *c) __attribute__((warn_unused_result));
/* Within the transaction, once c->row.id and c->row.name are known. */
enum db_result	channel_put_bounds(struct db *db,
	    struct channel_change *c) __attribute__((warn_unused_result));

/* A number from 0 on; `absent` when it was not given. */
bool	channel_take_number(const struct args *args, const char *name,
	    int64_t absent, int64_t *number_r)
	    __attribute__((warn_unused_result));
/* NULL: fine; else why not. */
const char *channel_check_name(const char *name);

/* Finds the channel and keeps its name, which credentials are sealed to. */
enum admin_exit	channel_find(struct admin *admin, const char *who,
	    struct channel_change *c) __attribute__((warn_unused_result));

/* Within the transaction: seals a credential to its channel and stores it as
 * a new one, or (id != 0) in place of another. */
enum db_result	channel_put_credential(struct db *db,
	    const struct channel_change *c, const char *name, int64_t id)
	    __attribute__((warn_unused_result));

extern const struct opt channel_test_options[];
enum admin_exit	channel_test(struct admin *admin, const struct args *args);
enum admin_exit	channel_list(struct admin *admin, const struct args *args);
enum admin_exit	channel_show(struct admin *admin, const struct args *args);

#endif
