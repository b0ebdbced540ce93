"""youyunctl attest on a whole instance: a clean one is clean, a planted leak is
found, reports are signed, and nothing of a run stays."""

import json
import os
import pathlib
import pwd
import signal
import subprocess
import unittest

import harness
import machine
import nodes

FIXTURE = "youyun-attest"
CHANNELS = (f"{FIXTURE}-openai", f"{FIXTURE}-anthropic")
gateway = None


def setUpModule():
    global gateway
    if os.geteuid() != 0:
        raise unittest.SkipTest("only root may read other processes' memory")
    gateway = harness.Gateway(["fast"], workers=2)
    try:
        pathlib.Path(f"/proc/{gateway.child('worker')}/mem").open("rb").close()
    except OSError as error:
        gateway.stop()
        raise unittest.SkipTest(f"no memory to be read: {error}") from None


def tearDownModule():
    if gateway:
        gateway.settled()
        gateway.verify()
        gateway.stop()


def command(*arguments):
    return [str(machine.YOUYUNCTL), "-c", str(gateway.config), "attest",
            *arguments]


def attest(*arguments, **options):
    """Returns the exit status and what was printed."""
    done = subprocess.run(command(*arguments), capture_output=True, text=True,
                          check=False, timeout=60 * machine.PATIENCE,
                          **options)
    return done.returncode, done.stdout, done.stderr


def active_channels():
    return [row for row in gateway.rows("channel", "list")
            if row["name"] in CHANNELS and row["status"] == "active"]


def leaks(report):
    return [row for row in report["findings"] if not row["control"]]


class AttestCase(harness.Case):
    """What is asked of every run."""

    def attest(self, *arguments):
        status, out, errors = attest("--json", *arguments)
        self.assertTrue(out, errors)
        return status, json.loads(out)

    def check_whole(self, report, left_out=(), controls=6):
        """It searched what it is to search, and found what was planted."""
        self.assertEqual(report["reasons"], [])
        for row in report["paths"]:
            self.assertEqual(row["done"], row["path"] not in left_out, row)
        self.assertEqual(len(report["paths"]), 14)
        self.assertEqual(len(report["controls"]), controls)
        for row in report["controls"]:
            self.assertTrue(row["found"], row)
        searched = {row["area"]: row for row in report["searched"]}
        for area in ("master", "worker", "flusher", "portal", "segment",
                     "journal", "state directory", *(
                         ("postgres", "database's files")
                         if controls == 6 else ())):
            self.assertGreater(searched[area]["bytes"], 0, area)
            self.assertEqual(searched[area]["unread"], 0, area)
        # One that was killed may not have its successor yet.
        self.assertIn(searched["worker"]["targets"],
                      (2,) if left_out else (1, 2))
        self.assertGreater(searched["database"]["targets"], 50)
        for name in ("build", "settings", "worker_filter", "flusher_filter"):
            self.assertRegex(report[name], "^[0-9a-f]{64}$")

    def check_cleared(self):
        """What it called with is off, and what it planted is gone."""
        for row in gateway.rows("channel", "list"):
            if row["name"] in CHANNELS:
                self.assertEqual(row["status"], "disabled")
        for row in gateway.rows("key", "list", FIXTURE):
            self.assertEqual(row["status"], "revoked")
        state = gateway.folder / "state"
        self.assertEqual([p.name for p in state.glob("attest*")],
                         ["attest.key"])


