"""The page: whole in one file, safe with any name, and honest about what it does not know."""

import base64
import hashlib
import json
import re
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from builders import HAIKU, NOON, UTC_ZONE, a_quota
from fakes import FakeLedger
from page_reading import PageReading, leave_undrawn
from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.quotas.quota import Rule, Share
from quota_enforcer.core.usage.counts import Counts, Measure
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.core.usage.window import hour_start
from quota_enforcer.insight.report import page
from quota_enforcer.insight.report.gather import Gathering
from quota_enforcer.insight.report.model import ReportSource, UsageReport
from report_scene import HOSTILE, NOW, company
from world import principal

SWEPT = SweepState(NOON, NOON, fresh_at=NOON)


def a_report(
    *rules: Rule, ledger: FakeLedger | None = None, mode: Mode = Mode.ENFORCE, days: int = 60
) -> UsageReport:
    gathering = Gathering(ledger or FakeLedger(), rules, Context(NOON, UTC_ZONE, mode), days)
    report = gathering.report(ReportSource("stack"), map(gathering.person, gathering.everybody()))
    return replace(report, state=SWEPT)


def used(ledger: FakeLedger, who: str, at: datetime = NOON, **counts: Any) -> None:
    bucket = Bucket(principal(who), HAIKU, at.date())
    ledger.set_hours(bucket, {hour_start(at, UTC_ZONE): Counts(1, 600, **counts)})


def of_alice(*, days_ago: int = 0, cost: str = "2", assumed: str = "0") -> FakeLedger:
    ledger = FakeLedger()
    money = {"cost_usd": Decimal(cost), "assumed_usd": Decimal(assumed)}
    used(ledger, "user/alice", NOON - timedelta(days=days_ago), **money)
    return ledger


def read(report: UsageReport) -> PageReading:
    """What stands on the page beside its drawings."""
    with pytest.MonkeyPatch.context() as patch:
        leave_undrawn(patch)
        return PageReading(page.render(report))


@cache
def reading_of(html: str) -> PageReading:
    """Of a page that several tests look at."""
    return PageReading(html)


def is_wide_image(attributes: dict[str, str]) -> bool:
    return attributes.get("role") == "img" and "wide" in attributes["class"]


def flat(reading: PageReading) -> str:
    """The page's text with every run of blanks as one."""
    return " ".join(reading.text.split())


def words(report: UsageReport) -> str:
    return flat(read(report))


@pytest.fixture(scope="module")
def of_company() -> str:
    return page.render(company(6).report())


@pytest.fixture(scope="module")
def without_doubts() -> str:
    return words(a_report(a_quota()))


def test_nothing_in_the_page_leads_to_a_network(of_company: str) -> None:
    reading = reading_of(of_company)
    for tag, attributes in reading.tags:
        assert not {"src", "srcset", "action", "background"} & attributes.keys(), tag
        assert tag not in {"link", "iframe", "object", "embed", "img", "base", "image"}
        for name in ("href", "xlink:href"):
            assert attributes.get(name, "#").startswith("#")
    assert "url(" not in of_company
    assert "@import" not in of_company


def test_the_page_forbids_every_network_and_every_script_but_its_own(of_company: str) -> None:
    [policy] = [
        each["content"]
        for each in reading_of(of_company).of("meta")
        if each.get("http-equiv") == "Content-Security-Policy"
    ]
    script = of_company.rpartition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_hostile_names_stay_text_everywhere(of_company: str) -> None:
    reading = reading_of(of_company)
    assert HOSTILE not in of_company
    assert HOSTILE in {row[0] for row in reading.tables["Money by team"]}
    assert any(HOSTILE in " ".join(row) for row in reading.tables["What else admins were told"])
    assert not list(reading.of("img"))


@pytest.mark.parametrize("name", ["</script><script>x", '"><svg onload=x>', "{{ 7 }}", "&lt;b"])
def test_a_hostile_principal_stays_text_in_tables_charts_and_details(name: str) -> None:
    who = f"team/{name}"
    ledger = FakeLedger()
    ledger.post([Notice(NoticeKind.BLOCKED, NOON - timedelta(hours=1), who, "daily", name)])
    used(ledger, "user/ann", cost_usd=Decimal(1))
    html = page.render(
        a_report(a_quota(subject=who, members=("user/ann",), share=Share.POOL), ledger=ledger)
    )
    reading = PageReading(html)
    assert reading.tables["Every quota of every principal"][1][0] == who
    assert len(list(reading.of("script"))) == 2
    assert not any("onload" in attributes for _, attributes in reading.tags)


