"""How long `status` takes for very many principals, as an admin runs it, and which calls it makes.

The stack is deployed on the embedded AWS and its ledger filled; the command runs in a process of
its own, from the start of Python to its last row. The embedded AWS shares the machine with it; in
AWS an answer of DynamoDB takes less time, and the network more.
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
from typing import Any

from quota_enforcer import wiring
from quota_enforcer.aws import ledger_items, usage_items
from quota_enforcer.aws.dynamo_read import wire
from quota_enforcer.core.measure import Counts
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.standing import Level, Standing
from quota_enforcer.core.window import hour_start, local_date
from quota_enforcer.local.embedded import EmbeddedAws
from quota_enforcer.ports import Bucket, Record, SweepState
from quota_enforcer.settings import Settings

ROOT = Path(__file__).parents[1]
STACK = "bench"
NOW = datetime(2026, 11, 24, 15, 20, tzinfo=UTC)
"""A Tuesday late in the month: monthly quotas have 24 days to sum up."""
MODELS = ("anthropic.claude-3-haiku-20240307-v1:0", "amazon.nova-lite-v1:0")
DAYS = 5
"""On how many days of the month a principal used Bedrock, on average; a few did on all of them."""
MOST_HOURS = 6
"""A principal uses one to six hours of a day."""
BATCH = 25
LIMIT = 10.0
"""Seconds that it may take."""


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
        counts = Counts(dice.randrange(1, 50), tokens, tokens // 10, tokens // 2, 0, cost)
        hours[hour_start(at - timedelta(hours=number), settings.zone)] = counts
    numbers, _ = usage_items.counters(bucket, hours, settings.zone)
    meters = {usage_items.counter_name(hour, "meter", settings.zone): "stream" for hour in hours}
    return {**usage_items.usage_key(bucket), **numbers, **meters}


def fill(aws: EmbeddedAws, outputs: dict[str, str], principals: int) -> int:
    """Deploy nothing, write everything; returns how many items the ledger has."""
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


def timed(aws: EmbeddedAws, *arguments: str) -> tuple[float, str]:
    """How long a command takes, and what it prints."""
    environment = aws.environment() | {"QUOTA_ENFORCER_STACK": STACK}
    environment["PYTHONPATH"] = os.pathsep.join(entry for entry in sys.path if entry)
    started = time.monotonic()
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
    return took, done.stdout


def main() -> None:
    """Time the table, and the JSON document, for each number of principals."""
    for principals in map(int, sys.argv[1:] or (1_000, 10_000)):
        with EmbeddedAws(NOW) as aws:
            outputs = aws.deploy(ROOT / "template.yaml", STACK, {"Mode": "enforce"})
            written = fill(aws, outputs, principals)
            print(f"{principals:,} principals, {written:,} items in the ledger")
            took, table = timed(aws, "status")
            print(f"  status: {took:.1f} s, {len(table.splitlines()):,} lines")
            if took > LIMIT:
                raise SystemExit(f"more than {LIMIT:.0f} s")
            took, document = timed(aws, "status", "--json")
            rows = len(json.loads(document)["standings"])
            print(f"  status --json: {took:.1f} s, {rows:,} rows")
            took, _ = timed(aws, "status", "user/principal-00001")
            print(f"  status of one: {took:.1f} s")


if __name__ == "__main__":
    main()
