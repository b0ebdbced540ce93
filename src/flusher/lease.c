#include "flusher/lease.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "conf/settings.h"
#include "db/value.h"
#include "shm/directory.h"
#include "shm/hold.h"
#include "shm/refill.h"
#include "shm/segment.h"

/* Accounts in one request to the database. */
#define BATCH_MAX 256
/* What waits for other nodes to return something. */
#define WAITING_MAX 1024
#define RECALL_RETRY_MS 40
/* A call that waited so often for others is told that there is no more. */
#define RECALL_TRIES 6
#define RECALLS_MAX 1024

/* What is remembered of an account from one refill to the next. */
struct memory {
	int64_t at_ns;		/* of the last refill; 0: none */
	int64_t had;		/* available after it */
	int64_t call;		/* what a call that waited needed */
};

struct waiting {
	uint32_t slot;
	uint32_t tries;
	int64_t need;		/* 0: nobody waits */
	int64_t due_ns;
};

struct recall {
	uint32_t slot;
	uint64_t customer;
	int64_t nano;
};

/* Parallel arrays for unnest(). */
struct request {
	uint32_t n;
	int64_t customer[BATCH_MAX];
	int64_t need[BATCH_MAX];
	int64_t rate[BATCH_MAX];
	int64_t floor[BATCH_MAX];
	struct waiting *who[BATCH_MAX];
};

struct leases {
	struct shm *shm;
	const struct settings *settings;
	struct memory *memory;		/* by slot */
	uint32_t waitings, recalls;
	struct waiting waiting[WAITING_MAX];
	struct recall recall[RECALLS_MAX];
	struct request request;
};

struct leases *
leases_open(struct shm *shm, const struct settings *settings)
{
	struct leases *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->shm = shm;
	l->settings = settings;
	l->memory = calloc(shm_sizes(shm)->accounts, sizeof(*l->memory));
	if (l->memory == NULL) {
		free(l);
		return NULL;
	}
	return l;
}

void
leases_close(struct leases **leases)
{
	if (*leases == NULL)
		return;
	free((*leases)->memory);
	free(*leases);
	*leases = NULL;
}

static struct waiting *
find_waiting(struct leases *l, uint32_t slot)
{
	uint32_t i;

	for (i = 0; i < l->waitings; i++)
		if (l->waiting[i].slot == slot)
			return &l->waiting[i];
	return NULL;
}

/* What doesn't fit keeps its bit in the segment and comes the next time. */
static void
collect(struct leases *l)
{
	struct waiting *w;
	uint32_t slot;
	int64_t need;

	for (slot = 0; l->waitings < WAITING_MAX &&
	    refill_next(l->shm, &slot, &need); slot++) {
		w = find_waiting(l, slot);
		if (w == NULL) {
			w = &l->waiting[l->waitings++];
			memset(w, 0, sizeof(*w));
			w->slot = slot;
			refill_answer(l->shm, slot, REFILL_NONE, false);
		}
		if (need > w->need)
			w->need = need;
		if (w->tries == 0)
			w->due_ns = 0;
	}
}

static void
end_waiting(struct leases *l, struct waiting *w, enum refill_verdict verdict)
{
	refill_answer(l->shm, w->slot, verdict, true);
	/* The last one takes its place: the caller looks at it again. */
	*w = l->waiting[--l->waitings];
}

/* What the customer spends here in lease_time, by what it spent since the last
 * refill; 0 when that isn't known. */
static int64_t
rate_of(const struct leases *l, const struct memory *m, int64_t available)
{
	int64_t ms = (clock_mono().ns - m->at_ns) / 1000000;
	int64_t spent = m->had - available;

	if (m->at_ns == 0 || spent <= 0)
		return 0;
	if (ms < 1)
		ms = 1;
	if (spent > INT64_MAX / l->settings->lease_time_ms)
		return INT64_MAX;
	return spent * l->settings->lease_time_ms / ms;
}

static int64_t
times(int64_t nano, uint32_t n)
{
	return nano > INT64_MAX / n ? INT64_MAX : nano * n;
}

static void
put_request(struct leases *l, struct waiting *w)
{
	struct request *r = &l->request;
	struct memory *m = &l->memory[w->slot];
	struct account_view view;

	if (!account_read(l->shm, w->slot, &view))
		return;
	if (w->need > 0)
		m->call = w->need;
	r->customer[r->n] = (int64_t)view.account_id;
	r->need[r->n] = w->need > view.available_nano ?
	    w->need - view.available_nano : 0;
	r->rate[r->n] = rate_of(l, m, view.available_nano);
	r->floor[r->n] = times(m->call, l->settings->lease_calls);
	r->who[r->n++] = w;
}

