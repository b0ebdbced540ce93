/*
 * modes.h: whether files hold what others must not read or change.
 * Layer: conf.
 * Written by: nobody; it only looks.
 */
#ifndef CONF_MODES_H
#define CONF_MODES_H

struct conf_report;
struct service_user;
struct settings;

/*
 * The configuration, the secrets, certificates and keys that it names, the
 * state and run directories, and the folders that these are in: owners and
 * modes.  Each that is wrong becomes a mistake that says what was seen and the
 * chmod or chown that mends it.  What isn't there is passed over: who needs it
 * says so.
 */
void	modes_check(const char *conf_path, const struct settings *settings,
	    const struct service_user *user, struct conf_report *report);

#endif
