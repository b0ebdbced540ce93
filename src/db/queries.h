/*
 * queries.h: every query of the administrator's tool; one a file, q_*.c.
 * Layer: db.
 * Written by: youyunctl changes, within db_transaction() after db_actor().
 *
 * Rows are handed to a function one by one.  Texts in them are borrowed for
 * the duration of that function; it returns false to stop early, and must not
 * use the connection.  Amounts are nano-units; times are microseconds since
 * 1970 (wall clock), 0 where there is none.
 */
#ifndef DB_QUERIES_H
#define DB_QUERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fee.h"
#include "db/connection.h"
#include "shm/record.h"

struct db_rows;

#define Q_RESULT enum db_result __attribute__((warn_unused_result))

/*
 * Customers
 */
struct customer_row {
	int64_t id;
	const char *name;
	int64_t status;			/* enum account_status */
	int64_t group_id;
	const char *group;
	int64_t multiplier_ppm;
	const char *contact;
	const char *note;
	int64_t created_us;
	int64_t granted_nano;		/* all bookings but those of calls */
	int64_t spent_nano;		/* all fees booked */
	int64_t keys;			/* active ones */
	int64_t promotional_nano;	/* of what is left */
	int64_t expiring_nano;		/* expires next, at expires_us */
	int64_t expires_us;		/* 0: nothing does */
};

/* group NULL: "default".  DB_NONE: no such group; DB_CONFLICT: name taken. */
Q_RESULT q_customer_add(struct db *db, const char *name, const char *group,
	    const char *contact, const char *note, int64_t *id_r);
/* who: a name, or a number when no customer has that name.  DB_NONE. */
Q_RESULT q_customer_find(struct db *db, const char *who, int64_t *id_r);
Q_RESULT q_customer_one(struct db *db, int64_t id,
	    bool (*each)(const struct customer_row *, void *), void *arg);
struct customer_filter {
	int64_t status;			/* enum account_status; -1: any */
	const char *after_name;		/* behind this one; NULL: from the */
	int64_t after_status;		/* first on */
	int64_t limit;			/* 0: all */
};
/* Active first, by name. */
Q_RESULT q_customer_list(struct db *db, const struct customer_filter *filter,
	    bool (*each)(const struct customer_row *, void *), void *arg);
/* NULL or -1 leaves a member as it is.  DB_NONE: no such customer, group. */
Q_RESULT q_customer_set(struct db *db, int64_t id, int64_t status,
	    const char *group, const char *contact, const char *note);
/* Whether the calls of a suspended customer that go on are ended. */
Q_RESULT q_customer_cut(struct db *db, int64_t id, bool cut);
/* What mail to a customer is written in: en, zh, de.  DB_NONE: no such
 * customer. */
#define CUSTOMER_LANGUAGE_BYTES 8
struct customer_more {
	char language[CUSTOMER_LANGUAGE_BYTES];
	int64_t low_balance_nano;	/* a notice is due below it; 0: none */
	int64_t risk;			/* 0 normal, 1 watched, 2 trusted */
	int64_t keep_address;	/* 0 all, 1 its network, 2 nothing */
	bool keep_agent;
};
Q_RESULT q_customer_more(struct db *db, int64_t id,
	    struct customer_more *more_r);
Q_RESULT q_customer_language_set(struct db *db, int64_t id,
	    const char *language);
Q_RESULT q_customer_low_balance_set(struct db *db, int64_t id, int64_t nano);
Q_RESULT q_customer_risk_set(struct db *db, int64_t id, int64_t risk);
/* -1 leaves one as it is. */
Q_RESULT q_customer_keep_set(struct db *db, int64_t id, int64_t keep_address,
	    int64_t keep_agent);

/*
 * Groups
 */
struct group_row {
	int64_t id;
	const char *name;
	int64_t multiplier_ppm;
	int64_t customers;		/* counted up to a thousand */
};

/* Makes the group or changes its multiplier. */
Q_RESULT q_group_set(struct db *db, const char *name, uint32_t multiplier_ppm,
	    int64_t *id_r);
