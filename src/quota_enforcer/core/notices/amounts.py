"""Amounts: counted tokens, weighted ones and money, as people and as machines read them.

`measure` is a measure in words here, such as `total tokens`, as notices have it.
"""

from collections.abc import Collection
from datetime import timedelta
from decimal import ROUND_DOWN, Context, Decimal
from itertools import islice

from quota_enforcer.core.usage.counts import NO_MONEY, Measure, Number

_MONEY = Measure.COST_USD.words

_CENTS = 2

_ANY_AMOUNT = Context(prec=100)
"""No amount has so many digits, so that showing one never fails."""


def number(value: Number) -> str:
    """`1,234,567`, `1,234.5`, or `no limit`."""
    if isinstance(value, int):
        return f"{value:,}"
    if not value.is_finite():
        return "no limit"
    shown = f"{value:,f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def exact(value: Decimal) -> str:
    """`1234.5`: every place and no exponent, as machines read money."""
    return number(value).replace(",", "")


def dollars(value: Number, beside: Decimal = NO_MONEY) -> str:
    """`$1,234.50`, or `no limit`; rounded down, so that nobody is shown more than they used.

    It has cents, or more places where a tiny amount needs them to show two digits, or as many as
    the limit `beside` it: so what is shown as at least the limit is used up, and nothing else.
    """
    money = Decimal(value)
    if not money.is_finite():
        return "no limit"
    tiny = min(1 - money.adjusted(), _places(money)) if money else 0
    places = max(_CENTS, tiny, _places(beside))
    return f"${money.quantize(Decimal(1).scaleb(-places), ROUND_DOWN, _ANY_AMOUNT):,f}"


def bare_limit(value: Decimal, measure: str) -> str:
    """A limit: `1,000`, `$10.00`."""
    return dollars(value, value) if measure == _MONEY else number(value)


def limit_of(value: Decimal, measure: str) -> str:
    """A limit and what it is of: `1,000 total tokens`, `$10.00`, `no limit`."""
    return bare_limit(value, measure) + (_unit(measure) if value.is_finite() else "")


def used_of(used: Number, limit: Decimal | None, measure: str) -> str:
    """`1,200 of 1,000`, `$12.35 of $10.00`, `1,200, no limit`, or with None just how much."""
    shown = dollars(used, limit or NO_MONEY) if measure == _MONEY else number(used)
    if limit is None:
        return shown
    between = " of " if limit.is_finite() else ", "
    return f"{shown}{between}{bare_limit(limit, measure)}"


def used_units(used: Number, limit: Decimal | None, measure: str) -> str:
    """`used_of` and its unit: `1,200 of 1,000 total tokens`, `$12.35 of $10.00`."""
    if limit is None or limit.is_finite():
        return used_of(used, limit, measure) + _unit(measure)
    return f"{used_units(used, None, measure)}, {bare_limit(limit, measure)}"


def _unit(measure: str) -> str:
    """Dollars have their sign before the number."""
    return "" if measure == _MONEY else f" {measure}"


def _places(value: Decimal) -> int:
    """Decimal places without trailing zeros."""
    if not value.is_finite():
        return 0
    return len(exact(value).partition(".")[2])


_DAY = timedelta(days=1)

_HOUR = timedelta(hours=1)

_MINUTE = timedelta(minutes=1)


def lasting(length: timedelta) -> str:
    """`25 min`, `14 h`, `2 h 30 min`, `1,966 d`: at most two units, rounded down, none is 0."""
    if length < _HOUR:
        return f"{length // _MINUTE} min"
    if length < _DAY:
        return _two(length // _HOUR, "h", length % _HOUR // _MINUTE, "min")
    return _two(length // _DAY, "d", length % _DAY // _HOUR, "h")


def listed(names: Collection[str], most: int, what: str = "") -> str:
    """`user/a, user/b and 2 more`: the first names, and how many others; `what` they are."""
    more = and_more(len(names), most, what)
    return f"{', '.join(islice(names, most))}{more and f' {more}'}"


def and_more(count: int, shown: int, what: str = "") -> str:
    """`and 2 more`, or nothing if all of them are shown."""
    return f"and {count - shown:,} more {what}".rstrip() if count > shown else ""


def _two(many: int, large: str, few: int, small: str) -> str:
    return f"{many:,} {large} {few} {small}" if few else f"{many:,} {large}"


def shortened(name: str, room: int) -> str:
    """The name, or both its ends if there is no room for more characters."""
    if len(name) <= room:
        return name
    end = (room - 3) // 2
    return f"{name[: room - 3 - end]}...{name[len(name) - end :]}"


def count(number: int, one: str, several: str = "") -> str:
    """`1 call`, `1,200 calls`, `2 queries`."""
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"
