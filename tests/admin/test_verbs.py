#!/usr/bin/env python3
"""Each command of youyunctl against a real database: what it does, what it
refuses, and what it says."""

import fcntl
import hashlib
import hmac
import http.server
import os
import pty
import select
import signal
import ssl
import subprocess
import sys
import termios
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fixture import (FAILED, NOT_FOUND, OK, REFUSED, USAGE, YOUYUNCTL,
                     Installation, postgres_program)

it = None


def setUpModule():
    global it
    it = Installation("max_channels = 16\n")
    unittest.addModuleCleanup(it.remove)
    it.ok("init")
    it.start_postgres()


class Case(unittest.TestCase):
    def refused(self, status, said, *words, **options):
        done = it.run(*words, **options)
        self.assertEqual(done.status, status, done)
        self.assertIn(said, done.err)
        self.assertNotIn("Assertion", done.err)
        self.assertEqual(done.out, "")

    def audit(self):
        """The last change."""
        return it.sql("SELECT actor, action, object, reason FROM audit "
                      "WHERE action <> 'read' ORDER BY id DESC LIMIT 1")[0]


class CommandLine(Case):
    def test_nothing_is_a_mistake(self):
        self.refused(USAGE, "no command was given")

    def test_verbs_are_suggested(self):
        self.refused(USAGE, 'did you mean "customer"?', "custmer", "list")
        self.refused(USAGE, 'did you mean "customer list"?', "customer",
                     "lsit")
        self.refused(USAGE, "--limit?", "calls", "--limt", "3")

    def test_words_and_options_are_checked(self):
        self.refused(USAGE, "too few words", "credit", "acme")
        self.refused(USAGE, "too many words", "verify", "now")
        self.refused(USAGE, "needs a command after it", "key")
        self.refused(USAGE, "--limit needs COUNT", "calls", "--limit")
        self.refused(USAGE, "--json takes no value", "calls", "--json=1")
        self.refused(USAGE, "given twice", "calls", "--limit", "1",
                     "--limit", "2")

    def test_options_stand_anywhere(self):
        self.assertIn("customers", it.ok("--json", "customer", "list").json)
        self.assertIn("customers", it.ok("customer", "list", "--json").json)
        self.assertEqual(it.run("calls", "--limit=1").status, OK)

    def test_help(self):
        self.assertIn("customer add", it.ok("help").out)
        self.assertIn("--multiplier", it.ok("help", "group").out)
        self.assertIn("--multiplier", it.ok("group", "set", "--help").out)
        self.assertIn("group list", it.ok("group", "--help").out)
        self.refused(USAGE, "there is no command", "help", "nonsense")

    def test_help_needs_no_configuration(self):
        done = subprocess.run([YOUYUNCTL, "-c", "/nonexistent", "help"],
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, OK)

    def test_a_full_output_is_a_failure(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [YOUYUNCTL, "-c", it.config,
                 "group", "list"], stdout=full, stderr=subprocess.PIPE,
                check=False)
        self.assertEqual(done.returncode, FAILED)


