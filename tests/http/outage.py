"""Calls while PostgreSQL is away: a crowd of customers, the database stopped
for a while, and the books afterwards.

In make check test_outage.py does this for some seconds.  By hand, from the
build directory, for as long as you like:

	YOUYUN_SRCDIR=SOURCE YOUYUN_BUILDDIR=$PWD \\
	    python3 SOURCE/tests/http/outage.py --seconds 3600

prints once a minute how it stands, and at the end the calls made, recorded and
refused, the flusher's greatest memory, and what youyunctl verify found; its
exit status is 0 when everything agrees.  --budget 8G makes the journal large
enough for the time, --kill stops the database by SIGKILL rather than SIGSTOP.
"""

import argparse
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

import harness
from harness import CHAT, chat, nano

MODELS = ["fast", "long-400"]


def status(gateway):
    """youyunctl status, also when it says that no calls are served."""
    done = subprocess.run(
        [harness.YOUYUNCTL, "-c", gateway.config, "status", "--json"],
        capture_output=True, text=True, check=False,
        timeout=60 * harness.PATIENCE)
    return json.loads(done.stdout)


class Database:
    """The embedded server: away and back again."""

    def __init__(self, gateway, kill=False):
        self.gateway = gateway
        self.kill = kill
        self.stopped = []
        self.hidden = None

    def family(self):
        root = self.gateway.child("postgres")
        return [root, *harness.descendants(root)]

    def leave(self):
        if self.kill:
            # What the master starts next must fail, until it is back.
            data = self.gateway.folder / "state" / "postgres"
            self.hidden = data.with_name("postgres.away")
            pids = self.family()
            data.rename(self.hidden)
            for pid in pids:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            return
        self.stopped = self.family()
        for pid in self.stopped:
            os.kill(pid, signal.SIGSTOP)

    def come_back(self):
        if self.hidden:
            (self.hidden / "postmaster.pid").unlink(missing_ok=True)
            self.hidden.rename(self.hidden.with_name("postgres"))
            self.hidden = None
        for pid in self.stopped:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGCONT)
        self.stopped = []


class Crowd:
    """Customers on connections that they keep; each makes one call after
    another until it is told to stop."""

    def __init__(self, gateway, clients):
        self.gateway = gateway
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.answered = 0
        self.refused = 0
        self.failed = 0
        self.threads = [threading.Thread(target=self.work, args=(n,))
                        for n in range(clients)]
        for thread in self.threads:
            thread.start()

    def work(self, number):
        connection = self.gateway.connect()
        n = number
        while not self.stop.is_set():
            n += 1
            try:
                answer = self.gateway.call(
                    CHAT, chat(MODELS[n % 2], n % 3 == 0),
                    connection=connection)
            except OSError:
                connection.close()
                connection = self.gateway.connect()
                self.count("failed")
                continue
            self.count("answered" if answer.status == 200 else
                       "refused" if answer.status == 503 else "failed")
            if answer.status == 503:
                self.stop.wait(0.05)
        connection.close()

    def count(self, what):
        with self.lock:
            setattr(self, what, getattr(self, what) + 1)

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def fill(gateway, calls):
    """Records without work: calls of a model that nobody has, many at once
    on one connection."""
    body = json.dumps(chat("no-such-model")).encode()
    request = (f"POST {CHAT} HTTP/1.1\r\nHost: x\r\n"
               f"Authorization: Bearer {gateway.key}\r\n"
               "Content-Type: application/json\r\n"
               f"Content-Length: {len(body)}\r\n\r\n").encode() + body
    with gateway.raw() as sock:
        sock.settimeout(30 * harness.PATIENCE)
        while calls > 0:
            n = min(calls, 50)
            sock.sendall(request * n)
            seen = tail = b""
            count = 0
            while count < n:
                part = sock.recv(65536)
                if not part:
                    return
                seen = tail + part
                count += seen.count(b"HTTP/1.1 ")
                tail = seen[-8:]
            calls -= n


def resident_kib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    for line in text.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def totals(gateway, credit):
    """What the ledger has after all is settled; fails when it disagrees."""
    balance = gateway.settled()
    found = gateway.verify()
    assert found["ok"] and found["breaches_count"] == 0, found
    assert nano(found["fee_sum"]) == nano(credit) - balance, found
    return found


def report(gateway, crowd, began, most):
    now = status(gateway)
    print(f"{time.monotonic() - began:7.0f} s  answered={crowd.answered} "
          f"refused={crowd.refused} failed={crowd.failed} "
          f"waiting={now['journal_waiting']} "
          f"disk_mib={now['journal_disk_bytes'] >> 20} "
          f"flusher_mib={most >> 10}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--budget", default="4G")
    parser.add_argument("--durability", default="group")
    parser.add_argument("--kill", action="store_true")
    options = parser.parse_args()
    credit = "100000000"
    gateway = harness.Gateway(
        MODELS, workers=options.workers, credit=credit, upstream_log=False,
        settings={"journal_budget_bytes": options.budget,
                  "durability": options.durability})
    try:
        database = Database(gateway, options.kill)
        gateway.call(CHAT, chat("fast"))
        gateway.settled()
        flusher = gateway.child("flusher")
        first = most = resident_kib(flusher)
        crowd = Crowd(gateway, options.clients)
        began = time.monotonic()
        database.leave()
        try:
            while time.monotonic() - began < options.seconds:
                time.sleep(min(60, options.seconds))
                most = max(most, resident_kib(flusher))
                report(gateway, crowd, began, most)
        finally:
            crowd.end()
            database.come_back()
        made = crowd.answered + 1
        left = began = time.monotonic()
        while left:
            left = 0
            with contextlib.suppress(Exception):
                left = status(gateway)["journal_waiting"]
            most = max(most, resident_kib(flusher))
            time.sleep(1)
        found = totals(gateway, credit)
        print(f"answered {made}, refused {crowd.refused}, "
              f"failed {crowd.failed}; calls in the database "
              f"{found['calls']}, fees recomputed {found['fees']}; applied "
              f"in {time.monotonic() - began:.0f} s; flusher's memory "
              f"{first >> 10} MiB at first, {most >> 10} MiB at most; "
              "verify: everything agrees")
        if found["fees"] < made:
            return 1
        gateway.stop()
        return 0
    finally:
        gateway.clean_up()


if __name__ == "__main__":
    sys.exit(main())