static struct waiting *
who_is(struct request *r, int64_t customer)
{
	uint32_t i;

	for (i = 0; i < r->n; i++)
		if (r->customer[i] == customer)
			return r->who[i];
	return NULL;
}

/* The lease has grown in the database; now the segment. */
static bool
take_refill(const struct db_rows *rows, void *arg)
{
	struct leases *l = arg;
	struct waiting *w = who_is(&l->request, db_get_int(rows, 0, 0));
	int64_t given = db_get_int(rows, 0, 1);
	int64_t elsewhere = db_get_int(rows, 0, 3);
	struct account_view view;
	struct memory *m;

	if (w == NULL)
		return true;
	m = &l->memory[w->slot];
	(void)!hold_grant(l->shm, w->slot, db_get_int(rows, 0, 2));
	if (!account_read(l->shm, w->slot, &view))
		return true;
	m->at_ns = clock_mono().ns;
	m->had = view.available_nano;
	/* Alone there is nothing to ask for in time. */
	refill_know(l->shm, w->slot, elsewhere,
	    elsewhere > 0 ? view.available_nano / 2 : 0);
	shm_gauge_set(l->shm, SHM_GAUGE_REFILLS,
	    shm_gauge(l->shm, SHM_GAUGE_REFILLS) + (given > 0));
	w->tries++;
	if (view.available_nano >= w->need)
		w->tries = UINT32_MAX;	/* done */
	else if (elsewhere == 0)
		w->tries = RECALL_TRIES;
	w->due_ns = m->at_ns + RECALL_RETRY_MS * INT64_C(1000000);
	return true;
}

/* Answers those that are done, and those for whom there is no more. */
static void
answer(struct leases *l)
{
	uint32_t i = 0;

	while (i < l->waitings) {
		struct waiting *w = &l->waiting[i];

		if (w->tries == UINT32_MAX)
			end_waiting(l, w, REFILL_DONE);
		else if (w->tries >= RECALL_TRIES)
			end_waiting(l, w, REFILL_SHORT);
		else if (w->tries > 0) {
			refill_answer(l->shm, w->slot, REFILL_SHORT, false);
			i++;
		} else
			i++;
	}
}

static enum db_result
refill(struct leases *l, struct db *db, const struct node *node)
{
	struct request *r = &l->request;
	int64_t now = clock_mono().ns;
	enum db_result result;
	uint32_t i;

	r->n = 0;
	for (i = 0; i < l->waitings && r->n < BATCH_MAX; i++)
		if (l->waiting[i].due_ns <= now)
			put_request(l, &l->waiting[i]);
	if (r->n == 0)
		return DB_OK;
	{
		struct db_param p[] = { db_int(node->id),
			db_int(node->session), db_int_array(r->customer, r->n),
			db_int_array(r->need, r->n),
			db_int_array(r->rate, r->n),
			db_int_array(r->floor, r->n),
			db_int(l->settings->lease_percent) };

		result = db_query_each(db, "SELECT customer_id, given_nano,"
		    " target_nano, elsewhere_nano FROM youyun.lease_refill("
		    "$1, $2, $3, $4, $5, $6, $7)", p, 7, take_refill, l);
	}
	if (result == DB_OK)
		answer(l);
	return result;
}

/* Takes up to `nano` back from the segment; what calls hold stays. */
static int64_t
reduce(struct shm *shm, uint32_t slot, int64_t nano)
{
	struct account_view view;
	int64_t part;

	while (account_read(shm, slot, &view)) {
		part = view.available_nano < nano ? view.available_nano : nano;
		if (part <= 0)
			break;
		if (hold_grant(shm, slot, view.granted_nano - part) == HOLD_OK)
			return part;
		/* A call was quicker: less is there now. */
	}
	return 0;
}

/* The segment has been reduced by as much. */
static enum db_result
give_back(struct db *db, const struct node *node, const int64_t *customer,
    const int64_t *nano, uint32_t n)
{
	struct db_param p[] = { db_int(node->id), db_int(node->session),
		db_int_array(customer, n), db_int_array(nano, n) };

	return n == 0 ? DB_OK : db_query(db,
	    "SELECT youyun.lease_return($1, $2, $3, $4)", p, 4, NULL);
}

