/* package: what customers can buy. */
#include "admin/admin.h"

#include <stdio.h>
#include <string.h>

#include "admin/args.h"
#include "admin/check.h"
#include "admin/report.h"
#include "base/currency.h"
#include "base/money.h"
#include "conf/settings.h"
#include "db/queries.h"

#define DAYS_MAX 36500

static const struct opt add_options[] = {
	{ "amount", "AMOUNT", "credit that counts as paid", false },
	{ "bonus", "AMOUNT", "promotional credit on top; default: none",
	  false },
	{ "price", "PRICE", "what the customer pays for it", false },
	{ "currency", "CODE", "that the price is in, like EUR; default: the "
	  "operator's", false },
	{ "days", "DAYS", "what is left expires after so many; default: "
	  "never", false },
	{ NULL, NULL, NULL, false }
};

static const struct opt set_options[] = {
	{ "amount", "AMOUNT", "credit that counts as paid", false },
	{ "bonus", "AMOUNT", "promotional credit on top", false },
	{ "price", "PRICE", "what the customer pays for it", false },
	{ "currency", "CODE", "that the price is in; with --price", false },
	{ "days", "DAYS", "what is left expires after so many; 0: never",
	  false },
	{ "active", "YES", "yes: it is sold; no: not any more", false },
	{ NULL, NULL, NULL, false }
};

struct package_job {
	struct package_row row;
	char currency[4];
	int found;
	int64_t id;
};

static enum admin_exit
take_amount(const struct args *args, const char *option, int64_t *nano)
{
	enum money_result money;
	const char *text;

	text = args_get(args, option);
	if (text == NULL)
		return ADMIN_OK;
	money = money_parse(text, nano);
	if (money == MONEY_OK && *nano >= 0)
		return ADMIN_OK;
	complain("--%s %s: %s", option, text, money != MONEY_OK ?
	    money_explain(money) : "it can't be below zero");
	return ADMIN_USAGE;
}

static enum admin_exit
take_price(const struct args *args, struct package_job *job)
{
	const char *text;

	text = args_get(args, "currency");
	if (text != NULL && !args_has(args, "price")) {
		complain("--currency %s: it needs --price", text);
		return ADMIN_USAGE;
	}
	if (text != NULL && !currency_is_code(text)) {
		complain("--currency %s: allowed is an ISO 4217 code such as "
		    "EUR", text);
		return ADMIN_USAGE;
	}
	if (text != NULL)
		snprintf(job->currency, sizeof job->currency, "%s", text);
	text = args_get(args, "price");
	if (text == NULL)
		return ADMIN_OK;
	if (!currency_is_code(job->currency)) {
		complain("--currency CODE is missing: the operator's currency "
		    "is no ISO 4217 code");
		return ADMIN_USAGE;
	}
	if (currency_parse(text, job->currency, &job->row.price_minor))
		return ADMIN_OK;
	complain("--price %s: allowed is an amount of %s with up to %d "
	    "decimals", text, job->currency, currency_places(job->currency));
	return ADMIN_USAGE;
}

static enum admin_exit
take_rest(const struct args *args, bool zero, struct package_row *row)
{
	const char *text;

	text = args_get(args, "days");
	if (text != NULL && zero && strcmp(text, "0") == 0)
		row->validity_days = 0;
	else if (text != NULL && (!check_number(text, &row->validity_days) ||
	    row->validity_days > DAYS_MAX)) {
		complain("--days %s: allowed are %d to 36500", text,
		    zero ? 0 : 1);
		return ADMIN_USAGE;
	}
	text = args_get(args, "active");
	if (text != NULL && strcmp(text, "yes") != 0 &&
	    strcmp(text, "no") != 0) {
		complain("--active %s: allowed are yes, no", text);
		return ADMIN_USAGE;
	}
	if (text != NULL)
		row->active = strcmp(text, "yes") == 0;
	return ADMIN_OK;
}

static enum admin_exit
take_options(const struct args *args, bool zero, struct package_job *job)
{
	enum admin_exit status;

	status = take_amount(args, "amount", &job->row.amount_nano);
	if (status == ADMIN_OK)
		status = take_amount(args, "bonus", &job->row.bonus_nano);
	if (status == ADMIN_OK)
		status = take_price(args, job);
	if (status == ADMIN_OK)
		status = take_rest(args, zero, &job->row);
	if (status != ADMIN_OK)
		return status;
	if (job->row.amount_nano + job->row.bonus_nano == 0) {
		complain("a package gives something: --amount or --bonus");
		return ADMIN_USAGE;
	}
	if (job->row.amount_nano == 0 && job->row.price_minor != 0) {
		complain("what is paid for is not a bonus: --amount");
		return ADMIN_USAGE;
	}
	job->row.currency = job->currency;
	return ADMIN_OK;
}

static enum db_result
add_body(struct db *db, void *arg)
{
	struct package_job *job = arg;

	return q_package_add(db, &job->row, &job->id);
}

static enum db_result
set_body(struct db *db, void *arg)
{
	struct package_job *job = arg;

	return q_package_set(db, &job->row);
}

