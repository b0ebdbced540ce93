/*
 * access.h: which commands show customers' data, and that this is audited.
 * Layer: admin.
 * Written by: nobody; a table in access.c.
 */
#ifndef ADMIN_ACCESS_H
#define ADMIN_ACCESS_H

#include "admin/admin.h"

#define ACCESS_WHO_BYTES 130	/* a customer's name */

/*
 * Notes what the running command is about to show, once, when it has
 * connected.  A read that can't be noted isn't made.
 */
enum db_result	access_begin(struct admin *admin)
	    __attribute__((warn_unused_result));

/* For commands that know whose the data are only when they have them; before
 * they print. */
enum admin_exit	access_customer(struct admin *admin, const char *who)
	    __attribute__((warn_unused_result));

#endif
