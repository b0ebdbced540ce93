#!/usr/bin/env python3
"""youyunctl on a terminal: tables fit its width whatever is in them, colours
are for terminals only, and what takes more than a second says so, there and
nowhere else."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
import unicodedata
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fixture import OK, YOUYUNCTL, Booker, Installation

it = None
ESCAPE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
LONG = "a customer with quite a long name that goes on and on and on"


def setUpModule():
    global it
    it = Installation()
    unittest.addModuleCleanup(it.remove)
    it.ok("init")
    it.start_postgres()
    for name in ("acme", "客户有一个很长的名字" * 2, LONG, "mü\u0308nchen"):
        it.ok("customer", "add", name, "--contact", "x@example.com")
    it.ok("customer", "suspend", "acme", "--reason",
          "because of a long story that nobody wants to hear to its end")
    it.ok("customer", "restrict", LONG)
    it.ok("price", "set", "model-with-a-long-name-1", "--input", "1",
          "--output", "2")
    it.ok("credit", "acme", "123456789.123456789", "--reason", "r" * 90)
    for n in range(2):
        it.ok("key", "add", "acme", "--name", "the laptop in the kitchen")
    Booker(it).book(1, [{"fee_nano": 123456789, "error": 3, "status": s}
                        for s in (200, 429, 502)])
    it.ok("code", "create", "--amount", "2", "--count", "3", "--expires",
          "90d", "--batch", "spring")
    it.ok("invitation", "create", "--note", "n" * 70)
    it.ok("incident", "open", "--kind", "outage", "--what", "w" * 200)
    it.ok("package", "add", "starter", "--amount", "20", "--price", "20")
    it.sql("""INSERT INTO ticket (customer_id, subject, state)
        VALUES (2, repeat('s', 100), 0)""")


class Terminal:
    """A run whose output and errors are terminals of a width, of their own
    so that they can be told apart."""

    def __init__(self, *words, width=80, env=None, term="xterm"):
        environment = dict(os.environ, TERM=term, LC_ALL="C.UTF-8")
        for name in ("COLUMNS", "NO_COLOR", "SUDO_USER"):
            environment.pop(name, None)
        environment.update(env or {})
        out, out_end = pty.openpty()
        err, err_end = pty.openpty()
        for end in (out_end, err_end):
            fcntl.ioctl(end, termios.TIOCSWINSZ,
                        struct.pack("HHHH", 24, width, 0, 0))
        process = subprocess.Popen(
            [YOUYUNCTL, "-c", it.config, *words], stdin=subprocess.DEVNULL,
            stdout=out_end, stderr=err_end, env=environment)
        os.close(out_end)
        os.close(err_end)
        texts = {out: b"", err: b""}
        while True:
            ready, _, _ = select.select(texts, [], [], 0.2)
            for fd in ready:
                try:
                    texts[fd] += os.read(fd, 65536)
                except OSError:
                    pass
            if not ready or process.poll() is not None:
                if process.poll() is not None and not self.left(texts):
                    break
        self.status = process.wait(20)
        self.out = texts[out].decode().replace("\r\n", "\n")
        self.err = texts[err].decode().replace("\r\n", "\n")
        os.close(out)
        os.close(err)

    @staticmethod
    def left(texts):
        got = False
        for fd in select.select(texts, [], [], 0)[0]:
            try:
                data = os.read(fd, 65536)
            except OSError:
                continue
            texts[fd] += data
            got = got or bool(data)
        return got

    def lines(self):
        return ESCAPE.sub("", self.out).splitlines()


def columns(text):
    return sum(0 if unicodedata.combining(c) else
               2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in text)


LISTS = ["customer list", "balance", "key list", "call list", "calls",
         "ledger", "ledger acme", "ledger list", "bill list acme", "event list", "audit list",
         "ticket list", "code list", "code list spring", "payment list",
         "invitation list", "incident list", "request list", "group list",
         "price list", "price history", "channel list", "package list",
         "node list", "subprocessor list", "screen list"]


class Width(unittest.TestCase):
    def test_tables_fit(self):
        for words in LISTS:
            for width in (80, 100, 200):
                done = Terminal(*words.split(), width=width)
                self.assertEqual(done.status, OK, (words, done.err))
                for line in done.lines():
                    self.assertLessEqual(columns(line), width,
                                         (words, width, line))

    def test_what_there_is_room_for_is_shown(self):
        wide = "\n".join(Terminal("customer", "list", width=400).lines())
        self.assertIn("客户有一个很长的名字" * 2, wide)
        narrow = "\n".join(Terminal("customer", "list").lines())
        self.assertNotIn("客户有一个很长的名字" * 2, narrow)
        self.assertIn("~", narrow)

    def test_the_measure_can_fail(self):
        self.assertEqual(columns("客a"), 3)
        self.assertEqual(columns("mü\u0308"), 2)
        piped = it.ok("customer", "list", env={"COLUMNS": "", "LC_ALL":
                                               "C.UTF-8"}).out
        self.assertTrue(any(columns(line) > 80
                            for line in piped.splitlines()))


class Colours(unittest.TestCase):
    def test_on_a_terminal(self):
        done = Terminal("customer", "list")
        self.assertIn("\x1b[31msuspended\x1b[0m", done.out)
        self.assertIn("\x1b[33mlimited\x1b[0m", done.out)
        self.assertRegex(done.out, r"\x1b\[1mCUSTOMER")
        self.assertNotIn("mactive\x1b", done.out)
        self.assertIn("\x1b[31msuspended\x1b[0m",
                      Terminal("customer", "show", "acme").out)
        calls = Terminal("call", "list", width=200).out
        self.assertIn("\x1b[33m429\x1b[0m", calls)
        self.assertIn("\x1b[31m502\x1b[0m", calls)
        self.assertNotIn("m200\x1b", calls)

    def test_nowhere_else(self):
        for words in LISTS:
            self.assertNotIn("\x1b", it.ok(*words.split()).out)
        self.assertNotIn("\x1b", it.ok("help").out)
        for done in (Terminal("customer", "list", env={"NO_COLOR": "1"}),
                     Terminal("customer", "list", term="dumb"),
                     Terminal("customer", "list", "--json")):
            self.assertIn("suspended", done.out)
            self.assertNotIn("\x1b", done.out)
        # An empty one says nothing (no-color.org).
        self.assertIn("\x1b", Terminal("customer", "list",
                                       env={"NO_COLOR": ""}).out)


class Progress(unittest.TestCase):
    def held(self, seconds, table="customer_group"):
        """Nobody gets at the table for so long."""
        process = subprocess.Popen(
            it.psql_command("postgres"), stdin=subprocess.PIPE, text=True)
        process.stdin.write(f"BEGIN; LOCK TABLE youyun.{table}; "
                            f"SELECT pg_sleep({seconds}) \\g /dev/null\n"
                            "COMMIT;\n")
        process.stdin.close()
        self.addCleanup(process.wait, 30)
        while it.sql("SELECT count(*) FROM pg_locks WHERE mode ="
                     " 'AccessExclusiveLock' AND relation ="
                     f" 'youyun.{table}'::regclass") == [["0"]]:
            time.sleep(0.02)

    def test_what_takes_long_says_so(self):
        self.held(2.5)
        done = Terminal("customer", "add", "slow")
        self.assertEqual(done.status, OK, done.err)
        self.assertIn("\rchanging the database, 1 s\x1b[K", done.err)
        self.assertTrue(done.err.endswith("\r\x1b[K"), repr(done.err))
        self.assertNotIn("changing", done.out)

    def test_counted_where_it_can_be(self):
        self.held(1.5, "audit_link")
        done = Terminal("audit", "verify")
        self.assertEqual(done.status, OK, done.err)
        self.assertRegex(done.err, r"\r(\d+ )?entries, 1 s")

    def test_what_is_quick_doesn_t(self):
        self.assertEqual(Terminal("customer", "add", "quick").err, "")
        self.assertEqual(Terminal("audit", "verify").err, "")

    def test_only_on_a_terminal(self):
        self.held(1.5)
        self.assertEqual(it.ok("customer", "add", "piped").err, "")
        self.held(1.5)
        self.assertEqual(Terminal("customer", "add", "dumb",
                                  term="dumb").err, "")


class Nouns(unittest.TestCase):
    def test_each_is_there_and_explained(self):
        for noun in ("customer key group channel price call bill ledger code "
                     "ticket event audit node").split():
            told = it.ok("help", noun).out
            self.assertIn(f"youyunctl {noun}", told)
            self.assertRegex(told, rf"{noun} (list|show)")

    def test_scripts_have_json_and_are_not_asked(self):
        commands = it.json("help")["commands"]
        self.assertGreater(len(commands), 100)
        for words in LISTS:
            it.json(*words.split())


if __name__ == "__main__":
    unittest.main()
