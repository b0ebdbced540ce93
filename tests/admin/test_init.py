#!/usr/bin/env python3
"""youyunctl init and migrate, for real."""

import os
import stat
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fixture import (AWAY, FAILED, OK, ROOT, USER, Installation,
                     postgres_program)


class Init(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.it = Installation()
        cls.addClassCleanup(cls.it.remove)
        # What a killed initdb leaves behind must not be in the way.
        os.makedirs(cls.it.folder / "state" / "postgres.new" / "base")
        if ROOT:
            for path in ("state", "state/postgres.new",
                         "state/postgres.new/base"):
                subprocess.run(["chown", USER, cls.it.folder / path],
                               check=True)
        cls.first = cls.it.run("init")

    def tearDown(self):
        self.it.stop_postgres()

    def test_the_first_run_says_what_it_made(self):
        self.assertEqual(self.first.status, OK, self.first)
        self.assertIn("made the secrets file", self.first.out)
        self.assertIn("making the PostgreSQL cluster", self.first.out)
        self.assertIn("applied", self.first.out)
        self.assertFalse((self.it.state / "postgres.new").exists())

    def test_everything_belongs_to_the_service_user(self):
        for path in ("secrets", "postgres", "journal", "run", "run/pg",
                     "postgres/pg_hba.conf"):
            self.assertEqual((self.it.state / path).owner(), USER, path)

    def test_the_secrets_are_for_the_owner_only(self):
        mode = (self.it.state / "secrets").stat().st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o600)

    def test_again_changes_nothing(self):
        before = (self.it.state / "secrets").read_bytes()
        done = self.it.json("init")
        self.assertEqual((done["made_secrets"], done["made_cluster"],
                          done["applied"]), (False, False, 0))
        self.assertEqual((self.it.state / "secrets").read_bytes(), before)
        conf = (self.it.state / "postgres" / "postgresql.conf").read_text()
        self.assertEqual(conf.count("include = 'youyun.conf'"), 1)

    def test_nothing_runs_afterwards(self):
        self.assertFalse((self.it.state / "postgres" /
                          "postmaster.pid").exists())

    def test_init_and_migrate_use_a_running_server(self):
        self.it.start_postgres()
        self.assertEqual(self.it.json("init")["applied"], 0)
        self.assertEqual(self.it.json("migrate")["applied"], 0)
        self.assertIsNone(self.it.postgres.poll())

    def test_the_cluster_is_as_promised(self):
        self.it.start_postgres()
        self.assertEqual(self.it.sql("SHOW data_checksums"), [["on"]])
        self.assertEqual(self.it.sql("SHOW server_encoding"), [["UTF8"]])
        self.assertEqual(self.it.sql("SHOW lc_collate"), [["C"]])
        self.assertEqual(self.it.sql("SHOW listen_addresses"), [[""]])
        roles = self.it.sql("SELECT rolname, rolsuper FROM pg_roles WHERE "
                            "rolname LIKE 'youyun%' ORDER BY 1")
        self.assertEqual(roles, [["youyun_admin", "f"],
                                 ["youyun_auditor", "f"],
                                 ["youyun_billing", "f"],
                                 ["youyun_flusher", "f"],
                                 ["youyun_owner", "f"],
                                 ["youyun_portal", "f"],
                                 ["youyun_support", "f"]])

    def test_only_root_is_superuser_in_service(self):
        ident = (self.it.state / "postgres" / "pg_ident.conf").read_text()
        lines = [line.split() for line in ident.splitlines()
                 if line.endswith(" postgres")]
        self.assertEqual(lines, [["youyun", "root", "postgres"]])

    def test_migrate_needs_the_server(self):
        done = self.it.run("migrate")
        self.assertEqual(done.status, AWAY)
        self.assertIn("hint:", done.err)

    def test_a_newer_schema_is_refused(self):
        self.it.start_postgres()
        self.it.sql("INSERT INTO schema_version SELECT (jsonb_populate_record("
                    "v, jsonb_build_object('version', 999))).* "
                    "FROM schema_version v ORDER BY version DESC LIMIT 1")
        done = self.it.run("customer", "list")
        self.it.sql("DELETE FROM schema_version WHERE version = 999")
        self.assertEqual(done.status, 4, done)
        self.assertIn("newer", done.err)

    def test_a_server_of_ones_own(self):
        self.it.start_postgres()
        self.it.sql("CREATE DATABASE own OWNER youyun_owner")
        own = Installation("database = dbname=own host="
                           f"{self.it.state}/run/pg\n")
        self.addCleanup(own.remove)
        done = own.json("init")
        self.assertGreater(done["applied"], 0)
        self.assertFalse(done["made_cluster"])
        self.assertFalse((own.state / "postgres").exists())
        own.ok("customer", "add", "acme")
        own.ok("credit", "acme", "5")
        self.assertTrue(own.json("verify")["ok"])
        self.assertEqual(own.json("init")["applied"], 0)

    def test_the_database_away_is_said_so(self):
        for words in (("customer", "list"), ("verify",), ("credit", "a", "1")):
            done = self.it.run(*words)
            self.assertEqual(done.status, AWAY, done)
            self.assertIn("the database can't be reached", done.err)
            self.assertIn("hint: youyund runs it", done.err)


