"""Pools as timelines: a spent pool blocks its members, and whatever ends that frees them all."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from builders import HOUR, NOON
from quota_enforcer.core.deployment import Metering, Mode
from quota_enforcer.core.errors import CannotDeny, PrincipalGone
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.buckets import Usage
from world import World, principal

MINUTES = timedelta(minutes=1)
SECONDS = timedelta(seconds=1)
MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)
TEAM = "team/research"
BOB = principal("user/bob")
MEMBERS = ("user/alice", "user/bob", "role/ci")
"""Nobody ever sees the role call."""


def pool(world: World, **but: Any) -> None:
    """An admin writes the team's item."""
    world.quota(**{"principal": TEAM, "members": list(MEMBERS), "share": "pool", **but})


@pytest.fixture
def world() -> World:
    """A deployment on the stream, swept at noon, with a pool that alice and bob have half used."""
    world = World()
    world.metering(Metering.STREAM)
    pool(world)
    for who in ("alice", "bob"):
        world.stream(who, NOON, 300)
    world.sweep(NOON)
    return world


@pytest.fixture
def spent(world: World) -> World:
    """The same, a minute later: alice has used up the rest."""
    world.stream("alice", NOON + MINUTES, 500)
    world.wake(NOON + MINUTES, "user/alice")
    assert world.denied == set(MEMBERS)
    return world


def told_each(world: World) -> dict[str, list[str]]:
    """What the team and its members were told."""
    return {who: world.told(who) for who in (TEAM, *MEMBERS)}


def test_the_call_that_spends_a_pool_blocks_all_members_in_the_same_breath(spent: World) -> None:
    assert told_each(spent) == {
        TEAM: ["blocked"],
        "user/alice": ["blocked"],
        "user/bob": ["blocked"],
        "role/ci": ["blocked"],
    }


def test_nothing_is_told_or_written_again(spent: World) -> None:
    sent = len(spent.topic.sent)
    for minute in (2, 3):
        spent.wake(NOON + minute * MINUTES, "user/alice", "user/bob")
    spent.ledger.writes.clear()
    report = spent.sweep(NOON + 30 * MINUTES)
    assert (len(spent.topic.sent), report.drift, report.failures) == (sent, [], [])
    assert [method for method, _ in spent.ledger.writes if method == "put"] == []


def test_at_the_end_of_the_window_the_clock_frees_everybody(spent: World) -> None:
    spent.sweep(MIDNIGHT - MINUTES)
    assert spent.denied == set(MEMBERS)
    spent.sweep(MIDNIGHT)
    assert spent.denied == set()
    assert {who: told[-1] for who, told in told_each(spent).items()} == dict.fromkeys(
        (TEAM, *MEMBERS), "restored"
    )


def raised(world: World) -> None:
    pool(world, limit=5000)


def raised_for_a_while(world: World) -> None:
    pool(world, raise_to="unlimited", raise_until="2026-11-24T18:00")


def removed(world: World) -> None:
    world.quotas.delete(TEAM, "daily")


def disabled(world: World) -> None:
    pool(world, enabled=False)


def exempted(world: World) -> None:
    pool(world, exempt=True)


def only_told(world: World) -> None:
    pool(world, action="notify")


@pytest.mark.parametrize(
    "edit", [raised, raised_for_a_while, removed, disabled, exempted, only_told]
)
def test_an_edit_frees_everybody_at_once(spent: World, edit: Callable[[World], None]) -> None:
    edit(spent)
    spent.sweep(NOON + 5 * MINUTES)
    assert spent.denied == set()
    assert [told[-1] for told in told_each(spent).values()][1:] == ["restored"] * 3


def test_the_end_of_a_raise_blocks_everybody_again(spent: World) -> None:
    raised_for_a_while(spent)
    spent.sweep(NOON + 5 * MINUTES)
    spent.sweep(NOON + 6 * HOUR - MINUTES)
    assert spent.denied == set()
    spent.sweep(NOON + 6 * HOUR)
    assert spent.denied == set(MEMBERS)


def test_who_leaves_the_team_is_free_and_who_joins_is_blocked(spent: World) -> None:
    pool(spent, members=["user/alice", "user/bob", "user/carol"], limit=700)
    spent.sweep(NOON + 5 * MINUTES)
    assert spent.denied == {"user/alice", "user/bob", "user/carol"}
    assert spent.told("role/ci") == ["blocked", "restored"]


def test_the_usage_of_who_leaves_leaves_with_her(spent: World) -> None:
    pool(spent, members=["user/bob", "role/ci"])
    spent.sweep(NOON + 5 * MINUTES)
    assert spent.denied == set()


def test_an_exemption_frees_one_member_and_its_usage_still_counts(spent: World) -> None:
    spent.quota(principal="user/bob", exempt=True)
    spent.sweep(NOON + 5 * MINUTES)
    assert spent.denied == {"user/alice", "role/ci"}
    spent.stream("bob", NOON + 6 * MINUTES, 1000)
    pool(spent, limit=1500)
    spent.sweep(NOON + 10 * MINUTES)
    assert spent.denied == {"user/alice", "role/ci"}


