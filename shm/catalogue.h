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

#define CATALOGUE_ARRAYS 14

#define MODEL_NAME_BYTES 128
#define CHANNEL_NAME_BYTES 64
#define CHANNEL_HOST_BYTES 256
#define CHANNEL_PATH_BYTES 256
#define CHANNEL_CREDENTIAL_BYTES 1024
#define CHANNEL_CA_BYTES 16384
#define CHANNEL_ADDRESSES 8
#define CHANNEL_CREDENTIALS 8
#define CHANNEL_HEADERS_BYTES 1024
#define CHANNEL_REGION_BYTES 32
#define CHANNEL_ENTITY_BYTES 128
#define CHANNEL_PROXY_AUTH_BYTES 512

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
	uint64_t screens;		/* bit n: screen[n] is for its calls */
};

#define CATALOGUE_SCREENS 64		/* as many as bits */

enum screen_action {
	SCREEN_FLAG = 0,		/* marks the call's record */
	SCREEN_BLOCK = 1		/* refuses or ends the call */
};

/* A list that calls are screened for; its entries are in the block, by the
 * list's place here. */
struct catalogue_screen {
	uint32_t list_id;
	uint16_t action;		/* enum screen_action */
	uint16_t answers;		/* 1: they are screened too */
};

#define CATALOGUE_NO_CHANNEL UINT32_MAX

/* Who is asked about requests before they are forwarded. */
struct catalogue_moderation {
	uint64_t group_id;		/* 0: any without an entry of its own */
	uint32_t channel;		/* index in this catalogue, or
					 * CATALOGUE_NO_CHANNEL: out of use */
	uint32_t timeout_ms;
	uint16_t action;		/* enum screen_action */
	uint16_t closed;		/* 1: without an answer calls are
					 * refused */
	uint32_t reserved;
	char model[MODEL_NAME_BYTES];	/* 0-terminated */
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

/* A key with the provider, sealed to the channel's name and to its own id. */
struct catalogue_credential {
	uint64_t credential_id;
	uint64_t edition;		/* another one when it is replaced */
	uint32_t channel;		/* index in this catalogue */
	uint16_t slot;			/* < CHANNEL_CREDENTIALS */
	uint16_t status;		/* enum channel_status */
	uint32_t bytes;
	uint32_t reserved;
	uint8_t sealed[CHANNEL_CREDENTIAL_BYTES];
};

/* A group that may use the channel; a channel without any is open to all. */
struct catalogue_grant {
	uint64_t group_id;
	uint32_t channel;		/* index in this catalogue */
	uint32_t reserved;
};

struct catalogue_channel {
	uint64_t channel_id;
	uint32_t slot;			/* stable over catalogues; < sizes.channels */
	uint16_t protocol;		/* enum wire_protocol */
	uint16_t port;
	uint16_t status;		/* enum channel_status */
	uint16_t tls;			/* 0: plain TCP (loopback tests only) */
	uint32_t addresses;		/* of the host, or of its proxy, resolved
					 * by the flusher */
	struct catalogue_address address[CHANNEL_ADDRESSES];
	char name[CHANNEL_NAME_BYTES];	/* 0-terminated, as are: */
	char host[CHANNEL_HOST_BYTES];	/* for SNI, Host and verification */
	char base_path[CHANNEL_PATH_BYTES]; /* "" or "/prefix" */
	uint32_t priority;		/* lower is tried first */
	uint32_t weight;
	uint32_t max_concurrent;	/* 0: no limit */
	uint32_t max_per_minute;	/* 0: no limit */
	uint32_t resets;		/* by hand, ever */
	uint32_t connect_ms;		/* 0: the setting's, as are: */
	uint32_t first_byte_ms;
	uint32_t first_token_ms;
	uint32_t idle_ms;
	uint32_t total_ms;
	uint32_t translates_responses;	/* 1: to chat completions */
	uint32_t reserved;
	uint64_t max_tokens;		/* a minute; these by limit.h, */
	int64_t max_nano[2];		/* and budget.h; 0: no limit */
	uint32_t ca_bytes;		/* PEM; 0: the system's */
	uint16_t proxy_auth_bytes;	/* sealed; 0: none */
	uint16_t proxy_port;		/* 0: no proxy */
	char proxy_host[CHANNEL_HOST_BYTES];
	char region[CHANNEL_REGION_BYTES];	/* where data is processed */
	char entity[CHANNEL_ENTITY_BYTES];	/* and by whom */
	char headers[CHANNEL_HEADERS_BYTES];	/* "Name: value\n" lines */
	uint8_t proxy_auth[CHANNEL_PROXY_AUTH_BYTES];
	char ca[CHANNEL_CA_BYTES];
};

/*
 * What keys or accounts may do, where that is less than everything; any number
 * of them have the same one.  None of a kind: all are allowed.  Their models,
 * networks and regions stand in arrays of their own.
 */
#define POLICY_MODELS 64
#define POLICY_NETWORKS 64
#define POLICY_REGIONS 16

struct catalogue_policy {
	uint32_t policy_id;		/* sorted by it */
	uint32_t first_model, models;
	uint32_t first_network, networks;
	uint32_t first_region, regions;
	uint32_t reserved;
};

/* A model's name or pattern. */
struct catalogue_name {
	char name[MODEL_NAME_BYTES];
};

struct catalogue_network {
	uint8_t ip[16];			/* IPv6, or IPv4 mapped */
	uint32_t bits;			/* of it that must be the same */
};

struct catalogue_region {
	char name[CHANNEL_REGION_BYTES];
};

/* A snapshot in private memory: arrays that its owner frees. */
struct catalogue {
	uint64_t number;		/* of the bank it was taken from */
	uint32_t models, groups, channels, routes, credentials, grants;
	uint32_t overrides, screens, moderations;
	uint32_t screen_bytes;
	uint32_t policies, policy_models, policy_networks, policy_regions;
	uint64_t screen_edition;	/* of the block; 0: there is none */
	struct catalogue_model *model;
	struct catalogue_group *group;
	struct catalogue_channel *channel;
	struct catalogue_route *route;	/* sorted by model, then priority */
	struct catalogue_credential *credential; /* sorted by channel */
	struct catalogue_grant *grant;		/* likewise */
	struct catalogue_override *override;	/* sorted by model */
	struct catalogue_screen *screen;
	uint8_t *screen_block;			/* base/text_match.h */
	struct catalogue_moderation *moderation;
	struct catalogue_policy *policy;
	struct catalogue_name *policy_model;
	struct catalogue_network *policy_network;
	struct catalogue_region *policy_region;
};

/*
 * What a sealed secret is bound to: the channel's name and the credential's
 * id, or the word proxy.  Names have no line break in them.
 */
#define CHANNEL_CONTEXT_BYTES (CHANNEL_NAME_BYTES + 24)
void	catalogue_credential_context(const char *channel_name,
	    uint64_t credential_id, char context_r[CHANNEL_CONTEXT_BYTES]);
void	catalogue_proxy_context(const char *channel_name,
	    char context_r[CHANNEL_CONTEXT_BYTES]);

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
