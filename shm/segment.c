/*
 * segment.c: making, attaching and verifying the segment.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bytes.h"
#include "shm/layout.h"
#include "shm/segment.h"

#define SEATS_MAX 1024u
#define HOLDS_MAX (UINT32_C(1) << 23)	/* of all seats: an op's hold index */
#define RING_MAX (UINT32_C(1) << 20)
#define KEYS_MAX (UINT32_C(1) << 26)

static bool
power_of_two(uint32_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

static bool
sizes_sane(const struct shm_sizes *s)
{
	return s->seats >= 2 && s->seats <= SEATS_MAX &&
	    s->holds_per_seat >= 1 &&
	    (uint64_t)s->seats * s->holds_per_seat <= HOLDS_MAX &&
	    power_of_two(s->ring_records) && s->ring_records <= RING_MAX &&
	    s->ring_records > s->holds_per_seat &&
	    s->accounts >= 1 && s->accounts <= KEYS_MAX &&
	    s->keys >= 1 && s->keys <= KEYS_MAX &&
	    s->channels >= 1 && s->channels <= 65536 &&
	    s->catalogue_bytes >= sizeof(struct shm_bank) &&
	    s->catalogue_bytes % SHM_LINE == 0;
}

static uint64_t
round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

/* Computes where everything stands; returns the total. */
static uint64_t
place_parts(struct shm *shm, const struct shm_sizes *s)
{
	uint64_t at;

	shm->sizes = *s;
	shm->key_buckets = 64;
	while (shm->key_buckets < 2 * (uint64_t)s->keys)
		shm->key_buckets *= 2;
	at = round_up(sizeof(struct shm_header), 4096);
	shm->seat_at = at;
	at = round_up(at + s->seats * sizeof(struct shm_seat), 4096);
	shm->account_at = at;
	at = round_up(at + s->accounts * sizeof(struct shm_account), 4096);
	shm->asked_at = at;
	at = round_up(at + ((uint64_t)s->accounts + 63) / 64 *
	    sizeof(uint64_t), 4096);
	shm->key_at = at;
	at = round_up(at + shm->key_buckets * sizeof(struct shm_key), 4096);
	shm->hold_at = at;
	at = round_up(at + (uint64_t)s->seats * s->holds_per_seat *
	    sizeof(struct shm_hold), 4096);
	shm->ring_at = at;
	at = round_up(at + (uint64_t)s->seats * s->ring_records * RECORD_BYTES,
	    4096);
	shm->answer_at = at;
	at = round_up(at + SHM_ANSWERS * sizeof(struct shm_answer), 4096);
	shm->bank_at = at;
	at = round_up(at + 2 * (uint64_t)s->catalogue_bytes, 4096);
	shm->channel_at = at;
	at = round_up(at + (uint64_t)s->channels * sizeof(struct shm_channel),
	    4096);
	shm->open_at = at;
	shm->open_stride = (uint32_t)round_up(s->channels,
	    SHM_LINE / sizeof(uint32_t));
	at = round_up(at + (uint64_t)s->seats * shm->open_stride *
	    sizeof(uint32_t), 4096);
	shm->key_limit_at = at;
	at = round_up(at + (uint64_t)shm->key_buckets *
	    sizeof(struct shm_limit), 4096);
	shm->account_limit_at = at;
	at = round_up(at + (uint64_t)s->accounts * sizeof(struct shm_limit),
	    4096);
	shm->group_limit_at = at;
	at = round_up(at + LIMIT_GROUPS * sizeof(struct shm_limit_group),
	    4096);
	shm->address_limit_at = at;
	at = round_up(at + LIMIT_ADDRESSES *
	    sizeof(struct shm_limit_address), 4096);
	shm->channel_limit_at = at;
	at = round_up(at + (uint64_t)s->channels * sizeof(struct shm_limit),
	    4096);
	shm->budget_at = at;
	at = round_up(at + (uint64_t)s->budgets * sizeof(struct shm_budget),
	    4096);
	shm->address_budget_at = at;
	return round_up(at + LIMIT_ADDRESSES * sizeof(struct shm_budget),
	    4096);
}

uint64_t
shm_total_bytes(const struct shm_sizes *sizes)
{
	struct shm probe;

	return place_parts(&probe, sizes);
}

/* FNV-1a over every size and offset that two builds have to agree on. */
static uint64_t
layout_digest(void)
{
	static const uint64_t part[] = {
		SHM_LAYOUT_VERSION, RECORD_BYTES, USAGE_SLOTS,
		sizeof(struct shm_header), offsetof(struct shm_header, stops),
		offsetof(struct shm_header, gauge),
		sizeof(struct shm_seat), offsetof(struct shm_seat, head),
		offsetof(struct shm_seat, tail),
		offsetof(struct shm_seat, counter),
		sizeof(struct shm_account),
		offsetof(struct shm_account, granted),
		offsetof(struct shm_account, status),
		offsetof(struct shm_account, wanted),
		sizeof(struct shm_key), offsetof(struct shm_key, state),
		sizeof(struct shm_intent),
		offsetof(struct shm_intent, position),
		sizeof(struct shm_hold), offsetof(struct shm_hold, done),
		offsetof(struct shm_hold, intent),
		offsetof(struct shm_hold, progress),
		offsetof(struct shm_hold, terms),
		offsetof(struct shm_hold, draft),
		sizeof(struct hold_progress), sizeof(struct hold_terms),
		sizeof(struct usage), sizeof(struct price),
		sizeof(struct shm_answer), SHM_ANSWERS,
		offsetof(struct shm_answer, made_us),
		sizeof(struct catalogue_model), sizeof(struct catalogue_group),
		sizeof(struct catalogue_channel),
		sizeof(struct catalogue_route),
		sizeof(struct catalogue_credential),
		sizeof(struct catalogue_grant),
		sizeof(struct catalogue_override),
		sizeof(struct shm_channel),
		offsetof(struct shm_channel, window),
		offsetof(struct shm_channel, latency),
		offsetof(struct shm_channel, credential),
		sizeof(struct shm_limit), offsetof(struct shm_limit, open),
		offsetof(struct shm_limit, tokens), LIMIT_GROUPS,
		LIMIT_ADDRESSES, LIMIT_LEVELS,
		sizeof(struct shm_budget),
		offsetof(struct shm_budget, cap_nano),
		offsetof(struct shm_hold, spending_nano)
	};
	uint64_t digest = UINT64_C(0xcbf29ce484222325);
	size_t i;

	for (i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		digest ^= part[i];
		digest *= UINT64_C(0x100000001b3);
	}
	return digest;
}

/* A segment of another boot can only be a copy; its pids mean nothing. */
static void
read_boot_id(uint8_t boot_id_r[40])
{
	ssize_t n = -1;
	int fd;

	memset(boot_id_r, 0, 40);
	fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, boot_id_r, 36);
		(void)close(fd);
	}
	if (n != 36)
		memset(boot_id_r, 0, 40);
}

