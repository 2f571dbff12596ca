"""Usage has short names; what earlier versions wrote in long ones is read, added and replaced."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import ALICE, HAIKU, HOUR, LEDGER_TABLE, NOON, UTC_ZONE
from quota_enforcer.aws.dynamodb.expression import change
from quota_enforcer.aws.dynamodb.ledger.ledger import DynamoLedger
from quota_enforcer.aws.dynamodb.ledger.schema import EXPIRES
from quota_enforcer.aws.dynamodb.ledger.usage.buckets.hours import DynamoUsage
from quota_enforcer.aws.dynamodb.ledger.usage.buckets.items import (
    counters,
    day_of,
    hours_of,
    usage_expires,
    usage_key,
)
from quota_enforcer.aws.dynamodb.ledger.usage.buckets.minutes import (
    minute_key,
    minute_values,
    minutes_of,
)
from quota_enforcer.aws.dynamodb.ledger.usage.meter_ledger import DynamoMeterLedger
from quota_enforcer.aws.dynamodb.table import WholeTable
from quota_enforcer.aws.dynamodb.wire import wire
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import OBSERVED, SHORT_NAMES, Counts
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.meter.ports import UsageEntry

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from quota_enforcer.aws.dynamodb.table import Table

TODAY = NOON.date()
BUCKET = Bucket(ALICE, HAIKU, TODAY)
BERLIN = ZoneInfo("Europe/Berlin")
ALL_COUNTERS = Counts(
    125, 623_375, 248_375, 12_483_875, 623_875, 2,
    Decimal("14.72137053"), Decimal("4.2137053"), Decimal("33.7064625"),
)  # fmt: skip
DOLLARS = st.decimals(0, 1_000, places=13)
COUNTS = st.builds(Counts, *len(OBSERVED) * [st.integers(0, 10**12)], *3 * [DOLLARS])


def test_every_counter_has_a_short_name_of_its_own() -> None:
    assert tuple(SHORT_NAMES) == Counts._fields
    assert len(set(SHORT_NAMES.values())) == len(SHORT_NAMES)
    others = {short for counter, short in SHORT_NAMES.items() if short != counter}
    assert not others & set(Counts._fields), "it would be read as the other counter"
    assert all(len(short) < len(counter) for counter, short in SHORT_NAMES.items())


def older(hours: Mapping[str, Counts], filler: str = "stream") -> dict[str, Any]:
    """What versions before short names wrote, by the local hour."""
    item: dict[str, Any] = {**usage_key(BUCKET), EXPIRES: usage_expires(TODAY)}
    for hour, counts in hours.items():
        item |= {f"{hour}.{name}": each for name, each in counts._asdict().items() if each}
        item[f"{hour}.meter"] = filler
    return item


def newer(hours: Mapping[str, Counts]) -> dict[str, Any]:
    at = {NOON.replace(hour=int(hour)): counts for hour, counts in hours.items()}
    return {**usage_key(BUCKET), **counters(BUCKET, at, UTC_ZONE)[0]}


def read(item: dict[str, Any]) -> dict[str, Counts]:
    """As `usage` reads it; the day as a pass over the table does comes to the same."""
    hours = hours_of({name: _decoded(each) for name, each in item.items()}, UTC_ZONE)
    assert day_of(wire(item)) == Counts.total(hours.values())
    return {f"{start:%H}": counts for start, counts in hours.items()}


def _decoded(value: Any) -> Any:
    return Decimal(value) if isinstance(value, int) else value


ONE = Counts(1, 2, 3, 4, 5, 6, Decimal("0.7"), Decimal("0.08"), Decimal("0.009"))
TWICE = Counts.total([ONE, ONE])


@pytest.mark.parametrize(
    ("item", "hours"),
    [
        (older({"12": ONE}), {"12": ONE}),
        (newer({"12": ONE}), {"12": ONE}),
        (older({"11": ONE}) | newer({"12": ONE}), {"11": ONE, "12": ONE}),
        (older({"12": ONE}) | newer({"12": ONE}), {"12": TWICE}),
        (older({"12": Counts(1)}) | newer({"12": Counts(0, 5)}), {"12": Counts(1, 5)}),
        (older({"12": Counts()}), {}),
        ({**usage_key(BUCKET), "12.by": "recount", "12.x": 1, "24.in": 1, "12b": 1, "in": 1}, {}),
    ],
)
def test_both_names_are_read_and_add_up(item: dict[str, Any], hours: dict[str, Counts]) -> None:
    assert read(item) == hours


@given(st.dictionaries(st.sampled_from(["00", "09", "23"]), st.tuples(COUNTS, COUNTS)))
def test_an_hour_comes_to_the_same_whoever_wrote_which_part(
    parts: dict[str, tuple[Counts, Counts]],
) -> None:
    item = older({hour: old for hour, (old, _) in parts.items()})
    item |= newer({hour: new for hour, (_, new) in parts.items()})
    sums = {hour: Counts.total(both) for hour, both in sorted(parts.items())}
    assert read(item) == {hour: counts for hour, counts in sums.items() if any(counts)}


def test_the_second_of_two_equal_hours_is_read_by_both_names() -> None:
    night = Bucket(ALICE, HAIKU, TODAY.replace(month=10, day=25))
    item = {**usage_key(night), "02b.requests": Decimal(1), "02b.n": Decimal(2), "02.n": Decimal(4)}
    first = datetime.fromisoformat("2026-10-25T00:00:00+00:00")
    assert hours_of(item, BERLIN) == {first: Counts(4), first + HOUR: Counts(3)}


# What is written over what an earlier version left


def put(client: "DynamoDBClient", item: dict[str, Any]) -> None:
    client.put_item(TableName=LEDGER_TABLE, Item=wire(item))


def stored(client: "DynamoDBClient", prefix: str = "usage#") -> dict[str, Any]:
    """The one item of its kind, without its keys."""
    items = [dict(each) for each in WholeTable(client, LEDGER_TABLE).scan()]
    [item] = [each for each in items if each["sk"].startswith(prefix)]
    return {name: each for name, each in item.items() if name not in {"pk", "sk", EXPIRES}}


@pytest.mark.parametrize("counts", [ONE, Counts(3), Counts()])
@pytest.mark.parametrize(
    "before", [older({"12": ONE}), newer({"12": ONE}), older({"12": ONE}) | newer({"12": TWICE})]
)
def test_an_hour_that_is_set_has_exactly_that_whatever_it_was_called(
    ledger: DynamoLedger, dynamodb: "DynamoDBClient", before: dict[str, Any], counts: Counts
) -> None:
    put(dynamodb, before | {"11.requests": 5})
    ledger.set_hours(BUCKET, {NOON: counts}, "recount")
    used = {f"12.{name}": each for name, each in newer_names(counts)}
    assert stored(dynamodb) == {**used, "12.by": "recount", "11.requests": 5}
    hours = {NOON: counts} if any(counts) else {}
    assert ledger.hours([BUCKET])[BUCKET] == {NOON - HOUR: Counts(5), **hours}


def newer_names(counts: Counts) -> Iterator[tuple[str, Any]]:
    return ((SHORT_NAMES[name], each) for name, each in counts._asdict().items() if each)


def test_a_call_is_added_beside_what_an_earlier_version_added(
    ledger: DynamoLedger, dynamodb: "DynamoDBClient"
) -> None:
    """So the hour of the update has both names, and comes to both."""
    put(dynamodb, older({"12": Counts(1, 10)}))
    call = UsageEntry("k", NOON, NOON, (BUCKET,), Counts(1, 7))
    meter = DynamoMeterLedger(dynamodb, LEDGER_TABLE, UTC_ZONE, now=lambda: NOON)
    assert meter.add([call], NOON).added == 1
    assert stored(dynamodb) == {"12.requests": 1, "12.input_tokens": 10, "12.n": 1, "12.in": 7}
    assert ledger.hours([BUCKET])[BUCKET] == {NOON: Counts(2, 17)}


@pytest.mark.parametrize("filler", ["12.by", "12.meter"])
def test_what_is_added_to_is_no_more_what_somebody_set(
    dynamodb: "DynamoDBClient", filler: str
) -> None:
    put(dynamodb, newer({"12": Counts(1)}) | {filler: "cloudwatch", "11.by": "cloudwatch"})
    call = UsageEntry("k", NOON, NOON, (BUCKET,), Counts(1))
    DynamoMeterLedger(dynamodb, LEDGER_TABLE, UTC_ZONE, now=lambda: NOON).add([call], NOON)
    assert stored(dynamodb) == {"12.n": 2, "11.by": "cloudwatch"}


@pytest.mark.parametrize("counts", [ALL_COUNTERS, Counts()])
def test_the_longest_day_is_set_within_what_dynamodb_reads_of_an_expression(counts: Counts) -> None:
    """25 hours of every counter, over what an earlier version wrote.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
    """
    sent: list[tuple[dict[str, Any], list[str]]] = []

    class Sent:
        def update(self, _: object, values: dict[str, Any], remove: list[str]) -> None:
            sent.append((values, remove))

    first = NOON.replace(month=10, day=24, hour=22)
    bucket = Bucket(ALICE, HAIKU, TODAY.replace(month=10, day=25))
    hours = {first + n * HOUR: counts for n in range(25)}
    DynamoUsage(cast("Table", Sent()), BERLIN).set_hours(bucket, hours)
    lengths = [len(change(*each)["UpdateExpression"]) for each in sent]
    assert max(lengths) <= 4096 / 2, "with room for counters to come"
    assert {name for values, _ in sent for name in values if name.endswith(".by")} == {
        *(f"{hour:02}.by" for hour in range(24)), "02b.by",
    }  # fmt: skip


# Minutes


def test_minutes_are_read_by_both_names_and_add_up(dynamodb: "DynamoDBClient") -> None:
    old = {name: each for name, each in ONE._asdict().items() if each}
    items = [{**minute_key(BUCKET, NOON), **minute_values(NOON, ONE), **old}]
    assert minutes_of(items) == {"": {HAIKU: {NOON: TWICE}}}
    put(dynamodb, items[0])
    meter = DynamoMeterLedger(dynamodb, LEDGER_TABLE, UTC_ZONE)
    meter.set_minutes(BUCKET, NOON, NOON + HOUR, {NOON: Counts(3)})
    assert stored(dynamodb, "minutes#") == {"n": 3}


# How large a bucket grows

UNIT = 1024
"""Bytes that one write unit pays for; a transaction takes two for each.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/capacity-unit-calculations.html
"""


def size(item: dict[str, Any]) -> int:
    """Names, texts, and a byte for two digits of a number, and one or two more for the number.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name) + _size(each) for name, each in item.items())


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode())
    return len(str(value).replace(".", "").strip("0")) // 2 + 2


