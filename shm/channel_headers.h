/*
 * channel_headers.h: the headers that the operator adds to a channel's
 * requests, as kept in its row: "Name: value" lines.
 * Layer: shm.  Pure; youyunctl checks with it, workers read with it.
 * Written by: nobody.
 */
#ifndef SHM_CHANNEL_HEADERS_H
#define SHM_CHANNEL_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

/* So many to a channel. */
#define CHANNEL_HEADERS 8

/* NULL: it may be added.  Else why not: names that the gateway sets itself or
 * that say where a message ends are refused, as is what no header can hold. */
const char *channel_header_check(struct span name, struct span value);

/*
 * Takes the next line off *text; borrowed from it.  Lines that are not in
 * order are passed over.  False: there is none left.
 */
bool	channel_header_next(const char **text, struct span *name_r,
	    struct span *value_r) __attribute__((warn_unused_result));

#endif
