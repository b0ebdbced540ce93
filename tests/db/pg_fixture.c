#include "tests/db/pg_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "db/migrate.h"
#include "db/value.h"

#define START_TRIES 300		/* of 100 ms */

struct pg_server {
	char dir[64];
	char bin[256];
	pid_t pid;
	pid_t owner;		/* who started it, and may stop it */
	uid_t uid;
	gid_t gid;
};

static void
give_up(const char *what)
{
	fprintf(stderr, "pg_fixture: could not %s: %s\n", what,
	    strerror(errno));
	exit(99);
}

/* Where initdb and postgres are; false: nowhere. */
static bool
find_programs(char *bin_r, size_t size)
{
	const char *set = getenv("YOUYUN_POSTGRES_BIN");
	char path[300];
	FILE *p;
	glob_t g;

	if (set != NULL) {
		snprintf(bin_r, size, "%s", set);
		return true;
	}
	p = popen("pg_config --bindir 2>/dev/null", "r");
	if (p != NULL) {
		if (fgets(bin_r, (int)size, p) == NULL)
			bin_r[0] = '\0';
		bin_r[strcspn(bin_r, "\n")] = '\0';
		pclose(p);
		snprintf(path, sizeof(path), "%s/postgres", bin_r);
		if (bin_r[0] != '\0' && access(path, X_OK) == 0)
			return true;
	}
	if (glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &g) != 0)
		return false;
	snprintf(bin_r, size, "%s", g.gl_pathv[g.gl_pathc - 1]);
	*strrchr(bin_r, '/') = '\0';
	globfree(&g);
	return true;
}

static pid_t
run(const struct pg_server *s, const char *log,
    const char *const argv[])
{
	char program[400], path[200];
	pid_t pid = fork();
	int fd;

	if (pid != 0) {
		if (pid < 0)
			give_up("fork");
		return pid;
	}
	snprintf(program, sizeof(program), "%s/%s", s->bin, argv[0]);
	snprintf(path, sizeof(path), "%s/%s", s->dir, log);
	if (geteuid() == 0 && (setgroups(0, NULL) != 0 ||
	    setgid(s->gid) != 0 || setuid(s->uid) != 0))
		_exit(126);
	/* SIGQUIT: at once, without a checkpoint. */
	prctl(PR_SET_PDEATHSIG, SIGQUIT);
	if (getppid() != s->owner || chdir(s->dir) != 0)
		_exit(126);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd >= 0) {
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
	}
	execv(program, (char *const *)(uintptr_t)argv);
	_exit(127);
}

static void
wait_until_ready(struct pg_server *s)
{
	struct timespec t = { 0, 100000000 };
	char conninfo[PG_CONNINFO_BYTES];
	struct db *db;
	int i, status;

	pg_conninfo(s, "postgres", "postgres", conninfo);
	db = db_open(conninfo);
	for (i = 0; i < START_TRIES; i++) {
		if (db_connect(db, 2) == DB_OK) {
			db_close(&db);
			return;
		}
		if (waitpid(s->pid, &status, WNOHANG) == s->pid)
			break;
		nanosleep(&t, NULL);
	}
	fprintf(stderr, "pg_fixture: the server didn't come up: %s; see "
	    "%s/log\n", db_message(db), s->dir);
	exit(99);
}

static void
start(struct pg_server *s)
{
	char sockets[100], data[100];
	const char *const argv[] = { "postgres", "-D", data,
		"-c", "listen_addresses=", "-c", sockets, "-c", "fsync=off",
		"-c", "shared_buffers=16MB", "-c", "max_connections=50", NULL };

	snprintf(sockets, sizeof(sockets), "unix_socket_directories=%s",
	    s->dir);
	snprintf(data, sizeof(data), "%s/data", s->dir);
	s->pid = run(s, "log", argv);
	wait_until_ready(s);
}

static void
init_cluster(struct pg_server *s)
{
	char data[100];
	const char *const argv[] = { "initdb", "-D", data, "-A", "trust",
		"-U", "postgres", "-E", "UTF8", "--locale=C", "-N", NULL };
	int status;

	snprintf(data, sizeof(data), "%s/data", s->dir);
	if (waitpid(run(s, "initdb.log", argv), &status, 0) < 0 ||
	    status != 0) {
		fprintf(stderr, "pg_fixture: initdb failed; see "
		    "%s/initdb.log\n", s->dir);
		exit(99);
	}
}

