"""The tree can be read: small folders with a purpose, and one name for one thing."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

import quota_enforcer

ROOT = Path(quota_enforcer.__file__).parent
MOST = 10
PACKAGES = {
    "aws", "cli", "console", "core", "decide", "doctor", "enforce", "gates", "insight", "lambdas",
    "local", "meter", "satellites",
}  # fmt: skip
"""The rows of the contracts in pyproject.toml; beside them only the clock."""
NO_ENTRIES = {"__init__.py", "__pycache__", "py.typed"}


def has_source(path: Path) -> bool:
    """Git leaves the folder of what it removed if Python's cache is still in it."""
    return path.is_file() or any(
        has_source(each) for each in path.iterdir() if each.suffix != ".pyc"
    )


def entries(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if has_source(path)} - NO_ENTRIES


FOLDERS = sorted(path for path in ROOT.rglob("*") if path.is_dir() and path.name not in NO_ENTRIES)
FILES = sorted(ROOT.rglob("*.py"))
HOMES = sorted({path.parent for path in FILES} - {ROOT})
"""The folders with modules."""


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_the_top_shows_the_packages_that_the_contracts_order() -> None:
    assert entries(ROOT) == PACKAGES | {"clock.py"}


@pytest.mark.parametrize("folder", FOLDERS, ids=name)
def test_a_folder_has_at_most_ten_entries(folder: Path) -> None:
    assert len(entries(folder)) <= MOST


@pytest.mark.parametrize("folder", HOMES, ids=name)
def test_a_package_says_its_purpose_in_one_line_and_does_nothing_else(folder: Path) -> None:
    tree = ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))
    assert len(tree.body) == 1
    purpose = ast.get_docstring(tree)
    assert purpose
    assert "\n" not in purpose


def test_every_folder_of_modules_is_a_package() -> None:
    assert [
        each for each in {path.parent for path in FILES} if not (each / "__init__.py").is_file()
    ] == []


def test_no_public_class_name_is_defined_twice() -> None:
    defined: defaultdict[str, list[str]] = defaultdict(list)
    for path in FILES:
        for found in re.findall(
            r"^class ([^\W_]\w*)", path.read_text(encoding="utf-8"), re.MULTILINE
        ):
            defined[found].append(name(path))
    assert {each: places for each, places in defined.items() if len(places) > 1} == {}
