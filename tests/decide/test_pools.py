"""Pools in the pure core: whose usage counts, who is denied, and who is told what."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import ALICE, HAIKU, HOUR, NOON, UTC_ZONE, a_quota, kinds, tokens
from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.ledger import Level, Standing
from quota_enforcer.core.notices.message import message
from quota_enforcer.core.notices.notice import NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import UNLIMITED, Action, Exemption, Quota, Rule, Share
from quota_enforcer.core.quotas.subject import Subject
from quota_enforcer.core.usage.buckets import ModelUsage, Usage, pooled
from quota_enforcer.core.usage.counts import OBSERVED, Counts, Measure
from quota_enforcer.core.usage.model import ModelScope
from quota_enforcer.decide.decision import Decision, decide

TEAM = Principal.parse("team/research")
BOB = Principal.parse("user/bob")
ANN = Principal.parse("sso/ann")
MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)
ALL = frozenset({"*"})


def a_pool(*members: str, **but: Any) -> Quota:
    """1,000 total tokens a day for alice and bob together."""
    members = members or ("user/alice", "user/bob")
    return a_quota(**{"subject": str(TEAM), "members": members, "share": Share.POOL, **but})


class Pool:
    """A team and its members over time: what each used, and how each stands."""

    def __init__(self, *rules: Rule, mode: Mode = Mode.ENFORCE, gated: bool = False) -> None:
        self.rules: tuple[Rule, ...] = rules
        self.mode = mode
        self.gated = gated
        self.standings: dict[Principal, Standing] = {}

    def at(self, now: datetime, who: Principal, **used: int | dict[datetime, int]) -> Decision:
        """Decide about one of them; `alice=600` has used so much in the present hour."""
        book = QuotaBook(self.rules)
        usages = {
            Principal.parse(f"user/{name}"): tokens({now: each} if isinstance(each, int) else each)
            for name, each in used.items()
        }
        applicable = book.applicable_to(who, now)
        pools = {
            quota.id: pooled(usages.get(each, Usage()) for each in book.contributors[quota.id])
            for quota in applicable.quotas
            if quota.pooled
        }
        context = Context(now, UTC_ZONE, self.mode, gated=self.gated)
        before = self.standings.get(who, Standing())
        decision = decide(who, applicable, usages.get(who, Usage()), before, context, pools)
        self.standings[who] = decision.standing
        return decision


@pytest.mark.parametrize("who", [TEAM, ALICE, BOB], ids=str)
def test_what_all_used_together_spends_it_for_everybody(who: Principal) -> None:
    pool = Pool(a_pool())
    assert pool.at(NOON, who, alice=600, bob=399).standing.denied == frozenset()
    assert pool.at(NOON, who, alice=600, bob=400).standing.denied == ALL
    assert pool.standings[who].level is Level.OVER


def test_who_never_called_is_denied_too() -> None:
    assert Pool(a_pool()).at(NOON, BOB, alice=1000).standing.denied == ALL


def test_the_team_is_warned_and_the_members_are_not() -> None:
    pool = Pool(a_pool(warn_at=(50, 80)))
    assert kinds(pool.at(NOON, TEAM, alice=500)) == ["warning 50"]
    assert kinds(pool.at(NOON, ALICE, alice=500)) == []
    assert kinds(pool.at(NOON, TEAM, alice=900)) == ["warning 80"]
    assert kinds(pool.at(NOON, TEAM, alice=1000)) == ["blocked"]
    assert kinds(pool.at(NOON, ALICE, alice=1000)) == ["blocked"]
    assert pool.standings[ALICE].warned == {}


@pytest.mark.parametrize("who", [TEAM, ALICE], ids=str)
def test_it_is_free_again_when_the_window_rolls_over(who: Principal) -> None:
    pool = Pool(a_pool())
    used = {NOON: 1000}
    blocked = pool.at(NOON, who, bob=used)
    assert blocked.standing.due == MIDNIGHT
    assert kinds(pool.at(MIDNIGHT - HOUR, who, bob=used)) == []
    freed = pool.at(MIDNIGHT, who, bob=used)
    assert kinds(freed) == ["restored"]
    assert freed.notices[0].reason == "the window has rolled over"


@pytest.mark.parametrize("who", [TEAM, ALICE], ids=str)
def test_a_raise_frees_it_and_holds_again_when_it_ends(who: Principal) -> None:
    pool = Pool(a_pool())
    pool.at(NOON, who, bob=1000)
    pool.rules = (a_pool(raise_to=Decimal(5000), raise_until=NOON + 2 * HOUR),)
    raised = pool.at(NOON, who, bob=1000)
    assert kinds(raised) == ["restored"]
    assert raised.notices[0].reason == "the limit of the pool of team/research is now 5,000"
    assert raised.standing.due == NOON + 2 * HOUR
    ended = pool.at(NOON + 2 * HOUR, who, bob={NOON: 1000})
    assert ended.standing.denied == ALL


def test_a_pardon_of_a_pool_is_a_raise_without_limit() -> None:
    raised = a_pool(raise_to=UNLIMITED, raise_until=MIDNIGHT)
    assert Pool(raised).at(NOON, ALICE, bob=9999).standing.denied == frozenset()


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param([], id="removed or disabled"),
        pytest.param([a_pool("user/bob")], id="no member any more"),
        pytest.param([a_pool(), Exemption(Subject("user/alice"), "daily")], id="exempt herself"),
        pytest.param([a_pool(), a_quota(limit=Decimal(50_000))], id="an own limit"),
        pytest.param([a_pool(until=NOON + HOUR)], id="the item has ended"),
    ],
)
def test_what_else_frees_a_member(rules: list[Rule]) -> None:
    pool = Pool(a_pool())
    pool.at(NOON, ALICE, bob=1000)
    pool.rules = tuple(rules)
    assert kinds(pool.at(NOON + HOUR, ALICE, bob=1000)) == ["restored"]


def test_the_usage_of_who_is_exempt_counts_all_the_same() -> None:
    pool = Pool(a_pool(), Exemption(Subject("user/alice"), "daily"))
    assert pool.at(NOON, BOB, alice=1000).standing.denied == ALL
    assert pool.at(NOON, ALICE, alice=1000).standing.denied == frozenset()


def test_an_own_quota_is_held_against_ones_own_usage() -> None:
    pool = Pool(a_pool(), a_quota(name="own", limit=Decimal(300)))
    decision = pool.at(NOON, ALICE, alice=299, bob=500)
    assert [(each.quota.name, each.used) for each in decision.verdicts] == [
        ("daily", 799),
        ("own", 299),
    ]
    assert pool.at(NOON, ALICE, alice=300).standing.denied == ALL


def test_a_blocked_member_is_told_whose_pool_it_is() -> None:
    pool = Pool(a_pool())
    notice = pool.at(NOON, ALICE, bob=1234).notices[0]
    sent = message(notice, ZoneInfo("UTC"), "x")
    assert sent.subject == "Blocked until 25 Nov 00:00 UTC: quota daily, team/research, user/alice"
    assert sent.headline == (
        "Amazon Bedrock is blocked for user/alice: the pool of team/research is used up"
    )
    assert (
        "Why: the pool of team/research is used up: 1,234 of 1,000 total tokens used today by all "
        "members (quota daily).\n"
        "Opens again: 2026-11-25 00:00 UTC, in 12 h.\n"
    ) in sent.body


def test_the_team_is_told_like_anybody() -> None:
    pool = Pool(a_pool())
    (warned,) = pool.at(NOON, TEAM, bob=845).notices
    (blocked,) = pool.at(NOON, TEAM, bob=1234).notices
    subjects = [message(each, ZoneInfo("UTC"), "x").subject for each in (warned, blocked)]
    assert subjects == [
        "84 % used, resets 25 Nov 00:00 UTC: quota daily, team/research",
        "Blocked until 25 Nov 00:00 UTC: quota daily, team/research",
    ]
    assert pool.at(NOON, TEAM, bob=1234).notices == ()


def test_a_pool_blocked_by_hand_says_so() -> None:
    notice = Pool(a_pool(limit=Decimal(0))).at(NOON, ALICE).notices[0]
    assert notice.reason == "an admin set the limit of the pool of team/research to 0 (quota daily)"


def test_observe_mode_warns_the_team_and_denies_nobody() -> None:
    pool = Pool(a_pool(), mode=Mode.OBSERVE)
    assert kinds(pool.at(NOON, TEAM, bob=1000)) == ["warning 100"]
    decision = pool.at(NOON, ALICE, bob=1000)
    assert (decision.standing.denied, kinds(decision)) == (frozenset(), [])
    pool.mode = Mode.ENFORCE
    assert kinds(pool.at(NOON, ALICE, bob=1000)) == ["would-have-blocked", "blocked"]


def test_a_pool_that_only_notifies_denies_nobody() -> None:
    pool = Pool(a_pool(action=Action.NOTIFY))
    assert kinds(pool.at(NOON, TEAM, bob=1000)) == ["warning 100"]
    assert kinds(pool.at(NOON, ALICE, bob=1000)) == []


def test_a_member_out_of_reach_is_told_to_admins_once_and_the_others_are_blocked() -> None:
    pool = Pool(a_pool("user/bob", "sso/ann"))
    assert kinds(pool.at(NOON, TEAM, bob=1000)) == ["blocked"]
    told = pool.at(NOON, ANN, bob=1000).notices
    assert [each.kind for each in told] == [NoticeKind.COULD_NOT_DENY]
    assert message(told[0], ZoneInfo("UTC"), "x").headline == (
        "sso/ann could not be blocked, but the pool of team/research is used up"
    )
    assert pool.at(NOON, ANN, bob=1000).notices == ()


def test_a_gate_reaches_the_members_behind_it() -> None:
    pool = Pool(a_pool("user/bob", "sso/ann"), gated=True)
    assert kinds(pool.at(NOON, ANN, bob=1000)) == ["blocked"]


def test_a_team_of_which_nobody_is_in_reach_is_not_called_blocked() -> None:
    pool = Pool(a_pool("sso/ann", limit=Decimal(0)))
    decision = pool.at(NOON, TEAM)
    assert (decision.standing.denied, kinds(decision)) == (
        frozenset(),
        ["warning 100", "could-not-deny"],
    )
    assert "nobody of the team can be blocked: Identity Center roles" in decision.notices[1].reason


def test_a_pool_of_one_model_closes_that_model() -> None:
    pool = Pool(a_pool(models=(ModelScope(HAIKU),)))
    assert pool.at(NOON, ALICE, bob=1000).standing.denied == {HAIKU}


def test_money_and_weights_are_summed_exactly() -> None:
    weights = tuple(Decimal(each) for each in ("0.1", "0.3", "5", "0", "0", "0"))
    cents = Counts(1, 7, cost_usd=Decimal("0.10"))
    usage = Usage({HAIKU: ModelUsage.of_hours({NOON: cents}, UTC_ZONE)})
    both = pooled([usage, usage, usage])
    context = Context(NOON, UTC_ZONE, Mode.ENFORCE)
    assert len(weights) == len(OBSERVED)
    for measure, weighing, expected in (
        (Measure.COST_USD, (), Decimal("0.30")),
        (Measure.WEIGHTED_TOKENS, weights, Decimal("6.6")),
    ):
        quota = a_pool(measure=measure, weights=weighing, limit=expected)
        applicable = QuotaBook([quota]).applicable_to(ALICE, NOON)
        decision = decide(ALICE, applicable, Usage(), Standing(), context, {quota.id: both})
        assert (decision.verdicts[0].used, decision.standing.denied) == (expected, ALL)


USED = st.integers(0, 700)


@given(USED, USED, st.integers(1, 1500))
def test_members_without_rules_of_their_own_stand_as_their_team_does(
    alice: int, bob: int, limit: int
) -> None:
    pool = Pool(a_pool(limit=Decimal(limit)))
    stands = [pool.at(NOON, who, alice=alice, bob=bob).standing for who in (TEAM, ALICE, BOB)]
    team, *members = stands
    assert bool(team.denied) == (alice + bob >= limit)
    for member in members:
        assert (member.denied, member.used_up, member.until, member.due) == (
            team.denied,
            team.used_up,
            team.until,
            team.due,
        )
