"""Headrooms in the ledger: an item in each principal's partition, gone some days after its day.

The enforcer keeps them; the meter reads them beside what their days come to.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from quota_enforcer.aws.dynamodb.expression import Expression
from quota_enforcer.aws.dynamodb.ledger.schema import EXPIRES, STATE, principal_of
from quota_enforcer.aws.dynamodb.ledger.usage.buckets.items import bucket_of, day_in, usage_key
from quota_enforcer.aws.dynamodb.retry import TRIES
from quota_enforcer.aws.dynamodb.table import BATCH, Put
from quota_enforcer.aws.dynamodb.text import instant
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import Counts, Measure
from quota_enforcer.core.usage.looks.headroom import (
    Ground,
    Headroom,
    KeptHeadroom,
    Measured,
    WindowSum,
    premise_of,
)
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.meter.ports import RoomRead

if TYPE_CHECKING:
    from quota_enforcer.aws.dynamodb.table import Table
    from quota_enforcer.aws.dynamodb.wire import Plain

HEADROOM: Final = "headroom"
_NEVER_LIMITED: Final = "saved_usd"
STAYS: Final = timedelta(days=2)
"""Far longer than any look takes: who finds none must be able to rely on it."""


class DynamoHeadrooms:
    """The `Headrooms`, but for the hours."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def headrooms(self, principals: Iterable[Principal]) -> Mapping[Principal, KeptHeadroom]:
        return {
            principal_of(item["pk"]): KeptHeadroom(_headroom_of(item), item["token"])
            for item in self._table.batch_get(map(_key, principals))
        }

    def keep_headrooms(
        self, headrooms: Mapping[Principal, Headroom], over: Mapping[Principal, str]
    ) -> None:
        writes = [_kept(each, headrooms[each], over[each]) for each in sorted(headrooms)]
        for first in range(0, len(writes), BATCH):
            left = writes[first : first + BATCH]
            for _ in range(TRIES):  # all of a transaction is written, or nothing
                dropped = set(self._table.write(left)) if left else set()
                if not dropped:
                    break
                left = [each for place, each in enumerate(left) if place not in dropped]

    def drop_headrooms(self, principals: Collection[Principal], now: datetime) -> None:
        several = sorted(principals)
        for first in range(0, len(several), BATCH):
            dropped = [Put(_dropped(each, now)) for each in several[first : first + BATCH]]
            self._table.write(dropped)


class DynamoRoom:
    """The meter's part of them, which it only reads."""

    def __init__(self, table: "Table") -> None:
        self._table = table

    def room(
        self, principals: Collection[Principal], day: date, guessed: Collection[Bucket]
    ) -> RoomRead:
        """One read for a hundred items, and another for buckets that were not guessed."""
        ground = Ground()
        headrooms: dict[Principal, Headroom] = {}
        used = dict.fromkeys(guessed, Counts())
        buckets = map(usage_key, used)
        for item in self._table.batch_get([STATE, *map(_key, principals), *buckets]):
            if item["pk"] == STATE["pk"]:
                said = (item.get(name, "") for name in ("quotas_seen", "breaker"))
                ground = Ground(item.get("terms", ""), premise_of(*said))
            elif item["sk"] == HEADROOM:
                headroom = _headroom_of(item)
                headrooms |= {principal_of(item["pk"]): headroom} if headroom else {}
            else:
                used[bucket_of(item)] = day_in(item)
        others = {
            Bucket(principal, model, day, place)
            for principal, headroom in headrooms.items()
            for model, place in headroom.buckets
        } - used.keys()
        if others:
            for item in self._table.batch_get(map(usage_key, others)):
                used[bucket_of(item)] = day_in(item)
        return RoomRead(ground, headrooms, used)


def _key(principal: Principal) -> "Plain":
    return {"pk": str(principal), "sk": HEADROOM}


def _kept(principal: Principal, headroom: Headroom, over: str) -> Put:
    still = Expression("attribute_not_exists(#pk)")
    if over:
        still = Expression("#token = :over", {"over": over})
    item = {
        **_dropped(principal, headroom.until),
        "quotas": headroom.quotas,
        "settings": headroom.settings,
        "until": instant(headroom.until),
        "used": {
            name: number
            for name, number in headroom.used._asdict().items()
            if number and name != _NEVER_LIMITED
        },
        "buckets": [list(each) for each in sorted(headroom.buckets)],
        "left": {id_: str(left) for id_, left in headroom.left.items()},
        "day": headroom.day.isoformat() if headroom.day else "",
        "sums": {
            counted: [str(each.used), instant(each.end) if each.end else ""]
            for counted, each in headroom.sums.items()
        },
        "measured": {
            id_: [each.measure.value, *map(str, each.weights)]
            for id_, each in headroom.measured.items()
        },
        "premise": headroom.premise,
    }
    return Put(item, still)


def _dropped(principal: Principal, until: datetime) -> dict[str, object]:
    expires = int((until + STAYS).timestamp())
    return {**_key(principal), "token": uuid4().hex, EXPIRES: expires}


def _headroom_of(item: "Plain") -> Headroom | None:
    if "left" not in item:
        return None
    used: dict[str, Any] = {
        name: number if isinstance(Counts._field_defaults[name], Decimal) else int(number)
        for name, number in item["used"].items()
    }
    return Headroom(
        item["quotas"],
        item["settings"],
        datetime.fromisoformat(item["until"]),
        Counts(**used),
        frozenset((model, place) for model, place in item["buckets"]),
        {id_: Decimal(left) for id_, left in item["left"].items()},
        date.fromisoformat(item["day"]) if item.get("day") else None,
        {
            counted: WindowSum(Decimal(used), datetime.fromisoformat(end) if end else None)
            for counted, (used, end) in item.get("sums", {}).items()
        },
        {
            id_: Measured(Measure(measure), tuple(map(Decimal, weights)))
            for id_, (measure, *weights) in item.get("measured", {}).items()
        },
        item.get("premise", ""),
    )
