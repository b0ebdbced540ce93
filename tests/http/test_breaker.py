"""The circuit breaker, over two workers: out, probed, back, and why."""

import os
import signal
import threading
import time

import harness
from channels import Channels
from harness import CHAT, chat

OPEN_S = 1.5

gateway = None
channels = None


def setUpModule():
    global gateway, channels
    gateway = harness.Gateway(
        ["fast"], workers=2,
        settings={"breaker_failures": 3, "retry_percent": 1000,
                  "breaker_open": f"{OPEN_S * 1000:g}ms"})
    channels = Channels(gateway)


def tearDownModule():
    gateway.stop()


class Breaker(harness.Case):

    def call(self, model):
        """(attempts, channel) of one call that must succeed."""
        answer = gateway.call(CHAT, chat(model))
        self.assertEqual(answer.status, 200, answer)
        record = gateway.record(answer.request_id)
        return record["attempts"], record["channel"]

    def mend(self, model, name, upstream="fast"):
        gateway.ctl("channel", "set", name, "--model", f"{model}={upstream}")
        time.sleep(0.1 * harness.PATIENCE)

    def break_down(self, upstream="status-500"):
        """A model whose first channel has just been taken out."""
        model, names = channels.route(upstream, "fast")
        calls = [self.call(model) for _ in range(3)]
        self.assertEqual(calls, [(2, names[1])] * 3)
        return model, names

    def test_out_probed_out_for_longer_and_back(self):
        before = gateway.settled()
        model, names = self.break_down()
        begin = time.monotonic()
        # Every worker knows, for each call is a connection of its own.
        calls = [self.call(model) for _ in range(6)]
        if time.monotonic() - begin < OPEN_S:
            self.assertEqual(calls, [(1, names[1])] * 6)
        row = channels.row(names[0])
        self.assertIn(row["health"], ("out", "probing"))
        self.assertIn("3 failed in a row", row["why"])
        self.assertIn("status 500", row["why"])
        self.assertEqual((row["faults"] >= 3, row["error_percent"]),
                         (True, 100))
        self.assertIn("taken out", gateway.log())
        # One probe, which fails, and then nothing for twice as long.
        harness.wait_until(lambda: self.call(model)[0] == 2, "a probe", 5)
        row = channels.row(names[0])
        self.assertEqual((row["health"], row["opened"]), ("out", 2))
        self.mend(model, names[0])
        harness.wait_until(lambda: self.call(model) == (1, names[0]),
                           "the channel back", 10)
        row = channels.row(names[0])
        self.assertEqual((row["health"], row["why"]), ("up", None))
        self.assertIsNotNone(row["p50_ms"])
        fees = sum(r["fee_nano"] for r in gateway.records()
                   if r["model"] == model)
        self.assertEqual(before - gateway.settled(), fees)

    def test_reset_by_hand(self):
        model, names = self.break_down("reset")
        self.mend(model, names[0])
        gateway.ctl("channel", "reset", names[0], "--reason", "mended")
        harness.wait_until(lambda: channels.row(names[0])["health"] == "up",
                           "the reset", 5)
        self.assertEqual(self.call(model), (1, names[0]))

    def test_nothing_else_is_up(self):
        model, (name,) = channels.route("status-500")
        for _ in range(3):
            self.assert_openai_error(gateway.call(CHAT, chat(model)), 502)
        answer = gateway.call(CHAT, chat(model))
        self.assert_openai_error(answer, 503)
        self.assertIn(int(answer.headers["retry-after"]), (1, 2))
        # It is free, and it comes back by itself.
        self.assertEqual(gateway.record(answer.request_id)["fee_nano"], 0)
        self.mend(model, name)
        harness.wait_until(
            lambda: gateway.call(CHAT, chat(model)).status == 200,
            "the channel back", 10)

    def test_a_dead_probe_is_followed_by_another(self):
        model, names = self.break_down()
        self.mend(model, names[0], "slow-first-60000")
        seen = len(channels.seen())

        def hang():
            try:
                gateway.call(CHAT, chat(model))
            except OSError:
                pass
        threads = []
        while "slow-first-60000" not in channels.seen(seen):
            threads.append(threading.Thread(target=hang))
            threads[-1].start()
            time.sleep(0.2)
            self.assertLess(len(threads), 100)
        self.assertEqual(channels.row(names[0])["health"], "probing")
        for pid in gateway.children("worker"):
            os.kill(pid, signal.SIGKILL)
        for thread in threads:
            thread.join()
        self.mend(model, names[0])
        gateway.wait_ready()
        harness.wait_until(lambda: self.call(model) == (1, names[0]),
                           "another probe", 15)
        gateway.verify()


class Storm(harness.Case):

    def test_zz_retries_are_a_part_of_the_calls(self):
        model, names = channels.route("reset", "fast")
        for name in names:
            gateway.ctl("channel", "reset", name)
        # One worker, so that what it has saved up is known; no breaker.
        gateway.write_config(retry_percent=10, breaker_failures=0, workers=1)
        gateway.master.send_signal(signal.SIGHUP)
        harness.wait_until(lambda: len(gateway.children("worker")) == 1,
                           "the one new worker", 20)
        statuses = [gateway.call(CHAT, chat(model)).status
                    for _ in range(50)]
        # Ten saved up, and a tenth of fifty.
        self.assertIn(statuses.count(200), (14, 15))
        self.assertEqual(set(statuses), {200, 502})


if __name__ == "__main__":
    harness.main()
