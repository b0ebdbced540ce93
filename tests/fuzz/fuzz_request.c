/*
 * fuzz_request.c: bodies of requests; what goes up must mean what was read.
 */
#include "tests/fuzz/fuzz.h"
#include "wire/request.h"
#include "wire/splice.h"

static void
check_splice(const struct wire_request *req, const char *body,
    const char *model, bool add)
{
	struct wire_splice splice;
	struct wire_request again;
	struct wire_fault fault;
	char *up;
	size_t i, at = 0;

	fuzz_check(wire_splice_build(&splice, req, body, model, add),
	    "splice");
	up = malloc(splice.total_bytes);
	if (up == NULL)
		abort();
	for (i = 0; i < splice.pieces; i++) {
		memcpy(up + at, splice.piece[i].p, splice.piece[i].len);
		at += splice.piece[i].len;
	}
	fuzz_check(at == splice.total_bytes, "length");
	if (!add && model == NULL)
		fuzz_check(at == req->body_bytes && memcmp(up, body, at) == 0,
		    "the body was changed");
	fuzz_check(wire_request_scan(req->route, up, at, &again, &fault),
	    "what goes up is refused");
	fuzz_check(strcmp(again.model, model != NULL ? model : req->model) ==
	    0, "model");
	fuzz_check(again.stream == req->stream && again.n == req->n &&
	    again.max_tokens == req->max_tokens, "other members");
	fuzz_check(!add || again.include_usage, "include_usage");
	free(up);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum wire_route others[] = {
		WIRE_ROUTE_MESSAGES, WIRE_ROUTE_COMPLETIONS,
		WIRE_ROUTE_RESPONSES, WIRE_ROUTE_EMBEDDINGS,
		WIRE_ROUTE_IMAGES, WIRE_ROUTE_SPEECH, WIRE_ROUTE_MODERATIONS,
		WIRE_ROUTE_RERANK, WIRE_ROUTE_INTERACTIONS
	};
	struct wire_request req;
	struct wire_fault fault;
	char *body = fuzz_copy(data, size);

	if (wire_request_scan(WIRE_ROUTE_CHAT_COMPLETIONS, body, size, &req,
	    &fault)) {
		check_splice(&req, body, NULL, false);
		check_splice(&req, body, "up/\"model\"", false);
		check_splice(&req, body, NULL, true);
		check_splice(&req, body, "x", true);
	} else
		fuzz_check(wire_error_status(fault.error) == 400, "fault");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (wire_request_scan(others[i], body, size, &req, &fault))
			check_splice(&req, body, "claude", false);
		else
			fuzz_check(wire_error_status(fault.error) == 400,
			    "fault");
	free(body);
	return 0;
}
