/*
 * settings.h: every setting of youyun.conf, as the processes read it.
 * Layer: conf.
 * Written by: settings_read() in the master and in youyunctl, before anybody
 * is forked; read-only from then on.  A reload makes a new struct for new
 * processes.
 *
 * The struct is fixed: no pointers, nothing of the parser in it.  What each
 * setting is called in the file, its type, range, default and whether it
 * changes on a reload stands in one table (settings.c).
 */
#ifndef CONF_SETTINGS_H
#define CONF_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/bytes.h"

#define SETTING_NAME_BYTES 64
#define SETTING_PATH_BYTES 512
#define SETTING_TEXT_BYTES 1024
#define SETTING_LISTEN_MAX 16
#define SETTING_ADDRESS_BYTES 64
/* Twice as many, and a few, are the seats that a segment can have. */
#define SETTING_WORKERS_MAX 500

/* 1.2.3.4:8443 or [::1]:8443; everything behind text is derived from it. */
struct listen_address {
	char text[SETTING_ADDRESS_BYTES];
	struct sockaddr_storage sockaddr;
	socklen_t sockaddr_len;
};

struct listen_list {
	uint32_t count;
	struct listen_address address[SETTING_LISTEN_MAX];
};

enum client_abort {
	CLIENT_ABORT_CANCEL,	/* close the upstream connection */
	CLIENT_ABORT_DRAIN	/* read on, to learn the usage */
};

enum sandbox_setting {
	SANDBOX_SETTING_ON,		/* as far as the kernel can */
	SANDBOX_SETTING_REQUIRE,	/* all of it, or no start */
	SANDBOX_SETTING_OFF
};

/* When a call's record is on the disk; see youyun.conf(5). */
enum durability {
	DURABILITY_RELAXED,	/* within sync_interval */
	DURABILITY_GROUP,	/* at once, many together; no answer waits */
	DURABILITY_STRICT	/* before the answer's last byte leaves */
};

enum unpriced_dimension {
	UNPRICED_REFUSE,	/* what is known beforehand */
	UNPRICED_CHARGE		/* as base/fee.h says */
};

/* In the order of customer.keep_address. */
enum keep_address_setting {
	KEEP_ADDRESS_FULL,
	KEEP_ADDRESS_NETWORK,	/* /24, /48 */
	KEEP_ADDRESS_NONE
};

enum keep_agent_setting {
	KEEP_AGENT_ON,
	KEEP_AGENT_OFF
};

enum portal_setting {
	PORTAL_SETTING_ON,
	PORTAL_SETTING_OFF
};

enum registration_setting {
	REGISTRATION_CLOSED,
	REGISTRATION_INVITATION,
	REGISTRATION_OPEN
};

enum log_setting {
	LOG_SETTING_AUTO,	/* stderr in the foreground, else syslog */
	LOG_SETTING_STDERR,
	LOG_SETTING_SYSLOG,
	LOG_SETTING_FILE	/* log_file */
};

struct settings {
	/* service */
	char user[SETTING_NAME_BYTES];
	char currency[SETTING_NAME_BYTES];
	char node[SETTING_NAME_BYTES];	/* name or number */
	char staff[SETTING_TEXT_BYTES];	/* conf/staff.h */
	char state_dir[SETTING_PATH_BYTES];
	char run_dir[SETTING_PATH_BYTES];
	char secrets_file[SETTING_PATH_BYTES];
	uint32_t log;			/* enum log_setting */
	char log_file[SETTING_PATH_BYTES];
	uint32_t log_level;		/* enum log_level */
	uint32_t sandbox;		/* enum sandbox_setting */
	uint32_t shutdown_timeout_ms;
	uint32_t audit_anchor_every_ms;
	char audit_anchor_to[SETTING_PATH_BYTES]; /* "", "syslog", a path */

	/* clients */
	struct listen_list listen;
	char tls_certificate[SETTING_PATH_BYTES];
	char tls_key[SETTING_PATH_BYTES];
	uint32_t workers;		/* as written; see settings_workers() */
	uint32_t daemons_per_worker;
	uint32_t max_connections;	/* of one worker */
	uint32_t max_connections_per_address; /* in one worker */
	uint32_t address_requests_per_minute; /* 0: no limit */
	uint32_t address_tokens_per_minute;
	uint32_t address_concurrent;	/* 0: no limit */
	int64_t address_spending_per_day_nano; /* 0: no limit */
	uint32_t address_failures_per_minute; /* 0: no limit */
	uint32_t limited_requests_per_minute;
	uint32_t limited_concurrent;
	uint32_t record_address;	/* enum keep_address_setting */
	uint32_t record_user_agent;	/* enum keep_agent_setting */
	uint32_t portal;		/* enum portal_setting */
	uint64_t portal_body_bytes;
	char payment_secret_file[SETTING_PATH_BYTES]; /* "": none */
	char payment_public_key[SETTING_PATH_BYTES]; /* "": none */
	uint32_t payment_window_ms;
	char mail_command[SETTING_TEXT_BYTES]; /* "": no mail */
	char mail_from[SETTING_TEXT_BYTES];
	uint32_t registration;		/* enum registration_setting */
	char registration_group[SETTING_NAME_BYTES + 1];
	uint32_t session_idle_timeout_ms;
	uint32_t session_lifetime_ms;
	char totp_issuer[SETTING_NAME_BYTES + 1];
	uint32_t subprocessor_notice_days;
	uint32_t closing_grace_days;
	uint64_t max_body_bytes;
	uint32_t head_timeout_ms;
	uint32_t body_timeout_ms;
	uint32_t idle_timeout_ms;
	uint32_t on_client_abort;	/* enum client_abort */
	uint64_t drain_max_bytes;

