#include "portal/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <json-c/json.h>
#include <microhttpd.h>

#include "base/log.h"
#include "conf/heritage.h"
#include "conf/settings.h"
#include "db/connection.h"
#include "db/value.h"
#include "portal/auth.h"
#include "portal/login.h"
#include "portal/pool.h"
#include "portal/request.h"
#include "portal/route.h"

#define CONNECTIONS 64
/* Above what a worker keeps an idle connection for. */
#define IDLE_S 60
#define POOL_WAIT_MS 3000
#define OUT_MAX_BYTES (UINT64_C(64) << 20)
#define JSON_DEPTH 8
/* An answer's head for the client, see worker/portal.h. */
#define HEAD_BYTES 3072

static struct request *
request_new(struct portal *portal, struct MHD_Connection *connection)
{
	struct request *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->portal = portal;
	r->connection = connection;
	buf_init(&r->body, portal->heritage->settings->portal_body_bytes);
	buf_init(&r->out, OUT_MAX_BYTES);
	return r;
}

/* Rolls back what is still open: what was to be kept is committed. */
static void
request_free(struct request *r)
{
	if (r->more_free != NULL)
		r->more_free(r->more_state);
	if (r->db != NULL) {
		if (db_script(r->db, "ROLLBACK") != DB_OK)
			db_disconnect(r->db);
		pool_put(r->portal->pool, &r->db);
	}
	json_object_put(r->json);
	buf_free(&r->body);
	buf_free(&r->out);
	/* A cookie may have been in it. */
	bytes_scrub(r->headers, sizeof(r->headers));
	free(r);
}

static const char *
header(struct request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
	    name);
}

static bool
is_json(const char *type)
{
	size_t n = strlen("application/json");

	return type != NULL && strncasecmp(type, "application/json", n) ==
	    0 && (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

/* The body as one JSON object, nothing behind it. */
bool
body_parse(struct request *r)
{
	struct json_tokener *tokener;

	if (!is_json(header(r, "content-type"))) {
		answer_problem(r, 415, "media_type", NULL,
		    "A body of application/json is wanted.");
		return false;
	}
	tokener = json_tokener_new_ex(JSON_DEPTH);
	if (tokener != NULL) {
		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT |
		    JSON_TOKENER_VALIDATE_UTF8);
		r->json = json_tokener_parse_ex(tokener, r->body.len > 0 ?
		    buf_head(&r->body) : "", (int)r->body.len);
		if (json_tokener_get_error(tokener) != json_tokener_success ||
		    json_tokener_get_parse_end(tokener) != r->body.len) {
			json_object_put(r->json);
			r->json = NULL;
		}
		json_tokener_free(tokener);
	}
	if (json_object_is_type(r->json, json_type_object))
		return true;
	answer_problem(r, 400, "bad_json", NULL,
	    "The body is not one JSON object.");
	return false;
}

static bool
begin(struct request *r)
{
	r->db = pool_get(r->portal->pool, POOL_WAIT_MS);
	if (r->db != NULL && db_script(r->db, "BEGIN; SET LOCAL"
	    " statement_timeout = '10s'; SET LOCAL search_path = youyun,"
	    " pg_temp") == DB_OK)
		return true;
	answer_database(r, DB_AWAY);
	return false;
}

bool
request_begin(struct request *r)
{
	if (begin(r) && (r->caller.customer_id == 0 || auth_see_own(r)))
		return true;
	request_end(r);
	return false;
}

void
request_end(struct request *r)
{
	enum db_result result;

	if (r->db == NULL)
		return;
	if (r->status >= 300 && !r->keep)
		result = db_script(r->db, "ROLLBACK");
	else
		result = db_script(r->db, "COMMIT");
	if (result != DB_OK) {
		db_disconnect(r->db);
		if (r->status < 300 || r->keep)
			answer_database(r, DB_UNKNOWN);
	}
	pool_put(r->portal->pool, &r->db);
}

/* Who asks is found in a transaction that is over before the handler runs. */
static bool
is_known(struct request *r)
{
	bool known;

	if (r->route->access == ROUTE_PUBLIC)
		return true;
	known = begin(r) && portal_authenticate(r);
	request_end(r);
	return known && r->status == 0;
}

static void
run(struct request *r)
{
	if (r->route->body && !body_parse(r))
		return;
	/* Before it costs a connection to the database. */
	if (r->route->access == ROUTE_SIGNED && !payment_is_signed(r))
		return;
	if (!r->route->no_database) {
		if (!begin(r))
			return;
		if (portal_authenticate(r))
			r->route->run(r);
		if (r->status == 0)
			answer_database(r, DB_ERROR);
		request_end(r);
	} else if (is_known(r)) {
		r->route->run(r);
		if (r->status == 0)
			answer_database(r, DB_ERROR);
	}
}

/* Every answer, also a short one, has its head for the client in front. */
static bool
write_head(struct request *r, char head[HEAD_BYTES], size_t *len_r)
{
	int n = snprintf(head, HEAD_BYTES, "%s%s%sCache-Control: %s\r\n"
	    "X-Content-Type-Options: nosniff\r\n"
	    "Referrer-Policy: no-referrer\r\n"
	    "Content-Security-Policy: default-src 'none'; style-src"
	    " 'unsafe-inline'; frame-ancestors 'none'\r\n%s\r\n",
	    r->content_type != NULL ? "Content-Type: " : "",
	    r->content_type != NULL ? r->content_type : "",
	    r->content_type != NULL ? "\r\n" : "",
	    r->route != NULL && r->route->access == ROUTE_PUBLIC &&
	    strcmp(r->route->method, "GET") == 0 && r->status < 300 ?
	    "public, max-age=60" : "no-store", r->headers);

	*len_r = (size_t)n;
	return n > 0 && n < HEAD_BYTES;
}

/* Each piece has a transaction of its own: a client that is slow to read keeps
 * no connection to the database. */
static bool
run_more(struct request *r)
{
	bool more = false;

	if (request_begin(r))
		more = r->more(r);
	request_end(r);
	return more && r->status < 300;
}

static ssize_t
read_more(void *arg, uint64_t position, char *buf, size_t max)
{
	struct request *r = arg;

	(void)position;
	while (r->out.len == 0) {
		if (r->more == NULL)
			return MHD_CONTENT_READER_END_OF_STREAM;
		if (!run_more(r)) {
			r->more = NULL;
			/* A short answer must not look whole. */
			if (r->status >= 300)
				return MHD_CONTENT_READER_END_WITH_ERROR;
		}
	}
	if (max > r->out.len)
		max = r->out.len;
	memcpy(buf, buf_head(&r->out), max);
	buf_consume(&r->out, max);
	return (ssize_t)max;
}

static void
no_free(void *arg)
{
	(void)arg;
}

/* There is always a body: the head is in it. */
static enum MHD_Result
send_answer(struct request *r)
{
	char head[HEAD_BYTES];
	struct MHD_Response *response;
	enum MHD_Result result;
	struct buf body;
	size_t len;

	if (!write_head(r, head, &len))
		return MHD_NO;
	buf_init(&body, OUT_MAX_BYTES + HEAD_BYTES);
	if (!buf_append(&body, head, len) || (r->out.len > 0 &&
	    !buf_append(&body, buf_head(&r->out), r->out.len))) {
		buf_free(&body);
		return MHD_NO;
	}
	if (r->more != NULL) {
		buf_free(&r->out);
		r->out = body;
		response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN,
		    65536, read_more, r, no_free);
	} else {
		response = MHD_create_response_from_buffer_copy(body.len,
		    buf_head(&body));
		buf_free(&body);
	}
	if (response == NULL)
		return MHD_NO;
	result = MHD_queue_response(r->connection, (unsigned)r->status,
	    response);
	MHD_destroy_response(response);
	return result;
}

