/*
 * The memory of processes, by /proc/PID/mem.  Pages that were never touched
 * are told by pagemap and left out; what several processes share is read
 * once.
 * Kernels since 6.7 name the others at once (PAGEMAP_SCAN), which a program
 * with a sanitizer's terabytes of reserved addresses needs.
 */
#include "admin/attest_process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "admin/attest_proc.h"

#define CHUNK_BYTES (UINT64_C(1) << 20)
#define SHARED_MAX 1024
#define RUNS_MAX 512
/* Without PAGEMAP_SCAN more takes too long. */
#define LOOKED_THROUGH_MAX (UINT64_C(64) << 30)
#define PAGE_PRESENT (UINT64_C(1) << 63)
#define PAGE_SWAPPED (UINT64_C(1) << 62)

/* As in linux/fs.h, which is too old in places. */
struct page_run {
	uint64_t start, end, categories;
};
struct page_scan {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages,
	    category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define PAGE_SCAN _IOWR('f', 16, struct page_scan)
#define PAGE_SCAN_THERE ((UINT64_C(1) << 3) | (UINT64_C(1) << 4))

struct region {
	uint64_t start, end;
	char perms[8];
	unsigned major, minor;
	uint64_t inode;
	char name[SCAN_WHERE_BYTES];
};

/* What was read already, of shared memory. */
struct shared {
	size_t n;
	struct { unsigned major, minor; uint64_t inode, start; } at[SHARED_MAX];
};

struct reading {
	struct scan *scan;
	int mem, pagemap;
	uint64_t page_bytes;
	uint64_t *pages;	/* of one chunk */
	char *buffer;
	bool failed;
};

static bool
parse_region(const char *line, struct region *r)
{
	int at = 0;

	r->name[0] = '\0';
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %*x %x:%x %" SCNu64 " %n",
	    &r->start, &r->end, r->perms, &r->major, &r->minor, &r->inode,
	    &at) < 6)
		return false;
	snprintf(r->name, sizeof(r->name), "%.*s",
	    (int)strcspn(line + at, "\n"), line + at);
	return true;
}

/* Anonymous shared memory has an inode, too. */
static bool
seen(struct shared *shared, const struct region *r)
{
	if (r->perms[3] != 's' || r->inode == 0)
		return false;
	for (size_t i = 0; i < shared->n; i++)
		if (shared->at[i].inode == r->inode &&
		    shared->at[i].major == r->major &&
		    shared->at[i].minor == r->minor &&
		    shared->at[i].start == r->start)
			return true;
	if (shared->n < SHARED_MAX) {
		shared->at[shared->n].inode = r->inode;
		shared->at[shared->n].major = r->major;
		shared->at[shared->n].minor = r->minor;
		shared->at[shared->n++].start = r->start;
	}
	return false;
}

static void
read_range(struct reading *r, uint64_t from, uint64_t to)
{
	ssize_t n;

	while (from < to) {
		n = pread(r->mem, r->buffer, to - from < CHUNK_BYTES ?
		    to - from : CHUNK_BYTES, (off_t)from);
		if (n > 0) {
			scan_feed(r->scan, r->buffer, (size_t)n);
			from += (uint64_t)n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		/* A page that went away, or a device's. */
		scan_gap(r->scan);
		if (n == 0 || errno != EIO) {
			r->failed = true;
			return;
		}
		from += r->page_bytes;
	}
}

static bool
is_there(const struct reading *r, uint64_t page, uint64_t known)
{
	return page >= known ||
	    (r->pages[page] & (PAGE_PRESENT | PAGE_SWAPPED)) != 0;
}

/* The pages of one chunk that exist.  Shared ones exist without being in this
 * process's table, so all of them are read. */
static void
read_chunk(struct reading *r, uint64_t from, uint64_t to, bool all)
{
	uint64_t n = (to - from) / r->page_bytes, known = 0, page, run;
	ssize_t got;

	if (!all && r->pagemap >= 0) {
		got = pread(r->pagemap, r->pages, n * sizeof(r->pages[0]),
		    (off_t)(from / r->page_bytes * sizeof(r->pages[0])));
		known = got > 0 ? (uint64_t)got / sizeof(r->pages[0]) : 0;
	}
	for (page = 0; page < n; page = run) {
		run = page + 1;
		if (!is_there(r, page, known)) {
			scan_gap(r->scan);
			continue;
		}
		while (run < n && is_there(r, run, known))
			run++;
		read_range(r, from + page * r->page_bytes,
		    from + run * r->page_bytes);
	}
}

/* A shared area by its own name, where holes are known; false: read it as
 * memory. */
static bool
read_shared(struct reading *r, pid_t pid, const struct region *region)
{
	char path[96];
	bool ok;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/map_files/%" PRIx64 "-%" PRIx64,
	    (long)pid, region->start, region->end);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ok = scan_descriptor(r->scan, fd);
	close(fd);
	return ok;
}

