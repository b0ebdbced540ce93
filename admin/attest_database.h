/*
 * attest_database.h: searching the database, and planting what must be found
 * there.
 * Layer: admin.
 * Written by: its opener.
 *
 * Through SQL, as values are that the server compresses; of the embedded one
 * the files and the WAL, too, once all is written to them.
 */
#ifndef ADMIN_ATTEST_DATABASE_H
#define ADMIN_ATTEST_DATABASE_H

#include <stdbool.h>
#include <stdint.h>

#include "admin/admin.h"
#include "admin/attest_scan.h"

struct attest_database {
	struct db *owner;	/* youyun_owner's connection */
	struct db *super;	/* the embedded cluster's, or NULL */
	int64_t since;		/* the transaction that it began in */
	bool planted;
};

/* Says why not.  attest_database_close() it in any case. */
bool	attest_database_open(struct admin *admin,
	    struct attest_database *database_r)
	    __attribute__((warn_unused_result));
/* A table with this text, and with it as the bytes of UTF-16, which closing
 * removes. */
bool	attest_database_plant(struct attest_database *database,
	    const char *text) __attribute__((warn_unused_result));
/* since_s: files that were changed since then. */
bool	attest_database_scan(struct admin *admin,
	    struct attest_database *database, struct scan *scan,
	    int64_t since_s) __attribute__((warn_unused_result));
void	attest_database_close(struct attest_database *database);

#endif
