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

static bool
write_list(const struct call *call, struct wire_models *list, char **buf)
{
	const struct catalogue_view *view = call->worker->view;
	const struct catalogue *c = view_catalogue(view);
	size_t prefix;

	for (uint32_t i = 0; i < c->models; i++) {
		const struct catalogue_model *m = &c->model[i];
		struct wire_model entry = {
			.id = m->name,
			.created_s = m->created_us / 1000000,
		};

		if (!price_is_set(&m->price) ||
		    model_is_pattern(m->name, &prefix) ||
		    !view_serves(view, m, call->protocol, call->group_id))
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
