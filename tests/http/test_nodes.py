"""Three nodes on one PostgreSQL: what each may spend is a lease, and together
they spend a balance to its end, never below zero, whatever is killed or cut
off meanwhile."""

import collections
import http.client
import os
import threading
import time
import unittest
from random import Random

import harness
import nodes
from client import FORM, form
from harness import CHAT, MESSAGES, PATIENCE, chat, events, message, nano, \
    wait_until
from nodes import Cluster, Node

SECONDS = float(os.environ.get("YOUYUN_NODES_SECONDS", "6"))
MODELS = ["fast", "long-400", "slow-first-50"]
# What a call holds at most here, so what may be left at the end.
HOLD = nano("0.0030")

cluster = None


def setUpModule():
    global cluster
    if nodes.postgres_bin() is None:
        raise unittest.SkipTest("PostgreSQL isn't installed")
    cluster = Cluster(MODELS)


def tearDownModule():
    if cluster is not None:
        cluster.stop()


def up(count):
    """Every node that runs knows that so many are up."""
    def check():
        return all(n.ctl_json("status")["nodes_up"] == count
                   for n in cluster.nodes if n.master.poll() is None)
    wait_until(check, f"{count} nodes up", 15, 0.1)


class Base(harness.Case):

    def setUp(self):
        while len(cluster.nodes) < 3:
            cluster.node()
        for node in cluster.nodes:
            node.proxy.heal()
            if cluster.number("SELECT count(*) FROM node_state s JOIN node n "
                              "ON n.id = s.node_id WHERE fenced IS NOT NULL "
                              f"AND name = '{node.name}'"):
                node.terminate()
                cluster.nodes[0].ctl("node", "admit", node.name)
            if node.master is None or node.master.poll() is not None:
                node.start()
        self.one, self.two, self.three = cluster.nodes
        up(3)

    def customer(self, credit):
        name = self.id().rsplit(".", 1)[1]
        self.one.ctl("customer", "add", name)
        self.one.ctl("credit", name, credit)
        key = self.one.add_key(name)
        for node in cluster.nodes:
            if node.ready():
                node.wait_for_key(key)
        return name, key

    def call(self, node, key, model="fast"):
        return node.call(CHAT, chat(model, max_tokens=200), key=key)

    def lease(self, node, name):
        """Unspent, in nano-units."""
        return cluster.number(
            "SELECT coalesce(sum(granted_nano - spent_nano), 0) FROM lease l "
            "JOIN customer c ON c.id = l.customer_id JOIN node n "
            f"ON n.id = l.node_id WHERE c.name = '{name}' "
            f"AND n.name = '{node.name}'")

    def home(self, name):
        return cluster.number(
            "SELECT home_nano FROM purse p JOIN customer c "
            f"ON c.id = p.customer_id WHERE c.name = '{name}'")

    def settled(self, name):
        """Waits until no node has anything on its way; the balance."""
        for node in cluster.nodes:
            node.settled(name)
        return self.one.balance(name)

    def books(self, name, credit, answered):
        balance = self.settled(name)
        records = self.one.records(name)
        count = collections.Counter(r["request_id"] for r in records)
        self.assertEqual({i for i, n in count.items() if n > 1}, set())
        self.assertLessEqual(set(answered), set(count))
        self.assertEqual(len(answered), len(set(answered)))
        fees = sum(r["fee_nano"] for r in records)
        self.assertEqual(balance, nano(credit) - fees)
        self.assertGreaterEqual(balance, 0)
        paid = {r["request_id"]: r["fee_nano"] for r in records}
        for request_id in answered:
            self.assertGreater(paid[request_id], 0, request_id)
        for node in cluster.nodes:
            node.verify()
        return balance


