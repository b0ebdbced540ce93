"""What arrives upstream: the client's body byte for byte but for what must
change, and only the headers that are allowed."""

import json

import harness
from harness import CHAT, MESSAGES, chat, message

gateway = None


def setUpModule():
    global gateway
    gateway = harness.Gateway(["fast", "echo", "half-keepalive",
                               "close-after", "stray", "big-2000000"])
    # customers know it as "poet", the upstream as "fast"
    gateway.add_models(["poet"], name="poet", upstream_name="fast")
    harness.wait_until(
        lambda: gateway.call(CHAT, chat("poet")).status == 200,
        "the mapped model", 5)


def tearDownModule():
    gateway.stop()


def arrived(path, body, headers=None):
    """Makes a call; returns what came out on the other side."""
    answer = gateway.call(path, body, headers)
    if answer.status != 200:
        raise AssertionError(answer)
    return gateway.upstream.requests()[-1]


def fields(request):
    return {name.lower(): value for name, value in request["headers"]}


ODD = [
    # blanks, order, escapes, unknown members, numbers as they were written
    '{ "messages" :[{"role":"user","content":"x"}],\n\t"model":"%s" }',
    '{"model":"%s","messages":[],"n":1,"temperature":1.00,"x":1e-07}',
    '{"messages":[{"role":"user","content":"\\u00e9\\ud83d\\ude00 \\"q\\""}],'
    '"model":"%s"}',
    '{"a":{"model":"deep","stream":true},"model":"%s","b":["model"]}',
    '{"model":"%s","messages":[{"role":"user","content":"\u00e9\u4e2d"}]}',
    '\r\n {"model":"%s"}\n\n',
    '{"":0,"model":"%s","mode":"model","messages":[[],{},[[]]]}',
]


