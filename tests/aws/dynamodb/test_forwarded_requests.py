"""How many requests to AWS a thousand forwarded records take, beside as many at home."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3

from builders import LEDGER_TABLE, NOON, UTC_ZONE
from empty_answers import count_requests
from log_records import ACCOUNT
from quota_enforcer.aws.dynamodb.ledger.usage.meter_ledger import DynamoMeterLedger
from quota_enforcer.aws.dynamodb.satellites import DynamoSatellites
from quota_enforcer.aws.dynamodb.table import Table
from quota_enforcer.core.usage.place import Place as Where
from quota_enforcer.lambdas.meter.places import PlaceAdapters, SatellitePlaces
from quota_enforcer.meter.stream import Stream
from satellite_fakes import HOME, IRELAND, MEMBER, FakeUndelivered, a_satellite
from stream_fakes import Place, call, delivery

RECORDS, BATCHES, PEOPLE = 1_000, 10, 20
MOST_MORE = 10


def batches(account: str) -> Iterator[str]:
    """A minute of an account's log."""
    each = RECORDS // BATCHES
    for first in range(0, RECORDS, each):
        calls = [
            call(
                number,
                NOON + timedelta(seconds=number * 50 // RECORDS),
                f"arn:aws:iam::{account}:user/user-{number % PEOPLE}",
                accountId=account,
            )
            for number in range(first, first + each)
        ]
        yield delivery(calls, owner=account)


def test_a_thousand_forwarded_records_take_at_most_ten_requests_more_than_at_home(
    session: boto3.Session,
) -> None:
    """Besides what the ledger takes, a satellite makes one request to home for each batch."""
    client = session.client("dynamodb")
    requests: Counter[str] = Counter()
    count_requests(client, requests)
    fakes = Place(UTC_ZONE)

    def adapters(place: str = "") -> Any:
        ledger = DynamoMeterLedger(client, LEDGER_TABLE, UTC_ZONE, lambda: NOON, place)
        return replace(fakes.adapters, ledger=ledger)

    def adapters_of(place: Where, group: str) -> PlaceAdapters:
        del group
        return PlaceAdapters(adapters(str(place)), FakeUndelivered())

    registry = DynamoSatellites(Table(client, LEDGER_TABLE))
    registry.announce(a_satellite())
    places = SatellitePlaces(HOME, registry, fakes.log_group, adapters_of)
    stream = Stream(adapters(), fakes.log_group)
    now = NOON + timedelta(seconds=50)

    requests.clear()
    home = [stream.deliver(data, now, "r") for data in batches(ACCOUNT)]
    at_home = requests.copy()
    requests.clear()
    posted = 0
    for data in batches(MEMBER):
        posted += 1
        metered = places.deliver(IRELAND, data, now, "r")
        places.registry.delivered(IRELAND, metered.newest, now)
        home.append(metered)
    forwarded = requests
    assert sum(each.counted for each in home) == 2 * RECORDS
    once_a_minute, once = 1, 1
    assert forwarded["UpdateItem"] == once_a_minute + once, "that something came, and the form"
    more = forwarded.total() + posted - at_home.total()
    print(f"{RECORDS:,} records: {at_home.total()} requests at home, {more} more forwarded")  # noqa: T201
    assert forwarded.total()
    assert more <= MOST_MORE
