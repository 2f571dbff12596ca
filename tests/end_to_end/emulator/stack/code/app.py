"""The functions of the smallest stack."""

import os
import sys
from pathlib import Path
from typing import Any

from crhelper import CfnResource

helper = CfnResource()


class NotTodayError(Exception):
    """What the worker raises when it is told to."""


@helper.create
@helper.update
def greet(event: dict[str, Any], _context: Any) -> str:
    greeting = event["ResourceProperties"]["Greeting"]
    if greeting == "fail":
        raise ValueError("the greeting must not be 'fail'")
    helper.Data["Answer"] = f"{greeting} from set-up"
    return "setup"


def setup(event: dict[str, Any], context: Any) -> None:
    helper(event, context)


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    poisoned = "poison" in str(event.get("Records"))
    if poisoned or event.get("raise") or os.environ["GREETING"] == "raise":
        sys.stdout.write("about to raise\n")
        raise NotTodayError("not today:\nsorry")
    clock = Path(os.environ["QUOTA_ENFORCER_CLOCK_FILE"]).read_text(encoding="ascii")
    return {
        "event": event,
        "greeting": os.environ["GREETING"],
        "clock": clock,
        "log_level": os.getenv("LOG_LEVEL"),
    }
