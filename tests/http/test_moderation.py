"""Moderation: a channel judges the text of requests before they are forwarded;
nothing is charged for that, and nothing of it is kept but how it ended."""

import itertools
import json
import os
import pathlib
import signal
import subprocess
import time
import unittest

import harness
import machine
from client import FORM, form
from harness import CHAT, MESSAGES, chat, fee_of, message

UNFIT = "peerflagged"			# to the scripted upstream
SILENCED = "peerdropped"		# its piece is not judged at all
SECRET = "quibblefish"			# nobody says it by chance
GEMINI = "/v1beta/models/fast:{}"
MODERATIONS = "/v1/moderations"

SERIAL = itertools.count(1)
gateway = None


def setUpModule():
    global gateway
    gateway = harness.Gateway(
        ["fast", "never", "echo"], workers=2,
        settings={"breaker_failures": 3, "shutdown_timeout": "1s"})


def tearDownModule():
    gateway.stop()


def targets(since):
    return [r["target"] for r in gateway.upstream.requests()[since:]]


def fee(row):
    return fee_of({name.replace("_", "-"): n
                   for name, n in row["usage"].items()})


class Moderation(harness.Case):

    def channel(self, *options):
        name = f"judge-{next(SERIAL)}"
        gateway.ctl("channel", "add", name, "--protocol", "openai",
                    "--url", gateway.upstream.url, "--credential-file",
                    gateway.folder / "credential", "--ca",
                    gateway.certs.ca, "--model", "judgement", *options)
        return name

    def customer(self, group):
        name = f"judged-{next(SERIAL)}"
        gateway.add_customer(name, credit="100")
        if group:
            gateway.ctl("group", "set", group, "--multiplier", "1")
            gateway.ctl("customer", "set", name, "--group", group)
        key = gateway.add_key(name)
        gateway.wait_for_key(key)
        return name, key

    def until_judged(self, key, status=200):
        """Rules are live within a moment; the record that shows it."""
        last = []

        def shows():
            answer = gateway.call(CHAT, chat("fast"), key=key)
            last[:] = [gateway.record(answer.request_id)]
            return last[0]["moderation"] is not None and \
                answer.status == status
        harness.wait_until(shows, "a call to be judged")
        return last[0]

    def judged(self, model, *options, status=200):
        """A customer of a group whose calls are judged; (name, key)."""
        group = f"group-{next(SERIAL)}"
        name, key = self.customer(group)
        gateway.ctl("screen", "moderation", "set", "--group", group,
                    "--channel", self.channel(), "--model", model, *options)
        self.addCleanup(gateway.ctl, "screen", "moderation", "off",
                        "--group", group)
        self.until_judged(key, status)
        return name, key

    def run_ctl(self, *arguments):
        return subprocess.run(
            [harness.YOUYUNCTL, "-c", gateway.config, "screen", "moderation",
             *arguments], capture_output=True, text=True, check=False)

    CALLS = (
        (CHAT, lambda text: chat("fast", text=text)),
        (CHAT, lambda text: chat("fast", True, text)),
        (MESSAGES, lambda text: message("fast", text=text)),
        (MESSAGES, lambda text: message("fast", True, text, system=text)),
        (GEMINI.format("generateContent"),
         lambda text: {"contents": [{"parts": [{"text": text}]}]}),
        (GEMINI.format("streamGenerateContent"),
         lambda text: {"contents": [{"parts": [{"text": text}]}]}),
        ("/v1/responses", lambda text: {"model": "fast", "input": text}),
        ("/v1/embeddings", lambda text: {"model": "fast",
                                         "input": ["x", text]}),
    )

    def test_what_is_unfit_is_blocked_in_every_protocol(self):
        name, key = self.judged("fast", "--action", "block")
        money = gateway.settled(name)
        for path, make in self.CALLS:
            with self.subTest(path=path):
                since = len(gateway.upstream.requests())
                answer = gateway.call(path, make(f"{SECRET} {UNFIT}"),
                                      key=key)
                self.assertEqual(answer.status, 400, answer)
                if path in (CHAT, MESSAGES):
                    self.assert_error(path, answer, 400)
                self.assertNotIn(UNFIT, answer.body.decode())
                self.assertEqual(targets(since), [MODERATIONS])
                row = gateway.record(answer.request_id)
                self.assertEqual(
                    (row["error"], row["moderation"], row["status"],
                     row["fee_nano"], row["attempts"], row["channel"],
                     row["upstream_status"], row["flags"]),
                    ("content_blocked", "blocked", 400, 0, 0, None, None,
                     "blocked"))
        self.assertEqual(gateway.settled(name), money)

    def test_what_is_fit_passes_and_costs_what_it_costs(self):
        name, key = self.judged("fast", "--action", "block", "--fail",
                                "closed")
        money = gateway.settled(name)
        fees = 0
        for path, make in self.CALLS:
            with self.subTest(path=path):
                since = len(gateway.upstream.requests())
                answer = gateway.call(path, make(SECRET), key=key)
                self.assertEqual(answer.status, 200, answer)
                asked = targets(since)
                self.assertEqual((len(asked), asked[0]), (2, MODERATIONS))
                row = gateway.record(answer.request_id)
                self.assertEqual(
                    (row["moderation"], row["error"], row["attempts"],
                     row["screen_list"]), ("passed", None, 1, None))
                self.assertTrue(row["channel"].startswith("peer-"), row)
                self.assertGreater(row["fee_nano"], 0)
                self.assertEqual(row["fee_nano"], fee(row))
                fees += row["fee_nano"]
        self.assertEqual(money - gateway.settled(name), fees)
        gateway.verify()

    def test_flagged_calls_are_marked_and_forwarded(self):
        name, key = self.judged("fast")
        answer = gateway.call(CHAT, chat("fast", text=UNFIT), key=key)
        self.assertEqual(answer.status, 200)
        row = gateway.record(answer.request_id)
        self.assertEqual((row["moderation"], row["flags"]),
                         ("flagged", "flagged"))
        self.assertEqual(row["fee_nano"], fee(row))

    def asked(self, body, key, path=CHAT):
        since = len(gateway.upstream.requests())
        answer = gateway.call(path, body, key=key)
        sent = gateway.upstream.requests()[since]
        self.assertEqual(sent["target"], MODERATIONS)
        return answer, json.loads(sent["raw"]), sent

    def test_the_text_and_nothing_else_is_sent(self):
        _, key = self.judged("fast", "--action", "block")
        hard = 'a "quote", \\ a\ttab,\x7f\nand \u4e2d\u6587 \U0001f600'
        body = {"model": "fast", "user": "u-1", "metadata": {"m": "meta"},
                "messages": [
                    {"role": "system", "content": hard},
                    {"role": "user", "name": "bob", "content": [
                        {"type": "text", "text": "second"},
                        {"type": "image_url", "image_url": {
                            "url": "data:image/png;base64," + "iVBO" * 99}}]},
                ]}
        answer, sent, request = self.asked(body, key)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(set(sent), {"model", "input"})
        self.assertEqual(sent["model"], "fast")
        (piece,) = sent["input"]
        self.assertIn(hard + "\n", piece)
        self.assertIn("second", piece)
        for other in ("iVBOiVBO", "assistant", "system", "image_url"):
            self.assertNotIn(other, piece)
        self.assertNotIn(key, str(request))

    def test_long_text_goes_in_pieces_of_whole_characters(self):
        _, key = self.judged("fast", "--action", "block")
        for unit, count in (("\U0001f600", 6000), ("\u4e2d", 9000),
                            ("a. ", 9000), ('"\\', 9000)):
            answer, sent, _ = self.asked(
                chat("fast", text=unit * count), key)
            self.assertEqual(answer.status, 200, answer)
            self.assertGreater(len(sent["input"]), 1)
            self.assertEqual("".join(sent["input"]), unit * count)
            for piece in sent["input"]:
                self.assertLessEqual(len(piece.encode()), 8192 + 4)
        answer = gateway.call(
            CHAT, chat("fast", text="ab " * 9000 + UNFIT), key=key)
        self.assertEqual(answer.status, 400)
        # Many short ones are joined, for providers take few at once.
        answer, sent, _ = self.asked(
            {"model": "fast", "input": ["x"] * 20000}, key,
            "/v1/embeddings")
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual("\n".join(sent["input"]).count("x"), 20000)
        self.assertLess(len(sent["input"]), 12)

    def test_bytes_of_no_character_do_not_hide_the_rest(self):
        _, key = self.judged("fast", "--action", "block", "--fail", "open")
        body = json.dumps(chat("fast", text=f"HERE {UNFIT}")).encode()
        for bad in (b"\xff", b"\xe4\xb8", b"\x80" * 9000, b"\\ud800",
                    b"\\u0000"):
            since = len(gateway.upstream.requests())
            answer = gateway.call(CHAT, body.replace(b"HERE", bad), key=key)
            self.assertEqual(answer.status, 400, (bad[:4], answer))
            # Providers that look refuse it otherwise.
            json.loads(gateway.upstream.requests()[since]["raw"].decode())
            answer = gateway.call(
                CHAT, json.dumps(chat("fast", text="HERE")).encode().replace(
                    b"HERE", bad), key=key)
            row = gateway.record(answer.request_id)
            self.assertIn(row["moderation"], ("passed", None),
                          (bad[:4], row))

    def test_without_text_nobody_is_asked(self):
        _, key = self.judged("fast", "--fail", "closed")
        since = len(gateway.upstream.requests())
        answer = gateway.call("/v1/embeddings", {
            "model": "fast", "input": [[1, 2, 3]]}, key=key)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(targets(since), ["/v1/embeddings"])
        self.assertIsNone(gateway.record(answer.request_id)["moderation"])

    def test_who_asks_for_a_judgement_gets_it(self):
        _, key = self.judged("fast", "--action", "block")
        since = len(gateway.upstream.requests())
        answer = gateway.call(MODERATIONS, {"model": "fast", "input": UNFIT},
                              key=key)
        self.assertEqual(answer.status, 200, answer)
        self.assertTrue(answer.json["results"][0]["flagged"])
        self.assertEqual(targets(since), [MODERATIONS])

    def test_forms_are_judged_whole_and_files_are_not(self):
        _, key = self.judged("fast", "--action", "block")
        for prompt, file, status in (
                ("fine", UNFIT.encode(), 200),
                ("fine", UNFIT.encode() * 30000, 200),
                (UNFIT, b"x", 400), (UNFIT, b"x" * 300000, 400)):
            for order in (1, -1):
                since = len(gateway.upstream.requests())
                parts = [("prompt", prompt), ("file", "a.wav", file)][::order]
                body = form(("model", "fast"), *parts)
                answer = gateway.call("/v1/audio/transcriptions", body, FORM,
                                      key=key)
                self.assertEqual(answer.status, status, answer)
                asked = gateway.upstream.requests()[since:]
                self.assertEqual(json.loads(asked[0]["raw"])["input"],
                                 [prompt])
                self.assertEqual(len(asked), 2 if status == 200 else 1)
                if status == 200:
                    self.assertEqual(asked[1]["raw"], body)
        gateway.verify()

    SILENT = ("status-500", "status-400", "status-429", "not-json",
              "empty-body", "cut-mid-body", "cut-before-head", "reset",
              "gzip-answer", "bad-chunk", "unheard-of", "never",
              "slow-first-3000")

    def test_without_an_answer_open_forwards(self):
        for model in self.SILENT:
            with self.subTest(model=model):
                name, key = self.judged(model, "--action", "block",
                                        "--timeout", "300ms")
                money = gateway.settled(name)
                # What comes of this one's answer says what it found.
                text = "fine" if model == "cut-mid-body" else UNFIT
                answer = gateway.call(CHAT, chat("fast", text=text), key=key)
                self.assertEqual(answer.status, 200, answer)
                row = gateway.record(answer.request_id)
                self.assertEqual((row["moderation"], row["attempts"],
                                  row["flags"]), ("open", 1, None))
                self.assertLess(row["total_ms"], 2000 * harness.PATIENCE)
                self.assertEqual(row["fee_nano"], fee(row))
                self.assertEqual(money - gateway.settled(name),
                                 row["fee_nano"])

    def test_without_an_answer_closed_refuses(self):
        for model in self.SILENT:
            with self.subTest(model=model):
                name, key = self.judged(
                    model, "--timeout", "300ms", "--fail", "closed",
                    status=503)
                money = gateway.settled(name)
                since = len(gateway.upstream.requests())
                for path, make in self.CALLS[:4:2]:
                    answer = gateway.call(path, make("fine"), key=key)
                    self.assertIn(answer.status, (503, 529), answer)
                    self.assertIsNotNone(answer.headers["retry-after"])
                    row = gateway.record(answer.request_id)
                    self.assertEqual(
                        (row["moderation"], row["error"], row["fee_nano"],
                         row["attempts"], row["channel"]),
                        ("closed", "unmoderated", 0, 0, None))
                self.assertLessEqual(set(targets(since)), {MODERATIONS})
                self.assertEqual(gateway.settled(name), money)

    def test_a_piece_that_nobody_judged_is_no_answer(self):
        _, key = self.judged("fast", "--fail", "closed")
        answer = gateway.call(CHAT, chat("fast", text=SILENCED), key=key)
        self.assertEqual(answer.status, 503, answer)
        answer = gateway.call(
            CHAT, chat("fast", text="ab " * 9000 + SILENCED), key=key)
        self.assertEqual(answer.status, 503, answer)
        self.assertEqual(gateway.call(CHAT, chat("fast"), key=key).status,
                         200)

    def test_what_was_found_counts_even_if_the_rest_was_not_judged(self):
        long = UNFIT + " ab" * 9000 + SILENCED
        for model, text, options in (
                ("fast", long, ()), ("fast", long, ("--fail", "closed")),
                ("cut-mid-body", UNFIT, ("--timeout", "300ms"))):
            _, key = self.judged(model, "--action", "block", *options)
            answer = gateway.call(CHAT, chat("fast", text=text), key=key)
            self.assertEqual(answer.status, 400, answer)
            self.assertEqual(gateway.record(answer.request_id)["moderation"],
                             "blocked")

    def test_text_without_end_is_no_answer(self):
        _, key = self.judged("fast", "--fail", "closed")
        since = len(gateway.upstream.requests())
        answer = gateway.call(CHAT, chat("fast", text="x " * 2200000),
                              key=key)
        self.assertEqual(answer.status, 503, answer)
        self.assertEqual(targets(since), [])

    def test_a_channel_that_is_ill_is_left_alone(self):
        name, key = self.judged("never", "--timeout", "400ms")
        for _ in range(3):
            gateway.call(CHAT, chat("fast"), key=key)
        since = len(gateway.upstream.requests())
        begin = time.monotonic()
        answer = gateway.call(CHAT, chat("fast"), key=key)
        self.assertEqual(answer.status, 200)
        self.assertLess(time.monotonic() - begin, 0.4)
        self.assertEqual(targets(since), [CHAT])
        self.assertIn("a channel is taken out", gateway.log())
        self.assertIn("moderation has no answer", gateway.log())

    def test_a_group_of_its_own_goes_before_all(self):
        _, key = self.judged("fast", "--action", "block")
        _, other = self.customer(None)
        unfit = chat("fast", text=UNFIT)
        answer = gateway.call(CHAT, unfit, key=other)
        self.assertEqual(answer.status, 200)
        self.assertIsNone(gateway.record(answer.request_id)["moderation"])
        gateway.ctl("screen", "moderation", "set", "--channel",
                    self.channel(), "--model", "fast")
        try:
            self.until_judged(other)
            answer = gateway.call(CHAT, unfit, key=other)
            self.assertEqual(gateway.record(answer.request_id)["moderation"],
                             "flagged")
            self.assertEqual(gateway.call(CHAT, unfit, key=key).status, 400)
        finally:
            gateway.ctl("screen", "moderation", "off")
        harness.wait_until(lambda: gateway.record(gateway.call(
            CHAT, unfit, key=other).request_id)["moderation"] is None,
            "calls to pass unjudged")
        self.assertEqual(gateway.call(CHAT, unfit, key=key).status, 400)

    def test_nothing_goes_where_the_customer_does_not_allow(self):
        gateway.ctl("channel", "set", "peer-openai", "--region", "eu")
        self.addCleanup(gateway.ctl, "channel", "set", "peer-openai",
                        "--region", "")
        for fail, status, outcome in (("open", 200, "open"),
                                      ("closed", 503, "closed")):
            name, key = self.judged("fast", "--action", "block", "--fail",
                                    fail)
            gateway.ctl("customer", "allow", name, "--region", "eu")
            harness.wait_until(lambda: gateway.record(gateway.call(
                CHAT, chat("fast"), key=key).request_id)["moderation"] ==
                outcome, "the region to be looked at")
            since = len(gateway.upstream.requests())
            answer = gateway.call(CHAT, chat("fast", text=UNFIT), key=key)
            self.assertEqual(answer.status, status, answer)
            self.assertNotIn(MODERATIONS, targets(since))

    def test_a_disabled_channel_does_not_answer(self):
        group = f"group-{next(SERIAL)}"
        _, key = self.customer(group)
        channel = self.channel()
        gateway.ctl("screen", "moderation", "set", "--group", group,
                    "--channel", channel, "--model", "fast", "--fail",
                    "closed")
        self.addCleanup(gateway.ctl, "screen", "moderation", "off",
                        "--group", group)
        self.assertEqual(self.until_judged(key)["moderation"], "passed")
        gateway.ctl("channel", "disable", channel)
        self.assertEqual(self.until_judged(key, 503)["moderation"], "closed")

    def test_what_cannot_be_translated_is_refused_afterwards(self):
        gateway.ctl("price", "set", "solo", "--input", "1", "--output", "1")
        gateway.ctl("channel", "add", "solo", "--protocol", "openai", "--url",
                    gateway.upstream.url, "--credential-file",
                    gateway.folder / "credential", "--ca", gateway.certs.ca,
                    "--model", "solo=fast")
        name, key = self.judged("fast", "--action", "block")
        money = gateway.settled(name)
        body = message("solo", text="fine", top_k=3)
        harness.wait_until(lambda: gateway.call(
            MESSAGES, body, key=key).status == 400, "the model")
        answer = gateway.call(MESSAGES, body, key=key)
        self.assert_error(MESSAGES, answer, 400)
        row = gateway.record(answer.request_id)
        self.assertEqual((row["error"], row["moderation"], row["fee_nano"]),
                         ("not_translated", "passed", 0))
        self.assertEqual(gateway.settled(name), money)
        answer = gateway.call(MESSAGES, message("solo", text="fine"), key=key)
        self.assertEqual(answer.status, 200, answer)

    def test_a_call_that_has_nowhere_to_go_then_is_refused(self):
        """Its channel is disabled while it is judged."""
        gateway.ctl("price", "set", "brief", "--input", "1", "--output", "1")
        gateway.ctl("channel", "add", "brief", "--protocol", "openai",
                    "--url", gateway.upstream.url, "--credential-file",
                    gateway.folder / "credential", "--ca", gateway.certs.ca,
                    "--model", "brief=fast")
        name, money, sock = self.awaited(model="slow-first-1500",
                                         call="brief")
        gateway.ctl("channel", "disable", "brief")
        self.assertIn(b" 503 ", sock.recv(100))
        sock.close()
        self.assertEqual(gateway.settled(name), money)
        row = self.last(name)
        self.assertEqual((row["error"], row["moderation"]),
                         ("no_channel", "passed"))

    # while it is awaited

    def awaited(self, path=CHAT, model="never", call="never",
                text=SECRET):
        """A call that waits for its judgement: (customer, money, socket)."""
        group = f"group-{next(SERIAL)}"
        name, key = self.customer(group)
        gateway.ctl("screen", "moderation", "set", "--group", group,
                    "--channel", self.channel(), "--model", model,
                    "--timeout", "30s", "--action", "block")
        self.addCleanup(gateway.ctl, "screen", "moderation", "off",
                        "--group", group)
        money = gateway.settled(name)
        for _ in range(50):
            since = len(gateway.upstream.requests())
            body = json.dumps(chat(call, text=text, max_tokens=50))
            sock = gateway.raw()
            sock.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\n"
                         f"Authorization: Bearer {key}\r\n"
                         f"Content-Type: application/json\r\n"
                         f"Content-Length: {len(body)}\r\n\r\n"
                         f"{body}".encode())
            harness.wait_until(lambda: targets(since),
                               "a call upstream")
            if targets(since) == [MODERATIONS]:
                return name, money, sock
            sock.close()	# the rule wasn't live yet
            money = gateway.settled(name)
        raise AssertionError("the rule is never live")

    def last(self, name):
        gateway.settled(name)
        return gateway.records(name)[-1]

    def test_a_client_that_leaves_pays_nothing(self):
        for path in (CHAT, MESSAGES):
            name, money, sock = self.awaited(path)
            self.assertGreater(gateway.busy(), 0)
            left = gateway.upstream.stats()["left"]
            sock.close()
            harness.wait_until(
                lambda: gateway.upstream.stats()["left"] > left,
                "the channel's connection closed", 3)
            self.assertEqual(gateway.settled(name), money)
            row = self.last(name)
            self.assertEqual(
                (row["error"], row["status"], row["fee_nano"],
                 row["attempts"], row["moderation"], row["flags"]),
                ("client_gone", 499, 0, 0, None, "client_gone"))

    def test_a_customer_who_is_cut_off_is_told(self):
        name, money, sock = self.awaited()
        gateway.ctl("customer", "suspend", name, "--now", "--yes",
                    "--reason", "a test")
        self.assertIn(b" 403 ", sock.recv(100))
        sock.close()
        self.assertEqual(gateway.settled(name), money)
        self.assertEqual(self.last(name)["error"], "account_closed")

    def test_a_worker_killed_gives_the_hold_back(self):
        name, money, sock = self.awaited()
        for pid in gateway.children("worker"):
            os.kill(pid, signal.SIGKILL)
        harness.wait_until(lambda: gateway.settled(name) == money,
                           "the hold to come back", 10)
        sock.close()
        row = self.last(name)
        self.assertIn("reclaimed", row["flags"])
        self.assertEqual(row["fee_nano"], 0)
        gateway.wait_ready()

    def test_the_end_of_the_service_gives_the_hold_back(self):
        name, money, sock = self.awaited()
        self.assertEqual(gateway.terminate(), 0)
        sock.close()
        gateway.start()
        self.assertEqual(gateway.settled(name), money)
        row = self.last(name)
        self.assertEqual((row["error"], row["fee_nano"]), ("starting", 0))

    def in_memory(self, word):
        """In how many places of the workers' memory the word is."""
        found = 0
        for pid in gateway.children("worker"):
            maps = pathlib.Path(f"/proc/{pid}/maps").read_text()
            with open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
                for line in maps.splitlines():
                    where, access = line.split()[:2]
                    begin, end = (int(x, 16) for x in where.split("-"))
                    # What a sanitizer maps for itself is huge and empty.
                    if access[:2] != "rw" or end - begin > 1 << 28:
                        continue
                    try:
                        mem.seek(begin)
                        found += mem.read(end - begin).count(word)
                    except OSError:
                        pass
        return found

    @unittest.skipIf(machine.is_sanitized() or os.geteuid() != 0,
                     "only root reads others' memory, and sanitizers keep "
                     "what is freed")
    def test_memory_is_scrubbed(self):
        word = b"memory-" + os.urandom(8).hex().encode()
        name, key = self.judged("fast", "--action", "block")
        text = f"{word.decode()} {SECRET}"
        for body in (*(chat("fast", text=text * n) for n in (2000, 40, 400)),
                     chat("fast", text=text + UNFIT),
                     chat("fast", text=text + SILENCED)):
            gateway.call(CHAT, body, key=key)
        prompt = form(("model", "fast"), ("prompt", text),
                      ("file", "a.wav", b"x"))
        gateway.call("/v1/audio/transcriptions", prompt, FORM, key=key)
        gateway.settled(name)
        self.assertEqual(self.in_memory(word), 0)
        _, _, sock = self.awaited(text=word.decode())
        self.assertGreater(self.in_memory(word), 0)
        sock.close()
        harness.wait_until(lambda: self.in_memory(word) == 0, "scrubbing", 5)

    # the operator

    def test_mistakes_are_told_and_nothing_is_changed(self):
        gateway.ctl("group", "set", "strict", "--multiplier", "1")
        before = gateway.rows("screen", "moderation", "show")
        good = ("--channel", "peer-openai", "--model", "m")
        for arguments, status, said in (
                (("set", "--model", "m"), 2, "--channel and --model"),
                (("set", "--channel", "peer-openai"), 2, "--model"),
                (("set", "--channel", "nowhere", "--model", "m"), 3,
                 "nowhere"),
                (("set", "--channel", "peer-gemini", "--model", "m"), 4,
                 "protocol"),
                (("set", *good, "--group", "nobodies"), 3, "nobodies"),
                (("set", *good, "--timeout", "1h"), 2, "--timeout"),
                (("set", *good, "--timeout", "soon"), 2, "--timeout"),
                (("set", *good, "--action", "warn"), 2, "--action"),
                (("set", *good, "--fail", "shut"), 2, "--fail"),
                (("set", "--channel", "peer-openai", "--model", "a*"), 2,
                 "--model"),
                (("off", "--group", "strict"), 3, "nothing is set"),
                (("off", "--group", "nobodies"), 3, "nobodies")):
            run = self.run_ctl(*arguments)
            self.assertEqual(run.returncode, status, (arguments, run))
            self.assertIn(said, run.stderr, arguments)
        self.assertEqual(gateway.rows("screen", "moderation", "show"), before)

    def test_what_is_not_said_stays(self):
        group = f"group-{next(SERIAL)}"
        gateway.ctl("group", "set", group, "--multiplier", "1")
        base = ("screen", "moderation")

        def row():
            found = [r for r in gateway.rows(*base, "show")
                     if r["group"] == group]
            return found[0] if found else None
        gateway.ctl(*base, "set", "--group", group, "--channel",
                    "peer-openai", "--model", "m", "--fail", "closed")
        self.assertEqual(row(), {
            "group": group, "channel": "peer-openai", "model": "m",
            "action": "flag", "fail": "closed", "timeout_ms": 2000})
        gateway.ctl(*base, "set", "--group", group, "--action", "block",
                    "--timeout", "1s")
        self.assertEqual(row(), {
            "group": group, "channel": "peer-openai", "model": "m",
            "action": "block", "fail": "closed", "timeout_ms": 1000})
        (number,) = [r["id"] for r in gateway.rows("channel", "list")
                     if r["name"] == "peer-openai"]
        other = self.channel()
        gateway.ctl(*base, "set", "--group", group, "--channel", other)
        self.assertEqual(row()["channel"], other)
        gateway.ctl(*base, "set", "--group", group, "--channel", str(number))
        self.assertEqual(row()["channel"], "peer-openai")
        gateway.ctl(*base, "off", "--group", group, "--reason", "a test")
        self.assertIsNone(row())
        (entry,) = [r for r in gateway.rows("audit", "list")
                    if r["action"] == "moderation.delete" and
                    r["reason"] == "a test"]

    def test_zz_nothing_of_it_is_kept(self):
        """Last: all of the above said it."""
        gateway.settled()
        words = [w.encode() for w in (SECRET, UNFIT, "violence", "modr-")]
        for path in [gateway.errors, *pathlib.Path(
                gateway.folder / "state").rglob("*")]:
            if not path.is_file():
                continue
            data = path.read_bytes()
            for word in words:
                self.assertNotIn(word, data, path)
        # It was there to be found.
        self.assertIn(SECRET, str([r["raw"] for r in
                                   gateway.upstream.requests()]))


if __name__ == "__main__":
    harness.main()
