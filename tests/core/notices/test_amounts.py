"""Amounts as people and as machines read them: exact inside, rounded only here."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quota_enforcer.core.notices.amounts import (
    count,
    dollars,
    exact,
    lasting,
    limit_of,
    listed,
    number,
    used_of,
    used_units,
)
from quota_enforcer.core.quotas.quota import UNLIMITED
from quota_enforcer.core.usage.counts import Measure

MONEY = Measure.COST_USD.words
TOKENS = Measure.TOTAL_TOKENS.words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (1234567, "1,234,567"),
        (Decimal(1234567), "1,234,567"),
        (Decimal("1E+3"), "1,000"),
        (Decimal("0E+3"), "0"),
        (Decimal("1200.50"), "1,200.5"),
        (Decimal("3.00"), "3"),
        (Decimal("1E-7"), "0.0000001"),
        (UNLIMITED, "no limit"),
    ],
)
def test_numbers(value: int | Decimal, words: str) -> None:
    assert number(value) == words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0"), ("10.00", "10"), ("1E+6", "1000000"), ("1234567.80", "1234567.8"),
        ("0.0000001230", "0.000000123"), ("3E-13", "0.0000000000003"),
    ],
)  # fmt: skip
def test_machines_read_every_place_and_no_exponent(value: str, text: str) -> None:
    assert exact(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("0", "$0.00"),
        ("10", "$10.00"),
        ("12.5", "$12.50"),
        ("1234567.899", "$1,234,567.89"),
        ("0.257", "$0.25"),
        ("0.0257", "$0.025"),
        ("0.003", "$0.003"),
        ("0.00000003519", "$0.000000035"),
        ("9.999999", "$9.99"),
        ("Infinity", "no limit"),
    ],
)
def test_dollars_are_cents_or_as_many_places_as_show_a_tiny_amount(value: str, words: str) -> None:
    assert dollars(Decimal(value)) == words


@pytest.mark.parametrize(
    ("used", "limit", "words"),
    [
        ("12.3499", "10", "$12.34 of $10.00"),
        ("9.9999", "10", "$9.99 of $10.00"),
        ("0.2571", "0.257", "$0.257 of $0.257"),
        ("0", "0.005", "$0.000 of $0.005"),
        ("0.00012", "10", "$0.00012 of $10.00"),
        ("7", "Infinity", "$7.00, no limit"),
    ],
)
def test_dollars_beside_their_limit(used: str, limit: str, words: str) -> None:
    assert used_of(Decimal(used), Decimal(limit), MONEY) == words
    assert used_units(Decimal(used), Decimal(limit), MONEY) == words


@given(
    st.decimals(0, 10**12, allow_nan=False, allow_infinity=False, places=13),
    st.decimals(0, 10**12, allow_nan=False, allow_infinity=False, places=12),
)
def test_what_is_shown_is_used_up_exactly_where_it_is(used: Decimal, limit: Decimal) -> None:
    """Nobody is blocked at `$9.99 of $10.00`, nor let through at `$10.00 of $10.00`."""
    shown = used_of(used, limit, MONEY).replace("$", "").replace(",", "")
    seen, of = map(Decimal, shown.split(" of "))
    assert of == limit
    assert (seen >= of) is (used >= limit)
    assert seen <= used


def test_tokens_have_their_unit_behind_them() -> None:
    assert used_units(1200, Decimal(1000), TOKENS) == "1,200 of 1,000 total tokens"
    assert used_units(70, None, TOKENS) == "70 total tokens"
    assert (limit_of(Decimal(1000), TOKENS), limit_of(Decimal("12.5"), MONEY)) == (
        "1,000 total tokens", "$12.50",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("length", "shown"),
    [
        (timedelta(seconds=59), "0 min"),
        (timedelta(minutes=12), "12 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=4, minutes=10), "4 h 10 min"),
        (timedelta(days=3, hours=4, minutes=59), "3 d 4 h"),
        (timedelta(days=1966), "1,966 d"),
    ],
)
def test_a_length_of_time_has_at_most_two_units_and_none_of_them_is_0(
    length: timedelta, shown: str
) -> None:
    assert lasting(length) == shown


def test_of_many_names_the_first_are_shown_and_the_rest_is_counted() -> None:
    names = [f"user/{number}" for number in range(1_003)]
    assert listed(names, 2) == "user/0, user/1 and 1,001 more"
    assert listed(names, 3, "people") == "user/0, user/1, user/2 and 1,000 more people"
    assert listed(names[:2], 2) == "user/0, user/1"
    assert listed([], 2) == ""


@pytest.mark.parametrize(("several", "shown"), [(0, "0 days"), (1, "1 day"), (1200, "1,200 days")])
def test_one_and_many(several: int, shown: str) -> None:
    assert count(several, "day") == shown


def test_an_irregular_plural_is_given() -> None:
    assert count(2, "query", "queries") == "2 queries"
