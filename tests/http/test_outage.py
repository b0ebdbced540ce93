"""PostgreSQL away under load: calls go on until the journal is at its budget,
then they are refused before they cost anything, and in the end each is in the
books once."""

import os
import signal
import time

import harness
from harness import CHAT, chat
from outage import MODELS, Crowd, Database, fill, resident_kib, status, totals

CREDIT = "1000"
# What the sanitizer keeps of freed memory is no leak.
GROWTH_KIB = 24 * 1024


class Outage(harness.Case):

    def setUp(self):
        self.gateway = harness.Gateway(MODELS, credit=CREDIT, settings={
            "journal_segment_bytes": "1M", "journal_budget_bytes": "8M"})
        self.addCleanup(self.gateway.clean_up)

    def must_be_known(self, crowd):
        """status says what is missing and what waits for it."""
        gateway = self.gateway

        def known():
            now = status(gateway)
            return now if not now["flusher_database"] and \
                now["journal_waiting"] > 0 else None
        now = harness.wait_until(known, "status knows", 20, 0.2)
        self.assertFalse(now["database"])
        self.assertIsNotNone(now["oldest_waiting"])
        self.assertIsNotNone(now["flusher_database_since"])
        self.assertEqual(now["journal_budget_bytes"], 8 << 20)
        # It isn't the reason to refuse anything.
        self.assertEqual(now["stops"], [])
        self.assertEqual(crowd.refused, 0)

    def test_stopped_until_the_budget_and_back(self):
        gateway = self.gateway
        ids = [gateway.call(CHAT, chat("fast")).request_id
               for _ in range(20)]
        gateway.settled()
        database = Database(gateway)
        flusher = gateway.child("flusher")
        kib = resident_kib(flusher)
        crowd = Crowd(gateway, 4)
        database.leave()
        try:
            time.sleep(3)
            self.must_be_known(crowd)
            self.assertGreater(crowd.answered, 20)
            while not status(gateway)["stops"]:
                fill(gateway, 400)
            refused = harness.wait_until(
                lambda: crowd.refused, "calls are refused", 10)
            self.assertGreater(refused, 0)
            crowd.end()
            # Before any upstream cost.
            before = gateway.upstream.stats()["requests"]
            for _ in range(5):
                answer = gateway.call(CHAT, chat("fast"))
                self.assertEqual(answer.status, 503)
                self.assertIsNotNone(answer.headers["retry-after"])
            self.assertEqual(gateway.upstream.stats()["requests"], before +
                             1)	# the asking itself
            now = status(gateway)
            self.assertEqual(now["stops"], [{"reason": "budget"}])
            self.assertGreater(now["journal_waiting"], 2000)
            self.assertLess(resident_kib(flusher) - kib, GROWTH_KIB)
        finally:
            crowd.end()
            database.come_back()
        def answered():
            answer = gateway.call(CHAT, chat("fast"))
            return answer.request_id if answer.status == 200 else None
        ids.append(harness.wait_until(answered, "calls are taken again", 30))
        self.assertEqual(crowd.failed, 0)
        self.check_books(ids, crowd)
        self.assertEqual(gateway.child("flusher"), flusher)
        self.assertIn("the journal is being applied: applied=",
                      gateway.log())
        gateway.stop()

    def check_books(self, ids, crowd):
        """ids and what the crowd was answered are there, once each."""
        found = totals(self.gateway, CREDIT)
        records = self.gateway.records()
        known = [row["request_id"] for row in records]
        self.assertEqual(len(known), len(set(known)))
        self.assertLessEqual(set(ids), set(known))
        billed = sum(1 for row in records if row["fee_nano"] > 0)
        self.assertEqual(billed, crowd.answered + len(ids))
        self.assertEqual(found["calls"], len(records))

    def test_killed_and_kept_away(self):
        gateway = self.gateway
        database = Database(gateway, kill=True)
        crowd = Crowd(gateway, 4)
        database.leave()
        try:
            time.sleep(2)
            self.must_be_known(crowd)
            # Meanwhile even the flusher is another one.
            os.kill(gateway.child("flusher"), signal.SIGKILL)
            time.sleep(1)
        finally:
            crowd.end()
            database.come_back()
        self.assertEqual(crowd.failed, 0)
        self.assertGreater(crowd.answered, 20)
        self.check_books([], crowd)
        gateway.stop()


if __name__ == "__main__":
    harness.main()
