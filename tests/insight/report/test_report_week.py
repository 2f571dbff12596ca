"""The digest's words: the report's sums over a week, and what is not known is said."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from builders import HAIKU, UTC_ZONE, a_quota
from fakes import FakeLedger
from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.ledger import Record, SweepState
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.quotas.quota import Rule
from quota_enforcer.core.usage.counts import Counts, Measure
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.core.usage.window import Unit, Window, hour_start, local_date
from quota_enforcer.insight.report.model import ReportSource
from quota_enforcer.insight.report.summary.week import ReportOfWeek
from world import principal

MONDAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 7, tzinfo=UTC)
DAY = timedelta(days=1)
CONTEXT = Context(NOW, UTC_ZONE, Mode.ENFORCE)
EVERYBODY = a_quota(subject="default", name="d", limit=Decimal(10**12))


def used(
    ledger: FakeLedger, who: str, cost: str, at: datetime, assumed: str = "0",
    zone: ZoneInfo = UTC_ZONE,
) -> None:  # fmt: skip
    counts = Counts(1, 100, cost_usd=Decimal(cost), assumed_usd=Decimal(assumed))
    bucket = Bucket(principal(who), HAIKU, local_date(at, zone))
    ledger.set_hours(bucket, {hour_start(at, zone): counts})


def week(
    ledger: FakeLedger,
    *rules: Rule,
    context: Context = CONTEXT,
    most: int = 100,
) -> tuple[str, dict[str, str]]:
    """The headline, and the facts by label."""
    ledger.finish(SweepState(context.now, context.now))
    known = [a_quota(subject=f"user/{each}", name="k", limit=Decimal(10**12)) for each in "abcdefg"]
    told = ReportOfWeek(ledger, ReportSource("stack"), most).week([*rules, *known], context, MONDAY)
    return told[0], dict(told[1])


@pytest.fixture
def ledger() -> FakeLedger:
    """$10 a day for three weeks, and $20 a day in the last of them."""
    ledger = FakeLedger()
    for days in range(21):
        used(ledger, "user/a", "20" if 1 <= days <= 7 else "10", NOW - days * DAY)
    return ledger


def test_the_week_is_from_monday_to_sunday_and_held_against_the_one_before(
    ledger: FakeLedger,
) -> None:
    headline, facts = week(ledger)
    assert headline == "$140.00 in the week to 22 Nov, 100 % more"
    assert facts["Dollars"].startswith("$140.00 in the week. The week before: $70.00. ")
    assert facts["Dollars"].endswith("This month so far: $280.00, at this pace $434.17 by its end")


def test_one_that_is_told_late_says_the_same(ledger: FakeLedger) -> None:
    late = replace(CONTEXT, now=NOW + 2 * DAY)
    assert week(ledger, context=late)[0] == week(ledger)[0]


def test_days_are_those_of_the_deployments_clock() -> None:
    zone, ledger = ZoneInfo("Asia/Tokyo"), FakeLedger()
    for hour, cost in ((14, "1"), (15, "2")):  # 23:00 on Sunday, and Monday
        used(ledger, "user/a", cost, datetime(2026, 11, 15, hour, tzinfo=UTC), zone=zone)
        used(ledger, "user/a", cost, datetime(2026, 11, 22, hour, tzinfo=UTC), zone=zone)
    ledger.zone = zone
    headline, facts = week(ledger, context=replace(CONTEXT, zone=zone))
    assert headline.startswith("$3.00 in the week to 22 Nov")
    assert "The week before: $1.00" in facts["Dollars"]


def test_a_week_before_that_was_recorded_in_part_is_not_compared() -> None:
    ledger = FakeLedger()
    for days in range(12):
        used(ledger, "user/a", "10", NOW - days * DAY)
    headline, facts = week(ledger)
    assert headline == "$70.00 in the week to 22 Nov"
    assert "The week before: $40.00, recorded from Thu 12 Nov 2026 only." in facts["Dollars"]


def test_of_a_first_week_it_says_since_when_it_is_known() -> None:
    ledger = FakeLedger()
    used(ledger, "user/a", "10", NOW - 2 * DAY)
    headline, facts = week(ledger)
    assert headline == "$10.00 in the week to 22 Nov"
    assert "Nothing is recorded before Sat 21 Nov 2026." in facts["Dollars"]
    assert "week before" not in facts["Dollars"]


def test_nothing_recorded_is_no_zero() -> None:
    headline, facts = week(FakeLedger())
    assert headline == "no usage recorded in the week to 22 Nov"
    assert facts["Dollars"] == "Nothing is recorded, which does not mean that nothing was used"
    assert "Top five" not in facts


def test_a_week_without_usage_between_others_cost_nothing() -> None:
    ledger = FakeLedger()
    used(ledger, "user/a", "10", NOW - 16 * DAY)
    assert week(ledger)[0] == "$0.00 in the week to 22 Nov"


def test_assumed_prices_are_said(ledger: FakeLedger) -> None:
    used(ledger, "user/b", "5", NOW - DAY, assumed="4")
    assert "$145.00 in the week, $4.00 of it at assumed prices." in week(ledger)[1]["Dollars"]


def test_five_are_named_by_what_they_used_in_the_week(ledger: FakeLedger) -> None:
    for place, who in enumerate("bcdefg"):
        used(ledger, f"user/{who}", str(10 * place), NOW - 2 * DAY)
    used(ledger, "user/b", "1000", NOW)  # is of the next week
    assert week(ledger)[1]["Top five"] == (
        "user/a $140.00 (48 %); user/g $50.00 (17 %); user/f $40.00 (14 %); user/e $30.00 (10 %); "
        "user/d $20.00 (7 %); and 2 more"
    )


def test_blocks_of_the_week_and_those_of_now_are_told(ledger: FakeLedger) -> None:
    at = NOW - 3 * DAY
    told = [
        Notice(NoticeKind.BLOCKED, when, "user/a", "daily", "why", 2, Decimal(1), "total tokens")
        for when in (NOW - 9 * DAY, at)
    ]
    ended = [
        Notice(NoticeKind.RESTORED, each.at + timedelta(hours=2), "user/a", "daily", "why")
        for each in told
    ]
    ledger.post([*told, *ended])
    spent = a_quota(subject="user/a", limit=Decimal(10), window=Window(Unit.MONTH))
    assert week(ledger, spent)[1]["Blocks"] == (
        "blocked in the week 1 time: user/a; used up now: user/a, daily, until 2026-12-01 00:00"
    )


def test_where_nothing_is_blocked_that_is_said(ledger: FakeLedger) -> None:
    assert week(ledger)[1]["Blocks"] == "nobody in the week; no quota is used up now"


def test_what_runs_out_is_what_the_report_says(ledger: FakeLedger) -> None:
    nearly = a_quota(
        subject="user/a", measure=Measure.COST_USD, limit=Decimal(330), window=Window(Unit.MONTH)
    )
    assert week(ledger, nearly)[1]["Runs out"].startswith("user/a, daily, 2026-11-2")
    assert week(ledger)[1]["Runs out"] == "no quota before its reset, at this pace"


def test_what_no_quota_counts_is_that_of_the_same_week(ledger: FakeLedger) -> None:
    used(ledger, "user/zed", "7", NOW - 7 * DAY)
    used(ledger, "user/zed", "9", NOW)
    ledger.put(Record(principal("user/zed")).next())
    assert week(ledger)[1]["Not covered"].startswith(
        "Under no quota: 1 call of 8 (12 %) and $7.00 of $147.00, by user/zed"
    )


def test_calls_that_were_not_metered_are_told(ledger: FakeLedger) -> None:
    kinds = NoticeKind.METERING_GAP, NoticeKind.METERING_GAP, NoticeKind.METERING_HEALED
    ledger.post(
        Notice(kind, NOW - 2 * DAY + number * timedelta(hours=1), "", "", "why")
        for number, kind in enumerate(kinds)
    )
    ledger.post([Notice(NoticeKind.METERING_GAP, NOW, "", "", "of the next week")])
    assert week(ledger)[1]["Not metered"] == (
        "2 notices of calls that were not metered, 1 that they count now"
    )


def test_what_makes_the_numbers_doubtful_is_said(ledger: FakeLedger) -> None:
    ledger.turn_breaker(NOW - DAY, ledger.state(), "token")
    said = week(ledger)[1]["Look at"]
    assert said == "The breaker holds new blocks since 2026-11-22 07:00"


def test_more_than_fit_into_memory_are_told_and_not_read(ledger: FakeLedger) -> None:
    headline, facts = week(ledger, most=6)
    assert headline == "the week to 22 Nov is not summed up"
    assert facts["Why"].startswith("7 principals are known, and the enforcer's memory is for 6 ")
    assert week(ledger, most=7)[0].startswith("$140.00")


def test_long_names_fit_a_chat(ledger: FakeLedger) -> None:
    """A description of a chat has 2,900 characters; what comes after is cut."""
    rules = []
    for number in range(9):
        who = f"user/{number}{'n' * 62}"
        used(ledger, who, str(number + 1), NOW - DAY)
        name = f"{number}{'q' * 200}"
        rules.append(a_quota(subject=who, name=name, limit=Decimal(10), window=Window(Unit.MONTH)))
    _, facts = week(ledger, *rules)
    assert len("".join(facts.values())) < 2_900
    assert all(label in facts for label in ("Top five", "Runs out", "Not covered"))
