"""Which days a command is about: a month, or from one day to another, in local time."""

import calendar
import re
from dataclasses import dataclass
from datetime import date

import typer

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.usage.window import local_date

_MONTH = re.compile(r"(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Span:
    """Both days included; `today` is the local date now."""

    first: date
    last: date
    today: date


def span_of(month: str | None, first: str | None, last: str | None, context: Context) -> Span:
    """The month, or the days; the present month where nothing is asked."""
    today = local_date(context.now, context.zone)
    if month is not None and (first or last):
        raise typer.BadParameter("give either --month or --from and --to")
    if first is None and last is None:
        return _month(month or f"{today:%Y-%m}", today)
    end = today if last is None else _day(last, "--to")
    start = end.replace(day=1) if first is None else _day(first, "--from")
    if end < start:
        raise typer.BadParameter(f"--to {end} is before --from {start}: write the earlier first")
    return Span(start, end, today)


def _month(text: str, today: date) -> Span:
    found = _MONTH.fullmatch(text)
    if found is None or not int(found["year"]):
        raise typer.BadParameter(
            f"{text!r} is no month: write one such as 2026-11", param_hint="--month"
        )
    year, month = int(found["year"]), int(found["month"])
    last = date(year, month, calendar.monthrange(year, month)[1])
    return Span(last.replace(day=1), last, today)


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no day: write one such as 2026-11-24", param_hint=option
        ) from None
