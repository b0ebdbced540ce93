/*
 * table.h: the one table of settings, for the parser and the tests.
 * Layer: conf.
 * Written by: nobody.
 */
#ifndef CONF_TABLE_H
#define CONF_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct settings;

enum setting_type {
	SETTING_TEXT,		/* char[size] */
	SETTING_NAME,		/* char[size]: letters, digits, "-_." */
	SETTING_PATH,		/* char[size]: absolute */
	SETTING_CREDENTIAL,	/* the same, or the name of a credential that
				 * systemd hands over, which becomes its path */
	SETTING_COUNT,		/* uint32_t */
	SETTING_BYTES,		/* uint64_t; 64k, 16M, 4G */
	SETTING_DURATION,	/* uint32_t of ms; 500ms, 30s, 5m, 1h */
	SETTING_MONEY,		/* int64_t of nano-units; 12.50 */
	SETTING_WORD,		/* uint32_t: place in words */
	SETTING_LISTEN,		/* struct listen_list */
	SETTING_LOG		/* log and log_file together */
};

enum setting_change {
	SETTING_LIVE,		/* a reload takes it over */
	SETTING_RESTART		/* a restart of youyund does */
};

/* min and max are numbers of the type (bytes, ms); lengths for texts. */
struct setting {
	const char *name;
	enum setting_type type;
	enum setting_change change;
	size_t offset;		/* in struct settings */
	size_t size;
	uint64_t min;
	uint64_t max;
	const char *initial;	/* as in the file; "<state_dir>" expands */
	const char *unit;	/* for people; "" for none */
	const char *text;	/* one line for people */
	const char *const *words; /* of SETTING_WORD; ends in NULL */
};

extern const struct setting settings_table[];
extern const size_t settings_count;

/* NULL when there is none of that name. */
const struct setting *setting_find(const char *name);
/* The name that was probably meant, or NULL. */
const char *setting_guess(const char *name);

/* What is allowed: "1 to 1024", "cancel or drain", …; cut to size. */
void	setting_allowed(const struct setting *s, char *text_r, size_t size);

/*
 * Sets the member from text as it stands in the file.  False: *why_r (static)
 * says what is wrong with it.
 */
bool	setting_set(const struct setting *s, const char *text,
	    struct settings *settings, const char **why_r)
	    __attribute__((warn_unused_result));

/* The member as the file would have it; cut to size. */
void	setting_format(const struct setting *s,
	    const struct settings *settings, char *text_r, size_t size);

#endif
