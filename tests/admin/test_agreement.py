#!/usr/bin/env python3
"""What is owed to customers for their data, without a running gateway: who
receives them, what happened to them, what was asked for."""

import csv
import io
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fixture import (FAILED, NOT_FOUND, OK, REFUSED, USAGE, Booker,
                     Installation, postgres_program)

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
        open_ones = [c["name"] for c in it.json("customer", "list")[
            "customers"] if c["status"] != "closed"]
        self.assertEqual(result.json["told"], len(open_ones))
        told = [t for t in self.notices("subprocessor_added")
                if '"one"' in t[2]]
        self.assertEqual(sorted(t[:2] for t in told),
                         sorted([name, "1"] for name in open_ones))
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


class Incidents(Case):

    @classmethod
    def setUpClass(cls):
        cls.key = {who: it.json("key", "add", who)["id"]
                   for who in ("acme", "beta")}
        cls.id = {c["name"]: c["id"]
                  for c in it.json("customer", "list")["customers"]}
        it.ok("channel", "add", "c1", "--protocol", "openai", "--url",
              "https://one.example", "--credential-file", it.folder / "key",
              "--model", "m")
        cls.channel = it.sql("SELECT id FROM channel WHERE name = 'c1'")[0][0]
        it.sql("SELECT node_attach('node1', 1, 1)", role="youyun_flusher")
        book = Booker(it).book
        book(cls.id["acme"], [
            {"fee_nano": 0, "key_id": cls.key["acme"], "channel_id": cls.channel,
             "started_at": "now() - interval '1 hour'"},
            {"fee_nano": 0, "key_id": cls.key["acme"], "channel_id": "NULL",
             "started_at": "now() - interval '1 hour'"}])
        book(cls.id["beta"], [
            {"fee_nano": 0, "key_id": cls.key["beta"], "channel_id": cls.channel,
             "started_at": "now() - interval '5 hours'"}])

    def open(self, *more):
        return it.json("incident", "open", "--kind", "disclosure", "--what",
                       "a key leaked, \"x\"", "--since", "2h", "--until",
                       "now", *more)["id"]

    def scope(self, number, *words):
        it.ok("incident", "scope", number, *words)
        return {r["customer"]: r["calls"] for r in
                it.json("incident", "show", number)["customers"]}

    def test_scope_follows_the_calls(self):
        number = self.open()
        self.assertEqual(self.scope(number, "--channel", "c1"), {"acme": 1})
        self.assertEqual(self.scope(number, "--calls"), {"acme": 2})
        it.ok("incident", "set", number, "--since", "6h")
        self.assertEqual(self.scope(number, "--channel", "c1"),
                         {"acme": 1, "beta": 1})
        self.assertEqual(self.scope(number, "--key", self.key["beta"]),
                         {"beta": 1})
        it.ok("incident", "set", number, "--since", "1m")
        # A key's owner is affected without a call, and so is who is named.
        self.assertEqual(self.scope(number, "--key", self.key["beta"],
                                    "--customer", "acme"),
                         {"acme": 0, "beta": 0})

    def test_told_once_in_full_and_again_on_demand(self):
        number = self.open("--impact", "calls by others", "--planned", "x")
        self.refused(REFUSED, "affects nobody", "incident", "notify", number)
        self.scope(number, "--calls")

        def told(*words):
            return it.json("incident", "notify", number, *words)["told"]
        self.assertEqual([told(), told(), told("--again")], [1, 0, 1])
        self.scope(number, "--customer", "beta")
        self.assertEqual(told(), 1)
        shown = it.json("incident", "show", number)
        self.assertEqual((shown["affected"], shown["told"]), (2, 2))
        self.assertEqual([(r["customer"], r["mail"])
                          for r in shown["customers"]],
                         [("acme", "waiting")] * 2 + [("beta", "waiting")])
        self.assertEqual({r["by"] for r in shown["customers"]},
                         {it.sql("SELECT DISTINCT actor FROM incident_notice")
                          [0][0]})
        self.assertIn('"impact": "calls by others"',
                      self.notices("incident")[-1][2])
        self.assertNotIn("taken", self.notices("incident")[-1][2])

    def test_a_closed_one_stays_as_it_is(self):
        number = self.open()
        it.ok("incident", "close", number, "--taken", "all replaced")
        for words in (("set", number, "--what", "x"), ("close", number),
                      ("scope", number, "--calls"), ("notify", number)):
            self.refused(REFUSED, "is closed", "incident", *words)
        self.assertNotIn(number, [i["id"] for i in it.json(
            "incident", "list", "--open")["incidents"]])

    def test_the_register_has_all_of_it(self):
        number = self.open("--impact", "=1+1")
        row, = [i for i in it.ok("incident", "register").json["incidents"]
                if i["id"] == number]
        rows = list(csv.DictReader(io.StringIO(
            it.ok("incident", "register", "--csv").out)))
        other, = [r for r in rows if r["id"] == str(number)]
        self.assertEqual(set(row), set(other))
        self.assertEqual((row["what"], other["what"], other["impact"]),
                         ("a key leaked, \"x\"",) * 2 + ("'=1+1",))
        self.assertEqual(row["opened"], other["opened"])

    def test_mistakes_are_told(self):
        self.refused(USAGE, "--kind is missing", "incident", "open", "--what",
                     "x")
        self.refused(USAGE, "--kind fire", "incident", "open", "--what", "x",
                     "--kind", "fire")
        self.refused(USAGE, "--what: it is too long", "incident", "open",
                     "--kind", "loss", "--what", "x" * 2001)
        self.refused(NOT_FOUND, "no incident 999", "incident", "close", 999)
        number = self.open()
        self.refused(USAGE, "--until", "incident", "set", number, "--until",
                     "9d")
        self.refused(NOT_FOUND, "no channel", "incident", "scope", number,
                     "--channel", "c9")
        self.refused(USAGE, "nothing to find", "incident", "scope", number)
        for person, status in (("bob", OK), ("carol", OK),
                               ("alice", REFUSED)):
            self.assertEqual(by(person, "incident", "show", number).status,
                             status)
            self.assertEqual(by(person, "incident", "notify", number).status,
                             REFUSED)


