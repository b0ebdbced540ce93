/*
 * date.h: a date as HTTP writes it.
 * Layer: http.  Pure.
 * Written by: nobody.
 */
#ifndef HTTP_DATE_H
#define HTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7) in seconds since 1970.
 * False for anything else, the two obsolete forms included.
 */
bool	http_date_parse(const char *text, int64_t *seconds_r)
	    __attribute__((warn_unused_result));

#endif
