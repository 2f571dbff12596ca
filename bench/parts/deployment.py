"""The real handlers of meter and enforcer, and all that they ask of AWS.

Every AWS call is counted where botocore makes it. Whoever a delivery wakes runs at once, one after
the other, and the clock is simulated. Both tables are in memory and answer where botocore would
send; all else the embedded AWS answers. Processor time is that of the handlers, without the tables'
own.
"""

import io
import json
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.client import BaseClient
from botocore.handlers import BUILTIN_HANDLERS

from quota_enforcer.aws.dynamodb.wire import wire
from quota_enforcer.core.policies.deny import deny_all
from quota_enforcer.local.embedded import EmbeddedAws

from .answers import at_once
from .metrics import CloudWatch
from .records import ACCOUNT, GROUP
from .tables import Tables
from .units import Attributes, Units, read, touched, written

ENVIRONMENT = {
    "ACCOUNT_ID": ACCOUNT, "BREAKER_NUMBER": "10", "BREAKER_PERCENT": "20", "CONTACT": "us",
    "DEAD_LETTERS": "https://sqs.invalid/q", "ENFORCER_FUNCTION": "enforcer",
    "LEDGER_TABLE": "ledger", "LOG_GROUP": GROUP, "METRIC_NAMESPACE": "n", "MODE": "enforce",
    "NOTICE_TOPIC": "none", "POWERTOOLS_METRICS_NAMESPACE": "BedrockQuota/bench/Enforcer",
    "POWERTOOLS_SERVICE_NAME": "enforcer", "POWERTOOLS_TRACE_DISABLED": "true",
    "QUOTA_TABLE": "quotas", "STACK_NAME": "bench", "TIME_ZONE": "Europe/Berlin",
}  # fmt: skip
QUOTA: Attributes = {
    "principal": "default", "quota": "monthly", "measure": "cost_usd", "limit": 1_000_000_000,
    "window": "month",
}  # fmt: skip
REQUEST_ID = "8d8903c3-e948-4c21-b4d9-6029f785f196"
EVENT_BYTES = 26
"""What CloudWatch Logs adds to each line.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""


@dataclass(slots=True)
class Made:
    """What one function asked of AWS, and what it took."""

    runs: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    at_once: int = 0  # of the calls, those that were made side by side
    units: Units = field(default_factory=Units)
    metrics_read: int = 0
    log_bytes: int = 0
    cpu: list[float] = field(default_factory=list)  # seconds, run by run


class Deployment:
    """Both functions on one ledger.

    Attributes:
        meter, enforcer: what they made since `fresh`.
        cloudwatch: what the metrics of principals say.
        metrics: each function's own, by name, that it has written at any time.
    """

    def __init__(self, aws: EmbeddedAws) -> None:
        self.meter, self.enforcer = Made(), Made()
        self.cloudwatch = CloudWatch(Counter())
        self.metrics: set[tuple[str, str]] = set()
        self._aws = aws
        self._made = self.meter
        self._woken: list[dict[str, Any]] = []
        self._tables = Tables("ledger", "quotas")
        self._tables.tables["quotas"].put(wire(QUOTA))
        self._lock = threading.Lock()
        self._ours = 0.0
        boto: Any = BaseClient
        self._real = boto._make_api_call  # noqa: SLF001

    def fresh(self) -> None:
        """Count anew."""
        self.meter, self.enforcer = Made(), Made()

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """What is done in here costs nothing: it only comes before."""
        counted = self.meter, self.enforcer
        self.fresh()
        yield
        self.meter, self.enforcer = counted

    def at(self, moment: datetime) -> None:
        """Set the clock."""
        self._aws.set_time(moment)
        self.cloudwatch.now = moment

    def deliver(self, delivery: dict[str, Any]) -> None:
        """One delivery to the meter, and what it wakes."""
        from quota_enforcer.lambdas.enforcer import (  # noqa: PLC0415 - reads the environment
            handler as enforcer,
        )
        from quota_enforcer.lambdas.meter import handler as meter  # noqa: PLC0415 - likewise

        self._run(self.meter, meter.handler, delivery)
        while self._woken:
            self._run(self.enforcer, enforcer.handler, self._woken.pop())

    def sweep(self) -> None:
        """One tick of the enforcer's schedule."""
        from quota_enforcer.lambdas.enforcer import handler as enforcer  # noqa: PLC0415 - likewise

        self._run(self.enforcer, enforcer.handler, {"action": "sweep"})

    def recount(self) -> None:
        """One tick of the meter's schedule."""
        from quota_enforcer.lambdas.meter import handler as meter  # noqa: PLC0415 - likewise

        self._run(self.meter, meter.handler, {"action": "recount"})

    def store(self, items: Iterable[Attributes]) -> None:
        """Put items into the ledger as DynamoDB has them, without counting."""
        for item in items:
            self._tables.tables["ledger"].put(item)

    def _run(self, made: Made, handler: Any, event: dict[str, Any]) -> None:
        self._made, self._ours = made, 0.0
        log = io.StringIO()
        with redirect_stdout(log):
            for each in logging.Logger.manager.loggerDict.values():
                for out in getattr(each, "handlers", ()):
                    if isinstance(out, logging.StreamHandler):
                        out.setStream(log)
            begin = time.process_time()
            handler(event, context())
            made.cpu.append(time.process_time() - begin - self._ours)
        lines = log.getvalue().splitlines()
        made.runs += 1
        # Lambda itself logs no run that ends well: the template's SystemLogLevel is WARN.
        made.log_bytes += sum(len(line.encode()) + EVENT_BYTES for line in lines)
        function = "meter" if made is self.meter else "enforcer"
        for line in lines:
            for kind in json.loads(line).get("_aws", {}).get("CloudWatchMetrics", ()):
                self.metrics |= {(function, each["Name"]) for each in kind["Metrics"]}

    def call(self, client: Any, operation: str, request: Attributes) -> Any:
        """In place of botocore's own: count, and let the embedded AWS answer."""
        made = self._made
        with self._lock:
            made.calls[operation] += 1
            made.at_once += threading.current_thread() is not threading.main_thread()
            match operation:
                case "Invoke":
                    self._woken.append(json.loads(request["Payload"]))
                    return {"StatusCode": 202}
                case "ListMetrics" | "GetMetricData":
                    with self._apart():
                        made.metrics_read += len(request.get("MetricDataQueries", ()))
                        return self.cloudwatch.answer(operation, request)
                case _:
                    return self._answered(client, operation, request)

    def _answered(self, client: Any, operation: str, request: Attributes) -> Any:
        units = self._made.units
        with self._apart():
            keys = list(touched(operation, request))
            before = [self._item(*each) for each in keys]
        try:
            answer = self._real(client, operation, request)
        finally:
            with self._apart():
                units.written += written(operation, before, (self._item(*each) for each in keys))
        with self._apart():
            units.read += read(operation, request, answer)
        return answer

    def _item(self, table: str, key: Attributes) -> Attributes:
        return self._tables.tables[table].get(key) or {}

    def send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        """In place of sending a request to DynamoDB."""
        with self._apart():
            return at_once(self._tables, request)

    @contextmanager
    def _apart(self) -> Iterator[None]:
        """What is done in here is no work of the functions."""
        begin = time.thread_time()
        try:
            yield
        finally:
            self._ours += time.thread_time() - begin


