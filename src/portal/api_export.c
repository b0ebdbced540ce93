/* The copy of all that is kept of the account. */
#include "db/connection.h"
#include "export/export.h"
#include "portal/request.h"
#include "portal/route.h"

/* One more piece: false at the end, or when it broke off, which the status
 * says. */
static bool
more_export(struct request *r)
{
	enum export_result result = export_step(r->more_state, r->db, &r->out);

	if (result == EXPORT_DATABASE || result == EXPORT_MEMORY)
		r->status = 503;
	return result == EXPORT_MORE;
}

static void
free_export(void *state)
{
	struct export *export = state;

	export_close(&export);
}

void
run_export(struct request *r)
{
	static const char *const nothing[] = { NULL };
	struct export *export;

	if (!query_only(r, nothing))
		return;
	export = export_open();
	if (export == NULL) {
		answer_database(r, DB_AWAY);
		return;
	}
	r->more = more_export;
	r->more_state = export;
	r->more_free = free_export;
	r->status = 200;
	r->content_type = "application/zip";
	answer_header(r, "Content-Disposition",
	    "attachment; filename=\"account.zip\"");
}
