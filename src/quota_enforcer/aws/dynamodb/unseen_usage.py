"""Marks of usage that nobody has looked at yet: one for each delivery, with all its users.

A mark is written before its usage. A wake is sent after, acts, and takes out the mark that it was
sent with; a sweep takes out those that are so old that no usage can follow them any more.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Final
from zlib import crc32

from quota_enforcer.aws.dynamodb.expression import Expression
from quota_enforcer.aws.dynamodb.ledger.schema import principal_of
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.looks.unseen import MOST, token_of

if TYPE_CHECKING:
    from quota_enforcer.aws.dynamodb.table import Table, WholeTable

SHARDS: Final = 4
"""Partitions of marks: each takes a thousand written units in a second.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
"""


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


def mark_all(table: "Table", users: Collection[Principal], mark: str) -> None:
    for number, several in enumerate(_parts(sorted(users))):
        token = token_of(mark, number)
        table.put({"pk": _shard(token), "sk": token, "users": sorted(map(str, several))})


def _parts(users: list[Principal]) -> Iterator[list[Principal]]:
    for first in range(0, len(users), MOST):
        yield users[first : first + MOST]


def _shard(token: str) -> str:
    """All marks of one delivery are in one partition."""
    return _partition(crc32(token.partition("#")[0].encode()) % SHARDS)


def _partition(number: int) -> str:
    return f"unseen#{number}"
