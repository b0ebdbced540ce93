"""What customers are owed for their data, end to end: who receives them, what
happened to them, the copy of them, and their end."""

import base64
import email
import email.policy
import io
import json
import pathlib
import shlex
import shutil
import tempfile
import zipfile

import harness
import test_portal
from harness import CHAT, chat

COMMAND = "#!/bin/sh\ncat >{folder}/new.$$ && mv {folder}/new.$$ " \
    "{folder}/mail.$$\n"

gateway = None
folder = None
keys = {}


def setUpModule():
    global gateway, folder
    folder = pathlib.Path(tempfile.mkdtemp(prefix="yydpa-"))
    folder.chmod(0o777)
    command = folder / "command"
    command.write_text(COMMAND.format(folder=shlex.quote(str(folder))))
    command.chmod(0o755)
    gateway = harness.Gateway(["fast"], settings={
        "mail_command": f'"{command}"', "mail_from": "us@gateway.example"})
    account("test")


def tearDownModule():
    gateway.stop()
    shutil.rmtree(folder)


def account(who):
    keys[who] = gateway.ctl_json("key", "add", who, "--scope",
                                 "account")["key"]
    gateway.wait_for_key(keys[who])


def sql(text, role="youyun_owner"):
    return test_portal.sql(text, role, gateway)


def mails(to):
    return [m for m in (email.message_from_bytes(
        p.read_bytes(), policy=email.policy.default)
        for p in folder.glob("mail.*")) if m["to"] == to]


class Case(harness.Case):

    def ask(self, path, who="test", method="GET", body=None):
        answer = gateway.call(path, body, key=keys.get(who), method=method)
        test_portal.check_against_document(method, path, answer)
        return answer

    def ok(self, *words, status=200, **options):
        answer = self.ask(*words, **options)
        self.assertEqual(answer.status, status, answer.body)
        return answer.json

    def problem(self, status, code, *words, **options):
        answer = self.ask(*words, **options)
        self.assertEqual((answer.status, answer.json["code"]), (status, code))


class Subprocessors(Case):

    def answers(self, status):
        harness.wait_until(lambda: gateway.call(CHAT, chat("fast")).status ==
                           status, f"calls to get {status}", 10)

    def test_nothing_is_sent_before_its_time_or_after_its_end(self):
        gateway.ctl("customer", "set", "test", "--contact",
                    "test@example.com", "--language", "zh")
        gateway.ctl("subprocessor", "add", "peer", "--entity", "Peer Ltd",
                    "--purpose", "answers", "--region", "eu", "--region",
                    "us", "--country", "IE")
        shown, = self.ok("/api/v1/subprocessors", who=None)["subprocessors"]
        self.assertEqual((shown["entity"], shown["regions"], shown["ended"]),
                         ("Peer Ltd", ["eu", "us"], None))
        mail, = harness.wait_until(lambda: mails("test@example.com"),
                                   "the announcement", 10)
        self.assertEqual(mail["subject"], "新增分包处理方：peer")
        self.assertIn("eu, us", mail.get_content())
        # A channel that names none goes on as before.
        self.answers(200)
        for protocol in ("openai", "anthropic", "gemini"):
            self.answers(200)
            gateway.ctl("channel", "set", f"peer-{protocol}",
                        "--subprocessor", "peer")
        self.answers(404)
        # Its time comes without anybody's doing.
        sql("UPDATE subprocessor SET announced = now() - interval '1 day', "
            "valid_from = now() + interval '1 second'")
        self.answers(200)
        gateway.ctl("subprocessor", "end", "peer")
        self.answers(404)
        self.assertIsNotNone(self.ok("/api/v1/subprocessors", who=None)[
            "subprocessors"][0]["ended"])
        for protocol in ("openai", "anthropic", "gemini"):
            gateway.ctl("channel", "set", f"peer-{protocol}",
                        "--subprocessor", "none")
        self.answers(200)


