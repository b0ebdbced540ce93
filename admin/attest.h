/*
 * attest.h: one run of `youyunctl attest`, put together.
 * Layer: admin.
 * Written by: attest_run.c; attest_report.c reads it.
 */
#ifndef ADMIN_ATTEST_H
#define ADMIN_ATTEST_H

#include <stdbool.h>
#include <stdint.h>

#include "admin/admin.h"
#include "admin/attest_calls.h"
#include "admin/attest_control.h"
#include "admin/attest_database.h"
#include "admin/attest_files.h"
#include "admin/attest_fixture.h"
#include "admin/attest_process.h"
#include "admin/attest_scan.h"
#include "admin/attest_sign.h"
#include "admin/attest_upstream.h"
#include "conf/settings.h"

/* What monitoring reads; the manual lists them. */
enum attest_exit {
	ATTEST_CLEAN = 0,
	ATTEST_FOUND = 1,	/* a canary, or a worker that isn't confined */
	ATTEST_UNABLE = 2	/* it shows nothing */
};

#define ATTEST_REASONS_MAX 16
#define ATTEST_REASON_BYTES 240

struct attest {
	struct admin *admin;
	bool kill_worker;
	bool self_test;		/* leave a canary where it must be found */

	struct attest_key key;
	struct canaries canaries;
	struct control_helper helper;
	struct attest_upstream upstream;
	struct attest_database database;
	struct fixture fixture;
	char api_key[API_KEY_LEN + 1];
	char credential[CANARY_BYTES + 1];
	char control_path[CONTROL_PATH_BYTES];
	char planted_path[CONTROL_PATH_BYTES];
	struct attest_calls calls;
	bool seen_in_call;	/* a prompt, while its call went on */

	pid_t master;
	int64_t begun_us, ended_us;
	struct search *search;
	struct scan scan;
	struct processes processes;
	struct confinement worker[SETTING_WORKERS_MAX];
	size_t workers;
	struct swap_state swap;

	/* Why it shows nothing. */
	unsigned reasons;
	char reason[ATTEST_REASONS_MAX][ATTEST_REASON_BYTES];
};

/* From the first canary to the last search; what it made is gone afterwards,
 * whatever came of it.  The key is there already. */
void	attest_run(struct attest *attest);

/* What must be found, and whether it was; NULL after the last. */
const char *attest_control(const struct attest *attest, int n, bool *found_r);

/* What it comes to. */
enum attest_exit attest_result(const struct attest *attest);

/* The signed report on standard output; false: it can't be made. */
bool	attest_report(const struct attest *attest)
	    __attribute__((warn_unused_result));

/* --verify FILE; key: hexadecimal, or NULL for the installation's own. */
int	attest_verify(struct admin *admin, const char *path, const char *key);

#endif
