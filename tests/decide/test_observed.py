"""What observe mode kept from being blocked: noted as it begins and as it ends, and told later."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from builders import ALICE, HOUR, NOON, Story, a_quota
from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.notices.notice import HISTORY_ONLY, Notice, NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.quota import Action, Quota
from quota_enforcer.core.usage.window import Unit, Window

MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)
DAY = timedelta(days=1)
ROLLING = Window(Unit.HOUR, 3)


def observing(*quotas: Quota, who: Principal = ALICE) -> Story:
    return Story(*(quotas or (a_quota(),)), who=who, mode=Mode.OBSERVE)


def told(story: Story, now: datetime, used: Mapping[datetime, int]) -> list[Notice]:
    """What a decision gives to the history alone."""
    return [each for each in story.at(now, used).notices if each.kind in HISTORY_ONLY]


class TestNoted:
    def test_from_the_decision_that_would_have_blocked_until_the_window_ends(self) -> None:
        story = observing()
        used = {NOON: 1200}
        assert told(story, NOON, used) == []
        assert told(story, NOON + HOUR, {NOON: 1300}) == []
        assert story.standing.would_deny["user/alice#daily"].since == NOON
        [notice] = told(story, MIDNIGHT + timedelta(minutes=4), used)
        assert (notice.principal, notice.quota, notice.whom) == (
            "user/alice",
            "daily",
            "user/alice",
        )
        assert (notice.since, notice.until) == (NOON, MIDNIGHT)
        assert notice.reason == "the window has rolled over"
        assert story.standing.would_deny == {}

    def test_a_raise_ends_it_at_once(self) -> None:
        story = observing()
        story.at(NOON, 1200)
        story.quotas = (a_quota(limit=Decimal(5000)),)
        [notice] = told(story, NOON + HOUR, {NOON: 1200})
        assert (notice.until, notice.reason) == (NOON + HOUR, "the limit is now 5,000")

    def test_a_quota_that_is_gone_ends_it(self) -> None:
        story = observing(a_quota(subject="default"))
        story.at(NOON, 1200)
        story.quotas = ()
        [notice] = told(story, NOON + HOUR, {NOON: 1200})
        assert (notice.quota, notice.whom) == ("daily", "default")
        assert notice.reason == "the quota no longer applies"

    def test_a_quota_that_only_notifies_from_now_on_ends_it(self) -> None:
        story = observing()
        story.at(NOON, 1200)
        story.quotas = (a_quota(action=Action.NOTIFY),)
        [notice] = told(story, NOON + HOUR, {NOON: 1200})
        assert notice.reason == "this quota only notifies"

    def test_enforce_mode_ends_it_as_the_real_block_begins(self) -> None:
        story = observing()
        story.at(NOON, 1200)
        story.mode = Mode.ENFORCE
        decision = story.at(NOON + HOUR, {NOON: 1200})
        kinds = [notice.kind for notice in decision.notices]
        assert kinds == [NoticeKind.WOULD_HAVE_BLOCKED, NoticeKind.BLOCKED]
        assert decision.notices[0].reason == "enforce mode began"
        assert decision.notices[0].until == NOON + HOUR

    def test_a_rolling_window_that_fills_and_empties_twice_gives_two(self) -> None:
        """Its warning is not repeated within its length, so warnings alone would tell of one."""
        story = observing(a_quota(window=ROLLING))
        first = {NOON: 1000}
        both = first | {NOON + 4 * HOUR: 1000}
        assert told(story, NOON, first) == []
        assert len(told(story, NOON + 3 * HOUR, first)) == 1
        assert told(story, NOON + 4 * HOUR, both) == []
        [second] = told(story, NOON + 7 * HOUR, both)
        assert (second.since, second.until) == (NOON + 4 * HOUR, NOON + 7 * HOUR)

    @pytest.mark.parametrize(
        ("quota", "who"),
        [
            pytest.param(a_quota(action=Action.NOTIFY), ALICE, id="it only notifies"),
            pytest.param(a_quota(limit=Decimal(5000)), ALICE, id="not used up"),
            pytest.param(a_quota(), Principal.parse("sso/ann"), id="no deny could reach them"),
        ],
    )
    def test_what_enforce_mode_would_not_block_is_none(self, quota: Quota, who: Principal) -> None:
        story = observing(quota, who=who)
        assert story.at(NOON, 1200).standing.would_deny == {}

    def test_in_enforce_mode_there_is_none(self) -> None:
        assert Story(a_quota()).at(NOON, 1200).standing.would_deny == {}
