/* channel list and channel test: what is there, and whether it works. */
#include "admin/channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/check.h"
#include "admin/probe.h"
#include "admin/report.h"
#include "admin/words.h"
#include "base/bytes.h"
#include "wire/route.h"

#define TIMEOUT_MS 10000
#define HEADERS_BYTES 2048

static const struct report_column columns[] = {
	{ "id", "ID", REPORT_NUMBER, false },
	{ "name", "CHANNEL", REPORT_TEXT, false },
	{ "protocol", "PROTOCOL", REPORT_TEXT, false },
	{ "url", "URL", REPORT_TEXT, false },
	{ "status", "STATUS", REPORT_TEXT, false },
	{ "priority", "PRIORITY", REPORT_NUMBER, false },
	{ "weight", "WEIGHT", REPORT_NUMBER, false },
	{ "models", "MODELS", REPORT_TEXT, false },
	{ "own_ca", NULL, REPORT_FLAG, false },
	{ "created", NULL, REPORT_TIME, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

/* "a,b=upstream-b" of each channel, gathered before the rows are made. */
struct served {
	int64_t channel_id;
	struct buf text;
};

struct listing {
	struct report *report;
	struct served *served;
	size_t channels;
	size_t room;
	bool failed;
};

static struct served *
served_by(struct listing *l, int64_t channel_id)
{
	struct served *more;
	size_t i;

	for (i = 0; i < l->channels; i++)
		if (l->served[i].channel_id == channel_id)
			return &l->served[i];
	if (l->channels == l->room) {
		l->room = l->room == 0 ? 16 : l->room * 2;
		more = realloc(l->served, l->room * sizeof *more);
		if (more == NULL)
			return NULL;
		l->served = more;
	}
	l->served[l->channels].channel_id = channel_id;
	buf_init(&l->served[l->channels].text, 1 << 20);
	return &l->served[l->channels++];
}

static bool
model_row(const struct channel_model_row *row, void *arg)
{
	struct listing *l = arg;
	struct served *s;
	bool same;

	s = served_by(l, row->channel_id);
	same = strcmp(row->model, row->upstream_name) == 0;
	if (s == NULL || !buf_printf(&s->text, "%s%s%s%s",
	    s->text.len > 0 ? "," : "", row->model, same ? "" : "=",
	    same ? "" : row->upstream_name))
		l->failed = true;
	return !l->failed;
}

static bool
channel_row(const struct channel_row *row, void *arg)
{
	char url[CHANNEL_HOST_BYTES + CHANNEL_PATH_BYTES + 32];
	struct listing *l = arg;
	struct served *s;
	bool v6, usual;

	v6 = strchr(row->host, ':') != NULL;
	usual = row->port == (row->tls ? 443 : 80);
	snprintf(url, sizeof url, "%s://%s%s%s", row->tls ? "https" : "http",
	    v6 ? "[" : "", row->host, v6 ? "]" : "");
	if (!usual)
		snprintf(url + strlen(url), sizeof url - strlen(url), ":%lld",
		    (long long)row->port);
	snprintf(url + strlen(url), sizeof url - strlen(url), "%s",
	    row->base_path);
	s = served_by(l, row->id);
	if (s == NULL || !buf_append(&s->text, "", 1)) {
		l->failed = true;
		return false;
	}
	report_number(l->report, row->id);
	report_text(l->report, row->name);
	report_text(l->report,
	    wire_protocol_name((enum wire_protocol)row->protocol));
	report_text(l->report, url);
	report_text(l->report, channel_status_name(row->status));
	report_number(l->report, row->priority);
	report_number(l->report, row->weight);
	report_text(l->report, buf_head(&s->text));
	report_flag(l->report, row->ca[0] != '\0');
	report_time(l->report, row->created_us);
	return true;
}

enum admin_exit
channel_list(struct admin *admin, const struct args *args)
{
	struct listing l;
	enum admin_exit status;
	size_t i;

	(void)args;
	memset(&l, 0, sizeof l);
	status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	l.report = report_list("channels", columns);
	status = admin_database_failed(admin, q_channel_model_each(admin->db,
	    0, model_row, &l), "list the channels' models");
	if (status == ADMIN_OK)
		status = admin_database_failed(admin, q_channel_each(admin->db,
		    0, channel_row, &l), "list the channels");
	if (status == ADMIN_OK && l.failed) {
		complain("out of memory");
		status = ADMIN_FAILED;
	}
	if (status == ADMIN_OK)
		report_print(&l.report, admin, "There is no channel yet; "
		    "\"youyunctl channel add NAME\" adds one.");
	else
		report_discard(&l.report);
	for (i = 0; i < l.channels; i++)
		buf_free(&l.served[i].text);
	free(l.served);
	return status;
}

const struct opt channel_test_options[] = {
	{ "timeout", "SECONDS", "give up after so long; default 10", false },
	{ NULL, NULL, NULL, false }
};

/* A copy of the row, for use after the query. */
struct target {
	char name[CHANNEL_NAME_BYTES];
	char host[CHANNEL_HOST_BYTES];
	char path[CHANNEL_PATH_BYTES + 16];
	char ca[CHANNEL_CA_BYTES];
	uint8_t sealed[CHANNEL_CREDENTIAL_BYTES];
	size_t sealed_bytes;
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
	if (row->credential_bytes <= sizeof t->sealed) {
		t->sealed_bytes = row->credential_bytes;
		memcpy(t->sealed, row->credential, row->credential_bytes);
	}
	return true;
}

/* The headers that carry the credential in this protocol. */
static bool
unseal(struct admin *admin, struct target *t)
{
	char credential[CREDENTIAL_BYTES];
	struct secrets secrets;
	size_t len;
	bool ok;

	if (admin_secrets(admin, &secrets) != ADMIN_OK)
		return false;
	ok = t->sealed_bytes > SEAL_OVERHEAD &&
	    secret_unseal(&secrets, t->name, t->sealed, t->sealed_bytes,
	    credential);
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
	if (status != ADMIN_OK)
		return status;
	if (!unseal(admin, t))
		return ADMIN_FAILED;
	memset(&probe, 0, sizeof probe);
	probe.host = t->host;
	probe.port = t->port;
	probe.tls = t->tls;
	probe.path = t->path;
	probe.headers = t->headers;
	probe.ca = t->ca;
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
	status = test(admin, args->word[0], (int)seconds * 1000, t);
	bytes_scrub(t, sizeof *t);
	free(t);
	return status;
}
