#include "conf/embedded.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/settings.h"

#define DEBIAN_DIR "/usr/lib/postgresql"

static bool
fill(char *text_r, size_t size, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static bool
fill(char *text_r, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text_r, size, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < size)
		return true;
	text_r[0] = '\0';
	return false;
}

const char *
db_role_name(enum db_role role)
{
	switch (role) {
	case DB_ROLE_OWNER:
		return "youyun_owner";
	case DB_ROLE_FLUSHER:
		return "youyun_flusher";
	case DB_ROLE_PORTAL:
		return "youyun_portal";
	case DB_ROLE_ADMIN:
		return "youyun_admin";
	case DB_ROLE_BILLING:
		return "youyun_billing";
	case DB_ROLE_SUPPORT:
		return "youyun_support";
	case DB_ROLE_AUDITOR:
		return "youyun_auditor";
	}
	assert(!"db_role");
	return "";
}

bool
database_is_embedded(const struct settings *settings)
{
	return strcmp(settings->database, "embedded") == 0;
}

bool
embedded_data_dir(const struct settings *settings, char *path_r, size_t size)
{
	return fill(path_r, size, "%s/postgres", settings->state_dir);
}

bool
embedded_socket_dir(const struct settings *settings, char *path_r,
    size_t size)
{
	return fill(path_r, size, "%s/pg", settings->run_dir);
}

bool
embedded_socket_path(const struct settings *settings, char *path_r,
    size_t size)
{
	if (!fill(path_r, size, "%s/pg/.s.PGSQL.%d", settings->run_dir,
	    EMBEDDED_PORT))
		return false;
	if (strlen(path_r) < EMBEDDED_SOCKET_PATH_MAX)
		return true;
	path_r[0] = '\0';
	return false;
}

bool
embedded_initialised(const struct settings *settings)
{
	char path[EMBEDDED_TEXT_BYTES];
	struct stat st;

	/* initdb writes the control file late; PG_VERSION comes early. */
	return fill(path, sizeof(path), "%s/postgres/global/pg_control",
	    settings->state_dir) && stat(path, &st) == 0;
}

/* No quoting is right for everything, so take the pipe's first line. */
static bool
pg_config_bindir(char *dir_r, size_t size)
{
	FILE *pipe = popen("pg_config --bindir 2>/dev/null", "re");
	bool got;

	if (pipe == NULL)
		return false;
	got = fgets(dir_r, (int)size, pipe) != NULL;
	pclose(pipe);
	if (!got)
		return false;
	dir_r[strcspn(dir_r, "\n")] = '\0';
	return dir_r[0] == '/';
}

static bool
newest_debian_dir(char *dir_r, size_t size)
{
	DIR *dir = opendir(DEBIAN_DIR);
	const struct dirent *entry;
	long best = -1;

	if (dir == NULL)
		return false;
	while ((entry = readdir(dir)) != NULL) {
		char *end, initdb[EMBEDDED_TEXT_BYTES];
		long version = strtol(entry->d_name, &end, 10);

		if (*end != '\0' || end == entry->d_name || version <= best)
			continue;
		/* A client's package leaves such a folder as well. */
		if (fill(initdb, sizeof(initdb), DEBIAN_DIR "/%ld/bin/initdb",
		    version) && access(initdb, X_OK) == 0)
			best = version;
	}
	closedir(dir);
	return best >= 0 && fill(dir_r, size, DEBIAN_DIR "/%ld/bin", best);
}

bool
embedded_find_program(const struct settings *settings, const char *program,
    char *path_r, size_t size)
{
	char dir[SETTING_PATH_BYTES];

	if (settings->postgres_bin[0] != '\0') {
		if (fill(path_r, size, "%s/%s", settings->postgres_bin,
		    program) && access(path_r, X_OK) == 0)
			return true;
		fill(path_r, size, "in postgres_bin, %s",
		    settings->postgres_bin);
		return false;
	}
	if (pg_config_bindir(dir, sizeof(dir)) &&
	    fill(path_r, size, "%s/%s", dir, program) &&
	    access(path_r, X_OK) == 0)
		return true;
	if (newest_debian_dir(dir, sizeof(dir)) &&
	    fill(path_r, size, "%s/%s", dir, program) &&
	    access(path_r, X_OK) == 0)
		return true;
	fill(path_r, size, "by pg_config --bindir and in " DEBIAN_DIR
	    "/*/bin; install postgresql or set postgres_bin");
	return false;
}

/* A conninfo value in quotes, with \ before ' and \. */
static bool
quote(const char *value, char *quoted_r, size_t size)
{
	size_t len = 0;

	if (size < 3)
		return false;
	quoted_r[len++] = '\'';
	for (; *value != '\0'; value++) {
		if (len + 4 > size)
			return false;
		if (*value == '\'' || *value == '\\')
			quoted_r[len++] = '\\';
		quoted_r[len++] = *value;
	}
	quoted_r[len++] = '\'';
	quoted_r[len] = '\0';
	return true;
}

static bool
embedded_conninfo(const struct settings *settings, const char *user,
    const char *database, const char *application, char *conninfo_r,
    size_t size)
{
	char dir[EMBEDDED_TEXT_BYTES], host[2 * EMBEDDED_TEXT_BYTES];

	conninfo_r[0] = '\0';
	return embedded_socket_dir(settings, dir, sizeof(dir)) &&
	    quote(dir, host, sizeof(host)) &&
	    fill(conninfo_r, size, "host=%s port=%d dbname=%s user=%s "
	    "application_name=%s", host, EMBEDDED_PORT, database, user,
	    application);
}

bool
database_conninfo(const struct settings *settings, enum db_role role,
    const char *application, char *conninfo_r, size_t size)
{
	if (database_is_embedded(settings))
		return embedded_conninfo(settings, db_role_name(role),
		    EMBEDDED_DATABASE, application, conninfo_r, size);
	return fill(conninfo_r, size, "%s user=%s application_name=%s",
	    settings->database, db_role_name(role), application);
}

bool
embedded_bootstrap_conninfo(const struct settings *settings,
    const char *user, char *conninfo_r, size_t size)
{
	return embedded_conninfo(settings, user, "postgres", "youyunctl",
	    conninfo_r, size);
}
