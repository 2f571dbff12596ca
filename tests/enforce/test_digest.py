"""Admins get one digest for each Monday, whatever becomes of the sweeps."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from builders import HOUR, UTC_ZONE
from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.notices.notice import Facts, NoticeKind
from quota_enforcer.core.quotas.quota import Rule
from quota_enforcer.enforce.notify.digest import AGAIN_AFTER, DigestNotifier, due_monday
from world import World

if TYPE_CHECKING:
    from collections.abc import Callable

FRIDAY = datetime(2026, 11, 20, 12, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 7, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


class Weeks:
    """Counts what it is asked, and fails if told to."""

    def __init__(self) -> None:
        self.asked: list[date] = []
        self.fails: BaseException | None = None
        self.meanwhile: Callable[[], object] | None = None

    def week(self, rules: Iterable[Rule], context: Context, monday: date) -> tuple[str, Facts]:
        assert context.now
        assert not list(rules)
        self.asked.append(monday)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        if self.fails is not None:
            raise self.fails
        return f"the week to {monday}", (("Dollars", "$1"),)


@pytest.fixture
def weeks() -> Weeks:
    return Weeks()


@pytest.fixture
def world(weeks: Weeks) -> World:
    """A deployment of last week."""
    world = World()
    world.weeks = weeks
    world.sweep(FRIDAY)
    return world


def told(world: World) -> list[str]:
    """The digests sent so far, and when."""
    sent = [notice for notice, _ in world.topic.sent if notice.kind is NoticeKind.DIGEST]
    return [f"{notice.at:%a %H:%M} {notice.reason}" for notice in sent]


def test_the_first_sweep_on_monday_from_seven_on_tells_it(world: World) -> None:
    for minutes in range(-120, 181, 5):
        world.sweep(MONDAY + minutes * MINUTE)
    assert told(world) == ["Mon 07:00 the week to 2026-11-23"]


def test_each_week_has_one(world: World) -> None:
    for hours in range(0, 24 * 22, 6):
        world.sweep(MONDAY + hours * HOUR)
    assert [each.partition(" the ")[2] for each in told(world)] == [
        "week to 2026-11-23", "week to 2026-11-30", "week to 2026-12-07", "week to 2026-12-14"
    ]  # fmt: skip


def test_it_is_for_admins_and_says_what_the_report_says(world: World) -> None:
    world.sweep(MONDAY)
    ((notice, message),) = world.topic.sent
    assert notice.kind.audience == "admins"
    assert (message.subject, message.headline) == (
        "the week to 2026-11-23", "Amazon Bedrock: the week to 2026-11-23",
    )  # fmt: skip
    assert message.facts[0] == ("Dollars", "$1.")
    assert "Why" not in dict(message.facts)


def test_a_deployment_of_today_waits_for_its_first_week(weeks: Weeks) -> None:
    for since in (MONDAY - HOUR, MONDAY, MONDAY + 2 * DAY):
        world = World()
        world.weeks = weeks
        for hours in range(0, 24 * 4, 4):
            world.sweep(since + hours * HOUR)
        assert told(world) == []


def test_after_an_outage_it_comes_late_and_not_twice(world: World) -> None:
    for days in (9, 10):
        world.sweep(MONDAY + days * DAY)
    assert told(world) == ["Wed 07:00 the week to 2026-11-30"]


def test_without_the_parameter_nobody_is_told(world: World, weeks: Weeks) -> None:
    world.weeks = None
    world.sweep(MONDAY)
    assert (told(world), weeks.asked) == ([], [])
    assert world.ledger.state().digest_tried_at == FRIDAY


def test_a_dry_run_and_a_wake_tell_nothing(world: World, weeks: Weeks) -> None:
    world.sweep(MONDAY, dry_run=True)
    world.wake(MONDAY, "user/alice")
    assert (told(world), weeks.asked) == ([], [])


def test_what_cannot_be_read_fails_and_is_read_again_in_an_hour(world: World, weeks: Weeks) -> None:
    weeks.fails = ConnectionError("no")
    failed = [world.sweep(MONDAY + minutes * MINUTE).failures for minutes in range(0, 60, 5)]
    assert len(weeks.asked) == 1
    assert "could not tell of the week" in failed[0][0]
    assert not any(failed[1:])
    weeks.fails = None
    world.sweep(MONDAY + AGAIN_AFTER)
    assert told(world) == ["Mon 08:00 the week to 2026-11-23"]


def test_one_that_dies_with_its_function_comes_an_hour_later(world: World, weeks: Weeks) -> None:
    """A timeout of Lambda: nothing more runs; the sweep itself had come to its end."""
    weeks.fails = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        world.sweep(MONDAY)
    assert world.ledger.state().finished == MONDAY
    weeks.fails = None
    for minutes in range(5, 66, 5):
        world.sweep(MONDAY + minutes * MINUTE)
    assert told(world) == ["Mon 08:00 the week to 2026-11-23"]


def test_one_that_was_posted_and_not_sent_is_sent_by_a_later_sweep(world: World) -> None:
    world.topic.fails = ConnectionError("no")
    assert world.sweep(MONDAY).failures
    world.topic.fails = None
    for minutes in range(5, 31, 5):
        world.sweep(MONDAY + minutes * MINUTE)
    assert told(world) == ["Mon 07:00 the week to 2026-11-23"]


def test_two_sweeps_at_once_read_and_tell_it_once(world: World, weeks: Weeks) -> None:
    notify = DigestNotifier(world.ledger, weeks).notify
    begun, context = world.ledger.state(), Context(MONDAY, UTC_ZONE, Mode.ENFORCE)
    assert len(notify(begun, [], context).notices) == 1
    assert notify(begun, [], context).notices == ()
    assert notify(begun, [], replace(context, now=MONDAY + 2 * HOUR)).notices == ()
    assert len(weeks.asked) == 1
    assert len(world.ledger.outbox(MONDAY + HOUR)) == 1


def test_one_that_was_overtaken_while_it_read_tells_nothing(world: World, weeks: Weeks) -> None:
    weeks.meanwhile = lambda: world.sweep(MONDAY + AGAIN_AFTER)
    world.sweep(MONDAY)
    assert told(world) == ["Mon 08:00 the week to 2026-11-23"]
    assert world.ledger.outbox(MONDAY + 9 * HOUR) == []


@pytest.mark.parametrize(
    ("zone", "now", "monday"),
    [
        ("Europe/Berlin", "2026-11-23T05:59Z", "2026-11-16"),
        ("Europe/Berlin", "2026-11-23T06:00Z", "2026-11-23"),
        ("Pacific/Kiritimati", "2026-11-22T17:00Z", "2026-11-23"),
        ("America/Los_Angeles", "2026-11-23T14:59Z", "2026-11-16"),
        ("America/Los_Angeles", "2026-11-23T15:00Z", "2026-11-23"),
        ("Asia/Kolkata", "2026-11-23T01:30Z", "2026-11-23"),
        ("UTC", "2026-11-29T23:59Z", "2026-11-23"),
        ("Europe/Berlin", "2026-10-26T06:00Z", "2026-10-26"),
    ],
)
def test_seven_is_by_the_deployments_clock(zone: str, now: str, monday: str) -> None:
    assert str(due_monday(datetime.fromisoformat(now), ZoneInfo(zone))) == monday
