"""Which part of all faults is tried: a sample, or with FAULTS=all each of them, for minutes."""

import os

import pytest

from fault_checks import OneAfterTheOther
from quota_enforcer.enforce import evaluate, rules_cache

EACH = os.environ.get("FAULTS") == "all"


@pytest.fixture(autouse=True)
def one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads would make another call the k-th each time."""
    monkeypatch.setattr(evaluate, "ThreadPoolExecutor", OneAfterTheOther)
    monkeypatch.setattr(rules_cache, "ThreadPoolExecutor", OneAfterTheOther)


@pytest.fixture
def sample() -> int:
    """Every how many-th case is tried."""
    return 1 if EACH else 97


@pytest.fixture
def pairs() -> int:
    """Every how many-th interleaving is tried."""
    return 1 if EACH else 13
