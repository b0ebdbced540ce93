/* node: the instances that share a database. */
#include "admin/admin.h"

#include <stdio.h>
#include <string.h>

#include "admin/args.h"
#include "admin/check.h"
#include "admin/report.h"
#include "base/money.h"
#include "db/queries.h"

static const struct report_column columns[] = {
	{ "id", "ID", REPORT_NUMBER, false },
	{ "name", "NODE", REPORT_TEXT, false },
	{ "state", "STATE", REPORT_TEXT, false },
	{ "unspent", "LEASES", REPORT_MONEY, false },
	{ "heard", "HEARD OF (UTC)", REPORT_TIME, true },
	{ "fenced", "FENCED (UTC)", REPORT_TIME, true },
	{ "epoch", NULL, REPORT_NUMBER, false },
	{ NULL, NULL, REPORT_TEXT, false }
};

static bool
list_row(const struct node_row *row, void *arg)
{
	struct report *report = arg;

	report_number(report, row->id);
	report_text(report, row->name);
	report_text(report, row->state);
	report_money(report, row->unspent_nano);
	report_time(report, row->beat_us);
	report_time(report, row->fenced_us);
	report_number(report, row->epoch);
	return true;
}

static enum admin_exit
run_list(struct admin *admin, const struct args *args)
{
	struct report *report;
	enum admin_exit status;

	(void)args;
	status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	report = report_list("nodes", columns);
	status = admin_database_failed(admin, q_node_each(admin->db,
	    list_row, report), "list the nodes");
	if (status == ADMIN_OK)
		report_print(&report, admin, "There is no node.");
	else
		report_discard(&report);
	return status;
}

struct node_change {
	const struct admin *admin;
	const char *name;
	int64_t id, home_nano;
};

static enum db_result
add_body(struct db *db, void *arg)
{
	struct node_change *c = arg;

	return q_node_add(db, c->name, &c->id);
}

static void
print_id(struct admin *admin, const struct node_change *c, bool fenced)
{
	struct record *record;

	if (!admin->json)
		return;
	record = record_open();
	record_number(record, "id", NULL, c->id);
	if (fenced)
		record_money(record, "home", NULL, c->home_nano);
	record_print(&record, admin);
}

static enum admin_exit
run_add(struct admin *admin, const struct args *args)
{
	struct node_change c = { .admin = admin, .name = args->word[0] };
	enum admin_exit status;
	enum db_result result;
	const char *why;

	why = check_name(c.name);
	if (why != NULL || strlen(c.name) > 63) {
		complain("\"%s\": %s", c.name, why != NULL ? why :
		    "longer than 63 bytes");
		return ADMIN_USAGE;
	}
	status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	result = admin_change(admin, add_body, &c);
	if (result == DB_CONFLICT) {
		complain("there is a node \"%s\" already", c.name);
		return ADMIN_REFUSED;
	}
	if (result != DB_OK)
		return admin_database_failed(admin, result, "add the node");
	print_id(admin, &c, false);
	say(admin, "added node %s, number %lld; its instance has \"node = %s\" "
	    "in youyun.conf, and the other instances' secrets_file", c.name,
	    (long long)c.id, c.name);
	return ADMIN_OK;
}

static enum admin_exit
find(struct admin *admin, struct node_change *c)
{
	enum admin_exit status;
	enum db_result result;

	status = admin_database(admin);
	if (status != ADMIN_OK)
		return status;
	result = q_node_find(admin->db, c->name, &c->id);
	if (result == DB_NONE) {
		complain("there is no node \"%s\"", c->name);
		hint("\"youyunctl node list\" shows them");
		return ADMIN_NOT_FOUND;
	}
	return admin_database_failed(admin, result, "find the node");
}

static enum db_result
fence_body(struct db *db, void *arg)
{
	struct node_change *c = arg;

	return q_node_fence(db, c->id, c->admin->actor, c->admin->reason,
	    &c->home_nano);
}

static enum admin_exit
run_fence(struct admin *admin, const struct args *args)
{
	struct node_change c = { .admin = admin, .name = args->word[0] };
	char text[MONEY_TEXT_BYTES];
	enum admin_exit status;
	enum db_result result;

	status = find(admin, &c);
	if (status == ADMIN_OK && !admin_confirm(admin, "The node will take no "
	    "calls any more, and what it has spent but not told yet may not "
	    "be paid for.  Go on?"))
		status = ADMIN_REFUSED;
	if (status != ADMIN_OK)
		return status;
	result = admin_change(admin, fence_body, &c);
	if (result == DB_CONFLICT) {
		complain("node %s is fenced already", c.name);
		return ADMIN_REFUSED;
	}
	if (result != DB_OK)
		return admin_database_failed(admin, result, "fence the node");
	money_format(c.home_nano, 2, text);
	print_id(admin, &c, true);
	say(admin, "node %s is fenced; %s of its leases came home", c.name,
	    text);
	return ADMIN_OK;
}

static enum db_result
admit_body(struct db *db, void *arg)
{
	struct node_change *c = arg;

	return q_node_admit(db, c->id, c->admin->actor, c->admin->reason);
}

static enum admin_exit
run_admit(struct admin *admin, const struct args *args)
{
	struct node_change c = { .admin = admin, .name = args->word[0] };
	enum admin_exit status;
	enum db_result result;

	status = find(admin, &c);
	if (status != ADMIN_OK)
		return status;
	result = admin_change(admin, admit_body, &c);
	if (result == DB_CONFLICT) {
		complain("node %s is not fenced", c.name);
		return ADMIN_REFUSED;
	}
	if (result != DB_OK)
		return admin_database_failed(admin, result, "admit the node");
	print_id(admin, &c, false);
	say(admin, "node %s may be used again, by an instance that is started "
	    "from now on", c.name);
	return ADMIN_OK;
}

const struct verb verbs_node[] = {
	{ "node", "list", "", 0, 0,
	  "list the nodes, and what their leases have left",
	  "node list", NULL, run_list },
	{ "node", "add", "NAME", 1, 1,
	  "add a node for another instance",
	  "node add node2", NULL, run_add },
	{ "node", "fence", "NODE", 1, 1,
	  "shut a node out that is gone, and bring its money home",
	  "node fence node2 --reason \"machine is lost\"", NULL, run_fence },
	{ "node", "admit", "NODE", 1, 1,
	  "let a fenced node's place be taken again",
	  "node admit node2", NULL, run_admit },
	{ NULL, NULL, NULL, 0, 0, NULL, NULL, NULL, NULL }
};
