#include "portal/openapi.h"

#include <string.h>

#include "portal/request.h"
#include "portal/route.h"

void
run_openapi(struct request *r)
{
	static const char *const nothing[] = { NULL };

	if (!query_only(r, nothing))
		return;
	r->status = buf_append(&r->out, portal_openapi,
	    strlen(portal_openapi)) ? 200 : 503;
	r->content_type = "application/json";
}
