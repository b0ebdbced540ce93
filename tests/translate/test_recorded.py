"""Recorded answers of the providers, translated for each client protocol:
the text, the calls, the reason to stop and the usage are the upstream's, and
the result does not depend on how a stream was cut.

The recordings are samples/*.jsonl and, if the environment names one, the file
YOUYUN_CORPUS.  A line is an object with protocol, stream, status and body.
What the upstream said and what the client got are read by two readers of this
file's own, which know nothing of each other's protocol."""

import copy
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TRANSLATE = pathlib.Path(os.environ["YOUYUN_BUILDDIR"],
                         "tests/translate/translate")
UPSTREAMS = {"openai-chat": "chat", "anthropic": "messages",
             "gemini": "gemini"}
CLIENTS = {"chat": ["messages", "responses", "gemini"],
           "messages": ["chat", "responses", "gemini"],
           "gemini": ["chat", "messages", "responses"]}


class Answer:
    """What an answer says, in no protocol's words."""

    def __init__(self):
        self.text = ""
        self.thinking = ""
        self.calls = []
        self.stop = None
        self.usage = (0, 0, 0, 0)  # input, cached, written, output
        self.error = None

    def call(self, name, arguments):
        """Arguments as text; compared as JSON where they are."""
        self.calls.append([name, arguments])

    def same_as(self, other):
        def calls(answer):
            said = []
            for name, arguments in answer.calls:
                try:
                    said.append((name, json.loads(arguments or "{}")))
                except ValueError:
                    said.append((name, {"invalid_json": arguments}))
            return said

        for what in ("text", "thinking", "stop", "usage"):
            if getattr(self, what) != getattr(other, what):
                return f"{what}: {getattr(self, what)!r} became " \
                    f"{getattr(other, what)!r}"
        if calls(self) != calls(other):
            return f"calls: {calls(self)} became {calls(other)}"
        return None


def events(body):
    """The data of a stream's events, as documents."""
    for event in body.replace("\r\n", "\n").split("\n\n"):
        data = "\n".join(line[5:].removeprefix(" ")
                         for line in event.split("\n")
                         if line.startswith("data:"))
        if data and data.strip() != "[DONE]":
            yield json.loads(data)


# Chat completions.

CHAT_STOPS = {"stop": "end", "length": "length", "tool_calls": "call",
              "function_call": "call", "content_filter": "filter",
              "error": "filter"}


def chat_usage(usage):
    details = usage.get("prompt_tokens_details") or {}
    cached = details.get("cached_tokens") or \
        usage.get("prompt_cache_hit_tokens") or \
        usage.get("cached_tokens") or usage.get("num_cached_tokens") or 0
    written = details.get("cache_write_tokens") or 0
    return (usage["prompt_tokens"] - cached - written, cached, written,
            usage["completion_tokens"])


def chat_content(answer, message):
    content = message.get("content") or ""
    if isinstance(content, str):
        answer.text += content
    else:
        for part in content:
            answer.text += part.get("text") or ""
            for inner in part.get("thinking") or []:
                answer.thinking += inner.get("text") or ""
    answer.text += message.get("refusal") or ""
    answer.thinking += message.get("reasoning_content") or \
        message.get("reasoning") or ""


def read_chat(body, streamed):
    answer = Answer()
    ids = []
    for document in events(body) if streamed else [json.loads(body)]:
        usage = document.get("usage") or \
            (document.get("x_groq") or {}).get("usage")
        if usage:
            answer.usage = chat_usage(usage)
        for choice in document.get("choices") or []:
            message = choice.get("delta" if streamed else "message") or {}
            if choice.get("index"):
                continue
            chat_content(answer, message)
            for call in message.get("tool_calls") or []:
                if not streamed or call.get("id") and \
                        call["id"] not in ids or not answer.calls:
                    ids.append(call.get("id"))
                    answer.call(call["function"]["name"], "")
                answer.calls[-1][1] += \
                    call["function"].get("arguments") or ""
            if choice.get("finish_reason"):
                answer.stop = CHAT_STOPS.get(choice["finish_reason"], "end")
    if answer.stop is None and "[DONE]" in body:
        answer.stop = "end"
    return answer


