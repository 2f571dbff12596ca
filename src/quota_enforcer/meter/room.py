"""Who has room: what they used changes nothing, so that nobody need look at them.

It is told by the headroom that the last look left, read once the usage is in the ledger. Whoever
had plenty of it when it was read last need not be marked before, either.
"""

from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.looks.headroom import Headroom
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.core.usage.window import local_date
from quota_enforcer.meter.adapters import MeteredLogGroup
from quota_enforcer.meter.log.batch import Batch
from quota_enforcer.meter.ports import MeterLedger, RoomRead

PLENTY: Final = 10
"""Times what a delivery adds: so much had to be left at the last read of who needs no mark."""
BELIEVED: Final = timedelta(minutes=15)
"""How long what was read last tells that much."""
MOST_ASKED: Final = 100
"""Callers of one delivery: with more, as in a surge, it does not wait for read after read, and the
enforcer reads what it needs while the next delivery is metered."""
MOST_KNOWN: Final = 10_000
"""So many are remembered; session names may be new with every call."""

_NOTHING: Final = Counts()


class _Known(NamedTuple):
    """What was read of somebody who had room."""

    headroom: Headroom
    used: Counts
    """What their day came to."""
    at: datetime


class RoomFinder:
    """Tells of a delivery who has room, and remembers it for the next one of this process."""

    def __init__(self, ledger: MeterLedger, log_group: MeteredLogGroup) -> None:
        self._ledger = ledger
        self._zone = log_group.zone
        self._place = log_group.place
        self._known: dict[Principal, _Known] = {}

    def with_plenty(self, batch: Batch, now: datetime) -> set[Principal]:
        """Who needs no mark: were nobody to look, they would still be far from any threshold."""
        if len(batch.touched) > MOST_ASKED:
            return set()
        return {each for each in batch.touched if self._had_plenty(each, batch, now)}

    def without(self, batch: Batch, now: datetime) -> set[Principal]:
        """Of whom it is not known that they have room still; asked after their usage was added.

        Everybody if it cannot be read, or if there are too many to ask about.
        """
        if len(batch.touched) > MOST_ASKED:
            return set(batch.touched)
        today = self._day(now)
        try:
            read = self._ledger.room(batch.touched, today, self._guessed(batch, today))
        except Exception:  # noqa: BLE001 - whatever it is, the enforcer looks
            return set(batch.touched)
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        lacking = set()
        for each in batch.touched:
            known = self._read(each, read, now)
            if known is not None and self._holds(each, known, batch, now):
                self._known[each] = known
            else:
                self._known.pop(each, None)
                lacking.add(each)
        return lacking

    def _read(self, principal: Principal, read: RoomRead, now: datetime) -> _Known | None:
        """What was read of somebody; None if it may rest on what has changed since."""
        headroom, today = read.headrooms.get(principal), self._day(now)
        if headroom is None or not headroom.stands_on(read.ground):
            return None
        days = (
            read.used.get(Bucket(principal, model, today, place), _NOTHING)
            for model, place in headroom.buckets
        )
        return _Known(headroom, Counts.total(days), now)

    def _had_plenty(self, principal: Principal, batch: Batch, now: datetime) -> bool:
        known = self._known.get(principal)
        if known is None or not timedelta() <= now - known.at < BELIEVED:
            return False
        used = Counts.total((known.used, *[batch.used[principal]] * PLENTY))
        return self._holds(principal, known._replace(used=used), batch, now)

    def _holds(self, principal: Principal, known: _Known, batch: Batch, now: datetime) -> bool:
        """Whether there is room, in so far as it can be told of such calls at this time."""
        headroom, today = known.headroom, self._day(now)
        called = {(model, self._place) for model in batch.called[principal]}
        in_time = headroom.day == today and now < headroom.until and batch.days == {today}
        told = headroom.knows(called) and principal not in batch.unpriced
        return in_time and told and headroom.covers(known.used)

    def _guessed(self, batch: Batch, today: date) -> set[Bucket]:
        """What was called, and what those who are remembered have called, if it matters."""
        guessed = set()
        for each, called in batch.called.items():
            headroom = self._known[each].headroom if each in self._known else None
            if headroom is None or headroom.left:
                known = headroom.buckets if headroom else ()
                pairs = {(model, self._place) for model in called}.union(known)
                guessed |= {Bucket(each, model, today, place) for model, place in pairs}
        return guessed

    def _day(self, moment: datetime) -> date:
        return local_date(moment, self._zone)
