#include "worker/screen.h"

#include <stdlib.h>
#include <string.h>

#include "base/text_match.h"
#include "http/json_text.h"
#include "worker/call.h"
#include "worker/catalogue_view.h"
#include "worker/context.h"

/* In any protocol: what says how something is to be understood, not what. */
static const char *const structure[] = {
	"b64_json", "call_id", "encrypted_content", "event_id",
	"finishReason", "finish_reason", "id", "item_id", "media_type",
	"mimeType", "mime_type", "model", "modelVersion", "obfuscation",
	"object", "partial_image_b64", "previous_response_id", "responseId",
	"response_id", "role", "service_tier", "signature", "status",
	"stop_reason", "system_fingerprint", "thoughtSignature",
	"thought_signature", "token", "tool_call_id", "tool_use_id", "type", NULL
};

struct screening {
	struct text_search search;
	uint64_t number;	/* of the catalogue that search belongs to */
	uint64_t lists;		/* those that are for this text */
	const struct catalogue_view *view;
	bool one_text;		/* strings go on from each other */
	struct json_text json;
};

static void
on_text(void *context, const char *text, size_t len)
{
	struct screening *s = context;

	text_search_feed(view_text_match(s->view), &s->search, text, len);
}

static void
on_end(void *context)
{
	struct screening *s = context;

	if (!s->one_text)
		text_search_break(view_text_match(s->view), &s->search);
}

static const struct json_text_handlers handlers = { on_text, on_end };

static uint64_t
lists_of(const struct call *call, bool answer)
{
	const struct catalogue_view *view = call->worker->view;
	const struct catalogue *c;
	uint64_t lists;

	if (view == NULL)
		return 0;
	lists = view_screens(view, call->group_id);
	c = view_catalogue(view);
	for (uint32_t i = 0; answer && lists != 0 && i < c->screens; i++)
		if (c->screen[i].answers == 0)
			lists &= ~(UINT64_C(1) << i);
	return lists;
}

static void
begin(struct screening *s, const struct call *call, uint64_t lists)
{
	s->view = call->worker->view;
	s->number = view_catalogue(s->view)->number;
	s->lists = lists;
	text_search_begin(&s->search);
}

/* The first list that refuses, or else the first. */
static bool
judge(struct call *call, const struct screening *s)
{
	const struct catalogue *c = view_catalogue(s->view);
	uint64_t found = s->search.found & s->lists;

	if (found == 0)
		return true;
	for (uint32_t i = 0; i < c->screens; i++) {
		if ((found >> i & 1) == 0)
			continue;
		if (c->screen[i].action == SCREEN_BLOCK) {
			call->record.screen_list_id =
			    (uint16_t)c->screen[i].list_id;
			call->record.flags |= RECORD_BLOCKED;
			return false;
		}
		if (call->record.screen_list_id == 0)
			call->record.screen_list_id =
			    (uint16_t)c->screen[i].list_id;
		call->record.flags |= RECORD_FLAGGED;
	}
	return true;
}

bool
screen_request(struct call *call)
{
	uint64_t lists = lists_of(call, false);
	struct screening s;

	/* One that waited for money is admitted again. */
	if (lists == 0 || call->body.len == 0 ||
	    call->unscreened == view_catalogue(call->worker->view)->number)
		return true;
	memset(&s, 0, sizeof(s));
	begin(&s, call, lists);
	json_text_init(&s.json, structure, false, &handlers, &s);
	json_text_feed(&s.json, buf_head(&call->body), call->body.len);
	text_search_break(view_text_match(s.view), &s.search);
	if (!judge(call, &s))
		return false;
	call->unscreened = s.number;
	return true;
}

void
screen_walk(const struct call *call,
    const struct json_text_handlers *to, void *context)
{
	struct json_text json;

	if (call->body.len == 0)
		return;
	json_text_init(&json, structure, false, to, context);
	json_text_feed(&json, buf_head(&call->body), call->body.len);
	bytes_scrub(&json, sizeof(json));
}

/* As it goes on, under the catalogue that is current now; what was found stays
 * in the record. */
static struct screening *
of_call(struct call *call, bool answer)
{
	struct screening *s = call->screening;
	uint64_t lists;

	if (call->worker->view == NULL || (s == NULL && call->unscreened ==
	    view_catalogue(call->worker->view)->number))
		return NULL;
	if (s == NULL) {
		lists = lists_of(call, answer);
		if (lists == 0) {
			call->unscreened = view_catalogue(
			    call->worker->view)->number;
			return NULL;
		}
		s = calloc(1, sizeof(*s));
		if (s == NULL)
			return NULL;
		call->screening = s;
		json_text_init(&s->json, structure, call->events, &handlers,
		    s);
		s->one_text = call->streamed;
		begin(s, call, lists);
	} else if (s->number != view_catalogue(call->worker->view)->number)
		begin(s, call, lists_of(call, answer));
	s->view = call->worker->view;
	return s;
}

bool
screen_field(struct call *call, const char *text, size_t len)
{
	struct screening *s = of_call(call, false);

	if (s == NULL)
		return true;
	text_search_feed(view_text_match(s->view), &s->search, text, len);
	return judge(call, s);
}

bool
screen_field_end(struct call *call)
{
	struct screening *s = of_call(call, false);

	if (s == NULL)
		return true;
	text_search_break(view_text_match(s->view), &s->search);
	return judge(call, s);
}

bool
screen_answer(struct call *call, const char *p, size_t len)
{
	struct screening *s = of_call(call, true);

	if (s == NULL)
		return true;
	json_text_feed(&s->json, p, len);
	return judge(call, s);
}

bool
screen_answer_end(struct call *call)
{
	struct screening *s = call->screening;

	if (s == NULL || call->worker->view == NULL)
		return true;
	s = of_call(call, true);
	text_search_break(view_text_match(s->view), &s->search);
	return judge(call, s);
}

void
screen_free(struct call *call)
{
	if (call->screening != NULL)
		bytes_scrub(call->screening, sizeof(*call->screening));
	free(call->screening);
	call->screening = NULL;
	call->unscreened = 0;
}
