"""Which hours are to be set from the log, as items of the ledger, one for each hour and place.

An hour is open from when it is asked for until it is finished. It stays open if it is asked for or
begun again while its recount runs. Once a recount has begun, the hour is set as a whole and never
again gets a single call.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from quota_enforcer.aws.dynamodb.expression import Expression
from quota_enforcer.aws.dynamodb.ledger.schema import EXPIRES
from quota_enforcer.aws.dynamodb.satellites import DynamoSatellites
from quota_enforcer.aws.dynamodb.table import Table
from quota_enforcer.aws.dynamodb.text import instant, moment
from quota_enforcer.aws.dynamodb.wire import Plain
from quota_enforcer.core.usage.place import HOME
from quota_enforcer.meter.ports import Recount

RECOUNTS = "recounts"
"""The partition of home's; the range key is the hour. Each other place has its own partition."""
LEFT_OUT = "left_out"
"""The partition of the log events that are no usage, by the hour that they are left out of."""
KEPT = timedelta(days=40)
"""How long is remembered that an hour was recounted: a call that comes later would be added."""


def recount_key(hour: datetime, place: str = HOME) -> Plain:
    """Where an hour of a place is stored, which is written as buckets have it."""
    return {"pk": _of(RECOUNTS, place), "sk": instant(hour)}


def _left_out_key(hour: datetime, place: str) -> Plain:
    """On its own, since it holds for good: the log may be kept for longer than recounts are."""
    return {"pk": _of(LEFT_OUT, place), "sk": instant(hour)}


def _of(partition: str, place: str) -> str:
    """An older version reads home's alone, and would not understand a place in a range key."""
    return f"{partition}#{place}" if place else partition


class DynamoRecounts:
    """The hours of one place to be recounted, in the ledger's table."""

    def __init__(self, table: Table, place: str = HOME) -> None:
        self._table = table
        self.place = place

    def ask_recounts(self, hours: Iterable[datetime], now: datetime) -> None:
        for hour in sorted(set(hours)):
            self._table.update(
                self._key(hour), {"asked": instant(now), **_expiry(now)}, ["seen", "finished"]
            )

    def recounts(self) -> list[Recount]:
        """The hours asked for and not finished since, oldest first."""
        items = self._table.partition(_of(RECOUNTS, self.place))
        return [_recount_of(item) for item in items if "asked" in item and "finished" not in item]

    def start_recount(self, hour: datetime, now: datetime) -> None:
        started = {"started": instant(now), "seen": True, **_expiry(now)}
        self._table.update(self._key(hour), started, ["finished"])

    def finish_recount(self, hour: datetime, now: datetime) -> None:
        # Who asks takes `seen` away, and who begins again changes `started`.
        undisturbed = Expression("#seen = :yes AND #started = :started", _as_started(now))
        done = {"finished": instant(now)}
        if not self._table.update(self._key(hour), done, condition=undisturbed):
            self.ask_recounts([hour], now)

    def left_out(self, hour: datetime) -> frozenset[str]:
        item = self._table.get(_left_out_key(hour, self.place)) or {}
        return frozenset(item.get("events", ()))

    def leave_out(self, hour: datetime, events: Collection[str]) -> None:
        self._table.update(_left_out_key(hour, self.place), {"events": sorted(events)})

    def drop_recount(self, hour: datetime) -> None:
        self._table.update(self._key(hour), {}, ["asked", "seen", "started", "finished"])

    def _key(self, hour: datetime) -> Plain:
        return recount_key(hour, self.place)


def recounts_everywhere(table: Table) -> list[Recount]:
    """The hours that wait at home or in a satellite, each once: since when it waits longest."""
    places = [HOME, *(str(each.place) for each in DynamoSatellites(table).satellites())]
    found: dict[datetime, Recount] = {}
    for place in places:
        for each in DynamoRecounts(table, place).recounts():
            known = found.get(each.hour, each)
            found[each.hour] = min(known, each, key=lambda one: one.asked)
    return [found[hour] for hour in sorted(found)]


def _as_started(now: datetime) -> Plain:
    return {"yes": True, "started": instant(now)}


def _expiry(now: datetime) -> dict[str, Any]:
    return {EXPIRES: int((now + KEPT).timestamp())}


def _recount_of(item: Plain) -> Recount:
    return Recount(
        datetime.fromisoformat(item["sk"]),
        datetime.fromisoformat(item["asked"]),
        moment(item, "started"),
        moment(item, "finished"),
    )
