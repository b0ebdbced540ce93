#include "flusher/anchor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "conf/settings.h"
#include "db/audit_chain.h"
#include "db/queries_audit.h"

#define BATCH 5000

struct anchor {
	int64_t every_ms;
	bool to_syslog;
	int fd;
	struct audit_chain chain;
	int64_t anchored;	/* leaves of the last anchor */
	int64_t batch;		/* links of this turn */
	bool broken;		/* a link is missing: it was said */
	struct mono_time due;
};

int
anchor_file_open(const struct settings *s)
{
	int fd;

	/* As the log's, which it may be; without a name it has none. */
	if (strcmp(s->audit_anchor_to, "syslog") == 0)
		openlog("youyund", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	if (s->audit_anchor_to[0] != '/')
		return -1;
	fd = open(s->audit_anchor_to, O_WRONLY | O_APPEND | O_CREAT |
	    O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
	if (fd < 0)
		log_error("the audit trail can't be anchored: path=%s why=%s",
		    s->audit_anchor_to, strerror(errno));
	return fd;
}

struct anchor *
anchor_open(const struct settings *s, int fd)
{
	struct anchor *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	a->every_ms = s->audit_anchor_every_ms;
	a->to_syslog = strcmp(s->audit_anchor_to, "syslog") == 0;
	a->fd = fd;
	a->due = clock_mono();
	return a;
}

void
anchor_close(struct anchor **anchor)
{
	free(*anchor);
	*anchor = NULL;
}

static bool
take_leaf(const struct audit_link_row *k, void *arg)
{
	struct anchor *a = arg;

	a->batch++;
	if (k->seq != a->chain.last_seq + 1 || k->leaf == NULL) {
		if (!a->broken)
			log_error("the audit trail is not sound and is not "
			    "anchored any more: link=%" PRId64 " hint=youyunctl "
			    "audit verify", k->seq);
		a->broken = true;
		return false;
	}
	audit_chain_grow(&a->chain, k->leaf);
	a->chain.last_seq = k->seq;
	return true;
}

static void
write_out(struct anchor *a, const char *line)
{
	size_t len = strlen(line);

	if (a->to_syslog)
		syslog(LOG_AUTHPRIV | LOG_NOTICE, "%.*s", (int)len - 1, line);
	/* One write a line: a killed flusher leaves no half of one. */
	if (a->fd >= 0 && (write(a->fd, line, len) != (ssize_t)len ||
	    fdatasync(a->fd) != 0))
		log_error("the audit trail could not be anchored: why=%s",
		    strerror(errno));
}

static void
put(struct anchor *a)
{
	uint8_t root[AUDIT_HASH_BYTES];
	char hex[2 * AUDIT_HASH_BYTES + 1], at[WALL_TEXT_BYTES];
	char line[AUDIT_ANCHOR_BYTES];

	audit_chain_root(&a->chain, root);
	hex_encode(root, sizeof(root), hex);
	wall_format(clock_wall(), at);
	snprintf(line, sizeof(line), AUDIT_ANCHOR_FORMAT "\n",
	    a->chain.leaves, hex, at);
	write_out(a, line);
	a->anchored = a->chain.leaves;
}

/* An end that was cut off would leave nothing to read for a while. */
static enum db_result
look_for_cut(struct anchor *a, struct db *db)
{
	enum db_result result;
	int64_t last;

	result = q_audit_last_link(db, &last);
	if (result == DB_OK && last < a->chain.last_seq && !a->broken) {
		log_error("the audit trail was cut off and is not anchored "
		    "any more: links=%" PRId64 " were=%" PRId64, last,
		    a->chain.last_seq);
		a->broken = true;
	}
	return result;
}

enum db_result
anchor_turn(struct anchor *a, struct db *db, bool *more_r)
{
	enum db_result result;

	*more_r = false;
	if ((!a->to_syslog && a->fd < 0) || a->broken)
		return DB_OK;
	a->batch = 0;
	result = q_audit_leaf_each(db, a->chain.last_seq, BATCH, take_leaf, a);
	*more_r = a->batch == BATCH;
	if (result != DB_OK || *more_r || a->broken ||
	    clock_mono().ns < a->due.ns)
		return result;
	a->due = mono_add_ms(clock_mono(), a->every_ms);
	result = look_for_cut(a, db);
	if (result == DB_OK && !a->broken && a->chain.leaves > a->anchored)
		put(a);
	return result;
}
