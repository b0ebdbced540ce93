"""Sessions by password: logging in, one-time codes, who is kept waiting and
who is not, and that nothing of it is written down."""

import concurrent.futures
import hashlib
import hmac
import re
import subprocess
import urllib.parse

import harness
import test_portal
from browser import COOKIE, Authenticator, Browser, Mailbox
from machine import SOURCE

PASSWORD = "correct horse battery"

gateway = None
mailbox = None
# What must be nowhere but where it was shown.
shown = {PASSWORD}


def setUpModule():
    global gateway, mailbox
    mailbox = Mailbox()
    gateway = harness.Gateway(["fast"], workers=2, settings=mailbox.settings
                              | {"totp_issuer": '"You & Yun"'})


def tearDownModule():
    text = gateway.errors.read_text(errors="replace")
    for secret in shown:
        assert secret not in text, f"in the log: {secret}"
    gateway.stop()
    mailbox.remove()


def sql(text, role="youyun_owner"):
    return test_portal.sql(text, role, gateway)


def login_of(name, password=PASSWORD):
    """A customer with a login, by the operator's code; returns its name."""
    address = f"{name}@example.com"
    gateway.ctl("customer", "add", name, "--contact", f"desk-{address}")
    made = gateway.ctl_json("customer", "password-reset", name, "--login",
                            address.upper().replace("EXAMPLE.COM",
                                                    "Example.com"),
                            "--print")
    shown.add(made["code"])
    assert made["login"] == address, made
    done = Browser(gateway).post("/api/v1/password-reset/confirm",
                                 code=made["code"], password=password)
    assert done.status == 200, done.body
    return address


def browser_of(login, password=PASSWORD, address="127.0.0.1", **more):
    one = Browser(gateway, address)
    answer = one.log_in(login, password, **more)
    assert answer.status == 201, answer.body
    shown.update((one.cookie, one.csrf))
    return one


class Case(harness.Case):

    def is_refused(self, answer, status, code):
        self.assertEqual((answer.status, answer.json["code"]),
                         (status, code), answer.body)
        return answer


