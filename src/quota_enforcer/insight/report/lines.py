"""Lines of the page: one quota of one principal in a table, the most urgent first, and remarks.

A remark is what whoever reads the report must know before trusting its numbers.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.notices.amounts import lasting, listed
from quota_enforcer.core.quotas.stage import AT_LIMIT
from quota_enforcer.core.usage.counts import Measure
from quota_enforcer.core.usage.place import PlaceScope
from quota_enforcer.insight.quotas.coverage import of_last_days
from quota_enforcer.insight.report import texts
from quota_enforcer.insight.report.model import Bar, Person, UsageReport
from quota_enforcer.insight.report.summary.money import Money
from quota_enforcer.insight.status import IS_OVER, State

OPEN = {State.OK, State.WARNED}

_EACH = {"hour": " an ", "day": " a ", "week": " a ", "mont": " a "}


@dataclass(frozen=True, slots=True)
class QuotaLine:
    """A bar in words.

    `full` and `later` are widths of the bar in percent: used, and what the forecast adds by the
    reset. `percent` is None without a limit. `why` says what the state
    alone does not, `since` and `until` belong to a used-up quota. `running_out` is who is still
    open, but at this pace not until the reset.
    """

    who: str
    quota: str
    of: str
    state: State
    percent: int | None
    used: str
    full: int
    later: int
    runs_out: str
    resets: str
    why: str
    models: str
    since: str
    until: str
    running_out: bool


def lines(report: UsageReport) -> list[QuotaLine]:
    """Every quota of every principal: used up first, then those that run out soonest."""
    every = ((person, bar) for person in report.people for bar in person.bars)
    return [_line(person, bar, report.zone) for person, bar in sorted(every, key=_urgency)]


def stopped(every: Iterable[QuotaLine]) -> list[QuotaLine]:
    """The lines of quotas that are used up."""
    return [line for line in every if line.state in IS_OVER]


def _urgency(each: tuple[Person, Bar]) -> tuple[int, bool, float, int, str, str]:
    row, runs_out = each[1].row, each[1].runs_out
    return (
        row.state.place,
        runs_out is None,
        runs_out.timestamp() if runs_out else 0.0,
        -(row.percent or 0),
        row.principal,
        row.quota,
    )


def _line(person: Person, bar: Bar, zone: ZoneInfo) -> QuotaLine:
    row = bar.row
    full = min(row.percent or 0, AT_LIMIT)
    until = row.until if row.state is State.BLOCKED else row.resets_at
    return QuotaLine(
        row.principal,
        row.quota,
        _of(bar),
        row.state,
        row.percent,
        texts.used(row) if row.measure else "",
        full,
        max(min(bar.at_reset or 0, AT_LIMIT) - full, 0) if row.state in OPEN else 0,
        _runs_out(bar, zone),
        texts.moment(row.resets_at, zone) or _never(row.window, row.measure),
        row.why or (bar.says if row.state in IS_OVER else ""),
        bar.models,
        _moment_or(person.since(bar), zone, "the next sweep says"),
        _moment_or(until, zone, "an admin changes it"),
        row.state in OPEN and bar.runs_out is not None,
    )


def _of(bar: Bar) -> str:
    """`total tokens a day`, with the models and places if it does not count all."""
    row = bar.row
    if not row.measure:
        return ""
    models = "" if bar.models in {"", "*"} else f", {bar.models}"
    places = f", {where}" if (where := str(PlaceScope(row.accounts, row.regions))) else ""
    each = _EACH.get(row.window[:4], ", ")
    return f"{Measure(row.measure).words}{each}{row.window}{models}{places}"


def _runs_out(bar: Bar, zone: ZoneInfo) -> str:
    if not bar.row.measure:
        return ""
    if bar.row.state in OPEN:
        return texts.moment(bar.runs_out, zone) or "not at this pace"
    return "used up" if bar.runs_out else ""


def _never(window: str, measure: str) -> str:
    if not measure:
        return ""
    return "rolls on" if window.startswith("rolling") else "not by itself"


def _moment_or(when: datetime | None, zone: ZoneInfo, otherwise: str) -> str:
    return texts.moment(when, zone) or otherwise


STALE = timedelta(hours=1)
"""Twice the longest time between two sweeps."""

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Remark:
    """`urgent`: something is wrong, and not only worth knowing."""

    title: str
    text: str
    urgent: bool = False


def remarks(report: UsageReport, money: Money) -> Iterator[Remark]:
    """The urgent ones first."""
    yield from _amiss(report)
    if report.mode is Mode.OBSERVE:
        yield Remark(
            "Observe mode blocks nobody.",
            "“Would be blocked” is what enforce mode would do with the same quotas and usage.",
        )
    if report.coverage.missed.requests:
        yield Remark("Not all usage is under a quota.", of_last_days(report.coverage))
    if money.recorded_from is not None and money.recorded_from > report.days[0]:
        yield Remark(
            f"Nothing is recorded before {texts.day(money.recorded_from)}.",
            "The days before are missing here, which does not mean that nothing was used.",
        )
    unpriced = sorted(
        {
            model
            for person in report.counted
            for model, counts in person.used(report.days[0]).items()
            if counts.assumed_usd
        }
    )
    if unpriced:
        yield Remark(
            f"Prices are assumed, in part at least, for {listed(unpriced, _NAMED)}.",
            "No price is known, or the log does not tell what it depends on, such as how long a "
            "cache write stays: the dearest that could apply counts. Such sums are marked "
            "“assumed”. Why, and what to do: quota-enforcer prices check",
        )


def _amiss(report: UsageReport) -> Iterator[Remark]:
    state = report.state
    swept = state.finished
    if state.closed:
        yield Remark("The stack is being deleted.", "Everybody is free.", urgent=True)
    if swept is None:
        yield Remark(
            "No sweep has finished yet.",
            "Usage may be missing, and nobody is blocked.",
            urgent=True,
        )
    elif report.now - swept > STALE:
        yield Remark(
            f"The last sweep was {lasting(report.now - swept)} ago, "
            f"at {texts.moment(swept, report.zone)}.",
            "Usage since then may be missing, and who is blocked may be out of date.",
            urgent=True,
        )
    if state.breaker_since is not None:
        yield Remark(
            f"The breaker holds new blocks since {texts.moment(state.breaker_since, report.zone)}.",
            "More people would have been blocked at once than it allows. See who: "
            "quota-enforcer sweep --dry-run",
            urgent=True,
        )
