/* Customers' logins, for support: another password, codes that were lost. */
#include "admin/admin.h"

#include <string.h>

#include "admin/args.h"
#include "admin/report.h"
#include "base/bytes.h"
#include "base/mail_address.h"
#include "base/mail_code.h"
#include "base/topup_code.h"
#include "conf/settings.h"
#include "db/queries.h"
#include "db/queries_login.h"

static const struct opt reset_options[] = {
	{ "login", "ADDRESS", "give the customer this login, an e-mail address",
	  false },
	{ "print", NULL, "print the code here instead of mailing it", false },
	{ NULL, NULL, NULL, false }
};

struct reset_job {
	int64_t customer;
	const char *name;
	bool print;
	char code[TOPUP_CODE_TEXT_BYTES];
	uint8_t digest[MAIL_CODE_DIGEST_BYTES];
	char done[LOGIN_NAME_BYTES];
};

static enum db_result
reset_body(struct db *db, void *arg)
{
	struct reset_job *job = arg;

	return q_login_reset(db, job->customer, job->name,
	    job->print ? job->digest : NULL, job->done);
}

static enum admin_exit
login_failed(struct admin *admin, enum db_result result, const char *doing)
{
	const char *state = db_sqlstate(admin->db);

	if (result == DB_ERROR && strcmp(state, "YY022") == 0) {
		complain("the customer has no login");
		hint("\"youyunctl customer password-reset --login ADDRESS\" "
		    "makes it");
		return ADMIN_NOT_FOUND;
	}
	if (result == DB_ERROR && strcmp(state, "YY023") == 0) {
		complain("that login is another customer's");
		return ADMIN_REFUSED;
	}
	if (result == DB_ERROR && strcmp(state, "42501") == 0) {
		complain("only an owner names a login or sees its code");
		return ADMIN_REFUSED;
	}
	return admin_database_failed(admin, result, doing);
}

static enum admin_exit
take_reset(struct admin *admin, const struct args *args,
    struct reset_job *job)
{
	enum admin_exit status;

	job->name = args_get(args, "login");
	job->print = args_has(args, "print");
	if (job->name != NULL && (!mail_address_ok(job->name) ||
	    strlen(job->name) > 128)) {
		complain("--login %s: allowed is an e-mail address of at most "
		    "128 characters", job->name);
		return ADMIN_USAGE;
	}
	status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_customer(admin, args->word[0], &job->customer);
	if (status != ADMIN_OK)
		return status;
	if (!job->print && admin->settings->mail_command[0] == '\0') {
		complain("there is no mail: the setting mail_command is empty");
		hint("--print shows the code here");
		return ADMIN_REFUSED;
	}
	if (job->print) {
		topup_code_make(job->code);
		mail_code_digest(job->code, job->digest);
	}
	return ADMIN_OK;
}

static void
print_reset(struct admin *admin, const struct reset_job *job)
{
	struct record *record;

	if (admin->json) {
		record = record_open();
		record_number(record, "customer_id", NULL, job->customer);
		record_text(record, "login", NULL, job->done);
		if (job->print)
			record_text(record, "code", NULL, job->code);
		record_print(&record, admin);
	} else if (job->print)
		say(admin, "%s\nThe code sets a password for %s within 24 "
		    "hours.  It won't be shown again.", job->code, job->done);
	else
		say(admin, "a code that sets another password goes to %s; "
		    "the former one is void, the sessions are over",
		    job->done);
}

static enum admin_exit
run_reset(struct admin *admin, const struct args *args)
{
	struct reset_job job;
	enum admin_exit status;
	enum db_result result;

	memset(&job, 0, sizeof job);
	status = take_reset(admin, args, &job);
	if (status == ADMIN_OK) {
		result = admin_change(admin, reset_body, &job);
		if (result == DB_OK)
			print_reset(admin, &job);
		else
			status = login_failed(admin, result,
			    "reset the password");
	}
	bytes_scrub(&job, sizeof job);
	return status;
}

struct totp_job {
	int64_t customer;
	bool removed;
};

static enum db_result
totp_body(struct db *db, void *arg)
{
	struct totp_job *job = arg;

	return q_login_totp_remove(db, job->customer, &job->removed);
}

static enum admin_exit
run_totp_remove(struct admin *admin, const struct args *args)
{
	struct record *record;
	struct totp_job job;
	enum admin_exit status;
	enum db_result result;

	status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_customer(admin, args->word[0], &job.customer);
	if (status != ADMIN_OK)
		return status;
	result = admin_change(admin, totp_body, &job);
	if (result != DB_OK)
		return login_failed(admin, result, "remove the codes");
	if (admin->json) {
		record = record_open();
		record_number(record, "customer_id", NULL, job.customer);
		record_flag(record, "removed", NULL, job.removed);
		record_print(&record, admin);
	} else
		say(admin, job.removed ? "customer %s logs in by password "
		    "alone now; the sessions are over" :
		    "customer %s had no one-time codes", args->word[0]);
	return ADMIN_OK;
}

static bool
show_row(const struct login_row *row, void *arg)
{
	struct record *record = arg;

	record_text(record, "login", "Login", row->name);
	record_time(record, "password_changed", "Password",
	    row->password_changed_us);
	record_time(record, "totp_since", "One-time codes",
	    row->totp_since_us);
	record_number(record, "sessions", "Sessions", row->sessions);
	return true;
}

static enum admin_exit
run_login(struct admin *admin, const struct args *args)
{
	struct record *record;
	enum admin_exit status;
	int64_t id;

	status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_customer(admin, args->word[0], &id);
	if (status != ADMIN_OK)
		return status;
	record = record_open();
	record_number(record, "customer_id", "Number", id);
	status = admin_database_failed(admin, q_login_each(admin->db, id,
	    show_row, record), "show the login");
	if (status == ADMIN_OK)
		record_print(&record, admin);
	else
		record_discard(&record);
	return status;
}

const struct verb verbs_login[] = {
	{ "customer", "login", "CUSTOMER", 1, 1,
	  "show how a customer logs in, and how many sessions are open",
	  "customer login acme", NULL, run_login },
	{ "customer", "password-reset", "CUSTOMER", 1, 1,
	  "void a customer's password and have another set by a code",
	  "customer password-reset acme --reason \"ticket 12\"",
	  reset_options, run_reset },
	{ "customer", "totp-remove", "CUSTOMER", 1, 1,
	  "ask a customer for no one-time codes any more",
	  "customer totp-remove acme --reason \"lost phone, ticket 12\"", NULL,
	  run_totp_remove },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
