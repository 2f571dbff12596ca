"""Time zones by their IANA names; a name that is none is refused with the nearest."""

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from quota_enforcer.core.errors import ConfigError

_OFFSET = re.compile(r"(?:utc|gmt)([+-])0?(\d{1,2})(?::?00)?", re.IGNORECASE)
_OTHER_SIGN = {"+": "-", "-": "+"}


class UnknownTimeZone(ConfigError):
    """No time zone has this name."""


def time_zone(name: str) -> ZoneInfo:
    """The zone of this name. Raises UnknownTimeZone, with the nearest name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        near = nearest(name)
        hint = f"the nearest is {near}" if near else "name one such as Europe/Berlin"
        raise UnknownTimeZone(f"{name!r} is no IANA time zone; {hint}") from None


def nearest(name: str) -> str:
    """The zone whose name or city is most like this; empty if none is like it."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    if offset := _OFFSET.fullmatch(name.strip()):
        # In IANA's names the sign says how far Greenwich is from there.
        zone = f"Etc/GMT{_OTHER_SIGN[offset[1]]}{offset[2]}"
        return zone if zone in available_timezones() else ""
    wanted = name.strip().replace(" ", "_").casefold()
    whole: dict[str, str] = {}
    cities: dict[str, str] = {}
    for each in sorted(available_timezones(), key=lambda name: (name.count("/"), name)):
        whole[each.casefold()] = each
        cities.setdefault(each.rpartition("/")[2].casefold(), each)
    places = (whole, cities) if "/" in wanted else (cities, whole)
    for known in places:
        for like in get_close_matches(wanted, known, 1, 0.75):
            return known[like]
    city = wanted.rpartition("/")[2]
    return next((cities[like] for like in get_close_matches(city, cities, 1, 0.75)), "")
