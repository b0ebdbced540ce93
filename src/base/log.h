/*
 * log.h: the program's one way to say something to the operator.
 * Layer: base.  Each process writes lines of its own; nothing is shared.
 * Written by: everyone.  Never give it a body, a key or upstream text.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

enum log_level {
	LOG_LEVEL_ERROR,	/* something must be done */
	LOG_LEVEL_WARNING,	/* something should be looked at */
	LOG_LEVEL_NOTICE,	/* the life of the daemon; the default */
	LOG_LEVEL_INFO,		/* the life of a connection */
	LOG_LEVEL_DEBUG
};

enum log_target {
	LOG_TARGET_STDERR,	/* with time and process, for a foreground run */
	LOG_TARGET_SYSLOG,	/* facility daemon */
	LOG_TARGET_FILE		/* the descriptor of log_set_fd() */
};

/* program: borrowed for ever (a literal: "master", "worker", …). */
void	log_open(const char *program, enum log_target target,
	    enum log_level level);

/* fd is borrowed and written to with O_APPEND semantics, a line a write. */
void	log_set_fd(int fd);

void	log_set_program(const char *program);
void	log_set_level(enum log_level level);

/* Level by its name ("error" … "debug"); -1 when there is no such level. */
int	log_level_parse(const char *name);

/*
 * One line, PostgreSQL's wording: lower case, no full stop, then key=value.
 * errno is kept.  Lines over 1 KiB are cut; control characters are replaced.
 */
void	log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	log_notice(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
