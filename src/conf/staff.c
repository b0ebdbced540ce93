#include "conf/staff.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define SEPARATORS " \t,"
#define PERSON_MAX 64

static const char *const names[STAFF_PROFILES] = {
	"owner", "billing", "support", "auditor"
};

const char *
staff_profile_name(enum staff_profile profile)
{
	assert(profile < STAFF_PROFILES);
	return names[profile];
}

static bool
find(const char *name, size_t len, enum staff_profile *profile_r)
{
	for (int i = 0; i < STAFF_PROFILES; i++)
		if (strlen(names[i]) == len &&
		    memcmp(names[i], name, len) == 0) {
			*profile_r = (enum staff_profile)i;
			return true;
		}
	return false;
}

bool
staff_profile_find(const char *name, enum staff_profile *profile_r)
{
	return find(name, strlen(name), profile_r);
}

/* The next entry, or false at the end. */
static bool
next_entry(const char **at, const char **entry_r, size_t *len_r)
{
	*at += strspn(*at, SEPARATORS);
	*entry_r = *at;
	*len_r = strcspn(*at, SEPARATORS);
	*at += *len_r;
	return *len_r > 0;
}

bool
staff_check(const char *staff, const char **why_r)
{
	enum staff_profile profile;
	const char *entry, *colon;
	size_t len;

	while (next_entry(&staff, &entry, &len)) {
		colon = memchr(entry, ':', len);
		if (colon == NULL) {
			*why_r = "an entry is a login name, a colon and a "
			    "profile, as in alice:billing";
			return false;
		}
		if (colon == entry || colon - entry > PERSON_MAX) {
			*why_r = "a login name has 1 to 64 characters";
			return false;
		}
		if (!find(colon + 1, len - (size_t)(colon + 1 - entry),
		    &profile)) {
			*why_r = "a profile is owner, billing, support or "
			    "auditor";
			return false;
		}
	}
	return true;
}

uint32_t
staff_profiles(const char *staff, const char *person)
{
	size_t len, person_len = strlen(person);
	enum staff_profile profile;
	const char *entry;
	uint32_t bits = 0;

	while (next_entry(&staff, &entry, &len))
		if (len > person_len && entry[person_len] == ':' &&
		    memcmp(entry, person, person_len) == 0 &&
		    find(entry + person_len + 1, len - person_len - 1,
		    &profile))
			bits |= STAFF_BIT(profile);
	return bits;
}
