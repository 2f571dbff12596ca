"""`release`: let a blocked principal go on, by a quota item with an end and a sweep at once."""

from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from typing import Annotated, Any

import typer

from quota_enforcer import clock
from quota_enforcer.cli.deployment import Deployment
from quota_enforcer.cli.errors import FAILED, NotThere, explain
from quota_enforcer.cli.options import AsJson, on_deployment
from quota_enforcer.cli.output import fail, hint, say, say_json
from quota_enforcer.cli.pardon import lasts_until, pardon, signed, to_pardon
from quota_enforcer.cli.quota_edit import canonical, named
from quota_enforcer.cli.quota_store import check, stored
from quota_enforcer.core import quota_values, wording
from quota_enforcer.core.errors import EnforcerError
from quota_enforcer.core.principal import Kind, Principal, cannot_be_denied
from quota_enforcer.core.verdict import Mode, Terms, Verdict
from quota_enforcer.ports import Record
from quota_enforcer.sweep.look import look
from quota_enforcer.sweep.pools import Pools


@dataclass(frozen=True, slots=True)
class Pardoned:
    """A quota whose block is lifted until then."""

    verdict: Verdict
    until: datetime


@dataclass(slots=True)
class Outcome:
    """What became of one principal; `why_not` where there was nothing to release."""

    principal: Principal
    pardoned: list[Pardoned] = field(default_factory=list)
    why_not: str = ""
    error: str = ""
    free: bool = True

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "principal": str(self.principal),
            "free": self.free,
            "pardoned": [
                {"quota": each.verdict.quota.name, "of": each.verdict.quota.whom,
                 "until": each.until}
                for each in self.pardoned
            ],
            "why_not": self.why_not or None,
            "error": self.error or None,
        }  # fmt: skip


