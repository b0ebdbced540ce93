#!/usr/bin/env python3
"""The audit trail: who reads is in it like who changes; its chain, computed
anew here, tampered with in every way, and held against anchors."""

import hashlib
import json
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fixture import FAILED, NOT_FOUND, OK, USAGE, Booker, Installation

it = None


def setUpModule():
    global it
    it = Installation("staff = carol:auditor alice:billing dave:support\n")
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


def links():
    """The entries in the order of the chain; a look that leaves no entry."""
    it.sql("SELECT audit_seal()")
    return [int(row[0]) for row in
            it.sql("SELECT audit_id FROM audit_link ORDER BY seq")]


class Unlocked:
    """The tables without what refuses changes, as their owner can have it;
    afterwards all is as it was."""

    TABLES = ("audit", "audit_link")

    def __enter__(self):
        for table in self.TABLES:
            it.sql(f"ALTER TABLE {table} DISABLE TRIGGER USER;"
                   f"CREATE TABLE kept_{table} AS SELECT * FROM {table}")

    def __exit__(self, *_):
        for table in self.TABLES:
            it.sql(f"DELETE FROM {table}; INSERT INTO {table} OVERRIDING "
                   f"SYSTEM VALUE SELECT * FROM kept_{table};"
                   f"DROP TABLE kept_{table};"
                   f"ALTER TABLE {table} ENABLE TRIGGER USER")


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
        rows = export()
        told = self.sound()
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

    # What somebody does who owns the schema.  Each is found by the trail
    # alone, by the words that follow, or else only against an anchor.
    RELINK = "DELETE FROM audit_link; SELECT audit_seal();"
    CHANGED = "entry {0}: the entry was changed"
    BROKEN = "the link does not follow from those before it"
    GAP = "links are missing before this one"
    NOT_ANCHORED = "what is there now is not what was anchored"
    TAMPERING = {
        "actor": ("UPDATE audit SET actor = 'nobody' WHERE id = {0}",
                  CHANGED),
        "role": ("UPDATE audit SET role = 'x' WHERE id = {0}", CHANGED),
        "action": ("UPDATE audit SET action = 'x' WHERE id = {0}", CHANGED),
        "object": ("UPDATE audit SET object = 'customer:9' WHERE id = {0}",
                   CHANGED),
        "reason": ("UPDATE audit SET reason = 'x' WHERE id = {0}", CHANGED),
        "values": ("UPDATE audit SET change = '{{\"a\": 1}}' WHERE id = {0}",
                   CHANGED),
        "time": ("UPDATE audit SET at = at + interval '1 microsecond' "
                 "WHERE id = {0}", CHANGED),
        "an erasure that was none": (
            "UPDATE audit SET reason = '', change = '{{\"erased\": true}}' "
            "WHERE id = {3}", "entry {3}: the entry was changed"),
        "removed in the middle": (
            "DELETE FROM audit WHERE id = {0}",
            "entry {0}: the entry was removed"),
        "removed with its link": (
            "DELETE FROM audit WHERE id = {0};"
            "DELETE FROM audit_link WHERE audit_id = {0}", GAP),
        "removed, and the gap closed": (
            "DELETE FROM audit WHERE id = {0};"
            "DELETE FROM audit_link WHERE audit_id = {0};"
            "UPDATE audit_link SET seq = seq + 1000000 WHERE audit_id > {0};"
            "UPDATE audit_link SET seq = seq - 1000001 WHERE seq > 1000000",
            BROKEN),
        "removed at the beginning": (
            "DELETE FROM audit WHERE id = {2};"
            "DELETE FROM audit_link WHERE audit_id = {2}", GAP),
        "two entries swapped": (
            "UPDATE audit a SET object = o.object, change = o.change "
            "FROM audit o WHERE (a.id = {0} AND o.id = {1}) "
            "OR (a.id = {1} AND o.id = {0})", CHANGED),
        "two links swapped": (
            "UPDATE audit_link SET seq = seq + 1000000 "
            "WHERE audit_id IN ({0}, {1});"
            "UPDATE audit_link a SET seq = (SELECT k.seq - 1000000 "
            "FROM kept_swap k WHERE k.audit_id = {0} + {1} - a.audit_id) "
            "WHERE a.seq > 1000000", BROKEN),
        "an entry put in between": (
            "INSERT INTO audit OVERRIDING SYSTEM VALUE SELECT id + 1000000, "
            "at, actor, role, action, object, reason, change FROM audit "
            "WHERE id > {0}; DELETE FROM audit WHERE id > {0} AND "
            "id < 1000000;"
            "UPDATE audit_link SET audit_id = audit_id + 1000000 "
            "WHERE audit_id > {0};"
            "INSERT INTO audit (id, actor, action, object) OVERRIDING SYSTEM "
            "VALUE VALUES ({0} + 1, 'x', 'x', 'x')", "was changed"),
        "an entry of another time put in later": (
            "INSERT INTO audit (at, actor, action, object) VALUES "
            "(now() - interval '2 hours', 'x', 'credit', 'customer:1');"
            "SELECT audit_seal()",
            "its time is long before that of one that was linked earlier"),
        "an entry that has no link": (
            "UPDATE audit_link SET audit_id = (SELECT max(id) + 1 FROM audit)"
            " WHERE audit_id = {0}", "the entry was removed"),
        "the digest of reason and values": (
            "UPDATE audit_link SET detail = sha256('x') WHERE audit_id = {0}",
            CHANGED),
        "the leaf": (
            "UPDATE audit_link SET leaf = sha256('x') WHERE audit_id = {0}",
            BROKEN),
        "the chain": (
            "UPDATE audit_link SET chain = sha256('x') WHERE audit_id = {0}",
            BROKEN),
        "leaf and chain of one link": (
            "UPDATE audit_link k SET leaf = sha256('x'), "
            "chain = sha256((SELECT p.chain FROM audit_link p "
            "WHERE p.seq = k.seq - 1) || sha256('x')) WHERE audit_id = {0}",
            CHANGED),
        "changed, and all links made anew": (
            "UPDATE audit SET actor = 'x' WHERE id = {0};" + RELINK, None,
            NOT_ANCHORED),
        "removed, and all links made anew": (
            "DELETE FROM audit WHERE id = {2};" + RELINK, None,
            "there are fewer entries now"),
        "removed and replaced, all links made anew": (
            "DELETE FROM audit WHERE id = {2}; INSERT INTO audit (actor, "
            "action, object) VALUES ('x', 'x', 'x');" + RELINK, None,
            NOT_ANCHORED),
        "the end cut off": (
            "DELETE FROM audit WHERE id = {4};"
            "DELETE FROM audit_link WHERE audit_id = {4}", None,
            "there are fewer entries now"),
        "the end cut off, and another in its place": (
            "DELETE FROM audit WHERE id = {4};"
            "DELETE FROM audit_link WHERE audit_id = {4};"
            "INSERT INTO audit (actor, action, object) VALUES "
            "('x', 'x', 'x')", None, NOT_ANCHORED),
        "all of it gone": (
            "DELETE FROM audit; DELETE FROM audit_link", None,
            "there are fewer entries now"),
    }

    def test_whatever_is_done_to_it_is_found(self):
        anchors = it.folder / "tampered"
        it.ok("package", "add", f"p{id(self)}", "--amount", "10", "--price",
              "9")
        package = int(it.sql("SELECT max(id) FROM audit")[0][0])
        it.ok("customer", "set", "c4", "--note", "the last one")
        it.ok("audit", "anchor", "--file", str(anchors))
        self.sound("--anchors", str(anchors))
        order = links()
        victims = (order[3], order[4], order[0], package, order[-1])
        self.assertGreater(len(self.TAMPERING), 10)
        for name, (sql, words, *anchored) in self.TAMPERING.items():
            with self.subTest(how=name), Unlocked():
                it.sql("CREATE TEMP TABLE kept_swap AS SELECT seq + 1000000 "
                       "AS seq, audit_id FROM audit_link;"
                       + sql.format(*victims))
                if words is None:
                    # Nobody can tell by the trail alone.
                    self.sound()
                    self.found(anchored[0], "--anchors", str(anchors))
                else:
                    self.found(words.format(*victims))
            self.sound("--anchors", str(anchors))
        # The anchors themselves.
        good = anchors.read_text()
        size = int(re.search("size=([0-9]+)", good).group(1))
        digit = good.index("root=") + 5
        other = "0" if good[digit] != "0" else "1"
        for name, text in (
                ("root", good[:digit] + other + good[digit + 1:]),
                ("size", good.replace(f"size={size}", f"size={size - 1}"))):
            with self.subTest(how=f"the anchor's {name}"):
                anchors.write_text(text)
                self.found(self.NOT_ANCHORED, "--anchors", str(anchors))
        with self.subTest(how="the clock of the anchor"):
            anchors.write_text(re.sub("at=[0-9]+", "at=1999", good))
            self.found("entries that it counts are of a later time",
                       "--anchors", str(anchors))
        anchors.write_text(good)
        self.sound("--anchors", str(anchors))

    def test_an_anchor_is_a_line_that_may_stand_in_a_log(self):
        anchors = it.folder / "anchors"
        first = it.ok("audit", "anchor", "--file", str(anchors)).out.strip()
        it.ok("customer", "set", "c3", "--note", "one more")
        it.ok("audit", "anchor", "--file", str(anchors))
        self.assertEqual(anchors.read_text().splitlines()[0], first)
        anchors.write_text("".join(
            f"Nov 27 12:00:00 host youyunctl[7]: {line}\n"
            for line in anchors.read_text().splitlines()))
        told = self.sound("--anchors", str(anchors))
        self.assertEqual(told["anchors"], 2)
        anchors.write_text("youyun-audit size=x\n")
        result = verify("--anchors", str(anchors))
        self.assertEqual(result.status, USAGE)
        self.assertIn(f"{anchors}:1: no anchor", result.err)

    def test_an_erasures_blanking_is_no_fault(self):
        before = self.sound()["erased"]
        victim, = it.sql("SELECT min(id) FROM audit WHERE object = "
                         "'customer:1'")[0]
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
        it.ok("customer", "set", "c3", "--note", "and another")
        listed = json.loads(it.ok("audit", "list", "--json", "--limit",
                                  "2").out)["audit"]
        self.assertEqual(listed[0]["action"], "read")
        self.assertEqual(len(listed), 2)
        older = json.loads(it.ok(
            "audit", "list", "--json", "--limit", "2", "--after",
            str(listed[-1]["id"])).out)["audit"]
        self.assertLess(older[0]["id"], listed[-1]["id"])
        of_one = json.loads(it.ok("audit", "list", "--json", "--object",
                                  "customer:3").out)["audit"]
        self.assertEqual({row["object"] for row in of_one}, {"customer:3"})


