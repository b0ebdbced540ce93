#!/usr/bin/env python3
"""Lists by page: pages of any size, put together, are what --all prints, each
row once, whatever the order; and a page says where the next one begins."""

import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fixture import (NOT_FOUND, OK, USAGE, Booker, Installation)

it = None
TIME = "2026-11-23 10:00:00+00"


def setUpModule():
    global it
    it = Installation()
    unittest.addModuleCleanup(it.remove)
    it.ok("init")
    it.start_postgres()
    for name in ("acme", "acorn", "it's", "two words", "münchen", "zeta"):
        it.ok("customer", "add", name)
    it.ok("customer", "suspend", "acorn")
    it.ok("customer", "suspend", "zeta")
    for n in range(3):
        it.ok("key", "add", "acme", "--name", f"k{n}")
        it.ok("key", "add", "zeta")
    it.ok("price", "set", "model-1", "--input", "1", "--output", "2")
    for model in ("model-1", "model-2", "a*"):
        it.ok("price", "set", model, "--input", "3", "--output", "4")
    it.ok("hold", "place", "acme", "--reason", "a case")
    it.ok("hold", "place", "zeta", "--reason", "a case")
    it.ok("credit", "acme", "10", "--key", "one")
    it.ok("credit", "acme", "5", "--source", "promotional", "--key", "two")
    it.ok("credit", "zeta", "7", "--key", "three")
    booker = Booker(it)
    # Several at one moment: the id decides.
    for n in range(4):
        booker.book(1, [{"fee_nano": 1000 + n, "started_at": f"'{TIME}'"},
                        {"fee_nano": 10}])
    booker.book(6, [{"fee_nano": 3}])
    it.ok("credit", "acme", "1.5", "--key", "four")
    for n in range(5):
        it.ok("code", "create", "--amount", "2", "--count", "3",
              "--expires", "90d", "--batch", f"batch{n}")
        it.ok("invitation", "create")
        it.ok("incident", "open", "--kind", "outage", "--what", f"it {n}")
        it.ok("request", "add", "--kind", "access", "--subject", f"who {n}",
              "--due", f"{30 + n % 2}d")
    it.sql("""INSERT INTO security_event (kind, customer_id, at)
        SELECT CASE WHEN n % 3 = 0 THEN 'customer_resumed'
        ELSE 'customer_suspended' END, 1 + n % 2,
        now() - (10 - n) * interval '1 day' FROM generate_series(1, 9) n;
        INSERT INTO ticket (customer_id, subject, state)
        SELECT 1 + n % 2, 'help ' || n, n % 3 FROM generate_series(1, 9) n;
        INSERT INTO payment (id, customer_id, amount_nano, currency, method,
        transaction_id, received) SELECT 'p' || t.id, t.customer_id, 5,
        'EUR', 'card', t.id, t.at FROM ledger_transaction t;
        INSERT INTO retention_log (name, until, rows, held)
        SELECT 'calls', '2026-01-01', n, 0 FROM generate_series(1, 5) n;
        UPDATE ledger_transaction SET at = at - id * interval '31 days';
        DELETE FROM bill_month;
        INSERT INTO bill_month SELECT * FROM bill_month_reckoned;""")


# What lists: words, the member, what tells rows apart.
LISTS = [
    (("customer", "list"), "customers", "name"),
    (("customer", "list", "--status", "active"), "customers", "name"),
    (("customer", "list", "--status", "suspended"), "customers", "name"),
    (("balance",), "balances", "customer"),
    (("key", "list"), "keys", "id"),
    (("key", "list", "acme"), "keys", "id"),
    (("call", "list"), "calls", "request_id"),
    (("calls", "--customer", "acme"), "calls", "request_id"),
    (("call", "list", "--since", "1d"), "calls", "request_id"),
    (("ledger",), "postings", None),
    (("ledger", "acme"), "postings", None),
    (("ledger", "list", "acme"), "postings", None),
    (("bill", "list", "acme"), "bills", "month"),
    (("event", "list"), "events", "id"),
    (("event", "list", "--customer", "acorn"), "events", "id"),
    (("event", "list", "--kind", "customer_resumed"), "events", "id"),
    (("event", "list", "--since", "5d"), "events", "id"),
    (("audit", "list"), "audit", "id"),
    (("audit", "list", "--object", "customer:2"), "audit", "id"),
    (("audit", "list", "--since", "1h"), "audit", "id"),
    (("ticket", "list", "--state", "all"), "tickets", "id"),
    (("ticket", "list", "--state", "all", "--customer", "acme"), "tickets",
     "id"),
    (("code", "list"), "batches", "id"),
    (("code", "list", "batch1"), "codes", "id"),
    (("code", "list", "batch1", "--state", "unused"), "codes", "id"),
    (("payment", "list"), "payments", "booking"),
    (("payment", "list", "--customer", "acme"), "payments", "booking"),
    (("payment", "list", "--since", "1d"), "payments", "booking"),
    (("invitation", "list"), "invitations", "id"),
    (("incident", "list"), "incidents", "id"),
    (("request", "list"), "requests", "id"),
    (("price", "list"), "prices", "version"),
    (("price", "history"), "prices", "version"),
    (("price", "history", "model-1"), "prices", "version"),
    (("hold", "list"), "holds", "id"),
    (("retention", "report"), "deletions", "id"),
]
# These go back from the end, page by page, each in the order of time.
BACK = ("calls", "postings")