static void
find(struct request *r, const char *url, const char *method)
{
	char allow[64];

	r->route = route_find(r, method, url, allow, sizeof(allow));
	if (r->route != NULL)
		return;
	if (allow[0] != '\0') {
		answer_header(r, "Allow", allow);
		answer_problem(r, 405, "method", NULL,
		    "This path takes %s.", allow);
	} else
		answer_problem(r, 404, "no_route", NULL,
		    "There is no such path; /api/v1/openapi.json has all.");
}

static enum MHD_Result
on_request(void *arg, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_size, void **context)
{
	struct request *r = *context;

	(void)version;
	if (r == NULL) {
		r = request_new(arg, connection);
		*context = r;
		return r != NULL ? MHD_YES : MHD_NO;
	}
	if (*upload_size > 0) {
		if (!buf_append(&r->body, upload, *upload_size))
			return MHD_NO;
		*upload_size = 0;
		return MHD_YES;
	}
	find(r, url, method);
	if (r->status == 0)
		run(r);
	return send_answer(r);
}

static void
on_completed(void *arg, struct MHD_Connection *connection, void **context,
    enum MHD_RequestTerminationCode why)
{
	(void)arg;
	(void)connection;
	(void)why;
	if (*context != NULL)
		request_free(*context);
	*context = NULL;
}

/* libmicrohttpd's own words, which may quote a request. */
static void
be_silent(void *arg, const char *fmt, va_list ap)
{
	(void)arg;
	(void)fmt;
	(void)ap;
}

bool
server_start(struct portal *portal)
{
	if (sem_init(&portal->hashing, 0, LOGIN_HASHES) != 0)
		return false;
	portal->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD |
	    MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL |
	    MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC | MHD_USE_ERROR_LOG, 0,
	    NULL, NULL, on_request, portal,
	    MHD_OPTION_EXTERNAL_LOGGER, be_silent, NULL,
	    MHD_OPTION_NOTIFY_COMPLETED, on_completed, portal,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
	    MHD_OPTION_CLIENT_DISCIPLINE_LVL, 1,
	    MHD_OPTION_END);
	return portal->daemon != NULL;
}

void
server_add(struct portal *portal, int fd)
{
	/* Whose it is the head says; this is just any address. */
	struct sockaddr_in any = { .sin_family = AF_INET };

	any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (MHD_add_connection(portal->daemon, fd, (struct sockaddr *)&any,
	    sizeof(any)) != MHD_YES)
		log_warning("a worker's connection was not taken");
}

void
server_stop(struct portal *portal)
{
	if (portal->daemon != NULL)
		MHD_stop_daemon(portal->daemon);
	portal->daemon = NULL;
}
