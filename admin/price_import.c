/* price import, cost import: many rows in one transaction, or none. */
#include "admin/price_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/price_text.h"
#include "admin/report.h"
#include "admin/text_file.h"
#include "db/queries.h"


const struct opt price_import_options[] = {
	{ "format", "FORMAT", "csv or json; default: by the file's name",
	  false },
	{ "dry-run", NULL, "check all of it, set nothing", false },
	{ NULL, NULL, NULL, false }
};

bool
price_format_of(const struct args *args, const char *path,
    enum price_format *format_r)
{
	const char *text, *dot;

	text = args_get(args, "format");
	dot = strrchr(path, '.');
	*format_r = text == NULL && dot != NULL && strcmp(dot, ".json") == 0 ?
	    PRICE_FORMAT_JSON : PRICE_FORMAT_CSV;
	if (text == NULL || strcmp(text, "csv") == 0)
		return true;
	*format_r = PRICE_FORMAT_JSON;
	if (strcmp(text, "json") == 0)
		return true;
	complain("--format %s: allowed are csv and json", text);
	return false;
}

static bool
take_channel(const struct channel_row *row, void *arg)
{
	struct price_file *file = arg;
	size_t i;

	for (i = 0; i < file->entries; i++)
		if (strcmp(file->entry[i].channel, row->name) == 0)
			file->entry[i].channel_id = row->id;
	return true;
}

static enum admin_exit
find_channels(struct admin *admin, struct price_file *file)
{
	enum admin_exit status;
	size_t i;

	if (!file->costs)
		return ADMIN_OK;
	status = admin_database_failed(admin, q_channel_each(admin->db, 0,
	    take_channel, file), "list the channels");
	for (i = 0; status == ADMIN_OK && i < file->entries; i++)
		if (file->entry[i].channel[0] != '\0' &&
		    file->entry[i].channel_id == 0)
			price_mistake(file, file->entry[i].line,
			    "channel: there is no channel \"%s\"",
			    file->entry[i].channel);
	return status;
}

/* A file that was imported already changes nothing. */
static bool
take_row(const struct price_row *row, void *arg)
{
	struct price_file *file = arg;
	struct price_entry *e;
	size_t i;

	for (i = 0; i < file->entries; i++) {
		e = &file->entry[i];
		if (e->channel_id == row->channel_id &&
		    strcmp(e->model, row->model) == 0 &&
		    (e->from_us == 0 ? row->current :
		    e->from_us == row->effective_us))
			e->unchanged = price_same(&e->price, &row->price);
	}
	return true;
}

struct import {
	struct price_file *file;
	const char *actor;
	int64_t set;
};

static enum db_result
import_body(struct db *db, void *arg)
{
	struct import *import = arg;
	struct price_file *file = import->file;
	enum db_result result;
	struct price_entry *e;
	int64_t model_id, version;
	size_t i;

	import->set = 0;
	result = file->costs ? q_cost_each(db, 0, NULL, take_row, file) :
	    q_price_each(db, NULL, take_row, file);
	for (i = 0; result == DB_OK && i < file->entries; i++) {
		e = &file->entry[i];
		result = q_model_put(db, e->model, e->max_output_tokens,
		    &model_id);
		if (result != DB_OK || e->unchanged)
			continue;
		result = file->costs ? q_cost_add(db, e->channel_id, model_id,
		    e->from_us, &e->price, import->actor, &version) :
		    q_price_add(db, model_id, e->from_us, &e->price,
		    import->actor, &version);
		import->set++;
	}
	return result;
}

static enum admin_exit
mistaken(const struct price_file *file)
{
	complain("%u mistake%s in %s; nothing was changed", file->mistakes,
	    file->mistakes == 1 ? "" : "s", file->name);
	return ADMIN_USAGE;
}

static enum admin_exit
apply(struct admin *admin, const struct args *args, struct price_file *file)
{
	struct import import = { file, admin->actor, 0 };
	struct record *record;
	enum admin_exit status;

	if (!args_has(args, "dry-run")) {
		status = admin_database_failed(admin,
		    admin_change(admin, import_body, &import),
		    "import the prices");
		if (status != ADMIN_OK)
			return status;
	}
	if (admin->json) {
		record = record_open();
		record_number(record, "rows", NULL, (int64_t)file->entries);
		record_number(record, "set", NULL, import.set);
		record_print(&record, admin);
	}
	if (args_has(args, "dry-run"))
		say(admin, "%zu rows, no mistake; nothing was changed",
		    file->entries);
	else
		say(admin, "%lld of %zu rows set, the others hold already",
		    (long long)import.set, file->entries);
	return ADMIN_OK;
}

static enum admin_exit
import(struct admin *admin, const struct args *args, bool costs)
{
	struct price_file file;
	enum price_format format;
	enum admin_exit status;
	char *text;
	bool ok;

	memset(&file, 0, sizeof file);
	file.name = args->word[0];
	file.costs = costs;
	if (!price_format_of(args, file.name, &format))
		return ADMIN_USAGE;
	text = text_file_read(file.name);
	if (text == NULL)
		return ADMIN_FAILED;
	ok = format == PRICE_FORMAT_JSON ? price_json_read(&file, text) :
	    price_csv_read(&file, text);
	free(text);
	status = ok ? admin_database(admin) : ADMIN_FAILED;
	if (!ok)
		complain("out of memory");
	if (status == ADMIN_OK)
		status = find_channels(admin, &file);
	if (status == ADMIN_OK)
		status = file.mistakes > 0 ? mistaken(&file) :
		    apply(admin, args, &file);
	free(file.entry);
	return status;
}

enum admin_exit
price_import_run(struct admin *admin, const struct args *args)
{
	return import(admin, args, false);
}

enum admin_exit
cost_import_run(struct admin *admin, const struct args *args)
{
	return import(admin, args, true);
}
