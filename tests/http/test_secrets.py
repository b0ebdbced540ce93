"""Sealing keys change while calls go on: none is refused or ended, killed
rotations are gone on with, and keys that youyund doesn't have seal nothing."""

import subprocess
import threading
import time

import harness
from harness import CHAT, chat, events

gateway = None
KILLED = harness.BUILD / "tests/admin/killed"


def setUpModule():
    global gateway
    gateway = harness.Gateway(["fast", "drip-20-100"], workers=2)


def tearDownModule():
    gateway.stop()


def listed():
    return {row["key"]: row for row in gateway.rows("secret", "list")}


def sealing():
    key, = (n for n, row in listed().items() if row["state"] == "seals")
    return key


class Load:
    """Calls by three threads, for as long as it is entered."""

    def __enter__(self):
        self.statuses, self.stop = [], threading.Event()
        self.threads = [threading.Thread(target=self.work) for _ in range(3)]
        for thread in self.threads:
            thread.start()
        return self

    def work(self):
        while not self.stop.is_set():
            self.statuses.append(gateway.call(CHAT, chat("fast")).status)

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()


class Secrets(harness.Case):

    def test_no_call_notices_a_rotation(self):
        was = sealing()
        # Those that an earlier test's rotation replaced may still be ending.
        harness.wait_until(lambda: listed()[was]["workers"] == 2,
                           "two workers with the sealing key", 30)
        stream = gateway.stream(CHAT, chat("drip-20-100", True))
        self.assertTrue(stream.read_until(b"w000001"))
        with Load() as load:
            told = gateway.ctl_json("secret", "rotate")
            now = told["key"]
            self.assertEqual(told["sealed_anew"], 3)
            self.assertNotEqual(now, was)
            time.sleep(0.5)
            # The old worker has the stream, and no such key.
            self.assertEqual(events(stream.read())[-1][1], "[DONE]")
            stream.close()
            gateway.ctl("secret", "retire")
            time.sleep(0.5)
        self.assertEqual(set(load.statuses), {200})
        self.assertGreater(len(load.statuses), 30)
        self.assertEqual(listed()[was]["state"], "retired")
        harness.wait_until(lambda: (listed()[now]["workers"],
                                    listed()[was]["workers"]) == (2, 0),
                           "workers with the new key alone", 30)
        log = gateway.log()
        self.assertNotIn("cannot be opened", log)
        # Those that are started later have it, too.
        for pid in list(gateway.children("worker")):
            subprocess.run(["kill", "-9", str(pid)], check=True)
        harness.wait_until(
            lambda: len(gateway.children("worker")) == 2, "new workers", 10)
        gateway.wait_ready()
        self.assertEqual(gateway.call(CHAT, chat("fast")).status, 200)

    def test_killed_under_load_it_is_gone_on_with(self):
        env = dict(ASAN_OPTIONS="detect_leaks=0", LC_ALL="C",
                   PATH="/usr/bin:/bin")
        with Load() as load:
            for step in (2, 4, 5, 6, 7, 8, 15, 25):
                was = sealing()
                done = subprocess.run(
                    [KILLED, str(step), harness.YOUYUNCTL, "-c",
                     gateway.config, "secret", "rotate"], check=False,
                    capture_output=True, env=env)
                self.assertIn(done.returncode, (0, 1), done)
                time.sleep(0.1)
                told = gateway.ctl_json("secret", "rotate")
                self.assertNotEqual(told["key"], was)
                gateway.ctl("secret", "retire")
        self.assertEqual(set(load.statuses), {200})

    def test_what_youyund_does_not_have_seals_nothing(self):
        was = sealing()
        gateway.write_config(no_such_setting="1")
        good = gateway.config.read_text().replace("no_such_setting = 1\n", "")
        # youyunctl itself needs a configuration that is right.
        other = gateway.folder / "other.conf"
        other.write_text(good)
        result = subprocess.run(
            [harness.YOUYUNCTL, "-c", other, "secret", "rotate"],
            capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 1, result)
        self.assertIn("workers don't have key", result.stderr)
        self.assertEqual(gateway.call(CHAT, chat("fast")).status, 200)
        rows = [row for row in listed_by(other) if row["credentials"] > 0]
        self.assertEqual([row["key"] for row in rows], [was])
        gateway.write_config(no_such_setting=None)
        self.assertEqual(gateway.ctl_json("secret", "rotate")["sealed_anew"],
                         3)
        self.assertEqual(gateway.call(CHAT, chat("fast")).status, 200)

    def test_another_pepper_is_not_taken_over(self):
        path = gateway.folder / "state" / "secrets"
        good = path.read_bytes()
        bad = bytearray(good)
        bad[8] = ord("1") if bad[8] != ord("1") else ord("2")
        path.write_bytes(bad)
        gateway.master.send_signal(1)
        harness.wait_until(lambda: "the pepper is another" in gateway.log(),
                           "the refusal", 10)
        path.write_bytes(good)
        self.assertEqual(gateway.call(CHAT, chat("fast")).status, 200)


def listed_by(config):
    import json
    done = subprocess.run([harness.YOUYUNCTL, "-c", config, "secret", "list",
                           "--json"], capture_output=True, text=True,
                          check=True)
    return json.loads(done.stdout)["keys"]


if __name__ == "__main__":
    harness.main()