class Alone(harness.Case):
    """Before there are others: these run first, in this order."""

    def test_1_one_node_has_the_whole_balance(self):
        one = cluster.node()
        one.start()
        one.ctl("customer", "add", "first")
        one.ctl("credit", "first", "1")
        key = one.add_key("first")
        one.wait_for_key(key)
        (row,) = one.rows("node", "list")
        self.assertEqual((row["state"], nano(row["unspent"])),
                         ("up", nano("1")))
        # and an empty account is refused at once, not after a wait
        one.ctl("customer", "add", "poor")
        poor = one.add_key("poor")
        one.wait_for_key(poor)
        begin = time.monotonic()
        answer = one.call(CHAT, chat("fast"), key=poor)
        self.assert_openai_error(answer, 402)
        self.assertLess(time.monotonic() - begin, 0.3 * PATIENCE)

    def test_2_a_second_node_brings_the_surplus_home(self):
        one = cluster.nodes[0]
        two = cluster.node()
        two.start()
        up(2)
        wait_until(lambda: cluster.number(
            "SELECT home_nano FROM purse p JOIN customer c "
            "ON c.id = p.customer_id WHERE name = 'first'") == nano("0.9"),
            "nine tenths at home", 5)
        (row, _) = one.rows("node", "list")
        self.assertEqual(nano(row["unspent"]), nano("0.1"))
        one.verify()

    def test_3_a_node_stopped_in_order_leaves_nothing_behind(self):
        one, two = cluster.nodes
        two.terminate()
        up(1)
        wait_until(lambda: nano(one.rows("node", "list")[0]["unspent"]) ==
                   nano("1"), "all of it on the one node", 15)
        two.start()
        up(2)


class Leases(Base):

    def test_a_refill_takes_milliseconds(self):
        name, key = self.customer("1")
        for node in cluster.nodes:
            self.assertEqual(self.lease(node, name), 0)
            begin = time.monotonic()
            answer = self.call(node, key)
            took = time.monotonic() - begin
            self.assertEqual(answer.status, 200, answer)
            print(f"{node.name}: first call {took * 1000:.0f} ms", flush=True)
            self.assertLess(took, 0.4 * PATIENCE)
            self.assertGreater(self.lease(node, name), 0)
        self.assertGreater(self.home(name), nano("0.5"))
        self.settled(name)

    def test_a_form_that_is_here_as_a_whole_waits_as_well(self):
        name, key = self.customer("1")
        body = form(("model", "fast"), ("file", "a.mp3", b"x" * 3000))
        for node in cluster.nodes:
            self.assertEqual(self.lease(node, name), 0)
            answer = node.call("/v1/audio/transcriptions", body, FORM,
                               key=key)
            self.assertEqual(answer.status, 200, answer)
        self.settled(name)

    def test_a_form_that_cannot_wait_is_told_when_to_come_back(self):
        name, key = self.customer("1")
        body = form(("model", "fast"), ("file", "a.mp3", b"x" * 200000))

        def call():
            return self.two.call("/v1/audio/transcriptions", body, FORM,
                                 key=key)

        answer = call()
        self.assert_openai_error(answer, 503)
        self.assertEqual(answer.headers["retry-after"], "1")
        wait_until(lambda: call().status == 200, "the money", 5)
        self.settled(name)

    def test_a_form_that_asks_for_more_at_its_end_is_told_the_truth(self):
        # Admitted for one image; for ten the lease is too small, the
        # balance isn't.
        name, key = self.customer("1")
        body = form(("model", "fast"), ("image", "a.png", b"x" * 200000),
                    ("prompt", "x"), ("n", "10"))

        def call():
            return self.one.call("/v1/images/edits", body, FORM, key=key)

        seen = []
        while not seen or (seen[-1] == 503 and len(seen) < 10):
            answer = call()
            seen.append(answer.status)
            if answer.status == 503:
                time.sleep(0.2)
        self.assertEqual(seen[-1], 200, answer)
        self.assertEqual(set(seen[:-1]), {503})
        self.settled(name)

    def test_a_stream_gets_more_on_its_way(self):
        # The first step fits the lease, the whole answer doesn't.
        name, key = self.customer("0.1")
        with self.one.stream(CHAT, chat("long-400", True),
                             key=key) as stream:
            data = stream.read()
        self.assertEqual(stream.status, 200)
        self.assertEqual(events(data)[-1][1], "[DONE]")
        balance = self.settled(name)
        (record,) = self.one.records(name)
        self.assertEqual(record["uncollected"], "0.00")
        self.assertEqual(balance, nano("0.1") - record["fee_nano"])

    def test_money_with_other_nodes_is_recalled(self):
        name, key = self.customer("0.02")
        answered = []
        for node in (self.one, self.two, self.three):
            while True:
                answer = self.call(node, key)
                if answer.status == 402:
                    break
                self.assertEqual(answer.status, 200, answer)
                answered.append(answer.request_id)
            self.assertLess(self.one.balance(name), nano("0.02"))
        # The first one had it all already; nothing is stuck anywhere.
        self.assertLess(self.books(name, "0.02", answered), HOLD)

    def test_money_is_taken_back_wherever_it_is(self):
        name, key = self.customer("1")
        self.assertEqual(self.call(self.two, key).status, 200)
        balance = self.settled(name)
        self.one.ctl("adjust", name, "-0.9", "--reason", "chargeback")
        self.assertEqual(self.one.balance(name), balance - nano("0.9"))
        self.assertEqual(self.settled(name), balance - nano("0.9"))

    def test_a_credit_reaches_a_node_that_said_no(self):
        name, key = self.customer("0.0001")
        for node in cluster.nodes:
            self.assert_openai_error(self.call(node, key), 402)
        self.one.ctl("credit", name, "1")
        for node in cluster.nodes:
            wait_until(lambda: self.call(node, key).status == 200,
                       "the credit", 5)
        self.settled(name)

    def test_without_postgresql_what_is_short_is_503(self):
        name, key = self.customer("1")
        self.assertEqual(self.call(self.two, key).status, 200)
        self.two.proxy.cut()
        seen = []
        try:
            for _ in range(400):
                answer = self.call(self.two, key)
                seen.append(answer.status)
                if answer.status != 200:
                    break
            self.assert_openai_error(answer, 503)
            self.assertIn("retry-after", answer.headers)
            # its lease served for a while
            self.assertGreater(len(seen), 2)
            self.assertEqual(set(seen[:-1]), {200})
        finally:
            self.two.proxy.heal()
        wait_until(lambda: self.call(self.two, key).status == 200,
                   "calls again", 30)
        self.settled(name)


