"""The curves of a simulation's picture, as charts of a page and as one drawing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from quota_enforcer.core.notices.amounts import bare_limit, count, lasting, used_units
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.quota import UNLIMITED
from quota_enforcer.core.usage.counts import Counts, Measure, Number
from quota_enforcer.core.usage.window import local_date
from quota_enforcer.insight.report import texts
from quota_enforcer.insight.report.charts.drawing import Chart, Spec, drawn, time_axis
from quota_enforcer.insight.simulate.replay import Simulated, people_refused, refused
from quota_enforcer.insight.simulate.trace import Course, Trace

MOST_COURSES = 8
"""Curves of single principals: those whom the limits refuse most."""
THROUGH, TRIED, LIMIT, CLOSED = "let through", "without the limits", "limit", "blocked"
COLOURS = {THROUGH: "var(--s0)", TRIED: "var(--s7)", LIMIT: "var(--ink)", CLOSED: "var(--o0)"}
CLASSES = ((THROUGH, "s0"), (TRIED, "s7"), (LIMIT, "limit"), (CLOSED, "closed"))
_HEIGHT = 190
_MARGIN = 70
"""Pixels beside the drawing itself."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve with what it says: how a title, a sentence, and a table say it too."""

    title: str
    says: str
    axis: str
    dollars: bool
    points: Sequence[Mapping[str, Any]]
    closed: Sequence[Mapping[str, str]]
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    limited: bool

    def chart(self) -> Chart:
        """For a page, which has its own legend."""
        legend = [
            each
            for each in CLASSES
            if each[0] in {THROUGH, TRIED}
            or (each[0] == LIMIT and self.limited)
            or (each[0] == CLOSED and self.closed)
        ]
        drawings = drawn(lambda width: self.spec(width - _MARGIN))
        return Chart(drawings, self.says, legend, self.head, self.rows)

    def spec(self, width: int, legend: Spec | None = None) -> Spec:
        """With a legend, or without: then the page says which is which."""

        def colour(name: str) -> Spec:
            scale = {"domain": list(COLOURS), "range": list(COLOURS.values())}
            return {"datum": name, "type": "nominal", "scale": scale, "legend": legend}

        first, last = self.points[0]["at"], self.points[-1]["at"]
        time = time_axis(first, last, width + _MARGIN, field="at")
        axis = {"format": "$~s" if self.dollars else "~s", "tickCount": 4, "domain": False,
                "ticks": False, "minExtent": 44}  # fmt: skip

        def line(field: str, name: str, **mark: Any) -> Spec:
            return {
                "data": {"values": list(self.points)},
                "mark": {"type": "line", "aria": False, "strokeJoin": "round", **mark},
                "encoding": {
                    "x": time,
                    "y": {"field": field, "type": "quantitative", "title": self.axis, "axis": axis},
                    "color": colour(name),
                },
            }

        spans = {
            "data": {"values": list(self.closed)},
            "mark": {"type": "rect", "opacity": 0.22, "aria": False},
            "encoding": {
                "x": {**time, "field": "from"},
                "x2": {"field": "to"},
                "color": colour(CLOSED),
            },
        }
        layers = [
            *([spans] if self.closed else []),
            line("tried", TRIED, strokeDash=[5, 3], strokeWidth=1.6),
            line("through", THROUGH, strokeWidth=2.2),
        ]
        if self.limited:
            layers.append(line("limit", LIMIT, strokeWidth=1.2, interpolate="step-after"))
        return {"width": width, "height": _HEIGHT, "layer": layers}


def curves(outcomes: Mapping[Principal, Simulated], trace: Trace) -> list[Curve]:
    """All calls together, then those whom the limits refuse most, or who come nearest to one."""
    return [_together(outcomes, trace), *map(_single(trace), _foremost(outcomes, trace))]


def _foremost(outcomes: Mapping[Principal, Simulated], trace: Trace) -> list[Course]:
    def weight(item: tuple[Principal, Simulated]) -> tuple[Any, ...]:
        who, outcome = item
        told = len(outcome.events)
        return (
            -outcome.refused.cost_usd, -outcome.refused.requests, -told, -outcome.used.cost_usd,
            str(who),
        )  # fmt: skip

    found: list[Course] = []
    for who, outcome in sorted(outcomes.items(), key=weight)[: 2 * MOST_COURSES]:
        courses = [each for each in trace.courses(who) if each.limited]
        reached = [each for each in courses if each.fullest >= 1] if outcome.events else []
        found += reached or courses[:1]
    return found[:MOST_COURSES]


