#include "master/postgres.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/embedded.h"
#include "master/master.h"

/* Line of postmaster.pid that says "ready", as pg_ctl(1) reads it. */
#define STATUS_LINE 8

bool
postgres_check(const struct settings *settings, const char *file,
    struct conf_report *report)
{
	char path[EMBEDDED_TEXT_BYTES];
	unsigned before = report->mistakes;

	if (!embedded_find_program(settings, "postgres", path, sizeof(path)))
		conf_mistake(report, file, 0, "database",
		    "no postgres program was found %s", path);
	if (!embedded_data_dir(settings, path, sizeof(path)) ||
	    !embedded_initialised(settings))
		conf_mistake(report, file, 0, "database",
		    "there is no database in %s; make it with youyunctl init",
		    path);
	return report->mistakes == before;
}

/* The value is a list, so the path stands in quotes. */
static bool
quoted_dir(const char *dir, char *text_r, size_t size)
{
	int n = snprintf(text_r, size, "unix_socket_directories=\"%s\"", dir);

	return strchr(dir, '"') == NULL && n > 0 && (size_t)n < size;
}

void
postgres_exec(struct master *m)
{
	char program[EMBEDDED_TEXT_BYTES], data[EMBEDDED_TEXT_BYTES];
	char dir[EMBEDDED_TEXT_BYTES], sockets[EMBEDDED_TEXT_BYTES + 32];
	char locale[] = "LC_ALL=C", path[] = "PATH=/usr/bin:/bin";
	char *const env[] = { locale, path, NULL };
	bool to_syslog = m->settings.log == LOG_SETTING_SYSLOG ||
	    (m->settings.log == LOG_SETTING_AUTO && !m->foreground);

	if (!embedded_find_program(&m->settings, "postgres", program,
	    sizeof(program)) ||
	    !embedded_data_dir(&m->settings, data, sizeof(data)) ||
	    !embedded_socket_dir(&m->settings, dir, sizeof(dir)) ||
	    !quoted_dir(dir, sockets, sizeof(sockets))) {
		log_error("could not find the database's program or paths");
		return;
	}
	char *const argv[] = { program, (char *)"-D", data,
		(char *)"-c", (char *)"listen_addresses=",
		(char *)"-c", sockets,
		(char *)"-c", (char *)"port=5432",
		(char *)"-c", (char *)"unix_socket_permissions=0700",
		(char *)"-c", (char *)"cluster_name=youyun",
		(char *)"-c", (char *)"logging_collector=off",
		(char *)"-c", (char *)(to_syslog ? "log_destination=syslog" :
		    "log_destination=stderr"),
		(char *)"-c", (char *)"syslog_ident=youyun-postgres",
		NULL };

	if (m->logfile.path != NULL)
		dup2(m->logfile.pipe_write, STDERR_FILENO);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	/* Without our lock: a process of an old PostgreSQL whose postmaster
	 * was killed may live on for a minute, and a new master shall not wait
	 * for it.  PostgreSQL lets no two at its files itself; ours is started
	 * again until it can. */
	execve(program, argv, env);
	log_error("could not run the database: program=%s why=%s", program,
	    strerror(errno));
}

bool
postgres_ready(const struct settings *settings, pid_t pid)
{
	char path[EMBEDDED_TEXT_BYTES + 32], line[256];
	bool ready = false;
	FILE *file;
	size_t len;
	int fd;

	if (!embedded_data_dir(settings, path, EMBEDDED_TEXT_BYTES))
		return false;
	len = strlen(path);
	snprintf(path + len, sizeof(path) - len, "/postmaster.pid");
	/* The folder isn't ours: whatever lies there must not hold us up. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return false;
	file = fdopen(fd, "r");
	if (file == NULL) {
		close(fd);
		return false;
	}
	for (int i = 1; i <= STATUS_LINE; i++) {
		if (fgets(line, sizeof(line), file) == NULL)
			break;
		/* A stale file names another process. */
		if (i == 1 && strtol(line, NULL, 10) != (long)pid)
			break;
		if (i == STATUS_LINE)
			ready = strncmp(line, "ready", 5) == 0;
	}
	fclose(file);
	return ready;
}
