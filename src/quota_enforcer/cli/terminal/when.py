"""Moments and days as people write them: how far back, which days, until when."""

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import typer

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.notices import wording
from quota_enforcer.core.notices.amounts import lasting
from quota_enforcer.core.quotas.form import values as quota_values
from quota_enforcer.core.quotas.form.ends import END_FORMS, end_text
from quota_enforcer.core.usage.window import local_date


def weekday_moment(when: datetime, zone: ZoneInfo) -> str:
    """`Mon 2026-11-16 10:12 CET`."""
    return f"{when.astimezone(zone):%a %Y-%m-%d %H:%M %Z}"


def freshness(age: int | None) -> str:
    """How old the newest usage is, by its seconds: `newest usage 3 min old`."""
    if age is None:
        return "no usage seen yet"
    return f"newest usage {lasting(timedelta(seconds=max(age, 0)))} old"


_AGO = re.compile(r"(?P<count>\d{1,4}) ?(?P<unit>[mhdw])")
_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


def since_moment(text: str, context: Context) -> datetime:
    """`7d` or `12h` ago, or `2026-11-24T09:00` in the deployment's zone."""
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        return context.now - int(ago["count"]) * _UNITS[ago["unit"]]
    try:
        return quota_values.moment(text, context.zone)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a moment: write 7d, 12h, 2026-11-24 or 2026-11-24T09:00",
            param_hint="--since",
        ) from None


_MONTH = re.compile(r"(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class DayRange:
    """Both days included; `today` is the local date now."""

    first: date
    last: date
    today: date


def asked_days(
    month: str | None, first: str | None, last: str | None, context: Context
) -> DayRange:
    """The asked month or days; by default the present month."""
    today = local_date(context.now, context.zone)
    if month is not None and (first or last):
        raise typer.BadParameter("give either --month or --from and --to")
    if first is None and last is None:
        return _month(month or f"{today:%Y-%m}", today)
    end = today if last is None else asked_day(last, "--to")
    start = end.replace(day=1) if first is None else asked_day(first, "--from")
    if end < start:
        raise typer.BadParameter(f"--to {end} is before --from {start}: write the earlier first")
    return DayRange(start, end, today)


def _month(text: str, today: date) -> DayRange:
    found = _MONTH.fullmatch(text)
    if found is None or not int(found["year"]):
        raise typer.BadParameter(
            f"{text!r} is not a month: write one such as 2026-11", param_hint="--month"
        )
    year, month = int(found["year"]), int(found["month"])
    last = date(year, month, calendar.monthrange(year, month)[1])
    return DayRange(last.replace(day=1), last, today)


def asked_day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a day: write one such as 2026-11-24", param_hint=option
        ) from None


def end_moment(text: str, context: Context, option: str) -> datetime:
    """The end as a moment; raises typer.BadParameter if it is not an end, or is past."""
    try:
        moment = quota_values.moment(end_text(text, context.now, context.zone), context.zone)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"{text!r} is not an end; write {END_FORMS}", param_hint=option
        ) from error
    if moment <= context.now:
        raise typer.BadParameter(
            f"{wording.moment(moment, context.zone)} is past; it is now "
            f"{wording.moment(context.now, context.zone)}",
            param_hint=option,
        )
    return moment
