#include "admin/attest_proc.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static FILE *
open_of(pid_t pid, const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, file);
	return fopen(path, "re");
}

bool
proc_comm(pid_t pid, char comm[48])
{
	FILE *f = open_of(pid, "comm");
	bool ok;

	if (f == NULL)
		return false;
	ok = fgets(comm, 48, f) != NULL;
	fclose(f);
	if (ok)
		comm[strcspn(comm, "\n")] = '\0';
	return ok;
}

bool
proc_parent(pid_t pid, pid_t *parent)
{
	char value[32];

	if (!proc_line(pid, "status", "PPid", value, sizeof(value)))
		return false;
	*parent = (pid_t)strtol(value, NULL, 10);
	return true;
}

bool
proc_line(pid_t pid, const char *file, const char *name, char *value,
    size_t size)
{
	FILE *f = open_of(pid, file);
	size_t len = strlen(name);
	char line[512];
	const char *p;
	bool found = false;

	if (f == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, name, len) != 0 ||
		    (line[len] != ':' && line[len] != ' '))
			continue;
		line[strcspn(line, "\n")] = '\0';
		p = line + len + strspn(line + len, ": \t");
		snprintf(value, size, "%s", p);
		found = true;
	}
	fclose(f);
	return found;
}

bool
proc_descriptors(pid_t pid, bool (*each)(int, const char *, void *), void *arg)
{
	char path[64], name[PATH_MAX], target[PATH_MAX];
	const struct dirent *entry;
	bool more = true;
	ssize_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%ld/fd", (long)pid);
	dir = opendir(path);
	if (dir == NULL)
		return false;
	while (more && (entry = readdir(dir)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		n = readlink(name, target, sizeof(target) - 1);
		if (n < 0)
			continue;	/* closed meanwhile */
		target[n] = '\0';
		more = each((int)strtol(entry->d_name, NULL, 10), target, arg);
	}
	closedir(dir);
	return true;
}
