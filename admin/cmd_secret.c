/* secret: the keys that seal what the database may not know. */
#include "admin/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/args.h"
#include "admin/report.h"
#include "admin/secret.h"
#include "conf/modes.h"
#include "conf/service.h"
#include "conf/settings.h"

static const struct report_column columns[] = {
	{ "key", "KEY", REPORT_NUMBER, false },
	{ "state", "STATE", REPORT_TEXT, false },
	{ "in_file", "IN FILE", REPORT_FLAG, false },
	{ "workers", "WORKERS", REPORT_NUMBER, false },
	{ "credentials", "CREDENTIALS", REPORT_NUMBER, false },
	{ "proxies", "PROXIES", REPORT_NUMBER, false },
	{ "logins", "LOGINS", REPORT_NUMBER, false },
	{ "made", "MADE (UTC)", REPORT_TIME, true },
	{ "retired", "RETIRED (UTC)", REPORT_TIME, true },
	{ NULL, NULL, REPORT_TEXT, false }
};

static const char *
state_of(const struct seal_state *s, const struct seal_key_row *k)
{
	if (k->id == 0)
		return "not ours";
	if (k->retired_us != 0)
		return "retired";
	if (secrets_find_seal(&s->secrets, (uint8_t)k->id) < 0)
		return "missing";
	if (s->secrets.seal[0].id == k->id)
		return "seals";
	return k->made_us != 0 ? "opens" : "prepared";
}

static void
add_row(struct admin *admin, struct report *report,
    const struct seal_state *s, const struct seal_key_row *k)
{
	struct seal_workers w = { .having = 0 };

	if (k->id != 0)
		seal_workers(admin, (uint8_t)k->id, &w);
	report_number(report, k->id);
	report_text(report, state_of(s, k));
	report_flag(report, k->id != 0 &&
	    secrets_find_seal(&s->secrets, (uint8_t)k->id) >= 0);
	report_number(report, w.having);
	report_number(report, k->credentials);
	report_number(report, k->proxies);
	report_number(report, k->logins);
	report_time(report, k->made_us);
	report_time(report, k->retired_us);
}

static enum admin_exit
run_list(struct admin *admin, const struct args *args)
{
	struct seal_state *s = calloc(1, sizeof(*s));
	struct report *report;
	enum admin_exit status;

	(void)args;
	if (s == NULL)
		abort();
	status = admin_database(admin);
	if (status == ADMIN_OK)
		status = admin_secrets(admin, &s->secrets);
	if (status == ADMIN_OK)
		status = seal_read(admin, s);
	if (status == ADMIN_OK) {
		report = report_list("keys", columns);
		for (int i = 0; i < s->secrets.seals; i++) {
			struct seal_key_row k = { .id =
				s->secrets.seal[i].id };

			if (seal_known(s, k.id) == NULL)
				add_row(admin, report, s, &k);
		}
		for (size_t i = 0; i < s->keys; i++)
			add_row(admin, report, s, &s->key[i]);
		report_print(&report, admin, "There is no key.");
	}
	seal_close(s);
	free(s);
	return status;
}

static const struct opt retire_options[] = {
	{ "file", "FILE", "the secrets file, where systemd has a copy of it",
	  false },
	{ NULL, NULL, NULL, false }
};

struct retirement {
	struct seal_state state;
	uint8_t id[SEAL_KEYS];
	int n;
};

static bool
may_go(const struct seal_state *s, uint8_t id)
{
	const struct seal_key_row *k = seal_known(s, id);

	/* One that was prepared has sealed nothing either, and is about to. */
	return k != NULL && k->credentials + k->proxies + k->logins == 0;
}

static enum db_result
retire_body(struct db *db, void *arg)
{
	struct retirement *r = arg;
	enum db_result result = DB_OK;

	for (int i = 0; result == DB_OK && i < r->n; i++)
		result = q_seal_retire(db, r->id[i]);
	return result;
}

static enum admin_exit
retire(struct admin *admin, struct retirement *r)
{
	struct seal_state *s = &r->state;
	enum admin_exit status;

	if (s->secrets.seal[0].id != seal_newest(s)) {
		complain("%s is not up to date: key %u seals now", s->path,
		    (unsigned)seal_newest(s));
		hint("\"youyunctl secret rotate\" goes on with what was begun");
		return ADMIN_REFUSED;
	}
	for (int i = 1; i < s->secrets.seals; i++)
		if (may_go(s, s->secrets.seal[i].id))
			r->id[r->n++] = s->secrets.seal[i].id;
	status = admin_database_failed(admin, admin_change(admin, retire_body,
	    r), "retire the old keys");
	for (int i = 0; status == ADMIN_OK && i < r->n; i++)
		secrets_remove_seal(&s->secrets, r->id[i]);
	if (status == ADMIN_OK && r->n > 0)
		status = seal_write(s);
	if (status == ADMIN_OK && r->n > 0)
		status = seal_spread(admin, s->secrets.seal[0].id);
	return status;
}

static enum admin_exit
run_retire(struct admin *admin, const struct args *args)
{
	struct retirement *r = calloc(1, sizeof(*r));
	struct record *record;
	enum admin_exit status;
	int64_t left;

	if (r == NULL)
		abort();
	status = seal_open(admin, args_get(args, "file"), &r->state);
	left = seal_others(&r->state, r->state.secrets.seal[0].id);
	if (status == ADMIN_OK)
		status = retire(admin, r);
	if (status == ADMIN_OK && admin->json) {
		record = record_open();
		record_number(record, "retired", NULL, r->n);
		record_number(record, "sealed_by_others", NULL, left);
		record_print(&record, admin);
	} else if (status == ADMIN_OK) {
		say(admin, r->n == 0 ? "No key could go." :
		    "%d keys were retired; what backups have by them, they "
		    "alone open.", r->n);
		if (left > 0)
			hint("%lld secrets are sealed by old keys; \"youyunctl "
			    "secret rotate\" seals them anew",
			    (long long)left);
	}
	seal_close(&r->state);
	free(r);
	return status;
}

static enum admin_exit
run_check(struct admin *admin, const struct args *args)
{
	struct conf_report report;
	struct service_user user;
	enum admin_exit status = admin_settings(admin);

	(void)args;
	if (status == ADMIN_OK)
		status = admin_service_user(admin, &user);
	if (status != ADMIN_OK)
		return status;
	conf_report_init(&report);
	modes_check(admin->config_path, admin->settings, &user, &report);
	if (report.text.len > 0)
		fwrite(buf_head(&report.text), 1, report.text.len, stderr);
	if (report.mistakes > 0)
		status = ADMIN_FAILED;
	else
		say(admin, "owners and modes are right");
	conf_report_free(&report);
	return status;
}

const struct verb verbs_secret[] = {
	{ "secret", "list", "", 0, 0,
	  "list the sealing keys, and how much is sealed by each",
	  "secret list", NULL, run_list },
	{ "secret", "rotate", "", 0, 0,
	  "make a new sealing key and seal everything anew by it",
	  "secret rotate --reason \"yearly\"", seal_rotate_options,
	  seal_rotate },
	{ "secret", "retire", "", 0, 0,
	  "forget the sealing keys that nothing is sealed by",
	  "secret retire", retire_options, run_retire },
	{ "secret", "check", "", 0, 0,
	  "look at the owners and modes of files with secrets",
	  "secret check", NULL, run_check },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
