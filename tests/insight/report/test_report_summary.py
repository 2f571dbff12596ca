"""The first screen: how much against budget and last month, and the first few of each list."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from builders import NOON, UTC_ZONE, a_quota
from fakes import FakeLedger
from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.quotas.quota import Rule
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.core.usage.window import hour_start
from quota_enforcer.insight.report.gather import Gathering
from quota_enforcer.insight.report.lines import lines
from quota_enforcer.insight.report.model import ReportSource, UsageReport
from quota_enforcer.insight.report.model_names import model_names
from quota_enforcer.insight.report.summary.money import Money
from quota_enforcer.insight.report.summary.short import InShort, in_short
from world import principal

MODEL = "amazon.nova-pro-v1:0"
DAY = timedelta(days=1)


def used(ledger: FakeLedger, cost: str, days_ago: int = 0, who: str = "user/alice") -> None:
    at = NOON - DAY * days_ago
    counts = Counts(1, 100, cost_usd=Decimal(cost))
    ledger.set_hours(Bucket(principal(who), MODEL, at.date()), {hour_start(at, UTC_ZONE): counts})


def report(ledger: FakeLedger, *rules: Rule, budget: str | None = None) -> UsageReport:
    gathering = Gathering(ledger, rules, Context(NOON, UTC_ZONE, Mode.ENFORCE), 60)
    source = ReportSource("stack", budget=Decimal(budget) if budget else None)
    return gathering.report(source, map(gathering.person, gathering.everybody()))


def even(a_day: str = "10", days: int = 60) -> FakeLedger:
    """As much each day; today is 24 November."""
    ledger = FakeLedger()
    for days_ago in range(days):
        used(ledger, a_day, days_ago)
    return ledger


def said(ledger: FakeLedger, budget: str | None = None) -> list[str]:
    return list(Money.of(report(ledger, a_quota(), budget=budget)).says)


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        ("1000", "24 % of the budget of $1,000.00; 30 % by the end, at this pace."),
        ("270", "89 % of the budget of $270.00; at this pace it is used up on Fri 27 Nov 2026."),
        ("305", "79 % of the budget of $305.00; at this pace it is used up on Mon 30 Nov 2026."),
        ("240", "100 % of the budget of $240.00: it is used up."),
        ("100", "240 % of the budget of $100.00: it is used up."),
    ],
)
def test_the_month_is_told_against_the_budget(budget: str, words: str) -> None:
    assert said(even(), budget)[0] == words


def test_without_a_budget_none_is_mentioned() -> None:
    assert not any("budget" in sentence for sentence in said(even()))


def test_a_first_day_is_told_against_the_budget_without_a_pace() -> None:
    assert said(even(days=1), "100")[0] == "10 % of the budget of $100.00."


def test_the_month_before_is_compared_by_as_many_whole_days() -> None:
    ledger = even()
    for days_ago in range(24, 60):
        used(ledger, "8", days_ago)
    assert said(ledger)[-1] == (
        "The month before cost $248.00. Its first 23 whole days cost $184.00, "
        "this month's $230.00: 25 % more."
    )


@pytest.mark.parametrize(("before", "words"), [("20", ": 50 % less."), ("10", ": as much.")])
def test_less_and_as_much_are_said_too(before: str, words: str) -> None:
    ledger = even()
    for days_ago in range(24, 60):
        used(ledger, before, days_ago)
    assert said(ledger)[-1].endswith(words)


def test_a_month_recorded_in_part_is_not_compared() -> None:
    assert said(even(days=30))[-1] == (
        "The month before cost $60.00, recorded from Mon 26 Oct 2026."
    )


def test_the_first_of_a_month_has_no_whole_day_to_compare() -> None:
    made = report(even(), a_quota())
    first = replace(made, now=NOON - DAY * 23)
    assert Money.of(first).so_soon is None


def test_the_trend_has_every_day_also_those_without_usage() -> None:
    ledger = FakeLedger()
    used(ledger, "3", 40)
    used(ledger, "5", 2)
    trend = Money.of(report(ledger, a_quota())).trend
    assert list(trend) == [NOON.date() - DAY * n for n in range(29, -1, -1)]
    assert {day: cost for day, cost in trend.items() if cost} == {date(2026, 11, 22): Decimal(5)}


def test_nothing_used_has_no_trend_and_no_scale() -> None:
    money = Money.of(report(FakeLedger(), a_quota()))
    assert not money.trend
    assert not money.scale
    assert money.spent_by is None


def short(ledger: FakeLedger, *rules: Rule) -> InShort:
    made = report(ledger, *rules)
    return in_short(made, lines(made), model_names([MODEL]))


def test_each_card_has_a_number_and_the_first_few_behind_it() -> None:
    ledger = FakeLedger()
    for place, who in enumerate(("ann", "bob", "cleo", "dan")):
        used(ledger, str(place + 1), who=f"user/{who}")
    rules = [
        a_quota(subject="user/ann", limit=Decimal(50)),
        a_quota(subject="user/ann", name="small", limit=Decimal(60)),
        a_quota(subject="user/bob", limit=Decimal(120)),
        *(a_quota(subject=f"user/{who}") for who in ("cleo", "dan")),
    ]
    found = short(ledger, *rules)
    assert (found.halted, found.halted_first) == (1, (("user/ann", "until 2026-11-25 00:00"),))
    assert found.running_out_first == (("user/bob, daily", "2026-11-24 14:24"),)
    assert found.spenders == 4
    assert found.spenders_first == (
        ("user/dan", "$4.00"), ("user/cleo", "$3.00"), ("user/bob", "$2.00"),
    )  # fmt: skip
    assert found.models_first == (("Nova Pro", "$10.00"),)
    assert (found.tokens, found.requests) == (400, 4)


def test_what_was_used_before_this_month_is_on_no_card() -> None:
    ledger = FakeLedger()
    used(ledger, "9", 30)
    found = short(ledger, a_quota())
    assert (found.spenders, found.models_first, found.tokens) == (0, (), 0)
