"""Every refusal: the right status, the protocol's own shape, a request id,
and nothing charged."""

import contextlib
import json
import socket
import time

import harness
from harness import CHAT, MESSAGES, chat, message

MAX_BODY = 64 * 1024
BOTH = ((CHAT, chat), (MESSAGES, message))
FAULTS = ["cut-before-head", "cut-mid-head", "reset", "bad-status-line",
          "bad-framing", "two-lengths", "huge-head", "never", "gzip-answer",
          "cut-mid-body", "bad-chunk"]
REFUSALS = [401, 403]
STATUSES = [400, 401, 403, 404, 413, 422, 429, 500, 503, 529]

gateway = None


def setUpModule():
    global gateway
    gateway = harness.Gateway(
        ["fast", *FAULTS, *(f"status-{n}" for n in STATUSES
                            if n not in REFUSALS)],
        settings={"max_body_bytes": MAX_BODY, "head_timeout": "1s",
                  "body_timeout": "1s",
                  "upstream_first_byte_timeout": "1s"})
    # What is refused there is not asked for again soon, by any model.
    for status in REFUSALS:
        gateway.add_models([f"status-{status}"], name=f"refusing{status}")


def tearDownModule():
    gateway.stop()


class FreeCase(harness.Case):
    """Whatever the test does, the customer pays nothing for it."""

    def setUp(self):
        self.before = gateway.settled()

    def tearDown(self):
        self.assertEqual(gateway.settled(), self.before)


def head_of(path, length, extra=""):
    return (f"POST {path} HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {gateway.key}\r\n{extra}"
            f"Content-Type: application/json\r\n"
            f"Content-Length: {length}\r\n\r\n").encode()


def read_raw(sock):
    """Status and body of the one answer until the gateway closes; b"" if it
    closed without any."""
    data = b""
    with contextlib.suppress(OSError):
        while True:
            part = sock.recv(65536)
            if not part:
                break
            data += part
            head, blank, body = data.partition(b"\r\n\r\n")
            if blank:
                fields = dict(
                    line.lower().split(b": ", 1)
                    for line in head.split(b"\r\n")[1:] if b": " in line)
                if len(body) >= int(fields.get(b"content-length", b"0")):
                    break
    head, _, body = data.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1]) if head else 0
    return status, head.decode("latin-1").lower(), body


class BadBodies(FreeCase):

    def test_400_for_what_is_no_json_object(self):
        for body in (b"", b"{", b"[]", b'"model"', b"null", b"\xff\xfe",
                     b'{"model":"fast"', b'{"model":"fast"}x',
                     b'{"model":"fast",}', b"{'model':'fast'}",
                     b'{"model":"fa\x01st","messages":[]}',
                     b"[" * 20000):
            for path, _ in BOTH:
                with self.subTest(path=path, body=body[:20]):
                    self.assert_error(path, gateway.call(path, body), 400)

    def test_400_for_wrong_members(self):
        for change in ({"model": None}, {"model": 7}, {"model": ""},
                       {"stream": "yes"}, {"stream": 1},
                       {"max_tokens": -1}, {"max_tokens": "many"},
                       {"max_tokens": 1.5}):
            for path, make in BOTH:
                with self.subTest(path=path, change=change):
                    body = make("fast") | change
                    self.assert_error(path, gateway.call(path, body), 400)

    def test_400_when_the_model_is_missing(self):
        for path, make in BOTH:
            body = make("fast")
            del body["model"]
            self.assert_error(path, gateway.call(path, body), 400)

    def test_400_for_a_billing_member_that_stands_twice(self):
        twice = (
            '"model":"fast","model":"fast"',
            '"model":"fast","mod\\u0065l":"echo"',
            '"model":"fast","stream":false,"stream":true',
            '"model":"fast","max_tokens":5,"max_tokens":500000',
        )
        for members in twice:
            for path, _ in BOTH:
                with self.subTest(path=path, members=members):
                    body = ('{"messages":[{"role":"user","content":"x"}],'
                            + members + "}")
                    self.assert_error(path, gateway.call(path, body), 400)

    def test_400_for_stream_options_twice(self):
        body = json.dumps(chat("fast", stream=True))[:-1] + (
            ',"stream_options":{"include_usage":false}'
            ',"stream_options":{"include_usage":true}}')
        self.assert_error(CHAT, gateway.call(CHAT, body), 400)

    def test_a_member_twice_deeper_down_is_the_customers_business(self):
        body = ('{"model":"fast","messages":[{"role":"user","content":"x"}],'
                '"metadata":{"model":"a","model":"b"}}')
        before = self.before
        answer = gateway.call(CHAT, body)
        self.assertEqual(answer.status, 200, answer)
        gateway.record(answer.request_id)
        self.before = gateway.settled()
        self.assertLess(self.before, before)


