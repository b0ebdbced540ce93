/* What the database can say to each clause; a gap is a sentence. */
#include <stdio.h>
#include <string.h>

#include "db/fetch.h"
#include "db/queries.h"
#include "db/queries_agreement.h"

/* Tables of ours, without partitions. */
#define TABLES \
	" FROM pg_class c WHERE c.relnamespace = 'youyun'::regnamespace" \
	" AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
#define COLUMNS \
	" FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid" \
	" AND a.attnum > 0 AND NOT a.attisdropped" \
	" WHERE c.relnamespace = 'youyun'::regnamespace" \
	" AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
#define MARK "coalesce(col_description(c.oid, a.attnum), '')"
#define ACTIVE_CHANNELS " FROM youyun.channel c WHERE c.status = 0"
#define DAY(t) "to_char(" t " AT TIME ZONE 'UTC', 'YYYY-MM-DD')"

/* Each gives (name, value, gap), NULL where there is none. */
static const struct fact {
	const char *clause;
	const char *sql;
} facts[] = {
	/* Roles. */
	{ "1", "SELECT c.relname::text, count(*) FILTER (WHERE " MARK
	  " ~ 'Operator: controller') || ' as controller'"
	  " || coalesce(', as processor: ' || string_agg(a.attname, ' '"
	  " ORDER BY a.attnum) FILTER (WHERE " MARK
	  " ~ 'Operator: processor'), ''), CASE WHEN bool_or(" MARK
	  " !~ 'Operator: (controller|processor)')"
	  " THEN 'table ' || c.relname || ' has columns without a role' END"
	  COLUMNS " GROUP BY c.relname ORDER BY c.relname" },
	/* Purposes. */
	{ "2", "SELECT 'tables with a purpose', count(*)::text, CASE WHEN"
	  " bool_or(coalesce(obj_description(c.oid, 'pg_class'), '') = '')"
	  " THEN 'a table says no purpose' END" TABLES },
	/* What is recorded. */
	{ "3", "SELECT 'columns of a call''s record', count(*)::text, NULL"
	  COLUMNS " AND c.relname = 'call'" },
	{ "3", "SELECT 'customers', count(*)::text, NULL"
	  " FROM youyun.customer" },
	{ "3", "SELECT 'active keys', count(*)::text, NULL"
	  " FROM youyun.api_key WHERE status = 0" },
	{ "3", "SELECT 'tickets', count(*)::text, NULL FROM youyun.ticket" },
	/* What customers can do. */
	{ "4", "SELECT 'keys bound to networks', count(*)::text, NULL"
	  " FROM youyun.api_key k JOIN youyun.policy p ON p.id = k.policy_id"
	  " WHERE k.status = 0 AND p.addresses <> '{}'" },
	{ "4", "SELECT 'keys that expire', count(*)::text, NULL"
	  " FROM youyun.api_key WHERE status = 0"
	  " AND expires_at IS NOT NULL" },
	{ "4", "SELECT 'suspended customers', count(*)::text, NULL"
	  " FROM youyun.customer WHERE status = 2" },
	/* Security: who may do what. */
	{ "5", "SELECT r.rolname::text, count(*) FILTER (WHERE"
	  " has_any_column_privilege(r.oid, c.oid, 'SELECT')) || ' tables read,"
	  " ' || count(*) FILTER (WHERE has_any_column_privilege(r.oid, c.oid,"
	  " 'INSERT') OR has_any_column_privilege(r.oid, c.oid, 'UPDATE')"
	  " OR has_table_privilege(r.oid, c.oid, 'DELETE')) || ' written',"
	  " CASE WHEN r.rolsuper OR r.rolcreaterole OR r.rolcreatedb"
	  " OR r.rolbypassrls THEN 'role ' || r.rolname || ' may do more than"
	  " its work takes' END FROM pg_roles r CROSS JOIN pg_class c"
	  " WHERE r.rolname ~ '^youyun_' AND r.rolname <> 'youyun_owner'"
	  " AND c.relnamespace = 'youyun'::regnamespace"
	  " AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
	  " GROUP BY r.rolname, r.rolsuper, r.rolcreaterole, r.rolcreatedb,"
	  " r.rolbypassrls ORDER BY 1" },
	{ "5", "SELECT 'tables open to everybody', count(*)::text, CASE WHEN"
	  " count(*) > 0 THEN 'everybody may use ' || string_agg(c.relname,"
	  " ', ' ORDER BY c.relname) END" TABLES " AND EXISTS (SELECT 1"
	  " FROM aclexplode(c.relacl) x WHERE x.grantee = 0)" },
	{ "5", "SELECT 'channels without TLS', count(*)::text, CASE WHEN"
	  " count(*) > 0 THEN 'no TLS to ' || string_agg(c.name, ', '"
	  " ORDER BY c.name) END" ACTIVE_CHANNELS " AND NOT c.tls" },
	{ "5", "SELECT 'security events of the last 30 days', count(*)::text,"
	  " NULL FROM youyun.security_event"
	  " WHERE at > now() - interval '30 days'" },
	/* Sub-processors. */
	{ "6", "SELECT s.name, s.entity || ', ' || s.country || ', since ' ||"
	  " " DAY("s.valid_from") " || CASE WHEN s.ended <= now()"
	  " THEN ', ended ' || " DAY("s.ended") " WHEN s.valid_from > now()"
	  " THEN ', announced' ELSE '' END, NULL"
	  " FROM youyun.subprocessor s ORDER BY s.name" },
	{ "6", "SELECT 'channels without a sub-processor', count(*)::text,"
	  " CASE WHEN count(*) > 0 THEN 'no sub-processor is named by ' ||"
	  " string_agg(c.name, ', ' ORDER BY c.name) END" ACTIVE_CHANNELS
	  " AND c.subprocessor_id IS NULL" },
	{ "6", "SELECT 'channels left out', count(*)::text, NULL"
	  " FROM youyun.channel c JOIN youyun.subprocessor s"
	  " ON s.id = c.subprocessor_id WHERE c.status = 0"
	  " AND (s.valid_from > now() OR s.ended <= now())" },
	/* Regions. */
	{ "7", "SELECT 'region ' || c.region, string_agg(c.name, ', '"
	  " ORDER BY c.name), NULL" ACTIVE_CHANNELS " AND c.region <> ''"
	  " GROUP BY c.region ORDER BY 1" },
	{ "7", "SELECT 'channels without a region', count(*)::text, CASE WHEN"
	  " count(*) > 0 THEN 'no region is said of ' || string_agg(c.name,"
	  " ', ' ORDER BY c.name) END" ACTIVE_CHANNELS " AND c.region = ''" },
	{ "7", "SELECT 'customers bound to regions', count(*)::text, NULL"
	  " FROM youyun.customer k JOIN youyun.policy p ON p.id = k.policy_id"
	  " WHERE p.regions <> '{}'" },
	/* Deletion. */
	{ "8", "SELECT 'oldest record of a call', coalesce(" DAY("min(started_at)")
	  ", 'none'), NULL FROM youyun.call" },
	{ "8", "SELECT 'days that ' || name || ' are kept', days::text, NULL"
	  " FROM youyun.retention ORDER BY id" },
	{ "8", "SELECT 'deleted in the last 30 days: ' || name,"
	  " sum(rows)::text, NULL FROM youyun.retention_log"
	  " WHERE at > now() - interval '30 days' GROUP BY name"
	  " ORDER BY name" },
	{ "8", "SELECT 'customers on legal hold', count(*)::text, NULL"
	  " FROM youyun.legal_hold WHERE lifted IS NULL" },
	{ "8", "SELECT 'erased accounts', count(*)::text, NULL"
	  " FROM youyun.closing WHERE state = 3" },
	/* Incidents. */
	{ "9", "SELECT 'incident ' || i.id, i.kind || ', opened ' || "
	  DAY("i.opened") ", CASE WHEN EXISTS (SELECT 1"
	  " FROM youyun.incident_customer a WHERE a.incident_id = i.id"
	  " AND NOT EXISTS (SELECT 1 FROM youyun.incident_notice n"
	  "  WHERE n.incident_id = i.id AND n.customer_id = a.customer_id))"
	  " THEN 'not everybody whom incident ' || i.id || ' affects was told'"
	  " WHEN NOT EXISTS (SELECT 1 FROM youyun.incident_customer a"
	  "  WHERE a.incident_id = i.id) THEN 'whom incident ' || i.id ||"
	  " ' affects was not found out' END"
	  " FROM youyun.incident i WHERE i.closed IS NULL ORDER BY i.id" },
	{ "9", "SELECT 'incidents ever', count(*)::text, NULL"
	  " FROM youyun.incident" },
	{ "9", "SELECT 'mails about them given up', count(*)::text, NULL"
	  " FROM youyun.incident_notice x JOIN youyun.notice n"
	  " ON n.id = x.notice_id WHERE n.mail_state = 3" },
	/* Requests. */
	{ "10", "SELECT 'request ' || q.id, q.kind || ', due ' || "
	  DAY("q.due") ", CASE WHEN q.due < now() THEN 'request ' || q.id ||"
	  " ' is overdue' WHEN q.proof = '' THEN 'of request ' || q.id ||"
	  " ' nobody noted how it was made sure who asks' END"
	  " FROM youyun.data_request q WHERE q.answered IS NULL"
	  " ORDER BY q.due, q.id" },
	{ "10", "SELECT 'requests answered', count(*)::text, NULL"
	  " FROM youyun.data_request WHERE answered IS NOT NULL" },
	/* Evidence. */
	{ "11", "SELECT 'last verify', coalesce((SELECT iso || ', ' || calls ||"
	  " ' calls, ' || breaches || ' breaches' FROM v), 'never'),"
	  " CASE WHEN NOT EXISTS (SELECT 1 FROM v) THEN 'verify never ran'"
	  " WHEN (SELECT breaches FROM v) > 0 THEN 'verify found breaches'"
	  " WHEN (SELECT at FROM v) < now() - interval '31 days'"
	  " THEN 'verify ran more than a month ago' END"
	  " FROM (SELECT 1) one" },
	{ "11", "SELECT 'entries of the audit trail', count(*) || coalesce("
	  "', the last ' || " DAY("max(at)") ", ''), NULL FROM youyun.audit" },
	{ "11", "SELECT 'migrations of the schema', count(*)::text, NULL"
	  " FROM youyun.schema_version" },
	/* The end. */
	{ "13", "SELECT 'closing of customer ' || k.customer_id, CASE k.state"
	  " WHEN 0 THEN 'in grace until ' ELSE 'being erased since ' END || "
	  DAY("k.due") ", CASE WHEN k.due < now() - interval '1 day' THEN"
	  " 'the erasure of customer ' || k.customer_id || ' is late' END"
	  " FROM youyun.closing k WHERE k.state IN (0, 2)"
	  " ORDER BY k.due, k.id" },
	{ "13", "SELECT 'certificates', count(*)::text, NULL"
	  " FROM youyun.closing WHERE certificate IS NOT NULL" },
};

