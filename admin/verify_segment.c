/*
 * The segment against this node's leases.  Both change while they are read: the
 * leases are read first, so that what a call spends in between makes the
 * segment's amount smaller, never larger; a credit in between makes it larger
 * for one round only.  So a surplus must be there in every round to count,
 * and a shortage in every round in which nothing was on its way.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/channel_health.h"
#include "admin/verify.h"
#include "base/clock.h"
#include "conf/settings.h"
#include "shm/directory.h"
#include "shm/hold.h"
#include "shm/ring.h"
#include "shm/seat.h"
#include "shm/segment.h"

#define ROUNDS 20
#define QUIET_ROUNDS 8
#define PAUSE_MS 100

struct line {
	uint64_t customer_id;
	int64_t balance_nano;	/* unspent, of the lease */
	int64_t segment_nano;	/* available + held */
	int64_t held_nano;
	bool seen;		/* in the segment, in this round */
	int surplus;		/* rounds */
	int shortage;		/* quiet rounds */
};

struct comparison {
	struct line *line;
	size_t lines;
	size_t room;
	bool failed;
	int rounds;
	int quiet_rounds;
};

static int
by_id(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return x->customer_id < y->customer_id ? -1 :
	    x->customer_id > y->customer_id;
}

static struct line *
find_line(const struct comparison *c, uint64_t customer_id)
{
	struct line key;

	if (c->lines == 0)
		return NULL;
	key.customer_id = customer_id;
	return bsearch(&key, c->line, c->lines, sizeof key, by_id);
}

static bool
first_balance(const struct lease_row *row, void *arg)
{
	struct comparison *c = arg;
	struct line *more;

	if (c->lines == c->room) {
		c->room = c->room == 0 ? 256 : c->room * 2;
		more = realloc(c->line, c->room * sizeof *more);
		if (more == NULL) {
			c->failed = true;
			return false;
		}
		c->line = more;
	}
	memset(&c->line[c->lines], 0, sizeof c->line[0]);
	c->line[c->lines].customer_id = (uint64_t)row->customer_id;
	c->line[c->lines].balance_nano = row->granted_nano - row->spent_nano;
	c->lines++;
	return true;
}

static bool
next_balance(const struct lease_row *row, void *arg)
{
	struct line *line;

	line = find_line(arg, (uint64_t)row->customer_id);
	if (line != NULL)
		line->balance_nano = row->granted_nano - row->spent_nano;
	return true;
}

static enum db_result
read_balances(struct db *db, const char *node, struct comparison *c)
{
	enum db_result result;
	size_t i;

	for (i = 0; i < c->lines; i++)
		c->line[i].seen = false;
	if (c->rounds > 0)
		return q_lease_each(db, node, next_balance, c);
	result = q_lease_each(db, node, first_balance, c);
	if (result == DB_OK && c->lines > 0)
		qsort(c->line, c->lines, sizeof *c->line, by_id);
	return result;
}

static void
read_segment(const struct shm *shm, struct comparison *c)
{
	struct account_view view;
	struct line *line;
	uint32_t slot, n;
	bool holds;

	holds = hold_open_total(shm) > 0;
	n = account_count(shm);
	for (slot = 0; slot < n; slot++) {
		if (!account_read(shm, slot, &view))
			continue;
		line = find_line(c, view.account_id);
		if (line == NULL)
			continue;
		line->seen = true;
		line->held_nano = holds ? hold_sum(shm, slot) : 0;
		line->segment_nano = view.available_nano + line->held_nano;
	}
}

/* Nothing between the segment and the tables, at this moment. */
static bool
is_quiet(const struct shm *shm)
{
	uint32_t seat;

	if ((shm_stops(shm) & SHM_STOP_LOADING) != 0 ||
	    shm_gauge(shm, SHM_GAUGE_DATABASE_UP) == 0 ||
	    shm_gauge(shm, SHM_GAUGE_JOURNAL_SEQ) !=
	    shm_gauge(shm, SHM_GAUGE_APPLIED_SEQ) ||
	    hold_open_total(shm) > 0)
		return false;
	for (seat = 0; seat < seat_count(shm); seat++)
		if (ring_head(shm, seat) != ring_tail(shm, seat))
			return false;
	return true;
}

/* True when each account agrees. */
static bool
judge_round(struct comparison *c, bool quiet)
{
	struct line *l;
	bool all;
	size_t i;

	all = true;
	c->rounds++;
	c->quiet_rounds += quiet;
	for (i = 0; i < c->lines; i++) {
		l = &c->line[i];
		if (!l->seen)
			l->segment_nano = l->held_nano = 0;
		if (l->segment_nano == l->balance_nano)
			continue;
		all = false;
		if (l->segment_nano > l->balance_nano)
			l->surplus++;
		else if (quiet)
			l->shortage++;
	}
	return all;
}

static void
conclude(struct verify *v, const struct comparison *c)
{
	char object[40];
	const struct line *l;
	size_t i;

	v->segment.accounts = (int64_t)c->lines;
	for (i = 0; i < c->lines; i++) {
		l = &c->line[i];
		snprintf(object, sizeof object, "customer:%llu",
		    (unsigned long long)l->customer_id);
		if (l->segment_nano == l->balance_nano) {
			v->segment.agree++;
			v->segment.busy += l->held_nano > 0;
		} else if (l->surplus == c->rounds) {
			verify_breach(v, "segment", object, l->segment_nano,
			    l->balance_nano,
			    "the segment has more than the lease");
		} else if (c->quiet_rounds >= QUIET_ROUNDS &&
		    l->shortage == c->quiet_rounds) {
			verify_breach(v, "segment", object, l->segment_nano,
			    l->balance_nano, "the segment has less than the "
			    "lease, and nothing is on its way");
		} else {
			v->segment.busy++;
			v->segment.unapplied_nano +=
			    l->balance_nano - l->segment_nano;
		}
	}
}

static bool
flusher_runs(const struct shm *shm)
{
	return health_beats(shm_gauge(shm, SHM_GAUGE_FLUSHER_BEAT_NS));
}

static enum admin_exit
compare(struct admin *admin, const struct shm *shm, struct verify *v)
{
	struct comparison c;
	enum db_result result;
	bool done, quiet;

	memset(&c, 0, sizeof c);
	result = DB_OK;
	for (done = false; !done && c.rounds < ROUNDS;) {
		if (c.rounds > 0)
			poll(NULL, 0, PAUSE_MS);
		quiet = is_quiet(shm);
		result = read_balances(admin->db, admin->settings->node, &c);
		if (result != DB_OK || c.failed)
			break;
		read_segment(shm, &c);
		done = judge_round(&c, quiet && is_quiet(shm));
	}
	if (result == DB_OK && !c.failed)
		conclude(v, &c);
	free(c.line);
	if (c.failed) {
		complain("out of memory");
		return ADMIN_FAILED;
	}
	return admin_database_failed(admin, result, "read the balances");
}

enum admin_exit
verify_segment(struct admin *admin, struct verify *v)
{
	char name[SEGMENT_NAME_BYTES];
	enum admin_exit status;
	enum shm_result result;
	struct shm *shm;

	settings_segment_name(admin->settings, name);
	result = shm_attach(name, true, &shm);
	if (result == SHM_ABSENT)
		return ADMIN_OK;
	if (result != SHM_OK) {
		complain("the segment can't be read: %s",
		    shm_explain(result));
		return ADMIN_FAILED;
	}
	status = ADMIN_OK;
	v->segment.present = flusher_runs(shm);
	if (v->segment.present)
		status = compare(admin, shm, v);
	shm_close(&shm);
	return status;
}
