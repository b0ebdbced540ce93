#!/usr/bin/env python3
"""credit, refund, adjust and package: what they book, what they refuse
without changing anything; and verify, which names the row that was tampered
with."""

import contextlib
import datetime
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fixture import (FAILED, NANO, NOT_FOUND, REFUSED, USAGE, Booker,
                     Installation, Taker, postgres_program, uuid_of)

it = None
booker = None
PRICE = NANO            # one unit for a million tokens in: a nano a millionth
TABLES = ("ledger_account", "ledger_transaction", "posting", "pot", "lease",
          "receipt", "refund", "credit_package", "taking", "audit")


def setUpModule():
    global it, booker
    it = Installation()
    unittest.addModuleCleanup(it.remove)
    it.ok("init")
    it.start_postgres()
    it.ok("price", "set", "m", "--input", "1", "--output", "1")
    booker = Booker(it)


def state():
    """Everything that money is kept in."""
    return it.sql(" UNION ALL ".join(
        f"SELECT '{t}', count(*), md5(string_agg(x::text, '|' ORDER BY "
        f"x::text)) FROM {t} x" for t in TABLES))


def call(tokens, **more):
    """A call that costs 0.000001 for each token."""
    return dict(input_tokens=tokens, fee_nano=tokens * 1000, **more)


class Case(unittest.TestCase):
    number = 0

    def setUp(self):
        Case.number += 1
        self.name = f"c{Case.number}"
        self.id = it.json("customer", "add", self.name)["id"]

    def balance(self):
        return it.json("balance", self.name)["balances"][0]

    def postings(self, transaction):
        """(account, amount, expires) of a booking."""
        rows = it.json("ledger", self.name, "--limit", "1000")["postings"]
        return [(r["account"], r["amount"]) for r in rows
                if r["transaction"] == transaction]

    @contextlib.contextmanager
    def nothing_changes(self):
        before = state()
        yield
        self.assertEqual(state(), before)

    def refuses(self, status, part, *words):
        done = it.run(*words)
        self.assertEqual(done.status, status, (words, done))
        self.assertIn(part, done.err, words)
        self.assertEqual(done.out, "", words)

    def refused(self, status, part, *words):
        """It says so, and nothing at all is changed."""
        with self.nothing_changes():
            self.refuses(status, part, *words)

    def all_well(self):
        done = it.run("verify", "--json")
        self.assertEqual(done.json["breaches"], [], done)

    def book(self, *tokens):
        """One booking of calls; their request ids."""
        return booker.book(self.id, [call(n) for n in tokens])


class Credits(Case):
    def test_promotional_credit_is_kept_apart(self):
        it.ok("credit", self.name, "10")
        made = it.json("credit", self.name, "4", "--source", "promotional")
        self.assertEqual(self.postings(made["transaction"]),
                         [("customer_promotional", "4.00"),
                          ("promotional", "-4.00")])
        row = self.balance()
        self.assertEqual((row["balance"], row["promotional"],
                          row["expires_at"]), ("14.00", "4.00", None))

    def test_what_expires_first_is_spent_first_then_the_promotional(self):
        it.ok("credit", self.name, "1")
        it.ok("credit", self.name, "1", "--expires", "90d")
        it.ok("credit", self.name, "1", "--expires", "30d", "--source",
              "promotional")
        it.ok("credit", self.name, "1", "--source", "promotional")
        self.book(3500000)
        left = it.sql(f"SELECT paid, expires_at = 'infinity', left_nano FROM "
                      f"pot WHERE customer_id = {self.id} ORDER BY "
                      f"expires_at, paid")
        self.assertEqual(left, [["f", "f", "0"], ["t", "f", "0"],
                                ["f", "t", "0"], ["t", "t", "500000000"]])
        self.all_well()

    def test_days_with_the_same_key_are_the_same_booking_later(self):
        first = it.json("credit", self.name, "1", "--expires", "30d", "--key",
                        f"k{self.name}")
        again = it.json("credit", self.name, "1", "--expires", "30d", "--key",
                        f"k{self.name}")
        self.assertEqual((again["transaction"], again["booked_now"]),
                         (first["transaction"], False))
        for other in (("1", "--expires", "31d"), ("1",),
                      ("2", "--expires", "30d"),
                      ("1", "--expires", "30d", "--source", "adjustment")):
            self.refused(REFUSED, "used for another booking", "credit",
                         self.name, *other, "--key", f"k{self.name}")

    def test_the_same_key_for_another_kind_or_customer_is_refused(self):
        it.ok("credit", self.name, "1", "--key", f"k{self.name}")
        it.ok("customer", "add", f"{self.name}b")
        key = ("--key", f"k{self.name}", "--reason", "r")
        (one,) = self.book(1000)
        self.refused(REFUSED, "used for another booking", "credit",
                     f"{self.name}b", "1", *key)
        self.refused(REFUSED, "used for another booking", "refund", one, *key)
        self.refused(REFUSED, "used for another booking", "adjust",
                     self.name, "1", *key)
        self.refused(REFUSED, "used for another booking", "adjust",
                     self.name, "-1", *key)

    def test_closed_customers_get_nothing(self):
        it.ok("credit", self.name, "1")
        (one,) = self.book(1000)
        it.sql(f"UPDATE customer SET status = 3 WHERE id = {self.id}")
        for words in (("credit", self.name, "1"), ("refund", one),
                      ("adjust", self.name, "1")):
            self.refused(REFUSED, "is closed", *words, "--reason", "r")


