#!/usr/bin/env python3
"""The commands that youyunctl knows and those that its man page tells are the
same, with the same options and examples."""

import json
import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fixture import SRCDIR, YOUYUNCTL

PAGE = SRCDIR / "man" / "youyunctl.8.in"


def commands():
    out = subprocess.run([YOUYUNCTL, "help", "--json"], capture_output=True,
                         text=True, check=True).stdout
    return json.loads(out)["commands"]


def words(command):
    return [w for w in (command["noun"], command["verb"]) if w]


def told(page):
    """What the page says: (words, options) of each item of a list of
    commands, by the .It line and, for long ones, the lines up to .Xc."""
    found = {}
    page = re.sub(r"^\.It Xo\n(.*?)^\.Xc$",
                  lambda m: ".It " + m[1].replace("\n", " "), page,
                  flags=re.S | re.M)
    for line in re.findall(r"^\.It (\.?Cm .*)$", page, re.M):
        text = line.replace(".", "", 1) if line.startswith(".") else line
        name = re.match(r"Cm ((?:[a-z-]+ ?)+?)(?= (?:Ar|Oo|Op|Fl|\.)|$)",
                        text)
        found[name[1].strip()] = set(re.findall(r"Fl -([a-z0-9-]+)", text))
    return found


class Man(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.page = PAGE.read_text()
        cls.told = told(cls.page)
        cls.known = {" ".join(words(c)): {o["name"] for o in c["options"]}
                     for c in commands()}

    def test_every_command_is_told_and_no_other(self):
        self.assertGreater(len(self.known), 25)
        self.assertEqual(set(self.told), set(self.known))

    def test_with_the_same_options(self):
        for name, options in self.known.items():
            self.assertEqual(self.told[name], options, name)

    def test_every_command_has_its_example(self):
        for command in commands():
            example = "youyunctl " + command["example"]
            written = example.replace('"', "\\(dq")
            self.assertIn(f".Dl {written}\n", self.page)
            self.assertTrue(command["example"].startswith(
                " ".join(words(command))))

    def test_the_comparison_can_fail(self):
        missing = told(self.page.replace(".It Cm bill Ar", ".It Em bill Ar"))
        self.assertNotIn("bill", missing)
        other = told(self.page.replace("Fl -remove-model", "Fl -remove"))
        self.assertNotEqual(other["channel set"], self.known["channel set"])

    def test_exit_statuses(self):
        header = (SRCDIR / "admin" / "admin.h").read_text()
        known = set(re.findall(r"^\tADMIN_[A-Z_]+ = (\d),?", header, re.M))
        section = re.search(r"\.Sh EXIT STATUS(.*?)\.Sh", self.page, re.S)[1]
        self.assertEqual(set(re.findall(r"^\.It (\d)$", section, re.M)),
                         known)


if __name__ == "__main__":
    unittest.main()
