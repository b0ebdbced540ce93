"""youyunctl top: what passes, as the records and the bill have it."""

import json
import os
import pty
import select
import subprocess
import time

import harness
from harness import CHAT, chat, nano

gateway = None


def setUpModule():
    global gateway
    gateway = harness.Gateway(["fast", "drip-400-50", "status-500"],
                              workers=2)


def tearDownModule():
    gateway.stop()


def top(*words, **options):
    return subprocess.Popen(
        [harness.YOUYUNCTL, "-c", gateway.config, "top", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


class Top(harness.Case):

    def looks(self, process):
        """One object a line, until the process has ended."""
        decoder = json.JSONDecoder()
        text = ""
        while True:
            line = process.stdout.readline()
            if not line:
                return
            text += line
            try:
                look, end = decoder.raw_decode(text)
            except json.JSONDecodeError:
                continue
            text = text[end:].lstrip()
            yield look

    def test_calls_tokens_and_money_are_those_of_the_records(self):
        process = top("--json", "--interval", "1")
        try:
            looks = self.looks(process)
            next(looks)
            ids = [gateway.call(CHAT, chat("fast")).request_id
                   for _ in range(5)]
            ids.append(gateway.call(CHAT, chat("status-500")).request_id)
            calls = failed = tokens = fees = 0
            channels = 0
            for look in looks:
                self.assertEqual(look["missed"], 0)
                for line in look["customers"]:
                    self.assertEqual(line["name"], "test")
                    calls += line["calls"]
                    failed += line["failed"]
                    tokens += line["tokens"]
                    fees += nano(line["fees"])
                channels += sum(line["calls"] for line in look["channels"])
                if calls == len(ids):
                    break
        finally:
            process.kill()
            process.communicate()
        records = [gateway.record(i) for i in ids]
        self.assertEqual(failed, 1)
        self.assertEqual(channels, len(ids))
        self.assertEqual(fees, sum(r["fee_nano"] for r in records))
        self.assertGreater(fees, 0)
        self.assertEqual(tokens, sum(sum(r["usage"].values())
                                     for r in records))

    def test_what_is_open_and_held(self):
        with gateway.stream(CHAT, chat("drip-400-50", True)) as stream:
            stream.read_until(b"data:")
            look = gateway.ctl_json("top", "--once", "--interval", "1")
            self.assertEqual(look["open"], 1)
            line, = look["customers"]
            self.assertEqual(line["open"], 1)
            self.assertGreater(nano(line["held"]), 0)
            self.assertEqual(nano(line["held"]), nano(look["held"]))
            channel, = look["channels"]
            self.assertEqual(channel["open"], 1)
            text = gateway.ctl("top", "--once", "--interval", "1")
            self.assertIn("1 open", text)
            self.assertRegex(text, r"(?m)^test +\d")

    def test_an_unknown_length_of_time_is_refused(self):
        for words in (("--interval", "0"), ("--interval", "x"),
                      ("--rows", "0")):
            process = top("--once", *words)
            _, err = process.communicate()
            self.assertEqual(process.returncode, 2)
            self.assertIn(f"{words[0]} {words[1]}: allowed are 1 to", err)

    def test_it_draws_in_place_and_leaves_the_terminal_as_it_was(self):
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [harness.YOUYUNCTL, "-c", gateway.config, "top", "--interval",
             "1"], stdin=slave, stdout=slave, stderr=slave,
            env=dict(os.environ, TERM="xterm"), start_new_session=True)
        os.close(slave)
        shown = self.read_until(master, b"calls/s")
        self.assertIn(b"\033[?1049h", shown)
        os.write(master, b"q")
        shown = self.read_until(master, b"\033[?1049l")
        self.assertIn(b"\033[?1049l", shown)
        self.assertEqual(process.wait(20), 0)
        os.close(master)

    def read_until(self, fd, wanted):
        shown = b""
        until = time.monotonic() + 30
        while wanted not in shown and time.monotonic() < until:
            if select.select([fd], [], [], 1)[0]:
                try:
                    shown += os.read(fd, 65536)
                except OSError:
                    break
        self.assertIn(wanted, shown)
        return shown


if __name__ == "__main__":
    harness.main()
