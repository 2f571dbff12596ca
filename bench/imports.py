"""How long an import of 5,000 quota items takes: read, validate, plan and write, as one command.

Both tables are in memory, in this process, so that they take turns with the command. With
`imports.py embedded` it runs against the embedded AWS over HTTP too, which reads the condition
under which a quota may be replaced far more slowly than AWS does.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NoReturn
from zoneinfo import ZoneInfo

import boto3
from typer.testing import CliRunner

from quota_enforcer.aws.dynamodb.ledger.schema import LEDGER_SCHEMA
from quota_enforcer.aws.dynamodb.ledger.usage.scan import UsageReader
from quota_enforcer.aws.dynamodb.quota_table import QUOTA_SCHEMA
from quota_enforcer.cli.deployment import by_stack
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.files.yaml import written
from quota_enforcer.cli.main import app
from quota_enforcer.core.deployment import Breaker, Metering, Mode, Settings
from quota_enforcer.lambdas.enforcer import wiring
from quota_enforcer.local.embedded import EmbeddedAws

if TYPE_CHECKING:
    from bench.parts.answers import at_once
    from bench.parts.figures import Figure, report
    from bench.parts.tables import Tables
else:  # a script finds what lies beside it
    from parts.answers import at_once
    from parts.figures import Figure, report
    from parts.tables import Tables

ITEMS = 5_000
MOST = 30.0
"""Seconds that the import of them into an empty table may take."""
ADMIN = "arn:aws:iam::123456789012:user/admin"


def items(limit: int) -> Iterator[dict[str, Any]]:
    """Quotas of people, of teams and a price here and there."""
    for n in range(ITEMS):
        quota = {
            "principal": f"user/person-{n:05}", "quota": "daily", "measure": "total_tokens",
            "limit": Decimal(limit + n), "window": "day", "warn_at": [50, 80, 95],
            "note": f"für die Forschung, Gruppe {n % 70}",
        }  # fmt: skip
        if n % 50 == 1:
            members = [f"user/person-{m:05}" for m in range(n, n + 20)]
            quota |= {"principal": f"team/研究-{n}", "members": members, "share": "pool"}
        if n % 50 == 2:  # noqa: PLR2004 - another fiftieth
            quota = {
                "principal": f"price/acme.model-{n}",
                "quota": "price",
                "input": Decimal("0.35"),
            }
        yield quota


def never(*_: Any, **__: Any) -> NoReturn:
    """In place of what an import has no business with."""
    raise AssertionError("an import needs the two tables only")


def of(session: boto3.Session) -> Deployment:
    """A deployment of two tables, which are empty."""
    dynamodb = session.client("dynamodb")
    settings = Settings(
        "bench", "123456789012", "quotas", "ledger", "", "", {"*": ""}, Mode.ENFORCE,
        ZoneInfo("UTC"), "nobody", Breaker(10, 20), Metering.STREAM,
    )  # fmt: skip
    ledger, quotas = wiring.ledger(settings, session), wiring.quotas(settings, session)
    reader = UsageReader(dynamodb, settings.ledger_table, settings.zone, ledger.usage)
    return Deployment(
        settings,
        ledger,
        quotas,
        ask=never,
        caller=lambda: ADMIN,
        gates=never,
        ask_meter=never,
        usages=reader.usages,
        sample=never,
        subscriptions=never,
        models=never,
    )


@contextmanager
def in_memory() -> Iterator[Deployment]:
    """In this process."""
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    events: Any = session.events
    events.register("before-send.dynamodb", partial(at_once, Tables("ledger", "quotas")))
    yield of(session)


@contextmanager
def on_embedded() -> Iterator[Deployment]:
    """In a process of its own."""
    with EmbeddedAws(datetime(2026, 11, 24, 12, tzinfo=UTC)) as aws:
        dynamodb = aws.client("dynamodb")
        for table, schema in (("ledger", LEDGER_SCHEMA), ("quotas", QUOTA_SCHEMA)):
            dynamodb.create_table(TableName=table, BillingMode="PAY_PER_REQUEST", **schema)
        yield of(aws.session())


def timed(*line: str) -> tuple[float, str]:
    """One command: its processor time, and what it printed."""
    start = time.process_time()
    result = CliRunner().invoke(app, ["quota", *line])
    took = time.process_time() - start
    if result.exit_code:
        raise SystemExit(f"{line}: {result.output[-500:]}")
    return took, result.stdout


def measure(name: str, folder: Path) -> Iterator[Figure]:
    """An import into an empty table, the same again, one that changes all, and an export."""
    first, second, exported = folder / "first.yaml", folder / "second.yaml", folder / "third.yaml"
    for file, limit in ((first, 1_000_000), (second, 2_000_000)):
        text = "".join(written((item, ()) for item in items(limit)))
        file.write_text(text, encoding="utf-8")
    for story, file, expected, most in (
        ("into an empty table", first, f"{ITEMS:,} added", MOST),
        ("the same again", first, f"{ITEMS:,} unchanged", None),
        ("every quota changed", second, "0 added", None),
    ):
        took, said = timed("import", str(file), "--yes")
        print(f"imports: {name}: {ITEMS:,} items {story}: {took:.1f} s")
        yield Figure(f"{name}: {ITEMS:,} items {story}", took, "s", most)
        if expected not in said:
            raise SystemExit(f"expected {expected!r}: {said[-200:]}")
    took, _ = timed("export", str(exported))
    print(f"imports: {name}: exported in {took:.1f} s")
    again = timed("import", str(exported), "--prune", "--dry-run")[1]
    if f"0 added, 0 changed, 0 removed, {ITEMS:,} unchanged." not in again:
        raise SystemExit(f"the export does not import as no change: {again[-200:]}")


def main() -> None:
    """In memory; on the embedded AWS too, if that is asked for."""
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    figures: list[Figure] = []
    clouds = {"in memory": in_memory}
    if sys.argv[1:] == ["embedded"]:
        clouds["embedded AWS"] = on_embedded
    for name, cloud in clouds.items():
        with cloud() as deployment, TemporaryDirectory() as folder:
            by_stack.find = lambda *_, found=deployment: found
            figures += measure(name, Path(folder))
    report(figures)


if __name__ == "__main__":
    main()
