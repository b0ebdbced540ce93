#include "worker/catalogue_view.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/secret.h"
#include "conf/settings.h"
#include "upstream/endpoint.h"

/* Well below what providers keep an idle connection for. */
#define UPSTREAM_IDLE_KEEP_MS 30000

static const char bearer[] = "Bearer ";

struct catalogue_view {
	struct catalogue catalogue;
	uint32_t *slot;			/* model + 1; 0: free */
	uint32_t slots;			/* a power of two */
	uint32_t *first_route;		/* per model */
	struct view_channel *channel;	/* per channel */
};

/* FNV-1a: names are short, and the operator's own. */
static uint32_t
hash_of(const char *name, size_t len)
{
	uint32_t h = UINT32_C(2166136261);

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)name[i]) * UINT32_C(16777619);
	return h;
}

static bool
index_models(struct catalogue_view *view)
{
	const struct catalogue *c = &view->catalogue;

	view->slots = 8;
	while (view->slots < 2 * (uint64_t)c->models)
		view->slots *= 2;
	view->slot = calloc(view->slots, sizeof(*view->slot));
	if (view->slot == NULL)
		return false;
	for (uint32_t i = 0; i < c->models; i++) {
		const char *name = c->model[i].name;
		uint32_t at = hash_of(name, strnlen(name, MODEL_NAME_BYTES));

		while (view->slot[at & (view->slots - 1)] != 0)
			at++;
		view->slot[at & (view->slots - 1)] = i + 1;
	}
	return true;
}

/* Routes are sorted by model; where each model's begin. */
static bool
index_routes(struct catalogue_view *view)
{
	const struct catalogue *c = &view->catalogue;

	view->first_route = calloc((size_t)c->models + 1,
	    sizeof(*view->first_route));
	if (view->first_route == NULL)
		return false;
	for (uint32_t m = 0, r = 0; m <= c->models; m++) {
		while (r < c->routes && c->route[r].model < m)
			r++;
		view->first_route[m] = r;
	}
	return true;
}

struct catalogue_view *
view_of(struct catalogue *catalogue)
{
	struct catalogue_view *view = calloc(1, sizeof(*view));

	if (view == NULL)
		return NULL;
	view->catalogue = *catalogue;
	memset(catalogue, 0, sizeof(*catalogue));
	view->channel = calloc((size_t)view->catalogue.channels + 1,
	    sizeof(*view->channel));
	if (view->channel == NULL || !index_models(view) ||
	    !index_routes(view)) {
		view_free(&view);
		return NULL;
	}
	for (uint32_t i = 0; i < view->catalogue.channels; i++)
		view->channel[i].channel = &view->catalogue.channel[i];
	return view;
}

void
view_free(struct catalogue_view **view)
{
	struct catalogue_view *v = *view;

	if (v == NULL)
		return;
	for (uint32_t i = 0; v->channel != NULL &&
	    i < v->catalogue.channels; i++) {
		struct view_channel *c = &v->channel[i];

		if (c->upstream != NULL)
			upstream_retire(&c->upstream);
		if (c->credential != NULL) {
			bytes_scrub(c->credential, c->credential_len);
			free(c->credential);
		}
	}
	free(v->channel);
	free(v->slot);
	free(v->first_route);
	catalogue_free(&v->catalogue);
	free(v);
	*view = NULL;
}

/* As the protocol's header wants it: OpenAI's with the scheme before it. */
static bool
open_credential(struct view_channel *c, const struct secrets *secrets)
{
	const struct catalogue_channel *ch = c->channel;
	size_t prefix = ch->protocol == WIRE_OPENAI ? sizeof(bearer) - 1 : 0;
	size_t len;

	if (ch->credential_bytes < SEAL_OVERHEAD ||
	    ch->credential_bytes > CHANNEL_CREDENTIAL_BYTES)
		return false;
	len = ch->credential_bytes - SEAL_OVERHEAD;
	c->credential = malloc(prefix + len + 1);
	if (c->credential == NULL)
		return false;
	memcpy(c->credential, bearer, prefix);
	if (!secret_unseal(secrets, ch->name, ch->credential,
	    ch->credential_bytes, c->credential + prefix)) {
		free(c->credential);
		c->credential = NULL;
		return false;
	}
	c->credential_len = prefix + len;
	c->credential[c->credential_len] = '\0';
	return true;
}

