/*
 * portal.h: the process that answers the customers' API, /api/v1.
 * Layer: portal.  Behind the workers; as youyun_portal in the database.
 * Written by: the master starts it.
 *
 * It sees no prompt and no answer.  What it reads and changes in the database
 * is one customer's at a time: views and functions that look at the
 * transaction's setting youyun.customer (0014-portal.sql), which is set when a
 * key was recognised.
 */
#ifndef PORTAL_PORTAL_H
#define PORTAL_PORTAL_H

struct heritage;

/* Returns the process's exit status.  heritage->portal_fd brings connections. */
int	portal_main(const struct heritage *heritage);

#endif
