/*
 * request_to_gemini.c: for an upstream that speaks generateContent.
 *
 * Schemas go as they are (parametersJsonSchema, responseJsonSchema).  A tool's
 * strictness has no word and no need here.  A result is matched to its call by
 * name and order, and by an id only where the upstream gave one.  A call that
 * the upstream did not sign, for another provider made it, is marked so in the
 * way that it documents; else it would be refused.
 */
#include "translate/request.h"

#include <string.h>

#include "translate/answer.h"

static const char unsigned_call[] = "skip_thought_signature_validator";

static void
put_text(struct json_object *parts, struct span text)
{
	if (text.len > 0)
		document_put_text(document_push(parts, document_object()),
		    "text", text);
}

static const char *
type_by_ending(struct span url)
{
	static const struct {
		const char *ending, *type;
	} types[] = {
		{ ".png", "image/png" }, { ".jpg", "image/jpeg" },
		{ ".jpeg", "image/jpeg" }, { ".webp", "image/webp" },
		{ ".gif", "image/gif" }, { ".pdf", "application/pdf" },
	};
	const char *query = memchr(url.p, '?', url.len);
	size_t i, n, len = query != NULL ? (size_t)(query - url.p) : url.len;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		n = strlen(types[i].ending);
		if (len >= n &&
		    memcmp(url.p + len - n, types[i].ending, n) == 0)
			return types[i].type;
	}
	return NULL;
}

static void
put_media(struct json_object *parts, const struct conversation_part *part)
{
	struct json_object *to = document_push(parts, document_object());
	const char *type;

	if (part->url.p == NULL) {
		to = document_add(to, "inlineData", document_object());
		document_put_text(to, "mimeType", part->media_type);
		document_put_text(to, "data", part->data);
		return;
	}
	to = document_add(to, "fileData", document_object());
	type = type_by_ending(part->url);
	if (type != NULL)
		document_put_word(to, "mimeType", type);
	document_put_text(to, "fileUri", part->url);
}

static void
put_media_part(struct json_object *parts, const struct conversation_part *part)
{
	if (part->kind == CONVERSATION_IMAGE ||
	    part->kind == CONVERSATION_FILE ||
	    part->kind == CONVERSATION_AUDIO)
		put_media(parts, part);
}

static void
put_all_media(struct json_object *parts, const struct conversation_part *part)
{
	for (; part != NULL; part = part->next)
		put_media_part(parts, part);
}

/* Ids that we made up for a call without one say nothing to the upstream. */
static bool
is_its_id(struct span id)
{
	return id.len > 0 && !span_begins(id, ANSWER_MADE_ID);
}

/* Models that take a budget of thinking, and calls without signature. */
static bool
is_older(const char *model)
{
	return strstr(model, "gemini-2") != NULL ||
	    strstr(model, "gemini-1") != NULL;
}

static void
put_call(struct json_object *parts, const struct conversation_part *part,
    struct span signature)
{
	struct json_object *to = document_push(parts, document_object());
	struct json_object *call;

	call = document_add(to, "functionCall", document_object());
	if (is_its_id(part->id))
		document_put_text(call, "id", part->id);
	document_put_text(call, "name", part->name);
	document_add(call, "args", conversation_input(part));
	if (signature.len > 0)
		document_put_text(to, "thoughtSignature", signature);
}

static void
put_model(struct request_writer *writer, struct json_object *parts,
    const struct conversation_turn *turn)
{
	const struct conversation_part *part;
	struct span signature = { NULL, 0 };
	/* Of calls made at once only the first one is signed. */
	bool must_sign = !is_older(writer->options->model);

	for (part = turn->parts; part != NULL; part = part->next) {
		if (part->kind == CONVERSATION_TEXT)
			put_text(parts, part->text);
		if (part->kind == CONVERSATION_THINKING &&
		    part->origin == CONVERSATION_GEMINI)
			signature = part->signature;
		if (part->kind != CONVERSATION_CALL)
			continue;
		if (part->origin == CONVERSATION_GEMINI)
			signature = part->signature;
		put_call(parts, part, signature.len == 0 && must_sign ?
		    SPAN(unsigned_call) : signature);
		signature = (struct span){ NULL, 0 };
		must_sign = false;
	}
}

static void
put_result(struct request_writer *writer, struct json_object *parts,
    const struct conversation_part *part, struct span name)
{
	struct json_object *to, *response;

	to = document_add(document_push(parts, document_object()),
	    "functionResponse", document_object());
	if (is_its_id(part->id))
		document_put_text(to, "id", part->id);
	document_put_text(to, "name", name);
	response = document_add(to, "response", document_object());
	document_put_text(response, part->is_error ? "error" : "output",
	    conversation_join(writer->conversation, part->content));
}

