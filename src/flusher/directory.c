#include "flusher/directory.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "conf/settings.h"
#include "db/value.h"
#include "flusher/catalogue_load.h"
#include "flusher/directory_internal.h"
#include "flusher/join.h"
#include "shm/channel.h"
#include "shm/directory.h"
#include "shm/hold.h"
#include "shm/segment.h"

#define CONNECT_TIMEOUT_S 5
#define PAUSE_FIRST_MS 100
#define PAUSE_MAX_MS 3000
#define BEAT_MS 1000
#define GATHER_MS 10000
#define SHORT_RETRY_MS 1000
#define FOREIGN_POLL_MS 10
#define EXPIRE_MS 10000
#define CLOSE_MS 1000
#define CLOSE_NEXT_MS 50

static bool
stopping(const struct directory *d)
{
	return atomic_load_explicit(&d->stop, memory_order_acquire);
}

static void
set_up(struct directory *d, bool up)
{
	atomic_store_explicit(&d->config.progress->directory_up, up,
	    memory_order_relaxed);
}

/* Waits for the event descriptor, and the socket if there is one. */
static void
wait_ms(struct directory *d, int ms)
{
	struct pollfd p[3] = { { .fd = d->event_fd, .events = POLLIN },
		{ .fd = db_socket(d->db), .events = POLLIN },
		{ .fd = d->config.wake_fd > 0 ? d->config.wake_fd : -1,
		  .events = POLLIN } };
	uint64_t n;

	(void)poll(p, 3, ms);
	if ((p[0].revents & POLLIN) != 0)
		(void)!read(d->event_fd, &n, sizeof(n));
	if ((p[2].revents & POLLIN) != 0)
		(void)!read(d->config.wake_fd, &n, sizeof(n));
}

/* Says it once, until things go well again; then waits, longer each time. */
static void
trouble(struct directory *d, const char *what)
{
	if (!d->complained)
		log_warning("could not %s; keys, prices and credits stay as "
		    "they are: why=%s", what, db_message(d->db));
	d->complained = true;
	set_up(d, false);
	db_disconnect(d->db);
	wait_ms(d, d->pause_ms);
	d->pause_ms = d->pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS :
	    d->pause_ms * 2;
}

static void
set_limits(struct directory *d, const struct catalogue_channel *ch)
{
	struct limit_rates rates = { .tokens = ch->max_tokens };
	struct budget_new caps = { .level = LIMIT_CHANNEL, .slot = ch->slot,
		.id = (int64_t)ch->channel_id, .caps.nano = {
		ch->max_nano[BUDGET_DAY], ch->max_nano[BUDGET_MONTH] } };

	limit_set(d->config.shm, LIMIT_CHANNEL, ch->slot, &rates);
	budget_note(&d->budgets, d->config.shm, &caps);
}

static void
publish(struct directory *d)
{
	/* First: nothing known of a key that was replaced is held against the
	 * one that comes. */
	channel_sync(d->config.shm, &d->catalogue);
	switch (catalogue_publish(d->config.shm, &d->catalogue)) {
	case CATALOGUE_OK:
		return;
	case CATALOGUE_FULL:
		log_error("models and channels don't fit into the segment, the "
		    "former ones stay; raise catalogue_bytes and start the "
		    "service again: models=%" PRIu32 " channels=%" PRIu32,
		    d->catalogue.models, d->catalogue.channels);
		return;
	case CATALOGUE_NONE:
	case CATALOGUE_TORN:
	case CATALOGUE_MEMORY:
		log_error("could not publish models and channels");
		return;
	}
}

