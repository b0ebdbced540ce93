"""SIGKILL at random while calls run: the books stay exact, and each call that
a client saw answered has exactly one record."""

import collections
import datetime
import http.client
import json
import os
import re
import signal
import threading
import time

import harness
from harness import CHAT, MESSAGES, chat, events, fee_of, message, nano

CALLS = int(os.environ.get("YOUYUN_KILL_CALLS", "1000"))
CLIENTS = 8
MODELS = ["fast", "long-400", "drip-6-200", "slow-first-50"]


class Clients:
    """A crowd that calls until so many calls have been tried."""

    def __init__(self, gateway, random, calls):
        self.gateway = gateway
        self.plan = [(random.choice(MODELS), random.random() < 0.5,
                      random.random() < 0.5) for _ in range(calls)]
        self.answered = []
        self.failed = 0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.work)
                        for _ in range(CLIENTS)]

    def work(self):
        while True:
            with self.lock:
                if not self.plan:
                    return
                model, streamed, openai = self.plan.pop()
            try:
                request_id = self.one(model, streamed, openai)
            except (OSError, http.client.HTTPException):
                request_id = None
            with self.lock:
                if request_id:
                    self.answered.append(request_id)
                else:
                    self.failed += 1
            if not request_id:
                time.sleep(0.05)

    def one(self, model, streamed, openai):
        """The request id of a call that was answered to its end."""
        path, make = (CHAT, chat) if openai else (MESSAGES, message)
        with self.gateway.stream(path, make(model, streamed)) as stream:
            data = stream.read()
            if stream.status != 200:
                return None
            if not streamed:
                whole = data.rstrip().endswith(b"}")
            else:
                found = events(data)
                whole = bool(found) and (
                    found[-1][1] == "[DONE]" or
                    found[-1][0] == "message_stop")
            return stream.headers["x-request-id"] if whole else None

    def run(self, disturb):
        """Calls disturb(done) again and again while the crowd works."""
        for thread in self.threads:
            thread.start()
        while any(thread.is_alive() for thread in self.threads):
            with self.lock:
                left = len(self.plan)
            disturb(left)
        for thread in self.threads:
            thread.join()


