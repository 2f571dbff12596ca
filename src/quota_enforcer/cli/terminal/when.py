"""Moments and lengths of time as people read them."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)


def weekday_moment(when: datetime, zone: ZoneInfo) -> str:
    """`Mon 2026-11-16 10:12 CET`."""
    return f"{when.astimezone(zone):%a %Y-%m-%d %H:%M %Z}"


def lasting(length: timedelta) -> str:
    """`25 min`, `14 h`, `2 h 30 min`, `3 d 4 h`: at most two units, rounded down."""
    if length < _HOUR:
        return f"{length // _MINUTE} min"
    if length < _DAY:
        return _two(length // _HOUR, "h", length % _HOUR // _MINUTE, "min")
    return _two(length // _DAY, "d", length % _DAY // _HOUR, "h")


def _two(many: int, large: str, few: int, small: str) -> str:
    return f"{many} {large} {few} {small}" if few else f"{many} {large}"
