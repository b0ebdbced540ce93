#include "worker/receipt.h"

#include <stdlib.h>

#include <microhttpd.h>

#include "base/money.h"
#include "wire/receipt.h"
#include "worker/call.h"

void
receipt_begin(struct call *call)
{
	receipt_forget(call);
	if (!call->wants_receipt || !call->events)
		return;
	call->receipt = malloc(sizeof(*call->receipt));
	if (call->receipt == NULL) {
		call->broken = true;
		return;
	}
	wire_receipt_init(call->receipt, call->route->route, call->protocol);
}

void
receipt_forget(struct call *call)
{
	if (call->receipt == NULL)
		return;
	wire_receipt_free(call->receipt);
	free(call->receipt);
	call->receipt = NULL;
}

void
receipt_pass(struct call *call, size_t before)
{
	struct buf *relay = &call->relay;
	bool ok;

	if (call->receipt == NULL || relay->len <= before)
		return;
	ok = wire_receipt_feed(call->receipt, buf_head(relay) + before,
	    relay->len - before);
	relay->len = before;
	if (!ok || !wire_receipt_pass(call->receipt, relay))
		call->broken = true;
}

static void
give(struct call *call, const char *fee, bool over)
{
	if (call->receipt != NULL &&
	    !wire_receipt_give(call->receipt, fee, over, &call->relay))
		call->broken = true;
}

void
receipt_give(struct call *call, bool over)
{
	char fee[MONEY_TEXT_BYTES];

	if (call->receipt == NULL)
		return;
	money_format(call->fee_nano, 2, fee);
	give(call, call->settled ? fee : NULL, over);
}

void
receipt_drop(struct call *call)
{
	give(call, NULL, false);
}

bool
receipt_abandon(struct call *call, bool mid_event)
{
	if (call->receipt == NULL)
		return mid_event;
	if (!call->receipt->done)
		mid_event = call->receipt->passing;
	receipt_forget(call);
	return mid_event;
}

bool
receipt_add_header(const struct call *call, struct MHD_Response *response)
{
	char fee[MONEY_TEXT_BYTES];

	if (!call->settled || !call->upstream_ok)
		return true;
	money_format(call->fee_nano, 2, fee);
	return MHD_add_response_header(response, "X-Youyun-Fee", fee) ==
	    MHD_YES;
}
