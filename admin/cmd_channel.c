/* channel: the operator's accounts with upstream providers. */
#include "admin/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/args.h"
#include "admin/channel.h"
#include "admin/check.h"
#include "admin/report.h"
#include "admin/url.h"
#include "admin/words.h"
#include "base/bytes.h"
#include "base/secret.h"
#include "conf/settings.h"
#include "db/queries.h"
#include "shm/catalogue.h"
#include "wire/route.h"

#define SLOTS_MAX INT64_C(32767)
#define FIRST_CREDENTIAL "main"

static const struct opt add_options[] = {
	{ "protocol", "PROTOCOL", "openai, anthropic or gemini", false },
	{ "url", "URL", "https://host[:port][/prefix], without /v1", false },
	{ "credential-file", "FILE", "its first line is the provider's key; "
	  "without it the key is asked for", false },
	{ "model", "NAME[=UPSTREAM]", "a model it serves, and the provider's "
	  "name of it", true },
	{ "ca", "FILE", "trust these certificates (PEM), not the system's",
	  false },
	{ "priority", "NUMBER", "lower is tried first; default 0", false },
	{ "weight", "NUMBER", "share among equals; default 1", false },
	CHANNEL_BOUND_OPTIONS,
	{ NULL, NULL, NULL, false }
};

static const struct opt set_options[] = {
	{ "priority", "NUMBER", "lower is tried first", false },
	{ "weight", "NUMBER", "share among equals", false },
	CHANNEL_BOUND_OPTIONS,
	{ "credential-file", "FILE", "its first line is the provider's new "
	  "key, in place of the first one; \"-\" asks for it", false },
	{ "model", "NAME[=UPSTREAM]", "serve this model too, or by another "
	  "name", true },
	{ "remove-model", "NAME", "don't serve this model any more", true },
	{ NULL, NULL, NULL, false }
};

/* "customer=upstream" or one name for both. */
static bool
take_model(const char *text, struct channel_name *model)
{
	const char *equals, *why;
	size_t len;

	equals = strchr(text, '=');
	len = equals != NULL ? (size_t)(equals - text) : strlen(text);
	if (len < sizeof model->name) {
		memcpy(model->name, text, len);
		model->name[len] = '\0';
		model->upstream = equals != NULL ? equals + 1 : model->name;
		why = check_model(model->name);
		if (why == NULL)
			why = check_model(model->upstream);
	} else {
		why = "a model's name has at most 127 bytes";
	}
	if (why == NULL)
		return true;
	complain("--model %s: %s", text, why);
	return false;
}

static bool
take_models(const struct args *args, struct channel_change *c)
{
	const char *text;

	c->model = calloc(ARGS_MAX, sizeof *c->model);
	if (c->model == NULL) {
		complain("out of memory");
		return false;
	}
	for (c->models = 0; (text = args_nth(args, "model", c->models)) != NULL;
	    c->models++)
		if (!take_model(text, &c->model[c->models]))
			return false;
	for (c->removed = 0; (text = args_nth(args, "remove-model",
	    c->removed)) != NULL; c->removed++)
		c->remove[c->removed] = text;
	return true;
}

static enum db_result
put_models(struct db *db, struct channel_change *c)
{
	enum db_result result;
	int64_t model_id;
	int i;

	for (i = 0; i < c->models; i++) {
		result = q_model_put(db, c->model[i].name, -1, &model_id);
		if (result == DB_OK)
			result = q_channel_model_put(db, c->row.id, model_id,
			    c->model[i].upstream);
		if (result != DB_OK)
			return result;
	}
	for (i = 0; i < c->removed; i++) {
		result = q_model_put(db, c->remove[i], -1, &model_id);
		if (result == DB_OK)
			result = q_channel_model_remove(db, c->row.id,
			    model_id);
		if (result != DB_OK)
			return result;
	}
	return DB_OK;
}

static enum db_result
add_body(struct db *db, void *arg)
{
	struct channel_change *c = arg;
	enum db_result result;

	result = q_channel_add(db, &c->row, c->slots, &c->row.id);
	c->added = result == DB_OK;
	if (result == DB_OK)
		result = channel_put_credential(db, c, FIRST_CREDENTIAL, 0);
	if (result == DB_OK)
		result = channel_put_bounds(db, c);
	return result == DB_OK ? put_models(db, c) : result;
}

