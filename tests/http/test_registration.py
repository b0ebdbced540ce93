"""Registration: codes by mail, invitations, and that no answer tells whose
address is known."""

import concurrent.futures
import signal
import subprocess

import harness
import test_portal
from browser import Browser, Mailbox
from harness import CHAT, chat, nano

PASSWORD = "a long enough password"
API = "/api/v1/registration"

gateway = None
mailbox = None
shown = {PASSWORD}


def setUpModule():
    global gateway, mailbox
    mailbox = Mailbox()
    gateway = harness.Gateway(["fast"], workers=2, settings=mailbox.settings
                              | {"registration": "open"})


def tearDownModule():
    text = gateway.errors.read_text(errors="replace")
    for secret in shown:
        assert secret not in text, f"in the log: {secret}"
    gateway.stop()
    mailbox.remove()


def sql(text, role="youyun_owner"):
    return test_portal.sql(text, role, gateway)


def become(state):
    """Another value of the setting, in force."""
    gateway.write_config(registration=state)
    gateway.master.send_signal(signal.SIGHUP)

    def done():
        try:
            return gateway.get(API, key=None).json["registration"] == state
        except (OSError, ValueError, KeyError):
            return False
    harness.wait_until(done, f"registration = {state}", 30)


def invitation(*options):
    made = gateway.ctl_json("invitation", "create", *options)
    shown.add(made["code"])
    return made


def register(address, password=PASSWORD, **more):
    return Browser(gateway).post(API, email=address, password=password,
                                 **more)


def confirm(code, password=PASSWORD):
    return Browser(gateway).post(f"{API}/confirm", code=code,
                                 password=password)


class Case(harness.Case):

    def setUp(self):
        sql("DELETE FROM login_pace; DELETE FROM login_code")
        mailbox.empty()

    def is_refused(self, answer, status, code):
        self.assertEqual((answer.status, answer.json["code"]),
                         (status, code), answer.body)
        return answer

    def code_of(self, address, **more):
        answer = register(address, **more)
        self.assertEqual((answer.status, answer.json),
                         (202, {"asked": True}))
        code = mailbox.code(address.lower())
        shown.add(code)
        return code


