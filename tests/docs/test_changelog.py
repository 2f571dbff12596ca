"""The changelog is for whoever takes a release: what they have now, each thing said once."""

import re
from pathlib import Path

CHANGELOG = (Path(__file__).parents[2] / "CHANGELOG.md").read_text(encoding="utf-8")
LINES = [line for line in CHANGELOG.splitlines() if line]
BULLETS = [line for line in LINES if line.startswith("- ")]


def test_a_thing_is_said_once() -> None:
    assert sorted(BULLETS) == sorted(set(BULLETS))


def test_each_bullet_is_one_line() -> None:
    """So that two changes at once merge line by line."""
    begins = re.compile(r"- |#+ |\*\*.+\*\*$|[A-Z]")
    assert [line for line in LINES if not begins.match(line)] == []


def test_nothing_changed_and_nothing_was_fixed_before_there_was_a_release() -> None:
    """Until then a line says what can be done, below Added, or what an upgrade takes."""
    if not re.search(r"^## \[?\d", CHANGELOG, re.MULTILINE):
        assert re.findall(r"^### (?:Changed|Fixed|Removed)$", CHANGELOG, re.MULTILINE) == []
