"""When a call's record is on the disk, and what the client has by then."""

import contextlib
import json
import os
import resource
import signal
import subprocess
import time

import harness
from harness import CHAT, MESSAGES, chat, message

MODELS = ["fast", "drip-6-50", "status-500"]
# Silence for so long means that nothing more comes.
QUIET = 2


class Journal:
    """The flusher, as if its disk took a while, or failed."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.pid = gateway.child("flusher")

    def stop(self):
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self):
        os.kill(self.pid, signal.SIGCONT)

    def fail(self):
        """The next write gets EFBIG, but the log can still be written;
        only its own user may do that."""
        limit = self.gateway.errors.stat().st_size + 4096
        uid, gid = harness.service_user()
        child = os.fork()
        if child == 0:
            with contextlib.suppress(OSError):
                if os.geteuid() == 0:
                    os.setgroups([])
                    os.setresgid(gid, gid, gid)
                    os.setresuid(uid, uid, uid)
                resource.prlimit(self.pid, resource.RLIMIT_FSIZE,
                                 (limit, resource.RLIM_INFINITY))
                os._exit(0)
            os._exit(1)
        if os.waitpid(child, 0)[1] != 0:
            raise AssertionError("the flusher's limit can't be set")


class Durability(harness.Case):
    DURABILITY = "group"
    SETTINGS = {}

    @classmethod
    def setUpClass(cls):
        cls.gateway = harness.Gateway(MODELS, settings={
            "durability": cls.DURABILITY} | cls.SETTINGS)
        cls.addClassCleanup(cls.gateway.clean_up)

    @classmethod
    def status(cls):
        """youyunctl status, whatever its exit status."""
        done = subprocess.run(
            [harness.YOUYUNCTL, "-c", cls.gateway.config, "status",
             "--json"], capture_output=True, text=True, check=False,
            timeout=60)
        return json.loads(done.stdout)

    def ask(self, path, body):
        """A call on a raw connection, so that each byte is seen."""
        sock = self.gateway.raw()
        self.addCleanup(sock.close)
        data = json.dumps(body).encode()
        extra = "anthropic-version: 2023-06-01\r\n" \
            if path == MESSAGES else ""
        sock.sendall((f"POST {path} HTTP/1.1\r\nHost: x\r\n"
                      f"Authorization: Bearer {self.gateway.key}\r\n"
                      f"Content-Type: application/json\r\n{extra}"
                      f"Content-Length: {len(data)}\r\n\r\n").encode() +
                     data)
        return sock

    def gather(self, sock, seconds):
        """What comes within so long; (bytes, whether it was closed)."""
        got, end = b"", time.monotonic() + seconds
        while True:
            sock.settimeout(max(0.01, end - time.monotonic()))
            try:
                part = sock.recv(65536)
            except TimeoutError:
                return got, False
            except OSError:
                return got, True
            if not part:
                return got, True
            got += part

    def gather_all(self, sock):
        """What comes until nothing more does."""
        got, closed, end = b"", False, time.monotonic() + 30
        while not got and not closed and time.monotonic() < end:
            got, closed = self.gather(sock, 0.2)
        while not closed:
            part, closed = self.gather(sock, QUIET)
            if not part:
                break
            got += part
        return got, closed

    def answer(self, path, body):
        """All bytes of an answer that nothing holds up."""
        sock = self.ask(path, body)
        got = b""
        while not self.is_whole(got):
            part, closed = self.gather(sock, 0.2)
            got += part
            self.assertFalse(closed, got)
        return got

    @staticmethod
    def is_whole(data):
        head, _, body = data.partition(b"\r\n\r\n")
        if b"chunked" in head.lower():
            return body.endswith(b"0\r\n\r\n")
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                return len(body) == int(value)
        return False

    @staticmethod
    def payload(data):
        """The body without its framing."""
        head, _, body = data.partition(b"\r\n\r\n")
        if b"chunked" not in head.lower():
            return body
        out = b""
        while body:
            size, _, body = body.partition(b"\r\n")
            n = int(size, 16)
            out, body = out + body[:n], body[n + 2:]
        return out


CALLS = [(CHAT, chat("fast")), (MESSAGES, message("fast")),
         (CHAT, chat("drip-6-50", True)),
         (MESSAGES, message("drip-6-50", True))]


class Group(Durability):

    def test_answers_do_not_wait(self):
        journal = Journal(self.gateway)
        journal.stop()
        try:
            for path, body in CALLS:
                self.assertTrue(self.is_whole(self.answer(path, body)))
        finally:
            journal.go_on()
        self.gateway.settled()
        self.gateway.stop()


class Relaxed(Durability):
    DURABILITY = "relaxed"
    SETTINGS = {"sync_interval": "1m"}

    def test_nothing_is_lost_when_processes_are_killed(self):
        gateway = self.gateway
        before = self.status()["journal_seq"]
        ids = [gateway.call(CHAT, chat("fast")).request_id
               for _ in range(20)]
        # They are written, not synced: not durable, and not applied.
        time.sleep(0.3)
        self.assertEqual(self.status()["journal_seq"], before)
        os.kill(gateway.child("flusher"), signal.SIGKILL)
        harness.wait_until(lambda: self.status()["journal_seq"] >=
                           before + 20,
                           "what was written is kept by the next flusher")
        ids += [gateway.call(CHAT, chat("fast")).request_id
                for _ in range(5)]
        for pid in [gateway.master.pid, *harness.descendants(
                gateway.master.pid)]:
            # they end with the master, so some are gone already
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        gateway.master.wait(10)
        harness.wait_until(lambda: not gateway.belonging(), "all gone", 20)
        gateway.start()
        # A stop syncs.
        self.assertEqual(gateway.terminate(), 0)
        gateway.start()
        gateway.settled()
        self.assertEqual(sorted(ids), sorted(
            row["request_id"] for row in gateway.records()))
        gateway.verify()
        gateway.stop()


class Strict(Durability):
    DURABILITY = "strict"
    SETTINGS = {"strict_timeout": "60s"}

    def held(self, path, body):
        """What of the body comes while the record is not on the disk, and
        what after it is; the whole."""
        journal = Journal(self.gateway)
        journal.stop()
        try:
            sock = self.ask(path, body)
            first, closed = self.gather_all(sock)
        finally:
            journal.go_on()
        self.assertFalse(closed)
        self.assertFalse(self.is_whole(first), first)
        rest = b""
        while not self.is_whole(first + rest):
            part, closed = self.gather(sock, 0.2)
            self.assertFalse(closed)
            rest += part
        return first, first + rest

    def test_the_last_byte_waits_for_the_record(self):
        for path, body in CALLS:
            with self.subTest(path=path, stream=body.get("stream")):
                first, whole = self.held(path, body)
                full = self.payload(whole)
                self.assertGreater(len(full), 50)
                self.assertEqual(self.payload(first), full[:-1])
                if body.get("stream"):
                    # so the event that ends it has not ended
                    self.assertFalse(first.endswith(b"\n\n"), first[-40:])

    def test_it_comes_after_one_sync_when_the_disk_is_well(self):
        for path, body in CALLS:
            self.answer(path, body)
        before = self.status()["fsyncs"]
        begin = time.monotonic()
        with self.gateway.stream(CHAT, chat("fast")) as stream:
            stream.read()
            self.assertTrue(stream.complete)
        took = time.monotonic() - begin
        self.assertLess(took, 1.0 * harness.PATIENCE)
        harness.wait_until(lambda: self.status()["fsyncs"] > before,
                           "it was synced", 5)

    def test_an_error_after_a_hold_waits_as_a_whole(self):
        journal = Journal(self.gateway)
        journal.stop()
        try:
            sock = self.ask(CHAT, chat("status-500"))
            first, closed = self.gather(sock, QUIET)
        finally:
            journal.go_on()
        self.assertEqual((first, closed), (b"", False))
        while not self.is_whole(first):
            part, closed = self.gather(sock, 0.2)
            self.assertFalse(closed)
            first += part
        self.assertIn(b"HTTP/1.1 502 ", first)

    def test_a_refusal_does_not_wait(self):
        journal = Journal(self.gateway)
        journal.stop()
        try:
            sock = self.ask(CHAT, chat("no-such-model"))
            refusal, _ = self.gather_all(sock)
        finally:
            journal.go_on()
        self.assertTrue(self.is_whole(refusal), refusal)

    def test_a_killed_flusher_is_made_up_for_by_the_next(self):
        journal = Journal(self.gateway)
        journal.stop()
        sock = self.ask(CHAT, chat("fast"))
        first, _ = self.gather_all(sock)
        self.assertFalse(self.is_whole(first))
        os.kill(journal.pid, signal.SIGKILL)
        rest = b""
        while not self.is_whole(first + rest):
            part, closed = self.gather(sock, 0.2)
            self.assertFalse(closed)
            rest += part
        self.gateway.settled()


class StrictFails(Durability):
    DURABILITY = "strict"
    SETTINGS = {"strict_timeout": "2s"}

    def broken_off(self, path, body, seconds):
        sock = self.ask(path, body)
        got, closed = self.gather(sock, seconds)
        self.assertTrue(closed, got)
        self.assertFalse(self.is_whole(got))
        return got

    @staticmethod
    def request_id(data):
        for line in data.partition(b"\r\n\r\n")[0].split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"x-request-id":
                return value.strip().decode()
        raise AssertionError(data)

    def test_too_long_and_broken_journals(self):
        gateway = self.gateway
        journal = Journal(gateway)
        journal.stop()
        ids = []
        try:
            for path, body in CALLS:
                ids.append(self.request_id(
                    self.broken_off(path, body, 10 * harness.PATIENCE)))
        finally:
            journal.go_on()
        # They stay charged, and are recorded once the journal goes on.
        for request_id in ids:
            self.assertGreater(gateway.record(request_id)["fee_nano"], 0)
        gateway.settled()
        # A write that fails: no waiting for the time limit, and no new call.
        for _ in range(40):
            self.assertEqual(gateway.call(CHAT, chat("fast")).status, 200)
        journal.fail()
        begin = time.monotonic()
        got = self.broken_off(CHAT, chat("fast"), 10 * harness.PATIENCE)
        took = time.monotonic() - begin
        ids.append(self.request_id(got))
        harness.wait_until(lambda: self.status()["stops"] == [
            {"reason": "journal"}], "status says that the journal failed")
        self.assertLess(took, 2)
        refused = gateway.call(CHAT, chat("fast"))
        self.assertEqual(refused.status, 503)
        self.assertIn("the journal failed", gateway.log())
        self.assertEqual(gateway.terminate(), 0)
        gateway.start()
        self.assertGreater(gateway.record(ids[-1])["fee_nano"], 0)
        self.assertEqual(gateway.call(CHAT, chat("fast")).status, 200)
        gateway.settled()
        gateway.verify()
        gateway.stop()


if __name__ == "__main__":
    harness.main()
