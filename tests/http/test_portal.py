"""The customers' API: every route, held against its own document; nobody sees
another's; a generator that makes requests up from the document."""

import csv
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

try:
    import hypothesis
    import jsonschema
except ImportError:
    # Another Python is first in PATH; Debian's has the packages.
    if sys.executable != "/usr/bin/python3" and \
            os.access("/usr/bin/python3", os.X_OK):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    raise
from hypothesis import HealthCheck, given, settings, strategies as st

import harness
from harness import CHAT, chat, nano
from machine import SOURCE as SRC

DOCUMENT = json.loads((SRC / "src/portal/openapi.json").read_text())
CASES = int(os.environ.get("YOUYUN_API_CASES", "12"))

gateway = None
keys = {}


def setUpModule():
    global gateway
    global secrets
    secrets = tempfile.NamedTemporaryFile()
    secrets.write(b"0" * 64 + b"\n")
    secrets.flush()
    gateway = harness.Gateway(["fast", "status-500"], workers=2, settings={
        "portal_body_bytes": "64k", "payment_secret_file": secrets.name})
    gateway.add_customer("other", credit="5")
    for who in ("test", "other"):
        keys[who] = gateway.ctl_json("key", "add", who, "--scope",
                                     "account")["key"]
    keys["calls"] = gateway.key
    gateway.wait_for_key(keys["test"])
    gateway.wait_for_key(keys["other"])


def tearDownModule():
    gateway.stop()
    secrets.close()


def sql(text, role="youyun_owner", where=None):
    done = subprocess.run(
        ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h",
         str((where or gateway).folder / "state/run/pg"), "-U", role, "youyun"],
        input="SET search_path = youyun;\n" + text, capture_output=True,
        text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{text}\n{done.stderr}")
    return done.stdout.splitlines()


def template_of(path):
    """The document's path that a request's path is one of."""
    path = path.split("?")[0]
    for template in DOCUMENT["paths"]:
        if re.fullmatch(re.sub(r"\{[a-z]+\}", "[^/]+", template), path):
            return template
    return None


def check_against_document(method, path, answer):
    """The answer is one that the document tells of."""
    template = template_of(path)
    assert template is not None, path
    operation = DOCUMENT["paths"][template][method.lower()]
    status = str(answer.status)
    assert status in operation["responses"], \
        f"{method} {path}: {status} isn't documented: {answer.body[:300]}"
    types = operation["responses"][status]["content"]
    kind = answer.headers["content-type"].split(";")[0]
    assert kind in types, f"{method} {path}: {kind} isn't documented"
    if kind.endswith("json") and kind != "application/x-ndjson":
        schema = dict(types[kind]["schema"],
                      components=DOCUMENT["components"])
        jsonschema.Draft202012Validator(schema).validate(answer.json)


