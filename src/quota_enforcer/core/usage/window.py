"""Windows: which buckets of local time a quota sums up, and when that sum starts again; and zones.

All arithmetic is on the deployment's local clock, so days of 23 and 25 hours and zones of half and
quarter hours come out right; every instant is handed on in UTC.
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from quota_enforcer.core.errors import ConfigError

MINUTE = timedelta(minutes=1)

HOUR = timedelta(hours=1)

DAY = timedelta(days=1)

YEARS = range(2000, 3000)
"""Years of moments that are taken for real; far beyond them no time zone works."""


class Unit(StrEnum):
    """The step of a window."""

    MINUTE = "minute"
    """Only of rolling ones."""
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Span:
    """One window at one moment: its buckets, newest first, and its bounds in UTC."""

    start: datetime
    end: datetime
    """When a fixed window starts again, or a rolling one next lets its oldest bucket go."""
    first_day: date
    """The local date of its start."""
    hours: tuple[datetime, ...] = ()
    """Bucket starts in UTC; empty if the window has days or minutes."""
    days: tuple[date, ...] = ()
    """Local dates; empty if the window has hours or minutes."""
    minutes: tuple[datetime, ...] = ()
    """Bucket starts in UTC; empty if the window has hours or days."""


@dataclass(frozen=True, slots=True)
class Window:
    """A fixed window, or a rolling one of some minutes, hours or days, the current one included."""

    unit: Unit
    rolling: int = 0
    """How many minutes, hours or days; 0 for a fixed window."""
    resets_on: int = 1
    """The ISO weekday (Monday is 1) of a week, or the day of a month, its last day at most."""

    def __str__(self) -> str:
        if self.rolling:
            return f"rolling {self.rolling} {self.unit}s"
        if self.unit is Unit.WEEK and self.resets_on != 1:
            return f"week from {calendar.day_name[self.resets_on - 1]}"
        if self.unit is Unit.MONTH and self.resets_on != 1:
            return f"month from day {self.resets_on}"
        return self.unit.value

    def span(self, now: datetime, zone: ZoneInfo) -> Span:
        """The buckets to sum at `now`; remembered, since it is the same all hour or day long."""
        return _span_at(self, now, zone)

    def leaving(self, now: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """When a rolling window lets its oldest bucket go, the next oldest, and so on."""
        if self.unit is Unit.MINUTE:
            moment = minute_start(now)
            while True:
                moment += MINUTE
                yield moment
        if self.unit is Unit.HOUR:
            moment = hour_start(now, zone)
            while True:
                moment = next_hour(moment, zone)
                yield moment
        day = local_date(now, zone)
        while True:
            day += DAY
            yield day_start(day, zone)


def minute_start(moment: datetime) -> datetime:
    """The start in UTC of the minute that holds `moment`: the same on every clock of our days."""
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def hour_start(moment: datetime, zone: ZoneInfo) -> datetime:
    """The start in UTC of the local clock hour that holds `moment`; the key of its bucket."""
    return moment.astimezone(zone).replace(minute=0, second=0, microsecond=0).astimezone(UTC)


def next_hour(start: datetime, zone: ZoneInfo) -> datetime:
    """The start of the local clock hour after the one that begins at `start`."""
    following = hour_start(start + HOUR, zone)
    # Lord Howe Island turns its clocks by half an hour: there one clock hour lasts 90 minutes.
    return following if following > start else hour_start(start + 2 * HOUR, zone)


def local_date(moment: datetime, zone: ZoneInfo) -> date:
    """The local date of an instant; the key of its day bucket."""
    return moment.astimezone(zone).date()


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local date in UTC, even if the clocks skip midnight."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


@lru_cache(maxsize=1024)
def _span_of_minutes(window: Window, minute: datetime, zone: ZoneInfo) -> Span:
    minutes = tuple(minute - MINUTE * n for n in range(window.rolling))
    first = minutes[-1]
    return Span(first, minute + MINUTE, local_date(first, zone), minutes=minutes)


@lru_cache(maxsize=1024)
def _span_at(window: Window, now: datetime, zone: ZoneInfo) -> Span:
    """All who are decided about at a moment ask for the same."""
    if window.unit is Unit.MINUTE:
        return _span_of_minutes(window, minute_start(now), zone)
    if window.unit is Unit.HOUR:
        return _span_of_hours(window, hour_start(now, zone), zone)
    return _span_of_days(window, local_date(now, zone), zone)


@lru_cache(maxsize=1024)
def _span_of_hours(window: Window, hour: datetime, zone: ZoneInfo) -> Span:
    hours = tuple(islice(_hours_back(hour, zone), window.rolling or 1))
    first = hours[-1]
    return Span(first, next_hour(hours[0], zone), local_date(first, zone), hours=hours)


@lru_cache(maxsize=1024)
def _span_of_days(window: Window, today: date, zone: ZoneInfo) -> Span:
    first = _first_day(window, today)
    days = tuple(today - DAY * n for n in range((today - first).days + 1))
    end = today + DAY if window.rolling else _next_first_day(window, first)
    return Span(day_start(first, zone), day_start(end, zone), first, days=days)


def _hours_back(now: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    start = hour_start(now, zone)
    while True:
        yield start
        start = hour_start(start - timedelta(seconds=1), zone)


def _first_day(window: Window, today: date) -> date:
    """The local date on which the window that holds `today` began."""
    match window.unit:
        case Unit.WEEK:
            return today - DAY * ((today.isoweekday() - window.resets_on) % 7)
        case Unit.MONTH:
            this_month = _month_day(today.year, today.month, window.resets_on)
            if this_month <= today:
                return this_month
            last = today.replace(day=1) - DAY
            return _month_day(last.year, last.month, window.resets_on)
        case _:
            return today - DAY * (max(window.rolling, 1) - 1)


def _next_first_day(window: Window, first: date) -> date:
    match window.unit:
        case Unit.WEEK:
            return first + DAY * 7
        case Unit.MONTH:
            following = first.replace(day=28) + DAY * 4
            return _month_day(following.year, following.month, window.resets_on)
        case _:
            return first + DAY


def _month_day(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


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