static void
discard(struct shm **shm)
{
	if (*shm != NULL) {
		if ((*shm)->base != NULL)
			(void)munmap((*shm)->base, (*shm)->bytes);
		if ((*shm)->fd >= 0)
			(void)close((*shm)->fd);
		free(*shm);
		*shm = NULL;
	}
}

static bool
map(struct shm *shm, bool readonly)
{
	void *base;

	base = mmap(NULL, shm->bytes,
	    readonly ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED, shm->fd,
	    0);
	if (base == MAP_FAILED)
		return false;
	shm->base = base;
	shm->readonly = readonly;
	/* A core dump has no business with other processes' state. */
	(void)madvise(base, shm->bytes, MADV_DONTDUMP);
	return true;
}

enum shm_result
shm_create(const char *name, const struct shm_sizes *sizes, struct shm **shm_r)
{
	struct shm_header *h;
	struct shm *shm;
	enum shm_result result = SHM_IO;
	int error;

	*shm_r = NULL;
	if (!sizes_sane(sizes))
		return SHM_SIZES;
	shm = calloc(1, sizeof(*shm));
	if (shm == NULL)
		return SHM_IO;
	shm->bytes = place_parts(shm, sizes);
	(void)shm_unlink(name);
	shm->fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (shm->fd < 0)
		goto out;
	/* All of it now: a full /dev/shm would otherwise be a SIGBUS in the
	 * middle of somebody's call. */
	error = posix_fallocate(shm->fd, 0, (off_t)shm->bytes);
	if (error != 0) {
		errno = error;
		result = error == ENOSPC || error == EFBIG ? SHM_SPACE : SHM_IO;
		goto out;
	}
	if (!map(shm, false))
		goto out;
	h = shm_header(shm);
	h->layout_version = SHM_LAYOUT_VERSION;
	h->header_bytes = sizeof(*h);
	h->layout_digest = layout_digest();
	h->total_bytes = shm->bytes;
	h->sizes = *sizes;
	read_boot_id(h->boot_id);
	do {
		bytes_random(&h->incarnation, sizeof(h->incarnation));
		h->incarnation &= INT64_MAX;	/* a bigint in the database */
	} while (h->incarnation == 0);
	shm->incarnation = h->incarnation;
	atomic_store_explicit(&h->stops, SHM_STOP_LOADING,
	    memory_order_relaxed);
	/* release: whoever sees the magic sees all of the above */
	atomic_store_explicit(&h->magic, SHM_MAGIC, memory_order_release);
	*shm_r = shm;
	return SHM_OK;
out:
	error = errno;
	if (shm->fd >= 0)
		(void)shm_unlink(name);
	discard(&shm);
	errno = error;
	return result;
}

static enum shm_result
check_header(const struct shm_header *h, uint64_t file_bytes)
{
	struct shm_sizes sizes;
	uint8_t boot_id[40];

	/* acquire: pairs with the store in shm_create() */
	if (atomic_load_explicit(&h->magic, memory_order_acquire) != SHM_MAGIC)
		return SHM_FOREIGN;
	read_boot_id(boot_id);
	sizes = h->sizes;
	if (h->layout_version != SHM_LAYOUT_VERSION ||
	    h->header_bytes != sizeof(*h) ||
	    h->layout_digest != layout_digest() ||
	    memcmp(h->boot_id, boot_id, sizeof(boot_id)) != 0 ||
	    !sizes_sane(&sizes) || h->total_bytes != file_bytes ||
	    shm_total_bytes(&sizes) != file_bytes)
		return SHM_FOREIGN;
	return SHM_OK;
}

