"""Tickets, from the customer's question to the refund; and what customers
change of their own account."""

import base64
import json
import subprocess

import harness
import test_portal
from harness import CHAT, YOUYUNCTL, chat, nano

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 100
PDF = b"%PDF-1.7\n\xff\xfe\n%%EOF\n"
TEXT = "it says: höher ✓\n\tx\r\n".encode()

gateway = None
keys = {}


def setUpModule():
    global gateway
    gateway = harness.Gateway(["fast"])
    for who in ("other", "busy"):
        gateway.add_customer(who)
    for who in ("test", "other", "busy"):
        keys[who] = gateway.ctl_json("key", "add", who, "--scope",
                                     "account")["key"]
        gateway.wait_for_key(keys[who])


def tearDownModule():
    gateway.stop()


def sql(text, role="youyun_owner"):
    return test_portal.sql(text, role, gateway)


def ctl(*words, stdin=""):
    return subprocess.run([YOUYUNCTL, "-c", gateway.config, *map(str, words)],
                          input=stdin, capture_output=True, text=True,
                          check=False)


def file(name, content):
    return {"name": name, "content": base64.b64encode(content).decode()}


class Tickets(harness.Case):

    def ask(self, path, who="test", method="GET", body=None):
        answer = gateway.call(path, body, key=keys.get(who), method=method)
        test_portal.check_against_document(method, path, answer)
        return answer

    def ok(self, *words, status=200, **options):
        answer = self.ask(*words, **options)
        self.assertEqual(answer.status, status, answer.body)
        return answer.json

    def post(self, path, body, who="test", status=201):
        return self.ok(path, who, "POST", body, status=status)

    def open(self, who="test", **more):
        return self.post("/api/v1/tickets", {"subject": "slow", "text": "why?"}
                         | more, who)

    def problem(self, status, code, name, *words):
        answer = self.ask(*words)
        self.assertEqual((answer.status, answer.json["code"],
                          answer.json.get("name")), (status, code, name))

    def called(self):
        call = gateway.call(CHAT, chat("fast"))
        gateway.record(call.request_id)
        return call.request_id

    def test_from_the_question_to_the_refund(self):
        request_id = self.called()
        ticket = self.open(request_id=request_id, text="cut off\nat line 3",
                           attachments=[file("screen.png", PNG),
                                        file("log", TEXT)])
        number = str(ticket["id"])
        self.assertEqual((ticket["state"], ticket["request_id"]),
                         ("open", request_id))
        self.assertEqual([f["type"] for f in ticket["messages"][0]["files"]],
                         ["image/png", "text/plain; charset=utf-8"])
        self.assertIn(ticket["id"], [t["id"] for t in
                                     gateway.rows("ticket", "list")])
        shown = gateway.ctl("ticket", "show", number)
        for words in ("cut off\n    at line 3", request_id, "Charged",
                      "screen.png", "PNG, 264 bytes"):
            self.assertIn(words, shown)
        whole = gateway.ctl_json("ticket", "show", number)
        record = gateway.record(request_id)
        self.assertEqual(nano(whole["charged"]), record["fee_nano"])
        self.assertTrue(whole["agrees"])
        self.assertTrue(whole["messages"][0]["actor"].startswith(
            "customer:1/key:"))

        gateway.ctl("ticket", "answer", number, "--text", "We look.",
                    "--actor", "bob")
        seen = self.ok(f"/api/v1/tickets/{number}")
        self.assertEqual((seen["state"], seen["messages"][-1]["author"],
                          seen["messages"][-1]["text"]),
                         ("answered", "operator", "We look."))
        self.assertNotIn("bob", json.dumps(seen))
        notice = self.ok("/api/v1/notices?limit=1")["notices"][0]
        self.assertEqual((notice["kind"], notice["detail"]["ticket"]),
                         ("ticket_answered", ticket["id"]))
        seen = self.post(f"/api/v1/tickets/{number}/messages",
                         {"text": "thanks", "attachments": [
                             file("a.pdf", PDF)]})
        self.assertEqual(seen["state"], "open")

        before = gateway.settled()
        half = "0.000000003"
        given = gateway.ctl_json("ticket", "refund", number, "--amount", half,
                                 "--reason", "cut off", "--key", "r1")
        self.assertEqual((nano(given["amount"]), nano(given["charged"])),
                         (nano(half), record["fee_nano"]))
        again = gateway.ctl_json("ticket", "refund", number, "--amount", half,
                                 "--reason", "cut off", "--key", "r1")
        self.assertEqual((again["transaction"], again["booked_now"]),
                         (given["transaction"], False))
        self.assertEqual(gateway.balance() - before, nano(half))
        told = gateway.ctl("ticket", "refund", number, "--reason", "rest")
        self.assertIn("Charged", told)
        self.assertIn("gave back test", told)
        self.assertEqual(gateway.balance() - before, record["fee_nano"])
        done = ctl("ticket", "refund", number, "--reason", "more")
        self.assertEqual(done.returncode, 4)
        self.assertIn("at most 0.00 is left", done.stderr)
        seen = self.ok(f"/api/v1/tickets/{number}")
        self.assertEqual(sum(nano(r["amount"]) for r in seen["refunds"]),
                         record["fee_nano"])
        self.assertEqual(self.ok("/api/v1/notices?limit=1")["notices"][0]
                         ["kind"], "ticket_refunded")

        gateway.ctl("ticket", "close", number)
        self.problem(409, "closed", None,
                     f"/api/v1/tickets/{number}/messages", "test", "POST",
                     {"text": "but"})
        done = ctl("ticket", "answer", number, "--text", "x")
        self.assertEqual((done.returncode, done.stderr),
                         (4, f"youyunctl: ticket {number} is closed\n"))
        gateway.verify()

    def test_files_come_back_as_they_were(self):
        sent = [("a.png", PNG), ("b.png", JPEG), ("c", PDF), ("d.exe", TEXT)]
        ticket = self.open(attachments=[file(*s) for s in sent])
        files = ticket["messages"][0]["files"]
        kinds = ["image/png", "image/jpeg", "application/pdf",
                 "text/plain; charset=utf-8"]
        for (name, content), kept, kind in zip(sent, files, kinds):
            answer = self.ask(f"/api/v1/tickets/{ticket['id']}/files/"
                              f"{kept['id']}")
            self.assertEqual((answer.body, answer.headers["content-type"],
                              kept["name"], kept["bytes"]),
                             (content, kind, name, len(content)))
            self.assertIn("attachment;",
                          answer.headers["content-disposition"])
        folder = gateway.folder / "saved"
        folder.mkdir()
        gateway.ctl("ticket", "show", str(ticket["id"]), "--save", folder)
        saved = {p.suffix: p.read_bytes() for p in folder.iterdir()}
        self.assertEqual(saved, {".png": PNG, ".jpg": JPEG, ".pdf": PDF,
                                 ".txt": TEXT})
        done = ctl("ticket", "show", ticket["id"], "--save", folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn("File exists", done.stderr)

    def test_what_may_not_be_attached_is_refused(self):
        before = sql("SELECT count(*) FROM ticket")
        large = b"\x89PNG\r\n\x1a\n" + b"\0" * (512 * 1024)
        for attachments, why in (
                ([file("x", b"MZ\x90\0")], "Allowed are PNG"),
                ([file("x.png", b"<svg onload=1>\0")], "Allowed are PNG"),
                ([file("x", b"\xff\xfe")], "Allowed are PNG"),
                ([file("x", b"\xed\xa0\x80")], "Allowed are PNG"),
                ([file("x", b"")], "1 to 524288"),
                ([file("x", large)], "1 to 524288"),
                ([file("a/b", TEXT)], "no slash"),
                ([file("x" * 101, TEXT)], "no slash"),
                ([{"name": "x"}], "name and content"),
                ([{"name": "x", "content": "YQ==", "type": "y"}],
                 "name and content"),
                ([{"name": "x", "content": "YQ"}], "no base64"),
                ([{"name": "x", "content": 5}], "string of base64"),
                ([file("x", TEXT)] * 5, "4 files"),
                ("x", "A list")):
            answer = self.ask("/api/v1/tickets", "test", "POST", {
                "subject": "s", "text": "t", "attachments": attachments})
            self.assertEqual((answer.status, answer.json["name"]),
                             (400, "attachments"), answer.body)
            self.assertIn(why, answer.json["detail"])
        self.assertEqual(sql("SELECT count(*) FROM ticket"), before)

    def test_mistakes_are_named(self):
        for change, code, name in (
                ({"subject": ""}, "bad_member", "subject"),
                ({"subject": "a\nb"}, "bad_member", "subject"),
                ({"subject": "  "}, "bad_member", "subject"),
                ({"subject": "x" * 201}, "bad_member", "subject"),
                ({"text": " \n"}, "bad_member", "text"),
                ({"text": "a\x1b[2J"}, "bad_member", "text"),
                ({"text": "x" * 16385}, "bad_member", "text"),
                ({"request_id": "12"}, "bad_member", "request_id"),
                ({"request_id": "req_" + "0" * 32}, "no_call", "request_id"),
                ({"more": 1}, "unknown_member", "more")):
            self.problem(400, code, name, "/api/v1/tickets", "test", "POST",
                         {"subject": "s", "text": "t"} | change)
        self.problem(400, "bad_argument", "state", "/api/v1/tickets?state=x")
        for words, why in (
                (("ticket", "show", "x"), "no number"),
                (("ticket", "answer", self.open()["id"], "--text", " "),
                 "says nothing"),
                (("ticket", "list", "--state", "x"), "allowed are open"),
                (("ticket", "refund", self.open()["id"], "--reason", "r"),
                 "about no call")):
            done = ctl(*words)
            self.assertIn(done.returncode, (2, 4))
            self.assertIn(why, done.stderr)
        self.assertEqual(ctl("ticket", "show", 4711).returncode, 3)

    def test_an_answer_can_be_read_from_standard_input(self):
        number = self.open()["id"]
        done = ctl("ticket", "answer", number, "--close",
                   stdin="Dear customer,\n\nit is done.\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        seen = self.ok(f"/api/v1/tickets/{number}")
        self.assertEqual((seen["state"], seen["messages"][-1]["text"]),
                         ("closed", "Dear customer,\n\nit is done."))

    def test_what_customers_write_moves_no_cursor(self):
        number = self.open()["id"]
        # The API lets none in; whatever came another way is shown harmless.
        sql("UPDATE ticket_message SET text = E'a\\x1b[2J' || chr(155) || 'z'"
            f" WHERE ticket_id = {number}")
        shown = gateway.ctl("ticket", "show", str(number))
        self.assertIn("a?[2J?z", shown)
        self.problem(400, "bad_member", "text", "/api/v1/tickets", "test",
                     "POST", {"subject": "s", "text": "a\x9b2J"})

    def test_lists_come_in_pages(self):
        for _ in range(5):
            self.open("other")
        seen, after = [], None
        while True:
            page = self.ok("/api/v1/tickets?limit=2" +
                           (f"&after={after}" if after else ""), "other")
            seen += [t["id"] for t in page["tickets"]]
            after = page["next"]
            if after is None:
                break
        self.assertEqual(seen, sorted(set(seen), reverse=True))
        self.assertGreaterEqual(len(seen), 5)
        closed = self.ok(f"/api/v1/tickets/{seen[0]}/close", "other", "POST")
        self.assertEqual(closed["state"], "closed")
        self.ok(f"/api/v1/tickets/{seen[0]}/close", "other", "POST")
        self.assertEqual([t["id"] for t in self.ok(
            "/api/v1/tickets?state=closed", "other")["tickets"]], seen[:1])
        listed, after = [], 0
        while True:
            rows = gateway.rows("ticket", "list", "--customer", "other",
                                "--state", "all", "--limit", "2",
                                *(("--after", str(after)) if after else ()))
            if not rows:
                break
            listed += [r["id"] for r in rows]
            after = listed[-1]
        self.assertEqual(listed, seen[::-1])

    def test_nobody_sees_anothers(self):
        request_id = self.called()
        ticket = self.open(attachments=[file("x", TEXT)])
        number, kept = ticket["id"], ticket["messages"][0]["files"][0]["id"]
        for path, method, body in (
                (f"/api/v1/tickets/{number}", "GET", None),
                (f"/api/v1/tickets/{number}/close", "POST", None),
                (f"/api/v1/tickets/{number}/files/{kept}", "GET", None),
                (f"/api/v1/tickets/{number}/messages", "POST",
                 {"text": "mine"})):
            self.problem(404, "not_found", None, path, "other", method, body)
        self.problem(400, "no_call", "request_id", "/api/v1/tickets", "other",
                     "POST", {"subject": "s", "text": "t",
                              "request_id": request_id})
        own = self.open("other")["id"]
        self.problem(404, "not_found", None,
                     f"/api/v1/tickets/{own}/files/{kept}", "other")
        for view in ("my_ticket", "my_ticket_message", "my_ticket_file",
                     "my_ticket_refund", "my_account"):
            self.assertEqual(sql(f"SELECT count(*) FROM {view}",
                                 "youyun_portal"), ["0"], view)
        for text in ("SELECT * FROM ticket", "SELECT * FROM ticket_message",
                     "SELECT * FROM ticket_file",
                     "SELECT ticket_answer(1, 'x', false)",
                     "SELECT ticket_refunded(1, 1)"):
            with self.assertRaisesRegex(AssertionError, "permission denied"):
                sql(text, "youyun_portal")
        # A message that was made before takes no more files.
        with self.assertRaisesRegex(AssertionError, "no such message"):
            sql("BEGIN; SELECT set_config('youyun.customer', '1', true); "
                "SELECT my_ticket_file_add("
                f"{ticket['messages'][0]['id']}, 'x', 4, 'x'); COMMIT",
                "youyun_portal")

    def test_there_are_bounds(self):
        for _ in range(20):
            last = self.open("busy")["id"]
        self.problem(409, "too_many_tickets", None, "/api/v1/tickets", "busy",
                     "POST", {"subject": "s", "text": "t"})
        sql(f"""INSERT INTO ticket_message (ticket_id, author, actor, text)
            SELECT {last}, 0, 'x', 'x' FROM generate_series(1, 179)""")
        self.post(f"/api/v1/tickets/{last}/messages", {"text": "200th"},
                  "busy")
        answer = self.ask(f"/api/v1/tickets/{last}/messages", "busy", "POST",
                          {"text": "too many"})
        self.assertEqual((answer.status, answer.json["code"]),
                         (429, "too_many_messages"))
        self.assertIn("retry-after", answer.headers)
        sql("UPDATE ticket_message SET at = at - interval '25 hours' WHERE "
            f"ticket_id = {last}")
        sql(f"""INSERT INTO ticket_file (message_id, name, type, content)
            SELECT (SELECT max(id) FROM ticket_message WHERE ticket_id =
            {last}), 'x', 4, decode(repeat('61', 524288), 'hex')
            FROM generate_series(1, 128)""")
        self.problem(409, "files_full", "attachments",
                     f"/api/v1/tickets/{last}/messages", "busy", "POST",
                     {"text": "t", "attachments": [file("x", TEXT)]})
        messages = self.ok(f"/api/v1/tickets/{last}", "busy")["messages"]
        self.assertNotIn("too many", [m["text"] for m in messages])

    def test_the_account_is_changed_by_its_owner(self):
        self.assertEqual(self.ok("/api/v1/account")["language"], "en")
        changed = self.ok("/api/v1/account", "test", "PATCH",
                          {"contact": "ops@example.com", "language": "zh"})
        self.assertEqual((changed["contact"], changed["language"]),
                         ("ops@example.com", "zh"))
        self.assertEqual(self.ok("/api/v1/account")["language"], "zh")
        notice = self.ok("/api/v1/notices?limit=1")["notices"][0]
        self.assertEqual((notice["kind"], notice["detail"]),
                         ("account_changed",
                          {"changed": ["contact", "language"]}))
        # Who changed it may be a thief: the old address is told.
        self.ok("/api/v1/account", "test", "PATCH",
                {"contact": "thief@example.net"})
        notice = self.ok("/api/v1/notices?limit=1")["notices"][0]
        self.assertEqual(notice["detail"], {"changed": ["contact"],
                                            "mail_to": "ops@example.com"})
        self.assertTrue(sql(
            "SELECT actor FROM audit WHERE action = 'customer.update' ORDER "
            "BY id DESC LIMIT 1")[0].startswith("customer:1/key:"))
        # What is the same already is no change to tell of.
        self.ok("/api/v1/account", "test", "PATCH", {"language": "zh"})
        self.ok("/api/v1/account", "test", "PATCH", {})
        self.assertEqual(self.ok("/api/v1/notices?limit=1")["notices"][0],
                         notice)
        for body, name in (({"language": "fr"}, "language"),
                           ({"language": None}, "language"),
                           ({"contact": "x" * 513}, "contact"),
                           ({"contact": "a\nb"}, "contact"),
                           ({"contact": 5}, "contact")):
            self.problem(400, "bad_member", name, "/api/v1/account", "test",
                         "PATCH", body)
        self.problem(400, "unknown_member", "name", "/api/v1/account",
                     "test", "PATCH", {"name": "root"})
        self.assertEqual(self.ok("/api/v1/account", "other")["contact"], "")
        gateway.ctl("customer", "set", "other", "--language", "de")
        self.assertEqual(self.ok("/api/v1/account", "other")["language"],
                         "de")
        self.assertEqual(gateway.ctl_json("customer", "show", "other")
                         ["language"], "de")
        done = ctl("customer", "set", "other", "--language", "fr")
        self.assertEqual(done.returncode, 2)
        self.assertIn("allowed are en, zh and de", done.stderr)


if __name__ == "__main__":
    harness.main()
