"""An instance with much in its database, every list of youyunctl and of the
customers' API asked for, and what PostgreSQL did for each: the statements as
the program sent them, their plans and times, out of the server's log."""

import json
import os
import pwd
import re
import statistics
import subprocess
import time

import harness
from machine import SOURCE, wait_until

SQL = SOURCE / "bench/lists.sql"
ROLES = ("youyun_admin", "youyun_portal")
SETTINGS = """
shared_preload_libraries = 'auto_explain, pg_stat_statements'
pg_stat_statements.track_planning = on
auto_explain.log_analyze = on
auto_explain.log_timing = off
auto_explain.log_format = json
auto_explain.log_min_duration = -1
log_line_prefix = '%m [%p] %q%u '
max_wal_size = 8GB
fsync = off
"""
ENTRY = re.compile(r"^\d{4}-\d\d-\d\d \S+ UTC \[(\d+)\] ?(\S*) LOG:  "
                   r"duration: ([\d.]+) ms  plan:\n((?:\t.*\n)+)", re.M)


class Statement:
    """One that was run: its text, its time without planning, its plan."""

    def __init__(self, role, ms, document):
        self.role = role
        self.ms = float(ms)
        self.text = document["Query Text"]
        self.plan = document["Plan"]

    def nodes(self, node=None):
        node = node or self.plan
        yield node
        for child in node.get("Plans", ()):
            yield from self.nodes(child)

    def read(self):
        """Rows that were taken from tables, whether they were of use."""
        return sum((n["Actual Rows"] + n.get("Rows Removed by Filter", 0) +
                    n.get("Rows Removed by Index Recheck", 0)) *
                   n["Actual Loops"] for n in self.nodes()
                   if "Relation Name" in n)

    def scanned(self):
        """Tables read from end to end: (name, rows)."""
        return [(n["Relation Name"], (n["Actual Rows"] +
                                      n.get("Rows Removed by Filter", 0)) *
                 n["Actual Loops"])
                for n in self.nodes() if n["Node Type"] == "Seq Scan" and
                n["Actual Loops"] > 0]

    def sorted(self):
        """The most rows that one sort took."""
        return max((sum(c["Actual Rows"] * c["Actual Loops"]
                        for c in n["Plans"])
                    for n in self.nodes() if n["Node Type"] == "Sort"),
                   default=0)

    def drawn(self):
        """The plan for people, a line a node."""
        lines = []

        def draw(node, depth):
            name = node["Node Type"]
            if "Index Name" in node:
                name += f" {node['Index Name']}"
            elif "Relation Name" in node:
                name += f" {node['Relation Name']}"
            removed = node.get("Rows Removed by Filter", 0)
            lines.append(f"{'  ' * depth}{name}  rows={node['Actual Rows']}"
                         f" loops={node['Actual Loops']}" +
                         (f" removed={removed}" if removed else ""))
            for child in node.get("Plans", ()):
                if child["Actual Loops"] > 0:
                    draw(child, depth + 1)

        draw(self.plan, 1)
        return "\n".join(lines)


class Lists(harness.Gateway):
    """The customer "test" is the big one; key: of its account."""

    def __init__(self, size, settings=None):
        self.size = size
        self.explained = False
        super().__init__(settings=settings)
        self.account_key = self.ctl_json("key", "add", "test", "--scope",
                                         "account")["key"]
        began = time.monotonic()
        self.fill()
        self.fill_s = time.monotonic() - began

    def start(self):
        data = self.folder / "state/postgres"
        if not self.explained:
            with open(data / "postgresql.conf", "a") as file:
                file.write(SETTINGS)
            # As whom the tests fill it; root may already.
            with open(data / "pg_ident.conf", "a") as file:
                file.write("youyun " + pwd.getpwuid(os.geteuid()).pw_name +
                           " postgres\n")
        self.explained = True
        super().start()

    def psql(self, text, *options):
        done = subprocess.run(
            ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h",
             str(self.folder / "state/run/pg"), "-U", "postgres", *options,
             "youyun"], input=text, capture_output=True, text=True,
            check=False)
        if done.returncode != 0:
            raise AssertionError(f"{text[:200]}\n{done.stderr}")
        return [line.split("|") for line in done.stdout.splitlines()]

    def fill(self):
        self.psql(SQL.read_text(), *(part for name, value in
                                     self.size.items() for part in
                                     ("-v", f"{name}={value}")))
        self.psql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements;" +
                  "".join(f"ALTER ROLE {role} SET auto_explain.log_min_duration"
                          f" = 0;" for role in ROLES) +
                  # What is connected has not heard of it.
                  "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                  " WHERE usename = 'youyun_portal';")
        wait_until(lambda: self.api("/api/v1/balance").status == 200,
                   "the portal", 10)
        self.mark = self.errors.stat().st_size

    def api(self, path):
        return self.get(path, key=self.account_key)

    def new_statements(self):
        """What has been explained since the last time."""
        with open(self.errors, errors="replace") as file:
            file.seek(self.mark)
            text = file.read()
            self.mark = file.tell()
        return [Statement(role, ms, json.loads(body))
                for _, role, ms, body in ENTRY.findall(text)]

    def ask(self, words):
        """One list; its output and its statements on tables."""
        self.new_statements()
        if isinstance(words, str):
            answer = self.api(words)
            if answer.status != 200:
                raise AssertionError(f"{words}: {answer}")
            output = answer.json
        else:
            output = self.ctl_json(*words)
        time.sleep(0.02)
        return output, [s for s in self.new_statements()
                        if any("Relation Name" in n for n in s.nodes())]

    def time_of(self, words, rounds=3):
        """ms on the server, planning and all: the median of rounds."""
        times = []
        for _ in range(rounds):
            self.psql("SELECT pg_stat_statements_reset()")
            self.ask(words)
            times.append(float(self.psql(
                "SELECT coalesce(sum(s.total_plan_time + s.total_exec_time),"
                " 0) FROM pg_stat_statements s JOIN pg_roles r ON r.oid ="
                " s.userid WHERE r.rolname IN "
                f"{ROLES} AND s.toplevel")[0][0]))
        return statistics.median(times), max(times)

    def middle(self):
        """Where deep pages begin."""
        (row,) = self.psql("""SELECT
            (SELECT max(id) / 2 FROM youyun.api_key),
            (SELECT name FROM youyun.customer WHERE id = (SELECT max(id) / 2
                FROM youyun.customer)),
            (SELECT (extract(epoch FROM min(started_at) + (max(started_at)
                - min(started_at)) / 2) * 1000000)::bigint FROM youyun.call),
            (SELECT max(id) / 2 FROM youyun.ledger_transaction),
            (SELECT max(id) / 2 FROM youyun.security_event),
            (SELECT max(id) / 2 FROM youyun.audit),
            (SELECT max(id) / 2 FROM youyun.ticket),
            (SELECT max(id) / 2 FROM youyun.notice),
            (SELECT max(transaction_id) / 2 FROM youyun.payment),
            (SELECT min(id) + 5000 FROM youyun.topup_code),
            (SELECT max(id) FROM youyun.data_request WHERE due < now()
                + interval '10 days'),
            (SELECT hint FROM youyun.api_key WHERE id = (SELECT max(id) / 2
                FROM youyun.api_key)),
            (SELECT request_id FROM youyun.call ORDER BY started_at DESC
                LIMIT 1)""")
        names = ("key", "customer", "call", "booking", "event", "audit",
                 "ticket", "notice", "payment", "code", "request", "hint", "id")
        return dict(zip(names, row))


