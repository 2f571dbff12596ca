"""Numbers, money and time as the report's page shows them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from quota_enforcer.insight.report import texts
from quota_enforcer.insight.status import State, StatusRow


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1k"),
        (1_234_567, "1.23M"),
        (999_499, "999k"),
        (999_999, "1M"),
        (35_210_000_000, "35.2G"),
        (1_230_000_000_000_000, "1,230T"),
    ],
)
def test_short_numbers_have_at_most_three_digits(value: int, shown: str) -> None:
    assert texts.short(value) == shown


@pytest.mark.parametrize(
    ("usd", "shown"),
    [
        ("0", "$0.00"),
        ("0.0000001", "<$0.01"),
        ("0.01", "$0.01"),
        ("1234.565", "$1,234.56"),
        ("1234.575", "$1,234.58"),
    ],
)
def test_money_is_rounded_to_the_cent_and_never_to_nothing(usd: str, shown: str) -> None:
    assert texts.money(Decimal(usd)) == shown


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [(0, 0, "0 %"), (0, 5, "0 %"), (1, 1000, "<1 %"), (1, 3, "33 %"), (5, 5, "100 %")],
)
def test_a_share_never_rounds_something_to_nothing(part: int, whole: int, shown: str) -> None:
    assert texts.percent(part, whole) == shown


def test_moments_are_on_the_deployments_clock() -> None:
    late = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    assert texts.moment(late, ZoneInfo("Europe/Berlin")) == "2026-12-01 00:30"
    assert texts.moment(None, ZoneInfo("UTC")) == ""


def test_days_and_months_in_words() -> None:
    assert texts.day(date(2026, 11, 3)) == "Tue 3 Nov 2026"
    assert texts.month(date(2026, 11, 3)) == "November 2026"


@pytest.mark.parametrize(
    ("measure", "used", "limit", "assumed", "shown"),
    [
        ("total_tokens", 1200, Decimal(1000), None, "1,200 of 1,000"),
        ("total_tokens", 1200, None, None, "1,200, no limit"),
        ("total_tokens", 1200, Decimal(9000), Decimal(3), "1,200 of 9,000"),
        ("cost_usd", Decimal("9.999"), Decimal(10), Decimal(0), "$9.99 of $10.00"),
        ("cost_usd", Decimal("9.999"), Decimal(10), Decimal(3), "~$9.99 of $10.00"),
    ],
)
def test_usage_is_never_rounded_up_to_its_limit(
    measure: str, used: int | Decimal, limit: Decimal | None, assumed: Decimal | None, shown: str
) -> None:
    row = StatusRow("user/a", "q", "", measure, "day", used, limit, 0, State.OK,
                    assumed_usd=assumed)  # fmt: skip
    assert texts.used(row) == shown
