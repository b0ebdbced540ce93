/*
 * channel_report.c: what is known of channels, for people; and forgetting it.
 */
#include <string.h>

#include "shm/catalogue.h"
#include "shm/channel.h"
#include "shm/layout.h"

static const int64_t bounds_ms[CHANNEL_LATENCIES] = {
	1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000,
	50000, 100000, 200000, 500000, 1000000, INT64_MAX
};

const char *
channel_fault_name(enum channel_fault fault)
{
	switch (fault) {
	case CHANNEL_FAULT_NONE:
		return "none";
	case CHANNEL_FAULT_ADDRESS:
		return "address";
	case CHANNEL_FAULT_CONNECT:
		return "connect";
	case CHANNEL_FAULT_TLS:
		return "tls";
	case CHANNEL_FAULT_PROXY:
		return "proxy";
	case CHANNEL_FAULT_SILENT:
		return "silent";
	case CHANNEL_FAULT_CUT:
		return "cut";
	case CHANNEL_FAULT_BAD_ANSWER:
		return "bad_answer";
	case CHANNEL_FAULT_STATUS:
		return "status";
	case CHANNEL_FAULTS:
		break;
	}
	return "unknown";
}

int64_t
channel_latency_bound_ms(uint32_t bucket)
{
	assert(bucket < CHANNEL_LATENCIES);
	return bounds_ms[bucket];
}

int64_t
channel_latency_percentile_ms(const uint64_t latency[CHANNEL_LATENCIES],
    uint32_t percent)
{
	uint64_t total = 0, rank, below = 0;
	int64_t low, high;
	uint32_t i;

	for (i = 0; i < CHANNEL_LATENCIES; i++)
		total += latency[i];
	if (total == 0)
		return -1;
	/* The smallest with so many of a hundred at or below it. */
	rank = total / 100 * percent + (total % 100 * percent + 99) / 100;
	if (rank == 0)
		rank = 1;
	for (i = 0; below + latency[i] < rank; i++)
		below += latency[i];
	low = i == 0 ? 0 : bounds_ms[i - 1];
	high = i == CHANNEL_LATENCIES - 1 ? low : bounds_ms[i];
	return low + (int64_t)((uint64_t)(high - low) * (rank - below) /
	    latency[i]);
}

bool
channel_read(const struct shm *shm, uint32_t slot, int64_t now_ms,
    struct channel_view *view_r)
{
	const struct shm_channel *ch;
	uint64_t window, fault;

	memset(view_r, 0, sizeof(*view_r));
	if (slot >= shm->sizes.channels)
		return false;
	ch = shm_channel(shm, slot);
	view_r->channel_id = atomic_load_explicit(&ch->channel_id,
	    memory_order_relaxed);
	view_r->breaker = breaker_read(&ch->breaker);
	view_r->failures = atomic_load_explicit(&ch->failures,
	    memory_order_relaxed);
	window = atomic_load_explicit(&ch->window, memory_order_relaxed);
	if (window >> 40 == ((uint64_t)(now_ms / CHANNEL_WINDOW_MS) &
	    0xffffff)) {
		view_r->window_calls = (uint32_t)(window >> 20 & 0xfffff);
		view_r->window_failures = (uint32_t)(window & 0xfffff);
	}
	view_r->faults = atomic_load_explicit(&ch->faults,
	    memory_order_relaxed);
	view_r->opened = atomic_load_explicit(&ch->opened,
	    memory_order_relaxed);
	fault = atomic_load_explicit(&ch->fault, memory_order_relaxed);
	if ((fault & 0xffff) < CHANNEL_FAULTS)
		view_r->fault = (enum channel_fault)(fault & 0xffff);
	view_r->status = (int)(fault >> 16 & 0xffff);
	view_r->fault_us = atomic_load_explicit(&ch->fault_us,
	    memory_order_relaxed);
	view_r->open = channel_open(shm, slot);
	for (uint32_t i = 0; i < CHANNEL_LATENCIES; i++) {
		view_r->latency[i] = atomic_load_explicit(&ch->latency[i],
		    memory_order_relaxed);
		view_r->answers += view_r->latency[i];
	}
	return true;
}

