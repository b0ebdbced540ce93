"""What a call costs, in fractions: the manual's rules told a second time, with
none of the program's arithmetic."""

import math
from fractions import Fraction

NANO = 10 ** 9
INPUTS = ("input", "cache_read", "cache_write_5m", "cache_write_1h",
          "input_audio", "input_image", "cache_read_audio")
OUTPUTS = ("output", "output_audio", "output_image")
TEXT = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
# Of a dimension that isn't tokens: its price's name, and what that is for.
UNITS = {"images": ("per_image", 1), "calls": ("per_call", 1),
         "milliseconds": ("per_minute", 60000),
         "characters": ("per_1000_characters", 1000),
         "tool_calls": ("per_tool_call", 1)}
REFINES = {"cache_write_1h": "cache_write_5m", "cache_write_5m": "input",
           "cache_read": "input", "input_audio": "input",
           "input_image": "input", "cache_read_audio": "input_audio",
           "output_audio": "output", "output_image": "output"}
AS_TOKENS = {"images": ("output_image", 6240),
             "milliseconds": ("input_audio", Fraction(32, 1000)),
             "characters": ("output_audio", 2),
             "tool_calls": ("input", 8000)}
TIERS = ("standard", "flex", "scale", "priority", "fast_tier",
         "ultrafast_tier", "batch", "other_tier")
REGIONS = ("global", "us", "eu", "other_region")


class Unpriced(Exception):
    pass


class Row:
    """A price row (a dict of what is set, in nano and ppm) and a usage."""

    def __init__(self, price, usage):
        self.price, self.usage = price, usage
        tokens = sum(usage.get(d, 0) for d in INPUTS)
        above = price.get("long_above")
        self.long = above is not None and tokens > above
        self.marked = False

    def own(self, dim):
        """Nano for one token by the dimension's own entry, or None."""
        if self.long and "long_" + dim in self.price and dim in TEXT:
            return Fraction(self.price["long_" + dim], 10 ** 6)
        if dim not in self.price:
            return None
        side = "input" if dim in INPUTS else "output"
        factor = self.price.get(f"long_{side}_multiplier", 10 ** 6)
        return (Fraction(self.price[dim], 10 ** 6) *
                (Fraction(factor, 10 ** 6) if self.long else 1))

    def token(self, dim):
        asked = dim
        while self.own(dim) is None:
            if dim not in REFINES:
                every = [self.own(d) for d in INPUTS + OUTPUTS
                         if self.own(d) is not None]
                if not every:
                    return None
                self.marked = True
                return max(every)
            dim = REFINES[dim]
        if dim != asked and asked not in TEXT:
            self.marked = True
        return self.own(dim)

    def image(self):
        """Nano for an image, and whether that is a guess."""
        width, height, quality = self.usage.get("image", (0, 0, 0))
        best, nano = 0, self.price.get("per_image")
        for w, h, q, price in self.price.get("images", []):
            sized = (w, h) != (0, 0)
            if sized and sorted((w, h)) != sorted((width, height)):
                continue
            if q not in (0, quality):
                continue
            fit = 1 + 2 * sized + (q != 0)
            if fit > best:
                best, nano = fit, price
        if nano is not None:
            return nano, False
        every = [i[3] for i in self.price.get("images", [])]
        return (max(every), True) if every else (None, False)

    def unit(self, dim):
        if dim == "images":
            nano, guess = self.image()
        else:
            nano, guess = self.price.get(UNITS[dim][0]), False
        if nano is None:
            return None, False
        return Fraction(nano, UNITS[dim][1]), guess

    def charged(self, dims):
        return any(self.usage.get(d) and self.unit(d)[0] is not None
                   for d in dims)

    def line(self, dim):
        count = self.usage[dim]
        measures = ("images", "milliseconds", "characters")
        has_tokens = any(d in self.price for d in INPUTS + OUTPUTS)
        if dim not in UNITS:
            if has_tokens:
                return count * self.token(dim)
            if self.charged(measures + ("calls",)):
                return 0
            raise Unpriced
        nano, guess = self.unit(dim)
        if nano is not None:
            self.marked |= guess
            return count * nano
        if dim == "calls":
            return 0
        if dim in measures and (
                (has_tokens and any(self.usage.get(d)
                                    for d in INPUTS + OUTPUTS)) or
                self.charged(measures + ("calls",))):
            return 0
        if not has_tokens:
            raise Unpriced
        self.marked = True
        target, each = AS_TOKENS[dim]
        return math.ceil(count * each) * self.token(target)

    def total(self):
        """Nano before the minimum and the group's multiplier."""
        if self.price.get("free"):
            return Fraction(0)
        served = flat = Fraction(0)
        for dim in (*INPUTS, *OUTPUTS, *UNITS):
            if not self.usage.get(dim):
                continue
            if dim in ("calls", "tool_calls"):
                flat += self.line(dim)
            else:
                served += self.line(dim)
        for kind, names in (("tier", TIERS), ("region", REGIONS),
                            ("speed", ("normal", "fast"))):
            name = names[self.usage.get(kind, 0)]
            served *= Fraction(self.price.get(f"{name}_multiplier", 10 ** 6),
                               10 ** 6)
        return served + flat


def fee_of(price, usage, ppm, other=None):
    """(nano, marked); nano None: it can't be priced.  usage["other"]: the
    counts of another model's part, `other` its row."""
    row = Row(price, usage)
    part = {d: n for d, n in usage.get("other", {}).items() if n}
    used = part or any(usage.get(d) for d in (*INPUTS, *OUTPUTS, *UNITS))
    unpriced, total, marked = False, Fraction(0), False
    try:
        total += row.total()
    except Unpriced:
        unpriced = True
    if part:
        part.update({k: usage.get(k, 0) for k in ("tier", "region", "speed")})
        second = Row(price if other is None else other, part)
        try:
            total += second.total()
        except Unpriced:
            unpriced = True
        marked |= second.marked or other is None
    if unpriced:
        return None, True
    minimum = 0 if price.get("free") else price.get("minimum", 0)
    if used:
        total = max(total, minimum)
    return round(total * Fraction(ppm, 10 ** 6)), marked or row.marked
