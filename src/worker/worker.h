/*
 * worker.h: the process that serves customers.
 * Layer: worker.
 * Written by: the master starts it; it returns when it has drained.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

struct heritage;

/*
 * The worker's whole life, in the child: occupies its seat, serves until
 * SIGTERM or the master's end, finishes what is open (at most
 * shutdown_timeout) and returns the process's exit status.  Never talks to
 * the database; opens no file after its start.
 */
int	worker_main(const struct heritage *heritage);

#endif
