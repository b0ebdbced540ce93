/* channel list and channel show: what is there, and how it is. */
#include "admin/channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/channel_health.h"
#include "admin/report.h"
#include "admin/words.h"
#include "base/bytes.h"
#include "wire/route.h"

#define URL_BYTES (CHANNEL_HOST_BYTES + CHANNEL_PATH_BYTES + 32)

static const struct report_column columns[] = {
	{ "id", "ID", REPORT_NUMBER, false },
	{ "name", "CHANNEL", REPORT_TEXT, false },
	{ "protocol", "PROTOCOL", REPORT_TEXT, false },
	{ "url", "URL", REPORT_TEXT, false },
	{ "status", "STATUS", REPORT_TEXT, false },
	{ "priority", "PRIORITY", REPORT_NUMBER, false },
	{ "weight", "WEIGHT", REPORT_NUMBER, false },
	{ "health", "HEALTH", REPORT_TEXT, false },
	{ "why", "WHY", REPORT_TEXT, true },
	{ "open", "OPEN", REPORT_NUMBER, true },
	{ "p50_ms", "P50", REPORT_NUMBER, true },
	{ "p99_ms", "P99", REPORT_NUMBER, true },
	{ "error_percent", "ERR%", REPORT_NUMBER, true },
	{ "models", "MODELS", REPORT_TEXT, false },
	{ "answers", NULL, REPORT_NUMBER, false },
	{ "faults", NULL, REPORT_NUMBER, false },
	{ "opened", NULL, REPORT_NUMBER, false },
	{ "recent_calls", NULL, REPORT_NUMBER, false },
	{ "recent_faults", NULL, REPORT_NUMBER, false },
	{ "region", NULL, REPORT_TEXT, false },
	{ "entity", NULL, REPORT_TEXT, false },
	{ "purpose", NULL, REPORT_TEXT, false },
	{ "subprocessor", NULL, REPORT_TEXT, false },
	{ "groups", NULL, REPORT_TEXT, false },
	{ "max_concurrent", NULL, REPORT_NUMBER, false },
	{ "max_per_minute", NULL, REPORT_NUMBER, false },
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
	const struct shm *shm;
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

static void
format_url(const struct channel_row *row, char url[URL_BYTES])
{
	bool v6 = strchr(row->host, ':') != NULL;
	bool usual = row->port == (row->tls ? 443 : 80);

	snprintf(url, URL_BYTES, "%s://%s%s%s", row->tls ? "https" : "http",
	    v6 ? "[" : "", row->host, v6 ? "]" : "");
	if (!usual)
		snprintf(url + strlen(url), URL_BYTES - strlen(url), ":%lld",
		    (long long)row->port);
	snprintf(url + strlen(url), URL_BYTES - strlen(url), "%s",
	    row->base_path);
}

static void
text_or_none(struct report *report, const char *text)
{
	if (text != NULL && text[0] != '\0')
		report_text(report, text);
	else
		report_none(report);
}

static void
add_latency(struct report *report, const struct health *h, uint32_t percent)
{
	int64_t ms = channel_latency_percentile_ms(h->view.latency, percent);

	if (h->known && ms >= 0)
		report_number(report, ms);
	else
		report_none(report);
}

static void
number_if(struct report *report, bool known, uint64_t n)
{
	if (known)
		report_number(report, (int64_t)n);
	else
		report_none(report);
}

static void
add_health(struct report *report, const struct channel_row *row,
    const struct health *h)
{
	bool waits = row->subprocessor_why[0] != '\0';

	text_or_none(report, row->status == CHANNEL_DISABLED ? "disabled" :
	    waits ? "left out" : h->word);
	text_or_none(report, waits ? row->subprocessor_why : h->why);
	number_if(report, h->known, h->view.open);
	add_latency(report, h, 50);
	add_latency(report, h, 99);
	number_if(report, h->known, (uint64_t)health_error_percent(&h->view));
}

static bool
channel_row(const struct channel_row *row, void *arg)
{
	const struct channel_bounds *b = &row->bounds;
	char url[URL_BYTES];
	struct listing *l = arg;
	struct health h;
	struct served *s;

	format_url(row, url);
	s = served_by(l, row->id);
	if (s == NULL || !buf_append(&s->text, "", 1)) {
		l->failed = true;
		return false;
	}
	health_of_channel(l->shm, row->slot, row->id, &h);
	report_number(l->report, row->id);
	report_text(l->report, row->name);
	report_text(l->report,
	    wire_protocol_name((enum wire_protocol)row->protocol));
	report_text(l->report, url);
	report_text(l->report, channel_status_name(row->status));
	report_number(l->report, row->priority);
	report_number(l->report, row->weight);
	add_health(l->report, row, &h);
	report_text(l->report, buf_head(&s->text));
	number_if(l->report, h.known, h.view.answers);
	number_if(l->report, h.known, h.view.faults);
	number_if(l->report, h.known, h.view.opened);
	number_if(l->report, h.known, h.view.window_calls);
	number_if(l->report, h.known, h.view.window_failures);
	text_or_none(l->report, b->region);
	text_or_none(l->report, b->entity);
	text_or_none(l->report, b->purpose);
	text_or_none(l->report, row->subprocessor);
	text_or_none(l->report, row->groups);
	report_number(l->report, b->max_concurrent);
	report_number(l->report, b->max_per_minute);
	report_flag(l->report, row->ca[0] != '\0');
	report_time(l->report, row->created_us);
	return true;
}

enum admin_exit
channel_list(struct admin *admin, const struct args *args)
{
	struct listing l;
	enum admin_exit status;
	struct shm *shm;
	size_t i;

	(void)args;
	memset(&l, 0, sizeof l);
	status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	shm = health_open(admin);
	l.shm = shm;
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
	health_close(&shm);
	return status;
}

struct showing {
	struct record *record;
	const struct shm *shm;
	struct buf models;
	bool failed;
};

static void
text_if(struct record *r, const char *key, const char *label,
    const char *text)
{
	if (text[0] != '\0')
		record_text(r, key, label, text);
	else
		record_none(r, key, label);
}

static void
show_health(struct record *r, const struct health *h)
{
	static const uint32_t percents[] = { 50, 90, 99 };
	char key[32], label[48];
	size_t i;

	if (!h->known) {
		record_none(r, "health", "Health");
		return;
	}
	record_text(r, "health", "Health", h->word);
	text_if(r, "why", "  because", h->why);
	record_number(r, "open", "Calls open now", h->view.open);
	record_number(r, "answers", "Answers", (int64_t)h->view.answers);
	record_number(r, "faults", "Failures", (int64_t)h->view.faults);
	record_number(r, "opened", "Taken out so often",
	    (int64_t)h->view.opened);
	for (i = 0; i < sizeof percents / sizeof percents[0]; i++) {
		int64_t ms = channel_latency_percentile_ms(h->view.latency,
		    percents[i]);

		snprintf(key, sizeof key, "p%u_ms", percents[i]);
		snprintf(label, sizeof label, "First byte, %u%%, ms",
		    percents[i]);
		if (ms >= 0)
			record_number(r, key, label, ms);
	}
}

static void
show_cap(struct record *r, const char *key, const char *label, int64_t nano)
{
	if (nano != 0)
		record_money(r, key, label, nano);
	else
		record_none(r, key, NULL);
}

static void
show_bounds(struct record *r, const struct channel_row *row)
{
	const struct channel_bounds *b = &row->bounds;
	const struct {
		const char *key, *label;
		int64_t n;
	} shown[] = {
		{ "connect_ms", "Connect timeout, ms", b->connect_ms },
		{ "first_byte_ms", "First byte timeout, ms",
		  b->first_byte_ms },
		{ "first_token_ms", "First token timeout, ms",
		  b->first_token_ms },
		{ "idle_ms", "Idle timeout, ms", b->idle_ms },
		{ "total_ms", "Total timeout, ms", b->total_ms },
		{ "max_concurrent", "Calls at once", b->max_concurrent },
		{ "max_per_minute", "Calls a minute", b->max_per_minute },
		{ "max_tokens_per_minute", "Tokens a minute", b->max_tokens }
	};
	size_t i;

	record_text(r, "responses", "Responses",
	    b->translates_responses > 0 ? "translated" : "native");
	/* 0 stands for the setting's, and for no limit. */
	for (i = 0; i < sizeof shown / sizeof shown[0]; i++)
		if (shown[i].n != 0)
			record_number(r, shown[i].key, shown[i].label,
			    shown[i].n);
		else
			record_none(r, shown[i].key, NULL);
	show_cap(r, "max_per_day", "May cost a day", b->max_day_nano);
	show_cap(r, "max_per_month", "May cost a month", b->max_month_nano);
}

static bool
show_row(const struct channel_row *row, void *arg)
{
	struct showing *s = arg;
	struct record *r = s->record;
	char url[URL_BYTES], proxy[CHANNEL_HOST_BYTES + 16] = "";
	struct health h;

	format_url(row, url);
	if (row->proxy_host[0] != '\0')
		snprintf(proxy, sizeof proxy, "http://%s:%lld",
		    row->proxy_host, (long long)row->proxy_port);
	health_of_channel(s->shm, row->slot, row->id, &h);
	record_number(r, "id", "Number", row->id);
	record_text(r, "name", "Channel", row->name);
	record_text(r, "protocol", "Protocol",
	    wire_protocol_name((enum wire_protocol)row->protocol));
	record_text(r, "url", "URL", url);
	record_text(r, "status", "Status", channel_status_name(row->status));
	record_number(r, "priority", "Priority", row->priority);
	record_number(r, "weight", "Weight", row->weight);
	text_if(r, "groups", "Only for groups", row->groups);
	text_if(r, "region", "Region", row->bounds.region);
	text_if(r, "entity", "Legal entity", row->bounds.entity);
	text_if(r, "purpose", "Purpose", row->bounds.purpose);
	text_if(r, "subprocessor", "Sub-processor", row->subprocessor);
	text_if(r, "left_out", "  left out", row->subprocessor_why);
	text_if(r, "headers", "Added headers", row->bounds.headers);
	text_if(r, "proxy", "Proxy", proxy);
	record_flag(r, "proxy_credential", NULL, row->proxy_auth_bytes > 0);
	record_flag(r, "own_ca", "Own certificates", row->ca[0] != '\0');
	show_bounds(r, row);
	show_health(r, &h);
	record_time(r, "created", "Added (UTC)", row->created_us);
	return true;
}

static bool
show_model(const struct channel_model_row *row, void *arg)
{
	struct showing *s = arg;

	s->failed = !buf_printf(&s->models, "%s%s=%s",
	    s->models.len > 0 ? "," : "", row->model, row->upstream_name);
	return !s->failed;
}

enum admin_exit
channel_show(struct admin *admin, const struct args *args)
{
	struct showing s = { .record = NULL };
	struct report *credentials = NULL;
	enum admin_exit status;
	struct shm *shm;
	int64_t id;

	status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_channel(admin, args->word[0], &id);
	if (status != ADMIN_OK)
		return status;
	shm = health_open(admin);
	s.shm = shm;
	s.record = record_open();
	buf_init(&s.models, 1 << 20);
	status = admin_database_failed(admin, q_channel_each(admin->db, id,
	    show_row, &s), "read the channel");
	if (status == ADMIN_OK)
		status = admin_database_failed(admin,
		    q_channel_model_each(admin->db, id, show_model, &s),
		    "read the channel's models");
	if (status == ADMIN_OK)
		status = credential_report(admin, id, &credentials);
	health_close(&shm);
	if (status == ADMIN_OK && buf_append(&s.models, "", 1)) {
		record_text(s.record, "models", "Models",
		    buf_head(&s.models));
		if (admin->json)
			record_list(s.record, &credentials);
		record_print(&s.record, admin);
		if (!admin->json) {
			putchar('\n');
			report_print(&credentials, admin,
			    "It has no credential, so no call goes by it.");
		}
	} else {
		record_discard(&s.record);
	}
	buf_free(&s.models);
	return status;
}