class Sessions(Case):

    def setUp(self):
        sql("DELETE FROM login_pace")

    def test_a_session_is_a_cookie_that_scripts_cant_read(self):
        login = login_of("cookie")
        one = Browser(gateway)
        answer = one.log_in(login.title(), PASSWORD)
        self.assertEqual(answer.status, 201)
        name, *rest = answer.headers["set-cookie"].split("; ")
        self.assertRegex(name, f"^{COOKIE}=[0-9a-f]{{64}}$")
        self.assertEqual(set(rest), {"Path=/", "Max-Age=86400", "Secure",
                                     "HttpOnly", "SameSite=Lax"})
        self.assertEqual(answer.headers["cache-control"], "no-store")
        self.assertEqual(one.get("/api/v1/session").json, answer.json)
        self.assertEqual((answer.json["login"], answer.json["totp"]),
                         (login, False))
        again = browser_of(login)
        self.assertNotEqual(again.cookie, one.cookie)
        self.assertNotEqual(again.csrf, one.csrf)
        self.assertNotIn(one.cookie, "".join(sql("SELECT * FROM session")))

    def test_a_session_does_what_an_account_key_does(self):
        one = browser_of(login_of("does"))
        text = (SOURCE / "src/portal/route.c").read_text()
        paths = re.findall(r'\{ "GET", "([^"{]+)", ROUTE_(?:ACCOUNT|KEY)',
                           text)
        self.assertGreater(len(paths), 10)
        for path in paths:
            query = "?start_date=2026-01-01&end_date=2026-01-02" \
                if path.endswith("billing/usage") else ""
            answer = one.get(path + query)
            # Who isn't closing an account has no closing.
            self.assertEqual(answer.status, 404 if path.endswith("/closing")
                             else 200, (path, answer.body))
        key = one.post("/api/v1/keys", name="by session").json
        shown.add(key["key"])
        number = one.get("/api/v1/account").json["id"]
        actor, = sql("SELECT actor FROM audit WHERE object = "
                     f"'api_key:{key['id']}'")
        self.assertRegex(actor, f"^customer:{number}/session:[0-9]+$")
        export = one.get("/api/v1/calls?format=csv")
        self.assertEqual(export.status, 200)
        self.assertTrue(export.complete)

    def test_a_change_needs_the_token(self):
        login = login_of("forged")
        one, other = browser_of(login), browser_of(login)
        before = sql("SELECT count(*) FROM api_key")
        for headers in ({}, {"X-CSRF-Token": ""},
                        {"X-CSRF-Token": other.csrf},
                        {"X-CSRF-Token": one.csrf[:-1]},
                        {"X-CSRF-Token": one.cookie}):
            self.is_refused(one.ask("POST", "/api/v1/keys", {"name": "x"},
                                    csrf=False, **headers), 403, "csrf")
            self.is_refused(one.ask("DELETE", "/api/v1/session", csrf=False,
                                    **headers), 403, "csrf")
        self.assertEqual(sql("SELECT count(*) FROM api_key"), before)
        self.assertEqual(one.get("/api/v1/session").status, 200)

    def test_a_key_is_no_session_and_goes_before_one(self):
        key = gateway.ctl_json("key", "add", "test", "--scope",
                               "account")["key"]
        for method, path in (("GET", "session"), ("GET", "sessions"),
                             ("DELETE", "sessions")):
            answer = gateway.call(f"/api/v1/{path}", None, key=key,
                                  method=method)
            self.is_refused(answer, 401, "no_session")
        one = browser_of(login_of("both"))
        answer = one.ask("GET", "/api/v1/account",
                         Authorization=f"Bearer {key}")
        self.assertEqual(answer.json["name"], "test")

    def test_sessions_are_listed_and_ended(self):
        login = login_of("many")
        first = browser_of(login, address="127.0.0.7")
        second, third = browser_of(login), browser_of(login)
        stranger = browser_of(login_of("stranger"))
        rows = second.get("/api/v1/sessions").json["sessions"]
        self.assertEqual([r["own"] for r in rows], [False, True, False])
        self.assertEqual(rows[2]["address"], "127.0.0.7")
        number = rows[2]["id"]
        self.is_refused(stranger.ask("DELETE", f"/api/v1/sessions/{number}"),
                        404, "not_found")
        self.assertEqual(second.ask(
            "DELETE", f"/api/v1/sessions/{number}").json, {"ended": 1})
        self.is_refused(first.get("/api/v1/account"), 401, "session_over")
        self.assertEqual(second.ask("DELETE", "/api/v1/sessions").json,
                         {"ended": 1})
        self.is_refused(third.get("/api/v1/account"), 401, "session_over")
        out = second.ask("DELETE", "/api/v1/session")
        self.assertIn(f"{COOKIE}=; Path=/; Max-Age=0",
                      out.headers["set-cookie"])
        self.is_refused(second.get("/api/v1/session"), 401, "session_over")
        self.assertEqual(stranger.get("/api/v1/session").status, 200)

    def test_a_session_ends_when_left_alone_and_in_any_case(self):
        login = login_of("idle")
        for column, age, status in (
                ("used_at = now() -", "119 minutes", 200),
                ("used_at = now() -", "121 minutes", 401),
                ("expires_at = now() +", "1 minute", 200),
                ("expires_at = now() -", "1 second", 401)):
            one = browser_of(login)
            number = one.get("/api/v1/session").json["id"]
            sql(f"UPDATE session SET {column} interval '{age}' WHERE id = "
                f"{number}")
            self.assertEqual(one.get("/api/v1/account").status, status, age)
            # Use has moved the end of idleness on.
            if age == "119 minutes":
                self.assertEqual(sql("SELECT used_at > now() - interval '1 "
                                     f"minute' FROM session WHERE id = "
                                     f"{number}"), ["t"])
        self.assertEqual(sql("SELECT max(s.expires_at - s.created) BETWEEN "
                             "'23:59' AND '24:01' FROM session s JOIN login "
                             f"l ON l.id = s.login_id AND l.name = '{login}'"
                             " WHERE s.expires_at > now() + '1 hour'"), ["t"])

    def test_a_wrong_cookie_is_none(self):
        one = Browser(gateway)
        for cookie, code in (("0" * 64, "session_over"), ("0" * 63, "no_key"),
                             ("x" * 64, "no_key")):
            one.cookie = cookie
            self.is_refused(one.get("/api/v1/account"), 401, code)

    def test_a_closed_account_has_no_sessions(self):
        login = login_of("closed")
        one = browser_of(login)
        sql("UPDATE customer SET status = 3 WHERE name = 'closed'")
        self.is_refused(one.get("/api/v1/account"), 403, "account_closed")
        self.is_refused(Browser(gateway).log_in(login, PASSWORD), 403,
                        "account_closed")
        self.is_refused(Browser(gateway).log_in(login, "wrong"), 401,
                        "bad_login")


    def test_a_closing_account_may_still_look_and_come_back(self):
        login = login_of("grace")
        one = browser_of(login)
        gateway.ctl("customer", "close", "grace")
        self.assertEqual(one.get("/api/v1/account").status, 200)
        one = browser_of(login)
        self.assertEqual(one.ask("DELETE",
                                 "/api/v1/account/closing").status, 200)
        gateway.ctl("customer", "close", "grace")
        sql("UPDATE closing SET state = 2 WHERE state = 0")
        self.is_refused(one.get("/api/v1/account"), 403, "account_closed")


