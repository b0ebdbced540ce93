/*
 * catalogue.c: two banks, one current.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shm/catalogue.h"
#include "shm/layout.h"

/* Where the arrays stand in a bank of these counts. */
struct places {
	uint64_t model, group, channel, route, credential, grant, override;
	uint64_t screen, block, end;
};

static uint64_t
line_up(uint64_t n)
{
	return (n + SHM_LINE - 1) / SHM_LINE * SHM_LINE;
}

static struct places
places_of(const struct shm_bank *b)
{
	struct places p;

	p.model = line_up(sizeof(struct shm_bank));
	p.group = line_up(p.model +
	    (uint64_t)b->models * sizeof(struct catalogue_model));
	p.channel = line_up(p.group +
	    (uint64_t)b->groups * sizeof(struct catalogue_group));
	p.route = line_up(p.channel +
	    (uint64_t)b->channels * sizeof(struct catalogue_channel));
	p.credential = line_up(p.route +
	    (uint64_t)b->routes * sizeof(struct catalogue_route));
	p.grant = line_up(p.credential +
	    (uint64_t)b->credentials * sizeof(struct catalogue_credential));
	p.override = line_up(p.grant +
	    (uint64_t)b->grants * sizeof(struct catalogue_grant));
	p.screen = line_up(p.override +
	    (uint64_t)b->overrides * sizeof(struct catalogue_override));
	p.block = line_up(p.screen +
	    (uint64_t)b->screens * sizeof(struct catalogue_screen));
	p.end = line_up(p.block + b->screen_bytes);
	return p;
}

bool
model_is_pattern(const char *name, size_t *prefix_r)
{
	size_t len = strnlen(name, MODEL_NAME_BYTES);

	*prefix_r = len > 0 ? len - 1 : 0;
	return len > 0 && name[len - 1] == '*';
}

uint64_t
catalogue_current(const struct shm *shm)
{
	/* acquire: the bank of this number is complete */
	return atomic_load_explicit(&shm_header(shm)->catalogue_number,
	    memory_order_acquire);
}

size_t
model_fit(const char *entry, const char *name)
{
	size_t prefix;

	if (strcmp(entry, name) == 0)
		return MODEL_NAME_BYTES + 1;
	if (!model_is_pattern(entry, &prefix) ||
	    strncmp(entry, name, prefix) != 0)
		return 0;
	return prefix + 1;
}

void
catalogue_free(struct catalogue *c)
{
	free(c->model);
	free(c->group);
	free(c->channel);
	free(c->route);
	free(c->credential);
	free(c->grant);
	free(c->override);
	free(c->screen);
	free(c->screen_block);
	memset(c, 0, sizeof(*c));
}

static void *
copy_of(const void *p, uint64_t n, size_t each)
{
	uint64_t bytes = n * each;
	void *copy = malloc(bytes == 0 ? 1 : bytes);

	if (copy != NULL)
		memcpy(copy, p, bytes);
	return copy;
}

/* An index that points nowhere would be followed on every call. */
static bool
indices_sane(const struct catalogue *c, uint32_t max_slots)
{
	uint32_t i;

	for (i = 0; i < c->channels; i++)
		if (c->channel[i].slot >= max_slots)
			return false;
	for (i = 0; i < c->routes; i++)
		if (c->route[i].channel >= c->channels ||
		    c->route[i].model >= c->models)
			return false;
	for (i = 0; i < c->credentials; i++)
		if (c->credential[i].channel >= c->channels ||
		    c->credential[i].slot >= CHANNEL_CREDENTIALS)
			return false;
	for (i = 0; i < c->grants; i++)
		if (c->grant[i].channel >= c->channels)
			return false;
	for (i = 0; i < c->overrides; i++)
		if (c->override[i].model >= c->models)
			return false;
	return c->screens <= CATALOGUE_SCREENS;
}

