"""What the meters keep beside the usage, and what they are told.

How callers stand in the metrics or in the log is one item for each (identity ARN, model id); what
the enforcer tells the meters is one item, its prices texts, exact and readable in the console.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from quota_enforcer.aws.dynamodb.expression import Expression
from quota_enforcer.aws.dynamodb.ledger.schema import (
    DEPLOYMENT,
    EXPIRES,
)
from quota_enforcer.aws.dynamodb.table import BATCH, Update
from quota_enforcer.aws.dynamodb.text import joined_key, known, moment
from quota_enforcer.aws.dynamodb.wire import Plain
from quota_enforcer.core.pricing.codec import as_mapping, rate_of
from quota_enforcer.core.usage.stored import MeterRules, Source

if TYPE_CHECKING:
    from quota_enforcer.aws.dynamodb.table import Table

SOURCES = "sources"

_KEPT = timedelta(days=7)


class DynamoSources:
    """`now` is asked only for what has expired, since DynamoDB deletes that days late."""

    def __init__(self, table: "Table", now: Callable[[], datetime]) -> None:
        self._table = table
        self._now = now

    def sources(self) -> list[Source]:
        """The metric sources remembered."""
        now = self._now()
        items = self._table.partition(SOURCES)
        return [source_of(i) for i in items if not expired(i, now)]

    def remember_source(self, source: Source) -> None:
        """Remember one for a week after its last data, or as long as it is behind."""
        self._table.put(source_item(source))

    def remember_sources(self, sources: Sequence[Source]) -> None:
        by_activity = sorted(sources, key=lambda source: source.active_to)
        newest = {(source.arn, source.model_id): source for source in by_activity}
        writes = [_keeping(source_item(source)) for source in newest.values()]
        for first in range(0, len(writes), BATCH):
            left = writes[first : first + BATCH]
            while left and (seen_later := self._table.write(left)):
                left = [each for place, each in enumerate(left) if place not in seen_later]


def source_item(source: Source) -> "Plain":
    """A metric source; one that is behind stays until it was read."""
    expires = int((source.active_to + _KEPT).timestamp())
    return {
        "pk": SOURCES,
        "sk": joined_key(source.arn, source.model_id),
        "arn": source.arn,
        "model_id": source.model_id,
        "counters": list(source.counters),
        **known(active_to=source.active_to, behind=source.behind),
        **({EXPIRES: expires} if source.behind is None else {}),
    }


def source_of(item: "Plain") -> Source:
    """The source that an item holds."""
    active_to = datetime.fromisoformat(item["active_to"])
    return Source(
        item["arn"], item["model_id"], active_to, moment(item, "behind"), tuple(item["counters"])
    )


def expired(item: "Plain", now: datetime) -> bool:
    """Whether an item's time is over: DynamoDB deletes it some days after that."""
    return EXPIRES in item and item[EXPIRES] <= now.timestamp()


def _keeping(item: "Plain") -> Update:
    """Writes what an item says, unless a later one is stored, and leaves what else is there."""
    key = {name: item[name] for name in ("pk", "sk")}
    values = {name: item[name] for name in item.keys() - key.keys()}
    not_later = "attribute_not_exists(#active_to) OR #active_to <= :active_to"
    return Update(key, {}, values, Expression(not_later, {"active_to": item["active_to"]}))


METER_RULES: Plain = {"pk": DEPLOYMENT, "sk": "brief"}


def meter_rules_item(meter_rules: MeterRules) -> dict[str, Any]:
    return {
        **METER_RULES,
        "sessions": sorted(meter_rules.sessions),
        "prices": {
            model: as_mapping(rate, str) for model, rate in sorted(meter_rules.prices.items())
        },
        **({"minutes": sorted(meter_rules.minutes)} if meter_rules.minutes else {}),
    }


def meter_rules_of(item: Plain | None) -> MeterRules:
    """The rules that an item holds; nothing to tell before the first sweep."""
    if item is None:
        return MeterRules()
    return MeterRules(
        frozenset(item["sessions"]),
        {model: rate_of(rate) for model, rate in item["prices"].items()},
        frozenset(item.get("minutes", ())),
    )
