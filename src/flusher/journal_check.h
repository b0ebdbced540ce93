/*
 * journal_check.h: what is wrong with a journal's files, and mending it.
 * Layer: flusher; youyunctl uses it while the service is stopped.
 * Written by: nobody; journal_repair() alone changes the disk.
 *
 * A repair keeps every record that is whole.  In the place of each that isn't
 * stands a frame that says so (FRAME_LOST), because numbers have no gaps.
 */
#ifndef FLUSHER_JOURNAL_CHECK_H
#define FLUSHER_JOURNAL_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "flusher/file.h"
#include "flusher/frame.h"
#include "flusher/journal.h"

enum journal_flaw_kind {
	FLAW_HEADER,		/* a file's header is damaged */
	FLAW_FRAMES,		/* records are damaged */
	FLAW_MISSING,		/* records have no bytes at all */
	FLAW_STRANGE		/* a file of another journal or node */
};

struct journal_flaw {
	enum journal_flaw_kind kind;
	uint64_t file;		/* its first number, as in its name */
	uint64_t offset;
	uint64_t first_seq;	/* what is lost, if anything: */
	uint64_t records;	/* so many from there on */
};

struct journal_found {
	uint64_t first_seq;	/* as in its name */
	uint64_t last_seq;	/* where it ends; below first_seq: empty */
	uint64_t bytes;
	uint32_t header_bytes;	/* 0: not even where frames begin is known */
	bool header_ok;
	bool strange;
	bool flawed;
	struct journal_header header; /* when header_ok */
};

struct journal_survey {
	struct journal_found *file;	/* sorted */
	uint32_t files;
	struct journal_flaw *flaw;	/* in the order of the files */
	uint32_t flaws, flaws_cap;
	uint64_t journal_id;
	uint32_t node;
	uint64_t first_seq, last_seq;	/* what a start has afterwards */
	uint64_t durable_seq;		/* proven */
	uint64_t whole;			/* records that can be read */
	uint64_t lost;			/* damaged or missing now */
	uint64_t lost_before;		/* marked so by an earlier repair */
	uint64_t torn;			/* whole, behind the end of what was
					 * promised: a start cuts them off */
};

/*
 * Reads all files.  JOURNAL_IO: why_r says why it couldn't be done.  In
 * JOURNAL_OK and JOURNAL_CORRUPT *survey_r is the caller's, to be freed; it is
 * CORRUPT exactly when there are flaws.
 */
enum journal_result journal_survey(const struct file_ops *ops,
	    const char *dir, struct journal_survey *survey_r,
	    char why_r[JOURNAL_WHY_BYTES]) __attribute__((warn_unused_result));
void	journal_survey_free(struct journal_survey *survey);

/* The survey so that numbers up to `seq` are used up: a flaw more, unless they
 * are.  False: that is too far away to be right, or no memory. */
bool	journal_survey_extend(struct journal_survey *survey, uint64_t seq)
	    __attribute__((warn_unused_result));

/*
 * Mends what the survey found.  The files as they were stay beside the new
 * ones, with ".damaged" at the end of their names, also when this is cut off
 * anywhere; then it may be done again.  The service must be stopped.
 */
enum journal_result journal_repair(const struct file_ops *ops,
	    const char *dir, const struct journal_survey *survey,
	    char why_r[JOURNAL_WHY_BYTES]) __attribute__((warn_unused_result));

/*
 * For both: frames of a file from seq on, at most n; valid_r[i] says which are
 * whole.  Returns how many there are bytes for; what can't be read isn't
 * whole.
 */
uint32_t journal_look(const struct file_ops *ops, int fd,
	    const struct journal_found *file, uint64_t seq,
	    struct journal_frame *frame_r, bool *valid_r, uint32_t n);

#endif
