/*
 * catalogue.c: two banks, one current.
 */
#include <stdlib.h>
#include <string.h>

#include "shm/catalogue.h"
#include "shm/layout.h"

/* Where the four arrays stand in a bank of these counts; returns the end. */
struct places {
	uint64_t model, group, channel, route, end;
};

static uint64_t
line_up(uint64_t n)
{
	return (n + SHM_LINE - 1) / SHM_LINE * SHM_LINE;
}

static struct places
places_of(uint32_t models, uint32_t groups, uint32_t channels, uint32_t routes)
{
	struct places p;

	p.model = line_up(sizeof(struct shm_bank));
	p.group = line_up(p.model +
	    (uint64_t)models * sizeof(struct catalogue_model));
	p.channel = line_up(p.group +
	    (uint64_t)groups * sizeof(struct catalogue_group));
	p.route = line_up(p.channel +
	    (uint64_t)channels * sizeof(struct catalogue_channel));
	p.end = line_up(p.route +
	    (uint64_t)routes * sizeof(struct catalogue_route));
	return p;
}

uint64_t
catalogue_current(const struct shm *shm)
{
	/* acquire: the bank of this number is complete */
	return atomic_load_explicit(&shm_header(shm)->catalogue_number,
	    memory_order_acquire);
}

void
catalogue_free(struct catalogue *c)
{
	free(c->model);
	free(c->group);
	free(c->channel);
	free(c->route);
	memset(c, 0, sizeof(*c));
}

static void *
copy_of(const void *p, uint64_t bytes)
{
	void *copy = malloc(bytes == 0 ? 1 : bytes);

	if (copy != NULL)
		memcpy(copy, p, bytes);
	return copy;
}

/* A route that points nowhere would be followed on every call. */
static bool
routes_sane(const struct catalogue *c)
{
	uint32_t i;

	for (i = 0; i < c->routes; i++)
		if (c->route[i].channel >= c->channels ||
		    c->route[i].model >= c->models)
			return false;
	return true;
}

enum catalogue_result
catalogue_copy(const struct shm *shm, struct catalogue *c)
{
	const struct shm_bank *bank;
	const uint8_t *base;
	struct shm_bank head;
	struct places p;

	memset(c, 0, sizeof(*c));
	c->number = catalogue_current(shm);
	if (c->number == 0)
		return CATALOGUE_NONE;
	bank = shm_bank(shm, c->number);
	base = (const uint8_t *)bank;
	head = *bank;
	p = places_of(head.models, head.groups, head.channels, head.routes);
	if (p.end > shm->sizes.catalogue_bytes || head.number != c->number)
		return CATALOGUE_TORN;
	c->models = head.models;
	c->groups = head.groups;
	c->channels = head.channels;
	c->routes = head.routes;
	c->model = copy_of(base + p.model,
	    (uint64_t)c->models * sizeof(*c->model));
	c->group = copy_of(base + p.group,
	    (uint64_t)c->groups * sizeof(*c->group));
	c->channel = copy_of(base + p.channel,
	    (uint64_t)c->channels * sizeof(*c->channel));
	c->route = copy_of(base + p.route,
	    (uint64_t)c->routes * sizeof(*c->route));
	if (c->model == NULL || c->group == NULL || c->channel == NULL ||
	    c->route == NULL) {
		catalogue_free(c);
		return CATALOGUE_MEMORY;
	}
	/* The copy is read before the number is read again.  While it is the
	 * same, the writer has only touched the other bank. */
	atomic_thread_fence(memory_order_acquire);
	if (catalogue_current(shm) != c->number || !routes_sane(c)) {
		catalogue_free(c);
		return CATALOGUE_TORN;
	}
	return CATALOGUE_OK;
}

enum catalogue_result
catalogue_publish(struct shm *shm, const struct catalogue *c)
{
	uint64_t number = catalogue_current(shm) + 1;
	struct shm_bank *bank = shm_bank(shm, number);
	uint8_t *base = (uint8_t *)bank;
	struct places p;

	p = places_of(c->models, c->groups, c->channels, c->routes);
	if (p.end > shm->sizes.catalogue_bytes)
		return CATALOGUE_FULL;
	bank->number = 0;
	/* Who still copies this bank, two numbers ago, must not miss that the
	 * current number has moved on: it did, one publication ago. */
	atomic_thread_fence(memory_order_seq_cst);
	bank->bytes = p.end;
	bank->models = c->models;
	bank->groups = c->groups;
	bank->channels = c->channels;
	bank->routes = c->routes;
	memcpy(base + p.model, c->model,
	    (size_t)c->models * sizeof(*c->model));
	memcpy(base + p.group, c->group,
	    (size_t)c->groups * sizeof(*c->group));
	memcpy(base + p.channel, c->channel,
	    (size_t)c->channels * sizeof(*c->channel));
	memcpy(base + p.route, c->route,
	    (size_t)c->routes * sizeof(*c->route));
	bank->number = number;
	/* release: complete before it is current */
	atomic_store_explicit(&shm_header(shm)->catalogue_number, number,
	    memory_order_release);
	return CATALOGUE_OK;
}
