"""Gathering: usage, quotas, blocks and money of everybody, out of the ledger and the rules."""

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import Event

import pytest

from builders import HAIKU, NOON, UTC_ZONE, a_quota
from fakes import FakeLedger
from page_reading import leave_undrawn
from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.ledger import Record, Standing, UsedUp, WouldDeny
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.quota import Action, Rule, Share
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.place import Place
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.core.usage.window import Unit, Window, hour_start
from quota_enforcer.insight.report import model
from quota_enforcer.insight.report.gather import Gathering
from quota_enforcer.insight.report.lines import lines, stopped
from quota_enforcer.insight.report.model import Person, ReportSource, UsageReport
from quota_enforcer.insight.report.page import render
from quota_enforcer.insight.report.summary.money import Money
from quota_enforcer.insight.status import State
from quota_enforcer.insight.usage import UsageRead
from world import principal

DAY = timedelta(days=1)
CONTEXT = Context(NOON, UTC_ZONE, Mode.ENFORCE)
NOVA = "amazon.nova-lite-v1:0"


@dataclass
class CountedLedger(FakeLedger):
    """Counts how often each one's usage is read."""

    read: Counter[Principal] = field(default_factory=Counter)

    def usage(self, principal: Principal, first: date) -> Usage:
        self.read[principal] += 1
        return super().usage(principal, first)


@pytest.fixture
def ledger() -> CountedLedger:
    return CountedLedger()


def used(
    ledger: FakeLedger,
    who: str,
    cost: str,
    at: datetime = NOON,
    model: str = HAIKU,
    place: str = "",
) -> None:
    """A hundred tokens for so many dollars."""
    counts = Counts(1, 100, cost_usd=Decimal(cost))
    bucket = Bucket(principal(who), model, at.date(), place)
    ledger.set_hours(bucket, {hour_start(at, UTC_ZONE): counts})


def gathered(
    ledger: FakeLedger, rules: Iterable[Rule] = (), days: int = 60, context: Context = CONTEXT
) -> UsageReport:
    gathering = Gathering(ledger, rules, context, days)
    people = {record.principal: record for record in gathering.everybody()}
    return gathering.report(ReportSource("stack"), map(gathering.person, people.values()))


def named(*subject: str) -> list[Rule]:
    """Rules that make the report know these."""
    return [a_quota(subject=subject, name=f"q{place}") for place, subject in enumerate(subject)]


def person(report: UsageReport, who: str) -> Person:
    return next(each for each in report.people if str(each.principal) == who)


def test_everybody_is_who_the_ledger_knows_or_a_quota_names(ledger: CountedLedger) -> None:
    rules = [
        a_quota(subject="user/bob"),
        a_quota(subject="user/*"),
        a_quota(subject="default"),
        a_quota(subject="team/pool", members=("user/ann",), share=Share.POOL),
        a_quota(subject="team/each", members=("user/eve",)),
    ]
    report = gathered(ledger, rules)
    assert [str(each.principal) for each in report.people] == [
        "team/pool",
        "user/ann",
        "user/bob",
        "user/eve",
    ]


def test_usage_is_shown_by_model_and_day_of_the_days_asked_for(ledger: CountedLedger) -> None:
    for days_ago in (0, 1, 13, 14):
        used(ledger, "user/alice", "1", NOON - DAY * days_ago)
    used(ledger, "user/alice", "5", model=NOVA)
    report = gathered(ledger, named("user/alice"), days=14)
    alice = person(report, "user/alice")
    total = alice.total(report.days[0])
    assert (total.requests, total.tokens, total.cost_usd) == (4, 400, Decimal(8))
    assert list(alice.by_day(report.days[0])) == [
        NOON.date() - DAY * 13,
        NOON.date() - DAY,
        NOON.date(),
    ]


def test_the_month_is_read_whole_even_for_a_report_of_one_day(ledger: CountedLedger) -> None:
    used(ledger, "user/alice", "7", datetime(2026, 11, 1, tzinfo=UTC))
    used(ledger, "user/alice", "1")
    report = gathered(ledger, named("user/alice"), days=1)
    assert Money.of(report).month.so_far == 8
    assert person(report, "user/alice").total(report.days[0]).cost_usd == 1


