"""Lists cost what they show: no list of youyunctl or of the customers' API
goes through a large table, sorts more than its page, or reads more than a
small multiple of it.  The statements are those that the programs send, and
the plans those that were run, from the server's log; they are printed."""

import unittest

import harness
from lists import Lists, Statement, called, cases

PAGE = 50
# A customer in a list has ten keys, two pots, a lease; a page asks for one
# row more.
READ_MOST = 40 * PAGE
# What an API's page with filters looks at, twice: how far, and for what.
SCANNED = 2000
FILTERED_MOST = 2 * SCANNED + READ_MOST
SORTED_MOST = 4 * PAGE
# Tables that don't grow with customers and calls.
SMALL = 1000

gateway = None


def setUpModule():
    global gateway
    gateway = Lists({"customers": 2000, "keys": 20000, "calls": 100000,
                     "days": 30})


def tearDownModule():
    gateway.stop()


def faults(statement, most=READ_MOST, sorted_most=SORTED_MOST):
    found = [f"reads all of {table}, {rows} rows"
             for table, rows in statement.scanned() if rows > SMALL]
    if statement.sorted() > sorted_most:
        found.append(f"sorts {statement.sorted()} rows")
    if statement.read() > most:
        found.append(f"reads {statement.read()} rows")
    return found


class Plans(harness.Case):
    def test_every_list(self):
        for words in cases(gateway.middle()):
            with self.subTest(list=called(words)):
                filtered = isinstance(words, str) and "calls?" in words
                _, statements = gateway.ask(words)
                self.assertTrue(statements)
                print(f"\n{called(words)}", flush=True)
                for s in statements:
                    print(f"  {s.role}: {s.read()} rows read, "
                          f"{s.ms:.2f} ms\n{s.drawn()}")
                for s in statements:
                    found = faults(s, FILTERED_MOST, SCANNED) \
                        if filtered else faults(s)
                    self.assertEqual(found, [], f"{s.text}\n{s.drawn()}")

    def test_a_bad_plan_is_one(self):
        """What the test is for, it finds."""
        gateway.psql("""ALTER ROLE youyun_admin SET enable_indexscan = off;
            ALTER ROLE youyun_admin SET enable_bitmapscan = off;
            ALTER ROLE youyun_admin SET enable_indexonlyscan = off;""")
        try:
            for words in ("key list test", "audit list", "call list"):
                _, statements = gateway.ask(words.split())
                self.assertTrue(any(faults(s)
                                    for s in statements), words)
        finally:
            gateway.psql("ALTER ROLE youyun_admin RESET enable_indexscan;"
                         "ALTER ROLE youyun_admin RESET enable_bitmapscan;"
                         "ALTER ROLE youyun_admin RESET enable_indexonlyscan")

    def test_filtered_calls_are_all_found(self):
        for filters, where in (("status=500", "status = 500"),
                               ("status=418", "false"),
                               ("model=fast", "true")):
            found, cursor, pages = [], "", 0
            while cursor is not None and pages < 200:
                answer, _ = gateway.ask(
                    f"/api/v1/calls?limit=200&{filters}" +
                    (f"&cursor={cursor}" if cursor else ""))
                found += [c["request_id"] for c in answer["calls"]]
                cursor, pages = answer["next"], pages + 1
            self.assertIsNone(cursor)
            (row,) = gateway.psql(
                "SELECT count(*) FROM youyun.call WHERE customer_id ="
                " (SELECT id FROM youyun.customer WHERE name = 'test')"
                f" AND {where}")
            self.assertEqual(len(set(found)), len(found))
            self.assertEqual(len(found), int(row[0]))
        self.assertGreater(len(found), 5000)


if __name__ == "__main__":
    harness.main()
