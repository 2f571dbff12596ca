"""`release`: let a blocked principal go on, by a quota item with an end and a sweep at once."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from quota_enforcer import clock
from quota_enforcer.cli.deployment.deployment import Deployment
from quota_enforcer.cli.files.by_hand import BLOCK
from quota_enforcer.cli.operate.exemption import (
    blocking,
    blocking_of_team,
    lift,
    why_nothing,
)
from quota_enforcer.cli.quotas.preview import DRY_RUN
from quota_enforcer.cli.terminal.asking import ask
from quota_enforcer.cli.terminal.completion import of_deployment as completion
from quota_enforcer.cli.terminal.errors import FAILED, explain
from quota_enforcer.cli.terminal.names import whom
from quota_enforcer.cli.terminal.options import AsJson, DryRun, Yes, on_deployment
from quota_enforcer.cli.terminal.output import fail, hint, say, say_json, waiting
from quota_enforcer.cli.terminal.principals import meant, members_of
from quota_enforcer.cli.terminal.when import end_moment
from quota_enforcer.core.deployment import Context
from quota_enforcer.core.errors import EnforcerError, NotThere
from quota_enforcer.core.ledger import Record
from quota_enforcer.core.notices import wording
from quota_enforcer.core.notices.amounts import count, listed
from quota_enforcer.core.principal import Kind, Principal
from quota_enforcer.core.quotas.describe import named
from quota_enforcer.core.quotas.form.ends import END_FORMS
from quota_enforcer.decide.evaluate import Pools, decide_for_one
from quota_enforcer.decide.verdict import Verdict

_NAMED = 10
"""So many are named before it is agreed to release everybody."""


@dataclass(frozen=True, slots=True)
class Lifted:
    """A quota whose block is lifted until `until`."""

    verdict: Verdict
    until: datetime | None
    """None if it was a block by hand, which is over."""

    def words(self, zone: ZoneInfo) -> str:
        """Until when no limit holds, and what holds again then."""
        quota = self.verdict.quota
        if self.until is None:
            return f"The block by hand is over: the item {quota.name} is removed."
        until = wording.moment(self.until, zone)
        return f"No limit {quota.name} until {until}; then again {named(quota)}."


@dataclass(slots=True)
class ReleaseOutcome:
    """The result for one principal or team; `why_not` if there was nothing to release."""

    principal: Principal
    lifted: list[Lifted] = field(default_factory=list)
    why_not: str = ""
    error: str = ""
    members: list[Principal] = field(default_factory=list)
    blocked: list[Principal] = field(default_factory=list)
    """Who is blocked all the same: the principal, or of a team its members."""

    @property
    def concerned(self) -> list[Principal]:
        """The principal, or of a team its members."""
        return self.members or [self.principal]

    @property
    def free(self) -> bool:
        """Whether nothing blocks them any more."""
        return not self.blocked

    def to_json(self) -> dict[str, Any]:
        return {
            "principal": str(self.principal),
            "free": self.free,
            "still_blocked": list(map(str, self.blocked)),
            "pardoned": [
                {"quota": each.verdict.quota.name, "of": each.verdict.quota.subject,
                 "until": each.until}
                for each in self.lifted
            ],
            "why_not": self.why_not or None,
            "error": self.error or None,
        }  # fmt: skip


@on_deployment
def release(  # noqa: PLR0913 - one argument for each part of it
    deployment: Deployment,
    principal: Annotated[
        str | None,
        typer.Argument(
            metavar="PRINCIPAL",
            autocompletion=completion.principal,
            help="Such as user/alice, its ARN, or team/research.",
        ),
    ] = None,
    *,
    everybody: Annotated[bool, typer.Option("--all", help="Everybody who is blocked.")] = False,
    until: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN",
            help=f"When the limit holds again: {END_FORMS}. "
            "Default: the end of the present window.",
        ),
    ] = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Unblock at once; the limit holds again when the present window ends, or --until.

    It writes a quota item that ends by itself, and has the enforcer sweep: a
    quota of their own has no limit until then, and they are exempt from any
    other. Their own block by hand is removed. A team's quotas are lifted for
    all its members.

    Examples:
      quota-enforcer release user/alice
      quota-enforcer release user/alice --until 3d
      quota-enforcer release team/research --until 2026-12-01T09:00
      quota-enforcer release --all --dry-run
      quota-enforcer release --all --yes
    """
    if (principal is None) != everybody:
        raise typer.BadParameter("name one PRINCIPAL, or give --all for everybody who is blocked")
    context = deployment.context(clock.now())
    ends = None if until is None else end_moment(until, context, "--until")
    records = [_record(deployment, principal)] if principal else _blocked(deployment)
    if everybody and records and not dry_run:
        principals = listed([str(record.principal) for record in records], _NAMED)
        ask(f"Release {count(len(records), 'principal')} ({principals})?", yes=yes)
    records.sort(key=lambda record: record.principal)
    outcomes = release_records(deployment, records, ends, context, dry_run=dry_run)
    report = None if dry_run else take_effect(deployment, outcomes)
    if as_json:
        released = [each.to_json() for each in outcomes]
        say_json({"released": released, "sweep": report, "dry_run": dry_run})
    else:
        say_outcomes(outcomes, context, dry_run=dry_run)
    for outcome in outcomes:
        if outcome.error:
            fail(f"{outcome.principal}: {outcome.error}")
    if any(outcome.error or not outcome.free for outcome in outcomes):
        raise typer.Exit(FAILED)


