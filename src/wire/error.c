/*
 * error.c: see error.h.
 *
 * Messages are written for the customer, who can change the request, and say
 * nothing of channels or of what an upstream wrote.
 */
#include "wire/error.h"

#include <assert.h>
#include <string.h>

#include "wire/text.h"

/* The vocabulary that goes with a status, in each protocol. */
struct status_words {
	int status;
	const char *openai_type;
	const char *anthropic_type;
	const char *gemini_status;
};

static const struct status_words status_words[] = {
	{ 400, "invalid_request_error", "invalid_request_error",
	    "INVALID_ARGUMENT" },
	{ 401, "invalid_request_error", "authentication_error",
	    "UNAUTHENTICATED" },
	{ 402, "insufficient_quota", "billing_error", "FAILED_PRECONDITION" },
	{ 403, "invalid_request_error", "permission_error",
	    "PERMISSION_DENIED" },
	{ 404, "invalid_request_error", "not_found_error", "NOT_FOUND" },
	{ 405, "invalid_request_error", "invalid_request_error",
	    "INVALID_ARGUMENT" },
	{ 408, "invalid_request_error", "timeout_error", "DEADLINE_EXCEEDED" },
	{ 409, "invalid_request_error", "invalid_request_error",
	    "FAILED_PRECONDITION" },
	{ 413, "invalid_request_error", "request_too_large",
	    "INVALID_ARGUMENT" },
	{ 415, "invalid_request_error", "invalid_request_error",
	    "INVALID_ARGUMENT" },
	{ 426, "invalid_request_error", "invalid_request_error",
	    "INVALID_ARGUMENT" },
	{ 429, "rate_limit_error", "rate_limit_error", "RESOURCE_EXHAUSTED" },
	{ 431, "invalid_request_error", "invalid_request_error",
	    "INVALID_ARGUMENT" },
	{ 499, "invalid_request_error", "invalid_request_error", "CANCELLED" },
	{ 502, "server_error", "api_error", "UNAVAILABLE" },
	{ 503, "server_error", "overloaded_error", "UNAVAILABLE" },
	{ 504, "server_error", "timeout_error", "DEADLINE_EXCEEDED" },
	{ 500, "server_error", "api_error", "INTERNAL" }, /* and any other */
};

#define N_STATUS (sizeof(status_words) / sizeof(status_words[0]))

struct error_row {
	enum wire_error error;
	int status;
	const char *name;
	const char *openai_code;	/* NULL: null */
	bool about_model;		/* param is the model's name */
	bool no_retry;
	const char *message;		/* {param} and {limit} are filled in */
};

