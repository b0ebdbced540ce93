#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "tests/peer/kinds.h"

/*
 * Answers to everything but chat and messages, with usages that no two of them
 * share.  `$` in a text stands for the model's name, `#` for the serial number
 * of the request, so that ids differ.
 */
struct kind {
	const char *method;
	const char *path;	/* `*`: anything, as long as it ends so */
	int stream;		/* 1, 0, or -1: whatever was asked for */
	const char *type;
	const char *text;
};

#define JSON "application/json"
#define SSE "text/event-stream"

#define RESPONSE_USAGE "\"usage\":{\"input_tokens\":211," \
	"\"input_tokens_details\":{\"cached_tokens\":101}," \
	"\"output_tokens\":53,\"output_tokens_details\":" \
	"{\"reasoning_tokens\":31},\"total_tokens\":264}"
#define RESPONSE(id, status, usage) "{\"id\":\"" id "\",\"object\":" \
	"\"response\",\"created_at\":1700000000,\"status\":\"" status "\"," \
	"\"model\":\"$\",\"error\":null,\"service_tier\":\"default\"," \
	"\"output\":[{\"type\":\"message\",\"id\":\"msg_1\",\"role\":" \
	"\"assistant\",\"status\":\"completed\",\"content\":[{\"type\":" \
	"\"output_text\",\"text\":\"Hello there\",\"annotations\":[]}]}]," \
	usage "}"
#define GEMINI_TEXT(text) "\"candidates\":[{\"content\":{\"parts\":[{" \
	"\"text\":\"" text "\"}],\"role\":\"model\"},\"index\":0"
#define GEMINI_USAGE(candidates) "\"usageMetadata\":{\"promptTokenCount\":" \
	"307,\"cachedContentTokenCount\":103,\"candidatesTokenCount\":" \
	candidates ",\"thoughtsTokenCount\":7,\"totalTokenCount\":331," \
	"\"promptTokensDetails\":[{\"modality\":\"TEXT\",\"tokenCount\":307}]}"
#define INTERACTION(status, usage) "{\"id\":\"int_#\",\"object\":" \
	"\"interaction\",\"model\":\"$\",\"status\":\"" status "\"" usage "}"
#define INTERACTION_USAGE ",\"usage\":{\"total_input_tokens\":113," \
	"\"total_output_tokens\":29,\"total_thought_tokens\":11," \
	"\"total_cached_tokens\":0,\"total_tool_use_tokens\":0," \
	"\"total_tokens\":153}"

