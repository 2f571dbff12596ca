"""A deny that was taken off between two sweeps: the first call that passes brings it back."""

from datetime import datetime, timedelta

import pytest

from builders import HAIKU, NOON
from quota_enforcer.core.deployment import Metering
from quota_enforcer.core.policies.in_force import REFUSED_AFTER, SURELY_REFUSED_AFTER
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.usage.reads import Called
from quota_enforcer.enforce.report import Report
from world import World, principal

MINUTES = timedelta(minutes=1)
BLOCKED = NOON + MINUTES
LATER = BLOCKED + 6 * MINUTES
ALICE = principal("user/alice")


@pytest.fixture
def world() -> World:
    """Alice is blocked since a minute after noon, and `world.asked` counts what IAM is asked."""
    world = World()
    world.metering(Metering.STREAM)
    world.quota()
    world.sweep(NOON - 30 * MINUTES)
    world.stream("alice", BLOCKED, 1200)
    world.wake(BLOCKED, "user/alice")
    assert world.denied == {"user/alice"}
    return world


@pytest.fixture
def asked(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each time that IAM is asked who is denied."""
    several: list[str] = []
    denied = world.denies.denied

    def counted() -> dict[Principal, frozenset[str]]:
        several.append("asked")
        return denied()

    monkeypatch.setattr(world.denies, "denied", counted)
    return several


def calls(at: datetime, model: str = HAIKU, who: Principal = ALICE) -> Called:
    return {who: {model: at}}


def called(world: World, at: datetime, model: str = HAIKU) -> Report:
    """Alice's call, metered half a minute later."""
    world.stream("alice", at, 1)
    return world.wake(at + MINUTES / 2, "user/alice", called=calls(at, model))


def test_the_wake_puts_it_back_and_tells(world: World, asked: list[str]) -> None:
    world.denies.attached.clear()
    report = called(world, LATER)
    assert world.denies.attached == {ALICE: {"*"}}
    assert report.drift == ["the deny of * was detached from user/alice"]
    assert world.told("user/alice") == ["blocked", "tampered"]
    assert asked == ["asked"]


def test_it_does_so_as_often_as_it_is_taken_off(world: World) -> None:
    for hour in range(1, 4):
        world.denies.attached.clear()
        called(world, LATER + timedelta(hours=hour))
        assert world.denies.attached == {ALICE: {"*"}}
    assert world.told("user/alice").count("tampered") == 3


def test_a_second_call_that_passed_before_it_was_back_is_no_alarm(world: World) -> None:
    """It comes with a later delivery, when the deny is attached again."""
    world.denies.attached.clear()
    hours = timedelta(hours=2)
    called(world, BLOCKED + hours)
    assert called(world, BLOCKED + hours + MINUTES / 4).failures == []
    assert world.denies.attached == {ALICE: {"*"}}


def test_calls_that_pass_an_attached_deny_have_iam_asked_every_few_minutes_only(
    world: World, asked: list[str]
) -> None:
    for seconds in range(0, 240, 10):
        called(world, LATER + timedelta(seconds=seconds))
    assert asked == ["asked"]


def test_a_call_that_began_before_the_deny_costs_nothing(world: World, asked: list[str]) -> None:
    for at in (BLOCKED - MINUTES, BLOCKED, BLOCKED + REFUSED_AFTER):
        called(world, at)
    assert asked == []


def test_nor_does_one_of_somebody_who_is_not_blocked(world: World, asked: list[str]) -> None:
    world.stream("bob", LATER, 1)
    world.wake(LATER, "user/bob", called=calls(LATER, who=principal("user/bob")))
    assert asked == []


def test_nor_does_one_of_a_model_that_is_open(
    world: World, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.denies, "scopes", frozenset({"*", "opus*"}))
    world.another_process()
    world.quotas.delete("user/alice", "daily")
    world.quota(quota="opus", limit=0, models="opus*")
    world.enforcer().edited(BLOCKED)
    asked.clear()
    called(world, LATER)
    assert asked == []
    world.denies.attached.clear()
    called(world, LATER, "opus-1")
    assert world.denies.attached == {ALICE: {"opus*"}}


def test_a_recount_and_an_older_meter_say_no_time_and_cost_nothing(
    world: World, asked: list[str]
) -> None:
    world.wake(LATER, "user/alice")
    assert asked == []


def test_a_deny_that_is_attached_as_recorded_is_left_alone(world: World) -> None:
    """A long answer, or clocks that differ."""
    before = list(world.denies.calls)
    report = called(world, LATER)
    assert (report.drift, report.failures) == ([], [])
    assert world.denies.calls == before
    assert world.told("user/alice") == ["blocked"]


def test_a_deny_that_lets_calls_pass_although_it_is_attached_is_an_alarm(world: World) -> None:
    report = called(world, BLOCKED + SURELY_REFUSED_AFTER + MINUTES)
    [words] = report.failures
    assert words == (
        f"user/alice called {HAIKU} at 2026-11-24T13:02:00Z, although the deny of * is attached: "
        "see `quota-enforcer doctor`, which reads what the deny says"
    )


def test_who_is_free_again_meanwhile_stays_free(world: World) -> None:
    world.denies.attached.clear()
    world.quota(limit=5000)
    called(world, LATER)
    assert world.denied == set()


def test_a_gate_that_somebody_emptied_is_written_again(world: World) -> None:
    author = world.keep_gates()
    world.quota(principal="sso/ann")
    world.stream("sso:ann", BLOCKED, 1200)
    world.wake(BLOCKED, "sso/ann")
    runs, ann = author.runs, principal("sso/ann")
    assert ann in author.denied
    author.denied.clear()
    author.tampered = ("gate 1 was rewritten",)
    world.stream("sso:ann", LATER, 1)
    report = world.wake(LATER, "sso/ann", called=calls(LATER, who=ann))
    assert author.runs == runs + 1
    assert ann in author.denied
    assert report.drift == ["gate 1 was rewritten"]
    assert " tampered" in world.told()


def test_forty_eight_calls_in_an_hour_are_one(world: World) -> None:
    """Whoever takes the deny off once gets one delivery of the log through."""
    world.denies.attached.clear()
    passed = 0
    for number in range(48):
        if world.denied:
            break
        called(world, LATER + number * MINUTES)
        passed += 1
    assert passed == 1
