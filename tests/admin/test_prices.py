#!/usr/bin/env python3
"""Every price: set, shown, explained, taken out and in, and what calls cost by
it, against fractions."""

import json
import os
import random
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "unit")]
from fee_oracle import INPUTS, NANO, OUTPUTS, TEXT, UNITS, fee_of
from fixture import (NOT_FOUND, OK, USAGE, Booker, Installation, decimal)

it = None
booker = None
customer = None
channel = None
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(2 ** 32)))
# Every field of a row, as the fields' names and as nano, ppm and counts.
FULL = {"input": 2500000000, "output": 10 * NANO, "cache_read": 1250000000,
        "cache_write_5m": 3 * NANO, "cache_write_1h": 5 * NANO,
        "input_audio": 40 * NANO, "output_audio": 80 * NANO,
        "cache_read_audio": 2500000001, "input_image": 8 * NANO,
        "output_image": 32 * NANO, "per_image": 40000000, "per_call": 1000001,
        "per_minute": 6100000, "per_1000_characters": 15000000,
        "per_tool_call": 10000000, "long_above": 200000,
        "long_input": 5 * NANO, "long_output": 15 * NANO,
        "long_cache_read": 2 * NANO, "long_cache_write_5m": 6 * NANO,
        "long_cache_write_1h": 9 * NANO, "long_input_multiplier": 2000000,
        "long_output_multiplier": 1500000, "flex_multiplier": 500000,
        "scale_multiplier": 1000001, "priority_multiplier": 1750000,
        "fast_tier_multiplier": 3 * 10 ** 6,
        "ultrafast_tier_multiplier": 4 * 10 ** 6, "batch_multiplier": 500000,
        "other_tier_multiplier": 2 * 10 ** 6, "fast_multiplier": 6 * 10 ** 6,
        "us_multiplier": 1100000, "eu_multiplier": 1200000,
        "other_region_multiplier": 1300000, "minimum": 12345}
IMAGES = [(1024, 1024, 0, 42000000), (1024, 1536, 3, 250000000),
          (0, 0, 1, 11000000)]
IMAGES_TEXT = "1024x1024=0.042 1024x1536:high=0.25 any:low=0.011"
COUNTS = [*INPUTS, *OUTPUTS, *UNITS]


def ppm(n):
    whole, part = divmod(n, 10 ** 6)
    return f"{whole}" + (f".{part:06d}".rstrip("0") if part else "")


def text_of(name, value):
    if name == "long_above":
        return str(value)
    return ppm(value) if name.endswith("_multiplier") else decimal(value)


def options(price):
    words = [w for name, value in price.items() for w in
             (f"--{name.replace('_', '-')}", text_of(name, value))]
    return words


def full_options():
    return options(FULL) + [w for i in IMAGES_TEXT.split()
                            for w in ("--image", i)]


def setUpModule():
    global it, booker, customer, channel
    print(f"SEED={SEED}")
    it = Installation()
    unittest.addModuleCleanup(it.remove)
    it.ok("init")
    it.start_postgres()
    customer = it.json("customer", "add", "acme")["id"]
    it.ok("credit", "acme", "900000000")
    it.ok("key", "add", "acme")
    it.ok("price", "set", "full", *full_options())
    # Multipliers that the group had at some time.
    for factor in ("0", "0.85", "1"):
        it.ok("group", "set", "default", "--multiplier", factor, "--yes")
    channel = int(it.sql(
        "INSERT INTO channel (slot, name, protocol, host, port) "
        "VALUES (0, 'up', 1, 'localhost', 1) RETURNING id")[0][0])
    booker = Booker(it)


def refused(test, status, text, *words, **more):
    done = it.run(*words, **more)
    test.assertEqual(done.status, status, done)
    test.assertIn(text, done.err)
    return done