class Passwords(Case):

    def setUp(self):
        sql("DELETE FROM login_pace; DELETE FROM login_code")
        mailbox.empty()

    def test_another_password_ends_the_other_sessions(self):
        login, new = login_of("change"), "another long password"
        shown.add(new)
        one, other = browser_of(login), browser_of(login)
        self.is_refused(one.post("/api/v1/password", password="wrong",
                                 new_password=new), 403, "bad_password")
        for bad in ("short", login, "x" * 257, "tab\tin a password"):
            self.assertEqual(one.post("/api/v1/password", password=PASSWORD,
                                      new_password=bad).status, 400, bad)
        self.assertEqual(other.get("/api/v1/session").status, 200)
        self.assertEqual(one.post("/api/v1/password", password=PASSWORD,
                                  new_password=new).json, {"changed": True})
        self.is_refused(other.get("/api/v1/session"), 401, "session_over")
        self.assertEqual(one.get("/api/v1/session").status, 200)
        self.is_refused(Browser(gateway).log_in(login, PASSWORD), 401,
                        "bad_login")
        browser_of(login, new)
        mail = mailbox.wait_for(login, "Your login was changed")
        self.assertNotIn(new, mail.get_content())
        self.assertEqual(sql("SELECT actor ~ '^customer:.*/session:' FROM "
                             "audit WHERE action = 'login.password' ORDER BY "
                             "id DESC LIMIT 1"), ["t"])

    def test_a_mailed_code_sets_another_password_once(self):
        login, new = login_of("reset"), "a password by mail"
        shown.add(new)
        one, stranger = browser_of(login), Browser(gateway)
        known = stranger.post("/api/v1/password-reset", login=login)
        unknown = stranger.post("/api/v1/password-reset",
                                login="nobody@example.com")
        self.assertEqual((known.status, known.body),
                         (202, unknown.body))
        code = mailbox.code(login)
        shown.add(code)
        self.assertEqual(mailbox.mails("nobody@example.com"), {})
        self.assertEqual(one.get("/api/v1/session").status, 200)
        other = "7KQ2M-4XN9T-0D3RW-VB6HC"
        answer = stranger.post("/api/v1/password-reset/confirm", code=other,
                               password=new)
        self.assertIn(answer.json["code"], ("bad_code", "unknown_code"))
        done = stranger.post("/api/v1/password-reset/confirm",
                             code=code.lower(), password=new)
        self.assertEqual(done.json, {"changed": True})
        self.is_refused(stranger.post("/api/v1/password-reset/confirm",
                                      code=code, password=PASSWORD), 404,
                        "unknown_code")
        self.is_refused(one.get("/api/v1/session"), 401, "session_over")
        browser_of(login, new)

    def test_a_mailed_code_expires_and_fifty_at_once_use_it_once(self):
        login = login_of("expires")
        for late in (True, False):
            Browser(gateway).post("/api/v1/password-reset", login=login)
            code = mailbox.code(login)
            if late:
                sql("UPDATE login_code SET expires_at = now()")
                self.is_refused(Browser(gateway).post(
                    "/api/v1/password-reset/confirm", code=code,
                    password=PASSWORD), 404, "unknown_code")
                continue
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(lambda _: Browser(gateway).post(
                    "/api/v1/password-reset/confirm", code=code,
                    password=PASSWORD), range(8)))
            self.assertEqual(sorted(a.status for a in answers),
                             [200] + [404] * 7)

    def test_nobody_is_flooded_with_codes(self):
        login = login_of("flooded")
        for _ in range(5):
            self.assertEqual(Browser(gateway).post(
                "/api/v1/password-reset", login=login).status, 202)
        harness.wait_until(lambda: sql(
            "SELECT count(*) FROM login_code WHERE mail_state = 2 AND name = "
            f"'{login}'") == ["3"], "three mails", 20)
        self.assertEqual(len(mailbox.mails(login, "Your code")), 3)
        for n in range(26):
            Browser(gateway).post("/api/v1/password-reset",
                                  login=f"x{n}@example.com")
        answer = Browser(gateway).post("/api/v1/password-reset", login=login)
        self.is_refused(answer, 429, "too_many_attempts")
        self.assertGreater(int(answer.headers["retry-after"]), 3000)

    def test_weaker_parameters_are_raised_at_the_next_login(self):
        login = login_of("weak")
        pepper = bytes.fromhex(re.search(
            "^pepper ([0-9a-f]{64})$",
            (gateway.folder / "state/secrets").read_text(), re.M)[1])
        keyed = hmac.digest(pepper, b"password:" + PASSWORD.encode(),
                            hashlib.sha256)
        weak = hashlib.scrypt(keyed, salt=b"0" * 16, n=2 ** 14, r=8, p=1,
                              dklen=32).hex()
        sql(f"UPDATE login SET password = 'scrypt:14:8:1:{'30' * 16}:{weak}'"
            f" WHERE name = '{login}'")
        self.is_refused(Browser(gateway).log_in(login, "wrong"), 401,
                        "bad_login")
        browser_of(login)
        self.assertRegex(sql("SELECT password FROM login WHERE name = "
                             f"'{login}'")[0], "^scrypt:15:8:3:")
        browser_of(login)

    def test_mistakes_are_named(self):
        for body, name in (
                ({"login": "x@example.com"}, "password"),
                ({"login": 5, "password": PASSWORD}, "login"),
                ({"login": "nothing", "password": PASSWORD}, "login"),
                ({"login": "x@example.com", "password": PASSWORD,
                  "recovery_code": "zzz"}, None)):
            answer = Browser(gateway).ask("POST", "/api/v1/session", body)
            self.assertIn(answer.status, (400, 401))
            self.assertEqual(answer.json.get("name"), name)


