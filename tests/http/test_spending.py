"""Caps of spending: of a day, a month and in all, by key, customer, group and
address; exact in several workers, through kills and restarts."""

import concurrent.futures
import os
import signal
import subprocess

import harness
from harness import CHAT, chat, nano

gateway = None


def setUpModule():
    global gateway
    gateway = harness.Gateway(["fast", "drip-400-20", "drip-900-2"],
                              workers=2)


def tearDownModule():
    gateway.stop()


def amount(n):
    """Nano-units as people write them."""
    return f"{n // 10**9}.{n % 10**9:09d}"


def sql(text):
    done = subprocess.run(
        ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h",
         str(gateway.folder / "state/run/pg"), "-U", "youyun_owner",
         "youyun"], input="SET search_path = youyun;\n" + text,
        capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


class Spending(harness.Case):

    def customer(self, name, scope="calls"):
        """A new customer with one key, which is known."""
        gateway.add_customer(name, credit="1000")
        key = gateway.ctl_json("key", "add", name, "--scope", scope)["key"]
        gateway.wait_for_key(key)
        return key

    def key_id(self, name):
        return str(gateway.rows("key", "list", name)[-1]["id"])

    def settled(self, name):
        """The customer's records, when all calls are in them."""
        gateway.settled(name)
        return gateway.records(name)

    def fees(self, name):
        return sum(r["fee_nano"] for r in self.settled(name))

    def one_fee(self, key, name, body=None):
        """What such a call costs, by one that is made."""
        answer = gateway.call(CHAT, body or chat("fast"), key=key)
        self.assertEqual(answer.status, 200)
        return gateway.record(answer.request_id)["fee_nano"]

    def held(self, answer):
        return nano(gateway.record(answer.request_id)["held"])

    def many(self, n, key, body=None, threads=8):
        body = body or chat("fast")
        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            return list(pool.map(
                lambda _: gateway.call(CHAT, body, key=key), range(n)))

    def wait_for(self, key, status, body=None):
        return harness.wait_until(
            lambda: (a := gateway.call(CHAT, body or chat("fast"),
                                       key=key)).status == status and a,
            f"status {status}", 20)

    def test_each_level_and_period_refuses_to_the_call(self):
        body = chat("fast", max_tokens=50)
        for index, (level, option, error) in enumerate((
                ("key", "--day", "spent_day"),
                ("key", "--month", "spent_month"),
                ("key", "--total", "spent_total"),
                ("customer", "--day", "spent_day"),
                ("customer", "--month", "spent_month"),
                ("group", "--day", "spent_day"),
                ("group", "--month", "spent_month"))):
            with self.subTest(level=level, option=option):
                name = f"level{index}"
                if level == "group":
                    gateway.ctl("group", "set", name, "--multiplier", "1.5")
                key = self.customer(name)
                if level == "group":
                    gateway.ctl("customer", "set", name, "--group", name)
                    self.settle_group(key)
                fee = self.one_fee(key, name, body)
                held = nano(self.settled(name)[-1]["held"])
                spent = sum(r["fee_nano"] for r in self.settled(name)
                            if level != "group" or r["multiplier"] == "1.5")
                # Room for ten more; the last needs what it holds.
                cap = spent + 9 * fee + held
                gateway.ctl(level, "limit", self.key_id(name)
                            if level == "key" else name, option, amount(cap))
                self.wait_for_cap(level, name)
                passed = refused = 0
                for _ in range(14):
                    answer = gateway.call(CHAT, body, key=key)
                    if answer.status == 200:
                        passed += 1
                        self.assertEqual(refused, 0)
                    else:
                        refused += 1
                        self.assertEqual(answer.status, 402)
                self.assertEqual(passed, 10)
                self.assertEqual(answer.json["error"]["code"],
                                 "insufficient_quota")
                record = gateway.record(answer.request_id)
                self.assertEqual(record["error"], error)
                self.assertEqual(record["fee_nano"], 0)
                if option == "--total":
                    self.assertNotIn("retry-after", answer.headers)
                else:
                    self.assertGreater(int(answer.headers["retry-after"]), 0)
        gateway.verify()

    def settle_group(self, key):
        """Until the workers know whose multiplier applies."""
        def moved():
            answer = gateway.call(CHAT, chat("fast"), key=key)
            record = gateway.record(answer.request_id)
            return record["multiplier"] == "1.5"
        harness.wait_until(moved, "the group")

    def wait_for_cap(self, level, name):
        """A cap is in force once a smaller one of another key would be: the
        flusher takes changes over in their order."""
        other = getattr(self, "other_key", None)
        if other is None:
            type(self).other_key = other = self.customer("other")
        number = self.key_id("other")
        gateway.ctl("key", "limit", number, "--total", "0.000000001")
        self.wait_for(other, 402)
        gateway.ctl("key", "limit", number, "--total", "0")
        self.wait_for(other, 200)

    def test_exact_in_two_workers_at_once(self):
        key = self.customer("crowd")
        body = chat("fast", max_tokens=50)
        fee = self.one_fee(key, "crowd", body)
        spent = self.fees("crowd")
        held = nano(self.settled("crowd")[-1]["held"])
        cap = spent + 29 * fee + held
        gateway.ctl("customer", "limit", "crowd", "--day", amount(cap))
        self.wait_for_cap("customer", "crowd")
        # Those that are refused while others hold may come again.
        passed = 0
        for _ in range(40):
            answers = self.many(16, key, body)
            passed += sum(a.status == 200 for a in answers)
            if all(a.status == 402 for a in answers):
                break
        self.assertEqual(passed, 30)
        self.assertLessEqual(self.fees("crowd"), cap)
        told = gateway.ctl_json("customer", "limit", "crowd")
        self.assertEqual(nano(told["spent_today"]), self.fees("crowd"))
        self.assertEqual(nano(told["day"]), cap)
        gateway.verify()

    def test_a_keys_tokens_in_all(self):
        key = self.customer("words")
        body = chat("fast", max_tokens=50)
        gateway.call(CHAT, body, key=key)
        rows = self.settled("words")
        used = sum(r["input"] + r["output"] for r in rows)
        gateway.ctl("key", "limit", self.key_id("words"), "--total-tokens",
                    str(used + 150))
        self.wait_for_cap("key", "words")
        statuses = [gateway.call(CHAT, body, key=key).status
                    for _ in range(20)]
        self.assertEqual(statuses, sorted(statuses))
        self.assertIn(200, statuses)
        self.assertIn(402, statuses)
        rows = self.settled("words")
        self.assertLessEqual(sum(r["input"] + r["output"] for r in rows),
                             used + 150)
        self.assertEqual([r["error"] for r in rows][-1], "tokens_used")

    def test_a_stream_ends_at_the_cap_and_is_charged_no_more(self):
        key = self.customer("stream")
        body = chat("drip-900-2", True)
        with gateway.stream(CHAT, body, key=key) as stream:
            self.assertIn(b"[DONE]", stream.read())
        spent = self.fees("stream")
        # The next ends in its middle.
        cap = spent + spent * 7 // 10
        gateway.ctl("customer", "limit", "stream", "--month", amount(cap))
        self.wait_for_cap("customer", "stream")
        with gateway.stream(CHAT, body, key=key) as stream:
            self.assertEqual(stream.status, 200)
            text = stream.read()
        self.assertIn(b"may be spent", text)
        rows = self.settled("stream")
        self.assertEqual(rows[-1]["error"], "stream_spent")
        self.assertGreater(rows[-1]["fee_nano"], 0)
        self.assertLessEqual(self.fees("stream"), cap)
        gateway.verify()

    def test_a_killed_workers_calls_give_back_what_they_did_not_use(self):
        key = self.customer("orphan")
        body = chat("drip-400-20", True, max_tokens=300)
        self.one_fee(key, "orphan")
        # Two such streams fit in, not three.
        with gateway.stream(CHAT, body, key=key) as stream:
            stream.read()
        held = nano(self.settled("orphan")[-1]["held"])
        spent = self.fees("orphan")
        cap = spent + 5 * held // 2
        gateway.ctl("key", "limit", self.key_id("orphan"), "--total",
                    amount(cap))
        self.wait_for_cap("key", "orphan")
        streams = [gateway.stream(CHAT, body, key=key) for _ in range(2)]
        for stream in streams:
            stream.read_until(b"data:")
        for pid in gateway.children("worker"):
            os.kill(pid, signal.SIGKILL)
        for stream in streams:
            stream.close()

        def again():
            try:
                with gateway.stream(CHAT, body, key=key) as stream:
                    return stream.status == 200 and b"DONE" in stream.read()
            except OSError:
                return False
        harness.wait_until(again, "a whole stream again", 30)
        self.assertLessEqual(self.fees("orphan"), cap)
        gateway.verify()

    def test_what_was_spent_is_known_after_a_restart(self):
        key = self.customer("kept")
        fee = self.one_fee(key, "kept")
        for _ in range(4):
            gateway.call(CHAT, chat("fast"), key=key)
        spent = self.fees("kept")
        gateway.ctl("customer", "limit", "kept", "--day",
                    amount(spent + fee // 2))
        gateway.ctl("key", "limit", self.key_id("kept"), "--total",
                    amount(spent + fee // 2))
        self.wait_for(key, 402)
        # The segment goes with it.
        gateway.terminate()
        gateway.start()
        gateway.wait_ready()
        self.assertEqual(gateway.call(CHAT, chat("fast"), key=key).status,
                         402)
        gateway.ctl("customer", "limit", "kept", "--day", "0")
        answer = gateway.call(CHAT, chat("fast"), key=key)
        self.assertEqual(answer.status, 402)
        gateway.ctl("key", "limit", self.key_id("kept"), "--total", "0")
        self.wait_for(key, 200)

    def test_yesterday_does_not_count_and_the_month_does(self):
        key = self.customer("calendar")
        fee = self.one_fee(key, "calendar")
        self.fees("calendar")
        number = gateway.ctl_json("customer", "show", "calendar")["id"]
        key_number = self.key_id("calendar")
        month = sql("SELECT month_of((now() AT TIME ZONE 'UTC')::date)")[0]
        today = sql("SELECT (now() AT TIME ZONE 'UTC')::date")[0]
        # What was spent before: a lot, on the month's first day and before.
        sql(f"""INSERT INTO usage_day SELECT {number}, d, {key_number}, 1, 1,
            1, 1, 1, 0, 1, 1, 1000000000, 0
            FROM (VALUES (date '{month}'), (date '{month}' - 1)) v(d)""")
        gateway.ctl("customer", "limit", "calendar", "--day", "0.9")
        self.wait_for_cap("customer", "calendar")
        status = gateway.call(CHAT, chat("fast"), key=key).status
        self.assertEqual(status, 402 if month == today else 200)
        gateway.ctl("customer", "limit", "calendar", "--day", "0", "--month",
                    "1.9")
        self.wait_for_cap("customer", "calendar")
        self.assertEqual(gateway.call(CHAT, chat("fast"), key=key).status,
                         200)
        gateway.ctl("customer", "limit", "calendar", "--month", "0.9")
        self.wait_for(key, 402)
        sql(f"DELETE FROM usage_day WHERE customer_id = {number}"
            " AND calls = 1 AND fee_nano = 1000000000")
        self.assertGreater(fee, 0)

    def test_a_rotated_key_goes_on_with_what_is_left(self):
        key = self.customer("rotated")
        fee = self.one_fee(key, "rotated")
        spent = self.fees("rotated")
        number = self.key_id("rotated")
        gateway.ctl("key", "limit", number, "--total",
                    amount(spent + fee // 2), "--day", "7")
        self.wait_for(key, 402)
        fresh = gateway.ctl_json("key", "rotate", number)
        told = gateway.ctl_json("key", "limit", str(fresh["id"]))
        self.assertEqual(nano(told["total"]), fee // 2)
        self.assertEqual(nano(told["day"]), 7 * 10**9)
        self.wait_for(fresh["key"], 402)

    def test_an_addresss_day(self):
        key = self.customer("addressed")
        fee = self.one_fee(key, "addressed")
        held = nano(self.settled("addressed")[-1]["held"])
        gateway.write_config(
            address_spending_per_day=amount(2 * fee + held))
        gateway.master.send_signal(signal.SIGHUP)
        try:
            answer = self.wait_for(key, 402)
            self.assertEqual(gateway.record(answer.request_id)["error"],
                             "spent_day")
        finally:
            gateway.write_config(address_spending_per_day=None)
            gateway.master.send_signal(signal.SIGHUP)
            # In the last of the former workers, too.
            harness.wait_until(
                lambda: all(a.status == 200 for a in self.many(16, key)),
                "no limit", 30)

    def test_customers_limit_their_keys(self):
        account = self.customer("owner", scope="account")
        made = gateway.call("/api/v1/keys", {"name": "small"}, key=account)
        self.assertEqual(made.status, 201)
        number, key = made.json["id"], made.json["key"]
        gateway.wait_for_key(key)
        fee = self.one_fee(key, "owner")
        path = f"/api/v1/keys/{number}/limits"
        answer = gateway.get(path, key=account)
        self.assertEqual(answer.status, 200)
        self.assertIsNone(answer.json["limits"])
        body = {"per_day": amount(fee // 2), "total_tokens": 10**9,
                "requests_per_minute": 1000}
        answer = self.patch(path, body, account)
        self.assertEqual(answer.status, 200, answer.json)
        self.assertEqual(nano(answer.json["limits"]["per_day"]), fee // 2)
        self.assertIsNone(answer.json["limits"]["per_month"])
        self.wait_for(key, 402)
        # The operator's hold as well: the lower of both.
        gateway.ctl("key", "limit", str(number), "--day", "500")
        self.wait_for(key, 402)
        answer = gateway.get(path, key=account)
        self.assertEqual(answer.json["operator_limits"]["per_day"], "500.00")
        self.assertEqual(
            nano(answer.json["spent"]["total"]),
            sum(r["fee_nano"] for r in self.settled("owner")
                if r["key_id"] == number))
        self.assertEqual(self.patch(path, {"per_day": None},
                                    account).status, 200)
        self.wait_for(key, 200)
        answer = gateway.get("/api/v1/limits", key=account)
        self.assertEqual({(k["key_id"], k["set_by"])
                          for k in answer.json["keys"]},
                         {(number, "operator"), (number, "customer")})
        for wrong, name in (({"per_day": "-1"}, "per_day"),
                            ({"per_day": 5}, "per_day"),
                            ({"total": "1.0000000001"}, "total"),
                            ({"total_tokens": -4}, "total_tokens"),
                            ({"colour": 1}, "colour")):
            answer = self.patch(path, wrong, account)
            self.assertEqual(answer.status, 400)
            self.assertEqual(answer.json["name"], name)
        other = self.customer("stranger", scope="account")
        self.assertEqual(self.patch(path, {"per_day": "1"}, other).status,
                         404)
        used = gateway.get(f"/api/v1/keys/{number}", key=account).json
        self.assertIsNotNone(used["last_used"])

    def patch(self, path, body, key):
        return gateway.call(path, body, key=key, method="PATCH")

    def test_a_low_balance_is_told_once_until_it_is_not(self):
        key = self.customer("low", scope="account")
        notices = "/api/v1/notices"

        def kinds():
            return [n["kind"] for n in
                    gateway.get(notices, key=key).json["notices"]]
        answer = self.patch("/api/v1/account", {"low_balance": "2000"}, key)
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.json["low_balance"], "2000.00")
        for _ in range(3):
            gateway.call(CHAT, chat("fast"), key=key)
        harness.wait_until(lambda: kinds().count("low_balance") == 1,
                           "the notice")
        self.settled("low")
        self.assertEqual(kinds().count("low_balance"), 1)
        gateway.ctl("credit", "low", "5000", "--key", "low-again")
        gateway.call(CHAT, chat("fast"), key=key)
        self.settled("low")
        self.patch("/api/v1/account", {"low_balance": "7000"}, key)
        gateway.call(CHAT, chat("fast"), key=key)
        harness.wait_until(lambda: kinds().count("low_balance") == 2,
                           "another notice")
        answer = self.patch("/api/v1/account", {"low_balance": "x"}, key)
        self.assertEqual(answer.status, 400)
        self.assertEqual(answer.json["name"], "low_balance")


if __name__ == "__main__":
    harness.main()
