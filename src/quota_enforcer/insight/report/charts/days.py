"""The charts of the days: what everybody used of each model, in tokens and in dollars."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.insight.report import texts
from quota_enforcer.insight.report.charts.drawing import (
    Chart,
    Spec,
    drawn,
    is_wide,
    ranged,
    said,
    time_axis,
)
from quota_enforcer.insight.report.model import ByDay

COLOURS = 7
"""Models with a colour of their own; nobody can tell more colours apart."""


@dataclass(frozen=True, slots=True)
class _Amount:
    """What a chart is of: its title, how its axis writes numbers, a bucket's number, its words."""

    title: str
    axis: str
    number: Callable[[Counts], Any]
    words: Callable[[Any], str]


_TOKENS = _Amount("Tokens", "~s", lambda counts: counts.tokens, texts.number)
_DOLLARS = _Amount("US dollars", "$~s", lambda counts: counts.cost_usd, texts.money)


@dataclass(frozen=True, slots=True)
class Days:
    """What the charts are drawn from.

    A model has the same colour in all charts. Before `recorded_from` the ledger has nothing, which
    is not the same as no usage.
    """

    days: Sequence[date]
    models: Mapping[str, ByDay]
    recorded_from: date | None

    def tokens(self) -> Chart | None:
        """Tokens by day and model, stacked; None if nothing was used."""
        return self._chart(_TOKENS)

    def dollars(self) -> Chart | None:
        """Dollars by day and model, stacked; None if nothing cost anything."""
        return self._chart(_DOLLARS)

    def _chart(self, amount: _Amount) -> Chart | None:
        series = self._series(amount)
        totals = {day: sum(each.get(day, 0) for each in series.values()) for day in self.days}
        whole = sum(totals.values())
        if not whole:
            return None
        names = list(series)
        values = [
            {
                "day": _midnight(day),
                "place": place,
                "number": float(days[day]),
                "says": f"{texts.day(day)}, {name}: {amount.words(days[day])} {amount.title}",
            }
            for place, (name, days) in enumerate(series.items())
            for day in self.days
            if days.get(day)
        ]
        most = max(self.days, key=lambda day: (totals[day], day))
        return Chart(
            drawn(lambda width: self._spec(values, amount, width)),
            f"{amount.title} a day by model, {texts.day(self.days[0])} to "
            f"{texts.day(self.days[-1])}: {amount.words(whole)} in all; most on "
            f"{texts.day(most)}: {amount.words(totals[most])}. A table has every number.",
            [
                *((name, f"s{place}") for place, name in enumerate(names)),
                *([("nothing recorded", "none")] if self._unrecorded() else []),
            ],
            ("Day", "All", *names),
            [
                (texts.day(d), *(amount.words(n) for n in _row(totals[d], series, d)))
                for d in reversed(self.days)
                if totals[d]
            ],
        )

    def _series(self, amount: _Amount) -> dict[str, dict[date, Any]]:
        """The numbers of the days by name; if there are many models, the smallest together."""
        models = self._ranked()
        named = models if len(models) <= COLOURS + 1 else models[:COLOURS]
        rest = f"{len(models) - len(named)} other models"
        series: dict[str, dict[date, Any]] = {}
        for model in models:
            days = series.setdefault(model if model in named else rest, {})
            for day, counts in self.models[model].items():
                days[day] = days.get(day, 0) + amount.number(counts)
        return series

    def _ranked(self) -> list[str]:
        """The models that are most of the tokens or most of the money first."""
        totals = {model: Counts.total(days.values()) for model, days in self.models.items()}
        tokens = sum(counts.tokens for counts in totals.values()) or 1
        dollars = sum(counts.cost_usd for counts in totals.values()) or 1

        def weight(model: str) -> tuple[float, str]:
            counts = totals[model]
            return -max(counts.tokens / tokens, float(counts.cost_usd / dollars)), model

        return sorted(totals, key=weight)

    def _spec(self, values: Sequence[Mapping[str, Any]], amount: _Amount, width: int) -> Spec:
        bar = max((width - 60) / max(len(self.days), 1) * 0.78, 1)
        first, last = _midnight(self.days[0]), _midnight(self.days[-1])
        bars = {
            "data": {"values": list(values)},
            "mark": {
                "type": "bar",
                "width": min(bar, 48),
                "stroke": "var(--card)",
                "strokeWidth": 0.5,
                "aria": is_wide(width),
            },
            "encoding": {
                "x": time_axis(first, last, width, field="day", pad=bar),
                "y": {
                    "field": "number",
                    "type": "quantitative",
                    "title": amount.title,
                    "axis": {
                        "format": amount.axis,
                        "tickCount": 5,
                        "domain": False,
                        "ticks": False,
                    },
                },
                "color": ranged("place", [f"var(--s{place})" for place in range(COLOURS + 1)]),
                "order": {"field": "place", "type": "quantitative"},
                **said(width),
            },
        }
        return {"width": width - 60, "height": 240, "layer": [*self._unrecorded(), bars]}

    def _unrecorded(self) -> list[Spec]:
        """The days before the ledger's first, shaded."""
        if self.recorded_from is None or self.recorded_from <= self.days[0]:
            return []
        span = {"day": _midnight(self.days[0]), "to": _midnight(self.recorded_from)}
        return [
            {
                "data": {"values": [span]},
                "mark": {"type": "rect", "color": "var(--track)", "aria": False},
                "encoding": {
                    "x": {"field": "day", "type": "temporal"},
                    "x2": {"field": "to"},
                },
            }
        ]


def _row(total: Any, series: Mapping[str, Mapping[date, Any]], day: date) -> list[Any]:
    return [total, *(days.get(day, 0) for days in series.values())]


def _midnight(day: date) -> str:
    return f"{day}T00:00:00Z"
