/*
 * mail_address.h: what may stand in a mail's head as an address.
 * Layer: base.
 * Written by: pure functions.
 */
#ifndef BASE_MAIL_ADDRESS_H
#define BASE_MAIL_ADDRESS_H

#include <stdbool.h>

#define MAIL_ADDRESS_BYTES 255

/* local@domain and nothing else: a dot-atom of ASCII without what a shell, an
 * option or a head could mistake, and a domain with a dot in it.  Stricter than
 * RFC 5321. */
bool	mail_address_ok(const char *text);

#endif
