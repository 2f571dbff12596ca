"""Sweeps of quotas that close the dear model first: by policies, gates, teams and satellites."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from builders import HAIKU, NOON
from quota_enforcer.core.deployment import Metering, Mode
from quota_enforcer.core.errors import SweepFailed
from world import World, principal

MINUTES = timedelta(minutes=1)
MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)
DEAR, CHEAP = "anthropic.claude-3-haiku*", "amazon.nova-lite*"
"""What everybody here calls is dear."""
STAGES = {"80": [DEAR], "100": ["*"]}
ALICE, BOB = principal("user/alice"), principal("user/bob")
ANN, RUN = principal("sso/ann@example.com"), principal("session/ci/42")
MEMBER = "444455556666"


def a_world() -> World:
    """On the stream, with a scope for the dear model."""
    world = World()
    world.metering(Metering.STREAM)
    world.install(DEAR)
    return world


def used(world: World, who: str, tokens: int, at: datetime = NOON) -> None:
    """They call, and the enforcer looks."""
    world.stream(who, at, tokens)
    world.wake(at + MINUTES, f"user/{who}")


@pytest.fixture
def world() -> World:
    """Every user may use 1,000 a day; the dear model closes at 800."""
    world = a_world()
    world.quota(principal="user/*", closes=STAGES, warn_at=50)
    return world


def test_a_policy_of_the_dear_model_then_that_of_everything_then_none(world: World) -> None:
    for at, tokens in ((0, 600), (1, 250), (2, 400)):
        used(world, "alice", tokens, NOON + at * MINUTES)
    assert world.denies.calls == [
        ("attach", ALICE, DEAR), ("attach", ALICE, "*"), ("detach", ALICE, DEAR),
    ]  # fmt: skip
    world.sweep(MIDNIGHT)
    assert world.denied == set()
    assert world.told("user/alice") == ["warning", "blocked", "blocked", "restored"]


def test_a_higher_limit_puts_the_dear_models_policy_back(world: World) -> None:
    used(world, "alice", 1100)
    world.quota(principal="user/*", closes=STAGES, warn_at=50, limit=1200)
    world.sweep(NOON + 2 * MINUTES)
    assert world.denies.attached[ALICE] == {DEAR}
    world.quota(principal="user/*", closes=STAGES, warn_at=50, limit=2000)
    world.sweep(NOON + 3 * MINUTES)
    assert world.denies.attached[ALICE] == set()


def test_what_somebody_detached_is_attached_again(world: World) -> None:
    used(world, "alice", 850)
    world.denies.attached[ALICE].clear()
    world.sweep(NOON + 20 * MINUTES)
    assert world.denies.attached[ALICE] == {DEAR}


def test_a_wake_looks_at_whoever_reaches_a_stage(world: World) -> None:
    """Headroom ends at the stage, and not at the limit."""
    used(world, "alice", 600)
    used(world, "alice", 199, NOON + 2 * MINUTES)
    assert world.denied == set()
    used(world, "alice", 1, NOON + 4 * MINUTES)
    assert world.denies.attached[ALICE] == {DEAR}


def test_a_notice_says_what_is_closed_and_what_works(world: World) -> None:
    used(world, "alice", 850)
    [sent] = [each for each in world.topic.sent if str(each[0].kind) == "blocked"]
    assert sent[0].closed == DEAR
    assert f"What works: every model but {DEAR}" in sent[1].body


def test_gates_deny_the_dear_model_alone() -> None:
    world = a_world()
    author = world.keep_gates()
    world.metering(Metering.CLOUDWATCH)
    for who in ("sso/*", "session/ci/*"):
        world.quota(principal=who, closes=STAGES, warn_at=50)
    world.call("sso:ann@example.com", NOON, 850)
    world.call("role:ci/42", NOON, 1200)
    world.sweep(NOON + 5 * MINUTES)
    assert author.denied == {ANN: {DEAR}, RUN: {"*"}}
    world.sweep(MIDNIGHT)
    assert author.denied == {}


def test_a_pool_closes_the_dear_model_for_all_its_members() -> None:
    world = a_world()
    members = ["user/alice", "user/bob"]
    world.quota(principal="team/x", members=members, share="pool", closes=STAGES, warn_at=50)
    used(world, "alice", 500)
    used(world, "bob", 350)
    assert world.denies.attached == {ALICE: {DEAR}, BOB: {DEAR}}
    used(world, "bob", 300, NOON + 2 * MINUTES)
    assert world.denies.attached == {ALICE: {"*"}, BOB: {"*"}}
    assert world.told("user/alice") == ["blocked", "blocked"]
    world.sweep(MIDNIGHT)
    assert world.denied == set()


def test_a_user_of_a_member_account_is_denied_the_same_scope() -> None:
    world = a_world()
    world.member(MEMBER)
    world.quota(principal=f"{MEMBER}/user/*", closes=STAGES, warn_at=50)
    world.stream("bob", NOON, 850, account=MEMBER)
    world.wake(NOON + MINUTES, f"{MEMBER}/user/bob")
    assert world.denies.attached == {principal(f"{MEMBER}/user/bob"): {DEAR}}


def test_observe_mode_notes_the_stage_and_blocks_nobody(world: World) -> None:
    world.mode(Mode.OBSERVE)
    used(world, "alice", 850)
    assert (world.denied, world.told("user/alice")) == (set(), ["warning"])
    world.mode(Mode.ENFORCE)
    world.sweep(NOON + 2 * MINUTES)
    assert world.denies.attached == {ALICE: {DEAR}}


def test_an_edit_that_closes_the_dear_model_for_too_many_waits() -> None:
    """The breaker takes a stage for the block that it is."""
    world = a_world()
    world.quota(principal="user/*", limit=1000)
    for n in range(15):
        used(world, f"user{n}", 150)
    world.quota(principal="user/*", limit=1000, closes={"10": [DEAR], "100": ["*"]})
    with suppress(SweepFailed):
        world.sweep(NOON + 2 * MINUTES)
    assert world.denied == set()
    assert world.ledger.state().breaker_since == NOON + 2 * MINUTES
    world.sweep(NOON + 3 * MINUTES, confirm_blocks=True)
    assert len(world.denied) == 15


def test_a_model_that_nobody_calls_is_closed_all_the_same(world: World) -> None:
    """Everything counts; the stage closes what it says."""
    assert HAIKU.startswith(DEAR.rstrip("*"))
    world.install(DEAR, CHEAP)
    world.quota(principal="user/*", closes={"80": [CHEAP], "100": ["*"]}, warn_at=50)
    used(world, "alice", 850)
    assert world.denies.attached == {ALICE: {CHEAP}}
