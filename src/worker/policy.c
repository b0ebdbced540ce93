#include "worker/policy.h"

#include <string.h>

#include "shm/catalogue.h"
#include "worker/catalogue_view.h"

static const struct catalogue_policy *
find(const struct catalogue *c, uint32_t id)
{
	uint32_t low = 0, high = c->policies;

	while (low < high) {
		uint32_t half = low + (high - low) / 2;

		if (c->policy[half].policy_id < id)
			low = half + 1;
		else
			high = half;
	}
	return low < c->policies && c->policy[low].policy_id == id ?
	    &c->policy[low] : NULL;
}

static bool
is_in(const struct catalogue_network *n, const uint8_t address[16])
{
	uint32_t whole = n->bits / 8, rest = n->bits % 8;

	if (n->bits > 128 || memcmp(n->ip, address, whole) != 0)
		return false;
	return rest == 0 ||
	    ((n->ip[whole] ^ address[whole]) >> (8 - rest)) == 0;
}

bool
policy_address(const struct catalogue_view *view,
    const struct policy_pair *pair, const uint8_t address[16])
{
	for (int k = 0; k < 2; k++) {
		const struct catalogue *c;
		const struct catalogue_policy *p;
		bool allowed;

		if (pair->id[k] == 0)
			continue;
		if (view == NULL)
			return false;
		c = view_catalogue(view);
		p = find(c, pair->id[k]);
		if (p == NULL)
			return false;
		allowed = p->networks == 0;
		for (uint32_t i = 0; !allowed && i < p->networks; i++)
			allowed = is_in(&c->policy_network[p->first_network +
			    i], address);
		if (!allowed)
			return false;
	}
	return true;
}

/* As models are named: exactly, or by what stands before a '*'. */
static bool
fits(const char *entry, const char *name, size_t len)
{
	size_t prefix;

	if (model_is_pattern(entry, &prefix))
		return prefix <= len && memcmp(entry, name, prefix) == 0;
	return strnlen(entry, MODEL_NAME_BYTES) == len &&
	    memcmp(entry, name, len) == 0;
}

bool
policy_model(const struct catalogue_view *view,
    const struct policy_pair *pair, const char *name, size_t len)
{
	for (int k = 0; k < 2; k++) {
		const struct catalogue *c = view_catalogue(view);
		const struct catalogue_policy *p;
		bool allowed;

		if (pair->id[k] == 0)
			continue;
		p = find(c, pair->id[k]);
		if (p == NULL)
			return false;
		allowed = p->models == 0;
		for (uint32_t i = 0; !allowed && i < p->models; i++)
			allowed = fits(c->policy_model[p->first_model +
			    i].name, name, len);
		if (!allowed)
			return false;
	}
	return true;
}

bool
policy_region(const struct catalogue_view *view,
    const struct policy_pair *pair, const struct catalogue_channel *channel)
{
	for (int k = 0; k < 2; k++) {
		const struct catalogue *c = view_catalogue(view);
		const struct catalogue_policy *p;
		bool allowed;

		if (pair->id[k] == 0)
			continue;
		p = find(c, pair->id[k]);
		if (p == NULL)
			return false;
		allowed = p->regions == 0;
		for (uint32_t i = 0; !allowed && i < p->regions; i++)
			allowed = strncmp(c->policy_region[p->first_region +
			    i].name, channel->region, CHANNEL_REGION_BYTES) ==
			    0;
		if (!allowed)
			return false;
	}
	return true;
}
