/*
 * print_settings: the table of settings, a line each: name, tab, default,
 * tab, "live" or "restart".
 */
#include <stdio.h>

#include "conf/table.h"

int
main(void)
{
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *s = &settings_table[i];

		printf("%s\t%s\t%s\n", s->name,
		    s->initial[0] != '\0' ? s->initial : "\"\"",
		    s->change == SETTING_LIVE ? "live" : "restart");
	}
	return 0;
}