class Set(unittest.TestCase):
    def test_every_field_is_kept_exactly(self):
        row, = it.json("price", "list", "full")["prices"]
        self.assertEqual({n: row[n] for n in FULL},
                         {n: (v if n == "long_above" else text_of(n, v))
                          for n, v in FULL.items()})
        self.assertEqual(row["images"], IMAGES_TEXT)
        self.assertIn("per_minute 0.0061", it.ok("price", "list").out)

    def test_free_is_said_and_nothing_else_is(self):
        refused(self, USAGE, "everything costs 0", "price", "set", "f",
                "--input", "0", "--output", "0")
        refused(self, USAGE, "--input PRICE is missing", "price", "set", "f")
        refused(self, USAGE, "free", "price", "set", "f", "--free",
                "--input", "1")
        it.ok("price", "set", "f", "--free")
        row, = it.json("price", "list", "f")["prices"]
        self.assertTrue(row["free"])
        self.assertIsNone(row["input"])
        self.assertEqual(it.json("price", "show", "f", "--input",
                                 "1000000")["fee"], "0.00")

    def test_long_prices_are_all_or_none(self):
        base = ("price", "set", "l", "--input", "1", "--output", "2")
        refused(self, USAGE, "long_above", *base, "--long-input", "2")
        refused(self, USAGE, "long_above", *base, "--long-above", "10")
        refused(self, USAGE, "long_ price or a", *base, "--long-above",
                "10", "--long-input", "2")
        it.ok(*base, "--long-above", "10", "--long-input", "2",
              "--long-output-multiplier", "1.5")

    def test_mistakes(self):
        base = ("price", "set", "x", "--input", "1")
        for words in (("--flex-multiplier", "0"),
                      ("--flex-multiplier", "1000.1"),
                      ("--per-call", "1000000.1"), ("--minimum", "-1"),
                      ("--long-above", "0"), ("--image", "big=1"),
                      ("--image", "1x1:best=1"), ("--image", "any=1"),
                      ("--image", "1x1"), ("--image", "99999x1=1")):
            refused(self, USAGE, words[0], *base, *words)
        refused(self, USAGE, "twice", *base, "--image", "1x2=1", "--image",
                "2x1=2")
        refused(self, USAGE, "at its end", "price", "set", "a*b", "--input",
                "1")


