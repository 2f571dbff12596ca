"""Invocation-log records: the published ones, and a plain one to be changed."""

import json
from pathlib import Path
from typing import Any

LOGS = Path(__file__).parents[1] / "data" / "logs"
PUBLISHED: dict[str, dict[str, Any]] = {
    wrapped["id"]: wrapped["record"]
    for wrapped in map(
        json.loads, (LOGS / "invocation_records.jsonl").read_text("utf-8").splitlines()
    )
}
NOISE = (LOGS / "noise_lines.txt").read_text("utf-8")
ACCOUNT = "111122223333"
REMOVED = object()
"""As a value for `a_record`: the key is not there."""


def a_record(**changes: Any) -> dict[str, Any]:
    """A call with bodies switched off; a double underscore leads into a section."""
    record: dict[str, Any] = {
        "timestamp": "2026-11-30T10:15:20Z",
        "accountId": ACCOUNT,
        "identity": {"arn": f"arn:aws:iam::{ACCOUNT}:user/alice"},
        "region": "eu-central-1",
        "requestId": "8d8903c3-e948-4c21-b4d9-6029f785f196",
        "operation": "ConverseStream",
        "modelId": "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "input": {"inputContentType": "application/json", "inputTokenCount": 100},
        "output": {"outputContentType": "application/json", "outputTokenCount": 20},
        "schemaType": "ModelInvocationLog",
        "schemaVersion": "1.0",
    }
    for path, value in changes.items():
        section, _, name = path.rpartition("__")
        target = record[section] if section else record
        if value is REMOVED:
            del target[name]
        else:
            target[name] = value
    return record
