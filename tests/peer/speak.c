#include <stdint.h>
#include <string.h>

#include "tests/peer/speak.h"
#include "tests/peer/tally.h"

#define ABSURD_TOKENS 999999999999999LL

static const char demo_text[] = "Hello! I am a small demonstration upstream. "
    "Every word you are reading came through the gateway as it was said, was "
    "counted, and is on your bill.";

/* The text is words parted by single blanks, so that counting is plain. */
static void
make_text(struct peer_buf *text, const struct peer_scenario *scenario,
    const struct peer_request *request)
{
	if (scenario->echo) {
		peer_tally_describe(text, request, false);
	} else if (scenario->words == 0) {
		peer_buf_text(text, demo_text);
	} else {
		for (size_t i = 0; i < scenario->words; i++)
			peer_buf_printf(text, "w%06zu ", i % 1000000);
	}
}

/* Length of the first n words with their blanks; *n_r: how many there are. */
static size_t
words_length(const char *text, size_t len, size_t n, size_t *n_r)
{
	size_t at = 0, words = 0;

	while (at < len && words < n) {
		const char *blank = memchr(text + at, ' ', len - at);

		at = blank == NULL ? len : (size_t)(blank - text) + 1;
		words++;
	}
	*n_r = words;
	return at;
}

static void
plan_usage(struct peer_plan *plan, size_t words)
{
	const struct peer_scenario *scenario = plan->answer->scenario;
	struct peer_usage *usage = &plan->usage;

	usage->input = (long long)(plan->answer->request->body.len / 4);
	usage->output = (long long)words;
	usage->cached = scenario->cached_tokens;
	usage->write_5m = scenario->write_5m_tokens;
	usage->write_1h = scenario->write_1h_tokens;
	if (scenario->usage == PEER_USAGE_NEGATIVE) {
		usage->input = -usage->input;
		usage->output = -usage->output;
	} else if (scenario->usage == PEER_USAGE_ABSURD) {
		usage->input = ABSURD_TOKENS;
		usage->output = ABSURD_TOKENS;
	}
}

static void
make_plan(struct peer_plan *plan, struct peer_answer *answer,
    struct peer_buf *text)
{
	const struct peer_request *request = answer->request;
	size_t most = SIZE_MAX, words;

	make_text(text, answer->scenario, request);
	memset(plan, 0, sizeof(*plan));
	plan->answer = answer;
	plan->model = request->model;
	plan->text = text->data;
	if (request->max_tokens > 0 && !answer->scenario->over)
		most = (size_t)request->max_tokens;
	plan->text_len = words_length(text->data, text->len, most, &words);
	plan->cut_short = plan->text_len < text->len;
	plan_usage(plan, words);
}

enum cut { CUT_NOT, CUT_DONE, CUT_GONE };

/* What happens in the middle of the text. */
static enum cut
middle(const struct peer_plan *plan, const struct peer_voice *voice,
    enum peer_after *after_r)
{
	struct peer_answer *answer = plan->answer;
	struct peer_buf data = { 0 };

	switch (answer->scenario->fault) {
	case PEER_FAULT_CUT_MID_STREAM:
		*after_r = PEER_AFTER_TRUNCATE;
		return CUT_DONE;
	case PEER_FAULT_RESET_MID_STREAM:
		*after_r = PEER_AFTER_ABORT;
		return CUT_DONE;
	case PEER_FAULT_CUT_MID_EVENT:
		voice->piece(plan, "half", 4, 1, &data);
		peer_answer_half_event(answer, data.data);
		peer_buf_reset(&data);
		*after_r = PEER_AFTER_TRUNCATE;
		return CUT_DONE;
	case PEER_FAULT_ERROR_EVENT:
		voice->error(529, &data);
		peer_answer_event(answer, voice->error_name, data.data);
		peer_buf_reset(&data);
		*after_r = peer_answer_end(answer);
		return CUT_DONE;
	default:
		return CUT_NOT;
	}
}

static enum cut
say_text(const struct peer_plan *plan, const struct peer_voice *voice,
    enum peer_after *after_r)
{
	const struct peer_scenario *scenario = plan->answer->scenario;
	size_t step = scenario->words_per_piece ? scenario->words_per_piece : 1;
	size_t at = 0, said = 0, n;
	bool past_middle = false;
	struct peer_buf data = { 0 };

	while (at < plan->text_len) {
		size_t len = words_length(plan->text + at, plan->text_len - at,
		    scenario->echo ? SIZE_MAX : step, &n);
		bool good;

		if (!past_middle && at >= plan->text_len / 2) {
			past_middle = true;
			if (middle(plan, voice, after_r) == CUT_DONE)
				return CUT_DONE;
		}
		if (scenario->gap_ms > 0 &&
		    !peer_conn_pause(plan->answer->conn, scenario->gap_ms))
			return CUT_GONE;
		if (scenario->comments)
			peer_answer_comment(plan->answer);
		said += n;
		voice->piece(plan, plan->text + at, len, (long long)said,
		    &data);
		good = peer_answer_event(plan->answer, voice->piece_name,
		    data.data);
		data.len = 0;
		if (!good)
			break;
		at += len;
	}
	peer_buf_reset(&data);
	return at < plan->text_len ? CUT_GONE : CUT_NOT;
}

