#include "flusher/chores.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/value.h"
#include "flusher/anchor.h"
#include "flusher/join.h"

#define CONNECT_TIMEOUT_S 5
#define WAIT_MS 200		/* for the directory */
#define PAUSE_MS 2000		/* after trouble; the directory tells of it */

#define SEAL_MS 1000
#define RISK_MS 1000
#define RISK_NEXT_MS 20
#define RISK_MOST 20	/* customers at a time: others wait, too */
#define SWEEP_MS (3600 * 1000)
#define RETENTION_MS (3600 * 1000)
#define RETENTION_NEXT_MS 200
#define RETENTION_LATER_MS 60000	/* somebody reads what is to go */

struct chores {
	struct chores_config config;
	pthread_t thread;
	int event_fd;			/* stop */
	_Atomic bool stop;
	struct db *db;
	struct mono_time seal_due;	/* of the audit trail */
	struct anchor *anchor;
	bool anchor_more;		/* there are links to be read */
	struct mono_time risk_due;	/* rules over calls */
	struct mono_time sweep_due;	/* what they don't look at any more */
	struct mono_time retention_due;
};

static bool
is_due(struct mono_time due)
{
	return clock_mono().ns >= due.ns;
}

static struct mono_time
in_ms(int64_t ms)
{
	return mono_add_ms(clock_mono(), ms);
}

/* Only a lost connection keeps the others from their turn. */
static enum db_result
say(const struct chores *c, enum db_result result, const char *what)
{
	if (result == DB_OK || result == DB_AWAY || result == DB_UNKNOWN)
		return result;
	log_error("could not %s: why=%s", what, db_message(c->db));
	return DB_OK;
}

/* The audit trail's entries become links of its chain, whose head is
 * anchored now and then. */
static enum db_result
seal(struct chores *c)
{
	enum db_result result = DB_OK;

	if (is_due(c->seal_due)) {
		c->seal_due = in_ms(SEAL_MS);
		result = db_query(c->db, "SELECT youyun.audit_seal()", NULL, 0,
		    NULL);
		c->anchor_more = true;
	}
	if (result == DB_OK && c->anchor_more)
		result = anchor_turn(c->anchor, c->db, &c->anchor_more);
	if (result != DB_OK) {
		c->anchor_more = false;
		c->seal_due = in_ms(PAUSE_MS);
	}
	return say(c, result, "link or anchor the audit trail");
}

/* Rules look at customers whose keys were used. */
static enum db_result
look_at_risks(struct chores *c)
{
	enum db_result result = DB_OK;
	struct db_rows *rows;
	bool more = true, failed = false;

	if (!is_due(c->risk_due))
		return DB_OK;
	for (int n = 0; more && n < RISK_MOST && result == DB_OK; n++) {
		result = db_query(c->db, "SELECT youyun.risk_run()", NULL, 0,
		    &rows);
		if (result == DB_OK) {
			more = db_get_int(rows, 0, 0) != 0;
			failed = failed || db_get_int(rows, 0, 0) < 0;
			db_rows_free(&rows);
		}
	}
	if (result == DB_OK && is_due(c->sweep_due)) {
		c->sweep_due = in_ms(SWEEP_MS);
		result = db_query(c->db, "SELECT youyun.risk_sweep()", NULL, 0,
		    NULL);
	}
	if (failed)
		log_error("the rules could not look at a customer: the "
		    "database's log says why");
	c->risk_due = in_ms(more && result == DB_OK ? RISK_NEXT_MS : RISK_MS);
	return say(c, result, "look for risks");
}

/* What has been kept long enough goes, a piece at a time. */
static enum db_result
retain(struct chores *c, uint32_t node)
{
	struct db_param p = db_int(node);
	int64_t next_ms = RETENTION_MS;
	struct db_rows *rows;
	enum db_result result;

	if (!is_due(c->retention_due))
		return DB_OK;
	result = db_query(c->db, "SELECT youyun.retention_next($1)", &p, 1,
	    &rows);
	if (result == DB_OK) {
		if (strcmp(db_get_text(rows, 0, 0), "more") == 0)
			next_ms = RETENTION_NEXT_MS;
		else if (strcmp(db_get_text(rows, 0, 0), "later") == 0)
			next_ms = RETENTION_LATER_MS;
		db_rows_free(&rows);
	}
	c->retention_due = in_ms(next_ms);
	return say(c, result, "delete what was kept long enough");
}

static enum db_result
turn(struct chores *c, uint32_t node)
{
	enum db_result result = db_connect(c->db, CONNECT_TIMEOUT_S);

	if (result == DB_OK)
		result = seal(c);
	if (result == DB_OK)
		result = look_at_risks(c);
	return result == DB_OK ? retain(c, node) : result;
}

static void
least(int64_t *ms, struct mono_time due)
{
	int64_t until = mono_diff_ms(due, clock_mono()) + 1;

	if (until < *ms)
		*ms = until < 0 ? 0 : until;
}

static int
until_next(const struct chores *c)
{
	int64_t ms = c->anchor_more ? 0 : SEAL_MS;

	least(&ms, c->seal_due);
	least(&ms, c->risk_due);
	least(&ms, c->retention_due);
	return (int)ms;
}

static void *
run(void *arg)
{
	struct chores *c = arg;
	struct pollfd p = { .fd = c->event_fd, .events = POLLIN };
	const struct progress *progress = c->config.progress;
	uint32_t node;
	int ms;

	while (!atomic_load_explicit(&c->stop, memory_order_acquire)) {
		node = atomic_load_explicit(&progress->node,
		    memory_order_acquire);
		if (node == 0 || !atomic_load_explicit(
		    &progress->directory_up, memory_order_relaxed))
			ms = WAIT_MS;
		else
			ms = turn(c, node) == DB_OK ? until_next(c) : PAUSE_MS;
		(void)poll(&p, 1, ms);
	}
	return NULL;
}

static void
release(struct chores *c)
{
	anchor_close(&c->anchor);
	db_close(&c->db);
	if (c->event_fd >= 0)
		(void)close(c->event_fd);
	free(c);
}

struct chores *
chores_start(const struct chores_config *config)
{
	struct chores *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->config = *config;
	c->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	c->db = db_open(config->conninfo);
	c->anchor = anchor_open(config->settings, config->anchor_fd);
	if (c->event_fd < 0 || c->db == NULL || c->anchor == NULL ||
	    pthread_create(&c->thread, NULL, run, c) != 0) {
		release(c);
		return NULL;
	}
	return c;
}

bool
chores_stop(struct chores **chores, int patience_ms)
{
	struct chores *c = *chores;
	uint64_t one = 1;

	*chores = NULL;
	if (c == NULL)
		return true;
	atomic_store_explicit(&c->stop, true, memory_order_release);
	(void)!write(c->event_fd, &one, sizeof(one));
	if (!join_within(c->thread, patience_ms))
		return false;
	release(c);
	return true;
}