# Messages.

MESSAGES_STOPS = {"end_turn": "end", "max_tokens": "length",
                  "model_context_window_exceeded": "length",
                  "tool_use": "call", "stop_sequence": "end",
                  "refusal": "filter"}


class MessagesReader:
    def __init__(self):
        self.answer = Answer()
        self.usage = {}

    def take_usage(self, usage):
        self.usage |= {name: value for name, value in usage.items()
                       if value is not None}
        self.answer.usage = (
            self.usage.get("input_tokens", 0),
            self.usage.get("cache_read_input_tokens", 0),
            self.usage.get("cache_creation_input_tokens", 0),
            self.usage.get("output_tokens", 0))

    def take_stop(self, reason):
        if reason:
            self.answer.stop = MESSAGES_STOPS.get(reason, "end")

    def take_block(self, block):
        if block["type"] == "text":
            self.answer.text += block["text"]
        elif block["type"] == "thinking":
            self.answer.thinking += block["thinking"]
        elif block["type"] == "tool_use":
            self.answer.call(block["name"], json.dumps(block["input"])
                             if block["input"] else "")

    def take_event(self, event):
        kind = event["type"]
        if kind == "message_start":
            self.take_usage(event["message"].get("usage") or {})
        elif kind == "content_block_start":
            self.kind = event["content_block"]["type"]
            self.take_block(event["content_block"])
        elif kind == "content_block_delta":
            delta = event["delta"]
            if self.kind == "text":
                self.answer.text += delta.get("text", "")
            if self.kind == "thinking":
                self.answer.thinking += delta.get("thinking", "")
            if self.kind == "tool_use":
                self.answer.calls[-1][1] += delta.get("partial_json", "")
        elif kind == "message_delta":
            self.take_usage(event.get("usage") or {})
            self.take_stop(event["delta"].get("stop_reason"))


def read_messages(body, streamed):
    reader = MessagesReader()
    if streamed:
        for event in events(body):
            # Some recordings have the next answer behind.
            if event["type"] == "message_stop":
                break
            reader.take_event(event)
        return reader.answer
    message = json.loads(body)
    for block in message["content"]:
        if isinstance(block.get("text", ""), str):
            reader.take_block(block)
    reader.take_usage(message.get("usage") or {})
    reader.take_stop(message.get("stop_reason") or "end_turn")
    return reader.answer


# Gemini.

def read_gemini(body, streamed):
    answer = Answer()
    for document in events(body) if streamed else [json.loads(body)]:
        usage = document.get("usageMetadata")
        if usage:
            cached = usage.get("cachedContentTokenCount", 0)
            answer.usage = (
                usage.get("promptTokenCount", 0) +
                usage.get("toolUsePromptTokenCount", 0) - cached, cached, 0,
                usage.get("candidatesTokenCount", 0) +
                usage.get("thoughtsTokenCount", 0))
        for candidate in document.get("candidates", [])[:1]:
            for part in candidate.get("content", {}).get("parts", []):
                if "functionCall" in part:
                    answer.call(part["functionCall"]["name"],
                                json.dumps(part["functionCall"]["args"]))
                elif part.get("thought"):
                    answer.thinking += part.get("text", "")
                else:
                    answer.text += part.get("text", "")
            reason = candidate.get("finishReason")
            if reason:
                answer.stop = {"STOP": "end", "MAX_TOKENS": "length"}.get(
                    reason, "filter")
    if answer.stop is None and not streamed:
        answer.stop = "end"
    return answer


# Responses: clients only.

def read_responses(body, streamed):
    if not streamed:
        return read_response(json.loads(body))
    deltas = Answer()
    numbers = []
    done = []
    for event in events(body):
        numbers.append(event["sequence_number"])
        kind = event["type"]
        if kind == "response.output_text.delta":
            deltas.text += event["delta"]
        elif kind == "response.reasoning_summary_text.delta":
            deltas.thinking += event["delta"]
        elif kind == "response.output_item.added":
            if event["item"]["type"] == "function_call":
                deltas.call(event["item"]["name"], "")
        elif kind == "response.function_call_arguments.delta":
            deltas.calls[-1][1] += event["delta"]
        elif kind == "response.output_item.done":
            done.append(event["item"])
    assert numbers == list(range(len(numbers))), numbers
    response = event["response"]
    assert response["output"] == done, "the items are not the output"
    answer = read_response(response)
    deltas.stop, deltas.usage = answer.stop, answer.usage
    assert deltas.same_as(answer) is None, deltas.same_as(answer)
    return answer


