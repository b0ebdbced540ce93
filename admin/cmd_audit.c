/* audit: who did what, and whether that is all and as it was written. */
#include "admin/admin.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <json-c/json.h>

#include "admin/args.h"
#include "admin/check.h"
#include "admin/options.h"
#include "admin/page.h"
#include "admin/progress.h"
#include "admin/report.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "db/audit_chain.h"

#define FAULTS_SHOWN 20
#define HEX_BYTES (2 * AUDIT_HASH_BYTES + 1)

static const struct report_column columns[] = {
	{ "id", "ENTRY", REPORT_NUMBER, false },
	{ "at", "TIME (UTC)", REPORT_TIME, false },
	{ "actor", "ACTOR", REPORT_TEXT, false },
	{ "role", NULL, REPORT_TEXT, false },
	{ "action", "ACTION", REPORT_TEXT, false },
	{ "object", "OBJECT", REPORT_TEXT, false },
	{ "reason", "REASON", REPORT_TEXT, true },
	{ "change", "CHANGE", REPORT_TEXT, true },
	{ NULL, NULL, REPORT_TEXT, false }
};

static const struct opt list_options[] = {
	{ "object", "OBJECT", "only what concerns it, such as customer:5",
	  false },
	{ "since", "TIME", "only from then on", false },
	PAGE_OPTIONS,
	{ NULL, NULL, NULL, false }
};

static bool
list_row(const struct audit_row *row, void *arg)
{
	struct report *report = page_row(arg, "%" PRId64, row->id);

	if (report == NULL)
		return false;

	report_number(report, row->id);
	report_time(report, row->at_us);
	report_text(report, row->actor);
	report_text(report, row->role);
	report_text(report, row->action);
	report_text(report, row->object);
	report_text(report, row->reason);
	report_text(report, row->change);
	return true;
}

static enum admin_exit
read_page(struct admin *admin, struct page *page, void *arg)
{
	struct audit_filter *f = arg;
	enum admin_exit status = page_number(page, &f->before);

	f->limit = PAGE_ASKED(page);
	return status != ADMIN_OK ? status : admin_database_failed(admin,
	    q_audit_list(admin->db, f, list_row, page),
	    "list the audit trail");
}

static enum admin_exit
run_list(struct admin *admin, const struct args *args)
{
	static const struct page_list list = { .name = "audit",
		.columns = columns, .empty = "There is no such entry." };
	struct audit_filter f = { .object = args_get(args, "object") };
	struct page page;
	enum admin_exit status = page_take(args, &page);

	if (status == ADMIN_OK)
		status = option_time(args, "since", &f.since_us);
	if (status == ADMIN_OK)
		status = admin_database(admin);
	return status != ADMIN_OK ? status :
	    page_print(admin, &page, &list, read_page, &f);
}

/* A line of a file of anchors. */
struct anchor {
	int64_t size;
	char root[HEX_BYTES];
	int64_t at_us;
	bool met;			/* the chain came so far */
};

struct anchors {
	struct anchor *anchor;
	size_t n;
};

static int
by_size(const void *a, const void *b)
{
	const struct anchor *x = a, *y = b;

	return x->size < y->size ? -1 : x->size > y->size;
}

static bool
parse_anchor(const char *line, struct anchor *a)
{
	const char *at = strstr(line, "youyun-audit size=");
	char at_text[WALL_TEXT_BYTES];

	/* A line of the system's log has other things before it. */
	return at != NULL && sscanf(at, "youyun-audit size=%" SCNd64
	    " root=%64[0-9a-f] at=%31s", &a->size, a->root, at_text) == 3 &&
	    strlen(a->root) == HEX_BYTES - 1 && a->size >= 0 &&
	    check_time(at_text, &a->at_us);
}

static enum admin_exit
read_anchors(const char *path, struct anchors *all)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	int number = 0;
	enum admin_exit status = ADMIN_OK;

	if (file == NULL) {
		complain("%s: %s", path, strerror(errno));
		return ADMIN_USAGE;
	}
	while (status == ADMIN_OK && getline(&line, &size, file) >= 0) {
		struct anchor *more = realloc(all->anchor,
		    (all->n + 1) * sizeof(*more));

		number++;
		if (more == NULL)
			abort();
		all->anchor = more;
		more[all->n].met = false;
		if (parse_anchor(line, &more[all->n])) {
			all->n++;
			continue;
		}
		complain("%s:%d: no anchor; one looks like \"youyun-audit "
		    "size=12 root=… at=…\"", path, number);
		status = ADMIN_USAGE;
	}
	free(line);
	fclose(file);
	if (all->n > 0)
		qsort(all->anchor, all->n, sizeof(*all->anchor), by_size);
	return status;
}

