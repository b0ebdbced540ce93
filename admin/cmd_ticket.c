/* ticket: what customers ask, and what they are answered. */
#include "admin/ticket.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/check.h"
#include "admin/options.h"
#include "admin/page.h"
#include "admin/report.h"
#include "base/bytes.h"
#include "db/queries.h"
#include "db/queries_support.h"

#define TEXT_MAX 16384

static const char *const states[] = { "open", "answered", "closed" };

const char *
ticket_state_name(int64_t state)
{
	return state >= 0 && state < 3 ? states[state] : "unknown";
}

static bool
keep_ticket(const struct ticket_row *row, void *arg)
{
	struct ticket *t = arg;

	t->found++;
	t->id = row->id;
	t->customer_id = row->customer_id;
	snprintf(t->customer, sizeof t->customer, "%s", row->customer);
	snprintf(t->subject, sizeof t->subject, "%s", row->subject);
	t->state = row->state;
	t->created_us = row->created_us;
	t->changed_us = row->changed_us;
	t->call_started_us = row->call_started_us;
	t->has_call = row->request_id != NULL;
	if (t->has_call)
		memcpy(t->request_id, row->request_id, RECORD_ID_BYTES);
	return true;
}

enum admin_exit
ticket_find(struct admin *admin, const char *word, struct ticket *t)
{
	enum admin_exit status;
	int64_t id;

	memset(t, 0, sizeof *t);
	if (!check_number(word, &id)) {
		complain("\"%s\" is no number of a ticket", word);
		hint("\"youyunctl ticket list\" shows them");
		return ADMIN_USAGE;
	}
	status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_database_failed(admin, q_ticket_each(admin->db,
		    id, 0, -1, 0, 1, keep_ticket, t), "read the ticket");
	if (status != ADMIN_OK || t->found > 0)
		return status;
	complain("there is no ticket %s", word);
	hint("\"youyunctl ticket list --state all\" shows all of them");
	return ADMIN_NOT_FOUND;
}

static const struct opt list_options[] = {
	{ "state", "STATE", "open (waits for an answer; the default), "
	  "answered, closed or all", false },
	{ "customer", "CUSTOMER", "of this customer", false },
	PAGE_OPTIONS,
	{ NULL, NULL, NULL, false }
};

