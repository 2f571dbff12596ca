"""`simulate`: what quotas would have done to the calls of an invocation log."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from quota_enforcer.cli.files.log_summary import LogSummary
from quota_enforcer.cli.files.logs import log_file, log_lines
from quota_enforcer.cli.files.quota_file import read_quota_file
from quota_enforcer.cli.offline.simulated import document, show
from quota_enforcer.cli.terminal.errors import REFUSED
from quota_enforcer.cli.terminal.options import AsJson
from quota_enforcer.cli.terminal.output import fail, hint, say_json
from quota_enforcer.core.pricing.catalog.shipped import shipped_rates
from quota_enforcer.core.pricing.rate import Cost
from quota_enforcer.core.pricing.table import PriceTable
from quota_enforcer.core.usage.model import bare_model
from quota_enforcer.insight.simulation import Delays, without_repeats
from quota_enforcer.insight.simulation import simulate as replay
from quota_enforcer.meter.log.record import Counted, read

LONGEST_LAG = 86_400
"""Seconds; no meter takes more than a day."""


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise typer.BadParameter(
            f"{name!r} is no time zone: name one of IANA's, such as Europe/Berlin"
        ) from None
    return name


def _lag(seconds: float) -> float:
    if not 0 <= seconds <= LONGEST_LAG:
        raise typer.BadParameter(f"{seconds} is not a number of seconds from 0 to {LONGEST_LAG:,}")
    return seconds


def simulate(
    log: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            callback=log_file,
            help="An invocation log of one record a line, plain or gzip; - for stdin.",
        ),
    ],
    quotas: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Quota and price items as in the quota table: a list, as JSON or YAML.",
        ),
    ],
    time_zone: Annotated[
        str,
        typer.Option(
            metavar="ZONE", callback=_zone, help="Where hours, days, weeks and months begin."
        ),
    ] = "UTC",
    lag: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", callback=_lag, help="How long after a call its deny is in force."
        ),
    ] = 0,
    *,
    as_json: AsJson = False,
) -> None:
    """Replay a log against quotas: who would have been warned and blocked, when, and by what.

    It needs no AWS account. A call that arrives while its principal is blocked for its model is
    refused and not counted. Every model that a quota names counts as an installed scope.

    Examples:
      quota-enforcer simulate --log calls.jsonl.gz --quotas quotas.yaml
      quota-enforcer simulate --log calls.jsonl --quotas quotas.json --lag 15 --json
    """
    zone = ZoneInfo(time_zone)
    found = read_quota_file(quotas, zone)
    if found.invalid:
        for each in found.invalid:
            fail(each.words)
        raise typer.Exit(REFUSED)
    prices = _Prices(PriceTable(shipped_rates(), found.prices))
    delays = Delays(visible=lambda call: call.at + timedelta(seconds=lag))
    outcomes = replay(_calls(log), found.rules, prices.of, zone, delays)
    prices.warn()
    if as_json:
        say_json({"principals": {str(who): document(each) for who, each in outcomes.items()}})
    else:
        show(outcomes, zone)


class _Prices:
    """The price table, and the models whose price it had to assume."""

    def __init__(self, table: PriceTable) -> None:
        self._table = table
        self._assumed: set[str] = set()

    def of(self, call: Counted) -> Cost:
        cost = self._table.cost(call.model_id, call.region, call.counts, call.cache_writes)
        if cost.assumed:
            self._assumed.add(bare_model(call.model_id))
        return cost

    def warn(self) -> None:
        if self._assumed:
            hint(
                f"No price is known for {', '.join(sorted(self._assumed))}: taken at the dearest "
                "that could apply. Items price/MODEL in the quotas file say better."
            )


def _calls(log: Path) -> list[Counted]:
    """The calls of the log, each once; what else it holds is said on stderr."""
    summary = LogSummary()

    def counted() -> Iterator[Counted]:
        for reading in map(read, log_lines(log)):
            summary.add(reading)
            if isinstance(reading, Counted):
                yield reading

    several = list(counted())
    calls = list(without_repeats(several))
    for line in summary.lines():
        hint(line)
    repeats = len(several) - len(calls)
    if repeats:
        lines = "line repeats" if repeats == 1 else "lines repeat"
        hint(f"{repeats:,} counted {lines} another: each call counts once")
    return calls
