#include "worker/health.h"

#include <string.h>

#include "shm/segment.h"
#include "worker/call.h"
#include "worker/context.h"
#include "worker/reply.h"

static bool
say(struct call *call, struct MHD_Connection *connection, int status,
    const char *text)
{
	return reply_document(call, connection, status, "text/plain", text,
	    strlen(text));
}

bool
health_answer(struct call *call, struct MHD_Connection *connection)
{
	return say(call, connection, 200, "ok\n");
}

bool
ready_answer(struct call *call, struct MHD_Connection *connection)
{
	const struct worker *worker = call->worker;

	if (worker->draining || worker->view == NULL ||
	    shm_stops(worker->shm) != 0)
		return say(call, connection, 503, "not ready\n");
	return say(call, connection, 200, "ready\n");
}
bool
hello_answer(struct call *call, struct MHD_Connection *connection)
{
	return say(call, connection, 200, "ok\n");
}
