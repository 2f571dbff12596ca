"""What was found out about opaque model ARNs, kept in the ledger so that AWS is asked once."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from quota_enforcer.aws.dynamodb.expression import Expression
from quota_enforcer.aws.dynamodb.ledger.schema import EXPIRES
from quota_enforcer.aws.dynamodb.table import Table
from quota_enforcer.aws.dynamodb.text import fitting_key, known, moment
from quota_enforcer.aws.dynamodb.wire import Plain
from quota_enforcer.core.usage.model import SeenModel

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MODELS: Final = "models"
"""The partition; the range key is the ARN."""
_UNRESOLVED_KEPT: Final = timedelta(days=30)
"""A resolved one stays: usage of a profile that is long deleted keeps its model."""


class DynamoModelMemory:
    """The opaque ARNs that the meters have seen, in the ledger's table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = Table(client, table)

    def models(self) -> list[SeenModel]:
        """Every ARN seen, resolved or not, by ARN; consistently read."""
        items = self._table.partition(MODELS)
        return sorted(map(_seen_of, items), key=lambda seen: seen.arn)

    def remember(self, seen: SeenModel) -> SeenModel:
        """Keep what was found out; returns what is kept.

        An unresolved name never overwrites one that another meter has resolved.
        """
        still = Expression("attribute_not_exists(#pk) OR attribute_exists(#unresolved)")
        if self._table.put(_item(seen), still if seen.unresolved else None):
            return seen
        kept = self._table.get(_key(seen.arn))
        return seen if kept is None else _seen_of(kept)


def _key(arn: str) -> Plain:
    return {"pk": MODELS, "sk": fitting_key(arn)}


def _item(seen: SeenModel) -> Plain:
    expires = int((seen.at + _UNRESOLVED_KEPT).timestamp())
    return {
        **_key(seen.arn),
        "arn": seen.arn,
        "name": seen.name,
        "priced_as": seen.priced_as,
        **known(at=seen.at, unresolved=seen.unresolved, retry_at=seen.retry_at),
        **({EXPIRES: expires} if seen.unresolved else {}),
    }


def _seen_of(item: Plain) -> SeenModel:
    return SeenModel(
        item["arn"],
        item["name"],
        item["priced_as"],
        datetime.fromisoformat(item["at"]),
        item.get("unresolved", ""),
        moment(item, "retry_at"),
    )