static const struct error_row error_rows[] = {
	{ WIRE_ERROR_BAD_REQUEST, 400, "bad_request", NULL, false, false,
	    "The HTTP request is not well formed." },
	{ WIRE_ERROR_BAD_JSON, 400, "bad_json", NULL, false, false,
	    "The request body is not a JSON object. Check for trailing commas,"
	    " unescaped quotes or text after the closing brace." },
	{ WIRE_ERROR_JSON_DEEP, 400, "json_deep", NULL, false, false,
	    "The JSON of the request body is nested more than 128 levels"
	    " deep." },
	{ WIRE_ERROR_BAD_PARAM, 400, "bad_param", "invalid_value", false,
	    false, "The value of '{param}' has the wrong type or is out of"
	    " range." },
	{ WIRE_ERROR_DUPLICATE_PARAM, 400, "duplicate_param",
	    "duplicate_parameter", false, false,
	    "'{param}' stands more than once in the request, or in another"
	    " letter case. It may be given once only, for the price of the"
	    " call depends on it." },
	{ WIRE_ERROR_MISSING_PARAM, 400, "missing_param",
	    "missing_required_parameter", false, false,
	    "The request lacks '{param}', which is required." },
	{ WIRE_ERROR_BAD_FORM, 400, "bad_form", NULL, false, false,
	    "The request body is not well-formed multipart/form-data. Check"
	    " that the Content-Type names the boundary that is used." },
	{ WIRE_ERROR_MODEL_LATE, 400, "model_late", "invalid_value", false,
	    false, "The form's 'model' does not come within the first {limit}"
	    " bytes. Put it before the file." },
	{ WIRE_ERROR_NOT_OFFERED, 400, "not_offered", "unsupported_parameter",
	    false, false, "'{param}' is not offered here. Send the request"
	    " without it." },
	{ WIRE_ERROR_NOT_TRANSLATED, 400, "not_translated",
	    "unsupported_parameter", false, false, "The request asks for"
	    " something that this model's provider has no word for." },
	{ WIRE_ERROR_CONTENT_BLOCKED, 400, "content_blocked",
	    "content_policy_violation", false, true, "The call was refused,"
	    " for something in it is not allowed here. Nothing was"
	    " charged." },
	{ WIRE_ERROR_NO_KEY, 401, "no_key", "missing_api_key", false, false,
	    "No API key was given. Send it as 'Authorization: Bearer KEY' or"
	    " 'x-api-key: KEY'." },
	{ WIRE_ERROR_BAD_KEY, 401, "bad_key", "invalid_api_key", false, false,
	    "The API key is not valid here. Check that it was copied whole and"
	    " has not been revoked." },
	{ WIRE_ERROR_KEY_EXPIRED, 401, "key_expired", "invalid_api_key", false,
	    false, "The API key has expired. Ask for a new one." },
	{ WIRE_ERROR_NO_MONEY, 402, "no_money", "insufficient_quota", false,
	    true, "The balance of this account does not cover the call. Add"
	    " credit, or ask for less output with a smaller token limit." },
	{ WIRE_ERROR_SPENT_DAY, 402, "spent_day", "insufficient_quota", false,
	    true, "What may be spent today (UTC) with this API key, or by its"
	    " account, does not cover the call. The account's owner sees and"
	    " sets the limits." },
	{ WIRE_ERROR_SPENT_MONTH, 402, "spent_month", "insufficient_quota",
	    false, true, "What may be spent this month (UTC) with this API"
	    " key, or by its account, does not cover the call. The account's"
	    " owner sees and sets the limits." },
	{ WIRE_ERROR_SPENT_TOTAL, 402, "spent_total", "insufficient_quota",
	    false, true, "What is left of this API key's quota of money does"
	    " not cover the call. The account's owner can raise it." },
	{ WIRE_ERROR_TOKENS_USED, 402, "tokens_used", "insufficient_quota",
	    false, true, "What is left of this API key's quota of tokens does"
	    " not cover the call. The account's owner can raise it." },
	{ WIRE_ERROR_ACCOUNT_CLOSED, 403, "account_closed", "account_closed",
	    false, true, "This account is suspended or closed. Contact your"
	    " provider." },
	{ WIRE_ERROR_ADDRESS_DENIED, 403, "address_denied", "address_denied",
	    false, true, "This API key may not be used from your network"
	    " address." },
	{ WIRE_ERROR_MODEL_DENIED, 403, "model_denied", "model_not_allowed",
	    true, true, "This API key may not use the model '{param}'." },
	{ WIRE_ERROR_REGION_DENIED, 403, "region_denied",
	    "region_not_allowed", true, true, "The model '{param}' is not"
	    " processed in any region that this key and its account allow."
	    " Nothing was sent anywhere." },
	{ WIRE_ERROR_NO_ROUTE, 404, "no_route", "unknown_url", false, false,
	    "There is nothing at this address. Check the base URL and the"
	    " path." },
	{ WIRE_ERROR_NO_MODEL, 404, "no_model", "model_not_found", true, false,
	    "The model '{param}' does not exist here. GET /v1/models lists"
	    " those that do." },
	{ WIRE_ERROR_NOT_SERVED, 404, "not_served", "unknown_url", false, true,
	    "This part of the API is not offered here. Send the calls one by"
	    " one instead of in a batch." },
	{ WIRE_ERROR_NO_ANSWER, 404, "no_answer", "not_found", false, false,
	    "No answer with the id '{param}' was made with this account, or it"
	    " is not kept any more." },
	{ WIRE_ERROR_METHOD, 405, "method", "method_not_allowed", false, false,
	    "This address does not take that HTTP method." },
	{ WIRE_ERROR_REQUEST_TIMEOUT, 408, "request_timeout",
	    "request_timeout", false, false,
	    "The request did not arrive completely in time." },
	{ WIRE_ERROR_ANSWER_OPEN, 409, "answer_open", "answer_open", false,
	    true, "The answer '{param}' was made in the background and has"
	    " not been fetched yet. GET it when it is finished; then it can be"
	    " continued and deleted." },
	{ WIRE_ERROR_BODY_LARGE, 413, "body_large", "request_too_large", false,
	    false, "The request body is larger than the {limit} bytes that are"
	    " allowed." },
	{ WIRE_ERROR_MEDIA_TYPE, 415, "media_type", "unsupported_media_type",
	    false, false, "The request body must be uncompressed JSON, with"
	    " 'Content-Type: application/json'." },
	{ WIRE_ERROR_FORM_TYPE, 415, "form_type", "unsupported_media_type",
	    false, false, "The request body must be an uncompressed form, with"
	    " 'Content-Type: multipart/form-data'." },
	{ WIRE_ERROR_UPGRADE, 426, "upgrade", "upgrade_required", false, false,
	    "There is no WebSocket here. Send the request by POST." },
	{ WIRE_ERROR_RATE_REQUESTS, 429, "rate_requests",
	    "rate_limit_exceeded", false, false,
	    "Too many requests: the limit is {limit} per minute. Retry"
	    " later." },
	{ WIRE_ERROR_RATE_TOKENS, 429, "rate_tokens", "rate_limit_exceeded",
	    false, false, "Too many tokens: the limit is {limit} per minute."
	    " Retry later." },
	{ WIRE_ERROR_RATE_CONCURRENT, 429, "rate_concurrent",
	    "rate_limit_exceeded", false, false,
	    "Too many calls at once: the limit is {limit}. Retry when one has"
	    " ended." },
	{ WIRE_ERROR_RATE_KEYS, 429, "rate_keys", "rate_limit_exceeded", false,
	    false, "Too many calls from your network address had no valid API"
	    " key: {limit} per minute are allowed. Those with one are served."
	    " Retry later." },
	{ WIRE_ERROR_HEAD_LARGE, 431, "head_large", "headers_too_large", false,
	    false, "The headers of the request are too large." },
	{ WIRE_ERROR_INTERNAL, 500, "internal", "internal_error", false, false,
	    "The gateway failed to handle the call. It was not charged." },
	{ WIRE_ERROR_UPSTREAM, 502, "upstream", "upstream_error", false, false,
	    "The model's provider could not be reached or gave no valid"
	    " answer. The call was not charged." },
	{ WIRE_ERROR_UPSTREAM_REFUSED, 502, "upstream_refused",
	    "upstream_error", false, true, "The model's provider refused the"
	    " call for reasons that are not yours. It was not charged. Contact"
	    " your provider." },
	{ WIRE_ERROR_UPSTREAM_BUSY, 429, "upstream_busy",
	    "rate_limit_exceeded", false, false,
	    "The model's provider takes no more calls at the moment. This one"
	    " was not charged. Retry later." },
	{ WIRE_ERROR_UPSTREAM_FULL, 503, "upstream_full", "overloaded", false,
	    false, "The model's provider is overloaded. The call was not"
	    " charged. Retry later." },
	{ WIRE_ERROR_OVERLOADED, 503, "overloaded", "overloaded", false, false,
	    "The gateway has no room for the call at the moment. Retry"
	    " later." },
	{ WIRE_ERROR_NO_CHANNEL, 503, "no_channel", "model_unavailable", true,
	    false, "The model '{param}' is not available at the moment. Retry"
	    " later." },
	{ WIRE_ERROR_STARTING, 503, "starting", "unavailable", false, false,
	    "The gateway is starting or stopping. Retry in a moment." },
	{ WIRE_ERROR_PORTAL_AWAY, 503, "portal_away", "unavailable", false,
	    false, "The account API does not answer now. Calls go on. Retry"
	    " later." },
	{ WIRE_ERROR_UNMODERATED, 503, "unmoderated", "unavailable", false,
	    false, "Whether the call is allowed here cannot be judged at the"
	    " moment. It was not charged. Retry later." },
	{ WIRE_ERROR_UPSTREAM_TIMEOUT, 504, "upstream_timeout",
	    "upstream_timeout", false, false,
	    "The model's provider did not answer in time." },
	{ WIRE_ERROR_STREAM_NO_MONEY, 402, "stream_no_money",
	    "insufficient_quota", false, true,
	    "The answer was ended here, for the balance of this account is"
	    " used up. Add credit to go on." },
	{ WIRE_ERROR_STREAM_SPENT, 402, "stream_spent", "insufficient_quota",
	    false, true, "The answer was ended here, for what may be spent"
	    " with this API key, or by its account, is used up." },
	{ WIRE_ERROR_STREAM_CUT, 502, "stream_cut", "upstream_error", false,
	    false, "The model's provider broke the answer off; it is not"
	    " complete." },
	{ WIRE_ERROR_STREAM_TIMEOUT, 504, "stream_timeout",
	    "upstream_timeout", false, false,
	    "The model's provider fell silent; the answer is not complete." },
	{ WIRE_ERROR_STREAM_SUSPENDED, 403, "stream_suspended",
	    "account_closed", false, true, "The answer was ended here, for"
	    " this account was suspended. Contact your provider." },
	{ WIRE_ERROR_STREAM_BLOCKED, 400, "stream_blocked",
	    "content_policy_violation", false, true,
	    "The answer was ended here, for what follows is not allowed"
	    " here." },
	{ WIRE_ERROR_CLIENT_GONE, 499, "client_gone", NULL, false, false,
	    "The client closed the connection." },
	{ WIRE_ERROR_UPSTREAM_STATUS, 502, "upstream_status",
	    "upstream_error", false, false,
	    "The model's provider answered with an error." },
};

