"""Screening: what the operator's lists name is found in requests and answers,
refused or marked, and nothing of it is kept but the list's number."""

import json
import pathlib
import subprocess

import harness
from client import FORM, form
from harness import CHAT, MESSAGES, chat, message

gateway = None
GEMINI = "/v1beta/models/{}:generateContent"
WORD = "quibblefish"			# nobody says it by chance


def setUpModule():
    global gateway
    gateway = harness.Gateway(["fast", "demo", "echo"], workers=2)


def tearDownModule():
    gateway.stop()


class Screening(harness.Case):

    lists = 0

    def customer(self, group=None):
        Screening.lists += 1
        name = f"screened-{Screening.lists}"
        gateway.add_customer(name, credit="100")
        if group:
            gateway.ctl("group", "set", group, "--multiplier", "1")
            gateway.ctl("customer", "set", name, "--group", group)
        key = gateway.add_key(name)
        gateway.wait_for_key(key)
        return name, key

    def make(self, entries, *options):
        """A list of these entries; returns its name."""
        Screening.lists += 1
        name = f"list-{Screening.lists}"
        gateway.ctl("screen", "set", name, *options)
        path = pathlib.Path(gateway.folder) / "entries"
        path.write_text("# a comment\n\n" + "\n".join(entries) + "\n")
        gateway.ctl("screen", "import", name, str(path))
        self.addCleanup(gateway.ctl, "screen", "set", name, "--disable")
        return name

    def until(self, status, path, body, key, **more):
        """Lists are live within a moment; the answer that shows it."""
        last = []

        def shows():
            last[:] = [gateway.call(path, body, key=key, **more)]
            return last[0].status == status
        harness.wait_until(shows, f"{status}")
        return last[0]

    def ctl(self, *arguments):
        return subprocess.run(
            [harness.YOUYUNCTL, "-c", gateway.config, "screen", *arguments],
            capture_output=True, text=True, check=False)

    def ids(self):
        return {row["name"]: row["id"] for row in
                gateway.rows("screen", "list")}

    def test_a_blocked_request_is_refused_and_costs_nothing(self):
        customer, key = self.customer()
        name = self.make([WORD, "pattern: acct-####"], "--action", "block")
        body = chat("fast", text=f"tell me of the {WORD.upper()}!")
        answer = self.until(400, CHAT, body, key)
        error = answer.json["error"]
        self.assertEqual(error["code"], "content_policy_violation")
        self.assertNotIn(WORD, answer.body.decode().lower())
        before = gateway.upstream.log.read_bytes()
        for path, body in (
                (CHAT, chat("fast", text="my acct-1234 please")),
                (CHAT, {"model": "fast", "messages": [
                    {"role": "system", "content": [
                        {"type": "text", "text": WORD}]},
                    {"role": "user", "content": "x"}]}),
                (MESSAGES, message("fast", text=WORD)),
                (GEMINI.format("fast"), {"contents": [
                    {"parts": [{"text": f"a {WORD}."}]}]}),
                ("/v1/responses", {"model": "fast", "input": WORD}),
                ("/v1/embeddings", {"model": "fast", "input": ["x", WORD]})):
            answer = gateway.call(path, body, key=key)
            self.assertEqual(answer.status, 400, (path, answer))
        self.assertEqual(before, gateway.upstream.log.read_bytes())
        for text in ("acct-12345", WORD + "es", "qui bblefish"):
            self.assertEqual(gateway.call(CHAT, chat("fast", text=text),
                                          key=key).status, 200, text)
        row = gateway.record(answer.request_id)
        self.assertEqual(row["error"], "content_blocked")
        self.assertEqual(row["screen_list"], self.ids()[name])
        self.assertIn("blocked", row["flags"])
        self.assertEqual(row["fee_nano"], 0)

    def test_escapes_do_not_hide_it(self):
        _, key = self.customer()
        self.make([WORD], "--action", "block")
        self.until(400, CHAT, chat("fast", text=WORD), key)
        escaped = "".join(f"\\u{ord(c):04x}" for c in WORD)
        body = json.dumps(chat("fast", text="PLACE")).replace(
            "PLACE", escaped).encode()
        self.assertEqual(gateway.call(CHAT, body, key=key).status, 400)
        wide = "".join(chr(ord(c) + 0xfee0) for c in WORD)
        for text in (wide, "\u200b".join(WORD)):
            self.assertEqual(gateway.call(CHAT, chat("fast", text=text),
                                          key=key).status, 400)

    def test_forms_are_screened_and_files_are_not(self):
        _, key = self.customer()
        self.make([WORD], "--action", "block")
        self.until(400, CHAT, chat("fast", text=WORD), key)
        for prompt, file, status in (("x", WORD.encode(), 200),
                                     (WORD, b"x", 400),
                                     (WORD, b"x" * 200000, 400)):
            for order in (1, -1):
                parts = [("prompt", prompt), ("file", "a.wav", file)][::order]
                answer = gateway.call(
                    "/v1/audio/transcriptions",
                    form(("model", "fast"), *parts), FORM, key=key)
                self.assertEqual(answer.status, status,
                                 (prompt[:20], len(file), order, answer))

    def test_flags_mark_the_record_only(self):
        customer, key = self.customer()
        name = self.make([f"text: {WORD[:6]}"])
        body = chat("fast", text=WORD)

        def marked():
            answer = gateway.call(CHAT, body, key=key)
            self.assertEqual(answer.status, 200)
            row = gateway.record(answer.request_id)
            return row["screen_list"] == self.ids()[name] and \
                "flagged" in row["flags"]
        harness.wait_until(marked, "a call to be marked")
        row = gateway.record(gateway.call(CHAT, chat("fast"),
                                          key=key).request_id)
        self.assertIsNone(row["screen_list"])
        gateway.verify()

    def test_a_list_for_a_group_is_for_that_group(self):
        _, inside = self.customer("watched")
        _, outside = self.customer()
        self.make([WORD], "--action", "block", "--group", "watched")
        body = chat("fast", text=WORD)
        self.until(400, CHAT, body, inside)
        self.assertEqual(gateway.call(CHAT, body, key=outside).status, 200)

    def test_a_streamed_answer_ends_before_it(self):
        # The phrase comes in two events, behind some others.
        _, key = self.customer("streams")
        name = self.make(["small demonstration"], "--action", "block",
                         "--answers", "yes", "--group", "streams")
        self.until(400, CHAT, chat("fast", text="small demonstration"), key)
        stream = gateway.stream(CHAT, chat("demo", stream=True), key=key)
        data = stream.read()
        self.assertEqual(stream.status, 200)
        self.assertIn(b"small", data)
        self.assertNotIn(b"demonstration", data)
        self.assertIn(b"content_policy_violation", data)
        row = gateway.record(stream.headers["x-request-id"])
        self.assertEqual(row["error"], "stream_blocked")
        self.assertEqual(row["screen_list"], self.ids()[name])
        # What was delivered is paid for.
        self.assertGreater(row["fee_nano"], 0)
        stream = gateway.stream(MESSAGES, message("demo", stream=True),
                                harness.ANTHROPIC, key=key)
        data = stream.read()
        self.assertIn(b"small", data)
        self.assertNotIn(b"demonstration", data)
        self.assertIn(b"event: error", data)
        gateway.verify()

    def test_a_whole_answer_is_not_given_out(self):
        _, key = self.customer("wholes")
        self.make(["small demonstration"], "--action", "block",
                  "--answers", "yes", "--group", "wholes")
        self.until(400, CHAT, chat("fast", text="small demonstration"), key)
        answer = gateway.call(CHAT, chat("demo"), key=key)
        self.assertEqual(answer.status, 400, answer)
        self.assertNotIn(b"demonstration", answer.body)
        row = gateway.record(answer.request_id)
        self.assertEqual((row["error"], row["fee_nano"]),
                         ("content_blocked", 0))

    def test_without_answers_they_pass(self):
        _, key = self.customer("asks")
        self.make(["small demonstration"], "--action", "block",
                  "--group", "asks")
        self.until(400, CHAT, chat("fast", text="small demonstration"), key)
        stream = gateway.stream(CHAT, chat("demo", stream=True), key=key)
        self.assertIn(b"demonstration", stream.read())

    def test_mistakes_are_told_all_at_once(self):
        name = self.make(["fine"])
        path = pathlib.Path(gateway.folder) / "wrong"
        path.write_bytes(b"good\npattern: *\n\xff\n" + b"x" * 300 + b"\n")
        run = self.ctl("import", name, str(path))
        self.assertEqual(run.returncode, 2)
        for line in (2, 3, 4):
            self.assertIn(f"{path}:{line}: ", run.stderr)
        self.assertNotIn(f"{path}:1: ", run.stderr)
        run = self.ctl("export", name)
        self.assertEqual(run.stdout, "fine\n")

    def test_export_is_what_import_reads(self):
        name = self.make(["text: ab", "pattern: x#*", "two words", "two words"])
        run = self.ctl("export", name)
        self.assertEqual(run.stdout, "two words\ntext: ab\npattern: x#*\n")
        path = pathlib.Path(gateway.folder) / "mail"
        for text, status in (("nothing", 0), ("here are TWO  words", 4)):
            path.write_text(text)
            run = self.ctl("test", name, str(path))
            self.assertEqual(run.returncode, status, run)


if __name__ == "__main__":
    harness.main()