Q_RESULT q_group_each(struct db *db,
	    bool (*each)(const struct group_row *, void *), void *arg);

/* A group's own multiplier for a model, or a pattern of models. */
struct group_model_row {
	int64_t group_id;
	const char *group;
	const char *model;
	int64_t multiplier_ppm;
};

/* DB_NONE: no such group, or no such model. */
Q_RESULT q_group_model_set(struct db *db, const char *group,
	    const char *model, uint32_t multiplier_ppm);
/* DB_NONE: there is none. */
Q_RESULT q_group_model_remove(struct db *db, const char *group,
	    const char *model);
/* group NULL: of all. */
Q_RESULT q_group_model_each(struct db *db, const char *group,
	    bool (*each)(const struct group_model_row *, void *), void *arg);
/* What holds for a group and a model's name.  DB_NONE: no such group. */
Q_RESULT q_multiplier(struct db *db, const char *group, const char *model,
	    int64_t *multiplier_ppm_r);

/*
 * Keys
 */
struct key_row {
	int64_t id;
	int64_t customer_id;
	const char *customer;
	const char *name;
	const char *hint;
	int64_t status;			/* enum key_status */
	int64_t scope;			/* enum key_scope */
	int64_t expires_us;
	int64_t created_us;
	int64_t revoked_us;
};

enum key_scope {
	KEY_SCOPE_CALLS = 0,
	KEY_SCOPE_ACCOUNT = 1		/* the customer's API, too */
};

/* digest: 32 bytes; expires_us 0: never.  DB_NONE: no such customer. */
Q_RESULT q_key_add(struct db *db, int64_t customer_id, const char *name,
	    const uint8_t *digest, const char *hint, int64_t expires_us,
	    enum key_scope scope, int64_t *id_r);
/* By number, those above `after`; customer_id 0: of all. */
Q_RESULT q_key_list(struct db *db, int64_t customer_id, int64_t after,
	    int64_t limit, bool (*each)(const struct key_row *, void *),
	    void *arg);
/* The one with a number, or with id 0 two at most that look like `hint`. */
Q_RESULT q_key_find(struct db *db, int64_t id, const char *hint,
	    bool (*each)(const struct key_row *, void *), void *arg);
/* A new key with the rights of one that works until the overlap ends.  DB_NONE:
 * no such key; SQLSTATE YY017: it is revoked. */
Q_RESULT q_key_rotate(struct db *db, int64_t id, const uint8_t *digest,
	    const char *hint, int64_t overlap_s, int64_t *fresh_id_r);
/* DB_NONE: no such key; DB_CONFLICT: it was revoked already. */
Q_RESULT q_key_revoke(struct db *db, int64_t id);
/* Refuses it for a time, or no more.  DB_NONE: no such key; DB_CONFLICT: it
 * isn't active, or isn't suspended. */
Q_RESULT q_key_suspend(struct db *db, int64_t id, bool suspend);

/*
 * Models and prices
 */
struct model_row {
	int64_t id;
	const char *name;
	int64_t max_output_tokens;
	int64_t created_us;
};

/* A row of prices, or of costs: those have a channel. */
struct price_row {
	struct price price;		/* price.version is the row's id */
	int64_t model_id;
	const char *model;
	int64_t effective_us;
	const char *created_by;
	int64_t created_us;
	bool current;			/* the one that holds now */
	int64_t max_output_tokens;	/* of the model */
	int64_t channel_id;		/* 0: a price */
	const char *channel;
};

/* Makes the model or finds it; max_output_tokens -1 leaves it as it is. */
Q_RESULT q_model_put(struct db *db, const char *name,
	    int64_t max_output_tokens, int64_t *id_r);
Q_RESULT q_model_each(struct db *db,
	    bool (*each)(const struct model_row *, void *), void *arg);
/* effective_us 0: now.  PRICE_UNSET entries become NULL; price->version is
 * ignored.  actor goes to created_by. */
Q_RESULT q_price_add(struct db *db, int64_t model_id, int64_t effective_us,
	    const struct price *price, const char *actor, int64_t *version_r);
