/*
 * cluster.h: the private PostgreSQL cluster: made, configured, started for a
 * moment.
 * Layer: admin.
 * Written by: `youyunctl init`, as the service user; nobody else changes it.
 *
 * Every function prints what went wrong before it returns false.
 */
#ifndef ADMIN_CLUSTER_H
#define ADMIN_CLUSTER_H

#include <stdbool.h>
#include <sys/types.h>

struct admin;
struct service_user;
struct settings;

/* initdb into a folder beside, renamed at its end: a cluster is there whole
 * or not at all. */
bool	cluster_make(const struct admin *admin,
	    const struct settings *settings) __attribute__((warn_unused_result));

/*
 * Writes postgresql.conf's own include, pg_hba.conf and pg_ident.conf anew.
 * The roles may be taken by the service user and by root, by peer
 * authentication over the socket; the superuser by root alone, and by the
 * service user only while init itself runs the server.
 */
bool	cluster_configure(const struct settings *settings,
	    const struct service_user *user)
	    __attribute__((warn_unused_result));

/* Does somebody (the master) run it?  True as soon as its socket accepts. */
bool	cluster_runs(const struct settings *settings);

/* Ours for a while: -1 when it would not start. */
pid_t	cluster_start(const struct settings *settings)
	    __attribute__((warn_unused_result));
void	cluster_stop(pid_t pid);

#endif
