"""How long `status` and its like take for very many principals, as an admin runs them.

The real commands run in a process of their own for each size. Both tables are in that process's
memory, and each answer comes after the time that DynamoDB takes for it; botocore signs, parses and
decodes as ever. What is told is processor time, and the time in which at least one request was
under way; a command takes no longer than both together, since the two overlap. Held are the calls.
"""

import gc
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

import boto3

from quota_enforcer.aws.dynamodb.ledger import items as ledger_items
from quota_enforcer.aws.dynamodb.ledger.schema import STATE
from quota_enforcer.aws.dynamodb.ledger.usage.buckets import items as usage_items
from quota_enforcer.aws.dynamodb.text import instant
from quota_enforcer.aws.dynamodb.wire import wire
from quota_enforcer.cli.__main__ import run
from quota_enforcer.core.deployment import Settings
from quota_enforcer.core.ledger import Level, Record, Standing
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.core.usage.window import hour_start, local_date
from quota_enforcer.local.embedded import EmbeddedAws

if TYPE_CHECKING:
    from bench.parts.answers import Answers
    from bench.parts.figures import COLLECT, Figure, report
    from bench.parts.tables import Tables
else:  # a script finds what lies beside it
    from parts.answers import Answers
    from parts.figures import COLLECT, Figure, report
    from parts.tables import Tables

ROOT = Path(__file__).parents[1]
STACK = "bench"
NOW = datetime(2026, 11, 24, 15, 20, tzinfo=UTC)
"""A Tuesday late in the month: monthly quotas have 24 days to sum up."""
MODELS = ("anthropic.claude-3-haiku-20240307-v1:0", "amazon.nova-lite-v1:0")
DAYS = 3
"""On how many days of the month a principal used Bedrock, on average; a few did on all of them."""
MOST_HOURS = 6
"""A principal uses one to six hours of a day."""
COMMANDS = (
    "status",
    "status --json",
    "status user/principal-00001",
    "forecast",
    "usage --csv",
)
MANY = 10_000
MOST_SECONDS = 4.0
"""For `status` with so many, on a machine with nothing else to do."""
MOST_CALLS = {("status", 1_000): 20, ("status", 10_000): 40, ("forecast", 10_000): 40}
"""Calls of DynamoDB; a page that is passed over is one."""


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
    return {**usage_items.usage_key(bucket), **numbers}


def measure(principals: int) -> None:
    """Print what each command takes with so many, in this process."""
    settings = Settings.from_environment(os.environ)
    tables = Tables(settings.ledger_table, settings.quota_table)
    for item in quotas():
        tables.tables[settings.quota_table].put(wire(item))
    swept = dict.fromkeys(("started", "finished", "fresh_at"), instant(NOW))
    ledger = tables.tables[settings.ledger_table]
    ledger.fill(wire(item) for item in ({**STATE, **swept}, *items(principals, settings)))
    answers = Answers(tables)
    gc.freeze()  # a command has no tables in its memory that Python would look through

    class Session(boto3.Session):
        def __init__(self, **_: object) -> None:
            super().__init__(region_name=os.environ["AWS_REGION"])
            answers.attach(self)

    print(f"\n{principals:,} principals, {sum(1 for _ in ledger.everything()):,} items\n")
    print("| | computes | waits for DynamoDB | together | calls of DynamoDB | lines |")
    print("|---|---:|---:|---:|---|---:|")
    with patch.object(boto3, "Session", Session):
        commands = COMMANDS if principals >= MANY else COMMANDS[:1]
        took = {command: timed(command, answers) for command in commands}
        for command, each in took.items():
            show(command, each)
    report(held(principals, took))


class Run(NamedTuple):
    """A command: how long it computed, and with DynamoDB's answers; its calls; its lines."""

    computed: float
    waited: float
    calls: Counter[str]
    lines: int


def timed(command: str, answers: Answers) -> Run:
    """Its second run where the first had to work out an answer."""
    for _ in range(2):
        answers.fresh()
        printed, begin = StringIO(), time.process_time()
        with redirect_stdout(printed), patch.object(sys, "argv", ["", *command.split()]):
            try:
                run()
            except SystemExit as end:
                if end.code:
                    raise SystemExit(f"{command}: {printed.getvalue()}") from end
        computed = time.process_time() - begin
        if not answers.worked_out:
            break
    return Run(computed, answers.waited, answers.calls, printed.getvalue().count("\n"))


def held(principals: int, took: dict[str, Run]) -> Iterator[Figure]:
    """What is promised of this size."""
    for command, each in took.items():
        most, who = MOST_CALLS.get((command, principals)), f"`{command}` with {principals:,}"
        if most:
            yield Figure(who, each.calls.total(), "calls of DynamoDB", most)
            slow = MOST_SECONDS if principals == MANY and command == "status" else None
            yield Figure(who, each.computed + each.waited, "s", slow)


def show(command: str, took: Run) -> None:
    """One row."""
    calls = ", ".join(f"{name} {count:,}" for name, count in sorted(took.calls.items()))
    print(
        f"| {command} | {took.computed:.1f} s | {took.waited:.1f} s "
        f"| {took.computed + took.waited:.1f} s | {calls} | {took.lines:,} |",
        flush=True,
    )


def main() -> None:
    """Each number of principals in a process of its own."""
    started = "import boto3, quota_enforcer.cli.main, quota_enforcer.lambdas.enforcer.wiring"
    with EmbeddedAws(NOW) as aws:
        outputs = aws.deploy(ROOT / "template.yaml", STACK, {"Mode": "enforce"})
        function = outputs["EnforcerFunction"]
        found = aws.client("lambda").get_function_configuration(FunctionName=function)
        environment = found["Environment"]["Variables"] | aws.environment()
        environment["QUOTA_ENFORCER_STACK"] = STACK
        environment |= {COLLECT: os.environ[COLLECT]} if COLLECT in os.environ else {}
        environment["PYTHONPATH"] = os.pathsep.join(entry for entry in sys.path if entry)
        before = getrusage(RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", started], env=environment, check=True)  # noqa: S603 - our own interpreter
        after = getrusage(RUSAGE_CHILDREN)
        start = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"status: to start Python and load all takes {start:.1f} s more")
        print("status: the aim for `status` with 10,000 principals is 4 s, with that")
        missed = False
        for principals in sys.argv[1:] or ("1000", "10000"):
            line = [sys.executable, __file__, "measure", principals]
            done = subprocess.run(line, env=environment, check=False, timeout=1_800)  # noqa: S603 - likewise
            missed |= bool(done.returncode)
        raise SystemExit(missed)


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        measure(int(sys.argv[2]))
    else:
        main()
