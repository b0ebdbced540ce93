/*
 * catalogue_view.h: a worker's private copy of the catalogue, indexed, with
 * an upstream and an opened credential for each channel.
 * Layer: worker (private).
 * Written by: view_refresh(), between two turns of the loop; read on every
 * call.
 */
#ifndef WORKER_CATALOGUE_VIEW_H
#define WORKER_CATALOGUE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shm/catalogue.h"
#include "shm/channel.h"
#include "shm/channel_headers.h"
#include "upstream/request_head.h"
#include "wire/route.h"

struct policy_pair;
struct secrets;
struct settings;
struct text_match;
struct shm;
struct upstream;
struct upstream_client;

struct view_credential {
	uint64_t credential_id;
	struct channel_credential_key key;
	char *value;			/* 0-terminated, ready as a header's */
	size_t len;
};

struct view_channel {
	const struct catalogue_channel *channel;
	struct upstream *upstream;	/* NULL: not usable */
	uint32_t first_token_ms;	/* 0: no such limit */
	uint32_t credentials;		/* the active ones that could be
					 * opened; 0: not usable */
	uint32_t headers;
	uint32_t grants;		/* 0: open to all groups */
	const struct catalogue_grant *grant;
	struct view_credential credential[CHANNEL_CREDENTIALS];
	struct request_header header[CHANNEL_HEADERS];
};

struct catalogue_view;

/*
 * Brings *view up to date if another catalogue is current.  A torn or absent
 * one leaves the old view; what is wrong with a channel is logged and makes
 * that channel unusable.  Upstreams that did not change are taken over; those
 * that did end their calls on the old connection.
 */
void	view_refresh(struct catalogue_view **view, const struct shm *shm,
	    const struct secrets *secrets, const struct settings *settings,
	    struct upstream_client *client);
void	view_free(struct catalogue_view **view);

/* The index alone, for tests: takes the catalogue's arrays over. */
struct catalogue_view *view_of(struct catalogue *catalogue);

const struct catalogue *view_catalogue(const struct catalogue_view *view);

/* By its exact name, else the longest pattern that fits; NULL: no such
 * model. */
const struct catalogue_model *view_model(const struct catalogue_view *view,
	    const char *name, size_t len);

/* By its id; NULL: not any more. */
const struct catalogue_model *view_model_by_id(
	    const struct catalogue_view *view, uint64_t model_id);

/* By the name that the provider of a channel knows it by, or else the
 * customers'; NULL: none that is sold here. */
const struct catalogue_model *view_model_upstream(
	    const struct catalogue_view *view, uint64_t channel_id,
	    const char *name);

/* The group's multiplier for that model.  False: no such group. */
bool	view_multiplier(const struct catalogue_view *view, uint64_t group_id,
	    const struct catalogue_model *model, uint32_t *multiplier_ppm_r)
	    __attribute__((warn_unused_result));

/*
 * What a route calls the model that the customer calls by `name`: its
 * upstream_name, or for a pattern with the name's end in the '*'.  False: that
 * is too long for a name, or nothing at all.
 */
bool	view_upstream_name(const struct catalogue_model *model,
	    const char *upstream_name, const char *name, size_t len,
	    char name_r[MODEL_NAME_BYTES]) __attribute__((warn_unused_result));

/* The lists that calls of the group are screened for, bit by bit (by their
 * place in the catalogue), and what finds them. */
uint64_t view_screens(const struct catalogue_view *view, uint64_t group_id);
const struct text_match *view_text_match(const struct catalogue_view *view);

/* Who is asked about calls of the group; NULL: nobody.  And the channel; NULL:
 * it is out of use. */
const struct catalogue_moderation *view_moderation(
	    const struct catalogue_view *view, uint64_t group_id);
const struct view_channel *view_moderator(const struct catalogue_view *view,
	    const struct catalogue_moderation *moderation);

/* The routes of a model, by priority: from *first_r to before *end_r. */
void	view_routes(const struct catalogue_view *view,
	    const struct catalogue_model *model, uint32_t *first_r,
	    uint32_t *end_r);
const struct view_channel *view_route_channel(
	    const struct catalogue_view *view, uint32_t route);
/* The upstream's own name of the model. */
const char *view_route_name(const struct catalogue_view *view,
	    uint32_t route);

/* May calls of this group go by it?  Can any, as it is configured? */
bool	view_allows(const struct view_channel *channel, uint64_t group_id);
bool	view_usable(const struct view_channel *channel);

/* Does any channel that is open to the group and in a region that the policies
 * allow, usable or not, serve it by this protocol? */
bool	view_serves(const struct catalogue_view *view,
	    const struct catalogue_model *model, enum wire_protocol protocol,
	    uint64_t group_id, const struct policy_pair *policies);

#endif