/* model NULL: of all; by model, then by time. */
Q_RESULT q_price_each(struct db *db, const char *model,
	    bool (*each)(const struct price_row *, void *), void *arg);
/* A page of them, the rows behind a version; only those that hold now.  By
 * model, then by time; costs by channel first. */
struct price_filter {
	const char *model;		/* NULL: of all */
	int64_t channel_id;		/* of costs; 0: of all */
	bool current;
	int64_t after;			/* 0: from the first on */
	int64_t limit;
};
Q_RESULT q_price_list(struct db *db, const struct price_filter *filter,
	    bool (*each)(const struct price_row *, void *), void *arg);
Q_RESULT q_cost_list(struct db *db, const struct price_filter *filter,
	    bool (*each)(const struct price_row *, void *), void *arg);
/* The one that holds for a name at a time (0: now), which may be a pattern's;
 * none: each() isn't called. */
Q_RESULT q_price_match(struct db *db, const char *name, int64_t at_us,
	    bool (*each)(const struct price_row *, void *), void *arg);
/* What a channel's provider charges for a model; as the two above. */
Q_RESULT q_cost_add(struct db *db, int64_t channel_id, int64_t model_id,
	    int64_t effective_us, const struct price *price, const char *actor,
	    int64_t *version_r);
/* channel_id 0: of all; by channel, model, time. */
Q_RESULT q_cost_each(struct db *db, int64_t channel_id, const char *model,
	    bool (*each)(const struct price_row *, void *), void *arg);

/*
 * Channels
 */
struct channel_row {
	int64_t id;
	int64_t slot;
	const char *name;
	int64_t protocol;		/* enum wire_protocol */
	const char *host;
	int64_t port;
	bool tls;
	const char *base_path;
	const char *ca;
	int64_t priority;
	int64_t weight;
	int64_t status;			/* enum channel_status */
	int64_t created_us;
	/* What follows, q_channel_add() leaves to q_channel_bounds_set() and
	 * the functions for each. */
	struct channel_bounds {
		const char *region;	/* NULL or -1: leave it as it is */
		const char *entity;
		const char *headers;
		int64_t connect_ms;	/* 0: the setting's, as are: */
		int64_t first_byte_ms;
		int64_t first_token_ms;
		int64_t idle_ms;
		int64_t total_ms;
		int64_t max_concurrent;	/* 0: no limit */
		int64_t max_per_minute;
		int64_t max_tokens;	/* a minute */
		int64_t max_day_nano;
		int64_t max_month_nano;
		int64_t translates_responses;	/* 0 or 1 */
		const char *purpose;
	} bounds;
	const char *proxy_host;		/* "": none */
	int64_t proxy_port;
	const void *proxy_auth;		/* sealed */
	size_t proxy_auth_bytes;
	const char *groups;		/* "a,b"; "": all */
	const char *subprocessor;	/* "": not said */
	const char *subprocessor_why;	/* why it gets no calls; "" */
};

struct channel_credential_row {
	int64_t id;
	int64_t channel_id;
	int64_t slot;
	const char *name;
	const void *sealed;		/* catalogue_credential_context() */
	size_t sealed_bytes;
	int64_t status;			/* enum channel_status */
	int64_t edition;
	int64_t created_us;
};

struct channel_model_row {
	int64_t channel_id;
	const char *channel;
	int64_t model_id;
	const char *model;
	const char *upstream_name;
};

/* id, slot, created_us are ignored; the lowest free slot below `slots` is
 * taken.  DB_CONFLICT: name taken; DB_NONE: no slot is free. */
Q_RESULT q_channel_add(struct db *db, const struct channel_row *channel,
	    int64_t slots, int64_t *id_r);
/* who: a name, or a number when no channel has that name. */
Q_RESULT q_channel_find(struct db *db, const char *who, int64_t *id_r);
/* id 0: all, by priority, then name. */
Q_RESULT q_channel_each(struct db *db, int64_t id,
	    bool (*each)(const struct channel_row *, void *), void *arg);
/* -1 leaves a member as it is. */
Q_RESULT q_channel_set(struct db *db, int64_t id, int64_t status,
	    int64_t priority, int64_t weight);