static enum db_result
load_catalogue(struct directory *d)
{
	struct catalogue fresh;
	enum db_result result;

	result = catalogue_load(d->db, clock_wall().us,
	    shm_sizes(d->config.shm)->channels, &d->catalogue, &fresh,
	    &d->next_price_us);
	if (result != DB_OK)
		return result;
	result = directory_load_group_limits(d);
	if (result != DB_OK) {
		catalogue_free(&fresh);
		return result;
	}
	catalogue_free(&d->catalogue);
	d->catalogue = fresh;
	(void)catalogue_resolve(&d->catalogue, d->resolver);
	for (uint32_t i = 0; i < d->catalogue.channels; i++)
		set_limits(d, &d->catalogue.channel[i]);
	publish(d);
	d->reload_catalogue = false;
	return DB_OK;
}

/* Until all calls of earlier segments are booked; false when we should stop. */
static bool
wait_for_foreign(struct directory *d)
{
	const struct progress *p = d->config.progress;
	struct timespec t = { 0, FOREIGN_POLL_MS * 1000000 };

	while (d->config.foreign_seq != 0 &&
	    (!atomic_load_explicit(&p->mark_known, memory_order_acquire) ||
	    atomic_load_explicit(&p->applied_seq, memory_order_acquire) <
	    d->config.foreign_seq)) {
		if (stopping(d))
			return false;
		nanosleep(&t, NULL);
	}
	return true;
}

static void
count(struct directory *d)
{
	struct shm *shm = d->config.shm;

	shm_gauge_set(shm, SHM_GAUGE_KEYS, key_count(shm));
	shm_gauge_set(shm, SHM_GAUGE_ACCOUNTS, account_count(shm));
}

static enum db_result
load_budgets(struct directory *d)
{
	return budget_load(&d->budgets, d->config.shm, d->db, d->node.id);
}

static enum db_result
load_all(struct directory *d)
{
	struct shm *shm = d->config.shm;
	struct mono_time began = clock_mono();
	enum db_result result;
	int64_t taken;

	d->reload_all = false;
	d->takings = true;
	d->expire_due = clock_mono();
	d->customers.n = d->keys.n = d->short_of.n = d->budgets.n = 0;
	result = load_catalogue(d);
	if (result == DB_OK && !wait_for_foreign(d))
		return DB_AWAY;
	if (result == DB_OK && d->node.up <= 1)
		result = leases_take_all(d->db, &d->node, &taken);
	if (result == DB_OK)
		result = directory_load_accounts(d, NULL);
	if (result == DB_OK && d->node.up > 1)
		result = leases_return_surplus(d->leases, d->db, &d->node);
	if (result == DB_OK)
		result = directory_load_keys(d, NULL);
	if (result == DB_OK)
		result = load_budgets(d);
	if (result != DB_OK)
		return result;
	count(d);
	shm_gauge_set(shm, SHM_GAUGE_DIRECTORY_LOADS,
	    shm_gauge(shm, SHM_GAUGE_DIRECTORY_LOADS) + 1);
	shm_go(shm, SHM_STOP_LOADING | SHM_STOP_NODE);
	log_notice("directory loaded: accounts=%" PRIu32 " keys=%" PRIu32
	    " models=%" PRIu32 " channels=%" PRIu32 " ms=%" PRId64,
	    account_count(shm), key_count(shm), d->catalogue.models,
	    d->catalogue.channels, mono_diff_ms(clock_mono(), began));
	return DB_OK;
}

/* What of it concerns this node's money; 0006-leases.sql lists them. */
static bool
heard_of_money(struct directory *d, const char *payload)
{
	int64_t id, nano;
	uint32_t slot;
	int node;

	if (sscanf(payload, "lease:%d:%" SCNd64, &node, &id) == 2) {
		if (node == d->node.id)
			pending_add(d, &d->customers, id);
	} else if (sscanf(payload, "recall:%d:%" SCNd64 ":%" SCNd64, &node,
	    &id, &nano) == 3) {
		slot = accounts_find(d->accounts, (uint64_t)id);
		if (node == d->node.id && slot != ACCOUNT_NONE)
			leases_recall(d->leases, slot, (uint64_t)id, nano);
	} else if (sscanf(payload, "purse:%" SCNd64, &id) == 1) {
		slot = accounts_find(d->accounts, (uint64_t)id);
		if (d->node.up <= 1)
			d->gather_now = true;
		if (id == 0 || slot != ACCOUNT_NONE)
			leases_news(d->leases, slot);
	} else if (strncmp(payload, "node:", 5) == 0)
		d->beat_now = true;
	else
		return false;
	return true;
}

