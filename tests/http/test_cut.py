"""A customer who is suspended now: open calls end, each in its own way, and what
was delivered is paid for."""

import json
import subprocess
import threading
import time

import harness
from harness import CHAT, MESSAGES, chat, message

gateway = None


def setUpModule():
    global gateway
    gateway = harness.Gateway(["fast", "drip-400-50", "slow-first-30000"],
                              workers=2)


def tearDownModule():
    gateway.stop()


class Cut(harness.Case):

    made = 0

    def customer(self):
        Cut.made += 1
        name = f"cut-{Cut.made}"
        gateway.add_customer(name, credit="100")
        key = gateway.add_key(name)
        gateway.wait_for_key(key)
        return name, key

    def suspend(self, name, *options):
        """Returns when it was said."""
        gateway.ctl("customer", "suspend", name, "--reason", "a leak",
                    *options)
        return time.monotonic()

    def test_streams_end_within_a_second_and_are_paid(self):
        name, key = self.customer()
        # Enough of them that both workers have some.
        streams = []
        for path, body in [(CHAT, chat("drip-400-50", stream=True)),
                           (MESSAGES, message("drip-400-50", stream=True))] \
                * 4:
            stream = gateway.stream(path, body, harness.ANTHROPIC, key=key)
            self.assertTrue(stream.read_until(b"w000003"))
            streams.append(stream)
        other, _ = self.customer()
        said = self.suspend(name, "--now")
        ends = []
        threads = [threading.Thread(target=lambda s=s: (
            s.read(), ends.append(time.monotonic() - said)))
            for s in streams]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # 400 words would take 20 s.
        self.assertLess(max(ends), 1 * harness.PATIENCE)
        for stream in streams:
            self.assertIn(b"suspended", stream.data)
            row = gateway.record(stream.headers["x-request-id"])
            self.assertEqual(row["error"], "stream_suspended")
            self.assertGreater(row["fee_nano"], 0)
            self.assertLess(row["output"], 400)
            stream.connection.close()
        self.assertEqual(gateway.call(CHAT, chat("fast"), key=key).status,
                         403)
        gateway.ctl("customer", "resume", name)
        harness.wait_until(lambda: gateway.call(
            CHAT, chat("fast"), key=key).status == 200, "calls again")
        gateway.verify()

    def test_what_waits_is_refused_for_nothing(self):
        name, key = self.customer()
        answers = []
        thread = threading.Thread(target=lambda: answers.append(
            gateway.call(CHAT, chat("slow-first-30000"), key=key)))
        thread.start()
        harness.wait_until(lambda: any(
            row["name"] == name and row["open"] > 0 for row in
            json.loads(gateway.ctl("top", "--once", "--json"))["customers"]),
            "the call to be open")
        self.suspend(name, "--now")
        thread.join()
        self.assertEqual(answers[0].status, 403, answers[0])
        row = gateway.record(answers[0].request_id)
        self.assertEqual((row["error"], row["fee_nano"]),
                         ("account_closed", 0))
        gateway.verify()

    def test_without_now_open_calls_end_as_they_would(self):
        name, key = self.customer()
        stream = gateway.stream(CHAT, chat("drip-400-50", stream=True),
                                key=key)
        self.assertTrue(stream.read_until(b"w000003"))
        self.suspend(name)
        harness.wait_until(lambda: gateway.call(
            CHAT, chat("fast"), key=key).status == 403, "calls refused")
        before = len(stream.data)
        self.assertTrue(stream.read_until(b"w000030"))
        self.assertGreater(len(stream.data), before)
        # Said again with --now, it does.
        self.suspend(name, "--now")
        self.assertIn(b"suspended", stream.read())
        stream.connection.close()

    def test_it_is_an_event_and_a_notice(self):
        name, _ = self.customer()
        watch = subprocess.Popen(
            [harness.YOUYUNCTL, "-c", gateway.config, "event", "watch",
             "--customer", name, "--json"], stdout=subprocess.PIPE,
            text=True)
        try:
            # It shows what comes after it has looked once.
            time.sleep(1)
            self.suspend(name)
            text = ""
            while text.count("}") == 0 or text.count("{") != text.count("}"):
                text += watch.stdout.readline()
            first = json.loads(text)
        finally:
            watch.terminate()
            watch.wait()
            watch.stdout.close()
        self.assertEqual(first["kind"], "customer_suspended")
        gateway.ctl("customer", "resume", name)
        rows = gateway.rows("event", "list", "--customer", name)
        self.assertEqual([row["kind"] for row in rows],
                         ["customer_resumed", "customer_suspended"])
        self.assertEqual(json.loads(rows[1]["detail"])["reason"], "a leak")
        page = gateway.rows("event", "list", "--customer", name, "--after",
                            str(rows[0]["id"]))
        self.assertEqual(page, rows[1:])
        self.assertEqual(gateway.rows("event", "list", "--kind", "no_such"),
                         [])


if __name__ == "__main__":
    harness.main()
