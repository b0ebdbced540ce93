#!/usr/bin/env python3
"""Completion: what youyunctl offers, by itself and through bash."""

import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fixture import SRCDIR, YOUYUNCTL, Installation

it = None


def setUpModule():
    global it
    it = Installation()
    it.ok("init")
    it.start_postgres()
    for name in ("acme", "acorn", "dora", "two words"):
        it.ok("customer", "add", name)
    it.ok("price", "set", "model-1", "--input", "1", "--output", "2")


def tearDownModule():
    it.remove()


def offers(*words):
    return it.ok("complete", "--", *words).out.splitlines()


class Complete(unittest.TestCase):

    def test_nouns_verbs_and_options(self):
        self.assertEqual(offers("cust"), ["customer"])
        self.assertIn("customer", offers(""))
        self.assertEqual(len(offers("")), len(set(offers(""))))
        self.assertEqual(sorted(offers("customer", "s")),
                         ["set", "show", "suspend"])
        self.assertEqual(offers("channel", "cred"), ["credential"])
        self.assertEqual(offers("channel", "credential", "ad"), ["add"])
        self.assertIn("--contact", offers("customer", "add", "--"))
        self.assertIn("--json", offers("customer", "add", "--"))
        self.assertEqual(offers("help", "pri"), ["price"])

    def test_names_from_the_database(self):
        self.assertEqual(offers("customer", "show", "ac"),
                         ["acme", "acorn"])
        self.assertEqual(offers("--json", "customer", "show", "--actor", "x",
                                "d"), ["dora"])
        self.assertEqual(offers("calls", "--customer", "tw"), ["two words"])
        self.assertEqual(offers("price", "show", "mod"), ["model-1"])
        self.assertEqual(offers("--profile", "b"), ["billing"])
        self.assertEqual(offers("customer", "show", "ac%"), [])

    def test_nothing_to_say_is_no_mistake(self):
        self.assertEqual(offers("nonsense", ""), [])
        self.assertEqual(offers("customer", "nonsense", ""), [])
        self.assertEqual(offers("status", ""), [])

    def test_without_a_database_there_are_no_names(self):
        done = subprocess.run(
            [YOUYUNCTL, "-c", it.config, "complete", "--", "-c",
             "/nonexistent", "customer", "show", ""], capture_output=True,
            text=True, check=False)
        self.assertEqual(done.stdout, "")

    def through_bash(self, *line):
        """What bash would put in, for a command line up to the cursor."""
        words = " ".join(f"'{w}'" for w in ("youyunctl", "-c",
                                            str(it.config), *line))
        script = f"""
            PATH={YOUYUNCTL.parent}:$PATH
            . {SRCDIR}/etc/youyunctl.bash
            COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
            _youyunctl
            printf '%s\\n' "${{COMPREPLY[@]}}"
            """
        return subprocess.run(["bash", "-c", script], capture_output=True,
                              text=True, check=True).stdout.splitlines()

    def test_bash(self):
        self.assertEqual(self.through_bash("customer", "show", "ac"),
                         ["acme", "acorn"])
        self.assertEqual(self.through_bash("customer", "show", "tw"),
                         ["two\\ words"])


if __name__ == "__main__":
    unittest.main()
