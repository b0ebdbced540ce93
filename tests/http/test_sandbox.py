"""A worker is confined: all that it serves works, and somebody who runs code
of their own in it gets no file, no program and no socket but TCP."""

import os
import pathlib
import unittest

import harness
from harness import CHAT, MESSAGES, chat, events, message

TAKEOVER = harness.BUILD / "tests/http/takeover"
gateway = None


def setUpModule():
    global gateway
    # A leak checker would look into /proc when the worker ends.
    os.environ["ASAN_OPTIONS"] = "detect_leaks=0:" + os.environ.get(
        "ASAN_OPTIONS", "")
    # Several, as the master lets one that dies again and again wait.
    gateway = harness.Gateway(["fast", "drip-20-5"], workers=4,
                              settings={"sandbox": "require"})


def tearDownModule():
    gateway.stop()


def status_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def confined_worker():
    """The pid of a worker that is not on its way up any more."""
    def find():
        for pid in sorted(gateway.children("worker")):
            try:
                if status_of(pid)["Seccomp"] == "2":
                    return pid
            except OSError:
                pass
        return None
    return harness.wait_until(find, "a confined worker", 15)


def descriptors(pid):
    """What a process has open, by the names that the kernel gives them."""
    return [os.readlink(entry)
            for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir()]


class Confined(harness.Case):

    def test_calls_of_all_kinds_work(self):
        self.assertEqual(gateway.call(CHAT, chat("fast")).status, 200)
        self.assertEqual(gateway.call(MESSAGES, message("fast")).status, 200)
        stream = gateway.stream(CHAT, chat("drip-20-5", True))
        self.assertEqual(events(stream.read())[-1][1], "[DONE]")
        stream.close()
        self.assertEqual(gateway.call(CHAT, "{").status, 400)
        self.assertEqual(gateway.get("/v1/models").status, 200)

    def test_the_kernel_says_so_of_workers_and_flusher(self):
        worker = confined_worker()
        for pid in (worker, gateway.child("flusher")):
            found = status_of(pid)
            self.assertEqual(found["Seccomp"], "2")
            self.assertEqual(found["NoNewPrivs"], "1")
        limits = pathlib.Path(f"/proc/{worker}/limits").read_text()
        for name in ("Max file size", "Max processes", "Max core file size"):
            line = next(line for line in limits.splitlines()
                        if line.startswith(name))
            self.assertEqual(line[len(name):].split()[:2], ["0", "0"], line)

    def test_status_shows_the_parts(self):
        found = gateway.ctl_json("status")
        for seat in found["seats"]:
            self.assertEqual(seat["sandbox_missing"], "", seat)

    def test_a_worker_has_no_file_open(self):
        allowed = ("socket:", "pipe:", "anon_inode:", "/dev/null",
                   "/dev/shm/", str(gateway.errors),
                   # It can't grow, and its being open is all its use.
                   str(gateway.folder / "state/lock"))
        for name in descriptors(confined_worker()):
            self.assertTrue(name.startswith(allowed), name)


@unittest.skipUnless(os.geteuid() == 0, "taking over a process needs root")
class TakenOver(harness.Case):

    def attempt(self, what, path="/"):
        """What becomes of a worker that is made to try it."""
        worker = confined_worker()
        said = harness.run([TAKEOVER, str(worker), what, str(path)]).strip()
        return said.replace(str(worker), "its own pid")

    def test_the_tool_can_make_it_call(self):
        # Else all that follows would prove nothing.
        self.assertEqual(self.attempt("own-pid"), "done its own pid")

    def flusher_has_no_secrets(self, state):
        """Of the flusher, too: what it must not read it can't."""
        flusher = str(gateway.child("flusher"))

        def said(what, path):
            return harness.run([TAKEOVER, flusher, what, str(path)]).strip()
        self.assertEqual(said("read-file", state / "secrets"),
                         "refused Permission denied")
        self.assertEqual(said("write-file", "/etc/passwd"),
                         "refused Permission denied")
        self.assertRegex(said("read-file", "/etc/hosts"), "done [0-9]+")

    def test_nothing_is_to_be_had(self):
        state = gateway.folder / "state"
        journal = next((state / "journal").glob("*.yyj"))
        new = gateway.folder / "planted"
        for what, path in (("read-file", state / "secrets"),
                           ("read-file", "/etc/passwd"),
                           ("write-file", journal),
                           ("create-file", new),
                           ("execute", "/bin/true"),
                           ("fork", "/"), ("memory-file", "x"),
                           ("new-code", "/"), ("read-process", "/"),
                           ("trace-process", "/"), ("kill-process", "/"),
                           ("io-uring", "/"), ("udp-socket", "/"),
                           ("packet-socket", "/")):
            with self.subTest(what=what, path=path):
                self.assertEqual(self.attempt(what, path),
                                 "killed Bad system call")
        self.assertFalse(new.exists())
        self.flusher_has_no_secrets(state)
        # Refused, and the worker lives: see sandbox.h.
        self.assertEqual(
            self.attempt("unix-socket"),
            "refused Address family not supported by protocol")
        confined_worker()
        self.assertEqual(gateway.call(CHAT, chat("fast")).status, 200)


class Afterwards(harness.Case):

    def test_zz_the_books_are_clean(self):
        gateway.settled()
        gateway.verify()


if __name__ == "__main__":
    harness.main()
