"""What an hour usually comes to: of each day of the last weeks its busiest hour, and their median.

The median stands where it is while fewer than half of the days are odd, so neither one runaway nor
a holiday moves it. The days before today only: within a day the limits that follow from it stay.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from threading import Lock
from typing import TYPE_CHECKING, Final, Protocol

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.precedence import Applicable
from quota_enforcer.core.quotas.quota import NOTHING_USUAL, Quota, UsualHours
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.reads import UsageReads
from quota_enforcer.core.usage.window import local_date

if TYPE_CHECKING:
    from datetime import datetime

LOOKED_BACK: Final = 21
"""Days, in which each day of the week is three times."""
KEPT: Final = 10_000
"""Principals that are remembered; what is usual takes some hundred bytes."""


class UsualReads(Protocol):
    """Where it is found what is usual."""

    def usual(
        self, principal: Principal, quotas: Collection[Quota], context: Context
    ) -> Mapping[str, UsualHours]:
        """By the id of each of these quotas."""


class UsualHoursRead:
    """Reads each principal's last weeks once in a local day, and only where a quota asks for it."""

    def __init__(self, ledger: UsageReads) -> None:
        self._ledger = ledger
        self._today: date | None = None
        self._known: dict[tuple[Principal, Quota], UsualHours] = {}
        self._lock = Lock()

    def usual(
        self, principal: Principal, quotas: Collection[Quota], context: Context
    ) -> Mapping[str, UsualHours]:
        today = local_date(context.now, context.zone)
        with self._lock:
            if self._today != today or len(self._known) > KEPT:
                self._today, self._known = today, {}
            known = self._known
        missing = [each for each in quotas if (principal, each) not in known]
        if missing:
            usage = self._ledger.usage(principal, first_usual_day(today))
            for each in missing:
                known[principal, each] = usual_hours(each, usage, context)
        return {each.id: known[principal, each] for each in quotas}


def with_usual(
    principal: Principal, applicable: Applicable, reads: UsualReads, context: Context
) -> Applicable:
    """The quotas with what is usual of this principal, where one asks for it."""
    asking = [each for each in applicable.quotas if each.unusual is not None]
    found = reads.usual(principal, asking, context)
    quotas = (replace(each, usual=found.get(each.id, NOTHING_USUAL)) for each in applicable.quotas)
    return replace(applicable, quotas=tuple(quotas))


def first_usual_day(today: date) -> date:
    """From which local date on usage tells what is usual today."""
    return today - timedelta(days=LOOKED_BACK)


def usual_hours(quota: Quota, usage: Usage, context: Context) -> UsualHours:
    """Of what a quota counts."""
    today = local_date(context.now, context.zone)
    first = first_usual_day(today)
    rows: dict[datetime, list[Counts]] = {}
    for model, used in usage.at(quota.places, context.home).models.items():
        if any(scope.covers(model) for scope in quota.models):
            for hour, counts in used.hours.items():
                if first <= local_date(hour, context.zone) < today:
                    rows.setdefault(hour, []).append(counts)
    busiest: dict[date, Decimal] = {}
    for hour, several in rows.items():
        day = local_date(hour, context.zone)
        number = Decimal(quota.number(Counts.total(several)))
        busiest[day] = max(number, busiest.get(day, number))
    found = sorted(number for number in busiest.values() if number)
    if not found:
        return NOTHING_USUAL
    return UsualHours(len(found), found[(len(found) - 1) // 2], found[-1])
