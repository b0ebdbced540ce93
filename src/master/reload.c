#include "master/reload.h"

#include <signal.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/secret.h"
#include "conf/modes.h"
#include "master/child.h"
#include "master/master.h"
#include "master/payment.h"
#include "master/start.h"
#include "shm/seat.h"

/* New workers that are not at work by then don't hold up the reload. */
#define HANDOVER_MS 10000
#define WORKER_GRACE_MS 5000
#define PORTAL_PATIENCE_MS 5000

static void
log_report(const struct conf_report *report, bool mistakes)
{
	const char *p = report->text.len > 0 ? buf_head(&report->text) : "";
	size_t left = report->text.len;

	while (left > 0) {
		const char *nl = memchr(p, '\n', left);
		size_t n = nl != NULL ? (size_t)(nl - p) : left;

		if (mistakes)
			log_error("%.*s", (int)n, p);
		else
			log_warning("%.*s", (int)n, p);
		n += nl != NULL ? 1 : 0;
		p += n;
		left -= n;
	}
}

/* The segment has room for so many workers, old and new. */
static void
limit_workers(const struct master *m, struct settings *next,
    struct conf_report *report)
{
	uint32_t room = (seat_count(m->shm) - 1) / 2;

	if (settings_workers(next) <= room)
		return;
	conf_note(report, "workers", "the segment has room for %u; they stay "
	    "%u; restart youyund to have %u", room,
	    settings_workers(&m->settings), settings_workers(next));
	next->workers = m->settings.workers;
}

static void
replace_workers(struct master *m)
{
	uint32_t workers = settings_workers(&m->settings);

	struct child *c, *next;

	for (c = m->children; c != NULL; c = next) {
		next = c->next;
		if (c->kind == CHILD_WORKER)
			child_retire(c);
	}
	for (uint32_t i = 0; i < workers; i++)
		child_add(m, CHILD_WORKER, i, 0);
	/* It is started again at once, as what was asked to end is. */
	for (c = m->children; c != NULL; c = c->next)
		if (c->kind == CHILD_PORTAL)
			child_end(c, SIGTERM, PORTAL_PATIENCE_MS);
	m->handover = true;
	loop_arm(m->loop, &m->tick, clock_mono());
	m->handover_until = mono_add_ms(clock_mono(), HANDOVER_MS);
}

/* All that is read again. */
struct sources {
	struct settings settings;
	struct pem_pair pem;
	struct payment_keys payment;
	struct secrets secrets;
};

static void
apply(struct master *m, struct sources *next, struct sockets *sockets)
{
	sockets_close(&m->sockets, sockets);
	m->sockets = *sockets;
	pem_free(&m->pem);
	m->pem = next->pem;
	next->pem = (struct pem_pair){ NULL, NULL };
	m->payment = next->payment;
	m->secrets = next->secrets;
	m->settings = next->settings;
	log_set_level((enum log_level)next->settings.log_level);
	replace_workers(m);
}

/* Seals follow one another (youyunctl secret rotate); the pepper is what all
 * keys in the database are known by. */
static bool
read_secrets(const struct master *m, struct secrets *secrets_r,
    struct conf_report *report)
{
	const char *path = m->settings.secrets_file;

	if (!start_secrets(m->conf_path, path, secrets_r, report))
		return false;
	if (memcmp(secrets_r->pepper, m->secrets.pepper, SECRET_BYTES) == 0)
		return true;
	conf_mistake(report, m->conf_path, 0, "secrets_file", "%s: the pepper "
	    "is another, so that no customer's key would be valid", path);
	return false;
}

static bool
read_all(struct master *m, struct sources *next, struct conf_report *report)
{
	unsigned before = report->mistakes;

	if (!settings_read(m->conf_path, &next->settings, report))
		return false;
	modes_check(m->conf_path, &next->settings, &m->user, report);
	return report->mistakes == before &&
	    pem_read(&next->settings, m->conf_path, &next->pem, report) &&
	    payment_read(&next->settings, m->conf_path, &next->payment,
	    report) && read_secrets(m, &next->secrets, report);
}

static bool
differs(const struct master *m, const struct sources *next)
{
	return memcmp(&m->settings, &next->settings, sizeof(m->settings)) ||
	    !pem_equal(&m->pem, &next->pem) ||
	    memcmp(&m->payment, &next->payment, sizeof(m->payment)) ||
	    memcmp(&m->secrets, &next->secrets, sizeof(m->secrets));
}

static void
take_over(struct master *m, struct sources *next, struct conf_report *report)
{
	struct sockets sockets;

	settings_diff(&m->settings, &next->settings, report);
	limit_workers(m, &next->settings, report);
	log_report(report, false);
	buf_consume(&report->text, report->text.len);
	if (!differs(m, next)) {
		log_notice("nothing to change");
	} else if (!sockets_open(&next->settings.listen, &m->sockets,
	    m->conf_path, &sockets, report)) {
		log_report(report, true);
		log_error("the new addresses can't be had and nothing was "
		    "changed");
	} else {
		apply(m, next, &sockets);
	}
}

void
reload(struct master *m)
{
	struct sources next = { .pem = { NULL, NULL } };
	struct conf_report report;

	if (m->handover) {
		/* One after the other, so that there are never three sets. */
		m->reload_again = true;
		return;
	}
	log_notice("reading the configuration again: file=%s", m->conf_path);
	conf_report_init(&report);
	if (read_all(m, &next, &report)) {
		take_over(m, &next, &report);
	} else {
		log_report(&report, true);
		log_error("the configuration has mistakes and nothing was "
		    "changed: mistakes=%u", report.mistakes);
	}
	pem_free(&next.pem);
	bytes_scrub(&next.payment, sizeof(next.payment));
	secrets_scrub(&next.secrets);
	conf_report_free(&report);
}

static bool
new_workers_work(const struct master *m)
{
	for (const struct child *c = m->children; c != NULL; c = c->next)
		if (c->kind == CHILD_WORKER && !c->retiring && (c->pid == 0 ||
		    seat_get(m->shm, c->seat, SEAT_BEAT_NS) == 0))
			return false;
	return true;
}

void
reload_step(struct master *m)
{
	if (!m->handover)
		return;
	if (!new_workers_work(m) &&
	    clock_mono().ns < m->handover_until.ns)
		return;
	m->handover = false;
	log_notice("the new configuration is at work");
	for (struct child *c = m->children; c != NULL; c = c->next)
		if (c->kind == CHILD_WORKER && c->retiring && !c->asked)
			child_end(c, SIGTERM,
			    (int64_t)m->settings.shutdown_timeout_ms +
			    WORKER_GRACE_MS);
	if (m->reload_again) {
		m->reload_again = false;
		reload(m);
	}
}