class Attested(AttestCase):

    @unittest.skipIf(machine.is_sanitized(),
                     "sanitizers keep what is freed, and no sandbox")
    def test_a_clean_installation_is_clean(self):
        status, report = self.attest()
        self.assertEqual(leaks(report), [])
        self.assertEqual(report["result"], "clean")
        self.assertEqual(status, 0)
        self.check_whole(report, ["killed_worker"])
        for worker in report["workers"]:
            self.assertTrue(worker["confined"], worker)
            self.assertEqual(worker["files"], 0, worker)
        self.check_cleared()

    @unittest.skipIf(machine.is_sanitized(),
                     "sanitizers keep what is freed, and no sandbox")
    def test_a_killed_worker_leaves_nothing(self):
        before = set(gateway.children("worker"))
        status, report = self.attest("--kill-worker")
        self.assertEqual(leaks(report), [])
        self.assertEqual(status, 0)
        self.check_whole(report)
        self.assertEqual(len(before - set(gateway.children("worker"))), 1)
        harness.wait_until(lambda: len(gateway.children("worker")) == 2,
                           "another worker", 10)
        self.check_cleared()

    def test_a_planted_leak_is_found(self):
        status, report = self.attest("--self-test")
        self.assertEqual(status, 1)
        self.assertEqual(report["result"], "found")
        found = [row for row in leaks(report)
                 if row["area"] == "state directory"]
        self.assertEqual(
            [(row["canary"], row["form"], row["times"]) for row in found],
            [("prompt of answered", "raw", 1)])
        self.assertIn(str(gateway.folder / "state/attest-"),
                      found[0]["where"])
        self.check_whole(report, ["killed_worker"])
        self.check_cleared()

    @unittest.skipUnless(machine.is_sanitized(),
                         "elsewhere freed memory is overwritten")
    def test_what_a_worker_keeps_is_found(self):
        """A sanitizer's quarantine is a leak, and its build isn't confined."""
        status, report = self.attest()
        self.assertEqual(status, 1)
        self.assertIn("worker", {row["area"] for row in leaks(report)})
        self.assertEqual({row["area"] for row in leaks(report)}, {"worker"})
        for worker in report["workers"]:
            self.assertFalse(worker["confined"], worker)

    def test_its_calls_are_charged_and_add_up(self):
        self.attest("--self-test")
        gateway.settled(FIXTURE)
        found = gateway.verify()
        self.assertTrue(found["ok"])
        calls = gateway.records(FIXTURE)
        self.assertGreaterEqual(len(calls), 13)
        self.assertTrue(any(call["fee_nano"] > 0 for call in calls))
        self.assertLess(gateway.balance(FIXTURE), 10 ** 9)
        # Another customer can't have the model.
        answer = gateway.call(harness.CHAT, harness.chat(FIXTURE))
        self.assertIn(answer.status, (403, 404, 503), answer)

    def test_an_interrupted_run_clears_up(self):
        process = subprocess.Popen(command("--json"), text=True,
                                   stdout=subprocess.PIPE)
        harness.wait_until(active_channels, "attest's channels", 20)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30 * machine.PATIENCE)
        report = json.loads(out)
        if report["result"] != "found":     # it had found something by then
            self.assertEqual(process.returncode, 2)
            self.assertEqual(report["result"], "unable")
        self.assertIn("it was interrupted",
                      [row["reason"] for row in report["reasons"]])
        self.check_cleared()

    def test_one_run_at_a_time(self):
        with subprocess.Popen(command(), stdout=subprocess.DEVNULL) as first:
            harness.wait_until(active_channels, "attest's channels", 20)
            status, _, errors = attest()
            first.wait(60 * machine.PATIENCE)
        self.assertEqual(status, 2)
        self.assertIn("attest is being run already", errors)
        self.check_cleared()

    def test_only_root_can(self):
        user = pwd.getpwnam("nobody")
        status, out, errors = attest(user=user.pw_uid, group=user.pw_gid,
                                     extra_groups=[])
        self.assertEqual((status, out), (2, ""), errors)
        self.assertIn("root", errors)

    def test_a_stopped_installation_shows_nothing(self):
        pid = gateway.folder / "state/run/youyund.pid"
        text = pid.read_text()
        pid.write_text("1\n")
        try:
            status, report = self.attest()
        finally:
            pid.write_text(text)
        self.assertEqual((status, report["result"]), (2, "unable"))
        self.assertEqual(report["controls"][0]["found"], False)


class ExternalDatabase(AttestCase):
    """On a server of the operator's, which is searched by SQL alone."""

    @classmethod
    def setUpClass(cls):
        global gateway
        cls.embedded = gateway
        cls.postgres = nodes.Postgres()
        gateway = harness.Gateway(
            ["fast"], workers=2,
            settings={"database": cls.postgres.conninfo})

    @classmethod
    def tearDownClass(cls):
        global gateway
        try:
            gateway.settled()
            gateway.stop()
        finally:
            gateway = cls.embedded
            cls.postgres.stop()

    def test_a_planted_leak_is_found(self):
        status, report = self.attest("--self-test")
        self.assertEqual((status, report["result"]), (1, "found"))
        self.check_whole(report, ["killed_worker"], controls=5)
        self.check_cleared()
        self.assertEqual(self.postgres.sql(
            "SELECT relname FROM pg_class WHERE relname LIKE 'attest%'"), [])


class Reports(harness.Case):
    """Signed, and of no use when changed."""

    @classmethod
    def setUpClass(cls):
        cls.reports = {}
        for kind in ((), ("--json",)):
            _, out, _ = attest("--self-test", *kind)
            cls.reports[kind] = out
        cls.key = json.loads(attest("--public-key", "--json")[1])["public_key"]

    def verify(self, text, *arguments):
        path = gateway.folder / "report"
        path.write_text(text)
        return attest("--verify", str(path), *arguments)[0]

    def test_a_report_is_valid_as_it_is(self):
        for kind, text in self.reports.items():
            with self.subTest(kind=kind):
                self.assertIn(self.key, text)
                self.assertEqual(self.verify(text), 0)
                self.assertEqual(self.verify(text, "--key", self.key), 0)

    def test_a_changed_report_is_refused(self):
        for kind, text in self.reports.items():
            for change in (text.replace("found", "clean", 1),
                           text.replace("LEAK", "leak", 1).replace(
                               '"control": false', '"control": true'),
                           text + " ", text[:-1], "x" + text, text * 2,
                           text.replace(self.key, "0" * 64), "", "nothing"):
                with self.subTest(kind=kind, change=change[:20]):
                    self.assertNotEqual(change, text)
                    self.assertEqual(self.verify(change), 1)

    def test_another_key_is_refused(self):
        for kind, text in self.reports.items():
            with self.subTest(kind=kind):
                self.assertEqual(self.verify(text, "--key", "ab" * 32), 1)
                self.assertEqual(self.verify(text, "--key", "short"), 2)

    def test_a_report_has_no_canary_and_no_key(self):
        for text in self.reports.values():
            self.assertNotRegex(text, "sk-yy-")
            # The 64 digits of digests, and the signature's 128, are all
            # that is as long and as random.
            self.assertNotRegex(text, r"\b(?=\w*[g-zG-Z])(?=\w*\d)\w{32,}\b")

    def test_the_key_is_for_root_alone(self):
        path = gateway.folder / "state/attest.key"
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        path.chmod(0o640)
        try:
            self.assertEqual(attest("--public-key")[0], 2)
        finally:
            path.chmod(0o600)


if __name__ == "__main__":
    harness.main()