class Identity(Base):

    def test_a_second_instance_of_a_node_takes_no_calls(self):
        name, key = self.customer("1")
        twin = Node(cluster, "node1")
        try:
            twin.launch()
            wait_until(lambda: "another instance is this" in twin.log(),
                       "the refusal in the log", 10)
            self.assertFalse(twin.ready())
            self.assert_openai_error(self.call(twin, key), 503)
            self.assertEqual(self.call(self.one, key).status, 200)
        finally:
            twin.end()
        self.settled(name)

    def test_an_unknown_node_takes_no_calls(self):
        stray = Node(cluster, "nobody")
        try:
            stray.launch()
            wait_until(lambda: "no such node" in stray.log(),
                       "the refusal in the log", 10)
            self.assertFalse(stray.ready())
        finally:
            stray.end()

    def test_a_node_that_is_gone_then_fenced_then_back(self):
        name, key = self.customer("0.03")
        two = self.two
        self.assertEqual(self.call(two, key).status, 200)
        two.settled(name)
        # What it spends now the database doesn't hear of.
        two.proxy.cut()
        self.assertEqual(self.call(two, key).status, 200)
        two.kill_all()
        kept = self.lease(two, name)
        self.assertGreater(kept, 0)
        wait_until(lambda: self.one.rows("node", "list")[1]["state"] ==
                   "gone", "the node gone", 10)
        # In suspense: nobody else gets it.
        up(2)
        answered = 0
        while self.call(self.one, key).status == 200:
            answered += 1
        self.assertEqual(self.lease(two, name), kept)
        self.assertGreater(kept, 0)

        home = self.one.ctl_json("node", "fence", "node2", "--yes",
                                 "--reason", "lost")["home"]
        self.assertGreaterEqual(nano(home), kept)
        self.assertEqual(self.lease(two, name), 0)
        wait_until(lambda: self.call(self.one, key).status == 200,
                   "the money came home", 5)

        # It comes back: no calls, and its late call is booked or written off.
        two.proxy.heal()
        two.launch()
        wait_until(lambda: "was fenced" in two.log(), "its log says so", 10)
        self.assertFalse(two.ready())
        self.assert_openai_error(self.call(two, key), 503)
        records = wait_until(lambda: [
            r for r in self.one.records(name) if "late" in (r["flags"] or "")],
            "the late call", 10)
        self.assertEqual(len(records), 1)
        self.one.verify()

        self.one.ctl("node", "admit", "node2")
        time.sleep(1.5)
        self.assertFalse(two.ready())	# not with the old segment's money
        two.terminate()
        two.start()
        up(3)
        wait_until(lambda: self.call(two, key).status in (200, 402),
                   "an answer about money", 5)
        balance = self.settled(name)
        fees = sum(r["fee_nano"] for r in self.one.records(name))
        self.assertEqual(balance, nano("0.03") - fees)


