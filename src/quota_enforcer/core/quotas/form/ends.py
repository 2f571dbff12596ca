"""When something ends, as people write it: a while from now, a moment, or a date."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

END_FORMS: Final = "a while such as 2h, 3d or 1d12h; a moment such as 2026-12-01T09:00; or a date"
_WHILE: Final = re.compile(
    r"(?=\d)(?:(?P<weeks>\d+)w)?(?:(?P<days>\d+)d)?(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?"
)
_SPELLED: Final = re.compile(r"\s*([wdhm])(?:eeks?|ays?|ours?|rs?|inutes?|ins?)?(?:\s+|\b)")
"""A unit as people write it: `2 days`, `1 hour 30 min`."""


def end_text(text: str, now: datetime, zone: ZoneInfo) -> str:
    """A while from now as the moment of its end; any other text is left for validation.

    Days and weeks end at the same time of day, also if the clocks change in between.
    """
    found = _WHILE.fullmatch(_SPELLED.sub(r"\1", text.strip().lower()))
    if found is None:
        return text
    parts = {unit: int(number) for unit, number in found.groupdict(default="0").items()}
    try:
        day = now.astimezone(zone) + timedelta(weeks=parts["weeks"], days=parts["days"])
        exactly = timedelta(hours=parts["hours"], minutes=parts["minutes"])
        return moment_text(day.astimezone(UTC) + exactly, zone)
    except OverflowError:
        return text


def moment_text(moment: datetime, zone: ZoneInfo) -> str:
    """A moment as quota items have it, on the deployment's clock."""
    return moment.astimezone(zone).isoformat(timespec="seconds")
