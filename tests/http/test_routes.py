"""Routes: what is served, to whom, and in which protocol's shape."""

import http.client
import json

import harness
from harness import ANTHROPIC, CHAT, MESSAGES, chat, message

gateway = None


def setUpModule():
    global gateway
    gateway = harness.Gateway(["fast", "echo", "status-429"])


def tearDownModule():
    gateway.stop()


class Answers(harness.Case):

    def test_chat_completion_is_relayed(self):
        answer = gateway.call(CHAT, chat("fast"))
        self.assertEqual(answer.status, 200, answer)
        self.assert_request_id(answer)
        self.assertEqual(answer.json["object"], "chat.completion")
        self.assertIn("demonstration upstream",
                      answer.json["choices"][0]["message"]["content"])

    def test_message_is_relayed(self):
        answer = gateway.call(MESSAGES, message("fast"))
        self.assertEqual(answer.status, 200, answer)
        self.assert_request_id(answer)
        self.assertEqual(answer.json["type"], "message")
        self.assertIn("demonstration upstream",
                      answer.json["content"][0]["text"])

    def test_query_of_a_message_is_accepted(self):
        answer = gateway.call(MESSAGES + "?beta=true", message("fast"))
        self.assertEqual(answer.status, 200, answer)

    def test_upstreams_own_headers_stay_behind(self):
        for path, body in ((CHAT, chat("fast")), (MESSAGES, message("fast"))):
            answer = gateway.call(path, body)
            self.assertEqual(answer.status, 200, answer)
            for name in ("set-cookie", "openai-organization",
                         "x-ratelimit-remaining-requests",
                         "anthropic-ratelimit-requests-remaining"):
                self.assertNotIn(name, answer.headers)
            self.assertEqual(len(answer.headers.get_all("x-request-id")), 1)
            self.assertNotIn("req_peer", str(answer.headers))
            self.assertNotEqual(answer.headers["server"], "peer")

    def test_request_ids_are_never_the_same(self):
        ids = [gateway.call(CHAT, chat("fast")).request_id
               for _ in range(20)]
        self.assertEqual(len(set(ids)), 20)

    def test_a_clients_request_id_is_not_taken_over(self):
        answer = gateway.call(CHAT, chat("fast"),
                              {"x-request-id": "mine-0123456789"})
        self.assertNotEqual(answer.request_id, "mine-0123456789")

    def test_key_in_either_header(self):
        ways = (
            {"Authorization": f"Bearer {gateway.key}"},
            {"Authorization": f"bearer {gateway.key}"},
            {"x-api-key": gateway.key},
            {"Authorization": f"Bearer {gateway.key}",
             "x-api-key": gateway.key},
        )
        for headers in ways:
            for path, body in ((CHAT, chat("fast")),
                               (MESSAGES, message("fast"))):
                with self.subTest(path=path, headers=list(headers)):
                    answer = gateway.call(path, body, headers, key=None)
                    self.assertEqual(answer.status, 200, answer)


class Connections(harness.Case):

    def test_one_connection_serves_many_calls(self):
        connection = gateway.connect()
        connection.connect()
        local = connection.sock.getsockname()
        for number in range(20):
            path, body = ((CHAT, chat("fast")) if number % 2 else
                          (MESSAGES, message("fast")))
            answer = gateway.call(path, body, connection=connection)
            self.assertEqual(answer.status, 200, answer)
            self.assertEqual(connection.sock.getsockname(), local)
        connection.close()

    def test_an_error_keeps_the_connection_usable(self):
        connection = gateway.connect()
        for status, body in ((404, chat("no-such-model")), (200, chat("fast")),
                             (400, {}), (200, chat("fast"))):
            answer = gateway.call(CHAT, body, connection=connection)
            self.assertEqual(answer.status, status, answer)
        connection.close()

    def test_pipelined_calls_are_answered_in_order(self):
        first = json.dumps(chat("fast")).encode()
        second = json.dumps(chat("no-such-model")).encode()
        sock = gateway.raw()
        sock.sendall(b"".join(
            f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {gateway.key}\r\n"
            f"Content-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode() + body
            for body in (first, second)))
        for status in (200, 404):
            response = http.client.HTTPResponse(sock, method="POST")
            response.fp.close()
            response.fp = sock.makefile("rb", buffering=0)
            response.begin()
            self.assertEqual(response.status, status)
            response.read()
        sock.close()

    def test_plain_http_on_the_tls_port_does_no_harm(self):
        plain = http.client.HTTPConnection("127.0.0.1", gateway.port,
                                           timeout=10 * harness.PATIENCE)
        with self.assertRaises((http.client.HTTPException, OSError)):
            plain.request("GET", "/healthz")
            if plain.getresponse().status >= 400:
                raise http.client.HTTPException("refused")
        plain.close()
        self.assertEqual(gateway.get("/healthz", key=None).status, 200)


