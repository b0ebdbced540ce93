/* A price file as CSV (RFC 4180). */
#include "admin/price_file.h"

#include <stdio.h>
#include <string.h>

#define CELLS_MAX 64

struct csv {
	char *at;
	unsigned int line;		/* where it is */
	bool bad;			/* a quote is not closed */
};

/* The next cell of the line, unquoted in place.  *last_r: the line ends with
 * it. */
static char *
next_cell(struct csv *csv, bool *last_r)
{
	char *from, *to, *cell;
	bool quoted;

	cell = from = to = csv->at;
	quoted = *from == '"';
	if (quoted)
		from++;
	for (;; from++) {
		if (quoted && from[0] == '"' && from[1] == '"') {
			from++;
		} else if (quoted && from[0] == '"') {
			quoted = false;
			continue;
		} else if (*from == '\0' || (!quoted && (*from == ',' ||
		    *from == '\n' || (*from == '\r' && from[1] == '\n')))) {
			break;
		}
		if (*from == '\n')
			csv->line++;
		*to++ = *from;
	}
	csv->bad = quoted;
	*last_r = *from != ',';
	if (*from == '\r')
		from++;
	csv->at = *from == '\0' ? from : from + 1;
	*to = '\0';
	return cell;
}

static bool
read_header(struct price_file *file, struct csv *csv, char *name[CELLS_MAX],
    size_t *names_r)
{
	bool last;
	size_t i;

	*names_r = 0;
	do {
		if (*names_r == CELLS_MAX) {
			price_mistake(file, csv->line, "more than %d columns",
			    CELLS_MAX);
			return false;
		}
		name[*names_r] = next_cell(csv, &last);
		if (!price_name_known(file, name[*names_r]))
			price_mistake(file, csv->line,
			    "there is no column \"%s\"", name[*names_r]);
		for (i = 0; i < *names_r; i++)
			if (strcmp(name[i], name[*names_r]) == 0)
				price_mistake(file, csv->line,
				    "the column %s is there twice", name[i]);
		++*names_r;
	} while (!last);
	return file->mistakes == 0;
}

/* False: no memory. */
static bool
read_row(struct price_file *file, struct csv *csv, char *const *name,
    size_t names)
{
	struct price_entry *e;
	unsigned int line;
	bool last;
	char *cell;
	size_t i;

	line = csv->line;
	/* An empty line is no row. */
	if (*csv->at == '\n' || strncmp(csv->at, "\r\n", 2) == 0) {
		(void)next_cell(csv, &last);
		csv->line++;
		return true;
	}
	e = price_entry_add(file, line);
	if (e == NULL)
		return false;
	i = 0;
	do {
		cell = next_cell(csv, &last);
		if (i < names)
			price_entry_read(file, e, name[i], cell);
		i++;
	} while (!last);
	if (csv->bad)
		price_mistake(file, line, "a quote is not closed");
	if (i != names)
		price_mistake(file, line, "%zu cells, but %zu columns", i,
		    names);
	price_entry_end(file, e);
	csv->line++;
	return true;
}

bool
price_csv_read(struct price_file *file, char *text)
{
	struct csv csv = { text, 1, false };
	char *name[CELLS_MAX];
	size_t names;

	/* A byte order mark, as spreadsheets put it. */
	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		csv.at += 3;
	if (!read_header(file, &csv, name, &names))
		return true;
	csv.line++;
	while (*csv.at != '\0')
		if (!read_row(file, &csv, name, names))
			return false;
	return true;
}

static void
write_cell(FILE *out, const char *text)
{
	if (strpbrk(text, ",\"\r\n") == NULL) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	for (; *text != '\0'; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

void
price_csv_begin(FILE *out, bool costs)
{
	const char *name;
	size_t i;

	for (i = 0; (name = price_member_name(costs, i)) != NULL; i++)
		fprintf(out, "%s%s", i > 0 ? "," : "", name);
	fputc('\n', out);
}

void
price_csv_write(FILE *out, bool costs, const struct price_entry *e)
{
	char text[PRICE_MEMBER_BYTES];
	const char *name;
	size_t i;

	for (i = 0; (name = price_member_name(costs, i)) != NULL; i++) {
		if (i > 0)
			fputc(',', out);
		price_member_write(e, name, text);
		write_cell(out, text);
	}
	fputc('\n', out);
}
