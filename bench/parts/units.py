"""What DynamoDB charges a call for: units of reading and writing, by the items that it touches.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/capacity-unit-calculations.html
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any

Attributes = dict[str, Any]


@dataclass(slots=True)
class Units:
    """How many were consumed."""

    written: int = 0
    read: float = 0.0


_KB, _READ = 1024, 4096
_KEYS = ("pk", "sk"), ("principal", "quota")
"""Of the ledger, whose notices name principals and quotas too, and of the quota table."""
_INDEX = ("listing", "due")
"""What has both is in the ledger's index too."""


def touched(operation: str, request: Attributes) -> Iterator[tuple[str, Attributes]]:
    """The table and key of each item that a call writes, or makes its writes depend on."""
    match operation:
        case "TransactWriteItems":
            parts = [part for each in request["TransactItems"] for part in each.values()]
        case "PutItem" | "UpdateItem" | "DeleteItem":
            parts = [request]
        case _:
            parts = []
    for part in parts:
        key = part.get("Key") or part["Item"]
        names = next(names for names in _KEYS if all(name in key for name in names))
        yield part["TableName"], {name: key[name] for name in names}


def written(operation: str, before: Iterable[Attributes], after: Iterable[Attributes]) -> int:
    """For the items that it touched; a transaction costs twice as much, and so if refused."""
    units = sum(_written(*pair) for pair in zip(before, after, strict=True))
    return 2 * units if operation == "TransactWriteItems" else units


def read(operation: str, request: Attributes, answer: Attributes) -> float:
    """For what it answered."""
    match operation:
        case "GetItem":
            return _read(answer.get("Item", {}))
        case "BatchGetItem":
            found = [item for items in answer["Responses"].values() for item in items]
            asked = sum(len(each["Keys"]) for each in request["RequestItems"].values())
            return sum(map(_read, found)) + asked - len(found)
        case "Query" | "Scan":
            whole = max(1, ceil(sum(map(size, answer["Items"])) / _READ))
            return whole if request.get("ConsistentRead") else whole / 2
        case _:
            return 0


def size(value: Any) -> int:  # noqa: PLR0911 - one for each type
    """The bytes that DynamoDB counts for an attribute, or for a whole item."""
    match value:
        case {"S": str(text)}:
            return len(text.encode())
        case {"N": str(number)}:
            return len(number.strip("-").replace(".", "").strip("0")) // 2 + 2
        case {"SS": list(texts)}:
            return sum(len(text.encode()) for text in texts)
        case {"L": list(values)}:
            return 3 + sum(1 + size(each) for each in values)
        case {"M": dict(values)}:
            return 3 + sum(1 + len(name.encode()) + size(each) for name, each in values.items())
        case {"BOOL": _} | {"NULL": _}:
            return 1
        case dict():
            return sum(len(name.encode()) + size(each) for name, each in value.items())
        case _:
            raise TypeError(f"{value!r} is no attribute of DynamoDB")


def _written(before: Attributes, after: Attributes) -> int:
    """By the larger of both; in the index an item that moves is written at both places."""
    units = max(1, ceil(max(size(before), size(after)) / _KB))
    places = {str([item[name] for name in _INDEX]) for item in (before, after) if "due" in item}
    return units * (1 + len(places))


def _read(item: Attributes) -> int:
    return max(1, ceil(size(item) / _READ))
