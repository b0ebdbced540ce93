/* compliance: what the operator owes its customers for their data, clause by
 * clause, with figures of the running system; what is missing is a gap. */
#include "admin/admin.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <json-c/json.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "admin/args.h"
#include "admin/channel_health.h"
#include "admin/report.h"
#include "admin/status.h"
#include "base/clock.h"
#include "conf/settings.h"
#include "db/queries_agreement.h"
#include "sandbox/sandbox.h"

#define CERTIFICATE_DAYS 14

static const struct opt report_options[] = {
	{ "check", NULL, "exit with 1 when there is a gap", false },
	{ NULL, NULL, NULL, false }
};

struct clause {
	const char *number;
	const char *title;
	const char *duty;
	/* What the database can't say; NULL: nothing. */
	void (*more)(struct admin *admin, struct json_object *o);
};

static void
add_fact(struct json_object *o, const char *name, const char *value,
    const char *gap)
{
	struct json_object *fact = json_object_new_object();

	json_object_object_add(fact, "name", json_object_new_string(name));
	json_object_object_add(fact, "value", json_object_new_string(value));
	json_object_array_add(json_object_object_get(o, "facts"), fact);
	if (gap != NULL)
		json_object_array_add(json_object_object_get(o, "gaps"),
		    json_object_new_string(gap));
}

static void
add_days(struct json_object *o, const char *name, uint32_t days)
{
	char text[16];

	snprintf(text, sizeof text, "%u", days);
	add_fact(o, name, text, NULL);
}

/* Bodies: nothing can write them where the sandbox is whole. */
static void
more_sandbox(struct admin *admin, struct json_object *o)
{
	char missing[SANDBOX_TEXT_BYTES], gap[SANDBOX_TEXT_BYTES + 32];
	struct shm *shm = health_open(admin);

	if (shm == NULL) {
		add_fact(o, "sandbox", "not known",
		    "youyund is down or its segment can't be read, so nothing "
		    "is known of its sandbox");
		return;
	}
	sandbox_text(status_sandbox_missing(shm), missing);
	health_close(&shm);
	snprintf(gap, sizeof gap, "the sandbox lacks %s", missing);
	add_fact(o, "sandbox", missing[0] == '\0' ?
	    "workers and flusher are confined" : gap,
	    missing[0] == '\0' ? NULL : gap);
}

/* False: there is no certificate that could be read. */
static bool
certificate_end(const char *path, struct tm *end_r)
{
	BIO *bio = BIO_new_file(path, "r");
	X509 *certificate = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL,
	    NULL) : NULL;
	bool ok = certificate != NULL && ASN1_TIME_to_tm(
	    X509_get0_notAfter(certificate), end_r) == 1;

	X509_free(certificate);
	BIO_free(bio);
	return ok;
}

static void
more_security(struct admin *admin, struct json_object *o)
{
	const struct settings *s = admin->settings;
	const char *gap = NULL;
	char text[64] = "not readable";
	struct tm end;
	int64_t left_s;

	if (certificate_end(s->tls_certificate, &end)) {
		strftime(text, sizeof text, "until %Y-%m-%d", &end);
		left_s = (int64_t)timegm(&end) - clock_wall().us / 1000000;
		if (left_s < 0)
			gap = "the server's certificate has expired";
		else if (left_s < CERTIFICATE_DAYS * INT64_C(86400))
			gap = "the server's certificate expires within 14 "
			    "days";
	} else
		gap = "the server's certificate can't be read";
	add_fact(o, "TLS for customers, certificate", text, gap);
	add_fact(o, "staff", s->staff[0] != '\0' ? s->staff :
	    "not divided into roles", s->staff[0] != '\0' ? NULL :
	    "the setting staff is empty, so whoever starts youyunctl may do "
	    "everything");
}

static void
more_notice(struct admin *admin, struct json_object *o)
{
	add_days(o, "days between announcement and first data",
	    admin->settings->subprocessor_notice_days);
}

static void
more_mail(struct admin *admin, struct json_object *o)
{
	bool on = admin->settings->mail_command[0] != '\0';

	add_fact(o, "notices by mail", on ? "on" : "off", on ? NULL :
	    "no mail is sent, so customers must look for notices");
}

static void
more_grace(struct admin *admin, struct json_object *o)
{
	add_days(o, "days of grace",
	    admin->settings->closing_grace_days);
}

