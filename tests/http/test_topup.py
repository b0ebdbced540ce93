"""Credit that customers bring in: codes, whatever is tried with them at once,
and payments that a bridge tells of, as the manual says it."""

import concurrent.futures
import hashlib
import hmac
import json
import re
import subprocess
import tempfile
import pathlib
import time

import harness
import test_portal
from harness import nano
from machine import SOURCE

PAGE = SOURCE / "man/youyun-payments.7"
SECRET = "7c" * 32

gateway = None
keys = {}
folder = None


def setUpModule():
    global gateway, folder
    folder = tempfile.TemporaryDirectory()
    path = pathlib.Path(folder.name)
    (path / "payment-secret").write_text(SECRET + "\n")
    (path / "payment-secret").chmod(0o600)
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out",
                    path / "payment.key"], check=True)
    subprocess.run(["openssl", "pkey", "-in", path / "payment.key", "-pubout",
                    "-out", path / "payment.pub"], check=True)
    gateway = harness.Gateway(["fast"], workers=2, settings={
        "payment_secret_file": path / "payment-secret",
        "payment_public_key": path / "payment.pub"})
    for who in ("test", "other", "guesser", "twin"):
        if who != "test":
            gateway.ctl("customer", "add", who)
        keys[who] = gateway.ctl_json("key", "add", who, "--scope",
                                     "account")["key"]
    for key in keys.values():
        gateway.wait_for_key(key)


def tearDownModule():
    gateway.stop()
    folder.cleanup()


def sql(text, role="youyun_owner"):
    return test_portal.sql(text, role, gateway)


def ask(path, who="test", method="GET", body=None, headers=None):
    answer = gateway.call(path, body, headers, key=keys.get(who),
                          method=method)
    test_portal.check_against_document(method, path, answer)
    return answer


def redeem(code, who="test"):
    return ask("/api/v1/topups", who, "POST", {"code": code})


def codes(batch, *options, count=1, expires="90d"):
    made = gateway.ctl_json("code", "create", "--batch", batch, "--count",
                            str(count), "--expires", expires, *options)
    return [row["code"] for row in made["codes"]]


