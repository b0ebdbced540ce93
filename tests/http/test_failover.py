"""A call that fails before its first byte goes elsewhere: what the client
sees, what it is charged, what the upstreams got, and what is marked."""

import base64
import contextlib
import http.client
import os
import signal
import socket
import threading
import time

import harness
from channels import Channels, body_for
from harness import CHAT, chat, events, fee_of

BEFORE_AN_ANSWER = ["cut-before-head", "cut-mid-head", "reset",
                    "bad-status-line", "bad-framing", "huge-head",
                    "gzip-answer", "status-408", "status-500"]
# Says Retry-After too, so that nothing is sent there for a while.
RESTING = ["status-529"]
STREAMS_ONLY = ["mute", "cut-after-head", "error-first"]
UNSTREAMED_ONLY = ["cut-mid-body"]
NOT_AGAIN = ["status-400", "status-404", "status-413", "status-422"]

gateway = None
channels = None


def setUpModule():
    global gateway, channels
    gateway = harness.Gateway(
        ["fast"], workers=2,
        settings={"retry_percent": 1000, "first_token_timeout": "1s",
                  "upstream_first_byte_timeout": "20s",
                  "retry_after_max": "1h"})
    channels = Channels(gateway)


def tearDownModule():
    gateway.stop()


class Case(harness.Case):

    def setUp(self):
        self.before = gateway.settled()
        self.log = len(gateway.upstream.requests())

    def seen(self):
        return channels.seen(self.log)

    def assert_charged_once(self, *answers):
        """Exactly the fees of these calls left the account."""
        fees = 0
        for record in self.records_of(answers):
            self.assertEqual(record["fee_nano"], fee_of(
                {n.replace("_", "-"): v for n, v in
                 record["usage"].items()}), record)
            fees += record["fee_nano"]
        self.assertEqual(self.before - gateway.settled(), fees)

    def served(self, answer):
        """(attempts, channel) of a call's record."""
        record = gateway.record(answer.headers["x-request-id"])
        return record["attempts"], record["channel"]

    def records_of(self, answers):
        """The records of many calls at once, in their order."""
        wanted = [a.request_id for a in answers]

        def found():
            rows = {r["request_id"]: r for r in gateway.records()}
            return all(i in rows for i in wanted) and rows
        rows = harness.wait_until(found, "the calls' records", 10)
        return [rows[i] for i in wanted]

    def call(self, protocol, model, stream=False, **more):
        """The answer, read to its end."""
        path, body = body_for(protocol, model, stream)
        return gateway.call(path, body, **more)


class Failover(Case):

    def check(self, protocol, faults, streams):
        serial = f"{protocol}-{'-'.join(map(str, streams))}"
        models = [f"{fault}-{serial}" for fault in faults]
        # One channel misbehaves in all these ways, by the model's name there.
        channels.add(f"bad-{serial}", faults[0], models[:1], *[
            part for fault, model in zip(faults[1:], models[1:])
            for part in ("--model", f"{model}={fault}")], protocol=protocol)
        good = f"good-{serial}"
        channels.add(good, "fast", models, "--priority", "1",
                     protocol=protocol)
        for model in models[:-1]:
            channels.price(model)
        channels.open(models[-1], protocol)
        answers = []
        for fault, model in zip(faults, models):
            for stream in streams:
                with self.subTest(fault=fault, stream=stream,
                                  protocol=protocol):
                    self.log = len(gateway.upstream.requests())
                    answer = self.call(protocol, model, stream)
                    self.assertEqual(answer.status, 200, answer)
                    self.assertTrue(answer.complete)
                    self.assertIn(b"demonstration" if not stream else
                                  b"[DONE]" if protocol == "openai" else
                                  b"message_stop", answer.body)
                    self.assertNotIn(b"error", answer.body)
                    self.assertEqual(self.served(answer), (2, good))
                    self.assertEqual(self.seen(), [fault, "fast"])
                    answers.append(answer)
        self.assert_charged_once(*answers)

    def test_openai(self):
        self.check("openai", BEFORE_AN_ANSWER, (False, True))

    def test_openai_streams(self):
        self.check("openai", STREAMS_ONLY + RESTING, (True,))

    def test_anthropic_streams(self):
        self.check("anthropic", ["reset"] + STREAMS_ONLY, (True,))

    def test_an_answer_that_breaks_off_before_it_was_passed_on(self):
        self.check("anthropic", UNSTREAMED_ONLY + RESTING, (False,))

    def test_connections_that_fail(self):
        gone = f"https://127.0.0.1:{harness.free_port()}"
        channels.add("refusing", "fast", ["m-refused"], url=gone)
        channels.add("mistrusted", "fast", ["m-refused"], "--priority", "1",
                     ca=False)
        channels.add("at-last", "fast", ["m-refused"], "--priority", "2")
        channels.open("m-refused")
        answer = self.call("openai", "m-refused")
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(self.served(answer), (3, "at-last"))
        self.assertEqual(self.seen(), ["fast"])
        self.assert_charged_once(answer)
        self.assertIn("connect", channels.row("refusing")["why"])
        self.assertIn("tls", channels.row("mistrusted")["why"])

    def test_silence_is_borne_where_there_is_nowhere_else_to_go(self):
        model, names = channels.route("slow-first-1800")
        answer = self.call("openai", model, True)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(self.served(answer), (1, names[0]))

    def test_an_unstreamed_answer_may_take_its_time(self):
        model, names = channels.route("slow-first-1800", "fast")
        answer = self.call("openai", model)
        self.assertEqual(self.served(answer), (1, names[0]))

    def test_a_channel_has_its_own_first_token_timeout(self):
        model, names = channels.route(
            ("slow-first-1800", "--first-token-timeout", "10s"), "fast")
        answer = self.call("openai", model, True)
        self.assertEqual(self.served(answer), (1, names[0]))


