"""Usage that grows call by call, as a replay and a curve need it."""

from datetime import date, datetime
from operator import add

from quota_enforcer.core.usage.buckets import ModelUsage, Usage
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.pace import CallPace, slot_of
from quota_enforcer.core.usage.window import minute_start


class GrowingUsage:
    """One principal's buckets, filled call by call; `usage` is a view of them."""

    def __init__(self, *, by_the_minute: bool) -> None:
        self._by_the_minute = by_the_minute
        self._models: dict[
            str, tuple[dict[datetime, Counts], dict[date, Counts], dict[datetime, Counts]]
        ] = {}
        self._views: dict[str, ModelUsage] = {}
        self._slots: dict[datetime, int] = {}
        self.usage = Usage(self._views, pace=CallPace(self._slots))

    def add(self, model: str, at: datetime, hour: datetime, day: date, counts: Counts) -> None:
        """A call; `hour` and `day` are those of `at` in the zone of the quotas."""
        slot = slot_of(at)
        self._slots[slot] = self._slots.get(slot, 0) + 1
        if model not in self._models:
            hours, days, minutes = self._models[model] = {}, {}, {}
            self._views[model] = ModelUsage(hours, days, minutes)
        hours, days, minutes = self._models[model]
        hours[hour] = added(hours[hour], counts) if hour in hours else counts
        days[day] = added(days[day], counts) if day in days else counts
        if self._by_the_minute:
            minute = minute_start(at)
            minutes[minute] = added(minutes[minute], counts) if minute in minutes else counts


def added(one: Counts, other: Counts) -> Counts:
    return Counts._make(map(add, one, other))
