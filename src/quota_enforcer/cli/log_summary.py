"""What became of the lines of a log file, for people."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from quota_enforcer.core.records import Counted, Quarantined, Reading, Skipped

REASONS = 10
"""How many reasons are named; damaged values can make each line's reason its own."""
STATUS: dict[type[Reading], str] = {
    Counted: "counted", Skipped: "skipped", Quarantined: "quarantined",
}  # fmt: skip


@dataclass(slots=True)
class LogSummary:
    """The lines read so far, by status and by reason."""

    statuses: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, reading: Reading) -> None:
        """Note one more line."""
        status = STATUS[type(reading)]
        self.statuses[status] += 1
        if not isinstance(reading, Counted):
            self.reasons[status, reading.reason] += 1

    def lines(self) -> Iterator[str]:
        """The summary, one sentence a line."""
        parts = ", ".join(f"{self.statuses[status]:,} {status}" for status in STATUS.values())
        yield f"{self.statuses.total():,} lines: {parts}"
        for (status, reason), times in self.reasons.most_common(REASONS):
            yield f"{times:,} {status}: {reason}"
        if len(self.reasons) > REASONS:
            more = len(self.reasons) - REASONS
            yield f"and {more:,} more reasons: `quota-enforcer read-log` names each with --json"
