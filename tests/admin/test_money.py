#!/usr/bin/env python3
"""calls, bill, balance, verify and status: arithmetic against arithmetic, and
every discrepancy that is planted must be named."""

import datetime
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fixture import (DIMENSIONS, FAILED, NANO, NOT_FOUND, OK, USAGE, Booker,
                     Installation, decimal, fee_nano, postgres_program, uuid_of)

it = None
booker = None
customer = None
PRICES = {"input": 3 * NANO, "output": 15 * NANO, "cache_read": 300000001}


def call_of(counts, ppm=10 ** 6, **more):
    """A call as the gateway would record it."""
    call = {f"{d}_tokens": counts.get(d, 0) for d in DIMENSIONS}
    call.update(fee_nano=fee_nano(counts, PRICES, ppm), multiplier_ppm=ppm)
    call.update(more)
    return call


def setUpModule():
    global it, booker, customer
    it = Installation()
    unittest.addModuleCleanup(it.remove)
    it.ok("init")
    it.start_postgres()
    customer = it.json("customer", "add", "acme")["id"]
    it.ok("credit", "acme", "1000")
    it.ok("key", "add", "acme")
    it.ok("price", "set", "sonnet", "--input", "3", "--output", "15",
          "--cache-read", "0.300000001")
    # Records with another multiplier than their group ever had are a breach.
    for factor in ("1.25", "0.5", "1.5", "2.5", "0", "0.000001", "0.85",
                   "1.234567", "1"):
        it.ok("group", "set", "default", "--multiplier", factor, "--yes")
    booker = Booker(it)


class Case(unittest.TestCase):
    pass


class Calls(Case):
    def test_a_record_in_full(self):
        (one,) = booker.book(customer, [call_of(
            {"input": 1000, "output": 200, "cache_read": 50}, flags=0x23,
            error=161, status=429, reasoning_tokens=9)])
        row, = it.json("calls", "--request", one)["calls"]
        expected = {
            "request_id": one, "customer": "acme", "model": "sonnet",
            "route": "chat.completions", "protocol": "openai", "status": 429,
            "error": "upstream_status", "input": 1000, "output": 200,
            "cache_read": 50, "cache_write_5m": 0, "reasoning": 9,
            "flags": "streamed,estimated,upstream_cut", "multiplier": "1",
            "address": "192.0.2.7", "agent": "test/1.0", "price_version": 1,
            "channel": None,
            "fee": decimal(fee_nano({"input": 1000, "output": 200,
                                     "cache_read": 50}, PRICES, 10 ** 6))}
        self.assertEqual({k: row[k] for k in expected}, expected)
        datetime.datetime.fromisoformat(row["started_at"].rstrip("Z"))

    def test_filters(self):
        other = it.json("customer", "add", "other")["id"]
        ids = booker.book(other, [call_of({}) for _ in range(5)])
        rows = it.json("calls", "--customer", "other")["calls"]
        self.assertEqual({r["request_id"] for r in rows}, set(ids))
        self.assertEqual(len(it.json("calls", "--customer", "other",
                                     "--limit", "2")["calls"]), 2)
        self.assertEqual(it.json("calls", "--since", "2099-01-01")["calls"],
                         [])
        self.assertTrue(it.json("calls", "--since", "1h")["calls"])
        out = it.ok("calls", "--customer", "other").out
        self.assertIn(ids[0], out)

    def test_a_narrow_terminal_keeps_ids_and_fees(self):
        (one,) = booker.book(customer, [call_of({"input": 1})])
        out = it.ok("calls", "--request", one, env={"COLUMNS": "80"}).out
        self.assertIn(one, out)
        self.assertIn("FEE", out)
        self.assertLessEqual(max(map(len, out.splitlines())), 80)

    def test_mistakes(self):
        for words in (("--request", "xyz"), ("--limit", "0"),
                      ("--limit", "x"), ("--since", "whenever")):
            self.assertEqual(it.run("calls", *words).status, USAGE)
        self.assertEqual(it.run("calls", "--customer", "nobody").status,
                         NOT_FOUND)
        self.assertEqual(it.json(
            "calls", "--request", "0" * 32)["calls"], [])


