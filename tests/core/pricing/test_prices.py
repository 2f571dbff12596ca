"""Prices: what a call costs, what is assumed where none is known, and admins' own price items."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from quota_enforcer.core.errors import InvalidQuota
from quota_enforcer.core.pricing.catalog.litellm import UnreadableTable, read_table
from quota_enforcer.core.pricing.catalog.shipped import shipped_rates
from quota_enforcer.core.pricing.cost import discounted
from quota_enforcer.core.pricing.item import price_attributes, read_price
from quota_enforcer.core.pricing.key import plain_model, split_key
from quota_enforcer.core.pricing.rate import PRICES, CacheWrites, Cost, Rate
from quota_enforcer.core.pricing.table import Discount, PriceTable
from quota_enforcer.core.pricing.tier import Tier
from quota_enforcer.core.usage.counts import NO_MONEY, Counts
from quota_enforcer.core.usage.model import ModelScope

SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0"
HAIKU_3 = "anthropic.claude-3-haiku-20240307-v1:0"
GLOBAL = f"global.{SONNET}"
REGION, US = "eu-central-1", "us-east-1"
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
            (SONNET, "0.00495"),
            (f"global.{SONNET}", "0.0045"),
            (f"eu.{SONNET}", "0.00495"),
            (f"us-gov.{SONNET}", "0.0054"),
            (f"arn:aws:bedrock:{REGION}::foundation-model/{SONNET}", "0.00495"),
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
        """3 x 1 + 0.3 x 100,000 + 3.75 x 1,314, or 6 x 1,314 where it stays an hour."""
        counts = CACHED._replace(cache_read_tokens=100_000)

        def usd(five_minutes: int, hour: int) -> Decimal:
            return cost(GLOBAL, counts, written=CacheWrites(five_minutes, hour)).usd

        assert usd(1_314, 0) == Decimal("0.0349305")
        assert usd(0, 1_314) == Decimal("0.037887")
        assert usd(1_000, 314) == Decimal("0.035637")

    @pytest.mark.parametrize(
        ("model", "region", "saved"),
        [
            # 238,604 tokens at $3 and $0.30 a million, and a tenth more in a Region of Europe.
            (GLOBAL, US, Decimal("0.6442308")),
            (SONNET, REGION, Decimal("0.70865388")),
        ],
    )
    def test_what_a_cache_read_saved_is_what_input_would_have_cost_more(
        self, model: str, region: str, saved: Decimal
    ) -> None:
        short = CACHED._replace(cache_read_tokens=119_302, requests=1)
        assert cost(model, short, region).saved * 2 == saved
        assert cost(model, ONE, region).saved == 0

    def test_of_a_long_prompt_at_the_prices_of_long_prompts(self) -> None:
        long = SHIPPED.terms(GLOBAL, US).long
        assert long is not None
        assert cost(GLOBAL, CACHED, US).saved == (long.amounts[0] - long.amounts[2]) * 238_604

    def test_nothing_is_claimed_to_be_saved_where_a_price_is_assumed(self) -> None:
        assert cost("anthropic.claude-new-v9:0", CACHED).saved == 0
        own = {SONNET: per_million(input="3", cache_read="0.3")}
        assert cost(SONNET, Counts(1, 0, 0, 10), own=own).saved == Decimal("0.000027")

    def test_a_discount_is_off_what_is_saved_too(self) -> None:
        full = SHIPPED.terms(SONNET, REGION)
        half = discounted(full, Decimal(50)).cost(CACHED).saved
        assert half * 2 == full.cost(CACHED).saved != 0

    def test_a_long_prompt_counts_cached_tokens_and_costs_more(self) -> None:
        assert cost(GLOBAL, Counts(1, 199_999, 0, 1, 0)).usd == Decimal("0.5999973")
        assert cost(GLOBAL, Counts(1, 199_999, 1, 2, 0)).usd == Decimal("1.2000177")

    @pytest.mark.parametrize(
        ("logged", "model"),
        [
            (f"global.{SONNET}:200k", f"global.{SONNET}"),
            (f"us.{HAIKU_3}:48k", f"us.{HAIKU_3}"),
            ("amazon.nova-premier-v1:0:mm", "amazon.nova-premier-v1:0"),
            ("amazon.nova-premier-v1:0:1000k", "amazon.nova-premier-v1:0"),
            ("amazon.titan-embed-text-v1:2:8k", "amazon.titan-embed-text-v1"),
            ("amazon.titan-embed-image-v1:0", "amazon.titan-embed-image-v1"),
            ("cohere.embed-english-v3:0:512", "cohere.embed-english-v3"),
            ("cohere.embed-english-v3:512", "cohere.embed-english-v3"),
            ("anthropic.claude-v2:1:18k", "us-east-1/anthropic.claude-v2:1"),
        ],
    )
    def test_variants_and_revisions_are_the_model_itself(self, logged: str, model: str) -> None:
        found = cost(logged, Counts(1, 1_000, 10), "us-east-1")
        assert (found.priced_as.partition(";")[0], found.assumed) == (model, NO_MONEY)

    @given(st.lists(st.integers(0, 10**12), min_size=4, max_size=4))
    def test_costs_are_exact(self, tokens: list[int]) -> None:
        counts = Counts.observed([1, *tokens, 0])
        short = [Decimal(price) for price in ("0.25", "1.25")]
        known = cost(HAIKU_3, counts._replace(cache_read_tokens=0, cache_write_tokens=0), US)
        assert known.usd * 1_000_000 == tokens[0] * short[0] + tokens[1] * short[1]

    def test_a_request_without_tokens_costs_nothing(self) -> None:
        """As one that a guardrail blocked."""
        assert cost(GLOBAL, Counts(1)) == Cost(Decimal(0), Decimal(0), GLOBAL)


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
            Decimal("0.06"),
            Decimal("0.06"),
            "amazon.nova-canvas-v1:0; one image or second a request",
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


class TestRegions:
    """A bare id is called in one Region, and costs what the profile of its geography does."""

    @pytest.mark.parametrize(
        ("model", "region", "input_usd"),
        [
            ("anthropic.claude-sonnet-4-6", "us-east-1", "3.3"),
            ("anthropic.claude-opus-4-7", "eu-west-1", "5.5"),
            ("anthropic.claude-opus-5", "ap-northeast-1", "5.5"),
            ("anthropic.claude-opus-5", "ap-southeast-2", "5.5"),
            ("anthropic.claude-opus-5", "us-gov-west-1", "6"),
            ("global.anthropic.claude-opus-5", "us-east-1", "5"),
            ("amazon.nova-lite-v1:0", "us-east-1", "0.06"),
            ("amazon.nova-lite-v1:0", "eu-north-1", "0.078"),
            ("amazon.nova-lite-v1:0", "ap-southeast-2", "0.063"),
            ("openai.gpt-5.6-sol", "us-west-2", "4.4"),
            ("moonshotai.kimi-k3", "ap-south-1", "3.3"),
            ("deepseek.v3.2", "eu-north-1", "0.74"),
            ("qwen.qwen3-next-80b-a3b", "us-east-2", "0.15"),
        ],
    )
    def test_the_price_is_known_where_its_geography_is(
        self, model: str, region: str, input_usd: str
    ) -> None:
        found = cost(model, Counts(1, 1_000_000), region, own={})
        long = SHIPPED.terms(model, region).long is not None
        assert long or (found.usd, found.assumed) == (Decimal(input_usd), NO_MONEY)

    @pytest.mark.parametrize(
        ("model", "region", "usd", "assumed"),
        [
            ("anthropic.claude-opus-5", "sa-east-1", "5.5", "0.5"),
            ("anthropic.claude-opus-5", None, "5.5", "0.5"),
            ("anthropic.claude-opus-4-5-20251101-v1:0", "ap-south-1", "5.5", "0.5"),
            ("meta.llama3-8b-instruct-v1:0", "ap-northeast-1", "0.5", "0.2"),
            ("amazon.titan-embed-text-v2:0", "eu-central-1", "0.02", "0"),
        ],
    )
    def test_elsewhere_what_the_dearest_is_more_than_the_plain_price_is_assumed(
        self, model: str, region: str | None, usd: str, assumed: str
    ) -> None:
        """GovCloud's do not count: no call from another partition costs them."""
        found = cost(model, Counts(1, 1_000_000), region)
        assert (found.usd, found.assumed) == (Decimal(usd), Decimal(assumed))

    def test_each_reason_is_told_once(self) -> None:
        found = cost("anthropic.claude-opus-5", Counts(1, 1, 1, 1, 1), "sa-east-1")
        assert found.priced_as == (
            "anthropic.claude-opus-5; as the dearest of other Regions; cache writes as for an hour"
        )

    def test_an_own_price_of_the_bare_id_holds_in_every_region(self) -> None:
        own = {"anthropic.claude-opus-5": per_million(input="4", output="20")}
        for region in ("us-east-1", "eu-west-1", "sa-east-1", None):
            found = cost("anthropic.claude-opus-5", Counts(1, 1_000_000), region, own=own)
            assert (found.usd, found.assumed) == (Decimal(4), NO_MONEY)
        variant = cost("anthropic.claude-opus-5:200k", Counts(1, 1_000_000), US, own=own)
        assert variant.usd == Decimal(4)


