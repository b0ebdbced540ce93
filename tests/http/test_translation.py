"""Clients of one protocol on channels of another: what they get, what it
costs, and how it fails."""

import itertools
import json

import harness
import test_durability
from channels import Channels
from harness import CHAT, MESSAGES, chat, events, fee_of, message, nano

RESPONSES = "/v1/responses"
LAST = "is on your bill."
WORDS = 27		# of the peer's demonstration sentence
# Models by what serves them and what they do there: "anthropic/fast".
UPSTREAMS = ("openai", "anthropic", "gemini")

gateway = None
channels = None


def setUpModule():
    global gateway, channels
    gateway = harness.Gateway(
        workers=2, settings={
            "retry_percent": 1000, "stream_extend_tokens": 64,
            "default_max_tokens": 2000, "on_client_abort": "drain"})
    channels = Channels(gateway)
    for protocol in UPSTREAMS:
        channels.add(f"only-{protocol}", "*", [f"{protocol}/*"],
                     "--model", f"plain-{protocol}=fast", protocol=protocol)
        channels.price(f"{protocol}/*")
        channels.open(f"plain-{protocol}")


def tearDownModule():
    gateway.stop()


def responses(model, stream=False, **more):
    return {"model": model, "input": "Hello", "stream": stream} | more


def gemini(model, stream=False, how="", **more):
    verb = "streamGenerateContent" if stream else "generateContent"
    return (f"/v1beta/models/{model}:{verb}{how if stream else ''}",
            {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]} |
            more)


# (path, body) of a call by each kind of client.
CLIENTS = {
    "chat": lambda *a, **m: (CHAT, chat(*a, **m)),
    "messages": lambda *a, **m: (MESSAGES, message(*a, **m)),
    "responses": lambda *a, **m: (RESPONSES, responses(*a, **m)),
    "gemini": gemini,
    "gemini-sse": lambda *a, **m: gemini(*a, how="?alt=sse", **m),
}
SPOKEN = {"chat": "openai", "responses": "openai", "messages": "anthropic",
          "gemini": "gemini", "gemini-sse": "gemini"}
# Those on a channel of another protocol.
PAIRS = [(client, upstream) for client, upstream in
         itertools.product(CLIENTS, UPSTREAMS)
         if SPOKEN[client] != upstream]


def documents(client, data):
    """The JSON values of a stream, which must all be whole."""
    if client == "gemini":
        return json.loads(data)
    assert data.endswith(b"\n\n"), data[-200:]
    return [json.loads(text) for _, text in events(data) if text != "[DONE]"]


def parts_of(value):
    return [part for candidate in value.get("candidates", ())
            for part in candidate.get("content", {}).get("parts", ())]


def said(client, stream, data):
    """(text, input, output) of an answer, as its protocol says them."""
    found = documents(client, data) if stream else [json.loads(data)]
    if client == "chat":
        text = "".join(
            choice["delta" if stream else "message"].get("content") or ""
            for value in found for choice in value["choices"])
        usage = found[-1]["usage"]
        assert not stream or data.endswith(b"data: [DONE]\n\n"), data[-99:]
        return text, usage["prompt_tokens"], usage["completion_tokens"]
    if client == "messages":
        if not stream:
            usage = found[0]["usage"]
            text = found[0]["content"][0]["text"]
        else:
            assert found[-1]["type"] == "message_stop", found[-1]
            usage = found[-2]["usage"]
            text = "".join(value["delta"].get("text", "") for value in found
                           if value["type"] == "content_block_delta")
        return text, (usage["input_tokens"] +
                      usage["cache_read_input_tokens"]), \
            usage["output_tokens"]
    if client == "responses":
        last = found[-1]["response"] if stream else found[0]
        assert last["status"] == "completed", last
        if stream:
            assert [value["sequence_number"] for value in found] == \
                list(range(len(found))), found
        usage = last["usage"]
        return last["output"][-1]["content"][0]["text"], \
            usage["input_tokens"], usage["output_tokens"]
    usage = found[-1]["usageMetadata"]
    text = "".join(part.get("text", "") for value in found
                   for part in parts_of(value))
    return text, usage["promptTokenCount"], \
        usage["candidatesTokenCount"] + usage.get("thoughtsTokenCount", 0)


