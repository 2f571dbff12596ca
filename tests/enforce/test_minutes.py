"""Timelines of a window of minutes: blocked within it, and free as soon as enough has left it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import HAIKU, NOON
from quota_enforcer.core.deployment import Metering
from world import World, principal

MINUTE, SECOND, HOUR = timedelta(minutes=1), timedelta(seconds=1), timedelta(hours=1)
ALICE = principal("user/alice")
BOB = principal("user/bob")


def quota(world: World, **but: Any) -> None:
    world.quota(**{"quota": "burst", "window": "rolling 15 minutes", **but})


@pytest.fixture
def world() -> World:
    """A deployment on the stream, in which alice may use 1,000 tokens in any 15 minutes."""
    world = World()
    world.metering(Metering.STREAM)
    quota(world)
    world.sweep(NOON - HOUR)
    return world


def use(world: World, at: datetime, tokens: int, who: str = "alice") -> None:
    world.stream(who, at, tokens)
    world.wake(at, f"user/{who}")


def test_a_loop_is_stopped_within_the_window_and_freed_minute_by_minute(world: World) -> None:
    use(world, NOON + MINUTE, 600)
    assert world.denied == set()
    use(world, NOON + 5 * MINUTE, 400)
    assert world.denied == {"user/alice"}
    [(notice, message)] = world.topic.sent[-1:]
    assert notice.reason == (
        "1,000 of 1,000 total tokens used in the last 15 minutes (quota burst of user/alice)"
    )
    assert "Opens again: 2026-11-24 12:16 UTC, in 11 min." in message.body
    world.sweep(NOON + 15 * MINUTE)
    assert world.denied == {"user/alice"}
    world.sweep(NOON + 16 * MINUTE)
    assert world.denied == set()
    assert world.told() == ["user/alice blocked", "user/alice restored"]


def test_a_sweep_finds_it_due_at_the_very_minute(world: World) -> None:
    use(world, NOON + 90 * SECOND, 1000)
    record = world.ledger.records([ALICE])[ALICE]
    assert record.due == record.standing.until == NOON + 16 * MINUTE


def test_as_much_over_an_hour_blocks_nobody(world: World) -> None:
    for minute in range(0, 60, 2):
        use(world, NOON + minute * MINUTE, 120)
    assert world.denied == set()
    assert "user/alice blocked" not in world.told()


def test_what_was_used_before_anybody_counted_is_not_known(world: World) -> None:
    """It is no zero: it may have been too much, so nobody says that it was not."""
    use(world, NOON, 5000, "bob")
    quota(world, principal="user/bob")
    world.sweep(NOON + MINUTE)
    assert world.denied == set()
    use(world, NOON + 2 * MINUTE, 999, "bob")
    assert world.denied == set()
    use(world, NOON + 3 * MINUTE, 1, "bob")
    assert world.denied == {"user/bob"}


def test_only_whoever_has_such_a_quota_pays_for_it(world: World) -> None:
    world.quota(principal="user/bob")
    world.sweep(NOON)
    for who in ("alice", "bob"):
        use(world, NOON + MINUTE, 10, who)
    world.sweep(NOON + 2 * MINUTE)
    assert set(world.ledger.minutes_read) == {ALICE}
    assert not world.ledger.minutes_used[BOB]


def test_a_pool_is_what_its_members_use_together(world: World) -> None:
    members = ["user/bob", "user/carol"]
    quota(world, principal="team/x", quota="pool", share="pool", members=members)
    world.sweep(NOON)
    use(world, NOON + MINUTE, 500, "bob")
    use(world, NOON + 2 * MINUTE, 500, "carol")
    assert world.denied == set(members)
    world.sweep(NOON + 16 * MINUTE)
    assert world.denied == set()


def test_members_of_a_team_may_have_a_window_each(world: World) -> None:
    quota(world, principal="team/x", quota="each", members=["user/bob", "user/carol"])
    world.sweep(NOON)
    use(world, NOON + MINUTE, 999, "bob")
    use(world, NOON + MINUTE, 1000, "carol")
    assert world.denied == {"user/carol"}


def test_a_window_of_minutes_crosses_midnight(world: World) -> None:
    midnight = NOON + 12 * HOUR
    use(world, midnight - 2 * MINUTE, 600)
    use(world, midnight + 2 * MINUTE, 400)
    assert world.denied == {"user/alice"}
    world.sweep(midnight + 13 * MINUTE)
    assert world.denied == set()


def test_raising_it_releases_at_once(world: World) -> None:
    use(world, NOON, 1000)
    quota(world, limit=2000)
    world.sweep(NOON + MINUTE)
    assert world.denied == set()


def test_who_has_no_such_quota_any_more_is_not_counted_any_more(world: World) -> None:
    world.quotas.delete("user/alice", "burst")
    world.sweep(NOON)
    world.ledger.minutes_read.clear()
    use(world, NOON + MINUTE, 5000)
    assert not world.ledger.minutes_used[ALICE]
    assert world.ledger.minutes_read == []


def test_headroom_never_hides_a_burst() -> None:
    """A look long ago left it; what is used since is held against the whole of what was left."""
    world = World()
    world.metering(Metering.STREAM)
    quota(world, warn_at=[])
    world.sweep(NOON - HOUR)

    def looked_at(at: datetime, tokens: int) -> int:
        world.stream("alice", at, tokens)
        called = {ALICE: {HAIKU: at}}
        return world.wake(at, "user/alice", called=called, since=at).looked_at

    for _ in range(3):
        looked_at(NOON, 10)
    assert looked_at(NOON + MINUTE, 900) == 0
    later = NOON + 5 * HOUR
    assert looked_at(later, 500) == 1
    assert world.denied == set()
    assert looked_at(later + MINUTE, 499) == 0
    assert looked_at(later + 2 * MINUTE, 1) == 1
    assert world.denied == {"user/alice"}


@given(
    st.lists(st.tuples(st.integers(0, 90 * 60), st.integers(1, 400)), min_size=1, max_size=12),
    st.sampled_from([5, 15, 60]),
)
def test_blocked_is_whoever_used_the_limit_in_the_minutes_of_the_window(
    calls: list[tuple[int, int]], length: int
) -> None:
    """At each call, and after it each time that somebody looks."""
    world = World()
    world.metering(Metering.STREAM)
    quota(world, window=f"rolling {length} minutes", limit=500)
    world.sweep(NOON - HOUR)
    made: list[tuple[datetime, int]] = []

    def over(now: datetime) -> bool:
        first = now.replace(second=0) - (length - 1) * MINUTE
        return sum(tokens for at, tokens in made if at >= first) >= 500

    for second, tokens in sorted(calls):
        at = NOON + second * SECOND
        made.append((at, tokens))
        use(world, at, tokens)
        assert bool(world.denied) == over(at)
    now = made[-1][0]
    for minute in range(1, length + 2):
        world.sweep(now + minute * MINUTE)
        assert bool(world.denied) == over(now + minute * MINUTE)
    assert world.denied == set()
