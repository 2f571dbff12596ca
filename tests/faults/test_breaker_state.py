"""What the breaker does is decided once, by one conditional write, and blocks rest on it."""

from collections.abc import Callable

import pytest

from builders import NOON
from fault_scene import TICK, Scene
from fault_situations import OVER, arranged, few, fewer, many, tripped
from faults import Fault
from quota_enforcer.core.ledger import SweepState


def after(arrange: Callable[[Scene], None]) -> Scene:
    scene = arranged(arrange)
    scene.faults.counting = True
    return scene


@pytest.mark.parametrize("call", ["turn_breaker", "put", "finish"])
@pytest.mark.parametrize("fault", [Fault.KILLED_BEFORE, Fault.KILLED_AFTER, Fault.TIMED_OUT])
def test_a_sweep_that_trips_it_and_dies_is_told_of_once(call: str, fault: Fault) -> None:
    scene = after(many)
    scene.faults.failing = {f"ledger.{call}": fault}
    scene.enforcer_dies()
    scene.faults.failing = {}
    scene.settle()
    assert scene.picture().told[" breaker "] == 1
    assert scene.world.denied == set()


def test_what_was_allowed_before_it_tripped_is_held_at_the_write() -> None:
    """A sweep would block three; before it does, another run trips the breaker."""
    scene = Scene()
    few(scene)
    scene.world.quota(principal="user/*", limit=1000)
    for who in OVER[:3]:
        scene.world.call(who, NOON, 1100)
    scene.now += TICK
    ledger = scene.world.ledger
    scene.faults.before = {
        "ledger.put": lambda: ledger.turn_breaker(scene.now, ledger.state(), "theirs")
    }
    scene.faults.counting = True
    scene.tick()
    assert scene.world.denied == set()
    assert scene.world.ledger.state().breaker == "theirs"


def test_a_spurious_conflict_denies_nobody_whom_it_holds() -> None:
    scene = after(many)
    scene.faults.failing = {"ledger.put": Fault.CONFLICT}
    scene.faults.times = 1
    scene.settle()
    assert scene.world.denied == set()


def test_two_sweeps_at_once_trip_it_once() -> None:
    scene = after(many)
    scene.faults.before = {"ledger.turn_breaker": scene.another(Scene.tick)}
    scene.tick()
    scene.settle()
    assert scene.picture().told == {" breaker ": 1}


def test_an_admin_who_overrules_it_is_not_overwritten_by_a_sweep_under_way() -> None:
    scene = after(tripped)
    scene.faults.before = {"ledger.finish": scene.another(lambda other: other.tick(confirm=True))}
    scene.tick()
    state = scene.world.ledger.state()
    assert (state.breaker_since, state.confirmed_at) == (None, scene.now)
    assert scene.world.denied == {f"user/{who}" for who in OVER}


def test_who_it_lets_go_of_is_blocked_though_the_sweep_died_then() -> None:
    scene = after(fewer)
    scene.faults.failing = {"ledger.turn_breaker": Fault.KILLED_AFTER}
    scene.enforcer_dies()
    scene.faults.failing = {}
    scene.settle()
    assert scene.world.denied == {f"user/{who}" for who in OVER[:2]}
    assert scene.world.ledger.state().breaker_since is None


def test_a_state_of_an_older_deployment_has_tripped_too() -> None:
    scene = after(tripped)
    state = scene.world.ledger.state()
    assert state.breaker
    scene.world.ledger._state = SweepState(  # noqa: SLF001 - as it was written before
        started=state.started, finished=state.finished, breaker_since=state.breaker_since,
        terms=state.terms, metered_to=state.metered_to, quotas_seen=state.quotas_seen,
        metering=state.metering,
    )  # fmt: skip
    scene.tick(confirm=True)
    assert scene.world.denied == {f"user/{who}" for who in OVER}
