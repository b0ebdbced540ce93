"""A customer's browser: a cookie, the token against forged requests, an
address of its own; an authenticator; and who reads the mail."""

import base64
import email
import email.policy
import hashlib
import hmac
import pathlib
import re
import shlex
import shutil
import struct
import tempfile
import time

import harness
import test_portal

COOKIE = "__Host-youyun"
CODE = re.compile(r"(?:[0-9A-Z]{5}-){3}[0-9A-Z]{5}")


class Browser:
    """Asks as a session, once it logged in."""

    def __init__(self, gateway, address="127.0.0.1"):
        self.gateway = gateway
        self.address = address
        self.cookie = None
        self.csrf = None

    def ask(self, method, path, body=None, csrf=True, **headers):
        if self.cookie:
            headers["Cookie"] = f"a=b; {COOKIE}={self.cookie}"
        if self.csrf and csrf:
            headers["X-CSRF-Token"] = self.csrf
        connection = self.gateway.connect()
        connection.source_address = (self.address, 0)
        try:
            answer = self.gateway.call(path, body, headers, key=None,
                                       method=method, connection=connection)
        finally:
            connection.close()
        test_portal.check_against_document(method, path, answer)
        return answer

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, **body):
        return self.ask("POST", path, body)

    def log_in(self, login, password, **more):
        answer = self.post("/api/v1/session", login=login, password=password,
                           **more)
        if answer.status == 201:
            self.cookie = re.match(COOKIE + "=([0-9a-f]{64});",
                                   answer.headers["set-cookie"])[1]
            self.csrf = answer.json["csrf_token"]
        return answer


class Authenticator:
    """RFC 6238, written again.  Its codes are of ever later steps."""

    def __init__(self, secret):
        self.secret = base64.b32decode(secret)
        self.last = 0

    def code_of(self, step):
        mac = hmac.digest(self.secret, struct.pack(">Q", step), hashlib.sha1)
        at = mac[-1] & 15
        number = struct.unpack(">I", mac[at:at + 4])[0] & 0x7fffffff
        return f"{number % 10 ** 6:06}"

    def code(self):
        """The next that is good: the last step, this one, or the next."""
        def step():
            now = int(time.time()) // 30
            wanted = max(self.last + 1, now - 1)
            # Late in a step it would be too old on arrival.
            if wanted == now - 1 and time.time() % 30 > 20:
                wanted = now
            return wanted if wanted <= now + 1 else 0
        self.last = harness.wait_until(step, "a step to be due", 40)
        return self.code_of(self.last)

    def wrong(self):
        now = int(time.time()) // 30
        near = {self.code_of(now + k) for k in range(-3, 4)}
        return next(c for c in ("000000", "111111", "222222", "333333",
                                "444444", "555555", "666666", "777777")
                    if c not in near)


class Mailbox:
    """Everybody's: a command that keeps each message."""

    COMMAND = """#!/bin/sh
cd {folder}
cat >new.$$
mv new.$$ mail.$$.$(date +%s%N)
"""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="yymail-"))
        self.folder.chmod(0o777)
        command = self.folder / "command"
        command.write_text(self.COMMAND.format(
            folder=shlex.quote(str(self.folder))))
        command.chmod(0o755)
        self.settings = {"mail_command": f'"{command} -t -i"',
                         "mail_from": "noreply@gateway.example"}

    def remove(self):
        shutil.rmtree(self.folder)

    def empty(self):
        for path in self.folder.glob("mail.*"):
            path.unlink()

    def mails(self, address, subject=""):
        """{path: message} of those to that address."""
        found = {}
        for path in sorted(self.folder.glob("mail.*")):
            mail = email.message_from_bytes(path.read_bytes(),
                                            policy=email.policy.default)
            if mail["to"] == address and subject in mail["subject"]:
                found[path] = mail
        return found

    def wait_for(self, address, subject=""):
        """The first such mail, taken out."""
        path, mail = next(iter(harness.wait_until(
            lambda: self.mails(address, subject),
            f"a mail to {address}: {subject}", 20).items()))
        path.unlink()
        return mail

    def code(self, address):
        """Of the mail with a code, in English."""
        return CODE.search(self.wait_for(address, "Your code")
                           .get_content())[0]
