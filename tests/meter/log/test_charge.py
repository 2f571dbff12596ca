"""What a line of the log is charged."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from log_records import ACCOUNT, a_record
from quota_enforcer.core.pricing.catalog.shipped import shipped_rates
from quota_enforcer.core.pricing.dated import DatedPrices
from quota_enforcer.core.pricing.rate import Cost, Rate
from quota_enforcer.core.pricing.table import PriceTable
from quota_enforcer.core.usage.stored import MeterRules
from quota_enforcer.meter.adapters import MeteredLogGroup
from quota_enforcer.meter.log.charge import CallCharger
from quota_enforcer.meter.log.record import Quarantined
from quota_enforcer.meter.ports import LogEvent, UsageEntry
from stream_fakes import FakeModels

PRICES = DatedPrices(shipped_rates())
NOW = datetime(2026, 12, 1, tzinfo=UTC)


def charger(prices: DatedPrices = PRICES) -> CallCharger:
    return CallCharger(MeterRules(), prices, FakeModels(), ACCOUNT, ZoneInfo("Europe/Berlin"))


def charged(prices: DatedPrices = PRICES, **fields: object) -> UsageEntry:
    return read(charger(prices), **fields)


def read(charger: CallCharger, **fields: object) -> UsageEntry:
    found = charger.read(LogEvent("1", 0, json.dumps(a_record(**fields))), NOW)
    assert isinstance(found, UsageEntry)
    return found


@pytest.mark.parametrize(("tier", "usd"), [("default", "0.75"), ("flex", "0.375")])
def test_the_tier_that_the_answer_names_is_paid(tier: str, usd: str) -> None:
    entry = charged(
        modelId="openai.gpt-oss-120b-1:0",
        input__inputTokenCount=1_000_000,
        output__outputTokenCount=1_000_000,
        output__outputBodyJson={"serviceTier": {"type": tier}},
    )
    assert entry.counts.cost_usd == Decimal(usd)


@pytest.mark.parametrize(
    ("at", "usd"), [("2026-11-30T22:59:59Z", "1"), ("2026-11-30T23:00:00Z", "2")]
)
def test_the_price_is_that_of_the_local_day_of_the_call(at: str, usd: str) -> None:
    rate = Rate(input=Decimal("0.000001"), output=Decimal(0))
    dearer = Rate(input=Decimal("0.000002"), output=Decimal(0))
    prices = DatedPrices({}, {"a.b": rate, "a.b from 2026-12-01": dearer})
    entry = charged(prices, timestamp=at, modelId="a.b", input__inputTokenCount=1_000_000)
    assert entry.counts.cost_usd == Decimal(usd)


THERE = "444455556666/eu-central-1"
MEMBER = MeteredLogGroup("444455556666", "log", ZoneInfo("UTC"), THERE, ACCOUNT)


def test_home_has_no_place() -> None:
    [bucket] = charged().buckets
    assert bucket.place == ""


def test_a_members_log_names_its_people_and_its_place() -> None:
    rules = MeterRules(frozenset({"444455556666/session/ci/*"}))
    there = replace(charger(), account=MEMBER.account, place=THERE, home=ACCOUNT, meter_rules=rules)
    arn = "arn:aws:sts::444455556666:assumed-role/ci/run"
    entry = read(there, identity__arn=arn, accountId="444455556666")
    assert [str(each.principal) for each in entry.buckets] == [
        "444455556666/role/ci",
        "444455556666/session/ci/run",
    ]
    assert {each.place for each in entry.buckets} == {THERE}


def test_a_members_log_charges_nobody_of_home() -> None:
    there = replace(charger(), account=MEMBER.account, place=THERE, home=ACCOUNT)
    arn = f"arn:aws:iam::{ACCOUNT}:user/alice"
    [bucket] = read(there, identity__arn=arn, accountId=MEMBER.account).buckets
    assert str(bucket.principal) == f"other/{arn}"


@pytest.mark.parametrize("account", [MEMBER.account, ACCOUNT])
@pytest.mark.parametrize("said", ["777788889999", "redacted", None])
def test_a_satellites_log_holds_no_record_of_another_account(
    account: str, said: str | None
) -> None:
    """A further Region of home's own account is a satellite too; who hides the number may."""
    place = f"{account}/eu-central-1"
    there = replace(charger(), account=account, place=place, home=ACCOUNT)
    record = a_record(accountId=said, identity__arn=f"arn:aws:iam::{account}:user/bob")
    found = there.read(LogEvent("1", 0, json.dumps(record)), NOW)
    if said == "777788889999":
        assert isinstance(found, Quarantined)
        assert found.reason == f"accountId is {said}: expected {account}, whose log it stands in"
    else:
        assert isinstance(found, UsageEntry)