class Customers(Case):
    def test_add_show_list(self):
        made = it.json("customer", "add", "acme", "--contact", "ops@acme",
                       "--note", "hé")
        shown = it.json("customer", "show", "acme")
        self.assertEqual(shown["id"], made["id"])
        self.assertEqual((shown["contact"], shown["note"], shown["group"],
                          shown["status"], shown["balance"]),
                         ("ops@acme", "hé", "default", "active", "0.00"))
        by_number = it.json("customer", "show", str(made["id"]))
        self.assertEqual(by_number, shown)
        names = [c["name"] for c in it.json("customer", "list")["customers"]]
        self.assertIn("acme", names)

    def test_a_name_is_taken_once(self):
        it.ok("customer", "add", "single")
        self.refused(REFUSED, 'a customer "single" already', "customer",
                     "add", "single")

    def test_names_are_checked(self):
        for name, why in (("", "empty"), ("x" * 65, "at most 64"),
                          ("a\nb", "printable"), ("42", "number"),
                          (" a", "space"), ("a\u202eb", "printable"),
                          ("\x7f", "printable")):
            self.refused(USAGE, why, "customer", "add", "--", name)

    def test_a_name_in_another_script(self):
        it.ok("customer", "add", "有云 Ltd")
        self.assertIn("有云 Ltd", it.ok("customer", "list").out)

    def test_unknown_customers_are_suggested(self):
        it.ok("customer", "add", "umbrella")
        self.refused(NOT_FOUND, 'did you mean "umbrella"?', "customer",
                     "show", "umbrela")
        self.refused(NOT_FOUND, "customer list", "balance", "zzzzzz")
        self.refused(NOT_FOUND, "", "customer", "show", "999999")

    def test_suspend_and_resume(self):
        it.ok("customer", "add", "late")
        it.ok("customer", "suspend", "late", "--reason", "no payment",
              "--actor", "alice")
        self.assertEqual(it.json("customer", "show", "late")["status"],
                         "suspended")
        self.assertEqual(self.audit()[0], "alice")
        self.assertEqual(self.audit()[1], "customer.update")
        self.assertEqual(self.audit()[3], "no payment")
        it.ok("customer", "resume", "late")
        self.assertEqual(it.json("customer", "show", "late")["status"],
                         "active")

    def test_set(self):
        it.ok("customer", "add", "mover")
        it.ok("group", "set", "movers", "--multiplier", "0.5")
        it.ok("customer", "set", "mover", "--group", "movers", "--note", "n")
        shown = it.json("customer", "show", "mover")
        self.assertEqual((shown["group"], shown["multiplier"],
                          shown["note"]), ("movers", "0.5", "n"))
        self.refused(USAGE, "nothing to change", "customer", "set", "mover")
        self.refused(NOT_FOUND, 'no group "nope"', "customer", "set",
                     "mover", "--group", "nope")
        self.refused(NOT_FOUND, 'no group "nope"', "customer", "add", "x1",
                     "--group", "nope")

    def test_the_actor_is_the_person_behind_sudo(self):
        if os.geteuid() != 0:
            self.skipTest("sudo makes root")
        it.ok("customer", "add", "sudoed", env={"SUDO_USER": "carol"})
        self.assertEqual(self.audit()[0], "carol")

    def test_a_table_fits_the_terminal(self):
        it.ok("customer", "add", "n" * 64)
        for columns in (60, 80, 100):
            out = it.ok("customer", "list", env={"COLUMNS": str(columns)}).out
            self.assertLessEqual(max(map(len, out.splitlines())), columns)
        self.assertIn("n" * 64, it.ok("customer", "list").out)


class Groups(Case):
    def test_set_and_list(self):
        it.ok("group", "set", "g1", "--multiplier", "1.25")
        it.ok("group", "set", "g1", "--multiplier", "1.000001")
        row, = [g for g in it.json("group", "list")["groups"]
                if g["name"] == "g1"]
        self.assertEqual(row["multiplier"], "1.000001")

    def test_mistakes(self):
        self.refused(USAGE, "--multiplier FACTOR is missing", "group", "set",
                     "g2")
        for text in ("x", "-1", "1.0000001", "1001", "1e3", ""):
            self.refused(USAGE, "--multiplier", "group", "set", "g2",
                         f"--multiplier={text}")


