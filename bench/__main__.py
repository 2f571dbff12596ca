"""Run the scripts one after the other, and lay every figure beside its aim: `python bench [NAME]`.

It ends with exit code 1 where a count or a ratio misses its aim, or a script fails.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.parts.figures import COLLECT, collected, table
else:  # a script finds what lies beside it
    from parts.figures import COLLECT, collected, table

HERE = Path(__file__).parent
PATIENCE = 900
"""Seconds for one script."""


def main() -> int:
    """Run those that are named, or all; print their figures in one table at the end."""
    names = sys.argv[1:] or sorted(each.stem for each in HERE.glob("[!_]*.py"))
    failed: list[str] = []
    began = time.monotonic()
    with TemporaryDirectory() as folder:
        file = Path(folder, "figures.jsonl")
        file.touch()
        for name in names:
            print(f"\n## {name}\n", flush=True)
            command = [sys.executable, str(HERE / f"{name}.py")]
            environment = os.environ | {COLLECT: str(file)}
            done = subprocess.run(command, env=environment, check=False, timeout=PATIENCE)  # noqa: S603
            failed += [name] * bool(done.returncode)
        figures = collected(file)
    print(f"\n## All figures, in {time.monotonic() - began:.0f} s\n\n{table(figures)}")
    if failed:
        print(f"\nbench: failed or missed an aim: {', '.join(failed)}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
