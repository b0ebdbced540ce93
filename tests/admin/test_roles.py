#!/usr/bin/env python3
"""Profiles of youyunctl and the roles behind them: what each may do works,
and what it may not is refused by the database itself."""

import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fixture import (NANO, OK, REFUSED, ROOT, USAGE, YOUYUNCTL,
                     Booker, Installation)

PROFILES = ("billing", "support", "auditor")
STAFF = "staff = alice:billing, bob:support carol:auditor dora:owner " \
        "eve:support eve:billing\n"

it = None


def setUpModule():
    global it
    it = Installation(STAFF)
    it.ok("init")
    it.start_postgres()
    it.ok("customer", "add", "acme", "--contact", "acme@example.com")
    it.ok("key", "add", "acme", "--name", "laptop")
    it.ok("price", "set", "m", "--input", "1", "--output", "2")
    it.ok("credit", "acme", "10")
    Booker(it).book(1, [{"fee_nano": NANO, "model_id": 1, "price_version": 1,
                         "input_tokens": 10 ** 6, "held_nano": NANO,
                         "key_id": 1, "group_id": 1}])


def tearDownModule():
    it.remove()


def by(person, *words):
    """As that person would by sudo."""
    return it.run(*words, env={"SUDO_USER": person})


def call_id():
    return it.json("calls", "--customer", "acme")["calls"][0]["request_id"]


