/*
 * wake.h: the descriptors by which workers and the flusher wake each other,
 * with durability = strict.
 * Layer: master.
 * Written by: the master, once; the children inherit them.
 *
 * They are made before anybody is forked, because a worker may open nothing,
 * and because a new flusher has to wake workers that are older than it.
 */
#ifndef MASTER_WAKE_H
#define MASTER_WAKE_H

#include <stdbool.h>
#include <stdint.h>

struct settings;

struct wake {
	int flusher_fd;		/* -1: there are none */
	int *seat_fd;
	uint32_t seats;
};

/* How many descriptors that takes. */
uint32_t wake_count(const struct settings *settings, uint32_t seats);
/* False with errno; then none is left open. */
bool	wake_open(struct wake *wake, const struct settings *settings,
	    uint32_t seats) __attribute__((warn_unused_result));
/* In a worker: those of the other seats. */
void	wake_keep(struct wake *wake, uint32_t seat);
void	wake_close(struct wake *wake);

#endif