def after(hours: Iterable[int], counts: Counts, who: str, model: str) -> dict[str, Any]:
    bucket = Bucket(Principal.parse(who), model, TODAY)
    used = dict.fromkeys((NOON.replace(hour=hour) for hour in hours), counts)
    numbers, _ = counters(bucket, used, UTC_ZONE)
    return {**usage_key(bucket), **numbers, EXPIRES: usage_expires(TODAY)}


BUSY = ALL_COUNTERS._replace(incomplete_requests=0)
"""All but broken-off calls: a call every half minute, most of it cached, at $15 an hour."""
USUAL = Counts(
    40, 41_280, 61_905, 2_140_377, 187_033,
    cost_usd=Decimal("1.8412345"), assumed_usd=Decimal("0.4207365"), saved_usd=Decimal("5.1234567"),
)  # fmt: skip
SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0"


@pytest.mark.parametrize(
    ("who", "hour"),
    [
        ("user/alice", BUSY),
        ("role/reporting", BUSY),
        ("user/alice", USUAL),
        ("sso/firstname.lastname@example.com", USUAL),
        ("session/reporting/firstname.lastname", USUAL),
    ],
)
def test_a_bucket_of_ten_active_hours_costs_one_unit(who: str, hour: Counts) -> None:
    assert size(after(range(8, 18), hour, who, SONNET)) <= UNIT


def test_a_bucket_of_a_whole_day_costs_three_units_at_most() -> None:
    whole = after(range(24), ALL_COUNTERS, "sso/firstname.lastname@example.com", SONNET)
    assert size(whole) <= 3 * UNIT
