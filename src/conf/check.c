#include "conf/check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/mail_address.h"
#include "conf/embedded.h"
#include "conf/settings.h"
#include "conf/staff.h"
#include "conf/table.h"

static unsigned
line_of(const unsigned *lines, const char *name)
{
	return lines[setting_find(name) - settings_table];
}

static void
check_segment(const char *file, const unsigned *lines,
    const struct settings *s, struct conf_report *report)
{
	if ((s->ring_records & (s->ring_records - 1)) != 0)
		conf_mistake(report, file, line_of(lines, "ring_records"),
		    "ring_records", "%u is not a power of two",
		    s->ring_records);
	if (s->ring_records <= s->holds_per_worker)
		conf_mistake(report, file, line_of(lines, "ring_records"),
		    "ring_records", "%u records can't take those of %u open "
		    "calls; raise it above holds_per_worker", s->ring_records,
		    s->holds_per_worker);
	if (s->daemons_per_worker > s->max_connections)
		conf_mistake(report, file,
		    line_of(lines, "daemons_per_worker"),
		    "daemons_per_worker", "more than max_connections, "
		    "which is %u", s->max_connections);
}

static void
check_paths(const char *file, const unsigned *lines,
    const struct settings *s, struct conf_report *report)
{
	/* Left empty when the default didn't fit below state_dir. */
	if (s->run_dir[0] == '\0' || s->secrets_file[0] == '\0' ||
	    s->journal_dir[0] == '\0')
		conf_mistake(report, file, line_of(lines, "state_dir"),
		    "state_dir", "too long for the paths below it; allowed "
		    "up to %d characters", SETTING_PATH_BYTES - 16);
}

static void
check_anchor(const char *file, const unsigned *lines,
    const struct settings *s, struct conf_report *report)
{
	const char *to = s->audit_anchor_to;

	if (to[0] != '\0' && to[0] != '/' && strcmp(to, "syslog") != 0)
		conf_mistake(report, file, line_of(lines, "audit_anchor_to"),
		    "audit_anchor_to", "%s: allowed syslog, a path from / on, "
		    "or \"\"", to);
}

static void
check_times(const char *file, const unsigned *lines,
    const struct settings *s, struct conf_report *report)
{
	if (s->total_timeout_ms < s->upstream_connect_timeout_ms)
		conf_mistake(report, file, line_of(lines, "total_timeout"),
		    "total_timeout", "shorter than upstream_connect_timeout");
}

static void
check_journal(const char *file, const unsigned *lines,
    const struct settings *s, struct conf_report *report)
{
	if (s->journal_budget_bytes < 2 * s->journal_segment_bytes)
		conf_mistake(report, file,
		    line_of(lines, "journal_budget_bytes"),
		    "journal_budget_bytes", "less than two of "
		    "journal_segment_bytes, so nothing could be freed");
}

static void
check_database(const char *file, const unsigned *lines,
    const struct settings *s, struct conf_report *report)
{
	char path[EMBEDDED_TEXT_BYTES];

	if (database_is_embedded(s)) {
		if (!embedded_socket_path(s, path, sizeof(path)))
			conf_mistake(report, file, line_of(lines, "run_dir"),
			    "run_dir", "too long for a unix socket in it; "
			    "allowed up to %zu characters",
			    EMBEDDED_SOCKET_PATH_MAX -
			    sizeof("/pg/.s.PGSQL.5432"));
		return;
	}
	if (strncmp(s->database, "postgres://", 11) == 0 ||
	    strncmp(s->database, "postgresql://", 13) == 0) {
		conf_mistake(report, file, line_of(lines, "database"),
		    "database", "a URI is not taken here, because each "
		    "process adds its own user; write \"host=… dbname=…\"");
		return;
	}
	if (strchr(s->database, '=') == NULL)
		conf_mistake(report, file, line_of(lines, "database"),
		    "database", "neither embedded nor a connection string "
		    "such as \"host=db.example.com dbname=youyun\"");
}

static void
check_staff(const char *file, const unsigned *lines,
    const struct settings *s, struct conf_report *report)
{
	const char *why;

	if (!staff_check(s->staff, &why))
		conf_mistake(report, file, line_of(lines, "staff"), "staff",
		    "%s", why);
}

