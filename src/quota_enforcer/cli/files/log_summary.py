"""How the entries of a log read, in some lines for people."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from quota_enforcer.cli.files.logs import RIGHT_FORM
from quota_enforcer.core.notices.amounts import and_more, count
from quota_enforcer.core.principal import Kind
from quota_enforcer.meter.log.record import (
    EMPTY_LINE,
    FAILED_CALL,
    Counted,
    Quarantined,
    Reading,
    Skipped,
)

REASONS = 10
"""How many reasons are named; damaged values can make each line's reason its own."""
_ACCOUNT = 4
"""The place of the account in an ARN, which is split at its colons."""

STATUS: dict[type[Reading], str] = {
    Counted: "counted", Skipped: "skipped", Quarantined: "quarantined",
}  # fmt: skip


@dataclass(slots=True)
class LogSummary:
    """The lines read so far, by status and by reason, and the accounts whose people called."""

    statuses: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    accounts: set[str] = field(default_factory=set)
    incomplete: int = 0
    """Calls that lack a count of tokens."""
    home: str = ""
    """The home account, if somebody said which it is."""

    def add(self, reading: Reading) -> None:
        status = STATUS[type(reading)]
        self.statuses[status] += 1
        if not isinstance(reading, Counted):
            self.reasons[status, reading.reason] += 1
            return
        self.incomplete += reading.counts.incomplete_requests
        if reading.identity.principal.kind is not Kind.OTHER:
            self.accounts.add(reading.arn.split(":")[_ACCOUNT])

    def lines(self) -> Iterator[str]:
        parts = ", ".join(f"{self.statuses[status]:,} {status}" for status in STATUS.values())
        total = self.statuses.total()
        yield f"{count(total, 'line')}: {parts}"
        for (status, reason), times in self.reasons.most_common(REASONS):
            yield f"{times:,} {status}: {reason}"
        if more := and_more(len(self.reasons), REASONS, "reasons"):
            yield f"{more}: `quota-enforcer read-log` names each with --json"
        if self.incomplete:
            yield (
                f"{self.incomplete:,} of the counted lack a count of tokens, as where a stream "
                "broke off: what they used of them is unknown"
            )
        if self._foreign:
            yield f"Nothing of it is a record as Bedrock writes them: {RIGHT_FORM}"
        if len(self.accounts) > 1 and not self.home:
            named = ", ".join(sorted(self.accounts))
            yield (
                f"It holds people of {len(self.accounts)} accounts ({named}): the same name counts "
                "as one here. With --account and the number of the home account those of the "
                "others are told apart"
            )

    @property
    def _foreign(self) -> bool:
        """Whether there are lines, none of which is a call, a failed one included."""
        read = self.statuses[STATUS[Counted]] + sum(
            times for (_, reason), times in self.reasons.items() if reason.startswith(FAILED_CALL)
        )
        return not read and any(reason != EMPTY_LINE for _, reason in self.reasons)