Q_RESULT q_channel_bounds_set(struct db *db, int64_t id,
	    const struct channel_bounds *bounds);
/* Its circuit breaker, and what is held against its credentials. */
Q_RESULT q_channel_reset(struct db *db, int64_t id);
/* host NULL: none any more. */
Q_RESULT q_channel_proxy_set(struct db *db, int64_t id, const char *host,
	    int64_t port, const void *sealed, size_t sealed_bytes);
/* No groups: open to all.  DB_NONE: there is no such group. */
Q_RESULT q_channel_groups_set(struct db *db, int64_t id,
	    const char *const *groups, size_t n);

/* The id of the next credential, which it is sealed to. */
Q_RESULT q_channel_credential_next(struct db *db, int64_t *id_r);
/* slot, edition, created_us are ignored; the lowest free slot is taken.
 * DB_CONFLICT: name taken; DB_NONE: all slots are. */
Q_RESULT q_channel_credential_add(struct db *db,
	    const struct channel_credential_row *credential);
/* name NULL: the first.  DB_NONE. */
Q_RESULT q_channel_credential_find(struct db *db, int64_t channel_id,
	    const char *name, int64_t *id_r);
/* sealed NULL, status -1: leave it as it is. */
Q_RESULT q_channel_credential_set(struct db *db, int64_t id,
	    const void *sealed, size_t sealed_bytes, int64_t status);
Q_RESULT q_channel_credential_remove(struct db *db, int64_t id);
/* channel_id 0: of all; by channel, then slot. */
Q_RESULT q_channel_credential_each(struct db *db, int64_t channel_id,
	    bool (*each)(const struct channel_credential_row *, void *),
	    void *arg);
Q_RESULT q_channel_model_put(struct db *db, int64_t channel_id,
	    int64_t model_id, const char *upstream_name);
Q_RESULT q_channel_model_remove(struct db *db, int64_t channel_id,
	    int64_t model_id);
/* channel_id 0: of all. */
Q_RESULT q_channel_model_each(struct db *db, int64_t channel_id,
	    bool (*each)(const struct channel_model_row *, void *), void *arg);

/*
 * Money
 */
struct credit {
	const char *key;		/* idempotency key, 1 to 200 bytes */
	int64_t customer_id;
	int64_t amount_nano;		/* above 0 */
	const char *source;	/* "external", "promotional", "adjustment" */
	const char *actor;
	const char *reason;
	int64_t expires_us;		/* or valid_days; both 0: never */
	int64_t valid_days;
};

struct credit_receipt {
	int64_t transaction_id;
	bool fresh;			/* false: booked before, by this key */
	int64_t balance_nano;		/* of the customer, after it */
};

/*
 * Of all bookings.  DB_NONE: no such customer, package, call; DB_CONFLICT: the
 * key was used for another booking.  DB_ERROR with db_sqlstate()
 * "YY002": the customer is closed; "YY003": there isn't as much; "YY006": the
 * package isn't sold any more; "22003": more than can be kept.
 */
Q_RESULT q_credit(struct db *db, const struct credit *credit,
	    struct credit_receipt *receipt_r);
/* What the package says; amount, source and expiry of credit are ignored. */
Q_RESULT q_credit_by_package(struct db *db, const struct credit *credit,
	    const char *package, struct credit_receipt *receipt_r);

struct refund {
	const char *key;
	int64_t started_us;		/* the call's, with request_id */
	const uint8_t *request_id;	/* 16 bytes */
	int64_t amount_nano;		/* 0: all that is left */
	const char *actor;
	const char *reason;		/* must be given */
};

struct refund_receipt {
	int64_t transaction_id;
	bool fresh;
	int64_t amount_nano;
	int64_t balance_nano;
};

Q_RESULT q_refund(struct db *db, const struct refund *refund,
	    struct refund_receipt *receipt_r);
/* What of a call's fee was given back so far. */
Q_RESULT q_refunded(struct db *db, const uint8_t *request_id,
	    int64_t *nano_r);

struct adjustment {
	const char *key;
	int64_t customer_id;
	int64_t amount_nano;		/* either way, not 0 */
	const char *actor;
	const char *reason;		/* must be given */
};

