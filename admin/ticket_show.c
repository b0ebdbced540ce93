/* ticket show: all that was said, and the call with its fee. */
#include "admin/ticket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/bill.h"
#include "admin/report.h"
#include "base/money.h"
#include "base/clock.h"
#include "db/queries.h"
#include "db/queries_support.h"

const struct opt ticket_show_options[] = {
	{ "save", "DIR", "save the attachments in this directory", false },
	{ NULL, NULL, NULL, false }
};

/* In the database's order; for names of files, and for people. */
static const char *const suffixes[] = { "bin", "png", "jpg", "pdf", "txt" };
static const char *const types[] = { "unknown", "PNG", "JPEG", "PDF", "text" };

static size_t
type_index(int64_t type)
{
	return type >= 1 && type <= 4 ? (size_t)type : 0;
}

/*
 * For people.  What a customer wrote must not move their cursor.
 */
static void
print_lines(const char *text)
{
	bool begins = true;

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (begins)
			fputs("    ", stdout);
		begins = c == '\n';
		if (c == '\r')
			continue;
		/* The second byte of a C1 control follows 0xc2. */
		if (c == 0xc2 && (unsigned char)text[1] >= 0x80 &&
		    (unsigned char)text[1] < 0xa0) {
			text++;
			c = '?';
		}
		putchar((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f ?
		    '?' : c);
	}
	putchar('\n');
}

static bool
print_message(const struct ticket_message_row *row, void *arg)
{
	char at[WALL_TEXT_BYTES];

	(void)arg;
	time_format_short(row->at_us, at);
	printf("\n%s  %s%s%s%s\n", at, row->operator ? "operator" :
	    "customer", " (", row->actor, ")");
	print_lines(row->text);
	return true;
}

static bool
print_file(const struct ticket_file_row *row, void *arg)
{
	(void)arg;
	printf("\nattachment %lld: %s, %lld bytes, sent with message %lld as\n",
	    (long long)row->id, types[type_index(row->type)],
	    (long long)row->bytes, (long long)row->message_id);
	print_lines(row->name);
	return true;
}

static bool
print_refund(const struct ticket_refund_row *row, void *arg)
{
	char at[WALL_TEXT_BYTES], amount[MONEY_TEXT_BYTES];

	(void)arg;
	time_format_short(row->at_us, at);
	money_format(row->amount_nano, 2, amount);
	printf("\n%s  gave back %s as booking %lld\n", at, amount,
	    (long long)row->transaction_id);
	return true;
}

/*
 * As JSON.
 */
