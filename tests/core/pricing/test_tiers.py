"""Service tiers: which one a record names, and what it costs."""

from decimal import Decimal
from typing import Any

import pytest

from quota_enforcer.core.pricing.catalog.litellm import read_table
from quota_enforcer.core.pricing.catalog.shipped import shipped_rates
from quota_enforcer.core.pricing.key import PriceKey, plain_model, split_key
from quota_enforcer.core.pricing.rate import Cost, Rate
from quota_enforcer.core.pricing.table import PriceTable
from quota_enforcer.core.pricing.tier import Tier, tier_of
from quota_enforcer.core.usage.counts import Counts

OSS = "openai.gpt-oss-120b-1:0"
SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0"
SHIPPED = PriceTable(shipped_rates())
MILLION = Counts(1, 1_000_000, 1_000_000)
MILLIONTH = Decimal("0.000001")


def answered(body: object, **fields: Any) -> dict[str, Any]:
    return {"output": {"outputBodyJson": body}, **fields}


def asked(body: object) -> dict[str, Any]:
    return {"input": {"inputBodyJson": body}, "output": {}}


def test_novas_cache_writes_cost_nothing_in_any_tier() -> None:
    table = PriceTable(shipped_rates())
    counts = Counts(1, 0, 0, 0, 10**6)
    for tier in Tier:
        assert table.cost("us.amazon.nova-2-lite-v1:0", "us-east-1", counts, None, tier).usd == 0


class TestNamed:
    @pytest.mark.parametrize(
        ("record", "tier"),
        [
            pytest.param(
                answered({"usage": {}, "serviceTier": {"type": "flex"}}), Tier.FLEX, id="Converse"
            ),
            pytest.param(
                answered([{"metadata": {"usage": {}, "serviceTier": {"type": "priority"}}}]),
                Tier.PRIORITY,
                id="ConverseStream",
            ),
            pytest.param(
                answered({"choices": [], "service_tier": "flex"}), Tier.FLEX, id="ChatCompletions"
            ),
            pytest.param(
                answered([{"service_tier": "auto"}, {"service_tier": "priority"}]),
                Tier.PRIORITY,
                id="a stream of chunks",
            ),
            pytest.param(
                answered([{"type": "response.completed", "response": {"service_tier": "flex"}}]),
                Tier.FLEX,
                id="a stream of Responses",
            ),
            pytest.param(
                answered([{"message": {"usage": {"service_tier": "priority"}}}]),
                Tier.PRIORITY,
                id="Anthropic's stream",
            ),
            pytest.param(
                answered({"usage": {"service_tier": "standard"}}), Tier.STANDARD, id="standard"
            ),
            pytest.param(answered({"service_tier": "default"}), Tier.STANDARD, id="default"),
            pytest.param(answered({"service_tier": "turbo"}), Tier.OTHER, id="unheard of"),
            pytest.param(answered({}, serviceTier="flex"), Tier.FLEX, id="in the record itself"),
            pytest.param(
                answered({}, performanceConfig={"latency": "optimized"}),
                Tier.OPTIMIZED,
                id="latency",
            ),
            pytest.param(
                answered({"performanceConfig": {"latency": "optimized"}}),
                Tier.OPTIMIZED,
                id="latency in the answer",
            ),
            pytest.param(
                answered(
                    {"performanceConfig": {"latency": "standard"}},
                    performanceConfig={"latency": "optimized"},
                ),
                Tier.STANDARD,
                id="served at standard latency after all",
            ),
            pytest.param(asked({"service_tier": "priority"}), Tier.PRIORITY, id="asked"),
            pytest.param(
                answered(
                    {"service_tier": "default"}, input={"inputBodyJson": {"service_tier": "flex"}}
                ),
                Tier.STANDARD,
                id="what was served counts",
            ),
        ],
    )
    def test_the_tier_is_read_wherever_an_operation_names_it(
        self, record: dict[str, Any], tier: Tier
    ) -> None:
        assert tier_of(record) is tier

    @pytest.mark.parametrize("word", ["flex", "reserved", "auto", "turbo", ""])
    def test_what_a_caller_only_asks_for_never_makes_a_call_cheaper(self, word: str) -> None:
        assert tier_of(asked({"service_tier": word})) is Tier.STANDARD

    @pytest.mark.parametrize(
        "record",
        [
            {},
            {"output": None},
            {"output": {"outputBodyJson": "text"}},
            {"output": {"outputBodyJson": [None, 1, ["serviceTier"]]}},
            {"output": {"outputBodyJson": {"serviceTier": ["flex"], "service_tier": 7}}},
            {"output": {"outputBodyJson": {"serviceTier": {"type": None}}}},
            {"performanceConfig": "optimized"},
        ],
    )
    def test_a_record_that_names_none_is_standard(self, record: dict[str, Any]) -> None:
        assert tier_of(record) is Tier.STANDARD