class Hot(Base):
    """An account that all three spend from at once."""

    def crowd(self, key, until, disturb=None):
        """Calls through all nodes until the time is over, or all say that
        there is no money; returns the ids of what was answered."""
        answered, statuses = [], collections.Counter()
        lock = threading.Lock()
        broke = collections.Counter()

        def work(node, random):
            while time.monotonic() < until and broke[node.name] < 6:
                streamed, openai = random.random() < .5, random.random() < .5
                model = random.choice(MODELS)
                try:
                    got = self.one_call(node, key, model, streamed, openai)
                except (OSError, http.client.HTTPException):
                    got = (0, None)
                with lock:
                    statuses[got[0]] += 1
                    if got[0] == 402:
                        broke[node.name] += 1
                    if got[1]:
                        answered.append(got[1])
                if got[0] != 200:
                    time.sleep(0.05)

        threads = [threading.Thread(target=work, args=(
            node, Random(self.random.random())))
            for node in cluster.nodes for _ in range(2)]
        for thread in threads:
            thread.start()
        while disturb and any(t.is_alive() for t in threads):
            disturb()
        for thread in threads:
            thread.join()
        print(f"{len(answered)} answered, statuses {dict(statuses)}",
              flush=True)
        return answered

    def one_call(self, node, key, model, streamed, openai):
        path, make = (CHAT, chat) if openai else (MESSAGES, message)
        with node.stream(path, make(model, streamed, max_tokens=200),
                         key=key) as stream:
            data = stream.read()
            if stream.status != 200:
                return stream.status, None
            if not streamed:
                whole = data.rstrip().endswith(b"}")
            else:
                found = events(data)
                whole = bool(found) and (found[-1][1] == "[DONE]" or
                                         found[-1][0] == "message_stop")
            return 200, stream.headers["x-request-id"] if whole else None

    def spend_the_rest(self, key):
        """Until every node says that there is no more."""
        answered = []
        broke = set()
        end = time.monotonic() + 60 * PATIENCE
        while len(broke) < 3:
            self.assertLess(time.monotonic(), end, "it never ends")
            for node in cluster.nodes:
                answer = self.call(node, key)
                if answer.status == 200:
                    answered.append(answer.request_id)
                    broke.clear()
                elif answer.status == 402:
                    broke.add(node.name)
                else:
                    time.sleep(0.2)
        return answered

    def setUp(self):
        super().setUp()
        self.random = harness.seed()

    def test_three_nodes_spend_all_of_it_and_no_more(self):
        credit = "0.15"
        name, key = self.customer(credit)
        answered = self.crowd(key, time.monotonic() + 60 * PATIENCE)
        answered += self.spend_the_rest(key)
        left = self.books(name, credit, answered)
        self.assertLess(left, HOLD)

    def test_nodes_killed_and_cut_off_meanwhile(self):
        credit = f"{max(0.4, 0.02 * SECONDS):.2f}"
        name, key = self.customer(credit)
        done = collections.Counter()

        def disturb():
            time.sleep(self.random.uniform(0.2, 0.8))
            node = self.random.choice(cluster.nodes)
            what = self.random.choice(["kill", "flusher", "cut"])
            done[what] += 1
            if what == "kill":
                node.kill_all()
                node.start()
            elif what == "flusher":
                try:
                    os.kill(node.child("flusher"), 9)
                except (AssertionError, ProcessLookupError):
                    pass
            else:
                node.proxy.cut()
                time.sleep(self.random.uniform(0.3, 1.5))
                node.proxy.heal()

        answered = self.crowd(
            key, time.monotonic() + SECONDS, disturb)
        print("disturbed:", dict(done), flush=True)
        self.assertGreater(sum(done.values()), 0)
        self.assertGreater(len(answered), 0)
        for node in cluster.nodes:
            node.wait_ready()
        up(3)
        answered += self.spend_the_rest(key)
        left = self.books(name, credit, answered)
        print(f"left of {credit}: {left} nano", flush=True)
        self.assertLess(left, HOLD)


if __name__ == "__main__":
    harness.main()