class Totp(Case):

    def setUp(self):
        sql("DELETE FROM login_pace; DELETE FROM login_code")
        mailbox.empty()

    def enrolled(self, name):
        login = login_of(name)
        one = browser_of(login)
        made = one.post("/api/v1/totp", password=PASSWORD)
        self.assertEqual(made.status, 200, made.body)
        device = Authenticator(made.json["secret"])
        shown.add(made.json["secret"])
        uri = urllib.parse.urlsplit(made.json["uri"])
        query = dict(urllib.parse.parse_qsl(uri.query))
        self.assertEqual((uri.scheme, uri.netloc,
                          urllib.parse.unquote(uri.path)),
                         ("otpauth", "totp", f"/You & Yun:{login}"))
        self.assertEqual(query, {
            "secret": made.json["secret"], "issuer": "You & Yun",
            "algorithm": "SHA1", "digits": "6", "period": "30"})
        done = one.post("/api/v1/totp/confirm", code=device.code())
        self.assertEqual(done.status, 200, done.body)
        shown.update(done.json["recovery_codes"])
        return login, one, device, done.json["recovery_codes"]

    def log_in(self, login, **more):
        return Browser(gateway).log_in(login, PASSWORD, **more)

    def test_a_login_needs_a_code_that_is_good_once(self):
        login, one, device, codes = self.enrolled("totp")
        self.assertEqual((len(codes), len(set(codes))), (10, 10))
        told = one.get("/api/v1/session").json
        self.assertEqual((told["totp"], told["recovery_codes"]), (True, 10))
        self.is_refused(self.log_in(login), 401, "code_needed")
        self.is_refused(self.log_in(login, code=device.wrong()), 401,
                        "wrong_code")
        self.is_refused(Browser(gateway).log_in(login, "wrong",
                                                code=device.code()),
                        401, "bad_login")
        sql("DELETE FROM login_pace")
        code = device.code()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(
                lambda _: self.log_in(login, code=code), range(4)))
        self.assertEqual(sorted(a.status for a in answers), [201] + [401] * 3)
        self.is_refused(self.log_in(login, code=code), 401, "wrong_code")
        mailbox.wait_for(login, "Your login was changed")

    def test_a_recovery_code_stands_in_once(self):
        login, one, _, codes = self.enrolled("recovery")
        other = self.enrolled("recovery2")[3]
        sql("DELETE FROM login_pace")
        self.assertEqual(self.log_in(
            login, recovery_code=codes[3].lower()).status, 201)
        self.is_refused(self.log_in(login, recovery_code=codes[3]), 401,
                        "wrong_code")
        self.is_refused(self.log_in(login, recovery_code=other[0]), 401,
                        "wrong_code")
        self.assertEqual(one.get("/api/v1/session").json["recovery_codes"], 9)
        dump = "".join(sql("SELECT * FROM recovery_code; SELECT * FROM "
                           "login"))
        self.assertNotIn(codes[0], dump)

    def test_it_takes_the_password_to_begin_and_a_code_to_confirm(self):
        login = login_of("begin")
        one = browser_of(login)
        self.is_refused(one.post("/api/v1/totp", password="wrong"), 403,
                        "bad_password")
        self.is_refused(one.post("/api/v1/totp/confirm", code="123456"), 409,
                        "totp_off")
        device = Authenticator(one.post(
            "/api/v1/totp", password=PASSWORD).json["secret"])
        self.is_refused(one.post("/api/v1/totp/confirm",
                                 code=device.wrong()), 400, "wrong_code")
        # Not confirmed: not asked for.
        self.assertEqual(self.log_in(login).status, 201)
        again = Authenticator(one.post(
            "/api/v1/totp", password=PASSWORD).json["secret"])
        self.is_refused(one.post("/api/v1/totp/confirm", code=device.code()),
                        400, "wrong_code")
        other = browser_of(login)
        self.assertEqual(one.post("/api/v1/totp/confirm",
                                  code=again.code()).status, 200)
        self.is_refused(other.get("/api/v1/session"), 401, "session_over")
        self.is_refused(one.post("/api/v1/totp", password=PASSWORD), 409,
                        "totp_on")
        self.is_refused(one.post("/api/v1/totp/confirm", code=again.code()),
                        409, "totp_on")

    def test_leaving_off_takes_password_and_code(self):
        login, one, device, codes = self.enrolled("off")
        self.is_refused(one.post("/api/v1/totp/remove", password="wrong",
                                 code=device.code()), 403, "bad_password")
        self.is_refused(one.post("/api/v1/totp/remove", password=PASSWORD),
                        403, "code_needed")
        self.is_refused(one.post("/api/v1/totp/remove", password=PASSWORD,
                                 code=device.wrong()), 403, "wrong_code")
        self.assertEqual(one.post(
            "/api/v1/totp/remove", password=PASSWORD,
            recovery_code=codes[0]).json, {"totp": False})
        self.assertEqual(self.log_in(login).status, 201)
        self.assertEqual(sql("SELECT count(*) FROM recovery_code r JOIN "
                             "login l ON l.id = r.login_id WHERE l.name = "
                             f"'{login}'"), ["0"])

    def test_whoever_knows_the_password_cant_guess_codes(self):
        login, one, device, codes = self.enrolled("guessed")
        for _ in range(10):
            sql("DELETE FROM login_pace")
            self.is_refused(self.log_in(login, code=device.wrong()), 401,
                            "wrong_code")
        self.is_refused(self.log_in(login, code=device.code()), 429,
                        "too_many_wrong_codes")
        self.assertEqual(one.get("/api/v1/session").status, 200)
        self.assertEqual(self.log_in(login,
                                     recovery_code=codes[0]).status, 201)
        event = gateway.rows("event", "list", "--kind", "totp_guessing")
        self.assertEqual(event[0]["customer"], "guessed")
        harness.wait_until(
            lambda: mailbox.mails(login, "Somebody may know your password"),
            "the mail", 20)
        sql("UPDATE login SET totp_failed = totp_failed - interval '1 hour'"
            f" WHERE name = '{login}'")
        self.assertEqual(self.log_in(login, code=device.code()).status, 201)

    def test_a_secret_opens_in_no_other_row(self):
        login = self.enrolled("sealed")[0]
        device = self.enrolled("sealed2")[2]
        sql("DELETE FROM login_pace; UPDATE login l SET totp = o.totp, "
            f"totp_step = 0 FROM login o WHERE l.name = '{login}' AND o.name "
            "= 'sealed2@example.com'")
        self.assertEqual(self.log_in(login, code=device.code()).status, 503)
        done = subprocess.run(
            [harness.YOUYUNCTL, "-c", gateway.config, "secret", "rotate"],
            check=False, capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "login [0-9]+ of customer [0-9]+ can't"
                         " be opened")
        gateway.ctl("customer", "totp-remove", "sealed")

    def test_codes_go_on_when_their_secret_is_sealed_anew(self):
        # Ends one that was begun, if any.
        gateway.ctl("secret", "rotate")
        gateway.wait_ready()
        login, _, device, _ = self.enrolled("rotated")
        by = "SELECT get_byte(totp, 1) FROM login WHERE name = " \
            f"'{login}'"
        was = sql(by)
        now = gateway.ctl_json("secret", "rotate")["key"]
        self.assertEqual(sql(by), [str(now)])
        self.assertNotEqual(sql(by), was)
        sql("UPDATE login SET totp_step = 0; DELETE FROM login_pace")
        gateway.wait_ready()
        self.assertEqual(self.log_in(login, code=device.code()).status, 201)
        # What is enrolled from now on is sealed by it.
        self.enrolled("rotated2")
        self.assertEqual(sql(by.replace(login, "rotated2@example.com")),
                         [str(now)])
        gateway.ctl("secret", "retire")
        sql("UPDATE login SET totp_step = 0; DELETE FROM login_pace")
        gateway.wait_ready()
        self.assertEqual(self.log_in(login, code=device.code()).status, 201)

    def test_support_removes_codes_that_were_lost(self):
        login, one, _, _ = self.enrolled("lost")
        gateway.ctl("customer", "totp-remove", "lost", "--reason", "call 5")
        self.is_refused(one.get("/api/v1/session"), 401, "session_over")
        self.assertEqual(self.log_in(login).status, 201)
        self.assertEqual(sql(
            "SELECT reason, change->>'on' FROM audit WHERE action = "
            "'login.totp' ORDER BY id DESC LIMIT 1"), ["call 5|false"])