class Packages(Case):
    def test_a_package_is_booked_with_its_receipt(self):
        it.ok("package", "add", "starter", "--amount", "20", "--bonus", "2.5",
              "--price", "19.99", "--currency", "EUR", "--days", "365")
        made = it.json("credit", self.name, "--package", "starter", "--key",
                       "order-1", "--reason", "shop")
        self.assertEqual((made["amount"], made["package"], made["balance"]),
                         ("22.50", "starter", "22.50"))
        rows = it.json("ledger", self.name)["postings"]
        self.assertEqual([(r["account"], r["amount"]) for r in rows],
                         [("customer_promotional", "2.50"),
                          ("customer_prepaid", "20.00"),
                          ("promotional", "-2.50"), ("external", "-20.00")])
        self.assertEqual({(r["package"], r["price"], r["currency"])
                          for r in rows}, {("starter", "19.99", "EUR")})
        expires = datetime.datetime.fromisoformat(
            rows[0]["expires_at"].rstrip("Z"))
        self.assertAlmostEqual((expires - datetime.datetime.utcnow()).days,
                               365, delta=1)
        # What was sold stays what it was.
        it.ok("package", "set", "starter", "--price", "1", "--amount", "1",
              "--days", "0")
        again = it.json("credit", self.name, "--package", "starter", "--key",
                        "order-1")
        self.assertEqual((again["transaction"], again["booked_now"]),
                         (made["transaction"], False))
        rows = it.json("ledger", self.name)["postings"]
        self.assertEqual({r["price"] for r in rows}, {"19.99"})
        self.all_well()

    def test_minor_units_follow_the_currency(self):
        for name, price, currency, minor in (
                ("yen", "1500", "JPY", "1500"), ("euro", "1.5", "EUR", "150"),
                ("dinar", "1.234", "KWD", "1234")):
            it.ok("package", "add", name, "--amount", "1", "--price", price,
                  "--currency", currency)
            self.assertEqual(it.sql(f"SELECT price_minor FROM credit_package "
                                    f"WHERE name = '{name}'"), [[minor]])
        prices = {r["name"]: r["price"] for r in
                  it.json("package", "list")["packages"]}
        self.assertEqual((prices["yen"], prices["euro"], prices["dinar"]),
                         ("1500", "1.50", "1.234"))

    def test_one_that_is_not_sold_any_more(self):
        it.ok("package", "add", "old", "--amount", "1", "--price", "1")
        it.ok("package", "set", "old", "--active", "no")
        self.refused(REFUSED, "isn't sold any more", "credit", self.name,
                     "--package", "old")
        self.assertFalse(it.json("package", "set", "old", "--bonus",
                                 "1")["active"])

    def test_mistakes(self):
        it.ok("package", "add", "one", "--amount", "1", "--price", "1")
        add = ("package", "add", "x")
        one = (*add, "--amount", "1")
        with self.nothing_changes():
            for status, part, words in (
                    (USAGE, "--price PRICE is missing", one),
                    (USAGE, "gives something", (*add, "--price", "0")),
                    (USAGE, "is not a bonus",
                     (*add, "--price", "1", "--bonus", "1")),
                    (USAGE, "--amount -1",
                     (*add, "--amount", "-1", "--price", "1")),
                    (USAGE, "--bonus nan",
                     (*one, "--price", "1", "--bonus", "nan")),
                    (USAGE, "up to 2 decimals", (*one, "--price", "1.999")),
                    (USAGE, "up to 0 decimals",
                     (*one, "--price", "1.5", "--currency", "JPY")),
                    (USAGE, "--price -1", (*one, "--price", "-1")),
                    (USAGE, "--price 1e3", (*one, "--price", "1e3")),
                    (USAGE, "--price", (*one, "--price", "9" * 30)),
                    (USAGE, "ISO 4217",
                     (*one, "--price", "1", "--currency", "euro")),
                    (USAGE, "--days 0",
                     (*one, "--price", "1", "--days", "0")),
                    (USAGE, "--days 36501",
                     (*one, "--price", "1", "--days", "36501")),
                    (USAGE, "too many words", (*add, "y", "--price", "1")),
                    (REFUSED, "already", ("package", "add", "one",
                                          "--amount", "1", "--price", "1")),
                    (NOT_FOUND, "no package", ("package", "set", "none",
                                               "--days", "1")),
                    (USAGE, "--active maybe", ("package", "set", "one",
                                               "--active", "maybe")),
                    (USAGE, "needs --price", ("package", "set", "one",
                                              "--currency", "EUR")),
                    (NOT_FOUND, "no package",
                     ("credit", self.name, "--package", "none")),
                    (USAGE, "says itself",
                     ("credit", self.name, "5", "--package", "one"))):
                self.refuses(status, part, *words)


