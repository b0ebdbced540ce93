#include "admin/cluster.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "admin/admin.h"
#include "admin/program.h"
#include "base/bytes.h"
#include "conf/embedded.h"
#include "conf/service.h"
#include "conf/settings.h"

#define SUPERUSER "postgres"
#define INCLUDE_FILE "youyun.conf"
#define BOOTSTRAP_HBA "bootstrap_hba.conf"
#define BOOTSTRAP_IDENT "bootstrap_ident.conf"
#define START_TIMEOUT_MS 60000
#define STOP_TIMEOUT_MS 60000
#define CONFIG_BYTES 8192

static bool
data_path(const struct settings *settings, const char *name, char *path_r,
    size_t size)
{
	char dir[EMBEDDED_TEXT_BYTES];

	if (embedded_data_dir(settings, dir, sizeof dir) &&
	    snprintf(path_r, size, "%s%s%s", dir, name[0] != '\0' ? "/" : "",
	    name) < (int)size)
		return true;
	complain("state_dir is too long for the paths inside it");
	return false;
}

static bool
find_program(const struct settings *settings, const char *name, char *path_r,
    size_t size)
{
	if (embedded_find_program(settings, name, path_r, size))
		return true;
	complain("PostgreSQL's program %s was not found %s", name, path_r);
	hint("install the package postgresql, or set postgres_bin in the "
	    "configuration");
	return false;
}

/* What a killed initdb left behind; a plain folder of plain files. */
static bool
remove_tree(const char *path)
{
	char rm[] = "/bin/rm", recursive[] = "-rf", end[] = "--";
	char copy[PATH_MAX], output[PROGRAM_OUTPUT_BYTES];
	char *const argv[] = { rm, recursive, end, copy, NULL };

	snprintf(copy, sizeof copy, "%s", path);
	return program_run(argv, output);
}

bool
cluster_make(const struct admin *admin, const struct settings *settings)
{
	char initdb[EMBEDDED_TEXT_BYTES], final[EMBEDDED_TEXT_BYTES];
	char fresh[EMBEDDED_TEXT_BYTES + 8], output[PROGRAM_OUTPUT_BYTES];
	const char *words[] = {
		initdb, "--pgdata", fresh, "--username", SUPERUSER,
		"--data-checksums", "--encoding", "UTF8", "--locale", "C",
		"--auth-local", "peer", "--auth-host", "reject",
		"--no-instructions", NULL
	};

	if (!find_program(settings, "initdb", initdb, sizeof initdb) ||
	    !data_path(settings, "", final, sizeof final))
		return false;
	snprintf(fresh, sizeof fresh, "%s.new", final);
	if (access(fresh, F_OK) == 0 && !remove_tree(fresh)) {
		complain("cannot remove %s, left by an init that was "
		    "interrupted", fresh);
		return false;
	}
	say(admin, "making the PostgreSQL cluster in %s", final);
	if (!program_run((char *const *)words, output)) {
		complain("initdb failed:\n%s", output);
		(void)remove_tree(fresh);
		return false;
	}
	if (rename(fresh, final) == 0)
		return true;
	complain("cannot rename %s to %s: %s", fresh, final, strerror(errno));
	if (errno == EEXIST || errno == ENOTEMPTY)
		hint("%s exists, but is no complete cluster; move it away",
		    final);
	return false;
}

static bool
write_file(const struct settings *settings, const char *name,
    const char *text)
{
	char path[PATH_MAX];

	if (!data_path(settings, name, path, sizeof path))
		return false;
	if (file_replace(path, 0600, text))
		return true;
	complain("cannot write %s: %s", path, strerror(errno));
	return false;
}

/* In postgresql.conf a quote is doubled. */
static bool
conf_quote(const char *text, char *quoted_r, size_t size)
{
	size_t len;

	for (len = 0; *text != '\0' && len + 3 < size; text++) {
		if (*text == '\'')
			quoted_r[len++] = '\'';
		quoted_r[len++] = *text;
	}
	quoted_r[len] = '\0';
	return *text == '\0';
}

