#include "admin/args.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "admin/suggest.h"

static const struct opt *
find(const struct opt *table, const char *name, size_t len)
{
	const struct opt *o;

	for (o = table; o != NULL && o->name != NULL; o++)
		if (strncmp(o->name, name, len) == 0 && o->name[len] == '\0')
			return o;
	return NULL;
}

static void
unknown_option(const struct opt *own, const struct opt *common,
    const char *name, size_t len, char *error_r)
{
	char typed[64];
	struct suggest s;
	const struct opt *o;

	snprintf(typed, sizeof typed, "%.*s", (int)len, name);
	suggest_start(&s, typed);
	for (o = own; o != NULL && o->name != NULL; o++)
		suggest_try(&s, o->name);
	for (o = common; o != NULL && o->name != NULL; o++)
		suggest_try(&s, o->name);
	if (suggest_best(&s) != NULL)
		snprintf(error_r, ARGS_ERROR_BYTES,
		    "no option --%s; did you mean --%s?", typed,
		    suggest_best(&s));
	else
		snprintf(error_r, ARGS_ERROR_BYTES, "no option --%s", typed);
}

/* "-" and "-5" are words; "-c" and "-y" are the only short options. */
static bool
is_option(const char *text)
{
	return text[0] == '-' && text[1] != '\0' &&
	    !isdigit((unsigned char)text[1]) && text[1] != '.';
}

static enum args_result
add_option(struct args *args, const struct opt *opt, const char *value,
    char *error_r)
{
	if (!opt->repeats && args_has(args, opt->name)) {
		snprintf(error_r, ARGS_ERROR_BYTES, "--%s is given twice",
		    opt->name);
		return ARGS_BAD;
	}
	if (args->options == ARGS_MAX) {
		snprintf(error_r, ARGS_ERROR_BYTES,
		    "more than %d options", ARGS_MAX);
		return ARGS_BAD;
	}
	args->option[args->options].opt = opt;
	args->option[args->options].value = value;
	args->options++;
	return ARGS_OK;
}

/* One option at argv[*i]; *i is left on its last word. */
static enum args_result
take_option(int argc, char *const *argv, int *i, const struct opt *own,
    const struct opt *common, struct args *args, char *error_r)
{
	const struct opt *opt;
	const char *name, *value, *equals;
	size_t len;

	name = argv[*i];
	if (strcmp(name, "-c") == 0)
		name = "--config";
	else if (strcmp(name, "-y") == 0)
		name = "--yes";
	else if (strcmp(name, "-h") == 0)
		name = "--help";
	if (name[1] != '-') {
		snprintf(error_r, ARGS_ERROR_BYTES, "no option %s", name);
		return ARGS_BAD;
	}
	name += 2;
	equals = strchr(name, '=');
	len = equals != NULL ? (size_t)(equals - name) : strlen(name);
	opt = find(own, name, len);
	if (opt == NULL)
		opt = find(common, name, len);
	if (opt == NULL) {
		unknown_option(own, common, name, len, error_r);
		return ARGS_BAD;
	}
	value = equals != NULL ? equals + 1 : NULL;
	if (opt->value == NULL && value != NULL) {
		snprintf(error_r, ARGS_ERROR_BYTES, "--%s takes no value",
		    opt->name);
		return ARGS_BAD;
	}
	if (opt->value != NULL && value == NULL) {
		if (*i + 1 >= argc) {
			snprintf(error_r, ARGS_ERROR_BYTES,
			    "--%s needs %s after it", opt->name, opt->value);
			return ARGS_BAD;
		}
		value = argv[++*i];
	}
	return add_option(args, opt, value != NULL ? value : "", error_r);
}

enum args_result
args_parse(int argc, char *const *argv, const struct opt *own,
    const struct opt *common, int words_max, struct args *args_r,
    int *rest_r, char error_r[ARGS_ERROR_BYTES])
{
	bool ended;
	int i;

	memset(args_r, 0, sizeof *args_r);
	ended = false;
	for (i = 0; i < argc; i++) {
		if (!ended && strcmp(argv[i], "--") == 0) {
			ended = true;
			continue;
		}
		if (!ended && is_option(argv[i])) {
			if (take_option(argc, argv, &i, own, common, args_r,
			    error_r) != ARGS_OK)
				return ARGS_BAD;
			continue;
		}
		if (args_r->words == words_max)
			break;
		if (args_r->words == ARGS_MAX) {
			snprintf(error_r, ARGS_ERROR_BYTES,
			    "more than %d words", ARGS_MAX);
			return ARGS_BAD;
		}
		args_r->word[args_r->words++] = argv[i];
	}
	if (rest_r != NULL)
		*rest_r = i;
	return ARGS_OK;
}

const char *
args_get(const struct args *args, const char *name)
{
	int i;

	for (i = args->options; i-- > 0;)
		if (strcmp(args->option[i].opt->name, name) == 0)
			return args->option[i].value;
	return NULL;
}

bool
args_has(const struct args *args, const char *name)
{
	return args_get(args, name) != NULL;
}

const char *
args_nth(const struct args *args, const char *name, int n)
{
	int i;

	for (i = 0; i < args->options; i++)
		if (strcmp(args->option[i].opt->name, name) == 0 && n-- == 0)
			return args->option[i].value;
	return NULL;
}