@on_deployment
def release(
    deployment: Deployment,
    principal: Annotated[
        str | None, typer.Argument(metavar="PRINCIPAL", help="Such as user/alice, or its ARN.")
    ] = None,
    *,
    everybody: Annotated[bool, typer.Option("--all", help="Everybody who is blocked.")] = False,
    until: Annotated[
        str | None,
        typer.Option(help="When the limit holds again. Default: the end of the present window."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Unblock at once; the limit holds again when the present window ends, or --until.

    It writes a quota item for the principal that ends by itself, and has
    the enforcer sweep: its own quota is raised, from any other it is exempt.

    Examples:
      quota-enforcer release user/alice
      quota-enforcer release user/alice --until 2026-12-01T09:00
      quota-enforcer release --all --yes
    """
    if (principal is None) != everybody:
        raise typer.BadParameter("name one PRINCIPAL, or give --all for everybody who is blocked")
    terms = deployment.settings.terms(clock.now())
    ends = None if until is None else _moment(until, terms)
    records = [_record(deployment, principal)] if principal else _blocked(deployment)
    if everybody and records and not yes:
        whom = ", ".join(str(record.principal) for record in records)
        typer.confirm(f"Release {len(records)} ({whom})?", abort=True, err=True)
    outcomes = _pardon(deployment, sorted(records, key=_by_name), ends, terms)
    report = _take_effect(deployment, outcomes)
    if as_json:
        say_json({"released": [each.to_json() for each in outcomes], "sweep": report})
    else:
        _say(outcomes, terms)
    for outcome in outcomes:
        if outcome.error:
            fail(f"{outcome.principal}: {outcome.error}")
    if any(outcome.error or not outcome.free for outcome in outcomes):
        raise typer.Exit(FAILED)


def _moment(text: str, terms: Terms) -> datetime:
    try:
        moment = quota_values.moment(text, terms.zone)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is no moment; write one such as 2026-12-01T09:00, or a date",
            param_hint="--until",
        ) from error
    if moment <= terms.now:
        raise typer.BadParameter(
            f"{wording.moment(moment, terms.zone)} is past; it is now "
            f"{wording.moment(terms.now, terms.zone)}",
            param_hint="--until",
        )
    return moment


def _record(deployment: Deployment, text: str) -> Record:
    """The principal's record; raises UnknownIdentity, or NotThere for a stranger."""
    principal = Principal.parse(canonical(text, deployment.settings.account))
    if principal.kind is Kind.TEAM:
        raise typer.BadParameter(
            f"{principal} is a team, not a principal that can be blocked: release its members",
            param_hint="PRINCIPAL",
        )
    record = deployment.ledger.records([principal])[principal]
    if record.version == 0:
        known = [str(each.principal) for each in deployment.ledger.everybody()]
        near = get_close_matches(str(principal), known, n=1)
        meant = f"did you mean {near[0]}?" if near else "`quota-enforcer status` shows who is known"
        raise NotThere(f"{principal} has not used Bedrock and is not blocked; {meant}")
    return record


def _blocked(deployment: Deployment) -> list[Record]:
    """Whoever is blocked; a team is through its members, and they are released."""
    blocked = deployment.ledger.blocked()
    return [record for record in blocked if record.principal.kind is not Kind.TEAM]


def _by_name(record: Record) -> Principal:
    return record.principal


def _pardon(
    deployment: Deployment, records: list[Record], until: datetime | None, terms: Terms
) -> list[Outcome]:
    """Write the items; one principal that fails does not stop the others."""
    outcomes = [Outcome(record.principal) for record in records]
    book = deployment.load(terms.now).book
    pools = Pools(book, deployment.ledger, terms)
    author = deployment.caller() if records else ""
    for record, outcome in zip(records, outcomes, strict=True):
        verdicts = to_pardon(look(record, book, deployment.ledger, terms, pools).verdicts)
        outcome.why_not = _why_not(record, verdicts, terms)
        if outcome.why_not:
            continue
        try:
            for verdict in verdicts:
                ends = until or lasts_until(verdict)
                _, item = stored(deployment, str(record.principal), verdict.quota.name)
                new = pardon(record.principal, verdict, item, ends, terms.zone)
                check(deployment, new)
                deployment.quotas.put(signed(new, author), item)
                outcome.pardoned.append(Pardoned(verdict, ends))
        except EnforcerError as error:
            outcome.error = explain(error) or str(error)
    return outcomes


def _why_not(record: Record, verdicts: list[Verdict], terms: Terms) -> str:
    """Why there is nothing to release; empty where there is."""
    if record.standing.denied and not record.trouble:
        return ""
    if not verdicts:
        return "it is not blocked"
    if terms.mode is Mode.OBSERVE:
        return "it is not blocked: in observe mode nobody is"
    undeniable = cannot_be_denied(record.principal, gated=terms.gated)
    return f"it is not blocked: {undeniable}" if undeniable else ""


def _take_effect(deployment: Deployment, outcomes: list[Outcome]) -> dict[str, Any] | None:
    """Sweep, then see in the ledger who is really free."""
    concerned = [each.principal for each in outcomes if not each.why_not]
    if not concerned:
        return None
    hint("Sweeping ...")
    report, trouble = None, None
    try:
        report = deployment.sweep()
    except Exception as error:
        trouble = explain(error)
        if trouble is None:
            raise
    records = deployment.ledger.records(concerned)
    for outcome in outcomes:
        record = records.get(outcome.principal)
        outcome.free = record is None or not record.standing.denied
    if trouble is not None:
        # The items are written all the same, so the next tick of the schedule takes them up.
        fail(f"{trouble}; what was written stays, and the next sweep that gets through heeds it")
    return report


def _say(outcomes: list[Outcome], terms: Terms) -> None:
    if not outcomes:
        say("Nobody is blocked.")
    for outcome in outcomes:
        who = outcome.principal
        if outcome.why_not:
            say(f"Nothing to release for {who}: {outcome.why_not}.")
            continue
        say(f"{who} is {'free' if outcome.free else 'still blocked'}.")
        for each in outcome.pardoned:
            quota, until = each.verdict.quota, wording.moment(each.until, terms.zone)
            say(f"  No limit {quota.name} until {until}; then again {named(quota)}.")
    if any(outcome.free and not outcome.why_not for outcome in outcomes):
        hint("IAM needs a few seconds to know it.")