bool
channel_credential_read(const struct shm *shm, uint32_t slot,
    uint32_t credential, struct channel_credential_view *view_r)
{
	const struct shm_credential *c;

	memset(view_r, 0, sizeof(*view_r));
	if (slot >= shm->sizes.channels || credential >= CHANNEL_CREDENTIALS)
		return false;
	c = &shm_channel(shm, slot)->credential[credential];
	view_r->edition = atomic_load_explicit(&c->edition,
	    memory_order_relaxed);
	view_r->breaker = breaker_read(&c->breaker);
	view_r->status = (int)atomic_load_explicit(&c->status,
	    memory_order_relaxed);
	view_r->rest_until_ms = atomic_load_explicit(&c->rest_until_ms,
	    memory_order_relaxed);
	view_r->uses = atomic_load_explicit(&c->uses, memory_order_relaxed);
	view_r->refusals = atomic_load_explicit(&c->refusals,
	    memory_order_relaxed);
	view_r->rests = atomic_load_explicit(&c->rests, memory_order_relaxed);
	return true;
}

static void
forget_marks(struct shm_credential *c)
{
	atomic_store_explicit(&c->breaker, 0, memory_order_relaxed);
	atomic_store_explicit(&c->rest_until_ms, 0, memory_order_relaxed);
	atomic_store_explicit(&c->status, 0, memory_order_relaxed);
	atomic_store_explicit(&c->forbidden, 0, memory_order_relaxed);
}

static void
sync_credential(struct shm_credential *c, uint64_t edition)
{
	if (atomic_load_explicit(&c->edition, memory_order_relaxed) == edition)
		return;
	/* A late report about the former one finds neither edition. */
	atomic_store_explicit(&c->edition, 0, memory_order_relaxed);
	forget_marks(c);
	atomic_store_explicit(&c->uses, 0, memory_order_relaxed);
	atomic_store_explicit(&c->refusals, 0, memory_order_relaxed);
	atomic_store_explicit(&c->rests, 0, memory_order_relaxed);
	/* release: with the edition comes its clean state */
	atomic_store_explicit(&c->edition, edition, memory_order_release);
}

static void
forget_health(struct shm_channel *ch)
{
	atomic_store_explicit(&ch->breaker, 0, memory_order_relaxed);
	atomic_store_explicit(&ch->failures, 0, memory_order_relaxed);
	atomic_store_explicit(&ch->window, 0, memory_order_relaxed);
	for (uint32_t i = 0; i < CHANNEL_CREDENTIALS; i++)
		forget_marks(&ch->credential[i]);
}

static void
sync_channel(struct shm_channel *ch, const struct catalogue_channel *row)
{
	uint64_t id = atomic_load_explicit(&ch->channel_id,
	    memory_order_relaxed);
	uint32_t resets = atomic_load_explicit(&ch->resets,
	    memory_order_relaxed);

	if (id == row->channel_id && resets == row->resets)
		return;
	forget_health(ch);
	if (id != row->channel_id) {
		atomic_store_explicit(&ch->fault, 0, memory_order_relaxed);
		atomic_store_explicit(&ch->fault_us, 0, memory_order_relaxed);
		atomic_store_explicit(&ch->rate_ns, 0, memory_order_relaxed);
	}
	atomic_store_explicit(&ch->channel_id, row->channel_id,
	    memory_order_relaxed);
	/* Last: a flusher killed before it does all of this once more. */
	atomic_store_explicit(&ch->resets, row->resets, memory_order_relaxed);
}

/* The credentials of channel i, from the k-th on; returns where the next
 * channel's begin.  A place without an active one is left empty. */
static uint32_t
sync_credentials(struct shm_channel *ch, const struct catalogue *c,
    uint32_t i, uint32_t k)
{
	uint64_t edition[CHANNEL_CREDENTIALS] = { 0 };

	for (; k < c->credentials && c->credential[k].channel <= i; k++) {
		const struct catalogue_credential *cr = &c->credential[k];

		if (cr->channel == i && cr->slot < CHANNEL_CREDENTIALS &&
		    cr->status == CHANNEL_ACTIVE)
			edition[cr->slot] = cr->edition;
	}
	for (uint32_t n = 0; n < CHANNEL_CREDENTIALS; n++)
		sync_credential(&ch->credential[n], edition[n]);
	return k;
}

void
channel_sync(struct shm *shm, const struct catalogue *c)
{
	uint32_t i, k = 0;

	for (i = 0; i < c->channels; i++) {
		struct shm_channel *ch;

		if (c->channel[i].slot >= shm->sizes.channels)
			continue;
		ch = shm_channel(shm, c->channel[i].slot);
		sync_channel(ch, &c->channel[i]);
		k = sync_credentials(ch, c, i, k);
	}
}
