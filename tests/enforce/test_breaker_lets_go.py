"""A tripped breaker lets go as soon as its cause is mended, and warns of no block that it holds."""

from dataclasses import replace
from datetime import timedelta

import pytest

from builders import HAIKU, NOON
from fakes import FakeLedger
from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.core.usage.window import hour_start
from quota_enforcer.enforce.apply.breaker import INDEX_LAG
from world import World, principal

MINUTES = timedelta(minutes=1)
PEOPLE = [f"user/u{number}" for number in range(14)]
TYPED = NOON + MINUTES
"""When an admin mistypes the limit of everybody."""
MENDED = NOON + 2 * MINUTES


@pytest.fixture(params=[Metering.STREAM, Metering.CLOUDWATCH])
def world(request: pytest.FixtureRequest) -> World:
    """Fourteen people and alice, who is over a quota of her own that nobody has acted on yet.

    A limit of 1 for everybody would block them all, so the breaker holds.
    """
    world = World()
    world.metering(request.param)
    for who in [*PEOPLE, "user/alice"]:
        world.stream(who.removeprefix("user/"), NOON, 100)
    world.wake(NOON, *PEOPLE, "user/alice")
    world.quota(limit=90)
    world.quota(principal="default", quota="typo", limit=1)
    assert len(world.enforcer().edited(TYPED).held) == 15
    assert world.ledger.state().breaker_since == TYPED
    assert world.denied == set()
    return world


def mend(world: World) -> None:
    """The limit is what was meant."""
    world.quota(principal="default", quota="typo", limit=1000)


def test_an_edit_that_mends_the_cause_lets_go_and_blocks_whom_it_should(world: World) -> None:
    mend(world)
    report = world.enforcer().edited(MENDED)
    assert (report.held, report.failures) == ([], [])
    assert world.ledger.state().breaker_since is None
    assert world.denied == {"user/alice"}
    assert world.told("user/alice") == ["blocked"]


def test_whom_the_edit_does_not_concern_is_looked_at_too(world: World) -> None:
    """A role is covered by no default, and was held for a quota of its own."""
    world.stream("role:ci/42", NOON, 100)
    world.quota(principal="role/ci", limit=90)
    assert world.enforcer().edited(TYPED + INDEX_LAG).held == ["role/ci"]
    mend(world)
    world.enforcer().edited(MENDED)
    assert world.denied == {"role/ci", "user/alice"}


def test_the_next_edit_acts_at_once_again(world: World) -> None:
    mend(world)
    world.enforcer().edited(MENDED)
    world.quota(principal="user/u1", limit=0)
    assert world.enforcer().edited(MENDED + MINUTES).held == []
    assert world.denied == {"user/alice", "user/u1"}


def test_a_gate_of_a_held_person_is_written_in_the_same_run(world: World) -> None:
    world.keep_gates()
    world.stream("sso:ann", NOON, 100)
    world.wake(TYPED + INDEX_LAG, "sso/ann")
    mend(world)
    world.quota(principal="sso/ann", limit=90)
    world.enforcer().edited(MENDED)
    assert {str(each.principal) for each in world.ledger.gate_intents()} == {"sso/ann"}
    assert "blocked" in world.told("sso/ann")


def test_part_of_a_mending_lets_nobody_go(world: World) -> None:
    world.quota(principal="user/u0", quota="typo", limit=1000)
    report = world.enforcer().edited(MENDED)
    assert (report.looked_at, world.denied) == (1, set())
    assert world.ledger.state().breaker_since == TYPED


def test_a_wake_lets_go_once_few_enough_are_left(world: World) -> None:
    """A recount takes the usage away that was counted by mistake."""
    for place, who in enumerate(PEOPLE):
        bucket = Bucket(principal(who), HAIKU, NOON.date())
        world.ledger.set_hours(bucket, {hour_start(NOON, world.settings.zone): Counts()})
        world.wake(MENDED + place * MINUTES, who)
    assert world.ledger.state().breaker_since is None
    assert world.denied == {"user/alice"}


