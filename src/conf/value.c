/* One setting's text to its member, and back. */
#include "conf/table.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/money.h"
#include "conf/address.h"
#include "conf/settings.h"

/* Of the unit as it is installed. */
#define CREDENTIALS_DIR "/run/credentials/youyun.service"

struct suffix {
	const char *text;
	uint64_t factor;
};

/* The largest first, for writing. */
static const struct suffix byte_suffixes[] = {
	{ "G", UINT64_C(1) << 30 }, { "M", UINT64_C(1) << 20 },
	{ "k", UINT64_C(1) << 10 }, { "", 1 }, { NULL, 0 }
};
static const struct suffix duration_suffixes[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 },
	{ "ms", 1 }, { NULL, 0 }
};
static const struct suffix no_suffixes[] = { { "", 1 }, { NULL, 0 } };

static const struct suffix *
suffixes_of(enum setting_type type)
{
	if (type == SETTING_BYTES)
		return byte_suffixes;
	return type == SETTING_DURATION ? duration_suffixes : no_suffixes;
}

static bool
parse_number(const char *text, const struct suffix *suffixes,
    uint64_t *value_r, const char **why_r)
{
	uint64_t v = 0;
	bool large = false;

	if (*text < '0' || *text > '9') {
		*why_r = "not a number";
		return false;
	}
	for (; *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*text - '0'), &v))
			large = true;
	for (; suffixes->text != NULL; suffixes++)
		if (strcmp(text, suffixes->text) == 0)
			break;
	if (suffixes->text == NULL) {
		if (*text == '\0')
			*why_r = "a time needs its unit: ms, s, m, h or d";
		else
			*why_r = "not a number with a unit that is known here";
		return false;
	}
	if (large || __builtin_mul_overflow(v, suffixes->factor, value_r)) {
		*why_r = "too large";
		return false;
	}
	return true;
}

/* 30000 to "30s", 67108864 to "64M": the largest unit that is exact. */
static void
format_number(uint64_t v, const struct suffix *suffixes, char *text_r,
    size_t size)
{
	if (v == 0 && suffixes == duration_suffixes) {
		snprintf(text_r, size, "0s");
		return;
	}
	while (suffixes->factor > 1 && (v == 0 || v % suffixes->factor != 0))
		suffixes++;
	snprintf(text_r, size, "%" PRIu64 "%s", v / suffixes->factor,
	    suffixes->text);
}

static bool
name_is_plain(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

	return text[strspn(text, allowed)] == '\0';
}

/* A name as LoadCredential= of systemd.exec(5) has it.  youyunctl isn't started
 * by the unit; the folder is where systemd keeps it while the unit runs. */
static bool
set_credential(const struct setting *s, const char *name, char *member,
    const char **why_r)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];

	if (!name_is_plain(name) || name[0] == '.') {
		*why_r = "neither an absolute path nor the name of a "
		    "credential";
		return false;
	}
	if (dir == NULL || dir[0] != '/')
		dir = CREDENTIALS_DIR;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >
	    s->max) {
		*why_r = "too long";
		return false;
	}
	memset(member, 0, s->size);
	strcpy(member, path);
	return true;
}

static bool
set_text(const struct setting *s, const char *text, char *member,
    const char **why_r)
{
	size_t len = strlen(text);

	if (len < s->min) {
		*why_r = "empty";
		return false;
	}
	if (len > s->max) {
		*why_r = "too long";
		return false;
	}
	if (s->type == SETTING_NAME && !name_is_plain(text)) {
		*why_r = "has a character that a name can't have";
		return false;
	}
	if (s->type == SETTING_CREDENTIAL && len > 0 && text[0] != '/')
		return set_credential(s, text, member, why_r);
	if (s->type == SETTING_PATH && len > 0 && text[0] != '/') {
		*why_r = "not an absolute path";
		return false;
	}
	/* Zeroed first, so that equal settings are equal bytes. */
	memset(member, 0, s->size);
	memcpy(member, text, len);
	return true;
}

static bool
set_word(const struct setting *s, const char *text, uint32_t *member,
    const char **why_r)
{
	for (uint32_t i = 0; s->words[i] != NULL; i++)
		if (strcmp(s->words[i], text) == 0) {
			*member = i;
			return true;
		}
	*why_r = "not one of the words";
	return false;
}

static bool
set_log(const char *text, struct settings *settings, const char **why_r)
{
	const char *path;

	memset(settings->log_file, 0, sizeof(settings->log_file));
	if (strcmp(text, "auto") == 0) {
		settings->log = LOG_SETTING_AUTO;
		return true;
	}
	if (strcmp(text, "stderr") == 0) {
		settings->log = LOG_SETTING_STDERR;
		return true;
	}
	if (strcmp(text, "syslog") == 0) {
		settings->log = LOG_SETTING_SYSLOG;
		return true;
	}
	if (strncmp(text, "file", 4) != 0 || (text[4] != ' ' &&
	    text[4] != '\t' && text[4] != '\0')) {
		*why_r = "not one of the words";
		return false;
	}
	path = text + 4 + strspn(text + 4, " \t");
	if (path[0] != '/') {
		*why_r = "not an absolute path";
		return false;
	}
	if (strlen(path) >= sizeof(settings->log_file)) {
		*why_r = "too long";
		return false;
	}
	strcpy(settings->log_file, path);
	settings->log = LOG_SETTING_FILE;
	return true;
}