class Codes(harness.Case):

    def problem(self, answer, status, code):
        self.assertEqual((answer.status, answer.json["code"]), (status, code))
        return answer

    def test_a_code_gives_credit_once(self):
        code, = codes("one", "--amount", "12.5")
        before = gateway.balance()
        answer = redeem(code.lower().replace("-", " "))
        self.assertEqual(answer.status, 201, answer.body)
        self.assertEqual((answer.json["by"], answer.json["amount"],
                          answer.json["promotional"]),
                         ("code", "12.50", "0.00"))
        self.assertEqual(gateway.balance() - before, nano("12.5"))
        again = self.problem(redeem(code), 409, "code_used")
        self.assertIn(f"booking {answer.json['id']}", again.json["detail"])
        self.problem(redeem(code, "other"), 409, "code_used")
        self.assertEqual(gateway.balance() - before, nano("12.5"))
        row, = gateway.rows("code", "list", "one")
        self.assertEqual((row["state"], row["customer"], row["booking"]),
                         ("used", "test", answer.json["id"]))
        self.assertTrue(code.endswith(row["looks"][1:]))
        # Neither the code nor anything that it could be made from is kept.
        dump = "".join(sql("SELECT * FROM topup_code; SELECT * FROM audit; "
                           "SELECT * FROM ledger_transaction"))
        self.assertNotIn(code, dump)
        self.assertNotIn(code.replace("-", ""), dump)
        audit = sql("SELECT actor, change::text FROM audit WHERE action = "
                    "'credit' ORDER BY id DESC LIMIT 1")[0]
        self.assertTrue(audit.startswith("customer:1/key:"), audit)

    def at_once(self, code, who, n):
        with concurrent.futures.ThreadPoolExecutor(n) as pool:
            return list(pool.map(lambda k: redeem(code, who[k % len(who)]),
                                 range(n)))

    def test_fifty_at_once_book_one_credit(self):
        code, = codes("race", "--amount", "3")
        before = gateway.balance("twin")
        answers = self.at_once(code, ["twin"], 50)
        self.assertEqual(sorted(a.status for a in answers), [201] + [409] * 49)
        self.assertEqual(gateway.balance("twin") - before, nano("3"))
        self.assertEqual(sql("SELECT count(*) FROM ledger_transaction WHERE "
                             "reason LIKE '%batch race'"), ["1"])
        gateway.verify()

    def test_two_accounts_at_once_book_one_credit(self):
        sql("DELETE FROM topup_guess")
        code, = codes("race2", "--amount", "3")
        before = gateway.balance("twin") + gateway.balance("other")
        answers = self.at_once(code, ["twin", "other"], 12)
        self.assertEqual([a.status for a in answers].count(201), 1)
        self.assertEqual({a.status for a in answers}, {201, 409})
        self.assertEqual(gateway.balance("twin") + gateway.balance("other") -
                         before, nano("3"))

    def test_a_package_comes_with_its_receipt(self):
        gateway.ctl("package", "add", "starter", "--amount", "20", "--bonus",
                    "2", "--price", "19.99", "--currency", "EUR", "--days",
                    "30")
        code, later = codes("gift", "--package", "starter", count=2)
        got = redeem(code).json
        self.assertEqual(
            (got["amount"], got["promotional"], got["package"], got["price"],
             got["price_currency"]),
            ("22.00", "2.00", "starter", "19.99", "EUR"))
        self.assertIsNotNone(got["expires_at"])
        gateway.ctl("package", "set", "starter", "--active", "no")
        self.problem(redeem(later), 409, "package_not_sold")
        gateway.ctl("package", "set", "starter", "--active", "yes")
        self.assertEqual(redeem(later).status, 201)

    def test_a_batch_is_not_called_like_a_code(self):
        code, = codes("plain", "--amount", "1")
        with self.assertRaisesRegex(AssertionError, "reads as a code"):
            codes(code, "--amount", "1")

    def test_a_key_that_was_booked_by_hand_gives_no_code_away(self):
        code, = codes("taken", "--amount", "4")
        number = gateway.rows("code", "list", "taken")[0]["id"]
        gateway.ctl("credit", "other", "4", "--key", f"code:{number}")
        before = gateway.balance("other")
        for who in ("other", "test"):
            self.problem(redeem(code, who), 409, "conflict")
        self.assertEqual(gateway.balance("other"), before)
        self.assertEqual(gateway.rows("code", "list", "taken")[0]["state"],
                         "unused")

    def test_promotional_codes_that_expire(self):
        code, = codes("promo", "--amount", "1", "--source", "promotional",
                      "--days", "7")
        got = redeem(code, "other").json
        self.assertEqual((got["amount"], got["promotional"]),
                         ("1.00", "1.00"))
        self.assertIsNotNone(got["expires_at"])

    def test_what_is_wrong_with_a_code_is_named(self):
        sql("DELETE FROM topup_guess")
        gone, dead, single = codes("bad", "--amount", "1", count=3)
        number, = [row["id"] for row in gateway.rows("code", "list", "bad")
                   if single.endswith(row["looks"][1:])]
        gateway.ctl("code", "revoke", "--id", str(number))
        self.problem(redeem(single, "other"), 410, "code_revoked")
        sql("UPDATE code_batch SET expires_at = now() WHERE name = 'bad'")
        self.problem(redeem(gone, "other"), 410, "code_expired")
        gateway.ctl("code", "revoke", "bad", "--yes")
        self.problem(redeem(dead, "other"), 410, "code_revoked")
        mistyped = gone[:-1] + ("2" if gone[-1] != "2" else "3")
        self.problem(redeem(mistyped, "other"), 400, "bad_code")
        self.problem(redeem("nonsense", "other"), 400, "bad_code")
        self.assertEqual(sql("SELECT failures FROM topup_guess g JOIN "
                             "customer c ON c.id = g.customer_id WHERE "
                             "c.name = 'other'"), ["3"])
        self.assertEqual(
            ask("/api/v1/topups", "other", "POST", {"kode": "x"}).json["name"],
            "kode")

    def test_guessing_is_counted_and_stopped(self):
        """Codes of a pepper of another installation: well formed, unknown."""
        wrong = codes("foreign", "--amount", "1", count=14)
        sql("UPDATE topup_code c SET digest = sha256(digest) FROM code_batch b"
            " WHERE b.id = c.batch_id AND b.name = 'foreign'")
        good, = codes("good", "--amount", "1")
        with concurrent.futures.ThreadPoolExecutor(14) as pool:
            answers = list(pool.map(lambda c: redeem(c, "guesser"), wrong))
        found = [a.status for a in answers]
        self.assertEqual((found.count(404), found.count(429)), (10, 4))
        last = self.problem(redeem(good, "guesser"), 429,
                            "too_many_wrong_codes")
        self.assertTrue(0 < int(last.headers["retry-after"]) <= 3600)
        self.assertEqual(gateway.balance("guesser"), 0)
        # Another account isn't held up, and an hour later neither is this.
        sql("DELETE FROM topup_guess g USING customer c WHERE "
            "c.id = g.customer_id AND c.name = 'test'")
        self.problem(redeem(wrong[0]), 404, "unknown_code")
        sql("UPDATE topup_guess SET since = now() - interval '1 hour'")
        self.assertEqual(redeem(good, "guesser").status, 201)
        events = sql("SELECT kind, customer_id, address, detail FROM "
                     "security_event WHERE kind = 'code_guessing'")
        self.assertEqual(len(events), 1, events)
        self.assertIn("127.0.0.1", events[0])

    def test_the_history_is_ones_own_and_in_pages(self):
        for n in range(3):
            gateway.ctl("credit", "twin", str(n + 1))
        seen, after = [], None
        while True:
            page = ask("/api/v1/topups?limit=2" +
                       (f"&after={after}" if after else ""), "twin").json
            seen += page["topups"]
            after = page["next"]
            if after is None:
                break
        self.assertEqual([t["id"] for t in seen],
                         sorted((t["id"] for t in seen), reverse=True))
        self.assertEqual(sum(nano(t["amount"]) for t in seen),
                         gateway.balance("twin"))
        ids = {t["id"] for t in ask("/api/v1/topups?limit=200").json["topups"]}
        self.assertFalse(ids & {t["id"] for t in seen})
        self.assertEqual(sql("SELECT count(*) FROM my_topup",
                             "youyun_portal"), ["0"])
        self.assertEqual(ask("/api/v1/topups", None).status, 401)

    def test_the_portals_role_can_do_no_more(self):
        for text in ("SELECT * FROM topup_code", "SELECT * FROM code_batch",
                     "SELECT * FROM payment", "SELECT * FROM topup_guess",
                     "SELECT code_revoke('x', NULL, NULL)",
                     "SELECT credit('k', 1, 1, 'external', 'x', 'x')"):
            with self.assertRaisesRegex(AssertionError, "permission denied"):
                sql(text, "youyun_portal")
        with self.assertRaisesRegex(AssertionError, "nobody asks"):
            sql("SELECT my_code_redeem('x', 1, NULL)", "youyun_portal")


