#!/usr/bin/env python3
"""Everything is killed with SIGKILL at random for as long as is asked, while
customers call from several processes; afterwards the books must be exact.

	nemesis.py [--seconds N] [--seed N] [--clients N] [--pause SECONDS]

Killed are workers, the flusher, PostgreSQL's postmaster and its backends, the
master, and now and then all of them at one time.  The master alone has no
parent that starts it again; this does.  A worker or the flusher is also
stopped for a while with SIGSTOP, which is not death and must not be taken for
it.

The customers speak OpenAI's and Anthropic's protocol, streamed and not; some
hang up in the middle, and one is nearly out of money.  What is checked at the
end is said by Books.
"""

import argparse
import collections
import contextlib
import http.client
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "http"))

import harness  # noqa: E402
from harness import CHAT, MESSAGES, chat, events, fee_of, message, nano  # noqa: E402

# What each model's answer has of words, which are its tokens of output.
MODELS = {"fast": 27, "long-400": 400, "drip-6-150": 6, "drip-12-60": 12,
          "slow-first-50": 27, "cached-1000": 27, "no-usage": None}
CUSTOMERS = {"rich": "1000", "second": "100", "third": "100", "thin": "0.01"}
THREADS = 3		# of each client process
MASTER_AWAY_S = 60


# A client process: it is this program with --client, told what to do by its
# standard input, which is open for as long as it shall go on.

class Client:

    def __init__(self, plan):
        self.plan = plan
        self.stop = threading.Event()
        self.calls = []
        self.lock = threading.Lock()

    def __getattr__(self, name):
        return self.plan[name]

    def context(self):
        return harness.ssl.create_default_context(cafile=self.ca)

    def connect(self):
        return http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=60, context=self.context())

    def request(self, connection, path, body, key):
        headers = {"Content-Type": "application/json",
                   "Authorization": f"Bearer {key}"}
        if path == MESSAGES:
            headers |= harness.ANTHROPIC
        connection.request("POST", path, json.dumps(body), headers)
        return connection.getresponse()

    def one(self, choice):
        """One call; returns what is known of it."""
        path, make = choice.choice(((CHAT, chat), (MESSAGES, message)))
        model = choice.choice(list(MODELS))
        customer = choice.choice(list(self.keys))
        streamed = choice.random() < 0.6
        leaves = choice.random() < 0.15
        call = {"customer": customer, "model": model, "streamed": streamed,
                "id": None, "outcome": "failed"}
        connection = self.connect()
        try:
            response = self.request(connection, path, make(model, streamed),
                                    self.keys[customer])
            call["id"] = response.headers["x-request-id"]
            if response.status != 200:
                response.read()
                call["outcome"] = f"status-{response.status}"
                return call
            call["outcome"] = "cut"
            if leaves:
                response.read1(choice.randrange(1, 400))
                call["outcome"] = "left"
                return call
            if self.is_whole(response.read(), path, streamed):
                call["outcome"] = "complete"
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        return call

    @staticmethod
    def is_whole(data, path, streamed):
        if not streamed:
            with contextlib.suppress(ValueError):
                return "error" not in json.loads(data)
            return False
        found = events(data)
        if not found:
            return False
        return (found[-1][1] == "[DONE]" if path == CHAT
                else found[-1][0] == "message_stop")

    def work(self, number):
        choice = random.Random(self.seed * 100 + number)
        while not self.stop.is_set():
            call = self.one(choice)
            with self.lock:
                self.calls.append(call)
            if call["outcome"] == "failed":
                time.sleep(0.1)

    def run(self):
        threads = [threading.Thread(target=self.work, args=(n,))
                   for n in range(THREADS)]
        for thread in threads:
            thread.start()
        sys.stdin.read()
        self.stop.set()
        for thread in threads:
            thread.join()
        json.dump(self.calls, sys.stdout)


