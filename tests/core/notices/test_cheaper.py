"""Which model to use while the dear one is closed."""

from decimal import Decimal

import pytest

from quota_enforcer.core.notices.cheaper import Cheaper, cheaper_models
from quota_enforcer.core.pricing.rate import Rate
from quota_enforcer.core.pricing.table import PriceTable
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.model import ModelScope

OPUS, SONNET, HAIKU = "anthropic.opus-1", "anthropic.sonnet-1", "anthropic.haiku-1"
NOVA, EMBED, UNKNOWN = "amazon.nova-1", "anthropic.embed-1", "anthropic.unknown-1"


def rate(dollars: int) -> Rate:
    """Dollars for a million tokens, read or written."""
    price = Decimal(dollars).scaleb(-6)
    return Rate(input=price, output=price, cache_read=price, cache_write=price)


PRICES = PriceTable({
    OPUS: rate(15), f"us.{SONNET}": rate(3), HAIKU: rate(1), NOVA: rate(2),
    f"{HAIKU}@flex": rate(0),
    EMBED: Rate(input=Decimal("1E-9"), output=Decimal(0)),
    "anthropic.opus-2": rate(14), "anthropic.sonnet-2": rate(3),
})  # fmt: skip
MILLION = Counts(10, 600_000, 400_000)


def instead(used: dict[str, Counts], *closed: str) -> list[tuple[str, int]]:
    """With what the same calls come to, in dollars."""
    found = cheaper_models(used, map(ModelScope, closed), PRICES, "us-east-1")
    return [(each.model, int(each.cost)) for each in found]


def test_what_somebody_calls_already_comes_first() -> None:
    """Then what the same maker has for half the price or less: the nearest, the newest first."""
    assert instead({OPUS: MILLION, NOVA: MILLION}, OPUS) == [
        (NOVA, 2), ("anthropic.sonnet-2", 3), (SONNET, 3), (HAIKU, 1),
    ]  # fmt: skip


def test_the_same_calls_are_compared() -> None:
    [first, *_] = cheaper_models({OPUS: MILLION}, [ModelScope(OPUS)], PRICES, None)
    assert first == Cheaper("anthropic.sonnet-2", Decimal(3), Decimal(15))


def test_what_is_closed_too_is_not_named() -> None:
    closed = ("anthropic.opus*", "anthropic.sonnet*")
    assert instead({OPUS: MILLION, "anthropic.opus-2": MILLION}, *closed) == [(HAIKU, 2)]


@pytest.mark.parametrize(
    "used",
    [
        pytest.param({}, id="nothing used"),
        pytest.param({SONNET: MILLION}, id="nothing used of what is closed"),
        pytest.param({OPUS: Counts()}, id="calls that cost nothing"),
    ],
)
def test_without_a_dear_call_there_is_nothing_to_compare(used: dict[str, Counts]) -> None:
    assert instead(used, OPUS) == []


def test_of_the_cheapest_nothing_is_cheaper() -> None:
    """A model that embeds is none to write with, nor one whose price nobody knows."""
    assert instead({HAIKU: MILLION, UNKNOWN: MILLION, EMBED: MILLION}, HAIKU) == []
