#include "admin/words.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "shm/catalogue.h"
#include "shm/directory.h"
#include "shm/record.h"
#include "wire/route.h"

const char *
account_status_name(int64_t status)
{
	switch (status) {
	case ACCOUNT_ACTIVE:
		return "active";
	case ACCOUNT_LIMITED:
		return "limited";
	case ACCOUNT_SUSPENDED:
		return "suspended";
	case ACCOUNT_CLOSED:
		return "closed";
	default:
		return "unknown";
	}
}

const char *
key_status_name(int64_t status)
{
	switch (status) {
	case KEY_ACTIVE:
		return "active";
	case KEY_REVOKED:
		return "revoked";
	case KEY_SUSPENDED:
		return "suspended";
	default:
		return "unknown";
	}
}

const char *
channel_status_name(int64_t status)
{
	switch (status) {
	case CHANNEL_ACTIVE:
		return "active";
	case CHANNEL_DISABLED:
		return "disabled";
	default:
		return "unknown";
	}
}

const char *
route_name(unsigned int route)
{
	const struct wire_route_info *info;

	info = wire_route_info((enum wire_route)route);
	return info != NULL ? info->name : "none";
}

const char *
moderation_name(unsigned int status)
{
	static const char *const names[] = {
		[MODERATION_NONE] = "",
		[MODERATION_PASSED] = "passed",
		[MODERATION_FLAGGED] = "flagged",
		[MODERATION_BLOCKED] = "blocked",
		[MODERATION_OPEN] = "open",
		[MODERATION_CLOSED] = "closed"
	};

	return status < sizeof names / sizeof names[0] ? names[status] :
	    "unknown";
}

void
record_flags_format(uint32_t flags, char text_r[FLAGS_TEXT_BYTES])
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
		{ RECORD_STREAMED, "streamed" },
		{ RECORD_ESTIMATED, "estimated" },
		{ RECORD_CLAMPED, "clamped" },
		{ RECORD_CUT_SHORT, "cut_short" },
		{ RECORD_CLIENT_GONE, "client_gone" },
		{ RECORD_UPSTREAM_CUT, "upstream_cut" },
		{ RECORD_RECLAIMED, "reclaimed" },
		{ RECORD_RETRIED, "retried" },
		{ RECORD_UNKNOWN_USAGE, "unknown_usage" },
		{ RECORD_UNPRICED, "unpriced" },
		{ RECORD_FLAGGED, "flagged" },
		{ RECORD_BLOCKED, "blocked" },
		{ RECORD_LATE, "late" }
	};
	size_t i, len;

	len = 0;
	text_r[0] = '\0';
	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if ((flags & names[i].bit) != 0)
			len += (size_t)snprintf(text_r + len,
			    FLAGS_TEXT_BYTES - len, "%s%s",
			    len > 0 ? "," : "", names[i].name);
}

void
address_format(const uint8_t *address, char text_r[ADDRESS_TEXT_BYTES])
{
	address_text(address, text_r);
	if (text_r[0] == '\0')
		snprintf(text_r, ADDRESS_TEXT_BYTES, "-");
}