class Show(unittest.TestCase):
    def test_each_step(self):
        shown = it.json("price", "show", "full", "--input", "1200",
                        "--output", "30", "--tool-calls", "2", "--tier",
                        "flex", "--region", "us")
        usage = {"input": 1200, "output": 30, "tool_calls": 2, "calls": 1,
                 "tier": 1, "region": 1}
        self.assertEqual(shown["sum"], "0.0033")
        self.assertEqual(shown["served"], "0.001815")
        self.assertEqual(shown["flat"], "0.021000001")
        self.assertEqual(shown["fee"], decimal(fee_of(
            dict(FULL, images=IMAGES), usage, 10 ** 6)[0]))
        text = it.ok("price", "show", "full", "--input", "1200", "--tier",
                     "flex").out
        for part in ("1200 x", "2.50", "flex", "0.5", "per_minute"):
            self.assertIn(part, text)

    def test_long_minimum_and_other_models_are_explained(self):
        it.ok("price", "set", "other", "--input", "7", "--output", "9")
        out = it.ok("price", "show", "full", "--input", "300000").out
        self.assertIn("input, long", out)
        self.assertIn("1.50", out)
        shown = it.json("price", "show", "full", "--calls", "0", "--input",
                        "1")
        self.assertTrue(shown["by_minimum"])
        self.assertEqual(shown["fee"], "0.000012345")
        shown = it.json("price", "show", "full", "--input", "1000",
                        "--other-model", "other", "--other-input", "1000")
        self.assertEqual(shown["other"], "0.007")
        self.assertFalse(shown["marked"])
        shown = it.json("price", "show", "full", "--input", "1000",
                        "--other-input", "1000")
        self.assertEqual(shown["other"], "0.0025")
        self.assertTrue(shown["marked"])

    def test_what_has_no_price_is_told(self):
        it.ok("price", "set", "plain", "--input", "1", "--output", "2")
        shown = it.json("price", "show", "plain", "--tool-calls", "1",
                        "--input", "1")
        self.assertTrue(shown["marked"])
        line, = [x for x in shown["lines"]
                 if x["dimension"] == "tool_calls"]
        self.assertEqual((line["how"], line["priced_as"],
                          line["priced_count"], line["amount"]),
                         ("unpriced_as", "input", 8000, "0.008"))
        it.ok("price", "set", "minutes", "--per-minute", "1")
        shown = it.json("price", "show", "minutes", "--input", "5")
        self.assertIsNone(shown["fee"])

    def test_the_longest_pattern_holds(self):
        for name, price in (("gpt-4o*", "1"), ("gpt-4o-mini*", "2"),
                            ("gpt-4o-mini-x", "3")):
            it.ok("price", "set", name, "--input", price)
        for name, price in (("gpt-4o", "1.00"), ("gpt-4o-2024", "1.00"),
                            ("gpt-4o-mini-y", "2.00"),
                            ("gpt-4o-mini-x", "3.00")):
            self.assertEqual(it.json("price", "show", name)["input"], price)
        refused(self, NOT_FOUND, "no price", "price", "show", "gpt-4")

    def test_groups_and_their_overrides(self):
        it.ok("group", "set", "w", "--multiplier", "0.8")
        it.ok("price", "set", "ov-a", "--input", "1")
        it.ok("price", "set", "ov-*", "--input", "1")
        it.ok("group", "override", "w", "ov-*", "--multiplier", "0.5")

        def multiplier(model):
            return it.json("price", "show", model, "--input", "1000000",
                           "--group", "w")["multiplier"]
        self.assertEqual(multiplier("full"), "0.8")
        self.assertEqual(multiplier("ov-a"), "0.5")
        it.ok("group", "override", "w", "ov-a", "--multiplier", "0.25")
        self.assertEqual(multiplier("ov-a"), "0.25")
        self.assertEqual(multiplier("ov-b"), "0.5")
        rows = it.json("group", "overrides", "w")["overrides"]
        self.assertEqual([(r["model"], r["multiplier"]) for r in rows],
                         [("ov-*", "0.5"), ("ov-a", "0.25")])
        it.ok("group", "override", "w", "ov-a", "--remove")
        self.assertEqual(multiplier("ov-a"), "0.5")
        refused(self, NOT_FOUND, "no override", "group", "override", "w",
                "ov-a", "--remove")
        refused(self, NOT_FOUND, "no group", "group", "override", "nope",
                "ov-a", "--multiplier", "1")
        refused(self, USAGE, "either", "group", "override", "w", "ov-a")
        refused(self, NOT_FOUND, "no group", "price", "show", "full",
                "--group", "nope")

    def test_mistakes(self):
        for words in (("--input", "-1"), ("--input", "1000000001"),
                      ("--tier", "best"), ("--region", "mars"),
                      ("--image-size", "big"), ("--at", "sometime")):
            refused(self, USAGE, words[0], "price", "show", "full", *words)


