"""Streams: at once, byte for byte, and honest about their end."""

import http.client
import json
import re

import harness
from harness import CHAT, MESSAGES, chat, events, message

MODELS = ["fast", "bytes1", "slow-chunks", "cut-mid-stream", "cut-mid-event",
          "reset-mid-stream", "cut-mid-body", "error-event", "crlf",
          "comments", "no-done", "until-close", "trailers", "interim",
          "usage-every-chunk", "usage-on-choices-chunk", "drip-6-200",
          "drip-3-2500", "big-300000", "long-3000"]
BOTH = ((CHAT, chat), (MESSAGES, message))

gateway = None


def setUpModule():
    global gateway
    gateway = harness.Gateway(MODELS,
                              settings={"upstream_idle_timeout": "1s"})


def tearDownModule():
    gateway.stop()


def open_stream(path, make, model, **more):
    return gateway.stream(path, make(model, True, **more))


def text_of(path, found):
    """The text that a client puts together from a stream's events."""
    parts = []
    for name, data in found:
        if data == "[DONE]":
            continue
        value = json.loads(data)
        if path == CHAT:
            for choice in value.get("choices", []):
                parts.append(choice["delta"].get("content") or "")
        elif name == "content_block_delta":
            parts.append(value["delta"]["text"])
    return "".join(parts)


class Relay(harness.Case):

    def test_a_stream_is_whole(self):
        for path, make in BOTH:
            for model in ("fast", "bytes1", "crlf", "comments", "trailers",
                          "interim", "until-close"):
                with self.subTest(path=path, model=model):
                    with open_stream(path, make, model) as stream:
                        self.assertEqual(stream.status, 200)
                        self.assertTrue(stream.headers["content-type"]
                                        .startswith("text/event-stream"))
                        self.assert_request_id(stream)
                        found = events(stream.read())
                        self.assertTrue(stream.complete)
                    self.assertTrue(text_of(path, found)
                                    .endswith("is on your bill."))
                    last = ("", "[DONE]") if path == CHAT else (
                        "message_stop", '{"type":"message_stop"}')
                    self.assertEqual(found[-1], last)

    def test_streams_are_the_upstreams_bytes(self):
        # An Anthropic stream is never touched, and an OpenAI stream isn't if
        # the client itself asked for usage: the same call to the upstream
        # directly gives the same bytes, but for the answer's serial number.
        for path, make, more in (
                (MESSAGES, message, {}),
                (CHAT, chat, {"stream_options": {"include_usage": True}})):
            for model in ("fast", "bytes1", "crlf", "comments"):
                body = make(model, True, **more)
                with self.subTest(path=path, model=model):
                    with gateway.stream(path, body) as stream:
                        ours = stream.read()
                    theirs = direct(path, body)
                    self.assertEqual(without_serials(ours),
                                     without_serials(theirs))

    def test_a_large_piece_passes_whole(self):
        for path, make in BOTH:
            with open_stream(path, make, "big-300000") as stream:
                text = text_of(path, events(stream.read()))
            self.assertEqual(len(text), 300000)

    def test_many_small_pieces_pass_whole(self):
        for path, make in BOTH:
            with open_stream(path, make, "long-3000",
                             max_tokens=5000) as stream:
                text = text_of(path, events(stream.read()))
            self.assertEqual(text.split(),
                             [f"w{n:06d}" for n in range(3000)])

    def test_a_piece_arrives_when_it_is_sent(self):
        for path, make in BOTH:
            with open_stream(path, make, "drip-6-200") as stream:
                arrivals = [at for at, part in stream.pieces()
                            if b"w0000" in part]
            # six words 200 ms apart; a relay that waits for more, or for
            # the end, brings them in fewer or later pieces
            self.assertEqual(len(arrivals), 6, arrivals)
            gaps = [b - a for a, b in zip(arrivals, arrivals[1:])]
            self.assertGreater(min(gaps), 0.02, gaps)
            self.assertLess(max(gaps), 0.2 + 0.25 * harness.PATIENCE, gaps)


def direct(path, body):
    """The same stream from the upstream itself."""
    context = gateway.context()
    connection = http.client.HTTPSConnection(
        "127.0.0.1", gateway.upstream.port, timeout=30, context=context)
    connection.request("POST", path, json.dumps(body).encode(), {
        "Authorization": f"Bearer {harness.UPSTREAM_KEY}",
        "Content-Type": "application/json", **harness.ANTHROPIC}
        if path == MESSAGES else {
        "Authorization": f"Bearer {harness.UPSTREAM_KEY}",
        "Content-Type": "application/json"})
    data = connection.getresponse().read()
    connection.close()
    return data


