/* A customer's tickets: what is asked, what was answered, what is attached. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "db/value.h"
#include "portal/attachment.h"
#include "portal/call_json.h"
#include "portal/request.h"
#include "portal/route.h"
#include "shm/record.h"

#define SUBJECT_MAX_BYTES 200
#define TEXT_MAX_BYTES 16384
#define REQUEST_ID_MAX_BYTES 64

static const char *const nothing[] = { NULL };
/* In the order of the numbers in the database. */
static const char *const states[] = { "open", "answered", "closed" };

#define TICKETS "SELECT id, subject, state::bigint, created, changed," \
	" decode(replace(call_request_id::text, '-', ''), 'hex')" \
	" FROM youyun.my_ticket"

static struct json_object *
request_id_json(const struct db_rows *rows, size_t i, int column)
{
	char text[RECORD_ID_TEXT_BYTES];
	const void *id;
	size_t len;

	if (db_null(rows, i, column))
		return NULL;
	id = db_get_bytes(rows, i, column, &len);
	if (len != RECORD_ID_BYTES)
		return NULL;
	record_id_format(id, text);
	return json_text(text);
}

static struct json_object *
ticket_json(const struct db_rows *rows, size_t i)
{
	struct json_object *o = json_object_new_object();
	int64_t state = db_get_int(rows, i, 2);

	put_int(o, "id", db_get_int(rows, i, 0));
	put(o, "subject", json_text(db_get_text(rows, i, 1)));
	put(o, "state", json_text(state >= 0 && state < 3 ? states[state] :
	    "closed"));
	put(o, "created", json_time(db_get_time(rows, i, 3)));
	put(o, "changed", json_time(db_get_time(rows, i, 4)));
	put(o, "request_id", request_id_json(rows, i, 5));
	return o;
}

/* -1: any. */
static bool
take_state(struct request *r, int64_t *state_r)
{
	const char *text = query_text(r, "state");

	*state_r = -1;
	if (text[0] == '\0')
		return true;
	for (int i = 0; i < 3; i++)
		if (strcmp(text, states[i]) == 0)
			*state_r = i;
	if (*state_r >= 0)
		return true;
	answer_problem(r, 400, "bad_argument", "state",
	    "Allowed are open, answered and closed.");
	return false;
}

void
run_tickets(struct request *r)
{
	static const char *const known[] = { "after", "limit", "state", NULL };
	struct db_param p[3];
	struct db_rows *rows;
	enum db_result result;
	int64_t state;

	if (!query_only(r, known) || !take_state(r, &state) ||
	    !query_page(r, true, p))
		return;
	p[2] = db_int(state);
	result = db_query(r->db, TICKETS " WHERE id < $1 AND ($3 = -1 OR"
	    " state = $3) LIMIT $2", p,
	    3, &rows);
	if (result == DB_OK)
		answer_page(r, "tickets", rows, p, ticket_json);
	else
		answer_database(r, result);
}

/*
 * One ticket with all that was said.
 */
static bool
query_of(struct request *r, const char *sql, int64_t ticket,
    struct db_rows **rows_r)
{
	struct db_param p = db_int(ticket);
	enum db_result result = db_query(r->db, sql, &p, 1, rows_r);

	if (result != DB_OK)
		answer_database(r, result);
	return result == DB_OK;
}

static struct json_object *
message_json(const struct db_rows *rows, size_t i,
    const struct db_rows *files, size_t *file)
{
	struct json_object *o = json_object_new_object(), *list, *f;

	put_int(o, "id", db_get_int(rows, i, 0));
	put(o, "author", json_text(db_get_int(rows, i, 1) == 0 ? "customer" :
	    "operator"));
	put(o, "at", json_time(db_get_time(rows, i, 2)));
	put(o, "text", json_text(db_get_text(rows, i, 3)));
	list = json_object_new_array();
	/* Both are in the order of messages. */
	for (; *file < db_rows_count(files) && db_get_int(files, *file, 1) ==
	    db_get_int(rows, i, 0); ++*file) {
		f = json_object_new_object();
		put_int(f, "id", db_get_int(files, *file, 0));
		put(f, "name", json_text(db_get_text(files, *file, 2)));
		put(f, "type", json_text(attachment_media_type(
		    (int)db_get_int(files, *file, 3))));
		put_int(f, "bytes", db_get_int(files, *file, 4));
		json_object_array_add(list, f);
	}
	put(o, "files", list);
	return o;
}

static bool
add_messages(struct request *r, struct json_object *o, int64_t ticket)
{
	struct json_object *list;
	struct db_rows *rows, *files;
	size_t file = 0;

	if (!query_of(r, "SELECT id, author::bigint, at, text"
	    " FROM youyun.my_ticket_message WHERE ticket_id = $1 ORDER BY id",
	    ticket, &rows))
		return false;
	if (!query_of(r, "SELECT id, message_id, name, type::bigint,"
	    " bytes::bigint FROM youyun.my_ticket_file WHERE ticket_id = $1"
	    " ORDER BY message_id, id", ticket, &files)) {
		db_rows_free(&rows);
		return false;
	}
	list = json_object_new_array();
	for (size_t i = 0; i < db_rows_count(rows); i++)
		json_object_array_add(list, message_json(rows, i, files,
		    &file));
	put(o, "messages", list);
	db_rows_free(&rows);
	db_rows_free(&files);
	return true;
}