class Bodies(harness.Case):

    def test_an_unchanged_body_is_the_same_bytes(self):
        for odd in ODD:
            for path in (CHAT, MESSAGES):
                body = (odd % "fast").encode()
                if path == MESSAGES:
                    body = body.replace(b'"model"', b'"max_tokens":9,"model"',
                                        1)
                    if b'"max_tokens":9,"model":"deep"' in body:
                        continue
                with self.subTest(path=path, body=body):
                    self.assertEqual(arrived(path, body)["raw"], body)

    def test_only_the_models_name_changes(self):
        for odd in ODD:
            with self.subTest(odd=odd):
                self.assertEqual(arrived(CHAT, odd % "poet")["raw"],
                                 (odd % "fast").encode())

    def test_a_model_written_with_escapes_is_found(self):
        body = '{"messages":[],"mod\\u0065l":"po\\u0065t"}'
        raw = arrived(CHAT, body)["raw"]
        self.assertEqual(json.loads(raw),
                         {"messages": [], "model": "fast"})

    def test_the_answer_names_the_upstreams_model(self):
        answer = gateway.call(CHAT, chat("poet"))
        self.assertIn(answer.json["model"], ("poet", "fast"))

    def test_include_usage_is_added_and_nothing_else(self):
        cases = (
            ('"stream":true', {"include_usage": True}),
            ('"stream":true,"stream_options":null', {"include_usage": True}),
            ('"stream":true,"stream_options":{}', {"include_usage": True}),
            ('"stream":true,"stream_options":{"include_usage":false}',
             {"include_usage": True}),
            ('"stream":true,"stream_options":{"include_obfuscation":false}',
             {"include_obfuscation": False, "include_usage": True}),
            ('"stream_options":{"include_usage":true},"stream":true',
             {"include_usage": True}),
        )
        for members, options in cases:
            with self.subTest(members=members):
                body = '{"messages":[],%s,"model":"fast","x":1.00}' % members
                raw = arrived(CHAT, body)["raw"]
                sent, got = json.loads(body), json.loads(raw)
                self.assertEqual(got["stream_options"], options)
                sent["stream_options"] = options
                self.assertEqual(got, sent)
                self.assertIn(b'"x":1.00', raw)

    def test_a_stream_that_asks_for_usage_is_the_same_bytes(self):
        body = (b'{"stream":true,"stream_options" : { "include_usage": true'
                b' }, "model":"fast","messages":[]}')
        self.assertEqual(arrived(CHAT, body)["raw"], body)

    def test_an_anthropic_stream_is_the_same_bytes(self):
        body = (b'{"stream": true, "model":"fast","max_tokens":64,'
                b'"messages":[]}')
        self.assertEqual(arrived(MESSAGES, body)["raw"], body)

    def test_no_stream_no_splice(self):
        body = b'{"stream":false,"model":"fast","messages":[]}'
        self.assertEqual(arrived(CHAT, body)["raw"], body)

    def test_large_bodies_arrive_whole(self):
        for size in (1000, 16384, 100_000, 1_000_003):
            text = "".join(chr(97 + n % 26) for n in range(size))
            body = json.dumps(chat("poet", text=text)).encode()
            raw = arrived(CHAT, body)["raw"]
            self.assertEqual(
                raw, body.replace(b'"model": "poet"', b'"model": "fast"'))

    def test_a_chunked_body_arrives_whole(self):
        body = json.dumps(chat("fast", text="y" * 50000)).encode()
        connection = gateway.connect()
        connection.request(
            "POST", CHAT, iter([body[:7], body[7:20000], body[20000:]]),
            {"Authorization": f"Bearer {gateway.key}",
             "Content-Type": "application/json"}, encode_chunked=True)
        response = connection.getresponse()
        self.assertEqual(response.status, 200, response.read())
        response.read()
        connection.close()
        request = gateway.upstream.requests()[-1]
        self.assertEqual(request["raw"], body)

    def test_a_body_in_single_bytes_arrives_whole(self):
        body = json.dumps(chat("fast")).encode()
        sock = gateway.raw()
        sock.sendall(
            f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            f"Authorization: Bearer {gateway.key}\r\n"
            f"Content-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode())
        for byte in body:
            sock.sendall(bytes([byte]))
        data = b""
        while part := sock.recv(65536):
            data += part
        sock.close()
        self.assertTrue(data.startswith(b"HTTP/1.1 200"), data[:200])
        self.assertEqual(gateway.upstream.requests()[-1]["raw"], body)

    def test_large_answers_come_back_whole(self):
        answer = gateway.call(CHAT, chat("big-2000000"))
        self.assertEqual(
            len(answer.json["choices"][0]["message"]["content"]), 2_000_000)


class Headers(harness.Case):

    def test_the_customers_key_stays_here(self):
        for path, make in ((CHAT, chat), (MESSAGES, message)):
            for headers in ({}, {"x-api-key": gateway.key}):
                request = arrived(path, make("fast"), headers)
                self.assertNotIn(gateway.key, json.dumps(request["headers"]))
                self.assertIn(harness.UPSTREAM_KEY,
                              json.dumps(request["headers"]))

    def test_only_allowed_headers_go_up(self):
        request = arrived(MESSAGES, message("fast"), {
            "anthropic-version": "2026-10-21",
            "anthropic-beta": "one,two",
            "OpenAI-Beta": "x=1",
            "X-Forwarded-For": "10.1.2.3",
            "X-Real-IP": "10.1.2.3",
            "Cookie": "session=1",
            "Accept-Encoding": "gzip, br",
            "Connection": "keep-alive, x-private",
            "x-private": "1",
            "Proxy-Authorization": "Basic eDp5",
            "User-Agent": "curious/1.0",
            "Expect-CT": "x",
        })
        got = fields(request)
        self.assertEqual(got["anthropic-version"], "2026-10-21")
        self.assertEqual(got["anthropic-beta"], "one,two")
        for name in ("x-forwarded-for", "x-real-ip", "cookie", "x-private",
                     "proxy-authorization", "expect-ct"):
            self.assertNotIn(name, got)
        self.assertNotIn("curious", json.dumps(request["headers"]))
        self.assertEqual(got.get("accept-encoding", "identity"), "identity")

    def test_openai_beta_goes_up(self):
        got = fields(arrived(CHAT, chat("fast"), {"OpenAI-Beta": "x=1"}))
        self.assertEqual(got["openai-beta"], "x=1")

    def test_framing_is_plain(self):
        for path, make in ((CHAT, chat), (MESSAGES, message)):
            request = arrived(path, make("fast"))
            names = [name.lower() for name, _ in request["headers"]]
            self.assertEqual(len(names), len(set(names)), names)
            got = fields(request)
            self.assertEqual(got["content-length"], str(request["bytes"]))
            self.assertNotIn("transfer-encoding", got)
            self.assertEqual(got["content-type"], "application/json")
            self.assertEqual(got["host"],
                             f"127.0.0.1:{gateway.upstream.port}")
            self.assertEqual(request["method"], "POST")
            self.assertEqual(request["target"].partition("?")[0], path)


class Pool(harness.Case):

    def test_connections_to_the_upstream_are_used_again(self):
        gateway.call(CHAT, chat("fast"))
        before = gateway.upstream.stats()
        for _ in range(30):
            self.assertEqual(gateway.call(CHAT, chat("fast")).status, 200)
        after = gateway.upstream.stats()
        # one of them is the second question for the counters itself
        self.assertLessEqual(after["connections"] - before["connections"], 2)

    def test_a_connection_that_dies_when_idle_costs_no_call(self):
        for model in ("half-keepalive", "close-after"):
            for _ in range(20):
                answer = gateway.call(CHAT, chat(model))
                self.assertEqual(answer.status, 200, answer)

    def test_unasked_answers_reach_nobody(self):
        for _ in range(20):
            answer = gateway.call(CHAT, chat("stray"))
            self.assertEqual(answer.status, 200, answer)
            self.assertEqual(answer.json["model"], "stray")
            answer = gateway.call(CHAT, chat("fast"))
            self.assertEqual(answer.status, 200, answer)
            self.assertEqual(answer.json["model"], "fast")

    def test_tls_sessions_are_resumed(self):
        before = gateway.upstream.stats()["resumed"]
        for _ in range(5):
            gateway.call(CHAT, chat("close-after"))
        self.assertGreater(gateway.upstream.stats()["resumed"], before)

    def test_each_call_is_sent_once(self):
        before = len(gateway.upstream.requests())
        for _ in range(10):
            gateway.call(CHAT, chat("fast"))
        self.assertEqual(len(gateway.upstream.requests()), before + 10)


class Afterwards(harness.Case):

    def test_zz_the_books_are_clean(self):
        gateway.settled()
        gateway.verify()


if __name__ == "__main__":
    harness.main()
