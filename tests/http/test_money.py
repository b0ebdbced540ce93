"""Money: every fee computed again here, to the nano, and no balance below
zero."""

import json
import threading

import harness
from harness import CHAT, MESSAGES, chat, events, fee_of, message, nano

MODELS = ["fast", "bytes1", "cached-1000", "cache-write", "no-usage",
          "usage-null", "negative-usage", "absurd-usage",
          "usage-every-chunk", "usage-on-choices-chunk", "long-400",
          "long-20000", "over-5000", "cut-before-head", "reset",
          "status-429", "status-500", "never", "cut-mid-stream", "drip-40-50",
          "usage-first-frame", "usage-shrinking", "usage-after-the-end",
          "usage-1e308", "usage-2-to-63", "usage-2-to-64", "usage-strings",
          "usage-floats", "usage-fractions", "usage-zeros", "usage-nulls",
          "usage-in-error", "empty-body", "over-900"]
BOTH = ((CHAT, chat), (MESSAGES, message))
MULTIPLIER_PPM = 1_337_000
WORDS = 27		# of the peer's demonstration sentence

gateway = None


def setUpModule():
    global gateway
    gateway = harness.Gateway(
        MODELS, multiplier="1.337", settings={
            "upstream_first_byte_timeout": "1s",
            "stream_extend_tokens": 64, "default_max_tokens": 2000})


def tearDownModule():
    gateway.stop()


def call(path, make, model, stream=False, key="", **more):
    """One call; returns (status, request id, body)."""
    with gateway.stream(path, make(model, stream, **more), key=key) as answer:
        data = answer.read()
        return answer.status, answer.headers["x-request-id"], data


def bill(record):
    """What the record's own counts must cost."""
    names = {"input": "input", "output": "output",
             "cache_read": "cache-read", "cache_write_5m": "cache-write-5m",
             "cache_write_1h": "cache-write-1h"}
    return fee_of({price: record["usage"].get(dim, 0)
                   for dim, price in names.items()},
                  multiplier_ppm=MULTIPLIER_PPM)