static bool
add_refunds(struct request *r, struct json_object *o, int64_t ticket)
{
	struct json_object *list, *e;
	struct db_rows *rows;

	if (!query_of(r, "SELECT transaction_id, amount_nano, at"
	    " FROM youyun.my_ticket_refund WHERE ticket_id = $1"
	    " ORDER BY transaction_id", ticket, &rows))
		return false;
	list = json_object_new_array();
	for (size_t i = 0; i < db_rows_count(rows); i++) {
		e = json_object_new_object();
		put_int(e, "booking", db_get_int(rows, i, 0));
		put(e, "amount", json_amount(db_get_int(rows, i, 1)));
		put(e, "at", json_time(db_get_time(rows, i, 2)));
		json_object_array_add(list, e);
	}
	put(o, "refunds", list);
	db_rows_free(&rows);
	return true;
}

static void
answer_ticket(struct request *r, int status, int64_t id)
{
	struct json_object *o;
	struct db_rows *rows;

	if (!query_of(r, TICKETS " WHERE id = $1", id, &rows))
		return;
	if (db_rows_count(rows) != 1) {
		db_rows_free(&rows);
		answer_database(r, DB_NONE);
		return;
	}
	o = ticket_json(rows, 0);
	db_rows_free(&rows);
	if (add_messages(r, o, id) && add_refunds(r, o, id))
		answer_json(r, status, o);
	else
		json_object_put(o);
}

void
run_ticket(struct request *r)
{
	int64_t id;

	if (query_only(r, nothing) && part_number(r, 0, &id))
		answer_ticket(r, 200, id);
}

/*
 * What is said.
 */
static void
not_said(struct request *r, enum db_result result)
{
	const char *state = result == DB_ERROR ? db_sqlstate(r->db) : "";

	if (strcmp(state, "YY012") == 0)
		answer_problem(r, 409, "too_many_tickets", NULL,
		    "There are 20 open tickets; close one first.");
	else if (strcmp(state, "YY013") == 0) {
		answer_header(r, "Retry-After", "3600");
		answer_problem(r, 429, "too_many_messages", NULL,
		    "There were 200 messages within a day; come back later.");
	} else if (strcmp(state, "YY014") == 0)
		answer_problem(r, 409, "closed", NULL,
		    "The ticket is closed; open another.");
	else if (strcmp(state, "YY015") == 0)
		answer_problem(r, 409, "ticket_full", NULL,
		    "The ticket has 500 messages; open another.");
	else if (strcmp(state, "YY016") == 0)
		answer_problem(r, 409, "files_full", "attachments",
		    "The account's files are 64 MiB already.");
	else
		answer_database(r, result);
}

static bool
is_blank(const char *text)
{
	return text[strspn(text, " \t\r\n")] == '\0';
}

static bool
take_words(struct request *r, const char **text_r)
{
	if (!body_lines(r, "text", true, 1, TEXT_MAX_BYTES, text_r))
		return false;
	if (!is_blank(*text_r))
		return true;
	answer_problem(r, 400, "bad_member", "text", "It says nothing.");
	return false;
}

static bool
attach(struct request *r, int64_t message, const struct attachments *files)
{
	struct db_param p[4];
	enum db_result result;

	for (size_t i = 0; i < files->count; i++) {
		p[0] = db_int(message);
		p[1] = db_text(files->file[i].name);
		p[2] = db_int(files->file[i].type);
		p[3] = db_bytes(files->file[i].content, files->file[i].len);
		result = db_query(r->db, "SELECT"
		    " youyun.my_ticket_file_add($1, $2, $3, $4)", p, 4, NULL);
		if (result != DB_OK) {
			not_said(r, result);
			return false;
		}
	}
	return true;
}

/* The customer's own call, which the member request_id names. */
struct about {
	bool given;
	int64_t started_us;
	uint8_t id[RECORD_ID_BYTES];
};

static bool
find_call(struct request *r, struct about *about)
{
	struct db_param p[3];
	struct db_rows *rows;
	enum db_result result;

	call_by_id(about->id, p);
	result = db_query(r->db, "SELECT started_at FROM youyun.my_call"
	    CALL_BY_ID, p, 3, &rows);
	if (result != DB_OK) {
		answer_database(r, result);
		return false;
	}
	about->given = db_rows_count(rows) == 1;
	if (about->given)
		about->started_us = db_get_time(rows, 0, 0);
	db_rows_free(&rows);
	if (!about->given)
		answer_problem(r, 400, "no_call", "request_id",
		    "There is no such call; one is there some milliseconds"
		    " after its end.");
	return about->given;
}

