"""Editing quota items: what the options of `quota set` mean, and what they change."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from quota_enforcer.core.quotas.diff import KEYS
from quota_enforcer.core.quotas.item import Item

_NUMBER = re.compile(r"-?\d+(\.\d+)?")

_GROUPED = re.compile(r"\d{1,3}((,\d{3})+|(_\d{3})+)(\.\d+)?")


def number(text: str) -> Decimal | str:
    """`1000000`, `1_000_000`, `1,000,000` and `12.50` are numbers; all else is for validation."""
    if _GROUPED.fullmatch(text):
        return Decimal(re.sub("[,_]", "", text))
    return Decimal(text) if _NUMBER.fullmatch(text) else text


def edited(stored: Item | None, given: Mapping[str, Any], unset: Iterable[str]) -> dict[str, Any]:
    """The item after an edit: what is given is set, what is unset goes, the rest stays."""
    gone = set(unset) - set(KEYS)
    kept = {name: value for name, value in (stored or {}).items() if name not in gone}
    return {**kept, **given}