/* The results of a turn, at most as many as can be searched; false: more. */
static bool
list_results(const struct conversation_turn *turn,
    const struct conversation_part **results, uint32_t *n_r)
{
	const struct conversation_part *part;
	uint32_t n = 0;

	for (part = turn->parts; part != NULL; part = part->next) {
		if (part->kind != CONVERSATION_RESULT)
			continue;
		if (n == CONVERSATION_CALLS_MAX)
			return false;
		results[n++] = part;
	}
	*n_r = n;
	return true;
}

static const struct conversation_part *
find_result(const struct conversation_part *const *results, uint32_t n,
    struct span id)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (span_equal(results[i]->id, id))
			return results[i];
	return NULL;
}

/* The results in the order of their calls. */
static bool
put_results(struct request_writer *writer, struct json_object *parts,
    const struct conversation_turn *turn,
    const struct conversation_turn *calling)
{
	const struct conversation_part *results[CONVERSATION_CALLS_MAX];
	const struct conversation_part *part, *result;
	uint32_t n, found = 0;

	if (!list_results(turn, results, &n))
		return request_refuse(writer, "messages", TRANSLATE_VALUE);
	if (n == 0)
		return true;
	for (part = calling != NULL ? calling->first_call : NULL;
	    part != NULL; part = part->next_call) {
		result = find_result(results, n, part->id);
		if (result == NULL)
			continue;
		put_result(writer, parts, result, part->name);
		found++;
	}
	/* A result of no call has no name to go by. */
	return found == n ||
	    request_refuse(writer, results[n - 1]->member, TRANSLATE_VALUE);
}

static bool
put_user(struct request_writer *writer, struct json_object *parts,
    const struct conversation_turn *turn,
    const struct conversation_turn *calling)
{
	const struct conversation_part *part;

	if (!put_results(writer, parts, turn, calling))
		return false;
	/* What is not text in results stands behind them all. */
	for (part = turn->parts; part != NULL; part = part->next)
		put_all_media(parts, part->content);
	for (part = turn->parts; part != NULL; part = part->next) {
		put_media_part(parts, part);
		if (part->kind == CONVERSATION_TEXT)
			put_text(parts, part->text);
	}
	return true;
}

static bool
put_contents(struct request_writer *writer, struct conversation_turn *turn)
{
	const struct conversation_turn *calling = NULL;
	struct json_object *contents, *content, *parts;
	bool good = true;

	contents = document_add(writer->body, "contents", document_array());
	for (; turn != NULL && good; turn = turn->next) {
		parts = document_array();
		if (turn->role == CONVERSATION_ASSISTANT) {
			put_model(writer, parts, turn);
			calling = turn;
		} else
			good = put_user(writer, parts, turn, calling);
		if (!good || document_length(parts) == 0) {
			json_object_put(parts);
			continue;
		}
		content = document_push(contents, document_object());
		document_put_word(content, "role",
		    turn->role == CONVERSATION_ASSISTANT ? "model" : "user");
		document_add(content, "parts", parts);
	}
	return good;
}

static bool
put_tools(struct request_writer *writer)
{
	static const char *const modes[] = {
		[CONVERSATION_CHOICE_AUTO] = "AUTO",
		[CONVERSATION_CHOICE_NONE] = "NONE",
		[CONVERSATION_CHOICE_ANY] = "ANY",
		[CONVERSATION_CHOICE_ONE] = "ANY",
	};
	struct conversation *conversation = writer->conversation;
	const struct conversation_tool *tool;
	struct json_object *functions, *to, *config;

	if (conversation->tools == NULL)
		return true;
	if (conversation->one_call)
		return request_refuse(writer, conversation->one_call_member,
		    TRANSLATE_NO_WORD);
	functions = document_add(document_push(document_add(writer->body,
	    "tools", document_array()), document_object()),
	    "functionDeclarations", document_array());
	for (tool = conversation->tools; tool != NULL; tool = tool->next) {
		to = document_push(functions, document_object());
		document_put_text(to, "name", tool->name);
		if (tool->description.len > 0)
			document_put_text(to, "description",
			    tool->description);
		if (tool->schema != NULL)
			document_share(to, "parametersJsonSchema",
			    tool->schema);
	}
	if (conversation->choice == CONVERSATION_CHOICE_UNSAID)
		return true;
	config = document_add(document_add(writer->body, "toolConfig",
	    document_object()), "functionCallingConfig", document_object());
	document_put_word(config, "mode", modes[conversation->choice]);
	if (conversation->choice == CONVERSATION_CHOICE_ONE)
		document_push(document_add(config, "allowedFunctionNames",
		    document_array()),
		    document_string(conversation->choice_name));
	return true;
}