class Pace(Case):
    """Who guesses is slow; nobody else is."""

    def setUp(self):
        sql("DELETE FROM login_pace; DELETE FROM login_code")
        mailbox.empty()

    def guess(self, login, address="127.0.0.1"):
        return Browser(gateway, address).log_in(login, "wrong guess")

    def test_a_pair_is_slowed_down_alone(self):
        login = login_of("pair")
        one = browser_of(login)
        for _ in range(5):
            self.is_refused(self.guess(login), 401, "bad_login")
        waits = self.is_refused(self.guess(login), 429, "too_many_attempts")
        self.assertEqual(waits.headers["retry-after"], "1")
        # From there not even with the right one; from elsewhere it does.
        sql("UPDATE login_pace SET last_at = now() + interval '1 hour' WHERE "
            "failures = 5 AND address = '127.0.0.1' AND name <> ''")
        self.is_refused(Browser(gateway).log_in(login, PASSWORD), 429,
                        "too_many_attempts")
        browser_of(login, address="127.0.0.2")
        self.assertEqual(one.get("/api/v1/account").status, 200)
        self.assertEqual(one.post("/api/v1/keys", name="x").status, 201)
        # Each further failure doubles the wait.
        for wait in (1, 2, 4, 8):
            sql("UPDATE login_pace SET last_at = now() - interval '1 hour'")
            self.is_refused(self.guess(login), 401, "bad_login")
            self.assertLessEqual(
                abs(int(self.guess(login).headers["retry-after"]) -
                    2 * wait), 1)
        sql("UPDATE login_pace SET last_at = now() - interval '1 hour'")
        browser_of(login)
        self.is_refused(self.guess(login), 401, "bad_login")

    def test_guesses_at_once_are_counted_before_they_are_looked_at(self):
        login = login_of("atonce")
        sql("DELETE FROM login_pace")
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda _: self.guess(login), range(20)))
        looked_at = [a.status for a in answers].count(401)
        self.assertEqual({a.status for a in answers}, {401, 429})
        self.assertLessEqual(looked_at, 7)
        self.assertGreaterEqual(looked_at, 5)

    def test_many_addresses_dont_keep_the_owner_out(self):
        login = login_of("owner")
        browser_of(login, address="127.0.0.3")
        sql("UPDATE login_pace SET failures = 49, last_at = now() WHERE "
            "address = '::/0'")
        self.is_refused(self.guess(login, "127.0.0.4"), 401, "bad_login")
        event = gateway.rows("event", "list", "--kind", "login_guessing")
        self.assertEqual(event[0]["customer"], "owner")
        answer = self.is_refused(Browser(gateway, "127.0.0.5").log_in(
            login, PASSWORD), 429, "too_many_attempts")
        self.assertLessEqual(int(answer.headers["retry-after"]), 10)
        # From where the owner was before, and by the owner's mail, at once.
        browser_of(login, address="127.0.0.3")
        fresh = Browser(gateway, "127.0.0.5")
        fresh.post("/api/v1/password-reset", login=login)
        self.assertEqual(fresh.post(
            "/api/v1/password-reset/confirm", code=mailbox.code(login),
            password=PASSWORD).status, 200)
        sql("UPDATE login_pace SET failures = 80, last_at = now() WHERE "
            "address = '::/0'")
        browser_of(login, address="127.0.0.5")

    def test_an_address_that_tries_many_logins_waits(self):
        login = login_of("spray")
        browser_of(login, address="127.0.0.6")
        sql("UPDATE login_pace SET failures = 100, last_at = now() WHERE "
            "name = '' AND address = '127.0.0.6'")
        self.is_refused(self.guess("someone@example.com", "127.0.0.6"), 429,
                        "too_many_attempts")
        browser_of(login, address="127.0.0.6")
        self.is_refused(self.guess("someone@example.com", "127.0.0.8"), 401,
                        "bad_login")

    def test_a_name_that_nobody_has_is_slowed_down_alike(self):
        for _ in range(5):
            self.is_refused(self.guess("ghost@example.com"), 401,
                            "bad_login")
        self.is_refused(self.guess("ghost@example.com"), 429,
                        "too_many_attempts")
        self.assertNotIn("ghost", "".join(sql("SELECT * FROM login_pace")))


