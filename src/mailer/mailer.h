/*
 * mailer.h: the process that hands notices to the machine's mail system.
 * Layer: mailer.  As youyun_flusher in the database, by two functions.
 * Written by: the master starts it when the setting mail_command is set.
 *
 * A notice is taken (mail_take(), which counts the try), written in the
 * customer's language, given to the command's standard input, and marked
 * (mail_done()).  Who dies between the last two sends it twice, never not.
 */
#ifndef MAILER_MAILER_H
#define MAILER_MAILER_H

struct heritage;

/* Returns the process's exit status. */
int	mailer_main(const struct heritage *heritage);

#endif
