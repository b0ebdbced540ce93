"""What is kept about a call: the manual's list and no more, of the address and
the user agent what was agreed; a limited customer."""

import pathlib
import re
import signal
import subprocess

import harness
from harness import CHAT, chat
from machine import SOURCE

PAGE = SOURCE / "man/youyun-records.7"

gateway = None


def setUpModule():
    global gateway
    gateway = harness.Gateway(["fast"], workers=2)


def tearDownModule():
    gateway.stop()


def sql(text):
    done = subprocess.run(
        ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h",
         str(gateway.folder / "state/run/pg"), "-U", "youyun_owner",
         "youyun"], input="SET search_path = youyun;\n" + text,
        capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def listed(page):
    return set(re.findall(r"^\.It Sy (\w+)$", page, re.MULTILINE))


class Metadata(harness.Case):

    def customer(self, name, *kept):
        gateway.add_customer(name, credit="100")
        key = gateway.add_key(name)
        gateway.wait_for_key(key)
        if kept:
            gateway.ctl("customer", "set", name, *kept)
        return key

    def made(self, key, agent="secret-agent/7"):
        answer = gateway.call(CHAT, chat("fast"),
                              headers={"user-agent": agent}, key=key)
        self.assertEqual(answer.status, 200)
        return gateway.record(answer.request_id)

    def wait_for(self, key, member, wanted):
        harness.wait_until(lambda: self.made(key)[member] == wanted,
                           f"{member} {wanted}")

    def test_a_record_has_what_the_manual_lists(self):
        columns = set(sql("SELECT column_name FROM"
                          " information_schema.columns WHERE table_schema ="
                          " 'youyun' AND table_name = 'call'"))
        page = PAGE.read_text()
        self.assertEqual(listed(page), columns)
        # It can fail.
        self.assertNotEqual(listed(page + ".It Sy prompt\n"), columns)
        self.assertNotEqual(
            listed(page.replace(".It Sy agent\n", "")), columns)

    def test_all_is_kept_unless_told_otherwise(self):
        record = self.made(self.customer("usual"))
        self.assertEqual(record["address"], "127.0.0.1")
        self.assertEqual(record["agent"], "secret-agent/7")

    def test_a_customers_addresses_are_cut_or_left_out(self):
        key = self.customer("cut", "--keep-address", "network")
        self.wait_for(key, "address", "127.0.0.0")
        self.assertEqual(self.made(key)["agent"], "secret-agent/7")
        gateway.ctl("customer", "set", "cut", "--keep-address", "none",
                    "--keep-user-agent", "no")
        self.wait_for(key, "agent", None)
        record = self.made(key)
        self.assertIn(record["address"], (None, "-"))
        shown = gateway.ctl_json("customer", "show", "cut")
        self.assertEqual(shown["keep_address"], "none")
        self.assertEqual(shown["keep_user_agent"], "no")

    def test_what_is_left_out_was_never_on_a_disk(self):
        key = self.customer("never", "--keep-user-agent", "no",
                            "--keep-address", "none")
        self.wait_for(key, "agent", None)
        marker = "marker-of-an-agent-82734"
        self.made(key, marker)
        known = self.customer("known")
        shown = "shown-agent-91827"
        self.made(known, shown)
        gateway.settled("known")
        found = {marker: 0, shown: 0}
        for path in pathlib.Path(gateway.folder / "state").rglob("*"):
            if not path.is_file() or path.is_symlink():
                continue
            data = path.read_bytes()
            for text in found:
                found[text] += text.encode() in data
        # The search finds what is there.
        self.assertGreater(found[shown], 0)
        self.assertEqual(found[marker], 0)

    def test_for_all_customers_and_limits_work_all_the_same(self):
        key = self.customer("all")
        gateway.write_config(record_address="network",
                             record_user_agent="off",
                             address_requests_per_minute=100000)
        gateway.master.send_signal(signal.SIGHUP)
        try:
            self.wait_for(key, "address", "127.0.0.0")
            self.wait_for(key, "agent", None)
            answer = gateway.call(CHAT, chat("fast"), key=key)
            self.assertEqual(answer.headers["x-ratelimit-limit-requests"],
                             "100000")
            # A customer can have less kept, not more.
            gateway.ctl("customer", "set", "all", "--keep-address", "none")
            self.wait_for(key, "agent", None)
            harness.wait_until(
                lambda: self.made(key)["address"] in (None, "-"),
                "no address")
        finally:
            gateway.write_config(record_address=None,
                                 record_user_agent=None,
                                 address_requests_per_minute=None)
            gateway.master.send_signal(signal.SIGHUP)
        usual = self.customer("after")
        self.wait_for(usual, "address", "127.0.0.1")


class Limited(harness.Case):

    def test_a_limited_customer_makes_few_calls_and_is_told(self):
        gateway.add_customer("slow", credit="100")
        key = gateway.ctl_json("key", "add", "slow", "--scope",
                               "account")["key"]
        gateway.wait_for_key(key)
        gateway.ctl("customer", "limit", "slow", "--requests", "5000")
        gateway.ctl("customer", "restrict", "slow", "--reason", "too fast")

        def refused():
            answer = gateway.call(CHAT, chat("fast"), key=key)
            return answer if answer.status == 429 else None
        answer = harness.wait_until(refused, "the limit")
        self.assertIn("limit is 10 per minute",
                      answer.json["error"]["message"])
        self.assertEqual(
            gateway.get("/api/v1/account", key=key).json["status"],
            "limited")
        notice, = [n for n in gateway.get("/api/v1/notices",
                                          key=key).json["notices"]
                   if n["kind"] == "limited"]
        self.assertEqual(notice["detail"]["reason"], "too fast")
        event, = gateway.rows("event", "list", "--kind", "customer_limited",
                              "--customer", "slow")
        self.assertEqual(event["kind"], "customer_limited")
        gateway.ctl("customer", "resume", "slow")
        harness.wait_until(
            lambda: all(gateway.call(CHAT, chat("fast"), key=key).status ==
                        200 for _ in range(15)), "no limit")


if __name__ == "__main__":
    harness.main()