class Case(harness.Case):

    def setUp(self):
        self.before = gateway.settled()
        self.mark()

    def mark(self):
        self.log = len(gateway.upstream.requests())

    def sent(self):
        """The requests that the upstream got since."""
        return gateway.upstream.requests()[self.log:]

    def assert_charged(self, *records):
        fees = 0
        for record in records:
            self.assertEqual(record["fee_nano"], fee_of(
                {n.replace("_", "-"): v
                 for n, v in record["usage"].items()}), record)
            fees += record["fee_nano"]
        self.assertEqual(self.before - gateway.settled(), fees)

    def assert_error_of(self, client, answer, status):
        """The error in the client's own shape; its message."""
        self.assertEqual(answer.status, status, answer)
        self.assert_request_id(answer)
        self.assertEqual(answer.headers["content-type"], "application/json")
        error = answer.json["error"]
        if client.startswith("gemini"):
            self.assertEqual(error["code"], status)
            self.assertTrue(error["status"])
        elif client == "messages":
            self.assertEqual(answer.json["type"], "error")
            self.assertEqual(answer.json["request_id"], answer.request_id)
        else:
            self.assertLessEqual({"type", "param", "code"}, set(error))
        return error["message"]

    def assert_ends_with_error(self, client, data):
        last = documents(client, data)[-1]
        if client == "responses":
            self.assertEqual(last["type"], "error")
            self.assertTrue(last["message"])
        else:
            self.assertTrue(last["error"]["message"])
        if client == "messages":
            self.assertEqual(events(data)[-1][0], "error")
        self.assertNotIn(b"[DONE]", data)
        return last


