"""Blocks: what was told about one principal, as stretches of time."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from builders import ALICE, NOON, Story, a_quota
from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.quota import Action
from quota_enforcer.core.usage.window import Unit, Window
from quota_enforcer.insight.report.blocked import BlockedPeriod, BlockOutcome, Now, blocks_of

MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)
HOURS = {n: timedelta(hours=n) for n in range(49)}
NOTHING_NOW = Now(
    NOON - timedelta(days=60), NOON, denied=False, over=frozenset(), deniable=True
)  # fmt: skip


def at(now: datetime, *over: str, denied: bool = False) -> Now:
    return replace(NOTHING_NOW, now=now, over=frozenset(over), denied=denied)


def observed(story: Story, now: datetime) -> Now:
    """In observe mode, with what the last decision noted."""
    would_deny = story.standing.would_deny
    over = frozenset(id_.partition("#")[2] for id_ in would_deny)
    return replace(NOTHING_NOW, now=now, over=over, would_deny=would_deny)


def told(kind: NoticeKind, moment: datetime, **but: object) -> Notice:
    notice = Notice(kind, moment, "user/alice", "daily", "why")
    return replace(notice, **but)  # type: ignore[arg-type]


def stretches(blocks: Iterable[BlockedPeriod]) -> list[tuple[str, datetime, datetime | None]]:
    return [(block.outcome.value, block.start, block.end) for block in blocks]


def test_a_block_lasts_until_it_is_restored() -> None:
    alice = Story(a_quota())
    history = [*alice.at(NOON, 1200).notices, *alice.at(MIDNIGHT, {NOON: 1200}).notices]
    [block] = blocks_of(ALICE, history, at(MIDNIGHT + HOURS[1]))
    assert stretches([block]) == [("blocked", NOON, MIDNIGHT)]
    assert (block.quotas, block.ended) == (("daily",), "the window has rolled over")
    assert block.why == "1,200 of 1,000 total tokens used today (quota daily of user/alice)"


def test_a_block_lasts_still_while_something_is_denied() -> None:
    alice = Story(a_quota())
    history = alice.at(NOON, 1200).notices
    [block] = blocks_of(ALICE, history, at(NOON + HOURS[3], "daily", denied=True))
    assert (block.end, block.until) == (None, MIDNIGHT)
    assert block.why == "1,200 of 1,000 total tokens used today (quota daily of user/alice)"


def test_a_block_that_ended_without_a_notice_ended_when_the_clock_freed_it() -> None:
    alice = Story(a_quota())
    history = alice.at(NOON, 1200).notices
    assert stretches(blocks_of(ALICE, history, at(MIDNIGHT + HOURS[9]))) == [
        ("blocked", NOON, MIDNIGHT)
    ]
    assert stretches(blocks_of(ALICE, history, at(NOON + HOURS[9]))) == [
        ("blocked", NOON, NOON + HOURS[9])
    ]


def test_a_second_quota_makes_no_second_block() -> None:
    alice = Story(
        a_quota(), a_quota(name="monthly", limit=Decimal(2000), window=Window(Unit.MONTH))
    )
    first, second = alice.at(NOON, 1200), alice.at(NOON + HOURS[1], 2300)
    history = [*first.notices, *second.notices]
    [block] = blocks_of(ALICE, history, at(NOON + HOURS[2], "daily", "monthly", denied=True))
    assert (block.start, block.quotas) == (NOON, ("daily", "monthly"))
    assert block.until == datetime(2026, 12, 1, tzinfo=UTC)


def test_in_observe_mode_a_used_up_quota_would_have_blocked_until_its_reset() -> None:
    alice = Story(a_quota(), mode=Mode.OBSERVE)
    history = [*alice.at(NOON, 1200).notices]
    [block] = blocks_of(ALICE, history, observed(alice, NOON + HOURS[2]))
    assert stretches([block]) == [("would have been blocked", NOON, None)]
    assert block.why == "1,200 of 1,000 total tokens used today (quota daily of user/alice)"
    assert block.until == MIDNIGHT
    history += alice.at(MIDNIGHT + HOURS[1], {NOON: 1200}).notices
    [block] = blocks_of(ALICE, history, observed(alice, MIDNIGHT + HOURS[2]))
    assert stretches([block]) == [("would have been blocked", NOON, MIDNIGHT)]
    assert block.why == "1,200 of 1,000 total tokens used today (quota daily of user/alice)"
    assert block.ended == "the window has rolled over"


def test_a_raise_ends_what_would_have_been_at_its_own_moment() -> None:
    """Its warning names midnight, and says nothing of a raise."""
    alice = Story(a_quota(), mode=Mode.OBSERVE)
    history = [*alice.at(NOON, 1200).notices]
    alice.quotas = (a_quota(limit=Decimal(5000)),)
    history += alice.at(NOON + HOURS[1], {NOON: 1200}).notices
    [block] = blocks_of(ALICE, history, observed(alice, NOON + HOURS[9]))
    assert stretches([block]) == [("would have been blocked", NOON, NOON + HOURS[1])]
    assert block.ended == "the limit is now 5,000"


def test_a_rolling_window_that_fills_twice_would_have_blocked_twice() -> None:
    """The second time nobody is warned: that is not repeated within the window's length."""
    alice = Story(a_quota(window=Window(Unit.HOUR, 3)), mode=Mode.OBSERVE)
    calls = {NOON + HOURS[hour]: 500 for hour in (0, 2, 4)}
    history: list[Notice] = []
    for hour in (2, 3, 4):
        used = {when: tokens for when, tokens in calls.items() if when <= NOON + HOURS[hour]}
        history += alice.at(NOON + HOURS[hour], used).notices
    assert [each.kind for each in history].count(NoticeKind.WARNING) == 1
    first, second = blocks_of(ALICE, history, observed(alice, NOON + HOURS[5]))
    assert stretches([first, second]) == [
        ("would have been blocked", NOON + HOURS[2], NOON + HOURS[3]),
        ("would have been blocked", NOON + HOURS[4], None),
    ]
    assert second.why == "quota daily of user/alice was used up"