class Reclaim(harness.Case):
    """A worker killed amid streams: each is ended within a second."""

    STREAMS = 6
    SILENT = 2

    def setUp(self):
        self.gateway = harness.Gateway(["drip-400-50", "never"], settings={
            "upstream_first_byte_timeout": "60s"})
        self.addCleanup(self.gateway.clean_up)

    def silent_call(self):
        """A call whose upstream says nothing; returns its socket."""
        body = json.dumps(chat("never")).encode()
        sock = self.gateway.raw()
        sock.sendall(f"POST {CHAT} HTTP/1.1\r\nHost: x\r\n"
                     f"Authorization: Bearer {self.gateway.key}\r\n"
                     f"Content-Type: application/json\r\n"
                     f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        return sock

    def ended(self):
        """[(time, calls)] of what the flusher says it has reclaimed."""
        found = re.findall(
            r"^(\S+)Z flusher\S* notice: calls of a dead worker were "
            r"settled: seat=\d+ calls=(\d+)",
            self.gateway.errors.read_text(errors="replace"), re.MULTILINE)
        return [(datetime.datetime.fromisoformat(at).replace(
            tzinfo=datetime.timezone.utc).timestamp(), int(calls))
            for at, calls in found]

    def test_holds_are_reclaimed_within_a_second(self):
        gateway = self.gateway
        streams = [gateway.stream(*call) for call in (
            (CHAT, chat("drip-400-50", True)),
            (MESSAGES, message("drip-400-50", True))) * (self.STREAMS // 2)]
        silent = [self.silent_call() for _ in range(self.SILENT)]
        for stream in streams:
            self.assertTrue(stream.read_until(b"w000010"))
        harness.wait_until(lambda: len(gateway.upstream.requests()) ==
                           self.STREAMS + self.SILENT, "all calls upstream")
        seen = [stream.data.count(b"w0000") for stream in streams]
        killed_at = time.time()
        os.kill(gateway.child("worker"), signal.SIGKILL)
        harness.wait_until(lambda: sum(n for _, n in self.ended()) >=
                           self.STREAMS + self.SILENT, "all reclaimed", 5)
        took = self.ended()[-1][0] - killed_at
        print(f"{sum(n for _, n in self.ended())} calls reclaimed "
              f"{took * 1000:.0f} ms after the kill", flush=True)
        self.assertLess(took, harness.PATIENCE / 2)
        balance = gateway.settled()
        records = {r["request_id"]: r for r in gateway.records()}
        self.assertEqual(len(records), self.STREAMS + self.SILENT)
        for stream, words in zip(streams, seen):
            record = records.pop(stream.headers["x-request-id"])
            self.assertIn("reclaimed", record["flags"])
            # three bytes of text a token, and sixteen tokens of lag
            self.assertGreaterEqual(record["usage"]["output"],
                                    words * 8 // 3 - 16)
            self.assertEqual(record["fee_nano"], fee_of(
                {"input": record["usage"]["input"],
                 "output": record["usage"]["output"]}))
            balance += record["fee_nano"]
            stream.close()
        for record in records.values():
            self.assertEqual(record["fee_nano"], 0, record)
        self.assertEqual(balance, nano("1000"))
        gateway.verify()
        for sock in silent:
            sock.close()
        gateway.stop()


class Kill(harness.Case):

    def setUp(self):
        self.random = harness.seed()
        self.gateway = harness.Gateway(MODELS, workers=2)
        self.addCleanup(self.gateway.clean_up)

    def books(self, clients):
        """After all: what the clients saw and what the ledger says."""
        gateway = self.gateway
        self.assertGreater(len(clients.answered), 0)
        self.assertEqual(len(clients.answered), len(set(clients.answered)))
        balance = gateway.settled()
        records = gateway.records()
        count = collections.Counter(r["request_id"] for r in records)
        twice = {i for i, n in count.items() if n > 1}
        self.assertEqual(twice, set())
        self.assertLessEqual(set(clients.answered), set(count))
        paid = {r["request_id"]: r["fee_nano"] for r in records}
        for request_id in clients.answered:
            self.assertGreater(paid[request_id], 0, request_id)
        self.assertEqual(nano("1000") - balance, sum(paid.values()))
        gateway.verify()
        print(f"{len(clients.answered)} answered, {clients.failed} not, "
              f"{len(records)} records", flush=True)

    def disturber(self, kinds, pause):
        killed = collections.Counter()

        def disturb(left):
            time.sleep(pause * harness.PATIENCE *
                       self.random.uniform(0.2, 1.8))
            if left == 0:
                return
            kind = self.random.choice(kinds)
            try:
                pid = self.gateway.child(kind)
            except AssertionError:
                return		# it is on its way back
            try:
                os.kill(pid, signal.SIGKILL)
                killed[kind] += 1
            except ProcessLookupError:
                pass
        return disturb, killed

    def test_children_killed_at_random(self):
        clients = Clients(self.gateway, self.random, CALLS)
        disturb, killed = self.disturber(
            ["worker", "worker", "flusher", "postgres"], 1.0)
        clients.run(disturb)
        print("killed:", dict(killed), flush=True)
        self.assertGreater(sum(killed.values()), 0)
        self.gateway.wait_ready()
        self.books(clients)
        self.gateway.stop()

    def test_the_master_killed_and_started_again(self):
        clients = Clients(self.gateway, self.random, CALLS // 2)
        killed = collections.Counter()

        def disturb(left):
            time.sleep(self.random.uniform(1.0, 3.0) * harness.PATIENCE)
            if left == 0 or killed["master"] >= 3:
                return
            self.gateway.kill_master()
            killed["master"] += 1
            # nothing may outlive the master for long: a second instance
            # must be able to take over
            harness.wait_until(lambda: not self.gateway.belonging(),
                               "the children gone with their master", 20)
            self.gateway.start()

        clients.run(disturb)
        print("killed:", dict(killed), flush=True)
        self.assertGreater(killed["master"], 0)
        self.books(clients)
        self.gateway.stop()

    def test_everything_killed_at_once(self):
        clients = Clients(self.gateway, self.random, CALLS // 2)
        rounds = []

        def disturb(left):
            time.sleep(self.random.uniform(1.0, 2.0) * harness.PATIENCE)
            if left == 0 or len(rounds) >= 3:
                return
            for pid in [self.gateway.master.pid, *harness.descendants(
                    self.gateway.master.pid)]:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.gateway.master.wait(10)
            harness.wait_until(lambda: not self.gateway.belonging(),
                               "all gone", 20)
            rounds.append(left)
            self.gateway.start()

        clients.run(disturb)
        self.assertGreater(len(rounds), 0)
        self.books(clients)
        self.gateway.stop()


if __name__ == "__main__":
    harness.main()
