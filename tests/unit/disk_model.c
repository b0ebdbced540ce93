#include "tests/unit/disk_model.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR 512
#define FILE_BYTES (16 * 1024)
#define INODES 256
#define NAMES 64
#define CHANGES 256
#define WRITES 512
#define FDS 16
#define NAME_BYTES 64
#define DIR_INODE (-2)

/* Not on the disk for certain: what a write changed. */
struct write {
	int inode;
	size_t from, to;
	uint8_t *after;		/* the bytes from..to then */
};

struct inode {
	uint8_t cache[FILE_BYTES], disk[FILE_BYTES];
	size_t cache_size, disk_size;
};

struct name {
	char name[NAME_BYTES];
	int inode;		/* -1: no such name */
};

/* A change of up to two names at once. */
struct change {
	struct name set[2];
	int n;
};

static struct inode inode[INODES];
static int inodes;
static struct name cached[NAMES], durable[NAMES];
static struct change change[CHANGES];
static int changes;
static struct write write_log[WRITES];
static int writes;
static int open_inode[FDS];	/* by descriptor; -1: free */
static unsigned ops, fault_at, fault_times;
static enum disk_fault planned;
static enum disk_op struck;
static bool dead;

uint64_t
random_next(uint64_t *seed)
{
	uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static struct name *
find(struct name *table, const char *path)
{
	const char *name = base_name(path);
	struct name *free_one = NULL;

	for (int i = 0; i < NAMES; i++) {
		if (table[i].inode >= 0 && strcmp(table[i].name, name) == 0)
			return &table[i];
		if (table[i].inode < 0 && free_one == NULL)
			free_one = &table[i];
	}
	assert(free_one != NULL);
	snprintf(free_one->name, NAME_BYTES, "%s", name);
	return free_one;
}

static void
set_name(struct name *table, const struct name *n)
{
	find(table, n->name)->inode = n->inode;
}

static void
change_names(const struct change *c)
{
	assert(changes < CHANGES);
	for (int i = 0; i < c->n; i++)
		set_name(cached, &c->set[i]);
	change[changes++] = *c;
}

static struct name
named(const char *path, int at)
{
	struct name n = { .inode = at };

	snprintf(n.name, sizeof(n.name), "%s", base_name(path));
	return n;
}

/* Counts the operation; what is to become of it. */
static enum disk_fault
strike(enum disk_op op)
{
	unsigned now = ops++;

	if (dead)
		return DISK_CUT;
	if (now < fault_at || now >= fault_at + fault_times)
		return DISK_GOOD;
	struck = op;
	if (planned == DISK_CUT)
		dead = true;
	return planned;
}

/* For operations that do all or nothing. */
static bool
refused(enum disk_op op, bool takes_room)
{
	switch (strike(op)) {
	case DISK_GOOD:
	case DISK_SHORT:
	case DISK_INTERRUPTED:
		return false;
	case DISK_NO_SPACE:
		errno = ENOSPC;
		return takes_room;
	case DISK_ERROR:
	case DISK_HALF_ERROR:
	case DISK_CUT:
		break;
	}
	errno = EIO;
	return true;
}

static struct inode *
of(int fd)
{
	assert(fd >= 0 && fd < FDS && open_inode[fd] >= 0);
	return &inode[open_inode[fd]];
}

static int
new_inode(void)
{
	struct inode *i = &inode[inodes];

	assert(inodes < INODES);
	memset(i->cache, 0, FILE_BYTES);
	memset(i->disk, 0, FILE_BYTES);
	i->cache_size = i->disk_size = 0;
	return inodes++;
}

static int
disk_open(const char *path, int flags, mode_t mode)
{
	struct change c = { .n = 1 };
	int fd = 0, at;

	(void)mode;
	if (refused(DISK_OPEN, (flags & O_CREAT) != 0))
		return -1;
	while (fd < FDS && open_inode[fd] != -1)
		fd++;
	assert(fd < FDS);
	if ((flags & O_DIRECTORY) != 0) {
		open_inode[fd] = DIR_INODE;
		return fd;
	}
	at = find(cached, path)->inode;
	if (at < 0 && (flags & O_CREAT) == 0) {
		errno = ENOENT;
		return -1;
	}
	if (at < 0) {
		at = new_inode();
		c.set[0] = named(path, at);
		change_names(&c);
	} else if ((flags & O_TRUNC) != 0) {
		inode[at].cache_size = 0;
		memset(inode[at].cache, 0, FILE_BYTES);
	}
	open_inode[fd] = at;
	return fd;
}

static int
disk_close(int fd)
{
	assert(fd >= 0 && fd < FDS && open_inode[fd] != -1);
	open_inode[fd] = -1;
	return 0;
}

static ssize_t
disk_pread(int fd, void *p, size_t n, off_t offset)
{
	const struct inode *i = of(fd);
	size_t at = (size_t)offset;

	switch (strike(DISK_READ)) {
	case DISK_INTERRUPTED:
		errno = EINTR;
		return -1;
	case DISK_ERROR:
	case DISK_HALF_ERROR:
	case DISK_CUT:
		errno = EIO;
		return -1;
	case DISK_SHORT:
		n = n / 2 + 1;
		break;
	case DISK_GOOD:
	case DISK_NO_SPACE:
		break;
	}
	if (at >= i->cache_size)
		return 0;
	if (n > i->cache_size - at)
		n = i->cache_size - at;
	memcpy(p, i->cache + at, n);
	return (ssize_t)n;
}

static void
put(int at, const void *p, size_t n, size_t offset)
{
	struct inode *i = &inode[at];
	struct write *w = &write_log[writes++];

	assert(writes < WRITES && offset + n <= FILE_BYTES);
	memcpy(i->cache + offset, p, n);
	if (offset + n > i->cache_size)
		i->cache_size = offset + n;
	/* Whole sectors, as the cache has them now: so they are written. */
	w->inode = at;
	w->from = offset / SECTOR * SECTOR;
	w->to = (offset + n + SECTOR - 1) / SECTOR * SECTOR;
	w->after = malloc(w->to - w->from);
	assert(w->after != NULL);
	memcpy(w->after, i->cache + w->from, w->to - w->from);
}

static ssize_t
disk_pwrite(int fd, const void *p, size_t n, off_t offset)
{
	enum disk_fault fault = strike(DISK_WRITE);
	size_t half = n > 1 ? n / 2 : n;

	(void)of(fd);
	switch (fault) {
	case DISK_GOOD:
		put(open_inode[fd], p, n, (size_t)offset);
		return (ssize_t)n;
	case DISK_SHORT:
		put(open_inode[fd], p, half, (size_t)offset);
		return (ssize_t)half;
	case DISK_INTERRUPTED:
		errno = EINTR;
		return -1;
	case DISK_NO_SPACE:
		errno = ENOSPC;
		return -1;
	case DISK_HALF_ERROR:
		put(open_inode[fd], p, half, (size_t)offset);
		errno = EIO;
		return -1;
	case DISK_CUT:
		/* On its way when the power went; later ones never were. */
		if (ops - 1 == fault_at)
			put(open_inode[fd], p, n, (size_t)offset);
		errno = EIO;
		return -1;
	case DISK_ERROR:
		break;
	}
	errno = EIO;
	return -1;
}

static int
disk_allocate(int fd, off_t bytes)
{
	struct inode *i = of(fd);

	if (refused(DISK_ALLOCATE, true))
		return -1;
	assert((size_t)bytes <= FILE_BYTES);
	if ((size_t)bytes > i->cache_size)
		i->cache_size = (size_t)bytes;
	return 0;
}

/* on_disk: what was dirty was written; else it is lost but seems clean. */
static void
clean(int at, bool on_disk)
{
	int kept = 0;

	if (on_disk) {
		inode[at].disk_size = inode[at].cache_size;
		for (int i = 0; i < writes; i++)
			if (write_log[i].inode == at)
				memcpy(inode[at].disk + write_log[i].from,
				    write_log[i].after, write_log[i].to -
				    write_log[i].from);
	}
	for (int i = 0; i < writes; i++) {
		if (write_log[i].inode == at)
			free(write_log[i].after);
		else
			write_log[kept++] = write_log[i];
	}
	writes = kept;
}

static int
sync_file(int fd, enum disk_op op)
{
	assert(fd >= 0 && fd < FDS && open_inode[fd] != -1);
	if (refused(op, false)) {
		if (!dead && open_inode[fd] >= 0)
			clean(open_inode[fd], false);
		return -1;
	}
	if (open_inode[fd] != DIR_INODE) {
		clean(open_inode[fd], true);
		return 0;
	}
	for (int i = 0; i < changes; i++)
		for (int k = 0; k < change[i].n; k++)
			set_name(durable, &change[i].set[k]);
	changes = 0;
	return 0;
}

static int
disk_datasync(int fd)
{
	return sync_file(fd, DISK_DATASYNC);
}

static int
disk_sync(int fd)
{
	return sync_file(fd, DISK_SYNC);
}

static int
disk_rename(const char *from, const char *to)
{
	struct change c = { .n = 2 };
	int at;

	if (refused(DISK_RENAME, true))
		return -1;
	at = find(cached, from)->inode;
	if (at < 0) {
		errno = ENOENT;
		return -1;
	}
	c.set[0] = named(from, -1);
	c.set[1] = named(to, at);
	change_names(&c);
	return 0;
}

static int
disk_unlink(const char *path)
{
	struct change c = { .n = 1 };

	if (refused(DISK_UNLINK, false))
		return -1;
	if (find(cached, path)->inode < 0) {
		errno = ENOENT;
		return -1;
	}
	c.set[0] = named(path, -1);
	change_names(&c);
	return 0;
}

static int
disk_link(const char *from, const char *to)
{
	struct change c = { .n = 1 };
	int at;

	if (refused(DISK_LINK, true))
		return -1;
	at = find(cached, from)->inode;
	if (at < 0 || find(cached, to)->inode >= 0) {
		errno = at < 0 ? ENOENT : EEXIST;
		return -1;
	}
	c.set[0] = named(to, at);
	change_names(&c);
	return 0;
}

static off_t
disk_size(int fd)
{
	return refused(DISK_SIZE, false) ? -1 : (off_t)of(fd)->cache_size;
}

static int
disk_list(const char *dir, void (*each)(const char *name, void *arg),
    void *arg)
{
	(void)dir;
	if (refused(DISK_LIST, false))
		return -1;
	for (int i = 0; i < NAMES; i++)
		if (cached[i].inode >= 0)
			each(cached[i].name, arg);
	return 0;
}

const struct file_ops disk_ops = {
	.open = disk_open,
	.close = disk_close,
	.pread = disk_pread,
	.pwrite = disk_pwrite,
	.allocate = disk_allocate,
	.datasync = disk_datasync,
	.sync = disk_sync,
	.rename = disk_rename,
	.unlink = disk_unlink,
	.link = disk_link,
	.size = disk_size,
	.list = disk_list,
};

void
disk_reset(void)
{
	for (int i = 0; i < writes; i++)
		free(write_log[i].after);
	for (int i = 0; i < NAMES; i++)
		cached[i].inode = durable[i].inode = -1;
	for (int i = 0; i < FDS; i++)
		open_inode[i] = -1;
	inodes = writes = changes = 0;
	disk_plan(0, 0, DISK_GOOD);
}

unsigned
disk_count(void)
{
	return ops;
}

bool
disk_is_dead(void)
{
	return dead;
}

enum disk_op
disk_struck(void)
{
	return struck;
}

const char *
disk_op_name(enum disk_op op)
{
	static const char *const name[] = { "open", "read", "write",
		"allocate", "datasync", "sync", "rename", "unlink", "link",
		"size", "list" };

	return name[op];
}

const char *
disk_fault_name(enum disk_fault fault)
{
	static const char *const name[] = { "no fault", "EIO", "ENOSPC",
		"short", "EINTR", "half, then EIO", "power cut" };

	return name[fault];
}

void
disk_plan(unsigned at, unsigned times, enum disk_fault fault)
{
	ops = 0;
	dead = false;
	fault_at = at;
	fault_times = times;
	planned = fault;
}

/* Each dirty sector in one of its states: as on the disk, or as after one of
 * the writes since. */
static void
settle_sectors(uint64_t *seed)
{
	for (int at = 0; at < inodes; at++) {
		struct inode *n = &inode[at];

		/* All of it, none of it, or a medley. */
		uint64_t mood = random_next(seed) % 4;

		for (size_t s = 0; s < FILE_BYTES; s += SECTOR)
			for (int i = 0; i < writes; i++) {
				const struct write *w = &write_log[i];

				if (w->inode != at || s < w->from ||
				    s >= w->to || mood == 0 || (mood != 1 &&
				    random_next(seed) % 2 == 0))
					continue;
				memcpy(n->disk + s, w->after + (s - w->from),
				    SECTOR);
			}
		if (random_next(seed) % 2 == 0)
			n->disk_size = n->cache_size;
		memset(n->disk + n->disk_size, 0, FILE_BYTES - n->disk_size);
	}
}

void
disk_power_cut(uint64_t *seed)
{
	uint64_t mood = random_next(seed) % 4;

	settle_sectors(seed);
	for (int i = 0; i < changes; i++) {
		if (mood == 0 || (mood != 1 && random_next(seed) % 2 == 0))
			continue;
		for (int k = 0; k < change[i].n; k++)
			set_name(durable, &change[i].set[k]);
	}
	changes = 0;
	memcpy(cached, durable, sizeof(cached));
	for (int i = 0; i < inodes; i++) {
		clean(i, false);
		memcpy(inode[i].cache, inode[i].disk, FILE_BYTES);
		inode[i].cache_size = inode[i].disk_size;
	}
	for (int i = 0; i < FDS; i++)
		open_inode[i] = -1;
	disk_plan(0, 0, DISK_GOOD);
}
