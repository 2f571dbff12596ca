"""Money of the report: this month against the budget, the month before, and its own days."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal

from quota_enforcer.core.notices.amounts import count
from quota_enforcer.core.usage.counts import NO_MONEY
from quota_enforcer.core.usage.window import DAY, local_date
from quota_enforcer.insight.forecast import MonthCost, month_cost
from quota_enforcer.insight.report import texts
from quota_enforcer.insight.report.model import UsageReport

TREND_DAYS = 30


@dataclass(frozen=True, slots=True)
class Money:
    """The dollars of this month, and what the month before cost (None: it was not read whole).

    It was recorded but `partly` where `recorded_from`, the first day with any usage, is in it.
    `so_soon` is this month's whole days and as many of the month before, None where either is
    not known. `trend` are the last days, also those before the month, today the last.
    """

    month: MonthCost
    assumed: Decimal
    last_month: Decimal | None
    partly: bool
    recorded_from: date | None
    budget: Decimal | None
    so_soon: tuple[Decimal, Decimal] | None
    trend: Mapping[date, Decimal]

    @classmethod
    def of(cls, report: UsageReport) -> "Money":
        by_day = report.by_day()
        month = month_cost(by_day, report.now, report.zone)
        before = (month.first - timedelta(days=1)).replace(day=1)
        known = min(by_day, default=None)
        last_month = None
        if report.read_from <= before and known is not None and known < month.first:
            last_month = cost_of(by_day, before, month.first)
        partly = known is not None and known > before
        today = local_date(report.now, report.zone)
        so_soon = None
        days = today - month.first
        if last_month is not None and not partly and days and before + days <= month.first:
            so_soon = cost_of(by_day, month.first, today), cost_of(by_day, before, before + days)
        assumed = (person.total(month.first).assumed_usd for person in report.counted)
        return cls(
            month,
            sum(assumed, NO_MONEY),
            last_month,
            partly,
            known,
            report.source.budget,
            so_soon,
            _trend(by_day, max(report.read_from, today - DAY * (TREND_DAYS - 1)), today),
        )

    @property
    def says(self) -> Iterator[str]:
        """Against the budget, at which pace, and against the month before."""
        month, budget = self.month, self.budget
        if budget:
            spent = f"{texts.percent(month.so_far, budget)} of the budget of {texts.money(budget)}"
            if month.so_far >= budget:
                yield f"{spent}: it is used up."
            elif self.spent_by:
                yield f"{spent}; at this pace it is used up on {texts.day(self.spent_by)}."
            elif month.projected is not None:
                yield f"{spent}; {texts.percent(month.projected, budget)} by the end, at this pace."
            else:
                yield f"{spent}."
        if month.projected is None:
            yield "No projection yet: it needs a whole day of usage."
        else:
            pace = f"the last {count(month.pace_days, 'whole day')}"
            yield f"Projected from {pace}, {texts.money(month.a_day or 0)} a day on average."
        if self.last_month is not None:
            yield self._before(self.last_month)

    def _before(self, cost: Decimal) -> str:
        said = f"The month before cost {texts.money(cost)}"
        if self.partly and self.recorded_from is not None:
            return f"{said}, recorded from {texts.day(self.recorded_from)}."
        if self.so_soon is None:
            return f"{said}."
        now, then = self.so_soon
        days = count((max(self.trend) - self.month.first).days, "whole day")
        change = compared(now, then)
        so_far = f"this month's {texts.money(now)}{change and f': {change}'}"
        return f"{said}. Its first {days} cost {texts.money(then)}, {so_far}."

    @property
    def scale(self) -> Decimal:
        """What the month's bar is a part of: the budget, or where the month leads beyond it."""
        return max(self.budget or NO_MONEY, self.month.projected or NO_MONEY, self.month.so_far)

    @property
    def spent_by(self) -> date | None:
        """When the budget will be used up at this pace; None if the month ends first."""
        month = self.month
        if self.budget is None or not month.a_day or self.trend == {}:
            return None
        left = max(self.budget - month.so_far, NO_MONEY) / month.a_day
        day = max(self.trend) + DAY * int(left.to_integral_value(ROUND_CEILING))
        over = month.projected is not None and month.projected >= self.budget
        return min(day, month.last) if over else None


def compared(now: Decimal, then: Decimal) -> str:
    """`12 % more`; nothing where there is nothing to compare with."""
    if not then:
        return ""
    change = texts.share(now - then, then)
    return f"{abs(change):,} % {'more' if change > 0 else 'less'}" if change else "as much"


def cost_of(by_day: Mapping[date, Decimal], first: date, end: date) -> Decimal:
    """Of the days from one on, before another."""
    return sum((cost for day, cost in by_day.items() if first <= day < end), NO_MONEY)


def _trend(by_day: Mapping[date, Decimal], first: date, today: date) -> Mapping[date, Decimal]:
    """Every day, those without usage too."""
    days = ((today - first).days + 1) if by_day else 0
    return {first + DAY * n: by_day.get(first + DAY * n, NO_MONEY) for n in range(days)}
