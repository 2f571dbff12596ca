"""Usage items name local clock hours, and every hour of every zone keeps its own name."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import ALICE, HAIKU, HOUR, NOON
from quota_enforcer.aws.dynamodb.ledger.usage.buckets import items as usage_items
from quota_enforcer.aws.dynamodb.ledger.usage.buckets.names import hour_name
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.counts import OBSERVED, SHORT_NAMES, Counts
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.core.usage.window import day_start, hour_start, local_date, next_hour

ZONES = (
    "UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe",
    "America/St_Johns", "America/Santiago",
)  # fmt: skip
DOLLARS = st.decimals(0, 1_000, places=13)
COUNTS = st.builds(
    Counts,
    *len(OBSERVED) * [st.integers(0, 10**12)],
    cost_usd=DOLLARS,
    assumed_usd=DOLLARS,
    saved_usd=DOLLARS,
)


def stored(bucket: Bucket, hours: dict[datetime, Counts], zone: ZoneInfo) -> dict[str, object]:
    """The item as it comes back, numbers as Decimals."""
    numbers, _ = usage_items.counters(bucket, hours, zone)
    return {
        **usage_items.usage_key(bucket),
        **{name: Decimal(number) for name, number in numbers.items()},
    }


def hours_on(day: date, zone: ZoneInfo) -> list[datetime]:
    """The starts of all local clock hours of a date."""
    start, hours = hour_start(day_start(day, zone), zone), []
    while (local := local_date(start, zone)) <= day:
        hours += [start] if local == day else []
        start = next_hour(start, zone)
    return hours


@given(
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    day=st.dates(date(2020, 1, 1), date(2030, 12, 31)),
    data=st.data(),
)
def test_every_hour_survives_in_every_zone(zone: ZoneInfo, day: date, data: st.DataObject) -> None:
    hours = data.draw(st.dictionaries(st.sampled_from(hours_on(day, zone)), COUNTS, max_size=6))
    bucket = Bucket(ALICE, HAIKU, day)
    used = {start: counts for start, counts in hours.items() if any(counts)}
    assert usage_items.hours_of(stored(bucket, hours, zone), zone) == used


@pytest.mark.parametrize("name", ZONES)
def test_every_hour_of_a_year_keeps_its_own_name(name: str) -> None:
    zone = ZoneInfo(name)
    for number in range(366):
        day = date(2026, 1, 1) + timedelta(days=number)
        hours = {start: Counts(place) for place, start in enumerate(hours_on(day, zone), start=1)}
        names = {f"{hour_name(start, zone)}.n": counts[0] for start, counts in hours.items()}
        item = {**usage_items.usage_key(Bucket(ALICE, HAIKU, day)), **names}
        assert usage_items.hours_of(item, zone) == hours


@pytest.mark.parametrize(
    ("name", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24),
        ("America/Santiago", date(2026, 9, 6), 23),
    ],
)
def test_a_day_has_as_many_names_as_clock_hours(name: str, day: date, hours: int) -> None:
    zone = ZoneInfo(name)
    names = {hour_name(at, zone) for at in hours_on(day, zone)}
    assert len(names) == hours


def test_the_second_of_two_equal_hours_is_marked() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    summer = datetime(2026, 10, 25, 0, tzinfo=UTC)
    assert [hour_name(summer + n * HOUR, berlin) for n in range(3)] == ["02", "02b", "03"]


def test_a_bucket_is_readable_in_the_console() -> None:
    bucket = Bucket(ALICE, HAIKU, NOON.date())
    half_past = NOON + timedelta(minutes=30)
    numbers, gone = usage_items.counters(
        bucket, {half_past: Counts(1, 26)}, ZoneInfo("Asia/Kolkata")
    )
    assert usage_items.usage_key(bucket) == {
        "pk": "user/alice", "sk": f"usage#2026-11-24#{HAIKU}",
    }  # fmt: skip
    assert numbers == {"18.n": 1, "18.in": 26}
    zero = [f"18.{SHORT_NAMES[counter]}" for counter in Counts._fields[2:]]
    older = [f"18.{name}" for name in (*Counts._fields, "meter")]
    assert gone == [*zero, *older]


@pytest.mark.parametrize("place", ["", "444455556666/eu-west-1"])
@pytest.mark.parametrize("model", [HAIKU, "provisioned-model/x1", "a#b#c", ""])
@pytest.mark.parametrize(
    "who",
    ["user/alice", "other/arn:aws:iam::1:root", "session/ci/#1*", "444455556666/role/reporting"],
)
def test_a_bucket_survives_whatever_its_names_are(who: str, model: str, place: str) -> None:
    bucket = Bucket(Principal.stored(who), model, NOON.date(), place)
    assert usage_items.bucket_of(usage_items.usage_key(bucket)) == bucket


def test_the_place_stands_after_the_model() -> None:
    bucket = Bucket(ALICE, HAIKU, NOON.date(), "444455556666/eu-west-1")
    key = usage_items.usage_key(bucket)
    assert key["sk"] == f"usage#2026-11-24#{HAIKU}#444455556666/eu-west-1"


def test_other_attributes_are_no_hours() -> None:
    others = {"expires": 1, "13.by": "recount", "24.n": 1, "note": "x", "13.n.x": 1, "n": 1}
    item = {**usage_items.usage_key(Bucket(ALICE, HAIKU, NOON.date())), **others, "12.n": 2}
    assert usage_items.hours_of(item, ZoneInfo("UTC")) == {NOON: Counts(2)}


@pytest.mark.parametrize("start", [NOON + timedelta(minutes=30), NOON + timedelta(days=1)])
def test_a_moment_that_starts_no_hour_of_the_day_is_refused(start: datetime) -> None:
    with pytest.raises(ValueError, match="starts no hour of 2026-11-24 in UTC"):
        usage_items.counters(Bucket(ALICE, HAIKU, NOON.date()), {start: Counts(1)}, ZoneInfo("UTC"))


def test_usage_goes_after_thirteen_months() -> None:
    expires = datetime.fromtimestamp(usage_items.usage_expires(date(2026, 11, 24)), UTC)
    assert expires == datetime(2027, 12, 29, tzinfo=UTC)