class Bill(Case):
    def test_each_step(self):
        counts = {"input": 1234, "output": 567, "cache_read": 7,
                  "cache_write_1h": 3}
        ppm = 1250000
        (one,) = booker.book(customer, [call_of(counts, ppm)])
        bill = it.json("bill", one)
        lines = {line["dimension"]: line for line in bill["lines"]}
        self.assertEqual(set(lines), set(counts))
        self.assertEqual(lines["input"]["amount"], "0.003702")
        self.assertEqual(lines["cache_read"]["amount"], "0.000002100000007")
        self.assertEqual(lines["cache_write_1h"]["priced_as"], "input")
        self.assertEqual(lines["cache_write_1h"]["amount"], "0.000009")
        self.assertEqual(bill["sum"], "0.012218100000007")
        self.assertEqual(bill["exact"], "0.01527262500000875")
        self.assertEqual(bill["multiplier"], "1.25")
        self.assertEqual(bill["fee"], decimal(fee_nano(counts, PRICES, ppm)))
        self.assertEqual(bill["charged"], bill["fee"])
        self.assertTrue(bill["agrees"])
        text = it.ok("bill", one).out
        for part in ("1234 x", "0.003702", "(as input)", "1.25",
                     "0.01527262500000875", "0.015272625"):
            self.assertIn(part, text)

    def test_half_a_nano_goes_to_the_even_one(self):
        for ppm, expected in ((500000, "0.00"), (1500000, "0.000000002"),
                              (2500000, "0.000000002")):
            it.sql("INSERT INTO price (id, model_id, input_nano, output_nano,"
                   " created_by) OVERRIDING SYSTEM VALUE SELECT 7777, 1, "
                   "1000000, 0, 't' WHERE NOT EXISTS (SELECT 1 FROM price "
                   "WHERE id = 7777)", role="youyun_owner")
            nano = round(float(expected) * NANO)
            (one,) = booker.book(customer, [
                {"input_tokens": 1, "fee_nano": nano, "price_version": 7777,
                 "multiplier_ppm": ppm}])
            bill = it.json("bill", one)
            self.assertEqual((bill["fee"], bill["agrees"]), (expected, True))

    def test_the_last_and_a_free_one(self):
        (one,) = booker.book(customer, [call_of({})])
        self.assertEqual(it.json("bill", "last")["request_id"], one)
        self.assertIn("Nothing was used", it.ok("bill", one).out)

    def test_what_was_not_collected(self):
        fee = fee_nano({"output": 100}, PRICES, 10 ** 6)
        (one,) = booker.book(customer, [call_of(
            {"output": 100}, fee_nano=fee - 5, uncollected_nano=5,
            held_nano=fee - 5)])
        bill = it.json("bill", one)
        self.assertEqual(bill["uncollected"], "0.000000005")
        self.assertTrue(bill["agrees"])
        self.assertIn("not collected", it.ok("bill", one).out)

    def test_a_wrong_fee_is_shown_and_fails(self):
        (one,) = booker.book(customer, [call_of({"input": 10})])
        it.sql(f"UPDATE call SET fee_nano = fee_nano + 1 "
               f"WHERE request_id = '{uuid_of(one)}'")
        done = it.run("bill", one)
        it.sql(f"UPDATE call SET fee_nano = fee_nano - 1 "
               f"WHERE request_id = '{uuid_of(one)}'")
        self.assertEqual(done.status, FAILED)
        self.assertIn("says something else", done.err)

    def test_mistakes(self):
        self.assertEqual(it.run("bill", "xyz").status, USAGE)
        self.assertEqual(it.run("bill", "0" * 32).status, NOT_FOUND)