static enum db_result
give_recalled(struct leases *l, struct db *db, const struct node *node)
{
	struct request *r = &l->request;
	enum db_result result = DB_OK;
	uint32_t i;

	for (i = 0, r->n = 0; i < l->recalls && result == DB_OK; i++) {
		const struct recall *c = &l->recall[i];

		r->need[r->n] = reduce(l->shm, c->slot, c->nano);
		if (r->need[r->n] == 0)
			continue;
		refill_know(l->shm, c->slot, REFILL_UNKNOWN, -1);
		r->customer[r->n++] = (int64_t)c->customer;
		if (r->n == BATCH_MAX) {
			result = give_back(db, node, r->customer, r->need,
			    r->n);
			r->n = 0;
		}
	}
	l->recalls = 0;
	if (result == DB_OK)
		result = give_back(db, node, r->customer, r->need, r->n);
	return result;
}

enum db_result
leases_turn(struct leases *l, struct db *db, const struct node *node)
{
	enum db_result result = DB_OK;

	if (l->recalls != 0)
		result = give_recalled(l, db, node);
	if (result != DB_OK)
		return result;
	collect(l);
	return refill(l, db, node);
}

int
leases_due_ms(const struct leases *l)
{
	int64_t now = clock_mono().ns, ms, least = INT_MAX;
	uint32_t i;

	if (l->recalls != 0)
		return 0;
	for (i = 0; i < l->waitings; i++) {
		ms = (l->waiting[i].due_ns - now + 999999) / 1000000;
		if (ms < least)
			least = ms < 0 ? 0 : ms;
	}
	return (int)least;
}

void
leases_news(struct leases *l, uint32_t slot)
{
	struct waiting *w;
	uint32_t i;

	if (slot != ACCOUNT_NONE) {
		w = find_waiting(l, slot);
		if (w != NULL)
			w->due_ns = 0;
		refill_know(l->shm, slot, REFILL_UNKNOWN, -1);
		return;
	}
	for (i = 0; i < l->waitings; i++)
		l->waiting[i].due_ns = 0;
	for (i = 0; i < account_count(l->shm); i++)
		refill_know(l->shm, i, REFILL_UNKNOWN, -1);
}

void
leases_recall(struct leases *l, uint32_t slot, uint64_t customer, int64_t nano)
{
	if (l->recalls == RECALLS_MAX)
		return;		/* who lacks it asks again */
	l->recall[l->recalls++] = (struct recall) { slot, customer, nano };
}

enum db_result
leases_take_all(struct db *db, const struct node *node, int64_t *n_r)
{
	struct db_param p[] = { db_int(node->id), db_int(node->session) };
	struct db_rows *rows;
	enum db_result result;

	result = db_query(db, "SELECT youyun.lease_take_all($1, $2)", p, 2,
	    &rows);
	if (result != DB_OK)
		return result;
	*n_r = db_get_int(rows, 0, 0);
	db_rows_free(&rows);
	return DB_OK;
}

/* What an account keeps: its part of what is known of the balance, or what a
 * few calls need. */
static int64_t
part_of(const struct leases *l, uint32_t slot, int64_t available)
{
	struct refill_view view;
	int64_t balance, part, floor;

	if (!refill_read(l->shm, slot, &view) ||
	    view.elsewhere_nano == REFILL_UNKNOWN ||
	    __builtin_add_overflow(available, view.elsewhere_nano, &balance))
		balance = available;
	part = balance / 100 * l->settings->lease_percent;
	floor = times(l->memory[slot].call, l->settings->lease_calls);
	return part > floor ? part : floor;
}

enum db_result
leases_return_surplus(struct leases *l, struct db *db,
    const struct node *node)
{
	struct request *r = &l->request;
	enum db_result result = DB_OK;
	struct account_view view;
	uint32_t slot;
	int64_t keep, nano;

	for (slot = 0, r->n = 0; slot < account_count(l->shm) &&
	    result == DB_OK; slot++) {
		if (!account_read(l->shm, slot, &view))
			continue;
		keep = part_of(l, slot, view.available_nano);
		if (view.available_nano <= keep)
			continue;
		nano = reduce(l->shm, slot, view.available_nano - keep);
		if (nano == 0)
			continue;
		refill_know(l->shm, slot, REFILL_UNKNOWN, keep / 2);
		r->customer[r->n] = (int64_t)view.account_id;
		r->need[r->n++] = nano;
		if (r->n == BATCH_MAX) {
			result = give_back(db, node, r->customer, r->need,
			    r->n);
			r->n = 0;
		}
	}
	if (result == DB_OK)
		result = give_back(db, node, r->customer, r->need, r->n);
	return result;
}