class Files(unittest.TestCase):
    def path(self, name, text=None):
        path = it.folder / name
        if text is not None:
            path.write_text(text)
        return path

    def rows(self):
        return [{k: v for k, v in row.items()
                 if k not in ("version", "from", "set_by", "set_at")}
                for row in it.json("price", "list")["prices"]]

    def round_trip(self, name):
        it.ok("price", "set", "later", "--input", "1", "--from", "3h")
        it.ok("price", "set", 'a,comma', "--input", "1",
              "--max-output-tokens", "77")
        first, second = self.path(f"1.{name}"), self.path(f"2.{name}")
        it.ok("price", "export", first)
        before = self.rows()
        count = it.sql("SELECT count(*) FROM price")
        # What holds already is left alone …
        self.assertEqual(it.json("price", "import", first)["set"], 0)
        self.assertEqual(it.sql("SELECT count(*) FROM price"), count)
        # … and what is gone comes back as it was.
        it.sql("DELETE FROM price WHERE id <> 1")
        self.assertGreater(it.json("price", "import", first)["set"], 0)
        it.ok("price", "export", second)
        self.assertEqual(second.read_text(), first.read_text())
        self.assertEqual(self.rows(), before)

    def test_csv_there_and_back(self):
        self.round_trip("csv")

    def test_json_there_and_back(self):
        self.round_trip("json")

    def test_standard_input_and_output(self):
        text = it.ok("price", "export", "--format", "csv").out
        self.assertEqual(text.splitlines()[0].split(",")[:3],
                         ["model", "from", "max_output_tokens"])
        it.ok("price", "import", "-", stdin=text)
        exported = it.json("price", "export")["prices"]
        it.ok("price", "import", "-", "--format", "json",
              stdin=json.dumps(exported))

    def test_all_mistakes_of_a_csv_at_once(self):
        path = self.path("bad.csv", (
            "model,input,output,from,flex_multiplier\n"
            "ok,1,2,,\n"
            "x y,1,2,,\n"
            "b,1.0000000001,2,,\n"
            "c,1,2,2020-01-01,\n"
            "d,1,2,,0\n"
            "\n"
            "e,1,2,\n"
            "ok,1,3,,\n"
            ",1,2,,\n"
            "g,,,,\n"))
        done = refused(self, USAGE, "nothing was changed", "price", "import",
                       path)
        for line, text in ((3, "model: x y:"), (4, "input: 1.0000000001:"),
                           (5, "from: 2020-01-01: it is in the past"),
                           (6, "flex_multiplier: 0:"),
                           (8, "4 cells, but 5 columns"),
                           (9, "ok is there already, in line 2"),
                           (10, "model: is missing"),
                           (11, "nothing is priced")):
            self.assertIn(f"{path}:{line}: {text}", done.err)
        refused(self, NOT_FOUND, "no price", "price", "list", "ok")

    def test_all_mistakes_of_a_json_at_once(self):
        path = self.path("bad.json", """{"prices": [
  {"model": "jok", "input": "1"},
  {"model": "j1",
   "input": 1.5, "output": "2"},
  {"model": "j{2}", "colour": "red", "input": "x"},
  {"input": 3},
  7
]}""")
        done = refused(self, USAGE, "nothing was changed", "price", "import",
                       path)
        for line, text in ((3, "input: an amount is written as a string"),
                           (5, 'there is no member "colour"'),
                           (5, "input: x: not a decimal"),
                           (6, "model: is missing")):
            self.assertIn(f"{path}:{line}: {text}", done.err)
        self.assertIn("is no object", done.err)
        refused(self, NOT_FOUND, "no price", "price", "list", "jok")
        done = refused(self, USAGE, "1 mistake", "price", "import", self.path(
            "cut.json", '{"prices": [\n{"model": "a"'))
        self.assertIn("cut.json:2:", done.err)

    def test_unknown_columns_and_files(self):
        refused(self, USAGE, 'no column "colour"', "price", "import",
                self.path("c.csv", "model,colour\na,red\n"))
        refused(self, USAGE, "not closed", "price", "import",
                self.path("q.csv", 'model,input\n"a,1\n'))
        self.assertEqual(it.run("price", "import", "/nowhere.csv").status, 1)
        refused(self, USAGE, "--format", "price", "export", "--format",
                "xml")

    def test_a_dry_run_sets_nothing(self):
        it.ok("price", "import", "--dry-run",
              self.path("dry.csv", "model,input\ndry,1\n"))
        refused(self, NOT_FOUND, "no price", "price", "list", "dry")

    def test_a_row_that_the_database_refuses_undoes_all(self):
        path = self.path("undo.csv", "model,input\nundo1,1\nundo2,2\n")
        it.sql("CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS "
               "$$BEGIN IF NEW.input_nano = 2000000000 THEN RAISE "
               "EXCEPTION 'no'; END IF; RETURN NEW; END$$; "
               "CREATE TRIGGER no BEFORE INSERT ON price FOR EACH ROW "
               "EXECUTE FUNCTION no(); ALTER TABLE price ENABLE ALWAYS "
               "TRIGGER no")
        try:
            self.assertNotEqual(it.run("price", "import", path).status, OK)
        finally:
            it.sql("DROP TRIGGER no ON price; DROP FUNCTION no")
        refused(self, NOT_FOUND, "no price", "price", "list", "undo1")

    def test_costs_there_and_back(self):
        it.ok("cost", "set", "up", "there", "--input", "1", "--from",
              "2020-01-01")
        path = self.path("costs.csv")
        it.ok("cost", "export", path)
        self.assertEqual(it.json("cost", "import", path)["set"], 0)
        refused(self, USAGE, 'no channel "nope"', "cost", "import",
                self.path("c2.csv", "channel,model,input\nnope,m,1\n"))