/* In place of the first one, or as the first. */
static enum db_result
set_credential(struct db *db, const struct channel_change *c)
{
	enum db_result result;
	int64_t id;

	result = q_channel_credential_find(db, c->row.id, NULL, &id);
	if (result == DB_NONE)
		return channel_put_credential(db, c, FIRST_CREDENTIAL, 0);
	return result == DB_OK ? channel_put_credential(db, c, NULL, id) :
	    result;
}

static enum db_result
set_body(struct db *db, void *arg)
{
	struct channel_change *c = arg;
	enum db_result result;

	result = q_channel_set(db, c->row.id, c->row.status, c->row.priority,
	    c->row.weight);
	if (result == DB_OK && c->sets_credential)
		result = set_credential(db, c);
	c->added = result == DB_OK;
	if (result == DB_OK)
		result = channel_put_bounds(db, c);
	if (result == DB_OK) {
		c->added = false;
		result = put_models(db, c);
	}
	return result;
}

static enum admin_exit
check_add(const struct args *args, struct channel_change *c)
{
	const char *why, *text;

	c->row.name = args->word[0];
	why = channel_check_name(c->row.name);
	if (why != NULL) {
		complain("\"%s\": %s", c->row.name, why);
		return ADMIN_USAGE;
	}
	text = args_get(args, "protocol");
	c->row.protocol = text != NULL ? wire_protocol_parse(text) : 0;
	if (c->row.protocol == 0) {
		complain("--protocol %s: allowed are openai, anthropic and "
		    "gemini",
		    text != NULL ? text : "is missing");
		return ADMIN_USAGE;
	}
	text = args_get(args, "url");
	why = text != NULL ? url_parse(text, &c->url) : "is missing";
	if (why != NULL) {
		complain("--url %s: %s", text != NULL ? text : "URL", why);
		return ADMIN_USAGE;
	}
	c->row.host = c->url.host;
	c->row.port = c->url.port;
	c->row.tls = c->url.tls;
	c->row.base_path = c->url.path;
	if (!channel_take_number(args, "priority", 0, &c->row.priority) ||
	    !channel_take_number(args, "weight", 1, &c->row.weight) ||
	    !take_models(args, c))
		return ADMIN_USAGE;
	if (c->models > 0)
		return channel_take_bounds(args, c);
	complain("--model NAME[=UPSTREAM] is missing");
	return ADMIN_USAGE;
}

static enum admin_exit
no_such_group(void)
{
	complain("there is no such group as one of --group");
	hint("\"youyunctl group list\" lists them");
	return ADMIN_NOT_FOUND;
}

static enum admin_exit
no_such_subprocessor(const char *name)
{
	complain("there is no sub-processor \"%s\"", name);
	hint("\"youyunctl subprocessor add\" registers it and tells the "
	    "customers");
	return ADMIN_NOT_FOUND;
}

static enum admin_exit
add_failed(struct admin *admin, enum db_result result,
    const struct channel_change *c)
{
	if (result == DB_CONFLICT) {
		complain("there is a channel \"%s\" already", c->row.name);
		hint("\"youyunctl channel set %s\" changes it", c->row.name);
		return ADMIN_REFUSED;
	}
	if (result == DB_NONE && c->no_subprocessor)
		return no_such_subprocessor(c->subprocessor);
	if (result == DB_NONE && c->added)
		return no_such_group();
	if (result == DB_NONE) {
		complain("there are %lld channels, and no more fit",
		    (long long)c->slots);
		hint("raise max_channels in the configuration and restart "
		    "youyund");
		return ADMIN_REFUSED;
	}
	return admin_database_failed(admin, result, "add the channel");
}

static bool
mark_priced(const struct price_row *row, void *arg)
{
	struct channel_change *c = arg;
	int i;

	for (i = 0; i < c->models; i++)
		if (row->current && model_fit(row->model, c->model[i].name))
			c->model[i].priced = true;
	return true;
}

