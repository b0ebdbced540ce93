/*
 * args.h: a command's words and options, in any order.
 * Layer: admin.
 * Written by: args_parse() alone; everything points into argv.
 */
#ifndef ADMIN_ARGS_H
#define ADMIN_ARGS_H

#include <stdbool.h>

#define ARGS_MAX 256

struct opt {
	const char *name;	/* without "--"; NULL ends a table */
	const char *value;	/* what it takes ("FILE"); NULL: a flag */
	const char *help;
	bool repeats;
};

struct args_option {
	const struct opt *opt;
	const char *value;
};

struct args {
	int words;
	const char *word[ARGS_MAX];
	int options;
	struct args_option option[ARGS_MAX];
};

enum args_result {
	ARGS_OK,
	ARGS_BAD	/* error_r says why */
};

#define ARGS_ERROR_BYTES 256

/*
 * Sorts argv (without the program's name) by two tables, either may be NULL.
 * "--name value", "--name=value", "-c value"; "--" ends the options; "-5" and
 * "-" are words.  With words_max the parse stops before word number
 * words_max and *rest_r is where (for options before the command); with -1 it
 * takes all.
 */
enum args_result args_parse(int argc, char *const *argv,
	    const struct opt *own, const struct opt *common, int words_max,
	    struct args *args_r, int *rest_r, char error_r[ARGS_ERROR_BYTES])
	    __attribute__((warn_unused_result));

/* The value given last, NULL when absent; a flag's value is "". */
const char *args_get(const struct args *args, const char *name);
bool	args_has(const struct args *args, const char *name);
/* The n-th value of an option that repeats; NULL after the last. */
const char *args_nth(const struct args *args, const char *name, int n);

#endif