static void
print_package(const struct admin *admin, const struct package_job *job)
{
	char amount[MONEY_TEXT_BYTES], bonus[MONEY_TEXT_BYTES];
	char price[CURRENCY_TEXT_BYTES];
	struct record *record;

	currency_format(job->row.price_minor, job->currency, price);
	if (admin->json) {
		record = record_open();
		record_number(record, "id", NULL, job->id);
		record_text(record, "name", NULL, job->row.name);
		record_money(record, "amount", NULL, job->row.amount_nano);
		record_money(record, "bonus", NULL, job->row.bonus_nano);
		record_text(record, "price", NULL, price);
		record_text(record, "currency", NULL, job->currency);
		if (job->row.validity_days != 0)
			record_number(record, "days", NULL,
			    job->row.validity_days);
		else
			record_none(record, "days", NULL);
		record_flag(record, "active", NULL, job->row.active);
		record_print(&record, admin);
		return;
	}
	money_format(job->row.amount_nano, 2, amount);
	money_format(job->row.bonus_nano, 2, bonus);
	say(admin, "package %s: %s and a bonus of %s %s for %s %s%s",
	    job->row.name, amount, bonus, admin->settings->currency, price,
	    job->currency, job->row.active ? "" : "; not sold any more");
}

static enum admin_exit
run_add(struct admin *admin, const struct args *args)
{
	struct package_job job;
	enum admin_exit status;
	enum db_result result;
	const char *why;

	memset(&job, 0, sizeof job);
	job.row.name = args->word[0];
	job.row.active = true;
	why = check_name(job.row.name);
	if (why != NULL) {
		complain("\"%s\": %s", job.row.name, why);
		return ADMIN_USAGE;
	}
	if (!args_has(args, "price")) {
		complain("--price PRICE is missing");
		hint("0 is a price");
		return ADMIN_USAGE;
	}
	status = admin_settings(admin);
	if (status != ADMIN_OK)
		return status;
	if (currency_is_code(admin->settings->currency))
		memcpy(job.currency, admin->settings->currency, 4);
	status = take_options(args, false, &job);
	if (status == ADMIN_OK)
		status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	result = admin_change(admin, add_body, &job);
	if (result == DB_CONFLICT) {
		complain("there is a package \"%s\" already", job.row.name);
		return ADMIN_REFUSED;
	}
	if (result != DB_OK)
		return admin_database_failed(admin, result,
		    "add the package");
	print_package(admin, &job);
	return ADMIN_OK;
}

static bool
keep(const struct package_row *row, void *arg)
{
	struct package_job *job = arg;
	const char *name;

	name = job->row.name;
	job->row = *row;
	job->row.name = name;
	job->id = row->id;
	snprintf(job->currency, sizeof job->currency, "%s", row->currency);
	job->found++;
	return true;
}

static enum admin_exit
run_set(struct admin *admin, const struct args *args)
{
	struct package_job job;
	enum admin_exit status;

	memset(&job, 0, sizeof job);
	job.row.name = args->word[0];
	status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_database_failed(admin, q_package_each(admin->db,
		    job.row.name, keep, &job), "read the package");
	if (status == ADMIN_OK && job.found == 0) {
		complain("there is no package \"%s\"", job.row.name);
		hint("\"youyunctl package list\" shows them all");
		status = ADMIN_NOT_FOUND;
	}
	if (status == ADMIN_OK)
		status = take_options(args, true, &job);
	if (status == ADMIN_OK)
		status = admin_database_failed(admin, admin_change(admin,
		    set_body, &job), "change the package");
	if (status == ADMIN_OK)
		print_package(admin, &job);
	return status;
}

static const struct report_column columns[] = {
	{ "id", NULL, REPORT_NUMBER, false },
	{ "name", "PACKAGE", REPORT_TEXT, false },
	{ "amount", "CREDIT", REPORT_MONEY, false },
	{ "bonus", "BONUS", REPORT_MONEY, false },
	{ "price", "PRICE", REPORT_TEXT, false },
	{ "currency", "CURRENCY", REPORT_TEXT, false },
	{ "days", "DAYS", REPORT_NUMBER, false },
	{ "active", "SOLD", REPORT_FLAG, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

static bool
list_row(const struct package_row *row, void *arg)
{
	char price[CURRENCY_TEXT_BYTES];
	struct report *report = arg;

	currency_format(row->price_minor, row->currency, price);
	report_number(report, row->id);
	report_text(report, row->name);
	report_money(report, row->amount_nano);
	report_money(report, row->bonus_nano);
	report_text(report, price);
	report_text(report, row->currency);
	if (row->validity_days != 0)
		report_number(report, row->validity_days);
	else
		report_none(report);
	report_flag(report, row->active);
	return true;
}

static enum admin_exit
run_list(struct admin *admin, const struct args *args)
{
	struct report *report;
	enum admin_exit status;

	(void)args;
	status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	report = report_list("packages", columns);
	status = admin_database_failed(admin, q_package_each(admin->db, NULL,
	    list_row, report), "list the packages");
	if (status == ADMIN_OK)
		report_print(&report, admin, "There is no package.");
	else
		report_discard(&report);
	return status;
}

const struct verb verbs_package[] = {
	{ "package", "add", "NAME", 1, 1,
	  "add a package of credit that customers can buy",
	  "package add starter --amount 20 --bonus 2 --price 19.99 "
	  "--currency EUR --days 365", add_options, run_add },
	{ "package", "list", "", 0, 0,
	  "list the packages",
	  "package list", NULL, run_list },
	{ "package", "set", "NAME", 1, 1,
	  "change a package, or stop selling it",
	  "package set starter --active no", set_options, run_set },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