struct adjustment_receipt {
	int64_t transaction_id;		/* 0: asked for, see taking_id */
	bool fresh;
	int64_t balance_nano;
	int64_t taking_id;
};

Q_RESULT q_adjust(struct db *db, const struct adjustment *adjustment,
	    struct adjustment_receipt *receipt_r);

/* Money that the flusher is asked to take: taking.state. */
enum taking_state {
	TAKING_ASKED = 0,
	TAKING_BOOKED = 1,
	TAKING_REFUSED = 2,	/* available_nano says why */
	TAKING_GIVEN_UP = 3
};

struct taking_row {
	enum taking_state state;
	int64_t transaction_id;
	int64_t available_nano;
	int64_t balance_nano;
};

Q_RESULT q_taking(struct db *db, int64_t id, struct taking_row *row_r);
/* If nobody has answered: it won't be done any more. */
Q_RESULT q_taking_give_up(struct db *db, int64_t id,
	    enum taking_state *state_r);

struct expired_row {
	int64_t customer_id;
	const char *customer;
	int64_t left_nano;
};
/* Customers with expired credit that is not booked out yet. */
Q_RESULT q_expired_each(struct db *db,
	    bool (*each)(const struct expired_row *, void *), void *arg);
/* Asks the flusher to do it now. */
Q_RESULT q_expire_ask(struct db *db);

/*
 * Packages
 */
struct package_row {
	int64_t id;
	const char *name;
	int64_t amount_nano;
	int64_t bonus_nano;
	int64_t price_minor;		/* of currency, ISO 4217 */
	const char *currency;
	int64_t validity_days;		/* 0: for ever */
	bool active;
};

/* id and active are ignored.  DB_CONFLICT: name taken. */
Q_RESULT q_package_add(struct db *db, const struct package_row *package,
	    int64_t *id_r);
/* All members, by name. */
Q_RESULT q_package_set(struct db *db, const struct package_row *package);
/* name NULL: all, active first. */
Q_RESULT q_package_each(struct db *db, const char *name,
	    bool (*each)(const struct package_row *, void *), void *arg);

struct ledger_row {
	int64_t transaction_id;
	const char *kind;		/* "credit", "calls", "refund" … */
	int64_t customer_id;
	const char *account;		/* "customer_prepaid", "revenue" … */
	int64_t amount_nano;
	int64_t calls;			/* in a booking of calls */
	const char *idempotency_key;
	const char *actor;
	const char *reason;
	int64_t at_us;
	bool customers;			/* is it an account of the customer? */
	int64_t balance_nano;	/* all of the customer's, after it; else 0 */
	int64_t expires_us;		/* of the account; 0: never */
	const uint8_t *request_id;	/* of the call refunded; else NULL */
	const char *package;		/* what was bought; else "" */
	int64_t price_minor;
	const char *currency;
	int64_t nth;			/* its booking's place in the page */
};

struct ledger_filter {
	int64_t customer_id;		/* 0: of all; balance_nano is then 0 */
	bool forward;			/* from the first booking on, else */
	int64_t limit;			/* from the last; so many bookings */
	/* Behind this booking in that direction; 0: none.  Forward
	 * after_nano is the balance after it, else before it. */
	int64_t after;
	int64_t after_nano;
};
/* Postings of bookings, the oldest first in either direction.  row->nth
 * counts bookings from where the page begins. */
Q_RESULT q_ledger_list(struct db *db, const struct ledger_filter *filter,
	    bool (*each)(const struct ledger_row *, void *), void *arg);

/* A customer's months, the latest first, behind one ("2026-11"; NULL: from
 * the last on): month, what came in, what the calls cost, the change of the
 * balance, bookings. */
Q_RESULT q_bill_list(struct db *db, int64_t customer_id, const char *after,
	    int64_t limit, struct db_rows **rows_r);

struct account_total_row {
	const char *kind;
	int64_t customer_id;		/* 0: not a customer's */
	const char *customer;
	int64_t total_nano;
};
/* Every ledger account with the sum of its postings. */
Q_RESULT q_account_each(struct db *db,
	    bool (*each)(const struct account_total_row *, void *), void *arg);