static const struct report_column columns[] = {
	{ "id", "TICKET", REPORT_NUMBER, false },
	{ "customer_id", NULL, REPORT_NUMBER, false },
	{ "customer", "CUSTOMER", REPORT_TEXT, false },
	{ "state", "STATE", REPORT_TEXT, false },
	{ "subject", "SUBJECT", REPORT_TEXT, false },
	{ "messages", "MESSAGES", REPORT_NUMBER, true },
	{ "changed", "CHANGED", REPORT_TIME, false },
	{ "created", NULL, REPORT_TIME, false },
	{ "request_id", NULL, REPORT_ID, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

static bool
list_row(const struct ticket_row *row, void *arg)
{
	char id[RECORD_ID_TEXT_BYTES];
	struct report *report = page_row(arg, "%" PRId64, row->id);

	if (report == NULL)
		return false;
	report_number(report, row->id);
	report_number(report, row->customer_id);
	report_text(report, row->customer);
	report_text(report, ticket_state_name(row->state));
	report_text(report, row->subject);
	report_number(report, row->messages);
	report_time(report, row->changed_us);
	report_time(report, row->created_us);
	if (row->request_id != NULL) {
		record_id_format(row->request_id, id);
		report_id(report, id);
	} else
		report_none(report);
	return true;
}

struct list_filter {
	int64_t customer_id, state;
};

static enum admin_exit
take_filter(struct admin *admin, const struct args *args,
    struct list_filter *f)
{
	const char *text = args_get(args, "state");

	*f = (struct list_filter){ .state = 0 };
	if (text != NULL) {
		for (f->state = 0; f->state < 3 &&
		    strcmp(text, states[f->state]) != 0; f->state++)
			continue;
		if (strcmp(text, "all") == 0)
			f->state = -1;
		if (f->state == 3) {
			complain("--state %s: allowed are open, answered, "
			    "closed and all", text);
			return ADMIN_USAGE;
		}
	}
	return option_customer(admin, args, &f->customer_id);
}

static enum admin_exit
read_page(struct admin *admin, struct page *page, void *arg)
{
	const struct list_filter *f = arg;
	int64_t after;
	enum admin_exit status = page_number(page, &after);

	return status != ADMIN_OK ? status : admin_database_failed(admin,
	    q_ticket_each(admin->db, 0, f->customer_id, f->state, after,
	    PAGE_ASKED(page), list_row, page), "list the tickets");
}

static enum admin_exit
run_list(struct admin *admin, const struct args *args)
{
	static const struct page_list list = { .name = "tickets",
		.columns = columns, .empty = "No ticket fits." };
	struct list_filter f;
	struct page page;
	enum admin_exit status = page_take(args, &page);

	if (status == ADMIN_OK)
		status = take_filter(admin, args, &f);
	return status != ADMIN_OK ? status :
	    page_print(admin, &page, &list, read_page, &f);
}

static const struct opt answer_options[] = {
	{ "text", "TEXT", "the answer; without it standard input is read",
	  false },
	{ "close", NULL, "and close the ticket", false },
	{ NULL, NULL, NULL, false }
};

struct answer_job {
	int64_t ticket;
	const char *text;
	bool close;
};

static enum db_result
answer_body(struct db *db, void *arg)
{
	struct answer_job *job = arg;

	return q_ticket_answer(db, job->ticket, job->text, job->close);
}

static bool
read_input(struct buf *text)
{
	char piece[4096];
	ssize_t n;

	while ((n = read(STDIN_FILENO, piece, sizeof piece)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			complain("cannot read the answer: %s",
			    strerror(errno));
			return false;
		}
		if (!buf_append(text, piece, (size_t)n)) {
			complain("an answer has %d bytes at most", TEXT_MAX);
			return false;
		}
	}
	return true;
}

static enum admin_exit
take_answer(const struct args *args, struct buf *text)
{
	const char *given = args_get(args, "text"), *why;

	if (given == NULL && !read_input(text))
		return ADMIN_USAGE;
	if (given != NULL && !buf_append(text, given, strlen(given))) {
		complain("an answer has %d bytes at most", TEXT_MAX);
		return ADMIN_USAGE;
	}
	/* Editors end with a line break. */
	while (text->len > 0 && buf_head(text)[text->len - 1] == '\n')
		text->len--;
	if (!buf_append(text, "", 1)) {
		complain("an answer has %d bytes at most", TEXT_MAX);
		return ADMIN_USAGE;
	}
	why = strlen(buf_head(text)) != text->len - 1 ?
	    "it has a control character in it" : check_lines(buf_head(text),
	    TEXT_MAX);
	if (why == NULL)
		return ADMIN_OK;
	complain("the answer: %s", why);
	return ADMIN_USAGE;
}

static enum admin_exit
change(struct admin *admin, struct answer_job *job, const char *doing)
{
	struct record *record;
	enum db_result result;

	result = admin_change(admin, answer_body, job);
	if (result == DB_ERROR &&
	    strcmp(db_sqlstate(admin->db), "YY014") == 0) {
		complain("ticket %lld is closed", (long long)job->ticket);
		return ADMIN_REFUSED;
	}
	if (result != DB_OK)
		return admin_database_failed(admin, result, doing);
	if (admin->json) {
		record = record_open();
		record_number(record, "id", NULL, job->ticket);
		record_text(record, "state", NULL, ticket_state_name(
		    job->close ? 2 : 1));
		record_print(&record, admin);
	} else
		say(admin, "%s ticket %lld", job->text == NULL ? "closed" :
		    job->close ? "answered and closed" : "answered",
		    (long long)job->ticket);
	return ADMIN_OK;
}

static enum admin_exit
run_answer(struct admin *admin, const struct args *args)
{
	struct answer_job job;
	struct ticket ticket;
	enum admin_exit status;
	struct buf text;

	buf_init(&text, TEXT_MAX + 2);
	status = ticket_find(admin, args->word[0], &ticket);
	if (status == ADMIN_OK)
		status = take_answer(args, &text);
	if (status == ADMIN_OK) {
		job.ticket = ticket.id;
		job.text = buf_head(&text);
		job.close = args_has(args, "close");
		status = change(admin, &job, "answer the ticket");
	}
	buf_free(&text);
	return status;
}

static enum admin_exit
run_close(struct admin *admin, const struct args *args)
{
	struct answer_job job = { .close = true };
	struct ticket ticket;
	enum admin_exit status;

	status = ticket_find(admin, args->word[0], &ticket);
	job.ticket = ticket.id;
	return status != ADMIN_OK ? status : change(admin, &job,
	    "close the ticket");
}

const struct verb verbs_ticket[] = {
	{ "ticket", "list", "", 0, 0,
	  "list customers' tickets that wait for an answer",
	  "ticket list --state all --customer acme", list_options, run_list },
	{ "ticket", "show", "ID", 1, 1,
	  "show a ticket, what was said, and the call that it is about",
	  "ticket show 12 --save /tmp/ticket-12", ticket_show_options,
	  ticket_show },
	{ "ticket", "answer", "ID", 1, 1,
	  "answer a ticket; the customer is told",
	  "ticket answer 12 --text \"It works again.\"", answer_options,
	  run_answer },
	{ "ticket", "close", "ID", 1, 1,
	  "close a ticket",
	  "ticket close 12", NULL, run_close },
	{ "ticket", "refund", "ID", 1, 1,
	  "give back the fee of the ticket's call, or a part of it",
	  "ticket refund 12 --amount 0.25 --reason \"cut off\"",
	  ticket_refund_options, ticket_refund },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