static bool
set_money(const struct setting *s, const char *text, int64_t *member,
    const char **why_r)
{
	enum money_result result = money_parse(text, member);

	if (result != MONEY_OK)
		*why_r = money_explain(result);
	else if (*member < 0 || (uint64_t)*member < s->min)
		*why_r = "too small";
	else if ((uint64_t)*member > s->max)
		*why_r = "too large";
	else
		return true;
	return false;
}

bool
setting_set(const struct setting *s, const char *text,
    struct settings *settings, const char **why_r)
{
	void *member = (char *)settings + s->offset;
	uint64_t v;

	switch (s->type) {
	case SETTING_TEXT:
	case SETTING_NAME:
	case SETTING_PATH:
	case SETTING_CREDENTIAL:
		return set_text(s, text, member, why_r);
	case SETTING_WORD:
		return set_word(s, text, member, why_r);
	case SETTING_LISTEN:
		return address_list_parse(text, member, why_r);
	case SETTING_MONEY:
		return set_money(s, text, member, why_r);
	case SETTING_LOG:
		return set_log(text, settings, why_r);
	case SETTING_COUNT:
	case SETTING_BYTES:
	case SETTING_DURATION:
		break;
	}
	if (!parse_number(text, suffixes_of(s->type), &v, why_r))
		return false;
	if (v < s->min || v > s->max) {
		*why_r = v < s->min ? "too small" : "too large";
		return false;
	}
	if (s->type == SETTING_BYTES) {
		assert(s->size == sizeof(uint64_t));
		*(uint64_t *)member = v;
	} else {
		assert(s->size == sizeof(uint32_t) && v <= UINT32_MAX);
		*(uint32_t *)member = (uint32_t)v;
	}
	return true;
}

void
setting_format(const struct setting *s, const struct settings *settings,
    char *text_r, size_t size)
{
	const void *member = (const char *)settings + s->offset;
	static const char *const log_words[] = { "auto", "stderr", "syslog" };
	const struct listen_list *list;
	char money[MONEY_TEXT_BYTES];
	struct buf b;

	switch (s->type) {
	case SETTING_TEXT:
	case SETTING_NAME:
	case SETTING_PATH:
	case SETTING_CREDENTIAL:
		snprintf(text_r, size, "%s", (const char *)member);
		return;
	case SETTING_WORD:
		snprintf(text_r, size, "%s",
		    s->words[*(const uint32_t *)member]);
		return;
	case SETTING_LOG:
		if (settings->log == LOG_SETTING_FILE)
			snprintf(text_r, size, "file %s", settings->log_file);
		else
			snprintf(text_r, size, "%s", log_words[settings->log]);
		return;
	case SETTING_COUNT:
	case SETTING_DURATION:
		format_number(*(const uint32_t *)member, suffixes_of(s->type),
		    text_r, size);
		return;
	case SETTING_BYTES:
		format_number(*(const uint64_t *)member, suffixes_of(s->type),
		    text_r, size);
		return;
	case SETTING_MONEY:
		money_format(*(const int64_t *)member, 0, money);
		snprintf(text_r, size, "%s", money);
		return;
	case SETTING_LISTEN:
		break;
	}
	list = member;
	buf_init(&b, size - 1);
	for (uint32_t i = 0; i < list->count; i++)
		if (!buf_printf(&b, "%s%s", i > 0 ? ", " : "",
		    list->address[i].text))
			break;
	snprintf(text_r, size, "%.*s", (int)b.len,
	    b.len > 0 ? buf_head(&b) : "");
	buf_free(&b);
}

void
setting_allowed(const struct setting *s, char *text_r, size_t size)
{
	char low[32], high[32];
	size_t len = 0;

	switch (s->type) {
	case SETTING_TEXT:
		snprintf(text_r, size, "%" PRIu64 " to %" PRIu64
		    " characters", s->min, s->max);
		return;
	case SETTING_NAME:
		snprintf(text_r, size, "%" PRIu64 " to %" PRIu64
		    " letters, digits and -_.", s->min, s->max);
		return;
	case SETTING_PATH:
		snprintf(text_r, size, "a path from / on, up to %" PRIu64
		    " characters%s", s->max, s->min == 0 ? ", or \"\"" : "");
		return;
	case SETTING_CREDENTIAL:
		snprintf(text_r, size, "a path from / on, or the name of a "
		    "systemd credential, up to %" PRIu64 " characters%s",
		    s->max, s->min == 0 ? ", or \"\"" : "");
		return;
	case SETTING_LISTEN:
		snprintf(text_r, size, "up to %d of address:port or "
		    "[address]:port, separated by commas",
		    SETTING_LISTEN_MAX);
		return;
	case SETTING_LOG:
		snprintf(text_r, size, "auto, stderr, syslog or file PATH");
		return;
	case SETTING_COUNT:
	case SETTING_BYTES:
	case SETTING_DURATION:
		format_number(s->min, suffixes_of(s->type), low, sizeof(low));
		format_number(s->max, suffixes_of(s->type), high,
		    sizeof(high));
		snprintf(text_r, size, "%s to %s", low, high);
		return;
	case SETTING_MONEY:
		money_format((int64_t)s->min, 0, low);
		money_format((int64_t)s->max, 0, high);
		snprintf(text_r, size, "%s to %s", low, high);
		return;
	case SETTING_WORD:
		break;
	}
	text_r[0] = '\0';
	for (size_t i = 0; s->words[i] != NULL && len < size; i++)
		len += (size_t)snprintf(text_r + len, size - len, "%s%s",
		    i == 0 ? "" : s->words[i + 1] != NULL ? ", " : " or ",
		    s->words[i]);
}
