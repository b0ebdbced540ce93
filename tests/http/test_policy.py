"""Policies: models, networks and regions of keys and customers; rotation."""

import subprocess

import harness
from harness import CHAT, MESSAGES, chat, message

gateway = None
GEMINI = "/v1beta/models/{}:generateContent"


def setUpModule():
    global gateway
    gateway = harness.Gateway(["fast", "drip-2-1", "slow"], workers=2)


def tearDownModule():
    gateway.stop()


class Policies(harness.Case):

    made = 0

    def customer(self, scope="calls"):
        Policies.made += 1
        name = f"bound-{Policies.made}"
        gateway.add_customer(name, credit="100")
        row = gateway.ctl_json("key", "add", name, "--scope", scope)
        gateway.wait_for_key(row["key"])
        return name, row["key"], row["id"]

    def ctl(self, *arguments):
        return subprocess.run([harness.YOUYUNCTL, "-c", gateway.config,
                               *map(str, arguments)], capture_output=True,
                              text=True, check=False)

    def call(self, key, model="fast", path=CHAT):
        body = message(model) if path == MESSAGES else chat(model)
        return gateway.call(path, body, key=key)

    def becomes(self, status, *arguments):
        harness.wait_until(lambda: self.call(*arguments).status == status,
                           f"{status} for {arguments[1:]}")

    def test_models(self):
        name, key, number = self.customer()
        gateway.ctl("key", "allow", str(number), "--model", "fast")
        self.becomes(403, key, "drip-2-1")
        self.assertEqual(self.call(key).status, 200)
        answer = self.call(key, "slow", MESSAGES)
        self.assertEqual(answer.status, 403)
        self.assertEqual(answer.json["error"]["type"], "permission_error")
        row = gateway.record(answer.request_id)
        self.assertEqual((row["error"], row["fee_nano"]), ("model_denied", 0))
        listed = {m["id"] for m in gateway.get("/v1/models",
                                               key=key).json["data"]}
        self.assertEqual(listed, {"fast"})
        # The customer's hold, too; a pattern is a beginning.
        gateway.ctl("key", "allow", str(number), "--all-models")
        self.becomes(200, key, "drip-2-1")
        gateway.ctl("customer", "allow", name, "--model", "fa*")
        self.becomes(403, key, "slow")
        self.assertEqual(self.call(key).status, 200)
        shown = gateway.ctl_json("customer", "allow", name)
        self.assertEqual(shown["models"], "fa*")

    def test_networks(self):
        _, key, number = self.customer()
        gateway.ctl("key", "allow", str(number), "--address",
                    "192.0.2.0/24", "--address", "2001:db8::/32")
        self.becomes(403, key, "fast")
        answer = self.call(key)
        self.assertEqual(answer.json["error"]["code"], "address_denied")
        row = gateway.record(answer.request_id)
        self.assertEqual(row["error"], "address_denied")
        for network in ("127.0.0.0/30", "127.0.0.1", "0.0.0.0/0"):
            gateway.ctl("key", "allow", str(number), "--address", network)
            self.becomes(200, key, "fast")
            gateway.ctl("key", "allow", str(number), "--address",
                        "127.0.0.4/30")
            self.becomes(403, key, "fast")
        gateway.ctl("key", "allow", str(number), "--any-address")
        self.becomes(200, key, "fast")

    def test_regions(self):
        name, key, number = self.customer()
        gateway.ctl("customer", "allow", name, "--region", "eu")
        self.becomes(403, key, "fast")
        before = gateway.upstream.log.read_bytes()
        for path in (CHAT, MESSAGES):
            answer = self.call(key, path=path)
            self.assertEqual(answer.status, 403, answer)
            row = gateway.record(answer.request_id)
            self.assertEqual(row["error"], "region_denied")
        self.assertEqual(before, gateway.upstream.log.read_bytes())
        channels = [row["name"] for row in gateway.rows("channel", "list")]
        gateway.ctl("channel", "set", channels[0], "--region", "eu")
        self.addCleanup(gateway.ctl, "channel", "set", channels[0],
                        "--region", "")
        protocol = next(row["protocol"] for row in
                        gateway.rows("channel", "list")
                        if row["name"] == channels[0])
        path = {"openai": CHAT, "anthropic": MESSAGES}.get(protocol)
        self.assertIsNotNone(path, protocol)
        self.becomes(200, key, "fast", path)
        # Both must allow it.
        gateway.ctl("key", "allow", str(number), "--region", "us")
        self.becomes(403, key, "fast", path)

    def test_equal_policies_are_one(self):
        policies = []
        for _ in range(2):
            _, _, number = self.customer()
            gateway.ctl("key", "allow", str(number), "--model", "b",
                        "--model", "a", "--address", "10.1.2.3/8")
            policies.append(gateway.ctl_json("key", "allow", str(number)))
        for row in policies:
            self.assertEqual((row["models"], row["addresses"]),
                             ("a,b", "10.0.0.0/8"))

    def test_mistakes_are_told_all_at_once(self):
        _, _, number = self.customer()
        run = self.ctl("key", "allow", number, "--model", "a*b",
                       "--address", "300.1.1.1", "--address", "::/129",
                       "--region", "x" * 40)
        self.assertEqual(run.returncode, 2)
        for part in ("a*b", "300.1.1.1", "::/129", "xxx"):
            self.assertIn(part, run.stderr)
        self.assertEqual(self.ctl("key", "allow", number, "--model", "a",
                                  "--all-models").returncode, 2)

    def test_a_key_is_rotated_with_its_rights(self):
        name, key, number = self.customer()
        gateway.ctl("key", "allow", str(number), "--model", "fast")
        gateway.ctl("key", "limit", str(number), "--requests", "1000")
        fresh = gateway.ctl_json("key", "rotate", str(number), "--overlap",
                                 "1h")
        gateway.wait_for_key(fresh["key"])
        self.becomes(403, fresh["key"], "slow")
        self.assertEqual(self.call(key).status, 200)
        self.assertEqual(
            gateway.ctl_json("key", "limit", str(fresh["id"]))["requests"],
            1000)
        last = gateway.ctl_json("key", "rotate", str(fresh["id"]))
        gateway.wait_for_key(last["key"])
        self.becomes(401, fresh["key"], "fast")
        self.assertEqual(self.ctl("key", "rotate", fresh["id"]).returncode,
                         4)

    def test_customers_bind_their_own_keys(self):
        _, account, _ = self.customer("account")
        made = gateway.call("/api/v1/keys", {
            "name": "bound", "models": ["fast"],
            "addresses": ["127.0.0.1/8"]}, key=account)
        self.assertEqual(made.status, 201, made)
        key, number = made.json["key"], made.json["id"]
        self.assertEqual(made.json["addresses"], ["127.0.0.0/8"])
        gateway.wait_for_key(key)
        self.becomes(403, key, "slow")
        turned = gateway.call(f"/api/v1/keys/{number}/rotate",
                              {"overlap_s": 60}, key=account)
        self.assertEqual(turned.status, 201, turned)
        self.assertEqual(turned.json["models"], ["fast"])
        gateway.wait_for_key(turned.json["key"])
        for body, name in (({"models": ["a*b"]}, "models"),
                           ({"models": "fast"}, "models"),
                           ({"addresses": ["here"]}, "addresses"),
                           ({"regions": [""]}, "regions"),
                           ({"overlap_s": 1}, "overlap_s")):
            answer = gateway.call("/api/v1/keys", body, key=account)
            self.assertEqual(answer.status, 400, body)
            self.assertEqual(answer.json["name"], name)


if __name__ == "__main__":
    harness.main()
