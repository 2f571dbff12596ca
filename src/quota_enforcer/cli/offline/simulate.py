"""`simulate`: what quotas would have done to the calls of an invocation log."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.text import Text

from quota_enforcer.cli.files.items import read_quota_file
from quota_enforcer.cli.files.log_summary import LogSummary
from quota_enforcer.cli.files.logs import log_readings, log_source
from quota_enforcer.cli.terminal.errors import REFUSED
from quota_enforcer.cli.terminal.options import AsJson, HomeAccount
from quota_enforcer.cli.terminal.output import fail, hint, say, say_json, say_table
from quota_enforcer.cli.terminal.styles import styled
from quota_enforcer.core.notices import wording
from quota_enforcer.core.notices.amounts import count, dollars, exact
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.pricing.catalog.shipped import shipped_prices
from quota_enforcer.core.pricing.dated import DatedPrices
from quota_enforcer.core.pricing.rate import Cost
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.usage.counts import OBSERVED, Counts
from quota_enforcer.core.usage.coverage import Coverage
from quota_enforcer.core.usage.model import bare_model
from quota_enforcer.core.usage.window import local_date
from quota_enforcer.core.usage.zones import UnknownTimeZone, time_zone
from quota_enforcer.enforce.report import event
from quota_enforcer.insight.quotas.coverage import coverage_of_calls
from quota_enforcer.insight.simulate import Delays, Simulated
from quota_enforcer.insight.simulate import simulate as replay
from quota_enforcer.meter.log.record import Counted, without_repeats

LONGEST_LAG = 86_400
"""Seconds; no meter takes more than a day."""

_EVENT = ("at", "kind", "quota", "used", "limit", "until")

_SHARED = {Kind.SESSION, Kind.TEAM}
"""Whose calls count to their role or their members too."""

_LASTS = {NoticeKind.BLOCKED, NoticeKind.CHANGED}


_NUMBERS = (
    "Requests", "Tokens", "Cost", "Assumed", "Warned", "Blocked", "Refused", "Tokens saved",
    "Cost saved",
)  # fmt: skip


def _zone(name: str) -> str:
    try:
        time_zone(name)
    except UnknownTimeZone as error:
        raise typer.BadParameter(str(error)) from None
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
            callback=log_source,
            help="The log, plain or gzip, or an export of it: a file, a folder, or - for stdin.",
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
    account: HomeAccount = "",
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
    Quotas with regions or accounts go by what the records say of both.

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
    prices = _Prices(shipped_prices(found.prices), zone)
    delays = Delays(visible=lambda call: call.at + timedelta(seconds=lag))
    calls = _calls(log, account)
    outcomes = replay(calls, found.rules, prices.of, zone, delays)
    covered = coverage_of_calls(calls, QuotaBook(found.rules), prices.of)
    prices.warn()
    if as_json:
        principals = {str(who): document(each) for who, each in outcomes.items()}
        say_json({"principals": principals, "coverage": covered.to_json()})
    else:
        show(outcomes, covered, zone)


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


def _calls(log: Path, home: str) -> list[Counted]:
    """The calls of the log, each once; what else it holds is said on stderr."""
    summary = LogSummary(home=home)

    def counted() -> Iterator[Counted]:
        for reading in log_readings(log, home):
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


def document(outcome: Simulated) -> dict[str, Any]:
    """One principal as JSON; dollars as text, to the last decimal place."""
    used, refused = outcome.used, outcome.refused
    return {
        "usage": {
            **dict(zip(OBSERVED, used, strict=False)),
            "total_tokens": used.tokens,
            "cost_usd": exact(used.cost_usd),
            "assumed_usd": exact(used.assumed_usd),
        },
        "events": [_event(notice) for notice in outcome.events],
        "refused_requests": refused.requests,
        "refused_tokens": refused.tokens,
        "refused_cost_usd": exact(refused.cost_usd),
        "refused_assumed_usd": exact(refused.assumed_usd),
    }


def _event(notice: Notice) -> dict[str, Any]:
    told = event(notice)
    return {key: told[key] for key in _EVENT}


def show(outcomes: Mapping[Principal, Simulated], covered: Coverage, zone: ZoneInfo) -> None:
    """What happened when, what everybody used, what blocks saved, and what no quota counts."""
    if not outcomes:
        say("No call was counted, so nothing would have happened.")
        return
    notices = sorted(
        (notice for each in outcomes.values() for notice in each.events),
        key=lambda notice: notice.at,
    )
    if notices:
        say_table(("When", "Who", "What", "Why", "Until"), [_row(each, zone) for each in notices])
        say("")
    else:
        say("Nobody would have been warned or blocked.")
    say_table(
        ("Who", *_NUMBERS),
        [(str(who), *_numbers(outcome)) for who, outcome in outcomes.items()],
        numbers=_NUMBERS,
    )
    saved = Counts.total(
        outcome.refused for who, outcome in outcomes.items() if who.kind not in _SHARED
    )
    if saved.requests:
        say("")
        say(
            f"Blocks would have refused {count(saved.requests, 'request')}: "
            f"{saved.tokens:,} tokens and "
            f"{dollars(saved.cost_usd)} saved, had nobody tried again."
        )
    say("")
    say(covered.words)


def _row(notice: Notice, zone: ZoneInfo) -> tuple[str | Text, ...]:
    return (
        wording.moment(notice.at, zone),
        notice.principal,
        styled(notice.kind),
        notice.reason,
        wording.moment(notice.until, zone) if notice.kind in _LASTS else "",
    )


def _numbers(outcome: Simulated) -> Iterator[str]:
    """The cells of _NUMBERS."""
    used, refused = outcome.used, outcome.refused
    kinds = [str(notice.kind) for notice in outcome.events]
    yield f"{used.requests:,}"
    yield f"{used.tokens:,}"
    yield dollars(used.cost_usd)
    yield dollars(used.assumed_usd) if used.assumed_usd else ""
    yield f"{kinds.count('warning'):,}"
    yield f"{kinds.count('blocked'):,}"
    yield f"{refused.requests:,}"
    yield f"{refused.tokens:,}"
    yield dollars(refused.cost_usd)