static bool
copy_arrays(struct catalogue *c, const struct shm_bank *head,
    const uint8_t *base, const struct places *p)
{
	c->models = head->models;
	c->groups = head->groups;
	c->channels = head->channels;
	c->routes = head->routes;
	c->credentials = head->credentials;
	c->grants = head->grants;
	c->overrides = head->overrides;
	c->screens = head->screens;
	c->screen_edition = head->screen_edition;
	c->screen_bytes = head->screen_bytes;
	c->model = copy_of(base + p->model, c->models, sizeof(*c->model));
	c->group = copy_of(base + p->group, c->groups, sizeof(*c->group));
	c->channel = copy_of(base + p->channel, c->channels,
	    sizeof(*c->channel));
	c->route = copy_of(base + p->route, c->routes, sizeof(*c->route));
	c->credential = copy_of(base + p->credential, c->credentials,
	    sizeof(*c->credential));
	c->grant = copy_of(base + p->grant, c->grants, sizeof(*c->grant));
	c->override = copy_of(base + p->override, c->overrides,
	    sizeof(*c->override));
	c->screen = copy_of(base + p->screen, c->screens, sizeof(*c->screen));
	c->screen_block = copy_of(base + p->block, c->screen_bytes, 1);
	return c->model != NULL && c->group != NULL && c->channel != NULL &&
	    c->route != NULL && c->credential != NULL && c->grant != NULL &&
	    c->override != NULL && c->screen != NULL &&
	    c->screen_block != NULL;
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
	/* A size that is no size must not make the sum wrap. */
	if (head.screen_bytes > shm->sizes.catalogue_bytes)
		return CATALOGUE_TORN;
	p = places_of(&head);
	if (p.end > shm->sizes.catalogue_bytes || head.number != c->number)
		return CATALOGUE_TORN;
	if (!copy_arrays(c, &head, base, &p)) {
		catalogue_free(c);
		return CATALOGUE_MEMORY;
	}
	/* The copy is read before the number is read again.  While it is the
	 * same, the writer has only touched the other bank. */
	atomic_thread_fence(memory_order_acquire);
	if (catalogue_current(shm) != c->number ||
	    !indices_sane(c, shm->sizes.channels)) {
		catalogue_free(c);
		return CATALOGUE_TORN;
	}
	return CATALOGUE_OK;
}

static void
put(uint8_t *to, const void *from, uint64_t n, size_t each)
{
	/* An empty array may be no array at all. */
	if (n > 0)
		memcpy(to, from, n * each);
}

enum catalogue_result
catalogue_publish(struct shm *shm, const struct catalogue *c)
{
	uint64_t number = catalogue_current(shm) + 1;
	struct shm_bank *bank = shm_bank(shm, number);
	uint8_t *base = (uint8_t *)bank;
	struct shm_bank head = { .models = c->models, .groups = c->groups,
		.channels = c->channels, .routes = c->routes,
		.credentials = c->credentials, .grants = c->grants,
		.overrides = c->overrides, .screens = c->screens,
		.screen_edition = c->screen_edition,
		.screen_bytes = c->screen_bytes };
	struct places p = places_of(&head);

	if (c->screen_bytes > shm->sizes.catalogue_bytes ||
	    p.end > shm->sizes.catalogue_bytes)
		return CATALOGUE_FULL;
	bank->number = 0;
	/* Who still copies this bank, two numbers ago, must not miss that the
	 * current number has moved on: it did, one publication ago. */
	atomic_thread_fence(memory_order_seq_cst);
	head.bytes = p.end;
	*bank = head;
	put(base + p.model, c->model, c->models, sizeof(*c->model));
	put(base + p.group, c->group, c->groups, sizeof(*c->group));
	put(base + p.channel, c->channel, c->channels, sizeof(*c->channel));
	put(base + p.route, c->route, c->routes, sizeof(*c->route));
	put(base + p.credential, c->credential, c->credentials,
	    sizeof(*c->credential));
	put(base + p.grant, c->grant, c->grants, sizeof(*c->grant));
	put(base + p.override, c->override, c->overrides,
	    sizeof(*c->override));
	put(base + p.screen, c->screen, c->screens, sizeof(*c->screen));
	put(base + p.block, c->screen_block, c->screen_bytes, 1);
	bank->number = number;
	/* release: complete before it is current */
	atomic_store_explicit(&shm_header(shm)->catalogue_number, number,
	    memory_order_release);
	return CATALOGUE_OK;
}

void
catalogue_credential_context(const char *channel_name, uint64_t credential_id,
    char context_r[CHANNEL_CONTEXT_BYTES])
{
	snprintf(context_r, CHANNEL_CONTEXT_BYTES, "%.*s\n%" PRIu64,
	    CHANNEL_NAME_BYTES - 1, channel_name, credential_id);
}

void
catalogue_proxy_context(const char *channel_name,
    char context_r[CHANNEL_CONTEXT_BYTES])
{
	snprintf(context_r, CHANNEL_CONTEXT_BYTES, "%.*s\nproxy",
	    CHANNEL_NAME_BYTES - 1, channel_name);
}
