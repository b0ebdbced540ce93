"""The customer's side of an end-to-end test: bodies, answers, streams."""

import http.client
import json
import re
import time

CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
ANTHROPIC = {"anthropic-version": "2023-06-01"}
BOUNDARY = "----formdata-0123456789"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def chat(model, stream=False, text="Hello", **more):
    """An OpenAI chat completion's body as a dictionary."""
    body = {"model": model, "messages": [{"role": "user", "content": text}]}
    if stream:
        body["stream"] = True
    return body | more


def message(model, stream=False, text="Hello", **more):
    """An Anthropic message's body as a dictionary."""
    return chat(model, stream, text, **({"max_tokens": 500} | more))


def form(*parts):
    """A multipart body: (name, value) or (name, filename, bytes)."""
    body = b""
    for name, *rest in parts:
        body += f"--{BOUNDARY}\r\nContent-Disposition: form-data; " \
                f'name="{name}"'.encode()
        if len(rest) == 2:
            body += f'; filename="{rest[0]}"\r\n' \
                    f"Content-Type: application/octet-stream".encode()
        body += b"\r\n\r\n" + (rest[-1] if isinstance(rest[-1], bytes)
                               else rest[-1].encode()) + b"\r\n"
    return body + f"--{BOUNDARY}--\r\n".encode()


class Answer:
    """A complete response."""

    def __init__(self, response, body, complete=True):
        self.status = response.status
        self.headers = response.headers
        self.body = body
        self.complete = complete

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def request_id(self):
        return self.headers["x-request-id"]

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class Stream:
    """A response that is read as it comes: pieces of (seconds, bytes)."""

    def __init__(self, connection, response):
        self.connection = connection
        self.response = response
        self.status = response.status
        self.headers = response.headers
        self.complete = False
        self.data = b""

    def pieces(self):
        begin = time.monotonic()
        try:
            while True:
                part = self.response.read1(65536)
                if not part:
                    # a body of known length ends without being closed
                    self.complete = (self.response.isclosed() or
                                     self.response.length == 0)
                    return
                self.data += part
                yield time.monotonic() - begin, part
        except (http.client.IncompleteRead, OSError):
            self.complete = False

    def read(self):
        """All of it; returns the bytes."""
        for _ in self.pieces():
            pass
        return self.data

    def read_until(self, wanted):
        """Reads until the bytes wanted have come; True if they did."""
        for _ in self.pieces():
            if wanted in self.data:
                return True
        return wanted in self.data

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def events(data):
    """[(name, data)] of the complete server-sent events; names may be ''."""
    found = []
    for block in re.split(rb"\r?\n\r?\n", data)[:-1]:
        name, lines = "", []
        for line in block.splitlines():
            if line.startswith(b"event:"):
                name = line[6:].strip().decode()
            elif line.startswith(b"data:"):
                lines.append(line[5:].lstrip())
        if name or lines:
            found.append((name, b"\n".join(lines).decode()))
    return found