class Verify(unittest.TestCase):
    def call(self, price, usage, ppm=10 ** 6, other=None, **more):
        fee, marked = fee_of(price, usage, ppm, other)
        columns = {d + ("_tokens" if d in INPUTS + OUTPUTS else ""):
                   usage.get(d, 0) for d in COUNTS}
        columns.update({k: usage[k] for k in ("tier", "speed", "region")
                        if k in usage})
        columns.update(zip(("image_width", "image_height", "image_quality"),
                           usage.get("image", (0, 0, 0))))
        columns.update({f"other_{d}_tokens": n
                        for d, n in usage.get("other", {}).items()})
        columns.update(fee_nano=fee, multiplier_ppm=ppm,
                       flags=1 | (0x200 if marked else 0),
                       channel_id=channel)
        columns.update(more)
        return columns

    def clean(self):
        done = it.json("verify")
        self.assertEqual((done["ok"], done["breaches"]), (True, []), done)

    def test_random_calls_in_every_dimension(self):
        rng = random.Random(SEED)
        plain = {"input": NANO, "output": 2 * NANO}
        it.ok("price", "set", "vplain", *options(plain))
        row = it.sql("SELECT p.id, m.id FROM price p JOIN model m ON "
                     "m.id = p.model_id WHERE m.name = 'vplain'")[0]
        full = dict(FULL, images=IMAGES)
        calls = []
        for _ in range(150):
            usage = {d: rng.randrange(10 ** 5) for d in COUNTS
                     if rng.random() < 0.4}
            usage.update(tier=rng.randrange(8), speed=rng.randrange(2),
                         region=rng.randrange(4), image=rng.choice(
                             ((0, 0, 0), (1536, 1024, 3), (512, 512, 1))))
            part = rng.random() < 0.3
            if part:
                usage["other"] = {d: rng.randrange(10 ** 5) for d in TEXT}
            ppm = rng.choice((0, 850000, 10 ** 6))
            if rng.random() < 0.5:
                calls.append(self.call(
                    full, usage, ppm, plain,
                    **({"other_price_version": row[0],
                        "other_model_id": row[1]} if part else {})))
            else:
                calls.append(self.call(plain, usage, ppm, None,
                                       price_version=row[0],
                                       model_id=row[1]))
        ids = booker.book(customer, calls)
        self.clean()
        for one, call in list(zip(ids, calls))[:5]:
            bill = it.json("bill", one)
            self.assertTrue(bill["agrees"])
            if call["fee_nano"]:
                self.assertEqual(bill["fee"], decimal(call["fee_nano"]))

    def plant(self, one, column, value, rule):
        where = f"WHERE request_id = '{one.removeprefix('req_')}'"
        was = it.sql(f"SELECT {column} FROM call {where}")[0][0]
        it.sql(f"UPDATE call SET {column} = {value} {where}")
        done = it.run("verify", "--json")
        it.sql(f"UPDATE call SET {column} = {was or 'NULL'} {where}")
        self.assertIn((rule, f"call:{one}"), {
            (b["rule"], b["object"]) for b in done.json["breaches"]},
            (column, value))

    def test_each_of_a_records_columns_counts(self):
        usage = {"input": 5000, "images": 1, "tier": 1, "region": 2,
                 "milliseconds": 333, "image": (1024, 1536, 3),
                 "other": {"input": 9}}
        (one,) = booker.book(customer, [self.call(
            dict(FULL, images=IMAGES), usage)])
        for column, value, rule in (
                ("tier", 3, "fee"), ("tier", 9, "fee"), ("region", 0, "fee"),
                ("speed", 1, "fee"), ("images", 2, "fee"),
                ("image_width", 0, "fee"), ("image_quality", 0, "fee"),
                ("milliseconds", 334, "fee"), ("calls", 1, "fee"),
                ("tool_calls", 1, "fee"), ("other_input_tokens", 10, "fee"),
                ("other_price_version", 99999, "price"),
                ("flags", 1, "marked")):
            self.plant(one, column, value, rule)
        self.clean()

    def test_what_cannot_be_priced_costs_what_was_held(self):
        it.ok("price", "set", "vminutes", "--per-minute", "1")
        row = it.sql("SELECT p.id, m.id FROM price p JOIN model m ON "
                     "m.id = p.model_id WHERE m.name = 'vminutes'")[0]
        (one,) = booker.book(customer, [{
            "input_tokens": 5, "fee_nano": 777, "held_nano": 777,
            "flags": 0x201, "price_version": row[0], "model_id": row[1]}])
        self.clean()
        self.assertTrue(it.json("bill", one)["agrees"])

    def test_a_groups_multiplier_for_a_model_is_one_of_its_own(self):
        it.ok("price", "set", "vo", "--input", "1")
        it.ok("group", "override", "default", "vo", "--multiplier", "0.5")
        it.ok("group", "override", "default", "vo", "--multiplier", "0.25")
        row = it.sql("SELECT p.id, m.id FROM price p JOIN model m ON "
                     "m.id = p.model_id WHERE m.name = 'vo'")[0]
        (one, _) = booker.book(customer, [{
            "input_tokens": 1000, "fee_nano": ppm, "multiplier_ppm": ppm,
            "price_version": row[0], "model_id": row[1]}
            for ppm in (500000, 250000)])
        it.ok("group", "override", "default", "vo", "--remove")
        self.clean()
        self.plant(one, "multiplier_ppm", 500001, "multiplier")

    def test_a_patterns_price_is_its_models(self):
        it.ok("price", "set", "vp-*", "--input", "1")
        it.sql("INSERT INTO model (name) VALUES ('vp-one')")
        version = it.sql("SELECT p.id FROM price p JOIN model m ON m.id = "
                         "p.model_id WHERE m.name = 'vp-*'")[0][0]
        model = it.sql("SELECT id FROM model WHERE name = 'vp-one'")[0][0]
        booker.book(customer, [{
            "input_tokens": 1000, "fee_nano": 1000000, "model_id": model,
            "price_version": version}])
        self.clean()