struct check {
	struct audit_chain chain;
	struct anchors anchors;
	size_t next;			/* of the anchors */
	int64_t faults, erased, wrong_anchors, unlinked;
	bool prints;			/* each link, as JSON */
};

static void
tell(struct check *c, const char *what, int64_t number, const char *why)
{
	progress_clear();
	if (c->faults++ < FAULTS_SHOWN)
		fprintf(stderr, "%s %" PRId64 ": %s\n", what, number, why);
}

static void
check_anchors(struct check *c)
{
	uint8_t root[AUDIT_HASH_BYTES];
	char hex[HEX_BYTES];
	struct anchor *a;

	for (; c->next < c->anchors.n; c->next++) {
		a = &c->anchors.anchor[c->next];
		if (a->size > c->chain.leaves)
			return;
		audit_chain_root(&c->chain, root);
		hex_encode(root, sizeof(root), hex);
		a->met = true;
		if (strcmp(hex, a->root) != 0) {
			c->wrong_anchors++;
			tell(c, "anchor of size", a->size,
			    "what is there now is not what was anchored");
		} else if (c->chain.latest_us > a->at_us + AUDIT_CLOCK_US) {
			tell(c, "anchor of size", a->size,
			    "entries that it counts are of a later time");
		}
	}
}

static struct json_object *
hash_json(const uint8_t *hash)
{
	char hex[HEX_BYTES];

	if (hash == NULL)
		return NULL;
	hex_encode(hash, AUDIT_HASH_BYTES, hex);
	return json_object_new_string(hex);
}