static const struct kind kinds[] = {
	{ "POST", "/v1/completions", 0, JSON, "{\"id\":\"cmpl-#\",\"object\":"
	    "\"text_completion\",\"model\":\"$\",\"choices\":[{\"text\":"
	    "\"Hello\",\"index\":0,\"finish_reason\":\"stop\"}],\"usage\":{"
	    "\"prompt_tokens\":19,\"completion_tokens\":23,\"total_tokens\":42"
	    "}}" },
	{ "POST", "/v1/completions", 1, SSE, "data: {\"id\":\"cmpl-#\","
	    "\"object\":\"text_completion\",\"model\":\"$\",\"choices\":[{"
	    "\"text\":\"Hello\",\"index\":0}]}\n\ndata: {\"id\":\"cmpl-#\","
	    "\"object\":\"text_completion\",\"model\":\"$\",\"choices\":[],"
	    "\"usage\":{\"prompt_tokens\":19,\"completion_tokens\":23,"
	    "\"total_tokens\":42}}\n\ndata: [DONE]\n\n" },
	{ "POST", "/v1/responses", 0, JSON, RESPONSE("resp_#", "completed",
	    RESPONSE_USAGE) },
	{ "POST", "/v1/responses", 1, SSE, "event: response.created\ndata: {"
	    "\"type\":\"response.created\",\"sequence_number\":0,\"response\":"
	    RESPONSE("resp_#", "in_progress", "\"usage\":null") "}\n\n"
	    "event: response.output_text.delta\ndata: {\"type\":"
	    "\"response.output_text.delta\",\"sequence_number\":1,\"item_id\":"
	    "\"msg_1\",\"output_index\":0,\"content_index\":0,\"delta\":"
	    "\"Hello there\"}\n\nevent: response.completed\ndata: {\"type\":"
	    "\"response.completed\",\"sequence_number\":2,\"response\":"
	    RESPONSE("resp_#", "completed", RESPONSE_USAGE) "}\n\n" },
	{ "GET", "/v1/responses/*/input_items", -1, JSON, "{\"object\":"
	    "\"list\",\"data\":[],\"first_id\":null,\"last_id\":null,"
	    "\"has_more\":false}" },
	{ "POST", "/v1/responses/*/cancel", -1, JSON, RESPONSE("resp_x",
	    "cancelled", "\"usage\":null") },
	{ "DELETE", "/v1/responses/*", -1, JSON, "{\"id\":\"resp_x\","
	    "\"object\":\"response\",\"deleted\":true}" },
	{ "POST", "/v1/embeddings", -1, JSON, "{\"object\":\"list\",\"model\":"
	    "\"$\",\"data\":[{\"object\":\"embedding\",\"index\":0,"
	    "\"embedding\":[0.5,-0.25]}],\"usage\":{\"prompt_tokens\":37,"
	    "\"total_tokens\":37}}" },
	{ "POST", "/v1/rerank", -1, JSON, "{\"results\":[{\"index\":1,"
	    "\"relevance_score\":0.9}],\"usage\":{\"total_tokens\":41}}" },
	{ "POST", "/v1/images/*", 0, JSON, "{\"created\":1700000000,\"size\":"
	    "\"1024x1536\",\"quality\":\"high\",\"data\":[{\"b64_json\":"
	    "\"eA==\"},{\"b64_json\":\"eQ==\"}],\"usage\":{\"input_tokens\":43,"
	    "\"input_tokens_details\":{\"text_tokens\":43,\"image_tokens\":0},"
	    "\"output_tokens\":0,\"total_tokens\":43}}" },
	{ "POST", "/v1/audio/speech", -1, "audio/mpeg", "ID3 not really "
	    "audio {\"usage\":{\"input_tokens\":5}}" },
	{ "POST", "/v1/audio/*", 0, JSON, "{\"text\":\"Hello\",\"usage\":{"
	    "\"type\":\"tokens\",\"input_tokens\":59,\"input_token_details\":{"
	    "\"text_tokens\":59,\"audio_tokens\":0},\"output_tokens\":61,"
	    "\"total_tokens\":120}}" },
	{ "POST", "/v1/audio/*", 1, SSE, "data: {\"type\":"
	    "\"transcript.text.delta\",\"delta\":\"Hello\"}\n\ndata: {\"type\":"
	    "\"transcript.text.done\",\"text\":\"Hello\",\"usage\":{\"type\":"
	    "\"tokens\",\"input_tokens\":59,\"output_tokens\":61,"
	    "\"total_tokens\":120}}\n\n" },
	{ "POST", "/v1/messages/count_tokens*", -1, JSON,
	    "{\"input_tokens\":2095}" },
	{ "POST", "*:generateContent", -1, JSON, "{" GEMINI_TEXT("Hello")
	    ",\"finishReason\":\"STOP\"}]," GEMINI_USAGE("17") ","
	    "\"modelVersion\":\"$\",\"responseId\":\"r#\"}" },
	{ "POST", "*:streamGenerateContent?alt=sse", -1, SSE, "data: {"
	    GEMINI_TEXT("Hel") "}]," GEMINI_USAGE("2") "}\r\n\r\ndata: {"
	    GEMINI_TEXT("lo") ",\"finishReason\":\"STOP\"}]," GEMINI_USAGE("17")
	    "}\r\n\r\n" },
	{ "POST", "*:streamGenerateContent", -1, JSON, "[{" GEMINI_TEXT("Hel")
	    "}]," GEMINI_USAGE("2") "}\r\n,\r\n{" GEMINI_TEXT("lo")
	    ",\"finishReason\":\"STOP\"}]," GEMINI_USAGE("17") "}\r\n]\r\n" },
	{ "POST", "*:countTokens", -1, JSON, "{\"totalTokens\":71}" },
	{ "POST", "*:embedContent", -1, JSON, "{\"embedding\":{\"values\":"
	    "[0.5]},\"usageMetadata\":{\"promptTokenCount\":67}}" },
	{ "POST", "*:batchEmbedContents", -1, JSON, "{\"embeddings\":[{"
	    "\"values\":[0.5]}],\"usageMetadata\":{\"promptTokenCount\":73}}" },
	{ "POST", "*/interactions", 0, JSON, INTERACTION("completed",
	    INTERACTION_USAGE) },
	{ "POST", "*/interactions", 1, SSE, "data: {\"event_type\":"
	    "\"interaction.created\",\"interaction\":" INTERACTION(
	    "in_progress", "") "}\n\ndata: {\"event_type\":\"step.delta\","
	    "\"index\":0,\"delta\":{\"type\":\"text\",\"text\":\"Hello\"}}\n\n"
	    "data: {\"event_type\":\"interaction.completed\",\"interaction\":"
	    INTERACTION("completed", INTERACTION_USAGE) "}\n\n"
	    "data: [DONE]\n\n" },
};