def test_a_warning_alone_is_no_block() -> None:
    history = Story(a_quota(), mode=Mode.OBSERVE).at(NOON, 1200).notices
    assert [each.kind for each in history] == [NoticeKind.WARNING]
    assert not blocks_of(ALICE, history, at(NOON + HOURS[2], "daily"))


def test_what_overlaps_would_have_been_one_block() -> None:
    monthly = a_quota(name="monthly", limit=Decimal(2000), window=Window(Unit.MONTH))
    alice = Story(a_quota(), monthly, mode=Mode.OBSERVE)
    history = [*alice.at(NOON, 1200).notices, *alice.at(NOON + HOURS[1], 2300).notices]
    [block] = blocks_of(ALICE, history, observed(alice, NOON + HOURS[2]))
    assert (block.start, block.end, block.quotas) == (NOON, None, ("daily", "monthly"))
    alice.quotas = (a_quota(), a_quota(name="monthly", limit=Decimal(9000)))
    history += alice.at(NOON + HOURS[2], {NOON: 1200, NOON + HOURS[1]: 1100}).notices
    history += alice.at(MIDNIGHT, {NOON: 2300}).notices
    [block] = blocks_of(ALICE, history, observed(alice, MIDNIGHT + HOURS[1]))
    assert (block.start, block.end, block.quotas) == (NOON, MIDNIGHT, ("daily", "monthly"))
    assert block.ended == "the window has rolled over"


