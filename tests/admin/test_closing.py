#!/usr/bin/env python3
"""The copy of a customer's data, and their end: what is erased, what is left,
and that the books still agree."""

import csv
import decimal
import io
import json
import os
import sys
import unittest
import zipfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fixture import (FAILED, REFUSED, USAGE, Booker, Installation, Taker,
                     postgres_program)

it = None
booker = None


def setUpModule():
    global it, booker
    it = Installation("staff = bob:support carol:auditor alice:billing\n")
    it.ok("init")
    it.start_postgres()
    booker = Booker(it)
    it.ok("customer", "add", "acme", "--contact", "acme@example.com")
    it.ok("price", "set", "m", "--input", "0.001", "--output", "1")
    it.ok("key", "add", "acme")


def tearDownModule():
    it.remove()


def by(person, *words):
    return it.run(*words, env={"SUDO_USER": person})


class Case(unittest.TestCase):

    def refused(self, status, words, *command):
        result = it.run(*command)
        self.assertEqual(result.status, status, f"{command}: {result}")
        self.assertIn(words, result.err)


class Exports(Case):
    """The copy, with what makes a page end where another begins."""

    @classmethod
    def setUpClass(cls):
        it.ok("customer", "add", "whole", "--contact", "w@example.com")
        cls.id = it.json("customer", "show", "whole")["id"]
        cls.key = it.json("key", "add", "whole", "--name", "=key, \"x\"")
        it.ok("credit", "whole", "10", "--reason", "paid")
        it.sql("SELECT node_attach('node1', 1, 1)", role="youyun_flusher")
        cls.calls = booker.book(cls.id, [
            {"fee_nano": 1, "input_tokens": 1, "key_id": cls.key["id"],
             "started_at": f"now() + {n // 700} * interval '1 minute'"}
            for n in range(1203)])
        it.sql(f"""
            INSERT INTO ticket (customer_id, subject) VALUES ({cls.id}, 's');
            INSERT INTO ticket_message (ticket_id, author, actor, text)
                SELECT max(id), 0, 'x', E'line 1\nline 2' FROM ticket;
            INSERT INTO ticket_file (message_id, name, type, content)
                SELECT max(id), 'a.txt', 4, 'abc' FROM ticket_message;
            INSERT INTO ticket_file (message_id, name, type, content)
                SELECT max(id), '../../b', 1, '\\x89504e470d0a1a0a'
                FROM ticket_message;
            INSERT INTO security_event (kind, customer_id, address, detail)
                VALUES ('code_guessing', {cls.id}, '192.0.2.9', '{{"n": 1}}');
            INSERT INTO payment VALUES ('p:1', {cls.id}, 5, 'USD', 'card',
                (SELECT max(id) FROM ledger_transaction WHERE customer_id =
                {cls.id} AND kind = 'credit'), now());
            INSERT INTO login (customer_id, name) VALUES ({cls.id},
                'w@example.com');
            INSERT INTO session (login_id, digest, expires_at) SELECT
                max(id), sha256('w'), now() + '1 day' FROM login;
            SELECT notice_add({cls.id}, 'payment_booked', '{{}}');""")
        it.ok("request", "add", "--kind", "access", "--customer", "whole")
        cls.path = it.folder / "whole.zip"
        it.ok("customer", "export", "whole", "--output", cls.path)
        cls.zip = zipfile.ZipFile(cls.path)

    def both(self, name):
        rows = json.loads(self.zip.read(f"{name}.json"))
        text = self.zip.read(f"{name}.csv").decode()
        cells = list(csv.DictReader(io.StringIO(text, newline="")))
        self.assertEqual(len(rows), len(cells), name)
        for row, cell in zip(rows, cells):
            self.assertEqual(list(row), list(cell))
            for k, v in row.items():
                told = "" if v is None else str(v)
                self.assertIn(cell[k], (told, "'" + told), (name, k))
        return rows

    def test_every_call_is_in_it_once(self):
        self.assertIsNone(self.zip.testzip())
        calls = self.both("calls")
        self.assertEqual(len(calls), 1203)
        self.assertEqual({c["request_id"] for c in calls}, set(self.calls))
        self.assertEqual([c["time"] for c in calls],
                         sorted(c["time"] for c in calls))
        self.assertEqual((calls[0]["fee"], calls[0]["address"],
                          calls[0]["user_agent"]),
                         ("0.000000001", "192.0.2.7", "test/1.0"))
        self.assertEqual(calls[0]["route"], it.json(
            "calls", "--customer", "whole", "--limit", "1")["calls"][0][
                "route"])

    def test_all_else_is_in_it_and_nobody_elses(self):
        self.assertEqual(sum(u["calls"] for u in self.both("usage")), 1203)
        account, = self.both("account")
        self.assertEqual((account["name"], account["contact"]),
                         ("whole", "w@example.com"))
        key, = self.both("keys")
        self.assertEqual(key["name"], "=key, \"x\"")
        everything = b"".join(self.zip.read(n) for n in self.zip.namelist())
        self.assertNotIn(self.key["key"].encode(), everything)
        self.assertNotIn(b"acme", everything)
        ledger = self.both("ledger")
        self.assertEqual(
            sum(decimal.Decimal(b["amount"]) for b in ledger),
            decimal.Decimal(account["balance"]))
        message, = self.both("messages")
        self.assertEqual(message["text"], "line 1\nline 2")
        files = self.both("files")
        self.assertEqual([self.zip.read(f["file"]) for f in files],
                         [b"abc", b"\x89PNG\r\n\x1a\n"])
        for name in ("payments", "tickets", "events", "notices", "requests",
                     "bills", "login", "sessions"):
            self.assertTrue(self.both(name), name)
        for name in ("codes", "incidents"):
            self.assertEqual(self.both(name), [])
        readme = self.zip.read("README.txt").decode()
        for name in {n.split(".")[0].split("/")[0]
                     for n in self.zip.namelist()} - {"README"}:
            self.assertIn(f"  {name}", readme)

    def test_the_file_is_the_operators_and_it_is_noted(self):
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)
        self.refused(FAILED, "cannot make", "customer", "export", "whole",
                     "--output", self.path)
        self.assertEqual(it.sql(
            "SELECT count(*) FROM audit WHERE action = 'customer.export' "
            f"AND object = 'customer:{self.id}'"), [["1"]])
        self.assertEqual(by("bob", "customer", "export", "whole", "--output",
                            it.folder / "b").status, REFUSED)