static bool
write_include(const struct settings *settings)
{
	char dir[EMBEDDED_TEXT_BYTES], quoted[2 * EMBEDDED_TEXT_BYTES];
	char text[CONFIG_BYTES];

	if (!embedded_socket_dir(settings, dir, sizeof dir) ||
	    !conf_quote(dir, quoted, sizeof quoted)) {
		complain("run_dir is too long");
		return false;
	}
	snprintf(text, sizeof text,
	    "# Written by youyunctl init each time; change postgresql.conf "
	    "after its include instead.\n"
	    "listen_addresses = ''\n"
	    "unix_socket_directories = '%s'\n"
	    "unix_socket_permissions = 0700\n"
	    "port = %d\n"
	    "max_connections = 40\n"
	    /* A query may lock all of a year's days with their indexes. */
	    "max_locks_per_transaction = 512\n"
	    "shared_buffers = 64MB\n"
	    "work_mem = 8MB\n"
	    "maintenance_work_mem = 64MB\n"
	    "max_wal_size = 512MB\n"
	    "min_wal_size = 64MB\n"
	    "checkpoint_completion_target = 0.9\n"
	    "fsync = on\n"
	    "full_page_writes = on\n"
	    "synchronous_commit = on\n"
	    "password_encryption = 'scram-sha-256'\n"
	    "jit = off\n"
	    /* Of disks without arms; it is what makes a page of a list come
	     * by its index rather than all of it by sorting. */
	    "random_page_cost = 1.1\n"
	    "timezone = 'UTC'\n"
	    "log_timezone = 'UTC'\n"
	    "log_destination = 'stderr'\n"
	    "logging_collector = off\n"
	    "log_line_prefix = '%%m [%%p] %%q%%u '\n"
	    "log_min_error_statement = panic\n"
	    "log_parameter_max_length_on_error = 0\n",
	    quoted, EMBEDDED_PORT);
	return write_file(settings, INCLUDE_FILE, text);
}

/* Once, at the end: what the operator writes after it wins. */
static bool
add_include(const struct settings *settings)
{
	static const char line[] = "\ninclude = '" INCLUDE_FILE "'\n";
	char path[PATH_MAX], *text;
	size_t room, len;
	bool ok;
	FILE *f;

	if (!data_path(settings, "postgresql.conf", path, sizeof path))
		return false;
	f = fopen(path, "re");
	room = 1 << 20;
	text = malloc(room);
	len = f != NULL && text != NULL ?
	    fread(text, 1, room - sizeof line - 1, f) : 0;
	if (f != NULL)
		fclose(f);
	ok = len > 0;
	if (ok) {
		text[len] = '\0';
		if (strstr(text, line) == NULL) {
			memcpy(text + len, line, sizeof line);
			ok = file_replace(path, 0600, text);
		}
	}
	if (!ok)
		complain("cannot add to %s: %s", path, strerror(errno));
	free(text);
	return ok;
}

static bool
write_ident(const struct settings *settings, const char *file,
    const char *user, bool superuser)
{
	char text[CONFIG_BYTES], name[2 * SERVICE_NAME_BYTES];
	struct buf b;
	bool ok;
	int role;

	/* A quoted name is taken as it is, not as a regular expression. */
	snprintf(name, sizeof name, "\"%s\"", user);
	buf_init(&b, sizeof text);
	ok = buf_printf(&b, "# Written by youyunctl init each time.\n"
	    "# map  system user  role\n");
	for (role = 0; ok && role < DB_ROLES; role++) {
		ok = buf_printf(&b, "%s %s %s\n", EMBEDDED_IDENT_MAP, name,
		    db_role_name((enum db_role)role));
		if (ok && strcmp(user, "root") != 0)
			ok = buf_printf(&b, "%s root %s\n",
			    EMBEDDED_IDENT_MAP,
			    db_role_name((enum db_role)role));
	}
	ok = ok && buf_printf(&b, "%s root %s\n", EMBEDDED_IDENT_MAP,
	    SUPERUSER);
	if (ok && superuser)
		ok = buf_printf(&b, "%s %s %s\n", EMBEDDED_IDENT_MAP, name,
		    SUPERUSER);
	ok = ok && buf_append(&b, "", 1);
	if (ok)
		ok = write_file(settings, file, buf_head(&b));
	else
		complain("out of memory");
	buf_free(&b);
	return ok;
}

