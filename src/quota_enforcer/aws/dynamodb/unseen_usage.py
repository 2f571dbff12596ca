"""Marks of usage that nobody has looked at yet: one in each transaction, with all its users.

The enforcer reads the marks before it reads the usage and takes these out after it has acted, so
what is added meanwhile stays marked.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Final
from uuid import uuid4
from zlib import crc32

from quota_enforcer.aws.dynamodb.expression import Expression
from quota_enforcer.aws.dynamodb.ledger.schema import principal_of
from quota_enforcer.aws.dynamodb.table import Put
from quota_enforcer.core.principal import Principal

if TYPE_CHECKING:
    from quota_enforcer.aws.dynamodb.table import Table, WholeTable

SHARDS: Final = 4
"""Partitions of marks: each takes a thousand written units in a second.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
"""
MOST: Final = 200
"""Principals in one mark: an item holds 400 KB, and a name may have a thousand letters."""


class DynamoUnseen:
    """The `Unseen`."""

    def __init__(self, table: "WholeTable") -> None:
        self._table = table

    def unseen(self, mark: str = "") -> Mapping[str, frozenset[Principal]]:
        found: dict[str, frozenset[Principal]] = {}
        for shard in [_shard(mark)] if mark else map(_partition, range(SHARDS)):
            where = Expression("#pk = :pk", {"pk": shard})
            if mark:
                text = "#pk = :pk AND begins_with(#sk, :mark)"
                where = Expression(text, {"pk": shard, "mark": mark})
            for item in self._table.query(where):
                found[item["sk"]] = frozenset(map(principal_of, item["users"]))
        return found

    def looked_at(self, seen: Mapping[str, frozenset[Principal]]) -> None:
        for token, left in seen.items():
            key = {"pk": _shard(token), "sk": token}
            if left:  # nobody else may have taken it out meanwhile: it would stay for ever
                there = Expression("attribute_exists(#pk)")
                self._table.update(key, {"users": sorted(map(str, left))}, condition=there)
            else:
                self._table.delete(key)


def marking(users: Collection[Principal], mark: str) -> Put:
    """The part of a transaction; another one for each transaction, since an answer may be lost."""
    token = f"{mark}#{uuid4().hex}"
    return Put({"pk": _shard(token), "sk": token, "users": sorted(map(str, users))})


def mark_all(table: "Table", users: Collection[Principal], mark: str) -> None:
    """Mark them on their own: for usage that was set before."""
    for several in _parts(sorted(users)):
        table.write([marking(several, mark)])


def _parts(users: list[Principal]) -> Iterator[list[Principal]]:
    for first in range(0, len(users), MOST):
        yield users[first : first + MOST]


def _shard(token: str) -> str:
    """All marks of one delivery are in one partition."""
    return _partition(crc32(token.partition("#")[0].encode()) % SHARDS)


def _partition(number: int) -> str:
    return f"unseen#{number}"