def context() -> Any:
    """What Lambda hands over beside the event."""
    return SimpleNamespace(
        aws_request_id=REQUEST_ID, function_name="f", memory_limit_in_mb=512,
        invoked_function_arn="arn:aws:lambda:us-east-1:1:function:f",
        get_remaining_time_in_millis=lambda: 900_000,
    )  # fmt: skip


@contextmanager
def deployment(metering: str, start: datetime) -> Iterator[Deployment]:
    """A new one with one quota for everybody, swept once."""
    with EmbeddedAws(start) as aws:
        found = Deployment(aws)
        policy = aws.client("iam").create_policy(
            PolicyName="p", PolicyDocument=json.dumps(deny_all())
        )
        here = {"METERING": metering, "DENY_POLICIES": json.dumps({"*": policy["Policy"]["Arn"]})}
        os.environ |= aws.environment() | ENVIRONMENT | here
        from quota_enforcer.lambdas.enforcer import handler as enforcer  # noqa: PLC0415 - reads it
        from quota_enforcer.lambdas.meter import handler as meter  # noqa: PLC0415 - likewise

        enforcer.enforcer.cache_clear()
        meter.meter.cache_clear()
        boto: Any = BaseClient
        real = boto._make_api_call  # noqa: SLF001
        boto._make_api_call = lambda *call: found.call(*call)  # noqa: PLW0108, SLF001 - it gets bound
        answers = ("before-send.dynamodb", found.send)
        BUILTIN_HANDLERS.append(answers)
        try:
            found.sweep()
            yield found
        finally:
            BUILTIN_HANDLERS.remove(answers)
            boto._make_api_call = real  # noqa: SLF001