class Kept(Case):
    """Runs after the others have filled the database."""

    def test_zz_nothing_secret_is_in_the_database(self):
        login = login_of("dumped")
        one = browser_of(login)
        shown.add(one.post("/api/v1/totp", password=PASSWORD).json["secret"])
        done = subprocess.run(
            ["pg_dump", "-h", gateway.folder / "state/run/pg", "-U",
             "youyun_owner", "--data-only", "youyun"], capture_output=True,
            text=True, check=True)
        self.assertIn(login, done.stdout)
        for secret in shown:
            self.assertNotIn(secret, done.stdout)

    def test_the_portals_role_sees_its_own_login_alone(self):
        browser_of(login_of("seen"))
        for table in ("login", "session", "recovery_code", "login_pace",
                      "login_code", "invitation"):
            with self.assertRaisesRegex(AssertionError, "permission denied"):
                sql(f"SELECT * FROM {table}", "youyun_portal")
        for view in ("my_login", "my_session"):
            self.assertEqual(sql(f"SELECT count(*) FROM {view}",
                                 "youyun_portal"), ["0"])
        # A session's number with another customer's.
        number = sql("SELECT max(id) FROM session")[0]
        self.assertEqual(sql(
            "BEGIN; SELECT set_config('youyun.customer', '1', true), "
            f"set_config('youyun.session', '{number}', true); "
            "SELECT count(*) FROM my_login; COMMIT", "youyun_portal")[1:],
            ["0"])


if __name__ == "__main__":
    harness.main()