def test_a_block_of_the_whole_team_by_hand_ends_by_itself(world: World) -> None:
    pool(world, quota="closed", limit=0, until="2026-11-24T13:00")
    world.sweep(NOON + 5 * MINUTES)
    assert world.denied == set(MEMBERS)
    world.sweep(NOON + HOUR)
    assert world.denied == set()


def test_dollars_of_all_members_spend_a_pool(world: World) -> None:
    pool(world, quota="budget", measure="cost_usd", limit="0.30")
    world.stream("alice", NOON, 1, "0.10")
    world.stream("bob", NOON, 1, "0.1999999999")
    world.sweep(NOON + 5 * MINUTES)
    assert world.denied == set()
    world.stream("bob", NOON, 1, "0.0000000001")
    world.wake(NOON + 6 * MINUTES, "user/bob")
    assert world.denied == set(MEMBERS)


def test_a_pool_metered_by_metrics_blocks_its_members_too() -> None:
    world = World()
    pool(world)
    world.sweep(NOON)
    world.call("alice", NOON + MINUTES, 600)
    world.sweep(NOON + 5 * MINUTES)
    assert world.told() == []
    world.call("bob", NOON + 6 * MINUTES, 600)
    world.sweep(NOON + 10 * MINUTES)
    assert world.denied == set(MEMBERS)


def test_observe_mode_blocks_nobody_and_enforce_mode_everybody(world: World) -> None:
    world.mode(Mode.OBSERVE)
    world.stream("alice", NOON, 500)
    world.sweep(NOON + 5 * MINUTES)
    assert (world.denied, world.told()) == (set(), [f"{TEAM} warning"])
    world.mode(Mode.ENFORCE)
    world.sweep(NOON + 10 * MINUTES)
    assert world.denied == set(MEMBERS)
    world.mode(Mode.OBSERVE)
    world.sweep(NOON + 15 * MINUTES)
    assert world.denied == set()


# Cost


def test_who_calls_without_spending_the_pool_costs_no_look_at_the_others(world: World) -> None:
    world.stream("alice", NOON, 10)
    assert world.wake(NOON + MINUTES, "user/alice").looked_at == 2


def test_each_member_is_read_once_a_round(world: World) -> None:
    reads: Counter[str] = Counter()
    usage = world.ledger.usage

    def counting(principal: Principal, first: date) -> Usage:
        reads[str(principal)] += 1
        return usage(principal, first)

    world.ledger.usage = counting  # type: ignore[method-assign]
    pool(world, quota="monthly", window="month", limit=50_000)
    world.sweep(NOON + 5 * MINUTES)
    assert reads == dict.fromkeys(MEMBERS, 1)
    reads.clear()
    world.stream("alice", NOON, 500)
    world.wake(NOON + 6 * MINUTES, "user/alice", "user/bob")
    assert reads == dict.fromkeys(MEMBERS, 1)


# The breaker


def a_crowd(world: World) -> list[str]:
    """A pool of a dozen, just spent."""
    members = [f"user/u{number}" for number in range(12)]
    pool(world, members=members)
    world.stream("u0", NOON, 1200)
    return members


def test_a_spent_pool_trips_no_breaker_however_many_share_it(world: World) -> None:
    """It counts as one, also on the day that it was made."""
    members = a_crowd(world)
    assert world.sweep(NOON + 5 * MINUTES).held == []
    assert world.denied == set(members)
    assert world.told(TEAM) == ["blocked"]


def test_a_pool_is_held_with_its_members_and_let_go_with_them(world: World) -> None:
    """A dozen pools of one edit, each spent: that is a dozen."""
    teams = [f"team/t{number}" for number in range(12)]
    for number, team in enumerate(teams):
        pool(world, principal=team, members=[f"user/u{number}", f"user/v{number}"])
        world.stream(f"u{number}", NOON, 1200)
    report = world.sweep(NOON + 5 * MINUTES)
    assert len(report.held) == 36
    assert "12 of 27 principals (44 %)" in report.failures[0]
    assert [told for told in world.told() if told.endswith(" blocked")] == []
    world.wake(NOON + 6 * MINUTES, "user/u1")
    assert world.denied == set()
    world.sweep(NOON + 10 * MINUTES, confirm_blocks=True)
    assert len(world.denied) == 24
    assert {told for team in teams for told in world.told(team)} == {"blocked"}


def test_a_team_itself_is_no_block_to_the_breaker(world: World) -> None:
    pool(world, members=[f"user/u{number}" for number in range(10)])
    world.stream("u0", NOON, 1200)
    assert world.sweep(NOON + 5 * MINUTES).held == []
    assert len(world.denied) == 10


# Mishaps


