"""Texts: money, moments and stretches of time, as the page shows them."""

from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from zoneinfo import ZoneInfo

from quota_enforcer.core.notices.amounts import used_of
from quota_enforcer.core.usage.counts import Measure
from quota_enforcer.insight.report.blocked import BlockedPeriod
from quota_enforcer.insight.report.model import UsageReport
from quota_enforcer.insight.status import StatusRow

_CENT = Decimal("0.01")
_STEPS = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"))


def number(value: Decimal | int) -> str:
    """`1,234,567`."""
    return f"{value:,}"


def short(value: Decimal | int) -> str:
    """`1.23M`: three digits are enough to compare by eye."""
    rounded = Context(prec=3).plus(Decimal(value))
    for step, letter in _STEPS:
        if rounded >= step:
            return f"{rounded / step:,f}{letter}"
    return number(value)


def money(usd: Decimal | int) -> str:
    """`$1,234.50`, rounded for show only; what would round to nothing says so."""
    if 0 < usd < _CENT:
        return "<$0.01"
    return f"${Decimal(usd).quantize(_CENT, ROUND_HALF_EVEN):,}"


def share(part: Decimal | int, whole: Decimal | int) -> int:
    """Percent, rounded; 0 of nothing."""
    return round(Decimal(part) * 100 / Decimal(whole)) if whole else 0


def part(amount: Decimal | int, whole: Decimal | int, length: int) -> float:
    """How much of a length it is, to a tenth; no more than all of it."""
    return min(round(float(amount * length / whole), 1), length) if whole else 0


def exact(usd: Decimal) -> str:
    """All its digits, and no exponent."""
    return f"{usd.normalize():f}"


def percent(part: Decimal | int, whole: Decimal | int) -> str:
    """`12 %`; what would round to nothing says so."""
    rounded = share(part, whole)
    return "<1 %" if part and not rounded else f"{rounded} %"


def used(row: StatusRow) -> str:
    """`1,200 of 1,000`, `~$12.34 of $10.00`; `~` says that some of it is at assumed prices."""
    limit = "" if row.limit is not None else ", no limit"
    return row.about + used_of(row.used, row.limit, Measure(row.measure).words) + limit


def day(local: date) -> str:
    """`Tue 3 Nov 2026`."""
    return f"{local:%a} {local.day} {local:%b %Y}"


def month(local: date) -> str:
    """`November 2026`."""
    return f"{local:%B %Y}"


def moment(when: datetime | None, zone: ZoneInfo) -> str:
    """`2026-11-24 12:00` on the deployment's clock: it sorts as it reads; nothing for None."""
    return "" if when is None else f"{when.astimezone(zone):%Y-%m-%d %H:%M}"


def block(stretch: BlockedPeriod, report: UsageReport) -> str:
    """One stretch of the timeline in words."""
    ended = moment(stretch.end, report.zone) or "now"
    return (
        f"{stretch.principal}, {stretch.outcome}, quota {', '.join(stretch.quotas)}: "
        f"{moment(stretch.start, report.zone)} to {ended}"
    )