static struct upstream_config
configure(const struct view_channel *c, const struct settings *s)
{
	struct upstream_config config = {
		.timeouts = {
			.connect_ms = s->upstream_connect_timeout_ms,
			.first_byte_ms = s->upstream_first_byte_timeout_ms,
			.idle_ms = s->upstream_idle_timeout_ms,
			.total_ms = s->total_timeout_ms,
		},
		.idle_max = s->upstream_keepalive,
		.idle_keep_ms = UPSTREAM_IDLE_KEEP_MS,
	};

	upstream_config_channel(&config, c->channel);
	return config;
}

/* The same channel's upstream in the old view, if it can go on. */
static struct upstream *
take_over(struct catalogue_view *old, const struct view_channel *c,
    const struct upstream_config *config)
{
	if (old == NULL)
		return NULL;
	for (uint32_t i = 0; i < old->catalogue.channels; i++) {
		struct view_channel *o = &old->channel[i];
		struct upstream *upstream = o->upstream;

		if (o->channel->channel_id != c->channel->channel_id)
			continue;
		if (upstream == NULL || !upstream_update(upstream, config))
			return NULL;
		o->upstream = NULL;
		return upstream;
	}
	return NULL;
}

static void
open_channel(struct catalogue_view *old, struct view_channel *c,
    const struct secrets *secrets, const struct settings *settings,
    struct upstream_client *client)
{
	const struct catalogue_channel *ch = c->channel;
	struct upstream_config config;

	if (ch->status != CHANNEL_ACTIVE)
		return;
	if (!open_credential(c, secrets)) {
		log_error("credential of a channel cannot be opened "
		    "channel=%s hint=set it again with youyunctl", ch->name);
		return;
	}
	config = configure(c, settings);
	c->upstream = take_over(old, c, &config);
	if (c->upstream != NULL)
		return;
	switch (upstream_open(client, &config, &c->upstream)) {
	case UPSTREAM_OPEN_OK:
		return;
	case UPSTREAM_OPEN_BAD_HOST:
		log_error("host of a channel is not valid channel=%s",
		    ch->name);
		break;
	case UPSTREAM_OPEN_BAD_PATH:
		log_error("base path of a channel is not valid channel=%s",
		    ch->name);
		break;
	case UPSTREAM_OPEN_BAD_CA:
		log_error("CA certificates of a channel cannot be read "
		    "channel=%s", ch->name);
		break;
	case UPSTREAM_OPEN_MEMORY:
		log_error("no memory to open a channel channel=%s", ch->name);
		break;
	}
	c->upstream = NULL;
}

void
view_refresh(struct catalogue_view **view, const struct shm *shm,
    const struct secrets *secrets, const struct settings *settings,
    struct upstream_client *client)
{
	struct catalogue_view *next;
	struct catalogue copy = { 0 };

	if (*view != NULL &&
	    catalogue_current(shm) == (*view)->catalogue.number)
		return;
	/* Torn: overtaken again; the next turn tries again. */
	if (catalogue_copy(shm, &copy) != CATALOGUE_OK)
		return;
	next = view_of(&copy);
	if (next == NULL) {
		log_error("no memory for a new catalogue");
		catalogue_free(&copy);
		return;
	}
	for (uint32_t i = 0; i < next->catalogue.channels; i++)
		open_channel(*view, &next->channel[i], secrets, settings,
		    client);
	view_free(view);
	*view = next;
	log_debug("catalogue taken number=%llu models=%u channels=%u",
	    (unsigned long long)next->catalogue.number,
	    (unsigned)next->catalogue.models,
	    (unsigned)next->catalogue.channels);
}

const struct catalogue *
view_catalogue(const struct catalogue_view *view)
{
	return &view->catalogue;
}

