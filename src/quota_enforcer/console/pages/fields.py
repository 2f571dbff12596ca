"""The fields of the quota form: one for each attribute that an item may have.

What is allowed in a field is asked of what judges items, so a new attribute has its field, its
choices and its hint without a line here; the words of those that are known are better.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from quota_enforcer.core.errors import InvalidQuota
from quota_enforcer.core.quotas.diff import shown
from quota_enforcer.core.quotas.form.ends import end_text
from quota_enforcer.core.quotas.form.shorthand import number
from quota_enforcer.core.quotas.form.values import MOMENT
from quota_enforcer.core.quotas.item import ATTRIBUTES, KEPT_IN, Item, read_quota
from quota_enforcer.core.quotas.quota import Action, Quota

KEY: Final = ("principal", "quota")
_KEPT: Final = frozenset({*KEY, KEPT_IN, "edited_by", "edited_at", "schema"})
ASKED: Final = tuple(each for each in ATTRIBUTES if each not in _KEPT)
"""The attributes that the form has; all others of a stored item stay as they are."""
_FIRST: Final = (
    "measure", "limit", "window", "unusual", "models", "closes", "warn_at", "action", "members",
    "share", "until", "note",
)  # fmt: skip
"""Those that most items have; the others are below them, folded."""
_WORDS: Final = {
    "measure": ("What is counted", ""),
    "weights": ("Weights", "only with weighted tokens: input_tokens=1, output_tokens=5"),
    "limit": ("Limit", "2M, 500k or $12.50"),
    "window": ("In each", "hour, day, week, month or rolling 24 hours"),
    "unusual": (
        "Times what is usual",
        "of an hour, such as 5x: its limit, and never less than the limit",
    ),
    "closes": (
        "Closes",
        "what it counts, at the limit; or in stages: 80 %: anthropic.claude-3-opus*; 100 %: *",
    ),
    "resets_on": ("Begins on", "the day of the week or of the month; the first by default"),
    "regions": ("Only in the Regions", "such as eu-west-1, eu-central-1; all by default"),
    "accounts": ("Only in the accounts", "numbers of 12 digits; all by default"),
    "warn_at": ("Warns at percent", "such as 50, 80; 80 by default"),
    "action": ("When it is used up", ""),
    "overshoot": ("What passes the limit", ""),
    "unknown_prices": ("Assumed prices", ""),
    "enabled": ("Counts at all", ""),
    "exempt": ("No limit of this name", ""),
    "raise_to": ("Raised to", "another limit for a while, or unlimited"),
    "raise_until": ("Raised until", "such as 2d or 2026-12-01T09:00"),
    "members": ("Members", "only of a team: user/alice, user/bob"),
    "share": ("The members", ""),
    "until": ("Ends", "never, or 3d, or 2026-12-01T09:00"),
    "note": ("Note", "for whoever reads it later"),
}
_CHOICES: Final = re.compile(r"[a-z_]+((, | or )[a-z_]+)+")
_MAP: Final = "a map of"
_TRUTH: Final = {"true": True, "false": False}
_TRUTHS: Final = {"enabled": "yes", "exempt": "no"}


@dataclass(frozen=True, slots=True)
class FormField:
    """One attribute: how it is called, what may be written, or what there is to choose from."""

    name: str
    words: str
    hint: str
    choices: tuple[str, ...]
    first: bool
    default: str = ""
    """What nothing chosen means; empty where something must be chosen, or the limit says it."""


def form_fields(scopes: Collection[str]) -> list[FormField]:
    """In the order of the form; `scopes` are the installed model scopes."""
    order = [*_FIRST, *(each for each in ASKED if each not in _FIRST)]
    return [_field(name, scopes) for name in order]


def texts(item: Item) -> dict[str, str]:
    """What the fields of a stored item say."""
    return {name: _text(item[name]) for name in (*KEY, *ASKED) if name in item}


def item_of(
    said: Mapping[str, str], scopes: Collection[str], now: datetime, zone: ZoneInfo
) -> dict[str, Any]:
    """What was written into the fields as an item has it; what cannot be meant stays as it is."""
    return {name: _value(text, allowed_in(name, scopes), now, zone) for name, text in said.items()}


def _field(name: str, scopes: Collection[str]) -> FormField:
    allowed = " ".join(allowed_in(name, scopes))
    words, hint = _WORDS.get(name, (name.replace("_", " ").capitalize(), ""))
    choices = _choices(allowed_in(name, scopes))
    if name == "models":
        hint = f"* or several with commas; installed: {', '.join(sorted(scopes))}"
    hint = hint or ("" if choices else allowed)
    return FormField(name, words, hint, choices, name in _FIRST, _default(name))


def _default(name: str) -> str:
    """What a quota that says nothing of it has; where it is unusual use it only notifies."""
    known = {each.name: each.default for each in fields(Quota)}.get(name)
    said = str(known) if isinstance(known, StrEnum) else _TRUTHS.get(name, "")
    return f"{said}, or {Action.NOTIFY} if unusual" if name == "action" else said


def _choices(allowed: tuple[str, ...]) -> tuple[str, ...]:
    return next(
        (tuple(re.split(", | or ", each)) for each in allowed if _CHOICES.fullmatch(each)), ()
    )


def _value(text: str, allowed: tuple[str, ...], now: datetime, zone: ZoneInfo) -> Any:
    if text in _TRUTH and {"true", "false"} <= set(_choices(allowed)):
        return _TRUTH[text]
    if MOMENT in allowed:
        return end_text(text, now, zone)
    if any(each.startswith(_MAP) for each in allowed):
        return _pairs(text)
    if any("a list" in each or "installed model scopes" in each for each in allowed):
        return [each.strip() for each in text.split(",") if each.strip()]
    return text


def _pairs(text: str) -> Any:
    found = [each.partition("=") for each in text.split(",")]
    if not all(equals for _, equals, _ in found):
        return text
    return {name.strip(): number(value.strip()) for name, _, value in found}


def _text(value: Any) -> str:
    if isinstance(value, Mapping) and not any(isinstance(each, list) for each in value.values()):
        return ", ".join(f"{name}={shown(each)}" for name, each in sorted(value.items()))
    return shown(value)


def allowed_in(name: str, scopes: Collection[str]) -> tuple[str, ...]:
    """What is allowed there, in the words of an item that has something else."""
    return tuple(dict.fromkeys(_refusals(name, scopes)))


def _refusals(name: str, scopes: Collection[str]) -> Iterator[str]:
    """Of items of several kinds, since some attributes belong to one only."""
    base = {"quota": "x", "limit": 1, "window": "week", "members": ["user/x"]}
    for measure in ("cost_usd", "weighted_tokens"):
        wrong = {**base, "principal": "team/x", "measure": measure, name: object()}
        try:
            read_quota(wrong, ZoneInfo("UTC"), scopes)
        except InvalidQuota as error:
            for problem in error.problems:
                said, _, allowed = problem.partition("; allowed: ")
                if said.startswith(f"{name} ") and allowed and "only with" not in allowed:
                    yield allowed