def read_response(response):
    answer = Answer()
    for item in response["output"]:
        if item["type"] == "message":
            answer.text += "".join(part["text"] for part in item["content"])
        elif item["type"] == "reasoning":
            answer.thinking += "".join(part["text"]
                                       for part in item["summary"])
        else:
            answer.call(item["name"], item["arguments"])
    reason = (response["incomplete_details"] or {}).get("reason")
    answer.stop = {None: "call" if answer.calls else "end",
                   "max_output_tokens": "length",
                   "content_filter": "filter"}[reason]
    usage = response["usage"]
    details = usage["input_tokens_details"]
    written = details.get("cache_write_tokens", 0)
    answer.usage = (usage["input_tokens"] - details["cached_tokens"] -
                    written, details["cached_tokens"], written,
                    usage["output_tokens"])
    return answer


READERS = {"chat": read_chat, "messages": read_messages,
           "gemini": read_gemini, "responses": read_responses}


def translate(mode, client, upstream, body, piece=None):
    env = dict(os.environ)
    if piece:
        env["PIECE"] = str(piece)
    done = subprocess.run([TRANSLATE, mode, client, upstream],
                          input=body.encode(), capture_output=True,
                          check=False, env=env)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def check(record):
    """What is wrong with a recording's translations."""
    upstream = UPSTREAMS[record["protocol"]]
    body, streamed = record["body"], record["stream"]
    mode = "stream" if streamed else "answer"
    said = READERS[upstream](body, streamed)
    if said.calls and said.stop == "end":
        said.stop = "call"
    for client in CLIENTS[upstream]:
        status, text, why = translate(mode, client, upstream, body)
        if status:
            yield client, why.strip() or f"status {status}"
            continue
        got = READERS[client](text, streamed)
        if client in ("responses", "gemini") and said.stop == "call":
            # They have no such reason; responses is known by its calls.
            got.stop = "call"
        if client == "gemini":
            # Nor a place for what was written into a cache.
            said = copy.copy(said)
            said.usage = (said.usage[0] + said.usage[2], said.usage[1], 0,
                          said.usage[3])
        fault = said.same_as(got)
        if fault:
            yield client, fault
        for piece in (1, 7) if streamed else ():
            if translate(mode, client, upstream, body, piece)[1] != text:
                yield client, f"depends on the cut in pieces of {piece}"


def check_error(record):
    upstream = UPSTREAMS[record["protocol"]]
    body = record["body"]
    said = json.loads(body[body.index("{"):body.rindex("}") + 1])
    message = said["error"]["message"]
    for client in CLIENTS[upstream]:
        status, text, why = translate("error", client, upstream, body)
        got = json.loads(text)
        if status or got["error"]["message"] != message:
            yield client, f"the message is lost: {text} {why}"


def records():
    names = sorted((HERE / "samples").glob("*.jsonl"))
    if os.environ.get("YOUYUN_CORPUS"):
        names.append(pathlib.Path(os.environ["YOUYUN_CORPUS"]))
    for name in names:
        for number, line in enumerate(name.read_text().splitlines(), 1):
            record = json.loads(line)
            if record["protocol"] in UPSTREAMS:
                yield f"{name.name}:{number}", record


def must_be_able_to_fail():
    one, other = Answer(), Answer()
    one.text = other.text = "x"
    assert one.same_as(other) is None
    other.call("f", "{}")
    assert one.same_as(other)


def main():
    must_be_able_to_fail()
    count = faults = 0
    for name, record in records():
        ok = record["status"] == 200 and \
            '"error"' not in record["body"][:12]
        for client, fault in (check if ok else check_error)(record):
            print(f"{name}: for {client}: {fault}")
            faults += 1
        count += 1
    print(f"{count} recordings, {faults} faults")
    return 1 if faults or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
