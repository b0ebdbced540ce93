#include "flusher/journal.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "flusher/journal_internal.h"

enum journal_result
journal_open(const struct journal_config *config, struct journal **journal_r,
    char why_r[JOURNAL_WHY_BYTES])
{
	struct journal *j = calloc(1, sizeof(*j));
	enum journal_result result;

	assert(config->seats <= JOURNAL_SEATS_MAX);
	*journal_r = NULL;
	if (j == NULL)
		return JOURNAL_IO;
	j->config = *config;
	j->fd = -1;
	j->position = calloc(config->seats + 1U, sizeof(*j->position));
	if (j->position == NULL) {
		journal_close(&j);
		return JOURNAL_IO;
	}
	result = journal_recover(j, why_r);
	if (result != JOURNAL_OK) {
		journal_close(&j);
		return result;
	}
	if (j->id == 0)
		bytes_random(&j->id, sizeof(j->id));
	j->id &= INT64_MAX;	/* a bigint in the database */
	*journal_r = j;
	return JOURNAL_OK;
}

void
journal_close(struct journal **journal)
{
	struct journal *j = *journal;

	if (j == NULL)
		return;
	if (j->fd >= 0)
		(void)j->config.ops->close(j->fd);
	free(j->position);
	free(j->batch);
	free(j->file);
	free(j);
	*journal = NULL;
}

static bool
is_at_budget(const struct journal *j)
{
	return journal_disk_bytes(j) + j->config.segment_bytes >
	    j->config.budget_bytes;
}

enum journal_result
journal_begin(struct journal *j)
{
	enum journal_result result;

	if (j->failed)
		return JOURNAL_FAILED;
	if (j->fd >= 0)
		return JOURNAL_OK;
	result = journal_spare_make(j);
	if (result == JOURNAL_OK)
		/* Fits: recovery has seen to that. */
		result = journal_spare_use(j, j->durable_seq + 1, j->batch,
		    j->batched);
	j->over_budget = result == JOURNAL_FULL || is_at_budget(j);
	if (result != JOURNAL_OK)
		return result;
	j->durable_seq += j->batched;
	j->batched = 0;
	return JOURNAL_OK;
}

uint64_t
journal_id(const struct journal *j)
{
	return j->id;
}

uint64_t
journal_first_seq(const struct journal *j)
{
	return j->files == 0 ? j->next_seq : j->file[0].first_seq;
}

uint64_t
journal_durable_seq(const struct journal *j)
{
	return j->durable_seq;
}

uint64_t
journal_last_seq(const struct journal *j)
{
	return j->next_seq - 1;
}

uint64_t
journal_foreign_seq(const struct journal *j)
{
	return j->foreign_seq;
}

uint64_t
journal_position(const struct journal *j, uint32_t seat, uint64_t tail)
{
	assert(seat < j->config.seats);
	return j->position[seat] > tail ? j->position[seat] : tail;
}

uint32_t
journal_room(const struct journal *j)
{
	return j->failed || j->fd < 0 || j->batched >= j->batch_max ? 0 :
	    j->batch_max - j->batched;
}

uint32_t
journal_pending(const struct journal *j)
{
	return j->batched - j->synced;
}

void
journal_append(struct journal *j, uint32_t seat, uint64_t position,
    const struct call_record *records, uint32_t n)
{
	struct journal_frame *f;
	uint32_t i;

	assert(n <= journal_room(j) && seat < j->config.seats);
	for (i = 0; i < n; i++) {
		f = &j->batch[j->batched++];
		memset(f, 0, offsetof(struct journal_frame, record));
		f->length = FRAME_BYTES;
		f->type = FRAME_RECORD;
		f->seq = j->next_seq++;
		f->durable = j->durable_seq;
		f->incarnation = j->config.incarnation;
		f->position = position + i;
		f->seat = seat;
		f->record = records[i];
		frame_seal(f);
	}
}

static enum journal_result
fail(struct journal *j, const char *what)
{
	log_error("could not %s the journal, which stops new calls until the "
	    "service is started again: dir=%s why=%s", what, j->config.dir,
	    strerror(errno));
	j->failed = true;
	return JOURNAL_FAILED;
}

