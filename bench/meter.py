"""What the stream meter costs: AWS calls, write units, dollars for a million calls, and memory.

The real handlers of meter and enforcer run on moto's DynamoDB; every AWS call they make is counted
where botocore makes it. Each batch of records wakes the enforcer once, as in AWS. Processor time
and memory are taken in a process of its own where AWS answers at once.
"""

import base64
import gzip
import io
import json
import logging
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import boto3
from botocore.client import BaseClient
from moto import mock_aws

from quota_enforcer.aws.ledger_schema import LEDGER_SCHEMA
from quota_enforcer.aws.quota_table import QUOTA_SCHEMA

ACCOUNT = "111122223333"
GROUP = "/bedrock-quota/bench/invocations"
ENVIRONMENT = {
    "ACCOUNT_ID": ACCOUNT, "AWS_ACCESS_KEY_ID": "x", "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1", "AWS_SECRET_ACCESS_KEY": "x", "BREAKER_NUMBER": "10",
    "BREAKER_PERCENT": "20", "CONTACT": "us",
    "DEAD_LETTERS": "https://sqs.us-east-1.amazonaws.com/1/q",
    "DENY_POLICIES": '{"*": "arn:aws:iam::111122223333:policy/p"}',
    "ENFORCER_FUNCTION": "enforcer", "LEDGER_TABLE": "ledger", "LOG_GROUP": GROUP,
    "METERING": "stream", "METRIC_NAMESPACE": "n", "MODE": "enforce",
    "NOTICE_TOPIC": "arn:aws:sns:us-east-1:111122223333:t", "POWERTOOLS_METRICS_NAMESPACE": "n",
    "POWERTOOLS_SERVICE_NAME": "f", "POWERTOOLS_TRACE_DISABLED": "true",
    "QUOTA_TABLE": "quotas", "STACK_NAME": "bench", "TIME_ZONE": "Europe/Berlin",
}  # fmt: skip
PRINCIPALS = 50
MODELS = ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "amazon.nova-lite-v1:0")
QUOTA = {
    "principal": {"S": "default"}, "quota": {"S": "monthly"}, "measure": {"S": "cost_usd"},
    "limit": {"N": "1000000000"}, "window": {"S": "month"},
}  # fmt: skip
MOST_CALLS = 30
"""AWS calls for 1,000 records in batches of 100."""
MOST_DOLLARS = 5
"""For a million calls."""
MOST_MEMORY = 200_000_000
"""Bytes that a batch of 10,000 records may add."""
LARGE = 10_000
_KB, _READ = 1024, 4096


@dataclass(slots=True)
class Made:
    """What one function asked of AWS, and what it wrote to its log."""

    calls: Counter[str] = field(default_factory=Counter)
    write_units: int = 0
    read_units: float = 0
    log_bytes: int = 0


def event(records: int, first: int = 0, principals: int = PRINCIPALS) -> dict[str, Any]:
    """A delivery of so many generated records, of the present minutes."""
    dice = random.Random(first)  # noqa: S311 - numbers for a benchmark
    now = datetime.now(UTC) - timedelta(seconds=30)

    def line(number: int) -> dict[str, Any]:
        record = {
            "timestamp": f"{now:%Y-%m-%dT%H:%M:%SZ}", "accountId": ACCOUNT,
            "identity": {"arn": f"arn:aws:iam::{ACCOUNT}:user/u{dice.randrange(principals)}"},
            "region": "eu-central-1", "requestId": f"8d8903c3-e948-4c21-b4d9-{number:012}",
            "operation": "ConverseStream", "modelId": dice.choice(MODELS),
            "input": {
                "inputContentType": "application/json", "inputTokenCount": dice.randrange(10_000),
                "cacheReadInputTokenCount": dice.randrange(200_000),
                "cacheWriteInputTokenCount": dice.randrange(10_000),
            },
            "output": {"outputTokenCount": dice.randrange(4_000)},
            "schemaType": "ModelInvocationLog", "schemaVersion": "1.0",
        }  # fmt: skip
        at = int(now.timestamp() * 1000)
        return {"id": f"{number:056}", "timestamp": at, "message": json.dumps(record)}

    delivery = {
        "messageType": "DATA_MESSAGE", "owner": ACCOUNT, "logGroup": GROUP,
        "logStream": "aws/bedrock/modelinvocations", "subscriptionFilters": ["meter"],
        "logEvents": [line(first + number) for number in range(records)],
    }  # fmt: skip
    data = base64.b64encode(gzip.compress(json.dumps(delivery).encode())).decode()
    return {"awslogs": {"data": data}}


