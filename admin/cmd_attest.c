/* attest: texts made for it go through the running installation, and are then
 * searched for everywhere. */
#include "admin/attest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/args.h"
#include "admin/report.h"
#include "admin/text_file.h"
#include "base/bytes.h"
#include "conf/service.h"

#define KEY_FILE "attest.key"

static const struct opt options[] = {
	{ "kill-worker", NULL, "also kill a worker in the middle of a call; "
	  "calls of customers that it has are cut off", false },
	{ "self-test", NULL, "leave a prompt in a file: the leak must be "
	  "found", false },
	{ "verify", "FILE", "check a report's signature instead; \"-\" is "
	  "standard input", false },
	{ "key", "PUBLIC", "with --verify: the public key that must have "
	  "signed it; default: the installation's", false },
	{ "public-key", NULL, "print the installation's public key instead",
	  false },
	{ NULL, NULL, NULL, false }
};

bool
attest_own_key(struct admin *admin, struct attest_key *key)
{
	char path[SETTING_PATH_BYTES + sizeof(KEY_FILE) + 1];
	struct service_user user;

	if (admin_service_user(admin, &user) != ADMIN_OK)
		return false;
	snprintf(path, sizeof(path), "%s/" KEY_FILE,
	    admin->settings->state_dir);
	switch (attest_key_open(path, user.uid, key)) {
	case ATTEST_KEY_OK:
		return true;
	case ATTEST_KEY_OPEN_TO_OTHERS:
		complain("%s may be read or changed by others", path);
		break;
	case ATTEST_KEY_BAD:
		complain("%s is not what youyunctl writes", path);
		break;
	case ATTEST_KEY_IO:
		complain("cannot read or make %s: %s", path, strerror(errno));
		break;
	}
	return false;
}

/* What must have signed the report; false: it was said why not. */
static bool
expected_key(struct admin *admin, const char *text,
    uint8_t public_key[ATTEST_KEY_BYTES])
{
	struct attest_key own;
	bool ok;

	if (text != NULL) {
		ok = hex_decode(text, public_key, ATTEST_KEY_BYTES);
		if (!ok)
			complain("--key: a public key is %d hexadecimal "
			    "digits", 2 * ATTEST_KEY_BYTES);
		return ok;
	}
	ok = admin_settings(admin) == ADMIN_OK && attest_own_key(admin, &own);
	if (ok)
		memcpy(public_key, own.public_key, ATTEST_KEY_BYTES);
	else
		hint("--key PUBLIC says who must have signed it");
	attest_key_scrub(&own);
	return ok;
}

int
attest_verify(struct admin *admin, const char *path, const char *key)
{
	uint8_t wanted[ATTEST_KEY_BYTES], found[ATTEST_KEY_BYTES];
	char *text = text_file_read(path);
	enum attest_verdict verdict;

	if (text == NULL || !expected_key(admin, key, wanted)) {
		free(text);
		return ATTEST_UNABLE;
	}
	verdict = attest_check(text, strlen(text), found);
	free(text);
	switch (verdict) {
	case ATTEST_NO_REPORT:
		complain("%s is no attestation", path);
		return ATTEST_FOUND;
	case ATTEST_FORGED:
		complain("%s is not what was signed", path);
		return ATTEST_FOUND;
	case ATTEST_VALID:
		break;
	}
	if (memcmp(wanted, found, ATTEST_KEY_BYTES) != 0) {
		complain("%s is signed with another key", path);
		return ATTEST_FOUND;
	}
	say(admin, "the signature is right; what the report found is in it");
	return ATTEST_CLEAN;
}

static enum admin_exit
show_key(struct admin *admin)
{
	char hex[2 * ATTEST_KEY_BYTES + 1];
	struct attest_key key;
	struct record *record;

	if (admin_settings(admin) != ADMIN_OK || !attest_own_key(admin, &key))
		return (enum admin_exit)ATTEST_UNABLE;
	hex_encode(key.public_key, ATTEST_KEY_BYTES, hex);
	attest_key_scrub(&key);
	record = record_open();
	record_text(record, "public_key", "Public key", hex);
	record_print(&record, admin);
	return ADMIN_OK;
}

static enum admin_exit
run(struct admin *admin, const struct args *args)
{
	enum attest_exit result = ATTEST_UNABLE;
	struct attest *a;

	if (geteuid() != 0) {
		complain("only root can search other processes' memory");
		return (enum admin_exit)ATTEST_UNABLE;
	}
	a = calloc(1, sizeof(*a));
	if (a == NULL || admin_settings(admin) != ADMIN_OK ||
	    !attest_own_key(admin, &a->key)) {
		free(a);
		return (enum admin_exit)ATTEST_UNABLE;
	}
	a->admin = admin;
	if (admin->reason[0] == '\0')
		admin->reason = "youyunctl attest";
	a->kill_worker = args_has(args, "kill-worker");
	a->self_test = args_has(args, "self-test");
	attest_run(a);
	if (attest_report(a))
		result = attest_result(a);
	else
		complain("the report can't be made");
	attest_key_scrub(&a->key);
	scan_free(&a->scan);
	search_close(&a->search);
	bytes_scrub(a, sizeof(*a));
	free(a);
	return (enum admin_exit)result;
}

static enum admin_exit
run_attest(struct admin *admin, const struct args *args)
{
	if (args_has(args, "verify"))
		return (enum admin_exit)attest_verify(admin,
		    args_get(args, "verify"), args_get(args, "key"));
	if (args_has(args, "key")) {
		complain("--key is given without --verify");
		return ADMIN_USAGE;
	}
	if (args_has(args, "public-key"))
		return show_key(admin);
	return run(admin, args);
}

const struct verb verbs_attest[] = {
	{ "attest", NULL, "", 0, 0,
	  "search the running installation for what calls leave behind",
	  "attest --json", options, run_attest },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
