/*
 * url.h: a channel's base address, as the administrator types it.
 * Layer: admin.
 * Written by: url_parse() alone.
 */
#ifndef ADMIN_URL_H
#define ADMIN_URL_H

#include <stdbool.h>

#include "shm/catalogue.h"

struct url {
	bool tls;
	int port;
	char host[CHANNEL_HOST_BYTES];	/* no brackets around IPv6 */
	char path[CHANNEL_PATH_BYTES];	/* "" or "/prefix" */
};

/*
 * "https://host[:port][/prefix]"; "http://" on a loopback address only.  A
 * trailing slash is dropped; what the gateway adds itself ("/v1") is refused.
 * NULL: fine; else why not (static).
 */
const char *url_parse(const char *text, struct url *url_r);

#endif
