"""What `docs/trust.md` says of tests and of their number is true."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from fault_checks import calls_before, without_faults
from fault_situations import pairs_at_once, situations
from faults import Fault

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "trust.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+(?:\.py)?)`", PAGE)))


@pytest.mark.parametrize("path", NAMED)
def test_what_it_names_is_there_and_has_tests(path: str) -> None:
    there = ROOT / path
    files = [there] if there.is_file() else list(there.glob("test_*.py"))
    assert any(_tests(each) for each in files)


def test_every_promise_names_a_test() -> None:
    lines = PAGE.splitlines()
    headers = {place - 1 for place, line in enumerate(lines) if line.startswith("|---")}
    rows = [
        line for place, line in enumerate(lines) if line.startswith("| ") and place not in headers
    ]
    assert len(rows) > 30
    assert [row for row in rows if "`tests/" not in row.split("|")[2]] == []


def test_as_many_faults_are_tried_as_it_says() -> None:
    several = list(situations())
    calls = sum(without_faults(each)[0] for each in several)
    faults = f"{calls * len(Fault):,}"
    assert f"{calls:,} calls of {len(several)} situations, six ways: {faults};" in PAGE
    assert f"all of it: {faults} single faults, 100 random pairs" in PAGE


def test_as_many_functions_run_at_once_as_it_says() -> None:
    several = list(pairs_at_once())
    calls = sum(calls_before(one, other) for one, other in several)
    assert f"{len(several)} pairs, the second before each of {calls:,} calls" in PAGE
    assert f"{calls:,} interleavings" in PAGE


def test_as_many_random_inputs_are_tried_as_it_says() -> None:
    several = [
        each for path in (ROOT / "tests" / "fuzz").glob("test_*.py") for each in _tests(path)
    ]
    random = [
        each for each in several if any("given" in ast.unparse(d) for d in each.decorator_list)
    ]
    assert f" {len(random)} of them invariants with 15 random examples each, 1,000 in" in PAGE
    assert f"{len(random) * 1_000:,} random inputs" in PAGE


@cache
def _tests(path: Path) -> list[ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef))
    return [each for each in functions if each.name.startswith("test_")]
