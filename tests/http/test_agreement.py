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
from harness import CHAT, chat, nano

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
    gateway = harness.Gateway(["fast", "drip-100-20"], settings={
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


class Closings(Case):

    def leaver(self, name):
        key = gateway.add_customer(name, credit="5")
        gateway.ctl("credit", name, "1", "--source", "promotional")
        account(name)
        called = gateway.call(CHAT, chat("fast"), key=key)
        gateway.record(called.request_id)
        return key, gateway.settled(name)

    def state(self, name, wanted):
        harness.wait_until(
            lambda: sql("SELECT max(state) FROM closing k JOIN customer c ON "
                        f"c.id = k.customer_id WHERE c.name = '{name}'")
            == [wanted], f"{name}'s closing in state {wanted}", 20)

    def known_callers(self, number):
        return sql("SELECT count(*), count(*) FILTER (WHERE address IS NOT "
                   "NULL OR agent <> '') FROM call WHERE customer_id = "
                   f"{number}")

    def test_by_the_customer_and_taken_back(self):
        key, balance = self.leaver("undecided")
        path = "/api/v1/account/closing"
        self.problem(404, "not_found", path, "undecided")
        self.problem(400, "bad_member", path, "undecided", "POST",
                     {"confirm": "yes"})
        begun = self.ok(path, "undecided", "POST", {"confirm": "undecided"},
                        status=201)
        self.assertEqual((begun["state"], begun["ended"]), ("grace", None))
        for one in (key, keys["undecided"]):
            harness.wait_until(
                lambda one=one: gateway.call(CHAT, chat("fast"), key=one)
                .status in (401, 403), "calls to be refused", 10)
        self.problem(409, "closing", path, "undecided", "POST",
                     {"confirm": "undecided"})
        # The account is still seen and copied.
        self.assertEqual(self.ok("/api/v1/account", "undecided")["status"],
                         "closed")
        self.assertEqual(self.ask("/api/v1/export", "undecided").status, 200)
        self.assertEqual(self.ok(path, "undecided", "DELETE")["state"],
                         "cancelled")
        self.problem(409, "not_closing", path, "undecided", "DELETE")
        self.assertEqual(gateway.balance("undecided"), balance)
        harness.wait_until(
            lambda: gateway.call(CHAT, chat("fast"), key=keys["undecided"])
            .status == 200, "calls to be accepted again", 10)
        gateway.settled("undecided")

    def test_the_flusher_ends_what_is_over(self):
        key, balance = self.leaver("leaver")
        number = sql("SELECT id FROM customer WHERE name = 'leaver'")[0]
        self.ok("/api/v1/account/closing", "leaver", "POST",
                {"confirm": "leaver"}, status=201)
        sql(f"UPDATE closing SET due = now() WHERE customer_id = {number}")
        self.state(f"erased-{number}", "3")
        told = json.loads(gateway.ctl("customer", "certificate", number))
        self.assertEqual(told["erased_by"], "youyun_flusher")
        self.assertEqual((told["payout"]["paid"],
                          nano(told["payout"]["lapsed"])),
                         ("5.00", balance - nano("5")))
        self.assertEqual(self.known_callers(number), ["1|0"])
        self.problem(401, "bad_key", "/api/v1/account", "leaver")
        self.assertEqual(gateway.settled(f"erased-{number}"), 0)
        self.assertTrue(gateway.verify()["ok"])

    def test_an_open_call_is_over_before_the_rest_is_booked(self):
        key, _ = self.leaver("streams")
        number = sql("SELECT id FROM customer WHERE name = 'streams'")[0]
        stream = gateway.stream(CHAT, chat("drip-100-20", stream=True),
                                key=key)
        self.assertTrue(stream.read_until(b"w000003"))
        told = json.loads(gateway.ctl("customer", "erase", "streams",
                                      "--yes"))
        self.assertEqual(told["customer"], int(number))
        self.assertEqual(nano(told["payout"]["paid"]) +
                         nano(told["payout"]["lapsed"]),
                         nano("6") - int(sql(
                             "SELECT sum(fee_nano) FROM call WHERE "
                             f"customer_id = {number}")[0]))
        stream.read()
        stream.close()
        self.assertEqual(self.known_callers(number), ["2|0"])
        # Who goes on calling by the old key is in the records for a day.
        late = gateway.call(CHAT, chat("fast"), key=key)
        self.assertEqual(late.status, 401)
        gateway.record(late.request_id)
        self.assertEqual(self.known_callers(number), ["3|1"])
        sql("UPDATE closing SET swept = now() - interval '25 hours' WHERE "
            f"customer_id = {number}")
        harness.wait_until(lambda: self.known_callers(number) == ["3|0"],
                           "the sweep", 10)
        gateway.settled(f"erased-{number}")


class Compliance(Case):

    def test_the_report_knows_the_running_gateway(self):
        found = gateway.ctl_json("compliance", "report")
        clauses = {c["clause"]: c for c in found["clauses"]}
        facts = {f["name"]: f["value"]
                 for c in clauses.values() for f in c["facts"]}
        self.assertEqual(set(clauses), {str(n) for n in range(1, 14)} -
                         {"12"})
        status = gateway.ctl_json("status")["sandbox_missing"]
        self.assertEqual(facts["sandbox"], f"the sandbox lacks {status}"
                         if status else "workers and flusher are confined")
        self.assertRegex(facts["TLS for customers, certificate"],
                         "^until 20")
        self.assertEqual(facts["notices by mail"], "on")
        self.assertEqual(clauses["9"]["gaps"], [])
        self.assertIn("staff", " ".join(clauses["5"]["gaps"]))


if __name__ == "__main__":
    harness.main()