#define LAST_VERIFY "WITH v AS (SELECT " DAY("at") " AS iso, at, calls," \
	" breaches FROM youyun.verify_run ORDER BY id DESC LIMIT 1) "

struct pass {
	bool (*each)(const struct compliance_fact *, void *);
	void *arg;
};

static bool
take(const struct db_rows *r, void *arg)
{
	const struct pass *pass = arg;
	struct compliance_fact fact = {
		.name = db_get_text(r, 0, 0),
		.value = db_get_text(r, 0, 1),
		.gap = db_null(r, 0, 2) ? NULL : db_get_text(r, 0, 2),
	};

	return pass->each(&fact, pass->arg);
}

enum db_result
q_compliance_each(struct db *db, const char *clause,
    bool (*each)(const struct compliance_fact *, void *), void *arg)
{
	struct pass pass = { each, arg };
	enum db_result result = DB_OK;
	char sql[2048];

	for (size_t i = 0; result == DB_OK && i < sizeof(facts) /
	    sizeof(facts[0]); i++) {
		if (strcmp(facts[i].clause, clause) != 0)
			continue;
		snprintf(sql, sizeof(sql), LAST_VERIFY "%s", facts[i].sql);
		result = db_query_each(db, sql, NULL, 0, take, &pass);
	}
	return result;
}

enum db_result
q_verify_note(struct db *db, int64_t calls, int64_t breaches)
{
	struct db_param p[] = { db_int(calls), db_int(breaches) };

	return db_query(db, "SELECT youyun.verify_note($1, $2)", p, 2, NULL);
}