class TestGeographies:
    @pytest.mark.parametrize("prefix", ["kr", "me", "latam", "us-iso"])
    def test_one_that_no_list_has_yet_costs_as_the_dearest_known_one(self, prefix: str) -> None:
        found = cost(f"{prefix}.anthropic.claude-sonnet-5")
        dearest = max(
            cost(key, region=None).usd
            for key in shipped_rates() if key.endswith(".anthropic.claude-sonnet-5")
        )  # fmt: skip
        assert found.usd == found.assumed == dearest
        assert found.priced_as == "dearest of anthropic.claude-sonnet-5"


OPUS = "global.anthropic.claude-opus-4-8"
PLAIN_OPUS = "anthropic.claude-opus-4-8"
WRITTEN = Counts(1, 6, 167, 178_945, 10_000)


class TestLifetimes:
    """How long cache writes stay is told only by the body of Anthropic's own API."""

    def test_what_an_hour_is_dearer_than_five_minutes_is_assumed(self) -> None:
        found = cost(OPUS, WRITTEN)
        assert (found.usd, found.assumed) == (Decimal("0.1936775"), Decimal("0.0375"))
        assert found.priced_as == f"{OPUS}; cache writes as for an hour"

    @pytest.mark.parametrize(
        ("hour", "usd"), [(0, "0.1561775"), (10_000, "0.1936775"), (4_000, "0.1711775")]
    )
    def test_where_the_body_tells_nothing_is_assumed(self, hour: int, usd: str) -> None:
        found = cost(OPUS, WRITTEN, written=CacheWrites(10_000 - hour, hour))
        assert (found.usd, found.assumed) == (Decimal(usd), NO_MONEY)

    @given(st.integers(0, 10**6), st.integers(0, 10**6))
    def test_the_truth_lies_between_what_is_known_and_the_whole(self, five: int, hour: int) -> None:
        counts = Counts(1, 0, 0, 0, five + hour)
        found, truth = cost(OPUS, counts), cost(OPUS, counts, written=CacheWrites(five, hour)).usd
        assert found.usd - found.assumed <= truth <= found.usd

    @pytest.mark.parametrize(
        "model",
        ["us.anthropic.claude-3-7-sonnet-20250219-v1:0", "us.openai.gpt-6-sol", "us.zai.glm-5.3"],
    )
    def test_a_model_without_a_price_for_an_hour_writes_for_five_minutes_only(
        self, model: str
    ) -> None:
        found = cost(model, Counts(1, 0, 0, 0, 1_000), US)
        assert found.assumed == 0
        assert found.usd == (shipped_rates()[model].cache_write or 0) * 1_000

    def test_a_prefix_that_lacks_the_price_for_an_hour_has_that_of_the_others(self) -> None:
        found = cost("apac.anthropic.claude-haiku-4-5-20251001-v1:0", Counts(1, 0, 0, 0, 1_000_000))
        assert (found.usd, found.usd - found.assumed) == (Decimal("2.4"), Decimal("1.375"))

    def test_where_no_price_is_known_all_of_it_is_assumed(self) -> None:
        found = cost("kr.anthropic.claude-sonnet-5", WRITTEN)
        assert found.usd == found.assumed

    def test_long_prompts_have_their_own_difference(self) -> None:
        found = cost(GLOBAL, Counts(1, 200_000, 0, 0, 1_000_000))
        assert found.assumed == Decimal(12) - Decimal("7.5")

    @pytest.mark.parametrize(
        "off",
        [{}, {"all": 25}, {"anthropic": 25}, {PLAIN_OPUS: 25}, {OPUS: 25}, {"all": 100},
         {"all": 50, OPUS: 25}, {"openai": 25}],
    )  # fmt: skip
    @pytest.mark.parametrize("long", [0, 200_000])
    def test_what_an_hour_is_dearer_at_most_is_after_the_discount(
        self, off: dict[str, int], long: int
    ) -> None:
        """So much of what is assumed has a price all the same, and no more of it."""
        discounts = {of: Discount(Decimal(percent), of) for of, percent in off.items()}
        listed = {OPUS: per_million(input="5", cache_write="6", cache_write_1h="10")}
        table = PriceTable(listed, discounts=discounts)
        counts = Counts(1, long, 0, 0, 1_000_000)
        assumed = table.cost(OPUS, "us-east-1", counts).assumed
        assert 1_000_000 * table.dearer_for_an_hour(PLAIN_OPUS) == assumed

    def test_own_prices_of_both_leave_their_difference(self) -> None:
        own = {OPUS: per_million(cache_write="6", cache_write_1h="7")}
        assert cost(OPUS, Counts(1, 0, 0, 0, 1_000_000), own=own).assumed == 1
        own = {OPUS: per_million(cache_write="10")}
        assert cost(OPUS, Counts(1, 0, 0, 0, 1_000_000), own=own).assumed == 0

    @pytest.mark.parametrize("model", ["amazon.nova-pro-v1:0", "eu.amazon.nova-2-lite-v1:0"])
    def test_novas_cache_writes_cost_nothing(self, model: str) -> None:
        """https://aws.amazon.com/bedrock/pricing/ lists reads only."""
        for counts in (Counts(1, 0, 0, 0, 10**6), Counts(1, 0, 0, 10**6, 0)):
            assert cost(model, counts, "eu-west-1").assumed == 0
        assert cost(model, Counts(1, 0, 0, 0, 10**6), "eu-west-1").usd == 0


