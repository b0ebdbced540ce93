#include "master/start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/embedded.h"
#include "conf/modes.h"
#include "master/lock.h"
#include "master/master.h"
#include "master/payment.h"
#include "master/postgres.h"
#include "master/segment.h"
#include "sandbox/sandbox.h"
#include "shm/seat.h"

/* Beside its clients' a worker has upstream connections and a few more. */
#define FILES_PER_CONNECTION 2
#define FILES_BESIDE 256

static void
check_user(struct master *m, struct conf_report *report)
{
	switch (service_user_find(&m->settings, &m->user)) {
	case SERVICE_OK:
		break;
	case SERVICE_NO_SUCH_USER:
		conf_mistake(report, m->conf_path, 0, "user",
		    "there is no user %s; make it with adduser --system "
		    "--group %s", m->settings.user, m->settings.user);
		break;
	case SERVICE_IS_ROOT:
		conf_mistake(report, m->conf_path, 0, "user",
		    "%s is root; the service needs a user without privileges",
		    m->settings.user);
		break;
	case SERVICE_ERRNO:
		conf_mistake(report, m->conf_path, 0, "user", "%s: %s",
		    m->settings.user, strerror(errno));
		break;
	}
}

static void
check_state_dir(struct master *m, struct conf_report *report)
{
	struct stat st;

	if (stat(m->settings.state_dir, &st) != 0)
		conf_mistake(report, m->conf_path, 0, "state_dir",
		    "%s: %s; make it with youyunctl init",
		    m->settings.state_dir, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		conf_mistake(report, m->conf_path, 0, "state_dir",
		    "%s is not a directory", m->settings.state_dir);
}

bool
start_secrets(const char *conf_path, const char *path,
    struct secrets *secrets_r, struct conf_report *report)
{
	const char *why = NULL;

	switch (secrets_read(path, secrets_r)) {
	case SECRET_OK:
		return true;
	case SECRET_MISSING:
		why = "there is no such file; make it with youyunctl init";
		break;
	case SECRET_OPEN_TO_OTHERS:
		why = "others may read it; take that away with chmod o=,g-w";
		break;
	case SECRET_BAD:
		why = "not what youyunctl init writes; restore it from a "
		    "backup, because keys and credentials depend on it";
		break;
	case SECRET_IO:
		why = strerror(errno);
		break;
	}
	conf_mistake(report, conf_path, 0, "secrets_file", "%s: %s", path,
	    why);
	return false;
}

bool
start_check(struct master *m, struct conf_report *report)
{
	unsigned before = report->mistakes;
	bool embedded_ok, payment_ok, pem_ok, secrets_ok;

	/* What else there is to find depends on the settings being right. */
	if (!settings_read(m->conf_path, &m->settings, report))
		return false;
	m->embedded = database_is_embedded(&m->settings);
	check_user(m, report);
	check_state_dir(m, report);
	if (report->mistakes != before)
		return false;
	modes_check(m->conf_path, &m->settings, &m->user, report);
	if (report->mistakes != before)
		return false;
	secrets_ok = start_secrets(m->conf_path, m->settings.secrets_file,
	    &m->secrets, report);
	pem_ok = pem_read(&m->settings, m->conf_path, &m->pem, report);
	payment_ok = payment_read(&m->settings, m->conf_path, &m->payment,
	    report);
	embedded_ok = !m->embedded ||
	    postgres_check(&m->settings, m->conf_path, report);
	return secrets_ok && pem_ok && payment_ok && embedded_ok &&
	    report->mistakes == before;
}

/* The run directory stays the starter's, so that only he names pid files. */
static bool
make_run_dir(struct master *m)
{
	struct stat st;

	if (mkdir(m->settings.run_dir, 0755) == 0)
		return chmod(m->settings.run_dir, 0755) == 0;
	if (errno != EEXIST || stat(m->settings.run_dir, &st) != 0)
		return false;
	if (S_ISDIR(st.st_mode) &&
	    (st.st_uid == geteuid() || st.st_uid == m->user.uid))
		return true;
	errno = S_ISDIR(st.st_mode) ? EPERM : ENOTDIR;
	return false;
}

static bool
make_dirs(struct master *m)
{
	char path[EMBEDDED_TEXT_BYTES];

	if (!make_run_dir(m)) {
		log_error("could not make the run directory: path=%s why=%s",
		    m->settings.run_dir, strerror(errno));
		return false;
	}
	if (m->embedded) {
		if (!embedded_socket_dir(&m->settings, path, sizeof(path)) ||
		    !service_dir_make(&m->user, path, 0700)) {
			log_error("could not make the database's socket "
			    "directory: path=%s why=%s", path,
			    strerror(errno));
			return false;
		}
	}
	if (!service_dir_make(&m->user, m->settings.journal_dir, 0700)) {
		log_error("could not make the journal's directory: path=%s "
		    "why=%s", m->settings.journal_dir, strerror(errno));
		return false;
	}
	return true;
}

/* Children inherit the limit; root may raise it for them. */
static void
raise_files(const struct master *m)
{
	rlim_t need = (rlim_t)m->settings.max_connections *
	    FILES_PER_CONNECTION + FILES_BESIDE +
	    wake_count(&m->settings, segment_seats(&m->settings));
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	if (limit.rlim_max < need && geteuid() == 0)
		limit.rlim_max = need;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < need)
		log_warning("fewer files may be open than max_connections "
		    "needs: limit=%llu need=%llu",
		    (unsigned long long)limit.rlim_cur,
		    (unsigned long long)need);
}