static void
warn_unpriced(struct admin *admin, struct channel_change *c)
{
	int i;

	if (admin->json || q_price_each(admin->db, NULL, mark_priced, c) !=
	    DB_OK)
		return;
	for (i = 0; i < c->models; i++)
		if (!c->model[i].priced)
			say(admin, "%s has no price yet, so calls to it are "
			    "refused; \"youyunctl price set %s\" sets one",
			    c->model[i].name, c->model[i].name);
}

static void
print_done(struct admin *admin, const struct channel_change *c,
    const char *done)
{
	struct record *record;

	if (admin->json) {
		record = record_open();
		record_number(record, "id", NULL, c->row.id);
		record_text(record, "name", NULL, c->row.name);
		record_print(&record, admin);
	}
	say(admin, "%s channel %s", done, c->row.name);
}

static enum admin_exit
add(struct admin *admin, const struct args *args, struct channel_change *c)
{
	enum admin_exit status;
	enum db_result result;

	status = check_add(args, c);
	if (status != ADMIN_OK)
		return status;
	c->row.ca = "";
	if (args_has(args, "ca") &&
	    !ca_read(args_get(args, "ca"), c->ca, sizeof c->ca))
		return ADMIN_USAGE;
	if (args_has(args, "ca"))
		c->row.ca = c->ca;
	status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	if (!credential_read(args_get(args, "credential-file"),
	    c->credential) || admin_secrets(admin, &c->secrets) != ADMIN_OK)
		return ADMIN_FAILED;
	c->slots = admin->settings->max_channels < SLOTS_MAX ?
	    admin->settings->max_channels : SLOTS_MAX;
	result = admin_change(admin, add_body, c);
	if (result != DB_OK)
		return add_failed(admin, result, c);
	print_done(admin, c, "added");
	warn_unpriced(admin, c);
	say(admin, "\"youyunctl channel test %s\" tries it", c->row.name);
	return ADMIN_OK;
}

/* The name that the credentials are sealed to. */
static bool
keep_name(const struct channel_row *row, void *arg)
{
	struct channel_change *c = arg;

	snprintf(c->name, sizeof c->name, "%s", row->name);
	c->row.name = c->name;
	return true;
}

enum admin_exit
channel_find(struct admin *admin, const char *who, struct channel_change *c)
{
	enum admin_exit status;

	status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_channel(admin, who, &c->row.id);
	if (status == ADMIN_OK)
		status = admin_database_failed(admin, q_channel_each(admin->db,
		    c->row.id, keep_name, c), "read the channel");
	return status;
}

static enum admin_exit
set_failed(struct admin *admin, enum db_result result,
    const struct channel_change *c)
{
	if (result == DB_NONE && c->no_subprocessor)
		return no_such_subprocessor(c->subprocessor);
	if (result == DB_NONE && c->added)
		return no_such_group();
	if (result == DB_NONE && c->removed > 0) {
		complain("%s does not serve one of the models to remove",
		    c->row.name);
		return ADMIN_NOT_FOUND;
	}
	return admin_database_failed(admin, result, "change the channel");
}

static enum admin_exit
set(struct admin *admin, const struct args *args, struct channel_change *c)
{
	enum admin_exit status;
	enum db_result result;

	c->row.status = -1;
	if (args->options == 0) {
		complain("nothing to change was given");
		hint("\"youyunctl channel set --help\" lists what can be");
		return ADMIN_USAGE;
	}
	if (!channel_take_number(args, "priority", -1, &c->row.priority) ||
	    !channel_take_number(args, "weight", -1, &c->row.weight) ||
	    !take_models(args, c) || channel_take_bounds(args, c) != ADMIN_OK)
		return ADMIN_USAGE;
	status = channel_find(admin, args->word[0], c);
	if (status != ADMIN_OK)
		return status;
	c->sets_credential = args_has(args, "credential-file");
	if (c->sets_credential &&
	    !credential_read(args_get(args, "credential-file"), c->credential))
		return ADMIN_FAILED;
	if ((c->sets_credential || c->sets_proxy) &&
	    admin_secrets(admin, &c->secrets) != ADMIN_OK)
		return ADMIN_FAILED;
	result = admin_change(admin, set_body, c);
	if (result != DB_OK)
		return set_failed(admin, result, c);
	print_done(admin, c, "changed");
	warn_unpriced(admin, c);
	return ADMIN_OK;
}