#define N_ERRORS (sizeof(error_rows) / sizeof(error_rows[0]))

static const struct error_row *
find_row(enum wire_error error)
{
	size_t i;

	for (i = 0; i < N_ERRORS; i++)
		if (error_rows[i].error == error)
			return &error_rows[i];
	return NULL;
}

static const struct status_words *
find_words(int status)
{
	size_t i;

	for (i = 0; i < N_STATUS - 1; i++)
		if (status_words[i].status == status)
			break;
	return &status_words[i];
}

int
wire_error_status(enum wire_error error)
{
	const struct error_row *row = find_row(error);

	return row != NULL ? row->status : 0;
}

const char *
wire_error_name(enum wire_error error)
{
	const struct error_row *row = find_row(error);

	if (error == WIRE_ERROR_NONE)
		return "none";
	return row != NULL ? row->name : "unknown";
}

const char *
wire_error_message(enum wire_error error)
{
	const struct error_row *row = find_row(error);

	assert(row != NULL && strchr(row->message, '{') == NULL);
	return row->message;
}

/* The message as a JSON string, its gaps filled in. */
static void
put_message(struct wire_text *text, const struct error_row *row,
    const struct wire_error_info *info)
{
	char piece[2] = "";
	const char *p;

	wire_text_raw(text, "\"");
	for (p = row->message; *p != '\0'; p++) {
		if (strncmp(p, "{param}", 7) == 0) {
			wire_text_name(text,
			    info->param != NULL ? info->param : "");
			p += 6;
		} else if (strncmp(p, "{limit}", 7) == 0) {
			wire_text_number(text, info->limit);
			p += 6;
		} else {
			piece[0] = *p;
			wire_text_raw(text, piece);
		}
	}
	wire_text_raw(text, "\"");
}

