"""How far back: a moment, a date, or a length of time before now."""

import re
from datetime import datetime, timedelta

import typer

from quota_enforcer.core.deployment import Context
from quota_enforcer.core.quotas import values as quota_values

_AGO = re.compile(r"(?P<count>\d{1,4}) ?(?P<unit>[mhdw])")
_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}


def since_moment(text: str, context: Context) -> datetime:
    """`7d` and `12h` ago, or `2026-11-24T09:00` in the deployment's zone."""
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        return context.now - int(ago["count"]) * _UNITS[ago["unit"]]
    try:
        return quota_values.moment(text, context.zone)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no moment: write 7d, 12h, 2026-11-24 or 2026-11-24T09:00",
            param_hint="--since",
        ) from None
