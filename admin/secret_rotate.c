/*
 * secret rotate.  Each step leaves something that the next run goes on from,
 * wherever this one was killed: the file has the new key before anything is
 * sealed by it, workers have it before the database does, all rows change in
 * one transaction, and the old key stays.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/args.h"
#include "admin/report.h"
#include "admin/secret.h"
#include "base/bytes.h"
#include "shm/catalogue.h"

const struct opt seal_rotate_options[] = {
	{ "file", "FILE", "the secrets file, where systemd has a copy of it",
	  false },
	{ "copied", NULL, "the other nodes have the file with the new key",
	  false },
	{ NULL, NULL, NULL, false }
};

struct sealed {
	char kind[16], name[CHANNEL_NAME_BYTES];
	int64_t id;
	size_t bytes;
	uint8_t text[CHANNEL_CREDENTIAL_BYTES];
};

struct rotation {
	struct seal_state state;
	struct secrets derived;		/* for logins */
	struct sealed *sealed;
	size_t n;
	const struct sealed *bad;	/* can't be opened */
};

static bool
keep(const struct sealed_row *row, void *arg)
{
	struct rotation *r = arg;
	struct sealed *more = realloc(r->sealed, (r->n + 1) * sizeof(*more));
	struct sealed *s;

	if (more == NULL)
		abort();
	r->sealed = more;
	s = &more[r->n++];
	memset(s, 0, sizeof(*s));
	snprintf(s->kind, sizeof(s->kind), "%s", row->kind);
	snprintf(s->name, sizeof(s->name), "%s", row->name);
	s->id = row->id;
	s->bytes = row->sealed_bytes;
	if (s->bytes <= sizeof(s->text))
		memcpy(s->text, row->sealed, s->bytes);
	return true;
}

static void
context_of(const struct sealed *s, char context_r[CHANNEL_CONTEXT_BYTES])
{
	if (strcmp(s->kind, "credential") == 0)
		catalogue_credential_context(s->name, (uint64_t)s->id,
		    context_r);
	else if (strcmp(s->kind, "proxy") == 0)
		catalogue_proxy_context(s->name, context_r);
	else
		secret_totp_context(s->id, context_r);
}

_Static_assert(CHANNEL_CONTEXT_BYTES >= SECRET_CONTEXT_BYTES, "contexts");

/* In its place, sealed by the first key. */
static bool
seal_anew(const struct rotation *r, struct sealed *s)
{
	const struct secrets *secrets = strcmp(s->kind, "login") == 0 ?
	    &r->derived : &r->state.secrets;
	char context[CHANNEL_CONTEXT_BYTES];
	uint8_t plain[CHANNEL_CREDENTIAL_BYTES];
	bool ok;

	context_of(s, context);
	ok = s->bytes <= sizeof(s->text) && secret_unseal(secrets, context,
	    s->text, s->bytes, plain) && secret_seal(secrets, context, plain,
	    s->bytes - SEAL_OVERHEAD, s->text);
	bytes_scrub(plain, sizeof(plain));
	return ok;
}

static void
forget(struct rotation *r)
{
	free(r->sealed);
	r->sealed = NULL;
	r->n = 0;
}

static enum db_result
reseal_body(struct db *db, void *arg)
{
	struct rotation *r = arg;
	uint8_t id = r->state.secrets.seal[0].id;
	enum db_result result;

	forget(r);
	result = q_seal_use(db, id);
	if (result == DB_OK)
		result = q_sealed_others(db, id, keep, r);
	for (size_t i = 0; result == DB_OK && i < r->n; i++) {
		struct sealed *s = &r->sealed[i];
		struct sealed_row row = { s->kind, s->id, s->name, s->text,
			s->bytes };

		if (!seal_anew(r, s)) {
			r->bad = s;
			return DB_ERROR;
		}
		result = q_sealed_put(db, &row);
	}
	return result;
}

static enum admin_exit
reseal(struct admin *admin, struct rotation *r)
{
	enum db_result result;

	r->derived = r->state.secrets;
	secrets_derive_seal(&r->derived, SECRET_PORTAL_LABEL);
	result = admin_change(admin, reseal_body, r);
	secrets_scrub(&r->derived);
	if (r->bad == NULL)
		return admin_database_failed(admin, result,
		    "seal everything anew");
	complain("%s %lld of %s %s can't be opened with %s; nothing was "
	    "sealed anew", r->bad->kind, (long long)r->bad->id,
	    strcmp(r->bad->kind, "login") == 0 ? "customer" : "channel",
	    r->bad->name, r->state.path);
	hint("replace it (channel credential set, channel set --proxy, "
	    "customer totp-remove), or bring back the secrets file that has "
	    "its key");
	return ADMIN_FAILED;
}

