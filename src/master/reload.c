#include "master/reload.h"

#include <signal.h>
#include <string.h>

#include "base/log.h"
#include "master/child.h"
#include "master/master.h"
#include "master/payment.h"
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

static void
apply(struct master *m, const struct settings *next, struct pem_pair *pem,
    const struct payment_keys *payment, struct sockets *sockets)
{
	sockets_close(&m->sockets, sockets);
	m->sockets = *sockets;
	pem_free(&m->pem);
	m->pem = *pem;
	m->payment = *payment;
	m->settings = *next;
	log_set_level((enum log_level)next->log_level);
	replace_workers(m);
}

void
reload(struct master *m)
{
	struct settings next;
	struct conf_report report;
	struct sockets sockets;
	struct pem_pair pem = { NULL, NULL };
	struct payment_keys payment;
	bool changes;

	if (m->handover) {
		/* One after the other, so that there are never three sets. */
		m->reload_again = true;
		return;
	}
	log_notice("reading the configuration again: file=%s", m->conf_path);
	conf_report_init(&report);
	if (!settings_read(m->conf_path, &next, &report) ||
	    !pem_read(&next, m->conf_path, &pem, &report) ||
	    !payment_read(&next, m->conf_path, &payment, &report)) {
		log_report(&report, true);
		log_error("the configuration has mistakes and nothing was "
		    "changed: mistakes=%u", report.mistakes);
		conf_report_free(&report);
		pem_free(&pem);
		return;
	}
	settings_diff(&m->settings, &next, &report);
	limit_workers(m, &next, &report);
	log_report(&report, false);
	buf_consume(&report.text, report.text.len);
	changes = memcmp(&m->settings, &next, sizeof(next)) != 0 ||
	    !pem_equal(&m->pem, &pem) ||
	    memcmp(&m->payment, &payment, sizeof(payment)) != 0;
	if (!changes) {
		log_notice("nothing to change");
		pem_free(&pem);
	} else if (!sockets_open(&next.listen, &m->sockets, m->conf_path,
	    &sockets, &report)) {
		log_report(&report, true);
		log_error("the new addresses can't be had and nothing was "
		    "changed");
		pem_free(&pem);
	} else {
		apply(m, &next, &pem, &payment, &sockets);
	}
	bytes_scrub(&payment, sizeof(payment));
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