static enum peer_after
speak_stream(const struct peer_plan *plan, const struct peer_voice *voice)
{
	enum peer_after after = PEER_AFTER_TRUNCATE;
	struct peer_buf data = { 0 };

	peer_answer_begin(plan->answer);
	switch (plan->answer->scenario->fault) {
	case PEER_FAULT_MUTE:
		peer_conn_linger(plan->answer->conn);
		return PEER_AFTER_TRUNCATE;
	case PEER_FAULT_CUT_AFTER_HEAD:
		return PEER_AFTER_TRUNCATE;
	case PEER_FAULT_ERROR_FIRST:
		voice->error(529, &data);
		peer_answer_event(plan->answer, voice->error_name, data.data);
		peer_buf_reset(&data);
		return peer_answer_end(plan->answer);
	default:
		break;
	}
	if (!voice->begin(plan))
		return PEER_AFTER_TRUNCATE;
	switch (say_text(plan, voice, &after)) {
	case CUT_DONE:
		return after;
	case CUT_GONE:
		return PEER_AFTER_TRUNCATE;
	case CUT_NOT:
		break;
	}
	if (!voice->end(plan))
		return PEER_AFTER_TRUNCATE;
	return peer_answer_end(plan->answer);
}

static enum peer_after
speak_error(struct peer_answer *answer, const struct peer_voice *voice,
    int status)
{
	struct peer_buf body = { 0 };
	enum peer_after after;

	voice->error(status, &body);
	if (answer->scenario->usage == PEER_USAGE_IN_ERROR) {
		body.len--;
		peer_buf_text(&body, ",\"usage\":{\"prompt_tokens\":-9000,"
		    "\"completion_tokens\":9000,\"input_tokens\":-9000,"
		    "\"output_tokens\":9000}}");
	}
	after = peer_answer_whole(answer, status, "application/json", &body);
	peer_buf_reset(&body);
	return after;
}

static enum peer_after
speak_answer(struct peer_answer *answer, const struct peer_voice *voice)
{
	struct peer_buf text = { 0 }, body = { 0 };
	struct peer_plan plan;
	enum peer_after after;

	make_plan(&plan, answer, &text);
	if (answer->request->stream) {
		after = speak_stream(&plan, voice);
	} else {
		voice->whole(&plan, &body);
		after = peer_answer_whole(answer, 200, "application/json",
		    &body);
	}
	peer_buf_reset(&body);
	peer_buf_reset(&answer->buffer);
	peer_buf_reset(&text);
	return after;
}

/* For a stream's request it is a stream of no event. */
static enum peer_after
speak_nothing(struct peer_answer *answer)
{
	static char empty[1];
	const struct peer_buf nothing = { .data = empty };

	if (!answer->request->stream)
		return peer_answer_whole(answer, 200, "application/json",
		    &nothing);
	peer_answer_begin(answer);
	return peer_answer_end(answer);
}

static enum peer_after
speak_page(struct peer_answer *answer)
{
	struct peer_buf body = { 0 };
	enum peer_after after;

	peer_buf_text(&body, "<html><body>An upstream's gateway speaks."
	    "</body></html>");
	after = peer_answer_whole(answer, 200, "text/html", &body);
	peer_buf_reset(&body);
	return after;
}

enum peer_after
peer_speak(struct peer_answer *answer)
{
	static const char half_head[] = "HTTP/1.1 200 OK\r\nContent-Ty";
	const struct peer_scenario *scenario = answer->scenario;
	const struct peer_voice *voice =
	    strcmp(answer->request->target, "/v1/moderations") == 0 ?
	    &peer_voice_moderation :
	    answer->request->protocol == PEER_ANTHROPIC ?
	    &peer_voice_anthropic : &peer_voice_openai;

	if (!peer_conn_pause(answer->conn, scenario->first_ms))
		return PEER_AFTER_TRUNCATE;
	switch (scenario->fault) {
	case PEER_FAULT_NEVER:
		peer_conn_linger(answer->conn);
		return PEER_AFTER_TRUNCATE;
	case PEER_FAULT_CUT_BEFORE_HEAD:
		return PEER_AFTER_CLOSE;
	case PEER_FAULT_CUT_MID_HEAD:
		peer_conn_write(answer->conn, half_head, strlen(half_head));
		return PEER_AFTER_TRUNCATE;
	case PEER_FAULT_RESET:
		return PEER_AFTER_ABORT;
	case PEER_FAULT_NOT_JSON:
		return speak_page(answer);
	case PEER_FAULT_EMPTY:
		return speak_nothing(answer);
	case PEER_FAULT_ERROR_EVENT:
		if (!answer->request->stream)
			return speak_error(answer, voice, 200);
		break;
	default:
		break;
	}
	if (scenario->status != 0 && scenario->status != 200)
		return speak_error(answer, voice, scenario->status);
	return speak_answer(answer, voice);
}

static void
put_model(const char *name, void *arg)
{
	struct peer_buf *body = arg;

	if (body->data[body->len - 1] == '}')
		peer_buf_text(body, ",");
	peer_buf_printf(body, "{\"id\":\"%s\",\"object\":\"model\","
	    "\"created\":1700000000,\"owned_by\":\"peer\"}", name);
}

enum peer_after
peer_speak_models(struct peer_answer *answer)
{
	struct peer_buf body = { 0 };
	enum peer_after after;

	peer_buf_text(&body, "{\"object\":\"list\",\"data\":[");
	peer_scenario_list(put_model, &body);
	peer_buf_text(&body, "]}");
	after = peer_answer_whole(answer, 200, "application/json", &body);
	peer_buf_reset(&body);
	return after;
}