static const struct report_column message_columns[] = {
	{ "id", NULL, REPORT_NUMBER, false },
	{ "author", NULL, REPORT_TEXT, false },
	{ "actor", NULL, REPORT_TEXT, false },
	{ "at", NULL, REPORT_TIME, false },
	{ "text", NULL, REPORT_TEXT, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

static bool
add_message(const struct ticket_message_row *row, void *arg)
{
	struct report *report = arg;

	report_number(report, row->id);
	report_text(report, row->operator ? "operator" : "customer");
	report_text(report, row->actor);
	report_time(report, row->at_us);
	report_text(report, row->text);
	return true;
}

static const struct report_column file_columns[] = {
	{ "id", NULL, REPORT_NUMBER, false },
	{ "message_id", NULL, REPORT_NUMBER, false },
	{ "name", NULL, REPORT_TEXT, false },
	{ "type", NULL, REPORT_TEXT, false },
	{ "bytes", NULL, REPORT_NUMBER, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

static bool
add_file(const struct ticket_file_row *row, void *arg)
{
	struct report *report = arg;

	report_number(report, row->id);
	report_number(report, row->message_id);
	report_text(report, row->name);
	report_text(report, types[type_index(row->type)]);
	report_number(report, row->bytes);
	return true;
}

static const struct report_column refund_columns[] = {
	{ "booking", NULL, REPORT_NUMBER, false },
	{ "amount", NULL, REPORT_MONEY, false },
	{ "at", NULL, REPORT_TIME, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

static bool
add_refund(const struct ticket_refund_row *row, void *arg)
{
	struct report *report = arg;

	report_number(report, row->transaction_id);
	report_money(report, row->amount_nano);
	report_time(report, row->at_us);
	return true;
}

static enum admin_exit
add_lists(struct admin *admin, const struct ticket *t, struct record *record)
{
	struct report *messages = report_list("messages", message_columns);
	struct report *files = report_list("files", file_columns);
	struct report *refunds = report_list("refunds", refund_columns);
	enum db_result result;

	result = q_ticket_message_each(admin->db, t->id, add_message,
	    messages);
	if (result == DB_OK)
		result = q_ticket_file_each(admin->db, t->id, false, add_file,
		    files);
	if (result == DB_OK)
		result = q_ticket_refund_each(admin->db, t->id, add_refund,
		    refunds);
	record_list(record, &messages);
	record_list(record, &files);
	record_list(record, &refunds);
	return admin_database_failed(admin, result, "read the ticket");
}

static enum admin_exit
print_all(struct admin *admin, const struct ticket *t)
{
	enum db_result result;

	result = q_ticket_message_each(admin->db, t->id, print_message, NULL);
	if (result == DB_OK)
		result = q_ticket_file_each(admin->db, t->id, false,
		    print_file, NULL);
	if (result == DB_OK)
		result = q_ticket_refund_each(admin->db, t->id, print_refund,
		    NULL);
	return admin_database_failed(admin, result, "read the ticket");
}

/*
 * Attachments, by names of our own in a directory that is there.
 */
struct saving {
	int dir_fd;
	const char *dir;
	int64_t ticket;
	int files;
	bool failed;
};

static bool
write_file(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static bool
save_file(const struct ticket_file_row *row, void *arg)
{
	struct saving *s = arg;
	char name[80];
	bool ok;
	int fd;

	snprintf(name, sizeof name, "ticket-%lld-%lld.%s",
	    (long long)s->ticket, (long long)row->id,
	    suffixes[type_index(row->type)]);
	fd = openat(s->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	ok = fd >= 0 && write_file(fd, row->content, row->len);
	if (fd >= 0 && close(fd) != 0)
		ok = false;
	if (!ok)
		complain("cannot write %s/%s: %s", s->dir, name,
		    strerror(errno));
	s->failed = !ok;
	s->files += ok;
	return ok;
}

static enum admin_exit
save_files(struct admin *admin, const struct ticket *t, const char *dir)
{
	struct saving s = { .dir = dir, .ticket = t->id };
	enum admin_exit status;

	s.dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s.dir_fd < 0) {
		complain("--save %s: %s", dir, strerror(errno));
		return ADMIN_USAGE;
	}
	status = admin_database_failed(admin, q_ticket_file_each(admin->db,
	    t->id, true, save_file, &s), "read the attachments");
	close(s.dir_fd);
	if (status == ADMIN_OK && s.failed)
		status = ADMIN_FAILED;
	if (status == ADMIN_OK)
		say(admin, "\nsaved %d attachments in %s", s.files, dir);
	return status;
}

static void
add_head(struct record *record, const struct ticket *t)
{
	char id[RECORD_ID_TEXT_BYTES];

	record_number(record, "id", "Ticket", t->id);
	record_number(record, "customer_id", NULL, t->customer_id);
	record_text(record, "ticket_customer", "Customer", t->customer);
	record_text(record, "subject", "Subject", t->subject);
	record_text(record, "state", "State", ticket_state_name(t->state));
	record_time(record, "created", "Opened", t->created_us);
	record_time(record, "changed", "Changed", t->changed_us);
	if (t->has_call) {
		record_id_format(t->request_id, id);
		record_text(record, "call", "About call", id);
	} else
		record_none(record, "call", NULL);
}

/* A call that can't be explained hides nothing of what was said. */
static enum admin_exit
show(struct admin *admin, const struct ticket *t, enum admin_exit *bill_r)
{
	struct record *record = record_open();
	char id[RECORD_ID_TEXT_BYTES];
	enum admin_exit status = ADMIN_OK;
	struct bill bill;

	add_head(record, t);
	if (t->has_call) {
		record_line(record, "%s", "");
		record_id_format(t->request_id, id);
		*bill_r = bill_add(admin, id, record, &bill);
		if (*bill_r == ADMIN_OK && !bill.agrees)
			*bill_r = bill_judge(&bill);
	}
	if (status == ADMIN_OK && admin->json)
		status = add_lists(admin, t, record);
	if (status != ADMIN_OK) {
		record_discard(&record);
		return status;
	}
	record_print(&record, admin);
	return admin->json ? ADMIN_OK : print_all(admin, t);
}

enum admin_exit
ticket_show(struct admin *admin, const struct args *args)
{
	const char *dir = args_get(args, "save");
	struct ticket ticket;
	enum admin_exit status, bill = ADMIN_OK;

	status = ticket_find(admin, args->word[0], &ticket);
	if (status == ADMIN_OK)
		status = show(admin, &ticket, &bill);
	if (status == ADMIN_OK && dir != NULL)
		status = save_files(admin, &ticket, dir);
	return status != ADMIN_OK ? status : bill;
}