class TestPriced:
    @pytest.mark.parametrize(
        ("model", "tier", "usd", "key"),
        [
            (OSS, Tier.STANDARD, "0.75", OSS),
            (OSS, Tier.FLEX, "0.375", f"{OSS}@flex"),
            (OSS, Tier.PRIORITY, "1.3125", f"{OSS}@priority"),
            (
                "us.openai.gpt-6-astra",
                Tier.ULTRAFAST,
                "627",
                "us.openai.gpt-6-astra@ultrafast",
            ),
        ],
    )
    def test_a_listed_price_of_a_tier_is_known(
        self, model: str, tier: Tier, usd: str, key: str
    ) -> None:
        found = SHIPPED.cost(model, "us-east-1", MILLION, None, tier)
        assert found == Cost(Decimal(usd), Decimal(0), key)

    @pytest.mark.parametrize(
        ("tier", "usd"),
        [
            (Tier.FLEX, "15.3"),
            (Tier.PRIORITY, "26.775"),
            (Tier.ULTRAFAST, "91.8"),
            (Tier.OPTIMIZED, "19.125"),
            (Tier.RESERVED, "15.3"),
            (Tier.OTHER, "91.8"),
        ],
    )
    def test_without_a_listed_price_it_is_assumed_at_most(self, tier: Tier, usd: str) -> None:
        found = SHIPPED.cost(f"global.{SONNET}", None, Counts(1, 100_000, 10**6), None, tier)
        assert found.usd == found.assumed == Decimal(usd)
        assert found.priced_as.startswith(f"global.{SONNET} as {tier}, at most")

    def test_an_unknown_model_in_a_tier_is_all_assumed(self) -> None:
        standard = SHIPPED.cost("openai.gpt-99", None, MILLION)
        found = SHIPPED.cost("openai.gpt-99", None, MILLION, None, Tier.PRIORITY)
        assert found.usd == found.assumed == standard.usd * Decimal("1.75")

    def test_what_a_tier_leaves_out_is_the_standard_price_in_proportion(self) -> None:
        rates = {
            "a.m": Rate(input=MILLIONTH, output=MILLIONTH, cache_read=MILLIONTH / 10),
            "a.m@flex": Rate(input=MILLIONTH / 2, output=MILLIONTH / 2),
        }
        found = PriceTable(rates).cost("a.m", None, Counts(1, 0, 0, 10**6), None, Tier.FLEX)
        assert (found.usd, found.assumed) == (Decimal("0.05"), Decimal("0.05"))
        assert "cache_read as dearest of a.m in proportion" in found.priced_as

    def test_long_prompts_of_a_tier_without_their_own_price_are_in_proportion_too(self) -> None:
        long = Rate(input=2 * MILLIONTH, output=2 * MILLIONTH)
        rates = {
            "a.m": Rate(input=MILLIONTH, output=MILLIONTH, long_over=1000, long=long),
            "a.m@priority": Rate(input=2 * MILLIONTH, output=2 * MILLIONTH),
        }
        found = PriceTable(rates).cost("a.m", None, Counts(1, 2000), None, Tier.PRIORITY)
        assert found.usd == found.assumed == Decimal("0.008")

    def test_a_region_without_a_price_of_the_tier_does_not_take_another_regions(self) -> None:
        rates = {
            "a.m": Rate(input=MILLIONTH, output=MILLIONTH),
            "a.m@flex": Rate(input=MILLIONTH / 2, output=MILLIONTH / 2),
            "eu-west-1/a.m": Rate(input=2 * MILLIONTH, output=2 * MILLIONTH),
        }
        found = PriceTable(rates).cost("a.m", "eu-west-1", Counts(1, 10**6), None, Tier.FLEX)
        assert found.usd == found.assumed == 2

    def test_an_own_price_of_a_tier_comes_before_the_listed_one(self) -> None:
        table = PriceTable(shipped_rates(), {f"{OSS}@flex": Rate(input=MILLIONTH)})
        found = table.cost(OSS, None, Counts(1, 1_000_000, 1_000_000), None, Tier.FLEX)
        assert found == Cost(Decimal("1.3"), Decimal(0), f"{OSS}@flex")

    def test_no_tier_stands_in_for_an_unknown_model(self) -> None:
        rates = {"a.m": Rate(input=MILLIONTH), "a.m@ultrafast": Rate(input=6 * MILLIONTH)}
        assert PriceTable(rates).cost("a.new", None, Counts(1, 10**6)).usd == 1


class TestKeys:
    def test_a_key_names_model_region_and_tier(self) -> None:
        assert split_key(f"eu-west-1/{OSS}@flex") == PriceKey(OSS, "eu-west-1", Tier.FLEX)
        assert split_key(OSS) == PriceKey(OSS)
        assert plain_model(f"eu-west-1/{OSS}@flex") == OSS

    def test_a_tier_that_there_is_not_is_refused(self) -> None:
        with pytest.raises(ValueError, match="turbo"):
            split_key(f"{OSS}@turbo")


def test_the_tiers_of_a_table_are_read() -> None:
    entry = {
        "litellm_provider": "bedrock_converse",
        "mode": "chat",
        "input_cost_per_token": MILLIONTH,
        "input_cost_per_token_flex": MILLIONTH / 2,
        "input_cost_per_token_batches": MILLIONTH / 2,
        "input_cost_per_token_ultrafast": 6 * MILLIONTH,
        "input_cost_per_token_above_272k_tokens_ultrafast": 12 * MILLIONTH,
    }
    found = read_table({"bedrock/eu-west-1/a.m": entry}, "")
    assert found == {
        "eu-west-1/a.m": Rate(input=MILLIONTH),
        "eu-west-1/a.m@flex": Rate(input=MILLIONTH / 2),
        "eu-west-1/a.m@ultrafast": Rate(
            input=6 * MILLIONTH, long_over=272_000, long=Rate(input=12 * MILLIONTH)
        ),
    }