class Arithmetic(harness.Case):

    def check(self, path, make, model, stream, usage, **more):
        before = gateway.settled()
        status, request_id, _ = call(path, make, model, stream, **more)
        self.assertEqual(status, 200)
        record = gateway.record(request_id)
        sent = gateway.upstream.requests()[-1]
        counted = {k: v for k, v in record["usage"].items() if v}
        expected = {"input": sent["bytes"] // 4, "output": WORDS} | usage
        self.assertEqual(counted, {k: v for k, v in expected.items() if v})
        self.assertEqual(record["fee_nano"], bill(record))
        self.assertEqual(record["model"], model)
        after = gateway.settled()
        self.assertEqual(before - after, bill(record))

    def test_fee_of_plain_and_cached_usage(self):
        for path, make in BOTH:
            for stream in (False, True):
                for model, usage in (
                        ("fast", {}), ("bytes1", {}),
                        ("cached-1000", {"cache_read": 1000})):
                    with self.subTest(path=path, model=model, stream=stream):
                        self.check(path, make, model, stream, usage)

    def test_fee_of_cache_writes(self):
        # The upstream writes more to its cache than so short a body holds
        # money for; an unstreamed call holds for max_tokens too.
        self.check(MESSAGES, message, "cache-write", False,
                   {"cache_write_5m": 1000, "cache_write_1h": 300},
                   max_tokens=2000)
        # OpenAI's spelling does not tell the two apart
        self.check(CHAT, chat, "cache-write", False,
                   {"cache_write_5m": 1300}, max_tokens=2000)

    def test_no_more_is_charged_than_was_held(self):
        for path, make in BOTH:
            before = gateway.settled()
            _, request_id, _ = call(path, make, "cache-write", False,
                                    max_tokens=10)
            record = gateway.record(request_id)
            self.assertEqual(record["fee_nano"], nano(record["held"]))
            self.assertGreater(nano(record["uncollected"]), 0)
            self.assertEqual(
                record["fee_nano"] + nano(record["uncollected"]),
                bill(record))
            self.assertEqual(before - gateway.settled(),
                             record["fee_nano"])

    def test_the_bill_shows_the_same(self):
        for path, make in BOTH:
            _, request_id, _ = call(path, make, "cached-1000", True)
            record = gateway.record(request_id)
            told = gateway.ctl_json("bill", request_id)
            self.assertIs(told["agrees"], True)
            self.assertEqual(nano(told["fee"]), bill(record))
            self.assertEqual(nano(told["charged"]), bill(record))

    def test_usage_is_read_from_any_frame(self):
        for model in ("usage-every-chunk", "usage-on-choices-chunk"):
            self.check(CHAT, chat, model, True, {})

    def test_harness_rounds_half_to_even(self):
        prices = {"input": "1"}	# 1000 nano a token
        for ppm, fee in ((500, 0), (1500, 2), (2500, 2), (2501, 3), (499, 0)):
            self.assertEqual(fee_of({"input": 1}, prices, ppm), fee)


class StrangeUsage(harness.Case):

    def test_missing_usage_is_never_free(self):
        for path, make in BOTH:
            for model in ("no-usage", "usage-null"):
                for stream in (False, True):
                    with self.subTest(path=path, model=model, stream=stream):
                        before = gateway.settled()
                        status, request_id, _ = call(path, make, model,
                                                     stream)
                        self.assertEqual(status, 200)
                        record = gateway.record(request_id)
                        self.assertGreater(record["fee_nano"], 0)
                        self.assertEqual(record["fee_nano"], bill(record))
                        self.assertEqual(
                            before - gateway.settled(),
                            record["fee_nano"])

    def test_impossible_usage_is_clamped(self):
        for path, make in BOTH:
            for stream in (False, True):
                with self.subTest(path=path, stream=stream):
                    before = gateway.settled()
                    status, request_id, _ = call(path, make, "absurd-usage",
                                                 stream, max_tokens=100)
                    self.assertEqual(status, 200)
                    record = gateway.record(request_id)
                    fee = record["fee_nano"]
                    self.assertGreater(fee, 0)
                    self.assertLess(fee, nano("1"))
                    self.assertEqual(
                        before - gateway.settled(), fee)

    def strange(self, path, make, model, stream, status=200):
        """One such call's record: paid for exactly, never below nothing."""
        before = gateway.settled()
        answered, request_id, _ = call(path, make, model, stream,
                                       max_tokens=500)
        self.assertEqual(answered, status)
        record = gateway.record(request_id)
        self.assertEqual(before - gateway.settled(), record["fee_nano"])
        self.assertGreaterEqual(record["fee_nano"], 0)
        self.assertEqual(record["fee_nano"] + nano(record["uncollected"]),
                         bill(record))
        return record

    def every_way(self, *models):
        for model in models:
            for path, make in BOTH:
                for stream in (False, True):
                    with self.subTest(path=path, model=model, stream=stream):
                        yield self.strange(path, make, model, stream)

    def test_negative_usage_is_estimated(self):
        # the negative counts are the true ones with a sign
        for record in self.every_way("negative-usage"):
            self.assertIn("clamped", record["flags"])
            self.assertIn("estimated", record["flags"])
            self.assertGreater(record["usage"]["input"], 0)
            self.assertGreaterEqual(record["usage"]["output"], WORDS)

    def test_usage_that_states_nothing_is_estimated(self):
        for record in self.every_way("usage-strings", "usage-zeros",
                                     "usage-nulls"):
            self.assertIn("estimated", record["flags"])
            self.assertGreater(record["usage"]["input"], 0)
            self.assertGreaterEqual(record["usage"]["output"], WORDS)

    def test_huge_usage_is_clamped(self):
        for record in self.every_way("usage-1e308", "usage-2-to-63",
                                     "usage-2-to-64"):
            self.assertIn("clamped", record["flags"])
            self.assertEqual(record["usage"]["output"], 500)
            self.assertEqual(record["fee_nano"], nano(record["held"]))

    def test_floats_are_counts_and_fractions_are_rounded_up(self):
        for record in self.every_way("usage-floats", "usage-fractions"):
            self.assertEqual((record["usage"]["input"],
                              record["usage"]["output"]), (12, WORDS))
            self.assertEqual("clamped" in (record["flags"] or ""),
                             record["model"] == "usage-fractions")

    def test_usage_that_shrinks_is_not_believed(self):
        for path, make in BOTH:
            record = self.strange(path, make, "usage-shrinking", True)
            self.assertEqual(record["usage"]["output"], WORDS)
            self.assertIn("clamped", record["flags"])

    def test_usage_of_the_first_frame_alone_knows_no_output(self):
        for path, make in BOTH:
            record = self.strange(path, make, "usage-first-frame", True)
            self.assertGreaterEqual(record["usage"]["output"], WORDS)
            self.assertIn("estimated", record["flags"])

    def test_usage_after_the_end_comes_too_late(self):
        for path, make in BOTH:
            record = self.strange(path, make, "usage-after-the-end", True)
            self.assertGreaterEqual(record["usage"]["output"], WORDS)
            self.assertIn("estimated", record["flags"])

    def test_usage_beside_an_error_is_neither_charged_nor_paid(self):
        for path, make in BOTH:
            for stream in (False, True):
                record = self.strange(path, make, "usage-in-error", stream,
                                      400)
                self.assertEqual(record["fee_nano"], 0)

    def test_an_empty_answer_costs_what_was_sent(self):
        for record in self.every_way("empty-body"):
            self.assertIn("estimated", record["flags"])
            self.assertGreater(record["usage"]["input"], 0)
            self.assertEqual(record["usage"]["output"], 0)

    def test_more_output_than_was_asked_for_is_what_passed_at_most(self):
        # 900 words are said, which is what passes
        for record in self.every_way("over-900"):
            self.assertEqual(record["usage"]["output"], 900)


class Free(harness.Case):

    def test_upstream_failure_before_the_first_byte_is_free(self):
        before = gateway.settled()
        for path, make in BOTH:
            for model in ("cut-before-head", "reset", "status-429",
                          "status-500", "never"):
                for stream in (False, True):
                    status, request_id, _ = call(path, make, model, stream)
                    self.assertGreaterEqual(status, 400)
                    record = gateway.record(request_id)
                    self.assertEqual(record["fee_nano"], 0, record)
        self.assertEqual(gateway.settled(), before)

    def test_a_cut_stream_costs_what_was_delivered(self):
        for path, make in BOTH:
            _, request_id, _ = call(path, make, "cut-mid-stream", True)
            record = gateway.record(request_id)
            self.assertGreater(record["fee_nano"], 0)
            self.assertEqual(record["fee_nano"], bill(record))


class Running(harness.Case):
    """A customer whose money runs out."""

    def test_a_stream_ends_when_the_money_is_gone(self):
        for path, make in BOTH:
            name = "thin-" + path.rsplit("/", 1)[1]
            # about 1000 of the 20000 words that the upstream would say
            key = gateway.add_customer(name, "0.015")
            with gateway.stream(path, make("long-20000", True,
                                           max_tokens=30000),
                                key=key) as stream:
                self.assertEqual(stream.status, 200, stream.read())
                data = stream.read()
                request_id = stream.headers["x-request-id"]
            kind, text = events(data)[-1]
            value = json.loads(text)
            self.assertTrue(value["error"]["message"])
            if path == MESSAGES:
                self.assertEqual((kind, value["type"],
                                  value["error"]["type"]),
                                 ("error", "error", "billing_error"))
            self.assertLess(data.count(b"w00"), 20000)
            self.assertGreater(data.count(b"w00"), 10)
            record = gateway.record(request_id)
            left = gateway.settled(name)
            self.assertGreaterEqual(left, 0)
            self.assertEqual(nano("0.015") - left,
                             record["fee_nano"])

    def test_more_output_than_allowed_is_not_collected(self):
        # the upstream says 5000 words though 100 were asked for; money is
        # held for 100, so that no more can be taken
        key = gateway.add_customer("over", "0.0040")
        before = gateway.settled("over")
        _, request_id, _ = call(CHAT, chat, "over-5000", False, key,
                                max_tokens=100)
        record = gateway.record(request_id)
        left = gateway.settled("over")
        self.assertGreaterEqual(left, 0)
        self.assertEqual(before - left, record["fee_nano"])

    def test_many_calls_at_once_never_overdraw(self):
        key = gateway.add_customer("crowd", "0.02")
        answers, lock = [], threading.Lock()

        def work():
            for _ in range(10):
                answer = call(CHAT, chat, "long-400", False, key,
                              max_tokens=400)
                with lock:
                    answers.append(answer)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertLessEqual({a[0] for a in answers}, {200, 402})
        paid = [a[1] for a in answers if a[0] == 200]
        self.assertTrue(paid)
        self.assertLess(len(paid), len(answers))
        left = gateway.settled("crowd")
        records = {r["request_id"]: r for r in gateway.records("crowd")}
        self.assertLessEqual(set(paid), set(records))
        self.assertGreaterEqual(left, 0)
        self.assertEqual(nano("0.02") - left,
                         sum(r["fee_nano"] for r in records.values()))

    def test_open_streams_hold_their_money(self):
        key = gateway.add_customer("holder", "1")
        with gateway.stream(CHAT, chat("drip-40-50", True),
                            key=key) as stream:
            self.assertTrue(stream.read_until(b"w0000"))
            harness.wait_until(lambda: gateway.busy() == 1, "a hold", 5)
            stream.read()
            request_id = stream.headers["x-request-id"]
        self.assertEqual(gateway.settled("holder"),
                         nano("1") - gateway.record(request_id)["fee_nano"])


class Afterwards(harness.Case):

    def test_zz_the_books_are_clean(self):
        gateway.settled()
        gateway.verify()


if __name__ == "__main__":
    harness.main()