class TestNeverFree:
    """What is priced by something that no record counts."""

    @pytest.mark.parametrize(
        ("model", "usd"),
        [
            ("amazon.titan-embed-image-v1", "0.00006"),
            ("amazon.titan-embed-image-v1:0", "0.00006"),
            ("amazon.nova-2-multimodal-embeddings-v1:0", "0.0007"),
            ("us.twelvelabs.marengo-embed-3-0-v1:0", "0.0007"),
            ("us.twelvelabs.pegasus-1-2-v1:0", "0.00049"),
            ("cohere.embed-english-v3", "0.0007"),
            ("us.cohere.embed-v4:0", "0.0007"),
            ("amazon.titan-image-generator-v2:0", "0.008"),
            ("kr.amazon.titan-embed-image-v1", "0.00006"),
        ],
    )
    def test_images_and_videos_cost_one_unit_and_all_of_it_is_assumed(
        self, model: str, usd: str
    ) -> None:
        one, three = cost(model, Counts(1), US), cost(model, Counts(3), US)
        assert one.usd == one.assumed == Decimal(usd)
        assert three.usd == three.assumed == 3 * Decimal(usd)

    def test_text_to_embed_has_a_known_price(self) -> None:
        found = cost("amazon.nova-2-multimodal-embeddings-v1:0", Counts(1, 1_000_000), US)
        assert (found.usd, found.assumed) == (Decimal("0.135"), NO_MONEY)

    def test_what_a_video_model_writes_is_known(self) -> None:
        found = cost("us.twelvelabs.pegasus-1-2-v1:0", Counts(1, 500, 1_000_000), US)
        assert (found.usd, found.assumed) == (Decimal("7.50049"), Decimal("0.00049"))

    @pytest.mark.parametrize(
        "model", ["amazon.nova-reel-v1:1", "luma.ray-v2:0", "google.veo-9", "acme.film-v1",
                  "anthropic.film-v1", "openai.sora-9"],
    )  # fmt: skip
    def test_a_model_that_is_not_listed_is_not_free_without_tokens(self, model: str) -> None:
        found = cost(model, Counts(1), US)
        assert found.usd == found.assumed > 0

    @given(st.sampled_from(sorted(shipped_rates())), st.integers(0, 5), st.integers(0, 5))
    def test_no_call_of_any_model_is_free(self, key: str, given: int, written: int) -> None:
        """But one without tokens of a model that is priced by nothing else."""
        model, region, tier = split_key(key)
        rate = shipped_rates()[key]
        if given or not (rate.input and rate.output):
            found = SHIPPED.cost(model, region, Counts(1, given, written), None, tier)
            assert found.usd > 0

    def test_a_model_that_an_admin_made_free_is_free(self) -> None:
        own = {"acme.big-v1": per_million(input="0", output="0")}
        for counts in (Counts(1), Counts(1, 7, 7)):
            assert cost("acme.big-v1", counts, own=own) == Cost(
                Decimal(0), Decimal(0), "acme.big-v1"
            )

    def test_a_rerank_costs_its_search(self) -> None:
        found = cost("cohere.rerank-v3-5:0", Counts(1), US)
        assert (found.usd, found.assumed) == (Decimal("0.002"), NO_MONEY)


