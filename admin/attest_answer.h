/*
 * attest_answer.h: what the scripted provider answers on each path.
 * Layer: admin.
 * Written by: attest_answer_make().
 */
#ifndef ADMIN_ATTEST_ANSWER_H
#define ADMIN_ATTEST_ANSWER_H

#include <stdbool.h>

#include "admin/attest_canary.h"
#include "base/bytes.h"

/* What every answer says was used; its fee follows from it. */
#define ATTEST_INPUT_TOKENS 10
#define ATTEST_OUTPUT_TOKENS 5

struct attest_answer {
	int status;
	bool silent;		/* nothing at all */
	bool streamed;		/* chunked events */
	bool ends;		/* a stream with its last chunk */
	bool closes;		/* the connection, afterwards */
	const char *canary;	/* borrowed */
	struct buf body;
};

/* attest_answer_free() it, whatever comes; false: no memory. */
bool	attest_answer_make(struct attest_answer *answer_r,
	    const struct canaries *canaries, enum canary_path path)
	    __attribute__((warn_unused_result));
void	attest_answer_free(struct attest_answer *answer);

#endif
