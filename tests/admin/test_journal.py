#!/usr/bin/env python3
"""youyunctl journal check and repair, on files written here byte by byte."""

import fcntl
import os
import pwd
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fixture import BUILDDIR, FAILED, OK, REFUSED, ROOT, USAGE, USER, \
    Installation

FRAME = 568
HEADER = 4096
WRITER = BUILDDIR / "tests" / "admin" / "journal"


class Journal(unittest.TestCase):
    def setUp(self):
        self.it = Installation()
        self.addCleanup(self.it.remove)
        self.journal = self.it.state / "journal"
        self.journal.mkdir(parents=True)
        subprocess.run([WRITER, self.journal, "25"], check=True)
        if ROOT:
            user = pwd.getpwnam(USER)
            for path in (self.it.state, self.journal,
                         *self.journal.iterdir()):
                os.chown(path, user.pw_uid, user.pw_gid)

    def file(self, first):
        return self.journal / f"{first:016x}.yyj"

    def damage(self, first, seq, at=100):
        path = self.file(first)
        data = bytearray(path.read_bytes())
        data[HEADER + (seq - first) * FRAME + at] ^= 0x40
        path.write_bytes(data)

    def test_a_whole_journal(self):
        found = self.it.json("journal", "check")
        self.assertTrue(found["ok"])
        self.assertEqual((found["first"], found["last"], found["whole"],
                          found["lost"]), (1, 25, 25, 0))
        self.assertIsNone(found["applied_seq"])
        out = self.it.ok("journal", "repair", "--yes").out
        self.assertIn("The journal is whole.", out)

    def test_damage_is_named_and_repaired_when_asked_to(self):
        self.damage(1, 4)
        before = self.file(1).read_bytes()
        done = self.it.run("journal", "check")
        self.assertEqual(done.status, FAILED, done)
        self.assertIn("damaged records", done.out)
        self.assertIn("journal repair", done.err)
        done = self.it.run("journal", "repair")
        self.assertEqual(done.status, REFUSED, done)
        self.assertIn("--yes", done.err)
        self.assertEqual(self.file(1).read_bytes(), before)
        done = self.it.ok("journal", "repair", "--yes", "--json").json
        self.assertTrue(done["repaired"])
        self.assertEqual(done["flaws"], [
            {"file": self.file(1).name, "offset": HEADER + 3 * FRAME,
             "flaw": "damaged records", "first": 4, "records": 1}])
        kept = self.journal / (self.file(1).name + ".damaged")
        self.assertEqual(kept.read_bytes(), before)
        found = self.it.json("journal", "check")
        self.assertEqual((found["whole"], found["lost"],
                          found["lost_before"]), (24, 0, 1))
        self.assertEqual(self.file(1).owner(), USER)

    def test_numbers_of_the_database_are_used_up(self):
        self.it.ok("journal", "repair", "--yes", "--up-to", "30")
        self.assertEqual(self.it.json("journal", "check")["last"], 30)
        done = self.it.run("journal", "repair", "--yes", "--up-to",
                           "9000000000000000")
        self.assertEqual(done.status, USAGE, done)

    def test_not_while_the_service_runs(self):
        self.damage(1, 4)
        with open(self.it.state / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if ROOT:
                os.chown(self.it.state / "lock", pwd.getpwnam(USER).pw_uid,
                         -1)
            done = self.it.run("journal", "repair", "--yes")
            self.assertEqual(done.status, REFUSED, done)
            self.assertEqual(self.it.run("journal", "check").status, FAILED)

    def test_another_version_is_not_touched(self):
        path = self.file(1)
        data = bytearray(path.read_bytes())
        struct.pack_into("<I", data, 8, 99)
        path.write_bytes(data)
        done = self.it.run("journal", "repair", "--yes")
        self.assertEqual(done.status, FAILED, done)
        self.assertIn("another version", done.err)
        self.assertEqual(path.read_bytes(), data)


if __name__ == "__main__":
    unittest.main()