static const char *
level_of(enum conversation_effort effort, const char *model)
{
	bool pro = strstr(model, "pro") != NULL;

	if (effort < CONVERSATION_EFFORT_LOW)
		return pro ? "low" : "minimal";
	if (effort == CONVERSATION_EFFORT_LOW)
		return "low";
	if (effort == CONVERSATION_EFFORT_MEDIUM &&
	    strstr(model, "gemini-3-pro") == NULL)
		return "medium";
	return "high";
}

/* Models up to 2.5 take a budget, later ones a level.  The larger ones cannot
 * be kept from thinking, but told to think little. */
static void
put_thinking(struct request_writer *writer, struct json_object *generation)
{
	struct conversation *conversation = writer->conversation;
	enum conversation_effort effort = conversation->effort;
	const char *model = writer->options->model;
	struct json_object *thinking;
	uint64_t budget = conversation->budget;

	if (effort == CONVERSATION_EFFORT_UNSAID)
		return;
	thinking = document_add(generation, "thinkingConfig",
	    document_object());
	if (effort != CONVERSATION_EFFORT_NONE)
		document_put_bool(thinking, "includeThoughts", true);
	if (is_older(model)) {
		if (budget == 0)
			budget = conversation_effort_budget(effort);
		if (budget == 0 && strstr(model, "pro") != NULL)
			budget = 128;
		/* The most that all of them take. */
		document_put_count(thinking, "thinkingBudget",
		    budget > 24576 ? 24576 : budget);
		return;
	}
	document_put_word(thinking, "thinkingLevel", level_of(effort, model));
}

static void
put_stop(struct request_writer *writer, struct json_object *generation)
{
	struct json_object *stop =
	    writer->conversation->params[CONVERSATION_STOP].value;

	if (json_object_is_type(stop, json_type_string))
		document_push(document_add(generation, "stopSequences",
		    document_array()), json_object_get(stop));
	else if (stop != NULL)
		document_share(generation, "stopSequences", stop);
}

static void
put_generation(struct request_writer *writer)
{
	static const struct {
		enum conversation_param param;
		const char *name;
	} params[] = {
		{ CONVERSATION_MAX_TOKENS, "maxOutputTokens" },
		{ CONVERSATION_TEMPERATURE, "temperature" },
		{ CONVERSATION_TOP_P, "topP" },
		{ CONVERSATION_TOP_K, "topK" },
		{ CONVERSATION_SEED, "seed" },
		{ CONVERSATION_FREQUENCY_PENALTY, "frequencyPenalty" },
		{ CONVERSATION_PRESENCE_PENALTY, "presencePenalty" },
	};
	struct conversation *conversation = writer->conversation;
	struct json_object *generation = document_object();
	size_t i;

	for (i = 0; i < sizeof(params) / sizeof(params[0]); i++)
		request_put_param(writer, generation, params[i].param,
		    params[i].name);
	put_stop(writer, generation);
	if (conversation->format != CONVERSATION_FORMAT_TEXT)
		document_put_word(generation, "responseMimeType",
		    "application/json");
	if (conversation->format == CONVERSATION_FORMAT_SCHEMA)
		document_share(generation, "responseJsonSchema",
		    conversation->format_schema);
	put_thinking(writer, generation);
	if (json_object_object_length(generation) > 0)
		document_add(writer->body, "generationConfig", generation);
	else
		json_object_put(generation);
}

bool
request_to_gemini(struct request_writer *writer)
{
	static const enum conversation_param without[] = {
		CONVERSATION_VERBOSITY, CONVERSATION_SERVICE_TIER,
	};
	struct conversation_turn *turn;
	struct span system = request_system(writer, &turn);

	if (!request_without(writer, without,
	    sizeof(without) / sizeof(without[0])))
		return false;
	if (!put_contents(writer, turn))
		return false;
	if (system.len > 0)
		put_text(document_add(document_add(writer->body,
		    "systemInstruction", document_object()), "parts",
		    document_array()), system);
	if (!put_tools(writer))
		return false;
	put_generation(writer);
	return true;
}
