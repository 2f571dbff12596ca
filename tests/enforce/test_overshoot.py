"""Timelines of a quota that closes before its limit: wakes, sweeps, pools, and what is read."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from builders import HAIKU, NOON
from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.usage.pace import USUAL_LAG, DenyLag
from quota_enforcer.decide.pace.ahead import REST
from world import World, principal

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
ALICE = principal("user/alice")


@pytest.fixture
def world() -> World:
    """A deployment on the stream; alice may use 100,000 tokens a day, and not one more."""
    world = World()
    world.metering(Metering.STREAM)
    quota(world)
    world.sweep(NOON)
    return world


def quota(world: World, **but: Any) -> None:
    world.quota(**{"limit": 100_000, "overshoot": "avoid", **but})


def burst(
    world: World, end: datetime, calls: int, tokens: int, *who: str, over: timedelta = 5 * MINUTE
) -> None:
    """Calls at a steady pace up to this moment, seen one and all."""
    for number in range(calls):
        for each in who or ("alice",):
            world.stream(each, end - over + over * number / calls, tokens)


def test_who_will_pass_the_limit_before_a_deny_holds_is_blocked_before(world: World) -> None:
    burst(world, NOON + 10 * MINUTE, 490, 200)
    world.wake(NOON + 10 * MINUTE, "user/alice")
    assert world.denied == {"user/alice"}
    [(notice, message)] = world.topic.sent
    assert "a deny takes 17 s to hold" in notice.reason
    assert message.body.startswith(
        "Amazon Bedrock is blocked for user/alice: quota daily is nearly used up"
    )


def test_it_does_not_flap(world: World) -> None:
    """Nothing opens it until the reset, however often it is looked at."""
    burst(world, NOON + 10 * MINUTE, 490, 200)
    world.wake(NOON + 10 * MINUTE, "user/alice")
    for minutes in range(11, 720, 7):
        world.sweep(NOON + minutes * MINUTE)
    assert world.told() == ["user/alice blocked"]
    world.sweep(NOON + 720 * MINUTE)
    assert world.told() == ["user/alice blocked", "user/alice restored"]
    assert world.denied == set()


def test_after_a_burst_what_is_left_comes_back_once_and_is_closed_again_at_the_end(
    world: World,
) -> None:
    at = NOON + 10 * MINUTE
    burst(world, at, 900, 100, over=MINUTE)
    world.wake(at, "user/alice")
    assert world.denied == {"user/alice"}
    world.sweep(at + REST - SECOND)
    assert world.denied == {"user/alice"}
    world.sweep(at + REST)
    assert world.told() == ["user/alice blocked", "user/alice restored"]
    later = at + REST + 10 * MINUTE
    burst(world, later, 95, 100)
    world.wake(later, "user/alice")
    world.sweep(later + 2 * REST)
    assert world.told() == ["user/alice blocked", "user/alice restored", "user/alice blocked"]


@pytest.mark.parametrize(
    ("used", "reads"),
    [
        pytest.param(40_000, 0, id="far from the limit nobody asks"),
        pytest.param(60_000, 1, id="one read near it"),
        pytest.param(120_000, 0, id="none beyond"),
    ],
)
def test_the_pace_is_read_only_where_it_matters(world: World, used: int, reads: int) -> None:
    world.stream("alice", NOON + MINUTE, used)
    world.wake(NOON + MINUTE, "user/alice")
    assert len(world.ledger.paces_read) == reads


def test_nobody_pays_for_the_quotas_of_others(world: World) -> None:
    world.quota(principal="user/bob", limit=100_000)
    world.stream("bob", NOON + MINUTE, 99_000)
    world.wake(NOON + MINUTE, "user/bob")
    world.sweep(NOON + 2 * MINUTE)
    assert world.ledger.paces_read == []


def test_a_pool_is_as_fast_as_its_members_together(world: World) -> None:
    members = ["user/bob", "user/carol"]
    quota(world, principal="team/x", quota="pool", share="pool", members=members)
    world.sweep(NOON + MINUTE)
    burst(world, NOON + 10 * MINUTE, 245, 200, "bob", "carol")
    world.wake(NOON + 10 * MINUTE, "user/bob")
    assert world.denied == set(members)
    assert sorted(world.told()) == ["team/x blocked", "user/bob blocked", "user/carol blocked"]
    world.sweep(NOON + 60 * MINUTE)
    assert world.denied == set(members)


def test_the_lag_is_measured_by_the_calls_that_wake(world: World) -> None:
    now = NOON + MINUTE
    world.stream("alice", now, 10)
    called = {ALICE: {HAIKU: now}}
    world.wake(now + 5 * SECOND, "user/alice", called=called)
    assert world.ledger.state().lag == DenyLag(Decimal("12.75"), USUAL_LAG.holds)


def test_a_call_that_passes_a_young_deny_says_how_long_iam_takes(world: World) -> None:
    now = NOON + MINUTE
    world.stream("alice", now, 100_000)
    world.wake(now, "user/alice")
    passed = now + 20 * SECOND
    world.stream("alice", passed, 10)
    world.wake(passed + 2 * MINUTE, "user/alice", called={ALICE: {HAIKU: passed}})
    assert world.ledger.state().lag.holds == Decimal(20)


def test_a_sweep_keeps_what_was_measured(world: World) -> None:
    now = NOON + MINUTE
    world.stream("alice", now, 10)
    world.wake(now + 5 * SECOND, "user/alice", called={ALICE: {HAIKU: now}})
    world.sweep(NOON + 5 * MINUTE)
    assert world.ledger.state().lag.seen == Decimal("12.75")


def test_headroom_ends_where_the_pace_begins_to_matter() -> None:
    """Below half of the limit a call need not be looked at; from there on each is."""
    world = World()
    world.metering(Metering.STREAM)
    quota(world, warn_at=[])
    world.sweep(NOON)

    def looked_at(at: datetime, tokens: int) -> bool:
        world.stream("alice", at, tokens)
        called = {ALICE: {HAIKU: at}}
        return bool(world.wake(at, "user/alice", called=called, since=at).looked_at)

    for _ in range(3):
        looked_at(NOON + MINUTE, 10)
    assert not looked_at(NOON + MINUTE, 49_969)
    assert looked_at(NOON + MINUTE, 1)
    assert looked_at(NOON + MINUTE, 1)
    assert looked_at(NOON + MINUTE, 1)