class Api(harness.Case):

    def ask(self, path, who="test", method="GET", body=None, headers=None):
        answer = gateway.call(path, body, headers, key=keys.get(who),
                              method=method)
        check_against_document(method, path, answer)
        self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
        return answer

    def ok(self, *words, status=200, **options):
        answer = self.ask(*words, **options)
        self.assertEqual(answer.status, status, answer.body)
        return answer.json

    def problem(self, status, code, name, *words, **options):
        answer = self.ask(*words, **options)
        self.assertEqual((answer.status, answer.json["code"],
                          answer.json.get("name")), (status, code, name))

    def some_calls(self, n, key=None):
        ids = [gateway.call(CHAT, chat("fast"), key=key or gateway.key)
               .request_id for _ in range(n)]
        for request_id in ids:
            gateway.record(request_id)
        return ids

    def test_document_and_routes_are_the_same(self):
        source = (SRC / "src/portal/route.c").read_text()
        routes = set(re.findall(r'\{ "([A-Z]+)", "(/[^"]+)", ROUTE', source))
        self.assertGreater(len(routes), 15)
        told = {(method.upper(), path)
                for path, item in DOCUMENT["paths"].items()
                for method in item}
        self.assertEqual(routes, told)
        served = self.ok("/api/v1/openapi.json", who=None)
        self.assertEqual(served, DOCUMENT)

    def test_the_document_is_sound(self):
        for name, schema in DOCUMENT["components"]["schemas"].items():
            jsonschema.Draft202012Validator.check_schema(schema)
        text = json.dumps(DOCUMENT)
        for name in set(re.findall(r"#/components/schemas/(\w+)", text)):
            self.assertIn(name, DOCUMENT["components"]["schemas"])
        ids = [o["operationId"] for p in DOCUMENT["paths"].values()
               for o in p.values()]
        self.assertEqual(len(ids), len(set(ids)))

    def test_the_check_against_the_document_can_fail(self):
        answer = gateway.get("/api/v1/balance", key=keys["test"])
        answer.body = answer.body.replace(b'"balance"', b'"balanse"')
        with self.assertRaises(jsonschema.ValidationError):
            check_against_document("GET", "/api/v1/balance", answer)

    def test_balance_is_the_ledgers(self):
        self.some_calls(2)
        balance = self.ok("/api/v1/balance", who="calls")
        self.assertEqual(nano(balance["balance"]), gateway.settled())
        self.assertEqual(nano(balance["granted"]) - nano(balance["spent"]),
                         nano(balance["balance"]))
        gateway.ctl("credit", "other", "2", "--source", "promotional",
                    "--expires", "30d")
        other = self.ok("/api/v1/balance", who="other")
        self.assertEqual(other["promotional"], "2.00")
        self.assertEqual(other["expiring"][0]["amount"], "2.00")
        told = self.ok("/v1/dashboard/billing/subscription", who="calls")
        self.assertGreater(told["hard_limit_usd"], 0)

    def test_prices_are_public(self):
        prices = self.ok("/api/v1/prices", who=None)
        fast, = [m for m in prices["models"] if m["model"] == "fast"]
        self.assertEqual(fast["prices"]["input"]["per"], 10 ** 6)
        self.assertGreater(nano(fast["prices"]["output"]["price"]), 0)

    def test_a_key_lives_and_is_revoked(self):
        made = self.ok("/api/v1/keys", method="POST", status=201,
                       body={"name": "laptop", "scope": "account",
                             "expires_at": "2099-01-01"})
        key, number = made["key"], made["id"]
        gateway.wait_for_key(key)
        self.assertEqual(gateway.call(CHAT, chat("fast"), key=key).status,
                         200)
        shown = self.ok(f"/api/v1/keys/{number}")
        self.assertNotIn("key", shown)
        self.assertEqual((shown["name"], shown["scope"]),
                         ("laptop", "account"))
        changed = self.ok(f"/api/v1/keys/{number}", method="PATCH",
                          body={"name": "desk", "expires_at": None})
        self.assertEqual((changed["name"], changed["expires_at"]),
                         ("desk", None))
        listed = self.ok("/api/v1/keys?limit=200")
        self.assertIn(number, [k["id"] for k in listed["keys"]])
        keys["short"] = key
        self.ok("/api/v1/balance", who="short")
        for _ in range(2):
            gone = self.ok(f"/api/v1/keys/{number}", method="DELETE")
            self.assertEqual(gone["status"], "revoked")
        self.problem(401, "bad_key", None, "/api/v1/balance", who="short")
        self.problem(409, "revoked", None, f"/api/v1/keys/{number}",
                     method="PATCH", body={"name": "again"})
        harness.wait_until(
            lambda: gateway.call(CHAT, chat("fast"), key=key).status == 401,
            "the key to be refused for calls")
        rows = sql("SELECT actor, change::text FROM audit WHERE object = "
                   f"'api_key:{number}' ORDER BY id")
        self.assertEqual(len(rows), 3)
        self.assertTrue(all(r.startswith("customer:1/key:") for r in rows))
        self.assertNotIn(key, "".join(sql("SELECT * FROM audit, api_key")))

    def test_nobody_sees_anothers(self):
        own, = self.some_calls(1)
        number = self.ok("/api/v1/keys")["keys"][0]["id"]
        for path, method, body in (
                (f"/api/v1/calls/{own}", "GET", None),
                (f"/api/v1/keys/{number}", "GET", None),
                (f"/api/v1/keys/{number}", "PATCH", {"name": "mine"}),
                (f"/api/v1/keys/{number}", "DELETE", None)):
            self.problem(404, "not_found", None, path, who="other",
                         method=method, body=body)
        self.ok(f"/api/v1/calls/{own}")
        others = self.ok("/api/v1/calls?limit=200", who="other")["calls"]
        self.assertNotIn(own, [c["request_id"] for c in others])
        # Behind the portal's back: its role sees whom the setting names.
        mine = "BEGIN; SELECT set_config('youyun.customer', '2', true);"
        for view in ("my_call", "my_key", "my_booking", "my_account",
                     "my_pot", "my_notice", "my_limit", "my_bill"):
            everything = sql(f"SELECT count(*) FROM {view}", "youyun_portal")
            self.assertEqual(everything, ["0"], view)
        self.assertEqual(sql(
            mine + "SELECT count(*) FROM my_account; SELECT my_key_revoke("
            f"{number}); COMMIT", "youyun_portal")[1:], ["1", "0"])
        for table in ("call", "customer", "api_key", "posting", "pot",
                      "lease", "notice", "audit", "rate_limit",
                      "bill_month"):
            with self.assertRaisesRegex(AssertionError, "permission denied"):
                sql(f"SELECT * FROM {table}", "youyun_portal")

    def test_calls_come_in_pages_and_exports(self):
        key = gateway.add_key("other")
        gateway.wait_for_key(key)
        ids = [gateway.call(CHAT, chat("fast"), {"User-Agent": "=1+2"},
                            key=key).request_id for _ in range(7)]
        for request_id in ids:
            gateway.record(request_id)
        seen, cursor = [], ""
        while cursor is not None:
            page = self.ok(f"/api/v1/calls?limit=3&cursor={cursor}",
                           who="other")
            seen += [c["request_id"] for c in page["calls"]]
            cursor = page["next"]
        self.assertEqual(seen, ids[::-1])
        one = self.ok("/api/v1/calls?limit=1&status=200&model=fast",
                      who="other")["calls"][0]
        self.assertEqual(one["user_agent"], "=1+2")
        self.assertEqual(one["address"], "127.0.0.1")
        self.assertEqual(self.ok("/api/v1/calls?model=slow",
                                 who="other")["calls"], [])
        self.assertEqual(self.ok("/api/v1/calls?since=2099-01-01",
                                 who="other")["calls"], [])
        text = self.ask("/api/v1/calls?format=csv", who="other").body.decode()
        rows = list(csv.DictReader(io.StringIO(text)))
        self.assertEqual([r["request_id"] for r in rows], seen)
        self.assertEqual(rows[0]["user_agent"], "'=1+2")
        lines = self.ask("/api/v1/calls", who="other", headers={
            "Accept": "application/x-ndjson"}).body.splitlines()
        self.assertEqual([json.loads(l)["request_id"] for l in lines], seen)

    def test_a_calls_fee_can_be_computed_again(self):
        request_id, = self.some_calls(1)
        call = self.ok(f"/api/v1/calls/{request_id}")
        sums = sum(line["priced_count"] * nano(line["price"]) * 10 ** 9
                   // line["per"] for line in call["computation"]["lines"])
        self.assertEqual(round(sums / 10 ** 9), nano(call["fee"]))
        self.assertEqual(nano(call["fee"]),
                         gateway.record(request_id)["fee_nano"])

    def test_bills_add_up(self):
        self.some_calls(3)
        gateway.settled()
        month = time.strftime("%Y-%m", time.gmtime())
        bill = self.ok(f"/api/v1/bills/{month}")
        self.assertEqual(
            nano(bill["opening"]) + sum(nano(b["amount"])
                                        for b in bill["bookings"]),
            nano(bill["closing"]))
        self.assertEqual(nano(bill["closing"]),
                         nano(self.ok("/api/v1/balance")["balance"]))
        calls = -sum(nano(b["amount"]) for b in bill["bookings"]
                     if b["kind"] == "calls")
        self.assertEqual(calls, sum(nano(m["fee"]) for m in bill["models"]))
        by_day = self.ok("/api/v1/usage?by=day")["usage"]
        self.assertEqual(calls, sum(nano(d["fee"]) for d in by_day))
        bills = self.ok("/api/v1/bills")["bills"]
        self.assertEqual(nano(bills[0]["calls"]), calls)
        page = self.ask(f"/api/v1/bills/{month}?format=html").body.decode()
        self.assertIn(bill["closing"], page)
        self.assertNotIn("<script", page)

    def test_a_call_out_of_two_pots_is_one_on_the_bill(self):
        gateway.add_customer("pots")
        key = gateway.ctl_json("key", "add", "pots", "--scope",
                               "account")["key"]
        gateway.wait_for_key(key)
        record = gateway.record(self.ask_call(keys["test"]).request_id)
        half = record["fee_nano"] // 2
        gateway.ctl("credit", "pots", f"0.{half:09d}", "--key", "gift",
                    "--source", "promotional")
        gateway.ctl("credit", "pots", "1", "--key", "paid")
        harness.wait_until(
            lambda: self.ask_call(key).status == 200, "the money")
        gateway.settled("pots")
        self.assertEqual(sql(
            "SELECT count(*) FROM posting p JOIN ledger_account a ON a.id ="
            " p.account_id JOIN customer c ON c.id = a.customer_id"
            " JOIN ledger_transaction t ON t.id = p.transaction_id"
            " WHERE c.name = 'pots' AND t.kind = 'calls'"), ["2"])
        month = time.strftime("%Y-%m", time.gmtime())
        bill = gateway.get(f"/api/v1/bills/{month}", key=key).json
        self.assertEqual(sum(b["calls"] for b in bill["bookings"]), 1)
        self.assertEqual(sum(m["calls"] for m in bill["models"]), 1)

    def ask_call(self, key):
        return gateway.call(CHAT, chat("fast"), key=key)

    def test_notices(self):
        sql("INSERT INTO notice_kind VALUES ('test_kind', false, 'test') ON "
            "CONFLICT DO NOTHING; SELECT notice_add(1, 'test_kind', "
            "'{\"a\": 1}')")
        notice = self.ok("/api/v1/notices")["notices"][0]
        self.assertEqual((notice["kind"], notice["detail"], notice["read_at"]),
                         ("test_kind", {"a": 1}, None))
        self.problem(404, "not_found", None,
                     f"/api/v1/notices/{notice['id']}/read", who="other",
                     method="POST")
        self.ok(f"/api/v1/notices/{notice['id']}/read", method="POST")
        self.assertIsNotNone(
            self.ok("/api/v1/notices")["notices"][0]["read_at"])

    def test_limits_are_shown(self):
        gateway.ctl("customer", "limit", "other", "--requests", "600")
        limits = self.ok("/api/v1/limits", who="other")
        self.assertEqual(limits["account"]["requests_per_minute"], 600)
        self.assertIsNone(self.ok("/api/v1/limits")["account"])

    def test_mistakes_are_named(self):
        for path, code, name in (
                ("/api/v1/calls?sinse=1", "unknown_argument", "sinse"),
                ("/api/v1/calls?since=yesterday", "bad_argument", "since"),
                ("/api/v1/calls?limit=201", "bad_argument", "limit"),
                ("/api/v1/calls?limit=2&limit=3", "argument_twice", "limit"),
                ("/api/v1/calls?cursor=12", "bad_argument", "cursor"),
                ("/api/v1/calls?format=xml", "bad_argument", "format"),
                ("/api/v1/usage?by=colour", "bad_argument", "by"),
                ("/api/v1/usage?since=2020-01-01", "bad_argument", "since"),
                ("/api/v1/usage?since=2026-02-30", "bad_argument", "since"),
                ("/api/v1/balance?x=1", "unknown_argument", "x")):
            self.problem(400, code, name, path)
        for body, code, name in (
                ({"nme": "x"}, "unknown_member", "nme"),
                ({"name": 5}, "bad_member", "name"),
                ({"name": "x" * 65}, "bad_member", "name"),
                ({"name": "a\u0007b"}, "bad_member", "name"),
                ({"name": "a\u0000b"}, "bad_member", "name"),
                ({"scope": "all"}, "bad_member", "scope"),
                ({"expires_at": "2001-01-01"}, "bad_member", "expires_at"),
                ("[1]", "bad_json", None), ("{", "bad_json", None),
                ("{} {}", "bad_json", None)):
            before = sql("SELECT count(*) FROM api_key")
            self.problem(400, code, name, "/api/v1/keys", method="POST",
                         body=body)
            self.assertEqual(sql("SELECT count(*) FROM api_key"), before)
        self.problem(415, "media_type", None, "/api/v1/keys", method="POST",
                     body="{}", headers={"Content-Type": "text/plain"})
        self.problem(401, "no_key", None, "/api/v1/keys", who=None)
        self.problem(403, "scope", None, "/api/v1/keys", who="calls")
        large = gateway.call("/api/v1/keys", {"name": "x" * 70000},
                             key=keys["test"])
        self.assertEqual(large.status, 413)
        wrong = gateway.call("/api/v1/balance", {}, key=keys["test"])
        self.assertEqual((wrong.status, wrong.headers["allow"]), (405, "GET"))
        unknown = gateway.get("/api/v1/nothing", key=keys["test"])
        self.assertEqual((unknown.status, unknown.json["code"]),
                         (404, "no_route"))

    def test_head_and_keep_alive(self):
        connection = gateway.connect()
        for method in ("HEAD", "GET", "HEAD", "GET"):
            answer = gateway.call("/api/v1/balance", None, method=method,
                                  key=keys["test"], connection=connection)
            self.assertEqual(answer.status, 200)
            self.assertEqual(answer.body == b"", method == "HEAD")
        connection.close()

    def test_a_closed_account_is_refused_and_a_suspended_one_may_look(self):
        gateway.add_customer("sad", credit="1")
        keys["sad"] = gateway.ctl_json("key", "add", "sad", "--scope",
                                       "account")["key"]
        gateway.ctl("customer", "suspend", "sad")
        self.assertEqual(self.ok("/api/v1/account", who="sad")["status"],
                         "suspended")
        sql("UPDATE customer SET status = 3 WHERE name = 'sad'")
        self.problem(403, "account_closed", None, "/api/v1/account",
                     who="sad")

    def test_calls_go_on_without_the_portal_and_it_comes_back(self):
        for pid in gateway.children("portal"):
            os.kill(pid, signal.SIGKILL)
        self.assertEqual(gateway.call(CHAT, chat("fast")).status, 200)
        harness.wait_until(
            lambda: gateway.get("/api/v1/balance",
                                key=keys["test"]).status == 200,
            "the portal to be back", 30)


def unchunked(data):
    """The content of a chunked body (RFC 9112, section 7.1), which must be
    whole."""
    content = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        if int(size, 16) == 0:
            assert data == b"\r\n", "something after the last chunk"
            return content
        content += data[:int(size, 16)]
        data = data[int(size, 16) + 2:]


class Large(harness.Case):
    """Records that nobody booked, in an instance of its own."""

    def setUp(self):
        self.one = harness.Gateway(["fast"])
        self.addCleanup(self.one.stop)

    def fill(self, rows):
        """Records, and the key to ask for them with."""
        sql(f"""INSERT INTO call SELECT now() - interval '1 hour' +
            i * interval '1 millisecond', gen_random_uuid(), 77, i, NULL, 1,
            NULL, 1, 1, NULL, 1, 0, 0, 0, 5, 5, 0, 0, 0, 0, 0, 0, 1000000, 0,
            0, 0, 0, 1, 1, 200, 0, 200, 1, '192.0.2.1', 'x'
            FROM generate_series(1, {rows}) i""", where=self.one)
        return self.one.ctl_json("key", "add", "test", "--scope",
                                 "account")["key"]

    def last_query(self):
        """When the portal last asked the database something."""
        return sql("SELECT max(query_start) FROM pg_stat_activity WHERE "
                   "application_name = 'youyun-portal'", "youyun_portal",
                   self.one)

    def test_an_export_is_whole_and_waits_for_its_reader(self):
        rows = 30000
        key = self.fill(rows)
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        sock.settimeout(120)
        sock.connect(("127.0.0.1", self.one.port))
        tls = self.one.context().wrap_socket(sock,
                                             server_hostname="localhost")
        with tls:
            tls.sendall(b"GET /api/v1/calls?format=ndjson HTTP/1.1\r\n"
                        b"Host: localhost\r\nConnection: close\r\n"
                        b"Authorization: Bearer " + key.encode() +
                        b"\r\n\r\n")
            text = tls.recv(1000)
            stood = []

            def stands_still():
                stood.append(self.last_query())
                return len(stood) > 5 and len({*map(str, stood[-5:])}) == 1
            harness.wait_until(stands_still, "the portal to wait", 60, 0.2)
            # Others have their answers meanwhile, as many as ask.
            for _ in range(12):
                self.assertEqual(self.one.get("/api/v1/account",
                                              key=key).status, 200)
            before = self.last_query()
            while True:
                data = tls.recv(1 << 20)
                if not data:
                    break
                text += data
        # It had not read all of it from the database before.
        self.assertNotEqual(self.last_query(), before)
        found = re.findall(rb'"request_id":"(req_[0-9a-f]{32})"',
                           unchunked(text.partition(b"\r\n\r\n")[2]))
        self.assertEqual(len(found), rows)
        self.assertEqual(len(set(found)), rows)

    def test_slow_readers_take_no_connection_from_others(self):
        key = self.fill(20000)
        slow = []
        try:
            # More of them than the portal has connections to the database.
            for _ in range(12):
                sock = socket.socket()
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                sock.settimeout(120)
                sock.connect(("127.0.0.1", self.one.port))
                tls = self.one.context().wrap_socket(
                    sock, server_hostname="localhost")
                slow.append(tls)
                tls.sendall(b"GET /api/v1/calls?format=csv HTTP/1.1\r\n"
                            b"Host: localhost\r\nAuthorization: Bearer " +
                            key.encode() + b"\r\n\r\n")
                self.assertIn(b" 200 ", tls.recv(100))
            self.assertEqual(self.one.get("/api/v1/account", key=key).status,
                             200)
        finally:
            for tls in slow:
                tls.close()


def strategy(schema):
    """Values of a schema, and some that are not."""
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][
            schema["$ref"].rsplit("/", 1)[1]]
    kinds = schema.get("type", "string")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    likely = []
    if "enum" in schema:
        likely.append(st.sampled_from(schema["enum"]))
    if "string" in kinds:
        likely += [st.text(max_size=80), st.sampled_from(
            ["2026-11-01", "2026-11-26T13:00:00Z", "0", "", "2026-11",
             "1_" + "0" * 32, "fast", "\u202e", "'", "%00", "../.."])]
    if "integer" in kinds:
        likely += [st.integers(-2 ** 70, 2 ** 70), st.integers(0, 300)]
    if "null" in kinds:
        likely.append(st.none())
    if "array" in kinds:
        likely.append(st.lists(strategy(schema["items"]), max_size=5))
    if "object" in kinds:
        likely.append(st.fixed_dictionaries({}, optional={
            name: st.one_of(strategy(s), st.none(), st.booleans())
            for name, s in schema.get("properties", {}).items()}))
        likely.append(st.dictionaries(st.text(max_size=10), st.none(),
                                      max_size=2))
    return st.one_of(likely)


