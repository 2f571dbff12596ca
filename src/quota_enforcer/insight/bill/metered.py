"""The ledger's side of a comparison: the same sums as `usage`, by the days of UTC."""

from collections.abc import Mapping
from datetime import date
from zoneinfo import ZoneInfo

from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.buckets import ModelUsage, Usage
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.place import Place
from quota_enforcer.insight.bill.cells import CellKey
from quota_enforcer.insight.bill.who import metered_principal
from quota_enforcer.insight.usage import By, SpendQuery, spend

_UTC = ZoneInfo("UTC")


def needs_hours(zone: ZoneInfo) -> bool:
    """Whether the ledger's days are others than those of bills."""
    return zone.key not in {"UTC", "Etc/UTC", "Etc/UCT", "Etc/GMT", "GMT", "Zulu"}


def metered_cells(
    usages: Mapping[Principal, Usage], zone: ZoneInfo, home: Place, days: SpendQuery
) -> dict[CellKey, Counts]:
    """Who used what, where, on which day of UTC; sessions are in their roles."""
    asked = SpendQuery(days.first, days.last, (By.DAY, By.PRINCIPAL, By.MODEL))
    cells: dict[CellKey, Counts] = {}
    for stored in sorted({place for usage in usages.values() for place in usage.by_place}):
        place = Place.of(stored, home)
        there = {
            who: _by_utc_days(usage.by_place[stored], zone)
            for who, usage in usages.items()
            if stored in usage.by_place
        }
        for (day, who, model), counts in spend(there, {}, asked).items():
            principal = metered_principal(who, home.account)
            key = CellKey(date.fromisoformat(day), place.account, place.region, principal, model)
            cells[key] = Counts.total([cells[key], counts]) if key in cells else counts
    return cells


def _by_utc_days(usage: Usage, zone: ZoneInfo) -> Usage:
    if not needs_hours(zone):
        return usage
    return Usage(
        {model: ModelUsage.of_hours(each.hours, _UTC) for model, each in usage.models.items()}
    )