class Refusals(unittest.TestCase):
    def setUp(self):
        self.it = Installation()

    def tearDown(self):
        self.it.remove()

    def test_no_configuration(self):
        self.it.config.unlink()
        done = self.it.run("init")
        self.assertEqual(done.status, FAILED)
        self.assertIn("name another file with -c FILE", done.err)

    def test_a_mistake_in_the_configuration_is_named(self):
        self.it.config.write_text("listen = nonsense\nworkrs = 2\n")
        done = self.it.run("init")
        self.assertEqual(done.status, FAILED)
        self.assertIn("youyun.conf:1: listen", done.err)
        self.assertIn("youyun.conf:2: workrs", done.err)

    @unittest.skipUnless(ROOT, "only root drops to a user")
    def test_a_service_user_that_is_not_there(self):
        self.it.config.write_text(
            f"user = no-such-user\nstate_dir = {self.it.state}\n")
        done = self.it.run("init")
        self.assertEqual(done.status, FAILED)
        self.assertIn("useradd --system", done.err)
        self.assertFalse(self.it.state.exists())

    @unittest.skipUnless(ROOT, "only root drops to a user")
    def test_the_service_never_is_root(self):
        self.it.config.write_text(
            f"user = root\nstate_dir = {self.it.state}\n")
        self.assertEqual(self.it.run("init").status, FAILED)

    def test_a_socket_path_that_is_too_long(self):
        deep = self.it.folder / ("d" * 120)
        self.it.config.write_text(
            f"user = {USER}\nstate_dir = {deep}\n")
        done = self.it.run("init")
        self.assertEqual(done.status, FAILED)
        self.assertIn("too long for a unix socket", done.err)

    def test_a_missing_folder_above(self):
        self.it.config.write_text(
            f"user = {USER}\nstate_dir = {self.it.folder}/no/such\n")
        done = self.it.run("init")
        self.assertEqual(done.status, FAILED)
        self.assertIn("make the folder above it first", done.err)

    def test_secrets_that_others_can_read(self):
        self.it.state.mkdir(mode=0o700)
        path = self.it.state / "secrets"
        path.write_text("x")
        path.chmod(0o644)
        if ROOT:
            subprocess.run(["chown", "-R", USER, self.it.state], check=True)
        done = self.it.run("init")
        self.assertEqual(done.status, FAILED)
        self.assertIn("chmod 0600", done.err)

    def test_without_postgresql(self):
        self.it.config.write_text(
            self.it.config.read_text() + "postgres_bin = /nonexistent\n")
        done = self.it.run("init")
        self.assertEqual(done.status, FAILED)
        self.assertIn("postgres_bin", done.err)

    def test_a_server_of_ones_own_that_is_away(self):
        self.it.config.write_text(
            self.it.config.read_text() +
            f"database = host={self.it.folder} dbname=youyun\n")
        done = self.it.run("init")
        self.assertEqual(done.status, AWAY, done)
        self.assertIn("CREATE ROLE", done.err)


if __name__ == "__main__":
    if postgres_program("initdb") is None:
        print("PostgreSQL is not installed")
        sys.exit(77)
    unittest.main()
