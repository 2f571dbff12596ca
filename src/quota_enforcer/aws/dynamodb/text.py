"""How moments, limits and long names are written into items, readable in the console.

Moments are ISO 8601 texts in UTC, all of one length, so that they sort as they follow each other.
Limits are texts too, since a DynamoDB number cannot be infinite.
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_LONGEST_KEY = 1024
"""Bytes of a range key; https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html."""


def instant(when: datetime) -> str:
    """`2026-11-24T01:31:00.000000Z`."""
    return when.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment(item: Mapping[str, Any], name: str) -> datetime | None:
    """An attribute that holds a moment; None if it is absent."""
    return datetime.fromisoformat(item[name]) if name in item else None


def as_attributes(thing: "DataclassInstance") -> dict[str, Any]:
    """A dataclass as attributes of the same names."""
    return known(**{field.name: getattr(thing, field.name) for field in fields(thing)})


def known(**values: Any) -> dict[str, Any]:
    """Attributes as DynamoDB takes them; None, empty texts and empty lists are left out."""
    return {name: _text(value) for name, value in values.items() if value not in (None, "", ())}


def joined_key(first: str, second: str) -> str:
    """Two texts as one range key, and never the key of two others."""
    key = f"{first}#{second}"
    return _digested(key, repr((first, second))) if "#" in second else fitting_key(key)


def fitting_key(key: str) -> str:
    """A range key that DynamoDB takes: one that is too long ends in its digest instead."""
    return key if len(key.encode()) <= _LONGEST_KEY else _digested(key, key)


def _digested(shown: str, exactly: str) -> str:
    start = shown.encode()[:900].decode(errors="ignore")
    return f"{start}#{sha256(exactly.encode()).hexdigest()}"


def _text(value: Any) -> Any:
    match value:
        case datetime():
            return instant(value)
        case Decimal() | str():
            return str(value)
        case tuple():
            return [_text(each) for each in value]
        case _:
            return value
