"""Any one call of any function fails in any way, and what comes out is as if it had not.

The same usage to the token and the micro-dollar, the same denies, records and gates, every notice;
a notice twice only if the answer to its publishing was lost.
"""

from itertools import product
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fault_checks import differences, run, without_faults
from fault_situations import Situation, situations
from faults import Fault

SITUATIONS: Final = tuple(situations())


@pytest.mark.parametrize("situation", SITUATIONS, ids=str)
def test_one_fault_changes_nothing_in_the_end(situation: Situation, sample: int) -> None:
    calls, right = without_faults(situation)
    assert right.waiting == ()
    cases = list(product(range(calls), Fault))
    first = sum(map(ord, situation.name)) % sample  # Another part of the calls in each situation.
    wrong = {}
    for number, fault in cases[first::sample]:
        scene, found = run(situation, {number: fault})
        said = list(differences(found, right, scene))
        if said:
            wrong[f"{number} {scene.faults.hit()}"] = said
    assert wrong == {}


@settings(max_examples=max(1, settings().max_examples // 10))
@given(st.data())
def test_two_faults_change_nothing_in_the_end(data: st.DataObject) -> None:
    situation = data.draw(st.sampled_from(SITUATIONS))
    calls, right = without_faults(situation)
    numbers = st.integers(0, calls + 5)
    at = data.draw(st.dictionaries(numbers, st.sampled_from(Fault), min_size=2, max_size=2))
    scene, found = run(situation, at)
    assert list(differences(found, right, scene)) == [], scene.faults.hit()
