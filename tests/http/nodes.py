"""Several youyun on one PostgreSQL: a throw-away server, a proxy in front of
it for each node, which can cut it off, and the nodes."""

import contextlib
import glob
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

import harness
from machine import (SOURCE, UPSTREAM_KEY, Certificates, Upstream, descendants,
                     free_port, run, wait_until)


def postgres_bin():
    """The folder of initdb and postgres; None if they aren't installed."""
    found = shutil.which("postgres")
    if found:
        return pathlib.Path(found).resolve().parent
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
    return pathlib.Path(found[-1]).parent if found else None


class Postgres:
    """A server of the test's own, on a unix socket, trusting everybody."""

    def __init__(self):
        self.bin = postgres_bin()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="yy-pg-"))
        self.user = {}
        if os.geteuid() == 0:
            try:
                entry = pwd.getpwnam("postgres")
            except KeyError:
                entry = pwd.getpwnam("nobody")
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
            self.user = {"user": entry.pw_uid, "group": entry.pw_gid,
                         "extra_groups": []}
        self.folder.chmod(0o755)
        run([self.bin / "initdb", "-D", self.folder / "data", "-A", "trust",
             "-U", "postgres", "-E", "UTF8", "--locale=C", "-N"],
            cwd=self.folder, **self.user)
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                [self.bin / "postgres", "-D", self.folder / "data",
                 "-k", self.folder, "-c", "listen_addresses=",
                 "-c", "fsync=off", "-c", "max_connections=60"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.folder, **self.user)
        self.socket = str(self.folder / ".s.PGSQL.5432")
        self.conninfo = f"host={self.folder} dbname=youyun"
        try:
            wait_until(self._answers, "PostgreSQL", 20)
            self.sql((SOURCE / "src/db/sql/roles.sql").read_text(),
                     database="postgres")
            self.sql("CREATE DATABASE youyun OWNER youyun_owner",
                     database="postgres")
        except BaseException:
            self.stop()
            raise

    def _answers(self):
        with contextlib.suppress(AssertionError):
            return self.sql("SELECT 1", database="postgres")
        return None

    def sql(self, text, database="youyun"):
        """Rows of text, as superuser."""
        out = run([self.bin / "psql", "-X", "-q", "-A", "-t", "-v",
                   "ON_ERROR_STOP=1", "-h", self.folder, "-U", "postgres",
                   "-d", database, "-c", text])
        return [line.split("|") for line in out.splitlines()]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)


class Proxy:
    """TCP in front of the server's socket.  Cut, it takes connections and
    bytes and passes nothing on, as a network that loses everything."""

    def __init__(self, target):
        self.target = target
        self.open = threading.Event()
        self.open.set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(near,),
                                 daemon=True).start()

    def _serve(self, near):
        self.open.wait()
        far = socket.socket(socket.AF_UNIX)
        try:
            far.connect(self.target)
        except OSError:
            near.close()
            return
        with near, far:
            back = threading.Thread(target=self._pump, args=(far, near),
                                    daemon=True)
            back.start()
            self._pump(near, far)
            back.join()

    def _pump(self, source, sink):
        with contextlib.suppress(OSError):
            while True:
                data = source.recv(65536)
                self.open.wait()
                if not data:
                    break
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self):
        self.open.clear()

    def heal(self):
        self.open.set()

    def close(self):
        self.heal()
        self.listener.close()


class Node(harness.Gateway):
    """One of the instances.  Its upstream and certificates are shared."""

    def __init__(self, cluster, name, **settings):
        self.cluster = cluster
        self.name = name
        self.proxy = Proxy(cluster.postgres.socket)
        super().__init__(settings={
            "node": name, "secrets_file": cluster.folder / "secrets",
            "database": f"host=127.0.0.1 port={self.proxy.port} "
                        "dbname=youyun"} | settings)

    def _build(self, models, credit, multiplier):
        self.certs = self.cluster.certs
        self.upstream = self.cluster.upstream
        self.port = free_port()
        self.config = self.folder / "youyun.conf"
        self.write_config()
        self.ctl("init")

    def launch(self):
        """Starts it without waiting for anything but its port."""
        with open(self.errors, "ab") as log:
            self.master = subprocess.Popen(
                [harness.YOUYUND, "-f", "-c", self.config], stdout=log,
                stderr=log, stdin=subprocess.DEVNULL, cwd="/",
                start_new_session=True)
        self.sessions.add(self.master.pid)

    def start(self):
        self.launch()
        self.wait_ready()

    def ready(self):
        with contextlib.suppress(Exception):
            return self.get("/readyz", key=None).status == 200
        return False

    def kill_all(self):
        """SIGKILL to all of its processes."""
        family = [self.master.pid, *descendants(self.master.pid)]
        for pid in family:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        self.master.wait(10)
        wait_until(lambda: not self.belonging(), "all gone", 20)

    def belonging(self):
        return {pid: p for pid, p in super().belonging().items()
                if pid != self.cluster.postgres.process.pid}

    def end(self):
        """Stops it in order, if it runs, and removes what it had."""
        try:
            if self.master and self.master.poll() is None:
                self.terminate()
                self.check_log()
        finally:
            for pid in self.belonging():
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            self.proxy.close()
            if not os.environ.get("YOUYUN_KEEP"):
                shutil.rmtree(self.folder, ignore_errors=True)


class Cluster:
    """The server and what all nodes share."""

    def __init__(self, models):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="yy-nodes-"))
        self.folder.chmod(0o755)
        if os.geteuid() == 0:
            os.chown(self.folder, *harness.service_user())
        self.nodes = []
        self.certs = Certificates(self.folder)
        self.upstream = Upstream(self.folder, self.certs, log=False)
        try:
            self.postgres = Postgres()
        except BaseException:
            self.upstream.stop()
            raise
        self.models = models

    def node(self, **settings):
        """The next node, not started; the first one brings the models."""
        name = f"node{len(self.nodes) + 1}"
        if self.nodes:
            self.nodes[0].ctl("node", "add", name)
        node = Node(self, name, **settings)
        self.nodes.append(node)
        if len(self.nodes) == 1:
            (node.folder / "credential").write_text(UPSTREAM_KEY + "\n")
            node.add_models(self.models)
        return node

    def sql(self, text):
        return self.postgres.sql(f"SET search_path = youyun; {text}")

    def number(self, text):
        return int(self.sql(text)[0][0])

    def stop(self):
        try:
            for node in self.nodes:
                node.end()
        finally:
            self.upstream.stop()
            self.postgres.stop()
            shutil.rmtree(self.folder, ignore_errors=True)