@pytest.mark.parametrize(
    ("region", "place", "priced"),
    [
        ("us-east-1", THERE, "us-east-1"),
        (None, THERE, "eu-central-1"),
        (None, "", None),
        ("us-west-2", "", "us-west-2"),
    ],
)
def test_a_call_is_priced_in_the_region_of_its_record(
    region: str | None, place: str, priced: str | None
) -> None:
    """Else in that of its log; home's is not assumed where the record is silent."""
    asked: list[str | None] = []

    class Asked(DatedPrices):
        def on(self, day: date) -> PriceTable:
            table = super().on(day)

            class Table(PriceTable):
                def cost(self, model_id: str, region: str | None, *more: Any) -> Cost:
                    asked.append(region)
                    return table.cost(model_id, region, *more)

            return Table({})

    group = replace(MEMBER, place=place)
    read(replace(charger(Asked(shipped_rates())), place=place, region=group.region), region=region)
    assert asked == [priced]


def test_a_call_has_the_same_key_in_whichever_log_it_stands() -> None:
    """So that what is delivered by two ways counts once."""
    there = replace(charger(), place=f"{ACCOUNT}/eu-central-1")
    here, also = charged(), read(there)
    assert here.key == also.key
    assert [each.principal for each in here.buckets] == [each.principal for each in also.buckets]


@pytest.mark.parametrize(
    ("minutes", "counted"),
    [
        ([], []),
        (["user/*"], []),
        (["role/*"], ["role/ci"]),
        (["role/ci", "session/ci/*"], ["role/ci", "session/ci/run"]),
        (["session/ci/run"], ["session/ci/run"]),
        (["default"], []),
    ],
)
def test_whose_minutes_are_counted_goes_by_the_subjects(
    minutes: list[str], counted: list[str]
) -> None:
    rules = MeterRules(frozenset({"session/ci/*"}), minutes=frozenset(minutes))
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/run"
    entry = read(replace(charger(), meter_rules=rules), identity__arn=arn)
    assert [str(each.principal) for each in entry.by_the_minute] == counted


def test_a_default_counts_the_minutes_of_people() -> None:
    rules = MeterRules(minutes=frozenset({"default"}))
    entry = read(
        replace(charger(), meter_rules=rules), identity__arn=f"arn:aws:iam::{ACCOUNT}:user/alice"
    )
    assert entry.by_the_minute == entry.buckets


KNOWN = Rate(input=Decimal("0.000001"), output=Decimal("0.000002"))
LONGER = replace(KNOWN, cache_write=Decimal("0.000001"), cache_write_1h=Decimal("0.000003"))


@pytest.mark.parametrize(
    ("model", "rate", "written", "unpriced"),
    [
        ("a.b", KNOWN, 0, False),
        ("a.c", KNOWN, 0, True),
        ("a.b", LONGER, 1_000, False),
        ("a.b", KNOWN, 1_000, True),
    ],
    ids=["known", "unknown", "only how long a write stays is not known", "no price of writes"],
)
def test_a_call_says_whether_a_price_is_missing(
    model: str, rate: Rate, written: int, *, unpriced: bool
) -> None:
    prices = DatedPrices({}, {"a.b": rate})
    entry = charged(prices, modelId=model, input__cacheWriteInputTokenCount=written)
    assert entry.unpriced is unpriced
    assert bool(entry.counts.assumed_usd) is (unpriced or bool(written))
