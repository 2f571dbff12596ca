"""Two functions at once: the second runs whole before any one call of the first.

What comes out is as if one had come after the other, and nothing is told twice.
"""

from typing import Final

import pytest

from fault_checks import calls_before, interleaved, wrong_in_both
from fault_situations import Situation, pairs_at_once

PAIRS: Final = tuple(pairs_at_once())


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=str)
def test_two_at_once_are_like_one_after_the_other(
    one: Situation, other: Situation, pairs: int
) -> None:
    wrong = {}
    first = sum(map(ord, f"{one}{other}")) % pairs
    for number in range(calls_before(one, other))[first::pairs]:
        scene, found = interleaved(one, number, other)
        said = wrong_in_both(found, one, other)
        if said:
            wrong[f"{number} {scene.faults.calls[number]}"] = said
    assert wrong == {}