def _together(outcomes: Mapping[Principal, Simulated], trace: Trace) -> Curve:
    """Dollars added up call by call, or tokens if nothing has a price."""
    whole = Counts.total(each.counts for each in trace.arrivals)
    saved = refused(outcomes)
    measure = Measure.COST_USD if whole.cost_usd else Measure.TOTAL_TOKENS
    through = tried = Counts()
    rest = iter(trace.arrivals)
    call = next(rest, None)
    points = []
    for at in trace.grid():
        while call is not None and call.at <= at:
            tried = Counts.total((tried, call.counts))
            if not call.refused:
                through = Counts.total((through, call.counts))
            call = next(rest, None)
        points.append(_point(trace, at, measure.of(through), measure.of(tried)))
    people = people_refused(outcomes)
    says = (
        f"Without the limits {_amount(measure.of(whole), measure)}, with them "
        f"{_amount(measure.of(through), measure)}: {_amount(measure.of(saved), measure)} saved and "
        f"{count(saved.requests, 'call')} of {count(people, 'principal')} "
        "refused, had nobody tried again."
        if saved.requests
        else f"{_amount(measure.of(whole), measure)} in all, and the limits refuse none of it."
    )
    return Curve(
        "All together, added up",
        says,
        measure.words,
        measure is Measure.COST_USD,
        points,
        (),
        ("Day", "Let through", "Without the limits", "Calls refused"),
        _days_together(trace, measure),
        limited=False,
    )


def _days_together(trace: Trace, measure: Measure) -> list[tuple[str, ...]]:
    by_day: dict[Any, list[Any]] = {day: [] for day in trace.days()}
    for each in trace.arrivals:
        by_day[local_date(each.at, trace.zone)].append(each)
    return [
        (
            texts.day(day),
            _amount(measure.of(Counts.total(e.counts for e in several if not e.refused)), measure),
            _amount(measure.of(Counts.total(each.counts for each in several)), measure),
            f"{sum(each.refused for each in several):,}",
        )
        for day, several in by_day.items()
    ]


def _single(trace: Trace) -> Callable[[Course], Curve]:
    def curve(course: Course) -> Curve:
        quota, measure = course.quota, course.quota.measure
        limits = {each.limit for each in course.points if each.limit.is_finite()}
        one = f"{bare_limit(next(iter(limits)), measure.words)} " if len(limits) == 1 else ""
        words = "" if measure is Measure.COST_USD else f"{measure.words} "
        about = (
            f"{one}{words}a {quota.window}"
            if not quota.window.rolling
            else (f"{one}{words}in {quota.window}")
        )
        return Curve(
            f"{course.principal}, {quota.name}: {about}",
            _said(course),
            measure.words,
            measure is Measure.COST_USD,
            [_point(trace, *each) for each in course.points],
            [{"from": _local(trace, a), "to": _local(trace, b)} for a, b in course.closed],
            ("Day", "Let through", "Without the limits", "Calls refused", "Blocked for"),
            [
                (
                    texts.day(each.day),
                    _amount(each.through, measure),
                    _amount(each.tried, measure),
                    f"{each.refused:,}",
                    lasting(each.closed) if each.closed else "",
                )
                for each in course.days
            ],
            limited=course.limited,
        )

    return curve


def _said(course: Course) -> str:
    measure = course.quota.measure
    most = max(each.through for each in course.points)
    tried = max(each.tried for each in course.points)
    if not course.closed:
        return f"Never blocked; at most {used_units(most, None, measure.words)} at a time."
    lasted = sum((end - begin for begin, end in course.closed), timedelta(0))
    return (
        f"Blocked {_times(len(course.closed))}, for {lasting(lasted)} in all; "
        f"{count(course.refused, 'call')} refused. At most {used_units(most, None, measure.words)} "
        f"at a time, and {used_units(tried, None, measure.words)} without the limits."
    )


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{number:,} times")


def _point(
    trace: Trace, at: datetime, through: Number, tried: Number, limit: Decimal = UNLIMITED
) -> Mapping[str, Any]:
    return {
        "at": _local(trace, at),
        "through": float(through),
        "tried": float(tried),
        "limit": float(limit) if limit.is_finite() else None,
    }


def _local(trace: Trace, moment: datetime) -> str:
    """Local time shown as if it were UTC."""
    return f"{moment.astimezone(trace.zone):%Y-%m-%dT%H:%M:%S.%fZ}"


def _amount(value: Number, measure: Measure) -> str:
    return used_units(value, None, measure.words)