/*
 * Calls
 */
struct call_row {
	struct call_record record;
	int64_t transaction_id;		/* 0: nothing was owed */
	uint64_t journal_id;
	uint64_t journal_seq;
	const char *customer;		/* names as of now, "" if unknown */
	const char *model;
	const char *other_model;
	const char *channel;
	const char *key_hint;
};

struct call_filter {
	int64_t customer_id;		/* 0: any */
	int64_t since_us;		/* 0: from the beginning */
	int64_t until_us;		/* inclusive; 0: to the end */
	const uint8_t *request_id;	/* 16 bytes; NULL: any */
	int64_t limit;			/* so many; 0: all */
	bool forward;			/* from the oldest on, else the latest */
	bool oldest_first;		/* these in the order of time */
	/* Behind this one in that direction; 0: from its first on. */
	int64_t after_us;
	uint8_t after_id[RECORD_ID_BYTES];
};
Q_RESULT q_call_each(struct db *db, const struct call_filter *filter,
	    bool (*each)(const struct call_row *, void *), void *arg);

/*
 * Nodes, and what they have; shm/LEASES
 */
struct node_row {
	int64_t id;
	const char *name;
	const char *state;	/* "up", "gone", "stopped", "fenced" */
	int64_t epoch;
	int64_t unspent_nano;	/* of its leases; in suspense if it is gone */
	int64_t beat_us;	/* 0: never, or it isn't anybody */
	int64_t fenced_us;	/* 0: it is not */
};
Q_RESULT q_node_each(struct db *db,
	    bool (*each)(const struct node_row *, void *), void *arg);
/* who: a name, or a number when no node has that name. */
Q_RESULT q_node_find(struct db *db, const char *who, int64_t *id_r);
/* DB_CONFLICT: the name is taken. */
Q_RESULT q_node_add(struct db *db, const char *name, int64_t *id_r);
/* *home_nano_r: what came home.  DB_CONFLICT: it was fenced. */
Q_RESULT q_node_fence(struct db *db, int64_t id, const char *actor,
	    const char *reason, int64_t *home_nano_r);
/* DB_CONFLICT: it was not fenced. */
Q_RESULT q_node_admit(struct db *db, int64_t id, const char *actor,
	    const char *reason);

struct lease_row {
	int64_t customer_id;
	int64_t granted_nano;
	int64_t spent_nano;
};
/* Of every customer, with zeros where the node has no lease. */
Q_RESULT q_lease_each(struct db *db, const char *node,
	    bool (*each)(const struct lease_row *, void *), void *arg);

/*
 * Of all of it
 */
struct totals {
	int64_t customers, keys, models, channels, calls, transactions;
	int64_t granted_nano, spent_nano;
	int64_t fee_nano, uncollected_nano;	/* over all calls */
};
Q_RESULT q_totals(struct db *db, struct totals *totals_r);
/* How many calls there are, about, without counting. */
Q_RESULT q_call_estimate(struct db *db, int64_t *calls_r);

/* Names that begin with something, in order, at most so many; for a shell. */
enum complete_what {
	COMPLETE_CUSTOMER,
	COMPLETE_GROUP,
	COMPLETE_CHANNEL,
	COMPLETE_MODEL,
	COMPLETE_PACKAGE,
	COMPLETE_NODE
};
Q_RESULT q_complete(struct db *db, enum complete_what what,
	    const char *prefix, int64_t limit,
	    bool (*each)(const char *name, void *), void *arg);

/* The names of customers or channels by their numbers; who isn't there is not
 * told of. */
Q_RESULT q_name_each(struct db *db, enum complete_what what,
	    const int64_t *ids, size_t n,
	    bool (*each)(int64_t id, const char *name, void *), void *arg);

struct mark_row {
	int64_t node_id;
	uint64_t journal_id;
	int64_t seq;
	int64_t changed_us;
};
Q_RESULT q_mark_each(struct db *db,
	    bool (*each)(const struct mark_row *, void *), void *arg);

#endif
