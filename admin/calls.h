/*
 * calls.h: what the commands about calls share.
 * Layer: admin.
 * Written by: nobody.
 */
#ifndef ADMIN_CALLS_H
#define ADMIN_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "shm/record.h"

struct call_filter;

/* "req_0192…" or "0192…-…", with or without dashes. */
bool	request_id_parse(const char *text, uint8_t id_r[RECORD_ID_BYTES])
	    __attribute__((warn_unused_result));

/* One call by its id, which is borrowed by the filter.  An id that tells when
 * it was made (RFC 9562, version 7) spares the search of all other times. */
void	request_id_filter(struct call_filter *filter,
	    const uint8_t id[RECORD_ID_BYTES]);

#endif
