#include "admin/suggest.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static unsigned int
min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int m;

	m = a < b ? a : b;
	return m < c ? m : c;
}

/* Edits between two words, a swap of neighbours being one; case is free. */
static unsigned int
distance(const char *a, const char *b)
{
	unsigned int row[3][SUGGEST_BYTES + 1], *before, *last, *now, *spare;
	size_t i, j, la, lb;
	int ca, cb;

	la = strlen(a);
	lb = strlen(b);
	before = row[0];
	last = row[1];
	now = row[2];
	for (j = 0; j <= lb; j++)
		last[j] = (unsigned int)j;
	for (i = 1; i <= la; i++) {
		now[0] = (unsigned int)i;
		for (j = 1; j <= lb; j++) {
			ca = tolower((unsigned char)a[i - 1]);
			cb = tolower((unsigned char)b[j - 1]);
			now[j] = min3(last[j] + 1, now[j - 1] + 1,
			    last[j - 1] + (ca != cb));
			if (i > 1 && j > 1 &&
			    ca == tolower((unsigned char)b[j - 2]) &&
			    cb == tolower((unsigned char)a[i - 2]))
				now[j] = min3(now[j], now[j], before[j - 2] + 1);
		}
		spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[lb];
}

void
suggest_start(struct suggest *s, const char *typed)
{
	snprintf(s->typed, sizeof s->typed, "%s", typed);
	s->best[0] = '\0';
	s->distance = ~0u;
}

void
suggest_try(struct suggest *s, const char *candidate)
{
	unsigned int d;
	size_t len;

	len = strlen(s->typed);
	if (len == 0 || strlen(candidate) >= SUGGEST_BYTES)
		return;
	d = distance(s->typed, candidate);
	/* A beginning is as good as one edit: "cust" for "customer". */
	if (len >= 2 && strncasecmp(s->typed, candidate, len) == 0)
		d = d < 1 ? d : 1;
	if (d >= s->distance || d > 1 + len / 4)
		return;
	s->distance = d;
	snprintf(s->best, sizeof s->best, "%s", candidate);
}

const char *
suggest_best(const struct suggest *s)
{
	return s->best[0] != '\0' ? s->best : NULL;
}
