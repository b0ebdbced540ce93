#!/usr/bin/env python3
"""What is owed to customers for their data, without a running gateway: who
receives them, what happened to them, what was asked for."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fixture import (NOT_FOUND, OK, REFUSED, USAGE, Installation,
                     postgres_program)

it = None


def setUpModule():
    global it
    it = Installation("staff = bob:support carol:auditor alice:billing\n"
                      "subprocessor_notice_days = 3\n")
    it.ok("init")
    it.start_postgres()
    (it.folder / "key").write_text("sk-test\n")
    for name, language in (("acme", "en"), ("beta", "de"), ("gone", "en")):
        it.ok("customer", "add", name, "--contact", f"{name}@example.com")
        it.ok("customer", "set", name, "--language", language)
    it.sql("UPDATE customer SET status = 3 WHERE name = 'gone'")


def tearDownModule():
    it.remove()


def by(person, *words):
    return it.run(*words, env={"SUDO_USER": person})


def add(name, *more):
    return it.run("subprocessor", "add", name, "--entity", f"{name} GmbH",
                  "--purpose", "answers", "--region", "eu", "--country",
                  "DE", *more)


class Case(unittest.TestCase):

    def refused(self, status, words, *command):
        result = it.run(*command)
        self.assertEqual(result.status, status, f"{command}: {result}")
        self.assertIn(words, result.err)

    def notices(self, kind):
        return it.sql("SELECT c.name, n.mail_state, n.detail::text FROM "
                      "notice n JOIN customer c ON c.id = n.customer_id "
                      f"WHERE n.kind = '{kind}' ORDER BY n.id")


class Subprocessors(Case):

    def test_all_customers_are_told_before_data_flow(self):
        result = add("one", "--json")
        self.assertEqual(result.status, OK, result)
        self.assertEqual(result.json["told"], 2)
        told = [t for t in self.notices("subprocessor_added")
                if '"one"' in t[2]]
        self.assertEqual([t[:2] for t in told], [["acme", "1"],
                                                 ["beta", "1"]])
        self.assertIn("one GmbH", told[0][2])
        row, = [r for r in it.json("subprocessor", "list")["subprocessors"]
                if r["name"] == "one"]
        self.assertEqual((row["state"], row["country"], row["regions"]),
                         ("announced", "DE", "eu"))
        self.assertEqual(it.sql(
            "SELECT valid_from - announced FROM subprocessor WHERE name = "
            "'one'"), [["3 days"]])

    def test_a_channel_says_why_it_is_left_out(self):
        add("two")
        it.ok("channel", "add", "c2", "--protocol", "openai", "--url",
              "https://two.example", "--credential-file", it.folder / "key",
              "--model", "m", "--subprocessor", "two", "--purpose", "chat")

        def row():
            found, = [c for c in it.json("channel", "list")["channels"]
                      if c["name"] == "c2"]
            return found
        self.assertEqual((row()["health"], row()["subprocessor"],
                          row()["purpose"]), ("left out", "two", "chat"))
        self.assertIn("may receive data from", row()["why"])
        it.sql("UPDATE subprocessor SET announced = now() - interval '9 "
               "days', valid_from = now() WHERE name = 'two'")
        self.assertIsNone(row()["why"])
        it.ok("subprocessor", "end", "two")
        self.assertIn("ended on", row()["why"])
        self.assertIn("ended on", it.ok("channel", "show", "c2").out)
        it.ok("channel", "set", "c2", "--subprocessor", "none")
        self.assertIsNone(row()["subprocessor"])
        self.assertIsNone(row()["why"])

    def test_mistakes_are_told(self):
        add("three")
        self.refused(REFUSED, "already", "subprocessor", "add", "three",
                     "--entity", "x", "--purpose", "x", "--region", "eu",
                     "--country", "DE")
        for option in ("entity", "purpose", "region", "country"):
            words = ["subprocessor", "add", "four"]
            for name, value in (("entity", "x"), ("purpose", "x"),
                                ("region", "eu"), ("country", "DE")):
                if name != option:
                    words += [f"--{name}", value]
            self.refused(USAGE, f"--{option} is missing", *words)
        self.refused(USAGE, "--country de", "subprocessor", "add", "four",
                     "--entity", "x", "--purpose", "x", "--region", "eu",
                     "--country", "de")
        self.refused(NOT_FOUND, "no sub-processor", "subprocessor", "end",
                     "four")
        before = it.json("channel", "list")["channels"]
        self.refused(NOT_FOUND, "no sub-processor \"four\"", "channel", "add",
                     "c4", "--protocol", "openai", "--url",
                     "https://x.example", "--credential-file",
                     it.folder / "key", "--model", "m", "--subprocessor",
                     "four")
        self.assertEqual(it.json("channel", "list")["channels"], before)

    def test_staff_reads_and_an_owner_decides(self):
        for person in ("alice", "bob", "carol"):
            listed = by(person, "subprocessor", "list")
            self.assertEqual(listed.status, OK, listed)
            self.assertEqual(by(person, "subprocessor", "end", "one").status,
                             REFUSED)


if __name__ == "__main__":
    if postgres_program("initdb") is None:
        print("PostgreSQL is not installed")
        sys.exit(77)
    unittest.main()
