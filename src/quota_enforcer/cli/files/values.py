"""The values of items in files: exact numbers, and the limits of DynamoDB."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Context, Decimal, InvalidOperation
from typing import Any

from quota_enforcer.core.quotas.item import Item

LARGEST = 400_000
"""Bytes of an item: less than DynamoDB's 400 KB, since it adds some bytes for each attribute."""
_LONGEST_KEY = 2048
_DIGITS = 38

_MOST, _LEAST = 125, -130


class NotExact(ValueError):
    """A number that the table cannot hold with all its digits."""


def exact(text: str) -> Decimal:
    """A number with all its digits; raises NotExact if it has more than DynamoDB keeps."""
    try:
        number = Decimal(text.replace("_", ""))
    except InvalidOperation:
        raise NotExact(f"{text[:60]} is not a number") from None
    if not number.is_finite():
        raise NotExact(f"{text[:60]} is not a number")
    if len(number.as_tuple().digits) > _DIGITS:
        number = number.normalize(Context(prec=len(text)))
    if len(number.as_tuple().digits) > _DIGITS or not _LEAST <= number.adjusted() <= _MOST:
        raise NotExact(
            f"{text[:60]} is not a number that the table can hold: at most {_DIGITS} digits"
        )
    return number


def unstorable(item: Item) -> Iterator[str]:
    """Why DynamoDB would refuse an item, in words."""
    for name, value in item.items():
        for words in _unstorable(value):
            yield f"{name} {words}"
    key = item.get("principal")
    if isinstance(key, str) and len(key.encode(errors="replace")) > _LONGEST_KEY:
        yield f"principal is longer than {_LONGEST_KEY} bytes"
    if _size(item) > LARGEST:
        yield f"the item is larger than {LARGEST:,} bytes"


def _unstorable(value: Any) -> Iterator[str]:
    match value:
        case None | bool() | Decimal() | int() | bytes():
            return
        case str():
            if any("\ud800" <= each <= "\udfff" for each in value):
                yield "has a character that is none: half of a surrogate pair"
        case list():
            yield from _all(value)
        case set():
            kinds = {str if isinstance(each, str) else type(each) for each in value}
            if len(kinds) != 1 or not kinds <= {str, Decimal, bytes}:
                yield "is a set that is empty or mixed; write a list"
            yield from _all(value)
        case Mapping():
            yield from _all(value.values())
        case _:
            yield f"is a {type(value).__name__}; write a text, a number, a list or a map"


def _all(values: Iterable[Any]) -> Iterator[str]:
    for each in values:
        yield from _unstorable(each)


def _size(value: Any) -> int:
    match value:
        case str():
            return len(value.encode(errors="replace"))
        case bytes():
            return len(value)
        case Mapping():
            return sum(_size(name) + _size(entry) for name, entry in value.items())
        case list() | set():
            return sum(map(_size, value))
        case _:
            return _DIGITS // 2
