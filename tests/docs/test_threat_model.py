"""The threat model names tests that exist, and keeps what the code and the template keep."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from quota_enforcer.aws.dynamodb.ledger.usage import addition_items
from quota_enforcer.core.usage.stored import USAGE_KEPT
from template_source import PARAMETERS, of_type, properties

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))


def kept(what: str) -> str:
    """The last cell of a row."""
    (row,) = (line for line in PAGE.splitlines() if line.startswith(f"| {what} |"))
    return row.strip("| ").rpartition("|")[2].strip()


@cache
def functions(file: str) -> set[str]:
    """Also those that a class of tests has."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    classes = (each for each in tree.body if isinstance(each, ast.ClassDef))
    several = (tree.body, *(each.body for each in classes))
    return {each.name for body in several for each in body if isinstance(each, ast.FunctionDef)}


@pytest.mark.parametrize(("file", "test"), NAMED)
def test_each_test_that_it_names_is_there(file: str, test: str) -> None:
    assert test in functions(file)


def test_each_row_of_its_attacks_names_a_test_or_says_that_there_is_none() -> None:
    attacks = PAGE.partition("## A limited person")[2].partition("## Personal data")[0]
    rows = [line for line in attacks.splitlines() if line.startswith("| ")]
    bare = [row for row in rows if "`tests/" not in row and "| test |" not in row]
    assert [row for row in bare if "| none: " not in row] == []


def test_data_is_kept_as_long_as_it_says() -> None:
    assert kept("ledger: usage") == kept("ledger: history and notices") == "400 days"
    assert USAGE_KEPT.days == 400
    assert kept("ledger: markers of batches") == f"{addition_items.KEPT.days} days"
    assert kept("dead letters") == "14 days"
    queues = [properties(name) for name in of_type("AWS::SQS::Queue")]
    assert max(each["MessageRetentionPeriod"] for each in queues) == 14 * 86_400
    assert f"`LogRetentionDays`, {PARAMETERS['LogRetentionDays']['Default']} by default" in PAGE