class Incidents(Case):

    def test_who_is_affected_reads_it_and_gets_mail(self):
        gateway.add_customer("hit", credit="5")
        gateway.add_customer("spared")
        account("hit")
        account("spared")
        gateway.ctl("customer", "set", "hit", "--contact",
                    "hit@example.com", "--language", "de")
        called = gateway.call(CHAT, chat("fast"), key=keys["hit"])
        gateway.record(called.request_id)
        number = str(gateway.ctl_json(
            "incident", "open", "--kind", "intrusion", "--since", "1h",
            "--what", "Schlüssel kopiert", "--taken", "gesperrt")["id"])
        keyed = str(gateway.rows("calls", "--request",
                                 called.request_id)[0]["key_id"])
        gateway.ctl("incident", "scope", number, "--key", keyed)
        self.assertEqual(self.ok("/api/v1/incidents", "hit")["incidents"], [])
        gateway.ctl("incident", "notify", number)
        mail, = harness.wait_until(
            lambda: [m for m in mails("hit@example.com")
                     if "Vorfall" in m["subject"]], "the mail", 10)
        for part in ("Schlüssel kopiert", "gesperrt", "intrusion"):
            self.assertIn(part, mail.get_content())
        shown, = self.ok("/api/v1/incidents", "hit")["incidents"]
        self.assertEqual((shown["id"], shown["calls"], shown["what"],
                          shown["closed"]),
                         (int(number), 1, "Schlüssel kopiert", None))
        self.assertEqual(self.ok("/api/v1/incidents", "spared")["incidents"],
                         [])
        harness.wait_until(
            lambda: gateway.ctl_json("incident", "show", number)[
                "customers"][0]["mail"] == "sent", "the log", 10)


class Requests(Case):

    def test_asked_for_by_the_api_and_answered(self):
        gateway.add_customer("asker")
        account("asker")
        made = self.ok("/api/v1/requests", "asker", "POST",
                       {"kind": "portability", "text": "as a file,\nplease"},
                       status=201)
        self.assertEqual((made["kind"], made["text"], made["outcome"]),
                         ("portability", "as a file,\nplease", None))
        row, = [r for r in gateway.rows("request", "list")
                if r["id"] == made["id"]]
        self.assertEqual(row["proof"], "a key of scope account")
        self.assertEqual(self.ok("/api/v1/requests")["requests"], [])
        gateway.ctl("request", "answer", str(made["id"]), "--text", "here")
        shown, = self.ok("/api/v1/requests", "asker")["requests"]
        self.assertEqual((shown["outcome"], shown["answer"]),
                         ("done", "here"))
        self.problem(400, "bad_member", "/api/v1/requests", "asker", "POST",
                     {"kind": "gift"})
        for _ in range(10):
            self.ok("/api/v1/requests", "asker", "POST", {"kind": "access"},
                    status=201)
        self.problem(409, "too_many_requests", "/api/v1/requests", "asker",
                     "POST", {"kind": "access"})


class Exports(Case):

    def test_the_account_as_a_zip(self):
        gateway.add_customer("copied", credit="5")
        account("copied")
        ids = {gateway.call(CHAT, chat("fast"), key=keys["copied"])
               .request_id for _ in range(3)}
        for request_id in ids:
            gateway.record(request_id)
        content = bytes(range(256)) * 1000
        ticket = self.ok("/api/v1/tickets", "copied", "POST", {
            "subject": "s", "text": "t", "attachments": [
                {"name": "x.png", "content": base64.b64encode(
                    b"\x89PNG\r\n\x1a\n" + content).decode()}]},
            status=201)
        answer = self.ask("/api/v1/export", "copied")
        self.assertEqual((answer.status, answer.headers["content-type"]),
                         (200, "application/zip"))
        whole = zipfile.ZipFile(io.BytesIO(answer.body))
        self.assertIsNone(whole.testzip())
        calls = json.loads(whole.read("calls.json"))
        self.assertEqual({c["request_id"] for c in calls}, ids)
        self.assertEqual({(c["model"], c["error"]) for c in calls},
                         {("fast", None)})
        file, = json.loads(whole.read("files.json"))
        self.assertEqual((file["ticket"], whole.read(file["file"])[8:]),
                         (ticket["id"], content))
        self.assertEqual(json.loads(whole.read("account.json"))[0]["name"],
                         "copied")
        self.problem(401, "no_key", "/api/v1/export", who=None)


if __name__ == "__main__":
    harness.main()
