/* Finding a setting, also by a name that is nearly right. */
#include "conf/table.h"

#include <string.h>

#include "conf/settings.h"

const struct setting *
setting_find(const char *name)
{
	for (size_t i = 0; i < settings_count; i++)
		if (strcmp(settings_table[i].name, name) == 0)
			return &settings_table[i];
	return NULL;
}

static size_t
min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein's distance; b is one of ours, so it is short. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[SETTING_NAME_BYTES + 1], b_len = strlen(b);

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
			size_t above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1,
			    diagonal + cost);
			diagonal = above;
		}
	}
	return row[b_len];
}

const char *
setting_guess(const char *name)
{
	const char *best = NULL;
	size_t best_distance = SIZE_MAX;

	if (strlen(name) >= SETTING_NAME_BYTES)
		return NULL;
	for (size_t i = 0; i < settings_count; i++) {
		const char *candidate = settings_table[i].name;
		size_t d = distance(name, candidate);

		if (d < best_distance && d <= 1 + strlen(candidate) / 4) {
			best_distance = d;
			best = candidate;
		}
	}
	return best;
}