class NoFailover(Case):

    def test_what_the_client_can_mend_is_passed_on_at_once(self):
        channels.add("asked-once", NOT_AGAIN[0], ["m-400"], *[
            part for fault in NOT_AGAIN[1:] for part in
            ("--model", fault.replace("status", "m") + "=" + fault)])
        channels.add("never-asked", "fast",
                     [f.replace("status", "m") for f in NOT_AGAIN],
                     "--priority", "1")
        for fault in NOT_AGAIN[1:]:
            channels.price(fault.replace("status", "m"))
        channels.open("m-400")
        for fault in NOT_AGAIN:
            answer = self.call("openai", fault.replace("status", "m"))
            self.assertEqual(f"status-{answer.status}", fault, answer)
            self.assertIn("error", answer.json)
            self.assertEqual(self.served(answer), (1, "asked-once"))
        self.assertEqual(self.seen(), NOT_AGAIN)
        self.assert_charged_once()

    def test_nothing_is_sent_again_after_the_first_byte(self):
        for protocol, faults in (("openai", ("cut-mid-stream",
                                             "cut-mid-event")),
                                 ("anthropic", ("reset-mid-stream",))):
            for fault in faults:
                with self.subTest(fault=fault, protocol=protocol):
                    self.setUp()
                    model, names = channels.route(fault, "fast",
                                                  protocol=protocol)
                    answer = self.call(protocol, model, True)
                    self.assertEqual(answer.status, 200)
                    last = events(answer.body)[-1]
                    self.assertIn("error", last[1])
                    self.assertEqual(last[0], "error" if protocol ==
                                     "anthropic" else "")
                    self.assertEqual(self.seen(), [fault])
                    record = gateway.record(answer.request_id)
                    self.assertIn("upstream_cut", record["flags"])
                    self.assertGreater(record["fee_nano"], 0)
                    self.assertEqual(self.served(answer), (1, names[0]))
                    self.assert_charged_once(answer)

    def test_when_all_fail_the_client_is_told_and_pays_nothing(self):
        model, names = channels.route("status-500", "reset", "status-503",
                                      "fast")
        answer = self.call("openai", model)
        self.assert_openai_error(answer, 503)
        # Three attempts are all that a call gets.
        self.assertEqual(self.seen(), ["status-500", "reset", "status-503"])
        self.assertEqual(self.served(answer), (3, names[2]))
        self.assert_charged_once(answer)

    def test_no_try_is_made_for_a_client_that_left(self):
        model, _ = channels.route("slow-first-1500", "fast")
        with contextlib.closing(gateway.connect()) as connection:
            connection.request("POST", CHAT, harness.json.dumps(
                chat(model, True)), {"Content-Type": "application/json",
                                     "Authorization":
                                     f"Bearer {gateway.key}"})
            harness.wait_until(lambda: self.seen() == ["slow-first-1500"],
                               "the call upstream", 5)
        time.sleep(1.5)
        self.assertEqual(self.seen(), ["slow-first-1500"])


