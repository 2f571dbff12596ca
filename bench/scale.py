"""Seconds, memory and AWS calls for 100 to 100,000 principals, beside a baseline that scans it all.

The real handlers and commands run in a process of their own for each size. Both tables are in that
process's memory, since the embedded AWS would take hours for so many items; all else that is asked
of AWS the embedded AWS answers. So seconds are our own work and the embedded AWS's answers, without
DynamoDB's; what DynamoDB adds is its calls times about 10 ms. Everybody called on the day before,
so that a sweep finds what it does on any day but the first. 100,000 principals take some minutes
more, and are measured if they are asked for: `bench/scale.py 100000`.
"""

import gc
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import boto3
from botocore.client import BaseClient
from typer.testing import CliRunner

from quota_enforcer.aws.dynamodb.ledger import items as ledger_items
from quota_enforcer.aws.dynamodb.ledger.usage.buckets import items as usage_items
from quota_enforcer.aws.dynamodb.table import WholeTable
from quota_enforcer.aws.dynamodb.wire import wire
from quota_enforcer.core.ledger import Level, Record, Standing
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.usage.counts import Counts
from quota_enforcer.core.usage.stored import Bucket
from quota_enforcer.core.usage.window import hour_start
from quota_enforcer.local.embedded import EmbeddedAws

if TYPE_CHECKING:
    from bench.parts.deployment import context
    from bench.parts.figures import Figure, report
    from bench.parts.records import MODELS, delivery
    from bench.parts.tables import Tables
else:  # a script finds what lies beside it
    from parts.deployment import context
    from parts.figures import Figure, report
    from parts.records import MODELS, delivery
    from parts.tables import Tables

ROOT = Path(__file__).parents[1]
STACK = "bench"
NOW = datetime(2026, 11, 24, 15, 20, tzinfo=UTC)
TICK, DAY = timedelta(minutes=5), timedelta(days=1)
SIZES = (100, 1_000, 10_000)
MOST_IDLE = 20
"""Calls of an idle sweep, however many principals there are."""
MOST_PER_CHANGED = 0.1
"""Calls of a sweep for each principal of whom nothing but usage has changed."""
MOST_PER_BLOCK = 5
"""Calls for each principal that is newly blocked, and the look at it."""
MOST_PER_KNOWN = 0.1
"""Calls of an edit of the default for each principal known."""
MOST_OF_STATUS = 40
FEWEST, MANY = 1_000, 10_000
"""With fewer what is read in any case is the most of it."""
LIMIT = 10_000_000
ZONE = ZoneInfo("UTC")
OVER = 5
"""How many go over their quota."""
BATCH = 1_000
"""Records in one delivery."""
QUOTA = {"principal": "default", "quota": "daily", "measure": "total_tokens",
         "limit": Decimal(LIMIT), "window": "day"}  # fmt: skip


def named(number: int) -> str:
    return f"u{number}"


def everything(principals: int) -> Iterator[dict[str, Any]]:
    """A record and today's usage of each; the first few are just below their limit."""
    standing = Standing(Level.OK, since=NOW - timedelta(days=20))
    someone = Principal(Kind.USER, "x")
    record = wire(ledger_items.record_item(Record(someone, standing, version=1)))
    bucket = Bucket(someone, MODELS[0].removeprefix("eu."), NOW.date())
    hour = hour_start(NOW - timedelta(hours=2), ZONE)

    def usage(tokens: int) -> dict[str, Any]:
        numbers, _ = usage_items.counters(bucket, {hour: Counts(1, tokens)}, ZONE)
        return wire({**usage_items.usage_key(bucket), **numbers})

    little, much = usage(1_000), usage(LIMIT - 1)
    for number in range(principals):
        pk = {"pk": {"S": f"user/{named(number)}"}}
        yield {**record, **pk}
        yield {**(much if number < OVER else little), **pk}


