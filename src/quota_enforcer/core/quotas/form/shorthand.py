"""Shorthand: values as people write them, such as `2M`, `$50`, `daily`, `rolling 24h`, `50,80`.

What can mean one thing only becomes what items of the quota table say. All else stays as it is, so
that validation refuses it.
"""

import calendar
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from quota_enforcer.core.quotas.form.values import digits
from quota_enforcer.core.usage.counts import TOKEN_COUNTS, Measure
from quota_enforcer.core.usage.window import Unit

UNLIMITED = "unlimited"

_GROUPS = r"\d{1,3}(?:(?P<mark>[ _,'\u2019\u00a0\u2009\u202f])\d{3}(?:(?P=mark)\d{3})*)?"

_AMOUNT = re.compile(
    rf"(?P<before>\$|usd)?\s*(?P<number>-?(?:\d+|{_GROUPS})(?:\.\d+)?)\s*"
    r"(?P<scale>k|thousand|mio\.?|millions?|m|bn|billions?|b)?\s*(?P<after>[a-z$_ ]*)"
)

_SCALES = {"k": 3, "t": 3, "m": 6, "b": 9}

MEASURES = {
    "tokens": Measure.TOTAL_TOKENS, "token": Measure.TOTAL_TOKENS, "total": Measure.TOTAL_TOKENS,
    "$": Measure.COST_USD, "usd": Measure.COST_USD, "us_dollars": Measure.COST_USD,
    "dollar": Measure.COST_USD, "dollars": Measure.COST_USD, "cost": Measure.COST_USD,
    "money": Measure.COST_USD, "spend": Measure.COST_USD, "budget": Measure.COST_USD,
    "request": Measure.REQUESTS, "call": Measure.REQUESTS, "calls": Measure.REQUESTS,
    "invocations": Measure.REQUESTS, "weighted": Measure.WEIGHTED_TOKENS,
    **{counter.removesuffix("_tokens"): Measure(counter) for counter in TOKEN_COUNTS},
    **{measure.value: measure for measure in Measure},
}  # fmt: skip

_OF_ANY_TOKENS = {"tokens", "token"}
"""A number of these fits whichever tokens a quota counts."""

WINDOWS = {"hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month"}

_UNITS = {
    "min": "minute", "minute": "minute", "h": "hour", "hr": "hour", "hour": "hour", "d": "day",
    "day": "day", "w": "week", "week": "week", "month": "month", "mo": "month",
}  # fmt: skip

_PER = re.compile(r"(?:(?:a|per|each|every|calendar|1)\s*)?(?P<unit>[a-z]+?)s?")

ROLLING = re.compile(
    r"(?P<word>(?:rolling|last|past|sliding)\s+)?(?P<count>\d+)\s*-?\s*(?P<unit>[a-z]+?)s?"
)

_WORDS = {
    "action": {"block": "deny", "blocks": "deny", "denies": "deny", "warn": "notify",
               "alert": "notify", "notifies": "notify", "notify-only": "notify"},
    "share": {"pooled": "pool", "shared": "pool", "together": "pool", "every": "each"},
    "unknown_prices": {"block": "deny", "notify": "warn"},
}  # fmt: skip

_TIMES = re.compile(r"(?:x\s*)?(?P<number>\d+(?:\.\d+)?)\s*(?:-?\s*fold|times|x)?")

_LIMITLESS = {"none", "no limit", "infinite", "infinity", "inf", "unlimited", "∞"}


def amount(text: str) -> tuple[Decimal, str] | None:
    """The number, and of what if it says so: `2M tokens`, `$50`; None if it is no number."""
    found = _AMOUNT.fullmatch(text.strip().lower())
    if found is None:
        return None
    number = Decimal(re.sub(r"[^\d.-]", "", found["number"]))
    places = _SCALES[found["scale"][0]] if found["scale"] else 0
    units = {unit.strip().replace(" ", "_") for unit in (found["before"], found["after"]) if unit}
    unit = "$" if units == {"$", "usd"} else "".join(units)
    if unit and unit not in MEASURES:
        return None
    scaled = number.scaleb(places) if places else number
    return (Decimal(digits(scaled)) if places else scaled), unit


def of_two_meanings(text: str) -> str:
    """`5000 or 5` of `5.000`, which is five thousand to some and five to others; else empty."""
    if not re.fullmatch(r"\d{1,3}(\.000)+", text.strip()):
        return ""
    whole = text.strip().partition(".")[0]
    return f"{text.strip().replace('.', '')} or {whole}"


def number(text: str, measure: str | None = None) -> Decimal | str:
    """The number, if what it says to be a number of is what is measured."""
    found = amount(text)
    if found is None:
        return text
    value, unit = found
    return value if not unit or _fits(unit, measure) else text


