#include "sandbox/sandbox.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/log.h"
#include "sandbox/internal.h"

static const struct {
	uint32_t part;
	const char *name;
} parts[] = {
	{ SANDBOX_PRIVILEGES, "no new privileges" },
	{ SANDBOX_UNDUMPABLE, "no dumps" },
	{ SANDBOX_LIMITS, "limits" },
	{ SANDBOX_LANDLOCK, "Landlock" },
	{ SANDBOX_SECCOMP, "seccomp" },
	{ SANDBOX_LOCKED, "locked memory" },
};

const char *
sandbox_part_name(uint32_t part)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i].part == part)
			return parts[i].name;
	return "unknown";
}

void
sandbox_text(uint32_t set, char text_r[SANDBOX_TEXT_BYTES])
{
	size_t used = 0;

	text_r[0] = '\0';
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if ((set & parts[i].part) != 0)
			used += (size_t)snprintf(text_r + used,
			    SANDBOX_TEXT_BYTES - used, "%s%s",
			    used > 0 ? ", " : "", parts[i].name);
}

uint32_t
sandbox_wanted(enum sandbox_role role)
{
	switch (role) {
	case SANDBOX_WORKER:
	case SANDBOX_FLUSHER:
	case SANDBOX_PORTAL:
		return SANDBOX_ALL & ~SANDBOX_LOCKED;
	}
	return SANDBOX_ALL;
}

uint32_t
sandbox_lacking(void)
{
	return (landlock_supported() ? 0 : SANDBOX_LANDLOCK) |
	    (filter_supported() ? 0 : SANDBOX_SECCOMP);
}

static bool
no_core(void)
{
	const struct rlimit none = { 0, 0 };

	return setrlimit(RLIMIT_CORE, &none) == 0;
}

/* The flusher writes files and has threads, the portal has threads. */
static bool
set_limits(enum sandbox_role role)
{
	const struct rlimit none = { 0, 0 };

	if (role == SANDBOX_PORTAL)
		return no_core() && setrlimit(RLIMIT_FSIZE, &none) == 0;
	return no_core() && (role == SANDBOX_FLUSHER ||
	    (setrlimit(RLIMIT_FSIZE, &none) == 0 &&
	    setrlimit(RLIMIT_NPROC, &none) == 0));
}

/* Only what is touched: the segment is large and mostly empty. */
static bool
lock_memory(void)
{
	struct rlimit limit;

	/* Under a limit a later allocation would fail instead of this. */
	if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0 ||
	    limit.rlim_cur != RLIM_INFINITY) {
		errno = EPERM;
		return false;
	}
	return mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0;
}

static uint32_t
took(uint32_t part, bool ok)
{
	if (ok)
		return part;
	log_debug("a part of the sandbox is not to be had: part=%s why=%s",
	    sandbox_part_name(part), strerror(errno));
	return 0;
}

uint32_t
sandbox_enter(const struct sandbox_plan *plan)
{
	bool worker = plan->role == SANDBOX_WORKER;
	uint32_t in_force = 0;

	in_force |= took(SANDBOX_PRIVILEGES,
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	in_force |= took(SANDBOX_UNDUMPABLE,
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
	if (worker && !plan->sanitizers)
		in_force |= took(SANDBOX_LOCKED, lock_memory());
	in_force |= took(SANDBOX_LIMITS, set_limits(plan->role));
	if (plan->sanitizers)
		return in_force;
	in_force |= took(SANDBOX_LANDLOCK,
	    landlock_restrict(worker ? NULL : plan->writable_dir,
	    worker ? LANDLOCK_READS_NOTHING : plan->reads_anywhere ?
	    LANDLOCK_READS_ALL : LANDLOCK_READS_LIBRARIES));
	/* Last of all: the others are system calls themselves. */
	in_force |= took(SANDBOX_SECCOMP, filter_install(plan->role));
	return in_force;
}