bool
cluster_configure(const struct settings *settings,
    const struct service_user *user)
{
	static const char hba[] =
	    "# Written by youyunctl init each time.\n"
	    "# Over the socket only, as whom pg_ident.conf says.\n"
	    "local all all peer map=" EMBEDDED_IDENT_MAP "\n";

	if (user->name[0] == '\0') {
		complain("the user %u has no name, and PostgreSQL needs one",
		    (unsigned)user->uid);
		return false;
	}
	return write_include(settings) && add_include(settings) &&
	    write_file(settings, "pg_hba.conf", hba) &&
	    write_file(settings, BOOTSTRAP_HBA, hba) &&
	    write_ident(settings, "pg_ident.conf", user->name, false) &&
	    write_ident(settings, BOOTSTRAP_IDENT, user->name, true);
}

bool
cluster_runs(const struct settings *settings)
{
	char path[EMBEDDED_TEXT_BYTES];
	struct sockaddr_un un;
	bool runs;
	int fd;

	if (!embedded_socket_path(settings, path, sizeof path))
		return false;
	memset(&un, 0, sizeof un);
	un.sun_family = AF_UNIX;
	/* It fits: embedded_socket_path() saw to that. */
	memcpy(un.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	runs = connect(fd, (struct sockaddr *)&un, sizeof un) == 0;
	close(fd);
	return runs;
}

/* The eighth line of postmaster.pid says "ready" when recovery is over. */
static bool
is_ready(const struct settings *settings)
{
	char path[PATH_MAX], text[2048], *p;
	int line;

	if (!data_path(settings, "postmaster.pid", path, sizeof path))
		return false;
	file_tail(path, text, sizeof text);
	p = text;
	for (line = 1; line < 8; line++) {
		p = strchr(p, '\n');
		if (p == NULL)
			return false;
		p++;
	}
	return strncmp(p, "ready", 5) == 0 && cluster_runs(settings);
}

static void
explain_start(const char *log)
{
	char text[2048];

	file_tail(log, text, sizeof text);
	complain("PostgreSQL did not start:\n%s", text);
	hint("its messages are in %s", log);
}

pid_t
cluster_start(const struct settings *settings)
{
	char postgres[EMBEDDED_TEXT_BYTES], data[EMBEDDED_TEXT_BYTES];
	char log[PATH_MAX], hba[PATH_MAX], ident[PATH_MAX];
	char set_hba[PATH_MAX + 16], set_ident[PATH_MAX + 16];
	const char *words[] = {
		postgres, "-D", data, "-c", set_hba, "-c", set_ident, NULL
	};
	pid_t pid;
	int waited_ms;

	if (!find_program(settings, "postgres", postgres, sizeof postgres) ||
	    !data_path(settings, "", data, sizeof data) ||
	    !data_path(settings, BOOTSTRAP_HBA, hba, sizeof hba) ||
	    !data_path(settings, BOOTSTRAP_IDENT, ident, sizeof ident) ||
	    !data_path(settings, "init.log", log, sizeof log))
		return -1;
	snprintf(set_hba, sizeof set_hba, "hba_file=%s", hba);
	snprintf(set_ident, sizeof set_ident, "ident_file=%s", ident);
	unlink(log);
	pid = program_start((char *const *)words, log);
	if (pid < 0) {
		complain("cannot start %s: %s", postgres, strerror(errno));
		return -1;
	}
	for (waited_ms = 0; !is_ready(settings); waited_ms += 20) {
		if (program_ended(pid)) {
			explain_start(log);
			return -1;
		}
		if (waited_ms >= START_TIMEOUT_MS) {
			explain_start(log);
			cluster_stop(pid);
			return -1;
		}
		poll(NULL, 0, 20);
	}
	return pid;
}

void
cluster_stop(pid_t pid)
{
	/* Fast shutdown: no waiting for clients, and a checkpoint. */
	program_stop(pid, SIGINT, STOP_TIMEOUT_MS);
}
