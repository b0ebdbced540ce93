#include "worker/choose.h"

#include <assert.h>
#include <string.h>

#include "shm/budget.h"
#include "shm/catalogue.h"
#include "shm/channel.h"
#include "shm/limit.h"
#include "worker/catalogue_view.h"
#include "worker/policy.h"
#include "worker/translated.h"

/* Channels of one priority that are considered; more serve no purpose. */
#define CANDIDATES_MAX 64

struct candidate {
	uint32_t route;
	const struct view_channel *channel;
	uint32_t fit;			/* credentials, as bits */
	uint32_t fit_count;
};

struct search {
	const struct choice_ask *ask;
	int64_t now_ms;
	size_t candidates;
	uint64_t weights;
	bool translates;		/* and looks at nothing else */
	/* Why there is none, and until when. */
	bool served, elsewhere, broken, busy, refused;
	int64_t wait_ms;
	struct candidate candidate[CANDIDATES_MAX];	/* last: not cleared */
};

bool
tried_add(struct tried *tried, uint32_t slot, uint32_t credential)
{
	if (tried->n == TRIED_MAX)
		return false;
	tried->at[tried->n].slot = slot;
	tried->at[tried->n++].credential = credential;
	return true;
}

bool
tried_has(const struct tried *tried, uint32_t slot, uint32_t credential)
{
	for (uint32_t i = 0; i < tried->n; i++)
		if (tried->at[i].slot == slot &&
		    (tried->at[i].credential == credential ||
		    tried->at[i].credential == TRIED_WHOLE_CHANNEL))
			return true;
	return false;
}

/* A mixer of 64 bits: the finalizer of SplitMix64 (Steele et al., 2014). */
static uint64_t
mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/*
 * -log2(x / 2^64) in 16-bit fixed point: the leading zeros, and of the rest
 * log2(1 + f) as f + 0.344 f (1 - f), which is within 0.01.
 */
static uint64_t
minus_log2(uint64_t x)
{
	unsigned zeros = x == 0 ? 63 : (unsigned)__builtin_clzll(x);
	uint64_t f = (x << zeros) << 1 >> 48;
	uint64_t log = f + (f * (65536 - f) >> 16) * 22544 / 65536;

	return ((uint64_t)zeros + 1) * 65536 - log;
}

/* Of exponential variates divided by weights the least belongs to each in
 * proportion to its weight. */
uint64_t
choose_score(uint64_t affinity, uint64_t id, uint32_t weight)
{
	uint64_t x = mix(affinity + mix(id + UINT64_C(0x9e3779b97f4a7c15)));

	return (minus_log2(x) << 32) / (weight > 0 ? weight : 1);
}

/* A channel that nobody weighted counts as one. */
static uint32_t
weight_of(const struct view_channel *c)
{
	return c->channel->weight > 0 ? c->channel->weight : 1;
}

static void
may_wait(struct search *s, int64_t wait_ms)
{
	if (wait_ms > 0 && (s->wait_ms == 0 || wait_ms < s->wait_ms))
		s->wait_ms = wait_ms;
}

static uint32_t
fit_credentials(struct search *s, const struct view_channel *c,
    uint32_t *count_r)
{
	uint32_t fit = 0, slot = c->channel->slot;
	int64_t until_ms;
	bool refused;

	*count_r = 0;
	for (uint32_t i = 0; i < c->credentials; i++) {
		const struct view_credential *cr = &c->credential[i];

		if (tried_has(s->ask->tried, slot, cr->key.credential))
			continue;
		if (channel_credential_passes(s->ask->shm, &cr->key,
		    s->now_ms, &until_ms, &refused)) {
			fit |= UINT32_C(1) << i;
			++*count_r;
			continue;
		}
		if (refused)
			s->refused = true;
		else
			s->busy = true;
		may_wait(s, until_ms - s->now_ms);
	}
	return fit;
}

