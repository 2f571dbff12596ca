"""Editing quota items: what the options of `quota set` mean, and what they change."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from quota_enforcer.core import amounts
from quota_enforcer.core.errors import UnknownIdentity
from quota_enforcer.core.measure import OBSERVED, Measure
from quota_enforcer.core.principal import Principal, identify
from quota_enforcer.core.quota import Exemption, Quota, Rule
from quota_enforcer.core.quota_changes import AUTHOR, Change, changes, shown
from quota_enforcer.core.quota_item import Item

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
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
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


def edited(stored: Item | None, given: Mapping[str, Any], unset: Iterable[str]) -> dict[str, Any]:
    """The item after an edit: what is given is set, what is unset goes, the rest stays."""
    gone = set(unset) - set(_KEYS)
    kept = {name: value for name, value in (stored or {}).items() if name not in gone}
    return {**kept, **given}


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
