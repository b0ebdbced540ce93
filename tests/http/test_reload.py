"""SIGHUP: takes what can change live, names what cannot, drops no call."""

import signal
import ssl
import threading
import time

import harness
from harness import CHAT, chat, events

gateway = None


def setUpModule():
    global gateway
    gateway = harness.Gateway(["fast", "drip-20-100"],
                              settings={"max_body_bytes": 20000})


def tearDownModule():
    gateway.stop()


def reload():
    before = len(gateway.log())
    gateway.master.send_signal(signal.SIGHUP)
    return before


def replace_workers():
    """A reload that changes something, so that new workers take over."""
    seconds = int(gateway.settings.get("idle_timeout", "60s")[:-1])
    gateway.write_config(idle_timeout=f"{seconds + 1}s")
    return reload()


def logged_since(before, *words):
    def check():
        text = gateway.log()[before:]
        return all(word in text for word in words) and text
    return harness.wait_until(check, f"{words} in the log", 10)


def certificate():
    """The DER bytes that a new connection is shown."""
    with gateway.raw() as sock:
        return sock.getpeercert(binary_form=True)


class Reload(harness.Case):

    def test_a_limit_changes_live(self):
        body = chat("fast", text="x" * 30000)
        self.assert_error(CHAT, gateway.call(CHAT, body), 413)
        gateway.write_config(max_body_bytes=100000)
        reload()
        harness.wait_until(
            lambda: gateway.call(CHAT, body).status == 200,
            "the new limit", 10)

    def test_calls_under_way_finish(self):
        stream = gateway.stream(CHAT, chat("drip-20-100", True))
        self.assertTrue(stream.read_until(b"w000001"))
        old = set(gateway.children("worker"))
        replace_workers()
        found = events(stream.read())
        self.assertEqual(found[-1][1], "[DONE]")
        stream.close()
        harness.wait_until(lambda: not old & set(gateway.children("worker")),
                           "the old worker's end", 10)

    def test_a_connection_just_accepted_is_served(self):
        connection = gateway.connect()
        connection.connect()
        logged_since(replace_workers(), "the new configuration is at work")
        # Long enough for the old worker to have seen its SIGTERM.
        time.sleep(0.2)
        answer = gateway.call(CHAT, chat("fast"), connection=connection)
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers.get("connection"), "close")
        connection.close()

    def test_no_call_is_refused_meanwhile(self):
        statuses, stop = [], threading.Event()

        def work():
            while not stop.is_set():
                statuses.append(gateway.call(CHAT, chat("fast")).status)

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(3):
                logged_since(replace_workers(),
                             "the new configuration is at work")
                time.sleep(0.3)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        self.assertEqual(set(statuses), {200})

    def test_a_new_certificate_is_shown(self):
        before = certificate()
        harness.run(["openssl", "req", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                     gateway.folder / "new.key", "-out",
                     gateway.folder / "new.csr", "-subj", "/CN=localhost"])
        harness.run(["openssl", "x509", "-req", "-in",
                     gateway.folder / "new.csr", "-CA", gateway.certs.ca,
                     "-CAkey", gateway.folder / "ca.key",
                     "-CAcreateserial", "-out", gateway.folder / "new.pem",
                     "-days", "30", "-extfile",
                     gateway.folder / "server.ext"])
        gateway.write_config(tls_certificate=gateway.folder / "new.pem",
                             tls_key=gateway.folder / "new.key")
        reload()
        harness.wait_until(lambda: certificate() != before,
                           "the new certificate", 10)
        self.assertEqual(
            certificate(),
            ssl.PEM_cert_to_DER_cert(
                (gateway.folder / "new.pem").read_text()))

    def test_what_cannot_change_is_named(self):
        gateway.write_config(max_keys=2000)
        before = reload()
        text = logged_since(before, "max_keys")
        self.assertIn("restart", text)
        self.assertEqual(gateway.call(CHAT, chat("fast")).status, 200)
        gateway.write_config(max_keys=None)

    def test_a_broken_file_changes_nothing(self):
        good = gateway.config.read_text()
        gateway.config.write_text(good + "max_body_bytes = many\n"
                                  "no_such_setting = 1\n")
        before = reload()
        logged_since(before, "max_body_bytes", "no_such_setting")
        self.assertEqual(gateway.call(CHAT, chat("fast")).status, 200)
        gateway.config.write_text(good)

    def test_the_number_of_workers_changes_live(self):
        # The segment of one worker has room for two, beside the old ones.
        gateway.write_config(workers=2)
        gateway.workers = 2
        reload()
        harness.wait_until(
            lambda: len(gateway.children("worker")) == 2, "2 workers", 10)
        gateway.workers = 1
        gateway.write_config(workers=1)
        reload()
        harness.wait_until(
            lambda: len(gateway.children("worker")) == 1, "1 worker", 10)
        self.assertEqual(gateway.call(CHAT, chat("fast")).status, 200)


class Afterwards(harness.Case):

    def test_zz_the_books_are_clean(self):
        gateway.settled()
        gateway.verify()


if __name__ == "__main__":
    harness.main()
