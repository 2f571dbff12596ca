"""What differs between two versions of a quota item, in words, and who says that they wrote it."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from quota_enforcer.core.notices import amounts
from quota_enforcer.core.pricing.item import ATTRIBUTES as OF_PRICES
from quota_enforcer.core.quotas.form.values import digits, plain
from quota_enforcer.core.quotas.item import ATTRIBUTES, Item

AUTHOR = "edited_by"
EDITED_AT = "edited_at"
"""Tells an author's second edit from an edit in the console, which leaves their name there."""
ELSEWHERE = "see CloudTrail"
"""Stands for the author of an edit that nobody signed."""

KEYS = ("principal", "quota")
"""What an item is stored by."""
_LISTS = {"members", "regions", "accounts"}
"""Of which a change names what comes and goes."""
_LAST = ("note", AUTHOR, EDITED_AT)
_ORDER = (*dict.fromkeys(each for each in (*ATTRIBUTES, *OF_PRICES) if each not in _LAST), *_LAST)


@dataclass(frozen=True, slots=True)
class Change:
    """One attribute that an edit sets, changes or (`new` is None) takes away."""

    attribute: str
    old: Any
    new: Any

    def to_json(self) -> dict[str, Any]:
        return {"attribute": self.attribute, "old": self.old, "new": self.new}


def changes(old: Item | None, new: Item | None) -> list[Change]:
    """What differs between two versions of an item, its keys and its author apart."""
    old, new = old or {}, new or {}
    return [
        Change(name, old.get(name), new.get(name))
        for name in content({**old, **new})
        if _sense(old.get(name)) != _sense(new.get(name))
    ]


def ordered(item: Item) -> dict[str, Any]:
    """The item with its attributes in the order of the documentation."""
    return {name: item[name] for name in _in_order(item)}


def content(item: Item) -> dict[str, Any]:
    """What an item says, its keys and its author apart."""
    return {name: item[name] for name in _in_order(item) if name not in {*KEYS, AUTHOR, EDITED_AT}}


def shown(value: Any) -> str:
    """An attribute's value as people read it."""
    match plain(value):
        case None:
            return "-"
        case bool(truth):
            return str(truth).lower()
        case Decimal() | int() as number:
            return amounts.number(number)
        case dict(pairs):
            return _stages(pairs) or _weights(pairs)
        case list(several):
            return ", ".join(map(shown, sorted(several, key=_sense))) or "none"
        case other:  # an escape sequence must not reach the terminal
            return "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(other))


def _weights(weights: Mapping[Any, Any]) -> str:
    """`input_tokens x 1, output_tokens x 5`."""
    return ", ".join(f"{name} x {shown(each)}" for name, each in sorted(weights.items()))


def _stages(several: Mapping[Any, Any]) -> str:
    """`80 %: anthropic.claude-3-opus*; 100 %: *`; empty if it is no map of percentages."""
    if not all(map(_is_percent, several)):
        return ""
    named = sorted((int(name.rstrip(" %")), scopes) for name, scopes in several.items())
    return "; ".join(f"{percent} %: {shown(scopes)}" for percent, scopes in named)


def _is_percent(name: object) -> bool:
    return isinstance(name, str) and name.rstrip(" %").isdecimal()


def _in_order(names: Collection[str]) -> list[str]:
    known = [name for name in _ORDER if name in names]
    return known + sorted(set(names) - set(known))


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


def in_words(old: Item | None, new: Item | None) -> str:
    """`limit 100 -> 200, warn_at 80 -> 50,90`, or what was added or removed; empty for nothing."""
    made = changes(old, new)
    if old is None or new is None:
        verb, item = ("added", new) if old is None else ("removed", old)
        values = (f"{each.attribute} {_short((item or {})[each.attribute])}" for each in made)
        return f"{verb}: {', '.join(values)}"
    return ", ".join(f"{each.attribute} {_difference(each)}" for each in made)


def author(old: Item | None, new: Item | None) -> str:
    """Who signed this edit in the item, or ELSEWHERE; the name left by an earlier edit is none."""
    before, after = ((item or {}).get(AUTHOR) for item in (old, new))
    dated = (old or {}).get(EDITED_AT) != (new or {}).get(EDITED_AT)
    return shown(after) if after and (after != before or dated) else ELSEWHERE


def _difference(change: Change) -> str:
    """`100 -> 200`; of who comes and goes in a list of names just that: `+user/a -user/b`."""
    if change.attribute in _LISTS:
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
        return ",".join(map(shown, sorted(plain(value), key=_sense)))
    return shown(value)
