"""`read-log`: what the record reader makes of each line of an invocation log."""

import json
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from quota_enforcer.cli.files.log_summary import STATUS, LogSummary
from quota_enforcer.cli.files.logs import log_readings, log_source
from quota_enforcer.cli.terminal.options import HomeAccount
from quota_enforcer.cli.terminal.output import going_by, hint, plain, say
from quota_enforcer.cli.terminal.tables import say_table
from quota_enforcer.core.notices.amounts import exact
from quota_enforcer.core.pricing.catalog.shipped import shipped_rates
from quota_enforcer.core.pricing.rate import Cost
from quota_enforcer.core.pricing.table import PriceTable
from quota_enforcer.core.usage.counts import OBSERVED, Counts
from quota_enforcer.core.usage.model import canonical_model
from quota_enforcer.meter.log.record import Counted, Reading

_SHORT = (
    each if each in {"input_tokens", "output_tokens"} else each.rpartition("_")[0] or each
    for each in OBSERVED
)
_COUNTED = [each.replace("_", " ").capitalize() for each in _SHORT]
_HEAD = ("Principal", "Model", *_COUNTED, "Cost in USD", "Of it assumed")


def read_log(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            callback=log_source,
            help="The log, plain or gzip, or an export of it: a file, a folder, or - for stdin.",
        ),
    ],
    account: HomeAccount = "",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Show which calls an invocation log counts, what they cost, and what it skips, and why.

    It needs no AWS account, so it knows no prices but those that come with the
    product. The summary goes to stderr.

    Examples:
      quota-enforcer read-log calls.jsonl
      zcat calls.gz | quota-enforcer read-log - --json
    """
    prices = PriceTable(shipped_rates())
    summary = LogSummary(home=account)
    used: defaultdict[tuple[str, str], Counts] = defaultdict(Counts)  # by principal and model
    try:
        readings = log_readings(file, account)
        shown = readings if as_json else going_by(readings, "Reading the log:")
        for number, reading in enumerate(shown, start=1):
            summary.add(reading)
            cost = _cost(prices, reading)
            if isinstance(reading, Counted) and cost is not None:
                whose = str(reading.identity.principal), canonical_model(reading.model_id)
                counts = cost.charged_to(reading.counts)
                used[whose] = Counts.total((used[whose], counts))
            if as_json:
                document = _document(number, reading, cost)
                sys.stdout.write(json.dumps(document, default=plain) + "\n")
    finally:  # also if the file breaks off: what could be read is shown before the error
        if not as_json:
            _show(used)
        for line in summary.lines():
            hint(line)


def _cost(prices: PriceTable, reading: Reading) -> Cost | None:
    """What a counted call cost, at the prices that come with the product."""
    if not isinstance(reading, Counted):
        return None
    return prices.cost(
        reading.model_id, reading.region, reading.counts, reading.cache_writes, reading.tier
    )


def _show(used: Mapping[tuple[str, str], Counts]) -> None:
    if not used:
        say("No call was counted.")
        return
    say_table(
        _HEAD,
        [
            (
                *whose,
                *(f"{number:,}" for number in counts[: len(OBSERVED)]),
                exact(counts.cost_usd),  # a small log costs fractions of a cent
                exact(counts.assumed_usd) if counts.assumed_usd else "",
            )
            for whose, counts in sorted(used.items())
        ],
        numbers=_HEAD[2:],
    )
    if any(counts.assumed_usd for counts in used.values()):
        say("Assumed: the dearest price that could apply; --json says of each call which and why.")


def _document(number: int, reading: Reading, cost: Cost | None) -> dict[str, Any]:
    """One line's JSON object; the same keys whatever the status."""
    counted = reading if isinstance(reading, Counted) else None
    return {
        "line": number,
        "status": STATUS[type(reading)],
        "reason": None if isinstance(reading, Counted) else reading.reason,
        "at": counted and counted.at,
        "principal": counted and str(counted.identity.principal),
        "account": (counted and counted.account) or None,
        "region": counted and counted.region,
        "model": counted and canonical_model(counted.model_id),
        **dict(zip(OBSERVED, counted.counts if counted else Counts(), strict=False)),
        "cost_usd": cost and exact(cost.usd),
        "assumed_usd": cost and exact(cost.assumed),
        "priced_as": cost and cost.priced_as,
    }
