"""The audit trail's head is anchored by the gateway itself; what is done to
the trail afterwards is found against those lines."""

import re
import subprocess

import harness
import test_portal

gateway = anchors = None


def setUpModule():
    global gateway, anchors
    gateway = harness.Gateway(settings={"audit_anchor_every": "1s"})
    # Where the service user may make a file.
    anchors = gateway.folder / "state" / "anchors"
    gateway.terminate()
    gateway.write_config(audit_anchor_to=anchors)
    gateway.start()


def tearDownModule():
    gateway.stop()


def lines():
    text = anchors.read_text() if anchors.exists() else ""
    found = re.findall("^youyun-audit size=([0-9]+) root=([0-9a-f]{64}) "
                       r"at=(\S+Z)\n", text, re.M)
    assert len(found) == text.count("\n"), text
    return [(int(size), root) for size, root, _ in found]


def verify():
    return subprocess.run(
        [harness.YOUYUNCTL, "-c", gateway.config, "audit", "verify",
         "--anchors", anchors], capture_output=True, text=True, check=False)


def sql(text):
    """By the superuser, whom triggers don't bind."""
    return test_portal.sql("SET session_replication_role = replica; " + text,
                           "postgres", gateway)


def anchored():
    """Until all that there is by now is in an anchor."""
    size = int(test_portal.sql("SELECT count(*) FROM audit", "postgres",
                               gateway)[0])
    harness.wait_until(lambda: lines() and lines()[-1][0] >= size,
                       f"an anchor of {size}", 20)
    return lines()


class Anchors(harness.Case):

    def setUp(self):
        harness.wait_until(lambda: lines(), "an anchor", 20)

    def test_it_is_anchored_while_it_grows(self):
        before = anchored()
        for number in range(3):
            gateway.ctl("customer", "set", "test", "--note", f"n{number}")
            anchored()
        after = lines()
        self.assertGreaterEqual(len(after), len(before) + 3)
        sizes = [size for size, _ in after]
        self.assertEqual(sizes, sorted(sizes))
        done = verify()
        self.assertEqual(done.returncode, 0, done)
        # The same head as youyunctl reckons from the entries.
        line = gateway.ctl("audit", "anchor").split()
        self.assertIn((int(line[1].split("=")[1]), line[2].split("=")[1]),
                      anchored())
        self.assertEqual(anchors.stat().st_mode & 0o777, 0o640)

    def test_z_a_trail_that_was_made_anew_is_found(self):
        gateway.ctl("customer", "set", "test", "--note", "true")
        anchored()
        sql("CREATE TABLE kept AS SELECT * FROM audit_link; UPDATE audit SET "
            "actor = 'x' WHERE id = (SELECT max(id) FROM audit); "
            "DELETE FROM audit_link; SELECT audit_seal()")
        done = verify()
        self.assertEqual(done.returncode, 1)
        self.assertIn("what is there now is not what was anchored",
                      done.stderr)
        # The flusher has read the links that were; what it anchors from now
        # on doesn't agree with the new story either.
        was = len(lines())
        gateway.ctl("customer", "set", "test", "--note", "more")
        harness.wait_until(lambda: len(lines()) > was, "another", 20)
        text = anchors.read_text()
        anchors.write_text(text.splitlines(True)[-1])
        self.assertEqual(verify().returncode, 1)
        anchors.write_text(text)
        # Not for ever: the next flusher reads what there is.
        done = verify()
        self.assertEqual(done.returncode, 1)

    def test_zz_an_end_that_was_cut_off_is_found_and_told(self):
        gateway.terminate()
        anchors.unlink()
        gateway.start()
        gateway.ctl("customer", "set", "test", "--note", "the end")
        anchored()
        self.assertEqual(verify().returncode, 0)
        sql("DELETE FROM audit_link WHERE seq = (SELECT max(seq) FROM "
            "audit_link); DELETE FROM audit WHERE id = (SELECT max(id) FROM "
            "audit)")
        done = verify()
        self.assertEqual(done.returncode, 1)
        self.assertIn("there are fewer entries now", done.stderr)
        harness.wait_until(
            lambda: "the audit trail was cut off and is not anchored any "
            "more" in gateway.log(), "the flusher's word", 20)

    def test_a_file_that_cannot_be_opened_is_told(self):
        gateway.write_config(audit_anchor_to="/nonexistent/anchors")
        gateway.terminate()
        gateway.start()
        self.assertIn("the audit trail can't be anchored: "
                      "path=/nonexistent/anchors", gateway.log())
        gateway.terminate()
        gateway.write_config(audit_anchor_to=anchors)
        gateway.start()
        anchored()


if __name__ == "__main__":
    harness.main()
