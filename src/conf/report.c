/* What is wrong with a configuration, all of it at once. */
#include "conf/settings.h"

#include <stdarg.h>
#include <stdio.h>

/* More mistakes than this in one file say no more. */
#define REPORT_LIMIT (256 * 1024)

void
conf_report_init(struct conf_report *report)
{
	*report = (struct conf_report){ .mistakes = 0 };
	buf_init(&report->text, REPORT_LIMIT);
}

void
conf_report_free(struct conf_report *report)
{
	buf_free(&report->text);
}

static void
add_line(struct conf_report *report, const char *where, const char *what)
{
	/* A full report has counted the mistake, which is what decides. */
	if (!buf_printf(&report->text, "%s%s\n", where, what))
		return;
}

void
conf_mistake(struct conf_report *report, const char *file, unsigned line,
    const char *setting, const char *fmt, ...)
{
	char where[SETTING_PATH_BYTES + SETTING_NAME_BYTES + 32], what[2048];
	va_list ap;

	if (line > 0)
		snprintf(where, sizeof(where), "%s:%u: %s%s", file, line,
		    setting != NULL ? setting : "",
		    setting != NULL ? ": " : "");
	else
		snprintf(where, sizeof(where), "%s: %s%s", file,
		    setting != NULL ? setting : "",
		    setting != NULL ? ": " : "");
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	add_line(report, where, what);
	report->mistakes++;
}

void
conf_note(struct conf_report *report, const char *setting,
    const char *fmt, ...)
{
	char where[SETTING_NAME_BYTES + 4], what[2048];
	va_list ap;

	snprintf(where, sizeof(where), "%s: ", setting);
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	add_line(report, where, what);
	report->notes++;
}
