#include "tests/unit/journal_rig.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "flusher/frame.h"
#include "flusher/journal.h"
#include "flusher/journal_read.h"
#include "tests/unit/disk_model.h"

#define DIR "/j"
#define SEATS 3
#define LIVES 16		/* of the segment */
#define SEQ_MAX 2048
#define RING 24
#define FILE_FRAMES 10

static struct {
	const struct file_ops *ops;
	uint64_t seed;
	struct journal *journal;
	unsigned life;
	/* By life of the segment and seat. */
	uint64_t head[LIVES][SEATS];	/* published */
	uint64_t promised[LIVES][SEATS]; /* released: said to be durable */
	uint64_t read[SEATS];		/* given to the journal */
	/* By number: which record stands there, once it is certain; 0: it is
	 * not.  See name_of(). */
	uint64_t record[SEQ_MAX];
	uint64_t durable, applied;
	struct rig_tally tally;
	char why[300];
} rig;

/* Never 0, and different for every record ever published. */
static uint64_t
name_of(unsigned life, uint32_t seat, uint64_t position)
{
	return (uint64_t)(life + 1) << 32 | (uint64_t)seat << 24 | position;
}

static uint64_t
choose(uint64_t n)
{
	return random_next(&rig.seed) % n;
}

static const char *
wrong(const char *what, uint64_t a, uint64_t b)
{
	snprintf(rig.why, sizeof(rig.why), "%s: %" PRIx64 " %" PRIx64, what,
	    a, b);
	return rig.why;
}

void
rig_reset(const struct file_ops *ops, uint64_t seed)
{
	rig_end();
	disk_reset();
	memset(&rig, 0, sizeof(rig));
	rig.ops = ops;
	rig.seed = seed;
}

void
rig_end(void)
{
	journal_close(&rig.journal);
}

bool
rig_start(void)
{
	struct journal_config config = { .dir = DIR, .seats = SEATS,
		.segment_bytes = header_size(SEATS) + FILE_FRAMES *
		FRAME_BYTES, .budget_bytes = UINT64_C(1) << 30,
		.incarnation = 100 + rig.life, .node = 1, .ops = rig.ops };
	char why[JOURNAL_WHY_BYTES];
	enum journal_result result;
	uint32_t seat;

	rig_end();
	rig.tally.starts++;
	if (journal_open(&config, &rig.journal, why) != JOURNAL_OK) {
		snprintf(rig.why, sizeof(rig.why), "refused: %.200s", why);
		return false;
	}
	do
		result = journal_begin(rig.journal);
	while (result == JOURNAL_FULL);
	if (result != JOURNAL_OK) {
		snprintf(rig.why, sizeof(rig.why), "could not begin");
		return false;
	}
	for (seat = 0; seat < SEATS; seat++)
		rig.read[seat] = journal_position(rig.journal, seat,
		    rig.promised[rig.life][seat]);
	return true;
}

void
rig_power_cut(uint64_t *seed)
{
	/* What it still has open it can't write any more. */
	rig_end();
	disk_power_cut(seed);
	rig.life++;
	assert(rig.life < LIVES);
	memset(rig.read, 0, sizeof(rig.read));
}

static void
publish(void)
{
	uint64_t n = choose(9), *head;
	uint32_t seat;

	for (; n != 0; n--) {
		seat = (uint32_t)choose(SEATS);
		head = &rig.head[rig.life][seat];
		if (*head - rig.promised[rig.life][seat] < RING)
			(*head)++;
	}
}

static void
read_rings(void)
{
	struct call_record r;
	uint32_t seat;

	memset(&r, 0, sizeof(r));
	for (seat = 0; seat < SEATS; seat++)
		while (rig.read[seat] < rig.head[rig.life][seat] &&
		    journal_room(rig.journal) != 0) {
			r.answer_bytes = name_of(rig.life, seat,
			    rig.read[seat]);
			journal_append(rig.journal, seat, rig.read[seat], &r,
			    1);
			rig.read[seat]++;
		}
}

/* What the journal says is durable is released, as the flusher does. */
static void
take_promises(void)
{
	uint32_t seat;

	rig.durable = journal_durable_seq(rig.journal);
	for (seat = 0; seat < SEATS; seat++)
		rig.promised[rig.life][seat] = journal_position(rig.journal,
		    seat, rig.promised[rig.life][seat]);
}

/* False: over for good. */
static bool
flush(bool sync)
{
	enum journal_result result;

	read_rings();
	result = sync ? journal_commit(rig.journal) :
	    journal_write(rig.journal);
	take_promises();
	return result == JOURNAL_OK || result == JOURNAL_FULL;
}

