"""Prices and discounts over time."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quota_enforcer.core.errors import InvalidQuota
from quota_enforcer.core.pricing.catalog.shipped import shipped_prices, shipped_rates
from quota_enforcer.core.pricing.codec import as_mapping, rate_of
from quota_enforcer.core.pricing.dated import DatedKey, DatedPrices, dated_key
from quota_enforcer.core.pricing.item import read_price
from quota_enforcer.core.pricing.rate import Rate
from quota_enforcer.core.pricing.tier import Tier
from quota_enforcer.core.usage.counts import Counts

MODEL = "acme.big-v1"
PLAIN = "anthropic.claude-sonnet-4-5-20250929-v1:0"
SONNET = f"global.{PLAIN}"
MILLION = Counts(10, 10**6)
"""In ten calls: no prompt of them is a long one."""
MILLIONTH = Decimal("0.000001")
FIRST, SECOND = date(2026, 12, 1), date(2027, 1, 1)


def priced(*items: dict[str, Any]) -> DatedPrices:
    read = [read_price({"principal": f"price/{MODEL}", "quota": "price", **each}) for each in items]
    return DatedPrices(shipped_rates(), dict(read))


def usd(prices: DatedPrices, day: date, model: str = MODEL, counts: Counts = MILLION) -> Decimal:
    return prices.on(day).cost(model, "us-east-1", counts).usd


@pytest.mark.parametrize(
    ("day", "cost"),
    [
        (date(2026, 11, 30), 10),
        (FIRST, 8),
        (date(2026, 12, 31), 8),
        (SECOND, 6),
        (date(2030, 1, 1), 6),
    ],
)
def test_the_price_of_the_latest_day_that_has_come_holds(day: date, cost: int) -> None:
    prices = priced(
        {"quota": "price from 2027-01-01", "input": 6},
        {"input": 10},
        {"quota": "price from 2026-12-01", "input": 8},
    )
    assert usd(prices, day) == cost


def test_before_its_day_a_price_is_that_of_the_product() -> None:
    later = {"principal": f"price/{SONNET}", "quota": "price from 2026-12-01", "input": 1}
    assert usd(priced(later), date(2026, 11, 30), SONNET) == 3
    assert usd(priced(later), FIRST, SONNET) == 1


def test_a_shipped_price_that_a_newer_table_changed_holds_until_then() -> None:
    """So that a recount of an old hour does not take the newer table's."""
    prices = DatedPrices(
        {MODEL: Rate(input=MILLIONTH)},
        before=[
            (MODEL, Rate(input=3 * MILLIONTH, until=SECOND)),
            (MODEL, Rate(input=2 * MILLIONTH, until=FIRST)),
        ],
    )
    days = (date(2026, 11, 30), FIRST, date(2026, 12, 31), SECOND)
    assert [usd(prices, day) for day in days] == [2, 3, 3, 1]


def test_the_shipped_table_knows_what_it_listed_before() -> None:
    titan, region = "amazon.titan-embed-text-v2:0", "us-gov-east-1"
    costs = [
        shipped_prices().on(day).cost(titan, region, MILLION).usd
        for day in (date(2026, 11, 27), date(2026, 11, 28))
    ]
    assert costs == [Decimal("0.2"), Decimal("0.03")]


def test_a_later_price_holds_alone() -> None:
    """What it leaves out is not that of an earlier own price, but the product's."""
    prices = priced(
        {"principal": f"price/{SONNET}", "input": 1, "output": 1},
        {"principal": f"price/{SONNET}", "quota": "price from 2026-12-01", "input": 2},
    )
    assert usd(prices, FIRST, SONNET, Counts(1, 0, 10**6)) == 15


@pytest.mark.parametrize(
    ("day", "cost"),
    [(date(2026, 11, 30), 3), (FIRST, "2.64"), (date(2026, 12, 31), "2.64"), (SECOND, 3)],
)
def test_a_discount_holds_from_its_day_until_its_end(day: date, cost: str) -> None:
    off = {
        "principal": "price/anthropic", "quota": "discount from 2026-12-01", "percent": 12,
        "until": "2027-01-01",
    }  # fmt: skip
    assert usd(priced(off), day, SONNET) == Decimal(cost)


def a_discount(what: str, percent: str, name: str = "discount") -> dict[str, Any]:
    return {"principal": f"price/{what}", "quota": name, "percent": percent}


