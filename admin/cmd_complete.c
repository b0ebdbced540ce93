/*
 * complete: what could stand where the cursor is, for shells.  Commands and
 * options come from the tables, names from the database if it is there.
 */
#include "admin/admin.h"

#include <stdio.h>
#include <string.h>

#include "admin/args.h"
#include "admin/help.h"
#include "db/queries.h"

#define NAMES_MAX 100

/* What is typed: the words before the cursor, and the one it is at. */
struct typed {
	const char *const *word;
	int words;			/* before the cursor */
	const char *prefix;
};

static const struct {
	const char *argument;		/* as the tables have it */
	enum complete_what what;
} kinds[] = {
	{ "CUSTOMER", COMPLETE_CUSTOMER },
	{ "GROUP", COMPLETE_GROUP },
	{ "CHANNEL", COMPLETE_CHANNEL },
	{ "MODEL", COMPLETE_MODEL },
	{ "PACKAGE", COMPLETE_PACKAGE },
	{ "NODE", COMPLETE_NODE }
};

static void
offer(const struct typed *typed, const char *word, size_t len)
{
	size_t n = strlen(typed->prefix);

	if (len >= n && strncmp(word, typed->prefix, n) == 0)
		printf("%.*s\n", (int)len, word);
}

static bool
offer_name(const char *name, void *arg)
{
	const struct typed *typed = arg;

	offer(typed, name, strlen(name));
	return true;
}

/* "[CUSTOMER]" and "CUSTOMER..." are a CUSTOMER, too. */
static bool
is_kind(const char *argument, size_t len, const char *kind)
{
	if (len > 0 && *argument == '[') {
		argument++;
		len--;
	}
	return len >= strlen(kind) &&
	    strncmp(argument, kind, strlen(kind)) == 0 &&
	    (len == strlen(kind) || strchr("].=:", argument[strlen(kind)]) !=
	    NULL);
}

static void
offer_argument(struct admin *admin, struct typed *typed, const char *argument,
    size_t len)
{
	if (is_kind(argument, len, "PROFILE"))
		for (int i = 0; i < STAFF_PROFILES; i++)
			(void)offer_name(staff_profile_name(
			    (enum staff_profile)i), typed);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (is_kind(argument, len, kinds[i].argument) &&
		    admin_settings(admin) == ADMIN_OK &&
		    admin_database_try(admin))
			(void)!q_complete(admin->db, kinds[i].what,
			    typed->prefix, NAMES_MAX, offer_name, typed);
}

static const struct opt *
find_option(const struct opt *o, const char *word)
{
	for (; o != NULL && o->name != NULL; o++)
		if (strcmp(o->name, word + 2) == 0)
			return o;
	return NULL;
}

static void
offer_options(const struct typed *typed, const struct opt *o)
{
	char word[64];

	for (; o != NULL && o->name != NULL; o++) {
		snprintf(word, sizeof word, "--%s", o->name);
		offer(typed, word, strlen(word));
	}
}

/* The words of the line that aren't options or their values; how many. */
static int
plain_words(const struct typed *typed, const struct verb *v,
    const char **plain_r, const struct opt **open_r)
{
	int n = 0;

	*open_r = NULL;
	for (int i = 0; i < typed->words; i++) {
		const char *word = typed->word[i];
		const struct opt *o;

		*open_r = NULL;
		if (strncmp(word, "--", 2) != 0) {
			if (strcmp(word, "-c") == 0)
				i++;
			else if (word[0] != '-')
				plain_r[n++] = word;
			continue;
		}
		o = find_option(common_options, word);
		if (o == NULL && v != NULL)
			o = find_option(v->options, word);
		if (o == NULL || o->value == NULL)
			continue;
		if (i + 1 == typed->words)
			*open_r = o;
		i++;
	}
	return n;
}

/* How many of the words are the command v itself; 0: they are none of it. */
static int
command_words(const struct verb *v, const char *const *plain, int n)
{
	const char *space;
	size_t len;

	if (n == 0 || strcmp(v->noun, plain[0]) != 0)
		return 0;
	if (v->verb == NULL)
		return 1;
	space = strchr(v->verb, ' ');
	len = space != NULL ? (size_t)(space - v->verb) : strlen(v->verb);
	if (n < 2 || strlen(plain[1]) != len ||
	    strncmp(plain[1], v->verb, len) != 0)
		return 0;
	if (space == NULL)
		return 2;
	return n >= 3 && strcmp(plain[2], space + 1) == 0 ? 3 : 0;
}

