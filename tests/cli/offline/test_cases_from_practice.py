"""Records from practice: what `read-log` says of each, and what the meter may take."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from quota_enforcer.cli.main import app
from quota_enforcer.meter.log.record import Counted, read

FILE = Path(__file__).parents[2] / "data" / "cases" / "records.jsonl"
CASES: dict[str, dict[str, Any]] = {
    case["case"]: case for case in map(json.loads, FILE.read_text("utf-8").splitlines())
}
TOLD: dict[str, dict[str, Any]] = {
    "errorCode null is a success": {"requests": 1, "input_tokens": 10, "output_tokens": 5},
    "one-hour cache writes, no body": {"cost_usd": "0.1936775", "assumed_usd": "0.0375"},
    "flex tier named in the body": {"cost_usd": "0.375", "assumed_usd": "0"},
    "a geography prefix that no list has yet": {"model": "anthropic.claude-sonnet-5"},
    "context-size suffixes": {"priced_as": "amazon.nova-premier-v1:0", "assumed_usd": "0"},
    "image embedding without counts": {"requests": 1},
    "a stream that broke off": {"input_tokens": 5000, "incomplete_requests": 1},
    "rerank as an operation of its own": {"requests": 1, "cost_usd": "0.002"},
    "flat keys, as Logs Insights gives them": {"input_tokens": 5, "output_tokens": 2},
    "numbers as text, as CSV and Athena give them": {"input_tokens": 4512, "output_tokens": 25},
    "cache counts at the top level": {"cache_read_tokens": 100, "cache_write_tokens": 20},
    "Responses on bedrock-runtime": {"cost_usd": "0.0003124", "assumed_usd": "0"},
    "blocked by a guardrail": {"requests": 1, "cost_usd": "0", "incomplete_requests": 0},
}
"""What of the line's JSON object is held; the rest of `expect` is words."""
EXPORTS = ("flat keys, as Logs Insights gives them", "numbers as text, as CSV and Athena give them")


def said(record: dict[str, Any]) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["read-log", "-", "--json"], input=json.dumps(record))
    [line] = result.stdout.splitlines()
    document: dict[str, Any] = json.loads(line)
    return document


@pytest.mark.parametrize("name", CASES)
def test_each_case_reads_as_it_should(name: str) -> None:
    line = said(CASES[name]["record"])
    assert line["status"] == "counted"
    assert {key: line[key] for key in TOLD[name]} == TOLD[name]


def test_what_is_priced_by_the_image_is_neither_free_nor_certain() -> None:
    line = said(CASES["image embedding without counts"]["record"])
    assert Decimal(line["cost_usd"]) > 0
    assert line["assumed_usd"] == line["cost_usd"]


@pytest.mark.parametrize("name", CASES)
def test_the_meter_takes_all_but_exports(name: str) -> None:
    reading = read(json.dumps(CASES[name]["record"]))
    assert isinstance(reading, Counted) is (name not in EXPORTS)
