#include "export/tables.h"

#define COLUMNS(...) (const char *const []){ __VA_ARGS__, NULL }

const char export_readme_head[] =
    "These are the data that are kept of your account.\n"
    "\n"
    "Each file NAME.json is a list of objects, and NAME.csv has the same as\n"
    "comma-separated values (RFC 4180, UTF-8, a line of names first).  Times\n"
    "are UTC, amounts decimal.  In a .csv, what a spreadsheet would take for a\n"
    "formula has an apostrophe in front.\n"
    "\n";
const char export_readme_tail[] =
    "  files/    the files attached to tickets, as they were sent\n"
    "\n"
    "There are no keys in it, which nobody knows but you, and no prompts and\n"
    "answers, which are not kept.  The operator's own notes are not in it\n"
    "either; ask for them by a request of kind access.\n";

const struct export_table export_tables[] = {
	{ "account", "my_export_account", false,
	  "the account: name, contact, balance, what it may do",
	  COLUMNS("id", "name", "status", "group", "contact", "language",
	    "created", "balance", "models", "addresses", "regions") },
	{ "keys", "my_export_keys", false,
	  "keys, by name and first and last characters",
	  COLUMNS("id", "name", "hint", "status", "scope", "created",
	    "expires_at", "revoked", "models", "addresses", "regions",
	    "last_used") },
	{ "origins", "my_export_origins", false,
	  "from where and by which programs keys were used",
	  COLUMNS("key_id", "kind", "value", "first_seen", "last_seen") },
	{ "login", "my_export_login", false,
	  "how you log in by password, without the secrets",
	  COLUMNS("id", "name", "created", "password_changed",
	    "codes_since") },
	{ "sessions", "my_export_sessions", false,
	  "who is logged in, from where",
	  COLUMNS("id", "created", "last_used", "expires_at", "address",
	    "user_agent") },
	{ "calls", "my_export_calls", true,
	  "a record of each call: what was used, what it cost, from where",
	  COLUMNS("request_id", "time", "route", "model", "key_id", "status",
	    "error", "input_tokens", "output_tokens", "cache_read_tokens",
	    "cache_write_5m_tokens", "cache_write_1h_tokens",
	    "reasoning_tokens", "input_audio_tokens", "output_audio_tokens",
	    "input_image_tokens", "output_image_tokens",
	    "cache_read_audio_tokens", "images", "calls", "milliseconds",
	    "characters", "tool_calls", "fee", "multiplier_ppm",
	    "price_version", "booking", "request_bytes", "answer_bytes",
	    "total_ms", "region", "address", "user_agent", "moderation") },
	{ "usage", "my_export_usage", false, "what was used by day and model",
	  COLUMNS("day", "model", "calls", "failed", "input_tokens",
	    "output_tokens", "fee") },
	{ "bills", "my_export_bills", false,
	  "bills by month: what came in, what calls cost, the change",
	  COLUMNS("month", "credited", "calls", "change") },
	{ "ledger", "my_export_ledger", false,
	  "bookings, what each changed of the balance, and why",
	  COLUMNS("booking", "kind", "at", "calls", "amount", "reason") },
	{ "payments", "my_export_payments", false,
	  "payments that arrived",
	  COLUMNS("id", "amount", "currency", "method", "booking",
	    "received") },
	{ "codes", "my_export_codes", false,
	  "top-up codes that were redeemed, by their last characters",
	  COLUMNS("code", "batch", "redeemed", "booking") },
	{ "tickets", "my_export_tickets", false, "tickets",
	  COLUMNS("id", "subject", "state", "created", "changed",
	    "request_id") },
	{ "messages", "my_export_messages", false,
	  "what was said in tickets",
	  COLUMNS("id", "ticket", "author", "at", "text") },
	{ "files", "my_export_files", false,
	  "which file was attached to which message",
	  COLUMNS("id", "ticket", "message", "name", "bytes", "file") },
	{ "events", "my_export_events", false,
	  "security events of the account",
	  COLUMNS("id", "at", "kind", "key_id", "address", "detail") },
	{ "notices", "my_export_notices", false,
	  "what you were told, and when by mail",
	  COLUMNS("id", "at", "kind", "detail", "read_at", "mailed") },
	{ "requests", "my_request", false,
	  "requests about your data, and the answers",
	  COLUMNS("id", "kind", "received", "due", "subject", "text", "proof",
	    "answered", "outcome", "answer") },
	{ "incidents", "my_incident", false,
	  "incidents that concerned your data",
	  COLUMNS("id", "kind", "since", "until", "calls", "what", "impact",
	    "taken", "planned", "recommended", "told", "closed") },
};
const size_t export_tables_count =
    sizeof(export_tables) / sizeof(export_tables[0]);