static void
check_mail(const char *file, const unsigned *lines,
    const struct settings *s, struct conf_report *report)
{
	if (s->mail_command[0] != '\0' && s->mail_command[0] != '/')
		conf_mistake(report, file, line_of(lines, "mail_command"),
		    "mail_command", "it begins with an absolute path, such as "
		    "\"/usr/sbin/sendmail -t -i\"");
	if (s->mail_from[0] != '\0' && !mail_address_ok(s->mail_from))
		conf_mistake(report, file, line_of(lines, "mail_from"),
		    "mail_from", "it is an address such as "
		    "noreply@example.com");
	if (s->mail_command[0] != '\0' && s->mail_from[0] == '\0')
		conf_mistake(report, file, line_of(lines, "mail_from"),
		    "mail_from", "mail_command needs an address here, such as "
		    "noreply@example.com");
}

static bool
is_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static void
check_logins(const char *file, const unsigned *lines,
    const struct settings *s, struct conf_report *report)
{
	if (s->registration != REGISTRATION_CLOSED &&
	    s->mail_command[0] == '\0')
		conf_mistake(report, file, line_of(lines, "registration"),
		    "registration", "it needs mail_command, for the codes "
		    "that confirm addresses");
	if (s->session_idle_timeout_ms > s->session_lifetime_ms)
		conf_mistake(report, file,
		    line_of(lines, "session_idle_timeout"),
		    "session_idle_timeout", "longer than session_lifetime");
	if (!is_printable(s->registration_group))
		conf_mistake(report, file,
		    line_of(lines, "registration_group"),
		    "registration_group", "it is no group's name");
	if (strchr(s->totp_issuer, ':') != NULL ||
	    !is_printable(s->totp_issuer))
		conf_mistake(report, file, line_of(lines, "totp_issuer"),
		    "totp_issuer", "it can't have a colon or a control "
		    "character in it");
}

void
settings_check(const char *file, const unsigned *lines,
    const struct settings *s, struct conf_report *report)
{
	check_staff(file, lines, s, report);
	check_paths(file, lines, s, report);
	check_segment(file, lines, s, report);
	check_anchor(file, lines, s, report);
	check_times(file, lines, s, report);
	check_journal(file, lines, s, report);
	check_database(file, lines, s, report);
	check_mail(file, lines, s, report);
	check_logins(file, lines, s, report);
}

static bool
member_equal(const struct setting *s, const struct settings *a,
    const struct settings *b)
{
	if (s->type == SETTING_LOG)
		return a->log == b->log &&
		    strcmp(a->log_file, b->log_file) == 0;
	/* Members are zeroed before they are set. */
	return memcmp((const char *)a + s->offset,
	    (const char *)b + s->offset, s->size) == 0;
}

static void
take_back(const struct setting *s, const struct settings *now,
    struct settings *next)
{
	memcpy((char *)next + s->offset, (const char *)now + s->offset,
	    s->size);
	if (s->type == SETTING_LOG)
		memcpy(next->log_file, now->log_file, sizeof(now->log_file));
}

unsigned
settings_diff(const struct settings *now, struct settings *next,
    struct conf_report *report)
{
	char old_text[SETTING_TEXT_BYTES], new_text[SETTING_TEXT_BYTES];
	unsigned changes = 0;

	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *s = &settings_table[i];

		if (member_equal(s, now, next))
			continue;
		if (s->change == SETTING_LIVE) {
			changes++;
			continue;
		}
		setting_format(s, now, old_text, sizeof(old_text));
		setting_format(s, next, new_text, sizeof(new_text));
		/* A connection string may carry a password. */
		if (s->type == SETTING_TEXT)
			conf_note(report, s->name, "can't change in a running "
			    "service and stays as it was; restart youyund to "
			    "apply it");
		else
			conf_note(report, s->name, "can't change in a running "
			    "service and stays %s; restart youyund to make "
			    "it %s", old_text, new_text);
		take_back(s, now, next);
	}
	return changes;
}

uint32_t
settings_workers(const struct settings *settings)
{
	long n;

	if (settings->workers > 0)
		return settings->workers;
	n = sysconf(_SC_NPROCESSORS_ONLN);
	if (n < 1)
		return 1;
	return n < SETTING_WORKERS_MAX ? (uint32_t)n : SETTING_WORKERS_MAX;
}

void
settings_segment_name(const struct settings *settings, char *name_r)
{
	snprintf(name_r, SEGMENT_NAME_BYTES, "/youyun-%016llx",
	    (unsigned long long)XXH64(settings->state_dir,
	    strlen(settings->state_dir), 0));
}
