"""What a line of the log is charged."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from log_records import ACCOUNT, a_record
from quota_enforcer.core.ledger import MeterRules
from quota_enforcer.core.pricing.catalog.shipped import shipped_rates
from quota_enforcer.core.pricing.dated import DatedPrices
from quota_enforcer.core.pricing.rate import Rate
from quota_enforcer.meter.log.charge import CallCharger
from quota_enforcer.meter.ports import LogEvent, UsageEntry
from stream_fakes import FakeModels

PRICES = DatedPrices(shipped_rates())
NOW = datetime(2026, 12, 1, tzinfo=UTC)


def charged(prices: DatedPrices = PRICES, **fields: object) -> UsageEntry:
    charger = CallCharger(MeterRules(), prices, FakeModels(), ACCOUNT, ZoneInfo("Europe/Berlin"))
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
