"""Requests of the self-service function's URL, as Lambda hands them over."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from world import ACCOUNT, arn

SAMPLE = Path(__file__).parents[2] / "events" / "me.json"
CONTEXT: Any = SimpleNamespace(
    aws_request_id="1", function_name="f", memory_limit_in_mb=512, invoked_function_arn="a"
)


def an_event(who: str = "alice", **context: Any) -> dict[str, Any]:
    """A signed GET of the URL, as Lambda's documentation shows one, by somebody of our account."""
    event: dict[str, Any] = json.loads(SAMPLE.read_text(encoding="utf-8"))
    event["requestContext"]["authorizer"]["iam"] |= {"accountId": ACCOUNT, "userArn": arn(who)}
    event["requestContext"] |= context
    return event
