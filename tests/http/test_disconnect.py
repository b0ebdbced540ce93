"""Clients that leave: noticed at once, the upstream told, the bill exact."""

import json
import os
import socket
import struct
import threading
import time

import harness
from harness import CHAT, MESSAGES, chat, fee_of, message, nano

BOTH = ((CHAT, chat), (MESSAGES, message))

gateway = None


def setUpModule():
    global gateway
    # A sanitizer keeps what is freed, which is no leak of the worker's.
    os.environ["ASAN_OPTIONS"] = ":".join(filter(None, [
        os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=1"]))
    gateway = harness.Gateway(
        ["fast", "drip-200-50", "never", "slow-first-5000", "big-20000000"],
        settings={"upstream_first_byte_timeout": "60s"})


def tearDownModule():
    gateway.stop()


def leave(stream, reset):
    """Hangs up in the middle."""
    sock = stream.connection.sock
    if sock is None:		# http.client gave it to the response
        sock = stream.response.fp.raw._sock
    if reset:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
    sock.shutdown(socket.SHUT_RDWR)
    stream.response.close()
    stream.connection.close()


class MidStream(harness.Case):

    def check(self, path, make, reset):
        before = gateway.settled()
        left = gateway.upstream.stats()["left"]
        stream = gateway.stream(path, make("drip-200-50", True))
        self.assertTrue(stream.read_until(b"w000002"))
        request_id = stream.headers["x-request-id"]
        leave(stream, reset)
        # the whole answer would have taken ten seconds
        harness.wait_until(
            lambda: gateway.upstream.stats()["left"] > left,
            "the upstream's connection closed", 3)
        record = gateway.record(request_id)
        fee = record["fee_nano"]
        self.assertGreater(fee, 0)
        self.assertLess(record["usage"]["output"], 200)
        self.assertEqual(before - gateway.settled(), fee)

    def test_fin(self):
        for path, make in BOTH:
            self.check(path, make, reset=False)

    def test_reset(self):
        for path, make in BOTH:
            self.check(path, make, reset=True)


class BeforeTheAnswer(harness.Case):

    def test_a_suspended_connection_is_watched(self):
        for path, make in BOTH:
            for stream in (False, True):
                before = gateway.settled()
                left = gateway.upstream.stats()["left"]
                body = json.dumps(make("never", stream)).encode()
                sock = gateway.raw()
                sock.sendall(
                    f"POST {path} HTTP/1.1\r\nHost: x\r\n"
                    f"Authorization: Bearer {gateway.key}\r\n"
                    f"Content-Type: application/json\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
                harness.wait_until(
                    lambda: gateway.busy() > 0, "a hold", 5)
                sock.close()
                harness.wait_until(
                    lambda: gateway.upstream.stats()["left"] > left,
                    "the upstream's connection closed", 3)
                # the upstream may have begun to work: the money is either
                # back or charged, but it isn't held any more
                self.assertLessEqual(gateway.settled(), before)

    def test_a_half_sent_body_reaches_no_upstream(self):
        before = len(gateway.upstream.requests())
        money = gateway.settled()
        for _ in range(20):
            sock = gateway.raw()
            sock.sendall(
                f"POST {CHAT} HTTP/1.1\r\nHost: x\r\n"
                f"Authorization: Bearer {gateway.key}\r\n"
                f"Content-Type: application/json\r\n"
                f"Content-Length: 100\r\n\r\n".encode() + b'{"model":"fast"')
            sock.close()
        self.assertEqual(gateway.get("/healthz", key=None).status, 200)
        self.assertEqual(len(gateway.upstream.requests()), before)
        self.assertEqual(gateway.settled(), money)


def send_and_leave(to, path, body):
    """A call whose client goes when the upstream has it, before any byte of
    an answer; returns its record."""
    body = json.dumps(body).encode()
    known = {r["request_id"] for r in to.records()}
    requests = len(to.upstream.requests())
    sock = to.raw()
    sock.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\n"
                 f"Authorization: Bearer {to.key}\r\n"
                 f"Content-Type: application/json\r\n"
                 f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
    harness.wait_until(
        lambda: len(to.upstream.requests()) > requests, "a call upstream")
    sock.close()
    to.settled()
    (record,) = [r for r in to.records() if r["request_id"] not in known]
    return record


class Cancelled(harness.Case):
    """on_client_abort = cancel, as youyun.conf(5) says it."""

    def test_nothing_answered_costs_the_input(self):
        for path, make in BOTH:
            for stream in (False, True):
                body = make("slow-first-5000", stream)
                record = send_and_leave(gateway, path, body)
                size = len(json.dumps(body).encode())
                self.assertEqual(record["usage"]["input"], -(-size // 3) + 16)
                self.assertEqual(record["usage"]["output"], 0)
                self.assertEqual(record["fee_nano"], fee_of(
                    {"input": record["usage"]["input"]}))
                for flag in ("client_gone", "estimated"):
                    self.assertIn(flag, record["flags"])


class Drained(harness.Case):
    """on_client_abort = drain, as youyun.conf(5) says it."""

    @classmethod
    def setUpClass(cls):
        cls.gateway = harness.Gateway(
            ["drip-60-20", "drip-400-5", "slow-first-500", "slow-error"],
            settings={"on_client_abort": "drain", "drain_max_bytes": "30000",
                      "stream_extend_tokens": 16})

    @classmethod
    def tearDownClass(cls):
        cls.gateway.stop()

    def left(self, model, path, make, key=""):
        """The record of a stream that was left in the middle."""
        stream = self.gateway.stream(path, make(model, True), key=key)
        self.assertTrue(stream.read_until(b"w000002"))
        request_id = stream.headers["x-request-id"]
        leave(stream, reset=False)
        record = self.gateway.record(request_id)
        self.assertIn("client_gone", record["flags"])
        return record

    def test_the_rest_of_a_stream_is_charged_as_stated(self):
        for path, make in BOTH:
            before = self.gateway.settled()
            record = self.left("drip-60-20", path, make)
            self.assertEqual(record["usage"]["output"], 60)
            self.assertNotIn("estimated", record["flags"])
            # money was held for all of it, as it came
            self.assertEqual(nano(record["uncollected"]), 0)
            self.assertEqual(record["fee_nano"], fee_of(
                {"input": record["usage"]["input"], "output": 60}))
            self.assertEqual(before - self.gateway.settled(),
                             record["fee_nano"])

    def test_an_answer_that_had_not_begun_is_charged_as_stated(self):
        for path, make in BOTH:
            for stream in (False, True):
                record = send_and_leave(self.gateway, path,
                                        make("slow-first-500", stream))
                self.assertEqual(record["usage"]["output"], 27)
                self.assertNotIn("estimated", record["flags"])

    def test_an_error_costs_nothing(self):
        for path, make in BOTH:
            record = send_and_leave(self.gateway, path, make("slow-error"))
            self.assertEqual(record["fee_nano"], 0)
            self.assertEqual(record["upstream_status"], 500)

    def test_no_more_is_read_than_drain_max_bytes(self):
        for path, make in BOTH:
            gone = self.gateway.upstream.stats()["left"]
            record = self.left("drip-400-5", path, make)
            self.assertGreater(self.gateway.upstream.stats()["left"], gone)
            self.assertIn("estimated", record["flags"])
            self.assertGreater(record["answer_bytes"], 30000)
            self.assertLess(record["answer_bytes"], 60000)
            self.assertGreater(record["fee_nano"], 0)

    def test_no_more_is_read_than_there_is_money_for(self):
        key = self.gateway.add_customer("poor", "0.0006")
        record = self.left("drip-60-20", CHAT, chat, key)
        self.assertIn("cut_short", record["flags"])
        self.assertGreaterEqual(self.gateway.settled("poor"), 0)
        self.assertGreater(record["fee_nano"], 0)


class SlowReaders(harness.Case):

    def test_a_client_that_does_not_read_costs_no_memory(self):
        worker = gateway.child("worker")

        def resident_kb():
            with open(f"/proc/{worker}/status", encoding="ascii") as status:
                for line in status:
                    if line.startswith("VmRSS:"):
                        return int(line.split()[1])
            return 0

        gateway.call(CHAT, chat("fast"))
        before = resident_kb()
        streams = [gateway.stream(CHAT, chat("big-20000000", True))
                   for _ in range(4)]
        # 80 MB wait at the upstream; the worker takes what its buffers hold
        self.assertEqual(gateway.call(CHAT, chat("fast")).status, 200)
        time.sleep(1)
        self.assertLess(resident_kb() - before, 16 * 1024)
        for stream in streams:
            leave(stream, reset=False)
        gateway.settled()


class SilentClients(harness.Case):

    def test_connections_that_say_nothing_cost_no_processor(self):
        worker = gateway.child("worker")

        def ticks():
            with open(f"/proc/{worker}/stat", encoding="ascii") as stat:
                fields = stat.read().rpartition(")")[2].split()
            return int(fields[11]) + int(fields[12])

        silent = [socket.create_connection(("127.0.0.1", gateway.port))
                  for _ in range(8)]
        for sock in silent[4:]:
            sock.sendall(b"\x16\x03\x01\x02\x00\x01")	# half a hello
        half = gateway.raw()
        half.sendall(b"POST /v1/messages HTTP/1.1\r\nHost: x\r\n")
        time.sleep(0.5)
        before = ticks()
        time.sleep(1)
        # in hundredths of a second
        self.assertLess(ticks() - before, 30)
        for sock in (*silent, half):
            sock.close()


class ManyAtOnce(harness.Case):

    def test_fifty_leave_together(self):
        before = gateway.settled()
        ids, lock = [], threading.Lock()

        def come_and_go(number):
            path, make = BOTH[number % 2]
            stream = gateway.stream(path, make("drip-200-50", True))
            stream.read_until(b"w000001")
            with lock:
                ids.append(stream.headers["x-request-id"])
            leave(stream, reset=number % 3 == 0)

        threads = [threading.Thread(target=come_and_go, args=(n,))
                   for n in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(ids), 50)
        after = gateway.settled()
        fees = {r["request_id"]: r["fee_nano"] for r in gateway.records()}
        self.assertEqual(before - after, sum(fees[i] for i in ids))


class Afterwards(harness.Case):

    def test_zz_the_books_are_clean(self):
        gateway.settled()
        gateway.verify()


if __name__ == "__main__":
    harness.main()
