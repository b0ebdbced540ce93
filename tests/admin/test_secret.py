#!/usr/bin/env python3
"""Sealing keys: rotation, killed at every step; what is sealed opens in its
own row only; a key goes when nothing is sealed by it."""

import json
import os
import shutil
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fixture import BUILDDIR, FAILED, OK, REFUSED, YOUYUNCTL, Installation

it = None
KILLED = BUILDDIR / "tests" / "admin" / "killed"


def setUpModule():
    global it
    it = Installation()
    it.ok("init")
    it.start_postgres()
    for name in ("one", "two"):
        it.ok("channel", "add", name, "--protocol", "openai", "--url",
              "https://127.0.0.1:9", "--model", "m", stdin=f"sk-of-{name}\n")
    it.ok("channel", "credential", "add", "one", "more", stdin="sk-more\n")
    (it.folder / "proxy").write_text("user:password\n")
    it.ok("channel", "set", "two", "--proxy", "http://127.0.0.1:8",
          "--proxy-credential-file", str(it.folder / "proxy"))


def tearDownModule():
    it.remove()


def keys():
    return {row["key"]: row for row in
            it.json("secret", "list")["keys"]}


def in_file():
    """The ids, the one that seals first."""
    return [int(line.split()[1]) for line in
            (it.state / "secrets").read_text().splitlines()[1:]]


def sealed_by():
    """The keys of all sealed texts, by looking at the bytes."""
    return [int(row[0]) for row in it.sql(
        "SELECT get_byte(credential, 1) FROM channel_credential UNION ALL "
        "SELECT get_byte(credential, 1) FROM channel_proxy")]


def texts():
    return it.sql("SELECT 'c', id, credential, edition FROM "
                  "channel_credential UNION ALL SELECT 'p', id, credential, "
                  "0 FROM channel_proxy ORDER BY 1, 2")


