#include "worker/catalogue_view.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text_match.h"
#include "conf/settings.h"
#include "upstream/endpoint.h"
#include "worker/policy.h"

/* Well below what providers keep an idle connection for. */
#define UPSTREAM_IDLE_KEEP_MS 30000

static const char bearer[] = "Bearer ";

struct catalogue_view {
	struct catalogue catalogue;
	uint32_t *slot;			/* model + 1; 0: free */
	uint32_t slots;			/* a power of two */
	uint8_t prefixed[MODEL_NAME_BYTES]; /* patterns begin with so much */
	uint32_t *first_override;	/* per model */
	uint32_t *first_route;		/* per model */
	struct view_channel *channel;	/* per channel */
	struct text_match match;
	bool screens;			/* match can be searched with */
};

/* FNV-1a: names are short, and the operator's own. */
#define HASH_EMPTY UINT32_C(2166136261)

static uint32_t
hash_add(uint32_t h, char c)
{
	return (h ^ (uint8_t)c) * UINT32_C(16777619);
}

static uint32_t
hash_of(const char *name, size_t len)
{
	uint32_t h = HASH_EMPTY;

	for (size_t i = 0; i < len; i++)
		h = hash_add(h, name[i]);
	return h;
}

static bool
index_models(struct catalogue_view *view)
{
	const struct catalogue *c = &view->catalogue;
	size_t prefix;

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
		if (model_is_pattern(name, &prefix))
			view->prefixed[prefix] = 1;
	}
	return true;
}

