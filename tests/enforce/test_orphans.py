"""Who is in the ledger only because a quota named them goes with the last quota that does."""

import pytest

from builders import HOUR, NOON
from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.errors import Conflict, PrincipalGone
from world import World, principal

GHOST = "user/alcie"


@pytest.fixture
def world() -> World:
    """Alice has used something; a quota names her, and an orphan has one too."""
    world = World()
    world.metering(Metering.STREAM)
    world.stream("alice", NOON, 50)
    world.quota()
    world.quota(principal=GHOST)
    world.sweep(NOON)
    return world


def known(world: World) -> set[str]:
    return {str(record.principal) for record in world.ledger.everybody()}


def remove(world: World, subject: str, name: str = "daily") -> None:
    del world.quotas.table[subject, name]


def edited(world: World) -> None:
    world.enforcer().edited(NOON)


def swept(world: World) -> None:
    world.sweep(NOON + HOUR)


@pytest.mark.parametrize("act", [edited, swept])
def test_an_orphan_goes_with_its_item(world: World, act: object) -> None:
    assert known(world) == {"user/alice", GHOST}
    remove(world, GHOST)
    act(world)  # type: ignore[operator]
    assert known(world) == {"user/alice"}


@pytest.mark.parametrize("act", [edited, swept])
def test_who_has_used_something_stays(world: World, act: object) -> None:
    remove(world, "user/alice")
    act(world)  # type: ignore[operator]
    assert "user/alice" in known(world)


def test_an_orphan_stays_while_another_quota_names_it(world: World) -> None:
    world.quota(principal=GHOST, quota="weekly", window="week")
    world.quota(principal="team/x", members=[GHOST, "user/alice"])
    edited(world)
    remove(world, GHOST)
    edited(world)
    remove(world, GHOST, "weekly")
    edited(world)
    assert GHOST in known(world)
    remove(world, "team/x")
    edited(world)
    assert known(world) == {"user/alice"}


def test_a_renamed_quota_lets_the_orphan_go(world: World) -> None:
    """A slip that is mended: the quota goes and one for the right name comes, in one edit."""
    remove(world, GHOST)
    world.quota(principal="user/alice", limit=70)
    edited(world)
    assert known(world) == {"user/alice"}


def test_a_team_that_shared_a_quota_goes_with_its_last_one(world: World) -> None:
    world.quota(principal="team/x", members=["user/alice"], share="pool")
    edited(world)
    assert "team/x" in known(world)
    remove(world, "team/x")
    edited(world)
    assert "team/x" not in known(world)


def test_a_blocked_orphan_goes_once_it_is_released(world: World) -> None:
    world.quota(principal=GHOST, limit=0)
    edited(world)
    assert world.denied == {GHOST}
    remove(world, GHOST)
    edited(world)
    assert world.denied == set()
    assert known(world) == {"user/alice"}


def test_an_orphan_that_could_not_be_blocked_goes_too(world: World) -> None:
    world.denies.refuse[principal(GHOST)] = PrincipalGone("no such user")
    world.quota(principal=GHOST, limit=0)
    edited(world)
    remove(world, GHOST)
    edited(world)
    assert known(world) == {"user/alice"}


def test_who_is_written_meanwhile_stays(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(_: object) -> None:
        raise Conflict("written meanwhile")

    monkeypatch.setattr(world.ledger, "forget", lost)
    remove(world, GHOST)
    edited(world)
    assert GHOST in known(world)


def test_a_dry_run_forgets_nobody(world: World) -> None:
    remove(world, GHOST)
    world.sweep(NOON + HOUR, dry_run=True)
    assert GHOST in known(world)


def test_a_user_that_was_deleted_while_it_was_blocked_goes_too(world: World) -> None:
    world.quota(principal=GHOST, limit=0)
    edited(world)
    world.denies.refuse[principal(GHOST)] = PrincipalGone("no such user")
    world.denies.attached.pop(principal(GHOST))
    remove(world, GHOST)
    edited(world)
    assert known(world) == {"user/alice"}


def test_whom_something_else_still_denies_stays(world: World) -> None:
    """Somebody must know of the deny, to take it off."""
    world.quota(principal="user/*", quota="stop", limit=0)
    edited(world)
    remove(world, GHOST)
    edited(world)
    assert GHOST in known(world)
    assert GHOST in world.denied
