"""The stack goes while hundreds are denied: some of them are gone, and some calls fail."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from fakes import FakeDenies
from quota_enforcer.core.errors import PrincipalGone, SweepFailed
from quota_enforcer.core.ledger import Level, Record, Standing
from quota_enforcer.core.principal import Kind, Principal
from world import World

MANY = 300
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = timedelta(minutes=10)
EVERYBODY = [Principal(Kind.USER if n % 3 else Kind.ROLE, f"p{n:03}") for n in range(MANY)]
GONE = set(EVERYBODY[5::15])
"""Deleted in IAM after they were denied; the ledger still says that they are."""


@dataclass
class FailingDenies(FakeDenies):
    """IAM of which the detach with this number, from 0, fails once."""

    fails_at: int | None = None
    _detached: list[Principal] = field(default_factory=list)

    def detach(self, principal: Principal, scope: str) -> None:
        self._detached.append(principal)
        if len(self._detached) - 1 == self.fails_at:
            raise ConnectionError("IAM is away")
        super().detach(principal, scope)


def a_world(fails_at: int | None = None) -> World:
    """Hundreds are denied; IAM knows nothing of those who are gone."""
    world = World()
    world.denies = FailingDenies(fails_at=fails_at)
    for who in EVERYBODY:
        if who in GONE:
            world.denies.refuse[who] = PrincipalGone(f"{who} is not there")
        else:
            world.denies.attached[who] = {"*"}
        standing = Standing(Level.OVER, frozenset({"*"}), since=NOON, blocked_since=NOON)
        world.ledger.put(Record(who, standing, version=1))
    return world


def restored(world: World) -> list[str]:
    return sorted(notice.principal for notice, _ in world.topic.sent if notice.kind == "restored")


def test_all_are_released_and_each_is_told_once_those_who_are_gone_too() -> None:
    """The notice of somebody who is gone is for admins: a block that ended."""
    world = a_world()
    assert sorted(world.close(NOON + LATER)) == sorted(map(str, EVERYBODY))
    assert world.denied == set()
    assert restored(world) == sorted(map(str, EVERYBODY))
    assert world.close(NOON + 2 * LATER) == []
    assert restored(world) == sorted(map(str, EVERYBODY))


@pytest.mark.parametrize("fails_at", [0, 1, MANY // 2, MANY - 2, MANY - 1])
def test_a_call_that_fails_in_the_middle_stops_nobody_else(fails_at: int) -> None:
    """The deletion fails and says for whom; begun again it finds just these."""
    world = a_world(fails_at)
    with pytest.raises(SweepFailed, match="IAM is away") as failed:
        world.close(NOON + LATER)
    assert len(failed.value.failures) == 1
    missing = sorted(EVERYBODY)[fails_at]
    assert world.denied == set() if missing in GONE else {str(missing)}
    assert len(restored(world)) == MANY - 1
    assert world.close(NOON + 2 * LATER) == [str(missing)]
    assert world.denied == set()
    assert restored(world) == sorted(map(str, EVERYBODY))


def test_nobody_is_blocked_again_by_what_runs_between_two_tries() -> None:
    world = a_world(7)
    world.quota()
    with pytest.raises(SweepFailed):
        world.close(NOON + LATER)
    world.call("p001", NOON + LATER, 5_000)
    world.sweep(NOON + LATER + timedelta(minutes=5))
    world.wake(NOON + LATER + timedelta(minutes=6), "user/p001")
    assert len(world.denied) <= 1
    world.close(NOON + 2 * LATER)
    assert world.denied == set()


def test_whom_iam_denies_and_the_ledger_does_not_know_is_released_too() -> None:
    """Such as after the ledger was restored from a backup."""
    world = World()
    for who in EVERYBODY:
        world.denies.attached[who] = {"*"}
    assert sorted(world.close(NOON)) == sorted(map(str, EVERYBODY))
    assert world.denied == set()
