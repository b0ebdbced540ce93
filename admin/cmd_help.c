/* help, made from the tables; with --json for the tests and completions. */
#include "admin/help.h"

#include <stddef.h>
#include <string.h>

#include <json-c/json.h>

#include "admin/admin.h"
#include "admin/args.h"
#include "admin/report.h"

#define SYNOPSIS_COLUMN 24

static const struct verb *
first_of(const char *noun)
{
	const struct verb *const *t;

	for (t = verb_tables; *t != NULL; t++)
		for (const struct verb *v = *t; v->noun != NULL; v++)
			if (strcmp(v->noun, noun) == 0)
				return v;
	return NULL;
}

void
help_usage(const struct verb *v, FILE *out)
{
	const struct opt *o;

	fprintf(out, "usage: youyunctl %s", v->noun);
	if (v->verb != NULL)
		fprintf(out, " %s", v->verb);
	if (v->arguments[0] != '\0')
		fprintf(out, " %s", v->arguments);
	for (o = v->options; o != NULL && o->name != NULL; o++) {
		fprintf(out, " [--%s", o->name);
		if (o->value != NULL)
			fprintf(out, " %s", o->value);
		fputs(o->repeats ? "]..." : "]", out);
	}
	fputc('\n', out);
}

static void
print_options(const struct opt *o, FILE *out)
{
	char left[64];

	for (; o != NULL && o->name != NULL; o++) {
		snprintf(left, sizeof left, "--%s%s%s", o->name,
		    o->value != NULL ? " " : "",
		    o->value != NULL ? o->value : "");
		fprintf(out, "    %-*s  %s%s\n", SYNOPSIS_COLUMN + 2, left,
		    o->help, o->repeats ? " (may be repeated)" : "");
	}
}

static void
print_verb(const struct verb *v, FILE *out)
{
	help_usage(v, out);
	fprintf(out, "    %s\n", v->summary);
	print_options(v->options, out);
	fprintf(out, "    example: youyunctl %s\n", v->example);
}

void
help_verb(const struct verb *v)
{
	print_verb(v, stdout);
	puts("Options of every command:");
	print_options(common_options, stdout);
}

void
help_noun(const char *noun, FILE *out)
{
	const struct verb *const *t;
	bool first;

	first = true;
	for (t = verb_tables; *t != NULL; t++)
		for (const struct verb *v = *t; v->noun != NULL; v++) {
			if (strcmp(v->noun, noun) != 0)
				continue;
			if (!first)
				fputc('\n', out);
			first = false;
			print_verb(v, out);
		}
}

void
help_all(void)
{
	const struct verb *const *t;
	char left[64];

	puts("usage: youyunctl [-c FILE] [--json] [--yes] [--actor NAME] "
	    "[--reason TEXT]\n"
	    "                 COMMAND [WORD...] [OPTION...]\n");
	for (t = verb_tables; *t != NULL; t++)
		for (const struct verb *v = *t; v->noun != NULL; v++) {
			snprintf(left, sizeof left, "%s%s%s", v->noun,
			    v->verb != NULL ? " " : "",
			    v->verb != NULL ? v->verb : "");
			printf("  %-*s  %s\n", SYNOPSIS_COLUMN - 6, left,
			    v->summary);
		}
	puts("\nA CUSTOMER, KEY, CHANNEL or GROUP is given by its name or its "
	    "number.\nOptions of every command:");
	print_options(common_options, stdout);
	puts("\n\"youyunctl help COMMAND\" explains one; see also "
	    "youyunctl(8).");
}

static struct json_object *
verb_json(const struct verb *v)
{
	struct json_object *object, *options, *option;
	const struct opt *o;

	object = json_object_new_object();
	json_object_object_add(object, "noun",
	    json_object_new_string(v->noun));
	json_object_object_add(object, "verb", v->verb != NULL ?
	    json_object_new_string(v->verb) : NULL);
	json_object_object_add(object, "arguments",
	    json_object_new_string(v->arguments));
	json_object_object_add(object, "summary",
	    json_object_new_string(v->summary));
	json_object_object_add(object, "example",
	    json_object_new_string(v->example));
	options = json_object_new_array();
	for (o = v->options; o != NULL && o->name != NULL; o++) {
		option = json_object_new_object();
		json_object_object_add(option, "name",
		    json_object_new_string(o->name));
		json_object_object_add(option, "value", o->value != NULL ?
		    json_object_new_string(o->value) : NULL);
		json_object_object_add(option, "help",
		    json_object_new_string(o->help));
		json_object_array_add(options, option);
	}
	json_object_object_add(object, "options", options);
	return object;
}

/* "price set"; NULL: one word, or no such command of that noun. */
static const struct verb *
the_verb(const struct args *args)
{
	if (args->words < 2)
		return NULL;
	for (const struct verb *const *t = verb_tables; *t != NULL; t++)
		for (const struct verb *v = *t; v->noun != NULL; v++)
			if (v->verb != NULL &&
			    strcmp(v->noun, args->word[0]) == 0 &&
			    strcmp(v->verb, args->word[1]) == 0)
				return v;
	return NULL;
}

static enum admin_exit
run_help(struct admin *admin, const struct args *args)
{
	struct json_object *object, *array;
	const struct verb *const *t;
	const struct verb *one;

	if (args->words >= 1 && first_of(args->word[0]) == NULL) {
		complain("there is no command \"%s\"", args->word[0]);
		hint("\"youyunctl help\" lists the commands");
		return ADMIN_USAGE;
	}
	if (!admin->json) {
		if (args->words == 0)
			help_all();
		else if ((one = the_verb(args)) != NULL)
			help_verb(one);
		else
			help_noun(args->word[0], stdout);
		return ADMIN_OK;
	}
	array = json_object_new_array();
	for (t = verb_tables; *t != NULL; t++)
		for (const struct verb *v = *t; v->noun != NULL; v++)
			if (args->words == 0 ||
			    strcmp(v->noun, args->word[0]) == 0)
				json_object_array_add(array, verb_json(v));
	object = json_object_new_object();
	json_object_object_add(object, "commands", array);
	json_print(object);
	return ADMIN_OK;
}

const struct verb verbs_help[] = {
	{ "help", NULL, "[COMMAND]", 0, 2,
	  "explain the commands, or one of them",
	  "help price", NULL, run_help },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
