/* customer export, close, erase and certificate: the copy of a customer's data,
 * and their end. */
#include "admin/admin.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "admin/args.h"
#include "admin/options.h"
#include "admin/progress.h"
#include "admin/report.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "conf/settings.h"
#include "db/queries_agreement.h"
#include "db/transaction.h"
#include "export/export.h"

#define PIECE_MAX_BYTES (UINT64_C(64) << 20)
/* For the flusher to give up what is left; calls may be on their way. */
#define MONEY_PATIENCE_MS 30000
#define MONEY_PAUSE_MS 100

static const struct opt export_options[] = {
	{ "output", "FILE", "the zip that is written; it must not be there",
	  false },
	{ NULL, NULL, NULL, false }
};

static const struct opt close_options[] = {
	{ "cancel", NULL, "take it back, within the time of grace", false },
	{ NULL, NULL, NULL, false }
};

static enum admin_exit
find(struct admin *admin, const struct args *args, int64_t *id_r)
{
	enum admin_exit status = admin_database(admin);

	return status == ADMIN_OK ? admin_customer(admin, args->word[0],
	    id_r) : status;
}

/*
 * The copy.
 */
struct copying {
	int64_t customer_id;
	int fd;
	int64_t bytes;
	int error;			/* errno of the file's */
};

static bool
write_out(struct copying *c, struct buf *out)
{
	ssize_t n;

	while (out->len > 0) {
		n = write(c->fd, buf_head(out), out->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			c->error = errno;
			return false;
		}
		buf_consume(out, (size_t)n);
		c->bytes += n;
		progress_set(c->bytes);
	}
	return true;
}

static enum db_result
copy_all(struct db *db, struct copying *c, struct export *export,
    struct buf *out)
{
	for (;;) {
		switch (export_step(export, db, out)) {
		case EXPORT_MORE:
			if (!write_out(c, out))
				return DB_ERROR;
			break;
		case EXPORT_DONE:
			return write_out(c, out) ? DB_OK : DB_ERROR;
		case EXPORT_DATABASE:
			return DB_ERROR;
		case EXPORT_MEMORY:
			c->error = ENOMEM;
			return DB_ERROR;
		}
	}
}

/* All of it as of one moment. */
static enum db_result
copy_body(struct db *db, void *arg)
{
	struct copying *c = arg;
	struct export *export = export_open();
	enum db_result result;
	struct buf out;

	c->bytes = 0;
	c->error = 0;
	buf_init(&out, PIECE_MAX_BYTES);
	if (export == NULL)
		c->error = ENOMEM;
	else if (ftruncate(c->fd, 0) != 0 || lseek(c->fd, 0, SEEK_SET) != 0)
		c->error = errno;
	result = c->error != 0 ? DB_ERROR : q_as_customer(db, c->customer_id);
	if (result == DB_OK)
		result = copy_all(db, c, export, &out);
	export_close(&export);
	buf_free(&out);
	return result;
}

static enum db_result
note_body(struct db *db, void *arg)
{
	const struct copying *c = arg;

	return q_export_note(db, c->customer_id);
}

/* Who takes a copy is written down before there is one. */
static enum admin_exit
copy(struct admin *admin, struct copying *c, const char *path)
{
	enum db_result result = admin_change(admin, note_body, c);

	if (result == DB_OK) {
		progress_begin("bytes", 0);
		result = db_transaction(admin->db, DB_SNAPSHOT, copy_body, c);
		progress_end();
	}
	if (result == DB_OK && fsync(c->fd) != 0) {
		c->error = errno;
		result = DB_ERROR;
	}
	if (result == DB_OK)
		return ADMIN_OK;
	if (c->error == 0)
		return admin_database_failed(admin, result,
		    "export the customer's data");
	complain("cannot write %s: %s", path, strerror(c->error));
	return ADMIN_FAILED;
}

static enum admin_exit
run_export(struct admin *admin, const struct args *args)
{
	const char *path = args_get(args, "output");
	struct copying c = { .fd = -1 };
	struct record *record;
	enum admin_exit status;

	if (path == NULL)
		return option_missing("output");
	status = find(admin, args, &c.customer_id);
	if (status != ADMIN_OK)
		return status;
	c.fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (c.fd < 0) {
		complain("cannot make %s: %s", path, strerror(errno));
		return ADMIN_FAILED;
	}
	status = copy(admin, &c, path);
	close(c.fd);
	if (status != ADMIN_OK) {
		unlink(path);
		return status;
	}
	if (admin->json) {
		record = record_open();
		record_number(record, "id", NULL, c.customer_id);
		record_number(record, "bytes", NULL, c.bytes);
		record_print(&record, admin);
	}
	say(admin, "wrote %s, %lld bytes", path, (long long)c.bytes);
	return ADMIN_OK;
}

/*
 * The end.
 */
struct closing {
	int64_t customer_id, days, due_us;
	char step[CLOSING_STEP_BYTES];
};

static enum db_result
begin_body(struct db *db, void *arg)
{
	struct closing *c = arg;

	return q_closing_begin(db, c->customer_id, c->days, &c->due_us);
}

static enum db_result
cancel_body(struct db *db, void *arg)
{
	const struct closing *c = arg;

	return q_closing_cancel(db, c->customer_id);
}

static enum db_result
hasten_body(struct db *db, void *arg)
{
	const struct closing *c = arg;

	return q_closing_hasten(db, c->customer_id);
}

