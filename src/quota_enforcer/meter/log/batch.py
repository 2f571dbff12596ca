"""One delivery's events, sorted into what is added and what is not, and why."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.meter.log.charge import CallCharger
from quota_enforcer.meter.log.record import Counted, Quarantined, Skipped, read
from quota_enforcer.meter.ports import EventPointer, LogEvent, UsageEntry


@dataclass(slots=True)
class Batch:
    """What was read so far."""

    additions: list[UsageEntry] = field(default_factory=list)
    quarantined: list[EventPointer] = field(default_factory=list)
    failed: list[EventPointer] = field(default_factory=list)
    """Events that could not be read for a reason that will pass."""
    failed_at: list[datetime] = field(default_factory=list)
    """When these may have been."""
    skipped: Counter[str] = field(default_factory=Counter)
    touched: set[Principal] = field(default_factory=set)
    unattributed: int = 0
    incomplete: int = 0
    """Calls of which the log lacks a count of tokens."""
    called: dict[Principal, dict[str, datetime]] = field(default_factory=dict)
    """When whoever is touched called each model last."""
    used: dict[Principal, Counts] = field(default_factory=dict)
    """What it all comes to for whoever is touched."""
    unpriced: set[Principal] = field(default_factory=set)
    """Who called a model of which a price is unknown."""
    days: set[date] = field(default_factory=set)
    """On which the calls were."""
    since: datetime | None = None
    """When the oldest call was."""
    _events: dict[str, LogEvent] = field(default_factory=dict)  # by their calls' keys

    def read(self, calls: CallCharger, event: LogEvent, now: datetime) -> None:
        """Sort in one event; none is so bad that it stops the others."""
        try:
            reading = calls.read(event, now)
        except Exception as error:  # noqa: BLE001 - the others of the batch go on
            self.failed.append(_pointer(event, f"it cannot be read: {type(error).__name__}"))
            self.failed_at += moments_of(event)
            return
        match reading:
            case Skipped(reason):
                self.skipped[reason] += 1
            case Quarantined(reason):
                self.quarantined.append(_pointer(event, reason))
            case UsageEntry() as call:
                self.additions.append(call)
                self.since = min(call.at, self.since or call.at)
                self._events[call.key] = event._replace(message="")
                self.touched.update(bucket.principal for bucket in call.buckets)
                for bucket in call.buckets:
                    last = self.called.setdefault(bucket.principal, {})
                    last[bucket.model] = max(call.at, last.get(bucket.model, call.at))
                    before = self.used.get(bucket.principal, Counts())
                    self.used[bucket.principal] = Counts.total((before, call.counts))
                    self.unpriced |= {bucket.principal} if call.unpriced else set()
                    self.days.add(bucket.day)
                self.unattributed += call.buckets[0].principal.kind is Kind.OTHER
                self.incomplete += call.counts.incomplete_requests

    def pointer(self, key: str, reason: str) -> EventPointer:
        """Where the call with this key is in the log."""
        return _pointer(self._events[key], reason)

    def time(self, key: str) -> datetime:
        """When the log says that the call with this key was."""
        return time_of(self._events[key])

    def lag(self, now: datetime) -> float | None:
        """How old the oldest call is, in seconds; None if there is none."""
        ages = ((now - call.at).total_seconds() for call in self.additions)
        oldest = max(ages, default=None)
        return None if oldest is None else max(oldest, 0.0)


def time_of(event: LogEvent | EventPointer) -> datetime:
    """When the log says that it was, in UTC."""
    return datetime.fromtimestamp(event.timestamp / 1000, UTC)


def moments_of(event: LogEvent) -> list[datetime]:
    """When a call may have been that cannot be read now: by the log, and by its own record.

    The log may have it in the hour after.
    """
    own = read(event.message)
    return [time_of(event), own.at] if isinstance(own, Counted) else [time_of(event)]


def _pointer(event: LogEvent, reason: str) -> EventPointer:
    return EventPointer(event.id, event.timestamp, reason)