def cases(m):
    """Every list, its first page, a deep one, its filters: words of youyunctl
    or a path of the API.  m: Lists.middle()."""
    call = f"{m['call']}_{'0' * 32}"
    ctl = [
        "customer list", f"customer list --after active/{m['customer']}",
        "customer list --status suspended", "customer list --status closed",
        "customer show test", f"customer show {m['customer']}",
        "balance", f"balance --after active/{m['customer']}", "balance test",
        "key list", f"key list --after {m['key']}", "key list test",
        f"key list test --after {m['key']}", f"key show-hint {m['key']}",
        f"key show-hint {m['hint']}", f"key list {m['customer']}",
        "call list", f"call list --after {call}",
        "call list --customer test", f"call list --customer {m['customer']}",
        f"call list --customer test --after {call}", "call list --since 1h",
        "call list --customer test --since 7d", f"call show {m['id']}",
        f"call list --request {m['id']}", f"bill {m['id']}",
        "ledger", f"ledger --after {m['booking']}", "ledger test",
        f"ledger test --after {m['booking']}:0", f"ledger {m['customer']}",
        "event list", f"event list --after {m['event']}",
        "event list --customer test", "event list --since 1h",
        f"event list --customer test --after {m['event']}",
        "event list --kind code_guessing", "event list --kind no_such",
        f"event list --kind customer_resumed --after {m['event']}",
        "audit list", f"audit list --after {m['audit']}",
        "audit list --since 1h", "audit list --object customer:1",
        f"audit list --object customer:1 --after {m['audit']}",
        "audit list --object nothing:1",
        "ticket list", f"ticket list --after {m['ticket']}",
        f"ticket list --state all --after {m['ticket']}",
        "ticket list --state closed", "ticket list --customer test",
        "ticket show 10",
        "code list", "code list batch-1", "code list --after 2",
        f"code list batch-1 --after {m['code']}",
        "payment list", f"payment list --after {m['payment']}",
        "payment list --customer test", "payment list --since 1h",
        "invitation list", "incident list", "incident list --open",
        "request list", f"request list --after {m['request']}",
        "request list --answered", "request list --customer test",
        "group list", "channel list", "package list", "price list",
        "price history", "cost list", "cost history", "hold list",
        "retention list", "retention report", "bill list customer-0000100",
        "bill list test", "bill list test --after 2026-01",
        "subprocessor list", "screen list", "screen moderation show",
    ]
    v1 = "/api/v1/"
    api = [
        "keys", f"keys?after={m['key']}", "calls", f"calls?cursor={call}",
        "calls?since=2020-01-01&limit=200", "calls?status=500",
        "calls?status=404", "calls?key_id=1", "calls?model=fast",
        f"calls?model=none&cursor={call}", "calls/req_" +
        m["id"].replace("-", ""), "topups", f"topups?after={m['booking']}",
        "notices", f"notices?after={m['notice']}", "tickets",
        f"tickets?after={m['ticket']}", "tickets?state=open", "incidents",
        "requests", "balance", "account", "limits", "bills",
    ]
    return [c.split() for c in ctl] + [v1 + path for path in api]


# What sums up all of a customer's, of a node's or of a time: not lists.
SUMS = [["node", "list"], "/api/v1/usage", "/api/v1/usage?by=model"]


def called(words):
    return words if isinstance(words, str) else " ".join(words)
