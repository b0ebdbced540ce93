#!/usr/bin/env python3
"""Fees of random prices and usages, by the program and by fee_oracle.py; and
what must hold of any fee."""

import os
import pathlib
import random
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fee_oracle import NANO, fee_of

BUILDDIR = pathlib.Path(os.environ.get(
    "YOUYUN_BUILDDIR", pathlib.Path(__file__).resolve().parents[2]))
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(2 ** 32)))
ROUNDS = 4000
MOST = 2 ** 63 - 1
OK, OVERFLOW, UNPRICED = range(3)
TEXT = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")


class Calculator:
    def __init__(self):
        self.process = subprocess.Popen(
            [BUILDDIR / "tests" / "unit" / "fee_calc"], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.fields = self.process.stdout.readline().split()
        self.dims = self.process.stdout.readline().split()

    def row(self, price):
        images = price.get("images", [])
        return [int(price.get("free", False)), len(images),
                *(n for image in images for n in image),
                *(price.get(f, -1) for f in self.fields)]

    def fee(self, price, usage, ppm, other=None):
        width, height, quality = usage.get("image", (0, 0, 0))
        numbers = [*self.row(price), *self.row(other or {}),
                   int(other is not None),
                   *(usage.get(d, 0) for d in self.dims),
                   usage.get("tier", 0), usage.get("speed", 0),
                   usage.get("region", 0), quality, width, height,
                   *(usage.get("other", {}).get(d, 0) for d in TEXT), ppm]
        self.process.stdin.write(" ".join(map(str, numbers)) + "\n")
        self.process.stdin.flush()
        result, fee, marked = map(int,
                                  self.process.stdout.readline().split())
        return result, fee, bool(marked)

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


class Random(random.Random):
    def nano(self):
        """Small ones round often, large ones overflow now and then."""
        return self.choice((0, 1, self.randrange(100), 500000,
                            self.randrange(10 ** 7), 3 * NANO,
                            self.randrange(10 ** 12),
                            self.randrange(10 ** 15 + 1), 10 ** 15))

    def ppm(self):
        return self.choice((1, 500000, 10 ** 6, 1100000,
                            self.randrange(1, 3 * 10 ** 6), 10 ** 9))

    def count(self):
        return self.choice((1, 1, 2, 3, self.randrange(100),
                            self.randrange(10 ** 6), 10 ** 9))

    def price(self, fields):
        if self.random() < 0.02:
            return {"free": True}
        price = {}
        density = self.choice((0.05, 0.2, 0.5, 0.9))
        for field in fields:
            if self.random() > density:
                continue
            if field == "long_above":
                price[field] = self.choice((1, 10, 1000, 10 ** 9))
            else:
                price[field] = (self.ppm() if field.endswith("_multiplier")
                                else self.nano())
        # As price_check() has it.
        for dim in TEXT:
            if dim not in price:
                price.pop("long_" + dim, None)
        if self.random() < 0.3:
            price["images"] = [
                (*self.choice(((0, 0), (256, 256), (256, 512), (512, 256))),
                 self.randrange(4), self.nano())
                for _ in range(self.randrange(1, 5))]
        return price

    def usage(self, dims):
        density = self.choice((0.1, 0.4, 0.9))
        usage = {d: self.count() for d in dims if self.random() < density}
        usage.update(tier=self.randrange(8), speed=self.randrange(2),
                     region=self.randrange(4), image=(
                         *self.choice(((0, 0), (256, 256), (512, 256))),
                         self.randrange(4)))
        if self.random() < 0.3:
            usage["other"] = {d: self.count() for d in TEXT
                              if self.random() < 0.5}
        return usage


class Fee(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"SEED={SEED}")
        cls.calc = Calculator()
        cls.addClassCleanup(cls.calc.close)

    def both(self, price, usage, ppm, other):
        said = self.calc.fee(price, usage, ppm, other)
        fee, marked = fee_of(price, usage, ppm, other)
        if fee is None:
            expected = (UNPRICED, 0, True)
        elif fee > MOST:
            expected = (OVERFLOW, MOST, marked)
        else:
            expected = (OK, fee, marked)
        self.assertEqual(said, expected, (price, usage, ppm, other))
        return said

    def test_agrees_with_the_oracle(self):
        rng = Random(SEED)
        results = set()
        for _ in range(ROUNDS):
            price = rng.price(self.calc.fields)
            usage = rng.usage(self.calc.dims)
            ppm = rng.choice((0, 1, 10 ** 6, rng.ppm()))
            other = (rng.price(self.calc.fields) if rng.random() < 0.5
                     else None)
            results.add(self.both(price, usage, ppm, other)[0])
        self.assertEqual(results, {OK, OVERFLOW, UNPRICED})

    def test_the_comparison_can_fail(self):
        usage = {"input": 3}
        self.assertEqual(self.calc.fee({"input": 300000}, usage, 10 ** 6),
                         (OK, 1, False))
        self.assertEqual(fee_of({"input": 500000}, usage, 10 ** 6),
                         (2, False))

    def test_more_is_never_cheaper(self):
        """… but where a count begins to be charged instead of another."""
        rng = Random(SEED + 1)
        for _ in range(ROUNDS // 4):
            price = {f: rng.nano() for f in self.calc.fields[:15]}
            if rng.random() < 0.5:
                price.update(long_above=1000,
                             long_input_multiplier=1500000,
                             long_output_multiplier=2000000)
            usage = rng.usage(self.calc.dims)
            ppm = rng.ppm()
            before = self.calc.fee(price, usage, ppm, price)[1]
            dim = rng.choice(self.calc.dims)
            usage[dim] = min(usage.get(dim, 0) + rng.count(), 10 ** 9)
            after = self.calc.fee(price, usage, ppm, price)[1]
            self.assertGreaterEqual(after, before, (price, usage, ppm, dim))

    def test_parts_make_the_whole_up_to_their_roundings(self):
        rng = Random(SEED + 2)
        for _ in range(ROUNDS // 4):
            price = {f: rng.randrange(10 ** 9)
                     for f in self.calc.fields[:15]}
            whole = {d: rng.randrange(10 ** 5) for d in self.calc.dims}
            part = {d: rng.randrange(n + 1) for d, n in whole.items()}
            rest = {d: n - part[d] for d, n in whole.items()}
            ppm = rng.randrange(1, 3 * 10 ** 6)
            a, b, c = (self.calc.fee(price, u, ppm)[1]
                       for u in (whole, part, rest))
            self.assertLessEqual(abs(a - b - c), 1)


if __name__ == "__main__":
    unittest.main()
