"""Quotas that close before their limit, so that it is not passed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import ALICE, HAIKU, NOON, UTC_ZONE, a_quota, kinds
from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.ledger import Level, Standing
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.precedence import Applicable
from quota_enforcer.core.quotas.quota import Action, Overshoot, Quota
from quota_enforcer.core.usage.buckets import ModelUsage, Usage
from quota_enforcer.core.usage.counts import Counts, Measure
from quota_enforcer.core.usage.model import ModelScope
from quota_enforcer.core.usage.pace import CallPace, DenyLag, slot_of
from quota_enforcer.core.usage.window import Unit, Window, hour_start
from quota_enforcer.decide import reasons
from quota_enforcer.decide.decision import Decision, decide
from quota_enforcer.decide.pace.ahead import RESERVE, REST

NOW = NOON + timedelta(minutes=30, seconds=3)
"""What was called until 12:29:50 is seen: the pace is over five minutes to the second."""
MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)
LIMIT = 100_000
SECOND = timedelta(seconds=1)
OPUS = "anthropic.claude-3-opus-20240229-v1:0"


def avoiding(**but: Any) -> Quota:
    """100,000 tokens a day, not to be passed."""
    return a_quota(limit=Decimal(LIMIT), overshoot=Overshoot.AVOID, **but)


def used(tokens: int, calls: int, lately: int, now: datetime = NOW, model: str = HAIKU) -> Usage:
    """So many tokens of so many calls in this hour, of which some came in the last minutes."""
    hour = hour_start(now, UTC_ZONE)
    counts = Counts(calls, tokens)
    slots = {slot_of(now - timedelta(minutes=4)): lately} if lately else {}
    models = {model: ModelUsage.of_hours({hour: counts}, UTC_ZONE)}
    return Usage(models, pace=CallPace(slots))


class Line:
    """One principal's decisions over time."""

    def __init__(self, *quotas: Quota, who: Principal = ALICE, mode: Mode = Mode.ENFORCE) -> None:
        self.quotas, self.who, self.mode = quotas, who, mode
        self.standing = Standing()

    def at(self, now: datetime, usage: Usage, lag: DenyLag = DenyLag()) -> Decision:  # noqa: B008
        context = Context(now, UTC_ZONE, self.mode, lag=lag)
        applicable = Applicable(self.quotas, None)
        decision = decide(self.who, applicable, usage, self.standing, context)
        self.standing = decision.standing
        return decision