/* Of a response that is made in the background: made when asked for the
 * second time. */
static const char queued[] = RESPONSE("bg_#", "queued", "\"usage\":null");
static const char waiting[] = RESPONSE("bg_1", "in_progress",
    "\"usage\":null");
static const char finished[] = RESPONSE("bg_1", "completed", RESPONSE_USAGE);
static atomic_uint asked;

static bool
path_matches(const char *pattern, const char *target)
{
	const char *star = strchr(pattern, '*'), *end;
	size_t head, tail;

	if (star == NULL)
		return strcmp(pattern, target) == 0;
	head = (size_t)(star - pattern);
	tail = strlen(star + 1);
	/* Queries count where the pattern has one. */
	end = target + (strchr(star, '?') != NULL ? strlen(target) :
	    strcspn(target, "?"));
	return (size_t)(end - target) >= head + tail &&
	    strncmp(pattern, target, head) == 0 &&
	    strncmp(end - tail, star + 1, tail) == 0;
}

static void
put_text(const struct peer_answer *answer, const char *text,
    struct peer_buf *out)
{
	for (; *text != '\0'; text++)
		if (*text == '$')
			peer_buf_json(out, answer->request->model,
			    strlen(answer->request->model));
		else if (*text == '#')
			peer_buf_printf(out, "%lu", answer->serial);
		else
			peer_buf_add(out, text, 1);
}

static enum peer_after
say(struct peer_answer *answer, const char *type, const char *text)
{
	struct peer_buf body = { 0 };
	enum peer_after after;

	put_text(answer, text, &body);
	after = peer_answer_whole(answer, 200, type, &body);
	peer_buf_reset(&body);
	return after;
}

static bool
is_background(const struct peer_request *request)
{
	return request->body.len > 0 &&
	    (strstr(request->body.data, "\"background\": true") != NULL ||
	    strstr(request->body.data, "\"background\":true") != NULL);
}

bool
peer_speak_kind(struct peer_answer *answer, enum peer_after *after_r)
{
	const struct peer_request *request = answer->request;
	const char *target = request->target;

	if (strcmp(target, "/v1/responses") == 0 && is_background(request)) {
		*after_r = say(answer, JSON, queued);
		return true;
	}
	if (strcmp(request->method, "GET") == 0 &&
	    strncmp(target, "/v1/responses/bg_", 17) == 0 &&
	    strchr(target + 17, '/') == NULL) {
		*after_r = say(answer, JSON, atomic_fetch_add(&asked, 1) == 0 ?
		    waiting : finished);
		return true;
	}
	if (strcmp(request->method, "GET") == 0 &&
	    strncmp(target, "/v1/responses/resp_", 19) == 0 &&
	    strchr(target + 19, '/') == NULL) {
		*after_r = say(answer, JSON, finished);
		return true;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct kind *kind = &kinds[i];

		if (strcmp(kind->method, request->method) != 0 ||
		    !path_matches(kind->path, target) || (kind->stream >= 0 &&
		    kind->stream != (request->stream ? 1 : 0)))
			continue;
		*after_r = say(answer, kind->type, kind->text);
		return true;
	}
	return false;
}