/* The command that most of the words name. */
static const struct verb *
find_command(const char *const *plain, int n, int *used_r)
{
	const struct verb *best = NULL;
	int used;

	*used_r = 0;
	for (const struct verb *const *t = verb_tables; *t != NULL; t++)
		for (const struct verb *v = *t; v->noun != NULL; v++) {
			used = command_words(v, plain, n);
			if (used > *used_r) {
				best = v;
				*used_r = used;
			}
		}
	return best;
}

/* Several tables have commands of one noun. */
static bool
is_first_of_noun(const struct verb *verb)
{
	for (const struct verb *const *t = verb_tables; *t != NULL; t++)
		for (const struct verb *v = *t; v->noun != NULL; v++)
			if (strcmp(v->noun, verb->noun) == 0)
				return v == verb;
	return true;
}

/* Nouns, or the verbs that go on from what stands there. */
static void
offer_commands(const struct typed *typed, const char *const *plain, int n)
{
	const char *last = "";

	for (const struct verb *const *t = verb_tables; *t != NULL; t++)
		for (const struct verb *v = *t; v->noun != NULL; v++) {
			const char *space = v->verb != NULL ?
			    strchr(v->verb, ' ') : NULL;
			size_t first = space != NULL ?
			    (size_t)(space - v->verb) : 0;

			if (n == 0 && is_first_of_noun(v))
				offer(typed, v->noun, strlen(v->noun));
			if (n == 0 || v->verb == NULL ||
			    strcmp(v->noun, plain[0]) != 0)
				continue;
			if (n == 1 && space == NULL)
				offer(typed, v->verb, strlen(v->verb));
			else if (n == 1 && (strncmp(v->verb, last, first) !=
			    0 || last[first] != ' '))
				offer(typed, last = v->verb, first);
			else if (n == 2 && space != NULL &&
			    strlen(plain[1]) == first &&
			    strncmp(plain[1], v->verb, first) == 0)
				offer(typed, space + 1, strlen(space + 1));
		}
}

/* The n-th word of the command's arguments; its last one may repeat. */
static void
offer_word(struct admin *admin, struct typed *typed, const struct verb *v,
    int n)
{
	const char *at = v->arguments;
	size_t len;

	for (;; n--) {
		at += strspn(at, " ");
		len = strcspn(at, " ");
		if (len == 0)
			return;
		if (n == 0 || (at[len] == '\0' && len > 3 &&
		    strncmp(at + len - 3, "...", 3) == 0))
			break;
		at += len;
	}
	offer_argument(admin, typed, at, len);
}

/* The line's own configuration, and as whom. */
static void
take_line(struct admin *admin, const struct typed *typed)
{
	for (int i = 0; i + 1 < typed->words; i++) {
		if (strcmp(typed->word[i], "-c") == 0 ||
		    strcmp(typed->word[i], "--config") == 0)
			admin->config_path = typed->word[i + 1];
		else if (strcmp(typed->word[i], "--profile") == 0)
			admin->profile_wanted = typed->word[i + 1];
	}
}

static enum admin_exit
run_complete(struct admin *admin, const struct args *args)
{
	const char *plain[ARGS_MAX];
	struct typed typed = { .word = args->word, .words = args->words - 1,
		.prefix = args->word[args->words - 1] };
	const struct opt *open;
	const struct verb *v;
	int n, used;

	take_line(admin, &typed);
	n = plain_words(&typed, NULL, plain, &open);
	v = find_command(plain, n, &used);
	n = plain_words(&typed, v, plain, &open);
	if (open != NULL) {
		offer_argument(admin, &typed, open->value,
		    strlen(open->value));
	} else if (typed.prefix[0] == '-') {
		if (v != NULL)
			offer_options(&typed, v->options);
		offer_options(&typed, common_options);
	} else {
		if (v == NULL || v->verb == NULL)
			offer_commands(&typed, plain, n);
		if (v != NULL && n >= used)
			offer_word(admin, &typed, v, n - used);
		if (n == 1 && strcmp(plain[0], "help") == 0)
			offer_commands(&typed, plain, 0);
	}
	return ADMIN_OK;
}

const struct verb verbs_complete[] = {
	{ "complete", NULL, "WORD...", 1, ARGS_MAX - 1,
	  "print what could come next, for a shell's completion",
	  "complete -- customer show ac", NULL, run_complete },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
