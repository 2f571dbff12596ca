"""The principals that a command is about: one by name, or all; their records and their usage."""

from collections.abc import Iterable, Iterator
from datetime import date

from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.terminal.names import whom
from quota_enforcer.cli.terminal.output import hint, progress
from quota_enforcer.core.deployment import Context
from quota_enforcer.core.errors import NotThere, did_you_mean_any, near_names
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.quotas.precedence import QuotaBook
from quota_enforcer.core.quotas.quota import Rule, named_by, teams_of
from quota_enforcer.insight.status import StatusInput, overview


def record_of(deployment: Deployment, text: str) -> Record:
    """The principal's record, a new one if the ledger has none; raises UnknownIdentity."""
    principal = Principal.parse(whom(deployment, text, ask=False))
    return deployment.ledger.records([principal])[principal]


def members_of(rules: Iterable[Rule], team: str) -> list[Principal]:
    """The members of a team by any of its quotas; raises NotThere if the team has none."""
    teams = teams_of(rules)
    if team not in teams:
        raise NotThere(
            f"there is no {team} with a quota that is valid; teams: "
            f"{', '.join(sorted(teams)) or 'none'}; "
            f"`quota-enforcer quota set {team} NAME --members ...` adds one"
        )
    return sorted(teams[team])


def look_at_all(
    deployment: Deployment,
    records: list[Record],
    book: QuotaBook,
    context: Context,
    since: date | None = None,
) -> Iterator[StatusInput]:
    """Decide about all of them as a sweep would; usage is read from `since` on, or from earlier."""
    read = deployment.usage_for((record.principal for record in records), [book], context, since)
    return progress(overview(records, book, read, context), "Deciding", len(records))


def meant(principal: Principal, known: Iterable[str]) -> str:
    """Who is known by a name that is spelled much like it, or where to look."""
    return (
        did_you_mean_any(near_names(str(principal), known))
        or "`quota-enforcer status` shows who is known"
    )


def hint_unknown_principal(deployment: Deployment, record: Record, rules: Iterable[Rule]) -> None:
    """A hint if the principal was never seen and no rule names it: perhaps a typing error."""
    principal = record.principal
    several = list(rules)
    teams = teams_of(several).keys()
    if record.version or principal in named_by(several) or str(principal) in teams:
        return
    known = {str(each.principal) for each in deployment.ledger.everybody()} | teams
    hint(f"{principal} {_unseen(principal)}, and no quota names it: {meant(principal, known)}")


def _unseen(principal: Principal) -> str:
    if principal.kind is Kind.TEAM:
        return "has no members"
    if principal.kind is Kind.SESSION:
        return "has not been metered by itself: that needs a quota for it"
    return "has not used Bedrock yet"
