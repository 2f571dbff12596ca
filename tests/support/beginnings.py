"""States of the embedded AWS that tests begin with: made once, gone back to afterwards."""

from collections.abc import Callable
from typing import Any, TypeVar

from embedded_account import START
from quota_enforcer.local.embedded import EmbeddedAws, KeptState

Made = TypeVar("Made")


Known = dict[Callable[[EmbeddedAws], Any], tuple[KeptState, Any]]


class Beginnings:
    """By the function that makes them, from an empty account at START.

    What it returns is given to each test, so it must not change.
    """

    def __init__(self, aws: EmbeddedAws, known: Known) -> None:
        """`known` are those that were made before, on the same embedded AWS."""
        self._aws = aws
        self._known = known

    def of(self, make: Callable[[EmbeddedAws], Made]) -> Made:
        """Everything as this function leaves it; a deployment takes longer than most tests."""
        if make in self._known:
            kept, made = self._known[make]
            self._aws.go_back(kept)
        else:
            self._aws.reset(START)
            made = make(self._aws)
            self._known[make] = self._aws.keep(), made
        found: Made = made
        return found
