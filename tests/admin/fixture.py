"""A throw-away installation for the tests of youyunctl: init for real, and
the embedded PostgreSQL run by hand, as the master would run it."""

import fractions
import glob
import json
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile
import threading
import time
import uuid

# youyund takes no configuration that a group may change.
os.umask(0o022)

SRCDIR = pathlib.Path(os.environ.get(
    "YOUYUN_SRCDIR", pathlib.Path(__file__).resolve().parents[2]))
BUILDDIR = pathlib.Path(os.environ.get("YOUYUN_BUILDDIR", SRCDIR))
YOUYUNCTL = BUILDDIR / "admin" / "youyunctl"
SEGMENT = BUILDDIR / "tests" / "admin" / "segment"

# As root the service needs another user; "nobody" is on every machine.
ROOT = os.geteuid() == 0
USER = "nobody" if ROOT else pwd.getpwuid(os.geteuid()).pw_name
NANO = 10 ** 9
DIMENSIONS = ("input", "output", "cache_read", "cache_write_5m",
              "cache_write_1h")

OK, FAILED, USAGE, NOT_FOUND, REFUSED, AWAY = range(6)


def postgres_program(name):
    """Where PostgreSQL keeps its programs; None when it is not installed."""
    found = shutil.which("pg_config")
    if found:
        folder = subprocess.run([found, "--bindir"], capture_output=True,
                                text=True, check=True).stdout.strip()
        if os.access(f"{folder}/{name}", os.X_OK):
            return f"{folder}/{name}"
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
    return found[-1] if found else None


class Result:
    """What one run of youyunctl came to."""

    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.status}\n{self.out}{self.err}"


