#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/peer/answer.h"
#include "tests/peer/tally.h"

#define HUGE_HEAD_LINES 256

/* The fields of every answer: some of them must not reach a customer. */
static void
head_begin(const struct peer_answer *answer, struct peer_buf *out, int status,
    const char *type)
{
	static const char reason[] = "Because";

	peer_buf_printf(out, "HTTP/1.1 %d %s\r\n", status,
	    status == 200 ? "OK" : reason);
	peer_buf_text(out, "Server: peer\r\n");
	peer_buf_printf(out, "Content-Type: %s\r\n", type);
	peer_buf_printf(out, "%s: req_peer_%lu\r\n",
	    answer->request->protocol == PEER_ANTHROPIC ? "request-id" :
	    "x-request-id", answer->serial);
	peer_buf_text(out, "x-ratelimit-remaining-requests: 41\r\n"
	    "anthropic-ratelimit-requests-remaining: 41\r\n"
	    "openai-organization: org-peer\r\n"
	    "Set-Cookie: peer=1\r\n");
	if (status == 429 || status == 529 || status == 503)
		peer_buf_text(out, "Retry-After: 7\r\n");
	if (answer->scenario->close_after)
		peer_buf_text(out, "Connection: close\r\n");
}

static uint32_t
crc32_of(const unsigned char *data, size_t len)
{
	uint32_t crc = 0xffffffffu;

	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (0xedb88320u & -(crc & 1));
	}
	return ~crc;
}

static void
put_le(struct peer_buf *out, uint32_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++) {
		unsigned char byte = (unsigned char)(value >> (8 * i));

		peer_buf_add(out, &byte, 1);
	}
}

/* RFC 1952 with RFC 1951's stored blocks: valid gzip without a library. */
static void
gzip_stored(struct peer_buf *out, const struct peer_buf *body)
{
	static const unsigned char head[10] = { 0x1f, 0x8b, 8, [9] = 3 };
	size_t at = 0;

	peer_buf_add(out, head, sizeof(head));
	do {
		size_t part = body->len - at;
		unsigned char last;

		if (part > 65535)
			part = 65535;
		last = at + part == body->len;
		peer_buf_add(out, &last, 1);
		put_le(out, (uint32_t)part, 2);
		put_le(out, ~(uint32_t)part & 0xffff, 2);
		peer_buf_add(out, body->data + at, part);
		at += part;
	} while (at < body->len);
	put_le(out, crc32_of((unsigned char *)body->data, body->len), 4);
	put_le(out, (uint32_t)body->len, 4);
}

static enum peer_after
send_and(struct peer_answer *answer, struct peer_buf *out,
    enum peer_after after)
{
	peer_conn_write(answer->conn, out->data, out->len);
	peer_buf_reset(out);
	return answer->conn->broken ? PEER_AFTER_TRUNCATE : after;
}

static void
put_length_and_body(struct peer_buf *out, const struct peer_buf *body)
{
	peer_buf_printf(out, "Content-Length: %zu\r\n\r\n", body->len);
	peer_buf_add(out, body->data, body->len);
}

static enum peer_after
normal_end(const struct peer_answer *answer)
{
	if (answer->scenario->close_after || answer->scenario->half_keepalive ||
	    !answer->request->keep_alive)
		return PEER_AFTER_CLOSE;
	return PEER_AFTER_KEEP;
}

/* Answers whose framing is wrong or odd; false: the fault is none of them. */
static bool
send_faulty(struct peer_answer *answer, struct peer_buf *out,
    const struct peer_buf *body, enum peer_after *after_r)
{
	struct peer_buf packed = { 0 };

	*after_r = PEER_AFTER_TRUNCATE;
	switch (answer->scenario->fault) {
	case PEER_FAULT_CUT_MID_BODY:
		peer_buf_printf(out, "Content-Length: %zu\r\n\r\n", body->len);
		peer_buf_add(out, body->data, body->len / 2);
		break;
	case PEER_FAULT_BAD_FRAMING:
		peer_buf_text(out, "Transfer-Encoding: chunked\r\n");
		put_length_and_body(out, body);
		break;
	case PEER_FAULT_TWO_LENGTHS:
		peer_buf_text(out, "Content-Length: 3\r\n");
		put_length_and_body(out, body);
		break;
	case PEER_FAULT_BAD_CHUNK:
		peer_buf_printf(out, "Transfer-Encoding: chunked\r\n\r\n"
		    "zz\r\n%s\r\n0\r\n\r\n", body->data);
		break;
	case PEER_FAULT_HUGE_HEAD:
		for (int i = 0; i < HUGE_HEAD_LINES; i++)
			peer_buf_printf(out, "x-huge-%d: %01000d\r\n", i, i);
		put_length_and_body(out, body);
		break;
	case PEER_FAULT_UNTIL_CLOSE:
		peer_buf_text(out, "Connection: close\r\n\r\n");
		peer_buf_add(out, body->data, body->len);
		*after_r = PEER_AFTER_CLOSE;
		break;
	case PEER_FAULT_GZIP:
		gzip_stored(&packed, body);
		peer_buf_text(out, "Content-Encoding: gzip\r\n");
		put_length_and_body(out, &packed);
		peer_buf_reset(&packed);
		*after_r = PEER_AFTER_KEEP;
		break;
	case PEER_FAULT_STRAY:
		put_length_and_body(out, body);
		peer_buf_text(out, "HTTP/1.1 200 OK\r\nContent-Type: text/plain"
		    "\r\nContent-Length: 5\r\n\r\nstray");
		*after_r = PEER_AFTER_KEEP;
		break;
	case PEER_FAULT_TRAILERS:
		peer_buf_printf(out, "Transfer-Encoding: chunked\r\n"
		    "Trailer: x-sum\r\n\r\n%zx;ext=1\r\n", body->len);
		peer_buf_add(out, body->data, body->len);
		peer_buf_text(out, "\r\n0\r\nx-sum: 1\r\n\r\n");
		*after_r = normal_end(answer);
		break;
	case PEER_FAULT_NONE:
	case PEER_FAULT_NEVER:
	case PEER_FAULT_CUT_BEFORE_HEAD:
	case PEER_FAULT_CUT_MID_HEAD:
	case PEER_FAULT_CUT_MID_STREAM:
	case PEER_FAULT_CUT_MID_EVENT:
	case PEER_FAULT_RESET:
	case PEER_FAULT_RESET_MID_STREAM:
	case PEER_FAULT_BAD_STATUS_LINE:
	case PEER_FAULT_INTERIM:
	case PEER_FAULT_ERROR_EVENT:
	case PEER_FAULT_NOT_JSON:
	case PEER_FAULT_EMPTY:
	case PEER_FAULT_MUTE:
	case PEER_FAULT_CUT_AFTER_HEAD:
	case PEER_FAULT_ERROR_FIRST:
		return false;
	}
	*after_r = send_and(answer, out, *after_r);
	return true;
}

