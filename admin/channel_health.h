/*
 * channel_health.h: how channels and credentials are, by what the workers know
 * in the segment.
 * Layer: admin.
 * Written by: nobody; the segment is read only.
 */
#ifndef ADMIN_CHANNEL_HEALTH_H
#define ADMIN_CHANNEL_HEALTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admin/admin.h"
#include "shm/channel.h"

struct report;
struct shm;

#define HEALTH_WHY_BYTES 160

/* NULL when youyund has not made a segment: nothing is known then. */
struct shm *health_open(const struct admin *admin);
void	health_close(struct shm **shm);

/* Is it the beat (monotonic, ns) of a process that is at work? */
bool	health_beats(uint64_t beat_ns);

struct health {
	bool known;
	struct channel_view view;
	const char *word;	/* "up", "out", "probing", "refused",
				 * "resting"; NULL */
	char why[HEALTH_WHY_BYTES];	/* "" when there is nothing to say */
};
/* shm may be NULL. */
void	health_of_channel(const struct shm *shm, int64_t slot,
	    int64_t channel_id, struct health *health_r);

/* Parts per hundred of the calls since the segment was made that failed. */
int64_t	health_error_percent(const struct channel_view *view);

/* A channel's credentials; *report_r is the caller's on ADMIN_OK. */
enum admin_exit	credential_report(struct admin *admin, int64_t channel_id,
	    struct report **report_r) __attribute__((warn_unused_result));

#endif