class Secret(unittest.TestCase):

    def rotated(self):
        """Everything by one key, the file's first, and all of it opens."""
        first = in_file()[0]
        self.assertEqual(set(sealed_by()), {first})
        listed = keys()
        self.assertEqual(listed[first]["state"], "seals")
        self.assertEqual((listed[first]["credentials"],
                          listed[first]["proxies"]), (3, 1))
        for channel in ("one", "two"):
            told = it.run("channel", "test", channel).err
            self.assertNotIn("unsealed", told)
        return first

    def test_a_rotation_seals_everything_anew(self):
        before, was = texts(), self.rotated()
        told = it.json("secret", "rotate", "--reason", "yearly")
        now = self.rotated()
        self.assertNotEqual(now, was)
        self.assertEqual(told, {"key": now, "sealed_anew": 4})
        after = texts()
        for old, new in zip(before, after):
            self.assertNotEqual(old[2], new[2])
            # Workers know by it how a credential fared.
            self.assertEqual(old[3], new[3])
        self.assertEqual(in_file()[:2], [now, was])
        self.assertEqual(keys()[was]["state"], "opens")
        entries = it.json("audit", "list", "--object",
                          f"seal_key:{now}")["audit"]
        self.assertEqual(entries[0]["reason"], "yearly")
        # What is in the file is in no output, entry or dump of the database.
        secrets = {line.split()[-1] for line in
                   (it.state / "secrets").read_text().splitlines()}
        said = it.ok("secret", "list").out + it.ok("secret", "rotate").out \
            + it.ok("audit", "export").out
        for secret in secrets:
            self.assertNotIn(secret, said)
        self.assertNotIn("sk-of-one", said)

    def test_a_key_goes_when_nothing_is_sealed_by_it(self):
        it.ok("secret", "rotate")
        now, *old = in_file()
        copy = (it.state / "secrets").read_bytes()
        row = it.sql("SELECT credential FROM channel_credential ORDER BY id "
                     "LIMIT 1")[0][0]
        # A youyunctl that had read the file before the rotation.
        it.ok("secret", "rotate")
        it.sql(f"UPDATE channel_credential SET credential = '{row}' WHERE id "
               "= (SELECT min(id) FROM channel_credential)")
        told = it.json("secret", "retire")
        self.assertEqual(told["sealed_by_others"], 1)
        self.assertIn(now, in_file())
        for gone in old:
            self.assertNotIn(gone, in_file())
            self.assertEqual(keys()[gone]["state"], "retired")
        # It goes on with what is left, rather than make another key.
        first = in_file()[0]
        self.assertEqual(it.json("secret", "rotate"),
                         {"key": first, "sealed_anew": 1})
        self.assertEqual(it.json("secret", "retire")["retired"], 1)
        self.assertEqual(in_file(), [first])
        self.rotated()
        # Nothing is sealed by what is retired, whoever has the old file.
        kept = (it.state / "secrets").read_bytes()
        (it.state / "secrets").write_bytes(copy)
        result = it.run("channel", "credential", "set", "one", "more",
                        stdin="sk-late\n")
        self.assertEqual(result.status, FAILED, result)
        self.assertIn(f"sealing key {now} is retired", result.err)
        result = it.run("secret", "rotate")
        self.assertEqual(result.status, FAILED)
        self.assertIn("can't be opened", result.err)
        (it.state / "secrets").write_bytes(kept)
        self.rotated()

    def test_a_retirement_waits_for_who_is_sealing(self):
        it.ok("secret", "rotate")
        old = in_file()[1]
        row = it.sql(f"SELECT set_byte(credential, 1, {old}) FROM "
                     "channel_credential ORDER BY id LIMIT 1")[0][0]
        was = it.sql("SELECT credential FROM channel_credential ORDER BY id "
                     "LIMIT 1")[0][0]
        psql = subprocess.Popen(it.psql_command("youyun_admin"),
                                stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)
        psql.stdin.write(
            "SET search_path = youyun; BEGIN; UPDATE channel_credential SET "
            f"credential = '{row}' WHERE id = (SELECT min(id) FROM "
            "channel_credential);\n\\echo sealed\n")
        psql.stdin.flush()
        self.assertEqual(psql.stdout.readline(), "sealed\n")
        results = []
        thread = threading.Thread(
            target=lambda: results.append(it.run("secret", "retire")))
        thread.start()
        thread.join(1.5)
        self.assertTrue(thread.is_alive())
        psql.stdin.write("COMMIT;\n")
        psql.stdin.close()
        psql.wait()
        psql.stdout.close()
        thread.join(30)
        self.assertEqual(results[0].status, FAILED)
        self.assertIn(f"1 secrets are sealed by key {old}", results[0].err)
        self.assertIn(old, in_file())
        self.assertEqual(keys()[old]["state"], "opens")
        it.sql(f"UPDATE channel_credential SET credential = '{was}' WHERE id "
               "= (SELECT min(id) FROM channel_credential)")
        self.rotated()

    def test_a_text_opens_in_its_own_row_only(self):
        before = texts()
        rows = it.sql("SELECT id, credential FROM channel_credential "
                      "ORDER BY id")
        proxy = it.sql("SELECT credential FROM channel_proxy")[0][0]
        for victim, other in ((rows[0], rows[1][1]),	# another channel's
                              (rows[0], rows[2][1]),	# the same channel's
                              (rows[1], proxy)):	# of another kind
            it.sql("UPDATE channel_credential SET credential = "
                   f"'{other}' WHERE id = {victim[0]}")
            there = texts()
            result = it.run("secret", "rotate")
            # Nothing moved but the file's key, which is there to go on with.
            self.assertEqual(result.status, FAILED, result)
            self.assertRegex(result.err, f"credential {victim[0]} of channel "
                             "(one|two) can't be opened")
            self.assertEqual(texts(), there)
            name = it.sql("SELECT c.name FROM channel c JOIN "
                          "channel_credential r ON r.channel_id = c.id WHERE "
                          f"r.id = {victim[0]}")[0][0]
            if victim is rows[1]:
                self.assertIn("unsealed", it.run("channel", "test",
                                                 name).err)
            it.sql("UPDATE channel_credential SET credential = "
                   f"'{victim[1]}' WHERE id = {victim[0]}")
        self.assertEqual(texts(), before)
        it.sql(f"UPDATE channel_proxy SET credential = '{rows[1][1]}'")
        self.assertIn("proxy", it.run("secret", "rotate").err)
        it.sql(f"UPDATE channel_proxy SET credential = '{proxy}'")
        it.ok("secret", "rotate")
        self.rotated()

    def test_a_rotation_killed_anywhere_is_gone_on_with(self):
        it.ok("secret", "rotate")
        it.ok("secret", "retire")
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0", LC_ALL="C")
        kills, half, made = 0, 0, set()
        for step in range(1, 400):
            before, was = texts(), self.rotated()
            done = subprocess.run(
                [KILLED, str(step), YOUYUNCTL, "-c", it.config, "secret",
                 "rotate"], capture_output=True, text=True, check=False,
                env=env)
            self.assertIn(done.returncode, (0, 1), done)
            if done.returncode == 1:
                break
            kills += 1
            # All of the rows or none; whatever is sealed has its key.
            self.assertEqual(len(set(sealed_by())), 1)
            self.assertLessEqual(set(sealed_by()), set(in_file()))
            if sealed_by()[0] == was:
                self.assertEqual(texts(), before)
            half += in_file() != [was] and sealed_by()[0] == was
            it.ok("secret", "rotate")
            now = self.rotated()
            made.add(now)
            self.assertLessEqual(len(in_file()), 3)
            it.ok("secret", "retire")
            self.assertEqual(in_file(), [now])
            self.assertFalse((it.state / "secrets.new").exists())
        self.assertEqual(done.returncode, 1)
        print(f"{kills} kills, {half} of them between file and database")
        self.assertGreater(kills, 15)
        self.assertGreater(half, 5)

    def test_a_retirement_killed_anywhere_is_gone_on_with(self):
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0", LC_ALL="C")
        for step in range(1, 400):
            it.ok("secret", "rotate")
            now = in_file()[0]
            done = subprocess.run(
                [KILLED, str(step), YOUYUNCTL, "-c", it.config, "secret",
                 "retire"], capture_output=True, text=True, check=False,
                env=env)
            self.assertIn(done.returncode, (0, 1), done)
            self.rotated()
            it.ok("secret", "retire")
            self.assertEqual(in_file(), [now])
            if done.returncode == 1:
                break
        self.assertGreater(step, 8)

    def test_other_nodes_get_the_key_before_anything_is_sealed_by_it(self):
        it.ok("node", "add", "second")
        first = in_file()[0]
        result = it.run("secret", "rotate")
        self.assertEqual(result.status, REFUSED, result)
        self.assertIn("because there are 1 other nodes", result.err)
        prepared = in_file()[-1]
        self.assertEqual(in_file()[0], first)
        self.assertEqual(keys()[prepared]["state"], "prepared")
        # It isn't forgotten as one that nothing is sealed by, nor made twice.
        it.ok("secret", "retire")
        self.assertEqual(in_file(), [first, prepared])
        self.assertEqual(it.run("secret", "rotate").status, REFUSED)
        self.assertEqual(in_file(), [first, prepared])
        other = it.folder / "other-secrets"
        shutil.copy2(it.state / "secrets", other)
        shutil.chown(other, it.state.stat().st_uid)
        self.assertEqual(it.json("secret", "rotate", "--copied")["key"],
                         prepared)
        self.rotated()
        # On the other node it goes the same way, without a third key.
        self.assertEqual(it.json("secret", "rotate", "--file", str(other)),
                         {"key": prepared, "sealed_anew": 0})
        self.assertEqual(other.read_text(),
                         (it.state / "secrets").read_text())
        # One whose file was left behind must not seal back.
        self.assertEqual(it.run("secret", "rotate").status, REFUSED)
        it.ok("secret", "rotate", "--copied")
        result = it.run("secret", "rotate", "--file", str(other))
        self.assertEqual(result.status, REFUSED, result)
        self.assertIn("which seals now", result.err)
        it.sql("UPDATE node_state SET fenced = now() WHERE node_id = 2")
        self.rotated()

    def test_one_at_a_time(self):
        psql = subprocess.Popen(it.psql_command("youyun_admin"),
                                stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)
        psql.stdin.write("SELECT pg_advisory_lock(8245013977120002);\n"
                         "\\echo locked\n")
        psql.stdin.flush()
        while psql.stdout.readline() != "locked\n":
            pass
        for verb in ("rotate", "retire"):
            result = it.run("secret", verb)
            self.assertEqual(result.status, REFUSED)
            self.assertIn("another youyunctl", result.err)
        psql.stdin.close()
        psql.wait()
        psql.stdout.close()
        it.ok("secret", "rotate")

    def test_the_file_has_room_for_eight(self):
        for _ in range(8):
            result = it.run("secret", "rotate")
            if result.status != OK:
                break
        self.assertEqual(result.status, REFUSED, result)
        self.assertIn("has 8 keys already", result.err)
        it.ok("secret", "retire")
        self.assertEqual(len(in_file()), 1)
        it.ok("secret", "rotate")
        self.rotated()


if __name__ == "__main__":
    unittest.main()