/* A worker locks what it touches, where root allows it. */
static void
raise_memlock(void)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	if (geteuid() == 0)
		(void)setrlimit(RLIMIT_MEMLOCK, &all);
}

static enum log_target
log_target(const struct master *m)
{
	switch ((enum log_setting)m->settings.log) {
	case LOG_SETTING_FILE:
		return LOG_TARGET_FILE;
	case LOG_SETTING_SYSLOG:
		return LOG_TARGET_SYSLOG;
	case LOG_SETTING_STDERR:
		return LOG_TARGET_STDERR;
	case LOG_SETTING_AUTO:
		break;
	}
	return m->foreground ? LOG_TARGET_STDERR : LOG_TARGET_SYSLOG;
}

/* A confined worker's files can't grow, so what it says must come through the
 * pipe if standard error is a file. */
static bool
adopt_stderr(struct master *m)
{
	struct stat st;

	if (log_target(m) != LOG_TARGET_STDERR ||
	    fstat(STDERR_FILENO, &st) != 0 || !S_ISREG(st.st_mode))
		return true;
	if (logfile_adopt(&m->logfile, STDERR_FILENO))
		return true;
	log_error("could not make a pipe: why=%s", strerror(errno));
	return false;
}

static bool
confinement_possible(const struct master *m)
{
	char text[SANDBOX_TEXT_BYTES];
	uint32_t lacking = sandbox_lacking();

	if (lacking == 0 || m->settings.sandbox != SANDBOX_SETTING_REQUIRE)
		return true;
	sandbox_text(lacking, text);
	log_error("this kernel can't confine processes as \"sandbox = "
	    "require\" wants it: lacking=%s hint=use a kernel that has it, or "
	    "sandbox = on", text);
	return false;
}

static bool
open_sockets(struct master *m)
{
	struct conf_report report;
	bool ok;

	conf_report_init(&report);
	ok = sockets_open(&m->settings.listen, NULL, m->conf_path, &m->sockets,
	    &report);
	if (!ok)
		fwrite(buf_head(&report.text), 1, report.text.len, stderr);
	conf_report_free(&report);
	return ok;
}

/* The master has read the secrets and the key; its image must not be kept. */
static bool
forbid_core(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) == 0)
		return true;
	log_error("could not switch core dumps off: why=%s", strerror(errno));
	return false;
}

/* We keep both ends, so that a portal that is started again finds what workers
 * sent meanwhile. */
static bool
open_portal(struct master *m)
{
	int pair[2];

	if (m->settings.portal == PORTAL_SETTING_OFF)
		return true;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		log_error("could not make the portal's socket: why=%s",
		    strerror(errno));
		return false;
	}
	m->portal_fd = pair[0];
	m->portal_end = pair[1];
	return true;
}

bool
start_prepare(struct master *m)
{
	int life[2];

	if (!forbid_core() || !make_dirs(m) || !lock_take(m))
		return false;
	if (m->settings.log == LOG_SETTING_FILE &&
	    !logfile_open(&m->logfile, m->settings.log_file)) {
		log_error("could not open the log file: path=%s why=%s",
		    m->settings.log_file, strerror(errno));
		return false;
	}
	if (!adopt_stderr(m))
		return false;
	raise_files(m);
	raise_memlock();
	if (!confinement_possible(m))
		return false;
	if (!open_sockets(m) || !segment_open(m))
		return false;
	if (!wake_open(&m->wake, &m->settings, seat_count(m->shm))) {
		log_error("could not make the descriptors that strict "
		    "durability needs: why=%s", strerror(errno));
		return false;
	}
	if (pipe2(life, O_CLOEXEC) != 0) {
		log_error("could not make a pipe: why=%s", strerror(errno));
		return false;
	}
	m->life_read = life[0];
	m->life_write = life[1];
	m->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->wake_fd < 0) {
		log_error("could not make an event counter: why=%s",
		    strerror(errno));
		return false;
	}
	return open_portal(m);
}

/* The parent: as long as the start takes. */
static void
wait_ready(int fd)
{
	char byte;
	ssize_t n;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	_exit(n == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
}

bool
start_daemonise(struct master *m, int *ready_fd_r)
{
	int ready[2], null;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC) != 0)
		return false;
	pid = fork();
	if (pid < 0)
		return false;
	if (pid > 0) {
		close(ready[1]);
		close(m->life_write);
		wait_ready(ready[0]);
	}
	close(ready[0]);
	/* A leader of a session could get a terminal again; its child not. */
	if (setsid() < 0)
		return false;
	pid = fork();
	if (pid < 0)
		return false;
	if (pid > 0)
		_exit(EXIT_SUCCESS);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0)
		return false;
	if (m->settings.log != LOG_SETTING_STDERR &&
	    dup2(null, STDERR_FILENO) < 0)
		return false;
	close(null);
	*ready_fd_r = ready[1];
	return chdir("/") == 0;
}

void
start_log(struct master *m)
{
	enum log_target target = log_target(m);

	if (target == LOG_TARGET_FILE)
		log_set_fd(m->logfile.fd);
	log_open("master", target, (enum log_level)m->settings.log_level);
}
