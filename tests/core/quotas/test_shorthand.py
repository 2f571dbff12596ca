"""Values as people write them, and the nearest right form of what is refused."""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import an_item
from quota_enforcer.core.errors import InvalidQuota
from quota_enforcer.core.quotas.form.nearest import nearest
from quota_enforcer.core.quotas.form.shorthand import item_form, number
from quota_enforcer.core.quotas.item import read_rule
from quota_enforcer.core.usage.counts import Measure


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1000", 1000),
        ("1_000_000", 1_000_000),
        ("12,000", 12_000),
        ("5 000 000", 5_000_000),
        ("5\u202f000\u00a0000", "5\u202f000\u00a0000"),
        ("5\u202f000\u202f000", 5_000_000),
        ("5'000'000", 5_000_000),
        ("2M", 2_000_000),
        ("2m", 2_000_000),
        ("1.5k", 1500),
        ("2 million", 2_000_000),
        ("3bn", 3_000_000_000),
        ("2M tokens", 2_000_000),
        ("-5", -5),
        ("0.50", "0.5"),
        ("1,250.75", "1250.75"),
    ],
)
def test_numbers_as_people_write_them(text: str, meant: Any) -> None:
    assert number(text, Measure.TOTAL_TOKENS) == (meant if meant == text else Decimal(meant))


@pytest.mark.parametrize(
    "text", ["1,5", "1.000.000", "1_000,000", "10,00", "1e6", "monday", "1 2", "$$5", "5 parsecs"]
)
def test_what_may_mean_two_things_stays_text_for_validation_to_refuse(text: str) -> None:
    assert number(text) == text


@pytest.mark.parametrize(
    ("text", "measure", "meant"),
    [
        ("$50", "cost_usd", 50),
        ("50 USD", "cost_usd", 50),
        ("US$ 1", "cost_usd", None),
        ("$50", "total_tokens", None),
        ("$50", None, None),
        ("2M tokens", "input_tokens", 2_000_000),
        ("2M output tokens", "input_tokens", None),
        ("500 requests", "requests", 500),
        ("500 requests", "cost_usd", None),
    ],
)
def test_a_number_counts_only_as_what_it_says_to_be_of(
    text: str, measure: str | None, meant: int | None
) -> None:
    assert number(text, measure) == (text if meant is None else Decimal(meant))


@pytest.mark.parametrize(
    ("attribute", "text", "form"),
    [
        ("measure", "tokens", "total_tokens"),
        ("measure", "Output Tokens", "output_tokens"),
        ("measure", "Output-Tokens", "output_tokens"),
        ("measure", "calls", "requests"),
        ("measure", "$", "cost_usd"),
        ("measure", "dollars", "cost_usd"),
        ("window", "daily", "day"),
        ("window", "per month", "month"),
        ("window", "Day", "day"),
        ("window", "1d", "day"),
        ("window", "rolling 24h", "rolling 24 hours"),
        ("window", "rolling 24-hour", "rolling 24 hours"),
        ("window", "last 7 days", "rolling 7 days"),
        *(
            ("window", said, "rolling 15 minutes")
            for said in ("rolling 15min", "last 15 minutes", "sliding 15-minute", "rolling 15 mins")
        ),
        ("window", "minute", "minute"),
        ("window", "rolling 2 weeks", "rolling 14 days"),
        ("resets_on", "Mon", "monday"),
        ("resets_on", "15th", Decimal(15)),
        ("resets_on", "last day", Decimal(31)),
        ("warn_at", "50,80", [Decimal(50), Decimal(80)]),
        ("warn_at", ["50 %", "80%"], [Decimal(50), Decimal(80)]),
        ("warn_at", "50 80", [Decimal(50), Decimal(80)]),
        ("warn_at", [Decimal(50)], [Decimal(50)]),
        ("models", ["all"], ["*"]),
        ("models", ["a,b"], ["a", "b"]),
        ("models", "*", "*"),
        ("regions", "eu-west-1,EU-West-2", ["eu-west-1", "eu-west-2"]),
        ("regions", ["us-east-1; eu-west-1", "eu-west-2"], ["us-east-1", "eu-west-1", "eu-west-2"]),
        ("regions", [Decimal(1)], [Decimal(1)]),
        ("accounts", "111122223333, 444455556666", ["111122223333", "444455556666"]),
        ("accounts", "1111-2222-3333", ["111122223333"]),
        ("accounts", [111122223333, Decimal(444455556666)], ["111122223333", "444455556666"]),
        ("accounts", True, True),
        ("action", "block", "deny"),
        ("action", "Notify", "notify"),
        ("share", "pooled", "pool"),
        ("raise_to", "no limit", "unlimited"),
        *(("unusual", said, "5x") for said in ("5", "5x", "5 X", "x5", "5 times", "5-fold", 5)),
        ("unusual", "2.5", "2.5x"),
        ("unusual", "often", "often"),
        ("raise_to", "2M", Decimal(2_000_000)),
    ],
)
def test_other_values_as_people_write_them(attribute: str, text: Any, form: Any) -> None:
    assert item_form({attribute: text})[attribute] == form


