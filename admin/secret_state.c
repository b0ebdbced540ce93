#include "admin/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "conf/settings.h"
#include "db/queries.h"

static bool
take_key(const struct seal_key_row *row, void *arg)
{
	struct seal_state *s = arg;

	if (s->keys < SEAL_KEYS_EVER)
		s->key[s->keys++] = *row;
	return true;
}

struct nodes {
	const char *own;
	int64_t others;
};

/* One that is stopped starts again with the file that it has. */
static bool
count_node(const struct node_row *row, void *arg)
{
	struct nodes *n = arg;
	char *end;
	long long number = strtoll(n->own, &end, 10);
	bool own = strcmp(row->name, n->own) == 0 ||
	    (*end == '\0' && number == row->id);

	if (!own && row->fenced_us == 0)
		n->others++;
	return true;
}

enum admin_exit
seal_read(struct admin *admin, struct seal_state *state)
{
	struct nodes nodes = { admin->settings->node, 0 };
	enum db_result result;

	state->keys = 0;
	result = q_seal_key_each(admin->db, take_key, state);
	if (result == DB_OK)
		result = q_node_each(admin->db, count_node, &nodes);
	state->others = nodes.others;
	return admin_database_failed(admin, result, "read the sealing keys");
}

enum admin_exit
seal_open(struct admin *admin, const char *file, struct seal_state *state_r)
{
	enum admin_exit status = admin_database(admin);
	int64_t locked;

	memset(state_r, 0, sizeof(*state_r));
	if (status != ADMIN_OK)
		return status;
	if (file != NULL)
		snprintf(admin->settings->secrets_file,
		    sizeof(admin->settings->secrets_file), "%s", file);
	snprintf(state_r->path, sizeof(state_r->path), "%s",
	    admin->settings->secrets_file);
	status = admin_database_failed(admin, q_seal_lock(admin->db, &locked),
	    "lock the sealing keys");
	if (status == ADMIN_OK && locked == 0) {
		complain("another youyunctl changes the sealing keys now");
		status = ADMIN_REFUSED;
	}
	if (status == ADMIN_OK)
		status = admin_secrets(admin, &state_r->secrets);
	if (status == ADMIN_OK)
		status = seal_read(admin, state_r);
	return status;
}

void
seal_close(struct seal_state *state)
{
	secrets_scrub(&state->secrets);
}

const struct seal_key_row *
seal_known(const struct seal_state *state, int64_t id)
{
	for (size_t i = 0; i < state->keys; i++)
		if (state->key[i].id == id && state->key[i].made_us != 0)
			return &state->key[i];
	return NULL;
}

int64_t
seal_others(const struct seal_state *state, uint8_t id)
{
	int64_t n = 0;

	for (size_t i = 0; i < state->keys; i++)
		if (state->key[i].id != id)
			n += state->key[i].credentials +
			    state->key[i].proxies + state->key[i].logins;
	return n;
}

uint8_t
seal_newest(const struct seal_state *state)
{
	for (size_t i = 0; i < state->keys; i++)
		if (state->key[i].made_us != 0 &&
		    state->key[i].retired_us == 0)
			return (uint8_t)state->key[i].id;
	return 0;
}

enum admin_exit
seal_write(const struct seal_state *state)
{
	if (secrets_replace(state->path, &state->secrets) == SECRET_OK)
		return ADMIN_OK;
	complain("cannot write %s: %s", state->path, strerror(errno));
	if (strncmp(state->path, "/run/credentials/", 17) == 0 ||
	    errno == EROFS)
		hint("it is systemd's copy; name the file that LoadCredential= "
		    "takes it from with --file, and restart the unit");
	return ADMIN_FAILED;
}
