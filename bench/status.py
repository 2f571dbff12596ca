"""How long `status` takes for very many principals, as an admin runs it.

The stack is deployed on the embedded AWS and its ledger filled; the command runs in a process of
its own, from the start of Python to its last row. Most of that is waiting for the embedded AWS,
which is written in Python, shares the machine and takes 0.3 s for each MB that is passed over. So
it runs once more on the same answers, given after the time that DynamoDB takes for them.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from threading import local
from typing import Any, NamedTuple
from unittest.mock import patch

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from typer.testing import CliRunner

from quota_enforcer.aws.dynamodb.ledger import items as ledger_items
from quota_enforcer.aws.dynamodb.ledger.usage import buckets as usage_items
from quota_enforcer.aws.dynamodb.wire import wire
from quota_enforcer.cli.main import app
from quota_enforcer.core.deployment import Settings
from quota_enforcer.core.ledger import Bucket, Level, Record, Standing, SweepState
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.window import hour_start, local_date
from quota_enforcer.lambdas.enforcer import wiring
from quota_enforcer.local.embedded import EmbeddedAws

ROOT = Path(__file__).parents[1]
STACK = "bench"
NOW = datetime(2026, 11, 24, 15, 20, tzinfo=UTC)
"""A Tuesday late in the month: monthly quotas have 24 days to sum up."""
MODELS = ("anthropic.claude-3-haiku-20240307-v1:0", "amazon.nova-lite-v1:0")
DAYS = 3
"""On how many days of the month a principal used Bedrock, on average; a few did on all of them."""
MOST_HOURS = 6
"""A principal uses one to six hours of a day."""
BATCH = 25
LIMIT = 10.0
"""Seconds that it may take in AWS."""
ANSWER, MEGABYTE = 0.010, 0.100
"""Seconds that DynamoDB takes for an answer, and for each MB in it, both rather more than less."""


def quotas() -> Iterator[dict[str, Any]]:
    """A daily and a monthly quota for people, and one by the hour for roles."""
    tokens = {"measure": "total_tokens", "limit": Decimal(2_000_000), "window": "day"}
    yield {"principal": "default", "quota": "daily", **tokens}
    money = {"measure": "cost_usd", "limit": Decimal(50), "window": "month"}
    yield {"principal": "default", "quota": "budget", **money}
    requests = {"measure": "requests", "limit": Decimal(1000), "window": "hour"}
    yield {"principal": "role/*", "quota": "hourly", **requests}


def items(principals: int, settings: Settings) -> Iterator[dict[str, Any]]:
    """Records and usage: nine users for each role."""
    dice = random.Random(1)  # noqa: S311 - numbers for a benchmark
    for number in range(principals):
        kind = Kind.USER if number % 10 else Kind.ROLE
        principal = Principal(kind, f"principal-{number:05}")
        standing = Standing(Level.OK, since=NOW - timedelta(days=20))
        yield dict(ledger_items.record_item(Record(principal, standing, version=1)))
        for day in range(24):
            if dice.random() < DAYS / 24:
                yield usage(principal, NOW - timedelta(days=day), dice, settings)


def usage(
    principal: Principal, at: datetime, dice: random.Random, settings: Settings
) -> dict[str, Any]:
    """One day of one model."""
    bucket = Bucket(principal, dice.choice(MODELS), local_date(at, settings.zone))
    hours = {}
    for number in range(dice.randint(1, MOST_HOURS)):
        tokens = dice.randrange(200_000)
        cost = Decimal(tokens) / 1_000_000
        counts = Counts(dice.randrange(1, 50), tokens, tokens // 10, tokens // 2, cost_usd=cost)
        hours[hour_start(at - timedelta(hours=number), settings.zone)] = counts
    numbers, _ = usage_items.counters(bucket, hours, settings.zone)
    meters = {usage_items.counter_name(hour, "meter", settings.zone): "stream" for hour in hours}
    return {**usage_items.usage_key(bucket), **numbers, **meters}


def fill(aws: EmbeddedAws, outputs: dict[str, str], principals: int) -> int:
    """Write all of it; returns how many items the ledger has."""
    function = outputs["EnforcerFunction"]
    found = aws.client("lambda").get_function_configuration(FunctionName=function)
    settings = Settings.from_environment(found["Environment"]["Variables"])
    table = wiring.quotas(settings, aws.session())
    for item in quotas():
        table.put(item, None)
    ledger = wiring.ledger(settings, aws.session())
    ledger.begin(NOW)
    ledger.finish(SweepState(started=NOW, finished=NOW, fresh_at=NOW))
    dynamodb = aws.client("dynamodb")
    everything = [{"PutRequest": {"Item": wire(item)}} for item in items(principals, settings)]
    for first in range(0, len(everything), BATCH):
        batch = everything[first : first + BATCH]
        dynamodb.batch_write_item(RequestItems={settings.ledger_table: batch})
    return len(everything)


class Run(NamedTuple):
    """A command: how long it took, how long it computed of that, and what it printed."""

    took: float
    computed: float
    printed: str

    def __str__(self) -> str:
        return f"{self.took:.1f} s, of which it computes {self.computed:.1f} s"


def timed(aws: EmbeddedAws, *arguments: str) -> Run:
    """Run a command."""
    environment = aws.environment() | {"QUOTA_ENFORCER_STACK": STACK}
    environment["PYTHONPATH"] = os.pathsep.join(entry for entry in sys.path if entry)
    started, computed = time.monotonic(), _computed()
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "quota_enforcer.cli", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.monotonic() - started
    if done.returncode:
        raise SystemExit(done.stderr)
    return Run(took, _computed() - computed, done.stdout)


def _computed() -> float:
    """Processor seconds of the commands that have ended."""
    children = getrusage(RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


class Answers:
    """The embedded AWS's answers to each request; replayed they come as fast as DynamoDB's."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bytes], bytes] = {}
        self._asked = local()

    def attach(self, session: boto3.Session) -> None:
        """Listen to all DynamoDB clients of a session."""
        events: Any = session.events
        events.register("before-send.dynamodb", self._send)
        events.register("response-received.dynamodb", self._received)

    def _send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
        target = str(request.headers["X-Amz-Target"])
        self._asked.key = target, request.body
        body = self._known.get(self._asked.key)
        if body is None:
            return None
        time.sleep(ANSWER + MEGABYTE * len(body) / 1_000_000)
        headers: Any = {}
        answer: Any = AWSResponse(request.url, 200, headers, None)
        answer._content = body  # noqa: SLF001 - where botocore keeps what it has read
        return answer  # type: ignore[no-any-return]

    def _received(self, response_dict: dict[str, Any] | None, **_: object) -> None:
        if response_dict is not None and response_dict["status_code"] < 300:  # noqa: PLR2004
            self._known[self._asked.key] = response_dict["body"]


