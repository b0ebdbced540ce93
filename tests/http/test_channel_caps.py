"""What may go through a channel: tokens a minute, money a day and a month, to
the call in two workers; above it calls go elsewhere."""

import collections
import concurrent.futures
import os
import signal
import time

import harness
from channels import Channels
from harness import CHAT, chat, nano

gateway = None
channels = None


def setUpModule():
    global gateway, channels
    gateway = harness.Gateway(["fast"], workers=2,
                              settings={"retry_percent": 1000})
    channels = Channels(gateway)


def tearDownModule():
    gateway.stop()


def amount(n):
    return f"{n // 10**9}.{n % 10**9:09d}"


class Caps(harness.Case):

    def customer(self, name):
        gateway.add_customer(name, credit="1000")
        key = gateway.ctl_json("key", "add", name)["key"]
        gateway.wait_for_key(key)
        self.name = name
        return key

    def records(self):
        gateway.settled(self.name)
        return gateway.records(self.name)

    def used(self):
        return collections.Counter(
            r["channel"] for r in self.records() if r["status"] == 200)

    def many(self, n, key, body, threads=8):
        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            return [a.status for a in pool.map(
                lambda _: gateway.call(CHAT, body, key=key), range(n))]

    def in_force(self, key, body, channel):
        """The cap was just set: until calls show that it holds, by going
        elsewhere."""
        harness.wait_until(
            lambda: gateway.call(CHAT, body, key=key).status and
            self.records()[-1]["channel"] == channel, "the cap to hold", 20)

    def set(self, name, option, value):
        gateway.ctl("channel", "set", name, option, value)
        time.sleep(0.5)

    def measured(self, name, *upstreams):
        key = self.customer(name)
        model, names = channels.route(*upstreams)
        body = chat(model, max_tokens=50)
        self.assertEqual(gateway.call(CHAT, body, key=key).status, 200)
        first = self.records()[-1]
        return key, body, names, first["fee_nano"], nano(first["held"])

    def test_money_of_a_day_to_the_call_and_then_elsewhere(self):
        for option in ("--max-per-day", "--max-per-month"):
            with self.subTest(option=option):
                key, body, (first, second), fee, held = self.measured(
                    "day" + option[10:], "fast", "fast")
                # Room for eleven more; the last needs what it holds.
                self.set(first, option, amount(11 * fee + held))
                self.assertEqual(set(self.many(30, key, body)), {200})
                used = self.used()
                # Calls at once hold more than they come to, so fewer may
                # pass; those that are left pass one by one.
                self.assertLessEqual(used[first], 12)
                for _ in range(14):
                    gateway.call(CHAT, body, key=key)
                used = self.used()
                self.assertEqual(used[first], 12)
                self.assertEqual(used[second], 31 + 14 - 12)
                shown = gateway.ctl_json("channel", "show", first)
                self.assertEqual(nano(shown["max" + option[5:].replace(
                    "-", "_")]), 11 * fee + held)

    def test_without_another_channel_it_is_a_429_until_the_day_is_over(self):
        key, body, (only,), fee, held = self.measured("alone", "fast")
        self.set(only, "--max-per-day", amount(fee))
        answer = gateway.call(CHAT, body, key=key)
        self.assert_openai_error(answer, 429)
        left = 86400 - time.time() % 86400
        self.assertAlmostEqual(int(answer.headers["retry-after"]), left,
                               delta=20)
        self.set(only, "--max-per-day", "0")
        self.assertEqual(gateway.call(CHAT, body, key=key).status, 200)
        gateway.verify()

    def test_tokens_of_a_minute(self):
        key, body, (first, second), _, _ = self.measured(
            "tokens", "fast", "fast")
        self.set(first, "--max-tokens-per-minute", "200")
        for _ in range(12):
            self.assertEqual(gateway.call(CHAT, body, key=key).status, 200)
        used = self.used()
        self.assertGreater(used[first], 1)
        self.assertGreater(used[second], 1)

    def test_one_channels_money_and_anothers_tokens(self):
        """The client is told of the earlier."""
        key, body, (first, second), fee, _ = self.measured(
            "both", "fast", "fast")
        self.set(first, "--max-per-day", amount(fee))
        self.set(second, "--max-tokens-per-minute", "200")
        answers = [gateway.call(CHAT, body, key=key) for _ in range(30)]
        statuses = [a.status for a in answers]
        self.assertEqual(set(statuses), {200, 429})
        self.assertEqual(statuses[0], 200)
        self.assertEqual(self.used()[first], 1)
        self.assertEqual(self.used()[second], statuses.count(200))
        for answer in answers:
            if answer.status == 429:
                self.assertLessEqual(int(answer.headers["retry-after"]), 61)

    def test_what_a_channel_did_not_deliver_is_given_back(self):
        key = self.customer("failing")
        model, (bad, good) = channels.route("status-500", "fast")
        body = chat(model, max_tokens=50)
        gateway.call(CHAT, body, key=key)
        held = nano(self.records()[-1]["held"])
        self.set(bad, "--max-per-day", amount(held))
        self.set(good, "--max-per-day", amount(100 * held))
        before = len(channels.seen())
        for _ in range(3):
            self.assertEqual(gateway.call(CHAT, body, key=key).status, 200)
        tried = channels.seen()[before:].count("status-500")
        self.assertGreaterEqual(tried, 1)
        self.assertEqual(self.used(), {good: 4})
        gateway.settled(self.name)
        # All that the bad one took is there again.
        gateway.ctl("channel", "reset", bad)
        time.sleep(0.5)
        before = len(channels.seen())
        gateway.call(CHAT, body, key=key)
        self.assertIn("status-500", channels.seen()[before:])

    def test_a_stream_goes_on_when_its_channel_has_spent_all(self):
        key = self.customer("stream")
        model, (only,) = channels.route("long-3000")
        body = chat(model, stream=True)
        with gateway.stream(CHAT, body, key=key) as stream:
            whole = len(stream.read())
        first = self.records()[-1]
        self.set(only, "--max-per-day", amount(
            first["fee_nano"] + first["fee_nano"] // 2))
        with gateway.stream(CHAT, body, key=key) as stream:
            if stream.status == 200:
                self.assertGreater(len(stream.read()), whole * 9 // 10)
                self.assertIn(b"[DONE]", stream.data)
            else:
                self.fail("the first hold was taken for all of it")
        self.records()
        self.assertEqual(gateway.call(CHAT, body, key=key).status, 429)

    def test_a_killed_workers_part_comes_back(self):
        key = self.customer("killed")
        model, (only,) = channels.route("drip-400-20")
        body = chat(model, stream=True, max_tokens=50)
        gateway.call(CHAT, chat(model, max_tokens=5), key=key)
        self.records()
        self.set(only, "--max-per-day", "1")
        streams = [gateway.stream(CHAT, body, key=key) for _ in range(4)]
        for stream in streams:
            self.assertTrue(stream.read_until(b"data:"))
        for pid in gateway.children("worker"):
            os.kill(pid, signal.SIGKILL)
        for stream in streams:
            stream.close()
        gateway.settled(self.name)
        spent = sum(r["fee_nano"] for r in gateway.records(self.name))
        self.set(only, "--max-per-day", amount(spent))
        harness.wait_until(
            lambda: gateway.call(CHAT, body, key=key).status == 429,
            "all to be spent", 20)
        # Not a nano more than that: one call's hold above it and it passes.
        self.set(only, "--max-per-day", amount(spent + 10**9))
        self.assertEqual(gateway.call(CHAT, body, key=key).status, 200)

    def test_zz_what_was_spent_is_known_after_a_restart(self):
        key, body, (only,), fee, held = self.measured("restart", "fast")
        self.set(only, "--max-per-day", amount(fee + held))
        self.assertEqual(gateway.call(CHAT, body, key=key).status, 200)
        self.assertEqual(gateway.call(CHAT, body, key=key).status, 429)
        self.records()
        gateway.terminate()
        gateway.start()
        harness.wait_until(
            lambda: gateway.call(CHAT, body, key=key).status == 429,
            "the cap to hold again", 20)
        gateway.verify()

    def test_bad_amounts_are_refused_by_name(self):
        _, (name,) = channels.route("fast")
        for option, value in (("--max-per-day", "-1"),
                              ("--max-per-month", "much"),
                              ("--max-tokens-per-minute", "1e9")):
            with self.assertRaises(AssertionError) as told:
                gateway.ctl("channel", "set", name, option, value)
            self.assertIn(option, str(told.exception))


if __name__ == "__main__":
    harness.main()