class Credentials(Case):

    def test_a_refused_credential_is_left_alone(self):
        model, (name,) = channels.route("fast")
        gateway.ctl("channel", "credential", "set", name, "main",
                    "--credential-file", channels.wrong_file)
        gateway.ctl("channel", "credential", "add", name, "second",
                    "--credential-file", channels.key_file)
        answers = [self.call("openai", model, headers={"x-session-id": str(n)})
                   for n in range(12)]
        self.assertEqual({a.status for a in answers}, {200}, answers)
        records = self.records_of(answers)
        attempts = [r["attempts"] for r in records]
        # It is met once, and then no more.
        self.assertEqual(sorted(attempts), [1] * 11 + [2])
        main, second = channels.credentials(name)
        self.assertEqual((main["health"], second["health"]),
                         ("refused", "up"))
        self.assertIn("401", main["why"])
        self.assertIn("refuses a credential", gateway.log())
        self.assertEqual({r["credential_id"] for r in records},
                         {second["id"]})
        self.assert_charged_once(*answers)
        # Another key in its place is none that was refused.
        gateway.ctl("channel", "credential", "set", name, "main",
                    "--credential-file", channels.key_file)
        harness.wait_until(lambda: channels.credentials(name)[0]["health"] ==
                           "up", "the new key", 5)

    def test_all_credentials_refused(self):
        model, (name,) = channels.route("fast", key=channels.wrong_file)
        for _ in range(2):
            answer = self.call("openai", model)
            self.assert_openai_error(answer, 502)
            self.assertEqual(answer.headers["x-should-retry"], "false")
        self.assertEqual(self.seen(), ["fast"])
        row = channels.row(name)
        self.assertEqual(row["health"], "refused")
        self.assertIn("401", row["why"])
        gateway.ctl("channel", "reset", name)
        harness.wait_until(lambda: channels.credentials(name)[0]["health"] ==
                           "up", "the reset", 5)

    def test_retry_after_is_obeyed(self):
        model, names = channels.route("status-429", "fast")
        answers = [self.call("openai", model) for _ in range(4)]
        self.assertEqual({a.status for a in answers}, {200})
        self.assertEqual([self.served(a) for a in answers],
                         [(2, names[1])] + [(1, names[1])] * 3)
        row, = channels.credentials(names[0])
        self.assertEqual(row["health"], "resting")
        self.assertIn("429", row["why"])
        self.assert_charged_once(*answers)

    def test_the_client_is_told_for_how_long(self):
        model, _ = channels.route("status-429")
        for _ in range(2):
            answer = self.call("openai", model)
            self.assert_openai_error(answer, 429)
            self.assertIn(int(answer.headers["retry-after"]), range(1, 8))
        self.assertEqual(self.seen(), ["status-429"])

    def test_disable_and_remove(self):
        model, (name,) = channels.route("fast")
        gateway.ctl("channel", "credential", "add", name, "second",
                    "--credential-file", channels.key_file)
        gateway.ctl("channel", "credential", "disable", name, "main")
        gateway.ctl("channel", "credential", "remove", name, "second",
                    "--yes")
        harness.wait_until(
            lambda: self.call("openai", model).status == 503,
            "no credential left", 5)
        self.assertEqual(channels.row(name)["why"], "it has no credential")
        gateway.ctl("channel", "credential", "enable", name, "main")
        harness.wait_until(
            lambda: self.call("openai", model).status == 200, "one again", 5)
        self.assertNotIn(harness.UPSTREAM_KEY,
                         gateway.ctl("channel", "show", name, "--json"))


