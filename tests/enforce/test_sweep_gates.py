"""Sweeps of people behind shared identities: one author for all, and nobody claimed in vain."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from builders import HOUR, NOON
from fakes import FakeAuthor
from gate_fakes import GATE
from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.errors import SweepFailed
from world import World, arn, principal

MINUTES = timedelta(minutes=1)
MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)
ANN = principal("sso/ann@example.com")
RUN = principal("session/ci/42")


@pytest.fixture
def world() -> World:
    """A deployment that keeps gates, in which Ann and a session are over."""
    world = World()
    world.keep_gates()
    world.quota(principal="sso/*")
    world.quota(principal="session/ci/*")
    world.call("sso:Ann@example.com", NOON, 1200)
    world.call("role:ci/42", NOON, 1200)
    world.call("role:ci/43", NOON, 100)
    return world


def author(world: World) -> FakeAuthor:
    assert world.author is not None
    return world.author


def test_all_are_blocked_with_one_run_of_the_author(world: World) -> None:
    world.sweep(NOON + 5 * MINUTES)
    assert author(world).runs == 1
    assert author(world).denied == {ANN: {"*"}, RUN: {"*"}}
    assert world.told(str(ANN)) == ["blocked"]
    assert world.told(str(RUN)) == ["blocked"]


def test_people_are_listed_as_they_are_spelled_and_with_their_roles(world: World) -> None:
    world.sweep(NOON + 5 * MINUTES)
    intents = {intent.principal: intent for intent in world.ledger.gate_intents()}
    assert intents[ANN].names == {"Ann@example.com"}
    assert intents[ANN].roles == {"AWSReservedSSO_Developer_0123456789abcdef"}
    assert intents[RUN].names == {"42"}
    assert intents[RUN].roles == {"ci"}


def test_a_spelling_seen_later_is_denied_too(world: World) -> None:
    world.sweep(NOON + 5 * MINUTES)
    world.call("sso:ANN@example.com", NOON + 6 * MINUTES, 10)
    world.sweep(NOON + 10 * MINUTES)
    (intent,) = (each for each in world.ledger.gate_intents() if each.principal == ANN)
    assert intent.names == {"Ann@example.com", "ANN@example.com"}
    assert world.told(str(ANN)) == ["blocked"]


def test_the_window_rolls_over(world: World) -> None:
    world.sweep(NOON + 5 * MINUTES)
    world.sweep(MIDNIGHT)
    assert author(world).denied == {}
    assert world.ledger.gate_intents() == []
    assert world.told(str(ANN)) == ["blocked", "restored"]


def test_who_has_a_role_without_a_gate_is_not_called_blocked(world: World) -> None:
    """Admins are told once; when the gate is set at last, the person is told."""
    author(world).trouble = {ANN: "permission set Developer names no gate"}
    world.sweep(NOON + 5 * MINUTES)
    world.sweep(NOON + 10 * MINUTES)
    assert world.told(str(ANN)) == ["could-not-deny"]
    author(world).trouble = {}
    world.sweep(NOON + 15 * MINUTES)
    assert world.told(str(ANN)) == ["could-not-deny", "blocked"]


def test_a_gate_that_stops_denying_is_told_to_admins(world: World) -> None:
    world.sweep(NOON + 5 * MINUTES)
    author(world).trouble = {ANN: "permission set Developer names no gate any more"}
    world.sweep(NOON + 10 * MINUTES)
    assert world.told(str(ANN)) == ["blocked", "could-not-deny"]


def test_a_failing_author_fails_the_sweep_and_the_next_goes_on(world: World) -> None:
    author(world).fails = ConnectionError("the author is away")
    world.quota(principal="user/alice")
    world.call("alice", NOON, 1200)
    report = world.sweep(NOON + 5 * MINUTES)
    assert report.failures == ["the gates: ConnectionError: the author is away"]
    assert world.denied == {"user/alice"}
    assert "blocked" not in world.told(str(ANN))
    author(world).fails = None
    world.sweep(NOON + 10 * MINUTES)
    assert world.told(str(ANN)) == ["blocked"]


def test_who_is_blocked_for_weeks_stays_in_the_gate(world: World) -> None:
    """The metrics forget who makes no calls; the gate does not."""
    world.quota(principal="sso/*", window="month")
    world.sweep(NOON + 5 * MINUTES)
    (before,) = (each for each in world.ledger.gate_intents() if each.principal == ANN)
    world.metrics.forget(arn("sso:Ann@example.com"))
    world.ledger.forget_sources()
    world.sweep(NOON + 3 * HOUR)
    (after,) = (each for each in world.ledger.gate_intents() if each.principal == ANN)
    assert after == before


def test_a_release_that_a_gate_did_not_take_is_not_called_restored(world: World) -> None:
    world.sweep(NOON + 5 * MINUTES)
    author(world).failures = ("gate 1 could not be written",)
    assert world.sweep(MIDNIGHT).failures == ["gate 1 could not be written"]
    assert world.told(str(ANN)) == ["blocked"]
    author(world).failures = ()
    world.sweep(MIDNIGHT + 5 * MINUTES)
    assert world.told(str(ANN)) == ["blocked", "restored"]


def test_a_warning_is_not_lost_with_a_failing_author(world: World) -> None:
    world.call("sso:joe@example.com", NOON, 850)
    author(world).fails = ConnectionError("the author is away")
    world.sweep(NOON + 5 * MINUTES)
    author(world).fails = None
    world.sweep(NOON + 10 * MINUTES)
    assert world.told("sso/joe@example.com") == ["warning"]


def test_observe_mode_asks_the_author_to_deny_nobody(world: World) -> None:
    world.mode(Mode.OBSERVE)
    world.sweep(NOON + 5 * MINUTES)
    assert author(world).denied == {}
    assert world.told(str(ANN)) == ["warning"]


def test_a_gate_that_stays_misused_is_told_to_admins_once(world: World) -> None:
    author(world).tampered = ("gate 1 was written by somebody else",)
    report = world.sweep(NOON + 5 * MINUTES)
    assert report.drift == ["gate 1 was written by somebody else"]
    world.sweep(NOON + 10 * MINUTES)
    assert world.told().count(" tampered") == 1
    author(world).tampered = ()
    world.sweep(NOON + 15 * MINUTES)
    author(world).tampered = ("gate 1 was written by somebody else",)
    world.sweep(NOON + 20 * MINUTES)
    assert world.told().count(" tampered") == 2


def test_a_gate_that_stays_misused_is_not_told_again_after_a_failing_author(world: World) -> None:
    author(world).tampered = ("gate 1 was written by somebody else",)
    world.sweep(NOON + 5 * MINUTES)
    author(world).fails = ConnectionError("the author is away")
    world.sweep(NOON + 10 * MINUTES)
    author(world).fails = None
    world.sweep(NOON + 15 * MINUTES)
    assert world.told().count(" tampered") == 1


def test_a_gate_that_stays_misused_is_not_told_again_after_nobody_could_reach_it(
    world: World,
) -> None:
    attached = "gate 1 of 222222222222 is attached to user/eve"
    author(world).tampered = (attached,)
    world.sweep(NOON + 5 * MINUTES)
    author(world).tampered, author(world).unreachable = (), {"222222222222": "AccessDenied"}
    world.sweep(NOON + 10 * MINUTES)
    author(world).tampered, author(world).unreachable = (attached,), {}
    world.sweep(NOON + 15 * MINUTES)
    assert world.told().count(" tampered") == 1


def test_what_is_new_is_told_though_an_account_cannot_be_reached(world: World) -> None:
    author(world).unreachable = {"222222222222": "AccessDenied"}
    author(world).tampered = ("gate 2 is attached to user/eve",)
    world.sweep(NOON + 5 * MINUTES)
    world.sweep(NOON + 10 * MINUTES)
    assert world.told().count(" tampered") == 1


REWRITTEN = "gate 1 held a document that the author did not write; the right one is back"
ATTACHED = "gate 2 is attached to user/eve as an ordinary policy"


def test_a_gate_that_was_put_right_is_told_once_and_again_if_it_happens_again(
    world: World,
) -> None:
    for minute in (5, 15):
        world.ledger.findings[REWRITTEN] = GATE
        assert world.sweep(NOON + minute * MINUTES).drift == [REWRITTEN]
        assert world.sweep(NOON + (minute + 5) * MINUTES).drift == []
    assert world.told().count(" tampered") == 2


def test_a_gate_that_was_put_right_is_told_though_the_authors_answer_is_lost(world: World) -> None:
    world.ledger.findings[REWRITTEN] = GATE
    author(world).fails = ConnectionError("no answer in time")
    world.sweep(NOON + 5 * MINUTES)
    assert world.told().count(" tampered") == 1
    author(world).fails = None
    world.sweep(NOON + 10 * MINUTES)
    assert world.told().count(" tampered") == 1


def test_what_is_put_right_and_what_is_not_are_one_notice(world: World) -> None:
    world.ledger.findings[REWRITTEN] = GATE
    author(world).tampered = (ATTACHED,)
    world.sweep(NOON + 5 * MINUTES)
    world.sweep(NOON + 10 * MINUTES)
    [told] = [notice for notice, _ in world.topic.sent if notice.kind == "tampered"]
    assert told.reason == f"{REWRITTEN}; {ATTACHED}"


def test_what_another_run_tells_meanwhile_is_not_told_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.ledger.findings[REWRITTEN] = GATE
    monkeypatch.setattr(world.ledger, "tell_findings", lambda _found, _notice: False)
    author(world).tampered = (ATTACHED,)
    world.sweep(NOON + 5 * MINUTES)
    [told] = [notice for notice, _ in world.topic.sent if notice.kind == "tampered"]
    assert told.reason == ATTACHED


def test_a_gate_that_is_nearly_full_is_told_when_it_is_written(world: World) -> None:
    author(world).fill = {"gate-1": 81}
    author(world).written = ("gate-1",)
    world.sweep(NOON + 5 * MINUTES)
    author(world).written = ()
    world.sweep(NOON + 10 * MINUTES)
    assert world.told().count(" gate-nearly-full") == 1


def test_a_role_that_is_denied_as_a_whole_is_told_when_its_gate_is_written(world: World) -> None:
    author(world).whole = {"gate-1": ("shared",)}
    author(world).written = ("gate-1",)
    world.sweep(NOON + 5 * MINUTES)
    author(world).written = ()
    world.sweep(NOON + 10 * MINUTES)
    [told] = [notice for notice, _ in world.topic.sent if notice.kind == "gate-nearly-full"]
    assert "gate-1 had no room for the sessions of shared, so all sessions of that" in told.reason


def test_closing_empties_the_gates(world: World) -> None:
    world.sweep(NOON + 5 * MINUTES)
    assert world.close(NOON + 10 * MINUTES) == [str(RUN), str(ANN)]
    assert author(world).denied == {}


def test_somebody_can_be_blocked_by_hand_before_the_first_call(world: World) -> None:
    world.quota(principal="sso/eve@example.com", quota="hold", limit=0)
    world.sweep(NOON + 5 * MINUTES)
    (intent,) = (
        each for each in world.ledger.gate_intents() if each.principal.name == "eve@example.com"
    )
    assert intent.names == {"eve@example.com"}
    assert not intent.roles


@pytest.mark.parametrize("crash", range(30))
def test_a_crash_between_any_two_writes_is_healed(world: World, crash: int) -> None:
    world.ledger.fails_at = crash
    with suppress(ConnectionError):
        world.sweep(NOON + 5 * MINUTES)
    world.ledger.fails_at = None
    world.sweep(NOON + 10 * MINUTES)
    world.sweep(NOON + HOUR)
    assert author(world).denied == {ANN: {"*"}, RUN: {"*"}}
    assert set(world.told(str(ANN))) == {"blocked"}


def test_gates_that_are_given_up_while_they_deny_are_claimed_to_nobody(world: World) -> None:
    """Nobody writes them any more, so admins must put them back first."""
    world.sweep(NOON + 5 * MINUTES)
    world.author, world.settings = None, replace(world.settings, author="")
    report = world.sweep(MIDNIGHT)
    assert "the gates still deny session/ci/42, sso/ann@example.com" in report.failures[0]
    assert world.told(str(ANN)) == ["blocked"]
    with pytest.raises(SweepFailed, match="the gates still deny"):
        world.close(MIDNIGHT + 5 * MINUTES)
    assert world.told(str(ANN)) == ["blocked"]


def test_who_is_denied_in_one_permission_set_only_is_told_and_admins_too(world: World) -> None:
    author(world).trouble = {ANN: "permission set Analyst names no gate"}
    author(world).partly = True
    world.sweep(NOON + 5 * MINUTES)
    assert world.told(str(ANN)) == ["blocked", "could-not-deny"]
