#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/peer/request.h"

static bool
read_line(struct peer_conn *conn, struct peer_buf *line, size_t max_bytes)
{
	int c;

	while ((c = peer_conn_getc(conn)) != -1) {
		char byte = (char)c;

		peer_buf_add(line, &byte, 1);
		if (c == '\n')
			return true;
		if (line->len > max_bytes)
			return false;
	}
	return false;
}

/* Reads up to and including the empty line. */
static enum peer_request_result
read_head(struct peer_request *request, struct peer_conn *conn)
{
	struct peer_buf *head = &request->head;

	for (;;) {
		size_t start = head->len;

		if (!read_line(conn, head, PEER_HEAD_BYTES))
			return head->len == 0 ? PEER_REQUEST_END :
			    PEER_REQUEST_BAD;
		if (head->len - start == 2 && head->data[start] == '\r')
			return PEER_REQUEST_OK;
	}
}

static bool
split_head(struct peer_request *request)
{
	char *rest = request->head.data;
	char *line = strsep(&rest, "\n");

	line[strcspn(line, "\r")] = '\0';
	request->method = strsep(&line, " ");
	request->target = strsep(&line, " ");
	if (line == NULL || strcmp(line, "HTTP/1.1") != 0)
		return false;
	while ((line = strsep(&rest, "\n")) != NULL && line[0] != '\r' &&
	    line[0] != '\0') {
		struct peer_header *header;
		char *colon = strchr(line, ':');

		if (colon == NULL || request->headers == PEER_HEADERS_MAX)
			return false;
		line[strcspn(line, "\r")] = '\0';
		*colon++ = '\0';
		header = &request->header[request->headers++];
		header->name = line;
		header->value = colon + strspn(colon, " \t");
	}
	return true;
}

const char *
peer_request_header(const struct peer_request *request, const char *name)
{
	for (unsigned i = 0; i < request->headers; i++) {
		if (strcasecmp(request->header[i].name, name) == 0)
			return request->header[i].value;
	}
	return NULL;
}

static bool
read_exactly(struct peer_request *request, struct peer_conn *conn, size_t len)
{
	char part[8192];

	if (len > PEER_BODY_BYTES - request->body.len)
		return false;
	while (len > 0) {
		size_t want = len < sizeof(part) ? len : sizeof(part);

		if (!peer_conn_read(conn, part, want))
			return false;
		peer_buf_add(&request->body, part, want);
		len -= want;
	}
	return true;
}

static bool
read_chunked(struct peer_request *request, struct peer_conn *conn)
{
	struct peer_buf line = { 0 };
	unsigned long size;
	bool good;

	do {
		char *end;

		peer_buf_reset(&line);
		good = read_line(conn, &line, 1024);
		if (!good)
			break;
		size = strtoul(line.data, &end, 16);
		good = end != line.data && read_exactly(request, conn, size) &&
		    peer_conn_getc(conn) == '\r' &&
		    peer_conn_getc(conn) == '\n';
	} while (good && size > 0);
	peer_buf_reset(&line);
	return good;
}

static bool
read_body(struct peer_request *request, struct peer_conn *conn)
{
	const char *length = peer_request_header(request, "Content-Length");
	const char *coding = peer_request_header(request, "Transfer-Encoding");

	if (length != NULL && coding != NULL)
		return false;
	if (coding != NULL)
		return strcasecmp(coding, "chunked") == 0 &&
		    read_chunked(request, conn);
	if (length == NULL)
		return true;
	return read_exactly(request, conn, strtoul(length, NULL, 10));
}

static long
member_long(struct json_object *root, const char *name)
{
	struct json_object *member;

	if (!json_object_object_get_ex(root, name, &member))
		return 0;
	return (long)json_object_get_int64(member);
}

/* The model in a form, or in Gemini's path. */
static void
find_model(struct peer_request *request)
{
	static const char part[] = "name=\"model\"\r\n\r\n";
	const char *p = NULL;
	size_t n;

	if (request->body.len > 0)
		p = memmem(request->body.data, request->body.len, part,
		    sizeof(part) - 1);
	if (p != NULL) {
		p += sizeof(part) - 1;
		n = strcspn(p, "\r");
		request->stream = memmem(request->body.data,
		    request->body.len, "name=\"stream\"\r\n\r\ntrue", 21) !=
		    NULL;
	} else {
		p = strstr(request->target, "/models/");
		if (p == NULL)
			return;
		p += strlen("/models/");
		n = strcspn(p, ":?");
	}
	if (n < sizeof(request->model)) {
		memcpy(request->model, p, n);
		request->model[n] = '\0';
	}
}

/* json-c on purpose: the project's own scanner must not check itself. */
static void
read_members(struct peer_request *request)
{
	struct json_object *root, *member, *inner;

	if (request->body.len == 0)
		return;
	root = json_tokener_parse(request->body.data);
	if (!json_object_is_type(root, json_type_object)) {
		json_object_put(root);
		return;
	}
	if (json_object_object_get_ex(root, "model", &member))
		snprintf(request->model, sizeof(request->model), "%s",
		    json_object_get_string(member));
	if (json_object_object_get_ex(root, "stream", &member))
		request->stream = json_object_get_boolean(member);
	if (json_object_object_get_ex(root, "stream_options", &member) &&
	    json_object_object_get_ex(member, "include_usage", &inner))
		request->include_usage = json_object_get_boolean(inner);
	request->max_tokens = member_long(root, "max_completion_tokens");
	if (request->max_tokens <= 0)
		request->max_tokens = member_long(root, "max_tokens");
	json_object_put(root);
}

enum peer_request_result
peer_request_read(struct peer_request *request, struct peer_conn *conn)
{
	enum peer_request_result result;
	const char *connection;

	memset(request, 0, sizeof(*request));
	result = read_head(request, conn);
	if (result != PEER_REQUEST_OK)
		return result;
	if (!split_head(request) || !read_body(request, conn))
		return PEER_REQUEST_BAD;
	connection = peer_request_header(request, "Connection");
	request->keep_alive = connection == NULL ||
	    strcasecmp(connection, "close") != 0;
	if (strncmp(request->target, "/v1/messages", 12) == 0 ||
	    peer_request_header(request, "anthropic-version") != NULL)
		request->protocol = PEER_ANTHROPIC;
	read_members(request);
	if (strncmp(request->model, "models/", 7) == 0)
		memmove(request->model, request->model + 7,
		    strlen(request->model + 7) + 1);
	if (request->model[0] == '\0')
		find_model(request);
	return PEER_REQUEST_OK;
}

void
peer_request_free(struct peer_request *request)
{
	peer_buf_reset(&request->head);
	peer_buf_reset(&request->body);
}
