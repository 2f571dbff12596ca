"""Discounts that would make the ledger agree with the bill."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from quota_enforcer.core.pricing.table import Discount
from quota_enforcer.insight.bill.cells import CellKey, Sums
from quota_enforcer.insight.bill.discounts import Dearer, Proposal, proposals

SONNET, HAIKU = "anthropic.claude-sonnet-4-6", "anthropic.claude-haiku-4-5-20251001-v1:0"
NOVA = "amazon.nova-pro-v1:0"
FIRST = date(2026, 11, 1)


def sums(metered: str, billed: str) -> Sums:
    return Sums(Decimal(metered), Decimal(billed))


def days(model: str, *several: Sums) -> dict[CellKey, Sums]:
    return {
        CellKey(FIRST + timedelta(days=at), "1", "us-east-1", "user/alice", model): each
        for at, each in enumerate(several)
    }


def proposed(
    cells: dict[CellKey, Sums], held: dict[str, Discount] | None = None, line: str = "0"
) -> list[tuple[str, str]]:
    found, _ = proposals(cells, {SONNET: Decimal(line)}, (held or {}).get)
    return [(each.of, str(each.percent)) for each in found]


def test_the_widest_that_fits_is_proposed() -> None:
    sonnet, haiku = days(SONNET, sums("10", "9")), days(HAIKU, sums("1", "0.9"))
    assert proposed(sonnet | haiku) == [("anthropic", "10")]
    assert proposed(sonnet | haiku | days(NOVA, sums("5", "4.5"))) == [("all", "10")]
    assert proposed(sonnet | haiku | days(NOVA, sums("5", "4"))) == [
        (NOVA, "20"),
        ("anthropic", "10"),
    ]
    assert proposed(sonnet | days(HAIKU, sums("1", "0.8"))) == [(HAIKU, "20"), (SONNET, "10")]


def test_what_agrees_needs_none() -> None:
    assert proposed(days(SONNET, sums("10", "10"), sums("3", "3.0001"))) == []


def test_a_ratio_that_changes_is_no_discount() -> None:
    assert proposed(days(SONNET, sums("10", "9"), sums("10", "8"))) == []


def test_lines_of_discounts_are_part_of_what_is_billed() -> None:
    assert proposed(days(SONNET, sums("10", "10")), line="-1.5") == [(SONNET, "15")]


def test_what_is_off_already_is_not_taken_off_twice() -> None:
    vendor = Discount(Decimal(10), "anthropic")
    held = {SONNET: vendor, HAIKU: vendor}
    both = days(SONNET, sums("9", "8")) | days(HAIKU, sums("0.9", "0.8"))
    assert proposed(both, held) == [("anthropic", "20")]
    assert proposed(days(SONNET, sums("9", "9")), held) == []
    assert proposed(days(SONNET, sums("9", "10")), held) == [(SONNET, "0")]


def test_a_vendors_discount_is_not_proposed_where_a_models_own_would_hide_it() -> None:
    held = {SONNET: Discount(Decimal(10), SONNET)}
    both = days(SONNET, sums("9", "8")) | days(HAIKU, sums("1", "0.8"))
    assert proposed(both, held) == [(HAIKU, "20"), (SONNET, "20")]


def test_what_is_dearer_is_named_and_is_no_discount() -> None:
    found, dearer = proposals(days(SONNET, sums("10", "11")), {}, lambda _: None)
    assert (found, dearer) == ([], [Dearer(SONNET, Decimal("1.1"))])


def test_models_that_cannot_be_told_apart_get_none() -> None:
    assert proposed(days(f"{SONNET} + {HAIKU}", sums("10", "9"))) == []


def test_a_cent_is_too_little_to_tell() -> None:
    assert proposed(days(SONNET, sums("0.001", "0.0009"))) == []


@given(
    st.lists(st.decimals("0.5", 5000, places=6), min_size=1, max_size=8),
    st.integers(1, 990).map(lambda tenths: Decimal(tenths) / 10),
    st.integers(0, 80).map(Decimal),
)
def test_a_constant_ratio_is_found_and_leaves_nothing(
    listed: list[Decimal], percent: Decimal, held: Decimal
) -> None:
    """Whatever is off already, and whatever AWS's rounding to ten places does."""
    place = Decimal("1e-10")
    cells = days(SONNET, *(
        Sums(usd * (100 - held) / 100, (usd * (100 - percent) / 100).quantize(place))
        for usd in listed
    ))  # fmt: skip
    found, _ = proposals(cells, {}, lambda _: Discount(held, SONNET))
    if abs(percent - held) > Decimal("0.1"):
        [proposal] = found
        assert isinstance(proposal, Proposal)
        assert abs(proposal.percent - percent) <= Decimal("0.05")
        assert abs(proposal.then) <= sum(listed) * Decimal("0.0006")