class Probes(harness.Case):

    def test_health_and_readiness_need_no_key(self):
        for path in ("/healthz", "/readyz"):
            answer = gateway.get(path, key=None)
            self.assertEqual(answer.status, 200, answer)
            self.assert_request_id(answer)

    def test_head_has_no_body(self):
        for path in ("/healthz", "/readyz"):
            connection = gateway.connect()
            answer = gateway.call(path, None, method="HEAD",
                                  connection=connection)
            self.assertEqual((answer.status, answer.body), (200, b""))
            self.assert_request_id(answer)
            # what follows on the connection is the next answer's head
            answer = gateway.call(path, None, method="GET",
                                  connection=connection)
            self.assertEqual(answer.status, 200, answer)
            connection.close()


class Models(harness.Case):

    def test_openai_list(self):
        answer = gateway.get("/v1/models")
        self.assertEqual(answer.status, 200, answer)
        self.assert_request_id(answer)
        self.assertEqual(answer.json["object"], "list")
        rows = {row["id"]: row for row in answer.json["data"]}
        self.assertLessEqual({"fast", "echo"}, set(rows))
        for row in rows.values():
            self.assertEqual(row["object"], "model")
            self.assertIsInstance(row["created"], int)
            self.assertIsInstance(row["owned_by"], str)

    def test_anthropic_list(self):
        answer = gateway.get("/v1/models?limit=1000", ANTHROPIC)
        self.assertEqual(answer.status, 200, answer)
        self.assert_request_id(answer)
        rows = answer.json["data"]
        self.assertIn("fast", [row["id"] for row in rows])
        for row in rows:
            self.assertEqual(row["type"], "model")
            self.assertTrue(row["display_name"])
            self.assertRegex(row["created_at"], r"^\d{4}-\d\d-\d\dT")
        self.assertIs(answer.json["has_more"], False)
        self.assertEqual(answer.json["first_id"], rows[0]["id"])
        self.assertEqual(answer.json["last_id"], rows[-1]["id"])

    def test_list_needs_a_key(self):
        self.assert_openai_error(gateway.get("/v1/models", key=None), 401)
        self.assert_anthropic_error(
            gateway.get("/v1/models", ANTHROPIC, key=None), 401)


class Refusals(harness.Case):

    def test_unknown_path_is_404_in_the_callers_protocol(self):
        for path in ("/", "/v1", "/v1/chat/completionsx", "/v1/responses2",
                     "/V1/models", "//v1/models", "/v1/chat/completions/"):
            with self.subTest(path=path):
                self.assert_openai_error(
                    gateway.call(path, chat("fast")), 404)
        self.assert_anthropic_error(
            gateway.call("/v1/messages/batches", message("fast")), 404)
        self.assert_anthropic_error(
            gateway.get("/v1/nothing", ANTHROPIC), 404)

    def test_wrong_method_is_405_and_names_the_right_one(self):
        for path, method, allowed in (
                (CHAT, "GET", "POST"), (CHAT, "DELETE", "POST"),
                (MESSAGES, "PUT", "POST"), ("/v1/models", "DELETE", "GET")):
            with self.subTest(path=path, method=method):
                answer = gateway.call(path, None, method=method)
                self.assert_error(path, answer, 405)
                self.assertIn(allowed, answer.headers["allow"])

    def test_refusals_reach_no_upstream(self):
        before = len(gateway.upstream.requests())
        gateway.call("/v1/nothing", chat("fast"))
        gateway.call(CHAT, chat("no-such-model"))
        gateway.call(CHAT, chat("fast"), key="sk-wrong")
        gateway.call(CHAT, b"{")
        self.assertEqual(len(gateway.upstream.requests()), before)


if __name__ == "__main__":
    harness.main()