static const struct clause clauses[] = {
	{ "1", "Whose decision: controller and processor",
	  "each stored column is marked with the operator's role", NULL },
	{ "2", "Purposes, and bodies that are not kept",
	  "each table says its purpose; the kernel keeps bodies from being "
	  "written", more_sandbox },
	{ "3", "What is recorded of calls, accounts and support",
	  "one record a call without content; keys as digests", NULL },
	{ "4", "What customers do themselves",
	  "they rotate, bind and revoke keys; abuse is stopped", NULL },
	{ "5", "Security measures",
	  "roles with what their work takes, TLS, sealing, an audit trail",
	  more_security },
	{ "6", "Sub-processors",
	  "registered, public, announced before they receive data",
	  more_notice },
	{ "7", "Where calls are processed",
	  "each channel has a region; customers and keys choose among them",
	  NULL },
	{ "8", "Retention and deletion",
	  "what is kept, how long, and what was erased", NULL },
	{ "9", "Incidents",
	  "found out whom they affect, and told", more_mail },
	{ "10", "Requests about data",
	  "registered with a due date, answered", NULL },
	{ "11", "Evidence",
	  "everything can be recomputed, and who changed what is written down",
	  NULL },
	{ "13", "The end of the contract",
	  "a time of grace, then payout, erasure and a certificate",
	  more_grace },
};

static bool
take_fact(const struct compliance_fact *fact, void *arg)
{
	add_fact(arg, fact->name, fact->value, fact->gap);
	return true;
}

static enum db_result
add_clause(struct admin *admin, const struct clause *c,
    struct json_object *list)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "clause",
	    json_object_new_string(c->number));
	json_object_object_add(o, "title", json_object_new_string(c->title));
	json_object_object_add(o, "duty", json_object_new_string(c->duty));
	json_object_object_add(o, "facts", json_object_new_array());
	json_object_object_add(o, "gaps", json_object_new_array());
	json_object_array_add(list, o);
	if (c->more != NULL)
		c->more(admin, o);
	return q_compliance_each(admin->db, c->number, take_fact, o);
}

static const char *
member(struct json_object *o, const char *name)
{
	return json_object_get_string(json_object_object_get(o, name));
}

static void
print_clause(struct json_object *o)
{
	struct json_object *facts = json_object_object_get(o, "facts"), *f;
	struct json_object *gaps = json_object_object_get(o, "gaps");
	size_t n = json_object_array_length(gaps);

	printf("%s. %s: %s\n", member(o, "clause"), member(o, "title"),
	    n == 0 ? "fine" : "GAP");
	printf("    %s\n", member(o, "duty"));
	for (size_t i = 0; i < json_object_array_length(facts); i++) {
		f = json_object_array_get_idx(facts, i);
		printf("    %s: %s\n", member(f, "name"),
		    member(f, "value"));
	}
	for (size_t i = 0; i < n; i++)
		printf("  ! %s\n", json_object_get_string(
		    json_object_array_get_idx(gaps, i)));
	putchar('\n');
}

static size_t
count_gaps(struct json_object *list)
{
	size_t n = 0;

	for (size_t i = 0; i < json_object_array_length(list); i++)
		n += json_object_array_length(json_object_object_get(
		    json_object_array_get_idx(list, i), "gaps"));
	return n;
}

static void
print(struct admin *admin, struct json_object *list, size_t gaps)
{
	char at[WALL_TEXT_BYTES];
	struct json_object *o;

	wall_format(clock_wall(), at);
	if (admin->json) {
		o = json_object_new_object();
		json_object_object_add(o, "at", json_object_new_string(at));
		json_object_object_add(o, "gaps",
		    json_object_new_int64((int64_t)gaps));
		json_object_object_add(o, "clauses",
		    json_object_get(list));
		json_print(o);
		return;
	}
	printf("As of %s\n\n", at);
	for (size_t i = 0; i < json_object_array_length(list); i++)
		print_clause(json_object_array_get_idx(list, i));
	printf("%zu gap%s.\n", gaps, gaps == 1 ? "" : "s");
}

static enum admin_exit
run_report(struct admin *admin, const struct args *args)
{
	enum admin_exit status = admin_database(admin);
	enum db_result result = DB_OK;
	struct json_object *list;
	size_t gaps;

	if (status != ADMIN_OK)
		return status;
	list = json_object_new_array();
	for (size_t i = 0; result == DB_OK && i < sizeof clauses /
	    sizeof clauses[0]; i++)
		result = add_clause(admin, &clauses[i], list);
	status = admin_database_failed(admin, result, "make the report");
	if (status == ADMIN_OK) {
		gaps = count_gaps(list);
		print(admin, list, gaps);
		if (gaps > 0 && args_has(args, "check"))
			status = ADMIN_FAILED;
	}
	json_object_put(list);
	return status;
}

const struct verb verbs_compliance[] = {
	{ "compliance", "report", "", 0, 0,
	  "show clause by clause what is done for customers' data, and what "
	  "is missing",
	  "compliance report --check", report_options, run_report },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