enum shm_result
shm_attach(const char *name, bool readonly, struct shm **shm_r)
{
	enum shm_result result = SHM_IO;
	struct shm_sizes sizes;
	struct stat st;
	struct shm *shm;

	*shm_r = NULL;
	shm = calloc(1, sizeof(*shm));
	if (shm == NULL)
		return SHM_IO;
	shm->fd = shm_open(name, readonly ? O_RDONLY : O_RDWR, 0);
	if (shm->fd < 0) {
		result = errno == ENOENT ? SHM_ABSENT : SHM_IO;
		goto out;
	}
	if (fstat(shm->fd, &st) != 0)
		goto out;
	if ((st.st_mode & 022) != 0 || (st.st_uid != 0 && geteuid() != 0 &&
	    st.st_uid != geteuid())) {
		result = SHM_OWNER;
		goto out;
	}
	if ((uint64_t)st.st_size < sizeof(struct shm_header)) {
		result = SHM_FOREIGN;
		goto out;
	}
	shm->bytes = (uint64_t)st.st_size;
	if (!map(shm, readonly))
		goto out;
	result = check_header(shm_header(shm), shm->bytes);
	if (result != SHM_OK)
		goto out;
	sizes = shm_header(shm)->sizes;
	if (!sizes_sane(&sizes) || place_parts(shm, &sizes) != shm->bytes) {
		result = SHM_FOREIGN;
		goto out;
	}
	shm->incarnation = shm_header(shm)->incarnation;
	*shm_r = shm;
	return SHM_OK;
out:
	discard(&shm);
	return result;
}

void
shm_close(struct shm **shm)
{
	discard(shm);
}

bool
shm_chown(struct shm *shm, unsigned uid, unsigned gid)
{
	return fchown(shm->fd, uid, gid) == 0;
}

unsigned
shm_owner(const struct shm *shm)
{
	struct stat st;

	return fstat(shm->fd, &st) == 0 ? st.st_uid : (unsigned)-1;
}

void
shm_remove(const char *name)
{
	(void)shm_unlink(name);
}

const char *
shm_explain(enum shm_result result)
{
	switch (result) {
	case SHM_OK:
		return "in order";
	case SHM_ABSENT:
		return "no such segment";
	case SHM_FOREIGN:
		return "not a segment of this version of youyun";
	case SHM_SIZES:
		return "impossible or other sizes";
	case SHM_OWNER:
		return "it belongs to another user, or others may write it";
	case SHM_SPACE:
		return "not enough room in /dev/shm";
	case SHM_IO:
		return "system error";
	}
	return "unknown";
}

const struct shm_sizes *
shm_sizes(const struct shm *shm)
{
	return &shm->sizes;
}

bool
shm_sizes_equal(const struct shm_sizes *a, const struct shm_sizes *b)
{
	return a->seats == b->seats &&
	    a->holds_per_seat == b->holds_per_seat &&
	    a->ring_records == b->ring_records &&
	    a->accounts == b->accounts && a->keys == b->keys &&
	    a->channels == b->channels &&
	    a->catalogue_bytes == b->catalogue_bytes;
}

uint64_t
shm_incarnation(const struct shm *shm)
{
	return shm->incarnation;
}

uint32_t
shm_stops(const struct shm *shm)
{
	/* acquire: with "loaded" comes all that was loaded */
	return atomic_load_explicit(&shm_header(shm)->stops,
	    memory_order_acquire);
}

void
shm_stop(struct shm *shm, uint32_t bits)
{
	atomic_fetch_or_explicit(&shm_header(shm)->stops, bits,
	    memory_order_release);
}

void
shm_go(struct shm *shm, uint32_t bits)
{
	/* release: what was loaded is visible before calls are let in */
	atomic_fetch_and_explicit(&shm_header(shm)->stops, ~bits,
	    memory_order_release);
}

uint64_t
shm_share(const struct shm *shm, uint64_t limit)
{
	/* 0: nobody else is known. */
	uint64_t nodes = shm_gauge(shm, SHM_GAUGE_NODES_UP);

	if (nodes <= 1 || limit == 0)
		return limit;
	return nodes < limit ? limit / nodes : 1;
}

uint64_t
shm_gauge(const struct shm *shm, enum shm_gauge g)
{
	assert(g < SHM_GAUGES);
	return atomic_load_explicit(&shm_header(shm)->gauge[g],
	    memory_order_relaxed);
}

void
shm_gauge_set(struct shm *shm, enum shm_gauge g, uint64_t value)
{
	assert(g < SHM_GAUGES);
	atomic_store_explicit(&shm_header(shm)->gauge[g], value,
	    memory_order_relaxed);
}
