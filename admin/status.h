/*
 * status.h: what others show of what status shows.
 * Layer: admin.
 * Written by: nobody; the segment is read only.
 */
#ifndef ADMIN_STATUS_H
#define ADMIN_STATUS_H

#include <stdint.h>

struct shm;

/* SANDBOX_… that a live worker or the flusher lacks. */
uint32_t status_sandbox_missing(const struct shm *shm);

#endif
