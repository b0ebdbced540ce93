"""Prices that a call finds by its model's name, its group and its tier; what
has none is refused before it costs anything."""

import json

import harness
from client import FORM, form
from harness import CHAT, MESSAGES, chat, message, nano

gateway = None


def setUpModule():
    global gateway
    gateway = harness.Gateway(["fast"])
    for words in (("star-*", "--input", "1", "--output", "2", "--per-call",
                   "0.5"),
                  ("star-f*", "--input", "3", "--output", "4"),
                  ("gift", "--free"),
                  ("least", "--input", "1", "--output", "1", "--minimum",
                   "0.25"),
                  ("embeds", "--input", "1"),
                  ("pictures", "--per-image", "1"),
                  ("posters", "--image", "1024x1024=1"),
                  ("searches", "--input", "1", "--output", "1",
                   "--per-tool-call", "1"),
                  ("fast", "--input", "1", "--output", "2",
                   "--priority-multiplier", "2", "--fast-multiplier", "6")):
        gateway.ctl("price", "set", *words)
    gateway.ctl("group", "override", "default", "star-f*", "--multiplier",
                "0.5")
    for protocol in ("openai", "anthropic"):
        gateway.ctl("channel", "add", f"stars-{protocol}", "--protocol",
                    protocol, "--url", gateway.upstream.url,
                    "--credential-file", gateway.folder / "credential",
                    "--ca", gateway.certs.ca, "--model", "star-*=*",
                    *[w for name in ("gift", "least", "embeds", "pictures",
                                   "posters", "searches")
                      for w in ("--model", f"{name}=fast")])
    harness.wait_until(
        lambda: gateway.call(CHAT, chat("gift")).status == 200,
        "the priced models", 5)


def tearDownModule():
    gateway.stop()


def made(path, make, model, **more):
    answer = gateway.call(path, make(model, **more))
    if answer.status != 200:
        raise AssertionError(answer)
    return gateway.record(answer.headers["x-request-id"])


def cost(record, price_in, price_out):
    return (record["usage"]["input"] * nano(price_in) +
            record["usage"]["output"] * nano(price_out)) / 10 ** 6


class Prices(harness.Case):
    def test_a_pattern_prices_and_routes_any_name_that_fits(self):
        # The star's part, "fast", is what the upstream is asked for.
        record = made(CHAT, chat, "star-fast")
        sent = json.loads(gateway.upstream.requests()[-1]["raw"])
        self.assertEqual(sent["model"], "fast")
        self.assertEqual(record["model"], "star-f*")
        self.assertEqual(nano(record["fee"]),
                         round(cost(record, "3", "4") / 2))
        self.assertEqual(record["multiplier"], "0.5")
        gateway.settled()

    def test_an_answer_of_such_a_name_is_found_again(self):
        made = gateway.call("/v1/responses",
                            {"model": "star-fast", "input": "Hi"})
        self.assertEqual(made.status, 200, made)
        path = f"/v1/responses/{made.json['id']}"
        for method in ("GET", "DELETE"):
            answer = gateway.call(path, None, method=method)
            self.assertEqual(answer.status, 200, answer)
            self.assertEqual(gateway.upstream.requests()[-1]["target"], path)
        gateway.settled()

    def test_a_free_model_is_free_and_a_minimum_is_charged(self):
        for path, make in ((CHAT, chat), (MESSAGES, message)):
            self.assertEqual(made(path, make, "gift")["fee"], "0.00")
            self.assertEqual(made(path, make, "least")["fee"], "0.25")
        gateway.settled()

    def test_what_has_no_price_is_refused_before_it_costs(self):
        before = gateway.settled()
        sent = len(gateway.upstream.requests())
        for model in ("embeds", "pictures", "star", "star-",
                      "nothing"):
            answer = gateway.call(CHAT, chat(model))
            self.assertEqual(answer.status, 404, model)
        self.assertEqual(len(gateway.upstream.requests()), sent)
        self.assertEqual(gateway.settled(), before)

    def test_a_tier_that_may_be_dearer_is_held_for(self):
        usual = made(CHAT, chat, "fast", service_tier="default",
                     max_tokens=100)
        dearer = made(CHAT, chat, "fast", service_tier="priority",
                      max_tokens=100)
        auto = made(CHAT, chat, "fast", max_tokens=100)
        self.assertGreater(nano(dearer["held"]), 1.8 * nano(usual["held"]))
        self.assertGreater(nano(auto["held"]), 1.8 * nano(usual["held"]))
        self.assertEqual(dearer["fee"] == usual["fee"],
                         dearer["usage"] == usual["usage"])
        quick = made(MESSAGES, message, "fast", speed="fast",
                     inference_geo="us", service_tier="standard_only")
        slow = made(MESSAGES, message, "fast",
                    service_tier="standard_only")
        self.assertGreater(nano(quick["held"]), 5 * nano(slow["held"]))
        gateway.settled()

    def test_a_tool_without_a_price_is_refused(self):
        tools = [{"type": "web_search_20250305", "name": "web_search"}]
        answer = gateway.call(MESSAGES, message("fast", tools=tools))
        self.assertEqual(answer.status, 400)
        self.assertIn(b"'tools'", answer.body)
        self.assertEqual(gateway.record(
            answer.headers["x-request-id"])["error"], "not_offered")
        record = made(MESSAGES, message, "searches", tools=tools)
        self.assertGreaterEqual(nano(record["held"]), nano("4"))
        gateway.settled()

    def test_what_stands_behind_a_large_image_counts_as_well(self):
        for size, status in (("1024x1024", 200), ("512x512", 404)):
            for length in (1000, 200000):
                with self.subTest(size=size, length=length):
                    answer = gateway.call("/v1/images/edits", form(
                        ("model", "posters"), ("prompt", "x"),
                        ("image", "a.png", b"x" * length),
                        ("size", size)), FORM)
                    self.assertEqual(answer.status, status, answer)
                    if status == 200:
                        record = gateway.record(answer.request_id)
                        self.assertEqual(record["fee"], "1.00")
        gateway.settled()

    def test_patterns_are_no_models(self):
        answer = gateway.call(CHAT, chat("star-*"))
        self.assertEqual(answer.status, 404)
        listed = gateway.get("/v1/models")
        names = {m["id"] for m in json.loads(listed.body)["data"]}
        self.assertIn("gift", names)
        self.assertFalse([n for n in names if "*" in n])

    def test_every_fee_is_recomputed(self):
        gateway.settled()
        self.assertTrue(gateway.verify()["ok"])


if __name__ == "__main__":
    harness.main()
