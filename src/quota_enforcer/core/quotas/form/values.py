"""The values of quota items: numbers, windows, moments and texts, read into what they mean.

Each raises one of WRONG for a wrong value: NotAllowed if there is more to say than what the
attribute allows in general.
"""

import calendar
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from quota_enforcer.core.errors import UnknownIdentity
from quota_enforcer.core.usage.counts import NO_MONEY, OBSERVED
from quota_enforcer.core.usage.window import Unit, Window

NUMBERS = "a whole number, 0 or more"

FRACTIONS = "a number, 0 or more, with at most 12 decimal places"

WEIGHTS = (
    f"a map of {', '.join(OBSERVED)} to numbers from 0 to 1000000 with at most 6 decimal places, "
    "one of them above 0"
)

SCHEMA = 1
"""The form of items so far; an item without `schema` is in it."""

SCHEMAS = "1, the only form so far, or nothing; deploy the version that wrote it"

MOMENT = "a date and time such as 2026-12-01T09:00, or a date"

TIMES = "how many times the busy hours, from 1.5x to 1000x, such as 5x"

_TIMES = re.compile(r"(?P<number>\d{1,4}(?:\.\d)?)\s*x?", re.IGNORECASE)

_FEWEST_TIMES, _MOST_TIMES = Decimal("1.5"), Decimal(1000)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_ROLLING = re.compile(r"rolling (?P<count>[1-9]\d{0,2}) (?P<unit>minute|hour|day)s?")

_WEEK_DAYS = {name.lower(): number for number, name in enumerate(calendar.day_name, start=1)}

_MOST = Decimal(10) ** 18  # far more than anybody uses, and still exact in every sum

_MOST_FRACTION = Decimal(10) ** 13  # likewise exact, with its decimal places

_PLACES = Decimal("1E-12")

_HEAVIEST = 1_000_000

_WEIGHT_PLACES = Decimal("1E-6")

_LONGEST = 366

MINUTES = range(5, 61)
"""How many a window of minutes may have."""


class NotAllowed(ValueError):
    """A value is wrong in its own way; the message says what is allowed."""


WRONG = (ValueError, KeyError, TypeError, OverflowError, InvalidOperation, UnknownIdentity)


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def texts(value: Any) -> list[str]:
    """A text, or a list or set of texts; each once, in a stable order."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return list(dict.fromkeys(text(entry) for entry in value))
    if isinstance(value, (set, frozenset)):
        return sorted(text(entry) for entry in value)
    raise TypeError


def name(value: Any) -> str:
    named = text(value)
    if not _NAME.fullmatch(named):
        raise ValueError
    return named


def schema(value: Any) -> int:
    """The form of an item; one of a newer version would be misread, so the last valid one stays."""
    if isinstance(value, bool) or Decimal(str(value)) != SCHEMA:
        raise ValueError
    return SCHEMA


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def limit(value: Any) -> Decimal:
    """A whole number, as a number or a text; never a float, which may not be what was written."""
    number = plain_number(value)
    if number > _MOST:
        raise NotAllowed(f"{NUMBERS}, at most 10^18")
    if number != int(number):
        raise ValueError
    return Decimal(int(number))  # 1E+3 and -0 read as 1000 and 0


def fraction(value: Any) -> Decimal:
    """A number that may have decimal places, exact as it was written; never a float."""
    number = plain_number(value)
    if number > _MOST:
        raise NotAllowed(f"{FRACTIONS}, at most 10^18")
    if number == int(number):
        return Decimal(int(number))
    if number > _MOST_FRACTION:
        raise NotAllowed(f"{FRACTIONS}, and none above 10^13")
    return _exactly(number, _PLACES)


def weights(value: Any) -> tuple[Decimal, ...]:
    """How much each of OBSERVED weighs; what is not named weighs nothing."""
    if not isinstance(value, Mapping) or not value.keys() <= set(OBSERVED):
        raise TypeError
    weighs = {counter: plain_number(weight) for counter, weight in value.items()}
    if not any(weighs.values()) or max(weighs.values()) > _HEAVIEST:
        raise ValueError
    return tuple(_exactly(weighs.get(counter, NO_MONEY), _WEIGHT_PLACES) for counter in OBSERVED)


def thresholds(value: Any) -> tuple[int, ...]:
    """Percentages below 100, ascending."""
    several = value if isinstance(value, (list, set, frozenset)) else [value]
    percentages = sorted({int(limit(entry)) for entry in several})
    if not all(1 <= percentage <= 99 for percentage in percentages):  # noqa: PLR2004 - per cent
        raise ValueError
    return tuple(percentages)


def times(value: Any) -> Decimal:
    """`5x`, or the bare number."""
    found = _TIMES.fullmatch(value if isinstance(value, str) else digits(plain_number(value)))
    if found is None:
        raise ValueError
    number = Decimal(found["number"]).normalize()
    if not _FEWEST_TIMES <= number <= _MOST_TIMES:
        raise ValueError
    return Decimal(digits(number))


def window(value: Any) -> Window:
    """A window, with its reset still on the first day."""
    words = text(value)
    rolling = _ROLLING.fullmatch(words)
    if rolling is None:
        fixed = Unit(words)
        if fixed is Unit.MINUTE:
            raise ValueError
        return Window(fixed)
    unit, count = Unit(rolling["unit"]), int(rolling["count"])
    if unit is Unit.MINUTE and count not in MINUTES:
        raise NotAllowed(f"rolling {MINUTES[0]} minutes to rolling {MINUTES[-1]} minutes")
    if unit is Unit.DAY and count > _LONGEST:
        raise NotAllowed(f"at most rolling {_LONGEST} days, since usage is kept for 400")
    return Window(unit, count)


def week_day(value: Any) -> int:
    """The ISO number of a week day's English name."""
    return _WEEK_DAYS[text(value).lower()]


