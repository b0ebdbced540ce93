"""What tests of channels share: models that are served by several channels,
each of which behaves as the upstream's name of the model says."""

import itertools

import harness
from harness import CHAT, MESSAGES, chat, message

SERIAL = itertools.count(1)


class Channels:
    """Makes models and channels in a gateway."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.key_file = gateway.folder / "credential"
        self.wrong_file = gateway.folder / "wrong"
        self.wrong_file.write_text("sk-wrong-key\n")

    def add(self, name, upstream, models, *more, protocol="openai",
            url=None, ca=True, key=None):
        """A channel; models: names that it serves as `upstream`."""
        self.gateway.ctl(
            "channel", "add", name, "--protocol", protocol, "--url",
            url or self.gateway.upstream.url, "--credential-file",
            key or self.key_file,
            *(["--ca", self.gateway.certs.ca] if ca else []),
            *[part for model in models
              for part in ("--model", f"{model}={upstream}")], *more)

    def open(self, model, protocol="openai"):
        """Prices the model, which is the last thing it lacks, and waits."""
        self.price(model)
        headers = harness.ANTHROPIC if protocol == "anthropic" else None
        harness.wait_until(
            lambda: model in [m["id"] for m in self.gateway.get(
                "/v1/models", headers).json["data"]], f"model {model}", 5)

    def price(self, model):
        self.gateway.ctl("price", "set", model, *[
            part for price, value in harness.PRICES.items()
            for part in (f"--{price}", value)])

    def route(self, *upstreams, protocol="openai", same=False, key=None):
        """A new model by one channel for each upstream behaviour, tried in
        that order (or, if same, of one priority); returns the model and the
        channels' names.  An upstream is a name, or (name, option...)."""
        serial = next(SERIAL)
        model = f"model-{serial}"
        names = []
        for place, upstream in enumerate(upstreams):
            behaviour, *more = (upstream if isinstance(upstream, tuple)
                                else (upstream,))
            names.append(f"c{serial}-{place}")
            self.add(names[-1], behaviour, [model], "--priority",
                     0 if same else place, *more, protocol=protocol, key=key)
        self.open(model, protocol)
        return model, names

    def row(self, name):
        row, = [row for row in self.gateway.rows("channel", "list")
                if row["name"] == name]
        return row

    def credentials(self, name):
        return self.gateway.rows("channel", "credential", "list", name)

    def seen(self, since=0):
        """The models that the upstream was asked for, in order."""
        return [harness.json.loads(r["raw"])["model"]
                for r in self.gateway.upstream.requests()[since:]
                if r["target"] in (CHAT, MESSAGES)]


def body_for(protocol, model, stream=False, **more):
    """(path, body)"""
    if protocol == "anthropic":
        return MESSAGES, message(model, stream, **more)
    return CHAT, chat(model, stream, **more)