/* What follows the brace of an object: its last member, and the end. */
static void
put_openai_error(struct wire_text *text, const struct error_row *row,
    const struct wire_error_info *info)
{
	wire_text_raw(text, "\"error\":{\"message\":");
	put_message(text, row, info);
	wire_text_raw(text, ",\"type\":");
	wire_text_string(text, find_words(row->status)->openai_type);
	wire_text_raw(text, ",\"param\":");
	wire_text_string(text, row->about_model ? "model" : info->param);
	wire_text_raw(text, ",\"code\":");
	wire_text_string(text, row->openai_code);
	wire_text_raw(text, "}}");
}

static void
put_openai(struct wire_text *text, const struct error_row *row,
    const struct wire_error_info *info)
{
	wire_text_raw(text, "{");
	put_openai_error(text, row, info);
}

static void
put_anthropic(struct wire_text *text, const struct error_row *row,
    const struct wire_error_info *info)
{
	wire_text_raw(text, "{\"type\":\"error\",\"error\":{\"type\":");
	wire_text_string(text, find_words(row->status)->anthropic_type);
	wire_text_raw(text, ",\"message\":");
	put_message(text, row, info);
	wire_text_raw(text, "},\"request_id\":");
	wire_text_string(text, info->request_id);
	wire_text_raw(text, "}");
}

