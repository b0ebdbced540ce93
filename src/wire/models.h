/*
 * models.h: the list of models, in the shape that each protocol expects.
 * Layer: wire.  Bounded writer into the caller's buffer.
 * Written by: the worker that owns the struct.
 */
#ifndef WIRE_MODELS_H
#define WIRE_MODELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/route.h"

/* A buffer with this much free takes any one entry and the end. */
#define WIRE_MODELS_ENTRY_BYTES 4096

struct wire_model {
	const char *id;			/* up to 128 bytes; more is cut */
	const char *display_name;	/* NULL: the id */
	const char *owned_by;		/* NULL: "system" */
	int64_t created_s;		/* since 1970 */
};

struct wire_models {
	char *buf;
	size_t size;
	size_t len;			/* bytes written so far */
	enum wire_protocol protocol;
	uint32_t count;
	char first_id[129];
	char last_id[129];
};

/* size at least WIRE_MODELS_ENTRY_BYTES. */
void	wire_models_begin(struct wire_models *models,
	    enum wire_protocol protocol, char *buf, size_t size);

/*
 * False when fewer than WIRE_MODELS_ENTRY_BYTES are free; nothing was written:
 * enlarge the buffer (contents kept), wire_models_rebase(), and try again.
 */
bool	wire_models_add(struct wire_models *models,
	    const struct wire_model *model) __attribute__((warn_unused_result));

void	wire_models_rebase(struct wire_models *models, char *buf, size_t size);

/* One model's own document, in a buffer of at least WIRE_MODELS_ENTRY_BYTES;
 * returns its length. */
size_t	wire_models_one(enum wire_protocol protocol,
	    const struct wire_model *model, char *buf, size_t size);

/* Closes the document, which always fits; models->len is its length. */
void	wire_models_end(struct wire_models *models);

#endif