class Measured:
    """This process: its calls, and what it took."""

    def __init__(self, tables: Tables) -> None:
        self.calls: Counter[str] = Counter()
        self.woken: list[dict[str, Any]] = []
        self.found: dict[str, Any] = {}
        boto: Any = BaseClient
        real = boto._make_api_call  # noqa: SLF001

        def call(client: Any, operation: str, request: dict[str, Any]) -> Any:
            self.calls[operation] += 1
            if client.meta.service_model.service_name == "dynamodb":
                return tables.answer(operation, request)
            if operation == "Invoke":
                self.woken.append(json.loads(request["Payload"]))
                return {"StatusCode": 202}
            return real(client, operation, request)

        boto._make_api_call = call  # noqa: SLF001

    def run(self, name: str, work: Callable[[], object]) -> None:
        """Do it, and note what it took."""
        self.calls.clear()
        gc.freeze()  # neither a command nor a function has tables that Python would look through
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
        before, wall, cpu = _memory("VmRSS"), time.monotonic(), time.process_time()
        with redirect_stdout(StringIO()):
            work()
        self.found[name] = {
            "seconds": time.monotonic() - wall,
            "cpu": time.process_time() - cpu,
            "memory": _memory("VmHWM") - before,
            "calls": dict(sorted(self.calls.items())),
        }


