/*
 * words.h: numbers of the database as words, and back.
 * Layer: admin.
 * Written by: nobody; constant tables.
 */
#ifndef ADMIN_WORDS_H
#define ADMIN_WORDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/address.h"

/* Static text; "unknown" for a number without a name. */
const char *account_status_name(int64_t status);
const char *key_status_name(int64_t status);
const char *channel_status_name(int64_t status);
const char *route_name(unsigned int route);

/* Of enum moderation_status; "" for none. */
const char *moderation_name(unsigned int status);

/* RECORD_… bits as "streamed,estimated"; "" for none. */
#define FLAGS_TEXT_BYTES 192
void	record_flags_format(uint32_t flags, char text_r[FLAGS_TEXT_BYTES]);

/* IPv4 or IPv6; "-" when it is not known. */
void	address_format(const uint8_t *address,
	    char text_r[ADDRESS_TEXT_BYTES]);

#endif