class Verify(Case):
    def clean(self):
        done = it.json("verify")
        self.assertEqual((done["ok"], done["breaches"]), (True, []), done)
        return done

    def test_many_random_calls_agree(self):
        rng = random.Random(20261123)
        calls = []
        for _ in range(400):
            counts = {d: rng.choice((0, 1, rng.randrange(10 ** 5)))
                      for d in DIMENSIONS}
            calls.append(call_of(counts, rng.choice(
                (0, 1, 850000, 10 ** 6, 1234567))))
        booker.book(customer, calls)
        done = self.clean()
        self.assertGreaterEqual(done["calls"], 400)
        self.assertGreater(done["fees"], 300)
        total = it.sql("SELECT sum(fee_nano) FROM call")[0][0]
        self.assertEqual(done["fee_sum"], decimal(int(total)))
        self.assertEqual(done["spent"], done["fee_sum"])
        row, = it.json("balance", "acme")["balances"]
        self.assertEqual(row["spent"], decimal(int(it.sql(
            f"SELECT sum(fee_nano) FROM call WHERE customer_id = {customer}"
        )[0][0])))
        self.assertIn("Everything agrees", it.ok("verify").out)

    def plant(self, change, undo, *expected):
        """After a change as superuser verify must fail and name each of
        (rule, object); after undo all must be well again."""
        self.clean()
        it.sql(change)
        try:
            done = it.run("verify", "--json", "--limit", "1000")
            said = it.run("verify", "--limit", "1000")
        finally:
            it.sql(undo)
        self.assertEqual(done.status, FAILED, done)
        self.assertFalse(done.json["ok"])
        self.assertEqual(done.json["breaches_count"],
                         len(done.json["breaches"]))
        found = {(b["rule"], b["object"]) for b in done.json["breaches"]}
        for breach in expected:
            self.assertIn(breach, found)
            self.assertIn(breach[1], said.out)
        self.assertIn("found", said.err)
        self.clean()
        return {(b["rule"], b["object"]): b for b in done.json["breaches"]}

    def one(self, counts=None):
        (one,) = booker.book(customer, [call_of(counts or {"input": 1000})])
        return one

    def column(self, one, column, value):
        """The statements that change a call and change it back."""
        was = it.sql(f"SELECT {column} FROM call WHERE request_id = "
                     f"'{uuid_of(one)}'")[0][0]
        where = f"WHERE request_id = '{uuid_of(one)}'"
        return (f"UPDATE call SET {column} = {value} {where}",
                f"UPDATE call SET {column} = {was} {where}")

    def test_a_fee_one_nano_off(self):
        one = self.one()
        found = self.plant(*self.column(one, "fee_nano", "fee_nano + 1"),
                           ("fee", f"call:{one}"),
                           ("spent", f"lease:1:{customer}"))
        breach = found["fee", f"call:{one}"]
        self.assertEqual((breach["found"], breach["expected"]),
                         ("0.003000001", "0.003"))

    def test_a_token_more(self):
        one = self.one()
        self.plant(*self.column(one, "input_tokens", "1001"),
                   ("fee", f"call:{one}"))

    def test_another_multiplier(self):
        one = self.one()
        self.plant(*self.column(one, "multiplier_ppm", "999999"),
                   ("fee", f"call:{one}"))

    def test_a_price_version_that_is_not_there(self):
        one = self.one()
        self.plant(*self.column(one, "price_version", "999"),
                   ("price", f"call:{one}"))

    def test_a_price_of_another_model(self):
        one = self.one()
        self.plant(*self.column(one, "model_id", "999"),
                   ("price", f"call:{one}"))

    def test_impossible_counts_are_named_not_died_of(self):
        one = self.one()
        self.plant(*self.column(one, "output_tokens", "9000000000000000000"),
                   ("fee", f"call:{one}"))
        self.plant(*self.column(one, "multiplier_ppm", "9000000000"),
                   ("fee", f"call:{one}"))

    def test_a_fee_for_nothing(self):
        one = self.one({"output": 5})
        self.plant(*self.column(one, "output_tokens", "0"),
                   ("fee", f"call:{one}"))

    def test_more_charged_than_held(self):
        one = self.one()
        self.plant(*self.column(one, "held_nano", "1"),
                   ("held", f"call:{one}"))

    def test_a_call_without_its_booking(self):
        one = self.one()
        self.plant(*self.column(one, "ledger_transaction_id", "NULL"),
                   ("unbooked", f"call:{one}"))

    def test_a_call_that_is_gone(self):
        one = self.one()
        booking = it.sql(f"SELECT ledger_transaction_id FROM call WHERE "
                         f"request_id = '{uuid_of(one)}'")[0][0]
        where = f"WHERE request_id = '{uuid_of(one)}'"
        self.plant(f"CREATE TABLE kept AS SELECT * FROM call {where}; "
                   f"DELETE FROM call {where}",
                   "INSERT INTO call SELECT * FROM kept; DROP TABLE kept",
                   ("spent", f"lease:1:{customer}"),
                   ("batch", f"transaction:{booking}"))

    def test_a_call_twice(self):
        one = self.one()
        self.plant(f"INSERT INTO call SELECT (jsonb_populate_record(c, "
                   f"'{{\"started_at\": \"2020-01-01\"}}')).* FROM call c "
                   f"WHERE request_id = '{uuid_of(one)}'",
                   f"DELETE FROM call WHERE request_id = '{uuid_of(one)}' AND "
                   f"started_at = '2020-01-01'",
                   ("twice", f"call:{one}"))

    def test_a_posting_one_nano_off(self):
        one = self.one()
        booking = it.sql(f"SELECT ledger_transaction_id FROM call WHERE "
                         f"request_id = '{uuid_of(one)}'")[0][0]
        where = f"WHERE transaction_id = {booking} AND amount_nano > 0"
        self.plant(f"UPDATE posting SET amount_nano = amount_nano + 1 {where}",
                   f"UPDATE posting SET amount_nano = amount_nano - 1 {where}",
                   ("zero-sum", f"transaction:{booking}"))

    def test_a_lease_one_nano_off(self):
        where = f"WHERE customer_id = {customer}"
        for column, rule in (("spent_nano", "spent"),
                             ("granted_nano", "granted")):
            self.plant(f"UPDATE lease SET {column} = {column} + 1 {where}",
                       f"UPDATE lease SET {column} = {column} - 1 {where}",
                       (rule, f"lease:1:{customer}"),
                       ("balance", f"customer:{customer}"))

    def test_a_price_changed_afterwards(self):
        one = self.one()
        self.plant("UPDATE price SET input_nano = input_nano + 1000000 "
                   "WHERE id = 1",
                   "UPDATE price SET input_nano = input_nano - 1000000 "
                   "WHERE id = 1", ("price", "price:1"),
                   ("fee", f"call:{one}"))

    def test_only_the_first_are_named(self):
        for _ in range(3):
            self.one()
        it.sql("UPDATE price SET input_nano = input_nano + 1000000000 "
               "WHERE id = 1")
        done = it.run("verify", "--limit", "2")
        it.sql("UPDATE price SET input_nano = input_nano - 1000000000 "
               "WHERE id = 1")
        self.assertEqual(done.status, FAILED)
        self.assertEqual(done.out.count("price:1"), 1)
        self.assertEqual(done.out.count("call:"), 1)
        self.assertIn("the first 2 of", done.err)


