"""Deleted days of calls, on a running gateway: bills stay, verify is clean,
calls go on, and the gateway deletes by itself."""

import subprocess
import time

import harness
from harness import CHAT, chat

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


class Retention(harness.Case):

    def test_a_bill_stays_when_its_calls_are_deleted(self):
        key = gateway.ctl_json("key", "add", "test", "--scope",
                               "account")["key"]
        gateway.wait_for_key(key)
        for _ in range(5):
            self.assertEqual(gateway.call(CHAT, chat("fast")).status, 200)
        gateway.settled()
        path = f"/api/v1/bills/{time.strftime('%Y-%m', time.gmtime())}"
        before = gateway.get(path, key=key).json
        self.assertEqual(sum(m["calls"] for m in before["models"]), 5)
        # As if today's time were over.
        self.assertEqual(sql("SELECT retention_day((now() AT TIME ZONE "
                             "'UTC')::date + 1)"), ["t"])
        self.assertEqual(sql("SELECT count(*) FROM call"), ["0"])
        self.assertEqual(gateway.get(path, key=key).json, before)
        gateway.verify()
        # What comes now has no day of its own any more.
        answer = gateway.call(CHAT, chat("fast"))
        self.assertEqual(answer.status, 200)
        gateway.settled()
        self.assertEqual(sql("SELECT count(*) FROM call_other"), ["1"])
        after = gateway.get(path, key=key).json
        self.assertEqual([m["calls"] for m in after["models"]], [6])
        gateway.verify()

    def test_the_gateway_deletes_by_itself(self):
        sql("SELECT call_partition_ensure(now() - interval '500 days')")
        parts = ("SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid"
                 " = i.inhrelid WHERE i.inhparent = 'call'::regclass AND"
                 " c.relname < 'call_' || to_char(now() - interval '400 days',"
                 " 'YYYYMMDD')")
        self.assertEqual(sql(parts), ["1"])
        gateway.terminate()
        gateway.start()
        harness.wait_until(lambda: sql(parts) == ["0"], "the day to go", 20)
        self.assertEqual(sql("SELECT rows FROM retention_log ORDER BY id DESC"
                             " LIMIT 1"), ["0"])
        self.assertEqual(gateway.call(CHAT, chat("fast")).status, 200)

    def test_there_is_a_week_of_days(self):
        self.assertEqual(sql(
            "SELECT count(*) FROM generate_series(1, 7) n WHERE to_regclass("
            "'call_' || to_char((now() AT TIME ZONE 'UTC') + n * interval"
            " '1 day', 'YYYYMMDD')) IS NULL"), ["0"])


if __name__ == "__main__":
    harness.main()