class BadRequests(FreeCase):

    def test_401_without_and_with_wrong_keys(self):
        for key in (None, "sk-wrong", gateway.key[:-1], gateway.key + "x",
                    "x" * 4000, " "):
            for path, make in BOTH:
                with self.subTest(path=path, key=str(key)[:10]):
                    answer = gateway.call(path, make("fast"), key=key)
                    self.assert_error(path, answer, 401)

    def test_401_for_another_scheme(self):
        answer = gateway.call(CHAT, chat("fast"),
                              {"Authorization": "Basic dTpw"}, key=None)
        self.assert_error(CHAT, answer, 401)

    def test_401_for_two_different_keys(self):
        answer = gateway.call(CHAT, chat("fast"), {"x-api-key": "sk-other"})
        self.assert_error(CHAT, answer, 401)

    def test_401_after_the_key_is_revoked(self):
        key = gateway.add_customer("revoked", "1")
        self.assertEqual(gateway.call(CHAT, chat("fast"), key=key).status,
                         200)
        gateway.revoke_keys("revoked")
        harness.wait_until(
            lambda: gateway.get("/v1/models", key=key).status == 401,
            "a revoked key refused", 5)
        for path, make in BOTH:
            self.assert_error(
                path, gateway.call(path, make("fast"), key=key), 401)

    def test_401_after_the_key_expires(self):
        gateway.ctl("customer", "add", "fleeting")
        gateway.ctl("credit", "fleeting", "1")
        ends = time.time() + 5 * harness.PATIENCE
        key = gateway.ctl_json(
            "key", "add", "fleeting", "--expires",
            time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ends)))["key"]
        gateway.wait_for_key(key)
        harness.wait_until(
            lambda: gateway.get("/v1/models", key=key).status == 401,
            "the key expired", 10)
        self.assertGreaterEqual(time.time(), int(ends))
        for path, make in BOTH:
            self.assert_error(
                path, gateway.call(path, make("fast"), key=key), 401)

    def test_403_while_the_customer_is_suspended(self):
        key = gateway.add_customer("naughty", "1")
        gateway.ctl("customer", "suspend", "naughty", "--yes")
        harness.wait_until(
            lambda: gateway.get("/v1/models", key=key).status == 403,
            "the customer suspended", 5)
        for path, make in BOTH:
            self.assert_error(
                path, gateway.call(path, make("fast"), key=key), 403)
        gateway.ctl("customer", "resume", "naughty", "--yes")
        harness.wait_until(
            lambda: gateway.call(CHAT, chat("fast"), key=key).status == 200,
            "the customer back", 5)

    def test_404_for_an_unknown_model(self):
        for path, make in BOTH:
            for model in ("no-such-model", "FAST", "fast ", "m" * 300):
                with self.subTest(path=path, model=model[:20]):
                    answer = gateway.call(path, make(model))
                    self.assert_error(
                        path, answer, 404 if len(model) < 200 else
                        answer.status)
                    self.assertIn(answer.status, (400, 404))

    def test_415_for_another_media_type(self):
        for kind in ("text/plain", "application/xml", "multipart/form-data",
                     "application/jsonx", None):
            for path, make in BOTH:
                with self.subTest(path=path, kind=kind):
                    answer = gateway.call(path, make("fast"),
                                          {"Content-Type": kind})
                    self.assert_error(path, answer, 415)

    def test_media_type_may_have_parameters(self):
        answer = gateway.call(CHAT, chat("no-such-model"), {
            "Content-Type": "Application/JSON ; charset=UTF-8"})
        self.assert_error(CHAT, answer, 404)