/* The struct is large; it lives no longer than its command. */
static enum admin_exit
with_change(struct admin *admin, const struct args *args,
    enum admin_exit (*job)(struct admin *, const struct args *,
    struct channel_change *))
{
	struct channel_change *c;
	enum admin_exit status;

	c = calloc(1, sizeof *c);
	if (c == NULL) {
		complain("out of memory");
		return ADMIN_FAILED;
	}
	status = job(admin, args, c);
	free(c->model);
	secrets_scrub(&c->secrets);
	bytes_scrub(c->credential, sizeof c->credential);
	bytes_scrub(c->proxy_auth, sizeof c->proxy_auth);
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

static enum db_result
switch_body(struct db *db, void *arg)
{
	const struct channel_change *c = arg;

	return q_channel_set(db, c->row.id, c->row.status, -1, -1);
}

static enum admin_exit
switch_to(struct admin *admin, const struct args *args,
    struct channel_change *c, int64_t status_now, const char *done)
{
	enum admin_exit status;
	enum db_result result;

	status = channel_find(admin, args->word[0], c);
	if (status != ADMIN_OK)
		return status;
	c->row.status = status_now;
	result = admin_change(admin, switch_body, c);
	if (result != DB_OK)
		return admin_database_failed(admin, result,
		    "change the channel");
	print_done(admin, c, done);
	return ADMIN_OK;
}

static enum admin_exit
disable(struct admin *admin, const struct args *args,
    struct channel_change *c)
{
	return switch_to(admin, args, c, CHANNEL_DISABLED, "disabled");
}

static enum admin_exit
enable(struct admin *admin, const struct args *args, struct channel_change *c)
{
	return switch_to(admin, args, c, CHANNEL_ACTIVE, "enabled");
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

static enum db_result
reset_body(struct db *db, void *arg)
{
	const struct channel_change *c = arg;

	return q_channel_reset(db, c->row.id);
}

static enum admin_exit
reset(struct admin *admin, const struct args *args, struct channel_change *c)
{
	enum admin_exit status;
	enum db_result result;

	status = channel_find(admin, args->word[0], c);
	if (status != ADMIN_OK)
		return status;
	result = admin_change(admin, reset_body, c);
	if (result != DB_OK)
		return admin_database_failed(admin, result,
		    "reset the channel");
	print_done(admin, c, "reset");
	return ADMIN_OK;
}

static enum admin_exit
run_reset(struct admin *admin, const struct args *args)
{
	return with_change(admin, args, reset);
}

const struct verb verbs_channel[] = {
	{ "channel", "add", "NAME", 1, 1,
	  "add an upstream provider's account",
	  "channel add main --protocol openai --url https://api.example.com "
	  "--credential-file key.txt --model gpt-4o=gpt-4o-2024-11-20",
	  add_options, run_add },
	{ "channel", "list", "", 0, 0,
	  "list the channels, what they serve, and how they are",
	  "channel list", NULL, channel_list },
	{ "channel", "show", "CHANNEL", 1, 1,
	  "show all of a channel, and why it is out",
	  "channel show main", NULL, channel_show },
	{ "channel", "set", "CHANNEL", 1, 1,
	  "change a channel's order, models, limits or the way there",
	  "channel set main --priority 1 --model gpt-4o-mini", set_options,
	  run_set },
	{ "channel", "test", "CHANNEL", 1, 1,
	  "send the provider one request (GET /v1/models) with the credential",
	  "channel test main", channel_test_options, channel_test },
	{ "channel", "disable", "CHANNEL", 1, 1,
	  "send no more calls to a channel",
	  "channel disable main --reason \"provider outage\"", NULL,
	  run_disable },
	{ "channel", "enable", "CHANNEL", 1, 1,
	  "send calls to a disabled channel again",
	  "channel enable main", NULL, run_enable },
	{ "channel", "reset", "CHANNEL", 1, 1,
	  "close its circuit breaker, and try its credentials again",
	  "channel reset main", NULL, run_reset },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