class Refunds(Case):
    def setUp(self):
        super().setUp()
        it.ok("credit", self.name, "1")
        it.ok("credit", self.name, "1", "--source", "promotional",
              "--expires", "30d")

    def refund(self, one, *words):
        return it.json("refund", one, "--reason", "outage", *words)

    def test_the_whole_fee_goes_back_where_it_came_from(self):
        # 0.6 and 0.3 out of what expires, the last 0.3 in part.
        first, second, third = self.book(600000, 300000, 300000)
        back = self.refund(third)
        self.assertEqual((back["amount"], back["balance"]), ("0.30", "1.10"))
        self.assertEqual(self.postings(back["transaction"]),
                         [("customer_promotional", "0.10"),
                          ("customer_prepaid", "0.20"), ("revenue", "-0.30")])
        back = self.refund(first)
        self.assertEqual(self.postings(back["transaction"]),
                         [("customer_promotional", "0.60"),
                          ("revenue", "-0.60")])
        self.assertEqual(self.refund(second)["balance"], "2.00")
        self.all_well()

    def test_of_a_part_the_last_taken_goes_first(self):
        (one,) = self.book(1500000)
        back = self.refund(one, "--amount", "0.4")
        self.assertEqual(self.postings(back["transaction"]),
                         [("customer_prepaid", "0.40"), ("revenue", "-0.40")])
        back = self.refund(one, "--amount", "0.4")
        self.assertEqual(self.postings(back["transaction"]),
                         [("customer_promotional", "0.30"),
                          ("customer_prepaid", "0.10"), ("revenue", "-0.40")])
        self.refused(REFUSED, "0.80 was given back already: at most 0.70",
                     "refund", one, "--amount", "0.700000001", "--reason",
                     "r")
        self.assertEqual(self.refund(one)["amount"], "0.70")
        self.refused(REFUSED, "at most 0.00 is left", "refund", one,
                     "--reason", "r")
        self.all_well()

    def test_a_pot_that_has_expired_gives_way_to_one_of_its_kind(self):
        name = f"{self.name}x"
        self.id = it.json("customer", "add", name)["id"]
        self.name = name
        soon = (datetime.datetime.utcnow() +
                datetime.timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
        it.ok("credit", name, "1", "--source", "promotional", "--expires",
              soon)
        (one,) = self.book(1000000)
        time.sleep(2.1)
        back = self.refund(one)
        rows = [r for r in it.json("ledger", name)["postings"]
                if r["transaction"] == back["transaction"]]
        self.assertEqual([(r["account"], r["expires_at"]) for r in rows],
                         [("customer_promotional", None), ("revenue", None)])
        self.all_well()

    def test_a_key_gives_back_once(self):
        (one,) = self.book(1000)
        first = self.refund(one, "--key", f"r{self.name}", "--amount",
                            "0.0005")
        again = self.refund(one, "--key", f"r{self.name}", "--amount",
                            "0.0005")
        self.assertEqual((again["transaction"], again["amount"],
                          again["booked_now"]),
                         (first["transaction"], "0.0005", False))
        for words in (("--amount", "0.0001"), ()):
            self.refused(REFUSED, "used for another booking", "refund", one,
                         "--key", f"r{self.name}", "--reason", "r", *words)

    def test_the_ledger_names_the_call(self):
        (one,) = self.book(1000)
        back = self.refund(one)
        rows = [r for r in it.json("ledger", self.name)["postings"]
                if r["transaction"] == back["transaction"]]
        self.assertEqual({(r["kind"], r["request_id"], r["reason"])
                          for r in rows}, {("refund", one, "outage")})

    def test_mistakes(self):
        (one,) = self.book(1000)
        (free,) = booker.book(self.id, [call(0)])
        for status, part, words in (
                (USAGE, "--reason TEXT is missing", (one,)),
                (USAGE, "--reason TEXT is missing", (one, "--reason", " ")),
                (USAGE, "no request id", ("xyz", "--reason", "r")),
                (USAGE, "no request id", ("", "--reason", "r")),
                (NOT_FOUND, "no call", ("0" * 32, "--reason", "r")),
                (REFUSED, "nothing was charged", (free, "--reason", "r")),
                (REFUSED, "at most 0.001", (one, "--reason", "r", "--amount",
                                            "0.001000001")),
                (REFUSED, "at most 0.001", (one, "--reason", "r", "--amount",
                                            "1000000000"))):
            self.refused(status, part, "refund", *words)


class Adjustments(Case):
    def setUp(self):
        super().setUp()
        it.ok("credit", self.name, "5")

    def test_upwards(self):
        made = it.json("adjust", self.name, "2.5", "--reason", "r", "--key",
                       f"a{self.name}")
        self.assertEqual(made["balance"], "7.50")
        self.assertEqual(self.postings(made["transaction"]),
                         [("customer_prepaid", "2.50"),
                          ("adjustment", "-2.50")])
        again = it.json("adjust", self.name, "+2.5", "--reason", "r", "--key",
                        f"a{self.name}")
        self.assertEqual((again["transaction"], again["booked_now"]),
                         (made["transaction"], False))

    def test_downwards_the_last_to_be_spent_goes_first(self):
        it.ok("credit", self.name, "1", "--source", "promotional")
        with Taker(it):
            made = it.json("adjust", self.name, "-5.5", "--reason", "r",
                           "--key", f"a{self.name}")
            again = it.json("adjust", self.name, "-5.5", "--reason", "r",
                            "--key", f"a{self.name}")
        self.assertEqual((made["balance"], made["amount"]), ("0.50", "-5.50"))
        self.assertEqual(self.postings(made["transaction"]),
                         [("customer_promotional", "-0.50"),
                          ("customer_prepaid", "-5.00"),
                          ("adjustment", "5.50")])
        self.assertEqual((again["transaction"], again["booked_now"],
                          again["balance"]),
                         (made["transaction"], False, "0.50"))
        self.all_well()

    def test_more_than_there_is_says_how_much_there_is(self):
        self.book(2000000)
        with Taker(it):
            done = it.run("adjust", self.name, "-3.000000001", "--reason",
                          "r")
            self.assertEqual(done.status, REFUSED, done)
            self.assertIn("only 3.00 USD", done.err)
            it.ok("adjust", self.name, "-3", "--reason", "r")
        self.assertEqual(self.balance()["balance"], "0.00")
        self.all_well()

    def test_without_a_gateway_nothing_is_changed(self):
        done = it.run("adjust", self.name, "-1", "--reason", "r")
        self.assertEqual(done.status, FAILED)
        self.assertIn("nothing was changed", done.err)
        with Taker(it):
            time.sleep(0.3)
        self.assertEqual(self.balance()["balance"], "5.00")

    def test_a_closed_customers_rest_can_be_taken(self):
        it.sql(f"UPDATE customer SET status = 3 WHERE id = {self.id}")
        with Taker(it):
            it.ok("adjust", self.name, "-5", "--reason", "paid out")
        self.assertEqual(self.balance()["balance"], "0.00")

    def test_reason_is_needed(self):
        for amount in ("1", "-1"):
            self.refused(USAGE, "--reason TEXT is missing", "adjust",
                         self.name, amount)


class Expiry(Case):
    def test_expired_credit_is_booked_out_once(self):
        soon = (datetime.datetime.utcnow() +
                datetime.timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
        it.ok("credit", self.name, "3", "--expires", soon)
        it.ok("credit", self.name, "1")
        self.book(500000)
        time.sleep(2.1)
        done = it.run("credit", "expire", "--json")
        self.assertEqual(done.status, FAILED)
        self.assertIn("still there", done.err)
        with Taker(it):
            rows = it.run("credit", "expire", "--json").json["expired"]
            self.assertIn(("2.50", "2.50", "0.00"),
                          [(r["due"], r["booked"], r["left"])
                           for r in rows if r["customer"] == self.name])
            self.assertEqual(it.json("credit", "expire")["expired"], [])
        self.assertEqual(self.balance()["balance"], "1.00")
        rows = it.json("ledger", self.name)["postings"][-2:]
        self.assertEqual([(r["kind"], r["account"], r["amount"])
                          for r in rows],
                         [("expiry", "customer_prepaid", "-2.50"),
                          ("expiry", "expired", "2.50")])
        self.all_well()


class BadInput(Case):
    AMOUNTS = ("0", "-0", "x", "", " 1", "1e3", "1,5", "1.0000000001",
               "1000000000.000000001", "9" * 40, "nan", "inf", ".5", "--1",
               "1;", "\u0661")

    def test_amounts(self):
        (one,) = booker.book(self.id, [call(0)])
        with self.nothing_changes():
            for amount in (*self.AMOUNTS, "-1", "-0.000000001"):
                self.refuses(USAGE, "youyunctl: ", "credit", self.name, "--",
                             amount)
                self.refuses(USAGE, "youyunctl: ", "refund", one, "--reason",
                             "r", f"--amount={amount}")
            for amount in (*self.AMOUNTS, "-1000000000.000000001"):
                self.refuses(USAGE, "youyunctl: ", "adjust", "--reason", "r",
                             "--", self.name, amount)

    def test_keys_customers_and_options(self):
        (one,) = booker.book(self.id, [call(0)])
        money = (("credit", self.name, "1"), ("refund", one),
                 ("adjust", self.name, "-1"))
        reason = ("--reason", "r")
        with self.nothing_changes():
            for key in ("", " ", "k ", "k" * 201, "k\n", "calls:1",
                        "expiry:1:1"):
                self.refuses(USAGE, "--key: ", *money[len(key) % 3], *reason,
                             f"--key={key}")
            for words in money:
                self.refuses(USAGE, "--key: ", *words, *reason, "--key=")
                for part, more in (("given twice", ("--key=a", "--key=b")),
                                   ("given twice", reason),
                                   ("no option", ("--nothing",)),
                                   ("too many words", ("1", "2")),
                                   ("--actor", ("--actor", ""))):
                    self.refuses(USAGE, part, *words, *reason, *more)
            for command in ("credit", "adjust"):
                for who in ("nobody-at-all", "999999", "", " "):
                    self.refuses(NOT_FOUND, "no customer", command, *reason,
                                 "--", who, "1")
                self.refuses(USAGE, "", command, *reason)
            self.refuses(USAGE, "amount is missing", "credit", self.name)

    def test_expiries(self):
        with self.nothing_changes():
            for text in ("", "0d", "-1d", "36501d", "90", "2h", "now",
                         "2020-01-01", "2027-02-30", "99999999d"):
                self.refuses(USAGE, "--expires", "credit", self.name, "1",
                             f"--expires={text}")

    def test_more_than_can_be_kept(self):
        for _ in range(9):
            it.ok("credit", self.name, "1000000000")
        self.refused(REFUSED, "more than can be kept", "credit", self.name,
                     "1000000000")
        self.refused(REFUSED, "more than can be kept", "adjust", self.name,
                     "1000000000", "--reason", "r")
        self.all_well()


class Tampering(Case):
    """Whatever is changed as the superuser, with triggers off, verify names
    that very row, first."""

    @classmethod
    def setUpClass(cls):
        """One customer with every kind of booking; each test puts back what
        it changed."""
        cls.name = "victim"
        cls.id = it.json("customer", "add", cls.name)["id"]
        it.ok("credit", cls.name, "2")
        it.ok("credit", cls.name, "1", "--expires", "40d", "--source",
              "promotional")
        it.ok("package", "add", cls.name, "--amount", "1", "--bonus", "1",
              "--price", "1")
        it.ok("credit", cls.name, "--package", cls.name)
        cls.calls = cls.book(cls, 400000, 300000, 700000)
        cls.booking = cls.last(cls, "calls")
        it.ok("refund", cls.calls[0], "--amount", "0.3", "--reason", "r")
        with Taker(it):
            it.ok("adjust", cls.name, "-0.25", "--reason", "r")
        it.ok("adjust", cls.name, "0.125", "--reason", "r")
        cls.expire(cls)
        cls.book(cls, 100000, 200000)

    def setUp(self):
        pass

    def tearDown(self):
        self.all_well()

    def expire(self):
        """An expiry, without waiting for it."""
        soon = (datetime.datetime.utcnow() +
                datetime.timedelta(seconds=10)).replace(microsecond=0)
        it.ok("credit", self.name, "0.5", "--expires",
              soon.strftime("%Y-%m-%dT%H:%M:%SZ"))
        time.sleep((soon - datetime.datetime.utcnow()).total_seconds() + 0.05)
        it.sql(Taker.ANSWER, role="youyun_flusher")

    def last(self, kind):
        return int(it.sql(f"SELECT max(id) FROM ledger_transaction WHERE "
                          f"customer_id = {self.id} AND kind = '{kind}'")
                   [0][0])

    def account(self, transaction, where="true"):
        return int(it.sql(
            f"SELECT p.account_id FROM posting p JOIN ledger_account a ON "
            f"a.id = p.account_id WHERE transaction_id = {transaction} AND "
            f"{where} ORDER BY a.customer_id IS NULL, coalesce(a.expires_at, "
            f"'infinity'), a.kind DESC LIMIT 1")[0][0])

    def named(self, change, rule, thing, why=""):
        """This is named first; then all is put back."""
        tables = ("posting", "ledger_transaction", "call", "lease", "pot",
                  "price", "refund", "receipt", "ledger_account",
                  "bill_month")
        keep = "".join(f"CREATE TABLE kept_{t} AS SELECT * FROM {t};"
                       for t in tables)
        back = "".join(f"DELETE FROM {t}; INSERT INTO {t} "
                       f"{'OVERRIDING SYSTEM VALUE ' if t in ids else ''}"
                       f"SELECT * FROM kept_{t}; DROP TABLE kept_{t};"
                       for t in reversed(tables)
                       for ids in [("ledger_transaction", "price",
                                    "ledger_account")])
        it.sql(keep + change)
        try:
            done = it.run("verify", "--json")
        finally:
            it.sql(back)
        self.assertEqual(done.status, FAILED, (change, done))
        first = done.json["breaches"][0]
        self.assertEqual((first["rule"], first["object"]), (rule, thing),
                         (change, done))
        self.assertIn(why, first["why"])

    def at_call(self, n):
        return f"WHERE request_id = '{uuid_of(self.calls[n])}'"

    def test_records(self):
        for column, value, rule in (
                ("fee_nano", "fee_nano + 1", "fee"),
                ("fee_nano", "0", "fee"),
                ("uncollected_nano", "1", "fee"),
                ("input_tokens", "input_tokens - 1", "fee"),
                ("output_tokens", "1", "fee"),
                ("multiplier_ppm", "2000000", "fee"),
                ("price_version", "99", "price"),
                ("model_id", "99", "price"),
                ("held_nano", "1", "held"),
                ("customer_id", "1000", "unbooked"),
                ("ledger_transaction_id", "NULL", None),
                ("ledger_transaction_id", "999999", None),
                ("journal_seq", "journal_seq + 100000", "journal")):
            if rule is None:
                rule, thing = "batch", f"transaction:{self.booking}"
            else:
                thing = f"call:{self.calls[1]}"
            self.named(f"UPDATE call SET {column} = {value} "
                       f"{self.at_call(1)}", rule, thing)

    def test_a_multiplier_with_the_fee_to_match(self):
        self.named(f"UPDATE call SET multiplier_ppm = 2000000, fee_nano = 2 * "
                   f"fee_nano {self.at_call(1)}", "multiplier",
                   f"call:{self.calls[1]}")

    def test_calls_missing_doubled_or_moved(self):
        self.named(f"DELETE FROM call {self.at_call(1)}", "batch",
                   f"transaction:{self.booking}", "missing")
        self.named(f"INSERT INTO call SELECT (jsonb_populate_record(c, "
                   f"'{{\"started_at\": \"2020-01-01\"}}')).* FROM call c "
                   f"{self.at_call(1)}", "twice", f"call:{self.calls[1]}")
        self.named(f"INSERT INTO call SELECT (jsonb_populate_record(c, "
                   f"'{{\"ledger_transaction_id\": null, \"fee_nano\": 0, "
                   f"\"input_tokens\": 0, \"started_at\": \"2020-01-01\"}}'"
                   f")).* FROM call c {self.at_call(1)}", "twice",
                   f"call:{self.calls[1]}")
        self.named(f"UPDATE ledger_transaction SET calls = 2 WHERE id = "
                   f"{self.booking}", "batch", f"transaction:{self.booking}")

    def test_postings_of_each_kind_of_booking(self):
        for kind in ("credit", "calls", "refund", "adjustment", "expiry"):
            booking = self.last(kind)
            for where in ("a.customer_id IS NOT NULL",
                          "a.customer_id IS NULL"):
                account = self.account(booking, where)
                at = (f"WHERE transaction_id = {booking} AND account_id = "
                      f"{account}")
                thing = f"posting:{booking}:{account}"
                rule = "posting"
                if kind == "refund" and "NOT" in where:
                    rule, thing = "refund", f"transaction:{booking}"
                self.named(f"UPDATE posting SET amount_nano = amount_nano + 1 "
                           f"{at}", rule, thing)
                self.named(f"DELETE FROM posting {at}",
                           "content" if kind == "credit" and "NOT" in where
                           else rule,
                           f"transaction:{booking}" if kind == "credit" and
                           "NOT" in where else thing)
            self.named(f"DELETE FROM posting WHERE transaction_id = "
                       f"{booking}", "empty", f"transaction:{booking}")

    def test_postings_moved_to_another_pot(self):
        other = self.account(self.last("adjustment"))
        account = self.account(self.booking)
        self.named(f"UPDATE posting SET account_id = {other} WHERE "
                   f"transaction_id = {self.booking} AND account_id = "
                   f"{account} AND {account} <> {other}", "posting",
                   f"posting:{self.booking}:{account}", "missing")

    def test_bookings_doubled_together_with_both_sides(self):
        booking = self.last("credit")
        self.named(f"UPDATE posting SET amount_nano = 2 * amount_nano WHERE "
                   f"transaction_id = {booking}", "posting",
                   f"posting:{booking}:"
                   f"{self.account(booking, 'a.customer_id IS NULL')}")

    def test_a_booking_that_is_gone(self):
        booking = self.last("refund")
        account = self.account(booking, "a.customer_id IS NULL")
        self.named(f"DELETE FROM ledger_transaction WHERE id = {booking}",
                   "posting", f"posting:{booking}:{account}",
                   "booking isn't there")

    def test_leases_and_pots(self):
        at = f"WHERE customer_id = {self.id}"
        self.named(f"UPDATE lease SET granted_nano = granted_nano + 1 {at}",
                   "granted", f"lease:1:{self.id}")
        self.named(f"UPDATE lease SET spent_nano = spent_nano - 1, "
                   f"spent_before_nano = 0 {at}", "spent",
                   f"lease:1:{self.id}")
        account = self.account(self.booking)
        self.named(f"UPDATE pot SET left_nano = left_nano + 1 WHERE "
                   f"account_id = {account}", "pot", f"pot:{account}")

    def test_bills(self):
        at = f"WHERE customer_id = {self.id}"
        month, = it.sql("SELECT to_char(month, 'YYYY-MM') FROM bill_month "
                        f"{at} ORDER BY month LIMIT 1")[0]
        for change in ("SET change_nano = change_nano + 1",
                       "SET calls_nano = calls_nano - 1",
                       "SET credited_nano = credited_nano + 1",
                       "SET bookings = bookings + 1",
                       "SET last_id = last_id + 1"):
            self.named(f"UPDATE bill_month {change} {at}", "bill",
                       f"bill:{self.id}:{month}")
        self.named(f"DELETE FROM bill_month {at}", "bill",
                   f"bill:{self.id}:{month}")

    def test_prices(self):
        self.named("UPDATE price SET output_nano = output_nano + 1 WHERE id "
                   "= 1", "price", "price:1")
        self.named("UPDATE price SET effective_from = effective_from + "
                   "interval '1 us' WHERE id = 1", "price", "price:1")
        self.named("INSERT INTO price (id, model_id, input_nano, output_nano,"
                   " created_by) OVERRIDING SYSTEM VALUE VALUES (77, 1, 1, 1,"
                   " 'x')", "price", "price:77")

    def test_expiries(self):
        booking = self.last("expiry")
        account = self.account(booking)
        self.named(f"UPDATE ledger_account SET expires_at = now() + interval "
                   f"'1 day' WHERE id = {account}", "posting",
                   f"posting:{booking}:{account}", "had not expired")
        self.named(f"UPDATE ledger_transaction SET at = at - interval '1 "
                   f"hour' WHERE id = {booking}", "posting",
                   f"posting:{booking}:{account}", "had not expired")

    def test_refunds(self):
        booking = self.last("refund")
        self.named(f"UPDATE refund SET amount_nano = amount_nano + 1 WHERE "
                   f"transaction_id = {booking}", "posting",
                   f"posting:{booking}:"
                   f"{self.account(booking, 'a.customer_id IS NULL')}")
        self.named(f"DELETE FROM refund WHERE transaction_id = {booking}",
                   "refund", f"transaction:{booking}", "names no call")
        self.named(f"UPDATE refund SET started_at = '2020-01-01' WHERE "
                   f"transaction_id = {booking}", "refund",
                   f"transaction:{booking}", "more was given back")

    def test_a_refund_above_the_fee(self):
        """Both sides, the lease and the pot changed alike: only the fee
        itself tells."""
        booking = self.last("refund")
        last = int(it.sql("SELECT max(account_id) FROM posting WHERE "
                          f"transaction_id = {self.last('calls')}")[0][0])
        self.assertTrue(last)
        self.named(f"UPDATE call SET fee_nano = 200000000, input_tokens = "
                   f"200000 {self.at_call(0)}; UPDATE call SET fee_nano = "
                   f"500000000, input_tokens = 500000 {self.at_call(1)}",
                   "refund", f"transaction:{booking}", "more was given back")

    def test_receipts(self):
        booking = int(it.sql(f"SELECT max(transaction_id) FROM receipt")
                      [0][0])
        account = self.account(booking, "a.kind = 'external'")
        self.named(f"UPDATE receipt SET amount_nano = amount_nano + 1 WHERE "
                   f"transaction_id = {booking}", "posting",
                   f"posting:{booking}:{account}")
        self.named(f"DELETE FROM receipt WHERE transaction_id = {booking}",
                   "content", f"transaction:{booking}")


if __name__ == "__main__":
    if postgres_program("initdb") is None:
        print("PostgreSQL is not installed")
        sys.exit(77)
    unittest.main()