/* "customer:5", "key:7" … */
static void
heard(struct directory *d, const char *payload)
{
	int64_t id;

	if (sscanf(payload, "key:%" SCNd64, &id) == 1)
		pending_add(d, &d->keys, id);
	else if (sscanf(payload, "customer:%" SCNd64, &id) == 1)
		pending_add(d, &d->customers, id);
	else if (sscanf(payload, "taking:%" SCNd64, &id) == 1)
		d->takings = true;
	else if (strncmp(payload, "members:", 8) == 0)
		d->reload_all = true;
	else if (strcmp(payload, "expire") == 0)
		d->expire_due = clock_mono();
	else if (!heard_of_money(d, payload))
		d->reload_catalogue = true;
}

static enum db_result
hear(struct directory *d)
{
	char payload[DB_NOTIFY_BYTES];
	enum db_result result = db_consume(d->db);

	while (result == DB_OK && db_notification(d->db, payload))
		heard(d, payload);
	return result;
}

/* Customers before keys, which need their slots. */
static enum db_result
load_changes(struct directory *d)
{
	enum db_result result = DB_OK;

	if (d->reload_all)
		return load_all(d);
	if (d->next_price_us != 0 && clock_wall().us >= d->next_price_us)
		d->reload_catalogue = true;
	/* First: who is bounded by a policy must find it. */
	if (d->reload_catalogue)
		result = load_catalogue(d);
	if (result == DB_OK && d->customers.n != 0)
		result = directory_load_accounts(d, &d->customers);
	if (result == DB_OK && d->keys.n != 0)
		result = directory_load_keys(d, &d->keys);
	if (result == DB_OK)
		result = load_budgets(d);
	if (result == DB_OK && (d->customers.n != 0 || d->keys.n != 0)) {
		d->customers.n = d->keys.n = 0;
		count(d);
	}
	return result;
}

/* Afterwards there may be changes to be loaded. */
static enum db_result
take_money(struct directory *d)
{
	enum db_result result = DB_OK;
	bool more;

	if (d->taking_due.ns != 0 && clock_mono().ns >= d->taking_due.ns) {
		d->taking_due.ns = 0;
		d->takings = true;
	}
	if (d->takings)
		result = directory_take(d);
	if (result == DB_OK && clock_mono().ns >= d->expire_due.ns) {
		d->expire_due = mono_add_ms(clock_mono(), EXPIRE_MS);
		result = directory_expire(d);
	}
	if (result == DB_OK && clock_mono().ns >= d->close_due.ns) {
		result = directory_close(d, &more);
		d->close_due = mono_add_ms(clock_mono(), more ? CLOSE_NEXT_MS :
		    CLOSE_MS);
	}
	return result;
}

static int
until_next(const struct directory *d)
{
	int64_t ms = mono_diff_ms(d->beat_due, clock_mono());
	int64_t price_ms, expire_ms;

	expire_ms = mono_diff_ms(d->expire_due, clock_mono()) + 1;
	if (expire_ms < ms)
		ms = expire_ms;
	if (mono_diff_ms(d->close_due, clock_mono()) + 1 < ms)
		ms = mono_diff_ms(d->close_due, clock_mono()) + 1;
	if (d->taking_due.ns != 0 &&
	    mono_diff_ms(d->taking_due, clock_mono()) < ms)
		ms = mono_diff_ms(d->taking_due, clock_mono()) + 1;

	if (leases_due_ms(d->leases) < ms)
		ms = leases_due_ms(d->leases);
	if (ms < 0)
		ms = 0;

	if (d->next_price_us != 0) {
		/* Rounded up: not a moment before its time. */
		price_ms = (d->next_price_us - clock_wall().us + 999) / 1000;
		if (price_ms < 0)
			price_ms = 0;
		if (price_ms < ms)
			ms = price_ms;
	}
	return (int)ms;
}

