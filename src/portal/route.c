#include "portal/route.h"

#include <stdio.h>
#include <string.h>

#include "portal/request.h"

const struct route routes[] = {
	{ "GET", "/api/v1/openapi.json", ROUTE_PUBLIC, false, run_openapi,
	  true },
	{ "GET", "/api/v1/prices", ROUTE_PUBLIC, false, run_prices, false },
	{ "GET", "/api/v1/subprocessors", ROUTE_PUBLIC, false,
	  run_subprocessors, false },
	{ "GET", "/api/v1/account", ROUTE_ACCOUNT, false, run_account, false },
	{ "GET", "/api/v1/balance", ROUTE_KEY, false, run_balance, false },
	{ "GET", "/api/v1/limits", ROUTE_KEY, false, run_limits, false },
	{ "GET", "/api/v1/keys", ROUTE_ACCOUNT, false, run_keys, false },
	{ "POST", "/api/v1/keys", ROUTE_ACCOUNT, true, run_key_create,
	  false },
	{ "GET", "/api/v1/keys/{id}", ROUTE_ACCOUNT, false, run_key, false },
	{ "PATCH", "/api/v1/keys/{id}", ROUTE_ACCOUNT, true, run_key_change,
	  false },
	{ "DELETE", "/api/v1/keys/{id}", ROUTE_ACCOUNT, false, run_key_revoke,
	  false },
	{ "POST", "/api/v1/keys/{id}/rotate", ROUTE_ACCOUNT, true,
	  run_key_rotate, false },
	{ "GET", "/api/v1/keys/{id}/limits", ROUTE_ACCOUNT, false,
	  run_key_limits, false },
	{ "PATCH", "/api/v1/keys/{id}/limits", ROUTE_ACCOUNT, true,
	  run_key_limits_change, false },
	{ "GET", "/api/v1/calls", ROUTE_ACCOUNT, false, run_calls, false },
	{ "GET", "/api/v1/calls/{id}", ROUTE_ACCOUNT, false, run_call,
	  false },
	{ "GET", "/api/v1/usage", ROUTE_ACCOUNT, false, run_usage, false },
	{ "GET", "/api/v1/bills", ROUTE_ACCOUNT, false, run_bills, false },
	{ "GET", "/api/v1/bills/{month}", ROUTE_ACCOUNT, false, run_bill,
	  false },
	{ "GET", "/api/v1/notices", ROUTE_ACCOUNT, false, run_notices,
	  false },
	{ "POST", "/api/v1/notices/{id}/read", ROUTE_ACCOUNT, false,
	  run_notice_read, false },
	{ "GET", "/v1/dashboard/billing/subscription", ROUTE_KEY, false,
	  run_subscription, false },
	{ "GET", "/v1/dashboard/billing/usage", ROUTE_KEY, false,
	  run_dashboard_usage, false },
	{ "PATCH", "/api/v1/account", ROUTE_ACCOUNT, true, run_account_change,
	  false },
	{ "GET", "/api/v1/topups", ROUTE_ACCOUNT, false, run_topups, false },
	{ "POST", "/api/v1/topups", ROUTE_ACCOUNT, true, run_topup, false },
	{ "POST", "/api/v1/payments", ROUTE_SIGNED, false, run_payment,
	  false },
	{ "GET", "/api/v1/tickets", ROUTE_ACCOUNT, false, run_tickets,
	  false },
	{ "POST", "/api/v1/tickets", ROUTE_ACCOUNT, true, run_ticket_open,
	  false },
	{ "GET", "/api/v1/tickets/{id}", ROUTE_ACCOUNT, false, run_ticket,
	  false },
	{ "POST", "/api/v1/tickets/{id}/messages", ROUTE_ACCOUNT, true,
	  run_ticket_reply, false },
	{ "POST", "/api/v1/tickets/{id}/close", ROUTE_ACCOUNT, false,
	  run_ticket_close, false },
	{ "GET", "/api/v1/tickets/{id}/files/{file}", ROUTE_ACCOUNT, false,
	  run_ticket_file, false },
	{ "POST", "/api/v1/session", ROUTE_PUBLIC, true, run_login, true },
	{ "GET", "/api/v1/session", ROUTE_SESSION, false, run_session,
	  false },
	{ "DELETE", "/api/v1/session", ROUTE_SESSION, false, run_logout,
	  false },
	{ "GET", "/api/v1/sessions", ROUTE_SESSION, false, run_sessions,
	  false },
	{ "DELETE", "/api/v1/sessions", ROUTE_SESSION, false,
	  run_sessions_end, false },
	{ "DELETE", "/api/v1/sessions/{id}", ROUTE_SESSION, false,
	  run_session_end, false },
	{ "POST", "/api/v1/password", ROUTE_SESSION, true, run_password,
	  true },
	{ "POST", "/api/v1/password-reset", ROUTE_PUBLIC, true, run_reset,
	  false },
	{ "POST", "/api/v1/password-reset/confirm", ROUTE_PUBLIC, true,
	  run_reset_confirm, true },
	{ "POST", "/api/v1/totp", ROUTE_SESSION, true, run_totp, true },
	{ "POST", "/api/v1/totp/confirm", ROUTE_SESSION, true,
	  run_totp_confirm, false },
	{ "POST", "/api/v1/totp/remove", ROUTE_SESSION, true,
	  run_totp_remove, true },
	{ "GET", "/api/v1/registration", ROUTE_PUBLIC, false,
	  run_registration_state, true },
	{ "POST", "/api/v1/registration", ROUTE_PUBLIC, true,
	  run_registration, true },
	{ "POST", "/api/v1/registration/confirm", ROUTE_PUBLIC, true,
	  run_registration_confirm, true },
	{ "GET", "/api/v1/incidents", ROUTE_ACCOUNT, false, run_incidents,
	  false },
	{ "GET", "/api/v1/requests", ROUTE_ACCOUNT, false, run_requests,
	  false },
	{ "POST", "/api/v1/requests", ROUTE_ACCOUNT, true, run_request_add,
	  false },
	{ "GET", "/api/v1/export", ROUTE_ACCOUNT, false, run_export, false },
	{ "GET", "/api/v1/account/closing", ROUTE_ACCOUNT, false,
	  run_closing, false },
	{ "POST", "/api/v1/account/closing", ROUTE_ACCOUNT, true,
	  run_closing_begin, false },
	{ "DELETE", "/api/v1/account/closing", ROUTE_ACCOUNT, false,
	  run_closing_cancel, false },
};
const size_t routes_count = sizeof(routes) / sizeof(routes[0]);

/* One {…} takes one part of the path, which can't be empty or long. */
static bool
matches(const char *pattern, const char *path,
    char part[REQUEST_PARTS][REQUEST_PART_BYTES])
{
	size_t n = 0, len;

	while (*pattern != '\0' && *path != '\0') {
		if (*pattern != '{') {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		len = strcspn(path, "/");
		if (len == 0 || len >= REQUEST_PART_BYTES ||
		    n == REQUEST_PARTS)
			return false;
		memcpy(part[n], path, len);
		part[n++][len] = '\0';
		path += len;
		pattern = strchr(pattern, '}') + 1;
	}
	return *pattern == '\0' && *path == '\0';
}

const struct route *
route_find(struct request *request, const char *method, const char *path,
    char *allow_r, size_t size)
{
	size_t used = 0;

	allow_r[0] = '\0';
	for (size_t i = 0; i < routes_count; i++) {
		if (!matches(routes[i].path, path, request->part))
			continue;
		if (strcmp(routes[i].method, method) == 0)
			return &routes[i];
		used += (size_t)snprintf(allow_r + used, size - used,
		    "%s%s", used > 0 ? ", " : "", routes[i].method);
	}
	return NULL;
}