# 300 calls in five minutes are one a second; each came to 100 tokens: 100 a second, and 1,700 in
# the 17 s that a deny takes. The spread is 100 x (0.5 + 1.25 x sqrt(17)) = 565.4.
@pytest.mark.parametrize(
    ("tokens", "closes"),
    [
        pytest.param(97_700, False, id="enough is left for what nobody has seen yet"),
        pytest.param(97_735, True, id="the pace and its spread reach the limit"),
        pytest.param(99_999, True, id="one token below"),
        pytest.param(100_000, True, id="the limit itself"),
    ],
)
def test_it_closes_when_the_present_pace_reaches_the_limit(tokens: int, closes: bool) -> None:  # noqa: FBT001
    decision = Line(avoiding()).at(NOW, used(tokens, tokens // 100, 300))
    assert bool(decision.standing.denied) is closes
    assert (decision.standing.level is Level.OVER) is closes


def test_a_quota_that_does_not_ask_for_it_closes_at_its_limit() -> None:
    quota = replace(avoiding(), overshoot=Overshoot.ALLOW)
    assert not Line(quota).at(NOW, used(99_999, 1000, 300)).standing.denied


def test_who_is_slow_may_come_nearer_than_who_is_fast() -> None:
    assert Line(avoiding()).at(NOW, used(96_500, 965, 600)).standing.denied
    assert not Line(avoiding()).at(NOW, used(96_500, 965, 30)).standing.denied


def test_a_longer_lag_closes_earlier() -> None:
    usage = used(97_000, 970, 300)
    assert not Line(avoiding()).at(NOW, usage).standing.denied
    slow = DenyLag(Decimal(30), Decimal(4))
    assert Line(avoiding()).at(NOW, usage, slow).standing.denied


def test_the_next_call_is_reckoned_with_where_the_pace_is_slow() -> None:
    """One call of 10,000 is left for: the next would pass it by half, as a rule by more."""
    assert not Line(avoiding()).at(NOW, used(94_000, 9, 1)).standing.denied
    assert Line(avoiding()).at(NOW, used(95_001, 9, 1)).standing.denied


def test_no_more_than_a_twentieth_is_kept_back_for_the_spread() -> None:
    """Calls of half the limit each would keep all of it back."""
    assert not Line(avoiding()).at(NOW, used(94_999, 2, 0)).standing.denied
    assert Line(avoiding()).at(NOW, used(95_000, 2, 0)).standing.denied


def test_nobody_is_stopped_in_the_first_half_of_a_limit() -> None:
    assert not Line(avoiding()).at(NOW, used(49_999, 500, 30_000)).standing.denied
    assert Line(avoiding()).at(NOW, used(50_000, 500, 30_000)).standing.denied


def test_calls_of_models_that_it_does_not_count_slow_it_down() -> None:
    hour = hour_start(NOW, UTC_ZONE)
    opus = {OPUS: ModelUsage.of_hours({hour: Counts(900, 10**9)}, UTC_ZONE)}
    haiku = used(97_000, 100, 300)
    usage = replace(haiku, models={**haiku.models, **opus})
    quota = avoiding(models=(ModelScope(HAIKU),))
    assert not Line(quota).at(NOW, usage).standing.denied


def test_the_reason_has_the_pace_the_distance_and_the_lag() -> None:
    decision = Line(avoiding()).at(NOW, used(98_900, 989, 300))
    assert kinds(decision) == ["blocked"]
    [notice] = decision.notices
    assert notice.reason == (
        "98,900 of 100,000 total tokens used today (quota daily of user/alice); at 100 total "
        "tokens a second the limit is 11 s away, and a deny takes 17 s to hold"
    )
    assert notice.until == MIDNIGHT
    assert decision.standing.reason == notice.reason


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        pytest.param(
            used(98_000, 980, 300),
            "at 100 total tokens a second the limit is 20 s away, a deny takes 17 s to hold, and "
            "2,265 total tokens are kept back for calls that come faster or larger than usual",
            id="for its spread",
        ),
        pytest.param(
            used(98_000, 10, 0),
            "of its limit 2,000 total tokens are left, and 4,900 total tokens are kept back",
            id="for the next call alone",
        ),
    ],
)
def test_why_it_closes_though_the_pace_alone_would_not_reach_it(usage: Usage, words: str) -> None:
    [verdict] = Line(avoiding()).at(NOW, usage).verdicts
    assert reasons.before_the_limit(verdict) == words


def test_money_keeps_its_places_in_words() -> None:
    quota = avoiding(measure=Measure.COST_USD)
    quota = replace(quota, limit=Decimal(10))
    hour = hour_start(NOW, UTC_ZONE)
    counts = Counts(980, 1, cost_usd=Decimal("9.80"))
    usage = replace(used(1, 1, 300), models={HAIKU: ModelUsage.of_hours({hour: counts}, UTC_ZONE)})
    [verdict] = Line(quota).at(NOW, usage).verdicts
    words = reasons.before_the_limit(verdict)
    assert words.startswith("at $0.01 a second the limit is 20 s away, a deny takes 17 s to hold")


def test_it_stays_closed_when_the_pace_falls_since_the_refused_call_nothing() -> None:
    line = Line(avoiding())
    line.at(NOW, used(98_000, 980, 300))
    later = line.at(NOW + timedelta(hours=1), used(98_000, 980, 0, NOW))
    assert later.standing.denied
    assert kinds(later) == []
    assert later.standing.due == MIDNIGHT


def test_what_comes_in_meanwhile_says_nothing_new() -> None:
    line = Line(avoiding())
    first = line.at(NOW, used(98_000, 980, 300))
    over = line.at(NOW + 10 * SECOND, used(100_100, 1001, 300))
    assert kinds(over) == []
    assert over.standing.reason == first.standing.reason
    assert over.standing.used_up[avoiding().id].early_since is None
    assert over.standing.due == MIDNIGHT


def test_a_reset_opens_it() -> None:
    line = Line(avoiding())
    line.at(NOW, used(98_000, 980, 300))
    reset = line.at(MIDNIGHT, used(98_000, 980, 0))
    assert kinds(reset) == ["restored"]
    assert reset.notices[0].reason == "the window has rolled over"


def test_who_was_closed_for_a_burst_gets_what_is_left_after_a_rest() -> None:
    """More is left than is ever kept back for the spread, so the pace was what closed it."""
    line = Line(avoiding())
    closed = line.at(NOW, used(80_000, 800, 3600))
    assert closed.standing.due == NOW + REST
    assert closed.standing.until == MIDNIGHT
    assert line.at(NOW + REST - SECOND, used(80_000, 800, 0, NOW)).standing.denied
    opened = line.at(NOW + REST, used(80_000, 800, 0, NOW))
    assert kinds(opened) == ["restored"]
    assert opened.notices[0].reason == (
        "its pace has fallen, and what was left of the limit can be used"
    )