class Credits(Case):
    def setUp(self):
        self.name = f"payer{id(self)}"
        it.ok("customer", "add", self.name)

    def balance(self):
        row, = it.json("balance", self.name)["balances"]
        return row["balance"]

    def test_a_credit(self):
        made = it.json("credit", self.name, "12.345678901", "--reason", "r",
                       "--actor", "bob")
        self.assertEqual((made["amount"], made["balance"],
                          made["booked_now"]),
                         ("12.345678901", "12.345678901", True))
        self.assertEqual(self.audit()[:2], ["bob", "credit"])
        rows = it.json("ledger", self.name)["postings"]
        self.assertEqual([(r["account"], r["amount"]) for r in rows],
                         [("customer_prepaid", "12.345678901"),
                          ("external", "-12.345678901")])
        self.assertEqual((rows[0]["actor"], rows[0]["reason"],
                          rows[0]["balance"]), ("bob", "r", "12.345678901"))

    def test_a_key_books_once(self):
        first = it.json("credit", self.name, "5", "--key", self.name)
        again = it.json("credit", self.name, "5", "--key", self.name)
        self.assertEqual(again["transaction"], first["transaction"])
        self.assertFalse(again["booked_now"])
        self.assertEqual(self.balance(), "5.00")
        self.refused(REFUSED, "used for another booking", "credit", self.name,
                     "6", "--key", self.name)

    def test_without_a_key_each_is_new(self):
        it.ok("credit", self.name, "1")
        it.ok("credit", self.name, "1")
        self.assertEqual(self.balance(), "2.00")

    def test_mistakes(self):
        for amount in ("0", "-1", "x", "1e3", "1.0000000001", "1,5", "",
                       "9999999999999", "0x10", " 1", "nan"):
            self.refused(USAGE, "", "credit", self.name, "--", amount)
        self.refused(USAGE, "--source", "credit", self.name, "1", "--source",
                     "thin-air")
        self.refused(USAGE, "--key", "credit", self.name, "1", "--key",
                     "k" * 201)
        self.refused(USAGE, "--key", "credit", self.name, "1", "--key", "")
        self.assertEqual(self.balance(), "0.00")

    def test_promotional(self):
        it.ok("credit", self.name, "3", "--source", "promotional")
        self.assertEqual(it.json("ledger", self.name)["postings"][1]
                         ["account"], "promotional")

    def test_nobody(self):
        self.refused(NOT_FOUND, "no customer", "credit", "nobody-at-all", "1")

    def test_the_whole_ledger(self):
        it.ok("credit", self.name, "1")
        rows = it.json("ledger", "--limit", "1")["postings"]
        self.assertEqual(len(rows), 2)
        self.assertEqual(len({r["transaction"] for r in rows}), 1)
        self.assertIn("BOOKING", it.ok("ledger").out)


class Keys(Case):
    def setUp(self):
        self.name = f"caller{id(self)}"
        it.ok("customer", "add", self.name)

    def test_a_key_is_shown_once_and_only_its_hmac_is_stored(self):
        done = it.ok("key", "add", self.name, "--name", "laptop")
        key = done.out.split()[0]
        self.assertRegex(key, r"^sk-yy-[0-9A-Za-z]{42}$")
        self.assertIn("won't be shown again", done.out)
        secrets = dict(line.split()[:2] for line in
                       (it.state / "secrets").read_text().splitlines())
        digest = hmac.new(bytes.fromhex(secrets["pepper"]), key.encode(),
                          hashlib.sha256).hexdigest()
        self.assertEqual(it.sql(f"SELECT count(*) FROM api_key WHERE digest "
                                f"= '\\x{digest}'"), [["1"]])
        dump = subprocess.run(
            [postgres_program("pg_dump"), "-h", it.state / "run" / "pg",
             "-U", "postgres", "youyun"], capture_output=True, text=True,
            check=True).stdout
        self.assertIn(digest, dump)
        self.assertNotIn(key, dump)
        self.assertNotIn(key[6:40], dump)
        for words in (("key", "list"), ("key", "list", "--json"),
                      ("customer", "show", self.name)):
            self.assertNotIn(key, it.ok(*words).out)

    def test_json(self):
        made = it.json("key", "add", self.name)
        row, = it.json("key", "list", self.name)["keys"]
        self.assertEqual((row["id"], row["hint"], row["status"],
                          row["expires"]),
                         (made["id"], made["hint"], "active", None))
        self.assertNotIn("key", row)
        self.assertEqual(made["hint"],
                         f"{made['key'][:10]}…{made['key'][-4:]}")

    def test_keys_differ(self):
        keys = {it.json("key", "add", self.name)["key"] for _ in range(5)}
        self.assertEqual(len(keys), 5)

    def test_expiry(self):
        it.ok("key", "add", self.name, "--expires", "30d")
        it.ok("key", "add", self.name, "--expires", "2099-12-31")
        rows = it.json("key", "list", self.name)["keys"]
        self.assertIn("2099-12-31T00:00:00.000000Z",
                      [r["expires"] for r in rows])
        for text in ("2001-01-01", "yesterday", "2099-02-31", "30x", "-1d"):
            self.refused(USAGE, "--expires", "key", "add", self.name,
                         "--expires", text)

    def test_revoke(self):
        made = it.json("key", "add", self.name)
        it.ok("key", "revoke", made["id"], "--reason", "leaked")
        self.assertEqual(self.audit()[1], "api_key.update")
        self.assertEqual(self.audit()[3], "leaked")
        row, = it.json("key", "list", self.name)["keys"]
        self.assertEqual(row["status"], "revoked")
        self.assertIsNotNone(row["revoked"])
        self.refused(REFUSED, "revoked already", "key", "revoke", made["id"])
        self.refused(NOT_FOUND, "no key", "key", "revoke", "999999")

    def test_by_its_looks(self):
        made = it.json("key", "add", self.name)
        shown = it.json("key", "show-hint", made["hint"])
        self.assertEqual((shown["id"], shown["customer"]),
                         (made["id"], self.name))
        it.ok("key", "revoke", made["hint"])

    def test_a_whole_key_on_the_command_line_is_refused(self):
        made = it.json("key", "add", self.name)
        self.refused(USAGE, "whole key", "key", "revoke", made["key"])

    def test_nobody(self):
        self.refused(NOT_FOUND, "no customer", "key", "add", "nobody-at-all")
        self.refused(NOT_FOUND, "no customer", "key", "list", "nobody-at-all")


