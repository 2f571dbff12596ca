"""Whom a command is about: one principal, named as people and AWS name it, known or not."""

from collections.abc import Iterable, Iterator
from datetime import date
from difflib import get_close_matches
from typing import Annotated

import typer

from quota_enforcer.cli import deployment as deployments
from quota_enforcer.cli.deployment import Deployment
from quota_enforcer.cli.terminal.output import hint, how_far
from quota_enforcer.core.deployment import Context
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.principal import Kind, Principal, canonical
from quota_enforcer.core.quotas.item import GROUPS
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import Rule
from quota_enforcer.insight.overview import ReadBefore, StatusInput, far_back, overview

_FORMS = ("user/", "role/", "sso/", "session/", "team/")


def complete(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """The principals that the ledger knows; only the forms where it cannot be asked."""
    where = [ctx.params.get(name) for name in ("stack", "profile", "region")]
    try:
        found = deployments.find(str(where[0] or "bedrock-quota"), where[1], where[2])
        known = sorted(str(record.principal) for record in found.ledger.everybody())
    except Exception:  # noqa: BLE001 - a shell that completes has no place for an error
        known = list(_FORMS)
    return (each for each in known if each.startswith(incomplete))


Who = Annotated[
    str,
    typer.Argument(
        metavar="PRINCIPAL",
        autocompletion=complete,
        help="user/NAME, role/NAME, sso/NAME, session/ROLE/NAME, team/NAME, or an ARN of one.",
    ),
]
MaybeWho = Annotated[
    str | None,
    typer.Argument(
        metavar="PRINCIPAL",
        autocompletion=complete,
        help="Only this one: user/NAME, role/NAME, sso/NAME, session/ROLE/NAME, team/NAME, "
        "or an ARN of one.",
    ),
]


def record_of(deployment: Deployment, text: str) -> Record:
    """The principal's record, a new one where the ledger has none; raises UnknownIdentity."""
    principal = Principal.parse(canonical(text, deployment.settings.account))
    return deployment.ledger.records([principal])[principal]


def everybody(deployment: Deployment, rules: Iterable[Rule]) -> list[Record]:
    """The records of all whom the ledger knows or a rule names, in their order."""
    records = {record.principal: record for record in deployment.ledger.everybody()}
    for principal in named(rules):
        records.setdefault(principal, Record(principal))
    return [records[principal] for principal in sorted(records)]


def named(rules: Iterable[Rule]) -> set[Principal]:
    """Whom the rules name one by one; a team itself only where it shares one quota."""
    subject = {each for rule in rules for each in rule.named}
    return {Principal.parse(each) for each in subject if each not in GROUPS and "*" not in each}


def look_at_all(
    deployment: Deployment,
    records: list[Record],
    book: QuotaBook,
    context: Context,
    since: date | None = None,
) -> Iterator[StatusInput]:
    """Decide about all of these as a sweep would, on usage from `since` on at least."""
    read = read_usages(deployment, (record.principal for record in records), book, context, since)
    return overview(records, book, read, context)


def read_usages(
    deployment: Deployment,
    principals: Iterable[Principal],
    book: QuotaBook,
    context: Context,
    since: date | None = None,
) -> ReadBefore:
    """As much usage as the quotas of all of these need, with progress on a terminal."""
    firsts, hours_from = far_back(principals, book, context, since)
    with how_far(f"Reading the usage of {len(firsts):,} principals") as told:
        return ReadBefore(deployment.ledger, firsts, deployment.usages(firsts, hours_from, told))


def hint_unknown_principal(deployment: Deployment, record: Record, rules: Iterable[Rule]) -> None:
    """A hint where nobody of this name has been seen and no rule names them: a slip, perhaps."""
    principal = record.principal
    several = list(rules)
    teams = {rule.subject for rule in several if rule.members}
    if record.version or principal in named(several) or str(principal) in teams:
        return
    known = {str(each.principal) for each in deployment.ledger.everybody()} | teams
    near = get_close_matches(str(principal), sorted(known), n=1)
    meant = f"did you mean {near[0]}?" if near else "`quota-enforcer status` shows who is known"
    hint(f"{principal} {_unseen(principal)}, and no quota names it: {meant}")


def _unseen(principal: Principal) -> str:
    if principal.kind is Kind.TEAM:
        return "has no members"
    if principal.kind is Kind.SESSION:
        return "has not been metered by itself: that needs a quota for it"
    return "has not used Bedrock yet"
