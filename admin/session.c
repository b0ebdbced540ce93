/* What a command opens: the settings, the secrets, the database. */
#include "admin/admin.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/access.h"
#include "admin/check.h"
#include "admin/profile.h"
#include "admin/progress.h"
#include "admin/suggest.h"
#include "base/bytes.h"
#include "base/secret.h"
#include "conf/embedded.h"
#include "conf/settings.h"
#include "db/migrate.h"
#include "db/queries.h"
#include "db/transaction.h"

#define CONNECT_TIMEOUT_S 5
#define TRY_TIMEOUT_S 2
#define START_TRIES 50
#define START_PAUSE_MS 200

enum admin_exit
admin_settings(struct admin *admin)
{
	struct conf_report report;
	enum admin_exit status;
	bool ok;

	if (admin->settings != NULL)
		return ADMIN_OK;
	admin->settings = malloc(sizeof *admin->settings);
	if (admin->settings == NULL) {
		complain("out of memory");
		return ADMIN_FAILED;
	}
	conf_report_init(&report);
	ok = settings_read(admin->config_path, admin->settings, &report);
	if (!ok) {
		complain("the configuration can't be used:");
		fwrite(buf_head(&report.text), 1, report.text.len, stderr);
		if (access(admin->config_path, F_OK) != 0)
			hint("name another file with -c FILE");
		free(admin->settings);
		admin->settings = NULL;
	}
	conf_report_free(&report);
	if (!ok)
		return ADMIN_FAILED;
	status = profile_choose(admin);
	if (status == ADMIN_OK && !profile_allows(admin, admin->running))
		status = ADMIN_REFUSED;
	if (status != ADMIN_OK) {
		free(admin->settings);
		admin->settings = NULL;
	}
	return status;
}

enum admin_exit
admin_secrets(struct admin *admin, struct secrets *secrets_r)
{
	const char *path;

	path = admin->settings->secrets_file;
	switch (secrets_read(path, secrets_r)) {
	case SECRET_OK:
		return ADMIN_OK;
	case SECRET_MISSING:
		complain("there is no secrets file %s", path);
		hint("\"youyunctl init\" makes it");
		return ADMIN_FAILED;
	case SECRET_OPEN_TO_OTHERS:
		complain("%s may be read or changed by others", path);
		hint("chmod 0600 %s, and consider its secrets known", path);
		return ADMIN_FAILED;
	case SECRET_BAD:
		complain("%s is not what \"youyunctl init\" writes", path);
		hint("restore it from a backup: no customer's key works "
		    "without it");
		return ADMIN_FAILED;
	case SECRET_IO:
		break;
	}
	complain("cannot read %s: %s", path, strerror(errno));
	if (errno == EACCES)
		hint("run youyunctl as root or as the service user");
	return ADMIN_FAILED;
}

enum admin_exit
admin_hasher(struct admin *admin, struct key_hasher **hasher_r)
{
	struct secrets secrets;
	enum admin_exit status = admin_secrets(admin, &secrets);

	if (status != ADMIN_OK)
		return status;
	*hasher_r = key_hasher_open(&secrets);
	secrets_scrub(&secrets);
	if (*hasher_r != NULL)
		return ADMIN_OK;
	complain("out of memory");
	return ADMIN_FAILED;
}

/* The hint depends on whose server it is. */
static void
explain_away(const struct admin *admin)
{
	complain("the database can't be reached: %s", db_message(admin->db));
	if (!database_is_embedded(admin->settings))
		hint("see the setting database in %s", admin->config_path);
	else if (!embedded_initialised(admin->settings))
		hint("\"youyunctl init\" makes the database");
	else
		hint("youyund runs it: is youyund up?  Are you root or the "
		    "service user?");
}

/* A server that has just been started recovers first, and says so. */
static bool
connect_patiently(struct db *db)
{
	int tries;

	for (tries = 0; tries < START_TRIES; tries++) {
		if (db_connect(db, CONNECT_TIMEOUT_S) == DB_OK)
			return true;
		if (strstr(db_message(db), "starting up") == NULL)
			return false;
		poll(NULL, 0, START_PAUSE_MS);
	}
	return false;
}

static enum admin_exit
check_schema(struct admin *admin)
{
	enum db_result result;
	int version;

	result = db_schema_version(admin->db, &version);
	if (result != DB_OK)
		return admin_database_failed(admin, result,
		    "read the schema's version");
	if (version == db_schema_wanted())
		return ADMIN_OK;
	complain("the database has schema version %d, this youyunctl needs %d",
	    version, db_schema_wanted());
	if (version < db_schema_wanted())
		hint("\"youyunctl migrate\" brings it up to date");
	else
		hint("the database was used by a newer youyun; install that");
	return ADMIN_REFUSED;
}

/* As the profile's role; doesn't connect. */
static enum admin_exit
make_handle(struct admin *admin)
{
	char conninfo[EMBEDDED_TEXT_BYTES];

	if (!database_conninfo(admin->settings, profile_role(admin->profile),
	    "youyunctl", conninfo, sizeof conninfo)) {
		complain("the setting database is too long");
		return ADMIN_FAILED;
	}
	admin->db = db_open(conninfo);
	bytes_scrub(conninfo, sizeof conninfo);
	if (admin->db != NULL)
		return ADMIN_OK;
	complain("out of memory");
	return ADMIN_FAILED;
}