static bool
take_about(struct request *r, struct about *about)
{
	const char *text;

	memset(about, 0, sizeof(*about));
	if (!body_text(r, "request_id", false, 1, REQUEST_ID_MAX_BYTES,
	    &text))
		return false;
	if (text == NULL)
		return true;
	if (!call_id_parse(text, about->id)) {
		answer_problem(r, 400, "bad_member", "request_id",
		    "It is no request id; x-request-id of an answer is one.");
		return false;
	}
	return find_call(r, about);
}

static void
open_ticket(struct request *r, const char *subject, const char *text,
    const struct about *about, const struct attachments *files)
{
	struct db_param p[4];
	struct db_rows *rows;
	enum db_result result;
	int64_t ticket, message;

	p[0] = db_text(subject);
	p[1] = db_text(text);
	p[2] = db_time_or_null(about->started_us);
	p[3] = db_bytes(about->id, sizeof(about->id));
	p[3].null = !about->given;
	result = db_query(r->db, "SELECT ticket, message"
	    " FROM youyun.my_ticket_open($1, $2, $3,"
	    " encode($4, 'hex')::uuid)", p, 4, &rows);
	if (result != DB_OK) {
		not_said(r, result);
		return;
	}
	ticket = db_get_int(rows, 0, 0);
	message = db_get_int(rows, 0, 1);
	db_rows_free(&rows);
	if (attach(r, message, files))
		answer_ticket(r, 201, ticket);
}

void
run_ticket_open(struct request *r)
{
	static const char *const known[] = { "subject", "text", "request_id",
		"attachments", NULL };
	const char *subject, *text;
	struct attachments files = { 0 };
	struct about about;

	if (!query_only(r, nothing) || !body_only(r, known) ||
	    !body_text(r, "subject", true, 1, SUBJECT_MAX_BYTES, &subject))
		return;
	if (is_blank(subject)) {
		answer_problem(r, 400, "bad_member", "subject",
		    "It says nothing.");
		return;
	}
	if (take_words(r, &text) && attachments_take(r, &files) &&
	    take_about(r, &about))
		open_ticket(r, subject, text, &about, &files);
	attachments_free(&files);
}

static void
reply(struct request *r, int64_t ticket, const char *text,
    const struct attachments *files)
{
	struct db_param p[2];
	struct db_rows *rows;
	enum db_result result;
	int64_t message;

	p[0] = db_int(ticket);
	p[1] = db_text(text);
	result = db_query(r->db, "SELECT youyun.my_ticket_reply($1, $2)", p,
	    2, &rows);
	if (result != DB_OK) {
		not_said(r, result);
		return;
	}
	message = db_get_int(rows, 0, 0);
	db_rows_free(&rows);
	if (attach(r, message, files))
		answer_ticket(r, 201, ticket);
}

void
run_ticket_reply(struct request *r)
{
	static const char *const known[] = { "text", "attachments", NULL };
	struct attachments files = { 0 };
	const char *text;
	int64_t id;

	if (!query_only(r, nothing) || !part_number(r, 0, &id) ||
	    !body_only(r, known))
		return;
	if (take_words(r, &text) && attachments_take(r, &files))
		reply(r, id, text, &files);
	attachments_free(&files);
}

void
run_ticket_close(struct request *r)
{
	struct db_rows *rows;
	bool found;
	int64_t id;

	/* Closing again is no mistake. */
	if (!query_only(r, nothing) || !part_number(r, 0, &id) ||
	    !query_of(r, "SELECT youyun.my_ticket_close($1)", id, &rows))
		return;
	found = db_get_int(rows, 0, 0) == 1;
	db_rows_free(&rows);
	if (found)
		answer_ticket(r, 200, id);
	else
		answer_database(r, DB_NONE);
}

void
run_ticket_file(struct request *r)
{
	struct db_param p[2];
	struct db_rows *rows;
	enum db_result result;
	int64_t ticket, file;
	const void *content;
	char disposition[128];
	size_t len;
	int type;

	if (!query_only(r, nothing) || !part_number(r, 0, &ticket) ||
	    !part_number(r, 1, &file))
		return;
	p[0] = db_int(ticket);
	p[1] = db_int(file);
	result = db_query(r->db, "SELECT type::bigint, content"
	    " FROM youyun.my_ticket_file WHERE ticket_id = $1 AND id = $2", p,
	    2, &rows);
	if (result != DB_OK || db_rows_count(rows) != 1) {
		if (result == DB_OK)
			db_rows_free(&rows);
		answer_database(r, result == DB_OK ? DB_NONE : (int)result);
		return;
	}
	type = (int)db_get_int(rows, 0, 0);
	content = db_get_bytes(rows, 0, 1, &len);
	/* Never shown in place, and by no name that somebody chose. */
	snprintf(disposition, sizeof(disposition),
	    "attachment; filename=\"ticket-%lld-%lld.%s\"", (long long)ticket,
	    (long long)file, attachment_suffix(type));
	answer_header(r, "Content-Disposition", disposition);
	r->content_type = attachment_media_type(type);
	if (buf_append(&r->out, content, len))
		r->status = 200;
	else
		answer_database(r, DB_AWAY);
	db_rows_free(&rows);
}
