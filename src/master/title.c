#include "master/title.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static char *area;
static size_t area_len;

/* argv and environ stand behind each other in memory; both are what ps
 * reads, so the environment is copied elsewhere first. */
void
title_init(int argc, char **argv)
{
	char **copy, *end;
	size_t n = 0;

	if (argc < 1)
		return;
	end = argv[0];
	for (int i = 0; i < argc; i++)
		if (argv[i] == end)
			end += strlen(argv[i]) + 1;
	while (environ[n] != NULL)
		n++;
	copy = calloc(n + 1, sizeof(*copy));
	if (copy == NULL)
		return;
	for (size_t i = 0; i < n; i++) {
		if (environ[i] == end)
			end += strlen(environ[i]) + 1;
		copy[i] = strdup(environ[i]);
		if (copy[i] == NULL)
			return;
	}
	environ = copy;
	area = argv[0];
	area_len = (size_t)(end - area);
}

void
title_set(const char *name, const char *fmt, ...)
{
	char text[128];
	va_list ap;
	int n;

	(void)prctl(PR_SET_NAME, name);
	if (area == NULL)
		return;
	n = snprintf(text, sizeof(text), "youyund: ");
	va_start(ap, fmt);
	vsnprintf(text + n, sizeof(text) - (size_t)n, fmt, ap);
	va_end(ap);
	memset(area, 0, area_len);
	snprintf(area, area_len, "%s", text);
}