class Requests(Case):

    def add(self, *words):
        return it.json("request", "add", *words)["id"]

    def row(self, number, *words):
        found = [r for r in it.json("request", "list", *words)["requests"]
                 if r["id"] == number]
        return found[0] if found else None

    def test_from_the_question_to_the_answer(self):
        number = self.add("--kind", "access", "--customer", "acme", "--text",
                          "all of it", "--received", "2d")
        self.assertEqual(it.sql(
            f"SELECT due - received FROM data_request WHERE id = {number}"),
            [["30 days"]])
        self.assertEqual(self.row(number)["state"], "open")
        it.sql("UPDATE data_request SET due = now() - interval '1 minute' "
               f"WHERE id = {number}")
        self.assertEqual(self.row(number)["state"], "overdue")
        self.assertEqual(by("bob", "request", "answer", number, "--text",
                            "see the export", "--proof", "passport").status,
                         OK)
        self.assertIsNone(self.row(number))
        row = self.row(number, "--answered", "--customer", "acme")
        self.assertEqual((row["state"], row["proof"], row["answer"]),
                         ("done", "passport", "see the export"))
        self.assertEqual(self.notices("request_answered")[-1][:2],
                         ["acme", "1"])
        self.refused(REFUSED, "answered already", "request", "answer",
                     number, "--text", "x")
        # The trail says who and when, and quotes nobody.
        trail = it.sql("SELECT action, actor, change::text FROM audit WHERE "
                       f"object = 'data_request:{number}' ORDER BY id")
        self.assertEqual([t[0] for t in trail],
                         ["request.add", "request.answer"])
        self.assertEqual(trail[1][1], "bob")
        self.assertNotIn("export", str(trail))

    def test_of_somebody_who_is_no_customer(self):
        before = len(self.notices("request_answered"))
        number = self.add("--kind", "erasure", "--subject", "a user of acme")
        it.ok("request", "answer", number, "--text", "not ours", "--refused")
        self.assertEqual(self.row(number, "--answered")["state"], "refused")
        self.assertEqual(len(self.notices("request_answered")), before)

    def test_mistakes_are_told(self):
        self.refused(USAGE, "--kind is missing", "request", "add")
        self.refused(USAGE, "who asks", "request", "add", "--kind", "access")
        self.refused(USAGE, "--due x", "request", "add", "--kind", "access",
                     "--customer", "acme", "--due", "x")
        self.refused(NOT_FOUND, "no request 99", "request", "answer", 99,
                     "--text", "x")
        self.refused(USAGE, "--text is missing", "request", "answer", 99)
        self.assertEqual(by("carol", "request", "list").status, OK)
        self.assertEqual(by("alice", "request", "list").status, REFUSED)
        self.assertEqual(by("carol", "request", "add", "--kind", "access",
                            "--customer", "acme").status, REFUSED)


