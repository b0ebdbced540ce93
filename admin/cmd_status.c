/* status: is it up, what does it do, and why not. */
#include "admin/admin.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "admin/args.h"
#include "admin/channel_health.h"
#include "admin/profile.h"
#include "admin/report.h"
#include "admin/status.h"
#include "base/clock.h"
#include "base/money.h"
#include "conf/embedded.h"
#include "conf/settings.h"
#include "db/migrate.h"
#include "db/queries.h"
#include "sandbox/sandbox.h"
#include "shm/hold.h"
#include "shm/ring.h"
#include "shm/seat.h"
#include "shm/segment.h"

#define CONNECT_TIMEOUT_S 2

static const struct report_column seat_columns[] = {
	{ "seat", "SEAT", REPORT_NUMBER, false },
	{ "state", "STATE", REPORT_ID, false },
	{ "pid", "PID", REPORT_NUMBER, false },
	{ "alive", "ALIVE", REPORT_FLAG, false },
	{ "connections", "CONNS", REPORT_NUMBER, false },
	{ "streams", "OPEN", REPORT_NUMBER, false },
	{ "calls", "CALLS", REPORT_NUMBER, false },
	{ "refused", "REFUSED", REPORT_NUMBER, true },
	{ "upstream_failed", "UPFAILED", REPORT_NUMBER, true },
	{ "fees", "FEES", REPORT_MONEY, true },
	{ "tokens", NULL, REPORT_NUMBER, false },
	{ "accepted", NULL, REPORT_NUMBER, false },
	{ "bytes_in", NULL, REPORT_NUMBER, false },
	{ "bytes_out", NULL, REPORT_NUMBER, false },
	{ "upstream_connects", NULL, REPORT_NUMBER, false },
	{ "upstream_resumed", NULL, REPORT_NUMBER, false },
	{ "unknown_usage", NULL, REPORT_NUMBER, false },
	{ "dropped_records", NULL, REPORT_NUMBER, false },
	{ "ring", "RING", REPORT_NUMBER, true },
	{ "sandbox_missing", NULL, REPORT_TEXT, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

static const char *
state_name(enum seat_state state)
{
	switch (state) {
	case SEAT_FREE:
		return "free";
	case SEAT_LIVE:
		return "live";
	case SEAT_DEAD:
		return "dead";
	}
	return "unknown";
}

static uint32_t
lacking(enum sandbox_role role, uint64_t parts)
{
	return sandbox_wanted(role) & ~(uint32_t)parts;
}

static void
add_seat(struct report *report, const struct shm *shm, uint32_t seat)
{
	static const enum seat_counter rest[] = {
		SEAT_TOKENS, SEAT_ACCEPTED, SEAT_BYTES_IN, SEAT_BYTES_OUT,
		SEAT_UPSTREAM_CONNECTS, SEAT_UPSTREAM_RESUMED,
		SEAT_UNKNOWN_USAGE, SEAT_DROPPED_RECORDS
	};
	char text[SANDBOX_TEXT_BYTES];
	size_t i;

	report_number(report, seat);
	report_id(report, state_name(seat_state(shm, seat)));
	report_number(report, seat_pid(shm, seat));
	report_flag(report, health_beats(seat_get(shm, seat, SEAT_BEAT_NS)));
	report_number(report,
	    (int64_t)seat_get(shm, seat, SEAT_CONNECTIONS));
	report_number(report, (int64_t)seat_get(shm, seat, SEAT_STREAMS));
	report_number(report, (int64_t)seat_get(shm, seat, SEAT_CALLS));
	report_number(report, (int64_t)seat_get(shm, seat, SEAT_REFUSED));
	report_number(report,
	    (int64_t)seat_get(shm, seat, SEAT_UPSTREAM_FAILED));
	report_money(report, (int64_t)seat_get(shm, seat, SEAT_FEE_NANO));
	for (i = 0; i < sizeof rest / sizeof rest[0]; i++)
		report_number(report, (int64_t)seat_get(shm, seat, rest[i]));
	report_number(report, (int64_t)(ring_head(shm, seat) -
	    ring_tail(shm, seat)));
	sandbox_text(lacking(SANDBOX_WORKER,
	    seat_get(shm, seat, SEAT_SANDBOX)), text);
	report_text(report, text);
}

/* Why new calls are refused, a sentence each. */
static void
add_stops(struct record *record, uint32_t stops)
{
	static const struct {
		uint32_t bit;
		const char *name, *why;
	} known[] = {
		{ SHM_STOP_LOADING, "loading", "keys and accounts are not "
		  "loaded yet; is the database up?" },
		{ SHM_STOP_JOURNAL, "journal", "the journal could not be "
		  "written, or lacks records that the database has; see the "
		  "log, mend it, restart youyund" },
		{ SHM_STOP_BUDGET, "budget", "the journal is at "
		  "journal_budget_bytes or its disk is full; is the database "
		  "up?" },
		{ SHM_STOP_FLUSHER, "flusher", "the flusher is away; see the "
		  "log" },
		{ SHM_STOP_NODE, "node", "this node is fenced, or another "
		  "instance is it; see \"youyunctl node list\"" }
	};
	static const struct report_column columns[] = {
		{ "reason", "REASON", REPORT_TEXT, false },
		{ NULL, NULL, REPORT_TEXT, false }
	};
	struct report *list;
	size_t i;

	list = report_list("stops", columns);
	for (i = 0; i < sizeof known / sizeof known[0]; i++)
		if ((stops & known[i].bit) != 0) {
			report_text(list, known[i].name);
			record_line(record, "New calls are refused: %s",
			    known[i].why);
		}
	record_list(record, &list);
}

/* What waits for the database, and for how long: from the segment, because
 * the database may be what is missing. */
static void
add_backlog(const struct admin *admin, struct record *record,
    const struct shm *shm)
{
	uint64_t durable = shm_gauge(shm, SHM_GAUGE_JOURNAL_SEQ);
	uint64_t applied = shm_gauge(shm, SHM_GAUGE_APPLIED_SEQ);
	int64_t oldest = (int64_t)shm_gauge(shm, SHM_GAUGE_OLDEST_US);
	int64_t waiting = durable > applied ? (int64_t)(durable - applied) : 0;

	record_number(record, "journal_waiting", "Journal, records waiting",
	    waiting);
	record_number(record, "journal_bytes", "Journal, bytes waiting",
	    (int64_t)shm_gauge(shm, SHM_GAUGE_JOURNAL_BYTES));
	record_number(record, "journal_disk_bytes", "Journal, bytes on disk",
	    (int64_t)shm_gauge(shm, SHM_GAUGE_JOURNAL_DISK));
	record_number(record, "journal_budget_bytes", "  of its budget",
	    (int64_t)admin->settings->journal_budget_bytes);
	record_time(record, "oldest_waiting", "Journal, oldest waiting (UTC)",
	    waiting != 0 ? oldest : 0);
	record_number(record, "oldest_waiting_s", "  for seconds",
	    waiting != 0 && oldest != 0 ?
	    (clock_wall().us - oldest) / 1000000 : 0);
	record_number(record, "applied_per_second",
	    "Journal, applied a second",
	    (int64_t)shm_gauge(shm, SHM_GAUGE_APPLY_RATE));
}

static void
add_gauges(const struct admin *admin, struct record *record,
    const struct shm *shm)
{
	static const struct {
		enum shm_gauge gauge;
		const char *key, *label;
	} shown[] = {
		{ SHM_GAUGE_NODE, "node", "Node" },
		{ SHM_GAUGE_NODES_UP, "nodes_up", "Nodes up" },
		{ SHM_GAUGE_KEYS, "keys", "Keys" },
		{ SHM_GAUGE_ACCOUNTS, "accounts", "Accounts" },
		{ SHM_GAUGE_JOURNAL_SEQ, "journal_seq", "Journal, durable to" },
		{ SHM_GAUGE_APPLIED_SEQ, "applied_seq", "Journal, applied to" },
		{ SHM_GAUGE_FSYNCS, "fsyncs", NULL },
		{ SHM_GAUGE_REFILLS, "refills", NULL },
		{ SHM_GAUGE_RECLAIMED, "reclaimed", "Calls settled after a "
		  "worker's death" },
		{ SHM_GAUGE_DIRECTORY_LOADS, "directory_loads", NULL }
	};
	size_t i;

	record_flag(record, "flusher", "Flusher runs",
	    health_beats(shm_gauge(shm, SHM_GAUGE_FLUSHER_BEAT_NS)));
	record_flag(record, "flusher_database", "Flusher's database",
	    shm_gauge(shm, SHM_GAUGE_DATABASE_UP) != 0);
	record_time(record, "flusher_database_since", "  since (UTC)",
	    (int64_t)shm_gauge(shm, SHM_GAUGE_DATABASE_SINCE_US));
	for (i = 0; i < sizeof shown / sizeof shown[0]; i++)
		record_number(record, shown[i].key, shown[i].label,
		    (int64_t)shm_gauge(shm, shown[i].gauge));
	add_backlog(admin, record, shm);
	record_number(record, "open_holds", "Open holds",
	    hold_open_total(shm));
}

/* One line for all processes: what no worker, or the flusher, lacks is
 * nothing to worry about. */
uint32_t
status_sandbox_missing(const struct shm *shm)
{
	uint32_t missing = lacking(SANDBOX_FLUSHER,
	    shm_gauge(shm, SHM_GAUGE_FLUSHER_SANDBOX));
	uint32_t seat;

	for (seat = SEAT_FLUSHER + 1; seat < seat_count(shm); seat++)
		if (seat_state(shm, seat) == SEAT_LIVE)
			missing |= lacking(SANDBOX_WORKER,
			    seat_get(shm, seat, SEAT_SANDBOX));
	return missing;
}

static void
add_sandbox(struct record *record, const struct shm *shm)
{
	uint32_t missing = status_sandbox_missing(shm);
	char text[SANDBOX_TEXT_BYTES];

	sandbox_text(missing, text);
	record_text(record, "sandbox_missing", NULL, text);
	if (missing == 0)
		record_line(record, "Workers and flusher are confined");
	else
		record_line(record, "The sandbox lacks: %s", text);
}

static bool
add_segment(const struct admin *admin, struct record *record,
    struct report **seats_r)
{
	char name[SEGMENT_NAME_BYTES];
	enum shm_result result;
	struct shm *shm;
	uint32_t seat;
	bool runs;

	settings_segment_name(admin->settings, name);
	result = shm_attach(name, true, &shm);
	record_flag(record, "segment", NULL, result == SHM_OK);
	*seats_r = report_list("seats", seat_columns);
	if (result != SHM_OK) {
		record_text(record, "segment_error", "Segment",
		    shm_explain(result));
		return false;
	}
	runs = health_beats(shm_gauge(shm, SHM_GAUGE_FLUSHER_BEAT_NS));
	add_gauges(admin, record, shm);
	add_sandbox(record, shm);
	add_stops(record, shm_stops(shm));
	for (seat = SEAT_FLUSHER + 1; seat < seat_count(shm); seat++)
		if (seat_state(shm, seat) != SEAT_FREE)
			add_seat(*seats_r, shm, seat);
	if (shm_stops(shm) != 0)
		runs = false;
	shm_close(&shm);
	return runs;
}

static bool
add_mark(const struct mark_row *row, void *arg)
{
	record_time(arg, "applied_at", "Last applied (UTC)", row->changed_us);
	return true;
}

/* Its absence is something to show here, not a reason to stop. */
static bool
add_database(struct admin *admin, struct record *record)
{
	char conninfo[EMBEDDED_TEXT_BYTES];
	int version;
	bool up;

	up = database_conninfo(admin->settings,
	    profile_role(admin->profile), "youyunctl",
	    conninfo, sizeof conninfo);
	if (up && admin->db == NULL)
		admin->db = db_open(conninfo);
	up = up && admin->db != NULL &&
	    db_connect(admin->db, CONNECT_TIMEOUT_S) == DB_OK;
	record_text(record, "database_kind", "Database",
	    database_is_embedded(admin->settings) ? "embedded" :
	    "the operator's own");
	record_flag(record, "database", "Database answers", up);
	if (!up) {
		if (admin->db != NULL)
			record_text(record, "database_error", "  because",
			    db_message(admin->db));
		return false;
	}
	if (db_schema_version(admin->db, &version) != DB_OK)
		return false;
	record_number(record, "schema_version", "Schema version", version);
	if (version != db_schema_wanted())
		record_line(record, "This youyunctl needs schema version %d: "
		    "youyunctl migrate", db_schema_wanted());
	else if (q_mark_each(admin->db, add_mark, record) != DB_OK)
		return false;
	return version == db_schema_wanted();
}

static enum admin_exit
run_status(struct admin *admin, const struct args *args)
{
	struct record *record;
	struct report *seats;
	enum admin_exit status;
	bool up;

	(void)args;
	status = admin_settings(admin);
	if (status != ADMIN_OK)
		return status;
	record = record_open();
	up = add_segment(admin, record, &seats);
	up = add_database(admin, record) && up;
	record_flag(record, "ok", "Serves calls", up);
	if (admin->json) {
		record_list(record, &seats);
		record_print(&record, admin);
	} else {
		record_print(&record, admin);
		if (!report_empty(seats)) {
			putchar('\n');
			report_print(&seats, admin, "");
		} else {
			report_discard(&seats);
		}
	}
	return up ? ADMIN_OK : ADMIN_FAILED;
}

const struct verb verbs_status[] = {
	{ "status", NULL, "", 0, 0,
	  "show whether youyund serves calls, and why if it doesn't",
	  "status", NULL, run_status },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