def _memory(line: str) -> int:
    """Bytes, as Linux counts them for this process."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(rf"{line}:\s+(\d+) kB", text)
    return int(found[1]) * 1024 if found else 0


def measure(principals: int) -> dict[str, Any]:
    """All that is measured with so many, in this process."""
    from quota_enforcer.lambdas.enforcer import (  # noqa: PLC0415 - reads the environment
        handler as enforcer,
    )
    from quota_enforcer.lambdas.meter import handler as meter  # noqa: PLC0415 - likewise

    ledger, quotas = os.environ["LEDGER_TABLE"], os.environ["QUOTA_TABLE"]
    tables = Tables(ledger, quotas)
    tables.tables[quotas].put(wire(QUOTA))
    measured = Measured(tables)
    sweep = {"action": "sweep"}
    at(NOW - DAY)
    measured.run("first", lambda: enforcer.handler(sweep, context()))
    tables.tables[ledger].fill(everything(principals))
    for first in range(0, principals, BATCH):
        several = [named(n) for n in range(first, min(first + BATCH, principals))]
        called = delivery(BATCH * 1_000 + first, several, NOW - DAY, model=MODELS[1])
        meter.handler(called, context())
        while measured.woken:
            enforcer.handler(measured.woken.pop(0), context())
    at(NOW)
    measured.run("warm", lambda: enforcer.handler(sweep, context()))
    at(NOW + TICK)
    measured.run("idle sweep", lambda: enforcer.handler(sweep, context()))
    others = principals - OVER
    batch = delivery(0, [named(OVER + n % others) for n in range(BATCH)], NOW + TICK)
    meter.handler(delivery(BATCH * 9, [named(principals - 1)], NOW), context())  # wired by it
    measured.run("one batch of 1,000 records", lambda: meter.handler(batch, context()))
    while measured.woken:
        enforcer.handler(measured.woken.pop(0), context())
    tenth = [named(n) for n in range(max(principals // 10, OVER))]
    meter.handler(delivery(BATCH * 10, tenth, NOW + TICK), context())

    def busy() -> None:
        while measured.woken:
            enforcer.handler(measured.woken.pop(0), context())
        enforcer.handler(sweep, context())

    at(NOW + 2 * TICK)
    measured.run("busy sweep", busy)
    attached = measured.found["busy sweep"]["calls"].get("AttachUserPolicy", 0)
    if attached != OVER:
        raise SystemExit(f"{attached} were denied, not {OVER}")
    tables.tables[quotas].put(wire({**QUOTA, "limit": Decimal(LIMIT + 1)}))
    at(NOW + 3 * TICK)
    measured.run("an edit of the default", lambda: enforcer.handler(sweep, context()))
    for command in ("status", "doctor"):
        measured.run(command, partial(asked, command))
    measured.run("a sweep that scans everything", partial(baseline, ledger))
    return measured.found


def asked(command: str) -> None:
    """An admin runs it; doctor may have found something."""
    from quota_enforcer.cli.main import app  # noqa: PLC0415 - heavy, and no part of the functions

    done = CliRunner().invoke(app, [command])
    if done.exit_code and (command == "status" or done.exit_code > 1):
        raise SystemExit(f"{command}: {done.output} {done.exception!r}")


def baseline(ledger: str) -> None:
    """Every tick everything is read, decoded and held against the limit."""
    used: Counter[str] = Counter()
    for item in WholeTable(boto3.client("dynamodb"), ledger).scan():
        if item["sk"] == ledger_items.STANDING:
            ledger_items.record_of(item)
        elif str(item["sk"]).startswith("usage#"):
            counts = Counts.total(usage_items.hours_of(item, ZONE).values())
            used[item["pk"]] += counts.input_tokens + counts.output_tokens
    over = sum(tokens >= LIMIT for tokens in used.values())
    if over < OVER:
        raise SystemExit(f"the baseline finds {over} over their limit")


def at(moment: datetime) -> None:
    """Set the simulated clock."""
    text = moment.isoformat()
    Path(os.environ["QUOTA_ENFORCER_CLOCK_FILE"]).write_text(text, encoding="ascii")


def main() -> None:
    """Measure each size, print a table, and hold idle sweeps against one another."""
    sizes = tuple(map(int, sys.argv[1:])) or SIZES
    idle: dict[int, Any] = {}
    figures: list[Figure] = []
    with EmbeddedAws(NOW) as aws:
        outputs = aws.deploy(ROOT / "template.yaml", STACK, {"Mode": "enforce"})
        environment: dict[str, str] = {}
        for function in ("MeterFunction", "EnforcerFunction"):
            got = aws.client("lambda").get_function_configuration(FunctionName=outputs[function])
            environment |= got["Environment"]["Variables"]
        environment |= aws.environment() | {
            "QUOTA_ENFORCER_STACK": STACK, "POWERTOOLS_TRACE_DISABLED": "true",
            "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
        }  # fmt: skip
        iam, deny = aws.client("iam"), outputs["DenyAllPolicy"]
        for number in range(OVER):
            iam.create_user(UserName=named(number))
        for principals in sizes:
            done = subprocess.run(  # noqa: S603 - our own interpreter
                [sys.executable, __file__, "measure", str(principals)],
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
                check=True,
                timeout=1_800,
            )
            found = json.loads(done.stdout.splitlines()[-1])
            idle[principals] = found["idle sweep"]["calls"]
            show(principals, found)
            figures += held(principals, found)
            for each in iam.list_entities_for_policy(PolicyArn=deny)["PolicyUsers"]:
                iam.detach_user_policy(UserName=each["UserName"], PolicyArn=deny)
    different = len({json.dumps(calls) for calls in idle.values()})
    report(
        [Figure("different idle sweeps, by the number of principals", different, "", 1), *figures]
    )


def held(principals: int, found: dict[str, Any]) -> Iterator[Figure]:
    """What is promised of this size."""
    calls = {name: sum(took["calls"].values()) for name, took in found.items()}
    who = f"with {principals:,}"
    yield Figure(f"an idle sweep {who}", calls["idle sweep"], "calls", MOST_IDLE)
    changed = max(principals // 10, OVER) - OVER
    if principals >= MANY:
        busy = calls["busy sweep"] - calls["idle sweep"] - OVER * MOST_PER_BLOCK
        name = f"a busy sweep {who}, for each of {changed:,} changed"
        yield Figure(name, max(busy, 0) / changed, "calls", MOST_PER_CHANGED)
    if principals >= FEWEST:
        edit = (calls["an edit of the default"] - calls["idle sweep"]) / principals
        yield Figure(f"an edit of the default {who}, for each", edit, "calls", MOST_PER_KNOWN)
        yield Figure(f"status {who}", calls["status"], "calls", MOST_OF_STATUS)


def show(principals: int, found: dict[str, Any]) -> None:
    """One table for one size."""
    print(f"\n{principals:,} principals\n\n| | s | of it computing | MB on top | calls | by name |")
    print("|---|---:|---:|---:|---:|---|")
    for name, took in found.items():
        if name in {"first", "warm"}:
            continue
        calls = ", ".join(f"{call} {count:,}" for call, count in took["calls"].items())
        print(
            f"| {name} | {took['seconds']:.2f} | {took['cpu']:.2f} | {took['memory'] / 1e6:.0f} "
            f"| {sum(took['calls'].values()):,} | {calls} |",
            flush=True,
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        print(json.dumps(measure(int(sys.argv[2]))))
    else:
        main()
