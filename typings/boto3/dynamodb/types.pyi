from collections.abc import Mapping, Sequence
from decimal import Context
from typing import Any, TypedDict

class _AttributeValue(TypedDict, total=False):
    S: str
    N: str
    B: bytes
    SS: Sequence[str]
    NS: Sequence[str]
    BS: Sequence[bytes]
    M: Mapping[str, Any]
    L: Sequence[Any]
    NULL: bool
    BOOL: bool

DYNAMODB_CONTEXT: Context

class Binary:
    def __init__(self, value: object) -> None: ...
    def __bytes__(self) -> bytes: ...
    def __eq__(self, other: object) -> bool: ...
    def __hash__(self) -> int: ...

class TypeSerializer:
    def serialize(self, value: object) -> _AttributeValue: ...

class TypeDeserializer:
    def deserialize(self, value: _AttributeValue) -> Any: ...