def test_a_wake_in_between_reads_nobody_else(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It follows every call, and there may be 100,000 people."""
    for listing in ("everybody", "blocked", "due"):
        monkeypatch.delattr(FakeLedger, listing)
    for who in ("u0", "zoe", "role:ci/42", "u0"):
        world.stream(who, MENDED, 1)
        name = who if ":" in who else f"user/{who}"
        assert world.wake(MENDED, name.replace(":", "/").partition("/4")[0]).looked_at == 1
    assert world.denied == set()
    assert world.ledger.state().breaker_since == TYPED


def test_a_wake_just_after_it_tripped_that_has_nothing_to_hold_leaves_it(world: World) -> None:
    world.stream("zoe", TYPED + INDEX_LAG / 2, 1)
    world.wake(TYPED + INDEX_LAG / 2, "user/zoe")
    assert world.ledger.state().breaker_since == TYPED
    world.sweep(TYPED + 4 * MINUTES)
    assert world.told() == [" breaker"]


def test_a_wake_holds_as_far_as_the_sweep_has_said(world: World) -> None:
    """The limit of 1 is wrong for all, so nobody at a hundred times of it is let through."""
    assert world.ledger.state().breaker_far == 200_000
    world.stream("u0", MENDED, 1_000)
    world.wake(MENDED, "user/u0")
    assert world.denied == set()
    world.stream("u0", MENDED, 1_000)
    world.wake(MENDED + MINUTES, "user/u0")
    assert world.denied == {"user/u0"}


def test_until_a_sweep_has_said_how_far_everybody_is_held(world: World) -> None:
    """The state of an earlier version does not say it."""
    world.ledger._state = replace(world.ledger.state(), breaker_far=0)  # noqa: SLF001 - as it was
    world.stream("u0", MENDED, 1_000_000)
    world.wake(MENDED, "user/u0")
    assert world.denied == set()
    world.sweep(MENDED + MINUTES)
    assert world.denied == {"user/u0"}
    assert world.ledger.state().breaker_far == 200_000
    assert world.told().count(" breaker") == 1


def test_an_edit_that_frees_some_who_were_blocked_before_lets_go_of_the_rest() -> None:
    """Ten were blocked one by one, and the eleventh is held."""
    world = World()
    world.metering(Metering.STREAM)
    world.quota(principal="default", quota="typo", limit=100)
    world.sweep(NOON)
    several = [f"user/u{number}" for number in range(11)]
    for second, who in enumerate(several):
        world.stream(who.removeprefix("user/"), NOON, 120)
        last = world.wake(NOON + timedelta(seconds=second), who)
    assert (last.held, len(world.denied)) == ([several[-1]], 10)
    for who in several[:3]:
        world.quota(principal=who, quota="typo", limit=1000)
    world.enforcer().edited(NOON + MINUTES)
    assert world.denied == set(several[3:])
    assert world.ledger.state().breaker_since is None


def test_nothing_is_let_go_before_the_index_can_know_who_is_held(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = world.ledger.due
    monkeypatch.setattr(world.ledger, "due", lambda _: set())
    world.wake(TYPED + INDEX_LAG - timedelta(seconds=1), "user/u0")
    assert world.ledger.state().breaker_since == TYPED
    monkeypatch.setattr(world.ledger, "due", due)


def test_who_is_held_is_not_warned_and_after_mending_never_was(world: World) -> None:
    assert world.told() == [" breaker"]
    world.sweep(TYPED + 4 * MINUTES)
    assert world.told() == [" breaker"]
    mend(world)
    world.enforcer().edited(NOON + 6 * MINUTES)
    assert world.told()[1:] == ["user/alice blocked"]


def test_who_was_held_is_warned_of_what_was_no_mistake_once_it_lets_go(world: World) -> None:
    world.quota(principal="user/u1", limit=110)
    assert world.enforcer().edited(TYPED + INDEX_LAG).held == ["user/u1"]
    assert world.told("user/u1") == []
    mend(world)
    world.enforcer().edited(MENDED)
    assert world.told("user/u1") == ["warning"]


def test_who_is_near_a_limit_is_warned_meanwhile(world: World) -> None:
    world.stream("role:ci/42", NOON, 100)
    world.quota(principal="role/ci", limit=110)
    world.enforcer().edited(MENDED)
    assert world.told("role/ci") == ["warning"]


def test_confirmed_blocks_are_told(world: World) -> None:
    world.sweep(NOON + 5 * MINUTES, confirm_blocks=True)
    assert world.told("user/u0") == ["blocked"]
    assert len(world.denied) == 15
