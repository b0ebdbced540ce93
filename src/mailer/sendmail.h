/*
 * sendmail.h: runs the machine's mail command with a message.
 * Layer: mailer.
 * Written by: the mailer's one thread.
 */
#ifndef MAILER_SENDMAIL_H
#define MAILER_SENDMAIL_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct buf;

/*
 * command: words with blanks between them, the first an absolute path; no
 * shell reads it.  True: it took all of the message and ended with 0 within
 * timeout_ms, or sooner once *hurry is set.  Its words go nowhere.
 */
bool	sendmail_run(const char *command, const struct buf *message,
	    int64_t timeout_ms, const volatile sig_atomic_t *hurry)
	    __attribute__((warn_unused_result));

#endif