def payment(**changes):
    return {"id": "p1", "customer": 1, "amount": "25.00", "currency": "USD",
            "method": "card"} | changes


def tell(body, at=None, secret=SECRET, signature=None, **headers):
    at = str(int(time.time())) if at is None else str(at)
    if not isinstance(body, str):
        body = json.dumps(body)
    if signature is None:
        signature = hmac.new(secret.encode(), f"{at}.{body}".encode(),
                             hashlib.sha256).hexdigest()
    answer = gateway.call("/api/v1/payments", body, {
        "x-youyun-timestamp": at, "x-youyun-signature": signature,
        **headers}, key=None)
    test_portal.check_against_document("POST", "/api/v1/payments", answer)
    return answer


class Payments(harness.Case):

    def refused(self, answer, status, code, name=None):
        self.assertEqual((answer.status, answer.json["code"],
                          answer.json.get("name")), (status, code, name))

    def test_a_payment_is_booked_once(self):
        before = gateway.balance()
        first = tell(payment())
        self.assertEqual(first.status, 200, first.body)
        self.assertEqual(tell(payment()).body, first.body)
        self.assertEqual(tell(payment(amount="25")).body, first.body)
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(lambda _: tell(payment(id="p2")).body,
                                    range(10)))
        self.assertEqual(len(set(answers)), 1)
        self.assertEqual(gateway.balance() - before, 2 * nano("25"))
        for change in ({"amount": "26"}, {"customer": 2}, {"method": "sepa"}):
            self.refused(tell(payment(**change)), 409, "other_content", "id")
        self.assertEqual(gateway.balance() - before, 2 * nano("25"))
        shown = ask("/api/v1/topups?limit=1").json["topups"][0]
        self.assertEqual((shown["by"], shown["payment"], shown["method"]),
                         ("payment", "p2", "card"))
        rows = gateway.rows("payment", "list", "--customer", "test",
                            "--since", "1h")
        self.assertEqual([r["payment"] for r in rows][:2], ["p2", "p1"])
        self.assertEqual(gateway.rows(
            "payment", "list", "--after", str(rows[0]["booking"]), "--limit",
            "1"), rows[1:2])
        notice = ask("/api/v1/notices?limit=1").json["notices"][0]
        self.assertEqual((notice["kind"], notice["detail"]["amount"]),
                         ("payment_booked", "25.00"))
        gateway.verify()

    def test_only_who_signs_is_believed(self):
        before = sql("SELECT count(*) FROM payment")
        body = payment(id="forged")
        self.refused(tell(body, secret=SECRET[::-1]), 401, "bad_signature",
                     "x-youyun-signature")
        self.refused(tell(body, signature="0" * 64), 401, "bad_signature",
                     "x-youyun-signature")
        self.refused(tell(body, signature="0" * 128), 401, "bad_signature",
                     "x-youyun-signature")
        self.refused(tell(body, signature=""), 401, "bad_signature",
                     "x-youyun-signature")
        for header, code in (("signature", "no_signature"),
                             ("timestamp", "no_timestamp")):
            self.refused(tell(body, **{f"x-youyun-{header}": None}), 401,
                         code, f"x-youyun-{header}")
        now = int(time.time())
        for at in (now - 3000, now + 3000, "soon", f"+{now}"):
            self.refused(tell(body, at=at), 401, "bad_timestamp",
                         "x-youyun-timestamp")
        # A key of a customer's is no signature.
        answer = gateway.call("/api/v1/payments", body, key=keys["test"])
        self.refused(answer, 401, "no_signature", "x-youyun-signature")
        self.assertEqual(sql("SELECT count(*) FROM payment"), before)

    def test_mistakes_are_named(self):
        before = sql("SELECT count(*) FROM payment")
        for change, name in (
                ({"id": ""}, "id"), ({"id": "a b"}, "id"),
                ({"id": "é"}, "id"), ({"id": "x" * 129}, "id"),
                ({"customer": "1"}, "customer"), ({"customer": 0}, "customer"),
                ({"customer": 1.5}, "customer"), ({"amount": 25}, "amount"),
                ({"amount": "-1"}, "amount"), ({"amount": "0"}, "amount"),
                ({"amount": "1e3"}, "amount"),
                ({"amount": "0.0000000001"}, "amount"),
                ({"amount": "99999999999"}, "amount"),
                ({"currency": "EUR"}, "currency"),
                ({"method": "Card"}, "method"), ({"method": ".x"}, "method")):
            self.refused(tell(payment(**change)), 400, "bad_member", name)
        self.refused(tell(payment(extra=1)), 400, "unknown_member", "extra")
        self.refused(tell({"id": "x"}), 400, "missing_member", "customer")
        self.refused(tell("[]"), 400, "bad_json")
        self.refused(tell(payment(), **{"Content-Type": "text/plain"}), 415,
                     "media_type")
        self.refused(tell(payment(id="nobody", customer=4711)), 404,
                     "no_customer", "customer")
        gateway.ctl("customer", "add", "gone")
        number = gateway.rows("balance", "gone")[0]["customer_id"]
        sql(f"UPDATE customer SET status = 3 WHERE id = {number}")
        self.refused(tell(payment(id="late", customer=number)), 409,
                     "account_closed", "customer")
        self.assertEqual(sql("SELECT count(*) FROM payment"), before)

    def example(self, n):
        """The n-th script of the manual that sends something, pointed at
        this gateway."""
        scripts = [s for s in re.findall(
            r"\.Bd -literal[^\n]*\n(.*?)\.Ed", PAGE.read_text(), re.S)
            if "curl" in s]
        self.assertEqual(len(scripts), 2)
        script = scripts[n].replace("\\&", "").replace("\\e", "\\")
        for old, new in (
                ("/etc/youyun/payment-secret", "payment-secret"),
                ("https://gateway.example.com",
                 f"--cacert {gateway.certs.ca} "
                 f"https://localhost:{gateway.port}")):
            if old in script:
                script = script.replace(old, new)
        self.assertNotIn("example.com", script)
        done = subprocess.run(["sh", "-eu", "-c", script], cwd=folder.name,
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_the_manuals_examples_work(self):
        before = gateway.balance()
        self.assertEqual(self.example(0)["amount"], "25.00")
        self.assertEqual(self.example(1)["method"], "bank.sepa")
        self.assertEqual(self.example(0)["id"], "demo:1")
        self.assertEqual(gateway.balance() - before, nano("35"))


class Unset(harness.Case):
    """Runs last: what a reload changes, and a gateway without any key."""

    def test_without_a_key_every_payment_is_refused(self):
        def reload_until(done, **changes):
            gateway.write_config(**changes)
            gateway.master.send_signal(harness.signal.SIGHUP)
            harness.wait_until(done, "the reload", 30)

        secret = pathlib.Path(folder.name) / "payment-secret"
        new = "5e" * 32
        secret.write_text(f"{new}\n{SECRET}\n")
        reload_until(lambda: tell(payment(id="new"), secret=new).status ==
                     200)
        self.assertEqual(tell(payment(id="old")).status, 200)
        reload_until(lambda: tell(payment(), secret="x").status == 503,
                     payment_secret_file=None, payment_public_key=None)
        self.assertEqual(tell(payment(id="off")).json["code"],
                         "payments_off")
        self.assertEqual(sql("SELECT count(*) FROM payment WHERE id = "
                             "'off'"), ["0"])

    def test_files_that_are_no_keys_are_refused_in_words(self):
        path = pathlib.Path(folder.name) / "bad"
        for text, mode, setting, why in (
                (SECRET, 0o644, "payment_secret_file", "others may read it"),
                ("short", 0o600, "payment_secret_file", "32 to 128"),
                ("nothing", 0o600, "payment_public_key", "no Ed25519")):
            path.write_text(text)
            path.chmod(mode)
            config = gateway.folder / "other.conf"
            config.write_text(gateway.config.read_text() +
                              f"{setting} = {path}\n")
            lines = [l for l in config.read_text().splitlines()
                     if not l.startswith(setting) or str(path) in l]
            config.write_text("\n".join(lines) + "\n")
            done = subprocess.run([harness.YOUYUND, "-t", "-c", config],
                                  capture_output=True, text=True, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(f"{setting}: {path}: ", done.stderr)
            self.assertIn(why, done.stderr)


if __name__ == "__main__":
    harness.main()
