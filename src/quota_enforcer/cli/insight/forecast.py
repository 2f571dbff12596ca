"""`forecast`: at this pace, when does each quota run out."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction
from typing import Any

from rich.text import Text

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.insight.explain.verdict import amount
from quota_enforcer.cli.insight.status.rows import row_document, used
from quota_enforcer.cli.terminal.options import AsJson, MaybePrincipalArg, MostRows, on_deployment
from quota_enforcer.cli.terminal.output import hint, say, say_json, screenful
from quota_enforcer.cli.terminal.principals import (
    hint_unknown_principal,
    look_at_all,
    record_of,
)
from quota_enforcer.cli.terminal.tables import say_table
from quota_enforcer.cli.terminal.when import weekday_moment
from quota_enforcer.core.deployment import Context
from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.usage.window import DAY, HOUR, MINUTE, Unit, local_date
from quota_enforcer.decide.verdict import Verdict
from quota_enforcer.insight.forecast import SEEN_FOR, Outlook, of_days, of_window, per
from quota_enforcer.insight.status import StatusInput, StatusRow, everybody, rows

_NEVER = datetime.max.replace(tzinfo=UTC)
_PLACES = Decimal("0.000001")
_PLACE = Decimal("0.1")
_SMALL = 10
"""A pace of whole things below this has a decimal place: 0.7 requests an hour."""


@dataclass(frozen=True, slots=True)
class ForecastRow:
    """One principal's quota with its outlooks; None is too little data."""

    row: StatusRow
    verdict: Verdict
    of_window: Outlook | None
    of_days: Outlook | None

    @property
    def urgency(self) -> tuple[datetime, int, str, str]:
        """Sorts by who runs out first, then by who will be fullest."""
        outlooks = [each for each in (self.of_window, self.of_days) if each]
        ends = [each.runs_out for each in outlooks if each.runs_out]
        fullest = max((each.percent_at_reset or 0 for each in outlooks), default=0)
        return min(ends, default=_NEVER), -fullest, self.row.principal, self.row.quota


@on_deployment
def forecast(
    deployment: Deployment,
    principal: MaybePrincipalArg = None,
    *,
    limit: MostRows = None,
    as_json: AsJson = False,
) -> None:
    """Show when each quota runs out, at the pace of its window and of the last 7 days.

    A pace is a mean: it knows neither nights nor weekends. That of the
    window needs five calls and a twentieth of the window, that of the days
    before today needs five calls and two days; else it says: too little data.

    Examples:
      quota-enforcer forecast
      quota-enforcer forecast user/alice
      quota-enforcer forecast --json
    """
    context = deployment.context(clock.now())
    known = deployment.ledger.everybody()
    loaded = deployment.load(context.now, known)
    if principal is None:
        records = everybody(known, loaded.rules)
    else:
        records = [record_of(deployment, principal)]
    since = local_date(context.now, context.zone) - DAY * SEEN_FOR
    seen = look_at_all(deployment, records, loaded.book, context, since)
    state = deployment.ledger.state()
    lines = [line for each in seen for line in _lines(each, state, context)]
    lines.sort(key=lambda line: line.urgency)
    if as_json:
        say_json({"now": context.now, "forecasts": [_document(line) for line in lines]})
        return
    _say(lines, context, screenful(limit))
    if principal is not None:
        hint_unknown_principal(deployment, records[0], loaded.rules)


def _lines(seen: StatusInput, state: SweepState, context: Context) -> Iterator[ForecastRow]:
    """Only quotas with a limit above 0 have one."""
    for verdict, row in zip(
        seen.decision.whole, rows(seen.record, seen.decision, state), strict=False
    ):
        if verdict.limit and verdict.limit.is_finite():
            usage = seen.behind(verdict)
            outlooks = of_window(verdict, usage, context), of_days(verdict, usage, context)
            yield ForecastRow(row, verdict, *outlooks)


def _say(lines: list[ForecastRow], context: Context, limit: int | None) -> None:
    if not lines:
        say("There is no quota with a limit to forecast.")
        return
    say_table(
        (
            "Principal",
            "Quota",
            "Used",
            "%",
            "At the pace of its window",
            "Of the days before today",
        ),
        [_cells(line, context) for line in lines[:limit]],
        numbers={"%"},
        narrow={"Used": 13},
    )
    if limit is not None and len(lines) > limit:
        hint(f"{len(lines) - limit:,} more rows: --limit 0 shows all.")


def _cells(line: ForecastRow, context: Context) -> tuple[str | Text, ...]:
    row = line.row
    return (
        row.principal,
        row.quota,
        used(row),
        str(row.percent),
        _words(line.of_window, line.verdict, context),
        _words(line.of_days, line.verdict, context),
    )


def _words(outlook: Outlook | None, verdict: Verdict, context: Context) -> Text:
    """`24,000 a day: runs out Thu 2026-11-26 14:00 UTC`."""
    if verdict.used_up:
        return Text("used up", "bold red")
    if outlook is None:
        return Text("too little data", "dim")
    unit, name = _unit(verdict.quota)
    pace = f"{amount(_number(per(outlook, unit), verdict.quota), verdict.quota)} {name}"
    if outlook.days:
        pace += f" ({outlook.days} days)"
    if outlook.runs_out is not None:
        return Text(f"{pace}: runs out {weekday_moment(outlook.runs_out, context.zone)}", "yellow")
    if outlook.percent_at_reset is None:
        return Text(f"{pace}: stays below the limit")
    return Text(f"{pace}: {outlook.percent_at_reset:,} % at the reset")


def _unit(quota: Quota) -> tuple[timedelta, str]:
    units = {Unit.MINUTE: (MINUTE, "a minute"), Unit.HOUR: (HOUR, "an hour")}
    return units.get(quota.window.unit, (DAY, "a day"))


def _number(pace: Fraction, quota: Quota) -> int | Decimal:
    """Rounded down, like all that is shown; money and weighted tokens to six places."""
    if not quota.measure.fractional and pace >= _SMALL:
        return int(pace)
    exactly = Decimal(pace.numerator) / Decimal(pace.denominator)
    places = _PLACES if quota.measure.fractional else _PLACE
    return exactly.quantize(places, ROUND_DOWN)


def _document(line: ForecastRow) -> dict[str, Any]:
    return {
        **row_document(line.row),
        "of_window": _outlook(line.of_window, line.verdict),
        "of_days": _outlook(line.of_days, line.verdict),
    }


def _outlook(outlook: Outlook | None, verdict: Verdict) -> dict[str, Any] | None:
    """None if there is too little data."""
    if outlook is None:
        return None
    unit, name = _unit(verdict.quota)
    return {
        "pace": str(_number(per(outlook, unit), verdict.quota)),
        "per": name.removeprefix("a ").removeprefix("an "),
        "days": outlook.days or None,
        "runs_out": outlook.runs_out,
        "percent_at_reset": outlook.percent_at_reset,
    }
