"""What the watch over the meter needs from outside."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from quota_enforcer.core.notices.notice import Notice
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.meter.watch.compare import Witnessed


@dataclass(frozen=True, slots=True)
class WatchMemory:
    """What one look leaves for the next."""

    since: datetime
    """The first hour that is looked at: before it nothing was tallied."""
    seen_to: datetime
    """The moment of the last look."""
    asked: Mapping[datetime, datetime] = field(default_factory=dict)
    """Hours with a gap whose recount was asked for, and when."""
    lost: frozenset[datetime] = frozenset()
    """Hours with a gap that the log does not close."""
    excess: frozenset[datetime] = frozenset()
    """Hours in which more was metered than Bedrock counted."""
    lost_told: datetime | None = None
    excess_told: datetime | None = None


@dataclass(frozen=True, slots=True)
class HourTally:
    """What was metered in one hour, by canonical model."""

    models: Mapping[str, Counts] = field(default_factory=dict)
    from_log: bool = False
    """Whether a recount has set it."""


class LogTraffic(NamedTuple):
    """What the log-delivery metrics of CloudWatch Logs say of the log group in some hours."""

    arrived: int
    """Log events."""
    handed_on: int
    """Those that the meter's subscription got."""
    to_others: int = 0
    """Those that other subscriptions of the group got."""


class WatchLedger(Protocol):
    """The ledger, as far as the watch touches it."""

    def tallies(self, start: datetime, end: datetime) -> Mapping[datetime, HourTally]:
        """By the start of the hour, of those in [start, end]."""

    def watch_memory(self) -> WatchMemory | None:
        """None before the first look."""

    def keep_watch_memory(self, memory: WatchMemory) -> None: ...

    def ask_recounts(self, hours: Iterable[datetime], now: datetime) -> None:
        """Ask that these hours be set from the log once they are closed."""

    def post(self, notices: Iterable[Notice]) -> None:
        """Put notices into outbox and history; the next sweep sends them."""


class Witness(Protocol):
    """CloudWatch, as far as AWS itself writes its metrics."""

    def counted(self, hours: Sequence[datetime]) -> Mapping[datetime, Mapping[str, Witnessed]]:
        """What Bedrock counted in these hours that follow each other, by canonical model."""

    def log_traffic(self, start: datetime, end: datetime) -> LogTraffic:
        """What came into the log group and went on from it."""
