"""Whether the quotas and prices are what somebody meant, and whether they act."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from quota_enforcer.core.deployment import Mode
from quota_enforcer.core.ledger import SweepState
from quota_enforcer.core.notices.amounts import count
from quota_enforcer.core.quotas.subject import QuotaId
from quota_enforcer.core.usage.coverage import Coverage
from quota_enforcer.doctor.finding import Diagnosis, Finding, diagnosis, note, problem, warning
from quota_enforcer.doctor.fixes import at, deploy
from quota_enforcer.insight.quotas.coverage import of_last_days


@dataclass(frozen=True, slots=True)
class InvalidItem:
    """An item of the quota table that does not validate, and what is wrong with it."""

    subject: str
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class CoverageSeen:
    """What quotas leave out of the usage of all principals, or of a sample of them."""

    found: Coverage
    looked_at: int
    known: int

    @property
    def words(self) -> str:
        said = of_last_days(self.found)
        if self.looked_at < self.known:
            return (
                f"{said} Seen in a sample of {self.looked_at:,} of {self.known:,} principals; "
                "`quota-enforcer status` reads all"
            )
        return said


def quotas(
    valid: int,
    invalid: Sequence[InvalidItem],
    covered: CoverageSeen,
    uncounted: Sequence[QuotaId] = (),
) -> Diagnosis:
    """Whether every item is valid and there are any, and what of the usage `covered` leaves out.

    `uncounted` are quotas by the minute where nobody counts by the minute.
    """
    findings = [
        problem(
            f"quota {each.name} of {each.subject} is not valid",
            each.why,
            f"quota-enforcer quota remove {shlex.quote(each.subject)} {shlex.quote(each.name)}",
            "or fix it, in the table or with quota-enforcer quota set",
        )
        for each in invalid
    ]
    if not valid and not invalid:
        findings.append(
            warning(
                "there is no quota, so nobody is limited",
                "the quota table is empty",
                "quota-enforcer quota set default daily --measure cost_usd --limit 20 --window day",
            )
        )
    findings += [
        warning(
            f"quota {each.name} of {each.subject} counts nothing, so it limits nobody",
            "its window is of minutes, and Metering=cloudwatch counts none",
            f"quota-enforcer quota set {shlex.quote(each.subject)} {shlex.quote(each.name)} "
            "--window hour",
            "or deploy with Metering=stream",
        )
        for each in uncounted
    ]
    if valid and covered.found.missed.requests:
        findings.append(note(covered.words, list(map(str, covered.found.uncovered))))
    return diagnosis(f"{count(valid, 'item')}, all valid", findings)


OLD = timedelta(days=45)
"""Prices change about monthly; a table older than this is likely to be wrong somewhere."""


def prices(unknown: Iterable[str], as_of: date, today: date, *, matter: bool) -> Diagnosis:
    """Whether every model has a price, of a list of `as_of`; it may `matter` to no quota."""
    fine = f"every model used has a price; the list prices are of {as_of}"
    findings = [
        *_unpriced(sorted(unknown), matter=matter), *_old(as_of, today, matter=matter)
    ]  # fmt: skip
    return diagnosis(fine, findings)


def _unpriced(models: list[str], *, matter: bool) -> Iterator[Finding]:
    what = "no price is known for these, so their cost is taken at the dearest that could apply"
    if models and matter:
        yield warning(
            what,
            "such a cost warns, and denies only if a quota says `unknown_prices: deny`, or if the "
            "model is one that people make themselves",
            "quota-enforcer prices check",
            "it says for each how to set its price",
            models,
        )
    elif models:
        yield note(what, models)


def _old(as_of: date, today: date, *, matter: bool) -> Iterator[Finding]:
    days = (today - as_of).days
    what = f"the list prices are {days} days old, so some may have changed"
    if days > OLD.days and matter:
        yield warning(
            what,
            f"they are of {as_of}",
            "download litellm's newest model_prices_and_context_window.json and give it to "
            "quota-enforcer prices update, or AWS's offer files to prices update-aws",
            "both show what moves before they ask",
        )
    elif days > OLD.days:
        yield note(f"{what}; no quota is on cost")


def acting(mode: Mode, state: SweepState, now: datetime, stack: str) -> Diagnosis:
    """Whether quotas block: the mode, a pause, and the breaker."""
    return diagnosis(f"quotas act in {mode} mode", _acting(mode, state, now, stack))


def _acting(mode: Mode, state: SweepState, now: datetime, stack: str) -> Iterator[Finding]:
    breaker_since = state.breaker_since
    if state.paused_until is not None and state.paused_until > now:
        yield problem(
            "new blocks are paused, so whoever is over a limit goes on",
            f"somebody paused them until {at(state.paused_until)}",
            "quota-enforcer resume",
            "it ends the pause at once",
        )
    if breaker_since is not None:
        yield problem(
            "the breaker has tripped, so what was edited lately blocks nobody new",
            f"too many would have been at once, at {at(breaker_since)}",
            "quota-enforcer sweep --dry-run",
            "it names them: check the quota that was edited last, then confirm with quota-enforcer "
            "sweep --confirm-blocks",
        )
    if mode is Mode.OBSERVE:
        yield note(f"observe mode blocks nobody; {deploy(stack, Mode='enforce')} has it block")