class Open(Case):

    def test_a_mailed_code_makes_a_customer_who_can_buy(self):
        code = self.code_of("Alice@example.com")
        self.assertEqual(sql("SELECT count(*) FROM customer WHERE name LIKE "
                             "'alice@%'"), ["0"])
        self.is_refused(confirm(code, "not that password"), 403,
                        "bad_password")
        done = confirm(code)
        self.assertEqual(done.status, 201, done.body)
        self.assertEqual(done.json["login"], "alice@example.com")
        self.is_refused(confirm(code), 404, "unknown_code")
        one = Browser(gateway)
        self.assertEqual(one.log_in("alice@example.com", PASSWORD).status,
                         201)
        account = one.get("/api/v1/account").json
        self.assertEqual(
            (account["id"], account["status"], account["group"],
             account["contact"], account["language"]),
            (done.json["account"], "active", "default", "alice@example.com",
             "en"))
        self.assertEqual(one.get("/api/v1/balance").json["balance"], "0.00")
        key = one.post("/api/v1/keys", name="first").json["key"]
        gateway.wait_for_key(key)
        self.assertEqual(gateway.call(CHAT, chat("fast"), key=key).status,
                         402)
        gateway.ctl("credit", "alice@example.com", "5")
        harness.wait_until(lambda: gateway.call(
            CHAT, chat("fast"), key=key).status == 200, "the credit", 10)
        self.assertEqual(sql("SELECT actor FROM audit WHERE object = "
                             f"'customer:{account['id']}' ORDER BY id LIMIT "
                             "1"), ["registration"])
        gateway.settled("alice@example.com")

    def test_the_mail_is_in_the_registrants_language(self):
        for language, subject in (("de", "Ihr Code zum Registrieren"),
                                  ("zh", "您的注册验证码")):
            register(f"{language}@example.com", language=language)
            mailbox.wait_for(f"{language}@example.com", subject)
        self.assertEqual(register("x@example.com", language="fr").status,
                         400)

    def test_an_address_that_is_known_gets_the_same_answer(self):
        confirm(self.code_of("known@example.com"))
        before = sql("SELECT count(*) FROM customer")
        known = register("KNOWN@example.com", "some other password")
        unknown = register("unknown@example.com")

        def told(answer):
            return (answer.status, answer.body,
                    {n.lower(): v for n, v in answer.headers.items()
                     if n.lower() not in ("date", "x-request-id")})
        self.assertEqual(told(known), told(unknown))
        mail = mailbox.wait_for("known@example.com",
                                "You are registered already")
        self.assertNotRegex(mail.get_content(), "[0-9A-Z]{5}-")
        self.assertEqual(sql("SELECT count(*) FROM customer"), before)
        self.assertEqual(Browser(gateway).log_in(
            "known@example.com", "some other password").status, 401)
        self.assertEqual(Browser(gateway).log_in(
            "known@example.com", PASSWORD).status, 201)

    def test_who_registers_anothers_address_first_gains_nothing(self):
        theirs = self.code_of("victim@example.com",
                              password="the stranger's password")
        own = self.code_of("victim@example.com")
        self.is_refused(confirm(theirs), 403, "bad_password")
        self.assertEqual(confirm(own).status, 201)
        self.is_refused(confirm(theirs, "the stranger's password"), 404,
                        "unknown_code")

    def test_two_codes_at_once_make_one_customer(self):
        codes = [self.code_of("twice@example.com") for _ in range(2)]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(confirm, codes * 4))
        self.assertEqual([a.status for a in answers].count(201), 1)
        # So many attempts at one name are slowed down.
        self.assertLessEqual({a.status for a in answers},
                             {201, 404, 409, 429})
        self.assertEqual(sql("SELECT count(*) FROM customer WHERE name = "
                             "'twice@example.com'"), ["1"])

    def test_a_name_that_the_operator_gave_away_is_no_obstacle(self):
        gateway.ctl("customer", "add", "taken@example.com")
        self.assertEqual(confirm(self.code_of("taken@example.com")).status,
                         201)
        self.assertEqual(sql("SELECT c.name FROM customer c JOIN login l ON "
                             "l.customer_id = c.id WHERE l.name = "
                             "'taken@example.com'"), ["taken@example.com#2"])

    def test_a_group_that_is_not_there_is_the_operators_mistake(self):
        sql("UPDATE customer_group SET name = 'moved' WHERE id = 1")
        try:
            code = self.code_of("homeless@example.com")
            self.assertEqual(confirm(code).status, 503)
        finally:
            sql("UPDATE customer_group SET name = 'default' WHERE id = 1")
        self.assertIn("registration_group", gateway.log())
        self.assertEqual(confirm(code).status, 201)

    def test_codes_expire_and_are_not_asked_for_without_end(self):
        code = self.code_of("late@example.com")
        sql("UPDATE login_code SET expires_at = now()")
        self.is_refused(confirm(code), 404, "unknown_code")
        sql("INSERT INTO login_code (purpose, name, address, mail_state) "
            "SELECT 3, 'n' || i || '@example.com', '127.0.0.1', 3 FROM "
            "generate_series(1, 30) i")
        answer = self.is_refused(register("more@example.com"), 429,
                                 "too_many_attempts")
        self.assertGreater(int(answer.headers["retry-after"]), 3000)
        self.assertEqual(Browser(gateway, "127.0.0.9").post(
            API, email="more@example.com", password=PASSWORD).status, 202)

    def test_mistakes_are_named(self):
        for body, name in (
                ({"email": "nobody", "password": PASSWORD}, "email"),
                ({"email": "a@b", "password": PASSWORD}, "email"),
                ({"email": f"{'x' * 64}@{'y' * 60}.example.com",
                  "password": PASSWORD}, "email"),
                ({"email": "x@example.com", "password": "short"},
                 "password"),
                ({"email": "long.name@example.com",
                  "password": "Long.Name@example.com"}, "password"),
                ({"email": "x@example.com", "password": PASSWORD,
                  "invitation": "nonsense"}, "invitation"),
                ({"email": "x@example.com", "password": PASSWORD,
                  "group": "vip"}, "group"), ({}, "email")):
            answer = Browser(gateway).ask("POST", API, body)
            self.assertEqual((answer.status, answer.json["name"]),
                             (400, name), body)
        self.assertEqual(sql("SELECT count(*) FROM login_code"), ["0"])


