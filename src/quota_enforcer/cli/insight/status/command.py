"""`status`: where everybody is, or one principal, by the rules that the enforcer runs."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer
from rich.text import Text

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.insight.status.observing import (
    Observed,
    first_moment,
    hint_at_switching,
    say_observed,
    tallied,
)
from quota_enforcer.cli.insight.status.one import say_one
from quota_enforcer.cli.insight.status.page import header, header_document, hints
from quota_enforcer.cli.insight.status.people import by_account, of_each, say_people, summary
from quota_enforcer.cli.insight.status.rows import row_document, say_notes, say_rows
from quota_enforcer.cli.terminal.options import AsJson, MaybePrincipalArg, MostRows, on_deployment
from quota_enforcer.cli.terminal.output import hint, say, say_json, screenful
from quota_enforcer.cli.terminal.principals import look_at_all
from quota_enforcer.core.deployment import Context, Mode
from quota_enforcer.core.ledger import Record, SweepState
from quota_enforcer.core.notices.amounts import count
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.usage.coverage import Coverage
from quota_enforcer.core.usage.stored import USAGE_KEPT
from quota_enforcer.insight.quotas.coverage import coverage_of_usage, covered_since, of_last_days
from quota_enforcer.insight.status import (
    IS_OVER,
    StatusInput,
    StatusRow,
    by_urgency,
    everybody,
    rows,
    unlimited,
)


@on_deployment
def status(  # noqa: PLR0913 - one argument for each option
    deployment: Deployment,
    principal: MaybePrincipalArg = None,
    *,
    over: Annotated[
        bool, typer.Option("--over", help="Only who has used up a quota, or is blocked.")
    ] = False,
    kind: Annotated[Kind | None, typer.Option(help="Only principals of this kind.")] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every quota of everybody, with moments and amounts.")
    ] = False,
    days: Annotated[
        int,
        typer.Option(
            min=1,
            max=USAGE_KEPT.days,
            help="In observe mode: how far to look back for would-be blocks.",
        ),
    ] = 7,
    limit: MostRows = None,
    as_json: AsJson = False,
) -> None:
    """Show where everybody is, what matters most first; or all about one principal.

    A line for each principal shows the quota that matters most.

    It is computed now, by the enforcer's own rules, from the usage metered
    so far. In observe mode it also shows who would have been blocked lately,
    how often and for how long.

    Examples:
      quota-enforcer status
      quota-enforcer status user/alice
      quota-enforcer status --over --kind role
      quota-enforcer status --all
      quota-enforcer status --json
    """
    context = deployment.context(clock.now())
    if principal is not None:
        if over or kind or every:
            raise typer.BadParameter(
                "--over, --kind and --all choose from all: leave PRINCIPAL out"
            )
        say_one(deployment, principal, context, days, as_json=as_json)
        return
    records, table, covered = _look(deployment, context)
    shown = [row for row in table if _wanted(row, over=over, kind=kind)]
    chosen = [each for each in records if kind in {None, each.principal.kind}]
    found = _observed(deployment, chosen, context, days)
    if as_json:
        say_json(_document(deployment, context, shown, found) | {"coverage": covered.to_json()})
        return
    _say(deployment, context, table, shown, screenful(limit), every=every)
    if covered.missed.requests:
        say(f"\n{of_last_days(covered)}")
    if found is not None:
        say_observed(found, context, screenful(limit))
    hints(deployment.ledger.state(), context)
    known = [each.principal for each in records]
    hint_at_switching(table, known, deployment.settings.breaker, context)


def _look(
    deployment: Deployment, context: Context
) -> tuple[list[Record], list[StatusRow], Coverage]:
    """Everybody's record and rows, known or named by a quota; and what no quota counts."""
    known = deployment.ledger.everybody()
    loaded = deployment.load(context.now, known)
    records = everybody(known, loaded.rules)
    seen = list(look_at_all(deployment, records, loaded.book, context, covered_since(context)))
    usages = {each.record.principal: each.usage for each in seen}
    state = deployment.ledger.state()
    table = by_urgency(row for each in seen for row in _rows(each, state, context))
    return records, table, coverage_of_usage(usages, loaded.book, context)


def _rows(seen: StatusInput, state: SweepState, context: Context) -> list[StatusRow]:
    several = list(rows(seen.record, seen.decision, state))
    if several or not seen.record.version or seen.record.principal.kind is Kind.TEAM:
        return several
    return [unlimited(seen.record.principal, seen.usage, context)]


def _wanted(row: StatusRow, *, over: bool, kind: Kind | None) -> bool:
    return (not over or row.state in IS_OVER) and (
        kind is None or Principal.parse(row.principal).kind is kind
    )


def _observed(
    deployment: Deployment, records: list[Record], context: Context, days: int
) -> Observed | None:
    if context.mode is not Mode.OBSERVE:
        return None
    history = deployment.ledger.whole_history(first_moment(context, days))
    return tallied(history, records, context, days)


def _say(
    deployment: Deployment,
    context: Context,
    table: list[StatusRow],
    shown: list[StatusRow],
    limit: int | None,
    *,
    every: bool,
) -> None:
    say(header(deployment, deployment.ledger.state(), context))
    if not table:
        say("Nobody has used Bedrock yet, and there is no quota for a single principal.")
        return
    if not shown:
        known = count(len({row.principal for row in table}), "principal")
        say(f"None of {known} is such a one: without --over and --kind all are shown.")
        return
    say(summary(shown))
    if every:
        fitting = shown[:limit]
        left_out = shown[limit:] if limit else []
    else:
        several = of_each(shown)
        fitting = [row for rows in several[:limit] for row in rows]
        left_out = [rows[0] for rows in several[limit:]] if limit else []
    for account, rows_of in by_account(fitting, deployment.settings.account).items():
        if account:
            say(Text.assemble("\n", (account, "bold"), ": ", summary(rows_of)))
        if every:
            say_rows(rows_of, context)
        else:
            say_people(of_each(rows_of), context)
    if left_out:
        hint(f"{len(left_out):,} more lines, {_calmest(left_out)}: --limit 0 shows all.")
    say_notes(shown)


def _calmest(rest: Iterable[StatusRow]) -> str:
    """The states of the rows that are not shown."""
    states = list(dict.fromkeys(str(row.state) for row in rest))
    return f"all {states[0]}" if len(states) == 1 else ", ".join(states)


def _document(
    deployment: Deployment, context: Context, table: list[StatusRow], found: Observed | None
) -> dict[str, Any]:
    return {
        **header_document(deployment, deployment.ledger.state(), context),
        "standings": [row_document(row) for row in table],
        "unpriced_models": sorted({model for row in table for model in row.unpriced}),
        "would_have_been_blocked": None if found is None else found.to_json(),
    }
