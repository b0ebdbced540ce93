/*
 * words.h: numbers of the database as words, and back.
 * Layer: admin.
 * Written by: nobody; constant tables.
 */
#ifndef ADMIN_WORDS_H
#define ADMIN_WORDS_H

#include <stddef.h>
#include <stdint.h>

/* Static text; "unknown" for a number without a name. */
const char *account_status_name(int64_t status);
const char *key_status_name(int64_t status);
const char *channel_status_name(int64_t status);
const char *route_name(unsigned int route);

/* RECORD_… bits as "streamed,estimated"; "" for none. */
#define FLAGS_TEXT_BYTES 192
void	record_flags_format(uint32_t flags, char text_r[FLAGS_TEXT_BYTES]);

/* As customers see it in x-request-id, "req_0192…"; id is 16 bytes. */
#define REQUEST_ID_TEXT_BYTES 37
void	request_id_format(const uint8_t *id,
	    char text_r[REQUEST_ID_TEXT_BYTES]);

/* IPv4 or IPv6; "-" when it is not known. */
#define ADDRESS_TEXT_BYTES 46
void	address_format(const uint8_t *address,
	    char text_r[ADDRESS_TEXT_BYTES]);

#endif