def operations():
    for path, item in sorted(DOCUMENT["paths"].items()):
        for method, operation in sorted(item.items()):
            yield path, method, operation


@st.composite
def requests(draw, path, operation):
    query = []
    for parameter in operation["parameters"]:
        if parameter["in"] == "header":
            continue
        if parameter["in"] == "path":
            value = draw(st.one_of(
                st.from_regex(r"[A-Za-z0-9._-]{1,40}", fullmatch=True),
                st.integers(1, 10 ** 12).map(str),
                st.sampled_from(["2026-11", "req_" + "0" * 32, "1"])))
            path = path.replace("{" + parameter["name"] + "}", value)
        elif draw(st.booleans()):
            query.append((parameter["name"],
                          draw(strategy(parameter["schema"]))))
    body = None
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]
        body = draw(st.one_of(
            strategy(content["application/json"]["schema"]).map(json.dumps),
            st.text(max_size=40)))
    return path, query, body


class Generated(harness.Case):
    """No 5xx, and no answer that the document doesn't tell of."""

    def run_one(self, path, method, operation):
        from urllib.parse import quote

        @settings(max_examples=CASES, deadline=None, database=None,
                  derandomize=True,
                  suppress_health_check=list(HealthCheck))
        @given(requests(path, operation),
               st.sampled_from(["test", "calls", "other", None]))
        def one(request, who):
            where, query, body = request
            if query:
                where += "?" + "&".join(
                    f"{quote(n)}={quote(str(v))}" for n, v in query)
            answer = gateway.call(where, body, key=keys.get(who),
                                  method=method.upper())
            self.assertLess(answer.status, 500, (method, where, body,
                                                 answer.body))
            check_against_document(method, where, answer)
        one()

    def test_every_operation(self):
        for path, method, operation in operations():
            with self.subTest(operation=operation["operationId"]):
                self.run_one(path, method, operation)
        self.assertEqual(sql("SELECT count(*) FROM customer WHERE id = 1"),
                         ["1"])
        gateway.verify()


if __name__ == "__main__":
    harness.main()
