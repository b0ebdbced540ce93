#include "worker/authenticate.h"

#include "base/secret.h"
#include "shm/directory.h"
#include "shm/segment.h"
#include "worker/call.h"
#include "worker/client.h"
#include "worker/context.h"
#include "worker/limits.h"

#define RETRY_S 1

static bool
refuse(struct call *call, enum wire_error error)
{
	call_refuse(call, error);
	return false;
}

/* No key, or none that is known: only so many a minute from an address. */
static bool
refuse_wrong(struct call *call, enum wire_error error)
{
	return limits_fail(call) && refuse(call, error);
}

/* Before the directory was loaded, not to be known says nothing. */
static bool
refuse_unknown(struct call *call)
{
	if ((shm_stops(call->worker->shm) & SHM_STOP_LOADING) == 0)
		return refuse_wrong(call, WIRE_ERROR_BAD_KEY);
	call->retry_after_s = RETRY_S;
	return refuse(call, WIRE_ERROR_STARTING);
}

static bool
check_account(struct call *call, const struct account_view *account)
{
	switch (account->status) {
	case ACCOUNT_ACTIVE:
	case ACCOUNT_LIMITED:
		return true;
	case ACCOUNT_SUSPENDED:
	case ACCOUNT_CLOSED:
		return refuse(call, WIRE_ERROR_ACCOUNT_CLOSED);
	}
	/* A number that this version doesn't know permits nothing. */
	return refuse(call, WIRE_ERROR_ACCOUNT_CLOSED);
}

/* The key was right: whoever has it may know that it isn't for here. */
static bool
check_address(struct call *call)
{
	if (policy_address(call->worker->view, &call->policies,
	    call->client->address))
		return true;
	return refuse(call, WIRE_ERROR_ADDRESS_DENIED);
}

bool
authenticate(struct call *call)
{
	const struct client_head *head = &call->head;
	uint8_t digest[KEY_DIGEST_BYTES];
	struct account_view account;
	struct key_view key;

	if (!head->has_key)
		return refuse_wrong(call, WIRE_ERROR_NO_KEY);
	if (head->keys_differ ||
	    !api_key_plausible(head->key.p, head->key.len))
		return refuse_wrong(call, WIRE_ERROR_BAD_KEY);
	key_hasher_digest(call->worker->hasher, head->key.p, head->key.len,
	    digest);
	if (!key_find(call->worker->shm, digest, &key) ||
	    !account_read(call->worker->shm, key.account, &account))
		return refuse_unknown(call);
	call->record.key_id = key.key_id;
	call->record.account_id = account.account_id;
	call->record.group_id = account.group_id;
	call->record.flags |= account.minimise;
	call->group_id = account.group_id;
	call->account = key.account;
	call->key_slot = key.slot;
	call->policies = (struct policy_pair){ { key.policy,
	    account.policy } };
	if (key.status != KEY_ACTIVE)
		return refuse(call, WIRE_ERROR_BAD_KEY);
	if (key.expires_us != 0 && key.expires_us <= call->record.started_us)
		return refuse(call, WIRE_ERROR_KEY_EXPIRED);
	return check_account(call, &account) && check_address(call);
}
