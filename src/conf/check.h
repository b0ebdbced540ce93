/*
 * check.h: what settings must be to each other.
 * Layer: conf.
 * Written by: nobody.
 */
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

struct conf_report;
struct settings;

/* lines: by place in the table, where each was set; 0 where it was not. */
void	settings_check(const char *file, const unsigned *lines,
	    const struct settings *settings, struct conf_report *report);

#endif
