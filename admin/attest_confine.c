/* What confines a worker, as far as others can see it. */
#include "admin/attest_process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/attest_proc.h"

static bool
status_is(pid_t pid, const char *name, const char *wanted)
{
	char value[128];

	return proc_line(pid, "status", name, value, sizeof(value)) &&
	    strcmp(value, wanted) == 0;
}

static bool
has_no_capabilities(pid_t pid)
{
	static const char *const sets[] = { "CapInh", "CapPrm", "CapEff",
		"CapAmb" };

	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		if (!status_is(pid, sets[i], "0000000000000000"))
			return false;
	return true;
}

static bool
is_other_user(pid_t pid)
{
	char value[128];
	unsigned long real, effective, saved, files;

	return proc_line(pid, "status", "Uid", value, sizeof(value)) &&
	    sscanf(value, "%lu %lu %lu %lu", &real, &effective, &saved,
	    &files) == 4 && real != 0 && effective != 0 && saved != 0 &&
	    files != 0;
}

/* Both of the limit's columns are 0. */
static bool
limit_is_zero(pid_t pid, const char *name)
{
	char value[128], soft[32], hard[32];

	return proc_line(pid, "limits", name, value, sizeof(value)) &&
	    sscanf(value, "%31s %31s", soft, hard) == 2 &&
	    strcmp(soft, "0") == 0 && strcmp(hard, "0") == 0;
}

static long
status_kb(pid_t pid, const char *name)
{
	char value[64];

	return proc_line(pid, "status", name, value, sizeof(value)) ?
	    strtol(value, NULL, 10) : -1;
}

struct look {
	const char *const *own;
	struct confinement *c;
};

static bool
is_own(int fd, const char *target, const char *const *own)
{
	static const char *const kinds[] = { "socket:", "anon_inode:",
		"pipe:", "/memfd:", NULL };

	if (strcmp(target, "/dev/null") == 0)
		return true;
	for (size_t i = 0; kinds[i] != NULL; i++)
		if (strncmp(target, kinds[i], strlen(kinds[i])) == 0)
			return true;
	for (size_t i = 0; own[i] != NULL; i++)
		if (strncmp(target, own[i], strlen(own[i])) == 0)
			return true;
	/* The log, as it was when the master was started; limits and, where
	 * it is there, Landlock let nothing grow. */
	return fd == 1 || fd == 2;
}

static bool
look_at(int fd, const char *target, void *arg)
{
	struct look *look = arg;

	if (is_own(fd, target, look->own))
		return true;
	if (look->c->files++ == 0)
		snprintf(look->c->file, sizeof(look->c->file), "%s", target);
	return true;
}

bool
process_confinement(const struct process *p, const char *const *own,
    struct confinement *c)
{
	struct look look = { own, c };

	memset(c, 0, sizeof(*c));
	c->pid = p->pid;
	snprintf(c->title, sizeof(c->title), "%s", p->title);
	c->seccomp = status_is(p->pid, "Seccomp", "2");
	c->no_new_privs = status_is(p->pid, "NoNewPrivs", "1");
	c->no_capabilities = has_no_capabilities(p->pid);
	c->other_user = is_other_user(p->pid);
	c->no_core = limit_is_zero(p->pid, "Max core file size");
	c->no_file_growth = limit_is_zero(p->pid, "Max file size");
	c->no_processes = limit_is_zero(p->pid, "Max processes");
	c->locked_kb = status_kb(p->pid, "VmLck");
	c->swapped_kb = status_kb(p->pid, "VmSwap");
	return proc_descriptors(p->pid, look_at, &look);
}

bool
process_confined(const struct confinement *c)
{
	return c->seccomp && c->no_new_privs && c->no_capabilities &&
	    c->other_user && c->no_core && c->no_file_growth &&
	    c->no_processes && c->files == 0 &&
	    (!c->landlock_known || c->landlock);
}
