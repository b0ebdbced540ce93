/* price export, cost export: what holds and what will, for import. */
#include "admin/price_file.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "db/queries.h"

const struct opt price_export_options[] = {
	{ "format", "FORMAT", "csv or json; default: by the file's name",
	  false },
	{ NULL, NULL, NULL, false }
};

struct export {
	FILE *out;
	bool costs;
	int64_t now_us;
	int64_t rows;
	struct json_object *array;	/* NULL: CSV */
	bool failed;
};

static void
write_json(struct export *x, const struct price_entry *e)
{
	struct json_object *object;
	char text[PRICE_MEMBER_BYTES];
	const char *name;
	size_t i;

	object = json_object_new_object();
	if (object == NULL) {
		x->failed = true;
		return;
	}
	for (i = 0; (name = price_member_name(x->costs, i)) != NULL; i++) {
		price_member_write(e, name, text);
		if (text[0] != '\0')
			json_object_object_add(object, name,
			    json_object_new_string(text));
	}
	json_object_array_add(x->array, object);
}

static bool
take_row(const struct price_row *row, void *arg)
{
	struct export *x = arg;
	struct price_entry e;

	if (!row->current && row->effective_us <= x->now_us)
		return true;
	memset(&e, 0, sizeof e);
	snprintf(e.model, sizeof e.model, "%s", row->model);
	snprintf(e.channel, sizeof e.channel, "%s", row->channel);
	/* What holds now begins, where it is imported, when it is. */
	e.from_us = row->current ? 0 : row->effective_us;
	e.max_output_tokens = row->max_output_tokens;
	e.price = row->price;
	if (x->array != NULL)
		write_json(x, &e);
	else
		price_csv_write(x->out, x->costs, &e);
	x->rows++;
	return !x->failed;
}

static enum admin_exit
write_rows(struct admin *admin, struct export *x)
{
	struct json_object *root;
	enum admin_exit status;

	if (x->array == NULL)
		price_csv_begin(x->out, x->costs);
	status = admin_database_failed(admin, x->costs ?
	    q_cost_each(admin->db, 0, NULL, take_row, x) :
	    q_price_each(admin->db, NULL, take_row, x), "read the prices");
	if (status != ADMIN_OK || x->array == NULL)
		return status;
	root = json_object_new_object();
	json_object_object_add(root, x->costs ? "costs" : "prices",
	    json_object_get(x->array));
	fprintf(x->out, "%s\n", json_object_to_json_string_ext(root,
	    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
	    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(root);
	return ADMIN_OK;
}

static enum admin_exit
export(struct admin *admin, const struct args *args, bool costs)
{
	const char *path = args->words == 1 ? args->word[0] : "-";
	bool own = strcmp(path, "-") != 0;
	struct export x = { stdout, costs, clock_wall().us, 0, NULL, false };
	enum price_format format;
	enum admin_exit status;

	if (!price_format_of(args, path, &format))
		return ADMIN_USAGE;
	/* --json is for scripts: then the rows are JSON, too. */
	if (admin->json && args_get(args, "format") == NULL && !own)
		format = PRICE_FORMAT_JSON;
	status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	if (own)
		x.out = fopen(path, "w");
	if (x.out == NULL) {
		complain("cannot write %s: %s", path, strerror(errno));
		return ADMIN_FAILED;
	}
	if (format == PRICE_FORMAT_JSON)
		x.array = json_object_new_array();
	x.failed = format == PRICE_FORMAT_JSON && x.array == NULL;
	if (!x.failed)
		status = write_rows(admin, &x);
	if (x.failed || fflush(x.out) != 0 || ferror(x.out)) {
		complain("cannot write %s: %s", path, strerror(errno));
		status = ADMIN_FAILED;
	}
	json_object_put(x.array);
	if (own && fclose(x.out) != 0 && status == ADMIN_OK) {
		complain("cannot write %s: %s", path, strerror(errno));
		status = ADMIN_FAILED;
	}
	if (own && status == ADMIN_OK)
		say(admin, "%lld rows written to %s", (long long)x.rows, path);
	return status;
}

enum admin_exit
price_export_run(struct admin *admin, const struct args *args)
{
	return export(admin, args, false);
}

enum admin_exit
cost_export_run(struct admin *admin, const struct args *args)
{
	return export(admin, args, true);
}
