#include "worker/models.h"

#include <stdlib.h>
#include <string.h>

#include "base/price.h"
#include "wire/models.h"
#include "worker/admit.h"
#include "worker/call.h"
#include "worker/catalogue_view.h"
#include "worker/context.h"
#include "worker/reply.h"
#include "worker/settle.h"
#include "worker/translated.h"

#define FIRST_BYTES (4 * WIRE_MODELS_ENTRY_BYTES)

static bool
grow(struct wire_models *list, char **buf)
{
	size_t size = 2 * list->size;
	char *larger = realloc(*buf, size);

	if (larger == NULL)
		return false;
	*buf = larger;
	wire_models_rebase(list, larger, size);
	return true;
}

/* What a protocol's clients ask of a model from their list. */
static enum wire_route
usual_route(enum wire_protocol protocol)
{
	switch (protocol) {
	case WIRE_ANTHROPIC:
		return WIRE_ROUTE_MESSAGES;
	case WIRE_GEMINI:
		return WIRE_ROUTE_GENERATE;
	case WIRE_OPENAI:
		break;
	}
	return WIRE_ROUTE_CHAT_COMPLETIONS;
}

/* By its own protocol, or one that the client's can be translated to. */
static bool
is_served(const struct call *call, const struct catalogue_model *m)
{
	static const enum wire_protocol all[] = { WIRE_OPENAI,
		WIRE_ANTHROPIC, WIRE_GEMINI };
	enum wire_route route = usual_route(call->protocol);

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if ((all[i] == call->protocol ||
		    translated_possible(route, all[i])) &&
		    view_serves(call->worker->view, m, all[i],
		    call->group_id, &call->policies))
			return true;
	return false;
}

static bool
is_sold(const struct call *call, const struct catalogue_model *m)
{
	size_t prefix;

	return price_is_set(&m->price) && !model_is_pattern(m->name, &prefix) &&
	    policy_model(call->worker->view, &call->policies, m->name,
	    strlen(m->name)) && is_served(call, m);
}

static bool
write_list(const struct call *call, struct wire_models *list, char **buf)
{
	const struct catalogue_view *view = call->worker->view;
	const struct catalogue *c = view_catalogue(view);

	for (uint32_t i = 0; i < c->models; i++) {
		const struct catalogue_model *m = &c->model[i];
		struct wire_model entry = {
			.id = m->name,
			.created_s = m->created_us / 1000000,
		};

		if (!is_sold(call, m))
			continue;
		while (!wire_models_add(list, &entry))
			if (!grow(list, buf))
				return false;
	}
	wire_models_end(list);
	return true;
}

bool
models_answer(struct call *call, struct MHD_Connection *connection)
{
	struct wire_models list;
	char *buf;
	bool ok;

	if (!admit_any(call)) {
		settle_refusal(call);
		return reply_error(call, connection, false);
	}
	buf = malloc(FIRST_BYTES);
	if (buf == NULL)
		return false;
	wire_models_begin(&list, call->protocol, buf, FIRST_BYTES);
	ok = write_list(call, &list, &buf) &&
	    reply_document(call, connection, 200, "application/json",
	    buf, list.len);
	free(buf);
	return ok;
}

bool
models_answer_one(struct call *call, struct MHD_Connection *connection)
{
	const struct catalogue_view *view = call->worker->view;
	const struct catalogue_model *m = NULL;
	struct span name = call->path.name;
	char buf[WIRE_MODELS_ENTRY_BYTES], id[WIRE_MODEL_BYTES];
	struct wire_model entry;
	size_t n = name.len < sizeof(id) - 1 ? name.len : sizeof(id) - 1;

	if (admit_any(call)) {
		memcpy(id, name.p, n);
		id[n] = '\0';
		m = view_model(view, name.p, name.len);
		if (m == NULL || !is_sold(call, m))
			call_refuse_about(call, WIRE_ERROR_NO_MODEL, id);
	}
	if (call->answer == ANSWER_ERROR) {
		settle_refusal(call);
		return reply_error(call, connection, false);
	}
	entry = (struct wire_model){ .id = m->name,
		.created_s = m->created_us / 1000000 };
	n = wire_models_one(call->protocol, &entry, buf, sizeof(buf));
	return reply_document(call, connection, 200, "application/json", buf,
	    n);
}
