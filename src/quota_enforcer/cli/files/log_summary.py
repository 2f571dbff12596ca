"""What became of the lines of a log file, for people."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from quota_enforcer.core.principal import Kind
from quota_enforcer.meter.log.record import Counted, Quarantined, Reading, Skipped

REASONS = 10
"""How many reasons are named; damaged values can make each line's reason its own."""
_ACCOUNT = 4
"""Where the account stands between the colons of an ARN."""
STATUS: dict[type[Reading], str] = {
    Counted: "counted", Skipped: "skipped", Quarantined: "quarantined",
}  # fmt: skip


@dataclass(slots=True)
class LogSummary:
    """The lines read so far, by status and by reason, and the accounts whose people called."""

    statuses: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    accounts: set[str] = field(default_factory=set)

    def add(self, reading: Reading) -> None:
        """Note one more line."""
        status = STATUS[type(reading)]
        self.statuses[status] += 1
        if not isinstance(reading, Counted):
            self.reasons[status, reading.reason] += 1
        elif reading.identity.principal.kind is not Kind.OTHER:
            self.accounts.add(reading.arn.split(":")[_ACCOUNT])

    def lines(self) -> Iterator[str]:
        """The summary, one sentence a line."""
        parts = ", ".join(f"{self.statuses[status]:,} {status}" for status in STATUS.values())
        total = self.statuses.total()
        yield f"{total:,} {'line' if total == 1 else 'lines'}: {parts}"
        for (status, reason), times in self.reasons.most_common(REASONS):
            yield f"{times:,} {status}: {reason}"
        if len(self.reasons) > REASONS:
            more = len(self.reasons) - REASONS
            yield f"and {more:,} more reasons: `quota-enforcer read-log` names each with --json"
        if len(self.accounts) > 1:
            named = ", ".join(sorted(self.accounts))
            yield (
                f"It holds people of {len(self.accounts)} accounts ({named}): the same name counts "
                "as one here, while a deployment meters one account"
            )