/* A key of the file that the database doesn't know, or had retired. */
static uint8_t
spare(const struct seal_state *s)
{
	for (int i = 1; i < s->secrets.seals; i++) {
		const struct seal_key_row *k = seal_known(s,
		    s->secrets.seal[i].id);

		if (k == NULL || k->retired_us != 0)
			return s->secrets.seal[i].id;
	}
	return 0;
}

static bool
in_use(const struct seal_state *s, uint8_t id)
{
	const struct seal_key_row *k = seal_known(s, id);

	return k != NULL && k->retired_us == 0;
}

/* The others must have a key before anything is sealed by it. */
static enum admin_exit
ask_for_copies(struct admin *admin, const struct seal_state *s, uint8_t id)
{
	enum admin_exit status = seal_spread(admin, id);

	if (status != ADMIN_OK)
		return status;
	complain("key %u is in %s and seals nothing yet, because there are "
	    "%lld other nodes", (unsigned)id, s->path, (long long)s->others);
	hint("copy the file to each, reload youyund there, and run "
	    "\"youyunctl secret rotate --copied\"");
	return ADMIN_REFUSED;
}

static enum admin_exit
begin_new(struct admin *admin, struct seal_state *s, bool copied)
{
	enum admin_exit status;
	uint8_t id = spare(s);

	if (id == 0) {
		id = secrets_add_seal(&s->secrets);
		if (id == 0) {
			complain("%s has %d keys already", s->path, SEAL_KEYS);
			hint("\"youyunctl secret retire\" removes those that "
			    "nothing is sealed by");
			return ADMIN_REFUSED;
		}
		copied = false;
		if (s->others > 0) {
			status = seal_write(s);
			if (status != ADMIN_OK)
				return status;
		}
	}
	if (s->others > 0 && !copied)
		return ask_for_copies(admin, s, id);
	secrets_seal_by(&s->secrets, id);
	return seal_write(s);
}

/* Makes the key that is to seal the file's first. */
static enum admin_exit
choose(struct admin *admin, struct seal_state *s, bool copied)
{
	uint8_t first = s->secrets.seal[0].id, newest = seal_newest(s);

	/* A run that was killed behind its file, or before the end. */
	if (!in_use(s, first) || (first == newest &&
	    seal_others(s, first) > 0))
		return ADMIN_OK;
	if (first == newest || newest == 0)
		return begin_new(admin, s, copied);
	/* Another node went ahead. */
	if (secrets_find_seal(&s->secrets, newest) < 0) {
		complain("%s has no key %u, which seals now", s->path,
		    (unsigned)newest);
		hint("copy the secrets file of the node that made it");
		return ADMIN_REFUSED;
	}
	secrets_seal_by(&s->secrets, newest);
	return seal_write(s);
}

enum admin_exit
seal_rotate(struct admin *admin, const struct args *args)
{
	struct rotation *r = calloc(1, sizeof(*r));
	struct record *record;
	enum admin_exit status;
	uint8_t id = 0;

	if (r == NULL)
		abort();
	status = seal_open(admin, args_get(args, "file"), &r->state);
	if (status == ADMIN_OK)
		status = choose(admin, &r->state, args_has(args, "copied"));
	if (status == ADMIN_OK) {
		id = r->state.secrets.seal[0].id;
		status = seal_spread(admin, id);
	}
	if (status == ADMIN_OK)
		status = reseal(admin, r);
	if (status == ADMIN_OK && admin->json) {
		record = record_open();
		record_number(record, "key", NULL, id);
		record_number(record, "sealed_anew", NULL, (int64_t)r->n);
		record_print(&record, admin);
	} else if (status == ADMIN_OK) {
		say(admin, "key %u seals now; %zu secrets were sealed anew\n"
		    "The old key opens what backups have; \"youyunctl secret "
		    "retire\" removes it.", (unsigned)id, r->n);
	}
	forget(r);
	seal_close(&r->state);
	free(r);
	return status;
}