	/* upstream */
	uint32_t upstream_connect_timeout_ms;
	uint32_t upstream_first_byte_timeout_ms;
	uint32_t upstream_idle_timeout_ms;
	uint32_t total_timeout_ms;
	uint32_t upstream_keepalive;	/* idle, a channel and worker */
	uint64_t relay_buffer_bytes;
	uint32_t first_token_timeout_ms; /* of a stream; 0: none */

	/* choice and failover */
	uint32_t max_attempts;		/* of one call */
	uint32_t retry_percent;		/* of a worker's calls */
	uint32_t breaker_failures;	/* in a row; 0: no breaker */
	uint32_t breaker_percent;
	uint32_t breaker_open_ms;
	uint32_t credential_retry_ms;	/* after a refusal */
	uint32_t retry_after_max_ms;
	uint32_t affinity_bytes;	/* 0: sessions that say so only */

	/* money */
	uint32_t stream_extend_tokens;
	uint32_t default_max_tokens;
	uint32_t lease_time_ms;
	uint32_t lease_percent;
	uint32_t lease_calls;
	uint32_t refill_timeout_ms;
	uint32_t unpriced_dimension;	/* enum unpriced_dimension */

	/* the segment */
	uint32_t max_keys;
	uint32_t max_accounts;
	uint32_t max_channels;
	uint32_t max_budgets;
	uint64_t catalogue_bytes;
	uint32_t holds_per_worker;
	uint32_t ring_records;

	/* journal and database */
	char journal_dir[SETTING_PATH_BYTES];
	uint64_t journal_segment_bytes;
	uint64_t journal_budget_bytes;
	uint32_t durability;		/* enum durability */
	uint32_t sync_interval_ms;	/* relaxed */
	uint32_t strict_timeout_ms;
	char database[SETTING_TEXT_BYTES]; /* "embedded" or a conninfo */
	char postgres_bin[SETTING_PATH_BYTES]; /* "": look for it */
	uint32_t apply_batch;
};

/* What is wrong with a configuration: "file:line: setting: why; …" lines. */
struct conf_report {
	struct buf text;		/* a line each, '\n' at its end */
	unsigned mistakes;
	unsigned notes;			/* lines that are no mistakes */
};

void	conf_report_init(struct conf_report *report);
void	conf_report_free(struct conf_report *report);
/* One line; line 0: the file as a whole.  setting may be NULL. */
void	conf_mistake(struct conf_report *report, const char *file,
	    unsigned line, const char *setting, const char *fmt, ...)
	    __attribute__((format(printf, 5, 6)));
void	conf_note(struct conf_report *report, const char *setting,
	    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* All defaults, paths expanded. */
void	settings_default(struct settings *settings_r);

/*
 * Reads and checks the file.  False when there is any mistake; then *report
 * has all of them, and settings_r is not to be used.  Doesn't look at the
 * certificates or other files that settings name.
 */
bool	settings_read(const char *path, struct settings *settings_r,
	    struct conf_report *report) __attribute__((warn_unused_result));

/* The same from memory; name stands for the file in messages. */
bool	settings_parse(const char *name, const char *text, size_t len,
	    struct settings *settings_r, struct conf_report *report)
	    __attribute__((warn_unused_result));

/*
 * For a reload: each setting of *next that differs from *now and cannot
 * change in a running service gets a note that says what to do, and its old
 * value back.  Returns how many live settings do change.
 */
unsigned settings_diff(const struct settings *now, struct settings *next,
	    struct conf_report *report);

/* Worker processes: the setting, or one a core. */
uint32_t settings_workers(const struct settings *settings);

/* Of this installation's segment, for shm_create() and shm_attach(): one for
 * each state directory.  name_r takes SEGMENT_NAME_BYTES. */
#define SEGMENT_NAME_BYTES 32
void	settings_segment_name(const struct settings *settings, char *name_r);

#endif