def month_day(value: Any) -> int:
    """A day that at least some months have."""
    day = int(limit(value))
    if not 1 <= day <= 31:  # noqa: PLR2004 - the days of a month
        raise ValueError
    return day


def moment(value: Any, zone: ZoneInfo) -> datetime:
    """An instant in UTC; without an offset it is meant on the deployment's clock."""
    local = datetime.fromisoformat(text(value))
    if local.tzinfo is None:
        local = local.replace(tzinfo=zone)
    instant = local.astimezone(UTC)
    # Python's last moment in UTC cannot be shown in zones east of it.
    if not 2000 <= instant.year < 9999:  # noqa: PLR2004 - as the words say
        raise NotAllowed(f"{MOMENT}, in the years 2000 to 9998")
    return instant


def shown(value: Any) -> str:
    """A value as admins wrote it; the same text in every process, so that it is told once."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return f"{{{', '.join(sorted(map(shown, value)))}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, dict):
        pairs = sorted((repr(name), shown(entry)) for name, entry in value.items())
        return f"{{{', '.join(f'{name}: {entry}' for name, entry in pairs)}}}"
    return repr(value)


def plain_number(value: Any) -> Decimal:
    """A number of 0 or more, written as a number or a text; never a float."""
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise TypeError
    number = Decimal(value)
    if not number.is_finite() or number < 0:
        raise ValueError
    return number


def _exactly(number: Decimal, places: Decimal) -> Decimal:
    """The number without trailing zeros; raises ValueError if it has more decimal places."""
    rounded = number.quantize(places)
    if rounded != number:
        raise ValueError
    return rounded.normalize()


def digits(number: Decimal) -> str:
    """A number with all its digits, no exponent and no zeros at its end: one text for each."""
    text = f"{number:f}" if number else "0"
    return text.rstrip("0").rstrip(".") if "." in text else text


def plain(value: Any) -> Any:
    """A value of the table as files have it: sets as sorted lists, bytes as bytes."""
    match value:
        case set() | frozenset():
            return sorted(map(plain, value), key=str)
        case list():
            return [plain(each) for each in value]
        case Mapping():
            return {name: plain(entry) for name, entry in value.items()}
        case None | bool() | str() | int() | Decimal() | bytes():
            return value
        case _:
            return bytes(value.value)  # boto3's Binary
