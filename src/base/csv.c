#include "base/csv.h"

#include <string.h>

#include "base/bytes.h"

/* "-2.50" is a number, whatever it begins with. */
static bool
is_formula(const char *text)
{
	return text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL &&
	    (text[0] != '-' || text[1] == '\0' ||
	    text[1 + strspn(text + 1, "0123456789.")] != '\0');
}

bool
csv_cell(struct buf *out, const char *text)
{
	bool formula = is_formula(text), ok;

	if (!formula && strpbrk(text, ",\"\r\n") == NULL)
		return buf_append(out, text, strlen(text));
	ok = buf_append(out, formula ? "\"'" : "\"", formula ? 2 : 1);
	for (; ok && *text != '\0'; text++)
		ok = buf_append(out, text, 1) &&
		    (*text != '"' || buf_append(out, "\"", 1));
	return ok && buf_append(out, "\"", 1);
}