class Limits(FreeCase):

    def test_413_for_a_body_that_says_it_is_too_long(self):
        for path, _ in BOTH:
            with contextlib.closing(gateway.raw()) as sock:
                sock.sendall(head_of(path, MAX_BODY + 1))
                status, head, body = read_raw(sock)
            self.assertEqual(status, 413)
            self.assertIn("x-request-id: ", head)
            self.assertIn("error", json.loads(body))

    def test_413_for_a_chunked_body_that_grows_too_long(self):
        head = head_of(CHAT, 0).replace(b"Content-Length: 0",
                                        b"Transfer-Encoding: chunked")
        chunk = b"2000\r\n" + b" " * 0x2000 + b"\r\n"
        with contextlib.closing(gateway.raw()) as sock:
            with contextlib.suppress(OSError):
                sock.sendall(head)
                for _ in range(2 * MAX_BODY // 0x2000):
                    sock.sendall(chunk)
            status, _, body = read_raw(sock)
        self.assertEqual(status, 413)
        self.assertIn("error", json.loads(body))

    def test_a_body_of_just_the_limit_is_read(self):
        frame = json.dumps(chat("no-such-model", text=""))
        body = frame.replace('"content": ""', '"content": "%s"' % (
            "x" * (MAX_BODY - len(frame))))
        self.assertEqual(len(body), MAX_BODY)
        self.assert_error(CHAT, gateway.call(CHAT, body), 404)

    def test_431_for_a_head_that_is_too_long(self):
        with contextlib.closing(gateway.raw()) as sock:
            with contextlib.suppress(OSError):
                sock.sendall(head_of(CHAT, 2, "".join(
                    f"x-pad-{n}: {'p' * 1000}\r\n" for n in range(64))))
            status, _, body = read_raw(sock)
        self.assertEqual(status, 431)
        self.assertIn("error", json.loads(body))

    def test_408_for_a_body_that_never_comes(self):
        for path, _ in BOTH:
            with contextlib.closing(gateway.raw()) as sock:
                sock.sendall(head_of(path, 100) + b'{"model":')
                begin = time.monotonic()
                status, head, body = read_raw(sock)
                self.assertEqual(status, 408)
                self.assertLess(time.monotonic() - begin,
                                5 * harness.PATIENCE)
            self.assertIn("x-request-id: ", head)
            self.assertIn("error", json.loads(body))

    def test_half_a_head_is_not_waited_for_for_ever(self):
        with contextlib.closing(gateway.raw(10)) as sock:
            sock.sendall(b"POST /v1/chat/completions HT")
            status, _, _ = read_raw(sock)
            self.assertIn(status, (0, 408))

    def test_a_silent_connection_is_closed(self):
        sock = socket.create_connection(("127.0.0.1", gateway.port),
                                        10 * harness.PATIENCE)
        with contextlib.closing(sock), contextlib.suppress(
                ConnectionResetError):
            self.assertEqual(sock.recv(1), b"")


class NoMoney(harness.Case):

    def test_402_when_the_balance_is_too_low(self):
        for amount in (None, "0.000000001"):
            name = "poor" if amount is None else "poorer"
            key = gateway.add_customer(name, amount)
            before = gateway.balance(name)
            for path, make in BOTH:
                for stream in (False, True):
                    answer = gateway.call(path, make("fast", stream), key=key)
                    self.assert_error(path, answer, 402)
            self.assertEqual(gateway.balance(name), before)

    def test_402_for_max_tokens_beyond_the_balance(self):
        key = gateway.add_customer("modest", "1")
        answer = gateway.call(CHAT, chat("fast", max_tokens=10**6), key=key)
        self.assert_error(CHAT, answer, 402)
        answer = gateway.call(CHAT, chat("fast", max_tokens=1000), key=key)
        self.assertEqual(answer.status, 200, answer)

    def test_credit_is_usable_at_once(self):
        key = gateway.add_customer("later")
        self.assert_error(CHAT, gateway.call(CHAT, chat("fast"), key=key),
                          402)
        gateway.ctl("credit", "later", "5")
        harness.wait_until(
            lambda: gateway.call(CHAT, chat("fast"), key=key).status == 200,
            "credit in the directory", 5)


class UpstreamErrors(FreeCase):

    def test_failures_before_an_answer(self):
        for model in ("cut-before-head", "cut-mid-head", "reset",
                      "bad-status-line", "bad-framing", "two-lengths",
                      "huge-head"):
            for path, make in BOTH:
                for stream in (False, True):
                    with self.subTest(model=model, path=path, stream=stream):
                        answer = gateway.call(path, make(model, stream))
                        self.assert_error(path, answer, 502)

    def test_an_answer_that_is_cut_is_no_answer(self):
        for model in ("cut-mid-body", "bad-chunk"):
            for path, make in BOTH:
                with self.subTest(model=model, path=path):
                    answer = gateway.call(path, make(model))
                    self.assert_error(path, answer, 502)

    def test_504_when_the_upstream_is_silent(self):
        for path, make in BOTH:
            for stream in (False, True):
                answer = gateway.call(path, make("never", stream))
                self.assert_error(path, answer, 504)

    def test_compressed_answers_are_refused(self):
        for path, make in BOTH:
            for stream in (False, True):
                answer = gateway.call(path, make("gzip-answer", stream))
                self.assert_error(path, answer, 502)

    def test_errors_of_the_upstream_keep_their_meaning(self):
        # What the customer can mend is passed on as it came; the operator's
        # own troubles (401, 403) and the upstream's are told in our words.
        passed_on = {400, 404, 413, 422}
        told = {401: 502, 403: 502, 429: 429, 500: 502, 503: 503, 529: 503}
        for status in STATUSES:
            for path, make in BOTH:
                for stream in (False, True):
                    with self.subTest(status=status, path=path,
                                      stream=stream):
                        answer = gateway.call(
                            path, make(f"status-{status}", stream))
                        if status in passed_on:
                            self.assertEqual(answer.status, status, answer)
                            self.assert_request_id(answer)
                            self.assertIn("error", answer.json)
                        else:
                            self.assert_error(path, answer, told[status])

    def test_retry_after_of_a_429_is_passed_on(self):
        answer = gateway.call(CHAT, chat("status-429"))
        self.assertEqual(answer.headers["retry-after"], "7")
        self.assertNotIn("x-ratelimit-remaining-requests", answer.headers)

    def test_a_record_of_each_refusal_charges_nothing(self):
        answer = gateway.call(CHAT, chat("reset"))
        record = gateway.record(answer.request_id)
        self.assertEqual(record["status"], 502)
        self.assertEqual(record["fee_nano"], 0)
        self.assertNotIn("sk-upstream-secret", json.dumps(record))

    def test_upstream_that_does_not_listen_is_502_or_503(self):
        gateway.add_models(["nobody-there"], name="dead",
                           url=f"https://127.0.0.1:{harness.free_port()}")
        harness.wait_until(
            lambda: "nobody-there" in [
                m["id"] for m in gateway.get("/v1/models").json["data"]],
            "the model", 5)
        for path, make in BOTH:
            answer = gateway.call(path, make("nobody-there"))
            self.assertIn(answer.status, (502, 503))
            self.assert_error(path, answer, answer.status)

    def test_upstream_with_a_strange_certificate_is_refused(self):
        folder = gateway.folder / "stranger"
        folder.mkdir()
        strange = harness.Certificates(folder)
        upstream = harness.Upstream(folder, strange)
        try:
            gateway.add_models(["strange"], name="strange", url=upstream.url)
            harness.wait_until(
                lambda: gateway.call(CHAT, chat("strange")).status != 404,
                "the model", 5)
            answer = gateway.call(CHAT, chat("strange"))
            self.assertIn(answer.status, (502, 503))
            self.assert_error(CHAT, answer, answer.status)
            self.assertEqual(upstream.requests(), [])
        finally:
            upstream.stop()


class Afterwards(harness.Case):

    def test_zz_the_books_are_clean(self):
        gateway.verify()


if __name__ == "__main__":
    harness.main()