class Choice(Case):

    def test_equals_share_by_weight(self):
        model, names = channels.route(("fast", "--weight", "3"),
                                      ("fast", "--weight", "1"), same=True)
        with contextlib.closing(gateway.connect()) as connection:
            answers = [gateway.call(CHAT, chat(model), connection=connection)
                       for _ in range(80)]
        heavy = [r["channel"] for r in
                 self.records_of(answers)].count(names[0])
        # Three quarters of 80, within six standard deviations.
        self.assertIn(heavy, range(36, 79))

    def test_a_session_stays_at_its_credential(self):
        model, (name,) = channels.route("fast")
        for extra in ("second", "third"):
            gateway.ctl("channel", "credential", "add", name, extra,
                        "--credential-file", channels.key_file)
        harness.wait_until(lambda: len({
            r["credential_id"] for r in self.records_of(
                [self.call("openai", model) for _ in range(10)])}) == 3,
            "all credentials in use", 5)
        ways = [lambda n: {"headers": {"x-session-id": f"s{n}"}},
                lambda n: {"body": {"prompt_cache_key": f"k{n}"}},
                lambda n: {"body": {"text": f"{n} " + "prompt " * 700}}]
        for way in ways:
            answers = []
            for n in range(12):
                more = way(n)
                path, body = body_for("openai", model, **more.get("body", {}))
                answers += [gateway.call(path, body, more.get("headers"))
                            for _ in range(3)]
            used = [r["credential_id"] for r in self.records_of(answers)]
            for n in range(12):
                self.assertEqual(len(set(used[3 * n:3 * n + 3])), 1,
                                 (n, used))
            self.assertGreater(len(set(used)), 1)

    def test_groups(self):
        gateway.ctl("group", "set", "insiders", "--multiplier", "1")
        channels.add("inside", "fast", ["m-inside"], "--group", "insiders")
        channels.add("outside", "fast", ["m-outside"])
        channels.open("m-outside")
        gateway.ctl("price", "set", "m-inside", "--input", "1", "--output",
                    "1")
        gateway.ctl("customer", "add", "insider", "--group", "insiders")
        gateway.ctl("credit", "insider", "10")
        key = gateway.add_key("insider")
        gateway.wait_for_key(key)
        harness.wait_until(
            lambda: gateway.call(CHAT, chat("m-inside"), key=key).status ==
            200, "the insider's model", 5)
        answer = self.call("openai", "m-inside")
        self.assert_openai_error(answer, 404)
        self.assertEqual(gateway.call(CHAT, chat("m-outside"),
                                      key=key).status, 200)
        gateway.ctl("channel", "set", "inside", "--all-groups")
        harness.wait_until(
            lambda: self.call("openai", "m-inside").status == 200,
            "the channel open to all", 5)

    def test_headers_are_added(self):
        model, (name,) = channels.route(
            ("fast", "--header", "OpenAI-Organization: org-7", "--header",
             "x-tier: gold", "--region", "eu", "--entity", "Example SE"))
        self.assertEqual(self.call("openai", model).status, 200)
        sent = dict(gateway.upstream.requests()[-1]["headers"])
        self.assertEqual((sent["OpenAI-Organization"], sent["x-tier"]),
                         ("org-7", "gold"))
        row = channels.row(name)
        self.assertEqual((row["region"], row["entity"]), ("eu", "Example SE"))
        with self.assertRaises(AssertionError):
            gateway.ctl("channel", "set", name, "--header", "Host: evil")

    def test_a_change_is_live_at_once(self):
        model, names = channels.route("fast", "fast")
        self.assertEqual(self.served(self.call("openai", model))[1], names[0])
        gateway.ctl("channel", "disable", names[0])
        begin = time.monotonic()
        time.sleep(0.1 * harness.PATIENCE)
        answers = [self.call("openai", model) for _ in range(4)]
        self.assertLess(time.monotonic() - begin, 20)
        self.assertEqual({self.served(a)[1] for a in answers}, {names[1]})


