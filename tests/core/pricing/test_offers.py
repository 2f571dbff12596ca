"""AWS's own offer files: what they say of which models."""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from quota_enforcer.core.pricing.catalog.offers import NoOffer, Offered, read_offer
from quota_enforcer.core.pricing.catalog.shipped import shipped_rates
from quota_enforcer.core.pricing.codec import known_prices
from quota_enforcer.core.pricing.rate import Rate

DATA = Path(__file__).parents[2] / "data" / "pricing"
HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"
NOVA = "amazon.nova-pro-v1:0"


def stored(code: str) -> Any:
    return json.loads((DATA / f"{code}.json").read_text(encoding="utf-8"), parse_float=Decimal)


def offered(code: str) -> Offered:
    return read_offer(stored(code), shipped_rates())


def per_million(rate: Rate) -> Mapping[str, Decimal]:
    return {name: price * 1_000_000 for name, price in known_prices(rate).items()}


class TestFoundationModels:
    OFFER = offered("AmazonBedrockFoundationModels")

    @pytest.mark.parametrize(
        ("key", "prices"),
        [
            (f"us-west-2/{HAIKU}", ("1.1", "5.5", "0.11", "1.375", "2.2")),
            (f"us-west-2/us.{HAIKU}", ("1.1", "5.5", "0.11", "1.375", "2.2")),
            (f"us-west-2/global.{HAIKU}", ("1", "5", "0.1", "1.25", "2")),
        ],
    )
    def test_what_is_not_global_holds_in_and_near_the_region(
        self, key: str, prices: tuple[str, ...]
    ) -> None:
        found = per_million(self.OFFER.rates[key])
        assert tuple(found.values()) == tuple(map(Decimal, prices))
        assert list(found) == ["input", "output", "cache_read", "cache_write", "cache_write_1h"]

    def test_the_newer_usage_types_are_read_too(self) -> None:
        found = self.OFFER.rates["us-west-2/us.anthropic.claude-opus-4-7"]
        assert per_million(found) == {
            "input": Decimal("5.5"), "output": Decimal("27.5"), "cache_write_1h": Decimal(11),
        }  # fmt: skip

    def test_a_tier_is_a_key_of_its_own(self) -> None:
        key = "us-west-2/us.anthropic.claude-3-5-haiku-20241022-v1:0@latency-optimized"
        assert per_million(self.OFFER.rates[key]) == {"input": Decimal(1), "output": Decimal(5)}

    def test_a_name_that_is_not_certain_is_said(self) -> None:
        assert self.OFFER.unmatched == ("Acme Big 1",)

    def test_the_source_is_the_offer_and_its_date(self) -> None:
        sources = {rate.source for rate in self.OFFER.rates.values()}
        assert sources == {"AWS AmazonBedrockFoundationModels 2026-09-30"}


class TestBedrock:
    OFFER = offered("AmazonBedrock")

    @pytest.mark.parametrize(
        ("tier", "prices"),
        [
            ("", {"input": "0.8", "output": "3.2", "cache_read": "0.2", "cache_write": "0"}),
            ("@priority", {"input": "1.4", "output": "5.6"}),
            ("@flex", {"input": "0.4", "output": "1.6"}),
            ("@latency-optimized", {"input": "1"}),
        ],
    )
    def test_batches_and_custom_models_are_left_out(
        self, tier: str, prices: dict[str, str]
    ) -> None:
        found = per_million(self.OFFER.rates[f"us-west-2/us.{NOVA}{tier}"])
        assert found == {name: Decimal(price) for name, price in prices.items()}

    def test_without_a_name_the_usage_type_has_it(self) -> None:
        assert "us-west-2/mistral.mistral-large-3-675b-instruct@flex" in self.OFFER.rates

    def test_what_is_counted_otherwise_is_no_price_of_tokens(self) -> None:
        assert not [key for key in self.OFFER.rates if "canvas" in key or "gpt-oss" in key]
        assert self.OFFER.unmatched == ()


def test_what_the_table_knows_already_agrees_with_aws() -> None:
    """The shipped prices of these models are those of AWS's files."""
    for code in ("AmazonBedrock", "AmazonBedrockFoundationModels"):
        for key, rate in offered(code).rates.items():
            shipped = shipped_rates().get(key.partition("/")[2])
            if shipped is not None and key.startswith(("us-west-2/us.", "us-west-2/global.")):
                for name, price in known_prices(rate).items():
                    assert getattr(shipped, name) in {None, price}, (key, name)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "has no products"),
        ({}, "has no products"),
        ({"products": {}, "offerCode": "AmazonEC2"}, "offerCode is 'AmazonEC2'"),
    ],
)
def test_another_document_is_refused(document: Any, said: str) -> None:
    with pytest.raises(NoOffer, match=said):
        read_offer(document, shipped_rates())


def test_a_price_that_is_none_is_refused() -> None:
    document = stored("AmazonBedrock")
    [term, *_] = document["terms"]["OnDemand"].values()
    [dimension] = next(iter(term.values()))["priceDimensions"].values()
    dimension["pricePerUnit"]["USD"] = "cheap"
    with pytest.raises(NoOffer, match="cheap"):
        read_offer(document, shipped_rates())


def test_a_price_of_a_further_step_of_volume_does_not_count() -> None:
    document = stored("AmazonBedrock")
    [term, *_] = document["terms"]["OnDemand"].values()
    dimensions = next(iter(term.values()))["priceDimensions"]
    [first] = dimensions.values()
    dimensions["next"] = {**first, "beginRange": "1000000", "pricePerUnit": {"USD": "9"}}
    found = read_offer(document, shipped_rates())
    assert found.rates[f"us-west-2/{NOVA}"] == offered("AmazonBedrock").rates[f"us-west-2/{NOVA}"]
