"""Runs sdk.test.mjs: the official clients, installed as the lock file says
into the build directory, against a gateway of its own."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "http"))

import harness  # noqa: E402
from channels import Channels  # noqa: E402

MODELS = ["fast", "demo", "bytes1", "status-429", "reset", "cut-mid-stream",
          "drip-100-50"]
SKIP = 77


def install(folder):
    """npm ci into folder, if it doesn't hold just these packages yet."""
    lock = (HERE / "package-lock.json").read_bytes()
    want = hashlib.sha256(
        lock + (HERE / "package.json").read_bytes()).hexdigest()
    stamp = folder / "node_modules/.installed"
    if stamp.exists() and stamp.read_text() == want:
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        (folder / name).write_bytes((HERE / name).read_bytes())
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit",
                    "--no-fund"], cwd=folder, check=True)
    stamp.write_text(want)


def main():
    for program in ("node", "npm"):
        if not shutil.which(program):
            print(f"{program} is missing: apt-get install nodejs npm")
            return SKIP
    folder = harness.BUILD / "tests/clients/sdk"
    install(folder)
    # Node looks for packages beside the script.
    script = folder / "sdk.test.mjs"
    script.write_bytes((HERE / "sdk.test.mjs").read_bytes())
    gateway = harness.Gateway(MODELS)
    try:
        channels = Channels(gateway)
        # Each by one protocol alone.
        for protocol in ("openai", "anthropic", "gemini"):
            channels.add(f"{protocol}-alone", "fast", [f"only-{protocol}"],
                         protocol=protocol)
            channels.open(f"only-{protocol}")
        poor = gateway.add_customer("poor")
        done = subprocess.run(
            ["node", "--test", script], check=False, cwd=folder,
            timeout=300 * harness.PATIENCE, env=os.environ | {
                "BASE_URL": f"https://127.0.0.1:{gateway.port}",
                "KEY": gateway.key, "POOR_KEY": poor,
                "NODE_EXTRA_CA_CERTS": str(gateway.certs.ca)})
        gateway.settled()
        gateway.verify()
        gateway.stop()
    finally:
        gateway.clean_up()
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
