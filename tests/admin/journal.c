/*
 * journal DIR RECORDS: writes a journal, ten records a file, for the tests of
 * youyunctl.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flusher/frame.h"
#include "flusher/journal.h"

#define SEATS 2
#define FILE_FRAMES 10

int
main(int argc, char **argv)
{
	struct journal_config config = { .seats = SEATS,
		.segment_bytes = header_size(SEATS) + FILE_FRAMES *
		FRAME_BYTES, .budget_bytes = UINT64_C(1) << 30,
		.incarnation = 1, .node = 1, .ops = &file_ops_real };
	struct journal *journal;
	struct call_record r;
	char why[JOURNAL_WHY_BYTES];
	uint64_t n, records;

	if (argc != 3)
		return EXIT_FAILURE;
	config.dir = argv[1];
	records = strtoull(argv[2], NULL, 10);
	if (journal_open(&config, &journal, why) != JOURNAL_OK ||
	    journal_begin(journal) != JOURNAL_OK) {
		fprintf(stderr, "%s\n", why);
		return EXIT_FAILURE;
	}
	memset(&r, 0, sizeof(r));
	for (n = 0; n < records; n++) {
		r.answer_bytes = n + 1;
		journal_append(journal, 1, n, &r, 1);
		if (journal_commit(journal) != JOURNAL_OK)
			return EXIT_FAILURE;
	}
	journal_close(&journal);
	return EXIT_SUCCESS;
}
