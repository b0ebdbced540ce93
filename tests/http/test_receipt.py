"""Receipts: what a call cost, in the answer's head or in the stream's usage."""

import json
import re

import harness
from channels import Channels
from harness import CHAT, MESSAGES, chat, events, message, nano
from test_translation import CLIENTS, SPOKEN, UPSTREAMS

ASKED = {"X-Youyun-Receipt": "yes"}
USAGE = {"chat": lambda v: v.get("usage"),
         "messages": lambda v: v.get("usage"),
         "responses": lambda v: v.get("response", {}).get("usage"),
         "gemini-sse": lambda v: v.get("usageMetadata")}

gateway = None


def setUpModule():
    global gateway
    gateway = harness.Gateway(
        ["fast", "bytes1", "cut-mid-stream", "status-400", "big-300000",
         "drip-3-200", "long-20000"],
        workers=2, settings={"default_max_tokens": 2000})
    channels = Channels(gateway)
    for protocol in UPSTREAMS:
        channels.add(f"only-{protocol}", "*", [f"{protocol}/*"],
                     "--model", f"plain-{protocol}=fast", protocol=protocol)
        channels.price(f"{protocol}/*")
        channels.open(f"plain-{protocol}")


def tearDownModule():
    gateway.stop()


def values(data):
    return [json.loads(d) for _, d in events(data) if d != "[DONE]"]


class Receipts(harness.Case):

    def fee(self, answer):
        return gateway.record(answer.headers["x-request-id"])["fee_nano"]

    def test_a_whole_answer_has_it_in_its_head(self):
        for kind, make in CLIENTS.items():
            if kind == "gemini-sse":
                continue
            for upstream in UPSTREAMS:
                if "responses" == kind and upstream != "openai":
                    continue
                with self.subTest(client=kind, upstream=upstream):
                    answer = gateway.call(*make(f"plain-{upstream}"))
                    self.assertEqual(answer.status, 200)
                    told = nano(answer.headers["x-youyun-fee"])
                    self.assertGreater(told, 0)
                    self.assertEqual(told, self.fee(answer))

    def test_one_that_leaves_before_it_is_whole_has_none(self):
        answer = gateway.call(CHAT, chat("big-300000"))
        self.assertEqual(answer.status, 200)
        self.assertGreater(len(answer.body), 200000)
        self.assertIsNone(answer.headers["x-youyun-fee"])
        self.assertGreater(self.fee(answer), 0)

    def test_errors_and_lists_have_none(self):
        for answer in (gateway.call(CHAT, chat("nosuch")),
                       gateway.call(CHAT, chat("status-400")),
                       gateway.call(CHAT, chat("fast"), key="sk-no"),
                       gateway.get("/v1/models")):
            self.assertIsNone(answer.headers["x-youyun-fee"])

    def test_a_stream_has_it_in_its_usage_when_asked(self):
        for kind, usage in USAGE.items():
            for upstream in UPSTREAMS:
                if "responses" == kind and upstream != "openai":
                    continue
                with self.subTest(client=kind, upstream=upstream):
                    path, body = CLIENTS[kind](f"plain-{upstream}",
                                               stream=True)
                    with gateway.stream(path, body, ASKED) as stream:
                        data = stream.read()
                    self.assertTrue(stream.complete)
                    fees = [usage(v)["fee"] for v in values(data)
                            if usage(v) and "fee" in usage(v)]
                    self.assertEqual(len(fees), 1, data)
                    self.assertGreater(nano(fees[0]), 0)
                    self.assertEqual(nano(fees[0]), self.fee(stream))
                    self.assertEqual(data.count(b"fee"), 1)
                    self.assertIsNone(stream.headers["x-youyun-fee"])

    def test_only_the_fee_is_added(self):
        for kind in USAGE:
            path, body = CLIENTS[kind]("plain-" + SPOKEN[kind], stream=True)
            if kind == "chat":
                body["stream_options"] = {"include_usage": True}
            with gateway.stream(path, body) as stream:
                without = stream.read()
            with gateway.stream(path, body, ASKED) as stream:
                asked = stream.read()
            self.assertNotIn(b"fee", without)
            asked, n = re.subn(rb'"fee":"[0-9.]+",', b"", asked)
            self.assertEqual(n, 1)
            self.assertEqual(self.anonymous(asked), self.anonymous(without),
                             kind)

    def anonymous(self, data):
        """Without what differs from answer to answer."""
        found = values(data)
        for value in found:
            for part in (value, value.get("message", {}),
                         value.get("response", {})):
                for name in ("id", "created", "created_at", "responseId"):
                    part.pop(name, None)
        return found

    def test_a_stream_in_single_bytes(self):
        with gateway.stream(CHAT, chat("bytes1", stream=True),
                            ASKED) as stream:
            found = values(stream.read())
        self.assertEqual(nano(found[-1]["usage"]["fee"]), self.fee(stream))

    def test_text_is_not_kept_back(self):
        with gateway.stream(CHAT, chat("drip-3-200", stream=True),
                            ASKED) as stream:
            times = [t for t, part in stream.pieces() if b"content" in part]
        self.assertGreaterEqual(len(times), 3)
        self.assertGreater(times[-1] - times[0], 0.3)

    def test_a_cut_stream_has_none_but_is_charged(self):
        with gateway.stream(CHAT, chat("cut-mid-stream", stream=True),
                            ASKED) as stream:
            data = stream.read()
        self.assertIn(b"error", data)
        self.assertNotIn(b"fee", data)
        self.assertGreaterEqual(self.fee(stream), 0)

    def test_a_stream_that_we_end_has_whole_events(self):
        """Its last frame has not been paid for, and is not delivered."""
        for path, make in ((CHAT, chat), (MESSAGES, message)):
            name = "thin-" + path.rsplit("/", 1)[1]
            key = gateway.add_customer(name, "0.015")
            with gateway.stream(path, make("long-20000", True,
                                           max_tokens=30000),
                                ASKED, key=key) as stream:
                data = stream.read()
            frames = data.decode().split("\n\n")
            self.assertEqual(frames.pop(), "")
            self.assertGreater(len(frames), 10)
            for frame in frames:
                self.assertEqual(frame.count("data: "), 1, frame)
                json.loads(frame.split("data: ")[1])
            self.assertIn("error", json.loads(frames[-1].split("data: ")[1]))
            self.assertNotIn(b"fee", data)
            self.assertEqual(nano("0.015") - gateway.settled(name),
                             self.fee(stream))

    def test_another_word_than_yes_asks_for_nothing(self):
        for word in ("no", "", "yes please"):
            with gateway.stream(CHAT, chat("fast", stream=True),
                                {"X-Youyun-Receipt": word}) as stream:
                self.assertNotIn(b"fee", stream.read())

    def test_money_is_exact(self):
        gateway.settled()
        gateway.verify()


if __name__ == "__main__":
    harness.main()
