"""`usage`: who used what, for chargeback: requests, tokens and money, exact.

CSV and JSON have every decimal place; a table for people is rounded.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Any

import typer

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.terminal.escaping import spreadsheet_cell
from quota_enforcer.cli.terminal.options import (
    AsCsv,
    AsJson,
    MaybePrincipalArg,
    MostRows,
    on_deployment,
    words_among,
)
from quota_enforcer.cli.terminal.output import hint, how_far, is_roomy, say, say_json, screenful
from quota_enforcer.cli.terminal.principals import hint_unknown_principal, record_of
from quota_enforcer.cli.terminal.tables import say_table
from quota_enforcer.cli.terminal.when import DayRange, asked_days
from quota_enforcer.core.notices.amounts import dollars, exact
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.quotas.quota import Rule, teams_of
from quota_enforcer.core.usage.buckets import Usage
from quota_enforcer.core.usage.counts import OBSERVED, Counts
from quota_enforcer.core.usage.place import NOWHERE_KNOWN
from quota_enforcer.core.usage.stored import USAGE_KEPT
from quota_enforcer.insight.status import everybody
from quota_enforcer.insight.usage import By, Key, SpendQuery, spend

COLUMNS = Counts._fields
"""Requests, the counts of tokens, what they cost, the part of that at assumed prices, and what was
saved by caching."""

_SHORT = (each.removesuffix("_tokens").removesuffix("_requests") for each in OBSERVED)
_COUNTED = [each.replace("_", " ").capitalize() for each in _SHORT]
_MONEY = ("Cost", "Assumed")
_SAVED = "Saved"
_WIDE = (*_COUNTED, *_MONEY)

_NARROW = ("Requests", "Tokens", *_MONEY)


def as_csv_text(rows: Mapping[Key, Counts], asked: SpendQuery) -> str:
    """A header line, then a line for each row; no cell is a formula, whoever named it."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow((*asked.by, *COLUMNS))
    for key, counts in rows.items():
        writer.writerow((*map(spreadsheet_cell, key), *_exact(counts)))
    return written.getvalue()


def _exact(counts: Counts) -> tuple[int | str, ...]:
    """Counts as numbers, money as text to the last decimal place."""
    return tuple(exact(each) if isinstance(each, Decimal) else each for each in counts)


def document(rows: Mapping[Key, Counts], asked: SpendQuery) -> dict[str, Any]:

    def counted(counts: Counts) -> dict[str, Any]:
        return dict(zip(COLUMNS, _exact(counts), strict=True))

    return {
        "from": str(asked.first),
        "to": str(asked.last),
        "by": asked.by,
        "rows": [
            {**dict(zip(asked.by, key, strict=True)), **counted(counts)}
            for key, counts in rows.items()
        ],
        "total": counted(Counts.total(rows.values())),
    }


def show(rows: Mapping[Key, Counts], asked: SpendQuery, zone: str, limit: int | None) -> None:
    """Columns that hold the same in every row are left to the heading."""
    days = f"{asked.first} to {asked.last}, {zone}"
    if not rows:
        say(f"Nobody used Bedrock: {days}.")
        return
    telling = [
        place for place in range(len(asked.by)) if len({key[place] for key in rows}) > 1
    ] or [0]
    same = [
        f"{asked.by[place]} {next(iter(rows))[place] or 'none'}"
        for place in range(len(asked.by))
        if place not in telling and asked.by[place] is not By.MONTH
    ]
    say(", ".join((f"Usage {days}", *same)))
    total = Counts.total(rows.values())
    numbers = _WIDE if is_roomy() else _NARROW
    if total.saved_usd and is_roomy():
        numbers = (*numbers, _SAVED)
    shown = list(rows.items())[:limit]
    table = [
        (*(key[place] or "-" for place in telling), *_numbers(counts, numbers))
        for key, counts in shown
    ]
    table.append(("Total", *("" for _ in telling[1:]), *_numbers(total, numbers)))
    head = [asked.by[place].capitalize() for place in telling]
    say_table((*head, *numbers), table, numbers=numbers)
    if len(shown) < len(rows):
        hint(f"{len(rows) - len(shown):,} more rows: --limit 0 shows all.")
    if By.TEAM in asked.by:
        hint("Teams are as of today's membership.")
    if total.assumed_usd:
        hint(f"{dollars(total.assumed_usd)} of the cost is at assumed prices: the dearest that "
             "could apply. Why: quota-enforcer prices check")  # fmt: skip
    if total.saved_usd:
        hint(f"Saved by caching: {dollars(total.saved_usd)}. Reads of the prompt cache cost so "
             "much less than the same tokens as new input.")  # fmt: skip


