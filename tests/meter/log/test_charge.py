"""What a line of the log is charged."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from log_records import ACCOUNT, a_record
from quota_enforcer.core.ledger import MeterRules
from quota_enforcer.core.pricing.catalog.shipped import shipped_rates
from quota_enforcer.core.pricing.table import PriceTable
from quota_enforcer.meter.log.charge import CallCharger
from quota_enforcer.meter.ports import LogEvent, UsageEntry
from stream_fakes import FakeModels

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def charged(**fields: object) -> UsageEntry:
    table = PriceTable(shipped_rates())
    charger = CallCharger(MeterRules(), table, FakeModels(), ACCOUNT, ZoneInfo("UTC"))
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