def without_serials(data):
    return re.sub(rb"(chatcmpl-peer-|msg_peer_)\d+", rb"\1N", data)


class UsageFrame(harness.Case):

    def usage_frames(self, found):
        frames = [json.loads(data) for _, data in found if data != "[DONE]"]
        return [f for f in frames if f.get("usage")]

    def test_hidden_when_not_asked_for(self):
        for more in ({}, {"stream_options": {}}, {"stream_options": None},
                     {"stream_options": {"include_usage": False}}):
            for model in ("fast", "bytes1", "crlf"):
                with self.subTest(more=more, model=model):
                    with open_stream(CHAT, chat, model, **more) as stream:
                        found = events(stream.read())
                    self.assertEqual(self.usage_frames(found), [])
                    for _, data in found:
                        if data != "[DONE]":
                            self.assertTrue(json.loads(data)["choices"])
                    self.assertEqual(found[-1][1], "[DONE]")

    def test_shown_when_asked_for(self):
        for model in ("fast", "bytes1", "crlf"):
            with open_stream(CHAT, chat, model, stream_options={
                    "include_usage": True}) as stream:
                found = events(stream.read())
            frames = self.usage_frames(found)
            self.assertEqual(len(frames), 1)
            self.assertEqual(frames[0]["choices"], [])
            self.assertEqual(frames[0]["usage"]["completion_tokens"], 27)

    def test_usage_on_frames_with_text_is_never_hidden(self):
        for model in ("usage-every-chunk", "usage-on-choices-chunk"):
            with open_stream(CHAT, chat, model) as stream:
                found = events(stream.read())
            self.assertTrue(self.usage_frames(found), model)
            self.assertTrue(text_of(CHAT, found).endswith("is on your bill."))

    def test_metered_although_hidden(self):
        with open_stream(CHAT, chat, "fast") as stream:
            stream.read()
            record = gateway.record(stream.headers["x-request-id"])
        self.assertEqual(record["usage"]["output"], 27)
        sent = gateway.upstream.requests()[-1]
        self.assertEqual(record["usage"]["input"], sent["bytes"] // 4)


class BadEnds(harness.Case):

    def assert_error_event(self, path, data):
        """The stream's last event is an error in the protocol's words."""
        name, text = events(data)[-1]
        value = json.loads(text)
        if path == MESSAGES:
            self.assertEqual(name, "error")
            self.assertEqual(value["type"], "error")
        self.assertTrue(value["error"]["message"])
        self.assertTrue(value["error"]["type"])
        return value["error"]

    def test_a_cut_is_told_in_the_stream(self):
        for path, make in BOTH:
            for model in ("cut-mid-stream", "cut-mid-event",
                          "reset-mid-stream", "cut-mid-body"):
                with self.subTest(path=path, model=model):
                    with open_stream(path, make, model) as stream:
                        data = stream.read()
                    error = self.assert_error_event(path, data)
                    self.assertNotIn(b"[DONE]", data)
                    self.assertNotIn(b"message_stop", data)
                    self.assert_no_leak(json.dumps(error).encode())
                    record = gateway.record(stream.headers["x-request-id"])
                    self.assertGreater(record["usage"]["output"], 0)

    def test_a_silence_is_told_in_the_stream(self):
        for path, make in BOTH:
            with open_stream(path, make, "drip-3-2500") as stream:
                data = stream.read()
            self.assert_error_event(path, data)

    def test_an_upstreams_error_event_is_relayed(self):
        for path, make in BOTH:
            with open_stream(path, make, "error-event") as stream:
                data = stream.read()
            self.assert_error_event(path, data)
            self.assertEqual(data.count(b'"error":'), 1)

    def test_a_missing_done_is_no_error(self):
        with open_stream(CHAT, chat, "no-done") as stream:
            found = events(stream.read())
            self.assertTrue(stream.complete)
        self.assertTrue(text_of(CHAT, found).endswith("is on your bill."))
        self.assertNotIn("error", json.loads(found[-1][1])
                         if found[-1][1] != "[DONE]" else {})


class Afterwards(harness.Case):

    def test_zz_the_books_are_clean(self):
        gateway.settled()
        gateway.verify()


if __name__ == "__main__":
    harness.main()
