"""The scripted upstream itself: a test instrument must be right."""

import contextlib
import gzip
import hashlib
import http.client
import json
import pathlib
import shutil
import ssl
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "http"))

import harness  # noqa: E402
from harness import CHAT, MESSAGES, chat, events, message  # noqa: E402

BOTH = ((CHAT, chat), (MESSAGES, message))
folder = upstream = None


def setUpModule():
    global folder, upstream
    folder = pathlib.Path(tempfile.mkdtemp(prefix="yy-"))
    upstream = harness.Upstream(folder, harness.Certificates(folder))


def tearDownModule():
    upstream.stop()
    shutil.rmtree(folder)


def ask(path, body, key=harness.UPSTREAM_KEY):
    """A response with its connection, unread."""
    connection = http.client.HTTPSConnection(
        "127.0.0.1", upstream.port, timeout=10,
        context=ssl.create_default_context(cafile=upstream.certs.ca))
    try:
        connection.request("POST", path, json.dumps(body).encode(),
                           {"Authorization": f"Bearer {key}"})
        return harness.Stream(connection, connection.getresponse())
    except BaseException:
        connection.close()
        raise


def answer(path, body, **more):
    with ask(path, body, **more) as stream:
        return stream.status, stream.read()


class Answers(unittest.TestCase):

    def test_usage_is_what_the_body_says(self):
        for path, make in BOTH:
            body = make("fast")
            size = len(json.dumps(body))
            status, data = answer(path, body)
            self.assertEqual(status, 200)
            usage = json.loads(data)["usage"]
            names = (("prompt_tokens", "completion_tokens") if path == CHAT
                     else ("input_tokens", "output_tokens"))
            self.assertEqual([usage[n] for n in names], [size // 4, 27])

    def test_one_byte_writes_give_the_same_stream(self):
        for path, make in BOTH:
            streams = [answer(path, make(model, True))[1]
                       for model in ("fast", "crlf", "bytes1")]
            words = ["".join(d for _, d in events(s)).count("delta")
                     for s in streams]
            self.assertEqual(len(set(words)), 1)

    def test_max_tokens_is_honoured_unless_over(self):
        for model, count in (("long-50", 10), ("over-50", 50)):
            _, data = answer(CHAT, chat(model, max_tokens=10))
            self.assertEqual(
                json.loads(data)["usage"]["completion_tokens"], count)

    def test_usage_chunk_only_when_asked_for(self):
        for asked in (False, True):
            _, data = answer(CHAT, chat("fast", True, stream_options={
                "include_usage": asked}))
            self.assertEqual(data.count(b'"choices":[]'), int(asked))

    def test_anthropic_events_are_in_order(self):
        _, data = answer(MESSAGES, message("fast", True))
        names = [name for name, _ in events(data)]
        self.assertEqual(names[:3], ["message_start", "content_block_start",
                                     "ping"])
        self.assertEqual(names[-3:], ["content_block_stop", "message_delta",
                                      "message_stop"])

    def test_pieces_come_one_at_a_time(self):
        with ask(CHAT, chat("drip-4-100", True)) as stream:
            times = [at for at, part in stream.pieces() if b"w0000" in part]
        self.assertEqual(len(times), 4)
        self.assertGreater(times[-1] - times[0], 0.25)

    def test_first_byte_waits(self):
        begin = time.monotonic()
        answer(CHAT, chat("slow-first-300"))
        self.assertGreaterEqual(time.monotonic() - begin, 0.3)

    def test_statuses(self):
        for path, make in BOTH:
            for status in (400, 401, 429, 500, 529):
                self.assertEqual(answer(path, make(f"status-{status}"))[0],
                                 status)
            self.assertEqual(answer(path, make("no-such"))[0], 404)
            self.assertEqual(answer(path, make("fast"), key="other")[0], 401)


class Faults(unittest.TestCase):

    def test_no_answer_at_all(self):
        for model in ("cut-before-head", "reset", "bad-status-line"):
            with self.assertRaises((http.client.HTTPException, OSError)):
                answer(CHAT, chat(model))

    def test_cut_bodies(self):
        for model in ("cut-mid-stream", "cut-mid-event", "reset-mid-stream",
                      "bad-chunk"):
            for path, make in BOTH:
                with contextlib.suppress(ValueError), \
                        ask(path, make(model, True)) as stream:
                    stream.read()
                    self.assertFalse(stream.complete, model)

    def test_headers_that_contradict(self):
        with ask(CHAT, chat("bad-framing")) as stream:
            self.assertIn("transfer-encoding", stream.headers)
            self.assertIn("content-length", stream.headers)
        with ask(CHAT, chat("two-lengths")) as stream:
            self.assertEqual(len(stream.headers.get_all("content-length")), 2)

    def test_gzip_is_gzip(self):
        status, data = answer(CHAT, chat("gzip-answer"))
        self.assertEqual(status, 200)
        self.assertIn("usage", json.loads(gzip.decompress(data)))


class Tally(unittest.TestCase):

    def test_log_has_the_body_byte_for_byte(self):
        body = chat("fast", text="\u00e9\u4e2d \x01")
        raw = json.dumps(body).encode()
        answer(CHAT, body)
        seen = upstream.requests()[-1]
        self.assertEqual(seen["raw"], raw)
        self.assertEqual(seen["sha256"], hashlib.sha256(raw).hexdigest())
        self.assertEqual((seen["method"], seen["target"]), ("POST", CHAT))

    def test_echo_tells_what_arrived(self):
        body = message("echo")
        _, data = answer(MESSAGES, body)
        seen = json.loads(json.loads(data)["content"][0]["text"])
        self.assertEqual(
            seen["sha256"],
            hashlib.sha256(json.dumps(body).encode()).hexdigest())

    def test_leavers_are_counted(self):
        before = upstream.stats()["left"]
        with ask(CHAT, chat("drip-100-50", True)) as stream:
            stream.read_until(b"w000001")
            stream.response.close()
        harness.wait_until(lambda: upstream.stats()["left"] > before,
                           "the leaver counted", 5)


if __name__ == "__main__":
    harness.main()
