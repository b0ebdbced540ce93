#include <json-c/json.h>
#include <string.h>

#include "tests/peer/speak.h"

/* What makes a text unfit, and what makes its result missing. */
static const char unfit[] = "peerflagged";
static const char dropped[] = "peerdropped";

static bool
has(json_object *text, const char *word)
{
	return memmem(json_object_get_string(text),
	    (size_t)json_object_get_string_len(text), word, strlen(word)) !=
	    NULL;
}

static void
put_result(json_object *text, bool first, struct peer_buf *out)
{
	if (has(text, dropped))
		return;
	if (!first)
		peer_buf_text(out, ",");
	peer_buf_printf(out, "{\"flagged\":%s,\"categories\":{\"violence\":"
	    "false},\"category_scores\":{\"violence\":0.25}}",
	    has(text, unfit) ? "true" : "false");
}

static void
put_results(json_object *input, struct peer_buf *out)
{
	size_t n = json_object_is_type(input, json_type_array) ?
	    json_object_array_length(input) : 1;

	for (size_t i = 0; i < n; i++)
		put_result(json_object_is_type(input, json_type_array) ?
		    json_object_array_get_idx(input, i) : input, i == 0, out);
}

static void
moderation_whole(const struct peer_plan *plan, struct peer_buf *body)
{
	const struct peer_request *request = plan->answer->request;
	struct json_object *root = NULL, *input = NULL;

	peer_buf_printf(body, "{\"id\":\"modr-%lu\",\"model\":\"",
	    plan->answer->serial);
	peer_buf_json(body, plan->model, strlen(plan->model));
	peer_buf_text(body, "\",\"results\":[");
	if (request->body.len > 0)
		root = json_tokener_parse(request->body.data);
	if (json_object_object_get_ex(root, "input", &input))
		put_results(input, body);
	peer_buf_text(body, "]}");
	json_object_put(root);
}

static void
moderation_error(int status, struct peer_buf *body)
{
	peer_voice_openai.error(status, body);
}

const struct peer_voice peer_voice_moderation = {
	.whole = moderation_whole,
	.error = moderation_error,
};
