/*
 * request.h: one request to the customers' API, and its answer.
 * Layer: portal.
 * Written by: server.c; handlers read it and set the answer.
 */
#ifndef PORTAL_REQUEST_H
#define PORTAL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct MHD_Connection;
struct db;
struct db_param;
struct db_rows;
struct json_object;
struct portal;
struct route;

#define REQUEST_PARTS 2
#define REQUEST_PART_BYTES 128
#define REQUEST_HEADERS_BYTES 1024
#define REQUEST_ACTOR_BYTES 64

/* Who asks. */
struct caller {
	int64_t customer_id;	/* 0: nobody was recognised */
	int64_t key_id;		/* 0: not by a key */
	int64_t session_id;	/* 0: not by a session */
	bool account;		/* may see and change the account */
};

struct request {
	struct portal *portal;
	struct MHD_Connection *connection;	/* for headers and arguments */
	const struct route *route;
	char part[REQUEST_PARTS][REQUEST_PART_BYTES];	/* of {…} in its path */
	struct buf body;
	struct json_object *json;	/* an object; NULL: there was none */
	struct caller caller;
	struct db *db;		/* in the request's transaction */

	/* The answer. */
	int status;		/* 0: not decided yet */
	bool keep;		/* commit, although it is refused */
	char headers[REQUEST_HEADERS_BYTES];	/* "Name: value\r\n" lines */
	const char *content_type;
	struct buf out;
	/* More of the body follows, as long as it returns true: it appends to
	 * out, each time in a transaction of its own. */
	bool (*more)(struct request *request);
	void *more_state;
	void (*more_free)(void *state);
};

/*
 * Of a handler without a database (struct route): a transaction of its own, in
 * which its caller is known.  False: the answer is set.  request_end() commits
 * unless the answer is a refusal that isn't to be kept; where it can't, the
 * answer says so.
 */
bool	request_begin(struct request *r) __attribute__((warn_unused_result));
void	request_end(struct request *r);

/* A query's one number; false: the answer is set. */
bool	request_int(struct request *r, const char *sql,
	    const struct db_param *params, size_t n, int64_t *number_r)
	    __attribute__((warn_unused_result));

/* Sets the answer; json is taken.  200 to 202. */
void	answer_json(struct request *r, int status, struct json_object *json);
/* application/problem+json (RFC 9457); name is the member or argument that it
 * is about, or NULL.  code: stable, for programs. */
void	answer_problem(struct request *r, int status, const char *code,
	    const char *name, const char *fmt, ...)
	    __attribute__((format(printf, 5, 6)));
/* What the database said, when the handler has no words of its own. */
void	answer_database(struct request *r, int result);
/* Adds a header to the answer; name and value must be fit for one. */
void	answer_header(struct request *r, const char *name, const char *value);

/*
 * Arguments of the query.  Each returns false when the answer is decided: a
 * problem that names the argument.  Absent: the default, or 0, "".
 */
bool	query_only(struct request *r, const char *const *names)
	    __attribute__((warn_unused_result));
const char *query_text(struct request *r, const char *name);
bool	query_number(struct request *r, const char *name, int64_t least,
	    int64_t most, int64_t *number_r)
	    __attribute__((warn_unused_result));
/* ISO 8601: a day, or a time with Z; and how a problem says so. */
#define TIME_ALLOWED "A day, 2026-11-26, or a time, 2026-11-26T13:00:00Z, is" \
	" wanted."
bool	query_time(struct request *r, const char *name, int64_t *us_r)
	    __attribute__((warn_unused_result));

/*
 * Lists by pages, of rows whose first column is their id.  query_page() reads
 * the arguments after and limit; params_r, two, is for "id > $1" or, latest
 * first, "id < $1", and "LIMIT $2", which asks for one more than a page has.
 * answer_page() answers {name: […], "next": id or null} and frees the rows.
 * Views that may be long have their order inside (0035), and a page's query
 * says none, or it would read all of them.
 */
bool	query_page(struct request *r, bool latest_first,
	    struct db_param *params_r) __attribute__((warn_unused_result));
void	answer_page(struct request *r, const char *name, struct db_rows *rows,
	    const struct db_param *params,
	    struct json_object *(*row)(const struct db_rows *rows, size_t i));

/* Reads the body of a route that doesn't say it has one. */
bool	body_parse(struct request *r) __attribute__((warn_unused_result));
/* "a, b" of names that end with NULL, for what a problem says. */
void	names_join(const char *const *names, char *text, size_t size);
/* Members of the body, likewise; which: absent ones.  In body.c. */
bool	body_only(struct request *r, const char *const *names)
	    __attribute__((warn_unused_result));
bool	body_text(struct request *r, const char *name, bool needed,
	    size_t least, size_t most, const char **text_r)
	    __attribute__((warn_unused_result));
/* The same, with line breaks and tabs in it. */
bool	body_lines(struct request *r, const char *name, bool needed,
	    size_t least, size_t most, const char **text_r)
	    __attribute__((warn_unused_result));
/* An array of texts like body_text()'s, at most most_n; *texts_r NULL: it is
 * absent.  Caller frees the array, not the texts. */
bool	body_texts(struct request *r, const char *name, size_t most_n,
	    size_t most, const char ***texts_r, size_t *n_r)
	    __attribute__((warn_unused_result));
bool	body_has(const struct request *r, const char *name);
bool	body_is_null(const struct request *r, const char *name);
/* An integer; absent: *number_r stays. */
bool	body_number(struct request *r, const char *name, int64_t least,
	    int64_t most, int64_t *number_r)
	    __attribute__((warn_unused_result));
/* An amount from 0 on, as a decimal string; null: 0; absent: *nano_r stays. */
bool	body_amount(struct request *r, const char *name, int64_t *nano_r)
	    __attribute__((warn_unused_result));
/* The member language; absent: *language_r NULL. */
bool	body_language(struct request *r, const char **language_r)
	    __attribute__((warn_unused_result));
bool	body_time(struct request *r, const char *name, int64_t *us_r)
	    __attribute__((warn_unused_result));
/* A path's part as a number; 404 when it is none. */
bool	part_number(struct request *r, int part, int64_t *number_r)
	    __attribute__((warn_unused_result));

/* What members of answers are made with.  Amounts are decimal strings, times
 * "2026-11-26T13:00:00.123456Z" or null. */
struct json_object *json_amount(int64_t nano);
/* Null for 0, which is no limit. */
struct json_object *json_cap(int64_t nano);
struct json_object *json_time(int64_t us);
struct json_object *json_text(const char *text);
/* The lines of a text, as an array. */
struct json_object *json_lines(const char *text);
void	put(struct json_object *o, const char *key, struct json_object *value);
void	put_int(struct json_object *o, const char *key, int64_t n);

bool	time_parse(const char *text, int64_t *us_r)
	    __attribute__((warn_unused_result));

#endif
