/*
 * init and migrate: what must be there before youyund starts.  Started as
 * root, a child that became the service user makes everything, so that
 * nothing ends up with an owner that the service can't work with.
 */
#include "admin/admin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "admin/args.h"
#include "admin/attest_sign.h"
#include "admin/cluster.h"
#include "admin/progress.h"
#include "admin/report.h"
#include "base/bytes.h"
#include "base/secret.h"
#include "conf/embedded.h"
#include "conf/service.h"
#include "conf/settings.h"
#include "db/migrate.h"

#define CONNECT_TIMEOUT_S 10

struct outcome {
	bool made_secrets;
	bool made_cluster;
	int applied;
	int version;
};

enum admin_exit
admin_service_user(struct admin *admin, struct service_user *user)
{
	switch (service_user_find(admin->settings, user)) {
	case SERVICE_OK:
		return ADMIN_OK;
	case SERVICE_NO_SUCH_USER:
		complain("there is no user \"%s\" for the service",
		    admin->settings->user);
		hint("make it: useradd --system --home-dir %s --shell "
		    "/usr/sbin/nologin %s", admin->settings->state_dir,
		    admin->settings->user);
		return ADMIN_FAILED;
	case SERVICE_IS_ROOT:
		complain("the service can't run as root");
		hint("set user in %s to an unprivileged user",
		    admin->config_path);
		return ADMIN_FAILED;
	case SERVICE_ERRNO:
		break;
	}
	complain("cannot look the user \"%s\" up: %s", admin->settings->user,
	    strerror(errno));
	return ADMIN_FAILED;
}

static bool
make_dir(const struct service_user *user, const char *path, mode_t mode)
{
	if (service_dir_make(user, path, mode))
		return true;
	complain("cannot make the folder %s for %s: %s", path, user->name,
	    strerror(errno));
	if (errno == ENOENT)
		hint("make the folder above it first");
	else if (errno == EPERM)
		hint("it belongs to another user");
	return false;
}

static bool
make_dirs(const struct settings *settings, const struct service_user *user)
{
	char socket_dir[EMBEDDED_TEXT_BYTES], path[EMBEDDED_TEXT_BYTES];

	if (!make_dir(user, settings->state_dir, 0700) ||
	    !make_dir(user, settings->run_dir, 0755) ||
	    !make_dir(user, settings->journal_dir, 0700))
		return false;
	if (!database_is_embedded(settings))
		return true;
	if (!embedded_socket_dir(settings, socket_dir, sizeof socket_dir) ||
	    !embedded_socket_path(settings, path, sizeof path)) {
		complain("run_dir is too long for a socket inside it");
		hint("a socket's path has at most %d bytes",
		    EMBEDDED_SOCKET_PATH_MAX - 1);
		return false;
	}
	return make_dir(user, socket_dir, 0700);
}

/*
 * Normally the service user makes its own.  Where that user can't (the file
 * is to be in /etc), root has made it before the fork and given it away.
 */
static bool
make_secrets(struct admin *admin, struct outcome *outcome)
{
	struct secrets secrets;
	const char *path;
	bool ok;

	path = admin->settings->secrets_file;
	if (access(path, F_OK) == 0) {
		ok = admin_secrets(admin, &secrets) == ADMIN_OK;
	} else {
		ok = secrets_create(path, &secrets) == SECRET_OK;
		if (ok) {
			outcome->made_secrets = true;
			say(admin, "made the secrets file %s; back it up apart "
			    "from the database", path);
		} else {
			complain("cannot make the secrets file %s: %s", path,
			    strerror(errno));
		}
	}
	secrets_scrub(&secrets);
	return ok;
}

/* As root, before the fork: a folder that is root's own is safe to write to. */
static bool
make_secrets_for(struct admin *admin, const struct service_user *user,
    struct outcome *outcome)
{
	char dir[SETTING_PATH_BYTES], *slash;
	const char *path;
	struct stat st;

