/* channel credential: a channel's keys with its provider. */
#include "admin/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/args.h"
#include "admin/channel.h"
#include "admin/channel_health.h"
#include "admin/report.h"
#include "admin/words.h"
#include "base/bytes.h"
#include "db/queries.h"

/* Everything here changes one credential of one channel. */
struct change {
	struct channel_change channel;
	const char *name;
	int64_t id;
	int64_t status;			/* -1: as it is */
	bool removes;
};

static enum db_result
body(struct db *db, void *arg)
{
	const struct change *c = arg;

	if (c->removes)
		return q_channel_credential_remove(db, c->id);
	if (c->status >= 0)
		return q_channel_credential_set(db, c->id, NULL, 0, c->status);
	return channel_put_credential(db, &c->channel, c->name, c->id);
}

static enum admin_exit
failed(struct admin *admin, enum db_result result, const struct change *c)
{
	if (result == DB_CONFLICT) {
		complain("%s has a credential \"%s\" already",
		    c->channel.row.name, c->name);
		hint("\"youyunctl channel credential set\" replaces it");
		return ADMIN_REFUSED;
	}
	if (result == DB_NONE && c->id == 0) {
		complain("%s has %d credentials, and no more fit",
		    c->channel.row.name, CHANNEL_CREDENTIALS);
		return ADMIN_REFUSED;
	}
	return admin_database_failed(admin, result, "change the credential");
}

static enum admin_exit
carry_out(struct admin *admin, struct change *c, const char *done)
{
	enum db_result result;

	result = admin_change(admin, body, c);
	if (result != DB_OK)
		return failed(admin, result, c);
	if (admin->json) {
		struct record *record = record_open();

		record_text(record, "channel", NULL, c->channel.row.name);
		record_text(record, "name", NULL, c->name);
		record_print(&record, admin);
	}
	say(admin, "%s credential %s of %s", done, c->name,
	    c->channel.row.name);
	return ADMIN_OK;
}

static enum admin_exit
find(struct admin *admin, const struct args *args, struct change *c)
{
	enum admin_exit status;
	enum db_result result;

	c->name = args->word[1];
	c->status = -1;
	status = channel_find(admin, args->word[0], &c->channel);
	if (status != ADMIN_OK)
		return status;
	result = q_channel_credential_find(admin->db, c->channel.row.id,
	    c->name, &c->id);
	if (result == DB_NONE) {
		complain("%s has no credential \"%s\"", c->channel.row.name,
		    c->name);
		hint("\"youyunctl channel credential list %s\" lists them",
		    c->channel.row.name);
		return ADMIN_NOT_FOUND;
	}
	return admin_database_failed(admin, result, "read the credential");
}

static enum admin_exit
read_key(struct admin *admin, const struct args *args, struct change *c)
{
	if (!credential_read(args_get(args, "credential-file"),
	    c->channel.credential) ||
	    admin_secrets(admin, &c->channel.secrets) != ADMIN_OK)
		return ADMIN_FAILED;
	return ADMIN_OK;
}

static enum admin_exit
add(struct admin *admin, const struct args *args, struct change *c)
{
	enum admin_exit status;
	const char *why;

	c->name = args->word[1];
	c->status = -1;
	why = channel_check_name(c->name);
	if (why != NULL) {
		complain("\"%s\": %s", c->name, why);
		return ADMIN_USAGE;
	}
	status = channel_find(admin, args->word[0], &c->channel);
	if (status == ADMIN_OK)
		status = read_key(admin, args, c);
	return status == ADMIN_OK ? carry_out(admin, c, "added") : status;
}

static enum admin_exit
set(struct admin *admin, const struct args *args, struct change *c)
{
	enum admin_exit status;

	status = find(admin, args, c);
	if (status == ADMIN_OK)
		status = read_key(admin, args, c);
	return status == ADMIN_OK ? carry_out(admin, c, "replaced") : status;
}

