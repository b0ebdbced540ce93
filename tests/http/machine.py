"""What an end-to-end test runs on: the build, processes, certificates, and
the scripted upstream."""

import base64
import contextlib
import http.client
import json
import os
import pathlib
import pwd
import random
import socket
import ssl
import subprocess
import time

# youyund takes no configuration that a group may change.
os.umask(0o022)

SOURCE = pathlib.Path(os.environ.get(
    "YOUYUN_SRCDIR", pathlib.Path(__file__).resolve().parents[2]))
BUILD = pathlib.Path(os.environ.get("YOUYUN_BUILDDIR", os.getcwd()))
YOUYUND = BUILD / "src/master/youyund"
YOUYUNCTL = BUILD / "admin/youyunctl"
UPSTREAM_KEY = "sk-peer-0123456789abcdef"


def is_sanitized():
    """True when the daemon under test was built with sanitizers."""
    with contextlib.suppress(OSError):
        return b"__asan_init" in YOUYUND.read_bytes()
    return False


# Multiplies every deadline: a sanitised build on a busy machine is slow.
PATIENCE = 5 if is_sanitized() else 2


def wait_until(check, what, seconds=10, step=0.02):
    """Polls check() until it is true; returns its value."""
    end = time.monotonic() + seconds * PATIENCE
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds * PATIENCE} s")
        time.sleep(step)


class DatabaseAway(AssertionError):
    """youyunctl's exit 5: PostgreSQL is not there, or not yet again."""


def run(command, **options):
    """Runs a command that must succeed; returns what it printed."""
    done = subprocess.run([str(part) for part in command],
                          capture_output=True, text=True, check=False,
                          timeout=60 * PATIENCE, **options)
    if done.returncode != 0:
        failure = DatabaseAway if done.returncode == 5 else AssertionError
        raise failure(
            f"{' '.join(map(str, command))}: exit {done.returncode}\n"
            f"{done.stdout}{done.stderr}")
    return done.stdout


def free_port():
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Process:
    """What /proc says of one."""

    def __init__(self, pid):
        folder = pathlib.Path(f"/proc/{pid}")
        stat = (folder / "stat").read_text()
        fields = stat[stat.rindex(")") + 2:].split()
        self.pid = pid
        self.is_dead = fields[0] in "ZX"
        self.parent = int(fields[1])
        self.session = int(fields[3])
        self.title = (folder / "cmdline").read_bytes().replace(
            b"\0", b" ").decode(errors="replace").strip()
        self.cwd = ""
        with contextlib.suppress(OSError):
            self.cwd = os.readlink(folder / "cwd")

    def __repr__(self):
        return f"<{self.pid} {self.title[:80]}>"


def processes():
    """{pid: Process} of all that run."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError, ValueError):
                process = Process(int(entry))
                if not process.is_dead:
                    found[process.pid] = process
    return found


def descendants(root):
    """{pid: Process} of all children and theirs of a process."""
    table = processes()
    family, grew = {root}, True
    while grew:
        more = {p.pid for p in table.values()
                if p.parent in family} - family
        family |= more
        grew = bool(more)
    return {pid: table[pid] for pid in family
            if pid in table and pid != root}


def service_user():
    """(uid, gid) that the daemon runs as in this harness."""
    if os.geteuid() == 0:
        entry = pwd.getpwnam("nobody")
        return entry.pw_uid, entry.pw_gid
    return os.geteuid(), os.getegid()


def seed():
    """A random generator whose seed is printed, or taken from YOUYUN_SEED."""
    value = int(os.environ.get("YOUYUN_SEED", random.randrange(2**32)))
    print(f"YOUYUN_SEED={value}", flush=True)
    return random.Random(value)


class Certificates:
    """One authority and one server certificate, for both sides."""

    def __init__(self, folder):
        self.ca = folder / "ca.pem"
        self.cert = folder / "server.pem"
        self.key = folder / "server.key"
        ca_key = folder / "ca.key"
        request = folder / "server.csr"
        extensions = folder / "server.ext"
        extensions.write_text(
            "subjectAltName=IP:127.0.0.1,DNS:localhost\n"
            "basicConstraints=CA:FALSE\n")
        new_key = ["-newkey", "ec", "-pkeyopt",
                   "ec_paramgen_curve:prime256v1", "-nodes"]
        run(["openssl", "req", "-x509", *new_key, "-keyout", ca_key,
             "-out", self.ca, "-days", "30", "-subj", "/CN=test authority",
             "-addext", "keyUsage=critical,keyCertSign"])
        run(["openssl", "req", *new_key, "-keyout", self.key,
             "-out", request, "-subj", "/CN=localhost"])
        run(["openssl", "x509", "-req", "-in", request, "-CA", self.ca,
             "-CAkey", ca_key, "-CAcreateserial", "-out", self.cert,
             "-days", "30", "-extfile", extensions])


class Upstream:
    """The scripted upstream (tests/peer) as a process."""

    def __init__(self, folder, certs, log=True):
        self.certs = certs
        self.log = folder / "upstream.log"
        logging = ["--log", self.log, "--log-bodies"] if log else []
        self.process = subprocess.Popen(
            [BUILD / "tests/peer/upstream", "--cert", certs.cert,
             "--key", certs.key, "--with-parent", "--require-key",
             UPSTREAM_KEY, *logging],
            stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening "):
            raise AssertionError(f"the upstream did not start: {line!r}")
        self.port = int(line.rsplit(":", 1)[1])
        self.url = f"https://127.0.0.1:{self.port}"

    def stats(self):
        """Its counters: requests, connections, open, resumed, left ..."""
        context = ssl.create_default_context(cafile=self.certs.ca)
        with contextlib.closing(http.client.HTTPSConnection(
                "127.0.0.1", self.port, timeout=10, context=context)) as conn:
            conn.request("GET", "/__stats")
            return json.loads(conn.getresponse().read())

    def requests(self):
        """What arrived, oldest first; "raw" is the body as bytes."""
        if not self.log.exists():
            return []
        seen = []
        for line in self.log.read_text().splitlines():
            request = json.loads(line)["request"]
            if request["target"] == "/__stats":
                continue
            request["raw"] = base64.b64decode(request.get("body", ""))
            seen.append(request)
        return seen

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()