class Answers(Case):

    def check(self, client, upstream, stream):
        more = {"stream_options": {"include_usage": True}} \
            if client == "chat" and stream else {}
        path, body = CLIENTS[client](f"{upstream}/fast", stream, **more)
        answer = gateway.call(path, body)
        self.assertEqual(answer.status, 200, answer)
        self.assertTrue(answer.complete)
        self.assertEqual(
            answer.headers["content-type"], "text/event-stream"
            if stream and client != "gemini" else "application/json")
        text, told_input, told_output = said(client, stream, answer.body)
        record = gateway.record(answer.request_id)
        sent, = self.sent()
        if upstream == "gemini":	# the peer's one answer
            self.assertEqual(text, "Hello")
            expected = {"input": 204, "cache_read": 103, "output": 24}
        else:
            self.assertTrue(text.endswith(LAST), text)
            expected = {"input": sent["bytes"] // 4, "output": WORDS}
        usage = {n: v for n, v in record["usage"].items() if v}
        self.assertEqual(usage, expected)
        self.assertEqual((told_input, told_output), (
            usage["input"] + usage.get("cache_read", 0), usage["output"]))
        self.assertEqual(record["channel"], f"only-{upstream}")
        return record

    def test_all_kinds_on_all_others(self):
        records = []
        for client, upstream in PAIRS:
            for stream in (False, True):
                with self.subTest(client=client, upstream=upstream,
                                  stream=stream):
                    self.mark()
                    records.append(self.check(client, upstream, stream))
        self.assert_charged(*records)

    def test_what_is_asked_arrives_in_the_upstreams_words(self):
        tools = [{"type": "function", "function": {
            "name": "weather", "parameters": {"type": "object"}}}]
        self.assertEqual(gateway.call(CHAT, chat(
            "anthropic/fast", tools=tools, max_tokens=77,
            stop=["x"])).status, 200)
        self.assertEqual(gateway.call(CHAT, chat(
            "anthropic/fast")).status, 200)
        self.assertEqual(gateway.call(MESSAGES, message(
            "openai/fast", True, system="Be brief", max_tokens=78)).status,
            200)
        first, second, third = self.sent()
        body = json.loads(first["raw"])
        self.assertEqual(first["target"], MESSAGES)
        self.assertEqual(body["model"], "fast")
        self.assertEqual(body["tools"][0]["name"], "weather")
        self.assertEqual(body["max_tokens"], 77)
        self.assertEqual(body["stop_sequences"], ["x"])
        # What money is held for is what may be made of it.
        self.assertEqual(json.loads(second["raw"])["max_tokens"], 2000)
        body = json.loads(third["raw"])
        self.assertEqual(third["target"], CHAT)
        self.assertEqual(body["messages"][0],
                         {"role": "system", "content": "Be brief"})
        self.assertEqual(body["stream_options"], {"include_usage": True})

    def test_an_answer_longer_than_the_buffer_comes_whole(self):
        records = []
        for client, upstream in (("chat", "anthropic"),
                                 ("responses", "anthropic"),
                                 ("messages", "openai")):
            for stream in (False, True):
                with self.subTest(client=client, stream=stream):
                    path, body = CLIENTS[client](
                        f"{upstream}/long-12000", stream,
                        **{"max_output_tokens" if client == "responses"
                           else "max_tokens": 30000})
                    answer = gateway.call(path, body)
                    self.assertEqual(answer.status, 200, answer)
                    self.assertIn(b"w011999", answer.body)
                    records.append(gateway.record(answer.request_id))
        self.assert_charged(*records)

    def test_a_client_that_leaves_pays_for_all_of_it(self):
        path, body = CLIENTS["messages"]("openai/drip-20-50", True)
        with gateway.stream(path, body) as stream:
            self.assertTrue(stream.read_until(b"content_block_delta"))
            request_id = stream.headers["x-request-id"]
        record = gateway.record(request_id)
        self.assertIn("client_gone", record["flags"])
        self.assertEqual(record["usage"]["output"], 20)
        self.assert_charged(record)


class Choice(Case):

    def test_models_of_other_protocols_are_listed(self):
        for headers, rows, name in (
                (None, "data", "id"), (harness.ANTHROPIC, "data", "id"),
                ({"x-goog-api-key": gateway.key}, "models", "name")):
            path = "/v1beta/models" if rows == "models" else "/v1/models"
            listed = [row[name].removeprefix("models/") for row in
                      gateway.get(path, headers).json[rows]]
            self.assertLessEqual({f"plain-{u}" for u in UPSTREAMS},
                                 set(listed))

    def test_the_clients_own_protocol_comes_first(self):
        channels.add("worse", "fast", ["both"], "--priority", "9")
        channels.add("better", "fast", ["both"], protocol="anthropic")
        channels.open("both")
        for client, channel in (("chat", "worse"), ("messages", "better")):
            answer = gateway.call(*CLIENTS[client]("both"))
            self.assertEqual(gateway.record(answer.request_id)["channel"],
                             channel)

    def test_what_fails_goes_to_another_protocol(self):
        records = []
        for fault in ("reset", "status-500", "not-json", "error-first"):
            stream = fault == "error-first"
            model = f"moves-{fault}"
            channels.add(f"first-{fault}", fault, [model],
                         protocol="anthropic")
            channels.add(f"then-{fault}", "fast", [model], "--priority", "1",
                         protocol="gemini")
            channels.open(model)
            with self.subTest(fault=fault):
                self.mark()
                answer = gateway.call(*CLIENTS["chat"](model, stream))
                self.assertEqual(answer.status, 200, answer)
                self.assertIn(b"Hel", answer.body)
                self.assertNotIn(b'"error"', answer.body)
                record = gateway.record(answer.request_id)
                self.assertEqual((record["attempts"], record["channel"]),
                                 (2, f"then-{fault}"))
                self.assertEqual(record["usage"]["output"], 24)
                self.assertEqual(len(self.sent()), 2)
                records.append(record)
        self.assert_charged(*records)

    def test_what_one_protocol_cannot_say_another_may(self):
        channels.add("mute", "fast", ["seeded"], protocol="anthropic")
        channels.add("able", "fast", ["seeded"], "--priority", "1",
                     protocol="gemini")
        channels.open("seeded")
        answer = gateway.call(*CLIENTS["chat"]("seeded", seed=7))
        self.assertEqual(answer.status, 200, answer)
        record = gateway.record(answer.request_id)
        self.assertEqual((record["attempts"], record["channel"]),
                         (1, "able"))
        self.assert_charged(record)
        refused = gateway.call(*CLIENTS["chat"]("seeded", logprobs=True))
        self.assertIn("logprobs", self.assert_error_of("chat", refused, 400))

    def test_responses_of_a_provider_that_has_chat_alone(self):
        channels.add("chats", "fast", ["chat-alone"],
                     "--responses", "translated")
        channels.open("chat-alone")
        records = []
        for stream in (False, True):
            self.mark()
            answer = gateway.call(RESPONSES, responses("chat-alone", stream))
            self.assertEqual(answer.status, 200, answer)
            text, _, output = said("responses", stream, answer.body)
            self.assertTrue(text.endswith(LAST), text)
            self.assertEqual(output, WORDS)
            sent, = self.sent()
            self.assertEqual(sent["target"], CHAT)
            records.append(gateway.record(answer.request_id))
        self.assert_charged(*records)
        # Chat is passed on as it is, and what has responses comes first.
        self.mark()
        gateway.call(CHAT, chat("chat-alone", seed=1))
        self.assertEqual(json.loads(self.sent()[0]["raw"])["seed"], 1)
        channels.add("knows", "fast", ["chat-alone"], "--priority", "9")

        def native():
            return gateway.record(gateway.call(RESPONSES, responses(
                "chat-alone")).request_id)["channel"] == "knows"
        harness.wait_until(native, "the channel that has responses", 5)

    def test_other_routes_are_not_translated(self):
        for path, body in (
                ("/v1/embeddings", {"model": "plain-anthropic",
                                    "input": "x"}),
                ("/v1/messages/count_tokens", message("plain-openai"))):
            answer = gateway.call(path, body)
            self.assert_error(path, answer, 404)
        self.assertEqual(self.sent(), [])


class Errors(Case):

    def test_what_has_no_word_is_refused_by_its_name(self):
        for client, upstream, member in (
                ("chat", "anthropic", {"logit_bias": {"1": 2}}),
                ("chat", "anthropic", {"of_tomorrow": 1}),
                ("messages", "openai", {"top_k": 3}),
                ("responses", "gemini", {"conversation": "conv_1"}),
                ("gemini", "anthropic", {"cachedContent": "c/1"})):
            for stream in (False, True):
                with self.subTest(client=client, member=member):
                    answer = gateway.call(*CLIENTS[client](
                        f"{upstream}/fast", stream, **member))
                    text = self.assert_error_of(client, answer, 400)
                    self.assertIn(next(iter(member)), text)
                    record = gateway.record(answer.request_id)
                    self.assertEqual((record["status"], record["error"],
                                      record["fee_nano"]),
                                     (400, "not_translated", 0))
        self.assertEqual(self.sent(), [])
        self.assert_charged()

    def test_an_answer_that_is_kept_cannot_be_continued_elsewhere(self):
        kept = gateway.call(RESPONSES, responses("openai/fast"))
        self.assertEqual(kept.status, 200, kept)
        self.setUp()
        answer = gateway.call(RESPONSES, responses(
            "anthropic/fast", previous_response_id=kept.json["id"]))
        self.assertIn("previous_response_id",
                      self.assert_error_of("responses", answer, 400))
        self.assertEqual(self.sent(), [])
        self.assert_charged()

    def test_the_upstreams_errors_in_the_clients_shape(self):
        statuses = {400: 400, 404: 404, 429: 429, 500: 502, 529: 503}
        for client, upstream in (("chat", "anthropic"),
                                 ("responses", "anthropic"),
                                 ("messages", "openai"),
                                 ("gemini", "openai")):
            for status, told in statuses.items():
                with self.subTest(client=client, status=status):
                    answer = gateway.call(*CLIENTS[client](
                        f"{upstream}/status-{status}", status == 404))
                    text = self.assert_error_of(client, answer, told)
                    # What is about the request is the customer's to read.
                    self.assertEqual("peer says" in text,
                                     status in (400, 404))
                    record = gateway.record(answer.request_id)
                    self.assertEqual((record["status"], record["fee_nano"]),
                                     (told, 0))
        self.assert_charged()

    def test_what_is_no_answer_is_a_502(self):
        for fault, stream in (("not-json", False), ("not-json", True),
                              ("empty-body", False)):
            with self.subTest(fault=fault, stream=stream):
                answer = gateway.call(*CLIENTS["chat"](
                    f"anthropic/{fault}", stream))
                self.assert_error_of("chat", answer, 502)
        self.assert_charged()

    def test_a_cut_stream_ends_with_an_error(self):
        records = []
        for client, upstream in (("chat", "anthropic"),
                                 ("responses", "anthropic"),
                                 ("messages", "openai"),
                                 ("gemini", "openai"),
                                 ("gemini-sse", "anthropic")):
            for fault in ("cut-mid-stream", "cut-mid-event",
                          "reset-mid-stream", "error-event"):
                with self.subTest(client=client, fault=fault):
                    answer = gateway.call(*CLIENTS[client](
                        f"{upstream}/{fault}", True))
                    self.assertEqual(answer.status, 200, answer)
                    self.assertTrue(answer.complete)
                    self.assert_ends_with_error(client, answer.body)
                    record = gateway.record(answer.request_id)
                    if fault != "error-event":
                        self.assertIn("upstream_cut", record["flags"])
                    self.assertGreater(record["fee_nano"], 0)
                    records.append(record)
        self.assert_charged(*records)

    def test_a_stream_ends_when_the_money_is_gone(self):
        for client, upstream in (("chat", "anthropic"),
                                 ("responses", "anthropic"),
                                 ("messages", "openai"),
                                 ("gemini", "openai")):
            with self.subTest(client=client):
                name = f"thin-{client}"
                key = gateway.add_customer(name, "0.015")
                limit = {"responses": {"max_output_tokens": 30000},
                         "gemini": {"generationConfig":
                                    {"maxOutputTokens": 30000}}}.get(
                    client, {"max_tokens": 30000})
                path, body = CLIENTS[client](f"{upstream}/long-20000", True,
                                             **limit)
                answer = gateway.call(path, body, key=key)
                self.assertEqual(answer.status, 200, answer)
                self.assertTrue(answer.complete)
                self.assertIn(b"w000010", answer.body)
                self.assertNotIn(b"w019999", answer.body)
                last = self.assert_ends_with_error(client, answer.body)
                self.assertIn("balance", json.dumps(last))
                record = gateway.record(answer.request_id)
                self.assertIn("cut_short", record["flags"])
                left = gateway.settled(name)
                self.assertGreaterEqual(left, 0)
                self.assertEqual(nano("0.015") - left, record["fee_nano"])


class Strict(test_durability.Durability):
    DURABILITY = "strict"
    SETTINGS = {"strict_timeout": "60s"}
    held = test_durability.Strict.held

    def test_the_last_byte_waits_for_the_record(self):
        made = Channels(self.gateway)
        for upstream in UPSTREAMS:
            made.add(f"only-{upstream}", "fast", [f"plain-{upstream}"],
                     protocol=upstream)
            made.open(f"plain-{upstream}")
        for client, upstream, stream in (
                ("chat", "anthropic", False), ("chat", "gemini", True),
                ("messages", "openai", True)):
            with self.subTest(client=client, upstream=upstream):
                first, whole = self.held(*CLIENTS[client](
                    f"plain-{upstream}", stream))
                full = self.payload(whole)
                self.assertGreater(len(full), 50)
                self.assertEqual(self.payload(first), full[:-1])


if __name__ == "__main__":
    harness.main()
