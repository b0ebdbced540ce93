"""Notices by mail: a command of the test's own stands in for sendmail."""

import email
import email.policy
import pathlib
import shlex
import shutil
import tempfile

import harness
import test_portal

# Keeps each message, and does what the file "do" says.
COMMAND = """#!/bin/sh
cd {folder}
cat >new.$$
echo "$@" >arguments
id -u >user
. ./do
mv new.$$ mail.$$
"""

gateway = None
folder = None


def setUpModule():
    global gateway, folder
    folder = pathlib.Path(tempfile.mkdtemp(prefix="yymail-"))
    folder.chmod(0o777)
    (folder / "do").write_text("")
    command = folder / "command"
    command.write_text(COMMAND.format(folder=shlex.quote(str(folder))))
    command.chmod(0o755)
    gateway = harness.Gateway(["fast"], settings={
        "mail_command": f'"{command} -t -i"',
        "mail_from": "noreply@gateway.example"})


def tearDownModule():
    gateway.stop()
    shutil.rmtree(folder)


def sql(text):
    return test_portal.sql(text, where=gateway)


class Mail(harness.Case):

    def setUp(self):
        (folder / "do").write_text("")
        (folder / "attempts").unlink(missing_ok=True)
        for path in folder.glob("mail.*"):
            path.unlink()
        sql("UPDATE notice SET mail_state = 0")

    def customer(self, name, contact, language):
        gateway.ctl("customer", "add", name, "--contact", contact)
        return int(sql("UPDATE customer SET language = "
                       f"'{language}' WHERE name = '{name}' RETURNING id")[0])

    def notice(self, customer, kind, detail="{}"):
        return int(sql(f"SELECT notice_add({customer}, '{kind}', "
                       f"'{detail}')")[0])

    def state(self, notice, wanted, tries=None):
        def now():
            row = sql("SELECT mail_state, mail_tries FROM notice WHERE id = "
                      f"{notice}")[0].split("|")
            return row[0] == str(wanted) and (
                tries is None or row[1] == str(tries))
        harness.wait_until(now, f"notice {notice} in state {wanted}", 30)

    def attempted(self, times):
        """The command has read so often that it is to fail: what it does next
        may be changed."""
        path = folder / "attempts"
        harness.wait_until(
            lambda: path.exists() and len(path.read_text()) == times,
            f"{times} attempts", 30)

    def again(self, notice):
        sql("UPDATE notice SET mail_at = mail_at - interval '1 day' WHERE "
            f"id = {notice}")

    def mails(self):
        return [email.message_from_bytes(p.read_bytes(),
                                         policy=email.policy.default)
                for p in sorted(folder.glob("mail.*"))]

    def test_a_notice_is_mailed_in_the_customers_language(self):
        for language, word, subject in (
                ("en", "has arrived", "Your payment has arrived"),
                ("zh", "已到账", "您的付款已到账"),
                ("de", "eingegangen", "Ihre Zahlung ist eingegangen")):
            self.setUp()
            number = self.customer(f"c-{language}", f"{language}@example.com",
                                   language)
            notice = self.notice(
                number, "payment_booked",
                '{"payment": "p:1", "amount": "12.50", "currency": "USD", '
                '"booking": 77, "method": "card"}')
            self.state(notice, 2, 1)
            mail, = self.mails()
            self.assertEqual(
                (mail["from"], mail["to"], mail["subject"],
                 mail["auto-submitted"]),
                ("noreply@gateway.example", f"{language}@example.com",
                 subject, "auto-generated"))
            text = mail.get_content()
            for part in ("p:1", "12.50 USD", "77", f"c-{language}"):
                self.assertIn(part, text)
            self.assertNotIn("{", text)
            self.assertIn(word, mail["subject"])
        self.assertEqual((folder / "arguments").read_text(), "-t -i\n")
        self.assertNotEqual((folder / "user").read_text(), "0\n")

    def test_every_kind_of_ours_has_its_words(self):
        number = self.customer("kinds", "kinds@example.com", "zh")
        kinds = sql("SELECT name FROM notice_kind WHERE mailed AND name ~ "
                    "'^(account|login|payment|ticket)_' ORDER BY 1")
        self.assertGreaterEqual(len(kinds), 5)
        for kind in kinds:
            self.state(self.notice(
                number, kind, '{"ticket": 3, "subject": "höher\u202eX", '
                '"changed": ["contact", "language"], "amount": "1.00"}'), 2)
        subjects = {m["subject"] for m in self.mails()}
        self.assertEqual(len(subjects), len(kinds), subjects)
        self.assertNotIn("您的账户有新通知", subjects)
        texts = "".join(m.get_content() for m in self.mails())
        self.assertIn("contact, language", texts)
        self.assertIn("höher", texts)
        # One that nobody wrote words for says that there is something.
        sql("INSERT INTO notice_kind VALUES ('news', true, 'test')")
        self.state(self.notice(number, "news"), 2)
        self.assertIn("您的账户有新通知",
                      {m["subject"] for m in self.mails()})

    def test_a_failure_is_tried_again_and_given_up_in_the_end(self):
        number = self.customer("fail", "fail@example.com", "en")
        (folder / "do").write_text(
            "printf x >>attempts; rm new.$$; exit 75\n")
        notice = self.notice(number, "ticket_answered")
        for tries in range(1, 6):
            self.state(notice, 1, tries)
            if tries < 5:
                self.again(notice)
        self.attempted(5)
        (folder / "do").write_text("")
        # Not before its time: another that comes later is sent meanwhile.
        other = self.notice(number, "ticket_closed")
        self.state(other, 2, 1)
        self.state(notice, 1, 5)
        self.again(notice)
        self.state(notice, 2, 6)
        (folder / "do").write_text(
            "printf x >>attempts; rm new.$$; kill -9 $$\n")
        lost = self.notice(number, "ticket_closed")
        self.state(lost, 1, 1)
        self.attempted(6)
        sql(f"UPDATE notice SET mail_tries = 5 WHERE id = {lost}")
        self.again(lost)
        self.state(lost, 3, 6)
        self.assertEqual(len(self.mails()), 2)

    def test_who_has_no_address_gets_none(self):
        for n, contact in enumerate((
                "", "Tel. 110", "a@b.example, c@d.example",
                "-oQ/tmp@example.com")):
            number = self.customer(f"none{n}", "x", "en")
            sql(f"UPDATE customer SET contact = '{contact}' WHERE id = "
                f"{number}")
            self.state(self.notice(number, "ticket_closed"), 3, 1)
        self.assertEqual(self.mails(), [])

    def test_a_change_of_contact_is_told_to_the_old_one(self):
        number = self.customer("robbed", "old@example.com", "de")
        sql("BEGIN; SELECT set_config('youyun.customer', "
            f"'{number}', true); SELECT my_account_change('new@example.net', "
            "NULL); COMMIT")
        self.state(sql("SELECT max(id) FROM notice")[0], 2, 1)
        mail, = self.mails()
        self.assertEqual((mail["to"], mail["subject"]),
                         ("old@example.com", "Ihr Konto wurde geändert"))

    def test_old_news_is_no_news(self):
        number = self.customer("old", "old@example.com", "en")
        old = sql(f"""INSERT INTO notice (customer_id, kind, at, mail_state)
            VALUES ({number}, 'ticket_closed', now() - interval '4 days', 1)
            RETURNING id""")[0]
        self.state(old, 3, 0)
        self.assertEqual(self.mails(), [])

    def test_a_mailer_that_dies_is_started_again(self):
        number = self.customer("again", "again@example.com", "en")
        (folder / "do").write_text(
            "printf x >>attempts; kill -9 $PPID; exit 1\n")
        notice = self.notice(number, "ticket_closed")
        self.state(notice, 1, 1)
        self.attempted(1)
        (folder / "do").write_text("")
        self.again(notice)
        self.state(notice, 2, 2)


class Settings(harness.Case):

    def test_mistakes_are_told(self):
        for lines, why in (
                ("mail_command = sendmail\nmail_from = a@b.example",
                 "mail_command: it begins with an absolute path"),
                ("mail_command = /bin/true",
                 "mail_from: mail_command needs an address here"),
                ("mail_command = /bin/true\nmail_from = root",
                 "mail_from: it is an address such as")):
            config = folder / "bad.conf"
            config.write_text(lines + "\n")
            done = harness.subprocess.run(
                [harness.YOUYUND, "-T", "-c", config], capture_output=True,
                text=True, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(why, done.stderr)


if __name__ == "__main__":
    harness.main()