def test_names_in_any_alphabet_are_kept(of_company: str) -> None:
    names = {row[0] for row in reading_of(of_company).tables["Money by team"]}
    assert {"營運", "ärzte"} <= names


def test_money_of_the_month_stands_first_with_where_it_leads() -> None:
    ledger = of_alice(cost="14")
    for days_ago in range(1, 9):
        used(ledger, "user/alice", NOON - timedelta(days=days_ago), cost_usd=Decimal(7))
    said = words(a_report(a_quota(), ledger=ledger))
    assert "November 2026 $70.00 so far, → $115.50 projected by Mon 30 Nov 2026" in said
    assert "Projected from the last 7 whole days, $7.00 a day on average." in said


def test_a_first_day_of_usage_projects_nothing() -> None:
    said = words(a_report(a_quota(), ledger=of_alice()))
    assert "$2.00 so far No projection yet: it needs a whole day of usage." in said


def test_assumed_prices_are_flagged_wherever_money_is() -> None:
    report = a_report(a_quota(measure=Measure.COST_USD), ledger=of_alice(cost="9", assumed="4.5"))
    reading = read(report)
    said = flat(reading)
    assert f"Prices are assumed, in part at least, for {HAIKU}. No price is known, or" in said
    assert "$4.50 of this month is at assumed prices." in said
    assert "$9.00 in 60 days, $4.50 of it at assumed prices" in said
    tables = reading.tables
    assert tables["Everybody who used Bedrock in 60 days"][1][5] == "$4.50"
    assert tables["Money by model"][1][4] == "$4.50"
    assert tables["Every quota of every principal"][1][2] == "0 % | ~$9.00 of $1,000.00"


def test_days_before_the_first_record_are_missing_not_nothing() -> None:
    html = page.render(a_report(a_quota(), ledger=of_alice(days_ago=3)))
    assert "Nothing is recorded before Sat 21 Nov 2026." in flat(PageReading(html))
    assert "nothing recorded" in html
    whole = a_report(a_quota(), ledger=of_alice(days_ago=59))
    assert "nothing recorded" not in page.render(whole).lower()


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (SweepState(), "No sweep has finished yet."),
        (replace(SWEPT, fresh_at=None), "No usage has been metered yet."),
        (
            replace(SWEPT, finished=NOON - timedelta(hours=2, minutes=5)),
            "The last sweep was 2 h 5 min ago, at 2026-11-24 09:55.",
        ),
        (
            replace(SWEPT, breaker_since=NOON - timedelta(hours=1)),
            "The breaker holds new blocks since 2026-11-24 11:00.",
        ),
        (replace(SWEPT, closed=True), "The stack is being deleted."),
    ],
)
def test_what_makes_the_numbers_doubtful_is_said(
    state: SweepState, said: str, without_doubts: str
) -> None:
    assert said in words(replace(a_report(a_quota()), state=state))
    assert said not in without_doubts


def test_when_it_was_made_and_whose_clock_that_is() -> None:
    assert "Made 2026-11-24 12:00; all times are of UTC. Newest usage 2026-11-24 12:00." in words(
        a_report()
    )


def test_an_empty_deployment_says_so_in_every_part() -> None:
    said = words(a_report())
    for sentence in (
        "Nobody is blocked: no quota is used up.",
        "No quota applies to anybody yet.",
        "Nothing was metered in these days.",
        "Nobody was blocked in these days.",
        "There are no teams",
    ):
        assert sentence in said


def test_observe_mode_says_would_be_and_never_blocked() -> None:
    report = a_report(a_quota(limit=Decimal(500)), ledger=of_alice(), mode=Mode.OBSERVE)
    reading = read(report)
    said = flat(reading)
    assert "Observe mode blocks nobody." in said
    assert "Who would be blocked now, and why" in said
    [line] = reading.tables["Used-up quotas"][1:]
    assert line[:3] == [
        "user/alice",
        "would be blocked",
        "600 of 500 total tokens used today (quota daily of user/alice)",
    ]


def test_a_forecast_is_drawn_only_for_what_is_still_open() -> None:
    rules = a_quota(limit=Decimal(1000)), a_quota(name="over", limit=Decimal(600))
    html = page.render(a_report(*rules, ledger=of_alice()))
    assert re.findall(r'<span class="bar ([a-z-]+)" aria-hidden="true">(.*?)</span>6', html) == [
        ("ok", '<i style="width:60%"></i><b style="width:40%"></b>')
    ]
    assert 'class="bar over" aria-hidden="true"><i style="width:100%"></i></span>100' in html


