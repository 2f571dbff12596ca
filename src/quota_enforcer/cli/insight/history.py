"""`history`: every change of standing and of a quota: what, when and why."""

from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.text import Text

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.terminal.options import AsJson, MaybePrincipalArg, on_deployment
from quota_enforcer.cli.terminal.output import hint, say, say_json
from quota_enforcer.cli.terminal.principals import hint_unknown_principal, record_of
from quota_enforcer.cli.terminal.tables import say_table, styled
from quota_enforcer.cli.terminal.when import since_moment
from quota_enforcer.core.deployment import Context
from quota_enforcer.core.notices import wording
from quota_enforcer.core.notices.amounts import lasting
from quota_enforcer.core.notices.notice import Notice, NoticeKind
from quota_enforcer.core.principal import Principal
from quota_enforcer.core.quotas.diff import ELSEWHERE
from quota_enforcer.core.quotas.precedence import covers
from quota_enforcer.core.quotas.quota import Rule, teams_of
from quota_enforcer.enforce.report import event

NEWEST = 50
_LASTS = {NoticeKind.BLOCKED, NoticeKind.CHANGED}


@on_deployment
def history(
    deployment: Deployment,
    principal: MaybePrincipalArg = None,
    *,
    since: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="From when on: 7d, 12h, 2026-11-24 or a moment."),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="How many of the newest; 0 is all.")] = NEWEST,
    as_json: AsJson = False,
) -> None:
    """Show what happened when and why, newest last: of one principal, or of everybody.

    Of a principal it also shows what happened to its teams, its kind and the
    default. Who edited a quota stands there where the command line did it;
    else see CloudTrail. History is kept for 400 days.

    Examples:
      quota-enforcer history user/alice
      quota-enforcer history --since 7d
      quota-enforcer history --since 2026-11-01 --limit 0 --json
    """
    context = deployment.context(clock.now())
    start = None if since is None else since_moment(since, context)
    most = limit or None
    if principal is None:
        # One more than is shown tells whether there are more.
        found = deployment.ledger.whole_history(start, most and most + 1)
    else:
        record = record_of(deployment, principal)
        rules = deployment.load(context.now).rules
        found = _of(deployment, record.principal, rules, start)
        hint_unknown_principal(deployment, record, rules)
    shown = found if most is None else found[-most:]
    if as_json:
        say_json({"history": [_document(notice) for notice in shown]})
    elif shown:
        say_table(("When", "What", "Principal", "Quota", "Why"), _rows(shown, context))
    else:
        say("Nothing has happened yet." if start is None else "Nothing has happened since then.")
    if len(shown) < len(found):
        hint("There are older entries: --limit 0 shows all, --since WHEN all from then on.")


def _of(
    deployment: Deployment, principal: Principal, rules: Iterable[Rule], since: datetime | None
) -> list[Notice]:
    """The history of one principal, of its teams of today, and of rules for its kind."""
    ledger = deployment.ledger
    found = ledger.history(principal, since)
    found += [each for each in ledger.history(None, since) if covers(each.principal, (), principal)]
    for team, members in sorted(teams_of(rules).items()):
        if principal in members:
            found += ledger.history(Principal.parse(team), since)
    return sorted(found, key=lambda notice: notice.at)


def _rows(shown: Iterable[Notice], context: Context) -> Iterator[tuple[str | Text, ...]]:
    for notice in shown:
        yield (
            wording.moment(notice.at, context.zone),
            styled(notice.kind, str(notice.kind).replace("-", " ")),
            notice.principal or "-",
            notice.quota or "-",
            why(notice, context),
        )


def why(notice: Notice, context: Context) -> str:
    """The reason, and how long it lasts or would have lasted."""
    if notice.kind is NoticeKind.WOULD_HAVE_BLOCKED and notice.since and notice.until:
        since = wording.moment(notice.since, context.zone)
        until = wording.moment(notice.until, context.zone)
        return f"from {since} to {until} ({lasting(notice.until - notice.since)}): {notice.reason}"
    if notice.by:
        by = notice.by if notice.by == ELSEWHERE else f"by {notice.by}"
        return f"{notice.reason}; {by}"
    if notice.kind in _LASTS:
        return f"{notice.reason}; until {wording.moment(notice.until, context.zone)}"
    if notice.kind is NoticeKind.RESTORED and notice.since:
        return f"{notice.reason}; it was blocked for {lasting(notice.at - notice.since)}"
    return notice.reason


def _document(notice: Notice) -> dict[str, Any]:
    """The notice as in a sweep's report, with all its other fields."""
    told = event(notice)
    more = {each.name: getattr(notice, each.name) for each in fields(notice)}
    more["percent"] = notice.percent if notice.measure else None
    return told | {
        name: None if value == "" else value for name, value in more.items() if name not in told
    }