class Crowd:
    """The client processes."""

    def __init__(self, gateway, keys, seed, count):
        self.processes = []
        for number in range(count):
            process = subprocess.Popen(
                [sys.executable, __file__, "--client"], text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.processes.append(process)
            process.stdin.write(json.dumps({
                "seed": seed * 100 + number, "port": gateway.port,
                "ca": str(gateway.certs.ca), "keys": keys}) + "\n")
            process.stdin.flush()

    def end(self):
        """All calls that were made."""
        for process in self.processes:
            process.stdin.close()
        calls = []
        for process in self.processes:
            calls += json.loads(process.stdout.read())
            process.stdout.close()
            if process.wait(120) != 0:
                raise AssertionError("a client process failed")
        return calls

    def clean_up(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()


def what_it_does(pid):
    """State, wait channel and system call of a process's threads."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError):
            found.append(" ".join(
                [(task / "stat").read_text().rpartition(")")[2].split()[0],
                 (task / "wchan").read_text(),
                 (task / "syscall").read_text().strip()]))
    return found


class Nemesis:
    """Kills, and starts the master again."""

    KINDS = (["worker"] * 10 + ["flusher"] * 4 + ["backend"] * 5 +
             ["postmaster"] * 2 + ["stopped"] * 2 + ["master"] * 2 + ["all"])

    def __init__(self, gateway, choice, pause):
        self.gateway = gateway
        self.choice = choice
        self.pause = pause
        self.kills = collections.Counter()
        self.restarts = []

    def kill(self, kind, pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.kills[kind] += 1

    def some(self, kind):
        """A pid of that kind, or None when there is none just now."""
        word = "postgres" if kind == "postmaster" else kind
        found = sorted(self.gateway.children(word))
        return self.choice.choice(found) if found else None

    def backend(self):
        postmaster = self.some("postmaster")
        found = postmaster and sorted(harness.descendants(postmaster))
        return self.choice.choice(found) if found else None

    def stopped(self):
        pid = self.some(self.choice.choice(["worker", "flusher"]))
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            self.kills["(stopped for a while)"] += 1
            time.sleep(self.choice.uniform(0.1, 1.5))
            os.kill(pid, signal.SIGCONT)

    def master_again(self, everything):
        family = sorted(harness.descendants(self.gateway.master.pid))
        if everything:
            for pid in family:
                self.kill("all at once", pid)
        self.gateway.kill_master()
        self.kills["master"] += 1
        # A start waits for what the dead one's children have still to do.
        began = time.monotonic()
        with open(self.gateway.errors, "ab") as log:
            self.gateway.master = subprocess.Popen(
                [harness.YOUYUND, "-f", "-c", self.gateway.config],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/",
                start_new_session=True)
        self.gateway.sessions.add(self.gateway.master.pid)
        try:
            self.gateway.wait_ready(MASTER_AWAY_S)
        except AssertionError:
            print("not ready again; what runs:", flush=True)
            for process in self.gateway.belonging().values():
                print(f"  {process} {what_it_does(process.pid)}", flush=True)
            raise
        self.restarts.append(time.monotonic() - began)

    def once(self):
        kind = self.choice.choice(self.KINDS)
        if kind == "stopped":
            self.stopped()
        elif kind in ("master", "all"):
            self.master_again(kind == "all")
        else:
            pid = self.backend() if kind == "backend" else self.some(kind)
            if pid is not None:
                self.kill(kind, pid)

    def run(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(self.choice.uniform(0, 2 * self.pause))
            self.once()


class Books:
    """What must be true afterwards."""

    def __init__(self, gateway, calls):
        self.gateway = gateway
        self.calls = calls
        self.wrong = []
        self.checked = collections.Counter()

    def must(self, what, true, about):
        self.checked[what] += 1
        if not true:
            self.wrong.append(f"{what}: {about}")

    def check_customer(self, name):
        """No balance below zero, and it is the credit without the fees."""
        balance = self.gateway.balance(name)
        records = self.gateway.records(name)
        count = collections.Counter(r["request_id"] for r in records)
        self.must("a balance is not below zero", balance >= 0,
                  f"{name} {balance}")
        self.must("credit - fees = balance, to the nano",
                  nano(CUSTOMERS[name]) - sum(r["fee_nano"] for r in records)
                  == balance, name)
        for request_id, n in count.items():
            self.must("no call has two records", n == 1, request_id)
        for record in records:
            self.must("no fee is negative or above what was held",
                      0 <= record["fee_nano"] <= nano(record["held"]), record)
        return {r["request_id"]: r for r in records}

    def check_complete(self, call, record):
        """A call that a client saw whole: recorded, and for what it was."""
        self.must("a call seen complete has a record", record is not None,
                  call)
        if record is None:
            return
        flags = record["flags"] or ""
        self.must("it was settled by its own worker",
                  "reclaimed" not in flags, record)
        words = MODELS[call["model"]]
        self.must("its usage is the one stated",
                  words is None or record["output"] == words, record)
        fee = fee_of({n.replace("_", "-"): c
                      for n, c in record["usage"].items()})
        self.must("its fee is that of its usage",
                  record["fee_nano"] == min(fee, nano(record["held"])) and
                  fee > 0, record)

    def check(self):
        self.gateway.wait_ready()
        for name in CUSTOMERS:
            self.gateway.settled(name)
        found = self.gateway.verify()
        self.must("youyunctl verify finds nothing",
                  found["ok"] and found["breaches_count"] == 0, found)
        records = {}
        for name in CUSTOMERS:
            records |= self.check_customer(name)
        seen = collections.Counter(c["id"] for c in self.calls if c["id"])
        for call in self.calls:
            if call["id"]:
                self.must("a request id is given once", seen[call["id"]] == 1,
                          call)
            if call["outcome"] == "complete":
                self.check_complete(call, records.get(call["id"]))
        return records


def show(title, counter):
    print(f"{title}: " + ", ".join(
        f"{name} {n}" for name, n in sorted(counter.items())), flush=True)


def report(nemesis, books, records, seconds):
    kills = sum(n for kind, n in nemesis.kills.items() if kind[0] != "(")
    show(f"nemesis: {seconds} s, {kills} kills", nemesis.kills)
    if nemesis.restarts:
        print(f"masters started again: {len(nemesis.restarts)}, ready after "
              f"{max(nemesis.restarts):.1f} s at most", flush=True)
    show(f"{len(books.calls)} calls", collections.Counter(
        call["outcome"] for call in books.calls))
    show(f"{len(records)} records", collections.Counter(
        flag for record in records.values()
        for flag in (record["flags"] or "plain").split(",")))
    for what, n in sorted(books.checked.items()):
        print(f"checked {n:8}  {what}", flush=True)
    for wrong in books.wrong[:20]:
        print(f"WRONG: {wrong}", flush=True)
    return kills


def nemesis_run(args):
    choice = random.Random(args.seed)
    gateway = harness.Gateway(
        list(MODELS), workers=3, upstream_log=False, settings={
            "on_client_abort": choice.choice(["cancel", "drain"]),
            "shutdown_timeout": "5s", "stream_extend_tokens": 64})
    crowd = None
    try:
        keys = {name: gateway.add_customer(name, credit)
                for name, credit in CUSTOMERS.items()}
        crowd = Crowd(gateway, keys, args.seed, args.clients)
        nemesis = Nemesis(gateway, choice, args.pause)
        nemesis.run(args.seconds)
        books = Books(gateway, crowd.end())
        records = books.check()
        kills = report(nemesis, books, records, args.seconds)
        complete = sum(c["outcome"] == "complete" for c in books.calls)
        if books.wrong or kills == 0 or complete == 0:
            raise AssertionError(f"{len(books.wrong)} things are wrong")
        gateway.stop()
        print("no process left", flush=True)
    finally:
        if crowd:
            crowd.clean_up()
        gateway.clean_up()


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(os.environ.get(
        "YOUYUN_SEED", random.randrange(2**32))))
    parser.add_argument("--clients", type=int, default=3)
    parser.add_argument("--pause", type=float, default=0.8)
    parser.add_argument("--client", action="store_true",
                        help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.client:
        Client(json.loads(sys.stdin.readline())).run()
        return
    print(f"YOUYUN_SEED={args.seed}", flush=True)
    nemesis_run(args)


if __name__ == "__main__":
    main()
