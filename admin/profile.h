/*
 * profile.h: as what a person uses youyunctl, and what that profile is for.
 * Layer: admin.
 * Written by: admin_settings(), once; nobody afterwards.
 *
 * The database's roles decide what a profile may do there; the table here says
 * it in words, before anything is tried, and keeps what needs no database to
 * owners.  A command that the table doesn't name is an owner's.
 */
#ifndef ADMIN_PROFILE_H
#define ADMIN_PROFILE_H

#include <stdbool.h>

#include "admin/admin.h"
#include "conf/embedded.h"
#include "conf/staff.h"

/* Who sits there; `owner`: root or the service itself, not by sudo. */
struct profile_person {
	const char *name;
	bool owner;
};
struct profile_person profile_person(const struct admin *admin);

/*
 * Sets admin->profile from the setting "staff", the person and --profile.
 * Anything but ADMIN_OK has been explained.  admin->settings must be there.
 */
enum admin_exit	profile_choose(struct admin *admin)
	    __attribute__((warn_unused_result));

/* False: it was explained that this command isn't the profile's. */
bool	profile_allows(const struct admin *admin, const struct verb *verb);

enum db_role profile_role(enum staff_profile profile);

#endif