const struct catalogue_model *
view_model(const struct catalogue_view *view, const char *name, size_t len)
{
	uint32_t at, m;

	if (len >= MODEL_NAME_BYTES)
		return NULL;
	at = hash_of(name, len);
	while ((m = view->slot[at & (view->slots - 1)]) != 0) {
		const struct catalogue_model *model =
		    &view->catalogue.model[m - 1];

		if (strncmp(model->name, name, len) == 0 &&
		    model->name[len] == '\0')
			return model;
		at++;
	}
	return NULL;
}

const struct catalogue_model *
view_model_by_id(const struct catalogue_view *view, uint64_t model_id)
{
	for (uint32_t i = 0; i < view->catalogue.models; i++)
		if (view->catalogue.model[i].model_id == model_id)
			return &view->catalogue.model[i];
	return NULL;
}

bool
view_group(const struct catalogue_view *view, uint64_t group_id,
    uint32_t *multiplier_ppm_r)
{
	for (uint32_t i = 0; i < view->catalogue.groups; i++)
		if (view->catalogue.group[i].group_id == group_id) {
			*multiplier_ppm_r =
			    view->catalogue.group[i].multiplier_ppm;
			return true;
		}
	return false;
}

static const struct view_channel *
channel_of(const struct catalogue_view *view, uint32_t route)
{
	return &view->channel[view->catalogue.route[route].channel];
}

static bool
usable(const struct view_channel *c, enum wire_protocol protocol)
{
	return c->channel->protocol == protocol && c->upstream != NULL &&
	    c->channel->status == CHANNEL_ACTIVE;
}

bool
view_serves(const struct catalogue_view *view,
    const struct catalogue_model *model, enum wire_protocol protocol)
{
	uint32_t m = (uint32_t)(model - view->catalogue.model);

	for (uint32_t r = view->first_route[m];
	    r < view->first_route[m + 1]; r++)
		if (channel_of(view, r)->channel->protocol == protocol)
			return true;
	return false;
}

/* A channel that nobody weighted counts as one. */
static uint32_t
weight_of(const struct view_channel *c)
{
	return c->channel->weight > 0 ? c->channel->weight : 1;
}

enum view_choice
view_choose(const struct catalogue_view *view,
    const struct catalogue_model *model, enum wire_protocol protocol,
    uint32_t random, const struct view_channel **channel_r,
    const char **upstream_name_r)
{
	uint32_t m = (uint32_t)(model - view->catalogue.model);
	uint32_t best = UINT32_MAX;
	uint64_t total = 0, at;

	for (uint32_t r = view->first_route[m];
	    r < view->first_route[m + 1]; r++) {
		const struct view_channel *c = channel_of(view, r);

		if (!usable(c, protocol) || c->channel->priority > best)
			continue;
		if (c->channel->priority < best)
			total = 0;
		best = c->channel->priority;
		total += weight_of(c);
	}
	if (total == 0)
		return view_serves(view, model, protocol) ?
		    VIEW_NO_CHANNEL : VIEW_NO_ROUTE;
	at = (uint64_t)random * total >> 32;
	for (uint32_t r = view->first_route[m];
	    r < view->first_route[m + 1]; r++) {
		const struct view_channel *c = channel_of(view, r);

		if (!usable(c, protocol) || c->channel->priority != best)
			continue;
		if (at < weight_of(c)) {
			*channel_r = c;
			*upstream_name_r =
			    view->catalogue.route[r].upstream_name;
			return VIEW_CHOSEN;
		}
		at -= weight_of(c);
	}
	assert(false);
	return VIEW_NO_CHANNEL;
}

enum view_choice
view_pinned(const struct catalogue_view *view,
    const struct catalogue_model *model, enum wire_protocol protocol,
    uint64_t channel_id, const struct view_channel **channel_r,
    const char **upstream_name_r)
{
	uint32_t m = (uint32_t)(model - view->catalogue.model);

	for (uint32_t r = view->first_route[m];
	    r < view->first_route[m + 1]; r++) {
		const struct view_channel *c = channel_of(view, r);

		if (c->channel->channel_id != channel_id)
			continue;
		if (!usable(c, protocol))
			return VIEW_NO_CHANNEL;
		*channel_r = c;
		*upstream_name_r = view->catalogue.route[r].upstream_name;
		return VIEW_CHOSEN;
	}
	return VIEW_NO_ROUTE;
}
