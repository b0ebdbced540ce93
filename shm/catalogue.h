/*
 * catalogue.h: models, prices, groups and channels, as one snapshot.
 * Layer: shm.
 * Written by: the flusher alone, into the bank that is not current, then made
 * current by one release store.  Workers copy the current bank into memory of
 * their own when its number changes (never on the request path) and check
 * afterwards that it was still the same: a flusher killed half-way has changed
 * nothing that anybody reads.
 */
#ifndef SHM_CATALOGUE_H
#define SHM_CATALOGUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/price.h"

struct shm;

#define MODEL_NAME_BYTES 128
#define CHANNEL_NAME_BYTES 64
#define CHANNEL_HOST_BYTES 256
#define CHANNEL_PATH_BYTES 256
#define CHANNEL_CREDENTIAL_BYTES 1024
#define CHANNEL_CA_BYTES 16384
#define CHANNEL_ADDRESSES 8

/*
 * A model that customers may name, with its price now: its own, or else that
 * of the longest pattern that fits.  A name that ends in '*' is a pattern: it
 * stands for every name that begins like it and has no entry of its own nor a
 * longer pattern.
 */
struct catalogue_model {
	uint64_t model_id;
	char name[MODEL_NAME_BYTES];	/* 0-terminated */
	struct price price;
	uint64_t max_output_tokens;	/* 0: the setting's default */
	int64_t created_us;
};

struct catalogue_group {
	uint64_t group_id;
	uint32_t multiplier_ppm;
	uint32_t reserved;
};

/* A group's multiplier for one model, instead of the group's own. */
struct catalogue_override {
	uint64_t group_id;
	uint32_t model;			/* index in this catalogue */
	uint32_t multiplier_ppm;
};

struct catalogue_address {
	uint8_t ip[16];			/* IPv6, or IPv4 mapped */
};

/* What a channel serves: a customer's model name and the upstream's own, in
 * which a '*' at the end is what the model's '*' stands for. */
struct catalogue_route {
	uint32_t channel;		/* index in this catalogue */
	uint32_t model;			/* index in this catalogue */
	char upstream_name[MODEL_NAME_BYTES];
};

enum channel_status {
	CHANNEL_ACTIVE = 0,
	CHANNEL_DISABLED = 1
};

struct catalogue_channel {
	uint64_t channel_id;
	uint32_t slot;			/* stable over catalogues; < sizes.channels */
	uint16_t protocol;		/* enum wire_protocol */
	uint16_t port;
	uint16_t status;		/* enum channel_status */
	uint16_t tls;			/* 0: plain TCP (loopback tests only) */
	uint32_t addresses;		/* of the host, resolved by the flusher */
	struct catalogue_address address[CHANNEL_ADDRESSES];
	char name[CHANNEL_NAME_BYTES];	/* 0-terminated, as are: */
	char host[CHANNEL_HOST_BYTES];	/* for SNI, Host and verification */
	char base_path[CHANNEL_PATH_BYTES]; /* "" or "/prefix" */
	uint32_t priority;		/* lower is tried first */
	uint32_t weight;
	uint32_t credential_bytes;	/* sealed, context: the channel's name */
	uint32_t ca_bytes;		/* PEM; 0: the system's */
	uint8_t credential[CHANNEL_CREDENTIAL_BYTES];
	char ca[CHANNEL_CA_BYTES];
};

/* A snapshot in private memory: arrays that its owner frees. */
struct catalogue {
	uint64_t number;		/* of the bank it was taken from */
	uint32_t models, groups, channels, routes, overrides;
	uint32_t reserved;
	struct catalogue_model *model;
	struct catalogue_group *group;
	struct catalogue_channel *channel;
	struct catalogue_route *route;	/* sorted by model, then priority */
	struct catalogue_override *override; /* sorted by model */
};

/* Is it a pattern?  Then *prefix_r is how much of it must be the same. */
bool	model_is_pattern(const char *name, size_t *prefix_r);
/* How well an entry fits a model's name: 0 not at all, more is better, the
 * same name best. */
size_t	model_fit(const char *entry, const char *name);

enum catalogue_result {
	CATALOGUE_OK,
	CATALOGUE_NONE,		/* nothing was published yet */
	CATALOGUE_TORN,		/* overtaken while copying: try again later */
	CATALOGUE_FULL,		/* doesn't fit into a bank */
	CATALOGUE_MEMORY
};

/* One acquire load; compare with catalogue.number. */
uint64_t catalogue_current(const struct shm *shm);

/* *catalogue_r is filled; caller frees with catalogue_free(). */
enum catalogue_result catalogue_copy(const struct shm *shm,
	    struct catalogue *catalogue_r) __attribute__((warn_unused_result));
void	catalogue_free(struct catalogue *catalogue);

/* Flusher. Everything is copied; number is ignored. */
enum catalogue_result catalogue_publish(struct shm *shm,
	    const struct catalogue *catalogue) __attribute__((warn_unused_result));

#endif