class TestOwn:
    def test_an_own_price_comes_before_the_shipped_one_of_its_key_only(self) -> None:
        own = {SONNET: per_million(input="1", output="2")}
        assert cost(own=own).usd == Decimal("0.0012")
        assert cost(f"eu.{SONNET}", own=own).usd == Decimal("0.00495")

    def test_what_it_leaves_out_stays(self) -> None:
        own = {SONNET: per_million(input="1")}
        assert cost(own=own, region=US).usd == Decimal("0.00265")

    def test_the_plain_name_holds_for_prefixes_without_a_price(self) -> None:
        own = {SONNET: per_million(input="1", output="2")}
        assert cost(f"ca.{SONNET}", own=own).usd == Decimal("0.0012")
        assert cost(f"ca.{SONNET}", own=own).assumed == 0

    def test_an_own_price_of_a_region_is_for_that_one(self) -> None:
        own = {f"{REGION}/{SONNET}": per_million(input="1", output="2")}
        assert cost(own=own).usd == Decimal("0.0012")
        assert cost(region="eu-west-1", own=own).usd == Decimal("0.00495")


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
        assert {
            key for key in shipped_rates() if not ModelScope(plain_model(key)).of_known_vendor
        } == set()

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

    def test_what_a_table_leaves_to_other_units_is_read(self) -> None:
        """Nova's cache writes cost nothing, and of images and seconds the dearest is taken."""

        def read(name: str, mode: str, *units: str) -> Rate:
            """The first unit costs a dollar, the second two, and so on."""
            fields = {f"input_cost_per_{unit}": Decimal(n + 1) for n, unit in enumerate(units)}
            entry = {"litellm_provider": "bedrock", "mode": mode, **fields}
            return read_table({name: entry}, "test")[name]

        assert read("us.amazon.nova-9-v1:0", "chat", "token").cache_write == 0
        assert read("us.anthropic.a-v1:0", "chat", "token").cache_write is None
        assert read("amazon.nova-9-embed-v1:0", "embedding", "token").cache_write is None
        units = ("image", "audio_per_second", "video_per_second")
        assert read("a.embed-v1", "embedding", "token", *units).image == 4
        assert read("a.video-v1", "chat", "video_per_second").image == 1
        assert read("a.rerank-v1", "rerank", "query") == Rate(request=Decimal(1), source="test")

    @pytest.mark.parametrize("price", ["1", Decimal(-1), Decimal(1000), True])
    def test_a_price_that_is_none_is_refused(self, price: object) -> None:
        entry = {"litellm_provider": "bedrock", "mode": "chat", "input_cost_per_token": price}
        with pytest.raises(UnreadableTable, match=r"input_cost_per_token of 'a\.b-v1'"):
            read_table({"a.b-v1": entry}, "test")
