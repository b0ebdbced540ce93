/*
 * loop.h: one epoll loop with timers, for a process of one thread.
 * Layer: base.  Everything belongs to the thread that runs the loop.
 * Written by: the process that opened it.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/clock.h"

struct loop;

/* Lives inside its owner; zero-initialise, then loop_watch(). */
struct loop_watch {
	int fd;
	void (*ready)(struct loop_watch *w, uint32_t events);
	bool active;
};

struct loop_timer {
	void (*fire)(struct loop_timer *t);
	struct mono_time due;
	size_t place;		/* in the heap, plus one; 0: not armed */
};

/* Returned, caller closes; NULL with errno when there is no epoll. */
struct loop *loop_open(void);
void	loop_close(struct loop **loop);

/* The epoll descriptor itself. */
int	loop_fd(const struct loop *loop);

/* events: EPOLLIN | …, also EPOLLET, EPOLLEXCLUSIVE.  False with errno. */
bool	loop_watch(struct loop *loop, struct loop_watch *w, uint32_t events)
	    __attribute__((warn_unused_result));
bool	loop_change(struct loop *loop, struct loop_watch *w, uint32_t events)
	    __attribute__((warn_unused_result));

/* Before the descriptor is closed.  Events of this turn that were still to be
 * delivered to w are dropped, so w may be freed at once. */
void	loop_unwatch(struct loop *loop, struct loop_watch *w);

/* (Re-)arms; a timer fires once. */
void	loop_arm(struct loop *loop, struct loop_timer *t, struct mono_time due);
void	loop_disarm(struct loop *loop, struct loop_timer *t);
static inline bool
loop_armed(const struct loop_timer *t)
{
	return t->place != 0;
}

/* The time at which this turn began; good enough for every deadline. */
struct mono_time loop_now(const struct loop *loop);

/*
 * Waits at most max_wait_ms (-1: until something happens) for the next event
 * or timer, and delivers everything that is due.  Interrupted by a signal it
 * just returns.
 */
void	loop_turn(struct loop *loop, int max_wait_ms);

#endif
