/* Which processes there are, and whose connection is whose. */
#include "admin/attest_process.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/attest_proc.h"

pid_t
process_master(const char *run_dir)
{
	char path[PATH_MAX], text[32], title[48];
	FILE *f;
	long pid = 0;

	snprintf(path, sizeof(path), "%s/youyund.pid", run_dir);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	if (fgets(text, sizeof(text), f) != NULL)
		pid = strtol(text, NULL, 10);
	fclose(f);
	/* Somebody else may have got the number. */
	if (pid <= 1 || pid > INT_MAX || !proc_comm((pid_t)pid, title) ||
	    strcmp(title, "youyund") != 0)
		return 0;
	return (pid_t)pid;
}

static enum scan_area
kind_of(const char *comm)
{
	static const struct {
		const char *comm;
		enum scan_area kind;
	} known[] = {
		{ "youyund", AREA_MASTER }, { "youyun-worker", AREA_WORKER },
		{ "youyun-flusher", AREA_FLUSHER },
		{ "youyun-portal", AREA_PORTAL },
		{ "youyun-mailer", AREA_MAILER }
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].comm, comm) == 0)
			return known[i].kind;
	/* What else descends from the master is PostgreSQL, or what the
	 * mailer runs. */
	return strncmp(comm, "postgres", 8) == 0 ? AREA_POSTGRES :
	    AREA_MAILER;
}

static void
add(struct processes *ps, pid_t pid, pid_t parent)
{
	struct process *p = &ps->at[ps->n];

	if (ps->n == PROCESSES_MAX || !proc_comm(pid, p->title))
		return;
	p->pid = pid;
	p->parent = parent;
	p->kind = kind_of(p->title);
	ps->n++;
}

static bool
contains(const struct processes *ps, pid_t pid)
{
	for (size_t i = 0; i < ps->n; i++)
		if (ps->at[i].pid == pid)
			return true;
	return false;
}

/* One look through /proc: children of those that are known. */
static bool
find_children(struct processes *ps)
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;
	pid_t pid, parent;

	if (dir == NULL)
		return false;
	while ((entry = readdir(dir)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		pid = (pid_t)strtol(entry->d_name, NULL, 10);
		if (!contains(ps, pid) && proc_parent(pid, &parent) &&
		    contains(ps, parent))
			add(ps, pid, parent);
	}
	closedir(dir);
	return true;
}

bool
processes_find(pid_t master, struct processes *ps)
{
	size_t before;

	ps->n = 0;
	add(ps, master, 0);
	do {
		before = ps->n;
		if (!find_children(ps))
			return false;
	} while (ps->n > before);
	return ps->n > 0;
}

void
processes_keep(struct processes *ps, enum scan_area kind)
{
	size_t kept = 0;

	for (size_t i = 0; i < ps->n; i++)
		if (ps->at[i].kind == kind)
			ps->at[kept++] = ps->at[i];
	ps->n = kept;
}

/* The inode of the socket with these ports, from one of the kernel's tables;
 * 0: it isn't there. */
static unsigned long
socket_inode(const char *table, int port, int peer_port)
{
	char line[512];
	unsigned local, remote;
	unsigned long inode, found = 0;
	FILE *f = fopen(table, "re");

	if (f == NULL)
		return 0;
	while (found == 0 && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%x"
		    " %*s %*s %*s %*s %*s %*s %lu", &local, &remote,
		    &inode) == 3 && (int)local == port &&
		    (int)remote == peer_port)
			found = inode;
	fclose(f);
	return found;
}

struct wanted {
	char name[32];
	bool found;
};

static bool
compare(int fd, const char *target, void *arg)
{
	struct wanted *w = arg;

	(void)fd;
	w->found = strcmp(target, w->name) == 0;
	return !w->found;
}

pid_t
process_of_connection(const struct processes *ps, int port, int peer_port)
{
	unsigned long inode = socket_inode("/proc/net/tcp", port, peer_port);
	struct wanted w = { "", false };

	if (inode == 0)
		inode = socket_inode("/proc/net/tcp6", port, peer_port);
	if (inode == 0)
		return 0;
	snprintf(w.name, sizeof(w.name), "socket:[%lu]", inode);
	for (size_t i = 0; i < ps->n; i++)
		if (ps->at[i].kind == AREA_WORKER &&
		    proc_descriptors(ps->at[i].pid, compare, &w) && w.found)
			return ps->at[i].pid;
	return 0;
}