class TestDiscounts:
    @pytest.mark.parametrize(
        ("model", "cost"),
        [
            (SONNET, "2.85"),  # 5 % off the model
            (f"us.{PLAIN}", "1.65"),  # 50 % off this profile
            (f"arn:aws:bedrock:us-east-1:111122223333:inference-profile/{SONNET}", "2.85"),
            ("global.anthropic.claude-haiku-4-5-20251001-v1:0", "0.9"),  # 10 % off the vendor
            ("amazon.nova-lite-v1:0", "0.0594"),  # 1 % off all
        ],
    )
    def test_the_nearest_alone_applies(self, model: str, cost: str) -> None:
        several = [
            a_discount("all", "1"), a_discount("anthropic", "10"), a_discount(PLAIN, "5"),
            a_discount(f"us.{PLAIN}", "50"),
        ]  # fmt: skip
        assert usd(priced(*several), FIRST, model) == Decimal(cost)

    def test_none_at_all_keeps_a_model_at_its_price(self) -> None:
        prices = priced(a_discount("anthropic", "12"), a_discount(SONNET, "0"))
        assert usd(prices, FIRST, SONNET) == 3

    def test_own_prices_tiers_and_assumed_ones_have_it_too(self) -> None:
        prices = priced({"input": 10}, a_discount("acme", "12.5"), a_discount("openai", "10"))
        assert usd(prices, FIRST) == Decimal("8.75")
        flex = prices.on(FIRST).cost("openai.gpt-oss-120b-1:0", None, MILLION, None, Tier.FLEX)
        assert flex.usd == Decimal("0.0675")
        unknown = prices.on(FIRST).cost("openai.gpt-99", None, MILLION)
        whole = DatedPrices(shipped_rates()).on(FIRST).cost("openai.gpt-99", None, MILLION)
        assert unknown.usd == unknown.assumed == whole.usd * Decimal("0.9")

    def test_what_the_log_does_not_count_has_it_too(self) -> None:
        """An image that was embedded: one a request is assumed."""
        image, one = "amazon.titan-embed-image-v1", Counts(1)
        whole = DatedPrices(shipped_rates()).on(FIRST).cost(image, "us-east-1", one)
        off = priced(a_discount("amazon", "10")).on(FIRST).cost(image, "us-east-1", one)
        assert off.usd == off.assumed == whole.usd * Decimal("0.9") > 0

    def test_what_it_is_priced_as_says_so(self) -> None:
        cost = priced(a_discount("anthropic", "12.50")).on(FIRST).cost(SONNET, None, MILLION)
        assert cost.priced_as == f"{SONNET}, 12.5 % off"

    def test_one_that_has_ended_gives_way_to_the_next(self) -> None:
        ended = {**a_discount(SONNET, "50"), "until": "2026-01-01"}
        assert usd(priced(ended, a_discount("anthropic", "10")), FIRST, SONNET) == Decimal("2.7")

    @given(
        st.decimals(0, 100, places=4),
        st.sampled_from(sorted(shipped_rates())),
        st.integers(0, 10**9),
        st.integers(0, 10**9),
    )
    def test_it_is_exact(self, percent: Decimal, key: str, tokens_in: int, tokens_out: int) -> None:
        counts = Counts(1, tokens_in, tokens_out)
        model = key.partition("@")[0]
        off = priced(a_discount("all", str(percent))).on(FIRST).cost(model, None, counts)
        whole = DatedPrices(shipped_rates()).on(FIRST).cost(model, None, counts)
        assert off.usd * 100 == whole.usd * (100 - percent)
        assert off.assumed * 100 == whole.assumed * (100 - percent)


class TestItems:
    def test_the_name_of_an_item_says_from_when(self) -> None:
        key, _ = read_price(
            {"principal": f"price/{MODEL}", "quota": "price from 2026-12-01", "input": 1}
        )
        assert dated_key(key) == DatedKey(MODEL, False, FIRST)
        key, rate = read_price(
            {**a_discount("anthropic", "12"), "until": "2027-01-01", "note": "n"}
        )
        assert dated_key(key) == DatedKey("anthropic", is_discount=True)
        assert rate == Rate(percent_off=Decimal(12), until=SECOND, source="admin: n")

    @pytest.mark.parametrize("since", [None, FIRST])
    @pytest.mark.parametrize("kind", ["price", "discount"])
    def test_keys_read_as_they_are_written(self, since: date | None, kind: str) -> None:
        key = DatedKey(f"us-east-1/{MODEL}@flex", kind == "discount", since)
        assert dated_key(str(key)) == key

    def test_what_the_ledger_holds_of_a_discount_reads_again(self) -> None:
        rate = Rate(percent_off=Decimal("12.5"), until=SECOND, source="admin")
        assert rate_of(as_mapping(rate, str)) == rate

    @pytest.mark.parametrize(
        ("but", "said"),
        [
            ({"quota": "price from 2026-02-30"}, "quota is 'price from 2026-02-30'"),
            ({"quota": "price from tomorrow"}, "allowed: price, discount"),
            ({"quota": "prices"}, "quota is 'prices'"),
            ({"percent": 5}, "attribute 'percent' is unknown"),
            ({"principal": f"price/{MODEL}@turbo"}, "@flex"),
            ({"quota": "discount"}, "attribute 'input' is unknown"),
        ],
    )
    def test_what_is_wrong_is_said(self, but: dict[str, Any], said: str) -> None:
        with pytest.raises(InvalidQuota, match=said):
            read_price({"principal": f"price/{MODEL}", "quota": "price", "input": 1, **but})

    @pytest.mark.parametrize("percent", ["101", "-1", "many", "0.00001", None, True, "NaN"])
    def test_a_percentage_is_from_0_to_100(self, percent: Any) -> None:
        with pytest.raises(InvalidQuota, match="percent is"):
            read_price({**a_discount("anthropic", "1"), "percent": percent})

    def test_a_discount_without_a_percentage_is_none(self) -> None:
        with pytest.raises(InvalidQuota, match="percent is None"):
            read_price({"principal": "price/anthropic", "quota": "discount"})

    def test_the_end_is_a_day(self) -> None:
        with pytest.raises(InvalidQuota, match="until is 'soon'"):
            read_price({**a_discount("anthropic", "1"), "until": "soon"})
