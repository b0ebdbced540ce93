/*
 * attest_calls.h: a call on each path, with its canaries.
 * Layer: admin.
 * Written by: attest_calls().
 */
#ifndef ADMIN_ATTEST_CALLS_H
#define ADMIN_ATTEST_CALLS_H

#include <stdbool.h>

#include "admin/admin.h"
#include "admin/attest_canary.h"
#include "admin/attest_client.h"
#include "admin/attest_process.h"

struct fixture;

/* What came of a path. */
struct attest_path_result {
	bool done;		/* it went the way it is to go */
	int status;		/* that the client saw; 0: none */
	char why[160];		/* when it wasn't done */
};

struct attest_calls {
	struct admin *admin;
	struct fixture *fixture;
	const struct canaries *canaries;
	const char *key;	/* borrowed */
	pid_t master;
	bool kill_worker;
	bool (*stopped)(void);
	/* A call goes on: the worker has its prompt, the provider is silent. */
	void (*in_call)(void *arg, enum canary_path path);
	void *arg;
	struct attest_client client[CANARY_PATHS];	/* left open */
	struct attest_path_result result[CANARY_PATHS];
	int recorded;		/* calls that a record is to come of */
};

/* Waits until the key and the models are known, then calls; connections stay
 * open, as customers' do, until attest_calls_end(). */
bool	attest_calls(struct attest_calls *calls)
	    __attribute__((warn_unused_result));
void	attest_calls_end(struct attest_calls *calls);

#endif