/* Reads on what is there; a read error is as good as nothing new. */
static const char *
apply(uint64_t last)
{
	struct journal_reader *reader = journal_reader_open(DIR, rig.ops);
	struct journal_frame frame[4];
	const char *why = NULL;
	uint32_t n, i;

	while (rig.applied < last && why == NULL) {
		n = journal_read(reader, rig.applied + 1, last, frame, 4);
		if (n == 0)
			break;
		for (i = 0; i < n && why == NULL; i++) {
			uint64_t *known = &rig.record[frame[i].seq];

			assert(frame[i].seq < SEQ_MAX);
			if (*known != 0 &&
			    *known != frame[i].record.answer_bytes)
				why = wrong("a number's record changed",
				    frame[i].seq, *known);
			*known = frame[i].record.answer_bytes;
			rig.applied = frame[i].seq;
		}
	}
	journal_reader_close(&reader);
	return why;
}

static bool
turn(void)
{
	publish();
	if (!flush(choose(4) != 0))
		return false;
	if (choose(3) == 0 && apply(rig.durable) != NULL)
		return false;
	journal_tend(rig.journal, rig.applied);
	return true;
}

bool
rig_work(unsigned turns)
{
	unsigned i;

	for (i = 0; i < turns; i++)
		if (!turn() || (i % 8 == 7 && !rig_start()))
			return false;
	return true;
}

bool
rig_drain(void)
{
	uint32_t seat;
	int tries = 0;

	for (seat = 0; seat < SEATS; seat++)
		while (rig.promised[rig.life][seat] <
		    rig.head[rig.life][seat])
			if (!flush(true) || ++tries > 1000)
				return false;
	return true;
}

static void
count_file(const char *name, void *arg)
{
	uint64_t first;

	(void)arg;
	if (!journal_name_parse(name, &first))
		return;
	if (first > rig.tally.files)
		rig.tally.files = (unsigned)first;
}

struct rig_tally
rig_tally(void)
{
	rig.tally.records = (unsigned)rig.durable;
	rig.tally.files = 0;
	rig.tally.deleted = (unsigned)journal_first_seq(rig.journal);
	(void)rig.ops->list(DIR, count_file, NULL);
	return rig.tally;
}

/* Learns what stands behind what was applied. */
static const char *
read_all(void)
{
	uint64_t applied = rig.applied, first, durable;
	const char *why;

	durable = journal_durable_seq(rig.journal);
	first = journal_first_seq(rig.journal);
	if (durable < rig.durable)
		return wrong("promised records are missing", rig.durable,
		    durable);
	if (durable < applied || first > applied + 1)
		return wrong("the journal and the database don't meet",
		    first, applied);
	/* From the first file on, also what was applied already. */
	rig.applied = first - 1;
	why = apply(durable);
	if (why == NULL && rig.applied != durable)
		why = wrong("a record can't be read", rig.applied + 1,
		    durable);
	rig.applied = applied;
	rig.durable = durable;
	/* What wasn't promised and isn't there never was. */
	for (uint64_t seq = durable + 1; seq < SEQ_MAX; seq++)
		if (rig.record[seq] != 0)
			return wrong("an applied record is gone", seq,
			    durable);
	return why;
}

/* Each seat's records must be there once each and in order, in each life. */
const char *
rig_verify(bool drained)
{
	uint64_t next[LIVES][SEATS], name, seq;
	const char *why = read_all();
	unsigned life;
	uint32_t seat;

	memset(next, 0, sizeof(next));
	for (seq = 1; why == NULL && seq <= rig.durable; seq++) {
		name = rig.record[seq];
		life = (unsigned)(name >> 32) - 1;
		seat = (uint32_t)(name >> 24 & 0xff);
		if (name == 0 || life > rig.life || seat >= SEATS)
			return wrong("an invented record", seq, name);
		if ((name & 0xffffff) != next[life][seat]++)
			return wrong("a record is missing or twice", seq,
			    name);
		if (next[life][seat] > rig.head[life][seat])
			return wrong("a record nobody wrote", seq, name);
	}
	for (life = 0; why == NULL && life <= rig.life; life++)
		for (seat = 0; seat < SEATS; seat++) {
			if (next[life][seat] < rig.promised[life][seat])
				return wrong("a promised record is missing",
				    name_of(life, seat, next[life][seat]), 0);
			if (life == rig.life && drained &&
			    next[life][seat] != rig.head[life][seat])
				return wrong("a published record is missing",
				    name_of(life, seat, next[life][seat]), 0);
		}
	return why;
}
