#include "worker/cut.h"

#include "shm/directory.h"
#include "shm/segment.h"
#include "worker/call.h"
#include "worker/context.h"
#include "worker/relay_end.h"
#include "worker/upload.h"

static void
end(struct call *call)
{
	if (call->portal != NULL)
		return;
	if (call->uploading)
		upload_abort(call);
	relay_end_suspended(call);
}

void
cut_look(struct worker *w)
{
	uint64_t cuts = shm_gauge(w->shm, SHM_GAUGE_CUTS);
	struct account_view view;
	struct call *call, *next;

	if (cuts == w->cuts)
		return;
	w->cuts = cuts;
	for (call = w->calls; call != NULL; call = next) {
		next = call->next;
		if (call->account != ACCOUNT_NONE && account_read(w->shm,
		    call->account, &view) && view.cut)
			end(call);
	}
}