static bool
index_overrides(struct catalogue_view *view)
{
	const struct catalogue *c = &view->catalogue;

	view->first_override = calloc((size_t)c->models + 1,
	    sizeof(*view->first_override));
	if (view->first_override == NULL)
		return false;
	for (uint32_t m = 0, o = 0; m <= c->models; m++) {
		while (o < c->overrides && c->override[o].model < m)
			o++;
		view->first_override[m] = o;
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

static void
find_grants(const struct catalogue *cat, uint32_t index,
    struct view_channel *c)
{
	for (uint32_t i = 0; i < cat->grants; i++) {
		if (cat->grant[i].channel != index)
			continue;
		if (c->grants++ == 0)
			c->grant = &cat->grant[i];
	}
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
	    !index_routes(view) || !index_overrides(view)) {
		view_free(&view);
		return NULL;
	}
	view->screens = view->catalogue.screen_bytes > 0 &&
	    text_match_open(view->catalogue.screen_block,
	    view->catalogue.screen_bytes, &view->match);
	for (uint32_t i = 0; i < view->catalogue.channels; i++) {
		view->channel[i].channel = &view->catalogue.channel[i];
		find_grants(&view->catalogue, i, &view->channel[i]);
	}
	return view;
}

static void
close_channel(struct view_channel *c)
{
	if (c->upstream != NULL)
		upstream_retire(&c->upstream);
	for (uint32_t i = 0; i < c->credentials; i++) {
		bytes_scrub(c->credential[i].value, c->credential[i].len);
		free(c->credential[i].value);
	}
	c->credentials = 0;
}

void
view_free(struct catalogue_view **view)
{
	struct catalogue_view *v = *view;

	if (v == NULL)
		return;
	for (uint32_t i = 0; v->channel != NULL &&
	    i < v->catalogue.channels; i++)
		close_channel(&v->channel[i]);
	free(v->channel);
	free(v->slot);
	free(v->first_route);
	free(v->first_override);
	catalogue_free(&v->catalogue);
	free(v);
	*view = NULL;
}

/* As the protocol's header wants it: OpenAI's with the scheme before it. */
static bool
open_credential(struct view_channel *c,
    const struct catalogue_credential *from, const struct secrets *secrets)
{
	const struct catalogue_channel *ch = c->channel;
	struct view_credential *to = &c->credential[c->credentials];
	size_t prefix = ch->protocol == WIRE_OPENAI ? sizeof(bearer) - 1 : 0;
	char context[CHANNEL_CONTEXT_BYTES];
	size_t len;

	if (from->bytes < SEAL_OVERHEAD ||
	    from->bytes > CHANNEL_CREDENTIAL_BYTES)
		return false;
	len = from->bytes - SEAL_OVERHEAD;
	to->value = malloc(prefix + len + 1);
	if (to->value == NULL)
		return false;
	memcpy(to->value, bearer, prefix);
	catalogue_credential_context(ch->name, from->credential_id, context);
	if (!secret_unseal(secrets, context, from->sealed, from->bytes,
	    to->value + prefix)) {
		free(to->value);
		return false;
	}
	to->len = prefix + len;
	to->value[to->len] = '\0';
	to->credential_id = from->credential_id;
	to->key = (struct channel_credential_key){ ch->slot, from->slot,
		from->edition };
	c->credentials++;
	return true;
}

static struct view_channel *
same_channel(const struct catalogue_view *view, const struct view_channel *c)
{
	if (view == NULL)
		return NULL;
	for (uint32_t i = 0; i < view->catalogue.channels; i++)
		if (view->channel[i].channel->channel_id ==
		    c->channel->channel_id)
			return &view->channel[i];
	return NULL;
}

/* The key was made after this worker had started; there are others by now. */
static bool
sealed_by_newer(const struct secrets *secrets, const uint8_t *sealed,
    size_t len)
{
	uint8_t id = secret_sealed_by(sealed, len);

	return id != 0 && secrets_find_seal(secrets, id) < 0;
}

/* Sealed anew, it is what it was: whose contents change gets another edition.
 */
static bool
keep_credential(const struct view_channel *old, struct view_channel *c,
    const struct catalogue_credential *from)
{
	struct view_credential *to = &c->credential[c->credentials];

	for (uint32_t i = 0; old != NULL && i < old->credentials; i++) {
		const struct view_credential *o = &old->credential[i];

		if (o->credential_id != from->credential_id ||
		    o->key.edition != from->edition ||
		    old->channel->protocol != c->channel->protocol)
			continue;
		*to = *o;
		to->key.slot = c->channel->slot;
		to->key.credential = from->slot;
		to->value = malloc(o->len + 1);
		if (to->value == NULL)
			return false;
		memcpy(to->value, o->value, o->len + 1);
		c->credentials++;
		return true;
	}
	return false;
}

/* Those of one channel stand together. */
static void
open_credentials(const struct catalogue_view *old,
    const struct catalogue *cat, uint32_t index, struct view_channel *c,
    const struct secrets *secrets)
{
	for (uint32_t i = 0; i < cat->credentials; i++) {
		const struct catalogue_credential *from = &cat->credential[i];

		if (from->channel != index ||
		    from->status != CHANNEL_ACTIVE ||
		    c->credentials == CHANNEL_CREDENTIALS)
			continue;
		if (!open_credential(c, from, secrets) &&
		    !(sealed_by_newer(secrets, from->sealed, from->bytes) &&
		    keep_credential(same_channel(old, c), c, from)))
			log_error("a credential of a channel cannot be opened "
			    "channel=%s credential_id=%llu hint=set it again "
			    "with youyunctl", c->channel->name,
			    (unsigned long long)from->credential_id);
	}
}

/* Borrowed from the channel's text, which lives as long as the view. */
static void
read_headers(struct view_channel *c)
{
	const char *text = c->channel->headers;

	c->headers = 0;
	while (c->headers < CHANNEL_HEADERS && channel_header_next(&text,
	    &c->header[c->headers].name, &c->header[c->headers].value))
		c->headers++;
}

static int64_t
either(uint32_t own_ms, uint32_t usual_ms)
{
	return own_ms > 0 ? own_ms : usual_ms;
}

static struct upstream_config
configure(struct view_channel *c, const struct settings *s)
{
	const struct catalogue_channel *ch = c->channel;
	struct upstream_config config = {
		.timeouts = {
			.connect_ms = either(ch->connect_ms,
			    s->upstream_connect_timeout_ms),
			.first_byte_ms = either(ch->first_byte_ms,
			    s->upstream_first_byte_timeout_ms),
			.idle_ms = either(ch->idle_ms,
			    s->upstream_idle_timeout_ms),
			.total_ms = either(ch->total_ms, s->total_timeout_ms),
		},
		.idle_max = s->upstream_keepalive,
		.idle_keep_ms = UPSTREAM_IDLE_KEEP_MS,
	};

	c->first_token_ms = (uint32_t)either(ch->first_token_ms,
	    s->first_token_timeout_ms);
	upstream_config_channel(&config, ch);
	return config;
}

/* "user:password" for the proxy.  Caller scrubs; false: it can't be opened. */
static bool
open_proxy(const struct catalogue_channel *ch, const struct secrets *secrets,
    char auth_r[CHANNEL_PROXY_AUTH_BYTES])
{
	char context[CHANNEL_CONTEXT_BYTES];
	size_t len;

	auth_r[0] = '\0';
	if (ch->proxy_port == 0 || ch->proxy_auth_bytes == 0)
		return true;
	if (ch->proxy_auth_bytes < SEAL_OVERHEAD ||
	    ch->proxy_auth_bytes > CHANNEL_PROXY_AUTH_BYTES)
		return false;
	len = ch->proxy_auth_bytes - SEAL_OVERHEAD;
	catalogue_proxy_context(ch->name, context);
	if (!secret_unseal(secrets, context, ch->proxy_auth,
	    ch->proxy_auth_bytes, auth_r))
		return false;
	auth_r[len] = '\0';
	return true;
}

/* The same channel's upstream in the old view, if it can go on. */
static struct upstream *
take_over(struct catalogue_view *old, const struct view_channel *c,
    const struct upstream_config *config)
{
	struct view_channel *o = same_channel(old, c);
	struct upstream *upstream = o != NULL ? o->upstream : NULL;

	if (upstream == NULL || !upstream_update(upstream, config))
		return NULL;
	o->upstream = NULL;
	return upstream;
}

/* As it is, because its proxy's credential is sealed by a newer key. */
static bool
keep_upstream(struct catalogue_view *old, struct view_channel *c,
    const struct secrets *secrets)
{
	const struct catalogue_channel *ch = c->channel;
	struct view_channel *o = same_channel(old, c);

	if (o == NULL || o->upstream == NULL || ch->proxy_auth_bytes >
	    sizeof(ch->proxy_auth) || !sealed_by_newer(secrets,
	    ch->proxy_auth, ch->proxy_auth_bytes) ||
	    strcmp(o->channel->host, ch->host) != 0 ||
	    o->channel->port != ch->port ||
	    strcmp(o->channel->proxy_host, ch->proxy_host) != 0 ||
	    o->channel->proxy_port != ch->proxy_port)
		return false;
	c->upstream = o->upstream;
	o->upstream = NULL;
	return true;
}

static void
open_upstream(struct catalogue_view *old, struct view_channel *c,
    const struct upstream_config *config, struct upstream_client *client)
{
	const char *name = c->channel->name;

	c->upstream = take_over(old, c, config);
	if (c->upstream != NULL)
		return;
	switch (upstream_open(client, config, &c->upstream)) {
	case UPSTREAM_OPEN_OK:
		return;
	case UPSTREAM_OPEN_BAD_HOST:
		log_error("host of a channel is not valid channel=%s", name);
		break;
	case UPSTREAM_OPEN_BAD_PATH:
		log_error("base path of a channel is not valid channel=%s",
		    name);
		break;
	case UPSTREAM_OPEN_BAD_CA:
		log_error("CA certificates of a channel cannot be read "
		    "channel=%s", name);
		break;
	case UPSTREAM_OPEN_MEMORY:
		log_error("no memory to open a channel channel=%s", name);
		break;
	}
	c->upstream = NULL;
}

static void
open_channel(struct catalogue_view *old, const struct catalogue *cat,
    uint32_t index, struct view_channel *c, const struct secrets *secrets,
    const struct settings *settings, struct upstream_client *client)
{
	char proxy_auth[CHANNEL_PROXY_AUTH_BYTES];
	struct upstream_config config;

	if (c->channel->status != CHANNEL_ACTIVE)
		return;
	open_credentials(old, cat, index, c, secrets);
	if (c->credentials == 0) {
		log_warning("a channel has no credential channel=%s "
		    "hint=youyunctl channel credential add",
		    c->channel->name);
		return;
	}
	read_headers(c);
	config = configure(c, settings);
	if (!open_proxy(c->channel, secrets, proxy_auth)) {
		if (keep_upstream(old, c, secrets))
			return;
		log_error("the proxy's credential of a channel cannot be "
		    "opened channel=%s hint=set it again with youyunctl",
		    c->channel->name);
		return;
	}
	config.proxy_auth = proxy_auth;
	open_upstream(old, c, &config, client);
	bytes_scrub(proxy_auth, sizeof(proxy_auth));
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
		open_channel(*view, &next->catalogue, i, &next->channel[i],
		    secrets, settings, client);
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

/* The model of that name, then `more`, which hash to `at`. */
static const struct catalogue_model *
look_up(const struct catalogue_view *view, uint32_t at, const char *name,
    size_t len, const char *more)
{
	uint32_t m;

	for (; (m = view->slot[at & (view->slots - 1)]) != 0; at++) {
		const struct catalogue_model *model =
		    &view->catalogue.model[m - 1];

		if (strncmp(model->name, name, len) == 0 &&
		    strcmp(model->name + len, more) == 0)
			return model;
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

const struct catalogue_model *
view_model(const struct catalogue_view *view, const char *name, size_t len)
{
	const struct catalogue_model *model;
	uint32_t hash[MODEL_NAME_BYTES];

	/* Nobody calls a pattern. */
	if (len >= MODEL_NAME_BYTES || (len > 0 && name[len - 1] == '*'))
		return NULL;
	hash[0] = HASH_EMPTY;
	for (size_t i = 0; i < len; i++)
		hash[i + 1] = hash_add(hash[i], name[i]);
	model = look_up(view, hash[len], name, len, "");
	for (size_t i = len + 1; model == NULL && i-- > 0;)
		if (view->prefixed[i] != 0)
			model = look_up(view, hash_add(hash[i], '*'), name, i,
			    "*");
	return model;
}

const struct catalogue_model *
view_model_upstream(const struct catalogue_view *view, uint64_t channel_id,
    const char *name)
{
	const struct catalogue *c = &view->catalogue;

	for (uint32_t i = 0; i < c->routes; i++)
		if (c->channel[c->route[i].channel].channel_id ==
		    channel_id &&
		    strcmp(c->route[i].upstream_name, name) == 0)
			return &c->model[c->route[i].model];
	return view_model(view, name, strlen(name));
}

bool
view_upstream_name(const struct catalogue_model *model,
    const char *upstream_name, const char *name, size_t len,
    char name_r[MODEL_NAME_BYTES])
{
	size_t prefix, stem, rest;

	if (!model_is_pattern(upstream_name, &stem) ||
	    !model_is_pattern(model->name, &prefix)) {
		prefix = len;
		stem = strnlen(upstream_name, MODEL_NAME_BYTES - 1);
	}
	assert(prefix <= len);
	rest = len - prefix;
	if (stem + rest == 0 || stem + rest >= MODEL_NAME_BYTES)
		return false;
	memcpy(name_r, upstream_name, stem);
	memcpy(name_r + stem, name + prefix, rest);
	name_r[stem + rest] = '\0';
	return true;
}

bool
view_multiplier(const struct catalogue_view *view, uint64_t group_id,
    const struct catalogue_model *model, uint32_t *multiplier_ppm_r)
{
	uint32_t m = (uint32_t)(model - view->catalogue.model);

	for (uint32_t i = view->first_override[m];
	    i < view->first_override[m + 1]; i++)
		if (view->catalogue.override[i].group_id == group_id) {
			*multiplier_ppm_r =
			    view->catalogue.override[i].multiplier_ppm;
			return true;
		}
	for (uint32_t i = 0; i < view->catalogue.groups; i++)
		if (view->catalogue.group[i].group_id == group_id) {
			*multiplier_ppm_r =
			    view->catalogue.group[i].multiplier_ppm;
			return true;
		}
	return false;
}

uint64_t
view_screens(const struct catalogue_view *view, uint64_t group_id)
{
	for (uint32_t i = 0; view->screens && i < view->catalogue.groups; i++)
		if (view->catalogue.group[i].group_id == group_id)
			return view->catalogue.group[i].screens;
	return 0;
}

const struct text_match *
view_text_match(const struct catalogue_view *view)
{
	return &view->match;
}

const struct catalogue_moderation *
view_moderation(const struct catalogue_view *view, uint64_t group_id)
{
	const struct catalogue *c = &view->catalogue;
	const struct catalogue_moderation *found = NULL;

	for (uint32_t i = 0; i < c->moderations; i++) {
		if (c->moderation[i].group_id == group_id)
			return &c->moderation[i];
		if (c->moderation[i].group_id == 0)
			found = &c->moderation[i];
	}
	return found;
}

const struct view_channel *
view_moderator(const struct catalogue_view *view,
    const struct catalogue_moderation *moderation)
{
	return moderation->channel < view->catalogue.channels ?
	    &view->channel[moderation->channel] : NULL;
}

void
view_routes(const struct catalogue_view *view,
    const struct catalogue_model *model, uint32_t *first_r, uint32_t *end_r)
{
	uint32_t m = (uint32_t)(model - view->catalogue.model);

	*first_r = view->first_route[m];
	*end_r = view->first_route[m + 1];
}

const struct view_channel *
view_route_channel(const struct catalogue_view *view, uint32_t route)
{
	return &view->channel[view->catalogue.route[route].channel];
}

const char *
view_route_name(const struct catalogue_view *view, uint32_t route)
{
	return view->catalogue.route[route].upstream_name;
}

bool
view_allows(const struct view_channel *c, uint64_t group_id)
{
	for (uint32_t i = 0; i < c->grants; i++)
		if (c->grant[i].group_id == group_id)
			return true;
	return c->grants == 0;
}

bool
view_usable(const struct view_channel *c)
{
	return c->upstream != NULL && c->channel->status == CHANNEL_ACTIVE;
}

bool
view_serves(const struct catalogue_view *view,
    const struct catalogue_model *model, enum wire_protocol protocol,
    uint64_t group_id, const struct policy_pair *policies)
{
	uint32_t route, end;

	view_routes(view, model, &route, &end);
	for (; route < end; route++) {
		const struct view_channel *c = view_route_channel(view, route);

		if (c->channel->protocol == protocol &&
		    view_allows(c, group_id) &&
		    policy_region(view, policies, c->channel))
			return true;
	}
	return false;
}
