/*
 * route.h: the routes of the customers' API.
 * Layer: portal.
 * Written by: nobody; the table is in route.c, the document in openapi.json.
 */
#ifndef PORTAL_ROUTE_H
#define PORTAL_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

struct request;

enum route_access {
	ROUTE_PUBLIC,		/* nobody needs to be known */
	ROUTE_KEY,		/* any key, or a session */
	ROUTE_ACCOUNT,		/* a key of scope account, or a session */
	ROUTE_SESSION,		/* a session */
	ROUTE_SIGNED		/* nobody, but the body is signed */
};

struct route {
	const char *method;
	const char *path;	/* {name} stands for one part */
	enum route_access access;
	bool body;		/* takes a JSON object */
	/* Within a transaction, unless there is no db (public, static).  Sets
	 * the answer; anything but 2xx rolls back, unless it is to be kept. */
	void (*run)(struct request *request);
	/* For one that holds no connection while it computes: who asks was
	 * found out, and request_begin() makes transactions. */
	bool no_database;
};

extern const struct route routes[];
extern const size_t routes_count;

/* Fills request->part.  NULL: *allow_r is "" (404) or lists methods (405). */
const struct route *route_find(struct request *request, const char *method,
	    const char *path, char *allow_r, size_t size);

/* Handlers, by file. */
void	run_openapi(struct request *);		/* openapi.c */
void	run_balance(struct request *);		/* api_account.c */
void	run_account(struct request *);
void	run_limits(struct request *);
void	run_notices(struct request *);
void	run_notice_read(struct request *);
void	run_subscription(struct request *);
void	run_prices(struct request *);		/* api_prices.c */
void	run_subprocessors(struct request *);	/* api_agreement.c */
void	run_incidents(struct request *);
void	run_requests(struct request *);
void	run_request_add(struct request *);
void	run_closing(struct request *);
void	run_closing_begin(struct request *);
void	run_closing_cancel(struct request *);
void	run_export(struct request *);		/* api_export.c */
void	run_keys(struct request *);		/* api_keys.c */
void	run_key_create(struct request *);
void	run_key(struct request *);
void	run_key_change(struct request *);
void	run_key_revoke(struct request *);
void	run_key_rotate(struct request *);
void	run_key_limits(struct request *);
void	run_key_limits_change(struct request *);
void	run_calls(struct request *);		/* api_calls.c */
void	run_call(struct request *);
void	run_usage(struct request *);		/* api_usage.c */
void	run_dashboard_usage(struct request *);
void	run_bills(struct request *);		/* api_bills.c */
void	run_bill(struct request *);
void	run_account_change(struct request *);	/* api_account.c */
void	run_topups(struct request *);		/* api_topups.c */
void	run_topup(struct request *);
void	run_payment(struct request *);		/* api_payments.c */
void	run_tickets(struct request *);		/* api_tickets.c */
void	run_ticket_open(struct request *);
void	run_ticket(struct request *);
void	run_ticket_reply(struct request *);
void	run_ticket_close(struct request *);
void	run_ticket_file(struct request *);
void	run_login(struct request *);		/* api_session.c */
void	run_session(struct request *);
void	run_logout(struct request *);
void	run_sessions(struct request *);
void	run_session_end(struct request *);
void	run_sessions_end(struct request *);
void	run_password(struct request *);		/* api_password.c */
void	run_reset(struct request *);
void	run_reset_confirm(struct request *);
void	run_totp(struct request *);		/* api_totp.c */
void	run_totp_confirm(struct request *);
void	run_totp_remove(struct request *);
void	run_registration_state(struct request *);	/* api_registration.c */
void	run_registration(struct request *);
void	run_registration_confirm(struct request *);

/* Before there is a transaction: false, the answer is set. */
bool	payment_is_signed(struct request *)	/* api_payments.c */
	    __attribute__((warn_unused_result));

#endif
