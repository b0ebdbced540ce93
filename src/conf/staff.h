/*
 * staff.h: which people may use youyunctl as what; the setting "staff".
 * Layer: conf.
 * Written by: nobody; pure functions.
 *
 * "alice:billing bob:support": login names and profiles, separated by blanks
 * or commas; a person may stand there several times.
 */
#ifndef CONF_STAFF_H
#define CONF_STAFF_H

#include <stdbool.h>
#include <stdint.h>

/* What a person is; each is one role of the database (embedded.h). */
enum staff_profile {
	STAFF_OWNER,
	STAFF_BILLING,
	STAFF_SUPPORT,
	STAFF_AUDITOR
};
#define STAFF_PROFILES 4
#define STAFF_BIT(profile) (1u << (profile))

/* "owner", …; static text. */
const char *staff_profile_name(enum staff_profile profile);
bool	staff_profile_find(const char *name, enum staff_profile *profile_r)
	    __attribute__((warn_unused_result));

/* False: *why_r (static) says what is wrong with the setting. */
bool	staff_check(const char *staff, const char **why_r)
	    __attribute__((warn_unused_result));

/* A person's profiles as STAFF_BIT()s; 0: not among them. */
uint32_t staff_profiles(const char *staff, const char *person);

#endif
