#!/usr/bin/env python3
"""The audit trail's chain: computed anew here, tampered with in every way,
and held against anchors."""

import hashlib
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fixture import FAILED, OK, USAGE, Installation

it = None


def setUpModule():
    global it
    it = Installation("staff = carol:auditor alice:billing\n")
    it.ok("init")
    it.start_postgres()
    for number in range(7):
        it.ok("customer", "add", f"c{number}", "--note", 'say "hé\\"')
    it.ok("customer", "suspend", "c1", "--reason", "prüfen")
    it.ok("credit", "c2", "5", "--key", "one")


def tearDownModule():
    it.remove()


def netstring(text):
    data = str(text).encode()
    return str(len(data)).encode() + b":" + data


def sha(data):
    return hashlib.sha256(data).digest()


def root(leaves):
    """RFC 6962, section 2.1, as it is written there."""
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha(b"\1" + root(leaves[:k]) + root(leaves[k:]))


def verify(*more):
    return it.run("audit", "verify", "--json", *more)


def export():
    return [json.loads(line) for line in it.ok("audit", "export").out
            .splitlines()]


def micros(at):
    seconds, fraction = at.rstrip("Z").split(".")
    import calendar
    import time
    return calendar.timegm(time.strptime(seconds, "%Y-%m-%dT%H:%M:%S")) \
        * 10**6 + int(fraction)


class Unlocked:
    """The tables without what refuses changes, as their owner can have it."""

    def __enter__(self):
        for table in ("audit", "audit_link"):
            it.sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")

    def __exit__(self, *_):
        for table in ("audit", "audit_link"):
            it.sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")