struct pg_server *
pg_server_start(void)
{
	struct pg_server *s = calloc(1, sizeof(*s));
	const struct passwd *pw;

	if (s == NULL)
		give_up("get memory");
	if (!find_programs(s->bin, sizeof(s->bin))) {
		fprintf(stderr, "pg_fixture: PostgreSQL isn't installed\n");
		free(s);
		return NULL;
	}
	s->owner = getpid();
	s->uid = geteuid();
	s->gid = getegid();
	snprintf(s->dir, sizeof(s->dir), "/tmp/youyun-pg-XXXXXX");
	if (mkdtemp(s->dir) == NULL)
		give_up("make a directory");
	if (s->uid == 0) {
		pw = getpwnam("postgres");
		if (pw == NULL && (pw = getpwnam("nobody")) == NULL)
			give_up("find an unprivileged user");
		s->uid = pw->pw_uid;
		s->gid = pw->pw_gid;
		if (chown(s->dir, s->uid, s->gid) != 0)
			give_up("chown the directory");
	}
	init_cluster(s);
	start(s);
	return s;
}

static void
end(struct pg_server *s, int sig)
{
	int status;

	if (s->pid == 0)
		return;
	kill(s->pid, sig);
	waitpid(s->pid, &status, 0);
	s->pid = 0;
}

void
pg_server_stop(struct pg_server **server)
{
	struct pg_server *s = *server;
	char command[128];

	*server = NULL;
	if (s == NULL || s->owner != getpid())
		return;
	end(s, SIGQUIT);
	snprintf(command, sizeof(command), "rm -rf %s", s->dir);
	if (system(command) != 0)
		fprintf(stderr, "pg_fixture: %s is left\n", s->dir);
	free(s);
}

void
pg_server_kill(struct pg_server *s)
{
	struct timespec t = { 0, 300000000 };

	end(s, SIGKILL);
	/* Its children notice by themselves. */
	nanosleep(&t, NULL);
}

void
pg_server_restart(struct pg_server *s)
{
	char path[100];

	snprintf(path, sizeof(path), "%s/data/postmaster.pid", s->dir);
	(void)unlink(path);
	start(s);
}

void
pg_conninfo(const struct pg_server *s, const char *role, const char *database,
    char *text_r)
{
	snprintf(text_r, PG_CONNINFO_BYTES, "host=%s user=%s dbname=%s "
	    "application_name=test", s->dir, role, database);
}

struct db *
pg_connect(const struct pg_server *s, const char *role, const char *database)
{
	char conninfo[PG_CONNINFO_BYTES];
	struct db *db;

	pg_conninfo(s, role, database, conninfo);
	db = db_open(conninfo);
	if (db == NULL || db_connect(db, 10) != DB_OK) {
		fprintf(stderr, "pg_fixture: %s as %s: %s\n", database, role,
		    db == NULL ? "no memory" : db_message(db));
		exit(99);
	}
	return db;
}

static void
must(struct db *db, enum db_result result)
{
	if (result == DB_OK)
		return;
	fprintf(stderr, "pg_fixture: %s\n", db_message(db));
	exit(99);
}

/* Once a server; a copy of it is quicker than migrating again. */
static void
make_template(struct pg_server *s, struct db *super)
{
	struct db_rows *rows;
	struct db *db;
	bool there;

	must(super, db_query(super, "SELECT 1 FROM pg_database WHERE datname ="
	    " 'fixture_template'", NULL, 0, &rows));
	there = db_rows_count(rows) == 1;
	db_rows_free(&rows);
	if (there)
		return;
	must(super, db_bootstrap(super, "fixture_template"));
	db = pg_connect(s, "youyun_owner", "fixture_template");
	must(db, db_migrate(db, NULL));
	db_close(&db);
}

void
pg_fresh_database(struct pg_server *s, const char *database)
{
	struct db *db = pg_connect(s, "postgres", "postgres");
	char sql[200];

	make_template(s, db);
	snprintf(sql, sizeof(sql), "DROP DATABASE IF EXISTS %s WITH (FORCE)",
	    database);
	must(db, db_script(db, sql));
	snprintf(sql, sizeof(sql), "CREATE DATABASE %s OWNER youyun_owner"
	    " TEMPLATE fixture_template", database);
	must(db, db_script(db, sql));
	db_close(&db);
	/* A copied sequence has numbers ahead that only the template's log
	 * knows of: after a crash they would come again. */
	db = pg_connect(s, "youyun_owner", database);
	must(db, db_query(db, "SELECT setval(format('%I.%I', schemaname,"
	    " sequencename)::regclass, last_value) FROM pg_sequences"
	    " WHERE schemaname = 'youyun' AND last_value IS NOT NULL", NULL,
	    0, NULL));
	db_close(&db);
}
