/* A price file as JSON.  json-c builds it; where each row begins, which it
 * doesn't tell, is looked for in the text. */
#include "admin/price_file.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

/* Finds the next object two levels down, or one in a bare array. */
struct finder {
	const char *at;
	unsigned int line;
	int depth;
	int wanted;			/* the depth of rows */
};

static unsigned int
next_row_line(struct finder *f)
{
	bool quoted = false;

	for (; *f->at != '\0'; f->at++) {
		if (*f->at == '\n')
			f->line++;
		if (quoted && *f->at == '\\' && f->at[1] != '\0')
			f->at++;
		else if (*f->at == '"')
			quoted = !quoted;
		else if (!quoted && (*f->at == '}' || *f->at == ']'))
			f->depth--;
		else if (!quoted && (*f->at == '{' || *f->at == '[') &&
		    f->depth++ == f->wanted && *f->at == '{') {
			f->at++;
			return f->line;
		}
	}
	return f->line;
}

static void
read_value(struct price_file *file, struct price_entry *e, const char *name,
    struct json_object *value)
{
	if (!price_name_known(file, name)) {
		price_mistake(file, e->line, "there is no member \"%s\"",
		    name);
		return;
	}
	switch (json_object_get_type(value)) {
	case json_type_null:
		return;
	case json_type_string:
	case json_type_int:
	case json_type_boolean:
		price_entry_read(file, e, name, json_object_get_string(value));
		return;
	case json_type_double:
		price_mistake(file, e->line, "%s: an amount is written as a "
		    "string, so that it stays exact", name);
		return;
	case json_type_array:
	case json_type_object:
		break;
	}
	price_mistake(file, e->line, "%s: is no text", name);
}

static bool
read_rows(struct price_file *file, struct json_object *rows, const char *text,
    int wanted)
{
	struct finder finder = { text, 1, 0, wanted };
	struct json_object *row;
	struct price_entry *e;
	size_t i;

	for (i = 0; i < json_object_array_length(rows); i++) {
		row = json_object_array_get_idx(rows, i);
		if (!json_object_is_type(row, json_type_object)) {
			price_mistake(file, finder.line,
			    "element %zu is no object", i + 1);
			continue;
		}
		e = price_entry_add(file, next_row_line(&finder));
		if (e == NULL)
			return false;
		json_object_object_foreach(row, name, value)
			read_value(file, e, name, value);
		price_entry_end(file, e);
	}
	return true;
}

static unsigned int
line_at(const char *text, size_t offset)
{
	unsigned int line = 1;

	for (; offset > 0 && *text != '\0'; text++, offset--)
		line += *text == '\n';
	return line;
}

bool
price_json_read(struct price_file *file, const char *text)
{
	struct json_object *root, *rows;
	struct json_tokener *tokener;
	bool ok = true, bare;

	tokener = json_tokener_new();
	if (tokener == NULL)
		return false;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	root = json_tokener_parse_ex(tokener, text, (int)strlen(text) + 1);
	if (json_tokener_get_error(tokener) != json_tokener_success) {
		price_mistake(file, line_at(text,
		    json_tokener_get_parse_end(tokener)), "%s",
		    json_tokener_error_desc(json_tokener_get_error(tokener)));
		json_tokener_free(tokener);
		return true;
	}
	json_tokener_free(tokener);
	rows = root;
	bare = json_object_is_type(root, json_type_array);
	if (bare || (json_object_object_get_ex(root, file->costs ? "costs" :
	    "prices", &rows) && json_object_is_type(rows, json_type_array)))
		ok = read_rows(file, rows, text, bare ? 1 : 2);
	else
		price_mistake(file, 1, "there is no array \"%s\"",
		    file->costs ? "costs" : "prices");
	json_object_put(root);
	return ok;
}
