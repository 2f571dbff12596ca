"""Which part of all faults is tried: a sample, or with FAULTS=all each of them, for minutes."""

import os

import pytest

EACH = os.environ.get("FAULTS") == "all"


@pytest.fixture
def sample() -> int:
    """Every how many-th case is tried."""
    return 1 if EACH else 97


@pytest.fixture
def pairs() -> int:
    """Every how many-th interleaving is tried."""
    return 1 if EACH else 13
