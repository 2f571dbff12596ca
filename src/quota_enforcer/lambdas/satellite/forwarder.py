"""The forwarder of a satellite: hands each batch of the invocation log to the home meter.

A failure that may pass is raised, and Lambda delivers the batch again after one minute and after
two more. What home refuses, or what failed that long, leaves a pointer in the satellite's queue,
from which home counts those hours again. A pointer and a log line hold hours and home's words,
never a record: it may hold what somebody typed into a model.
"""

import base64
import gzip
import json
import os
import time
from datetime import UTC, datetime
from typing import Any, Final

import boto3

from quota_enforcer.lambdas.satellite.home import REFUSED, accepted, ask_home

RETRIES_TAKE: Final = 150
"""Seconds after which no retry comes any more; the last begins 180 after the first attempt.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""
QUARTER: Final = 900
"""Seconds: in every time zone an hour begins with a quarter of one."""


class HomeUnreached(Exception):
    """Home did not take a batch, and may take it later."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Forward one batch, as CloudWatch Logs hands it over."""
    data = event["awslogs"]["data"]
    status, words = ask_home({"awslogs": {"data": data}})
    if accepted(status):
        return {"status": status}
    reason = f"home answered {status}: {words}" if status else f"home was not reached: {words}"
    batch = json.loads(gzip.decompress(base64.b64decode(data)))
    moments = [each["timestamp"] // 1000 for each in batch["logEvents"]]
    if status not in REFUSED and time.time() - max(moments, default=0) < RETRIES_TAKE:
        raise HomeUnreached(reason)
    starts = sorted({moment // QUARTER * QUARTER for moment in moments})
    pointer = {
        "log_group": batch["logGroup"],
        "log_stream": batch["logStream"],
        "hours": [f"{datetime.fromtimestamp(start, UTC):%Y-%m-%dT%H:%M:%SZ}" for start in starts],
        "reason": reason,
    }
    print(json.dumps({"message": "not delivered", **pointer}))  # noqa: T201 - Lambda's log
    if batch["messageType"] == "DATA_MESSAGE":  # others are CloudWatch's own tests
        boto3.client("sqs").send_message(
            QueueUrl=os.environ["UNDELIVERED"], MessageBody=json.dumps(pointer)
        )
    return {"status": status, "kept": len(starts)}