/* The pages that exist, as the kernel names them; false: it can't. */
static bool
read_named(struct reading *r, const struct region *region)
{
	struct page_run run[RUNS_MAX];
	struct page_scan ask = { .size = sizeof(ask), .start = region->start,
		.end = region->end, .vec = (uint64_t)(uintptr_t)run,
		.vec_len = RUNS_MAX, .category_anyof_mask = PAGE_SCAN_THERE,
		.return_mask = PAGE_SCAN_THERE };
	uint64_t before = region->start;
	int n;

	while (ask.start < region->end) {
		n = ioctl(r->pagemap, PAGE_SCAN, &ask);
		if (n < 0)
			return false;
		for (int i = 0; i < n && !r->failed; i++) {
			if (run[i].start != before)
				scan_gap(r->scan);
			read_range(r, run[i].start, run[i].end);
			before = run[i].end;
		}
		if (r->failed || ask.walk_end <= ask.start ||
		    (r->scan->stopped != NULL && r->scan->stopped()))
			return true;
		ask.start = ask.walk_end;
	}
	return true;
}

static bool
is_device(const struct region *r)
{
	return strncmp(r->name, "[vvar", 5) == 0 ||
	    strcmp(r->name, "[vsyscall]") == 0 || r->perms[0] != 'r';
}

static void
read_region(struct reading *r, pid_t pid, const struct region *region)
{
	bool shared = region->perms[3] == 's';
	uint64_t from, to;

	scan_gap(r->scan);
	if (shared && region->inode != 0 && read_shared(r, pid, region))
		return;
	if (!shared && r->pagemap >= 0 && read_named(r, region))
		return;
	if (region->end - region->start > LOOKED_THROUGH_MAX) {
		scan_unread(r->scan, "more addresses than can be gone "
		    "through");
		return;
	}
	for (from = region->start; from < region->end && !r->failed;
	    from = to) {
		to = from + CHUNK_BYTES;
		if (to > region->end)
			to = region->end;
		read_chunk(r, from, to, shared);
		if (r->scan->stopped != NULL && r->scan->stopped())
			return;
	}
}

/* Where in the process something was found: the region is named. */
static void
name_region(struct scan *scan, const char *title, pid_t pid,
    const struct region *r)
{
	snprintf(scan->where, sizeof(scan->where), "%s %ld, %.100s", title,
	    (long)pid, r->name[0] != '\0' ? r->name : "anonymous memory");
}

static void
read_regions(struct reading *r, FILE *maps, const struct process *p,
    struct shared *shared, const char *segment)
{
	char line[1024];
	struct region region;

	while (fgets(line, sizeof(line), maps) != NULL) {
		if (!parse_region(line, &region) || is_device(&region) ||
		    seen(shared, &region))
			continue;
		if (segment != NULL && strncmp(region.name, "/dev/shm", 8) ==
		    0 && strncmp(region.name + 8, segment, strlen(segment)) ==
		    0)
			continue;
		name_region(r->scan, p->title, p->pid, &region);
		read_region(r, p->pid, &region);
	}
}

static int
open_of(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* One that has ended has none, and need not be read. */
static bool
has_memory(pid_t pid)
{
	char value[64];

	return proc_line(pid, "status", "VmRSS", value, sizeof(value));
}

static void
scan_one(struct scan *scan, const struct process *p, struct shared *shared,
    const char *segment)
{
	struct reading r = { .scan = scan, .mem = open_of(p->pid, "mem"),
		.pagemap = open_of(p->pid, "pagemap"),
		.page_bytes = (uint64_t)sysconf(_SC_PAGESIZE) };
	int maps_fd = open_of(p->pid, "maps");
	FILE *maps = maps_fd >= 0 ? fdopen(maps_fd, "r") : NULL;

	scan_target(scan, p->kind, "%s %ld", p->title, (long)p->pid);
	r.pages = malloc(CHUNK_BYTES / r.page_bytes * sizeof(r.pages[0]));
	r.buffer = malloc(CHUNK_BYTES);
	if (r.mem >= 0 && maps != NULL && r.pages != NULL && r.buffer != NULL)
		read_regions(&r, maps, p, shared, segment);
	else
		r.failed = true;
	if (r.failed && has_memory(p->pid))
		scan_unread(scan, "its memory can't be read");
	free(r.pages);
	free(r.buffer);
	if (maps != NULL)
		fclose(maps);
	else if (maps_fd >= 0)
		close(maps_fd);
	if (r.mem >= 0)
		close(r.mem);
	if (r.pagemap >= 0)
		close(r.pagemap);
}

void
processes_scan(struct scan *scan, const struct processes *ps,
    const char *segment)
{
	struct shared *shared = calloc(1, sizeof(*shared));

	for (size_t i = 0; shared != NULL && i < ps->n; i++)
		scan_one(scan, &ps->at[i], shared, segment);
	free(shared);
}

void
process_scan(struct scan *scan, enum scan_area area, pid_t pid,
    const char *title)
{
	struct processes *ps = calloc(1, sizeof(*ps));

	if (ps == NULL)
		return;
	ps->n = 1;
	ps->at[0].pid = pid;
	ps->at[0].kind = area;
	snprintf(ps->at[0].title, sizeof(ps->at[0].title), "%s", title);
	processes_scan(scan, ps, NULL);
	free(ps);
}
