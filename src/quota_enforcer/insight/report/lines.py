"""Lines: one quota of one principal as the page's tables show it, the most urgent first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from quota_enforcer.core.usage.counts import Measure
from quota_enforcer.decide.verdict import FULL
from quota_enforcer.insight.report import texts
from quota_enforcer.insight.report.model import Bar, Person, Report
from quota_enforcer.insight.status import IS_OVER, State

OPEN = {State.OK, State.WARNED}
_EACH = {"hour": " an ", "day": " a ", "week": " a ", "mont": " a "}


@dataclass(frozen=True, slots=True)
class Line:
    """A bar in words.

    `full` and `later` are widths of the bar in percent: used, and what the forecast adds by the
    reset. `percent` is None where there is no limit to be a part of. `why` says what the state
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


def lines(report: Report) -> list[Line]:
    """Every quota of everybody: who is stopped, then who runs out, soonest and fullest first."""
    every = ((person, bar) for person in report.people for bar in person.bars)
    return [_line(person, bar, report.zone) for person, bar in sorted(every, key=_urgency)]


def stopped(every: Iterable[Line]) -> list[Line]:
    """Of those the ones that are used up: what blocks, would block, or should."""
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


def _line(person: Person, bar: Bar, zone: ZoneInfo) -> Line:
    row = bar.row
    full = min(row.percent or 0, FULL)
    until = row.until if row.state is State.BLOCKED else row.resets_at
    return Line(
        row.principal,
        row.quota,
        _of(bar),
        row.state,
        row.percent,
        texts.used(row) if row.measure else "",
        full,
        max(min(bar.at_reset or 0, FULL) - full, 0) if row.state in OPEN else 0,
        _runs_out(bar, zone),
        texts.moment(row.resets_at, zone) or _never(row.window, row.measure),
        row.why or (bar.says if row.state in IS_OVER else ""),
        bar.models,
        _moment_or(person.since(bar), zone, "the next sweep says"),
        _moment_or(until, zone, "an admin changes it"),
        row.state in OPEN and bar.runs_out is not None,
    )


def _of(bar: Bar) -> str:
    """`total tokens a day`, with the models where it does not count all."""
    row = bar.row
    if not row.measure:
        return ""
    models = "" if bar.models in {"", "*"} else f", {bar.models}"
    return f"{Measure(row.measure).words}{_EACH.get(row.window[:4], ', ')}{row.window}{models}"


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
