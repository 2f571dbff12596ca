"""Which limit would have blocked at most so many principals, by what they really used.

Each past window is judged as it was at its end, by the rule that judges everybody now. A principal
counts as blocked if at least one of their windows surely reached the limit.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction
from itertools import count, takewhile
from typing import Final

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import UNLIMITED, Overshoot, Quota, Rule
from quota_enforcer.core.quotas.stage import AT_LIMIT
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.counts import Measure
from quota_enforcer.core.usage.window import DAY, day_start, local_date
from quota_enforcer.decide.verdict import Verdict, judge

_INSTANT = timedelta(microseconds=1)
_WRITTEN: Final = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)
"""The two leading digits of numbers that people write."""
_CENT: Final = Decimal("0.01")
_TENTH: Final = Decimal("0.1")
BELOW: Final = 2
"""Smaller limits that are shown beside the suggested one."""
ABOVE: Final = 4
"""Larger ones; the last blocks nobody."""


def limits(measure: Measure) -> Iterator[Decimal]:
    """Every limit that people would write, ascending: whole cents, or whole numbers."""
    step = _CENT if measure is Measure.COST_USD else Decimal(1)
    for exponent in count(step.adjusted() - 1):
        for digits in _WRITTEN:
            limit = Decimal(digits).scaleb(exponent)
            if limit >= step and limit % step == 0:
                yield limit


def whom_it_covers(
    quota: Quota, rules: Sequence[Rule], known: Sequence[Principal], now: datetime
) -> list[Principal]:
    """Those of whom nothing nearer replaces it, were it in force; a stored one has the same id."""
    known = [each for each in known if each.kind is not Kind.TEAM]
    book = QuotaBook([*rules, quota.among(known)])
    return [
        each
        for each in known
        if quota.id in {one.id for one in book.applicable_to(each, now).quotas}
    ]


def first_day(quota: Quota, days: int, context: Context) -> date:
    """The first of the last days, today among them, or earlier where its window begins earlier."""
    day = local_date(context.now, context.zone) - DAY * (days - 1)
    span = quota.window.span(day_start(day, context.zone), context.zone)
    return span.first_day


@dataclass(frozen=True, slots=True)
class PastWindows:
    """The windows in which somebody used something, each judged at its end or now."""

    verdicts: Mapping[Principal, tuple[Verdict, ...]]
    """The fullest window first."""
    whole: Fraction
    """What surely was used in all of them."""
    days: int
    """On how many days anybody used anything: of the others nothing is known."""
    since: date | None
    """The first of them."""

    @property
    def peaks(self) -> list[Verdict]:
        """Everybody's fullest window, the fullest first."""
        fullest = (several[0] for several in self.verdicts.values())
        return sorted(fullest, key=_sure, reverse=True)


def _sure(verdict: Verdict) -> Decimal:
    return Decimal(verdict.sure)


def past_windows(
    quota: Quota, usages: Mapping[Principal, Usage], first: date, context: Context
) -> PastWindows:
    """Of a fixed window; usage before the first day is left out."""
    plain = replace(quota.plain, limit=UNLIMITED, overshoot=Overshoot.ALLOW)
    verdicts = {
        who: several
        for who, usage in sorted(usages.items())
        if (several := _judged(plain, usage, first, context))
    }
    whole = sum((_sure(each) for several in verdicts.values() for each in several), Decimal(0))
    today = local_date(context.now, context.zone)
    days = {
        day
        for usage in usages.values()
        for of_model in usage.models.values()
        for day, counts in of_model.days.items()
        if first <= day <= today and any(counts)
    }
    return PastWindows(verdicts, Fraction(whole), len(days), min(days, default=None))


def _judged(quota: Quota, usage: Usage, first: date, context: Context) -> tuple[Verdict, ...]:
    spans = (quota.window.span(at, context.zone) for at in _used_at(quota, usage, first, context))
    # A span at one moment has the buckets until then, so it is the bounds that make it one window.
    ends = sorted({(span.start, span.end) for span in spans})
    verdicts = (
        judge(quota, usage, replace(context, now=min(end - _INSTANT, context.now)))
        for _, end in ends
    )
    used = (verdict for verdict in verdicts if any(verdict.counts))
    return tuple(sorted(used, key=_sure, reverse=True))


def _used_at(quota: Quota, usage: Usage, first: date, context: Context) -> Iterator[datetime]:
    """A moment in each bucket that was used."""
    hourly = bool(quota.window.span(context.now, context.zone).hours)
    begin = day_start(first, context.zone)
    for of_model in usage.models.values():
        used = of_model.hours if hourly else [day_start(day, context.zone) for day in of_model.days]
        yield from (at for at in used if begin <= at <= context.now)


@dataclass(frozen=True, slots=True)
class TriedLimit:
    """What a limit would have done."""

    limit: Decimal
    blocked: Mapping[Principal, int]
    """In how many windows, most first; nobody with none."""
    above: Decimal
    """Percent of all that was used that lay above the limit, rounded down to a tenth."""

    @property
    def times(self) -> int:
        """In how many windows of anybody."""
        return sum(self.blocked.values())


def tried(limit: Decimal, past: PastWindows) -> TriedLimit:
    """Hold one limit against all windows."""
    blocked: dict[Principal, int] = {}
    over = Fraction(0)
    for who, several in past.verdicts.items():
        reached = list(takewhile(lambda verdict: _blocks(verdict, limit), several))
        if reached:
            blocked[who] = len(reached)
            over += Fraction(sum(map(_sure, reached), Decimal(0)) - limit * len(reached))
    often = dict(sorted(blocked.items(), key=lambda each: (-each[1], each[0])))
    share = over * AT_LIMIT / past.whole if past.whole else over
    percent = Decimal(share.numerator) / Decimal(share.denominator)
    return TriedLimit(limit, often, percent.quantize(_TENTH, ROUND_DOWN))


def _blocks(verdict: Verdict, limit: Decimal) -> bool:
    return verdict._replace(limit=limit).surely_used_up


@dataclass(frozen=True, slots=True)
class SuggestedLimit:
    """The smallest limit that blocks no more than asked, and its neighbours."""

    chosen: TriedLimit
    smaller: tuple[TriedLimit, ...]
    """Ascending; the nearest of them blocks more than asked."""
    larger: tuple[TriedLimit, ...]

    @property
    def all(self) -> tuple[TriedLimit, ...]:
        return (*self.smaller, self.chosen, *self.larger)


def suggest(past: PastWindows, measure: Measure, most: int) -> SuggestedLimit | None:
    """The smallest limit that people would write that blocks at most so many principals.

    None if even the smallest of all does: then usage tells nothing of which limit is right.
    """
    peaks = past.peaks
    smaller: list[Decimal] = []
    larger: list[Decimal] = []
    chosen: Decimal | None = None
    for limit in limits(measure):
        if chosen is not None:
            larger.append(limit)
        elif len(peaks) > most and _blocks(peaks[most], limit):
            smaller.append(limit)
        else:
            chosen = limit
        if not peaks or not _blocks(peaks[0], limit):
            break
    if chosen is None or not smaller:
        return None
    shown = larger if len(larger) <= ABOVE else [*larger[: ABOVE - 1], larger[-1]]
    return SuggestedLimit(
        tried(chosen, past),
        tuple(tried(each, past) for each in smaller[-BELOW:]),
        tuple(tried(each, past) for each in shown),
    )
