#!/usr/bin/env python3
"""What is deleted when its time is over, what is kept in spite of that, and
that the books agree with what is gone."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fixture import (NOT_FOUND, OK, REFUSED, USAGE, Booker, Installation)

it = None
booker = None


def setUpModule():
    global it, booker
    it = Installation("staff = bob:support carol:auditor alice:billing\n")
    it.ok("init")
    it.start_postgres()
    booker = Booker(it)
    it.ok("price", "set", "m", "--input", "0.001", "--output", "1")
    it.sql("SELECT node_attach('node1', 1, 1)", role="youyun_flusher")


def tearDownModule():
    it.remove()


def by(person, *words):
    return it.run(*words, env={"SUDO_USER": person})


class Case(unittest.TestCase):

    def refused(self, status, words, *command):
        result = it.run(*command)
        self.assertEqual(result.status, status, f"{command}: {result}")
        self.assertIn(words, result.err)

    def customer(self, name):
        it.ok("customer", "add", name)
        number = it.json("customer", "show", name)["id"]
        self.key = it.json("key", "add", name)["id"]
        it.ok("credit", name, "10", "--reason", "paid")
        return number

    def day(self, days):
        """The partition of that many days ago is made, as it was then."""
        it.sql(f"SELECT call_partition_ensure(now() - interval '{days} days')")

    def book(self, number, days, n=1, nano=1000, **more):
        """n calls of so many days ago, in one booking."""
        return booker.book(number, [
            {"fee_nano": nano, "input_tokens": nano, "key_id": self.key,
             "started_at": f"now() - interval '{d} days'"} | more
            for d in ([days] * n if isinstance(days, int) else days)])

    def calls(self, number):
        return int(it.sql("SELECT count(*) FROM call WHERE customer_id = "
                          f"{number}")[0][0])

    def verify(self):
        done = it.run("verify")
        self.assertEqual(done.status, OK, done)


class Retention(Case):

    def test_old_days_go_and_the_books_agree(self):
        number = self.customer("old")
        self.day(500)
        self.day(450)
        self.book(number, 500, 5)
        self.book(number, 450, 3)
        # One that came without its partition, and one that is not old.
        self.book(number, 480, 2)
        self.book(number, 399, 4)
        self.book(number, 0, 6)
        before = it.sql("SELECT sum(fee_nano) FROM call WHERE customer_id = "
                        f"{number}")[0][0]
        self.verify()
        self.assertEqual(self.calls(number), 20)
        done = it.json("retention", "run")
        self.assertEqual(done["deletions"], 3)
        self.assertEqual(self.calls(number), 10)
        left = it.sql("SELECT (SELECT sum(fee_nano) FROM call WHERE "
                      f"customer_id = {number}) + (SELECT sum(fee_nano) FROM "
                      f"call_archive WHERE customer_id = {number})")[0][0]
        self.assertEqual(left, before)
        self.verify()
        rows = it.json("retention", "report")["deletions"][:3]
        self.assertEqual(sorted(r["rows"] for r in rows), [2, 3, 5])
        self.assertEqual(it.json("retention", "run")["deletions"], 0)
        # What was archived counts: a sum that is off is found.
        it.sql(f"UPDATE call_archive SET fee_nano = fee_nano + 1 WHERE "
               f"customer_id = {number} AND fee_nano = (SELECT max(fee_nano) "
               f"FROM call_archive WHERE customer_id = {number})")
        self.assertNotEqual(it.run("verify").status, OK)
        it.sql(f"UPDATE call_archive SET fee_nano = fee_nano - 1 WHERE "
               f"customer_id = {number} AND fee_nano = (SELECT max(fee_nano) "
               f"FROM call_archive WHERE customer_id = {number})")
        self.verify()

    def test_a_bookings_days_may_go_one_by_one(self):
        number = self.customer("midnight")
        self.day(402)
        self.day(390)
        ids = self.book(number, [402, 402, 390], nano=500)
        part = ("refund", ids[2], "--amount", "0.0000001", "--key",
                "midnight0", "--reason", "asked")
        it.ok(*part)
        it.ok("retention", "run")
        self.assertEqual(self.calls(number), 1)
        self.verify()
        # Sent again, it is the booking that there is.
        it.ok(*part)
        self.assertEqual(it.sql(f"SELECT count(*) FROM ledger_transaction "
                                f"WHERE customer_id = {number} AND kind = "
                                "'refund'"), [["1"]])
        self.refused(REFUSED, "can't be computed", "refund", ids[2],
                     "--key", "midnight", "--reason", "asked")
        it.ok("retention", "set", "calls", "389")
        it.ok("retention", "run")
        self.assertEqual(self.calls(number), 0)
        self.verify()
        self.assertEqual(it.sql("SELECT calls, fee_nano FROM call_archive "
                                f"WHERE customer_id = {number}"),
                         [["3", "1500"]])
        it.ok("retention", "set", "calls", "400")

    def test_refunds_of_deleted_calls_are_still_verified(self):
        number = self.customer("refunded")
        self.day(420)
        first, second = self.book(number, 420, 2, nano=10 ** 8)
        it.ok("refund", first, "--key", "refunded", "--reason", "asked")
        self.verify()
        it.ok("retention", "run")
        self.verify()
        self.assertEqual(self.calls(number), 0)
        self.refused(NOT_FOUND, "no call", "refund", second, "--key",
                     "refunded2", "--reason", "asked")
        it.sql("UPDATE call_archive_refunded SET fee_nano = fee_nano - 1 "
               f"WHERE customer_id = {number}")
        self.assertNotEqual(it.run("verify").status, OK)
        it.sql("UPDATE call_archive_refunded SET fee_nano = fee_nano + 1 "
               f"WHERE customer_id = {number}")
        self.verify()

    def test_lines_of_bills_stay(self):
        number = self.customer("billed")
        self.day(430)
        self.book(number, 430, 3, nano=7)
        self.book(number, 430, 2, nano=5, multiplier_ppm=1000000)
        sums = ("SELECT count(*), sum(input_tokens), sum(fee_nano) FROM call "
                f"WHERE customer_id = {number}")
        before = it.sql(sums)
        it.ok("retention", "run")
        self.assertEqual(it.sql(
            "SELECT sum(calls), sum(input_tokens), sum(fee_nano) FROM "
            f"call_archive_line WHERE customer_id = {number}"), before)

    def test_events_notices_and_tickets_go_by_their_time(self):
        number = self.customer("rows")
        it.sql(f"""
            INSERT INTO security_event (kind, customer_id, at) SELECT
                'code_guessing', {number}, now() - n * interval '1 day'
                FROM unnest(ARRAY[398, 399, 402, 500]) n;
            INSERT INTO notice (customer_id, kind, at) SELECT {number},
                'resumed', now() - n * interval '1 day'
                FROM unnest(ARRAY[398, 402]) n;
            INSERT INTO ticket (customer_id, subject, state, changed) VALUES
                ({number}, 'open and old', 0, now() - interval '1200 days'),
                ({number}, 'closed and old', 2, now() - interval '1200 days'),
                ({number}, 'deleted', 2, now() - interval '1200 days'),
                ({number}, 'closed', 2, now());
            INSERT INTO ticket_message (ticket_id, author, actor, text)
                SELECT id, 0, 'x', 'words of ' || subject FROM ticket
                WHERE customer_id = {number};
            INSERT INTO ticket_file (message_id, name, type, content)
                SELECT m.id, 'f', 4, 'x' FROM ticket_message m JOIN ticket t
                ON t.id = m.ticket_id WHERE t.customer_id = {number};""")
        it.ok("retention", "run")
        count = lambda what: it.sql(f"SELECT count(*) FROM {what}")[0][0]
        self.assertEqual(count("security_event WHERE kind = 'code_guessing' "
                               f"AND customer_id = {number}"), "2")
        self.assertEqual(count(f"notice WHERE customer_id = {number} AND kind"
                               " = 'resumed'"), "1")
        self.assertEqual(it.sql(
            "SELECT t.subject, m.text, (SELECT count(*) FROM ticket_file f "
            "WHERE f.message_id = m.id) FROM ticket t JOIN ticket_message m "
            f"ON m.ticket_id = t.id WHERE t.customer_id = {number} "
            "ORDER BY t.id"),
            [["open and old", "words of open and old", "1"],
             ["deleted", "deleted", "0"],
             ["deleted", "deleted", "0"],
             ["closed", "words of closed", "1"]])
        # One that was opened again, and closed, has its time anew.
        it.sql(f"""
            UPDATE ticket SET emptied = now() - interval '1300 days' WHERE
                customer_id = {number} AND emptied IS NOT NULL;
            INSERT INTO ticket_message (ticket_id, author, actor, text)
                SELECT id, 0, 'x', 'new words' FROM ticket WHERE customer_id
                = {number} AND emptied IS NOT NULL""")
        it.ok("retention", "run")
        self.assertEqual(count("ticket_message WHERE text = 'new words'"),
                         "0")

    def test_days_have_bounds_and_names(self):
        self.refused(USAGE, "62 to 36500", "retention", "set", "calls", "61")
        self.refused(USAGE, "30 to 36500", "retention", "set", "events", "x")
        self.refused(NOT_FOUND, "nothing is kept", "retention", "set",
                     "ledger", "100")
        kept = {r["name"]: r["days"]
                for r in it.json("retention", "list")["retention"]}
        self.assertEqual(kept, {"calls": 400, "events": 400, "notices": 400,
                                "tickets": 1095})

    def test_who_may(self):
        for person in ("bob", "carol"):
            self.assertEqual(by(person, "retention", "list").status, OK)
            self.assertEqual(by(person, "hold", "list").status, OK)
            for words in (("retention", "set", "calls", "100"),
                          ("retention", "run"),
                          ("hold", "place", "1", "--reason", "x")):
                self.assertEqual(by(person, *words).status, REFUSED)
        for role in ("youyun_support", "youyun_auditor", "youyun_billing",
                     "youyun_portal", "youyun_flusher"):
            for text in ("SELECT retention_step()", "DELETE FROM call",
                         "UPDATE retention SET days = 100",
                         "INSERT INTO retention_log (name, until, rows, held)"
                         " VALUES ('calls', now(), 1, 0)",
                         "UPDATE call_archive SET fee_nano = 0"):
                with self.assertRaises(Exception):
                    it.sql(text, role=role)


class Holds(Case):

    def test_what_is_held_stays_until_it_is_lifted(self):
        held, other = self.customer("held"), None
        held_key = self.key
        other = self.customer("other")
        self.day(440)
        self.book(other, 440, 2)
        self.key = held_key
        self.book(held, 440, 3)
        it.sql("INSERT INTO security_event (kind, customer_id, at) VALUES "
               f"('code_guessing', {held}, now() - interval '900 days')")
        self.refused(USAGE, "--reason", "hold", "place", "held")
        it.ok("hold", "place", "held", "--reason", "case 1")
        self.refused(REFUSED, "on hold already", "hold", "place", "held",
                     "--reason", "case 2")
        it.ok("retention", "run")
        self.assertEqual((self.calls(held), self.calls(other)), (3, 0))
        self.assertEqual(it.sql("SELECT count(*) FROM security_event WHERE "
                                f"customer_id = {held}"), [["1"]])
        self.verify()
        newest = it.json("retention", "report")["deletions"]
        self.assertIn((2, 3), [(r["rows"], r["held"]) for r in newest])
        # No sums were counted twice when they moved.
        self.assertEqual(it.sql("SELECT sum(calls) FROM usage_day WHERE "
                                f"customer_id = {held}"), [["3"]])
        rows = it.json("hold", "list")["holds"]
        self.assertEqual([(r["customer"], r["reason"]) for r in rows
                          if r["customer"] == "held"], [("held", "case 1")])
        it.ok("hold", "lift", "held", "--reason", "over")
        self.refused(REFUSED, "not on hold", "hold", "lift", "held")
        it.ok("retention", "run")
        self.assertEqual(self.calls(held), 0)
        self.assertEqual(it.sql("SELECT count(*) FROM security_event WHERE "
                                f"customer_id = {held}"), [["0"]])
        self.verify()
        entries = it.json("audit", "list", "--limit", "20")["audit"]
        self.assertEqual({e["action"] for e in entries} & {
            "legal_hold.insert", "legal_hold.update"},
            {"legal_hold.insert", "legal_hold.update"})

    def test_an_account_on_hold_is_not_erased(self):
        self.customer("wanted")
        it.ok("hold", "place", "wanted", "--reason", "case 3")
        self.refused(REFUSED, "legal hold", "customer", "erase", "wanted",
                     "--yes", "--reason", "asked")
        self.assertEqual(it.json("customer", "show", "wanted")["name"],
                         "wanted")
        it.ok("hold", "lift", "wanted")


if __name__ == "__main__":
    unittest.main()
