"""A scene that is arranged once and copied is as good as one that was played for each test."""

from collections.abc import Callable

import pytest

from fault_checks import run
from fault_scene import Scene
from fault_situations import (
    Situation,
    arranged,
    deliver_in_turn,
    deliver_many,
    edit,
    fewer,
    gate_denies_today,
    streaming_many,
    tick,
    with_room,
)
from same_again import same_again


@pytest.mark.parametrize(
    ("arrange", "act"),
    [
        (with_room, deliver_in_turn),
        (fewer, edit),
        (gate_denies_today, tick),
        (streaming_many, deliver_many),
    ],
)
def test_it_goes_on_as_the_one_that_was_played(
    arrange: Callable[[Scene], None], act: Callable[[Scene], None]
) -> None:
    played = Scene()
    arrange(played)
    played.faults.counting = True
    act(played)
    played.settle()
    copied, picture = run(Situation("copied", arrange, act), {})
    assert picture == played.picture()
    assert copied.faults.calls == played.faults.calls


def test_what_happens_in_one_happens_in_no_other() -> None:
    one, other = arranged(fewer), arranged(fewer)
    before = other.picture()
    assert before == one.picture()
    one.edit()
    one.settle()
    assert one.picture() != before
    assert other.picture() == before == arranged(fewer).picture()
    other.edit()
    other.settle()
    assert other.picture() == one.picture()


def test_what_would_go_on_with_the_original_is_refused() -> None:
    scene = Scene()
    scene.faults.before = {"ledger.put": scene.another(tick)}
    with pytest.raises(TypeError, match=r"another\.<locals>\.run cannot be copied"):
        same_again(scene)