enum peer_after
peer_answer_whole(struct peer_answer *answer, int status, const char *type,
    const struct peer_buf *body)
{
	struct peer_buf out = { 0 };
	enum peer_after after;

	if (answer->scenario->fault == PEER_FAULT_INTERIM)
		peer_buf_text(&out, "HTTP/1.1 100 Continue\r\n\r\n"
		    "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
	if (answer->scenario->fault == PEER_FAULT_BAD_STATUS_LINE)
		peer_buf_text(&out, "HTP/1.1 2x0 What\r\nX: y\r\n");
	else
		head_begin(answer, &out, status, type);
	if (send_faulty(answer, &out, body, &after))
		return after;
	put_length_and_body(&out, body);
	return send_and(answer, &out, normal_end(answer));
}

/* Faults of framing are the same for a stream: it is sent as one body. */
static bool
stream_needs_whole(enum peer_fault fault)
{
	return fault == PEER_FAULT_CUT_MID_BODY ||
	    fault == PEER_FAULT_BAD_FRAMING ||
	    fault == PEER_FAULT_TWO_LENGTHS || fault == PEER_FAULT_BAD_CHUNK ||
	    fault == PEER_FAULT_BAD_STATUS_LINE ||
	    fault == PEER_FAULT_HUGE_HEAD || fault == PEER_FAULT_GZIP ||
	    fault == PEER_FAULT_STRAY || fault == PEER_FAULT_INTERIM ||
	    fault == PEER_FAULT_TRAILERS;
}

void
peer_answer_begin(struct peer_answer *answer)
{
	struct peer_buf out = { 0 };

	answer->live = !stream_needs_whole(answer->scenario->fault);
	if (!answer->live)
		return;
	head_begin(answer, &out, 200, "text/event-stream; charset=utf-8");
	if (answer->scenario->fault == PEER_FAULT_UNTIL_CLOSE)
		peer_buf_text(&out, "Connection: close\r\n\r\n");
	else
		peer_buf_text(&out, "Transfer-Encoding: chunked\r\n\r\n");
	send_and(answer, &out, PEER_AFTER_KEEP);
}

static bool
emit(struct peer_answer *answer, const struct peer_buf *event)
{
	struct peer_buf out = { 0 };

	if (!answer->live) {
		peer_buf_add(&answer->buffer, event->data, event->len);
		return true;
	}
	atomic_fetch_add(&peer_tally.events, 1);
	if (answer->scenario->fault == PEER_FAULT_UNTIL_CLOSE)
		return peer_conn_write(answer->conn, event->data, event->len);
	peer_buf_printf(&out, "%zx\r\n", event->len);
	peer_buf_add(&out, event->data, event->len);
	peer_buf_text(&out, "\r\n");
	peer_conn_write(answer->conn, out.data, out.len);
	peer_buf_reset(&out);
	return !answer->conn->broken;
}

bool
peer_answer_event(struct peer_answer *answer, const char *name,
    const char *data)
{
	const char *eol = answer->scenario->crlf ? "\r\n" : "\n";
	struct peer_buf event = { 0 };
	bool good;

	if (name != NULL)
		peer_buf_printf(&event, "event: %s%s", name, eol);
	peer_buf_printf(&event, "data: %s%s%s", data, eol, eol);
	good = emit(answer, &event);
	peer_buf_reset(&event);
	return good;
}

void
peer_answer_half_event(struct peer_answer *answer, const char *data)
{
	struct peer_buf event = { 0 };

	peer_buf_printf(&event, "data: %.*s", (int)(strlen(data) / 2), data);
	emit(answer, &event);
	peer_buf_reset(&event);
}

bool
peer_answer_comment(struct peer_answer *answer)
{
	struct peer_buf event = { 0 };
	bool good;

	peer_buf_text(&event, ": still here\n\n");
	good = emit(answer, &event);
	peer_buf_reset(&event);
	return good;
}

enum peer_after
peer_answer_end(struct peer_answer *answer)
{
	struct peer_buf out = { 0 };
	enum peer_after after;

	if (!answer->live) {
		after = peer_answer_whole(answer, 200, "text/event-stream",
		    &answer->buffer);
		peer_buf_reset(&answer->buffer);
		return after;
	}
	if (answer->scenario->fault == PEER_FAULT_UNTIL_CLOSE)
		return PEER_AFTER_CLOSE;
	peer_buf_text(&out, "0\r\n\r\n");
	return send_and(answer, &out, normal_end(answer));
}
