/*
 * lock.h: one service per state directory.
 * Layer: master.
 * Written by: the master.
 *
 *	<state_dir>/lock	held by the master and, inherited, by every
 *				worker and flusher: free when the last is gone
 *	<run_dir>/youyund.pid	locked by the master alone: it runs
 */
#ifndef MASTER_LOCK_H
#define MASTER_LOCK_H

#include <stdbool.h>

struct master;

/*
 * Takes both.  Where only the first is taken, a master was killed and its
 * children are still finishing: waits for them.  False: it was said why.
 */
bool	lock_take(struct master *m) __attribute__((warn_unused_result));

/* Writes our pid, after the last fork of the start. */
bool	lock_write_pid(struct master *m) __attribute__((warn_unused_result));
void	lock_remove_pid(struct master *m);

#endif
