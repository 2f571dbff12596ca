"""What the attributes of usage are called: `13.in` is the input tokens from 13:00 to 14:00.

They are short, since a write costs by each kilobyte of its item, and a bucket has some of them for
each hour. Versions up to form 1 of the table wrote each counter's own name, `13.input_tokens`, and
such items stay for 400 days: both names are read, and add up where an item has both.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, time
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from quota_enforcer.core.usage.counts import OBSERVED, SHORT_NAMES, Counts

_FILLERS = ("by", "meter")
"""Beside an hour's counters, now and up to form 1: who set the hour.

An hour without it was filled by the stream meter, call by call.
"""
_COUNTERS: Mapping[str, str] = {
    **{counter: counter for counter in SHORT_NAMES},
    **{short: counter for counter, short in SHORT_NAMES.items()},
}
"""The counter of either name."""
WHOLE = frozenset(OBSERVED)
"""The counters of whole numbers; the others are exact dollars."""
_OF_AN_HOUR = re.compile(r"(?P<hour>[01]\d|2[0-3])(?P<again>b?)\.(?P<name>[a-z_]+)")


def counters_of_hour(start: datetime, counts: Counts, zone: ZoneInfo) -> dict[str, Any]:
    """The attributes of the hour that starts at `start`, those of zeros too."""
    hour = hour_name(start, zone)
    return {f"{hour}.{SHORT_NAMES[name]}": number for name, number in counts._asdict().items()}


def filler_names(start: datetime, zone: ZoneInfo) -> tuple[str, ...]:
    """The attributes that say who set the hour; the first is the one to write."""
    hour = hour_name(start, zone)
    return tuple(f"{hour}.{name}" for name in _FILLERS)


def older_names(start: datetime, zone: ZoneInfo) -> list[str]:
    """All that only versions up to form 1 wrote of the hour."""
    hour = hour_name(start, zone)
    return [f"{hour}.{name}" for name in (*SHORT_NAMES, *_FILLERS[1:])]


def hour_name(start: datetime, zone: ZoneInfo) -> str:
    """Two digits, and a `b` at the second of two hours that clocks call the same."""
    local = start.astimezone(zone)
    return f"{local.hour:02}{'b' * local.fold}"


@lru_cache(maxsize=1024)
def hour_and_counter(attribute: str) -> tuple[time, str] | None:
    """The local hour and the counter that an attribute is of; None if it is another's."""
    match = _OF_AN_HOUR.fullmatch(attribute)
    counter = _COUNTERS.get(match["name"]) if match else None
    if match is None or counter is None:
        return None
    return time(int(match["hour"]), fold=int(bool(match["again"]))), counter


def short_named(counts: Counts) -> dict[str, Any]:
    """Those of the counters that are not zero, where an item is of one time alone."""
    return {SHORT_NAMES[name]: number for name, number in counts._asdict().items() if number}


def counts_named(numbers: Mapping[str, Any]) -> Counts:
    """What an item holds that is of one time alone; other attributes are no counters."""
    named = ((_COUNTERS.get(name), number) for name, number in numbers.items())
    return summed((counter, number) for counter, number in named if counter)


def summed(numbers: Iterable[tuple[str, Any]]) -> Counts:
    """The sums of numbers that are given with their counters."""
    sums: dict[str, Any] = {}
    for counter, number in numbers:
        exact = int(number) if counter in WHOLE else number
        sums[counter] = sums[counter] + exact if counter in sums else exact
    return Counts(**sums)