class Trail(unittest.TestCase):

    def found(self, words, *more):
        result = verify(*more)
        self.assertEqual(result.status, FAILED, result)
        self.assertIn(words, result.err)

    def sound(self, *more):
        result = verify(*more)
        self.assertEqual(result.status, OK, result)
        return json.loads(result.out)

    def test_the_hashes_are_what_the_manual_says(self):
        told = self.sound()
        rows = export()
        self.assertEqual(len(rows), told["entries"])
        self.assertEqual(told["unlinked"], 0)
        chain = bytes(32)
        leaves = []
        for seq, row in enumerate(rows, 1):
            self.assertEqual(row["seq"], seq)
            detail = sha(netstring(row["reason"]) + netstring(row["change"]))
            if row["change"] != '{"erased": true}':
                self.assertEqual(detail.hex(), row["detail"])
            leaf = sha(b"\0" + b"".join(map(netstring, (
                row["id"], micros(row["at"]), row["actor"], row["role"],
                row["action"], row["object"], row["detail"]))))
            self.assertEqual(leaf.hex(), row["leaf"])
            chain = sha(chain + leaf)
            self.assertEqual(chain.hex(), row["chain"])
            leaves.append(leaf)
            if seq in (1, 2, 3, 4, 5, 7, 8):
                self.assertNotEqual(root(leaves).hex(), told["root"])
        self.assertEqual(root(leaves).hex(), told["root"])
        self.assertIn("prüfen", {row["reason"] for row in rows})

    def test_whatever_is_changed_is_found(self):
        self.sound()
        rows = export()
        victim = rows[3]["id"]
        for member, value in (("actor", "'nobody'"), ("role", "'x'"),
                              ("action", "'x'"), ("object", "'customer:9'"),
                              ("reason", "'x'"), ("change", "'{\"a\": 1}'"),
                              ("at", "at + interval '1 microsecond'")):
            with self.subTest(member=member), Unlocked():
                was = f"(SELECT {member} FROM kept)"
                it.sql("CREATE TABLE kept AS SELECT * FROM audit"
                       f" WHERE id = {victim}")
                it.sql(f"UPDATE audit SET {member} = {value}"
                       f" WHERE id = {victim}")
                self.found(f"entry {victim}: the entry was changed")
                it.sql(f"UPDATE audit SET {member} = {was}"
                       f" WHERE id = {victim}")
                it.sql("DROP TABLE kept")
                self.sound()

    def test_what_is_removed_is_found(self):
        self.sound()
        victim = export()[2]["id"]
        with Unlocked():
            it.sql(f"CREATE TABLE kept AS SELECT * FROM audit WHERE id = "
                   f"{victim}")
            it.sql("CREATE TABLE link AS SELECT * FROM audit_link"
                   f" WHERE audit_id = {victim}")
            it.sql(f"DELETE FROM audit WHERE id = {victim}")
            self.found(f"entry {victim}: the entry was removed")
            it.sql(f"DELETE FROM audit_link WHERE audit_id = {victim}")
            self.found("links are missing before this one")
            it.sql("INSERT INTO audit OVERRIDING SYSTEM VALUE"
                   " SELECT * FROM kept")
            it.sql("INSERT INTO audit_link SELECT * FROM link")
            self.sound()
            it.sql("UPDATE audit_link SET leaf = sha256('x'::bytea)"
                   f" WHERE audit_id = {victim}")
            self.found("the link does not follow from those before it")
            it.sql("UPDATE audit_link SET leaf = (SELECT leaf FROM link)"
                   f" WHERE audit_id = {victim}")
            it.sql("DROP TABLE kept, link")
        self.sound()

    def test_an_anchor_finds_a_trail_that_was_cut_or_made_anew(self):
        anchors = it.folder / "anchors"
        first = it.ok("audit", "anchor", "--file", str(anchors)).out.strip()
        it.ok("customer", "set", "c3", "--note", "one more")
        it.ok("audit", "anchor", "--file", str(anchors))
        self.assertEqual(anchors.read_text().splitlines()[0], first)
        told = self.sound("--anchors", str(anchors))
        self.assertEqual(told["anchors"], 2)
        last = export()[-1]["id"]
        with Unlocked():
            it.sql("CREATE TABLE kept AS SELECT * FROM audit WHERE id = "
                   f"{last}")
            it.sql("CREATE TABLE links AS SELECT * FROM audit_link")
            it.sql(f"DELETE FROM audit_link WHERE audit_id = {last}")
            it.sql(f"DELETE FROM audit WHERE id = {last}")
            self.sound()		# nobody can tell by the trail alone
            self.found("there are fewer entries now", "--anchors",
                       str(anchors))
            it.sql("INSERT INTO audit OVERRIDING SYSTEM VALUE"
                   " SELECT * FROM kept")
            # Another story, with a chain of its own.
            it.sql(f"UPDATE audit SET actor = 'x' WHERE id = {last}")
            it.sql("DELETE FROM audit_link")
            self.sound()
            self.found("what is there now is not what was anchored",
                       "--anchors", str(anchors))
            it.sql("UPDATE audit SET actor = (SELECT actor FROM kept)"
                   f" WHERE id = {last}")
            it.sql("DELETE FROM audit_link")
            it.sql("INSERT INTO audit_link SELECT * FROM links")
            it.sql("DROP TABLE kept, links")
        self.sound("--anchors", str(anchors))
        anchors.write_text("youyun-audit size=x\n")
        result = verify("--anchors", str(anchors))
        self.assertEqual(result.status, USAGE)
        self.assertIn(f"{anchors}:1: no anchor", result.err)

    def test_an_erasures_blanking_is_no_fault(self):
        before = self.sound()["erased"]
        victim = export()[1]["id"]
        it.sql("UPDATE audit SET reason = '', change = '{\"erased\": true}'"
               f" WHERE id = {victim}")
        self.assertEqual(self.sound()["erased"], before + 1)

    def test_roles(self):
        for person, status in (("carol", OK), ("alice", FAILED)):
            result = it.run("audit", "verify",
                            env={"SUDO_USER": person})
            if status == OK:
                self.assertEqual(result.status, OK, result)
            else:
                self.assertNotEqual(result.status, OK, result)
        listed = json.loads(it.ok("audit", "list", "--json", "--limit",
                                  "2").out)["audit"]
        self.assertEqual(len(listed), 2)
        older = json.loads(it.ok(
            "audit", "list", "--json", "--limit", "2", "--after",
            str(listed[-1]["id"])).out)["audit"]
        self.assertLess(older[0]["id"], listed[-1]["id"])
        of_one = json.loads(it.ok("audit", "list", "--json", "--object",
                                  "customer:3").out)["audit"]
        self.assertEqual({row["object"] for row in of_one}, {"customer:3"})


if __name__ == "__main__":
    unittest.main()