class Prices(Case):
    def test_set_list_history(self):
        it.ok("price", "set", "m1", "--input", "2.5", "--output", "10",
              "--cache-read", "0.000000001", "--max-output-tokens", "16384")
        it.ok("price", "set", "m1", "--input", "3", "--output", "12")
        it.ok("price", "set", "m1", "--input", "4", "--output", "16",
              "--from", "7d")
        now, = it.json("price", "list", "m1")["prices"]
        self.assertEqual((now["input"], now["output"], now["cache_read"]),
                         ("3.00", "12.00", None))
        rows = it.json("price", "history", "m1")["prices"]
        self.assertEqual([r["input"] for r in rows], ["2.50", "3.00", "4.00"])
        self.assertEqual([r["current"] for r in rows], [False, True, False])
        self.assertEqual(rows[0]["cache_read"], "0.000000001")
        self.assertEqual(it.sql("SELECT max_output_tokens FROM model WHERE "
                                "name = 'm1'"), [["16384"]])
        self.assertIn("m1", it.ok("price", "list").out)

    def test_an_explicit_date(self):
        it.ok("price", "set", "m2", "--input", "0", "--output", "1", "--from",
              "2099-01-01T12:00:00Z")
        row, = it.json("price", "history", "m2")["prices"]
        self.assertEqual(row["from"], "2099-01-01T12:00:00.000000Z")
        self.refused(NOT_FOUND, "no price", "price", "list", "m2")

    def test_mistakes(self):
        base = ("price", "set", "m3", "--output", "1")
        self.refused(USAGE, "--input PRICE is missing", *base)
        for text in ("x", "-1", "1000000.1", "1.0000000001", "1e2"):
            self.refused(USAGE, "--input", *base, f"--input={text}")
        base += ("--input", "1")
        self.refused(USAGE, "in the past", *base, "--from", "2020-01-01")
        self.refused(USAGE, "--from", *base, "--from", "soon")
        self.refused(USAGE, "--max-output-tokens", *base,
                     "--max-output-tokens", "0")
        for name in ("", "a b", "a=b", "x" * 128, 'a"b'):
            self.refused(USAGE, "model's name", "price", "set", name,
                         "--input", "1", "--output", "1")
        self.refused(NOT_FOUND, "no price", "price", "list", "m3")

    def test_suggestion(self):
        it.ok("price", "set", "claude-sonnet", "--input", "3", "--output",
              "15")
        self.refused(NOT_FOUND, 'did you mean "claude-sonnet"?', "price",
                     "list", "claude-sonet")


class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = []

    def do_GET(self):
        self.seen.append((self.path, dict(self.headers)))
        good = ("Bearer sk-right" in self.headers.get("Authorization", "") or
                "sk-right" in (self.headers.get("x-api-key"),
                               self.headers.get("x-goog-api-key")))
        body = b'{"data":[]}'
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """A client that refuses the certificate is what is tested."""


