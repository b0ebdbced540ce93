"""What youyunctl changes holds in every worker within 100 ms: from the moment
when its transaction began until each worker has answered by it, on a running
daemon, with a connection to each.  Prints what was measured."""

import os
import pathlib
import signal
import statistics
import subprocess
import threading
import time

import harness
from harness import CHAT, chat
from machine import is_sanitized

WORKERS = 3
ROUNDS = 7
# A build with sanitizers takes some times as long for an answer.
MOST_MS = 100 * (3 if is_sanitized() else 1)

gateway = None


def setUpModule():
    global gateway
    gateway = harness.Gateway(["fast"], workers=WORKERS)


def tearDownModule():
    gateway.stop()


def inode_of(port):
    """The server's end of a connection from this port."""
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].split(":")[1], 16) == gateway.port and \
                int(fields[2].split(":")[1], 16) == port:
            return fields[9]
    return None


def holder_of(inode, workers):
    for pid in workers:
        folder = pathlib.Path(f"/proc/{pid}/fd")
        for fd in folder.iterdir():
            try:
                if os.readlink(fd) == f"socket:[{inode}]":
                    return pid
            except OSError:
                pass
    return None


def connections():
    """One to each worker: while the others stand still, the last accepts."""
    workers = sorted(gateway.children("worker"))
    found = {}
    for chosen in workers:
        others = [pid for pid in workers if pid != chosen]
        try:
            for pid in others:
                os.kill(pid, signal.SIGSTOP)
            connection = gateway.connect()
            connection.connect()
            port = connection.sock.getsockname()[1]
            if holder_of(inode_of(port), workers) == chosen:
                found[chosen] = connection
        finally:
            for pid in others:
                os.kill(pid, signal.SIGCONT)
    if len(found) != WORKERS:
        raise AssertionError(f"connections to {len(found)} workers only")
    return list(found.values())


class Watch(threading.Thread):
    """Asks one worker again and again until it answers as awaited."""

    def __init__(self, connection, key, model, awaited):
        super().__init__()
        self.connection, self.key, self.model = connection, key, model
        self.awaited = awaited
        self.at = None
        self.seen = set()

    def run(self):
        end = time.monotonic() + 20
        while self.at is None and time.monotonic() < end:
            status = gateway.call(CHAT, chat(self.model), key=self.key,
                                  connection=self.connection).status
            if status in self.awaited:
                self.at = time.time()
            self.seen.add(status)
            time.sleep(0.001)


def sql(text):
    return subprocess.run(
        ["psql", "-X", "-q", "-A", "-t", "-h",
         str(gateway.folder / "state/run/pg"), "-U", "youyun_owner",
         "youyun"], input=text, capture_output=True, text=True,
        check=True).stdout.strip()


class Live(harness.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.connections = connections()

    @classmethod
    def tearDownClass(cls):
        for connection in cls.connections:
            connection.close()
        super().tearDownClass()

    def change(self, key, model, awaited, *words):
        """ms from the transaction's beginning to the last worker's answer."""
        watches = [Watch(c, key, model, awaited) for c in self.connections]
        for watch in watches:
            watch.start()
        time.sleep(0.05)
        began = sql("SELECT extract(epoch FROM clock_timestamp())")
        gateway.ctl(*words)
        for watch in watches:
            watch.join()
        at = float(sql("SELECT extract(epoch FROM min(at)) FROM youyun.audit"
                       f" WHERE extract(epoch FROM at) >= {began}"))
        for watch in watches:
            self.assertIsNotNone(watch.at, f"{words}: {watch.seen}")
            # It wasn't so before.
            self.assertGreater(len(watch.seen), 1, words)
            self.assertGreater(watch.at, at)
        return max(watch.at for watch in watches) * 1000 - at * 1000

    def judge(self, what, times):
        median = statistics.median(times)
        print(f"{what}: median {median:.1f} ms, "
              f"{min(times):.1f} to {max(times):.1f}, {WORKERS} workers, "
              f"{MOST_MS} ms at most", flush=True)
        self.assertLess(median, MOST_MS, times)

    def test_a_customer_is_suspended(self):
        key = gateway.add_customer("suspended", credit="5")
        off, on = [], []
        for _ in range(ROUNDS):
            off.append(self.change(key, "fast", {403}, "customer",
                                   "suspend", "suspended"))
            on.append(self.change(key, "fast", {200}, "customer", "resume",
                                  "suspended"))
        self.judge("customer suspend", off)
        self.judge("customer resume", on)

    def test_a_key_is_revoked(self):
        gateway.add_customer("revoked", credit="5")
        times = []
        for _ in range(ROUNDS):
            row = gateway.ctl_json("key", "add", "revoked")
            gateway.wait_for_key(row["key"])
            times.append(self.change(row["key"], "fast", {401}, "key",
                                     "revoke", str(row["id"]), "--yes"))
        self.judge("key revoke", times)

    def test_a_key_is_suspended(self):
        gateway.add_customer("paused", credit="5")
        row = gateway.ctl_json("key", "add", "paused")
        gateway.wait_for_key(row["key"])
        times = []
        for _ in range(ROUNDS):
            times.append(self.change(row["key"], "fast", {401, 403}, "key",
                                     "suspend", str(row["id"])))
            self.change(row["key"], "fast", {200}, "key", "resume",
                        str(row["id"]))
        self.judge("key suspend", times)

    def test_a_customer_is_limited(self):
        key = gateway.add_customer("limited", credit="5")
        times = []
        for _ in range(ROUNDS):
            times.append(self.change(key, "fast", {429}, "customer", "limit",
                                     "limited", "--requests", "1"))
            self.change(key, "fast", {200}, "customer", "limit", "limited",
                        "--requests", "0")
        self.judge("customer limit", times)

    def test_a_price_is_set(self):
        key = gateway.add_customer("priced", credit="5")
        times = []
        for n in range(ROUNDS):
            gateway.ctl("channel", "set", "peer-openai", "--model",
                        f"new-{n}=fast")
            times.append(self.change(key, f"new-{n}", {200}, "price", "set",
                                     f"new-{n}", "--input", "1", "--output",
                                     "2"))
        self.judge("price set", times)

    def test_a_policy_is_set(self):
        gateway.add_customer("bound", credit="5")
        row = gateway.ctl_json("key", "add", "bound")
        gateway.wait_for_key(row["key"])
        times = []
        for _ in range(ROUNDS):
            times.append(self.change(row["key"], "fast", {403}, "key",
                                     "allow", str(row["id"]), "--model",
                                     "other*"))
            self.change(row["key"], "fast", {200}, "key", "allow",
                        str(row["id"]), "--all-models")
        self.judge("key allow", times)


if __name__ == "__main__":
    harness.main()