	path = admin->settings->secrets_file;
	snprintf(dir, sizeof dir, "%s", path);
	slash = strrchr(dir, '/');
	if (!user->drop || slash == NULL || access(path, F_OK) == 0)
		return true;
	*(slash == dir ? slash + 1 : slash) = '\0';
	if (stat(dir, &st) != 0 || st.st_uid != 0)
		return true;
	if (!make_secrets(admin, outcome))
		return false;
	if (lchown(path, user->uid, user->gid) == 0)
		return true;
	complain("cannot give %s to %s: %s", path, user->name,
	    strerror(errno));
	return false;
}

static struct db *
connect_as(const char *conninfo)
{
	struct db *db;

	db = db_open(conninfo);
	if (db == NULL) {
		complain("out of memory");
		return NULL;
	}
	if (db_connect(db, CONNECT_TIMEOUT_S) == DB_OK)
		return db;
	complain("the database can't be reached: %s", db_message(db));
	db_close(&db);
	return NULL;
}

/* Roles and database of the embedded cluster, by its superuser. */
static enum admin_exit
bootstrap(const struct settings *settings)
{
	char conninfo[EMBEDDED_TEXT_BYTES];
	enum admin_exit status;
	struct db *db;

	if (!embedded_bootstrap_conninfo(settings, "postgres", conninfo,
	    sizeof conninfo)) {
		complain("run_dir is too long");
		return ADMIN_FAILED;
	}
	db = connect_as(conninfo);
	if (db == NULL)
		return ADMIN_DATABASE_AWAY;
	status = ADMIN_OK;
	if (db_bootstrap(db, EMBEDDED_DATABASE) != DB_OK) {
		complain("cannot make roles and database: %s",
		    db_message(db));
		status = ADMIN_FAILED;
	}
	db_close(&db);
	return status;
}

static enum admin_exit
migrate(struct admin *admin, struct outcome *outcome)
{
	char conninfo[EMBEDDED_TEXT_BYTES];
	enum admin_exit status;
	enum db_result result;
	struct db *db;

	if (!database_conninfo(admin->settings, DB_ROLE_OWNER, "youyunctl",
	    conninfo, sizeof conninfo)) {
		complain("the setting database is too long");
		return ADMIN_FAILED;
	}
	db = connect_as(conninfo);
	bytes_scrub(conninfo, sizeof conninfo);
	if (db == NULL) {
		if (database_is_embedded(admin->settings))
			hint("youyund runs the database: is it up?  "
			    "\"youyunctl init\" works without it");
		else
			hint("the database and these roles must be there; "
			    "as its superuser:\n%s", db_roles_sql());
		return ADMIN_DATABASE_AWAY;
	}
	progress_begin("migrating the schema", 0);
	result = db_migrate(db, &outcome->applied);
	progress_end();
	outcome->version = db_schema_wanted();
	status = ADMIN_OK;
	if (result == DB_CONFLICT) {
		complain("the schema does not fit this program: %s",
		    db_message(db));
		hint("was the database used by a newer youyun?");
		status = ADMIN_REFUSED;
	} else if (result != DB_OK) {
		complain("cannot migrate the schema: %s", db_message(db));
		status = result == DB_ERROR ? ADMIN_FAILED :
		    ADMIN_DATABASE_AWAY;
	} else if (outcome->applied > 0) {
		say(admin, "applied %d migration%s; the schema is at version "
		    "%d", outcome->applied, outcome->applied == 1 ? "" : "s",
		    outcome->version);
	} else {
		say(admin, "the schema is up to date at version %d",
		    outcome->version);
	}
	db_close(&db);
	return status;
}

static enum admin_exit
init_embedded(struct admin *admin, const struct service_user *user,
    struct outcome *outcome)
{
	enum admin_exit status;
	pid_t pid;

