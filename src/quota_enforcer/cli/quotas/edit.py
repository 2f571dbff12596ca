"""Editing quota items: what the options of `quota set` mean, and what they change."""

import re
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from quota_enforcer.cli.files.values import digits, plain
from quota_enforcer.core.errors import UnknownIdentity
from quota_enforcer.core.notices import amounts
from quota_enforcer.core.pricing.item import PRICE_ATTRIBUTES
from quota_enforcer.core.principal import Principal, identify
from quota_enforcer.core.quotas.diff import AUTHOR, EDITED_AT, Change
from quota_enforcer.core.quotas.item import ATTRIBUTES, Item
from quota_enforcer.core.quotas.quota import Exemption, Quota, Rule
from quota_enforcer.core.usage.counts import OBSERVED, Measure

__all__ = [
    "AUTHOR",
    "Change",
    "canonical",
    "changes",
    "edited",
    "named",
    "number",
    "shown",
    "terms",
]

_KEYS = ("principal", "quota")
_LAST = ("note", AUTHOR, EDITED_AT)
_ORDER = (*(each for each in ATTRIBUTES if each not in _LAST), *PRICE_ATTRIBUTES, *_LAST)
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_BETWEEN = re.compile(r",(?=\s*(?:user|role|sso|session|team)/)")
"""A comma between principals; names of IAM may have commas too."""
_GROUPED = re.compile(r"\d{1,3}((,\d{3})+|(_\d{3})+)(\.\d+)?")


def canonical(whom: str, account: str) -> str:
    """Whom as quota items name them: an ARN as its principal, Identity Center in lower case.

    What is neither principal nor ARN stays as it is, for validation to judge.
    """
    try:
        if whom.startswith("arn:"):
            return str(identify(whom, account).principal)
        return str(Principal.parse(whom))
    except UnknownIdentity:
        return whom


def number(text: str) -> Decimal | str:
    """`1000000`, `1_000_000`, `1,000,000` and `12.50` are numbers; all else is for validation."""
    if _GROUPED.fullmatch(text):
        return Decimal(re.sub("[,_]", "", text))
    return Decimal(text) if _NUMBER.fullmatch(text) else text


def principals(texts: Iterable[str]) -> list[str]:
    """Each of several, also where one text names some with commas between: `user/a,user/b`."""
    return [each.strip() for text in texts for each in _BETWEEN.split(text)]


def edited(stored: Item | None, given: Mapping[str, Any], unset: Iterable[str]) -> dict[str, Any]:
    """The item after an edit: what is given is set, what is unset goes, the rest stays."""
    gone = set(unset) - set(_KEYS)
    kept = {name: value for name, value in (stored or {}).items() if name not in gone}
    return {**kept, **given}


def changes(old: Item | None, new: Item | None) -> list[Change]:
    """What differs between two versions of an item, its keys and its author apart."""
    old, new = old or {}, new or {}
    return [
        Change(name, old.get(name), new.get(name))
        for name in told({**old, **new})
        if _sense(old.get(name)) != _sense(new.get(name))
    ]


def ordered(item: Item) -> dict[str, Any]:
    """The item with its attributes in the order of the documentation."""
    return {name: item[name] for name in _in_order(item)}


def told(item: Item) -> dict[str, Any]:
    """What an item says, its keys and its author apart."""
    return {name: item[name] for name in _in_order(item) if name not in {*_KEYS, AUTHOR, EDITED_AT}}


def _in_order(names: Collection[str]) -> list[str]:
    known = [name for name in _ORDER if name in names]
    return known + sorted(set(names) - set(known))


def shown(value: Any) -> str:
    """An attribute's value as people read it."""
    match plain(value):
        case None:
            return "-"
        case bool(truth):
            return str(truth).lower()
        case Decimal() | int() as number:
            return amounts.number(number)
        case dict(weights):
            return ", ".join(f"{name} x {shown(each)}" for name, each in sorted(weights.items()))
        case list(several):
            return ", ".join(map(shown, sorted(several, key=_sense))) or "none"
        case other:  # an escape sequence must not reach the terminal
            return "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(other))


def terms(rule: Rule) -> str:
    """What a rule grants: `1,000 total tokens per day`."""
    match rule:
        case Quota():
            words = f"{amounts.limit_of(rule.limit, rule.measure.words)} per {rule.window}"
            return f"{words} ({_weighed(rule)})" if rule.weights else words
        case Exemption():
            return "no limit"
        case _:
            raise AssertionError(f"a rule is a quota or an exemption, not {rule!r}")


def _weighed(quota: Quota) -> str:
    """`input tokens x 1, output tokens x 5`."""
    weighs = zip(OBSERVED, quota.weights, strict=True)
    return ", ".join(
        f"{Measure(counter).words} x {amounts.number(weight)}"
        for counter, weight in weighs
        if weight
    )


def named(rule: Rule) -> str:
    """`daily of user/*: 1,000 total tokens per day`."""
    return f"{rule.name} of {rule.whom}: {terms(rule)}"


def _sense(value: Any) -> str:
    """What a value means: alike for sets and lists in any order, and for numbers however written.

    1 and true are two things, and so are 1000 and the text "1000".
    """
    match plain(value):
        case bool(truth):
            return str(truth)
        case Decimal() | int() as number:
            return digits(Decimal(number))
        case list(several):
            return f"[{', '.join(sorted(map(_sense, several)))}]"
        case dict(pairs):
            return str(sorted((name, _sense(each)) for name, each in pairs.items()))
        case other:
            return repr(other)