class Compliance(Case):

    def report(self, *words):
        result = it.run("compliance", "report", "--json", *words)
        clauses = {c["clause"]: c for c in result.json["clauses"]}
        self.assertEqual(result.json["gaps"],
                         sum(len(c["gaps"]) for c in clauses.values()))
        return result.status, clauses

    def facts(self, clause):
        return {f["name"]: f["value"] for f in self.report()[1][clause][
            "facts"]}

    def gaps(self, clause):
        return " ".join(self.report()[1][clause]["gaps"])

    def test_every_column_has_its_role_and_each_role_its_tables(self):
        facts = self.facts("1")
        self.assertIn("as processor: address agent", facts["call"])
        self.assertEqual(len(facts), int(it.sql(
            "SELECT count(*) FROM pg_class WHERE relnamespace = "
            "'youyun'::regnamespace AND relkind IN ('r', 'p') AND NOT "
            "relispartition")[0][0]))
        self.assertEqual(self.gaps("1"), "")
        it.sql("CREATE TABLE stray (a int)")
        try:
            self.assertIn("table stray", self.gaps("1"))
            self.assertIn("says no purpose", self.gaps("2"))
            it.sql("GRANT SELECT ON stray TO PUBLIC")
            self.assertIn("everybody may use stray", self.gaps("5"))
        finally:
            it.sql("DROP TABLE stray")
        roles = self.facts("5")
        self.assertEqual(roles["youyun_portal"].split(", ")[1][-7:],
                         "written")
        self.assertIn(" 0 written", roles["youyun_auditor"])
        it.sql("ALTER ROLE youyun_portal CREATEROLE")
        try:
            self.assertIn("youyun_portal may do more", self.gaps("5"))
        finally:
            it.sql("ALTER ROLE youyun_portal NOCREATEROLE")

    def test_channels_are_accounted_for(self):
        it.ok("channel", "add", "c7", "--protocol", "openai", "--url",
              "http://127.0.0.1:9", "--credential-file", it.folder / "key",
              "--model", "m")
        self.assertIn("c7", self.gaps("6"))
        self.assertIn("c7", self.gaps("7"))
        self.assertIn("no TLS to c7", self.gaps("5"))
        add("seven")
        it.ok("channel", "set", "c7", "--subprocessor", "seven", "--region",
              "eu")
        self.assertNotIn("c7", self.gaps("6"))
        self.assertNotIn("c7", self.gaps("7"))
        self.assertIn("seven GmbH, DE", self.facts("6")["seven"])
        self.assertIn("c7", self.facts("7")["region eu"])
        it.ok("channel", "disable", "c7")
        self.assertNotIn("c7", self.gaps("5"))

    def test_what_is_open_and_what_is_late(self):
        incident = it.json("incident", "open", "--kind", "loss", "--what",
                           "x")["id"]
        self.assertIn(f"whom incident {incident} affects", self.gaps("9"))
        it.ok("incident", "scope", incident, "--customer", "acme")
        self.assertIn(f"not everybody whom incident {incident}",
                      self.gaps("9"))
        it.ok("incident", "notify", incident)
        self.assertNotIn(f"incident {incident} ", self.gaps("9"))
        self.assertIn(f"incident {incident}", self.facts("9"))
        it.ok("incident", "close", incident)
        self.assertNotIn(f"incident {incident}", self.facts("9"))
        request = it.json("request", "add", "--kind", "access", "--customer",
                          "acme", "--proof", "x")["id"]
        self.assertNotIn(f"request {request} ", self.gaps("10"))
        it.sql("UPDATE data_request SET due = now() - interval '1 day' WHERE "
               f"id = {request}")
        self.assertIn(f"request {request} is overdue", self.gaps("10"))
        it.ok("customer", "add", "late")
        it.ok("customer", "close", "late")
        self.assertEqual(self.gaps("13"), "")
        it.sql("UPDATE closing SET due = now() - interval '2 days'")
        self.assertIn("is late", self.gaps("13"))

    def test_the_last_verify_is_known(self):
        it.sql("DELETE FROM verify_run")
        self.assertEqual(self.gaps("11"), "verify never ran")
        it.run("verify")
        breaches = int(it.sql("SELECT breaches FROM verify_run")[0][0])
        self.assertEqual("breaches" in self.gaps("11"), breaches > 0)
        it.sql("UPDATE verify_run SET breaches = 0")
        self.assertEqual(self.gaps("11"), "")
        it.sql("UPDATE verify_run SET breaches = 2")
        self.assertEqual(self.gaps("11"), "verify found breaches")
        it.sql("UPDATE verify_run SET breaches = 0, at = now() - interval "
               "'40 days'")
        self.assertIn("more than a month ago", self.gaps("11"))

    def test_retention_is_told_as_it_was_set(self):
        it.ok("retention", "set", "calls", "77", "--reason", "x", "--yes")
        facts = self.facts("8")
        self.assertEqual(facts["days that calls are kept"], "77")
        self.assertEqual(
            {n.split()[2] for n in facts if n.startswith("days that ")},
            {name for name, in it.sql("SELECT name FROM retention")})
        self.assertNotIn("retention", facts)

    def test_a_gap_is_an_exit_status_when_asked_for(self):
        self.assertEqual(self.report()[0], OK)
        status, clauses = self.report("--check")
        self.assertTrue(clauses["2"]["gaps"])	# youyund is down
        self.assertEqual(status, FAILED)
        text = it.ok("compliance", "report").out
        self.assertIn("2. Purposes, and bodies that are not kept: GAP", text)
        self.assertIn("  ! youyund is down", text)
        self.assertEqual(by("carol", "compliance", "report").status, OK)
        self.assertEqual(by("bob", "compliance", "report").status, REFUSED)


if __name__ == "__main__":
    if postgres_program("initdb") is None:
        print("PostgreSQL is not installed")
        sys.exit(77)
    unittest.main()
