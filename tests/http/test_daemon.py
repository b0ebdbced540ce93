"""The daemon as a daemon: children come back, SIGTERM leaves nothing, and a
wrong configuration is told all at once."""

import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time

import harness
from harness import CHAT, chat, events

MODELS = ["fast", "drip-10-200"]


class Daemon(harness.Case):

    def setUp(self):
        self.gateway = harness.Gateway(MODELS)
        self.addCleanup(self.gateway.clean_up)

    def test_a_killed_child_comes_back(self):
        gateway = self.gateway
        for kind in ("worker", "flusher", "postgres"):
            with self.subTest(kind=kind):
                old = gateway.child(kind)
                os.kill(old, signal.SIGKILL)

                def back():
                    try:
                        return gateway.child(kind) != old
                    except AssertionError:
                        return False
                harness.wait_until(back, f"a new {kind}", 15)
                gateway.wait_ready()

                def answered():
                    try:
                        return gateway.call(CHAT, chat("fast")).status == 200
                    except OSError:
                        return False
                harness.wait_until(answered, f"a call after {kind}", 15)
        gateway.settled()
        gateway.verify()
        gateway.stop()

    def test_sigterm_leaves_nothing_running(self):
        gateway = self.gateway
        self.assertGreaterEqual(len(gateway.children()), 3)
        begin = time.monotonic()
        self.assertEqual(gateway.terminate(), 0)
        self.assertLess(time.monotonic() - begin, 10 * harness.PATIENCE)
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", gateway.port), 1)
        gateway.check_log()

    def test_sigterm_lets_calls_finish(self):
        gateway = self.gateway
        stream = gateway.stream(CHAT, chat("drip-10-200", True))
        self.assertTrue(stream.read_until(b"w000001"))
        gateway.master.send_signal(signal.SIGTERM)
        found = events(stream.read())
        self.assertEqual(found[-1][1], "[DONE]")
        stream.close()
        self.assertEqual(gateway.master.wait(20 * harness.PATIENCE), 0)
        self.assertEqual(gateway.belonging(), {})
        gateway.start()
        record = gateway.record(stream.headers["x-request-id"])
        self.assertEqual(record["usage"]["output"], 10)
        gateway.verify()
        gateway.stop()

    def test_money_and_keys_survive_a_restart(self):
        gateway = self.gateway
        ids = [gateway.call(CHAT, chat("fast")).request_id
               for _ in range(20)]
        before = gateway.settled()
        for _ in range(2):
            self.assertEqual(gateway.terminate(), 0)
            gateway.start()
            self.assertEqual(gateway.settled(), before)
        self.assertLessEqual(
            set(ids), {r["request_id"] for r in gateway.records()})
        self.assertEqual(gateway.call(CHAT, chat("fast")).status, 200)
        gateway.settled()
        gateway.verify()
        gateway.stop()

    def test_a_second_daemon_on_the_same_state_is_refused(self):
        gateway = self.gateway
        second = subprocess.run(
            [harness.YOUYUND, "-f", "-c", gateway.config],
            capture_output=True, text=True, check=False,
            timeout=30 * harness.PATIENCE)
        self.assertNotEqual(second.returncode, 0)
        self.assertTrue(second.stderr.strip())
        self.assertEqual(gateway.call(CHAT, chat("fast")).status, 200)
        gateway.stop()

    def test_processes_run_as_the_service_user(self):
        uid, _ = harness.service_user()
        for pid, line in harness.descendants(
                self.gateway.master.pid).items():
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            uids = {int(n) for row in status.splitlines()
                    if row.startswith("Uid:") for n in row.split()[1:]}
            self.assertEqual(uids, {uid}, line)
        self.gateway.stop()

    def test_secrets_are_readable_by_the_service_alone(self):
        gateway = self.gateway
        state = gateway.folder / "state"
        seen = 0
        for path in [state, *state.rglob("*")]:
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode) or stat.S_ISSOCK(mode):
                continue
            seen += 1
            if stat.S_ISREG(mode):
                data = path.read_bytes()
                self.assertNotIn(gateway.key.encode(), data, path)
                self.assertNotIn(harness.UPSTREAM_KEY.encode(), data, path)
        self.assertGreater(seen, 10)
        secrets = state / "secrets"
        self.assertEqual(secrets.stat().st_mode & 0o077, 0)
        gateway.stop()

    def test_prompts_and_answers_are_written_nowhere(self):
        gateway = self.gateway
        secret = "the-prompt-that-nobody-may-keep"
        gateway.call(CHAT, chat("fast", text=secret))
        gateway.call(CHAT, "{" + secret)
        gateway.settled()
        self.assertEqual(gateway.terminate(), 0)
        seen = 0
        for path in gateway.folder.rglob("*"):
            if path == gateway.upstream.log or not path.is_file():
                continue
            seen += 1
            data = path.read_bytes()
            self.assertNotIn(secret.encode(), data, path)
            self.assertNotIn(b"demonstration upstream", data, path)
        self.assertGreater(seen, 10)


class Configuration(harness.Case):

    def run_with(self, text):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="yy-"))
        self.addCleanup(shutil.rmtree, folder)
        config = folder / "youyun.conf"
        config.write_text(text)
        return subprocess.run(
            [harness.YOUYUND, "-f", "-c", config], capture_output=True,
            text=True, check=False, timeout=30 * harness.PATIENCE), config

    def test_all_mistakes_are_told_with_their_lines(self):
        done, config = self.run_with(
            "workers = lots\n\nlisten = nowhere\nno_such = 1\n")
        self.assertNotEqual(done.returncode, 0)
        for line, name in ((1, "workers"), (3, "listen"), (4, "no_such")):
            self.assertIn(f"{config}:{line}: {name}", done.stderr)

    def test_a_missing_file_is_named(self):
        done = subprocess.run(
            [harness.YOUYUND, "-f", "-c", "/nonexistent/youyun.conf"],
            capture_output=True, text=True, check=False, timeout=30)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("/nonexistent/youyun.conf", done.stderr)


if __name__ == "__main__":
    harness.main()
