"""`read-log`: what the record reader makes of each line of an invocation log."""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from quota_enforcer.cli.log_lines import STDIN, log_lines
from quota_enforcer.cli.output import hint, plain, say, say_table
from quota_enforcer.core.measure import OBSERVED, Counts
from quota_enforcer.core.model import canonical_model
from quota_enforcer.core.records import Counted, Quarantined, Reading, Skipped, read

REASONS = 10
"""How many reasons the summary names; damaged values can make each line's reason its own."""
_HEAD = (
    "Principal", "Model", "Requests", "Input tokens", "Output tokens", "Cache read", "Cache write",
)  # fmt: skip
_STATUS: dict[type[Reading], str] = {
    Counted: "counted", Skipped: "skipped", Quarantined: "quarantined",
}  # fmt: skip


def _is_there(file: Path) -> Path:
    if file != STDIN and (file.is_dir() or not file.exists()):
        raise typer.BadParameter(f"there is no file {str(file)!r}: name one, or - for stdin")
    return file


def read_log(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            callback=_is_there,
            help="A log of one record a line, plain or gzip; - for stdin.",
        ),
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Show which calls an invocation log counts, and what it skips and quarantines, and why.

    It needs no AWS account. The summary goes to stderr.

    Examples:
      quota-enforcer read-log calls.jsonl
      zcat calls.gz | quota-enforcer read-log - --json
    """
    summary = _Summary()
    try:
        for number, reading in enumerate(map(read, log_lines(file)), start=1):
            summary.add(reading)
            if as_json:
                sys.stdout.write(json.dumps(_document(number, reading), default=plain) + "\n")
    finally:  # also where the file breaks off: what could be read is shown before the error
        if not as_json:
            _show(summary)
        for line in summary.lines():
            hint(line)


@dataclass(slots=True)
class _Summary:
    """What was read so far."""

    statuses: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    used: defaultdict[tuple[str, str], Counts] = field(
        default_factory=lambda: defaultdict(Counts)
    )  # by principal and model

    def add(self, reading: Reading) -> None:
        status = _STATUS[type(reading)]
        self.statuses[status] += 1
        if isinstance(reading, Counted):
            whose = str(reading.identity.principal), canonical_model(reading.model_id)
            self.used[whose] = Counts.total((self.used[whose], reading.counts))
        else:
            self.reasons[status, reading.reason] += 1

    def lines(self) -> Iterator[str]:
        """The summary for people."""
        parts = ", ".join(f"{self.statuses[status]:,} {status}" for status in _STATUS.values())
        yield f"{self.statuses.total():,} lines: {parts}"
        for (status, reason), times in self.reasons.most_common(REASONS):
            yield f"{times:,} {status}: {reason}"
        if len(self.reasons) > REASONS:
            yield f"and {len(self.reasons) - REASONS:,} more reasons: --json names each"


def _show(summary: _Summary) -> None:
    if not summary.used:
        say("No call was counted.")
        return
    say_table(
        _HEAD,
        [
            (*whose, *(f"{number:,}" for number in counts[: len(OBSERVED)]))
            for whose, counts in sorted(summary.used.items())
        ],
        numbers=_HEAD[2:],
    )


def _document(number: int, reading: Reading) -> dict[str, Any]:
    """One line's JSON object; the same keys whatever the status."""
    counted = reading if isinstance(reading, Counted) else None
    return {
        "line": number,
        "status": _STATUS[type(reading)],
        "reason": None if isinstance(reading, Counted) else reading.reason,
        "at": counted and counted.at,
        "principal": counted and str(counted.identity.principal),
        "model": counted and canonical_model(counted.model_id),
        **dict(zip(OBSERVED, counted.counts if counted else Counts(), strict=False)),
        **_price(counted),
    }


def _price(counted: Counted | None) -> dict[str, str | None]:
    """What the call cost, as a decimal text, and the price that was taken; null without one."""
    del counted  # no prices yet: they will be found by model id, Region and how caches were written
    return {"cost_usd": None, "priced_as": None}
