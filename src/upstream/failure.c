#include "upstream/failure.h"

#include <assert.h>
#include <stddef.h>

const char *
upstream_failure_name(enum upstream_failure failure)
{
	switch (failure) {
	case UPSTREAM_NO_ADDRESS:
		return "no_address";
	case UPSTREAM_CONNECT:
		return "connect";
	case UPSTREAM_TLS:
		return "tls";
	case UPSTREAM_TLS_VERIFY:
		return "tls_verify";
	case UPSTREAM_SEND:
		return "send";
	case UPSTREAM_TIMEOUT_CONNECT:
		return "timeout_connect";
	case UPSTREAM_TIMEOUT_FIRST_BYTE:
		return "timeout_first_byte";
	case UPSTREAM_TIMEOUT_IDLE:
		return "timeout_idle";
	case UPSTREAM_TIMEOUT_TOTAL:
		return "timeout_total";
	case UPSTREAM_CLOSED_BEFORE_HEAD:
		return "closed_before_head";
	case UPSTREAM_BAD_HEAD:
		return "bad_head";
	case UPSTREAM_BAD_FRAMING:
		return "bad_framing";
	case UPSTREAM_CUT:
		return "cut";
	case UPSTREAM_PROXY:
		return "proxy";
	case UPSTREAM_MEMORY:
		return "memory";
	}
	assert(!"an upstream_failure");
	return NULL;
}
