#include "admin/options.h"

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
