"""Which satellites there are, as items of the ledger: one for each place, in one partition."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from quota_enforcer.aws.dynamodb.expression import Expression
from quota_enforcer.aws.dynamodb.ledger.schema import SATELLITES
from quota_enforcer.aws.dynamodb.text import instant, known, moment
from quota_enforcer.core.usage.place import Place
from quota_enforcer.satellites.registry import Satellite

if TYPE_CHECKING:
    from quota_enforcer.aws.dynamodb.table import Table
    from quota_enforcer.aws.dynamodb.wire import Plain

EVERY: Final = timedelta(minutes=1)
"""How often it is noted at most that something came from a place."""
_ANNOUNCED: Final = ("version", "log_group", "stack_id", "announced", "parameters")
"""What a satellite says of itself; an item without it is of one that has left."""


class DynamoSatellites:
    """The `SatelliteRegistry`."""

    def __init__(self, table: "Table") -> None:
        self._table = table
        self._noted: dict[Place, datetime] = {}
        self._newest: dict[Place, datetime] = {}

    def satellites(self) -> tuple[Satellite, ...]:
        items = self._table.partition(SATELLITES)
        return tuple(_satellite_of(item) for item in items if "announced" in item)

    def announce(self, satellite: Satellite) -> None:
        self._table.update(
            _key(satellite.place),
            {
                "version": satellite.version,
                "log_group": satellite.log_group,
                "stack_id": satellite.stack_id,
                "announced": instant(satellite.announced),
                "parameters": satellite.parameters,
            },
        )

    def leave(self, place: Place, stack_id: str) -> bool:
        """What came from there stays noted: the meter's role deletes nothing."""
        same = Expression("#stack_id = :stack_id", {"stack_id": stack_id})
        return self._table.update(_key(place), {}, _ANNOUNCED, condition=same)

    def delivered(self, place: Place, newest: datetime | None, now: datetime) -> None:
        """Each process and all together write at most once in a minute."""
        seen = [each for each in (newest, self._newest.get(place)) if each]
        if seen:
            self._newest[place] = max(seen)
        if place in self._noted and now - self._noted[place] < EVERY:
            return
        self._noted[place] = now
        due = Expression(
            "attribute_exists(#announced) AND "
            "(attribute_not_exists(#last_delivery) OR #last_delivery <= :before)",
            {"before": instant(now - EVERY)},
        )
        values = known(last_delivery=now, newest_record=self._newest.get(place))
        self._table.update(_key(place), values, condition=due)


def _key(place: Place) -> "Plain":
    return {"pk": SATELLITES, "sk": str(place)}


def _satellite_of(item: Mapping[str, Any]) -> Satellite:
    return Satellite(
        place=Place.parse(item["sk"]),
        version=int(item["version"]),
        log_group=item["log_group"],
        stack_id=item["stack_id"],
        announced=datetime.fromisoformat(item["announced"]),
        parameters=item.get("parameters", ""),
        newest_record=moment(item, "newest_record"),
        last_delivery=moment(item, "last_delivery"),
    )