def test_the_month_before_is_told_where_it_was_recorded(ledger: CountedLedger) -> None:
    used(ledger, "user/alice", "3", datetime(2026, 10, 1, tzinfo=UTC))
    used(ledger, "user/alice", "4", datetime(2026, 10, 31, 23, tzinfo=UTC))
    rules = named("user/alice")
    money = Money.of(gathered(ledger, rules))
    assert (money.last_month, money.partly) == (Decimal(7), False)
    assert Money.of(gathered(ledger, rules, days=14)).last_month is None


def test_a_month_before_recorded_in_part_says_so(ledger: CountedLedger) -> None:
    used(ledger, "user/alice", "4", datetime(2026, 10, 20, tzinfo=UTC))
    money = Money.of(gathered(ledger, named("user/alice")))
    assert (money.last_month, money.partly) == (Decimal(4), True)
    assert money.recorded_from == date(2026, 10, 20)


def test_a_month_before_without_any_record_is_missing_not_nothing(ledger: CountedLedger) -> None:
    used(ledger, "user/alice", "4", datetime(2026, 11, 2, tzinfo=UTC))
    assert Money.of(gathered(ledger, named("user/alice"))).last_month is None


def test_a_sessions_calls_are_counted_once_with_its_role(ledger: CountedLedger) -> None:
    used(ledger, "role/ci", "2")
    used(ledger, "session/ci/job-1", "2")
    report = gathered(ledger, named("role/ci", "session/ci/job-1"))
    assert Money.of(report).month.so_far == 2
    [share] = model.by_model(report)
    assert (share.counts.cost_usd, share.people) == (Decimal(2), 1)
    assert len(report.active) == 2


def test_money_by_team_counts_people_to_each_of_theirs_and_the_rest_to_none(
    ledger: CountedLedger,
) -> None:
    for who, cost in (("alice", "5"), ("bob", "3"), ("carol", "1")):
        used(ledger, f"user/{who}", cost)
    used(ledger, "user/alice", "2", NOON - DAY * 30)
    rules = [
        a_quota(subject="team/red", members=("user/alice", "user/bob"), share=Share.POOL),
        a_quota(subject="team/blue", name="other", members=("user/alice", "user/dave")),
        *named("user/carol"),
    ]
    told = [
        (each.name, each.counts.cost_usd, each.month.cost_usd, each.people)
        for each in model.by_team(gathered(ledger, rules))
    ]
    assert told == [
        ("team/red", Decimal(10), Decimal(8), 2),
        ("team/blue", Decimal(7), Decimal(5), 1),
        ("", Decimal(1), Decimal(1), 1),
    ]


def test_bars_are_what_status_shows_with_a_forecast(ledger: CountedLedger) -> None:
    used(ledger, "user/alice", "1")
    rules = [a_quota(limit=Decimal(150)), a_quota(name="monthly", window=Window(Unit.MONTH))]
    daily, monthly = person(gathered(ledger, rules), "user/alice").bars
    assert (daily.row.percent, daily.at_reset) == (66, 133)
    assert daily.runs_out == NOON + timedelta(hours=6)
    assert (monthly.row.percent, monthly.runs_out) == (10, None)
    assert daily.models == "*"


def test_a_pool_is_the_sum_of_its_members(ledger: CountedLedger) -> None:
    used(ledger, "user/ann", "1")
    used(ledger, "user/bob", "1")
    members = ("user/ann", "user/bob")
    rules = [a_quota(subject="team/red", members=members, share=Share.POOL, limit=Decimal(400))]
    report = gathered(ledger, rules)
    [bar] = person(report, "team/red").bars
    assert bar.row.percent == 50
    assert person(report, "team/red").models == {}


def test_everybodys_usage_is_read_once_however_many_pools_they_are_in(
    ledger: CountedLedger,
) -> None:
    used(ledger, "user/ann", "1")
    rules = [
        a_quota(subject=f"team/t{n}", members=("user/ann", "user/bob"), share=Share.POOL)
        for n in range(3)
    ]
    gathered(ledger, rules)
    assert ledger.read == {principal("user/ann"): 1, principal("user/bob"): 1}


def test_who_asks_while_it_is_being_read_waits_for_the_first() -> None:
    """The ledger answers only when the others have had every chance to read too."""
    others = Event()

    class Slow(CountedLedger):
        def usage(self, principal: Principal, first: date) -> Usage:
            found = super().usage(principal, first)
            others.wait(timeout=10)
            return found

    ledger = Slow()
    used(ledger, "user/ann", "1")
    reader = UsageRead(ledger, [], CONTEXT, NOON.date())
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(reader.usage, principal("user/ann"), NOON.date()) for _ in range(4)]
        assert wait(asked, timeout=0.2).done == set()
        others.set()
        assert {len(each.result().models) for each in asked} == {1}
    assert ledger.read[principal("user/ann")] == 1