def test_every_day_over_would_have_been_a_block_of_its_own() -> None:
    alice = Story(a_quota(), mode=Mode.OBSERVE)
    tomorrow = NOON + HOURS[24]
    history = [*alice.at(NOON, 1200).notices, *alice.at(MIDNIGHT, {NOON: 1200}).notices]
    history += alice.at(tomorrow, 1100).notices
    assert stretches(blocks_of(ALICE, history, observed(alice, tomorrow + HOURS[1]))) == [
        ("would have been blocked", NOON, MIDNIGHT),
        ("would have been blocked", tomorrow, None),
    ]


def test_a_block_ends_what_would_have_been_one() -> None:
    """The stack was switched to enforce."""
    alice = Story(a_quota(), mode=Mode.OBSERVE)
    history = [*alice.at(NOON, 1200).notices]
    alice.mode = Mode.ENFORCE
    history += alice.at(NOON + HOURS[1], 1300).notices
    assert stretches(blocks_of(ALICE, history, at(NOON + HOURS[2], "daily", denied=True))) == [
        ("would have been blocked", NOON, NOON + HOURS[1]),
        ("blocked", NOON + HOURS[1], None),
    ]


@pytest.mark.parametrize("mode", list(Mode))
def test_whom_no_deny_reaches_could_not_be_blocked_in_either_mode(mode: Mode) -> None:
    ann = Principal.parse("sso/ann")
    story = Story(a_quota(subject="sso/ann"), who=ann, mode=mode)
    history = story.at(NOON, 1200).notices
    now = replace(at(NOON + HOURS[2], "daily"), deniable=False)
    assert stretches(blocks_of(ALICE, history, now)) == [("could not be blocked", NOON, None)]


def test_refusals_told_again_are_one_stretch() -> None:
    could_not = NoticeKind.COULD_NOT_DENY
    history = [told(could_not, NOON + HOURS[n], until=MIDNIGHT) for n in range(3)]
    assert stretches(blocks_of(ALICE, history, at(NOON + HOURS[5], "daily"))) == [
        ("could not be blocked", NOON, None)
    ]


def test_a_quota_that_only_notifies_blocks_nobody() -> None:
    for mode in Mode:
        story = Story(a_quota(action=Action.NOTIFY), mode=mode)
        assert not blocks_of(ALICE, story.at(NOON, 1200).notices, at(NOON + HOURS[2], "daily"))


def test_warnings_below_the_limit_are_no_blocks() -> None:
    history = Story(a_quota(), mode=Mode.OBSERVE).at(NOON, 900).notices
    assert history
    assert not blocks_of(ALICE, history, at(NOON + HOURS[2]))


def test_what_ended_before_the_report_begins_is_left_out() -> None:
    alice = Story(a_quota())
    history = [*alice.at(NOON, 1200).notices, *alice.at(MIDNIGHT, {NOON: 1200}).notices]
    later = replace(at(NOON + HOURS[48]), first=MIDNIGHT + HOURS[1])
    assert not blocks_of(ALICE, history, later)
    [block] = blocks_of(ALICE, history, replace(later, first=MIDNIGHT - HOURS[1]))
    assert block.lasted(MIDNIGHT - HOURS[1], later.now) == HOURS[1]


def test_notices_after_the_reports_moment_are_not_there_yet() -> None:
    assert not blocks_of(ALICE, [told(NoticeKind.BLOCKED, NOON + HOURS[1])], at(NOON))


def test_a_restore_whose_block_is_forgotten_is_no_block() -> None:
    assert not blocks_of(ALICE, [told(NoticeKind.RESTORED, NOON - HOURS[1])], at(NOON))


def test_a_limit_of_zero_would_have_blocked_until_an_admin_changes_it() -> None:
    alice = Story(a_quota(limit=Decimal(0)), mode=Mode.OBSERVE)
    history = alice.at(NOON).notices
    [block] = blocks_of(ALICE, history, observed(alice, NOON + HOURS[48]))
    assert (block.outcome, block.end, block.until) == (BlockOutcome.WOULD_HAVE_BEEN, None, None)