class Installation:
    def __init__(self, settings=""):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="yyctl."))
        # The service user must get through.
        self.folder.chmod(0o755)
        if ROOT:
            # A state folder that the service user makes itself.
            os.chown(self.folder, pwd.getpwnam(USER).pw_uid, -1)
        self.state = self.folder / "state"
        self.config = self.folder / "youyun.conf"
        self.config.write_text(f"user = {USER}\nstate_dir = {self.state}\n"
                               f"{settings}")
        self.postgres = None
        self.segment = None

    def run(self, *words, stdin="", env=None, cwd=None, timeout=120):
        environment = dict(os.environ, LC_ALL="C", COLUMNS="200")
        environment.pop("SUDO_USER", None)
        environment.update(env or {})
        return Result(subprocess.run(
            [YOUYUNCTL, "-c", self.config, *map(str, words)], input=stdin,
            capture_output=True, text=True, env=environment, cwd=cwd,
            timeout=timeout, check=False))

    def ok(self, *words, **options):
        """A run that must succeed."""
        result = self.run(*words, **options)
        if result.status != OK or "youyunctl:" in result.err:
            raise AssertionError(f"youyunctl {' '.join(map(str, words))}: "
                                 f"{result}")
        return result

    def json(self, *words, **options):
        return self.ok(*words, "--json", **options).json

    def start_postgres(self):
        """With the access of a bootstrap, which lets the tests in as the
        superuser whoever runs them."""
        data = self.state / "postgres"
        command = [postgres_program("postgres"), "-D", str(data),
                   "-c", f"hba_file={data}/bootstrap_hba.conf",
                   "-c", f"ident_file={data}/bootstrap_ident.conf",
                   "-c", "fsync=off"]
        self.postgres = subprocess.Popen(
            command, user=USER if ROOT else None,
            group=pwd.getpwnam(USER).pw_gid if ROOT else None,
            extra_groups=[] if ROOT else None, cwd="/",
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)
        for _ in range(600):
            done = subprocess.run(self.psql_command("postgres", "postgres"),
                                  input="SELECT 1", text=True,
                                  capture_output=True, check=False)
            if done.returncode == 0:
                return
            time.sleep(0.05)
        raise AssertionError(f"PostgreSQL did not start: {done.stderr}")

    def stop_postgres(self):
        if self.postgres:
            self.postgres.terminate()
            try:
                self.postgres.wait(2)
            except subprocess.TimeoutExpired:
                self.postgres.send_signal(subprocess.signal.SIGINT)
                self.postgres.wait(60)
            self.postgres = None

    def psql_command(self, role, database="youyun"):
        return [postgres_program("psql"), "-X", "-q", "-A", "-t", "-v",
                "ON_ERROR_STOP=1", "-h", str(self.state / "run" / "pg"),
                "-U", role, database]

    def sql(self, text, role="postgres"):
        """Rows of text; as the superuser triggers don't bind."""
        prefix = "SET search_path = youyun;\n"
        if role == "postgres":
            prefix += "SET session_replication_role = replica;\n"
        done = subprocess.run(self.psql_command(role), input=prefix + text,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{text}\n{done.stderr}")
        return [line.split("|") for line in done.stdout.splitlines()]

    def start_segment(self, *accounts):
        self.segment = subprocess.Popen(
            [SEGMENT, self.config, *accounts], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        if self.segment.stdout.readline() != "ready\n":
            raise AssertionError("the segment was not made")

    def stop_segment(self):
        if self.segment:
            self.segment.stdin.close()
            self.segment.wait(10)
            self.segment.stdout.close()
            self.segment = None

    def remove(self):
        self.stop_segment()
        self.stop_postgres()
        shutil.rmtree(self.folder, ignore_errors=True)


def fee_nano(counts, prices, multiplier_ppm):
    """The fee as a person would reckon it, in fractions; independent of the
    program's arithmetic.  round() of a fraction is half to even."""
    exact = sum(fractions.Fraction(counts.get(d, 0) *
                                   prices.get(d, prices["input"]), 10 ** 6)
                for d in DIMENSIONS)
    return round(exact * multiplier_ppm / 10 ** 6)


def decimal(nano):
    """Nano-units as youyunctl writes them."""
    whole, part = divmod(nano, NANO)
    text = f"{part:09d}".rstrip("0")
    return f"{whole}.{text:0<2}"


def uuid_of(request_id):
    """The database's form of an x-request-id."""
    return str(uuid.UUID(request_id.removeprefix("req_")))


class Taker:
    """Stands in for a flusher on an idle segment: gives the money up that is
    asked for, and books out what has expired."""

    ANSWER = """
        SELECT node_attach('node1', 1, 1);
        SELECT CASE WHEN l.granted_nano - l.spent_nano >= t.amount_nano
            THEN taking_book(1::smallint, t.id)::text
            ELSE taking_refuse(t.id, l.granted_nano - l.spent_nano)::text END
            FROM taking t JOIN lease l ON l.customer_id = t.customer_id
            WHERE t.state = 0;
        SELECT expire(1::smallint, customer_id, left_nano)
            FROM expired_left(NULL);"""

    def __init__(self, installation):
        self.installation = installation
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.stop.wait(0.05):
            self.installation.sql(self.ANSWER, role="youyun_flusher")

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


class Booker:
    """Books calls as the flusher does: one transaction with the records, the
    double entry and the lease."""

    def __init__(self, installation):
        self.installation = installation
        self.seq = 0

    def book(self, customer, calls):
        """calls: dicts with fee and uncollected (nano) and other columns;
        returns their request ids.  What owes nothing has no booking."""
        ids, rows = [], []
        billed = [c for c in calls
                  if c["fee_nano"] or c.get("uncollected_nano", 0)]
        fees = sum(c["fee_nano"] for c in calls)
        owed = sum(c.get("uncollected_nano", 0) for c in calls)
        for call in calls:
            self.seq += 1
            ids.append(f"req_{uuid.uuid4().hex}")
            rows.append(self.row(customer, call, uuid_of(ids[-1])))
        postings = "".join(
            f"INSERT INTO posting SELECT t.id, a.id, {amount} FROM t_made t, "
            f"ledger_account a WHERE {where};\n"
            for amount, where in (
                (-owed, "a.kind = 'uncollected'"),
                (fees + owed, "a.kind = 'revenue'")) if amount != 0)
        # Out of the customer's pots, in the order of spending.
        postings += f"""INSERT INTO posting SELECT t.id, q.account_id,
            -least(q.left_nano, {fees} - q.before)::bigint FROM t_made t,
            (SELECT account_id, left_nano, sum(left_nano) OVER (ORDER BY
            expires_at, paid, account_id) - left_nano AS before FROM pot
            WHERE customer_id = {customer} AND left_nano > 0) q
            WHERE q.before < {fees};
            """
        booking = f"""
            WITH t AS (INSERT INTO ledger_transaction (kind, customer_id,
                idempotency_key, actor, calls) VALUES ('calls', {customer},
                'test:{self.seq}', 'flusher', {len(billed)}) RETURNING id)
            UPDATE t_made SET id = t.id FROM t;""" if billed else ""
        self.installation.sql(f"""
            BEGIN;
            CREATE TEMP TABLE t_made ON COMMIT DROP AS SELECT 0::bigint id;
            {booking}
            {postings}
            {"".join(rows)}
            SELECT lease_spend(1, 1, '{{{customer}}}', '{{{fees}}}',
                '{{{self.seq}}}');
            INSERT INTO journal_mark (node_id, journal_id, seq, incarnation)
                VALUES (1, 1, {self.seq}, 1) ON CONFLICT (node_id, journal_id)
                DO UPDATE SET seq = excluded.seq;
            COMMIT;""", role="youyun_flusher")
        return ids

    def row(self, customer, call, request_id):
        values = {
            "started_at": "now()", "request_id": f"'{request_id}'",
            "journal_id": 1, "journal_seq": self.seq,
            "ledger_transaction_id": "(SELECT id FROM t_made)",
            "customer_id": customer, "key_id": 1, "group_id": 1,
            "model_id": 1, "channel_id": "NULL", "price_version": 1,
            "fee_nano": 0, "uncollected_nano": 0, "held_nano": 10 ** 15,
            "input_tokens": 0, "output_tokens": 0, "cache_read_tokens": 0,
            "cache_write_5m_tokens": 0, "cache_write_1h_tokens": 0,
            "reasoning_tokens": 0, "request_bytes": 100, "answer_bytes": 200,
            "multiplier_ppm": 10 ** 6, "flags": 1, "queue_ms": 1,
            "first_byte_ms": 2, "total_ms": 3, "route": 1, "protocol": 1,
            "status": 200, "error": 0, "upstream_status": 200, "node_id": 1,
            "address": "'192.0.2.7'", "agent": "'test/1.0'"}
        values.update(call)
        if values["fee_nano"] == values["uncollected_nano"] == 0:
            values["ledger_transaction_id"] = "NULL"
        return (f"INSERT INTO call ({', '.join(values)}) VALUES "
                f"({', '.join(map(str, values.values()))});\n")
