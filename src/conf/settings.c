/* The table.  The manual, the sample file and this say the same; a test
 * holds them together. */
#include "conf/settings.h"

#include "conf/table.h"

#define MEMBER(m) offsetof(struct settings, m), \
	sizeof(((struct settings *)0)->m)

#define KIB UINT64_C(1024)
#define MIB (KIB * KIB)
#define GIB (KIB * MIB)
#define SECOND UINT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* In the order of enum client_abort. */
static const char *const abort_words[] = { "cancel", "drain", NULL };
/* In the order of enum sandbox_setting. */
static const char *const sandbox_words[] = { "on", "require", "off", NULL };
/* In the order of enum portal_setting. */
static const char *const portal_words[] = { "on", "off", NULL };
/* In the order of enum durability. */
static const char *const durability_words[] = { "relaxed", "group", "strict",
	NULL };
/* In the order of enum unpriced_dimension. */
static const char *const unpriced_words[] = { "refuse", "charge", NULL };
/* In the order of enum log_level. */
static const char *const level_words[] = { "error", "warning", "notice",
	"info", "debug", NULL };

const struct setting settings_table[] = {
	/* service */
	{ "user", SETTING_NAME, SETTING_RESTART, MEMBER(user),
	  1, SETTING_NAME_BYTES - 1, YOUYUN_USER, "",
	  "the user of all processes but the master, when started as root",
	  NULL },
	{ "currency", SETTING_NAME, SETTING_LIVE, MEMBER(currency),
	  1, 15, "USD", "", "the unit that all amounts are in", NULL },
	{ "node", SETTING_NAME, SETTING_RESTART, MEMBER(node),
	  1, SETTING_NAME_BYTES - 1, "node1", "",
	  "which of the database's nodes this is, by name or number", NULL },
	{ "staff", SETTING_TEXT, SETTING_LIVE, MEMBER(staff),
	  0, SETTING_TEXT_BYTES - 1, "", "",
	  "who may use youyunctl as what: alice:billing bob:support", NULL },
	{ "state_dir", SETTING_PATH, SETTING_RESTART, MEMBER(state_dir),
	  1, SETTING_PATH_BYTES - 1, YOUYUN_STATEDIR, "",
	  "everything that must survive a restart of the machine", NULL },
	{ "run_dir", SETTING_PATH, SETTING_RESTART, MEMBER(run_dir),
	  1, SETTING_PATH_BYTES - 1, "<state_dir>/run", "",
	  "sockets and the pid file", NULL },
	{ "secrets_file", SETTING_PATH, SETTING_RESTART, MEMBER(secrets_file),
	  1, SETTING_PATH_BYTES - 1, "<state_dir>/secrets", "",
	  "the keys of digests and seals, made by youyunctl init", NULL },
	{ "log", SETTING_LOG, SETTING_RESTART, MEMBER(log),
	  0, 0, "auto", "", "where messages go", NULL },
	{ "log_level", SETTING_WORD, SETTING_LIVE, MEMBER(log_level),
	  0, 0, "notice", "", "the least important messages to write",
	  level_words },
	{ "sandbox", SETTING_WORD, SETTING_RESTART, MEMBER(sandbox),
	  0, 0, "on", "", "whether processes are confined to their job",
	  sandbox_words },
	{ "shutdown_timeout", SETTING_DURATION, SETTING_LIVE,
	  MEMBER(shutdown_timeout_ms), 0, HOUR, "30s", "",
	  "how long calls may go on after a stop or a reload", NULL },

	/* clients */
	{ "listen", SETTING_LISTEN, SETTING_LIVE, MEMBER(listen),
	  0, 0, "127.0.0.1:8443", "", "addresses for customers", NULL },
	{ "tls_certificate", SETTING_PATH, SETTING_LIVE,
	  MEMBER(tls_certificate), 1, SETTING_PATH_BYTES - 1,
	  YOUYUN_CONFDIR "/server.crt", "",
	  "PEM, the server's certificate first, then its chain", NULL },
	{ "tls_key", SETTING_PATH, SETTING_LIVE, MEMBER(tls_key),
	  1, SETTING_PATH_BYTES - 1, YOUYUN_CONFDIR "/server.key", "",
	  "PEM, not encrypted", NULL },
	{ "workers", SETTING_COUNT, SETTING_LIVE, MEMBER(workers),
	  0, SETTING_WORKERS_MAX, "0", "processes", "0 means one for each core", NULL },
	{ "daemons_per_worker", SETTING_COUNT, SETTING_LIVE,
	  MEMBER(daemons_per_worker), 1, 64, "8", "",
	  "HTTP daemons over which a worker spreads its connections", NULL },
	{ "max_connections", SETTING_COUNT, SETTING_LIVE,
	  MEMBER(max_connections), 16, 1000000, "4096", "connections",
	  "of clients, in one worker", NULL },
	{ "max_connections_per_address", SETTING_COUNT, SETTING_LIVE,
	  MEMBER(max_connections_per_address), 1, 1000000, "256",
	  "connections", "from one address, in one worker", NULL },
	{ "address_requests_per_minute", SETTING_COUNT, SETTING_LIVE,
	  MEMBER(address_requests_per_minute), 0, 10000000, "0", "calls",
	  "from one address; 0: no limit", NULL },
	{ "address_concurrent", SETTING_COUNT, SETTING_LIVE,
	  MEMBER(address_concurrent), 0, 1000000, "0", "calls",
	  "at once from one address; 0: no limit", NULL },
	{ "portal", SETTING_WORD, SETTING_RESTART, MEMBER(portal),
	  0, 0, "on", "", "whether customers have their own API, /api/v1",
	  portal_words },
	{ "portal_body_bytes", SETTING_BYTES, SETTING_LIVE,
	  MEMBER(portal_body_bytes), KIB, 64 * MIB, "1M", "bytes",
	  "the longest body of a request to it", NULL },
	{ "max_body_bytes", SETTING_BYTES, SETTING_LIVE,
	  MEMBER(max_body_bytes), KIB, GIB, "32M", "bytes",
	  "the longest request body", NULL },
	{ "head_timeout", SETTING_DURATION, SETTING_LIVE,
	  MEMBER(head_timeout_ms), 100, HOUR, "10s", "",
	  "for a complete request head", NULL },
	{ "body_timeout", SETTING_DURATION, SETTING_LIVE,
	  MEMBER(body_timeout_ms), 100, HOUR, "60s", "",
	  "for a complete request body", NULL },
	{ "idle_timeout", SETTING_DURATION, SETTING_LIVE,
	  MEMBER(idle_timeout_ms), 100, HOUR, "75s", "",
	  "between two calls of a connection", NULL },
	{ "on_client_abort", SETTING_WORD, SETTING_LIVE,
	  MEMBER(on_client_abort), 0, 0, "cancel", "",
	  "what becomes of a call whose client has gone", abort_words },
	{ "drain_max_bytes", SETTING_BYTES, SETTING_LIVE,
	  MEMBER(drain_max_bytes), 0, GIB, "4M", "bytes",
	  "how much of such an answer to read on, when draining", NULL },

	/* upstream */
	{ "upstream_connect_timeout", SETTING_DURATION, SETTING_LIVE,
	  MEMBER(upstream_connect_timeout_ms), 10, 5 * MINUTE, "10s", "",
	  "for a connection and its TLS handshake", NULL },
	{ "upstream_first_byte_timeout", SETTING_DURATION, SETTING_LIVE,
	  MEMBER(upstream_first_byte_timeout_ms), 100, DAY, "300s", "",
	  "from the request sent to the first byte of the answer", NULL },
	{ "upstream_idle_timeout", SETTING_DURATION, SETTING_LIVE,
	  MEMBER(upstream_idle_timeout_ms), 100, DAY, "300s", "",
	  "the longest silence inside an answer", NULL },
	{ "total_timeout", SETTING_DURATION, SETTING_LIVE,
	  MEMBER(total_timeout_ms), SECOND, DAY, "1h", "",
	  "for a whole call", NULL },
	{ "upstream_keepalive", SETTING_COUNT, SETTING_LIVE,
	  MEMBER(upstream_keepalive), 0, 4096, "32", "connections",
	  "kept idle for a channel, in one worker", NULL },
	{ "relay_buffer_bytes", SETTING_BYTES, SETTING_LIVE,
	  MEMBER(relay_buffer_bytes), 4 * KIB, 4 * MIB, "64k", "bytes",
	  "of an answer that a slow client has not taken yet", NULL },

	{ "first_token_timeout", SETTING_DURATION, SETTING_LIVE,
	  MEMBER(first_token_timeout_ms), 0, DAY, "120s", "",
	  "for a stream's first byte, before another channel is tried; 0s "
	  "means no such limit", NULL },

	/* choice and failover */
	{ "max_attempts", SETTING_COUNT, SETTING_LIVE, MEMBER(max_attempts),
	  1, 10, "3", "attempts", "of one call, the first included", NULL },
	{ "retry_percent", SETTING_COUNT, SETTING_LIVE,
	  MEMBER(retry_percent), 0, 1000, "20", "percent",
	  "of a worker's calls that may be further attempts", NULL },
	{ "breaker_failures", SETTING_COUNT, SETTING_LIVE,
	  MEMBER(breaker_failures), 0, 1000000, "5", "failures",
	  "in a row that take a channel out; 0 means never", NULL },
	{ "breaker_percent", SETTING_COUNT, SETTING_LIVE,
	  MEMBER(breaker_percent), 1, 100, "50", "percent",
	  "of the last calls whose failure takes a channel out", NULL },
	{ "breaker_open", SETTING_DURATION, SETTING_LIVE,
	  MEMBER(breaker_open_ms), 10, HOUR, "5s", "",
	  "how long it is out at first", NULL },
	{ "credential_retry", SETTING_DURATION, SETTING_LIVE,
	  MEMBER(credential_retry_ms), 10, DAY, "10m", "",
	  "how long a credential that was refused is out at first", NULL },
	{ "retry_after_max", SETTING_DURATION, SETTING_LIVE,
	  MEMBER(retry_after_max_ms), 0, DAY, "1h", "",
	  "the longest Retry-After of an upstream that is obeyed", NULL },
	{ "affinity_bytes", SETTING_COUNT, SETTING_LIVE,
	  MEMBER(affinity_bytes), 0, 1048576, "4096", "bytes",
	  "of a prompt's beginning that choose the credential; 0 means none",
	  NULL },

	/* money */
	{ "stream_extend_tokens", SETTING_COUNT, SETTING_LIVE,
	  MEMBER(stream_extend_tokens), 16, 1000000, "1024", "tokens",
	  "of output that a stream holds money for at a time", NULL },
	{ "default_max_tokens", SETTING_COUNT, SETTING_LIVE,
	  MEMBER(default_max_tokens), 1, 10000000, "8192", "tokens",
	  "of output held for, where neither call nor model has a limit",
	  NULL },
	{ "unpriced_dimension", SETTING_WORD, SETTING_LIVE,
	  MEMBER(unpriced_dimension), 0, 0, "refuse", "",
	  "what becomes of a call that may use what has no price",
	  unpriced_words },

	{ "lease_time", SETTING_DURATION, SETTING_RESTART,
	  MEMBER(lease_time_ms), 100, HOUR, "5s", "",
	  "of spending that one of several nodes takes money for", NULL },
	{ "lease_percent", SETTING_COUNT, SETTING_RESTART,
	  MEMBER(lease_percent), 1, 100, "10", "percent",
	  "of a balance that it takes at the most for that", NULL },
	{ "lease_calls", SETTING_COUNT, SETTING_RESTART,
	  MEMBER(lease_calls), 1, 1000, "4", "calls",
	  "whose holds it takes at the least, if the balance allows", NULL },
	{ "refill_timeout", SETTING_DURATION, SETTING_LIVE,
	  MEMBER(refill_timeout_ms), 10, MINUTE, "500ms", "",
	  "how long a call waits for money from home", NULL },

	/* the segment */
	{ "max_keys", SETTING_COUNT, SETTING_RESTART, MEMBER(max_keys),
	  16, 4000000, "100000", "keys", "room in the directory", NULL },
	{ "max_accounts", SETTING_COUNT, SETTING_RESTART,
	  MEMBER(max_accounts), 16, 4000000, "100000", "accounts",
	  "room in the directory", NULL },
	{ "max_channels", SETTING_COUNT, SETTING_RESTART,
	  MEMBER(max_channels), 1, 65535, "256", "channels",
	  "room for upstream channels", NULL },
	{ "catalogue_bytes", SETTING_BYTES, SETTING_RESTART,
	  MEMBER(catalogue_bytes), 256 * KIB, GIB, "16M", "bytes",
	  "room for models, prices, groups and channels", NULL },
	{ "holds_per_worker", SETTING_COUNT, SETTING_RESTART,
	  MEMBER(holds_per_worker), 16, 262144, "4096", "calls",
	  "that a worker can have open at once", NULL },
	{ "ring_records", SETTING_COUNT, SETTING_RESTART,
	  MEMBER(ring_records), 64, 1048576, "16384", "records",
	  "between a worker and the flusher; a power of two", NULL },

	/* journal and database */
	{ "journal_dir", SETTING_PATH, SETTING_RESTART, MEMBER(journal_dir),
	  1, SETTING_PATH_BYTES - 1, "<state_dir>/journal", "",
	  "call records on their way to the database", NULL },
	{ "journal_segment_bytes", SETTING_BYTES, SETTING_RESTART,
	  MEMBER(journal_segment_bytes), MIB, GIB, "64M", "bytes",
	  "one file of the journal", NULL },
	{ "journal_budget_bytes", SETTING_BYTES, SETTING_RESTART,
	  MEMBER(journal_budget_bytes), 2 * MIB, 1024 * GIB, "4G", "bytes",
	  "what the journal may grow to while the database is away", NULL },
	{ "durability", SETTING_WORD, SETTING_RESTART, MEMBER(durability),
	  0, 0, "group", "", "when a call's record is on the disk",
	  durability_words },
	{ "sync_interval", SETTING_DURATION, SETTING_RESTART,
	  MEMBER(sync_interval_ms), 10, MINUTE, "1s", "",
	  "between two syncs of the journal, with durability = relaxed",
	  NULL },
	{ "strict_timeout", SETTING_DURATION, SETTING_RESTART,
	  MEMBER(strict_timeout_ms), 100, HOUR, "10s", "",
	  "for an answer that waits for its record, with durability = strict",
	  NULL },
	{ "database", SETTING_TEXT, SETTING_RESTART, MEMBER(database),
	  1, SETTING_TEXT_BYTES - 1, "embedded", "",
	  "embedded, or a libpq connection string", NULL },
	{ "postgres_bin", SETTING_PATH, SETTING_RESTART,
	  MEMBER(postgres_bin), 0, SETTING_PATH_BYTES - 1, "", "",
	  "where initdb and postgres are; empty means to look for them",
	  NULL },
	{ "apply_batch", SETTING_COUNT, SETTING_RESTART, MEMBER(apply_batch),
	  1, 10000, "512", "records", "applied in one transaction", NULL },
};

const size_t settings_count =
    sizeof(settings_table) / sizeof(settings_table[0]);
