/* How channels and credentials are. */
#include "admin/channel_health.h"

#include <stdio.h>
#include <string.h>

#include "admin/report.h"
#include "admin/words.h"
#include "base/clock.h"
#include "conf/settings.h"
#include "db/queries.h"
#include "shm/catalogue.h"
#include "shm/segment.h"

#define ALIVE_MS 5000

struct shm *
health_open(const struct admin *admin)
{
	char name[SEGMENT_NAME_BYTES];
	struct shm *shm = NULL;

	settings_segment_name(admin->settings, name);
	return shm_attach(name, true, &shm) == SHM_OK ? shm : NULL;
}

void
health_close(struct shm **shm)
{
	if (*shm != NULL)
		shm_close(shm);
}

bool
health_beats(uint64_t beat_ns)
{
	struct mono_time beat = { .ns = (int64_t)beat_ns };

	return beat.ns != 0 && mono_diff_ms(clock_mono(), beat) < ALIVE_MS;
}

static int64_t
now_ms(void)
{
	return clock_mono().ns / NS_PER_MS;
}

static int64_t
seconds_until(int64_t until_ms)
{
	int64_t ms = until_ms - now_ms();

	return ms > 0 ? (ms + 999) / 1000 : 0;
}

static void
describe_fault(const struct channel_view *v, char *text, size_t size)
{
	int64_t ago_s = (clock_wall().us - v->fault_us) / 1000000;

	if (v->fault == CHANNEL_FAULT_STATUS)
		snprintf(text, size, "status %d", v->status);
	else
		snprintf(text, size, "%s", channel_fault_name(v->fault));
	snprintf(text + strlen(text), size - strlen(text), " %lld s ago",
	    (long long)(ago_s > 0 ? ago_s : 0));
}

/* Both texts are for people. */
static const char *
health_of_credential(const struct channel_credential_view *v, char *why,
    size_t size)
{
	why[0] = '\0';
	if (v->breaker.state != BREAKER_CLOSED) {
		snprintf(why, size, "the provider answered with %d; tried "
		    "again in %lld s", v->status,
		    (long long)seconds_until(v->breaker.until_ms));
		return v->breaker.state == BREAKER_OPEN ? "refused" :
		    "probing";
	}
	if (v->rest_until_ms > now_ms()) {
		snprintf(why, size, "told to wait (%d) for another %lld s",
		    v->status, (long long)seconds_until(v->rest_until_ms));
		return "resting";
	}
	return "up";
}

/* A channel that is up is of no use while none of its credentials is. */
static void
look_at_credentials(const struct shm *shm, uint32_t slot, struct health *h)
{
	struct channel_credential_view view;
	char why[HEALTH_WHY_BYTES] = "", text[HEALTH_WHY_BYTES];
	const char *word = NULL, *health;
	uint32_t i, n = 0;

	for (i = 0; i < CHANNEL_CREDENTIALS; i++) {
		if (!channel_credential_read(shm, slot, i, &view) ||
		    view.edition == 0)
			continue;
		n++;
		health = health_of_credential(&view, text, sizeof text);
		if (strcmp(health, "up") == 0)
			return;
		/* One that will wake by itself says more than a refusal. */
		if (word == NULL || strcmp(health, "resting") == 0) {
			word = health;
			memcpy(why, text, sizeof why);
		}
	}
	h->word = word != NULL ? word : "refused";
	if (n == 0)
		snprintf(h->why, sizeof h->why, "it has no credential");
	else
		snprintf(h->why, sizeof h->why, "%s%.120s", n > 1 ?
		    "all credentials: " : "", why);
}

void
health_of_channel(const struct shm *shm, int64_t slot, int64_t channel_id,
    struct health *h)
{
	char fault[64];