/* What money is at home for a node that is alone. */
static enum db_result
gather(struct directory *d)
{
	enum db_result result;
	int64_t taken;

	d->gather_now = false;
	d->gather_due = mono_add_ms(clock_mono(), GATHER_MS);
	result = leases_take_all(d->db, &d->node, &taken);
	if (result == DB_OK && taken > 0)
		result = directory_load_accounts(d, NULL);
	if (result == DB_OK)
		result = load_budgets(d);
	return result;
}

static enum db_result
beat(struct directory *d)
{
	uint32_t were = d->node.up;
	enum db_result result;

	d->beat_now = false;
	d->beat_due = mono_add_ms(clock_mono(), BEAT_MS);
	result = node_beat(d->db, &d->node);
	if (result != DB_OK)
		return result;
	shm_gauge_set(d->config.shm, SHM_GAUGE_NODES_UP, d->node.up);
	if (d->node.up != were)
		log_notice("nodes that are up: %" PRIu32, d->node.up);
	if (d->node.up > were && d->node.up > 1)
		return leases_return_surplus(d->leases, d->db, &d->node);
	if (d->node.up == 1 && (were != 1 || d->gather_now ||
	    clock_mono().ns >= d->gather_due.ns))
		return gather(d);
	return DB_OK;
}

/* The node's life and its money. */
static enum db_result
tend_node(struct directory *d)
{
	enum db_result result = DB_OK;

	if (d->beat_now || clock_mono().ns >= d->beat_due.ns)
		result = beat(d);
	else if (d->gather_now && d->node.up <= 1)
		result = gather(d);
	if (result == DB_OK)
		result = leases_turn(d->leases, d->db, &d->node);
	return result;
}

/* Reductions wait until the money isn't held any more. */
static void
retry_short(struct directory *d)
{
	uint32_t i;

	for (i = 0; i < d->short_of.n; i++)
		pending_add(d, &d->customers, d->short_of.id[i]);
	d->short_of.n = 0;
}

static void
serve(struct directory *d)
{
	struct mono_time short_due = { 0 };
	enum db_result result = DB_OK;

	while (!stopping(d) && result == DB_OK) {
		/* A query may have read notifications along with its answer:
		 * look before waiting. */
		result = hear(d);
		if (d->short_of.n != 0 && clock_mono().ns >= short_due.ns) {
			retry_short(d);
			short_due = mono_add_ms(clock_mono(), SHORT_RETRY_MS);
		}
		if (result == DB_OK)
			result = load_changes(d);
		if (result == DB_OK)
			result = tend_node(d);
		if (result == DB_OK)
			result = take_money(d);
		if (result != DB_OK)
			break;
		if (catalogue_resolve(&d->catalogue, d->resolver))
			publish(d);
		result = hear(d);
		if (result == DB_OK && d->customers.n == 0 &&
		    d->keys.n == 0 && !d->reload_catalogue &&
		    !d->reload_all && !d->takings)
			wait_ms(d, until_next(d));
	}
	if (stopping(d))
		return;
	/* Why it isn't the node any more, attaching again will tell. */
	if (result == DB_CONFLICT)
		db_disconnect(d->db);
	else
		trouble(d, "read the directory");
}

/* Not the node: a moment until it asks again.  What it hears meanwhile is for
 * the load. */
static void
wait_refused(struct directory *d)
{
	struct pollfd p = { .fd = d->event_fd, .events = POLLIN };
	char payload[DB_NOTIFY_BYTES];
	uint64_t n;

	(void)poll(&p, 1, BEAT_MS);
	(void)!read(d->event_fd, &n, sizeof(n));
	if (db_consume(d->db) == DB_OK)
		while (db_notification(d->db, payload))
			continue;
}

