/*
 * join.h: the end of a thread that may hang in a query.
 * Layer: flusher.
 */
#ifndef FLUSHER_JOIN_H
#define FLUSHER_JOIN_H

#include <pthread.h>
#include <stdbool.h>

/* Waits so long, and up to a second more.  False: it goes on, and what it uses
 * must be left to it. */
bool	join_within(pthread_t thread, int patience_ms);

#endif
