/*
 * The run: plant, call, wait until all is written down, search, clear up.
 */
#include "admin/attest.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "conf/embedded.h"
#include "db/queries_attest.h"
#include "sandbox/sandbox.h"
#include "shm/seat.h"
#include "shm/segment.h"

#define SETTLE_MS 20000
#define POLL_NS 50000000
/* Before the start, by clocks of file systems that are a little behind. */
#define CLOCK_SLACK_S 2

static volatile sig_atomic_t interrupted;

static void
on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static bool
is_stopped(void)
{
	return interrupted != 0;
}

static void __attribute__((format(printf, 2, 3)))
unable(struct attest *a, const char *fmt, ...)
{
	va_list ap;

	if (a->reasons == ATTEST_REASONS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(a->reason[a->reasons++], ATTEST_REASON_BYTES, fmt, ap);
	va_end(ap);
}

/* All that has to be there before a call is made. */
static bool
prepare(struct attest *a)
{
	struct admin *admin = a->admin;

	/* Before there are canaries, of which the child would have a copy. */
	if (!control_helper_start(&a->helper)) {
		unable(a, "no child process: %s", strerror(errno));
		return false;
	}
	canaries_make(&a->canaries);
	if (fixture_key(admin, &a->fixture, a->api_key) != ADMIN_OK) {
		unable(a, "there is no key to call with");
		return false;
	}
	canaries_take_key(&a->canaries, a->api_key);
	a->search = search_open(&a->canaries);
	if (a->search == NULL ||
	    !attest_upstream_start(&a->upstream, &a->canaries)) {
		unable(a, "no scripted provider: %s", strerror(errno));
		return false;
	}
	scan_init(&a->scan, a->search);
	a->scan.stopped = is_stopped;
	if (admin_database(admin) != ADMIN_OK ||
	    !attest_database_open(admin, &a->database)) {
		unable(a, "the database can't be searched");
		return false;
	}
	hex_encode(a->fixture.digest, CANARY_BYTES / 2, a->credential);
	a->fixture.port = a->upstream.port;
	a->fixture.ca = a->upstream.ca;
	a->fixture.credential = a->credential;
	return true;
}

/* What a search of workers is worth: while a call goes on its prompt is there,
 * and must be found. */
static void
look_in_call(void *arg, enum canary_path path)
{
	struct attest *a = arg;
	struct scan scan;

	scan_init(&scan, a->search);
	if (processes_find(a->master, &a->processes)) {
		processes_keep(&a->processes, AREA_WORKER);
		processes_scan(&scan, &a->processes, NULL);
	}
	a->seen_in_call = scan_has(&scan, AREA_WORKER,
	    canary_of(path, PLACE_PROMPT), FORM_RAW);
	scan_free(&scan);
}

static bool
call(struct attest *a)
{
	struct attest_calls *c = &a->calls;

	if (fixture_enable(a->admin, &a->fixture) != ADMIN_OK) {
		unable(a, "attest's channels can't be made");
		return false;
	}
	c->admin = a->admin;
	c->fixture = &a->fixture;
	c->canaries = &a->canaries;
	c->key = a->api_key;
	c->master = a->master;
	c->kill_worker = a->kill_worker;
	c->stopped = is_stopped;
	c->in_call = look_in_call;
	c->arg = a;
	if (attest_calls(c))
		return true;
	for (int i = 0; i < CANARY_PATHS; i++)
		if (c->result[i].why[0] != '\0')
			unable(a, "path %s: %s", canary_path_name(
			    (enum canary_path)i), c->result[i].why);
	if (a->reasons == 0)
		unable(a, "the calls could not be made");
	return false;
}

static bool
is_settled(struct attest *a)
{
	int64_t calls = 0;

	return q_attest_calls(a->admin->db, a->fixture.customer_id,
	    a->fixture.since_us, &calls) == DB_OK &&
	    calls >= a->calls.recorded;
}

/* Until every call is in the database, so that all that is ever written of
 * them has been. */
static bool
settle(struct attest *a)
{
	const struct timespec pause = { 0, POLL_NS };
	struct mono_time until = mono_add_ms(clock_mono(), SETTLE_MS);

	while (!is_settled(a)) {
		if (is_stopped() || mono_diff_ms(until, clock_mono()) < 0) {
			unable(a, "the calls did not get into the database "
			    "within %d seconds", SETTLE_MS / 1000);
			return false;
		}
		nanosleep(&pause, NULL);
	}
	return true;
}

static bool
plant(struct attest *a)
{
	const char *state = a->admin->settings->state_dir;

	if (!control_helper_give(&a->helper,
	    a->canaries.text[CANARY_CONTROL_MEMORY]) ||
	    !control_file_make(state, a->canaries.text[CANARY_CONTROL_FILE],
	    a->control_path) ||
	    !attest_database_plant(&a->database,
	    a->canaries.text[CANARY_CONTROL_TABLE])) {
		unable(a, "the controls can't be planted");
		return false;
	}
	if (a->self_test && !control_file_make(state, a->canaries.text[
	    canary_of(PATH_ANSWERED, PLACE_PROMPT)], a->planted_path)) {
		unable(a, "the leak to be found can't be planted");
		return false;
	}
	return true;
}

static void
scan_segment(struct attest *a, const char *name)
{
	char path[SEGMENT_NAME_BYTES + 16];

	snprintf(path, sizeof(path), "/dev/shm%s", name);
	files_scan(&a->scan, AREA_SEGMENT, path, 0, NULL);
}

static void
scan_files(struct attest *a, int64_t since_s)
{
	const struct settings *s = a->admin->settings;
	char data[EMBEDDED_TEXT_BYTES];
	bool embedded = database_is_embedded(s) &&
	    embedded_data_dir(s, data, sizeof(data));

	files_scan(&a->scan, AREA_JOURNAL, s->journal_dir, 0, NULL);
	files_scan(&a->scan, AREA_STATE, s->state_dir, since_s,
	    embedded ? data : NULL);
	if (s->log_file[0] != '\0')
		files_scan(&a->scan, AREA_LOGS, s->log_file, 0, NULL);
	files_scan(&a->scan, AREA_LOGS, "/var/log", since_s, NULL);
	files_scan(&a->scan, AREA_LOGS, "/run/log", since_s, NULL);
	files_scan(&a->scan, AREA_TEMPORARY, "/tmp", since_s,
	    s->state_dir);
	files_scan(&a->scan, AREA_TEMPORARY, "/var/tmp", since_s, NULL);
	files_scan_nameless(&a->scan, &a->processes);
	files_scan_cores(&a->scan, since_s);
}

static uint32_t
parts_of(const struct shm *shm, pid_t pid)
{
	for (uint32_t seat = SEAT_FLUSHER + 1; seat < seat_count(shm); seat++)
		if (seat_state(shm, seat) == SEAT_LIVE &&
		    seat_pid(shm, seat) == pid)
			return (uint32_t)seat_get(shm, seat, SEAT_SANDBOX);
	return 0;
}

/* What is visible from outside; of Landlock the worker's own word. */
static void
look_at_workers(struct attest *a, const char *segment)
{
	char lock[SETTING_PATH_BYTES + 8], memory[SEGMENT_NAME_BYTES + 16];
	const char *own[] = { memory, lock, NULL };
	struct shm *shm = NULL;

	snprintf(lock, sizeof(lock), "%s/lock", a->admin->settings->state_dir);
	snprintf(memory, sizeof(memory), "/dev/shm%s", segment);
	if (shm_attach(segment, true, &shm) != SHM_OK)
		shm = NULL;
	for (size_t i = 0; i < a->processes.n; i++) {
		const struct process *p = &a->processes.at[i];
		struct confinement *c = &a->worker[a->workers];

		if (p->kind != AREA_WORKER ||
		    a->workers == SETTING_WORKERS_MAX)
			continue;
		if (!process_confinement(p, own, c)) {
			unable(a, "worker %ld can't be looked at",
			    (long)p->pid);
			continue;
		}
		c->landlock_known = shm != NULL;
		c->landlock = shm != NULL && (parts_of(shm, p->pid) &
		    SANDBOX_LANDLOCK) != 0;
		a->workers++;
	}
	if (shm != NULL)
		shm_close(&shm);
	if (a->workers == 0)
		unable(a, "there is no worker");
}

const char *
attest_control(const struct attest *a, int n, bool *found)
{
	static const struct {
		enum scan_area area;
		int canary;
		enum canary_form form;
		const char *what;
	} planted[] = {
		{ AREA_HELPER, CANARY_CONTROL_MEMORY, FORM_RAW,
		  "a text in another process's memory" },
		{ AREA_STATE, CANARY_CONTROL_FILE, FORM_RAW,
		  "a text in a file of the state directory" },
		{ AREA_DATABASE, CANARY_CONTROL_TABLE, FORM_RAW,
		  "a text in a table, by SQL" },
		{ AREA_DATABASE, CANARY_CONTROL_TABLE, FORM_UTF16LE,
		  "UTF-16 in bytes in a table, by SQL" },
		{ AREA_CLUSTER, CANARY_CONTROL_TABLE, FORM_RAW,
		  "a text in a table, in the database's files" }
	};
	int last = database_is_embedded(a->admin->settings) ? 5 : 4;

	if (n == 0) {
		*found = a->seen_in_call;
		return "a prompt in a worker's memory, during its call";
	}
	if (n > last)
		return NULL;
	*found = scan_has(&a->scan, planted[n - 1].area, planted[n - 1].canary,
	    planted[n - 1].form);
	return planted[n - 1].what;
}

static void
check_controls(struct attest *a)
{
	const char *what;
	bool found;

	for (int n = 0; (what = attest_control(a, n, &found)) != NULL; n++)
		if (!found)
			unable(a, "%s was planted and not found, so the "
			    "search shows nothing", what);
}

static void
check_unread(struct attest *a)
{
	for (int i = 0; i < SCAN_AREAS; i++)
		if (a->scan.total[i].unread > 0)
			unable(a, "%s: %llu could not be read, first %s",
			    scan_area_name((enum scan_area)i),
			    (unsigned long long)a->scan.total[i].unread,
			    a->scan.total[i].why);
}

static void
scan(struct attest *a)
{
	int64_t since_s = a->begun_us / 1000000 - CLOCK_SLACK_S;
	char segment[SEGMENT_NAME_BYTES];

	settings_segment_name(a->admin->settings, segment);
	if (!processes_find(a->master, &a->processes)) {
		unable(a, "/proc can't be read");
		return;
	}
	processes_scan(&a->scan, &a->processes, segment);
	process_scan(&a->scan, AREA_HELPER, a->helper.pid, "helper");
	scan_segment(a, segment);
	scan_files(a, since_s);
	if (!attest_database_scan(a->admin, &a->database, &a->scan, since_s))
		unable(a, "the database could not be searched");
	look_at_workers(a, segment);
	swap_look(&a->swap);
	if (a->scan.lost)
		unable(a, "more was found than can be told");
	check_controls(a);
	check_unread(a);
}

/* Whatever there is; in the reverse order of its making. */
static void
clear_up(struct attest *a)
{
	attest_calls_end(&a->calls);
	control_file_remove(a->control_path);
	control_file_remove(a->planted_path);
	attest_database_close(&a->database);
	if (fixture_disable(a->admin, &a->fixture) != ADMIN_OK)
		unable(a, "attest's channels and key are still active");
	attest_upstream_stop(&a->upstream);
	control_helper_stop(&a->helper);
	bytes_scrub(a->api_key, sizeof(a->api_key));
}

void
attest_run(struct attest *a)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < CANARY_PATHS; i++)
		a->calls.client[i].fd = -1;
	a->helper.fd = -1;
	a->begun_us = clock_wall().us;
	a->master = process_master(a->admin->settings->run_dir);
	if (a->master == 0)
		unable(a, "youyund doesn't run");
	else if (prepare(a) && call(a) && settle(a) && plant(a))
		scan(a);
	if (is_stopped())
		unable(a, "it was interrupted");
	clear_up(a);
	a->ended_us = clock_wall().us;
}

enum attest_exit
attest_result(const struct attest *a)
{
	if (scan_leaks(&a->scan) > 0)
		return ATTEST_FOUND;
	for (size_t i = 0; i < a->workers; i++)
		if (!process_confined(&a->worker[i]))
			return ATTEST_FOUND;
	return a->reasons > 0 ? ATTEST_UNABLE : ATTEST_CLEAN;
}
