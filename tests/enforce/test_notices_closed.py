"""No notice says that something is closed which is open, or open which is closed."""

from datetime import timedelta

from builders import NOON
from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.errors import CannotDeny
from world import World, principal

AGO = timedelta(minutes=10)
OPEN = "What works: everything; nothing is blocked."
SHUT = "What works: no model of Amazon Bedrock"


def bodies(world: World, kind: str) -> list[str]:
    return [message.body for notice, message in world.topic.sent if notice.kind == kind]


def test_a_jump_past_the_threshold_and_the_limit_is_told_as_the_block_alone() -> None:
    world = World()
    world.quota()
    world.call("alice", NOON - AGO, 1200)
    world.sweep(NOON)
    assert world.told("user/alice") == ["blocked"]
    assert SHUT in bodies(world, "blocked")[0]


def test_a_warning_beside_another_quotas_block_says_what_is_closed() -> None:
    world = World()
    world.quota()
    world.quota(quota="monthly", limit=1500, window="month")
    world.call("alice", NOON - AGO, 1200)
    world.sweep(NOON)
    (warned,) = bodies(world, "warning")
    assert SHUT in warned


def test_where_iam_does_not_take_the_deny_the_warning_says_all_is_open() -> None:
    world = World()
    world.quota()
    world.quota(quota="monthly", limit=1500, window="month")
    world.denies.refuse[principal("user/alice")] = CannotDeny("no policy slot is left")
    world.call("alice", NOON - AGO, 1200)
    world.sweep(NOON)
    (warned,) = bodies(world, "warning")
    assert OPEN in warned


def test_where_the_breaker_holds_blocks_back_whoever_is_warned_reads_that_all_is_open() -> None:
    world = World()
    world.quota(principal="default")
    for number in range(12):
        world.call(f"user{number}", NOON - AGO, 1200 if number else 900)
    assert len(world.sweep(NOON).held) == 11
    (warned,) = bodies(world, "warning")
    assert "user/user0" in warned
    assert OPEN in warned


def test_in_observe_mode_everything_is_open() -> None:
    world = World(Mode.OBSERVE)
    world.quota()
    world.call("alice", NOON - AGO, 1200)
    world.sweep(NOON)
    (warned,) = bodies(world, "warning")
    assert OPEN in warned
    assert "it blocks nothing, since observe mode blocks nobody" in warned
