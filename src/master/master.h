/*
 * master.h: the state of the parent of all processes.
 * Layer: master.  Touches no client byte and no SQL.
 * Written by: the master alone; its children get a struct heritage.
 */
#ifndef MASTER_MASTER_H
#define MASTER_MASTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/loop.h"
#include "base/payment.h"
#include "base/secret.h"
#include "conf/service.h"
#include "conf/settings.h"
#include "master/sockets.h"
#include "master/logfile.h"
#include "master/pem.h"
#include "master/wake.h"

struct child;
struct shm;

/* How far the service is on its way down.  It only goes forward. */
enum phase {
	PHASE_RUN,
	PHASE_STOP_WORKERS,	/* calls end, or are ended */
	PHASE_STOP_FLUSHER,	/* the rings become durable */
	PHASE_STOP_POSTGRES,
	PHASE_DONE
};

struct master {
	const char *conf_path;
	bool foreground;
	struct settings settings;
	struct service_user user;
	struct secrets secrets;
	struct pem_pair pem;
	struct payment_keys payment;
	struct sockets sockets;
	struct shm *shm;
	char segment_name[SEGMENT_NAME_BYTES];
	bool embedded;

	int lock_fd;		/* inherited: held while any of ours lives */
	int pid_fd;		/* the master's own lock */
	int life_read;		/* children see its end when we are gone */
	int life_write;
	int wake_fd;		/* heritage.h */
	int portal_fd;		/* a worker's end; below 0: no portal */
	int portal_end;		/* the portal's */
	struct logfile logfile;
	struct wake wake;

	struct loop *loop;
	int signal_fd;
	struct loop_watch signal_watch;
	struct child *children;	/* a list */
	enum phase phase;
	unsigned hurries;	/* stops asked for beyond the first */
	struct mono_time began;
	struct mono_time flusher_seen;

	/* A reload's new workers have started; the old ones wait to go. */
	bool handover;
	bool reload_again;
	struct mono_time handover_until;
	struct loop_timer tick;	/* looks at what sends no signal */
};

#endif