def _numbers(counts: Counts, columns: tuple[str, ...]) -> tuple[str, ...]:
    observed = zip(_COUNTED, (f"{each:,}" for each in counts[: len(OBSERVED)]), strict=True)
    said = {
        **dict(observed),
        "Tokens": f"{counts.tokens:,}",
        "Cost": dollars(counts.cost_usd),
        "Assumed": dollars(counts.assumed_usd) if counts.assumed_usd else "",
        _SAVED: dollars(counts.saved_usd) if counts.saved_usd else "",
    }
    return tuple(said[column] for column in columns)


DEFAULT = (By.PRINCIPAL, By.TEAM, By.MODEL, By.MONTH)


@on_deployment
def usage(  # noqa: PLR0913 - one argument for each option
    deployment: Deployment,
    principal: MaybePrincipalArg = None,
    *,
    month: Annotated[
        str | None, typer.Option(metavar="YYYY-MM", help="The month. Default: the present one.")
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="The first day.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="The last day. Default: today.")
    ] = None,
    by: Annotated[
        str,
        typer.Option(metavar="WHAT,...", help=f"What rows are told apart by: {', '.join(By)}."),
    ] = ",".join(DEFAULT),
    limit: MostRows = None,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
) -> None:
    """Show who used what in a month, by principal, team, model and month, for chargeback.

    Days and months are the deployment's. Teams are those of today, whenever
    the calls were made; who is in several is charged to team/a+team/b. A
    session's calls are in its role's row, unless a team has that session as
    a member: then they have their own.

    The CSV's columns are those of --by, then requests, every count of tokens
    (input_tokens and so on), cost_usd (exact dollars), assumed_usd (the part
    of it at assumed prices, the dearest that could apply) and saved_usd (what
    reads of the prompt cache cost less than the same tokens as new input).

    Examples:
      quota-enforcer usage
      quota-enforcer usage --month 2026-11 --csv
      quota-enforcer usage team/research --by principal,model
      quota-enforcer usage --by account,region --csv
      quota-enforcer usage user/alice --from 2026-11-01 --to 2026-11-15 --by day
    """
    if as_csv and as_json:
        raise typer.BadParameter("give either --csv or --json")
    context = deployment.context(clock.now())
    span = asked_days(month, first, last, context)
    asked = SpendQuery(
        span.first, span.last, words_among(by, By, "--by"), context.home or NOWHERE_KNOWN
    )
    rules = deployment.load(context.now).rules
    rows = spend(_read(deployment, principal, rules, span), _teams(rules), asked)
    if as_csv:
        typer.echo(as_csv_text(rows, asked), nl=False)
    elif as_json:
        say_json(document(rows, asked))
    else:
        show(rows, asked, str(context.zone), screenful(limit))
    if span.today - span.first > USAGE_KEPT:
        hint(f"Usage is kept for {USAGE_KEPT.days} days: what is older is no longer there.")


def _read(
    deployment: Deployment, text: str | None, rules: list[Rule], span: DayRange
) -> Mapping[Principal, Usage]:
    """The usage of everybody, of one, or of a team's members."""
    if text is None:
        known = deployment.ledger.everybody()
        principals = [record.principal for record in everybody(known, rules)]
    else:
        record = record_of(deployment, text)
        hint_unknown_principal(deployment, record, rules)
        principals = _members(record.principal, rules)
    firsts = {each: span.first for each in principals if each.kind is not Kind.TEAM}
    with how_far(f"Reading the usage of {len(firsts):,} principals") as told:
        return deployment.usages(firsts, None, told)


def _members(principal: Principal, rules: Iterable[Rule]) -> list[Principal]:
    if principal.kind is not Kind.TEAM:
        return [principal]
    return sorted(teams_of(rules).get(str(principal), ()))


def _teams(rules: Iterable[Rule]) -> Mapping[Principal, set[str]]:
    """Of which teams everybody is a member, however these share."""
    found: defaultdict[Principal, set[str]] = defaultdict(set)
    for team, members in teams_of(rules).items():
        for member in members:
            found[member].add(team)
    return found
