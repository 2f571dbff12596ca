"""The recount: every bucket of a closed hour is set from the log itself.

It heals what the stream meter missed or could not write, an outage, a change of meter or of prices.
It sets whole hours, so it may be repeated; what the log does not hold becomes zero.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from quota_enforcer.core.errors import EnforcerError
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.quotas.precedence import by_the_minute
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.place import HOME
from quota_enforcer.core.usage.reads import Woken
from quota_enforcer.core.usage.window import hour_start, local_date, minute_start, next_hour
from quota_enforcer.meter.adapters import MeterAdapters, MeteredLogGroup
from quota_enforcer.meter.appearances import AppearanceRecorder
from quota_enforcer.meter.log.batch import time_of
from quota_enforcer.meter.log.record import Counted, Quarantined, Skipped, read
from quota_enforcer.meter.ports import LogEvent, Recount, UsageEntry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from quota_enforcer.core.principal import Principal
    from quota_enforcer.core.usage.stored import Bucket, Source

METER = "recount"
ADDED_FREELY = timedelta(minutes=5)
"""For so long after its end calls are added to an hour without a look whether a recount began."""
CLOSED_AFTER = 2 * ADDED_FREELY
"""After its end an hour is closed, and may be recounted."""
MINUTES_MATTER = timedelta(hours=1)
"""So long after its end no window of minutes reaches back to an hour any more."""
EARLIER = timedelta(minutes=5)
LATER = timedelta(minutes=70)
"""How far the log's time of an event may be from the record's own, before it and after it."""

_ZERO = Counts()
_NEVER = datetime.min.replace(tzinfo=UTC)
_MINUTES = int(CLOSED_AFTER.total_seconds()) // 60


class RecountRefused(EnforcerError):
    """An hour cannot be set from the log; the message says why, and the ledger is as it was."""


@dataclass(frozen=True, slots=True)
class Recounted:
    """What a recount of an hour did."""

    hour: datetime
    records: int
    """Calls found in the log."""
    buckets: int
    """Those that were changed."""
    principals: int
    unread: Counter[str]
    """Lines that were quarantined, by reason."""
    left_out: int = 0
    """Events that an admin has said are no usage."""


class Recounter:
    """Sets the hours of one deployment from its log."""

    def __init__(self, adapters: MeterAdapters, log_group: MeteredLogGroup) -> None:
        self._adapters = adapters
        self._log_group = log_group

    def due(self, now: datetime) -> list[datetime]:
        """The hours that were asked for and are closed: those never begun with, oldest first.

        Then the others, the longest ago first: one that takes too long lets none wait for it.
        """
        asked = sorted(self._adapters.ledger.recounts(), key=_turn)
        return [each.hour for each in asked if self._closes(each.hour) <= now]

    def settle(self, hour: datetime, now: datetime) -> Recounted:
        """Set an hour that was asked for; one that is refused is not asked for any more."""
        try:
            return self.recount(hour, now)
        except RecountRefused:
            self._adapters.ledger.drop_recount(hour)
            raise

    def recount(
        self,
        hour: datetime,
        now: datetime,
        *,
        without: frozenset[str] = frozenset(),
        everything: bool = False,
    ) -> Recounted:
        """Set an hour, by its start. Raises RecountRefused, or what the adapters raise.

        A crash leaves the hour asked for, so that the next run takes it up. `without` are log
        events that nobody called for: they stay left out until `everything` counts again.
        """
        self._allow(hour, now)
        ledger = self._adapters.ledger
        ledger.ask_recounts([hour], now)
        ledger.start_recount(hour, now)
        left_out = without if everything else without | ledger.left_out(hour)
        found = self._read(hour, left_out)
        if wrong := sorted(without - found.left_out):
            # It stays asked for: others may have asked, and from now on no call is added to it.
            raise RecountRefused(self._not_left_out(wrong[0], hour, found))
        if without or everything:
            ledger.leave_out(hour, left_out)
            ledger.post([_left_out(hour, found.left_out, now, self._log_group)])
        day = local_date(hour, self._log_group.zone)
        # Also whoever has no record any more: a session that ended weeks ago.
        stored = {
            bucket: hours.get(hour, _ZERO)
            for bucket, hours in ledger.day(day).items()
            if bucket.place == self._log_group.place
        }
        # Also those with nothing to change: an earlier run may have died before it woke them.
        touched: set[Principal] = {bucket.principal for bucket in stored}
        changed = {
            bucket: found.sums.get(bucket, _ZERO)
            for bucket in {**stored, **found.sums}
            if found.sums.get(bucket, _ZERO) != stored.get(bucket, _ZERO)
        }
        if changed and not (found.lines or found.sums):
            ledger.drop_recount(hour)
            raise RecountRefused(
                f"the log {self._log_group.shown} holds no line of the hour from "
                f"{hour:%Y-%m-%dT%H:%M}Z, but the ledger has usage in it: missing "
                "data is not zero. Was logging switched off, or another log group used? The "
                "ledger is left as it is",
            )
        self._check_whole(hour, changed, stored)
        for bucket, counts in changed.items():
            ledger.set_hours(bucket, {hour: counts}, METER)
        self._set_minutes(hour, found, stored, now)
        if self._log_group.place == HOME:
            ledger.set_tally(hour, found.models)
        touched |= {bucket.principal for bucket in changed}
        AppearanceRecorder(ledger).tell(found.people)
        if touched:
            mark = uuid4().hex
            ledger.mark_unseen(touched, mark)
            self._adapters.wake.wake(touched, Woken(mark=mark))
        ledger.finish_recount(hour, now)
        return Recounted(
            hour, found.records, len(changed), len(touched), found.unread, len(found.left_out)
        )

    def _set_minutes(
        self, hour: datetime, found: "_Found", stored: "Collection[Bucket]", now: datetime
    ) -> None:
        """For whoever has a window of minutes, while one may still reach back so far."""
        end = next_hour(hour, self._log_group.zone)
        if now - end > MINUTES_MATTER:
            return
        for bucket in sorted({*found.sums, *stored}):
            if by_the_minute(bucket.principal, found.counted_by_minute):
                minutes = found.minutes.get(bucket, {})
                self._adapters.ledger.set_minutes(bucket, hour, end, minutes)

    def _not_left_out(self, event: str, hour: datetime, found: "_Found") -> str:
        """Why leaving out an event would change nothing in this hour."""
        if event in found.skipped:
            return f"event {event} counts nothing: {found.skipped[event]}; there is no need for it"
        if event in found.elsewhere:
            other = f"{found.elsewhere[event]:%Y-%m-%dT%H:%M}Z"
            return (
                f"event {event} is a call in the hour from {other}, not in that from "
                f"{hour:%Y-%m-%dT%H:%M}Z: `quota-enforcer recount {other} --without {event}"
                f"{self._log_group.option}`"
            )
        return (
            f"the log {self._log_group.shown} has no event {event} in the hour from "
            f"{hour:%Y-%m-%dT%H:%M}Z: take the eventId that `aws logs filter-log-events` shows"
        )

    def _allow(self, hour: datetime, now: datetime) -> None:
        """Raises RecountRefused if this hour cannot be recounted, now or ever."""
        if hour_start(hour, self._log_group.zone) != hour:
            raise RecountRefused(
                f"{hour:%Y-%m-%dT%H:%M:%SZ} starts no hour in {self._log_group.zone}: "
                "name the start of one, such as 2026-11-24T10:00:00Z",
            )
        if self._closes(hour) > now:
            raise RecountRefused(
                f"the hour from {hour:%Y-%m-%dT%H:%M}Z can be recounted from "
                f"{self._closes(hour):%Y-%m-%dT%H:%M}Z on, {_MINUTES} minutes after its end",
            )
        kept = self._adapters.log.kept_since()
        if hour < kept:
            raise RecountRefused(
                f"the log {self._log_group.shown} holds everything only since "
                f"{kept:%Y-%m-%dT%H:%M}Z, so the hour from {hour:%Y-%m-%dT%H:%M}Z "
                "cannot be set from it: the ledger is left as it is",
            )

    def _check_whole(
        self, hour: datetime, changed: "Mapping[Bucket, Counts]", stored: "Mapping[Bucket, Counts]"
    ) -> None:
        """Raises RecountRefused where a log that was emptied meanwhile would take usage away."""
        less = any(
            counts.requests < stored.get(bucket, _ZERO).requests
            for bucket, counts in changed.items()
        )
        made = self._adapters.log.stream_since() if less else None
        if made is not None and hour < made:
            self._adapters.ledger.drop_recount(hour)
            raise RecountRefused(
                f"Bedrock's stream in the log {self._log_group.shown} is there only since "
                f"{made:%Y-%m-%dT%H:%M:%SZ}, and the ledger has more usage in the hour from "
                f"{hour:%Y-%m-%dT%H:%M}Z than it holds: somebody deleted the stream before. "
                "CloudTrail (DeleteLogStream) says who; the ledger is left as it is",
            )

    def _closes(self, hour: datetime) -> datetime:
        return next_hour(hour, self._log_group.zone) + CLOSED_AFTER

    def _read(self, hour: datetime, left_out: frozenset[str]) -> "_Found":
        """What the log holds of an hour: each call once, even if it is logged twice."""
        found = _Found()
        end = next_hour(hour, self._log_group.zone)
        rules = self._adapters.ledger.meter_rules()
        calls = self._adapters.calls(rules, self._log_group)
        found.counted_by_minute = rules.minutes
        for event in self._adapters.log.events(*searched(hour, self._log_group.zone)):
            inside = hour <= time_of(event) < end
            found.lines += inside
            if event.id in left_out:
                self._leave_out(event, hour, found)
                continue
            # Against the event's own time: by now a wrong date of that day may have come true.
            match calls.read(event, time_of(event)):
                case UsageEntry() as call if call.hour == hour:
                    found.add(call)
                case Quarantined(reason) if inside:
                    found.unread[reason] += 1
                case _:
                    pass
        return found

    def _leave_out(self, event: LogEvent, hour: datetime, found: "_Found") -> None:
        """An event that was asked for, by what its record says: the log may date it otherwise."""
        match read(event.message, self._log_group.account):
            case Skipped(reason):
                found.skipped[event.id] = reason
            case reading:
                at = reading.at if isinstance(reading, Counted) else time_of(event)
                own = hour_start(at, self._log_group.zone)
                if own == hour:
                    found.left_out.add(event.id)
                else:
                    found.elsewhere[event.id] = own.astimezone(UTC)


def _left_out(
    hour: datetime, events: Collection[str], now: datetime, log_group: MeteredLogGroup
) -> Notice:
    """Whoever may invoke the meter can ask for that, so nobody does it unseen."""
    when = f"{hour:%Y-%m-%dT%H:%M}Z"
    where = f" in {log_group.place}" if log_group.place else ""
    why = f"all of the hour from {when}{where} counts again, as somebody has asked"
    if events:
        several, are = ("1 event", "is") if len(events) == 1 else (f"{len(events):,} events", "are")
        why = (
            f"{several} of the invocation log {are} left out of the hour from {when}{where}, as "
            "somebody has asked: whoever the records name is charged nothing for them. If nobody "
            "of yours has, find in CloudTrail who invoked the meter, and have all of it count "
            f"again: `quota-enforcer recount {when} --everything{log_group.option}`"
        )
    return Notice(NoticeKind.METERING_GAP, now, "", "", why, since=hour)


def searched(hour: datetime, zone: "ZoneInfo") -> tuple[datetime, datetime]:
    """From when to when the log is read for the calls of an hour, by the times of its events."""
    return hour - EARLIER, next_hour(hour, zone) + LATER


def _turn(recount: Recount) -> tuple[datetime, datetime]:
    return recount.started or _NEVER, recount.hour


class _Found:
    """What the log holds of one hour."""

    def __init__(self) -> None:
        self.sums: dict[Bucket, Counts] = {}
        self.models: dict[str, Counts] = {}
        """The sums of each call once, while one call may be in the buckets of several."""
        self.lines = 0
        self.unread: Counter[str] = Counter()
        self.left_out: set[str] = set()
        self.elsewhere: dict[str, datetime] = {}
        """Events to be left out that are calls of another hour, and its start in UTC."""
        self.skipped: dict[str, str] = {}
        """Those that are no usage anyway, and why."""
        self.people: set[Source] = set()
        self.minutes: dict[Bucket, dict[datetime, Counts]] = {}
        """Of those whose usage is counted by the minute too."""
        self.counted_by_minute: frozenset[str] = frozenset()
        self._keys: set[str] = set()

    @property
    def records(self) -> int:
        return len(self._keys)

    def add(self, call: UsageEntry) -> None:
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
