"""Figures, each beside the aim that it is held to.

Counts, sums and ratios are the same on every machine, so one that misses its aim ends the script
with exit code 1. Seconds are not: they are shown beside their aim, and nothing fails.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

COLLECT = "BENCH_FIGURES"
"""The variable that names the file to which scripts add theirs; see `bench/__main__.py`."""
_TIMES = frozenset({"s", "ms"})


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, in its unit, and the most that it may be."""

    name: str
    value: float
    unit: str
    at_most: float | None = None

    @property
    def held(self) -> bool:
        return self.at_most is None or self.value <= self.at_most

    @property
    def missed(self) -> bool:
        """Whether the product, and not the machine, is beyond what was promised."""
        return not self.held and self.unit not in _TIMES

    def __str__(self) -> str:
        aim = "-" if self.at_most is None else f"at most {_shown(self.at_most)}"
        verdict = "MISSED" if self.missed else "held" if self.held else "slower here"
        verdict = "" if self.at_most is None else verdict
        return f"| {self.name} | {_shown(self.value)} {self.unit} | {aim} | {verdict} |"


def report(figures: Iterable[Figure]) -> None:
    """Print a script's figures, and end it with exit code 1 where one misses its aim."""
    figures = list(figures)
    print()
    print(table(figures))
    if COLLECT in os.environ:
        with Path(os.environ[COLLECT]).open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(each)) + "\n" for each in figures)
    if any(each.missed for each in figures):
        raise SystemExit(1)


def collected(file: Path) -> list[Figure]:
    """What the scripts have added."""
    return [Figure(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]


def table(figures: Iterable[Figure]) -> str:
    """In Markdown."""
    return "\n".join(["| figure | measured | aim | |", "|---|---:|---:|---|", *map(str, figures)])


def _shown(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
