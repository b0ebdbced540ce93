#include "admin/options.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "admin/args.h"
#include "admin/check.h"
#include "base/money.h"

enum admin_exit
option_number(const struct args *args, const char *name, int64_t most,
    int64_t *number_r)
{
	const char *text = args_get(args, name);
	int64_t n;

	if (text == NULL)
		return ADMIN_OK;
	if (check_number(text, &n) && n <= most) {
		*number_r = n;
		return ADMIN_OK;
	}
	if (most == INT64_MAX)
		complain("--%s %s: allowed is a number above zero", name,
		    text);
	else
		complain("--%s %s: allowed are 1 to %lld", name, text,
		    (long long)most);
	return ADMIN_USAGE;
}

enum admin_exit
option_time(const struct args *args, const char *name, int64_t *us_r)
{
	const char *text = args_get(args, name);

	if (text == NULL || check_time(text, us_r))
		return ADMIN_OK;
	complain("--%s %s: allowed are " CHECK_TIME_ALLOWED, name, text);
	return ADMIN_USAGE;
}

enum admin_exit
option_text(const struct args *args, const char *name, const char **text_r)
{
	const char *text = args_get(args, name), *why;

	if (text == NULL)
		return ADMIN_OK;
	*text_r = text;
	why = check_text(text);
	if (why == NULL)
		return ADMIN_OK;
	complain("--%s: %s", name, why);
	return ADMIN_USAGE;
}

enum admin_exit
option_lines(const struct args *args, const char *name, size_t most,
    const char **text_r)
{
	const char *text = args_get(args, name), *why;

	if (text == NULL)
		return ADMIN_OK;
	*text_r = text;
	why = check_lines(text, most);
	if (why == NULL)
		return ADMIN_OK;
	complain("--%s: %s; allowed are 1 to %zu bytes of text", name, why,
	    most);
	return ADMIN_USAGE;
}

enum admin_exit
option_word(const struct args *args, const char *name,
    const char *const *words, const char **word_r)
{
	const char *text = args_get(args, name);
	char allowed[256];
	size_t used = 0;

	if (text == NULL)
		return ADMIN_OK;
	for (size_t i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], text) == 0) {
			*word_r = words[i];
			return ADMIN_OK;
		}
		used += (size_t)snprintf(allowed + used, sizeof allowed - used,
		    "%s%s", i == 0 ? "" : words[i + 1] != NULL ? ", " : " and ",
		    words[i]);
		assert(used < sizeof allowed);
	}
	complain("--%s %s: allowed are %s", name, text, allowed);
	return ADMIN_USAGE;
}

enum admin_exit
option_missing(const char *name)
{
	complain("--%s is missing", name);
	return ADMIN_USAGE;
}

enum admin_exit
option_customer(struct admin *admin, const struct args *args, int64_t *id_r)
{
	const char *text = args_get(args, "customer");
	enum admin_exit status = admin_database(admin);

	return status == ADMIN_OK && text != NULL ? admin_customer(admin, text,
	    id_r) : status;
}

enum admin_exit
option_cap(const struct args *args, const char *name, int64_t *nano_r)
{
	const char *text = args_get(args, name);
	enum money_result result;

	*nano_r = -1;
	if (text == NULL)
		return ADMIN_OK;
	result = money_parse(text, nano_r);
	if (result == MONEY_OK && *nano_r >= 0)
		return ADMIN_OK;
	complain("--%s %s: %s", name, text, result == MONEY_OK ?
	    "less than zero" : money_explain(result));
	return ADMIN_USAGE;
}
