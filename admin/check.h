/*
 * check.h: is what was typed allowed?  Before it goes to the database.
 * Layer: admin.
 * Written by: nobody; pure functions.
 */
#ifndef ADMIN_CHECK_H
#define ADMIN_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAME_MAX_BYTES 64
#define TEXT_MAX_BYTES 500

/* NULL: allowed; else why not (static). */
/* A name: 1 to 64 bytes of printable UTF-8, no outer spaces, not digits only
 * (those are numbers of things). */
const char *check_name(const char *text);
/* A model's name: 1 to 127 bytes of printable ASCII without spaces, "="; a
 * "*" at its end makes it a pattern. */
const char *check_model(const char *text);
/* A remark: up to 500 bytes of printable UTF-8. */
const char *check_text(const char *text);
/* What goes to customers as it is: 1 to `most` bytes that say something, no
 * controls but line breaks and tabs. */
const char *check_lines(const char *text, size_t most);

/* A positive number, digits only; false otherwise. */
bool	check_number(const char *text, int64_t *number_r)
	    __attribute__((warn_unused_result));

/* A duration: "500ms", "30s", "5m", "2h"; up to a day, in milliseconds. */
bool	check_duration(const char *text, int64_t *ms_r)
	    __attribute__((warn_unused_result));

/*
 * A time: "now", "2026-11-23", "2026-11-23T17:00:00Z" (UTC; the Z and the
 * seconds may be left out) or an age such as "90s", "15m", "2h", "7d".
 * Microseconds since 1970.
 */
bool	check_time(const char *text, int64_t *us_r)
	    __attribute__((warn_unused_result));
/* The same, ages counting ahead: "30d" is in thirty days. */
bool	check_time_ahead(const char *text, int64_t *us_r)
	    __attribute__((warn_unused_result));
/* What check_time() takes, for messages. */
#define CHECK_TIME_ALLOWED \
	"2026-11-23, 2026-11-23T17:00:00Z, or an age such as 15m, 2h, 7d"

#endif
