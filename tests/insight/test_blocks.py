"""What observe mode kept from being blocked, as histories and standings tell it."""

from datetime import UTC, datetime, timedelta

import pytest

from builders import HOUR, NOON, Story, a_quota
from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.ledger import Standing
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.insight.quotas.blocks import Tally, WouldBlock, tally, would_have_been

MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)
DAY = timedelta(days=1)


def ended(start: datetime, end: datetime, quota: str = "daily", who: str = "user/alice") -> Notice:
    return Notice(
        NoticeKind.WOULD_HAVE_BLOCKED, end, who, quota, "why", whom="default", since=start,
        until=end,
    )  # fmt: skip


def lasting() -> dict[str, Standing]:
    """Alice as a decision at noon left her."""
    story = Story(a_quota(subject="default"), mode=Mode.OBSERVE)
    story.at(NOON, 1200)
    return {"user/alice": story.standing}


ALICES = ("user/alice", "daily", "default")


class TestTold:
    def test_the_history_tells_what_has_ended_and_the_standing_what_would_last(self) -> None:
        other = Notice(NoticeKind.WARNING, NOON, "user/alice", "daily", "why", percent=100)
        history = [ended(NOON - DAY, MIDNIGHT - DAY), other]
        assert would_have_been(history, lasting()) == [
            WouldBlock(*ALICES, NOON - DAY, MIDNIGHT - DAY, MIDNIGHT - DAY, "why"),
            WouldBlock(*ALICES, NOON, None, MIDNIGHT),
        ]

    @pytest.mark.parametrize(
        ("blocks", "expected"),
        [
            pytest.param([], [], id="nothing"),
            pytest.param(
                [WouldBlock(*ALICES, NOON - 14 * HOUR, NOON)],
                [Tally(*ALICES, 1, NOON - 14 * HOUR, 14 * HOUR, None)],
                id="one that has ended",
            ),
            pytest.param(
                [WouldBlock(*ALICES, NOON - HOUR, None)],
                [Tally(*ALICES, 1, NOON - HOUR, HOUR, NOON - HOUR)],
                id="one that would last",
            ),
            pytest.param(
                [
                    WouldBlock(*ALICES, NOON - 3 * DAY, NOON - 3 * DAY + HOUR),
                    WouldBlock(*ALICES, NOON - DAY, NOON - DAY + 2 * HOUR),
                ],
                [Tally(*ALICES, 2, NOON - 3 * DAY, 3 * HOUR, None)],
                id="several add up",
            ),
            pytest.param(
                [WouldBlock(*ALICES, NOON - 8 * DAY, NOON - 6 * DAY)],
                [Tally(*ALICES, 1, NOON - 8 * DAY, DAY, None)],
                id="what began before counts from then on",
            ),
            pytest.param(
                [WouldBlock(*ALICES, NOON - 9 * DAY, NOON - 7 * DAY)],
                [],
                id="what ended before does not count",
            ),
            pytest.param(
                [
                    WouldBlock("user/bob", "daily", "default", NOON - HOUR, NOON),
                    WouldBlock("user/alice", "monthly", "default", NOON - HOUR, NOON),
                    WouldBlock(*ALICES, NOON - HOUR, NOON),
                ],
                [
                    Tally(*ALICES, 1, NOON - HOUR, HOUR, None),
                    Tally("user/alice", "monthly", "default", 1, NOON - HOUR, HOUR, None),
                    Tally("user/bob", "daily", "default", 1, NOON - HOUR, HOUR, None),
                ],
                id="each principal and quota by itself",
            ),
        ],
    )
    def test_in_the_last_week(self, blocks: list[WouldBlock], expected: list[Tally]) -> None:
        assert tally(blocks, NOON - 7 * DAY, NOON) == expected