class Profiles(unittest.TestCase):

    def ok(self, person, *words):
        result = by(person, *words)
        self.assertEqual(result.status, OK, f"{words}: {result}")
        return result

    def refused(self, person, *words):
        result = by(person, *words)
        self.assertEqual(result.status, REFUSED, f"{words}: {result}")
        self.assertIn("youyunctl: ", result.err)
        return result

    def test_everybody_reads_what_the_work_takes(self):
        for person in ("alice", "bob", "carol", "dora"):
            for words in (("customer", "list"), ("customer", "show", "acme"),
                          ("key", "list"), ("group", "list"),
                          ("price", "list"), ("balance", "acme"),
                          ("calls", "--customer", "acme"), ("bill", call_id()),
                          ("package", "list"), ("payment", "list"), ("node", "list"), ("ledger", "acme")):
                self.ok(person, *words)

    def test_billing_moves_money(self):
        before = it.json("balance", "acme")
        self.ok("alice", "credit", "acme", "5", "--reason", "paid")
        self.ok("alice", "refund", call_id(), "--amount", "0.5",
                "--reason", "slow")
        self.ok("alice", "package", "add", "small", "--amount", "10",
                "--price", "9")
        self.ok("alice", "margin")
        self.assertNotEqual(it.json("balance", "acme"), before)
        actors = it.sql("SELECT actor, role FROM audit WHERE action <> "
                        "'read' ORDER BY id DESC LIMIT 1")
        self.assertEqual(actors, [["alice", "youyun_billing"]])

    def test_support_suspends_and_revokes(self):
        it.ok("customer", "add", "nuisance")
        key = it.json("key", "add", "nuisance")["id"]
        self.ok("bob", "customer", "suspend", "nuisance", "--reason",
                "abuse")
        self.ok("bob", "customer", "set", "nuisance", "--note", "called")
        self.ok("bob", "customer", "set", "nuisance", "--language", "de")
        self.ok("bob", "key", "revoke", key)
        self.ok("bob", "customer", "resume", "nuisance")
        it.sql("UPDATE customer SET status = 3 WHERE name = 'nuisance'")
        self.assertNotEqual(by("bob", "customer", "resume",
                               "nuisance").status, OK)

    def test_billing_makes_codes_and_support_answers_tickets(self):
        made = self.ok("alice", "code", "create", "--amount", "1", "--count",
                       "2", "--expires", "9d", "--batch", "staff", "--json")
        self.assertEqual(len(made.json["codes"]), 2)
        self.ok("alice", "code", "list", "staff")
        self.ok("carol", "code", "list", "staff")
        self.ok("alice", "code", "revoke", made.json["codes"][0]["code"])
        self.ok("alice", "code", "revoke", "staff")
        it.sql("INSERT INTO ticket (customer_id, subject, call_started_at, "
               "call_request_id) SELECT 1, 'x', started_at, request_id FROM "
               "call LIMIT 1")
        number = it.sql("SELECT max(id) FROM ticket")[0][0]
        for person in ("alice", "bob", "carol"):
            self.ok(person, "ticket", "list")
            self.ok(person, "ticket", "show", number)
        self.ok("alice", "ticket", "refund", number, "--amount", "0.1",
                "--reason", "x")
        self.ok("bob", "ticket", "answer", number, "--text", "y")
        self.ok("bob", "ticket", "close", number)
        self.assertEqual(
            it.sql("SELECT actor, role FROM audit WHERE action LIKE "
                   "'ticket%' ORDER BY id"),
            [["bob", "youyun_support"]] * 2)

    def test_support_resets_logins_and_owners_alone_see_codes(self):
        it.ok("customer", "add", "shop")
        self.refused("bob", "customer", "password-reset", "shop", "--login",
                     "bob@example.com", "--print")
        self.refused("bob", "customer", "password-reset", "shop")
        it.ok("customer", "password-reset", "shop", "--login",
              "shop@example.com", "--print")
        self.refused("bob", "customer", "password-reset", "shop", "--print")
        self.ok("bob", "customer", "totp-remove", "shop")
        for person in ("bob", "carol"):
            self.ok(person, "customer", "login", "shop")
        for person in ("alice", "carol"):
            self.refused(person, "customer", "totp-remove", "shop")
            self.ok(person, "invitation", "list")
        self.refused("alice", "invitation", "create")
        it.ok("invitation", "create", "--credit", "1")

    def test_owners_say_who_moderates_and_others_look(self):
        for person in ("bob", "carol"):
            self.ok(person, "screen", "list")
            self.ok(person, "screen", "moderation", "show")
        for person in ("alice", "bob", "carol"):
            self.refused(person, "screen", "moderation", "off")
            self.refused(person, "screen", "moderation", "set", "--action",
                         "block")

    def test_an_auditor_recomputes_everything(self):
        self.ok("carol", "verify")
        self.ok("carol", "margin")
        self.ok("carol", "channel", "list")

    def test_what_is_anothers_is_refused_in_words(self):
        for person, words, who in (
                ("bob", ("credit", "acme", "5"), "billing"),
                ("carol", ("credit", "acme", "5"), "billing"),
                ("alice", ("key", "revoke", "1"), "support"),
                ("bob", ("verify",), "auditor"),
                ("alice", ("customer", "add", "x"), "owner"),
                ("bob", ("key", "add", "acme"), "owner"),
                ("carol", ("price", "set", "m", "--input", "3"), "owner"),
                ("bob", ("code", "list"), "billing"),
                ("bob", ("code", "create", "--amount", "1", "--count", "1",
                         "--expires", "9d", "--batch", "x"), "billing"),
                ("carol", ("code", "revoke", "x"), "billing"),
                ("bob", ("ticket", "refund", "1", "--reason", "x"),
                 "billing"),
                ("alice", ("ticket", "answer", "1"), "support"),
                ("carol", ("ticket", "close", "1"), "support"),
                ("alice", ("init",), "owner"),
                ("carol", ("journal", "check"), "owner")):
            result = self.refused(person, *words)
            self.assertIn(f"hint: it is for {who}", result.err)
        self.assertEqual(len(it.json("customer", "list")["customers"]),
                         int(it.sql("SELECT count(*) FROM customer")[0][0]))

    def test_who_is_not_named_is_refused(self):
        self.assertIn("mallory is not among the staff",
                      self.refused("mallory", "customer", "list").err)

    def test_a_profile_is_chosen_among_ones_own(self):
        self.ok("eve", "credit", "acme", "1", "--reason", "x")
        self.refused("eve", "credit", "acme", "1", "--profile", "support")
        self.assertIn("eve is not auditor here", self.refused(
            "eve", "verify", "--profile", "auditor").err)
        self.ok("dora", "verify", "--profile", "auditor")
        self.refused("dora", "credit", "acme", "1", "--profile", "auditor")
        result = by("eve", "verify", "--profile", "boss")
        self.assertEqual(result.status, USAGE)
        self.assertIn("allowed are owner, billing, support and auditor",
                      result.err)

    def test_nobody_signs_with_anothers_name(self):
        self.assertIn("you are alice", self.refused(
            "alice", "credit", "acme", "1", "--actor", "dora").err)
        self.ok("dora", "customer", "set", "acme", "--note", "x", "--actor",
                "cron")

    @unittest.skipUnless(ROOT, "only root can give a file away")
    def test_a_configuration_of_ones_own_is_refused(self):
        other = it.folder / "other.conf"
        other.write_text(it.config.read_text().replace(
            "alice:billing", "alice:owner"))
        os.chown(other, 65534, -1)
        done = subprocess.run(
            [YOUYUNCTL, "-c", other, "customer", "list"],
            env=dict(os.environ, SUDO_USER="alice"), capture_output=True,
            text=True, check=False)
        self.assertEqual(done.returncode, REFUSED)
        self.assertIn("must be root's", done.stderr)

    def test_mistakes_in_the_setting_are_told(self):
        bad = it.folder / "bad.conf"
        for text, why in (("alice", "a colon and a profile"),
                          ("alice:boss", "a profile is owner, billing"),
                          (":owner", "a login name has")):
            bad.write_text(f"staff = {text}\n")
            done = subprocess.run([YOUYUNCTL, "-c", bad, "status"],
                                  capture_output=True, text=True, check=False)
            self.assertNotEqual(done.returncode, OK)
            self.assertIn(f"{bad}:1: staff: ", done.stderr)
            self.assertIn(why, done.stderr)


