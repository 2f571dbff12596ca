"""Usage that nobody has looked at is due by itself: no wake has to arrive."""

from pathlib import Path
from typing import Any

import pytest

from builders import HOUR
from fault_scene import TICK, Scene
from fault_situations import deliver, lost_batch, streaming
from faults import Fault
from quota_enforcer.core.usage.looks.unseen import YOUNG
from quota_enforcer.meter.ports import AddResult, LogEvent
from stream_fakes import call, delivery

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
PEOPLE = ("alice", "bob", "carol")


def woken_in_vain(scene: Scene) -> None:
    """Lambda loses every wake that is on its way."""
    scene.wakes.clear()


def test_the_next_sweep_denies_whose_wake_was_lost() -> None:
    scene = Scene()
    streaming(scene)
    one = call(3, scene.now, input__inputTokenCount=1000)
    scene.stream().deliver(_data(one), scene.now, "r")
    woken_in_vain(scene)
    scene.now += TICK
    scene.tick()
    assert scene.world.denied == {"user/alice"}
    scene.now += YOUNG
    scene.tick()
    assert scene.world.ledger.marks == {}


def test_a_sweep_between_a_mark_and_its_usage_leaves_the_mark() -> None:
    """What it has not seen yet the next one sees, though the wake is lost as well."""
    scene = Scene()
    streaming(scene)
    ledger = scene.meter_ledger
    add = ledger.add

    def late(*what: Any) -> AddResult:
        scene.tick()
        return add(*what)

    ledger.add = late  # type: ignore[assignment, method-assign]
    one = call(3, scene.now, input__inputTokenCount=1000)
    scene.stream().deliver(_data(one), scene.now, "r")
    woken_in_vain(scene)
    assert scene.world.denied == set()
    scene.now += TICK
    scene.tick()
    assert scene.world.denied == {"user/alice"}


def test_usage_that_cannot_be_marked_is_not_added() -> None:
    scene = Scene()
    streaming(scene)
    before = dict(scene.meter_ledger.usage)
    scene.meter_ledger.mark_unseen = lambda *_: 1 / 0  # type: ignore[assignment, method-assign]
    result = scene.stream().deliver(_data(call(3, scene.now)), scene.now, "r")
    assert (result.counted, len(result.failed)) == (0, 1)
    assert scene.meter_ledger.usage == before


def test_usage_that_may_be_written_after_all_keeps_its_mark() -> None:
    """Its answer got lost, so the wake may come before it."""
    scene = Scene()
    streaming(scene)
    scene.meter_ledger.refused = {"user/alice"}
    scene.stream().deliver(_data(call(3, scene.now)), scene.now, "r")
    principals, woken = scene.wakes.popleft()
    scene.enforcer().wake(principals, scene.now, woken)
    assert len(scene.world.ledger.marks) == 1


def test_a_mark_stays_for_as_long_as_the_meter_may_run() -> None:
    template = TEMPLATE.read_text(encoding="utf-8")
    meter = template.partition("  MeterFunction:\n")[2]
    assert int(meter.partition("Timeout: ")[2].split()[0]) <= YOUNG.total_seconds()


def test_a_wake_takes_out_its_own_marks_and_no_later_ones() -> None:
    scene = Scene()
    streaming(scene)
    assert scene.world.ledger.marks == {}, "its wakes have looked"
    scene.stream().deliver(_data(call(3, scene.now)), scene.now, "r")
    scene.stream().deliver(_data(call(4, scene.now, "bob")), scene.now, "r")
    principals, woken = scene.wakes.popleft()
    scene.enforcer().wake(principals, scene.now, woken)
    assert [set(map(str, each)) for each in scene.world.ledger.marks.values()] == [{"user/bob"}]


def test_whom_a_sweep_could_not_look_at_stays_marked() -> None:
    scene = Scene()
    streaming(scene)
    scene.stream().deliver(_data(call(3, scene.now)), scene.now, "r")
    woken_in_vain(scene)
    scene.faults.counting = True
    scene.faults.failing = {"ledger.usage": Fault.THROTTLED}
    scene.now += YOUNG
    scene.tick()
    assert len(scene.world.ledger.marks) == 1
    scene.faults.failing = {}
    scene.tick()
    assert scene.world.ledger.marks == {}


def test_one_who_fails_again_and_again_keeps_one_mark_and_no_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene()
    streaming(scene)
    ledger = scene.world.ledger
    usage = ledger.usage
    monkeypatch.setattr(
        ledger, "usage", lambda who, first: usage(who, first) if who.name != "bob" else 1 / 0
    )
    for number in range(5):
        several = [call(10 * number + each, scene.now, who) for each, who in enumerate(PEOPLE)]
        scene.stream().deliver(_data(*several), scene.now, "r")
        woken_in_vain(scene)
        scene.now += YOUNG
        scene.tick()
        assert [set(map(str, each)) for each in ledger.marks.values()] == [{"user/bob"}]
    monkeypatch.undo()
    scene.tick()
    assert ledger.marks == {}


def test_who_a_recount_takes_over_is_denied_though_its_wake_was_lost() -> None:
    scene = Scene()
    lost_batch(scene)
    for hour in scene.recounter().due(scene.now):
        scene.recounter().settle(hour, scene.now)
    woken_in_vain(scene)
    scene.now += TICK
    scene.tick()
    assert scene.world.denied == {"user/alice"}


def test_a_delivery_in_an_idle_hour_leaves_nothing_marked() -> None:
    scene = Scene()
    streaming(scene)
    scene.now += 3 * HOUR
    deliver(scene)
    assert scene.world.ledger.marks == {}


def _data(*events: LogEvent) -> str:
    return delivery(events)
