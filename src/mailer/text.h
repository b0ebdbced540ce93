/*
 * text.h: what a notice says, in the customer's language.
 * Layer: mailer.
 * Written by: pure functions.
 */
#ifndef MAILER_TEXT_H
#define MAILER_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* A notice, as mail_take() hands it out; borrowed. */
struct mail {
	const char *kind;
	const char *detail;	/* a JSON object */
	const char *customer;	/* the account's name */
	const char *contact;
	const char *language;	/* en, zh, de; anything else is en */
};

/*
 * Appends subject and text, UTF-8 with '\n', {members} of detail filled in.  A
 * kind without words of its own gets a general text.  False: memory is short,
 * or it is longer than the buffers may be.
 */
bool	text_write(const struct mail *mail, struct buf *subject,
	    struct buf *text) __attribute__((warn_unused_result));

/* Has it words of its own?  For the tests. */
bool	text_known(const char *kind);

#endif