@pytest.mark.parametrize("crash", range(25))
def test_a_crash_between_any_two_writes_is_healed(world: World, crash: int) -> None:
    """Lambda repeats a wake that failed; then the schedule goes on."""
    world.stream("alice", NOON + MINUTES, 500)
    world.ledger.writes.clear()
    world.ledger.fails_at = crash
    with suppress(ConnectionError):
        world.wake(NOON + MINUTES, "user/alice")
    world.ledger.fails_at = None
    world.another_process()
    world.wake(NOON + 2 * MINUTES, "user/alice")
    world.sweep(NOON + 5 * MINUTES)
    world.sweep(NOON + 20 * MINUTES)
    assert world.denied == set(MEMBERS)
    assert {who: set(told) for who, told in told_each(world).items()} == {
        TEAM: {"blocked"},
        **{each: {"blocked"} for each in MEMBERS},
    }


def test_one_member_that_cannot_be_denied_stops_no_other(world: World) -> None:
    world.denies.refuse[BOB] = CannotDeny("all 10 policy slots are full")
    world.denies.refuse[principal("role/ci")] = PrincipalGone("no such role")
    world.stream("alice", NOON, 500)
    world.wake(NOON + MINUTES, "user/alice")
    assert world.denied == {"user/alice"}
    assert told_each(world) == {
        TEAM: ["blocked"],
        "user/alice": ["blocked"],
        "user/bob": ["could-not-deny"],
        "role/ci": [],
    }


def test_a_member_whose_deny_fails_is_tried_again_by_the_next_sweep(world: World) -> None:
    world.denies.refuse[BOB] = ConnectionError("IAM is away")
    world.stream("alice", NOON, 500)
    report = world.wake(NOON + MINUTES, "user/alice")
    assert report.failures == ["user/bob: ConnectionError: IAM is away"]
    world.denies.refuse.clear()
    world.sweep(NOON + 5 * MINUTES)
    assert world.denied == set(MEMBERS)
    assert world.told("user/bob") == ["blocked"]


def test_a_pool_that_cannot_be_read_keeps_everybody_as_they_are(spent: World) -> None:
    usage = spent.ledger.usage

    def away(principal: Principal, first: date) -> Usage:
        if str(principal) == "role/ci":
            raise ConnectionError("DynamoDB is away")
        return usage(principal, first)

    spent.ledger.usage = away  # type: ignore[method-assign]
    report = spent.sweep(MIDNIGHT)
    assert len(report.failures) == 4
    assert spent.denied == set(MEMBERS)
    spent.ledger.usage = usage  # type: ignore[method-assign]
    spent.sweep(MIDNIGHT + 5 * MINUTES)
    assert spent.denied == set()


def test_two_wakes_at_once_tell_everybody_once(world: World) -> None:
    attach = world.denies.attach
    raced: list[bool] = []

    def racing(principal: Principal, scope: str) -> None:
        if not raced:
            raced.append(True)
            world.enforcer().wake([BOB], NOON + MINUTES + SECONDS)
        attach(principal, scope)

    world.denies.attach = racing  # type: ignore[method-assign]
    world.stream("alice", NOON, 500)
    report = world.wake(NOON + MINUTES, "user/alice")
    assert report.failures == []
    world.sweep(NOON + 5 * MINUTES)
    assert world.denied == set(MEMBERS)
    assert told_each(world) == {
        TEAM: ["blocked"],
        **{each: ["blocked"] for each in MEMBERS},
    }


# People behind gates, and the end


def test_a_person_behind_a_gate_and_a_user_share_a_pool(world: World) -> None:
    author = world.keep_gates()
    pool(world, members=["user/alice", "sso/ann@example.com"])
    world.stream("sso:ann@example.com", NOON, 400)
    world.sweep(NOON + 5 * MINUTES)
    assert (world.denied, author.denied) == (set(), {})
    world.stream("sso:ann@example.com", NOON, 300)
    world.wake(NOON + 6 * MINUTES, "sso/ann@example.com")
    assert world.denied == {"user/alice"}
    assert author.denied == {principal("sso/ann@example.com"): {"*"}}
    pool(world, members=["user/alice", "sso/ann@example.com"], limit=5000)
    world.sweep(NOON + 10 * MINUTES)
    assert (world.denied, author.denied) == (set(), {})
    assert world.told("sso/ann@example.com") == ["blocked", "restored"]


def test_without_a_gate_the_person_is_told_of_to_admins_and_the_user_is_blocked(
    world: World,
) -> None:
    pool(world, members=["user/alice", "sso/ann@example.com"])
    world.stream("sso:ann@example.com", NOON, 1000)
    world.wake(NOON + 6 * MINUTES, "sso/ann@example.com")
    world.sweep(NOON + 10 * MINUTES)
    assert world.denied == {"user/alice"}
    assert world.told("sso/ann@example.com") == ["could-not-deny"]


def test_when_the_stack_goes_the_members_and_the_team_are_told(spent: World) -> None:
    spent.close(NOON + 10 * MINUTES)
    assert spent.denied == set()
    assert [told[-1] for told in told_each(spent).values()] == ["restored"] * 4
