/* channel test: whether a channel works, asked once. */
#include "admin/channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/check.h"
#include "admin/probe.h"
#include "admin/report.h"
#include "base/bytes.h"
#include "wire/route.h"

#define TIMEOUT_MS 10000
#define HEADERS_BYTES 2048

const struct opt channel_test_options[] = {
	{ "timeout", "SECONDS", "give up after so long; default 10", false },
	{ "credential", "NAME", "by this credential; default: the first",
	  false },
	{ NULL, NULL, NULL, false }
};

/* A copy of the row, for use after the query. */
struct target {
	char name[CHANNEL_NAME_BYTES];
	char host[CHANNEL_HOST_BYTES];
	char path[CHANNEL_PATH_BYTES + 16];
	char ca[CHANNEL_CA_BYTES];
	const char *credential;		/* its name; NULL: the first */
	int64_t credential_id;
	uint8_t sealed[CHANNEL_CREDENTIAL_BYTES];
	size_t sealed_bytes;
	char proxy_host[CHANNEL_HOST_BYTES];
	int proxy_port;
	uint8_t proxy_sealed[CHANNEL_PROXY_AUTH_BYTES];
	size_t proxy_sealed_bytes;
	char proxy_auth[CHANNEL_PROXY_AUTH_BYTES];
	char headers[HEADERS_BYTES];
	int port;
	bool tls;
	int64_t protocol;
};

static bool
keep_row(const struct channel_row *row, void *arg)
{
	struct target *t = arg;

	snprintf(t->name, sizeof t->name, "%s", row->name);
	snprintf(t->host, sizeof t->host, "%s", row->host);
	snprintf(t->path, sizeof t->path, "%s/v1/models", row->base_path);
	snprintf(t->ca, sizeof t->ca, "%s", row->ca);
	t->port = (int)row->port;
	t->tls = row->tls;
	t->protocol = row->protocol;
	snprintf(t->proxy_host, sizeof t->proxy_host, "%s", row->proxy_host);
	t->proxy_port = (int)row->proxy_port;
	if (row->proxy_auth_bytes <= sizeof t->proxy_sealed) {
		t->proxy_sealed_bytes = row->proxy_auth_bytes;
		memcpy(t->proxy_sealed, row->proxy_auth,
		    row->proxy_auth_bytes);
	}
	return true;
}

static bool
keep_sealed(const struct channel_credential_row *row, void *arg)
{
	struct target *t = arg;

	if (t->credential != NULL && strcmp(t->credential, row->name) != 0)
		return true;
	if (row->sealed_bytes <= sizeof t->sealed) {
		t->credential_id = row->id;
		t->sealed_bytes = row->sealed_bytes;
		memcpy(t->sealed, row->sealed, row->sealed_bytes);
	}
	return false;
}

static bool
unseal_proxy(const struct secrets *secrets, struct target *t)
{
	char context[CHANNEL_CONTEXT_BYTES];

	if (t->proxy_sealed_bytes <= SEAL_OVERHEAD)
		return t->proxy_sealed_bytes == 0;
	catalogue_proxy_context(t->name, context);
	/* The struct was zeroed, and the seal is longer than what is in it. */
	return secret_unseal(secrets, context, t->proxy_sealed,
	    t->proxy_sealed_bytes, t->proxy_auth);
}

/* The headers that carry the credential in this protocol. */
static bool
unseal(struct admin *admin, struct target *t)
{
	char credential[CREDENTIAL_BYTES], context[CHANNEL_CONTEXT_BYTES];
	struct secrets secrets;
	size_t len;
	bool ok;

	catalogue_credential_context(t->name, (uint64_t)t->credential_id,
	    context);
	if (admin_secrets(admin, &secrets) != ADMIN_OK)
		return false;
	ok = t->sealed_bytes > SEAL_OVERHEAD &&
	    secret_unseal(&secrets, context, t->sealed, t->sealed_bytes,
	    credential) && unseal_proxy(&secrets, t);
	secrets_scrub(&secrets);
	if (!ok) {
		complain("the credential of %s can't be unsealed with this "
		    "secrets file", t->name);
		hint("store it again: youyunctl channel set %s "
		    "--credential-file FILE", t->name);
		return false;
	}
	len = t->sealed_bytes - SEAL_OVERHEAD;
	credential[len] = '\0';
	if (t->protocol == WIRE_ANTHROPIC)
		snprintf(t->headers, sizeof t->headers, "x-api-key: %s\r\n"
		    "anthropic-version: 2023-06-01\r\n", credential);
	else if (t->protocol == WIRE_GEMINI)
		snprintf(t->headers, sizeof t->headers,
		    "x-goog-api-key: %s\r\n", credential);
	else
		snprintf(t->headers, sizeof t->headers,
		    "Authorization: Bearer %s\r\n", credential);
	bytes_scrub(credential, sizeof credential);
	return true;
}