/* Has it tokens of this minute and money of this day left? */
static bool
has_means(struct search *s, uint32_t slot)
{
	const struct shm *shm = s->ask->shm;
	struct limit_rates rates = limit_read(shm, LIMIT_CHANNEL, slot);
	struct budget_caps caps = budget_read(shm, LIMIT_CHANNEL, slot);
	struct limit_verdict verdict;
	struct budget_time when;
	enum budget_verdict spent;

	if (rates.tokens != 0) {
		verdict = limit_glance(shm, LIMIT_CHANNEL, slot, &rates,
		    s->ask->now);
		if (verdict.kind != LIMIT_PASSED) {
			may_wait(s, (verdict.wait_ns + 999999) / 1000000);
			return false;
		}
	}
	if (!budget_has_caps(&caps))
		return true;
	when = budget_time(s->ask->wall_us);
	spent = budget_glance(shm, LIMIT_CHANNEL, slot, &caps, &when);
	if (spent == BUDGET_PASSED)
		return true;
	may_wait(s, budget_left_us(spent == BUDGET_DAY_SPENT ? BUDGET_DAY :
	    BUDGET_MONTH, s->ask->wall_us) / 1000 + 1);
	return false;
}

/* Within its limits?  A look only: attempt.c takes part. */
static bool
has_room(struct search *s, const struct view_channel *c)
{
	const struct catalogue_channel *ch = c->channel;
	int64_t wait_ms = channel_rate_wait_ms(s->ask->shm, ch->slot,
	    channel_share(s->ask->shm, ch->max_per_minute), s->ask->now);
	uint32_t concurrent = channel_share(s->ask->shm, ch->max_concurrent);

	if (wait_ms == 0 && (concurrent == 0 ||
	    channel_open(s->ask->shm, ch->slot) < concurrent) &&
	    has_means(s, ch->slot))
		return true;
	s->busy = true;
	may_wait(s, wait_ms);
	return false;
}

static void
consider(struct search *s, uint32_t route)
{
	const struct view_channel *c = view_route_channel(s->ask->view, route);
	uint32_t slot = c->channel->slot, fit, count;

	if (s->candidates == CANDIDATES_MAX)
		return;
	if (!channel_passes(s->ask->shm, slot, s->now_ms)) {
		s->broken = true;
		may_wait(s, channel_until_ms(s->ask->shm, slot) - s->now_ms);
		return;
	}
	fit = fit_credentials(s, c, &count);
	if (fit == 0 || !has_room(s, c))
		return;
	s->candidate[s->candidates++] = (struct candidate){ route, c, fit,
		count };
	s->weights += weight_of(c);
}

/* By its protocol, for its group, and if there must be one channel, that.
 * What must go to one because of an answer that it keeps can't be translated
 * at all, which is better said by the member's name. */
static bool
speaks(const struct search *s, const struct view_channel *c)
{
	const struct choice_ask *ask = s->ask;
	bool instead = translated_instead(ask->route, c->channel);

	if (s->translates)
		return (instead || translated_possible(ask->route,
		    c->channel->protocol)) && view_allows(c, ask->group_id);
	return c->channel->protocol == ask->protocol && !instead &&
	    (ask->channel_id == 0 ||
	    ask->channel_id == c->channel->channel_id) &&
	    view_allows(c, ask->group_id);
}

/* What leaves for a region that the customer doesn't allow has left. */
static bool
serves(const struct search *s, const struct view_channel *c)
{
	return speaks(s, c) && policy_region(s->ask->view, s->ask->policies,
	    c->channel);
}

static void
search(struct search *s)
{
	const struct choice_ask *ask = s->ask;
	uint32_t route, end, priority = 0;

	view_routes(ask->view, ask->model, &route, &end);
	for (; route < end; route++) {
		const struct view_channel *c = view_route_channel(ask->view,
		    route);

		if (!serves(s, c)) {
			s->elsewhere = s->elsewhere || speaks(s, c);
			continue;
		}
		s->served = true;
		if (!view_usable(c))
			continue;
		/* Routes come by priority. */
		if (s->candidates > 0 && c->channel->priority != priority)
			break;
		priority = c->channel->priority;
		consider(s, route);
	}
}

