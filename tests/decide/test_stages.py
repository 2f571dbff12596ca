"""Quotas that close the dear model first, and everything at the limit."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import HAIKU, HOUR, NOON, Story, a_quota, kinds, tokens
from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.ledger import Level, Standing, SweepState
from quota_enforcer.core.notices.message import message
from quota_enforcer.core.pricing.catalog.shipped import shipped_prices
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import Quota, Share
from quota_enforcer.core.quotas.stage import Stage
from quota_enforcer.core.usage.buckets import ModelUsage, Usage
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.model import EVERY_MODEL, ModelScope
from quota_enforcer.core.usage.window import Unit, Window, hour_start
from quota_enforcer.decide.breaker import RECENT, RecentEdits
from quota_enforcer.decide.decision import Decision, decide
from quota_enforcer.decide.rules.rule_set import RuleSet

OPUS, SONNET = ModelScope("anthropic.claude-3-opus*"), ModelScope("anthropic.claude-3-sonnet*")
DEAR, ALL = frozenset({str(OPUS)}), frozenset({"*"})
MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)
FIRST = (Stage(80, (OPUS,)),)


def staged(**but: Any) -> Quota:
    """1,000 tokens a day; opus closes at 800, warned at 50 %."""
    return a_quota(**{"stages": FIRST, "warn_at": (50,), **but})


class Staged(Story):
    """A story of quotas as the book has them: each stage by itself."""

    def __init__(self, *quotas: Quota, **but: Any) -> None:
        super().__init__(**but)
        self.now_holds(*quotas)

    def now_holds(self, *quotas: Quota) -> None:
        """From now on these."""
        self.quotas = QuotaBook(quotas).applicable_to(self.who, NOON).quotas


def said(decision: Decision) -> str:
    [notice] = decision.notices
    return message(notice, UTC_ZONE, "the platform team").body


UTC_ZONE = Story().zone


def test_the_dear_model_closes_first_and_everything_at_the_limit() -> None:
    story = Staged(staged())
    seen = []
    for used in (0, 499, 500, 799, 800, 999, 1000, 5000):
        decision = story.at(NOON, used)
        seen.append((used, decision.standing.denied, kinds(decision)))
    assert seen == [
        (0, frozenset(), []),
        (499, frozenset(), []),
        (500, frozenset(), ["warning 50"]),
        (799, frozenset(), []),
        (800, DEAR, ["blocked"]),
        (999, DEAR, []),
        (1000, ALL, ["blocked"]),
        (5000, ALL, []),
    ]


def test_a_jump_past_both_gives_one_block_that_tells_of_the_limit() -> None:
    decision = Staged(staged()).at(NOON, 1200)
    assert (decision.standing.denied, kinds(decision)) == (ALL, ["blocked"])
    [notice] = decision.notices
    assert (notice.stage, notice.others) == (0, "")
    assert notice.reason == "1,200 of 1,000 total tokens used today (quota daily of user/alice)"


def test_a_stage_says_what_it_closes_and_what_still_works() -> None:
    body = said(Staged(staged()).at(NOON, 812))
    assert body.startswith(
        "Amazon Bedrock is blocked in part for user/alice: quota daily has reached 80 %.\n"
    )
    assert (
        "Why: 812 of 1,000 total tokens used today (quota daily of user/alice); from 80 % on it "
        "closes anthropic.claude-3-opus*.\n"
    ) in body
    assert "What works: every model but anthropic.claude-3-opus*, as before" in body


def test_the_month_rolls_over_for_both_stages_at_once() -> None:
    story = Staged(staged())
    story.at(NOON, 850)
    story.at(NOON + HOUR, {NOON: 1100})
    assert story.standing.until == story.standing.due == MIDNIGHT
    free = story.at(MIDNIGHT, {NOON: 1100})
    assert (free.standing.denied, free.standing.level) == (frozenset(), Level.OK)
    [notice] = free.notices
    assert (str(notice.kind), notice.reason) == ("restored", "the window has rolled over")
    assert notice.since == NOON


def test_a_raise_opens_as_much_as_it_gives() -> None:
    """At 1,100 of 1,200 the dear model stays closed; at 1,100 of 1,400 nothing does."""
    story = Staged(staged())
    story.at(NOON, 1100)
    story.now_holds(staged(limit=Decimal(1200)))
    partly = story.at(NOON + HOUR, {NOON: 1100})
    assert (partly.standing.denied, kinds(partly)) == (DEAR, ["changed"])
    assert "Amazon Bedrock is still blocked in part" in said(partly)
    story.now_holds(staged(limit=Decimal(1400)))
    free = story.at(NOON + 2 * HOUR, {NOON: 1100})
    assert (free.standing.denied, kinds(free)) == (frozenset(), ["warning 50", "restored"])
    assert free.notices[1].reason == "the limit is now 1,400"


def test_a_raise_for_a_while_is_of_all_stages() -> None:
    ends = NOON + HOUR
    story = Staged(staged(raise_to=Decimal(2000), raise_until=ends))
    assert story.at(NOON, 1500).standing.denied == frozenset()
    assert story.at(NOON, 1600).standing.denied == DEAR
    assert story.standing.due is not None
    assert story.at(ends, {NOON: 1600}).standing.denied == ALL


def test_a_stage_that_goes_is_told_as_such() -> None:
    story = Staged(staged())
    story.at(NOON, 850)
    story.now_holds(staged(stages=()))
    free = story.at(NOON + HOUR, {NOON: 850})
    assert kinds(free) == ["restored"]
    assert free.notices[0].reason == "it closes nothing at 80 % of its limit any more"


def test_an_edit_of_what_is_closed_is_told() -> None:
    """The same stage of the same quota, but of another model."""
    story = Staged(staged())
    story.at(NOON, 850)
    story.now_holds(staged(stages=(Stage(80, (SONNET,)),)))
    changed = story.at(NOON + HOUR, {NOON: 850})
    assert changed.standing.denied == {str(SONNET)}
    assert kinds(changed) == ["changed"]
    assert changed.notices[0].closed == str(SONNET)


def test_what_closes_apart_from_what_counts() -> None:
    """All is counted, and only the dear model is closed: the cheap one stays whatever is used."""
    decision = Staged(a_quota(closes=(OPUS,))).at(NOON, 5000)
    assert decision.standing.denied == DEAR
    assert decision.standing.level is Level.OVER
    assert "the limit" not in decision.notices[0].reason


def test_a_warning_of_the_same_moment_is_not_said_beside_the_stage() -> None:
    """Both at 80 %: who is told that the dear model is closed knows."""
    story = Staged(staged(warn_at=(80,)))
    assert kinds(story.at(NOON, 850)) == ["blocked"]
    assert kinds(story.at(NOON, 860)) == []


def test_a_threshold_after_a_stage_warns_with_what_is_closed() -> None:
    story = Staged(staged(warn_at=(90,)))
    story.at(NOON, 850)
    warned = story.at(NOON, 910)
    assert kinds(warned) == ["warning 90"]
    assert warned.notices[0].closed == str(OPUS)


def test_observe_mode_notes_each_stage() -> None:
    story = Staged(staged(), mode=Mode.OBSERVE)
    at_stage = story.at(NOON, 850)
    assert at_stage.standing.denied == frozenset()
    assert at_stage.standing.would_deny.keys() == {"user/alice#daily@80"}
    [notice] = at_stage.notices
    assert (notice.stage, notice.label) == (80, "daily at 80 %")
    assert notice.reason.endswith("; it blocks nothing, since observe mode blocks nobody")
    at_limit = story.at(NOON + HOUR, {NOON: 1000})
    assert [each.stage for each in at_limit.notices] == [0]
    assert at_limit.standing.would_deny.keys() == {"user/alice#daily@80", "user/alice#daily"}
    over = story.at(MIDNIGHT, {NOON: 1000})
    assert sorted((str(n.kind), n.stage) for n in over.notices) == [
        ("would-have-blocked", 0),
        ("would-have-blocked", 80),
    ]
    assert len({each.id for each in over.notices}) == len(over.notices)


def test_observing_a_jump_past_both_is_one_warning() -> None:
    decision = Staged(staged(), mode=Mode.OBSERVE).at(NOON, 1200)
    assert [(str(each.kind), each.stage) for each in decision.notices] == [("warning", 0)]


def test_a_rolling_window_opens_the_stages_one_after_the_other() -> None:
    quota = staged(window=Window(Unit.HOUR, rolling=24), warn_at=())
    story = Staged(quota)
    used = {NOON: 300, NOON + HOUR: 750}
    assert story.at(NOON + HOUR, used).standing.denied == ALL
    a_day = timedelta(days=1)
    later = story.at(NOON + a_day, used)  # the first 300 have left
    assert later.standing.denied == frozenset()
    assert kinds(later) == ["restored"]


def test_a_pool_closes_in_stages_for_its_members() -> None:
    pool = staged(subject="team/x", members=("user/alice", "user/bob"), share=Share.POOL)
    book = QuotaBook([pool])
    early, whole = book.applicable_to(Story().who, NOON).quotas
    assert (early.pooled, whole.pooled) == (True, True)
    assert book.contributors[early.id] == book.contributors[whole.id]


def test_a_limit_of_zero_blocks_at_once_and_says_so_once() -> None:
    decision = Staged(staged(limit=Decimal(0))).at(NOON)
    assert decision.standing.denied == ALL
    [notice] = decision.notices
    assert notice.reason == "an admin set the limit to 0 (quota daily of user/alice)"


def test_the_breaker_holds_the_later_stage_and_leaves_the_first() -> None:
    story = Staged(staged())
    story.at(NOON, 850)
    decision = story.at(NOON + HOUR, {NOON: 1100})
    kept = decision.holding({"user/alice#daily": 110}, "the breaker holds new blocks")
    assert kept.standing.denied == DEAR
    assert kept.standing.used_up.keys() == {"user/alice#daily@80"}
    assert kinds(kept) == []


@pytest.mark.parametrize("mode", list(Mode))
@given(amounts=st.lists(st.integers(0, 1300), min_size=1, max_size=6))
def test_what_is_denied_follows_the_usage_alone(mode: Mode, amounts: list[int]) -> None:
    """Whatever came before, and never a stage that a later one leaves open."""
    story = Staged(staged(stages=(Stage(40, (OPUS,)), Stage(80, (OPUS, SONNET)))), mode=mode)
    for used in amounts:
        denied = story.at(NOON, used).standing.denied
        expected = {
            0: frozenset[str](),
            1: DEAR,
            2: DEAR | {str(SONNET)},
            3: ALL,
        }[(used >= 400) + (used >= 800) + (used >= 1000)]
        assert denied == (expected if mode is Mode.ENFORCE else frozenset())


def test_plain_quotas_are_decided_as_before() -> None:
    """`closes` that says what the quota counts changes nothing."""
    plain, said_so = Staged(a_quota()), Staged(a_quota(closes=(EVERY_MODEL,)))
    for used in (0, 800, 1000, 900):
        one, other = plain.at(NOON, used), said_so.at(NOON, used)
        assert (one.standing, one.notices) == (other.standing, other.notices)


def test_a_stage_is_never_looked_past_for_its_headroom() -> None:
    """What is left until the next stage is what may be used before somebody must look."""
    decision = Staged(staged(warn_at=())).at(NOON, 700)
    assert min(each.left for each in decision.verdicts) == 100
    assert decision.verdicts[0].whole_limit == 1000


def test_a_notice_names_the_cheaper_model_that_is_open() -> None:
    """By the price table, of what is called already; one that another quota closes is passed by."""
    opus, haiku = "anthropic.claude-3-opus-20240229-v1:0", HAIKU
    hour = {hour_start(NOON, UTC_ZONE): Counts(5, 500, 400)}
    usage = Usage({each: ModelUsage.of_hours(hour, UTC_ZONE) for each in (opus, haiku)})
    prices = shipped_prices().on(NOON.date())
    context = Context(NOON, UTC_ZONE, Mode.ENFORCE, prices=lambda: prices)

    def told(*quotas: Quota) -> str:
        applicable = QuotaBook(quotas).applicable_to(Story().who, NOON)
        decision = decide(Story().who, applicable, usage, Standing(), context)
        [notice] = [each for each in decision.notices if str(each.kind) == "blocked"]
        return message(notice, UTC_ZONE, "the platform team").body

    quota = staged(limit=Decimal(2000))
    assert (
        "\nCheaper to use: anthropic.claude-3-haiku-20240307-v1:0: what was called of "
        "anthropic.claude-3-opus* for $0.037 comes to $0.00062 there.\n"
    ) in told(quota)
    also = a_quota(
        name="cheap", limit=Decimal(1), closes=(ModelScope("anthropic.claude-3-haiku*"),)
    )
    assert "claude-3-haiku-20240307" not in told(quota, also)
    assert "Cheaper to use" not in told(staged(limit=Decimal(1000)))  # everything is closed


def test_a_pool_at_a_stage_is_not_called_used_up() -> None:
    pool = staged(subject="team/x", members=("user/alice", "user/bob"), share=Share.POOL)
    applicable = QuotaBook([pool]).applicable_to(Story().who, NOON)
    usage = tokens({NOON: 850})
    decision = decide(
        Story().who, applicable, Usage(), Standing(), Context(NOON, UTC_ZONE, Mode.ENFORCE),
        {each.id: usage for each in applicable.quotas},
    )  # fmt: skip
    assert decision.standing.denied == DEAR
    body = said(decision)
    assert (
        "Amazon Bedrock is blocked in part for user/alice: the pool of team/x has reached" in body
    )
    assert "Why: the pool of team/x: 850 of 1,000 total tokens used today by all members" in body


def test_an_edit_of_the_item_is_one_of_its_stages() -> None:
    """So the breaker knows why a stage began to block."""
    rules, who = RuleSet(changed_at={"user/*#daily": NOON}), Story().who
    recent, old = (RecentEdits(rules, SweepState(), now) for now in (NOON + HOUR, NOON + RECENT))
    for quota in staged(subject="user/*").in_stages():
        assert recent.may_be_why(quota, who)
        assert not old.may_be_why(quota, who)