static enum db_result
step_body(struct db *db, void *arg)
{
	struct closing *c = arg;

	return q_closing_step(db, c->customer_id, c->step);
}

static enum admin_exit
failed(struct admin *admin, enum db_result result, const char *who,
    const char *doing)
{
	const char *state = result == DB_ERROR ? db_sqlstate(admin->db) : "";

	if (strcmp(state, "YY034") == 0)
		complain("customer %s is closing or closed already", who);
	else if (strcmp(state, "YY026") == 0)
		complain("customer %s is on legal hold", who);
	else if (strcmp(state, "YY035") == 0)
		complain("customer %s is not in its time of grace", who);
	else
		return admin_database_failed(admin, result, doing);
	return ADMIN_REFUSED;
}

static void
print_closing(struct admin *admin, int64_t id, int64_t due_us)
{
	struct record *record;

	if (!admin->json)
		return;
	record = record_open();
	record_number(record, "id", NULL, id);
	record_time(record, "due", NULL, due_us);
	record_print(&record, admin);
}

static enum admin_exit
run_close(struct admin *admin, const struct args *args)
{
	bool cancel = args_has(args, "cancel");
	char at[WALL_TEXT_BYTES];
	struct closing c = { 0 };
	enum admin_exit status;
	enum db_result result;

	status = find(admin, args, &c.customer_id);
	if (status != ADMIN_OK)
		return status;
	c.days = admin->settings->closing_grace_days;
	result = admin_change(admin, cancel ? cancel_body : begin_body, &c);
	if (result != DB_OK)
		return failed(admin, result, args->word[0], cancel ?
		    "take the closing back" : "close the account");
	print_closing(admin, c.customer_id, c.due_us);
	time_format_short(c.due_us, at);
	if (cancel)
		say(admin, "customer %s stays; keys that were revoked stay "
		    "revoked", args->word[0]);
	else
		say(admin, "customer %s is closed; its data are erased on %s, "
		    "\"youyunctl customer close %s --cancel\" takes it back",
		    args->word[0], at, args->word[0]);
	return ADMIN_OK;
}

/* Piece by piece, each a transaction. */
static enum admin_exit
erase(struct admin *admin, struct closing *c)
{
	enum db_result result;
	int waited_ms = 0;

	for (;;) {
		result = admin_change(admin, step_body, c);
		if (result != DB_OK)
			return admin_database_failed(admin, result,
			    "erase the account");
		if (strcmp(c->step, "done") == 0)
			return ADMIN_OK;
		if (strcmp(c->step, "more") == 0)
			continue;
		if (waited_ms >= MONEY_PATIENCE_MS)
			break;
		poll(NULL, 0, MONEY_PAUSE_MS);
		waited_ms += MONEY_PAUSE_MS;
	}
	complain("what is left of its money could not be booked out yet");
	hint("youyund must be up for that, and the customer's calls over; it "
	    "then goes on by itself");
	return ADMIN_FAILED;
}

static enum admin_exit
print_certificate(struct admin *admin, int64_t id)
{
	struct db_rows *rows;
	enum db_result result = q_closing(admin->db, id, &rows);
	enum admin_exit status = ADMIN_REFUSED;

	if (result != DB_OK)
		return admin_database_failed(admin, result,
		    "read the certificate");
	if (db_rows_count(rows) == 0 || db_null(rows, 0, 4)) {
		complain("customer %lld was not erased: %s", (long long)id,
		    db_rows_count(rows) == 0 ? "nobody closed it" :
		    db_get_text(rows, 0, 0));
	} else {
		json_print(json_tokener_parse(db_get_text(rows, 0, 4)));
		status = ADMIN_OK;
	}
	db_rows_free(&rows);
	return status;
}

static enum admin_exit
run_erase(struct admin *admin, const struct args *args)
{
	struct closing c = { 0 };
	enum admin_exit status;
	enum db_result result;

	status = find(admin, args, &c.customer_id);
	if (status != ADMIN_OK)
		return status;
	/* A script says so, too. */
	if (!admin->yes && (!isatty(STDIN_FILENO) || !admin_confirm(admin,
	    "Erase the customer's data now, for ever?"))) {
		complain("nothing was erased");
		hint("--yes erases without a time of grace");
		return ADMIN_USAGE;
	}
	result = admin_change(admin, hasten_body, &c);
	if (result != DB_OK)
		return failed(admin, result, args->word[0],
		    "close the account");
	status = erase(admin, &c);
	return status == ADMIN_OK ? print_certificate(admin, c.customer_id) :
	    status;
}

static enum admin_exit
run_certificate(struct admin *admin, const struct args *args)
{
	int64_t id;
	enum admin_exit status = find(admin, args, &id);

	return status == ADMIN_OK ? print_certificate(admin, id) : status;
}

const struct verb verbs_closing[] = {
	{ "customer", "export", "CUSTOMER", 1, 1,
	  "write all that is kept of a customer into a zip",
	  "customer export acme --output acme.zip", export_options,
	  run_export },
	{ "customer", "close", "CUSTOMER", 1, 1,
	  "close an account; after a time of grace its data are erased",
	  "customer close acme --reason \"contract ended\"", close_options,
	  run_close },
	{ "customer", "erase", "CUSTOMER", 1, 1,
	  "pay out what is left and erase the data now",
	  "customer erase acme --yes", NULL, run_erase },
	{ "customer", "certificate", "CUSTOMER", 1, 1,
	  "print what was erased, what was kept, when and by whom",
	  "customer certificate 5", NULL, run_certificate },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
