"""How spend is shown: as CSV and JSON with every decimal place, or in a table for people."""

import csv
import io
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from quota_enforcer.cli.terminal.output import hint, is_roomy, say, say_table
from quota_enforcer.core.notices.amounts import dollars, exact
from quota_enforcer.core.usage.counts import OBSERVED, Counts
from quota_enforcer.insight.usage import Asked, By, Key

COLUMNS = Counts._fields
"""Requests, the counts of tokens, what they cost, and the part of that at assumed prices."""
_COUNTED = [each.removesuffix("_tokens").replace("_", " ").capitalize() for each in OBSERVED]
_WIDE = (*_COUNTED, "Cost")
_NARROW = ("Requests", "Tokens", "Cost")


def as_csv_text(rows: Mapping[Key, Counts], asked: Asked) -> str:
    """A header line, then a line for each row."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow((*asked.by, *COLUMNS))
    for key, counts in rows.items():
        writer.writerow((*key, *_exact(counts)))
    return written.getvalue()


def _exact(counts: Counts) -> tuple[int | str, ...]:
    """Counts as numbers, money as text to the last decimal place."""
    return tuple(exact(each) if isinstance(each, Decimal) else each for each in counts)


def document(rows: Mapping[Key, Counts], asked: Asked) -> dict[str, Any]:
    """The rows and their total."""

    def counted(counts: Counts) -> dict[str, Any]:
        return dict(zip(COLUMNS, _exact(counts), strict=True))

    return {
        "from": str(asked.first),
        "to": str(asked.last),
        "by": asked.by,
        "rows": [
            {**dict(zip(asked.by, key, strict=True)), **counted(counts)}
            for key, counts in rows.items()
        ],
        "total": counted(Counts.total(rows.values())),
    }


def show(rows: Mapping[Key, Counts], asked: Asked, zone: str, limit: int | None) -> None:
    """Columns that hold the same in every row are left to the heading."""
    days = f"{asked.first} to {asked.last}, {zone}"
    if not rows:
        say(f"Nobody used Bedrock: {days}.")
        return
    telling = [
        place for place in range(len(asked.by)) if len({key[place] for key in rows}) > 1
    ] or [0]
    same = [
        f"{asked.by[place]} {next(iter(rows))[place] or 'none'}"
        for place in range(len(asked.by))
        if place not in telling and asked.by[place] is not By.MONTH
    ]
    say(", ".join((f"Usage {days}", *same)))
    numbers = _WIDE if is_roomy() else _NARROW
    shown = list(rows.items())[:limit]
    table = [
        (*(key[place] or "-" for place in telling), *_numbers(counts, numbers))
        for key, counts in shown
    ]
    total = Counts.total(rows.values())
    table.append(("Total", *("" for _ in telling[1:]), *_numbers(total, numbers)))
    head = [asked.by[place].capitalize() for place in telling]
    say_table((*head, *numbers), table, numbers=numbers)
    if len(shown) < len(rows):
        hint(f"{len(rows) - len(shown):,} more rows: --limit 0 shows all.")
    if By.TEAM in asked.by:
        hint("Teams are as of today's membership.")
    if total.assumed_usd:
        hint(f"~ {dollars(total.assumed_usd)} of the cost is at assumed prices.")


def _numbers(counts: Counts, columns: tuple[str, ...]) -> tuple[str, ...]:
    """`~` marks money that is partly assumed."""
    about = "~" if counts.assumed_usd else ""
    cost = f"{about}{dollars(counts.cost_usd)}"
    if columns is _NARROW:
        return f"{counts.requests:,}", f"{counts.tokens:,}", cost
    return (*(f"{number:,}" for number in counts[: len(OBSERVED)]), cost)