	if (cluster_runs(admin->settings))
		return migrate(admin, outcome);
	if (!embedded_initialised(admin->settings)) {
		if (!cluster_make(admin, admin->settings))
			return ADMIN_FAILED;
		outcome->made_cluster = true;
	}
	if (!cluster_configure(admin->settings, user))
		return ADMIN_FAILED;
	pid = cluster_start(admin->settings);
	if (pid < 0)
		return ADMIN_FAILED;
	status = bootstrap(admin->settings);
	if (status == ADMIN_OK)
		status = migrate(admin, outcome);
	cluster_stop(pid);
	return status;
}

static void
report(const struct admin *admin, const struct outcome *outcome)
{
	struct record *record;

	if (!admin->json) {
		say(admin, "ready; start youyund");
		return;
	}
	record = record_open();
	record_text(record, "state_dir", NULL, admin->settings->state_dir);
	record_flag(record, "made_secrets", NULL, outcome->made_secrets);
	record_flag(record, "made_cluster", NULL, outcome->made_cluster);
	record_number(record, "applied", NULL, outcome->applied);
	record_number(record, "schema_version", NULL, outcome->version);
	record_print(&record, admin);
}

static enum admin_exit
init_as_service(struct admin *admin, const struct service_user *user,
    struct outcome *outcome)
{
	enum admin_exit status;

	umask(077);
	if (!make_secrets(admin, outcome))
		return ADMIN_FAILED;
	status = database_is_embedded(admin->settings) ?
	    init_embedded(admin, user, outcome) : migrate(admin, outcome);
	if (status == ADMIN_OK)
		report(admin, outcome);
	return status;
}

static enum admin_exit
init_in_child(struct admin *admin, const struct service_user *user,
    struct outcome *outcome)
{
	enum admin_exit status;
	int wait_status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		complain("cannot fork: %s", strerror(errno));
		return ADMIN_FAILED;
	}
	if (pid == 0) {
		status = ADMIN_FAILED;
		if (service_user_become(user))
			status = init_as_service(admin, user, outcome);
		else
			complain("cannot become %s: %s", user->name,
			    strerror(errno));
		fflush(NULL);
		_exit((int)status);
	}
	while (waitpid(pid, &wait_status, 0) < 0)
		if (errno != EINTR)
			return ADMIN_FAILED;
	return WIFEXITED(wait_status) ?
	    (enum admin_exit)WEXITSTATUS(wait_status) : ADMIN_FAILED;
}

/* Root's, if we are: attest signs with it, which nobody else can run. */
static bool
make_attest_key(struct admin *admin)
{
	struct attest_key key;
	bool ok = attest_own_key(admin, &key);

	attest_key_scrub(&key);
	return ok;
}

static enum admin_exit
run_init(struct admin *admin, const struct args *args)
{
	struct outcome outcome = { false, false, 0, 0 };
	struct service_user user;
	enum admin_exit status;

	(void)args;
	status = admin_settings(admin);
	if (status == ADMIN_OK)
		status = admin_service_user(admin, &user);
	if (status != ADMIN_OK)
		return status;
	if (!make_dirs(admin->settings, &user) || !make_attest_key(admin) ||
	    !make_secrets_for(admin, &user, &outcome))
		return ADMIN_FAILED;
	return user.drop ? init_in_child(admin, &user, &outcome) :
	    init_as_service(admin, &user, &outcome);
}

static enum admin_exit
run_migrate(struct admin *admin, const struct args *args)
{
	struct outcome outcome = { false, false, 0, 0 };
	enum admin_exit status;
	struct record *record;

	(void)args;
	status = admin_settings(admin);
	if (status == ADMIN_OK)
		status = migrate(admin, &outcome);
	if (status != ADMIN_OK || !admin->json)
		return status;
	record = record_open();
	record_number(record, "applied", NULL, outcome.applied);
	record_number(record, "schema_version", NULL, outcome.version);
	record_print(&record, admin);
	return ADMIN_OK;
}

const struct verb verbs_init[] = {
	{ "init", NULL, "", 0, 0,
	  "make folders, secrets, database and schema, or bring them up to "
	  "date",
	  "init", NULL, run_init },
	{ "migrate", NULL, "", 0, 0,
	  "bring the schema of a running database up to date",
	  "migrate", NULL, run_migrate },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