class Segment(Case):
    """Against a segment that stands in for a running gateway's."""

    def setUp(self):
        self.balances = {
            int(row[0]): int(row[1]) for row in
            it.sql("SELECT customer_id, sum(granted_nano - spent_nano) "
                   "FROM lease GROUP BY 1")}

    def tearDown(self):
        it.stop_segment()

    def start(self, change=0, held=0):
        it.start_segment(*(
            f"{c}={n + (change if c == customer else 0)}"
            f"/{held if c == customer else 0}"
            for c, n in self.balances.items()))

    def test_no_segment(self):
        self.assertFalse(it.json("verify")["segment"])

    def test_balances_that_agree(self):
        self.start()
        done = it.json("verify")
        self.assertTrue(done["ok"] and done["segment"])
        self.assertEqual(done["segment_agree"], len(self.balances))
        self.assertEqual(done["segment_busy"], 0)

    def test_money_that_is_held_is_counted(self):
        self.start(held=12345)
        done = it.json("verify")
        self.assertTrue(done["ok"])
        self.assertEqual(done["segment_agree"], len(self.balances))
        self.assertEqual(done["segment_busy"], 1)

    def test_a_nano_too_much_in_the_segment(self):
        self.start(change=1)
        done = it.run("verify", "--json")
        self.assertEqual(done.status, FAILED)
        breach, = done.json["breaches"]
        self.assertEqual((breach["rule"], breach["object"]),
                         ("segment", f"customer:{customer}"))

    def test_a_nano_too_little_though_nothing_is_on_its_way(self):
        self.start(change=-1)
        done = it.run("verify", "--json")
        self.assertEqual(done.status, FAILED, done)
        self.assertIn("less", done.json["breaches"][0]["why"])

    def test_status(self):
        self.start(held=5)
        done = it.run("status", "--json")
        self.assertEqual(done.status, OK, done)
        status = done.json
        self.assertTrue(status["ok"] and status["database"] and
                        status["flusher"])
        self.assertEqual(status["open_holds"], 1)
        self.assertEqual(status["stops"], [])
        seat, = status["seats"]
        self.assertEqual((seat["state"], seat["calls"], seat["alive"]),
                         ("live", 7, True))
        self.assertIn("Serves calls", it.ok("status").out)

    def test_status_tells_why_calls_are_refused(self):
        self.start()
        it.segment.stdin.write("stop\n")
        it.segment.stdin.flush()
        self.assertEqual(it.segment.stdout.readline(), "stopped\n")
        done = it.run("status")
        self.assertEqual(done.status, FAILED)
        for part in ("not loaded yet", "could not be written",
                     "journal_budget_bytes", "flusher is away"):
            self.assertIn(part, done.out)
        self.assertEqual([s["reason"] for s in
                          it.run("status", "--json").json["stops"]],
                         ["loading", "journal", "budget", "flusher"])

    def test_status_without_anything(self):
        done = it.run("status")
        self.assertEqual(done.status, FAILED)
        self.assertIn("no such segment", done.out)


if __name__ == "__main__":
    if postgres_program("initdb") is None:
        print("PostgreSQL is not installed")
        sys.exit(77)
    unittest.main()
