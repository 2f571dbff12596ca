"""`simulate`: what quotas would have done to the calls of an invocation log."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.deployment.target import Target
from quota_enforcer.cli.files.items import QuotaFile, read_quota_file
from quota_enforcer.cli.files.log_summary import LogSummary
from quota_enforcer.cli.files.logs import STDIN, log_readings, log_source
from quota_enforcer.cli.offline.simulate.deployment_log import (
    quotas_of,
    readings_of_days,
    say_what_is_missing,
)
from quota_enforcer.cli.offline.simulate.picture import picture_file, write_picture
from quota_enforcer.cli.offline.simulate.show import Beside, document, show
from quota_enforcer.cli.offline.simulate.telling import Telling
from quota_enforcer.cli.terminal.errors import REFUSED
from quota_enforcer.cli.terminal.options import AsJson, HomeAccount, on_target
from quota_enforcer.cli.terminal.output import fail, going_by, hint, how_far, say_json
from quota_enforcer.core.notices.amounts import count
from quota_enforcer.core.pricing.catalog.shipped import shipped_prices
from quota_enforcer.core.pricing.dated import DatedPrices
from quota_enforcer.core.pricing.rate import Cost
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import Quota
from quota_enforcer.core.usage.model import bare_model
from quota_enforcer.core.usage.pace import DenyLag
from quota_enforcer.core.usage.window import UnknownTimeZone, local_date, time_zone
from quota_enforcer.insight.quotas.coverage import coverage_of_calls
from quota_enforcer.insight.simulate.replay import UNSEEN, Delays
from quota_enforcer.insight.simulate.replay import simulate as replay
from quota_enforcer.insight.simulate.trace import Trace
from quota_enforcer.meter.log.record import Counted, Reading, without_repeats

_UTC = "UTC"
LONGEST_LAG = 86_400
"""Seconds; no meter takes more than a day."""


def _zone(name: str | None) -> str | None:
    try:
        time_zone(_UTC if name is None else name)
    except UnknownTimeZone as error:
        raise typer.BadParameter(str(error)) from None
    return name


def _lag(seconds: float) -> float:
    if not 0 <= seconds <= LONGEST_LAG:
        raise typer.BadParameter(f"{seconds} is not a number of seconds from 0 to {LONGEST_LAG:,}")
    return seconds


@on_target
def simulate(  # noqa: PLR0913 - one argument for each option
    target: Target,
    *,
    log: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            callback=lambda file: file and log_source(file),
            help="The log, plain or gzip, or an export of it: a file, a folder, or - for stdin.",
        ),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=400,
            help="Instead of a file: so many days until now of the deployment's own log, without "
            "prompts and answers.",
        ),
    ] = None,
    quotas: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Quota and price items as in the quota table: a list, as JSON or YAML. With "
            "--days the default is that table itself.",
        ),
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option(
            metavar="ZONE",
            callback=_zone,
            help="Where hours, days, weeks and months begin. Default: UTC, or the deployment's.",
        ),
    ] = None,
    account: HomeAccount = "",
    lag: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", callback=_lag, help="How long after a call its deny is in force."
        ),
    ] = 0,
    picture: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            callback=picture_file,
            help="Also draw it: FILE.html is a page with tables, FILE.svg one drawing.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Replay a log against quotas: who would have been warned and blocked, when, and by what.

    With --log it needs no AWS account; with --days it reads the deployment's log group by Logs
    Insights, which AWS charges for by what it looks through. A call that arrives while its
    principal is blocked for its model is refused and not counted. Every model that a quota names
    counts as an installed scope.
    Quotas with regions or accounts go by what the records say of both.
    What quotas with `closes` refuse and save is shown beside what they would if they closed what
    they count, and nothing before their limit.

    Examples:
      quota-enforcer simulate --log calls.jsonl.gz --quotas quotas.yaml
      quota-enforcer simulate --log calls.jsonl --quotas quotas.json --lag 15 --json
      quota-enforcer simulate --days 7
      quota-enforcer simulate --days 7 --quotas quotas.yaml
      quota-enforcer simulate --days 7 --quotas quotas.yaml --picture limits.html
    """
    if (log is None) == (days is None):
        raise typer.BadParameter(
            "give either --log FILE, or --days NUMBER for the deployment's log"
        )
    deployment = None if log else target.find()
    if deployment is not None:
        account = account or deployment.settings.account
        time_zone = time_zone or str(deployment.settings.zone)
    zone = ZoneInfo(time_zone or _UTC)
    found = _read(deployment, quotas, zone, account)
    prices = _Prices(shipped_prices(found.prices), zone)
    delays = Delays(
        visible=lambda call: call.at + timedelta(seconds=lag),
        lag=DenyLag(Decimal(str(lag)), Decimal(0)),
    )
    if deployment is not None and days is not None:
        calls = _calls(readings_of_days(deployment, days, account), account)
        say_what_is_missing(deployment, calls, days)
    else:
        readings = going_by(log_readings(log or STDIN, account), "Reading the log:")
        calls = _calls(readings, account)
    trace = Trace(zone)
    with how_far(f"Replaying {count(len(calls), 'call')}") as told:
        observer = Telling(trace if picture else UNSEEN, len(calls), told)
        outcomes = replay(calls, found.rules, prices.of, zone, delays, observer)
    plain = [each.plain if isinstance(each, Quota) else each for each in found.rules]
    beside = None
    if plain != found.rules:
        beside = Beside(outcomes, replay(calls, plain, prices.of, zone, delays))
    covered = coverage_of_calls(calls, QuotaBook(found.rules), prices.of)
    prices.warn()
    if picture is not None:
        write_picture(picture, outcomes, trace)
    if as_json:
        principals = {str(who): document(each) for who, each in outcomes.items()}
        compared = {} if beside is None else beside.to_json()
        say_json({"principals": principals, "coverage": covered.to_json(), **compared})
    else:
        show(outcomes, covered, zone, beside)


def _read(deployment: Deployment | None, file: Path | None, zone: ZoneInfo, home: str) -> QuotaFile:
    """The quotas to replay against. Exits if one of them is invalid."""
    if deployment is not None:
        found = quotas_of(deployment, file, zone, home)
    elif file is not None:
        found = read_quota_file(file, zone, home)
    else:
        raise typer.BadParameter("a --log is replayed against --quotas FILE: name one")
    if found.invalid:
        for each in found.invalid:
            fail(each.words)
        raise typer.Exit(REFUSED)
    return found


class _Prices:
    """The prices, and the models whose price they had to assume."""

    def __init__(self, prices: DatedPrices, zone: ZoneInfo) -> None:
        self._prices = prices
        self._zone = zone
        self._assumed: set[str] = set()

    def of(self, call: Counted) -> Cost:
        table = self._prices.on(local_date(call.at, self._zone))
        cost = table.cost(call.model_id, call.region, call.counts, call.cache_writes, call.tier)
        if cost.assumed:
            self._assumed.add(bare_model(call.model_id))
        return cost

    def warn(self) -> None:
        if self._assumed:
            hint(
                f"Prices are assumed, in part at least, for {', '.join(sorted(self._assumed))}: "
                "the dearest that could apply. read-log --json says why; items price/MODEL in the "
                "quotas file say better."
            )


def _calls(readings: Iterable[Reading], home: str) -> list[Counted]:
    """The calls of the log, each once; what else it holds is said on stderr."""
    summary = LogSummary(home=home)

    def counted() -> Iterator[Counted]:
        for reading in readings:
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
