/* The mailer's life: looks for notices to send until it is asked to go. */
#include "mailer/mailer.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/mail_address.h"
#include "base/mail_code.h"
#include "base/signals.h"
#include "base/topup_code.h"
#include "conf/embedded.h"
#include "conf/heritage.h"
#include "conf/settings.h"
#include "db/connection.h"
#include "db/value.h"
#include "mailer/message.h"
#include "mailer/sendmail.h"
#include "mailer/text.h"

#define CONNECT_TIMEOUT_S 5
/* An index has what is to be sent, mostly nothing. */
#define LOOK_MS 500
#define AWAY_MS 5000
#define SEND_MS 60000
#define SUBJECT_MAX_BYTES 1000
#define TEXT_MAX_BYTES (32 * 1024)
#define MESSAGE_MAX_BYTES (64 * 1024)

static volatile sig_atomic_t end_wanted;

/* As mail_done() has them. */
enum outcome {
	OUTCOME_SENT,
	OUTCOME_FAILED,		/* again later */
	OUTCOME_NEVER		/* there is nowhere to send it */
};

static void
on_signal(int sig)
{
	(void)sig;
	end_wanted = 1;
}

static enum outcome
send_mail(const struct settings *settings, const struct mail *mail)
{
	struct buf subject, text, message;
	enum outcome outcome = OUTCOME_FAILED;

	if (!mail_address_ok(mail->contact))
		return OUTCOME_NEVER;
	buf_init(&subject, SUBJECT_MAX_BYTES);
	buf_init(&text, TEXT_MAX_BYTES);
	buf_init(&message, MESSAGE_MAX_BYTES);
	if (text_write(mail, &subject, &text) &&
	    message_write(&message, settings->mail_from, mail->contact,
	    &subject, &text) &&
	    sendmail_run(settings->mail_command, &message, SEND_MS,
	    &end_wanted))
		outcome = OUTCOME_SENT;
	buf_free(&subject);
	buf_free(&text);
	buf_free(&message);
	return outcome;
}

/* As login_code.purpose has them. */
static const char *const code_kinds[] = { "login_register", "login_reset",
	"login_known" };
#define CODE_KINDS 3

/* A code that nobody has seen before: its digest is in the database before it
 * leaves. */
static bool
make_code(struct db *db, int64_t id, char code_r[TOPUP_CODE_TEXT_BYTES])
{
	uint8_t digest[MAIL_CODE_DIGEST_BYTES];
	struct db_param p[2];

	topup_code_make(code_r);
	mail_code_digest(code_r, digest);
	p[0] = db_int(id);
	p[1] = db_bytes(digest, sizeof(digest));
	return db_query(db, "SELECT youyun.login_mail_code($1, $2)", p, 2,
	    NULL) == DB_OK;
}

static enum outcome
send_code(const struct settings *settings, struct db *db, int64_t id,
    int64_t purpose, struct mail *mail)
{
	char code[TOPUP_CODE_TEXT_BYTES], detail[64];
	enum outcome outcome = OUTCOME_FAILED;

	if (purpose < 0 || purpose >= CODE_KINDS)
		return OUTCOME_NEVER;
	mail->kind = code_kinds[purpose];
	mail->detail = detail;
	mail->customer = mail->contact;
	if (make_code(db, id, code)) {
		snprintf(detail, sizeof(detail), "{\"code\":\"%s\"}", code);
		outcome = send_mail(settings, mail);
	}
	bytes_scrub(code, sizeof(code));
	bytes_scrub(detail, sizeof(detail));
	return outcome;
}

/* One code; false: there is none to be sent, or the database is away. */
static bool
send_one_code(const struct settings *settings, struct db *db)
{
	struct db_param p[2];
	struct db_rows *rows;
	struct mail mail;
	int64_t id;

	if (db_query(db, "SELECT id, purpose, address, language FROM"
	    " youyun.login_mail_take()", NULL, 0, &rows) != DB_OK) {
		log_info("no code could be taken: why=%s", db_message(db));
		return false;
	}
	if (db_rows_count(rows) == 0) {
		db_rows_free(&rows);
		return false;
	}
	id = db_get_int(rows, 0, 0);
	mail.contact = db_get_text(rows, 0, 2);
	mail.language = db_get_text(rows, 0, 3);
	p[0] = db_int(id);
	p[1] = db_int((int64_t)send_code(settings, db, id, db_get_int(rows,
	    0, 1), &mail));
	db_rows_free(&rows);
	return db_query(db, "SELECT youyun.login_mail_done($1, $2)", p, 2,
	    NULL) == DB_OK;
}

/* One notice; false: there is none, or the database is away. */
static bool
send_one(const struct settings *settings, struct db *db)
{
	struct db_param p[2];
	struct db_rows *rows;
	struct mail mail;
	int64_t id;
	enum outcome outcome;

	if (db_query(db, "SELECT id, kind, detail, customer, contact, language"
	    " FROM youyun.mail_take()", NULL, 0, &rows) != DB_OK) {
		log_info("no notice could be taken: why=%s", db_message(db));
		return false;
	}
	if (db_rows_count(rows) == 0) {
		db_rows_free(&rows);
		return false;
	}
	id = db_get_int(rows, 0, 0);
	mail.kind = db_get_text(rows, 0, 1);
	mail.detail = db_get_text(rows, 0, 2);
	mail.customer = db_get_text(rows, 0, 3);
	mail.contact = db_get_text(rows, 0, 4);
	mail.language = db_get_text(rows, 0, 5);
	outcome = send_mail(settings, &mail);
	db_rows_free(&rows);
	p[0] = db_int(id);
	p[1] = db_int(outcome);
	if (db_query(db, "SELECT youyun.mail_done($1, $2)", p, 2, NULL) ==
	    DB_OK)
		return true;
	log_info("a notice could not be marked: notice=%lld", (long long)id);
	return false;
}

static bool
parent_is_gone(const struct heritage *h, int wait_ms)
{
	struct pollfd p = { .fd = h->parent_fd, .events = POLLIN };

	return poll(&p, 1, wait_ms) > 0;
}

static void
serve(const struct heritage *h, struct db *db)
{
	int wait_ms = 0;

	while (!end_wanted && !parent_is_gone(h, wait_ms)) {
		wait_ms = LOOK_MS;
		if (!db_connected(db) &&
		    db_connect(db, CONNECT_TIMEOUT_S) != DB_OK) {
			wait_ms = AWAY_MS;
			continue;
		}
		while (!end_wanted && !parent_is_gone(h, 0) &&
		    (send_one_code(h->settings, db) ||
		    send_one(h->settings, db)))
			continue;
	}
}

int
mailer_main(const struct heritage *h)
{
	char conninfo[EMBEDDED_TEXT_BYTES];
	struct db *db;

	signals_of_child(on_signal);
	if (!database_conninfo(h->settings, DB_ROLE_FLUSHER, "youyun-mailer",
	    conninfo, sizeof(conninfo))) {
		log_error("the database's connection string is too long");
		return EXIT_FAILURE;
	}
	db = db_open(conninfo);
	if (db == NULL) {
		log_error("could not start: out of memory");
		return EXIT_FAILURE;
	}
	log_info("mailer runs");
	serve(h, db);
	db_close(&db);
	return EXIT_SUCCESS;
}
