/*
 * estimate.c: see estimate.h.
 */
#include "wire/estimate.h"

static uint64_t
tokens_of(uint64_t bytes)
{
	return bytes / WIRE_ESTIMATE_BYTES_PER_TOKEN +
	    (bytes % WIRE_ESTIMATE_BYTES_PER_TOKEN != 0);
}

uint64_t
wire_estimate_input_tokens(uint64_t body_bytes)
{
	uint64_t tokens = tokens_of(body_bytes);

	if (tokens > WIRE_ESTIMATE_INPUT_MAX_TOKENS -
	    WIRE_ESTIMATE_INPUT_BASE_TOKENS)
		return WIRE_ESTIMATE_INPUT_MAX_TOKENS;
	return tokens + WIRE_ESTIMATE_INPUT_BASE_TOKENS;
}

uint64_t
wire_estimate_output_tokens(uint64_t output_bytes)
{
	return tokens_of(output_bytes);
}