def size(value: Any) -> int:  # noqa: PLR0911 - one for each type
    """The bytes that DynamoDB counts for an attribute, or for a whole item.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    match value:
        case {"S": str(text)}:
            return len(text.encode())
        case {"N": str(number)}:
            return len(number.strip("-").replace(".", "").strip("0")) // 2 + 2
        case {"SS": list(texts)}:
            return sum(len(text.encode()) for text in texts)
        case {"L": list(values)}:
            return 3 + sum(1 + size(each) for each in values)
        case {"M": dict(values)}:
            return 3 + sum(1 + len(name.encode()) + size(each) for name, each in values.items())
        case {"BOOL": _} | {"NULL": _}:
            return 1
        case dict():
            return sum(len(name.encode()) + size(each) for name, each in value.items())
        case _:
            raise TypeError(f"{value!r} is no attribute of DynamoDB")


class Account:
    """Both functions on one ledger, and what each of them asks of AWS."""

    def __init__(self) -> None:
        self.meter, self.enforcer = Made(), Made()
        self._made = self.meter
        self._woken: list[dict[str, Any]] = []
        boto: Any = BaseClient
        self._real = boto._make_api_call  # noqa: SLF001

    def deliver(self, records: int, first: int) -> None:
        """One delivery to the meter, and what it wakes."""
        from quota_enforcer.handlers import enforcer, meter  # noqa: PLC0415 - reads the environment

        self._run(self.meter, meter.handler, event(records, first))
        while self._woken:
            self._run(self.enforcer, enforcer.handler, self._woken.pop())

    def sweep(self) -> None:
        """One tick of the schedule."""
        from quota_enforcer.handlers import enforcer  # noqa: PLC0415 - likewise

        self._run(self.enforcer, enforcer.handler, {"action": "sweep"})

    def _run(self, made: Made, handler: Any, asked: dict[str, Any]) -> None:
        self._made = made
        log = io.StringIO()
        with redirect_stdout(log):
            for each in logging.Logger.manager.loggerDict.values():
                for out in getattr(each, "handlers", ()):
                    if isinstance(out, logging.StreamHandler):
                        out.setStream(log)
            handler(asked, context())
        made.log_bytes += len(log.getvalue().encode())

    def call(self, client: Any, operation: str, request: dict[str, Any]) -> Any:
        """In place of botocore's own: count, and let moto answer."""
        made = self._made
        made.calls[operation] += 1
        if operation == "Invoke":
            self._woken.append(json.loads(request["Payload"]))
            return {"StatusCode": 202}
        answer = self._real(client, operation, request)
        match operation:
            case "TransactWriteItems":
                parts = [part for each in request["TransactItems"] for part in each.items()]
                made.write_units += sum(2 * self._units(client, *part) for part in parts)
            case "PutItem" | "UpdateItem" | "DeleteItem":
                made.write_units += self._units(client, "Update", request)
            case "GetItem":
                made.read_units += max(1, -(-size(answer.get("Item", {})) // _READ))
            case "BatchGetItem":
                found = [item for items in answer["Responses"].values() for item in items]
                asked = sum(len(each["Keys"]) for each in request["RequestItems"].values())
                made.read_units += sum(max(1, -(-size(item) // _READ)) for item in found)
                made.read_units += asked - len(found)
            case "Query" | "Scan":
                whole = max(1, -(-sum(map(size, answer["Items"])) // _READ))
                made.read_units += whole if request.get("ConsistentRead") else whole / 2
        return answer

    def _units(self, client: Any, kind: str, part: dict[str, Any]) -> int:
        """Kilobytes of an item after its write, and of its copy in the index."""
        if kind == "ConditionCheck":
            return 1
        key = part.get("Key") or {name: part["Item"][name] for name in ("pk", "sk")}
        found = self._real(client, "GetItem", {"TableName": part["TableName"], "Key": key})
        item = found.get("Item", {})
        units = max(1, -(-size(item) // _KB))
        return units * 2 if "listing" in item else units


def context() -> Any:
    """What Lambda hands over beside the event."""
    return SimpleNamespace(
        aws_request_id="8d8903c3-e948-4c21-b4d9-6029f785f196", function_name="f",
        memory_limit_in_mb=512, invoked_function_arn="arn:aws:lambda:us-east-1:1:function:f",
        get_remaining_time_in_millis=lambda: 900_000,
    )  # fmt: skip


@contextmanager
def account() -> Iterator[Account]:
    """A deployment on moto with one quota for everybody."""
    from quota_enforcer.handlers import enforcer, meter  # noqa: PLC0415 - reads the environment

    enforcer.enforcer.cache_clear()
    meter.meter.cache_clear()
    with mock_aws():
        dynamodb = boto3.client("dynamodb")
        for table, schema in (("ledger", LEDGER_SCHEMA), ("quotas", QUOTA_SCHEMA)):
            dynamodb.create_table(TableName=table, BillingMode="PAY_PER_REQUEST", **schema)
        dynamodb.put_item(TableName="quotas", Item=cast("Any", QUOTA))
        found = Account()
        boto: Any = BaseClient
        real = boto._make_api_call  # noqa: SLF001
        boto._make_api_call = lambda *call: found.call(*call)  # noqa: PLW0108, SLF001 - it gets bound
        try:
            yield found
        finally:
            boto._make_api_call = real  # noqa: SLF001
