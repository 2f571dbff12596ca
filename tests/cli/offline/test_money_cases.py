"""Records of the invocation log whose money is easy to get wrong, and what each has to come to."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from quota_enforcer.cli.main import app

FILE = Path(__file__).parents[2] / "data" / "cases" / "money.jsonl"
CASES = [json.loads(line) for line in FILE.read_text("utf-8").splitlines()]


def read_log(record: Any) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["read-log", "-", "--json"], input=json.dumps(record))
    row: dict[str, Any] = json.loads(result.stdout)
    return row


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_a_record_costs_what_its_case_says(case: dict[str, Any]) -> None:
    row = read_log(case["record"])
    assert {"status": row["status"]} | {name: row[name] for name in case["expect"]} == {
        "status": "counted", **case["expect"],
    }, case["why"]  # fmt: skip