/* The active file is full and durable. */
static enum journal_result
next_file(struct journal *j, uint64_t first_seq)
{
	enum journal_result result = journal_spare_make(j);

	if (result == JOURNAL_OK)
		result = journal_spare_use(j, first_seq, NULL, 0);
	/* There was no time to make it ahead; is there room for one more? */
	if (result == JOURNAL_FULL || (result == JOURNAL_OK &&
	    is_at_budget(j)))
		j->over_budget = true;
	return result;
}

/* Writes a run of frames into the active file, as many as fit. */
static enum journal_result
write_some(struct journal *j)
{
	const struct journal_frame *from = &j->batch[j->written];
	uint64_t used = from->seq - j->active_first;
	uint64_t fit = j->active_frames - used;
	uint32_t n = j->batched - j->written;

	if (n > fit)
		n = (uint32_t)fit;
	if (n != 0 && !file_write_all(j->config.ops, j->fd, from,
	    n * FRAME_BYTES, (off_t)(header_size(j->config.seats) +
	    used * FRAME_BYTES)))
		return fail(j, "write");
	j->written += n;
	return JOURNAL_OK;
}

/* What was written becomes durable; only with that do positions move on. */
static enum journal_result
make_durable(struct journal *j)
{
	const struct journal_frame *f;

	if (j->synced == j->written)
		return JOURNAL_OK;
	if (j->config.ops->datasync(j->fd) != 0)
		return fail(j, "sync");
	j->fsyncs++;
	while (j->synced < j->written) {
		f = &j->batch[j->synced++];
		j->position[f->seat] = f->position + 1;
		j->durable_seq = f->seq;
	}
	return JOURNAL_OK;
}

enum journal_result
journal_write(struct journal *j)
{
	enum journal_result result;

	if (j->failed)
		return JOURNAL_FAILED;
	while (j->written < j->batched) {
		result = write_some(j);
		if (result == JOURNAL_OK && j->written == j->batched)
			break;
		if (result == JOURNAL_OK)
			result = make_durable(j);
		if (result == JOURNAL_OK)
			result = next_file(j, j->batch[j->written].seq);
		if (result != JOURNAL_OK)
			return result;
	}
	return JOURNAL_OK;
}

enum journal_result
journal_commit(struct journal *j)
{
	enum journal_result result = journal_write(j);

	if (result == JOURNAL_OK)
		result = make_durable(j);
	if (result == JOURNAL_OK)
		j->batched = j->written = j->synced = 0;
	return result;
}

uint64_t
journal_disk_bytes(const struct journal *j)
{
	uint64_t sum = j->spare ? j->config.segment_bytes : 0;
	size_t i;

	for (i = 0; i < j->files; i++)
		sum += j->file[i].bytes;
	return sum;
}

/*
 * One file at a time is gone for certain before the next goes: would a power
 * cut bring an older one back without its successor, a gap were found.
 */
static bool
drop_file(struct journal *j, uint64_t first_seq)
{
	char path[JOURNAL_PATH_BYTES];

	if (!journal_path(j->config.dir, first_seq, path, sizeof(path)))
		return false;
	if (j->config.ops->unlink(path) != 0 && errno != ENOENT) {
		if (!j->unlink_said)
			log_warning("could not delete an applied journal "
			    "file: file=%s why=%s", path, strerror(errno));
		j->unlink_said = true;
		return false;
	}
	j->unlink_said = false;
	if (file_sync_dir(j->config.ops, j->config.dir))
		return true;
	(void)fail(j, "sync the directory of");
	return false;
}

static void
drop_applied(struct journal *j, uint64_t applied_seq)
{
	/* The last file stays: it holds the journal's identity and the
	 * rings' positions. */
	while (j->files > 1 && !j->failed &&
	    j->file[1].first_seq <= applied_seq + 1 &&
	    drop_file(j, j->file[0].first_seq)) {
		j->files--;
		memmove(j->file, j->file + 1, j->files * sizeof(*j->file));
	}
}

void
journal_tend(struct journal *j, uint64_t applied_seq)
{
	uint64_t used;

	drop_applied(j, applied_seq);
	if (j->fd < 0 || j->failed)
		return;
	used = j->next_seq - j->active_first;
	if (j->spare || (used < j->active_frames / 2 && !j->over_budget))
		return;
	if (is_at_budget(j)) {
		j->over_budget = true;
		return;
	}
	j->over_budget = journal_spare_make(j) != JOURNAL_OK;
}

bool
journal_over_budget(const struct journal *j)
{
	return j->over_budget;
}

uint64_t
journal_fsyncs(const struct journal *j)
{
	return j->fsyncs;
}