def walk(words, member, size):
    pages, after = [], ()
    while True:
        page = it.json(*words, "--limit", size, *after)
        pages.append(page[member])
        if page["next"] is None:
            return pages
        after = ("--after", page["next"])
        if len(pages) > 200:
            raise AssertionError("the pages don't end")


class Pages(unittest.TestCase):
    def test_pages_are_the_whole(self):
        for words, member, key in LISTS:
            with self.subTest(words=words):
                whole = it.json(*words, "--all")
                self.assertIsNone(whole["next"])
                rows = whole[member]
                self.assertGreater(len(rows), 1)
                if key:
                    self.assertEqual(len({row[key] for row in rows}),
                                     len(rows))
                for size in {1 + len(rows) // 40, 2 + len(rows) // 6,
                             len(rows), 1000}:
                    pages = walk(words, member, size)
                    if member in BACK:
                        pages.reverse()
                    found = [r for page in pages for r in page]
                    if words[0] == "audit":
                        # Each look at it is an entry of its own.
                        found = [r for r in found
                                 if r["id"] <= rows[0]["id"]]
                    self.assertEqual(found, rows)
                    if key and size < len(rows):
                        self.assertGreater(len(pages), 1)
                        self.assertLessEqual(max(map(len, pages)), size)

    def test_the_ledger_s_balance_is_right_on_every_page(self):
        at = {}
        for posting in it.json("ledger", "acme", "--all")["postings"]:
            if posting["balance"] is not None:
                at[posting["transaction"]] = posting["balance"]
        self.assertEqual(list(at.values())[0], "10.00")
        self.assertEqual(list(at.values())[1], "15.00")
        balance = it.json("balance", "acme")["balances"][0]["balance"]
        self.assertEqual(list(at.values())[-1], balance)

    def test_customers_are_in_order(self):
        rows = it.json("customer", "list")["customers"]
        self.assertEqual([row["status"] for row in rows],
                         ["active"] * 4 + ["suspended"] * 2)

    def test_since_leaves_out_what_was_before(self):
        old = it.json("event", "list", "--all")["events"]
        new = it.json("event", "list", "--since", "5d", "--all")["events"]
        first = min(e["at"] for e in new)
        self.assertEqual(new, [e for e in old if e["at"] >= first])
        self.assertLess(len(new), len(old))

    def test_people_get_a_hint_that_a_shell_takes(self):
        done = it.ok("customer", "list", "--limit", "3")
        self.assertEqual(len(done.out.splitlines()), 4)
        told = re.search(r"--after (.*) for the next page", done.err)[1]
        self.assertEqual(told, "'active/münchen'")
        done = it.ok("customer", "list", "--limit", "2")
        self.assertIn("--after 'active/it'\\''s' for", done.err)
        done = it.ok("key", "list", "--limit", "2")
        self.assertIn("--after 3 for the next page, --all for all",
                      done.err.replace("--after 2", "--after 3"))
        self.assertEqual(it.ok("key", "list").err, "")
        self.assertEqual(it.ok("key", "list", "--limit", "1", "--json").err,
                         "")

    def test_a_table_in_parts_has_one_head(self):
        it.sql("""INSERT INTO audit (actor, action, object, reason, change)
            SELECT 'x', 'y', 'thing:1', '', '{}'
            FROM generate_series(1, 1203)""")
        lines = it.ok("audit", "list", "--object", "thing:1",
                      "--all").out.splitlines()
        self.assertEqual(len(lines), 1204)
        self.assertEqual(sum("ENTRY" in line for line in lines), 1)
        rows = it.json("audit", "list", "--object", "thing:1",
                       "--all")["audit"]
        self.assertEqual(len(rows), 1203)
        empty = it.json("audit", "list", "--object", "thing:2", "--all")
        self.assertEqual(empty, {"next": None, "audit": []})

    def test_what_isn_t_a_cursor(self):
        for words, _, _ in LISTS:
            done = it.run(*words, "--after", "no/cur:sor_")
            self.assertEqual(done.status, USAGE, (words, done))
            self.assertIn("no/cur:sor_", done.err)
        done = it.run("key", "list", "--all", "--limit", "3")
        self.assertEqual(done.status, USAGE)
        done = it.run("ledger", "acme", "--after", "3")
        self.assertEqual(done.status, USAGE)

    def test_one_call(self):
        call = it.json("call", "list", "--limit", "1")["calls"][0]
        one = it.json("call", "show", call["request_id"])
        self.assertEqual(one, call)
        self.assertIn(call["request_id"],
                      it.ok("call", "show", call["request_id"]).out)
        done = it.run("call", "show", "req_" + "0" * 32)
        self.assertEqual(done.status, NOT_FOUND)
        self.assertEqual(it.run("call", "show", "x").status, USAGE)

    def test_a_key_is_found_by_its_looks(self):
        key = it.json("key", "list", "--limit", "1")["keys"][0]
        shown = it.json("key", "show-hint", key["hint"])
        self.assertEqual(shown["id"], key["id"])
        self.assertEqual(it.run("key", "show-hint", "sk-yy-no").status,
                         NOT_FOUND)
        self.assertEqual(it.run("key", "show-hint", "1").status, OK)


if __name__ == "__main__":
    unittest.main()
