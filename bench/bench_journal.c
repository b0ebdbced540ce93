/*
 * bench_journal.c: call records a second that the journal makes durable, by
 * how many go together into one commit, with files allocated ahead and with
 * files that grow.
 *
 *	bench_journal [-s seconds] [directory]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "flusher/frame.h"
#include "flusher/journal.h"

#define SEATS 2
#define SEGMENT (UINT64_C(64) << 20)
#define COMMITS_MAX 100000

static const uint32_t sizes[] = { 1, 8, 64, 512, 4096 };

struct outcome {
	uint64_t records, commits;
	double seconds;
	double middle_ms, worst_ms;	/* of 100 commits: the 50th, the 99th */
};

static int64_t took_ns[COMMITS_MAX];

/* Room is taken with each write instead. */
static int
allocate_nothing(int fd, off_t bytes)
{
	(void)fd;
	(void)bytes;
	return 0;
}

static int
by_length(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
give_up(const char *why)
{
	fprintf(stderr, "bench_journal: %s\n", why);
	exit(EXIT_FAILURE);
}

static void
commit_for(struct journal *journal, uint32_t size, double seconds,
    struct outcome *o)
{
	static struct call_record record[4096];
	int64_t begin = clock_mono().ns, from, now = begin;

	while ((double)(now - begin) < seconds * 1e9 &&
	    o->commits < COMMITS_MAX) {
		from = now;
		journal_append(journal, 1, o->records, record, size);
		if (journal_commit(journal) != JOURNAL_OK)
			give_up("the journal failed");
		/* All is applied: files go as they would. */
		journal_tend(journal, o->records);
		o->records += size;
		now = clock_mono().ns;
		took_ns[o->commits++] = now - from;
	}
	o->seconds = (double)(now - begin) / 1e9;
	qsort(took_ns, o->commits, sizeof(took_ns[0]), by_length);
	o->middle_ms = (double)took_ns[o->commits / 2] / 1e6;
	o->worst_ms = (double)took_ns[o->commits * 99 / 100] / 1e6;
}

static struct outcome
measure(const char *parent, const struct file_ops *ops, uint32_t size,
    double seconds)
{
	char dir[512], why[JOURNAL_WHY_BYTES], command[600];
	struct journal_config config = { .dir = dir, .seats = SEATS,
		.segment_bytes = SEGMENT, .budget_bytes = 8 * SEGMENT,
		.incarnation = 1, .node = 1, .ops = ops };
	struct outcome o = { .records = 0 };
	struct journal *journal;

	snprintf(dir, sizeof(dir), "%s/bench-journal-XXXXXX", parent);
	if (mkdtemp(dir) == NULL)
		give_up("no directory can be made there");
	if (journal_open(&config, &journal, why) != JOURNAL_OK ||
	    journal_begin(journal) != JOURNAL_OK)
		give_up("the journal can't be made there");
	commit_for(journal, size, seconds, &o);
	journal_close(&journal);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	if (system(command) != 0)
		give_up("the directory can't be removed");
	return o;
}

static void
print(const char *how, uint32_t size, const struct outcome *o)
{
	printf("%-12s %8" PRIu32 " %12.0f %10.0f %10.2f %10.2f\n", how, size,
	    (double)o->records / o->seconds, (double)o->commits / o->seconds,
	    o->middle_ms, o->worst_ms);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct file_ops appending = file_ops_real;
	const char *parent = ".";
	struct outcome o;
	double seconds = 1;
	size_t i;
	int c;

	while ((c = getopt(argc, argv, "s:")) != -1) {
		if (c != 's' || (seconds = strtod(optarg, NULL)) <= 0) {
			fprintf(stderr, "usage: bench_journal [-s seconds] "
			    "[directory]\n");
			return EXIT_FAILURE;
		}
	}
	if (optind < argc)
		parent = argv[optind];
	appending.allocate = allocate_nothing;
	printf("%-12s %8s %12s %10s %10s %10s\n", "files", "together",
	    "records/s", "commits/s", "median ms", "p99 ms");
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		o = measure(parent, &file_ops_real, sizes[i], seconds);
		print("allocated", sizes[i], &o);
		o = measure(parent, &appending, sizes[i], seconds);
		print("growing", sizes[i], &o);
	}
	return EXIT_SUCCESS;
}
