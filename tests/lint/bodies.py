#!/usr/bin/env python3
"""Where bodies pass: what these rooms may say and write down.

In the folders that see prompts and answers no function but the log's says
anything; what a log line has of text is a literal, the name of an enum's value,
or one of the few things listed here, none of which comes from a client or a
provider.  Nothing of text goes into a call's record but the user agent.  The
linter is first held against a tree that breaks every rule."""

import os
import pathlib
import re
import sys
import tempfile

ROOMS = ("src/worker", "src/upstream", "src/wire", "src/translate",
         "src/http")
LOG = re.compile(r"\blog_(?:error|warning|notice|info|debug)\s*\(")
# What says or opens anything else.
SAYS = re.compile(r"(?<![\w.>])(?:v?d?f?printf|fputs|fwrite|puts|perror|syslog"
                  r"|fopen|open|openat|creat|mkstemp|execv\w*)\s*\(")
# Functions whose text is of a fixed list.
NAMES = re.compile(r"^(?:\w+_name|\w+_explain|strerror)\s*\(")
# The operator's own words, and why.
TEXTS = {
    ("src/worker/catalogue_view.c", "name"): "a channel's name",
    ("src/worker/catalogue_view.c", "c->channel->name"): "a channel's name",
    ("src/worker/worker.c", "text"): "what the kernel lacks",
    ("src/worker/relay.c", "what"): "a literal of its callers",
    ("src/worker/relay.c", "name"): "the name of an enum's value",
}
AGENT = re.compile(r"record\s*(?:\.|->)\s*agent|(?<!user_)\bagent\[")


def bare(text):
    """Without comments, lines kept."""
    return re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text,
                  flags=re.DOTALL)


def arguments(text, at):
    """Those of the call whose parenthesis is before `at`, split at commas."""
    depth, start, found, quoted = 0, at, [], None
    while True:
        c = text[at]
        if quoted:
            if c == "\\":
                at += 1
            elif c == quoted:
                quoted = None
        elif c in "\"'":
            quoted = c
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            if depth == 0:
                return found + [text[start:at].strip()]
            depth -= 1
        elif c == "," and depth == 0:
            found.append(text[start:at].strip())
            start = at + 1
        at += 1


def check_log(path, text, match):
    first, *rest = arguments(text, match.end())
    line = text.count("\n", 0, match.start()) + 1
    if not re.fullmatch(r'(?:\s*(?:"(?:[^"\\]|\\.)*"|PRI\w+))+', first):
        yield f"{path}:{line}: the format is not a literal"
        return
    form = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"|(PRI\w+)', first)[i][0]
                   or "d" for i in range(len(re.findall(
                       r'"((?:[^"\\]|\\.)*)"|(PRI\w+)', first))))
    given = iter(rest)
    for width, kind in re.findall(
            r"%(?!%)[-+ #0-9]*(\*?\.?\*?[0-9]*)(?:hh|ll|[hlzjt])?([a-zA-Z])",
            form):
        for _ in range(width.count("*")):
            next(given, None)
        value = next(given, "")
        if kind != "s":
            continue
        if "*" in width:
            yield f"{path}:{line}: a text by its length: {value}"
        elif not (value.startswith('"') or NAMES.match(value) or
                  (path, value) in TEXTS):
            yield f"{path}:{line}: a text that is none of the listed: {value}"


def lint(root):
    for room in ROOMS:
        for file in sorted((root / room).glob("*.c")):
            path = file.relative_to(root).as_posix()
            text = bare(file.read_text())
            for match in LOG.finditer(text):
                yield from check_log(path, text, match)
            for number, line in enumerate(text.split("\n"), 1):
                if SAYS.search(line):
                    yield f"{path}:{number}: says or opens something: {line}"
                if AGENT.search(line) and path != "src/worker/request.c":
                    yield f"{path}:{number}: text into a record: {line}"


def record_members(root):
    """Members of a call's record that can hold text."""
    text = bare((root / "shm/record.h").read_text())
    body = re.search(r"struct call_record \{(.*?)\n\};", text,
                     re.DOTALL).group(1)
    return set(re.findall(r"(?:char|uint8_t) (\w+)\[", body))


BROKEN = {
    "src/worker/a.c": """
static void f(struct call *c) {
	log_info("body: %s", c->body.data);
	log_info(c->body.data);
	log_error("seen n=%d text=%.*s", 4, 5, c->p);
	fprintf(stderr, "x");
	memcpy(c->record.agent, c->body.data, 9);
	log_info("fine: %s %" PRIu64 " %s", wire_error_name(e), n, "literal");
}
""",
    "src/wire/b.c": """
static void g(void) {
	int fd = open("/tmp/x", 0);
	log_warning("a %s", /* enum */ upstream_text(x));
}
""",
}


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, text in BROKEN.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        found = list(lint(root))
    wanted = ("a text that is none of the listed: c->body.data",
              "the format is not a literal", "a text by its length: c->p",
              "says or opens something: \tfprintf",
              "text into a record", "says or opens something: \tint fd",
              "a text that is none of the listed: upstream_text(x)")
    missing = [w for w in wanted if not any(w in f for f in found)]
    if missing or len(found) != len(wanted):
        sys.exit(f"FAIL: the linter misses {missing} or finds more: {found}")


def main():
    self_test()
    root = pathlib.Path(os.environ.get(
        "YOUYUN_SRCDIR", pathlib.Path(__file__).resolve().parents[2]))
    found = list(lint(root))
    members = record_members(root)
    if members != {"request_id", "address", "agent", "spare"}:
        found.append(f"shm/record.h: bytes in a record: {sorted(members)}")
    for line in found:
        print(f"FAIL: {line}", file=sys.stderr)
    files = sum(len(list((root / r).glob("*.c"))) for r in ROOMS)
    if files < 40:
        sys.exit(f"FAIL: only {files} files were looked at")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
