"""Runs translated.test.mjs: the official clients on translated answers, without
a gateway."""

import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import test_sdks  # noqa: E402

SKIP = 77


def main():
    for program in ("node", "npm"):
        if not shutil.which(program):
            print(f"{program} is missing: apt-get install nodejs npm")
            return SKIP
    build = pathlib.Path(os.environ["YOUYUN_BUILDDIR"])
    folder = build / "tests/clients/translated"
    test_sdks.install(folder)
    script = folder / "translated.test.mjs"
    script.write_bytes((HERE / script.name).read_bytes())
    done = subprocess.run(
        ["node", "--test", script], check=False, cwd=folder, timeout=600,
        env=os.environ | {
            "TRANSLATE": str(build / "tests/translate/translate")})
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
