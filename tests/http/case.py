"""Assertions on the protocols' shapes."""

import unittest

from client import MESSAGES
from machine import UPSTREAM_KEY


class Case(unittest.TestCase):
    """A test case that knows the shapes."""

    maxDiff = None

    def assert_request_id(self, answer):
        value = answer.headers["x-request-id"]
        self.assertIsNotNone(value, answer)
        self.assertRegex(value, r"^[A-Za-z0-9_-]{8,64}$")
        return value

    def assert_error(self, path, answer, status):
        """The protocol of the path's own error shape."""
        if path.startswith(MESSAGES):
            return self.assert_anthropic_error(answer, status)
        return self.assert_openai_error(answer, status)

    def assert_openai_error(self, answer, status):
        self.assertEqual(answer.status, status, answer)
        self.assert_request_id(answer)
        self.assertTrue(
            answer.headers["content-type"].startswith("application/json"))
        self.assertEqual(set(answer.json), {"error"}, answer)
        error = answer.json["error"]
        self.assertLessEqual({"message", "type", "param", "code"},
                             set(error), answer)
        self.assertTrue(error["message"])
        self.assertIsInstance(error["type"], str)
        self.assert_no_leak(answer.body)
        return error

    ANTHROPIC_TYPES = {
        400: "invalid_request_error", 401: "authentication_error",
        402: "billing_error", 403: "permission_error",
        404: "not_found_error", 413: "request_too_large",
        429: "rate_limit_error", 500: "api_error", 504: "timeout_error",
        529: "overloaded_error",
    }

    def assert_anthropic_error(self, answer, status):
        self.assertEqual(answer.status, status, answer)
        request_id = self.assert_request_id(answer)
        body = answer.json
        self.assertEqual(body["type"], "error", answer)
        self.assertEqual(body["request_id"], request_id, answer)
        self.assertTrue(body["error"]["message"])
        if status in self.ANTHROPIC_TYPES:
            self.assertEqual(body["error"]["type"],
                             self.ANTHROPIC_TYPES[status])
        self.assert_no_leak(answer.body)
        return body["error"]

    def assert_no_leak(self, data):
        """Nothing of the upstream's own words or of its credential."""
        for secret in (b"sk-upstream-secret", UPSTREAM_KEY.encode(),
                       b"peer says"):
            self.assertNotIn(secret, data)