def item_form(said: Mapping[str, Any], stored: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What somebody wrote of an item as the table has it; `stored` is the item that it changes.

    Without a measure, a limit of `$50`, `2M tokens` or `500 requests` says which.
    """
    form = dict(said)
    if isinstance(form.get("measure"), str):
        form["measure"] = _measure(form["measure"])
    elif "measure" not in form and "measure" not in (stored or {}):
        limit = form.get("limit")
        found = amount(limit) if isinstance(limit, str) else None
        if found is not None and found[1]:
            form["measure"] = MEASURES[found[1]].value
    measure = form.get("measure", (stored or {}).get("measure"))
    for attribute, read in _FORMS.items():
        if attribute in form:
            form[attribute] = read(form[attribute])
    for attribute in ("limit", "raise_to", "leads_raise_to"):
        if isinstance(form.get(attribute), str):
            form[attribute] = number(form[attribute], measure)
    return form


def _fits(unit: str, measure: str | None) -> bool:
    if unit in _OF_ANY_TOKENS:
        return measure is not None and measure.endswith("_tokens")
    return measure == MEASURES[unit]


def _measure(text: str) -> str:
    said = re.sub(r"[\s-]+", "_", text.strip().lower())
    return MEASURES[said].value if said in MEASURES else text


def _window(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    said = value.strip().lower()
    one, rolling = _PER.fullmatch(said), ROLLING.fullmatch(said)
    if said in WINDOWS:
        return WINDOWS[said]
    if one is not None and _UNITS.get(one["unit"], Unit.MINUTE) != Unit.MINUTE:
        return _UNITS[one["unit"]]
    if rolling is not None and rolling["word"]:
        return rolling_window(rolling) or value
    return value


def rolling_window(found: re.Match[str]) -> str:
    """`rolling 24 hours`; empty if it has no such unit."""
    count, unit = int(found["count"]), _UNITS.get(found["unit"], "")
    if unit == Unit.WEEK:
        count, unit = 7 * count, Unit.DAY
    if not count or unit not in {Unit.MINUTE, Unit.HOUR, Unit.DAY}:
        return ""
    return f"rolling {count} {unit}s"


def _day(value: Any) -> Any:
    """`mon` and `1st`; the last day of a month is its 31st, which is its last if it is shorter."""
    if not isinstance(value, str):
        return value
    said = value.strip().lower()
    days = [day.lower() for day in calendar.day_name]
    several = [day for day in days if len(said) > 1 and day.startswith(said.removesuffix("s"))]
    if len(several) == 1:
        return several[0]
    ordinal = re.fullmatch(r"(?:day\s*)?(\d{1,2})(?:st|nd|rd|th)?", said)
    if ordinal is not None:
        return Decimal(ordinal[1])
    return Decimal(31) if said in {"last", "last day"} else value


def _thresholds(value: Any) -> Any:
    """`50,80`, `50%`, `50 80`, or a list of such."""
    several = value if isinstance(value, list) else [value]
    if not any(isinstance(each, str) for each in several):
        return value
    found: list[Any] = []
    for each in several:
        parts = (
            re.split(r"[\s,;]+", re.sub(r"\s*%", " ", each).strip()) if is_text(each) else [each]
        )
        found += [number(part) if is_text(part) else part for part in parts]
    return found


def is_text(value: Any) -> bool:
    return isinstance(value, str)


def _models(value: Any) -> Any:
    several = value if isinstance(value, list) else [value]
    if not all(map(is_text, several)):
        return value
    scopes = [part.strip() for each in several for part in each.split(",") if part.strip()]
    found = ["*" if each.lower() in {"all", "any", "every"} else each for each in scopes]
    return value if found == several or not found else found


_STAGE = re.compile(r"(?P<percent>\d{1,3})\s*%?\s*[:=]\s*|(?P<only>\d{1,3})\s*%\s*")


def _closes(value: Any) -> Any:
    """`80 = anthropic.claude-3-opus*, 100 = *`, or scopes, or a map of parts of the limit to such.

    What stands before the first percentage closes at the limit.
    """
    if isinstance(value, Mapping):
        plain = {_percent(key): _scope_list(scopes) for key, scopes in value.items()}
        return plain if len(plain) == len(value) else value
    several = value if isinstance(value, list) else [value]
    if not all(map(is_text, several)):
        return value
    parts = [part.strip() for each in several for part in re.split(r"[,;]+", each) if part.strip()]
    if not any(map(_STAGE.match, parts)):
        return _models(value)
    stages: dict[str, list[str]] = {}
    percent = "100"
    for part in parts:
        found = _STAGE.match(part)
        if found is not None:
            percent = found["percent"] or found["only"]
        stages.setdefault(percent, []).extend(part[found.end() if found else 0 :].split())
    return {each: _scope_list(scopes) for each, scopes in stages.items()}


def _percent(key: Any) -> Any:
    """`80` of `80%`, `80 %` and the number 80."""
    said = str(key) if type(key) in {int, Decimal} else key
    return re.sub(r"\s*%$", "", said.strip()) if is_text(said) else key


def _scope_list(value: Any) -> Any:
    found = _models(value)
    return [found] if is_text(found) else found


def _names(value: Any) -> Any:
    """Several with commas or blanks between them, in lower case."""
    several = value if isinstance(value, list) else [value]
    if not all(map(is_text, several)):
        return value
    return [part for each in several for part in re.split(r"[\s,;]+", each.lower()) if part]


def _accounts(value: Any) -> Any:
    """Account numbers as text: YAML reads them as numbers where nobody wrote quotes."""
    several = value if isinstance(value, list) else [value]
    whole = [str(each) if type(each) in {int, Decimal} else each for each in several]
    if not all(map(is_text, whole)):
        return value
    return [re.sub(r"(?<=\d)-(?=\d)", "", each) for each in _names(whole)]


def _raise(value: Any) -> Any:
    return UNLIMITED if is_text(value) and value.strip().lower() in _LIMITLESS else value


def _times(value: Any) -> Any:
    """`5x` of `x5`, `5 times` and `5`."""
    found = _TIMES.fullmatch(str(value).strip().lower()) if not isinstance(value, bool) else None
    return f"{found['number']}x" if found is not None else value


def _one_of(attribute: str) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        said = value.strip().lower() if is_text(value) else ""
        return _WORDS[attribute].get(said, said or value)

    return read


_FORMS: Mapping[str, Callable[[Any], Any]] = {
    "window": _window,
    "resets_on": _day,
    "warn_at": _thresholds,
    "models": _models,
    "closes": _closes,
    "regions": _names,
    "accounts": _accounts,
    "raise_to": _raise,
    "unusual": _times,
    **{attribute: _one_of(attribute) for attribute in _WORDS},
}
