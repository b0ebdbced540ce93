/*
 * message.h: a mail as the mail system takes it (RFC 5322, 2045, 2047).
 * Layer: mailer.
 * Written by: pure functions.
 */
#ifndef MAILER_MESSAGE_H
#define MAILER_MESSAGE_H

#include <stdbool.h>

struct buf;

/*
 * Appends head and body, lines ending in '\n' as sendmail(8) wants them.  from
 * and to are addresses (mail_address_ok()), subject and text UTF-8.  False:
 * memory is short.
 */
bool	message_write(struct buf *message, const char *from, const char *to,
	    const struct buf *subject, const struct buf *text)
	    __attribute__((warn_unused_result));

#endif
