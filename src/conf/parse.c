/* youyun.conf: lines of "name = value", # comments, "quoted values". */
#include "conf/settings.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/check.h"
#include "conf/table.h"

#define FILE_MAX_BYTES (1024 * 1024)
#define LINE_MAX_BYTES 4096
#define STATE_DIR_MARK "<state_dir>"

struct reader {
	const char *file;
	struct settings *settings;
	struct conf_report *report;
	unsigned *seen;		/* by place in the table: line, 0 for none */
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static char *
trim(char *text)
{
	size_t len;

	while (is_blank(*text))
		text++;
	len = strlen(text);
	while (len > 0 && is_blank(text[len - 1]))
		text[--len] = '\0';
	return text;
}

/*
 * Takes the comment off, and the quotes with their \" and \\; in place.
 * NULL with *why_r when the quotes are wrong.
 */
static char *
value_of(char *text, const char **why_r)
{
	char *to, *comment;

	text = trim(text);
	if (*text != '"') {
		/* A # inside a word belongs to it. */
		for (comment = text; *comment != '\0'; comment++)
			if (*comment == '#' &&
			    (comment == text || is_blank(comment[-1]))) {
				*comment = '\0';
				break;
			}
		return trim(text);
	}
	to = text++;
	char *const value = to;
	for (; *text != '"'; text++) {
		if (*text == '\\' && (text[1] == '"' || text[1] == '\\'))
			text++;
		if (*text == '\0') {
			*why_r = "the quotation mark is not closed";
			return NULL;
		}
		*to++ = *text;
	}
	text = trim(text + 1);
	*to = '\0';
	if (*text != '\0' && *text != '#') {
		*why_r = "something stands behind the quotation mark";
		return NULL;
	}
	return value;
}

static void
unknown_setting(struct reader *r, unsigned line, const char *name)
{
	const char *guess = setting_guess(name);

	if (guess != NULL)
		conf_mistake(r->report, r->file, line, name,
		    "there is no such setting; did you mean %s?", guess);
	else
		conf_mistake(r->report, r->file, line, name,
		    "there is no such setting; youyun.conf(5) lists them");
}

static void
read_line(struct reader *r, unsigned line, char *text)
{
	const struct setting *s;
	const char *why = NULL;
	char *equals, *name, *value, allowed[256];
	size_t place;

	text = trim(text);
	if (*text == '\0' || *text == '#')
		return;
	equals = strchr(text, '=');
	if (equals == NULL) {
		conf_mistake(r->report, r->file, line, NULL,
		    "not of the form name = value");
		return;
	}
	*equals = '\0';
	name = trim(text);
	s = setting_find(name);
	if (s == NULL) {
		unknown_setting(r, line, name);
		return;
	}
	place = (size_t)(s - settings_table);
	if (r->seen[place] != 0) {
		conf_mistake(r->report, r->file, line, name,
		    "set already on line %u; take one away", r->seen[place]);
		return;
	}
	r->seen[place] = line;
	value = value_of(equals + 1, &why);
	if (value != NULL && setting_set(s, value, r->settings, &why))
		return;
	setting_allowed(s, allowed, sizeof(allowed));
	conf_mistake(r->report, r->file, line, name, "%s; allowed %s", why,
	    allowed);
}

static void
read_lines(struct reader *r, const char *text, size_t len)
{
	const char *end = text + len;
	char copy[LINE_MAX_BYTES + 1];
	unsigned line = 0;

	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((nl != NULL ? nl : end) - text);

		line++;
		if (n > LINE_MAX_BYTES) {
			conf_mistake(r->report, r->file, line, NULL,
			    "the line is too long; allowed up to %d bytes",
			    LINE_MAX_BYTES);
		} else if (memchr(text, '\0', n) != NULL) {
			conf_mistake(r->report, r->file, line, NULL,
			    "the line has a zero byte");
		} else {
			memcpy(copy, text, n);
			copy[n] = '\0';
			read_line(r, line, copy);
		}
		text += n + (nl != NULL ? 1 : 0);
	}
}

/* A default that is not overwritten can't be wrong. */
static void
set_default(const struct setting *s, struct settings *settings)
{
	char expanded[2 * SETTING_PATH_BYTES];
	const char *text = s->initial, *why;
	size_t mark = strlen(STATE_DIR_MARK);

	if (strncmp(text, STATE_DIR_MARK, mark) == 0) {
		snprintf(expanded, sizeof(expanded), "%s%s",
		    settings->state_dir, text + mark);
		text = expanded;
	}
	if (!setting_set(s, text, settings, &why))
		/* Only a state_dir that leaves no room; checked elsewhere. */
		memset((char *)settings + s->offset, 0, s->size);
}

static bool
is_derived(const struct setting *s)
{
	return s->initial[0] == '<';
}

void
settings_default(struct settings *settings_r)
{
	memset(settings_r, 0, sizeof(*settings_r));
	/* state_dir comes before everything that is derived from it. */
	for (size_t i = 0; i < settings_count; i++)
		if (!is_derived(&settings_table[i]))
			set_default(&settings_table[i], settings_r);
	for (size_t i = 0; i < settings_count; i++)
		if (is_derived(&settings_table[i]))
			set_default(&settings_table[i], settings_r);
}

bool
settings_parse(const char *name, const char *text, size_t len,
    struct settings *settings_r, struct conf_report *report)
{
	struct reader r = { .file = name, .settings = settings_r,
		.report = report };
	unsigned before = report->mistakes;

	r.seen = calloc(settings_count, sizeof(*r.seen));
	if (r.seen == NULL) {
		conf_mistake(report, name, 0, NULL, "out of memory");
		return false;
	}
	settings_default(settings_r);
	read_lines(&r, text, len);
	for (size_t i = 0; i < settings_count; i++)
		if (is_derived(&settings_table[i]) && r.seen[i] == 0)
			set_default(&settings_table[i], settings_r);
	settings_check(name, r.seen, settings_r, report);
	free(r.seen);
	return report->mistakes == before;
}

bool
settings_read(const char *path, struct settings *settings_r,
    struct conf_report *report)
{
	struct buf b;
	struct stat st;
	bool ok = false;
	int fd;

	buf_init(&b, FILE_MAX_BYTES + 1);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) != 0) {
		conf_mistake(report, path, 0, NULL, "%s", strerror(errno));
		goto out;
	}
	if (S_ISDIR(st.st_mode)) {
		conf_mistake(report, path, 0, NULL, "is a directory");
		goto out;
	}
	for (;;) {
		char *room = buf_room(&b, 4096);
		ssize_t n;

		if (room == NULL) {
			conf_mistake(report, path, 0, NULL,
			    "too long; allowed up to %d bytes",
			    FILE_MAX_BYTES);
			goto out;
		}
		n = read(fd, room, 4096);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			conf_mistake(report, path, 0, NULL, "%s",
			    strerror(errno));
			goto out;
		}
		if (n == 0)
			break;
		buf_added(&b, (size_t)n);
	}
	ok = settings_parse(path, buf_head(&b), b.len, settings_r, report);
out:
	if (fd >= 0)
		close(fd);
	buf_free(&b);
	return ok;
}
