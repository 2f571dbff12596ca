"""Prices: what a call costs, what is assumed where none is known, and admins' own price items."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from quota_enforcer.core.errors import InvalidQuota
from quota_enforcer.core.policies.names import is_of_known_vendor
from quota_enforcer.core.pricing.cache_writes import CacheWrites
from quota_enforcer.core.pricing.catalog.litellm import UnreadableTable, read_table
from quota_enforcer.core.pricing.catalog.shipped import shipped_rates
from quota_enforcer.core.pricing.item import price_attributes, read_price
from quota_enforcer.core.pricing.key import plain_model, split_key
from quota_enforcer.core.pricing.rate import PRICES, Cost, Rate
from quota_enforcer.core.pricing.table import PriceTable
from quota_enforcer.core.pricing.tier import Tier
from quota_enforcer.core.usage.counts import Counts

SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0"
HAIKU_3 = "anthropic.claude-3-haiku-20240307-v1:0"
REGION = "eu-central-1"
SHIPPED = PriceTable(shipped_rates())
ONE = Counts(1, 1_000, 100, 0, 0)
CACHED = Counts(1, 1, 0, 238_604, 1_314)
"""A real call of a coding agent: nearly all of it is cached."""


def cost(
    model: str = SONNET,
    counts: Counts = ONE,
    region: str | None = REGION,
    written: CacheWrites | None = None,
    own: Mapping[str, Rate] | None = None,
) -> Cost:
    table = SHIPPED if own is None else PriceTable(shipped_rates(), own)
    return table.cost(model, region, counts, written)


def per_million(**prices: str) -> Rate:
    known: dict[str, Any] = {name: Decimal(price) / 1_000_000 for name, price in prices.items()}
    return Rate(**known)


class TestKnown:
    @pytest.mark.parametrize(
        ("model", "usd"),
        [
            (SONNET, "0.0045"),
            (f"global.{SONNET}", "0.0045"),
            (f"eu.{SONNET}", "0.00495"),
            (f"us-gov.{SONNET}", "0.0054"),
            (f"arn:aws:bedrock:{REGION}::foundation-model/{SONNET}", "0.0045"),
            (f"arn:aws:bedrock:{REGION}:111122223333:inference-profile/eu.{SONNET}", "0.00495"),
        ],
    )
    def test_the_prefix_is_part_of_the_key(self, model: str, usd: str) -> None:
        """3 and 15 dollars a million; 1.1 times that for `eu.`, 1.2 times for GovCloud."""
        found = cost(model)
        assert (found.usd, found.assumed) == (Decimal(usd), Decimal(0))

    def test_a_price_of_the_region_comes_first(self) -> None:
        there = cost(SONNET, region="us-gov-west-1")
        assert (there.usd, there.priced_as) == (Decimal("0.0054"), f"us-gov-west-1/{SONNET}")

    def test_cached_tokens_have_their_own_prices(self) -> None:
        """3 x 1 + 0.3 x 238,604 + 3.75 x 1,314, or 6 x 1,314 where it stays an hour."""
        counts = CACHED._replace(cache_read_tokens=100_000)
        assert cost(counts=counts).usd == Decimal("0.0349305")
        assert cost(counts=counts, written=CacheWrites(0, 1_314)).usd == Decimal("0.037887")
        assert cost(counts=counts, written=CacheWrites(1_000, 314)).usd == Decimal("0.035637")

    def test_a_long_prompt_counts_cached_tokens_and_costs_more(self) -> None:
        assert cost(counts=Counts(1, 199_999, 0, 1, 0)).usd == Decimal("0.5999973")
        assert cost(counts=Counts(1, 199_999, 1, 2, 0)).usd == Decimal("1.2000177")

    def test_a_context_variant_is_priced_as_its_model(self) -> None:
        assert cost(f"{HAIKU_3}:200k").priced_as == HAIKU_3

    @given(st.lists(st.integers(0, 10**12), min_size=4, max_size=4))
    def test_costs_are_exact(self, tokens: list[int]) -> None:
        counts = Counts.observed([1, *tokens, 0])
        short = [Decimal(price) for price in ("0.25", "1.25")]
        known = cost(HAIKU_3, counts._replace(cache_read_tokens=0, cache_write_tokens=0))
        assert known.usd * 1_000_000 == tokens[0] * short[0] + tokens[1] * short[1]

    def test_a_request_without_tokens_costs_nothing(self) -> None:
        assert cost(counts=Counts(1)) == Cost(Decimal(0), Decimal(0), SONNET)


class TestAssumed:
    def test_a_model_of_another_prefix_costs_as_its_dearest_variant(self) -> None:
        found = cost(f"ca.{SONNET}")
        assert found.usd == found.assumed == Decimal("0.0054")
        assert found.priced_as == f"dearest of {SONNET}"

    def test_a_new_model_costs_as_the_dearest_of_its_vendor_and_else_of_all(self) -> None:
        vendor, everybody = cost("amazon.future-v1:0"), cost("acme.big-v1")
        assert (vendor.priced_as, everybody.priced_as) == ("dearest of amazon", "dearest of all")
        assert Decimal(0) < vendor.usd == vendor.assumed < everybody.usd == everybody.assumed

    def test_what_only_a_look_up_could_resolve_is_not_free(self) -> None:
        arn = f"arn:aws:bedrock:{REGION}:111122223333:application-inference-profile/a1b2c3"
        assert cost(arn).assumed > 0

    def test_only_the_price_that_is_missing_is_assumed(self) -> None:
        """No cache prices are listed of this model."""
        found = cost(HAIKU_3, Counts(1, 1_000, 0, 1_000, 0))
        assert found.usd - found.assumed == Decimal("0.00025")
        assert found.assumed > 0
        assert "cache_read as dearest of anthropic" in found.priced_as

    def test_how_many_images_a_request_made_is_not_known(self) -> None:
        found = cost("amazon.nova-canvas-v1:0", Counts(1))
        assert found == Cost(
            Decimal("0.06"), Decimal("0.06"), "amazon.nova-canvas-v1:0; one image a request"
        )

    @given(st.sampled_from(sorted(shipped_rates())), st.lists(st.integers(0, 10**6), min_size=4))
    def test_no_variant_of_a_model_is_dearer_than_what_is_assumed(
        self, key: str, tokens: list[int]
    ) -> None:
        """Whatever the prefix or Region of the call will turn out to be."""
        counts = Counts.observed([1, *tokens[:4], 0])
        model, region, tier = split_key(key)
        assume(tier is Tier.STANDARD)
        known, unknown = cost(model, counts, region), cost(f"me.{plain_model(key)}", counts)
        assert unknown.assumed == unknown.usd >= known.usd - known.assumed


class TestOwn:
    def test_an_own_price_comes_before_the_shipped_one_of_its_key_only(self) -> None:
        own = {SONNET: per_million(input="1", output="2")}
        assert cost(own=own).usd == Decimal("0.0012")
        assert cost(f"eu.{SONNET}", own=own).usd == Decimal("0.00495")

    def test_what_it_leaves_out_stays(self) -> None:
        own = {SONNET: per_million(input="1")}
        assert cost(own=own).usd == Decimal("0.0025")

    def test_the_plain_name_holds_for_prefixes_without_a_price(self) -> None:
        own = {SONNET: per_million(input="1", output="2")}
        assert cost(f"ca.{SONNET}", own=own).usd == Decimal("0.0012")
        assert cost(f"ca.{SONNET}", own=own).assumed == 0

    def test_an_own_price_of_a_region_is_for_that_one(self) -> None:
        own = {f"{REGION}/{SONNET}": per_million(input="1", output="2")}
        assert cost(own=own).usd == Decimal("0.0012")
        assert cost(region="eu-west-1", own=own).usd == Decimal("0.0045")


def an_own_price(**but: Any) -> dict[str, Any]:
    return {"principal": f"price/{SONNET}", "quota": "price", "input": "2.5", **but}


class TestItem:
    def test_tokens_are_by_the_million_and_the_rest_one_by_one(self) -> None:
        key, rate = read_price(an_own_price(output=10, request=Decimal("0.002"), note="list"))
        assert (key, rate.input, rate.output) == (SONNET, Decimal("2.5e-6"), Decimal("1e-5"))
        assert (rate.request, rate.source) == (Decimal("0.002"), "admin: list")

    def test_an_arn_means_the_model_it_names(self) -> None:
        arn = f"arn:aws:bedrock:{REGION}::foundation-model/{SONNET}"
        assert read_price(an_own_price(principal=f"price/{arn}"))[0] == SONNET

    @given(st.sampled_from(sorted(shipped_rates())))
    def test_every_shipped_price_can_be_written_as_an_item(self, key: str) -> None:
        rate = replace(shipped_rates()[key], source="admin")
        item = {"principal": f"price/{key}", "quota": "price", **price_attributes(rate)}
        assert read_price(item) == (key, rate)

    @pytest.mark.parametrize(
        ("but", "words"),
        [
            ({"input": "free"}, "input is 'free'; allowed: dollars"),
            ({"input": 2.5}, "input is 2.5; allowed: dollars"),
            ({"input": -1}, "input is -1"),
            ({"input": "1E-10"}, "at most 9 decimals"),
            ({"input": True}, "input is True"),
            ({"outptu": 1}, "attribute 'outptu' is unknown; did you mean output?"),
            ({5: 1}, "attribute '5' is unknown"),
            ({"quota": "daily"}, "quota is 'daily'; allowed: price"),
            ({"principal": "price/*"}, "principal is 'price/*'"),
            ({"long_over": 200_000}, "long_over and prices such as long_input go together"),
            ({"request": 1, "image": 1}, "request and image are two ways"),
        ],
    )
    def test_what_is_wrong_is_named(self, but: dict[Any, Any], words: str) -> None:
        with pytest.raises(InvalidQuota) as caught:
            read_price({**an_own_price(), **but})
        assert words in "; ".join(caught.value.problems)

    def test_an_item_without_any_price_is_refused(self) -> None:
        with pytest.raises(InvalidQuota, match="it has no price"):
            read_price({"principal": f"price/{SONNET}", "quota": "price"})


class TestTable:
    def test_every_shipped_model_is_of_a_known_vendor_once_its_prefix_is_gone(self) -> None:
        """A geography that we do not know would pass for a vendor, and its models for others."""
        assert {key for key in shipped_rates() if not is_of_known_vendor(plain_model(key))} == set()

    def test_no_shipped_price_is_nothing_at_all(self) -> None:
        free = {key for key, rate in shipped_rates().items()
                if not any(getattr(rate, name) for name in PRICES)}  # fmt: skip
        assert free == set()

    def test_each_says_where_it_comes_from(self) -> None:
        sources = {rate.source for rate in shipped_rates().values()}
        assert sources == {"litellm 1.110.2", "litellm 1.65.0 (no longer listed)"}

    def test_keys_lose_what_the_log_does_not_have(self) -> None:
        entry = {"litellm_provider": "bedrock", "mode": "chat", "input_cost_per_token": Decimal(1)}
        left_out = {
            "bedrock/us-east-1/1-month-commitment/anthropic.a-v1": entry,
            "bedrock_mantle/anthropic.a-v1": {**entry, "litellm_provider": "bedrock_mantle"},
            "gpt-9": {**entry, "litellm_provider": "openai"},
            "amazon.sonic-v1": {**entry, "mode": "realtime"},
        }
        kept = {
            "anthropic.a-v1": entry, "bedrock/us-east-1/anthropic.a-v1": entry,
            "eu.anthropic.a-v1": entry,
        }  # fmt: skip
        found = read_table({**left_out, **kept}, "test")
        assert set(found) == {
            "anthropic.a-v1", "us-east-1/anthropic.a-v1", "eu.anthropic.a-v1",
        }  # fmt: skip

    def test_a_model_by_image_size_has_its_dearest_one(self) -> None:
        sizes = {
            f"{size}/50-steps/stability.sd-v1": {
                "litellm_provider": "bedrock", "mode": "image_generation",
                "output_cost_per_image": Decimal(price),
            }
            for size, price in (("512-x-512", "0.018"), ("max-x-max", "0.072"))
        }  # fmt: skip
        assert read_table(sizes, "test")["stability.sd-v1"].image == Decimal("0.072")

    @pytest.mark.parametrize("price", ["1", Decimal(-1), Decimal(1000), True])
    def test_a_price_that_is_none_is_refused(self, price: object) -> None:
        entry = {"litellm_provider": "bedrock", "mode": "chat", "input_cost_per_token": price}
        with pytest.raises(UnreadableTable, match=r"input_cost_per_token of 'a\.b-v1'"):
            read_table({"a.b-v1": entry}, "test")