/* False: no calls are to be taken here now. */
static bool
is_node(struct directory *d)
{
	struct progress *p = d->config.progress;
	enum node_verdict verdict = d->node.verdict;

	shm_gauge_set(d->config.shm, SHM_GAUGE_NODE, d->node.id);
	shm_gauge_set(d->config.shm, SHM_GAUGE_NODES_UP, d->node.up);
	/* A fenced node's journal is still read: what it spent is late. */
	if (verdict == NODE_OURS || verdict == NODE_FENCED)
		atomic_store_explicit(&p->node, d->node.id,
		    memory_order_release);
	atomic_store_explicit(&p->session, d->node.session,
	    memory_order_release);
	if (verdict != d->said)
		node_say(verdict, d->config.settings->node);
	d->said = verdict;
	if (verdict == NODE_OURS)
		return true;
	shm_stop(d->config.shm, SHM_STOP_NODE);
	set_up(d, true);
	wait_refused(d);
	return false;
}

/* As long as it isn't the node, it asks again; true when it is and all is
 * loaded. */
static bool
begin(struct directory *d)
{
	enum db_result result;

	/* Listening comes first: what changes during the load is heard after
	 * it. */
	result = db_listen(d->db);
	while (result == DB_OK && !stopping(d)) {
		result = node_attach(d->db, d->config.settings->node,
		    d->config.journal_id, shm_incarnation(d->config.shm),
		    &d->node);
		if (result != DB_OK || !is_node(d))
			continue;
		d->beat_now = d->gather_now = false;
		d->gather_due = mono_add_ms(clock_mono(), GATHER_MS);
		result = load_all(d);
		if (result == DB_OK)
			return true;
	}
	if (!stopping(d))
		trouble(d, "load the directory");
	return false;
}

static void *
run(void *arg)
{
	struct directory *d = arg;

	while (!stopping(d)) {
		if (db_connect(d->db, CONNECT_TIMEOUT_S) != DB_OK) {
			trouble(d, "connect to the database");
			continue;
		}
		if (!begin(d))
			continue;
		if (d->complained)
			log_notice("the directory follows the database again");
		d->complained = false;
		d->pause_ms = PAUSE_FIRST_MS;
		set_up(d, true);
		serve(d);
	}
	return NULL;
}

static void
release(struct directory *d)
{
	resolver_stop(&d->resolver);
	accounts_close(&d->accounts);
	leases_close(&d->leases);
	catalogue_free(&d->catalogue);
	budget_news_free(&d->budgets);
	db_close(&d->db);
	if (d->event_fd >= 0)
		(void)close(d->event_fd);
	free(d);
}

struct directory *
directory_start(const struct directory_config *config)
{
	struct directory *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->config = *config;
	d->pause_ms = PAUSE_FIRST_MS;
	d->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	d->db = db_open(config->conninfo);
	d->accounts = accounts_open();
	d->leases = leases_open(config->shm, config->settings);
	if (d->event_fd >= 0)
		d->resolver = resolver_start(d->event_fd);
	if (d->event_fd < 0 || d->db == NULL || d->accounts == NULL ||
	    d->leases == NULL || d->resolver == NULL || !directory_learn(d)) {
		release(d);
		return NULL;
	}
	/* Before anything new is granted. */
	hold_grant_recover(config->shm);
	if (pthread_create(&d->thread, NULL, run, d) != 0) {
		release(d);
		return NULL;
	}
	return d;
}

bool
directory_stop(struct directory **directory, int patience_ms)
{
	struct directory *d = *directory;
	uint64_t one = 1;

	*directory = NULL;
	if (d == NULL)
		return true;
	atomic_store_explicit(&d->stop, true, memory_order_release);
	(void)!write(d->event_fd, &one, sizeof(one));
	if (!join_within(d->thread, patience_ms))
		return false;
	release(d);
	return true;
}
