"""Service tiers in use are found once an hour, and told to admins once."""

from datetime import timedelta

import pytest

from builders import HOUR, NOON
from quota_enforcer.core.notices.notice import NoticeKind
from quota_enforcer.enforce.notify.tiers import TierNotifier
from world import World

OSS = "openai.gpt-oss-120b-1:0"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def world() -> World:
    return World()


def reasons(world: World) -> list[str]:
    return [
        notice.reason for notice, _ in world.topic.sent if notice.kind is NoticeKind.SERVICE_TIER
    ]


def test_a_tier_is_told_once(world: World) -> None:
    world.tiers.found = {"priority": frozenset({OSS})}
    for hours in range(5):
        world.sweep(NOON + hours * HOUR)
    (said,) = reasons(world)
    assert f"priority by {OSS}" in said


def test_a_further_tier_is_told_too_and_alone(world: World) -> None:
    world.tiers.found = {"flex": frozenset({OSS})}
    world.sweep(NOON)
    world.tiers.found |= {"ultrafast": frozenset({"us.openai.gpt-6-astra"})}
    world.sweep(NOON + HOUR)
    _, second = reasons(world)
    assert "ultrafast by us.openai.gpt-6-astra" in second
    assert "flex" not in second


def test_one_that_nobody_knows_is_told(world: World) -> None:
    world.tiers.found = {"turbo": frozenset({OSS})}
    world.sweep(NOON)
    assert "turbo" in reasons(world)[0]


def test_the_standard_tier_is_no_news(world: World) -> None:
    world.tiers.found = {"default": frozenset({OSS}), "standard": frozenset({OSS})}
    world.sweep(NOON)
    assert reasons(world) == []


def test_it_is_looked_for_once_an_hour(world: World) -> None:
    for minutes in range(0, 61, 5):
        world.sweep(NOON + minutes * MINUTE)
    assert world.tiers.asked == 2


def test_a_dry_run_and_a_wake_do_not_look(world: World) -> None:
    world.tiers.found = {"flex": frozenset({OSS})}
    world.sweep(NOON, dry_run=True)
    world.wake(NOON, "user/alice")
    assert (world.tiers.asked, reasons(world)) == (0, [])


def test_what_cannot_be_looked_at_is_a_failure_and_looked_at_again(world: World) -> None:
    world.tiers.fails = ConnectionError("no")
    report = world.sweep(NOON)
    assert any("could not look for service tiers" in each for each in report.failures)
    world.tiers.fails, world.tiers.found = None, {"flex": frozenset({OSS})}
    world.sweep(NOON + 5 * MINUTE)
    assert len(reasons(world)) == 1


def test_of_many_models_some_are_named(world: World) -> None:
    world.tiers.found = {"flex": frozenset(f"a.m{number}" for number in range(9))}
    world.sweep(NOON)
    assert "a.m4 and 4 more" in reasons(world)[0]


def test_it_is_told_once_though_no_sweep_comes_to_its_end(world: World) -> None:
    """CloudWatch does not answer, so nothing is metered."""
    world.tiers.found = {"flex": frozenset({OSS})}
    world.metrics.listing_fails = ConnectionError("no")
    for minutes in range(0, 121, 5):
        world.sweep(NOON + minutes * MINUTE)
    assert world.ledger.state().finished is None
    assert (len(reasons(world)), world.tiers.asked) == (1, 3)


def test_two_sweeps_at_once_tell_it_once(world: World) -> None:
    world.tiers.found = {"flex": frozenset({OSS})}
    notify = TierNotifier(world.tiers, world.ledger).notify
    begun = world.ledger.state()
    assert len(notify(begun, NOON).notices) == 1
    assert notify(begun, NOON).notices == ()
    assert len(world.ledger.outbox(NOON + HOUR)) == 1