@pytest.mark.parametrize(
    ("limit", "measure"),
    [("$50", "cost_usd"), ("2M tokens", "total_tokens"), ("500 calls", "requests")],
)
def test_a_limit_may_say_what_is_measured(limit: str, measure: str) -> None:
    assert item_form({"limit": limit})["measure"] == measure
    assert item_form({"limit": limit, "measure": "tokens"})["measure"] == "total_tokens"
    assert "measure" not in item_form({"limit": limit}, an_item())


@pytest.mark.parametrize(
    ("attribute", "value", "words"),
    [
        ("limit", "2M", "; write 2000000"),
        ("limit", "1.000.000", "; write 1000000"),
        ("limit", "1,5", "; write 1.5"),
        ("limit", "$50", "; for US dollars the measure is cost_usd"),
        ("limit", "-2M", ""),
        ("limit", "lots", ""),
        ("limit", Decimal(-5), ""),
        ("window", "daily", "; write day"),
        ("window", "24h", "; write day, or 'rolling 24 hours'"),
        ("window", "30d", "; write 'rolling 30 days'"),
        ("window", "15 min", "; write 'rolling 15 minutes'"),
        ("window", "rolling 24h", "; write rolling 24 hours"),
        ("window", "yearly", "; the nearest is 'rolling 365 days'"),
        ("window", "minute", "; the nearest is 'hour'"),
        ("window", "dya", "; did you mean day?"),
        ("window", "rolling 0h", ""),
        ("measure", "tokens", "; write total_tokens"),
        ("measure", "totl_tokens", "; did you mean total_tokens?"),
        ("warn_at", "50,80", "; write [50, 80]"),
        ("warn_at", "half", ""),
        ("regions", "EU-WEST-1", "; write [eu-west-1]"),
        (
            "regions",
            ["us-east-1", "eu-west-1 eu-west-2"],
            "; write [us-east-1, eu-west-1, eu-west-2]",
        ),
        ("accounts", "1111-2222-3333", "; write [111122223333]"),
        ("action", "dney", "; did you mean deny?"),
        ("share", "pools", "; did you mean pool?"),
    ],
)
def test_the_nearest_right_form_of_what_is_refused(attribute: str, value: Any, words: str) -> None:
    assert nearest(attribute, {"measure": "total_tokens", attribute: value}) == words


def test_an_item_of_the_table_is_refused_with_the_form_to_write() -> None:
    """Also one that was made in the console: the admins' mail says it."""
    with pytest.raises(InvalidQuota) as refused:
        read_rule(an_item(limit="2M", window="daily"), ZoneInfo("UTC"), ["*"])
    assert refused.value.problems == (
        "limit is '2M'; allowed: a whole number, 0 or more; write 2000000",
        (
            "window is 'daily'; allowed: hour, day, week, month, rolling N minutes, rolling N "
            "hours or rolling N days; write day"
        ),
    )


@given(st.integers(0, 10**17), st.sampled_from([",", "_", " ", "'"]))
def test_whatever_separates_thousands_the_number_is_the_same(whole: int, mark: str) -> None:
    assert number(f"{whole:,}".replace(",", mark)) == Decimal(whole)


READ = [
    "limit",
    "window",
    "warn_at",
    "measure",
    "models",
    "resets_on",
    "action",
    "share",
    "raise_to",
]


@given(st.text(max_size=30), st.sampled_from(READ))
def test_no_text_ends_in_an_error_and_a_form_is_a_form_of_itself(text: str, attribute: str) -> None:
    form = item_form({attribute: text})
    assert item_form(form) == form
    nearest(attribute, {attribute: text})
