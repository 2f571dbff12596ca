"""The stream meter: each batch of log events is added to the ledger as it arrives.

Deliveries come at least once, regrouped, late, and may stop anywhere: the ledger adds each call
exactly once. What cannot be added leaves a pointer to its log event, and its hour is recounted.
A delivery whose people all have room ends there; for all others it wakes the enforcer.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import NO_MONEY
from quota_enforcer.core.usage.looks.unseen import mark_of
from quota_enforcer.core.usage.reads import Woken
from quota_enforcer.core.usage.window import hour_start
from quota_enforcer.meter.adapters import MeterAdapters, MeteredLogGroup
from quota_enforcer.meter.log.appearances import AppearanceRecorder
from quota_enforcer.meter.log.batch import Batch, moments_of
from quota_enforcer.meter.log.charge import CallCharger
from quota_enforcer.meter.log.delivery import Delivery, Undecodable, decode
from quota_enforcer.meter.ports import AddResult, EventPointer, LogEvent
from quota_enforcer.meter.recount.log_hour import searched
from quota_enforcer.meter.room import RoomFinder

BEDROCK_STREAM = "aws/bedrock/modelinvocations"
"""The only log stream that Bedrock writes; anyone with PutLogEvents could forge another."""
RULES_KEPT = timedelta(seconds=60)
"""How long the rules are used again: so long may a new price or a newly watched session wait."""
WAKES_EVERY = timedelta(seconds=60)
"""So often a process that meters wakes the enforcer, whoever has room: it notes how fresh the usage
is, and how long it takes until somebody looks."""
RECENT = timedelta(minutes=10)
"""How far back the events of a delivery that cannot be read may reach, as a rule."""


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """What became of a delivery, in numbers of records; never what a record says."""

    counted: int = 0
    duplicates: int = 0
    unattributed: int = 0
    incomplete: int = 0
    """Those of which the log lacks a count of tokens."""
    late: int = 0
    """Those whose hour is being recounted instead."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """By reason."""
    quarantined: Sequence[EventPointer] = ()
    failed: Sequence[EventPointer] = ()
    lag: float | None = None
    """The age of the oldest call, in seconds."""
    control: bool = False
    cost_usd: Decimal = NO_MONEY
    """What the counted calls cost."""
    newest: datetime | None = None
    """When the newest call was."""
    foreign: str = ""
    """What else the delivery is than the log that is metered here, so that nothing counts."""


class Stream:
    """Meters one deployment's invocation log as it is delivered."""

    def __init__(self, adapters: MeterAdapters, log_group: MeteredLogGroup) -> None:
        self._adapters = adapters
        self._log_group = log_group
        self._known: tuple[datetime, CallCharger] | None = None
        self._appearances = AppearanceRecorder(adapters.ledger)
        self._room = RoomFinder(adapters.ledger, log_group)
        self._woken_at: datetime | None = None

    def deliver(self, data: str, now: datetime, request_id: str) -> DeliveryResult:
        """Meter what an event's `awslogs.data` holds. May be repeated whatever has happened.

        Raises only if the enforcer cannot be woken or told whom to deny, if who needs a look cannot
        be marked, or the pointers not be left: then the same delivery has to come again.
        """
        here = int(now.timestamp() * 1000)
        try:
            delivery = decode(data)
        except Undecodable as broken:
            lost = [EventPointer(request_id, here, f"the delivery cannot be read: {broken}")]
            self._give_up(lost, [now - RECENT, now], now)
            return DeliveryResult(failed=lost)
        if delivery.control:
            return DeliveryResult(control=True)
        foreign = self._foreign(delivery)
        if foreign:
            skipped = {foreign: len(delivery.events) + delivery.damaged}
            return DeliveryResult(skipped=skipped, foreign=foreign)
        damaged = EventPointer(request_id, here, "a log event without an id, a time or a message")
        return self._meter(delivery.events, now, [damaged] * delivery.damaged)

    def _foreign(self, delivery: Delivery) -> str:
        """Why a delivery is none of what is metered here; empty if it is."""
        if delivery.owner != self._log_group.account:
            return "the log of another account"
        if self._log_group.group and delivery.group != self._log_group.group:
            return "another log group"
        return "" if delivery.stream == BEDROCK_STREAM else "a log stream that is not Bedrock's"

    def _meter(
        self, events: Sequence[LogEvent], now: datetime, damaged: list[EventPointer]
    ) -> DeliveryResult:
        try:
            calls = self._reader(now)
        except Exception as error:  # noqa: BLE001 - whatever it is, the log still has the calls
            reason = f"the ledger cannot be read: {type(error).__name__}"
            failed = [EventPointer(event.id, event.timestamp, reason) for event in events]
            self._give_up(failed, (each for event in events for each in moments_of(event)), now)
            return DeliveryResult(quarantined=damaged, failed=failed)

        batch = Batch(quarantined=damaged)
        for event in events:
            batch.read(calls, event, now)
        mark, marked = mark_of(now), batch.touched - self._room.with_plenty(batch, now)
        added = self._add(batch, now, mark, marked)
        unwritten = [batch.pointer(key, reason) for key, reason in added.failed.items()]
        moments = [call.at for call in batch.additions if call.key in added.failed]
        moments += batch.failed_at
        failed = [*batch.failed, *unwritten, *self._unfindable(batch, added.late)]
        try:
            # Everybody: a duplicate may follow a crash before the wake, and usage whose answer got
            # lost may have been written.
            self._appearances.tell(call.source for call in batch.additions if call.source)
            without = batch.touched
            if not (added.failed or added.late):
                without = self._room.without(batch, now)
            woken = marked | without
            try:
                if woken - marked:
                    self._adapters.ledger.mark_unseen(woken, mark)
            finally:
                # Usage whose answer got lost may be written yet: its mark stays for the sweep.
                self._wake(batch, woken, "" if added.failed else mark, now)
        finally:
            self._give_up(failed, moments, now)
        return DeliveryResult(
            counted=added.added,
            duplicates=added.duplicates,
            unattributed=batch.unattributed,
            incomplete=batch.incomplete,
            late=len(batch.additions) - added.added - added.duplicates - len(added.failed),
            skipped=batch.skipped,
            quarantined=batch.quarantined,
            failed=failed,
            lag=batch.lag(now),
            cost_usd=added.cost_usd,
            newest=max((call.at for call in batch.additions), default=None),
        )

    def _add(
        self, batch: Batch, now: datetime, mark: str, marked: Collection[Principal]
    ) -> AddResult:
        """Mark whose usage it is, then add it: what cannot be marked is not added."""
        ledger = self._adapters.ledger
        try:
            if marked:
                ledger.mark_unseen(marked, mark)
        except Exception as error:  # noqa: BLE001 - whatever it is, the log still has the calls
            reason = f"the ledger cannot be written: {type(error).__name__}"
            return AddResult(failed={call.key: reason for call in batch.additions})
        return ledger.add(batch.additions, now)

    def _wake(self, batch: Batch, several: Collection[Principal], mark: str, now: datetime) -> None:
        """Have just these looked at, all whom the mark names: then it is taken out.

        Where nobody need be, the enforcer is woken for one of them once a minute all the same.
        """
        recently = self._woken_at is not None and abs(now - self._woken_at) < WAKES_EVERY
        if not several and batch.touched and not recently:
            several, mark = {min(batch.touched)}, ""
        if several:
            called = {each: batch.called[each] for each in several}
            woken = Woken(called, mark, batch.since, self._log_group.place)
            self._adapters.wake.wake(several, woken)
            self._woken_at = now

    def _unfindable(self, batch: Batch, recounted: Collection[datetime]) -> Iterator[EventPointer]:
        """Calls of hours to be recounted whose events lie outside what a recount reads."""
        for call in batch.additions:
            if call.hour in recounted:
                start, end = searched(call.hour, self._log_group.zone)
                if not start <= batch.time(call.key) < end:
                    reason = "its hour was set from the log, where it came too late to be found"
                    yield batch.pointer(call.key, reason)

    def _reader(self, now: datetime) -> CallCharger:
        """With the rules of the last minute, or the last that could be read."""
        if self._known is not None and abs(now - self._known[0]) < RULES_KEPT:
            return self._known[1]
        try:
            meter_rules = self._adapters.ledger.meter_rules()
        except Exception:
            if self._known is None:
                raise
            return self._known[1]
        calls = self._adapters.calls(meter_rules, self._log_group)
        self._known = now, calls
        return calls

    def _give_up(
        self, pointers: Collection[EventPointer], moments: Iterable[datetime], now: datetime
    ) -> None:
        """Leave pointers, and have the hours of their calls set from the log once they are over."""
        if not pointers:
            return
        hours = {hour_start(moment, self._log_group.zone) for moment in moments}
        with suppress(Exception):  # the same trouble as before, as a rule; the pointers count
            self._adapters.ledger.ask_recounts(hours, now)
        self._adapters.letters.send(list(pointers))