def replayed(aws: EmbeddedAws, *arguments: str) -> float:
    """How long a command takes where DynamoDB answers; the second run, in this process."""
    answers = Answers()

    class Session(boto3.Session):
        def __init__(self, **_: object) -> None:
            super().__init__(aws.account_id, "root", region_name=aws.region)
            answers.attach(self)

    environment = aws.environment() | {"QUOTA_ENFORCER_STACK": STACK}
    with patch.object(boto3, "Session", Session), patch.dict(os.environ, environment):
        for _ in range(2):
            started = time.monotonic()
            result = CliRunner().invoke(app, arguments)
            took = time.monotonic() - started
            if result.exit_code:
                raise SystemExit(result.output)
    return took


def main() -> None:
    """Time the table, and the JSON document, for each number of principals."""
    for principals in map(int, sys.argv[1:] or (1_000, 10_000)):
        with EmbeddedAws(NOW) as aws:
            outputs = aws.deploy(ROOT / "template.yaml", STACK, {"Mode": "enforce"})
            written = fill(aws, outputs, principals)
            print(f"{principals:,} principals, {written:,} items in the ledger")
            table = timed(aws, "status")
            print(f"  status: {table}; {len(table.printed.splitlines()):,} lines")
            replay = replayed(aws, "status")
            print(f"  status where DynamoDB answers: {replay:.1f} s, and the start of Python")
            document = timed(aws, "status", "--json")
            rows = len(json.loads(document.printed)["standings"])
            print(f"  status --json: {document}; {rows:,} rows")
            print(f"  status of one: {timed(aws, 'status', 'user/principal-00001')}")
            print(f"  forecast: {timed(aws, 'forecast')}")
            print(f"  usage --csv: {timed(aws, 'usage', '--csv')}")
            if replay > LIMIT:
                raise SystemExit(f"that is more than {LIMIT:.0f} s")


if __name__ == "__main__":
    main()
