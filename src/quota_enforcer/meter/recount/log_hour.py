"""What the log holds of one hour: each call once, even if it is logged twice."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.window import hour_start, minute_start, next_hour
from quota_enforcer.meter.log.batch import time_of
from quota_enforcer.meter.log.record import Counted, Quarantined, Skipped, read
from quota_enforcer.meter.ports import UsageEntry

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from quota_enforcer.core.usage.stored import Bucket, Source
    from quota_enforcer.meter.adapters import MeterAdapters, MeteredLogGroup
    from quota_enforcer.meter.ports import LogEvent

EARLIER = timedelta(minutes=5)
LATER = timedelta(minutes=70)
"""How far the log's time of an event may be from the record's own, before it and after it."""

_ZERO = Counts()


def searched(hour: datetime, zone: "ZoneInfo") -> tuple[datetime, datetime]:
    """From when to when the log is read for the calls of an hour, by the times of its events."""
    return hour - EARLIER, next_hour(hour, zone) + LATER


class LogHour:
    """The usage of one hour, by its start, as `read` finds it in one log group."""

    def __init__(self, hour: datetime, log_group: "MeteredLogGroup") -> None:
        self._hour = hour
        self._log_group = log_group
        self.sums: dict[Bucket, Counts] = {}
        self.models: dict[str, Counts] = {}
        """The sums of each call once, while one call may be in the buckets of several."""
        self.lines = 0
        self.unread: Counter[str] = Counter()
        self.left_out: set[str] = set()
        self.people: set[Source] = set()
        self.minutes: dict[Bucket, dict[datetime, Counts]] = {}
        """Of those whose usage is counted by the minute too."""
        self.counted_by_minute: frozenset[str] = frozenset()
        self._keys: set[str] = set()
        self._elsewhere: dict[str, datetime] = {}
        """Events to be left out that are calls of another hour, and its start in UTC."""
        self._skipped: dict[str, str] = {}
        """Those that are no usage anyway, and why."""

    @property
    def records(self) -> int:
        return len(self._keys)

    def read(self, adapters: "MeterAdapters", left_out: frozenset[str]) -> None:
        """Read all but the events that are left out."""
        zone = self._log_group.zone
        end = next_hour(self._hour, zone)
        rules = adapters.ledger.meter_rules()
        calls = adapters.calls(rules, self._log_group)
        self.counted_by_minute = rules.minutes
        for event in adapters.log.events(*searched(self._hour, zone)):
            inside = self._hour <= time_of(event) < end
            self.lines += inside
            if event.id in left_out:
                self._leave_out(event)
                continue
            # Against the event's own time: by now a wrong date of that day may have come true.
            match calls.read(event, time_of(event)):
                case UsageEntry() as call if call.hour == self._hour:
                    self._add(call)
                case Quarantined(reason) if inside:
                    self.unread[reason] += 1
                case _:
                    pass

    def why_not_left_out(self, event: str) -> str:
        """Why leaving out an event would change nothing in this hour."""
        hour = f"{self._hour:%Y-%m-%dT%H:%M}Z"
        if event in self._skipped:
            return f"event {event} counts nothing: {self._skipped[event]}; there is no need for it"
        if event in self._elsewhere:
            other = f"{self._elsewhere[event]:%Y-%m-%dT%H:%M}Z"
            return (
                f"event {event} is a call in the hour from {other}, not in that from {hour}: "
                f"`quota-enforcer recount {other} --without {event}{self._log_group.option}`"
            )
        return (
            f"the log {self._log_group.shown} has no event {event} in the hour from {hour}: "
            "take the eventId that `aws logs filter-log-events` shows"
        )

    def _leave_out(self, event: "LogEvent") -> None:
        """An event that was asked for, by what its record says: the log may date it otherwise."""
        match read(event.message, self._log_group.account):
            case Skipped(reason):
                self._skipped[event.id] = reason
            case reading:
                at = reading.at if isinstance(reading, Counted) else time_of(event)
                own = hour_start(at, self._log_group.zone)
                if own == self._hour:
                    self.left_out.add(event.id)
                else:
                    self._elsewhere[event.id] = own.astimezone(UTC)

    def _add(self, call: UsageEntry) -> None:
        if call.key in self._keys:
            return
        self._keys.add(call.key)
        self.people |= {call.source} if call.source else set()
        model = call.buckets[0].model
        self.models[model] = Counts.total((self.models.get(model, _ZERO), call.counts))
        for bucket in call.buckets:
            known = self.sums.get(bucket)
            self.sums[bucket] = Counts.total((known, call.counts)) if known else call.counts
        minute = minute_start(call.at)
        for bucket in call.by_the_minute:
            of = self.minutes.setdefault(bucket, {})
            of[minute] = Counts.total((of.get(minute, _ZERO), call.counts))
