/* What runs, and what it has of the secrets. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/secret.h"
#include "conf/settings.h"
#include "shm/seat.h"
#include "shm/segment.h"

#define WAIT_TRIES 300
#define WAIT_PAUSE_MS 100

static bool
has(uint64_t ids, uint8_t id)
{
	for (; ids != 0; ids >>= 8)
		if ((uint8_t)ids == id)
			return true;
	return false;
}

void
seal_workers(const struct admin *admin, uint8_t id, struct seal_workers *w)
{
	char name[SEGMENT_NAME_BYTES];
	struct shm *shm;
	pid_t pid;

	*w = (struct seal_workers){ .running = false };
	settings_segment_name(admin->settings, name);
	if (shm_attach(name, true, &shm) != SHM_OK)
		return;
	for (uint32_t i = SEAT_FLUSHER + 1; i < seat_count(shm); i++) {
		pid = seat_pid(shm, i);
		/* A seat outlives who sat there, until a master looks. */
		if (seat_state(shm, i) != SEAT_LIVE || pid <= 0 ||
		    (kill(pid, 0) != 0 && errno == ESRCH))
			continue;
		w->running = true;
		w->workers++;
		w->having += has(seat_get(shm, i, SEAT_SEALS), id);
	}
	shm_close(&shm);
}

/* 0: it isn't there. */
static pid_t
master_pid(const struct admin *admin)
{
	char path[SETTING_PATH_BYTES + 32], name[32] = "";
	FILE *file;
	long pid = 0;

	snprintf(path, sizeof(path), "%s/youyund.pid",
	    admin->settings->run_dir);
	file = fopen(path, "re");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%ld", &pid) != 1 || pid <= 1)
		pid = 0;
	fclose(file);
	/* Its number may be another's by now. */
	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	file = pid != 0 ? fopen(path, "re") : NULL;
	if (file == NULL)
		return 0;
	if (fgets(name, sizeof(name), file) == NULL ||
	    strcmp(name, "youyund\n") != 0)
		pid = 0;
	fclose(file);
	return (pid_t)pid;
}

/* A handover has as many again for a while. */
static bool
all_have(const struct admin *admin, uint8_t id)
{
	uint32_t wanted = settings_workers(admin->settings);
	struct seal_workers w;

	seal_workers(admin, id, &w);
	return !w.running || w.having == w.workers || w.having >= wanted;
}

enum admin_exit
seal_spread(struct admin *admin, uint8_t id)
{
	struct seal_workers w;
	pid_t pid;

	seal_workers(admin, id, &w);
	pid = master_pid(admin);
	if (!w.running && pid == 0)
		return ADMIN_OK;
	if (pid == 0 || kill(pid, SIGHUP) != 0) {
		complain("cannot have youyund read the secrets again: %s",
		    pid == 0 ? "its pid file names no youyund" :
		    strerror(errno));
		hint("reload it, and run this again as root");
		return ADMIN_FAILED;
	}
	for (int i = 0; i < WAIT_TRIES; i++) {
		if (all_have(admin, id))
			return ADMIN_OK;
		poll(NULL, 0, WAIT_PAUSE_MS);
	}
	complain("youyund's workers don't have key %u yet", (unsigned)id);
	hint("its log says why; mend that and run this again");
	return ADMIN_FAILED;
}
