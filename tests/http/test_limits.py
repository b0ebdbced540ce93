"""Limits: requests and tokens a minute, calls at once; exact to the call in
several workers, and free for whoever is refused."""

import concurrent.futures
import json
import os
import signal
import time

import harness
from harness import CHAT, MESSAGES, chat, message

gateway = None
GEMINI = "/v1beta/models/{}:generateContent"


def setUpModule():
    global gateway
    gateway = harness.Gateway(["fast", "drip-400-50", "long-400"], workers=2)


def tearDownModule():
    gateway.stop()


class Limits(harness.Case):

    def customer(self, name, *limits):
        """A new customer; returns its key."""
        gateway.add_customer(name, credit="1000")
        if limits:
            gateway.ctl("customer", "limit", name, *limits)
        key = gateway.add_key(name)
        gateway.wait_for_key(key)
        return key

    def key_id(self, name):
        return gateway.rows("key", "list", name)[-1]["id"]

    def settle(self, fetch, wanted):
        harness.wait_until(lambda: fetch() == wanted, f"{wanted}")

    def many(self, n, key, path=CHAT, body=None, threads=8):
        """n calls over several connections; their answers."""
        body = body or chat("fast")
        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            return list(pool.map(
                lambda _: gateway.call(path, body, key=key), range(n)))

    def statuses(self, answers):
        return sorted(a.status for a in answers)

    def test_requests_are_exact_and_refusals_cost_nothing(self):
        key = self.customer("many", "--requests", "20")
        began = time.monotonic()
        answers = self.many(60, key)
        passed = [a for a in answers if a.status == 200]
        refused = [a for a in answers if a.status == 429]
        self.assertEqual(len(passed) + len(refused), 60)
        # wait_for_key() may have used some, and some grow back.
        grown = int((time.monotonic() - began) / 3) + 1
        self.assertLessEqual(len(passed), 20 + grown)
        self.assertGreaterEqual(len(passed), 18)
        for answer in refused:
            self.assertIn("limit is 20 per minute",
                          answer.json["error"]["message"])
            self.assertIn(int(answer.headers["retry-after"]), (1, 2, 3))
        record = gateway.record(refused[0].request_id)
        self.assertEqual(record["status"], 429)
        self.assertEqual(record["error"], "rate_requests")
        self.assertEqual(record["fee_nano"], 0)
        gateway.verify()

    def test_who_waits_as_told_gets_through(self):
        key = self.customer("patient", "--requests", "30")
        refused = None
        for _ in range(40):
            answer = gateway.call(CHAT, chat("fast"), key=key)
            if answer.status == 429:
                refused = answer
                break
        self.assertIsNotNone(refused)
        time.sleep(int(refused.headers["retry-after"]))
        self.assertEqual(gateway.call(CHAT, chat("fast"), key=key).status,
                         200)

    def test_each_level_refuses_and_changes_live(self):
        key = self.customer("levels")
        for words in (("key", "limit", self.key_id("levels")),
                      ("customer", "limit", "levels"),
                      ("group", "limit", "default"),
                      ("group", "limit", "default", "--each")):
            with self.subTest(words=words):
                gateway.ctl(*words, "--requests", "1")
                harness.wait_until(
                    lambda: 429 in self.statuses(self.many(3, key)),
                    "the limit to hold")
                told = gateway.ctl_json(*words)
                self.assertEqual(told["requests"], 1)
                self.assertIsNone(told["tokens"])
                gateway.ctl(*words, "--requests", "0")
                harness.wait_until(
                    lambda: self.statuses(self.many(3, key)) == [200] * 3,
                    "the limit to be gone")

    def test_calls_at_once_are_exact(self):
        key = self.customer("crowd", "--concurrent", "3")
        streams = []
        try:
            for _ in range(3):
                stream = gateway.stream(CHAT, chat("drip-400-50", True),
                                        key=key)
                self.assertEqual(stream.status, 200)
                stream.read_until(b"data:")
                streams.append(stream)
            for answer in self.many(20, key):
                self.assertEqual(answer.status, 429)
                self.assertIn("Too many calls at once: the limit is 3",
                              answer.json["error"]["message"])
                self.assertEqual(answer.headers["retry-after"], "1")
            streams.pop().close()
            harness.wait_until(
                lambda: gateway.call(CHAT, chat("fast"),
                                     key=key).status == 200, "room")
        finally:
            for stream in streams:
                stream.close()
        record = gateway.record(answer.request_id)
        self.assertEqual(record["error"], "rate_concurrent")
        self.assertEqual(record["fee_nano"], 0)

    def test_a_killed_workers_calls_free_themselves(self):
        key = self.customer("orphan", "--concurrent", "4")
        streams = [gateway.stream(CHAT, chat("drip-400-50", True), key=key)
                   for _ in range(4)]
        for stream in streams:
            stream.read_until(b"data:")
        self.assertEqual(gateway.call(CHAT, chat("fast"), key=key).status,
                         429)
        for pid in gateway.children("worker"):
            os.kill(pid, signal.SIGKILL)

        def all_four():
            fresh = []
            try:
                for _ in range(4):
                    fresh.append(gateway.stream(
                        CHAT, chat("drip-400-50", True), key=key))
                return all(s.status == 200 for s in fresh)
            except OSError:
                return False
            finally:
                for s in fresh:
                    s.close()
        harness.wait_until(all_four, "four calls at once again", 30)
        for stream in streams:
            stream.close()
        gateway.verify()

    def test_tokens_are_charged_as_used(self):
        key = self.customer("words", "--tokens", "2000")
        answer = gateway.call(CHAT, chat("fast", max_tokens=1500), key=key)
        self.assertEqual(answer.status, 200)
        used = 27 + len(json.dumps(chat("fast", max_tokens=1500))) // 4
        after = gateway.call(CHAT, chat("fast", max_tokens=10), key=key)
        left = int(after.headers["x-ratelimit-remaining-tokens"])
        # What was held for and not used is there again.
        self.assertGreater(left, 2000 - 2 * used - 200)
        answers = [gateway.call(CHAT, chat("fast", max_tokens=1500), key=key)
                   for _ in range(60)]
        refused = [a for a in answers if a.status == 429]
        self.assertTrue(refused)
        self.assertIn("Too many tokens", refused[0].json["error"]["message"])

    def test_each_protocols_own_headers(self):
        key = self.customer("headers", "--requests", "100", "--tokens",
                            "50000")
        answer = gateway.call(CHAT, chat("fast"), key=key)
        self.assertEqual(answer.headers["x-ratelimit-limit-requests"], "100")
        self.assertEqual(answer.headers["x-ratelimit-limit-tokens"], "50000")
        first = int(answer.headers["x-ratelimit-remaining-requests"])
        self.assertRegex(answer.headers["x-ratelimit-reset-requests"],
                         r"^(\d+m\d+s|\d+\.\d{3}s|\d+ms)$")
        answer = gateway.call(MESSAGES, message("fast"), key=key)
        self.assertEqual(answer.status, 200)
        self.assertNotIn("x-ratelimit-limit-requests", answer.headers)
        left = int(answer.headers["anthropic-ratelimit-requests-remaining"])
        self.assertIn(left, (first - 1, first))
        self.assertEqual(
            answer.headers["anthropic-ratelimit-requests-limit"], "100")
        self.assertRegex(
            answer.headers["anthropic-ratelimit-tokens-reset"],
            r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        with gateway.stream(CHAT, chat("fast", True), key=key) as stream:
            self.assertIn("x-ratelimit-remaining-tokens", stream.headers)
            stream.read()
        unlimited = self.customer("free")
        answer = gateway.call(CHAT, chat("fast"), key=unlimited)
        self.assertFalse([h for h in answer.headers if "ratelimit" in h])

    def test_googles_clients_are_told_in_the_body(self):
        key = self.customer("google", "--requests", "1")
        body = {"contents": [{"parts": [{"text": "Hi"}]}]}
        for _ in range(5):
            answer = gateway.call(GEMINI.format("fast"), body,
                                  headers={"x-goog-api-key": key}, key=None)
            if answer.status == 429:
                break
        self.assertEqual(answer.status, 429)
        detail, = answer.json["error"]["details"]
        self.assertEqual(detail["@type"],
                         "type.googleapis.com/google.rpc.RetryInfo")
        self.assertEqual(detail["retryDelay"],
                         answer.headers["retry-after"] + "s")


class WrongKeys(harness.Case):

    def test_who_guesses_keys_is_stopped_and_nobody_else(self):
        key = gateway.key
        gateway.write_config(address_failures_per_minute=20)
        gateway.master.send_signal(signal.SIGHUP)
        wrong = "sk-" + "x" * 40

        def refused():
            answer = gateway.call(CHAT, chat("fast"), key=wrong)
            return answer if answer.status == 429 else None
        try:
            answer = harness.wait_until(refused, "the limit", 30)
            self.assertIn("20 per minute are allowed",
                          answer.json["error"]["message"])
            self.assertIn(int(answer.headers["retry-after"]), (1, 2, 3))
            # In the last of the former workers, too.
            harness.wait_until(
                lambda: [gateway.call(CHAT, chat("fast"), key=wrong).status
                         for _ in range(12)].count(429) >= 11,
                "the limit in both", 30)
            # No key at all is no way around; a right one is served.
            self.assertEqual(gateway.call(CHAT, chat("fast"),
                                          key=None).status, 429)
            for _ in range(5):
                self.assertEqual(gateway.call(CHAT, chat("fast"),
                                              key=key).status, 200)
            time.sleep(int(answer.headers["retry-after"]) + 3)
            answers = [gateway.call(CHAT, chat("fast"), key=wrong)
                       for _ in range(40)]
            known = [a for a in answers if a.status == 401]
            unseen = [a for a in answers if a.status == 429]
            self.assertGreater(len(known), 0)
            self.assertGreater(len(unseen), 20)
            self.assertEqual(gateway.record(known[0].request_id)["error"],
                             "bad_key")
            gateway.settled()
            for a in unseen:
                self.assertEqual(
                    gateway.rows("calls", "--request", a.request_id), [])
        finally:
            gateway.write_config(address_failures_per_minute=None)
            gateway.master.send_signal(signal.SIGHUP)


class Address(harness.Case):

    def test_one_addresss_calls_with_any_key(self):
        gateway.write_config(address_requests_per_minute=5)
        gateway.master.send_signal(signal.SIGHUP)

        def refused():
            answer = gateway.call(CHAT, chat("fast"))
            return answer if answer.status == 429 else None
        try:
            answer = harness.wait_until(refused, "the address's limit", 30)
            self.assertIn("limit is 5 per minute",
                          answer.json["error"]["message"])
        finally:
            gateway.write_config(address_requests_per_minute=None)
            gateway.master.send_signal(signal.SIGHUP)
            harness.wait_until(
                lambda: gateway.call(CHAT, chat("fast")).status == 200,
                "no limit", 30)

    def test_one_addresss_tokens(self):
        gateway.write_config(address_tokens_per_minute=200)
        gateway.master.send_signal(signal.SIGHUP)

        def refused():
            answer = gateway.call(CHAT, chat("fast", max_tokens=50))
            return answer if answer.status == 429 else None
        try:
            answer = harness.wait_until(refused, "the address's limit", 30)
            self.assertIn("200", answer.json["error"]["message"])
        finally:
            gateway.write_config(address_tokens_per_minute=None)
            gateway.master.send_signal(signal.SIGHUP)
            harness.wait_until(
                lambda: gateway.call(CHAT, chat("fast")).status == 200,
                "no limit", 30)


if __name__ == "__main__":
    harness.main()