/* Is there anything behind the priority that was chosen from? */
static bool
more_follow(const struct search *s)
{
	const struct choice_ask *ask = s->ask;
	uint32_t route, end;
	const struct view_channel *last =
	    s->candidate[s->candidates - 1].channel;

	view_routes(ask->view, ask->model, &route, &end);
	for (route = s->candidate[s->candidates - 1].route + 1; route < end;
	    route++) {
		const struct view_channel *c = view_route_channel(ask->view,
		    route);

		if (c->channel->priority != last->channel->priority &&
		    serves(s, c) && view_usable(c) &&
		    !tried_has(ask->tried, c->channel->slot,
		    TRIED_WHOLE_CHANNEL) &&
		    channel_passes(ask->shm, c->channel->slot, s->now_ms))
			return true;
	}
	return false;
}

static const struct candidate *
draw(const struct search *s, uint32_t random, const struct candidate *but)
{
	uint64_t weights = s->weights - (but != NULL ?
	    weight_of(but->channel) : 0);
	uint64_t at = random * weights >> 32;

	for (size_t i = 0; i < s->candidates; i++) {
		const struct candidate *c = &s->candidate[i];

		if (c == but)
			continue;
		if (at < weight_of(c->channel))
			return c;
		at -= weight_of(c->channel);
	}
	assert(!"a draw below the sum of the weights meets one");
	return NULL;
}

/* Two drawn by weight; of them the one with less to do for its weight. */
static const struct candidate *
least_loaded(const struct search *s)
{
	const struct shm *shm = s->ask->shm;
	const struct candidate *a, *b;
	uint64_t load_a, load_b;

	a = draw(s, (uint32_t)s->ask->random, NULL);
	if (s->candidates == 1)
		return a;
	b = draw(s, (uint32_t)(mix(s->ask->random) >> 32), a);
	load_a = channel_open(shm, a->channel->channel->slot);
	load_b = channel_open(shm, b->channel->channel->slot);
	return load_b * weight_of(a->channel) < load_a * weight_of(b->channel) ?
	    b : a;
}

static const struct candidate *
rendezvous(const struct search *s, uint32_t *credential_r)
{
	const struct candidate *best = NULL;
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < s->candidates; i++) {
		const struct candidate *c = &s->candidate[i];

		for (uint32_t k = 0; k < c->channel->credentials; k++) {
			uint64_t score;

			if ((c->fit >> k & 1) == 0)
				continue;
			/* A channel's weight is shared by all its
			 * credentials, fit or not: one that falls out moves
			 * its own affinities only. */
			score = choose_score(s->ask->affinity,
			    c->channel->credential[k].credential_id,
			    weight_of(c->channel)) * c->channel->credentials;
			if (best == NULL || score < least) {
				best = c;
				least = score;
				*credential_r = k;
			}
		}
	}
	return best;
}

static uint32_t
nth_credential(const struct candidate *c, uint32_t n)
{
	for (uint32_t k = 0; ; k++) {
		assert(k < CHANNEL_CREDENTIALS);
		if ((c->fit >> k & 1) != 0 && n-- == 0)
			return k;
	}
}

static enum choice_result
explain(const struct search *s)
{
	if (!s->served)
		return s->elsewhere ? CHOICE_NO_REGION : CHOICE_NO_ROUTE;
	if (s->busy)
		return CHOICE_BUSY;
	if (s->broken || !s->refused)
		return CHOICE_NO_CHANNEL;
	return CHOICE_REFUSED;
}

enum choice_result
choose(const struct choice_ask *ask, struct choice *choice_r)
{
	const struct candidate *c;
	struct search s;
	uint32_t k = 0;

	memset(&s, 0, offsetof(struct search, candidate));
	memset(choice_r, 0, sizeof(*choice_r));
	s.ask = ask;
	s.now_ms = ask->now.ns / NS_PER_MS;
	search(&s);
	if (!s.served) {
		s.translates = true;
		search(&s);
	}
	choice_r->wait_ms = s.wait_ms;
	if (s.candidates == 0)
		return explain(&s);
	if (ask->affinity != 0)
		c = rendezvous(&s, &k);
	else {
		c = least_loaded(&s);
		k = nth_credential(c, (uint32_t)(mix(~ask->random) %
		    c->fit_count));
	}
	choice_r->channel = c->channel;
	choice_r->credential = &c->channel->credential[k];
	choice_r->upstream_name = view_route_name(ask->view, c->route);
	choice_r->others = s.candidates > 1 || c->fit_count > 1 ||
	    more_follow(&s);
	return CHOICE_MADE;
}