static enum admin_exit
disable(struct admin *admin, const struct args *args, struct change *c)
{
	enum admin_exit status;

	status = find(admin, args, c);
	c->status = CHANNEL_DISABLED;
	return status == ADMIN_OK ? carry_out(admin, c, "disabled") : status;
}

static enum admin_exit
enable(struct admin *admin, const struct args *args, struct change *c)
{
	enum admin_exit status;

	status = find(admin, args, c);
	c->status = CHANNEL_ACTIVE;
	return status == ADMIN_OK ? carry_out(admin, c, "enabled") : status;
}

static enum admin_exit
remove_it(struct admin *admin, const struct args *args, struct change *c)
{
	enum admin_exit status;

	status = find(admin, args, c);
	if (status != ADMIN_OK)
		return status;
	if (!admin_confirm(admin, "Remove it for good?"))
		return ADMIN_REFUSED;
	c->removes = true;
	return carry_out(admin, c, "removed");
}

static enum admin_exit
with_change(struct admin *admin, const struct args *args,
    enum admin_exit (*job)(struct admin *, const struct args *,
    struct change *))
{
	struct change *c;
	enum admin_exit status;

	c = calloc(1, sizeof *c);
	if (c == NULL) {
		complain("out of memory");
		return ADMIN_FAILED;
	}
	status = job(admin, args, c);
	secrets_scrub(&c->channel.secrets);
	bytes_scrub(c->channel.credential, sizeof c->channel.credential);
	free(c);
	return status;
}

static enum admin_exit
run_add(struct admin *admin, const struct args *args)
{
	return with_change(admin, args, add);
}

static enum admin_exit
run_set(struct admin *admin, const struct args *args)
{
	return with_change(admin, args, set);
}

static enum admin_exit
run_disable(struct admin *admin, const struct args *args)
{
	return with_change(admin, args, disable);
}

static enum admin_exit
run_enable(struct admin *admin, const struct args *args)
{
	return with_change(admin, args, enable);
}

static enum admin_exit
run_remove(struct admin *admin, const struct args *args)
{
	return with_change(admin, args, remove_it);
}

static enum admin_exit
list(struct admin *admin, const struct args *args, struct change *c)
{
	struct report *report = NULL;
	enum admin_exit status;

	status = channel_find(admin, args->word[0], &c->channel);
	if (status == ADMIN_OK)
		status = credential_report(admin, c->channel.row.id, &report);
	if (status == ADMIN_OK)
		report_print(&report, admin, "It has no credential, so no "
		    "call goes by it.");
	return status;
}

static enum admin_exit
run_list(struct admin *admin, const struct args *args)
{
	return with_change(admin, args, list);
}

static const struct opt key_options[] = {
	{ "credential-file", "FILE", "its first line is the provider's key; "
	  "without it the key is asked for", false },
	{ NULL, NULL, NULL, false }
};

const struct verb verbs_credential[] = {
	{ "channel", "credential add", "CHANNEL NAME", 2, 2,
	  "add another key of the operator's with the provider",
	  "channel credential add main second --credential-file key2.txt",
	  key_options, run_add },
	{ "channel", "credential list", "CHANNEL", 1, 1,
	  "list a channel's credentials and how they are",
	  "channel credential list main", NULL, run_list },
	{ "channel", "credential set", "CHANNEL NAME", 2, 2,
	  "put another key in a credential's place",
	  "channel credential set main second --credential-file new.txt",
	  key_options, run_set },
	{ "channel", "credential disable", "CHANNEL NAME", 2, 2,
	  "send no more calls by a credential",
	  "channel credential disable main second", NULL, run_disable },
	{ "channel", "credential enable", "CHANNEL NAME", 2, 2,
	  "send calls by a disabled credential again",
	  "channel credential enable main second", NULL, run_enable },
	{ "channel", "credential remove", "CHANNEL NAME", 2, 2,
	  "forget a credential",
	  "channel credential remove main second --yes", NULL, run_remove },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