def marks(name):
    """What is personal of that customer, wherever words can be."""
    return f"Erika {name.title()}mann", f"203.0.113.{sum(name.encode()) % 256}"


class Erasures(Case):

    def customer(self, name):
        mark, address = marks(name)
        it.ok("customer", "add", name, "--contact", f"{name}@example.com",
              "--note", mark)
        number = it.json("customer", "show", name)["id"]
        it.ok("customer", "set", name, "--note", f"{mark} called",
              "--language", "de", "--reason", mark)
        key = it.json("key", "add", name, "--name", mark)["id"]
        it.ok("customer", "allow", name, "--address", f"{address}/32")
        it.ok("credit", name, "10", "--reason", f"paid by {mark}")
        it.ok("credit", name, "3", "--source", "promotional")
        it.sql("SELECT node_attach('node1', 1, 1)", role="youyun_flusher")
        booker.book(number, [
            {"fee_nano": 1, "input_tokens": 1, "key_id": key,
             "address": f"'{address}'",
             "agent": f"'{mark}'", "started_at": f"now() + {n % 40} * "
             "interval '1 day'"} for n in range(603)])
        it.sql(f"""
            INSERT INTO ticket (customer_id, subject)
                VALUES ({number}, '{mark}');
            INSERT INTO ticket_message (ticket_id, author, actor, text)
                SELECT max(id), 0, 'customer:{number}', '{mark}' FROM ticket;
            INSERT INTO ticket_file (message_id, name, type, content)
                SELECT max(id), '{mark}', 4, '{mark}' FROM ticket_message;
            INSERT INTO security_event (kind, customer_id, address, detail)
                VALUES ('code_guessing', {number}, '{address}',
                '{{"who": "{mark}"}}');
            INSERT INTO payment VALUES ('p-{number}', {number}, 10000000000,
                'USD', '{name}-pay', (SELECT min(id) FROM ledger_transaction
                WHERE customer_id = {number} AND kind = 'credit'), now());
            INSERT INTO topup_guess (customer_id) VALUES ({number});
            INSERT INTO login (customer_id, name) VALUES ({number},
                '{name}@example.com');
            INSERT INTO session (login_id, digest, expires_at, address, agent)
                SELECT max(id), sha256('{name}'), now() + '1 day',
                '{address}', '{mark}' FROM login;
            INSERT INTO recovery_code (digest, login_id) SELECT
                sha256('{name}'), max(id) FROM login;
            INSERT INTO login_code (purpose, name, login_id) SELECT 1, name,
                id FROM login WHERE customer_id = {number};
            INSERT INTO login_code (purpose, name) VALUES (2,
                '{name}@example.com');
            SELECT notice_add({number}, 'account_changed',
                '{{"mail_to": "{mark}"}}');""")
        it.ok("ticket", "answer", it.sql("SELECT max(id) FROM ticket")[0][0],
              "--text", f"dear {mark}", "--reason", mark)
        it.ok("request", "add", "--kind", "access", "--customer", name,
              "--subject", mark, "--text", mark, "--proof", mark,
              "--reason", mark)
        it.ok("customer", "password-reset", name, "--print", "--reason", mark)
        return number

    def traces(self, *words):
        """Tables, and rows of them, that have one of the words."""
        tables = [t[0] for t in it.sql(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = "
            "'youyun'::regnamespace AND c.relkind IN ('r', 'p') AND NOT "
            "c.relispartition")]
        self.assertGreater(len(tables), 40)
        found = []
        for table in tables:
            bytea = it.sql("SELECT a.attname FROM pg_attribute a WHERE "
                           f"a.attrelid = 'youyun.{table}'::regclass AND "
                           "a.atttypid = 'bytea'::regtype AND a.attnum > 0 "
                           "AND NOT a.attisdropped")
            text = "t::text" + "".join(
                f" || coalesce(encode(t.{b[0]}, 'escape'), '')"
                for b in bytea)
            for word in words:
                n = it.sql(f"SELECT count(*) FROM {table} t WHERE {text} LIKE "
                           f"'%{word}%'")[0][0]
                if n != "0":
                    found.append((table, word, n))
        return found

    def test_nothing_personal_is_left_and_the_books_agree(self):
        number = self.customer("erika")
        words = ("erika", *marks("erika"))
        self.assertGreater(len(self.traces(*words)), 10)
        other = it.sql("SELECT count(*) FROM call WHERE customer_id <> "
                       f"{number} AND address IS NOT NULL")
        self.refused(USAGE, "nothing was erased", "customer", "erase",
                     "erika")
        with Taker(it):
            done = it.ok("customer", "erase", "erika", "--yes", "--reason",
                         "asked for", "--actor", "dora").json
        self.assertEqual(self.traces(*words), [])
        self.assertEqual((done["customer"], done["pseudonym"],
                          done["erased_by"]),
                         (number, f"erased-{number}", "dora"))
        counts = {d["what"]: d["rows"] for d in done["done"]}
        self.assertEqual(counts["addresses and user agents in records of "
                                "calls"], 603)
        self.assertEqual(counts["files of tickets"], 1)
        # The password's reset has ended them.
        self.assertEqual([what for what, n in counts.items() if n == 0],
                         ["sessions"])
        # Paid was 10, of 13; calls took of what was given first.
        self.assertEqual((done["payout"]["paid"], done["payout"]["lapsed"]),
                         ("10.00", "2.999999397"))
        booking = done["payout"]["booking"]
        self.assertEqual(it.sql(
            "SELECT a.kind, p.amount_nano FROM posting p JOIN ledger_account "
            "a ON a.id = p.account_id WHERE p.transaction_id = "
            f"{booking} ORDER BY 1"),
            [["customer_prepaid", "-10000000000"],
             ["customer_promotional", "-2999999397"],
             ["expired", "2999999397"], ["external", "10000000000"]])
        self.verify(booking)
        self.assertEqual(it.json("customer", "certificate", number), done)
        self.assertEqual(it.sql("SELECT count(*) FROM call WHERE customer_id "
                                f"<> {number} AND address IS NOT NULL"),
                         other)
        # Once is enough.
        self.assertEqual(it.ok("customer", "erase", f"erased-{number}",
                               "--yes").json, done)

    def test_a_hundred_thousand_records(self):
        number = self.customer("many")
        words = ("many@example.com", *marks("many"))
        it.sql(f"""INSERT INTO call SELECT (c).* FROM (SELECT
            jsonb_populate_record(f.k, jsonb_build_object('request_id',
                gen_random_uuid(), 'started_at', now()
                - n * interval '7 seconds', 'fee_nano', 0, 'input_tokens', 0,
                'ledger_transaction_id', NULL)) AS c
            FROM (SELECT k FROM call k WHERE customer_id = {number} LIMIT 1) f,
            generate_series(1, 100000) n) x""")
        self.assertEqual(it.sql(
            "SELECT count(*) FROM call WHERE agent <> '' AND customer_id = "
            f"{number}"), [["100603"]])
        with Taker(it):
            done = it.ok("customer", "erase", "many", "--yes",
                         timeout=600).json
        counts = {d["what"]: d["rows"] for d in done["done"]}
        self.assertEqual(counts["addresses and user agents in records of "
                                "calls"], 100603)
        self.assertEqual(self.traces(*words), [])
        self.verify(done["payout"]["booking"])

    def verify(self, booking):
        """All of it is right, and nothing when the payout was touched."""
        self.assertTrue(it.json("verify")["ok"])
        for kind in ("external", "expired", "customer_prepaid"):
            at = (f"WHERE transaction_id = {booking} AND account_id IN "
                  f"(SELECT id FROM ledger_account WHERE kind = '{kind}')")
            it.sql(f"UPDATE posting SET amount_nano = amount_nano + 1 {at}")
            found = it.run("verify", "--json").json["breaches"]
            self.assertTrue([b for b in found if b["rule"] == "posting" and
                             f"posting:{booking}:" in b["object"]], found)
            it.sql(f"UPDATE posting SET amount_nano = amount_nano - 1 {at}")
        self.assertTrue(it.json("verify")["ok"])

    def test_a_closing_can_be_taken_back(self):
        number = self.customer("maybe")
        it.ok("key", "add", "maybe", "--scope", "account", "--name", "own")
        closed = it.json("customer", "close", "maybe")
        self.assertEqual(it.sql(
            "SELECT due - asked FROM closing WHERE customer_id = "
            f"{number}"), [["30 days"]])
        self.assertEqual(closed["id"], number)
        state = it.json("customer", "show", "maybe")
        self.assertEqual((state["status"], state["balance"]),
                         ("closed", "12.999999397"))
        self.assertEqual([(k["name"], k["status"]) for k in
                          it.json("key", "list", "maybe")["keys"]],
                         [(marks("maybe")[0], "revoked"), ("own", "active")])
        self.refused(REFUSED, "is closed", "credit", "maybe", "1")
        self.refused(REFUSED, "closing or closed", "customer", "close",
                     "maybe")
        self.refused(REFUSED, "not erased: grace", "customer", "certificate",
                     "maybe")
        self.assertEqual(it.sql(f"SELECT closing_step({number})"),
                         [["grace"]])
        it.ok("customer", "close", "maybe", "--cancel")
        self.assertEqual(it.json("customer", "show", "maybe")["status"],
                         "active")
        self.assertEqual(it.sql("SELECT kind FROM notice WHERE customer_id = "
                                f"{number} ORDER BY id DESC LIMIT 1"),
                         [["account_kept"]])
        self.refused(REFUSED, "time of grace", "customer", "close", "maybe",
                     "--cancel")
        # And done again.
        it.ok("customer", "close", "maybe")
        it.ok("customer", "close", "maybe", "--cancel")

    def test_who_was_suspended_is_so_again(self):
        it.ok("customer", "add", "bad")
        it.ok("customer", "suspend", "bad")
        it.ok("customer", "close", "bad")
        it.ok("customer", "close", "bad", "--cancel")
        self.assertEqual(it.json("customer", "show", "bad")["status"],
                         "suspended")

    def test_without_a_flusher_the_money_waits(self):
        number = self.customer("waits")
        it.sql(f"SELECT closing_hasten({number}); "
               f"SELECT closing_step({number})")
        self.assertEqual(it.sql(f"SELECT closing_step({number})"),
                         [["money"]])
        # What is open still, a flusher finds; then it is asked again.
        it.sql(f"SELECT taking_refuse(id, 5) FROM taking WHERE customer_id = "
               f"{number}")
        self.assertEqual(it.sql(f"SELECT closing_step({number})"),
                         [["money"]])
        self.assertEqual(it.sql(
            "SELECT state, amount_nano FROM taking WHERE customer_id = "
            f"{number}"), [["0", "12999999397"]])
        self.assertNotEqual(it.sql("SELECT count(*) FROM customer WHERE name "
                                   "= 'waits'"), [["0"]])

    def test_what_is_append_only_stays_so(self):
        """But for blanking, and that is for no role but the owner."""
        self.customer("stays")
        for table, column, value in (
                ("call", "agent", "'x'"), ("call", "fee_nano", "7"),
                ("audit", "reason", "'x'"), ("audit", "actor", "'x'"),
                ("audit", "change", "'{}'"),
                ("security_event", "address", "'192.0.2.1'"),
                ("ledger_transaction", "reason", "'x'"),
                ("payment", "method", "'x'")):
            with self.assertRaisesRegex(AssertionError, "append-only"):
                it.sql(f"UPDATE {table} SET {column} = {value}",
                       role="youyun_owner")
        for role in ("admin", "flusher", "portal", "support"):
            for table, column in (("call", "agent"), ("audit", "reason"),
                                  ("ledger_transaction", "reason")):
                with self.assertRaisesRegex(AssertionError,
                                            "permission denied"):
                    it.sql(f"UPDATE {table} SET {column} = ''",
                           role=f"youyun_{role}")

    def test_an_owner_decides(self):
        for person in ("alice", "bob", "carol"):
            for words in (("close", "acme"), ("erase", "acme", "--yes"),
                          ("certificate", "acme")):
                self.assertEqual(by(person, "customer", *words).status,
                                 REFUSED)


if __name__ == "__main__":
    if postgres_program("initdb") is None:
        print("PostgreSQL is not installed")
        sys.exit(77)
    unittest.main()
