/*
 * sockets.h: the listening sockets, opened before privileges are dropped.
 * Layer: master.
 * Written by: the master; workers inherit the descriptors.
 */
#ifndef MASTER_SOCKETS_H
#define MASTER_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/settings.h"

struct sockets {
	uint32_t count;
	int fd[SETTING_LISTEN_MAX];
	struct listen_address address[SETTING_LISTEN_MAX];
};

/*
 * Sockets for every address of list; what `have` already listens on is used
 * again (its descriptor is in both then).  False: *report says which failed
 * and why, and nothing that was newly opened is left open.
 */
bool	sockets_open(const struct listen_list *list,
	    const struct sockets *have, const char *file,
	    struct sockets *sockets_r, struct conf_report *report)
	    __attribute__((warn_unused_result));

/* Closes those of `old` that are not in `kept`; kept may be NULL. */
void	sockets_close(struct sockets *old,
	    const struct sockets *kept);

#endif
