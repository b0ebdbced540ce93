"""A private youyun for end-to-end tests: certificates, a configuration, the
daemon with its own PostgreSQL, and the scripted upstream, all real processes
in a directory of their own; and what tests ask of them.

A test file makes one Gateway for its module and stops it; stopping fails if
anything that belonged to it is still running.
"""

import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import unittest

from case import Case  # noqa: F401
from client import (ANTHROPIC, CHAT, MESSAGES, Answer, Stream,  # noqa: F401
                    chat, events, message)
from machine import (BUILD, PATIENCE, UPSTREAM_KEY, YOUYUNCTL,  # noqa: F401
                     YOUYUND, Certificates, DatabaseAway, Upstream, descendants,
                     free_port, processes, run, seed, service_user,
                     wait_until)
from money import PRICES, fee_of, nano  # noqa: F401

USAGE = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")


def complete(row):
    """A call's row with its counts together and its fee as an integer."""
    row["usage"] = {name: row[name] for name in USAGE}
    row["fee_nano"] = nano(row["fee"])
    return row


class Gateway:
    """An instance of youyun with one scripted upstream."""

    def __init__(self, models=("fast",), workers=1, settings=None,
                 credit="1000", multiplier="1.0", upstream_log=True):
        self.upstream_log = upstream_log
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="yy-"))
        self.folder.chmod(0o755)
        self.settings = settings or {}
        self.workers = workers
        self.master = None
        self.errors = self.folder / "youyund.log"
        self.sessions = set()
        self.upstream = None
        try:
            self._build(models, credit, multiplier)
        except BaseException:
            self.clean_up()
            raise

    def _build(self, models, credit, multiplier):
        self.certs = Certificates(self.folder)
        self.upstream = Upstream(self.folder, self.certs,
                                 self.upstream_log)
        self.port = free_port()
        self.config = self.folder / "youyun.conf"
        self.write_config()
        self.ctl("init")
        self.start()
        (self.folder / "credential").write_text(UPSTREAM_KEY + "\n")
        self.ctl("group", "set", "default", "--multiplier", multiplier)
        self.add_models(models)
        self.ctl("customer", "add", "test")
        self.ctl("credit", "test", credit)
        self.key = self.add_key("test")
        self.wait_for_key(self.key)

    def write_config(self, **changes):
        """(Re)writes the configuration; None takes a setting out."""
        self.settings = self.settings | changes
        lines = {
            "state_dir": self.folder / "state",
            "listen": f"127.0.0.1:{self.port}",
            "tls_certificate": self.certs.cert,
            "tls_key": self.certs.key,
            "workers": self.workers,
            "database": "embedded",
            # The one channel of most tests stays in, whatever it does; what
            # takes channels out has a test of its own.
            "breaker_failures": 0,
            "retry_after_max": "0s",
        }
        if os.geteuid() == 0:
            lines["user"] = "nobody"
        lines |= self.settings
        self.config.write_text("".join(
            f"{name} = {value}\n" for name, value in lines.items()
            if value is not None))

    # processes

    def start(self):
        with open(self.errors, "ab") as log:
            self.master = subprocess.Popen(
                [YOUYUND, "-f", "-c", self.config], stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, cwd="/", start_new_session=True)
        self.sessions.add(self.master.pid)
        self.wait_ready()

    def wait_ready(self, seconds=30):
        def ready():
            if self.master.poll() is not None:
                raise AssertionError(
                    f"youyund ended with {self.master.returncode}:\n"
                    f"{self.log()}")
            try:
                return self.get("/readyz", key=None).status == 200
            except (OSError, http.client.HTTPException):
                return False
        try:
            wait_until(ready, "/readyz", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()}") from None

    def log(self):
        with contextlib.suppress(OSError):
            return self.errors.read_text(errors="replace")[-8000:]
        return ""

    def children(self, kind=None):
        """{pid: Process} of what the master started itself; kind is a word
        of the title ("worker", "flusher", "postgres")."""
        return {pid: process
                for pid, process in descendants(self.master.pid).items()
                if process.parent == self.master.pid and
                (kind is None or kind in process.title)}

    def child(self, kind):
        """The pid of the first child of that kind."""
        found = sorted(self.children(kind))
        if not found:
            raise AssertionError(
                f"the master has no {kind}: {self.children()}")
        return found[0]

    def belonging(self):
        """Every living process that is this instance's, by any sign: the
        session of a master, or this directory in its command line or as its
        working directory."""
        name = str(self.folder)
        return {pid: process for pid, process in processes().items()
                if (process.session in self.sessions or
                    name in process.title or name in process.cwd) and
                pid not in (os.getpid(), self.upstream.process.pid)}

    def terminate(self, seconds=20):
        """SIGTERM; returns the exit status, and fails if anything of the
        instance outlives its master."""
        family = set(descendants(self.master.pid))
        self.master.send_signal(signal.SIGTERM)
        try:
            status = self.master.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"youyund ignores SIGTERM:\n{self.log()}") from None
        left = {p: i for p, i in processes().items() if p in family}
        left |= self.belonging()
        if left:
            raise AssertionError(f"left running after SIGTERM: {left}")
        return status

    def kill_master(self):
        """SIGKILL to the master alone, and waits for it to be gone."""
        self.master.kill()
        self.master.wait(10)

    def stop(self):
        """Stops all and checks that nothing is left; keeps nothing."""
        try:
            was_running = self.master.poll() is None
            status = self.terminate() if was_running else \
                self.master.returncode
            if status != 0 or not was_running:
                raise AssertionError(
                    f"youyund ended{'' if was_running else ' by itself'} "
                    f"with {status}:\n{self.log()}")
            self.check_log()
        finally:
            self.clean_up()

    def check_log(self):
        """No sanitizer's report and no key or prompt stands in the log."""
        text = self.errors.read_text(errors="replace")
        for sign in ("Sanitizer", "runtime error:", "Assertion",
                     UPSTREAM_KEY, getattr(self, "key", UPSTREAM_KEY)):
            if sign in text:
                at = text.index(sign)
                raise AssertionError(
                    f"in the log: {text[max(0, at - 500):at + 3000]}")

    def clean_up(self):
        if self.upstream:
            for pid in self.belonging():
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            self.upstream.stop()
        if self.master and self.master.poll() is None:
            self.master.kill()
            self.master.wait(10)
        if os.environ.get("YOUYUN_KEEP"):
            print(f"kept: {self.folder}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    # the administrator

    def ctl(self, *arguments):
        """youyunctl; returns what it printed."""
        return run([YOUYUNCTL, "-c", self.config, *arguments])

    def ctl_json(self, *arguments):
        return json.loads(self.ctl(*arguments, "--json"))

    def rows(self, *arguments):
        """The rows of a command that prints one list."""
        (rows,) = (v for k, v in self.ctl_json(*arguments).items()
                   if k != "next")
        return rows

    def add_models(self, models, url=None, name="peer", prices=None,
                   upstream_name=None):
        """Prices for the models and a channel of each protocol for them.
        upstream_name: what the upstream calls them, if not the same."""
        prices = PRICES if prices is None else prices
        for model in models:
            self.ctl("price", "set", model,
                     *[part for price, value in prices.items()
                       for part in (f"--{price}", value)])
        for protocol in ("openai", "anthropic", "gemini"):
            self.ctl("channel", "add", f"{name}-{protocol}",
                     "--protocol", protocol,
                     "--url", url or self.upstream.url,
                     "--credential-file", self.folder / "credential",
                     "--ca", self.certs.ca,
                     *[part for model in models
                       for part in ("--model", f"{model}={upstream_name or model}")])

    def add_key(self, customer):
        return self.ctl_json("key", "add", customer)["key"]

    def revoke_keys(self, customer):
        for row in self.rows("key", "list", customer):
            self.ctl("key", "revoke", str(row["id"]), "--yes")

    def add_customer(self, name, credit=None):
        """Returns a key of a new customer, ready to use."""
        self.ctl("customer", "add", name)
        if credit is not None:
            self.ctl("credit", name, credit)
        key = self.add_key(name)
        self.wait_for_key(key)
        return key

    def wait_for_key(self, key):
        wait_until(lambda: self.get("/v1/models", key=key).status == 200,
                   "a new key in the directory", 5)

    def balance(self, customer="test"):
        """The customer's money in nano-units, as the ledger knows it."""
        (row,) = self.rows("balance", customer)
        return nano(row["balance"])

    def records(self, customer="test"):
        """The call records, oldest first; "usage" has the counts, "fee_nano"
        the fee."""
        rows = self.rows("calls", "--customer", customer, "--limit",
                         "1000000")
        return [complete(row) for row in sorted(
            rows, key=lambda row: row["started_at"])]

    def record(self, request_id):
        """The one record of a call; the ledger is a moment behind."""
        def rows():
            return self.rows("calls", "--request", request_id)
        found = wait_until(rows, f"a record of {request_id}", 10, 0.05)
        if len(found) != 1:
            raise AssertionError(f"{len(found)} records of {request_id}")
        return complete(found[0])

    def verify(self):
        """youyunctl verify must find nothing wrong; returns its figures."""
        return self.ctl_json("verify")

    def settled(self, customer="test"):
        """Waits until no money is held and all fees are in the ledger;
        returns the balance.  A database that is on its way back is waited
        for; calls go on without it."""
        def quiet():
            try:
                found = self.verify()
            except DatabaseAway:
                return False
            return (found["segment"] and found["segment_busy"] == 0 and
                    nano(found["segment_unapplied"]) == 0)
        wait_until(quiet, "all holds settled and applied", 30, 0.1)
        return self.balance(customer)

    def busy(self):
        """How many accounts have money held or fees on their way."""
        return self.verify()["segment_busy"]

    # the customer

    def context(self):
        return ssl.create_default_context(cafile=self.certs.ca)

    def connect(self, timeout=30):
        return http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=timeout * PATIENCE,
            context=self.context())

    def raw(self, timeout=30):
        """A TLS socket to the gateway."""
        sock = socket.create_connection(("127.0.0.1", self.port),
                                        timeout * PATIENCE)
        return self.context().wrap_socket(sock, server_hostname="localhost")

    def _send(self, connection, method, path, body, headers, key):
        fields = {}
        if body is not None:
            if not isinstance(body, (bytes, str)):
                body = json.dumps(body)
            fields["Content-Type"] = "application/json"
        if key == "":
            key = self.key
        if key is not None:
            fields["Authorization"] = f"Bearer {key}"
        if path.startswith(MESSAGES):
            fields |= ANTHROPIC
        fields |= headers or {}
        if isinstance(body, str):
            body = body.encode()
        connection.request(
            method, path, body,
            {n: v for n, v in fields.items() if v is not None})
        return connection.getresponse()

    def call(self, path, body, headers=None, key="", connection=None,
             method="POST"):
        """One call, read to its end.  key "" is the test customer's, None
        none.  connection: one to use and leave open."""
        own = connection or self.connect()
        try:
            response = self._send(own, method, path, body, headers, key)
            try:
                return Answer(response, response.read())
            except http.client.IncompleteRead as cut:
                return Answer(response, cut.partial, complete=False)
        finally:
            if connection is None:
                own.close()

    def get(self, path, headers=None, key=""):
        return self.call(path, None, headers, key, method="GET")

    def stream(self, path, body, headers=None, key="", timeout=30):
        connection = self.connect(timeout)
        try:
            return Stream(connection, self._send(
                connection, "POST", path, body, headers, key))
        except BaseException:
            connection.close()
            raise


def main():
    unittest.main(verbosity=2)
