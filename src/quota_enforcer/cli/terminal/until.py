"""Ends as admins write them: a moment such as 2026-12-01T09:00, a date, or a while such as 2h."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import typer

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.notices import wording
from quota_enforcer.core.quotas import values as quota_values

FORMS = "a while such as 2h, 3d or 1d12h; a moment such as 2026-12-01T09:00; or a date"
_WHILE = re.compile(
    r"(?=\d)(?:(?P<weeks>\d+)w)?(?:(?P<days>\d+)d)?(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?"
)


def end(text: str, context: Context, option: str) -> datetime:
    """The moment that is meant; raises typer.BadParameter where there is none, or it is past."""
    try:
        moment = quota_values.moment(written(text, context.now, context.zone), context.zone)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(f"{text!r} is no end; write {FORMS}", param_hint=option) from error
    if moment <= context.now:
        raise typer.BadParameter(
            f"{wording.moment(moment, context.zone)} is past; it is now "
            f"{wording.moment(context.now, context.zone)}",
            param_hint=option,
        )
    return moment


def written(text: str, now: datetime, zone: ZoneInfo) -> str:
    """A while from now as the moment that it ends; all else stays for validation to judge.

    Days and weeks end at the same time of day, whatever the clocks do in between.
    """
    found = _WHILE.fullmatch(text)
    if found is None:
        return text
    parts = {unit: int(number) for unit, number in found.groupdict(default="0").items()}
    try:
        day = now.astimezone(zone) + timedelta(weeks=parts["weeks"], days=parts["days"])
        exactly = timedelta(hours=parts["hours"], minutes=parts["minutes"])
        return as_text(day.astimezone(UTC) + exactly, zone)
    except OverflowError:
        return text


def as_text(moment: datetime, zone: ZoneInfo) -> str:
    """A moment as quota items have it, on the deployment's clock."""
    return moment.astimezone(zone).isoformat(timespec="seconds")
