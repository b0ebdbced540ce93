/*
 * view_fixture.h: a segment with a catalogue, and a worker's view of it.
 * Layer: tests.
 * Written by: the test that includes it.
 */
#ifndef TESTS_VIEW_FIXTURE_H
#define TESTS_VIEW_FIXTURE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "base/secret.h"
#include "conf/settings.h"
#include "shm/channel.h"
#include "tests/unit/shm_fixture.h"
#include "upstream/endpoint.h"
#include "worker/catalogue_view.h"

#define MODELS 40
#define CHANNELS 8

static const struct secrets secrets = { .pepper = "p", .seals = 1,
	.seal = { { .id = 1, .key = "s" } } };
static struct settings settings;
static struct shm *shm;
static struct loop *loop;
static struct upstream_client *client;
static struct catalogue_view *view;

/* Another one of the channel, "cred" in every case. */
static struct catalogue_credential *
add_credential(struct catalogue *c, uint32_t channel)
{
	struct catalogue_credential *cr = &c->credential[c->credentials];
	char context[CHANNEL_CONTEXT_BYTES];

	cr->credential_id = 500 + c->credentials;
	cr->edition = 900 + c->credentials++;
	cr->channel = channel;
	for (uint32_t i = 0; &c->credential[i] < cr; i++)
		cr->slot += c->credential[i].channel == channel;
	cr->bytes = SEAL_OVERHEAD + 4;
	catalogue_credential_context(c->channel[channel].name,
	    cr->credential_id, context);
	ck_assert(secret_seal(&secrets, context, "cred", 4, cr->sealed));
	return cr;
}

static struct catalogue_channel *
add_channel(struct catalogue *c, enum wire_protocol protocol,
    uint32_t priority, uint32_t weight)
{
	struct catalogue_channel *channel = &c->channel[c->channels];

	channel->channel_id = 100 + c->channels;
	channel->slot = c->channels++;
	channel->protocol = (uint16_t)protocol;
	channel->port = 9;
	channel->priority = priority;
	channel->weight = weight;
	snprintf(channel->name, sizeof(channel->name), "c%u",
	    (unsigned)channel->slot);
	strcpy(channel->host, "localhost");
	(void)add_credential(c, channel->slot);
	return channel;
}

static void
add_route(struct catalogue *c, uint32_t model, uint32_t channel,
    const char *name)
{
	struct catalogue_route *route = &c->route[c->routes++];

	route->model = model;
	route->channel = channel;
	strcpy(route->upstream_name, name);
}

static struct catalogue
make(void)
{
	struct catalogue c = { .models = MODELS };

	c.model = calloc(MODELS, sizeof(*c.model));
	c.group = calloc(1, sizeof(*c.group));
	c.channel = calloc(CHANNELS, sizeof(*c.channel));
	c.route = calloc(MODELS, sizeof(*c.route));
	c.credential = calloc(CHANNELS * CHANNEL_CREDENTIALS,
	    sizeof(*c.credential));
	c.grant = calloc(CHANNELS, sizeof(*c.grant));
	for (uint32_t i = 0; i < MODELS; i++) {
		c.model[i].model_id = 1000 + i;
		snprintf(c.model[i].name, sizeof(c.model[i].name),
		    "model-%u", (unsigned)i);
	}
	return c;
}

static int
by_channel(const void *a, const void *b)
{
	const struct catalogue_credential *one = a, *other = b;

	return one->channel != other->channel ?
	    (one->channel > other->channel) - (one->channel < other->channel) :
	    (int)one->slot - (int)other->slot;
}

static void
take(struct catalogue *c)
{
	qsort(c->credential, c->credentials, sizeof(*c->credential),
	    by_channel);
	channel_sync(shm, c);
	ck_assert_int_eq(catalogue_publish(shm, c), CATALOGUE_OK);
	catalogue_free(c);
	view_refresh(&view, shm, &secrets, &settings, client);
	ck_assert_ptr_nonnull(view);
}

static void
setup(void)
{
	static const struct shm_sizes sizes = {
		.seats = 2, .holds_per_seat = 8, .ring_records = 16,
		.accounts = 16, .keys = 16, .channels = CHANNELS,
		.catalogue_bytes = 1 << 20
	};

	uint64_t generation;

	settings_default(&settings);
	shm = fixture_segment(&sizes);
	ck_assert_uint_eq(seat_assign(shm, &generation), 1);
	loop = loop_open();
	client = upstream_client_open(loop, NULL);
	ck_assert_ptr_nonnull(client);
}

static void
teardown(void)
{
	view_free(&view);
	upstream_client_close(&client);
	loop_close(&loop);
	shm_close(&shm);
}

static const struct catalogue_model *
model(uint32_t i)
{
	return &view_catalogue(view)->model[i];
}

#endif