class Channels(Case):
    @classmethod
    def setUpClass(cls):
        cls.crt, cls.key = it.folder / "u.crt", it.folder / "u.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
             "-days", "2", "-subj", "/CN=localhost", "-addext",
             "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", cls.key,
             "-out", cls.crt], check=True, capture_output=True)
        cls.server = Server(("127.0.0.1", 0), Upstream)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cls.crt, cls.key)
        cls.server.socket = context.wrap_socket(
            cls.server.socket, server_side=True,
            do_handshake_on_connect=False)
        cls.url = f"https://localhost:{cls.server.server_port}/api"
        threading.Thread(target=cls.server.serve_forever,
                         daemon=True).start()
        cls.secret = it.folder / "credential"
        cls.secret.write_text("sk-right\n")
        cls.count = 0

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()

    def tearDown(self):
        # Room for the next: there are few slots here.
        it.sql("DELETE FROM channel_model; DELETE FROM channel_credential; "
               "DELETE FROM channel_group; DELETE FROM channel_proxy; "
               "DELETE FROM channel")

    def add(self, *more, url=None, protocol="openai", credential=True,
            **options):
        Channels.count += 1
        name = f"ch{Channels.count}"
        words = ["channel", "add", name, "--protocol", protocol, "--url",
                 url or self.url, *more]
        if "--model" not in more:
            words += ["--model", "gpt=gpt-upstream", "--model", "plain"]
        if credential:
            words += ["--credential-file", self.secret]
        return name, it.run(*words, **options)

    def row(self, name):
        row, = [c for c in it.json("channel", "list")["channels"]
                if c["name"] == name]
        return row

    def test_add_and_list(self):
        name, done = self.add("--priority", "2", "--weight", "3", "--ca",
                              self.crt)
        self.assertEqual(done.status, OK, done)
        self.assertIn("gpt has no price yet", done.out)
        row = self.row(name)
        self.assertEqual((row["url"], row["protocol"], row["priority"],
                          row["weight"], row["models"], row["own_ca"]),
                         (self.url, "openai", 2, 3, "gpt=gpt-upstream,plain",
                          True))
        self.assertIn(name, it.ok("channel", "list").out)

    def test_the_credential_is_sealed(self):
        name, done = self.add()
        self.assertEqual(done.status, OK, done)
        stored, = it.sql(f"SELECT encode(credential, 'hex') FROM "
                         f"channel_credential WHERE channel_id = "
                         f"(SELECT id FROM channel WHERE name = '{name}')")
        sealed = bytes.fromhex(stored[0])
        self.assertNotIn(b"sk-right", sealed)
        self.assertEqual(len(sealed), len("sk-right") + 30)
        for words in (("channel", "list", "--json"),
                      ("channel", "show", name, "--json"),
                      ("channel", "credential", "list", name, "--json")):
            out = it.ok(*words).out
            self.assertNotIn("sk-right", out)
            self.assertNotIn(stored[0], out)
        audit = it.sql("SELECT string_agg(change::text, ' ') FROM audit")
        self.assertNotIn(stored[0], audit[0][0])

    def test_the_credential_from_standard_input(self):
        name, done = self.add("--ca", self.crt, credential=False,
                              stdin="sk-right\n")
        self.assertEqual(done.status, OK, done)
        it.ok("channel", "test", name)

    def test_test(self):
        for protocol, header in (("openai", "Authorization"),
                                 ("anthropic", "x-api-key"),
                                 ("gemini", "x-goog-api-key")):
            name, _ = self.add("--ca", self.crt, protocol=protocol)
            Upstream.seen.clear()
            done = it.json("channel", "test", name)
            self.assertTrue(done["ok"])
            self.assertEqual(done["status"], 200)
            self.assertRegex(done["tls"], r"^TLSv1\.[23]$")
            self.assertGreater(done["answer_us"], done["connect_us"])
            (path, headers), = Upstream.seen
            self.assertEqual(path, "/api/v1/models")
            self.assertIn(header, headers)
            self.assertIn("TLS", it.ok("channel", "test", name).out)

    def test_test_shows_a_refused_credential(self):
        name, _ = self.add("--ca", self.crt)
        done = it.run("channel", "set", name, "--credential-file", "-",
                      stdin="sk-wrong")
        self.assertEqual(done.status, OK, done)
        done = it.run("channel", "test", name)
        self.assertEqual(done.status, FAILED)
        self.assertIn("answered with 401", done.err)
        self.assertIn("refuses the credential", done.err)

    def test_test_checks_the_certificate(self):
        name, _ = self.add()
        done = it.run("channel", "test", name)
        self.assertEqual(done.status, FAILED)
        self.assertRegex(done.err, "self.signed certificate")
        url = self.url.replace("localhost", "127.0.0.2")
        name, _ = self.add("--ca", self.crt, url=url)
        done = it.run("channel", "test", name)
        self.assertEqual(done.status, FAILED)

    def test_test_of_nothing_there(self):
        name, _ = self.add(url="https://127.0.0.1:9")
        done = it.run("channel", "test", name, "--timeout", "2")
        self.assertEqual(done.status, FAILED)
        self.assertIn("Connection refused", done.err)

    def test_a_seal_moved_to_another_row_opens_nothing(self):
        one, _ = self.add("--ca", self.crt)
        two, _ = self.add("--ca", self.crt)
        it.sql(f"UPDATE channel_credential x SET credential = (SELECT "
               f"credential FROM channel_credential WHERE channel_id = "
               f"(SELECT id FROM channel WHERE name = '{one}')) "
               f"WHERE channel_id = (SELECT id FROM channel WHERE name = "
               f"'{two}')")
        done = it.run("channel", "test", two)
        self.assertEqual(done.status, FAILED)
        self.assertIn("can't be unsealed", done.err)
        # Nor as another credential of the same channel.
        it.ok("channel", "credential", "add", one, "other",
              "--credential-file", self.secret)
        it.sql(f"UPDATE channel_credential SET credential = (SELECT "
               f"credential FROM channel_credential WHERE name = 'other') "
               f"WHERE name = 'main' AND channel_id = (SELECT id FROM channel "
               f"WHERE name = '{one}')")
        done = it.run("channel", "test", one)
        self.assertIn("can't be unsealed", done.err)

    def test_credentials(self):
        name, _ = self.add("--ca", self.crt)
        wrong = it.folder / "wrong.key"
        wrong.write_text("sk-wrong\n")
        words = ("channel", "credential")
        it.ok(*words, "add", name, "second", "--credential-file", wrong)
        self.refused(REFUSED, "already", *words, "add", name, "second",
                     "--credential-file", wrong)
        self.refused(NOT_FOUND, "no credential", *words, "set", name, "third",
                     "--credential-file", wrong)
        self.refused(NOT_FOUND, "no credential", "channel", "test", name,
                     "--credential", "third")
        it.ok("channel", "test", name)
        done = it.run("channel", "test", name, "--credential", "second")
        self.assertEqual(done.status, FAILED)
        self.assertIn("answered with 401", done.err)
        it.ok(*words, "set", name, "second", "--credential-file", self.secret)
        it.ok("channel", "test", name, "--credential", "second")
        it.ok(*words, "disable", name, "main")
        rows = it.json(*words, "list", name)["credentials"]
        self.assertEqual([(r["name"], r["status"]) for r in rows],
                         [("main", "disabled"), ("second", "active")])
        it.ok(*words, "enable", name, "main")
        it.ok(*words, "remove", name, "second", "--yes")
        rows = it.json(*words, "list", name)["credentials"]
        self.assertEqual([(r["name"], r["status"]) for r in rows],
                         [("main", "active")])
        for n in range(7):
            it.ok(*words, "add", name, f"key{n}", "--credential-file", wrong)
        self.refused(REFUSED, "no more fit", *words, "add", name, "ninth",
                     "--credential-file", wrong)

    def test_what_bounds_a_channel(self):
        secret = it.folder / "proxy.key"
        secret.write_text("user:hush-hush\n")
        name, done = self.add(
            "--group", "default", "--region", "eu", "--entity", "Example SE",
            "--header", "OpenAI-Organization: org-1", "--header", "x-a: b c",
            "--proxy", "http://proxy.example:3128",
            "--proxy-credential-file", secret, "--first-token-timeout", "20s",
            "--idle-timeout", "500ms", "--max-concurrent", "7",
            "--max-per-minute", "600", "--responses", "translated")
        self.assertEqual(done.status, OK, done)
        shown = it.json("channel", "show", name)
        self.assertEqual(
            [shown[k] for k in ("groups", "region", "entity", "headers",
                                "proxy", "proxy_credential",
                                "first_token_ms", "idle_ms", "total_ms",
                                "max_concurrent", "max_per_minute",
                                "responses")],
            ["default", "eu", "Example SE",
             "OpenAI-Organization: org-1\nx-a: b c\n",
             "http://proxy.example:3128", True, 20000, 500, None, 7, 600,
             "translated"])
        self.assertNotIn("hush", it.ok("channel", "show", name).out)
        self.assertEqual([c["name"] for c in shown["credentials"]], ["main"])
        it.ok("channel", "set", name, "--all-groups", "--header", "",
              "--proxy", "none", "--idle-timeout", "default",
              "--max-concurrent", "0")
        self.assertEqual(it.json("channel", "show", name)["responses"],
                         "translated")
        it.ok("channel", "set", name, "--responses", "native")
        shown = it.json("channel", "show", name)
        self.assertEqual(
            [shown[k] for k in ("groups", "region", "headers", "proxy",
                                "first_token_ms", "idle_ms",
                                "max_concurrent", "max_per_minute",
                                "responses")],
            [None, "eu", None, None, 20000, None, None, 600, "native"])
        it.ok("channel", "reset", name)

    def test_mistakes_in_what_bounds_a_channel(self):
        name, _ = self.add()
        for code, words in (
                (USAGE, ("--header", "Host: x")),
                (USAGE, ("--responses", "maybe")),
                (USAGE, ("--header", "no colon")),
                (USAGE, ("--header", "Authorization: Bearer x")),
                (USAGE, ("--proxy", "https://proxy.example:1")),
                (USAGE, ("--proxy", "http://user:pw@proxy.example:1")),
                (USAGE, ("--proxy", "http://proxy.example")),
                (USAGE, ("--idle-timeout", "5")),
                (USAGE, ("--idle-timeout", "0s")),
                (USAGE, ("--total-timeout", "25h")),
                (USAGE, ("--max-concurrent", "-1")),
                (USAGE, ("--region", "x" * 32)),
                (USAGE, ("--group", "default", "--all-groups")),
                (NOT_FOUND, ("--group", "nobody"))):
            self.refused(code, "", "channel", "set", name, *words)

    def test_disable_enable_set(self):
        name, _ = self.add()
        it.ok("channel", "disable", name, "--reason", "outage")
        self.assertEqual(self.row(name)["status"], "disabled")
        self.assertEqual(self.audit()[3], "outage")
        it.ok("channel", "enable", name)
        self.assertEqual(self.row(name)["status"], "active")
        it.ok("channel", "set", name, "--priority", "0", "--model", "plain=p",
              "--remove-model", "gpt")
        row = self.row(name)
        self.assertEqual((row["priority"], row["weight"], row["models"]),
                         (0, 1, "plain=p"))
        self.refused(NOT_FOUND, "does not serve", "channel", "set", name,
                     "--remove-model", "gpt")
        self.refused(USAGE, "nothing to change", "channel", "set", name)

    def test_names_and_suggestions(self):
        name, _ = self.add()
        done = it.run("channel", "add", name, "--protocol", "openai",
                      "--url", self.url, "--model", "x", "--credential-file",
                      self.secret)
        self.assertEqual(done.status, REFUSED)
        self.assertIn("already", done.err)
        # A change is one transaction: the model is not there either.
        self.assertEqual(it.sql("SELECT count(*) FROM model WHERE "
                                "name = 'x'"), [["0"]])
        self.refused(NOT_FOUND, "did you mean", "channel", "test", name[:-1]
                     + "x" if len(name) > 3 else name + "x")

    def test_no_slot_left(self):
        for _ in range(16):
            self.assertEqual(self.add()[1].status, OK)
        _, done = self.add()
        self.assertEqual(done.status, REFUSED, done)
        self.assertIn("max_channels", done.err)

    def test_mistakes(self):
        for url, why in (
                ("ftp://x", "https://"), ("https://", "no host"),
                ("https://api.example/v1", "leave /v1 out"),
                ("https://api.example/x/v1/", "leave /v1 out"),
                ("http://api.example", "loopback"),
                ("https://u:p@api.example", "seen by others"),
                ("https://api.example:0", "port"),
                ("https://api.example:70000", "port"),
                ("https://api.example:", "port"),
                ("https://api example", "character"),
                ("https://api.example/a?b", "character"),
                ("https://[::1", "brackets"),
                (f"https://{'a' * 300}", "too long")):
            _, done = self.add(url=url)
            self.assertEqual(done.status, USAGE, (url, done))
            self.assertIn(why, done.err)
        _, done = self.add(protocol="smtp")
        self.assertEqual(done.status, USAGE)
        for model in ("=x", "x=", "a b", "x" * 200):
            _, done = self.add("--model", model)
            self.assertEqual(done.status, USAGE, model)
        _, done = self.add("--priority", "-1")
        self.assertEqual(done.status, USAGE)
        _, done = self.add("--ca", self.key)
        self.assertEqual(done.status, USAGE)
        self.assertIn("no PEM certificate", done.err)

    def test_bad_credentials(self):
        for text, why in (("", "empty"), ("\n", "empty"),
                          ("a b\n", "no header"), ("x" * 2000, "too long"),
                          ("bad\x01\n", "no header")):
            _, done = self.add(credential=False, stdin=text)
            self.assertEqual(done.status, FAILED, (text, done))
            self.assertIn(why, done.err)
        _, done = self.add("--credential-file", "/nonexistent",
                           credential=False)
        self.assertEqual(done.status, FAILED)

    def at_the_prompt(self, typed):
        """Adds a channel on a terminal; returns its status, what was shown,
        and whether the terminal echoes afterwards."""
        main, side = pty.openpty()
        child = subprocess.Popen(
            [YOUYUNCTL, "-c", it.config, "channel", "add", "typed",
             "--protocol", "openai", "--url", self.url, "--model", "m",
             "--ca", self.crt], stdin=side, stdout=side, stderr=side,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(
                0, termios.TIOCSCTTY, 0))
        shown = b""
        while b"(not shown): " not in shown:
            shown += os.read(main, 1000)
        while termios.tcgetattr(side)[3] & termios.ECHO:
            time.sleep(0.01)
        os.write(main, typed)
        status = child.wait(30)
        echo = bool(termios.tcgetattr(side)[3] & termios.ECHO)
        while select.select([main], [], [], 0)[0]:
            shown += os.read(main, 1000)
        os.close(main)
        os.close(side)
        return status, shown.decode(), echo

    def test_the_credential_is_asked_for_without_echo(self):
        status, shown, echo = self.at_the_prompt(b"sk-right\n")
        self.assertEqual(status, OK, shown)
        self.assertNotIn("sk-right", shown)
        self.assertTrue(echo)
        it.ok("channel", "test", "typed")

    def test_an_interrupted_prompt_gives_the_echo_back(self):
        status, shown, echo = self.at_the_prompt(b"sk-ri\x03")
        self.assertEqual(status, -signal.SIGINT, shown)
        self.assertTrue(echo)

    def test_ipv6_and_usual_ports(self):
        name, done = self.add(url="https://[::1]")
        self.assertEqual(done.status, OK, done)
        self.assertEqual(self.row(name)["url"], "https://[::1]")
        name, _ = self.add(url="https://api.example:443/a/b/")
        self.assertEqual(self.row(name)["url"], "https://api.example/a/b")


class Audit(Case):
    def test_every_change_is_audited(self):
        before = int(it.sql("SELECT count(*) FROM audit")[0][0])
        it.ok("group", "set", "audited", "--multiplier", "2", "--actor",
              "dora", "--reason", "because")
        rows = it.sql("SELECT actor, reason, role FROM audit ORDER BY id")
        self.assertGreater(len(rows), before)
        self.assertEqual(rows[-1], ["dora", "because", "youyun_admin"])

    def test_actor_and_reason_are_checked(self):
        self.refused(USAGE, "--actor", "group", "set", "a", "--multiplier",
                     "1", "--actor", "a\nb")
        self.refused(USAGE, "--reason", "group", "set", "a", "--multiplier",
                     "1", "--reason", "x" * 501)


if __name__ == "__main__":
    if postgres_program("initdb") is None:
        print("PostgreSQL is not installed")
        sys.exit(77)
    unittest.main()
