#include "conf/service.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/settings.h"

enum service_result
service_user_find(const struct settings *settings,
    struct service_user *user_r)
{
	struct passwd *pw;

	memset(user_r, 0, sizeof(*user_r));
	errno = 0;
	if (geteuid() != 0) {
		user_r->uid = geteuid();
		user_r->gid = getegid();
		pw = getpwuid(user_r->uid);
		/* An unnamed user (a container's) is as good as another. */
		snprintf(user_r->name, sizeof(user_r->name), "%s",
		    pw != NULL ? pw->pw_name : "");
		return SERVICE_OK;
	}
	pw = getpwnam(settings->user);
	if (pw == NULL)
		return errno == 0 || errno == ENOENT || errno == ESRCH ?
		    SERVICE_NO_SUCH_USER : SERVICE_ERRNO;
	if (pw->pw_uid == 0)
		return SERVICE_IS_ROOT;
	user_r->uid = pw->pw_uid;
	user_r->gid = pw->pw_gid;
	user_r->drop = true;
	snprintf(user_r->name, sizeof(user_r->name), "%s", pw->pw_name);
	return SERVICE_OK;
}

bool
service_user_become(const struct service_user *user)
{
	if (!user->drop)
		return true;
	if (initgroups(user->name, user->gid) != 0 ||
	    setresgid(user->gid, user->gid, user->gid) != 0 ||
	    setresuid(user->uid, user->uid, user->uid) != 0)
		return false;
	/* The kernel said yes; ask whether it meant it. */
	if (setuid(0) == 0 || setgid(0) == 0 || geteuid() != user->uid ||
	    getegid() != user->gid) {
		errno = EPERM;
		return false;
	}
	errno = 0;
	return true;
}

bool
service_dir_make(const struct service_user *user, const char *path,
    mode_t mode)
{
	struct stat st;
	bool ok, made;
	int fd;

	made = mkdir(path, 0700) == 0;
	if (!made && errno != EEXIST)
		return false;
	/* By descriptor: the service user may own the folder above. */
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	ok = fstat(fd, &st) == 0;
	if (ok && st.st_uid != user->uid && st.st_uid != geteuid()) {
		errno = EPERM;
		ok = false;
	}
	if (ok && user->drop && (st.st_uid != user->uid ||
	    st.st_gid != user->gid))
		ok = fchown(fd, user->uid, user->gid) == 0;
	if (ok && (st.st_mode & 07777) != mode)
		ok = fchmod(fd, mode) == 0;
	close(fd);
	return ok;
}
