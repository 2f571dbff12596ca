"""Generated records of the invocation log, without bodies, and their deliveries to the meter."""

import base64
import gzip
import json
import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

ACCOUNT = "123456789012"
GROUP = "/bedrock-quota/bench/invocations"
STREAM = "aws/bedrock/modelinvocations"
MODELS = (
    "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
)


def record(number: int, caller: str, at: datetime, model: str = "") -> dict[str, Any]:
    """The record with this number: a call, most of whose tokens are cached."""
    dice = random.Random(number)  # noqa: S311 - numbers for a benchmark
    return {
        "timestamp": f"{at:%Y-%m-%dT%H:%M:%SZ}", "accountId": ACCOUNT,
        "identity": {"arn": f"arn:aws:iam::{ACCOUNT}:user/{caller}"},
        "region": "eu-central-1", "requestId": f"8d8903c3-e948-4c21-b4d9-{number:012}",
        "operation": "ConverseStream", "modelId": model or dice.choice(MODELS),
        "input": {
            "inputContentType": "application/json", "inputTokenCount": dice.randrange(10_000),
            "cacheReadInputTokenCount": dice.randrange(200_000),
            "cacheWriteInputTokenCount": dice.randrange(10_000),
        },
        "output": {
            "outputContentType": "application/json", "outputTokenCount": dice.randrange(4_000),
        },
        "schemaType": "ModelInvocationLog", "schemaVersion": "1.0",
    }  # fmt: skip


def callers(seed: int, records: int, principals: int) -> list[str]:
    """Who makes so many calls, drawn from so many."""
    dice = random.Random(seed)  # noqa: S311 - likewise
    return [f"u{dice.randrange(principals)}" for _ in range(records)]


def delivery(
    first: int, who: Iterable[str], newest: datetime, apart: int = 0, model: str = ""
) -> dict[str, Any]:
    """The event that hands one record of each caller to the meter, so many seconds apart.

    Of any model, or all of one.
    """
    events = []
    for place, caller in enumerate(who):
        at = newest - timedelta(seconds=place * apart)
        line = json.dumps(record(first + place, caller, at, model))
        number = f"{first + place:056}"
        events.append({"id": number, "timestamp": int(at.timestamp() * 1000), "message": line})
    message = {
        "messageType": "DATA_MESSAGE", "owner": ACCOUNT, "logGroup": GROUP, "logStream": STREAM,
        "subscriptionFilters": ["meter"], "logEvents": events,
    }  # fmt: skip
    data = base64.b64encode(gzip.compress(json.dumps(message).encode())).decode()
    return {"awslogs": {"data": data}}
