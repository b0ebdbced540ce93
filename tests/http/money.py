"""The arithmetic of a bill, done again in Python's integers."""

# Currency per million tokens: primes, so that fees need rounding.
PRICES = {
    "input": "2.500000007",
    "output": "10.000000019",
    "cache-read": "0.250000001",
    "cache-write-5m": "3.125000003",
    "cache-write-1h": "5.000000011",
}


def nano(amount):
    """Decimal currency text to nano-units, exactly."""
    whole, _, part = amount.partition(".")
    sign = -1 if whole.startswith("-") else 1
    return int(whole) * 10**9 + sign * int((part + "0" * 9)[:9])


def fee_of(counts, prices=None, multiplier_ppm=10**6):
    """The fee in nano-units: sum of tokens times price, times multiplier,
    rounded half to even once.  The arithmetic of the bill, done again."""
    prices = PRICES if prices is None else prices
    total = sum(n * nano(prices[name]) for name, n in counts.items() if n)
    fee, rest = divmod(total * multiplier_ppm, 10**12)
    if rest * 2 > 10**12 or (rest * 2 == 10**12 and fee % 2 == 1):
        fee += 1
    return fee