static void
print_link(const struct audit_link_row *k)
{
	struct json_object *o = json_object_new_object();
	char at[WALL_TEXT_BYTES];

	json_object_object_add(o, "seq", json_object_new_int64(k->seq));
	json_object_object_add(o, "id", json_object_new_int64(k->audit_id));
	if (k->there) {
		wall_format((struct wall_time){ k->entry.at_us }, at);
		json_object_object_add(o, "at", json_object_new_string(at));
		json_object_object_add(o, "actor",
		    json_object_new_string(k->entry.actor));
		json_object_object_add(o, "role",
		    json_object_new_string(k->entry.role));
		json_object_object_add(o, "action",
		    json_object_new_string(k->entry.action));
		json_object_object_add(o, "object",
		    json_object_new_string(k->entry.object));
		json_object_object_add(o, "reason",
		    json_object_new_string(k->entry.reason));
		/* As text: it is hashed as it stands. */
		json_object_object_add(o, "change",
		    json_object_new_string(k->entry.change));
	}
	json_object_object_add(o, "detail", hash_json(k->detail));
	json_object_object_add(o, "leaf", hash_json(k->leaf));
	json_object_object_add(o, "chain", hash_json(k->chain));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
	    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static bool
take_link(const struct audit_link_row *k, void *arg)
{
	struct check *c = arg;
	enum audit_fault fault;

	check_anchors(c);
	progress_set(c->chain.leaves);
	fault = audit_chain_add(&c->chain, k);
	if (fault == AUDIT_ERASED)
		c->erased++;
	else if (fault != AUDIT_SOUND)
		tell(c, "entry", k->audit_id, audit_fault_text(fault));
	if (c->prints)
		print_link(k);
	return true;
}

/* Links what isn't linked yet, and goes through all of it. */
static enum admin_exit
walk(struct admin *admin, struct check *c)
{
	enum admin_exit status = admin_database(admin);
	enum db_result result;

	if (status != ADMIN_OK)
		return status;
	/* What is printed meanwhile may go to the same terminal. */
	if (!c->prints || !isatty(STDOUT_FILENO))
		progress_begin("entries", 0);
	result = q_audit_seal(admin->db);
	if (result == DB_OK)
		result = q_audit_link_each(admin->db, take_link, c);
	if (result == DB_OK)
		result = q_audit_unlinked(admin->db, &c->unlinked);
	if (!c->prints || !isatty(STDOUT_FILENO))
		progress_end();
	if (result == DB_OK)
		check_anchors(c);
	return admin_database_failed(admin, result, "read the audit trail");
}

static void
root_hex(const struct check *c, char hex_r[HEX_BYTES])
{
	uint8_t root[AUDIT_HASH_BYTES];

	audit_chain_root(&c->chain, root);
	hex_encode(root, sizeof(root), hex_r);
}

static void
show_check(struct admin *admin, const struct check *c)
{
	struct record *record = record_open();
	char hex[HEX_BYTES];

	root_hex(c, hex);
	record_number(record, "entries", "Entries", c->chain.leaves);
	record_text(record, "root", "Root", hex);
	record_number(record, "faults", "Faults", c->faults);
	record_number(record, "erased", "Blanked by erasures", c->erased);
	record_number(record, "unlinked", "Not linked yet", c->unlinked);
	record_number(record, "anchors", "Anchors", (int64_t)c->anchors.n);
	record_print(&record, admin);
}

static const struct opt verify_options[] = {
	{ "anchors", "FILE", "hold it against what audit anchor wrote", false },
	{ NULL, NULL, NULL, false }
};

static enum admin_exit
run_verify(struct admin *admin, const struct args *args)
{
	const char *path = args_get(args, "anchors");
	struct check c = { .prints = false };
	enum admin_exit status = ADMIN_OK;

	if (path != NULL)
		status = read_anchors(path, &c.anchors);
	if (status == ADMIN_OK)
		status = walk(admin, &c);
	for (size_t i = 0; status == ADMIN_OK && i < c.anchors.n; i++)
		if (!c.anchors.anchor[i].met)
			tell(&c, "anchor of size", c.anchors.anchor[i].size,
			    "there are fewer entries now");
	if (status == ADMIN_OK) {
		show_check(admin, &c);
		if (c.faults > 0)
			status = ADMIN_FAILED;
	}
	free(c.anchors.anchor);
	return status;
}

static const struct opt anchor_options[] = {
	{ "file", "FILE", "append it to this file", false },
	{ "syslog", NULL, "write it to the system's log", false },
	{ NULL, NULL, NULL, false }
};

static enum admin_exit
append(const char *path, const char *line)
{
	FILE *file = fopen(path, "ae");
	bool failed = file == NULL;

	if (file != NULL) {
		failed = fprintf(file, "%s\n", line) < 0;
		failed = fflush(file) != 0 || failed;
		failed = fsync(fileno(file)) != 0 || failed;
		failed = fclose(file) != 0 || failed;
	}
	if (!failed)
		return ADMIN_OK;
	complain("%s: %s", path, strerror(errno));
	return ADMIN_FAILED;
}

static enum admin_exit
run_anchor(struct admin *admin, const struct args *args)
{
	const char *path = args_get(args, "file");
	struct check c = { .prints = false };
	char line[AUDIT_ANCHOR_BYTES], hex[HEX_BYTES], at[WALL_TEXT_BYTES];
	enum admin_exit status = walk(admin, &c);

	if (status != ADMIN_OK)
		return status;
	if (c.faults > 0) {
		complain("the audit trail is not sound and was not anchored");
		return ADMIN_FAILED;
	}
	root_hex(&c, hex);
	wall_format(clock_wall(), at);
	snprintf(line, sizeof(line), AUDIT_ANCHOR_FORMAT, c.chain.leaves, hex, at);
	if (path != NULL)
		status = append(path, line);
	if (args_has(args, "syslog")) {
		openlog("youyunctl", LOG_PID, LOG_AUTHPRIV);
		syslog(LOG_NOTICE, "%s", line);
		closelog();
	}
	puts(line);
	return status;
}

static enum admin_exit
run_export(struct admin *admin, const struct args *args)
{
	struct check c = { .prints = true };
	enum admin_exit status = walk(admin, &c);

	(void)args;
	return status == ADMIN_OK && c.faults > 0 ? ADMIN_FAILED : status;
}

const struct verb verbs_audit[] = {
	{ "audit", "list", "", 0, 0,
	  "list what was changed, by whom and why",
	  "audit list --object customer:5 --since 7d", list_options,
	  run_list },
	{ "audit", "verify", "", 0, 0,
	  "compute the audit trail's chain anew; find what was changed",
	  "audit verify --anchors /mnt/worm/youyun-audit", verify_options,
	  run_verify },
	{ "audit", "anchor", "", 0, 0,
	  "print the trail's head, to be kept elsewhere",
	  "audit anchor --syslog --file /mnt/worm/youyun-audit",
	  anchor_options, run_anchor },
	{ "audit", "export", "", 0, 0,
	  "print all of the trail with its chain, a line of JSON each",
	  "audit export", NULL, run_export },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
