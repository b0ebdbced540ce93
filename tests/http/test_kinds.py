"""Every route beside chat and messages, end to end: what the upstream gets,
what the customer gets, and what it costs."""

import contextlib
import json
import os
import re
import socket
import ssl
import threading
import time

import harness
from client import ANTHROPIC, FORM, events, form
from money import fee_of

gateway = None
RESPONSE = {"input": 211 - 101, "output": 53, "cache-read": 101}
GEMINI = {"input": 307 - 103, "output": 17 + 7, "cache-read": 103}


def setUpModule():
    global gateway
    # what a sanitizer keeps of freed memory is not the gateway's
    os.environ["ASAN_OPTIONS"] = ":".join(filter(None, (
        os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=1")))
    gateway = harness.Gateway(["fast"])
    # what customers call by another name than the upstream does
    gateway.add_models(["mine"], name="renamed", upstream_name="fast")


def tearDownModule():
    gateway.settled()
    gateway.verify()
    gateway.stop()


@contextlib.contextmanager
def hasty_upstream(answer=b"HTTP/1.1 400 No\r\nContent-Type: "
                   b"application/json\r\nContent-Length: 2\r\n\r\n{}"):
    """One that answers, when the event is set, a request of which it has seen
    the head alone."""
    now = threading.Event()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(gateway.certs.cert, gateway.certs.key)

    def serve():
        with contextlib.suppress(OSError):
            while True:
                sock = context.wrap_socket(listener.accept()[0],
                                           server_side=True)
                while b"\r\n\r\n" not in sock.recv(65536):
                    pass
                now.wait(20)
                sock.sendall(answer)
                with contextlib.suppress(OSError):
                    while sock.recv(65536):
                        pass
                sock.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}", now


class Case(harness.Case):

    def charged(self, answer, counts):
        """The record of the call, whose fee is that of the counts."""
        self.assertEqual(answer.status, 200, answer)
        record = gateway.record(answer.request_id)
        self.assertEqual(record["fee_nano"], fee_of(counts), record)
        return record

    def sent(self):
        """The last request that the upstream got."""
        return gateway.upstream.requests()[-1]

    def sent_model(self):
        """The model that stood in it."""
        raw = self.sent()["raw"]
        if raw.startswith(b"{"):
            return json.loads(raw)["model"]
        return re.search(rb'name="model"\r\n\r\n([^\r]*)',
                         raw)[1].decode()


class OpenAI(Case):

    def test_completions(self):
        answer = gateway.call("/v1/completions",
                              {"model": "mine", "prompt": "Hi"})
        self.charged(answer, {"input": 19, "output": 23})
        self.assertEqual(self.sent_model(), "fast")

    def test_streamed_completions_keep_our_usage_frame_back(self):
        with gateway.stream("/v1/completions", {
                "model": "fast", "prompt": "Hi", "stream": True}) as stream:
            data = stream.read()
            request_id = stream.headers["x-request-id"]
        self.assertIn(b"[DONE]", data)
        self.assertNotIn(b'"choices":[]', data)
        self.assertEqual(gateway.record(request_id)["fee_nano"],
                         fee_of({"input": 19, "output": 23}))

    def test_embeddings_moderations_and_rankings(self):
        for path, body, counts in (
                ("/v1/embeddings", {"input": "x"}, {"input": 37}),
                ("/v1/rerank", {"query": "q", "documents": ["a", "b"]},
                 {"input": 41})):
            with self.subTest(path=path):
                answer = gateway.call(path, {"model": "mine"} | body)
                self.charged(answer, counts)
                self.assertEqual(self.sent_model(), "fast")
        answer = gateway.call("/v1/moderations",
                              {"model": "fast", "input": "x"})
        self.assertEqual(answer.status, 200, answer)
        self.assert_openai_error(
            gateway.call("/v1/moderations", {"input": "x"}), 404)

    def test_images(self):
        answer = gateway.call("/v1/images/generations", {
            "model": "mine", "prompt": "x", "n": 2, "size": "1024x1536"})
        self.charged(answer, {"input": 43})

    def test_speech_is_relayed_as_it_is(self):
        answer = gateway.call("/v1/audio/speech", {
            "model": "fast", "voice": "alloy", "input": "Hello"})
        # Characters have no price here: charged as the audio of theirs,
        # two tokens of output each.
        record = self.charged(answer, {"output": 10})
        self.assertEqual(record["characters"], 5)
        self.assertIn("unpriced", record["flags"])
        self.assertEqual(answer.headers["content-type"], "audio/mpeg")
        self.assertTrue(answer.body.startswith(b"ID3"))

    def test_one_model(self):
        answer = gateway.get("/v1/models/fast")
        self.assertEqual(answer.json["id"], "fast")
        self.assertEqual(answer.json["object"], "model")
        self.assert_openai_error(gateway.get("/v1/models/nothing"), 404)
        self.assertEqual(gateway.get("/v1/models/fast", ANTHROPIC)
                         .json["type"], "model")

    def test_no_websocket(self):
        self.assert_openai_error(gateway.get("/v1/responses", {
            "Upgrade": "websocket", "Connection": "Upgrade"}), 426)
        answer = gateway.get("/v1/responses")
        self.assert_openai_error(answer, 405)
        self.assertEqual(answer.headers["allow"], "POST")


class Responses(Case):

    def make(self, **more):
        return gateway.call("/v1/responses",
                            {"model": "fast", "input": "Hi"} | more)

    def test_whole_and_streamed(self):
        self.charged(self.make(), RESPONSE)
        with gateway.stream("/v1/responses", {
                "model": "mine", "input": "Hi", "stream": True}) as stream:
            names = [name for name, _ in events(stream.read())]
            request_id = stream.headers["x-request-id"]
        self.assertEqual(names[-1], "response.completed")
        self.assertEqual(gateway.record(request_id)["fee_nano"],
                         fee_of(RESPONSE))

    def test_a_stored_one_is_free_and_only_its_makers(self):
        made = self.make().json["id"]
        path = f"/v1/responses/{made}"
        for method, rest in (("GET", ""), ("GET", "/input_items?limit=2"),
                             ("POST", "/cancel"), ("DELETE", "")):
            with self.subTest(method=method, rest=rest):
                answer = gateway.call(path + rest, None, method=method)
                self.charged(answer, {})
                self.assertEqual(self.sent()["target"], path + rest)
                self.assertEqual(self.sent()["method"], method)
        other = gateway.add_customer("other", "5")
        self.assert_openai_error(gateway.get(path, key=other), 404)
        self.assert_openai_error(gateway.get("/v1/responses/resp_no"), 404)

    def test_continuing_needs_ones_own(self):
        made = self.make().json["id"]
        self.charged(self.make(previous_response_id=made), RESPONSE)
        answer = self.make(previous_response_id="resp_elses")
        self.assert_openai_error(answer, 404)

    def test_the_background_is_billed_once(self):
        answer = self.make(background=True)
        self.charged(answer, {})
        made = answer.json["id"]
        path = f"/v1/responses/{made}"
        for refused in (self.make(previous_response_id=made),
                        gateway.call(path, None, method="DELETE")):
            self.assert_openai_error(refused, 409)
        first = gateway.get(path)
        self.assertEqual(first.json["status"], "in_progress")
        self.charged(first, {})
        second = gateway.get(path)
        self.assertEqual(second.json["status"], "completed")
        self.charged(second, RESPONSE)
        self.charged(gateway.get(path), {})
        self.charged(self.make(previous_response_id=made), RESPONSE)
        self.charged(gateway.call(path, None, method="DELETE"), {})

    def test_a_cancelled_one_is_over_and_free(self):
        path = f"/v1/responses/{self.make(background=True).json['id']}"
        self.charged(gateway.call(path + "/cancel", None), {})
        self.charged(gateway.call(path, None, method="DELETE"), {})

    def test_the_background_needs_its_money_when_it_is_fetched(self):
        key = gateway.add_customer("spent", "0.01")
        answer = gateway.call("/v1/responses", {
            "model": "fast", "input": "Hi", "background": True,
            "max_output_tokens": 900}, key=key)
        self.charged(answer, {})
        gateway.settled("spent")
        # what is left after these is less than the answer may cost
        for _ in range(8):
            gateway.call("/v1/responses", {
                "model": "fast", "input": "Hi", "max_output_tokens": 60},
                key=key)
        path = f"/v1/responses/{answer.json['id']}"
        self.assert_openai_error(gateway.get(path, key=key), 402)


class Forms(Case):

    def upload(self, *parts, headers=FORM, path="/v1/audio/transcriptions"):
        return gateway.call(path, form(*parts), headers)

    def test_model_before_and_behind_a_small_file(self):
        file = ("file", "a.mp3", os.urandom(30000))
        for parts in ((("model", "mine"), file), (file, ("model", "mine"))):
            answer = self.upload(*parts)
            self.charged(answer, {"input": 59, "output": 61})
            self.assertEqual(self.sent_model(), "fast")

    def test_a_large_file_streams_through(self):
        data = os.urandom(25 << 20)
        pids = list(gateway.children("worker"))

        def memory():
            return sum(int(line.split()[1]) for pid in pids
                       for line in open(f"/proc/{pid}/status")
                       if line.startswith("VmHWM"))
        before = memory()
        answer = self.upload(("model", "mine"), ("file", "a.wav", data))
        self.charged(answer, {"input": 59, "output": 61})
        self.assertLess(memory() - before, 8 << 10)
        expected = form(("model", "fast"), ("file", "a.wav", data))
        self.assertEqual(self.sent()["bytes"], len(expected))

    def test_an_unknown_length_streams_too(self):
        body = form(("model", "mine"), ("file", "a.mp3", b"x" * 300000))
        connection = gateway.connect()
        connection.request(
            "POST", "/v1/audio/transcriptions",
            (body[i:i + 7000] for i in range(0, len(body), 7000)),
            FORM | {"Authorization": f"Bearer {gateway.key}"},
            encode_chunked=True)
        response = connection.getresponse()
        answer = harness.Answer(response, response.read())
        connection.close()
        self.charged(answer, {"input": 59, "output": 61})
        self.assertEqual(self.sent()["bytes"], len(body))

    def test_a_model_behind_a_large_file_is_refused(self):
        answer = self.upload(("file", "a.mp3", b"x" * (2 << 20)),
                             ("model", "fast"))
        error = self.assert_openai_error(answer, 400)
        self.assertEqual(error["param"], "model")

    def test_bad_forms_are_refused(self):
        file = ("file", "a.mp3", b"x" * 100)
        big = ("file", "a.mp3", b"x" * 200000)
        model = ("model", "fast")
        before = len(gateway.upstream.requests())
        for status, parts in (
                (400, (model, file, model)), (400, (model, big, model)),
                (400, (model, ("Model", "fast"), file)),
                (400, (("model", "a.txt", b"fast"), file)),
                (400, (file,)), (404, (("model", "nothing"), file)),
                (404, (("model", "nothing"), big)),
                (400, (model, ("stream", "maybe"), file))):
            with self.subTest(parts=[part[0] for part in parts]):
                self.assert_openai_error(self.upload(*parts), status)
        for headers in ({"Content-Type": "multipart/form-data"},
                        {"Content-Type": "multipart/form-data; boundary=x"}):
            self.assert_openai_error(
                self.upload(model, file, headers=headers), 400)
        self.assert_openai_error(
            self.upload(model, headers={"Content-Type": "text/plain"}), 415)
        gateway.settled()
        self.assertLessEqual(len(gateway.upstream.requests()), before + 1)

    def half(self, model="fast"):
        """A socket on which half a form has gone up already."""
        before = len(gateway.upstream.requests())
        body = form(("model", model), ("file", "a.mp3", b"x" * 200000))
        sock = gateway.raw()
        sock.sendall(
            f"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {gateway.key}\r\n"
            f"Content-Type: {FORM['Content-Type']}\r\n"
            "Transfer-Encoding: chunked\r\n\r\n"
            f"{100000:x}\r\n".encode() + body[:100000] + b"\r\n")
        harness.wait_until(lambda: gateway.busy() == 1, "money held", 10)
        self.assertEqual(len(gateway.upstream.requests()), before)
        return sock

    def test_half_a_form_costs_nothing(self):
        balance = gateway.settled()
        self.half().close()
        self.assertEqual(gateway.settled(), balance)
        with self.half() as sock:
            sock.sendall(b"no chunk at all\r\n")
            self.assertIn(b" 400 ", sock.recv(65536))
        self.assertEqual(gateway.settled(), balance)
        self.assertTrue(gateway.children("worker"))

    def test_half_a_form_that_was_answered_already_can_break_off(self):
        workers = set(gateway.children("worker"))
        balance = gateway.settled()
        with hasty_upstream() as (url, now):
            gateway.add_models(["hasty"], url=url, name="hasty")
            harness.wait_until(
                lambda: gateway.get("/v1/models/hasty").status == 200,
                "the model", 5)
            with self.half("hasty") as sock:
                now.set()
                harness.wait_until(lambda: gateway.busy() == 0,
                                   "the answer", 10)
                sock.sendall(b"no chunk at all\r\n")
                self.assertIn(b" 400 ", sock.recv(65536))
        self.assertEqual(gateway.settled(), balance)
        self.assertEqual(set(gateway.children("worker")), workers)

    def test_half_a_form_makes_no_whole_answer(self):
        balance = gateway.settled()
        with hasty_upstream(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n"
                b"1c\r\ndata: {\"type\":\"no matter\"}\n\n\r\n"
        ) as (url, now):
            gateway.add_models(["eager"], url=url, name="eager")
            harness.wait_until(
                lambda: gateway.get("/v1/models/eager").status == 200,
                "the model", 5)
            with self.half("eager") as sock:
                now.set()
                time.sleep(0.5)
                # the request ends, the form doesn't
                sock.sendall(b"0\r\n\r\n")
                data = b""
                sock.settimeout(5)
                with contextlib.suppress(OSError):
                    while part := sock.recv(65536):
                        data += part
        self.assertNotIn(b"\r\n0\r\n\r\n", data)
        self.assertEqual(gateway.settled(), balance)

    def test_images_and_streams(self):
        answer = self.upload(("image", "a.png", b"x" * 1000),
                             ("prompt", "x"), ("n", "2"), ("model", "mine"),
                             path="/v1/images/edits")
        self.charged(answer, {"input": 43})
        answer = self.upload(("model", "mine"), ("stream", "true"),
                             ("file", "a.mp3", b"x" * 1000))
        self.charged(answer, {"input": 59, "output": 61})
        self.assertIn(b"transcript.text.done", answer.body)


class Anthropic(Case):

    def test_counting_is_free(self):
        answer = gateway.call("/v1/messages/count_tokens?beta=true",
                              harness.message("mine"))
        self.charged(answer, {})
        self.assertEqual(answer.json["input_tokens"], 2095)
        self.assertEqual(self.sent()["target"],
                         "/v1/messages/count_tokens?beta=true")

    def test_batches_are_refused_and_hello_answered(self):
        for method in ("GET", "POST"):
            self.assert_anthropic_error(gateway.call(
                "/v1/messages/batches", None, method=method), 404)
        answer = gateway.call("/api/hello", None, method="HEAD", key=None)
        self.assertEqual(answer.status, 200)


class Gemini(Case):

    PATH = "/v1beta/models/mine:"
    BODY = {"contents": [{"parts": [{"text": "Hi"}]}]}

    def test_generate_with_the_key_anywhere(self):
        for query, headers in (
                ("", {"x-goog-api-key": gateway.key}),
                (f"?key={gateway.key}", {})):
            answer = gateway.call(self.PATH + "generateContent" + query,
                                  self.BODY, headers, key=None)
            self.charged(answer, GEMINI)
            sent = self.sent()
            self.assertEqual(sent["target"],
                             "/v1beta/models/fast:generateContent")
            self.assertNotIn(gateway.key, str(sent))

    def test_both_kinds_of_stream(self):
        for query in ("", "?alt=sse"):
            answer = gateway.call(
                self.PATH + "streamGenerateContent" + query, self.BODY)
            self.charged(answer, GEMINI)
            self.assertEqual(self.sent()["target"],
                             "/v1beta/models/fast:streamGenerateContent" +
                             query)
            if query:
                self.assertEqual(len(events(answer.body)), 2)
            else:
                self.assertEqual(len(answer.json), 2)

    def test_counting_and_embedding(self):
        self.charged(gateway.call(self.PATH + "countTokens", self.BODY), {})
        self.charged(gateway.call(
            self.PATH + "embedContent",
            {"model": "models/mine", "content": {"parts": [
                {"text": "x" * 300}]}}),
            {"input": 67})
        self.assertEqual(self.sent_model(), "models/fast")
        self.charged(gateway.call(self.PATH + "batchEmbedContents", {
            "requests": [{"model": "models/mine", "content": {"parts": [
                {"text": "x" * 300}]}},
                         {"content": {}, "model": "models/mine"}]}),
            {"input": 73})
        self.assertEqual(
            [one["model"] for one in
             json.loads(self.sent()["raw"])["requests"]],
            ["models/fast", "models/fast"])

    def test_interactions(self):
        counts = {"input": 113, "output": 29 + 11}
        body = {"model": "mine", "input": "Hi"}
        answer = gateway.call("/v1beta/interactions", body)
        self.charged(answer, counts)
        self.charged(gateway.call("/v1beta/interactions", body | {
            "previous_interaction_id": answer.json["id"]}), counts)
        answer = gateway.call("/v1/interactions", body | {"stream": True})
        self.charged(answer, counts)
        for more in ({"background": True}, {"previous_interaction_id": "x"}):
            answer = gateway.call("/v1beta/interactions", body | more)
            self.assertIn(answer.status, (400, 404), answer)
            self.assertIn("code", answer.json["error"])

    def test_models_and_errors_have_its_shape(self):
        names = [row["name"] for row in
                 gateway.get("/v1beta/models").json["models"]]
        self.assertIn("models/fast", names)
        self.assertEqual(gateway.get("/v1beta/models/fast").json["name"],
                         "models/fast")
        for path, body, status in (
                ("/v1beta/models/nothing:generateContent", self.BODY, 404),
                (self.PATH + "bogus", self.BODY, 404),
                (self.PATH + "generateContent", b"{", 400),
                (self.PATH + "generateContent",
                 {"generationConfig": {"maxOutputTokens": 5,
                                       "max_output_tokens": 6}}, 400)):
            with self.subTest(path=path):
                answer = gateway.call(path, body)
                self.assertEqual(answer.status, status, answer)
                self.assertEqual(answer.json["error"]["code"], status)


if __name__ == "__main__":
    harness.main()
