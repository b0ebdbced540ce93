#include "conf/modes.h"

#include <assert.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/service.h"
#include "conf/settings.h"

/* What a mode must not have. */
#define NOBODY_WRITES (S_IWGRP | S_IWOTH)
#define GROUP_READS (NOBODY_WRITES | S_IRWXO | S_IXGRP)
#define OTHERS_PASS (NOBODY_WRITES | S_IROTH)

#define FOLDERS 5

struct look {
	const char *conf_path;
	const struct service_user *user;
	struct conf_report *report;
	char above[FOLDERS][PATH_MAX];	/* that were looked at */
	int folders;
};

static const char *
name_of(uid_t uid, char text_r[32])
{
	const struct passwd *pw = getpwuid(uid);

	if (pw != NULL)
		snprintf(text_r, 32, "%s", pw->pw_name);
	else
		snprintf(text_r, 32, "%lu", (unsigned long)uid);
	return text_r;
}

static bool
is_trusted(const struct look *l, uid_t uid)
{
	return uid == 0 || uid == l->user->uid || uid == geteuid();
}

static void
judge_owner(const struct look *l, const char *setting, const char *path,
    const struct stat *st)
{
	char is[32], right[32];

	if (is_trusted(l, st->st_uid))
		return;
	conf_mistake(l->report, l->conf_path, 0, setting, "%s: owner %s may "
	    "change it; chown %s %s", path, name_of(st->st_uid, is),
	    name_of(S_ISDIR(st->st_mode) ? l->user->uid : geteuid(), right),
	    path);
}

static void
judge_mode(const struct look *l, const char *setting, const char *path,
    const struct stat *st, mode_t wrong)
{
	mode_t has = st->st_mode & 07777, bad = has & wrong;
	const char *who, *what;

	if (bad == 0)
		return;
	who = (bad & S_IRWXO) == 0 ? "its group" : (bad & S_IRWXG) == 0 ?
	    "others" : "its group and others";
	if ((bad & NOBODY_WRITES) == 0)
		what = (bad & S_IRWXO) != 0 ? "read" : "execute";
	else
		what = (bad & S_IROTH) != 0 ? "read and change" : "change";
	conf_mistake(l->report, l->conf_path, 0, setting,
	    "%s: mode %04o: %s may %s it; chmod %04o %s", path,
	    (unsigned)has, who, what, (unsigned)(has & ~bad), path);
}

static void
look_at(const struct look *l, const char *setting, const char *path,
    mode_t wrong)
{
	struct stat st;

	if (path[0] == '\0' || stat(path, &st) != 0)
		return;
	judge_owner(l, setting, path, &st);
	judge_mode(l, setting, path, &st, wrong);
}

/* Each folder is told of once. */
static bool
is_new(struct look *l, const char *dir)
{
	for (int i = 0; i < l->folders; i++)
		if (strcmp(l->above[i], dir) == 0)
			return false;
	assert(l->folders < FOLDERS && strlen(dir) < PATH_MAX);
	strcpy(l->above[l->folders++], dir);
	return true;
}

/* Who may write to the folder may put another file there.  In a sticky one
 * nobody can but the file's owner. */
static void
look_above(struct look *l, const char *setting, const char *path)
{
	char copy[PATH_MAX], *dir;
	struct stat st;

	if (path[0] == '\0' || strlen(path) >= sizeof(copy))
		return;
	strcpy(copy, path);
	dir = dirname(copy);
	if (!is_new(l, dir))
		return;
	if (stat(dir, &st) != 0 || (st.st_mode & S_ISVTX) != 0)
		return;
	judge_owner(l, setting, dir, &st);
	judge_mode(l, setting, dir, &st, S_IWOTH);
}

void
modes_check(const char *conf_path, const struct settings *s,
    const struct service_user *user, struct conf_report *report)
{
	struct look l = { .conf_path = conf_path, .user = user,
		.report = report };
	/* A connection string may have a password. */
	bool password = strstr(s->database, "password") != NULL;

	look_at(&l, NULL, conf_path, password ? GROUP_READS : NOBODY_WRITES);
	look_above(&l, NULL, conf_path);
	if (is_new(&l, s->state_dir))
		look_at(&l, "state_dir", s->state_dir, OTHERS_PASS);
	look_at(&l, "run_dir", s->run_dir, NOBODY_WRITES);
	look_at(&l, "secrets_file", s->secrets_file, GROUP_READS);
	look_above(&l, "secrets_file", s->secrets_file);
	look_at(&l, "tls_certificate", s->tls_certificate, NOBODY_WRITES);
	look_at(&l, "tls_key", s->tls_key, GROUP_READS);
	look_above(&l, "tls_key", s->tls_key);
	look_at(&l, "payment_secret_file", s->payment_secret_file,
	    GROUP_READS);
	look_above(&l, "payment_secret_file", s->payment_secret_file);
	look_at(&l, "payment_public_key", s->payment_public_key,
	    NOBODY_WRITES);
}