def test_who_has_no_quota_is_marked() -> None:
    ledger = of_alice()
    tables = read(
        a_report(a_quota(subject="team/x", members=("user/alice",)), ledger=ledger)
    ).tables
    assert tables["Everybody who used Bedrock in 60 days"][1][0] == "user/alice"
    other = read(a_report(a_quota(until=NOON), ledger=ledger)).tables
    assert other["Everybody who used Bedrock in 60 days"][1][0] == "user/alice | no quota"


def test_tables_that_grow_too_long_say_what_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MOST_QUOTAS", "MOST_PEOPLE", "MOST_BLOCKS", "MOST_OTHERS"):
        monkeypatch.setattr(page, name, 1)
    ledger = FakeLedger()
    for who in ("user/a", "user/b"):
        used(ledger, who)
        ledger.post([Notice(NoticeKind.BLOCKED, NOON - timedelta(hours=1), who, "daily", "why")])
        ledger.post([Notice(NoticeKind.BREAKER, NOON - timedelta(hours=1), "", who, "why")])
    captions = read(
        a_report(a_quota(subject="user/a"), a_quota(subject="user/b"), ledger=ledger)
    ).tables
    assert {
        "The 1 most urgent of 2 quotas; quota-enforcer status has all": 2,
        "The 1 of 2 principals that cost most in 60 days": 2,
        "The newest 1 of 2 blocks, from when to when; quota-enforcer history has all": 2,
        "The newest 1 of 2 other things that admins were told": 2,
    }.items() <= {caption: len(rows) for caption, rows in captions.items()}.items()


def test_rows_beyond_the_first_are_there_but_wait_to_be_asked_for(of_company: str) -> None:
    quotas = of_company.partition('class="quotas stacked"')[2].partition("</table>")[0]
    rows = quotas.count("<tr") - 1
    assert rows > 15
    assert quotas.count('<tr class="m">') == rows - 15


def test_charts_have_words_and_the_same_numbers_as_a_table() -> None:
    ledger = of_alice(cost="2.50")
    used(ledger, "user/bob", NOON - timedelta(days=1), cost_usd=Decimal(1))
    reading = read(a_report(a_quota(), a_quota(subject="user/bob"), ledger=ledger))
    tokens, dollars = (each["aria-label"] for each in reading.of("div") if is_wide_image(each))
    of_days = "a day by model, Sat 26 Sep 2026 to Tue 24 Nov 2026:"
    most = "in all; most on Tue 24 Nov 2026:"
    assert tokens == f"Tokens {of_days} 1,200 {most} 600. A table has every number."
    assert dollars == f"US dollars {of_days} $3.50 {most} $2.50. A table has every number."
    assert reading.tables["US dollars a day by model"] == [
        ["Day", "All", "Claude 3 Haiku"],
        ["Tue 24 Nov 2026", "$2.50", "$2.50"],
        ["Mon 23 Nov 2026", "$1.00", "$1.00"],
    ]


def test_every_table_has_a_caption_and_every_head_a_scope(of_company: str) -> None:
    reading = reading_of(of_company)
    assert len(list(reading.of("table"))) == len(list(reading.of("caption")))
    assert all(head.get("scope") in {"col", "row"} for head in reading.of("th"))


def test_ids_are_unique_and_labels_lead_somewhere(of_company: str) -> None:
    tags = reading_of(of_company).tags
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    asked = {
        attributes["aria-labelledby"] for _, attributes in tags if "aria-labelledby" in attributes
    }
    asked |= {attributes["href"][1:] for _, attributes in tags if "href" in attributes}
    assert asked <= set(ids)


def test_the_details_hold_everybodys_days_exactly() -> None:
    ledger = of_alice(cost="1.2345678", assumed="0.0000004")
    html = page.render(a_report(a_quota(), ledger=ledger, days=2))
    packed = html.partition('id="details">')[2].partition("<")[0]
    details = json.loads(zlib.decompress(base64.b64decode(packed)))
    assert details == {
        "days": ["2026-11-23", "2026-11-24"],
        "models": ["Claude 3 Haiku"],
        "people": {"user/alice": [[0, [1], [1], [600], [1_234_568], [0]]]},
    }


def test_a_page_of_one_day_and_of_a_year_can_be_drawn() -> None:
    ledger = of_alice(days_ago=0)
    for days in (1, 400):
        html = page.render(a_report(a_quota(), ledger=ledger, days=days))
        assert f"Covers {days} day" in flat(PageReading(html))


def test_times_are_the_deployments(of_company: str) -> None:
    assert datetime(2026, 11, 24, 13, 40, tzinfo=UTC) == NOW
    said = flat(reading_of(of_company))
    assert "Made 2026-11-24 14:40; all times are of Europe/Berlin." in said