class Access(unittest.TestCase):
    """Who reads customers' data is in the trail, whoever it is."""

    # Of one customer: c2 has number 3.
    ONE = {
        "customer show": ("customer", "show", "c2"),
        "customer login": ("customer", "login", "c2"),
        "customer limit": ("customer", "limit", "c2"),
        "customer allow": ("customer", "allow", "c2"),
        "key list": ("key", "list", "3"),
        "key show-hint": ("key", "show-hint", "{key}"),
        "key limit": ("key", "limit", "{key}"),
        "key allow": ("key", "allow", "{key}"),
        "calls": ("calls", "--customer", "c2", "--since", "2h"),
        "call list": ("call", "list", "--customer", "c2"),
        "call show": ("call", "show", "{call}"),
        "bill": ("bill", "{call}"),
        "bill show": ("bill", "show", "{call}"),
        "bill list": ("bill", "list", "c2"),
        "margin": ("margin", "--customer", "c2"),
        "balance": ("balance", "c2"),
        "ledger": ("ledger", "c2"),
        "ledger list": ("ledger", "list", "c2", "--all"),
        "payment list": ("payment", "list", "--customer", "c2"),
        "ticket list": ("ticket", "list", "--customer", "c2"),
        "ticket show": ("ticket", "show", "{ticket}"),
        "request list": ("request", "list", "--customer", "c2", "--all"),
        "event list": ("event", "list", "--customer", "c2"),
        "risk show": ("risk", "show", "c2"),
        "audit list": ("audit", "list", "--object", "customer:3"),
    }
    ALL = {
        "customer list": ("customer", "list"),
        "key list": ("key", "list"),
        "calls": ("calls", "--since", "2h", "--limit", "5"),
        "margin": ("margin", "--by", "customer"),
        "balance": ("balance",),
        "call list": ("call", "list", "--limit", "2"),
        "ledger": ("ledger", "--limit", "3"),
        "ledger list": ("ledger", "list"),
        "invitation list": ("invitation", "list"),
        "code list": ("code", "list"),
        "payment list": ("payment", "list"),
        "ticket list": ("ticket", "list", "--state", "all"),
        "request list": ("request", "list"),
        "incident register": ("incident", "register"),
        "event list": ("event", "list", "--kind", "key_guessing"),
        "audit list": ("audit", "list", "--object", "package:1"),
        "audit export": ("audit", "export"),
        "compliance report": ("compliance", "report"),
        "hold list": ("hold", "list"),
        "top": ("top", "--once"),
    }
    # What shows no customer's data, or is audited as what it does.
    OTHERS = set("""
        init migrate help complete status verify attest credit refund adjust
        customer-add customer-set customer-suspend customer-restrict
        customer-resume customer-export customer-close customer-erase
        customer-password-reset customer-totp-remove
        invitation-create invitation-revoke credit-expire package-add
        package-list package-set code-create code-revoke ticket-answer
        ticket-close ticket-refund key-add key-revoke key-rotate key-suspend
        key-resume retention-list retention-set retention-run
        retention-report hold-place hold-lift risk-list risk-set
        risk-regions group-set
        group-list group-override group-overrides group-limit screen-set
        screen-list screen-import screen-export screen-test
        screen-moderation-set screen-moderation-show
        screen-moderation-off price-set
        price-list price-history price-show price-import price-export
        cost-set cost-list cost-history cost-import cost-export channel-add
        channel-list channel-show channel-set channel-test channel-disable
        channel-enable channel-reset channel-credential-add
        channel-credential-list channel-credential-set
        channel-credential-disable channel-credential-enable
        channel-credential-remove subprocessor-add subprocessor-list
        subprocessor-end incident-open incident-set incident-scope
        incident-notify incident-close incident-list request-add
        request-answer node-list node-add node-fence node-admit audit-verify
        audit-anchor secret-list secret-rotate secret-retire secret-check
        journal-check journal-repair""".split())

    @classmethod
    def setUpClass(cls):
        cls.key = it.json("key", "add", "c2")["id"]
        it.sql("INSERT INTO ticket (customer_id, subject) VALUES (3, 'x')")
        cls.ticket = it.sql("SELECT max(id) FROM ticket")[0][0]
        it.ok("price", "set", "m", "--input", "1")
        cls.call = Booker(it).book(3, [{"fee_nano": 0, "flags": 0,
                                        "status": 429, "error": 12}])[0]
        it.start_segment()

    @classmethod
    def tearDownClass(cls):
        it.stop_segment()

    def words(self, words):
        return [w.format(key=self.key, ticket=self.ticket, call=self.call)
                for w in words]

    def read(self, words, person=None, reason=None):
        """What a command leaves, as (actor, role, object, reason, change)."""
        last = int(it.sql("SELECT max(id) FROM audit")[0][0])
        more = ("--reason", reason) if reason else ()
        result = it.run(*self.words(words), *more,
                        env={"SUDO_USER": person} if person else None)
        self.assertLess(result.status, USAGE, result)
        rows = it.sql("SELECT actor, role, object, reason, change FROM audit "
                      f"WHERE action = 'read' AND id > {last}")
        self.assertEqual(len(rows), 1, (words, rows))
        actor, role, about, why, change = rows[0]
        return actor, role, about, why, json.loads(change)

    def test_a_look_at_one_customer_is_noted(self):
        for command, words in self.ONE.items():
            with self.subTest(command=command):
                actor, role, about, why, change = self.read(
                    words, reason="he asked")
                self.assertEqual((role, about, why), (
                    "youyun_admin", "customer:3", "he asked"))
                self.assertEqual(change.pop("command"), command)
                change.pop("key", None)
                self.assertLessEqual(set(change),
                                     {"since", "all", "object"})
        change = self.read(self.ONE["calls"])[4]
        self.assertEqual(change, {"command": "calls", "since": "2h"})
        change = self.read(self.ONE["key show-hint"])[4]
        self.assertEqual(change["key"], self.key)
        # By its id a call is its customer's.
        self.assertEqual(self.read(("calls", "--request", "{call}"))[2],
                         "customer:3")

    def test_a_look_at_all_says_by_what_it_was_narrowed(self):
        for command, words in self.ALL.items():
            with self.subTest(command=command):
                about, _, change = self.read(words)[2:]
                self.assertEqual(about, "customers")
                self.assertEqual(change.pop("command"), command)
                given = {w.lstrip("-"): words[n + 1] if n + 1 < len(words)
                         else "" for n, w in enumerate(words)
                         if w.startswith("--")}
                self.assertEqual(change, given)

    def test_every_profile_leaves_its_name(self):
        for person, role in (("carol", "youyun_auditor"),
                             ("alice", "youyun_billing"),
                             ("dave", "youyun_support")):
            with self.subTest(person=person):
                self.assertEqual(self.read(self.ONE["customer show"],
                                           person)[:3],
                                 (person, role, "customer:3"))
                self.assertEqual(self.read(self.ALL["calls"], person)[:3],
                                 (person, role, "customers"))

    def test_nothing_of_what_was_shown_is_noted(self):
        it.ok("customer", "set", "c2", "--contact", "secret@example.com")
        for words in self.ONE.values():
            change = json.dumps(self.read(words))
            for content in ("secret@", "c2", "sk-yy"):
                self.assertNotIn(content, change)

    def test_what_shows_nothing_leaves_nothing(self):
        last = it.sql("SELECT max(id) FROM audit")
        key = it.sql("SELECT 1")
        for words in (("customer", "show", "nobody"), ("status",),
                      ("package", "list"), ("node", "list"), ("verify",),
                      ("calls", "--since", "junk"), ("audit", "verify"),
                      ("key", "show-hint", "sk-yy-" + "0" * 36 + "34yXWz")):
            it.run(*words)
            self.assertEqual(it.sql("SELECT max(id) FROM audit"), last, words)
        self.assertTrue(key)
        self.assertEqual(it.run("customer", "show", "nobody").status,
                         NOT_FOUND)
        # A change is noted as such, once.
        it.ok("customer", "limit", "c2", "--requests", "5")
        self.assertEqual(it.sql("SELECT action FROM audit WHERE id > "
                                f"{last[0][0]}"), [["rate_limit.insert"]])

    def test_what_cannot_be_noted_is_not_shown(self):
        it.sql("REVOKE EXECUTE ON FUNCTION access_note(text, text, text, "
               "text, bigint, jsonb) FROM youyun_auditor")
        try:
            result = it.run("customer", "show", "c2",
                            env={"SUDO_USER": "carol"})
            self.assertNotEqual(result.status, OK)
            self.assertEqual(result.out, "")
            self.assertIn("cannot note the access", result.err)
        finally:
            it.sql("GRANT EXECUTE ON FUNCTION access_note(text, text, text, "
                   "text, bigint, jsonb) TO youyun_auditor")

    def test_the_function_appends_reads_and_nothing_else(self):
        for role in ("youyun_auditor", "youyun_support", "youyun_billing"):
            for sql in ("INSERT INTO audit (actor, action, object) VALUES "
                        "('x', 'x', 'x')", "UPDATE audit SET actor = 'x'",
                        "DELETE FROM audit"):
                with self.assertRaises(AssertionError):
                    it.sql(sql, role=role)
        it.sql("SELECT access_note('forged', '', 'all', NULL, 0, '{}')",
               role="youyun_support")
        # Whatever actor is named, the role is the session's.
        self.assertEqual(it.sql("SELECT role, action FROM audit ORDER BY id "
                                "DESC LIMIT 1"),
                         [["youyun_support", "read"]])

    def test_each_command_is_known_to_show_data_or_not(self):
        text = it.ok("help").out
        commands = re.findall(r"^  (\S+(?: \S+)*?)  +\S", text, re.M)
        self.assertGreater(len(commands), 100)
        known = {name.replace(" ", "-") for name in {
            *self.ONE, *self.ALL, "customer certificate", "incident show",
            "event watch"}}
        self.assertEqual({c.replace(" ", "-") for c in commands},
                         known | self.OTHERS)
        self.assertFalse(known & self.OTHERS)


if __name__ == "__main__":
    unittest.main()
