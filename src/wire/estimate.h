/*
 * estimate.h: how many tokens some bytes may be, for holds.
 * Layer: wire.  Pure integer arithmetic.
 * Written by: nobody; constants with their reasons.
 */
#ifndef WIRE_ESTIMATE_H
#define WIRE_ESTIMATE_H

#include <stdint.h>

/*
 * A hold wants to be a little above the truth.  English text is 4 to 5 bytes
 * a token, source code about 3.5, Chinese in UTF-8 3 bytes for 0.7 to 1.3
 * tokens, escaped as \uXXXX 6; the braces and names of the body around the
 * text are counted too.  Three bytes a token is above all but odd scripts.
 */
#define WIRE_ESTIMATE_BYTES_PER_TOKEN	3

/* No model reads more; a body of images stops here (their base64 is many
 * bytes for few tokens). */
#define WIRE_ESTIMATE_INPUT_MAX_TOKENS	UINT64_C(1048576)

/* What a provider adds around the messages. */
#define WIRE_ESTIMATE_INPUT_BASE_TOKENS	UINT64_C(16)

/* Output of a model about which nothing was configured. */
#define WIRE_OUTPUT_CEILING_TOKENS	UINT64_C(32768)

/* Of a request with body_bytes: never 0, never above the maximum. */
uint64_t wire_estimate_input_tokens(uint64_t body_bytes);

/* Of output_bytes of text: 0 only for 0. */
uint64_t wire_estimate_output_tokens(uint64_t output_bytes);

#endif
