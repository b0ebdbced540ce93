/* request: what customers, and the people whose data these are, ask for. */
#include "admin/admin.h"

#include <stdio.h>
#include <string.h>

#include "admin/args.h"
#include "admin/check.h"
#include "admin/options.h"
#include "admin/page.h"
#include "admin/rows.h"
#include "db/queries_agreement.h"

#define WORDS_MOST 4000

static const struct opt add_options[] = {
	{ "kind", "KIND", "access, correction, erasure, portability or "
	  "withdrawal", false },
	{ "customer", "CUSTOMER", "whose data they are", false },
	{ "subject", "TEXT", "who asks, if it isn't the customer", false },
	{ "text", "TEXT", "what is asked for", false },
	{ "proof", "TEXT", "how it was made sure who asks", false },
	{ "received", "TIME", "when it came; default: now", false },
	{ "due", "TIME", "until when to answer; default: 30 days later",
	  false },
	{ NULL, NULL, NULL, false }
};

static const struct opt list_options[] = {
	{ "answered", NULL, "also those that were answered", false },
	PAGE_OPTIONS,
	{ "customer", "CUSTOMER", "of this customer", false },
	{ NULL, NULL, NULL, false }
};

static const struct opt answer_options[] = {
	{ "text", "TEXT", "the answer", false },
	{ "refused", NULL, "it is refused; the text says why", false },
	{ "proof", "TEXT", "how it was made sure who asks", false },
	{ NULL, NULL, NULL, false }
};

static const struct report_column columns[] = {
	{ "id", "ID", REPORT_NUMBER, false },
	{ "customer_id", NULL, REPORT_NUMBER, false },
	{ "customer", "CUSTOMER", REPORT_TEXT, false },
	{ "kind", "KIND", REPORT_ID, false },
	{ "received", "RECEIVED", REPORT_TIME, false },
	{ "due", "DUE", REPORT_TIME, false },
	{ "state", "STATE", REPORT_ID, false },
	{ "subject", "SUBJECT", REPORT_TEXT, true },
	{ "text", NULL, REPORT_TEXT, false },
	{ "proof", "PROOF", REPORT_TEXT, true },
	{ "by", NULL, REPORT_TEXT, false },
	{ "answered", NULL, REPORT_TIME, false },
	{ "answer", NULL, REPORT_TEXT, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

struct job {
	struct data_request request;
	int64_t id;
	const char *text, *proof;
	bool refused;
};

static bool
take_due(const struct args *args, int64_t *us_r)
{
	const char *text = args_get(args, "due");

	if (text == NULL || check_time_ahead(text, us_r))
		return true;
	complain("--due %s: allowed are 2026-11-23, 2026-11-23T17:00:00Z, or "
	    "30d", text);
	return false;
}

static enum db_result
add_body(struct db *db, void *arg)
{
	struct job *job = arg;

	return q_request_add(db, &job->request, &job->id);
}

static enum admin_exit
run_add(struct admin *admin, const struct args *args)
{
	struct job job = { 0 };
	struct data_request *q = &job.request;
	static const char *const kinds[] = { "access", "correction",
		"erasure", "portability", "withdrawal", NULL };
	enum admin_exit status;
	enum db_result result;

	if (option_word(args, "kind", kinds, &q->kind) != ADMIN_OK ||
	    option_text(args, "subject", &q->subject) != ADMIN_OK ||
	    option_lines(args, "text", WORDS_MOST, &q->text) != ADMIN_OK ||
	    option_text(args, "proof", &q->proof) != ADMIN_OK ||
	    option_time(args, "received", &q->received_us) != ADMIN_OK ||
	    !take_due(args, &q->due_us))
		return ADMIN_USAGE;
	if (q->kind == NULL)
		return option_missing("kind");
	if (!args_has(args, "customer") && q->subject == NULL) {
		complain("--customer or --subject is missing: who asks?");
		return ADMIN_USAGE;
	}
	status = option_customer(admin, args, &q->customer_id);
	if (status != ADMIN_OK)
		return status;
	result = admin_change(admin, add_body, &job);
	if (result != DB_OK)
		return admin_database_failed(admin, result,
		    "register the request");
	done_print(admin, "id", job.id, "registered request %lld",
	    (long long)job.id);
	return ADMIN_OK;
}

struct list_filter {
	bool all;
	int64_t customer_id;
};

static enum admin_exit
read_page(struct admin *admin, struct page *page, void *arg)
{
	const struct list_filter *f = arg;
	struct db_rows *rows = NULL;
	int64_t after;
	enum admin_exit status = page_number(page, &after);

	return status != ADMIN_OK ? status : rows_page(admin, page,
	    q_request_list(admin->db, f->all, f->customer_id, after,
	    PAGE_ASKED(page), &rows), &rows, columns, "list the requests");
}

static enum admin_exit
run_list(struct admin *admin, const struct args *args)
{
	static const struct page_list list = { .name = "requests",
		.columns = columns, .empty = "No request is open." };
	struct list_filter f = { .all = args_has(args, "answered") };
	struct page page;
	enum admin_exit status = page_take(args, &page);

	if (status == ADMIN_OK)
		status = option_customer(admin, args, &f.customer_id);
	return status != ADMIN_OK ? status :
	    page_print(admin, &page, &list, read_page, &f);
}

static enum db_result
answer_body(struct db *db, void *arg)
{
	const struct job *job = arg;

	return q_request_answer(db, job->id, job->text, job->refused,
	    job->proof);
}

static enum admin_exit
run_answer(struct admin *admin, const struct args *args)
{
	struct job job = { .refused = args_has(args, "refused") };
	enum admin_exit status;
	enum db_result result;

	if (!check_number(args->word[0], &job.id)) {
		complain("\"%s\": a request's number is wanted",
		    args->word[0]);
		return ADMIN_USAGE;
	}
	if (option_lines(args, "text", WORDS_MOST, &job.text) != ADMIN_OK ||
	    option_text(args, "proof", &job.proof) != ADMIN_OK)
		return ADMIN_USAGE;
	if (job.text == NULL)
		return option_missing("text");
	status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	result = admin_change(admin, answer_body, &job);
	if (result == DB_NONE) {
		complain("there is no request %lld", (long long)job.id);
		return ADMIN_NOT_FOUND;
	}
	if (result == DB_ERROR &&
	    strcmp(db_sqlstate(admin->db), "YY032") == 0) {
		complain("request %lld was answered already",
		    (long long)job.id);
		return ADMIN_REFUSED;
	}
	if (result != DB_OK)
		return admin_database_failed(admin, result,
		    "answer the request");
	done_print(admin, "id", job.id, "answered request %lld",
	    (long long)job.id);
	return ADMIN_OK;
}

const struct verb verbs_request[] = {
	{ "request", "add", "", 0, 0,
	  "register what somebody asks for about data",
	  "request add --kind access --customer acme --proof \"called back\"",
	  add_options, run_add },
	{ "request", "list", "", 0, 0,
	  "list the open requests, what is due first",
	  "request list --answered --customer acme", list_options, run_list },
	{ "request", "answer", "ID", 1, 1,
	  "answer one; the customer is told",
	  "request answer 7 --text \"see the export\"", answer_options,
	  run_answer },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
