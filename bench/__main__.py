"""Run all scripts, and lay every figure beside its aim: `python bench [NAME ...]`.

Those that only count run one after the other beside those that look at the clock, which have a
processor for themselves. It ends with exit code 1 where a count or a ratio misses its aim, or a
script fails.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
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
COUNTING = frozenset({"calls", "costs", "meter", "overshoot", "unusual", "ways"})
"""Scripts whose figures are the same however busy the machine is."""


def main() -> int:
    """Run those that are named, or all; print their figures in one table at the end."""
    names = sys.argv[1:] or sorted(each.stem for each in HERE.glob("[!_]*.py"))
    began = time.monotonic()
    with TemporaryDirectory() as folder, ThreadPoolExecutor(2) as lanes:
        files = {name: Path(folder, name) for name in names}
        halves = [
            [name for name in names if (name in COUNTING) is counting] for counting in (True, False)
        ]
        failed = sorted(
            name for lane in lanes.map(lambda half: run(half, files), halves) for name in lane
        )
        figures = [
            each for name in names if files[name].exists() for each in collected(files[name])
        ]
    print(f"\n## All figures, in {time.monotonic() - began:.0f} s\n\n{table(figures)}")
    if failed:
        print(f"\nbench: failed or missed an aim: {', '.join(failed)}")
    return int(bool(failed))


def run(names: Iterable[str], files: dict[str, Path]) -> list[str]:
    """Run these one after the other, each with a file for its figures; who failed."""
    failed = []
    for name in names:
        command = [sys.executable, str(HERE / f"{name}.py")]
        environment = os.environ | {COLLECT: str(files[name])}
        done = subprocess.run(  # noqa: S603
            command, env=environment, check=False, timeout=PATIENCE, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        print(f"\n## {name}\n\n{done.stdout}", end="", flush=True)
        failed += [name] * bool(done.returncode)
    return failed


if __name__ == "__main__":
    sys.exit(main())
