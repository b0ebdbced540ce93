/*
 * catalogue.c: two banks, one current.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "shm/catalogue.h"
#include "shm/layout.h"

/* A bank's arrays, in their order. */
#define ARRAY(n, array) { offsetof(struct catalogue, n), \
	offsetof(struct catalogue, array), \
	sizeof(*((struct catalogue *)NULL)->array) }
static const struct array {
	size_t count_at;	/* uint32_t, in struct catalogue */
	size_t pointer_at;
	size_t each;
} arrays[] = {
	ARRAY(models, model),
	ARRAY(groups, group),
	ARRAY(channels, channel),
	ARRAY(routes, route),
	ARRAY(credentials, credential),
	ARRAY(grants, grant),
	ARRAY(overrides, override),
	ARRAY(screens, screen),
	ARRAY(screen_bytes, screen_block),
	ARRAY(moderations, moderation),
	ARRAY(policies, policy),
	ARRAY(policy_models, policy_model),
	ARRAY(policy_networks, policy_network),
	ARRAY(policy_regions, policy_region),
};
#undef ARRAY

static_assert(sizeof(arrays) / sizeof(arrays[0]) == CATALOGUE_ARRAYS,
    "a bank has a count for each array");

static uint32_t *
count_of(const struct catalogue *c, int i)
{
	return (uint32_t *)(void *)((char *)(uintptr_t)c +
	    arrays[i].count_at);
}

static void **
pointer_of(const struct catalogue *c, int i)
{
	return (void **)(void *)((char *)(uintptr_t)c +
	    arrays[i].pointer_at);
}

static uint64_t
line_up(uint64_t n)
{
	return (n + SHM_LINE - 1) / SHM_LINE * SHM_LINE;
}

/* Where the arrays stand in a bank of these counts; returns its size. */
static uint64_t
places_of(const struct shm_bank *b, uint64_t at_r[CATALOGUE_ARRAYS])
{
	uint64_t at = line_up(sizeof(struct shm_bank));

	for (int i = 0; i < CATALOGUE_ARRAYS; i++) {
		at_r[i] = at;
		at = line_up(at + (uint64_t)b->count[i] * arrays[i].each);
	}
	return at;
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
	for (int i = 0; i < CATALOGUE_ARRAYS; i++)
		free(*pointer_of(c, i));
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

static bool
in_array(uint32_t first, uint32_t n, uint32_t all)
{
	return first <= all && n <= all - first;
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
	for (i = 0; i < c->moderations; i++)
		if (c->moderation[i].channel != CATALOGUE_NO_CHANNEL &&
		    c->moderation[i].channel >= c->channels)
			return false;
	for (i = 0; i < c->policies; i++)
		if (!in_array(c->policy[i].first_model, c->policy[i].models,
		    c->policy_models) || !in_array(c->policy[i].first_network,
		    c->policy[i].networks, c->policy_networks) ||
		    !in_array(c->policy[i].first_region, c->policy[i].regions,
		    c->policy_regions))
			return false;
	return c->screens <= CATALOGUE_SCREENS;
}

static bool
copy_arrays(struct catalogue *c, const struct shm_bank *head,
    const uint8_t *base, const uint64_t at[CATALOGUE_ARRAYS])
{
	bool ok = true;

	c->screen_edition = head->screen_edition;
	for (int i = 0; i < CATALOGUE_ARRAYS; i++) {
		*count_of(c, i) = head->count[i];
		*pointer_of(c, i) = copy_of(base + at[i], head->count[i],
		    arrays[i].each);
		ok = ok && *pointer_of(c, i) != NULL;
	}
	return ok;
}

enum catalogue_result
catalogue_copy(const struct shm *shm, struct catalogue *c)
{
	const struct shm_bank *bank;
	const uint8_t *base;
	struct shm_bank head;
	uint64_t at[CATALOGUE_ARRAYS];

	memset(c, 0, sizeof(*c));
	c->number = catalogue_current(shm);
	if (c->number == 0)
		return CATALOGUE_NONE;
	bank = shm_bank(shm, c->number);
	base = (const uint8_t *)bank;
	head = *bank;
	if (places_of(&head, at) > shm->sizes.catalogue_bytes ||
	    head.number != c->number)
		return CATALOGUE_TORN;
	if (!copy_arrays(c, &head, base, at)) {
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
	struct shm_bank head = { .screen_edition = c->screen_edition };
	uint64_t at[CATALOGUE_ARRAYS];

	for (int i = 0; i < CATALOGUE_ARRAYS; i++)
		head.count[i] = *count_of(c, i);
	head.bytes = places_of(&head, at);
	if (head.bytes > shm->sizes.catalogue_bytes)
		return CATALOGUE_FULL;
	bank->number = 0;
	/* Who still copies this bank, two numbers ago, must not miss that the
	 * current number has moved on: it did, one publication ago. */
	atomic_thread_fence(memory_order_seq_cst);
	*bank = head;
	for (int i = 0; i < CATALOGUE_ARRAYS; i++)
		put(base + at[i], *pointer_of(c, i), head.count[i],
		    arrays[i].each);
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
