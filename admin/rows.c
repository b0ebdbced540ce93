#include "admin/rows.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "admin/page.h"
#include "db/value.h"

static void
add_cell(struct report *report, enum report_kind kind,
    const struct db_rows *rows, size_t row, int column)
{
	if (db_null(rows, row, column)) {
		report_none(report);
		return;
	}
	switch (kind) {
	case REPORT_TEXT:
		report_text(report, db_get_text(rows, row, column));
		break;
	case REPORT_ID:
		report_id(report, db_get_text(rows, row, column));
		break;
	case REPORT_NUMBER:
		report_number(report, db_get_int(rows, row, column));
		break;
	case REPORT_MONEY:
		report_money(report, db_get_int(rows, row, column));
		break;
	case REPORT_TIME:
		report_time(report, db_get_time(rows, row, column));
		break;
	case REPORT_FLAG:
		report_flag(report, db_get_bool(rows, row, column));
		break;
	}
}

static void
add_row(struct report *report, const struct report_column *columns,
    const struct db_rows *rows, size_t row)
{
	for (int c = 0; columns[c].key != NULL; c++)
		add_cell(report, columns[c].kind, rows, row, c);
}

void
report_add_rows(struct report *report, const struct report_column *columns,
    const struct db_rows *rows)
{
	for (size_t i = 0; i < db_rows_count(rows); i++)
		add_row(report, columns, rows, i);
}

enum admin_exit
rows_page(struct admin *admin, struct page *page, enum db_result result,
    struct db_rows **rows, const struct report_column *columns,
    const char *doing)
{
	struct report *report;

	if (result != DB_OK)
		return admin_database_failed(admin, result, doing);
	for (size_t i = 0; i < db_rows_count(*rows); i++) {
		report = page_row(page, "%" PRId64, db_get_int(*rows, i, 0));
		if (report != NULL)
			add_row(report, columns, *rows, i);
	}
	db_rows_free(rows);
	return ADMIN_OK;
}

static void
add_member(struct record *record, const struct report_column *c,
    const struct db_rows *rows, int column)
{
	if (db_null(rows, 0, column)) {
		record_none(record, c->key, c->title);
		return;
	}
	switch (c->kind) {
	case REPORT_TEXT:
	case REPORT_ID:
		record_text(record, c->key, c->title,
		    db_get_text(rows, 0, column));
		break;
	case REPORT_NUMBER:
		record_number(record, c->key, c->title,
		    db_get_int(rows, 0, column));
		break;
	case REPORT_MONEY:
		record_money(record, c->key, c->title,
		    db_get_int(rows, 0, column));
		break;
	case REPORT_TIME:
		record_time(record, c->key, c->title,
		    db_get_time(rows, 0, column));
		break;
	case REPORT_FLAG:
		record_flag(record, c->key, c->title,
		    db_get_bool(rows, 0, column));
		break;
	}
}

void
record_add_row(struct record *record, const struct report_column *columns,
    const struct db_rows *rows)
{
	for (int c = 0; columns[c].key != NULL; c++)
		add_member(record, &columns[c], rows, c);
}

enum admin_exit
rows_print(struct admin *admin, enum db_result result,
    struct db_rows **rows, const char *name,
    const struct report_column *columns, const char *doing,
    const char *empty)
{
	struct report *report;

	if (result != DB_OK)
		return admin_database_failed(admin, result, doing);
	report = report_list(name, columns);
	report_add_rows(report, columns, *rows);
	db_rows_free(rows);
	report_print(&report, admin, empty);
	return ADMIN_OK;
}

void
done_print(struct admin *admin, const char *key, int64_t value,
    const char *fmt, ...)
{
	struct record *record;
	va_list ap;

	if (admin->json) {
		record = record_open();
		record_number(record, key, NULL, value);
		record_print(&record, admin);
		return;
	}
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}
