/*
 * channel.h: what the commands about channels share.
 * Layer: admin.
 * Written by: the command that is running.
 */
#ifndef ADMIN_CHANNEL_H
#define ADMIN_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admin/admin.h"
#include "admin/args.h"
#include "admin/url.h"
#include "base/secret.h"
#include "db/queries.h"
#include "shm/catalogue.h"

/* A provider's key in full, 0-terminated; sealed it still fits the segment. */
#define CREDENTIAL_BYTES (CHANNEL_CREDENTIAL_BYTES - SEAL_OVERHEAD + 1)

struct channel_name {
	char name[MODEL_NAME_BYTES];
	const char *upstream;
	bool priced;
};

struct channel_change {
	struct channel_row row;
	struct url url;
	char name[CHANNEL_NAME_BYTES];
	char ca[CHANNEL_CA_BYTES];
	uint8_t sealed[CHANNEL_CREDENTIAL_BYTES];
	int64_t slots;
	int models;
	struct channel_name *model;
	int removed;
	const char *remove[ARGS_MAX];
};

/*
 * The first line of a file; with NULL or "-" from the terminal (without
 * echo) or standard input.  Prints what is wrong.  The caller scrubs.
 */
bool	credential_read(const char *path, char credential_r[CREDENTIAL_BYTES])
	    __attribute__((warn_unused_result));
/* PEM certificates, at least one. */
bool	ca_read(const char *path, char *ca_r, size_t size)
	    __attribute__((warn_unused_result));

extern const struct opt channel_test_options[];
enum admin_exit	channel_test(struct admin *admin, const struct args *args);
enum admin_exit	channel_list(struct admin *admin, const struct args *args);

#endif