def test_a_little_that_is_left_stays_closed_until_the_reset() -> None:
    line = Line(avoiding())
    line.at(NOW, used(80_000, 800, 3600))
    line.at(NOW + 10 * SECOND, used(96_000, 960, 3600))
    assert line.at(NOW + REST, used(96_000, 960, 0, NOW)).standing.denied


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        pytest.param(
            {"limit": Decimal(200_000)}, "the limit is now 200,000", id="the limit is raised"
        ),
        pytest.param(
            {"overshoot": Overshoot.ALLOW},
            "it no longer stops before its limit, and what was left of the limit can be used",
            id="it need not avoid any more",
        ),
    ],
)
def test_an_edit_opens_it_at_once(edit: Mapping[str, Any], why: str) -> None:
    line = Line(avoiding())
    line.at(NOW, used(98_000, 980, 300))
    line.quotas = (replace(avoiding(), **edit),)
    opened = line.at(NOW + SECOND, used(98_000, 980, 300))
    assert kinds(opened) == ["restored"]
    assert opened.notices[0].reason == why


def test_a_rolling_window_is_looked_at_again_when_something_leaves_it() -> None:
    line = Line(avoiding(window=Window(Unit.HOUR, 5)))
    closed = line.at(NOW, used(98_000, 980, 300))
    leaves = NOON + timedelta(hours=5)
    assert closed.standing.until == closed.standing.due == leaves
    assert line.at(leaves - SECOND, used(98_000, 980, 0, NOW)).standing.denied
    assert not line.at(leaves, used(98_000, 980, 0, NOW)).standing.denied


def test_observe_mode_notes_that_it_would_have_closed_and_since_when() -> None:
    line = Line(avoiding(), mode=Mode.OBSERVE)
    first = line.at(NOW, used(98_000, 980, 300))
    assert first.standing.denied == frozenset()
    assert first.standing.would_deny[avoiding().id].since == NOW
    later = line.at(NOW + timedelta(hours=1), used(98_000, 980, 0, NOW))
    assert later.standing.would_deny == first.standing.would_deny


@pytest.mark.parametrize(
    ("quota", "who"),
    [
        pytest.param(avoiding(action=Action.NOTIFY), "user/alice", id="it only notifies"),
        pytest.param(avoiding(subject="other/root"), "other/root", id="no deny reaches it"),
    ],
)
def test_what_cannot_be_closed_is_not_called_closed(quota: Quota, who: str) -> None:
    decision = Line(quota, who=Principal.parse(who)).at(NOW, used(98_000, 980, 300))
    assert decision.standing.level is Level.WARNED
    assert kinds(decision) == ["warning 80"]


def test_assumed_money_closes_nothing_early_either() -> None:
    quota = replace(avoiding(measure=Measure.COST_USD), limit=Decimal(10))
    hour = hour_start(NOW, UTC_ZONE)
    counts = Counts(980, 1, cost_usd=Decimal("9.80"), assumed_usd=Decimal(9))
    usage = replace(used(1, 1, 300), models={HAIKU: ModelUsage.of_hours({hour: counts}, UTC_ZONE)})
    assert not Line(quota).at(NOW, usage).standing.denied


STEPS = st.lists(
    st.tuples(st.integers(0, 900), st.integers(0, 40_000), st.integers(0, 400)), max_size=12
)


@given(STEPS)
def test_invariants_of_any_course_of_calls(steps: list[tuple[int, int, int]]) -> None:
    """Never open past the limit, never shut with more than half left, never longer than the reset.

    And it never opens sooner than a rest after it closed, with more left than is kept back.
    """
    line, now, total, calls = Line(avoiding()), NOW, 0, 0
    closed_at = None
    for seconds, tokens, number in steps:
        now += timedelta(seconds=seconds)
        total, calls = total + tokens, calls + number + 1
        decision = line.at(now, used(total, calls, number, now))
        denied = bool(decision.standing.denied)
        assert not (total >= LIMIT and not denied)
        assert not (denied and closed_at is None and total * 2 < LIMIT)
        if closed_at is not None and not denied:
            assert now - closed_at >= REST
            assert LIMIT - total > LIMIT * RESERVE
        if denied:
            closed_at = closed_at or now
            assert decision.standing.until == MIDNIGHT
            assert decision.standing.due is not None
            assert decision.standing.due > now
        else:
            closed_at = None
        again = line.at(now, used(total, calls, number, now))
        assert not again.notices
        assert again.standing == decision.standing
