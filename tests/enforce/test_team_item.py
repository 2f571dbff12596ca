"""Edits of a team's own item as timelines: who is blocked, released and told."""

import pytest

from builders import NOON, an_item
from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.notices.notice import NoticeKind
from world import World, principal


@pytest.fixture(params=["each", "pool"])
def world(request: pytest.FixtureRequest) -> World:
    """Alice and bob have used more than the two quotas of their team allow."""
    world = World()
    world.metering(Metering.STREAM)
    members(world, "user/alice", "user/bob")
    world.quota(principal="team/x", share=request.param)
    world.quota(principal="team/x", quota="weekly", window="week", share=request.param)
    for who in ("alice", "bob", "carol"):
        world.stream(who, NOON, 1200)
    world.sweep(NOON)
    world.wake(NOON, "user/alice", "user/bob", "user/carol")
    assert world.denied == {"user/alice", "user/bob"}
    return world


def members(world: World, *who: str, **but: object) -> None:
    item = {"principal": "team/x", "quota": "members", "members": list(who), **but}
    world.quotas.put(item)


def edited(world: World) -> list[str]:
    """What the history notes of the edits that the enforcer finds."""
    world.enforcer().edited(NOON)
    past = [each for each in world.ledger.whole_history() if each.kind is NoticeKind.EDITED]
    return [f"{each.quota}: {each.reason}" for each in past[3:]]


def test_who_comes_is_blocked_and_who_leaves_is_free(world: World) -> None:
    members(world, "user/alice", "user/carol")
    told = edited(world)
    assert world.denied == {"user/alice", "user/carol"}
    assert told == ["members: members +user/carol -user/bob"]
    assert edited(world) == told


def test_it_is_as_if_each_quota_named_them(world: World) -> None:
    world.sweep(NOON)
    before = {who: world.ledger.records([principal(who)]) for who in ("user/alice", "team/x")}
    for name in ("daily", "weekly"):
        stored = world.quotas.table["team/x", name]
        world.quotas.put({**stored, "members": ["user/alice", "user/bob"]})
    edited(world)
    assert world.denied == {"user/alice", "user/bob"}
    assert before == {who: world.ledger.records([principal(who)]) for who in before}


def test_members_on_a_quota_itself_count_for_it(world: World) -> None:
    for name in ("daily", "weekly"):
        stored = world.quotas.table["team/x", name]
        world.quotas.put({**stored, "members": ["user/carol"]})
    edited(world)
    assert world.denied == {"user/carol"}


@pytest.mark.parametrize("broken", [{"members": ["team/y"]}, {"until": "2026-12-01"}])
def test_while_it_is_not_valid_the_last_members_stay(
    world: World, broken: dict[str, object]
) -> None:
    members(world, **{"members": ["user/alice"], **broken})
    edited(world)
    assert world.denied == {"user/alice", "user/bob"}
    assert [told for told in world.told() if "invalid" in told] == ["team/x invalid-quota"]
    world.another_process()
    world.sweep(NOON)
    assert world.denied == {"user/alice", "user/bob"}


def test_when_it_is_removed_the_quotas_keep_whom_they_had_and_admins_are_told(
    world: World,
) -> None:
    world.quotas.delete("team/x", "members")
    edited(world)
    world.sweep(NOON)
    assert world.denied == {"user/alice", "user/bob"}
    assert [told for told in world.told() if "invalid" in told] == ["team/x invalid-quota"] * 2


def test_a_quota_may_come_before_its_team(world: World) -> None:
    world.quotas.put(an_item(principal="team/new", limit=5))
    edited(world)
    world.quotas.put({"principal": "team/new", "quota": "members", "members": ["user/carol"]})
    edited(world)
    assert "user/carol" in world.denied


def test_an_item_of_a_team_alone_limits_nobody() -> None:
    world = World()
    members(world, "user/alice")
    world.call("alice", NOON, 10**6)
    report = world.sweep(NOON)
    assert (report.failures, world.denied, world.told()) == ([], set(), [])
