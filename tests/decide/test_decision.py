"""The rules: who is warned, blocked and released, and in which words."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import ALICE, HAIKU, HOUR, NOON, UTC_ZONE, Story, a_quota, kinds, tokens
from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.ledger import Level, Standing
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.quotas.precedence import Applicable
from quota_enforcer.core.quotas.quota import UNLIMITED, Action
from quota_enforcer.core.usage.buckets import ModelUsage, Usage
from quota_enforcer.core.usage.counts import Counts, Measure
from quota_enforcer.core.usage.model import ModelScope
from quota_enforcer.core.usage.window import DAY, Unit, Window
from quota_enforcer.decide.decision import decide

MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
ALL = frozenset({"*"})


@pytest.mark.parametrize(
    ("used", "level", "told"),
    [
        pytest.param(0, Level.OK, [], id="nothing used"),
        pytest.param(799, Level.OK, [], id="just below the warning"),
        pytest.param(800, Level.WARNED, ["warning 80"], id="the warning"),
        pytest.param(999, Level.WARNED, ["warning 80"], id="one token left"),
        pytest.param(1000, Level.OVER, ["blocked"], id="the limit is used up"),
        pytest.param(5000, Level.OVER, ["blocked"], id="far past it"),
    ],
)
def test_first_look(used: int, level: Level, told: list[str]) -> None:
    """A quota is used up when used >= limit; a jump past both gives the block alone."""
    decision = Story(a_quota()).at(NOON, used)
    assert decision.standing.level is level
    assert decision.standing.denied == (ALL if level is Level.OVER else frozenset())
    assert kinds(decision) == told


def test_a_warning_does_not_swallow_the_later_block() -> None:
    story = Story(a_quota())
    assert kinds(story.at(NOON, 850)) == ["warning 80"]
    assert kinds(story.at(NOON + HOUR, 1200)) == ["blocked"]


def test_each_threshold_warns_once() -> None:
    story = Story(a_quota(warn_at=(50, 80, 95)))
    seen = [kinds(story.at(NOON, used)) for used in (400, 500, 600, 960, 970, 1000)]
    assert seen == [[], ["warning 50"], [], ["warning 95"], [], ["blocked"]]


def test_from_fifty_to_a_hundred_and_twenty_percent() -> None:
    """The block, and no warning of the same moment."""
    story = Story(a_quota(warn_at=(50, 80, 95)))
    story.at(NOON, 500)
    assert kinds(story.at(NOON, 1200)) == ["blocked"]


def test_nothing_is_said_twice() -> None:
    story = Story(a_quota())
    first = story.at(NOON, 1100)
    again = story.at(NOON + HOUR, {NOON: 1100})
    assert again.notices == ()
    assert again.standing == first.standing


def test_the_window_rolls_over() -> None:
    story = Story(a_quota())
    blocked = story.at(NOON, 1100)
    assert (blocked.standing.until, blocked.standing.due) == (MIDNIGHT, MIDNIGHT)
    still = story.at(MIDNIGHT - timedelta(seconds=1), {NOON: 1100})
    assert still.standing.denied == ALL
    free = story.at(MIDNIGHT, {NOON: 1100})
    assert kinds(free) == ["restored"]
    assert free.standing.level is Level.OK
    assert free.notices[0].reason == "the window has rolled over"


def test_a_raise_lets_go_at_once_and_holds_again_when_it_ends() -> None:
    quota = a_quota()
    story = Story(quota)
    story.at(NOON, 1100)
    raised = a_quota(raise_to=Decimal(2000), raise_until=NOON + 3 * HOUR)
    story.quotas = (raised,)
    free = story.at(NOON + HOUR, {NOON: 1100})
    assert kinds(free) == ["restored"]
    assert free.notices[0].reason == "the limit is now 2,000"
    assert free.standing.due == NOON + 3 * HOUR
    assert kinds(story.at(NOON + 3 * HOUR, {NOON: 1100})) == ["blocked"]


def test_an_unlimited_raise_is_a_pardon() -> None:
    story = Story(a_quota(raise_to=UNLIMITED, raise_until=MIDNIGHT + DAY))
    decision = story.at(NOON, 10**12)
    assert (decision.standing.level, kinds(decision)) == (Level.OK, [])


def test_removing_the_quota_releases() -> None:
    story = Story(a_quota())
    story.at(NOON, 1100)
    story.quotas = ()
    free = story.at(NOON + HOUR, {NOON: 1100})
    assert kinds(free) == ["restored"]
    assert free.notices[0].reason == "the quota no longer applies"


def test_lowering_the_limit_blocks() -> None:
    story = Story(a_quota())
    story.at(NOON, 500)
    story.quotas = (a_quota(limit=Decimal(400)),)
    assert "blocked" in kinds(story.at(NOON, 500))


def test_a_daily_reset_does_not_lift_a_monthly_deny() -> None:
    monthly = a_quota(name="monthly", limit=Decimal(2000), window=Window(Unit.MONTH))
    story = Story(a_quota(), monthly)
    assert kinds(story.at(NOON, 2500)) == ["blocked"]
    assert story.standing.until == DECEMBER
    next_day = story.at(MIDNIGHT, {NOON: 2500})
    assert next_day.standing.denied == ALL
    assert kinds(next_day) == ["changed"]
    assert next_day.notices[0].quota == "monthly"
    assert kinds(story.at(DECEMBER, {NOON: 2500})) == ["restored"]


def test_blocked_since_is_kept_while_the_reasons_change() -> None:
    """One block of four days, whichever quota denies just now and for whichever models."""
    opus = a_quota(name="opus", limit=Decimal(1), models=(ModelScope("claude-3-opus*"),))
    monthly = a_quota(name="monthly", limit=Decimal(2000), window=Window(Unit.MONTH))
    story = Story(a_quota(), monthly)
    assert story.at(NOON, 1100).standing.blocked_since == NOON
    both = story.at(NOON + HOUR, {NOON: 2500})
    story.quotas = (a_quota(), monthly, opus)
    changed = story.at(MIDNIGHT, {NOON: 2500})
    assert kinds(changed) == ["changed"]
    assert changed.notices[0].since == NOON
    story.quotas = (a_quota(), replace(monthly, limit=Decimal(2100)), opus)
    still = story.at(NOON + 4 * DAY - timedelta(minutes=1), {NOON: 2500})
    assert (both.standing.blocked_since, still.standing.blocked_since) == (NOON, NOON)
    story.quotas = (a_quota(),)
    free = story.at(NOON + 4 * DAY, {NOON: 2500})
    assert (kinds(free), free.notices[0].since) == (["restored"], NOON)
    assert free.standing.blocked_since is None
    assert story.at(NOON + 5 * DAY, 1100).standing.blocked_since == NOON + 5 * DAY


def test_a_daily_reset_does_not_clear_the_monthly_warning() -> None:
    monthly = a_quota(name="monthly", limit=Decimal(2000), window=Window(Unit.MONTH))
    story = Story(a_quota(), monthly)
    story.at(NOON, 1700)
    assert kinds(story.at(MIDNIGHT, {NOON: 1700})) == ["restored"]
    assert kinds(story.at(MIDNIGHT + HOUR, {NOON: 1700, MIDNIGHT: 10})) == []


def test_a_new_limit_is_warned_of_anew() -> None:
    story = Story(a_quota())
    story.at(NOON, 900)
    story.quotas = (a_quota(limit=Decimal(1100)),)
    assert kinds(story.at(NOON, 900)) == ["warning 80"]


def test_a_rolling_window_warns_once_in_its_length() -> None:
    """Usage that dips below the threshold and comes back is not warned of every hour.

    Nor is usage that never falls below it, however long.
    """
    story = Story(a_quota(window=Window(Unit.HOUR, rolling=24)))
    assert kinds(story.at(NOON, 850)) == ["warning 80"]
    assert kinds(story.at(NOON + HOUR, {NOON: 700})) == []
    assert kinds(story.at(NOON + 2 * HOUR, {NOON: 850})) == []
    assert kinds(story.at(NOON + 30 * HOUR, {NOON + 29 * HOUR: 850})) == []
    assert kinds(story.at(NOON + 54 * HOUR)) == []
    assert kinds(story.at(NOON + 55 * HOUR, 850)) == ["warning 80"]


def test_a_rolling_warning_is_forgotten_when_its_length_is_over() -> None:
    """Else the next use could jump past the threshold, and nobody would have seen it below."""
    story = Story(a_quota(window=Window(Unit.HOUR, rolling=3)))
    lapses = NOON + 3 * HOUR
    assert kinds(story.at(NOON, 850)) == ["warning 80"]
    below = story.at(NOON + 3 * HOUR - timedelta(minutes=1), {NOON - 3 * HOUR: 850})
    assert below.standing.due == lapses
    assert below.standing.warned
    forgotten = story.at(lapses, {NOON - 3 * HOUR: 850})
    assert (forgotten.standing.warned, forgotten.standing.due) == ({}, None)
    assert kinds(story.at(NOON + 9 * HOUR, {NOON + 9 * HOUR: 900})) == ["warning 80"]


def test_a_rolling_block_says_when_enough_has_left() -> None:
    """The oldest buckets leave first; the block ends as soon as the rest is below the limit."""
    story = Story(a_quota(window=Window(Unit.HOUR, rolling=24)))
    used = {NOON - 20 * HOUR: 100, NOON - 10 * HOUR: 600, NOON: 700}
    assert story.at(NOON, used).standing.until == NOON + 14 * HOUR
    assert kinds(story.at(NOON + 13 * HOUR, used)) == []
    assert kinds(story.at(NOON + 14 * HOUR, used)) == ["restored"]


def test_rolling_days_free_at_midnight() -> None:
    story = Story(a_quota(window=Window(Unit.DAY, rolling=7)))
    until = story.at(NOON, {NOON - 3 * DAY: 600, NOON: 600}).standing.until
    assert until == MIDNIGHT + 3 * DAY


def test_a_block_by_hand_ends_with_its_item() -> None:
    story = Story(a_quota(limit=Decimal(0), until=NOON + 30 * HOUR))
    blocked = story.at(NOON)
    assert blocked.standing.until == NOON + 30 * HOUR
    assert story.at(MIDNIGHT).standing.denied == ALL
    assert story.standing.until == NOON + 30 * HOUR
    assert kinds(story.at(NOON + 30 * HOUR)) == ["restored"]


def test_a_block_by_hand_without_end_has_no_until() -> None:
    story = Story(a_quota(limit=Decimal(0)))
    assert story.at(NOON).standing.until is None
    assert kinds(story.at(MIDNIGHT)) == []


def test_a_quota_that_only_notifies() -> None:
    story = Story(a_quota(action=Action.NOTIFY))
    decision = story.at(NOON, 1000)
    assert (decision.standing.level, decision.standing.denied) == (Level.OVER, frozenset())
    assert kinds(decision) == ["warning 100"]
    assert "only notifies" in decision.notices[0].reason
    assert kinds(story.at(NOON + HOUR, {NOON: 1500})) == []


def test_observe_mode_blocks_nobody_and_tells_who_would_be() -> None:
    story = Story(a_quota(), mode=Mode.OBSERVE)
    decision = story.at(NOON, 1000)
    assert decision.standing.denied == frozenset()
    assert kinds(decision) == ["warning 100"]
    assert "observe mode blocks nobody" in decision.notices[0].reason


def test_switching_to_observe_releases() -> None:
    story = Story(a_quota())
    story.at(NOON, 1100)
    story.mode = Mode.OBSERVE
    assert "restored" in kinds(story.at(NOON + HOUR, {NOON: 1100}))
    assert story.standing.denied == frozenset()


def test_switching_to_enforce_blocks_whom_observe_warned() -> None:
    story = Story(a_quota(), mode=Mode.OBSERVE)
    story.at(NOON, 1100)
    story.mode = Mode.ENFORCE
    assert kinds(story.at(NOON + HOUR, {NOON: 1100})) == ["would-have-blocked", "blocked"]


@pytest.mark.parametrize(
    "who",
    [
        Principal(Kind.SSO, "ann@example.com"),
        Principal(Kind.SESSION, "ci/42"),
        Principal(Kind.OTHER, "arn:aws:iam::111122223333:root"),
    ],
    ids=str,
)
def test_who_cannot_be_denied_is_judged_and_admins_are_told(who: Principal) -> None:
    story = Story(a_quota(subject=str(who)), who=who)
    decision = story.at(NOON, 1000)
    assert decision.standing.level is Level.OVER
    assert decision.standing.denied == frozenset()
    assert kinds(decision) == ["warning 100", "could-not-deny"]
    assert kinds(story.at(NOON + HOUR, {NOON: 1000})) == []


def test_the_reason_is_words_one_can_act_on() -> None:
    decision = Story(a_quota()).at(NOON, 1234)
    assert decision.standing.reason == (
        "1,234 of 1,000 total tokens used today (quota daily of user/alice)"
    )


def test_requests_are_counted_as_calls() -> None:
    story = Story(a_quota(measure=Measure.REQUESTS, limit=Decimal(2)))
    assert story.at(NOON, {NOON: 10, NOON - HOUR: 10}).standing.level is Level.OVER


OPUS = ModelScope("anthropic.claude-3-opus*")


def test_one_model_is_closed_while_others_stay_open() -> None:
    story = Story(a_quota(models=(ModelScope(HAIKU),)))
    decision = story.at(NOON, 1000)
    assert decision.standing.denied == {HAIKU}
    assert decision.notices[-1].models == HAIKU
    assert kinds(Story(a_quota(models=(OPUS,))).at(NOON, 1000)) == []


def test_what_reopens_while_something_else_closes_is_said() -> None:
    opus = "anthropic.claude-3-opus-20240229-v1:0"
    today = a_quota(name="today", models=(ModelScope(HAIKU),))
    month = a_quota(name="month", models=(ModelScope("*opus*"),), window=Window(Unit.MONTH))
    story = Story(today, month)
    assert story.at(NOON, 1000).standing.denied == {HAIKU}
    usage = Usage(
        {**tokens({NOON: 1000}).models, **tokens({MIDNIGHT: 1000}, opus).models},
    )
    applicable = Applicable((today, month))
    decision = decide(
        ALICE, applicable, usage, story.standing, Context(MIDNIGHT, UTC_ZONE, Mode.ENFORCE)
    )
    assert kinds(decision) == ["blocked"]
    assert decision.notices[-1].reason.endswith(f"; {HAIKU} is open again")


def test_closing_everything_includes_what_was_closed() -> None:
    """The wider deny replaces the narrower, and when it ends the narrower is back."""
    one = a_quota(name="one", models=(ModelScope(HAIKU),), window=Window(Unit.MONTH))
    story = Story(one, a_quota(limit=Decimal(2000)))
    assert story.at(NOON, 1000).standing.denied == {HAIKU}
    wider = story.at(NOON, 2000)
    assert (wider.standing.denied, kinds(wider), wider.blocks) == (
        ALL, ["blocked"], True,
    )  # fmt: skip
    narrower = story.at(MIDNIGHT, {NOON: 2000})
    assert narrower.standing.denied == {HAIKU}
    assert not narrower.blocks
    assert kinds(narrower) == ["changed"]


USES = st.lists(st.tuples(st.integers(1, 300), st.integers(0, 600)), min_size=1, max_size=25)


@given(USES)
def test_blocks_and_restores_alternate(uses: list[tuple[int, int]]) -> None:
    """However usage comes, nobody is blocked twice in a row or restored without a block."""
    story = Story(a_quota(), a_quota(name="weekly", limit=Decimal(3000), window=Window(Unit.WEEK)))
    now, used, open_ = NOON, {}, True
    for minutes, count in uses:
        now += timedelta(minutes=minutes)
        used[now] = count
        decision = story.at(now, used)
        told = set(kinds(decision)) & {"blocked", "restored"}
        assert told == ({"blocked"} if open_ and decision.standing.denied else set()) | (
            {"restored"} if not open_ and not decision.standing.denied else set()
        )
        open_ = not decision.standing.denied


@given(USES)
def test_nothing_changes_between_now_and_due(uses: list[tuple[int, int]]) -> None:
    """Without new usage the decision stays the same until `due`."""
    story = Story(a_quota(), a_quota(name="rolling", window=Window(Unit.HOUR, rolling=5)))
    now, used = NOON, {}
    for minutes, count in uses:
        now += timedelta(minutes=minutes)
        used[now] = count
        story.at(now, used)
    before = story.standing
    until = before.due or now + 40 * DAY
    later = story.at(until - timedelta(seconds=1), used)
    assert later.notices == ()
    assert (later.standing.level, later.standing.denied) == (before.level, before.denied)


@given(st.lists(st.integers(0, 3000), min_size=2, max_size=10))
def test_a_decision_depends_on_the_total_not_on_the_steps(steps: list[int]) -> None:
    """However usage arrives within one window, the standing at its end is the same."""
    ends = sorted(steps)
    story = Story(a_quota())
    for used in ends:
        story.at(NOON, used)
    assert story.standing.denied == Story(a_quota()).at(NOON, ends[-1]).standing.denied
    assert all(low <= high for low, high in pairwise(ends))


@pytest.mark.parametrize("used", [0, 1, 799, 800, 1_000, 5_000])
@pytest.mark.parametrize("mode", list(Mode))
def test_who_stays_far_from_it_all_is_decided_about_as_anybody(
    monkeypatch: pytest.MonkeyPatch, used: int, mode: Mode
) -> None:
    """For nearly everybody nothing is worked out; the answer is what it would be otherwise."""
    before = Standing(since=NOON - HOUR, reason="as it was")
    quotas = Applicable((a_quota(), a_quota(name="other", window=Window(Unit.HOUR))), None)
    usage = Usage.of_places({"": {HAIKU: ModelUsage.of_hours({NOON: Counts(1, used)}, UTC_ZONE)}})
    context = Context(NOON, UTC_ZONE, mode)
    short = decide(ALICE, quotas, usage, before, context)
    monkeypatch.setattr(Standing, "is_plain", property(lambda _: False))
    whole = decide(ALICE, quotas, usage, before, context)
    assert (short.standing, short.notices, short.judgements) == (
        whole.standing, whole.notices, whole.judgements,
    )  # fmt: skip
    assert (short.standing is before) is (used < 800)