def _record(deployment: Deployment, text: str) -> Record:
    """The principal's record; raises UnknownIdentity, or NotThere for a stranger."""
    principal = Principal.parse(whom(deployment, text))
    if principal.kind is Kind.TEAM:
        return Record(principal)
    record = deployment.ledger.records([principal])[principal]
    if record.version == 0 and deployment.quotas.get(str(principal), BLOCK) is None:
        known = [str(each.principal) for each in deployment.ledger.everybody()]
        raise NotThere(
            f"{principal} has not used Bedrock and is not blocked; {meant(principal, known)}"
        )
    return record


def _blocked(deployment: Deployment) -> list[Record]:
    """Whoever is blocked; a team is through its members, and they are released."""
    blocked = deployment.ledger.blocked()
    return [record for record in blocked if record.principal.kind is not Kind.TEAM]


def release_records(
    deployment: Deployment,
    records: list[Record],
    until: datetime | None,
    context: Context,
    *,
    dry_run: bool,
) -> list[ReleaseOutcome]:
    """Write the items, unless it is a dry run; one that fails does not stop the others."""
    outcomes = [ReleaseOutcome(record.principal) for record in records]
    loaded = deployment.load(context.now)
    book = loaded.book
    pools = Pools(book, deployment.ledger, context)
    author = deployment.caller() if records and not dry_run else ""
    for record, outcome in zip(records, outcomes, strict=True):
        if record.principal.kind is Kind.TEAM:
            outcome.members = members_of(loaded.rules, str(record.principal))
            verdicts = blocking_of_team(loaded, record.principal, deployment.ledger, context)
        else:
            verdicts = blocking(
                decide_for_one(record, book, deployment.ledger, context, pools).verdicts
            )
        outcome.why_not = why_nothing(record, verdicts, context)
        if outcome.why_not:
            continue
        try:
            for verdict in verdicts:
                ends = lift(deployment, record.principal, verdict, until, author)
                outcome.lifted.append(Lifted(verdict, ends))
        except EnforcerError as error:
            outcome.error = explain(error) or str(error)
    return outcomes


def take_effect(deployment: Deployment, outcomes: list[ReleaseOutcome]) -> dict[str, Any] | None:
    """Sweep, then see in the ledger who is really free."""
    concerned = [who for each in outcomes if not each.why_not for who in each.concerned]
    if not concerned:
        return None
    report, trouble = None, None
    try:
        with waiting("Sweeping"):
            report = deployment.sweep()
    except Exception as error:
        trouble = explain(error)
        if trouble is None:
            raise
    records = deployment.ledger.records(concerned)
    denied = {who for who, record in records.items() if record.standing.denied}
    for outcome in outcomes:
        outcome.blocked = [who for who in outcome.concerned if who in denied]
    if trouble is not None:
        # The items are written all the same, so the next tick of the schedule takes them up.
        fail(f"{trouble}; what was written stays, and the next sweep that gets through applies it")
    return report


def say_outcomes(outcomes: list[ReleaseOutcome], context: Context, *, dry_run: bool) -> None:
    """Who is free, until when no limit holds, and what holds again then."""
    if not outcomes:
        say("Nobody is blocked.")
    for outcome in outcomes:
        who = outcome.principal
        if outcome.why_not:
            say(f"Nothing to release for {who}: {outcome.why_not}.")
            continue
        named_still = ": " + ", ".join(map(str, outcome.blocked)) if outcome.members else ""
        if dry_run:
            say(f"Would release {who}:")
        else:
            say(f"{who} is {'free' if outcome.free else f'still blocked{named_still}'}.")
        for each in outcome.lifted:
            say(f"  {each.words(context.zone)}")
    if dry_run:
        say(DRY_RUN)
    elif any(outcome.free and not outcome.why_not for outcome in outcomes):
        hint("IAM needs a few seconds to know it.")