class Roles(unittest.TestCase):
    """Behind the tool's back, by SQL."""

    def denied(self, role, sql):
        done = subprocess.run(
            it.psql_command(f"youyun_{role}") + ["-v", "VERBOSITY=verbose"],
            input="SET search_path = youyun;\n" + sql, capture_output=True,
            text=True, check=False)
        self.assertNotEqual(done.returncode, 0, f"{role}: {sql}")
        self.assertIn("42501", done.stderr, f"{role}: {sql}")

    def test_logins_are_changed_by_functions_alone(self):
        it.ok("customer", "add", "stall")
        self.denied("support", "SELECT login_reset(id, 'bob@example.com', "
                    "NULL) FROM customer WHERE name = 'stall'")
        for role in PROFILES:
            for sql in ("SELECT digest FROM invitation",
                        "SELECT password FROM login", "SELECT totp FROM login",
                        "SELECT digest FROM session",
                        "SELECT digest FROM login_code",
                        "SELECT password FROM login_code",
                        "SELECT digest FROM recovery_code",
                        "SELECT * FROM login_pace",
                        "SELECT invitation_revoke(1)",
                        "UPDATE login SET totp = NULL",
                        "SELECT login_mail_code(1, 'x')",
                        "SELECT reset_confirm(1, 'x', 'x', '::1')",
                        "SELECT pace_right('x', '::1')"):
                self.denied(role, sql)
        for sql in ("SELECT login_reset(1, NULL, NULL)",
                    "SELECT login_totp_remove(1)"):
            self.denied("billing", sql)
            self.denied("auditor", sql)

    def test_codes_are_billings_and_answers_supports(self):
        make = ("SELECT code_batch_create('b', 1, 'external', NULL, NULL, "
                "now() + interval '1 day', ARRAY[repeat('00', 32)], "
                "ARRAY['x'])")
        for role in ("support", "auditor"):
            self.denied(role, make)
            self.denied(role, "SELECT code_revoke('b', NULL, NULL)")
            self.denied(role, "SELECT ticket_refunded(1, 1)")
        for role in ("billing", "auditor"):
            self.denied(role, "SELECT ticket_answer(1, 'x', false)")
        self.denied("support", "SELECT * FROM code_batch")
        self.denied("support", "SELECT id FROM topup_code")
        for role in PROFILES:
            for sql in ("SELECT digest FROM topup_code",
                        "SELECT payment_book('p', 1, 1, 'USD', 'x')",
                        "SELECT my_code_redeem('x', 1, NULL)",
                        "SELECT my_ticket_open('x', 'x', NULL, NULL)"):
                self.denied(role, sql)
            for table in ("code_batch", "topup_code", "topup_guess",
                          "payment", "ticket", "ticket_message",
                          "ticket_file", "ticket_refund"):
                self.denied(role, f"INSERT INTO {table} DEFAULT VALUES")
                self.denied(role, f"DELETE FROM {table}")
                self.denied(role, f"TRUNCATE {table}")
            self.denied(role, "UPDATE topup_code SET used_at = NULL")
            self.denied(role, "UPDATE ticket SET state = 0")

    def test_an_owner_alone_ends_accounts_and_tells_of_incidents(self):
        for role in PROFILES:
            for sql in ("SELECT subprocessor_end('x')",
                        "SELECT incident_notify(1, true)",
                        "SELECT incident_scope(1, '{}', '{}', '{}', true)",
                        "SELECT closing_begin(1, 0)",
                        "SELECT closing_hasten(1)",
                        "SELECT closing_step(1)",
                        "SELECT closing_next(1)",
                        "SELECT closing_erases(k) FROM closing k",
                        "SELECT export_note(1)",
                        "SELECT audit_note('x', 'x', '{}')",
                        "SELECT * FROM my_export_calls"):
                self.denied(role, sql)
            for table in ("subprocessor", "incident", "incident_customer",
                          "incident_notice", "data_request", "closing",
                          "verify_run"):
                self.denied(role, f"INSERT INTO {table} DEFAULT VALUES")
                self.denied(role, f"DELETE FROM {table}")
                self.denied(role, f"TRUNCATE {table}")
        for role in ("billing", "auditor"):
            self.denied(role, "SELECT request_answer(1, 'x', false, NULL)")
        for role in ("billing", "support"):
            self.denied(role, "SELECT * FROM closing")
            self.denied(role, "SELECT verify_note(1, 0)")
        # The portal sees one customer's; the flusher goes on with closings
        # and begins none.
        for sql in ("SELECT * FROM closing", "SELECT * FROM data_request",
                    "SELECT * FROM incident", "SELECT closing_begin(1, 0)",
                    "SELECT closing_step(1)", "SELECT verify_note(1, 0)"):
            self.denied("portal", sql)
            self.denied("flusher", sql)

    def test_nobody_reads_secrets(self):
        for role in PROFILES:
            for sql in ("SELECT digest FROM api_key",
                        "SELECT credential FROM channel_credential",
                        "SELECT credential FROM channel_proxy"):
                self.denied(role, sql)

    def test_nobody_writes_the_books_or_the_audit(self):
        for role in PROFILES:
            for table in ("posting", "ledger_transaction", "call", "audit",
                          "price", "lease", "pot", "purse", "receipt",
                          "refund", "ledger_account"):
                self.denied(role, f"INSERT INTO {table} DEFAULT VALUES")
                self.denied(role, f"DELETE FROM {table}")
                self.denied(role, f"TRUNCATE {table}")

    def test_each_lacks_what_is_the_others(self):
        credit = ("SELECT credit('k', 1, 1, 'external', 'x', 'x', NULL, "
                  "NULL)")
        for role in ("support", "auditor"):
            self.denied(role, credit)
            self.denied(role, "SELECT adjust('k', 1, 1, 'x', 'x')")
            self.denied(role, "INSERT INTO credit_package (name) "
                        "VALUES ('x')")
        for role in ("billing", "auditor"):
            self.denied(role, "UPDATE customer SET status = 2")
            self.denied(role, "UPDATE api_key SET status = 1")
        for role in ("billing", "support"):
            self.denied(role, "SELECT * FROM audit")
        self.denied("support", "SELECT * FROM cost")
        for role in PROFILES:
            for sql in ("INSERT INTO customer (name) VALUES ('x')",
                        "UPDATE customer SET group_id = 1",
                        "UPDATE api_key SET customer_id = 1",
                        "UPDATE api_key SET expires_at = NULL",
                        "INSERT INTO api_key (hint) VALUES ('x')",
                        "UPDATE customer_group SET multiplier_ppm = 0",
                        "INSERT INTO channel (name) VALUES ('x')",
                        "UPDATE channel SET host = 'x'",
                        "SELECT node_fence(1::smallint, 'x', 'x')",
                        "SELECT money_moves(1, 1)",
                        "CREATE TABLE youyun.mine (a int)",
                        "SET ROLE youyun_owner"):
                self.denied(role, sql)

    def test_support_undoes_no_decision_of_an_owner(self):
        it.ok("customer", "add", "gone")
        it.sql("UPDATE customer SET status = 3 WHERE name = 'gone';"
               "UPDATE api_key SET status = 1 WHERE id = 1")
        self.denied("support", "UPDATE customer SET status = 0 "
                    "WHERE name = 'gone'")
        self.denied("support", "UPDATE customer SET status = 3 "
                    "WHERE name = 'acme'")
        self.denied("support", "UPDATE api_key SET status = 0 WHERE id = 1")
        it.sql("UPDATE api_key SET status = 0 WHERE id = 1")


if __name__ == "__main__":
    unittest.main()