	memset(h, 0, sizeof *h);
	h->known = shm != NULL && slot >= 0 && channel_read(shm,
	    (uint32_t)slot, now_ms(), &h->view) &&
	    h->view.channel_id == (uint64_t)channel_id;
	if (!h->known)
		return;
	if (h->view.fault != CHANNEL_FAULT_NONE)
		describe_fault(&h->view, fault, sizeof fault);
	switch (h->view.breaker.state) {
	case BREAKER_CLOSED:
		h->word = "up";
		look_at_credentials(shm, (uint32_t)slot, h);
		if (strcmp(h->word, "up") != 0)
			return;
		if (h->view.failures > 0 &&
		    h->view.fault != CHANNEL_FAULT_NONE)
			snprintf(h->why, sizeof h->why, "%u failed in a row, "
			    "the last one by %s", h->view.failures, fault);
		return;
	case BREAKER_OPEN:
		h->word = "out";
		snprintf(h->why, sizeof h->why, "%u failed in a row, the last "
		    "one by %s; tried again in %lld s", h->view.failures,
		    fault, (long long)seconds_until(
		    h->view.breaker.until_ms));
		return;
	case BREAKER_PROBING:
		h->word = "probing";
		snprintf(h->why, sizeof h->why, "one call tries whether it "
		    "works again; the last failure was %s", fault);
		return;
	}
}

int64_t
health_error_percent(const struct channel_view *v)
{
	uint64_t all = v->answers + v->faults;

	return all == 0 ? 0 : (int64_t)(v->faults * 100 / all);
}

static const struct report_column columns[] = {
	{ "id", "ID", REPORT_NUMBER, false },
	{ "name", "CREDENTIAL", REPORT_TEXT, false },
	{ "status", "STATUS", REPORT_TEXT, false },
	{ "health", "HEALTH", REPORT_TEXT, false },
	{ "why", "WHY", REPORT_TEXT, false },
	{ "uses", "USES", REPORT_NUMBER, false },
	{ "refusals", "REFUSED", REPORT_NUMBER, true },
	{ "rests", "RESTED", REPORT_NUMBER, true },
	{ "slot", NULL, REPORT_NUMBER, false },
	{ "created", NULL, REPORT_TIME, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

struct listing {
	struct report *report;
	const struct shm *shm;
	int64_t slot;			/* of the channel */
};

static bool
keep_slot(const struct channel_row *row, void *arg)
{
	((struct listing *)arg)->slot = row->slot;
	return true;
}

static bool
add_row(const struct channel_credential_row *row, void *arg)
{
	struct channel_credential_view view;
	char why[HEALTH_WHY_BYTES];
	struct listing *l = arg;
	bool known;

	known = l->shm != NULL && channel_credential_read(l->shm,
	    (uint32_t)l->slot, (uint32_t)row->slot, &view) &&
	    view.edition == (uint64_t)row->edition;
	report_number(l->report, row->id);
	report_text(l->report, row->name);
	report_text(l->report, channel_status_name(row->status));
	if (known) {
		report_text(l->report, health_of_credential(&view, why,
		    sizeof why));
		report_text(l->report, why);
		report_number(l->report, (int64_t)view.uses);
		report_number(l->report, (int64_t)view.refusals);
		report_number(l->report, (int64_t)view.rests);
	} else {
		for (int i = 0; i < 5; i++)
			report_none(l->report);
	}
	report_number(l->report, row->slot);
	report_time(l->report, row->created_us);
	return true;
}

enum admin_exit
credential_report(struct admin *admin, int64_t channel_id,
    struct report **report_r)
{
	struct listing l = { .slot = -1 };
	enum admin_exit status;
	struct shm *shm;

	shm = health_open(admin);
	l.shm = shm;
	l.report = report_list("credentials", columns);
	status = admin_database_failed(admin, q_channel_each(admin->db,
	    channel_id, keep_slot, &l), "read the channel");
	if (status == ADMIN_OK)
		status = admin_database_failed(admin,
		    q_channel_credential_each(admin->db, channel_id, add_row,
		    &l), "list the credentials");
	health_close(&shm);
	if (status == ADMIN_OK)
		*report_r = l.report;
	else
		report_discard(&l.report);
	return status;
}
