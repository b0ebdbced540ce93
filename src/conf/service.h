/*
 * service.h: the user that the service runs as, and becoming it.
 * Layer: conf.
 * Written by: nobody; the settings name the user.
 */
#ifndef CONF_SERVICE_H
#define CONF_SERVICE_H

#include <stdbool.h>
#include <sys/types.h>

struct settings;

#define SERVICE_NAME_BYTES 64

struct service_user {
	uid_t uid;
	gid_t gid;
	bool drop;		/* we are root and must become this user */
	char name[SERVICE_NAME_BYTES];
};

enum service_result {
	SERVICE_OK,
	SERVICE_NO_SUCH_USER,	/* started as root, and `user` is unknown */
	SERVICE_IS_ROOT,	/* `user` is root itself: refused */
	SERVICE_ERRNO		/* errno says */
};

/* Started as root: the user of the settings.  As an ordinary user: that one
 * as it is, whatever the settings say; nothing is dropped then. */
enum service_result service_user_find(const struct settings *settings,
	    struct service_user *user_r) __attribute__((warn_unused_result));

/* Groups, gid, uid, and proof that there is no way back.  Does nothing when
 * !user->drop.  False with errno: the process must end. */
bool	service_user_become(const struct service_user *user)
	    __attribute__((warn_unused_result));

/*
 * A directory of the service: made when missing (the last component only),
 * owned by the user, mode as given.  An existing one must be a directory of
 * the service user or, when we are root, of root.  False with errno.
 */
bool	service_dir_make(const struct service_user *user, const char *path,
	    mode_t mode) __attribute__((warn_unused_result));

#endif