def test_who_waits_for_a_read_that_fails_is_told_why() -> None:
    class Throttled(CountedLedger):
        def usage(self, principal: Principal, first: date) -> Usage:
            raise TimeoutError(f"throttled at {principal} {first}")

    reader = UsageRead(Throttled(), [], CONTEXT, NOON.date())
    for _ in range(2):
        with pytest.raises(TimeoutError, match="throttled at user/ann"):
            reader.usage(principal("user/ann"), NOON.date())


def test_hours_that_no_quota_counts_any_more_are_let_go(ledger: CountedLedger) -> None:
    for hours_ago in (0, 5, 6, 30):
        used(ledger, "user/ann", "1", NOON - timedelta(hours=hours_ago))
    rolling = a_quota(subject="user/ann", window=Window(Unit.HOUR, rolling=6))
    reader = UsageRead(ledger, [rolling], CONTEXT, NOON.date() - DAY * 60)
    [model] = reader.usage(principal("user/ann"), NOON.date()).models.values()
    assert sorted(model.hours) == [NOON - timedelta(hours=5), NOON]
    assert sum(counts.requests for counts in model.days.values()) == 4


def test_a_window_longer_than_the_report_is_counted_whole(ledger: CountedLedger) -> None:
    used(ledger, "user/alice", "1", NOON - DAY * 80)
    report = gathered(ledger, [a_quota(window=Window(Unit.DAY, rolling=90))], days=7)
    [bar] = person(report, "user/alice").bars
    assert bar.row.used == 100
    assert report.active == []


def test_who_is_stopped_comes_first_then_who_runs_out_soonest(ledger: CountedLedger) -> None:
    used(ledger, "user/a", "1")
    rules = [
        a_quota(subject="user/a", name="fine", limit=Decimal(100_000)),
        a_quota(subject="user/a", name="later", limit=Decimal(190)),
        a_quota(subject="user/a", name="over", limit=Decimal(100)),
        a_quota(subject="user/a", name="soon", limit=Decimal(130)),
    ]
    every = lines(gathered(ledger, rules))
    assert [line.quota for line in every] == ["over", "soon", "later", "fine"]
    [over] = stopped(every)
    assert (over.state, over.why, over.since) == (
        State.OVER,
        "the next sweep blocks",
        "the next sweep says",
    )
    assert [line.runs_out for line in every] == [
        "used up",
        "2026-11-24 15:36",
        "2026-11-24 22:48",
        "not at this pace",
    ]


def observed(ledger: CountedLedger, since: datetime, until: datetime | None) -> None:
    """A sweep noted that alice's daily quota would deny, and warned of it."""
    would = WouldDeny(since, UsedUp(Decimal(100), datetime(2026, 11, 24, tzinfo=UTC), until))
    standing = Standing(would_deny={"user/alice#daily": would})
    ledger.put(Record(principal("user/alice"), standing, version=1))
    warned = Notice(
        NoticeKind.WARNING, since, "user/alice", "daily",
        "why; it blocks nothing, since observe mode blocks nobody", percent=100,
        whom="user/alice", until=until,
    )  # fmt: skip
    ledger.post([warned])


OBSERVE = Context(NOON, UTC_ZONE, Mode.OBSERVE)


def test_what_would_be_blocked_says_since_when_and_until(ledger: CountedLedger) -> None:
    used(ledger, "user/alice", "1")
    observed(ledger, NOON - timedelta(hours=2), datetime(2026, 11, 25, tzinfo=UTC))
    report = gathered(ledger, [a_quota(limit=Decimal(100))], context=OBSERVE)
    [line] = stopped(lines(report))
    assert line.state is State.WOULD_BE_BLOCKED
    assert (line.since, line.until) == ("2026-11-24 10:00", "2026-11-25 00:00")
    assert line.why.startswith("100 of 100 total tokens used today")
    [block] = report.blocks
    assert (block.why, block.end) == ("why", None)


def test_what_no_sweep_noted_yet_is_no_block_yet(ledger: CountedLedger) -> None:
    used(ledger, "user/alice", "1")
    report = gathered(ledger, [a_quota(limit=Decimal(100))], context=OBSERVE)
    [line] = stopped(lines(report))
    assert (line.state, line.since) == (State.WOULD_BE_BLOCKED, "the next sweep says")
    assert not report.blocks


