#include "admin/attest_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/attest_proc.h"
#include "admin/attest_process.h"

#define DEPTH_MAX 12

struct walk {
	struct scan *scan;
	enum scan_area area;
	int64_t since_s;
	const char *skip;
};

static void
scan_file(const struct walk *w, int dir, const char *name, const char *path)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK);

	if (fd < 0 && errno == ENOENT)
		return;		/* removed meanwhile */
	scan_target(w->scan, w->area, "%s", path);
	if (fd < 0) {
		scan_unread(w->scan, strerror(errno));
		return;
	}
	(void)scan_descriptor(w->scan, fd);
	close(fd);
}

static void walk_into(const struct walk *w, int dir, const char *name,
    const char *path, int depth);

static void
visit(const struct walk *w, int dir, const char *name, const char *path,
    int depth)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return;
	if (S_ISDIR(st.st_mode)) {
		if (depth < DEPTH_MAX &&
		    (w->skip == NULL || strcmp(path, w->skip) != 0))
			walk_into(w, dir, name, path, depth + 1);
		return;
	}
	/* The time of the last change can't be set, unlike that of the last
	 * modification. */
	if (S_ISREG(st.st_mode) && st.st_ctim.tv_sec >= w->since_s)
		scan_file(w, dir, name, path);
}

static void
walk_into(const struct walk *w, int dir, const char *name, const char *path,
    int depth)
{
	char below[PATH_MAX];
	const struct dirent *entry;
	DIR *d;
	int fd, n;

	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_DIRECTORY |
	    O_NOFOLLOW);
	d = fd >= 0 ? fdopendir(fd) : NULL;
	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		n = snprintf(below, sizeof(below), "%s/%s", path,
		    entry->d_name);
		if (n > 0 && (size_t)n < sizeof(below))
			visit(w, fd, entry->d_name, below, depth);
		if (w->scan->stopped != NULL && w->scan->stopped())
			break;
	}
	closedir(d);
}

void
files_scan(struct scan *scan, enum scan_area area, const char *path,
    int64_t since_s, const char *skip)
{
	struct walk w = { scan, area, since_s, skip };
	char real[PATH_MAX];

	/* The operator's own link is followed, those inside aren't. */
	if (realpath(path, real) != NULL)
		visit(&w, AT_FDCWD, real, path, 0);
}

struct nameless {
	struct scan *scan;
	const struct process *process;
};

static bool
scan_nameless(int fd, const char *target, void *arg)
{
	static const char mark[] = " (deleted)";
	const struct nameless *n = arg;
	size_t len = strlen(target), mark_len = sizeof(mark) - 1;
	char path[64];
	struct stat st;
	int file;

	if (target[0] != '/' || len < mark_len ||
	    strcmp(target + len - mark_len, mark) != 0)
		return true;
	snprintf(path, sizeof(path), "/proc/%ld/fd/%d", (long)n->process->pid,
	    fd);
	file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file < 0)
		return true;
	if (fstat(file, &st) == 0 && S_ISREG(st.st_mode)) {
		scan_target(n->scan, AREA_TEMPORARY, "%.100s, open in %s %ld",
		    target, n->process->title, (long)n->process->pid);
		(void)scan_descriptor(n->scan, file);
	}
	close(file);
	return true;
}

void
files_scan_nameless(struct scan *scan, const struct processes *ps)
{
	for (size_t i = 0; i < ps->n; i++) {
		struct nameless n = { scan, &ps->at[i] };

		(void)proc_descriptors(ps->at[i].pid, scan_nameless, &n);
	}
}

static bool
read_first_line(const char *path, char *line, size_t size)
{
	FILE *f = fopen(path, "re");
	bool ok;

	if (f == NULL)
		return false;
	ok = fgets(line, (int)size, f) != NULL;
	fclose(f);
	if (ok)
		line[strcspn(line, "\n")] = '\0';
	return ok;
}

/* Files called core… in a folder, not below it. */
static void
scan_cores_in(struct scan *scan, const char *folder, int64_t since_s)
{
	char path[PATH_MAX];
	const struct dirent *entry;
	DIR *dir = opendir(folder);

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, "core", 4) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		files_scan(scan, AREA_CORES, path, since_s, NULL);
	}
	closedir(dir);
}

void
files_scan_cores(struct scan *scan, int64_t since_s)
{
	static const char *const folders[] = { "/var/lib/systemd/coredump",
		"/var/crash", "/var/lib/apport/coredump", "/cores" };
	char pattern[SCAN_WHERE_BYTES], *slash;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		files_scan(scan, AREA_CORES, folders[i], since_s, NULL);
	/* Where the service works. */
	scan_cores_in(scan, "/", since_s);
	if (!read_first_line("/proc/sys/kernel/core_pattern", pattern,
	    sizeof(pattern)) || pattern[0] != '/')
		return;
	slash = strrchr(pattern, '/');
	*slash = '\0';
	if (strchr(pattern, '%') == NULL && pattern[0] != '\0')
		files_scan(scan, AREA_CORES, pattern, since_s, NULL);
}

void
swap_look(struct swap_state *state)
{
	char line[SCAN_WHERE_BYTES];
	FILE *f = fopen("/proc/swaps", "re");

	memset(state, 0, sizeof(*state));
	(void)read_first_line("/proc/sys/kernel/core_pattern",
	    state->core_pattern, sizeof(state->core_pattern));
	if (f == NULL)
		return;
	state->known = fgets(line, sizeof(line), f) != NULL;
	state->on = fgets(line, sizeof(line), f) != NULL;
	fclose(f);
}