static void
print_probe(const struct admin *admin, const struct target *t,
    const struct probe *p, bool answered)
{
	struct record *r;

	r = record_open();
	record_text(r, "channel", "Channel", t->name);
	record_flag(r, "ok", NULL, answered && p->status == 200);
	if (p->address[0] != '\0')
		record_text(r, "address", "Address", p->address);
	if (p->connect_us > 0)
		record_number(r, "connect_us", "Connected, us",
		    p->connect_us);
	if (p->tls_us > 0) {
		record_text(r, "tls", "TLS", p->tls_version);
		record_text(r, "cipher", "Cipher", p->tls_cipher);
		record_number(r, "tls_us", "TLS done, us", p->tls_us);
	} else if (!t->tls) {
		record_none(r, "tls", "TLS");
	}
	if (answered) {
		record_number(r, "status", "HTTP status", p->status);
		record_number(r, "answer_us", "Answered, us", p->answer_us);
	} else {
		record_text(r, "error", "Failed", p->why);
	}
	record_print(&r, admin);
}

static enum admin_exit
judge(const struct target *t, const struct probe *p, bool answered)
{
	if (!answered) {
		complain("%s does not work: %s", t->name, p->why);
		return ADMIN_FAILED;
	}
	if (p->status == 200)
		return ADMIN_OK;
	complain("%s answered with %d", t->name, p->status);
	if (p->status == 401 || p->status == 403)
		hint("it refuses the credential: youyunctl channel set %s "
		    "--credential-file FILE", t->name);
	else if (p->status == 404)
		hint("is the URL's path right?");
	return ADMIN_FAILED;
}

static enum admin_exit
test(struct admin *admin, const char *who, int timeout_ms, struct target *t)
{
	struct probe probe;
	enum admin_exit status;
	int64_t id;
	bool answered;

	status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_channel(admin, who, &id);
	if (status == ADMIN_OK)
		status = admin_database_failed(admin, q_channel_each(admin->db,
		    id, keep_row, t), "read the channel");
	if (status == ADMIN_OK)
		status = admin_database_failed(admin,
		    q_channel_credential_each(admin->db, id, keep_sealed, t),
		    "read the credential");
	if (status != ADMIN_OK)
		return status;
	if (t->sealed_bytes == 0) {
		complain("%s has no %s%s", t->name, t->credential != NULL ?
		    "credential " : "credential", t->credential != NULL ?
		    t->credential : "");
		hint("\"youyunctl channel credential add %s NAME\" adds one",
		    t->name);
		return ADMIN_NOT_FOUND;
	}
	if (!unseal(admin, t))
		return ADMIN_FAILED;
	memset(&probe, 0, sizeof probe);
	probe.host = t->host;
	probe.port = t->port;
	probe.tls = t->tls;
	probe.path = t->path;
	probe.headers = t->headers;
	probe.ca = t->ca;
	probe.proxy_host = t->proxy_host;
	probe.proxy_port = t->proxy_port;
	probe.proxy_auth = t->proxy_auth;
	probe.timeout_ms = timeout_ms;
	answered = probe_run(&probe);
	print_probe(admin, t, &probe, answered);
	return judge(t, &probe, answered);
}

enum admin_exit
channel_test(struct admin *admin, const struct args *args)
{
	struct target *t;
	enum admin_exit status;
	const char *text;
	int64_t seconds;

	seconds = TIMEOUT_MS / 1000;
	text = args_get(args, "timeout");
	if (text != NULL && (!check_number(text, &seconds) || seconds > 600)) {
		complain("--timeout %s: allowed are 1 to 600", text);
		return ADMIN_USAGE;
	}
	t = calloc(1, sizeof *t);
	if (t == NULL) {
		complain("out of memory");
		return ADMIN_FAILED;
	}
	t->credential = args_get(args, "credential");
	status = test(admin, args->word[0], (int)seconds * 1000, t);
	bytes_scrub(t, sizeof *t);
	free(t);
	return status;
}