class Margin(unittest.TestCase):
    def test_by_everything(self):
        who = it.json("customer", "add", "margins")["id"]
        it.ok("credit", "margins", "100")
        it.ok("price", "set", "mm", "--input", "3", "--output", "15")
        it.ok("cost", "set", "up", "mm*", "--input", "2", "--output", "10",
              "--flex-multiplier", "0.5", "--from", "2020-01-01")
        it.ok("cost", "set", "up", "mm", "--input", "2.000000001",
              "--from", "2021-01-01")
        row = it.sql("SELECT p.id, m.id FROM price p JOIN model m ON "
                     "m.id = p.model_id WHERE m.name = 'mm'")[0]
        ids = booker.book(who, [
            {"input_tokens": 1000, "fee_nano": 3000000, "tier": tier,
             "price_version": row[0], "model_id": row[1],
             "channel_id": up} for tier, up in
            ((0, channel), (1, channel), (0, "NULL"))])
        by = {}
        for what in ("call", "model", "customer", "channel"):
            by[what] = {r["name"]: r for r in it.json(
                "margin", "--by", what, "--customer", "margins")["margins"]}
        # 2000000.001 each, rounded: the closer row holds, which has no flex.
        self.assertEqual([by["call"][i]["cost"] for i in ids],
                         ["0.002", "0.002", "0.00"])
        self.assertEqual([by["call"][i]["cost_unknown"] for i in ids],
                         [0, 0, 1])
        for what, name in (("model", "mm"), ("customer", "margins"),
                           ("model", "total")):
            line = by[what][name]
            self.assertEqual(
                (line["calls"], line["fee"], line["cost"], line["margin"],
                 line["percent"], line["cost_unknown"]),
                (3, "0.009", "0.004", "0.002", "33.3", 1))
        self.assertEqual(by["channel"]["up"]["margin"], "0.002")
        self.assertEqual(by["channel"]["-"]["cost_unknown"], 1)
        self.assertIn("no cost is set", it.ok(
            "margin", "--customer", "margins").out)

    def test_a_time_and_mistakes(self):
        self.assertEqual(it.json("margin", "--since", "2099-01-01"),
                         {"margins": []})
        for words in (("--by", "colour"), ("--since", "x"),
                      ("--until", "x"), ("--limit", "0")):
            refused(self, USAGE, words[0], "margin", *words)

    def test_customers_eyes_do_not_reach_costs(self):
        with self.assertRaisesRegex(AssertionError, "denied"):
            it.sql("SELECT * FROM cost", role="youyun_portal")


if __name__ == "__main__":
    unittest.main()
