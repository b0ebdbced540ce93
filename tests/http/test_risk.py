"""Rules over the stream of calls: each rings when it should and not before,
does what it says, is still for its cool-down, and can be turned off."""

import subprocess

import harness
from harness import CHAT, chat

gateway = None

RULES = ("spend_spike", "error_spike", "many_addresses", "key_shared",
         "new_region", "new_agent", "dormant_key")


def setUpModule():
    global gateway
    gateway = harness.Gateway(["fast", "drip-400-20"], workers=2)


def tearDownModule():
    gateway.stop()


def sql(text):
    done = subprocess.run(
        ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h",
         str(gateway.folder / "state/run/pg"), "-U", "youyun_owner",
         "youyun"], input="SET search_path = youyun;\n" + text,
        capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


class Risk(harness.Case):

    def setUp(self):
        for rule in RULES:
            gateway.ctl("risk", "set", rule, "--action", "off")

    def customer(self, name):
        gateway.add_customer(name, credit="1000")
        key = gateway.ctl_json("key", "add", name)["key"]
        gateway.wait_for_key(key)
        self.name = name
        self.id = gateway.ctl_json("customer", "show", name)["id"]
        self.key_id = gateway.rows("key", "list", name)[-1]["id"]
        return key

    def call(self, key, address="127.0.0.1", agent="known/1.0",
             model="fast"):
        connection = gateway.connect()
        connection.source_address = (address, 0)
        try:
            return gateway.call(CHAT, chat(model), key=key,
                                headers={"User-Agent": agent},
                                connection=connection)
        finally:
            connection.close()

    def events(self, kind):
        return [e for e in gateway.rows("event", "list", "--customer",
                                        self.name, "--kind", kind)]

    def rings(self, kind, times=1):
        found = harness.wait_until(
            lambda: (e := self.events(kind)) and len(e) >= times and e,
            f"{kind} {times} times", 20)
        self.assertEqual(len(found), times, found)
        return found[0]

    def looked(self):
        """The rules have looked at all calls so far."""
        gateway.settled(self.name)
        harness.wait_until(lambda: sql(
            f"SELECT count(*) FROM risk_due WHERE customer_id = {self.id}")
            == ["0"], "the rules to have looked", 20)

    def usual(self, fee_nano, failed=0, hours=5):
        """As if the customer had called in so many hours of the last day."""
        sql(f"""INSERT INTO risk_hour SELECT {self.id}, date_trunc('hour',
            now(), 'UTC') - n * interval '3 hours', 10, {failed}, {fee_nano}
            FROM generate_series(1, {hours}) n;""")

    def used_for(self, days):
        sql(f"""UPDATE risk_origin SET first_seen = now()
            - interval '{days} days' WHERE key_id = {self.key_id};""")

    def test_spending_far_above_the_usual_suspends_open_calls_too(self):
        key = self.customer("spender")
        gateway.ctl("risk", "set", "spend_spike", "--action", "suspend",
                    "--threshold", "300", "--minimum", "0.000000001")
        self.assertEqual(self.call(key).status, 200)
        self.looked()
        fee = gateway.records(self.name)[-1]["fee_nano"]
        self.assertEqual(self.events("spend_spike"), [], "no baseline yet")
        self.usual(fee)
        for _ in range(2):
            self.assertEqual(self.call(key).status, 200)
        self.looked()
        self.assertEqual(self.events("spend_spike"), [], "just three times")
        with gateway.stream(CHAT, chat("drip-400-20", stream=True),
                            key=key) as stream:
            self.assertTrue(stream.read_until(b"data:"))
            self.assertEqual(self.call(key).status, 200)
            event = self.rings("spend_spike")
            stream.read()
        self.assertEqual(event["severity"], "high")
        self.assertIn('"action": "suspend"', event["detail"])
        self.assertEqual(gateway.ctl_json("customer", "show", self.name)
                         ["status"], "suspended")
        self.assertEqual(self.call(key).status, 403)
        self.assertEqual(len(self.events("customer_suspended")), 1)
        self.assertIn("rule spend_spike",
                      self.events("customer_suspended")[0]["detail"])
        gateway.settled(self.name)
        cut = [r for r in gateway.records(self.name)
               if r["model"] == "drip-400-20"]
        self.assertEqual([r["error"] for r in cut], ["stream_suspended"])

    def test_errors_far_above_the_usual_limit(self):
        key = self.customer("failing")
        gateway.ctl("risk", "set", "error_spike", "--action", "limit",
                    "--threshold", "200", "--minimum", "4")
        self.usual(0, failed=2)
        for _ in range(4):
            self.assertEqual(self.call(key, model="nosuch").status, 404)
        self.looked()
        self.assertEqual(self.events("error_spike"), [])
        self.assertEqual(self.call(key, model="nosuch").status, 404)
        self.rings("error_spike")
        self.assertEqual(gateway.ctl_json("customer", "show", self.name)
                         ["status"], "limited")

    def test_many_addresses_notify_and_are_still_then(self):
        key = self.customer("wanderer")
        gateway.ctl("risk", "set", "many_addresses", "--action", "notify",
                    "--threshold", "3", "--window", "24h")
        for n in range(1, 4):
            self.assertEqual(self.call(key, f"127.0.0.{n}").status, 200)
        self.looked()
        self.assertEqual(self.events("many_addresses"), [])
        self.call(key, "127.0.0.9")
        event = self.rings("many_addresses")
        self.assertEqual(event["key_id"], self.key_id)
        self.assertIn('"seen": 4', event["detail"])
        self.assertEqual(sql("SELECT kind, mail_state <> 0 FROM notice WHERE"
                             f" customer_id = {self.id}"), ["risk|t"])
        self.call(key, "127.0.0.10")
        self.looked()
        self.rings("many_addresses", 1)
        sql("UPDATE risk_rung SET at = at - interval '25 hours'"
            f" WHERE customer_id = {self.id}")
        self.call(key, "127.0.0.11")
        self.rings("many_addresses", 2)

    def test_one_that_cannot_be_looked_at_does_not_stop_the_rules(self):
        self.customer("broken")
        broken, broken_id = self.name, self.id
        key = self.customer("behind")
        gateway.ctl("risk", "set", "many_addresses", "--action", "note",
                    "--threshold", "1", "--window", "60m")
        sql(f"""CREATE FUNCTION youyun.break_it() RETURNS trigger LANGUAGE
            plpgsql AS $$ BEGIN RAISE 'broken'; END $$;
            CREATE TRIGGER break_it BEFORE INSERT ON youyun.risk_rung FOR EACH
            ROW WHEN (NEW.customer_id = {broken_id})
            EXECUTE FUNCTION youyun.break_it()""")
        try:
            other = gateway.add_key(broken)
            gateway.wait_for_key(other)
            for who in (other, key):
                for n in (1, 2, 3):
                    self.assertEqual(self.call(who, f"127.0.0.{n}").status,
                                     200)
            self.rings("many_addresses")
            self.name, self.id = broken, broken_id
            self.looked()
            self.assertEqual(self.events("many_addresses"), [])
        finally:
            sql("DROP FUNCTION youyun.break_it CASCADE")
        self.assertIn("the rules could not look at a customer", gateway.log())

    def test_a_shared_key_is_suspended_and_its_neighbour_goes_on(self):
        key = self.customer("sharer")
        other = gateway.ctl_json("key", "add", self.name)["key"]
        gateway.wait_for_key(other)
        gateway.ctl("risk", "set", "key_shared", "--action", "suspend",
                    "--threshold", "2", "--window", "60m")
        for n in (1, 1, 2):
            self.assertEqual(self.call(key, f"127.{n}.0.1").status, 200)
        self.looked()
        self.assertEqual(self.events("key_shared"), [])
        self.assertEqual(self.call(key, "127.3.0.1").status, 200)
        self.rings("key_shared")
        harness.wait_until(lambda: self.call(key).status == 401,
                           "the key to be refused", 20)
        self.assertEqual(self.call(other).status, 200)
        listed = {k["id"]: k["status"]
                  for k in gateway.rows("key", "list", self.name)}
        self.assertEqual(listed.pop(self.key_id), "suspended")
        self.assertEqual(set(listed.values()), {"active"})
        gateway.ctl("key", "resume", str(self.key_id), "--reason", "known")
        harness.wait_until(lambda: self.call(key).status == 200,
                           "the key to be accepted", 20)
        self.assertEqual(len(self.events("key_suspended")), 1)
        self.assertEqual(len(self.events("key_resumed")), 1)

    def test_a_new_region_rings_for_keys_used_long_enough(self):
        table = gateway.folder / "regions.csv"
        table.write_text("network,region\n127.0.0.0/8,NEAR\n"
                         "127.77.0.0/16,FAR\n# remark\n")
        gateway.ctl("risk", "regions", str(table))
        gateway.ctl("risk", "set", "new_region", "--action", "note")
        key = self.customer("traveller")
        self.call(key)
        self.call(key, "127.77.1.1")
        self.looked()
        self.assertEqual(self.events("new_region"), [], "a new key")
        sql(f"DELETE FROM risk_origin WHERE key_id = {self.key_id}"
            " AND value = 'FAR'")
        self.used_for(8)
        self.call(key, "127.8.0.1")
        self.looked()
        self.assertEqual(self.events("new_region"), [], "the same region")
        self.call(key, "127.77.1.1")
        self.rings("new_region")

    def test_mistakes_in_networks_are_told_with_their_lines(self):
        table = gateway.folder / "wrong.csv"
        table.write_text("127.0.0.0/8,NEAR\nnonsense\n300.1.1.1/8,X\n"
                         "10.0.0.0/8,\n")
        before = sql("SELECT count(*) FROM risk_region")
        with self.assertRaises(AssertionError) as told:
            gateway.ctl("risk", "regions", str(table))
        for line in (2, 3, 4):
            self.assertIn(f"wrong.csv:{line}:", str(told.exception))
        self.assertEqual(sql("SELECT count(*) FROM risk_region"), before)

    def test_a_new_program_rings_but_not_a_new_version(self):
        gateway.ctl("risk", "set", "new_agent", "--action", "note")
        key = self.customer("programmer")
        self.call(key)
        self.looked()
        self.used_for(8)
        self.call(key, agent="known/2.0 (linux)")
        self.looked()
        self.assertEqual(self.events("new_agent"), [])
        self.call(key, agent="stranger/0.1")
        self.rings("new_agent")

    def test_a_dormant_key_awakes(self):
        gateway.ctl("risk", "set", "dormant_key", "--action", "note",
                    "--threshold", "30")
        key = self.customer("sleeper")
        self.call(key)
        self.looked()
        sql("UPDATE key_use SET last_used = now() - interval '29 days'"
            f" WHERE key_id = {self.key_id}")
        self.call(key)
        self.looked()
        self.assertEqual(self.events("dormant_key"), [])
        sql("UPDATE key_use SET last_used = now() - interval '30 days'"
            f" WHERE key_id = {self.key_id}")
        self.call(key)
        self.rings("dormant_key")

    def test_trusted_customers_are_only_noted_and_watched_ring_at_half(self):
        gateway.ctl("risk", "set", "many_addresses", "--action", "suspend",
                    "--threshold", "4")
        key = self.customer("trusted")
        gateway.ctl("customer", "set", self.name, "--risk", "trusted")
        for n in range(1, 6):
            self.call(key, f"127.0.0.{n}")
        self.assertIn('"action": "note"',
                      self.rings("many_addresses")["detail"])
        self.assertEqual(self.call(key).status, 200)
        key = self.customer("watched")
        gateway.ctl("customer", "set", self.name, "--risk", "watched")
        for n in range(1, 3):
            self.call(key, f"127.0.0.{n}")
        self.looked()
        self.assertEqual(self.events("many_addresses"), [])
        self.call(key, "127.0.0.3")
        self.rings("many_addresses")
        looks = {row["rule"]: row
                 for row in gateway.rows("risk", "show", self.name)}
        self.assertEqual((looks["many_addresses"]["seen"],
                          looks["many_addresses"]["bound"],
                          looks["many_addresses"]["rings"]), ("3", "2", True))

    def test_with_all_rules_off_nothing_is_noted(self):
        key = self.customer("unseen")
        self.assertEqual(self.call(key).status, 200)
        gateway.settled(self.name)
        for table, column, value in (
                ("risk_hour", "customer_id", self.id),
                ("risk_due", "customer_id", self.id),
                ("risk_origin", "key_id", self.key_id)):
            self.assertEqual(sql(f"SELECT count(*) FROM {table} WHERE"
                                 f" {column} = {value}"), ["0"], table)

    def test_a_customer_without_addresses_has_none_here_either(self):
        gateway.ctl("risk", "set", "many_addresses", "--action", "note",
                    "--threshold", "1")
        key = self.customer("private")
        gateway.ctl("customer", "set", self.name, "--keep-address", "none",
                    "--keep-user-agent", "no")
        harness.wait_until(lambda: self.call(key).status == 200 and
                           gateway.settled(self.name) is not False and
                           sql("SELECT address IS NULL FROM call WHERE"
                               f" customer_id = {self.id} ORDER BY started_at"
                               " DESC LIMIT 1") == ["t"],
                           "the setting to hold", 20)
        sql(f"DELETE FROM risk_origin WHERE key_id = {self.key_id}")
        self.call(key, "127.0.0.1")
        self.call(key, "127.0.0.2")
        self.looked()
        self.assertEqual(sql("SELECT count(*) FROM risk_origin WHERE"
                             f" key_id = {self.key_id}"), ["0"])

    def test_bad_settings_are_refused_by_name(self):
        for arguments, word in (
                (("spend_spike", "--action", "explode"), "--action"),
                (("spend_spike", "--threshold", "0"), "--threshold"),
                (("spend_spike", "--window", "5m"), "--window"),
                (("key_shared", "--minimum", "5"), "--minimum"),
                (("key_shared", "--window", "30s"), "--window"),
                (("key_shared", "--cooldown", "400d"), "--cooldown"),
                (("key_shared",), "nothing to change"),
                (("nosuch", "--action", "note"), "nosuch")):
            with self.subTest(arguments=arguments):
                with self.assertRaises(AssertionError) as told:
                    gateway.ctl("risk", "set", *arguments)
                self.assertIn(word, str(told.exception))


if __name__ == "__main__":
    harness.main()
