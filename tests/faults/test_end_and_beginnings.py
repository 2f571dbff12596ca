"""The end of a stack sends what is owed; a first read that fails loses no call; first gates."""

from collections.abc import Callable

import pytest

from builders import HOUR
from fault_scene import MINUTE, Scene
from fault_situations import (
    arranged,
    blocked,
    deliver_of_the_hour_before,
    gate_denies_today,
    gated,
    late_in_the_hour,
)
from faults import Fault


def after(arrange: Callable[[Scene], None], failing: dict[str, Fault], times: int = 1) -> Scene:
    scene = arranged(arrange)
    scene.faults.failing = failing
    scene.faults.times = times
    scene.faults.counting = True
    return scene


@pytest.mark.parametrize("call", ["ledger.put", "topic.publish", "iam.detach", "ledger.sent"])
@pytest.mark.parametrize("fault", [Fault.KILLED_BEFORE, Fault.KILLED_AFTER, Fault.TIMED_OUT])
def test_the_second_delete_sends_what_the_first_owed(call: str, fault: Fault) -> None:
    scene = after(blocked, {call: fault})
    scene.close()
    assert "user/alice restored" in scene.world.told()
    assert scene.world.ledger.outbox(scene.now + HOUR) == []
    kinds = [str(each.kind) for each in scene.world.ledger.whole_history()]
    assert kinds.count("restored") == 1
    assert scene.world.denied == set()


def test_one_whose_record_cannot_be_written_keeps_no_other_denied() -> None:
    scene = after(gate_denies_today, {"ledger.put": Fault.THROTTLED})
    scene.close()
    assert sorted(scene.world.told()[-2:]) == ["sso/ann restored", "user/alice restored"]
    assert scene.world.denied == set()


def test_the_end_says_what_it_could_not_send() -> None:
    scene = after(blocked, {"topic.publish": Fault.DENIED}, times=100)
    ended = scene.enforcer().close(scene.now)
    assert ended.released == ["user/alice"]
    assert [each.partition(": ")[0].rpartition("#")[0] for each in ended.unsent] == [
        f"notice {scene.now:%Y-%m-%dT%H:%M:%SZ}#user/alice#restored"
    ]


def test_a_call_whose_rules_cannot_be_read_has_its_own_hour_recounted() -> None:
    """The log has the call after the full hour, and it was before."""
    scene = after(late_in_the_hour, {"meter-ledger.meter_rules": Fault.DENIED})
    deliver_of_the_hour_before(scene)
    hour = scene.now.replace(minute=0)
    assert set(scene.meter_ledger.asked) == {hour - HOUR, hour}
    scene.settle()
    assert sum(each.requests for each in scene.meter_ledger.totals().values()) == 2


@pytest.mark.parametrize("fault", [Fault.KILLED_BEFORE, Fault.KILLED_AFTER, Fault.TIMED_OUT])
@pytest.mark.parametrize("call", ["author-iam.create", "author-ledger.remember"])
def test_a_gate_whose_creation_died_is_our_own_unfinished_work(call: str, fault: Fault) -> None:
    scene = after(gated, {call: fault})
    scene.tick()
    scene.settle()
    assert not [each for each in scene.world.told() if "tampered" in each]
    assert scene.picture().gates


def test_a_gate_that_somebody_deletes_is_told_all_the_same() -> None:
    scene = after(gated, {"author-iam.create": Fault.TIMED_OUT})
    for _ in range(3):
        scene.tick()
        scene.now += 5 * MINUTE
    scene.iam.documents.clear()
    scene.tick()
    assert " tampered" in scene.world.told()