static void
put_gemini_error(struct wire_text *text, const struct error_row *row,
    const struct wire_error_info *info)
{
	wire_text_raw(text, "\"error\":{\"code\":");
	wire_text_number(text, (uint64_t)row->status);
	wire_text_raw(text, ",\"message\":");
	put_message(text, row, info);
	wire_text_raw(text, ",\"status\":");
	wire_text_string(text, find_words(row->status)->gemini_status);
	wire_text_raw(text, ",\"details\":[");
	/* google.rpc.RetryInfo; its clients read no Retry-After. */
	if (info->retry_after_s > 0 && (row->status == 429 ||
	    row->status == 503)) {
		wire_text_raw(text, "{\"@type\":\"type.googleapis.com/"
		    "google.rpc.RetryInfo\",\"retryDelay\":\"");
		wire_text_number(text, info->retry_after_s);
		wire_text_raw(text, "s\"}");
	}
	wire_text_raw(text, "]}}");
}

static void
put_gemini(struct wire_text *text, const struct error_row *row,
    const struct wire_error_info *info)
{
	wire_text_raw(text, "{");
	put_gemini_error(text, row, info);
}

static void
put_body(struct wire_text *text, enum wire_protocol protocol,
    const struct error_row *row, const struct wire_error_info *info)
{
	switch (protocol) {
	case WIRE_ANTHROPIC:
		put_anthropic(text, row, info);
		return;
	case WIRE_GEMINI:
		put_gemini(text, row, info);
		return;
	case WIRE_OPENAI:
		break;
	}
	put_openai(text, row, info);
}

void
wire_error_render(enum wire_protocol protocol, enum wire_error error,
    const struct wire_error_info *info, char *buf, size_t size,
    struct wire_error_reply *reply_r)
{
	struct wire_text text = { buf, size, 0 };
	const struct error_row *row = find_row(error);

	assert(size >= WIRE_ERROR_BODY_BYTES);
	assert(row != NULL);
	put_body(&text, protocol, row, info);
	memset(reply_r, 0, sizeof(*reply_r));
	reply_r->status = row->status;
	reply_r->content_type = "application/json";
	reply_r->body = buf;
	reply_r->body_len = text.len;
	reply_r->no_retry = row->no_retry;
	/* 402: when a day's or a month's money is there again. */
	if (row->status == 429 || row->status == 503 || row->status == 402)
		reply_r->retry_after_s = info->retry_after_s;
	if (row->status == 405)
		reply_r->allow = info->allow;
}

/* {"type":"error", code, message, param, "error":{…}}: some clients look at
 * the type, others at `error`. */
static void
put_response_error(struct wire_text *text, const struct error_row *row,
    const struct wire_error_info *info)
{
	wire_text_raw(text, "{\"type\":\"error\",\"code\":");
	wire_text_string(text, row->openai_code);
	wire_text_raw(text, ",\"message\":");
	put_message(text, row, info);
	wire_text_raw(text, ",\"param\":null,\"sequence_number\":0,");
	/* The rest of an object that begins with its brace. */
	put_openai_error(text, row, info);
}

size_t
wire_error_stream_event(enum wire_route route, enum wire_protocol protocol,
    enum wire_error error, const struct wire_error_info *info, bool mid_event,
    char *buf, size_t size)
{
	struct wire_text text = { buf, size, 0 };
	const struct error_row *row = find_row(error);
	bool typed = route == WIRE_ROUTE_RESPONSES ||
	    route == WIRE_ROUTE_RESPONSE;

	assert(size >= WIRE_ERROR_BODY_BYTES);
	assert(row != NULL);
	if (mid_event)
		wire_text_raw(&text, "\n\n");
	if (protocol == WIRE_ANTHROPIC || typed ||
	    route == WIRE_ROUTE_INTERACTIONS)
		wire_text_raw(&text, "event: error\n");
	wire_text_raw(&text, "data: ");
	if (typed)
		put_response_error(&text, row, info);
	else if (route == WIRE_ROUTE_INTERACTIONS) {
		wire_text_raw(&text, "{\"event_type\":\"error\",");
		put_gemini_error(&text, row, info);
	} else
		put_body(&text, protocol, row, info);
	wire_text_raw(&text, "\n\n");
	return text.len;
}

size_t
wire_error_array_end(enum wire_protocol protocol, enum wire_error error,
    const struct wire_error_info *info, bool any, char *buf, size_t size)
{
	struct wire_text text = { buf, size, 0 };
	const struct error_row *row = find_row(error);

	assert(size >= WIRE_ERROR_BODY_BYTES);
	assert(row != NULL);
	if (any)
		wire_text_raw(&text, ",\n");
	put_body(&text, protocol, row, info);
	wire_text_raw(&text, "]\n");
	return text.len;
}
