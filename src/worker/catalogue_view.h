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
#include "wire/route.h"

struct secrets;
struct settings;
struct shm;
struct upstream;
struct upstream_client;

struct view_channel {
	const struct catalogue_channel *channel;
	struct upstream *upstream;	/* NULL: not usable */
	char *credential;		/* 0-terminated, ready as a header's
					 * value; NULL: not usable */
	size_t credential_len;
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

/* By its exact name; NULL: no such model. */
const struct catalogue_model *view_model(const struct catalogue_view *view,
	    const char *name, size_t len);

/* By its id; NULL: not any more. */
const struct catalogue_model *view_model_by_id(
	    const struct catalogue_view *view, uint64_t model_id);

/* False: no such group. */
bool	view_group(const struct catalogue_view *view, uint64_t group_id,
	    uint32_t *multiplier_ppm_r) __attribute__((warn_unused_result));

enum view_choice {
	VIEW_CHOSEN,
	VIEW_NO_CHANNEL,	/* some serve it, but none is usable */
	VIEW_NO_ROUTE		/* nothing serves it by this protocol */
};

/*
 * The channel for a model by a protocol: of the usable ones with the lowest
 * priority number one at random, by weight; `random` is any number.
 */
enum view_choice view_choose(const struct catalogue_view *view,
	    const struct catalogue_model *model, enum wire_protocol protocol,
	    uint32_t random, const struct view_channel **channel_r,
	    const char **upstream_name_r) __attribute__((warn_unused_result));

/* The same, but the one channel only that made what is asked for now. */
enum view_choice view_pinned(const struct catalogue_view *view,
	    const struct catalogue_model *model, enum wire_protocol protocol,
	    uint64_t channel_id, const struct view_channel **channel_r,
	    const char **upstream_name_r) __attribute__((warn_unused_result));

/* Does any channel, usable or not, serve it by this protocol? */
bool	view_serves(const struct catalogue_view *view,
	    const struct catalogue_model *model, enum wire_protocol protocol);

#endif
