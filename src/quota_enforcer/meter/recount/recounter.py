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
from quota_enforcer.core.usage.window import hour_start, local_date, next_hour
from quota_enforcer.meter.adapters import MeterAdapters, MeteredLogGroup
from quota_enforcer.meter.log.appearances import AppearanceRecorder
from quota_enforcer.meter.ports import Recount
from quota_enforcer.meter.recount.log_hour import LogHour

if TYPE_CHECKING:
    from collections.abc import Mapping

    from quota_enforcer.core.principal import Principal
    from quota_enforcer.core.usage.stored import Bucket

METER = "recount"
ADDED_FREELY = timedelta(minutes=5)
"""For so long after its end calls are added to an hour without a look whether a recount began."""
CLOSED_AFTER = 2 * ADDED_FREELY
"""After its end an hour is closed, and may be recounted."""
MINUTES_MATTER = timedelta(hours=1)
"""So long after its end no window of minutes reaches back to an hour any more."""

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
        found = LogHour(hour, self._log_group)
        found.read(self._adapters, left_out)
        if wrong := sorted(without - found.left_out):
            # It stays asked for: others may have asked, and from now on no call is added to it.
            raise RecountRefused(found.why_not_left_out(wrong[0]))
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
        self, hour: datetime, found: LogHour, stored: "Collection[Bucket]", now: datetime
    ) -> None:
        """For whoever has a window of minutes, while one may still reach back so far."""
        end = next_hour(hour, self._log_group.zone)
        if now - end > MINUTES_MATTER:
            return
        for bucket in sorted({*found.sums, *stored}):
            if by_the_minute(bucket.principal, found.counted_by_minute):
                minutes = found.minutes.get(bucket, {})
                self._adapters.ledger.set_minutes(bucket, hour, end, minutes)

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


def _turn(recount: Recount) -> tuple[datetime, datetime]:
    return recount.started or _NEVER, recount.hour