enum admin_exit
admin_database(struct admin *admin)
{
	enum admin_exit status;

	if (admin->db != NULL)
		return ADMIN_OK;
	status = admin_settings(admin);
	if (status != ADMIN_OK)
		return status;
	status = make_handle(admin);
	if (status != ADMIN_OK)
		return status;
	if (!connect_patiently(admin->db)) {
		explain_away(admin);
		return ADMIN_DATABASE_AWAY;
	}
	status = check_schema(admin);
	if (status == ADMIN_OK)
		status = admin_database_failed(admin, access_begin(admin),
		    "note the access");
	return status;
}

bool
admin_database_try(struct admin *admin)
{
	int version;
	bool ok;

	if (admin->db != NULL)
		return true;
	if (make_handle(admin) != ADMIN_OK)
		return false;
	ok = db_connect(admin->db, TRY_TIMEOUT_S) == DB_OK &&
	    db_schema_version(admin->db, &version) == DB_OK &&
	    version == db_schema_wanted() &&
	    access_begin(admin) == DB_OK;
	if (!ok)
		db_close(&admin->db);
	return ok;
}

struct change {
	const struct admin *admin;
	admin_body *body;
	void *arg;
};

static enum db_result
change_body(struct db *db, void *arg)
{
	const struct change *change = arg;
	enum db_result result;

	result = db_actor(db, change->admin->actor, change->admin->reason);
	if (result != DB_OK)
		return result;
	return change->body(db, change->arg);
}

enum db_result
admin_change(struct admin *admin, admin_body *body, void *arg)
{
	struct change change = { admin, body, arg };
	enum db_result result;

	progress_begin("changing the database", 0);
	result = db_transaction(admin->db, DB_READ_COMMITTED, change_body,
	    &change);
	progress_end();
	return result;
}

enum admin_exit
admin_database_failed(struct admin *admin, enum db_result result,
    const char *doing)
{
	switch (result) {
	case DB_OK:
		return ADMIN_OK;
	case DB_NONE:
		complain("cannot %s: not found", doing);
		return ADMIN_NOT_FOUND;
	case DB_CONFLICT:
		complain("cannot %s: %s", doing, db_message(admin->db));
		return ADMIN_REFUSED;
	case DB_AWAY:
		complain("cannot %s: the database went away: %s", doing,
		    db_message(admin->db));
		hint("nothing was changed; try again");
		return ADMIN_DATABASE_AWAY;
	case DB_UNKNOWN:
		complain("cannot %s for certain: the connection broke while "
		    "committing", doing);
		hint("look whether it was done before you try again");
		return ADMIN_DATABASE_AWAY;
	case DB_ERROR:
		break;
	}
	complain("cannot %s: %s", doing, db_message(admin->db));
	if (strcmp(db_sqlstate(admin->db), "42501") != 0)
		return ADMIN_FAILED;
	hint("that is not for %s; an owner can do it",
	    staff_profile_name(admin->profile));
	return ADMIN_REFUSED;
}

#define SUGGESTED_OF 1000

static bool
try_customer(const char *name, void *arg)
{
	suggest_try(arg, name);
	return true;
}

enum admin_exit
admin_customer(struct admin *admin, const char *who, int64_t *id_r)
{
	char begin[2];
	struct suggest s;
	enum db_result result;

	result = q_customer_find(admin->db, who, id_r);
	if (result != DB_NONE)
		return admin_database_failed(admin, result,
		    "look the customer up");
	complain("there is no customer \"%s\"", who);
	suggest_start(&s, who);
	/* Among those that begin alike, or there would be no end of them. */
	begin[0] = (unsigned char)who[0] < 0x80 ? who[0] : '\0';
	begin[1] = '\0';
	if (q_complete(admin->db, COMPLETE_CUSTOMER, begin, SUGGESTED_OF,
	    try_customer, &s) == DB_OK && suggest_best(&s) != NULL)
		hint("did you mean \"%s\"?", suggest_best(&s));
	else
		hint("\"youyunctl customer list\" shows them all");
	return ADMIN_NOT_FOUND;
}

static bool
try_channel(const struct channel_row *row, void *arg)
{
	suggest_try(arg, row->name);
	return true;
}

enum admin_exit
admin_channel(struct admin *admin, const char *who, int64_t *id_r)
{
	struct suggest s;
	enum db_result result;

	result = q_channel_find(admin->db, who, id_r);
	if (result != DB_NONE)
		return admin_database_failed(admin, result,
		    "look the channel up");
	complain("there is no channel \"%s\"", who);
	suggest_start(&s, who);
	if (q_channel_each(admin->db, 0, try_channel, &s) == DB_OK &&
	    suggest_best(&s) != NULL)
		hint("did you mean \"%s\"?", suggest_best(&s));
	else
		hint("\"youyunctl channel list\" shows them all");
	return ADMIN_NOT_FOUND;
}

bool
admin_confirm(const struct admin *admin, const char *question)
{
	char answer[16];

	if (admin->yes || !isatty(STDIN_FILENO))
		return true;
	fprintf(stderr, "%s [y/N] ", question);
	if (fgets(answer, sizeof answer, stdin) == NULL)
		return false;
	return answer[0] == 'y' || answer[0] == 'Y';
}
