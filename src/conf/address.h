/*
 * address.h: "host:port" of a listening address, and lists of them.
 * Layer: conf.  Numeric addresses only: nothing is resolved.
 * Written by: nobody.
 */
#ifndef CONF_ADDRESS_H
#define CONF_ADDRESS_H

#include <stdbool.h>

struct listen_address;
struct listen_list;

/* "127.0.0.1:8443", "[::1]:8443", "*:8443" (all of IPv4) and "[::]:8443".
 * False: *why_r (static) says what is wrong. */
bool	address_parse(const char *text, struct listen_address *address_r,
	    const char **why_r) __attribute__((warn_unused_result));

/* Several of them, separated by commas or blanks. */
bool	address_list_parse(const char *text, struct listen_list *list_r,
	    const char **why_r) __attribute__((warn_unused_result));

#endif