class Limits(Case):

    def at_once(self, n, model):
        """So many calls together; their answers."""
        answers = []

        def work():
            answers.append(self.call("openai", model))
        threads = [threading.Thread(target=work) for _ in range(n)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def test_calls_at_once(self):
        model, _ = channels.route(
            ("slow-first-1500", "--max-concurrent", "2"))
        answers = self.at_once(8, model)
        statuses = [a.status for a in answers]
        self.assertEqual(set(statuses), {200, 429}, answers)
        # Two that come for the last place at once may both be sent away.
        self.assertLessEqual(statuses.count(200), 2)
        self.assertEqual(len(self.seen()), statuses.count(200))
        self.assert_charged_once(*[a for a in answers if a.status == 200])
        self.assertEqual(self.call("openai", model).status, 200)

    def test_what_is_above_the_limit_goes_elsewhere(self):
        model, names = channels.route(
            ("slow-first-1500", "--max-concurrent", "1"), "fast")
        answers = self.at_once(6, model)
        self.assertEqual({a.status for a in answers}, {200})
        first = [r["channel"] for r in
                 self.records_of(answers)].count(names[0])
        self.assertLessEqual(first, 1)

    def test_calls_a_minute(self):
        model, _ = channels.route(("fast", "--max-per-minute", "30"))
        begin = time.monotonic()
        answers = self.at_once(12, model)
        seconds = time.monotonic() - begin
        done = [a.status for a in answers].count(200)
        # A tenth of a minute's at once, then one every two seconds.
        self.assertIn(done, range(3, 4 + int(seconds / 2) + 1))
        self.assertEqual({a.status for a in answers}, {200, 429})
        self.assertEqual(len(self.seen()), done)

    def test_a_dead_workers_calls_are_free_again(self):
        model, _ = channels.route(("drip-200-200", "--max-concurrent", "1"))
        stream = gateway.stream(CHAT, chat(model, True))
        self.assertTrue(stream.read_until(b"w000001"))
        self.assert_openai_error(self.call("openai", model), 429)
        for pid in gateway.children("worker"):
            os.kill(pid, signal.SIGKILL)
        stream.close()

        def free():
            with contextlib.suppress(OSError, http.client.HTTPException):
                again = gateway.stream(CHAT, chat(model, True))
                with contextlib.closing(again):
                    return again.status == 200
        harness.wait_until(free, "the limit free again", 10)
        gateway.verify()


class Proxy:
    """A small HTTP proxy: CONNECT with a password, and nothing else."""

    def __init__(self, password="user:secret"):
        self.wanted = "Basic " + base64.b64encode(password.encode()).decode()
        self.asked = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(client,),
                                 daemon=True).start()

    def serve(self, client):
        with contextlib.closing(client), contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            first, *lines = head.decode().split("\r\n")
            fields = dict(line.split(": ", 1) for line in lines if line)
            self.asked.append(first)
            if fields.get("Proxy-Authorization") != self.wanted:
                client.sendall(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")
                return
            host, port = first.split()[1].rsplit(":", 1)
            with contextlib.closing(socket.create_connection(
                    (host, int(port)))) as upstream:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=self.pump, daemon=True,
                                        args=(upstream, client))
                back.start()
                self.pump(client, upstream)
                back.join()

    @staticmethod
    def pump(one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_WR)

    def close(self):
        self.listener.close()


class Proxied(Case):

    def test_through_a_proxy(self):
        proxy = Proxy()
        secret = gateway.folder / "proxy"
        secret.write_text("user:secret\n")
        with contextlib.closing(proxy):
            model, (name,) = channels.route(
                ("fast", "--proxy", f"http://127.0.0.1:{proxy.port}",
                 "--proxy-credential-file", secret))
            answers = [self.call("openai", model, stream)
                       for stream in (False, True, False)]
            self.assertEqual({a.status for a in answers}, {200}, answers)
            gateway.ctl("channel", "test", name)
            self.assertEqual(
                set(proxy.asked),
                {f"CONNECT 127.0.0.1:{gateway.upstream.port} HTTP/1.1"})
            self.assert_charged_once(*answers)
            shown = gateway.ctl("channel", "show", name, "--json")
            self.assertIn(str(proxy.port), shown)
            self.assertNotIn("secret", shown)
            # Without its password, or without a proxy, all is as it was.
            asked = len(proxy.asked)
            gateway.ctl("channel", "set", name, "--proxy",
                        f"http://127.0.0.1:{proxy.port}")
            harness.wait_until(
                lambda: self.call("openai", model).status == 502,
                "the proxy's refusal", 5)
            self.assertIn("proxy", channels.row(name)["why"])
            with self.assertRaisesRegex(AssertionError,
                                        "the proxy answered with 407"):
                gateway.ctl("channel", "test", name)
            self.assertGreater(len(proxy.asked), asked)
            gateway.ctl("channel", "set", name, "--proxy", "none")
            harness.wait_until(
                lambda: self.call("openai", model).status == 200,
                "the direct way", 5)


class Afterwards(harness.Case):

    def test_zz_the_books_are_clean(self):
        gateway.settled()
        gateway.verify()
        self.assertNotIn("sk-wrong-key", gateway.log())


if __name__ == "__main__":
    harness.main()
