/*
 * Files, by Landlock (landlock(7)).  The system calls are made by number: the
 * distribution's libc has no functions for them yet.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/internal.h"

/* What kernels learnt after the distribution's header was written. */
#define FS_TRUNCATE	(UINT64_C(1) << 14)	/* from version 3 on */
#define FS_IOCTL_DEV	(UINT64_C(1) << 15)	/* 5 */
#define NET_BIND_TCP	(UINT64_C(1) << 0)	/* 4 */
#define SCOPE_ALL	UINT64_C(3)		/* 6: abstract sockets, signals */

#define FS_VERSION_1	((UINT64_C(1) << 13) - 1)
#define FS_READ		(UINT64_C(0) | LANDLOCK_ACCESS_FS_READ_FILE | \
			LANDLOCK_ACCESS_FS_READ_DIR)

/* The kernel takes a shorter or longer one, if the rest is zero. */
struct ruleset {
	uint64_t handled_fs;
	uint64_t handled_net;
	uint64_t scoped;
};

static long
version(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
}

bool
landlock_supported(void)
{
	return version() >= 1;
}

static uint64_t
handled_fs(long abi)
{
	uint64_t handled = FS_VERSION_1;

	if (abi >= 2)
		handled |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		handled |= FS_TRUNCATE;
	if (abi >= 5)
		handled |= FS_IOCTL_DEV;
	return handled;
}

static bool
allow(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = access };
	long result;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return false;
	result = syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent_fd);
	return result == 0;
}

/* Libraries read configurations and certificates at any time. */
static bool
allow_reading(int ruleset, bool anywhere)
{
	static const char *const dirs[] = { "/etc", "/usr", "/lib", "/lib64",
		"/run", "/proc", "/dev" };

	if (anywhere)
		return allow(ruleset, "/", FS_READ);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (!allow(ruleset, dirs[i], FS_READ) && errno != ENOENT)
			return false;
	return true;
}

static bool
allow_writing(int ruleset, const char *dir, uint64_t handled)
{
	return allow(ruleset, dir, FS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE |
	    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_REMOVE_FILE |
	    (handled & FS_TRUNCATE));
}

bool
landlock_restrict(const char *writable_dir, enum landlock_reads reads)
{
	long abi = version();
	struct ruleset wanted;
	bool ok;
	int fd;

	if (abi < 1)
		return false;
	memset(&wanted, 0, sizeof(wanted));
	wanted.handled_fs = handled_fs(abi);
	if (abi >= 4)
		wanted.handled_net = NET_BIND_TCP;
	if (abi >= 6)
		wanted.scoped = SCOPE_ALL;
	fd = (int)syscall(SYS_landlock_create_ruleset, &wanted,
	    abi >= 6 ? sizeof(wanted) : abi >= 4 ? 16 : 8, 0);
	if (fd < 0)
		return false;
	ok = (reads == LANDLOCK_READS_NOTHING ||
	    allow_reading(fd, reads == LANDLOCK_READS_ALL)) &&
	    (writable_dir == NULL ||
	    allow_writing(fd, writable_dir, wanted.handled_fs)) &&
	    syscall(SYS_landlock_restrict_self, fd, 0) == 0;
	close(fd);
	return ok;
}
