#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"

#define LINE_MAX_BYTES 1024

static const char *program_name = "youyun";
static enum log_target log_to = LOG_TARGET_STDERR;
static enum log_level log_up_to = LOG_LEVEL_NOTICE;
static int log_fd = STDERR_FILENO;

static const struct {
	const char *name;
	int priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", LOG_ERR },
	[LOG_LEVEL_WARNING] = { "warning", LOG_WARNING },
	[LOG_LEVEL_NOTICE] = { "notice", LOG_NOTICE },
	[LOG_LEVEL_INFO] = { "info", LOG_INFO },
	[LOG_LEVEL_DEBUG] = { "debug", LOG_DEBUG },
};

void
log_open(const char *program, enum log_target target, enum log_level level)
{
	log_to = target;
	log_up_to = level;
	if (target == LOG_TARGET_STDERR)
		log_fd = STDERR_FILENO;
	log_set_program(program);
	if (target == LOG_TARGET_SYSLOG)
		/* NDELAY: a sandboxed worker can't open the socket later. */
		openlog("youyund", LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void
log_set_fd(int fd)
{
	log_fd = fd;
}

void
log_set_program(const char *program)
{
	program_name = program;
}

void
log_set_level(enum log_level level)
{
	log_up_to = level;
}

int
log_level_parse(const char *name)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strcmp(levels[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* A line is a line: what came from outside can't start another. */
static void
replace_controls(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p != '\0'; p++)
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
}

static void
log_line(enum log_level level, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void
log_line(enum log_level level, const char *fmt, va_list ap)
{
	char line[LINE_MAX_BYTES + 1], when[WALL_TEXT_BYTES];
	int saved_errno = errno, head = 0, n;
	size_t len;

	if (level > log_up_to)
		return;
	if (log_to != LOG_TARGET_SYSLOG) {
		wall_format(clock_wall(), when);
		head = snprintf(line, sizeof(line), "%s %s[%d] %s: ", when,
		    program_name, (int)getpid(), levels[level].name);
	}
	errno = saved_errno;	/* for %m */
	n = vsnprintf(line + head, sizeof(line) - 1 - (size_t)head, fmt, ap);
	if (n < 0)
		line[head] = '\0';
	replace_controls(line);
	if (log_to == LOG_TARGET_SYSLOG) {
		syslog(levels[level].priority, "%s: %s", program_name, line);
	} else {
		len = strlen(line);
		line[len++] = '\n';
		/* One write a line; where it fails nobody can be told. */
		while (write(log_fd, line, len) < 0 && errno == EINTR)
			;
	}
	errno = saved_errno;
}

#define LOG_FUNCTION(name, level) \
	void name(const char *fmt, ...) \
	{ \
		va_list ap; \
\
		va_start(ap, fmt); \
		log_line(level, fmt, ap); \
		va_end(ap); \
	}

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warning, LOG_LEVEL_WARNING)
LOG_FUNCTION(log_notice, LOG_LEVEL_NOTICE)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)
