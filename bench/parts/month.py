"""The month that costs are of: who calls how often, and what the ledger has of it at its middle."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from quota_enforcer.aws.dynamodb.ledger.schema import EXPIRES
from quota_enforcer.aws.dynamodb.ledger.usage.buckets import items as usage_items
from quota_enforcer.aws.dynamodb.wire import wire
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.model import canonical_model
from quota_enforcer.core.usage.stored import Bucket

from .records import MODELS
from .units import Attributes

ZONE = ZoneInfo("Europe/Berlin")
CALLS = 1_000
"""Of each principal on each working day, half of them with each of two models."""
DAYS = 22
"""Working days."""
OPENS, CLOSES = 9, 17
"""Local hours between which calls are made, evenly."""
TODAY = date(2026, 11, 16)
"""With ten working days before it."""
A_SHARE = CALLS // (CLOSES - OPENS) // len(MODELS)
HOUR = Counts(
    A_SHARE,
    A_SHARE * 4_987,
    A_SHARE * 1_987,
    A_SHARE * 99_871,
    A_SHARE * 4_991,
    cost_usd=Decimal("4.7213705"),
)
"""What a principal uses of a model in an hour."""
_NOBODY = Principal(Kind.USER, "")


def moment(hour: float, day: date = TODAY) -> datetime:
    """A local time of the day, in UTC."""
    midnight = datetime.combine(day, time.min, ZONE)
    return (midnight + timedelta(hours=hour)).astimezone(UTC)


def working_days() -> Iterator[date]:
    """Those of the month before today."""
    for number in range(1, TODAY.day):
        day = TODAY.replace(day=number)
        if day.isoweekday() <= 5:  # noqa: PLR2004 - Friday
            yield day


def used_so_far(users: Iterable[str], hour: int, *, today: bool = False) -> Iterator[Attributes]:
    """What the ledger has of these before this local hour of today; or just of today."""
    days = {} if today else dict.fromkeys(working_days(), CLOSES)
    items = [
        wire(_item(Bucket(_NOBODY, canonical_model(model), day), until))
        for model in MODELS
        for day, until in (days | {TODAY: hour}).items()
        if until > OPENS
    ]
    for user in users:
        pk = {"S": str(Principal(Kind.USER, user))}
        yield from (item | {"pk": pk} for item in items)


def _item(bucket: Bucket, until: int) -> Attributes:
    hours = {moment(hour, bucket.day): HOUR for hour in range(OPENS, until)}
    numbers, _ = usage_items.counters(bucket, hours, ZONE)
    expires = {EXPIRES: usage_items.usage_expires(bucket.day)}
    return {**usage_items.usage_key(bucket), **numbers, **expires}
