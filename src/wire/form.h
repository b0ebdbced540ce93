/*
 * form.h: what the gateway must know of a request that is a form.
 * Layer: wire.  Read as it passes; no allocation, bounded memory.
 * Written by: the upload that owns the struct.
 *
 * Members that cost money are read into the request; each may stand once only,
 * with a value and not as a file.
 */
#ifndef WIRE_FORM_H
#define WIRE_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/multipart.h"
#include "wire/request.h"

#define WIRE_FORM_VALUE_BYTES	256	/* longest value that is read */
#define WIRE_FORM_SNIFF_BYTES	32	/* of a file, to know its kind */

struct wire_form {
	bool done;			/* the last boundary was read */
	bool has_model;			/* request->model is complete */
	uint64_t file_bytes;		/* so far */

	/* Told of fields that aren't files nor cost money, bit by bit, and of
	 * their end (NULL); may be NULL. */
	void (*on_field)(void *context, const char *text, size_t len);
	void *context;

	/* Private. */
	struct multipart parts;
	uint64_t at;			/* bytes read */
	uint64_t value_start;		/* of the present part */
	bool costs;			/* the present part is to be read */
	bool value_long;
	uint8_t after;			/* bytes behind the last boundary */
	uint8_t seen_count;
	size_t value_len;
	size_t sniffed;
	char seen[8][24];		/* names of members that cost */
	char value[WIRE_FORM_VALUE_BYTES];
	unsigned char sniff[WIRE_FORM_SNIFF_BYTES];
};

/* False: fault_r is WIRE_ERROR_BAD_FORM.  request is initialised too. */
bool	wire_form_init(struct wire_form *form, enum wire_route route,
	    struct span content_type, struct wire_request *request,
	    struct wire_fault *fault_r) __attribute__((warn_unused_result));

/*
 * The next len bytes.  request->model_value gets the place of the model in the
 * whole body.  False: refused, fault_r says why.
 */
bool	wire_form_feed(struct wire_form *form, const char *in, size_t len,
	    struct wire_request *request, struct wire_fault *fault_r)
	    __attribute__((warn_unused_result));

/* All has come.  False: the form is not complete, or names no model. */
bool	wire_form_finish(struct wire_form *form, struct wire_request *request,
	    struct wire_fault *fault_r) __attribute__((warn_unused_result));

/* How long a recording is, if it has so many bytes: by its head, or by what is
 * usual (sure: rather too long than too short). */
uint64_t wire_form_audio_ms(const struct wire_form *form, uint64_t bytes,
	    bool sure);

#endif
