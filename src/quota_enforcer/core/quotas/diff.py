"""What differs between two versions of a quota item, in words, and who says that they wrote it."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from quota_enforcer.core.notices import amounts
from quota_enforcer.core.quotas.item import ATTRIBUTES, Item

AUTHOR = "edited_by"
EDITED_AT = "edited_at"
"""Makes the second edit of one author another than an edit in the console after their first."""
ELSEWHERE = "see CloudTrail"
"""By whom an edit is that nobody signed."""

_KEYS = ("principal", "quota")
_NO_TERMS = {*_KEYS, AUTHOR, EDITED_AT}


@dataclass(frozen=True, slots=True)
class Change:
    """One attribute that an edit sets, changes or (`new` is None) takes away."""

    attribute: str
    old: Any
    new: Any


def changes(old: Item | None, new: Item | None) -> list[Change]:
    """What differs between two versions of an item, its keys and its author apart."""
    old, new = old or {}, new or {}
    ordered = [name for name in ATTRIBUTES if name in old or name in new]
    others = sorted((old.keys() | new.keys()) - set(ATTRIBUTES))
    return [
        Change(name, old.get(name), new.get(name))
        for name in [*ordered, *others]
        if name not in _NO_TERMS and _plain(old.get(name)) != _plain(new.get(name))
    ]


def in_words(old: Item | None, new: Item | None) -> str:
    """`limit 100 -> 200, warn_at 80 -> 50,90`, or what was added or removed; empty for nothing."""
    made = changes(old, new)
    if old is None or new is None:
        verb = "removed" if new is None else "added"
        values = (f"{each.attribute} {_short(each.old or each.new)}" for each in made)
        return f"{verb}: {', '.join(values)}"
    return ", ".join(f"{each.attribute} {_difference(each)}" for each in made)


def author(old: Item | None, new: Item | None) -> str:
    """Who says in an item that they made this edit of it; what is left of an earlier one is not."""
    before, after = ((item or {}).get(AUTHOR) for item in (old, new))
    dated = (old or {}).get(EDITED_AT) != (new or {}).get(EDITED_AT)
    return str(after) if after and (after != before or dated) else ELSEWHERE


def shown(value: Any) -> str:
    """An attribute's value as people read it."""
    match value:
        case None:
            return "-"
        case bool():
            return str(value).lower()
        case Decimal() | int():
            return amounts.number(value)
        case dict():
            return ", ".join(f"{name} x {shown(weight)}" for name, weight in sorted(value.items()))
        case list() | set() | frozenset():
            return ", ".join(shown(each) for each in _plain(value)) or "none"
        case _:
            return str(value)


def _difference(change: Change) -> str:
    """`100 -> 200`; of who comes and goes in a list of names just that: `+user/a -user/b`."""
    if change.attribute == "members":
        before, after = map(_names, (change.old, change.new))
        if before and after and before != after:
            return " ".join(_comings_and_goings(before, after))
    return f"{_short(change.old)} -> {_short(change.new)}"


def _names(value: Any) -> set[str]:
    several = value if isinstance(value, (list, set, frozenset)) else [value]
    return {name for name in several if isinstance(name, str)}


def _comings_and_goings(before: set[str], after: set[str]) -> Iterator[str]:
    yield from (f"+{name}" for name in sorted(after - before))
    yield from (f"-{name}" for name in sorted(before - after))


def _short(value: Any) -> str:
    """A list without spaces, so that one sees where the next attribute begins."""
    if isinstance(value, (list, set, frozenset)) and value:
        return ",".join(map(shown, _plain(value)))
    return shown(value)


def _plain(value: Any) -> Any:
    """Sets and lists alike: the order of thresholds and scopes means nothing."""
    if isinstance(value, (list, set, frozenset)):
        return sorted(value, key=str)
    return value
