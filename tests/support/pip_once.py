"""A `python` whose `-m pip install` keeps what it installed by hashes, for a Makefile.

By hashes it is the same each time; to find, check and unpack it takes pip some seconds.
"""

import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

KEPT_IN = "PIP_ONCE_KEEPS_IN"
"""The variable with a folder to keep it in."""


def install(arguments: list[str]) -> None:
    assert "--require-hashes" in arguments
    after = arguments.index("--target") + 1
    requirements = Path(arguments[arguments.index("--requirement") + 1])
    asked = [*arguments[:after], *arguments[after + 1 :], requirements.read_text(encoding="utf-8")]
    every = Path(os.environ[KEPT_IN])
    kept = every / sha256("\n".join(asked).encode()).hexdigest()
    if not kept.is_dir():
        shutil.rmtree(every)
        made = every / "made"
        command = [sys.executable, *arguments[:after], str(made), *arguments[after + 1 :]]
        subprocess.run(command, check=True)  # noqa: S603
        made.rename(kept)
    shutil.copytree(kept, arguments[after], dirs_exist_ok=True)


if __name__ == "__main__":
    install(sys.argv[1:])
