"""What to write instead of a value that was refused: the nearest right form, if there is one."""

import calendar
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from quota_enforcer.core.errors import did_you_mean
from quota_enforcer.core.quotas.form.shorthand import (
    MEASURES,
    ROLLING,
    WINDOWS,
    amount,
    is_text,
    item_form,
    rolling_window,
)
from quota_enforcer.core.quotas.form.values import digits
from quota_enforcer.core.usage.counts import Measure

_A_DAY = "rolling 24 hours"
"""The rolling window that may have been meant for a calendar day."""

_ONE_WINDOW = {"minute": "hour", "year": "rolling 365 days", "yearly": "rolling 365 days",
               "quarter": "rolling 90 days", "quarterly": "rolling 90 days",
               "fortnight": "rolling 14 days", "biweekly": "rolling 14 days"}  # fmt: skip
"""Windows that there are not, and the nearest there is."""

_EUROPEAN = re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d+,\d+")
"""A number with a comma before its decimals: `1.234,5`."""


def nearest(attribute: str, item: Mapping[str, Any]) -> str:
    """The nearest right form of a value that was refused, as `; write ...`; empty if none is."""
    value = item[attribute]
    if isinstance(value, Mapping):
        return ""
    if not all(map(is_text, value if isinstance(value, list) else [value])):
        return ""
    form = item_form(item).get(attribute)
    understood = form is not None and form not in (value, [value])
    if understood and not _shown(form).startswith("-"):
        return f"; write {_shown(form)}"
    if not isinstance(value, str):
        return ""
    ask = _NEAREST.get(attribute)
    words = ask(value, item) if ask else ""
    return words and f"; {words}"


def _nearest_window(value: str, _: Mapping[str, Any]) -> str:
    said = value.strip().lower()
    found = ROLLING.fullmatch(said)
    rolling = rolling_window(found) if found is not None else ""
    if rolling:
        return f"write {'day, or ' if rolling == _A_DAY else ''}'{rolling}'"
    bare = said.removeprefix("per ").removesuffix("s")
    if bare in _ONE_WINDOW:
        return f"the nearest is '{_ONE_WINDOW[bare]}'"
    return did_you_mean(said, [*WINDOWS.values(), *WINDOWS])


def _nearest_number(value: str, _: Mapping[str, Any]) -> str:
    found = amount(value)
    if found is not None and found[1]:
        measure = MEASURES[found[1]]
        return f"for {measure.words} the measure is {measure}"
    if _EUROPEAN.fullmatch(value) is None:
        return ""
    whole, comma, rest = value.replace(".", "").partition(",")
    return f"write {whole}.{rest}" if comma else f"write {whole}"


def _among(choices: Callable[[], list[str]]) -> Callable[[str, Mapping[str, Any]], str]:
    """The choice that is spelled like it, unless it is one, and refused for another reason."""
    return lambda value, _: "" if value in choices() else did_you_mean(value.lower(), choices())


_NEAREST: Mapping[str, Callable[[str, Mapping[str, Any]], str]] = {
    "window": _nearest_window,
    "limit": _nearest_number,
    "raise_to": _nearest_number,
    "leads_raise_to": _nearest_number,
    "measure": _among(lambda: [each.value for each in Measure]),
    "action": _among(lambda: ["deny", "notify"]),
    "share": _among(lambda: ["each", "pool"]),
    "overshoot": _among(lambda: ["allow", "avoid"]),
    "unknown_prices": _among(lambda: ["warn", "deny"]),
    "resets_on": _among(lambda: [day.lower() for day in calendar.day_name]),
}


def _shown(form: Any) -> str:
    match form:
        case list():
            return f"[{', '.join(map(_shown, form))}]"
        case dict():
            pairs = (f"'{key}': {_shown(each)}" for key, each in form.items())
            return f"{{{', '.join(pairs)}}}"
        case Decimal() if form.is_finite():
            return digits(form)
        case _:
            return str(form)