def test_what_has_ended_is_no_longer_a_block_though_no_sweep_noted_it(
    ledger: CountedLedger,
) -> None:
    """A rolling window is free again before the sweep, or a raise has just been made."""
    used(ledger, "user/alice", "1")
    observed(ledger, NOON - timedelta(hours=2), NOON - timedelta(hours=1))
    [block] = gathered(ledger, [a_quota(limit=Decimal(500))], context=OBSERVE).blocks
    assert (block.start, block.end) == (NOON - timedelta(hours=2), NOON - timedelta(hours=1))
    assert block.ended == "the limit is now 500"


def test_whom_no_deny_reaches_comes_before_whom_observe_mode_leaves_open(
    ledger: CountedLedger,
) -> None:
    """In the order of `status`: enforce mode would help with the latter alone."""
    used(ledger, "user/alice", "1")
    used(ledger, "sso/zoe", "1")
    rules = [
        a_quota(subject=subject, limit=Decimal(100), action=action, name=name)
        for subject, action, name in (
            ("user/alice", Action.NOTIFY, "told"),
            ("user/alice", Action.DENY, "daily"),
            ("sso/zoe", Action.DENY, "daily"),
        )
    ]
    every = lines(gathered(ledger, rules, context=OBSERVE))
    states = [line.state for line in every]
    assert states == [State.COULD_NOT_BE_BLOCKED, State.WOULD_BE_BLOCKED, State.OVER]
    assert states == sorted(states, key=list(State).index)
    assert stopped(every) == every


def test_what_admins_were_told_of_the_deployment_in_these_days(ledger: CountedLedger) -> None:
    for days_ago in (0, 59, 60):
        at = NOON - DAY * days_ago
        ledger.post([Notice(NoticeKind.BREAKER, at, "", "", "too many")])
    ledger.post([Notice(NoticeKind.COULD_NOT_DENY, NOON, "", "", "no block of anybody")])
    told = gathered(ledger).others
    assert [each.at for each in told] == [NOON - DAY * 59, NOON]


def undrawn(report: UsageReport) -> str:
    with pytest.MonkeyPatch.context() as patch:
        leave_undrawn(patch)
        return render(report)


class TestPlaces:
    """Where it was used: shares by account and by Region, and in the page only where several."""

    CONTEXT = replace(CONTEXT, home=Place("111122223333", "us-east-1"))
    MEMBER = "444455556666/role/ci"

    def shares(self, report: UsageReport) -> dict[str, tuple[str, str, int]]:
        every = (*model.by_account(report), *model.by_region(report))
        return {each.name: (str(each.counts.cost_usd), str(each.month.cost_usd), each.people)
                for each in every}  # fmt: skip

    def test_each_account_and_region_has_its_share(self, ledger: CountedLedger) -> None:
        used(ledger, "sso/ann", "1")
        used(ledger, "sso/ann", "20", place="444455556666/eu-west-1")
        used(ledger, "sso/ann", "300", NOON - 30 * DAY, place="444455556666/eu-west-1")
        used(ledger, self.MEMBER, "4000", model=NOVA, place="444455556666/us-east-1")
        used(ledger, "444455556666/session/ci/run", "4000", place="444455556666/us-east-1")
        rules = named("sso/ann", self.MEMBER, "444455556666/session/ci/run")
        report = gathered(ledger, rules, context=self.CONTEXT)
        assert self.shares(report) == {
            "444455556666": ("4320", "4020", 2),
            "111122223333": ("1", "1", 1),
            "us-east-1": ("4001", "4001", 2),
            "eu-west-1": ("320", "20", 1),
        }
        page = undrawn(report)
        assert "Money by account" in page
        assert "Money by Region" in page

    def test_usage_at_home_alone_is_one_place(self, ledger: CountedLedger) -> None:
        used(ledger, "user/ann", "1")
        report = gathered(ledger, named("user/ann"), context=self.CONTEXT)
        assert list(self.shares(report)) == ["111122223333", "us-east-1"]
        page = undrawn(report)
        assert "Money by account" not in page
        assert "Money by Region" not in page

    def test_days_that_are_not_shown_and_empty_ones_are_nobodys(
        self, ledger: CountedLedger
    ) -> None:
        used(ledger, "user/ann", "1", NOON - 10 * DAY, place="111122223333/eu-west-1")
        report = gathered(ledger, named("user/ann"), days=3, context=self.CONTEXT)
        assert self.shares(report)["eu-west-1"] == ("0", "1", 0)
