"""`report`: one page for the browser that shows usage, quotas, money and blocks."""

import re
import webbrowser
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from decimal import Decimal, InvalidOperation
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.files.replacing import replace_file
from quota_enforcer.cli.terminal.errors import FAILED, needing
from quota_enforcer.cli.terminal.options import OpenIt, on_deployment
from quota_enforcer.cli.terminal.output import fail, hint, progress, waiting
from quota_enforcer.core.usage.stored import USAGE_KEPT
from quota_enforcer.core.usage.window import local_date
from quota_enforcer.insight.report.gather import Gathering
from quota_enforcer.insight.report.model import Person, ReportSource

READERS = 16
"""Principals read side by side."""

LARGE = 5_000_000
"""Bytes from which on a browser may be slow to open the page."""


@on_deployment
def report(
    deployment: Deployment,
    *,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="Where to write the page; it is replaced. Default: STACK-DATE.html, here.",
        ),
    ] = None,
    days: Annotated[
        int,
        typer.Option(min=1, max=USAGE_KEPT.days, help="How many days it covers, today included."),
    ] = 60,
    open_: OpenIt = False,
) -> None:
    """Write a page that shows who uses what, which quotas run out, money, and blocks.

    The page is one file: it opens from disk and asks no network for anything.
    It holds names and usage, so hand it on with care.

    Examples:
      quota-enforcer report --open
      quota-enforcer report --html bedrock.html
      quota-enforcer report --html bedrock.html --days 14
    """
    with needing("report", "the report"):
        from quota_enforcer.insight.report import page  # noqa: PLC0415 - drawing loads a lot
    now = clock.now()
    context = deployment.context(now)
    gathering = Gathering(deployment.ledger, deployment.load(now).rules, context, days)
    gathered = gathering.report(source(deployment), _people(gathering))
    with waiting("Drawing the page"):
        written = page.render(gathered).encode()
    file = html or _named(deployment.settings.stack, local_date(now, context.zone))
    try:
        replace_file(file, written)
    except OSError as error:
        fail(f"cannot write {file}: {error.strerror}; name another file with --html")
        raise typer.Exit(FAILED) from error
    size = len(written)
    hint(f"{file}: {len(gathered.people):,} principals, {days} days, {size / 1e6:.1f} MB.")
    if size > LARGE:
        hint("A browser may be slow to open so much: --days 14 makes it smaller.")
    if open_ and not webbrowser.open(file.resolve().as_uri()):
        hint(f"No browser is here; open {file} in one.")


def source(deployment: Deployment) -> ReportSource:
    """What the report is of."""
    settings, made_by = deployment.settings, ""
    with suppress(PackageNotFoundError):  # a source tree that is not installed
        made_by = version("quota-enforcer")
    budget = _dollars(deployment.parameters().get("BudgetDollars", ""))
    return ReportSource(settings.stack, settings.account, settings.region, made_by, budget)


def _dollars(parameter: str) -> Decimal | None:
    """Of the stack's AWS budget; None if it has none, as one of an earlier version."""
    try:
        return Decimal(parameter) or None
    except InvalidOperation:
        return None


def _named(stack: str, day: date) -> Path:
    """`bedrock-quota-2026-11-24.html`: the newest of a day, and one for each day."""
    return Path(f"{re.sub('[^A-Za-z0-9-]', '-', stack)}-{day}.html")


def _people(gathering: Gathering) -> Iterator[Person]:
    records = gathering.everybody()
    with ThreadPoolExecutor(READERS) as pool:
        found = pool.map(gathering.person, records)
        yield from progress(found, "Reading usage and history", total=len(records))
