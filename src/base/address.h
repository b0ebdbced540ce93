/*
 * address.h: a client's address in 16 bytes: IPv6, or IPv4 mapped into it.
 * Layer: base.
 * Written by: pure functions.
 */
#ifndef BASE_ADDRESS_H
#define BASE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#define ADDRESS_TEXT_BYTES 46

/* ::ffff:0:0/96 (RFC 4291, 2.5.5.2). */
bool	address_is_ipv4(const uint8_t address[16]);

/* "192.0.2.1", "2001:db8::1"; "" for all zeros, which is none. */
void	address_text(const uint8_t address[16],
	    char text_r[ADDRESS_TEXT_BYTES]);

/*
 * "192.0.2.0/24", "2001:db8::/32", or an address for itself alone.  Bits of
 * the address behind the network's are dropped.  *bits_r counts from the
 * beginning of the 16 bytes: IPv4's 24 are 120.
 */
bool	address_network_parse(const char *text, uint8_t ip_r[16],
	    uint32_t *bits_r) __attribute__((warn_unused_result));

#endif