class Invitations(Case):

    def test_it_brings_group_and_credit(self):
        gateway.ctl("group", "set", "friends", "--multiplier", "0.5")
        made = invitation("--group", "friends", "--credit", "5", "--days",
                          "30", "--uses", "2", "--note", "spring fair")
        code = self.code_of("friend@example.com", invitation=made["code"])
        self.assertEqual(confirm(code).status, 201)
        one = Browser(gateway)
        one.log_in("friend@example.com", PASSWORD)
        account = one.get("/api/v1/account").json
        balance = one.get("/api/v1/balance").json
        self.assertEqual((account["group"], account["multiplier"]),
                         ("friends", "0.5"))
        self.assertEqual((balance["promotional"],
                          balance["expiring"][0]["amount"]),
                         ("5.00", "5.00"))
        row, = [r for r in gateway.rows("invitation", "list")
                if r["id"] == made["id"]]
        self.assertEqual((row["used"], row["uses"], row["state"],
                          row["note"]), (1, 2, "open", "spring fair"))
        self.assertTrue(made["code"].endswith(row["looks"][1:]))
        self.assertEqual(nano(row["credit"]), nano("5"))
        self.assertNotIn(made["code"], "".join(sql(
            "SELECT * FROM invitation; SELECT * FROM audit")))
        gateway.settled("friend@example.com")

    def test_one_that_is_used_expired_or_revoked_is_refused(self):
        made = invitation()
        pending = self.code_of("slow@example.com", invitation=made["code"])
        quick = self.code_of("quick@example.com", invitation=made["code"])
        self.assertEqual(confirm(quick).status, 201)
        self.is_refused(confirm(pending), 410, "invitation_over")
        self.is_refused(register("next@example.com",
                                 invitation=made["code"]), 410,
                        "invitation_over")
        expired = invitation()
        sql("UPDATE invitation SET expires_at = now() WHERE id = "
            f"{expired['id']}")
        revoked = invitation()
        gateway.ctl("invitation", "revoke", str(revoked["id"]))
        for one in (expired, revoked):
            self.is_refused(register("next@example.com",
                                     invitation=one["code"]), 410,
                            "invitation_over")
        unknown = gateway.ctl_json(
            "code", "create", "--batch", "other", "--count", "1",
            "--expires", "9d", "--amount", "1")["codes"][0]["code"]
        self.is_refused(register("next@example.com", invitation=unknown),
                        404, "unknown_invitation")

    def test_fifty_at_once_use_one_invitation_once(self):
        made = invitation("--credit", "3")
        for n in range(50):
            answer = register(f"crowd{n}@example.com",
                              invitation=made["code"])
            self.assertEqual(answer.status, 202, answer.body)
            sql("UPDATE login_code SET address = NULL")
        codes = [mailbox.code(f"crowd{n}@example.com") for n in range(50)]

        def one(code):
            # So many that hash their passwords wait; some in vain.
            while True:
                answer = confirm(code)
                if answer.status != 503:
                    return answer.status
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            found = list(pool.map(one, codes))
        self.assertEqual(sorted(found), [201] + [410] * 49)
        self.assertEqual(sql("SELECT count(*) FROM customer WHERE name LIKE "
                             "'crowd%'"), ["1"])
        self.assertEqual(sql("SELECT used FROM invitation WHERE id = "
                             f"{made['id']}"), ["1"])
        self.assertEqual(sql("SELECT count(*) FROM ledger_transaction WHERE "
                             f"reason = 'invitation {made['id']}'"), ["1"])
        gateway.verify()


class Closed(Case):

    def test_a_mailed_code_needs_an_invitation_where_the_setting_says_so(self):
        pending = self.code_of("pending@example.com")
        become("invitation")
        self.is_refused(confirm(pending), 410, "invitation_over")
        answer = register("more@example.com")
        self.assertEqual((answer.status, answer.json["name"]),
                         (400, "invitation"))
        made = invitation()
        code = self.code_of("invited@example.com", invitation=made["code"])
        self.assertEqual(confirm(code).status, 201)
        become("closed")
        self.is_refused(confirm(pending), 403, "registration_closed")
        self.is_refused(register("more@example.com",
                                 invitation=made["code"]), 403,
                        "registration_closed")
        # Who is registered goes on.
        self.assertEqual(Browser(gateway).log_in("invited@example.com",
                                                 PASSWORD).status, 201)
        become("open")

    def test_mistakes_in_the_settings_are_told(self):
        for lines, why in (
                ("registration = open",
                 "registration: it needs mail_command"),
                ("session_idle_timeout = 3h\nsession_lifetime = 2h",
                 "session_idle_timeout: longer than session_lifetime"),
                ("totp_issuer = a:b", "totp_issuer: it can't have a colon")):
            config = gateway.folder / "bad.conf"
            config.write_text(lines + "\n")
            done = subprocess.run([harness.YOUYUND, "-T", "-c", config],
                                  capture_output=True, text=True,
                                  check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(why, done.stderr)


if __name__ == "__main__":
    harness.main()
